//! Small files of the city's folder, written so that a crash leaves the old one or the new one.

use anyhow::{Context, Result};
use rand::Rng as _;
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

/// A key of at least so many bytes; made the first time.
///
/// # Errors
/// A file that does not read, or is too short to be the key.
pub fn key(path: &Path, bytes: usize) -> Result<Vec<u8>> {
    match std::fs::read(path) {
        Ok(key) if key.len() >= bytes => Ok(key),
        Ok(_) => anyhow::bail!(
            "{}: it is too short; take it away, and another is made",
            path.display()
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = vec![0; bytes];
            rand::rng().fill_bytes(&mut key);
            write_secret(path, &key)?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// Longest secret that a file named by a setting may hold, bytes.
const SECRET_BYTES_MAX: usize = 4_096;

/// Reads the secret of a file that a setting names, without the white space around it. `named` says which setting.
///
/// # Errors
/// A file that does not read, is empty, or too long; the secret itself is in no error.
pub fn read_secret(folder: &Path, file: &str, named: &str) -> Result<records::Secret> {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("reading {}, which {named} names", path.display()))?;
    let text = text.trim();
    if text.is_empty() || text.len() > SECRET_BYTES_MAX {
        anyhow::bail!(
            "{}: the secret is empty or longer than {SECRET_BYTES_MAX} bytes",
            path.display()
        );
    }
    Ok(records::Secret::new(text.to_owned()))
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
