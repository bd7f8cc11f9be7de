//! Where an indicator goes by the end of its target year, with an interval, by one stated method.
//!
//! **Method**: a Brownian motion with drift, which is the random walk with drift for readings at any distance from each other
//! (Hyndman and Athanasopoulos, *Forecasting: Principles and Practice*, 3rd ed., 5.2 and 5.5). Of readings `y` at days `t`, with
//! `n` steps over `T` days: the drift is `d = (y_last - y_first) / T`, the variance of a day
//! `v = sum((step - d * days)^2 / days) / (n - 1)`. `h` days after the last reading the forecast is `y_last + d h`, and its interval
//! `± q sqrt(v h (1 + h / T))` with `q` the quantile of Student's t for `n - 1` degrees of freedom: the drift is itself only
//! estimated, which is what `h / T` stands for. Under the model the interval holds the value in 8 of 10 cases ([`LEVEL`]).
//!
//! A share of a hundred stays within 0 and 100, and the interval of what was never negative begins at 0 or above.
//!
//! **Back-test**: the ends of the history are held out, one more reading each time, and every held-out reading is forecast from those
//! before the cut. How far off the forecasts were, and how many held-out readings lay in their interval, is told with the forecast.
//!
//! With fewer than [`POINTS_MIN`] days of readings, or less than [`SPAN_DAYS_MIN`] days from the first to the last, there is no forecast.

use crate::definition::Definition;
use crate::path::{days, year_end};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Fewest days with a reading.
pub const POINTS_MIN: usize = 6;
/// Fewest days from the first reading to the last.
pub const SPAN_DAYS_MIN: i32 = 30;
/// Most readings that a forecast looks at; of more, it takes as many at even distances, the newest among them.
pub const POINTS_MAX: usize = 200;
/// The share of cases in which the interval holds the value, by the model.
pub const LEVEL: f64 = 0.8;

/// A value on a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The day, in the city's calendar.
    pub day: Date,
    /// The value.
    pub value: f64,
}

/// Where an indicator goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Outlook {
    /// There.
    Forecast(Forecast),
    /// Nobody can say yet: too few readings, or too short a time.
    TooFew {
        /// Days with a reading.
        points: usize,
        /// Days from the first to the last.
        span_days: i32,
    },
    /// The target year is over: see the assessment.
    Over,
}

/// A forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// For which day: the end of the target year.
    pub on: Date,
    /// The value then.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
    /// How many readings it is made from.
    pub points: usize,
    /// The first day of them.
    pub from: Date,
    /// The last day of them.
    pub to: Date,
    /// How the method did on this indicator's own past; `None` where nothing could be held out.
    pub back_test: Option<BackTest>,
}

/// How forecasts of held-out readings did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BackTest {
    /// How many readings were forecast, each once for every cut before it.
    pub forecasts: usize,
    /// The mean distance between forecast and reading, in the indicator's unit.
    pub mean_error: f64,
    /// How many of them lay in their interval.
    pub within: usize,
}

impl Definition {
    /// Where it goes by the end of its target year, from its readings in any order; of several on a day the last one counts.
    pub fn outlook(&self, readings: &[Reading], today: Date) -> Outlook {
        let end = year_end(self.target_year);
        if today >= end {
            return Outlook::Over;
        }
        let known = readings
            .iter()
            .filter(|r| r.day <= today && r.value.is_finite());
        let by_day: BTreeMap<Date, f64> = known.map(|r| (r.day, r.value)).collect();
        let (first, last) = match (by_day.first_key_value(), by_day.last_key_value()) {
            (Some((first, _)), Some((last, _))) => (*first, *last),
            _ => (today, today),
        };
        let span_days = (last - first).get_days();
        if by_day.len() < POINTS_MIN || span_days < SPAN_DAYS_MIN {
            return Outlook::TooFew {
                points: by_day.len(),
                span_days,
            };
        }
        let points: Vec<(f64, f64)> = by_day.iter().map(|(d, v)| (days(first, *d), *v)).collect();
        let points = thinned(&points);
        let bounds = self.bounds(&points);
        let Some(fit) = Fit::of(&points) else {
            return Outlook::TooFew {
                points: points.len(),
                span_days,
            };
        };
        let [low, value, high] = fit.after(days(last, end)).map(|v| bounds.hold(v));
        Outlook::Forecast(Forecast {
            on: end,
            value,
            low,
            high,
            points: points.len(),
            from: first,
            to: last,
            back_test: back_test(&points, &bounds),
        })
    }

    fn bounds(&self, points: &[(f64, f64)]) -> Bounds {
        let is_negative = points.iter().any(|(_, value)| *value < 0.0);
        Bounds {
            low: if is_negative && !self.is_percent() {
                f64::NEG_INFINITY
            } else {
                0.0
            },
            high: if self.is_percent() {
                100.0
            } else {
                f64::INFINITY
            },
        }
    }
}

/// What no value leaves.
struct Bounds {
    low: f64,
    high: f64,
}

impl Bounds {
    fn hold(&self, value: f64) -> f64 {
        value.clamp(self.low, self.high)
    }
}

/// At most [`POINTS_MAX`] of the points, the first and the last among them.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= POINTS_MAX {
        return points.to_vec();
    }
    let last = points.len() - 1;
    let at = |n: usize| points[n * last / (POINTS_MAX - 1)];
    (0..POINTS_MAX).map(at).collect()
}

/// Drift and variance, and where they start.
struct Fit {
    last: f64,
    span: f64,
    drift: f64,
    variance: f64,
    quantile: f64,
}

impl Fit {
    /// `None` with fewer than two steps, or no time between the ends.
    fn of(points: &[(f64, f64)]) -> Option<Self> {
        let ((first_day, first), (last_day, last)) = (*points.first()?, *points.last()?);
        let (span, steps) = (last_day - first_day, points.len() - 1);
        if steps < 2 || span <= 0.0 {
            return None;
        }
        let drift = (last - first) / span;
        let squares = points.windows(2).map(|pair| {
            let time = pair[1].0 - pair[0].0;
            (pair[1].1 - pair[0].1 - drift * time).powi(2) / time
        });
        Some(Self {
            last,
            span,
            drift,
            variance: squares.sum::<f64>() / count(steps - 1),
            quantile: student_t(steps - 1),
        })
    }

    /// Lower end, forecast and upper end so many days after the last reading.
    fn after(&self, time: f64) -> [f64; 3] {
        let value = self.last + self.drift * time;
        let half = self.quantile * (self.variance * time * (1.0 + time / self.span)).sqrt();
        [value - half, value, value + half]
    }
}

fn back_test(points: &[(f64, f64)], bounds: &Bounds) -> Option<BackTest> {
    let (mut forecasts, mut within, mut errors) = (0, 0, 0.0);
    for cut in POINTS_MIN..points.len() {
        let (known, held_out) = points.split_at(cut);
        let Some((fit, from)) = Fit::of(known).zip(known.last()) else {
            continue;
        };
        for (day, value) in held_out {
            let [low, forecast, high] = fit.after(day - from.0).map(|v| bounds.hold(v));
            forecasts += 1;
            within += usize::from((low..=high).contains(value));
            errors += (forecast - value).abs();
        }
    }
    (forecasts > 0).then(|| BackTest {
        forecasts,
        mean_error: errors / count(forecasts),
        within,
    })
}

/// Small counts as numbers; what is counted here is below 2^32.
fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// The 0.9 quantile of Student's t, for an interval that holds 8 of 10: by table for few degrees of freedom, then by the first term of
/// Cornish and Fisher's expansion around the normal quantile, which there is right to three decimals.
fn student_t(degrees: usize) -> f64 {
    const TABLE: [f64; 20] = [
        3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356, 1.350,
        1.345, 1.341, 1.337, 1.333, 1.330, 1.328, 1.325,
    ];
    const NORMAL: f64 = 1.281_551_565_5;
    match degrees.checked_sub(1) {
        Some(n) if n < TABLE.len() => TABLE[n],
        _ => NORMAL + NORMAL * (NORMAL * NORMAL + 1.0) / (4.0 * count(degrees.max(1))),
    }
}
