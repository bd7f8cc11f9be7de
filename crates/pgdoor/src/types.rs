//! Types between Arrow and PostgreSQL: a column's type number, its cells as text or binary, and
//! parameters read back.

use crate::wire::{put_cell, put_null};
use crate::zone::Zone;
use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Float32Array, Float64Array,
    Int16Array, Int32Array, Int64Array, StringViewArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::error::ArrowError;
use bytes::{BufMut, Bytes, BytesMut};
use datafusion::common::ScalarValue;
use model::Problem;
use serde_json::Value;
use std::fmt::Write;
use std::sync::Arc;

/// Days and microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL's times begin.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_US: i64 = EPOCH_DAYS as i64 * DAY_US;
const DAY_US: i64 = 86_400_000_000;

/// A type of PostgreSQL that is spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PgType {
    /// `boolean`
    Bool,
    /// `bytea`
    Bytea,
    /// `bigint`
    Int8,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `text`
    Text,
    /// `json`
    Json,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `timestamp`
    Timestamp,
    /// `timestamp with time zone`
    Timestamptz,
    /// `numeric`
    Numeric,
}

/// Each type with its number, its size (negative: varies), its short and its long name.
pub const TYPES: [(PgType, u32, i16, &str, &str); 14] = [
    (PgType::Bool, 16, 1, "bool", "boolean"),
    (PgType::Bytea, 17, -1, "bytea", "bytea"),
    (PgType::Int8, 20, 8, "int8", "bigint"),
    (PgType::Int2, 21, 2, "int2", "smallint"),
    (PgType::Int4, 23, 4, "int4", "integer"),
    (PgType::Text, 25, -1, "text", "text"),
    (PgType::Json, 114, -1, "json", "json"),
    (PgType::Float4, 700, 4, "float4", "real"),
    (PgType::Float8, 701, 8, "float8", "double precision"),
    (PgType::Date, 1082, 4, "date", "date"),
    (PgType::Time, 1083, 8, "time", "time without time zone"),
    (
        PgType::Timestamp,
        1114,
        8,
        "timestamp",
        "timestamp without time zone",
    ),
    (
        PgType::Timestamptz,
        1184,
        8,
        "timestamptz",
        "timestamp with time zone",
    ),
    (PgType::Numeric, 1700, -1, "numeric", "numeric"),
];

impl PgType {
    fn entry(self) -> &'static (Self, u32, i16, &'static str, &'static str) {
        // Every type is in the table; the test below says so.
        TYPES.iter().find(|t| t.0 == self).unwrap_or(&TYPES[5])
    }

    /// Its number.
    pub fn id(self) -> u32 {
        self.entry().1
    }

    /// Its size in bytes; negative when it varies.
    pub fn size(self) -> i16 {
        self.entry().2
    }

    /// The type of a column of an answer.
    pub fn of(field: &Field) -> Self {
        if lake::ColumnKind::of(field) == lake::ColumnKind::Json {
            return Self::Json;
        }
        Self::of_data(field.data_type())
    }

    fn of_data(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Bool,
            DataType::Int8 | DataType::Int16 | DataType::UInt8 => Self::Int2,
            DataType::Int32 | DataType::UInt16 => Self::Int4,
            DataType::Int64 | DataType::UInt32 => Self::Int8,
            DataType::Float16 | DataType::Float32 => Self::Float4,
            DataType::Float64 => Self::Float8,
            DataType::UInt64 => Self::Numeric,
            t if t.is_decimal() => Self::Numeric,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::Timestamptz,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Bytea,
            DataType::Dictionary(_, inner) => Self::of_data(inner),
            t if t.is_nested() => Self::Json,
            _ => Self::Text,
        }
    }

    /// The type that a parameter of this number has; other types are taken as text.
    pub fn of_parameter(id: u32) -> Self {
        match id {
            26 => Self::Int8,
            3802 => Self::Json,
            _ => TYPES.iter().find(|t| t.1 == id).map_or(Self::Text, |t| t.0),
        }
    }

    fn arrow(self) -> DataType {
        let us = TimeUnit::Microsecond;
        match self {
            Self::Bool => DataType::Boolean,
            Self::Bytea => DataType::Binary,
            Self::Int8 => DataType::Int64,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Text | Self::Json => DataType::Utf8View,
            // Numbers of the city are 64-bit floating point.
            Self::Numeric | Self::Float8 => DataType::Float64,
            Self::Float4 => DataType::Float32,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(us),
            Self::Timestamp => DataType::Timestamp(us, None),
            Self::Timestamptz => DataType::Timestamp(us, Some("UTC".into())),
        }
    }
}

/// PostgreSQL's number for a type that is not known.
pub const UNKNOWN: u32 = 705;

/// The type of a parameter: as the client says, else as the statement shows, else text.
pub fn parameter_type(told: u32, shown: Option<&DataType>) -> PgType {
    match (told, shown) {
        (0 | UNKNOWN, Some(data_type)) => PgType::of_data(data_type),
        (0 | UNKNOWN, None) => PgType::Text,
        (told, _) => PgType::of_parameter(told),
    }
}

/// No value, of a type: to plan with.
pub fn null(told: u32) -> ScalarValue {
    match told {
        0 | UNKNOWN => ScalarValue::Null,
        told => {
            ScalarValue::try_from(&PgType::of_parameter(told).arrow()).unwrap_or(ScalarValue::Null)
        }
    }
}

/// Reads a parameter; a moment that names no zone is read in this one.
///
/// # Errors
/// `parameter` when it is no value of its type.
pub fn parameter(
    n: usize,
    kind: PgType,
    binary: bool,
    value: Option<&Bytes>,
    zone: &Zone,
) -> Result<ScalarValue, Problem> {
    let wrong = |what: String| {
        Problem::new(
            "parameter",
            what,
            format!("parameter ${}", n + 1),
            format!("send a value of the type {}", kind.entry().4),
        )
    };
    let Some(value) = value else {
        return ScalarValue::try_from(&kind.arrow()).map_err(|e| wrong(e.to_string()));
    };
    if binary && !matches!(kind, PgType::Text | PgType::Json) {
        return binary_parameter(kind, value)
            .ok_or_else(|| wrong(format!("{} bytes are no such value", value.len())));
    }
    let text = std::str::from_utf8(value).map_err(|_| wrong("the text is not UTF-8".into()))?;
    let as_text = ScalarValue::Utf8View(Some(text.to_owned()));
    match kind {
        PgType::Text | PgType::Json => Ok(as_text),
        PgType::Bytea => match text.strip_prefix("\\x").map(unhex) {
            Some(Some(bytes)) => Ok(ScalarValue::Binary(Some(bytes))),
            Some(None) => Err(wrong("the hexadecimal digits are not whole".into())),
            None => Ok(ScalarValue::Binary(Some(value.to_vec()))),
        },
        _ => {
            let as_text = ScalarValue::Utf8View(Some(without_zone(kind, text).to_owned()));
            let read = match kind {
                PgType::Timestamptz => as_text.cast_to(&DataType::Timestamp(
                    TimeUnit::Microsecond,
                    Some(Arc::clone(zone.engine())),
                )),
                _ => Ok(as_text),
            };
            let cast = read.and_then(|read| read.cast_to(&kind.arrow())).ok();
            cast.filter(|value| !value.is_null()).ok_or_else(|| {
                wrong(format!(
                    "\"{}\" is no such value",
                    model::problem::quote(text)
                ))
            })
        }
    }
}

/// A day or a time of day without the zone behind it, which PostgreSQL passes over, and JDBC sends ("2026-11-23 +00").
fn without_zone(kind: PgType, text: &str) -> &str {
    let text = text.trim();
    match kind {
        PgType::Date => text
            .split_once(' ')
            .filter(|(_, zone)| zone.starts_with(['+', '-']))
            .map_or(text, |(day, _)| day),
        PgType::Time => text.split(['+', '-']).next().unwrap_or(text).trim_end(),
        _ => text,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn binary_parameter(kind: PgType, value: &[u8]) -> Option<ScalarValue> {
    fn fixed<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
        value.try_into().ok()
    }
    let time = |value: &[u8]| i64::from_be_bytes(fixed(value)?).checked_add(EPOCH_US);
    Some(match kind {
        PgType::Bool => ScalarValue::Boolean(Some(fixed::<1>(value)?[0] != 0)),
        PgType::Bytea => ScalarValue::Binary(Some(value.to_vec())),
        PgType::Int2 => ScalarValue::Int16(Some(i16::from_be_bytes(fixed(value)?))),
        PgType::Int4 => ScalarValue::Int32(Some(i32::from_be_bytes(fixed(value)?))),
        // An `oid` is told as this type too, and has four bytes.
        PgType::Int8 if value.len() == 4 => {
            ScalarValue::Int64(Some(u32::from_be_bytes(fixed(value)?).into()))
        }
        PgType::Int8 => ScalarValue::Int64(Some(i64::from_be_bytes(fixed(value)?))),
        PgType::Float4 => ScalarValue::Float32(Some(f32::from_be_bytes(fixed(value)?))),
        PgType::Float8 => ScalarValue::Float64(Some(f64::from_be_bytes(fixed(value)?))),
        PgType::Date => ScalarValue::Date32(Some(
            i32::from_be_bytes(fixed(value)?).checked_add(EPOCH_DAYS)?,
        )),
        PgType::Time => ScalarValue::Time64Microsecond(Some(i64::from_be_bytes(fixed(value)?))),
        PgType::Timestamp => ScalarValue::TimestampMicrosecond(Some(time(value)?), None),
        PgType::Timestamptz => {
            ScalarValue::TimestampMicrosecond(Some(time(value)?), Some("UTC".into()))
        }
        PgType::Numeric => ScalarValue::Float64(Some(numeric(value)?)),
        PgType::Text | PgType::Json => return None,
    })
}

/// A binary `numeric` as the nearest floating point number.
fn numeric(value: &[u8]) -> Option<f64> {
    let word = |n: usize| {
        let bytes = value.get(2 * n..2 * n + 2)?;
        Some(i16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let (count, weight, sign) = (word(0)?, word(1)?, word(2)? as u16);
    if sign == 0xC000 {
        return Some(f64::NAN);
    }
    let mut text = String::from(if sign == 0x4000 { "-0" } else { "0" });
    for n in 0..usize::try_from(count).ok()? {
        let _ = write!(text, "{:04}", word(4 + n)?);
    }
    let exponent = 4 * (i32::from(weight) + 1 - i32::from(count));
    format!("{text}e{exponent}").parse().ok()
}

/// One column's cells, ready to be written row by row.
pub enum Cells {
    /// `boolean`
    Bool(BooleanArray),
    /// `smallint`
    Int2(Int16Array),
    /// `integer`
    Int4(Int32Array),
    /// `bigint`
    Int8(Int64Array),
    /// `real`
    Float4(Float32Array),
    /// `double precision`
    Float8(Float64Array),
    /// `numeric`, as decimal text.
    Numeric(StringViewArray),
    /// `text`
    Text(StringViewArray),
    /// `bytea`
    Bytea(BinaryArray),
    /// `date`
    Date(Date32Array),
    /// `time`
    Time(Time64MicrosecondArray),
    /// Times; whether with a zone.
    Timestamp(TimestampMicrosecondArray, Option<Zone>),
    /// `json`
    Json(Vec<Value>),
}

fn get<T: Clone + 'static>(array: &ArrayRef) -> Result<T, ArrowError> {
    array.as_any().downcast_ref::<T>().cloned().ok_or_else(|| {
        ArrowError::CastError(format!("{} is not what it was cast to", array.data_type()))
    })
}

impl Cells {
    /// Makes a column ready; moments are shown in this zone.
    ///
    /// # Errors
    /// When the column has no form of that type.
    pub fn new(kind: PgType, column: &ArrayRef, zone: &Zone) -> Result<Self, ArrowError> {
        let to = match kind {
            PgType::Json if column.data_type().is_nested() => {
                return Ok(Self::Json(lake::json_values(column)?));
            }
            PgType::Numeric => {
                let digits = cast(column, &DataType::Utf8)?;
                return Ok(Self::Numeric(get(&cast(&digits, &DataType::Utf8View)?)?));
            }
            kind => kind.arrow(),
        };
        let column = if *column.data_type() == to {
            Arc::clone(column)
        } else if kind == PgType::Timestamp {
            // The zone is dropped, not applied.
            cast(column, &to)?
        } else {
            match cast(column, &to) {
                Ok(column) => column,
                Err(_) if kind == PgType::Text => written(column)?,
                Err(error) => return Err(error),
            }
        };
        Ok(match kind {
            PgType::Bool => Self::Bool(get(&column)?),
            PgType::Int2 => Self::Int2(get(&column)?),
            PgType::Int4 => Self::Int4(get(&column)?),
            PgType::Int8 => Self::Int8(get(&column)?),
            PgType::Float4 => Self::Float4(get(&column)?),
            PgType::Float8 => Self::Float8(get(&column)?),
            PgType::Numeric | PgType::Text | PgType::Json => Self::Text(get(&column)?),
            PgType::Bytea => Self::Bytea(get(&column)?),
            PgType::Date => Self::Date(get(&column)?),
            PgType::Time => Self::Time(get(&column)?),
            PgType::Timestamp => Self::Timestamp(get(&column)?, None),
            PgType::Timestamptz => Self::Timestamp(get(&column)?, Some(zone.clone())),
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Bool(a) => a.is_null(row),
            Self::Int2(a) => a.is_null(row),
            Self::Int4(a) => a.is_null(row),
            Self::Int8(a) => a.is_null(row),
            Self::Float4(a) => a.is_null(row),
            Self::Float8(a) => a.is_null(row),
            Self::Numeric(a) | Self::Text(a) => a.is_null(row),
            Self::Bytea(a) => a.is_null(row),
            Self::Date(a) => a.is_null(row),
            Self::Time(a) => a.is_null(row),
            Self::Timestamp(a, _) => a.is_null(row),
            Self::Json(values) => values[row].is_null(),
        }
    }

    /// Writes one cell with its length.
    pub fn put(&self, row: usize, binary: bool, out: &mut BytesMut) {
        if self.is_null(row) {
            return put_null(out);
        }
        put_cell(out, |out| {
            if binary {
                self.put_binary(row, out);
            } else {
                self.put_text(row, out);
            }
        });
    }

    fn put_text(&self, row: usize, out: &mut BytesMut) {
        // Writing into memory does not fail.
        let _ = match self {
            Self::Bool(a) => out.write_str(if a.value(row) { "t" } else { "f" }),
            Self::Int2(a) => write!(out, "{}", a.value(row)),
            Self::Int4(a) => write!(out, "{}", a.value(row)),
            Self::Int8(a) => write!(out, "{}", a.value(row)),
            Self::Float4(a) => put_float(out, f64::from(a.value(row)), &a.value(row)),
            Self::Float8(a) => put_float(out, a.value(row), &a.value(row)),
            Self::Numeric(a) | Self::Text(a) => out.write_str(a.value(row)),
            Self::Bytea(a) => {
                let _ = out.write_str("\\x");
                a.value(row).iter().try_for_each(|b| write!(out, "{b:02x}"))
            }
            Self::Date(a) => put_date(out, i64::from(a.value(row))),
            Self::Time(a) => put_time(out, a.value(row)),
            Self::Timestamp(a, zone) => {
                let us = a.value(row);
                let ahead = zone.as_ref().map(|zone| zone.offset_seconds(us));
                let shown = us.saturating_add(i64::from(ahead.unwrap_or(0)) * 1_000_000);
                let _ = put_date(out, shown.div_euclid(DAY_US));
                out.put_u8(b' ');
                let _ = put_time(out, shown.rem_euclid(DAY_US));
                ahead.map_or(Ok(()), |seconds| put_offset(out, seconds))
            }
            Self::Json(values) => write!(out, "{}", values[row]),
        };
    }

    fn put_binary(&self, row: usize, out: &mut BytesMut) {
        match self {
            Self::Bool(a) => out.put_u8(a.value(row).into()),
            Self::Int2(a) => out.put_i16(a.value(row)),
            Self::Int4(a) => out.put_i32(a.value(row)),
            Self::Int8(a) => out.put_i64(a.value(row)),
            Self::Float4(a) => out.put_f32(a.value(row)),
            Self::Float8(a) => out.put_f64(a.value(row)),
            Self::Numeric(a) => put_numeric(out, a.value(row)),
            Self::Text(a) => out.put_slice(a.value(row).as_bytes()),
            Self::Bytea(a) => out.put_slice(a.value(row)),
            Self::Date(a) => out.put_i32(a.value(row).saturating_sub(EPOCH_DAYS)),
            Self::Time(a) => out.put_i64(a.value(row)),
            Self::Timestamp(a, _) => out.put_i64(a.value(row).saturating_sub(EPOCH_US)),
            Self::Json(values) => {
                let _ = write!(out, "{}", values[row]);
            }
        }
    }
}

/// Durations, intervals and whatever else has no cast: as the engine writes them.
fn written(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let values = lake::json_values(column)?;
    Ok(Arc::new(StringViewArray::from_iter(values.iter().map(
        |value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        },
    ))))
}

fn put_float(out: &mut BytesMut, value: f64, exact: &dyn std::fmt::Display) -> std::fmt::Result {
    if value.is_nan() {
        out.write_str("NaN")
    } else if value.is_infinite() {
        out.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else if value != 0.0 && !(1e-5..1e15).contains(&value.abs()) {
        write!(out, "{value:e}")
    } else {
        write!(out, "{exact}")
    }
}

/// A day counted from 1970-01-01, in the Gregorian calendar, as PostgreSQL writes it.
fn put_date(out: &mut BytesMut, days: i64) -> std::fmt::Result {
    // Counted from 0000-03-01, so that the leap day ends a year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + 400 * era + i64::from(month <= 2);
    if year > 0 {
        write!(out, "{year:04}-{month:02}-{day:02}")
    } else {
        write!(out, "{:04}-{month:02}-{day:02} BC", 1 - year)
    }
}

/// How far a clock is ahead of UTC's: `+08`, `-03:30`, and with seconds before zones had whole minutes.
fn put_offset(out: &mut BytesMut, seconds: i32) -> std::fmt::Result {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    write!(out, "{sign}{:02}", seconds / 3_600)?;
    if minutes != 0 || rest != 0 {
        write!(out, ":{minutes:02}")?;
    }
    if rest != 0 {
        write!(out, ":{rest:02}")?;
    }
    Ok(())
}

fn put_time(out: &mut BytesMut, us: i64) -> std::fmt::Result {
    let (seconds, fraction) = (us / 1_000_000, us % 1_000_000);
    write!(
        out,
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )?;
    if fraction == 0 {
        return Ok(());
    }
    let digits = format!("{fraction:06}");
    write!(out, ".{}", digits.trim_end_matches('0'))
}

/// Decimal text as PostgreSQL's binary `numeric`: groups of four digits around the point.
fn put_numeric(out: &mut BytesMut, text: &str) {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let lead = (4 - whole.len() % 4) % 4;
    let padded = format!("{}{whole}{fraction}", "0".repeat(lead));
    let mut groups: Vec<i16> = padded
        .as_bytes()
        .chunks(4)
        .map(|chunk| {
            let value = chunk.iter().fold(0, |n, d| n * 10 + i16::from(d - b'0'));
            value * 10_i16.pow(4 - chunk.len() as u32)
        })
        .collect();
    let mut weight = (whole.len() + lead) as i16 / 4 - 1;
    let zeros = groups.iter().take_while(|g| **g == 0).count();
    groups.drain(..zeros);
    weight -= zeros as i16;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    out.put_i16(groups.len() as i16);
    out.put_i16(if groups.is_empty() { 0 } else { weight });
    out.put_u16(if negative { 0x4000 } else { 0 });
    out.put_u16(fraction.len() as u16);
    groups.iter().for_each(|g| out.put_i16(*g));
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, UInt64Array};
    use proptest::prelude::*;

    fn cell_in(zone: &str, kind: PgType, column: ArrayRef, binary: bool) -> Vec<u8> {
        let mut out = BytesMut::new();
        let zone = Zone::read(zone).unwrap();
        let cells = Cells::new(kind, &column, &zone).unwrap();
        cells.put(0, binary, &mut out);
        out[4..].to_vec()
    }

    fn cell(kind: PgType, column: ArrayRef, binary: bool) -> Vec<u8> {
        cell_in("UTC", kind, column, binary)
    }

    fn text(kind: PgType, column: ArrayRef) -> String {
        String::from_utf8(cell(kind, column, false)).unwrap()
    }

    #[test]
    fn every_type_is_in_the_table_once() {
        for (n, entry) in TYPES.iter().enumerate() {
            assert_eq!(entry.0.id(), entry.1);
            assert!(TYPES[..n].iter().all(|other| other.0 != entry.0));
        }
    }

    #[test]
    fn text_is_as_postgresql_writes_it() {
        let time = |us| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(vec![us]).with_timezone("UTC"))
        };
        for (us, expected) in [
            (0, "1970-01-01 00:00:00+00"),
            (1_795_420_800_123_400, "2026-11-23 08:00:00.1234+00"),
            (-1, "1969-12-31 23:59:59.999999+00"),
            (951_782_400_000_000, "2000-02-29 00:00:00+00"),
            (-62_135_596_800_000_000, "0001-01-01 00:00:00+00"),
        ] {
            assert_eq!(text(PgType::Timestamptz, time(us)), expected);
        }
        let float = |f: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![f])) };
        for (f, expected) in [
            (28.5, "28.5"),
            (0.1, "0.1"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (1e300, "1e300"),
            (1e-7, "1e-7"),
        ] {
            assert_eq!(text(PgType::Float8, float(f)), expected);
        }
        let decimal = Decimal128Array::from(vec![-1_234_505]).with_precision_and_scale(10, 3);
        assert_eq!(
            text(PgType::Numeric, Arc::new(decimal.unwrap())),
            "-1234.505"
        );
        assert_eq!(
            text(PgType::Bool, Arc::new(BooleanArray::from(vec![true]))),
            "t"
        );
        assert_eq!(
            text(
                PgType::Bytea,
                Arc::new(BinaryArray::from_vec(vec![b"\x01\xff"]))
            ),
            "\\x01ff"
        );
    }

    #[test]
    fn moments_are_shown_and_read_in_the_zone() {
        let time = |us| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(vec![us]).with_timezone("UTC"))
        };
        for (zone, us, expected) in [
            (
                "Asia/Shanghai",
                1_795_420_800_123_400,
                "2026-11-23 16:00:00.1234+08",
            ),
            (
                "America/New_York",
                1_795_420_800_000_000,
                "2026-11-23 03:00:00-05",
            ),
            ("Asia/Kolkata", 0, "1970-01-01 05:30:00+05:30"),
            ("-3.5", 0, "1969-12-31 20:30:00-03:30"),
            (
                "Asia/Shanghai",
                -3_000_000_000_000_000,
                "1874-12-08 02:45:43+08:05:43",
            ),
        ] {
            let shown = cell_in(zone, PgType::Timestamptz, time(us), false);
            assert_eq!(String::from_utf8(shown).unwrap(), expected);
            // Binary has no zone.
            assert_eq!(
                cell_in(zone, PgType::Timestamptz, time(us), true),
                cell(PgType::Timestamptz, time(us), true)
            );
        }
        let shanghai = Zone::read("Asia/Shanghai").unwrap();
        for (text, us) in [
            ("2026-11-23 16:00:00", 1_795_420_800_000_000),
            ("2026-11-23 16:00:00+08", 1_795_420_800_000_000),
            ("2026-11-23T08:00:00Z", 1_795_420_800_000_000),
            ("2026-11-23", 1_795_363_200_000_000),
        ] {
            let bytes = Bytes::from_static(text.as_bytes());
            let read = parameter(0, PgType::Timestamptz, false, Some(&bytes), &shanghai);
            let expected = ScalarValue::TimestampMicrosecond(Some(us), Some("UTC".into()));
            assert_eq!(read.unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn binary_numeric_is_in_groups_of_four_digits() {
        let number = |n: u64| -> ArrayRef { Arc::new(UInt64Array::from(vec![n])) };
        assert_eq!(
            cell(PgType::Numeric, number(0), true),
            [0, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(
            cell(PgType::Numeric, number(10_000), true),
            [0, 1, 0, 1, 0, 0, 0, 0, 0, 1]
        );
        let decimal = Decimal128Array::from(vec![-1_234_505])
            .with_precision_and_scale(10, 3)
            .unwrap();
        let bytes = cell(PgType::Numeric, Arc::new(decimal), true);
        assert_eq!(bytes, [0, 2, 0, 0, 0x40, 0, 0, 3, 0x04, 0xd2, 0x13, 0xba]);
        assert_eq!(numeric(&bytes), Some(-1_234.505));
    }

    #[test]
    fn parameters_are_read_or_told() {
        let read = |kind, binary, value: &'static [u8]| {
            parameter(
                0,
                kind,
                binary,
                Some(&Bytes::from_static(value)),
                &Zone::default(),
            )
        };
        assert_eq!(
            read(PgType::Int4, false, b"42").unwrap(),
            ScalarValue::Int32(Some(42))
        );
        assert_eq!(
            read(PgType::Int8, true, b"\0\0\0\0\0\0\0\x07").unwrap(),
            ScalarValue::Int64(Some(7))
        );
        assert_eq!(
            read(PgType::Bool, false, b"t").unwrap(),
            ScalarValue::Boolean(Some(true))
        );
        assert_eq!(
            read(PgType::Timestamptz, false, b"2026-11-23 16:00:00+08").unwrap(),
            ScalarValue::TimestampMicrosecond(Some(1_795_420_800_000_000), Some("UTC".into()))
        );
        assert_eq!(
            read(PgType::Date, false, b"2026-11-23 +08").unwrap(),
            ScalarValue::Date32(Some(20_780))
        );
        assert_eq!(
            read(PgType::Time, false, b"08:00:00+00").unwrap(),
            ScalarValue::Time64Microsecond(Some(28_800_000_000))
        );
        for (kind, binary, value) in [
            (PgType::Date, false, &b"2026-11-23 noon"[..]),
            (PgType::Int4, false, b"x"),
            (PgType::Int8, true, b"\0"),
            (PgType::Text, false, b"\xff"),
            (PgType::Numeric, true, b"\0\x05"),
        ] {
            let problem = read(kind, binary, value).unwrap_err();
            assert_eq!(
                (problem.code.as_str(), problem.place.as_str()),
                ("parameter", "parameter $1")
            );
        }
        assert!(
            parameter(0, PgType::Date, true, None, &Zone::default())
                .unwrap()
                .is_null()
        );
    }

    proptest! {
        #[test]
        fn times_and_numbers_come_back(us in -60_000_000_000_000_000_i64..200_000_000_000_000_000, n in any::<i64>(), f in any::<f64>()) {
            let column: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![us]).with_timezone("UTC"));
            let expected = ScalarValue::TimestampMicrosecond(Some(us), Some("UTC".into()));
            for binary in [false, true] {
                let bytes = Bytes::from(cell(PgType::Timestamptz, Arc::clone(&column), binary));
                prop_assert_eq!(parameter(0, PgType::Timestamptz, binary, Some(&bytes), &Zone::default()).unwrap(), expected.clone());
            }
            let column: ArrayRef = Arc::new(Int64Array::from(vec![n]));
            for binary in [false, true] {
                let bytes = Bytes::from(cell(PgType::Int8, Arc::clone(&column), binary));
                prop_assert_eq!(parameter(0, PgType::Int8, binary, Some(&bytes), &Zone::default()).unwrap(), ScalarValue::Int64(Some(n)));
            }
            let column: ArrayRef = Arc::new(Float64Array::from(vec![f]));
            let written = text(PgType::Float8, column);
            let back: f64 = written.parse().unwrap();
            prop_assert!(back == f || (back.is_nan() && f.is_nan()), "{} as {}", f, written);
        }

        #[test]
        fn any_parameter_bytes_do_no_harm(kind in 0..TYPES.len(), binary in any::<bool>(), value in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parameter(0, TYPES[kind].0, binary, Some(&Bytes::from(value)), &Zone::default());
        }
    }
}
