//! Muskingum routing (马斯京根法): a flood wave through a reach whose storage is `S = K [x I + (1 − x) O]`, or that to a power.
//!
//! * Linear: McCarthy (1938); coefficients as of Chow, Maidment & Mays (1988), Applied Hydrology, eqs. 8.4.7 to 8.4.10.
//! * Nonlinear, `S = K [x I + (1 − x) O]^m`: Gill (1978), J. Hydrology 36; scheme of Tung (1985), J. Hydraulic Eng. 111(12).
//! * Water that joins along the reach, in proportion to the inflow: O'Donnell (1985), Hydrological Sciences J. 30(1).
//! * Fitting: least squares of the outflow, by a grid that is laid ever finer around its best point.

use crate::math::{count, pow};
use serde::Serialize;

/// A reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reach {
    /// Storage constant K, in hours: about the time that a wave takes. For a nonlinear reach in the units of the power law.
    pub k_h: f64,
    /// Weight x of the inflow, without unit, from 0 (a reservoir) to 0.5 (a wave that is not damped).
    pub x: f64,
    /// Exponent m of the storage, without unit; 1 for the linear method.
    pub m: f64,
    /// What joins along the reach, as a share of the inflow; 0 for none.
    pub lateral: f64,
    /// In how many equal parts the reach is routed, one after the other, each with K divided by them.
    pub parts: usize,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            k_h: 1.0,
            x: 0.2,
            m: 1.0,
            lateral: 0.0,
            parts: 1,
        }
    }
}

/// The coefficients of `O₂ = C₁ I₂ + C₂ I₁ + C₃ O₁` as Chow et al. number them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Coefficients {
    /// Of the inflow at the end of the step.
    pub c1: f64,
    /// Of the inflow at its beginning.
    pub c2: f64,
    /// Of the outflow at its beginning.
    pub c3: f64,
}

impl Coefficients {
    /// Of a linear reach and a step in hours.
    pub fn new(k_h: f64, x: f64, step_h: f64) -> Self {
        let below = 2.0 * k_h * (1.0 - x) + step_h;
        Self {
            c1: (step_h - 2.0 * k_h * x) / below,
            c2: (step_h + 2.0 * k_h * x) / below,
            c3: (2.0 * k_h * (1.0 - x) - step_h) / below,
        }
    }

    /// Whether none is negative, that is `2Kx ≤ Δt ≤ 2K(1 − x)`: else the outflow can dip or swing where the inflow does not.
    pub fn are_sound(&self) -> bool {
        self.c1 >= 0.0 && self.c3 >= 0.0
    }
}

/// Outflow for each inflow, both at the ends of equal steps and in the same unit of discharge. The first outflow is `first`, or what
/// comes in at first.
pub fn route(reach: &Reach, inflow: &[f64], step_h: f64, first: Option<f64>) -> Vec<f64> {
    let joined: Vec<f64> = inflow.iter().map(|i| i * (1.0 + reach.lateral)).collect();
    let Some(head) = joined.first() else {
        return Vec::new();
    };
    let first = first.unwrap_or(*head);
    if (reach.m - 1.0).abs() < f64::EPSILON {
        let parts = reach.parts.max(1);
        let c = Coefficients::new(reach.k_h / count(parts), reach.x, step_h);
        let mut flow = joined;
        for _ in 0..parts {
            flow = linear(c, &flow, first);
        }
        flow
    } else {
        nonlinear(reach, &joined, first)
    }
}

fn linear(c: Coefficients, inflow: &[f64], first: f64) -> Vec<f64> {
    let mut out = Vec::with_capacity(inflow.len());
    let mut last = first;
    out.push(last);
    for pair in inflow.windows(2) {
        if let [before, now] = pair {
            last = c.c1 * now + c.c2 * before + c.c3 * last;
            out.push(last);
        }
    }
    out
}

/// Storage by Euler's steps with the inflow at their beginning. K carries the unit of time of its own: a step counts as one, as the
/// published optima of Wilson's flood do.
fn nonlinear(reach: &Reach, inflow: &[f64], first: f64) -> Vec<f64> {
    let Reach { k_h: k, x, m, .. } = *reach;
    let outflow = |storage: f64, i: f64| {
        let weighted = pow((storage / k).max(0.0), 1.0 / m);
        (weighted - x * i) / (1.0 - x)
    };
    let mut out = Vec::with_capacity(inflow.len());
    let head = inflow.first().copied().unwrap_or_default();
    let mut storage = k * pow((x * head + (1.0 - x) * first).max(0.0), m);
    out.push(first);
    for pair in inflow.windows(2) {
        if let [before, _] = pair {
            storage += before - outflow(storage, *before);
            out.push(outflow(storage, *before));
        }
    }
    out
}

/// What is fitted beside K and x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Least and most K, hours.
    pub k_h: (f64, f64),
    /// Least and most x.
    pub x: (f64, f64),
    /// Whether the share that joins along the reach is fitted too.
    pub lateral: bool,
    /// In how many parts the reach is routed.
    pub parts: usize,
}

/// A fitted reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// The reach.
    pub reach: Reach,
    /// Sum of the squares of the outflow's errors, in the square of the unit of discharge.
    pub squares: f64,
    /// Whether the best lies on an edge of what was searched: then it is no optimum.
    pub at_edge: bool,
}

/// Points of the grid along each axis.
const GRID: usize = 25;
/// How often the grid is laid anew, each time over a fifth of its size.
const ROUNDS: usize = 9;

/// K and x (and the share that joins) with which the outflow's squared errors are least. Outflows that are not a number do not count.
/// `None` when fewer than three outflows are known.
pub fn fit(inflow: &[f64], outflow: &[f64], step_h: f64, search: &Search) -> Option<Fit> {
    let known = outflow.iter().filter(|o| o.is_finite()).count();
    if known < 3 || inflow.len() != outflow.len() {
        return None;
    }
    let first = outflow.first().copied().filter(|o| o.is_finite());
    let (mut k_range, mut x_range) = (search.k_h, search.x);
    let mut best: Option<Fit> = None;
    for _ in 0..ROUNDS {
        for a in 0..GRID {
            for b in 0..GRID {
                let share = |n: usize, (low, high): (f64, f64)| {
                    low + (high - low) * count(n) / count(GRID - 1)
                };
                let reach = Reach {
                    k_h: share(a, k_range),
                    x: share(b, x_range),
                    parts: search.parts,
                    ..Reach::default()
                };
                let judged = judge(reach, inflow, outflow, step_h, first, search.lateral);
                if best.is_none_or(|fit| judged.squares < fit.squares) {
                    best = Some(judged);
                }
            }
        }
        let around = |(low, high): (f64, f64), (least, most): (f64, f64), at: f64| {
            let half = (high - low) / 10.0;
            ((at - half).max(least), (at + half).min(most))
        };
        let reach = best.as_ref()?.reach;
        k_range = around(k_range, search.k_h, reach.k_h);
        x_range = around(x_range, search.x, reach.x);
    }
    let mut fit = best?;
    let near = |value: f64, edge: f64, (low, high): (f64, f64)| {
        (value - edge).abs() <= 1e-6 * (high - low)
    };
    let Reach { k_h, x, .. } = fit.reach;
    fit.at_edge = near(k_h, search.k_h.0, search.k_h)
        || near(k_h, search.k_h.1, search.k_h)
        || near(x, search.x.0, search.x)
        || near(x, search.x.1, search.x);
    Some(fit)
}

/// The squares of a reach; with `lateral`, of the best share that joins, in which the outflow is linear.
fn judge(
    mut reach: Reach,
    inflow: &[f64],
    outflow: &[f64],
    step_h: f64,
    first: Option<f64>,
    lateral: bool,
) -> Fit {
    let first = first.or_else(|| inflow.first().copied());
    let base = route(&reach, inflow, step_h, first);
    if lateral {
        let more = route(&reach, inflow, step_h, Some(0.0));
        let (mut above, mut below) = (0.0, 0.0);
        for ((seen, base), more) in outflow.iter().zip(&base).zip(&more) {
            if seen.is_finite() {
                above += (seen - base) * more;
                below += more * more;
            }
        }
        reach.lateral = if below > 0.0 { above / below } else { 0.0 };
    }
    let routed = if lateral {
        route(&reach, inflow, step_h, first)
    } else {
        base
    };
    let squares = squares(outflow, &routed);
    Fit {
        reach,
        squares,
        at_edge: false,
    }
}

/// The sum of squared errors; what was not observed does not count.
pub fn squares(seen: &[f64], reckoned: &[f64]) -> f64 {
    let errors = seen.iter().zip(reckoned).filter(|(o, _)| o.is_finite());
    errors.map(|(o, s)| (o - s) * (o - s)).sum()
}
