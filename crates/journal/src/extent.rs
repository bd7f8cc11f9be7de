//! Where a journal may be cut: for copies of a journal that is being written, and for going back to a position.

use crate::error::{OpenError, ReadError};
use crate::format::{BLOCK_HEADER_BYTES, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, segment_name};
use crate::reader::Reader;
use crate::scan::{io_error, segment_firsts};
use crate::storage::{RealStorage, Storage};
use crate::walk::{Step, Walker};
use crate::{Journal, Options, open_read_only};
use bytes::Bytes;
use std::path::Path;

/// What stands in front of the records of a segment with one block, and of one record.
const HEADS_BYTES: usize = SEGMENT_HEADER_BYTES + BLOCK_HEADER_BYTES + RECORD_HEADER_BYTES;

/// The place up to which the files of a journal hold everything below a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The segment that holds the record before the position, or that begins with it. The files before it belong to
    /// the extent whole, those behind it not at all.
    pub file: String,
    /// How many of its bytes: whole blocks only.
    pub bytes: u64,
    /// The position behind those blocks. At most the one asked for; less when it lies within a block.
    pub position: u64,
}

/// Finds where the journal in `dir` may be cut so that it ends at `position` or, when that lies within a block,
/// before that block. Another process may be writing it. `None` when the journal begins behind `position` or is empty.
///
/// # Errors
/// See [`OpenError`].
pub fn extent(dir: impl AsRef<Path>, position: u64) -> Result<Option<Extent>, OpenError> {
    extent_on(&RealStorage::new(dir), position)
}

fn extent_on(disk: &dyn Storage, position: u64) -> Result<Option<Extent>, OpenError> {
    let firsts = segment_firsts(disk)?;
    let Some(&first) = firsts.iter().rev().find(|&&first| first <= position) else {
        return Ok(None);
    };
    let file = segment_name(first);
    let io = |source| io_error(disk, "read", Some(&file), source);
    let opened = disk.open(&file, false).map_err(io)?;
    let mut walker = Walker::new(opened, first)
        .map_err(io)?
        .map_err(|_| OpenError::Damaged {
            place: format!("{}/{file}", disk.place()),
        })?;
    let mut end = (walker.next, walker.offset);
    while walker.next < position {
        match walker.step().map_err(io)? {
            Step::Block(_) | Step::Gap { .. } if walker.next <= position => {
                end = (walker.next, walker.offset);
            }
            Step::Block(_) | Step::Gap { .. } | Step::Nothing { .. } => break,
        }
    }
    Ok(Some(Extent {
        file,
        bytes: end.1,
        position: end.0,
    }))
}

/// Why a journal could not be cut.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// Opening or removing files failed.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A record before the place of the cut cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal does not reach to the position.
    #[error(
        "the journal holds records {first} to {end} (not included), so it cannot end at {position}"
    )]
    Outside {
        /// The position asked for.
        position: u64,
        /// The oldest position kept.
        first: u64,
        /// The position behind the last record.
        end: u64,
    },
    /// The records before the cut could not be written again.
    #[error("the end of the cut journal could not be written: {0}")]
    Write(String),
}

/// Ends the journal in `dir`, which nobody may have open, at `position`: all records from there on are gone.
///
/// # Errors
/// See [`CutError`].
pub fn cut(dir: impl AsRef<Path>, position: u64) -> Result<(), CutError> {
    let dir = dir.as_ref();
    let mut reader = open_read_only(dir)?;
    let (first, end) = (reader.first_position(), reader.end());
    let outside = CutError::Outside {
        position,
        first,
        end,
    };
    if position < first || position > end {
        return Err(outside);
    }
    let disk = RealStorage::new(dir);
    let Some(extent) = extent_on(&disk, position)? else {
        return if end == 0 { Ok(()) } else { Err(outside) };
    };
    // What lies in the block that is cut through is written again.
    let rest = records(&mut reader, extent.position, position)?;
    drop(reader);
    let fail = |action, name: &str, error| io_error(&disk, action, Some(name), error);
    let own = disk.list().map_err(|e| io_error(&disk, "list", None, e))?;
    for name in own {
        if crate::format::segment_first_position(&name).is_some() && name > extent.file {
            disk.remove(&name).map_err(|e| fail("remove", &name, e))?;
        }
    }
    let file = disk
        .open(&extent.file, true)
        .map_err(|e| fail("open", &extent.file, e))?;
    file.set_len(extent.bytes)
        .and_then(|()| file.sync_data())
        .and_then(|()| disk.sync_dir())
        .map_err(|e| fail("cut", &extent.file, e))?;
    drop(file);
    let told = |what: String| CutError::Write(what);
    let end = open_read_only(dir)?.end();
    if end != extent.position {
        return Err(told(format!(
            "after the cut it ends at {end}, not at {}",
            extent.position
        )));
    }
    if rest.is_empty() {
        return Ok(());
    }
    // A segment just long enough: nobody waits for 64 MiB of zeros.
    let longest = rest.iter().map(Bytes::len).max().unwrap_or(0).max(1);
    let bytes = rest
        .iter()
        .map(|r| r.len() + RECORD_HEADER_BYTES)
        .sum::<usize>();
    let (journal, _) = Journal::open(
        dir,
        Options {
            record_bytes_max: longest,
            block_bytes_max: bytes,
            buffer_bytes_max: bytes + 2 * HEADS_BYTES,
            segment_bytes: (bytes + HEADS_BYTES) as u64,
            ..Options::default()
        },
    )?;
    for record in &rest {
        journal.append(record).map_err(|e| told(e.to_string()))?;
    }
    // Writes all that waits.
    journal.close();
    match journal.stall() {
        _ if *journal.durable().borrow() == position => Ok(()),
        stall => Err(told(format!("the disk does not take it ({stall:?})"))),
    }
}

fn records(reader: &mut Reader, from: u64, to: u64) -> Result<Vec<Bytes>, ReadError> {
    reader.seek(from);
    let mut found = Vec::new();
    while reader.position() < to {
        let left = usize::try_from(to - reader.position()).unwrap_or(usize::MAX);
        let batch = reader.next_batch(left)?;
        if batch.is_empty() {
            break;
        }
        found.extend(batch.into_iter().map(|(_, record)| record));
    }
    Ok(found)
}
