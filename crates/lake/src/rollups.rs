//! The rollups as SQL tables. What is in rollup files is put together bucket by bucket, and what no rollup
//! file holds yet (the newest files, the rows in memory) is rolled up while reading: so the tables are
//! always up to date, whatever the background has come to. Buckets that corrections reach into are counted
//! anew while reading until the background has done it.

use crate::lake::{Contents, Histories};
use crate::layout::Table;
use crate::manifest::FileEntry;
use crate::records::RecordTable;
use crate::rollup::{UNUSABLE, tag};
use crate::schema::{OBSERVATION_COLUMNS, ROLLUP_COLUMNS, ZONE, column, rollup_column, time_type};
use crate::stored::Stored;
use crate::struck::Buckets;
use arrow::datatypes::IntervalMonthDayNano;
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::functions::datetime::expr_fn::date_bin;
use datafusion::functions_aggregate::expr_fn::{first_value, max, min, sum};
use datafusion::logical_expr::expr::Sort;
use datafusion::prelude::{DataFrame, Expr, SessionContext, cast, ident, lit};
use model::RollupSpan;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The rollup as it stands in the list of tables.
pub(crate) fn table(span: RollupSpan) -> RecordTable {
    let length = match span {
        RollupSpan::Minute => "minute",
        RollupSpan::Hour => "hour",
        RollupSpan::Day => "day of the city's clock",
    };
    RecordTable {
        name: Table::of(span).name().to_owned(),
        description: format!(
            "Numbers by the {length}: count, min, max, mean and last of each attribute, for the entity types \
             whose pack declares this rollup; doubtful values are left out."
        ),
        columns: ROLLUP_COLUMNS
            .iter()
            .map(|(name, kind, _)| ((*name).to_owned(), *kind))
            .collect(),
    }
}

fn raw(column: usize) -> Expr {
    ident(OBSERVATION_COLUMNS[column].0)
}

fn rolled(column: usize) -> Expr {
    ident(ROLLUP_COLUMNS[column].0)
}

fn name(column: usize) -> &'static str {
    ROLLUP_COLUMNS[column].0
}

/// The rollup as a table of one moment.
pub(crate) fn view(
    context: &SessionContext,
    contents: &Contents,
    span: RollupSpan,
    history: &Histories,
) -> Result<Arc<dyn TableProvider>> {
    let table = Table::of(span);
    let files = contents.manifest.of(table).cloned().collect();
    let parts = Stored::some(table, files, contents.clone(), false);
    let mut all = context.read_table(Arc::new(parts))?;
    let day_offset_seconds = contents.manifest.day_offset_seconds;
    if !contents.struck.is_empty() {
        let buckets = Arc::new(Buckets::of(&contents.struck, span, day_offset_seconds));
        all = all.filter(
            buckets
                .expr(name(rollup_column::BUCKET_START))
                .is_not_true(),
        )?;
        for (entity_type, files) in recounted(contents, span, &buckets) {
            let source = Stored::some(Table::Observations, files, contents.clone(), false);
            let frame = within(context.read_table(Arc::new(source))?, &buckets)?;
            all = all.union(roll(frame, &[entity_type], span, day_offset_seconds)?)?;
        }
    }
    for (missing, (files, has_tail)) in unrolled(contents, span, history) {
        let source = Stored::some(Table::Observations, files, contents.clone(), has_tail);
        let frame = context.read_table(Arc::new(source))?;
        all = all.union(roll(frame, &missing, span, day_offset_seconds)?)?;
    }
    Ok(put_together(all)?.into_view())
}

/// Files that the rollup holds already and that may have rows in the buckets, by entity type.
fn recounted<'a>(
    contents: &Contents,
    span: RollupSpan,
    buckets: &'a Buckets,
) -> Vec<(&'a str, Vec<Arc<FileEntry>>)> {
    let files_of = |entity_type: &&'a str| {
        let tag = tag(entity_type, span);
        let files = contents.manifest.of(Table::Observations);
        let files = files.filter(|file| file.rolled.contains(&tag) && buckets.may_touch(file));
        files.cloned().collect::<Vec<_>>()
    };
    let types = buckets.types().iter().map(String::as_str);
    types
        .map(|entity_type| (entity_type, files_of(&entity_type)))
        .filter(|(_, files)| !files.is_empty())
        .collect()
}

/// Observations of the buckets only.
fn within(frame: DataFrame, buckets: &Arc<Buckets>) -> Result<DataFrame> {
    let Some((from, to)) = buckets.time() else {
        return Ok(frame);
    };
    let time = |us: i64| {
        lit(ScalarValue::TimestampMicrosecond(
            Some(us),
            Some(ZONE.into()),
        ))
    };
    let observed_at = || raw(column::OBSERVED_AT);
    // The span of time reaches the files' statistics, the test itself does not.
    frame
        .filter(
            observed_at()
                .gt_eq(time(from))
                .and(observed_at().lt(time(to))),
        )?
        .filter(buckets.expr(OBSERVATION_COLUMNS[column::OBSERVED_AT].0))
}

/// Files that the rollup lacks, by the types it lacks of them; the rows in memory with those it lacks all of.
fn unrolled<'a>(
    contents: &Contents,
    span: RollupSpan,
    history: &'a Histories,
) -> BTreeMap<Vec<&'a str>, (Vec<Arc<FileEntry>>, bool)> {
    let declared: Vec<&str> = history
        .iter()
        .filter(|(_, kind)| kind.rollups.contains_key(&span))
        .map(|(name, _)| name.as_str())
        .collect();
    let mut found: BTreeMap<Vec<&str>, (Vec<Arc<FileEntry>>, bool)> = BTreeMap::new();
    if declared.is_empty() {
        return found;
    }
    for file in contents.manifest.of(Table::Observations) {
        let missing: Vec<&str> = declared
            .iter()
            .copied()
            .filter(|name| !file.rolled.contains(&tag(name, span)))
            .collect();
        if !missing.is_empty() {
            found.entry(missing).or_default().0.push(Arc::clone(file));
        }
    }
    found.entry(declared).or_default().1 = true;
    found
}

/// Observations as parts of one observation each.
fn roll(
    frame: DataFrame,
    types: &[&str],
    span: RollupSpan,
    day_offset_seconds: i32,
) -> Result<DataFrame> {
    let (us, origin_s) = match span {
        RollupSpan::Minute => (60_000_000_i64, 0),
        RollupSpan::Hour => (3_600_000_000, 0),
        RollupSpan::Day => (86_400_000_000, -i64::from(day_offset_seconds)),
    };
    let length =
        ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, 0, us * 1_000)));
    let origin = ScalarValue::TimestampMicrosecond(Some(origin_s * 1_000_000), Some(ZONE.into()));
    let value = || raw(column::VALUE_NUMBER);
    let usable = raw(column::QUALITY).in_list(UNUSABLE.iter().map(|w| lit(*w)).collect(), true);
    let wanted = raw(column::ENTITY_TYPE).in_list(types.iter().map(|t| lit(*t)).collect(), false);
    frame
        .filter(value().is_not_null().and(usable).and(wanted))?
        .select(vec![
            raw(column::ENTITY_ID),
            raw(column::ENTITY_TYPE),
            raw(column::ATTRIBUTE),
            // Binning gives nanoseconds; the files have the microseconds of all other times.
            cast(
                date_bin(lit(length), raw(column::OBSERVED_AT), lit(origin)),
                time_type(),
            )
            .alias(name(rollup_column::BUCKET_START)),
            lit(1_i64).alias(name(rollup_column::COUNT_OF)),
            value().alias(name(rollup_column::MIN)),
            value().alias(name(rollup_column::MAX)),
            value().alias(name(rollup_column::MEAN)),
            value().alias(name(rollup_column::LAST)),
            raw(column::OBSERVED_AT).alias(name(rollup_column::LAST_OBSERVED_AT)),
            raw(column::JOURNAL_POSITION).alias(name(rollup_column::LAST_POSITION)),
            raw(column::UNIT),
        ])
}

/// One row a bucket.
fn put_together(parts: DataFrame) -> Result<DataFrame> {
    use rollup_column as c;
    let newest = |column: usize| {
        let order: Vec<Sort> = vec![
            rolled(c::LAST_OBSERVED_AT).sort(false, false),
            rolled(c::LAST_POSITION).sort(false, false),
        ];
        first_value(rolled(column), order).alias(name(column))
    };
    let counted = cast(rolled(c::COUNT_OF), arrow::datatypes::DataType::Float64);
    const SUM: &str = "sum of the bucket";
    let grouped = parts.aggregate(
        [c::ENTITY_ID, c::ENTITY_TYPE, c::ATTRIBUTE, c::BUCKET_START]
            .map(rolled)
            .to_vec(),
        vec![
            sum(rolled(c::COUNT_OF)).alias(name(c::COUNT_OF)),
            min(rolled(c::MIN)).alias(name(c::MIN)),
            max(rolled(c::MAX)).alias(name(c::MAX)),
            sum(rolled(c::MEAN) * counted.clone()).alias(SUM),
            newest(c::LAST),
            newest(c::LAST_OBSERVED_AT),
            newest(c::LAST_POSITION),
            newest(c::UNIT),
        ],
    )?;
    grouped.select(
        (0..c::COUNT)
            .map(|column| match column {
                c::MEAN => (ident(SUM) / counted.clone()).alias(name(c::MEAN)),
                _ => rolled(column),
            })
            .collect::<Vec<_>>(),
    )
}
