//! Scenarios (情景): what a pack promises, as given / when / then in Markdown, and played.
//!
//! A scenario is literate: headings and prose are for people, list items are steps. Every list item must be a step of the
//! grammar ([`grammar`]), so that a slip of the pen is told and never passed over. What a step speaks of stands in it, or in
//! a table or a fenced JSON block below it. [`play`] runs the steps in simulated time through admission and the rules engine,
//! which [`platform`] alone knows, and through cases over records of the scenario's own, which [`office`] alone knows.
//!
//! What happens must be told: an alert that is raised or cleared, a case that is escalated or runs again, or an action that is
//! refused, without a "then" that expects it fails the scenario just as one that fails to come.

pub mod grammar;
mod office;
pub mod platform;
pub mod play;

use crate::load::Pack;
use grammar::Sentence;
use model::Problem;
use model::problem::quote;
use serde::Serialize;

/// One file of `scenarios/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioFile {
    /// The file's name without its ending.
    pub name: String,
    /// The file as messages name it.
    pub place: String,
    /// Its Markdown.
    pub text: String,
}

/// One scenario: the steps below one heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The heading above the steps.
    pub title: String,
    /// `file:line` of the first step.
    pub place: String,
    /// The steps, in order; at least one, and at least one that expects something.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// `file:line`.
    pub place: String,
    /// The step as it is written, without its list mark.
    pub text: String,
    /// What it says.
    pub sentence: Sentence,
}

/// How one scenario went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The pack's name.
    pub pack: String,
    /// The scenario's title.
    pub scenario: String,
    /// `file:line` of its first step.
    pub place: String,
    /// How many steps it has.
    pub steps: usize,
    /// Where it went otherwise than it says; empty when it holds.
    pub failures: Vec<Failed>,
}

/// A step that went otherwise than the scenario says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// `file:line`.
    pub place: String,
    /// The step as it is written.
    pub step: String,
    /// What the scenario expects there.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

/// A step's mark and text, with the lines of data below it.
struct Raw {
    line: usize,
    text: String,
    table: Vec<Vec<String>>,
    json: Option<String>,
}

/// Reads the scenarios of one file.
///
/// # Errors
/// Every list item that is no step, every table or block that a step cannot take, and a scenario that expects nothing;
/// each with `file:line`.
pub fn parse(file: &ScenarioFile) -> Result<Vec<Scenario>, Vec<Problem>> {
    let mut scenarios = Vec::new();
    let mut problems = Vec::new();
    for (title, raws) in sections(&file.text) {
        let mut steps = Vec::new();
        let mut whole = true;
        for raw in raws {
            let place = format!("{}:{}", file.place, raw.line);
            match grammar::read(&raw.text, &raw.table, raw.json.as_deref()) {
                Ok(sentence) => steps.push(Step {
                    place,
                    text: raw.text,
                    sentence,
                }),
                Err(wrong) => {
                    whole = false;
                    problems.push(Problem::new(
                        "scenario-step",
                        format!("{}: {}", wrong.what, quote(&raw.text)),
                        place,
                        wrong.mend,
                    ));
                }
            }
        }
        let Some(first) = steps.first() else { continue };
        if whole && !steps.iter().any(|step| step.sentence.expects()) {
            problems.push(Problem::new(
                "scenario-expects-nothing",
                format!("the scenario {} expects nothing", quote(&title)),
                first.place.clone(),
                "add a step that begins with 则 or Then",
            ));
        }
        scenarios.push(Scenario {
            title,
            place: first.place.clone(),
            steps,
        });
    }
    if scenarios.is_empty() && problems.is_empty() {
        problems.push(Problem::new(
            "scenario-empty",
            "the file has no step",
            format!("{}:1", file.place),
            "write list items that begin with 给定, 当 and 则, or Given, When and Then",
        ));
    }
    if problems.is_empty() {
        Ok(scenarios)
    } else {
        Err(problems)
    }
}

/// Runs every scenario of a pack.
///
/// # Errors
/// Mistakes of the files, and of the pack's rules and workflows, that keep the scenarios from being run.
pub async fn run(pack: &Pack) -> Result<Vec<Outcome>, Vec<Problem>> {
    let mut outcomes = Vec::new();
    let mut problems = Vec::new();
    for file in &pack.scenarios {
        match parse(file) {
            Ok(scenarios) => {
                for scenario in &scenarios {
                    outcomes.push(play::play(pack, scenario).await?);
                }
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(outcomes)
    } else {
        Err(problems)
    }
}

/// The list items below each heading, with their tables and blocks. A heading begins a new scenario.
fn sections(text: &str) -> Vec<(String, Vec<Raw>)> {
    let mut found: Vec<(String, Vec<Raw>)> = vec![(String::new(), Vec::new())];
    let mut fence: Option<Vec<&str>> = None;
    for (n, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            match fence.take() {
                None => fence = Some(Vec::new()),
                Some(lines) => {
                    if let Some(raw) = last_step(&mut found) {
                        raw.json = Some(lines.join("\n"));
                    }
                }
            }
            continue;
        }
        if let Some(lines) = &mut fence {
            lines.push(line);
            continue;
        }
        if let Some(title) = trimmed.strip_prefix('#') {
            found.push((title.trim_start_matches('#').trim().to_owned(), Vec::new()));
        } else if let Some(item) = item(trimmed) {
            if let Some((_, raws)) = found.last_mut() {
                raws.push(Raw {
                    line: n + 1,
                    text: item.to_owned(),
                    table: Vec::new(),
                    json: None,
                });
            }
        } else if let Some(row) = trimmed.strip_prefix('|') {
            let row = row.strip_suffix('|').unwrap_or(row);
            let cells: Vec<String> = row.split('|').map(|cell| cell.trim().to_owned()).collect();
            let is_rule = |cell: &String| {
                !cell.is_empty() && cell.chars().all(|c| matches!(c, '-' | ':' | ' '))
            };
            if !cells.iter().all(is_rule)
                && let Some(raw) = last_step(&mut found)
            {
                raw.table.push(cells);
            }
        }
    }
    found
}

fn last_step(found: &mut [(String, Vec<Raw>)]) -> Option<&mut Raw> {
    found.last_mut().and_then(|(_, raws)| raws.last_mut())
}

/// The text of a list item: `- …`, `* …` or `1. …`.
fn item(line: &str) -> Option<&str> {
    let bulleted = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
    let numbered = || {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < line.len())
            .then(|| rest.strip_prefix(". "))
            .flatten()
    };
    bulleted.or_else(numbered).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> ScenarioFile {
        ScenarioFile {
            name: "x".into(),
            place: "p/scenarios/x.md".into(),
            text: text.into(),
        }
    }

    #[test]
    fn headings_begin_scenarios_and_prose_is_left_out() {
        let found = parse(&file(
            "# 标题\n说明。\n- 给定 实体 `urn:ngsi-ld:Well:1`：`depth` 3 MTR\n- 则 没有告警变化\n\n## Second\n1. When 60 seconds pass\n2. Then no alert changes\n",
        ))
        .unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|s| (s.title.as_str(), s.steps.len(), s.place.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("标题", 2, "p/scenarios/x.md:3"),
                ("Second", 2, "p/scenarios/x.md:7")
            ]
        );
    }

    #[test]
    fn what_is_no_step_is_told_with_its_line() {
        for (text, code, line) in [
            (
                "# A\n\n- 当 天下雨\n- 则 没有告警变化\n",
                "scenario-step",
                3,
            ),
            (
                "# A\n- When 60 seconds pass\n",
                "scenario-expects-nothing",
                2,
            ),
            ("# A\nprose\n", "scenario-empty", 1),
            ("- 则 出现告警 `x` 很重要\n", "scenario-step", 1),
        ] {
            let problems = parse(&file(text)).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert_eq!(problems[0].code, code);
            assert_eq!(problems[0].place, format!("p/scenarios/x.md:{line}"));
        }
    }
}
