//! Where the door listens, and every limit with its default.

use rustls::ServerConfig;
use std::net::SocketAddr;
use std::sync::Arc;

/// What the door is started with.
#[derive(Clone, Debug, Default)]
pub struct OcppOptions {
    /// Addresses for WebSocket in the clear (security profile 1); port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Addresses for WebSocket over TLS (security profiles 2 and 3); port 0 takes a free one.
    pub listen_tls: Vec<SocketAddr>,
    /// The settings of TLS; needed with `listen_tls`. To let in stations by certificate they ask for one
    /// ([`crate::mqtt::device_config_for`]).
    pub tls: Option<Arc<ServerConfig>>,
    /// Limits and ways of one link.
    pub session: proto_ocpp::Config,
    /// Limits of the door.
    pub limits: Limits,
}

/// Limits of the door.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Links at once, those being opened among them.
    pub links_max: usize,
    /// Links at once from one address.
    pub links_per_peer_max: usize,
    /// Time for TLS, the request and its answer, milliseconds.
    pub open_timeout_ms: u64,
    /// Bytes of the request that opens a link; 8,192 at least.
    pub request_bytes_max: usize,
    /// Links refused for what they showed, of one address within `refused_window_seconds`; beyond, it is not looked at.
    pub refused_per_peer_max: u32,
    /// Dead letters kept of one address within `refused_window_seconds`; beyond, its link is closed.
    pub dead_letters_per_peer_max: u32,
    /// Window of the two limits above, seconds.
    pub refused_window_seconds: u64,
    /// Addresses remembered for them.
    pub peers_remembered_max: usize,
    /// A station that sent nothing for this long is asked whether it lives (ping), seconds.
    pub ping_seconds: u64,
    /// A link on which nothing came for this long, pongs among it, is closed, seconds.
    pub idle_seconds_max: u64,
    /// Time that a station may take none of what is written to it, milliseconds.
    pub write_timeout_ms: u64,
    /// Bytes of one read of a link; a link keeps a buffer of this size.
    pub read_bytes: usize,
    /// Stations whose book is kept for their next link.
    pub books_max: usize,
    /// Time until a busy sink is asked again, milliseconds.
    pub busy_retry_ms: u64,
    /// Time until a sink that is out of order is asked again, milliseconds; twice as long each time.
    pub unavailable_retry_ms: u64,
    /// How often it is asked again before the link is closed, so that the station keeps its message.
    pub unavailable_tries_max: u32,
    /// Time that a link which another one of its station takes over from may need to leave, milliseconds.
    pub take_over_ms: u64,
    /// Time that a shutdown waits for the sink and for good-byes, milliseconds.
    pub shutdown_ms: u64,
    /// Time after which TCP asks a silent peer whether it is still there, seconds.
    pub tcp_keep_alive_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            links_max: 10_000,
            links_per_peer_max: 5_000,
            open_timeout_ms: 10_000,
            request_bytes_max: 8_192,
            refused_per_peer_max: 600,
            dead_letters_per_peer_max: 120,
            refused_window_seconds: 60,
            peers_remembered_max: 100_000,
            ping_seconds: 120,
            idle_seconds_max: 600,
            write_timeout_ms: 30_000,
            read_bytes: 4_096,
            books_max: 100_000,
            busy_retry_ms: 5,
            unavailable_retry_ms: 250,
            unavailable_tries_max: 6,
            take_over_ms: 5_000,
            shutdown_ms: 5_000,
            tcp_keep_alive_seconds: 120,
        }
    }
}
