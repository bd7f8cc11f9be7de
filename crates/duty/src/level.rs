//! Levels of response (响应等级) as data: plans that stand on one ladder, and what of the alerts that are up suggests a plan. In a file
//! `responses/*.toml`, beside what [`crate::response`] says:
//!
//! ```toml
//! [level]
//! ladder = "flood-control"
//! rank = 4                         # 1 is the gravest
//! title_zh = "Ⅳ级"
//! title_en = "Level IV"
//!
//! [[suggested]]
//! zh = "一个以上测站达到警戒水位"
//! en = "One station or more at the warning stage"
//! alert_rules = ["water-stage-warning"]
//! entities_min = 1
//! ```
//!
//! What is suggested is only said: a person starts a plan, and a person ends it.

use model::Problem;
use model::problem::quote;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most conditions of one plan.
pub const SUGGESTED_MAX: usize = 20;
/// Most rules that one condition names.
pub const RULES_MAX: usize = 100;
/// Gravest and least grave rank of a ladder.
pub const RANKS: std::ops::RangeInclusive<u8> = 1..=9;
/// Longest text, characters.
const TEXT_CHARS_MAX: usize = 200;
/// The severities, from the least.
const SEVERITIES: [&str; 4] = ["info", "minor", "major", "critical"];

/// Where a plan stands among others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanLevel {
    /// The ladder: plans of one ladder are levels of one response.
    pub ladder: String,
    /// From 1, the gravest, on.
    pub rank: u8,
    /// What the level is called in Chinese.
    pub title_zh: String,
    /// What it is called in English.
    pub title_en: String,
}

/// What suggests a plan: alerts that are up, of enough entities, that reach enough places. All of it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suggested {
    /// The condition, in Chinese: why the plan is suggested.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// Alerts of these rules count.
    pub alert_rules: Vec<String>,
    /// Only those at least this grave; empty: all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub severity_min: String,
    /// Of at least so many entities (stations).
    #[serde(default = "one")]
    pub entities_min: usize,
    /// That reach at least so many places (areas) together.
    #[serde(default)]
    pub places_min: usize,
}

const fn one() -> usize {
    1
}

/// An alert that is up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Up {
    /// Its number.
    pub id: i64,
    /// The rule.
    pub rule_id: String,
    /// How grave it is.
    pub severity: String,
    /// The entity.
    pub entity_id: String,
    /// The places that it reaches.
    pub places: BTreeSet<String>,
}

/// Why a plan is suggested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why<'a> {
    /// The condition that holds.
    pub condition: &'a Suggested,
    /// The alerts that it holds for, the first first.
    pub alerts: Vec<i64>,
    /// Of so many entities.
    pub entities: usize,
    /// That reach so many places.
    pub places: usize,
}

impl Suggested {
    /// Whether it holds, and for what.
    pub fn holds(&self, up: &[Up]) -> Option<Why<'_>> {
        let least = rank(&self.severity_min);
        let counts = |alert: &&Up| {
            self.alert_rules.contains(&alert.rule_id) && rank(&alert.severity) >= least
        };
        let counting: Vec<&Up> = up.iter().filter(counts).collect();
        let entities: BTreeSet<&str> = counting.iter().map(|a| a.entity_id.as_str()).collect();
        let places: BTreeSet<&String> = counting.iter().flat_map(|a| &a.places).collect();
        let mut alerts: Vec<i64> = counting.iter().map(|alert| alert.id).collect();
        alerts.sort_unstable();
        let holds = entities.len() >= self.entities_min.max(1) && places.len() >= self.places_min;
        holds.then_some(Why {
            condition: self,
            alerts,
            entities: entities.len(),
            places: places.len(),
        })
    }
}

/// The first condition of a plan that holds.
pub fn why<'a>(conditions: &'a [Suggested], up: &[Up]) -> Option<Why<'a>> {
    conditions.iter().find_map(|condition| condition.holds(up))
}

fn rank(severity: &str) -> usize {
    SEVERITIES.iter().position(|s| *s == severity).unwrap_or(0)
}

/// What is wrong with a level and with conditions: each problem names its key as its place.
pub fn mistakes(level: Option<&PlanLevel>, conditions: &[Suggested]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |what: String, key: String, mend: &str| {
        problems.push(Problem::new("response-level", what, key, mend));
    };
    let is_text = |text: &String| !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS_MAX;
    if let Some(level) = level {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if level.ladder.is_empty() || !level.ladder.chars().all(plain) {
            wrong(
                format!("{} is no ladder", quote(&level.ladder)),
                "level.ladder".to_owned(),
                "use small letters, digits and -, the same word in every plan of the ladder",
            );
        }
        if !RANKS.contains(&level.rank) {
            wrong(
                format!("{} is no rank", level.rank),
                "level.rank".to_owned(),
                "use 1 for the gravest, up to 9",
            );
        }
        for (key, text) in [("title_zh", &level.title_zh), ("title_en", &level.title_en)] {
            if !is_text(text) {
                wrong(
                    "it is empty or too long".to_owned(),
                    format!("level.{key}"),
                    "say what the level is called",
                );
            }
        }
    }
    if conditions.len() > SUGGESTED_MAX {
        wrong(
            format!("it has {} conditions", conditions.len()),
            "suggested".to_owned(),
            "give at most 20",
        );
    }
    for (n, condition) in conditions.iter().enumerate() {
        let place = |key: &str| format!("suggested.{n}.{key}");
        for (key, text) in [("zh", &condition.zh), ("en", &condition.en)] {
            if !is_text(text) {
                wrong(
                    "it is empty or too long".to_owned(),
                    place(key),
                    "say in words when the plan is suggested",
                );
            }
        }
        if condition.alert_rules.is_empty() || condition.alert_rules.len() > RULES_MAX {
            wrong(
                format!("it names {} rules", condition.alert_rules.len()),
                place("alert_rules"),
                "name 1 to 100 rules of this pack",
            );
        }
        let severity = condition.severity_min.as_str();
        if !severity.is_empty() && !SEVERITIES.contains(&severity) {
            wrong(
                format!("{} is no severity", quote(severity)),
                place("severity_min"),
                "use info, minor, major or critical",
            );
        }
        if condition.entities_min == 0 {
            wrong(
                "it holds without any alert".to_owned(),
                place("entities_min"),
                "use 1 or more",
            );
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(id: i64, rule: &str, severity: &str, entity: &str, places: &[&str]) -> Up {
        Up {
            id,
            rule_id: rule.to_owned(),
            severity: severity.to_owned(),
            entity_id: entity.to_owned(),
            places: places.iter().map(|place| (*place).to_owned()).collect(),
        }
    }

    fn condition(entities_min: usize, places_min: usize) -> Suggested {
        Suggested {
            zh: "测站".to_owned(),
            en: "stations".to_owned(),
            alert_rules: vec!["warning".to_owned(), "guarantee".to_owned()],
            severity_min: "major".to_owned(),
            entities_min,
            places_min,
        }
    }

    #[test]
    fn entities_and_places_are_counted_once_whatever_alerts_name_them() {
        let all = [
            up(3, "guarantee", "critical", "a", &["x", "y"]),
            up(1, "warning", "major", "a", &["x"]),
            up(2, "warning", "major", "b", &["y", "z"]),
            up(4, "warning", "minor", "c", &["w"]),
            up(5, "other", "critical", "d", &["v"]),
        ];
        let two = condition(2, 3);
        let why = two.holds(&all).unwrap();
        assert_eq!(
            (why.alerts, why.entities, why.places),
            (vec![1, 2, 3], 2, 3)
        );
        assert_eq!(
            condition(3, 0).holds(&all),
            None,
            "a minor one does not count"
        );
        assert_eq!(condition(2, 4).holds(&all), None);
        assert_eq!(condition(1, 0).holds(&[]), None);
        let conditions = [condition(3, 0), condition(2, 0)];
        assert_eq!(
            super::why(&conditions, &all).unwrap().condition,
            &conditions[1]
        );
    }

    #[test]
    fn every_mistake_is_told_with_its_key() {
        assert_eq!(mistakes(None, &[condition(1, 0)]), []);
        let level = PlanLevel {
            ladder: "Flood".to_owned(),
            rank: 0,
            title_zh: "Ⅳ级".to_owned(),
            title_en: String::new(),
        };
        let mut bad = condition(0, 0);
        bad.zh.clear();
        bad.severity_min = "grave".to_owned();
        bad.alert_rules.clear();
        let found = mistakes(Some(&level), &[bad]);
        let places: Vec<&str> = found.iter().map(|p| p.place.as_str()).collect();
        assert_eq!(
            places,
            [
                "level.ladder",
                "level.rank",
                "level.title_en",
                "suggested.0.zh",
                "suggested.0.alert_rules",
                "suggested.0.severity_min",
                "suggested.0.entities_min"
            ]
        );
    }
}
