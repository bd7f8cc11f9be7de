//! The durable log: records of opaque bytes, numbered densely from 0, in preallocated segment files with
//! group commit. It knows nothing of what the bytes mean.
//!
//! ```text
//! let (journal, recovery) = Journal::open(dir, Options::default())?;
//! let position = journal.append(b"...")?;        // a position at once
//! journal.wait_durable(position).await?;         // on disk; only now may anyone be told "yes"
//! let mut reader = journal.read(0);
//! while reader.wait().await { for (position, bytes) in reader.next_batch(1_000)? { ... } }
//! ```
//!
//! What it promises:
//! * a record whose [`Journal::wait_durable`] said yes is read back after any crash of the process;
//! * positions have no holes: what could not be written waits, its waiters are told "no", and new
//!   records are refused until it is written ([`Stall`]);
//! * after a failed sync the block goes to a fresh segment, never again to the same file;
//! * every block carries the hash of all blocks before it, so that changing a stored record shows;
//! * damage is told ([`ReadError::Damaged`], [`check`]), never skipped in silence; a cut-off last
//!   write, which nobody was told yes for, is dropped and told ([`Recovery`]).
//!
//! In reading order: [`mod@format`] (what is on disk), `writer` (group commit), `walk` (block by block),
//! `segments` (where a position lies), `reader`, `scan` (recovery and check), `journal` (the handle), `extent` (cutting),
//! `inspect` (a segment's bytes while somebody copies them).

mod error;
mod extent;
pub mod format;
mod inspect;
mod journal;
mod reader;
mod scan;
mod segments;
pub mod storage;
mod walk;
mod writer;

pub use error::{AppendError, Damage, DamageKind, OpenError, ReadError, Stall, WaitError};
pub use extent::{CutError, Extent, cut, extent};
pub use format::Chain;
pub use inspect::SegmentInspection;
pub use journal::{Journal, Recovery, SegmentFile, Stepper, open_read_only};
pub use reader::Reader;
pub use scan::{Anchor, Report, Torn, check, check_on};
pub use storage::{RealStorage, Storage, StorageFile};
pub use writer::Round;

/// The journal's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Length of a segment file, in bytes (default 64 MiB). Trimming frees whole segments.
    pub segment_bytes: u64,
    /// Most bytes that wait to be written (default 64 MiB); beyond, [`AppendError::Busy`].
    pub buffer_bytes_max: usize,
    /// Longest record, in bytes (default 16 MiB).
    pub record_bytes_max: usize,
    /// Most bytes of records that are synced together (default 4 MiB), unless one record is longer.
    pub block_bytes_max: usize,
    /// When this many appends or more came while the last block was written, the writer lets more gather before the next one
    /// (default 16): fewer syncs and fewer waiters woken, where there are many at once. A few never wait.
    pub gather_appends_min: u64,
    /// How long they gather, in microseconds (default 1,000; 0: never). An acknowledgement comes later by at most this.
    pub gather_us: u64,
    /// How long the writer waits before it tries a stalled disk again, in milliseconds (default 500).
    pub retry_ms: u64,
    /// A reader's batch ends with the record that reaches this many bytes (default 4 MiB).
    pub read_batch_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            segment_bytes: 64 * MIB as u64,
            buffer_bytes_max: 64 * MIB,
            record_bytes_max: 16 * MIB,
            block_bytes_max: 4 * MIB,
            gather_appends_min: 16,
            gather_us: 1_000,
            retry_ms: 500,
            read_batch_bytes_max: 4 * MIB,
        }
    }
}
