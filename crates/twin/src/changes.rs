//! The index by time of change: which entity changed last at which position, oldest first. Each change is
//! put at the end; the entity's former entry is thereby stale, and a run of entries that has more stale than
//! live ones is shortened. So there are never more than about two entries an entity, and no step is long.

use crate::entity::Entity;
use model::{EntityId, Timestamp};
use std::collections::VecDeque;
use std::ops::Range;

/// Entries of a run before the next begins.
const RUN_ENTRIES: usize = 4_096;

/// An answer to "what changed since".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The entities that changed, each once, in the order of their last change.
    pub ids: Vec<EntityId>,
    /// Ask with this position next.
    pub position: u64,
    /// Some changes are no longer known: load everything anew.
    pub missed: bool,
}

/// Entries `(position, slot)` in order; all those of one position are in one run.
#[derive(Debug)]
struct Run {
    /// Position of the first entry that it had.
    first: u64,
    entries: Vec<(u64, u32)>,
    live: usize,
    /// No live entry's entity was modified later.
    modified_max: Timestamp,
}

/// All entities by the position of their last change.
#[derive(Debug, Default)]
pub struct ChangeLog {
    runs: VecDeque<Run>,
    /// By slot, the position of its last change: beside the entities, so that telling live from stale entries
    /// does not walk through all of memory.
    last: Vec<u64>,
    /// Changes below this position are not known (a checkpoint of version 1 did not hold them).
    pub since: u64,
}

fn is_live(&(position, slot): &(u64, u32), last: &[u64]) -> bool {
    last[slot as usize] == position
}

impl ChangeLog {
    /// From the entities as they are.
    pub fn build(slots: &[Entity], since: u64) -> Self {
        let mut entries: Vec<(u64, u32)> = (slots.iter().zip(0_u32..))
            .map(|(entity, slot)| (entity.changed, slot))
            .collect();
        entries.sort_unstable();
        let mut log = Self {
            runs: VecDeque::new(),
            last: slots.iter().map(|entity| entity.changed).collect(),
            since,
        };
        for (position, slot) in entries {
            log.put(position, slot, slots[slot as usize].modified_at);
        }
        log
    }

    fn put(&mut self, position: u64, slot: u32, modified_at: Timestamp) {
        if let Some(run) = self.runs.back_mut()
            && (run.entries.len() < RUN_ENTRIES
                || run
                    .entries
                    .last()
                    .is_some_and(|(last, _)| *last == position))
        {
            run.entries.push((position, slot));
            run.live += 1;
            run.modified_max = run.modified_max.max(modified_at);
            return;
        }
        self.runs.push_back(Run {
            first: position,
            entries: vec![(position, slot)],
            live: 1,
            modified_max: modified_at,
        });
    }

    /// The entity of a slot changed at `position`, which is not below any before. Slots come in their order.
    pub fn push(&mut self, position: u64, slot: u32, modified_at: Timestamp) {
        let before = match self.last.get_mut(slot as usize) {
            Some(last) => Some(std::mem::replace(last, position)),
            None => {
                self.last.push(position);
                None
            }
        };
        if before == Some(position) {
            // Named twice in one message: its entry is in the last run.
            if let Some(run) = self.runs.back_mut() {
                run.modified_max = run.modified_max.max(modified_at);
            }
            return;
        }
        self.put(position, slot, modified_at);
        if let Some(before) = before {
            self.went_stale(before);
        }
    }

    fn went_stale(&mut self, position: u64) {
        let after = self.runs.partition_point(|run| run.first <= position);
        let Some(number) = after.checked_sub(1) else {
            return;
        };
        let is_last = number + 1 == self.runs.len();
        let run = &mut self.runs[number];
        run.live = run.live.saturating_sub(1);
        let is_growing = is_last && run.entries.len() < RUN_ENTRIES;
        if is_growing || run.live * 2 > run.entries.len() {
            return;
        }
        run.entries.retain(|entry| is_live(entry, &self.last));
        run.entries.shrink_to_fit();
        run.live = run.entries.len();
        let live = run.live;
        if live == 0 {
            self.runs.remove(number);
        } else if number > 0 && self.runs[number - 1].entries.len() + live <= RUN_ENTRIES / 2 {
            // Small neighbours become one, so that there are few runs to search.
            if let Some(mut later) = self.runs.remove(number) {
                let run = &mut self.runs[number - 1];
                run.entries.append(&mut later.entries);
                run.live += later.live;
                run.modified_max = run.modified_max.max(later.modified_max);
            }
        }
    }

    /// Slots that changed last at `position` or later, in that order.
    fn from(&self, position: u64) -> impl Iterator<Item = &(u64, u32)> {
        let after = self.runs.partition_point(|run| run.first <= position);
        let runs = self.runs.range(after.saturating_sub(1)..);
        (runs.flat_map(|run| &run.entries)).filter(move |(at, _)| *at >= position)
    }

    /// What changed at `position` or later: all entities of one message or none, so that there can be more
    /// than `limit` when one message changes many. `end`: the position that the state has reached.
    pub fn since(&self, position: u64, end: u64, limit: usize, slots: &[Entity]) -> Changes {
        let mut changes = Changes {
            position: end.max(position),
            ..Changes::default()
        };
        if position < self.since {
            changes.missed = true;
            changes.position = end;
            return changes;
        }
        let mut last = None;
        for entry in self
            .from(position)
            .filter(|entry| is_live(entry, &self.last))
        {
            if changes.ids.len() >= limit.max(1) && last != Some(entry.0) {
                changes.position = entry.0;
                break;
            }
            last = Some(entry.0);
            changes.ids.push(slots[entry.1 as usize].id.clone());
        }
        changes
    }

    /// Slots of the entities whose last change is at one of these positions, at most `limit`; `None` when there are more, or when what
    /// changed then is no longer known.
    pub fn slots_within(&self, positions: Range<u64>, limit: usize) -> Option<Vec<u32>> {
        if positions.start < self.since {
            return None;
        }
        let entries = self.from(positions.start);
        let within = entries.take_while(|(position, _)| *position < positions.end);
        let live = within.filter(|entry| is_live(entry, &self.last));
        let slots: Vec<u32> = live
            .take(limit.saturating_add(1))
            .map(|(_, slot)| *slot)
            .collect();
        (slots.len() <= limit).then_some(slots)
    }

    /// Slots of the entities that were last heard of at this time or later, in no order.
    pub fn modified_since<'a>(
        &'a self,
        time: Timestamp,
        slots: &'a [Entity],
    ) -> impl Iterator<Item = u32> + 'a {
        // Newest first: that is where they are.
        let runs = self
            .runs
            .iter()
            .rev()
            .filter(move |run| run.modified_max >= time);
        runs.flat_map(|run| &run.entries)
            .filter(move |entry| is_live(entry, &self.last))
            .map(|(_, slot)| *slot)
            .filter(move |slot| slots[*slot as usize].modified_at >= time)
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let run = |run: &Run| run.entries.capacity() * 16 + size_of::<Run>();
        self.runs.iter().map(run).sum::<usize>() + self.last.capacity() * 8
    }
}
