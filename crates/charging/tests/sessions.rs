//! Each kind of bad input to a session: what it is called, and what the session says all the same.

use crate::common::{at, days, event, key, plain, session};
use charging::event::REGISTER_MAX;
use charging::session::mark_overlaps;
use charging::{Days, Doubt, DoubtKind, Event, EventKind, Limits, Sessions, Wh};
use jiff::tz::TimeZone;
use model::Timestamp;
use model::calendar::WorkingCalendar;

use EventKind::{Ended, Full, Reading, Started};

fn kinds(events: &[Event]) -> Vec<DoubtKind> {
    session(events)
        .doubts
        .iter()
        .map(|doubt| doubt.kind)
        .collect()
}

fn with(extra: &[Event]) -> Vec<Event> {
    [plain(), extra.to_vec()].concat()
}

#[test]
fn a_plain_charge_has_no_doubts_however_often_it_is_told() {
    let once = session(&plain());
    assert_eq!(
        (once.energy(), once.doubts.len(), once.readings.len()),
        (Some(Wh(22_000)), 0, 3)
    );
    let mut again = plain();
    again.reverse();
    for event in &mut again {
        event.received = at("2026-03-20T00:00:00");
    }
    assert_eq!(session(&with(&again)), once);
}

#[test]
fn a_doubt_says_its_time_by_the_citys_clock() {
    let kind = DoubtKind::Backwards;
    let of = |micros| Doubt {
        kind,
        at: Some(Timestamp::from_micros(micros)),
    };
    // 2026-11-29T01:18:18.863416Z.
    let told = of(1_795_915_098_863_416).told(&days());
    assert_eq!(
        (told.zh.as_str(), told.en.as_str()),
        (
            "电表倒走（2026-11-29 09:18:18 UTC+8）",
            "the register goes back (at 2026-11-29 09:18:18 UTC+8)"
        )
    );
    let untimed = Doubt { kind, at: None }.told(&days());
    assert_eq!(
        (untimed.zh.as_str(), untimed.en.as_str()),
        ("电表倒走", "the register goes back")
    );
    // A time that no calendar has is said as it is kept.
    assert!(
        of(i64::MAX)
            .told(&days())
            .en
            .contains(&Timestamp::from_micros(i64::MAX).to_string())
    );
}

#[test]
fn a_moment_is_said_with_how_far_its_clock_is_from_utc() {
    let said = |zone: &str| {
        let zone = TimeZone::get(zone).unwrap();
        let written = toml::from_str(include_str!(
            "../../../cities/tianmen/calendars/working-hours.toml"
        ));
        let calendar = WorkingCalendar::new("w", written.unwrap(), zone, "calendar").unwrap();
        Days::new(&calendar).said(Timestamp::from_seconds(1_795_915_098))
    };
    assert_eq!(said("Asia/Shanghai"), "2026-11-29 09:18:18 UTC+8");
    assert_eq!(said("Asia/Kolkata"), "2026-11-29 06:48:18 UTC+5:30");
    assert_eq!(said("America/St_Johns"), "2026-11-28 21:48:18 UTC-3:30");
    assert_eq!(said("UTC"), "2026-11-29 01:18:18 UTC");
}

#[test]
fn doubts_have_names() {
    let reading =
        |time: &str, register| event(Reading, &format!("2026-03-10T{time}"), Some(register));
    let cases: Vec<(&str, Vec<Event>, DoubtKind)> = vec![
        (
            "stop without start",
            plain()[1..].to_vec(),
            DoubtKind::NoStart,
        ),
        (
            "start again, other register",
            with(&[event(Started, "2026-03-10T15:00:00", Some(1_001))]),
            DoubtKind::StartTwice,
        ),
        (
            "start again, other time",
            with(&[event(Started, "2026-03-10T15:30:00", Some(1_000))]),
            DoubtKind::StartTwice,
        ),
        (
            "end again",
            with(&[event(Ended, "2026-03-10T17:30:00", Some(24_000))]),
            DoubtKind::EndTwice,
        ),
        (
            "goes back",
            with(&[reading("16:30:00", 11_999)]),
            DoubtKind::Backwards,
        ),
        (
            "jumps",
            with(&[reading("15:00:01", 1_900)])
                .into_iter()
                .chain([reading("15:00:02", 1_000_000)])
                .collect(),
            DoubtKind::Jump,
        ),
        (
            "two values",
            with(&[reading("16:00:00", 12_001)]),
            DoubtKind::TwoValues,
        ),
        (
            "untimed and too high",
            with(&[event(Reading, "", Some(99_000))]),
            DoubtKind::Untimed,
        ),
        (
            "before the start",
            with(&[reading("14:00:00", 900)]),
            DoubtKind::Outside,
        ),
        (
            "after the end",
            with(&[reading("18:00:00", 24_000)]),
            DoubtKind::Outside,
        ),
        (
            "start without a time",
            vec![event(Started, "", Some(1)), plain().remove(2)],
            DoubtKind::NoTime,
        ),
        (
            "no register",
            vec![
                event(Started, "2026-03-10T15:00:00", None),
                event(Ended, "2026-03-10T17:00:00", None),
            ],
            DoubtKind::NoRegister,
        ),
        (
            "register far from the end",
            vec![plain().remove(0), event(Ended, "2026-03-10T17:00:00", None)],
            DoubtKind::EdgeFar,
        ),
        (
            "clock of 1970",
            vec![
                event(Started, "1970-01-01T08:00:00", Some(1)),
                plain().remove(2),
            ],
            DoubtKind::Clock,
        ),
        (
            "end before start",
            vec![
                plain().remove(0),
                event(Ended, "2026-03-10T14:00:00", Some(1_000)),
            ],
            DoubtKind::EndBeforeStart,
        ),
        (
            "eight days",
            vec![
                plain().remove(0),
                event(Ended, "2026-03-18T17:00:00", Some(1_001)),
            ],
            DoubtKind::TooLong,
        ),
        (
            "2.1 MWh",
            vec![
                plain().remove(0),
                event(Ended, "2026-03-10T23:00:00", Some(2_101_000)),
            ],
            DoubtKind::TooMuch,
        ),
    ];
    for (what, events, kind) in cases {
        let found = kinds(&events);
        assert!(found.contains(&kind), "{what}: {found:?}");
        let told = session(&events)
            .doubts
            .iter()
            .map(|doubt| doubt.told(&days()))
            .collect::<Vec<_>>();
        assert!(
            told.iter()
                .all(|both| !both.zh.is_empty() && both.zh != both.en)
        );
    }
    let mut other = plain();
    other[1].connector = 2;
    assert_eq!(kinds(&other), [DoubtKind::Connectors]);
    let mut cards = plain();
    cards[0].card = Some("A".to_owned());
    cards.push(Event {
        card: Some("B".to_owned()),
        ..cards[0].clone()
    });
    assert_eq!(kinds(&cards), [DoubtKind::Cards]);
    let mut ahead = plain();
    ahead[2].received = at("2026-03-10T16:57:00");
    assert_eq!(kinds(&ahead), [DoubtKind::ClockAhead]);
}

#[test]
fn what_says_nothing_else_is_no_doubt() {
    let same_before = event(Reading, "2026-03-10T14:59:00", Some(1_000));
    let same_after = event(Reading, "2026-03-10T17:00:30", Some(23_000));
    let untimed = event(Reading, "", Some(12_345));
    let bare = event(Ended, "2026-03-10T17:00:00", None);
    let one = session(&with(&[same_before, same_after, untimed, bare]));
    assert_eq!((one.doubts.len(), one.energy()), (0, Some(Wh(22_000))));
    let near = session(&[
        event(Started, "2026-03-10T15:00:00", None),
        event(Reading, "2026-03-10T15:10:00", Some(500)),
        event(Reading, "2026-03-10T16:55:00", Some(20_500)),
        event(Ended, "2026-03-10T17:00:00", None),
    ]);
    assert_eq!((near.doubts.len(), near.energy()), (0, Some(Wh(20_000))));
}

#[test]
fn an_event_that_does_not_say_its_connector_contradicts_none() {
    let mut unsaid = plain();
    unsaid[2].connector = 0;
    let one = session(&unsaid);
    assert_eq!((one.doubts.len(), one.connector), (0, 1));
    for event in &mut unsaid {
        event.connector = 0;
    }
    let none = session(&unsaid);
    assert_eq!((none.doubts.len(), none.connector), (0, 0));
}

#[test]
fn full_counts_only_when_nothing_was_charged_after_it() {
    let full = |time: &str| event(Full, &format!("2026-03-10T{time}"), None);
    assert_eq!(
        session(&with(&[full("16:30:00")])).full,
        Some(at("2026-03-10T17:00:00")),
        "it took more until the end"
    );
    assert_eq!(session(&with(&[full("17:00:01")])).full, None);
    assert_eq!(
        session(&with(&[full("17:00:00")])).full,
        Some(at("2026-03-10T17:00:00"))
    );
    let stands = with(&[
        event(Reading, "2026-03-10T16:40:00", Some(23_000)),
        full("16:40:00"),
        full("16:20:00"),
    ]);
    assert_eq!(session(&stands).full, Some(at("2026-03-10T16:40:00")));
}

#[test]
fn what_names_nothing_is_in_no_session() {
    let mut sessions = Sessions::default();
    let limits = Limits::default();
    let good = plain().remove(0);
    let nameless = Event {
        key: key(""),
        ..good.clone()
    };
    let long = Event {
        card: Some("x".repeat(129)),
        ..good.clone()
    };
    let control = Event {
        key: key("a\nb"),
        ..good.clone()
    };
    for bad in [nameless, long, control] {
        assert_eq!(
            sessions.add(&bad, &limits).unwrap_err().code,
            "charging-name"
        );
    }
    let negative = Event {
        register: Some(Wh(-1)),
        ..good.clone()
    };
    let huge = Event {
        register: Some(Wh(REGISTER_MAX.0 + 1)),
        ..good.clone()
    };
    let late = Event {
        at: Some(charging::event::TIMES[1].plus_seconds(1)),
        ..good.clone()
    };
    assert_eq!(
        sessions.add(&late, &limits).unwrap_err().code,
        "charging-time"
    );
    let none = Event {
        kind: Reading,
        register: None,
        ..good
    };
    for bad in [negative, huge, none] {
        assert_eq!(
            sessions.add(&bad, &limits).unwrap_err().code,
            "charging-register"
        );
    }
    assert!(sessions.is_empty());
}

#[test]
fn a_flood_is_held_and_bounded() {
    let limits = Limits {
        readings_max: 2,
        marks_max: 2,
        ..Limits::default()
    };
    let mut sessions = Sessions::default();
    let many = (0..50).map(|n| {
        event(
            Reading,
            &format!("2026-03-10T16:10:{n:02}"),
            Some(12_000 + n),
        )
    });
    for event in plain().iter().cloned().chain(many) {
        sessions.add(&event, &limits).unwrap();
    }
    let one = sessions.get(&key("T1"), &limits).unwrap();
    assert_eq!(one.readings.len(), 4);
    assert_eq!(
        one.doubts
            .iter()
            .map(|doubt| doubt.kind)
            .collect::<Vec<_>>(),
        [DoubtKind::Flooded]
    );
}

#[test]
fn one_charge_under_two_transaction_ids_is_held() {
    let mut sessions = Sessions::default();
    let limits = Limits::default();
    let told = |transaction: &str, connector, from: &str, until: &str| {
        [(Started, from, 1_000), (Ended, until, 23_000)].map(|(kind, time, register)| Event {
            key: key(transaction),
            connector,
            ..event(kind, &format!("2026-03-10T{time}"), Some(register))
        })
    };
    let all = [
        told("T1", 1, "15:00:00", "17:00:00"),
        told("T2", 1, "15:00:00", "17:00:00"),
        told("T3", 1, "17:00:00", "18:00:00"),
        told("T4", 2, "15:00:00", "17:00:00"),
        told("T5", 1, "19:00:00", "22:00:00"),
        told("T6", 1, "20:00:00", "20:30:00"),
        told("T7", 1, "21:00:00", "21:30:00"),
    ];
    for event in all.iter().flatten() {
        sessions.add(event, &limits).unwrap();
    }
    let held: Vec<String> = sessions
        .all(&limits)
        .into_iter()
        .filter(|session| {
            session
                .doubts
                .iter()
                .any(|doubt| doubt.kind == DoubtKind::Overlap)
        })
        .map(|session| session.key.transaction)
        .collect();
    assert_eq!(held, ["T1", "T2", "T5", "T6", "T7"]);
    assert_eq!(sessions.at_station("S1", &limits), sessions.all(&limits));
    assert_eq!(sessions.at_station("S", &limits), []);
    mark_overlaps(&mut []);
    assert!(sessions.forget(&key("T1")) && !sessions.forget(&key("T1")));
    assert_eq!(sessions.len(), 6);
}

#[test]
fn keys_that_differ_look_different() {
    let key = |station: &str, transaction: &str| charging::SessionKey {
        station: station.to_owned(),
        transaction: transaction.to_owned(),
    };
    assert_ne!(key("a/b", "c").to_string(), key("a", "b/c").to_string());
    assert_ne!(key("a%2Fb", "c").to_string(), key("a/b", "c").to_string());
}

#[test]
fn a_charge_whose_end_was_lost_is_found() {
    let open = session(&plain()[..2]);
    let limits = Limits::default();
    assert!(!open.is_forgotten(at("2026-03-11T00:00:00"), &limits));
    assert!(open.is_forgotten(at("2026-03-17T16:00:01"), &limits));
    assert!(!session(&plain()).is_forgotten(at("2027-01-01T00:00:00"), &limits));
}
