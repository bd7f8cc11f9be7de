//! One server on one folder. The lock is the kernel's (`flock` on `run/lock`), so it ends with the process
//! that holds it, however that ends; the file only says who that is. It is never deleted.
//!
//! Who needs it: `serve`, `demo` and `init`, and whoever must bring an older folder to a newer format. The
//! commands that read (`query`, `export`, `check`, `backup`, `device list`), those that change records (`device`,
//! `token`, `user`, `sim`), `import` and `table` work beside a server: the records' store and the department
//! tables have their own locks for writers, and all else they only read.

use crate::folder::Folder;
use crate::running::wall_clock;
use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;

/// The lock on a city's folder, held until it is dropped.
#[derive(Debug)]
pub struct CityLock {
    _file: File,
}

/// Who holds the lock; told to whoever comes second.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    program: String,
    since: String,
}

impl CityLock {
    /// Takes the folder for this process.
    ///
    /// # Errors
    /// When another process has it: its number, since when, and where it listens.
    pub fn take(folder: &Folder) -> Result<Self> {
        let path = folder.lock();
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .with_context(|| format!("making {}", parent.display()))?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| cannot_open(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("{}", taken(folder)),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking {}", path.display()));
            }
        }
        let holder = Holder {
            pid: std::process::id(),
            program: crate::formats::program(),
            since: wall_clock().to_string(),
        };
        let mut text = serde_json::to_vec(&holder)?;
        text.push(b'\n');
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&text)
            .with_context(|| format!("writing {}", path.display()))?;
        Ok(Self { _file: file })
    }
}

/// What the system refused, and what mends it where that is known.
fn cannot_open(path: &Path, error: &std::io::Error) -> anyhow::Error {
    let mend = match error.kind() {
        ErrorKind::ReadOnlyFilesystem => {
            "; the disk is read-only: see why in the system's log and make it writable; `check` and `query` read it meanwhile"
        }
        ErrorKind::StorageFull => "; make room on the disk",
        ErrorKind::PermissionDenied => "; run it as the user whom the folder belongs to",
        _ => "",
    };
    anyhow!("opening {}: {error}{mend}", path.display())
}

fn taken(folder: &Folder) -> String {
    let holder = std::fs::read(folder.lock())
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Holder>(&bytes).ok());
    let who = holder.map_or_else(
        || "another process".to_owned(),
        |h| format!("process {} ({}, since {})", h.pid, h.program, h.since),
    );
    let addresses = folder.addresses();
    let place = std::fs::read_to_string(&addresses).map_or_else(
        |_| "it does not listen yet".to_owned(),
        |text| {
            let words: Vec<&str> = text.split_whitespace().collect();
            format!(
                "it listens at {} ({})",
                words.join(" "),
                addresses.display()
            )
        },
    );
    format!(
        "{dir} is served already by {who}; {place}. Nothing was changed. Stop that process first, or choose another \
         folder; query, export, import, table, check, backup, device, token, user and sim work beside it",
        dir = folder.path().display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_has_it_and_gets_it_when_the_first_ends() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        let first = CityLock::take(&folder).unwrap();
        let told = CityLock::take(&folder).unwrap_err().to_string();
        assert!(
            told.contains(&format!("process {}", std::process::id())),
            "{told}"
        );
        std::fs::write(folder.addresses(), "{\"http\":\"127.0.0.1:1\"}").unwrap();
        let told = CityLock::take(&folder).unwrap_err().to_string();
        assert!(told.contains("127.0.0.1:1"), "{told}");
        drop(first);
        CityLock::take(&folder).unwrap();
    }
}
