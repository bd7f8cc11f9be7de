//! The mathematics of energy over tables: what `jingling engine run energy.…` runs.

use crate::load::{self, Hour, Judged, Method, WEEK, count};
use engine::{
    Column, Description, Engine, Kind, Mistakes, Output, Parameter, Parameters, Table, wrong,
};
use model::{Problem, Timestamp};
use serde_json::{Map, Value, json};

/// The pack's name in descriptions.
const PACK: &str = "pack-energy";
/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;
/// Highest load that is read, kW: 100 GW, above every grid's.
const LOAD_MAX: f64 = 1e8;
/// Most hours that the readings may span: two years.
const HOURS_MAX: i64 = 17_568;
/// An interval that held so much less than it should is a doubt.
const COVERED_SHORT: f64 = 0.1;
/// Hours without a reading among those read, above which it is a doubt.
const GAPS_MAX: f64 = 0.1;
/// Unmeasured hours at the end, above which it is a doubt.
const STALE_HOURS: usize = 6;

const fn column(name: &'static str, what: &'static str) -> Column {
    Column { name, what }
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

const fn share(
    name: &'static str,
    what: &'static str,
    (min, max): (f64, f64),
    default: f64,
) -> Parameter {
    let default = Some(default);
    let kind = Kind::Number { min, max, default };
    Parameter {
        name,
        what,
        unit: "-",
        kind,
    }
}

/// All engines of the pack.
pub fn engines() -> Vec<Engine> {
    vec![Engine::new(
        const {
            Description {
                name: "energy.load-forecast",
                pack: PACK,
                title_zh: "负荷预测",
                title_en: "The load of the hours ahead",
                method: "Median of the same hour of the week in the weeks before, plus a share of how much the last day was above or below it; not below 0. \
                     Judged on the last days, each foretold from what was known then, beside the same hour a week ago. Interval: quantiles of those errors \
                     of the same lead and its neighbours. The output is one row a lead: at (RFC 3339, Z), value, lower, upper",
                reference: "Hong & Fan 2016, Int. J. Forecasting 32(3), similar days; Hyndman & Athanasopoulos 2021, Forecasting: Principles and Practice, 5.2 and 5.5",
                version: 1,
                input: &[
                    column(
                        "at",
                        "the hour's end, RFC 3339 with its zone; rows in order of time, at whole hours; hours that are missing are gaps",
                    ),
                    column(
                        "load_kw",
                        "mean load of the hour, kW, 0 or more; empty when it was not measured",
                    ),
                ],
                output: &[
                    column("value", "load that is foretold, kW"),
                    column("lower", "lower end of the interval, kW; empty without one"),
                    column("upper", "upper end of the interval, kW; empty without one"),
                ],
                parameters: &[
                    whole(
                        "leads",
                        "hours after the last row that are foretold",
                        "h",
                        (1, 168),
                        36,
                    ),
                    whole(
                        "weeks",
                        "weeks before whose same hours the median is of",
                        "weeks",
                        (1, 26),
                        6,
                    ),
                    share(
                        "level_share",
                        "share of the last day's difference that is added",
                        (0.0, 1.0),
                        0.5,
                    ),
                    whole(
                        "judged_days",
                        "last days on which it is judged, and from whose errors the interval is",
                        "days",
                        (7, 366),
                        28,
                    ),
                    share(
                        "certainty",
                        "share of what comes that the interval should hold",
                        (0.5, 0.99),
                        0.9,
                    ),
                ],
            }
        },
        Box::new(forecast),
    )]
}

/// The hours, one by one, and when the last one ends (microseconds).
fn hours(table: &Table, place: &str) -> Result<(Vec<Option<f64>>, i64), Vec<Problem>> {
    let mut mistakes = Mistakes::new(place);
    let loads = table.numbers_or_gaps("load_kw", 0.0, LOAD_MAX, &mut mistakes);
    let mut past: Vec<Option<f64>> = Vec::new();
    let mut ends: Option<i64> = None;
    for (n, (cell, load)) in table.cells("at").zip(loads).enumerate() {
        let at = match Timestamp::parse(cell) {
            Ok(at) => at.micros(),
            Err(problem) => {
                let mend = "write RFC 3339 with a zone, such as 2026-07-01T08:00:00+08:00";
                mistakes.add(n, wrong(problem.what, mend));
                continue;
            }
        };
        if at.rem_euclid(HOUR) != 0 {
            let what = format!("{cell} is no whole hour");
            mistakes.add(n, wrong(what, "give one row an hour, under the hour's end"));
            continue;
        }
        let gap = ends.map_or(0, |last| (at - last) / HOUR - 1);
        if ends.is_some_and(|last| at <= last) {
            let what = format!("{cell} does not come after the row before it");
            mistakes.add(
                n,
                wrong(what, "give the rows in order of time, one an hour"),
            );
            continue;
        }
        let spans = i64::try_from(past.len()).unwrap_or(i64::MAX);
        if gap.saturating_add(spans) >= HOURS_MAX {
            let what = format!("the readings span more than {HOURS_MAX} hours");
            mistakes.add(n, wrong(what, "give a shorter past"));
            break;
        }
        for _ in 0..gap {
            past.push(None);
        }
        past.push(load);
        ends = Some(at);
    }
    if mistakes.is_empty() && past.len() < 2 * WEEK {
        mistakes.of_table(
            format!("{} hours, fewer than two weeks", past.len()),
            "give at least two weeks, better ten",
        );
    }
    mistakes.end()?;
    Ok((past, ends.unwrap_or_default()))
}

fn forecast(table: &Table, p: &Parameters, place: &str) -> Result<Output, Vec<Problem>> {
    let (past, end) = hours(table, place)?;
    let method = Method {
        weeks: p.count("weeks"),
        share: p.number("level_share"),
    };
    let certainty = p.number("certainty");
    let (told, judged) = load::foretell(
        &past,
        method,
        p.count("leads"),
        p.count("judged_days"),
        certainty,
    );
    let mut out = Table::of(&["at", "value", "lower", "upper"]);
    let mut bare = 0;
    for (lead, hour) in (1_i64..).zip(&told) {
        let Some(Hour { value, interval }) = hour else {
            continue;
        };
        bare += usize::from(interval.is_none());
        let end_of =
            |of: fn((f64, f64)) -> f64| interval.map(|i| of(i).to_string()).unwrap_or_default();
        out.rows.push(vec![
            Timestamp::from_micros(end.saturating_add(lead.saturating_mul(HOUR))).to_string(),
            value.to_string(),
            end_of(|i| i.0),
            end_of(|i| i.1),
        ]);
    }
    if out.rows.is_empty() {
        return Err(vec![Problem::new(
            "engine-table",
            "nothing can be foretold: no hour of the last weeks was measured",
            place,
            "give a past with readings",
        )]);
    }
    let doubts = doubts(
        &past,
        told.len() - out.rows.len(),
        bare,
        judged.as_ref(),
        certainty,
    );
    let mut report = Map::new();
    report.insert("certainty".to_owned(), json!(certainty));
    report.insert("hours".to_owned(), json!(past.len()));
    report.insert("judged".to_owned(), json!(judged));
    report.insert("doubts".to_owned(), Value::from(doubts));
    Ok(Output { table: out, report })
}

/// What is in doubt.
fn doubts(
    past: &[Option<f64>],
    unknown: usize,
    bare: usize,
    judged: Option<&Judged>,
    certainty: f64,
) -> Vec<String> {
    let mut doubts = Vec::new();
    let gaps = past.iter().filter(|load| load.is_none()).count();
    if count(gaps) > GAPS_MAX * count(past.len()) {
        doubts.push(format!("{gaps} of {} hours were not measured", past.len()));
    }
    let stale = past.iter().rev().take_while(|load| load.is_none()).count();
    if stale > STALE_HOURS {
        doubts.push(format!("the last {stale} hours were not measured"));
    }
    if unknown > 0 {
        doubts.push(format!(
            "{unknown} hours ahead have no forecast: no week before tells of them"
        ));
    }
    if bare > 0 {
        doubts.push(format!(
            "{bare} hours ahead have no interval: the past is too short to know the errors"
        ));
    }
    match judged {
        None => doubts.push("how good it is, is not known: the past is too short".to_owned()),
        Some(judged) => {
            if judged.skill <= 0.0 {
                doubts.push("it was no better than the same hour a week ago".to_owned());
            }
            if let Some(covered) = judged
                .covered
                .filter(|covered| *covered < certainty - COVERED_SHORT)
            {
                doubts.push(format!(
                    "intervals held {:.0} % of what came, and should hold {:.0} %",
                    100.0 * covered,
                    100.0 * certainty
                ));
            }
        }
    }
    doubts
}
