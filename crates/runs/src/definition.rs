//! What a run is declared to be: `runs/*.toml` of a pack.

use crate::adopt::Adopt;
use model::problem::quote;
use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Longest period between two runs, in minutes: a year.
pub const EVERY_MINUTES_MAX: i64 = 366 * 24 * 60;
/// Longest wait for data, in minutes: a day.
pub const DELAY_MINUTES_MAX: i64 = 24 * 60;
/// Longest window of input, in hours: ten years.
pub const WINDOW_HOURS_MAX: i64 = 10 * 366 * 24;
/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 100;

/// A run as a pack declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Unique in the city: small letters, digits and `-`. The file has the same name.
    pub id: String,
    /// Counted up with every change; each run says by which version it was made.
    pub version: u32,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The engine that reckons, by its name.
    pub engine: String,
    /// A run is due at every full multiple of this many minutes, counted from midnight UTC of 1970-01-01.
    pub every_minutes: i64,
    /// How long after that moment it begins, in minutes, so that what was measured by then has come in.
    #[serde(default)]
    pub delay_minutes: i64,
    /// How far back the input reaches, in hours: `$2` of the statements.
    pub window_hours: i64,
    /// For what it is run, once each; a single run for the whole city when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Targets>,
    /// What the engine reads.
    pub input: Input,
    /// The engine's parameters; those that a target brings win.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// What the outcome becomes in the city; it is kept and nothing else when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<ForecastOf>,
    /// What of the report a person may adopt; nothing when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<Adopt>,
}

/// For what a run is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// The type of the entities.
    pub entity_type: String,
    /// A statement with a row for each: its first column is the entity's id, and each of its columns is a value for the input's
    /// statement, from `$3` on. A column `parameters` holds parameters of the engine as a JSON object. `$1` is the moment for which
    /// the run is due.
    pub sql: String,
}

/// What the engine reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// A statement whose columns are the engine's, in the order in which the engine wants the rows. `$1` is the moment for which the
    /// run is due, `$2` the beginning of its window, `$3` the target's id, and so on by the columns of the targets.
    pub sql: String,
}

/// How an outcome becomes a forecast (预报): an entity of a type that declares `[forecast]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastOf {
    /// The type of the forecasts; theirs of the targets.
    pub entity_type: String,
    /// UN/CEFACT code of the unit of the engine's numbers.
    pub unit: String,
    /// The engine's column of valid times (RFC 3339).
    #[serde(default = "at")]
    pub at: String,
    /// The engine's column of values.
    #[serde(default = "value")]
    pub value: String,
    /// The engine's column of lower bounds; bounds that are empty, or a column that is not there, are none.
    #[serde(default = "lower")]
    pub lower: String,
    /// The engine's column of upper bounds.
    #[serde(default = "upper")]
    pub upper: String,
}

fn at() -> String {
    "at".to_owned()
}

fn value() -> String {
    "value".to_owned()
}

fn lower() -> String {
    "lower".to_owned()
}

fn upper() -> String {
    "upper".to_owned()
}

impl Definition {
    /// The last moment for which a run is due and may begin by `now`.
    pub fn due(&self, now: Timestamp) -> Timestamp {
        let every = self.every_minutes.max(1) * 60_000_000;
        let begun = now.micros() - self.delay_minutes * 60_000_000;
        Timestamp::from_micros(begun.div_euclid(every) * every)
    }

    /// When the next run begins that is not yet due at `now`.
    pub fn next(&self, now: Timestamp) -> Timestamp {
        let minutes = self.every_minutes.max(1) + self.delay_minutes;
        self.due(now).plus_seconds(minutes * 60)
    }

    /// Where the window of a run begins.
    pub const fn from(&self, due: Timestamp) -> Timestamp {
        due.plus_seconds(-self.window_hours * 3_600)
    }

    /// What is wrong with it by itself: each problem names its key as its place.
    pub fn mistakes(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |what: String, key: &str, mend: String| {
            problems.push(Problem::new("run-definition", what, key, mend));
        };
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || self.id.len() > 100 || !self.id.chars().all(is_word) {
            wrong(
                format!("{} is no id", quote(&self.id)),
                "id",
                "use small letters, digits and -".to_owned(),
            );
        }
        if self.version == 0 {
            wrong(
                "the version is 0".to_owned(),
                "version",
                "count from 1".to_owned(),
            );
        }
        for (key, title) in [("title_zh", &self.title_zh), ("title_en", &self.title_en)] {
            let length = title.trim().chars().count();
            if !(1..=TITLE_CHARS_MAX).contains(&length) {
                wrong(
                    "the title is empty or too long".to_owned(),
                    key,
                    "say in a few words what is reckoned".to_owned(),
                );
            }
        }
        let spans = [
            ("every_minutes", self.every_minutes, 1, EVERY_MINUTES_MAX),
            ("delay_minutes", self.delay_minutes, 0, DELAY_MINUTES_MAX),
            ("window_hours", self.window_hours, 1, WINDOW_HOURS_MAX),
        ];
        for (key, given, least, most) in spans {
            if !(least..=most).contains(&given) {
                wrong(
                    format!("{key} is {given}"),
                    key,
                    format!("give {least} to {most}"),
                );
            }
        }
        let targets = self
            .targets
            .as_ref()
            .map(|targets| ("targets.sql", &targets.sql));
        for (key, sql) in targets.into_iter().chain([("input.sql", &self.input.sql)]) {
            if sql.trim().is_empty() {
                wrong(
                    "the statement is empty".to_owned(),
                    key,
                    "write a SELECT".to_owned(),
                );
            }
        }
        if self.forecast.is_some() && self.targets.is_none() {
            wrong(
                "a forecast is of something, and there are no targets".to_owned(),
                "forecast",
                "add [targets], or take [forecast] out".to_owned(),
            );
        }
        if let Some(adopt) = &self.adopt {
            problems.extend(adopt.mistakes(self.targets.is_some()));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly() -> Definition {
        serde_json::from_value(serde_json::json!({
            "id": "stage", "version": 1, "title_zh": "水位", "title_en": "Stage", "engine": "e",
            "every_minutes": 60, "delay_minutes": 5, "window_hours": 24, "input": {"sql": "SELECT 1"}
        }))
        .unwrap()
    }

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_run_is_due_at_full_hours_and_begins_after_its_delay() {
        let run = hourly();
        let cases = [
            (
                "2026-07-01T08:04:59.999Z",
                "2026-07-01T07:00:00Z",
                "2026-07-01T08:05:00Z",
            ),
            (
                "2026-07-01T08:05:00Z",
                "2026-07-01T08:00:00Z",
                "2026-07-01T09:05:00Z",
            ),
            (
                "1969-12-31T23:59:00Z",
                "1969-12-31T23:00:00Z",
                "1970-01-01T00:05:00Z",
            ),
        ];
        for (now, due, next) in cases {
            assert_eq!(run.due(time(now)), time(due), "at {now}");
            assert_eq!(run.next(time(now)), time(next), "at {now}");
        }
        assert_eq!(
            run.from(time("2026-07-01T08:00:00Z")),
            time("2026-06-30T08:00:00Z")
        );
        assert_eq!(run.mistakes(), []);
    }

    #[test]
    fn every_mistake_is_told_with_its_key() {
        let run = Definition {
            id: "Stage!".to_owned(),
            version: 0,
            title_zh: " ".to_owned(),
            every_minutes: 0,
            delay_minutes: -1,
            window_hours: WINDOW_HOURS_MAX + 1,
            input: Input { sql: String::new() },
            forecast: Some(ForecastOf {
                entity_type: "F".to_owned(),
                unit: "MTR".to_owned(),
                at: at(),
                value: value(),
                lower: lower(),
                upper: upper(),
            }),
            ..hourly()
        };
        let places: Vec<String> = run.mistakes().into_iter().map(|p| p.place).collect();
        let keys = [
            "id",
            "version",
            "title_zh",
            "every_minutes",
            "delay_minutes",
            "window_hours",
            "input.sql",
            "forecast",
        ];
        assert_eq!(places, keys);
    }
}
