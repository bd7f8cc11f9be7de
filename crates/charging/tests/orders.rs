//! Laws: in whatever order and however often events are told, the session and its bill are the same; whatever is told, nothing breaks,
//! lines add up, and the split loses no watt-hour.

use crate::common::{at, days, key, tariff};
use charging::bill::Basis;
use charging::{Event, EventKind, Fen, Limits, LineKind, Sessions, Wh, bill};
use proptest::prelude::*;

const TARIFFS: [&str; 5] = ["hubei-station", "hubei-home", "kinds", "at-start", "small"];

fn any_kind() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        2 => Just(EventKind::Started),
        6 => Just(EventKind::Reading),
        2 => Just(EventKind::Ended),
        1 => Just(EventKind::Arrived),
        1 => Just(EventKind::Full),
        1 => Just(EventKind::Left),
    ]
}

/// Anything at all, much of it wrong.
fn any_event() -> impl Strategy<Value = Event> {
    let time = prop_oneof![8 => (0..200_000_i64).prop_map(Some), 1 => Just(None), 1 => any::<i32>().prop_map(|n| Some(i64::from(n) * 1_000))];
    let register = prop_oneof![8 => (0..90_000_i64).prop_map(Some), 1 => Just(None), 1 => any::<i64>().prop_map(Some)];
    (
        any_kind(),
        time,
        register,
        1..3_u32,
        0..3_u8,
        0..400_000_i64,
    )
        .prop_map(
            |(kind, time, register, connector, transaction, received)| Event {
                key: key(&transaction.to_string()),
                connector,
                kind,
                at: time.map(|seconds| at("2026-04-30T00:00:00").plus_seconds(seconds)),
                register: register.map(Wh),
                card: None,
                received: at("2026-04-30T00:00:00").plus_seconds(received),
            },
        )
}

/// A good charge: its events in order.
fn good_charge() -> impl Strategy<Value = Vec<Event>> {
    let step = (1..7_200_i64, 0..100_000_i64);
    (
        0..200 * 86_400_i64,
        0..1_000_000_i64,
        proptest::collection::vec(step, 1..20),
        0..90_000_i64,
    )
        .prop_map(|(begin, register, steps, stood)| {
            let begin = at("2026-02-20T00:00:00").plus_seconds(begin);
            let told = |kind, seconds, register: Option<i64>| Event {
                key: key("T1"),
                connector: 1,
                kind,
                at: Some(begin.plus_seconds(seconds)),
                register: register.map(Wh),
                card: None,
                received: begin.plus_seconds(seconds + 3),
            };
            let (mut seconds, mut register) = (0, register);
            let mut events = vec![
                told(EventKind::Arrived, -60, None),
                told(EventKind::Started, 0, Some(register)),
            ];
            for (n, (passed, grown)) in steps.iter().enumerate() {
                seconds += passed;
                // At most 300 kW.
                register += grown.min(&(passed * 300 / 4));
                let kind = if n + 1 == steps.len() {
                    EventKind::Ended
                } else {
                    EventKind::Reading
                };
                events.push(told(kind, seconds, Some(register)));
            }
            events.push(told(EventKind::Left, seconds + stood, None));
            events
        })
}

fn fold(events: &[Event]) -> Sessions {
    let mut sessions = Sessions::default();
    for event in events {
        // What is refused is in no session, whenever it comes.
        let _ = sessions.add(event, &Limits::default());
    }
    sessions
}

/// The events in another order, some of them several times and later.
fn retold(events: Vec<Event>) -> impl Strategy<Value = (Vec<Event>, Vec<Event>)> {
    let again = proptest::sample::subsequence(events.clone(), 0..=events.len());
    let all = again.prop_flat_map({
        let events = events.clone();
        move |again| {
            let late = again.into_iter().map(|mut event| {
                event.received = event.received.plus_seconds(86_400);
                event
            });
            Just(events.iter().cloned().chain(late).collect::<Vec<_>>()).prop_shuffle()
        }
    });
    (Just(events), all)
}

proptest! {
    #[test]
    fn order_and_repetition_change_no_session(
        (events, retold) in proptest::collection::vec(any_event(), 0..40).prop_flat_map(retold)
    ) {
        let limits = Limits::default();
        let (one, other) = (fold(&events).all(&limits), fold(&retold).all(&limits));
        prop_assert_eq!(&one, &other);
        let days = days();
        for session in &one {
            for name in TARIFFS {
                if let Some(bill) = bill(session, &tariff(name), &days) {
                    prop_assert_eq!(bill.total, bill.lines.iter().map(|line| line.amount).sum::<Fen>());
                    prop_assert!(bill.lines.iter().all(|line| line.amount >= Fen::ZERO && line.from <= line.until));
                    prop_assert_eq!(bill.due().is_none(), !bill.doubts.is_empty());
                }
            }
        }
    }

    #[test]
    fn a_good_charge_is_billed_once_to_the_watt_hour(
        (events, retold) in good_charge().prop_flat_map(retold), name in proptest::sample::select(&TARIFFS[..])
    ) {
        let limits = Limits::default();
        let (days, tariff) = (days(), tariff(name));
        let sessions = fold(&retold).all(&limits);
        prop_assert_eq!(sessions.len(), 1);
        let billed = bill(&sessions[0], &tariff, &days).unwrap();
        prop_assert!(billed.due().is_some(), "{:?}", billed.doubts);
        prop_assert_eq!(&billed, &bill(&fold(&events).all(&limits)[0], &tariff, &days).unwrap());
        let registers = || events.iter().filter_map(|event| event.register);
        let energy = Wh(registers().max().unwrap().0 - registers().min().unwrap().0);
        prop_assert_eq!(billed.energy, energy);
        let split: i64 = billed.lines.iter().filter(|line| line.kind == LineKind::Energy).map(|line| match line.basis {
            Basis::Energy { energy, .. } => energy.0,
            Basis::Time { .. } => 0,
        }).sum();
        prop_assert_eq!(Wh(split), energy);
    }

    #[test]
    fn half_told_sessions_are_kept_and_gone_on_with(
        events in proptest::collection::vec(any_event(), 0..40), cut in 0..40_usize
    ) {
        let cut = cut.min(events.len());
        let text = serde_json::to_string(&fold(&events[..cut])).unwrap();
        let mut resumed: Sessions = serde_json::from_str(&text).unwrap();
        for event in &events[cut..] {
            let _ = resumed.add(event, &Limits::default());
        }
        prop_assert_eq!(resumed, fold(&events));
    }
}
