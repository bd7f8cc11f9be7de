//! Laws of the engine: a checkpoint anywhere changes nothing, when and how often time is told changes
//! nothing, an alert is raised and cleared in turn.

use crate::common::*;
use model::{Quality, Timestamp, Update, Value};
use proptest::prelude::*;
use rules::{RuleEvent, State};
use std::collections::{HashMap, HashSet};

const RULES: [&str; 4] = [WARNING, SILENCE, RANGE, OUTAGE];

#[derive(Clone, Debug)]
struct Step {
    gap_seconds: i64,
    ticks: u8,
    update: Update,
}

fn quality() -> impl Strategy<Value = Quality> {
    prop_oneof![
        6 => Just(Quality::Good),
        1 => Just(Quality::Uncertain),
        2 => Just(Quality::OutOfRange),
        1 => Just(Quality::Simulated),
    ]
}

fn change() -> impl Strategy<Value = (&'static str, &'static str, Value)> {
    prop_oneof![
        6 => (28.0..31.0).prop_map(|v| ("WaterObserved", "waterLevel", Value::Number(v))),
        1 => (28.5..30.0).prop_map(|v| ("WaterObserved", "warningLevel", Value::Number(v))),
        1 => Just(("WaterObserved", "waterLevel", Value::Deleted)),
        1 => Just(("WaterObserved", "waterLevel", Value::Text("?".into()))),
        2 => any::<bool>().prop_map(|v| ("Device", "online", Value::Boolean(v))),
        1 => Just(("Streetlight", "online", Value::Boolean(true))),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0..200_i64,
        0..3_u8,
        -30..15_i64,
        0..3_u8,
        change(),
        quality(),
    );
    proptest::collection::vec(step, 0..120).prop_map(|raw| {
        let mut now = 1_000;
        raw.into_iter()
            .map(
                |(gap_seconds, ticks, lag, entity, (kind, name, value), quality)| {
                    now += gap_seconds;
                    // Limits are stated far before and after the readings that they apply to.
                    let lag = if name == "warningLevel" {
                        lag * 20
                    } else {
                        lag
                    };
                    let mut update = at(
                        update(&entity.to_string(), kind, &[(name, value)]),
                        now + lag,
                    );
                    update.attributes[0].quality = quality;
                    Step {
                        gap_seconds,
                        ticks,
                        update,
                    }
                },
            )
            .collect()
    })
}

/// Runs the steps, with or without the ticks between them, through a checkpoint before step `cut`.
fn run(steps: &[Step], with_ticks: bool, cut: Option<usize>) -> (Vec<RuleEvent>, State) {
    let mut engine = engine(&RULES);
    let mut events = Vec::new();
    let mut now = 1_000;
    for (n, step) in steps.iter().enumerate() {
        if cut == Some(n) {
            let bytes = postcard::to_allocvec(&engine.state()).unwrap();
            engine = crate::common::engine(&RULES);
            events.extend(engine.restore(postcard::from_bytes(&bytes).unwrap()));
        }
        if with_ticks {
            for part in 1..=i64::from(step.ticks) {
                events.extend(engine.tick(seconds(
                    now + step.gap_seconds * part / i64::from(step.ticks),
                )));
            }
        }
        now += step.gap_seconds;
        events.extend(engine.observe(n as u64, &step.update, seconds(now)));
    }
    events.extend(engine.tick(seconds(now + 5_000)));
    (events, engine.state())
}

/// `WARNING` without durations and margin: the alert is up exactly while the value is above the limit.
fn plain() -> String {
    WARNING
        .replace("for_seconds = 60\n", "")
        .replace("clear = { margin = 0.05, for_seconds = 30 }\n", "")
}

proptest! {
    #[test]
    fn a_message_of_many_updates_is_as_many_messages_of_one(steps in steps()) {
        let (mut whole, mut apart) = (engine(&RULES), engine(&RULES));
        let mut now = 1_000;
        for (n, some) in steps.chunks(40).enumerate() {
            now += some.iter().map(|step| step.gap_seconds).sum::<i64>();
            let updates: Vec<Update> = some.iter().map(|step| step.update.clone()).collect();
            let one_by_one: Vec<RuleEvent> = (updates.iter())
                .flat_map(|update| apart.observe(n as u64, update, seconds(now)))
                .collect();
            prop_assert_eq!(whole.observe_all(n as u64, &updates, seconds(now)), one_by_one);
        }
        prop_assert_eq!(whole.state(), apart.state());
    }

    #[test]
    fn the_newest_reading_is_judged_by_the_newest_limit_that_is_known(steps in steps()) {
        let mut engine = engine(&[&plain()]);
        // Per entity: the newest reading and the newest limit, each with its time.
        let mut known: HashMap<_, [Option<(Timestamp, Value)>; 2]> = HashMap::new();
        let mut now = 1_000;
        for (n, step) in steps.iter().enumerate() {
            now += step.gap_seconds;
            engine.observe(n as u64, &step.update, seconds(now));
            let said = &step.update.attributes[0];
            if step.update.entity_type.as_str() == "WaterObserved" {
                let known = known.entry(step.update.entity_id.clone()).or_default();
                // Words cannot be compared with a limit, once there is one.
                let is_odd = matches!(said.value, Value::Text(_)) && known[1].is_some();
                if is_odd || !said.quality.is_usable() && said.value != Value::Deleted {
                    continue;
                }
                let newest = &mut known[usize::from(said.name.as_str() == "warningLevel")];
                if newest.as_ref().is_none_or(|(at, _)| *at <= said.observed_at) {
                    *newest = Some((said.observed_at, said.value.clone()));
                }
            }
            let up: HashSet<_> = engine.active().map(|(_, entity, _)| entity.clone()).collect();
            for (entity, known) in &known {
                let above = match known {
                    [Some((_, Value::Number(value))), Some((_, Value::Number(limit)))] => value >= limit,
                    _ => false,
                };
                prop_assert_eq!(up.contains(entity), above, "{} after step {}: {:?}", entity, n, known);
            }
        }
    }

    #[test]
    fn state_and_tail_equal_replay_from_zero(steps in steps(), cut in 0..120_usize) {
        prop_assert_eq!(run(&steps, false, Some(cut)), run(&steps, false, None));
    }

    #[test]
    fn ticks_change_nothing(steps in steps(), cut in 0..120_usize) {
        prop_assert_eq!(run(&steps, true, Some(cut)), run(&steps, false, None));
    }

    #[test]
    fn raised_and_cleared_in_turn(steps in steps()) {
        let mut up = HashSet::new();
        let (events, state) = run(&steps, true, None);
        for event in &events {
            let key = (event.rule_id().to_owned(), event.entity_id().clone());
            match event {
                RuleEvent::Raised(_) => prop_assert!(up.insert(key), "{event:?}"),
                RuleEvent::Cleared(_) => prop_assert!(up.remove(&key), "{event:?}"),
                RuleEvent::Failed(_) => {}
            }
        }
        let raised = state.entities.iter().flat_map(|e| &e.runs).filter(|r| r.run.raised).count();
        prop_assert_eq!(up.len(), raised);
    }
}

#[test]
fn the_laws_are_tried_on_alerts() {
    // Guards the laws above against a generator that never raises anything.
    let steps: Vec<Step> = (0..60)
        .map(|n| Step {
            gap_seconds: 40,
            ticks: 1,
            update: at(
                update(
                    "1",
                    "WaterObserved",
                    &[
                        ("warningLevel", Value::Number(29.0)),
                        (
                            "waterLevel",
                            Value::Number(if n % 20 < 10 { 30.0 } else { 28.0 }),
                        ),
                    ],
                ),
                1_000 + 40 * (n + 1),
            ),
        })
        .collect();
    let (events, _) = run(&steps, true, Some(30));
    assert_eq!(
        events
            .iter()
            .filter(|e| matches!(e, RuleEvent::Raised(_)))
            .count(),
        3
    );
}
