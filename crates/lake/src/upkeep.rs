//! What is done to files in the background, one step at a time: files of layout 1 go to their days, rows that
//! corrections took the place of leave their files (see [`crate::strike`]), new files are rolled up, what was kept long enough is given up, many small files become few large ones, values under older keys are sealed anew (see [`crate::reseal`]), and
//! replaced files are deleted. Each step reads sorted files as a stream, writes new ones, and lists them in
//! one move; before that it proves by the sum of fingerprints that no row was lost or doubled.

use crate::check::digest;
use crate::lake::Lake;
use crate::layout::{DAY_US, Table};
use crate::manifest::{FileEntry, Manifest, io_problem};
use crate::merge::{Batches, INPUT_BYTES, Merge};
use crate::publish::Change;
use crate::rollup::{self, Sink};
use crate::schema::column;
use crate::strike::Strike;
use crate::writer::{TableWriter, Written, fingerprint};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use model::{Problem, RollupSpan, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a step of upkeep did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upkept {
    /// Which of its kinds of work.
    pub work: Upkeep,
    /// Files read or deleted.
    pub files: usize,
    /// Files written in their place.
    pub files_written: usize,
    /// Rows written.
    pub rows: u64,
    /// What was given up because its time was over.
    pub given_up: Option<GivenUp>,
}

/// Rows of one day that were given up because the time for which they are kept was over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// The table: `observations`, or one of its rollups.
    pub table: &'static str,
    /// The folder that they lay in: `day=2026-11-23`, or a longer stretch for rollups.
    pub folder: String,
    /// Their entity types.
    pub types: Vec<String>,
    /// How many.
    pub rows: u64,
}

/// The kinds of work of upkeep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// Replaced files that nobody reads any more were deleted.
    Forget,
    /// A file of layout 1 was cut into days of observation.
    Place,
    /// Rows that corrections took the place of were given up, and the rollups that held them done again.
    Strike,
    /// Observations were added to the rollups.
    Roll,
    /// Rows whose time of keeping is over were given up.
    Expire,
    /// Files were made one.
    Compact,
    /// Values of a file were sealed anew under the newest key.
    Reseal,
}

/// A step to be done.
enum Job {
    Place(Arc<FileEntry>),
    Strike(Strike),
    Roll(Vec<Arc<FileEntry>>),
    Expire(Arc<FileEntry>, BTreeSet<String>),
    Compact(Vec<Arc<FileEntry>>),
    Reseal(Arc<FileEntry>),
}

impl Job {
    fn files(&self) -> &[Arc<FileEntry>] {
        match self {
            Self::Place(file) | Self::Expire(file, _) | Self::Reseal(file) => {
                std::slice::from_ref(file)
            }
            Self::Strike(strike) => &strike.files,
            Self::Roll(files) | Self::Compact(files) => files,
        }
    }
}

impl Lake {
    /// Does the most urgent piece of upkeep that is due at `now`; `None` when nothing is. It computes and
    /// waits for the disk: call it on a thread for blocking work, again until it answers `None`, then from
    /// time to time. Appending, sealing and queries go on meanwhile.
    ///
    /// # Errors
    /// `lake-write`, `lake-read`, `lake-file-checksum` or `lake-io`: all is as before. `lake-rows-differ` when a rewritten file
    /// would not hold exactly the rows of those it replaces, which stay; such files are left alone until the
    /// next start. `lake-stopping` after
    /// [`Self::stop_upkeep`]; `lake-read-only` after [`Self::open_read_only`].
    pub fn upkeep(&self, now: Timestamp) -> Result<Option<Upkept>, Problem> {
        self.must_be_writable()?;
        let _one_at_a_time = self.upkeeping.lock();
        let forgotten = self.forget_replaced(now);
        if forgotten > 0 {
            return Ok(Some(Upkept {
                work: Upkeep::Forget,
                files: forgotten,
                files_written: 0,
                rows: 0,
                given_up: None,
            }));
        }
        let manifest = self.sound();
        let job = if let Some(file) = manifest.files.iter().find(|f| !f.is_placed()) {
            Job::Place(Arc::clone(file))
        } else if let Some(strike) = self.to_strike() {
            Job::Strike(strike)
        } else if let Some(files) = self.unrolled(&manifest) {
            Job::Roll(files)
        } else if let Some((file, types)) = self.expired(&manifest, now) {
            Job::Expire(file, types)
        } else if let Some(files) = self.fragmented(&manifest, now) {
            Job::Compact(files)
        } else if let Some(file) = self.to_reseal(&manifest)? {
            Job::Reseal(file)
        } else {
            return Ok(None);
        };
        let outcome = match &job {
            Job::Place(file) => self.place(file),
            Job::Strike(strike) => self.strike(strike, manifest.day_offset_seconds),
            Job::Roll(files) => self.roll(files, manifest.day_offset_seconds),
            Job::Expire(file, types) => self.expire(file, types),
            Job::Compact(files) => self.compact(files),
            Job::Reseal(file) => self.reseal(file),
        };
        if let Err(problem) = &outcome
            && matches!(problem.code.as_str(), "lake-read" | "lake-rows-differ")
        {
            // A damaged file must not keep the others from being looked after.
            let mut troubled = self.troubled.lock();
            troubled.extend(job.files().iter().map(|f| f.path.clone()));
        }
        outcome.map(Some)
    }

    /// The manifest without files that an earlier step stumbled over.
    fn sound(&self) -> Arc<Manifest> {
        let manifest = self.manifest();
        let troubled = self.troubled.lock();
        if troubled.is_empty() {
            return manifest;
        }
        let mut sound = Manifest::clone(&manifest);
        sound.files.retain(|f| !troubled.contains(&f.path));
        Arc::new(sound)
    }

    /// Files that may be read at a time within the memory given.
    fn inputs_max(&self) -> usize {
        (self.options().compact_memory_bytes / 2 / INPUT_BYTES).clamp(2, 64)
    }

    pub(crate) fn go_on(&self) -> Result<(), Problem> {
        if self.is_stopping.load(Ordering::Acquire) {
            return Err(Problem::new(
                "lake-stopping",
                "the program is ending",
                self.dir().display().to_string(),
                "nothing to do: the work is done after the next start",
            ));
        }
        Ok(())
    }

    /// Where the file lies, once its bytes have been seen to be those that were written: damage must not
    /// be copied under a new checksum.
    pub(crate) fn path(&self, file: &FileEntry) -> Result<PathBuf, Problem> {
        let path = self.dir().join(&file.path);
        let (_, sha256) = std::fs::File::open(&path)
            .and_then(|mut file| digest(&mut file))
            .map_err(|e| {
                if e.kind() == std::io::ErrorKind::NotFound {
                    // As one that is damaged: it must not hold up the others.
                    self.troubled.lock().insert(file.path.clone());
                }
                io_problem("read", &path, &e)
            })?;
        if sha256 == file.sha256 {
            return Ok(path);
        }
        self.troubled.lock().insert(file.path.clone());
        // Whoever asks from now on is told so, too.
        self.engine.verified.forget([file.path.as_str()]);
        Err(Problem::new(
            "lake-file-checksum",
            format!("the file's SHA-256 is {sha256}, not {}", file.sha256),
            path.display().to_string(),
            "restore the file from a backup; it is left as it is",
        ))
    }

    fn paths(&self, files: &[Arc<FileEntry>]) -> Result<Vec<PathBuf>, Problem> {
        files.iter().map(|f| self.path(f)).collect()
    }

    /// Cuts a file of layout 1 into days of observation.
    fn place(&self, file: &Arc<FileEntry>) -> Result<Upkept, Problem> {
        // Such a file holds one seal, which was in memory as a whole once.
        let batches =
            Batches::open(&self.path(file)?, file.table)?.collect::<Result<Vec<_>, _>>()?;
        let days_of = |batch: &RecordBatch| -> Vec<i64> {
            let times = batch.column(column::OBSERVED_AT);
            let times = times.as_primitive::<TimestampMicrosecondType>();
            times.values().iter().map(|us| Table::day_of(*us)).collect()
        };
        let days: BTreeSet<i64> = batches.iter().flat_map(days_of).collect();
        let mut written = Vec::new();
        let mut sum = Sum::default();
        for day in days {
            let partition = file.table.partition_of(day.saturating_mul(DAY_US));
            let mut writer =
                TableWriter::create(self.dir(), file.table, partition, self.options())?;
            for batch in &batches {
                self.go_on()?;
                let is_of_day: BooleanArray =
                    days_of(batch).into_iter().map(|d| Some(d == day)).collect();
                writer.write(&filtered(batch, &is_of_day)?)?;
            }
            written.push(writer.finish()?);
        }
        for batch in &batches {
            sum.add(file.table, batch);
        }
        self.replace(
            Upkeep::Place,
            vec![Arc::clone(file)],
            written,
            sum,
            Sum::default(),
        )
    }

    /// Files of one day of which some rollup does not know yet.
    fn unrolled(&self, manifest: &Manifest) -> Option<Vec<Arc<FileEntry>>> {
        let tags = rollup::tags(&self.histories());
        let lacks = |f: &FileEntry| tags.iter().any(|tag| !f.rolled.contains(tag));
        let first = manifest.of(Table::Observations).find(|f| lacks(f))?;
        Some(
            manifest
                .of(Table::Observations)
                .filter(|f| f.partition() == first.partition() && f.rolled == first.rolled)
                .take(self.inputs_max())
                .cloned()
                .collect(),
        )
    }

    /// Adds the files' observations to the rollups that lack them.
    fn roll(&self, files: &[Arc<FileEntry>], day_offset_seconds: i32) -> Result<Upkept, Problem> {
        let history = self.histories();
        let tags = rollup::tags(&history);
        let rolled = files.first().map(|f| f.rolled.clone()).unwrap_or_default();
        let mut sinks: Vec<(RollupSpan, BTreeSet<&str>, Sink<'_>)> = Vec::new();
        for span in RollupSpan::ALL {
            let types: BTreeSet<&str> = history
                .iter()
                .filter(|(name, kind)| {
                    kind.rollups.contains_key(&span) && !rolled.contains(&rollup::tag(name, span))
                })
                .map(|(name, _)| name.as_str())
                .collect();
            if !types.is_empty() {
                let sink = Sink::new(self.dir(), Table::of(span), self.options());
                sinks.push((span, types, sink));
            }
        }
        let paths = self.paths(files)?;
        let mut merge = Merge::open(&paths, Table::Observations)?;
        while let Some(batch) = merge.next_batch()? {
            self.go_on()?;
            for (span, types, sink) in &mut sinks {
                sink.observations(&batch, *span, types, day_offset_seconds)?;
            }
        }
        let mut change = Change::default();
        for (_, _, sink) in sinks {
            change.add.extend(sink.finish()?);
        }
        for file in files {
            let all = file.rolled.union(&tags).cloned().collect();
            change.mark.insert(file.path.clone(), all);
        }
        let upkept = Upkept {
            work: Upkeep::Roll,
            files: files.len(),
            files_written: change.add.len(),
            rows: change.add.iter().map(|w| w.entry.rows).sum(),
            given_up: None,
        };
        self.publish(change)?;
        Ok(upkept)
    }

    /// A file with rows whose time of keeping is over, and their types.
    fn expired(
        &self,
        manifest: &Manifest,
        now: Timestamp,
    ) -> Option<(Arc<FileEntry>, BTreeSet<String>)> {
        let histories = self.histories();
        let keep_days = |name: &str, table: Table| -> Option<u32> {
            let history = histories.get(name)?;
            match table.span() {
                None => history.keep_days,
                Some(span) => history.rollups.get(&span)?.keep_days,
            }
        };
        // A bucket of a day that a correction reaches into may begin or end in the day beside it: until it is
        // counted anew, the observations of all three days are needed.
        let struck = self.struck();
        let is_needed = |file: &FileEntry| {
            struck.iter().any(|row| {
                let from = file.time_min_us.saturating_sub(2 * DAY_US);
                let to = file.time_max_us.saturating_add(2 * DAY_US);
                (from..=to).contains(&row.observed_at_us)
            })
        };
        manifest.files.iter().find_map(|file| {
            if file.table == Table::Observations && is_needed(file) {
                return None;
            }
            let types = file.types.as_ref()?;
            let end_of_day = (Table::day_of(file.time_max_us) + 1).saturating_mul(DAY_US);
            let over: BTreeSet<String> = types
                .keys()
                .filter(|name| {
                    keep_days(name, file.table).is_some_and(|days| {
                        let keep_us = i64::from(days.max(1)) * DAY_US;
                        end_of_day.saturating_add(keep_us) <= now.micros()
                    })
                })
                .cloned()
                .collect();
            (!over.is_empty()).then(|| (Arc::clone(file), over))
        })
    }

    /// Writes the file again without rows of some types.
    fn expire(&self, file: &Arc<FileEntry>, types: &BTreeSet<String>) -> Result<Upkept, Problem> {
        let mut written = Vec::new();
        let (mut sum, mut given_up) = (Sum::default(), Sum::default());
        let is_whole = file
            .types
            .as_ref()
            .is_some_and(|all| all.keys().all(|name| types.contains(name)));
        if is_whole {
            // No row stays: nothing has to be read.
            sum.rows = file.rows;
            sum.fingerprint = file.fingerprint.unwrap_or_default();
            given_up = sum;
        } else {
            let partition = file.partition().to_owned();
            let mut writer =
                TableWriter::create(self.dir(), file.table, partition, self.options())?;
            for batch in Batches::open(&self.path(file)?, file.table)? {
                self.go_on()?;
                let batch = batch?;
                let names = batch.column(column::ENTITY_TYPE).as_string_view();
                let stays: BooleanArray = (0..names.len())
                    .map(|row| Some(!types.contains(names.value(row))))
                    .collect();
                let goes = arrow::compute::not(&stays).map_err(|e| columns_told(&e))?;
                sum.add(file.table, &batch);
                given_up.add(file.table, &filtered(&batch, &goes)?);
                writer.write(&filtered(&batch, &stays)?)?;
            }
            if writer.rows() > 0 {
                written.push(writer.finish()?);
            }
        }
        let told = GivenUp {
            table: file.table.name(),
            folder: file.partition().to_owned(),
            types: types.iter().cloned().collect(),
            rows: given_up.rows,
        };
        let files = vec![Arc::clone(file)];
        let upkept = self.replace(Upkeep::Expire, files, written, sum, given_up)?;
        Ok(Upkept {
            given_up: Some(told),
            ..upkept
        })
    }

    /// Files of one folder that should be one.
    fn fragmented(&self, manifest: &Manifest, now: Timestamp) -> Option<Vec<Arc<FileEntry>>> {
        let options = self.options();
        let inputs_max = self.inputs_max();
        let quiet_us = i64::try_from(options.quiet_age.as_micros()).unwrap_or(i64::MAX);
        let mut folders: BTreeMap<_, Vec<&Arc<FileEntry>>> = BTreeMap::new();
        let mut newest: BTreeMap<_, i64> = BTreeMap::new();
        for file in &manifest.files {
            let folder = (file.table, file.partition());
            let time = newest.entry(folder).or_insert(i64::MIN);
            *time = (*time).max(file.time_max_us);
            if file.rows < options.file_rows_max as u64 / 2 {
                // Only files of which the same rollups know can be one.
                let group = (file.table, file.partition(), &file.rolled);
                folders.entry(group).or_default().push(file);
            }
        }
        folders
            .into_iter()
            .find_map(|((table, partition, _), mut files)| {
                files.sort_by_key(|f| f.rows);
                files.truncate(inputs_max);
                let newest = newest.get(&(table, partition)).copied().unwrap_or(i64::MAX);
                let is_quiet = newest.saturating_add(quiet_us) <= now.micros();
                let files_min = if is_quiet {
                    2
                } else {
                    options.compact_files_min.clamp(2, inputs_max)
                };
                // A large file is not written again for the sake of a few rows.
                while let Some((largest, rest)) = files.split_last() {
                    if largest.rows <= 8 * rest.iter().map(|f| f.rows).sum::<u64>() {
                        break;
                    }
                    files.pop();
                }
                (files.len() >= files_min).then(|| files.into_iter().cloned().collect())
            })
    }

    /// Makes files of one folder one, or a few when they are large.
    fn compact(&self, files: &[Arc<FileEntry>]) -> Result<Upkept, Problem> {
        let Some(first) = files.first() else {
            return Err(columns_told(&"no files to compact"));
        };
        let (table, partition) = (first.table, first.partition());
        let paths = self.paths(files)?;
        let mut merge = Merge::open(&paths, table)?;
        let mut sum = Sum::default();
        let mut written: Vec<Written> = Vec::new();
        if table == Table::Observations {
            let create =
                || TableWriter::create(self.dir(), table, partition.to_owned(), self.options());
            let mut writer = create()?;
            while let Some(batch) = merge.next_batch()? {
                self.go_on()?;
                sum.add(table, &batch);
                let mut from = 0;
                while from < batch.num_rows() {
                    let room = (self.options().file_rows_max as u64).saturating_sub(writer.rows());
                    let rows = (batch.num_rows() - from).min(room.max(1) as usize);
                    writer.write(&batch.slice(from, rows))?;
                    from += rows;
                    if writer.rows() >= self.options().file_rows_max as u64 {
                        written.push(std::mem::replace(&mut writer, create()?).finish()?);
                    }
                }
            }
            if writer.rows() > 0 {
                written.push(writer.finish()?);
            }
        } else {
            let mut sink = Sink::new(self.dir(), table, self.options());
            while let Some(batch) = merge.next_batch()? {
                self.go_on()?;
                sum.add(table, &batch);
                sink.parts(&batch)?;
            }
            written = sink.finish()?;
        }
        self.replace(
            Upkeep::Compact,
            files.to_vec(),
            written,
            sum,
            Sum::default(),
        )
    }

    /// Lists the files written in the place of those read, when they hold the same rows but for those given up.
    pub(crate) fn replace(
        &self,
        work: Upkeep,
        files: Vec<Arc<FileEntry>>,
        mut written: Vec<Written>,
        read: Sum,
        given_up: Sum,
    ) -> Result<Upkept, Problem> {
        let Some(first) = files.first().cloned() else {
            return Err(columns_told(&"no files to replace"));
        };
        let listed = files.iter().try_fold(Sum::default(), |sum, f| {
            // Files of layout 1 have no fingerprint: what was read of them counts.
            Some(sum.plus(f.rows, f.fingerprint?))
        });
        let made = written.iter().fold(given_up, |sum, w| {
            sum.plus(w.entry.rows, w.entry.fingerprint.unwrap_or_default())
        });
        let rows_listed: u64 = files.iter().map(|f| f.rows).sum();
        // Rows of a rollup become fewer when parts are put together; what they stand for does not.
        let has_all_rows = first.table != Table::Observations || made.rows == rows_listed;
        let expected = listed.unwrap_or(read).fingerprint;
        if read.rows != rows_listed || read.fingerprint != expected {
            return Err(differ(&first, "what was read", read, rows_listed, expected));
        }
        if !has_all_rows || made.fingerprint != expected {
            return Err(differ(
                &first,
                "what was written",
                made,
                rows_listed,
                expected,
            ));
        }
        let tags = rollup::tags(&self.histories());
        for file in written
            .iter_mut()
            .filter(|_| first.table == Table::Observations)
        {
            file.entry.rolled = rollup::without_rows(&tags, &file.entry);
            file.entry.rolled.extend(first.rolled.iter().cloned());
        }
        let upkept = Upkept {
            work,
            files: files.len(),
            files_written: written.len(),
            rows: written.iter().map(|w| w.entry.rows).sum(),
            given_up: None,
        };
        let is_raw = first.table == Table::Observations;
        self.publish(Change {
            add: written,
            remove: files,
            rows_expired: if is_raw { given_up.rows } else { 0 },
            ..Change::default()
        })?;
        Ok(upkept)
    }
}

/// Rows, and the sum of their fingerprints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub rows: u64,
    pub fingerprint: u64,
}

impl Sum {
    pub const fn plus(self, rows: u64, fingerprint: u64) -> Self {
        Self {
            rows: self.rows.wrapping_add(rows),
            fingerprint: self.fingerprint.wrapping_add(fingerprint),
        }
    }

    pub fn add(&mut self, table: Table, batch: &RecordBatch) {
        *self = self.plus(batch.num_rows() as u64, fingerprint(table, batch));
    }
}

pub(crate) fn filtered(batch: &RecordBatch, keep: &BooleanArray) -> Result<RecordBatch, Problem> {
    filter_record_batch(batch, keep).map_err(|e| columns_told(&e))
}

pub(crate) fn columns_told(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        "lake-columns",
        format!("the files' rows do not form columns: {error}"),
        "upkeep",
        "report this; the files stay as they are",
    )
}

pub(crate) fn differ(
    file: &FileEntry,
    which: &str,
    found: Sum,
    rows: u64,
    fingerprint: u64,
) -> Problem {
    Problem::new(
        "lake-rows-differ",
        format!(
            "{which} has {} rows (sum {:016x}), the manifest says {rows} (sum {fingerprint:016x})",
            found.rows, found.fingerprint
        ),
        file.path.clone(),
        "run jingling check; the files stay as they are, restore a damaged one from a backup",
    )
}
