//! `jingling rule …`: the rules in force, and what a rule would have raised over a past period.

use crate::args::RuleCommand;
use crate::folder::Folder;
use crate::output::{print_json, print_table};
use crate::query::Opened;
use crate::running::{back_test_options, stream_limits};
use crate::settings::Settings;
use anyhow::{Context, Result, anyhow};
use api::back_tests::BackTestReport;
use api::rule_history::{Source, back_test, read_rule};
use model::{Problem, Timestamp};
use rules::Rule;
use serde_json::json;
use std::path::Path;

/// Alerts that a table shows; `--json` shows them all.
const SHOWN_MAX: usize = 50;

/// `false` when the rule has mistakes, which were told.
///
/// # Errors
/// When the city's folder cannot be read, or the history's limits are reached.
pub async fn rule(command: RuleCommand) -> Result<bool> {
    match command {
        RuleCommand::List { data, json } => list(&data, json),
        RuleCommand::BackTest {
            rule,
            from,
            until,
            data,
            json,
        } => {
            let time = |text: &str| Timestamp::parse(text).map_err(|p| anyhow!("{p}"));
            let period = (time(&from)?, time(&until)?);
            tried(&data, &rule, period, json).await
        }
    }
}

fn list(dir: &Path, as_json: bool) -> Result<bool> {
    let packs = Folder::new(dir).packs()?;
    let pack = |rule: &Rule| rule.file.split('/').next().unwrap_or_default().to_owned();
    if as_json {
        let rules: Vec<_> = packs
            .rules
            .iter()
            .map(|rule| json!({"pack": pack(rule), "rule": rule}))
            .collect();
        print_json(&json!(rules))?;
        return Ok(true);
    }
    let rows = packs.rules.iter().map(|rule| {
        vec![
            rule.id.clone(),
            rule.version.to_string(),
            rule.kind.as_str().to_owned(),
            rule.entity_type.clone(),
            rule.attribute.clone().unwrap_or_default(),
            rule.severity.as_str().to_owned(),
            pack(rule),
        ]
    });
    let header = [
        "rule",
        "version",
        "kind",
        "type",
        "attribute",
        "severity",
        "pack",
    ];
    print_table(&header, rows.collect());
    Ok(true)
}

async fn tried(
    dir: &Path,
    named: &str,
    period: (Timestamp, Timestamp),
    as_json: bool,
) -> Result<bool> {
    let settings = Settings::load(dir, &[])?;
    let options = back_test_options(&settings);
    let city = Opened::new(dir, &[], "").await?;
    let in_force = &city.packs.rules;
    let rules = match in_force.iter().find(|rule| rule.id == named) {
        Some(rule) => Ok(rules::back_test::with_suppressors(rule.clone(), in_force)),
        None => {
            let text = std::fs::read_to_string(named).with_context(|| {
                format!("{named} is no rule in force, and no file that can be read")
            })?;
            read_rule(&text, in_force, &city.packs.catalogue, &city.calendars)
        }
    };
    let outcome = match rules {
        Err(problems) => Err(problems),
        Ok(rules) => {
            let limits = lake::Limits {
                rows_max: usize::try_from(options.limits.observations_max).unwrap_or(usize::MAX),
                ..stream_limits(&settings)
            };
            let source = Source {
                lake: &city.lake,
                tables: city.tables.clone(),
                catalogue: &city.packs.catalogue,
                calendars: &city.calendars,
                limits: &limits,
            };
            back_test(&source, rules, period, options.limits, |_, _| true).await
        }
    };
    city.close().await;
    match outcome {
        Ok(report) => {
            shown(BackTestReport::new(report, |_| None), as_json)?;
            Ok(true)
        }
        Err(problems) => {
            told(&problems);
            Ok(false)
        }
    }
}

fn told(problems: &[Problem]) {
    for problem in problems {
        eprintln!("{problem}");
    }
}

fn shown(report: BackTestReport, as_json: bool) -> Result<()> {
    if as_json {
        return print_json(&json!(report));
    }
    let rows = report.listed.iter().take(SHOWN_MAX).map(|alert| {
        vec![
            alert.from.clone(),
            alert.until.clone().unwrap_or_default(),
            alert.severity.clone(),
            alert.entity_id.clone(),
            alert.title_zh.clone(),
        ]
    });
    print_table(
        &["from", "until", "severity", "entity", "title"],
        rows.collect(),
    );
    eprintln!(
        "{} alerts ({} storms), {} open at the end, {} failures; {} observations looked at{}",
        report.alerts,
        report.storms,
        report.open,
        report.failures,
        report.observations,
        if report.is_cut {
            ", and no more: the limit was reached"
        } else {
            ""
        }
    );
    if report.listed.len() > SHOWN_MAX {
        eprintln!("{} more: see --json", report.listed.len() - SHOWN_MAX);
    }
    Ok(())
}
