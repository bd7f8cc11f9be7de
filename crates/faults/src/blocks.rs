//! Where the records of a journal's files lie, read straight from the bytes, without the journal's own walk.

use crate::SimDisk;
use journal::format::{
    ALIGNMENT_BYTES, BlockHeader, SEGMENT_HEADER_BYTES, SegmentHeader, segment_first_position,
};
use std::collections::BTreeSet;
use std::ops::Range;

/// The bytes of a file that hold some records; all of them are lost at most when one byte changes.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// The file.
    pub file: String,
    /// Its bytes.
    pub bytes: Range<usize>,
    /// Its records.
    pub positions: Range<u64>,
}

/// Every stretch of every segment that counts, in order: each segment's head, which its records hang on,
/// and each block up to the next segment's first position.
pub fn stretches(disk: &SimDisk) -> Vec<Stretch> {
    let mut names = disk.names();
    names.retain(|name| segment_first_position(name).is_some());
    let mut out = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let limit = names
            .get(n + 1)
            .and_then(|next| segment_first_position(next));
        let limit = limit.unwrap_or(u64::MAX);
        let bytes = disk.bytes(name);
        let Ok(segment) = SegmentHeader::decode(&bytes) else {
            continue;
        };
        let mut blocks: Vec<Stretch> = Vec::new();
        let mut at = SEGMENT_HEADER_BYTES;
        while at < bytes.len() {
            let header = BlockHeader::decode(&bytes[at..], segment.salt)
                .filter(|header| header.first_position < limit);
            let Some(header) = header else {
                // Behind a block whose head rotted.
                at += ALIGNMENT_BYTES as usize;
                continue;
            };
            let end = at + header.stride() as usize;
            blocks.push(Stretch {
                file: name.clone(),
                bytes: at..end,
                positions: header.first_position..header.end_position().min(limit),
            });
            at = end;
        }
        let end = blocks
            .last()
            .map_or(segment.first_position, |b| b.positions.end);
        out.push(Stretch {
            file: name.clone(),
            bytes: 0..SEGMENT_HEADER_BYTES,
            positions: segment.first_position..end,
        });
        out.extend(blocks);
    }
    out
}

/// The records that may be lost when the byte `at` of `file` changes.
pub fn lost(stretches: &[Stretch], file: &str, at: usize) -> BTreeSet<u64> {
    stretches
        .iter()
        .filter(|s| s.file == file && s.bytes.contains(&at))
        .flat_map(|s| s.positions.clone())
        .collect()
}
