//! The lake itself: the tail and the files under one lock, so that whoever looks sees every row once.

use crate::department;
use crate::disk::{Disk, RealDisk};
use crate::engine::Engine;
use crate::layout::{DAY_US, Table};
use crate::manifest::{FileEntry, Manifest, io_problem, strays};
use crate::publish::{Change, Undo, forget_replaced, publish, recover};
use crate::reseal::Reseals;
use crate::rollup;
use crate::seal::write_part;
use crate::struck::{Struck, StruckRow};
use crate::tail::{Part, Tail};
use crate::verified::Verified;
use arrow::error::ArrowError;
use model::{Accepted, Corrected, HistoryKind, Problem, Timestamp};
use parking_lot::{Condvar, Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

/// The lake's settings; every limit is here.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seal when the tail holds this many rows.
    pub seal_rows: usize,
    /// Seal when the tail has held rows for this long.
    pub seal_age: Duration,
    /// Seal when the tail takes this much memory, in bytes (estimated).
    pub seal_bytes: usize,
    /// Memory of the tail, in bytes (estimated), past which [`Lake::apply`] waits for the seal that runs,
    /// if one runs: memory is bounded by this, twice while a seal writes.
    pub tail_bytes_max: usize,
    /// Rows after which the open columns of the tail are frozen.
    pub chunk_rows: usize,
    /// Rows of a row group in a file: what is given to one thread.
    pub row_group_rows: usize,
    /// Rows of a page in a file: the least that is read of a column.
    pub page_rows: usize,
    /// Rows after which compaction begins another file; files of half as many are left alone.
    pub file_rows_max: usize,
    /// Files of a folder that are waited for before they are made one, while more are coming.
    pub compact_files_min: usize,
    /// Memory that compaction and rollups may take, in bytes (estimated): it bounds how many files are
    /// read at a time.
    pub compact_memory_bytes: usize,
    /// A folder whose newest row is this old is taken as quiet: its files are brought together even
    /// when they are few.
    pub quiet_age: Duration,
    /// Superseded rows that may wait in files for upkeep: past it [`Lake::takes_corrections`] says no, so that
    /// reading stays fast. What is in the journal is followed all the same.
    pub struck_rows_max: usize,
    /// Shortest time that a replaced file is kept for readers in other processes.
    pub replaced_keep: Duration,
    /// How long history is kept and how it is condensed, by entity type; as packs declare it.
    pub history: BTreeMap<String, HistoryKind>,
    /// How far the city's clock is ahead of UTC, in seconds: where the days of `observations_1d` begin.
    /// A lake keeps what its first files were written with.
    pub day_offset_seconds: i32,
    /// Zstandard level of the files, 1 to 22.
    pub zstd_level: i32,
    /// Threads that run queries, apart from the program's own.
    pub query_threads: usize,
    /// Queries that run at the same time; more wait, which counts towards their time.
    pub queries_max: usize,
    /// Memory kept for the footers of files read before, in bytes.
    pub footer_cache_bytes: usize,
    /// What changes the disk: the operating system's, unless a simulation puts another in its place.
    pub disk: Arc<dyn Disk>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seal_rows: 500_000,
            seal_age: Duration::from_secs(600),
            seal_bytes: 64 << 20,
            tail_bytes_max: 256 << 20,
            chunk_rows: 8_192,
            row_group_rows: 131_072,
            page_rows: 8_192,
            file_rows_max: 10_000_000,
            compact_files_min: 8,
            compact_memory_bytes: 64 << 20,
            quiet_age: Duration::from_secs(3_600),
            struck_rows_max: 10_000,
            replaced_keep: Duration::from_secs(600),
            history: BTreeMap::new(),
            day_offset_seconds: 0,
            zstd_level: 3,
            query_threads: 2,
            queries_max: 4,
            footer_cache_bytes: 16 << 20,
            disk: RealDisk::shared(),
        }
    }
}

/// What a seal wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Replay of the journal starts here from now on.
    pub sealed_position: u64,
    /// Files written, one for each UTC day of observation.
    pub files: usize,
    /// Rows written.
    pub rows: u64,
    /// Size of the files, in bytes.
    pub bytes: u64,
    /// Rows in older files that corrections among these took the place of. Until upkeep takes them out, whoever
    /// reads the folders without the manifest sees them beside what holds.
    pub struck: usize,
}

/// How much the lake holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Rows in memory, those being sealed included.
    pub tail_rows: usize,
    /// What the newest rows take in memory, in bytes (estimated), without those being sealed.
    pub tail_bytes: usize,
    /// Sealed files of observations.
    pub files: usize,
    /// Files of rollups.
    pub rollup_files: usize,
    /// Replaced files that wait for their readers to end.
    pub replaced_files: usize,
    /// Rows in sealed files.
    pub sealed_rows: u64,
    /// Size of sealed files, in bytes.
    pub sealed_bytes: u64,
    /// Rows that corrections took the place of and that are still there, read by nobody.
    pub struck_rows: usize,
    /// Replay of the journal starts here.
    pub sealed_position: u64,
    /// The next position to be taken; lower ones are ignored.
    pub position_next: u64,
}

/// How long and how condensed history is kept, by entity type.
pub type Histories = BTreeMap<String, HistoryKind>;

/// History as Parquet files and a hot tail. See the crate's page.
pub struct Lake {
    dir: PathBuf,
    options: Options,
    /// How long and how condensed history is kept, by entity type; see [`Self::set_history`].
    history: RwLock<Arc<Histories>>,
    /// Held while the lake is open for writing; `None` when it is open for reading.
    lock: Option<File>,
    state: Mutex<State>,
    /// Held by the one seal that runs.
    sealing: Mutex<()>,
    /// Notified when a seal has ended, well or not.
    sealed: Condvar,
    /// Held while files are listed or taken off the list; what of that the disk refused to take back.
    publishing: Mutex<Undo>,
    /// Held by the one piece of upkeep that runs.
    pub(crate) upkeeping: Mutex<()>,
    /// Paths of files that upkeep stumbled over since the start.
    pub(crate) troubled: Mutex<BTreeSet<String>>,
    /// Who seals values anew, once they lent themselves.
    pub(crate) reseals: OnceLock<Arc<dyn Reseals>>,
    /// Files that upkeep looked through for values under older keys, and found none.
    pub(crate) looked: Mutex<Looked>,
    /// Set when upkeep is to end early.
    pub(crate) is_stopping: AtomicBool,
    pub(crate) engine: Engine,
}

/// Files that hold no value that can be sealed anew, as long as this key seals.
#[derive(Default)]
pub(crate) struct Looked {
    pub key: String,
    pub paths: BTreeSet<String>,
}

struct State {
    manifest: Arc<Manifest>,
    /// The sealed position of the newest manifest that is surely on disk.
    durable_position: u64,
    /// The manifest is in its place, but a sync of its name failed: it is written again before anything is
    /// built on it.
    is_unsure: bool,
    /// Manifests that somebody may still be reading by, the oldest first.
    known: Vec<(u64, Weak<Manifest>)>,
    /// Files taken off the list, with the first manifest that did not list them, and when upkeep first saw them.
    replaced: Vec<(u64, Option<Timestamp>, Vec<Arc<FileEntry>>)>,
    is_sealing: bool,
    /// Taken out of the tail and not yet in the manifest; queries still see it. Stays here when a seal
    /// fails, for the next one.
    waiting: Option<Waiting>,
    tail: Tail,
    /// Rows that corrections took the place of, as long as they are in memory or in a file.
    struck: Arc<Struck>,
    /// When [`Lake::should_seal`] first saw the tail hold rows.
    held_since: Option<Timestamp>,
}

/// Rows on their way into files.
#[derive(Clone)]
struct Waiting {
    part: Arc<Part>,
    /// What was struck when they were taken out of the tail: what is struck later is sealed later.
    struck: Arc<Struck>,
}

/// All rows at one moment: these files and these parts, each row once, but for those struck.
#[derive(Clone)]
pub(crate) struct Contents {
    pub manifest: Arc<Manifest>,
    pub parts: Vec<Arc<Part>>,
    pub struck: Arc<Struck>,
    /// Which of the files are known to be whole.
    pub verified: Arc<Verified>,
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
        let disk = Arc::clone(&options.disk);
        disk.create_dir_all(&dir)
            .map_err(|e| io_problem("create", &dir, &e))?;
        let lock = lock(&dir)?;
        let mut manifest = match Manifest::read(&dir)? {
            Some(manifest) => manifest,
            None => {
                let manifest = Manifest::empty(options.day_offset_seconds);
                if let Some(file) = strays(&dir, &manifest)?.first() {
                    return Err(Problem::new(
                        "lake-manifest-missing",
                        "there are files but no manifest.json",
                        file.path.display().to_string(),
                        "restore manifest.json from a backup, or move the folders of the tables away",
                    ));
                }
                // The folder's own name, or all that is in it may be lost with the power.
                let parent = dir.parent().filter(|p| !p.as_os_str().is_empty());
                let parent = parent.unwrap_or(Path::new("."));
                disk.sync_folder(parent)
                    .map_err(|e| io_problem("sync", parent, &e))?;
                manifest.write(&*disk, &dir)?;
                manifest
            }
        };
        // A process that died may have left it in its place and not on disk; what only an older one lists
        // is about to be removed.
        disk.sync_folder(&dir)
            .map_err(|e| io_problem("sync", &dir, &e))?;
        if manifest.generation == 0 {
            // Nothing was written by this clock yet.
            manifest.day_offset_seconds = options.day_offset_seconds;
        } else if manifest.day_offset_seconds != options.day_offset_seconds {
            tracing::warn!(
                kept = manifest.day_offset_seconds,
                asked = options.day_offset_seconds,
                "the lake's days begin where they began when its first files were written"
            );
        }
        recover(&*disk, &dir, &manifest)?;
        department::sweep(&*disk, &dir);
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
        let history = RwLock::new(Arc::new(options.history.clone()));
        let manifest = Arc::new(manifest);
        Ok(Self {
            state: Mutex::new(State {
                tail: Tail::new(manifest.sealed_position, options.chunk_rows),
                known: vec![(manifest.generation, Arc::downgrade(&manifest))],
                replaced: Vec::new(),
                is_sealing: false,
                struck: Arc::new(manifest.struck.iter().cloned().collect()),
                durable_position: manifest.sealed_position,
                is_unsure: false,
                manifest,
                waiting: None,
                held_since: None,
            }),
            sealing: Mutex::new(()),
            sealed: Condvar::new(),
            publishing: Mutex::default(),
            upkeeping: Mutex::new(()),
            troubled: Mutex::default(),
            reseals: OnceLock::new(),
            looked: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            dir,
            options,
            history,
            lock,
            engine,
        })
    }

    /// Replay of the journal starts here: every lower position is in files, whatever happens.
    pub fn sealed_position(&self) -> u64 {
        self.state.lock().durable_position
    }

    /// How much the lake holds.
    pub fn stats(&self) -> Stats {
        let state = self.state.lock();
        let sealed = || state.manifest.of(Table::Observations);
        Stats {
            tail_rows: state.tail.rows() + state.waiting.as_ref().map_or(0, |w| w.part.rows()),
            tail_bytes: state.tail.bytes(),
            files: sealed().count(),
            rollup_files: state.manifest.files.len() - sealed().count(),
            replaced_files: state.replaced.iter().map(|(_, _, files)| files.len()).sum(),
            sealed_rows: sealed().map(|f| f.rows).sum(),
            sealed_bytes: sealed().map(|f| f.bytes).sum(),
            struck_rows: state.struck.len(),
            sealed_position: state.manifest.sealed_position,
            position_next: state.tail.position_next,
        }
    }

    /// Whether another correction may be asked for: not while [`Options::struck_rows_max`] rows wait for upkeep.
    pub fn takes_corrections(&self) -> bool {
        self.state.lock().struck.len() < self.options.struck_rows_max
    }

    /// Whether an observation is kept for so long yet that a correction of it can be made final: the rollup of
    /// its day is counted anew then, which needs the observations of the day before too, for a day more.
    pub fn is_correctable(
        &self,
        entity_type: &str,
        observed_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        let histories = self.histories();
        let history = histories.get(entity_type);
        let Some(days) = history.and_then(|history| history.keep_days) else {
            return true;
        };
        let given_up = Table::day_of(observed_at.micros()) + i64::from(days.max(1));
        given_up.saturating_sub(1).saturating_mul(DAY_US) > now.micros()
    }

    /// Takes one message: a row for each attribute. Positions must rise; one taken before is ignored, so
    /// that replay does no harm. Returns the rows added.
    pub fn apply(&self, position: u64, accepted: &Accepted) -> usize {
        let mut state = self.state.lock();
        while state.is_sealing && state.tail.bytes() >= self.options.tail_bytes_max {
            self.sealed.wait(&mut state);
        }
        state.tail.apply(position, accepted)
    }

    /// As [`Self::apply`] for many messages, at the price of one lock.
    pub fn apply_batch(&self, batch: &[(u64, Accepted)]) -> usize {
        let mut state = self.state.lock();
        let mut rows = 0;
        for (position, accepted) in batch {
            while state.is_sealing && state.tail.bytes() >= self.options.tail_bytes_max {
                self.sealed.wait(&mut state);
            }
            rows += state.tail.apply(*position, accepted);
        }
        rows
    }

    /// Takes one correction: the row that it supersedes is seen by nobody any more, and its own row is there
    /// unless it withdraws the observation. Positions rise together with those of [`Self::apply`]. One that
    /// supersedes what is superseded already changes nothing; whoever writes corrections sees to it that there
    /// is none. Returns the rows added.
    pub fn apply_corrected(&self, position: u64, corrected: &Corrected) -> usize {
        let mut state = self.state.lock();
        while state.is_sealing && state.tail.bytes() >= self.options.tail_bytes_max {
            self.sealed.wait(&mut state);
        }
        if position < state.tail.position_next {
            return 0;
        }
        let is_first = Arc::make_mut(&mut state.struck).insert(StruckRow::of(position, corrected));
        if is_first && corrected.value.is_some() {
            return state.tail.apply(position, &corrected.said());
        }
        state.tail.pass(position);
        0
    }

    /// Whether it is time for [`Self::seal`]: by rows, memory, or because the tail has held rows for
    /// [`Options::seal_age`] as seen by calls of this function. True also while rows wait that an earlier
    /// seal could not write, or could not make durable for sure.
    pub fn should_seal(&self, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        if state.waiting.is_some() || state.is_unsure {
            // Either a seal runs, and needs no second one, or it failed, and should be tried again.
            return self.sealing.try_lock().is_some();
        }
        if state.holds_nothing() {
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
        self.must_be_writable()?;
        let _one_at_a_time = self.sealing.lock();
        self.settle(&mut self.publishing.lock())?;
        let waiting = {
            let mut state = self.state.lock();
            if state.waiting.is_none() {
                if state.holds_nothing() {
                    return Ok(None);
                }
                state.waiting = Some(Waiting {
                    part: Arc::new(state.tail.take().map_err(arrow_problem)?),
                    struck: Arc::clone(&state.struck),
                });
                state.held_since = None;
            }
            state.is_sealing = true;
            state.waiting.clone()
        };
        let outcome = waiting.map(|waiting| self.seal_part(&waiting)).transpose();
        self.state.lock().is_sealing = false;
        self.sealed.notify_all();
        outcome
    }

    fn seal_part(&self, Waiting { part, struck }: &Waiting) -> Result<Sealed, Problem> {
        let mut written = write_part(&self.dir, part, struck, &self.options)?;
        let tags = rollup::tags(&self.histories());
        for file in &mut written {
            file.entry.rolled = rollup::without_rows(&tags, &file.entry);
        }
        let mut sealed = Sealed {
            sealed_position: part.position_to,
            files: written.len(),
            rows: written.iter().map(|f| f.entry.rows).sum(),
            bytes: written.iter().map(|f| f.entry.bytes).sum(),
            struck: 0,
        };
        // With the corrections that are sealed now goes what they struck: rows that were just left out, or
        // that lie in files sealed before.
        let (mut strike, mut settle) = (Vec::new(), Vec::new());
        let manifest = self.manifest();
        let left_out = part.chunks.iter().flat_map(|c| part.struck(c, struck));
        let left_out: Struck = left_out.map(|(_, row)| row.clone()).collect();
        let is_new = |row: &&StruckRow| row.corrected_at >= manifest.sealed_position;
        for row in struck.iter().filter(is_new) {
            let mut files = manifest.of(Table::Observations);
            if !left_out.has_row(row) && files.any(|file| row.may_lie_in(file)) {
                strike.push(row.clone());
            } else {
                settle.push(row.clone());
            }
        }
        sealed.struck = strike.len();
        self.publish(Change {
            add: written,
            sealed_position: Some(part.position_to),
            rows_sealed: sealed.rows,
            strike,
            settle,
            ..Change::default()
        })?;
        Ok(sealed)
    }

    /// Ends what the disk refused when files were listed the last time.
    fn settle(&self, undo: &mut Undo) -> Result<(), Problem> {
        undo.finish(self.disk())
            .map_err(|e| io_problem("clear", &self.dir, &e))?;
        let (manifest, is_unsure) = {
            let state = self.state.lock();
            (Arc::clone(&state.manifest), state.is_unsure)
        };
        if is_unsure {
            manifest.write(self.disk(), &self.dir)?;
            let mut state = self.state.lock();
            state.is_unsure = false;
            state.durable_position = manifest.sealed_position;
        }
        Ok(())
    }

    /// Makes a change of files durable, then visible to all that ask from now on. After an error all is as
    /// before, or the change is visible and [`Self::settle`] makes it durable.
    pub(crate) fn publish(&self, change: Change) -> Result<(), Problem> {
        let mut undo = self.publishing.lock();
        self.settle(&mut undo)?;
        let before = Arc::clone(&self.state.lock().manifest);
        let removed = change.remove.clone();
        let is_seal = change.sealed_position.is_some();
        let settled = change.settle.clone();
        let published = publish(self.disk(), &self.dir, &before, &mut undo, change)?;
        let next = Arc::new(published.manifest);
        // The one moment in which rows change from memory to files, or from files to files, for everyone.
        let mut state = self.state.lock();
        state.known.push((next.generation, Arc::downgrade(&next)));
        if !removed.is_empty() {
            state.replaced.push((next.generation, None, removed));
        }
        state.is_unsure = published.unsure.is_some();
        if !state.is_unsure {
            state.durable_position = next.sealed_position;
        }
        state.manifest = next;
        if is_seal {
            state.waiting = None;
        }
        if !settled.is_empty() {
            let struck = Arc::make_mut(&mut state.struck);
            settled.iter().for_each(|row| struck.remove(row));
        }
        published.unsure.map_or(Ok(()), Err)
    }

    /// Deletes replaced files that no query reads any more and that are old enough. Returns how many.
    pub(crate) fn forget_replaced(&self, now: Timestamp) -> usize {
        // An older manifest that comes back with a loss of power would need them.
        if self.settle(&mut self.publishing.lock()).is_err() {
            return 0;
        }
        let mut state = self.state.lock();
        state
            .known
            .retain(|(_, manifest)| manifest.strong_count() > 0);
        let oldest = state
            .known
            .first()
            .map_or(u64::MAX, |(generation, _)| *generation);
        let keep_us = i64::try_from(self.options.replaced_keep.as_micros()).unwrap_or(i64::MAX);
        let mut gone = Vec::new();
        state.replaced.retain_mut(|(generation, seen, files)| {
            let since = *seen.get_or_insert(now);
            let is_over = *generation <= oldest && now.micros_since(since) >= keep_us;
            if is_over {
                gone.append(files);
            }
            !is_over
        });
        drop(state);
        forget_replaced(self.disk(), &self.dir, &gone);
        let gone_paths = gone.iter().map(|file| file.path.as_str());
        self.engine.verified.forget(gone_paths);
        gone.len()
    }

    /// Asks upkeep that runs, or comes, to end early; for a program that is ending.
    pub fn stop_upkeep(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    pub(crate) fn must_be_writable(&self) -> Result<(), Problem> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(Problem::new(
                "lake-read-only",
                "the lake is open for reading only",
                self.dir.display().to_string(),
                "do this in the process that serves the city",
            )),
        }
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.options.disk
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// How history is kept now, by entity type.
    pub(crate) fn histories(&self) -> Arc<Histories> {
        Arc::clone(&self.history.read())
    }

    /// History is kept so from now on, in the place of [`Options::history`]: rollups that are new are counted by upkeep, and
    /// the next round gives up what is kept for a shorter time. A piece of upkeep that runs ends by what held before.
    pub fn set_history(&self, history: Histories) {
        *self.history.write() = Arc::new(history);
    }

    pub(crate) fn manifest(&self) -> Arc<Manifest> {
        Arc::clone(&self.state.lock().manifest)
    }

    /// Rows that corrections took the place of.
    pub(crate) fn struck(&self) -> Arc<Struck> {
        Arc::clone(&self.state.lock().struck)
    }

    /// All rows at this moment.
    pub(crate) fn contents(&self) -> Result<Contents, Problem> {
        let mut state = self.state.lock();
        let waiting = state.waiting.iter().map(|w| Arc::clone(&w.part));
        let mut parts: Vec<Arc<Part>> = waiting.collect();
        if state.tail.rows() > 0 {
            parts.push(Arc::new(state.tail.snapshot().map_err(arrow_problem)?));
        }
        Ok(Contents {
            manifest: Arc::clone(&state.manifest),
            parts,
            struck: Arc::clone(&state.struck),
            verified: Arc::clone(&self.engine.verified),
        })
    }
}

impl State {
    /// Whether a seal would have nothing to write down: no rows, and no correction.
    fn holds_nothing(&self) -> bool {
        let sealed_position = self.manifest.sealed_position;
        self.tail.rows() == 0 && (self.struck.iter()).all(|row| row.corrected_at < sealed_position)
    }
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
