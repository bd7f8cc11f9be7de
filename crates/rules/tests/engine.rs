//! The engine on a river station, a device that falls silent and a base station: when alerts are raised
//! and cleared, and what is left out.

use crate::common::*;
use model::{Quality, Value};
use rules::{Engine, RuleEvent};

/// Events in short: `+rule@second` raised, `-rule@second` cleared.
fn short(events: &[RuleEvent]) -> Vec<String> {
    events
        .iter()
        .map(|e| {
            let sign = if matches!(e, RuleEvent::Raised(_)) {
                '+'
            } else {
                '-'
            };
            format!("{sign}{}@{}", e.rule_id(), e.at().micros() / 1_000_000)
        })
        .collect()
}

fn river() -> Engine {
    let mut engine = engine(&[WARNING]);
    let update = update(
        "1",
        "WaterObserved",
        &[
            ("warningLevel", Value::Number(29.3)),
            ("name", Value::Text("汉北河天门".into())),
        ],
    );
    assert!(engine.observe(0, &at(update, 0), seconds(0)).is_empty());
    engine
}

fn stage(engine: &mut Engine, second: i64, metres: f64) -> Vec<String> {
    let update = at(
        update(
            "1",
            "WaterObserved",
            &[("waterLevel", Value::Number(metres))],
        ),
        second,
    );
    short(&engine.observe(second.unsigned_abs(), &update, seconds(second)))
}

#[test]
fn held_by_the_data_then_cleared_below_the_margin() {
    let mut engine = river();
    assert!(stage(&mut engine, 10, 29.3).is_empty());
    assert!(stage(&mut engine, 40, 29.5).is_empty());
    assert_eq!(stage(&mut engine, 70, 29.6), ["+stage@70"]);
    assert!(stage(&mut engine, 100, 29.7).is_empty(), "raised once");
    assert!(
        stage(&mut engine, 130, 29.28).is_empty(),
        "inside the hysteresis"
    );
    assert!(
        stage(&mut engine, 160, 29.0).is_empty(),
        "clear, but not for 30 s"
    );
    assert_eq!(stage(&mut engine, 190, 29.0), ["-stage@190"]);
}

#[test]
fn held_by_the_clock_when_the_value_stays() {
    let mut engine = river();
    stage(&mut engine, 10, 29.9);
    assert_eq!(engine.next_deadline(), Some(seconds(70)));
    assert!(engine.tick(seconds(69)).is_empty());
    let events = engine.tick(seconds(500));
    assert_eq!(
        short(&events),
        ["+stage@70"],
        "with the deadline's time, not the tick's"
    );
    let RuleEvent::Raised(raised) = &events[0] else {
        panic!()
    };
    assert_eq!(raised.title_zh, "汉北河天门水位 29.9 m 超过 29.3 m");
    assert_eq!(raised.value, Some(Value::Number(29.9)));
    assert_eq!(raised.threshold, Some(Value::Number(29.3)));
    assert_eq!(raised.unit.as_deref(), Some("MTR"));
    assert_eq!(raised.position, 10);
    assert_eq!(raised.rule_version, 3);
    assert!(engine.tick(seconds(9_000)).is_empty());
    stage(&mut engine, 9_010, 20.0);
    assert_eq!(short(&engine.tick(seconds(9_040))), ["-stage@9040"]);
}

#[test]
fn a_break_starts_the_count_again() {
    let mut engine = river();
    stage(&mut engine, 10, 29.9);
    stage(&mut engine, 60, 29.2);
    stage(&mut engine, 65, 29.9);
    assert!(engine.tick(seconds(124)).is_empty());
    assert_eq!(short(&engine.tick(seconds(125))), ["+stage@125"]);
}

#[test]
fn unusable_and_late_values_are_left_out() {
    let mut engine = river();
    stage(&mut engine, 10, 29.9);
    for quality in [Quality::OutOfRange, Quality::Uncertain] {
        let mut bad = at(
            update("1", "WaterObserved", &[("waterLevel", Value::Number(1.0))]),
            30,
        );
        bad.attributes[0].quality = quality;
        assert!(engine.observe(30, &bad, seconds(30)).is_empty());
    }
    let late = at(
        update("1", "WaterObserved", &[("waterLevel", Value::Number(1.0))]),
        5,
    );
    assert!(engine.observe(31, &late, seconds(31)).is_empty());
    assert_eq!(short(&engine.tick(seconds(70))), ["+stage@70"]);
}

#[test]
fn without_its_threshold_a_rule_waits_and_a_changed_one_judges_again() {
    let mut engine = engine(&[WARNING]);
    assert!(stage(&mut engine, 10, 50.0).is_empty());
    assert!(engine.tick(seconds(1_000)).is_empty());
    let threshold = at(
        update(
            "1",
            "WaterObserved",
            &[("warningLevel", Value::Number(29.3))],
        ),
        1_000,
    );
    assert!(engine.observe(1_000, &threshold, seconds(1_000)).is_empty());
    assert_eq!(short(&engine.tick(seconds(1_060))), ["+stage@1060"]);
    let higher = at(
        update(
            "1",
            "WaterObserved",
            &[("warningLevel", Value::Number(60.0))],
        ),
        1_100,
    );
    assert!(engine.observe(1_100, &higher, seconds(1_100)).is_empty());
    assert_eq!(short(&engine.tick(seconds(1_130))), ["-stage@1130"]);
}

fn limit(engine: &mut Engine, second: i64, now: i64, metres: f64) -> Vec<String> {
    let update = update(
        "1",
        "WaterObserved",
        &[("warningLevel", Value::Number(metres))],
    );
    short(&engine.observe(now.unsigned_abs(), &at(update, second), seconds(now)))
}

fn late_stage(engine: &mut Engine, second: i64, now: i64, metres: f64) -> Vec<String> {
    let update = update(
        "1",
        "WaterObserved",
        &[("waterLevel", Value::Number(metres))],
    );
    short(&engine.observe(now.unsigned_abs(), &at(update, second), seconds(now)))
}

#[test]
fn a_threshold_stated_later_than_the_readings_shuts_none_out() {
    let mut engine = engine(&[WARNING]);
    limit(&mut engine, 10_000, 1_000, 29.3);
    assert!(late_stage(&mut engine, 900, 1_001, 29.5).is_empty());
    // Restated with a later time: nothing changes.
    limit(&mut engine, 20_000, 1_002, 29.3);
    assert_eq!(late_stage(&mut engine, 960, 1_003, 29.5), ["+stage@960"]);
    let (_, _, position) = engine.active().next().unwrap();
    assert_eq!(
        position, 1_003,
        "the reading's message, not the threshold's"
    );
    limit(&mut engine, 30_000, 1_004, 29.3);
    assert!(late_stage(&mut engine, 970, 1_005, 29.0).is_empty());
    assert_eq!(late_stage(&mut engine, 1_000, 1_006, 29.0), ["-stage@1000"]);
}

#[test]
fn a_changed_threshold_raises_nothing_from_before_it() {
    let mut engine = engine(&[WARNING]);
    limit(&mut engine, 100, 100, 31.0);
    assert!(late_stage(&mut engine, 150, 200, 30.0).is_empty());
    // The value there is above the new limit: since the limit's time, not the value's, and a limit that
    // changes again completes no run.
    assert!(limit(&mut engine, 220, 220, 29.0).is_empty());
    assert!(limit(&mut engine, 290, 221, 29.5).is_empty());
    // Readings from before the limit's time are judged, but no run began before it.
    assert!(late_stage(&mut engine, 160, 222, 30.0).is_empty());
    assert!(late_stage(&mut engine, 219, 223, 30.0).is_empty());
    assert!(late_stage(&mut engine, 279, 224, 30.0).is_empty());
    assert_eq!(late_stage(&mut engine, 280, 225, 30.0), ["+stage@280"]);
    // A reading older than the last one stays left out.
    assert!(late_stage(&mut engine, 279, 226, 20.0).is_empty());
    assert!(engine.tick(seconds(1_000)).is_empty());
    // A statement of an earlier time than the one in force does not count.
    assert!(limit(&mut engine, 289, 1_001, 99.0).is_empty());
    assert!(engine.tick(seconds(2_000)).is_empty());
}

#[test]
fn a_threshold_in_the_same_message_counts_whatever_the_order() {
    let mut engine = engine(&[&WARNING.replace("for_seconds = 60\n", "")]);
    let both = update(
        "1",
        "WaterObserved",
        &[
            ("waterLevel", Value::Number(30.0)),
            ("warningLevel", Value::Number(29.3)),
        ],
    );
    assert_eq!(
        short(&engine.observe(7, &at(both, 7), seconds(7))),
        ["+stage@7"]
    );
}

#[test]
fn a_series_in_one_message_is_judged_by_its_own_times() {
    let mut engine = river();
    let mut series = at(
        update(
            "1",
            "WaterObserved",
            &[
                ("waterLevel", Value::Number(29.9)),
                ("waterLevel", Value::Number(29.9)),
            ],
        ),
        100,
    );
    series.attributes[1].observed_at = seconds(160);
    assert_eq!(
        short(&engine.observe(1, &series, seconds(161))),
        ["+stage@160"]
    );
}

#[test]
fn taking_the_attribute_away_clears() {
    let mut engine = river();
    stage(&mut engine, 10, 29.9);
    engine.tick(seconds(70));
    let gone = at(
        update("1", "WaterObserved", &[("waterLevel", Value::Deleted)]),
        80,
    );
    assert_eq!(
        short(&engine.observe(80, &gone, seconds(80))),
        ["-stage@80"]
    );
}

#[test]
fn silence_is_judged_by_the_platforms_clock() {
    let mut engine = engine(&[SILENCE]);
    let device = |second| at(update("d", "Device", &[("x", Value::Number(1.0))]), second);
    assert!(engine.observe(1, &device(-5_000), seconds(0)).is_empty());
    assert!(engine.observe(2, &device(500), seconds(500)).is_empty());
    assert!(engine.tick(seconds(1_399)).is_empty());
    let events = engine.tick(seconds(2_000));
    assert_eq!(short(&events), ["+silent@1400"]);
    let RuleEvent::Raised(raised) = &events[0] else {
        panic!()
    };
    assert_eq!(
        (raised.position, raised.value.clone()),
        (2, Some(Value::Number(900.0)))
    );
    assert_eq!(raised.title_en, "d silent for 900 s");
    assert_eq!(
        short(&engine.observe(3, &device(2_100), seconds(2_100))),
        ["-silent@2100"]
    );
    assert_eq!(
        short(&engine.tick(seconds(9_000))),
        ["+silent@3000"],
        "and again"
    );
}

#[test]
fn after_a_restart_silence_counts_from_the_start() {
    let mut engine = engine(&[SILENCE]);
    engine.observe(
        1,
        &at(update("d", "Device", &[("x", Value::Number(1.0))]), 0),
        seconds(0),
    );
    engine.resume(seconds(80_000));
    assert!(engine.tick(seconds(80_899)).is_empty());
    assert_eq!(short(&engine.tick(seconds(80_900))), ["+silent@80900"]);
}

/// What is said once in some days: half of three days are gone when the program starts again, and are not counted anew.
#[test]
fn of_a_long_silence_an_hour_is_left_after_a_restart() {
    let three_days = SILENCE.replace("900", "259_200");
    let heard = at(update("d", "Device", &[("x", Value::Number(1.0))]), 0);
    for (restarted, raised) in [
        (100_000, 259_200),
        (258_000, 258_000 + 3_600),
        (500_000, 500_000 + 3_600),
    ] {
        let mut engine = engine(&[&three_days]);
        engine.observe(1, &heard, seconds(0));
        engine.resume(seconds(restarted));
        assert!(engine.tick(seconds(raised - 1)).is_empty(), "{restarted}");
        assert_eq!(
            short(&engine.tick(seconds(raised))),
            [format!("+silent@{raised}")]
        );
    }
}

const STATED: &str = r#"
id = "silent"
version = 1
kind = "silence"
title_zh = "{entity} 静默 {value} {unit}"
title_en = "{entity} silent for {value} {unit}"
entity_type = "Device"
attribute = "online"
threshold = { attribute = "interval" }
severity = "minor"
"#;

#[test]
fn an_entity_states_how_long_it_may_be_silent() {
    let mut engine = engine(&[STATED]);
    let hours = |hours: f64| ("interval", Value::Number(hours));
    let online = || ("online", Value::Boolean(true));
    let told = |engine: &mut rules::Engine, position, values: &[(&str, Value)], second| {
        let device = at(update("d", "Device", values), second);
        short(&engine.observe(position, &device, seconds(second)))
    };
    // Without an interval nothing is judged; when it comes, it counts from what was heard last.
    assert!(told(&mut engine, 1, &[online()], 0).is_empty());
    assert!(engine.tick(seconds(90_000)).is_empty());
    assert!(told(&mut engine, 2, &[online()], 100_000).is_empty());
    assert!(told(&mut engine, 3, &[hours(2.0)], 101_000).is_empty());
    assert!(engine.tick(seconds(107_199)).is_empty());
    let events = engine.tick(seconds(107_200));
    assert_eq!(short(&events), ["+silent@107200"]);
    let RuleEvent::Raised(raised) = &events[0] else {
        panic!()
    };
    assert_eq!(raised.title_en, "d silent for 2 h");
    assert_eq!(raised.unit.as_deref(), Some("HUR"));
    let decided: Vec<_> = raised.decided.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(decided, ["online", "interval"]);
    // A longer interval ends it, a shorter one raises it earlier than was due.
    assert_eq!(
        told(&mut engine, 4, &[hours(24.0)], 108_000),
        ["-silent@108000"]
    );
    assert!(told(&mut engine, 5, &[hours(3.0)], 108_100).is_empty());
    assert!(engine.tick(seconds(110_799)).is_empty());
    assert_eq!(short(&engine.tick(seconds(110_800))), ["+silent@110800"]);
    assert_eq!(
        told(&mut engine, 6, &[online()], 111_000),
        ["-silent@111000"]
    );
    // One that is taken away, or makes no sense, judges nothing; the memory goes on with the interval that it has.
    assert!(told(&mut engine, 7, &[hours(0.0)], 111_100).is_empty());
    assert!(engine.tick(seconds(300_000)).is_empty());
    assert!(told(&mut engine, 8, &[online(), hours(1.0)], 300_000).is_empty());
    let state = engine.state();
    let mut again = self::engine(&[STATED]);
    assert!(again.restore(state).is_empty());
    assert_eq!(short(&again.tick(seconds(400_000))), ["+silent@303600"]);
    assert_eq!(short(&engine.tick(seconds(400_000))), ["+silent@303600"]);
}

#[test]
fn out_of_range_is_seen_and_cleared_by_a_good_value() {
    let mut engine = engine(&[RANGE]);
    let mut bad = at(
        update(
            "1",
            "WaterObserved",
            &[("waterLevel", Value::Number(999.0))],
        ),
        1,
    );
    bad.attributes[0].quality = Quality::OutOfRange;
    let events = engine.observe(1, &bad, seconds(1));
    assert_eq!(short(&events), ["+range@1"]);
    let RuleEvent::Raised(raised) = &events[0] else {
        panic!()
    };
    assert_eq!(
        (raised.value.clone(), raised.threshold.clone()),
        (Some(Value::Number(999.0)), None)
    );
    assert_eq!(stage(&mut engine, 2, 20.0), ["-range@2"]);
}

#[test]
fn true_and_false_are_compared() {
    let mut engine = engine(&[OUTAGE]);
    let station = |second, up| {
        at(
            update("b", "Device", &[("online", Value::Boolean(up))]),
            second,
        )
    };
    assert_eq!(
        short(&engine.observe(1, &station(1, false), seconds(1))),
        ["+offline@1"]
    );
    assert_eq!(
        short(&engine.observe(2, &station(2, true), seconds(2))),
        ["-offline@2"]
    );
    let odd = at(update("b", "Device", &[("online", Value::Number(0.0))]), 3);
    // It says nothing of the rule; that it could not be judged is told.
    let events = engine.observe(3, &odd, seconds(3));
    assert!(matches!(&events[..], [RuleEvent::Failed(_)]), "{events:?}");
}

#[test]
fn a_restored_engine_clears_the_alerts_of_rules_that_are_gone() {
    let mut engine = river();
    stage(&mut engine, 10, 29.9);
    engine.tick(seconds(70));
    assert_eq!(engine.active().count(), 1);
    let state = engine.state();
    let mut same = crate::common::engine(&[WARNING]);
    assert!(same.restore(state.clone()).is_empty());
    assert_eq!(same.active().count(), 1);
    let mut newer = crate::common::engine(&[&WARNING.replace("version = 3", "version = 4")]);
    assert_eq!(short(&newer.restore(state.clone())), ["-stage@70"]);
    assert_eq!(newer.active().count(), 0);
    let mut other = crate::common::engine(&[OUTAGE]);
    assert_eq!(short(&other.restore(state)), ["-stage@70"]);
}
