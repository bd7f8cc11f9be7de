//! The load of the hours ahead from the weeks before.
//!
//! ```text
//! profile(t)  = median of y(t − 168 i), i = 1 … weeks, of the hours that are known
//! level       = median of y(s) − profile(s) over the last 24 hours s that are known
//! forecast(t) = max(0, profile(t) + share × level)
//! ```
//!
//! The same hour of the same weekday is the similar day of load forecasting (Hong & Fan 2016, Int. J. Forecasting 32(3), section 3), the median instead of the
//! mean keeps one odd week out, and the level brings the season and the weather of today in. What it must beat is the same hour a week ago (seasonal
//! naive: Hyndman & Athanasopoulos 2021, *Forecasting: Principles and Practice*, 3rd ed., section 5.2).
//!
//! It is judged on the last days of the past, each foretold as it would have been then, from what was known then. Interval: quantiles of those
//! errors (forecast's section 5.5, without supposing a distribution), of the same hour ahead and its neighbours.

use serde::Serialize;

/// Hours of a day, and of a week.
pub const DAY: usize = 24;
/// Hours of a week.
pub const WEEK: usize = 168;
/// How far the leads lie from each other whose errors are taken together.
const NEIGHBOURS: usize = 1;
/// Fewest errors from which an interval is made: below it the 5 % at each end would be one error's.
const ERRORS_MIN: usize = 20;

/// How it is foretold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Method {
    /// How many weeks the profile is the median of.
    pub weeks: usize,
    /// How much of the level's difference is added, 0 to 1.
    pub share: f64,
}

/// What is foretold of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Hour {
    /// The load, in the unit of the past; 0 or more.
    pub value: f64,
    /// The interval; none where there are too few errors.
    pub interval: Option<(f64, f64)>,
}

/// How good it was over the last days.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// Days that were foretold.
    pub days: usize,
    /// Hours that were compared: those that were measured and that both methods could foretell.
    pub hours: usize,
    /// Mean load of those hours.
    pub mean: f64,
    /// Mean error without sign (MAE).
    pub mae: f64,
    /// The same by the mean load, %: a percentage that loads of zero do not spoil (WAPE).
    pub wape_percent: f64,
    /// Mean of the errors without sign by the load of their hour, % (MAPE), over hours above a twentieth of the mean load; none when there are none.
    pub mape_percent: Option<f64>,
    /// Mean error with sign: above 0, too much was foretold.
    pub bias: f64,
    /// MAE of the same hour a week ago.
    pub mae_naive: f64,
    /// 1 − MAE ÷ MAE of the same hour a week ago: below 0 the method is worse than that.
    pub skill: f64,
    /// Share of the later half of the days that lay in the interval made from the earlier half; none when that was too short.
    pub covered: Option<f64>,
}

/// The median, the mean of the middle two of an even number; none of none.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = values.get(values.len() / 2 - 1)?;
    Some(f64::midpoint(*lower, upper))
}

/// The quantile of sorted values by linear interpolation between order statistics (Hyndman & Fan 1996, type 7).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = share.clamp(0.0, 1.0) * count(last);
    // At most `last`, and not negative.
    let below = at as usize;
    let a = sorted.get(below)?;
    let b = sorted.get(below + 1).unwrap_or(a);
    Some(a + (b - a) * (at - count(below)))
}

/// A count as a number; exact up to 2⁵³.
#[allow(clippy::cast_precision_loss)]
pub const fn count(n: usize) -> f64 {
    n as f64
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for value in values {
        sum += value;
        n += 1.0;
    }
    sum / n
}

/// The value at an hour, when it is known.
fn known(past: &[Option<f64>], hour: usize) -> Option<f64> {
    past.get(hour).copied().flatten()
}

/// The median of the same hour in the weeks before; the hour may lie up to a week beyond the past's end.
fn profile(past: &[Option<f64>], hour: usize, weeks: usize) -> Option<f64> {
    let same = (1..=weeks).filter_map(|week| known(past, hour.checked_sub(week * WEEK)?));
    median(same.collect())
}

/// The same hour a week ago, or else the latest of the weeks before: what a method must beat.
fn naive(past: &[Option<f64>], hour: usize, weeks: usize) -> Option<f64> {
    (1..=weeks).find_map(|week| known(past, hour.checked_sub(week * WEEK)?))
}

/// The loads of the hours after the past's end, hour by hour; none for hours of which no week before tells. At most a week ahead is foretold.
pub fn ahead(past: &[Option<f64>], method: Method, hours: usize) -> Vec<Option<f64>> {
    let end = past.len();
    let last = (end.saturating_sub(DAY)..end)
        .filter_map(|hour| Some(known(past, hour)? - profile(past, hour, method.weeks)?));
    let level = median(last.collect()).unwrap_or(0.0);
    let one = |lead: usize| {
        let usual = profile(past, end + lead, method.weeks)?;
        Some((usual + method.share * level).max(0.0))
    };
    (0..hours.min(WEEK)).map(one).collect()
}

/// What was foretold of an hour of the past, and what came.
struct Tried {
    /// How many whole days before the past's end it was foretold, from 1.
    day: usize,
    lead: usize,
    seen: f64,
    foretold: f64,
    naive: f64,
}

/// Foretells the last days as it would have been done then: `days` times, a day apart, each from what was known by then.
fn tried(past: &[Option<f64>], method: Method, hours: usize, days: usize) -> Vec<Tried> {
    let mut all = Vec::new();
    for day in (1..=days).rev() {
        let Some(then) = past.len().checked_sub(day * DAY) else {
            continue;
        };
        let Some(before) = past.get(..then) else {
            continue;
        };
        for (lead, foretold) in ahead(before, method, hours).into_iter().enumerate() {
            let hour = then + lead;
            let both = known(past, hour).zip(foretold);
            if let Some(((seen, foretold), naive)) = both.zip(naive(before, hour, method.weeks)) {
                all.push(Tried {
                    day,
                    lead,
                    seen,
                    foretold,
                    naive,
                });
            }
        }
    }
    all
}

/// The ends of the errors (what came less what was foretold) of a lead and its neighbours.
fn ends<'a>(
    tried: impl Iterator<Item = &'a Tried>,
    lead: usize,
    certainty: f64,
) -> Option<(f64, f64)> {
    let near = tried.filter(|one| one.lead.abs_diff(lead) <= NEIGHBOURS);
    let mut errors: Vec<f64> = near.map(|one| one.seen - one.foretold).collect();
    if errors.len() < ERRORS_MIN {
        return None;
    }
    errors.sort_by(f64::total_cmp);
    let tail = (1.0 - certainty) / 2.0;
    quantile(&errors, tail).zip(quantile(&errors, 1.0 - tail))
}

/// Around a forecast; the forecast itself is always within it, and it ends at 0.
fn around(value: f64, (low, high): (f64, f64)) -> (f64, f64) {
    let lower = (value + low).min(value).max(0.0);
    (lower, (value + high).max(value))
}

/// The loads of the hours after the past's end with their intervals, and how good that was over the last days. `past` is one value an hour, without a
/// hole in time: what was not measured is `None`.
pub fn foretell(
    past: &[Option<f64>],
    method: Method,
    hours: usize,
    days: usize,
    certainty: f64,
) -> (Vec<Option<Hour>>, Option<Judged>) {
    let tried = tried(past, method, hours, days);
    let one = |(lead, value): (usize, Option<f64>)| {
        let value = value?;
        let interval = ends(tried.iter(), lead, certainty).map(|ends| around(value, ends));
        Some(Hour { value, interval })
    };
    let hours = ahead(past, method, hours)
        .into_iter()
        .enumerate()
        .map(one)
        .collect();
    (hours, judge(&tried, certainty))
}

fn judge(tried: &[Tried], certainty: f64) -> Option<Judged> {
    let first = tried.iter().map(|one| one.day).max()?;
    let load = mean(tried.iter().map(|one| one.seen));
    let error = |one: &Tried| (one.seen - one.foretold).abs();
    let mae = mean(tried.iter().map(error));
    let mae_naive = mean(tried.iter().map(|one| (one.seen - one.naive).abs()));
    let large = tried.iter().filter(|one| one.seen > load / 20.0);
    let mape = mean(large.map(|one| 100.0 * error(one) / one.seen));
    // The interval as it would have been made at half time, on the days after.
    let half = first / 2;
    let leads = tried.iter().map(|one| one.lead + 1).max().unwrap_or(0);
    let earlier = |lead| ends(tried.iter().filter(|one| one.day > half), lead, certainty);
    let earlier: Vec<Option<(f64, f64)>> = (0..leads).map(earlier).collect();
    let later = tried.iter().filter(|one| one.day <= half);
    let later: Vec<bool> = later
        .filter_map(|one| {
            let (low, high) = around(one.foretold, earlier.get(one.lead).copied().flatten()?);
            Some((low..=high).contains(&one.seen))
        })
        .collect();
    let inside = later.iter().filter(|inside| **inside).count();
    Some(Judged {
        days: first,
        hours: tried.len(),
        mean: load,
        mae,
        wape_percent: 100.0 * mae / load,
        mape_percent: mape.is_finite().then_some(mape),
        bias: mean(tried.iter().map(|one| one.foretold - one.seen)),
        mae_naive,
        skill: 1.0 - mae / mae_naive,
        covered: (!later.is_empty()).then(|| count(inside) / count(later.len())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_quantiles_are_the_usual_ones() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.25), Some(1.75));
        assert_eq!(quantile(&[1.0, 2.0], 1.0), Some(2.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
