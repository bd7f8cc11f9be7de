//! `jingling check`: every stored file, what is wrong and where.

use crate::folder::Folder;
use crate::output::print_json;
use crate::settings::Settings;
use anyhow::Result;
use serde::Serialize;
use std::path::Path;

/// Something that is wrong with a stored file.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// journal, lake, twin, retained, records, attachments, settings, packs.
    pub part: &'static str,
    /// What and where.
    pub what: String,
}

/// Checks everything; gives whether nothing was found.
///
/// # Errors
/// When the findings cannot be printed.
pub async fn run(dir: &Path, json: bool) -> Result<bool> {
    let mut findings = Vec::new();
    let mut checked = Vec::new();
    let folder = Folder::new(dir);
    let mut part = |name: &'static str, problems: Vec<String>| {
        checked.push(name);
        findings.extend(
            problems
                .into_iter()
                .map(|what| Finding { part: name, what }),
        );
    };
    part(
        "settings",
        Settings::load(dir, &[])
            .err()
            .map(|e| format!("{e:#}"))
            .into_iter()
            .collect(),
    );
    part(
        "packs",
        folder
            .packs()
            .err()
            .map(|e| format!("{e:#}"))
            .into_iter()
            .collect(),
    );
    if folder.journal().is_dir() {
        part(
            "journal",
            match journal::check(folder.journal()) {
                Ok(report) => report.findings.iter().map(ToString::to_string).collect(),
                Err(error) => vec![error.to_string()],
            },
        );
    }
    if folder.lake().is_dir() {
        part(
            "lake",
            lake::check(&folder.lake())
                .iter()
                .map(ToString::to_string)
                .collect(),
        );
    }
    part(
        "twin",
        twin::Twin::restore(&folder.twin_checkpoint())
            .err()
            .map(|e| e.to_string())
            .into_iter()
            .collect(),
    );
    part(
        "retained",
        gateway::mqtt::check_retained(&folder.retained())
            .err()
            .map(|p| p.to_string())
            .into_iter()
            .collect(),
    );
    if folder.records().is_file() {
        let records = records::Records::open(&folder.records()).await;
        match records {
            Err(error) => part("records", vec![error.to_string()]),
            Ok(records) => {
                let found = records.check().await;
                part(
                    "records",
                    found.map_or_else(
                        |e| vec![e.to_string()],
                        |p| p.iter().map(ToString::to_string).collect(),
                    ),
                );
                let cases = cases::Cases::new(
                    records.clone(),
                    cases::Options::new(folder.attachments()),
                    Vec::new(),
                )?;
                let found = cases.check_attachments().await;
                part(
                    "attachments",
                    found.map_or_else(
                        |e| vec![e.to_string()],
                        |p| p.iter().map(ToString::to_string).collect(),
                    ),
                );
                records.close().await;
            }
        }
    } else {
        part(
            "records",
            vec![format!("{} is missing", folder.records().display())],
        );
    }
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
