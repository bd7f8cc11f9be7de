//! Sheets of a file as texts, before anybody asks what their cells hold: what reads and writes files meets what understands them.

use crate::Told;

/// A sheet as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Its name; of a text file, the file's without its ending.
    pub name: String,
    /// The names of its columns.
    pub names: Vec<String>,
    /// Its lines, empty ones aside, each with its number in the file.
    pub rows: Vec<(u64, Vec<String>)>,
}

/// Something wrong with a file of sheets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The sheet.
    pub sheet: String,
    /// The line, where one is meant.
    pub line: Option<u64>,
    /// The column as the file names it, where one is meant.
    pub column: Option<String>,
    /// What stands there.
    pub value: Option<String>,
    /// What is wrong.
    pub told: Told,
}

/// A sheet to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub name: String,
    /// The names of its columns.
    pub names: Vec<String>,
    /// Its lines.
    pub rows: Vec<Vec<String>>,
    /// What may be chosen in a column, by its place; the file's own program offers it.
    pub choices: Vec<(usize, Vec<String>)>,
}
