//! What is stored of one point.

use model::Timestamp;
use serde::{Deserialize, Serialize};

/// Version written; older ones stay readable for ever (see `fixtures/`).
pub const POINT_VERSION: u32 = 1;

/// One point: a copy of everything as it was at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Counts up from 1; also the file's name.
    pub number: u64,
    /// When copying began.
    pub started_at: Timestamp,
    /// When everything was copied and read back.
    pub finished_at: Timestamp,
    /// What the maker says about it; not encrypted.
    pub about: serde_json::Value,
    /// Every chunk that the point needs, each once: what can be verified without a key.
    pub chunks: Vec<Chunk>,
    /// The files, unless they are encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) files: Option<Vec<FileEntry>>,
    /// The files as JSON in an age file in base64, when they are encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) files_sealed: Option<String>,
}

impl Point {
    /// Bytes stored for the point, those that it shares with other points included.
    pub fn stored_bytes(&self) -> u64 {
        self.chunks.iter().map(|c| c.bytes).sum()
    }
}

/// A stored chunk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    /// SHA-256 of the stored bytes, in hex: also the file's name.
    pub name: String,
    /// Number of stored bytes.
    pub bytes: u64,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Where it belongs, relative to the folder copied, with `/`.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Permission bits.
    pub mode: u32,
    /// What the system said of the file when it was copied whole; when it says the same again, the file is the same.
    /// `None` for a file that was copied in part while it grew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// Its bytes, in order.
    pub parts: Vec<Part>,
}

/// A file's identity: if none of it changed, nobody wrote the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Device and number on it.
    pub device: u64,
    /// The file's number on its device.
    pub inode: u64,
    /// Last change of its bytes, nanoseconds since 1970.
    pub modified_ns: i64,
    /// Last change of anything, nanoseconds since 1970; programs cannot set it back.
    pub changed_ns: i64,
}

/// A stretch of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Which of [`Point::chunks`].
    pub chunk: u32,
    /// Number of bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file's bytes, in hex.
    pub sha256: String,
}
