//! What commands print: a table for people, JSON for scripts. Answers go to standard output,
//! everything else to standard error.

use anyhow::Result;
use comfy_table::{ContentArrangement, Table, presets};
use std::io::Write;

/// Prints a table.
pub fn print_table(header: &[&str], rows: Vec<Vec<String>>) {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    for row in rows {
        table.add_row(row);
    }
    // A reader that has gone away (`| head`) is no error.
    let _ = writeln!(std::io::stdout(), "{table}");
}

/// Prints JSON on one line.
///
/// # Errors
/// When standard output refuses.
pub fn print_json_line(value: &serde_json::Value) -> Result<()> {
    writeln!(std::io::stdout(), "{value}")?;
    Ok(())
}

/// Prints JSON.
///
/// # Errors
/// When standard output refuses.
pub fn print_json(value: &serde_json::Value) -> Result<()> {
    writeln!(
        std::io::stdout(),
        "{}",
        serde_json::to_string_pretty(value)?
    )?;
    Ok(())
}
