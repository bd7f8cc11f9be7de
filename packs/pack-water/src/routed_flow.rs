//! Discharge foretold by routing (河道流量演算预报): what comes in at the upper end of a reach now is at its lower end a travel time later.
//!
//! Linear Muskingum routing ([`crate::muskingum`]) of the inflow up to now, and on from there with an inflow that stays as it is: so that a forecast is
//! the wave that is in the reach already, and little more beyond K. What the routing missed at the lower end is carried on as a first-order
//! autoregression of its errors (实时校正; Box & Jenkins 1976, Time Series Analysis), and the interval is the quantiles of the errors, as shares of
//! the value, of the forecasts that would have been made at each moment of the past. No later lead has a narrower one.

use crate::math::{count, mean, quantile};
use crate::muskingum::{Coefficients, Reach};
use serde::Serialize;

/// The parts of a reach as they stand after some steps.
#[derive(Clone, Debug)]
struct Standing<'a> {
    coefficients: Coefficients,
    reach: &'a Reach,
    /// What came in last, with what joins along the reach.
    inflow: f64,
    /// What each part gave last.
    out: Vec<f64>,
}

impl<'a> Standing<'a> {
    fn new(reach: &'a Reach, step_h: f64, inflow: f64, first: Option<f64>) -> Self {
        let parts = reach.parts.max(1);
        let inflow = inflow * (1.0 + reach.lateral);
        Self {
            coefficients: Coefficients::new(reach.k_h / count(parts), reach.x, step_h),
            reach,
            inflow,
            out: vec![first.unwrap_or(inflow); parts],
        }
    }

    /// The outflow after one more step, at whose end so much comes in.
    fn step(&mut self, inflow: f64) -> f64 {
        let Coefficients { c1, c2, c3 } = self.coefficients;
        let mut now = inflow * (1.0 + self.reach.lateral);
        let mut before = std::mem::replace(&mut self.inflow, now);
        for out in &mut self.out {
            let last = *out;
            *out = c1 * now + c2 * before + c3 * last;
            (now, before) = (*out, last);
        }
        now
    }

    fn outflow(&self) -> f64 {
        self.out.last().copied().unwrap_or(self.inflow)
    }

    /// The outflows of so many steps with an inflow that stays.
    fn ahead(&self, inflow: f64, leads: usize) -> Vec<f64> {
        let mut on = self.clone();
        (0..leads).map(|_| on.step(inflow)).collect()
    }
}

/// How it is foretold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Leads, in steps: 1 to this.
    pub leads: usize,
    /// Share of what comes that the interval is to hold.
    pub certainty: f64,
    /// Fewest past forecasts of a lead that an interval is taken from, and fewest errors that the correction is fitted to.
    pub errors_min: usize,
}

/// One lead of a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Lead {
    /// Steps ahead.
    pub lead: usize,
    /// The discharge foretold, m³/s.
    pub flow: f64,
    /// Lower and upper end of its interval, m³/s, where enough past forecasts tell it.
    pub interval: Option<(f64, f64)>,
    /// How many past forecasts of this lead were compared with what came.
    pub compared: usize,
    /// Root of the mean square of their errors, m³/s.
    pub rmse: Option<f64>,
    /// The same of the outflow staying as it was.
    pub rmse_persistence: Option<f64>,
}

/// A forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// By lead.
    pub leads: Vec<Lead>,
    /// The routed outflow at the last step, m³/s.
    pub routed: f64,
    /// What was observed there less what was routed, m³/s; `None` where nothing was observed.
    pub error: Option<f64>,
    /// What is left of an error after a step; 0 where it cannot be told.
    pub kept: f64,
}

/// Foretells from an inflow without gaps at the ends of equal steps up to now, and the outflow that was observed then (not a number where none
/// was). The first `warm_up` steps are not judged on: what stood in the reach at first is not known. `None` for fewer than two steps, or for
/// outflows that are not as many as inflows.
pub fn forecast(
    reach: &Reach,
    step_h: f64,
    inflow: &[f64],
    outflow: &[f64],
    warm_up: usize,
    how: &Settings,
) -> Option<Forecast> {
    let (first, rest) = inflow.split_first()?;
    if rest.is_empty() || outflow.len() != inflow.len() {
        return None;
    }
    let seen_first = outflow.first().copied().filter(|o| o.is_finite());
    let mut standing = Standing::new(reach, step_h, *first, seen_first);
    let mut routed = vec![standing.outflow()];
    let mut ahead = vec![standing.ahead(*first, how.leads)];
    for now in rest {
        routed.push(standing.step(*now));
        ahead.push(standing.ahead(*now, how.leads));
    }
    let errors: Vec<f64> = outflow.iter().zip(&routed).map(|(o, r)| o - r).collect();
    let kept = kept(errors.get(warm_up..).unwrap_or_default(), how.errors_min);
    // What would have been foretold at a step.
    let told = |n: usize| -> Option<Vec<f64>> {
        let mut error = errors.get(n).copied().filter(|e| e.is_finite());
        let flows = ahead.get(n)?.iter().map(|flow| {
            error = error.map(|e| e * kept);
            (flow + error.unwrap_or_default()).max(0.0)
        });
        Some(flows.collect())
    };
    let mut past: Vec<Vec<Past>> = vec![Vec::new(); how.leads];
    for (n, stays) in outflow.iter().enumerate().skip(warm_up) {
        for ((lead, flow), past) in (1..).zip(told(n)?).zip(&mut past) {
            match outflow.get(n + lead) {
                Some(came) if came.is_finite() && stays.is_finite() => past.push(Past {
                    flow,
                    came: *came,
                    stays: *stays,
                }),
                _ => {}
            }
        }
    }
    let (mut low, mut high) = (0.0_f64, 0.0_f64);
    let last = told(inflow.len() - 1)?;
    let leads = (1..).zip(last).zip(&past).map(|((lead, flow), past)| {
        let interval = (past.len() >= how.errors_min).then(|| {
            let mut shares: Vec<f64> = past.iter().filter_map(Past::share).collect();
            shares.sort_by(f64::total_cmp);
            let beyond = (1.0 - how.certainty) / 2.0;
            low = low.min(quantile(&shares, beyond));
            high = high.max(quantile(&shares, 1.0 - beyond));
            ((flow * (1.0 + low)).max(0.0), flow * (1.0 + high))
        });
        let rmse = |error: fn(&Past) -> f64| {
            let squares = past.iter().map(|one| error(one) * error(one));
            (!past.is_empty()).then(|| mean(squares).sqrt())
        };
        Lead {
            lead,
            flow,
            interval,
            compared: past.len(),
            rmse: rmse(|one| one.came - one.flow),
            rmse_persistence: rmse(|one| one.came - one.stays),
        }
    });
    Some(Forecast {
        leads: leads.collect(),
        routed: routed.last().copied()?,
        error: errors.last().copied().filter(|e| e.is_finite()),
        kept,
    })
}

/// A forecast of the past beside what came.
#[derive(Clone, Copy, Debug)]
struct Past {
    flow: f64,
    came: f64,
    stays: f64,
}

impl Past {
    /// The error as a share of what was foretold; none where nothing was foretold to flow.
    fn share(&self) -> Option<f64> {
        (self.flow > 0.0).then(|| (self.came - self.flow) / self.flow)
    }
}

/// What is left of an error after a step: the first-order autoregression of the errors by least squares, from 0 to 1.
fn kept(errors: &[f64], errors_min: usize) -> f64 {
    let pairs = errors.iter().zip(errors.iter().skip(1));
    let pairs: Vec<(f64, f64)> = pairs
        .filter(|(a, b)| a.is_finite() && b.is_finite())
        .map(|(a, b)| (*a, *b))
        .collect();
    let below: f64 = pairs.iter().map(|(a, _)| a * a).sum();
    if pairs.len() < errors_min || below <= 0.0 {
        return 0.0;
    }
    let above: f64 = pairs.iter().map(|(a, b)| a * b).sum();
    (above / below).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::muskingum::route;

    const HOW: Settings = Settings {
        leads: 6,
        certainty: 0.9,
        errors_min: 24,
    };

    /// Some waves of different length, m³/s.
    fn waves(steps: usize) -> Vec<f64> {
        let wave = |n: usize, period: f64| (count(n) / period * std::f64::consts::TAU).sin();
        (0..steps)
            .map(|n| 400.0 + 120.0 * wave(n, 47.0) + 60.0 * wave(n, 19.0))
            .collect()
    }

    #[test]
    fn steps_taken_one_by_one_are_those_of_the_routing() {
        let reach = Reach {
            k_h: 9.0,
            x: 0.25,
            lateral: 0.1,
            parts: 3,
            ..Reach::default()
        };
        let inflow = waves(60);
        let routed = route(&reach, &inflow, 1.0, Some(300.0));
        let mut standing = Standing::new(&reach, 1.0, inflow[0], Some(300.0));
        for (n, now) in inflow.iter().enumerate().skip(1) {
            assert_eq!(standing.step(*now), routed[n], "step {n}");
        }
    }

    #[test]
    fn the_wave_in_the_reach_is_foretold() {
        let reach = Reach {
            k_h: 6.0,
            x: 0.2,
            ..Reach::default()
        };
        let inflow = waves(240);
        let outflow = route(&reach, &inflow, 1.0, None);
        let now = 200;
        let told = forecast(&reach, 1.0, &inflow[..=now], &outflow[..=now], 12, &HOW).unwrap();
        assert!(told.error.unwrap().abs() < 1e-9);
        for lead in &told.leads[..3] {
            let (rmse, stays) = (lead.rmse.unwrap(), lead.rmse_persistence.unwrap());
            assert!(rmse < 0.5 * stays, "{lead:?}");
            let error = (lead.flow - outflow[now + lead.lead]).abs();
            assert!(error < 3.0 * rmse, "{lead:?}: {error}");
            let (low, high) = lead.interval.unwrap();
            assert!(low <= lead.flow && lead.flow <= high);
        }
        let widths: Vec<f64> = told
            .leads
            .iter()
            .map(|lead| {
                lead.interval
                    .map_or(0.0, |(low, high)| (high - low) / lead.flow)
            })
            .collect();
        assert!(
            widths.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12),
            "{widths:?}"
        );
    }

    #[test]
    fn what_the_routing_misses_is_carried_on_and_without_an_outflow_nothing_is() {
        let reach = Reach {
            k_h: 6.0,
            ..Reach::default()
        };
        let inflow = waves(120);
        let routed = route(&reach, &inflow, 1.0, None);
        // A constant 30 m³/s joins that the reach does not know of.
        let outflow: Vec<f64> = routed.iter().map(|o| o + 30.0).collect();
        let told = forecast(&reach, 1.0, &inflow, &outflow, 24, &HOW).unwrap();
        let plain = forecast(&reach, 1.0, &inflow, &[f64::NAN; 120], 24, &HOW).unwrap();
        assert!(told.kept > 0.9, "{}", told.kept);
        let more = told.leads[0].flow - plain.leads[0].flow;
        assert!((more - 30.0).abs() < 6.0, "{more}");
        assert_eq!((plain.error, plain.kept), (None, 0.0));
        assert!(
            plain
                .leads
                .iter()
                .all(|lead| lead.interval.is_none() && lead.compared == 0)
        );
        assert_eq!(forecast(&reach, 1.0, &[1.0], &[1.0], 0, &HOW), None);
    }
}
