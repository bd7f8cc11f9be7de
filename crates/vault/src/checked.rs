//! Copying files of which is known what they must be. Their bytes are looked at while they are copied, and damage is
//! never stored in silence: where an earlier point has the file as it was written, its copy is taken in place of the
//! damaged one; where none has, what can be read is kept and marked. The rest of the folder is copied all the same.
//!
//! A file that nobody wrote since the point before is not read: what that point has of it is good already.

use crate::copy::{Copy, CopyError, entry, metadata, open, own_chunks, seen, unchanged};
use crate::envelope::sha256;
use crate::point::{Chunk, Damage, DamagedFile, FileEntry, Held, Part};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::Metadata;
use std::path::Path;

/// Permission bits of a file that could not even be opened.
const MODE_UNKNOWN: u32 = 0o644;

/// Looks at a file's bytes while they are copied.
pub trait Inspector {
    /// Takes the file's next bytes.
    fn look(&mut self, bytes: &[u8]);
    /// What is wrong with all that was looked at, in a sentence; `None` when nothing is.
    fn verdict(&mut self) -> Option<String>;
}

/// What a file must be.
pub enum Expected<'a> {
    /// Bytes with this SHA-256, in hex.
    Sha256(&'a str),
    /// A file that never changes again, in which this finds nothing wrong.
    Inspected(&'a mut dyn Inspector),
}

impl Expected<'_> {
    fn wanted(&self) -> Option<&str> {
        match self {
            Self::Sha256(wanted) => Some(wanted),
            Self::Inspected(_) => None,
        }
    }
}

/// What was read of a damaged file.
struct Damaged {
    meta: Metadata,
    parts: Vec<Part>,
    chunks: Vec<Chunk>,
    /// How many chunks had been written before it was read.
    mark: usize,
}

impl Copy<'_> {
    /// Copies the whole file `source` as `path` and compares it with what it must be. A damaged one is no error: the
    /// point has an earlier good copy instead, or marks it; [`Self::damaged`] tells.
    ///
    /// # Errors
    /// See [`CopyError`]; never `Unreadable`.
    pub fn add_expecting(
        &mut self,
        path: &str,
        source: &Path,
        mut expected: Expected<'_>,
    ) -> Result<(), CopyError> {
        let opened = open(source).and_then(|file| Ok((metadata(&file, source)?, file)));
        let (meta, mut file) = match opened {
            Ok(opened) => opened,
            Err(CopyError::Unreadable(problem)) => {
                self.put_damaged(path, problem.what, expected.wanted(), None, None);
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        if self.is_as_before(path, &meta, &|before| is_good(before, expected.wanted())) {
            return Ok(());
        }
        let mark = self.written.len();
        let is_one_chunk = meta.len() <= self.vault.options.chunk_bytes as u64;
        // A file of one chunk is hashed as that already.
        let mut hash = (!is_one_chunk).then(Sha256::new);
        let read = self.read(&mut file, source, meta.len(), &mut |bytes: &[u8]| {
            if let Some(hash) = &mut hash {
                hash.update(bytes);
            }
            if let Expected::Inspected(inspector) = &mut expected {
                inspector.look(bytes);
            }
        });
        let (parts, chunks) = match read {
            Ok(read) => read,
            Err(CopyError::Unreadable(problem)) => {
                self.discard(mark);
                let length = Some(meta.len());
                self.put_damaged(path, problem.what, expected.wanted(), length, None);
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        unchanged(&file, source, &meta)?;
        let found = match (hash, parts.first()) {
            (Some(hash), _) => hex::encode(hash.finalize()),
            (None, Some(part)) => part.sha256.clone(),
            (None, None) => sha256(&[]),
        };
        let wrong = match &mut expected {
            Expected::Sha256(wanted) if **wanted == *found => None,
            Expected::Sha256(wanted) => Some(format!("its SHA-256 is {found}, not {wanted}")),
            Expected::Inspected(inspector) => inspector.verdict(),
        };
        if let Some(what) = wrong {
            let length = Some(meta.len());
            let read = Damaged {
                meta,
                parts,
                chunks,
                mark,
            };
            self.put_damaged(path, what, expected.wanted(), length, Some(read));
            return Ok(());
        }
        let good = FileEntry {
            sha256: Some(found),
            ..entry(path, &meta, Some(seen(&meta)), parts)
        };
        self.put(good, chunks);
        Ok(())
    }

    /// Tells of a file that must be there, with this SHA-256, and is not.
    pub fn missing(&mut self, path: &str, wanted: &str, what: &str) {
        self.put_damaged(path, what.to_owned(), Some(wanted), None, None);
    }

    /// The files of the point that were damaged, by path.
    pub fn damaged(&self) -> Vec<DamagedFile> {
        self.files.values().filter_map(FileEntry::damaged).collect()
    }

    /// `length` is the file's, where it is known; `read` what was read of it, when it could be.
    fn put_damaged(
        &mut self,
        path: &str,
        what: String,
        wanted: Option<&str>,
        length: Option<u64>,
        read: Option<Damaged>,
    ) {
        // Not remembered for the next listing, nor as seen: the file is read again each time until it is mended.
        let damage = |held| Some(Damage { what, held });
        if let Some((point, good, chunks)) = self.good_copy(path, wanted, length) {
            if let Some(read) = read {
                self.discard(read.mark);
            }
            let good = FileEntry {
                seen: None,
                damage: damage(Held::GoodCopyOf(point)),
                sha256: wanted.map(str::to_owned).or(good.sha256.clone()),
                ..good
            };
            self.take(good, &chunks);
            return;
        }
        let (file, chunks) = match read {
            Some(read) => {
                let file = entry(path, &read.meta, None, read.parts);
                let damage = damage(Held::DamagedBytes);
                (FileEntry { damage, ..file }, read.chunks)
            }
            None => {
                let file = FileEntry {
                    path: path.to_owned(),
                    bytes: 0,
                    mode: MODE_UNKNOWN,
                    seen: None,
                    parts: Vec::new(),
                    sha256: None,
                    damage: damage(Held::Nothing),
                };
                (file, Vec::new())
            }
        };
        self.take(file, &chunks);
    }

    /// The file as it was written, in the newest point that has it so: every byte of it is read first.
    fn good_copy(
        &mut self,
        path: &str,
        wanted: Option<&str>,
        length: Option<u64>,
    ) -> Option<(u64, FileEntry, Vec<Chunk>)> {
        let newest = self.number - 1;
        let before = self.before.get(path).cloned();
        let before = before.map(|(file, chunks)| (newest, file, chunks));
        if let Some(found) = before
            && self.is_sound(&found.1, &found.2, wanted, length)
        {
            return Some(first_of(found));
        }
        if self.older.is_none() {
            self.older = Some(self.read_older());
        }
        let older = self.older.as_ref()?.get(path)?;
        let found = older
            .iter()
            .find(|(_, file, chunks)| self.is_sound(file, chunks, wanted, length))?;
        Some(first_of(found.clone()))
    }

    /// Whether a point's copy of a file is what it must be, read from the vault.
    fn is_sound(
        &self,
        file: &FileEntry,
        chunks: &[Chunk],
        wanted: Option<&str>,
        length: Option<u64>,
    ) -> bool {
        let vault = self.vault;
        // What an inspector found good once has that hash, and its length: such files never change.
        let fits = wanted.is_some() || length.is_none_or(|length| length == file.bytes);
        let Some(wanted) = wanted.or(file.sha256.as_deref()) else {
            return false;
        };
        if !file.is_whole() || !fits || chunks.len() != file.parts.len() {
            return false;
        }
        if !vault.is_unlocked() {
            // Stored bytes can be compared with their names, and the file by what was noted when it was copied.
            return is_good(file, Some(wanted)) && chunks.iter().all(|c| vault.stored(c).is_ok());
        }
        let mut hash = Sha256::new();
        for (chunk, part) in chunks.iter().zip(&file.parts) {
            match vault.part(chunk, part, &file.path) {
                Ok(bytes) => hash.update(&bytes),
                Err(problem) => {
                    tracing::warn!("a copy in the backup is not good: {problem}");
                    return false;
                }
            }
        }
        hex::encode(hash.finalize()) == wanted
    }

    /// What points before the newest have that the newest has not, as far as the key allows to know.
    fn read_older(&self) -> crate::copy::Older {
        let mut older: crate::copy::Older = HashMap::new();
        let numbers = self.vault.numbers().unwrap_or_default();
        if !self.vault.is_unlocked() {
            return older;
        }
        for &number in numbers.iter().rev().filter(|n| **n + 1 < self.number) {
            let read = self.vault.point(number).and_then(|point| {
                let files = self.vault.files(&point)?;
                Ok((point.chunks, files))
            });
            let (chunks, files) = match read {
                Ok(read) => read,
                Err(problem) => {
                    tracing::warn!("point {number} is passed over: {problem}");
                    continue;
                }
            };
            for file in files.into_iter().filter(FileEntry::is_whole) {
                let own = own_chunks(&file, &chunks);
                let known = older.get(&file.path);
                let is_known = known.is_some_and(|k| k.iter().any(|(.., c)| *c == own))
                    || self.before.get(&file.path).is_some_and(|b| b.1 == own);
                if !is_known {
                    older
                        .entry(file.path.clone())
                        .or_default()
                        .push((number, file, own));
                }
            }
        }
        older
    }
}

/// Names the point that the copy was taken for, when this one has it from there itself.
fn first_of(found: (u64, FileEntry, Vec<Chunk>)) -> (u64, FileEntry, Vec<Chunk>) {
    let (point, file, chunks) = found;
    match &file.damage {
        Some(Damage {
            held: Held::GoodCopyOf(first),
            ..
        }) => (*first, file, chunks),
        _ => (point, file, chunks),
    }
}

/// Whether it was noted that the file's bytes are these or, when they have no name, that they are good.
fn is_good(file: &FileEntry, wanted: Option<&str>) -> bool {
    let noted = file.sha256.as_deref();
    match wanted {
        None => noted.is_some() && file.damage.is_none(),
        Some(wanted) => {
            let one = match file.parts.as_slice() {
                [one] => Some(one.sha256.as_str()),
                _ => None,
            };
            noted == Some(wanted) || one == Some(wanted)
        }
    }
}
