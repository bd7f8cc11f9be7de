//! Writing one Parquet file of a stored table: rows come sorted, and the file's entry in the manifest is
//! gathered on the way. A file is written in the `work` folder and is nobody's until the lake lists it;
//! dropped before, it is removed.

use crate::disk::{Disk, DiskFile};
use crate::lake::Options;
use crate::layout::Table;
use crate::manifest::{FileEntry, io_problem};
use crate::schema::{
    ColumnKind, OBSERVATION_COLUMNS, ROLLUP_COLUMNS, column, rollup_column, time_type,
};
use arrow::array::{Array, AsArray, PrimitiveArray, RecordBatch, StringViewArray};
use arrow::compute::{max, min};
use arrow::datatypes::{ArrowNumericType, Float64Type, Int64Type, TimestampMicrosecondType};
use model::Problem;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where files are written before they are listed, under the lake's folder.
pub(crate) const WORK_FOLDER: &str = "work";

/// The columns that files are sorted by.
pub(crate) const SORTED_BY: [usize; 3] =
    [column::ENTITY_ID, column::ATTRIBUTE, column::OBSERVED_AT];

/// A file that is whole and on disk, but in no manifest. Removed when dropped.
pub(crate) struct Written {
    pub path: PathBuf,
    /// The folder of its table that it belongs into.
    pub partition: String,
    /// All but its path.
    pub entry: FileEntry,
    _cleared: Cleared,
}

/// Removes a file when dropped; one that was moved away is not there any more.
struct Cleared(PathBuf, Arc<dyn Disk>);

impl Drop for Cleared {
    fn drop(&mut self) {
        // Nothing is lost when it stays: the folder is cleared at the next start.
        let _ = self.1.remove_file(&self.0);
    }
}

/// A file being written.
pub(crate) struct TableWriter {
    path: PathBuf,
    partition: String,
    entry: FileEntry,
    first_entity: Option<String>,
    last_entity: String,
    writer: ArrowWriter<Hashing<BufWriter<Box<dyn DiskFile>>>>,
    cleared: Cleared,
}

fn told(path: &Path) -> impl Fn(&dyn std::fmt::Display) -> Problem {
    move |e: &dyn std::fmt::Display| {
        Problem::new(
            "lake-write",
            format!("cannot write: {e}"),
            path.display().to_string(),
            "check that the disk has room; what was to be written stays where it is meanwhile",
        )
    }
}

impl TableWriter {
    pub fn create(
        dir: &Path,
        table: Table,
        partition: String,
        options: &Options,
    ) -> Result<Self, Problem> {
        /// One lake is written by one process, which clears the folder first.
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let folder = dir.join(WORK_FOLDER);
        let disk = &options.disk;
        disk.create_dir_all(&folder)
            .map_err(|e| io_problem("create", &folder, &e))?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{number}.parquet"));
        let file = disk
            .create(&path)
            .map_err(|e| io_problem("create", &path, &e))?;
        let cleared = Cleared(path.clone(), Arc::clone(disk));
        let sink = Hashing {
            inner: BufWriter::new(file),
            hash: Sha256::new(),
            bytes: 0,
        };
        let properties = properties(table, options).map_err(|e| told(&path)(&e))?;
        // Without Arrow's own schema in the file, every reader sees plain Parquet types.
        let writer_options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(sink, table.schema(), writer_options)
            .map_err(|e| told(&path)(&e))?;
        Ok(Self {
            entry: FileEntry {
                table,
                path: String::new(),
                rows: 0,
                bytes: 0,
                sha256: String::new(),
                fingerprint: Some(0),
                position_first: u64::MAX,
                position_last: 0,
                time_min_us: i64::MAX,
                time_max_us: i64::MIN,
                received_us: None,
                entities: None,
                types: Some(BTreeMap::new()),
                rolled: BTreeSet::new(),
            },
            first_entity: None,
            last_entity: String::new(),
            path,
            partition,
            writer,
            cleared,
        })
    }

    pub fn rows(&self) -> u64 {
        self.entry.rows
    }

    /// Appends rows; they follow those before in the order of the file.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.account(batch);
        self.writer.write(batch).map_err(|e| told(&self.path)(&e))
    }

    fn account(&mut self, batch: &RecordBatch) {
        let is_rollup = self.entry.table != Table::Observations;
        let (time, position) = if is_rollup {
            (rollup_column::BUCKET_START, rollup_column::LAST_POSITION)
        } else {
            (column::OBSERVED_AT, column::JOURNAL_POSITION)
        };
        let entry = &mut self.entry;
        entry.rows += batch.num_rows() as u64;
        let (least, greatest) = range::<TimestampMicrosecondType>(batch, time);
        entry.time_min_us = entry.time_min_us.min(least);
        entry.time_max_us = entry.time_max_us.max(greatest);
        let (least, greatest) = range::<Int64Type>(batch, position);
        entry.position_first = entry.position_first.min(least as u64);
        entry.position_last = entry.position_last.max(greatest as u64);
        if !is_rollup {
            let (least, greatest) = range::<TimestampMicrosecondType>(batch, column::RECEIVED_AT);
            let (a, b) = entry.received_us.unwrap_or((least, greatest));
            entry.received_us = Some((a.min(least), b.max(greatest)));
        }
        let sum = fingerprint(entry.table, batch);
        entry.fingerprint = entry.fingerprint.map(|before| before.wrapping_add(sum));
        let ids = batch.column(column::ENTITY_ID).as_string_view();
        if self.first_entity.is_none() {
            self.first_entity = Some(ids.value(0).to_owned());
        }
        ids.value(ids.len() - 1).clone_into(&mut self.last_entity);
        if let Some(types) = &mut self.entry.types {
            count_types(batch.column(column::ENTITY_TYPE).as_string_view(), types);
        }
    }

    /// Ends the file; when this returns it is on disk.
    pub fn finish(mut self) -> Result<Written, Problem> {
        let sink = self.writer.into_inner().map_err(|e| told(&self.path)(&e))?;
        self.entry.bytes = sink.bytes;
        self.entry.sha256 = hex::encode(sink.hash.finalize());
        self.entry.entities = self.first_entity.map(|first| (first, self.last_entity));
        sink.inner
            .into_inner()
            .map_err(|e| e.into_error())
            .and_then(|mut file| file.sync())
            .map_err(|e| io_problem("write", &self.path, &e))?;
        Ok(Written {
            path: self.path,
            partition: self.partition,
            entry: self.entry,
            _cleared: self.cleared,
        })
    }
}

fn range<T: ArrowNumericType<Native = i64>>(batch: &RecordBatch, column: usize) -> (i64, i64) {
    let values: &PrimitiveArray<T> = batch.column(column).as_primitive();
    (
        min(values).unwrap_or_default(),
        max(values).unwrap_or_default(),
    )
}

fn count_types(names: &StringViewArray, types: &mut BTreeMap<String, u64>) {
    let mut row = 0;
    while row < names.len() {
        // Sorted by entity, rows of one type lie together.
        let name = names.value(row);
        let mut end = row + 1;
        while end < names.len() && names.value(end) == name {
            end += 1;
        }
        let rows = (end - row) as u64;
        match types.get_mut(name) {
            Some(count) => *count += rows,
            None => {
                types.insert(name.to_owned(), rows);
            }
        }
        row = end;
    }
}

/// A sum over rows, the same in whatever order and batches they come. Of `observations`: position, times
/// and number of each row, stirred; of a rollup: the observations that its rows stand for.
pub(crate) fn fingerprint(table: Table, batch: &RecordBatch) -> u64 {
    if table != Table::Observations {
        let counts = batch.column(rollup_column::COUNT_OF);
        return counts
            .as_primitive::<Int64Type>()
            .values()
            .iter()
            .fold(0, |sum: u64, count| sum.wrapping_add(*count as u64));
    }
    let positions = batch
        .column(column::JOURNAL_POSITION)
        .as_primitive::<Int64Type>();
    let times =
        |c: usize| -> &PrimitiveArray<TimestampMicrosecondType> { batch.column(c).as_primitive() };
    let (observed, received) = (times(column::OBSERVED_AT), times(column::RECEIVED_AT));
    let numbers = batch
        .column(column::VALUE_NUMBER)
        .as_primitive::<Float64Type>();
    (0..batch.num_rows()).fold(0, |sum: u64, row| {
        let number = if numbers.is_null(row) {
            0
        } else {
            numbers.value(row).to_bits().rotate_left(7) ^ 1
        };
        let stirred = stir(positions.value(row) as u64)
            ^ stir(observed.value(row) as u64).rotate_left(21)
            ^ stir(received.value(row) as u64).rotate_left(42)
            ^ number;
        sum.wrapping_add(stir(stirred))
    })
}

/// The finish of SplitMix64.
fn stir(x: u64) -> u64 {
    let mut x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn properties(table: Table, options: &Options) -> Result<WriterProperties, ParquetError> {
    let columns: &[(&str, ColumnKind, bool)] = match table {
        Table::Observations => &OBSERVATION_COLUMNS,
        _ => &ROLLUP_COLUMNS,
    };
    debug_assert_eq!(table.schema().field(SORTED_BY[2]).data_type(), &time_type());
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(options.zstd_level)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(options.row_group_rows.max(1)))
        .set_data_page_row_count_limit(options.page_rows.max(1))
        .set_write_batch_size(options.page_rows.clamp(1, 1_024))
        .set_created_by(format!("jingling lake {}", env!("CARGO_PKG_VERSION")))
        .set_sorting_columns(Some(
            SORTED_BY
                .map(|c| SortingColumn {
                    column_idx: c as i32,
                    descending: false,
                    nulls_first: false,
                })
                .to_vec(),
        ))
        .set_column_bloom_filter_enabled(ColumnPath::from(columns[column::ENTITY_ID].0), true);
    for (name, kind, _) in columns {
        let path = ColumnPath::from(*name);
        match kind {
            // Sorted by entity, times and positions rise: their differences are small.
            ColumnKind::Time | ColumnKind::Integer => {
                builder = builder
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
            }
            _ => builder = builder.set_column_dictionary_enabled(path, true),
        }
    }
    Ok(builder.build())
}

/// Counts and hashes what is written.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
