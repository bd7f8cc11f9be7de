//! Parquet: its columns are typed already; every page is read, so that damage is found now and not by a
//! query.

use crate::typed::{Each, Row, Rows};
use crate::{Found, Options, Progress, Table, go_on, grouped, points_outside, size};
use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use model::problem::{both, quote};
use model::{Both, Told};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use std::collections::HashSet;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Rows of one batch.
const BATCH_ROWS: usize = 65_536;

pub(crate) fn read(
    path: &Path,
    name: &str,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Table, Told> {
    // Bytes that nobody wrote can lead the reader's library into a fault; that is damage like any other.
    let read = catch_unwind(AssertUnwindSafe(|| {
        read_file(path, name, options, progress)
    }));
    read.unwrap_or_else(|_| Err(damaged_as(name, &points_outside())))
}

/// The columns of a file that was read, as rows of texts: what they hold is known to whoever reads them. The row's number stands
/// for its line.
pub(crate) struct TextRows<'a> {
    /// The file as it was read.
    pub table: &'a Table,
    /// What problems call it.
    pub place: &'a str,
}

impl Rows for TextRows<'_> {
    fn each(&mut self, each: &mut Each<'_>) -> Result<(), Told> {
        let options = FormatOptions::default();
        let mut line = 0;
        for batch in &self.table.batches {
            let columns = batch.columns().iter();
            let shown: Result<Vec<ArrayFormatter<'_>>, _> = columns
                .map(|column| ArrayFormatter::try_new(column, &options))
                .collect();
            let shown = shown.map_err(|e| damaged(self.place, e))?;
            for row in 0..batch.num_rows() {
                line += 1;
                let texts: Vec<String> = shown.iter().map(|c| c.value(row).to_string()).collect();
                each(Row {
                    line,
                    cells: texts.iter().map(String::as_str).collect(),
                    faults: Vec::new(),
                })?;
            }
        }
        Ok(())
    }
}

/// What the reader's library says of a file, which it says in English.
fn damaged(place: &str, what: impl std::fmt::Display) -> Told {
    damaged_as(place, &Both::from(what.to_string().as_str()))
}

fn damaged_as(place: &str, what: &Both) -> Told {
    Told::new(
        "import-damaged",
        both(
            format!("不能按 Parquet 读取：{}", what.zh),
            format!("the file cannot be read as Parquet: {}", what.en),
        ),
        place,
        both(
            "请重新生成；没有复制完整、加过密或又压缩过的文件不是 Parquet",
            "have it written again; a file that was copied in part, encrypted or packed is none",
        ),
    )
}

fn read_file(
    path: &Path,
    place: &str,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Table, Told> {
    let file = File::open(path).map_err(|e| damaged(place, e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(place, e))?;
    let total = builder.metadata().file_metadata().num_rows().max(0) as u64;
    // Without what its writer said of itself: only the columns count.
    let schema = Arc::new(Schema::new(builder.schema().fields().clone()));
    within(builder.metadata(), &schema, options, place)?;
    let reader = builder
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|e| damaged(place, e))?;
    let (mut batches, mut rows) = (Vec::new(), 0);
    let mut filled = vec![0; schema.fields().len()];
    for batch in reader {
        let batch = batch.map_err(|e| damaged(place, e))?;
        let batch = RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec())
            .map_err(|e| damaged(place, e))?;
        rows += batch.num_rows();
        for (count, column) in filled.iter_mut().zip(batch.columns()) {
            *count += batch.num_rows() - column.logical_null_count();
        }
        batches.push(batch);
        go_on(progress, rows as u64, total, place)?;
    }
    let fields = schema.fields().iter().zip(filled);
    let columns = fields.map(|(field, filled)| Found {
        name: field.name().clone(),
        r#type: kind(field.data_type()),
        unit: None,
        filled,
    });
    Ok(Table {
        format: "parquet",
        encoding: None,
        sheet: None,
        columns: columns.collect(),
        schema,
        batches,
        rows_seen: rows,
        rows_bad: 0,
        problems: Vec::new(),
        problems_count: 0,
        notes: Vec::new(),
    })
}

/// Whether what the file says of itself keeps the limits.
fn within(
    metadata: &ParquetMetaData,
    schema: &Schema,
    options: &Options,
    place: &str,
) -> Result<(), Told> {
    let limits = &options.limits;
    let refused = |code: &str, what: Both, mend: Both| {
        let what = both(
            format!("文件有 {}", what.zh),
            format!("the file has {}", what.en),
        );
        Err(Told::new(code, what, place, mend))
    };
    let rows = metadata.file_metadata().num_rows();
    if usize::try_from(rows).map_or(true, |rows| rows > limits.rows_max) {
        let max = grouped(limits.rows_max as u64);
        let rows = grouped(rows.unsigned_abs());
        return refused(
            "import-rows",
            both(format!("{rows} 行"), format!("{rows} rows")),
            both(
                format!("请拆成每个不超过 {max} 行的文件，或调高 import.rows_max"),
                format!("cut it into files of at most {max}, or raise import.rows_max"),
            ),
        );
    }
    let groups = metadata.row_groups().iter();
    let unpacked: u64 = groups
        .map(|group| u64::try_from(group.total_byte_size()).unwrap_or(u64::MAX))
        .fold(0, u64::saturating_add);
    if unpacked > limits.unpacked_bytes_max {
        let (has, max) = (size(unpacked), size(limits.unpacked_bytes_max));
        return refused(
            "import-size",
            both(format!("{has}（解压后）"), format!("{has} when unpacked")),
            both(
                format!("请拆成每个不超过 {max} 的文件，或调高 import.unpacked_mib_max"),
                format!("cut it into files of at most {max}, or raise import.unpacked_mib_max"),
            ),
        );
    }
    let fields = schema.fields();
    if fields.is_empty() || fields.len() > limits.columns_max {
        let (has, max) = (fields.len(), limits.columns_max);
        return refused(
            "import-columns",
            both(format!("{has} 列"), format!("{has} columns")),
            both(
                format!("请写成 1 至 {max} 列，或调高 import.columns_max"),
                format!("have it written with 1 to {max} columns, or raise import.columns_max"),
            ),
        );
    }
    let mut names = HashSet::new();
    match fields.iter().find(|field| !names.insert(field.name())) {
        Some(twice) => {
            let name = quote(twice.name());
            refused(
                "import-header",
                both(
                    format!("两列都叫“{name}”"),
                    format!("two columns called \"{name}\""),
                ),
                both("每列请用不同的名称", "give each column a name of its own"),
            )
        }
        None => Ok(()),
    }
}

/// What a column holds, in the words of the other formats where they have one.
fn kind(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(..) => "time".to_owned(),
        t if t.is_integer() => "integer".to_owned(),
        t if t.is_numeric() => "number".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        other => other.to_string(),
    }
}
