//! The state on disk. Version 2 (written today) is a stream of blocks, each with its checksum, so that
//! neither writing nor reading needs the whole in memory; version 1 was one piece. Every version ever
//! written stays readable.

mod v1;
mod v2;

use crate::Options;
use crate::entity::Entity;
use crate::state::{SnapshotHead, State};
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

/// The version that is written; older ones stay readable for ever (see `fixtures/`).
pub const VERSION: u8 = v2::VERSION;

/// Why a checkpoint was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The system's own error.
    #[error("twin checkpoint: {0}")]
    Io(#[from] std::io::Error),
    /// The bytes are not what was written.
    #[error("twin checkpoint is damaged ({0}); delete it: the twin is rebuilt from the journal")]
    Damaged(String),
    /// Written by another program version.
    #[error(
        "twin checkpoint has version {0}, unknown to this program; delete it: the twin is rebuilt from the journal"
    )]
    Version(u8),
}

impl CheckpointError {
    fn damaged<T: ToString>(what: T) -> Self {
        Self::Damaged(what.to_string())
    }
}

/// Writes what `next` gives until it gives nothing more, atomically: the old file or the new one.
pub fn write(
    path: &Path,
    head: SnapshotHead,
    next: impl FnMut() -> Vec<Entity>,
) -> Result<(), CheckpointError> {
    let beside = path.with_extension("new");
    let mut file = BufWriter::with_capacity(1 << 17, File::create(&beside)?);
    v2::write(&mut file, head, next)?;
    file.flush()?;
    file.get_ref().sync_all()?;
    std::fs::rename(&beside, path)?;
    // The rename is durable when the folder is; a bare file name lies in the current one.
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

/// The stored state; an empty one when there is no file.
pub fn read(path: &Path, options: &Options) -> Result<State, CheckpointError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::new(options)),
        Err(error) => return Err(error.into()),
    };
    let bytes_max = file.metadata()?.len();
    let mut file = BufReader::with_capacity(1 << 17, file);
    let mut version = [0];
    if file.read(&mut version)? == 0 {
        return Err(CheckpointError::damaged("empty"));
    }
    let stored = match version[0] {
        v1::VERSION => v1::read(&mut file, options)?,
        v2::VERSION => v2::read(&mut file, bytes_max, options)?,
        other => return Err(CheckpointError::Version(other)),
    };
    Ok(State::from_stored(stored, options))
}
