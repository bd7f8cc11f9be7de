//! Sorted files read as one sorted stream, in bounded memory: of each file one small batch at a time.

use crate::layout::Table;
use crate::schema::{column, rollup_column};
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{Field, Int64Type, Schema, SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use model::Problem;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ColumnChunkMetaData;
use std::cmp::Ordering;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows read of a file at a time, and made at a time.
const BATCH_ROWS: usize = 4_096;

/// What one file that is being read may take in memory, in bytes: a batch and the pages it came from,
/// with ids and values of usual length.
pub(crate) const INPUT_BYTES: usize = 4 << 20;

/// The batches of one file, in the table's schema.
pub(crate) struct Batches {
    path: PathBuf,
    schema: SchemaRef,
    reader: ParquetRecordBatchReader,
}

impl Batches {
    pub fn open(path: &Path, table: Table) -> Result<Self, Problem> {
        let file = File::open(path).map_err(|e| told(path, &e))?;
        let schema = table.schema();
        // The reader insists on fields without our own marks.
        let plain = Schema::new(
            schema
                .fields()
                .iter()
                .map(|f| Field::new(f.name(), f.data_type().clone(), f.is_nullable()))
                .collect::<Vec<_>>(),
        );
        let options = ArrowReaderOptions::new().with_schema(Arc::new(plain));
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .and_then(|builder| builder.with_batch_size(BATCH_ROWS).build())
            .map_err(|e| told(path, &e))?;
        Ok(Self {
            path: path.to_owned(),
            schema,
            reader,
        })
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(
            batch
                .and_then(|b| b.with_schema(Arc::clone(&self.schema)))
                .map_err(|e| told(&self.path, &e)),
        )
    }
}

/// Some text columns of a file, without the row groups that hold no text beginning with a prefix in the last of them.
pub(crate) struct Texts {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
}

impl Texts {
    /// The columns are those of `observations`, in rising order, and come in that order.
    pub fn open(path: &Path, columns: &[usize], prefix: &str) -> Result<Self, Problem> {
        let file = File::open(path).map_err(|e| told(path, &e))?;
        let schema = Table::Observations.schema();
        let plain = (schema.fields().iter())
            .map(|f| Field::new(f.name(), f.data_type().clone(), f.is_nullable()));
        let plain = Schema::new(plain.collect::<Vec<_>>());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(plain));
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .map_err(|e| told(path, &e))?;
        let last = columns.last().copied().unwrap_or_default();
        let groups = builder.metadata().row_groups().iter().enumerate();
        let groups = groups
            .filter(|(_, group)| may_hold(group.column(last), prefix))
            .map(|(number, _)| number)
            .collect();
        let mask = ProjectionMask::leaves(builder.parquet_schema(), columns.iter().copied());
        let reader = builder
            .with_row_groups(groups)
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|e| told(path, &e))?;
        Ok(Self {
            path: path.to_owned(),
            reader,
        })
    }
}

/// Whether a column of a row group may hold a text that begins with the prefix. Bounds may be cut short, and hold all the same.
fn may_hold(column: &ColumnChunkMetaData, prefix: &str) -> bool {
    let Some(statistics) = column.statistics() else {
        return true;
    };
    if statistics.null_count_opt() == u64::try_from(column.num_values()).ok() {
        return false;
    }
    let prefix = prefix.as_bytes();
    let is_below = |greatest: &[u8]| greatest < prefix;
    let is_above = |least: &[u8]| least > prefix && !least.starts_with(prefix);
    !statistics.max_bytes_opt().is_some_and(is_below)
        && !statistics.min_bytes_opt().is_some_and(is_above)
}

impl Iterator for Texts {
    type Item = Result<RecordBatch, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|e| told(&self.path, &e)))
    }
}

fn told(path: &Path, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        "lake-read",
        format!("cannot read: {error}"),
        path.display().to_string(),
        "run jingling check; restore the file from a backup when it is damaged",
    )
}

/// One file's place in the merge.
struct Head {
    batches: Batches,
    batch: RecordBatch,
    row: usize,
}

/// Many sorted files as one.
pub(crate) struct Merge {
    heads: Vec<Head>,
    time: usize,
    tie: usize,
}

impl Merge {
    pub fn open(paths: &[PathBuf], table: Table) -> Result<Self, Problem> {
        let (time, tie) = match table {
            Table::Observations => (column::OBSERVED_AT, column::JOURNAL_POSITION),
            _ => (rollup_column::BUCKET_START, rollup_column::LAST_POSITION),
        };
        let mut heads = Vec::with_capacity(paths.len());
        for path in paths {
            let mut batches = Batches::open(path, table)?;
            if let Some(batch) = batches.next().transpose()? {
                heads.push(Head {
                    batches,
                    batch,
                    row: 0,
                });
            }
        }
        Ok(Self { heads, time, tie })
    }

    fn compare(&self, a: &Head, b: &Head) -> Ordering {
        let text = |c: usize| {
            let (x, y) = (a.batch.column(c), b.batch.column(c));
            x.as_string_view()
                .value(a.row)
                .cmp(y.as_string_view().value(b.row))
        };
        let time = |h: &Head| {
            h.batch
                .column(self.time)
                .as_primitive::<TimestampMicrosecondType>()
                .value(h.row)
        };
        let tie = |h: &Head| {
            h.batch
                .column(self.tie)
                .as_primitive::<Int64Type>()
                .value(h.row)
        };
        text(column::ENTITY_ID)
            .then_with(|| text(column::ATTRIBUTE))
            .then_with(|| time(a).cmp(&time(b)))
            .then_with(|| tie(a).cmp(&tie(b)))
    }

    /// The next rows in order; `None` at the end.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>, Problem> {
        if let [only] = self.heads.as_mut_slice() {
            // Nothing to compare with: the file's own batches are the answer.
            let rest = only.batch.slice(only.row, only.batch.num_rows() - only.row);
            match only.batches.next().transpose()? {
                Some(batch) => (only.batch, only.row) = (batch, 0),
                None => self.heads.clear(),
            }
            return Ok(Some(rest));
        }
        if self.heads.is_empty() {
            return Ok(None);
        }
        // Batches that picked rows lie in; a head's own is the one at `at[head]`.
        let mut pool: Vec<RecordBatch> = self.heads.iter().map(|h| h.batch.clone()).collect();
        let mut at: Vec<usize> = (0..pool.len()).collect();
        let mut picked: Vec<(usize, usize)> = Vec::with_capacity(BATCH_ROWS);
        // Heads in order, the least last.
        let mut order: Vec<usize> = (0..self.heads.len()).collect();
        order.sort_by(|a, b| {
            self.compare(&self.heads[*b], &self.heads[*a])
                .then(b.cmp(a))
        });
        while picked.len() < BATCH_ROWS {
            let Some(least) = order.pop() else { break };
            let next = order.last().copied();
            loop {
                let head = &mut self.heads[least];
                picked.push((at[least], head.row));
                head.row += 1;
                if head.row == head.batch.num_rows() {
                    match head.batches.next().transpose()? {
                        Some(batch) => {
                            pool.push(batch.clone());
                            at[least] = pool.len() - 1;
                            (head.batch, head.row) = (batch, 0);
                        }
                        None => break,
                    }
                }
                let stays = next.is_none_or(|next| {
                    self.compare(&self.heads[least], &self.heads[next])
                        .then(least.cmp(&next))
                        .is_lt()
                });
                if picked.len() >= BATCH_ROWS || !stays {
                    break;
                }
            }
            let head = &self.heads[least];
            if head.row < head.batch.num_rows() {
                let place = order.partition_point(|other| {
                    self.compare(&self.heads[*other], head)
                        .then(other.cmp(&least))
                        .is_gt()
                });
                order.insert(place, least);
            }
        }
        let pool: Vec<&RecordBatch> = pool.iter().collect();
        let merged = interleave_record_batch(&pool, &picked).map_err(|e| arrow_told(&e))?;
        self.heads.retain(|h| h.row < h.batch.num_rows());
        Ok(Some(merged))
    }
}

fn arrow_told(error: &ArrowError) -> Problem {
    Problem::new(
        "lake-columns",
        format!("the files' rows do not form columns: {error}"),
        "merging files",
        "report this; the files stay as they are",
    )
}
