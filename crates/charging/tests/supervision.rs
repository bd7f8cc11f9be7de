//! Figures of supervision against numbers counted by hand.

use charging::supervision::{
    Audit, CHARGE_SECONDS_MAX, Charge, Current, Excluded, Fault, Figures, Span, Stand, covered,
    fault_figures, faults, judge, possible,
};
use charging::{Fen, Price, Wh};
use model::Timestamp;

/// Minutes of a day.
fn at(minutes: i64) -> Timestamp {
    Timestamp::from_seconds(1_780_000_000 + minutes * 60)
}

/// A day.
fn day() -> Span {
    Span {
        begins: at(0),
        ends: at(1_440),
    }
}

fn charge(from: i64, until: i64, wh: i64) -> Charge {
    Charge {
        stand: Stand::Billed,
        started: Some(at(from)),
        ended: Some(at(until)),
        energy: Wh(wh),
        has_card: true,
        is_corrected: false,
    }
}

#[test]
fn connectors_say_their_current() {
    for (word, current) in [
        (Some("GBT_AC"), Current::Alternating),
        (Some("GBT_DC"), Current::Direct),
        (Some("iec62196-dc"), Current::Direct),
        (Some("other"), Current::Unknown),
        // The letters within a word say nothing.
        (Some("DCHARGER"), Current::Unknown),
        (None, Current::Unknown),
    ] {
        assert_eq!(Current::of(word), current, "{word:?}");
    }
}

#[test]
fn time_in_charges_counts_once_and_within_the_span() {
    // 60 minutes of the first are before the day; the second lies half in the first; the last reaches 30 minutes past the day's end.
    let mut all = [
        (at(1_410), at(1_470)),
        (at(-60), at(60)),
        (at(30), at(90)),
        (at(200), at(200)),
        (at(300), at(290)),
    ];
    assert_eq!(covered(&mut all, &day()), (90 + 30) * 60);
    assert_eq!(covered(&mut [], &day()), 0);
    // A charge without end goes on until now, seven days at most.
    let mut going = charge(0, 0, 1);
    going.ended = None;
    assert_eq!(going.stretch(at(10)), Some((at(0), at(10))));
    let week = Timestamp::from_seconds(1_780_000_000 + CHARGE_SECONDS_MAX);
    assert_eq!(going.stretch(at(100_000)), Some((at(0), week)));
    going.started = None;
    assert_eq!(going.stretch(at(10)), None);
}

#[test]
fn a_fault_told_again_is_the_same_and_its_hours_are_those_of_the_span() {
    let told = [
        // Over before the day, from before it, twice told, and one that lasts.
        (at(-500), true),
        (at(-400), false),
        (at(-120), true),
        (at(60), false),
        (at(100), true),
        (at(110), true),
        (at(130), false),
        (at(131), false),
        (at(1_400), true),
    ];
    let found = faults(told, &day());
    let fault = |from: i64, until: Option<i64>| Fault {
        from: at(from),
        until: until.map(at),
    };
    assert_eq!(
        found,
        [
            fault(-120, Some(60)),
            fault(100, Some(130)),
            fault(1_400, None)
        ]
    );
    let sum = fault_figures(&found, &day());
    assert_eq!((sum.faults, sum.repairs), (2, 2));
    assert_eq!(sum.fault_seconds, (60 + 30 + 40) * 60);
    // From the fault's beginning, also where that was the day before: 180 and 30 minutes.
    assert_eq!(sum.repair_seconds, (180 + 30) * 60);
    assert_eq!(sum.repair_mean_seconds(), Some(105.0 * 60.0));
    // One that began behind the span is none of it.
    assert_eq!(faults([(at(1_440), true)], &day()), []);
}

#[test]
fn rates_are_of_sums_and_nothing_of_nothing() {
    assert_eq!(Figures::default().online_rate(), None);
    assert_eq!(Figures::default().repair_mean_seconds(), None);
    // A point of 7 kW known all day, and one of 60 kW known for six hours of it.
    let mut sum = Figures {
        points: 1,
        rated_w: 7_000,
        seconds: 86_400,
        possible_wh: possible(7_000, 86_400).0,
        charging_seconds: 3 * 3_600,
        days: 30,
        days_missing: 1,
        online: 1,
        ..Figures::default()
    };
    sum += Figures {
        points: 1,
        rated_w: 60_000,
        seconds: 6 * 3_600,
        possible_wh: possible(60_000, 6 * 3_600).0,
        days: 10,
        ..Figures::default()
    };
    sum += charge(0, 60, 26_400).figures(Some(60_000));
    sum += charge(0, 60, 5_000).figures(None);
    sum += charge(0, 60, -100).figures(Some(7_000));
    assert_eq!(sum.possible_wh, 168_000 + 360_000);
    assert_eq!(sum.energy_rate(), Some(26_400.0 / 528_000.0));
    assert_eq!(sum.time_rate(), Some(0.1));
    assert_eq!(sum.online_rate(), Some(0.5));
    assert_eq!(sum.missing_rate(), Some(0.025));
    assert_eq!((sum.sessions, sum.energy_wh), (3, 31_400));
    assert_eq!((sum.without_energy, sum.incomplete), (1, 1));
    assert_eq!(sum.incomplete_rate(), Some(1.0 / 3.0));
}

#[test]
fn a_charge_counts_for_the_subsidy_unless_something_speaks_against_it() {
    let good = charge(0, 60, 7_000);
    assert_eq!(judge(&good, Some(7_000)), Ok(Wh(7_000)));
    let with = |change: fn(&mut Charge)| {
        let mut charge = good;
        change(&mut charge);
        judge(&charge, Some(7_000))
    };
    for (change, reason) in [
        (
            (|c| c.stand = Stand::Open) as fn(&mut Charge),
            Excluded::NotBilled,
        ),
        (|c| c.stand = Stand::Held, Excluded::Held),
        (|c| c.stand = Stand::Waived, Excluded::Waived),
        (|c| c.energy = Wh(-1), Excluded::Backwards),
        (|c| c.is_corrected = true, Excluded::Corrected),
        (|c| c.started = None, Excluded::NoTime),
        (|c| c.ended = None, Excluded::NoTime),
        (|c| c.has_card = false, Excluded::NoCard),
        // 7 kWh, a tenth and one kWh on top are 8.7 kWh.
        (|c| c.energy = Wh(8_701), Excluded::Impossible),
    ] {
        assert_eq!(with(change), Err(reason));
    }
    assert_eq!(with(|c| c.energy = Wh(8_700)), Ok(Wh(8_700)));
    // A held bill of a meter that ran backwards is told as what it is.
    let both = |c: &mut Charge| (c.stand, c.energy) = (Stand::Held, Wh(-5));
    assert_eq!(with(both), Err(Excluded::Backwards));
    // Where nobody told the rated power it is not judged by it.
    let much = charge(0, 1, 900_000);
    assert_eq!(judge(&much, None), Ok(Wh(900_000)));
    assert_eq!(judge(&much, Some(120_000)), Err(Excluded::Impossible));
}

#[test]
fn a_subsidy_is_the_sum_of_its_charges_each_rounded_once() {
    let rate = Price::read("0.2", "rate").unwrap();
    let mut audit = Audit::default();
    // 0.2 yuan: 12,345 Wh are 246.9 fen, 25 Wh half a fen, 24 Wh less than half a one.
    let fen: Vec<Fen> = [12_345, 25, 24]
        .into_iter()
        .map(|wh| audit.add(&charge(0, 240, wh), Some(7_000), rate).unwrap())
        .collect();
    assert_eq!(fen, [Fen(247), Fen(1), Fen(0)]);
    audit.add(&charge(0, 60, 5_000), None, rate).unwrap();
    let mut held = charge(0, 60, 3_000);
    held.stand = Stand::Held;
    assert_eq!(audit.add(&held, None, rate), Err(Excluded::Held));
    assert_eq!(audit.add(&held, None, rate), Err(Excluded::Held));
    assert_eq!((audit.sessions, audit.energy_wh), (4, 17_394));
    assert_eq!(audit.unjudged_wh, 5_000);
    assert_eq!(audit.sum, Fen(247 + 1 + 100));
    assert_eq!(audit.excluded[&Excluded::Held], (2, 6_000));
    assert_eq!(audit.due(None), Fen(348));
    assert_eq!(audit.due(Some(Fen(300))), Fen(300));
}
