//! Stages foretold from stages: a wave that is known, a real flood, an independent program, and every way in which readings are bad.

use engine::{Output, Table, find};
use model::Problem;
use model::time::Timestamp;
use pack_water::corresponding_stage::{self as stage, River, Settings, Stages, Terms};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

const HOUR: i64 = 3_600;
/// 2026-06-01T00:00:00Z.
const BEGIN: i64 = 1_780_272_000;

fn run(table: &Table, parameters: Value) -> Result<Output, Vec<Problem>> {
    let all = pack_water::engines();
    let engine = find(&all, "water.corresponding-stage").unwrap();
    let parameters = parameters.as_object().cloned().unwrap_or_default();
    engine.run(table, parameters, "p.toml", "x.csv")
}

fn time(n: usize, step: i64) -> String {
    Timestamp::from_seconds(BEGIN + i64::try_from(n).unwrap() * step).to_string()
}

/// A table of hours, whose columns beside `at` are these; what is no number is empty.
fn hours(columns: &[(&str, &[f64])]) -> Table {
    let mut table = Table::of(&["at"]);
    for n in 0..columns[0].1.len() {
        table.rows.push(vec![time(n, HOUR)]);
    }
    for (name, values) in columns {
        let cell = |x: &f64| {
            if x.is_nan() {
                String::new()
            } else {
                x.to_string()
            }
        };
        table = table.with(name, values.iter().map(cell).collect());
    }
    table
}

fn numbers(output: &Output) -> Vec<[f64; 3]> {
    let rows = output.table.rows.iter();
    rows.map(|row| [1, 2, 3].map(|n| row[n].parse().unwrap()))
        .collect()
}

fn doubts(output: &Output) -> Vec<&str> {
    let all = output.report["doubts"].as_array().unwrap();
    all.iter().map(|doubt| doubt.as_str().unwrap()).collect()
}

fn refusal(table: &Table, parameters: Value) -> Problem {
    run(table, parameters).unwrap_err().remove(0)
}

/// Waves of chance upstream, and the station five steps after them, both read with an error of some millimetres.
fn river(steps: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut noise = || {
        let share = |bits: u64| (bits >> 11) as f64 / 9_007_199_254_740_992.0;
        (0..12).map(|_| share(chance.next_u64())).sum::<f64>() - 6.0
    };
    let (mut a, mut b) = (0.0, 0.0);
    let mut wave = Vec::new();
    for _ in 0..steps + 205 {
        (a, b) = (1.9 * a - 0.905 * b + 0.02 * noise(), a);
        wave.push(a);
    }
    let own = (205..steps + 205).map(|n| 30.0 + 0.7 * wave[n - 5] + 0.003 * noise());
    let own = own.collect();
    let upstream = wave.iter().skip(205).map(|w| 40.0 + w + 0.003 * noise());
    (own, upstream.collect())
}

#[test]
fn a_wave_from_upstream_is_foretold_and_intervals_hold_what_was_not_seen() {
    const DAYS_30: usize = 720;
    let (own, upstream) = river(1_500, 5);
    let leads = 12;
    let (mut errors, mut stays, mut held) = (vec![0.0; leads], vec![0.0; leads], vec![0; leads]);
    let mut issued = 0;
    for until in (DAYS_30..own.len() - leads).step_by(13) {
        let past = until - DAYS_30..until;
        let table = hours(&[
            ("stage_m", &own[past.clone()]),
            ("upstream_1_m", &upstream[past]),
        ]);
        let output = run(&table, json!({"leads": leads})).unwrap();
        let source = &output.report["sources"][0];
        assert_eq!(
            (&source["column"], &source["travel_steps"]),
            (&json!("upstream_1_m"), &json!(5))
        );
        issued += 1;
        let mut width = 0.0;
        for (n, [value, lower, upper]) in numbers(&output).into_iter().enumerate() {
            let truth = own[until + n];
            errors[n] += (value - truth) * (value - truth);
            stays[n] += (own[until - 1] - truth) * (own[until - 1] - truth);
            held[n] += usize::from((lower..=upper).contains(&truth));
            assert!(lower <= value && value <= upper);
            assert!(upper - lower >= width - 1e-9, "a later lead is narrower");
            width = upper - lower;
        }
    }
    assert!(issued > 55);
    for n in 0..leads {
        let ratio = (errors[n] / stays[n]).sqrt();
        // Up to five steps the wave is on its way; what comes then nobody has seen yet.
        let hoped = if n < 5 { 0.15 } else { 0.85 };
        assert!(ratio < hoped, "lead {}: {ratio}", n + 1);
    }
    let share = held.iter().sum::<usize>() as f64 / (issued * leads) as f64;
    assert!((share - 0.9).abs() < 0.06, "{share}");

    // Without the station upstream little is known, and the report says so.
    let own = &own[..DAYS_30];
    let alone = run(&hours(&[("stage_m", own)]), json!({})).unwrap();
    let both = run(
        &hours(&[("stage_m", own), ("upstream_1_m", &upstream[..DAYS_30])]),
        json!({}),
    );
    let nse = |output: &Output, lead: usize| {
        output.report["skill"][lead - 1]["nse_of_change"]
            .as_f64()
            .unwrap()
    };
    assert!(nse(&both.unwrap(), 5) > 0.98 && nse(&alone, 5) < 0.7);
}

/// Dead Run's flood of June 2018, every five minutes: cities/tianmen/data/SOURCE.md.
fn dead_run() -> Table {
    let path = format!(
        "{}/../../cities/tianmen/data/river_stage.csv",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut reader = csv::Reader::from_path(path).unwrap();
    let mut table = Table::of(&["at", "stage_m"]);
    for row in reader.records() {
        let row = row.unwrap();
        let at = format!("{}:00Z", row[0].replace(' ', "T"));
        table.rows.push(vec![at, row[1].to_owned()]);
    }
    table
}

#[test]
fn a_flash_flood_is_known_some_minutes_ahead_and_no_more() {
    let table = dead_run();
    let output = run(&table, json!({"step_minutes": 5})).unwrap();
    assert_eq!(output.report["method"], "corresponding-stage");
    assert_eq!(output.report["origin"], "2018-06-04T13:25:00Z");
    assert_eq!(output.report["certainty"], 0.9);
    assert_eq!(output.table.columns, ["at", "value", "lower", "upper"]);
    assert_eq!(output.table.rows.len(), 24);
    assert_eq!(output.table.rows[0][0], "2018-06-04T13:30:00Z");
    assert_eq!(output.table.rows[23][0], "2018-06-04T15:25:00Z");
    let skill = |lead: usize, key: &str| output.report["skill"][lead - 1][key].clone();
    let number = |lead, key| skill(lead, key).as_f64().unwrap();
    // What it is at the time of writing: 0.80, 0.62, 0.38 and 0.08.
    for (lead, least) in [(1, 0.78), (3, 0.6), (6, 0.35), (12, 0.05)] {
        assert!(number(lead, "nse_of_change") > least, "lead {lead}");
        assert!(number(lead, "rmse_m") < number(lead, "rmse_persistence_m"));
        assert!(number(lead, "nse_of_change_persistence") <= 0.0);
    }
    // Two hours ahead nothing is better than that the stage stays; that is what it says, and does.
    assert_eq!(skill(24, "terms"), "persistence");
    assert_eq!(
        skill(24, "rmse_m"),
        output.report["skill"][23]["rmse_persistence_m"]
    );
    assert_eq!(output.table.rows[23][1], "0.256");
    let doubts = doubts(&output);
    assert!(doubts[0].starts_with("leads 14 to 24: nothing was better"));
    assert!(
        doubts[1].starts_with("leads 5 to 13: ") && doubts[1].ends_with("one flood speaks for it")
    );
    assert!(doubts[2].contains("intervals of 90 % held as little as"));

    // The same input gives the same bytes.
    let again = run(&table, json!({"step_minutes": 5})).unwrap();
    assert_eq!(output, again);
    let text = |output: &Output| serde_json::to_string(&output.report).unwrap();
    assert_eq!(text(&output), text(&again));
}

/// What `reference/corresponding_stage.py` prints of one lead: numpy 2.4.6, least squares over rows that are put below the others for the
/// ridge, not normal equations. Here the coefficients of the regression with the level.
const COEFFICIENTS: [f64; 10] = [
    0.003_221_379_746_694_658,
    -0.538_326_232_451_252_2,
    -0.078_697_213_403_287_95,
    2.932_968_183_093_642_3,
    1.230_604_175_421_767,
    0.502_542_954_735_779_6,
    0.710_401_978_675_989_5,
    0.470_730_674_025_876_4,
    0.235_408_645_657_982_36,
    -0.006_476_934_810_249_885,
];
/// The change that it foretells, m.
const CHANGE_M: f64 = 0.008_448_975_547_422_67;
/// The interval about it, m.
const INTERVAL_M: [f64; 2] = [-0.014_701_694_064_053_04, 0.023_219_364_508_686_2];
/// The root of the mean squared error in cross-validation, m: with the level, without, and of persistence.
const RMSE_M: [f64; 3] = [
    0.027_618_400_850_106_174,
    0.027_850_998_819_686_452,
    0.113_328_527_575_805_03,
];

#[test]
fn one_lead_is_that_of_an_independent_program() {
    const EARLIER: usize = 4;
    let series: Vec<f64> = dead_run()
        .cells("stage_m")
        .map(|c| c.parse().unwrap())
        .collect();
    let all = |values: Vec<f64>| Stages {
        is_read: vec![true; values.len()],
        values,
    };
    let coarse = |x: &f64| (x * 100.0 + 0.5).floor() / 100.0;
    let river = River {
        own: all(series[..series.len() - EARLIER].to_vec()),
        upstream: vec![all(series[EARLIER..].iter().map(coarse).collect())],
        rain: None,
    };
    let how = Settings {
        leads: 6,
        memory: 3,
        upstream_memory: 6,
        gap_steps_max: 3,
        certainty: 0.9,
        rows_min: 72,
        folds: 5,
        ridge: 0.001,
    };
    let forecast = stage::forecast(&river, &how).unwrap();
    let lead = &forecast.leads[5];
    let close = |ours: f64, theirs: f64| assert!((ours - theirs).abs() < 1e-9, "{ours} {theirs}");
    // Of numpy's two, too, that with the level has the least error.
    let [with_level, without, stays] = RMSE_M;
    assert!(with_level < without && without < stays);
    assert_eq!((lead.terms, lead.rows), (Terms::ChangesAndLevel, 800));
    close(lead.rmse_m, with_level);
    close(lead.rmse_persistence_m, stays);
    assert_eq!(lead.coefficients.len(), COEFFICIENTS.len());
    for (ours, theirs) in lead.coefficients.iter().zip(COEFFICIENTS) {
        close(*ours, theirs);
    }
    close(lead.change_m, CHANGE_M);
    close(lead.low_m, INTERVAL_M[0]);
    close(lead.high_m, INTERVAL_M[1]);
}

#[test]
fn gaps_are_bridged_when_they_are_short() {
    let (mut own, mut upstream) = river(400, 9);
    let whole = run(&hours(&[("stage_m", &own)]), json!({"leads": 4})).unwrap();
    let rows = |output: &Output| output.report["skill"][0]["rows"].as_u64().unwrap();
    // A gap of three steps is bridged: nothing is foretold from within it, nor judged there. One of four is not: rows over it go too.
    own[100..103].fill(f64::NAN);
    let short = run(&hours(&[("stage_m", &own)]), json!({"leads": 4})).unwrap();
    assert_eq!(rows(&short), rows(&whole) - 4);
    own[103] = f64::NAN;
    let long = run(&hours(&[("stage_m", &own)]), json!({"leads": 4})).unwrap();
    assert_eq!(rows(&long), rows(&whole) - 5 - 3);

    // A station upstream that is two steps late enters with what it said then; one that is four late does not.
    let until = own.len();
    let both = |own: &[f64], upstream: &[f64]| {
        let table = hours(&[("stage_m", own), ("upstream_1_m", upstream)]);
        run(&table, json!({"leads": 4})).unwrap()
    };
    upstream[until - 2..].fill(f64::NAN);
    let late = both(&own, &upstream);
    assert_eq!(late.report["sources"][0]["delay_steps"], 2);
    assert!(doubts(&late)[0].starts_with("upstream_1_m: its last reading is 2 steps older"));
    let nse = late.report["skill"][2]["nse_of_change"].as_f64().unwrap();
    assert!(nse > 0.95, "three steps ahead are still known: {nse}");
    upstream[until - 4..].fill(f64::NAN);
    let silent = both(&own, &upstream);
    assert_eq!(silent.report["sources"], json!([]));
    assert!(
        doubts(&silent)[0].starts_with("upstream_1_m: silent"),
        "{silent:?}"
    );
    let never = both(&own, &vec![f64::NAN; until]);
    assert!(doubts(&never)[0].starts_with("upstream_1_m: silent"));
    let rare: Vec<f64> = upstream
        .iter()
        .enumerate()
        .map(|(n, u)| if n > 300 || n % 9 > 4 { *u } else { f64::NAN })
        .collect();
    let mut rare = rare;
    rare[until - 4..].fill(40.0);
    let rare = both(&own, &rare);
    assert!(
        doubts(&rare).iter().any(|d| d.contains("too often silent")),
        "{:?}",
        doubts(&rare)
    );

    // A gap in the last own steps: the stage stays, with an interval.
    own[until - 6..until - 1].fill(f64::NAN);
    let blind = run(&hours(&[("stage_m", &own)]), json!({"leads": 4})).unwrap();
    assert!(doubts(&blind)[0].starts_with("there is a gap in the last own steps"));
    for [value, lower, upper] in numbers(&blind) {
        assert!((value - own[until - 1]).abs() < 5.1e-4 && lower < value && value < upper);
    }
}

#[test]
fn an_old_last_stage_is_a_doubt_and_then_refused() {
    let (mut own, _) = river(300, 2);
    own[297..].fill(f64::NAN);
    let table = hours(&[("stage_m", &own)]);
    let late = run(&table, json!({"leads": 2})).unwrap();
    assert_eq!(late.report["origin"], time(296, HOUR));
    assert_eq!(late.table.rows[0][0], time(297, HOUR));
    let told = format!(
        "the last stage is of {}, the last row of {}",
        time(296, HOUR),
        time(299, HOUR)
    );
    assert_eq!(doubts(&late)[0], told);
    let problem = refusal(&table, json!({"gap_steps_max": 2}));
    assert_eq!(
        (problem.code.as_str(), problem.place.as_str()),
        ("engine-table", "x.csv")
    );
    assert!(problem.what.contains("3 steps before the last row") && !problem.mend.is_empty());
}

#[test]
fn what_cannot_be_foretold_from_is_told() {
    let (own, upstream) = river(200, 4);
    // Six rows are before the first whole one, 24 after the last whose lead is known.
    let few = hours(&[("stage_m", &own[..98])]);
    let problem = refusal(&few, json!({}));
    assert_eq!(
        (problem.code.as_str(), problem.place.as_str()),
        ("engine-table", "x.csv")
    );
    assert!(
        problem
            .what
            .starts_with("71 whole rows for a lead of 24 steps"),
        "{}",
        problem.what
    );
    assert!(run(&few, json!({"fit_steps_min": 71})).is_ok());
    // Hours onto quarters of an hour: no stage is known a quarter later.
    let problem = refusal(&hours(&[("stage_m", &own)]), json!({"step_minutes": 15}));
    assert!(
        problem
            .what
            .starts_with("0 whole rows for a lead of 1 steps")
    );
    let mut table = hours(&[("stage_m", &own), ("upstream_1_m", &upstream)]);
    table.rows[7][0] = time(3, HOUR);
    table.rows[9][0] = "yesterday".to_owned();
    table.rows[11][1] = "high".to_owned();
    table.rows[12][2] = "1e9".to_owned();
    let problems = run(&table, json!({})).unwrap_err();
    let places: Vec<_> = problems.iter().map(|p| p.place.as_str()).collect();
    assert_eq!(places, ["x.csv:9", "x.csv:11", "x.csv:13", "x.csv:14"]);
    let empty = hours(&[("stage_m", &[f64::NAN; 3])]);
    assert_eq!(refusal(&empty, json!({})).what, "no stage was read");
    assert_eq!(
        refusal(&Table::of(&["at", "stage_m"]), json!({})).what,
        "no stage was read"
    );
    // More than the limits allow.
    let mut ages = hours(&[("stage_m", &own)]);
    ages.rows[0][0] = "1970-01-01T00:00:00Z".to_owned();
    assert!(
        refusal(&ages, json!({}))
            .what
            .contains("steps, not below 200000")
    );
    let mut long = ages.clone();
    long.rows[0][0] = "2010-01-01T00:00:00Z".to_owned();
    let much = json!({"leads": 240, "memory": 24});
    assert_eq!(refusal(&long, much).place, "p.toml: leads");
    let problem = refusal(&few, json!({"certainty": 1.0}));
    assert_eq!(problem.place, "p.toml: certainty");
}

#[test]
fn of_rows_of_one_time_the_last_counts_and_order_within_a_step_does_not() {
    let (own, _) = river(200, 6);
    let table = hours(&[("stage_m", &own)]);
    let once = run(&table, json!({"leads": 3})).unwrap();
    let mut twice = table.clone();
    twice.rows.insert(50, vec![time(50, HOUR), "99".to_owned()]);
    twice.rows.insert(120, vec![time(118, HOUR), String::new()]);
    twice.rows.swap(119, 120);
    assert_eq!(run(&twice, json!({"leads": 3})).unwrap(), once);
    // Other zones say the same times; other columns are left alone.
    let mut other = table.with("quality", vec!["good".to_owned(); 200]);
    for row in &mut other.rows {
        row[0] = row[0].replace('Z', "+00:00");
    }
    assert_eq!(run(&other, json!({"leads": 3})).unwrap(), once);
}

#[test]
fn what_was_never_seen_before_is_a_doubt() {
    let (mut own, upstream) = river(300, 8);
    own[299] += 1.2;
    let output = run(
        &hours(&[("stage_m", &own), ("upstream_1_m", &upstream)]),
        json!({"leads": 2, "jump_m": 0.8}),
    )
    .unwrap();
    let doubts = doubts(&output);
    let jump = format!(
        "stage_m changed by more than 0.8 m in a step, 1 times, the last up to {}",
        time(299, HOUR)
    );
    assert!(doubts[0].starts_with(&jump), "{doubts:?}");
    assert!(
        doubts
            .iter()
            .any(|d| d.starts_with("the stage changes faster than ever"))
    );
    // A station too far upstream for the memory: how far is told.
    let own = &own[..295];
    let of = |upstream: &[f64], memory: usize| {
        let table = hours(&[("stage_m", own), ("upstream_1_m", upstream)]);
        run(&table, json!({"leads": 2, "upstream_memory": memory})).unwrap()
    };
    let far = of(&upstream[5..], 8);
    assert_eq!(far.report["sources"][0]["travel_steps"], 10);
    let told =
        "upstream_1_m goes before by 10 steps, more than upstream_memory: raise it to as many";
    assert!(
        far.report["doubts"].to_string().contains(told),
        "{:?}",
        far.report["doubts"]
    );
    let near = of(&upstream[5..], 10);
    assert!(!near.report["doubts"].to_string().contains("goes before"));
}

#[test]
fn rain_tells_what_the_stage_does_not_know_yet() {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(12);
    let rain: Vec<f64> = (0..600)
        .map(|_| {
            if chance.next_u64() % 20 == 0 {
                (chance.next_u64() % 30) as f64
            } else {
                0.0
            }
        })
        .collect();
    let mut own = vec![20.0; 600];
    for n in 3..600 {
        own[n] = 20.0 + 0.8 * (own[n - 1] - 20.0) + 0.02 * rain[n - 2];
    }
    let with = run(
        &hours(&[("stage_m", &own), ("rain_mm", &rain)]),
        json!({"leads": 3}),
    )
    .unwrap();
    let without = run(&hours(&[("stage_m", &own)]), json!({"leads": 3})).unwrap();
    let rmse =
        |output: &Output, lead: usize| output.report["skill"][lead - 1]["rmse_m"].as_f64().unwrap();
    assert_eq!(with.report["sources"][0]["column"], "rain_mm");
    assert_eq!(with.report["skill"][1]["terms"], "changes-and-level");
    assert!(
        rmse(&with, 1) < 0.5 * rmse(&without, 1),
        "{} {}",
        rmse(&with, 1),
        rmse(&without, 1)
    );
    assert!(rmse(&with, 2) < 0.5 * rmse(&without, 2));
}

#[test]
fn still_water_stays_still() {
    let output = run(&hours(&[("stage_m", &[12.5; 120])]), json!({"leads": 3})).unwrap();
    assert_eq!(output.table.rows[2][1..], ["12.5", "12.5", "12.5"]);
    assert_eq!(output.report["skill"][0]["nse_of_change"], Value::Null);
}

/// A real pair of gauges, of which only daily discharges are at hand: N F Shenandoah at Cootes Store and near Strasburg. Their power
/// 0.4 stands for the stages (Q = h^2.5).
#[test]
fn a_real_pair_of_gauges_is_better_foretold_with_the_one_upstream() {
    let path = format!(
        "{}/../../../shared/data/hydro/usgs/nf_shenandoah_pair_daily_2008_2017.csv",
        env!("CARGO_MANIFEST_DIR")
    );
    let Ok(mut reader) = csv::Reader::from_path(&path) else {
        eprintln!("{path} is not here: passed over");
        return;
    };
    let mut table = Table::of(&["at", "stage_m", "upstream_1_m"]);
    for row in reader.records() {
        let row = row.unwrap();
        let stage = |n: usize| libm::pow(row[n].parse().unwrap(), 0.4).to_string();
        table
            .rows
            .push(vec![format!("{}T12:00:00Z", &row[0]), stage(2), stage(1)]);
    }
    let how = json!({"step_minutes": 1440, "leads": 3});
    let both = run(&table, how.clone()).unwrap();
    for row in &mut table.rows {
        row[2].clear();
    }
    let alone = run(&table, how).unwrap();
    let nse = |output: &Output, lead: usize| {
        output.report["skill"][lead - 1]["nse_of_change"]
            .as_f64()
            .unwrap()
    };
    // What it is at the time of writing: 0.64, 0.36, 0.25 and 0.09, 0.11, 0.15.
    for (lead, least, most) in [(1, 0.62, 0.11), (2, 0.34, 0.13), (3, 0.24, 0.17)] {
        let found = (nse(&both, lead), nse(&alone, lead));
        assert!(found.0 > least && found.1 < most, "lead {lead}: {found:?}");
        let covered = both.report["skill"][lead - 1]["covered"].as_f64().unwrap();
        assert!((covered - 0.9).abs() < 0.03, "lead {lead}: {covered}");
    }
}
