//! Small files of the city's folder, written so that a crash leaves the old one or the new one.

use anyhow::{Context, Result};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a whole file: beside it first, synced, then renamed.
///
/// # Errors
/// The system's own error, with the path.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, 0o644, |file| Ok(file.write_all(bytes)?))
}

/// The same for what is written piece by piece, so that it need not be in memory as a whole.
///
/// # Errors
/// The system's own error, with the path, or that of `fill`.
pub fn write_pieces(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> Result<()>,
) -> Result<()> {
    write(path, 0o644, |file| {
        let mut pieces = BufWriter::new(file);
        fill(&mut pieces)?;
        Ok(pieces.flush()?)
    })
}

/// The same for a secret: only the owner may read it.
///
/// # Errors
/// The system's own error, with the path.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, 0o600, |file| Ok(file.write_all(bytes)?))
}

fn write(path: &Path, mode: u32, fill: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let write = || -> Result<()> {
        let folder = path.parent().context("no folder")?;
        std::fs::create_dir_all(folder)?;
        let beside = path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&beside)?;
        fill(&mut file)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        File::open(folder)?.sync_all()?;
        Ok(())
    };
    write().with_context(|| format!("writing {}", path.display()))
}
