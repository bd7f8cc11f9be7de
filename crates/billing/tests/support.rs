//! What the tests share: prices, events in local time, a store that fails as a disk does, a seeded sequence.

use billing::{Change, Clerk, Dated, Desk, Kept, Memory, Prices, Settings, Span, Store};
use charging::written::Written;
use charging::{Days, Event, EventKind, SessionKey, Tariff, Wh};
use model::calendar::WorkingCalendar;
use model::problem::both;
use model::{Timestamp, Told};
use tokio::task::JoinHandle;

/// One price all day, no fees by time: 1.50 yuan a kWh.
const FLAT: &str = r#"
id = "flat"
title_zh = "单一电价"
title_en = "One price"
[[versions]]
id = "2026"
first = "2026-01-01"
source = "test"
[versions.prices]
flat = { energy = "1.0000", service = "0.5000" }
[[versions.days]]
hours = ["00:00-24:00 flat"]
"#;
/// Two prices, the dearer one from 16:00 on, no fees by time.
const TWOFOLD: &str = r#"
id = "twofold"
title_zh = "两段电价"
title_en = "Two prices"
[[versions]]
id = "2026"
first = "2026-01-01"
source = "test"
[versions.prices]
flat = { energy = "1.0000", service = "0.5000" }
peak = { energy = "2.0000", service = "0.5000" }
[[versions.days]]
hours = ["00:00-16:00 flat", "16:00-24:00 peak"]
"#;
/// By periods, and with an occupancy fee.
const HUBEI: &str = include_str!("../../charging/tests/bills/tariffs/hubei-station.toml");

fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()
}

fn days() -> Days {
    let text = include_str!("../../../cities/tianmen/calendars/working-hours.toml");
    let declared = toml::from_str(text).unwrap();
    Days::new(&WorkingCalendar::new("working-hours", declared, zone(), "calendar").unwrap())
}

fn dated(number: i64, text: &str) -> Dated {
    Dated {
        number,
        station: None,
        from: Timestamp::from_seconds(0),
        tariff: Tariff::new(&toml::from_str::<Written>(text).unwrap()).unwrap(),
    }
}

fn prices(tariffs: Vec<Dated>) -> Prices {
    Prices {
        tariffs,
        operators: [("S2".to_owned(), "two".to_owned())].into(),
        operator: "one".to_owned(),
        days: days(),
    }
}

/// One price.
pub fn flat() -> Prices {
    prices(vec![dated(1, FLAT)])
}

/// Two prices, the dearer one from 16:00 on.
pub fn twofold() -> Prices {
    prices(vec![dated(3, TWOFOLD)])
}

/// By periods, and with an occupancy fee.
pub fn hubei() -> Prices {
    prices(vec![dated(2, HUBEI)])
}

/// None.
pub fn no_prices() -> Prices {
    prices(Vec::new())
}

/// The settings.
pub fn settings() -> Settings {
    Settings::new(b"key of the tests".to_vec())
}

/// A moment of 2026-03-10 in local time, `15:00:00`.
pub fn at(time: &str) -> Timestamp {
    let local: jiff::civil::DateTime = format!("2026-03-10T{time}").parse().unwrap();
    Timestamp::from_micros(zone().to_timestamp(local).unwrap().as_microsecond())
}

/// Which session.
pub fn key(station: &str, transaction: &str) -> SessionKey {
    SessionKey {
        station: station.to_owned(),
        transaction: transaction.to_owned(),
    }
}

/// An event of `S1`/`T1`, with a card at the start, told a second later.
pub fn event(kind: EventKind, time: &str, register: Option<i64>) -> Event {
    Event {
        key: key("S1", "T1"),
        connector: 1,
        kind,
        at: Some(at(time)),
        register: register.map(Wh),
        card: (kind == EventKind::Started).then(|| "CARD-1".to_owned()),
        received: at(time).plus_seconds(1),
    }
}

/// From 15:00 to 17:00 with a reading in between: 22 kWh.
pub fn plain() -> Vec<Event> {
    vec![
        event(EventKind::Started, "15:00:00", Some(1_000)),
        event(EventKind::Reading, "16:00:00", Some(12_000)),
        event(EventKind::Ended, "17:00:00", Some(23_000)),
    ]
}

/// The events as another session's.
pub fn of(key: &SessionKey, events: &[Event]) -> Vec<Event> {
    events
        .iter()
        .cloned()
        .map(|event| Event {
            key: key.clone(),
            ..event
        })
        .collect()
}

/// A desk over a store, and its writer, which gives the store back when the desk is dropped.
pub fn open<S: Store + 'static>(store: S, prices: Prices) -> (Desk, JoinHandle<S>) {
    let (desk, clerk) = Clerk::new(store, settings(), prices);
    (desk, tokio::spawn(clerk.run()))
}

/// Tells events one call each and closes the desk.
pub async fn tell(store: Memory, prices: Prices, events: &[Event]) -> Memory {
    let (desk, writer) = open(store, prices);
    for event in events {
        desk.take(vec![event.clone()], event.received)
            .await
            .unwrap();
    }
    drop(desk);
    writer.await.unwrap()
}

/// The one session of a store.
pub fn only(store: &Memory) -> &Kept {
    assert_eq!(store.sessions().len(), 1);
    store.sessions().values().next().unwrap()
}

/// Numbers that follow from a seed.
#[derive(Clone, Debug)]
pub struct Seeded(pub u64);

impl Seeded {
    /// The next, below `below`.
    pub fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    /// In another order.
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for n in (1..all.len()).rev() {
            all.swap(n, self.next(n + 1));
        }
    }
}

/// A store whose writes fail one time in three, half of those after they came to be on disk.
#[derive(Clone, Debug)]
pub struct Failing {
    /// What came to be.
    pub inner: Memory,
    /// Which fail.
    pub seeded: Seeded,
}

impl Store for Failing {
    async fn events(&mut self, key: &SessionKey) -> Result<Vec<Event>, Told> {
        self.inner.events(key).await
    }

    async fn kept(&mut self, key: &SessionKey) -> Result<Option<Kept>, Told> {
        self.inner.kept(key).await
    }

    async fn beside(
        &mut self,
        station: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Span>, Told> {
        self.inner.beside(station, from, until).await
    }

    async fn forget(&mut self, unchanged_since: Timestamp, most: usize) -> Result<usize, Told> {
        self.inner.forget(unchanged_since, most).await
    }

    async fn due(&mut self, now: Timestamp, most: usize) -> Result<Vec<SessionKey>, Told> {
        self.inner.due(now, most).await
    }

    async fn number(&mut self, station: &str, start: &str) -> Result<Option<i32>, Told> {
        self.inner.number(station, start).await
    }

    async fn last_number(&mut self) -> Result<i32, Told> {
        self.inner.last_number().await
    }

    async fn write(&mut self, changes: &[Change]) -> Result<(), Told> {
        let dice = self.seeded.next(6);
        if dice != 0 {
            self.inner.write(changes).await?;
        }
        if dice < 2 {
            let text = || both("磁盘故障", "the disk failed");
            return Err(Told::new("disk", text(), text(), text()));
        }
        Ok(())
    }
}
