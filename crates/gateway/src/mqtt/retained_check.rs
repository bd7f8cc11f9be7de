//! Is a stored file of retained messages whole? For the check of a city's folder, without opening a door.

use super::options::Limits;
use super::retained::Retained;
use std::path::Path;

/// Reads the file of retained messages at `path`: the journal position that it belongs to; `None` when there is
/// no file. Nothing is changed.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub fn check_retained(path: &Path) -> Result<Option<u64>, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    Retained::new(&Limits::default())
        .decode(&bytes)
        .map(Some)
        .map_err(|what| {
            format!(
                "{}: {what}; delete it: the platform goes on without retained messages",
                path.display()
            )
        })
}
