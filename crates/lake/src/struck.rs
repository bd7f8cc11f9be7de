//! Rows that a correction has taken the place of. In memory they are passed over by whoever reads; in a file
//! they stay until upkeep writes it again, and until then every scan of that file leaves them out. Which rows
//! these are is kept in the manifest once the correction itself is sealed; the corrections behind the sealed
//! position come again from the journal.
//!
//! A rollup that holds such a row is wrong for one bucket of one series: the bucket is left out of what is
//! stored, and counted anew from the single observations, while reading until upkeep has done it for good.

use crate::layout::Table;
use crate::manifest::FileEntry;
use crate::rollup::bucket_start;
use crate::schema::{column, time_type};
use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::ident;
use model::{Corrected, RollupSpan};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// One superseded observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StruckRow {
    /// The row's `journal_position`.
    pub position: u64,
    pub entity_id: String,
    pub entity_type: String,
    pub attribute: String,
    pub observed_at_us: i64,
    /// Journal position of the correction.
    pub corrected_at: u64,
}

impl StruckRow {
    pub fn of(position: u64, corrected: &Corrected) -> Self {
        Self {
            position: corrected.supersedes,
            entity_id: corrected.entity_id.to_string(),
            entity_type: corrected.entity_type.to_string(),
            attribute: corrected.attribute.to_string(),
            observed_at_us: corrected.observed_at.micros(),
            corrected_at: position,
        }
    }

    pub fn is(&self, entity_id: &str, attribute: &str, observed_at_us: i64) -> bool {
        self.observed_at_us == observed_at_us
            && self.attribute == attribute
            && self.entity_id == entity_id
    }

    /// Whether the row may lie in the file, by what the manifest knows of it.
    pub fn may_lie_in(&self, file: &FileEntry) -> bool {
        (file.position_first..=file.position_last).contains(&self.position)
            && (file.time_min_us..=file.time_max_us).contains(&self.observed_at_us)
            && holds_entity(file, &self.entity_id)
    }
}

fn holds_entity(file: &FileEntry, entity_id: &str) -> bool {
    let within = |(least, greatest): &(String, String)| {
        (least.as_str()..=greatest.as_str()).contains(&entity_id)
    };
    file.entities.as_ref().is_none_or(within)
}

/// Superseded observations, by position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Struck {
    rows: BTreeMap<u64, Vec<StruckRow>>,
    count: usize,
}

impl FromIterator<StruckRow> for Struck {
    fn from_iter<I: IntoIterator<Item = StruckRow>>(rows: I) -> Self {
        let mut struck = Self::default();
        for row in rows {
            struck.insert(row);
        }
        struck
    }
}

impl Struck {
    pub const fn len(&self) -> usize {
        self.count
    }

    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = &StruckRow> {
        self.rows.values().flatten()
    }

    /// Those of some positions.
    pub fn within(&self, first: u64, last: u64) -> impl Iterator<Item = &StruckRow> {
        let rows = (first <= last).then(|| self.rows.range(first..=last));
        rows.into_iter().flatten().flat_map(|(_, rows)| rows)
    }

    pub fn has(
        &self,
        position: u64,
        entity_id: &str,
        attribute: &str,
        observed_at_us: i64,
    ) -> bool {
        let rows = self.rows.get(&position).map(Vec::as_slice);
        let mut rows = rows.unwrap_or_default().iter();
        rows.any(|row| row.is(entity_id, attribute, observed_at_us))
    }

    /// Whether the row is among them.
    pub fn has_row(&self, row: &StruckRow) -> bool {
        let StruckRow {
            entity_id,
            attribute,
            ..
        } = row;
        self.has(row.position, entity_id, attribute, row.observed_at_us)
    }

    /// Adds a row; false when it is struck already.
    pub fn insert(&mut self, row: StruckRow) -> bool {
        if self.has_row(&row) {
            return false;
        }
        self.rows.entry(row.position).or_default().push(row);
        self.count += 1;
        true
    }

    pub fn remove(&mut self, row: &StruckRow) {
        let Some(rows) = self.rows.get_mut(&row.position) else {
            return;
        };
        let before = rows.len();
        rows.retain(|known| !known.is(&row.entity_id, &row.attribute, row.observed_at_us));
        self.count -= before - rows.len();
        if rows.is_empty() {
            self.rows.remove(&row.position);
        }
    }

    /// Whether any of them may lie in the file.
    pub fn may_touch(&self, file: &FileEntry) -> bool {
        self.within(file.position_first, file.position_last)
            .any(|row| row.may_lie_in(file))
    }

    /// Which rows of `observations` are struck.
    pub fn marks(&self, batch: &RecordBatch) -> BooleanArray {
        self.marks_of(
            batch.column(column::ENTITY_ID),
            batch.column(column::ATTRIBUTE),
            batch.column(column::OBSERVED_AT),
            batch.column(column::JOURNAL_POSITION),
        )
    }

    fn marks_of(
        &self,
        ids: &ArrayRef,
        attributes: &ArrayRef,
        times: &ArrayRef,
        positions: &ArrayRef,
    ) -> BooleanArray {
        let (ids, attributes) = (ids.as_string_view(), attributes.as_string_view());
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let positions = positions.as_primitive::<Int64Type>();
        let is_struck = |row: usize| {
            let position = positions.value(row) as u64;
            // Nearly every row ends here.
            self.rows.get(&position).is_some_and(|rows| {
                let (id, attribute) = (ids.value(row), attributes.value(row));
                rows.iter().any(|r| r.is(id, attribute, times.value(row)))
            })
        };
        (0..positions.len())
            .map(|row| Some(is_struck(row)))
            .collect()
    }

    /// Whether a row of `observations` is struck, for the engine.
    pub fn expr(self: &Arc<Self>) -> Expr {
        let columns = Table::Observations.schema();
        let name = |c: usize| ident(columns.field(c).name());
        Test::Row(Arc::clone(self)).call(vec![
            name(column::ENTITY_ID),
            name(column::ATTRIBUTE),
            name(column::OBSERVED_AT),
            name(column::JOURNAL_POSITION),
        ])
    }
}

/// Buckets of series that struck rows lie in.
#[derive(Debug)]
pub(crate) struct Buckets {
    span: RollupSpan,
    day_offset_seconds: i32,
    /// By start.
    series: BTreeMap<i64, BTreeSet<(String, String)>>,
    types: BTreeSet<String>,
}

impl Buckets {
    pub fn of(struck: &Struck, span: RollupSpan, day_offset_seconds: i32) -> Self {
        let mut series: BTreeMap<i64, BTreeSet<_>> = BTreeMap::new();
        for row in struck.iter() {
            let start = bucket_start(span, row.observed_at_us, day_offset_seconds);
            let of_bucket = series.entry(start).or_default();
            of_bucket.insert((row.entity_id.clone(), row.attribute.clone()));
        }
        let types = struck.iter().map(|row| row.entity_type.clone()).collect();
        Self {
            span,
            day_offset_seconds,
            series,
            types,
        }
    }

    /// The entity types that the series are of.
    pub const fn types(&self) -> &BTreeSet<String> {
        &self.types
    }

    /// The start of the bucket that a moment lies in.
    pub fn start_of(&self, us: i64) -> i64 {
        bucket_start(self.span, us, self.day_offset_seconds)
    }

    /// Whether a bucket of a series is among them.
    pub fn has(&self, entity_id: &str, attribute: &str, start: i64) -> bool {
        self.series.get(&start).is_some_and(|of_bucket| {
            of_bucket
                .iter()
                .any(|(id, name)| id == entity_id && name == attribute)
        })
    }

    /// The moments from the first bucket's start up to the last one's end.
    pub fn time(&self) -> Option<(i64, i64)> {
        let (first, _) = self.series.first_key_value()?;
        let (last, _) = self.series.last_key_value()?;
        Some((*first, last.saturating_add(self.length_us())))
    }

    const fn length_us(&self) -> i64 {
        match self.span {
            RollupSpan::Minute => 60_000_000,
            RollupSpan::Hour => 3_600_000_000,
            RollupSpan::Day => crate::layout::DAY_US,
        }
    }

    /// Whether a file, of observations or of this rollup, may hold rows of them.
    pub fn may_touch(&self, file: &FileEntry) -> bool {
        let from = self.start_of(file.time_min_us);
        let mut met = self.series.range(from..=file.time_max_us);
        met.any(|(_, of_bucket)| of_bucket.iter().any(|(id, _)| holds_entity(file, id)))
    }

    /// Whether a row is of one of them, for the engine; `time` is the column of its moment.
    pub fn expr(self: &Arc<Self>, time: &str) -> Expr {
        let columns = Table::Observations.schema();
        let name = |c: usize| ident(columns.field(c).name());
        Test::Bucket(Arc::clone(self)).call(vec![
            name(column::ENTITY_ID),
            name(column::ATTRIBUTE),
            ident(time),
        ])
    }
}

/// What a row is tested for.
#[derive(Clone, Debug)]
enum Test {
    Row(Arc<Struck>),
    Bucket(Arc<Buckets>),
}

impl Test {
    fn call(self, columns: Vec<Expr>) -> Expr {
        let function = Marked {
            signature: Signature::any(columns.len(), Volatility::Immutable),
            test: self,
        };
        ScalarUDF::from(function).call(columns)
    }

    fn place(&self) -> usize {
        match self {
            Self::Row(struck) => Arc::as_ptr(struck) as usize,
            Self::Bucket(buckets) => Arc::as_ptr(buckets) as usize,
        }
    }
}

/// The test as a function of the engine. Two are the same when they look at the same list.
#[derive(Debug)]
struct Marked {
    signature: Signature,
    test: Test,
}

impl PartialEq for Marked {
    fn eq(&self, other: &Self) -> bool {
        self.test.place() == other.test.place()
    }
}

impl Eq for Marked {}

impl Hash for Marked {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.test.place().hash(state);
    }
}

impl ScalarUDFImpl for Marked {
    fn name(&self) -> &'static str {
        "is_corrected_away"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let ids = cast(&arrays[0], &DataType::Utf8View)?;
        let attributes = cast(&arrays[1], &DataType::Utf8View)?;
        let times = cast(&arrays[2], &time_type())?;
        let marks = match &self.test {
            Test::Row(struck) => struck.marks_of(&ids, &attributes, &times, &arrays[3]),
            Test::Bucket(buckets) => {
                let (ids, attributes) = (ids.as_string_view(), attributes.as_string_view());
                let times = times.as_primitive::<TimestampMicrosecondType>();
                let is_of_one = |row: usize| {
                    let start = buckets.start_of(times.value(row));
                    Some(buckets.has(ids.value(row), attributes.value(row), start))
                };
                (0..times.len()).map(is_of_one).collect()
            }
        };
        // One row was asked with constants, or as many as there are.
        let marks: ArrayRef = Arc::new(marks);
        Ok(ColumnarValue::Array(marks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(position: u64, entity: &str, observed_at_us: i64) -> StruckRow {
        StruckRow {
            position,
            entity_id: entity.to_owned(),
            entity_type: "Thing".to_owned(),
            attribute: "x".to_owned(),
            observed_at_us,
            corrected_at: 99,
        }
    }

    #[test]
    fn a_row_is_struck_once_and_by_all_of_its_key() {
        let mut struck: Struck = [row(3, "a", 10), row(3, "b", 10)].into_iter().collect();
        assert!(!struck.insert(row(3, "a", 10)));
        assert_eq!(struck.len(), 2);
        assert!(struck.has(3, "a", "x", 10));
        for (position, entity, attribute, at) in [
            (4, "a", "x", 10),
            (3, "c", "x", 10),
            (3, "a", "y", 10),
            (3, "a", "x", 11),
        ] {
            assert!(!struck.has(position, entity, attribute, at));
        }
        struck.remove(&row(3, "a", 10));
        struck.remove(&row(3, "a", 10));
        assert_eq!(
            (struck.len(), struck.has(3, "b", "x", 10), struck.is_empty()),
            (1, true, false)
        );
        assert_eq!(struck.within(4, 3).count(), 0);
    }

    #[test]
    fn buckets_are_those_that_struck_rows_lie_in() {
        let struck = [row(1, "a", 61_000_000), row(2, "b", 200_000_000)];
        let struck: Struck = struck.into_iter().collect();
        let buckets = Buckets::of(&struck, RollupSpan::Minute, 0);
        assert!(buckets.has("a", "x", 60_000_000) && buckets.has("b", "x", 180_000_000));
        assert!(!buckets.has("b", "x", 60_000_000) && !buckets.has("a", "y", 60_000_000));
        assert_eq!(buckets.time(), Some((60_000_000, 240_000_000)));
    }
}
