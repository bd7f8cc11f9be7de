//! Indicator files: read, refused with their line, and judged by the stated rule.

use indicators::{Definition, Direction, Method, Path, Status, Target, Towns, parse};
use jiff::civil::{Date, date};
use proptest::prelude::*;

const GOOD: &str = "\
-- # In-service 5G base stations.
-- id: 5g-base-stations
-- number: 1
-- origin: table
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 5G 网络
-- subgroup_en: 5G network
-- name_zh: 5G基站规模
-- name_en: 5G base stations
-- unit_zh: 个
-- unit_en: stations
-- direction: more
-- baseline: 398
-- baseline_year: 2020
-- target: 1800
-- target_year: 2025
-- method: computed
-- source_zh: 平台
-- source_en: the platform
-- path: linear
-- place: 规划目标·表 | 5G基站规模
SELECT count(*) AS value
FROM entities_now WHERE note <> 'a;b(';

-- rows:
SELECT entity_id FROM entities_now;
";

fn definition(baseline: Option<f64>, target: Target, direction: Direction) -> Definition {
    Definition {
        baseline,
        target,
        direction,
        ..parse("x.sql", GOOD).unwrap()
    }
}

#[test]
fn a_file_is_read() {
    let d = parse("x.sql", GOOD).unwrap();
    assert_eq!(
        (d.id.as_str(), d.number.as_str(), d.baseline, d.method),
        ("5g-base-stations", "1", Some(398.0), Method::Computed)
    );
    assert_eq!(
        d.target,
        Target {
            low: 1800.0,
            high: 1800.0
        }
    );
    assert_eq!(d.places[0].quote, "5G基站规模");
    assert!(d.sql.starts_with("SELECT count(*)") && d.sql.ends_with("'a;b('"));
    assert_eq!(
        (d.sql_line, d.rows_sql.as_str(), d.rows_sql_line),
        (23, "SELECT entity_id FROM entities_now", 27)
    );
}

#[test]
fn each_mistake_names_its_line() {
    for (from, to, code, line) in [
        ("-- number: 1\n", "", "indicator-key-missing", 1),
        ("-- number: 1\n", "-- number:\n", "indicator-empty", 3),
        (
            "-- number: 1\n",
            "-- number: 1\n-- nummer: 2\n",
            "indicator-unknown-key",
            4,
        ),
        (
            "-- number: 1\n",
            "-- number: 1\n-- number: 2\n",
            "indicator-key-twice",
            4,
        ),
        (
            "-- number: 1\n",
            "-- number: 1\n-- hello\n",
            "indicator-header",
            4,
        ),
        ("5g-base", "5G base", "indicator-id", 2),
        ("direction: more", "direction: up", "indicator-word", 13),
        ("baseline: 398", "baseline: 三百", "indicator-number", 14),
        (
            "baseline_year: 2020",
            "baseline_year: 20",
            "indicator-year",
            15,
        ),
        ("target: 1800", "target: 5..3", "indicator-range", 16),
        (
            "target_year: 2025",
            "target_year: 2019",
            "indicator-years",
            17,
        ),
        ("path: linear", "path: zigzag", "indicator-path", 21),
        (
            "-- place",
            "-- responsible: 经信局\n-- place",
            "indicator-responsible",
            22,
        ),
        ("-- place", "-- towns: many\n-- place", "indicator-word", 22),
        ("-- place", "-- towns: sum\n-- place", "indicator-towns", 22),
        (
            "SELECT entity_id FROM entities_now;\n",
            "SELECT entity_id FROM entities_now;\n-- towns:\nSELECT town_code, 1 AS value\n",
            "indicator-towns",
            29,
        ),
        ("unit_zh: 个", "unit_zh: %", "indicator-percent", 14),
        (" | 5G基站规模", "", "indicator-place", 22),
        ("SELECT count(*)", "DELETE count(*)", "indicator-sql", 23),
        ("count(*)", "count(*", "indicator-sql", 23),
        (
            "FROM entities_now WHERE",
            "FROM a; SELECT",
            "indicator-sql",
            24,
        ),
        ("AS value", "AS n", "indicator-sql", 23),
        (
            "-- rows:\nSELECT entity_id FROM entities_now;\n",
            "",
            "indicator-rows",
            25,
        ),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD);
        let problems = parse("x.sql", &text).unwrap_err();
        assert_eq!(
            (problems[0].code.as_str(), problems[0].place.as_str()),
            (code, format!("x.sql:{line}").as_str()),
            "{problems:?}"
        );
    }
}

#[test]
fn who_answers_and_the_towns_are_read() {
    let text = GOOD.replace(
        "-- place",
        "-- responsible: jingxin\n-- towns: mean\n-- place",
    ) + "\n-- towns:\nSELECT town_code, avg(x) AS value FROM t GROUP BY town_code;\n";
    let d = parse("x.sql", &text).unwrap();
    assert_eq!(
        (d.responsible.as_deref(), d.towns, d.towns_sql_line),
        (Some("jingxin"), Towns::Mean, 32)
    );
    assert!(d.towns_sql.starts_with("SELECT town_code") && d.towns_sql.ends_with("town_code"));
    assert_eq!(d.rows_sql, "SELECT entity_id FROM entities_now");
    let none = parse("x.sql", GOOD).unwrap();
    assert_eq!((none.responsible, none.towns), (None, Towns::None));
    // The towns before the rows; and towns without their code.
    let turned = "\n-- towns:\nSELECT 1\n-- rows:\nSELECT 2\n";
    let turned = GOOD.replace("\n-- rows:\nSELECT entity_id FROM entities_now;\n", turned);
    let codes = |text: &str| -> Vec<String> {
        let problems = parse("x.sql", text).unwrap_err();
        problems.into_iter().map(|p| p.code).collect()
    };
    assert!(codes(&turned).contains(&"indicator-rows".to_owned()));
    assert_eq!(
        codes(
            &text
                .replace("SELECT town_code, avg", "SELECT code, avg")
                .replace("BY town_code", "BY code")
        ),
        ["indicator-towns"]
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = GOOD
        .replace("number: 1", "number:")
        .replace("direction: more", "direction: up");
    assert_eq!(parse("x.sql", &text).unwrap_err().len(), 2);
}

#[test]
fn the_path_is_linear_in_days_and_flat_outside() {
    let d = parse("x.sql", GOOD).unwrap();
    assert_eq!(d.expected(date(2019, 1, 1)), Some(398.0));
    assert_eq!(d.expected(date(2020, 12, 31)), Some(398.0));
    assert_eq!(d.expected(date(2025, 12, 31)), Some(1800.0));
    assert_eq!(d.expected(date(2026, 11, 23)), Some(1800.0));
    // 2 × 365 of the 1826 days between the two year ends.
    let expected = d.expected(date(2022, 12, 31)).unwrap();
    assert!(
        (expected - (398.0 + 1402.0 * 730.0 / 1826.0)).abs() < 1e-9,
        "{expected}"
    );
    assert_eq!(d.yearly_path().len(), 6);
}

#[test]
fn milestones_bend_the_path() {
    let d = parse(
        "x.sql",
        &GOOD.replace("path: linear", "path: 2022=1000 2023=1500"),
    )
    .unwrap();
    assert_eq!(
        d.path,
        Path::Milestones(vec![(2022, 1000.0), (2023, 1500.0)])
    );
    assert_eq!(d.expected(date(2022, 12, 31)), Some(1000.0));
    assert_eq!(d.expected(date(2024, 12, 31)).map(f64::round), Some(1650.0));
}

#[test]
fn the_s_curve_is_slow_fast_slow_and_pinned_to_both_ends() {
    let d = parse("x.sql", &GOOD.replace("path: linear", "path: s-curve")).unwrap();
    assert_eq!(d.path, Path::SCurve);
    assert_eq!(d.expected(date(2020, 12, 31)), Some(398.0));
    assert_eq!(d.expected(date(2025, 12, 31)), Some(1800.0));
    // 913 of the 1826 days: half of the way. By hand, with L(s) = 1 / (1 + exp(-10 (s - 1/2))), at a tenth of the time
    // (L(0.1) - L(0)) / (L(1) - L(0)) = (0.0179862 - 0.0066929) / (0.9933071 - 0.0066929) = 0.0114466.
    let share = |day| (d.expected(day).unwrap() - 398.0) / 1402.0;
    assert!((share(date(2023, 7, 2)) - 0.5).abs() < 1e-9);
    let tenth = date(2020, 12, 31)
        .checked_add(jiff::Span::new().days(183))
        .unwrap();
    let time: f64 = 183.0 / 1826.0;
    let by_hand = 0.0114466 + (time - 0.1) * 0.179;
    assert!((share(tenth) - by_hand).abs() < 1e-5, "{}", share(tenth));
    let yearly = d.yearly_path();
    let steps: Vec<f64> = yearly.windows(2).map(|w| w[1].1 - w[0].1).collect();
    assert!(
        steps[0] < steps[1] && steps[1] < steps[2] && steps[2] > steps[3] && steps[3] > steps[4]
    );
    assert_eq!(d.status(Some(500.0), date(2021, 12, 31)), Status::OnPath);
}

#[test]
fn status_by_the_stated_rule() {
    let more = definition(
        Some(398.0),
        Target {
            low: 1800.0,
            high: 1800.0,
        },
        Direction::More,
    );
    let (during, after) = (date(2023, 7, 1), date(2026, 11, 23));
    for (value, day, status) in [
        (Some(1800.0), during, Status::Met),
        (Some(1300.0), during, Status::OnPath),
        (Some(900.0), during, Status::Behind),
        (Some(1799.0), after, Status::Behind),
        (Some(1800.0), after, Status::Met),
        (None, after, Status::Unknown),
        (Some(f64::NAN), after, Status::Unknown),
    ] {
        assert_eq!(more.status(value, day), status, "{value:?} {day}");
    }
    let pue = definition(
        None,
        Target {
            low: 1.4,
            high: 1.4,
        },
        Direction::Less,
    );
    assert_eq!(pue.status(Some(1.38), during), Status::Met);
    assert_eq!(
        pue.status(Some(1.6), during),
        Status::Unknown,
        "no baseline, no path"
    );
    assert_eq!(pue.status(Some(1.6), after), Status::Behind);
    let range = definition(
        Some(0.0),
        Target {
            low: 3.0,
            high: 5.0,
        },
        Direction::More,
    );
    assert_eq!(range.status(Some(3.0), after), Status::Met);
    assert_eq!(range.status(Some(2.0), after), Status::Behind);
}

proptest! {
    #[test]
    fn the_path_stays_between_its_ends(baseline in -1e6..1e6_f64, target in -1e6..1e6_f64, day in 0..6_000_i64) {
        let d = definition(Some(baseline), Target { low: target, high: target }, Direction::More);
        let day: Date = date(2015, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
        let expected = d.expected(day).unwrap();
        let slack = 1e-6;
        prop_assert!(expected >= baseline.min(target) - slack && expected <= baseline.max(target) + slack);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(-- ?[a-z_]{0,12}:? ?[^\n]{0,20}\n|[^\n]{0,20}\n|-- rows:\n|SELECT value\n){0,30}") {
        let _ = parse("x.sql", &text);
    }
}
