//! The mathematics of water over tables: what `jingling engine run water.…` runs.

mod joint;
mod rain;
mod rating;
mod routed;
mod routing;
mod runoff;
mod stage;

use engine::{Column, Engine, Kind, Parameter};
use serde::Serialize;
use serde_json::{Map, Value};

/// The pack's name in descriptions.
const PACK: &str = "pack-water";
/// Most discharge that is read, m³/s: above every river's.
const DISCHARGE_MAX: f64 = 1e6;
/// Most rain of one step that is read, mm: above what was ever measured in a day.
const RAIN_MAX: f64 = 2_000.0;
/// Most evaporation of one step that is read, mm.
const EVAPORATION_MAX: f64 = 50.0;
/// Stages that are read, m: from below the Dead Sea to above the highest lakes.
const STAGE: (f64, f64) = (-500.0, 9_000.0);
const STAGE_M: Column = column("stage_m", "stage, m above the gauge's datum");

/// All engines of the pack, in the order of docs/water-forecast.md.
pub fn engines() -> Vec<Engine> {
    let mut all = routing::engines();
    all.extend(rain::engines());
    all.extend(runoff::engines());
    all.extend(stage::engines());
    all.extend(routed::engines());
    all.extend(rating::engines());
    all.extend(joint::engines());
    all
}

const fn column(name: &'static str, what: &'static str) -> Column {
    Column { name, what }
}

const fn number(
    name: &'static str,
    what: &'static str,
    unit: &'static str,
    (min, max): (f64, f64),
    default: Option<f64>,
) -> Parameter {
    let kind = Kind::Number { min, max, default };
    Parameter {
        name,
        what,
        unit,
        kind,
    }
}

const fn optional(
    name: &'static str,
    what: &'static str,
    unit: &'static str,
    (min, max): (f64, f64),
) -> Parameter {
    let kind = Kind::Optional { min, max };
    Parameter {
        name,
        what,
        unit,
        kind,
    }
}

const fn whole(
    name: &'static str,
    what: &'static str,
    unit: &'static str,
    (min, max): (u64, u64),
    default: u64,
) -> Parameter {
    let kind = Kind::Whole { min, max, default };
    Parameter {
        name,
        what,
        unit,
        kind,
    }
}

const fn choice(name: &'static str, what: &'static str, of: &'static [&'static str]) -> Parameter {
    let kind = Kind::Choice { of };
    Parameter {
        name,
        what,
        unit: "-",
        kind,
    }
}

const fn structure(name: &'static str, what: &'static str) -> Parameter {
    let kind = Kind::Structure;
    Parameter {
        name,
        what,
        unit: "-",
        kind,
    }
}

/// The step of a series.
const STEP: Parameter = number(
    "step_h",
    "time between two rows",
    "h",
    (0.01, 168.0),
    Some(24.0),
);

/// Which gaps of readings are bridged.
const GAP_STEPS_MAX: Parameter = whole(
    "gap_steps_max",
    "steps without a reading that are bridged; longer gaps stay gaps",
    "steps",
    (0, 24),
    3,
);
/// How sure the interval of a forecast is.
const CERTAINTY: Parameter = number(
    "certainty",
    "share of what comes that the interval should hold",
    "-",
    (0.5, 0.99),
    Some(0.9),
);

/// Numbers as cells.
fn cells(numbers: &[f64]) -> Vec<String> {
    let cell = |x: &f64| {
        if x.is_finite() {
            x.to_string()
        } else {
            String::new()
        }
    };
    numbers.iter().map(cell).collect()
}

/// Gaps as not a number.
fn gaps(numbers: Vec<Option<f64>>) -> Vec<f64> {
    numbers.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect()
}

/// Something as JSON; what has no JSON form does not occur among these.
fn json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A report of these entries.
fn report<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
