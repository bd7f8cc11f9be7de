//! `jingling check`: every stored file, what is wrong and where.

use crate::folder::Folder;
use crate::formats;
use crate::output::print_json;
use crate::settings::Settings;
use anyhow::Result;
use serde::Serialize;
use std::fmt::Display;
use std::path::Path;

/// Something that is wrong with a stored file.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// settings, format, packs, journal, lake, twin, retained, records, attachments.
    pub part: &'static str,
    /// What and where.
    pub what: String,
}

/// What was looked at, and what is wrong with it.
#[derive(Debug, Default, Serialize)]
pub struct Checked {
    /// The parts, in the order in which they were checked.
    pub checked: Vec<&'static str>,
    /// Empty when all is well.
    pub findings: Vec<Finding>,
}

impl Checked {
    fn part<T: Display>(&mut self, part: &'static str, problems: impl IntoIterator<Item = T>) {
        self.checked.push(part);
        self.findings
            .extend(problems.into_iter().map(|what| Finding {
                part,
                // The alternate form of an error names its causes too.
                what: format!("{what:#}"),
            }));
    }
}

/// Checks everything; gives whether nothing was found.
///
/// # Errors
/// When the findings cannot be printed.
pub async fn run(dir: &Path, json: bool) -> Result<bool> {
    let Checked { checked, findings } = check(dir).await?;
    let clean = findings.is_empty();
    if json {
        print_json(&serde_json::json!({"clean": clean, "checked": checked, "findings": findings}))?;
    } else {
        for finding in &findings {
            eprintln!("{}: {}", finding.part, finding.what);
        }
        eprintln!(
            "checked {}: {}",
            checked.join(", "),
            if clean {
                "nothing found".to_owned()
            } else {
                format!("{} findings", findings.len())
            }
        );
    }
    Ok(clean)
}

/// Checks everything in a city's folder.
///
/// # Errors
/// When the checker itself cannot be set up.
pub async fn check(dir: &Path) -> Result<Checked> {
    let folder = Folder::new(dir);
    let mut found = Checked::default();
    found.part("settings", Settings::load(dir, &[]).err());
    let _lock = match formats::open_beside(&folder) {
        Ok(lock) => {
            found.part("format", None::<String>);
            lock
        }
        Err(error) => {
            // Nothing more is looked at: what would be found are the limits of this program.
            found.part("format", [error]);
            return Ok(found);
        }
    };
    found.part("packs", folder.packs().err());
    if folder.journal().is_dir() {
        match journal::check(folder.journal()) {
            Ok(report) => found.part("journal", report.findings),
            Err(error) => found.part("journal", [error]),
        }
    }
    if folder.lake().is_dir() {
        found.part("lake", lake::check(&folder.lake()));
    }
    found.part("twin", twin::Twin::restore(&folder.twin_checkpoint()).err());
    found.part(
        "retained",
        gateway::mqtt::check_retained(&folder.retained()).err(),
    );
    check_records(&folder, &mut found).await?;
    Ok(found)
}

async fn check_records(folder: &Folder, found: &mut Checked) -> Result<()> {
    if !folder.records().is_file() {
        let missing = format!("{} is missing", folder.records().display());
        found.part("records", [missing]);
        return Ok(());
    }
    let records = match records::Records::open(&folder.records()).await {
        Ok(records) => records,
        Err(error) => {
            found.part("records", [error]);
            return Ok(());
        }
    };
    match records.check().await {
        Ok(problems) => found.part("records", problems),
        Err(error) => found.part("records", [error]),
    }
    let cases = cases::Cases::new(
        records.clone(),
        cases::Options::new(folder.attachments()),
        Vec::new(),
    )?;
    match cases.check_attachments().await {
        Ok(problems) => found.part("attachments", problems),
        Err(error) => found.part("attachments", [error]),
    }
    records.close().await;
    Ok(())
}
