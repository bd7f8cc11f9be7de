//! Every limit of one link, named, with its default.

/// Limits and ways of one link. The door that hosts it has limits of its own (how many links).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether messages are answered at all: `false` is mode M1 (发送/无回答), for links that go one way. Default: true, which is
    /// M2 for single frames and M3 for packets.
    pub answers: bool,
    /// Whether a station is asked to stay on the line after its last frame (ESC, ten minutes) instead of leaving it (EOT).
    /// Default: true, because commands then reach it. With commands waiting it is asked in any case.
    pub keeps_on_line: bool,
    /// How far the stations' local time is ahead of UTC, hours. Default: 8 (Beijing time, which the standard means).
    pub utc_offset_hours: i8,
    /// Packets of one message (包总数). The wire allows 4,095. Default: 1,024.
    pub packets_max: u16,
    /// Bytes of one message put together from packets. Default: 512 KiB, pictures included.
    pub message_bytes_max: usize,
    /// Messages that are being put together at once on one link. Default: 16.
    pub assemblies_max: usize,
    /// Time without a packet after which a missing one is asked for, milliseconds. Default: 20,000.
    pub packet_timeout_ms: u64,
    /// How often one missing packet is asked for (6.3.1.2 c). Default: 2.
    pub packet_requests_max: u8,
    /// Time that the rest of a frame is waited for, milliseconds; a half frame is then given up. Default: 10,000.
    pub frame_timeout_ms: u64,
    /// Messages of one link that may wait for the disk at once; no more are read until some are answered. Default: 256.
    pub unanswered_max: usize,
    /// Stations that one link may carry (集合转发站). Default: 256.
    pub stations_max: usize,
    /// Commands that may wait for one station. Default: 16.
    pub commands_max: usize,
    /// Time until an unanswered command is sent again, milliseconds. Default: 10,000.
    pub command_timeout_ms: u64,
    /// How often a command is sent again (6.3.2.3); what moves pumps, valves and gates is never. Default: 2.
    pub command_repeats_max: u8,
    /// Whether stations' clocks are set (功能码 4AH) when they are off. Default: false, because it changes the station.
    pub sets_clocks: bool,
    /// How far a station's clock may be off before it is set, seconds. Default: 300 (5 minutes, 6.6.4.24).
    pub clock_off_seconds_max: i64,
    /// Shortest time between two settings of one station's clock, milliseconds. Default: 3,600,000.
    pub clock_set_interval_ms: u64,
    /// How far a station's clock may be off before its observations are marked as doubtful, seconds. Default: 3,600.
    pub clock_doubt_seconds_max: i64,
    /// Elements of one message. Default: 2,048.
    pub elements_max: usize,
    /// Bytes kept of what is not understood. Default: 4,096.
    pub broken_kept_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            answers: true,
            keeps_on_line: true,
            utc_offset_hours: 8,
            packets_max: 1_024,
            message_bytes_max: 512 * 1024,
            assemblies_max: 16,
            packet_timeout_ms: 20_000,
            packet_requests_max: 2,
            frame_timeout_ms: 10_000,
            unanswered_max: 256,
            stations_max: 256,
            commands_max: 16,
            command_timeout_ms: 10_000,
            command_repeats_max: 2,
            sets_clocks: false,
            clock_off_seconds_max: 300,
            clock_set_interval_ms: 3_600_000,
            clock_doubt_seconds_max: 3_600,
            elements_max: 2_048,
            broken_kept_bytes: 4_096,
        }
    }
}
