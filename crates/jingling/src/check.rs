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
    /// journal, lake, twin, records, attachments, settings, packs.
    pub part: &'static str,
    /// What and where.
    pub what: String,
}

/// Checks everything; gives whether nothing was found.
///
/// # Errors
/// When the findings cannot be printed.
pub async fn run(dir: &Path, json: bool, anchors: &[journal::Anchor]) -> Result<bool> {
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
    let mut journal_told = None;
    if folder.journal().is_dir() {
        // Before and after, because the city may be running: a position read before is in the journal, and
        // one read after is not trimmed away.
        let before = stored_positions(&folder);
        part(
            "journal",
            match journal::check(folder.journal(), anchors) {
                Ok(report) => {
                    let mut problems: Vec<String> =
                        report.findings.iter().map(ToString::to_string).collect();
                    problems.extend(mismatches(&before, &stored_positions(&folder), &report));
                    journal_told = Some(report);
                    problems
                }
                Err(error) => vec![error.to_string()],
            },
        );
    }
    part(
        "notices",
        crate::gaps::read(&folder.gaps()).map_or_else(
            |e| vec![format!("{e:#}")],
            |gaps| {
                let notices = gaps.iter().map(|gap| gap.notice(&folder.gaps()));
                notices
                    .map(|n| format!("{}, found {}; {}", n.what, n.found_at, n.mend))
                    .collect()
            },
        ),
    );
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
        let journal = journal_told.map(|r| {
            serde_json::json!({"first_position": r.first_position, "next_position": r.next_position, "records": r.records,
                "segments": r.segments, "chain": format!("{}:{}", r.next_position, r.chain)})
        });
        print_json(
            &serde_json::json!({"clean": clean, "checked": checked, "findings": findings, "journal": journal}),
        )?;
    } else {
        for finding in &findings {
            eprintln!("{}: {}", finding.part, finding.what);
        }
        if let Some(report) = &journal_told {
            eprintln!(
                "journal: {} records from position {}; chain {}:{} (note it elsewhere; --chain verifies it later)",
                report.records, report.first_position, report.next_position, report.chain
            );
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

/// Where the projections stand on disk; those that cannot be read are told by their own part.
fn stored_positions(folder: &Folder) -> Vec<(&'static str, u64)> {
    let twin = twin::Twin::restore(&folder.twin_checkpoint())
        .ok()
        .filter(|_| folder.twin_checkpoint().is_file())
        .map(|twin| ("the current state", twin.position()));
    let lake = lake::Lake::open_read_only(folder.lake(), lake::Options::default())
        .ok()
        .map(|lake| ("the history", lake.sealed_position()));
    twin.into_iter().chain(lake).collect()
}

fn mismatches<'a>(
    before: &'a [(&'static str, u64)],
    after: &'a [(&'static str, u64)],
    report: &'a journal::Report,
) -> impl Iterator<Item = String> + 'a {
    let (first, next) = (report.first_position, report.next_position);
    let missing = before.iter().filter(move |(_, at)| *at > next).map(move |(who, at)| {
        format!("{who} has records up to {at}, the journal ends at {next}: put back the newer copy of the journal, or go on; the next start tells the gap")
    });
    let trimmed = after.iter().filter(move |(_, at)| *at < first).map(move |(who, at)| {
        format!("{who} needs records from {at} on, the journal begins at {first}: put back a copy of it that is newer, or go on without what only they said")
    });
    missing.chain(trimmed)
}
