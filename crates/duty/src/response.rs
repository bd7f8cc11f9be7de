//! Response plans (预案) as data: what is done, by whom and within how many minutes, when something happens. A file
//! `responses/*.toml` of a pack:
//!
//! ```toml
//! id = "water-flood"
//! version = 1
//! title_zh = "防汛应急预案（警戒水位）"
//! title_en = "Flood response (warning stage)"
//! alert_rules = ["water-stage-warning"]
//! resources = ["pump", "team"]
//!
//! [[step]]
//! id = "verify"
//! title_zh = "核实水位，与下游站比对"
//! title_en = "Verify the stage against the station below"
//! who_zh = "值班员"
//! who_en = "Duty officer"
//! within_minutes = 5
//! ```

use crate::level::{self, PlanLevel, Suggested};
use model::problem::quote;
use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most steps of a plan.
pub const STEPS_MAX: usize = 100;
/// Longest time of a step, minutes: a week.
pub const MINUTES_MAX: i64 = 7 * 24 * 60;
/// Longest title, characters.
pub const TITLE_CHARS_MAX: usize = 200;

/// A response plan (预案).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponsePlan {
    /// Its id: small letters, digits and `-`.
    pub id: String,
    /// Counts its changes, from 1. An activation keeps the text that it began with.
    pub version: u32,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The rules whose alerts it answers; empty: it is only started by hand.
    #[serde(default)]
    pub alert_rules: Vec<String>,
    /// The categories of resources that it asks for, the most wanted first.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Which level of a response it is, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<PlanLevel>,
    /// What suggests it, the first that holds says why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggested: Vec<Suggested>,
    /// What is done, in order.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
}

/// One step of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its id within the plan.
    pub id: String,
    /// What is done, in Chinese.
    pub title_zh: String,
    /// What is done, in English.
    pub title_en: String,
    /// Who does it, in Chinese.
    pub who_zh: String,
    /// Who does it, in English.
    pub who_en: String,
    /// Within how many minutes of the start.
    pub within_minutes: i64,
}

impl Step {
    /// By when it is to be done.
    pub const fn due_at(&self, started_at: Timestamp) -> Timestamp {
        started_at.plus_seconds(self.within_minutes * 60)
    }
}

impl ResponsePlan {
    /// A step by its id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Whether it answers alerts of a rule.
    pub fn answers(&self, rule_id: &str) -> bool {
        self.alert_rules.iter().any(|rule| rule == rule_id)
    }

    /// What is wrong with it: each problem names its key as its place.
    pub fn mistakes(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |what: String, key: String, mend: &str| {
            problems.push(Problem::new("response-plan", what, key, mend));
        };
        if !is_id(&self.id) {
            wrong(
                format!("{} is no id", quote(&self.id)),
                "id".to_owned(),
                "use small letters, digits and -",
            );
        }
        if self.version == 0 {
            wrong(
                "the version is 0".to_owned(),
                "version".to_owned(),
                "count from 1",
            );
        }
        for (key, title) in [("title_zh", &self.title_zh), ("title_en", &self.title_en)] {
            if !is_title(title) {
                wrong(
                    "the title is empty or too long".to_owned(),
                    key.to_owned(),
                    "say in a few words what it answers",
                );
            }
        }
        if self.steps.is_empty() || self.steps.len() > STEPS_MAX {
            wrong(
                format!("it has {} steps", self.steps.len()),
                "step".to_owned(),
                "give 1 to 100",
            );
        }
        let mut seen = BTreeSet::new();
        let mut before = 0;
        for (n, step) in self.steps.iter().enumerate() {
            let place = |key: &str| format!("step.{n}.{key}");
            if !is_id(&step.id) || !seen.insert(&step.id) {
                wrong(
                    format!("{} is no id, or that of a step before", quote(&step.id)),
                    place("id"),
                    "use small letters, digits and -, each once",
                );
            }
            for (key, text) in [
                ("title_zh", &step.title_zh),
                ("title_en", &step.title_en),
                ("who_zh", &step.who_zh),
                ("who_en", &step.who_en),
            ] {
                if !is_title(text) {
                    wrong(
                        "it is empty or too long".to_owned(),
                        place(key),
                        "say what is done, and who does it",
                    );
                }
            }
            if !(1..=MINUTES_MAX).contains(&step.within_minutes) {
                wrong(
                    format!("{} minutes are no time for a step", step.within_minutes),
                    place("within_minutes"),
                    "use 1 to 10080",
                );
            } else if step.within_minutes < before {
                wrong(
                    format!(
                        "it is to be done within {} minutes, the step before it within {before}",
                        step.within_minutes
                    ),
                    place("within_minutes"),
                    "put the steps in the order in which they are done",
                );
            }
            before = before.max(step.within_minutes);
        }
        problems.extend(level::mistakes(self.level.as_ref(), &self.suggested));
        problems
    }
}

fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= TITLE_CHARS_MAX && text.chars().all(plain)
}

fn is_title(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= TITLE_CHARS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> ResponsePlan {
        let step = |id: &str, within_minutes: i64| Step {
            id: id.to_owned(),
            title_zh: "核实".to_owned(),
            title_en: "Verify".to_owned(),
            who_zh: "值班员".to_owned(),
            who_en: "Duty officer".to_owned(),
            within_minutes,
        };
        ResponsePlan {
            id: "flood".to_owned(),
            version: 1,
            title_zh: "防汛".to_owned(),
            title_en: "Flood".to_owned(),
            alert_rules: vec!["stage".to_owned()],
            resources: Vec::new(),
            level: None,
            suggested: Vec::new(),
            steps: vec![step("verify", 5), step("send", 30)],
        }
    }

    #[test]
    fn a_step_is_due_so_many_minutes_behind_the_start() {
        let plan = plan();
        assert_eq!(plan.mistakes(), []);
        let start = Timestamp::from_seconds(1_000);
        let due = plan.step("send").unwrap().due_at(start);
        assert_eq!(due, Timestamp::from_seconds(1_000 + 1_800));
        assert_eq!(plan.step("none"), None);
        assert!(plan.answers("stage") && !plan.answers("other"));
    }

    #[test]
    fn every_mistake_is_told_with_its_key() {
        let mut bad = plan();
        bad.version = 0;
        bad.title_zh.clear();
        bad.steps[1].id = "verify".to_owned();
        bad.steps[1].within_minutes = 2;
        bad.steps[0].who_zh = " ".to_owned();
        let places: Vec<String> = bad.mistakes().into_iter().map(|p| p.place).collect();
        assert_eq!(
            places,
            [
                "version",
                "title_zh",
                "step.0.who_zh",
                "step.1.id",
                "step.1.within_minutes"
            ]
        );
        bad.steps.clear();
        assert!(bad.mistakes().iter().any(|p| p.place == "step"));
    }
}
