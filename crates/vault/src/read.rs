//! Getting files back, and verifying that they can be got back.

use crate::envelope::sha256;
use crate::keys::decrypt;
use crate::point::{Chunk, DamagedFile, FileEntry, Part, Point};
use crate::vault::Vault;
use model::Problem;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What verifying found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verified {
    /// Points read.
    pub points: u64,
    /// Chunks read.
    pub chunks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether the files' own bytes were compared too, or, without the key, the stored bytes alone.
    pub decrypted: bool,
    /// What is wrong; empty when all is well.
    pub findings: Vec<Problem>,
    /// Points with files that were damaged when they were copied, oldest first. The vault is no worse for them.
    pub damaged: Vec<PointDamage>,
    /// Whether the newest point has every file as it was written, as far as that was known.
    pub newest_is_whole: bool,
}

/// What a point has of files that were damaged when they were copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PointDamage {
    /// The point's number.
    pub point: u64,
    /// How many files it does not have whole.
    pub files_not_whole: u64,
    /// The files, those with an earlier good copy in their place included; empty without the key.
    pub files: Vec<DamagedFile>,
}

impl Vault {
    /// Writes a file of a point into `root`, checked byte by byte and synced. One of which the point has nothing, because
    /// it could not be read, is not written.
    ///
    /// # Errors
    /// `backup-damaged` with the file and the place in it; `backup-io` for the disk.
    pub fn extract(
        &self,
        point: &Point,
        file: &FileEntry,
        root: &Path,
        progress: &dyn Fn(u64),
    ) -> Result<(), Problem> {
        if !file.is_held() {
            return Ok(());
        }
        let path = root.join(&file.path);
        let told = |verb, e: &std::io::Error| crate::vault::io_problem(verb, &path, e);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| told("create the folder of", &e))?;
        }
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(file.mode & 0o777)
            .open(&path)
            .map_err(|e| told("create", &e))?;
        let mut at = 0;
        for part in &file.parts {
            let chunk = &point.chunks[part.chunk as usize];
            let bytes = self.part(chunk, part, &place(&file.path, at, point.number))?;
            out.write_all(&bytes).map_err(|e| told("write", &e))?;
            at += part.bytes;
            progress(part.bytes);
        }
        out.sync_all().map_err(|e| told("sync", &e))
    }

    /// A stretch of a file, checked; `place` is for messages.
    pub(crate) fn part(&self, chunk: &Chunk, part: &Part, place: &str) -> Result<Vec<u8>, Problem> {
        let stored = self.stored(chunk).map_err(|p| Problem {
            place: format!("{place}; {}", p.place),
            ..p
        })?;
        let plain = if self.is_encrypted() {
            decrypt(&self.identities, &stored, place)?
        } else {
            stored
        };
        if plain.len() as u64 != part.bytes || sha256(&plain) != part.sha256 {
            return Err(damaged(
                "the bytes are not those of the file",
                place.to_owned(),
            ));
        }
        Ok(plain)
    }

    /// A chunk's stored bytes, checked against its name.
    pub(crate) fn stored(&self, chunk: &Chunk) -> Result<Vec<u8>, Problem> {
        let path = self.chunk_path(&chunk.name);
        let place = path.display().to_string();
        let bytes = std::fs::read(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => damaged("the chunk is missing", place.clone()),
            _ => crate::vault::io_problem("read", &path, &e),
        })?;
        if bytes.len() as u64 != chunk.bytes || sha256(&bytes) != chunk.name {
            return Err(damaged(
                "the chunk's bytes are not those that were written",
                place,
            ));
        }
        Ok(bytes)
    }
}

fn damaged(what: &str, place: String) -> Problem {
    Problem::new(
        "backup-damaged",
        what,
        place,
        "use another copy of the backup, or another of its points",
    )
}

/// A stretch of a file that is made of a chunk.
struct Use {
    number: u64,
    path: String,
    at: u64,
    part: Part,
}

fn place(path: &str, at: u64, number: u64) -> String {
    format!("{path} at byte {at}, in point {number}")
}

/// Reads every point and every chunk and compares them with their checksums; with the key, the files' own bytes too.
/// `progress` is told the stored bytes of each chunk read.
///
/// # Errors
/// When the points cannot be listed. Damage is no error but a finding.
pub fn verify(vault: &Vault, progress: &dyn Fn(u64)) -> Result<Verified, Problem> {
    let mut verified = Verified {
        decrypted: vault.is_unlocked(),
        newest_is_whole: true,
        ..Verified::default()
    };
    let mut chunks: BTreeMap<String, (Chunk, Vec<Use>)> = BTreeMap::new();
    for number in vault.numbers()? {
        verified.points += 1;
        match uses(vault, number) {
            Ok((found, damage)) => {
                verified.newest_is_whole = damage.as_ref().is_none_or(|d| d.files_not_whole == 0);
                verified.damaged.extend(damage);
                for (chunk, uses) in found {
                    let known = chunks
                        .entry(chunk.name.clone())
                        .or_insert_with(|| (chunk, Vec::new()));
                    for one in uses {
                        let same = |u: &Use| u.path == one.path && u.part.sha256 == one.part.sha256;
                        if !known.1.iter().any(same) {
                            known.1.push(one);
                        }
                    }
                }
            }
            Err(problem) => {
                verified.newest_is_whole = false;
                verified.findings.push(problem);
            }
        }
    }
    for (chunk, uses) in chunks.values() {
        verified.chunks += 1;
        verified.bytes += chunk.bytes;
        let wrong = match uses.as_slice() {
            [] => vault.stored(chunk).err(),
            uses => uses.iter().find_map(|u| {
                vault
                    .part(chunk, &u.part, &place(&u.path, u.at, u.number))
                    .err()
            }),
        };
        verified.findings.extend(wrong);
        progress(chunk.bytes);
    }
    Ok(verified)
}

/// A point's chunks, and what they are for as far as the key allows to know; and the files that were damaged.
type Uses = (Vec<(Chunk, Vec<Use>)>, Option<PointDamage>);

fn uses(vault: &Vault, number: u64) -> Result<Uses, Problem> {
    let point = vault.point(number)?;
    let files = if vault.is_unlocked() {
        vault.files(&point)?
    } else {
        Vec::new()
    };
    let damaged: Vec<DamagedFile> = files.iter().filter_map(FileEntry::damaged).collect();
    let damage = (point.damaged > 0 || !damaged.is_empty()).then_some(PointDamage {
        point: number,
        files_not_whole: point.damaged,
        files: damaged,
    });
    let mut found: Vec<(Chunk, Vec<Use>)> =
        point.chunks.into_iter().map(|c| (c, Vec::new())).collect();
    for file in files {
        let mut at = 0;
        for part in file.parts {
            let bytes = part.bytes;
            found[part.chunk as usize].1.push(Use {
                number,
                path: file.path.clone(),
                at,
                part,
            });
            at += bytes;
        }
    }
    Ok((found, damage))
}
