//! The kinds of rules beside thresholds and silence, and what holds alerts back: rates, places, counts, expressions, other entities,
//! schedules, storms, dependencies, maintenance, repetition, failures.

use crate::common::{at, seconds, update};
use model::calendar::Declared;
use model::{
    Calendars, Catalogue, EntityId, EntityKind, Geometry, Timestamp, Update, Value, WorkingCalendar,
};
use rules::{Engine, Held, Maintenance, NamedValue, Rule, RuleEvent};
use std::collections::BTreeSet;

fn catalogue() -> Catalogue {
    let kinds: Vec<EntityKind> = [
        r#"
name = "Station"
title_zh = "站"
title_en = "Station"
[attributes.level]
value = "number"
title_zh = "水位"
title_en = "Stage"
unit = "MTR"
[attributes.upstream]
value = "relationship"
title_zh = "上游站"
title_en = "Upstream station"
[attributes.state]
value = "text"
title_zh = "状态"
title_en = "State"
[attributes.location]
value = "geometry"
title_zh = "位置"
title_en = "Place"
[attributes.extra]
value = "json"
title_zh = "其他"
title_en = "Other"
"#,
        r#"
name = "Gateway"
title_zh = "网关"
title_en = "Gateway"
[attributes.online]
value = "boolean"
title_zh = "在线"
title_en = "Online"
"#,
    ]
    .iter()
    .map(|text| toml::from_str(text).unwrap())
    .collect();
    Catalogue {
        kinds: kinds.into_iter().map(|k| (k.name.clone(), k)).collect(),
        ..Catalogue::default()
    }
}

/// A rule of a few lines, with what every rule has before them.
fn rule(id: &str, lines: &str) -> Rule {
    let entity_type = if lines.lines().any(|line| line.starts_with("entity_type")) {
        ""
    } else {
        "entity_type = \"Station\"\n"
    };
    let text = format!(
        "id = \"{id}\"\nversion = 2\ntitle_zh = \"{{entity}} {{value}} {{unit}}\"\ntitle_en = \"{{entity}} {{value}} {{unit}}\"\n\
         severity = \"major\"\n{entity_type}{lines}"
    );
    toml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn calendars() -> Calendars {
    let day = vec!["08:00-12:00".to_owned()];
    let declared = Declared {
        week: [
            ("thursday".to_owned(), day.clone()),
            ("friday".to_owned(), day),
        ]
        .into(),
        ..Declared::default()
    };
    let zone = jiff::tz::TimeZone::UTC;
    let hours = WorkingCalendar::new("working-hours", declared, zone.clone(), "test").unwrap();
    Calendars::new(zone, [hours])
}

fn engine(rules: &[Rule]) -> Engine {
    Engine::new(rules.to_vec(), &catalogue(), &calendars()).unwrap_or_else(|p| panic!("{p:#?}"))
}

fn codes(rules: &[Rule]) -> Vec<String> {
    let problems = Engine::new(rules.to_vec(), &catalogue(), &calendars()).err();
    problems.into_iter().flatten().map(|p| p.code).collect()
}

fn short(events: &[RuleEvent]) -> Vec<String> {
    events
        .iter()
        .map(|event| {
            let sign = match event {
                RuleEvent::Raised(raised) if raised.is_storm => "*",
                RuleEvent::Raised(_) => "+",
                RuleEvent::Cleared(_) => "-",
                RuleEvent::Failed(_) => "!",
            };
            let entity = event.entity_id().as_str().rsplit(':').next().unwrap();
            let second = event.at().micros() / 1_000_000;
            format!("{sign}{} {entity}@{second}", event.rule_id())
        })
        .collect()
}

fn say(engine: &mut Engine, id: &str, second: i64, values: &[(&str, Value)]) -> Vec<String> {
    let kind = if values[0].0 == "online" {
        "Gateway"
    } else {
        "Station"
    };
    let update = at(update(id, kind, values), second);
    short(&engine.observe(second.unsigned_abs(), &update, seconds(second)))
}

fn level(engine: &mut Engine, id: &str, second: i64, metres: f64) -> Vec<String> {
    say(engine, id, second, &[("level", Value::Number(metres))])
}

fn decided(events: &[RuleEvent]) -> Vec<NamedValue> {
    let raised = events.iter().find_map(|event| match event {
        RuleEvent::Raised(raised) => Some(raised.decided.clone()),
        _ => None,
    });
    raised.unwrap()
}

const RISE: &str = "kind = \"rate\"\nattribute = \"level\"\nop = \">=\"\nthreshold = 0.5\nwindow_seconds = 3600\n\
                    per_seconds = 3600\nclear = { margin = 0.2 }";

#[test]
fn a_rate_over_its_window() {
    let mut engine = engine(&[rule("rise", RISE)]);
    assert!(level(&mut engine, "1", 0, 20.0).is_empty());
    assert!(
        level(&mut engine, "1", 1_800, 21.0).is_empty(),
        "half a window says nothing"
    );
    let first = at(
        update("1", "Station", &[("level", Value::Number(20.6))]),
        3_600,
    );
    let events = engine.observe(9, &first, seconds(3_600));
    assert_eq!(short(&events), ["+rise 1@3600"]);
    let RuleEvent::Raised(raised) = &events[0] else {
        panic!()
    };
    assert_eq!(raised.title_en, "1 0.6 m/h");
    assert_eq!((raised.rule_version, raised.position), (2, 9));
    let names: Vec<String> = decided(&events).into_iter().map(|v| v.name).collect();
    assert_eq!(names, ["level per 3600 s", "window_seconds", "threshold"]);
    // From 21.0 at 1,800 s: 0.4 m/h is within the hysteresis, 0.2 m/h is clear.
    assert!(level(&mut engine, "1", 5_400, 21.4).is_empty());
    assert_eq!(level(&mut engine, "1", 7_200, 20.8), ["-rise 1@7200"]);
    // After a gap of more than two windows nothing can be said.
    assert!(level(&mut engine, "1", 20_000, 30.0).is_empty());
    assert!(
        engine.state().entities[0].runs[0]
            .run
            .more
            .as_ref()
            .unwrap()
            .samples
            .len()
            <= 62
    );
}

#[test]
fn the_memory_of_a_rate_is_bounded() {
    let mut engine = engine(&[rule("rise", RISE)]);
    for second in 0..10_000 {
        level(&mut engine, "1", second, 20.0);
    }
    let more = engine.state().entities[0].runs[0].run.more.clone().unwrap();
    assert!(
        more.samples.len() <= rules::state::SAMPLES_MAX,
        "{}",
        more.samples.len()
    );
}

fn place(engine: &mut Engine, second: i64, lon: f64, lat: f64) -> Vec<String> {
    let point = Value::Geometry(Geometry::Point { lon, lat });
    say(engine, "car", second, &[("location", point)])
}

const AREA: &str = "kind = \"geofence\"\nattribute = \"location\"\nclear = { margin = 200.0 }\n\
                    area = { name = \"园区\", lon = 113.16, lat = 30.66, radius_m = 1000.0 }\n";

#[test]
fn geofences_on_both_sides() {
    let with = |id: &str, when: &str| rule(id, &format!("{AREA}when = \"{when}\""));
    let mut engine = engine(&[
        with("enter", "enter"),
        with("inside", "inside"),
        with("leave", "leave"),
        with("outside", "outside"),
    ]);
    assert_eq!(
        place(&mut engine, 1, 113.16, 30.66),
        ["+inside car@1"],
        "first seen inside: it did not enter"
    );
    // 1,112 m to the north is outside, and within the margin of 200 m of it.
    assert_eq!(
        place(&mut engine, 2, 113.16, 30.67),
        ["+leave car@2", "+outside car@2"]
    );
    assert_eq!(place(&mut engine, 3, 113.16, 30.70), ["-inside car@3"]);
    assert_eq!(
        place(&mut engine, 4, 113.16, 30.66),
        [
            "+enter car@4",
            "+inside car@4",
            "-leave car@4",
            "-outside car@4"
        ]
    );
    let deleted = say(&mut engine, "car", 5, &[("location", Value::Deleted)]);
    assert_eq!(deleted, ["-enter car@5", "-inside car@5"]);
}

#[test]
fn counts_of_observations_and_of_entities() {
    let count = "kind = \"count\"\nattribute = \"state\"\nop = \"==\"\nthreshold = \"fault\"\nat_least = 3\nwindow_seconds = 60\n";
    let mut engine = engine(&[
        rule("often", count),
        rule("many", &format!("{count}distinct = true")),
    ]);
    let fault = |engine: &mut Engine, id: &str, second: i64| {
        say(
            engine,
            id,
            second,
            &[("state", Value::Text("fault".into()))],
        )
    };
    assert!(fault(&mut engine, "1", 0).is_empty());
    assert!(
        say(
            &mut engine,
            "1",
            5,
            &[("state", Value::Text("fine".into()))]
        )
        .is_empty()
    );
    assert!(fault(&mut engine, "1", 30).is_empty());
    assert_eq!(fault(&mut engine, "1", 59), ["+often 1@59"]);
    assert_eq!(
        fault(&mut engine, "2", 60),
        ["-often 1@60"],
        "fewer than three lie within a minute"
    );
    assert_eq!(
        fault(&mut engine, "3", 61),
        ["+many many@61"],
        "three entities, told of the rule itself"
    );
    assert_eq!(
        short(&engine.tick(seconds(200))),
        ["-many many@119"],
        "and now of the entities too"
    );
}

#[test]
fn expressions_over_several_attributes() {
    let mut engine = engine(&[rule(
        "both",
        "kind = \"expression\"\nexpression = \"level > 20.0 && state == 'open' && hour < 12\"\nfor_seconds = 60\n\
         clear = { expression = \"level < 19.0\" }",
    )]);
    assert!(
        level(&mut engine, "1", 0, 21.0).is_empty(),
        "the state is not known"
    );
    assert!(
        say(
            &mut engine,
            "1",
            10,
            &[("state", Value::Text("open".into()))]
        )
        .is_empty()
    );
    let update = at(
        update("1", "Station", &[("level", Value::Number(22.0))]),
        70,
    );
    let events = engine.observe(3, &update, seconds(70));
    assert_eq!(short(&events), ["+both 1@70"]);
    let values: Vec<(String, Value)> = decided(&events)
        .into_iter()
        .map(|v| (v.name, v.value))
        .collect();
    // The minute was over before the new reading was looked at.
    assert_eq!(
        values,
        [
            ("level".to_owned(), Value::Number(21.0)),
            ("state".to_owned(), Value::Text("open".into()))
        ]
    );
    assert!(
        level(&mut engine, "1", 80, 19.5).is_empty(),
        "false, but not yet clear"
    );
    assert_eq!(level(&mut engine, "1", 90, 18.0), ["-both 1@90"]);
}

#[test]
fn what_cannot_be_judged_is_told_once_a_minute_and_counted() {
    let mut engine = engine(&[
        rule("high", "attribute = \"level\"\nop = \">\"\nthreshold = 1.0"),
        rule(
            "formula",
            "kind = \"expression\"\nexpression = \"10.0 / level > 1.0 && level + 1.0 > 2.0\"",
        ),
    ]);
    let odd = |engine: &mut Engine, second: i64| {
        let update = at(
            update("1", "Station", &[("level", Value::Text("?".into()))]),
            second,
        );
        engine.observe(1, &update, seconds(second))
    };
    assert_eq!(short(&odd(&mut engine, 1)), ["!high 1@1", "!formula 1@1"]);
    for second in 2..60 {
        assert!(odd(&mut engine, second).is_empty());
    }
    let events = odd(&mut engine, 61);
    let counts: Vec<u64> = events
        .iter()
        .map(|event| match event {
            RuleEvent::Failed(failed) => failed.count,
            _ => 0,
        })
        .collect();
    assert_eq!(counts, [59, 59]);
    assert_eq!(
        level(&mut engine, "1", 62, 3.0),
        ["+high 1@62", "+formula 1@62"],
        "and it goes on"
    );
}

#[test]
fn another_entity_is_the_threshold() {
    let mut engine = engine(&[
        rule(
            "above",
            "attribute = \"level\"\nop = \">=\"\n\
             threshold = { relation = \"upstream\", entity_type = \"Station\", attribute = \"level\", plus = 0.5 }",
        ),
        rule(
            "named",
            "attribute = \"level\"\nop = \">=\"\n\
             threshold = { entity = \"urn:ngsi-ld:Station:up\", entity_type = \"Station\", attribute = \"level\", times = 2.0 }",
        ),
    ]);
    assert!(
        level(&mut engine, "down", 1, 25.0).is_empty(),
        "nothing known of the other"
    );
    level(&mut engine, "up", 2, 20.0);
    let up = Value::Relationship(EntityId::new("urn:ngsi-ld:Station:up").unwrap());
    let values = [("upstream", up), ("level", Value::Number(20.5))];
    let update = at(update("down", "Station", &values), 3);
    let events = engine.observe(3, &update, seconds(3));
    assert_eq!(short(&events), ["+above down@3"]);
    let other = decided(&events).pop().unwrap();
    assert_eq!(other.entity_id.unwrap().as_str(), "urn:ngsi-ld:Station:up");
    assert_eq!(other.value, Value::Number(20.5), "20 and half a metre");
    assert_eq!(level(&mut engine, "down", 4, 40.0), ["+named down@4"]);
}

#[test]
fn the_other_entity_alone_judges_anew() {
    let above = |more: &str| {
        rule(
            "above",
            &format!(
                "attribute = \"level\"\nop = \">=\"\n{more}\
                 threshold = {{ relation = \"upstream\", entity_type = \"Station\", attribute = \"level\", plus = 0.5 }}"
            ),
        )
    };
    let to =
        |id: &str| Value::Relationship(EntityId::new(format!("urn:ngsi-ld:Station:{id}")).unwrap());
    let mut engine = engine(&[above("")]);
    level(&mut engine, "other", 0, 1.0);
    let first = [("upstream", to("up")), ("level", Value::Number(21.0))];
    assert!(say(&mut engine, "down", 1, &first).is_empty());
    assert!(level(&mut engine, "up", 2, 25.0).is_empty());
    assert_eq!(level(&mut engine, "up", 3, 20.0), ["+above down@3"]);
    assert_eq!(level(&mut engine, "up", 4, 22.0), ["-above down@4"]);
    // The relation leads elsewhere, and back, and nowhere.
    assert_eq!(
        say(&mut engine, "down", 5, &[("upstream", to("other"))]),
        ["+above down@5"]
    );
    assert!(
        level(&mut engine, "up", 6, 50.0).is_empty(),
        "nobody looks at it any more"
    );
    assert_eq!(
        say(&mut engine, "down", 7, &[("upstream", to("up"))]),
        ["-above down@7"]
    );
    assert_eq!(level(&mut engine, "up", 8, 1.0), ["+above down@8"]);
    assert_eq!(
        say(&mut engine, "down", 9, &[("upstream", Value::Deleted)]),
        ["-above down@9"]
    );
    assert!(level(&mut engine, "up", 10, 0.0).is_empty());
    // What must be held begins with the other's time, and is completed by the platform's clock.
    let mut engine = self::engine(&[above("for_seconds = 60\n")]);
    say(&mut engine, "down", 1, &first);
    level(&mut engine, "up", 2, 25.0);
    assert!(level(&mut engine, "up", 100, 20.0).is_empty());
    assert!(engine.tick(seconds(159)).is_empty());
    assert_eq!(short(&engine.tick(seconds(160))), ["+above down@160"]);
}

#[test]
fn of_many_that_look_at_one_so_many_are_judged_anew() {
    let mut engine = engine(&[rule(
        "named",
        "attribute = \"level\"\nop = \">=\"\n\
         threshold = { entity = \"urn:ngsi-ld:Station:up\", entity_type = \"Station\", attribute = \"level\", plus = 0.5 }",
    )]);
    level(&mut engine, "up", 0, 9.0);
    let most = rules::engine::JUDGED_ANEW_MAX;
    for n in 0..most + 10 {
        assert!(level(&mut engine, &n.to_string(), 1, 5.0).is_empty());
    }
    // The one itself is among those that look at it, and was seen first.
    let told = level(&mut engine, "up", 2, 1.0);
    assert_eq!(told.len(), most - 1);
    let last = (most + 9).to_string();
    assert_eq!(
        level(&mut engine, &last, 3, 5.0),
        [format!("+named {last}@3")]
    );
}

/// Thursday, 1 January 1970, `hour` o'clock, in seconds.
fn hour(hour: i64) -> i64 {
    hour * 3_600
}

#[test]
fn a_rule_works_in_its_time_alone() {
    let mut engine = engine(&[
        rule(
            "high",
            "attribute = \"level\"\nop = \">\"\nthreshold = 1.0\nduring = \"working-hours\"",
        ),
        rule(
            "night",
            "attribute = \"level\"\nop = \">\"\nthreshold = 1.0\nduring = { hours = [\"22:00-24:00\", \"00:00-06:00\"] }",
        ),
        rule(
            "silent",
            "kind = \"silence\"\nfor_seconds = 1800\nduring = { calendar = \"working-hours\" }",
        ),
    ]);
    assert_eq!(level(&mut engine, "1", hour(5), 2.0), ["+night 1@18000"]);
    assert_eq!(
        short(&engine.tick(seconds(hour(8)))),
        ["-night 1@21600"],
        "its time ended at six"
    );
    assert_eq!(
        level(&mut engine, "1", hour(9), 2.0),
        ["+silent 1@30600", "+high 1@32400", "-silent 1@32400"]
    );
    assert_eq!(
        short(&engine.tick(seconds(hour(13)))),
        ["+silent 1@34200", "-high 1@43200", "-silent 1@43200"]
    );
    assert_eq!(
        short(&engine.tick(seconds(hour(24 + 9)))),
        ["+silent 1@117000"],
        "half an hour after Friday's work began"
    );
    assert_eq!(
        codes(&[rule(
            "x",
            "attribute = \"level\"\nop = \">\"\nthreshold = 1.0\nduring = \"holidays\""
        )]),
        ["calendar-unknown"]
    );
    assert_eq!(
        codes(&[rule(
            "x",
            "attribute = \"level\"\nop = \">\"\nthreshold = 1.0\nduring = { hours = [\"25:00-26:00\"] }"
        )]),
        ["calendar-hours"]
    );
}

const STORM: &str = "attribute = \"level\"\nop = \">\"\nthreshold = 1.0\nstorm = { more_than = 2, within_seconds = 60 }";

#[test]
fn many_alerts_are_one_storm() {
    let mut engine = engine(&[rule("high", STORM)]);
    assert_eq!(level(&mut engine, "1", 1, 2.0), ["+high 1@1"]);
    assert_eq!(level(&mut engine, "2", 2, 2.0), ["+high 2@2"]);
    assert_eq!(level(&mut engine, "3", 3, 2.0), ["*high high@3"]);
    assert!(level(&mut engine, "4", 4, 2.0).is_empty());
    assert_eq!(engine.active().count(), 3, "two alone and the storm");
    let members: Vec<Held> = engine.held_back().map(|(_, _, why)| why).collect();
    assert_eq!(members, [Held::Storm, Held::Storm]);
    assert_eq!(level(&mut engine, "1", 5, 0.0), ["-high 1@5"]);
    // Half of two are left: the storm is over, and what is left is told.
    let over = at(update("3", "Station", &[("level", Value::Number(0.0))]), 6);
    let events = engine.observe(6, &over, seconds(6));
    assert_eq!(short(&events), ["-high high@6", "+high 4@6"]);
    let RuleEvent::Cleared(cleared) = &events[0] else {
        panic!()
    };
    assert_eq!(cleared.value, Some(Value::Number(2.0)), "its members");
    assert_eq!(engine.held_back().count(), 0);
}

#[test]
fn alerts_far_apart_are_no_storm() {
    let mut engine = engine(&[rule("high", STORM)]);
    for (n, id) in ["1", "2", "3", "4"].iter().enumerate() {
        let second = i64::try_from(n).unwrap() * 60;
        assert_eq!(level(&mut engine, id, second + 1, 2.0).len(), 1);
    }
    assert_eq!(engine.held_back().count(), 0);
}

#[test]
fn a_silent_gateway_explains_its_sensors() {
    let gateway = rule(
        "gateway",
        "entity_type = \"Gateway\"\nattribute = \"online\"\nop = \"==\"\nthreshold = false",
    );
    let sensor = rule(
        "silent",
        "kind = \"silence\"\nfor_seconds = 60\nsuppressed_by = [{ rule = \"gateway\", relation = \"upstream\" }]",
    );
    let mut engine = engine(&[sensor, gateway]);
    let to =
        |id: &str| Value::Relationship(EntityId::new(format!("urn:ngsi-ld:Gateway:{id}")).unwrap());
    say(&mut engine, "a", 0, &[("upstream", to("g"))]);
    say(&mut engine, "b", 0, &[("upstream", to("other"))]);
    assert_eq!(
        say(&mut engine, "g", 30, &[("online", Value::Boolean(false))]),
        ["+gateway g@30"]
    );
    assert_eq!(short(&engine.tick(seconds(100))), ["+silent b@60"]);
    assert_eq!(engine.held_back().next().unwrap().2, Held::Dependency);
    // The gateway is back and the sensor is still silent: that is told now.
    assert_eq!(
        say(&mut engine, "g", 200, &[("online", Value::Boolean(true))]),
        ["-gateway g@200", "+silent a@200"]
    );
}

#[test]
fn rings_of_rules_are_refused() {
    let with = |id: &str, by: &str| {
        rule(
            id,
            &format!("attribute = \"level\"\nop = \">\"\nthreshold = 1.0\nsuppressed_by = [{by}]"),
        )
    };
    assert_eq!(codes(&[with("a", "\"a\"")]), ["rule-cycle"]);
    assert_eq!(
        codes(&[with("a", "\"b\""), with("b", "\"c\""), with("c", "\"a\"")]),
        ["rule-cycle"]
    );
    let related = "{ rule = \"a\", relation = \"upstream\" }";
    assert_eq!(
        codes(&[with("a", related)]),
        ["rule-cycle"],
        "stations can refer to each other"
    );
    assert_eq!(codes(&[with("a", "\"missing\"")]), ["rule-unknown"]);
    let gateway = rule(
        "g",
        "entity_type = \"Gateway\"\nattribute = \"online\"\nop = \"==\"\nthreshold = false",
    );
    assert_eq!(
        codes(&[with("a", "\"g\""), gateway]),
        ["rule-suppressor-type"]
    );
    assert_eq!(codes(&[with("a", "\"b\""), with("b", "")]), [] as [&str; 0]);
}

#[test]
fn maintenance_holds_back_and_tells_at_its_end() {
    let mut engine = engine(&[rule(
        "high",
        "attribute = \"level\"\nop = \">\"\nthreshold = 1.0",
    )]);
    level(&mut engine, "1", 1, 0.0);
    let window = |entity: &str, until: i64| Maintenance {
        entity_id: Some(EntityId::new(format!("urn:ngsi-ld:Station:{entity}")).unwrap()),
        from: seconds(10),
        until: seconds(until),
        ..Maintenance::default()
    };
    assert!(
        engine
            .set_maintenance(vec![window("1", 100), window("2", 100)])
            .is_empty()
    );
    assert!(level(&mut engine, "1", 20, 2.0).is_empty());
    assert!(level(&mut engine, "2", 20, 2.0).is_empty());
    assert_eq!(level(&mut engine, "3", 20, 2.0), ["+high 3@20"]);
    assert!(
        level(&mut engine, "2", 30, 0.0).is_empty(),
        "came and went unseen"
    );
    assert_eq!(short(&engine.tick(seconds(200))), ["+high 1@100"]);
    // Ended early by people.
    engine.set_maintenance(vec![window("4", 900)]);
    assert!(level(&mut engine, "4", 300, 2.0).is_empty());
    assert_eq!(short(&engine.set_maintenance(Vec::new())), ["+high 4@300"]);
}

#[test]
fn an_alert_is_not_repeated_at_once() {
    let mut engine = engine(&[rule(
        "high",
        "attribute = \"level\"\nop = \">\"\nthreshold = 1.0\nrepeat_seconds = 60",
    )]);
    assert_eq!(level(&mut engine, "1", 1, 2.0), ["+high 1@1"]);
    assert_eq!(level(&mut engine, "1", 2, 0.0), ["-high 1@2"]);
    assert!(level(&mut engine, "1", 3, 2.0).is_empty());
    assert!(level(&mut engine, "1", 4, 0.0).is_empty());
    assert!(level(&mut engine, "1", 5, 2.0).is_empty());
    assert_eq!(
        short(&engine.tick(seconds(100))),
        ["+high 1@62"],
        "it still holds"
    );
}

#[test]
fn the_mistakes_of_the_kinds() {
    for (lines, code) in [
        (
            "kind = \"rate\"\nattribute = \"level\"\nop = \">\"\nthreshold = 1.0",
            "rule-duration",
        ),
        (
            "kind = \"rate\"\nattribute = \"state\"\nop = \"==\"\nthreshold = \"x\"\nwindow_seconds = 9",
            "rule-attribute-kind",
        ),
        (
            "kind = \"count\"\nattribute = \"level\"\nwindow_seconds = 9",
            "rule-count",
        ),
        (
            "kind = \"count\"\nattribute = \"level\"\nwindow_seconds = 9\nat_least = 9999",
            "rule-count",
        ),
        (
            "kind = \"geofence\"\nattribute = \"location\"\nwhen = \"enter\"",
            "rule-area",
        ),
        (
            "kind = \"geofence\"\nattribute = \"location\"\narea = { lon = 1.0, lat = 1.0, radius_m = 1.0 }",
            "rule-when",
        ),
        ("kind = \"expression\"", "rule-expression"),
        (
            "kind = \"expression\"\nexpression = \"missing > 1.0\"",
            "rule-unknown-attribute",
        ),
        (
            "kind = \"expression\"\nexpression = \"extra == 'x'\"",
            "rule-expression-limit",
        ),
        (
            "kind = \"expression\"\nexpression = \"level + 'x' == 'y'\"",
            "rule-expression",
        ),
        (
            "kind = \"expression\"\nexpression = \"hour > 3\"",
            "rule-expression",
        ),
        (
            "kind = \"expression\"\nexpression = \"[1].all(x, level > 1.0)\"",
            "rule-expression-endless",
        ),
        (
            "attribute = \"level\"\nop = \">\"\nthreshold = 1.0\nwindow_seconds = 9",
            "rule-key-unused",
        ),
        (
            "attribute = \"level\"\nop = \">\"\nthreshold = { attribute = \"level\", relation = \"upstream\" }",
            "rule-other-entity",
        ),
        (
            "attribute = \"level\"\nop = \">\"\nthreshold = 1.0\nstorm = { more_than = 0, within_seconds = 1 }",
            "rule-count",
        ),
    ] {
        assert_eq!(codes(&[rule("x", lines)]), [code], "{lines}");
    }
}

/// Rules of every kind, for the laws.
fn all_rules() -> Vec<Rule> {
    vec![
        rule("rise", RISE),
        rule("enter", &format!("{AREA}when = \"enter\"")),
        rule(
            "often",
            "kind = \"count\"\nattribute = \"level\"\nop = \">\"\nthreshold = 1.0\nat_least = 3\nwindow_seconds = 600\ndistinct = true",
        ),
        rule(
            "formula",
            "kind = \"expression\"\nexpression = \"10.0 / level > 1.0 || state == 'x'\"\nfor_seconds = 30",
        ),
        rule(
            "other",
            "attribute = \"level\"\nop = \">\"\nthreshold = { relation = \"upstream\", entity_type = \"Station\", attribute = \"level\" }",
        ),
        rule(
            "named",
            "attribute = \"level\"\nop = \">\"\nfor_seconds = 60\nclear = { margin = 0.2, for_seconds = 90 }\n\
             threshold = { entity = \"urn:ngsi-ld:Station:0\", entity_type = \"Station\", attribute = \"level\", plus = 0.3 }",
        ),
        rule(
            "high",
            &format!(
                "{STORM}\nduring = {{ hours = [\"00:00-01:00\", \"02:00-24:00\"] }}\nrepeat_seconds = 300"
            ),
        ),
        rule(
            "silent",
            "kind = \"silence\"\nfor_seconds = 600\nsuppressed_by = [\"high\", { rule = \"rise\", relation = \"upstream\" }]",
        ),
    ]
}

/// What is said, with the seconds after what was said before.
fn script() -> impl proptest::strategy::Strategy<Value = Vec<(i64, Update)>> {
    use proptest::prelude::*;
    let value = prop_oneof![
        6 => (0.0..3.0_f64).prop_map(|v| ("level", Value::Number(v))),
        1 => Just(("level", Value::Text("?".into()))),
        1 => Just(("level", Value::Number(0.0))),
        1 => Just(("state", Value::Text("x".into()))),
        2 => (30.64..30.69_f64).prop_map(|lat| ("location", Value::Geometry(Geometry::Point { lon: 113.16, lat }))),
        1 => (0..6_u8).prop_map(|n| {
            let id = EntityId::new(format!("urn:ngsi-ld:Station:{n}")).unwrap();
            ("upstream", Value::Relationship(id))
        }),
        1 => prop_oneof![Just(Value::Deleted), Just(Value::Text("urn:ngsi-ld:Station:1".into()))]
            .prop_map(|value| ("upstream", value)),
        1 => Just(("level", Value::Deleted)),
    ];
    let step = (0..400_i64, 0..6_u8, value);
    proptest::collection::vec(step, 0..150).prop_map(|steps| {
        let mut now = 1_000;
        steps
            .into_iter()
            .map(|(gap, id, value)| {
                now += gap;
                (now, at(update(&id.to_string(), "Station", &[value]), now))
            })
            .collect()
    })
}

fn play(
    script: &[(i64, Update)],
    ticks: bool,
    cut: Option<usize>,
) -> (Vec<RuleEvent>, rules::State) {
    let windows = || {
        vec![Maintenance {
            entity_id: EntityId::new("urn:ngsi-ld:Station:1").ok(),
            from: seconds(3_000),
            until: seconds(6_000),
            ..Maintenance::default()
        }]
    };
    let mut engine = engine(&all_rules());
    let mut events = engine.set_maintenance(windows());
    let mut last = 1_000;
    for (n, (now, update)) in script.iter().enumerate() {
        if cut == Some(n) {
            let bytes = postcard::to_allocvec(&engine.state()).unwrap();
            engine = self::engine(&all_rules());
            engine.restore(postcard::from_bytes(&bytes).unwrap());
            events.extend(engine.set_maintenance(windows()));
        }
        if ticks {
            events.extend(engine.tick(seconds(i64::midpoint(last, *now))));
        }
        events.extend(engine.observe(n as u64, update, seconds(*now)));
        last = *now;
    }
    events.extend(engine.tick(seconds(100_000)));
    (events, engine.state())
}

proptest::proptest! {
    #[test]
    fn a_checkpoint_anywhere_and_ticks_change_nothing(script in script(), cut in 0..150_usize) {
        let whole = play(&script, false, None);
        proptest::prop_assert_eq!(&play(&script, true, None), &whole);
        proptest::prop_assert_eq!(&play(&script, false, Some(cut)), &whole);
    }

    #[test]
    fn a_back_test_is_the_live_engine(script in script()) {
        let mut live = engine(&all_rules());
        live.tick(seconds(1_000));
        let mut events = Vec::new();
        for (n, (now, update)) in script.iter().enumerate() {
            if *now < 20_000 {
                events.extend(live.observe(n as u64, update, seconds(*now)));
            }
        }
        events.extend(live.tick(seconds(20_000)));
        let said: Vec<(Timestamp, Update)> =
            script.iter().map(|(now, update)| (seconds(*now), update.clone())).collect();
        let report = rules::back_test(
            all_rules(), &catalogue(), &calendars(), said, (seconds(1_000), seconds(20_000)),
            rules::back_test::Limits { alerts_max: 10_000, ..rules::back_test::Limits::default() },
        ).unwrap();
        let raised: Vec<_> = events.iter().filter_map(|event| match event {
            RuleEvent::Raised(r) => Some((r.rule_id.clone(), r.entity_id.clone(), r.at, r.decided.clone())),
            _ => None,
        }).collect();
        let would_be: Vec<_> = report.listed.iter()
            .map(|w| (w.rule_id.clone(), w.entity_id.clone(), w.from, w.decided.clone())).collect();
        proptest::prop_assert_eq!(would_be, raised);
        let mut up = BTreeSet::new();
        for event in &events {
            let key = (event.rule_id().to_owned(), event.entity_id().clone());
            match event {
                RuleEvent::Raised(_) => { up.insert(key); }
                RuleEvent::Cleared(_) => { up.remove(&key); }
                RuleEvent::Failed(_) => {}
            }
        }
        proptest::prop_assert_eq!(report.open, up.len() as u64);
        proptest::prop_assert_eq!(report.open, live.active().count() as u64);
    }
}

#[test]
fn a_back_test_keeps_its_limits() {
    let high = rule("high", "attribute = \"level\"\nop = \">\"\nthreshold = 1.0");
    let said = (0..100).map(|n| {
        let metres = if n % 2 == 0 { 2.0 } else { 0.0 };
        (
            seconds(n),
            at(
                update("1", "Station", &[("level", Value::Number(metres))]),
                n,
            ),
        )
    });
    let limits = rules::back_test::Limits {
        observations_max: 50,
        alerts_max: 10,
    };
    let period = (seconds(-1), seconds(1_000));
    let report = rules::back_test(
        vec![high.clone()],
        &catalogue(),
        &calendars(),
        said,
        period,
        limits,
    )
    .unwrap();
    assert_eq!(
        (
            report.observations,
            report.is_cut,
            report.alerts,
            report.listed.len()
        ),
        (50, true, 25, 10)
    );
    assert_eq!(report.by_day.values().sum::<u64>(), 25);
    let backwards = (seconds(9), seconds(9));
    let none = rules::back_test(
        vec![high],
        &catalogue(),
        &calendars(),
        [],
        backwards,
        limits,
    );
    assert_eq!(none.unwrap_err()[0].code, "back-test-period");
}

#[test]
fn the_memory_of_version_1_is_read() {
    let text = include_str!("../../jingling/fixtures/rules-v1.json");
    let stored: serde_json::Value = serde_json::from_str(text).unwrap();
    let state: rules::State = serde_json::from_value(stored["state"].clone()).unwrap();
    assert!(!state.entities.is_empty());
    assert!(
        state.entities[0]
            .runs
            .iter()
            .all(|run| run.run.more.is_none())
    );
}
