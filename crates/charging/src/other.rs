//! The load of a transformer beside charging, from a meter that sees charging too.
//!
//! A meter and the charge points speak at different moments, so their difference is wrong for a while whenever charging changes. Taken as it is, it
//! is a feedback: after a raise the points speak before the meter, the other load looks smaller than it is, and charging is raised again. Therefore:
//!
//! 1. From a reading of the meter is taken what the points had said **up to its moment**. After a raise that is too little, and the other load looks larger:
//!    nothing happens, which is safe.
//! 2. After a lowering it is too much, and the other load looks smaller. Therefore the **highest** of what was found within [`Steering::settle_seconds`]
//!    counts: what rises counts at once, what falls when it has stayed.

use crate::share::{Measured, Steering};
use model::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// Most readings that are remembered of one outlet, and of one meter: more than come within minutes.
const READINGS_MAX: usize = 128;

/// What was heard of a transformer and its outlets.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// What the vehicle at an outlet took, by outlet, oldest first.
    drawn: BTreeMap<String, VecDeque<Measured>>,
    /// The other load as it was found, oldest first.
    found: VecDeque<Measured>,
}

fn remember(all: &mut VecDeque<Measured>, one: Measured) {
    // A reading again, or one that comes late, changes nothing that was found.
    if all.back().is_none_or(|last| last.at < one.at) {
        if all.len() >= READINGS_MAX {
            all.pop_front();
        }
        all.push_back(one);
    }
}

impl Heard {
    /// What the vehicle at an outlet takes.
    pub fn point(&mut self, outlet: &str, drawn: Measured) {
        if let Some(known) = self.drawn.get_mut(outlet) {
            return remember(known, drawn);
        }
        let known = VecDeque::from([drawn]);
        self.drawn.insert(outlet.to_owned(), known);
    }

    /// What the meter says, charging included: to be told after what the points said.
    pub fn meter(&mut self, total: Measured, steering: &Steering) {
        let oldest = total.at.plus_seconds(-steering.measured_max_seconds);
        let charging: i64 = (self.drawn.values())
            .filter_map(|known| known.iter().rev().find(|drawn| drawn.at <= total.at))
            .filter(|drawn| drawn.at >= oldest)
            .map(|drawn| drawn.w)
            .sum();
        let other = Measured {
            w: total.w.saturating_sub(charging).max(0),
            at: total.at,
        };
        remember(&mut self.found, other);
        // The newest of an outlet from before is still what it took at the next moment of the meter.
        for known in self.drawn.values_mut() {
            while known.get(1).is_some_and(|next| next.at <= total.at) {
                known.pop_front();
            }
        }
        self.drawn
            .retain(|_, known| known.back().is_some_and(|drawn| drawn.at >= oldest));
    }

    /// The other load that counts now, as of the newest reading of the meter.
    pub fn other(&self, now: Timestamp, steering: &Steering) -> Option<Measured> {
        let newest = self.found.back()?;
        let since = now.plus_seconds(-steering.settle_seconds);
        let within = self.found.iter().filter(|found| found.at >= since);
        let highest = within.map(|found| found.w).max().unwrap_or(newest.w);
        Some(Measured {
            w: highest.max(newest.w),
            at: newest.at,
        })
    }
}
