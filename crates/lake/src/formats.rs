//! An answer as bytes that arrive: CSV, and Arrow's stream format. A cut-off answer ends with an error
//! (`sql-rows`), because neither format can say that rows are missing.

use crate::answer::Answer;
use crate::query::Limits;
use crate::result;
use arrow::array::{Array, ArrayRef, RecordBatch, StringViewArray};
use arrow::csv::WriterBuilder;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use futures::Stream;
use model::Problem;
use serde_json::Value;
use std::str::FromStr;
use std::sync::Arc;

/// A format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header, UTF-8, times as RFC 3339 in UTC, null as nothing.
    Csv,
    /// Arrow's IPC stream.
    Arrow,
}

impl Format {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Arrow => "application/vnd.apache.arrow.stream",
        }
    }
}

impl FromStr for Format {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "csv" => Ok(Self::Csv),
            "arrow" => Ok(Self::Arrow),
            other => Err(Problem::new(
                "sql-format",
                format!(
                    "\"{}\" is no format of an answer",
                    model::problem::quote(other)
                ),
                "format",
                "use json, csv or arrow",
            )),
        }
    }
}

/// More rows than a format without a sign for it may leave out.
pub fn rows_problem(limits: &Limits) -> Problem {
    Problem::new(
        "sql-rows",
        format!("the answer has more than {} rows", limits.rows_max),
        "statement",
        "add LIMIT or a condition, group the rows, or ask the engineer to raise sql.stream_rows_max",
    )
}

enum Writer {
    Csv { is_first: bool },
    Arrow(Box<StreamWriter<Vec<u8>>>),
}

impl Writer {
    fn new(format: Format, schema: &Schema) -> Result<Self, ArrowError> {
        Ok(match format {
            Format::Csv => Self::Csv { is_first: true },
            Format::Arrow => Self::Arrow(Box::new(StreamWriter::try_new(Vec::new(), schema)?)),
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        match self {
            Self::Csv { is_first } => {
                let mut bytes = Vec::new();
                let header = std::mem::take(is_first);
                WriterBuilder::new()
                    .with_header(header)
                    .build(&mut bytes)
                    .write(&flattened(batch)?)?;
                Ok(bytes)
            }
            Self::Arrow(writer) => {
                writer.write(batch)?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }

    fn end(&mut self, schema: &SchemaRef) -> Result<Vec<u8>, ArrowError> {
        match self {
            // An answer without rows has a header all the same.
            Self::Csv { is_first: true } => self.write(&RecordBatch::new_empty(Arc::clone(schema))),
            Self::Csv { .. } => Ok(Vec::new()),
            Self::Arrow(writer) => {
                writer.finish()?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }
}

/// Lists and structs as JSON text, for formats that have no other form for them.
///
/// # Errors
/// `sql-answer`.
pub fn flat(batch: &RecordBatch) -> Result<RecordBatch, Problem> {
    flattened(batch).map_err(told)
}

fn flattened(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    if !batch.columns().iter().any(|c| c.data_type().is_nested()) {
        return Ok(batch.clone());
    }
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if !column.data_type().is_nested() {
            fields.push(field.as_ref().clone());
            columns.push(Arc::clone(column));
            continue;
        }
        let values = result::values(column)?;
        let texts = values.iter().map(|value| match value {
            Value::Null => None,
            value => Some(value.to_string()),
        });
        fields.push(Field::new(field.name(), DataType::Utf8View, true));
        columns.push(Arc::new(StringViewArray::from_iter(texts)));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn told(error: ArrowError) -> Problem {
    Problem::new(
        "sql-answer",
        format!("the answer cannot be written: {error}"),
        "statement",
        "cast the columns, as in CAST(x AS VARCHAR)",
    )
}

enum Step {
    Begin(Answer, Format),
    Rows(Answer, Writer),
    End,
}

impl Answer {
    /// The answer as bytes of a format, a piece for each batch. An error ends it.
    pub fn into_bytes(self, format: Format) -> impl Stream<Item = Result<Vec<u8>, Problem>> + Send {
        futures::stream::unfold(Step::Begin(self, format), |step| async move {
            let (mut answer, mut writer) = match step {
                Step::End => return None,
                Step::Rows(answer, writer) => (answer, writer),
                Step::Begin(answer, format) => match Writer::new(format, answer.schema()) {
                    Ok(writer) => (answer, writer),
                    Err(error) => return Some((Err(told(error)), Step::End)),
                },
            };
            match answer.next().await {
                Some(Ok(batch)) => match writer.write(&batch) {
                    Ok(bytes) => Some((Ok(bytes), Step::Rows(answer, writer))),
                    Err(error) => Some((Err(told(error)), Step::End)),
                },
                Some(Err(problem)) => Some((Err(problem), Step::End)),
                None if answer.truncated() => Some((Err(rows_problem(answer.limits())), Step::End)),
                None => {
                    let end = writer.end(&Arc::clone(answer.schema())).map_err(told);
                    Some((end, Step::End))
                }
            }
        })
    }
}
