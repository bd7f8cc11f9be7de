//! What an indicator file holds.

use crate::path::Path;
use serde::{Deserialize, Serialize};

/// An indicator (指标).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Stable id, kebab case.
    pub id: String,
    /// Number for people: the row in the plan's table, `T1`… for goals of the text, `P1`… for the platform's own.
    pub number: String,
    /// Where the goal is from.
    pub origin: Origin,
    /// First level of the plan's table (一级指标), Chinese.
    pub group_zh: String,
    /// The same in English.
    pub group_en: String,
    /// Second level (二级指标), Chinese.
    pub subgroup_zh: String,
    /// The same in English.
    pub subgroup_en: String,
    /// The indicator's name (三级指标), Chinese.
    pub name_zh: String,
    /// The same in English.
    pub name_en: String,
    /// Unit, Chinese.
    pub unit_zh: String,
    /// Unit, English.
    pub unit_en: String,
    /// Code of the unit that the query must tell beside the value (UN/CEFACT Recommendation 20, as entities' values have it); `None` where
    /// it tells none.
    pub unit_code: Option<String>,
    /// Whether more or less is better.
    pub direction: Direction,
    /// Value at the end of `baseline_year`; `None` where the plan gives none.
    pub baseline: Option<f64>,
    /// The year of the baseline.
    pub baseline_year: i16,
    /// What the plan wants.
    pub target: Target,
    /// By the end of which year.
    pub target_year: i16,
    /// How the value comes about.
    pub method: Method,
    /// Where the value comes from, in words, Chinese.
    pub source_zh: String,
    /// The same in English.
    pub source_en: String,
    /// The plan's own words, each with its section.
    pub places: Vec<Place>,
    /// The expected way from baseline to target.
    pub path: Path,
    /// The organisation of the city profile that answers for it, by the plan's division of labour; `None` where nobody is named.
    pub responsible: Option<String>,
    /// How the city's value follows from those of its towns.
    pub towns: Towns,
    /// The query: one row with one column `value`, NULL when there is nothing to compute it from; and, where `unit_code` is there, a column
    /// `unit` that must be it.
    pub sql: String,
    /// The query of the rows behind the value.
    pub rows_sql: String,
    /// The file that holds it.
    pub file: String,
    /// Line of the file on which `sql` begins, from 1; with it the place of an SQL error can be told.
    pub sql_line: usize,
    /// Line on which `rows_sql` begins.
    pub rows_sql_line: usize,
    /// The query of the towns' values: rows of a town's code and its value. Empty where `towns` is none.
    pub towns_sql: String,
    /// Line on which `towns_sql` begins.
    pub towns_sql_line: usize,
}

impl Definition {
    /// Whether it is a share of a hundred, which no value leaves.
    pub fn is_percent(&self) -> bool {
        self.unit_zh == PERCENT
    }

    /// The city's value from those of its towns; `None` when no town has one, or it does not follow from them.
    pub fn of_towns(&self, values: impl Iterator<Item = f64>) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        for value in values {
            sum += value;
            count += 1.0;
        }
        match self.towns {
            Towns::Sum if count > 0.0 => Some(sum),
            Towns::Mean if count > 0.0 => Some(sum / count),
            Towns::Sum | Towns::Mean | Towns::None => None,
        }
    }
}

/// The unit of shares of a hundred.
const PERCENT: &str = "%";

/// Where a goal is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A row of the plan's table.
    Table,
    /// A quantified goal of the plan's text.
    Text,
    /// The platform's own.
    Platform,
}

/// Whether more or less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// More is better.
    More,
    /// Less is better.
    Less,
}

impl Direction {
    /// Whether a value is as good as `aim` or better.
    pub fn reaches(self, value: f64, aim: f64) -> bool {
        match self {
            Self::More => value >= aim,
            Self::Less => value <= aim,
        }
    }
}

/// How a value comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Computed from the platform's own data.
    Computed,
    /// Reported by a person, with evidence.
    Reported,
}

/// How the city's value follows from those of its towns (镇街).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Towns {
    /// It is the towns' sum.
    Sum,
    /// It is the towns' mean, each town counting once.
    Mean,
    /// It does not follow from values of towns.
    #[default]
    None,
}

/// What the plan wants; `low` = `high` unless it gives a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Target {
    /// The end of the range that must be reached: the lower when more is better, else the upper.
    pub const fn edge(&self, direction: Direction) -> f64 {
        match direction {
            Direction::More => self.low,
            Direction::Less => self.high,
        }
    }
}

/// A place in the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The section, as the plan numbers it.
    pub section: String,
    /// The plan's words.
    pub quote: String,
}
