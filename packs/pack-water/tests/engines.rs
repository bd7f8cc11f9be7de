//! The engines over tables: good answers, and every mistake with its place.

use engine::{Engine, Output, Table, find};
use model::Problem;
use serde_json::{Map, Value, json};

/// A table as text, its columns first.
pub fn table(text: &str) -> Table {
    let mut lines = text
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    Table {
        columns: lines.next().unwrap(),
        rows: lines.collect(),
    }
}

/// Runs an engine over a table.
pub fn run(name: &str, table: &Table, parameters: &Value) -> Result<Output, Vec<Problem>> {
    let all = pack_water::engines();
    let engine: &Engine = find(&all, name).unwrap();
    engine.run(
        table,
        parameters.as_object().cloned().unwrap_or_default(),
        "p.toml",
        "x.csv",
    )
}

fn places(problems: Result<Output, Vec<Problem>>) -> Vec<String> {
    problems.unwrap_err().into_iter().map(|p| p.place).collect()
}

fn wilson() -> Table {
    let rows = crate::muskingum::WILSON
        .iter()
        .map(|(i, o)| format!("{i},{o}"));
    table(&format!(
        "inflow_m3s,outflow_m3s\n{}",
        rows.collect::<Vec<_>>().join("\n")
    ))
}

#[test]
fn what_is_fitted_is_what_another_run_takes() {
    let fitted = run("water.muskingum-fit", &wilson(), &json!({"step_h": 6})).unwrap();
    assert!((fitted.report["sum_of_squares"].as_f64().unwrap() - 605.6).abs() < 0.05);
    let mut input = wilson();
    let report = Value::Object(fitted.report.clone());
    let mut given = report["parameters"].clone();
    given["first_m3s"] = json!(22);
    let routed = run("water.muskingum", &input, &given).unwrap();
    assert_eq!(routed.table, fitted.table, "bit for bit");
    assert!(
        routed.report["doubts"].as_array().unwrap().len() == 1,
        "C1 is negative for such a step"
    );
    // The whole report will do as parameters.
    assert!(run("water.muskingum", &input, &report).is_ok());
    input.rows[3][0] = "a lot".to_owned();
    input.rows[5][0] = "-4".to_owned();
    assert_eq!(
        places(run("water.muskingum", &input, &given)),
        ["x.csv:5", "x.csv:7"]
    );
    assert_eq!(
        places(run(
            "water.muskingum",
            &wilson(),
            &json!({"k_h": 3, "x": 0.9, "y": 1})
        )),
        ["p.toml: y", "p.toml: x"]
    );
}

#[test]
fn a_channel_says_what_it_lacks() {
    let given = json!({"length_km": 20, "slope": 0.0004, "step_h": 1, "bed_m": 30});
    assert_eq!(
        places(run("water.muskingum-cunge", &wilson(), &given)),
        ["p.toml: roughness"]
    );
    let given = json!({"length_km": 20, "slope": 0.0004, "step_h": 6, "bed_m": 30, "roughness": 0.03, "parts": 2});
    let out = run("water.muskingum-cunge", &wilson(), &given).unwrap();
    assert_eq!(out.table.rows.len(), 22);
}

#[test]
fn areal_rain_over_gauges_of_which_one_is_silent() {
    let given = json!({
        "gauges": [{"id": "A", "longitude": 113.0, "latitude": 30.5}, {"id": "B", "longitude": 113.4, "latitude": 30.5}],
        "basin": {"type": "Polygon", "coordinates": [[[113.0, 30.4], [113.4, 30.4], [113.4, 30.6], [113.0, 30.6], [113.0, 30.4]]]},
    });
    let rain = table("time,gauge,rain_mm\n1,A,10\n2,A,\n1,B,30\n2,B,8");
    for method in ["thiessen", "inverse-distance"] {
        let mut given = given.clone();
        given["method"] = json!(method);
        let out = run("water.areal-rain", &rain, &given).unwrap();
        let number =
            |row: usize, column: usize| out.table.rows[row][column].parse::<f64>().unwrap();
        assert!(
            (number(0, 1) - 20.0).abs() < 1e-6 && number(0, 2) == 2.0,
            "{method}"
        );
        assert!(
            (number(1, 1) - 8.0).abs() < 1e-9 && (number(1, 3) - 0.5).abs() < 1e-6,
            "{method}"
        );
    }
    let bad = table("time,gauge,rain_mm\n1,A,10\n1,C,1\n1,A,2\n2,B,-3");
    assert_eq!(
        places(run("water.areal-rain", &bad, &given)),
        ["x.csv:5", "x.csv:3", "x.csv:4"]
    );
    assert_eq!(
        places(run("water.areal-rain", &rain, &json!({"gauges": []}))),
        ["p.toml: gauges"]
    );
}

#[test]
fn a_rating_curve_there_and_back() {
    let measured =
        table("stage_m,discharge_m3s\n22,4.9\n23,17\n24,38.1\n,\n25,66.5\n26,102\n27,144");
    let fitted = run("water.rating-fit", &measured, &Value::Null).unwrap();
    let report = Value::Object(fitted.report);
    let out = run("water.rating", &table("stage_m\n21\n24.5\n\n28"), &report).unwrap();
    let doubts: Vec<_> = out.table.rows.iter().map(|row| row[2].as_str()).collect();
    assert_eq!(doubts, ["below-range", "", "", "above-range"]);
    let discharge = table(&format!("discharge_m3s\n{}", out.table.rows[1][1]));
    let back = run("water.rating-stage", &discharge, &report).unwrap();
    assert!((back.table.rows[0][1].parse::<f64>().unwrap() - 24.5).abs() < 1e-9);
    assert_eq!(
        places(run(
            "water.rating-fit",
            &table("stage_m,discharge_m3s\n1,2"),
            &Value::Null
        )),
        ["x.csv"]
    );
}

/// Hours of a reach with K = 6 h: what comes in, and what the engine of routing makes of it.
fn reach_hours(hours: usize) -> Vec<[String; 3]> {
    let inflow = |n: usize| 300.0 + 90.0 * (n as f64 / 37.0 * std::f64::consts::TAU).sin();
    let rows: Vec<String> = (0..hours).map(|n| inflow(n).to_string()).collect();
    let given = json!({"k_h": 6, "x": 0.2, "step_h": 1});
    let routed = run(
        "water.muskingum",
        &table(&format!("inflow_m3s\n{}", rows.join("\n"))),
        &given,
    );
    let routed = routed.unwrap().table.rows;
    let at = |n: usize| format!("2026-07-{:02}T{:02}:00:00Z", 1 + n / 24, n % 24);
    (0..hours)
        .map(|n| [at(n), routed[n][0].clone(), routed[n][1].clone()])
        .collect()
}

fn joined(rows: &[[String; 3]]) -> Table {
    let rows: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
    table(&format!("at,inflow_m3s,outflow_m3s\n{}", rows.join("\n")))
}

#[test]
fn a_routed_discharge_is_foretold_corrected_and_doubted() {
    let reach = json!({"k_h": 6, "x": 0.2, "leads": 8});
    let rows = reach_hours(200);
    let out = run("water.routed-flow", &joined(&rows[..180]), &reach).unwrap();
    assert_eq!(out.table.columns, ["at", "value", "lower", "upper"]);
    assert_eq!(out.table.rows.len(), 8);
    for (n, row) in out.table.rows.iter().enumerate().take(3) {
        assert_eq!(row[0], rows[180 + n][0]);
        let number = |cell: &str| cell.parse::<f64>().unwrap();
        let (told, came) = (number(&row[1]), number(&rows[180 + n][2]));
        let skill = |name: &str| out.report["skill"][n][name].as_f64().unwrap();
        assert!(
            (told - came).abs() < 3.0 * skill("rmse"),
            "{told} for {came}"
        );
        assert!(skill("rmse") < 0.5 * skill("rmse_persistence"), "lead {n}");
        assert!(number(&row[2]) <= told && told <= number(&row[3]));
    }
    assert_eq!(out.report["certainty"], 0.9);
    let doubts = out.report["doubts"].to_string();
    assert!(
        doubts.contains("leads 7 to 8 lie beyond K") && !doubts.contains("not corrected"),
        "{doubts}"
    );

    // Without the lower end: plain routing, no interval, and both are said. After a gap in the inflow it begins anew.
    let mut plain: Vec<[String; 3]> = rows[..180].to_vec();
    plain.iter_mut().for_each(|row| row[2].clear());
    plain[100..110].iter_mut().for_each(|row| row[1].clear());
    let out = run("water.routed-flow", &joined(&plain), &reach).unwrap();
    assert!(
        out.table
            .rows
            .iter()
            .all(|row| row[2].is_empty() && row[3].is_empty())
    );
    assert_eq!(out.report.get("certainty"), None);
    let doubts = out.report["doubts"].to_string();
    assert!(
        doubts.contains("not corrected") && doubts.contains("too few past forecasts"),
        "{doubts}"
    );

    let bad = table("at,inflow_m3s,outflow_m3s\nnoon,1,1\n2026-07-01T01:00:00Z,-5,1");
    assert_eq!(
        places(run("water.routed-flow", &bad, &reach)),
        ["x.csv:2", "x.csv:3"]
    );
    let one = joined(&rows[..1]);
    assert_eq!(places(run("water.routed-flow", &one, &reach)), ["x.csv"]);
    assert_eq!(
        places(run("water.routed-flow", &joined(&rows), &json!({"x": 0.9}))),
        ["p.toml: k_h", "p.toml: x"]
    );
}

/// Three years of the Falling River's rain, with the model's own discharge of known parameters as what was observed.
fn basin() -> (Table, Value) {
    let path = format!(
        "{}/tests/data/xinanjiang-02064000.csv",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.records().map(|r| {
        let r = r.unwrap();
        vec![r[1].to_owned(), r[2].to_owned()]
    });
    let columns = vec!["rain_mm".to_owned(), "evaporation_mm".to_owned()];
    let forcing = Table {
        columns,
        rows: rows.collect(),
    };
    let truth = json!({"area_km2": 428.0, "k": 0.8, "b": 0.35, "sm": 22.0, "ki": 0.25, "kg": 0.35, "ci": 0.6, "cs": 0.35, "lag_h": 12.0});
    (forcing, truth)
}

#[test]
fn a_calibration_finds_a_basin_again_and_its_forecast_repeats_bit_for_bit() {
    let (forcing, truth) = basin();
    let known = run("water.xinanjiang", &forcing, &truth).unwrap();
    let q: Vec<String> = known.table.cells("model_m3s").map(str::to_owned).collect();
    let input = forcing.with("discharge_m3s", q);
    let how = json!({"area_km2": 428.0, "warm_up_steps": 182, "calibration_steps": 549, "evaluations_max": 1500, "complexes": 3, "folds": 2, "leads": 3});
    let once = run("water.xinanjiang-calibrate", &input, &how).unwrap();
    assert_eq!(
        once,
        run("water.xinanjiang-calibrate", &input, &how).unwrap(),
        "bit for bit"
    );
    assert!(
        once.report["validation"]["nse"].as_f64().unwrap() > 0.9,
        "{}",
        once.report["validation"]
    );
    let lead = &once.report["leads"][0];
    assert!(lead["nse"].as_f64().unwrap() > lead["nse_persistence"].as_f64().unwrap());

    // A forecast of three days after row 1000, with the parameters as the report has them.
    let report = Value::Object(once.report.clone());
    let mut now = input.clone();
    now.rows.truncate(1003);
    for row in now.rows.iter_mut().skip(1000) {
        row[2].clear();
    }
    let text = serde_json::to_string(&report).unwrap();
    let kept: Map<String, Value> = serde_json::from_str(&text).unwrap();
    let out = run("water.forecast", &now, &Value::Object(kept)).unwrap();
    assert_eq!(
        out,
        run("water.forecast", &now, &report).unwrap(),
        "from its text too"
    );
    assert_eq!(out.report["steps"], 3);
    let cell =
        |row: usize, name: &str| out.table.rows[row][out.table.position(name).unwrap()].clone();
    assert_eq!(cell(999, "forecast_m3s"), "");
    for row in 1000..1003 {
        let number = |name: &str| cell(row, name).parse::<f64>().unwrap();
        assert!(
            number("low_m3s") <= number("forecast_m3s") + 1e-9
                && number("forecast_m3s") <= number("high_m3s") * 1.2 + 1e-9
        );
        let truth: f64 = input.rows[row][2].parse().unwrap();
        assert!((number("forecast_m3s") / truth - 1.0).abs() < 0.3, "{row}");
    }
}

/// A hundred days of a basin's hours up to a moment, and twelve hours ahead, with the discharge that the model itself makes of all the rain.
fn hours_of_a_basin() -> (Table, Vec<f64>, Value) {
    let truth = json!({"area_km2": 428.0, "step_h": 1, "k": 0.8, "sm": 22.0, "cs": 0.35, "lag_h": 3.0, "evaporation_mm_day": [2.4]});
    let start = model::Timestamp::parse("2026-03-01T00:00:00Z").unwrap();
    let rows: Vec<Vec<String>> = (0..2_412_u32)
        .map(|n| {
            let rain = if n % 157 < 9 { f64::from(n % 157) } else { 0.0 };
            let at = start.plus_seconds(3_600 * i64::from(n + 1)).to_string();
            vec![at, rain.to_string(), String::new()]
        })
        .collect();
    let columns = ["at", "rain_mm", "evaporation_mm"].map(str::to_owned);
    let forcing = Table {
        columns: columns.to_vec(),
        rows,
    };
    let known = run("water.xinanjiang", &forcing, &truth).unwrap();
    let q: Vec<String> = known.table.cells("model_m3s").map(str::to_owned).collect();
    let discharge = q.iter().map(|q| q.parse().unwrap()).collect();
    let mut table = forcing.with("discharge_m3s", q);
    for row in table.rows.iter_mut().skip(2_400) {
        row[3].clear();
    }
    (table, discharge, truth)
}

#[test]
fn a_forecast_by_the_clock_has_a_row_for_each_step_to_come() {
    let (mut table, discharge, truth) = hours_of_a_basin();
    let mut given = truth.clone();
    given["output"] = json!("forecast");
    let out = run("water.forecast", &table, &given).unwrap();
    assert_eq!(out.table.columns, ["at", "value", "lower", "upper"]);
    assert_eq!(out.table.rows.len(), 12);
    assert_eq!(out.table.rows[0][0], "2026-06-09T01:00:00Z");
    for (row, truth) in out.table.rows.iter().zip(&discharge[2_400..]) {
        let value: f64 = row[1].parse().unwrap();
        assert!((value / truth - 1.0).abs() < 1e-5, "{row:?}: {truth}");
    }
    let doubts = |output: &Output| output.report["doubts"].to_string();
    assert_eq!(doubts(&out), "[]");

    // Without rain to come it supposes none and says so; an hour that is missing before has to be allowed.
    for row in table.rows.iter_mut().skip(2_398) {
        row[1].clear();
    }
    let dry = run("water.forecast", &table, &given).unwrap();
    let told = doubts(&dry);
    assert!(
        told.contains("the last 14 rows") && told.contains("2 of them lie before"),
        "{told}"
    );
    table.rows[7][1].clear();
    assert_eq!(places(run("water.forecast", &table, &given)), ["x.csv:9"]);
    given["rain_gaps_max"] = json!(1);
    let told = doubts(&run("water.forecast", &table, &given).unwrap());
    assert!(told.contains("1 of 2398 rows"), "{told}");

    // A short past is a doubt; what is of no month is a mistake of its row.
    table.rows.drain(..2_300);
    given["evaporation_mm_day"] = json!([1, 1, 2, 2, 3, 3, 4, 4, 3, 2, 1, 1]);
    let told = doubts(&run("water.forecast", &table, &given).unwrap());
    assert!(told.contains("follows on 4 days"), "{told}");
    table.rows[3][0] = "soon".to_owned();
    assert_eq!(places(run("water.forecast", &table, &given)), ["x.csv:5"]);
    given["evaporation_mm_day"] = json!([1, 2]);
    assert_eq!(
        places(run("water.forecast", &table, &given)),
        ["p.toml: evaporation_mm_day"]
    );
}

#[test]
fn evaporation_goes_by_the_month_of_its_row() {
    let months = json!({"area_km2": 1, "step_h": 24, "evaporation_mm_day": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]});
    let by_month =
        table("at,rain_mm,evaporation_mm\n2026-03-01T00:00:00Z,200,\n2026-11-30T00:00:00Z,200,");
    let told = table("at,rain_mm,evaporation_mm\n,200,3\n,200,11");
    let one = |table: &Table| run("water.xinanjiang", table, &months).unwrap();
    let evaporated = |output: &Output| -> Vec<String> {
        let cells = output.table.cells("evaporated_mm");
        cells.map(str::to_owned).collect()
    };
    assert_eq!(evaporated(&one(&by_month)), evaporated(&one(&told)));
}

#[test]
fn a_reach_with_gaps_is_fitted_to_its_longest_stretch() {
    let mut input = wilson();
    input.rows[8][0].clear();
    let bridged = run(
        "water.muskingum-fit",
        &input,
        &json!({"step_h": 6, "gap_steps_max": 1}),
    )
    .unwrap();
    assert!(
        bridged.report["doubts"].to_string().contains("1 rows"),
        "{}",
        bridged.report["doubts"]
    );
    let parted = run("water.muskingum-fit", &input, &json!({"step_h": 6})).unwrap();
    let told = parted.report["doubts"].to_string();
    assert!(told.contains("only rows 10 to 22"), "{told}");
    let routed: Vec<&str> = parted.table.cells("routed_m3s").collect();
    assert!(routed[..9].iter().all(|cell| cell.is_empty()) && !routed[9].is_empty());
}

#[test]
fn a_basin_says_what_is_wrong_with_it() {
    let (mut forcing, truth) = basin();
    forcing.rows[1][0] = String::new();
    forcing.rows[2][1] = "1e9".to_owned();
    assert_eq!(
        places(run("water.xinanjiang", &forcing, &truth)),
        ["x.csv:3", "x.csv:4"]
    );
    let (forcing, truth) = basin();
    let mut snow = truth.clone();
    snow["melt_mm"] = json!(3);
    assert_eq!(
        places(run("water.xinanjiang", &forcing, &snow)),
        ["p.toml: melt_mm"]
    );
    let mut odd = truth.clone();
    odd["unit_hydrograph"] = json!([0.5, 0.1]);
    assert_eq!(
        places(run("water.xinanjiang", &forcing, &odd)),
        ["p.toml: unit_hydrograph"]
    );
    let blank = forcing.with("discharge_m3s", Vec::new());
    assert_eq!(places(run("water.forecast", &blank, &truth)), ["x.csv"]);
    let how = json!({"area_km2": 428.0, "calibration_steps": 5000});
    assert_eq!(
        places(run("water.xinanjiang-calibrate", &blank, &how)),
        ["p.toml: calibration_steps"]
    );
    let how = json!({"area_km2": 428.0, "bounds": {"kk": [0, 1]}});
    assert_eq!(
        places(run("water.xinanjiang-calibrate", &blank, &how)),
        ["p.toml: bounds"]
    );
}

#[test]
fn every_engine_is_described() {
    let all = pack_water::engines();
    assert_eq!(all.len(), 13);
    for engine in &all {
        let about = engine.description;
        assert!(
            about.name.starts_with("water.") && !about.reference.is_empty() && about.version > 0
        );
        assert!(
            about
                .parameters
                .iter()
                .all(|p| !p.unit.is_empty() && !p.what.is_empty()),
            "{}",
            about.name
        );
    }
}
