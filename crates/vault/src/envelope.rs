//! A small file with its checksum: one line of JSON that says what it is, in which version, and the SHA-256 of all
//! that follows. Written beside its place, synced, renamed.

use crate::vault::io_problem;
use model::Problem;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    version: u32,
    sha256: String,
}

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Writes `value`; returns when it is durable.
pub fn write(
    path: &Path,
    format: &str,
    version: u32,
    value: &impl Serialize,
) -> Result<(), Problem> {
    let store = || -> std::io::Result<()> {
        let body = serde_json::to_vec(value)?;
        let head = Head {
            format: format.to_owned(),
            version,
            sha256: sha256(&body),
        };
        let mut bytes = serde_json::to_vec(&head)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&body);
        let beside = path.with_extension("tmp");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        let written = file.write_all(&bytes).and_then(|()| file.sync_all());
        if let Err(error) = written {
            let _ = std::fs::remove_file(&beside);
            return Err(error);
        }
        std::fs::rename(&beside, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    store().map_err(|e| io_problem("write", path, &e))
}

/// Reads what [`write`] wrote, in any version up to `newest`.
pub fn read<T: DeserializeOwned>(
    path: &Path,
    format: &str,
    newest: u32,
    bytes_max: u64,
) -> Result<T, Problem> {
    let damaged = |what: String| {
        Problem::new(
            "backup-damaged",
            what,
            path.display().to_string(),
            "use another copy of the backup, or another of its points",
        )
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max).read_to_end(&mut bytes))
        .map_err(|e| io_problem("read", path, &e))?;
    let end = bytes
        .iter()
        .position(|&b| b == b'\n')
        .unwrap_or(bytes.len());
    let (head, body) = bytes.split_at(end);
    let body = body.get(1..).unwrap_or_default();
    let head: Head =
        serde_json::from_slice(head).map_err(|e| damaged(format!("the first line: {e}")))?;
    if head.format != format {
        return Err(damaged(format!("the file is no {format}")));
    }
    if head.sha256 != sha256(body) {
        return Err(damaged("the checksum is wrong".to_owned()));
    }
    if head.version == 0 || head.version > newest {
        return Err(Problem::new(
            "backup-version",
            format!(
                "the {format} has version {}, this program reads up to {newest}",
                head.version
            ),
            path.display().to_string(),
            "use the version of the program that wrote it, or newer",
        ));
    }
    serde_json::from_slice(body).map_err(|e| damaged(e.to_string()))
}
