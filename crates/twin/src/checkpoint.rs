//! The state on disk: a version byte, the CRC-32C of the rest, the position and the slots in postcard.
//! Every version ever written stays readable.

use crate::state::{Slot, State};
use std::fs::File;
use std::io::Write;
use std::path::Path;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 5;

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

pub fn encode(state: &State) -> Result<Vec<u8>, CheckpointError> {
    let damaged = |e: postcard::Error| CheckpointError::Damaged(e.to_string());
    let bytes = vec![VERSION, 0, 0, 0, 0];
    let bytes = postcard::to_extend(&state.position(), bytes).map_err(damaged)?;
    let mut bytes = postcard::to_extend(state.slots(), bytes).map_err(damaged)?;
    let checksum = crc32c::crc32c(&bytes[HEADER_BYTES..]);
    bytes[1..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// The position and the slots.
pub fn decode(bytes: &[u8]) -> Result<(u64, Vec<Slot>), CheckpointError> {
    match bytes.first() {
        Some(&VERSION) => {}
        Some(&other) => return Err(CheckpointError::Version(other)),
        None => return Err(CheckpointError::Damaged("empty".into())),
    }
    let Some((header, body)) = bytes.split_at_checked(HEADER_BYTES) else {
        return Err(CheckpointError::Damaged("cut off".into()));
    };
    if header[1..] != crc32c::crc32c(body).to_le_bytes() {
        return Err(CheckpointError::Damaged("checksum".into()));
    }
    postcard::from_bytes(body).map_err(|e| CheckpointError::Damaged(e.to_string()))
}

pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    // The rename is durable when the folder is; a bare file name lies in the current one.
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

/// What is stored; `None` when there is no file.
pub fn read(path: &Path) -> Result<Option<(u64, Vec<Slot>)>, CheckpointError> {
    match std::fs::read(path) {
        Ok(bytes) => decode(&bytes).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
