//! The load of the hours ahead: the same numbers as the second program, intervals that hold, and every mistake with its place.

use engine::{Output, Table, find};
use model::Problem;
use pack_energy::load::{Method, WEEK, ahead, foretell};
use serde_json::{Value, json};

const JPL: &str = include_str!("data/charging-jpl-hourly.csv");
const METHOD: Method = Method {
    weeks: 6,
    share: 0.5,
};

fn table(text: &str) -> Table {
    let mut lines = text
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    Table {
        columns: lines.next().unwrap(),
        rows: lines.collect(),
    }
}

fn run(table: &Table, parameters: &Value) -> Result<Output, Vec<Problem>> {
    let all = pack_energy::engines();
    let engine = find(&all, "energy.load-forecast").unwrap();
    let parameters = parameters.as_object().cloned().unwrap_or_default();
    engine.run(table, parameters, "p.toml", "x.csv")
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

/// What `tests/reference/load.py judge tests/data/charging-jpl-hourly.csv` prints.
#[test]
fn real_charging_is_foretold_as_by_the_second_program() {
    let out = run(&table(JPL), &json!({"leads": 24})).unwrap();
    let judged = &out.report["judged"];
    let number = |key: &str| judged[key].as_f64().unwrap();
    assert_eq!(
        (judged["days"].as_u64(), judged["hours"].as_u64()),
        (Some(28), Some(672))
    );
    for (key, expected) in [
        ("mean", 32.631_157_738),
        ("mae", 7.585_183_222),
        ("mae_naive", 11.032_723_214),
        ("wape_percent", 23.245_216),
        ("mape_percent", 42.928_990),
        ("bias", -1.570_306_362),
        ("skill", 0.312_483),
    ] {
        assert!(close(number(key), expected), "{key} {}", number(key));
    }
    let value = |row: usize, column: usize| out.table.rows[row][column].parse::<f64>().unwrap();
    for (row, expected) in [
        (0, 0.0),
        (3, 0.748),
        (7, 233.3995),
        (8, 197.7655),
        (21, 5.1445),
    ] {
        assert!(close(value(row, 1), expected), "{row}");
    }
    assert_eq!(out.table.rows.len(), 24);
    assert_eq!(out.table.rows[0][0], "2019-11-11T01:00:00Z");
    assert_eq!(out.table.rows[23][0], "2019-11-12T00:00:00Z");
    // The interval is around it, not below nothing, and held about what it should.
    for row in 0..24 {
        assert!(
            0.0 <= value(row, 2)
                && value(row, 2) <= value(row, 1)
                && value(row, 1) <= value(row, 3)
        );
    }
    let covered = number("covered");
    assert!((0.8..=1.0).contains(&covered), "{covered}");
    assert_eq!(out.report["doubts"], json!([]));
    assert_eq!(out.report["version"], 1);
}

/// Weeks that are alike but for noise without any: foretold to the bit, with an interval of no width.
#[test]
fn weeks_that_repeat_are_foretold_exactly_and_one_odd_week_changes_nothing() {
    let usual = |hour: usize| 100.0 + f64::from(u8::try_from(hour % WEEK % 37).unwrap());
    let mut past: Vec<Option<f64>> = (0..10 * WEEK).map(|hour| Some(usual(hour))).collect();
    let (hours, judged) = foretell(&past, METHOD, WEEK, 28, 0.9);
    for (lead, hour) in hours.iter().enumerate() {
        let hour = hour.unwrap();
        assert_eq!(hour.value, usual(10 * WEEK + lead));
        assert_eq!(hour.interval, Some((hour.value, hour.value)));
    }
    assert_eq!(judged.unwrap().mae, 0.0);
    // A festival three weeks ago.
    for hour in &mut past[7 * WEEK..8 * WEEK] {
        *hour = Some(5.0);
    }
    let next = ahead(&past, METHOD, 24);
    assert_eq!(next[7], Some(usual(7)));
    // A day that was 20 above: half of it stays.
    for hour in past.iter_mut().rev().take(24) {
        *hour = hour.map(|load| load + 20.0);
    }
    assert_eq!(ahead(&past, METHOD, 24)[7], Some(usual(7) + 10.0));
}

#[test]
fn gaps_are_gaps_and_doubts_are_told() {
    // Every fifth hour is missing altogether, and the last ten were not measured.
    let mut rows = table(JPL);
    let mut n = 0;
    rows.rows.retain(|_| {
        n += 1;
        n % 5 != 0
    });
    for row in rows.rows.iter_mut().rev().take(10) {
        row[1] = String::new();
    }
    let out = run(&rows, &json!({})).unwrap();
    let doubts = out.report["doubts"].as_array().unwrap();
    assert!(
        doubts
            .iter()
            .any(|doubt| doubt.as_str().unwrap().contains("were not measured"))
    );
    assert!(
        doubts
            .iter()
            .any(|doubt| doubt.as_str().unwrap().starts_with("the last "))
    );
    let skill = out.report["judged"]["skill"].as_f64().unwrap();
    assert!(skill > 0.1, "{skill}");
    // Two weeks alone: a forecast, hardly judged.
    let mut short = table(JPL);
    short.rows.truncate(2 * WEEK);
    let out = run(&short, &json!({"leads": 168})).unwrap();
    assert_eq!(out.table.rows.len(), 168);
    assert!(!out.report["doubts"].as_array().unwrap().is_empty());
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let places = |text: &str| -> Vec<String> {
        let problems = run(&table(text), &json!({})).unwrap_err();
        problems.into_iter().map(|problem| problem.place).collect()
    };
    assert_eq!(
        places(
            "at,load_kw\n2026-07-01T08:00:00Z,1\nnoon,2\n2026-07-01T08:30:00Z,3\n2026-07-01T08:00:00Z,4\n2026-07-01T17:00:00+08:00,-5\n2026-07-01T10:00:00Z,x"
        ),
        ["x.csv:6", "x.csv:7", "x.csv:3", "x.csv:4", "x.csv:5"]
    );
    assert_eq!(places("at,load_kw\n2026-07-01T08:00:00Z,1"), ["x.csv"]);
    assert_eq!(
        places("at,load_kw\n2020-07-01T08:00:00Z,1\n2026-07-01T08:00:00Z,1"),
        ["x.csv:3"]
    );
    assert_eq!(places("load_kw\n1"), ["x.csv:1"]);
    let mut silent = table(JPL);
    for row in &mut silent.rows {
        row[1] = String::new();
    }
    assert_eq!(run(&silent, &json!({})).unwrap_err()[0].place, "x.csv");
    let problems = run(&table(JPL), &json!({"leads": 169})).unwrap_err();
    assert_eq!(problems[0].place, "p.toml: leads");
}
