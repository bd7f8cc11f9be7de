//! Sessions (充电订单) folded from events. A session is a *set* of what was told, judged as a whole: the same events in any order, each any
//! number of times, give the same session. What cannot be believed is not mended but named ([`Doubt`]).
//!
//! Energy is the last register less the first, to the watt-hour; nothing else is ever added up.
//!
//! | told | what becomes of it |
//! | --- | --- |
//! | twice, late, out of order | one session, the same |
//! | a stop without a start | held: [`DoubtKind::NoStart`] |
//! | one transaction id with two starts, ends, connectors or cards | held: `StartTwice`, `EndTwice`, `Connectors`, `Cards` |
//! | a register that goes back, jumps, or has two values at once | held: `Backwards`, `Jump`, `TwoValues` |
//! | a clock before 2010, ahead of ours, or an end before the start | held: `Clock`, `ClockAhead`, `EndBeforeStart` |
//! | energy without time | known, never interpolated; held where it says more than the registers with time: `Untimed` |
//! | no register at start or end | the nearest reading counts; held where that is far: `EdgeFar` |
//! | registers before the start or after the end that differ | held: `Outside` |

use crate::days::Days;
use crate::event::{Event, EventKind, SessionKey};
use crate::money::Wh;
use model::problem::{Both, both};
use model::{Timestamp, Told};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// 2010-01-01T00:00:00Z. What a station says of an earlier time comes from a clock that lost its battery.
pub const EARLIEST: Timestamp = Timestamp::from_seconds(1_262_304_000);

/// When a session is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most readings kept of one session: 10 s apart they last 55 hours, in 16 bytes each.
    pub readings_max: usize,
    /// Most different times or registers kept of one kind of event other than a reading.
    pub marks_max: usize,
    /// Longest charge, seconds: 7 days.
    pub duration_max_seconds: i64,
    /// Most energy of one charge: 2 MWh, what an electric lorry or a boat takes and some.
    pub energy_max: Wh,
    /// Highest power of a connector, W: 1 MW.
    pub power_max_w: i64,
    /// What the register may be ahead of [`Limits::power_max_w`] between two readings, for meters that count in whole kWh.
    pub jump_slack: Wh,
    /// How far a station's clock may be ahead of ours when a message comes in, seconds.
    pub ahead_max_seconds: i64,
    /// How far the first or last register may be from start or end, seconds, where these have none.
    pub edge_max_seconds: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            readings_max: 20_000,
            marks_max: 32,
            duration_max_seconds: 7 * 86_400,
            energy_max: Wh(2_000_000),
            power_max_w: 1_000_000,
            jump_slack: Wh(1_000),
            ahead_max_seconds: 120,
            edge_max_seconds: 900,
        }
    }
}

/// A register at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reading {
    /// When, by the station's clock.
    pub at: Timestamp,
    /// The register.
    pub register: Wh,
}

/// What kind of doubt; see the table of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoubtKind {
    /// Ended without having started.
    NoStart,
    /// Two starts that differ under one transaction id.
    StartTwice,
    /// Two ends that differ.
    EndTwice,
    /// Start or end without a time.
    NoTime,
    /// No register at all.
    NoRegister,
    /// The register nearest to start or end is far from it.
    EdgeFar,
    /// The register goes back.
    Backwards,
    /// The register grows faster than the strongest connector gives.
    Jump,
    /// Two registers at one time.
    TwoValues,
    /// A register without time that is not between the first and the last.
    Untimed,
    /// A register before the start or after the end that differs from the one there.
    Outside,
    /// A time before [`EARLIEST`].
    Clock,
    /// A time ahead of ours.
    ClockAhead,
    /// The end is before the start.
    EndBeforeStart,
    /// The charge is longer than any.
    TooLong,
    /// More energy than any charge takes.
    TooMuch,
    /// More than one connector under one transaction id.
    Connectors,
    /// More than one card at its start or after it.
    Cards,
    /// More was told than is kept.
    Flooded,
    /// Another session of the connector has the same time.
    Overlap,
    /// No version of the tariff holds for a part of it.
    NoTariff,
    /// The calendar does not know the holidays of its days.
    UnknownDay,
}

/// A doubt, and where in the session it first shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Doubt {
    /// What kind.
    pub kind: DoubtKind,
    /// When, where it has a time.
    pub at: Option<Timestamp>,
}

impl Doubt {
    /// What a person who reviews it reads, with the time of the calendar's zone.
    pub fn told(&self, days: &Days) -> Both {
        let (zh, en) = match self.kind {
            DoubtKind::NoStart => ("只有结束、没有开始", "it ended without having started"),
            DoubtKind::StartTwice => (
                "同一交易编号有两次不同的开始",
                "two different starts under one transaction id",
            ),
            DoubtKind::EndTwice => (
                "同一交易编号有两次不同的结束",
                "two different ends under one transaction id",
            ),
            DoubtKind::NoTime => ("开始或结束没有时间", "start or end has no time"),
            DoubtKind::NoRegister => ("没有任何电表示数", "there is no register at all"),
            DoubtKind::EdgeFar => (
                "离开始或结束最近的电表示数相隔太久",
                "the nearest register is far from start or end",
            ),
            DoubtKind::Backwards => ("电表倒走", "the register goes back"),
            DoubtKind::Jump => (
                "电表跳变，超过最大功率",
                "the register grows faster than the highest power",
            ),
            DoubtKind::TwoValues => ("同一时刻有两个电表示数", "two registers at one time"),
            DoubtKind::Untimed => (
                "没有时间的电量超出首末示数",
                "energy without time lies outside the first and last register",
            ),
            DoubtKind::Outside => (
                "开始前或结束后的电表示数不一致",
                "a register before the start or after the end differs",
            ),
            DoubtKind::Clock => ("充电桩时钟错误", "the station's clock is wrong"),
            DoubtKind::ClockAhead => ("充电桩时钟快于平台", "the station's clock is ahead of ours"),
            DoubtKind::EndBeforeStart => ("结束早于开始", "the end is before the start"),
            DoubtKind::TooLong => ("充电时间过长", "the charge is too long"),
            DoubtKind::TooMuch => ("充电电量过大", "the charge has too much energy"),
            DoubtKind::Connectors => (
                "同一交易编号有多个充电接口",
                "several connectors under one transaction id",
            ),
            DoubtKind::Cards => (
                "同一交易编号有多张卡",
                "several cards under one transaction id",
            ),
            DoubtKind::Flooded => ("上报数据过多，没有全部保留", "more was told than is kept"),
            DoubtKind::Overlap => (
                "同一接口同一时间有另一订单",
                "another session of the connector has the same time",
            ),
            DoubtKind::NoTariff => ("部分时间没有有效电价", "no tariff holds for a part of it"),
            DoubtKind::UnknownDay => (
                "日历中没有这一天的节假日安排",
                "the calendar does not know the holidays of its days",
            ),
        };
        match self.at {
            Some(at) => {
                let at = days.said(at);
                both(format!("{zh}（{at}）"), format!("{en} (at {at})"))
            }
            None => both(zh, en),
        }
    }
}

/// A session as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Which.
    pub key: SessionKey,
    /// Its connector; the lowest, where several were told; 0 where none was.
    pub connector: u32,
    /// Who charges; the first by order of names, where several were told.
    pub card: Option<String>,
    /// When the bay was taken.
    pub arrived: Option<Timestamp>,
    /// When the charge began.
    pub started: Option<Timestamp>,
    /// Since when the vehicle takes no more: it was told full, and no register after this moment is higher than at it.
    pub full: Option<Timestamp>,
    /// When the charge ended.
    pub ended: Option<Timestamp>,
    /// When the bay was left.
    pub left: Option<Timestamp>,
    /// Whether an end was told, with or without time.
    pub is_ended: bool,
    /// Registers from start to end in order of time, the first and the last among them.
    pub readings: Vec<Reading>,
    /// What is doubtful; any of it holds the bill.
    pub doubts: BTreeSet<Doubt>,
}

impl Session {
    /// The last register less the first. `None` without registers; negative where the meter went back.
    pub fn energy(&self) -> Option<Wh> {
        let (first, last) = (self.readings.first()?, self.readings.last()?);
        Some(Wh(last.register.0 - first.register.0))
    }

    /// Whether registers never go back and never stand twice at one time: only then can they be split over periods.
    pub fn is_monotone(&self) -> bool {
        self.readings
            .windows(2)
            .all(|pair| pair[0].at < pair[1].at && pair[0].register <= pair[1].register)
    }

    /// Whether the charge has gone on for longer than it may at `now`: somebody has to look whether its end was lost.
    pub fn is_forgotten(&self, now: Timestamp, limits: &Limits) -> bool {
        let latest = self
            .readings
            .last()
            .map(|reading| reading.at)
            .max(self.started);
        !self.is_ended
            && latest.is_some_and(|at| now.micros_since(at) > limits.duration_max_seconds * SECOND)
    }
}

const SECOND: i64 = 1_000_000;

/// A start or an end as told: time and register.
type Mark = (Option<Timestamp>, Option<Wh>);

/// What was told of one session, as sets: nothing here depends on the order of events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Draft {
    connectors: BTreeSet<u32>,
    cards: BTreeSet<String>,
    starts: BTreeSet<Mark>,
    ends: BTreeSet<Mark>,
    arrived: BTreeSet<Timestamp>,
    full: BTreeSet<Timestamp>,
    left: BTreeSet<Timestamp>,
    /// In order, each once. A sorted vector: 16 bytes a reading, where a tree takes three times as much.
    readings: Vec<Reading>,
    untimed: BTreeSet<Wh>,
    ahead_max_micros: i64,
    is_flooded: bool,
}

/// All sessions that are being told of. Whoever keeps it takes out what is billed ([`Sessions::forget`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    #[serde(with = "pairs")]
    drafts: BTreeMap<SessionKey, Draft>,
}

/// Maps whose keys are no texts, as lists of pairs.
mod pairs {
    use super::{Draft, SessionKey};
    use serde::{Deserialize, Deserializer, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer>(
        map: &BTreeMap<SessionKey, Draft>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_seq(map)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<BTreeMap<SessionKey, Draft>, D::Error> {
        Ok(Vec::deserialize(d)?.into_iter().collect())
    }
}

impl Sessions {
    /// Takes an event in; told again it changes nothing.
    ///
    /// # Errors
    /// Those of [`Event::check`]: such an event is in no session.
    pub fn add(&mut self, event: &Event, limits: &Limits) -> Result<(), Told> {
        event.check()?;
        self.drafts
            .entry(event.key.clone())
            .or_default()
            .add(event, limits);
        Ok(())
    }

    /// One session as it stands.
    pub fn get(&self, key: &SessionKey, limits: &Limits) -> Option<Session> {
        self.drafts.get(key).map(|draft| draft.judge(key, limits))
    }

    /// All sessions as they stand, by key, those that overlap on a connector named as such: a station that was cut off may tell one
    /// charge under two transaction ids.
    pub fn all(&self, limits: &Limits) -> Vec<Session> {
        let mut all: Vec<Session> = self
            .drafts
            .iter()
            .map(|(key, draft)| draft.judge(key, limits))
            .collect();
        mark_overlaps(&mut all);
        all
    }

    /// The sessions of one station as they stand, overlaps named as in [`Sessions::all`]: what is judged when one of them ends. Whoever
    /// has given billed ones up ([`Sessions::forget`]) adds those of the same days and calls [`mark_overlaps`] once more.
    pub fn at_station(&self, station: &str, limits: &Limits) -> Vec<Session> {
        let first = SessionKey {
            station: station.to_owned(),
            transaction: String::new(),
        };
        let mut all: Vec<Session> = self
            .drafts
            .range(first..)
            .take_while(|(key, _)| key.station == station)
            .map(|(key, draft)| draft.judge(key, limits))
            .collect();
        mark_overlaps(&mut all);
        all
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.drafts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// Gives a session up, once its bill is kept. What is told of it afterwards begins a new draft without a start, which is held:
    /// the ledger's key of its bill is the same, so it is not charged again either way.
    pub fn forget(&mut self, key: &SessionKey) -> bool {
        self.drafts.remove(key).is_some()
    }
}

/// Names sessions of one connector whose times overlap: each with [`DoubtKind::Overlap`] at the moment from which both run. One that
/// begins at the very end of another does not overlap it.
pub fn mark_overlaps(sessions: &mut [Session]) {
    let mut spans: Vec<(String, u32, Timestamp, Timestamp, usize)> = sessions
        .iter()
        .enumerate()
        .filter_map(|(n, session)| {
            let (from, until) = (session.started?, session.ended?);
            Some((
                session.key.station.clone(),
                session.connector,
                from,
                until,
                n,
            ))
        })
        .collect();
    spans.sort();
    // The span of the connector that reaches furthest so far: whoever begins before its end overlaps it.
    let mut furthest: Option<(Timestamp, usize)> = None;
    let mut before: Option<(&str, u32)> = None;
    for (station, connector, from, until, n) in &spans {
        if before != Some((station.as_str(), *connector)) {
            (before, furthest) = (Some((station.as_str(), *connector)), None);
        }
        match furthest {
            Some((end, other)) => {
                if *from < end {
                    let doubt = Doubt {
                        kind: DoubtKind::Overlap,
                        at: Some(*from),
                    };
                    sessions[*n].doubts.insert(doubt);
                    sessions[other].doubts.insert(doubt);
                }
                if *until > end {
                    furthest = Some((*until, *n));
                }
            }
            None => furthest = Some((*until, *n)),
        }
    }
}

impl Draft {
    fn add(&mut self, event: &Event, limits: &Limits) {
        let most = limits.marks_max;
        // An event that does not say its connector contradicts none.
        let mut fits = event.connector == 0 || keep(&mut self.connectors, event.connector, most);
        if let Some(at) = event.at {
            self.ahead_max_micros = self.ahead_max_micros.max(at.micros_since(event.received));
        }
        if let (EventKind::Started | EventKind::Identified, Some(card)) = (event.kind, &event.card)
        {
            fits &= keep(&mut self.cards, card.clone(), most);
        }
        fits &= match (event.kind, event.at, event.register) {
            (EventKind::Started, at, register) => keep(&mut self.starts, (at, register), most),
            (EventKind::Ended, at, register) => keep(&mut self.ends, (at, register), most),
            (EventKind::Identified, ..) => true,
            (_, None, Some(register)) => keep(&mut self.untimed, register, most),
            (EventKind::Reading, Some(at), Some(register)) => {
                self.read(Reading { at, register }, limits)
            }
            (EventKind::Arrived, Some(at), _) => keep(&mut self.arrived, at, most),
            (EventKind::Full, Some(at), _) => keep(&mut self.full, at, most),
            (EventKind::Left, Some(at), _) => keep(&mut self.left, at, most),
            (_, _, None) => true,
        };
        self.is_flooded |= !fits;
    }

    fn read(&mut self, reading: Reading, limits: &Limits) -> bool {
        let Err(place) = self.readings.binary_search(&reading) else {
            return true;
        };
        if self.readings.len() >= limits.readings_max {
            return false;
        }
        self.readings.insert(place, reading);
        true
    }

    fn judge(&self, key: &SessionKey, limits: &Limits) -> Session {
        let mut doubts = Doubts(BTreeSet::new());
        let started = first(&self.starts);
        let ended = first(&self.ends);
        let (started_at, ended_at) = (
            started.and_then(|mark| mark.0),
            ended.and_then(|mark| mark.0),
        );
        if started.is_none() {
            doubts.if_true(ended.is_some(), DoubtKind::NoStart, ended_at);
        }
        doubts.if_true(differ(&self.starts), DoubtKind::StartTwice, started_at);
        doubts.if_true(differ(&self.ends), DoubtKind::EndTwice, ended_at);
        let is_untimed =
            started.is_some() && started_at.is_none() || ended.is_some() && ended_at.is_none();
        doubts.if_true(is_untimed, DoubtKind::NoTime, None);
        doubts.if_true(self.connectors.len() > 1, DoubtKind::Connectors, None);
        doubts.if_true(self.cards.len() > 1, DoubtKind::Cards, None);
        doubts.if_true(self.is_flooded, DoubtKind::Flooded, None);
        let is_ahead = self.ahead_max_micros > limits.ahead_max_seconds * SECOND;
        doubts.if_true(is_ahead, DoubtKind::ClockAhead, None);
        if let (Some(from), Some(until)) = (started_at, ended_at) {
            doubts.if_true(until < from, DoubtKind::EndBeforeStart, ended_at);
            let is_long = until.micros_since(from) > limits.duration_max_seconds * SECOND;
            doubts.if_true(is_long, DoubtKind::TooLong, ended_at);
        }
        let readings = self.readings(started, ended, &mut doubts, limits);
        if let (Some(first), Some(last)) = (readings.first(), readings.last()) {
            let is_much = last.register.0 - first.register.0 > limits.energy_max.0;
            doubts.if_true(is_much, DoubtKind::TooMuch, Some(last.at));
            let is_outside = |wh: &Wh| *wh < first.register || *wh > last.register;
            doubts.if_true(
                self.untimed.iter().any(is_outside),
                DoubtKind::Untimed,
                None,
            );
        } else {
            doubts.if_true(ended.is_some(), DoubtKind::NoRegister, None);
        }
        let times = [started_at, ended_at].into_iter().flatten();
        let earliest = times
            .chain(readings.first().map(|reading| reading.at))
            .chain(self.arrived.first().copied())
            .chain(self.left.first().copied())
            .min();
        doubts.if_true(
            earliest.is_some_and(|at| at < EARLIEST),
            DoubtKind::Clock,
            earliest,
        );
        // "Full" is believed from when the registers agree: the first one that is never passed.
        let most = readings.last().map(|reading| reading.register);
        let proved = readings
            .iter()
            .find(|reading| Some(reading.register) == most);
        let full = self
            .full
            .iter()
            .find(|full| started_at.is_none_or(|from| from <= **full))
            .zip(proved)
            .map(|(full, proved)| proved.at.max(*full))
            .filter(|full| ended_at.is_none_or(|until| *full <= until));
        Session {
            key: key.clone(),
            connector: self.connectors.first().copied().unwrap_or_default(),
            card: self.cards.first().cloned(),
            arrived: self.arrived.first().copied(),
            started: started_at,
            full,
            ended: ended_at,
            left: self.left.last().copied(),
            is_ended: ended.is_some(),
            readings,
            doubts: doubts.0,
        }
    }

    /// The registers from start to end, in order.
    fn readings(
        &self,
        started: Option<Mark>,
        ended: Option<Mark>,
        doubts: &mut Doubts,
        limits: &Limits,
    ) -> Vec<Reading> {
        let mark = |mark: Option<Mark>| {
            let (at, register) = mark?;
            Some(Reading {
                at: at?,
                register: register?,
            })
        };
        let (start, end) = (mark(started), mark(ended));
        let from = started.and_then(|mark| mark.0);
        let until = ended.and_then(|mark| mark.0);
        let mut readings: Vec<Reading> = Vec::with_capacity(self.readings.len() + 2);
        for reading in &self.readings {
            let is_before = from.is_some_and(|from| reading.at < from);
            let is_after = until.is_some_and(|until| reading.at > until);
            if !is_before && !is_after {
                readings.push(*reading);
                continue;
            }
            // A clock-aligned register just before or after says the same as the one at the edge, or something is wrong.
            let edge = if is_before { start } else { end };
            let is_same = edge.is_some_and(|edge| edge.register == reading.register);
            doubts.if_true(!is_same, DoubtKind::Outside, Some(reading.at));
        }
        for edge in [start, end].into_iter().flatten() {
            if let Err(place) = readings.binary_search(&edge) {
                readings.insert(place, edge);
            }
        }
        let far = |edge: Option<Timestamp>, reading: Option<&Reading>| {
            edge.zip(reading).is_some_and(|(edge, reading)| {
                reading.at.micros_since(edge).abs() > limits.edge_max_seconds * SECOND
            })
        };
        doubts.if_true(far(from, readings.first()), DoubtKind::EdgeFar, from);
        doubts.if_true(far(until, readings.last()), DoubtKind::EdgeFar, until);
        for pair in readings.windows(2) {
            let (micros, grown) = (
                pair[1].at.micros_since(pair[0].at),
                pair[1].register.0 - pair[0].register.0,
            );
            let at = Some(pair[1].at);
            if micros == 0 {
                doubts.if_true(grown != 0, DoubtKind::TwoValues, at);
                continue;
            }
            doubts.if_true(grown < 0, DoubtKind::Backwards, at);
            // Wh = W × µs / 3.6e9; wide, because both factors are.
            let most = i128::from(limits.power_max_w) * i128::from(micros) / 3_600_000_000
                + i128::from(limits.jump_slack.0);
            doubts.if_true(i128::from(grown) > most, DoubtKind::Jump, at);
        }
        readings
    }
}

/// The first of each kind of doubt.
struct Doubts(BTreeSet<Doubt>);

impl Doubts {
    fn if_true(&mut self, holds: bool, kind: DoubtKind, at: Option<Timestamp>) {
        if holds && !self.0.iter().any(|doubt| doubt.kind == kind) {
            self.0.insert(Doubt { kind, at });
        }
    }
}

/// Puts it in, unless there are too many; whether it is in.
fn keep<T: Ord>(all: &mut BTreeSet<T>, one: T, most: usize) -> bool {
    if all.len() >= most && !all.contains(&one) {
        return false;
    }
    all.insert(one);
    true
}

/// One mark of those told: the earliest time, and the lowest register that was told at it; what one telling left out another
/// may have.
fn first(marks: &BTreeSet<Mark>) -> Option<Mark> {
    if marks.is_empty() {
        return None;
    }
    let at = marks.iter().filter_map(|mark| mark.0).min();
    let register = marks
        .iter()
        .filter(|mark| mark.0 == at)
        .chain(marks)
        .find_map(|mark| mark.1);
    Some((at, register))
}

/// Whether two marks contradict each other: two times, or two registers.
fn differ(marks: &BTreeSet<Mark>) -> bool {
    let times: BTreeSet<_> = marks.iter().filter_map(|mark| mark.0).collect();
    let registers: BTreeSet<_> = marks.iter().filter_map(|mark| mark.1).collect();
    times.len() > 1 || registers.len() > 1
}
