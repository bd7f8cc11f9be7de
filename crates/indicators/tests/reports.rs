//! Reported figures: periods, what a figure must be, the way from draft to approved, who may take which step, claims.

use indicators::reports::{
    Comparison, Every, Level, Period, Person, Standing, State, Step, check_text, check_value,
    may_decide, may_report,
};
use jiff::civil::{Date, date};
use model::Told;
use model::problem::both;
use proptest::prelude::*;

fn period(text: &str) -> Period {
    Period::parse(text).unwrap_or_else(|told| panic!("{text}: {told}"))
}

/// The code of a refusal, which must be said in both languages.
#[track_caller]
fn code<T: std::fmt::Debug>(refused: Result<T, Told>) -> String {
    let told = refused.unwrap_err();
    assert!(told.is_translated(), "{told}");
    assert!(!told.mend.zh.is_empty() && !told.mend.en.is_empty());
    told.code
}

#[test]
fn years_quarters_and_months_are_read_and_nothing_else() {
    for (text, shown, first, last) in [
        ("2025", "2025", date(2025, 1, 1), date(2025, 12, 31)),
        ("2025-Q3", "2025-Q3", date(2025, 7, 1), date(2025, 9, 30)),
        ("2025q1", "2025-Q1", date(2025, 1, 1), date(2025, 3, 31)),
        (" 2024-02 ", "2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2025-12", "2025-12", date(2025, 12, 1), date(2025, 12, 31)),
    ] {
        let read = period(text);
        assert_eq!(
            (read.as_str(), read.first(), read.last()),
            (shown, first, last),
            "{text}"
        );
        assert_eq!(period(read.as_str()), read, "{text}: written and read");
    }
    for odd in [
        "",
        "25",
        "2025-13",
        "2025-00",
        "2025-Q0",
        "2025-Q5",
        "2025-Q",
        "2025-1",
        "202510",
        "2025-10-01",
        "1899",
        "2201",
        "二〇二五",
        "2025年",
        "+025",
        "2025-+1",
        "2025--Q1",
    ] {
        assert_eq!(code(Period::parse(odd)), "report-period", "{odd}");
    }
}

#[test]
fn a_year_covers_its_parts_and_no_part_covers_a_year() {
    let year = period("2025");
    for part in ["2025", "2025-Q1", "2025-Q4", "2025-01", "2025-12"] {
        assert!(year.covers(&period(part)), "{part}");
        assert_eq!(period(part).covers(&year), part == "2025", "{part}");
    }
    for other in ["2024", "2026", "2024-Q4", "2026-01"] {
        assert!(!year.covers(&period(other)), "{other}");
    }
    assert!(period("2025-Q3").covers(&period("2025-09")));
    assert!(!period("2025-Q3").covers(&period("2025-10")));
}

#[test]
fn what_has_not_begun_is_not_reported_and_what_runs_is_not_locked() {
    let today = date(2026, 11, 28);
    for text in ["2026", "2026-Q4", "2026-11"] {
        let running = period(text);
        assert_eq!(running.must_have_begun(today), Ok(()), "{text}");
        assert_eq!(code(running.must_be_over(today)), "lock-early", "{text}");
        assert_eq!(running.as_of(today), today, "{text}: it speaks until today");
    }
    for text in ["2027", "2026-12", "2027-Q1"] {
        let future = period(text);
        assert_eq!(code(future.must_have_begun(today)), "report-future");
        assert_eq!(code(future.must_be_over(today)), "lock-early");
    }
    let past = period("2026-10");
    assert_eq!(past.must_be_over(today), Ok(()));
    assert_eq!(past.as_of(today), date(2026, 10, 31));
    // The last day itself belongs to the period.
    assert_eq!(code(past.must_be_over(date(2026, 10, 31))), "lock-early");
    assert_eq!(past.must_be_over(date(2026, 11, 1)), Ok(()));
    assert_eq!(past.must_have_begun(date(2026, 10, 1)), Ok(()));
}

#[test]
fn the_newest_period_that_is_over_is_wanted() {
    for (today, year, quarter, month) in [
        (date(2026, 1, 1), "2025", "2025-Q4", "2025-12"),
        (date(2026, 3, 31), "2025", "2025-Q4", "2026-02"),
        (date(2026, 4, 1), "2025", "2026-Q1", "2026-03"),
        (date(2026, 12, 31), "2025", "2026-Q3", "2026-11"),
    ] {
        for (every, wanted) in [("year", year), ("quarter", quarter), ("month", month)] {
            let every = Every::from_word(every).unwrap();
            let found = every.last_over(today).unwrap();
            assert_eq!(found.as_str(), wanted, "{today} {every:?}");
        }
    }
    assert_eq!(Every::from_word("week"), None);
}

proptest! {
    #[test]
    fn a_period_that_is_wanted_is_over_and_the_next_is_not(day in -20_000_i32..60_000) {
        let today: Date = date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
        for every in [Every::Year, Every::Quarter, Every::Month] {
            let found = every.last_over(today).unwrap();
            prop_assert_eq!(found.must_be_over(today), Ok(()));
            let days = (today - found.last()).get_days();
            let longest = match every { Every::Year => 366, Every::Quarter => 92, Every::Month => 31 };
            prop_assert!((1..=longest).contains(&days), "{} before {}", found.as_str(), today);
        }
    }

    #[test]
    fn no_text_makes_a_period_panic(text in "\\PC{0,12}") {
        if let Ok(read) = Period::parse(&text) {
            prop_assert_eq!(Period::parse(read.as_str()), Ok(read.clone()));
            prop_assert!(read.first() <= read.last());
        }
    }
}

#[test]
fn figures_are_finite_and_percentages_within_a_hundred() {
    for good in [0.0, 37.5, 100.0] {
        assert_eq!(check_value(good, "%"), Ok(()));
    }
    for (value, unit) in [(100.01, "%"), (-0.01, "%"), (1e9, "％")] {
        assert_eq!(code(check_value(value, unit)), "report-percent", "{value}");
    }
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(code(check_value(odd, "%")), "report-value");
        assert_eq!(code(check_value(odd, "个")), "report-value");
    }
    assert_eq!(check_value(1_800.0, "个"), Ok(()));
}

#[test]
fn evidence_is_needed_and_bounded() {
    let place = both("依据", "evidence");
    assert_eq!(
        check_text(" 天统〔2026〕3号 ", &place, true),
        Ok("天统〔2026〕3号")
    );
    for empty in ["", " \n\t"] {
        assert_eq!(code(check_text(empty, &place, true)), "report-empty");
        assert_eq!(check_text(empty, &place, false), Ok(""));
    }
    let long = "据".repeat(2_001);
    assert_eq!(code(check_text(&long, &place, true)), "report-long");
    assert!(check_text(&long[..long.len() - 3], &place, true).is_ok());
}

#[test]
fn a_report_goes_from_draft_through_each_level_and_no_other_way() {
    let at = |state, agreed| Standing { state, agreed };
    use State::*;
    for levels in 1..=3 {
        let mut standing = at(Draft, 0).after(Step::Submit, levels).unwrap();
        for level in 1..=levels {
            assert_eq!(standing, at(Submitted, level - 1));
            let returned = standing.after(Step::Return, levels).unwrap();
            assert_eq!(returned, at(Returned, 0));
            assert_eq!(returned.after(Step::Submit, levels), Ok(at(Submitted, 0)));
            standing = standing.after(Step::Approve, levels).unwrap();
        }
        assert_eq!(standing, at(Approved, levels));
    }
    // Every pair of state and step that leads nowhere.
    let mut possible = Vec::new();
    for state in State::ALL {
        assert_eq!(State::from_word(state.as_str()), Some(state));
        for step in Step::ALL {
            match at(state, 0).after(step, 2) {
                Ok(to) => possible.push(format!(
                    "{} {} {}",
                    state.as_str(),
                    step.as_str(),
                    to.state.as_str()
                )),
                refused => assert_eq!(code(refused), "report-state"),
            }
        }
    }
    assert_eq!(
        possible,
        [
            "draft submit submitted",
            "draft withdraw withdrawn",
            "submitted approve submitted",
            "submitted return returned",
            "submitted withdraw withdrawn",
            "returned submit submitted",
            "returned withdraw withdrawn",
        ]
    );
}

fn somebody<'a>(id: i64, organisations: &[&'a str], is_plan_office: bool) -> Person<'a> {
    Person {
        id,
        organisations: organisations.to_vec(),
        is_plan_office,
    }
}

#[test]
fn the_responsible_unit_reports_and_nobody_approves_their_own() {
    let (author, chief) = (
        somebody(1, &["jingxin"], false),
        somebody(2, &["jingxin"], false),
    );
    let other = somebody(3, &["shuili", "chengguan"], false);
    let office = somebody(4, &["fagai"], true);
    let unheld = somebody(5, &[], true);
    assert_eq!(may_report(Some("jingxin"), &author), Ok(()));
    assert_eq!(may_report(None, &other), Ok(()));
    assert_eq!(may_report(Some("jingxin"), &unheld), Ok(()));
    for stranger in [&other, &office] {
        assert_eq!(
            code(may_report(Some("jingxin"), stranger)),
            "report-organisation"
        );
    }
    let decide = |level, unit, agreed: &[i64], person| {
        may_decide(level, unit, Some(author.id), agreed, person)
    };
    let unit = Some("jingxin");
    assert_eq!(decide(Level::Unit, unit, &[], &chief), Ok(()));
    assert_eq!(
        decide(Level::PlanOffice, unit, &[chief.id], &office),
        Ok(())
    );
    for (level, agreed, person, refusal) in [
        (Level::Unit, &[][..], &author, "report-own"),
        (Level::Unit, &[], &other, "report-organisation"),
        (Level::Unit, &[], &office, "report-organisation"),
        (Level::Unit, &[], &unheld, "report-organisation"),
        (Level::PlanOffice, &[], &author, "report-own"),
        (Level::PlanOffice, &[], &chief, "report-plan-office"),
        (Level::PlanOffice, &[office.id], &office, "report-twice"),
    ] {
        assert_eq!(
            code(decide(level, unit, agreed, person)),
            refusal,
            "{level:?} {person:?}"
        );
    }
    // Where no unit is known, the plan office stands in for it, by two people all the same.
    assert_eq!(decide(Level::Unit, None, &[], &office), Ok(()));
    assert_eq!(
        code(decide(Level::Unit, None, &[], &other)),
        "report-plan-office"
    );
    // Somebody of the plan office who reported does not approve for it.
    let own = may_decide(Level::PlanOffice, None, Some(office.id), &[], &office);
    assert_eq!(code(own), "report-own");
}

#[test]
fn levels_are_named_in_order() {
    let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        Level::list(&words(&["unit", "plan-office"])),
        Ok(vec![Level::Unit, Level::PlanOffice])
    );
    for odd in [&[][..], &["chief"], &["unit"; 5]] {
        assert_eq!(code(Level::list(&words(odd))), "report-levels", "{odd:?}");
    }
}

#[test]
fn a_claim_is_compared_with_what_was_measured() {
    let over = Comparison::of(95.0, 90.0);
    assert_eq!(over.difference, 5.0);
    assert!((over.percent.unwrap() - 5.555_555_555_555_555).abs() < 1e-9);
    let under = Comparison::of(-3.0, -2.0);
    assert_eq!((under.difference, under.percent), (-1.0, Some(-50.0)));
    assert_eq!(Comparison::of(3.0, 0.0).percent, None);
    assert_eq!(Comparison::of(7.0, 7.0).difference, 0.0);
}
