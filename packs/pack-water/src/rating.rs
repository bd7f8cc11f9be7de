//! Rating curves (水位流量关系): discharge for a stage and stage for a discharge, `Q = a (h − h₀)^b`, within what was measured only.
//!
//! ISO 18320:2020 (formerly 1100-2), and SL/T 247-2020: the curve is fitted to the logarithms, the stage of no
//! flow h₀ by least squares too; the error is the standard deviation of the relative errors, and its double the uncertainty at 95 %.
//! A sign test (of SL/T 247-2020, 符号检验) says whether the curve lies amid the measurements.

use crate::math::{count, exp, ln, mean, pow, six_digits};
use serde::{Deserialize, Serialize};

/// A fitted curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// a, m³/s at one metre above h₀.
    pub a: f64,
    /// b, without unit.
    pub b: f64,
    /// h₀, the stage of no flow, m.
    pub zero_m: f64,
    /// Lowest stage that was measured, m.
    pub low_m: f64,
    /// Highest stage that was measured, m.
    pub high_m: f64,
}

/// How well a curve fits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Goodness {
    /// Measurements.
    pub measurements: usize,
    /// Standard error of the relative errors, %.
    pub standard_error_percent: f64,
    /// Uncertainty at 95 %, %: twice the standard error.
    pub uncertainty_95_percent: f64,
    /// Mean of the relative errors, %.
    pub bias_percent: f64,
    /// The statistic u of the sign test; below 1.15 the curve lies amid the measurements (significance 0.25).
    pub sign_u: f64,
    /// Whether the sign test is passed.
    pub is_amid: bool,
}

impl Curve {
    /// Discharge at a stage, m³/s; `None` beyond what was measured.
    pub fn discharge(&self, stage_m: f64) -> Option<f64> {
        let within = (self.low_m..=self.high_m).contains(&stage_m);
        within.then(|| self.unchecked(stage_m))
    }

    fn unchecked(&self, stage_m: f64) -> f64 {
        self.a * pow((stage_m - self.zero_m).max(0.0), self.b)
    }

    /// Stage at a discharge, m; `None` beyond what was measured.
    pub fn stage(&self, discharge: f64) -> Option<f64> {
        let within =
            (self.unchecked(self.low_m)..=self.unchecked(self.high_m)).contains(&discharge);
        within.then(|| {
            (self.zero_m + pow(discharge / self.a, 1.0 / self.b)).clamp(self.low_m, self.high_m)
        })
    }
}

/// Fewest measurements of a curve with three unknowns and an error.
pub const MEASUREMENTS_MIN: usize = 5;
/// How far below the lowest measurement h₀ is looked for, in spans of what was measured.
const SPANS: f64 = 3.0;
/// Points of the grid of h₀, and how often it is laid anew, each time over two of its cells.
const GRID: usize = 200;
const ROUNDS: usize = 8;

/// Fits a curve to measured stages (m) and discharges (m³/s, above 0). `None` with fewer than five measurements, with stages that do
/// not differ, or when discharge does not grow with the stage.
pub fn fit(measured: &[(f64, f64)]) -> Option<(Curve, Goodness)> {
    if measured.len() < MEASUREMENTS_MIN || measured.iter().any(|(_, q)| *q <= 0.0) {
        return None;
    }
    let stages = measured.iter().map(|(h, _)| *h);
    let (low, high) = stages.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), h| {
        (a.min(h), b.max(h))
    });
    if high <= low {
        return None;
    }
    let span = high - low;
    // h₀ = low − depth: depths from a thousandth of the span on, even in their logarithms.
    let (mut from, mut to) = (ln(span * 1e-3), ln(span * SPANS));
    let mut best: Option<(f64, f64, f64, f64)> = None;
    for _ in 0..ROUNDS {
        let cell = (to - from) / count(GRID);
        let mut at = from;
        for n in 0..=GRID {
            let log_depth = from + cell * count(n);
            if let Some((squares, log_a, b)) = line(measured, low - exp(log_depth))
                && best.is_none_or(|(least, ..)| squares < least)
            {
                best = Some((squares, log_a, b, log_depth));
                at = log_depth;
            }
        }
        if let Some((.., log_depth)) = best {
            at = log_depth;
        }
        (from, to) = (at - cell, at + cell);
    }
    let (_, log_a, b, log_depth) = best.filter(|(_, _, b, _)| *b > 0.0)?;
    let curve = Curve {
        a: six_digits(exp(log_a)),
        b: six_digits(b),
        // To the tenth of a millimetre.
        zero_m: ((low - exp(log_depth)) * 1e4).round() / 1e4,
        low_m: low,
        high_m: high,
    };
    Some((curve, goodness(&curve, measured)))
}

/// The line through the logarithms for one h₀: sum of squares, ln a, b.
fn line(measured: &[(f64, f64)], zero: f64) -> Option<(f64, f64, f64)> {
    let logs: Vec<(f64, f64)> = measured
        .iter()
        .map(|(h, q)| (ln(h - zero), ln(*q)))
        .collect();
    let (mx, my) = (
        mean(logs.iter().map(|p| p.0)),
        mean(logs.iter().map(|p| p.1)),
    );
    let xx: f64 = logs.iter().map(|(x, _)| (x - mx) * (x - mx)).sum();
    let xy: f64 = logs.iter().map(|(x, y)| (x - mx) * (y - my)).sum();
    if xx <= 0.0 {
        return None;
    }
    let b = xy / xx;
    let log_a = my - b * mx;
    let squares = logs
        .iter()
        .map(|(x, y)| (y - log_a - b * x) * (y - log_a - b * x))
        .sum();
    Some((squares, log_a, b))
}

/// How well a curve fits measurements; three unknowns were taken from them.
pub fn goodness(curve: &Curve, measured: &[(f64, f64)]) -> Goodness {
    let errors: Vec<f64> = measured
        .iter()
        .map(|(h, q)| q / curve.unchecked(*h) - 1.0)
        .collect();
    let n = count(errors.len());
    let squares: f64 = errors.iter().map(|e| e * e).sum();
    let standard = 100.0 * (squares / (n - 3.0).max(1.0)).sqrt();
    let above = count(errors.iter().filter(|e| **e > 0.0).count());
    // Bernoulli's law with its correction for whole numbers.
    let u = (((above - n / 2.0).abs() - 0.5) / (0.5 * n.sqrt())).max(0.0);
    Goodness {
        measurements: errors.len(),
        standard_error_percent: standard,
        uncertainty_95_percent: 2.0 * standard,
        bias_percent: 100.0 * mean(errors.iter().copied()),
        sign_u: u,
        is_amid: u < 1.15,
    }
}
