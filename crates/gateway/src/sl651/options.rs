//! Where the door listens, and every limit with its default.

use std::net::SocketAddr;

/// What the door is started with.
#[derive(Clone, Debug, Default)]
pub struct Sl651Options {
    /// Addresses for TCP; port 0 takes a free one.
    pub tcp_listen: Vec<SocketAddr>,
    /// Addresses for UDP; port 0 takes a free one.
    pub udp_listen: Vec<SocketAddr>,
    /// Limits and ways of one link.
    pub session: proto_sl651::Config,
    /// Limits of the door.
    pub limits: Limits,
}

/// Limits of the door.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Links at once, TCP connections and UDP peers each.
    pub links_max: usize,
    /// TCP links at once from one address.
    pub links_per_peer_max: usize,
    /// A link on which nothing came for this long is closed, seconds.
    pub idle_seconds_max: u64,
    /// Time that a station may take none of what is written to it, milliseconds.
    pub write_timeout_ms: u64,
    /// Size of one read of a TCP link, bytes.
    pub read_bytes_max: usize,
    /// Datagrams that wait in the system until the door reads them, bytes; a system that allows less (Linux:
    /// `net.core.rmem_max`) gives what it allows. Beyond, it drops them, and stations send them again.
    pub udp_waiting_bytes_max: usize,
    /// Messages remembered, so that one sent again is confirmed and not taken twice.
    pub repeated_remembered_max: usize,
    /// Dead letters kept of one address within `dead_letter_window_seconds`; beyond, a TCP link is closed and datagrams are
    /// passed over.
    pub dead_letters_per_peer_max: u32,
    /// Window of the limit above, seconds.
    pub dead_letter_window_seconds: u64,
    /// Addresses remembered for the limit above.
    pub peers_remembered_max: usize,
    /// How long it is believed whose a station is before that is asked again, seconds.
    pub directory_seconds: u64,
    /// Stations of which that is remembered.
    pub stations_remembered_max: usize,
    /// Time until a busy sink is asked again, milliseconds, if nothing became durable before.
    pub busy_retry_ms: u64,
    /// Time after which TCP asks a silent peer whether it is still there, seconds.
    pub tcp_keep_alive_seconds: u64,
    /// Time that a shutdown waits for messages to become durable and be confirmed, milliseconds.
    pub shutdown_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            links_max: 20_000,
            links_per_peer_max: 5_000,
            idle_seconds_max: 7_200,
            write_timeout_ms: 30_000,
            read_bytes_max: 16 * 1024,
            udp_waiting_bytes_max: 8 << 20,
            repeated_remembered_max: 65_536,
            dead_letters_per_peer_max: 120,
            dead_letter_window_seconds: 60,
            peers_remembered_max: 100_000,
            directory_seconds: 30,
            stations_remembered_max: 100_000,
            busy_retry_ms: 5,
            tcp_keep_alive_seconds: 120,
            shutdown_ms: 5_000,
        }
    }
}
