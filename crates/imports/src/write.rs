//! Columns as a file: CSV, Excel or Parquet, written batch by batch.
//!
//! A text that begins with `=`, `+`, `-`, `@`, a tab or a line end is a formula to a spreadsheet that opens a
//! CSV, and a formula can send data away. In Excel files such a text is kept as the text that it is, and marked
//! so that it stays one when somebody edits the cell. CSV has no such mark: it is written as it is, so that a
//! program reads back what there was; with [`Options::for_spreadsheets`] a `'` is put before it.

use crate::sheet::Sheet;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use csv::Writer;
use model::{Problem, problem::quote};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::str::FromStr;

const ZSTD_LEVEL: i32 = 3;
/// Signs that make a text a formula when a spreadsheet opens a CSV.
const FORMULA_SIGNS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header, UTF-8, times as RFC 3339, null as nothing.
    Csv,
    /// One sheet of Excel.
    Xlsx,
    /// Parquet, packed with Zstandard.
    Parquet,
}

impl Format {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

impl FromStr for Format {
    type Err = Problem;

    /// By the ending of a file's name.
    fn from_str(ending: &str) -> Result<Self, Problem> {
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "xlsx" => Ok(Self::Xlsx),
            "parquet" => Ok(Self::Parquet),
            other => Err(Problem::new(
                "export-format",
                format!("\"{}\" is no format that can be written", quote(other)),
                "output",
                "give a file that ends in .csv, .xlsx or .parquet",
            )),
        }
    }
}

/// How a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// CSV for spreadsheets: with the mark that makes Excel read UTF-8, and with `'` before what would be a
    /// formula.
    pub for_spreadsheets: bool,
    /// How far the city's time is ahead of UTC, in seconds: Excel's times have no zone and are in it.
    pub utc_offset_seconds: i64,
}

/// Whether a spreadsheet that opens a CSV takes this text for a formula.
pub(crate) fn is_formula(text: &str) -> bool {
    text.starts_with(FORMULA_SIGNS)
}

pub(crate) fn told(error: &dyn std::fmt::Display, path: &Path) -> Problem {
    Problem::new(
        "export-io",
        format!("cannot write the file: {error}"),
        path.display().to_string(),
        "check that the folder is there and the disk has room, and try again",
    )
}

pub(crate) fn no_form(field: &str, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        "export-column",
        format!("the column \"{}\" cannot be written: {error}", quote(field)),
        "statement",
        "cast it, as in CAST(x AS VARCHAR)",
    )
}

enum Out {
    Csv(Box<Writer<BufWriter<File>>>),
    Xlsx(Box<Sheet>),
    Parquet(Box<ArrowWriter<BufWriter<File>>>),
}

/// A file that is being written.
pub struct Target {
    out: Out,
    options: Options,
    path: Box<Path>,
    rows: u64,
}

impl Target {
    /// Begins a file.
    ///
    /// # Errors
    /// `export-io`, and `export-columns` for more columns than Excel has.
    pub fn new(
        path: &Path,
        format: Format,
        schema: &SchemaRef,
        options: Options,
    ) -> Result<Self, Problem> {
        let create = || {
            File::create(path)
                .map(BufWriter::new)
                .map_err(|e| told(&e, path))
        };
        let out = match format {
            Format::Csv => {
                let mut file = create()?;
                if options.for_spreadsheets {
                    file.write_all(b"\xef\xbb\xbf")
                        .map_err(|e| told(&e, path))?;
                }
                let mut writer = Writer::from_writer(file);
                let names = schema.fields().iter().map(|f| guarded(f.name(), options));
                writer.write_record(names).map_err(|e| told(&e, path))?;
                Out::Csv(Box::new(writer))
            }
            Format::Xlsx => Out::Xlsx(Box::new(Sheet::new(
                path,
                schema,
                options.utc_offset_seconds,
            )?)),
            Format::Parquet => {
                let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(|e| told(&e, path))?;
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(level))
                    .build();
                let writer = ArrowWriter::try_new(create()?, schema.clone(), Some(properties));
                Out::Parquet(Box::new(writer.map_err(|e| told(&e, path))?))
            }
        };
        Ok(Self {
            out,
            options,
            path: path.into(),
            rows: 0,
        })
    }

    /// Rows written.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes some rows.
    ///
    /// # Errors
    /// `export-io`; of Excel also `export-rows` and `export-cell-length`.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        match &mut self.out {
            Out::Csv(writer) => {
                write_csv(writer, batch, self.options, &self.path)?;
            }
            Out::Xlsx(sheet) => sheet.write(batch)?,
            Out::Parquet(writer) => writer.write(batch).map_err(|e| told(&e, &self.path))?,
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends the file and sees it onto the disk. Gives its rows.
    ///
    /// # Errors
    /// `export-io`.
    pub fn finish(self) -> Result<u64, Problem> {
        let path = &self.path;
        match self.out {
            Out::Csv(mut writer) => writer.flush().map_err(|e| told(&e, path))?,
            Out::Xlsx(sheet) => sheet.finish()?,
            Out::Parquet(writer) => {
                let mut file = writer.into_inner().map_err(|e| told(&e, path))?;
                file.flush().map_err(|e| told(&e, path))?;
            }
        }
        let file = File::open(path).map_err(|e| told(&e, path))?;
        file.sync_all().map_err(|e| told(&e, path))?;
        Ok(self.rows)
    }
}

fn guarded(text: &str, options: Options) -> String {
    if options.for_spreadsheets && is_formula(text) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// How values without a form of their own are written: nothing for null.
pub(crate) fn shown() -> FormatOptions<'static> {
    FormatOptions::default()
}

fn write_csv(
    writer: &mut Writer<BufWriter<File>>,
    batch: &RecordBatch,
    options: Options,
    path: &Path,
) -> Result<(), Problem> {
    let schema = batch.schema();
    let format_options = shown();
    let columns = schema.fields().iter().zip(batch.columns());
    let columns = columns.map(|(field, column)| {
        let formatter = ArrayFormatter::try_new(column.as_ref(), &format_options);
        let formatter = formatter.map_err(|e| no_form(field.name(), &e))?;
        Ok((field, is_text(column.data_type()), formatter))
    });
    let columns = columns.collect::<Result<Vec<_>, Problem>>()?;
    for row in 0..batch.num_rows() {
        for (field, is_text, formatter) in &columns {
            let text = formatter.value(row).try_to_string();
            let text = text.map_err(|e| no_form(field.name(), &e))?;
            // A number that begins with - is no formula.
            let text = if *is_text {
                guarded(&text, options)
            } else {
                text
            };
            writer.write_field(text).map_err(|e| told(&e, path))?;
        }
        writer
            .write_record(None::<&[u8]>)
            .map_err(|e| told(&e, path))?;
    }
    Ok(())
}

pub(crate) fn is_text(data_type: &DataType) -> bool {
    !data_type.is_numeric()
        && !matches!(
            data_type,
            DataType::Boolean | DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)
        )
}

/// A column's texts, where it is one of texts.
pub(crate) fn text_at(column: &dyn Array, row: usize) -> Option<&str> {
    match column.data_type() {
        DataType::Utf8 => Some(column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(column.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(column.as_string_view().value(row)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_known_by_their_first_sign() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(is_formula(text), "{text:?}");
        }
        for text in ["", "1=1", "竟陵", " =1", "a-b"] {
            assert!(!is_formula(text), "{text:?}");
        }
    }
}
