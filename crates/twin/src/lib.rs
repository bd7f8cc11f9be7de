//! The twin (数字孪生): the current state of every entity, a pure fold of the journal with a position.
//! Nothing writes it but the journal's reader; it can be thrown away and rebuilt. Replay from zero equals
//! a checkpoint plus the tail, whatever the batching (tested).
//!
//! Reading order: `words`, `value`, `entity` (what is kept, small), `state` (the fold and its indexes),
//! `order`, `index`, `changes` (the indexes), `query` (asking), `checkpoint` (on disk), [`Twin`] (all of it
//! behind one lock).

mod changes;
mod checkpoint;
mod entity;
mod index;
mod order;
mod query;
mod state;
mod value;
mod words;

pub use changes::Changes;
pub use checkpoint::{CheckpointError, VERSION as CHECKPOINT_VERSION};
pub use entity::{Attribute, Entity, EntityState};
pub use query::{Comparison, Condition, Filter, Page, Relation};
pub use value::ValueRef;

use model::{Accepted, AttributeName, Corrected, EntityId};
use parking_lot::{Mutex, RwLock};
use state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

/// The twin's limits and choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Attributes whose values are indexed, so that a [`Condition`] on them finds its entities without
    /// looking at all (default none; about 25 bytes for each entity that has one).
    pub indexed_attributes: Vec<AttributeName>,
    /// How many entities a checkpoint takes in one step; messages wait for one step at most (default 512,
    /// well under a millisecond).
    pub checkpoint_step_entities: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            indexed_attributes: Vec::new(),
            checkpoint_step_entities: 512,
        }
    }
}

/// About how much memory a twin takes, in bytes, by what for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// How many entities there are.
    pub entities: usize,
    /// Entities with their attributes.
    pub entity_bytes: usize,
    /// Finding them by id and by type, in order.
    pub id_bytes: usize,
    /// Finding them by place.
    pub space_bytes: usize,
    /// Finding them by time of change.
    pub change_bytes: usize,
    /// Finding them by whom they point at.
    pub relation_bytes: usize,
    /// Finding them by the values of indexed attributes.
    pub value_bytes: usize,
    /// Names, units and devices.
    pub word_bytes: usize,
}

impl Memory {
    /// All together.
    pub fn total(&self) -> usize {
        self.entity_bytes
            + self.id_bytes
            + self.space_bytes
            + self.change_bytes
            + self.relation_bytes
            + self.value_bytes
            + self.word_bytes
    }
}

/// The current state of the city; shared, with its own lock.
#[derive(Debug)]
pub struct Twin {
    state: RwLock<State>,
    /// One checkpoint at a time.
    checkpointing: Mutex<()>,
    checkpoint_step_entities: usize,
}

impl Default for Twin {
    fn default() -> Self {
        Self::new(&Options::default())
    }
}

impl Twin {
    /// An empty twin with these limits.
    pub fn new(options: &Options) -> Self {
        Self::with(State::new(options), options)
    }

    fn with(state: State, options: &Options) -> Self {
        Self {
            state: RwLock::new(state),
            checkpointing: Mutex::new(()),
            checkpoint_step_entities: options.checkpoint_step_entities.max(1),
        }
    }

    /// Takes one message of the journal. A position taken before changes nothing.
    pub fn apply(&self, position: u64, accepted: &Accepted) {
        self.state.write().apply(position, accepted);
    }

    /// Takes messages in journal order under one lock.
    pub fn apply_batch(&self, batch: &[(u64, Accepted)]) {
        let mut state = self.state.write();
        for (position, accepted) in batch {
            state.apply(*position, accepted);
        }
    }

    /// Takes a correction of the journal: what is known now gives way when it is the observation superseded. A
    /// withdrawn one leaves nothing, until something observed then or later is said.
    pub fn apply_corrected(&self, position: u64, corrected: &Corrected) {
        self.state.write().apply_corrected(position, corrected);
    }

    /// Puts other texts in the place of texts, where `rewrite` (of entity, attribute and text) gives one: the same value as it
    /// is stored anew. Nothing was said by it, so no position and no time changes, and replay may bring the old one back.
    /// Texts of at most 7 bytes are left. Messages go on meanwhile. Gives how many were rewritten.
    pub fn rewrite_texts(&self, rewrite: impl Fn(&str, &str, &str) -> Option<String>) -> usize {
        let step = self.checkpoint_step_entities;
        let (mut from, mut count) = (0, 0);
        loop {
            let found = {
                let state = self.state.read();
                if from >= state.slots().len() {
                    return count;
                }
                state.rewritten(from, step, &rewrite)
            };
            from += step;
            if !found.is_empty() {
                let mut state = self.state.write();
                // One that a message changed meanwhile is left to what it says.
                count += found.iter().filter(|text| state.rewrite(text)).count();
            }
        }
    }

    /// Says that everything below `position` was seen, also where it held nothing for the twin.
    pub fn advance(&self, position: u64) {
        self.state.write().advance(position);
    }

    /// The first position that is not in the state.
    pub fn position(&self) -> u64 {
        self.state.read().position()
    }

    /// One entity as it is now.
    pub fn get(&self, id: &EntityId) -> Option<Entity> {
        self.state.read().get(id).cloned()
    }

    /// Entities by id, as the filter asks.
    pub fn query(&self, filter: &Filter) -> Page {
        query::run(&self.state.read(), filter)
    }

    /// Calls `see` for each entity that [`Twin::query`] would give. The twin takes no messages meanwhile, so
    /// `see` only picks what it needs. The answer is the next page's `after`.
    pub fn visit(&self, filter: &Filter, see: impl FnMut(&Entity)) -> Option<EntityId> {
        query::visit(&self.state.read(), filter, see)
    }

    /// Which entities changed last at `position` or later, for pages that follow: up to about `limit` of
    /// them, and the position to ask with next. An entity that changes again meanwhile is told again.
    pub fn changes_since(&self, position: u64, limit: usize) -> Changes {
        self.state.read().changes_since(position, limit)
    }

    /// The types of the entities whose last change is at one of these positions. `None` when more than `limit` entities changed, or
    /// when what changed then is no longer known: it may be any type. One that has changed since is among those of a later position.
    pub fn types_within(&self, positions: Range<u64>, limit: usize) -> Option<BTreeSet<String>> {
        self.state.read().types_within(positions, limit)
    }

    /// How many entities there are of each type.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.state.read().counts()
    }

    /// About how much memory the twin takes. Looks at every entity.
    pub fn memory(&self) -> Memory {
        self.state.read().memory()
    }

    /// Writes the whole state to a file, atomically: the old file or the new one, never half. What is written
    /// is the state at the position at which it began; messages go on meanwhile, and what they change is kept
    /// twice until it is written.
    ///
    /// # Errors
    /// The system's own error.
    pub fn checkpoint(&self, path: &Path) -> Result<(), CheckpointError> {
        let _one = self.checkpointing.lock();
        let head = self.state.write().snapshot_begin();
        let step = self.checkpoint_step_entities;
        let written = checkpoint::write(path, head, || self.state.write().snapshot_next(step));
        let kept = self.state.write().snapshot_end();
        // Freed without the lock.
        drop(kept);
        written
    }

    /// Reads a file written by [`Twin::checkpoint`]; an empty twin when there is none.
    ///
    /// # Errors
    /// When the file is damaged or of an unknown version: delete it and the twin is rebuilt from the journal.
    pub fn restore(path: &Path) -> Result<Self, CheckpointError> {
        Self::restore_with(path, &Options::default())
    }

    /// [`Twin::restore`] with limits of one's own.
    ///
    /// # Errors
    /// As [`Twin::restore`].
    pub fn restore_with(path: &Path, options: &Options) -> Result<Self, CheckpointError> {
        Ok(Self::with(checkpoint::read(path, options)?, options))
    }
}
