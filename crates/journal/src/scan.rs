//! Going through a whole directory without changing it: recovery's first half, and the check.

use crate::error::{Damage, DamageKind, OpenError};
use crate::format::{
    BLOCK_HEADER_BYTES, BlockHeader, Chain, SEGMENT_HEADER_BYTES, SegmentHeaderError,
    record_ranges, segment_first_position, segment_name,
};
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
    /// The hash chain over all blocks: note it elsewhere with `next_position` as an [`Anchor`]. Zeros when
    /// the last block is damaged.
    pub chain: Chain,
}

/// A chain value that was noted at some time, outside the journal's directory: what [`Report::chain`] or
/// [`crate::Recovery::chain`] said then. It shows changes that were made with the whole chain written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The chain covers all records below this position.
    pub position: u64,
    /// Its value.
    pub chain: Chain,
}

/// The chain behind a block, and the finding to tell when what follows does not fit it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub chain: Chain,
    blame: Damage,
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
    /// The chain behind the last block; `None` when that block is damaged.
    pub link: Option<Link>,
}

/// Goes through the segment that begins at `first`. `until`: the next segment's first position; `None`
/// for the last segment, whose end is found. `before`: the chain at the end of the segment before, when
/// it is known. `anchors` that hold are taken out.
pub(crate) fn scan_segment(
    storage: &dyn Storage,
    first: u64,
    until: Option<u64>,
    before: Option<&Link>,
    anchors: &mut Vec<Anchor>,
) -> io::Result<Result<Scanned, SegmentHeaderError>> {
    let name = segment_name(first);
    let walker = match Walker::new(storage.open(&name, false)?, first)? {
        Ok(walker) => walker,
        Err(error) => return Ok(Err(error)),
    };
    let header = *walker.header();
    let mut out = Scanned {
        walker,
        last_block: None,
        records: 0,
        findings: Vec::new(),
        torn: None,
        link: None,
    };
    let limit = until.unwrap_or(u64::MAX);
    let damage = |kind, offset, positions| Damage {
        kind,
        file: name.clone(),
        offset,
        positions,
    };
    let unreadable = |offset, positions| damage(DamageKind::Unreadable, offset, positions);
    if header.is_chained()
        && let Some(before) = before
        && before.chain != header.chain
    {
        out.findings.push(before.blame.clone());
    }
    // Zeros for version 1, which has no chain: see the format.
    out.link = Some(Link {
        chain: header.chain,
        blame: damage(DamageKind::Altered, 0, first..first),
    });
    while out.walker.next < limit {
        let (position, offset) = (out.walker.next, out.walker.offset);
        let step = out.walker.step()?;
        match step {
            Step::Block(block) => {
                if !block.good {
                    let behind = out.walker.find(out.walker.offset, out.walker.next)?;
                    if until.is_none() && behind.is_none() {
                        // The last block of all: its write was cut off.
                        out.walker.jump(position, offset);
                        out.torn = torn(&out.walker, &name)?;
                        break;
                    }
                }
                let end = block.header.end_position().min(limit);
                let link = out.link.take();
                let chain = if header.is_chained() {
                    if let Some(link) = &link
                        && link.chain != block.header.chain
                    {
                        let mut blame = link.blame.clone();
                        if blame.positions.is_empty() {
                            // The segment's own head does not fit its first block.
                            blame.positions = position..end;
                        }
                        out.findings.push(blame);
                    }
                    anchors.retain(|a| a.position != position || a.chain != block.header.chain);
                    Some(block.header.chain)
                } else {
                    link.map(|link| link.chain)
                };
                if block.good {
                    out.records += end - position;
                    out.link = chain.map(|chain| Link {
                        chain: chain.behind(&block.header, &block.records),
                        blame: damage(DamageKind::Altered, offset, position..end),
                    });
                } else {
                    let ranges = record_ranges(&block.records, block.header.count);
                    for (at, range) in (position..limit).zip(ranges) {
                        match (range, out.findings.last_mut()) {
                            (Some(_), _) => out.records += 1,
                            (None, Some(last))
                                if last.kind == DamageKind::Unreadable
                                    && last.positions.end == at
                                    && last.offset == offset =>
                            {
                                last.positions.end += 1;
                            }
                            (None, _) => out.findings.push(unreadable(offset, at..at + 1)),
                        }
                    }
                }
                out.last_block = Some((position, offset));
            }
            Step::Gap {
                resume_position, ..
            } => {
                let end = resume_position.min(limit);
                out.findings.push(unreadable(offset, position..end));
                out.link = None;
            }
            Step::Nothing { .. } => {
                match until {
                    Some(until) => {
                        out.findings.push(unreadable(offset, position..until));
                        out.link = None;
                    }
                    None => out.torn = torn(&out.walker, &name)?,
                }
                break;
            }
        }
    }
    if let Some(link) = &out.link {
        let end = out.walker.next.min(limit);
        anchors.retain(|a| a.position != end || a.chain != link.chain);
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

/// The last segment, gone through or, when its head is damaged, told with the position where it ends.
pub(crate) enum Last {
    Scanned(Box<Scanned>),
    Headless { next: u64, damage: Damage },
}

impl Last {
    /// The position behind its last record.
    pub fn next(&self) -> u64 {
        match self {
            Self::Scanned(scanned) => scanned.walker.next,
            Self::Headless { next, .. } => *next,
        }
    }
}

/// Goes through the last segment.
pub(crate) fn scan_last(storage: &dyn Storage, first: u64) -> Result<Last, OpenError> {
    let name = segment_name(first);
    let io = |source| io_error(storage, "read", Some(&name), source);
    match scan_segment(storage, first, None, None, &mut Vec::new()).map_err(io)? {
        Ok(scanned) => Ok(Last::Scanned(Box::new(scanned))),
        Err(SegmentHeaderError::Version(version)) => Err(OpenError::Version {
            place: place(storage, Some(&name)),
            version,
        }),
        Err(SegmentHeaderError::Damaged) => {
            let next = headless_end(storage, &name, first).map_err(io)?;
            if next == first {
                return Err(OpenError::Damaged {
                    place: place(storage, Some(&name)),
                });
            }
            Ok(Last::Headless {
                next,
                damage: Damage {
                    kind: DamageKind::Unreadable,
                    file: name,
                    offset: 0,
                    positions: first..next,
                },
            })
        }
    }
}

/// Where the records of a segment without a head end, so that their positions are not given again: block
/// behind block, each where the one before says, with the position that it must have and good records.
fn headless_end(storage: &dyn Storage, name: &str, first: u64) -> io::Result<u64> {
    let file = storage.open(name, false)?;
    let (mut next, mut offset) = (first, SEGMENT_HEADER_BYTES as u64);
    let mut head = [0; BLOCK_HEADER_BYTES];
    loop {
        let n = file.read_at(&mut head, offset)?;
        let Some(header) = BlockHeader::decode_unsalted(&head[..n]) else {
            return Ok(next);
        };
        let start = offset + BLOCK_HEADER_BYTES as u64;
        if header.first_position != next || start + u64::from(header.length) > file.size()? {
            return Ok(next);
        }
        let mut records = vec![0; header.length as usize];
        let n = file.read_at(&mut records, start)?;
        if crc32c::crc32c(&records[..n]) != header.records_crc {
            return Ok(next);
        }
        next = header.end_position();
        offset += header.stride();
    }
}

/// Reads every byte of the journal in `dir` and verifies it, changing nothing. The journal may be
/// open elsewhere at the same time. `anchors`: chain values noted before, which must still hold; those of
/// positions that were trimmed away since cannot be verified and are left out.
///
/// # Errors
/// [`OpenError`] when the directory or a file cannot be read at all; damage is no error but a finding.
pub fn check(dir: impl AsRef<Path>, anchors: &[Anchor]) -> Result<Report, OpenError> {
    check_on(
        &(Arc::new(RealStorage::new(dir)) as Arc<dyn Storage>),
        anchors,
    )
}

/// [`check`] on any storage.
///
/// # Errors
/// As [`check`].
pub fn check_on(storage: &Arc<dyn Storage>, anchors: &[Anchor]) -> Result<Report, OpenError> {
    let storage = storage.as_ref();
    let firsts = segment_firsts(storage)?;
    let first = firsts.first().copied().unwrap_or(0);
    let mut report = Report {
        first_position: first,
        next_position: first,
        segments: firsts.len(),
        records: 0,
        findings: Vec::new(),
        torn: None,
        chain: Chain::default(),
    };
    let mut open_anchors: Vec<Anchor> = anchors.to_vec();
    open_anchors.retain(|anchor| anchor.position >= first);
    if firsts.is_empty() {
        open_anchors.retain(|a| a.position != 0 || a.chain != Chain::default());
    }
    let mut link: Option<Link> = None;
    for (n, &first) in firsts.iter().enumerate() {
        let name = segment_name(first);
        let until = firsts.get(n + 1).copied();
        let before = link.take();
        let scanned = match scan_segment(storage, first, until, before.as_ref(), &mut open_anchors)
        {
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
                report.chain = scanned
                    .link
                    .as_ref()
                    .map_or_else(Chain::default, |link| link.chain);
                link = scanned.link;
            }
            Err(SegmentHeaderError::Version(version)) => {
                return Err(OpenError::Version {
                    place: place(storage, Some(&name)),
                    version,
                });
            }
            Err(SegmentHeaderError::Damaged) => {
                let end = match until {
                    Some(until) => until,
                    None => headless_end(storage, &name, first)
                        .map_err(|source| io_error(storage, "read", Some(&name), source))?,
                };
                report.next_position = end;
                report.chain = Chain::default();
                report.torn = None;
                report.findings.push(Damage {
                    kind: DamageKind::Unreadable,
                    file: name,
                    offset: 0,
                    positions: first..end,
                });
            }
        }
    }
    report
        .findings
        .extend(open_anchors.into_iter().map(|anchor| Damage {
            kind: DamageKind::Unproven,
            file: segment_name(report.first_position),
            offset: 0,
            positions: report.first_position..anchor.position,
        }));
    Ok(report)
}
