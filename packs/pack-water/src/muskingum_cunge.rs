//! Muskingum–Cunge routing (马斯京根–康吉法): K and x follow from the channel instead of from past floods.
//!
//! Cunge (1969), J. Hydraulic Research 7(2); in the form of Ponce (1989), Engineering Hydrology, section 9.4: Courant number
//! `C = c Δt / Δx`, cell Reynolds number `D = q / (S₀ c Δx)`. The discharge at which celerity and width are taken is that of one
//! reference (constant parameters) or the mean of the cell's three known corners (variable parameters, Ponce & Yevjevich 1978).

use crate::math::{count, pow};
use serde::Serialize;

/// Celerity and unit discharge of a reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Channel {
    /// Taken at one discharge: the celerity c of the wave in m/s, and the reference discharge by the surface width, in m²/s.
    Constant {
        /// Celerity, m/s.
        celerity_ms: f64,
        /// Reference discharge by surface width, m²/s.
        unit_discharge_m2s: f64,
    },
    /// A trapezoid with Manning's roughness: both follow the discharge.
    Trapezoid {
        /// Width of the bed, m; more than 0.
        bed_m: f64,
        /// Run of the banks for one of rise; 0 for a rectangle.
        bank_slope: f64,
        /// Manning's n, s/m^(1/3).
        roughness: f64,
    },
}

/// A reach of a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// Its length, m.
    pub length_m: f64,
    /// Slope of its bed, m/m.
    pub slope: f64,
    /// The channel.
    pub channel: Channel,
    /// In how many equal parts it is routed.
    pub parts: usize,
}

/// The routing coefficients of Ponce (1989), eqs. 9-64 to 9-66: `Q₂ = C₀ I₂ + C₁ I₁ + C₂ Q₁`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Coefficients {
    /// Of the inflow at the end of the step.
    pub c0: f64,
    /// Of the inflow at its beginning.
    pub c1: f64,
    /// Of the outflow at its beginning.
    pub c2: f64,
    /// Courant number.
    pub courant: f64,
    /// Cell Reynolds number.
    pub reynolds: f64,
}

impl Coefficients {
    /// Of celerity (m/s), unit discharge (m²/s), slope, cell length (m) and step (s).
    pub fn new(celerity: f64, unit: f64, slope: f64, cell_m: f64, step_s: f64) -> Self {
        let courant = celerity * step_s / cell_m;
        let reynolds = unit / (slope * celerity * cell_m);
        let below = 1.0 + courant + reynolds;
        Self {
            c0: (-1.0 + courant + reynolds) / below,
            c1: (1.0 + courant - reynolds) / below,
            c2: (1.0 - courant + reynolds) / below,
            courant,
            reynolds,
        }
    }

    /// Whether the cell is fine enough: `C + D ≥ 1` (Ponce 1989), so that the outflow does not dip at first.
    pub fn is_sound(&self) -> bool {
        self.courant + self.reynolds >= 1.0
    }
}

/// A routed hydrograph.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed {
    /// Outflow, m³/s, at the ends of the steps.
    pub outflow: Vec<f64>,
    /// Steps, over all parts, whose cell was not fine enough.
    pub unsound: usize,
}

/// Rounds of Newton's method for the depth; it doubles its digits with each.
const ROUNDS_MAX: usize = 60;

/// Celerity (m/s) and unit discharge (m²/s) of a channel at a discharge (m³/s) and slope.
fn at(channel: &Channel, slope: f64, discharge: f64) -> (f64, f64) {
    match *channel {
        Channel::Constant {
            celerity_ms,
            unit_discharge_m2s,
        } => (celerity_ms, unit_discharge_m2s),
        Channel::Trapezoid {
            bed_m,
            bank_slope,
            roughness,
        } => {
            let depth = normal_depth(bed_m, bank_slope, roughness, slope, discharge);
            let area = depth * (bed_m + bank_slope * depth);
            let side = (1.0 + bank_slope * bank_slope).sqrt();
            let wetted = bed_m + 2.0 * depth * side;
            let width = bed_m + 2.0 * bank_slope * depth;
            let radius = area / wetted;
            let speed = pow(radius, 2.0 / 3.0) * slope.sqrt() / roughness;
            // dQ/dA of Manning's formula.
            let celerity = speed * (5.0 / 3.0 - 4.0 / 3.0 * radius * side / width);
            (celerity, discharge / width)
        }
    }
}

/// Depth (m) at which a trapezoid carries the discharge (m³/s) in uniform flow, by Manning's formula.
pub fn normal_depth(
    bed_m: f64,
    bank_slope: f64,
    roughness: f64,
    slope: f64,
    discharge: f64,
) -> f64 {
    let wanted = discharge * roughness / slope.sqrt();
    let side = (1.0 + bank_slope * bank_slope).sqrt();
    let carried = |depth: f64| {
        let area = depth * (bed_m + bank_slope * depth);
        let wetted = bed_m + 2.0 * depth * side;
        (area, wetted, area * pow(area / wetted, 2.0 / 3.0))
    };
    // Of a wide rectangle, which is near.
    let mut depth = pow(wanted / bed_m, 0.6).max(1e-9);
    for _ in 0..ROUNDS_MAX {
        let (area, wetted, conveyed) = carried(depth);
        let width = bed_m + 2.0 * bank_slope * depth;
        let slope_of_it = conveyed * (5.0 / 3.0 * width / area - 2.0 / 3.0 * 2.0 * side / wetted);
        let next = (depth - (conveyed - wanted) / slope_of_it).max(depth / 10.0);
        let change = (next - depth).abs();
        depth = next;
        if change <= 1e-12 * depth {
            break;
        }
    }
    depth
}

/// The least discharge (m³/s) at which a trapezoid's celerity is taken: a dry one has none.
const LEAST: f64 = 1e-3;

/// Outflow (m³/s) for each inflow (m³/s) at the ends of equal steps. The first outflow is what comes in at first.
pub fn route(reach: &Reach, inflow: &[f64], step_h: f64) -> Routed {
    let parts = reach.parts.max(1);
    let cell = reach.length_m / count(parts);
    let mut flow = inflow.to_vec();
    let mut unsound = 0;
    for _ in 0..parts {
        let mut out = Vec::with_capacity(flow.len());
        let mut last = flow.first().copied().unwrap_or_default();
        if !flow.is_empty() {
            out.push(last);
        }
        for pair in flow.windows(2) {
            if let [before, now] = pair {
                let reference = ((before + now + last) / 3.0).max(LEAST);
                let (celerity, unit) = at(&reach.channel, reach.slope, reference);
                let c = Coefficients::new(celerity, unit, reach.slope, cell, step_h * 3600.0);
                if !c.is_sound() {
                    unsound += 1;
                }
                // A dip below nothing is the scheme's, not the river's.
                last = (c.c0 * now + c.c1 * before + c.c2 * last).max(0.0);
                out.push(last);
            }
        }
        flow = out;
    }
    Routed {
        outflow: flow,
        unsound,
    }
}
