//! Files that departments hand in (CSV, Excel, Parquet) as columns with types, and everything that is wrong
//! with them by line; and columns as files of the same formats. Nothing is guessed quietly, nothing is dropped
//! quietly: what was found and what was done is in the answer, in Chinese and in English.
//!
//! Reading order: [`read`] (the one way in), `encoding` (UTF-8, GB18030, UTF-16), `text` (CSV), `excel` and
//! `merged` (its merged cells), `typed` (from texts to columns) and `kinds` (what a text can be),
//! `parquet_file`; [`book`] (sheets of texts, where the columns are known beforehand); [`declared`] (rows of a table that a pack declares); [`report`] (what is wrong, as a file); [`write`](mod@write) (the one way out) and `sheet` (Excel).

pub mod book;
pub mod declared;
mod encoding;
mod excel;
mod kinds;
mod merged;
mod parquet_file;
pub mod report;
mod sheet;
mod text;
mod typed;
pub mod write;

pub use kinds::Kind;
pub use merged::Merged;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use model::problem::{both, quote};
use model::{Both, Told};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

/// A count as people read it, with a comma after each three digits.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What one file may be and take.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Largest file, in bytes. A text is held in memory twice while it is read.
    pub file_bytes_max: u64,
    /// Most bytes that a packed file (Excel, Parquet) may unpack to.
    pub unpacked_bytes_max: u64,
    /// Most rows.
    pub rows_max: usize,
    /// Most columns.
    pub columns_max: usize,
    /// Longest text in a cell, in bytes.
    pub cell_bytes_max: usize,
    /// Most merged ranges of a sheet.
    pub merged_max: usize,
    /// Most problems that are kept with their line; the others are counted.
    pub problems_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes_max: 256 << 20,
            unpacked_bytes_max: 1 << 30,
            rows_max: 1_000_000,
            columns_max: 500,
            cell_bytes_max: 32 << 10,
            merged_max: 10_000,
            problems_max: 10_000,
        }
    }
}

/// How a file is to be read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Limits.
    pub limits: Limits,
    /// The sheet of an Excel file; the first when `None`.
    pub sheet: Option<String>,
    /// The line that names the columns, from 1; what stands above it is left out. The first that is not
    /// empty when `None`.
    pub header_line: Option<u64>,
    /// What is done about merged cells.
    pub merged: Merged,
    /// What a column holds, where it is not to be found out.
    pub kinds: BTreeMap<String, Kind>,
    /// How far the city's time is ahead of UTC, in seconds: times without a zone are in it.
    pub utc_offset_seconds: i64,
    /// Whether `.xls` is refused: the reader of that old format takes what memory a damaged file asks for,
    /// which a program that serves a city must not risk.
    pub refuse_xls: bool,
}

/// A problem and the line that has it, in the words of whoever mends it: departments read Chinese.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// The line in the file, or the row in the sheet, from 1.
    pub line: u64,
    /// The column's name, where one cell is meant.
    pub column: Option<String>,
    /// What stands there, cut to a readable length.
    pub value: Option<String>,
    /// What is wrong.
    pub problem: Told,
}

/// A column as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// What it holds; of Parquet, what the file says.
    pub r#type: String,
    /// The unit, where the name ends with one in brackets and the column holds numbers.
    pub unit: Option<String>,
    /// Cells that are not empty, in good rows.
    pub filled: usize,
}

/// A file as columns.
#[derive(Clone, Debug)]
pub struct Table {
    /// `csv`, `excel` or `parquet`.
    pub format: &'static str,
    /// The text's encoding, where it has one.
    pub encoding: Option<&'static str>,
    /// The sheet that was read, where there are several.
    pub sheet: Option<String>,
    /// The columns.
    pub schema: SchemaRef,
    /// The columns for people.
    pub columns: Vec<Found>,
    /// The rows whose lines are good.
    pub batches: Vec<RecordBatch>,
    /// Rows in the file, the bad ones included.
    pub rows_seen: usize,
    /// Rows with a problem.
    pub rows_bad: usize,
    /// The first problems, by line.
    pub problems: Vec<LineProblem>,
    /// All problems.
    pub problems_count: usize,
    /// What was done that is not in the file, such as merged cells filled.
    pub notes: Vec<Told>,
}

impl Table {
    /// The rows whose lines are good.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// Told how many of how many parts are done; says whether to go on.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64) -> ControlFlow<()>;

/// Tells how far it is, and ends the reading when nobody wants it any more.
fn go_on(progress: Progress<'_>, done: u64, total: u64, place: &str) -> Result<(), Told> {
    match progress(done, total) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Told::new(
            "import-stopped",
            both("读取已停止", "the reading was stopped"),
            place,
            both("需要时请重新开始", "begin again when it is wanted"),
        )),
    }
}

/// Reads a file, by the ending of `name`, which is also what problems call it: a file that was sent lies under
/// another name than its own.
///
/// # Errors
/// What makes the whole file unreadable: `import-io`, `import-format`, `import-size`, `import-rows`,
/// `import-columns`, `import-damaged`, `import-header`, `import-merged-cells`, `import-sheet`, `import-encoding`,
/// `import-type`, and `import-stopped` when `progress` says so. What is wrong with single lines is in the answer.
pub fn read(
    path: &Path,
    name: &str,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Table, Told> {
    let told = |error: std::io::Error| unreadable(name, &error);
    let bytes = std::fs::metadata(path).map_err(told)?.len();
    check_size(bytes, options.limits.file_bytes_max, name, |max| {
        both(
            format!("请拆成每个不超过 {max} 的文件，或调高 import.file_mib_max"),
            format!("cut it into files of at most {max}, or raise import.file_mib_max"),
        )
    })?;
    let ending = Path::new(name).extension().and_then(|e| e.to_str());
    match ending.unwrap_or_default().to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "txt" => {
            let bytes = std::fs::read(path).map_err(told)?;
            text::read(&bytes, name, options, progress)
        }
        "xlsx" | "xlsm" => excel::read(path, name, excel::Format::Xlsx, options, progress),
        "xls" if options.refuse_xls => Err(Told::new(
            "import-format",
            both(
                "这里不收旧格式 .xls 的文件",
                "files of the old format .xls are not taken here",
            ),
            name,
            both(
                "请另存为 .xlsx，或用命令行 jingling import 导入",
                "save the file as .xlsx, or import it with jingling import",
            ),
        )),
        "xls" => excel::read(path, name, excel::Format::Xls, options, progress),
        "parquet" => parquet_file::read(path, name, options, progress),
        other => Err(Told::new(
            "import-format",
            both(
                format!("“{}”不是数据文件的后缀", quote(other)),
                format!("\"{}\" is no ending of a table's file", quote(other)),
            ),
            name,
            both(
                "请用后缀为 .csv、.tsv、.txt、.xlsx、.xls 或 .parquet 的文件",
                "give a file that ends in .csv, .tsv, .txt, .xlsx, .xls or .parquet",
            ),
        )),
    }
}

/// What made the reader's library fail on a file.
fn points_outside() -> Both {
    both(
        "文件里的一个长度指到了外面",
        "a length in it points outside",
    )
}

/// A file that the system does not give.
fn unreadable(name: &str, error: &std::io::Error) -> Told {
    Told::new(
        "import-io",
        both(
            format!("读不了这个文件：{error}"),
            format!("the file cannot be read: {error}"),
        ),
        name,
        both("请检查路径和读取权限", "check the path and who may read it"),
    )
}

/// Refuses a file that is larger than `bytes_max`; `mend` is told what that is in words.
fn check_size(
    bytes: u64,
    bytes_max: u64,
    name: &str,
    mend: impl FnOnce(&str) -> Both,
) -> Result<(), Told> {
    if bytes <= bytes_max {
        return Ok(());
    }
    let has = size(bytes);
    Err(Told::new(
        "import-size",
        both(format!("文件有 {has}"), format!("the file has {has}")),
        name,
        mend(&size(bytes_max)),
    ))
}

fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{bytes} B"),
        mib => format!("{mib} MiB"),
    }
}

/// Problems as they are found, the first of them kept.
struct Findings {
    kept: Vec<LineProblem>,
    count: usize,
    kept_max: usize,
}

impl Findings {
    fn new(limits: &Limits) -> Self {
        Self {
            kept: Vec::new(),
            count: 0,
            kept_max: limits.problems_max,
        }
    }

    fn add(&mut self, found: impl FnOnce() -> LineProblem) {
        self.count += 1;
        if self.kept.len() < self.kept_max {
            self.kept.push(found());
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn counts_have_a_comma_after_each_three_digits() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (400_000, "400,000"),
            (1_048_575, "1,048,575"),
        ] {
            assert_eq!(super::grouped(count), text);
        }
    }
}
