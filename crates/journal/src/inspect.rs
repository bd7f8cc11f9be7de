//! Looking at the bytes of a sealed segment as they pass by, for whoever copies it and will not read it twice.

use crate::format::{
    BLOCK_HEADER_BYTES, BlockHeader, Chain, SEGMENT_HEADER_BYTES, SegmentHeader, segment_name,
};

/// A sealed segment's bytes, looked at in order: is each block up to the next segment there and whole, and does it
/// fit the hash of those before it? Memory in use is one block and what is given at once.
///
/// Positions that are left out at the segment's end are no damage of it: the journal does so on purpose when it has lost
/// records (see [`crate::Journal::begin_at`]), and [`crate::check`] tells them.
pub struct SegmentInspection {
    first: u64,
    until: u64,
    header: Option<SegmentHeader>,
    /// The chain behind the block before; `None` where the format has none.
    chain: Option<Chain>,
    next: u64,
    /// What was given and is not looked at yet, and where in the file it begins.
    held: Vec<u8>,
    offset: u64,
    /// Bytes between a block's end and the next one's start.
    skip: usize,
    /// Where zeros stand in place of a block.
    ended: Option<u64>,
    wrong: Option<String>,
}

impl SegmentInspection {
    /// For the segment that begins with `first`, when the next one begins with `until`.
    pub fn new(first: u64, until: u64) -> Self {
        Self {
            first,
            until,
            header: None,
            chain: None,
            next: first,
            held: Vec::new(),
            offset: 0,
            skip: 0,
            ended: None,
            wrong: None,
        }
    }

    /// Takes the next bytes of the file.
    pub fn look(&mut self, bytes: &[u8]) {
        if self.wrong.is_some() {
            return;
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let mut at = 0;
        while self.wrong.is_none()
            && let Some(used) = self.step(&held[at..])
        {
            at += used;
            self.offset += used as u64;
        }
        held.drain(..at);
        self.held = held;
    }

    /// What is wrong with all that was given, in a sentence; `None` when nothing is.
    pub fn verdict(&mut self) -> Option<String> {
        if self.wrong.is_none() && self.next < self.until {
            if self.header.is_none() {
                self.wrong = Some("the file ends within its head".to_owned());
            } else if self.held.iter().any(|byte| *byte != 0) {
                self.wrong = Some(format!(
                    "record {}: the file ends within a block at byte {}",
                    self.next, self.offset
                ));
            }
        }
        self.wrong.clone()
    }

    /// Looks at what comes next; gives how many bytes that was, `None` when more must be known.
    fn step(&mut self, bytes: &[u8]) -> Option<usize> {
        if bytes.is_empty() {
            return None;
        }
        if self.skip > 0 {
            let passed = self.skip.min(bytes.len());
            self.skip -= passed;
            return Some(passed);
        }
        let Some(header) = self.header else {
            let head = bytes.get(..SEGMENT_HEADER_BYTES)?;
            match SegmentHeader::decode(head) {
                Ok(header) if header.first_position == self.first => {
                    self.chain = header.is_chained().then_some(header.chain);
                    self.header = Some(header);
                }
                _ => {
                    self.wrong = Some(format!(
                        "it is not the head of {}",
                        segment_name(self.first)
                    ))
                }
            }
            return Some(SEGMENT_HEADER_BYTES);
        };
        if self.next >= self.until {
            // What a write left that failed; the next segment has those records.
            return Some(bytes.len());
        }
        if let Some(ended) = self.ended {
            if bytes.iter().any(|byte| *byte != 0) {
                self.wrong = Some(self.told(ended));
            }
            return Some(bytes.len());
        }
        let head = bytes.get(..BLOCK_HEADER_BYTES)?;
        if head.iter().all(|byte| *byte == 0) {
            self.ended = Some(self.offset);
            return Some(BLOCK_HEADER_BYTES);
        }
        let block = BlockHeader::decode(head, header.salt)
            .filter(|block| block.first_position == self.next);
        let Some(block) = block else {
            self.wrong = Some(self.told(self.offset));
            return Some(bytes.len());
        };
        let end = BLOCK_HEADER_BYTES + block.length as usize;
        let records = bytes.get(BLOCK_HEADER_BYTES..end)?;
        if crc32c::crc32c(records) != block.records_crc {
            self.wrong = Some(self.told(self.offset));
            return Some(bytes.len());
        }
        if let Some(chain) = self.chain {
            if chain != block.chain {
                self.wrong = Some(format!(
                    "record {}: the hash chain breaks at byte {}",
                    self.next, self.offset
                ));
                return Some(bytes.len());
            }
            self.chain = Some(chain.behind(&block, records));
        }
        self.next = block.end_position();
        self.skip = usize::try_from(block.stride())
            .unwrap_or(end)
            .saturating_sub(end);
        Some(end)
    }

    fn told(&self, offset: u64) -> String {
        format!(
            "record {}: the block at byte {offset} is damaged",
            self.next
        )
    }
}
