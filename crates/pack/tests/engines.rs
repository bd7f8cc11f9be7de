//! Engines over tables: what the plan's path says, and mistakes with their line.

use engine::{Engine, Output, Table};
use model::Problem;
use pack::engines::engines;
use pack::{Packs, embedded};

fn table(columns: &[&str], rows: &[&[&str]]) -> Table {
    let owned = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
    Table {
        columns: owned(columns),
        rows: rows.iter().map(|row| owned(row)).collect(),
    }
}

fn find(name: &str) -> Engine {
    let mut all = engines().into_iter();
    all.find(|e| e.description.name == name).unwrap()
}

fn run(engine: &Engine, table: &Table) -> Result<Output, Vec<Problem>> {
    engine.run(table, serde_json::Map::new(), "none", "x.csv")
}

#[test]
fn the_plans_path_is_what_its_indicators_say() {
    let packs = Packs::load_all(embedded(), None).unwrap();
    let indicator = packs
        .indicators
        .iter()
        .find(|i| i.name_zh == "5G基站规模")
        .unwrap();
    // 398 in 2020, 1,800 in 2025.
    let input = table(
        &["note", "value", "indicator", "day"],
        &[
            &["a", "1800", &indicator.id, "2025-12-31"],
            &["b", "398", &indicator.id, "2025-12-31"],
            &["c", "", &indicator.id, "2025-12-31"],
        ],
    );
    let out = run(&find("plan-status"), &input).unwrap().table;
    assert_eq!(out.columns[4..], ["expected", "status"]);
    let told: Vec<_> = out
        .rows
        .iter()
        .map(|row| (row[4].as_str(), row[5].as_str()))
        .collect();
    let day = jiff::civil::date(2025, 12, 31);
    let expected = indicator.expected(day).unwrap();
    assert!((expected - 1_800.0).abs() < f64::EPSILON);
    assert_eq!(
        told,
        [("1800", "met"), ("1800", "behind"), ("1800", "unknown")]
    );
}

#[test]
fn the_rules_judge_the_rows_of_a_file() {
    let gateway = "urn:ngsi-ld:Gateway:1";
    let row = |time: &'static str, value: &'static str| ["Gateway", gateway, "online", time, value];
    let rows = [
        row("2026-07-01T08:00:00+08:00", "true"),
        row("2026-07-01T08:01:00+08:00", "false"),
        row("2026-07-01T08:02:00+08:00", "false"),
        row("2026-07-01T08:03:00+08:00", "true"),
    ];
    let rows: Vec<&[&str]> = rows.iter().map(<[&str; 5]>::as_slice).collect();
    let columns = ["type", "entity", "attribute", "time", "value"];
    let engine = find("rule-alerts");
    let out = run(&engine, &table(&columns, &rows)).unwrap().table;
    let told: Vec<_> = out
        .rows
        .iter()
        .map(|row| (row[5].as_str(), row[6].as_str()))
        .collect();
    let alert = format!("gateway-offline {gateway}");
    assert_eq!(
        told,
        [
            ("", ""),
            ("", ""),
            (alert.as_str(), ""),
            ("", alert.as_str())
        ]
    );
    let wrong = [
        rows[1],
        rows[0],
        &["Gateway", gateway, "online", "soon", "true"],
    ];
    let problems = run(&engine, &table(&columns, &wrong)).unwrap_err();
    let places: Vec<_> = problems.iter().map(|p| p.place.as_str()).collect();
    assert_eq!(places, ["x.csv:3", "x.csv:4"]);
}

#[test]
fn mistakes_have_their_line_and_columns_are_asked_for() {
    let packs = Packs::load_all(embedded(), None).unwrap();
    let engine = find("plan-status");
    let id = packs.indicators[0].id.as_str();
    let input = table(
        &["indicator", "day", "value"],
        &[
            &[id, "2025-01-01", "1"],
            &["none", "2025-01-01", "1"],
            &[id, "soon", "1"],
            &[id, "2025-01-01", "many"],
        ],
    );
    let problems = run(&engine, &input).unwrap_err();
    let places: Vec<_> = problems.iter().map(|p| p.place.as_str()).collect();
    assert_eq!(places, ["x.csv:3", "x.csv:4", "x.csv:5"]);
    let problems = run(&engine, &table(&["status"], &[])).unwrap_err();
    assert_eq!(problems.len(), 4, "three are missing, one is there twice");
}
