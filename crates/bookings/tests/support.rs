//! What the tests share: a disk in memory, random numbers from a seed, requests in short.

use bookings::{
    Answer, By, Change, Command, Decided, Desk, Kept, Known, Limits, Needs, Offer, Policy, Refusal,
    Request, Reservation, Resource, Slot, State, Ticket, When,
};
use model::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// When the tests begin, 2027-01-15T08:00:00Z.
pub fn t(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

/// SplitMix64: the same numbers for a seed, everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// What is on the disk.
#[derive(Clone, Default)]
pub struct Disk {
    pub resources: BTreeMap<String, Resource>,
    pub queues: BTreeMap<String, bookings::QueueRules>,
    pub reservations: BTreeMap<i64, Reservation>,
    pub tickets: BTreeMap<i64, Ticket>,
    pub keys: HashMap<(String, String), (String, String)>,
    pub steps: usize,
}

impl Disk {
    pub fn write(&mut self, changes: &[Change]) {
        for change in changes.iter().cloned() {
            match change {
                Change::Resource(one, _, _) => {
                    self.resources.insert(one.id.clone(), one);
                }
                Change::Queue(one, _, _) => {
                    self.queues.insert(one.id.clone(), one);
                }
                Change::Reservation(one) => {
                    self.reservations.insert(one.id, one);
                }
                Change::Step(_) => self.steps += 1,
                Change::Ticket(one) => {
                    self.tickets.insert(one.id, one);
                }
                Change::Key {
                    asker,
                    key,
                    digest,
                    answer,
                    ..
                } => {
                    let before = self.keys.insert((asker, key), (digest, answer));
                    assert!(before.is_none(), "a key was answered twice");
                }
                Change::ForgetKeys(_) => {}
            }
        }
    }

    pub fn load(&self, now: Timestamp) -> Kept {
        let mut serials: BTreeMap<&str, (&str, i64)> = BTreeMap::new();
        for ticket in self.tickets.values() {
            let this = (ticket.day.as_str(), ticket.serial);
            let last = serials.entry(&ticket.queue).or_insert(this);
            *last = (*last).max(this);
        }
        let is_live = |one: &&Reservation| {
            one.state.is_open()
                || one.state == State::NoShow
                || (one.state == State::Done && one.to > now)
        };
        Kept {
            resources: self.resources.values().cloned().collect(),
            queues: self.queues.values().cloned().collect(),
            reservations: self
                .reservations
                .values()
                .filter(is_live)
                .cloned()
                .collect(),
            tickets: self
                .tickets
                .values()
                .filter(|one| one.state.is_open())
                .cloned()
                .collect(),
            serials: serials
                .into_iter()
                .map(|(queue, (day, serial))| (queue.to_owned(), day.to_owned(), serial))
                .collect(),
            last_reservation: self.reservations.keys().last().copied().unwrap_or(0),
            last_ticket: self.tickets.keys().last().copied().unwrap_or(0),
        }
    }

    pub fn known(&self, needs: &Needs) -> Known {
        let mut known = Known::default();
        for key in &needs.keys {
            if let Some(found) = self.keys.get(key) {
                known.keys.insert(key.clone(), found.clone());
            }
        }
        for id in &needs.reservations {
            if let Some(found) = self.reservations.get(id) {
                known.reservations.insert(*id, found.clone());
            }
        }
        for id in &needs.tickets {
            if let Some(found) = self.tickets.get(id) {
                known.tickets.insert(*id, found.clone());
            }
        }
        known
    }
}

/// A desk on a disk that never fails.
pub struct Office {
    pub disk: Disk,
    pub desk: Desk,
}

impl Office {
    pub fn new() -> Self {
        let disk = Disk::default();
        let desk = Desk::open(disk.load(t(0)), Limits::default(), t(0)).unwrap();
        Self { disk, desk }
    }

    pub fn decide(&mut self, requests: &[Request], now: Timestamp) -> Decided {
        let known = self.disk.known(&self.desk.needs(requests));
        let decided = self.desk.decide(requests, &known, now);
        self.disk.write(&decided.changes);
        self.desk.book().check().unwrap();
        decided
    }

    /// One request without a key.
    pub fn ask(&mut self, by: &By, command: Command, now: Timestamp) -> Result<Answer, Refusal> {
        let request = Request {
            key: None,
            by: by.clone(),
            command,
        };
        self.decide(&[request], now).outcomes.remove(0)
    }

    pub fn declare(&mut self, resource: Resource) {
        let said = self.ask(&operator(), Command::Declare(resource), t(0));
        assert_eq!(said, Ok(Answer::Declared));
    }

    pub fn state(&self, id: i64) -> State {
        self.disk.reservations[&id].state
    }

    /// Closes and opens it from the disk.
    pub fn restart(&mut self, now: Timestamp) {
        self.desk = Desk::open(self.disk.load(now), Limits::default(), now).unwrap();
    }
}

pub fn operator() -> By {
    By::Operator("duty".to_owned())
}

pub fn person(id: &str) -> By {
    By::Person(id.to_owned())
}

/// A resource with one slot, of an hour that begins in an hour.
pub fn slotted(id: &str, capacity: u32, policy: Policy) -> Resource {
    Resource {
        id: id.to_owned(),
        group: "all".to_owned(),
        open: true,
        offer: Offer::Slots(vec![Slot {
            id: "s".to_owned(),
            from: t(3_600),
            to: t(7_200),
            capacity,
            quotas: BTreeMap::new(),
        }]),
        policy,
    }
}

pub fn units(id: &str, count: u32, policy: Policy) -> Resource {
    Resource {
        id: id.to_owned(),
        group: "all".to_owned(),
        open: true,
        offer: Offer::Units {
            count,
            shortest_s: 60,
            longest_s: 86_400,
        },
        policy,
    }
}

pub fn hold(
    resource: &str,
    when: When,
    who: &str,
    class: &str,
    places: u32,
    wait: bool,
) -> Command {
    Command::Hold {
        resource: resource.to_owned(),
        when,
        person: who.to_owned(),
        class: class.to_owned(),
        places,
        wait,
    }
}

pub fn slot() -> When {
    When::Slot("s".to_owned())
}

pub fn interval(from: i64, to: i64) -> When {
    When::Interval {
        from: t(from),
        to: t(to),
    }
}

pub fn booked(answer: Result<Answer, Refusal>) -> Reservation {
    match answer.unwrap() {
        Answer::Reservation(one) => one,
        other => panic!("{other:?}"),
    }
}

pub fn code(answer: Result<Answer, Refusal>) -> String {
    answer.unwrap_err().code().to_owned()
}
