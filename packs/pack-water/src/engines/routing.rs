//! Routing over tables.

use super::{
    DISCHARGE_MAX, PACK, STEP, cells, choice, column, gaps, json, number, optional, report, whole,
};
use crate::math::{count, six_digits};
use crate::muskingum::{self, Coefficients, Reach, Search};
use crate::muskingum_cunge::{self as cunge, Channel};
use engine::{Column, Description, Engine, Mistakes, Output, Parameter, Parameters, Table};
use model::Problem;
use serde_json::{Value, json};
use std::ops::Range;

const INFLOW: Column = column(
    "inflow_m3s",
    "inflow of the reach at the ends of equal steps, m³/s",
);
const ROUTED: Column = column("routed_m3s", "outflow of the reach, m³/s");
const K: &str = "storage constant K; of the nonlinear method in the units of its power law";
const PARTS: Parameter = whole(
    "parts",
    "in how many equal parts the reach is routed, one after the other",
    "-",
    (1, 1_000),
    1,
);

pub(super) fn engines() -> Vec<Engine> {
    vec![
        Engine::new(
            const {
                Description {
                    name: "water.muskingum",
                    pack: PACK,
                    title_zh: "马斯京根河道演算",
                    title_en: "Muskingum routing of a reach",
                    method: "O2 = C1 I2 + C2 I1 + C3 O1 with storage S = K (x I + (1 - x) O); with m other than 1, S = K (x I + (1 - x) O)^m by \
                         Euler's steps, a step counting as one; with lateral, what joins along the reach is that share of the inflow",
                    reference: "McCarthy 1938; Chow, Maidment & Mays 1988, Applied Hydrology, eqs. 8.4.7-8.4.10; Gill 1978, J. Hydrology 36; \
                            Tung 1985, J. Hydraulic Eng. 111(12); O'Donnell 1985, Hydrol. Sci. J. 30(1)",
                    version: 1,
                    input: &[INFLOW],
                    output: &[ROUTED],
                    parameters: &[
                        STEP,
                        number("k_h", K, "h", (1e-6, 10_000.0), None),
                        number("x", "weight of the inflow", "-", (-1.0, 0.5), None),
                        number("m", "exponent of the storage", "-", (0.1, 10.0), Some(1.0)),
                        number(
                            "lateral",
                            "what joins along the reach, as a share of the inflow",
                            "-",
                            (-0.99, 100.0),
                            Some(0.0),
                        ),
                        optional(
                            "first_m3s",
                            "the first outflow; what comes in at first when it is not given",
                            "m³/s",
                            (0.0, DISCHARGE_MAX),
                        ),
                        PARTS,
                    ],
                }
            },
            Box::new(muskingum),
        ),
        Engine::new(
            const {
                Description {
                    name: "water.muskingum-fit",
                    pack: PACK,
                    title_zh: "马斯京根参数率定",
                    title_en: "Muskingum K and x from observed floods",
                    method: "The K and x (and the share that joins along the reach) with which the sum of the squared errors of the outflow is least, \
                         by a grid that is laid ever finer about its best point. Gaps of the inflow of at most gap_steps_max rows are bridged on a \
                         straight line; where longer ones part it, the longest stretch is fitted, which the doubts tell. The report's parameters \
                         are those of water.muskingum",
                    reference: "O'Donnell 1985, Hydrol. Sci. J. 30(1); Wilson 1974, Engineering Hydrology, whose flood it reproduces",
                    version: 2,
                    input: &[
                        INFLOW,
                        column("outflow_m3s", "observed outflow, m³/s; may have gaps"),
                    ],
                    output: &[ROUTED],
                    parameters: &[
                        STEP,
                        number("k_h_min", "least K", "h", (1e-3, 10_000.0), Some(0.5)),
                        number("k_h_max", "most K", "h", (1e-3, 10_000.0), Some(240.0)),
                        number("x_min", "least x", "-", (-1.0, 0.5), Some(0.0)),
                        number("x_max", "most x", "-", (-1.0, 0.5), Some(0.5)),
                        choice(
                            "lateral",
                            "whether the share that joins along the reach is fitted too",
                            &["no", "yes"],
                        ),
                        whole(
                            "gap_steps_max",
                            "rows without inflow on end that are bridged",
                            "rows",
                            (0, 24),
                            0,
                        ),
                        PARTS,
                    ],
                }
            },
            Box::new(fit),
        ),
        Engine::new(
            const {
                Description {
                    name: "water.muskingum-cunge",
                    pack: PACK,
                    title_zh: "马斯京根-康吉河道演算",
                    title_en: "Muskingum-Cunge routing of a channel",
                    method: "K and x from the channel: C = c dt / dx, D = q / (S0 c dx). A trapezoid's celerity and width are those of each step's mean \
                         discharge by Manning's formula; a constant channel's are given",
                    reference: "Cunge 1969, J. Hydraulic Res. 7(2); Ponce & Yevjevich 1978, J. Hydraulics Div. 104; Ponce 1989, Engineering Hydrology, \
                            section 9.4",
                    version: 1,
                    input: &[INFLOW],
                    output: &[ROUTED],
                    parameters: &[
                        STEP,
                        number(
                            "length_km",
                            "length of the reach",
                            "km",
                            (1e-3, 5_000.0),
                            None,
                        ),
                        number("slope", "slope of the bed", "m/m", (1e-7, 0.5), None),
                        choice(
                            "channel",
                            "how the channel is described",
                            &["trapezoid", "constant"],
                        ),
                        optional("bed_m", "trapezoid: width of the bed", "m", (0.1, 10_000.0)),
                        number(
                            "bank_slope",
                            "trapezoid: run of the banks for one of rise",
                            "-",
                            (0.0, 50.0),
                            Some(0.0),
                        ),
                        optional(
                            "roughness",
                            "trapezoid: Manning's n",
                            "s/m^(1/3)",
                            (0.005, 0.5),
                        ),
                        optional(
                            "celerity_ms",
                            "constant: celerity of the wave",
                            "m/s",
                            (1e-3, 50.0),
                        ),
                        optional(
                            "unit_discharge_m2s",
                            "constant: reference discharge by surface width",
                            "m²/s",
                            (1e-6, 1_000.0),
                        ),
                        PARTS,
                    ],
                }
            },
            Box::new(muskingum_cunge),
        ),
    ]
}

fn inflow(table: &Table, place: &str) -> Result<Vec<f64>, Vec<Problem>> {
    let mut mistakes = Mistakes::new(place);
    let inflow = table.numbers(INFLOW.name, 0.0, DISCHARGE_MAX, &mut mistakes);
    mistakes.end().map(|()| inflow)
}

fn muskingum(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let inflow = inflow(table, place)?;
    let reach = Reach {
        k_h: p.number("k_h"),
        x: p.number("x"),
        m: p.number("m"),
        lateral: p.number("lateral"),
        parts: p.count("parts"),
    };
    let is_linear = (reach.m - 1.0).abs() < f64::EPSILON;
    if !is_linear && reach.parts > 1 {
        return Err(vec![p.problem(
            "parts",
            "the nonlinear method routes a reach as a whole",
            "set it to 1",
        )]);
    }
    let routed = muskingum::route(&reach, &inflow, p.number("step_h"), p.optional("first_m3s"));
    let c = Coefficients::new(reach.k_h / count(reach.parts), reach.x, p.number("step_h"));
    let doubts: Vec<Value> = if is_linear && !c.are_sound() {
        vec![json!(
            "a coefficient is negative: outside 2Kx <= step <= 2K(1 - x) of a part the outflow can dip or swing; change parts or the step"
        )]
    } else {
        Vec::new()
    };
    Ok(Output {
        table: table.with(ROUTED.name, cells(&routed)),
        report: report([
            (
                "coefficients",
                if is_linear { json(c) } else { Value::Null },
            ),
            ("doubts", Value::Array(doubts)),
        ]),
    })
}

fn fit(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let mut mistakes = Mistakes::new(place);
    let mut inflow = gaps(table.numbers_or_gaps(INFLOW.name, 0.0, DISCHARGE_MAX, &mut mistakes));
    let outflow = gaps(table.numbers_or_gaps("outflow_m3s", 0.0, DISCHARGE_MAX, &mut mistakes));
    let bridged = bridge(&mut inflow, p.count("gap_steps_max"));
    let stretch = longest_stretch(&inflow);
    let inflow = inflow.get(stretch.clone()).unwrap_or_default();
    let outflow = outflow.get(stretch.clone()).unwrap_or_default();
    if outflow.iter().filter(|o| o.is_finite()).count() < 3 {
        mistakes.of_table(
            "fewer than three outflows are known",
            "give the outflow of a whole flood",
        );
    }
    mistakes.end()?;
    let step_h = p.number("step_h");
    let search = Search {
        k_h: (p.number("k_h_min"), p.number("k_h_max")),
        x: (p.number("x_min"), p.number("x_max")),
        lateral: p.choice("lateral") == "yes",
        parts: p.count("parts"),
    };
    if search.k_h.0 >= search.k_h.1 || search.x.0 >= search.x.1 {
        return Err(vec![p.problem(
            "k_h_max",
            "the most is not above the least",
            "widen what is searched",
        )]);
    }
    let Some(fit) = muskingum::fit(inflow, outflow, step_h, &search) else {
        return Err(vec![p.problem(
            "k_h_min",
            "nothing could be fitted",
            "give more of the flood",
        )]);
    };
    let reach = Reach {
        k_h: six_digits(fit.reach.k_h),
        x: six_digits(fit.reach.x),
        lateral: six_digits(fit.reach.lateral),
        ..fit.reach
    };
    let first = outflow.first().copied().filter(|o| o.is_finite());
    let routed = muskingum::route(&reach, inflow, step_h, first);
    let pairs = crate::skill::pairs(outflow, &routed);
    let mut doubts = Vec::new();
    if stretch.len() < table.rows.len() {
        doubts.push(json!(format!(
            "only rows {} to {} are fitted, the longest stretch with inflow",
            stretch.start + 1,
            stretch.end
        )));
    }
    if bridged > 0 {
        doubts.push(json!(format!(
            "{bridged} rows without inflow are bridged on a straight line"
        )));
    }
    if fit.at_edge {
        doubts.push(json!(
            "K or x lies at the edge of what was searched: the flood may tell neither"
        ));
    }
    let parameters = json!({
        "step_h": step_h, "k_h": reach.k_h, "x": reach.x, "lateral": reach.lateral, "parts": reach.parts,
    });
    let mut whole_table = vec![f64::NAN; stretch.start];
    whole_table.extend(&routed);
    Ok(Output {
        table: table.with(ROUTED.name, cells(&whole_table)),
        report: report([
            ("parameters", parameters),
            (
                "sum_of_squares",
                json!(muskingum::squares(outflow, &routed)),
            ),
            ("nse", json!(crate::skill::nse(&pairs))),
            ("at_edge", json!(fit.at_edge)),
            ("doubts", Value::Array(doubts)),
        ]),
    })
}

/// Puts gaps of at most `longest` numbers between two known ones on the straight line between those; how many were put.
fn bridge(numbers: &mut [f64], longest: usize) -> usize {
    let mut bridged = 0;
    let mut last: Option<(usize, f64)> = None;
    for n in 0..numbers.len() {
        let Some(now) = numbers.get(n).copied().filter(|q| q.is_finite()) else {
            continue;
        };
        if let Some((from, before)) = last
            && (2..=longest + 1).contains(&(n - from))
        {
            for (k, slot) in numbers.iter_mut().enumerate().take(n).skip(from + 1) {
                *slot = before + (now - before) * count(k - from) / count(n - from);
                bridged += 1;
            }
        }
        last = Some((n, now));
    }
    bridged
}

/// The longest stretch of numbers that are known; the first of those as long.
fn longest_stretch(numbers: &[f64]) -> Range<usize> {
    let mut best = 0..0;
    let mut from = 0;
    for (n, number) in numbers.iter().enumerate() {
        if !number.is_finite() {
            from = n + 1;
        } else if n + 1 - from > best.len() {
            best = from..n + 1;
        }
    }
    best
}

fn muskingum_cunge(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let inflow = inflow(table, place)?;
    let needed = |name: &str| {
        p.optional(name).ok_or_else(|| {
            vec![p.problem(name, "it is missing for this kind of channel", "give it")]
        })
    };
    let channel = if p.choice("channel") == "constant" {
        Channel::Constant {
            celerity_ms: needed("celerity_ms")?,
            unit_discharge_m2s: needed("unit_discharge_m2s")?,
        }
    } else {
        Channel::Trapezoid {
            bed_m: needed("bed_m")?,
            bank_slope: p.number("bank_slope"),
            roughness: needed("roughness")?,
        }
    };
    let reach = cunge::Reach {
        length_m: p.number("length_km") * 1000.0,
        slope: p.number("slope"),
        channel,
        parts: p.count("parts"),
    };
    let routed = cunge::route(&reach, &inflow, p.number("step_h"));
    Ok(Output {
        table: table.with(ROUTED.name, cells(&routed.outflow)),
        report: report([
            // C + D below 1: the cell is too coarse for the step.
            ("steps_too_coarse", json!(routed.unsound)),
        ]),
    })
}
