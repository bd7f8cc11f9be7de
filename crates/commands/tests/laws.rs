//! Laws of commands: which step leads where, what may be asked, what refuses.

use commands::{Channels, Outcome, Reading, State, Step, asked, channels, is_another, judge};
use model::{
    CommandAct, CommandApproval, CommandKind, CommandValue, CommandWord, Interlock, Meaning,
    NumberOf, Quality, Timestamp, Value,
};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

fn kind(value: CommandValue) -> CommandKind {
    CommandKind {
        title_zh: "开度".into(),
        title_en: "Opening".into(),
        act: CommandAct::Gates,
        value,
        unit: Some("MTR".into()),
        min: Some(NumberOf::Number(0.0)),
        max: Some(NumberOf::Attribute("height".into())),
        step: Some(0.01),
        words: Vec::new(),
        approval: CommandApproval::SecondPerson,
        expires_seconds: 900,
        device: None,
        channel: None,
        channels: NumberOf::Attribute("gates".into()),
        fresh_seconds: BTreeMap::from([("stage".into(), 3_600)]),
        interlocks: vec![
            Interlock {
                text_zh: "故障".into(),
                text_en: "Fault".into(),
                refuse_when: "state == 'fault'".into(),
                applies_when: None,
            },
            Interlock {
                text_zh: "水位高".into(),
                text_en: "High".into(),
                refuse_when: "stage >= limit".into(),
                applies_when: Some("value > 0.0".into()),
            },
        ],
    }
}

const NOW: i64 = 1_800_000_000;

fn known(name: &str) -> Option<Reading> {
    let (value, age_s) = match name {
        "state" => (Value::Text("closed".into()), 10 * 86_400),
        "stage" => (Value::Number(28.0), 600),
        // A fact, entered once.
        "limit" => (Value::Number(29.0), 400 * 86_400),
        _ => return None,
    };
    Some(Reading {
        value,
        observed_at: Timestamp::from_seconds(NOW - age_s),
        quality: Quality::Good,
    })
}

fn outcomes(asked: f64, reading: &dyn Fn(&str) -> Option<Reading>) -> Vec<Outcome> {
    let (at, zone) = (Timestamp::from_seconds(NOW), jiff::tz::TimeZone::UTC);
    let kind = kind(CommandValue::Number);
    let verdicts = judge(&kind, &Value::Number(asked), reading, at, &zone);
    for (n, verdict) in verdicts.iter().enumerate() {
        assert_eq!(verdict.index, n);
        assert!(!verdict.text.zh.is_empty() && !verdict.text.en.is_empty());
    }
    verdicts.into_iter().map(|v| v.outcome).collect()
}

/// What is known, with one attribute otherwise.
fn but(name: &'static str, change: fn(&mut Reading)) -> impl Fn(&str) -> Option<Reading> {
    move |asked: &str| {
        let mut reading = known(asked)?;
        if asked == name {
            change(&mut reading);
        }
        Some(reading)
    }
}

#[test]
fn each_interlock_refuses_and_what_is_not_known_refuses_too() {
    use Outcome::{Doubtful, Free, Idle, Missing, Refuses, Stale, Uncomputable};
    assert_eq!(outcomes(1.0, &known), [Free, Free]);
    let fault = but("state", |r| r.value = Value::Text("fault".into()));
    assert_eq!(outcomes(1.0, &fault), [Refuses, Free]);
    let high = but("stage", |r| r.value = Value::Number(29.0));
    assert_eq!(outcomes(1.0, &high), [Free, Refuses]);
    // Closing is let go, whatever the water does or is not known to do.
    assert_eq!(outcomes(0.0, &high), [Free, Idle]);
    let nothing = |name: &str| known(name).filter(|_| name == "state");
    assert_eq!(outcomes(0.0, &nothing), [Free, Idle]);
    assert_eq!(outcomes(1.0, &nothing), [Free, Missing]);
    let old = but("stage", |r| {
        r.observed_at = Timestamp::from_seconds(NOW - 3_601);
    });
    assert_eq!(outcomes(1.0, &old), [Free, Stale]);
    let ahead = but("stage", |r| {
        r.observed_at = Timestamp::from_seconds(NOW + 3_601);
    });
    assert_eq!(outcomes(1.0, &ahead), [Free, Stale]);
    for quality in [Quality::Uncertain, Quality::OutOfRange] {
        let doubtful = move |name: &str| known(name).map(|reading| Reading { quality, ..reading });
        assert_eq!(outcomes(1.0, &doubtful), [Doubtful, Doubtful]);
    }
    let wrong = but("stage", |r| r.value = Value::Text("high".into()));
    assert_eq!(outcomes(1.0, &wrong), [Free, Uncomputable]);
    for outcome in [Refuses, Missing, Stale, Doubtful, Uncomputable] {
        assert!(!outcome.lets_go());
    }
}

fn numbers(name: &str) -> Option<f64> {
    match name {
        "height" => Some(3.0),
        "gates" => Some(5.0),
        "number" => Some(2.0),
        "half" => Some(1.5),
        _ => None,
    }
}

#[test]
fn what_is_asked_is_of_its_kind_and_within_its_bounds() {
    let opening = kind(CommandValue::Number);
    assert_eq!(asked::bounds(&opening, &numbers), (Some(0.0), Some(3.0)));
    for good in [json!(0), json!(0.3), json!(2.99), json!(3.0)] {
        let asked = asked::check(&opening, &good, &numbers).unwrap();
        assert_eq!(asked.means, Meaning::Number(good.as_f64().unwrap()));
    }
    let refused =
        |kind: &CommandKind, value| asked::check(kind, &value, &numbers).unwrap_err().code;
    for (value, code) in [
        (json!(-0.01), "command-range"),
        (json!(3.01), "command-range"),
        (json!(0.305), "command-range"),
        (json!("1"), "command-value"),
        (json!(null), "command-value"),
        (json!(true), "command-value"),
    ] {
        assert_eq!(refused(&opening, value.clone()), code, "{value}");
    }
    // A bound that nobody entered bounds nothing: it is not let go.
    let nobody = asked::check(&opening, &json!(1.0), &|_| None).unwrap_err();
    assert_eq!(nobody.code, "command-bound-unknown");
    assert!(nobody.what_zh.contains("height") && nobody.what_en.contains("height"));
    let switch = kind(CommandValue::Boolean);
    let on = asked::check(&switch, &json!(true), &numbers).unwrap();
    assert_eq!(on.means, Meaning::Boolean(true));
    assert_eq!(refused(&switch, json!(1)), "command-value");
    let mut words = kind(CommandValue::Word);
    words.words = vec![CommandWord {
        value: "half".into(),
        title_zh: "半开".into(),
        title_en: "Half".into(),
        means: Meaning::Number(1.5),
    }];
    let half = asked::check(&words, &json!("half"), &numbers).unwrap();
    assert_eq!(
        (half.value, half.means),
        (Value::Text("half".into()), Meaning::Number(1.5))
    );
    assert_eq!(refused(&words, json!("full")), "command-value");
}

#[test]
fn a_channel_is_one_that_the_device_has() {
    let mut one = kind(CommandValue::Number);
    let all = channels(&one, &numbers).unwrap();
    assert_eq!((all.count, all.one), (5, None));
    one.channel = Some(NumberOf::Attribute("number".into()));
    let second = channels(&one, &numbers).unwrap();
    assert_eq!(
        second,
        Channels {
            count: 5,
            one: Some(2)
        }
    );
    for (count, channel) in [("height", "gates"), ("gates", "half"), ("nobody", "number")] {
        one.channels = NumberOf::Attribute(count.into());
        one.channel = Some(NumberOf::Attribute(channel.into()));
        let refused = channels(&one, &numbers).unwrap_err();
        assert_eq!(refused.code, "command-channel", "{count} {channel}");
    }
}

#[test]
fn the_asker_is_no_second_person_and_neither_is_a_machine() {
    assert!(is_another(Some(1), Some(2)));
    for (asker, other) in [
        (Some(1), Some(1)),
        (Some(1), None),
        (None, Some(2)),
        (None, None),
    ] {
        assert!(!is_another(asker, other), "{asker:?} {other:?}");
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    prop::sample::select(Step::ALL.to_vec())
}

proptest! {
    /// Whatever happens in whatever order: it is sent once at most, never without the second person, and what has ended stays so.
    #[test]
    fn a_command_is_sent_once_and_only_when_agreed(steps in prop::collection::vec(any_step(), 0..40), alone in any::<bool>()) {
        let approval = if alone { CommandApproval::None } else { CommandApproval::SecondPerson };
        let (mut state, mut approved, mut sent) = (State::Asked, false, 0);
        for step in steps {
            let Some(next) = state.after(step, approval) else { continue };
            prop_assert!(!state.is_final());
            match step {
                Step::Approve => approved = true,
                Step::Send => {
                    sent += 1;
                    prop_assert!(alone || approved);
                }
                Step::Answer => prop_assert_eq!(sent, 1),
                _ => {}
            }
            state = next;
        }
        prop_assert!(sent <= 1);
        prop_assert!(state != State::Done || sent == 1);
        if matches!(state, State::Refused | State::Expired | State::Withdrawn) {
            prop_assert_eq!(sent, 0);
        }
        prop_assert_eq!(State::from_word(state.as_str()), Some(state));
    }
}
