//! Rating curves over tables.

use super::{DISCHARGE_MAX, PACK, STAGE, STAGE_M, cells, column, gaps, json, number, report};
use crate::rating::{self, Curve, MEASUREMENTS_MIN};
use engine::{Column, Description, Engine, Mistakes, Output, Parameter, Parameters, Table};
use model::Problem;

const DOUBT: Column = column(
    "doubt",
    "below-range or above-range where the curve says nothing, since nobody measured there; else empty",
);
const REFERENCE: &str = "ISO 18320:2020; SL/T 247-2020 (水文资料整编规范)";
const CURVE: &[Parameter] = &[
    number(
        "a",
        "discharge at one metre above zero_m",
        "m³/s",
        (1e-12, 1e12),
        None,
    ),
    number("b", "exponent", "-", (1e-3, 20.0), None),
    number(
        "zero_m",
        "stage of no flow",
        "m",
        (-10_000.0, 10_000.0),
        None,
    ),
    number("low_m", "lowest stage that was measured", "m", STAGE, None),
    number(
        "high_m",
        "highest stage that was measured",
        "m",
        STAGE,
        None,
    ),
];

pub(super) fn engines() -> Vec<Engine> {
    vec![
        Engine::new(
            const {
                Description {
                    name: "water.rating-fit",
                    pack: PACK,
                    title_zh: "水位流量关系定线",
                    title_en: "A rating curve from measurements",
                    method: "Q = a (h - h0)^b, fitted to the logarithms with h0 by least squares too; with standard error, uncertainty at 95 % and the sign \
                         test. The report's parameters are those of water.rating",
                    reference: REFERENCE,
                    version: 1,
                    input: &[
                        STAGE_M,
                        column(
                            "discharge_m3s",
                            "measured discharge, m³/s, above 0; empty rows do not count",
                        ),
                    ],
                    output: &[
                        column("curve_m3s", "discharge by the curve, m³/s"),
                        column("error_percent", "measured by the curve's, less 1, %"),
                    ],
                    parameters: &[],
                }
            },
            Box::new(fit),
        ),
        Engine::new(
            const {
                Description {
                    name: "water.rating",
                    pack: PACK,
                    title_zh: "由水位推流",
                    title_en: "Discharge from the stage by a rating curve",
                    method: "Q = a (h - h0)^b between the lowest and the highest stage that was measured, and nowhere else",
                    reference: REFERENCE,
                    version: 1,
                    input: &[STAGE_M],
                    output: &[
                        column(
                            "discharge_m3s",
                            "discharge, m³/s; empty where the curve says nothing",
                        ),
                        DOUBT,
                    ],
                    parameters: CURVE,
                }
            },
            Box::new(|table, p, place| convert(table, p, place, "stage_m", "discharge_m3s")),
        ),
        Engine::new(
            const {
                Description {
                    name: "water.rating-stage",
                    pack: PACK,
                    title_zh: "由流量推水位",
                    title_en: "The stage of a discharge by a rating curve",
                    method: "h = h0 + (Q / a)^(1/b) between the discharges of the lowest and the highest stage that was measured, and nowhere else",
                    reference: REFERENCE,
                    version: 1,
                    input: &[column("discharge_m3s", "discharge, m³/s")],
                    output: &[
                        column("stage_m", "stage, m; empty where the curve says nothing"),
                        DOUBT,
                    ],
                    parameters: CURVE,
                }
            },
            Box::new(|table, p, place| convert(table, p, place, "discharge_m3s", "stage_m")),
        ),
    ]
}

fn fit(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let mut mistakes = Mistakes::new(place);
    let stages = gaps(table.numbers_or_gaps("stage_m", STAGE.0, STAGE.1, &mut mistakes));
    let discharges =
        gaps(table.numbers_or_gaps("discharge_m3s", 1e-9, DISCHARGE_MAX, &mut mistakes));
    let both = crate::skill::pairs(&stages, &discharges);
    if mistakes.is_empty() && both.len() < MEASUREMENTS_MIN {
        mistakes.of_table(
            format!("{} measurements, fewer than {MEASUREMENTS_MIN}", both.len()),
            "measure more",
        );
    }
    mistakes.end()?;
    let Some((curve, goodness)) = rating::fit(&both) else {
        let what = "no curve goes through these: the stages do not differ, or discharge does not grow with the stage";
        return Err(vec![p.problem("stage_m", what, "check the measurements")]);
    };
    let of = |h: &f64| curve.discharge(*h).unwrap_or(f64::NAN);
    let by_curve: Vec<f64> = stages.iter().map(of).collect();
    let errors: Vec<f64> = discharges
        .iter()
        .zip(&by_curve)
        .map(|(q, c)| 100.0 * (q / c - 1.0))
        .collect();
    Ok(Output {
        table: table
            .with("curve_m3s", cells(&by_curve))
            .with("error_percent", cells(&errors)),
        report: report([("parameters", json(curve)), ("goodness", json(goodness))]),
    })
}

fn convert(
    table: &Table,
    p: &Parameters,
    place: &str,
    from: &str,
    to: &str,
) -> Result<Output, Vec<Problem>> {
    let curve = Curve {
        a: p.number("a"),
        b: p.number("b"),
        zero_m: p.number("zero_m"),
        low_m: p.number("low_m"),
        high_m: p.number("high_m"),
    };
    if curve.low_m >= curve.high_m || curve.zero_m >= curve.low_m {
        return Err(vec![p.problem(
            "low_m",
            "zero_m, low_m and high_m do not lie in this order",
            "take them from water.rating-fit",
        )]);
    }
    let mut mistakes = Mistakes::new(place);
    let (min, max) = if from == "stage_m" {
        STAGE
    } else {
        (0.0, DISCHARGE_MAX)
    };
    let given = table.numbers_or_gaps(from, min, max, &mut mistakes);
    mistakes.end()?;
    let low = if from == "stage_m" {
        curve.low_m
    } else {
        curve.discharge(curve.low_m).unwrap_or_default()
    };
    let (mut told, mut doubts) = (Vec::new(), Vec::new());
    let mut beyond = 0;
    for x in given {
        let found = x.and_then(|x| {
            if from == "stage_m" {
                curve.discharge(x)
            } else {
                curve.stage(x)
            }
        });
        let doubt = match (x, found) {
            (Some(x), None) if x < low => "below-range",
            (Some(_), None) => "above-range",
            _ => "",
        };
        beyond += usize::from(!doubt.is_empty());
        told.push(found.map(|y| y.to_string()).unwrap_or_default());
        doubts.push(doubt.to_owned());
    }
    Ok(Output {
        table: table.with(to, told).with(DOUBT.name, doubts),
        report: report([("rows_beyond_range", json(beyond))]),
    })
}
