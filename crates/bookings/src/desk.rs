//! A batch of requests decided at once: what is asked twice under one key is done once, what is answered stands in the rows that are
//! written with it. Nothing here waits for a disk: whoever drives it answers when the rows are durable, and opens the desk anew from
//! the store when they may not be.

use crate::act::{Wish, operators_only};
use crate::book::Book;
use crate::limits::Limits;
use crate::queue::TicketState;
use crate::refusal::Refusal;
use crate::request::{Answer, By, Command, Request};
use crate::resource::check_id;
use crate::store::{Change, Kept, Known, Needs};
use model::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};

/// A batch, decided.
#[derive(Clone, Debug)]
pub struct Decided {
    /// One for each request, in order; to be told when `changes` are durable.
    pub outcomes: Vec<Result<Answer, Refusal>>,
    /// To be written in one transaction.
    pub changes: Vec<Change>,
}

/// The desk of one writer.
#[derive(Clone, Debug)]
pub struct Desk {
    book: Book,
    swept_at: Option<Timestamp>,
}

impl Desk {
    /// Opens the desk on what was kept.
    ///
    /// # Errors
    /// `booking-kept`.
    pub fn open(kept: Kept, limits: Limits, now: Timestamp) -> Result<Self, Refusal> {
        Ok(Self {
            book: Book::open(kept, limits, now)?,
            swept_at: None,
        })
    }

    /// What is live.
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// When something happens by itself next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.book.next_due()
    }

    /// What has to be asked of the store before these can be decided.
    pub fn needs(&self, requests: &[Request]) -> Needs {
        let mut keys = BTreeSet::new();
        let mut reservations = BTreeSet::new();
        let mut tickets = BTreeSet::new();
        for request in requests {
            if let Some(key) = &request.key {
                keys.insert((request.by.name(), key.clone()));
            }
            match request.command {
                Command::Confirm { id }
                | Command::Cancel { id }
                | Command::Begin { id }
                | Command::End { id }
                    if !self.book.is_live(id) =>
                {
                    reservations.insert(id);
                }
                Command::Where { ticket }
                | Command::Come { ticket }
                | Command::PassOver { ticket }
                | Command::Finish { ticket }
                | Command::Leave { ticket }
                    if !self.book.is_live_ticket(ticket) =>
                {
                    tickets.insert(ticket);
                }
                _ => {}
            }
        }
        Needs {
            keys: keys.into_iter().collect(),
            reservations: reservations.into_iter().collect(),
            tickets: tickets.into_iter().collect(),
        }
    }

    /// Lets time pass up to `now`, then decides the requests in order.
    pub fn decide(&mut self, requests: &[Request], known: &Known, now: Timestamp) -> Decided {
        self.book.advance(now);
        let at = self.book.clock;
        let mut answered: HashMap<(String, String), (String, String)> = HashMap::new();
        let mut keys = Vec::new();
        let mut outcomes = Vec::with_capacity(requests.len());
        for request in requests {
            let Some(key) = &request.key else {
                outcomes.push(self.act(&request.by, &request.command, known));
                continue;
            };
            if let Err(refusal) = check_id(key, "key", &self.book.limits) {
                outcomes.push(Err(refusal));
                continue;
            }
            let name = (request.by.name(), key.clone());
            let digest = digest(&request.command);
            let before = answered.get(&name).or_else(|| known.keys.get(&name));
            if let Some((asked, answer)) = before {
                outcomes.push(again(asked, answer, &digest));
                continue;
            }
            let outcome = self.act(&request.by, &request.command, known);
            // A refusal changed nothing: asked again, it is looked at again.
            if let Ok(answer) = &outcome
                && let Ok(text) = serde_json::to_string(answer)
            {
                keys.push(Change::Key {
                    asker: name.0.clone(),
                    key: key.clone(),
                    digest: digest.clone(),
                    answer: text.clone(),
                    at,
                });
                answered.insert(name, (digest, text));
            }
            outcomes.push(outcome);
        }
        let mut changes = self.book.take_staged();
        changes.extend(keys);
        let limits = &self.book.limits;
        let sweep = self
            .swept_at
            .is_none_or(|last| at >= last.plus_seconds(limits.keys_swept_s));
        if sweep && !changes.is_empty() {
            self.swept_at = Some(at);
            changes.push(Change::ForgetKeys(at.plus_seconds(-limits.keys_kept_s)));
        }
        Decided { outcomes, changes }
    }

    fn act(&mut self, by: &By, command: &Command, known: &Known) -> Result<Answer, Refusal> {
        use TicketState::{Called, Done, Left, Missed, Serving, Waiting};
        match command {
            Command::Declare(resource) => self.book.declare(by, resource),
            Command::DeclareQueue(rules) => self.book.declare_queue(by, rules),
            Command::Hold {
                resource,
                when,
                person,
                class,
                places,
                wait,
            } => self.book.hold(
                by,
                &Wish {
                    resource,
                    when,
                    person,
                    class,
                    places: *places,
                    wait: *wait,
                },
            ),
            Command::Confirm { id } => self.book.confirm(by, *id, known),
            Command::Cancel { id } => self.book.cancel(by, *id, known),
            Command::Begin { id } => self.book.begin(by, *id, known),
            Command::End { id } => self.book.end(by, *id, known),
            Command::Look { resource, class } => self.book.look(resource, class),
            Command::Where { ticket } => self.book.whereabouts(by, *ticket, known),
            Command::Take {
                queue,
                person,
                class,
            } => self.book.take(by, queue, person, class),
            Command::Call { queue, counter } => self.book.call(by, queue, counter),
            Command::Come { ticket } => {
                operators_only(by)?;
                self.book
                    .ticket_step(by, *ticket, &[Called], Serving, known)
            }
            Command::PassOver { ticket } => {
                operators_only(by)?;
                self.book.ticket_step(by, *ticket, &[Called], Missed, known)
            }
            Command::Finish { ticket } => {
                operators_only(by)?;
                self.book.ticket_step(by, *ticket, &[Serving], Done, known)
            }
            Command::Leave { ticket } => {
                self.book
                    .ticket_step(by, *ticket, &[Waiting, Called], Left, known)
            }
        }
    }
}

/// The answer that was given to a key before.
fn again(asked: &str, answer: &str, digest: &str) -> Result<Answer, Refusal> {
    if asked != digest {
        return Err(Refusal::conflict(
            "booking-key-reused",
            (
                "这个键已用于另一个请求",
                "this key was used for another request",
            ),
            "key",
            ("为新的请求使用新的键", "take a new key for a new request"),
        ));
    }
    serde_json::from_str(answer).map_err(|_| Refusal::store(None))
}

/// SHA-256 of what is asked, hexadecimal.
fn digest(command: &Command) -> String {
    let text = serde_json::to_vec(command).unwrap_or_default();
    hex::encode(Sha256::digest(text))
}
