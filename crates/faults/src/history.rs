//! The simulated city's history: the production lake on a [`FolderDisk`], fed by the city's projector. What it
//! must hold is known from what it was fed: each observation once with its value, by its own SQL (I4), but
//! for those whose time of keeping is over; of an observation and its correction exactly one (I22); rollups
//! that equal a recount; folders that hold what the manifest says; no position told as sealed that is not in
//! files after a crash (I21).

use crate::city::broken;
use crate::folder::{Rot, Step};
use crate::messages::{DAY_US, EVEN, Key, ODD, Stands, superseded};
use crate::{FolderDisk, Random};
use lake::{Lake, Limits, NoRecords, Sealed, Upkeep, check};
use model::{Catalogue, HistoryKind, Problem, Record, RollupKind, RollupSpan, Timestamp, Value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How far the city's clock is ahead of UTC.
const DAY_OFFSET_SECONDS: i32 = 28_800;
/// Questions that are asked in one stretch of a slow disk.
const ANSWERS_MAX: usize = 3;
/// Steps of upkeep that a small lake never needs at once.
const UPKEEP_STEPS_MAX: u64 = 2_000;

/// What the lake of a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LakeFigures {
    /// Rows sealed.
    pub rows_sealed: u64,
    /// Times the tail became files.
    pub seals: u64,
    /// Times observations were rolled up.
    pub rolled: u64,
    /// Times rows were given up.
    pub expired: u64,
    /// Times files became one.
    pub compacted: u64,
    /// Times replaced files were deleted.
    pub forgotten: u64,
    /// Times corrected rows left their files.
    pub struck: u64,
    /// Records that came while the lake waited for a slow disk.
    pub meanwhile: u64,
    /// Questions that were answered meanwhile, and compared.
    pub asked_meanwhile: u64,
    /// Seals that ended while upkeep waited for a slow disk.
    pub sealed_meanwhile: u64,
    /// Seals and steps of upkeep that the disk refused.
    pub refused: u64,
    /// Rows that queries gave and that were compared.
    pub rows_compared: u64,
    /// Files that rotted; check told each.
    pub rotten: u64,
    /// Queries over rotten files that were refused with the file's name.
    pub rotten_refused: u64,
    /// Changing steps of the disk.
    pub disk_steps: u64,
}

impl LakeFigures {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.rows_sealed += other.rows_sealed;
        self.seals += other.seals;
        self.rolled += other.rolled;
        self.expired += other.expired;
        self.compacted += other.compacted;
        self.forgotten += other.forgotten;
        self.struck += other.struck;
        self.meanwhile += other.meanwhile;
        self.asked_meanwhile += other.asked_meanwhile;
        self.sealed_meanwhile += other.sealed_meanwhile;
        self.refused += other.refused;
        self.rows_compared += other.rows_compared;
        self.rotten += other.rotten;
        self.rotten_refused += other.rotten_refused;
        self.disk_steps += other.disk_steps;
    }
}

/// The lake and what is known of it.
pub struct History {
    /// What it lies on.
    pub disk: FolderDisk,
    dir: PathBuf,
    runtime: Arc<Runtime>,
    /// `None` while the process is dead.
    lake: Option<Arc<Lake>>,
    known: Known,
    /// What it told as sealed.
    sealed: u64,
    /// The latest moment that upkeep was asked with: what is over by then may be gone.
    latest_us: i64,
    figures: LakeFigures,
    _folder: tempfile::TempDir,
}

/// What the lake was given.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Positions of messages and corrections that it has.
    held: BTreeSet<u64>,
    /// Corrections that came when what they correct might have been given up: a person is told so before, but a
    /// disk that refused for days held these up. Rollups may have been past counting anew by then.
    late: BTreeSet<u64>,
}

impl Known {
    /// Gives the lake a record; `latest_us` is the latest moment that upkeep was asked with.
    fn give(&mut self, lake: &Lake, position: u64, record: &Record, latest_us: i64) {
        let is_new = position >= lake.stats().position_next;
        match record {
            Record::Accepted(said) if lake.apply(position, said) > 0 => {
                self.held.insert(position);
            }
            Record::Accepted(_) => {}
            Record::Corrected(corrected) if is_new => {
                let latest = Timestamp::from_micros(latest_us);
                let (entity_type, observed_at) = (&corrected.entity_type, corrected.observed_at);
                let in_time = lake.is_correctable(entity_type.as_str(), observed_at, latest);
                lake.apply_corrected(position, corrected);
                self.held.insert(position);
                if !in_time {
                    self.late.insert(position);
                }
            }
            _ => {}
        }
    }

    /// What was in memory only is gone.
    fn forget_from(&mut self, sealed: u64) {
        self.held.split_off(&sealed);
        self.late.split_off(&sealed);
    }
}

/// What the lake does on a slow disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slow {
    /// It seals.
    Seal,
    /// It looks after its files; somebody seals meanwhile.
    Upkeep,
}

/// What others do with the lake while it waits for the disk.
struct Others {
    lake: Arc<Lake>,
    disk: FolderDisk,
    runtime: Arc<Runtime>,
    random: Random,
    work: Slow,
    news: VecDeque<(u64, Record)>,
    known: Known,
    latest_us: i64,
    /// What queries answered, and what was known when they began.
    answers: Vec<(Result<Vec<String>, String>, Known)>,
    seals: Vec<(bool, Result<Option<Sealed>, Problem>)>,
    taken: u64,
}

impl Others {
    /// A step of the disk begins.
    fn step(&mut self, step: Step) {
        if self.disk.has_stopped() {
            return;
        }
        while self.random.once_in(2)
            && let Some((position, record)) = self.news.pop_front()
        {
            self.known
                .give(&self.lake, position, &record, self.latest_us);
            self.taken += 1;
        }
        if self.answers.len() < ANSWERS_MAX && self.random.once_in(12) {
            let found = observations(&self.runtime, &self.lake);
            self.answers.push((found, self.known.clone()));
        }
        // Another thread may seal while upkeep writes; both list files one after the other, so that here, where there
        // is one thread, a seal begins only before that.
        let is_writing = step == Step::Content { of_table: true };
        if self.work == Slow::Upkeep && is_writing && self.random.once_in(2) {
            let was_well = self.disk.is_well();
            self.seals.push((was_well, self.lake.seal()));
        }
    }
}

fn history_kinds() -> BTreeMap<String, HistoryKind> {
    let kept = |keep_days| RollupKind { keep_days };
    let even = HistoryKind {
        keep_days: Some(2),
        rollups: [
            (RollupSpan::Minute, kept(Some(4))),
            (RollupSpan::Hour, kept(None)),
            (RollupSpan::Day, kept(None)),
        ]
        .into(),
    };
    let odd = HistoryKind {
        keep_days: None,
        rollups: [(RollupSpan::Hour, kept(None))].into(),
    };
    [(EVEN.to_owned(), even), (ODD.to_owned(), odd)].into()
}

/// Limits small enough that a short run goes through many files.
fn options(disk: &FolderDisk) -> lake::Options {
    lake::Options {
        seal_rows: 60,
        chunk_rows: 7,
        row_group_rows: 16,
        page_rows: 8,
        file_rows_max: 150,
        compact_files_min: 3,
        replaced_keep: Duration::from_secs(3),
        history: history_kinds(),
        day_offset_seconds: DAY_OFFSET_SECONDS,
        zstd_level: 1,
        query_threads: 1,
        queries_max: 1,
        disk: disk.shared(),
        ..lake::Options::default()
    }
}

/// Whether what was observed then may be, or must be, given up.
fn is_over(us: i64, keep_days: Option<u32>, now_us: i64) -> bool {
    keep_days.is_some_and(|days| {
        let end_of_day = (us.div_euclid(DAY_US) + 1) * DAY_US;
        end_of_day + i64::from(days) * DAY_US <= now_us
    })
}

fn ask(runtime: &Runtime, lake: &Lake, sql: &str) -> Result<Vec<Vec<String>>, String> {
    let limits = Limits {
        rows_max: 1_000_000,
        time_max: Duration::from_secs(3_600),
        ..Limits::default()
    };
    let catalogue = Catalogue::default();
    let answer = runtime
        .block_on(lake.query(sql, &limits, Arc::new(NoRecords), &catalogue))
        .map_err(|problem| problem.to_string())?;
    let rows = answer.rows.iter();
    Ok(rows
        .map(|row| row.iter().map(ToString::to_string).collect())
        .collect())
}

/// Every observation that the lake shows, a line each.
fn observations(runtime: &Runtime, lake: &Lake) -> Result<Vec<String>, String> {
    let rows = ask(
        runtime,
        lake,
        "SELECT journal_position, entity_id, attribute, CAST(observed_at AS BIGINT), \
         value_number, value_text FROM observations",
    )?;
    Ok(rows.iter().map(|row| row.join(" ")).collect())
}

/// The start of the bucket that a moment lies in.
fn bucket_start(us: i64, span: RollupSpan, length_us: i64) -> i64 {
    let offset_us = match span {
        RollupSpan::Day => i64::from(DAY_OFFSET_SECONDS) * 1_000_000,
        _ => 0,
    };
    (us + offset_us).div_euclid(length_us) * length_us - offset_us
}

/// How often a row may be there.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    least: u64,
    most: u64,
}

/// A recount of one bucket.
#[derive(Clone, Debug)]
struct Bucket {
    count: i64,
    min: f64,
    max: f64,
    sum: f64,
    last: (i64, u64, f64),
    is_over: bool,
}

impl History {
    /// A lake that is not there yet, in memory where there is such a place.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn new(seed: u64) -> Result<Self, String> {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let folder = folder.map_err(|e| format!("no folder for the lake: {e}"))?;
        let runtime = Builder::new_current_thread().enable_time().build();
        Ok(Self {
            disk: FolderDisk::new(folder.path(), seed),
            dir: folder.path().join("lake"),
            runtime: Arc::new(runtime.map_err(|e| e.to_string())?),
            lake: None,
            known: Known::default(),
            sealed: 0,
            latest_us: i64::MIN,
            figures: LakeFigures::default(),
            _folder: folder,
        })
    }

    /// What it did.
    pub fn figures(&self) -> LakeFigures {
        LakeFigures {
            disk_steps: self.disk.steps(),
            ..self.figures
        }
    }

    /// For whoever looks into a seed.
    pub fn told(&self) -> String {
        format!(
            "lake: step {}, sealed {}, {:?}, files {:?}",
            self.disk.steps(),
            self.sealed,
            self.lake.as_ref().map(|lake| lake.stats()),
            self.disk.files()
        )
    }

    fn lake(&self) -> Result<&Arc<Lake>, String> {
        self.lake.as_ref().ok_or_else(|| "no lake".to_owned())
    }

    /// The journal may be trimmed up to here.
    pub const fn sealed(&self) -> u64 {
        self.sealed
    }

    /// The process is gone.
    pub fn die(&mut self) {
        self.lake = None;
    }

    /// Whether the process lived through opening it.
    ///
    /// # Errors
    /// Which invariant broke, and how.
    pub fn open(&mut self) -> Result<bool, String> {
        if self.dir.join("manifest.json").exists() {
            // What a dead process leaves is no damage.
            self.is_sound()?;
        }
        match Lake::open(&self.dir, options(&self.disk)) {
            Ok(lake) => {
                let sealed = lake.sealed_position();
                if sealed < self.sealed {
                    let told = self.sealed;
                    return Err(broken(
                        "I21",
                        format!("sealed up to {told} was told, {sealed} is found"),
                    ));
                }
                // What was in memory only is gone; the projector brings it again.
                self.known.forget_from(sealed);
                self.sealed = sealed;
                self.lake = Some(Arc::new(lake));
                self.folders_agree()?;
                Ok(true)
            }
            Err(_) if self.disk.has_stopped() => Ok(false),
            Err(problem) => Err(broken("I16", format!("the lake does not open: {problem}"))),
        }
    }

    /// Takes a record of the journal.
    ///
    /// # Errors
    /// When there is no lake.
    pub fn take(&mut self, position: u64, record: &Record) -> Result<(), String> {
        let lake = Arc::clone(self.lake()?);
        self.known.give(&lake, position, record, self.latest_us);
        Ok(())
    }

    /// Whether a person who looks at history may correct this observation.
    pub fn may_correct(&self, stands: &Stands, now_us: i64) -> bool {
        let now = Timestamp::from_micros(now_us.max(self.latest_us));
        let (entity_type, observed_at) = (stands.entity_type.as_str(), stands.said.observed_at);
        self.known.held.contains(&stands.position)
            && self.lake.as_ref().is_some_and(|lake| {
                lake.takes_corrections() && lake.is_correctable(entity_type, observed_at, now)
            })
    }

    /// Everything that the journal has, the lake has.
    ///
    /// # Errors
    /// I4, when it does not.
    pub fn has_all<'a>(
        &self,
        journaled: impl Iterator<Item = (&'a u64, &'a Vec<u8>)>,
    ) -> Result<(), String> {
        for (position, bytes) in journaled.filter(|(at, _)| !self.known.held.contains(at)) {
            if let Ok(Record::Accepted(_) | Record::Corrected(_)) = Record::decode(bytes) {
                return Err(broken("I4", format!("the lake lacks record {position}")));
            }
        }
        Ok(())
    }

    /// A refusal is allowed when the disk refused something, or the process died.
    fn may_refuse(&mut self, was_well: bool, what: &str, problem: &Problem) -> Result<(), String> {
        if was_well && !self.disk.has_stopped() {
            return Err(format!("{what} failed on a good disk: {problem}"));
        }
        self.figures.refused += 1;
        Ok(())
    }

    fn note_sealed(&mut self) -> Result<(), String> {
        let sealed = self.lake()?.sealed_position();
        if sealed < self.sealed {
            return Err(broken(
                "I21",
                format!("sealed up to {} became {sealed}", self.sealed),
            ));
        }
        // A dead process tells nobody.
        if !self.disk.has_stopped() {
            self.sealed = sealed;
        }
        Ok(())
    }

    /// Seals, due or not.
    ///
    /// # Errors
    /// Which invariant broke, and how.
    pub fn seal(&mut self, now_us: i64) -> Result<(), String> {
        let was_well = self.disk.is_well();
        let lake = self.lake()?;
        lake.should_seal(Timestamp::from_micros(now_us));
        match lake.seal() {
            Ok(Some(sealed)) => {
                self.figures.seals += 1;
                self.figures.rows_sealed += sealed.rows;
            }
            Ok(None) => {}
            Err(problem) => self.may_refuse(was_well, "sealing", &problem)?,
        }
        self.note_sealed()
    }

    /// Does some steps of upkeep; whether nothing is left to do.
    ///
    /// # Errors
    /// Which invariant broke, and how.
    pub fn upkeep(&mut self, now_us: i64, steps: u64) -> Result<bool, String> {
        self.latest_us = self.latest_us.max(now_us);
        for _ in 0..steps {
            let was_well = self.disk.is_well();
            match self.lake()?.upkeep(Timestamp::from_micros(now_us)) {
                Ok(Some(upkept)) => match upkept.work {
                    Upkeep::Roll => self.figures.rolled += 1,
                    Upkeep::Expire => self.figures.expired += 1,
                    Upkeep::Compact => self.figures.compacted += 1,
                    Upkeep::Forget => self.figures.forgotten += 1,
                    Upkeep::Strike => self.figures.struck += 1,
                    // No history of these games is sealed.
                    Upkeep::Place | Upkeep::Reseal => {}
                },
                Ok(None) => return Ok(true),
                Err(problem) => {
                    self.may_refuse(was_well, "upkeep", &problem)?;
                    break;
                }
            }
        }
        self.note_sealed()?;
        Ok(false)
    }

    /// Seals, or does a step of upkeep, while the disk is slow: between its steps records come in, people ask, and
    /// upkeep does not hold up a seal. What is left of the news comes afterwards.
    ///
    /// # Errors
    /// Which invariant broke, and how.
    pub fn slowly(
        &mut self,
        work: Slow,
        now_us: i64,
        news: VecDeque<(u64, Record)>,
        given: &BTreeMap<u64, Vec<u8>>,
        random: &mut Random,
    ) -> Result<(), String> {
        if work == Slow::Upkeep {
            self.latest_us = self.latest_us.max(now_us);
        }
        let others = Arc::new(Mutex::new(Others {
            lake: Arc::clone(self.lake()?),
            disk: self.disk.clone(),
            runtime: Arc::clone(&self.runtime),
            random: Random::new(random.any()),
            work,
            news,
            known: self.known.clone(),
            latest_us: self.latest_us,
            answers: Vec::new(),
            seals: Vec::new(),
            taken: 0,
        }));
        let busy = Arc::clone(&others);
        self.disk.set_slow(Some(Box::new(move |step| {
            busy.lock()
                .expect("one thread, which does not panic")
                .step(step);
        })));
        let done = match work {
            Slow::Seal => self.seal(now_us),
            Slow::Upkeep => self.upkeep(now_us, 1).map(|_| ()),
        };
        self.disk.set_slow(None);
        let others = Arc::into_inner(others).and_then(|others| others.into_inner().ok());
        let others = others.ok_or("somebody still waits for the disk")?;
        done?;
        self.figures.meanwhile += others.taken;
        for (was_well, sealed) in others.seals {
            match sealed {
                Ok(Some(sealed)) => {
                    self.figures.seals += 1;
                    self.figures.sealed_meanwhile += 1;
                    self.figures.rows_sealed += sealed.rows;
                }
                Ok(None) => {}
                Err(problem) => self.may_refuse(was_well, "sealing beside upkeep", &problem)?,
            }
        }
        for (found, known) in others.answers {
            let found = found.map_err(|e| broken("I4", format!("a query fails meanwhile: {e}")))?;
            self.figures.asked_meanwhile += 1;
            self.figures.rows_compared += found.len() as u64;
            self.compare(&known, found, given, false)
                .map_err(|what| format!("{what}, while the disk was slow"))?;
        }
        self.known = others.known;
        for (position, record) in others.news {
            self.take(position, &record)?;
        }
        self.note_sealed()
    }

    /// A file rots: check tells it and nothing else, upkeep leaves it as it is, and a process that has not read it yet
    /// answers nothing from it (I24). Then it is as it was, as from a backup; the process is to be started anew.
    ///
    /// # Errors
    /// Which invariant broke, and how.
    pub fn rot(&mut self, now_us: i64) -> Result<(), String> {
        if !self.disk.is_well() {
            return Ok(());
        }
        let manifest = std::fs::read_to_string(self.dir.join("manifest.json"));
        let manifest = manifest.map_err(|e| e.to_string())?;
        let is_listed = |path: &Path| {
            let inside = path.strip_prefix("lake").unwrap_or(path);
            let text = inside.to_string_lossy();
            text.starts_with("observations") && manifest.contains(&*text)
        };
        let Some(rot) = self.disk.rot(is_listed) else {
            return Ok(());
        };
        self.figures.rotten += 1;
        self.is_told(&rot)?;
        self.latest_us = self.latest_us.max(now_us);
        for _ in 0..4 {
            // Errors are its way to tell.
            let _ = self.lake()?.upkeep(Timestamp::from_micros(now_us));
        }
        self.note_sealed()?;
        // A file of which no row is kept any longer goes, rotten or not.
        if self.disk.files().contains(&rot.path) {
            self.is_told(&rot)?;
            self.is_not_believed(&rot)?;
        }
        self.disk.flip(&rot);
        Ok(())
    }

    /// Whoever needs the rotten file is told its name; what is asked of other tables is answered, or needs it too.
    fn is_not_believed(&mut self, rot: &Rot) -> Result<(), String> {
        let name = rot.path.file_name().unwrap_or_default().to_string_lossy();
        let table = rot.path.iter().nth(1).unwrap_or_default();
        let lake = Lake::open_read_only(&self.dir, options(&self.disk))
            .map_err(|e| broken("I24", format!("the lake does not open: {e}")))?;
        for asked in [
            "observations",
            "observations_1m",
            "observations_1h",
            "observations_1d",
        ] {
            match ask(&self.runtime, &lake, &format!("SELECT * FROM {asked}")) {
                Err(told) if told.contains(&*name) => self.figures.rotten_refused += 1,
                Ok(_) if table != asked => {}
                other => {
                    let other = other.map(|rows| rows.len());
                    return Err(broken(
                        "I24",
                        format!("{rot:?} rotted, {asked} answers {other:?}"),
                    ));
                }
            }
        }
        Ok(())
    }

    fn is_told(&self, rot: &Rot) -> Result<(), String> {
        let findings = check(&self.dir);
        let name = rot.path.file_name().unwrap_or_default().to_string_lossy();
        let tells = |problem: &Problem| problem.place.contains(&*name);
        if findings.is_empty() || !findings.iter().all(tells) {
            return Err(broken(
                "I15",
                format!("{rot:?} rotted, check finds {findings:?}"),
            ));
        }
        Ok(())
    }

    /// The lake says what it must, in memory and files together.
    ///
    /// # Errors
    /// Which invariant broke, and how.
    pub fn verify(
        &mut self,
        given: &BTreeMap<u64, Vec<u8>>,
        is_kept_up: bool,
    ) -> Result<(), String> {
        let found = self
            .observations()
            .map_err(|e| broken("I4", format!("a query fails: {e}")))?;
        self.figures.rows_compared += found.len() as u64;
        self.compare(&self.known, found, given, is_kept_up)?;
        self.is_sound()
    }

    fn is_sound(&self) -> Result<(), String> {
        let findings = check(&self.dir);
        if findings.is_empty() {
            return Ok(());
        }
        Err(broken("I4", format!("check finds {findings:?}")))
    }

    /// Others find in the folders the files that the manifest lists.
    fn folders_agree(&self) -> Result<(), String> {
        let stats = self.lake()?.stats();
        let files = self.disk.files();
        let of = |folder: &str| files.iter().filter(|f| f.starts_with(folder)).count();
        let there = of("lake/observations");
        let there_rolled =
            of("lake/observations_1m") + of("lake/observations_1h") + of("lake/observations_1d");
        if (there, there_rolled) == (stats.files, stats.rollup_files) {
            return Ok(());
        }
        Err(broken(
            "I4",
            format!("{stats:?}, but others find {there} and {there_rolled} files"),
        ))
    }

    /// All is well and all upkeep done: rows, rollups, and what others find in the folders.
    ///
    /// # Errors
    /// Which invariant broke, and how.
    pub fn finish(&mut self, now_us: i64, given: &BTreeMap<u64, Vec<u8>>) -> Result<(), String> {
        let now_us = now_us.max(self.latest_us);
        self.rollups(given)?;
        // What waits since a seal that failed, and what came since.
        self.seal(now_us)?;
        self.seal(now_us)?;
        let kept_up = self.upkeep(now_us, UPKEEP_STEPS_MAX)?;
        if !kept_up {
            return Err("upkeep finds no end".to_owned());
        }
        let lake = self.lake()?;
        if lake.stats().tail_rows > 0 {
            return Err(broken("I16", "a good disk, and rows that are not sealed"));
        }
        self.verify(given, true)?;
        self.rollups(given)?;
        self.folders_agree()
    }

    fn ask(&self, sql: &str) -> Result<Vec<Vec<String>>, String> {
        ask(&self.runtime, self.lake()?, sql)
    }

    fn observations(&self) -> Result<Vec<String>, String> {
        observations(&self.runtime, self.lake()?)
    }

    /// What the lake was given and nothing took the place of, observation by observation.
    fn told_to_it(
        known: &Known,
        given: &BTreeMap<u64, Vec<u8>>,
        mut each: impl FnMut(u64, &model::Update, &model::AttributeUpdate),
    ) -> Result<(), String> {
        let mut gone: BTreeSet<Key> = BTreeSet::new();
        let mut said = Vec::new();
        for position in &known.held {
            let bytes = given
                .get(position)
                .ok_or_else(|| format!("record {position} was never given"))?;
            match Record::decode(bytes).map_err(|e| e.to_string())? {
                Record::Accepted(accepted) => said.push((*position, accepted)),
                Record::Corrected(corrected) => {
                    gone.insert(superseded(&corrected));
                    if corrected.value.is_some() {
                        said.push((*position, corrected.said()));
                    }
                }
                Record::Rejected(_) | Record::Retained(_) => {}
            }
        }
        for (position, said) in &said {
            for update in &said.updates {
                for attribute in &update.attributes {
                    let key = (
                        *position,
                        update.entity_id.to_string(),
                        attribute.name.to_string(),
                        attribute.observed_at.micros(),
                    );
                    if !gone.contains(&key) {
                        each(*position, update, attribute);
                    }
                }
            }
        }
        Ok(())
    }

    fn compare(
        &self,
        known: &Known,
        found: Vec<String>,
        given: &BTreeMap<u64, Vec<u8>>,
        is_kept_up: bool,
    ) -> Result<(), String> {
        let kinds = history_kinds();
        let mut expected: BTreeMap<String, Times> = BTreeMap::new();
        Self::told_to_it(known, given, |position, update, attribute| {
            let us = attribute.observed_at.micros();
            let (number, text) = match &attribute.value {
                Value::Number(number) => (format!("{number:?}"), "null".to_owned()),
                Value::Text(text) => ("null".to_owned(), format!("\"{text}\"")),
                _ => ("null".to_owned(), "null".to_owned()),
            };
            let row = format!(
                "{position} \"{}\" \"{}\" {us} {number} {text}",
                update.entity_id, attribute.name
            );
            let keep_days = kinds[update.entity_type.as_str()].keep_days;
            let is_over = is_over(us, keep_days, self.latest_us);
            let times = expected.entry(row).or_default();
            times.least += u64::from(!is_over);
            times.most += u64::from(!(is_over && is_kept_up && position < self.sealed));
        })?;
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for row in found {
            *seen.entry(row).or_default() += 1;
        }
        for (row, times) in &seen {
            let most = expected.get(row).map_or(0, |times| times.most);
            if *times > most {
                return Err(broken(
                    "I4",
                    format!("{row} is there {times} times, not {most}"),
                ));
            }
        }
        for (row, times) in &expected {
            let there = seen.get(row).copied().unwrap_or_default();
            if there < times.least {
                return Err(broken(
                    "I4",
                    format!("{row} is there {there} times, not {}", times.least),
                ));
            }
        }
        Ok(())
    }

    fn rollups(&self, given: &BTreeMap<u64, Vec<u8>>) -> Result<(), String> {
        for (span, table, length_us) in [
            (RollupSpan::Minute, "observations_1m", 60_000_000),
            (RollupSpan::Hour, "observations_1h", 3_600_000_000),
            (RollupSpan::Day, "observations_1d", DAY_US),
        ] {
            let expected = self.recount(given, span, length_us)?;
            let loose = self.loose(given, span, length_us);
            let rows = self.ask(&format!(
                "SELECT entity_id, attribute, CAST(bucket_start AS BIGINT), count, min, max, mean, last FROM {table}"
            ));
            let rows = rows.map_err(|e| broken("I4", format!("a query of {table} fails: {e}")))?;
            let mut seen = BTreeSet::new();
            for row in &rows {
                let key = row[..3].join(" ");
                let told = || broken("I4", format!("{table} has {row:?}"));
                if !loose.contains(&key) {
                    let Some(bucket) = expected.get(&key) else {
                        return Err(told());
                    };
                    if !bucket.is_over && !bucket.is_as_told(&row[3..]) {
                        return Err(format!("{}, a recount says {bucket:?}", told()));
                    }
                }
                if !seen.insert(key) {
                    return Err(format!("{}, twice", told()));
                }
            }
            let lost = expected.iter().find(|(key, bucket)| {
                !bucket.is_over && !loose.contains(*key) && !seen.contains(*key)
            });
            if let Some((key, bucket)) = lost {
                return Err(broken("I4", format!("{table} lacks {key}: {bucket:?}")));
            }
        }
        Ok(())
    }

    /// The buckets that late corrections reach into: counted anew or not.
    fn loose(
        &self,
        given: &BTreeMap<u64, Vec<u8>>,
        span: RollupSpan,
        length_us: i64,
    ) -> BTreeSet<String> {
        let late = self
            .known
            .late
            .iter()
            .filter_map(|position| given.get(position));
        late.filter_map(|bytes| match Record::decode(bytes) {
            Ok(Record::Corrected(corrected)) => Some(corrected),
            _ => None,
        })
        .map(|corrected| {
            let start = bucket_start(corrected.observed_at.micros(), span, length_us);
            format!(
                "\"{}\" \"{}\" {start}",
                corrected.entity_id, corrected.attribute
            )
        })
        .collect()
    }

    fn recount(
        &self,
        given: &BTreeMap<u64, Vec<u8>>,
        span: RollupSpan,
        length_us: i64,
    ) -> Result<BTreeMap<String, Bucket>, String> {
        let kinds = history_kinds();
        let mut buckets: BTreeMap<String, Bucket> = BTreeMap::new();
        Self::told_to_it(&self.known, given, |position, update, attribute| {
            let rollup = kinds[update.entity_type.as_str()].rollups.get(&span);
            let (Some(rollup), Value::Number(number)) = (rollup, &attribute.value) else {
                return;
            };
            if !attribute.quality.is_usable() {
                return;
            }
            let us = attribute.observed_at.micros();
            let start = bucket_start(us, span, length_us);
            let key = format!("\"{}\" \"{}\" {start}", update.entity_id, attribute.name);
            let bucket = buckets.entry(key).or_insert(Bucket {
                count: 0,
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
                sum: 0.0,
                last: (i64::MIN, 0, 0.0),
                is_over: is_over(start, rollup.keep_days, self.latest_us),
            });
            bucket.count += 1;
            bucket.min = bucket.min.min(*number);
            bucket.max = bucket.max.max(*number);
            bucket.sum += number;
            if (us, position) >= (bucket.last.0, bucket.last.1) {
                bucket.last = (us, position, *number);
            }
        })?;
        Ok(buckets)
    }
}

impl Bucket {
    /// Whether count, least, greatest, mean and last are these.
    fn is_as_told(&self, told: &[String]) -> bool {
        let exact = [
            self.count.to_string(),
            format!("{:?}", self.min),
            format!("{:?}", self.max),
        ];
        let mean = self.sum / self.count as f64;
        let is_mean = told[3]
            .parse::<f64>()
            .is_ok_and(|told| (told - mean).abs() <= 1e-9 * mean.abs().max(1.0));
        told[..3] == exact && is_mean && told[4] == format!("{:?}", self.last.2)
    }
}
