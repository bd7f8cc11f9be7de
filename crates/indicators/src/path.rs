//! The expected value on a day, and the status: the stated rule.
//!
//! * The baseline holds at the end of the baseline year (31 December), the target at the end of the
//!   target year. Between them the path is linear in days, or linear from milestone to milestone; before
//!   the baseline and after the target it is flat.
//! * Where the plan gives no baseline there is no path: nothing is expected before the end of the target
//!   year, and from then on the target.
//! * **met**: the value has reached the target (of a range: its nearer end).
//!   **on path**: it has not, but is at or better than the expected value of the day.
//!   **behind**: it is worse than the expected value. After the target year's end what is not met is behind.
//!   **unknown**: there is no value, or nothing to compare it with yet.

use crate::definition::{Definition, Direction};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The expected way from baseline to target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Path {
    /// A straight line.
    #[default]
    Linear,
    /// Values at the ends of given years, in order; straight lines between them.
    Milestones(Vec<(i16, f64)>),
}

/// How an indicator stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The target is reached.
    Met,
    /// Not yet, but at or ahead of the path.
    OnPath,
    /// Worse than the path.
    Behind,
    /// No value, or nothing to compare it with.
    Unknown,
}

impl Status {
    /// The word used in tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::OnPath => "on_path",
            Self::Behind => "behind",
            Self::Unknown => "unknown",
        }
    }
}

fn year_end(year: i16) -> Date {
    // The parser keeps years within 1900..=2200, where every 31 December is a date.
    Date::new(year, 12, 31).unwrap_or(Date::MAX)
}

impl Definition {
    /// The points that the path goes through: the value at the end of each of these years.
    pub fn points(&self) -> Vec<(i16, f64)> {
        let mut points: Vec<(i16, f64)> = self
            .baseline
            .map(|b| (self.baseline_year, b))
            .into_iter()
            .collect();
        if let Path::Milestones(milestones) = &self.path {
            points.extend(milestones);
        }
        points.push((self.target_year, self.target.edge(self.direction)));
        points
    }

    /// The value expected on a day (in the city's own calendar); `None` while nothing is expected yet.
    pub fn expected(&self, day: Date) -> Option<f64> {
        let points = self.points();
        let last = points.last().copied()?;
        let mut before: Option<(i16, f64)> = None;
        for (year, value) in points {
            let end = year_end(year);
            if day < end {
                let Some((start_year, start_value)) = before else {
                    return self.baseline.filter(|_| year == self.baseline_year);
                };
                let start = year_end(start_year);
                let share = days(start, day) / days(start, end);
                return Some(start_value + (value - start_value) * share);
            }
            before = Some((year, value));
        }
        Some(last.1)
    }

    /// The path as a chart draws it: the expected value at the end of each year from baseline to target.
    pub fn yearly_path(&self) -> Vec<(i16, f64)> {
        (self.baseline_year..=self.target_year)
            .filter_map(|year| Some((year, self.expected(year_end(year))?)))
            .collect()
    }

    /// How the indicator stands on a day, by the rule stated at the top of this module.
    pub fn status(&self, value: Option<f64>, day: Date) -> Status {
        let Some(value) = value.filter(|v| v.is_finite()) else {
            return Status::Unknown;
        };
        let reaches = |aim: f64| match self.direction {
            Direction::More => value >= aim,
            Direction::Less => value <= aim,
        };
        if reaches(self.target.edge(self.direction)) {
            return Status::Met;
        }
        match self.expected(day) {
            None => Status::Unknown,
            Some(expected) if reaches(expected) && day < year_end(self.target_year) => {
                Status::OnPath
            }
            Some(_) => Status::Behind,
        }
    }
}

fn days(from: Date, to: Date) -> f64 {
    f64::from((to - from).get_days())
}
