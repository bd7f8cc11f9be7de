//! What is taken, in memory: places of slots, units by interval, people's limits, and what falls due. Every change of a reservation goes
//! through [`Book::put`], which takes the old one out of the counts and puts the new one in, so that they cannot part.

use crate::limits::Limits;
use crate::line::Line;
use crate::queue::{QueueRules, Ticket};
use crate::refusal::Refusal;
use crate::request::{Room, SlotRoom};
use crate::reservation::{Reservation, State};
use crate::resource::{Offer, Resource, Slot};
use crate::store::{Change, Kept, Step};
use model::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Everything live.
#[derive(Clone, Debug)]
pub struct Book {
    pub(crate) limits: Limits,
    /// The latest moment that was told. It never goes back: what has expired stays so when a clock jumps.
    pub(crate) clock: Timestamp,
    pub(crate) shelves: BTreeMap<String, Shelf>,
    pub(crate) live: HashMap<i64, Reservation>,
    pub(crate) people: HashMap<(String, String), Person>,
    pub(crate) due: BTreeSet<(Timestamp, i64)>,
    due_of: HashMap<i64, Timestamp>,
    /// Where something became free: resource, and slot where it has slots.
    pub(crate) freed: BTreeSet<(String, Option<String>)>,
    pub(crate) lines: BTreeMap<String, Line>,
    pub(crate) tickets: HashMap<i64, Ticket>,
    pub(crate) ticket_due: BTreeSet<(Timestamp, i64)>,
    pub(crate) last_reservation: i64,
    pub(crate) last_ticket: i64,
    pub(crate) staged: Staged,
}

/// What is to be written; of a row that changed twice, how it is last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Staged {
    pub(crate) declared: Vec<Change>,
    pub(crate) reservations: BTreeMap<i64, Reservation>,
    pub(crate) steps: Vec<Step>,
    pub(crate) tickets: BTreeMap<i64, Ticket>,
}

/// A resource and what is taken of it.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(crate) resource: Resource,
    pub(crate) slots: BTreeMap<String, Taken>,
    pub(crate) units: Vec<Unit>,
    /// Who waits for an interval, in the order in which they came.
    pub(crate) waiting: BTreeSet<i64>,
}

/// What is taken of a slot.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) slot: Slot,
    pub(crate) total: u64,
    /// Of the classes that have a quota.
    pub(crate) by_class: BTreeMap<String, u64>,
    pub(crate) waiting: BTreeSet<i64>,
    /// Reservations that take a place.
    pub(crate) live: BTreeSet<i64>,
}

/// What is taken of a unit: no two of these overlap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unit {
    pub(crate) taken: BTreeMap<(Timestamp, i64), Timestamp>,
    /// Whose use of it has begun, and until when it was booked.
    pub(crate) in_use: Option<(i64, Timestamp)>,
}

/// What one person has in one group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    pub(crate) open: BTreeSet<i64>,
    pub(crate) no_shows: VecDeque<Timestamp>,
}

impl Taken {
    fn new(slot: Slot) -> Self {
        Self {
            slot,
            total: 0,
            by_class: BTreeMap::new(),
            waiting: BTreeSet::new(),
            live: BTreeSet::new(),
        }
    }

    fn of_class(&self, class: &str) -> u64 {
        self.by_class.get(class).copied().unwrap_or(0)
    }

    /// Places that nobody has, for whomever they are kept.
    pub(crate) fn unsold(&self) -> u64 {
        u64::from(self.slot.capacity).saturating_sub(self.total)
    }

    /// Places that somebody of the class can have.
    pub(crate) fn room(&self, class: &str) -> u64 {
        let others = self.slot.quotas.iter().filter(|(other, _)| *other != class);
        let kept: u64 = others
            .map(|(other, quota)| u64::from(quota.kept).saturating_sub(self.of_class(other)))
            .sum();
        let free = self.unsold().saturating_sub(kept);
        let most = self
            .slot
            .quotas
            .get(class)
            .and_then(|quota| quota.at_most)
            .map_or(u64::MAX, |most| {
                u64::from(most).saturating_sub(self.of_class(class))
            });
        free.min(most)
    }
}

impl Unit {
    /// Whether the interval is free, `id`'s own left aside. Who stays longer than booked has the unit until they end.
    pub(crate) fn is_free(&self, from: Timestamp, to: Timestamp, id: i64, now: Timestamp) -> bool {
        let before = self
            .taken
            .range(..(to, i64::MIN))
            .rev()
            .find(|((_, other), _)| *other != id);
        if before.is_some_and(|(_, end)| *end > from) {
            return false;
        }
        !self
            .in_use
            .is_some_and(|(other, end)| other != id && end <= now && from <= now)
    }

    /// When what comes before a moment ends.
    fn ends_before(&self, from: Timestamp) -> Option<Timestamp> {
        self.taken
            .range(..(from, i64::MAX))
            .next_back()
            .map(|(_, end)| *end)
    }
}

impl Shelf {
    pub(crate) fn new(resource: Resource) -> Self {
        let mut shelf = Self {
            resource,
            slots: BTreeMap::new(),
            units: Vec::new(),
            waiting: BTreeSet::new(),
        };
        shelf.fit();
        shelf
    }

    /// Makes room for what the declaration offers; what is taken stays.
    pub(crate) fn fit(&mut self) {
        match &self.resource.offer {
            Offer::Slots(slots) => {
                let mut before = std::mem::take(&mut self.slots);
                for slot in slots {
                    let taken = match before.remove(&slot.id) {
                        // Which classes count has changed perhaps: the caller counts anew.
                        Some(taken) => Taken {
                            slot: slot.clone(),
                            ..taken
                        },
                        None => Taken::new(slot.clone()),
                    };
                    self.slots.insert(slot.id.clone(), taken);
                }
                self.units.clear();
            }
            Offer::Units { count, .. } => {
                self.units
                    .resize_with(usize::try_from(*count).unwrap_or(0), Unit::default);
                self.slots.clear();
            }
        }
    }

    /// The unit in which the interval fits with the least gap before it, so that long gaps stay whole.
    pub(crate) fn free_unit(
        &self,
        from: Timestamp,
        to: Timestamp,
        id: i64,
        now: Timestamp,
    ) -> Option<u32> {
        let free = (0_u32..)
            .zip(&self.units)
            .filter(|(_, unit)| unit.is_free(from, to, id, now));
        free.min_by_key(|(n, unit)| {
            let gap = unit
                .ends_before(from)
                .map_or(i64::MAX, |end| from.micros_since(end));
            (gap, *n)
        })
        .map(|(n, _)| n)
    }
}

impl Book {
    /// A book of what was kept.
    ///
    /// # Errors
    /// `booking-kept`, when what was kept does not hold together.
    pub fn open(kept: Kept, limits: Limits, now: Timestamp) -> Result<Self, Refusal> {
        let mut book = Self {
            limits,
            clock: now,
            shelves: BTreeMap::new(),
            live: HashMap::new(),
            people: HashMap::new(),
            due: BTreeSet::new(),
            due_of: HashMap::new(),
            freed: BTreeSet::new(),
            lines: BTreeMap::new(),
            tickets: HashMap::new(),
            ticket_due: BTreeSet::new(),
            last_reservation: kept.last_reservation,
            last_ticket: kept.last_ticket,
            staged: Staged::default(),
        };
        for resource in kept.resources {
            book.shelves
                .insert(resource.id.clone(), Shelf::new(resource));
        }
        for rules in kept.queues {
            book.lines.insert(rules.id.clone(), Line::new(rules));
        }
        for reservation in kept.reservations {
            book.insert(reservation);
        }
        for (queue, day, serial) in kept.serials {
            book.numbered(&queue, &day, serial);
        }
        for ticket in kept.tickets {
            book.insert_ticket(ticket);
        }
        book.check().map_err(|what| {
            Refusal::conflict(
                "booking-kept",
                (
                    &format!("保存的预约前后不一致:{what}"),
                    &format!("what was kept does not hold together: {what}"),
                ),
                "records.sqlite, table bookings",
                (
                    "停止服务,从最近的备份恢复",
                    "stop the server and restore records.sqlite from the last backup",
                ),
            )
        })?;
        Ok(book)
    }

    /// Writes a reservation's new state down, with its step.
    pub(crate) fn put(&mut self, reservation: Reservation, step: &'static str, by: &str) {
        self.remove(reservation.id);
        self.staged.steps.push(Step {
            id: reservation.id,
            at: reservation.changed_at,
            step,
            state: reservation.state.name(),
            by: by.to_owned(),
        });
        self.staged
            .reservations
            .insert(reservation.id, reservation.clone());
        self.insert(reservation);
    }

    /// Takes a reservation out of all counts.
    pub(crate) fn remove(&mut self, id: i64) {
        let Some(old) = self.live.remove(&id) else {
            return;
        };
        if let Some(at) = self.due_of.remove(&id) {
            self.due.remove(&(at, id));
        }
        let Some(shelf) = self.shelves.get_mut(&old.resource) else {
            return;
        };
        let group = shelf.resource.group.clone();
        shelf.waiting.remove(&id);
        if let Some(taken) = old.slot.as_ref().and_then(|slot| shelf.slots.get_mut(slot)) {
            taken.waiting.remove(&id);
            if taken.live.remove(&id) {
                taken.total = taken.total.saturating_sub(u64::from(old.places));
                if let Some(count) = taken.by_class.get_mut(&old.class) {
                    *count = count.saturating_sub(u64::from(old.places));
                }
            }
        }
        if let Some(unit) = unit_of(&mut shelf.units, old.unit) {
            unit.taken.remove(&(old.from, id));
            if unit.in_use.is_some_and(|(other, _)| other == id) {
                unit.in_use = None;
            }
        }
        if old.state.takes() {
            self.freed.insert((old.resource, old.slot));
        }
        let key = (group, old.person);
        if let Some(person) = self.people.get_mut(&key) {
            person.open.remove(&id);
            if person.open.is_empty() && person.no_shows.is_empty() {
                self.people.remove(&key);
            }
        }
    }

    /// Puts a reservation into the counts, when it is in any.
    fn insert(&mut self, reservation: Reservation) {
        let Some(shelf) = self.shelves.get_mut(&reservation.resource) else {
            return;
        };
        let id = reservation.id;
        let key = (shelf.resource.group.clone(), reservation.person.clone());
        if reservation.state == State::NoShow {
            let person = self.people.entry(key).or_default();
            person.no_shows.push_back(reservation.changed_at);
            return;
        }
        // A unit that was given back is free; a place of a slot stays taken until the slot is over.
        let is_over = reservation.state == State::Done
            && (reservation.slot.is_none() || reservation.to <= self.clock);
        if is_over || !(reservation.state.is_open() || reservation.state == State::Done) {
            return;
        }
        let waits = reservation.state == State::Waiting;
        match reservation
            .slot
            .as_ref()
            .map(|slot| shelf.slots.get_mut(slot))
        {
            Some(Some(taken)) if waits => {
                taken.waiting.insert(id);
            }
            Some(Some(taken)) => {
                taken.live.insert(id);
                taken.total += u64::from(reservation.places);
                if taken.slot.quotas.contains_key(&reservation.class) {
                    let count = taken.by_class.entry(reservation.class.clone()).or_default();
                    *count += u64::from(reservation.places);
                }
            }
            Some(None) => {}
            None if waits => {
                shelf.waiting.insert(id);
            }
            None => {
                if let Some(unit) = unit_of(&mut shelf.units, reservation.unit) {
                    unit.taken.insert((reservation.from, id), reservation.to);
                    if reservation.state == State::InUse {
                        unit.in_use = Some((id, reservation.to));
                    }
                }
            }
        }
        if let Some(at) = due(&reservation, &shelf.resource) {
            self.due.insert((at, id));
            self.due_of.insert(id, at);
        }
        if reservation.state.is_open() {
            self.people.entry(key).or_default().open.insert(id);
        }
        self.live.insert(id, reservation);
    }

    /// Counts what is live of a resource anew, after its declaration changed.
    pub(crate) fn recount(&mut self, resource: &str) {
        let mut its: Vec<i64> = self
            .live
            .values()
            .filter(|reservation| reservation.resource == resource)
            .map(|reservation| reservation.id)
            .collect();
        its.sort_unstable();
        for id in its {
            if let Some(reservation) = self.live.get(&id).cloned() {
                self.remove(id);
                self.insert(reservation);
            }
        }
    }

    /// When something happens by itself next.
    pub fn next_due(&self) -> Option<Timestamp> {
        let first = |due: &BTreeSet<(Timestamp, i64)>| due.first().map(|(at, _)| *at);
        match (first(&self.due), first(&self.ticket_due)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Whether a reservation is in memory and stays there: one that is done leaves it when its slot is over.
    pub fn is_live(&self, id: i64) -> bool {
        self.live
            .get(&id)
            .is_some_and(|reservation| reservation.state != State::Done)
    }

    /// Whether a ticket is in memory.
    pub fn is_live_ticket(&self, id: i64) -> bool {
        self.tickets.contains_key(&id)
    }

    /// What is free of a resource for a class.
    pub(crate) fn room(&self, shelf: &Shelf, class: &str) -> Room {
        let slots = shelf
            .slots
            .values()
            .filter(|taken| taken.slot.to > self.clock);
        let slots = slots.map(|taken| SlotRoom {
            slot: taken.slot.id.clone(),
            free: taken.room(class),
            taken: taken.total,
            waiting: taken.waiting.len(),
        });
        let units = shelf.units.iter().map(|unit| {
            let taken = unit.taken.iter().map(|((from, _), to)| (*from, *to));
            taken
                .filter(|(_, to)| {
                    *to > self.clock || unit.in_use.is_some_and(|(_, end)| end == *to)
                })
                .collect()
        });
        Room {
            slots: slots.collect(),
            units: units.collect(),
            waiting: shelf.waiting.len(),
        }
    }

    /// Whether nothing is sold twice, counted anew from the reservations themselves.
    ///
    /// # Errors
    /// What is sold twice, or counted wrongly.
    pub fn check(&self) -> Result<(), String> {
        let mut places: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        let mut classes: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
        let mut units: BTreeMap<(&str, u32), Vec<&Reservation>> = BTreeMap::new();
        for reservation in self.live.values().filter(|one| one.state.takes()) {
            let resource = reservation.resource.as_str();
            match (reservation.slot.as_deref(), reservation.unit) {
                (Some(slot), None) => {
                    let count = u64::from(reservation.places);
                    *places.entry((resource, slot)).or_default() += count;
                    *classes
                        .entry((resource, slot, reservation.class.as_str()))
                        .or_default() += count;
                }
                (None, Some(unit)) => units.entry((resource, unit)).or_default().push(reservation),
                _ => return Err(format!("{} has no slot and no unit", reservation.id)),
            }
        }
        for ((resource, slot), count) in places {
            let taken = self
                .shelves
                .get(resource)
                .and_then(|shelf| shelf.slots.get(slot));
            let taken = taken.ok_or_else(|| format!("{resource} has no slot {slot}"))?;
            if count > u64::from(taken.slot.capacity) || count != taken.total {
                return Err(format!(
                    "{resource} {slot}: {count} of {} places, counted as {}",
                    taken.slot.capacity, taken.total
                ));
            }
            for (class, quota) in &taken.slot.quotas {
                let count = classes
                    .get(&(resource, slot, class.as_str()))
                    .copied()
                    .unwrap_or(0);
                if quota.at_most.is_some_and(|most| count > u64::from(most)) {
                    return Err(format!("{resource} {slot}: {count} of class {class}"));
                }
            }
        }
        for ((resource, unit), mut its) in units {
            let count = self
                .shelves
                .get(resource)
                .map_or(0, |shelf| shelf.units.len());
            if usize::try_from(unit).map_or(true, |unit| unit >= count) {
                return Err(format!("{resource} has no unit {unit}"));
            }
            its.sort_by_key(|one| (one.from, one.id));
            if let Some(two) = its.windows(2).find(|two| two[0].to > two[1].from) {
                return Err(format!(
                    "{resource} unit {unit}: {} and {} overlap",
                    two[0].id, two[1].id
                ));
            }
            if its.iter().filter(|one| one.state == State::InUse).count() > 1 {
                return Err(format!("{resource} unit {unit} is used by two"));
            }
        }
        Ok(())
    }

    /// What is to be written, taken out.
    pub(crate) fn take_staged(&mut self) -> Vec<Change> {
        let staged = std::mem::take(&mut self.staged);
        let mut changes = staged.declared;
        changes.extend(staged.reservations.into_values().map(Change::Reservation));
        changes.extend(staged.steps.into_iter().map(Change::Step));
        changes.extend(staged.tickets.into_values().map(Change::Ticket));
        changes
    }

    /// The queues' declarations, by id.
    pub(crate) fn line_of(&self, queue: &str) -> Option<&QueueRules> {
        self.lines.get(queue).map(|line| &line.rules)
    }
}

fn unit_of(units: &mut [Unit], unit: Option<u32>) -> Option<&mut Unit> {
    units.get_mut(usize::try_from(unit?).ok()?)
}

/// When a reservation changes by itself.
fn due(reservation: &Reservation, resource: &Resource) -> Option<Timestamp> {
    let is_slot = reservation.slot.is_some();
    match reservation.state {
        State::Held => Some(
            reservation
                .until
                .unwrap_or(reservation.to)
                .min(reservation.to),
        ),
        State::Confirmed => {
            // Who books while it runs has the same time to come.
            let from = reservation.from.max(reservation.changed_at);
            Some(
                from.plus_seconds(resource.policy.late_s)
                    .min(reservation.to),
            )
        }
        State::Waiting if is_slot => Some(reservation.to),
        State::Waiting => Some(reservation.from),
        State::InUse | State::Done if is_slot => Some(reservation.to),
        _ => None,
    }
}
