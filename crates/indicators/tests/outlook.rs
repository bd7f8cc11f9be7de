//! Forecasts on series whose coverage is known, final assessments, answers of queries, and what must be measured again.

use indicators::answer::{Answer, Cell};
use indicators::assessment::Outcome;
use indicators::due::{Changes, Lane, Reads, Schedule, Times, Types};
use indicators::forecast::{Forecast, LEVEL, Outlook, POINTS_MIN, Reading};
use indicators::{Definition, Towns, parse};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use model::Timestamp;
use std::time::Duration;

fn definition(change: impl Fn(String) -> String) -> Definition {
    let text = "\
-- id: x
-- number: 1
-- origin: table
-- group_zh: 组
-- group_en: group
-- subgroup_zh: 组
-- subgroup_en: group
-- name_zh: 名
-- name_en: name
-- unit_zh: 个
-- unit_en: things
-- direction: more
-- baseline: 100
-- baseline_year: 2020
-- target: 300
-- target_year: 2030
-- method: computed
-- source_zh: 源
-- source_en: source
-- path: linear
-- place: 一 | 二
SELECT 1 AS value;
-- rows:
SELECT 1;
";
    parse("x.sql", &change(text.to_owned())).unwrap()
}

fn plain() -> Definition {
    definition(|text| text)
}

fn percent() -> Definition {
    definition(|text| {
        text.replace("unit_zh: 个", "unit_zh: %")
            .replace("target: 300", "target: 95")
            .replace("baseline: 100", "baseline: none")
    })
}

/// Chances that are the same in every run: a linear congruence, and from it normal ones by Box and Muller.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 32).unwrap()
    }

    fn step(&mut self, below: u32) -> u32 {
        self.next() % below
    }

    fn unit(&mut self) -> f64 {
        f64::from(self.next()) / f64::from(u32::MAX)
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (self.unit().max(1e-12), self.unit());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

/// A walk with drift, read at uneven distances, and what it is at the end of 2030.
fn walk(chance: &mut Chance, points: usize, drift: f64, noise: f64) -> (Vec<Reading>, f64) {
    let (mut day, mut value) = (date(2026, 1, 5), 1_000.0);
    let mut readings = vec![Reading { day, value }];
    let mut on = |chance: &mut Chance, days: i32| {
        let days = f64::from(days);
        value += drift * days + noise * days.sqrt() * chance.normal();
        value
    };
    for _ in 1..points {
        let days = 7 + i32::try_from(chance.step(20)).unwrap();
        day = day.checked_add(days.days()).unwrap();
        let value = on(chance, days);
        readings.push(Reading { day, value });
    }
    let rest = (date(2030, 12, 31) - day).get_days();
    (readings, on(chance, rest))
}

fn forecast(d: &Definition, readings: &[Reading], today: Date) -> Forecast {
    match d.outlook(readings, today) {
        Outlook::Forecast(forecast) => forecast,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_interval_holds_as_often_as_it_says() {
    let mut chance = Chance(7);
    let today = date(2029, 6, 1);
    for points in [POINTS_MIN, 12, 40] {
        let (mut held, mut tests, mut tests_held) = (0.0, 0.0, 0.0);
        let runs = 1_000;
        for _ in 0..runs {
            let (readings, end) = walk(&mut chance, points, 0.4, 2.0);
            let found = forecast(&plain(), &readings, today);
            held += f64::from(u8::from((found.low..=found.high).contains(&end)));
            if let Some(test) = found.back_test {
                tests += f64::from(u32::try_from(test.forecasts).unwrap());
                tests_held += f64::from(u32::try_from(test.within).unwrap());
            }
        }
        // Four standard deviations of so many tries.
        let near = |share: f64| (share - LEVEL).abs() < 4.0 * (0.16_f64 / 1_000.0).sqrt();
        assert!(near(held / f64::from(runs)), "{points}: {held} of {runs}");
        // Nothing can be held out of the fewest points; else the past says the same as the future.
        assert_eq!(tests > 0.0, points > POINTS_MIN, "{points}");
        assert!(
            tests == 0.0 || (tests_held / tests - LEVEL).abs() < 0.05,
            "{points}"
        );
    }
}

#[test]
fn a_straight_line_goes_on_and_its_back_test_is_never_off() {
    let readings: Vec<Reading> = (0..10)
        .map(|n| Reading {
            day: date(2026, 1, 1).checked_add((n * 30).days()).unwrap(),
            value: 10.0 + 3.0 * f64::from(n),
        })
        .collect();
    let found = forecast(&plain(), &readings, date(2026, 12, 1));
    let days = f64::from((date(2030, 12, 31) - readings[9].day).get_days());
    assert!(
        (found.value - (37.0 + days / 10.0)).abs() < 1e-6,
        "{found:?}"
    );
    assert!(found.high - found.low < 1e-6);
    let test = found.back_test.unwrap();
    // Cuts after 6, 7, 8 and 9 points: 4 + 3 + 2 + 1 held-out readings.
    assert_eq!(test.forecasts, 10);
    assert!(test.mean_error < 1e-9);
    assert_eq!((found.points, found.from), (10, date(2026, 1, 1)));
}

#[test]
fn bounds_hold_and_what_is_too_little_is_told() {
    let steep: Vec<Reading> = (0..8)
        .map(|n| Reading {
            day: date(2026, 1, 1).checked_add((n * 20).days()).unwrap(),
            value: 60.0 + 5.0 * f64::from(n) + f64::from(n % 2),
        })
        .collect();
    let found = forecast(&percent(), &steep, date(2026, 8, 1));
    assert_eq!((found.value, found.high), (100.0, 100.0));
    let falling: Vec<Reading> = (steep.iter().rev().zip(&steep))
        .map(|(value, day)| Reading {
            value: value.value,
            day: day.day,
        })
        .collect();
    let found = forecast(&plain(), &falling, date(2026, 8, 1));
    assert_eq!((found.value, found.low), (0.0, 0.0));
    // Several values of a day are one point; and what lies ahead of today is not known yet.
    let few = Outlook::TooFew {
        points: 5,
        span_days: 80,
    };
    let mut five = steep[..5].to_vec();
    five.push(Reading {
        value: 1.0,
        ..five[4]
    });
    assert_eq!(plain().outlook(&five, date(2026, 8, 1)), few);
    assert_eq!(plain().outlook(&steep, steep[4].day), few);
    assert_eq!(
        plain().outlook(&[], date(2026, 8, 1)),
        Outlook::TooFew {
            points: 0,
            span_days: 0
        }
    );
    let short: Vec<Reading> = (0..29)
        .map(|n| Reading {
            day: date(2026, 1, 1).checked_add(n.days()).unwrap(),
            value: 1.0,
        })
        .collect();
    assert_eq!(
        plain().outlook(&short, date(2026, 8, 1)),
        Outlook::TooFew {
            points: 29,
            span_days: 28
        }
    );
    assert_eq!(plain().outlook(&steep, date(2030, 12, 31)), Outlook::Over);
}

#[test]
fn the_final_assessment_looks_at_the_last_value_of_the_year() {
    let at = |year, month, day, value| Reading {
        day: date(year, month, day),
        value,
    };
    let d = plain();
    let after = date(2031, 3, 1);
    // While the year lasts there is none.
    assert_eq!(
        d.assessment(&[at(2029, 1, 1, 400.0)], date(2030, 12, 31)),
        None
    );
    // Met, lost, met again: since the second time. Later values say nothing of it.
    let readings = [
        at(2031, 2, 1, 10.0),
        at(2028, 5, 1, 310.0),
        at(2028, 8, 1, 290.0),
        at(2029, 5, 1, 300.0),
        at(2030, 12, 31, 320.0),
    ];
    let met = d.assessment(&readings, after).unwrap();
    assert_eq!(
        (met.outcome, met.value, met.value_on),
        (Outcome::Met, Some(320.0), Some(date(2030, 12, 31)))
    );
    assert_eq!(
        (met.met_since, met.met_later_on),
        (Some(date(2029, 5, 1)), None)
    );
    assert_eq!(met.share, Some(1.1));
    // Not met, and reached three weeks after: half of the way in time.
    let late = [at(2030, 10, 1, 200.0), at(2031, 1, 21, 301.0)];
    let late = d.assessment(&late, after).unwrap();
    assert_eq!((late.outcome, late.share), (Outcome::NotMet, Some(0.5)));
    assert_eq!(
        (late.met_since, late.met_later_on),
        (None, Some(date(2031, 1, 21)))
    );
    // Only values that came after the end: nobody can judge.
    let none = d.assessment(&[at(2031, 1, 21, 301.0)], after).unwrap();
    assert_eq!(
        (none.outcome, none.value, none.share),
        (Outcome::NoValue, None, None)
    );
    // Less is better, and backwards is below 0; without a baseline there is no share.
    let less = definition(|text| {
        text.replace("direction: more", "direction: less")
            .replace("target: 300", "target: 50")
    });
    let worse = less.assessment(&[at(2030, 1, 1, 110.0)], after).unwrap();
    assert_eq!((worse.outcome, worse.share), (Outcome::NotMet, Some(-0.2)));
    let bare = percent()
        .assessment(&[at(2030, 1, 1, 95.0)], after)
        .unwrap();
    assert_eq!((bare.outcome, bare.share), (Outcome::Met, None));
}

#[test]
fn an_answer_is_one_number_or_nothing_and_anything_else_is_told() {
    let answer = |columns, rows, cell| Answer {
        columns,
        rows,
        cell,
        unit: None,
    };
    let told = |d: &Definition, given: Answer| d.value_of(&given).map_err(|p| (p.code, p.place));
    let d = plain();
    assert_eq!(told(&d, answer(1, 1, Cell::Number(5.0))), Ok(Some(5.0)));
    assert_eq!(told(&d, answer(1, 1, Cell::Nothing)), Ok(None));
    assert_eq!(told(&d, answer(1, 0, Cell::Nothing)), Ok(None));
    let wrong = Err(("indicator-answer".to_owned(), "x.sql:22".to_owned()));
    for bad in [
        answer(1, 2, Cell::Number(5.0)),
        answer(2, 1, Cell::Number(5.0)),
        answer(1, 1, Cell::Other("很多".into())),
        answer(1, 1, Cell::Number(f64::NAN)),
        answer(1, 1, Cell::Number(f64::INFINITY)),
    ] {
        assert_eq!(told(&d, bad.clone()), wrong, "{bad:?}");
    }
    let share = percent();
    for (value, good) in [(0.0, true), (100.0, true), (100.1, false), (-0.5, false)] {
        let found = told(&share, answer(1, 1, Cell::Number(value)));
        let expected = Err(("indicator-percent".to_owned(), "x.sql:22".to_owned()));
        assert_eq!(
            found,
            if good { Ok(Some(value)) } else { expected },
            "{value}"
        );
    }
    // What is no share of a hundred may be anything.
    assert_eq!(told(&d, answer(1, 1, Cell::Number(-7.0))), Ok(Some(-7.0)));
    // A figure of another unit is none, nor one of several, nor one of none where the indicator names one.
    let energy = definition(|text| text.replace("-- path", "-- unit_code: KWH\n-- path"));
    let of = |unit: Option<&str>| Answer {
        unit: unit.map(str::to_owned),
        ..answer(1, 1, Cell::Number(5.0))
    };
    let other = Err(("indicator-unit".to_owned(), "x.sql:23".to_owned()));
    assert_eq!(told(&energy, of(Some("KWH"))), Ok(Some(5.0)));
    for unit in [Some("MWH"), Some("several"), Some(""), None] {
        assert_eq!(told(&energy, of(unit)), other, "{unit:?}");
    }
    let untold = Err(("indicator-unit".to_owned(), "x.sql:22".to_owned()));
    assert_eq!(told(&d, of(Some("KWH"))), untold);
}

#[test]
fn towns_add_up_or_are_averaged() {
    let of = |word: &str| {
        definition(|text| {
            text.replace("-- path", &format!("-- towns: {word}\n-- path"))
                + "-- towns:\nSELECT town_code, 1 AS value\n"
        })
    };
    let values = || [1.0, 2.0, 6.0].into_iter();
    assert_eq!(of("sum").of_towns(values()), Some(9.0));
    assert_eq!(of("mean").of_towns(values()), Some(3.0));
    assert_eq!(of("mean").of_towns([].into_iter()), None);
    assert_eq!(plain().of_towns(values()), None);
    assert_eq!((plain().towns, of("sum").towns_sql_line), (Towns::None, 27));
}

fn some(types: &[&str]) -> Types {
    Types::Some(types.iter().map(|t| (*t).to_owned()).collect())
}

/// A city with an indicator of racks, one of reports, one that asks for the time, and one of which nobody knows what it reads.
fn schedule() -> Schedule {
    let mut schedule = Schedule::default();
    schedule.set(all("SELECT 1"));
    schedule
}

fn all(racks: &str) -> Vec<(String, String, Reads)> {
    let reads = [
        (
            "racks",
            racks,
            Reads {
                types: some(&["ServerRack"]),
                ..Reads::default()
            },
        ),
        (
            "reports",
            "SELECT 2",
            Reads {
                tables: ["indicator_reports".to_owned()].into(),
                ..Reads::default()
            },
        ),
        (
            "clock",
            "SELECT 3",
            Reads {
                types: some(&["WaterObserved"]),
                clock: true,
                ..Reads::default()
            },
        ),
        (
            "others",
            "SELECT 4",
            Reads {
                others: true,
                ..Reads::default()
            },
        ),
    ];
    let owned = reads.map(|(id, sql, reads)| (id.to_owned(), sql.to_owned(), reads));
    owned.into()
}

const TIMES: Times = Times {
    recompute_seconds: 3_600,
    clock_seconds: 300,
    at_once_max: 3,
    quick_max: Duration::from_millis(100),
};

fn second(n: i64) -> Timestamp {
    Timestamp::from_seconds(1_790_000_000 + n)
}

#[test]
fn only_what_changed_is_measured_and_all_of_it_from_time_to_time() {
    let mut city = schedule();
    // After a start everything is, a few at a time; then nothing.
    assert_eq!(
        city.take(Lane::Quick, TIMES, second(0)),
        ["clock", "others", "racks"]
    );
    assert_eq!(city.take(Lane::Quick, TIMES, second(1)), ["reports"]);
    for n in 2..300 {
        assert_eq!(
            city.take(Lane::Quick, TIMES, second(n)),
            Vec::<String>::new()
        );
    }
    // Whose data changed; what reads the unknown is touched by anything.
    let racks = Changes {
        types: some(&["ServerRack", "Streetlight"]),
        ..Changes::default()
    };
    city.note(&racks);
    assert_eq!(
        city.take(Lane::Quick, TIMES, second(299)),
        ["others", "racks"]
    );
    city.note(&Changes {
        tables: ["indicator_reports".to_owned(), "cases".to_owned()].into(),
        ..Changes::default()
    });
    assert_eq!(
        city.take(Lane::Quick, TIMES, second(299)),
        ["others", "reports"]
    );
    city.note(&Changes::default());
    assert_eq!(
        city.take(Lane::Quick, TIMES, second(299)),
        Vec::<String>::new()
    );
    // Too many to name: every reader of entities. There are more than may be at once, for their data changed.
    city.note(&Changes {
        types: Types::All,
        tables: ["indicator_reports".to_owned()].into(),
    });
    assert_eq!(
        city.take(Lane::Quick, TIMES, second(299)),
        ["clock", "others", "racks", "reports"]
    );
    // The one that reads the time after five minutes, the others after an hour, the oldest first.
    assert_eq!(
        city.take(Lane::Quick, TIMES, second(598)),
        Vec::<String>::new()
    );
    assert_eq!(city.take(Lane::Quick, TIMES, second(599)), ["clock"]);
    city.measured("racks", second(700));
    assert_eq!(
        city.take(Lane::Quick, TIMES, second(3_899)),
        ["others", "reports", "clock"]
    );
    // What changes while it is measured is measured again; and a clock that goes back stops nothing.
    city.note(&racks);
    assert_eq!(
        city.take(Lane::Quick, TIMES, second(3_900)),
        ["others", "racks"]
    );
    city.note(&racks);
    assert_eq!(
        city.take(Lane::Quick, TIMES, second(3_901)),
        ["others", "racks"]
    );
    assert_eq!(city.take(Lane::Quick, TIMES, second(0)).len(), 3);
}

#[test]
fn what_takes_long_is_measured_apart_and_what_became_quick_again_is_not() {
    let mut city = schedule();
    let all_at_once = Times {
        at_once_max: 9,
        ..TIMES
    };
    assert_eq!(
        city.take(Lane::Slow, all_at_once, second(0)),
        Vec::<String>::new()
    );
    assert_eq!(city.take(Lane::Quick, all_at_once, second(0)).len(), 4);
    let racks = Changes {
        types: some(&["ServerRack"]),
        ..Changes::default()
    };
    for (ms, lane, other) in [
        (101, Lane::Slow, Lane::Quick),
        (100, Lane::Quick, Lane::Slow),
    ] {
        city.took("racks", Duration::from_millis(ms));
        city.took("unknown", Duration::from_millis(ms));
        city.note(&racks);
        let of_other = city.take(other, all_at_once, second(1));
        assert!(!of_other.contains(&"racks".to_owned()), "{of_other:?}");
        let of_lane = city.take(lane, all_at_once, second(1));
        assert!(of_lane.contains(&"racks".to_owned()), "{of_lane:?}");
    }
}

#[test]
fn another_query_is_measured_anew_and_the_same_is_not() {
    let mut city = schedule();
    let at_once = Times {
        at_once_max: 9,
        ..TIMES
    };
    assert_eq!(city.take(Lane::Quick, at_once, second(0)).len(), 4);
    city.set(all("SELECT 1"));
    assert_eq!(
        city.take(Lane::Quick, at_once, second(1)),
        Vec::<String>::new()
    );
    city.set(all("SELECT 5"));
    assert_eq!(city.take(Lane::Quick, at_once, second(1)), ["racks"]);
    assert_eq!(
        city.tables().into_iter().collect::<Vec<_>>(),
        ["indicator_reports"]
    );
    city.set(Vec::new());
    assert_eq!(
        city.take(Lane::Quick, at_once, second(9_999)),
        Vec::<String>::new()
    );
}
