//! What of a file a question has to read, by the file's footer. Rows lie sorted, so that conditions on what they are
//! sorted by hold for whole row groups and pages: of these all rows are read and nothing is asked of them again; where a
//! condition may or may not hold, mostly at both ends, it is asked of each row; the rest is passed over. What is to be
//! read is cut into pieces, so that every thread gets as much of it, wherever in a file it lies.

use arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use arrow::datatypes::Schema;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use datafusion::error::Result;
use datafusion::physical_optimizer::pruning::PruningPredicate;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use parquet::file::metadata::ParquetMetaData;
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// Pieces that a thread is given at least, where there is so much: whoever is done sooner takes one more.
const PIECES_EACH: usize = 4;

/// One of the conditions that all have to hold, as ranges of rows are asked about it.
pub(crate) struct Condition {
    /// Whether it may hold for some row of a range; `None` where that cannot be said.
    pub may_hold: Option<PruningPredicate>,
    /// Whether it may fail for some row of a range; `None` where that cannot be said.
    pub may_fail: Option<PruningPredicate>,
    /// The one column that it looks at, if it is one.
    pub column: Option<String>,
}

/// What is known of a range of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// All conditions hold for all rows.
    All,
    /// Each row has to be asked.
    Some,
    /// For each row a condition fails.
    None,
}

/// Rows of one row group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    group: usize,
    access: RowGroupAccess,
    rows: usize,
}

/// The rows of a file that a question has to look at, in their order.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parts {
    /// All conditions hold for them.
    pub sure: Vec<Part>,
    /// Some condition has to be asked of each.
    pub unsure: Vec<Part>,
}

/// What one thread reads of a file at a time.
#[derive(Debug)]
pub(crate) struct Piece {
    pub plan: ParquetAccessPlan,
    /// The bytes between which its row groups begin.
    pub bytes: Range<i64>,
    pub rows: usize,
}

impl Parts {
    /// By the footer of a file whose columns are among those of `schema`.
    ///
    /// # Errors
    /// Those of the engine, where a condition does not fit the schema.
    pub fn of(schema: &Schema, footer: &ParquetMetaData, conditions: &[Condition]) -> Result<Self> {
        let groups = Groups { schema, footer };
        let count = footer.num_row_groups();
        let mut verdicts = vec![Verdict::All; count];
        for condition in conditions {
            let found = condition.verdicts(&groups)?;
            for (verdict, found) in verdicts.iter_mut().zip(found) {
                *verdict = verdict.and(found);
            }
        }
        let mut parts = Self::default();
        for (group, verdict) in verdicts.into_iter().enumerate() {
            let rows = footer.row_group(group).num_rows() as usize;
            let whole = |group| Part {
                group,
                access: RowGroupAccess::Scan,
                rows,
            };
            match verdict {
                Verdict::None => {}
                Verdict::All => parts.sure.push(whole(group)),
                Verdict::Some => match by_pages(schema, footer, group, conditions)? {
                    None => parts.unsure.push(whole(group)),
                    Some(runs) => {
                        parts.sure.extend(selected(group, &runs, Verdict::All));
                        parts.unsure.extend(selected(group, &runs, Verdict::Some));
                    }
                },
            }
        }
        Ok(parts)
    }
}

/// How many rows a piece should have, that some threads may share `rows`.
pub(crate) fn piece_rows(rows: usize, threads: usize) -> usize {
    rows / (threads * PIECES_EACH).max(1)
}

/// How many rows parts have.
pub(crate) fn rows(parts: &[Part]) -> usize {
    parts.iter().map(|part| part.rows).sum()
}

/// Cuts parts of a file, which lie in its order and are of different row groups, into pieces of about so many rows, but
/// not of fewer than a row group has where there are more: opening a piece costs what reading some thousand rows costs.
pub(crate) fn pieces(parts: Vec<Part>, footer: &ParquetMetaData, rows: usize) -> Vec<Piece> {
    let groups = footer.row_groups().iter();
    let most = groups.map(|group| group.num_rows() as usize).max();
    let rows = rows.max(most.unwrap_or_default());
    let mut pieces: Vec<Piece> = Vec::new();
    for part in parts {
        let begin = begin(footer, part.group);
        let end = begin.saturating_add(footer.row_group(part.group).compressed_size().max(1));
        match pieces.last_mut() {
            Some(piece) if piece.rows + part.rows / 2 < rows => {
                piece.plan.set(part.group, part.access);
                piece.bytes.end = end;
                piece.rows += part.rows;
            }
            _ => {
                let mut plan = ParquetAccessPlan::new_none(footer.num_row_groups());
                plan.set(part.group, part.access);
                pieces.push(Piece {
                    plan,
                    bytes: begin..end,
                    rows: part.rows,
                });
            }
        }
    }
    pieces
}

/// Where a row group begins: the same byte by which the engine tells which range of a file it belongs to.
fn begin(footer: &ParquetMetaData, group: usize) -> i64 {
    let first = footer.row_group(group).column(0);
    first
        .dictionary_page_offset()
        .unwrap_or_else(|| first.data_page_offset())
}

impl Verdict {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::All, Self::All) => Self::All,
            _ => Self::Some,
        }
    }
}

impl Condition {
    /// What is known of each of some ranges of rows.
    fn verdicts(&self, ranges: &dyn PruningStatistics) -> Result<Vec<Verdict>> {
        let ask = |of: &Option<PruningPredicate>| match of {
            Some(of) => of.prune(ranges),
            None => Ok(vec![true; ranges.num_containers()]),
        };
        let (may_hold, may_fail) = (ask(&self.may_hold)?, ask(&self.may_fail)?);
        let both = may_hold.into_iter().zip(may_fail);
        Ok(both
            .map(|both| match both {
                (false, _) => Verdict::None,
                (true, false) => Verdict::All,
                (true, true) => Verdict::Some,
            })
            .collect())
    }
}

/// Rows of a row group that follow each other, and what is known of them.
type Run = (Range<usize>, Verdict);

/// What is known of the rows of one row group, page by page; `None` when it is no more than is known of them all.
fn by_pages(
    schema: &Schema,
    footer: &ParquetMetaData,
    group: usize,
    conditions: &[Condition],
) -> Result<Option<Vec<Run>>> {
    let rows = footer.row_group(group).num_rows() as usize;
    // For each condition, where its column's pages begin, and what is known of each.
    let mut known: Vec<(Vec<usize>, Vec<Verdict>)> = Vec::new();
    for condition in conditions {
        let pages = (condition.column.as_deref())
            .and_then(|column| Pages::new(schema, footer, group, column));
        let verdicts = match &pages {
            Some(pages) => condition.verdicts(pages)?,
            None => vec![Verdict::Some],
        };
        known.push((pages.map_or_else(|| vec![0], |p| p.begins), verdicts));
    }
    let cuts: BTreeSet<usize> = known
        .iter()
        .flat_map(|(begins, _)| begins.clone())
        .collect();
    let cuts: Vec<usize> = cuts.into_iter().chain([rows]).collect();
    let mut runs: Vec<Run> = Vec::new();
    for pair in cuts.windows(2) {
        let at = |(begins, verdicts): &(Vec<usize>, Vec<Verdict>)| {
            let page = begins.partition_point(|begin| *begin <= pair[0]);
            verdicts[page.saturating_sub(1)]
        };
        let verdict = known.iter().map(at).fold(Verdict::All, Verdict::and);
        match runs.last_mut() {
            Some((range, before)) if *before == verdict => range.end = pair[1],
            _ => runs.push((pair[0]..pair[1], verdict)),
        }
    }
    let is_more = runs.iter().any(|(_, verdict)| *verdict != Verdict::Some);
    Ok(is_more.then_some(runs))
}

/// The rows of a row group of which that is known.
fn selected(group: usize, runs: &[Run], wanted: Verdict) -> Option<Part> {
    let of = |(range, _): &Run| range.len();
    let rows: usize = runs.iter().filter(|r| r.1 == wanted).map(of).sum();
    let selectors = runs.iter().map(|run| match run.1 == wanted {
        true => RowSelector::select(of(run)),
        false => RowSelector::skip(of(run)),
    });
    let is_whole = runs.iter().all(|run| run.1 == wanted);
    let access = match is_whole {
        true => RowGroupAccess::Scan,
        false => RowGroupAccess::Selection(RowSelection::from_iter(selectors)),
    };
    (rows > 0).then_some(Part {
        group,
        access,
        rows,
    })
}

fn converter<'a>(
    schema: &'a Schema,
    footer: &'a ParquetMetaData,
    column: &str,
) -> Option<StatisticsConverter<'a>> {
    StatisticsConverter::try_new(column, schema, footer.file_metadata().schema_descr())
        .ok()
        .filter(|converter| converter.parquet_column_index().is_some())
        .map(|converter| converter.with_missing_null_counts_as_zero(false))
}

/// What a footer says of its row groups.
struct Groups<'a> {
    schema: &'a Schema,
    footer: &'a ParquetMetaData,
}

impl PruningStatistics for Groups<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        let converter = converter(self.schema, self.footer, column.name())?;
        converter.row_group_mins(self.footer.row_groups()).ok()
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        let converter = converter(self.schema, self.footer, column.name())?;
        converter.row_group_maxes(self.footer.row_groups()).ok()
    }

    fn num_containers(&self) -> usize {
        self.footer.num_row_groups()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let converter = converter(self.schema, self.footer, column.name())?;
        let counts = converter.row_group_null_counts(self.footer.row_groups());
        Some(Arc::new(counts.ok()?))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let groups = self.footer.row_groups().iter();
        let counts: UInt64Array = groups.map(|group| Some(group.num_rows() as u64)).collect();
        Some(Arc::new(counts))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// What a footer says of the pages of one column in one row group.
struct Pages<'a> {
    converter: StatisticsConverter<'a>,
    footer: &'a ParquetMetaData,
    group: usize,
    column: &'a str,
    /// The first row of each page, by its number in the row group.
    begins: Vec<usize>,
}

impl<'a> Pages<'a> {
    /// `None` when the footer says nothing of them.
    fn new(
        schema: &'a Schema,
        footer: &'a ParquetMetaData,
        group: usize,
        column: &'a str,
    ) -> Option<Self> {
        let converter = converter(schema, footer, column)?;
        let at = converter.parquet_column_index()?;
        footer.column_index()?.get(group)?.get(at)?;
        let pages = footer.offset_index()?.get(group)?.get(at)?.page_locations();
        let begins: Vec<usize> = pages.iter().map(|p| p.first_row_index as usize).collect();
        // A footer that says something else is not ours, and not believed.
        let rises = begins.first() == Some(&0) && begins.is_sorted_by(|a, b| a < b);
        rises.then_some(Self {
            converter,
            footer,
            group,
            column,
            begins,
        })
    }

    /// What the converter says of the pages, if it says as much as there are pages.
    fn array(&self, column: &Column, found: Option<ArrayRef>) -> Option<ArrayRef> {
        let is_whole = |found: &ArrayRef| found.len() == self.begins.len();
        found.filter(|found| column.name() == self.column && is_whole(found))
    }
}

impl PruningStatistics for Pages<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        let (columns, offsets) = (self.footer.column_index()?, self.footer.offset_index()?);
        let found = (self.converter).data_page_mins(columns, offsets, [&self.group]);
        self.array(column, found.ok())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        let (columns, offsets) = (self.footer.column_index()?, self.footer.offset_index()?);
        let found = (self.converter).data_page_maxes(columns, offsets, [&self.group]);
        self.array(column, found.ok())
    }

    fn num_containers(&self) -> usize {
        self.begins.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let (columns, offsets) = (self.footer.column_index()?, self.footer.offset_index()?);
        let found = (self.converter).data_page_null_counts(columns, offsets, [&self.group]);
        self.array(column, Some(Arc::new(found.ok()?)))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows = self.footer.row_group(self.group).num_rows() as usize;
        let ends = self.begins.iter().skip(1).copied().chain([rows]);
        let counts = self.begins.iter().zip(ends);
        let counts = counts.map(|(begin, end)| Some(end.saturating_sub(*begin) as u64));
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
