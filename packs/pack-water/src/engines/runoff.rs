//! The Xinanjiang model over tables: run, calibrated, and as a forecast.

use super::{
    DISCHARGE_MAX, EVAPORATION_MAX, PACK, RAIN_MAX, STEP, cells, choice, column, gaps, json,
    number, optional, report, structure, whole,
};
use crate::correction::{Autoregression, Interval, hindcast};
use crate::forecast::{self, Ahead, BOUNDS, Basin, Calibration, Forecaster, Objective, Series};
use crate::math::{count, six_digits};
use crate::sceua::{End, Search};
use crate::skill::{self, Floods};
use crate::snow::Snow;
use crate::xinanjiang::{Model, Parameters as Given, State, discharge};
use engine::{Column, Description, Engine, Mistakes, Output, Parameter, Parameters, Table, wrong};
use model::{Problem, Timestamp};
use serde_json::{Map, Value, json};

const RAIN: Column = column(
    "rain_mm",
    "rain (and snow) over the basin in the step, mm; empty where none is known, as rain_gaps_max allows",
);
const EVAPORATION: Column = column(
    "evaporation_mm",
    "potential evaporation in the step, mm; may be empty with evaporation_mm_day",
);
const SEEN: Column = column(
    "discharge_m3s",
    "observed discharge, mean of the step, m³/s; empty where there is none",
);
const MODEL: Column = column("model_m3s", "discharge by the model, m³/s");
const AREA: Parameter = number("area_km2", "area of the basin", "km²", (0.01, 5e6), None);
const PIECE: Parameter = number(
    "piece_mm",
    "largest piece of runoff that goes through the free water reservoir at once",
    "mm",
    (0.1, 1e6),
    Some(5.0),
);
const RAIN_GAPS: Parameter = whole(
    "rain_gaps_max",
    "most rows without rain that are taken as dry, which the doubts tell; a forecast does not count those after the last known rain",
    "rows",
    (0, 1_000_000),
    0,
);
const EVAPORATION_DAY: Parameter = structure(
    "evaporation_mm_day",
    "potential evaporation of a day, mm, where the column is empty: [one number], or twelve by the month of the column at (UTC)",
);
/// Days before a forecast after which it no longer counts that the basin began half full.
const WARM_DAYS: f64 = 90.0;
const REFERENCE: &str =
    "Zhao 1992, J. Hydrology 135, 371-381; Bao 2009, 水文预报, 4th ed., chapter 5";

/// Of the model and, for forecasts, of its calibration.
const MODEL_PARAMETERS: &[Parameter] = &[
    AREA,
    STEP,
    number(
        "k",
        "K, potential evaporation by what was measured",
        "-",
        (0.01, 3.0),
        Some(1.0),
    ),
    number(
        "b",
        "B, exponent of the tension water's capacity",
        "-",
        (0.01, 3.0),
        Some(0.3),
    ),
    number("im", "IM, impervious share", "-", (0.0, 0.99), Some(0.01)),
    number(
        "wum",
        "WUM, tension water capacity of the upper layer",
        "mm",
        (0.1, 500.0),
        Some(20.0),
    ),
    number(
        "wlm",
        "WLM, that of the lower layer",
        "mm",
        (0.1, 1_000.0),
        Some(70.0),
    ),
    number(
        "wdm",
        "WDM, that of the deep layer",
        "mm",
        (0.1, 1_000.0),
        Some(40.0),
    ),
    number(
        "c",
        "C, evaporation of the deep layer",
        "-",
        (0.0, 0.99),
        Some(0.16),
    ),
    number(
        "sm",
        "SM, free water capacity",
        "mm",
        (0.1, 500.0),
        Some(30.0),
    ),
    number(
        "ex",
        "EX, exponent of the free water's capacity",
        "-",
        (0.1, 5.0),
        Some(1.2),
    ),
    number(
        "ki",
        "KI, outflow of free water to interflow",
        "1/d",
        (0.0, 0.99),
        Some(0.3),
    ),
    number(
        "kg",
        "KG, outflow of free water to groundwater",
        "1/d",
        (0.0, 0.99),
        Some(0.4),
    ),
    number(
        "ci",
        "CI, recession of interflow",
        "1/d",
        (0.0, 0.9999),
        Some(0.7),
    ),
    number(
        "cg",
        "CG, recession of groundwater",
        "1/d",
        (0.0, 0.99999),
        Some(0.98),
    ),
    number(
        "cs",
        "CS, recession of the network",
        "1/d",
        (0.0, 0.9999),
        Some(0.3),
    ),
    number(
        "lag_h",
        "L, lag of the network",
        "h",
        (0.0, 2_400.0),
        Some(0.0),
    ),
    PIECE,
    structure(
        "unit_hydrograph",
        "ordinates, one a step, that add up to 1: of the surface water instead of CS and L",
    ),
    optional(
        "snow_below_c",
        "snow falls below this temperature, and melts above",
        "°C",
        (-10.0, 10.0),
    ),
    optional(
        "melt_mm",
        "melt in a day for each degree above",
        "mm/(°C·d)",
        (0.0, 50.0),
    ),
    structure(
        "correction",
        "of a calibration: water.forecast reads it, water.xinanjiang leaves it alone",
    ),
    structure(
        "intervals",
        "of a calibration: water.forecast reads it, water.xinanjiang leaves it alone",
    ),
    optional(
        "certainty",
        "of a calibration: the share of the observations that its intervals should hold",
        "-",
        (0.5, 0.99),
    ),
    RAIN_GAPS,
    EVAPORATION_DAY,
];

/// Of forecasts: also how they are written.
const FORECAST_PARAMETERS: [Parameter; MODEL_PARAMETERS.len() + 1] = {
    let mut all = [choice(
        "output",
        "what is written: every row with its columns, or one row for each step after the last observed discharge (at, value, lower, \
         upper), which needs the column at",
        &["rows", "forecast"],
    ); MODEL_PARAMETERS.len() + 1];
    let mut n = 0;
    while n < MODEL_PARAMETERS.len() {
        all[n] = MODEL_PARAMETERS[n];
        n += 1;
    }
    all
};

pub(super) fn engines() -> Vec<Engine> {
    vec![
        Engine::new(
            const {
                Description {
                    name: "water.xinanjiang",
                    pack: PACK,
                    title_zh: "新安江三水源模型",
                    title_en: "Three-source Xinanjiang rainfall-runoff model",
                    method: "Evaporation of three layers, runoff where the tension water is full, three sources by a free water reservoir (in pieces of 5 mm), \
                         linear reservoirs, lag and recession or a unit hydrograph; from a half-full basin. KI, KG, CI, CG and CS are of a day, whatever the \
                         step. With a column temperature_c (mean of the step) and melt_mm, snow lies and melts by degree-days (WMO-No. 168). Where \
                         discharge_m3s is there, the report judges the model",
                    reference: REFERENCE,
                    version: 2,
                    input: &[RAIN, EVAPORATION],
                    output: &[
                        MODEL,
                        column("evaporated_mm", "evaporation of the pervious area, mm"),
                        column("surface_mm", "surface water into the network, mm"),
                        column("interflow_mm", "water that went to interflow, mm"),
                        column("groundwater_mm", "water that went to groundwater, mm"),
                    ],
                    parameters: MODEL_PARAMETERS,
                }
            },
            Box::new(run),
        ),
        Engine::new(
            const {
                Description {
                    name: "water.xinanjiang-calibrate",
                    pack: PACK,
                    title_zh: "新安江模型率定",
                    title_en: "Calibration of the Xinanjiang model",
                    method: "SCE-UA from a seed to the best objective over the calibration; autoregression of the errors; intervals from the errors of past \
                         forecasts by lead and size; all judged on the rows after the calibration, which it never saw, with the rain that was \
                         observed. The report's parameters are those of water.forecast and water.xinanjiang. With a column temperature_c snow counts",
                    reference: "Duan, Sorooshian & Gupta 1992, Water Resour. Res. 28(4); Gupta et al. 2009, J. Hydrology 377; Kling et al. 2012, \
                            J. Hydrology 424-425; GB/T 22482-2008; and of water.xinanjiang",
                    version: 2,
                    input: &[RAIN, EVAPORATION, SEEN],
                    output: &[
                        MODEL,
                        column(
                            "ahead_1_m3s",
                            "forecast of the step from the step before it, m³/s",
                        ),
                    ],
                    parameters: &[
                        AREA,
                        STEP,
                        RAIN_GAPS,
                        EVAPORATION_DAY,
                        whole(
                            "warm_up_steps",
                            "rows at the beginning that count for nothing",
                            "rows",
                            (0, 1_000_000),
                            365,
                        ),
                        whole(
                            "calibration_steps",
                            "rows after them that are calibrated to",
                            "rows",
                            (30, 1_000_000),
                            730,
                        ),
                        choice(
                            "objective",
                            "what is made best",
                            &["nse-root", "nse", "kge-2009", "kge-2012"],
                        ),
                        structure(
                            "bounds",
                            "least and most by name, such as { k = [0.5, 1.2] }; equal ends fix a parameter",
                        ),
                        PIECE,
                        whole("seed", "seed of chance", "-", (0, u64::MAX), 1),
                        whole("complexes", "complexes of SCE-UA", "-", (1, 100), 5),
                        whole(
                            "evaluations_max",
                            "most runs of the model in one search; each fold is one more search",
                            "-",
                            (100, 10_000_000),
                            15_000,
                        ),
                        whole(
                            "order",
                            "highest order of the errors' autoregression",
                            "-",
                            (0, 10),
                            3,
                        ),
                        whole(
                            "leads",
                            "leads that are judged: 1 to this",
                            "steps",
                            (1, 240),
                            7,
                        ),
                        number(
                            "level",
                            "share of the observations that an interval should hold",
                            "-",
                            (0.5, 0.99),
                            Some(0.9),
                        ),
                        whole(
                            "classes",
                            "sizes of forecast that the intervals tell apart",
                            "-",
                            (1, 20),
                            5,
                        ),
                        whole(
                            "folds",
                            "stretches of the calibration that are left out in turn, for correction and intervals from what was not calibrated to; below 2 none",
                            "-",
                            (0, 10),
                            3,
                        ),
                    ],
                }
            },
            Box::new(calibrate),
        ),
        Engine::new(
            const {
                Description {
                    name: "water.forecast",
                    pack: PACK,
                    title_zh: "洪水预报（实时校正）",
                    title_en: "Forecast of discharge, corrected from the latest observations",
                    method: "The model over past and expected rain; after the last observed discharge the errors' autoregression is added, and the interval of \
                         each lead and size of forecast from the errors of past forecasts",
                    reference: "Box & Jenkins 1976; Weerts, Winsemius & Verkade 2011, HESS 15; and of water.xinanjiang",
                    version: 2,
                    input: &[RAIN, EVAPORATION, SEEN],
                    output: &[
                        MODEL,
                        column(
                            "forecast_m3s",
                            "corrected forecast, m³/s, after the last observation",
                        ),
                        column("low_m3s", "lower end of its interval, m³/s"),
                        column("high_m3s", "upper end, m³/s"),
                    ],
                    parameters: &FORECAST_PARAMETERS,
                }
            },
            Box::new(ahead),
        ),
    ]
}

/// What a table says of a basin, and what had to be supposed of it.
struct Read {
    series: Series,
    doubts: Vec<Value>,
}

fn series(
    table: &Table,
    p: &Parameters,
    place: &str,
    with_snow: bool,
    is_forecast: bool,
) -> Result<Read, Vec<Problem>> {
    let mut mistakes = Mistakes::new(place);
    let rain = table.numbers_or_gaps(RAIN.name, 0.0, RAIN_MAX, &mut mistakes);
    let known = rain.iter().rposition(Option::is_some).map_or(0, |n| n + 1);
    let judged = if is_forecast { known } else { rain.len() };
    let empty = table.cells(RAIN.name).take(judged).enumerate();
    let empty: Vec<usize> = empty
        .filter(|(_, cell)| cell.is_empty())
        .map(|(n, _)| n)
        .collect();
    if empty.len() > p.count(RAIN_GAPS.name) {
        for n in &empty {
            let mend = "fill it in: the method needs every row; or allow rain_gaps_max";
            mistakes.add(*n, wrong("rain_mm is empty", mend));
        }
    }
    if known == 0 && is_forecast && mistakes.is_empty() {
        mistakes.of_table("no rain is known", "fill in rain_mm");
    }
    let evaporation = evaporation(table, p, &mut mistakes)?;
    let seen = gaps(table.numbers_or_gaps(SEEN.name, 0.0, DISCHARGE_MAX, &mut mistakes));
    let with_snow = with_snow && table.has("temperature_c");
    let temperature = with_snow.then(|| table.numbers("temperature_c", -90.0, 60.0, &mut mistakes));
    mistakes.end()?;
    let mut doubts = Vec::new();
    if !empty.is_empty() {
        doubts.push(json!(format!(
            "no rain is known for {} of {judged} rows: they are taken as dry",
            empty.len()
        )));
    }
    if judged < rain.len() {
        let before = seen.iter().rposition(|q| q.is_finite());
        let before = before.map_or(0, |last| (last + 1).saturating_sub(judged));
        let more = match before {
            0 => String::new(),
            _ => format!("; {before} of them lie before the last observed discharge"),
        };
        doubts.push(json!(format!(
            "no rain is known, measured or expected, for the last {} rows: the forecast supposes that none falls{more}",
            rain.len() - judged
        )));
    }
    Ok(Read {
        series: Series {
            rain: rain.into_iter().map(Option::unwrap_or_default).collect(),
            evaporation,
            temperature,
            seen,
        },
        doubts,
    })
}

/// The evaporation of each step: as the table tells it, else that of a day by its share.
fn evaporation(
    table: &Table,
    p: &Parameters,
    mistakes: &mut Mistakes<'_>,
) -> Result<Vec<f64>, Vec<Problem>> {
    let Some(of_day) = p.list(EVAPORATION_DAY.name)? else {
        return Ok(table.numbers(EVAPORATION.name, 0.0, EVAPORATION_MAX, mistakes));
    };
    let is_fit = |e: &f64| (0.0..=EVAPORATION_MAX).contains(e);
    if !matches!(of_day.len(), 1 | 12) || !of_day.iter().all(is_fit) {
        let what = format!(
            "it has {} numbers, or one beyond 0 to {EVAPORATION_MAX} mm",
            of_day.len()
        );
        let mend = "give one number, or twelve from January to December";
        return Err(vec![p.problem(EVAPORATION_DAY.name, what, mend)]);
    }
    let share = p.number("step_h") / 24.0;
    let told = table.numbers_or_gaps(EVAPORATION.name, 0.0, EVAPORATION_MAX, mistakes);
    let told = told.into_iter().zip(table.cells("at"));
    let of_step = |(n, (told, at)): (usize, (Option<f64>, &str))| {
        let of_day = match of_day.as_slice() {
            [every] => Some(every),
            _ => month(at).and_then(|month| of_day.get(month - 1)),
        };
        match (told, of_day) {
            (Some(told), _) => told,
            (None, Some(of_day)) => of_day * share,
            (None, None) => {
                let mend = "fill in at as 2026-07-01T08:00:00Z, or give one number for all months";
                mistakes.add(n, wrong("the row has no time, and so no month", mend));
                0.0
            }
        }
    };
    Ok(told.enumerate().map(of_step).collect())
}

/// The month of a time, 1 to 12, by UTC: eight hours make no difference to a month's evaporation.
fn month(at: &str) -> Option<usize> {
    let date = Timestamp::parse(at).ok()?.utc_date();
    let month = date.get(5..7)?.parse().ok()?;
    (1..=12).contains(&month).then_some(month)
}

fn basin(p: &Parameters) -> Basin {
    Basin {
        area_km2: p.number("area_km2"),
        step_h: p.number("step_h"),
    }
}

fn given(p: &Parameters) -> Result<(Given, Option<Snow>), Vec<Problem>> {
    let mut model = Given::default();
    let mut snow = Snow {
        threshold_c: 0.0,
        melt_mm: 0.0,
    };
    let names = BOUNDS.iter().map(|(name, ..)| *name).chain(["piece_mm"]);
    for name in names {
        if let Some(value) = p.optional(name) {
            forecast::set(&mut model, &mut snow, name, value);
        }
    }
    if let Some(ordinates) = p.list("unit_hydrograph")? {
        let sum: f64 = ordinates.iter().sum();
        if (sum - 1.0).abs() > 0.01
            || ordinates.iter().any(|u| *u < 0.0)
            || ordinates.len() > 10_000
        {
            let what = format!("its {} ordinates add up to {sum}", ordinates.len());
            return Err(vec![p.problem(
                "unit_hydrograph",
                what,
                "give ordinates from 0 on that add up to 1",
            )]);
        }
        model.unit_hydrograph = ordinates;
    }
    let snow = p.optional("melt_mm").map(|_| snow);
    Ok((model, snow))
}

fn needs_temperature(
    table: &Table,
    snow: Option<&Snow>,
    p: &Parameters,
) -> Result<(), Vec<Problem>> {
    if snow.is_some() && !table.has("temperature_c") {
        let what = "snow needs a column temperature_c";
        return Err(vec![p.problem(
            "melt_mm",
            what,
            "add the column, or leave melt_mm out",
        )]);
    }
    Ok(())
}

fn run(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let (model, snow) = given(p)?;
    needs_temperature(table, snow.as_ref(), p)?;
    let Read { series, doubts } = series(table, p, place, snow.is_some(), false)?;
    let basin = basin(p);
    let mut state = State::half(&model);
    let mut cover = 0.0;
    let water = match (&snow, &series.temperature) {
        (Some(snow), Some(t)) => crate::snow::run(snow, &mut cover, &series.rain, t, basin.step_h),
        _ => series.rain.clone(),
    };
    let machine = Model::new(&model, basin.step_h);
    let steps = crate::xinanjiang::run(&machine, &mut state, &water, &series.evaporation);
    let q: Vec<f64> = steps
        .iter()
        .map(|s| discharge(s.q, basin.area_km2, basin.step_h))
        .collect();
    let of = |what: fn(&crate::xinanjiang::Step) -> f64| {
        steps.iter().map(|s| what(s).to_string()).collect()
    };
    let judged = series.seen.iter().any(|o| o.is_finite());
    let judged = judged.then(|| skill::judge(&series.seen, &q, Floods::default()));
    Ok(Output {
        table: table
            .with(MODEL.name, cells(&q))
            .with("evaporated_mm", of(|s| s.e))
            .with("surface_mm", of(|s| s.rs))
            .with("interflow_mm", of(|s| s.ri))
            .with("groundwater_mm", of(|s| s.rg)),
        report: report([
            ("skill", json(judged)),
            ("state", json(state)),
            ("snow_mm", json!(cover)),
            ("doubts", Value::Array(doubts)),
        ]),
    })
}

fn bounds(p: &Parameters) -> Result<Vec<(String, f64, f64)>, Vec<Problem>> {
    let mut bounds: Vec<(String, f64, f64)> = BOUNDS
        .iter()
        .map(|(n, a, b)| ((*n).to_owned(), *a, *b))
        .collect();
    let Some(given) = p.structure("bounds") else {
        return Ok(bounds);
    };
    let bad = |what: String| {
        vec![p.problem(
            "bounds",
            what,
            "write it as { k = [0.5, 1.2], im = [0, 0] }",
        )]
    };
    let given = given
        .as_object()
        .ok_or_else(|| bad("it is no table".to_owned()))?;
    for (name, ends) in given {
        let ends = ends.as_array().and_then(|e| match e.as_slice() {
            [low, high] => low.as_f64().zip(high.as_f64()),
            _ => None,
        });
        let slot = bounds.iter_mut().find(|(known, ..)| known == name);
        match (slot, ends) {
            (Some(slot), Some((low, high))) if low <= high => (slot.1, slot.2) = (low, high),
            _ => {
                return Err(bad(format!(
                    "{name} is no parameter of the model, or has not two ends in order"
                )));
            }
        }
    }
    Ok(bounds)
}

fn calibrate(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let Read { series, mut doubts } = series(table, p, place, true, false)?;
    let basin = basin(p);
    let warm_up = p.count("warm_up_steps");
    let until = warm_up.saturating_add(p.count("calibration_steps"));
    if until > table.rows.len() {
        let what = format!(
            "warm-up and calibration need {until} rows, the table has {}",
            table.rows.len()
        );
        return Err(vec![p.problem(
            "calibration_steps",
            what,
            "give more rows or calibrate to fewer",
        )]);
    }
    let mut bounds = bounds(p)?;
    if series.temperature.is_none() {
        bounds.retain(|(name, ..)| name != "snow_below_c" && name != "melt_mm");
    }
    let how = Calibration {
        warm_up,
        until,
        objective: match p.choice("objective") {
            "nse" => Objective::Nse,
            "kge-2009" => Objective::Kge2009,
            "kge-2012" => Objective::Kge2012,
            _ => Objective::NseRoot,
        },
        bounds,
        piece_mm: p.number("piece_mm"),
        search: Search {
            complexes: p.count("complexes"),
            evaluations_max: p.count("evaluations_max"),
            seed: p.whole("seed"),
            ..Search::default()
        },
        order: p.count("order"),
        leads: p.count("leads"),
        level: p.number("level"),
        classes: p.count("classes"),
        folds: p.count("folds"),
    };
    let Some(found) = forecast::calibrate(basin, &series, &how) else {
        let what = "too few observations to calibrate so many parameters to";
        return Err(vec![p.problem(
            "calibration_steps",
            what,
            "give more observed discharge, or fix parameters by bounds",
        )]);
    };
    let ahead = hindcast(&found.model, &series.seen, &found.forecaster.correction, 1);
    if found.end == End::Evaluations {
        doubts.push(json!(
            "the search ended by evaluations_max: more might find better"
        ));
    }
    if found.judged.steps == 0 {
        doubts.push(json!(
            "no row lies after the calibration: nothing was judged on what it had not seen"
        ));
    }
    let mut parameters = parameters_of(basin, &found.forecaster);
    if !found.forecaster.intervals.is_empty() {
        parameters.insert("certainty".to_owned(), json!(p.number("level")));
    }
    Ok(Output {
        table: table
            .with(MODEL.name, cells(&found.model))
            .with("ahead_1_m3s", cells(&ahead)),
        report: report([
            ("parameters", Value::Object(parameters)),
            ("evaluations", json!(found.evaluations)),
            ("ended_by", json(found.end)),
            ("calibration", json(&found.calibrated)),
            ("validation", json(&found.judged)),
            ("leads", json(&found.leads)),
            ("doubts", Value::Array(doubts)),
        ]),
    })
}

/// What water.forecast and water.xinanjiang read.
fn parameters_of(basin: Basin, forecaster: &Forecaster) -> Map<String, Value> {
    let mut map = match json(&forecaster.model) {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    if forecaster.model.unit_hydrograph.is_empty() {
        map.remove("unit_hydrograph");
    }
    map.insert("area_km2".to_owned(), json!(basin.area_km2));
    map.insert("step_h".to_owned(), json!(basin.step_h));
    if let Some((threshold, melt)) = forecaster.snow {
        map.insert("snow_below_c".to_owned(), json!(threshold));
        map.insert("melt_mm".to_owned(), json!(melt));
    }
    map.insert("correction".to_owned(), json(&forecaster.correction));
    map.insert("intervals".to_owned(), json(&forecaster.intervals));
    map
}

fn ahead(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let (model, snow) = given(p)?;
    needs_temperature(table, snow.as_ref(), p)?;
    let Read { series, mut doubts } = series(table, p, place, snow.is_some(), true)?;
    let read = |name: &str| p.structure(name).cloned();
    let bad = |name: &str| {
        vec![p.problem(
            name,
            "it is not as a calibration wrote it",
            "give the report of water.xinanjiang-calibrate",
        )]
    };
    let correction: Autoregression = match read("correction") {
        Some(value) => serde_json::from_value(value).map_err(|_| bad("correction"))?,
        None => Autoregression::default(),
    };
    let intervals: Vec<Interval> = match read("intervals") {
        Some(value) => serde_json::from_value(value).map_err(|_| bad("intervals"))?,
        None => Vec::new(),
    };
    let forecaster = Forecaster {
        model,
        snow: snow.map(|s| (s.threshold_c, s.melt_mm)),
        correction,
        intervals,
    };
    let basin = basin(p);
    let Some(steps) = forecast::ahead(basin, &forecaster, &series) else {
        let mut mistakes = Mistakes::new(place);
        mistakes.of_table(
            "no discharge was observed: there is nothing to correct from",
            "fill in discharge_m3s up to now",
        );
        return mistakes.end().map(|()| Output::default());
    };
    let q = forecast::simulate(basin, &forecaster.model, snow.as_ref(), &series);
    let before = q.len() - steps.len();
    let days = count(before) * basin.step_h / 24.0;
    if days < WARM_DAYS {
        doubts.push(json!(format!(
            "the forecast follows on {} days, fewer than {WARM_DAYS}: that the basin began half full still counts",
            days.round()
        )));
    }
    let peak = steps
        .iter()
        .max_by(|a, b| a.forecast.total_cmp(&b.forecast));
    let mut told = report([
        ("method", json!("xinanjiang")),
        ("issued_after_row", json!(before)),
        ("steps", json!(steps.len())),
        ("peak", json(peak)),
        ("doubts", Value::Array(doubts)),
    ]);
    let has_interval = steps.iter().any(|step| step.interval.is_some());
    if let Some(certainty) = p.optional("certainty").filter(|_| has_interval) {
        told.insert("certainty".to_owned(), json!(certainty));
    }
    let table = if p.choice("output") == "forecast" {
        foretold(table, &steps, place)?
    } else {
        let late = |of: &dyn Fn(&Ahead) -> f64| {
            let mut all = vec![f64::NAN; before];
            all.extend(steps.iter().map(of));
            cells(&all)
        };
        table
            .with(MODEL.name, cells(&q))
            .with("forecast_m3s", late(&|s| s.forecast))
            .with("low_m3s", late(&|s| s.interval.map_or(f64::NAN, |i| i.0)))
            .with("high_m3s", late(&|s| s.interval.map_or(f64::NAN, |i| i.1)))
    };
    Ok(Output {
        table,
        report: told,
    })
}

/// One row for each step after the last observation, as the engines of runs write forecasts: at, value, lower, upper.
fn foretold(table: &Table, steps: &[Ahead], place: &str) -> Result<Table, Vec<Problem>> {
    let mut mistakes = Mistakes::new(place);
    if !table.has("at") {
        mistakes.of_table(
            "a forecast needs the column at",
            "add the time of each row, RFC 3339",
        );
    }
    let before = table.rows.len() - steps.len();
    let cell = |q: Option<f64>| q.map(|q| six_digits(q).to_string()).unwrap_or_default();
    let mut out = Table::of(&["at", "value", "lower", "upper"]);
    for ((n, at), step) in table.cells("at").enumerate().skip(before).zip(steps) {
        match Timestamp::parse(at) {
            Ok(at) => out.rows.push(vec![
                at.to_string(),
                cell(Some(step.forecast)),
                cell(step.interval.map(|i| i.0)),
                cell(step.interval.map(|i| i.1)),
            ]),
            Err(problem) => {
                mistakes.add(
                    n,
                    wrong(problem.what, "write a time as 2026-07-01T08:00:00Z"),
                );
            }
        }
    }
    mistakes.end().map(|()| out)
}
