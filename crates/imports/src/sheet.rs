//! A sheet of Excel, written row by row: a text is always a text, never a formula; whole numbers of more than
//! 15 digits are texts, because Excel's numbers have no more; times are in the city's time, which Excel cannot
//! say.

use crate::write::{is_formula, is_text, no_form, shown, text_at, told};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use arrow::util::display::ArrayFormatter;
use model::Problem;
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use std::path::Path;

/// Most rows of a sheet, the line of names aside.
pub(crate) const ROWS_MAX: u32 = 1_048_575;
/// Most columns of a sheet.
const COLUMNS_MAX: usize = 16_384;
/// Longest text in a cell, in UTF-16 units.
const TEXT_MAX: usize = 32_767;
/// Largest whole number that Excel keeps with all its digits.
const WHOLE_MAX: i64 = 999_999_999_999_999;
/// 1970-01-01 as Excel counts days.
const EPOCH: i64 = 25_569;
/// Days that Excel and everybody else count alike: 1900-03-01 to 9999-12-31.
const DAYS: std::ops::RangeInclusive<i64> = 61..=2_958_465;
const DAY_US: i64 = 86_400_000_000;

pub(crate) struct Sheet {
    book: Workbook,
    path: Box<Path>,
    row: u32,
    utc_offset_us: i64,
    formats: Formats,
}

struct Formats {
    /// A text that would be a formula if somebody edited its cell.
    quoted: Format,
    date: Format,
    time: Format,
    time_ms: Format,
}

impl Sheet {
    pub fn new(path: &Path, schema: &SchemaRef, utc_offset_seconds: i64) -> Result<Self, Problem> {
        let columns = schema.fields().len();
        if columns > COLUMNS_MAX {
            return Err(Problem::new(
                "export-columns",
                format!("a sheet of Excel has {COLUMNS_MAX} columns, and there are {columns}"),
                path.display().to_string(),
                "name fewer columns, or export .csv or .parquet",
            ));
        }
        let mut book = Workbook::new();
        let failed = |e: XlsxError| told(&e, path);
        // Rows wait beside the file, not in memory; a name alone has no folder.
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        book.set_tempdir(folder.unwrap_or(Path::new(".")))
            .map_err(failed)?;
        book.add_worksheet_with_constant_memory().map_err(failed)?;
        let mut sheet = Self {
            book,
            path: path.into(),
            row: 0,
            utc_offset_us: utc_offset_seconds * 1_000_000,
            formats: Formats {
                quoted: Format::new().set_quote_prefix(),
                date: Format::new().set_num_format("yyyy-mm-dd"),
                time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
                time_ms: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss.000"),
            },
        };
        let Self { book, formats, .. } = &mut sheet;
        let page = book.worksheet_from_index(0).map_err(failed)?;
        for (column, field) in (0_u16..).zip(schema.fields()) {
            text(page, 0, column, field.name(), formats, path)?;
        }
        Ok(sheet)
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        let rows = u32::try_from(batch.num_rows()).unwrap_or(u32::MAX);
        if rows > ROWS_MAX - self.row {
            return Err(Problem::new(
                "export-rows",
                format!(
                    "a sheet of Excel has {} rows beside the names, and there are more",
                    crate::grouped(u64::from(ROWS_MAX))
                ),
                self.path.display().to_string(),
                "add LIMIT or a condition, or export .csv or .parquet",
            ));
        }
        let Self {
            book,
            path,
            row: done,
            utc_offset_us,
            formats,
        } = self;
        let page = book.worksheet_from_index(0).map_err(|e| told(&e, path))?;
        let schema = batch.schema();
        let options = shown();
        let mut columns = Vec::new();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            let column = plain(column).map_err(|e| no_form(field.name(), &e))?;
            columns.push((field, column));
        }
        let mut formatters = Vec::new();
        for (field, column) in &columns {
            let formatter = ArrayFormatter::try_new(column.as_ref(), &options);
            formatters.push(formatter.map_err(|e| no_form(field.name(), &e))?);
        }
        for n in 0..batch.num_rows() {
            *done += 1;
            for (at, ((field, values), formatter)) in (0_u16..).zip(columns.iter().zip(&formatters))
            {
                if values.is_null(n) {
                    continue;
                }
                let written = match values.data_type() {
                    DataType::Boolean => {
                        let value = values.as_boolean().value(n);
                        page.write_boolean(*done, at, value).map(|_| true)
                    }
                    DataType::Float64 => {
                        let value = values.as_primitive::<Float64Type>().value(n);
                        if value.is_finite() {
                            page.write_number(*done, at, value).map(|_| true)
                        } else {
                            Ok(false)
                        }
                    }
                    DataType::Int64 => {
                        let value = values.as_primitive::<Int64Type>().value(n);
                        if value.unsigned_abs() <= WHOLE_MAX.unsigned_abs() {
                            page.write_number(*done, at, value as f64).map(|_| true)
                        } else {
                            Ok(false)
                        }
                    }
                    DataType::Date32 => {
                        let day = i64::from(values.as_primitive::<Date32Type>().value(n)) + EPOCH;
                        if DAYS.contains(&day) {
                            page.write_number_with_format(*done, at, day as f64, &formats.date)
                                .map(|_| true)
                        } else {
                            Ok(false)
                        }
                    }
                    DataType::Timestamp(_, zone) => {
                        let us = values.as_primitive::<TimestampMicrosecondType>().value(n);
                        // A time without a zone is somebody's clock already.
                        let ahead = if zone.is_some() { *utc_offset_us } else { 0 };
                        time(page, *done, at, us.saturating_add(ahead), formats)
                    }
                    _ => Ok(false),
                };
                if written.map_err(|e| told(&e, path))? {
                    continue;
                }
                match text_at(values.as_ref(), n) {
                    Some(value) => text(page, *done, at, value, formats, path)?,
                    None => {
                        let value = formatter.value(n).try_to_string();
                        let value = value.map_err(|e| no_form(field.name(), &e))?;
                        text(page, *done, at, &value, formats, path)?;
                    }
                }
            }
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), Problem> {
        self.book.save(&self.path).map_err(|e| told(&e, &self.path))
    }
}

/// A column in one of the few types that cells are made of; what has none stays as it is.
fn plain(column: &ArrayRef) -> Result<ArrayRef, arrow::error::ArrowError> {
    let wanted = match column.data_type() {
        DataType::UInt64 | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            return Ok(column.clone());
        }
        t if t.is_integer() => DataType::Int64,
        t if t.is_floating() => DataType::Float64,
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Dictionary(_, values) if is_text(values) => DataType::Utf8View,
        _ => return Ok(column.clone()),
    };
    cast(column, &wanted)
}

/// Writes a time that Excel can hold: whole milliseconds of days that it counts as everybody does.
fn time(
    page: &mut Worksheet,
    row: u32,
    column: u16,
    us: i64,
    formats: &Formats,
) -> Result<bool, XlsxError> {
    let (day, rest) = (us.div_euclid(DAY_US) + EPOCH, us.rem_euclid(DAY_US));
    if !DAYS.contains(&day) || rest % 1_000 != 0 {
        return Ok(false);
    }
    let format = if rest % 1_000_000 == 0 {
        &formats.time
    } else {
        &formats.time_ms
    };
    let serial = day as f64 + rest as f64 / DAY_US as f64;
    page.write_number_with_format(row, column, serial, format)?;
    Ok(true)
}

fn text(
    page: &mut Worksheet,
    row: u32,
    column: u16,
    value: &str,
    formats: &Formats,
    path: &Path,
) -> Result<(), Problem> {
    let length = value.encode_utf16().count();
    if length > TEXT_MAX {
        return Err(Problem::new(
            "export-cell-length",
            format!("a cell of Excel holds {TEXT_MAX} characters, and this one has {length}"),
            format!("row {}, column {}", row + 1, column + 1),
            "leave the column out, cut it with left(x, 32767), or export .csv or .parquet",
        ));
    }
    let written = if is_formula(value) {
        page.write_string_with_format(row, column, value, &formats.quoted)
    } else {
        page.write_string(row, column, value)
    };
    written.map(|_| ()).map_err(|e| told(&e, path))
}
