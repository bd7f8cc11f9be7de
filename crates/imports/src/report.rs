//! What is wrong with a file, as a file: for whoever mends it, line by line, in a spreadsheet or a program.

use crate::Table;
use crate::write::{is_formula, told};
use csv::Writer;
use model::Problem;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

const HEADER: [&str; 7] = ["line", "column", "value", "code", "what", "where", "mend"];

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
            problem.code.as_str(),
            problem.what.as_str(),
            problem.place.as_str(),
            problem.mend.as_str(),
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
        let text = format!("and {more} more, which import.problems_max leaves out");
        let record = ["", "", "", "", text.as_str(), "", ""];
        writer.write_record(record).map_err(|e| told(&e, path))?;
    }
    writer.flush().map_err(|e| told(&e, path))
}
