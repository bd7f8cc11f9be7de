//! What the tests share: the city's calendar, the example tariffs, events in local time.

use charging::written::Written;
use charging::{Days, Event, EventKind, Limits, Session, SessionKey, Sessions, Tariff, Wh};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::Timestamp;
use model::calendar::WorkingCalendar;
use std::cell::RefCell;
use std::collections::HashMap;

/// The city's zone.
pub fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

/// The days of the city's own calendar.
pub fn days() -> Days {
    let text = include_str!("../../../../cities/tianmen/calendars/working-hours.toml");
    let declared = toml::from_str(text).unwrap();
    Days::new(&WorkingCalendar::new("working-hours", declared, zone(), "calendar").unwrap())
}

/// An example tariff of `tests/bills/tariffs`, read once a test.
pub fn tariff(name: &str) -> Tariff {
    thread_local! {
        static READ: RefCell<HashMap<String, Tariff>> = RefCell::default();
    }
    READ.with_borrow_mut(|read| {
        read.entry(name.to_owned())
            .or_insert_with(|| tariff_of(name))
            .clone()
    })
}

fn tariff_of(name: &str) -> Tariff {
    let text = match name {
        "hubei-station" => include_str!("../bills/tariffs/hubei-station.toml"),
        "hubei-home" => include_str!("../bills/tariffs/hubei-home.toml"),
        "kinds" => include_str!("../bills/tariffs/kinds.toml"),
        "at-start" => include_str!("../bills/tariffs/at-start.toml"),
        "small" => include_str!("../bills/tariffs/small.toml"),
        other => panic!("no tariff {other}"),
    };
    checked(text)
}

/// A tariff from its text.
pub fn checked(text: &str) -> Tariff {
    Tariff::new(&toml::from_str::<Written>(text).unwrap()).unwrap()
}

/// A moment in local time, `2026-03-10T08:00:00`.
pub fn at(text: &str) -> Timestamp {
    let local: DateTime = text.parse().unwrap();
    Timestamp::from_micros(zone().to_timestamp(local).unwrap().as_microsecond())
}

/// A moment as the table writes it.
pub fn local(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.micros()).unwrap();
    let local = zone().to_datetime(at);
    let pattern = if local.subsec_nanosecond() == 0 {
        "%Y-%m-%dT%H:%M:%S"
    } else {
        "%Y-%m-%dT%H:%M:%S.%6f"
    };
    local.strftime(pattern).to_string()
}

/// Which session.
pub fn key(transaction: &str) -> SessionKey {
    SessionKey {
        station: "S1".to_owned(),
        transaction: transaction.to_owned(),
    }
}

/// An event of session `T1` that reached us a second after it happened.
pub fn event(kind: EventKind, time: &str, register: Option<i64>) -> Event {
    let time = (!time.is_empty()).then(|| at(time));
    Event {
        key: key("T1"),
        connector: 1,
        kind,
        at: time,
        register: register.map(Wh),
        card: None,
        received: time
            .unwrap_or_else(|| at("2026-03-10T12:00:00"))
            .plus_seconds(1),
    }
}

/// The session `T1` of those events.
pub fn session(events: &[Event]) -> Session {
    let mut sessions = Sessions::default();
    for event in events {
        sessions.add(event, &Limits::default()).unwrap();
    }
    sessions
        .all(&Limits::default())
        .into_iter()
        .find(|session| session.key == key("T1"))
        .unwrap()
}

/// A charge from 15:00 to 17:00 with a reading in between: 22 kWh.
pub fn plain() -> Vec<Event> {
    vec![
        event(EventKind::Started, "2026-03-10T15:00:00", Some(1_000)),
        event(EventKind::Reading, "2026-03-10T16:00:00", Some(12_000)),
        event(EventKind::Ended, "2026-03-10T17:00:00", Some(23_000)),
    ]
}
