//! What changed lately: a bounded memory of which message changed which entity, for pages that follow.
//! It is not part of the state: a restart begins an empty one.

use model::EntityId;
use std::collections::VecDeque;

/// An answer to "what changed since".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The entities that changed, each once, in the order of their first change.
    pub ids: Vec<EntityId>,
    /// Ask with this position next.
    pub position: u64,
    /// Some changes are no longer remembered: load everything anew.
    pub missed: bool,
}

/// Recent changes, `(position, slot)`, oldest first.
#[derive(Debug)]
pub struct Recent {
    ring: VecDeque<(u64, u32)>,
    changes_max: usize,
    /// Changes below this position are not remembered.
    since: u64,
}

impl Recent {
    pub fn new(changes_max: usize, since: u64) -> Self {
        Self {
            ring: VecDeque::new(),
            changes_max,
            since,
        }
    }

    pub fn push(&mut self, position: u64, slot: u32) {
        if self.ring.back() == Some(&(position, slot)) {
            return;
        }
        if self.ring.len() >= self.changes_max
            && let Some((oldest, _)) = self.ring.pop_front()
        {
            self.since = oldest + 1;
        }
        if self.changes_max > 0 {
            self.ring.push_back((position, slot));
        } else {
            self.since = position + 1;
        }
    }

    /// Slots changed at `from` or later, each once; all those of one message or none, so that there can be
    /// more than `limit` when one message changes many. `end`: the position that the state has reached.
    pub fn since(&self, from: u64, end: u64, limit: usize) -> (Vec<u32>, u64, bool) {
        if from < self.since {
            return (Vec::new(), end, true);
        }
        let start = self.ring.partition_point(|(position, _)| *position < from);
        let mut seen = hashbrown::HashSet::new();
        let mut slots = Vec::new();
        let mut last = None;
        for &(position, slot) in self.ring.range(start..) {
            if slots.len() >= limit.max(1) && last != Some(position) {
                return (slots, position, false);
            }
            last = Some(position);
            if seen.insert(slot) {
                slots.push(slot);
            }
        }
        (slots, end.max(from), false)
    }
}
