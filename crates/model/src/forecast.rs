//! A forecast run's result (预报成果): what one attribute of one entity is expected to be, point by point, with an interval.
//!
//! It is the value of one attribute, declared as the `series` of its type's `[forecast]` table ([`crate::kind::ForecastKind`]), as JSON:
//!
//! ```json
//! {"method": "xinanjiang", "version": "1.2.0", "run": "20260701T08-0001", "unit": "MTR", "certainty": 0.9,
//!  "points": [{"at": "2026-07-01T09:00:00Z", "value": 29.1, "lower": 28.9, "upper": 29.3}]}
//! ```
//!
//! One attribute holds all of it, so that a run is whole wherever it is: in a message, in the twin, in one row of history. When it was
//! issued is the attribute's `observedAt`; of whom it speaks is the entity's relation.

use crate::problem::{Problem, quote};
use crate::time::Timestamp;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// Most points of one run. A text of the platform holds 64 KiB ([`crate::value::TEXT_BYTES_MAX`]), which is about as many.
pub const POINTS_MAX: usize = 1_000;

/// Most characters of a method's name, a version and a run's name.
pub const WORD_CHARS_MAX: usize = 200;

/// What one run says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forecast {
    /// How it was made: the model's name, such as `xinanjiang`; at most [`WORD_CHARS_MAX`] characters.
    pub method: String,
    /// The method's version, so that a run can be repeated.
    pub version: String,
    /// The run's own name, where whoever made it keeps its inputs under one.
    #[serde(default)]
    pub run: Option<String>,
    /// UN/CEFACT code of the unit of all numbers; the declared one when it has been admitted.
    #[serde(default)]
    pub unit: Option<String>,
    /// The share of outcomes that the intervals are to hold, above 0 and at most 1: 0.9 says that nine in ten values will lie between
    /// `lower` and `upper`.
    #[serde(default)]
    pub certainty: Option<f64>,
    /// The points, in order of time; 1 to [`POINTS_MAX`].
    pub points: Vec<ForecastPoint>,
}

/// What is expected at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastPoint {
    /// The moment (valid time, 预见时刻).
    pub at: Timestamp,
    /// The value expected then.
    pub value: f64,
    /// The interval's lower end; given together with `upper`.
    #[serde(default)]
    pub lower: Option<f64>,
    /// The interval's upper end.
    #[serde(default)]
    pub upper: Option<f64>,
}

impl ForecastPoint {
    /// The numbers that it holds.
    fn numbers(&self) -> impl Iterator<Item = f64> {
        [Some(self.value), self.lower, self.upper]
            .into_iter()
            .flatten()
    }
}

impl Forecast {
    /// Reads a run from the value of an attribute, and checks that it makes sense.
    ///
    /// # Errors
    /// `forecast-shape` when it is not of the form above; `forecast-word`, `forecast-certainty`, `forecast-points` (none, too many, not in
    /// order of time), `forecast-interval` (half an interval, or one that does not hold its value), `number-not-finite`.
    pub fn from_value(value: &Value) -> Result<Self, Problem> {
        let told = |what: String| {
            Problem::new(
                "forecast-shape",
                what,
                "value",
                "send {\"method\": …, \"version\": …, \"unit\": …, \"points\": [{\"at\": …, \"value\": …, \"lower\": …, \"upper\": …}]}",
            )
        };
        let Value::Json(text) = value else {
            return Err(told("a forecast is a JSON object".to_owned()));
        };
        let forecast: Self = serde_json::from_str(text)
            .map_err(|e| told(format!("it is no forecast: {}", quote(&e.to_string()))))?;
        match forecast.mistake() {
            Some(problem) => Err(problem),
            None => Ok(forecast),
        }
    }

    /// The run as the value of an attribute.
    ///
    /// # Errors
    /// What [`Forecast::from_value`] would refuse of it.
    pub fn to_value(&self) -> Result<Value, Problem> {
        if let Some(problem) = self.mistake() {
            return Err(problem);
        }
        let text = serde_json::to_string(self).map_err(|e| {
            Problem::new(
                "forecast-shape",
                e.to_string(),
                "value",
                "give finite numbers and times",
            )
        })?;
        Ok(Value::Json(text))
    }

    /// The first thing in it that makes no sense.
    fn mistake(&self) -> Option<Problem> {
        let words = [
            ("method", Some(&self.method)),
            ("version", Some(&self.version)),
            ("run", self.run.as_ref()),
        ];
        for (key, word) in words {
            let Some(word) = word else { continue };
            if word.trim().is_empty() || word.chars().count() > WORD_CHARS_MAX {
                return Some(Problem::new(
                    "forecast-word",
                    format!("{key} is empty, or longer than {WORD_CHARS_MAX} characters"),
                    format!("value.{key}"),
                    "name the method and its version in a few words",
                ));
            }
        }
        if let Some(certainty) = self.certainty
            && !(certainty > 0.0 && certainty <= 1.0)
        {
            return Some(Problem::new(
                "forecast-certainty",
                format!("a certainty of {certainty} is none"),
                "value.certainty",
                "state the share of outcomes that the interval is to hold, such as 0.9",
            ));
        }
        if !(1..=POINTS_MAX).contains(&self.points.len()) {
            return Some(Problem::new(
                "forecast-points",
                format!("the run has {} points", self.points.len()),
                "value.points",
                format!("send 1 to {POINTS_MAX} points"),
            ));
        }
        let mut before: Option<Timestamp> = None;
        for (n, point) in self.points.iter().enumerate() {
            let place = format!("value.points[{n}]");
            if before.is_some_and(|before| before >= point.at) {
                return Some(Problem::new(
                    "forecast-points",
                    format!("{} does not come after the point before it", point.at),
                    place,
                    "give the points in order of time, each moment once",
                ));
            }
            before = Some(point.at);
            if point.numbers().any(|n| !n.is_finite()) {
                return Some(Problem::new(
                    "number-not-finite",
                    "a number of the point is not finite",
                    place,
                    "leave the point out, or its interval",
                ));
            }
            let is_good = match (point.lower, point.upper) {
                (None, None) => true,
                (Some(lower), Some(upper)) => lower <= point.value && point.value <= upper,
                _ => false,
            };
            if !is_good {
                return Some(Problem::new(
                    "forecast-interval",
                    "the interval has one end only, or does not hold the point's value",
                    place,
                    "give lower and upper with lower ≤ value ≤ upper, or neither",
                ));
            }
        }
        None
    }

    /// All its numbers by the same function; for units.
    #[must_use]
    pub fn mapped(mut self, number: impl Fn(f64) -> f64) -> Self {
        for point in &mut self.points {
            point.value = number(point.value);
            point.lower = point.lower.map(&number);
            point.upper = point.upper.map(&number);
        }
        self
    }

    /// Whether one of its expected values lies outside a range. Ends of intervals may: doubt is not a mistake.
    pub fn leaves(&self, min: Option<f64>, max: Option<f64>) -> bool {
        self.points.iter().any(|point| {
            min.is_some_and(|min| point.value < min) || max.is_some_and(|max| point.value > max)
        })
    }

    /// What is expected at a moment: a point, or between two points the straight line from one to the other. The interval is between
    /// them too, where both have one. `None` before the first point and after the last.
    pub fn at(&self, at: Timestamp) -> Option<ForecastPoint> {
        let next = self.points.partition_point(|point| point.at < at);
        let after = self.points.get(next)?;
        if after.at == at {
            return Some(*after);
        }
        let before = self.points.get(next.checked_sub(1)?)?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "microseconds between two points of a run"
        )]
        let share =
            at.micros_since(before.at) as f64 / after.at.micros_since(before.at).max(1) as f64;
        let between = |from: f64, to: f64| from + (to - from) * share;
        let both = |from: Option<f64>, to: Option<f64>| Some(between(from?, to?));
        Some(ForecastPoint {
            at,
            value: between(before.value, after.value),
            lower: both(before.lower, after.lower),
            upper: both(before.upper, after.upper),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(points: &str) -> Value {
        Value::Json(format!(
            r#"{{"method":"m","version":"1","unit":"MTR","certainty":0.9,"points":[{points}]}}"#
        ))
    }

    const TWO: &str = r#"{"at":"2026-07-01T01:00:00Z","value":29.0,"lower":28.0,"upper":30.0},
        {"at":"2026-07-01T02:00:00Z","value":30.0,"lower":28.5,"upper":32.0}"#;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn between_two_points_is_the_line() {
        let forecast = Forecast::from_value(&run(TWO)).unwrap();
        let point = forecast.at(time("2026-07-01T01:30:00Z")).unwrap();
        assert_eq!(
            (point.value, point.lower, point.upper),
            (29.5, Some(28.25), Some(31.0))
        );
        assert_eq!(
            forecast.at(time("2026-07-01T02:00:00Z")),
            Some(forecast.points[1])
        );
        assert_eq!(forecast.at(time("2026-07-01T00:59:59Z")), None);
        assert_eq!(forecast.at(time("2026-07-01T02:00:01Z")), None);
        assert_eq!(
            Forecast::from_value(&forecast.to_value().unwrap()),
            Ok(forecast)
        );
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let code = |value: &Value| Forecast::from_value(value).unwrap_err().code;
        assert_eq!(code(&Value::Number(1.0)), "forecast-shape");
        assert_eq!(code(&Value::Json("[]".to_owned())), "forecast-shape");
        assert_eq!(code(&run("")), "forecast-points");
        for (points, expected) in [
            (
                r#"{"at":"2026-07-01T01:00:00Z","value":1,"colour":2}"#,
                "forecast-shape",
            ),
            (
                r#"{"at":"2026-07-01T01:00:00Z","value":1},{"at":"2026-07-01T01:00:00Z","value":1}"#,
                "forecast-points",
            ),
            (
                r#"{"at":"2026-07-01T01:00:00Z","value":1,"lower":0.5}"#,
                "forecast-interval",
            ),
            (
                r#"{"at":"2026-07-01T01:00:00Z","value":1,"lower":1.5,"upper":2}"#,
                "forecast-interval",
            ),
        ] {
            assert_eq!(code(&run(points)), expected, "{points}");
        }
        let certain = |certainty: &str| {
            let text = format!(
                r#"{{"method":"m","version":"1","certainty":{certainty},"points":[{{"at":"2026-07-01T01:00:00Z","value":1}}]}}"#
            );
            Forecast::from_value(&Value::Json(text)).map_err(|p| p.code)
        };
        assert!(certain("1").is_ok());
        assert_eq!(certain("0"), Err("forecast-certainty".to_owned()));
        assert_eq!(certain("90"), Err("forecast-certainty".to_owned()));
        let too_many = (0..=POINTS_MAX).map(|n| ForecastPoint {
            at: Timestamp::from_seconds(i64::try_from(n).unwrap()),
            value: 1.0,
            lower: None,
            upper: None,
        });
        let forecast = Forecast {
            method: "m".to_owned(),
            version: "1".to_owned(),
            points: too_many.collect(),
            ..Forecast::default()
        };
        assert_eq!(forecast.to_value().unwrap_err().code, "forecast-points");
    }
}
