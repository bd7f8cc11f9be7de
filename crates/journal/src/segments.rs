//! Which segments there are, and where in them a position lies.

use crate::error::ReadError;
use crate::format::{SEGMENT_HEADER_BYTES, segment_name};
use crate::storage::Storage;
use crate::walk::{Step, Walker};
use parking_lot::{Mutex, RwLock};
use std::sync::Arc;

/// Bytes between two marks of a segment's index.
const MARK_EVERY_BYTES: u64 = 64 * 1024;

/// One segment file.
#[derive(Debug)]
pub struct Segment {
    /// Position of its first record.
    pub first: u64,
    /// Places of some of its blocks, `(position, offset)`, in order; grows as positions are looked up.
    marks: Mutex<Vec<(u64, u64)>>,
}

impl Segment {
    /// A segment that begins with `first`.
    pub fn new(first: u64) -> Arc<Self> {
        Arc::new(Self {
            first,
            marks: Mutex::new(vec![(first, SEGMENT_HEADER_BYTES as u64)]),
        })
    }

    /// The file's name.
    pub fn name(&self) -> String {
        segment_name(self.first)
    }
}

/// All segments of a directory, in order of position.
pub struct Segments {
    /// Where the files are.
    pub storage: Arc<dyn Storage>,
    list: RwLock<Vec<Arc<Segment>>>,
}

/// A segment and the first position that is no longer its own.
pub struct Found {
    /// The segment.
    pub segment: Arc<Segment>,
    /// First position of the next segment; `None` for the last.
    pub until: Option<u64>,
}

impl Segments {
    /// The segments that begin at `firsts`, which are in order.
    pub fn new(storage: Arc<dyn Storage>, firsts: &[u64]) -> Self {
        Self {
            storage,
            list: RwLock::new(firsts.iter().map(|first| Segment::new(*first)).collect()),
        }
    }

    /// Puts a new last segment in; it replaces one that begins at the same position.
    pub fn push(&self, segment: Arc<Segment>) {
        let mut list = self.list.write();
        while list.last().is_some_and(|last| last.first >= segment.first) {
            list.pop();
        }
        list.push(segment);
    }

    /// The oldest position kept; `end`, where the journal ends, when there is no segment.
    pub fn first_position(&self, end: u64) -> u64 {
        self.list.read().first().map_or(end, |s| s.first)
    }

    /// How many segments there are.
    pub fn count(&self) -> usize {
        self.list.read().len()
    }

    /// The segments in order.
    pub fn all(&self) -> Vec<Arc<Segment>> {
        self.list.read().clone()
    }

    /// The segment that `position` belongs to.
    pub fn find(&self, position: u64) -> Option<Found> {
        let list = self.list.read();
        let behind = list.partition_point(|s| s.first <= position);
        let segment = list.get(behind.checked_sub(1)?)?.clone();
        Some(Found {
            segment,
            until: list.get(behind).map(|s| s.first),
        })
    }

    /// Takes out the oldest segment when it holds only positions below `position`; the last one stays.
    pub fn take_before(&self, position: u64) -> Option<Arc<Segment>> {
        let mut list = self.list.write();
        let goes = list.get(1).is_some_and(|second| second.first <= position);
        goes.then(|| list.remove(0))
    }

    /// Puts the oldest segment back.
    pub fn put_back(&self, segment: Arc<Segment>) {
        self.list.write().insert(0, segment);
    }

    /// A walker that stands before the block of `found.segment` which holds `position`, or as near
    /// before it as damage allows. `None` when the segment's head is damaged.
    pub fn walker_at(&self, found: &Found, position: u64) -> Result<Option<Walker>, ReadError> {
        let segment = &found.segment;
        let io = |source| ReadError::Io {
            file: segment.name(),
            source,
        };
        let file = match self.storage.open(&segment.name(), false) {
            Ok(file) => file,
            // Trimmed between finding and opening.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ReadError::Trimmed {
                    first_position: self.first_position(position),
                });
            }
            Err(source) => return Err(io(source)),
        };
        let Ok(mut walker) = Walker::new(file, segment.first).map_err(io)? else {
            return Ok(None);
        };
        let mut marks = segment.marks.lock();
        let behind = marks.partition_point(|(first, _)| *first <= position);
        let (mut mark_position, mut mark_offset) = marks[behind.saturating_sub(1)];
        walker.jump(mark_position, mark_offset);
        loop {
            let (before_position, before_offset) = (walker.next, walker.offset);
            if before_position == position {
                break;
            }
            let step = walker.step().map_err(io)?;
            let passed = match step {
                Step::Block(_) => walker.next > position,
                Step::Gap { .. } | Step::Nothing { .. } => true,
            };
            if passed {
                // The reader walks this step again, and tells of damage if that is what it is.
                walker.jump(before_position, before_offset);
                break;
            }
            if walker.offset >= mark_offset + MARK_EVERY_BYTES {
                (mark_position, mark_offset) = (walker.next, walker.offset);
                if marks.last().is_some_and(|(last, _)| *last < mark_position) {
                    marks.push((mark_position, mark_offset));
                }
            }
        }
        Ok(Some(walker))
    }
}
