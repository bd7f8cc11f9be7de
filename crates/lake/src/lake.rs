//! The lake itself: the tail and the files under one lock, so that whoever looks sees every row once.

use crate::engine::Engine;
use crate::manifest::{FILES_FOLDER, FileEntry, Manifest, io_problem, strays};
use crate::seal::write_part;
use crate::tail::{Part, Tail};
use arrow::error::ArrowError;
use model::{Accepted, Problem, Timestamp};
use parking_lot::Mutex;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The lake's settings; every limit is here.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Seal when the tail holds this many rows.
    pub seal_rows: usize,
    /// Seal when the tail has held rows for this long.
    pub seal_age: Duration,
    /// Seal when the tail takes this much memory, in bytes (estimated).
    pub seal_bytes: usize,
    /// Rows after which the open columns of the tail are frozen.
    pub chunk_rows: usize,
    /// Rows of a row group in a file: what is skipped or read as a whole.
    pub row_group_rows: usize,
    /// Zstandard level of the files, 1 to 22.
    pub zstd_level: i32,
    /// Threads that run queries, apart from the program's own.
    pub query_threads: usize,
    /// Queries that run at the same time; more wait, which counts towards their time.
    pub queries_max: usize,
    /// Memory kept for the footers of files read before, in bytes.
    pub footer_cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seal_rows: 500_000,
            seal_age: Duration::from_secs(600),
            seal_bytes: 256 << 20,
            chunk_rows: 8_192,
            row_group_rows: 65_536,
            zstd_level: 3,
            query_threads: 2,
            queries_max: 4,
            footer_cache_bytes: 16 << 20,
        }
    }
}

/// What a seal wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Replay of the journal starts here from now on.
    pub sealed_position: u64,
    /// Files written, one for each UTC date of receipt.
    pub files: usize,
    /// Rows written.
    pub rows: u64,
    /// Size of the files, in bytes.
    pub bytes: u64,
}

/// How much the lake holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Rows in memory, those being sealed included.
    pub tail_rows: usize,
    /// What the newest rows take in memory, in bytes (estimated), without those being sealed.
    pub tail_bytes: usize,
    /// Sealed files.
    pub files: usize,
    /// Rows in sealed files.
    pub sealed_rows: u64,
    /// Size of sealed files, in bytes.
    pub sealed_bytes: u64,
    /// Replay of the journal starts here.
    pub sealed_position: u64,
    /// The next position to be taken; lower ones are ignored.
    pub position_next: u64,
}

/// History as Parquet files and a hot tail. See the crate's page.
pub struct Lake {
    dir: PathBuf,
    options: Options,
    /// Held while the lake is open for writing; `None` when it is open for reading.
    lock: Option<File>,
    state: Mutex<State>,
    /// Held by the one seal that runs.
    sealing: Mutex<()>,
    pub(crate) engine: Engine,
}

struct State {
    manifest: Arc<Manifest>,
    /// Taken out of the tail and not yet in the manifest; queries still see it. Stays here when a seal
    /// fails, for the next one.
    waiting: Option<Arc<Part>>,
    tail: Tail,
    /// When [`Lake::should_seal`] first saw the tail hold rows.
    held_since: Option<Timestamp>,
}

/// All rows at one moment: these files and these parts, each row once.
pub(crate) struct Contents {
    pub manifest: Arc<Manifest>,
    pub parts: Vec<Arc<Part>>,
}

impl Lake {
    /// Opens the lake in `dir` for writing, creating it when there is none, and removes what an
    /// interrupted seal left. Feed it the journal from [`Self::sealed_position`] on.
    ///
    /// # Errors
    /// `lake-in-use` when another process has it open for writing, `lake-manifest-*` when the manifest is
    /// missing, damaged or newer than this program, `lake-io` for the disk.
    pub fn open(dir: impl Into<PathBuf>, options: Options) -> Result<Self, Problem> {
        let dir = dir.into();
        std::fs::create_dir_all(&dir).map_err(|e| io_problem("create", &dir, &e))?;
        let lock = lock(&dir)?;
        let manifest = match Manifest::read(&dir)? {
            Some(manifest) => manifest,
            None => {
                let manifest = Manifest::empty();
                if let Some(file) = strays(&dir, &manifest)?.first() {
                    return Err(Problem::new(
                        "lake-manifest-missing",
                        "there are files but no manifest.json",
                        file.path.display().to_string(),
                        format!(
                            "restore manifest.json from a backup, or move the folder {FILES_FOLDER} away"
                        ),
                    ));
                }
                manifest.write(&dir)?;
                manifest
            }
        };
        for stray in strays(&dir, &manifest)? {
            if stray.unfinished {
                tracing::info!(path = %stray.path.display(), "removing what an interrupted seal left");
                std::fs::remove_file(&stray.path)
                    .map_err(|e| io_problem("remove", &stray.path, &e))?;
            } else {
                tracing::warn!(path = %stray.path.display(), "not in the manifest: left alone, not read");
            }
        }
        Self::assemble(dir, options, Some(lock), manifest)
    }

    /// Opens the lake in `dir` for reading beside a process that may be writing it. It can be fed too,
    /// in memory only; [`Self::seal`] refuses.
    ///
    /// # Errors
    /// As [`Self::open`], and `lake-manifest-missing` when there is no lake.
    pub fn open_read_only(dir: impl Into<PathBuf>, options: Options) -> Result<Self, Problem> {
        let dir = dir.into();
        let manifest = Manifest::read(&dir)?.ok_or_else(|| {
            Problem::new(
                "lake-manifest-missing",
                "there is no lake here",
                dir.display().to_string(),
                "name the folder that holds manifest.json",
            )
        })?;
        Self::assemble(dir, options, None, manifest)
    }

    fn assemble(
        dir: PathBuf,
        options: Options,
        lock: Option<File>,
        manifest: Manifest,
    ) -> Result<Self, Problem> {
        let engine = Engine::new(&dir, &options)?;
        Ok(Self {
            state: Mutex::new(State {
                tail: Tail::new(manifest.sealed_position, options.chunk_rows),
                manifest: Arc::new(manifest),
                waiting: None,
                held_since: None,
            }),
            sealing: Mutex::new(()),
            dir,
            options,
            lock,
            engine,
        })
    }

    /// Replay of the journal starts here: every lower position is in files.
    pub fn sealed_position(&self) -> u64 {
        self.state.lock().manifest.sealed_position
    }

    /// How much the lake holds.
    pub fn stats(&self) -> Stats {
        let state = self.state.lock();
        Stats {
            tail_rows: state.tail.rows() + state.waiting.as_ref().map_or(0, |part| part.rows()),
            tail_bytes: state.tail.bytes(),
            files: state.manifest.files.len(),
            sealed_rows: state.manifest.files.iter().map(|f| f.rows).sum(),
            sealed_bytes: state.manifest.files.iter().map(|f| f.bytes).sum(),
            sealed_position: state.manifest.sealed_position,
            position_next: state.tail.position_next,
        }
    }

    /// Takes one message: a row for each attribute. Positions must rise; one taken before is ignored, so
    /// that replay does no harm. Returns the rows added.
    pub fn apply(&self, position: u64, accepted: &Accepted) -> usize {
        self.state.lock().tail.apply(position, accepted)
    }

    /// As [`Self::apply`] for many messages, at the price of one lock.
    pub fn apply_batch(&self, batch: &[(u64, Accepted)]) -> usize {
        let mut state = self.state.lock();
        batch
            .iter()
            .map(|(position, accepted)| state.tail.apply(*position, accepted))
            .sum()
    }

    /// Whether it is time for [`Self::seal`]: by rows, memory, or because the tail has held rows for
    /// [`Options::seal_age`] as seen by calls of this function. True also while rows wait that an earlier
    /// seal could not write.
    pub fn should_seal(&self, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        if state.waiting.is_some() {
            // Either a seal runs, and needs no second one, or it failed, and should be tried again.
            return self.sealing.try_lock().is_some();
        }
        if state.tail.rows() == 0 {
            state.held_since = None;
            return false;
        }
        let since = *state.held_since.get_or_insert(now);
        let age_us = i64::try_from(self.options.seal_age.as_micros()).unwrap_or(i64::MAX);
        state.tail.rows() >= self.options.seal_rows
            || state.tail.bytes() >= self.options.seal_bytes
            || now.micros_since(since) >= age_us
    }

    /// Writes the tail to files and lists them in the manifest; when it returns, the rows are durable.
    /// Appending and queries go on meanwhile. It computes and waits for the disk: call it on a thread for
    /// blocking work. `None` when there is nothing to write.
    ///
    /// # Errors
    /// `lake-seal` or `lake-io`: the rows stay visible in memory and the next seal tries again.
    /// `lake-read-only` after [`Self::open_read_only`].
    pub fn seal(&self) -> Result<Option<Sealed>, Problem> {
        if self.lock.is_none() {
            return Err(Problem::new(
                "lake-read-only",
                "the lake is open for reading only",
                self.dir.display().to_string(),
                "seal in the process that serves the city",
            ));
        }
        let _one_at_a_time = self.sealing.lock();
        let (part, manifest) = {
            let mut state = self.state.lock();
            if state.waiting.is_none() {
                if state.tail.rows() == 0 {
                    return Ok(None);
                }
                state.waiting = Some(Arc::new(state.tail.take().map_err(arrow_problem)?));
                state.held_since = None;
            }
            (state.waiting.clone(), Arc::clone(&state.manifest))
        };
        let Some(part) = part else { return Ok(None) };

        let written = write_part(&self.dir, &part, &self.options)?;
        let sealed = Sealed {
            sealed_position: part.position_to,
            files: written.len(),
            rows: written.iter().map(|f| f.rows).sum(),
            bytes: written.iter().map(|f| f.bytes).sum(),
        };
        let next = manifest_with(&manifest, &part, written);
        next.write(&self.dir)?;

        // The one moment in which the rows change from memory to files, for everyone.
        let mut state = self.state.lock();
        state.manifest = Arc::new(next);
        state.waiting = None;
        Ok(Some(sealed))
    }

    /// The lake's folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// All rows at this moment.
    pub(crate) fn contents(&self) -> Result<Contents, Problem> {
        let mut state = self.state.lock();
        let mut parts: Vec<Arc<Part>> = state.waiting.iter().cloned().collect();
        if state.tail.rows() > 0 {
            parts.push(Arc::new(state.tail.snapshot().map_err(arrow_problem)?));
        }
        Ok(Contents {
            manifest: Arc::clone(&state.manifest),
            parts,
        })
    }
}

fn manifest_with(manifest: &Manifest, part: &Part, written: Vec<FileEntry>) -> Manifest {
    let mut next = manifest.clone();
    next.files.extend(written.into_iter().map(Arc::new));
    next.sealed_position = part.position_to;
    next
}

fn lock(dir: &Path) -> Result<File, Problem> {
    let path = dir.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| io_problem("open", &path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Problem::new(
            "lake-in-use",
            "another process has the lake open",
            dir.display().to_string(),
            "stop the other process, or open the lake for reading only",
        )),
        Err(TryLockError::Error(e)) => Err(io_problem("lock", &path, &e)),
    }
}

/// Columns that do not fit together: a fault of this program, told rather than panicked about.
fn arrow_problem(error: ArrowError) -> Problem {
    Problem::new(
        "lake-columns",
        format!("the rows in memory do not form columns: {error}"),
        "the lake's tail",
        "restart; the rows are replayed from the journal, and report this",
    )
}
