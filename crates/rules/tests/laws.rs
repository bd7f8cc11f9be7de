//! Laws of the engine: a checkpoint anywhere changes nothing, when and how often time is told changes
//! nothing, an alert is raised and cleared in turn.

mod common;
use common::*;
use model::{Quality, Update, Value};
use proptest::prelude::*;
use rules::{RuleEvent, State};

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
        -30..5_i64,
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
            engine = common::engine(&RULES);
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

proptest! {
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
        let mut up = std::collections::HashSet::new();
        let (events, state) = run(&steps, true, None);
        for event in &events {
            let key = (event.rule_id().to_owned(), event.entity_id().clone());
            match event {
                RuleEvent::Raised(_) => prop_assert!(up.insert(key), "{event:?}"),
                RuleEvent::Cleared(_) => prop_assert!(up.remove(&key), "{event:?}"),
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
