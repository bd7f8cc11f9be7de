//! The expected value on a day, and the status: the stated rule.
//!
//! * The baseline holds at the end of the baseline year (31 December), the target at the end of the
//!   target year. Between them the path is linear in days, linear from milestone to milestone, or an S-curve
//!   (slow, fast, slow); before the baseline and after the target it is flat.
//! * The S-curve is a logistic one pinned to both ends: of the way from baseline to target the share
//!   `(L(s) - L(0)) / (L(1) - L(0))` is expected when the share `s` of the days has gone, with
//!   `L(s) = 1 / (1 + exp(-10 (s - 1/2)))`; so half of the way at half of the time.
//! * Where the plan gives no baseline there is no path: nothing is expected before the end of the target
//!   year, and from then on the target.
//! * **met**: the value has reached the target (of a range: its nearer end).
//!   **on path**: it has not, but is at or better than the expected value of the day.
//!   **behind**: it is worse than the expected value. After the target year's end what is not met is behind.
//!   **unknown**: there is no value, or nothing to compare it with yet.

use crate::definition::Definition;
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
    /// A logistic curve through both ends: slow, fast, slow.
    #[serde(rename = "s-curve")]
    SCurve,
}

impl Path {
    /// Reads `linear`, `s-curve`, or milestones such as `2021=600 2023=1200`; `None` when it is none of them. Whether the years go forward
    /// is for whoever knows those of baseline and target.
    pub fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "" => return None,
            "linear" => return Some(Self::Linear),
            "s-curve" => return Some(Self::SCurve),
            _ => {}
        }
        let point = |part: &str| {
            let (year, value) = part.split_once('=')?;
            let value = value.parse::<f64>().ok().filter(|v| v.is_finite())?;
            Some((year.parse::<i16>().ok()?, value))
        };
        let points: Option<Vec<(i16, f64)>> = text.split_whitespace().map(point).collect();
        points.map(Self::Milestones)
    }
}

/// How steep the S-curve is: the larger, the more of the way lies in the middle of the time.
const STEEPNESS: f64 = 10.0;

/// The share of the way that the S-curve expects when this share of the time has gone.
fn s_curve(time: f64) -> f64 {
    let logistic = |s: f64| 1.0 / (1.0 + (-STEEPNESS * (s - 0.5)).exp());
    let (start, end) = (logistic(0.0), logistic(1.0));
    (logistic(time) - start) / (end - start)
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

/// 31 December of a year.
pub(crate) fn year_end(year: i16) -> Date {
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
                let time = days(start, day) / days(start, end);
                let share = match self.path {
                    Path::SCurve => s_curve(time),
                    Path::Linear | Path::Milestones(_) => time,
                };
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
        let reaches = |aim: f64| self.direction.reaches(value, aim);
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

/// Days from one to the other.
pub(crate) fn days(from: Date, to: Date) -> f64 {
    f64::from((to - from).get_days())
}
