//! Where the door listens, and every limit with its default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What the door is started with.
#[derive(Clone, Debug, Default)]
pub struct MqttOptions {
    /// Addresses for plain TCP; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Addresses for TLS; port 0 takes a free one.
    pub listen_tls: Vec<SocketAddr>,
    /// Certificate and key for TLS; needed when `listen_tls` is not empty.
    pub tls: Option<TlsSource>,
    /// File in which retained messages outlive the process; `None` keeps them in memory only.
    pub retained_file: Option<PathBuf>,
    /// Limits of one connection.
    pub session: proto_mqtt::Config,
    /// Limits of the door.
    pub limits: Limits,
}

/// Where certificate and key come from.
#[derive(Clone, Debug)]
pub enum TlsSource {
    /// A folder that holds `certificate.pem` and `key.pem`; made, self-signed, when both are missing.
    SelfSigned {
        /// The folder.
        directory: PathBuf,
        /// Host names and addresses that the certificate is for.
        names: Vec<String>,
    },
    /// The city's own files.
    Pem {
        /// Certificate chain, the server's own first.
        certificate: PathBuf,
        /// Private key.
        key: PathBuf,
    },
    /// Settings that all doors of the city share.
    Made(Arc<rustls::ServerConfig>),
}

/// Limits of the door.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections_max: usize,
    /// Connections at once from one address.
    pub connections_per_peer_max: usize,
    /// Sessions remembered, connected or not.
    pub sessions_max: usize,
    /// Longest client identifier, in bytes.
    pub client_id_bytes_max: usize,
    /// Subscriptions of one client.
    pub subscriptions_per_client_max: usize,
    /// Messages waiting for one subscriber. Beyond: QoS 0 is dropped and counted; with QoS 1 a
    /// connected subscriber is disconnected with "quota exceeded", for an absent one the message is
    /// dropped and counted.
    pub outbound_queue_max: usize,
    /// Bytes of messages waiting for one subscriber; same as above.
    pub outbound_queue_bytes_max: usize,
    /// Bytes written to a socket's buffer and not yet taken; beyond, the client is not read further.
    pub output_bytes_max: usize,
    /// Time that a client may take none of what is written to it, in milliseconds.
    pub write_timeout_ms: u64,
    /// Read buffer of a busy connection, in bytes; a packet that is larger gets its own size.
    pub read_buffer_bytes_max: usize,
    /// Largest packet of a 3.1.1 client that is read to its end and dropped, in bytes, so that the
    /// client can go on. Beyond, the connection is closed.
    pub oversize_skipped_bytes_max: usize,
    /// Retained messages.
    pub retained_max: usize,
    /// Bytes of all retained messages.
    pub retained_bytes_max: usize,
    /// Time between two savings of retained messages, in milliseconds.
    pub retained_save_interval_ms: u64,
    /// Journal records after which retained messages are saved though none changed, so that a replay at
    /// start is short.
    pub retained_replay_max: u64,
    /// Time between two looks at wills and sessions that are due, in milliseconds.
    pub housekeeping_interval_ms: u64,
    /// Time until a busy sink is asked again, in milliseconds, if nothing became durable before.
    pub busy_retry_ms: u64,
    /// Time for which the publication of a will is tried while the sink is busy, in milliseconds.
    pub will_retry_ms: u64,
    /// Failed sign-ins within `sign_in_window_seconds` from one address before it has to wait.
    pub sign_in_failures_per_peer_max: u32,
    /// Failed sign-ins within `sign_in_window_seconds` with one user name before it has to wait. A
    /// peer that had signed in with that name before is counted apart, so that strangers cannot lock
    /// a device out.
    pub sign_in_failures_per_username_max: u32,
    /// Window of the two limits above, in seconds.
    pub sign_in_window_seconds: u64,
    /// Addresses and user names remembered for the limits above.
    pub sign_in_keys_max: usize,
    /// Sign-ins decided at once; hashing a password costs memory.
    pub sign_ins_at_once_max: usize,
    /// Time after which TCP asks a silent peer whether it is still there, in seconds.
    pub tcp_keep_alive_seconds: u64,
    /// Time that a closed connection is still drained, in milliseconds, so that the reason reaches the
    /// peer before a reset does.
    pub linger_ms: u64,
    /// Time that a shutdown waits for messages to become durable and be acknowledged, in
    /// milliseconds.
    pub shutdown_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            connections_max: 20_000,
            connections_per_peer_max: 5_000,
            sessions_max: 100_000,
            client_id_bytes_max: 256,
            subscriptions_per_client_max: 100,
            outbound_queue_max: 1000,
            outbound_queue_bytes_max: 8 * MIB,
            output_bytes_max: 256 * 1024,
            write_timeout_ms: 30_000,
            read_buffer_bytes_max: 64 * 1024,
            oversize_skipped_bytes_max: 64 * MIB,
            retained_max: 100_000,
            retained_bytes_max: 64 * MIB,
            retained_save_interval_ms: 5_000,
            retained_replay_max: 1_000_000,
            housekeeping_interval_ms: 500,
            busy_retry_ms: 5,
            will_retry_ms: 30_000,
            sign_in_failures_per_peer_max: 100,
            sign_in_failures_per_username_max: 10,
            sign_in_window_seconds: 60,
            sign_in_keys_max: 100_000,
            sign_ins_at_once_max: 8,
            tcp_keep_alive_seconds: 120,
            linger_ms: 2_000,
            shutdown_ms: 5_000,
        }
    }
}
