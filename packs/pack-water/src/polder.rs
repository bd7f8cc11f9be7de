//! A polder behind a dike (圩区、内河), which a gate drains while the river outside is lower (自排) and pumps drain while it is not (提排).
//!
//! * Balance of a step over a surface that stays: `z₂ = z₁ + (q_in − q_gate − q_pump) Δt / A`.
//! * Gate: flow below its edge, `Q = μ n b e √(2 g ΔH)` (Henderson 1966, Open Channel Flow, section 6.3), and never more than goes over a broad sill at the
//!   critical depth, `Q = 1.705 n b H^1.5` in m and s (Chow 1959, Open-Channel Hydraulics, section 3.6). Water goes to the lower side, whichever that is.
//! * Pumps: units of one discharge each, between the stage at which they start and the one at which they stop, and never while the river is above the highest
//!   stage at which they may run.

use crate::math::{count, whole};

/// Gravity, m/s².
const GRAVITY: f64 = 9.81;
/// √g (2/3)^1.5: what goes over a broad sill, in m and s.
const BROAD_SILL: f64 = 1.705;
/// Least difference of stages at which a gate is opened, m: less drains nothing, and the river may rise meanwhile.
pub const HEAD_M_MIN: f64 = 0.05;
/// Steps of an opening that is suggested, 1/m: tenths of a metre.
const OPENINGS_A_METRE: f64 = 10.0;
/// Stages that differ by less are the same, m.
const STAGE_SLACK_M: f64 = 1e-3;

/// A gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// Bays.
    pub bays: f64,
    /// Clear width of one, m.
    pub width_m: f64,
    /// Sill, m.
    pub sill_m: f64,
    /// Full opening, m.
    pub height_m: f64,
    /// Coefficient μ of the flow below its edge.
    pub coefficient: f64,
    /// Outside stage from which on it must stay closed, m.
    pub guarantee_m: Option<f64>,
}

impl Gate {
    /// What goes through at an opening, m³/s: positive out of the polder.
    pub fn flow(&self, inside: f64, outside: f64, opening: f64) -> f64 {
        let (upper, lower) = (
            inside.max(outside) - self.sill_m,
            inside.min(outside) - self.sill_m,
        );
        if upper <= 0.0 || opening <= 0.0 {
            return 0.0;
        }
        let head = upper - lower.max(0.0);
        let wide = self.bays * self.width_m;
        let below =
            self.coefficient * wide * opening.min(self.height_m) * (2.0 * GRAVITY * head).sqrt();
        let over = BROAD_SILL * wide * upper * upper.sqrt();
        let flow = below.min(over);
        if inside >= outside { flow } else { -flow }
    }

    /// The least opening that lets so much out by itself, m; 0 where the river is not lower, or the gate must stay closed.
    fn draining(&self, wanted: f64, inside: f64, outside: f64) -> f64 {
        let is_held = self.guarantee_m.is_some_and(|stage| outside >= stage);
        if wanted <= 0.0 || is_held || inside - outside < HEAD_M_MIN {
            return 0.0;
        }
        let metre =
            self.flow(inside, outside, 1.0_f64.min(self.height_m)) / 1.0_f64.min(self.height_m);
        if metre <= 0.0 {
            return 0.0;
        }
        let tenths = (wanted / metre * OPENINGS_A_METRE).ceil() / OPENINGS_A_METRE;
        // Whole centimetres: what the command takes.
        tenths.min((self.height_m * 100.0).floor() / 100.0)
    }
}

/// The pumps of a station.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pumps {
    /// Units that could run.
    pub units: usize,
    /// Discharge of one, m³/s.
    pub flow: f64,
    /// Power of one, kW.
    pub power_kw: f64,
    /// Inside stage at which they start, m.
    pub start_m: f64,
    /// Inside stage at which they stop, m.
    pub stop_m: f64,
    /// Outside stage above which they must not run, m.
    pub outlet_max_m: Option<f64>,
}

impl Pumps {
    fn may_run(&self, outside: f64) -> bool {
        self.outlet_max_m.is_none_or(|most| outside <= most)
    }
}

/// A polder as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Polder {
    /// Surface of the water that it holds, m².
    pub area_m2: f64,
    /// Stage inside now, m.
    pub level_m: f64,
    /// Stage inside that must not be passed, m.
    pub limit_m: f64,
    /// The gate, where one is known.
    pub gate: Option<Gate>,
    /// How far it is open now, m.
    pub opening_m: f64,
    /// The pumps.
    pub pumps: Pumps,
    /// Units that run now.
    pub running: usize,
    /// What comes in, m³/s, a mean for each step.
    pub inflow: Vec<f64>,
    /// Length of a step, s.
    pub step_s: f64,
}

/// One step: the stage at its end, the rest as its means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Stage inside, m.
    pub level: f64,
    /// Opening of the gate, m.
    pub opening: f64,
    /// What went through it, m³/s: positive out of the polder.
    pub drained: f64,
    /// Units that run.
    pub running: usize,
    /// What they lifted, m³/s: less than their discharge where the stopping stage was reached meanwhile.
    pub pumped: f64,
}

/// What gates and pumps are to do in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Order {
    opening: f64,
    units: usize,
}

/// How a step begins, and what comes in it.
#[derive(Clone, Copy, Debug)]
struct Now {
    n: usize,
    level: f64,
    running: usize,
    inflow: f64,
    outside: f64,
}

impl Polder {
    fn step(&self, level: f64, inflow: f64, outside: f64, order: Order) -> Step {
        let volume = |metres: f64| metres * self.area_m2 / self.step_s;
        let gate = self.gate.as_ref();
        let through = gate.map_or(0.0, |gate| gate.flow(level, outside, order.opening));
        // Not beyond the stage outside.
        let evening = volume((level - outside).abs());
        let drained = through.clamp(-evening, evening);
        let may = self.pumps.may_run(outside) && self.is_above_stop(level);
        let units = if may {
            order.units.min(self.pumps.units)
        } else {
            0
        };
        let above_stop = volume(level - self.pumps.stop_m) + inflow - drained;
        let pumped = (count(units) * self.pumps.flow).min(above_stop).max(0.0);
        Step {
            level: level + (inflow - drained - pumped) * self.step_s / self.area_m2,
            opening: order.opening,
            drained,
            running: units,
            pumped,
        }
    }

    /// The opening by which the polder drains by itself down to the stopping stage.
    fn draining(&self, level: f64, inflow: f64, outside: f64) -> f64 {
        let wanted = inflow + (level - self.pumps.stop_m) * self.area_m2 / self.step_s;
        let gate = self.gate.as_ref();
        gate.map_or(0.0, |gate| gate.draining(wanted, level, outside))
    }

    fn run(&self, outside: &[f64], mut order: impl FnMut(Now) -> Order) -> Vec<Step> {
        let (mut level, mut running) = (self.level_m, self.running);
        let mut all = Vec::with_capacity(outside.len());
        for (n, (inflow, outside)) in self.inflow.iter().zip(outside).enumerate() {
            let (inflow, outside) = (*inflow, *outside);
            let now = Now {
                n,
                level,
                running,
                inflow,
                outside,
            };
            let step = self.step(level, inflow, outside, order(now));
            (level, running) = (step.level, step.running);
            all.push(step);
        }
        all
    }

    /// The gate stays as it is, and so do the pumps, but for what stops them by itself: their stopping stage, and the river.
    pub fn nothing(&self, outside: &[f64]) -> Vec<Step> {
        let stays = Order {
            opening: self.opening_m,
            units: self.running,
        };
        self.run(outside, |_| stays)
    }

    /// By the station's rule: the gate drains whenever it can; all units from the starting stage down to the stopping stage.
    pub fn by_rules(&self, outside: &[f64]) -> Vec<Step> {
        self.run(outside, |now| {
            let opening = self.draining(now.level, now.inflow, now.outside);
            let runs = now.level >= self.pumps.start_m || self.goes_on(now);
            let units = if runs { self.pumps.units } else { 0 };
            Order { opening, units }
        })
    }

    /// The highest stage from a step on with so many units held, the gate draining whenever it can.
    fn ahead(&self, from: usize, level: f64, units: usize, outside: &[f64]) -> f64 {
        let mut level = level;
        let mut most = f64::NEG_INFINITY;
        for (inflow, outside) in self.inflow.iter().zip(outside).skip(from) {
            let opening = self.draining(level, *inflow, *outside);
            level = self
                .step(level, *inflow, *outside, Order { opening, units })
                .level;
            most = most.max(level);
        }
        most
    }

    /// By what is foretold: the gate drains whenever it can; the fewest units that, held, keep the stage at or below its limit, before the limit is reached
    /// where that is foretold (预排); what has begun to drain goes on down to the stopping stage with one unit.
    pub fn foreseeing(&self, outside: &[f64]) -> Vec<Step> {
        self.run(outside, |now| {
            let units = self.fewest(now, outside);
            Order {
                opening: self.draining(now.level, now.inflow, now.outside),
                units: units.max(usize::from(self.goes_on(now))),
            }
        })
    }

    /// Whether units that run have not come down to the stopping stage.
    fn goes_on(&self, now: Now) -> bool {
        now.running > 0 && self.is_above_stop(now.level)
    }

    fn is_above_stop(&self, level: f64) -> bool {
        level > self.pumps.stop_m + STAGE_SLACK_M
    }

    fn fewest(&self, now: Now, outside: &[f64]) -> usize {
        if !self.is_above_stop(now.level) || !self.pumps.may_run(now.outside) {
            return 0;
        }
        let mut best = (0, f64::INFINITY);
        for units in 0..=self.pumps.units {
            let most = self.ahead(now.n, now.level, units, outside);
            if most < best.1 - STAGE_SLACK_M {
                best = (units, most);
            }
            if most <= self.limit_m {
                break;
            }
        }
        best.0
    }

    /// How far a course passes the limit, m, in thousandths.
    pub fn over(&self, course: &[Step]) -> f64 {
        let most = course
            .iter()
            .map(|step| step.level)
            .fold(self.level_m, f64::max);
        (((most - self.limit_m).max(0.0)) * 1e3).round() / 1e3
    }

    /// What the pumps take, kWh.
    pub fn energy_kwh(&self, course: &[Step]) -> f64 {
        let pumps = &self.pumps;
        let hours = |step: &Step| match pumps.flow > 0.0 {
            true => step.pumped / pumps.flow * self.step_s / 3_600.0,
            false => 0.0,
        };
        course.iter().map(hours).sum::<f64>() * pumps.power_kw
    }

    /// What is suggested: things stay as they are where that passes no limit and costs no more; else what the forecast calls for, where that is better.
    pub fn suggested(&self, outside: &[f64]) -> Vec<Step> {
        let (stays, changes) = (self.nothing(outside), self.foreseeing(outside));
        let key = |course: &[Step]| (self.over(course), self.energy_kwh(course));
        if key(&changes) < key(&stays) {
            changes
        } else {
            stays
        }
    }
}

/// A number of units that somebody wrote, as whole units.
pub fn units(x: f64) -> usize {
    whole(x.round())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATE: Gate = Gate {
        bays: 2.0,
        width_m: 3.0,
        sill_m: 24.0,
        height_m: 2.5,
        coefficient: 0.6,
        guarantee_m: Some(29.0),
    };

    fn polder(inflow: &[f64]) -> Polder {
        Polder {
            area_m2: 1e6,
            level_m: 26.0,
            limit_m: 26.5,
            gate: Some(GATE),
            opening_m: 0.0,
            pumps: Pumps {
                units: 4,
                flow: 5.0,
                power_kw: 200.0,
                start_m: 26.5,
                stop_m: 25.8,
                outlet_max_m: Some(28.5),
            },
            running: 0,
            inflow: inflow.to_vec(),
            step_s: 3_600.0,
        }
    }

    #[test]
    fn a_gate_by_hand() {
        // 0.6 · 2 · 3 m · 0.5 m · √(2 · 9.81 · 1 m) = 7.973 m³/s, the other way round when the river is higher.
        assert!((GATE.flow(26.5, 25.5, 0.5) - 7.973).abs() < 1e-3);
        assert!((GATE.flow(25.5, 26.5, 0.5) + 7.973).abs() < 1e-3);
        // The sill's 1.705 · 6 m · 0.5^1.5 = 3.617 m³/s is the most at half a metre above it.
        assert!((GATE.flow(24.5, 23.0, 2.0) - 3.617).abs() < 1e-3);
        assert_eq!(GATE.flow(23.9, 23.0, 2.0), 0.0);
        // 10 m³/s need 0.627 m: seven tenths.
        assert!((GATE.draining(10.0, 26.5, 25.5) - 0.7).abs() < 1e-12);
        assert_eq!(GATE.draining(10.0, 26.5, 26.46), 0.0);
        assert_eq!(GATE.draining(10.0, 29.5, 29.0), 0.0);
        assert!((GATE.draining(1e3, 26.5, 25.5) - 2.5).abs() < 1e-12);
    }

    #[test]
    fn an_open_gate_lets_the_river_in_and_is_closed() {
        let mut polder = polder(&[9.0; 12]);
        polder.opening_m = 0.5;
        let outside = [27.5; 12];
        let stays = polder.nothing(&outside);
        assert!(stays[0].drained < -7.0 && polder.over(&stays) > 0.2);
        let closed = polder.suggested(&outside);
        assert!(
            closed
                .iter()
                .all(|step| step.opening == 0.0 && step.drained == 0.0)
        );
        assert_eq!(polder.over(&closed), 0.0);
    }

    #[test]
    fn the_fewest_units_hold_the_limit_and_begin_before_it_by_hand() {
        // 12 m³/s for twelve hours are 0.5184 m on 1 km²: 0.5 m are free, so that one unit must help.
        let polder = polder(&[12.0; 12]);
        let outside = [28.0; 12];
        let course = polder.suggested(&outside);
        assert_eq!((course[0].running, polder.over(&course)), (1, 0.0));
        assert!((course[0].level - (26.0 + 7.0 * 3_600.0 / 1e6)).abs() < 1e-12);
        assert!(polder.energy_kwh(&course) > 0.0);
        // The river will be too high for the pumps from the seventh hour on: more units before.
        let closing: Vec<f64> = (0..12).map(|n| if n < 6 { 28.0 } else { 28.6 }).collect();
        let mut wetter = polder.clone();
        wetter.inflow = vec![18.0; 12];
        let course = wetter.suggested(&closing);
        assert!(
            course[0].running >= 2 && course[6].running == 0,
            "{course:?}"
        );
        assert!(wetter.over(&course) <= wetter.over(&wetter.by_rules(&closing)));
    }

    #[test]
    fn pumps_end_at_their_stopping_stage_and_gravity_takes_their_place() {
        let mut polder = polder(&[0.0; 8]);
        polder.running = 4;
        let stays = polder.nothing(&[27.0; 8]);
        assert!((stays[7].level - 25.8).abs() < 1e-9 && stays[7].running == 0);
        // With the river low the gate does it, and no unit runs.
        polder.running = 0;
        polder.inflow = vec![20.0; 8];
        let course = polder.suggested(&[25.0; 8]);
        assert!(course.iter().all(|step| step.running == 0) && course[0].opening > 0.0);
        assert!(polder.over(&course) == 0.0 && polder.energy_kwh(&course) == 0.0);
    }
}
