//! Versions, and every limit of one link, named, with its default.

use serde::{Deserialize, Serialize};

/// A version of OCPP over JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Version {
    /// OCPP 1.6J.
    #[serde(rename = "1.6")]
    V16,
    /// OCPP 2.0.1.
    #[serde(rename = "2.0.1")]
    V201,
}

impl Version {
    /// Both, the better one first.
    pub const ALL: [Self; 2] = [Self::V201, Self::V16];

    /// The WebSocket subprotocol, as IANA has registered it.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::V16 => "ocpp1.6",
            Self::V201 => "ocpp2.0.1",
        }
    }

    /// The version's number, for people.
    pub const fn number(self) -> &'static str {
        match self {
            Self::V16 => "1.6",
            Self::V201 => "2.0.1",
        }
    }
}

/// In which messages a harmless breach of the standard (a field too many, a text too long, a word of no list, `null`) is let pass
/// and marked as a doubt. Whatever is missing or of a wrong type is refused always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// In none.
    None,
    /// In those that money hangs on: `StartTransaction`, `StopTransaction`, `MeterValues`, `TransactionEvent`. A station that is
    /// refused there throws the message away in the end.
    Transactions,
    /// In all.
    All,
}

/// Limits and ways of one link. The door that hosts it has limits of its own (how many links, which addresses).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of one message. Default: 256 KiB.
    pub message_bytes_max: usize,
    /// Things in one list of a message. Default: 2,048.
    pub items_max: usize,
    /// Breaches of the schema told of one message. Default: 8.
    pub violations_max: usize,
    /// Where harmless breaches are let pass. Default: [`Tolerance::Transactions`].
    pub tolerance: Tolerance,
    /// CALLs of the station that may wait for the host at once. The standard allows 1 (OCPP-J 1.6, 4.1.1); one more than this
    /// is answered with an error. Default: 4, because stations exist that do not wait.
    pub unanswered_max: usize,
    /// CALLs per minute in the long run; above it [`crate::Session::read_at_ms`] asks the host to stop reading. Default: 600.
    pub calls_per_minute: u32,
    /// CALLs that may come at once, such as the queue of a station that was cut off. Default: 600.
    pub calls_burst: u32,
    /// CALLs refused for their rate after which the link is closed. Default: 200.
    pub flood_calls_max: u32,
    /// Messages that cannot be read, one after the other, after which the link is closed. Default: 20.
    pub broken_max: u32,
    /// Bytes kept of what cannot be read. Default: 4,096.
    pub broken_kept_bytes: usize,
    /// Answers kept to be given again to a message id that comes again. Default: 16.
    pub answers_kept: usize,
    /// Bytes of the longest answer kept. Default: 1,024.
    pub answer_kept_bytes: usize,
    /// Time until a command counts as unanswered, milliseconds; a command is never sent twice. Default: 30,000.
    pub command_timeout_ms: u64,
    /// Commands that may wait for one station. Default: 16.
    pub commands_max: usize,
    /// Commands given up whose answer is still understood when it comes late. Default: 8.
    pub late_kept: usize,
    /// Open transactions that one station may have. Default: 64.
    pub open_max: usize,
    /// Ended transactions remembered, to tell a repetition from news. Default: 32.
    pub ended_kept: usize,
    /// How far ahead of ours a station's clock may be, seconds. Default: 300.
    pub clock_ahead_seconds_max: i64,
    /// How old a message may be before its time is not believed, seconds. Default: 2,592,000 (30 days).
    pub clock_behind_seconds_max: i64,
    /// From which age on a message of 1.6, which cannot say so, counts as one of the offline queue, seconds. Default: 120.
    pub offline_after_seconds: i64,
    /// The highest power believed, watts: an energy register that rises faster jumps. Default: 1,000,000.
    pub power_w_max: i64,
    /// A rise of the register that is believed within no time, watt-hours: registers are sampled late. Default: 1,000.
    pub jump_wh_free: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            message_bytes_max: 256 * 1024,
            items_max: 2_048,
            violations_max: 8,
            tolerance: Tolerance::Transactions,
            unanswered_max: 4,
            calls_per_minute: 600,
            calls_burst: 600,
            flood_calls_max: 200,
            broken_max: 20,
            broken_kept_bytes: 4_096,
            answers_kept: 16,
            answer_kept_bytes: 1_024,
            command_timeout_ms: 30_000,
            commands_max: 16,
            late_kept: 8,
            open_max: 64,
            ended_kept: 32,
            clock_ahead_seconds_max: 300,
            clock_behind_seconds_max: 30 * 86_400,
            offline_after_seconds: 120,
            power_w_max: 1_000_000,
            jump_wh_free: 1_000,
        }
    }
}

impl Config {
    /// Whether harmless breaches are let pass in this action.
    pub fn tolerates(&self, action: &str) -> bool {
        match self.tolerance {
            Tolerance::None => false,
            Tolerance::All => true,
            Tolerance::Transactions => matches!(
                action,
                "StartTransaction" | "StopTransaction" | "MeterValues" | "TransactionEvent"
            ),
        }
    }
}
