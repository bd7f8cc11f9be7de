//! Statements that write many rows at once.

use std::fmt::Write as _;

/// Rows of one statement: a few hundred values, far below SQLite's limit of 32,766 and PostgreSQL's of 65,535.
pub(crate) const ROWS_AT_ONCE: usize = 50;

/// `($1, $2), ($3, $4)` for so many rows of so many columns.
pub(crate) fn places(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 5);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            // A text takes whatever is written to it.
            let _ = write!(text, "{comma}${}", row * columns + column + 1);
        }
        text.push(')');
    }
    text
}
