//! From a basin's past to its forecast: calibration of the Xinanjiang model, what the calibration is worth by lead time, and the
//! forecast with its interval.
//!
//! The past is split in three: the warm-up, which counts for nothing; the calibration, to which parameters, correction and intervals are
//! fitted; the rest, on which they are judged and which they never saw.

use crate::correction::{Autoregression, Interval, hindcast};
use crate::math::{mean, six_digits};
use crate::sceua::{self, End, Search};
use crate::skill::{self, Floods, Skill};
use crate::snow::{self, Snow};
use crate::xinanjiang::{self, Model, Parameters, State};
use serde::{Deserialize, Serialize};

/// What is known of a basin, step by step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Areal rain, mm.
    pub rain: Vec<f64>,
    /// Potential evaporation, mm.
    pub evaporation: Vec<f64>,
    /// Mean temperature, °C, where snow is to count.
    pub temperature: Option<Vec<f64>>,
    /// Observed discharge, m³/s; not a number where there is none.
    pub seen: Vec<f64>,
}

/// The basin and its step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Basin {
    /// Its area, km².
    pub area_km2: f64,
    /// The step, h.
    pub step_h: f64,
}

/// Discharge by the model, m³/s, from a half-full basin without snow.
pub fn simulate(basin: Basin, p: &Parameters, snow: Option<&Snow>, series: &Series) -> Vec<f64> {
    let mut state = State::half(p);
    let model = Model::new(p, basin.step_h);
    let mut cover = 0.0;
    let water = match (snow, &series.temperature) {
        (Some(snow), Some(t)) => Some(snow::run(snow, &mut cover, &series.rain, t, basin.step_h)),
        _ => None,
    };
    let water = water.as_ref().unwrap_or(&series.rain);
    let pairs = water.iter().zip(&series.evaporation);
    let q = pairs.map(|(p, e)| model.step(&mut state, *p, *e).q);
    q.map(|mm| xinanjiang::discharge(mm, basin.area_km2, basin.step_h))
        .collect()
}

/// What is calibrated, with the least and most of each: Zhao (1992), table 1, widened.
pub const BOUNDS: [(&str, f64, f64); 17] = [
    ("k", 0.2, 1.5),
    ("b", 0.05, 0.6),
    ("im", 0.0, 0.1),
    ("wum", 5.0, 40.0),
    ("wlm", 30.0, 120.0),
    ("wdm", 10.0, 150.0),
    ("c", 0.05, 0.25),
    ("sm", 1.0, 100.0),
    ("ex", 0.5, 2.0),
    ("ki", 0.01, 0.69),
    ("kg", 0.01, 0.69),
    ("ci", 0.0, 0.95),
    ("cg", 0.9, 0.999),
    ("cs", 0.0, 0.9),
    ("lag_h", 0.0, 72.0),
    ("snow_below_c", -2.0, 3.0),
    ("melt_mm", 0.5, 8.0),
];

/// Sets a parameter by its name; `false` when there is none of it.
pub fn set(p: &mut Parameters, snow: &mut Snow, name: &str, value: f64) -> bool {
    let slot = match name {
        "k" => &mut p.k,
        "b" => &mut p.b,
        "im" => &mut p.im,
        "wum" => &mut p.wum,
        "wlm" => &mut p.wlm,
        "wdm" => &mut p.wdm,
        "c" => &mut p.c,
        "sm" => &mut p.sm,
        "ex" => &mut p.ex,
        "ki" => &mut p.ki,
        "kg" => &mut p.kg,
        "ci" => &mut p.ci,
        "cg" => &mut p.cg,
        "cs" => &mut p.cs,
        "lag_h" => &mut p.lag_h,
        "piece_mm" => &mut p.piece_mm,
        "snow_below_c" => &mut snow.threshold_c,
        "melt_mm" => &mut snow.melt_mm,
        _ => return false,
    };
    *slot = value;
    true
}

/// What calibration makes best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// NSE of the model's discharge.
    Nse,
    /// NSE of its square root: low water counts more.
    NseRoot,
    /// KGE of 2009.
    Kge2009,
    /// KGE of 2012.
    Kge2012,
}

impl Objective {
    /// Of a reckoned hydrograph, 1 at best.
    pub fn of(self, seen: &[f64], reckoned: &[f64]) -> f64 {
        let pairs = skill::pairs(seen, reckoned);
        match self {
            Self::Nse => skill::nse(&pairs),
            Self::NseRoot => {
                let roots = pairs.iter().map(|(o, s)| (o.max(0.0).sqrt(), s.sqrt()));
                skill::nse(&roots.collect::<Vec<_>>())
            }
            Self::Kge2009 => skill::kge_2009(&pairs),
            Self::Kge2012 => skill::kge_2012(&pairs),
        }
    }
}

/// How a basin is calibrated.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Steps at the beginning that do not count.
    pub warm_up: usize,
    /// The first step that is not calibrated to.
    pub until: usize,
    /// What is made best.
    pub objective: Objective,
    /// Bounds by name; a parameter whose ends are equal is fixed.
    pub bounds: Vec<(String, f64, f64)>,
    /// Largest piece of runoff, mm.
    pub piece_mm: f64,
    /// The search, without its bounds.
    pub search: Search,
    /// Highest order of the correction.
    pub order: usize,
    /// Leads for which forecasts are judged: 1 to this.
    pub leads: usize,
    /// Share of the observations that the intervals should hold.
    pub level: f64,
    /// Sizes of forecast that the intervals tell apart.
    pub classes: usize,
    /// In how many stretches the calibration is cut: each is left out once, and correction and intervals are fitted to the errors on
    /// what was left out, which are those that forecasts have. Below 2 they are fitted to the calibration's own, which are smaller.
    pub folds: usize,
}

/// What a forecast needs: parameters, correction, intervals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecaster {
    /// Of the model.
    pub model: Parameters,
    /// Of the snow: below which temperature, °C, and melt, mm/(°C·d); `None` without snow.
    pub snow: Option<(f64, f64)>,
    /// Of its errors.
    pub correction: Autoregression,
    /// By lead.
    pub intervals: Vec<Interval>,
}

/// The worth of forecasts of one lead.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lead {
    /// The lead, steps.
    pub lead: usize,
    /// NSE of the corrected forecast.
    pub nse: f64,
    /// NSE of the model without correction.
    pub nse_model: f64,
    /// NSE of saying that all stays as it is: what a forecast must beat.
    pub nse_persistence: f64,
    /// KGE (2012) of the corrected forecast.
    pub kge_2012: f64,
    /// Mean error of flood peaks, without sign, %.
    pub peak_error_percent: f64,
    /// Share of the observations within the interval.
    pub covered: f64,
    /// Mean width of the interval by the mean observation.
    pub width: f64,
}

/// A calibrated basin.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibrated {
    /// What forecasts with it need.
    pub forecaster: Forecaster,
    /// Why the search ended.
    pub end: End,
    /// How often the model was run.
    pub evaluations: usize,
    /// Discharge by the model, m³/s.
    pub model: Vec<f64>,
    /// The model over the calibration.
    pub calibrated: Skill,
    /// The model over the rest.
    pub judged: Skill,
    /// Forecasts over the rest, by lead.
    pub leads: Vec<Lead>,
}

/// Calibrates, and judges on what was not calibrated to. `None` when there is nothing to calibrate to.
pub fn calibrate(basin: Basin, series: &Series, how: &Calibration) -> Option<Calibrated> {
    let free: Vec<&(String, f64, f64)> = how
        .bounds
        .iter()
        .filter(|(_, low, high)| high > low)
        .collect();
    let with_snow = series.temperature.is_some();
    let build = |point: &[f64]| {
        let mut p = Parameters {
            piece_mm: how.piece_mm,
            ..Parameters::default()
        };
        let mut snow = Snow {
            threshold_c: 0.0,
            melt_mm: 3.0,
        };
        for (name, low, _) in &how.bounds {
            set(&mut p, &mut snow, name, *low);
        }
        for ((name, ..), value) in free.iter().zip(point) {
            set(&mut p, &mut snow, name, *value);
        }
        (p, with_snow.then_some(snow))
    };
    let window = how.warm_up..how.until.min(series.seen.len());
    let seen = series.seen.get(window.clone())?;
    if seen.iter().filter(|o| o.is_finite()).count() < 2 * free.len().max(1) {
        return None;
    }
    let past = Series {
        rain: series.rain.get(..window.end)?.to_vec(),
        evaporation: series.evaporation.get(..window.end)?.to_vec(),
        temperature: series
            .temperature
            .as_ref()
            .and_then(|t| t.get(..window.end))
            .map(<[f64]>::to_vec),
        seen: Vec::new(),
    };
    let mut evaluations = 0;
    let mut learn = |seen: &[f64]| {
        if free.is_empty() {
            let (p, snow) = build(&[]);
            return Some((p, snow, End::Range));
        }
        let search = Search {
            bounds: free.iter().map(|(_, low, high)| (*low, *high)).collect(),
            ..how.search.clone()
        };
        let found = sceua::minimise(&search, |point| {
            let (p, snow) = build(point);
            let q = simulate(basin, &p, snow.as_ref(), &past);
            1.0 - how
                .objective
                .of(seen, q.get(how.warm_up..).unwrap_or_default())
        })?;
        evaluations += found.evaluations;
        let point: Vec<f64> = found.point.iter().map(|x| six_digits(*x)).collect();
        let (p, snow) = build(&point);
        Some((p, snow, found.end))
    };
    let (p, snow, end) = learn(seen)?;
    let model = simulate(basin, &p, snow.as_ref(), series);
    // What the model makes of stretches to which it was not calibrated: its errors there are those that forecasts have.
    let mut unseen = model.get(window.clone())?.to_vec();
    if how.folds > 1 {
        let size = seen.len().div_ceil(how.folds).max(1);
        for fold in 0..how.folds {
            let own = |n: usize| n / size == fold;
            let others = seen.iter().enumerate();
            let others: Vec<f64> = others
                .map(|(n, o)| if own(n) { f64::NAN } else { *o })
                .collect();
            let (p, snow, _) = learn(&others)?;
            let q = simulate(basin, &p, snow.as_ref(), &past);
            let told = unseen.iter_mut().zip(q.iter().skip(how.warm_up));
            for (_, (slot, q)) in told.enumerate().filter(|(n, _)| own(*n)) {
                *slot = *q;
            }
        }
    }
    let fitted = Autoregression::fit(seen, &unseen, how.order);
    let correction = Autoregression {
        phi: fitted.phi.iter().map(|x| six_digits(*x)).collect(),
        ..fitted
    };
    let from = window.end;
    let floods = Floods::default();
    let rest = |all: &[f64]| all.get(from..).unwrap_or_default().to_vec();
    let mut intervals = Vec::new();
    let mut leads = Vec::new();
    for lead in 1..=how.leads {
        let forecasts = hindcast(&model, &series.seen, &correction, lead);
        let past = hindcast(&unseen, seen, &correction, lead);
        let interval =
            Interval::fit(lead, &past, seen, how.level, how.classes).map(|mut interval| {
                for class in &mut interval.classes {
                    class.up_to = six_digits(class.up_to);
                    class.low = six_digits(class.low);
                    class.high = six_digits(class.high);
                }
                interval
            });
        let mut stays = vec![f64::NAN; lead.min(series.seen.len())];
        stays.extend(
            series
                .seen
                .iter()
                .take(series.seen.len().saturating_sub(lead)),
        );
        let (of_rest, seen_rest) = (rest(&forecasts), rest(&series.seen));
        let skill = skill::judge(&seen_rest, &of_rest, floods);
        let widths = of_rest
            .iter()
            .filter_map(|f| interval.as_ref()?.of(*f))
            .map(|(low, high)| high - low);
        leads.push(Lead {
            lead,
            nse: skill.nse,
            nse_model: skill::nse(&skill::pairs(&seen_rest, &rest(&model))),
            nse_persistence: skill::nse(&skill::pairs(&seen_rest, &rest(&stays))),
            kge_2012: skill.kge_2012,
            peak_error_percent: skill.peak_error_percent,
            covered: interval
                .as_ref()
                .map_or(f64::NAN, |i| i.covers(&of_rest, &seen_rest)),
            width: mean(widths) / mean(seen_rest.iter().copied().filter(|o| o.is_finite())),
        });
        intervals.extend(interval);
    }
    Some(Calibrated {
        calibrated: skill::judge(seen, model.get(window)?, floods),
        judged: skill::judge(&rest(&series.seen), &rest(&model), floods),
        forecaster: Forecaster {
            model: p,
            snow: snow.map(|s| (s.threshold_c, s.melt_mm)),
            correction,
            intervals,
        },
        end,
        evaluations,
        model,
        leads,
    })
}

/// One step of a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ahead {
    /// The lead, steps after the last observation.
    pub lead: usize,
    /// The model's discharge, m³/s.
    pub model: f64,
    /// The corrected forecast, m³/s.
    pub forecast: f64,
    /// The interval, m³/s; `None` for leads without one.
    pub interval: Option<(f64, f64)>,
}

/// The forecast after the last observation of discharge; rain and evaporation go on beyond it as they are expected. `None` without any
/// observation.
pub fn ahead(basin: Basin, forecaster: &Forecaster, series: &Series) -> Option<Vec<Ahead>> {
    let last = series.seen.iter().rposition(|o| o.is_finite())?;
    let snow = forecaster.snow.map(|(threshold_c, melt_mm)| Snow {
        threshold_c,
        melt_mm,
    });
    let model = simulate(basin, &forecaster.model, snow.as_ref(), series);
    let correction = &forecaster.correction;
    let errors = correction.errors(&series.seen, &model);
    let steps = model.get(last + 1..)?;
    let expected = correction.expected(errors.get(..=last)?, steps.len());
    let one = |(n, (model, error)): (usize, (&f64, f64))| {
        let forecast = correction.corrected(*model, error);
        let interval = forecaster.intervals.iter().find(|i| i.lead == n + 1);
        Ahead {
            lead: n + 1,
            model: *model,
            forecast,
            interval: interval.and_then(|i| i.of(forecast)),
        }
    };
    Some(steps.iter().zip(expected).enumerate().map(one).collect())
}
