//! What is refused of a tariff, and what it says at a moment.

use crate::common::{at, checked, days, plain, session, tariff};
use charging::days::DayKind;
use charging::split::stretches;
use charging::written::Written;
use charging::{DoubtKind, PeriodKind, Price, Standing, Tariff};

const GOOD: &str = r#"
id = "t"
title_zh = "电价"
title_en = "Tariff"
[[versions]]
id = "a"
first = "2026-01-01"
last = "2026-06-30"
[versions.prices]
flat = { energy = "0.6", service = "0.4" }
valley = { energy = "0.3" }
[[versions.days]]
kinds = ["holiday"]
hours = ["00:00-24:00 valley"]
[[versions.days]]
hours = ["00:00-06:00 valley", "06:00-24:00 flat"]
[versions.parking]
unit_minutes = 30
fen_per_unit = 100
"#;

fn codes(text: &str) -> Vec<String> {
    let written: Written = toml::from_str(text).unwrap();
    let told = Tariff::new(&written).err().unwrap_or_default();
    assert!(told.iter().all(model::Told::is_translated));
    told.into_iter().map(|told| told.code).collect()
}

#[test]
fn mistakes_are_told() {
    assert_eq!(codes(GOOD), [""; 0]);
    let cases = [
        ("\"0.6\"", "\"0.60001\"", "charging-price"),
        ("\"0.6\"", "\"-1\"", "charging-price"),
        (
            "06:00-24:00 flat",
            "06:00-23:59 flat",
            "charging-tariff-hours",
        ),
        (
            "06:00-24:00 flat",
            "05:59-24:00 flat",
            "charging-tariff-hours",
        ),
        (
            "06:00-24:00 flat",
            "06:01-24:00 flat",
            "charging-tariff-hours",
        ),
        (
            "06:00-24:00 flat",
            "06:00-24:01 flat",
            "charging-tariff-hours",
        ),
        (
            "06:00-24:00 flat",
            "06:00-24:00 noon",
            "charging-tariff-hours",
        ),
        (
            "06:00-24:00 flat",
            "06:00-24:00 peak",
            "charging-tariff-hours",
        ),
        (
            "06:00-24:00 flat",
            "+6:00-24:00 flat",
            "charging-tariff-hours",
        ),
        (
            "kinds = [\"holiday\"]",
            "months = [13]",
            "charging-tariff-days",
        ),
        ("kinds = [\"holiday\"]", "", "charging-tariff-days"),
        (
            "last = \"2026-06-30\"",
            "last = \"2025-06-30\"",
            "charging-tariff-validity",
        ),
        ("unit_minutes = 30", "unit_minutes = 0", "charging-fee"),
        (
            "unit_minutes = 30",
            "unit_minutes = 30\nhours = [\"08:00-12:00\", \"11:00-13:00\"]",
            "charging-fee",
        ),
        ("fen_per_unit = 100", "fen_per_unit = -1", "charging-fee"),
    ];
    for (old, new, code) in cases {
        assert!(
            codes(&GOOD.replace(old, new))
                .iter()
                .any(|found| found == code),
            "{new}"
        );
    }
    let second = GOOD[GOOD.find("[[versions]]").unwrap()..]
        .replace("2026-01-01", "2026-06-30")
        .replace("2026-06-30\"\nlast = \"2026-06-30", "2026-06-30");
    assert!(codes(&format!("{GOOD}{second}")).contains(&"charging-tariff-validity".to_owned()));
    assert!(
        codes(&GOOD[..GOOD.find("[[versions]]").unwrap()].replace(
            "title_en = \"Tariff\"",
            "title_en = \"Tariff\"\nversions = []"
        ))
        .contains(&"charging-tariff-size".to_owned())
    );
    let uncovered = GOOD.replace(
        "hours = [\"00:00-06:00",
        "kinds = [\"workday\"]\nhours = [\"00:00-06:00",
    );
    assert_eq!(codes(&uncovered), ["charging-tariff-days"]);
}

#[test]
fn a_moment_has_one_price() {
    let (days, station) = (days(), tariff("hubei-station"));
    let kind = |time: &str| {
        station
            .at(at(time), &days)
            .map(|(version, period)| (version.id().to_owned(), period.kind))
    };
    let h1 = |kind| Some(("2026-h1".to_owned(), kind));
    assert_eq!(kind("2026-03-10T00:00:00"), h1(PeriodKind::Valley));
    assert_eq!(kind("2026-03-10T05:59:59"), h1(PeriodKind::Valley));
    assert_eq!(kind("2026-03-10T06:00:00"), h1(PeriodKind::Flat));
    assert_eq!(kind("2026-03-10T18:00:00"), h1(PeriodKind::Sharp));
    assert_eq!(kind("2026-03-10T23:59:59"), h1(PeriodKind::Peak));
    assert_eq!(
        kind("2026-07-10T18:00:00"),
        Some(("2026-h2".to_owned(), PeriodKind::Peak))
    );
    assert_eq!(kind("2025-12-31T23:59:59"), None);
    assert_eq!(kind("2027-01-01T00:00:00"), None);
    let (_, period) = station.at(at("2026-03-10T18:00:00"), &days).unwrap();
    assert_eq!(
        (period.energy, period.service),
        (Price(10_713), Price(3_500))
    );
}

#[test]
fn days_are_those_of_the_city() {
    let days = days();
    for (day, kind) in [
        ("2026-01-01", DayKind::Holiday),
        ("2026-01-04", DayKind::Workday),
        ("2026-01-10", DayKind::Weekend),
        ("2026-02-14", DayKind::Workday),
        ("2026-02-16", DayKind::Holiday),
        ("2026-10-10", DayKind::Workday),
        ("2026-10-12", DayKind::Workday),
    ] {
        assert_eq!(days.kind(day.parse().unwrap()), kind, "{day}");
    }
    assert!(
        days.is_known("2026-12-31".parse().unwrap())
            && !days.is_known("2027-01-01".parse().unwrap())
    );
}

#[test]
fn a_time_without_a_tariff_or_a_known_day_holds_the_bill() {
    let days = days();
    let of = |name: &str, from: &str, until: &str| {
        stretches(&tariff(name), &days, at(from), at(until)).map_err(|doubt| doubt.kind)
    };
    assert_eq!(
        of(
            "hubei-station",
            "2026-12-31T23:00:00",
            "2027-01-01T01:00:00"
        ),
        Err(DoubtKind::NoTariff)
    );
    assert_eq!(
        of("kinds", "2026-12-31T23:00:00", "2027-01-01T01:00:00"),
        Err(DoubtKind::UnknownDay)
    );
    assert_eq!(
        of("hubei-home", "2026-12-31T23:00:00", "2027-01-01T01:00:00")
            .unwrap()
            .len(),
        1,
        "no kinds of days"
    );
    let mut events = plain();
    for event in &mut events {
        event.at = event.at.map(|at| at.plus_seconds(-400 * 86_400));
    }
    let bill = charging::bill(&session(&events), &tariff("hubei-station"), &days).unwrap();
    assert_eq!((bill.standing, bill.lines.len()), (Standing::Held, 0));
}

#[test]
fn the_example_of_the_documentation_is_good() {
    let source = include_str!("../src/written.rs");
    let text: Vec<&str> = source
        .lines()
        .skip_while(|line| !line.starts_with("//! ```toml"))
        .skip(1)
        .take_while(|line| !line.starts_with("//! ```"))
        .map(|line| line.trim_start_matches("//!"))
        .collect();
    let with_all_days = format!("{}\n", text.join("\n"))
        .replace("months = [7, 8]", "")
        .replace("kinds = [\"workday\"]", "");
    assert_eq!(checked(&with_all_days).id(), "station-tou");
}
