//! Where rows go, as a trait: what is read at the start, what is asked for a batch, what a batch writes.

use crate::queue::{QueueRules, Ticket};
use crate::reservation::Reservation;
use crate::resource::Resource;
use model::Timestamp;
use std::collections::HashMap;

/// Everything live, as it was kept.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Resources.
    pub resources: Vec<Resource>,
    /// Queues.
    pub queues: Vec<QueueRules>,
    /// Reservations that have not ended, those done whose time is not over, and recent no-shows; by id.
    pub reservations: Vec<Reservation>,
    /// Tickets that have not ended, by id.
    pub tickets: Vec<Ticket>,
    /// The last number of every queue's last day: queue, day, number.
    pub serials: Vec<(String, String, i64)>,
    /// The greatest id that a reservation ever had.
    pub last_reservation: i64,
    /// The greatest id that a ticket ever had.
    pub last_ticket: i64,
}

/// What a batch needs from the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Keys: asker and key.
    pub keys: Vec<(String, String)>,
    /// Reservations that are not live.
    pub reservations: Vec<i64>,
    /// Tickets that are not live.
    pub tickets: Vec<i64>,
}

impl Needs {
    /// Whether nothing has to be asked.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.reservations.is_empty() && self.tickets.is_empty()
    }
}

/// What the store knew of it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// By asker and key: the digest of what was asked, and the answer as JSON.
    pub keys: HashMap<(String, String), (String, String)>,
    /// Reservations by id.
    pub reservations: HashMap<i64, Reservation>,
    /// Tickets by id.
    pub tickets: HashMap<i64, Ticket>,
}

/// A step of a reservation, for its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The reservation.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Which step.
    pub step: &'static str,
    /// The name of the state behind it.
    pub state: &'static str,
    /// Who did it.
    pub by: String,
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A resource's declaration, who wrote it, and when.
    Resource(Resource, String, Timestamp),
    /// A queue's declaration, who wrote it, and when.
    Queue(QueueRules, String, Timestamp),
    /// A reservation as it is now.
    Reservation(Reservation),
    /// A step of a reservation.
    Step(Step),
    /// A ticket as it is now.
    Ticket(Ticket),
    /// What was answered to a key.
    Key {
        /// Whose.
        asker: String,
        /// The key.
        key: String,
        /// Digest of what was asked.
        digest: String,
        /// The answer, as JSON.
        answer: String,
        /// When.
        at: Timestamp,
    },
    /// Answers to keys from before a moment are given up.
    ForgetKeys(Timestamp),
}

/// A store of one writer.
pub trait Store: Send {
    /// Makes the caller the one writer and reads everything live at `now`.
    fn load(&mut self, now: Timestamp) -> impl Future<Output = records::Result<Kept>> + Send;
    /// Reads what a batch needs.
    fn known(&mut self, needs: &Needs) -> impl Future<Output = records::Result<Known>> + Send;
    /// Writes all or nothing. Durable when it is `Ok`; when it is not, only a new `load` tells.
    fn write(&mut self, changes: &[Change]) -> impl Future<Output = records::Result<()>> + Send;
}
