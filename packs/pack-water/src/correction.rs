//! Correction from the latest observations (实时校正), and how wide a forecast's interval is.
//!
//! * The errors of a model follow each other: `e(t) = φ₁ e(t−1) + … + φₚ e(t−p)`, fitted by least squares; a forecast is the model's
//!   hydrograph plus the expected error (Box & Jenkins 1976), in a power of discharge (Box & Cox 1964) so that errors may grow with it.
//! * The interval of a lead time is taken from the errors of past forecasts of that lead, as shares of the forecast, in classes of the
//!   forecast's size: their quantiles (an empirical post-processor; Weerts, Winsemius & Verkade 2011, HESS 15, for the idea). Nothing is
//!   assumed of their distribution. [`Interval::covers`] says how often later observations lay within.

use crate::math::{count, pow, quantile, solve, whole};
use serde::{Deserialize, Serialize};

/// The autoregression of a model's errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Autoregression {
    /// φ₁ to φₚ.
    pub phi: Vec<f64>,
    /// The power of discharge whose errors these are: 1 for the discharge itself; below 1, errors grow with the discharge.
    pub power: f64,
}

impl Default for Autoregression {
    fn default() -> Self {
        let phi = Vec::new();
        Self { phi, power: 1.0 }
    }
}

/// Powers of discharge that are tried.
pub const POWERS: [f64; 3] = [1.0, 0.5, 0.25];
/// Steps after which an error must have died away.
const DYING_STEPS: usize = 400;

impl Autoregression {
    /// Fitted to observed and reckoned discharge, of the highest order up to `order` whose errors die away, with the power among
    /// [`POWERS`] whose forecasts one step ahead have the least squared error.
    pub fn fit(seen: &[f64], reckoned: &[f64], order: usize) -> Self {
        let mut best: Option<(f64, Self)> = None;
        for power in POWERS {
            let plain = Self {
                phi: Vec::new(),
                power,
            };
            let errors = plain.errors(seen, reckoned);
            let orders = (1..=order).rev();
            let found = orders
                .filter_map(|p| of_order(&errors, p))
                .map(|phi| Self { phi, power })
                .find(Self::dies_away)
                .unwrap_or(plain);
            let ahead = hindcast(reckoned, seen, &found, 1);
            let squares: f64 = crate::skill::pairs(seen, &ahead)
                .iter()
                .map(|(o, f)| (o - f) * (o - f))
                .sum();
            if best.as_ref().is_none_or(|(least, _)| squares < *least) {
                best = Some((squares, found));
            }
        }
        best.map(|(_, found)| found).unwrap_or_default()
    }

    /// The errors that follow each other: of the powers of discharge.
    pub fn errors(&self, seen: &[f64], reckoned: &[f64]) -> Vec<f64> {
        let both = seen.iter().zip(reckoned);
        both.map(|(o, s)| self.bent(*o) - self.bent(*s)).collect()
    }

    fn bent(&self, discharge: f64) -> f64 {
        if (self.power - 1.0).abs() < f64::EPSILON {
            discharge
        } else {
            pow(discharge.max(0.0), self.power)
        }
    }

    /// A reckoned discharge with an expected error of its power, m³/s.
    pub fn corrected(&self, reckoned: f64, error: f64) -> f64 {
        let bent = (self.bent(reckoned) + error).max(0.0);
        if (self.power - 1.0).abs() < f64::EPSILON {
            bent
        } else {
            pow(bent, 1.0 / self.power)
        }
    }

    fn dies_away(&self) -> bool {
        let mut past = vec![0.0; self.phi.len()];
        if let Some(newest) = past.last_mut() {
            *newest = 1.0;
        }
        let expected = self.expected(&past, DYING_STEPS);
        expected.last().is_some_and(|e| e.abs() < 0.5) && expected.iter().all(|e| e.abs() < 10.0)
    }

    /// The errors expected in the next `leads` steps, after these (the newest last). Without as many known errors as the order, an
    /// unknown one counts as none.
    pub fn expected(&self, past: &[f64], leads: usize) -> Vec<f64> {
        let p = self.phi.len();
        let mut known: Vec<f64> = vec![0.0; p];
        for (slot, e) in known.iter_mut().rev().zip(past.iter().rev()) {
            *slot = if e.is_finite() { *e } else { 0.0 };
        }
        for _ in 0..leads {
            let next: f64 = self
                .phi
                .iter()
                .zip(known.iter().rev())
                .map(|(f, e)| f * e)
                .sum();
            known.push(next);
        }
        known.split_off(p)
    }
}

/// φ of that order by least squares; `None` with too few errors in a row.
fn of_order(errors: &[f64], p: usize) -> Option<Vec<f64>> {
    let mut matrix = vec![vec![0.0; p]; p];
    let mut right = vec![0.0; p];
    let mut used = 0;
    for window in errors
        .windows(p + 1)
        .filter(|w| w.iter().all(|e| e.is_finite()))
    {
        used += 1;
        let (now, before) = window.split_last()?;
        for (i, row) in matrix.iter_mut().enumerate() {
            let a = before.get(p - 1 - i)?;
            *right.get_mut(i)? += a * now;
            for (j, cell) in row.iter_mut().enumerate() {
                *cell += a * before.get(p - 1 - j)?;
            }
        }
    }
    if used < 10 * p {
        return None;
    }
    solve(matrix, right)
}

/// Forecasts of every past step for one lead: the model's hydrograph with the error expected at the time of issue. Not a number where
/// there was no issue. The model's rain is the one that was observed: what is judged is the model, not the forecast of rain.
pub fn hindcast(model: &[f64], seen: &[f64], correction: &Autoregression, lead: usize) -> Vec<f64> {
    let p = correction.phi.len().max(1);
    let errors = correction.errors(seen, model);
    let mut forecasts = vec![f64::NAN; model.len()];
    for (at, forecast) in forecasts.iter_mut().enumerate().skip(lead) {
        let issued = at - lead;
        let from = (issued + 1).saturating_sub(p);
        let (Some(past), Some(of_model)) = (errors.get(from..=issued), model.get(at)) else {
            continue;
        };
        let expected = correction.expected(past, lead);
        *forecast = correction.corrected(*of_model, expected.last().copied().unwrap_or_default());
    }
    forecasts
}

/// The errors of one class of forecasts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Class {
    /// Forecasts up to this, m³/s; the last class holds for all above.
    pub up_to: f64,
    /// The lower and upper end, as shares of the forecast to be added to it.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The interval of one lead time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lead, steps.
    pub lead: usize,
    /// The classes, from small to large forecasts.
    pub classes: Vec<Class>,
}

/// Fewest errors of a class.
const CLASS_MIN: usize = 30;

impl Interval {
    /// Of a lead: from past forecasts and what was observed, so that `level` (such as 0.9) of them lie within. `classes` is how many
    /// sizes of forecast are told apart, fewer where there are not thirty errors for each. `None` with fewer than thirty.
    pub fn fit(
        lead: usize,
        forecasts: &[f64],
        seen: &[f64],
        level: f64,
        classes: usize,
    ) -> Option<Self> {
        let pairs = forecasts.iter().zip(seen).map(|(f, o)| (*f, *o));
        let mut pairs: Vec<(f64, f64)> = pairs.filter(|(f, o)| *f > 0.0 && o.is_finite()).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let classes = classes.min(pairs.len() / CLASS_MIN);
        if classes == 0 {
            return None;
        }
        let bound = |n: usize| whole(count(pairs.len()) * count(n) / count(classes));
        let found = (0..classes).filter_map(|n| {
            let own = pairs.get(bound(n)..bound(n + 1))?;
            let mut shares: Vec<f64> = own.iter().map(|(f, o)| o / f - 1.0).collect();
            shares.sort_by(f64::total_cmp);
            let tail = (1.0 - level) / 2.0;
            Some(Class {
                up_to: own.last()?.0,
                low: quantile(&shares, tail),
                high: quantile(&shares, 1.0 - tail),
            })
        });
        let classes = found.collect();
        Some(Self { lead, classes })
    }

    /// The ends of the interval of a forecast, m³/s.
    pub fn of(&self, forecast: f64) -> Option<(f64, f64)> {
        let class = self
            .classes
            .iter()
            .find(|c| forecast <= c.up_to)
            .or(self.classes.last())?;
        Some((
            (forecast * (1.0 + class.low)).max(0.0),
            (forecast * (1.0 + class.high)).max(0.0),
        ))
    }

    /// The share of observations that lay within the interval of their forecast; not a number without any.
    pub fn covers(&self, forecasts: &[f64], seen: &[f64]) -> f64 {
        let (mut within, mut all) = (0.0, 0.0);
        for (f, o) in forecasts
            .iter()
            .zip(seen)
            .filter(|(f, o)| f.is_finite() && o.is_finite())
        {
            if let Some((low, high)) = self.of(*f) {
                all += 1.0;
                within += if (low..=high).contains(o) { 1.0 } else { 0.0 };
            }
        }
        within / all
    }
}
