//! Laws of the schedule, without network: what a viewer must see and when, that it repeats, that it is bounded.

use model::Timestamp;
use serde_json::Value as Json;
use sim::{Act, Outgoing, Pace, Plan, Schedule, Via};
use std::collections::BTreeMap;
use std::sync::Arc;

/// 2026-11-23T12:00:00Z, 20:00 in Tianmen.
const START: Timestamp = Timestamp::from_seconds(1_795_435_200);
const TICK_SECONDS: i64 = 5;
const STATION: &str = "urn:ngsi-ld:WaterObserved:62206900";

fn plan() -> Arc<Plan> {
    Arc::new(Plan::embedded("tianmen").unwrap())
}

fn schedule(plan: &Arc<Plan>, incidents: bool) -> Schedule {
    Schedule::new(
        plan.clone(),
        START,
        Pace {
            incidents,
            ..Pace::default()
        },
    )
}

/// Plays so many seconds, second by second.
fn play(schedule: &mut Schedule, from_second: i64, to_second: i64) -> Vec<Outgoing> {
    (from_second..=to_second)
        .flat_map(|s| schedule.next(START.plus_seconds(s)))
        .collect()
}

fn json(out: &Outgoing) -> Option<Json> {
    match &out.via {
        Via::Device { payload, .. } => serde_json::from_slice(payload).ok(),
        _ => None,
    }
}

/// (seconds after the start, value) of one attribute of one entity.
fn readings(played: &[Outgoing], id: &str, attribute: &str) -> Vec<(f64, f64)> {
    let of_entity = |out: &Outgoing| {
        let json = json(out).filter(|j| j["id"] == id)?;
        Some((
            out.at.micros_since(START) as f64 / 1e6,
            json[attribute]["value"].as_f64()?,
        ))
    };
    played.iter().filter_map(of_entity).collect()
}

#[test]
fn the_river_crosses_the_warning_within_90_seconds_and_holds_long_enough_for_an_alert() {
    let played = play(&mut schedule(&plan(), true), 0, 1_300);
    let stage = readings(&played, STATION, "waterLevel");
    assert!(
        stage[0].1 < 29.30,
        "the demo begins below the warning: {:?}",
        stage[0]
    );
    let crossed = stage.iter().find(|(_, m)| *m > 29.30).unwrap().0;
    assert!(crossed <= 90.0, "{crossed}");
    let receded = stage
        .iter()
        .find(|(t, m)| *t > crossed && *m <= 29.30)
        .unwrap()
        .0;
    assert!(
        receded - crossed > 300.0,
        "above the warning for {} s",
        receded - crossed
    );
    let above_guarantee: Vec<f64> = stage
        .iter()
        .filter(|(_, m)| *m > 30.00)
        .map(|(t, _)| *t)
        .collect();
    let held = above_guarantee.last().unwrap() - above_guarantee[0];
    assert!(
        held >= 60.0 && held == (above_guarantee.len() - 1) as f64 * TICK_SECONDS as f64,
        "30.00 m held for {held} s without a break"
    );
    assert!(
        stage.iter().all(|(_, m)| (28.0..31.35).contains(m)),
        "never above the highest stage on record"
    );
    assert!(
        stage.iter().any(|(t, m)| *t > 1_200.0 && *m > 29.30),
        "and again after twenty minutes"
    );
}

#[test]
fn the_other_river_stations_stay_calm() {
    let plan = plan();
    let played = play(&mut schedule(&plan, false), 0, 1_300);
    for asset in plan
        .assets()
        .iter()
        .filter(|a| a.kind == "WaterObserved" && a.id != STATION)
    {
        let defence = asset.entity["defenceLevel"]["value"].as_f64().unwrap();
        let stage = readings(&played, &asset.id, "waterLevel");
        assert!(
            stage.len() > 250 && stage.iter().all(|(_, m)| *m < defence),
            "{} {defence}",
            asset.id
        );
    }
}

#[test]
fn messages_carry_the_time_at_which_they_are_due_and_say_that_they_are_played() {
    let played = play(&mut schedule(&plan(), true), 0, 60);
    let messages: Vec<(Timestamp, Json)> = played
        .iter()
        .filter_map(|o| Some((o.at, json(o)?)))
        .collect();
    assert!(messages.len() > 100);
    for (at, message) in messages {
        for (name, attribute) in message
            .as_object()
            .unwrap()
            .iter()
            .filter(|(k, _)| *k != "id" && *k != "type")
        {
            assert_eq!(attribute["observedAt"], at.to_string(), "{name}");
            assert_eq!(attribute["quality"], "simulated", "{name}");
        }
    }
}

#[test]
fn the_same_start_plays_the_same_however_it_is_asked() {
    let plan = plan();
    let by_second = play(&mut schedule(&plan, true), 0, 50);
    let mut at_once = schedule(&plan, true);
    let at_once = at_once.next(START.plus_seconds(50));
    assert_eq!(by_second, at_once);
    assert!(
        by_second.windows(2).all(|w| w[0].at <= w[1].at),
        "in order of time"
    );
}

#[test]
fn nothing_before_the_start_and_a_long_sleep_is_not_caught_up() {
    let mut schedule = schedule(&plan(), true);
    assert!(schedule.next(START.plus_seconds(-1)).is_empty());
    assert_eq!(schedule.due(), START);
    let after_a_night = schedule.next(START.plus_seconds(8 * 3600));
    let oldest = after_a_night.first().unwrap().at;
    assert!(START.plus_seconds(8 * 3600).micros_since(oldest) < 13 * TICK_SECONDS * 1_000_000);
    assert_eq!(schedule.due(), START.plus_seconds(8 * 3600 + TICK_SECONDS));
}

#[test]
fn incidents_happen_in_every_cycle_and_only_when_wanted() {
    let plan = plan();
    let played = play(&mut schedule(&plan, true), 0, 1_199);
    let halves = |played: &[Outgoing]| {
        played
            .iter()
            .filter(|o| matches!(o.via, Via::Device { .. }) && json(o).is_none())
            .count()
    };
    assert_eq!(halves(&played), 2, "malformed messages");
    let wild = |played: &[Outgoing]| {
        readings(played, "urn:ngsi-ld:WaterObserved:62213000", "waterLevel")
            .iter()
            .filter(|(_, m)| *m > 100.0)
            .count()
    };
    assert_eq!(wild(&played), 1, "one reading out of range");

    let outage: Vec<bool> = played
        .iter()
        .filter_map(json)
        .filter(|j| j["type"] == "TelecomBaseStation")
        .filter_map(|j| j["inService"]["value"].as_bool())
        .collect();
    assert!(outage.contains(&false) && outage.contains(&true));

    let silent = plan
        .devices()
        .iter()
        .position(|d| d.id == "urn:ngsi-ld:AirQualityObserved:04")
        .unwrap();
    let at = |wanted: &Via| played.iter().find(|o| &o.via == wanted).unwrap().at;
    let (gone, back) = (at(&Via::Break(silent)), at(&Via::Return(silent)));
    let speaks = |o: &&Outgoing| matches!(o.via, Via::Device { device, .. } if device == silent);
    assert!(
        played
            .iter()
            .filter(speaks)
            .all(|o| o.at < gone || o.at >= back),
        "silent in between"
    );
    assert!(
        played.iter().filter(speaks).any(|o| o.at >= back),
        "and heard again"
    );
    let scenes = played
        .iter()
        .filter(|o| matches!(o.via, Via::Say(_)))
        .count();
    assert_eq!(scenes, 4 + 2 + 1 + 2 + 2 + 2, "each is told");

    let calm = play(&mut schedule(&plan, false), 0, 1_199);
    assert_eq!((halves(&calm), wild(&calm)), (0, 0));
    assert!(!calm.iter().any(|o| matches!(o.via, Via::Break(_))));
}

/// What the charge points do, by device.
fn acts(played: &[Outgoing]) -> BTreeMap<usize, Vec<&Act>> {
    let mut acts = BTreeMap::<usize, Vec<&Act>>::new();
    for outgoing in played {
        if let Via::Station { device, act } = &outgoing.via {
            acts.entry(*device).or_default().push(act);
        }
    }
    acts
}

#[test]
fn cars_come_and_leave_one_after_the_other() {
    let played = play(&mut schedule(&plan(), true), 0, 1_439);
    let (mut begun, mut faults) = (0, 0);
    for (device, acts) in acts(&played) {
        let mut is_busy = false;
        for act in acts {
            match act {
                Act::Begin { card, watts } => {
                    assert!(!is_busy, "{device}");
                    assert!(card.starts_with("04DE3"), "{card}");
                    assert!((1..=7_000).contains(watts), "{watts} W");
                    is_busy = true;
                    begun += 1;
                }
                Act::End => {
                    assert!(is_busy, "{device}");
                    is_busy = false;
                }
                Act::Fault(_) => faults += 1,
                Act::Mend => faults -= 1,
                Act::Past { .. } => panic!("live"),
            }
        }
    }
    assert!((40..110).contains(&begun), "{begun}");
    assert_eq!(faults, 0, "what broke was mended");
}

#[test]
fn past_charges_lie_in_the_days_before_and_never_over_each_other() {
    let schedule = schedule(&plan(), true);
    let past = schedule.past_charges(7);
    let (mut count, mut faulty) = (0, 0);
    for acts in acts(&past).values() {
        let [Act::Past { charges, fault }] = acts.as_slice() else {
            panic!("{acts:?}");
        };
        let mut free_at = START.plus_seconds(-8 * 86_400);
        for charge in charges {
            assert!(free_at <= charge.from && charge.from < charge.to && charge.to < START);
            let watts = charge.wh as f64 * 3.6e9 / charge.to.micros_since(charge.from) as f64;
            assert!(watts < 7_000.0, "{watts} W");
            free_at = charge.to;
        }
        count += charges.len();
        faulty += usize::from(fault.is_some());
    }
    assert!((350..900).contains(&count), "{count}");
    assert_eq!(faulty, 1);
}

#[test]
fn meters_go_on_where_the_past_ends() {
    let mut schedule = schedule(&plan(), true);
    let registers = |played: &[Outgoing]| -> Vec<f64> {
        let entities = played.iter().filter_map(|o| match &o.via {
            Via::Entities(entities) => Some(entities),
            _ => None,
        });
        let of_one = entities
            .flatten()
            .filter(|e| e["id"] == "urn:ngsi-ld:PublicBuilding:B-01");
        of_one
            .map(|e| e["totalActiveEnergyImport"]["value"].as_f64().unwrap())
            .collect()
    };
    let past = schedule.past_energy();
    assert!(
        past.iter()
            .all(|o| o.at < START && o.at >= START.plus_seconds(-65 * 86_400))
    );
    let mut all = registers(&past);
    let days = all.len();
    assert_eq!(days, 50 + 15 * 24);
    all.extend(registers(&play(&mut schedule, 0, 600)));
    assert!(all.len() > days + 15);
    assert!(
        all.windows(2).all(|w| w[0] < w[1]),
        "a register never runs back"
    );
    let tests = past
        .iter()
        .filter(|o| matches!(&o.via, Via::Entities(e) if e[0]["type"] == "BackupPower"));
    assert_eq!(tests.count(), 3);
}

#[test]
fn history_ends_where_the_demo_begins_and_is_bounded() {
    let schedule = schedule(&plan(), true);
    let day = schedule.backfill(24);
    assert!(
        day.iter()
            .all(|o| o.at < START && o.at >= START.plus_seconds(-24 * 3600))
    );
    let stage = readings(&day, STATION, "waterLevel");
    assert_eq!(stage.len(), 288);
    assert!(
        stage.iter().all(|(_, m)| *m < 29.30),
        "no alert from the past"
    );
    let (last, first_live) = (stage.last().unwrap().1, 28.578 + 1.09375 * 0.2743);
    assert!(
        (last - first_live).abs() < 0.1,
        "no jump at the start: {last} then {first_live}"
    );
    assert_eq!(
        schedule.backfill(1_000).len(),
        schedule.backfill(Schedule::BACKFILL_HOURS_MAX).len()
    );
    assert!(schedule.backfill(48).len() < 5_000);
    assert!(schedule.backfill(0).is_empty());
}

#[test]
fn the_collector_s_lines_are_line_protocol() {
    let played = play(&mut schedule(&plan(), true), 0, 20);
    let lines: Vec<&String> = played
        .iter()
        .filter_map(|o| match &o.via {
            Via::Lines(text) => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].starts_with("DataCentre,id=01 itPower="),
        "{}",
        lines[0]
    );
    assert!(lines[0].ends_with(&format!(" {}\n", START.micros() * 1_000)));
    let pue: f64 = lines[0]
        .split("pue=")
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1.2..1.45).contains(&pue));
}

#[test]
fn a_faster_pace_is_the_same_story_in_less_time() {
    let plan = plan();
    let mut fast = Schedule::new(
        plan.clone(),
        START,
        Pace {
            speed: 600.0,
            incidents: false,
            ..Pace::default()
        },
    );
    let stage: Vec<f64> = (0..=600)
        .flat_map(|tenth| fast.next(START.plus_micros(tenth * 100_000)))
        .filter_map(|o| json(&o).filter(|j| j["id"] == STATION)?["waterLevel"]["value"].as_f64())
        .collect();
    let normal: Vec<f64> = readings(
        &play(&mut schedule(&plan, false), 0, 600),
        STATION,
        "waterLevel",
    )
    .iter()
    .map(|r| r.1)
    .collect();
    assert_eq!(stage, normal);
}
