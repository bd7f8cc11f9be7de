//! A class of the catalogue gives a case its workflow, its calendar and its limits; they stay as they were when it was opened; and
//! figures are grouped by unit grid.

use crate::support::{City, T0, act, city, duty};
use cases::catalogue::{Catalogue, MajorClass};
use cases::figures::{By, Kind, figures};
use cases::{Cases, NewCase, Options};

fn class(minutes: u32) -> MajorClass {
    toml::from_str(&format!(
        "kind = \"event\"\ncode = \"04\"\ntitle_zh = \"突发事件\"\ntitle_en = \"Sudden\"\nsource = \"x\"\n[[minor]]\ncode = \"01\"\n\
         title_zh = \"路面塌陷\"\ntitle_en = \"Caved in\"\norganisation = \"roads\"\nfiles_zh = \"a\"\nfiles_en = \"a\"\ncloses_zh = \"b\"\n\
         closes_en = \"b\"\nminutes = {minutes}\ncalendar = \"always\"\n"
    ))
    .unwrap()
}

fn with(city: &City, class: &MajorClass) -> Cases {
    let options = Options {
        catalogue: Catalogue::new([class]),
        ..Options::new(city.dir.path().join("attachments"))
    };
    Cases::new(city.records.clone(), options, Vec::new()).unwrap()
}

fn caved_in(grid: &str) -> NewCase {
    NewCase {
        title: "塌陷".to_owned(),
        category: Some("S0401".to_owned()),
        grid: Some(grid.to_owned()),
        ..NewCase::default()
    }
}

#[tokio::test]
async fn the_limits_of_a_class_hold_for_its_cases_and_stay_as_they_were() {
    let city = city().await;
    let cases = with(&city, &class(90));
    let new = caved_in("429006001001001");
    let case = cases.open(&new, &duty(), T0).await.unwrap().case;
    // 30 + 30 + 60 + 90 + 120 + 60 min.
    assert_eq!(case.case_due_at, Some(T0.plus_seconds(390 * 60)));
    assert_eq!(case.grid.as_deref(), Some("429006001001001"));
    // The catalogue changes; the case goes on as it was opened.
    let cases = with(&city, &class(600));
    let go = async |case, act| cases.act(case, &act, &duty(), T0).await.unwrap();
    go(case.id, act("file")).await;
    go(case.id, crate::support::dispatched()).await;
    let field = crate::support::field(crate::support::FIELD, "water");
    let taken = cases.act(case.id, &act("take"), &field, T0).await.unwrap();
    assert_eq!(taken.case.due_at, Some(T0.plus_seconds(90 * 60)));
    let newer = cases.open(&new, &duty(), T0).await.unwrap().case;
    assert_eq!(newer.case_due_at, Some(T0.plus_seconds(900 * 60)));
    // A class that the catalogue does not know is kept as it was said, with the workflow's own limits.
    let other = NewCase {
        category: Some("S9999".to_owned()),
        ..caved_in("1")
    };
    let other = cases.open(&other, &duty(), T0).await.unwrap().case;
    assert_eq!(other.case_due_at, Some(T0.plus_seconds(4_320 * 60)));
}

#[tokio::test]
async fn figures_are_grouped_by_unit_grid() {
    let city = city().await;
    let cases = with(&city, &class(90));
    for grid in ["1", "1", "2"] {
        let case = cases.open(&caved_in(grid), &duty(), T0).await.unwrap().case;
        cases.act(case.id, &act("file"), &duty(), T0).await.unwrap();
    }
    let facts = cases
        .facts(T0.plus_seconds(-1), T0.plus_seconds(60), T0.plus_seconds(1))
        .await
        .unwrap();
    let by = figures(&facts, By::Grid);
    assert_eq!(by[&Some("1".to_owned())].count(Kind::Filed), 2);
    assert_eq!(by[&Some("2".to_owned())].count(Kind::Filed), 1);
}

#[tokio::test]
async fn a_class_with_a_workflow_or_calendar_that_is_not_there_is_refused() {
    let city = city().await;
    for (class, code) in [
        (
            MajorClass {
                workflow: Some("nowhere".to_owned()),
                ..class(1)
            },
            "category-workflow",
        ),
        (
            {
                let mut odd = class(1);
                odd.minors[0].calendar = Some("moon".to_owned());
                odd
            },
            "calendar-unknown",
        ),
    ] {
        let options = Options {
            catalogue: Catalogue::new([&class]),
            ..Options::new(city.dir.path().join("attachments"))
        };
        let failure = Cases::new(city.records.clone(), options, Vec::new()).unwrap_err();
        assert!(format!("{failure:?}").contains(code), "{failure:?}");
    }
}
