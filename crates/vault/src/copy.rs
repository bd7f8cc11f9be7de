//! Writing a point: file by file in chunks, each chunk stored once, read back, and the point's file last. Files whose
//! bytes can be compared with what they must be are in `checked`.

use crate::age::{self, Recipient};
use crate::envelope::{self, sha256};
use crate::point::{Chunk, FileEntry, POINT_VERSION, Part, Point, Seen};
use crate::vault::{POINT_FORMAT, Vault, io_problem, sync_folder};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const CACHE_FORMAT: &str = "jingling-vault-cache";
/// Version 1 knew neither damage nor the SHA-256 of a whole file; it stays readable.
const CACHE_VERSION: u32 = 2;

/// Why a file was not copied.
#[derive(Debug)]
pub enum CopyError {
    /// It is not there any more: list the folder again.
    Gone,
    /// It was written while it was read: try again.
    Changed,
    /// The disk does not give it.
    Unreadable(Problem),
    /// Anything else.
    Failed(Problem),
}

impl From<Problem> for CopyError {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Files in the point.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Chunks that were not in the vault before.
    pub chunks_new: u64,
    /// Their bytes as stored.
    pub bytes_new: u64,
}

/// The point before, with its files in the clear: kept by the copying side of an encrypted vault, which cannot read
/// what it wrote.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cache {
    vault: String,
    number: u64,
    chunks: Vec<Chunk>,
    files: Vec<FileEntry>,
}

/// A point that is being written. Dropped without [`Copy::finish`], it takes away what it wrote.
pub struct Copy<'v> {
    pub(crate) vault: &'v Vault,
    recipients: Vec<Recipient>,
    pub(crate) number: u64,
    started_at: Timestamp,
    cache: Option<PathBuf>,
    /// The file as it was copied last, with its chunks.
    pub(crate) before: HashMap<String, (FileEntry, Vec<Chunk>)>,
    /// Other contents that points before the newest have for a path; read when a good copy is looked for.
    pub(crate) older: Option<Older>,
    /// By the SHA-256 of a file's bytes, where they are stored.
    known: HashMap<String, Chunk>,
    /// Chunks found in the vault by this copy.
    there: HashSet<String>,
    pub(crate) files: BTreeMap<String, FileEntry>,
    chunks: Vec<Chunk>,
    places: HashMap<String, u32>,
    folders: HashSet<PathBuf>,
    pub(crate) written: Vec<Chunk>,
    bytes_new: u64,
    pub(crate) progress: &'v dyn Fn(u64),
}

/// By path: the point, the file there, its chunks.
pub(crate) type Older = HashMap<String, Vec<(u64, FileEntry, Vec<Chunk>)>>;

impl<'v> Copy<'v> {
    /// Begins a point. `cache` is a file of the copying side that an encrypted vault needs to copy only what is new;
    /// without it everything is copied again. `progress` is told the bytes of each stretch that was dealt with.
    ///
    /// # Errors
    /// When the newest point cannot be read.
    pub fn begin(
        vault: &'v Vault,
        cache: Option<&Path>,
        started_at: Timestamp,
        progress: &'v dyn Fn(u64),
    ) -> Result<Self, Problem> {
        let newest = vault.numbers()?.last().copied();
        let mut copy = Self {
            recipients: vault.about.encryption.recipients(&vault.dir)?,
            vault,
            number: newest.unwrap_or(0) + 1,
            started_at,
            cache: cache.filter(|_| vault.is_encrypted()).map(Path::to_owned),
            before: HashMap::new(),
            older: None,
            known: HashMap::new(),
            there: HashSet::new(),
            files: BTreeMap::new(),
            chunks: Vec::new(),
            places: HashMap::new(),
            folders: HashSet::new(),
            written: Vec::new(),
            bytes_new: 0,
            progress,
        };
        if let Some(newest) = newest {
            let (chunks, files) = copy.point_before(newest)?;
            for file in files {
                let own = own_chunks(&file, &chunks);
                for (part, chunk) in file.parts.iter().zip(&own) {
                    copy.known.insert(part.sha256.clone(), chunk.clone());
                }
                copy.before.insert(file.path.clone(), (file, own));
            }
        }
        Ok(copy)
    }

    fn point_before(&self, number: u64) -> Result<(Vec<Chunk>, Vec<FileEntry>), Problem> {
        let vault = self.vault;
        if vault.is_unlocked() {
            let point = vault.point(number)?;
            let files = vault.files(&point)?;
            return Ok((point.chunks, files));
        }
        let bytes_max = vault.options.list_bytes_max;
        let cached = self.cache.as_deref().and_then(|path| {
            envelope::read::<Cache>(path, CACHE_FORMAT, CACHE_VERSION, bytes_max).ok()
        });
        match cached {
            Some(c) if c.vault == vault.about.id && c.number == number => Ok((c.chunks, c.files)),
            _ => {
                tracing::info!(
                    "what is in the encrypted backup is not known here: everything is copied again"
                );
                Ok((Vec::new(), Vec::new()))
            }
        }
    }

    /// Copies the whole file `source` as `path`. A file that nobody wrote since the point before is not read.
    ///
    /// # Errors
    /// See [`CopyError`].
    pub fn add(&mut self, path: &str, source: &Path) -> Result<(), CopyError> {
        let mut file = open(source)?;
        let meta = metadata(&file, source)?;
        if self.is_as_before(path, &meta, &|_| true) {
            return Ok(());
        }
        let (parts, chunks) = self.read(&mut file, source, meta.len(), &mut |_| {})?;
        unchanged(&file, source, &meta)?;
        self.put(entry(path, &meta, Some(seen(&meta)), parts), chunks);
        Ok(())
    }

    /// Takes the file of the point before without reading it, when nobody wrote it since and it is `good`.
    pub(crate) fn is_as_before(
        &mut self,
        path: &str,
        meta: &Metadata,
        good: &dyn Fn(&FileEntry) -> bool,
    ) -> bool {
        let Some((before, chunks)) = self.before.get(path) else {
            return false;
        };
        if before.seen != Some(seen(meta)) || before.bytes != meta.len() || !good(before) {
            return false;
        }
        let (before, chunks) = (before.clone(), chunks.clone());
        if !chunks.iter().all(|chunk| self.is_there(chunk)) {
            return false;
        }
        (self.progress)(before.bytes);
        self.take(before, &chunks);
        true
    }

    /// Copies the first `bytes` of a file that grows at its end while it is read.
    ///
    /// # Errors
    /// See [`CopyError`]; `Changed` when the file is shorter than that.
    pub fn add_prefix(&mut self, path: &str, source: &Path, bytes: u64) -> Result<(), CopyError> {
        let mut file = open(source)?;
        let meta = metadata(&file, source)?;
        let (parts, chunks) = self.read(&mut file, source, bytes, &mut |_| {})?;
        self.put(entry(path, &meta, None, parts), chunks);
        Ok(())
    }

    /// Forgets the files copied below `folder` (all when it is empty), to list it anew; what was stored is not stored
    /// again.
    pub fn forget(&mut self, folder: &str) {
        let below = |path: &str| {
            folder.is_empty()
                || path == folder
                || path
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        self.files.retain(|path, _| !below(path));
    }

    /// Writes the point's file; when it returns, the point is durable.
    ///
    /// # Errors
    /// `backup-full`, `backup-io`; then the point does not exist.
    pub fn finish(
        mut self,
        about: serde_json::Value,
        finished_at: Timestamp,
    ) -> Result<(Point, Copied), Problem> {
        for folder in &self.folders {
            sync_folder(folder)?;
        }
        sync_folder(&self.vault.chunks_dir())?;
        self.drop_unused();
        let files: Vec<FileEntry> = std::mem::take(&mut self.files).into_values().collect();
        let copied = Copied {
            files: files.len() as u64,
            bytes: files.iter().map(|f| f.bytes).sum(),
            chunks_new: self.written.len() as u64,
            bytes_new: self.bytes_new,
        };
        let mut point = Point {
            number: self.number,
            started_at: self.started_at,
            finished_at,
            about,
            chunks: std::mem::take(&mut self.chunks),
            damaged: files.iter().filter(|f| !f.is_whole()).count() as u64,
            files: None,
            files_sealed: None,
        };
        if let Some(path) = &self.cache {
            let cache = Cache {
                vault: self.vault.about.id.clone(),
                number: self.number,
                chunks: point.chunks.clone(),
                files: files.clone(),
            };
            envelope::write(path, CACHE_FORMAT, CACHE_VERSION, &cache)?;
        }
        let path = self.vault.point_path(self.number);
        if self.recipients.is_empty() {
            point.files = Some(files);
        } else {
            let list = serde_json::to_vec(&files)
                .map_err(|e| io_problem("write", &path, &std::io::Error::from(e)))?;
            let sealed = age::encrypt(&self.recipients, &list);
            point.files_sealed = Some(BASE64.encode(sealed));
        }
        envelope::write(&path, POINT_FORMAT, POINT_VERSION, &point)?;
        // Read back as a stranger would.
        self.vault.point(self.number)?;
        self.written.clear();
        Ok((point, copied))
    }

    /// Leaves out of the list the chunks of files that were forgotten and never came back.
    fn drop_unused(&mut self) {
        let mut places: Vec<Option<u32>> = vec![None; self.chunks.len()];
        let mut kept = Vec::new();
        for file in self.files.values_mut() {
            for part in &mut file.parts {
                let old = part.chunk as usize;
                let place = *places[old].get_or_insert_with(|| {
                    kept.push(self.chunks[old].clone());
                    kept.len() as u32 - 1
                });
                part.chunk = place;
            }
        }
        self.chunks = kept;
    }

    /// Puts a file that was read into the point, and remembers it in case the folder is listed anew.
    pub(crate) fn put(&mut self, entry: FileEntry, chunks: Vec<Chunk>) {
        self.take(entry.clone(), &chunks);
        self.before.insert(entry.path.clone(), (entry, chunks));
    }

    /// Puts a file into the point.
    pub(crate) fn take(&mut self, mut entry: FileEntry, chunks: &[Chunk]) {
        for (part, chunk) in entry.parts.iter_mut().zip(chunks) {
            part.chunk = *self.places.entry(chunk.name.clone()).or_insert_with(|| {
                self.chunks.push(chunk.clone());
                self.chunks.len() as u32 - 1
            });
        }
        self.files.insert(entry.path.clone(), entry);
    }

    /// Stores the first `bytes` of a file; `look` is shown them in order.
    pub(crate) fn read(
        &mut self,
        file: &mut File,
        source: &Path,
        bytes: u64,
        look: &mut dyn FnMut(&[u8]),
    ) -> Result<(Vec<Part>, Vec<Chunk>), CopyError> {
        let chunk_bytes = self.vault.options.chunk_bytes.max(1) as u64;
        let (mut parts, mut chunks) = (Vec::new(), Vec::new());
        let mut left = bytes;
        while left > 0 {
            let length = left.min(chunk_bytes);
            let mut plain = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
            Read::by_ref(file)
                .take(length)
                .read_to_end(&mut plain)
                .map_err(|e| source_error(source, &e))?;
            if plain.len() as u64 != length {
                return Err(CopyError::Changed);
            }
            look(&plain);
            let hash = sha256(&plain);
            chunks.push(self.store(&plain, &hash)?);
            parts.push(Part {
                chunk: 0,
                bytes: length,
                sha256: hash,
            });
            left -= length;
            (self.progress)(length);
        }
        Ok((parts, chunks))
    }

    /// Takes away the chunks that were written behind the first `mark` ones; nothing of the point may use them.
    pub(crate) fn discard(&mut self, mark: usize) {
        let mut gone = HashSet::new();
        for chunk in self.written.split_off(mark) {
            let _ = std::fs::remove_file(self.vault.chunk_path(&chunk.name));
            self.there.remove(&chunk.name);
            self.bytes_new -= chunk.bytes;
            gone.insert(chunk.name);
        }
        if !gone.is_empty() {
            self.known.retain(|_, chunk| !gone.contains(&chunk.name));
        }
    }

    fn is_there(&mut self, chunk: &Chunk) -> bool {
        if self.there.contains(&chunk.name) {
            return true;
        }
        let is = self.vault.has(chunk);
        if is {
            self.there.insert(chunk.name.clone());
        }
        is
    }

    /// Stores some bytes of a file, unless they are stored already.
    fn store(&mut self, plain: &[u8], hash: &str) -> Result<Chunk, Problem> {
        let same = if self.recipients.is_empty() {
            // Without encryption the name is the hash, so that also an interrupted copy's chunks count.
            Some(Chunk {
                name: hash.to_owned(),
                bytes: plain.len() as u64,
            })
        } else {
            self.known.get(hash).cloned()
        };
        if let Some(chunk) = same
            && self.is_there(&chunk)
        {
            return Ok(chunk);
        }
        let sealed;
        let (stored, name) = if self.recipients.is_empty() {
            (plain, hash.to_owned())
        } else {
            sealed = age::encrypt(&self.recipients, plain);
            (sealed.as_slice(), sha256(&sealed))
        };
        let chunk = Chunk {
            name,
            bytes: stored.len() as u64,
        };
        let path = self.vault.chunk_path(&chunk.name);
        let folder = path.parent().unwrap_or(&self.vault.dir).to_owned();
        if !self.folders.contains(&folder) {
            std::fs::create_dir_all(&folder).map_err(|e| io_problem("create", &folder, &e))?;
            self.folders.insert(folder);
        }
        write_chunk(&path, stored)?;
        self.written.push(chunk.clone());
        self.bytes_new += chunk.bytes;
        read_back(&path, &chunk)?;
        self.there.insert(chunk.name.clone());
        self.known.insert(hash.to_owned(), chunk.clone());
        Ok(chunk)
    }
}

impl Drop for Copy<'_> {
    fn drop(&mut self) {
        // Nothing of a copy that failed stays; above all it must not keep a full disk full.
        for chunk in &self.written {
            let _ = std::fs::remove_file(self.vault.chunk_path(&chunk.name));
        }
    }
}

/// The chunks of a file, in its order, from those of its point.
pub(crate) fn own_chunks(file: &FileEntry, chunks: &[Chunk]) -> Vec<Chunk> {
    let parts = file.parts.iter();
    parts
        .filter_map(|p| chunks.get(p.chunk as usize).cloned())
        .collect()
}

/// A file that was read.
pub(crate) fn entry(
    path: &str,
    meta: &Metadata,
    seen: Option<Seen>,
    parts: Vec<Part>,
) -> FileEntry {
    FileEntry {
        path: path.to_owned(),
        bytes: parts.iter().map(|p| p.bytes).sum(),
        mode: meta.mode() & 0o7777,
        seen,
        parts,
        sha256: None,
        damage: None,
    }
}

/// Whether the file is still the one that was opened.
pub(crate) fn unchanged(file: &File, source: &Path, before: &Metadata) -> Result<(), CopyError> {
    let again = metadata(file, source)?;
    if seen(before) != seen(&again) || again.len() != before.len() {
        return Err(CopyError::Changed);
    }
    Ok(())
}

pub(crate) fn open(source: &Path) -> Result<File, CopyError> {
    File::open(source).map_err(|e| match e.kind() {
        ErrorKind::NotFound => CopyError::Gone,
        _ => source_error(source, &e),
    })
}

pub(crate) fn metadata(file: &File, source: &Path) -> Result<Metadata, CopyError> {
    file.metadata().map_err(|e| source_error(source, &e))
}

pub(crate) fn seen(meta: &Metadata) -> Seen {
    let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
    Seen {
        device: meta.dev(),
        inode: meta.ino(),
        modified_ns: ns(meta.mtime(), meta.mtime_nsec()),
        changed_ns: ns(meta.ctime(), meta.ctime_nsec()),
    }
}

fn source_error(source: &Path, error: &std::io::Error) -> CopyError {
    // ENOMEM, ENFILE and EMFILE say nothing of the file: with more memory or handles it may be read.
    const WANTS: [i32; 3] = [12, 23, 24];
    let problem = Problem::new(
        "backup-source",
        format!("cannot read: {error}"),
        source.display().to_string(),
        "check the disk of the folder that is copied; jingling check says what else is wrong there",
    );
    match error.raw_os_error() {
        Some(number) if WANTS.contains(&number) => CopyError::Failed(problem),
        _ => CopyError::Unreadable(problem),
    }
}

fn write_chunk(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let beside = path.with_extension("tmp");
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // Out of the cache, so that what is read back comes from the disk. Advice: whether it is taken does not matter.
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        std::fs::rename(&beside, path)
    };
    write().map_err(|e| {
        let _ = std::fs::remove_file(&beside);
        io_problem("write", path, &e)
    })
}

fn read_back(path: &Path, chunk: &Chunk) -> Result<(), Problem> {
    let bytes = std::fs::read(path).map_err(|e| io_problem("read back", path, &e))?;
    if sha256(&bytes) == chunk.name {
        return Ok(());
    }
    Err(Problem::new(
        "backup-read-back",
        "what is read back is not what was written",
        path.display().to_string(),
        "the target's disk or its connection is faulty: use another one",
    ))
}
