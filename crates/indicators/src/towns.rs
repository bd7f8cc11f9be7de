//! Towns compared: what each has of the city's figure, and what its change did for the way to the target.
//!
//! | | the city's figure is the towns' sum | it is their mean, each town counting once |
//! | --- | --- | --- |
//! | share | value / city's figure | none |
//! | pull | none | (value - mean) / n: by so much the town moves the mean; all of them together give 0 |
//! | change | value now - value then; a town of which nothing is counted has 0 | the same, of towns with both values |
//! | way | change / (target - towns' sum then) | (change / n) / (target - towns' mean then) |
//!
//! `n` is the number of towns with a value now. The way of all towns together is the share of what was missing then that has been made
//! good since; nobody can tell it where the target was reached then.

use crate::definition::{Definition, Direction, Towns};

/// A town's values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TownFigures {
    /// Now; `None` when nothing is counted there.
    pub value: Option<f64>,
    /// On the day with which it is compared; `None` when nothing was counted there, or no day was asked.
    pub before: Option<f64>,
}

/// What a town contributes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TownContribution {
    /// Its place, 1 being the best; towns with the same value share one.
    pub rank: Option<usize>,
    /// Its share of the city's figure, 1 being all of it; for sums only.
    pub share: Option<f64>,
    /// By how much it moves the city's mean, in the indicator's unit; for means only.
    pub pull: Option<f64>,
    /// How its value changed.
    pub change: Option<f64>,
    /// The share of what was missing to the target that its change made good.
    pub way: Option<f64>,
}

/// All towns side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// In the order in which the towns were given.
    pub towns: Vec<TownContribution>,
    /// The towns' sum or mean then; `None` without a day, or when nothing was known.
    pub before: Option<f64>,
    /// How that changed.
    pub change: Option<f64>,
    /// The share of what was missing then that all towns together made good.
    pub way: Option<f64>,
}

impl Definition {
    /// The towns side by side; `city` is the city's figure.
    pub fn compare_towns(&self, city: Option<f64>, figures: &[TownFigures]) -> Compared {
        let values = || figures.iter().filter_map(|f| f.value);
        let count = values().fold(0.0, |count, _| count + 1.0);
        let now = self.of_towns(values());
        let before = self.of_towns(figures.iter().filter_map(|f| f.before));
        let is_sum = self.towns == Towns::Sum;
        // What one unit more in a town is for the city.
        let weight = match self.towns {
            Towns::Sum => 1.0,
            Towns::Mean if count > 0.0 => 1.0 / count,
            Towns::Mean | Towns::None => 0.0,
        };
        let aim = self.target.edge(self.direction);
        let missing = before
            .filter(|before| !self.direction.reaches(*before, aim))
            .map(|before| aim - before);
        let contribution = |f: &TownFigures| {
            let change = match (f.value, f.before) {
                (Some(value), Some(before)) => Some(value - before),
                // What is not counted adds nothing to a sum.
                (Some(value), None) if is_sum && before.is_some() => Some(value),
                (None, Some(before)) if is_sum => Some(-before),
                _ => None,
            };
            let of_city = |value: f64| Some(value / city.filter(|c| *c != 0.0)?);
            TownContribution {
                rank: f.value.map(|value| self.rank(value, values())),
                share: f.value.filter(|_| is_sum).and_then(of_city),
                pull: f
                    .value
                    .zip(now)
                    .filter(|_| self.towns == Towns::Mean)
                    .map(|(value, mean)| (value - mean) * weight),
                change,
                way: change
                    .zip(missing)
                    .map(|(change, missing)| change * weight / missing),
            }
        };
        let towns: Vec<TownContribution> = figures.iter().map(contribution).collect();
        let ways: Vec<f64> = towns.iter().filter_map(|t| t.way).collect();
        Compared {
            change: before.map(|before| now.unwrap_or(0.0) - before),
            way: (!ways.is_empty()).then(|| ways.iter().sum()),
            before,
            towns,
        }
    }

    /// How many are better, and one.
    fn rank(&self, value: f64, all: impl Iterator<Item = f64>) -> usize {
        let is_better = |other: &f64| match self.direction {
            Direction::More => *other > value,
            Direction::Less => *other < value,
        };
        all.filter(is_better).count() + 1
    }
}
