//! A reservation and its states.
//!
//! | from | step | to | when |
//! | --- | --- | --- | --- |
//! | – | hold | held | there is room |
//! | – | wait | waiting | there is none, and the person would wait |
//! | waiting | offer | held | there is room again, in the order of the list |
//! | waiting | expire | expired | its time has come |
//! | held | confirm | confirmed | before the hold ends |
//! | held | expire | expired | the hold ends |
//! | waiting, held, confirmed | cancel | cancelled | before the policy's time; operators always |
//! | confirmed | begin | in use | from `early_s` before its begin until its end |
//! | confirmed | no-show | no show | `late_s` after its begin, or at its end |
//! | in use | end | done | whenever; a slot ends it by itself |

use model::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a reservation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// On the waiting list (候补).
    Waiting,
    /// Held, not yet confirmed (占位).
    Held,
    /// Confirmed (已预约).
    Confirmed,
    /// In use (使用中).
    InUse,
    /// Used (已完成).
    Done,
    /// Cancelled (已取消).
    Cancelled,
    /// The hold ended, or nothing became free (已过期).
    Expired,
    /// Did not come (爽约).
    NoShow,
}

crate::naming::names!(State {
    Waiting => "waiting",
    Held => "held",
    Confirmed => "confirmed",
    InUse => "in_use",
    Done => "done",
    Cancelled => "cancelled",
    Expired => "expired",
    NoShow => "no_show",
});

impl State {
    /// Whether it still goes somewhere.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Waiting | Self::Held | Self::Confirmed | Self::InUse
        )
    }

    /// Whether it takes a place.
    pub const fn takes(self) -> bool {
        matches!(
            self,
            Self::Held | Self::Confirmed | Self::InUse | Self::Done
        )
    }
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Counts up from 1, never given twice.
    pub id: i64,
    /// What is booked.
    pub resource: String,
    /// The slot, of a resource that has slots.
    pub slot: Option<String>,
    /// The unit, from 0; none while it waits.
    pub unit: Option<u32>,
    /// For whom: an opaque id, never a name or a telephone number.
    pub person: String,
    /// The class whose quota it counts in; may be empty.
    pub class: String,
    /// How many places.
    pub places: u32,
    /// Its begin; of a use that began early, when it began.
    pub from: Timestamp,
    /// Its end, excluded; of a unit that was given back early, when that was.
    pub to: Timestamp,
    /// Where it is.
    pub state: State,
    /// When the hold ends.
    pub until: Option<Timestamp>,
    /// When it was asked for.
    pub made_at: Timestamp,
    /// When its state changed last.
    pub changed_at: Timestamp,
}
