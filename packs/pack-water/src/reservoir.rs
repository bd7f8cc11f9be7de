//! A reservoir and the reach below it, step by step (水库调洪演算): what is let out, what that makes of the level, and what comes to the control section.
//!
//! * Balance of a step: `S₂ = S₁ + (I − q) Δt` with means of the step; the level from the storage by the curve's straight lines (调洪演算, Chow, Maidment &
//!   Mays 1988, Applied Hydrology, section 8.2). What can be let out is that of the level at the step's beginning.
//! * Routing to the section: linear Muskingum ([`crate::muskingum`]); what joins between dam and section is added there.
//! * Cutting the peak (最大削峰): the smallest peak at the section that keeps the level below its limit, found by bisection; each release is the most that, held
//!   for as long as the reach remembers it, leaves the section at or below that peak. So water is let out before a flood comes rather than in it (预泄).

use crate::math::count;
use crate::muskingum::Coefficients;

/// Rounds of a bisection: the span is then smaller by 2⁵⁰.
const ROUNDS: usize = 50;
/// How far a level may pass a limit before it counts, m: what reckoning loses, not what a gauge shows.
const LEVEL_SLACK_M: f64 = 1e-6;
/// Share of a lasting change of the release that must have come to the section for the reach to have forgotten it.
const REMEMBERED: f64 = 0.995;

/// A line through points whose first number rises from each to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    points: Vec<(f64, f64)>,
}

impl Curve {
    /// Through these points. `None` when there are fewer than two, or one does not lie right of and (with `is_strict`, truly) above the one before it.
    pub fn new(points: Vec<(f64, f64)>, is_strict: bool) -> Option<Self> {
        let rises = points.windows(2).all(|pair| match pair {
            [(x, y), (x2, y2)] => x2 > x && if is_strict { y2 > y } else { y2 >= y },
            _ => false,
        });
        (points.len() >= 2 && rises).then_some(Self { points })
    }

    /// The lowest and the highest first number.
    pub fn range(&self) -> (f64, f64) {
        let ends = self.points.first().zip(self.points.last());
        ends.map_or((0.0, 0.0), |(low, high)| (low.0, high.0))
    }

    /// The value at `x`; beyond the ends the line goes on.
    pub fn at(&self, x: f64) -> f64 {
        between(&self.points, x, |p| *p)
    }

    /// Where the value is `y`: for curves that rise truly.
    pub fn inverse(&self, y: f64) -> f64 {
        between(&self.points, y, |(a, b)| (*b, *a))
    }

    /// The value at `x`: nothing below the lowest point, and no more than the highest has.
    pub fn within(&self, x: f64) -> f64 {
        let (low, high) = self.range();
        if x < low { 0.0 } else { self.at(x.min(high)) }
    }
}

/// By straight lines between points that are read through `turn`.
fn between(points: &[(f64, f64)], x: f64, turn: fn(&(f64, f64)) -> (f64, f64)) -> f64 {
    let at = points.partition_point(|point| turn(point).0 <= x);
    let first = at.clamp(1, points.len().max(2) - 1) - 1;
    match points.get(first..first + 2) {
        Some([a, b]) => {
            let ((x1, y1), (x2, y2)) = (turn(a), turn(b));
            y1 + (y2 - y1) * (x - x1) / (x2 - x1)
        }
        _ => f64::NAN,
    }
}

/// Month and day.
pub type Day = (u32, u32);

/// A step of the release rules (调度规则): in a span of days, levels and inflows, what is let out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// First and last day of the year, both in it; one that ends before it begins goes over the new year. The whole year when left out.
    pub days: Option<(Day, Day)>,
    /// From this level on, m.
    pub from_level: Option<f64>,
    /// Below this level, m.
    pub until_level: Option<f64>,
    /// From this inflow on, m³/s.
    pub from_inflow: Option<f64>,
    /// Below this inflow, m³/s.
    pub until_inflow: Option<f64>,
    /// What is let out, m³/s.
    pub outflow: Option<f64>,
    /// What is let out at least, m³/s.
    pub outflow_min: Option<f64>,
    /// What is let out at most, m³/s.
    pub outflow_max: Option<f64>,
}

impl Rule {
    fn holds(&self, day: Day, level: f64, inflow: f64) -> bool {
        let in_days = self.days.is_none_or(|(from, until)| {
            if from <= until {
                (from..=until).contains(&day)
            } else {
                day >= from || day <= until
            }
        });
        let within = |x: f64, from: Option<f64>, until: Option<f64>| {
            from.is_none_or(|from| x >= from) && until.is_none_or(|until| x < until)
        };
        in_days
            && within(level, self.from_level, self.until_level)
            && within(inflow, self.from_inflow, self.until_inflow)
    }
}

/// What is known of a reservoir and what it is held to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservoir {
    /// Storage by level: m, m³.
    pub storage: Curve,
    /// What can be let out at most by level: m, m³/s. Without bound when it is not known.
    pub discharge: Option<Curve>,
    /// The rules, of which the first that holds counts.
    pub rules: Vec<Rule>,
    /// Below this level nothing is let out, m.
    pub dead_m: f64,
    /// The level to which it is drawn down in the flood season, m.
    pub flood_limit_m: f64,
    /// The level to which it may be drawn down before a flood, m: at most the flood-limit level.
    pub drawdown_m: f64,
    /// The level that must not be passed, m.
    pub limit_m: f64,
}

impl Reservoir {
    fn rule(&self, day: Day, level: f64, inflow: f64) -> Option<&Rule> {
        self.rules
            .iter()
            .find(|rule| rule.holds(day, level, inflow))
    }

    /// What can be let out at most at a level, m³/s.
    pub fn capacity(&self, level: f64) -> f64 {
        let curve = self.discharge.as_ref();
        curve.map_or(f64::INFINITY, |curve| curve.within(level).max(0.0))
    }

    /// What of a wanted release can be let out in a step, m³/s.
    fn possible(&self, wanted: f64, at: Standing) -> f64 {
        let above_dead = (at.storage - self.storage.at(self.dead_m)) / at.step_s + at.inflow;
        wanted.min(self.capacity(at.level)).min(above_dead).max(0.0)
    }
}

/// A river between the dam and the control section.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    coefficients: Option<Coefficients>,
    /// In how many parts it is routed.
    pub parts: usize,
}

impl Reach {
    /// Of Muskingum's K (hours) and x for a step in hours; without K the section is at the dam. A reach that is long for the step is routed in as many equal
    /// parts as make the coefficients sound; one that is too short for it passes on what comes in.
    pub fn new(k_h: Option<f64>, x: f64, step_h: f64) -> Self {
        let whole = |k_h: f64| Coefficients::new(k_h, x, step_h);
        let Some(k_h) = k_h.filter(|k_h| whole(*k_h).c3 >= 0.0) else {
            let coefficients = None;
            return Self {
                coefficients,
                parts: 0,
            };
        };
        let parts = match whole(k_h).are_sound() {
            true => 1,
            false => crate::math::whole((k_h / step_h).round()).max(1),
        };
        Self {
            coefficients: Some(whole(k_h / count(parts))),
            parts,
        }
    }

    /// Whether water takes time on its way.
    pub const fn is_routed(&self) -> bool {
        self.coefficients.is_some()
    }
}

/// The reach as it stands after some steps.
#[derive(Clone, Debug)]
struct Wave {
    reach: Reach,
    inflow: f64,
    out: Vec<f64>,
}

impl Wave {
    fn new(reach: Reach, inflow: f64, outflow: f64) -> Self {
        let out = vec![outflow; reach.parts];
        Self { reach, inflow, out }
    }

    /// What comes out at the end of one more step in which so much comes in.
    fn step(&mut self, inflow: f64) -> f64 {
        let Some(c) = self.reach.coefficients else {
            return inflow;
        };
        let (mut before, mut now) = (self.inflow, inflow);
        self.inflow = inflow;
        for out in &mut self.out {
            let next = c.c1 * now + c.c2 * before + c.c3 * *out;
            (before, now) = (*out, next);
            *out = next;
        }
        now
    }
}

/// What comes, and how things stand at first. All series have one number a step, its mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Coming {
    /// Length of a step, s.
    pub step_s: f64,
    /// The level now, m.
    pub level_m: f64,
    /// What is let out now, m³/s.
    pub release: f64,
    /// What the reach brings to the section now, m³/s, without what joins.
    pub section: f64,
    /// Inflow to the reservoir, m³/s.
    pub inflow: Vec<f64>,
    /// What joins between dam and section, m³/s.
    pub lateral: Vec<f64>,
    /// The day of each step.
    pub days: Vec<Day>,
}

/// How a step begins.
#[derive(Clone, Copy, Debug)]
struct Standing {
    n: usize,
    level: f64,
    storage: f64,
    inflow: f64,
    step_s: f64,
}

/// What becomes of it: levels and storages at the ends of the steps, the rest as means of the steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// Level, m.
    pub level: Vec<f64>,
    /// Storage, m³.
    pub storage: Vec<f64>,
    /// Let out, m³/s.
    pub release: Vec<f64>,
    /// At the section, m³/s.
    pub section: Vec<f64>,
    /// Steps in which a rule's least or most was not kept to.
    pub against_rules: Vec<bool>,
}

/// The largest of a series.
pub fn highest(series: &[f64]) -> f64 {
    series.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// A reservoir, its reach, and what comes.
#[derive(Clone, Debug, PartialEq)]
pub struct River {
    /// The reservoir.
    pub reservoir: Reservoir,
    /// The reach below it.
    pub reach: Reach,
    /// What comes.
    pub coming: Coming,
    /// What the section carries without harm, m³/s.
    pub safe: f64,
}

/// How good a course is, the first number counting first; less is better. Rounded, so that what nobody can measure decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Score {
    /// How far the level passes its limit, m.
    pub over_limit: f64,
    /// How far the section passes its safe discharge, m³/s.
    pub over_safe: f64,
    /// How far and how long the level is above the flood-limit level, m·h.
    pub over_flood_limit: f64,
    /// The peak at the section, m³/s.
    pub peak: f64,
}

impl Score {
    /// Whether nothing is passed.
    pub fn is_free(&self) -> bool {
        self.over_limit <= 0.0 && self.over_safe <= 0.0 && self.over_flood_limit <= 0.0
    }
}

fn rounded(x: f64, to: f64) -> f64 {
    (x / to).round() * to
}

impl River {
    /// Steps with what the given rule wants of each.
    fn run(&self, inflow: &[f64], mut wanted: impl FnMut(Standing, &Wave) -> f64) -> Course {
        let Coming {
            step_s,
            lateral,
            days,
            ..
        } = &self.coming;
        let reservoir = &self.reservoir;
        let mut wave = Wave::new(self.reach, self.coming.release, self.coming.section);
        let mut course = Course::default();
        let mut level = self.coming.level_m;
        let mut storage = reservoir.storage.at(level);
        for (n, inflow) in inflow.iter().copied().enumerate() {
            let at = Standing {
                n,
                level,
                storage,
                inflow,
                step_s: *step_s,
            };
            let release = reservoir.possible(wanted(at, &wave), at);
            let day = days.get(n).copied().unwrap_or((1, 1));
            let rule = reservoir.rule(day, level, inflow);
            let is_against = rule.is_some_and(|rule| {
                let slack = 1e-6 * (1.0 + release);
                rule.outflow_max.is_some_and(|most| release > most + slack)
                    || rule
                        .outflow_min
                        .is_some_and(|least| release < least - slack)
            });
            storage += (inflow - release) * step_s;
            level = reservoir.storage.inverse(storage);
            let joins = lateral.get(n).copied().unwrap_or_default();
            course.level.push(level);
            course.storage.push(storage);
            course.release.push(release);
            course.section.push(wave.step(release) + joins);
            course.against_rules.push(is_against);
        }
        course
    }

    /// Everything stays as it is (维持现状).
    pub fn nothing(&self) -> Course {
        self.run(&self.coming.inflow, |_, _| self.coming.release)
    }

    /// By the release rules (按调度规则): a rule's discharge; else, between its least and most, what comes in, and above the flood-limit level as much as
    /// leads back to it. Where no rule holds, the safe discharge is the most until the level has reached its limit.
    pub fn by_rules(&self) -> Course {
        let reservoir = &self.reservoir;
        let back_to = reservoir.storage.at(reservoir.flood_limit_m);
        self.run(&self.coming.inflow, |at, _| {
            let day = self.coming.days.get(at.n).copied().unwrap_or((1, 1));
            let rule = reservoir.rule(day, at.level, at.inflow);
            if let Some(fixed) = rule.and_then(|rule| rule.outflow) {
                return fixed;
            }
            let back = ((at.storage - back_to) / at.step_s).max(0.0) + at.inflow;
            let most = match rule {
                Some(rule) => rule.outflow_max.unwrap_or(f64::INFINITY),
                None if at.level < reservoir.limit_m => self.safe,
                None => f64::INFINITY,
            };
            let least = rule.and_then(|rule| rule.outflow_min).unwrap_or(0.0);
            back.min(most).max(least)
        })
    }

    /// The releases of a course with another inflow: what becomes of it when more comes than was foretold.
    pub fn with_inflow(&self, course: &Course, inflow: &[f64]) -> Course {
        self.run(inflow, |at, _| {
            course.release.get(at.n).copied().unwrap_or_default()
        })
    }

    /// What a lasting release of 1 m³/s brings to the section, by steps: as far as the reach remembers.
    fn response(&self) -> Vec<f64> {
        let mut wave = Wave::new(self.reach, 0.0, 0.0);
        let mut all = Vec::new();
        for _ in 0..self.coming.inflow.len() {
            let came = wave.step(1.0);
            all.push(came);
            if came >= REMEMBERED {
                break;
            }
        }
        all
    }

    /// The most that, held for as long as the reach remembers, leaves the section at or below a peak. Where water that is on its way already passes the peak,
    /// what the section carries for good: the dam is not closed for what cannot be called back.
    fn held(&self, peak: f64, n: usize, wave: &Wave, response: &[f64]) -> f64 {
        let mut without = wave.clone();
        let (mut most, mut for_good) = (f64::INFINITY, f64::INFINITY);
        let laterals = self.coming.lateral.get(n..).unwrap_or_default();
        for (share, lateral) in response.iter().zip(laterals) {
            for_good = for_good.min(peak - lateral);
            let room = peak - lateral - without.step(0.0);
            // What comes of it in a step that it hardly reaches is of no weight.
            if *share > 1e-3 {
                most = most.min(room / share);
            }
        }
        most.max(for_good).max(0.0)
    }

    /// The course that keeps the section at or below a peak where it can, and the level no lower than `floor_m`.
    fn below(&self, peak: f64, floor_m: f64, response: &[f64]) -> Course {
        let reservoir = &self.reservoir;
        let floor = reservoir.storage.at(floor_m);
        self.run(&self.coming.inflow, |at, wave| {
            let day = self.coming.days.get(at.n).copied().unwrap_or((1, 1));
            let rule = reservoir.rule(day, at.level, at.inflow);
            let down_to_floor = (at.storage - floor) / at.step_s + at.inflow;
            let wanted = self.held(peak, at.n, wave, response).min(down_to_floor);
            let least = rule.and_then(|rule| rule.outflow_min).unwrap_or(0.0);
            let most = rule.and_then(|rule| rule.outflow_max);
            wanted.max(least).min(most.unwrap_or(f64::INFINITY))
        })
    }

    fn keeps_limit(&self, course: &Course) -> bool {
        highest(&course.level) <= self.reservoir.limit_m + LEVEL_SLACK_M
    }

    /// The peak is cut as far as the level's limit allows (最大削峰); within the safe discharge the level is led back to the flood limit first. Drawn down
    /// below the flood limit only where the section would pass its safe discharge otherwise, and no further than needed.
    pub fn cut(&self) -> Course {
        let response = self.response();
        let reservoir = &self.reservoir;
        let floor = reservoir.flood_limit_m;
        let step_s = self.coming.step_s;
        let above = (reservoir.storage.at(self.coming.level_m)
            - reservoir.storage.at(reservoir.dead_m))
        .max(0.0);
        // With this much nothing holds a release back.
        let free = highest(&self.coming.inflow).max(0.0)
            + above / step_s
            + highest(&self.coming.lateral).max(0.0)
            + self.coming.section
            + self.safe;
        let least_peak = |floor: f64, from: f64, until: f64, is_good: &dyn Fn(&Course) -> bool| {
            bisect(from, until, |peak| {
                is_good(&self.below(peak, floor, &response))
            })
        };
        let keeps = |course: &Course| self.keeps_limit(course);
        let peak = least_peak(floor, 0.0, free, &keeps);
        if peak <= self.safe {
            let with_safe = self.score(&self.below(self.safe, floor, &response));
            let is_as_low = |course: &Course| {
                let score = self.score(course);
                keeps(course) && score.over_flood_limit <= with_safe.over_flood_limit
            };
            let peak = least_peak(floor, peak, self.safe, &is_as_low);
            return self.below(peak, floor, &response);
        }
        let lowest = reservoir.drawdown_m.min(floor);
        if lowest >= floor {
            return self.below(peak, floor, &response);
        }
        let drawn = least_peak(lowest, 0.0, peak, &keeps);
        if drawn > self.safe {
            return self.below(drawn, lowest, &response);
        }
        // The least drawdown that will do.
        let down = bisect(0.0, floor - lowest, |down| {
            keeps(&self.below(self.safe, floor - down, &response))
        });
        self.below(self.safe, floor - down, &response)
    }

    /// How good a course is.
    pub fn score(&self, course: &Course) -> Score {
        let hours = self.coming.step_s / 3_600.0;
        let above = |level: &f64| (level - self.reservoir.flood_limit_m).max(0.0);
        let peak = highest(&course.section);
        Score {
            over_limit: rounded(
                (highest(&course.level) - self.reservoir.limit_m).max(0.0),
                1e-3,
            ),
            over_safe: rounded((peak - self.safe).max(0.0), 1e-2),
            over_flood_limit: rounded(course.level.iter().map(above).sum::<f64>() * hours, 1e-2),
            peak: rounded(peak, 1e-2),
        }
    }
}

/// The least number from `low` to `high` that is good, where all above a good one are; `high` when none is.
fn bisect(low: f64, high: f64, is_good: impl Fn(f64) -> bool) -> f64 {
    if is_good(low) {
        return low;
    }
    let (mut low, mut high) = (low, high);
    for _ in 0..ROUNDS {
        let middle = low + (high - low) / 2.0;
        if is_good(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10 km² at every level: 1 m is 10⁷ m³.
    fn river(k_h: Option<f64>, inflow: &[f64]) -> River {
        let steps = inflow.len();
        River {
            reservoir: Reservoir {
                storage: Curve::new(vec![(80.0, 0.0), (100.0, 2e8)], true).unwrap(),
                discharge: None,
                rules: Vec::new(),
                dead_m: 82.0,
                flood_limit_m: 90.0,
                drawdown_m: 90.0,
                limit_m: 92.0,
            },
            reach: Reach::new(k_h, 0.2, 1.0),
            coming: Coming {
                step_s: 3_600.0,
                level_m: 90.0,
                release: 100.0,
                section: 100.0,
                inflow: inflow.to_vec(),
                lateral: vec![0.0; steps],
                days: vec![(7, 1); steps],
            },
            safe: 500.0,
        }
    }

    #[test]
    fn curves_are_read_both_ways_and_go_on_beyond_their_ends() {
        let curve = Curve::new(vec![(80.0, 0.0), (90.0, 5.0), (100.0, 25.0)], true).unwrap();
        assert_eq!(
            (curve.at(85.0), curve.at(95.0), curve.at(101.0)),
            (2.5, 15.0, 27.0)
        );
        assert_eq!((curve.inverse(15.0), curve.inverse(27.0)), (95.0, 101.0));
        assert_eq!((curve.within(79.0), curve.within(101.0)), (0.0, 25.0));
        assert_eq!(Curve::new(vec![(80.0, 0.0), (80.0, 5.0)], true), None);
        assert_eq!(Curve::new(vec![(80.0, 5.0), (81.0, 5.0)], true), None);
        assert!(Curve::new(vec![(80.0, 5.0), (81.0, 5.0)], false).is_some());
    }

    #[test]
    fn a_step_by_hand() {
        // 100 m³/s more than is let out, for an hour, is 360,000 m³: 0.036 m on 10 km².
        let course = river(None, &[200.0, 100.0]).nothing();
        assert!((course.level[0] - 90.036).abs() < 1e-9 && (course.level[1] - 90.036).abs() < 1e-9);
        assert_eq!(course.section, [100.0, 100.0]);
    }

    #[test]
    fn the_peak_is_cut_to_what_the_storage_holds_by_hand() {
        // 1,500 m³/s for ten hours; 2 m hold 2·10⁷ m³, which is 555.56 m³/s over ten hours: 944.44 m³/s must go.
        let mut river = river(None, &[1_500.0; 10]);
        let course = river.cut();
        assert!((highest(&course.section) - (1_500.0 - 2e7 / 36_000.0)).abs() < 1e-3);
        assert!((highest(&course.level) - 92.0).abs() < 1e-5);
        // A metre that may be drawn down first is of no use once the flood is there, and of use before it: three hours of 100 m³/s.
        river.coming.inflow.splice(0..0, [100.0; 3]);
        (river.coming.lateral, river.coming.days) = (vec![0.0; 13], vec![(7, 1); 13]);
        river.reservoir.drawdown_m = 89.0;
        let drawn = river.cut();
        let peak = (15_300.0 * 3_600.0 - 2e7) / 13.0 / 3_600.0;
        assert!(
            (highest(&drawn.section) - peak).abs() < 1e-3,
            "{} {peak}",
            highest(&drawn.section)
        );
        assert!(drawn.level[2] < 89.4 && highest(&drawn.level) <= 92.000_01);
    }

    #[test]
    fn within_the_safe_discharge_the_level_goes_back_to_the_flood_limit() {
        let mut river = river(Some(4.0), &[300.0; 24]);
        river.coming.level_m = 90.5;
        let course = river.cut();
        assert!(highest(&course.section) <= 500.0 + 1e-6);
        assert!(course.level[23] < 90.001, "{}", course.level[23]);
        let by_rules = river.by_rules();
        assert_eq!(by_rules.release[0], 500.0);
    }

    #[test]
    fn a_section_that_is_above_its_safe_discharge_already_does_not_close_the_dam() {
        let mut river = river(Some(3.0), &[500.0; 24]);
        river.coming.lateral = vec![60.0; 24];
        (river.coming.release, river.coming.section) = (600.0, 600.0);
        let course = river.cut();
        assert!(
            (course.release[0] - 440.0).abs() < 0.2,
            "{}",
            course.release[0]
        );
        assert!(course.section[0] < 660.0 && course.section[23] <= 500.0 + 1e-3);
    }

    #[test]
    fn rules_are_of_days_levels_and_inflows_and_hold_back() {
        let mut river = river(None, &[600.0; 4]);
        let rule = |days, from_inflow, outflow, outflow_max| Rule {
            days,
            from_inflow,
            outflow,
            outflow_max,
            ..Rule::default()
        };
        river.reservoir.rules = vec![
            rule(Some(((10, 16), (4, 30))), None, Some(1.0), None),
            rule(Some(((5, 1), (10, 15))), Some(700.0), Some(2.0), None),
            rule(None, None, None, Some(170.0)),
        ];
        assert_eq!(river.by_rules().release, [170.0; 4]);
        assert!(highest(&river.cut().release) <= 170.0);
        river.coming.inflow = vec![700.0; 4];
        assert_eq!(river.by_rules().release, [2.0; 4]);
        river.coming.days = vec![(1, 1); 4];
        assert_eq!(river.by_rules().release, [1.0; 4]);
        river.coming.release = 200.0;
        river.coming.inflow = vec![600.0; 4];
        assert_eq!(river.nothing().against_rules, [false; 4]);
        river.reservoir.rules.remove(0);
        assert_eq!(river.nothing().against_rules, [true; 4]);
    }

    #[test]
    fn a_long_reach_is_routed_in_sound_parts_and_a_short_one_passes_on() {
        let long = Reach::new(Some(12.0), 0.3, 1.0);
        assert!(long.parts == 12 && long.coefficients.unwrap().are_sound());
        assert!(!Reach::new(Some(0.2), 0.2, 1.0).is_routed());
        // A lasting release comes to the section whole.
        let mut wave = Wave::new(long, 0.0, 0.0);
        let last = (0..60).map(|_| wave.step(50.0)).last();
        assert!((last.unwrap() - 50.0).abs() < 1e-6);
    }
}
