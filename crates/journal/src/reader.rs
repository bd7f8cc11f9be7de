//! Reading records in order from a position, durable ones only.

use crate::error::{Damage, DamageKind, ReadError};
use crate::format::record_ranges;
use crate::segments::Segments;
use crate::walk::{Block, Step, Walker};
use crate::writer::Shared;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::watch;

/// Up to where a reader goes.
pub(crate) enum Limit {
    /// The durable position of a journal that is being written.
    Live(Arc<Shared>, watch::Receiver<u64>),
    /// A fixed position: the end of a directory as it was when opened.
    Fixed(u64),
}

/// Reads records in order. Its methods read files and so may block for the time of a disk access;
/// only [`Reader::wait`] is async. The bytes it gives share memory with their neighbours: copy what is kept.
pub struct Reader {
    segments: Arc<Segments>,
    limit: Limit,
    batch_bytes_max: usize,
    next: u64,
    place: Option<Place>,
    /// Records of the current block that are still to be given; `None` is a damaged one.
    ready: VecDeque<Option<Bytes>>,
    ready_offset: u64,
}

struct Place {
    segment_first: u64,
    walker: Walker,
}

impl Reader {
    pub(crate) fn new(
        segments: Arc<Segments>,
        limit: Limit,
        batch_bytes_max: usize,
        from: u64,
    ) -> Self {
        Self {
            segments,
            limit,
            batch_bytes_max,
            next: from,
            place: None,
            ready: VecDeque::new(),
            ready_offset: 0,
        }
    }

    /// The position that the next batch begins with, unless damage is in the way.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// The position behind the last record that can be read at the moment.
    pub fn end(&self) -> u64 {
        match &self.limit {
            Limit::Live(_, durable) => *durable.borrow(),
            Limit::Fixed(end) => *end,
        }
    }

    /// The oldest position kept.
    pub fn first_position(&self) -> u64 {
        self.segments.first_position(self.end())
    }

    /// Goes to another position, so that the next batch begins there.
    pub fn seek(&mut self, position: u64) {
        self.next = position;
        self.place = None;
        self.ready.clear();
    }

    /// Waits until there is something to read; `false` when there never will be more (the journal was
    /// closed, or the directory was opened for reading only).
    pub async fn wait(&mut self) -> bool {
        let next = self.next;
        match &mut self.limit {
            Limit::Live(shared, durable) => loop {
                // Asked before the position: what the writer did last is then seen.
                let ended = shared.ended();
                if *durable.borrow_and_update() > next {
                    return true;
                }
                if ended || durable.changed().await.is_err() {
                    return false;
                }
            },
            Limit::Fixed(end) => *end > next,
        }
    }

    /// Up to `count_max` records with their positions, and not much more than `read_batch_bytes_max` bytes;
    /// empty when there is nothing new.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] once for every damaged stretch; the next call goes on behind it.
    /// [`ReadError::Trimmed`] when the position was trimmed away: [`Reader::seek`] to go on.
    pub fn next_batch(&mut self, count_max: usize) -> Result<Vec<(u64, Bytes)>, ReadError> {
        let end = self.end();
        let mut out = Vec::new();
        let mut bytes = 0;
        while out.len() < count_max && bytes < self.batch_bytes_max && self.next < end {
            match self.ready.front() {
                Some(Some(_)) => {
                    let record = self.ready.pop_front().flatten().unwrap_or_default();
                    bytes += record.len();
                    out.push((self.next, record));
                    self.next += 1;
                }
                // Damage waits until what is good before it has been given.
                Some(None) if !out.is_empty() => break,
                Some(None) => {
                    let from = self.next;
                    while let Some(None) = self.ready.front() {
                        self.ready.pop_front();
                        self.next += 1;
                    }
                    return Err(self.damage(self.ready_offset, from));
                }
                None => match self.load(end) {
                    Ok(()) => {}
                    Err(LoadError::Read(error)) if out.is_empty() => return Err(error),
                    Err(LoadError::Damage { offset, resume }) if out.is_empty() => {
                        let from = self.next;
                        self.next = resume;
                        return Err(self.damage(offset, from));
                    }
                    // What is good goes out first; the next call comes here again and tells.
                    Err(_) => {
                        self.place = None;
                        break;
                    }
                },
            }
        }
        Ok(out)
    }

    fn damage(&self, offset: u64, from: u64) -> ReadError {
        let segment = self.segments.find(from);
        ReadError::Damaged(Damage {
            kind: DamageKind::Unreadable,
            file: segment.map_or_else(String::new, |found| found.segment.name()),
            offset,
            positions: from..self.next,
        })
    }

    /// Loads the block that holds `self.next` into `ready`.
    fn load(&mut self, end: u64) -> Result<(), LoadError> {
        let Some(found) = self.segments.find(self.next) else {
            return Err(LoadError::Read(ReadError::Trimmed {
                first_position: self.segments.first_position(end),
            }));
        };
        let until = found.until.unwrap_or(end).min(end);
        let first = found.segment.first;
        if self.place.as_ref().is_none_or(|p| p.segment_first != first) {
            let walker = self
                .segments
                .walker_at(&found, self.next)
                .map_err(LoadError::Read)?
                .ok_or(LoadError::Damage {
                    offset: 0,
                    resume: until,
                })?;
            self.place = Some(Place {
                segment_first: first,
                walker,
            });
        }
        let Some(place) = &mut self.place else {
            return Ok(());
        };
        let step = place.walker.step().map_err(|source| {
            LoadError::Read(ReadError::Io {
                file: found.segment.name(),
                source,
            })
        })?;
        match step {
            Step::Block(block) => self.take(&block, until),
            Step::Gap {
                offset,
                resume_position,
            } => {
                let resume = resume_position.min(until);
                // A seek into a gap meets it from its start; what is asked for may lie behind it.
                if resume > self.next {
                    return Err(LoadError::Damage { offset, resume });
                }
            }
            Step::Nothing { offset } => {
                return Err(LoadError::Damage {
                    offset,
                    resume: until,
                });
            }
        }
        Ok(())
    }

    fn take(&mut self, block: &Block, until: u64) {
        let ranges = record_ranges(&block.records, block.header.count);
        let positions = block.header.first_position..until;
        self.ready_offset = block.offset;
        self.ready = positions
            .zip(ranges)
            .filter(|(position, _)| *position >= self.next)
            .map(|(_, range)| range.map(|range| block.records.slice(range)))
            .collect();
    }
}

enum LoadError {
    Read(ReadError),
    Damage { offset: u64, resume: u64 },
}
