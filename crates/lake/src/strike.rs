//! The part of upkeep that makes corrections final: the files of one day are written again without the rows
//! that corrections took the place of, and the buckets of the rollups that held them are counted anew from the
//! single observations. All of it, and that these rows no longer have to be left out by readers, becomes so in
//! one move.

use crate::lake::Lake;
use crate::layout::Table;
use crate::manifest::{FileEntry, Manifest};
use crate::merge::Batches;
use crate::publish::Change;
use crate::rollup::{self, Part, Sink, UNUSABLE, tag};
use crate::schema::{column, rollup_column};
use crate::struck::{Buckets, Struck, StruckRow};
use crate::upkeep::{Sum, Upkeep, Upkept, differ, filtered};
use crate::writer::TableWriter;
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::not;
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use model::{Problem, RollupSpan};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most struck rows of a day that one step takes: what is held in memory for them stays small.
const ROWS_A_STEP_MAX: usize = 1_000;

/// What one step takes on.
pub(crate) struct Strike {
    /// Struck rows of one day.
    struck: Arc<Struck>,
    /// All files that have to be read.
    pub files: Vec<Arc<FileEntry>>,
}

/// The observations of one bucket of one series, by id, attribute and start, with type and unit.
type Recounted = BTreeMap<(String, String, i64), (String, Option<String>, Part)>;

impl Lake {
    /// The struck rows of one day, when there are any whose files are all sound. Only those that the manifest
    /// knows: the others' corrections are not in files yet, and whoever reads files would miss both values.
    pub(crate) fn to_strike(&self) -> Option<Strike> {
        let manifest = self.manifest();
        let mut days: BTreeMap<i64, Vec<StruckRow>> = BTreeMap::new();
        for row in &manifest.struck {
            let of_day = days.entry(Table::day_of(row.observed_at_us)).or_default();
            if of_day.len() < ROWS_A_STEP_MAX {
                of_day.push(row.clone());
            }
        }
        let troubled = self.troubled.lock();
        days.into_values().find_map(|rows| {
            let struck: Struck = rows.into_iter().collect();
            let files = files_of(&manifest, &struck);
            let is_sound = files.iter().all(|file| !troubled.contains(&file.path));
            is_sound.then(|| Strike {
                struck: Arc::new(struck),
                files,
            })
        })
    }

    /// Writes the files again without the struck rows, and with buckets counted anew.
    pub(crate) fn strike(
        &self,
        Strike { struck, files }: &Strike,
        day_offset_seconds: i32,
    ) -> Result<Upkept, Problem> {
        let mut change = Change {
            settle: struck.iter().cloned().collect(),
            ..Change::default()
        };
        let raw = || files.iter().filter(|f| f.table == Table::Observations);
        for file in raw().filter(|file| struck.may_touch(file)) {
            let goes = |batch: &RecordBatch| struck.marks(batch);
            let rows = self.without(file, goes, &mut change)?;
            change.rows_struck += rows;
        }
        for span in RollupSpan::ALL {
            let buckets = Buckets::of(struck, span, day_offset_seconds);
            let table = Table::of(span);
            let sources: Vec<_> = raw()
                .filter(|file| buckets.may_touch(file) && is_rolled(file, &buckets, span))
                .collect();
            if sources.is_empty() {
                // The rollup holds nothing of them, or the observations behind it are given up already.
                continue;
            }
            let goes = |batch: &RecordBatch| marks(batch, &buckets);
            let of_span = files.iter().filter(|file| file.table == table);
            for file in of_span.filter(|file| buckets.may_touch(file)) {
                self.without(file, goes, &mut change)?;
            }
            let mut recounted = Recounted::new();
            for file in sources {
                self.recount(file, struck, &buckets, span, &mut recounted)?;
            }
            let mut sink = Sink::new(self.dir(), table, self.options());
            for ((id, attribute, start), (entity_type, unit, part)) in &recounted {
                sink.push([id, entity_type, attribute], unit.as_deref(), *start, part)?;
            }
            change.add.extend(sink.finish()?);
        }
        let upkept = Upkept {
            work: Upkeep::Strike,
            files: change.remove.len(),
            files_written: change.add.len(),
            rows: change.add.iter().map(|w| w.entry.rows).sum(),
            given_up: None,
        };
        self.publish(change)?;
        Ok(upkept)
    }

    /// Writes a file again without the marked rows, when it has any; gives how many they were.
    fn without(
        &self,
        file: &Arc<FileEntry>,
        marks: impl Fn(&RecordBatch) -> BooleanArray,
        change: &mut Change,
    ) -> Result<u64, Problem> {
        let partition = file.partition().to_owned();
        let mut writer = TableWriter::create(self.dir(), file.table, partition, self.options())?;
        let (mut read, mut given_up) = (Sum::default(), Sum::default());
        for batch in Batches::open(&self.path(file)?, file.table)? {
            self.go_on()?;
            let batch = batch?;
            let goes = marks(&batch);
            read.add(file.table, &batch);
            if goes.true_count() == 0 {
                writer.write(&batch)?;
                continue;
            }
            given_up.add(file.table, &filtered(&batch, &goes)?);
            let stays = not(&goes).map_err(|e| crate::upkeep::columns_told(&e))?;
            writer.write(&filtered(&batch, &stays)?)?;
        }
        let listed = Sum {
            rows: file.rows,
            fingerprint: file.fingerprint.unwrap_or(read.fingerprint),
        };
        if read != listed {
            let Sum { rows, fingerprint } = listed;
            return Err(differ(file, "what was read", read, rows, fingerprint));
        }
        if given_up.rows == 0 {
            return Ok(0);
        }
        let mut made = given_up;
        if writer.rows() > 0 {
            let mut written = writer.finish()?;
            made = made.plus(
                written.entry.rows,
                written.entry.fingerprint.unwrap_or_default(),
            );
            if file.table == Table::Observations {
                let tags = rollup::tags(&self.histories());
                written.entry.rolled = rollup::without_rows(&tags, &written.entry);
                written.entry.rolled.extend(file.rolled.iter().cloned());
            }
            change.add.push(written);
        }
        if made != listed {
            let Sum { rows, fingerprint } = listed;
            return Err(differ(file, "what was written", made, rows, fingerprint));
        }
        change.remove.push(Arc::clone(file));
        Ok(given_up.rows)
    }

    /// Counts a file's observations of the buckets, of the types that the rollup holds of it.
    fn recount(
        &self,
        file: &Arc<FileEntry>,
        struck: &Struck,
        buckets: &Buckets,
        span: RollupSpan,
        into: &mut Recounted,
    ) -> Result<(), Problem> {
        for batch in Batches::open(&self.path(file)?, file.table)? {
            self.go_on()?;
            let batch = batch?;
            let text = |c: usize| batch.column(c).as_string_view();
            let (ids, types) = (text(column::ENTITY_ID), text(column::ENTITY_TYPE));
            let (attributes, units) = (text(column::ATTRIBUTE), text(column::UNIT));
            let qualities = text(column::QUALITY);
            let times = batch.column(column::OBSERVED_AT);
            let times = times.as_primitive::<TimestampMicrosecondType>();
            let positions = batch.column(column::JOURNAL_POSITION);
            let positions = positions.as_primitive::<Int64Type>();
            let numbers = batch.column(column::VALUE_NUMBER);
            let numbers = numbers.as_primitive::<Float64Type>();
            for row in 0..batch.num_rows() {
                let (id, attribute, us) = (ids.value(row), attributes.value(row), times.value(row));
                let start = buckets.start_of(us);
                let position = positions.value(row);
                let counts = buckets.has(id, attribute, start)
                    && numbers.is_valid(row)
                    && !UNUSABLE.contains(&qualities.value(row))
                    && file.rolled.contains(&tag(types.value(row), span))
                    && !struck.has(position as u64, id, attribute, us);
                if !counts {
                    continue;
                }
                let unit = || units.is_valid(row).then(|| units.value(row).to_owned());
                let one = Part::one(numbers.value(row), us, position);
                into.entry((id.to_owned(), attribute.to_owned(), start))
                    .and_modify(|(_, known, part)| {
                        if part.add(&one) {
                            *known = unit();
                        }
                    })
                    .or_insert_with(|| (types.value(row).to_owned(), unit(), one));
            }
        }
        Ok(())
    }
}

/// The files that hold struck rows, the rollups' rows of their buckets, or other observations of these.
fn files_of(manifest: &Manifest, struck: &Struck) -> Vec<Arc<FileEntry>> {
    let buckets =
        RollupSpan::ALL.map(|span| (span, Buckets::of(struck, span, manifest.day_offset_seconds)));
    let is_wanted = |file: &&Arc<FileEntry>| match file.table.span() {
        None => {
            struck.may_touch(file)
                || (buckets.iter()).any(|(span, b)| is_rolled(file, b, *span) && b.may_touch(file))
        }
        Some(of) => (buckets.iter()).any(|(span, b)| *span == of && b.may_touch(file)),
    };
    manifest.files.iter().filter(is_wanted).cloned().collect()
}

/// Whether the rollup holds the file's observations of any of the types.
fn is_rolled(file: &FileEntry, buckets: &Buckets, span: RollupSpan) -> bool {
    let mut types = buckets.types().iter();
    types.any(|entity_type| file.rolled.contains(&tag(entity_type, span)))
}

/// Which rows of a rollup are of the buckets.
fn marks(batch: &RecordBatch, buckets: &Buckets) -> BooleanArray {
    let ids = batch.column(rollup_column::ENTITY_ID).as_string_view();
    let attributes = batch.column(rollup_column::ATTRIBUTE).as_string_view();
    let starts = batch.column(rollup_column::BUCKET_START);
    let starts = starts.as_primitive::<TimestampMicrosecondType>();
    (0..batch.num_rows())
        .map(|row| {
            let start = starts.value(row);
            Some(buckets.has(ids.value(row), attributes.value(row), start))
        })
        .collect()
}
