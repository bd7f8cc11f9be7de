//! The assessment figures: computed from the history they are those that were counted while it happened, and each rule of
//! counting by example.

use crate::support::{City, FIELD, T0, act, city, duty, noted, worker};
use cases::figures::{By, Fact, Kind, figures};
use cases::{Act, Cases, NewCase, Options};
use model::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;

async fn facts(city: &City, now: Timestamp) -> Vec<Fact> {
    let (from, until) = (T0.plus_seconds(-86_400), T0.plus_seconds(86_400 * 3_000));
    city.cases.facts(from, until, now).await.unwrap()
}

fn counts(facts: &[Fact]) -> BTreeMap<Kind, u64> {
    let mut counts = BTreeMap::new();
    for fact in facts {
        *counts.entry(fact.kind).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn a_case_counts_for_the_department_that_had_it() {
    let city = city().await;
    let id = city.at("handled").await.case.id;
    let hour = |n: i64| T0.plus_seconds(n * 3_600);
    let of = async |act: &Act, who: &records::Acting, now| {
        city.cases.act(id, act, who, now).await.unwrap()
    };
    of(&noted("reject"), &duty(), hour(1)).await;
    let again = city.photo(id).await;
    of(&again, &worker(), hour(3)).await;
    of(&act("verify"), &duty(), hour(3)).await;
    of(&act("close"), &duty(), hour(4)).await;
    let all = facts(&city, hour(5)).await;
    let by = figures(&all, By::Organisation);
    let water = &by[&Some("water".to_owned())];
    assert_eq!(water.count(Kind::Handled), 2);
    assert_eq!(water.count(Kind::Reworked), 1);
    assert_eq!(water.handling_seconds, 2 * 3_600, "at once, then two hours");
    assert_eq!(
        (water.count(Kind::Closed), water.count(Kind::InTime)),
        (1, 1)
    );
    assert_eq!(water.decided(), 1);
    // Filed before it lay with a department.
    assert_eq!(by[&None].count(Kind::Filed), 1);
    assert_eq!(
        figures(&all, By::Workflow)[&Some("city-case".to_owned())].count(Kind::Filed),
        1
    );
    // Of another period: nothing.
    let none = city
        .cases
        .facts(hour(10), hour(11), hour(12))
        .await
        .unwrap();
    assert_eq!(none, []);
    let bad = city
        .cases
        .facts(hour(2), hour(2), hour(3))
        .await
        .unwrap_err();
    assert_eq!(crate::support::code(&bad), "figures-period");
}

#[tokio::test]
async fn a_drill_counts_in_no_figure_and_is_no_open_case() {
    let city = city().await;
    let new = |source: Option<&str>| NewCase {
        title: "水位超警".to_owned(),
        source: source.map(str::to_owned),
        ..NewCase::default()
    };
    let day = |n: i64| T0.plus_seconds(n * 86_400);
    let open = async || {
        let mut read = city.records.read().await.unwrap();
        let open = records::cases::count_open(&mut read, day(9)).await.unwrap();
        open.iter().map(|one| one.count).sum::<i64>()
    };
    let drill = new(Some("drill"));
    city.cases.open(&drill, &duty(), T0).await.unwrap();
    assert_eq!(facts(&city, day(9)).await, [], "not even overdue");
    assert_eq!(open().await, 0);
    city.cases.open(&new(None), &duty(), T0).await.unwrap();
    assert_eq!(counts(&facts(&city, day(9)).await)[&Kind::Overdue], 1);
    assert_eq!(open().await, 1);
}

#[tokio::test]
async fn what_is_overdue_stays_so_and_a_reopened_case_is_decided_again() {
    let city = city().await;
    let id = city.at("verified").await.case.id;
    let day = |n: i64| T0.plus_seconds(n * 86_400);
    assert_eq!(
        counts(&facts(&city, day(2)).await).get(&Kind::Overdue),
        None
    );
    let late = counts(&facts(&city, day(4)).await);
    assert_eq!(late[&Kind::Overdue], 1, "three days for the whole case");
    city.cases
        .act(id, &act("close"), &duty(), day(4))
        .await
        .unwrap();
    let closed = counts(&facts(&city, day(5)).await);
    assert_eq!(
        (closed[&Kind::Overdue], closed.get(&Kind::InTime)),
        (1, None)
    );
    assert_eq!(closed[&Kind::LateStep], 1);
    city.cases
        .act(id, &noted("reopen"), &duty(), day(6))
        .await
        .unwrap();
    let reopened = counts(&facts(&city, day(7)).await);
    assert_eq!(
        (reopened[&Kind::Overdue], reopened[&Kind::Reopened]),
        (1, 1)
    );
    assert_eq!(counts(&facts(&city, day(10)).await)[&Kind::Overdue], 2);
}

#[tokio::test]
async fn parts_count_for_their_departments_and_not_beside_the_whole() {
    let city = city().await;
    let whole = city.at("split").await;
    city.step(whole.parts[0].id, &act("take"), &worker()).await;
    let all = facts(&city, T0).await;
    let by = figures(&all, By::Organisation);
    assert_eq!(by[&Some("water".to_owned())].count(Kind::Filed), 1);
    assert_eq!(by[&Some("roads".to_owned())].count(Kind::Filed), 1);
    let town = figures(&all, By::Town);
    assert_eq!(town.len(), 1);
    assert_eq!(town[&None].count(Kind::Filed), 1);
    let limits = Options {
        figures_cases_max: 1,
        ..Options::new(city.dir.path().join("attachments"))
    };
    let few = Cases::new(city.records.clone(), limits, Vec::new()).unwrap();
    let failure = few.facts(T0, T0.plus_seconds(1), T0).await.unwrap_err();
    assert_eq!(crate::support::code(&failure), "figures-too-many");
}

/// What somebody who watches counts, without reading any history.
#[derive(Default)]
struct Watcher {
    counts: BTreeMap<Kind, u64>,
    filed: Vec<i64>,
    /// The due time of each open round that is not decided.
    rounds: BTreeMap<i64, Option<Timestamp>>,
}

impl Watcher {
    fn count(&mut self, kind: Kind) {
        *self.counts.entry(kind).or_default() += 1;
    }

    fn time_is(&mut self, now: Timestamp) {
        let passed: Vec<i64> = self
            .rounds
            .iter()
            .filter(|(_, due)| due.is_some_and(|due| due < now))
            .map(|(id, _)| *id)
            .collect();
        for id in passed {
            self.rounds.remove(&id);
            self.count(Kind::Overdue);
        }
    }

    fn saw(&mut self, action: &str, before: &cases::CaseDetail, after: &cases::CaseDetail) {
        let id = after.case.id;
        if matches!(action, "file" | "dispatch" | "take" | "split") && !self.filed.contains(&id) {
            self.filed.push(id);
            self.count(Kind::Filed);
        }
        if after.history.last().is_some_and(|h| h.late) {
            self.count(Kind::LateStep);
        }
        match action {
            "finish" => self.count(Kind::Handled),
            "reject" => self.count(Kind::Reworked),
            "return" => self.count(Kind::Returned),
            "supervise" => self.count(Kind::Supervised),
            "grant-extension" => self.count(Kind::Extended),
            "close" => {
                self.count(Kind::Closed);
                if self.rounds.contains_key(&id) {
                    self.count(Kind::InTime);
                }
            }
            "reopen" => {
                self.count(Kind::Reopened);
                self.rounds.insert(id, None);
            }
            _ => {}
        }
        let ended = after.case.closed_at.is_some();
        if ended && before.case.closed_at.is_none() {
            self.rounds.remove(&id);
        }
        let due = after
            .case
            .case_due_at
            .filter(|_| after.case.suspended_at.is_none());
        if let Some(round) = self.rounds.get_mut(&id) {
            *round = due;
        }
    }
}

const ACTIONS: &[&str] = &[
    "file",
    "dispatch",
    "take",
    "return",
    "finish",
    "verify",
    "reject",
    "close",
    "cancel",
    "comment",
    "ask-extension",
    "grant-extension",
    "refuse-extension",
    "supervise",
    "answer",
    "suspend",
    "resume",
    "reopen",
];

async fn live(steps: Vec<(usize, usize, i64)>) {
    let city = city().await;
    let mut watcher = Watcher::default();
    let mut now = T0;
    for _ in 0..3 {
        let id = city.open().await.case.id;
        let due = city.cases.case(id, &duty()).await.unwrap().case.case_due_at;
        watcher.rounds.insert(id, due);
    }
    let everyone = crate::support::acting(
        FIELD,
        None,
        &["case.open", "case.dispatch", "case.handle", "case.verify"],
    );
    for (n, (case, action, minutes)) in steps.into_iter().enumerate() {
        now = now.plus_seconds(minutes * 60);
        watcher.time_is(now);
        for ticked in city.cases.tick(now).await.unwrap() {
            match ticked.action {
                "escalate" => watcher.count(Kind::Escalated),
                _ => {
                    let due = ticked.case.case_due_at;
                    if let Some(round) = watcher.rounds.get_mut(&ticked.case.id) {
                        *round = due;
                    }
                }
            }
        }
        // A clock that ran again late may have passed meanwhile.
        watcher.time_is(now);
        let id = i64::try_from(case).unwrap() + 1;
        let mut act = Act {
            minutes: Some(60),
            until: Some(now.plus_seconds(7_200)),
            organisation: Some(if n % 2 == 0 { "water" } else { "roads" }.to_owned()),
            assignee: None,
            ..noted(ACTIONS[action])
        };
        if act.action == "finish" {
            let bytes = [crate::support::JPEG, n.to_string().as_bytes()].concat();
            if let Ok(photo) = city.cases.attach(id, "a.jpg", bytes, &everyone, now).await {
                act.attachment_ids = vec![photo.id];
            }
        }
        let before = city.cases.case(id, &everyone).await.unwrap();
        if let Ok(after) = city.cases.act(id, &act, &everyone, now).await {
            watcher.saw(&act.action, &before, &after);
        }
    }
    let end = now.plus_seconds(60);
    watcher.time_is(end);
    assert_eq!(counts(&facts(&city, end).await), watcher.counts);
    // Whatever the period is cut into, nothing is lost and nothing counts twice.
    let (from, middle, until) = (T0.plus_seconds(-1), now, end.plus_seconds(86_400 * 300));
    let mut parts = city.cases.facts(from, middle, end).await.unwrap();
    parts.extend(city.cases.facts(middle, until, end).await.unwrap());
    assert_eq!(counts(&parts), watcher.counts);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn figures_from_the_history_are_those_counted_while_it_happened(
        steps in prop::collection::vec((0..3_usize, 0..ACTIONS.len(), 0..900_i64), 20..90)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(steps));
    }
}

#[tokio::test]
async fn a_long_life_is_counted_right() {
    // Every action in its turn for each case, so that each kind happens at least once.
    let way = [
        "file",
        "dispatch",
        "ask-extension",
        "grant-extension",
        "take",
        "supervise",
        "answer",
        "return",
        "dispatch",
        "take",
        "finish",
        "reject",
        "finish",
        "verify",
        "close",
        "reopen",
    ];
    let mut steps = Vec::new();
    for (n, word) in way.iter().enumerate() {
        let action = ACTIONS.iter().position(|a| a == word).unwrap();
        for case in 0..3 {
            steps.push((case, action, i64::try_from(n).unwrap() * 20));
        }
    }
    live(steps).await;
}
