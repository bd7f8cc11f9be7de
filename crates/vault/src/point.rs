//! What is stored of one point.

use model::Timestamp;
use serde::{Deserialize, Serialize};

/// Version written; older ones stay readable for ever (see `fixtures/`).
/// Version 1 knew neither damage nor the SHA-256 of a whole file.
pub const POINT_VERSION: u32 = 2;

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
    /// How many files were damaged when they were copied, without a good copy in an earlier point: not encrypted, so that
    /// whoever has no key knows that the point is not whole.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub damaged: u64,
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

    /// Whether every file is as it was written by its owner, as far as that was known.
    pub fn is_whole(&self) -> bool {
        self.damaged == 0
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
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
    /// SHA-256 of the whole file, in hex, when its bytes were seen to be those that were written once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What was wrong with the file when it was copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<Damage>,
}

impl FileEntry {
    /// Whether the point has bytes for it.
    pub fn is_held(&self) -> bool {
        !matches!(&self.damage, Some(damage) if damage.held == Held::Nothing)
    }

    /// Whether what the point has for it is whole: the file was, or an earlier point's copy stands in its place.
    pub fn is_whole(&self) -> bool {
        self.damage.as_ref().is_none_or(|d| d.held.is_good())
    }

    /// What was wrong, when something was.
    pub fn damaged(&self) -> Option<DamagedFile> {
        let damage = self.damage.as_ref()?;
        Some(DamagedFile {
            path: self.path.clone(),
            what: damage.what.clone(),
            held: damage.held,
        })
    }
}

/// What was wrong with a file when it was copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Damage {
    /// In a sentence.
    pub what: String,
    /// What the point has instead.
    pub held: Held,
}

/// What a point has for a file that was damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The good copy of this earlier point.
    GoodCopyOf(u64),
    /// The file's bytes as they were read: no good copy is known.
    DamagedBytes,
    /// Nothing: it could not be read, and no good copy is known.
    Nothing,
}

impl Held {
    /// Whether nothing is lost.
    pub fn is_good(self) -> bool {
        matches!(self, Self::GoodCopyOf(_))
    }
}

/// A file that was damaged when it was copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamagedFile {
    /// Where it belongs, relative to the folder copied.
    pub path: String,
    /// What was wrong, in a sentence.
    pub what: String,
    /// What the point has instead.
    pub held: Held,
}

impl std::fmt::Display for DamagedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; ", self.path, self.what)?;
        match self.held {
            Held::GoodCopyOf(point) => {
                write!(f, "the good copy of point {point} stands in its place")
            }
            Held::DamagedBytes => f.write_str("the backup has it as it is, damaged"),
            Held::Nothing => f.write_str("the backup does not have it"),
        }
    }
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
