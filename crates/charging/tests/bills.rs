//! The table of 200 bills that were computed by another program in another way (`tests/bills/compute.py`), line by line; and what
//! holds a bill.

use crate::common::{at, days, event, local, plain, session, tariff};
use charging::bill::{Basis, Decision, Review, bill};
use charging::{Bill, EventKind, Fen, LineKind, Session, Standing, Wh};
use std::collections::BTreeMap;

/// The lines as the table has them.
fn written(bill: &Bill) -> String {
    let kind = |kind| match kind {
        LineKind::Energy => "energy",
        LineKind::Service => "service",
        LineKind::Parking => "parking",
        LineKind::Idle => "idle",
    };
    let lines: Vec<String> = bill
        .lines
        .iter()
        .map(|line| {
            let (period, much, price) = match line.basis {
                Basis::Energy {
                    period,
                    energy,
                    price,
                } => (period.name(), energy.0.to_string(), price.to_string()),
                Basis::Time {
                    counted_seconds,
                    units,
                    per_unit,
                    is_capped,
                    ..
                } => {
                    let capped = if is_capped { "capped" } else { "whole" };
                    (
                        "-",
                        format!("{counted_seconds}/{units}/{capped}"),
                        per_unit.0.to_string(),
                    )
                }
            };
            let times = [line.from, line.until].map(local).join("|");
            format!(
                "{}|{}|{period}|{times}|{much}|{price}|{}",
                kind(line.kind),
                line.version,
                line.amount.0
            )
        })
        .collect();
    lines.join("; ")
}

/// The session of a row.
fn session_of(row: &csv::StringRecord) -> Session {
    let readings: Vec<(&str, i64)> = row[8]
        .split(' ')
        .map(|reading| {
            let (time, register) = reading.split_once('=').unwrap();
            (time, register.parse().unwrap())
        })
        .collect();
    let inner = &readings[1..readings.len() - 1];
    let mut events = vec![
        event(EventKind::Started, &row[4], Some(readings[0].1)),
        event(
            EventKind::Ended,
            &row[6],
            Some(readings[readings.len() - 1].1),
        ),
    ];
    events.extend(
        inner
            .iter()
            .map(|(time, register)| event(EventKind::Reading, time, Some(*register))),
    );
    for (kind, column) in [
        (EventKind::Arrived, 3),
        (EventKind::Full, 5),
        (EventKind::Left, 7),
    ] {
        if !row[column].is_empty() {
            events.push(event(kind, &row[column], None));
        }
    }
    session(&events)
}

#[test]
fn two_hundred_bills_are_those_of_the_table() {
    let days = days();
    let mut rows = csv::Reader::from_reader(include_str!("bills/bills.csv").as_bytes());
    let mut kinds: BTreeMap<LineKind, usize> = BTreeMap::new();
    let (mut count, mut lines, mut wrong) = (0, 0, Vec::new());
    for row in rows.records() {
        let row = row.unwrap();
        let session = session_of(&row);
        let bill = bill(&session, &tariff(&row[2]), &days).unwrap();
        let total: i64 = row[10].parse().unwrap();
        let got = written(&bill);
        if got != row[9] || bill.total != Fen(total) || bill.due() != Some(Fen(total)) {
            wrong.push(format!(
                "{} {}: {:?}\n  table {}\n  bill  {got} = {}",
                &row[0], &row[1], bill.doubts, &row[9], bill.total.0
            ));
        }
        assert_eq!(
            bill.total,
            bill.lines.iter().map(|line| line.amount).sum(),
            "row {}",
            &row[0]
        );
        let split: i64 = bill
            .lines
            .iter()
            .filter(|line| line.kind == LineKind::Energy)
            .map(|line| match line.basis {
                Basis::Energy { energy, .. } => energy.0,
                Basis::Time { .. } => 0,
            })
            .sum();
        assert_eq!(
            Some(Wh(split)),
            session.energy(),
            "row {}: to the watt-hour",
            &row[0]
        );
        for line in &bill.lines {
            *kinds.entry(line.kind).or_default() += 1;
        }
        count += 1;
        lines += bill.lines.len();
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(count, 200);
    assert!(
        lines > 800 && kinds.len() == 4 && kinds.values().all(|n| *n > 20),
        "{lines} {kinds:?}"
    );
}

#[test]
fn a_line_explains_itself() {
    let days = days();
    let bill = bill(&session(&plain()), &tariff("hubei-station"), &days).unwrap();
    let line = bill.lines[0].explain(&days);
    assert_eq!(
        line.zh,
        "电费：2026-03-10 15:00:00 至 2026-03-10 16:00:00，平时段，11.000 千瓦时 × 0.6412 元 = 7.05 元"
    );
    assert_eq!(
        line.en,
        "electricity: 2026-03-10 15:00:00 to 2026-03-10 16:00:00, flat, 11.000 kWh × 0.6412 yuan = 7.05 yuan"
    );
    let mut events = plain();
    events.push(event(EventKind::Left, "2026-03-10T19:00:00", None));
    let bill = charging::bill(&session(&events), &tariff("hubei-station"), &days).unwrap();
    assert_eq!(
        bill.lines.last().unwrap().explain(&days).zh,
        "占位费：2026-03-10 17:00:00 至 2026-03-10 19:00:00，计费 6300 秒，105 个 1 分钟 × 0.50 元 = 30.00 元（封顶）"
    );
}

#[test]
fn what_goes_on_has_no_bill_and_what_is_doubtful_is_held() {
    let (days, tariff) = (days(), tariff("hubei-station"));
    assert_eq!(bill(&session(&plain()[..2]), &tariff, &days), None);
    let held = bill(&session(&plain()[1..]), &tariff, &days).unwrap();
    assert_eq!((held.due(), &held.standing), (None, &Standing::Held));
    assert!(held.total > Fen::ZERO, "there is a proposal to decide on");

    let review = Review {
        by: "reviewer".to_owned(),
        at: at("2026-03-11T09:00:00"),
        note: "看过录像".to_owned(),
    };
    let accepted = held
        .clone()
        .decide(Decision::Accept, review.clone())
        .unwrap();
    assert_eq!(accepted.due(), Some(held.total));
    assert_eq!(
        accepted
            .clone()
            .decide(Decision::Accept, review.clone())
            .unwrap(),
        accepted
    );
    assert_eq!(
        accepted
            .decide(Decision::Waive, review.clone())
            .unwrap_err()
            .code,
        "charging-review"
    );
    let waived = held
        .clone()
        .decide(Decision::Waive, review.clone())
        .unwrap();
    assert_eq!(waived.due(), Some(Fen::ZERO));
    let silent = Review {
        note: " ".to_owned(),
        ..review.clone()
    };
    assert_eq!(
        held.decide(Decision::Accept, silent).unwrap_err().code,
        "charging-review"
    );
    let due = bill(&session(&plain()), &tariff, &days).unwrap();
    assert_eq!(
        due.decide(Decision::Waive, review).unwrap_err().code,
        "charging-review"
    );
}

#[test]
fn a_bill_and_a_session_are_read_back_as_written() {
    let session = session(&plain());
    let bill = bill(&session, &tariff("hubei-station"), &days()).unwrap();
    let text = serde_json::to_string(&bill).unwrap();
    assert_eq!(serde_json::from_str::<Bill>(&text).unwrap(), bill);
    let text = serde_json::to_string(&session).unwrap();
    assert_eq!(serde_json::from_str::<Session>(&text).unwrap(), session);
}

#[test]
fn recorded_sessions_of_the_city_are_billed_to_the_watt_hour() {
    let (days, tariff) = (days(), tariff("hubei-station"));
    let text = include_str!("../../../cities/tianmen/data/charging_sessions.csv");
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let (mut count, mut energy) = (0, 0);
    for row in rows.deserialize() {
        let (_, from, until, kwh): (u32, i64, i64, f64) = row.unwrap();
        let midnight = at("2026-03-09T00:00:00");
        let register = (kwh * 1_000.0).round();
        let mark = |kind, minute: i64, wh: f64| charging::Event {
            at: Some(midnight.plus_seconds(minute * 60)),
            received: midnight.plus_seconds(minute * 60),
            register: Some(Wh(wh as i64)),
            ..event(kind, "", None)
        };
        let one = session(&[
            mark(EventKind::Started, from, 0.0),
            mark(EventKind::Ended, until, register),
        ]);
        let bill = bill(&one, &tariff, &days).unwrap();
        assert_eq!(bill.energy, Wh(register as i64));
        assert!(bill.due().is_some(), "{:?}", bill.doubts);
        count += 1;
        energy += bill.energy.0;
    }
    assert!(count > 100 && energy > 1_000_000, "{count} {energy}");
}
