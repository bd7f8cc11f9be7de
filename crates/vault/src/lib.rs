//! Copies of folders that can be trusted: a *vault* is a folder on another disk that holds *points*, each the
//! whole of what was copied at one time. What is the same in many points is stored once.
//!
//! ```text
//! VAULT/vault.json            version, id, how it is encrypted
//! VAULT/points/00000007.json  one point: when, what its maker says about it, every file as a list of chunks
//! VAULT/chunks/ab/abcd…       up to 8 MiB of a file, named by the SHA-256 of the stored bytes
//! VAULT/lock                  held for writing by one copy at a time
//! ```
//! What it promises:
//! * a point exists when its file does, and that is renamed into place last: half a copy is never taken for one;
//! * every byte is under a SHA-256 that is checked when it is read, and read back once after it was written;
//! * with encryption, chunks and lists of files are age files (c2sp.org/age): the copying side needs only
//!   the public key, and any age program opens a chunk;
//! * a point's chunks are never changed; taking points away frees only what no other point needs;
//! * where the copying side says what a file must be, a damaged one never takes the place of a good copy.
//!
//! It knows nothing of what the files mean: which of them belong together, and in which order they are copied, is
//! for whoever copies.
//!
//! Reading order: [`point`] (what is stored of a point), `envelope` (a small file with its checksum), `age` and
//! [`keys`] (encryption), [`mod@vault`] (opening, locking, taking away), [`copy`] (writing a point), [`checked`] (files whose
//! bytes can be compared with what they must be), [`read`] (getting files back, verifying).

mod age;
pub mod checked;
pub mod copy;
mod envelope;
pub mod keys;
pub mod point;
pub mod read;
pub mod vault;

pub use checked::{Expected, Inspector};
pub use copy::{Copied, Copy, CopyError};
pub use keys::{Key, Protection};
pub use point::{DamagedFile, FileEntry, Held, Part, Point};
pub use read::{PointDamage, Verified, verify};
pub use vault::{Removed, Vault, random_id};

/// The vault's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Longest chunk, in bytes before encryption (default 8 MiB). A file that grew at its end costs at most one chunk
    /// beside what is new; memory in use is about three chunks.
    pub chunk_bytes: usize,
    /// Longest list of files that is read, in bytes (default 1 GiB, about four million chunks).
    pub list_bytes_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            chunk_bytes: 8 << 20,
            list_bytes_max: 1 << 30,
        }
    }
}
