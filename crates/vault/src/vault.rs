//! Opening a vault, its lock, its points, and taking points away.

use crate::Options;
use crate::age::Identity;
use crate::envelope;
use crate::keys::{Encryption, Key, Protection, decrypt};
use crate::point::{Chunk, FileEntry, POINT_VERSION, Point};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::Problem;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// Version of `vault.json` written; older ones stay readable for ever (see `fixtures/`).
pub const VAULT_VERSION: u32 = 1;
const VAULT_NAME: &str = "vault.json";
const VAULT_FORMAT: &str = "jingling-vault";
pub(crate) const POINT_FORMAT: &str = "jingling-vault-point";
const POINTS: &str = "points";
const CHUNKS: &str = "chunks";
const LOCK_NAME: &str = "lock";
/// Longest `vault.json` that is read, in bytes.
const VAULT_BYTES_MAX: u64 = 1 << 20;

/// What `vault.json` says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    /// Drawn by chance, so that two vaults are never taken for one.
    pub id: String,
    pub encryption: Encryption,
}

/// An open vault.
pub struct Vault {
    pub(crate) dir: PathBuf,
    pub(crate) about: About,
    pub(crate) options: Options,
    pub(crate) identities: Vec<Identity>,
    /// For writing, or shared with others that read.
    writes: bool,
    _lock: File,
}

/// What [`Vault::keep`] took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Points.
    pub points: usize,
    /// Chunks that no point needs any more, and what interrupted copies left.
    pub chunks: usize,
    /// Bytes freed.
    pub bytes: u64,
    /// A point that stays beyond the count, because every newer one has a damaged file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spared: Option<u64>,
}

impl Vault {
    /// Opens the vault in `dir` for writing; makes one when the folder is empty or not there (the folder above it
    /// must be there).
    ///
    /// # Errors
    /// `backup-busy` when another process uses it, `backup-target` when the folder holds something else,
    /// `backup-protection` when the vault is protected in another way than asked, `backup-key`, `backup-damaged`,
    /// `backup-version`, `backup-io`.
    pub fn open_or_make(
        dir: &Path,
        protection: &Protection,
        options: Options,
    ) -> Result<Self, Problem> {
        match std::fs::create_dir(dir) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io_problem("create", dir, &error)),
        }
        let is_new = !dir.join(VAULT_NAME).is_file();
        if is_new {
            let mut entries = std::fs::read_dir(dir).map_err(|e| io_problem("list", dir, &e))?;
            let stranger = entries.find_map(|entry| {
                let name = entry.ok()?.file_name();
                (![LOCK_NAME, POINTS, CHUNKS, "vault.tmp"].contains(&name.to_str()?))
                    .then_some(name)
            });
            if let Some(name) = stranger {
                return Err(Problem::new(
                    "backup-target",
                    format!("the folder holds other things, such as {}", name.display()),
                    dir.display().to_string(),
                    "name an empty folder, or one that was made by a backup",
                ));
            }
        }
        let lock = lock(dir, true)?;
        for folder in [POINTS, CHUNKS] {
            let path = dir.join(folder);
            std::fs::create_dir_all(&path).map_err(|e| io_problem("create", &path, &e))?;
        }
        let about = if is_new {
            let about = About {
                id: random_id(),
                encryption: Encryption::new(protection, dir)?,
            };
            envelope::write(&dir.join(VAULT_NAME), VAULT_FORMAT, VAULT_VERSION, &about)?;
            about
        } else {
            read_about(dir)?
        };
        about.encryption.agrees(protection, dir)?;
        let key = match protection {
            Protection::Passphrase(words) => Key::Passphrase(words.clone()),
            _ => Key::None,
        };
        Ok(Self {
            identities: about.encryption.open(&key, dir)?,
            dir: dir.to_owned(),
            about,
            options,
            writes: true,
            _lock: lock,
        })
    }

    /// Opens the vault in `dir` for reading, beside others that read.
    ///
    /// # Errors
    /// As [`Self::open_or_make`]; `backup-target` when there is none.
    pub fn open(dir: &Path, key: &Key, options: Options) -> Result<Self, Problem> {
        if !dir.join(VAULT_NAME).is_file() {
            return Err(Problem::new(
                "backup-target",
                "there is no backup here",
                dir.display().to_string(),
                format!("name the folder that holds {VAULT_NAME}"),
            ));
        }
        let lock = lock(dir, false)?;
        let about = read_about(dir)?;
        Ok(Self {
            identities: about.encryption.open(key, dir)?,
            dir: dir.to_owned(),
            about,
            options,
            writes: false,
            _lock: lock,
        })
    }

    /// Whether `dir` holds a vault.
    pub fn is_one(dir: &Path) -> bool {
        dir.join(VAULT_NAME).is_file()
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A name that no other vault has.
    pub fn id(&self) -> &str {
        &self.about.id
    }

    /// Whether what it holds is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.about.encryption != Encryption::None
    }

    /// Whether lists of files and their bytes can be read with the key given.
    pub fn is_unlocked(&self) -> bool {
        !self.is_encrypted() || !self.identities.is_empty()
    }

    /// The numbers of the points, oldest first. A point that was not finished is none.
    ///
    /// # Errors
    /// `backup-io`.
    pub fn numbers(&self) -> Result<Vec<u64>, Problem> {
        let dir = self.dir.join(POINTS);
        let mut numbers: Vec<u64> = names(&dir)?
            .iter()
            .filter_map(|name| name.strip_suffix(".json")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Reads a point's file.
    ///
    /// # Errors
    /// `backup-damaged`, `backup-version`, `backup-io`.
    pub fn point(&self, number: u64) -> Result<Point, Problem> {
        let path = self.point_path(number);
        let point: Point = envelope::read(
            &path,
            POINT_FORMAT,
            POINT_VERSION,
            self.options.list_bytes_max,
        )?;
        let names_fit = point
            .chunks
            .iter()
            .all(|c| c.name.len() == 64 && c.name.bytes().all(|b| b.is_ascii_hexdigit()));
        if point.number != number || !names_fit {
            return Err(damaged(
                &path,
                "it does not fit its name, or its chunks have no names",
            ));
        }
        Ok(point)
    }

    /// A point's files, decrypted when they must be; sorted by path.
    ///
    /// # Errors
    /// `backup-key` when the key does not fit, `backup-damaged` when the list is not what was written.
    pub fn files(&self, point: &Point) -> Result<Vec<FileEntry>, Problem> {
        let path = self.point_path(point.number);
        let place = path.display().to_string();
        let files: Vec<FileEntry> = match (&point.files, &point.files_sealed) {
            (Some(files), None) => files.clone(),
            (None, Some(sealed)) => {
                let sealed = BASE64
                    .decode(sealed)
                    .map_err(|e| damaged(&path, &e.to_string()))?;
                let opened = decrypt(&self.identities, &sealed, &place)?;
                serde_json::from_slice(&opened).map_err(|e| damaged(&path, &e.to_string()))?
            }
            _ => return Err(damaged(&path, "it has no list of files, or two")),
        };
        for file in &files {
            let inside = file
                .path
                .split('/')
                .all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'));
            let whole = file.parts.iter().map(|p| p.bytes).sum::<u64>() == file.bytes;
            let known = file
                .parts
                .iter()
                .all(|p| (p.chunk as usize) < point.chunks.len());
            if !(inside && whole && known) {
                return Err(damaged(
                    &path,
                    &format!(
                        "the entry of {} is impossible",
                        model::problem::quote(&file.path)
                    ),
                ));
            }
        }
        Ok(files)
    }

    /// Keeps the newest `count` points (at least 1), takes the others away, and then every chunk that no point
    /// needs. When each of those has a file that was damaged, the newest point that is whole stays too: it may hold the
    /// last good copy.
    ///
    /// # Errors
    /// When a point's file cannot be read: then nothing is taken away, because what it needs is not known.
    pub fn keep(&self, count: usize) -> Result<Removed, Problem> {
        if !self.writes {
            return Err(Problem::new(
                "backup-read-only",
                "the backup is open for reading only",
                self.dir.display().to_string(),
                "take points away where the backup is made",
            ));
        }
        let numbers = self.numbers()?;
        let (old, kept) = numbers.split_at(numbers.len().saturating_sub(count.max(1)));
        let mut needed = HashSet::new();
        let mut is_one_whole = false;
        for &number in kept {
            let point = self.point(number)?;
            is_one_whole |= point.is_whole();
            needed.extend(point.chunks.into_iter().map(|c| c.name));
        }
        let mut removed = Removed::default();
        if !is_one_whole {
            // One that does not read is of no use to anybody, and none to wait for.
            let mut readable = old.iter().rev().filter_map(|n| self.point(*n).ok());
            if let Some(point) = readable.find(Point::is_whole) {
                removed.spared = Some(point.number);
                needed.extend(point.chunks.into_iter().map(|c| c.name));
            }
        }
        let spared = removed.spared;
        let points = self.dir.join(POINTS);
        let remove = |path: &Path| {
            let bytes = std::fs::metadata(path).map_or(0, |m| m.len());
            std::fs::remove_file(path)
                .map(|()| bytes)
                .map_err(|e| io_problem("remove", path, &e))
        };
        for &number in old.iter().filter(|n| Some(**n) != spared) {
            removed.bytes += remove(&self.point_path(number))?;
            removed.points += 1;
        }
        // Only when the points are gone for certain may what they needed go too.
        sync_folder(&points)?;
        for name in names(&points)?.iter().filter(|n| n.ends_with(".tmp")) {
            removed.bytes += remove(&points.join(name))?;
        }
        let chunks = self.chunks_dir();
        for folder in names(&chunks)? {
            let folder = chunks.join(folder);
            for name in names(&folder)? {
                if !needed.contains(&name) {
                    removed.bytes += remove(&folder.join(&name))?;
                    removed.chunks += 1;
                }
            }
        }
        Ok(removed)
    }

    pub(crate) fn point_path(&self, number: u64) -> PathBuf {
        self.dir.join(POINTS).join(format!("{number:08}.json"))
    }

    pub(crate) fn chunks_dir(&self) -> PathBuf {
        self.dir.join(CHUNKS)
    }

    pub(crate) fn chunk_path(&self, name: &str) -> PathBuf {
        self.chunks_dir()
            .join(name.get(..2).unwrap_or_default())
            .join(name)
    }

    /// Whether the chunk is there with its length; its bytes are not looked at.
    pub(crate) fn has(&self, chunk: &Chunk) -> bool {
        std::fs::metadata(self.chunk_path(&chunk.name)).is_ok_and(|m| m.len() == chunk.bytes)
    }
}

/// A name that nobody else has: 32 hex digits drawn by chance.
pub fn random_id() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

fn read_about(dir: &Path) -> Result<About, Problem> {
    envelope::read(
        &dir.join(VAULT_NAME),
        VAULT_FORMAT,
        VAULT_VERSION,
        VAULT_BYTES_MAX,
    )
}

fn lock(dir: &Path, writes: bool) -> Result<File, Problem> {
    let path = dir.join(LOCK_NAME);
    let file = OpenOptions::new()
        .read(true)
        .write(writes)
        .create(writes)
        .truncate(false)
        .open(&path)
        .map_err(|e| io_problem("open", &path, &e))?;
    let taken = if writes {
        file.try_lock()
    } else {
        file.try_lock_shared()
    };
    match taken {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Problem::new(
            "backup-busy",
            "another process copies into this backup, or reads it",
            dir.display().to_string(),
            "wait until it has ended",
        )),
        Err(TryLockError::Error(error)) => Err(io_problem("lock", &path, &error)),
    }
}

/// The names in a folder, sorted; none when it is not there.
fn names(dir: &Path) -> Result<Vec<String>, Problem> {
    let read = || -> std::io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            // A name that is not UTF-8 is none of ours.
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    };
    match read() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|e| io_problem("list", dir, &e)),
    }
}

pub(crate) fn sync_folder(dir: &Path) -> Result<(), Problem> {
    File::open(dir)
        .and_then(|f| f.sync_all())
        .map_err(|e| io_problem("sync", dir, &e))
}

fn damaged(path: &Path, what: &str) -> Problem {
    Problem::new(
        "backup-damaged",
        what,
        path.display().to_string(),
        "use another copy of the backup, or another of its points",
    )
}

/// An operating error with what was tried and where.
pub(crate) fn io_problem(verb: &str, path: &Path, error: &std::io::Error) -> Problem {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let (code, mend) = match error.kind() {
        StorageFull | QuotaExceeded => (
            "backup-full",
            "make room on that disk, keep fewer points, or use a larger one; what was there before is whole",
        ),
        _ => (
            "backup-io",
            "check that the disk is there and that the folder belongs to the user who runs this",
        ),
    };
    Problem::new(
        code,
        format!("cannot {verb}: {error}"),
        path.display().to_string(),
        mend,
    )
}
