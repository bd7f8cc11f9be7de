//! What can go wrong, told with the place and the mend.

use std::fmt;
use std::io;
use std::ops::Range;

/// Why a journal could not be opened or checked.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process (or this one) writes this directory.
    #[error("{place} is already open for writing; stop the other process that serves it first")]
    Locked {
        /// The directory.
        place: String,
    },
    /// The options contradict each other.
    #[error("journal option {option} is {value}: {mend}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// What it was set to.
        value: u64,
        /// What would do.
        mend: String,
    },
    /// Nothing of the last segment can be understood, so the journal does not know where it ends.
    #[error(
        "{place}: neither the segment's head nor its first block can be read; put the file back from a copy, or move it away to go on without its records"
    )]
    Damaged {
        /// The file.
        place: String,
    },
    /// The last segment was written by a newer program.
    #[error(
        "{place}: format version {version} is newer than this program; run the version that wrote it"
    )]
    Version {
        /// The file.
        place: String,
        /// The version found.
        version: u16,
    },
    /// The operating system said no.
    #[error("{place}: cannot {action}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The directory or file.
        place: String,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Why a record was not taken. Nothing of it is kept, and no position was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// More waits than `buffer_bytes_max` holds: the disk is slower than the doors. Try again soon.
    #[error("the journal's buffer is full; send again in a moment")]
    Busy,
    /// The disk is full; reading goes on, and writing resumes by itself when there is room.
    #[error("the journal's disk is full; make room, writing resumes by itself")]
    Full,
    /// The disk is read-only, as the system makes it when it no longer trusts it.
    #[error(
        "the journal's disk is read-only; see why in the system's log and make it writable, writing resumes by itself"
    )]
    ReadOnly,
    /// The process may open no more files.
    #[error(
        "no file handle is left for the journal; raise the limit (ulimit -n) or close connections, writing resumes by itself"
    )]
    NoHandles,
    /// The record is longer than `record_bytes_max`.
    #[error("the record has {bytes} bytes; at most {bytes_max} are taken")]
    TooLarge {
        /// The record's length.
        bytes: usize,
        /// The most that is taken.
        bytes_max: usize,
    },
    /// The disk refuses to write, or the journal was closed.
    #[error("the journal cannot write; see the log for the disk's error")]
    Failed,
}

/// Why a record is not durable. It may still become so later: its writer was told "no" and sends it
/// again, so that the worst is a record twice, never an acknowledged record lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// The disk is full.
    #[error("the record is not durable: the journal's disk is full")]
    Full,
    /// The disk is read-only.
    #[error(
        "the record is not durable: the journal's disk is read-only; see why in the system's log and make it writable"
    )]
    ReadOnly,
    /// The process may open no more files.
    #[error(
        "the record is not durable: no file handle is left for the journal; raise the limit (ulimit -n) or close connections"
    )]
    NoHandles,
    /// The disk refuses to write.
    #[error("the record is not durable: the journal cannot write")]
    Failed,
    /// The journal was closed before the record was on disk.
    #[error("the record is not durable: the journal was closed")]
    Closed,
}

/// Why nothing is being written at the moment. The journal tries again every `retry_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stall {
    /// The disk is full.
    Full,
    /// The disk is read-only.
    ReadOnly,
    /// No file handle is left.
    NoHandles,
    /// Writing or syncing fails.
    Failed,
}

impl Stall {
    /// From what the disk answered.
    pub(crate) fn of(error: &io::Error) -> Self {
        // EMFILE of the process and ENFILE of the system have no kind of their own.
        const NO_HANDLES: [i32; 2] = [24, 23];
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ if error
                .raw_os_error()
                .is_some_and(|n| NO_HANDLES.contains(&n)) =>
            {
                Self::NoHandles
            }
            _ => Self::Failed,
        }
    }
}

impl From<Stall> for AppendError {
    fn from(stall: Stall) -> Self {
        match stall {
            Stall::Full => Self::Full,
            Stall::ReadOnly => Self::ReadOnly,
            Stall::NoHandles => Self::NoHandles,
            Stall::Failed => Self::Failed,
        }
    }
}

impl From<Stall> for WaitError {
    fn from(stall: Stall) -> Self {
        match stall {
            Stall::Full => Self::Full,
            Stall::ReadOnly => Self::ReadOnly,
            Stall::NoHandles => Self::NoHandles,
            Stall::Failed => Self::Failed,
        }
    }
}

/// What is wrong with a stretch of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// It was durable once and cannot be read any more.
    Unreadable,
    /// It reads well, but the hash chain shows that it is not what was written.
    Altered,
    /// A chain value that was noted elsewhere does not fit: somewhere in this stretch, records were
    /// changed, or taken away from its end.
    Unproven,
}

/// A stretch of the journal that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What is wrong.
    pub kind: DamageKind,
    /// The file, within the journal's directory.
    pub file: String,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// The records concerned.
    pub positions: Range<u64>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            DamageKind::Unreadable => {
                "are damaged; put the file back from a copy, or go on without them"
            }
            DamageKind::Altered => {
                "are not what was written: the hash chain breaks behind them; put the file back from a copy and find out who changed it"
            }
            DamageKind::Unproven => {
                "are not those that the noted hash stands for; compare with a copy and find out who changed or removed records"
            }
        };
        write!(
            f,
            "{} at byte {}: records {} to {} {what}",
            self.file,
            self.offset,
            self.positions.start,
            self.positions.end.saturating_sub(1)
        )
    }
}

/// Why records could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Records are damaged. Told once; the reader's next call goes on behind them.
    #[error("{0}")]
    Damaged(Damage),
    /// The records asked for were trimmed away; the oldest kept is `first_position`.
    #[error("the journal begins at position {first_position}; older records were trimmed away")]
    Trimmed {
        /// The oldest position kept.
        first_position: u64,
    },
    /// The operating system said no.
    #[error("{file}: cannot read: {source}")]
    Io {
        /// The file, within the journal's directory.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },
}
