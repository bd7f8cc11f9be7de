//! Queues of tickets (排队取号): what is declared of one, a ticket and its states.
//!
//! | from | step | to |
//! | --- | --- | --- |
//! | – | take | waiting |
//! | waiting | call (叫号) | called |
//! | called | come | serving |
//! | called | nobody comes in time, or is passed over (过号) | waiting again, some places behind; at last missed |
//! | serving | finish | done |
//! | waiting, called | leave | left |
//! | waiting, called | the day ends | expired |

use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::resource::{check_id, must};
use model::Timestamp;
use serde::{Deserialize, Serialize};

/// What is declared of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueRules {
    /// Its id.
    pub id: String,
    /// What stands before the number, such as `A`; may be empty.
    pub prefix: String,
    /// Whether tickets are given.
    pub open: bool,
    /// Classes in order of precedence, the first is called first (军人、老人优先); tickets of no class come behind them all.
    pub classes: Vec<String>,
    /// After so many calls in a row of those with precedence, the one who has waited longest of the others is called; at least 1.
    pub precedence_run_max: u32,
    /// How long somebody who was called has to come, in seconds.
    pub come_within_s: i64,
    /// How often one may miss a call and stay in the queue.
    pub misses_max: u32,
    /// So many of those who wait come before one who missed a call.
    pub behind: u32,
    /// Most tickets that wait.
    pub waiting_max: u32,
    /// The zone whose midnight begins the numbers anew, such as `Asia/Shanghai`.
    pub zone: String,
}

/// Longest time to come, in seconds: a day.
const COME_WITHIN_S_MAX: i64 = 86_400;
/// Longest prefix, in characters.
const PREFIX_CHARS_MAX: usize = 8;

impl QueueRules {
    /// Checks a declaration.
    ///
    /// # Errors
    /// `booking-id`, `booking-declaration`.
    pub fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        check_id(&self.id, "id", limits)?;
        for class in &self.classes {
            check_id(class, "classes", limits)?;
        }
        must(
            self.classes.len() <= limits.classes_max,
            "classes",
            &format!("≤ {}", limits.classes_max),
        )?;
        must(
            self.prefix.chars().count() <= PREFIX_CHARS_MAX,
            "prefix",
            &format!("≤ {PREFIX_CHARS_MAX}"),
        )?;
        must(self.precedence_run_max >= 1, "precedence_run_max", "≥ 1")?;
        must(
            (1..=COME_WITHIN_S_MAX).contains(&self.come_within_s),
            "come_within_s",
            &format!("1–{COME_WITHIN_S_MAX} s"),
        )?;
        must(
            usize::try_from(self.waiting_max).is_ok_and(|most| most <= limits.tickets_max),
            "waiting_max",
            &format!("≤ {}", limits.tickets_max),
        )?;
        must(
            jiff::tz::TimeZone::get(&self.zone).is_ok(),
            "zone",
            "IANA time zone",
        )
    }

    /// The local day of a moment, `YYYY-MM-DD`, and when it ends.
    pub(crate) fn day(&self, at: Timestamp) -> (String, Timestamp) {
        let zone = jiff::tz::TimeZone::get(&self.zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let Ok(moment) = jiff::Timestamp::from_microsecond(at.micros()) else {
            return (at.utc_date(), at.plus_seconds(86_400));
        };
        let day = zone.to_datetime(moment).date();
        let ends = day
            .tomorrow()
            .and_then(|next| {
                let midnight = next.to_datetime(jiff::civil::Time::midnight());
                zone.to_ambiguous_timestamp(midnight).compatible()
            })
            .map_or(at.plus_seconds(86_400), |next| {
                Timestamp::from_micros(next.as_microsecond())
            });
        (day.to_string(), ends)
    }
}

/// Where a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Waits.
    Waiting,
    /// Was called to a counter.
    Called,
    /// Is there.
    Serving,
    /// Was served.
    Done,
    /// Did not come when called, too often.
    Missed,
    /// Left.
    Left,
    /// The day ended.
    Expired,
}

crate::naming::names!(TicketState {
    Waiting => "waiting",
    Called => "called",
    Serving => "serving",
    Done => "done",
    Missed => "missed",
    Left => "left",
    Expired => "expired",
});

impl TicketState {
    /// Whether it still goes somewhere.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Called | Self::Serving)
    }
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Counts up from 1, never given twice.
    pub id: i64,
    /// The queue.
    pub queue: String,
    /// The local day whose numbers it is of, `YYYY-MM-DD`.
    pub day: String,
    /// Its number on that day, from 1.
    pub serial: i64,
    /// What stands on it, such as `A012`.
    pub number: String,
    /// For whom: an opaque id.
    pub person: String,
    /// Its class; may be empty.
    pub class: String,
    /// Where it is.
    pub state: TicketState,
    /// Lower is earlier.
    pub place: i64,
    /// Where it was called to.
    pub counter: Option<String>,
    /// How often it was called.
    pub calls: u32,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// When it was called last.
    pub called_at: Option<Timestamp>,
    /// When its state changed last.
    pub changed_at: Timestamp,
}

/// What stands on a ticket.
pub(crate) fn number(prefix: &str, serial: i64) -> String {
    format!("{prefix}{serial:03}")
}
