//! What is asked, by whom, and what is answered.

use crate::queue::{QueueRules, Ticket};
use crate::reservation::Reservation;
use crate::resource::Resource;
use model::Timestamp;
use serde::{Deserialize, Serialize};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The sender's own word for it, the same when it is sent again; within one asker. What was done under a key is not done twice.
    pub key: Option<String>,
    /// Who asks.
    pub by: By,
    /// What.
    pub command: Command,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum By {
    /// A person, for themselves: nothing of others is there for them. An opaque id.
    Person(String),
    /// Somebody who may act for everybody: that they may was seen to by whoever asks here.
    Operator(String),
    /// The platform.
    System,
}

impl By {
    /// Its name in the history.
    pub fn name(&self) -> String {
        match self {
            Self::Person(id) => format!("person:{id}"),
            Self::Operator(id) => format!("operator:{id}"),
            Self::System => "system".to_owned(),
        }
    }
}

/// When.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// A slot, by its id.
    Slot(String),
    /// An interval of a unit.
    Interval {
        /// Its begin.
        from: Timestamp,
        /// Its end, excluded.
        to: Timestamp,
    },
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Declares a resource, or changes it; operators only.
    Declare(Resource),
    /// Declares a queue, or changes it; operators only.
    DeclareQueue(QueueRules),
    /// Holds places or a unit.
    Hold {
        /// Of which resource.
        resource: String,
        /// When.
        when: When,
        /// For whom.
        person: String,
        /// Of which class; may be empty.
        class: String,
        /// How many places, from 1.
        places: u32,
        /// Whether to wait where there is no room.
        wait: bool,
    },
    /// Confirms a hold.
    Confirm {
        /// The reservation.
        id: i64,
    },
    /// Cancels.
    Cancel {
        /// The reservation.
        id: i64,
    },
    /// The use begins.
    Begin {
        /// The reservation.
        id: i64,
    },
    /// The use ends.
    End {
        /// The reservation.
        id: i64,
    },
    /// Looks what is free; nothing is changed.
    Look {
        /// Of which resource.
        resource: String,
        /// For which class; may be empty.
        class: String,
    },
    /// Looks where a ticket is; nothing is changed.
    Where {
        /// The ticket.
        ticket: i64,
    },
    /// Takes a ticket.
    Take {
        /// Of which queue.
        queue: String,
        /// For whom.
        person: String,
        /// Of which class; may be empty.
        class: String,
    },
    /// Calls the next; operators only.
    Call {
        /// Of which queue.
        queue: String,
        /// To which counter.
        counter: String,
    },
    /// Somebody who was called is there; operators only.
    Come {
        /// The ticket.
        ticket: i64,
    },
    /// Somebody who was called is passed over (过号); operators only.
    PassOver {
        /// The ticket.
        ticket: i64,
    },
    /// Was served; operators only.
    Finish {
        /// The ticket.
        ticket: i64,
    },
    /// Leaves the queue.
    Leave {
        /// The ticket.
        ticket: i64,
    },
}

/// What is answered, when the rows are durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A reservation as it is now.
    Reservation(Reservation),
    /// A ticket as it is now, and how many are called before it while it waits.
    Ticket {
        /// The ticket.
        ticket: Ticket,
        /// How many are called before it.
        ahead: Option<usize>,
    },
    /// What is free of a resource.
    Room(Room),
    /// Nobody waits.
    Nobody,
    /// It is declared.
    Declared,
}

/// What is free of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Of slots that are not over, in the order of their ids.
    pub slots: Vec<SlotRoom>,
    /// Of each unit, what is taken from now on: begin and end, excluded.
    pub units: Vec<Vec<(Timestamp, Timestamp)>>,
    /// How many wait for an interval.
    pub waiting: usize,
}

/// What is free in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRoom {
    /// The slot.
    pub slot: String,
    /// Places free for the class.
    pub free: u64,
    /// Places taken by all.
    pub taken: u64,
    /// How many wait for it.
    pub waiting: usize,
}
