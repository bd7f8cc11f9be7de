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
    /// settings, format, packs, journal, notices, lake, twin, rules, retained, records, audit, attachments.
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
    /// What the journal holds; `None` when there is none or it cannot be read.
    #[serde(skip)]
    pub journal: Option<journal::Report>,
    /// The audit chain's end, `ROW:HASH`.
    #[serde(skip)]
    pub audit: Option<String>,
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

/// Checks everything, the journal also against values of its chain that were noted before; gives whether
/// nothing was found.
///
/// # Errors
/// When the findings cannot be printed.
pub async fn run(dir: &Path, json: bool, anchors: &[journal::Anchor]) -> Result<bool> {
    let Checked {
        checked,
        findings,
        journal,
        audit,
    } = check(dir, anchors).await?;
    let clean = findings.is_empty();
    if json {
        let journal = journal.map(|r| {
            serde_json::json!({"first_position": r.first_position, "next_position": r.next_position, "records": r.records,
                "segments": r.segments, "chain": format!("{}:{}", r.next_position, r.chain)})
        });
        print_json(
            &serde_json::json!({"clean": clean, "checked": checked, "findings": findings, "journal": journal, "audit": audit}),
        )?;
    } else {
        for finding in &findings {
            eprintln!("{}: {}", finding.part, finding.what);
        }
        if let Some(report) = &journal {
            eprintln!(
                "journal: {} records from position {}; chain {}:{} (note it elsewhere; --chain verifies it later)",
                report.records, report.first_position, report.next_position, report.chain
            );
        }
        if let Some(end) = &audit {
            eprintln!(
                "audit: chain {end} (note it elsewhere; `jingling audit verify --chain` verifies it later)"
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

/// Checks everything in a city's folder; `anchors` are values of the journal's chain that were noted before.
///
/// # Errors
/// When the checker itself cannot be set up.
pub async fn check(dir: &Path, anchors: &[journal::Anchor]) -> Result<Checked> {
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
        // Before and after, because the city may be running: a position read before is in the journal, and
        // one read after is not trimmed away.
        let before = stored_positions(&folder);
        match journal::check(folder.journal(), anchors) {
            Ok(mut report) => {
                let after = stored_positions(&folder);
                let told = std::mem::take(&mut report.findings);
                let problems = told.iter().map(ToString::to_string);
                found.part(
                    "journal",
                    problems.chain(mismatches(&before, &after, &report)),
                );
                found.journal = Some(report);
            }
            Err(error) => found.part("journal", [error]),
        }
    }
    match crate::gaps::read(&folder.gaps()) {
        Ok(gaps) => {
            let notices = gaps.iter().map(|gap| gap.notice(&folder.gaps()));
            found.part(
                "notices",
                notices.map(|n| format!("{}, found {}; {}", n.what, n.found_at, n.mend)),
            );
        }
        Err(error) => found.part("notices", [error]),
    }
    if folder.lake().is_dir() {
        found.part("lake", lake::check(&folder.lake()));
    }
    found.part("twin", twin::Twin::restore(&folder.twin_checkpoint()).err());
    found.part(
        "rules",
        crate::records_projection::check_rules(&folder.rules_state()).err(),
    );
    found.part(
        "retained",
        gateway::mqtt::check_retained(&folder.retained()).err(),
    );
    // Only a city where people sign in to other systems has them.
    if folder.oidc_keys().exists() {
        let keys = std::fs::read_to_string(folder.oidc_keys())
            .map_err(|e| e.to_string())
            .and_then(|text| oidc::Keys::parse(&text).map_err(|p| p.to_string()));
        found.part("oidc-keys", keys.err());
    }
    if folder.identity_key().exists() {
        let key = std::fs::read_to_string(folder.identity_key())
            .map_err(|e| e.to_string())
            .and_then(|text| identity::CityKey::parse(&text).map_err(|p| p.to_string()));
        found.part("identity-key", key.err());
    }
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
    let options = records::audit_verify::Options::default();
    let mut read = records.read().await?;
    match records::audit_verify::verify(&mut read, &options).await {
        Ok(report) => {
            found.part("audit", report.breaks.iter().map(|found| &found.what_en));
            found.audit = Some(format!("{}:{}", report.last, report.hash));
        }
        Err(error) => found.part("audit", [error]),
    }
    drop(read);
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
