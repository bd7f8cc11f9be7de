//! The twin (数字孪生): the current state of every entity, a pure fold of the journal with a position.
//! Nothing writes it but the journal's reader; it can be thrown away and rebuilt. Replay from zero equals
//! a checkpoint plus the tail, whatever the batching (tested).
//!
//! Reading order: `entity` (what is kept), `state` (the fold and its indexes), `changes` (what changed
//! lately), `query` (asking), `checkpoint` (on disk), [`Twin`] (all of it behind one lock).

mod changes;
mod checkpoint;
mod entity;
mod query;
mod state;

pub use changes::Changes;
pub use checkpoint::CheckpointError;
pub use entity::{AttributeState, Attributes, Entity};
pub use query::{Comparison, Condition, Filter, Page};

use model::{Accepted, EntityId};
use parking_lot::RwLock;
use state::State;
use std::collections::BTreeMap;
use std::path::Path;

/// The twin's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many recent changes are remembered for [`Twin::changes_since`] (default 65,536, 16 bytes each).
    pub changes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            changes_max: 65_536,
        }
    }
}

/// The current state of the city; shared, with its own lock.
#[derive(Debug, Default)]
pub struct Twin {
    state: RwLock<State>,
}

impl Twin {
    /// An empty twin with these limits.
    pub fn new(options: &Options) -> Self {
        Self {
            state: RwLock::new(State::new(options.changes_max)),
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

    /// Calls `see` for each entity that [`Twin::query`] would give, without copying any. The twin takes no
    /// messages meanwhile, so `see` only picks what it needs. The answer is the next page's `after`.
    pub fn visit(&self, filter: &Filter, see: impl FnMut(&Entity)) -> Option<EntityId> {
        query::visit(&self.state.read(), filter, see)
    }

    /// Which entities changed at `position` or later, for pages that follow: up to about `limit` of them,
    /// and the position to ask with next.
    pub fn changes_since(&self, position: u64, limit: usize) -> Changes {
        self.state.read().changes_since(position, limit)
    }

    /// How many entities there are of each type.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.state.read().counts()
    }

    /// Writes the whole state to a file, atomically: the old file or the new one, never half.
    ///
    /// # Errors
    /// The system's own error.
    pub fn checkpoint(&self, path: &Path) -> Result<(), CheckpointError> {
        // Encoded under the read lock: writers wait for memory, not for the disk.
        let bytes = checkpoint::encode(&self.state.read())?;
        checkpoint::write(path, &bytes)
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
        let state = match checkpoint::read(path)? {
            Some((position, stored)) => State::from_stored(position, stored, options.changes_max),
            None => State::new(options.changes_max),
        };
        Ok(Self {
            state: RwLock::new(state),
        })
    }
}
