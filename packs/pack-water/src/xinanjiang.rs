//! The three-source Xinanjiang model (新安江三水源模型): rain and potential evaporation of a basin in, discharge out.
//!
//! Zhao R. J. (1992), The Xinanjiang model applied in China, J. Hydrology 135, 371–381; Bao W. M. (2009), 水文预报 (Hydrological
//! Forecasting), 4th ed., chapter 5, whose order of reckoning is followed:
//!
//! 1. evaporation from three layers (upper, lower, deep);
//! 2. runoff where the tension water's capacity, spread over the basin as a parabola of exponent B, is full (蓄满产流);
//! 3. that runoff through a free water reservoir of capacity SM, spread with exponent EX, into surface water, interflow and groundwater.
//!    A step with much runoff is divided into pieces of at most [`Parameters::piece_mm`], the coefficients with it, since the
//!    reservoir's balance is otherwise off (前向差分误差);
//! 4. interflow and groundwater through linear reservoirs (CI, CG);
//! 5. the network: lag L and recession CS of all three, or a unit hydrograph of the surface water.
//!
//! Two departures from the book, both so that no water is lost: what the free water reservoir cannot hold when the area that runs off
//! shrinks goes into surface water, and the deep layer gives no more than it has. `tests/xinanjiang.rs` counts the water.
//!
//! KI, KG, CI, CG and CS are given for a day, whatever the step: they are converted as of Bao, eqs. 5-32 and 5-33.

use crate::math::{count, pow, whole};
use serde::{Deserialize, Serialize};

/// The parameters, in the usual letters; ranges as of Zhao (1992), table 1, widened to what calibrations find.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// K: potential evaporation by what was measured, without unit, 0.2 to 1.5.
    pub k: f64,
    /// B: exponent of the tension water's capacity curve, 0.05 to 0.6.
    pub b: f64,
    /// IM: share of the basin that is impervious, 0 to 0.2.
    pub im: f64,
    /// WUM: tension water capacity of the upper layer, mm, 5 to 40.
    pub wum: f64,
    /// WLM: that of the lower layer, mm, 40 to 120.
    pub wlm: f64,
    /// WDM: that of the deep layer, mm, 10 to 120.
    pub wdm: f64,
    /// C: evaporation of the deep layer, without unit, 0.05 to 0.25.
    pub c: f64,
    /// SM: areal mean of the free water capacity, mm, 1 to 100.
    pub sm: f64,
    /// EX: exponent of its curve, 0.5 to 2.
    pub ex: f64,
    /// KI: outflow of free water to interflow in a day, 0 to 0.7; KI + KG below 1.
    pub ki: f64,
    /// KG: outflow of free water to groundwater in a day, 0 to 0.7.
    pub kg: f64,
    /// CI: recession of interflow in a day, 0 to 0.95.
    pub ci: f64,
    /// CG: recession of groundwater in a day, 0.9 to 0.999.
    pub cg: f64,
    /// CS: recession of the network in a day, 0 to 0.9.
    pub cs: f64,
    /// L: lag of the network, h, 0 to 240. Between whole steps the two beside are weighted.
    pub lag_h: f64,
    /// Largest piece of runoff that goes through the free water reservoir at once, mm; 5 in the book, infinite for no division.
    pub piece_mm: f64,
    /// Ordinates of a unit hydrograph, one a step, which add up to 1; empty for lag and recession.
    pub unit_hydrograph: Vec<f64>,
}

impl Default for Parameters {
    /// Of a humid basin, to begin with (Zhao 1992).
    fn default() -> Self {
        Self {
            k: 1.0,
            b: 0.3,
            im: 0.01,
            wum: 20.0,
            wlm: 70.0,
            wdm: 40.0,
            c: 0.16,
            sm: 30.0,
            ex: 1.2,
            ki: 0.3,
            kg: 0.4,
            ci: 0.7,
            cg: 0.98,
            cs: 0.3,
            lag_h: 0.0,
            piece_mm: 5.0,
            unit_hydrograph: Vec::new(),
        }
    }
}

/// What the basin holds between two steps: a run can be gone on with from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Tension water of the upper layer, mm.
    pub wu: f64,
    /// That of the lower layer, mm.
    pub wl: f64,
    /// That of the deep layer, mm.
    pub wd: f64,
    /// Free water over the area that runs off, mm.
    pub s: f64,
    /// Share of the pervious basin that runs off.
    pub fr: f64,
    /// Interflow, mm a step.
    pub qi: f64,
    /// Groundwater, mm a step.
    pub qg: f64,
    /// What left the network, mm a step.
    pub q: f64,
    /// What came into the network (or, with a unit hydrograph, surface water) before, the newest last, mm a step.
    pub past: Vec<f64>,
}

impl State {
    /// A basin whose layers and free water are half full, with little flow.
    pub fn half(parameters: &Parameters) -> Self {
        Self {
            wu: 0.5 * parameters.wum,
            wl: 0.5 * parameters.wlm,
            wd: 0.5 * parameters.wdm,
            s: 0.5 * parameters.sm,
            fr: 0.1,
            qi: 0.1,
            qg: 0.1,
            q: 0.0,
            past: Vec::new(),
        }
    }
}

/// What one step gave, each in mm over the basin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Step {
    /// What leaves the basin.
    pub q: f64,
    /// Evaporation.
    pub e: f64,
    /// Surface water, with that of the impervious area, before the network.
    pub rs: f64,
    /// Water that went to interflow.
    pub ri: f64,
    /// Water that went to groundwater.
    pub rg: f64,
}

/// The model with its coefficients for one length of step.
#[derive(Clone, Debug)]
pub struct Model {
    p: Parameters,
    /// Largest tension and free water capacity of a point, mm.
    wmm: f64,
    ms: f64,
    /// Coefficients for one step.
    ki: f64,
    kg: f64,
    ci: f64,
    cg: f64,
    cs: f64,
    /// The lag in whole steps and the rest.
    lag: usize,
    rest: f64,
    /// How many of the past are kept.
    keeps: usize,
}

impl Model {
    /// For steps of so many hours. KI + KG from 1 on is scaled to just below 1.
    pub fn new(parameters: &Parameters, step_h: f64) -> Self {
        let p = parameters.clone();
        let days = step_h / 24.0;
        let together = p.ki + p.kg;
        let (ki, kg) = if together < 1.0 {
            (p.ki, p.kg)
        } else {
            let scale = (1.0 - 1e-5) / together;
            (p.ki * scale, p.kg * scale)
        };
        let (ki, kg) = divided(ki, kg, days);
        // One day is taken as it is: 1 − (1 − x) is not x to the last bit.
        let of_step = |daily: f64| {
            if (days - 1.0).abs() < f64::EPSILON {
                daily
            } else {
                pow(daily, days)
            }
        };
        let steps = p.lag_h / step_h;
        let lag = whole(steps);
        let rest = steps - count(lag);
        let keeps = if p.unit_hydrograph.is_empty() {
            lag + 2
        } else {
            p.unit_hydrograph.len()
        };
        Self {
            wmm: (p.wum + p.wlm + p.wdm) * (1.0 + p.b),
            ms: p.sm * (1.0 + p.ex),
            ki,
            kg,
            ci: of_step(p.ci),
            cg: of_step(p.cg),
            cs: of_step(p.cs),
            lag,
            rest,
            keeps,
            p,
        }
    }

    /// One step on: rain and measured potential evaporation, mm; negative ones count as none.
    pub fn step(&self, state: &mut State, rain: f64, evaporation: f64) -> Step {
        let p = &self.p;
        let rain = rain.max(0.0);
        let wanted = (evaporation * p.k).max(0.0);
        let (eu, el, ed) = self.evaporate(state, rain, wanted);
        let e = eu + el + ed;
        let net = rain - e;
        let pe = net.max(0.0);
        let r = self.runoff(state, pe);
        self.store(state, net, r, el, ed);
        let (rs, ri, rg) = self.divide(state, pe, r);
        let pervious = 1.0 - p.im;
        let (rs, ri, rg) = (rs * pervious + pe * p.im, ri * pervious, rg * pervious);
        state.qi = self.ci * state.qi + (1.0 - self.ci) * ri;
        state.qg = self.cg * state.qg + (1.0 - self.cg) * rg;
        let q = self.network(state, rs);
        Step { q, e, rs, ri, rg }
    }

    /// Evaporation of the three layers (Zhao 1992, eqs. 1 to 3).
    fn evaporate(&self, state: &State, rain: f64, wanted: f64) -> (f64, f64, f64) {
        let p = &self.p;
        if state.wu + rain >= wanted {
            return (wanted, 0.0, 0.0);
        }
        let eu = state.wu + rain;
        let left = wanted - eu;
        if state.wl >= p.c * p.wlm {
            (eu, left * state.wl / p.wlm, 0.0)
        } else if state.wl >= p.c * left {
            (eu, p.c * left, 0.0)
        } else {
            (eu, state.wl, (p.c * left - state.wl).min(state.wd))
        }
    }

    /// Runoff of the pervious area, mm over it (Zhao 1992, eqs. 5 to 8).
    fn runoff(&self, state: &State, pe: f64) -> f64 {
        if pe <= 0.0 {
            return 0.0;
        }
        let p = &self.p;
        let wm = p.wum + p.wlm + p.wdm;
        let w = (state.wu + state.wl + state.wd).min(wm);
        let a = self.wmm * (1.0 - pow(1.0 - w / wm, 1.0 / (1.0 + p.b)));
        let r = if pe + a < self.wmm {
            pe - (wm - w) + wm * pow(1.0 - (pe + a) / self.wmm, 1.0 + p.b)
        } else {
            pe - (wm - w)
        };
        r.max(0.0)
    }

    /// What does not run off fills the layers from above; what evaporates leaves them.
    fn store(&self, state: &mut State, net: f64, r: f64, el: f64, ed: f64) {
        let p = &self.p;
        if net > 0.0 {
            let mut left = net - r;
            for (layer, most) in [
                (&mut state.wu, p.wum),
                (&mut state.wl, p.wlm),
                (&mut state.wd, p.wdm),
            ] {
                let taken = left.min(most - *layer);
                *layer += taken;
                left -= taken;
            }
            // The curve's own rounding, far below what is measured.
            state.wd = (state.wd + left).clamp(0.0, p.wdm);
        } else {
            state.wu = (state.wu + net + el + ed).max(0.0);
            state.wl = (state.wl - el).max(0.0);
            state.wd = (state.wd - ed).max(0.0);
        }
    }

    /// The runoff as surface water, interflow and groundwater, mm over the pervious area (Zhao 1992, eqs. 9 to 15; pieces as of Bao 2009).
    fn divide(&self, state: &mut State, pe: f64, r: f64) -> (f64, f64, f64) {
        let p = &self.p;
        if r <= 0.0 {
            // The area stays: free water that it holds goes on leaving.
            let (ri, rg) = (self.ki * state.s * state.fr, self.kg * state.s * state.fr);
            state.s *= 1.0 - self.ki - self.kg;
            return (0.0, ri, rg);
        }
        let pieces = if r <= p.piece_mm {
            1.0
        } else {
            (r / p.piece_mm).ceil()
        };
        let (ki, kg) = divided(self.ki, self.kg, 1.0 / pieces);
        let (r_piece, pe_piece) = (r / pieces, pe / pieces);
        let (mut rs, mut ri, mut rg) = (0.0, 0.0, 0.0);
        let fr = (r / pe).min(1.0);
        let mut s = state.s * state.fr / fr;
        for _ in 0..whole(pieces) {
            if s > p.sm {
                rs += (s - p.sm) * fr;
                s = p.sm;
            }
            let au = self.ms * (1.0 - pow(1.0 - s / p.sm, 1.0 / (1.0 + p.ex)));
            let over = if pe_piece + au < self.ms {
                pe_piece - p.sm + s + p.sm * pow(1.0 - (pe_piece + au) / self.ms, 1.0 + p.ex)
            } else {
                pe_piece + s - p.sm
            };
            let surface = (over * fr).clamp(0.0, r_piece);
            rs += surface;
            s += (r_piece - surface) / fr;
            if s > p.sm {
                rs += (s - p.sm) * fr;
                s = p.sm;
            }
            ri += ki * s * fr;
            rg += kg * s * fr;
            s *= 1.0 - ki - kg;
        }
        state.s = s;
        state.fr = fr;
        (rs, ri, rg)
    }

    /// Through the network, mm a step.
    fn network(&self, state: &mut State, rs: f64) -> f64 {
        let p = &self.p;
        let newest = if p.unit_hydrograph.is_empty() {
            rs + state.qi + state.qg
        } else {
            rs
        };
        if state.past.len() >= self.keeps {
            state.past.drain(..=state.past.len() - self.keeps);
        }
        state.past.push(newest);
        let last = state.past.len() - 1;
        let before = |steps: usize| last.checked_sub(steps).and_then(|at| state.past.get(at));
        state.q = if p.unit_hydrograph.is_empty() {
            match (before(self.lag), before(self.lag + 1)) {
                (Some(now), before) => {
                    let late = before.unwrap_or(now);
                    let lagged = (1.0 - self.rest) * now + self.rest * late;
                    self.cs * state.q + (1.0 - self.cs) * lagged
                }
                // Nothing is known from so long ago: as if the flow had been even.
                (None, _) => newest,
            }
        } else {
            let ordinates = p.unit_hydrograph.iter().enumerate();
            let surface: f64 = ordinates.filter_map(|(n, u)| Some(u * before(n)?)).sum();
            surface + state.qi + state.qg
        };
        state.q
    }
}

/// Outflow coefficients for a fraction of the time that they are for: together `1 − (1 − KI − KG)^t`, in the same proportion.
fn divided(ki: f64, kg: f64, time: f64) -> (f64, f64) {
    let together = ki + kg;
    if (time - 1.0).abs() < f64::EPSILON || together <= 0.0 {
        return (ki, kg);
    }
    let of_time = 1.0 - pow(1.0 - together, time);
    (of_time * ki / together, of_time * kg / together)
}

/// A whole series, mm a step; the state is that after its last step.
pub fn run(model: &Model, state: &mut State, rain: &[f64], evaporation: &[f64]) -> Vec<Step> {
    let pairs = rain.iter().zip(evaporation);
    pairs.map(|(p, e)| model.step(state, *p, *e)).collect()
}

/// m³/s for a depth in mm a step over a basin in km².
pub fn discharge(depth_mm: f64, area_km2: f64, step_h: f64) -> f64 {
    depth_mm * area_km2 / (3.6 * step_h)
}
