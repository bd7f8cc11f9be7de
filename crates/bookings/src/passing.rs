//! What happens by itself when time passes: holds end, who did not come is noted, tickets that were called go back, and whoever waits
//! moves up into what became free.

use crate::book::Book;
use crate::reservation::State;
use model::Timestamp;
use std::collections::BTreeSet;

/// Who does what happens by itself.
const PLATFORM: &str = "system";

impl Book {
    /// Lets time pass up to `now`; a moment before the last one changes nothing.
    pub fn advance(&mut self, now: Timestamp) {
        self.clock = self.clock.max(now);
        let now = self.clock;
        while let Some(&(at, id)) = self.due.first() {
            if at > now {
                break;
            }
            self.fall_due(id, now);
        }
        self.advance_tickets(now);
        self.move_up();
    }

    fn fall_due(&mut self, id: i64, now: Timestamp) {
        let Some(mut reservation) = self.live.get(&id).cloned() else {
            return;
        };
        let (state, step) = match reservation.state {
            State::Waiting | State::Held => (State::Expired, "expire"),
            State::Confirmed => (State::NoShow, "no-show"),
            State::InUse => (State::Done, "end"),
            // Its slot is over: it takes no place any more.
            State::Done | State::Cancelled | State::Expired | State::NoShow => {
                self.remove(id);
                return;
            }
        };
        reservation.state = state;
        reservation.changed_at = now;
        reservation.until = None;
        self.put(reservation, step, PLATFORM);
    }

    /// Offers what became free to those who wait for it.
    pub(crate) fn move_up(&mut self) {
        while let Some((resource, slot)) = self.freed.pop_first() {
            match slot {
                Some(slot) => self.move_up_slot(&resource, &slot),
                None => self.move_up_units(&resource),
            }
        }
    }

    fn move_up_slot(&mut self, resource: &str, slot: &str) {
        let waiting: Vec<i64> = match self
            .shelves
            .get(resource)
            .and_then(|shelf| shelf.slots.get(slot))
        {
            Some(taken) => taken.waiting.iter().copied().collect(),
            None => return,
        };
        let mut blocked = BTreeSet::new();
        for id in waiting {
            let Some(shelf) = self.shelves.get(resource) else {
                return;
            };
            let (Some(taken), Some(one)) = (shelf.slots.get(slot), self.live.get(&id)) else {
                continue;
            };
            let policy = &shelf.resource.policy;
            let places = u64::from(one.places);
            if taken.room(&one.class) >= places && !blocked.contains(&one.class) {
                self.offer(id, None);
            } else if !policy.smaller_may_pass {
                // There is not enough for whomever: all behind wait too. Only their class has none: their class waits.
                if taken.unsold() < places {
                    return;
                }
                blocked.insert(one.class.clone());
            }
        }
    }

    fn move_up_units(&mut self, resource: &str) {
        let waiting: Vec<i64> = match self.shelves.get(resource) {
            Some(shelf) => shelf.waiting.iter().copied().collect(),
            None => return,
        };
        for id in waiting {
            let (Some(shelf), Some(one)) = (self.shelves.get(resource), self.live.get(&id)) else {
                continue;
            };
            // Somebody for whom it does not fit stops nobody: intervals are not alike.
            if let Some(unit) = shelf.free_unit(one.from, one.to, id, self.clock) {
                self.offer(id, Some(unit));
            }
        }
    }

    fn offer(&mut self, id: i64, unit: Option<u32>) {
        let Some(mut reservation) = self.live.get(&id).cloned() else {
            return;
        };
        let Some(shelf) = self.shelves.get(&reservation.resource) else {
            return;
        };
        let until = self.clock.plus_seconds(shelf.resource.policy.offer_s);
        reservation.state = State::Held;
        reservation.unit = unit;
        reservation.until = Some(until.min(reservation.to));
        reservation.changed_at = self.clock;
        self.put(reservation, "offer", PLATFORM);
    }
}
