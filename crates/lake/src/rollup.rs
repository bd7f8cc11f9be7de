//! Rollups: of each series of numbers, count, least, greatest, mean and last of every minute, hour or day.
//! A row of a stored rollup is a *part*: parts of one bucket are put together by counting on, so that late
//! observations only add a part, and compaction makes one row of several. What the device or the platform
//! itself doubts (`uncertain`, `out_of_range`) is left out, as it is by rules and indicators.

use crate::lake::{Histories, Options};
use crate::layout::{DAY_US, Table};
use crate::manifest::FileEntry;
use crate::schema::{ZONE, column, rollup, rollup_column};
use crate::writer::{TableWriter, Written};
use arrow::array::{
    Array, ArrayRef, AsArray, Float64Builder, Int64Builder, PrimitiveArray, RecordBatch,
    StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use model::{Problem, RollupSpan};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Rows gathered before they are written.
const BATCH_ROWS: usize = 4_096;

/// Words for quality that rollups leave out; `model::Quality::is_usable` says the same.
pub(crate) const UNUSABLE: [&str; 2] = ["uncertain", "out_of_range"];

/// What stands for one type and span in [`crate::manifest::FileEntry::rolled`].
pub(crate) fn tag(entity_type: &str, span: RollupSpan) -> String {
    format!("{entity_type}:{}", span.as_str())
}

/// All tags that the declared types ask for.
pub(crate) fn tags(history: &Histories) -> BTreeSet<String> {
    history
        .iter()
        .flat_map(|(name, kind)| kind.rollups.keys().map(|span| tag(name, *span)))
        .collect()
}

/// The tags that are true of a file as it is, because it has no row of their type.
pub(crate) fn without_rows(tags: &BTreeSet<String>, file: &FileEntry) -> BTreeSet<String> {
    let has_rows = |tag: &str| {
        let name = tag.rsplit_once(':').map_or(tag, |(name, _)| name);
        file.types
            .as_ref()
            .is_none_or(|types| types.contains_key(name))
    };
    tags.iter().filter(|tag| !has_rows(tag)).cloned().collect()
}

/// Start of the bucket that a moment lies in.
pub(crate) fn bucket_start(span: RollupSpan, us: i64, day_offset_seconds: i32) -> i64 {
    let (length, offset) = match span {
        RollupSpan::Minute => (60_000_000, 0),
        RollupSpan::Hour => (3_600_000_000, 0),
        RollupSpan::Day => (DAY_US, i64::from(day_offset_seconds) * 1_000_000),
    };
    us.saturating_add(offset)
        .div_euclid(length)
        .saturating_mul(length)
        .saturating_sub(offset)
}

/// What is known of some observations of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    pub count: i64,
    pub min: f64,
    pub max: f64,
    pub sum: f64,
    pub last: f64,
    pub last_observed_at: i64,
    pub last_position: i64,
}

impl Part {
    /// What is known of one observation.
    pub fn one(value: f64, observed_at: i64, position: i64) -> Self {
        Self {
            count: 1,
            min: value,
            max: value,
            sum: value,
            last: value,
            last_observed_at: observed_at,
            last_position: position,
        }
    }

    /// Counts `other` in; true when it holds the last value now.
    pub fn add(&mut self, other: &Self) -> bool {
        self.count = self.count.saturating_add(other.count);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        // Of two told for one moment, what came last counts.
        let is_later = (other.last_observed_at, other.last_position)
            >= (self.last_observed_at, self.last_position);
        if is_later {
            self.last = other.last;
            self.last_observed_at = other.last_observed_at;
            self.last_position = other.last_position;
        }
        is_later
    }
}

/// Parts that come sorted by entity, attribute and bucket become one row a bucket.
#[derive(Default)]
struct Fold {
    entity: String,
    entity_type: String,
    attribute: String,
    unit: Option<String>,
    bucket: i64,
    part: Option<Part>,
    rows: Rows,
}

#[derive(Default)]
struct Rows {
    count_of_rows: usize,
    texts: [StringViewBuilder; 3],
    bucket: Vec<i64>,
    count: Int64Builder,
    numbers: [Float64Builder; 4],
    last_observed_at: Vec<i64>,
    last_position: Int64Builder,
    unit: StringViewBuilder,
}

impl Fold {
    fn push(&mut self, entity: [&str; 3], unit: Option<&str>, bucket: i64, part: &Part) {
        let [id, entity_type, attribute] = entity;
        let is_same = self.bucket == bucket && self.attribute == attribute && self.entity == id;
        match &mut self.part {
            Some(sum) if is_same => {
                if sum.add(part) && self.unit.as_deref() != unit {
                    self.unit = unit.map(str::to_owned);
                }
            }
            _ => {
                self.close();
                id.clone_into(&mut self.entity);
                entity_type.clone_into(&mut self.entity_type);
                attribute.clone_into(&mut self.attribute);
                self.unit = unit.map(str::to_owned);
                self.bucket = bucket;
                self.part = Some(*part);
            }
        }
    }

    /// Makes a row of the bucket at hand.
    fn close(&mut self) {
        let Some(part) = self.part.take() else { return };
        let rows = &mut self.rows;
        rows.count_of_rows += 1;
        let texts = [&self.entity, &self.entity_type, &self.attribute];
        for (builder, text) in rows.texts.iter_mut().zip(texts) {
            builder.append_value(text);
        }
        rows.bucket.push(self.bucket);
        rows.count.append_value(part.count);
        let numbers = [part.min, part.max, part.sum / part.count as f64, part.last];
        for (builder, number) in rows.numbers.iter_mut().zip(numbers) {
            builder.append_value(number);
        }
        rows.last_observed_at.push(part.last_observed_at);
        rows.last_position.append_value(part.last_position);
        rows.unit.append_option(self.unit.as_deref());
    }

    fn take(&mut self) -> Result<RecordBatch, Problem> {
        let mut rows = std::mem::take(&mut self.rows);
        let times = |us: Vec<i64>| -> ArrayRef {
            let mut builder = TimestampMicrosecondBuilder::with_capacity(us.len());
            builder.append_slice(&us);
            Arc::new(builder.finish().with_timezone(ZONE))
        };
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(rollup_column::COUNT);
        for text in &mut rows.texts {
            columns.push(Arc::new(text.finish()));
        }
        columns.push(times(rows.bucket));
        columns.push(Arc::new(rows.count.finish()));
        for number in &mut rows.numbers {
            columns.push(Arc::new(number.finish()));
        }
        columns.push(times(rows.last_observed_at));
        columns.push(Arc::new(rows.last_position.finish()));
        columns.push(Arc::new(rows.unit.finish()));
        RecordBatch::try_new(rollup(), columns).map_err(|e| {
            Problem::new(
                "lake-columns",
                format!("the rollup's rows do not form columns: {e}"),
                "rolling up",
                "report this; the observations stay as they are",
            )
        })
    }
}

/// Takes parts of one rollup and writes its files, one for each folder that the buckets lie in.
pub(crate) struct Sink<'a> {
    dir: &'a Path,
    table: Table,
    options: &'a Options,
    open: Vec<(Fold, TableWriter)>,
    folders: BTreeMap<String, usize>,
    /// The folder found last, by day.
    recent: Option<(i64, usize)>,
    done: Vec<Written>,
}

impl<'a> Sink<'a> {
    pub fn new(dir: &'a Path, table: Table, options: &'a Options) -> Self {
        Self {
            dir,
            table,
            options,
            open: Vec::new(),
            folders: BTreeMap::new(),
            recent: None,
            done: Vec::new(),
        }
    }

    fn folder(&mut self, bucket: i64) -> Result<usize, Problem> {
        let day = Table::day_of(bucket);
        if let Some((known, at)) = self.recent
            && known == day
        {
            return Ok(at);
        }
        let name = self.table.partition_of(bucket);
        let at = match self.folders.get(&name) {
            Some(at) => *at,
            None => {
                let writer = TableWriter::create(self.dir, self.table, name.clone(), self.options)?;
                self.open.push((Fold::default(), writer));
                self.folders.insert(name, self.open.len() - 1);
                self.open.len() - 1
            }
        };
        self.recent = Some((day, at));
        Ok(at)
    }

    /// Takes one part; they come sorted by entity (id, type), attribute and bucket.
    pub fn push(
        &mut self,
        entity: [&str; 3],
        unit: Option<&str>,
        bucket: i64,
        part: &Part,
    ) -> Result<(), Problem> {
        let at = self.folder(bucket)?;
        let (fold, writer) = &mut self.open[at];
        fold.push(entity, unit, bucket, part);
        if fold.rows.count_of_rows >= BATCH_ROWS {
            let batch = fold.take()?;
            writer.write(&batch)?;
            if writer.rows() >= self.options.file_rows_max as u64 {
                let next = TableWriter::create(
                    self.dir,
                    self.table,
                    self.table.partition_of(bucket),
                    self.options,
                )?;
                self.done.push(std::mem::replace(writer, next).finish()?);
            }
        }
        Ok(())
    }

    /// Takes observations, sorted by entity, attribute and time; of the types named only.
    pub fn observations(
        &mut self,
        batch: &RecordBatch,
        span: RollupSpan,
        types: &BTreeSet<&str>,
        day_offset_seconds: i32,
    ) -> Result<(), Problem> {
        let text = |c: usize| batch.column(c).as_string_view();
        let (ids, names) = (text(column::ENTITY_ID), text(column::ENTITY_TYPE));
        let (attributes, units) = (text(column::ATTRIBUTE), text(column::UNIT));
        let qualities = text(column::QUALITY);
        let times: &PrimitiveArray<TimestampMicrosecondType> =
            batch.column(column::OBSERVED_AT).as_primitive();
        let positions: &PrimitiveArray<Int64Type> =
            batch.column(column::JOURNAL_POSITION).as_primitive();
        let numbers: &PrimitiveArray<Float64Type> =
            batch.column(column::VALUE_NUMBER).as_primitive();
        for row in 0..batch.num_rows() {
            let is_left_out = numbers.is_null(row)
                || UNUSABLE.contains(&qualities.value(row))
                || !types.contains(names.value(row));
            if is_left_out {
                continue;
            }
            let us = times.value(row);
            let part = Part::one(numbers.value(row), us, positions.value(row));
            self.push(
                [ids.value(row), names.value(row), attributes.value(row)],
                units.is_valid(row).then(|| units.value(row)),
                bucket_start(span, us, day_offset_seconds),
                &part,
            )?;
        }
        Ok(())
    }

    /// Takes rows of the same rollup, sorted by entity, attribute and bucket.
    pub fn parts(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        let text = |c: usize| batch.column(c).as_string_view();
        let number = |c: usize| -> &PrimitiveArray<Float64Type> { batch.column(c).as_primitive() };
        let integer = |c: usize| -> &PrimitiveArray<Int64Type> { batch.column(c).as_primitive() };
        let time = |c: usize| -> &PrimitiveArray<TimestampMicrosecondType> {
            batch.column(c).as_primitive()
        };
        let units = text(rollup_column::UNIT);
        for row in 0..batch.num_rows() {
            let count = integer(rollup_column::COUNT_OF).value(row);
            let part = Part {
                count,
                min: number(rollup_column::MIN).value(row),
                max: number(rollup_column::MAX).value(row),
                sum: number(rollup_column::MEAN).value(row) * count as f64,
                last: number(rollup_column::LAST).value(row),
                last_observed_at: time(rollup_column::LAST_OBSERVED_AT).value(row),
                last_position: integer(rollup_column::LAST_POSITION).value(row),
            };
            self.push(
                [
                    text(rollup_column::ENTITY_ID).value(row),
                    text(rollup_column::ENTITY_TYPE).value(row),
                    text(rollup_column::ATTRIBUTE).value(row),
                ],
                units.is_valid(row).then(|| units.value(row)),
                time(rollup_column::BUCKET_START).value(row),
                &part,
            )?;
        }
        Ok(())
    }

    /// Ends the files.
    pub fn finish(mut self) -> Result<Vec<Written>, Problem> {
        for (mut fold, mut writer) in std::mem::take(&mut self.open) {
            fold.close();
            writer.write(&fold.take()?)?;
            if writer.rows() > 0 {
                self.done.push(writer.finish()?);
            }
        }
        Ok(self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_begin_where_the_citys_clock_says() {
        let us = |text: &str| model::Timestamp::parse(text).unwrap().micros();
        let start = |span, text| {
            model::Timestamp::from_micros(bucket_start(span, us(text), 28_800)).to_string()
        };
        let at = "2026-11-25T17:04:59.5Z";
        assert_eq!(start(RollupSpan::Minute, at), "2026-11-25T17:04:00Z");
        assert_eq!(start(RollupSpan::Hour, at), "2026-11-25T17:00:00Z");
        // 01:04 on the 26th in the city.
        assert_eq!(start(RollupSpan::Day, at), "2026-11-25T16:00:00Z");
        assert_eq!(
            start(RollupSpan::Day, "2026-11-25T15:59:59Z"),
            "2026-11-24T16:00:00Z"
        );
        assert_eq!(
            start(RollupSpan::Minute, "1969-12-31T23:59:59Z"),
            "1969-12-31T23:59:00Z"
        );
    }

    #[test]
    fn parts_add_up_in_any_order() {
        let parts = [
            Part::one(3.0, 10, 1),
            Part::one(-1.0, 30, 2),
            Part::one(8.0, 30, 4),
            Part::one(2.0, 20, 9),
        ];
        let add = |order: [usize; 4]| {
            let mut sum = parts[order[0]];
            for n in &order[1..] {
                sum.add(&parts[*n]);
            }
            sum
        };
        let sum = add([0, 1, 2, 3]);
        assert_eq!(
            (sum.count, sum.min, sum.max, sum.sum, sum.last),
            (4, -1.0, 8.0, 12.0, 8.0)
        );
        assert_eq!(add([3, 2, 1, 0]), sum);
        assert_eq!(add([2, 0, 3, 1]), sum);
    }
}
