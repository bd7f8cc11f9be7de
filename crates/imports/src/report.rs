//! What is wrong with a file, as a file: for whoever mends it, line by line, in a spreadsheet or a program;
//! Chinese first, because departments mend, then English.

use crate::Table;
use crate::write::{is_formula, told};
use csv::Writer;
use model::Problem;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

const HEADER: [&str; 10] = [
    "行 line",
    "列 column",
    "原值 value",
    "问题",
    "位置",
    "改法",
    "what",
    "where",
    "mend",
    "code",
];

/// Writes the problems of a file as CSV for spreadsheets, also when there are none.
///
/// # Errors
/// `export-io`.
pub fn write(path: &Path, table: &Table) -> Result<(), Problem> {
    let mut file = BufWriter::new(File::create(path).map_err(|e| told(&e, path))?);
    file.write_all(b"\xef\xbb\xbf")
        .map_err(|e| told(&e, path))?;
    let mut writer = Writer::from_writer(file);
    writer.write_record(HEADER).map_err(|e| told(&e, path))?;
    for found in &table.problems {
        let problem = &found.problem;
        let line = found.line.to_string();
        let record = [
            line.as_str(),
            found.column.as_deref().unwrap_or_default(),
            found.value.as_deref().unwrap_or_default(),
            problem.what.zh.as_str(),
            problem.place.zh.as_str(),
            problem.mend.zh.as_str(),
            problem.what.en.as_str(),
            problem.place.en.as_str(),
            problem.mend.en.as_str(),
            problem.code.as_str(),
        ];
        // What stands in a bad cell is for reading, not for running.
        let record = record.map(|text| match is_formula(text) {
            true => format!("'{text}"),
            false => text.to_owned(),
        });
        writer.write_record(record).map_err(|e| told(&e, path))?;
    }
    let more = table.problems_count - table.problems.len();
    if more > 0 {
        let more = crate::grouped(more as u64);
        let zh = format!("另有 {more} 处，超过 import.problems_max，未列出");
        let en = format!("and {more} more, which import.problems_max leaves out");
        let record = ["", "", "", zh.as_str(), "", "", en.as_str(), "", "", ""];
        writer.write_record(record).map_err(|e| told(&e, path))?;
    }
    writer.flush().map_err(|e| told(&e, path))
}
