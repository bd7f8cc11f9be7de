//! What came of an indicator when its target year was over (终期评估): judged by the last value at or before the year's end, whatever
//! came later.

use crate::definition::Definition;
use crate::forecast::Reading;
use crate::path::year_end;
use jiff::civil::Date;

/// The judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target was reached at the year's end.
    Met,
    /// It was not.
    NotMet,
    /// There is no value at or before the year's end, so nobody can judge.
    NoValue,
}

/// The final assessment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assessment {
    /// The judgement.
    pub outcome: Outcome,
    /// By which day: the end of the target year.
    pub on: Date,
    /// The last value at or before it.
    pub value: Option<f64>,
    /// The day of that value.
    pub value_on: Option<Date>,
    /// The share of the way from baseline to target that was reached: 1 is the target, below 0 is backwards. `None` without a baseline.
    pub share: Option<f64>,
    /// Since when the target is reached, up to the day of the judgement; `None` when it is not met.
    pub met_since: Option<Date>,
    /// The first day after the year's end on which the target was reached, for what was not met in time.
    pub met_later_on: Option<Date>,
}

impl Definition {
    /// The final assessment; `None` while the target year lasts. Readings come in any order; of several on a day the last one counts.
    pub fn assessment(&self, readings: &[Reading], today: Date) -> Option<Assessment> {
        let end = year_end(self.target_year);
        if today <= end {
            return None;
        }
        let known = readings
            .iter()
            .filter(|r| r.day <= today && r.value.is_finite());
        let mut sorted: Vec<&Reading> = known.collect();
        sorted.sort_by_key(|r| r.day);
        let aim = self.target.edge(self.direction);
        let reaches = |r: &&&Reading| self.direction.reaches(r.value, aim);
        let (in_time, later) = sorted.split_at(sorted.partition_point(|r| r.day <= end));
        let last = in_time.last().copied();
        let outcome = match last {
            None => Outcome::NoValue,
            Some(last) if reaches(&&last) => Outcome::Met,
            Some(_) => Outcome::NotMet,
        };
        // The readings at the end that all reach the target begin the day since which it is met.
        let met_since = in_time.iter().rev().take_while(reaches).last();
        Some(Assessment {
            outcome,
            on: end,
            value: last.map(|r| r.value),
            value_on: last.map(|r| r.day),
            share: last.and_then(|r| self.share_of_way(r.value)),
            met_since: met_since.map(|r| r.day),
            met_later_on: later
                .iter()
                .find(|r| outcome != Outcome::Met && reaches(r))
                .map(|r| r.day),
        })
    }

    /// `(value - baseline) / (target - baseline)`; `None` without a baseline, or with one that is the target.
    pub fn share_of_way(&self, value: f64) -> Option<f64> {
        let baseline = self.baseline?;
        let way = self.target.edge(self.direction) - baseline;
        (way != 0.0).then(|| (value - baseline) / way)
    }
}
