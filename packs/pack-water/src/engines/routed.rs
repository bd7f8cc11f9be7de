//! Discharge foretold by routing, over tables.

use super::stage::times;
use super::{CERTAINTY, DISCHARGE_MAX, GAP_STEPS_MAX, PACK, column, json, number, report, whole};
use crate::corresponding_stage::{Axis, Stages};
use crate::math::{count, six_digits};
use crate::muskingum::{Coefficients, Reach};
use crate::routed_flow::{self as routed, Forecast, Settings};
use engine::{Description, Engine, Mistakes, Output, Parameters, Table};
use model::Problem;
use model::time::Timestamp;
use serde_json::{Value, json};

const INFLOW: &str = "inflow_m3s";
const OUTFLOW: &str = "outflow_m3s";
const MINUTE: i64 = 60_000_000;
/// Most steps that the readings may span.
const STEPS_MAX: usize = 20_000;
/// Most steps of parts that one run makes: about a second.
const WORK_MAX: f64 = 2e8;

pub(super) fn engines() -> Vec<Engine> {
    vec![Engine::new(
        const {
            Description {
                name: "water.routed-flow",
                pack: PACK,
                title_zh: "河道流量演算预报",
                title_en: "Discharge foretold by routing a reach",
                method: "Linear Muskingum routing of the discharge at the upper end, from the last gap in it up to its last reading, and on from there with \
                         an inflow that stays: beyond K a forecast says little. The last error at the lower end is carried on as a first-order \
                         autoregression; the interval is the quantiles of the errors, as shares of the value, of the forecasts that would have been made \
                         in this past, never narrower for a later lead, and empty where fewer than errors_min are known. The output is one row a lead: \
                         at (RFC 3339, Z), value, lower, upper",
                reference: "McCarthy 1938; Chow, Maidment & Mays 1988, Applied Hydrology, eqs. 8.4.7-8.4.10; Box & Jenkins 1976, Time Series Analysis; \
                        GB/T 22482-2008",
                version: 1,
                input: &[
                    column(
                        "at",
                        "when it was read, RFC 3339 with its zone; rows in order of time",
                    ),
                    column(INFLOW, "discharge at the upper end, m³/s; may be empty"),
                    column(OUTFLOW, "discharge at the lower end, m³/s; may be empty"),
                ],
                output: &[
                    column(
                        "value",
                        "discharge foretold at the lower end, m³/s, six digits",
                    ),
                    column("lower", "lower end of its interval, m³/s"),
                    column("upper", "upper end, m³/s"),
                ],
                parameters: &[
                    whole(
                        "step_minutes",
                        "the step of the forecast",
                        "min",
                        (1, 1_440),
                        60,
                    ),
                    whole(
                        "leads",
                        "leads that are foretold: 1 to this",
                        "steps",
                        (1, 240),
                        12,
                    ),
                    number("k_h", "storage constant K", "h", (1e-6, 10_000.0), None),
                    number("x", "weight of the inflow", "-", (-1.0, 0.5), None),
                    number(
                        "lateral",
                        "what joins along the reach, as a share of the inflow",
                        "-",
                        (-0.99, 100.0),
                        Some(0.0),
                    ),
                    whole(
                        "parts",
                        "in how many equal parts the reach is routed, one after the other",
                        "-",
                        (1, 100),
                        1,
                    ),
                    GAP_STEPS_MAX,
                    CERTAINTY,
                    whole(
                        "errors_min",
                        "fewest past forecasts of a lead that its interval is taken from",
                        "-",
                        (10, 10_000),
                        24,
                    ),
                ],
            }
        },
        Box::new(run),
    )]
}

/// Readings of both ends: µs since 1970, m³/s.
type Readings = [Vec<(i64, f64)>; 2];

fn readings(table: &Table, place: &str) -> Result<Readings, Vec<Problem>> {
    let mut mistakes = Mistakes::new(place);
    let times = times(table, &mut mistakes);
    let mut of = |name: &str| {
        let cells = table.numbers_or_gaps(name, 0.0, DISCHARGE_MAX, &mut mistakes);
        let known = times.iter().zip(cells);
        let mut all: Vec<(i64, f64)> = Vec::new();
        for (time, value) in known.filter_map(|(time, cell)| Some((*time, cell?))) {
            match all.last_mut() {
                Some(last) if last.0 == time => last.1 = value,
                _ => all.push((time, value)),
            }
        }
        all
    };
    let both = [of(INFLOW), of(OUTFLOW)];
    if both[0].is_empty() && mistakes.is_empty() {
        mistakes.of_table("no inflow was read", "fill in inflow_m3s");
    }
    mistakes.end()?;
    Ok(both)
}

fn run(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let [inflow, outflow] = readings(table, place)?;
    let refused =
        |what: String, mend: &str| Err(vec![Problem::new("engine-table", what, place, mend)]);
    let reach = Reach {
        k_h: p.number("k_h"),
        x: p.number("x"),
        lateral: p.number("lateral"),
        parts: p.count("parts"),
        ..Reach::default()
    };
    let step = i64::try_from(p.whole("step_minutes")).unwrap_or(1) * MINUTE;
    let step_h = count(p.count("step_minutes")) / 60.0;
    let ends = inflow.first().zip(inflow.last());
    let (first, origin) = ends.map_or((0, 0), |(first, last)| (first.0, last.0));
    let steps = usize::try_from(origin.saturating_sub(first) / step).unwrap_or(usize::MAX);
    if steps >= STEPS_MAX {
        let what = format!("the readings span {steps} steps, not below {STEPS_MAX}");
        return refused(what, "give a shorter past, or a longer step_minutes");
    }
    let work = count(steps) * count(p.count("leads")) * count(reach.parts);
    if work > WORK_MAX {
        let what = format!("{steps} steps, leads and parts are too much at once");
        let mend = "give a shorter past, fewer leads or fewer parts";
        return Err(vec![p.problem("leads", what, mend)]);
    }
    let axis = Axis {
        origin,
        step,
        steps: steps + 1,
    };
    let gap = p.count("gap_steps_max");
    let inflow = Stages::from_readings(&inflow, axis, gap).values;
    let outflow = Stages::from_readings(&outflow, axis, gap).values;
    // From the last gap on.
    let begin = inflow
        .iter()
        .rposition(|q| !q.is_finite())
        .map_or(0, |n| n + 1);
    let (inflow, outflow) = (
        inflow.get(begin..).unwrap_or_default(),
        outflow.get(begin..).unwrap_or_default(),
    );
    let warm_up = crate::math::whole((2.0 * reach.k_h / step_h).ceil());
    let how = Settings {
        leads: p.count("leads"),
        certainty: p.number("certainty"),
        errors_min: p.count("errors_min"),
    };
    let Some(forecast) = routed::forecast(&reach, step_h, inflow, outflow, warm_up, &how) else {
        let what = "fewer than two steps of inflow without a gap up to its last reading".to_owned();
        return refused(
            what,
            "give a longer past, or a step_minutes as long as the readings are apart",
        );
    };
    let doubts = doubts(&forecast, &reach, step_h, inflow.len(), warm_up, &how);
    let has_interval = forecast.leads.iter().any(|lead| lead.interval.is_some());
    let mut told = report([
        ("method", json!("routed-flow")),
        ("origin", json!(Timestamp::from_micros(origin).to_string())),
        ("routed_m3s", json!(six_digits(forecast.routed))),
        ("error_m3s", json!(forecast.error.map(six_digits))),
        ("error_kept", json!(six_digits(forecast.kept))),
        ("skill", json(&forecast.leads)),
        ("doubts", json!(doubts)),
    ]);
    if has_interval {
        told.insert("certainty".to_owned(), json!(how.certainty));
    }
    Ok(Output {
        table: rows(&forecast, axis),
        report: told,
    })
}

fn rows(forecast: &Forecast, axis: Axis) -> Table {
    let mut table = Table::of(&["at", "value", "lower", "upper"]);
    let cell = |flow: Option<f64>| flow.map(|q| six_digits(q).to_string()).unwrap_or_default();
    for lead in &forecast.leads {
        let steps = i64::try_from(lead.lead).unwrap_or(i64::MAX);
        let at = axis.origin.saturating_add(steps.saturating_mul(axis.step));
        table.rows.push(vec![
            Timestamp::from_micros(at).to_string(),
            cell(Some(lead.flow)),
            cell(lead.interval.map(|(low, _)| low)),
            cell(lead.interval.map(|(_, high)| high)),
        ]);
    }
    table
}

/// What a forecaster should look at.
fn doubts(
    forecast: &Forecast,
    reach: &Reach,
    step_h: f64,
    steps: usize,
    warm_up: usize,
    how: &Settings,
) -> Vec<Value> {
    let mut all = Vec::new();
    let mut add = |doubt: String| all.push(Value::String(doubt));
    if !Coefficients::new(reach.k_h / count(reach.parts), reach.x, step_h).are_sound() {
        add("a coefficient is negative for this step: the outflow may dip or swing where the inflow does not".to_owned());
    }
    if steps <= warm_up {
        add(format!(
            "{steps} steps without a gap, fewer than 2 K: what stood in the reach at first still counts"
        ));
    }
    if forecast.error.is_none() {
        add("no discharge at the lower end now: the routing is not corrected".to_owned());
    }
    if forecast.leads.iter().any(|lead| lead.interval.is_none()) {
        add("too few past forecasts to tell an interval for every lead".to_owned());
    }
    let beyond = forecast
        .leads
        .iter()
        .find(|lead| count(lead.lead) * step_h > reach.k_h);
    if let Some(lead) = beyond {
        add(format!(
            "leads {} to {} lie beyond K: they rest on the inflow staying as it is",
            lead.lead, how.leads
        ));
    }
    let worse = forecast.leads.iter().filter(|lead| {
        lead.rmse
            .zip(lead.rmse_persistence)
            .is_some_and(|(rmse, stays)| rmse >= stays)
    });
    let worse = worse.count();
    if worse > 0 {
        add(format!(
            "{worse} leads were no better in this past than that the discharge stays: look at K and x"
        ));
    }
    all
}
