//! The stored format, version 2. All integers are little-endian.
//!
//! ```text
//! segment  file `<first position, 20 digits>.seg`: header, then blocks, each at a multiple of 8 bytes, then zeros
//! header   64 bytes: magic "JLJOURN\0" · version u16 · zeros u16 · crc32c u32 of the rest · first position u64 · salt u64 ·
//!          chain 32 bytes: the hash of all blocks before this segment
//! block    64 bytes: magic "JLBK" · crc32c u32 of salt and the rest · first position u64 · count u32 · length u32 ·
//!          crc32c u32 of the records · zeros u32 · chain 32 bytes: the hash of all blocks before this one;
//!          then `length` bytes of records
//! record   length u32 · crc32c u32 of the bytes · the bytes
//! chain    begins with zeros; behind a block it is BLAKE3 of: the chain before it · first position u64 · count u32 ·
//!          length u32 · the records as stored
//! ```
//! The salt makes it impossible for a device to send bytes that, in a torn block, pass for a block. The
//! checksums find what a disk does; the chain finds what a person does: a block that was changed, with its
//! checksums made to fit, no longer fits the block behind it. Whoever can write the files can also write all
//! that follows anew; a chain value noted elsewhere ([`crate::Anchor`]) shows that too.
//!
//! Why BLAKE3: it is kept well, and fast on every processor (AVX-512, AVX2, SSE4.1 and NEON in the crate itself),
//! where SHA-256 is fast only with instructions that many servers lack. The figures are in `bench/journal`.
//!
//! Version 1 had zeros in both chain fields. Its segments stay readable; their chain is taken as if each
//! began with zeros, so that the first segment of version 2 vouches for the last of version 1.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// The version that this program writes; it reads every version up to it.
pub const FORMAT_VERSION: u16 = 2;
/// The first version whose heads carry the chain.
const CHAIN_SINCE_VERSION: u16 = 2;
/// Bytes in front of a segment's first block.
pub const SEGMENT_HEADER_BYTES: usize = 64;
/// Bytes in front of a block's records.
pub const BLOCK_HEADER_BYTES: usize = 64;
/// Bytes in front of each record.
pub const RECORD_HEADER_BYTES: usize = 8;
/// Bytes of a chain value.
pub const CHAIN_BYTES: usize = 32;
/// Where the chain stands in both kinds of heads.
const CHAIN_AT: usize = 32;
/// Blocks start at multiples of this.
pub const ALIGNMENT_BYTES: u64 = 8;

const SEGMENT_MAGIC: &[u8; 8] = b"JLJOURN\0";
/// The first bytes of a block.
pub const BLOCK_MAGIC: &[u8; 4] = b"JLBK";

/// The next multiple of [`ALIGNMENT_BYTES`].
pub const fn aligned(offset: u64) -> u64 {
    offset.next_multiple_of(ALIGNMENT_BYTES)
}

/// The file name of the segment that starts at `first_position`.
pub fn segment_name(first_position: u64) -> String {
    format!("{first_position:020}.seg")
}

/// The first position that a segment's file name tells; `None` when it is no segment's name.
pub fn segment_first_position(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}
/// The little-endian integer at `at`; the caller has checked the length.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// The hash of every block up to some place in the journal; zeros before the first.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Chain(pub [u8; CHAIN_BYTES]);

impl Chain {
    /// The chain behind a block that follows this one.
    #[must_use]
    pub fn behind(self, header: &BlockHeader, records: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(&header.first_position.to_le_bytes());
        hasher.update(&header.count.to_le_bytes());
        hasher.update(&header.length.to_le_bytes());
        hasher.update(records);
        Self(*hasher.finalize().as_bytes())
    }

    fn read(head: &[u8]) -> Self {
        let mut chain = Self::default();
        chain
            .0
            .copy_from_slice(&head[CHAIN_AT..CHAIN_AT + CHAIN_BYTES]);
        chain
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Chain {
    type Err = ();

    /// Reads 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut chain = Self::default();
        if text.len() != 2 * CHAIN_BYTES || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(());
        }
        for (n, byte) in chain.0.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).map_err(|_| ())?;
        }
        Ok(chain)
    }
}

/// What stands at the head of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The format that its blocks are written in, 1 to [`FORMAT_VERSION`].
    pub version: u16,
    /// Position of the segment's first record.
    pub first_position: u64,
    /// Mixed into every block's checksum.
    pub salt: u64,
    /// The hash of all blocks before the segment; zeros in version 1.
    pub chain: Chain,
}

/// Why bytes are not a segment's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentHeaderError {
    /// Written by a newer program.
    Version(u16),
    /// Magic or checksum do not fit.
    Damaged,
}

impl SegmentHeader {
    /// The stored form.
    pub fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut out = [0; SEGMENT_HEADER_BYTES];
        out[0..8].copy_from_slice(SEGMENT_MAGIC);
        out[8..10].copy_from_slice(&self.version.to_le_bytes());
        out[16..24].copy_from_slice(&self.first_position.to_le_bytes());
        out[24..32].copy_from_slice(&self.salt.to_le_bytes());
        out[CHAIN_AT..].copy_from_slice(&self.chain.0);
        let crc = Self::crc(&out);
        out[12..16].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, SegmentHeaderError> {
        if bytes.len() < SEGMENT_HEADER_BYTES || &bytes[0..8] != SEGMENT_MAGIC {
            return Err(SegmentHeaderError::Damaged);
        }
        let bytes = &bytes[..SEGMENT_HEADER_BYTES];
        if u32_at(bytes, 12) != Self::crc(bytes) {
            return Err(SegmentHeaderError::Damaged);
        }
        match u16_at(bytes, 8) {
            version @ 1..=FORMAT_VERSION => Ok(Self {
                version,
                first_position: u64_at(bytes, 16),
                salt: u64_at(bytes, 24),
                chain: Chain::read(bytes),
            }),
            version => Err(SegmentHeaderError::Version(version)),
        }
    }

    /// Whether the segment's heads carry the chain.
    pub const fn is_chained(&self) -> bool {
        self.version >= CHAIN_SINCE_VERSION
    }

    fn crc(bytes: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&bytes[0..12]), &bytes[16..])
    }
}

/// What stands at the head of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// Position of the block's first record.
    pub first_position: u64,
    /// Number of records, at least 1.
    pub count: u32,
    /// Bytes of records behind the header.
    pub length: u32,
    /// Checksum of those bytes.
    pub records_crc: u32,
    /// The hash of all blocks before this one; zeros in version 1.
    pub chain: Chain,
}

impl BlockHeader {
    /// The stored form in a segment of that salt.
    pub fn encode(&self, salt: u64) -> [u8; BLOCK_HEADER_BYTES] {
        let mut out = [0; BLOCK_HEADER_BYTES];
        out[0..4].copy_from_slice(BLOCK_MAGIC);
        out[8..16].copy_from_slice(&self.first_position.to_le_bytes());
        out[16..20].copy_from_slice(&self.count.to_le_bytes());
        out[20..24].copy_from_slice(&self.length.to_le_bytes());
        out[24..28].copy_from_slice(&self.records_crc.to_le_bytes());
        out[CHAIN_AT..].copy_from_slice(&self.chain.0);
        let crc = Self::crc(&out, salt);
        out[4..8].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads the stored form; `None` when these bytes are no block's head.
    pub fn decode(bytes: &[u8], salt: u64) -> Option<Self> {
        let bytes = bytes.get(..BLOCK_HEADER_BYTES)?;
        let header = Self::decode_unsalted(bytes)?;
        (u32_at(bytes, 4) == Self::crc(bytes, salt)).then_some(header)
    }

    /// Reads the stored form without its checksum, for a segment whose salt is lost. To be believed only
    /// where the block before says that a block must begin, and with a good checksum of the records.
    pub fn decode_unsalted(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..BLOCK_HEADER_BYTES)?;
        if &bytes[0..4] != BLOCK_MAGIC {
            return None;
        }
        let header = Self {
            first_position: u64_at(bytes, 8),
            count: u32_at(bytes, 16),
            length: u32_at(bytes, 20),
            records_crc: u32_at(bytes, 24),
            chain: Chain::read(bytes),
        };
        let least = u64::from(header.count) * RECORD_HEADER_BYTES as u64;
        let plausible = header.count > 0
            && u64::from(header.length) >= least
            && header
                .first_position
                .checked_add(u64::from(header.count))
                .is_some();
        plausible.then_some(header)
    }

    /// The position behind the block's last record.
    pub const fn end_position(&self) -> u64 {
        self.first_position + self.count as u64
    }

    /// Bytes from one block's start to the next one's.
    pub const fn stride(&self) -> u64 {
        aligned(BLOCK_HEADER_BYTES as u64 + self.length as u64)
    }

    fn crc(bytes: &[u8], salt: u64) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&salt.to_le_bytes()), &bytes[8..])
    }
}

/// Appends one record's stored form, given the checksum of its bytes.
pub fn push_record(out: &mut Vec<u8>, record: &[u8], crc: u32) {
    // The caller has checked the length against `record_bytes_max`, which fits.
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(record);
}

/// Where each of a block's `count` records lies in `records`; `None` for one that is damaged.
/// Damage to one record's bytes costs that record; damage to a length costs those behind it too.
pub fn record_ranges(records: &[u8], count: u32) -> Vec<Option<Range<usize>>> {
    // A block that is shorter than its count tells was refused with its header, so this is bounded.
    let mut out = Vec::with_capacity(count as usize);
    let mut at = 0usize;
    for _ in 0..count {
        let start = at + RECORD_HEADER_BYTES;
        let end = records
            .get(at..start)
            .map(|head| start + u32_at(head, 0) as usize)
            .filter(|end| *end <= records.len());
        let Some(end) = end else {
            out.push(None);
            continue;
        };
        let good = crc32c::crc32c(&records[start..end]) == u32_at(records, at + 4);
        out.push(good.then_some(start..end));
        at = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_come_back_and_every_flipped_bit_shows() {
        let chain = Chain([0xc5; CHAIN_BYTES]);
        let segment = SegmentHeader {
            version: FORMAT_VERSION,
            first_position: 7,
            salt: 0x1234_5678_9abc_def0,
            chain,
        };
        let block = BlockHeader {
            first_position: 7,
            count: 2,
            length: 40,
            records_crc: 99,
            chain,
        };
        let (a, b) = (segment.encode(), block.encode(5));
        assert_eq!(SegmentHeader::decode(&a), Ok(segment));
        assert_eq!(BlockHeader::decode(&b, 5), Some(block));
        assert_eq!(BlockHeader::decode(&b, 6), None, "another segment's salt");
        for bit in 0..64 * 8 {
            let flip = |bytes: &[u8; 64]| {
                let mut bytes = *bytes;
                bytes[bit / 8] ^= 1 << (bit % 8);
                bytes
            };
            assert!(SegmentHeader::decode(&flip(&a)).is_err(), "bit {bit}");
            assert_eq!(BlockHeader::decode(&flip(&b), 5), None, "bit {bit}");
        }
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        let with_version = |version| SegmentHeader {
            version,
            first_position: 0,
            salt: 0,
            chain: Chain::default(),
        };
        for version in [0, FORMAT_VERSION + 1] {
            assert_eq!(
                SegmentHeader::decode(&with_version(version).encode()),
                Err(SegmentHeaderError::Version(version))
            );
        }
        for version in 1..=FORMAT_VERSION {
            let header = with_version(version);
            assert_eq!(SegmentHeader::decode(&header.encode()), Ok(header));
        }
    }

    #[test]
    fn the_chain_is_blake3_of_what_came_before_and_the_block() {
        let block = BlockHeader {
            first_position: 7,
            count: 2,
            length: 5,
            records_crc: 99,
            chain: Chain([3; CHAIN_BYTES]),
        };
        let mut bytes = vec![3; CHAIN_BYTES];
        bytes.extend_from_slice(&7u64.to_le_bytes());
        bytes.extend_from_slice(&2u32.to_le_bytes());
        bytes.extend_from_slice(&5u32.to_le_bytes());
        bytes.extend_from_slice(b"12345");
        let chain = block.chain.behind(&block, b"12345");
        assert_eq!(chain.0, *blake3::hash(&bytes).as_bytes());
        assert_eq!(chain.to_string().parse(), Ok(chain));
        assert_eq!("12".parse::<Chain>(), Err(()));
        assert_eq!("é".repeat(32).parse::<Chain>(), Err(()));
    }

    #[test]
    fn names() {
        assert_eq!(segment_first_position(&segment_name(42)), Some(42));
        assert_eq!(
            segment_first_position(&segment_name(u64::MAX)),
            Some(u64::MAX)
        );
        for name in ["42.seg", "spare.tmp", "+0000000000000000042.seg", "lock"] {
            assert_eq!(segment_first_position(name), None, "{name}");
        }
    }

    #[test]
    fn one_damaged_record_costs_itself_alone() {
        let mut bytes = Vec::new();
        for record in [&b"one"[..], b"two", b"three"] {
            push_record(&mut bytes, record, crc32c::crc32c(record));
        }
        bytes[RECORD_HEADER_BYTES + 3 + RECORD_HEADER_BYTES] ^= 1;
        let ranges = record_ranges(&bytes, 3);
        assert_eq!(&bytes[ranges[0].clone().unwrap()], b"one");
        assert_eq!(ranges[1], None);
        assert_eq!(&bytes[ranges[2].clone().unwrap()], b"three");
    }
}
