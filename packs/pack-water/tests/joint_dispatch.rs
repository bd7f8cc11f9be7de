//! Joint dispatch: laws of every chain that chance makes, and the engine over tables.

use crate::engines::{self, table};
use engine::{Output, Table};
use model::Problem;
use pack_water::joint_dispatch::{Chain, Choice, Outside, Plan};
use pack_water::polder::{Gate, Polder, Pumps};
use pack_water::rating;
use pack_water::reservoir::{Coming, Curve, Reach, Reservoir, River, Rule, highest};
use proptest::prelude::*;
use serde_json::{Value, json};

const STEPS: usize = 24;
const STEP_S: f64 = 3_600.0;

fn series(most: f64) -> impl Strategy<Value = Vec<f64>> {
    // A base, and a wave of some height somewhere.
    (0.0..most / 4.0, 0.0..most, 0usize..STEPS, 1usize..10).prop_map(|(base, height, at, width)| {
        let one = |n: usize| {
            let away = n.abs_diff(at) as f64 / width as f64;
            base + height * (1.0 - away).max(0.0)
        };
        (0..STEPS).map(one).collect()
    })
}

fn rule() -> impl Strategy<Value = Vec<Rule>> {
    let one = (86.0..94.0, 0.0..100.0, 200.0..900.0).prop_map(|(from, least, most)| Rule {
        from_level: Some(from),
        outflow_min: Some(least),
        outflow_max: Some(most),
        ..Rule::default()
    });
    prop::collection::vec(one, 0..2)
}

prop_compose! {
    fn river()(
        inflow in series(2_000.0), lateral in series(600.0), level in 84.0..93.0, release in 0.0..500.0, drawdown in 84.0..90.0,
        k in prop::option::of(0.1..12.0), x in 0.0..0.5, safe in 50.0..1_500.0, area in 1e6..4e7, is_bounded in any::<bool>(), rules in rule(),
    ) -> River {
        let storage = Curve::new(vec![(80.0, 0.0), (90.0, 10.0 * area), (100.0, 25.0 * area)], true).unwrap();
        let discharge = Curve::new(vec![(82.0, 0.0), (88.0, 300.0), (96.0, 1_500.0)], false);
        River {
            reservoir: Reservoir {
                storage, discharge: discharge.filter(|_| is_bounded), rules, dead_m: 82.0, flood_limit_m: 90.0, drawdown_m: drawdown, limit_m: 94.0,
            },
            reach: Reach::new(k, x, 1.0),
            coming: Coming {
                step_s: STEP_S, level_m: level, release, section: release, inflow, lateral, days: vec![(7, 1); STEPS],
            },
            safe,
        }
    }
}

prop_compose! {
    fn chain()(
        river in river(), inflow in series(40.0), stage in 24.0..29.0, level in 25.0..27.0, opening in 0.0..2.5, running in 0usize..5, has_gate in any::<bool>(),
        is_foretold in any::<bool>(),
    ) -> Chain {
        let gate = Gate { bays: 2.0, width_m: 3.0, sill_m: 24.0, height_m: 2.5, coefficient: 0.6, guarantee_m: Some(29.0) };
        let pumps = Pumps { units: 4, flow: 5.0, power_kw: 200.0, start_m: 26.5, stop_m: 25.8, outlet_max_m: Some(28.5) };
        let polder = Polder {
            area_m2: 1e6, level_m: level, limit_m: 26.5, gate: has_gate.then_some(gate), opening_m: if has_gate { opening } else { 0.0 }, pumps, running, inflow, step_s: STEP_S,
        };
        let rating = rating::Curve { a: 60.0, b: 1.6, zero_m: 22.0, low_m: 22.5, high_m: 31.0 };
        let outside = Outside { stage: vec![stage; STEPS], is_foretold: vec![is_foretold; STEPS], rating: Some(rating) };
        let section_now = river.coming.section + river.coming.lateral[0];
        Chain { river, polder: Some((polder, outside)), section_now }
    }
}

/// The water that came in less what went out is what the storage has more.
fn balances(chain: &Chain, plan: &Plan) -> Result<(), TestCaseError> {
    let (river, course) = (&chain.river, &plan.course);
    let first = river.reservoir.storage.at(river.coming.level_m);
    let came: f64 = river.coming.inflow.iter().sum::<f64>() * STEP_S;
    let went: f64 = course.release.iter().sum::<f64>() * STEP_S;
    let left = course.storage[STEPS - 1] - first;
    prop_assert!(
        (came - went - left).abs() < 1e-6 * (1.0 + came + went),
        "{came} - {went} = {left}"
    );
    for (level, storage) in course.level.iter().zip(&course.storage) {
        let again = river.reservoir.storage.at(*level);
        prop_assert!(
            (again - storage).abs() < 1e-6 * (1.0 + storage.abs()),
            "{level}"
        );
    }
    let (Some((polder, _)), Some((_, steps))) = (&chain.polder, &plan.polder) else {
        return Ok(());
    };
    let came: f64 = polder.inflow.iter().sum();
    let went: f64 = steps.iter().map(|step| step.drained + step.pumped).sum();
    let more = (came - went) * STEP_S / polder.area_m2;
    prop_assert!((polder.level_m + more - steps[STEPS - 1].level).abs() < 1e-9);
    Ok(())
}

/// What nothing may pass: what the level lets out, the dead level, what gate and pumps are held to.
fn keeps_to_what_is_possible(chain: &Chain, plan: &Plan) -> Result<(), TestCaseError> {
    let reservoir = &chain.river.reservoir;
    let mut before = chain.river.coming.level_m;
    for (release, level) in plan.course.release.iter().zip(&plan.course.level) {
        prop_assert!(*release >= 0.0 && *release <= reservoir.capacity(before) + 1e-9);
        prop_assert!(
            *level >= reservoir.dead_m - 1e-6 || *release <= 0.0,
            "{level}"
        );
        before = *level;
    }
    if let (Some((polder, _)), Some((outside, steps))) = (&chain.polder, &plan.polder) {
        let mut before = polder.level_m;
        for (step, outside) in steps.iter().zip(outside) {
            prop_assert!(
                step.running <= polder.pumps.units
                    && step.pumped <= step.running as f64 * polder.pumps.flow + 1e-9
            );
            prop_assert!(
                step.running == 0 || *outside <= 28.5,
                "pumps run against {outside}"
            );
            prop_assert!(step.running == 0 || before > polder.pumps.stop_m);
            prop_assert!(step.pumped == 0.0 || step.level >= polder.pumps.stop_m - 1e-6);
            before = step.level;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_chain_balances_keeps_its_limits_and_is_never_worse_than_doing_nothing(chain in chain()) {
        let plans = chain.plans();
        for plan in [&plans.nothing, &plans.rules, &plans.suggested] {
            balances(&chain, plan)?;
            keeps_to_what_is_possible(&chain, plan)?;
        }
        prop_assert!(plans.suggested.score <= plans.nothing.score, "{:?} {:?}", plans.suggested.score, plans.nothing.score);
        let polder = |plan: &Plan| {
            let (polder, _) = chain.polder.as_ref().unwrap();
            polder.over(&plan.polder.as_ref().unwrap().1)
        };
        if plans.suggested.score == plans.nothing.score {
            prop_assert!(polder(&plans.suggested) <= polder(&plans.nothing));
        }
        if plans.nothing.score.is_free() {
            prop_assert_eq!(plans.choice, Choice::Nothing);
            prop_assert_eq!(&plans.suggested.course, &plans.nothing.course);
        }
        // What is suggested of a gate can be asked for: whole centimetres within its height, and none against the guarantee stage.
        let (outside, steps) = plans.suggested.polder.as_ref().unwrap();
        let stays = plans.nothing.polder.as_ref().unwrap().1.iter().map(|step| step.opening);
        for ((step, outside), stays) in steps.iter().zip(outside).zip(stays) {
            let centimetres = step.opening * 100.0;
            prop_assert!(step.opening == stays || (centimetres - centimetres.round()).abs() < 1e-9);
            prop_assert!(step.opening == stays || step.opening == 0.0 || *outside < 29.0);
        }
    }

    #[test]
    fn where_releases_are_free_the_level_is_kept_below_its_limit(mut river in river()) {
        river.reservoir.discharge = None;
        river.reservoir.rules.clear();
        let cut = river.cut();
        prop_assert!(highest(&cut.level) <= river.reservoir.limit_m + 1e-5, "{}", highest(&cut.level));
        prop_assert_eq!(&cut, &river.cut());
    }
}

fn run(table: &Table, parameters: &Value) -> Result<Output, Vec<Problem>> {
    engines::run("water.joint-dispatch", table, parameters)
}

/// A flood of a day: 200 m³/s that rise to 1,200 in the twelfth hour; the polder gets 18 m³/s, its gate stands open.
fn flood() -> Table {
    let at = |n: usize| format!("2026-07-{:02}T{:02}:00:00Z", 1 + n / 24, n % 24);
    let inflow = |n: usize| 200.0 + 1_000.0 * (1.0 - n.abs_diff(12) as f64 / 8.0).max(0.0);
    let row = |n: usize| {
        format!(
            "{},{},{},60,18,{}",
            at(n),
            inflow(n),
            inflow(n) * 1.2,
            if n == 0 { "26.6" } else { "" }
        )
    };
    let rows: Vec<String> = (0..=24).map(row).collect();
    table(&format!(
        "at,inflow_m3s,inflow_high_m3s,lateral_m3s,polder_inflow_m3s,outlet_stage_m\n{}",
        rows.join("\n")
    ))
}

fn parameters() -> Value {
    json!({
        "level_m": 91.0, "release_m3s": 600.0, "dead_m": 82.0, "flood_limit_m": 90.0, "drawdown_m": 89.0, "flood_control_m": 92.5,
        "capacity_curve": {"surveyedAt": "2019-11-01", "points": [{"level": 80.0, "storage": 0.0}, {"level": 100.0, "storage": 2e8}]},
        "discharge_curve": {"points": [{"level": 82.0, "outflow": 0.0}, {"level": 90.0, "outflow": 900.0}, {"level": 95.0, "outflow": 2000.0}]},
        "dispatch_curve": {"approvedBy": "…", "rules": [{"from": "05-01", "until": "10-15", "fromLevel": 90.0, "outflowMax": 650.0, "note": "…"}]},
        "k_h": 3.0, "safe_m3s": 640.0, "section_m3s": 660.0,
        "section_rating": {"a": 60.0, "b": 1.6, "zero_m": 22.0, "low_m": 22.5, "high_m": 31.0},
        "gate_bays": 2, "gate_width_m": 3.0, "gate_sill_m": 24.0, "gate_height_m": 2.5, "gate_opening_m": 0.5, "gate_guarantee_m": 29.0,
        "polder_area_m2": 1e6, "polder_level_m": 26.2, "pump_installed": 4, "pump_design_m3s": 20.0, "pump_design_kw": 800.0, "pump_running": 0,
        "start_m": 26.5, "stop_m": 25.8, "outlet_max_m": 28.5,
        "things": {"reservoir": "urn:ngsi-ld:WaterReservoir:1", "gate": "urn:ngsi-ld:SluiceGate:1", "pump": "urn:ngsi-ld:PumpingStation:1", "gates": 1, "pumps": 2},
    })
}

fn measure(out: &Output, name: &str) -> [f64; 3] {
    let rows = out.report["comparison"].as_array().unwrap();
    let row = rows.iter().find(|row| row["measure"] == name).unwrap();
    ["nothing", "rules", "suggested"].map(|course| row[course].as_f64().unwrap())
}

fn about(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|one| one["about"].as_str().unwrap())
        .collect()
}

#[test]
fn a_flood_is_answered_with_what_to_do_and_why() {
    let out = run(&flood(), &parameters()).unwrap();
    let report = &out.report;
    // What stays passes the safe discharge from the first hour on, and lets the river into the polder.
    let reasons = about(&report["reasons"]);
    assert!(
        ["flood-limit", "safe-flow", "polder", "gate"]
            .iter()
            .all(|which| reasons.contains(which)),
        "{reasons:?}"
    );
    for reason in report["reasons"].as_array().unwrap() {
        assert!(
            reason["zh"].as_str().unwrap().len() > 20 && reason["en"].as_str().unwrap().len() > 20,
            "{reason}"
        );
    }
    let [nothing, rules, suggested] = measure(&out, "peak_section");
    assert!(
        suggested <= 640.0 + 1e-3 || suggested < nothing,
        "{nothing} {rules} {suggested}"
    );
    let [stays, _, less] = measure(&out, "hours_over_polder_limit");
    assert!(less < stays, "{less} {stays}");
    let [highest, ..] = measure(&out, "let_in");
    assert!(highest > 0.0);
    let actions = report["actions"].as_array().unwrap();
    let commands: Vec<_> = actions
        .iter()
        .map(|action| (&action["kind"], &action["command"], &action["thing"]))
        .collect();
    assert_eq!(
        commands[1],
        (
            &json!("gate"),
            &json!("set-opening"),
            &json!("urn:ngsi-ld:SluiceGate:1")
        )
    );
    assert_eq!(
        commands[2],
        (
            &json!("pump"),
            &json!("set-running"),
            &json!("urn:ngsi-ld:PumpingStation:1")
        )
    );
    assert_eq!(
        (
            &actions[1]["value"],
            &actions[1]["now"],
            &actions[1]["is_change"]
        ),
        (&json!(0.0), &json!(0.5), &json!(true))
    );
    let doubts = report["doubts"].to_string();
    assert!(
        doubts.contains("2 pumping stations") && doubts.contains("upper end of the inflow"),
        "{doubts}"
    );
    assert_eq!(
        report["doubts"].as_array().unwrap().len(),
        report["doubts_zh"].as_array().unwrap().len()
    );
    assert_eq!(out.table.rows.len(), 24);
    assert_eq!(
        (out.table.rows[0][0].as_str(), out.table.columns.len()),
        ("2026-07-01T01:00:00Z", 24)
    );
    // The balance is seen in the table: storage, inflow and release, hour by hour.
    let cell = |row: usize, name: &str| {
        let at = out.table.position(name).unwrap();
        out.table.rows[row][at].parse::<f64>().unwrap()
    };
    let mut before = 1.1e8;
    for row in 0..24 {
        let more = (cell(row, "inflow_m3s") - cell(row, "suggested_release_m3s")) * 3_600.0;
        assert!(
            (before + more - cell(row, "suggested_storage_m3")).abs() < 50.0,
            "row {row}"
        );
        before = cell(row, "suggested_storage_m3");
    }
    // Of two bays one is open: as far as half the opening of both.
    let mut half = parameters();
    half["gate_open"] = json!(1);
    let half = run(&flood(), &half).unwrap();
    assert_eq!(half.report["actions"][1]["now"], json!(0.25));
    assert!(measure(&half, "let_in")[0] < measure(&out, "let_in")[0]);
    // Run again, it is the same to the bit.
    assert_eq!(run(&flood(), &parameters()).unwrap(), out);
}

#[test]
fn where_nothing_is_passed_nothing_is_suggested() {
    let mut given = parameters();
    for (name, value) in [
        ("level_m", 89.0),
        ("release_m3s", 200.0),
        ("section_m3s", 260.0),
        ("gate_opening_m", 0.0),
        ("polder_level_m", 25.9),
    ] {
        given[name] = json!(value);
    }
    let calm = table(
        "at,inflow_m3s,polder_inflow_m3s,outlet_stage_m\n2026-07-01T00:00:00+08:00,200,1,26.6\n2026-07-02T00:00:00+08:00,200,1,26.6",
    );
    let out = run(&calm, &given).unwrap();
    assert_eq!(
        (out.report["choice"].as_str(), about(&out.report["reasons"])),
        (Some("keep"), vec!["keep"])
    );
    assert!(
        out.report["actions"]
            .as_array()
            .unwrap()
            .iter()
            .all(|action| action["is_change"] == false)
    );
    assert_eq!(out.report["violations"], json!([]));
}

#[test]
fn what_is_missing_is_doubted_and_what_cannot_be_is_told() {
    let bare = json!({"level_m": 91.0, "capacity_curve": {"points": [{"level": 80.0, "storage": 0.0}, {"level": 100.0, "storage": 2e8}]}});
    let out = run(
        &table("at,inflow_m3s\n2026-07-01T00:00:00Z,300\n2026-07-01T06:00:00Z,500"),
        &bare,
    )
    .unwrap();
    let doubts = out.report["doubts"].to_string();
    for doubt in [
        "what can be let out",
        "no flood-control",
        "no flood-limit",
        "no release rules",
        "foretold for 6 steps",
        "what is let out is not known",
        "joins",
        "Muskingum",
        "safe discharge",
    ] {
        assert!(doubts.contains(doubt), "{doubt}: {doubts}");
    }
    assert_eq!(out.report["actions"].as_array().unwrap().len(), 1);
    let wrong = |name: &str, value: Value| {
        let mut given = parameters();
        given[name] = value;
        let problems = run(&flood(), &given).unwrap_err();
        assert_eq!(problems[0].place, format!("p.toml: {name}"), "{problems:?}");
        problems[0].what.clone()
    };
    let point = |level: f64, storage: f64| json!({"level": level, "storage": storage});
    let falls = json!({"points": [point(80.0, 1.0), point(90.0, 2.0), point(95.0, 2.0)]});
    assert!(wrong("capacity_curve", falls).contains("point 3"));
    wrong("capacity_curve", json!({"points": [point(80.0, 1.0)]}));
    wrong("capacity_curve", json!([1, 2]));
    wrong(
        "discharge_curve",
        json!({"points": [{"level": 80.0, "outflow": 5.0}, {"level": 81.0, "outflow": 4.0}]}),
    );
    wrong("level_m", json!(101.0));
    let rules = |rule: Value| json!({"rules": [{"outflowMax": 1.0}, rule]});
    assert!(
        wrong(
            "dispatch_curve",
            rules(json!({"from": "5月1日", "until": "10-15", "outflow": 1.0}))
        )
        .contains("rule 2 has no period")
    );
    assert!(
        wrong(
            "dispatch_curve",
            rules(json!({"fromLevel": 90.0, "untilLevel": 90.0, "outflow": 1.0}))
        )
        .contains("empty span")
    );
    assert!(wrong("dispatch_curve", rules(json!({"note": "…"}))).contains("lets nothing out"));
    assert!(
        wrong(
            "dispatch_curve",
            rules(json!({"outflowMin": 2.0, "outflowMax": 1.0}))
        )
        .contains("least release above")
    );
    wrong(
        "section_rating",
        json!({"a": -1.0, "b": 1.6, "zero_m": 22.0, "low_m": 22.5, "high_m": 31.0}),
    );
    let mut periods = parameters();
    periods.as_object_mut().unwrap().remove("flood_limit_m");
    periods["flood_limit_periods"] = json!([{"from": "05-01", "until": "06-20", "level": 90.5}, {"from": "06-21", "until": "08-31", "level": 89.5}]);
    assert_eq!(
        run(&flood(), &periods).unwrap().report["limits"]["flood_limit_m"],
        89.5
    );
    periods["flood_limit_periods"] = json!([{"from": "May", "until": "06-20", "level": 90.5}]);
    assert_eq!(
        run(&flood(), &periods).unwrap_err()[0].place,
        "p.toml: flood_limit_periods"
    );
    let bad = table("at,inflow_m3s\nnoon,1\n2026-07-01T01:00:00Z,-5");
    let places: Vec<String> = run(&bad, &bare)
        .unwrap_err()
        .into_iter()
        .map(|p| p.place)
        .collect();
    assert_eq!(places, ["x.csv:2", "x.csv:3"]);
    assert_eq!(
        run(&table("at,inflow_m3s\n2026-07-01T01:00:00Z,"), &bare).unwrap_err()[0].place,
        "x.csv"
    );
}
