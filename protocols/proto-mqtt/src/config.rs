//! Every limit of one connection, named, with its default.

use crate::decode;
use crate::error::Fault;

/// Limits of one connection. The door that hosts it has limits of its own (how many connections,
/// how many retained messages).
#[derive(Clone, Debug)]
pub struct Config {
    /// Largest packet taken from a signed-in client, in bytes, header included.
    pub packet_bytes_max: usize,
    /// What whoever runs the door calls the setting of `packet_bytes_max`; told to a client whose packet is
    /// larger. Default: the field's own name.
    pub packet_bytes_max_setting: &'static str,
    /// Largest CONNECT packet, in bytes; small, because nobody has signed in yet.
    pub connect_bytes_max: usize,
    /// How much of a too large PUBLISH is kept as evidence, in bytes, header included.
    pub oversize_kept_bytes: usize,
    /// Longest topic or filter, in bytes.
    pub topic_bytes_max: usize,
    /// Deepest topic or filter, in levels.
    pub topic_levels_max: usize,
    /// Messages of QoS 1 and 2 that one client may have waiting for their acknowledgement; told to
    /// MQTT 5 clients as Receive Maximum. A 3.1.1 client is simply not read further.
    pub unacknowledged_max: u16,
    /// Messages of QoS 1 sent to one client and not yet acknowledged by it; its own Receive Maximum
    /// lowers this further.
    pub in_flight_max: u16,
    /// Longest keep-alive, in seconds; MQTT 5 clients that ask for more, or for none, are given this.
    pub keep_alive_seconds_max: u16,
    /// Longest time a session is remembered after its connection ended, in seconds.
    pub session_expiry_seconds_max: u32,
    /// Time from the opening of the connection to its CONNECT being answered, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Topic filters in one SUBSCRIBE or UNSUBSCRIBE.
    pub filters_per_packet_max: usize,
}

impl Config {
    /// The fault of a signed-in client's packet above `packet_bytes_max`.
    pub fn too_large(&self, total_bytes: usize) -> Fault {
        decode::too_large(
            total_bytes,
            self.packet_bytes_max,
            format!(
                "send smaller messages, or raise {}",
                self.packet_bytes_max_setting
            ),
        )
    }

    /// The fault of a CONNECT above `connect_bytes_max`.
    pub fn connect_too_large(&self, total_bytes: usize) -> Fault {
        decode::too_large(
            total_bytes,
            self.connect_bytes_max,
            "connect with a shorter client identifier, user name, password and will",
        )
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            packet_bytes_max: 1024 * 1024,
            packet_bytes_max_setting: "packet_bytes_max",
            connect_bytes_max: 64 * 1024,
            oversize_kept_bytes: 4096,
            topic_bytes_max: 1024,
            topic_levels_max: 32,
            unacknowledged_max: 1000,
            in_flight_max: 100,
            keep_alive_seconds_max: 3600,
            session_expiry_seconds_max: 86_400,
            connect_timeout_ms: 10_000,
            filters_per_packet_max: 100,
        }
    }
}
