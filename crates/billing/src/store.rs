//! What is kept, and what a store promises: it writes the changes of a batch whole or not at all, and they are durable when it says so.

use charging::{Bill, Entry, Event, Fen, SessionKey, Wh};
use model::{Timestamp, Told};
use std::future::Future;

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It goes on.
    Charging,
    /// It ended, and leaving may still cost something.
    Waiting,
    /// It ended, and no tariff holds.
    Unpriced,
    /// Its bill is due, or was decided on.
    Billed,
    /// Its bill is held: a person has to look.
    Doubtful,
}

impl State {
    /// Its word in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Charging => "charging",
            Self::Waiting => "waiting",
            Self::Unpriced => "unpriced",
            Self::Billed => "billed",
            Self::Doubtful => "doubtful",
        }
    }

    /// The state of a word in rows.
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::Charging,
            Self::Waiting,
            Self::Unpriced,
            Self::Billed,
            Self::Doubtful,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }
}

/// A bill as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBill {
    /// The bill.
    pub bill: Bill,
    /// The number of the tariff ([`crate::Dated::number`]).
    pub tariff: i64,
    /// What it would come to by what was told since; for a person to decide.
    pub correction: Option<Bill>,
}

impl KeptBill {
    /// What the correction would add (negative: give back), fen; `None` where there is none.
    pub fn difference(&self) -> Option<Fen> {
        let correction = self.correction.as_ref()?;
        Some(correction.total - self.bill.total)
    }
}

/// A session as it is kept; one for each key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub key: SessionKey,
    /// Its connector; 0 where none was told.
    pub connector: u32,
    /// The pseudonym of who charges ([`crate::Settings::pseudonym`]).
    pub card: Option<String>,
    /// Whose station it is.
    pub operator: String,
    /// How far it is.
    pub state: State,
    /// When the charge began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The last register less the first; negative where the meter went back.
    pub energy: Wh,
    /// When it is looked at again though nothing is told.
    pub look_at: Option<Timestamp>,
    /// Its bill.
    pub bill: Option<KeptBill>,
    /// When it changed last.
    pub changed: Timestamp,
}

/// The time that a session had a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Whose.
    pub key: SessionKey,
    /// Which connector.
    pub connector: u32,
    /// From.
    pub started: Timestamp,
    /// Until.
    pub ended: Timestamp,
}

/// One thing to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A start of OCPP 1.6 has this number.
    Number {
        /// The station.
        station: String,
        /// The start's key.
        start: String,
        /// Its number, above 0.
        number: i32,
    },
    /// Something told; where the same was told before (all but when it reached us), the first stays.
    Event(Event),
    /// A session, over the one of its key.
    Session(Box<Kept>),
    /// An entry of the ledger, once.
    Post(Entry),
}

/// A store of all that. One writer uses it.
pub trait Store: Send {
    /// What was told of a session, each once.
    fn events(&mut self, key: &SessionKey)
    -> impl Future<Output = Result<Vec<Event>, Told>> + Send;

    /// A session.
    fn kept(&mut self, key: &SessionKey)
    -> impl Future<Output = Result<Option<Kept>, Told>> + Send;

    /// The ended sessions of a station that have time in common with `[from, until)`.
    fn beside(
        &mut self,
        station: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<Vec<Span>, Told>> + Send;

    /// The sessions to be looked at by `now`, the longest due first, `most` of them.
    fn due(
        &mut self,
        now: Timestamp,
        most: usize,
    ) -> impl Future<Output = Result<Vec<SessionKey>, Told>> + Send;

    /// The number of a start, if it has one.
    fn number(
        &mut self,
        station: &str,
        start: &str,
    ) -> impl Future<Output = Result<Option<i32>, Told>> + Send;

    /// The highest number given; 0 where none was.
    fn last_number(&mut self) -> impl Future<Output = Result<i32, Told>> + Send;

    /// Gives up what was told of sessions that were billed, have no correction and did not change since a moment, of so many of them
    /// at most; their bills stay. How many were given up.
    fn forget(
        &mut self,
        unchanged_since: Timestamp,
        most: usize,
    ) -> impl Future<Output = Result<usize, Told>> + Send;

    /// Writes them all, or none; durable when it comes back. After an error nobody knows which.
    fn write(&mut self, changes: &[Change]) -> impl Future<Output = Result<(), Told>> + Send;
}
