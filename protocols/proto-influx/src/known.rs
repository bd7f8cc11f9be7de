//! Series that came before: a collector sends the same heads again and again, and what a head says does not change while
//! a decoder lives. So the ids of a series are made and checked once, and shared from then on.

use hashbrown::HashMap;
use model::{EntityId, TypeName};
use parking_lot::Mutex;

/// Most series remembered by one who decodes; beyond it, all are forgotten and learnt again. Each takes about 200 bytes,
/// and as many messages as are decoded at once have such a memory each.
const SERIES_KNOWN_MAX: usize = 65_536;

/// Whose a series is.
#[derive(Clone, Debug)]
pub struct Series {
    pub entity_id: EntityId,
    pub entity_type: TypeName,
    /// Which mapping it comes by.
    pub mapping: Option<usize>,
}

type Heads = HashMap<Box<str>, Series>;

/// The memories that are not in use.
#[derive(Debug, Default)]
pub struct Known(Mutex<Vec<Heads>>);

/// A copy begins with nothing known.
impl Clone for Known {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Known {
    /// Lends a memory to one message; it comes back by itself.
    pub fn lend(&self) -> SeriesKnown<'_> {
        SeriesKnown {
            home: self,
            heads: self.0.lock().pop().unwrap_or_default(),
        }
    }
}

/// A memory in use.
pub struct SeriesKnown<'k> {
    home: &'k Known,
    heads: Heads,
}

impl SeriesKnown<'_> {
    pub fn get(&self, head: &str) -> Option<Series> {
        self.heads.get(head).cloned()
    }

    pub fn remember(&mut self, head: &str, series: &Series) {
        if self.heads.len() >= SERIES_KNOWN_MAX {
            self.heads.clear();
        }
        self.heads.insert(head.into(), series.clone());
    }
}

impl Drop for SeriesKnown<'_> {
    fn drop(&mut self) {
        if !self.heads.is_empty() {
            self.home.0.lock().push(std::mem::take(&mut self.heads));
        }
    }
}
