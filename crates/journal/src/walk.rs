//! Going through one segment block by block: shared by readers, recovery and the check.

use crate::format::{
    ALIGNMENT_BYTES, BLOCK_HEADER_BYTES, BLOCK_MAGIC, BlockHeader, SEGMENT_HEADER_BYTES,
    SegmentHeader, SegmentHeaderError, aligned,
};
use crate::storage::StorageFile;
use bytes::Bytes;
use std::io;

/// How much is read at once.
const READ_AHEAD_BYTES: usize = 256 * 1024;
/// How much is looked through at once when searching behind damage.
const SEARCH_BYTES: usize = 64 * 1024;
static ZEROS: [u8; SEARCH_BYTES] = [0; SEARCH_BYTES];

/// One block as read.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where it begins in the file.
    pub offset: u64,
    /// Its head, whose checksum held.
    pub header: BlockHeader,
    /// Its records.
    pub records: Bytes,
    /// Whether the records' checksum held.
    pub good: bool,
}

/// What comes next in a segment.
#[derive(Debug)]
pub enum Step {
    /// The block that holds the next position.
    Block(Block),
    /// The next position is unreadable; the next block that can be read begins at `resume_position`.
    Gap {
        /// Where the unreadable stretch begins.
        offset: u64,
        /// The position behind the gap.
        resume_position: u64,
    },
    /// No block with the next position or a later one follows.
    Nothing {
        /// Where the search began.
        offset: u64,
    },
}

/// A place in a segment, moved forward block by block.
pub struct Walker {
    file: Box<dyn StorageFile>,
    header: SegmentHeader,
    /// The position expected next.
    pub next: u64,
    /// Where its block begins, in bytes.
    pub offset: u64,
    window: Bytes,
    window_offset: u64,
}

impl Walker {
    /// Reads the segment's head and stands before its first block.
    pub fn new(
        file: Box<dyn StorageFile>,
        first_position: u64,
    ) -> io::Result<Result<Self, SegmentHeaderError>> {
        let mut head = [0; SEGMENT_HEADER_BYTES];
        let n = file.read_at(&mut head, 0)?;
        Ok(SegmentHeader::decode(&head[..n]).and_then(|header| {
            if header.first_position != first_position {
                return Err(SegmentHeaderError::Damaged);
            }
            Ok(Self {
                file,
                header,
                next: first_position,
                offset: SEGMENT_HEADER_BYTES as u64,
                window: Bytes::new(),
                window_offset: 0,
            })
        }))
    }

    /// The segment's head.
    pub const fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// Moves to a known block: one that begins at `offset` with `position`.
    pub fn jump(&mut self, position: u64, offset: u64) {
        self.next = position;
        self.offset = offset;
    }

    /// Reads what comes next and moves behind it.
    pub fn step(&mut self) -> io::Result<Step> {
        let mut block = self.block_at(self.offset)?;
        if block.as_ref().is_none_or(|b| !b.good) {
            // What was read ahead may be older than what is durable by now: look again.
            self.window = Bytes::new();
            block = self.block_at(self.offset)?;
        }
        if let Some(block) = block.filter(|b| b.header.first_position == self.next) {
            self.next = block.header.end_position();
            self.offset += block.header.stride();
            return Ok(Step::Block(block));
        }
        let offset = self.offset;
        Ok(match self.find(offset, self.next)? {
            Some((found, header)) => {
                self.jump(header.first_position, found);
                Step::Gap {
                    offset,
                    resume_position: header.first_position,
                }
            }
            None => Step::Nothing { offset },
        })
    }

    /// The first whole block at or behind `offset` that begins with `position_min` or later.
    pub fn find(
        &mut self,
        offset: u64,
        position_min: u64,
    ) -> io::Result<Option<(u64, BlockHeader)>> {
        let mut base = aligned(offset);
        let mut buffer = vec![0; SEARCH_BYTES];
        loop {
            let n = self.file.read_at(&mut buffer, base)?;
            if n < BLOCK_HEADER_BYTES {
                return Ok(None);
            }
            let last = n - BLOCK_HEADER_BYTES;
            if buffer[..n] != ZEROS[..n] {
                for at in (0..=last).step_by(ALIGNMENT_BYTES as usize) {
                    if !buffer[at..].starts_with(BLOCK_MAGIC) {
                        continue;
                    }
                    let found = base + at as u64;
                    if let Some(block) = self.block_at(found)?
                        && block.good
                        && block.header.first_position >= position_min
                    {
                        return Ok(Some((found, block.header)));
                    }
                }
            }
            base += (last as u64 / ALIGNMENT_BYTES + 1) * ALIGNMENT_BYTES;
        }
    }

    /// Where the last byte that is not zero ends, at or behind `offset`; `None` when all are zero.
    pub fn last_nonzero(&self, offset: u64) -> io::Result<Option<u64>> {
        let mut base = offset;
        let mut buffer = vec![0; SEARCH_BYTES];
        let mut end = None;
        loop {
            let n = self.file.read_at(&mut buffer, base)?;
            if n == 0 {
                return Ok(end);
            }
            if buffer[..n] != ZEROS[..n]
                && let Some(at) = buffer[..n].iter().rposition(|b| *b != 0)
            {
                end = Some(base + at as u64 + 1);
            }
            base += n as u64;
        }
    }

    fn block_at(&mut self, offset: u64) -> io::Result<Option<Block>> {
        let Some(head) = self.bytes(offset, BLOCK_HEADER_BYTES)? else {
            return Ok(None);
        };
        let Some(header) = BlockHeader::decode(&head, self.header.salt) else {
            return Ok(None);
        };
        let start = offset + BLOCK_HEADER_BYTES as u64;
        let Some(records) = self.bytes(start, header.length as usize)? else {
            return Ok(None);
        };
        let good = crc32c::crc32c(&records) == header.records_crc;
        Ok(Some(Block {
            offset,
            header,
            records,
            good,
        }))
    }

    /// `length` bytes at `offset`, read ahead; `None` when the file ends before.
    fn bytes(&mut self, offset: u64, length: usize) -> io::Result<Option<Bytes>> {
        let held = |window: &Bytes, base: u64| {
            let at = usize::try_from(offset.checked_sub(base)?).ok()?;
            let end = at.checked_add(length)?;
            (end <= window.len()).then(|| window.slice(at..end))
        };
        if let Some(bytes) = held(&self.window, self.window_offset) {
            return Ok(Some(bytes));
        }
        if length > READ_AHEAD_BYTES && offset + length as u64 > self.file.size()? {
            return Ok(None);
        }
        let mut buffer = vec![0; length.max(READ_AHEAD_BYTES)];
        let n = self.file.read_at(&mut buffer, offset)?;
        buffer.truncate(n);
        self.window = Bytes::from(buffer);
        self.window_offset = offset;
        Ok(held(&self.window, offset))
    }
}
