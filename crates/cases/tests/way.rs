//! Which workflow a case follows: the one it was opened with, as it was then.

use crate::support::{City, T0, act, city, code, dispatched, duty, noted, raise, worker};
use cases::{Cases, NewCase, Options, Step, Workflow};
use records::cases::{CaseFilter, Order};
use records::{PageRequest, Records};

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

/// Begins in a state that no other workflow has, without a clock; what others call handling is verifying here.
const OWN: &str = r#"
name = "own"
title_zh = "自定"
title_en = "Own"
initial = "noted"
open_may = ["case.open"]
[[states]]
name = "noted"
step = "file"
title_zh = "已登记"
title_en = "Noted"
[[states]]
name = "handling"
step = "verify"
title_zh = "复看"
title_en = "Looked at again"
minutes = 10
[[states]]
name = "closed"
title_zh = "已结案"
title_en = "Closed"
final = true
[[transitions]]
action = "look"
from = ["noted"]
to = "handling"
may = ["case.dispatch"]
[[transitions]]
action = "end"
from = ["handling"]
to = "closed"
may = ["case.dispatch"]
"#;

#[tokio::test]
async fn cases_of_every_workflow_stand_on_the_board_by_step_also_when_theirs_is_gone() {
    let mut city = city().await;
    city.cases = with_workflow(&city, Some(OWN));
    let mut noted = Vec::new();
    for n in 0..5 {
        let new = NewCase {
            title: format!("井盖第{n}件"),
            workflow: Some("own".to_owned()),
            ..NewCase::default()
        };
        noted.push(city.cases.open(&new, &duty(), T0).await.unwrap().case.id);
    }
    let looked = noted.pop().unwrap();
    city.step(looked, &act("look"), &duty()).await;
    let new = NewCase {
        title: "井盖缺失".to_owned(),
        ..NewCase::default()
    };
    let filed = city.cases.open(&new, &duty(), T0).await.unwrap().case.id;
    city.step(filed, &act("file"), &duty()).await;
    let standard = city.cases.open(&new, &duty(), T0).await.unwrap().case.id;
    for step in [act("file"), dispatched()] {
        city.step(standard, &step, &duty()).await;
    }
    city.step(standard, &act("take"), &worker()).await;

    let everywhere = CaseFilter::default();
    // All of them hold these words, so that a board of them is the same.
    let worded = CaseFilter {
        text: Some("井盖".to_owned()),
        ..CaseFilter::default()
    };
    let ids = |column: &cases::BoardColumn| -> Vec<i64> {
        column.cases.items.iter().map(|case| case.id).collect()
    };
    let column = |board: &[cases::BoardColumn], step| {
        let found = board.iter().find(|column| column.step == step);
        found.map(ids).unwrap_or_default()
    };
    let board = city.cases.board(None, &everywhere, T0).await.unwrap();
    // What has a clock comes before what has none.
    let filed_first: Vec<i64> = [filed].into_iter().chain(noted.clone()).collect();
    assert_eq!(column(&board, Step::File), filed_first);
    assert_eq!(column(&board, Step::Handle), [standard]);
    assert_eq!(column(&board, Step::Verify), [looked]);
    let own = city
        .cases
        .board(Some("own"), &everywhere, T0)
        .await
        .unwrap();
    let states: Vec<_> = own
        .iter()
        .map(|column| (column.state.as_ref().unwrap().name.as_str(), ids(column)))
        .collect();
    assert_eq!(
        states,
        [("noted", noted.clone()), ("handling", vec![looked])]
    );

    let told = |board: Vec<cases::BoardColumn>| -> Vec<_> {
        let one =
            |c: &cases::BoardColumn| (c.step, c.count, c.overdue, ids(c), c.cases.next.clone());
        board.iter().map(one).collect()
    };
    for (workflow, plain) in [(None, board), (Some("own"), own)] {
        for now in [T0, T0.plus_seconds(86_400)] {
            let plain = match now {
                T0 => plain.clone(),
                now => city.cases.board(workflow, &everywhere, now).await.unwrap(),
            };
            let of_words = city.cases.board(workflow, &worded, now).await.unwrap();
            assert_eq!(told(of_words), told(plain), "{workflow:?} at {now}");
        }
    }
    let other = CaseFilter {
        text: Some("路灯".to_owned()),
        ..CaseFilter::default()
    };
    let none = city.cases.board(None, &other, T0).await.unwrap();
    assert!(
        none.iter()
            .all(|c| c.count == 0 && c.cases.items.is_empty())
    );

    // A column goes on as a list, page after page.
    for filter in [&everywhere, &worded] {
        let filter = CaseFilter {
            places: Some(city.cases.places_of(Step::File).await.unwrap()),
            order: Order::Urgent,
            ..filter.clone()
        };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let limit = Some(2);
            let page = PageRequest { after, limit };
            let page = city.cases.list(&filter, &page).await.unwrap();
            found.extend(page.items.iter().map(|case| case.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, filed_first);
    }

    // The pack is gone: what it left open stands where it stood, as far as nothing else is called so.
    city.cases = with_workflow(&city, None);
    let board = city.cases.board(None, &everywhere, T0).await.unwrap();
    assert_eq!(column(&board, Step::File), filed_first);
    let mut handled = column(&board, Step::Handle);
    handled.sort_unstable();
    assert_eq!(handled, [looked, standard]);
}
