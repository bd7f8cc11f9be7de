//! Arrow answers as JSON.

use crate::query::Column;
use crate::schema::ColumnKind;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Float64Type, Int64Type, Schema, TimestampMicrosecondType, UInt64Type,
};
use arrow::error::ArrowError;
use model::{Problem, Timestamp};
use serde_json::Value;

/// What a cell takes beside its text, in bytes.
const CELL_BYTES: usize = 32;

/// The columns of an answer.
pub(crate) fn columns(schema: &Schema) -> Vec<Column> {
    schema
        .fields()
        .iter()
        .map(|field| Column {
            name: field.name().clone(),
            kind: ColumnKind::of(field),
        })
        .collect()
}

/// What an answer's rows take in memory, in bytes: only what they use of the buffers they share.
pub(crate) fn bytes(batch: &RecordBatch) -> usize {
    let texts: usize = batch
        .columns()
        .iter()
        .map(|column| match column.as_string_view_opt() {
            Some(texts) => texts.iter().flatten().map(str::len).sum(),
            None => column.to_data().get_slice_memory_size().unwrap_or(0),
        })
        .sum();
    texts + CELL_BYTES * batch.num_rows() * batch.num_columns()
}

/// The rows of an answer.
pub(crate) fn rows(batches: &[RecordBatch]) -> Result<Vec<Vec<Value>>, Problem> {
    let mut rows = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for batch in batches {
        let first = rows.len();
        rows.resize_with(first + batch.num_rows(), || {
            Vec::with_capacity(batch.num_columns())
        });
        for column in batch.columns() {
            let values = values(column).map_err(|e| {
                Problem::new(
                    "sql-answer",
                    format!(
                        "a column of type {} has no JSON form: {e}",
                        column.data_type()
                    ),
                    "statement",
                    "cast it, as in CAST(x AS VARCHAR)",
                )
            })?;
            for (row, value) in rows[first..].iter_mut().zip(values) {
                row.push(value);
            }
        }
    }
    Ok(rows)
}

/// One column's values as JSON.
///
/// # Errors
/// When a type has no JSON form.
pub fn values(column: &ArrayRef) -> Result<Vec<Value>, ArrowError> {
    fn each<T>(items: impl Iterator<Item = Option<T>>, to: impl Fn(T) -> Value) -> Vec<Value> {
        items.map(|item| item.map_or(Value::Null, &to)).collect()
    }
    let data_type = column.data_type();
    Ok(match data_type {
        DataType::Null => vec![Value::Null; column.len()],
        DataType::Boolean => each(column.as_boolean().iter(), Value::from),
        DataType::Float64 => each(column.as_primitive::<Float64Type>().iter(), Value::from),
        DataType::Int64 => each(column.as_primitive::<Int64Type>().iter(), Value::from),
        DataType::UInt64 => each(column.as_primitive::<UInt64Type>().iter(), Value::from),
        DataType::Utf8View => each(column.as_string_view().iter(), Value::from),
        DataType::Utf8 => each(column.as_string::<i32>().iter(), Value::from),
        DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, zone) => each(
            column.as_primitive::<TimestampMicrosecondType>().iter(),
            |us| {
                let text = Timestamp::from_micros(us).to_string();
                // What a clock of no zone shows is no moment, and least of all one of UTC.
                let text = match zone {
                    None => text.trim_end_matches('Z'),
                    Some(_) => &text,
                };
                Value::from(text)
            },
        ),
        DataType::Timestamp(_, zone) => {
            let unit = arrow::datatypes::TimeUnit::Microsecond;
            values(&cast(column, &DataType::Timestamp(unit, zone.clone()))?)?
        }
        t if t.is_signed_integer() => values(&cast(column, &DataType::Int64)?)?,
        t if t.is_unsigned_integer() => values(&cast(column, &DataType::UInt64)?)?,
        t if t.is_numeric() => values(&cast(column, &DataType::Float64)?)?,
        DataType::Dictionary(_, inner) => values(&cast(column, inner)?)?,
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => lists(column)?,
        DataType::Struct(fields) => {
            let parts = column.as_struct();
            let columns = parts
                .columns()
                .iter()
                .map(values)
                .collect::<Result<Vec<_>, _>>()?;
            (0..column.len())
                .map(|row| {
                    if column.is_null(row) {
                        return Value::Null;
                    }
                    let members = fields
                        .iter()
                        .zip(&columns)
                        .map(|(field, values)| (field.name().clone(), values[row].clone()));
                    Value::Object(members.collect())
                })
                .collect()
        }
        // Dates, durations, intervals, binary, maps: as the engine writes them.
        _ => {
            let options = arrow::util::display::FormatOptions::default();
            let formatter = arrow::util::display::ArrayFormatter::try_new(column, &options)?;
            (0..column.len())
                .map(|row| match column.is_null(row) {
                    true => Value::Null,
                    false => Value::from(formatter.value(row).to_string()),
                })
                .collect()
        }
    })
}

fn lists(column: &ArrayRef) -> Result<Vec<Value>, ArrowError> {
    (0..column.len())
        .map(|row| {
            if column.is_null(row) {
                return Ok(Value::Null);
            }
            let items = match column.data_type() {
                DataType::List(_) => column.as_list::<i32>().value(row),
                DataType::LargeList(_) => column.as_list::<i64>().value(row),
                _ => column.as_fixed_size_list().value(row),
            };
            Ok(Value::Array(values(&items)?))
        })
        .collect()
}
