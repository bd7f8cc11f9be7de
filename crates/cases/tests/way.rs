//! Which workflow a case follows: the one it was opened with, as it was then.

use crate::support::{City, T0, act, city, code, dispatched, duty, noted, raise, worker};
use cases::{Cases, NewCase, Options, Workflow};
use records::Records;

/// The water pack's own workflow.
const FLOOD: &str = include_str!("../../../packs/pack-water/workflows/flood-case.toml");

fn with_workflow(city: &City, text: Option<&str>) -> Cases {
    let options = Options::new(city.dir.path().join("attachments"));
    let workflows = text.map(|text| Workflow::parse(text, "flood-case.toml").unwrap());
    Cases::new(
        city.records.clone(),
        options,
        workflows.into_iter().collect(),
    )
    .unwrap()
}

fn flood(alert: Option<i64>) -> NewCase {
    NewCase {
        title: "超保证水位".to_owned(),
        alert_id: alert,
        workflow: Some("flood-case".to_owned()),
        ..NewCase::default()
    }
}

#[tokio::test]
async fn a_flood_is_dispatched_at_once_and_closed_by_verifying() {
    let mut city = city().await;
    city.cases = with_workflow(&city, Some(FLOOD));
    let alert = raise(&city.records, 7).await;
    let opened = city
        .cases
        .open(&flood(Some(alert.id)), &duty(), T0)
        .await
        .unwrap();
    let id = opened.case.id;
    assert_eq!(
        (opened.case.workflow.as_str(), opened.case.workflow_version),
        ("flood-case", 1)
    );
    assert_eq!(opened.case.due_at, Some(T0.plus_seconds(300)));
    assert_eq!(opened.actions, ["dispatch", "cancel", "comment"]);
    assert_eq!(
        opened.way,
        ["collected", "dispatched", "handling", "handled", "closed"]
    );
    let failure = city
        .cases
        .act(id, &act("file"), &duty(), T0)
        .await
        .unwrap_err();
    assert_eq!(code(&failure), "unknown-action");
    city.step(id, &dispatched(), &duty()).await;
    city.step(id, &act("take"), &worker()).await;
    city.step(id, &noted("finish"), &worker()).await;
    let failure = city
        .cases
        .act(id, &act("verify"), &worker(), T0)
        .await
        .unwrap_err();
    assert_eq!(code(&failure), "permission-missing");
    let closed = city.step(id, &act("verify"), &duty()).await;
    assert_eq!(
        (closed.case.state.as_str(), closed.case.closed_at),
        ("closed", Some(T0))
    );
    // The others go the way that every city has.
    let other = city.open().await;
    assert_eq!(other.case.workflow, cases::workflow::STANDARD);
    assert_eq!(
        other.actions,
        ["file", "cancel", "comment", "supervise", "duplicate"]
    );
    assert_eq!((other.way.len(), other.way[1].as_str()), (7, "filed"));
}

#[tokio::test]
async fn a_case_goes_on_by_the_workflow_that_it_was_opened_with() {
    let mut city = city().await;
    city.cases = with_workflow(&city, Some(FLOOD));
    let first = city
        .cases
        .open(&flood(None), &duty(), T0)
        .await
        .unwrap()
        .case;
    // The pack changes: its cases can no longer be dispatched from where they are opened.
    let changed = FLOOD
        .replace(
            "from = [\"collected\", \"dispatched\", \"handling\"]",
            "from = [\"handling\"]",
        )
        .replace(
            "from = [\"dispatched\"]",
            "from = [\"collected\", \"dispatched\"]",
        );
    city.cases = with_workflow(&city, Some(&changed));
    let second = city.cases.open(&flood(None), &duty(), T0).await.unwrap();
    assert_eq!(second.case.workflow_version, 2);
    assert_eq!(second.actions, ["cancel", "comment"]);
    let third = city.cases.open(&flood(None), &duty(), T0).await.unwrap();
    assert_eq!(third.case.workflow_version, 2);
    let read = city.cases.case(first.id, &duty()).await.unwrap();
    assert_eq!(read.case.workflow_version, 1);
    assert_eq!(read.actions, ["dispatch", "cancel", "comment"]);
    city.step(first.id, &dispatched(), &duty()).await;
    // The pack goes away: its cases go on, and no others are opened.
    city.cases = with_workflow(&city, None);
    let taken = city.step(first.id, &act("take"), &worker()).await;
    assert_eq!(taken.actions, ["finish", "comment"]);
    let failure = city
        .cases
        .open(&flood(None), &duty(), T0)
        .await
        .unwrap_err();
    assert_eq!(code(&failure), "workflow-missing");
    // As it was at first: no new version.
    city.cases = with_workflow(&city, Some(FLOOD));
    let again = city.cases.open(&flood(None), &duty(), T0).await.unwrap();
    assert_eq!(again.case.workflow_version, 1);
}

#[tokio::test]
async fn a_case_from_before_definitions_were_kept_follows_the_present_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    std::fs::write(
        &path,
        include_bytes!("../../records/fixtures/records-v1.sqlite"),
    )
    .unwrap();
    let records = Records::open(&path).await.unwrap();
    let options = Options::new(dir.path().join("attachments"));
    let cases = Cases::new(records, options, Vec::new()).unwrap();
    let old = cases.case(1, &duty()).await.unwrap();
    assert_eq!(old.case.workflow_version, 0);
    let noted = cases.act(1, &noted("comment"), &duty(), T0).await.unwrap();
    assert_eq!(noted.history.last().unwrap().action, "comment");
}
