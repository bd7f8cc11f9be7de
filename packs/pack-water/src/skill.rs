//! How good a reckoned hydrograph is: NSE (确定性系数), KGE, volume, and the peaks of floods.
//!
//! * NSE: Nash & Sutcliffe (1970), J. Hydrology 10; it is the 确定性系数 of GB/T 22482-2008, section 6, whose grades are given with it.
//! * KGE: Gupta et al. (2009), J. Hydrology 377; with the ratio of variation: Kling et al. (2012), J. Hydrology 424–425.
//! * A peak is good within 20 % of the observed one (GB/T 22482-2008, section 6).

use crate::math::{count, mean, quantile};
use serde::Serialize;

/// Pairs of what was observed and what was reckoned; steps without either do not count.
pub fn pairs(seen: &[f64], reckoned: &[f64]) -> Vec<(f64, f64)> {
    let both = seen.iter().copied().zip(reckoned.iter().copied());
    both.filter(|(o, s)| o.is_finite() && s.is_finite())
        .collect()
}

/// Nash–Sutcliffe efficiency, 1 at best; not a number when the observed ones do not vary.
pub fn nse(pairs: &[(f64, f64)]) -> f64 {
    let middle = mean(pairs.iter().map(|(o, _)| *o));
    let errors: f64 = pairs.iter().map(|(o, s)| (o - s) * (o - s)).sum();
    let spread: f64 = pairs.iter().map(|(o, _)| (o - middle) * (o - middle)).sum();
    if spread > 0.0 {
        1.0 - errors / spread
    } else {
        f64::NAN
    }
}

/// Correlation, ratio of the standard deviations, ratio of the means.
fn parts(pairs: &[(f64, f64)]) -> (f64, f64, f64) {
    let (mo, ms) = (
        mean(pairs.iter().map(|p| p.0)),
        mean(pairs.iter().map(|p| p.1)),
    );
    let (mut oo, mut ss, mut os) = (0.0, 0.0, 0.0);
    for (o, s) in pairs {
        oo += (o - mo) * (o - mo);
        ss += (s - ms) * (s - ms);
        os += (o - mo) * (s - ms);
    }
    // A hydrograph that stands still goes with nothing.
    let r = if ss > 0.0 { os / (oo * ss).sqrt() } else { 0.0 };
    (r, (ss / oo).sqrt(), ms / mo)
}

/// Kling–Gupta efficiency of 2009, 1 at best.
pub fn kge_2009(pairs: &[(f64, f64)]) -> f64 {
    let (r, alpha, beta) = parts(pairs);
    1.0 - ((r - 1.0) * (r - 1.0) + (alpha - 1.0) * (alpha - 1.0) + (beta - 1.0) * (beta - 1.0))
        .sqrt()
}

/// Kling–Gupta efficiency of 2012, with the ratio of the coefficients of variation, 1 at best.
pub fn kge_2012(pairs: &[(f64, f64)]) -> f64 {
    let (r, alpha, beta) = parts(pairs);
    let gamma = alpha / beta;
    1.0 - ((r - 1.0) * (r - 1.0) + (gamma - 1.0) * (gamma - 1.0) + (beta - 1.0) * (beta - 1.0))
        .sqrt()
}

/// The measures of a hydrograph.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Skill {
    /// Steps that were compared.
    pub steps: usize,
    /// NSE (确定性系数).
    pub nse: f64,
    /// Its grade after GB/T 22482-2008: A (甲) from 0.90, B (乙) from 0.70, C (丙) from 0.50, else none.
    pub grade: &'static str,
    /// KGE of 2009.
    pub kge_2009: f64,
    /// KGE of 2012.
    pub kge_2012: f64,
    /// Reckoned volume too high (or, negative, too low), %.
    pub volume_error_percent: f64,
    /// Floods that were found.
    pub floods: usize,
    /// Mean error of their peaks, without sign, %.
    pub peak_error_percent: f64,
    /// Mean error of the peaks' times, without sign, steps.
    pub peak_time_error_steps: f64,
    /// Share of the peaks within 20 %.
    pub peaks_within_20_percent: f64,
}

/// What counts as a flood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Floods {
    /// Peaks above this quantile of what was observed (default 0.98).
    pub above: f64,
    /// Peaks lie further apart than this, and the reckoned peak is looked for within it, steps (default 3).
    pub window: usize,
}

impl Default for Floods {
    fn default() -> Self {
        Self {
            above: 0.98,
            window: 3,
        }
    }
}

/// Judges a reckoned hydrograph; steps where either is not a number do not count.
pub fn judge(seen: &[f64], reckoned: &[f64], floods: Floods) -> Skill {
    let all = pairs(seen, reckoned);
    let nse = nse(&all);
    let (volume_seen, volume): (f64, f64) =
        all.iter().fold((0.0, 0.0), |(a, b), (o, s)| (a + o, b + s));
    let peaks = peaks(seen, reckoned, floods);
    let of = |what: fn(&Peak) -> f64| mean(peaks.iter().map(what));
    Skill {
        steps: all.len(),
        nse,
        grade: match nse {
            n if n >= 0.9 => "A",
            n if n >= 0.7 => "B",
            n if n >= 0.5 => "C",
            _ => "none",
        },
        kge_2009: kge_2009(&all),
        kge_2012: kge_2012(&all),
        volume_error_percent: 100.0 * (volume / volume_seen - 1.0),
        floods: peaks.len(),
        peak_error_percent: of(|p| 100.0 * p.error.abs()),
        peak_time_error_steps: of(|p| p.late.abs()),
        peaks_within_20_percent: of(|p| if p.error.abs() <= 0.2 { 1.0 } else { 0.0 }),
    }
}

/// How the peak of one flood was reckoned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// The step of the observed peak.
    pub at: usize,
    /// Reckoned by observed, less 1.
    pub error: f64,
    /// Reckoned later (or, negative, earlier) by steps.
    pub late: f64,
}

/// The floods and how their peaks were reckoned.
pub fn peaks(seen: &[f64], reckoned: &[f64], floods: Floods) -> Vec<Peak> {
    let mut sorted: Vec<f64> = seen.iter().copied().filter(|o| o.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let threshold = quantile(&sorted, floods.above);
    let mut found = Vec::new();
    for (n, o) in seen.iter().enumerate() {
        let from = n.saturating_sub(floods.window);
        let around = seen.iter().enumerate().skip(from);
        let mut around = around.take(n - from + floods.window + 1);
        // The first of equal ones is the peak.
        let is_peak =
            *o > threshold && around.all(|(m, other)| !(*other > *o || (*other == *o && m < n)));
        if !is_peak {
            continue;
        }
        let near = reckoned.iter().enumerate().skip(from);
        let near = near
            .take(n - from + floods.window + 1)
            .filter(|(_, s)| s.is_finite());
        if let Some((at, s)) = near.max_by(|a, b| a.1.total_cmp(b.1)) {
            found.push(Peak {
                at: n,
                error: s / o - 1.0,
                late: count(at) - count(n),
            });
        }
    }
    found
}
