//! Going through a whole directory without changing it: recovery's first half, and the check.

use crate::error::{Damage, OpenError};
use crate::format::{SegmentHeaderError, record_ranges, segment_first_position, segment_name};
use crate::storage::{RealStorage, Storage};
use crate::walk::{Step, Walker};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Bytes at the end of the last segment that never became durable: a write that was cut off.
/// None of them was ever acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The file, within the journal's directory.
    pub file: String,
    /// Where in the file they begin.
    pub offset: u64,
    /// How many there are.
    pub bytes: u64,
}

/// What [`check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The oldest position kept.
    pub first_position: u64,
    /// The position behind the last good record.
    pub next_position: u64,
    /// Number of segment files.
    pub segments: usize,
    /// Number of good records.
    pub records: u64,
    /// Every stretch that is damaged; empty when all is well.
    pub findings: Vec<Damage>,
    /// A cut-off write at the end; no loss, and dropped when the journal is opened next. While another
    /// process is writing, this may be the block it is just writing.
    pub torn: Option<Torn>,
}

/// One segment gone through.
pub(crate) struct Scanned {
    /// The walker, behind the last good block.
    pub walker: Walker,
    /// Where the last good block begins, and the position it begins with.
    pub last_block: Option<(u64, u64)>,
    pub records: u64,
    pub findings: Vec<Damage>,
    pub torn: Option<Torn>,
}

/// Goes through the segment that begins at `first`. `until`: the next segment's first position; `None`
/// for the last segment, whose end is found.
pub(crate) fn scan_segment(
    storage: &dyn Storage,
    first: u64,
    until: Option<u64>,
) -> io::Result<Result<Scanned, SegmentHeaderError>> {
    let name = segment_name(first);
    let walker = match Walker::new(storage.open(&name, false)?, first)? {
        Ok(walker) => walker,
        Err(error) => return Ok(Err(error)),
    };
    let mut out = Scanned {
        walker,
        last_block: None,
        records: 0,
        findings: Vec::new(),
        torn: None,
    };
    let limit = until.unwrap_or(u64::MAX);
    let damage = |offset, positions| Damage {
        file: name.clone(),
        offset,
        positions,
    };
    while out.walker.next < limit {
        let (position, offset) = (out.walker.next, out.walker.offset);
        let step = out.walker.step()?;
        match step {
            Step::Block(block) if block.good => {
                out.records += block.header.end_position().min(limit) - position;
                out.last_block = Some((position, offset));
            }
            Step::Block(block) => {
                let behind = out.walker.find(out.walker.offset, out.walker.next)?;
                if until.is_none() && behind.is_none() {
                    // The last block of all: its write was cut off.
                    out.walker.jump(position, offset);
                    out.torn = torn(&out.walker, &name)?;
                    break;
                }
                let ranges = record_ranges(&block.records, block.header.count);
                for (at, range) in (position..limit).zip(ranges) {
                    match (range, out.findings.last_mut()) {
                        (Some(_), _) => out.records += 1,
                        (None, Some(last)) if last.positions.end == at && last.offset == offset => {
                            last.positions.end += 1;
                        }
                        (None, _) => out.findings.push(damage(offset, at..at + 1)),
                    }
                }
                out.last_block = Some((position, offset));
            }
            Step::Gap {
                resume_position, ..
            } => {
                let end = resume_position.min(limit);
                out.findings.push(damage(offset, position..end));
            }
            Step::Nothing { .. } => {
                match until {
                    Some(until) => out.findings.push(damage(offset, position..until)),
                    None => out.torn = torn(&out.walker, &name)?,
                }
                break;
            }
        }
    }
    Ok(Ok(out))
}

fn torn(walker: &Walker, name: &str) -> io::Result<Option<Torn>> {
    let end = walker.last_nonzero(walker.offset)?;
    Ok(end.map(|end| Torn {
        file: name.to_owned(),
        offset: walker.offset,
        bytes: end - walker.offset,
    }))
}

/// The first positions of the segments of a directory, in order.
pub(crate) fn segment_firsts(storage: &dyn Storage) -> Result<Vec<u64>, OpenError> {
    let names = storage
        .list()
        .map_err(|source| io_error(storage, "list", None, source))?;
    let mut firsts: Vec<u64> = names
        .iter()
        .filter_map(|name| segment_first_position(name))
        .collect();
    firsts.sort_unstable();
    Ok(firsts)
}

pub(crate) fn place(storage: &dyn Storage, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{}/{name}", storage.place()),
        None => storage.place(),
    }
}

pub(crate) fn io_error(
    storage: &dyn Storage,
    action: &'static str,
    name: Option<&str>,
    source: io::Error,
) -> OpenError {
    OpenError::Io {
        action,
        place: place(storage, name),
        source,
    }
}

/// Scans the last segment; a damaged head is an error, for the end is then unknown.
pub(crate) fn scan_last(storage: &dyn Storage, first: u64) -> Result<Scanned, OpenError> {
    let name = segment_name(first);
    scan_segment(storage, first, None)
        .map_err(|source| io_error(storage, "read", Some(&name), source))?
        .map_err(|error| {
            let place = place(storage, Some(&name));
            match error {
                SegmentHeaderError::Damaged => OpenError::Damaged { place },
                SegmentHeaderError::Version(version) => OpenError::Version { place, version },
            }
        })
}

/// Reads every byte of the journal in `dir` and verifies it, changing nothing. The journal may be
/// open elsewhere at the same time.
///
/// # Errors
/// [`OpenError`] when the directory or a file cannot be read at all; damage is no error but a finding.
pub fn check(dir: impl AsRef<Path>) -> Result<Report, OpenError> {
    check_on(&(Arc::new(RealStorage::new(dir)) as Arc<dyn Storage>))
}

/// [`check`] on any storage.
///
/// # Errors
/// As [`check`].
pub fn check_on(storage: &Arc<dyn Storage>) -> Result<Report, OpenError> {
    let storage = storage.as_ref();
    let firsts = segment_firsts(storage)?;
    let mut report = Report {
        first_position: firsts.first().copied().unwrap_or(0),
        next_position: firsts.first().copied().unwrap_or(0),
        segments: firsts.len(),
        records: 0,
        findings: Vec::new(),
        torn: None,
    };
    for (n, &first) in firsts.iter().enumerate() {
        let name = segment_name(first);
        let until = firsts.get(n + 1).copied();
        let scanned = match scan_segment(storage, first, until) {
            Ok(scanned) => scanned,
            // Trimmed away by the process that writes, while this one was checking.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(io_error(storage, "read", Some(&name), source)),
        };
        match scanned {
            Ok(scanned) => {
                report.records += scanned.records;
                report.findings.extend(scanned.findings);
                report.torn = scanned.torn;
                report.next_position = until.unwrap_or(scanned.walker.next);
            }
            Err(SegmentHeaderError::Version(version)) => {
                return Err(OpenError::Version {
                    place: place(storage, Some(&name)),
                    version,
                });
            }
            Err(SegmentHeaderError::Damaged) => report.findings.push(Damage {
                file: name,
                offset: 0,
                positions: first..until.unwrap_or(first),
            }),
        }
    }
    Ok(report)
}
