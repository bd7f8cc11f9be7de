//! Cases on a real SQLite file: the whole way from an alert to an ended case, who may do which step, what
//! each step needs, two people at once, attachments, and what stands in history and audit afterwards.

use crate::support::{
    DUTY, FIELD, JPEG, OTHER_FIELD, ROAD_FIELD, T0, act, city, code, dispatched, duty, field,
    noted, raise, viewer, worker,
};
use cases::{Act, Cases, NewCase, Options, Workflow};
use records::cases::{CaseFilter, Mine};
use records::{Acting, ActorKind, Failure, PageRequest, Records, alerts, audit};

#[tokio::test]
async fn an_alert_becomes_a_closed_case_and_every_step_is_told() {
    let city = city().await;
    let alert = raise(&city.records, 7).await;
    let new = NewCase {
        alert_id: Some(alert.id),
        ..NewCase::default()
    };
    let opened = city.cases.open(&new, &duty(), T0).await.unwrap();
    let id = opened.case.id;
    assert_eq!(opened.case.number, "TM-20261123-0001");
    assert_eq!(opened.case.title, alert.title_zh);
    assert_eq!(opened.case.severity, "critical");
    assert_eq!(opened.case.location, Some([113.16, 30.65]));
    assert_eq!(opened.case.due_at, Some(T0.plus_seconds(1_800)));
    assert_eq!(
        opened.actions,
        ["file", "cancel", "comment", "supervise", "duplicate"]
    );
    assert_eq!(city.cases.alert(alert.id).await.unwrap().case_id, Some(id));

    city.step(id, &act("file"), &duty()).await;
    let to_person = Act {
        assignee: Some(FIELD),
        ..dispatched()
    };
    let sent = city.step(id, &to_person, &duty()).await;
    assert_eq!(sent.case.organisation.as_ref().unwrap().id, "water");
    assert_eq!(sent.case.assignee.as_ref().unwrap().name, "field");
    let taken = city.step(id, &act("take"), &worker()).await;
    assert_eq!(
        taken.actions,
        ["finish", "comment", "return", "ask-extension"]
    );
    let finish = city.photo(id).await;
    let finished = city.step(id, &finish, &worker()).await;
    assert_eq!(finished.case.state, "handled");
    city.step(id, &act("verify"), &duty()).await;
    let mut write = city.records.write().await.unwrap();
    let cleared = alerts::clear(&mut write, "river", &alert.entity_id, 90, T0)
        .await
        .unwrap()
        .unwrap();
    cases::note_cleared(&mut write, &cleared, T0).await.unwrap();
    write.commit().await.unwrap();
    let closed = city
        .cases
        .act(id, &act("close"), &duty(), T0.plus_seconds(7_200))
        .await
        .unwrap();

    assert_eq!(closed.case.state, "closed");
    assert_eq!(closed.case.closed_at, Some(T0.plus_seconds(7_200)));
    assert_eq!(
        (closed.case.due_at, closed.actions),
        (None, vec!["comment".to_owned(), "reopen".to_owned()])
    );
    let steps: Vec<_> = closed
        .history
        .iter()
        .map(|h| (h.action.as_str(), h.actor.as_str(), h.to_state.as_str()))
        .collect();
    assert_eq!(
        steps,
        [
            ("open", "user 1", "collected"),
            ("file", "user 1", "filed"),
            ("dispatch", "user 1", "dispatched"),
            ("take", "user 2", "handling"),
            ("finish", "user 2", "handled"),
            ("verify", "user 1", "verified"),
            ("alert-cleared", "system", "verified"),
            ("close", "user 1", "closed"),
        ]
    );
    let finish_step = &closed.history[4];
    assert_eq!(finish_step.note.as_deref(), Some("堤脚渗水，已填土袋"));
    assert_eq!(finish_step.attachments, finish.attachment_ids);
    assert_eq!(closed.history[2].assignee.as_ref().unwrap().id, FIELD);
    let assessment = closed.assessment.unwrap();
    assert_eq!((assessment.minutes, assessment.rejections), (120, 0));
    assert_eq!(
        assessment.late_states,
        ["verified"],
        "two hours where one is allowed"
    );

    let page = PageRequest {
        after: None,
        limit: Some(100),
    };
    let mut trail = audit::list(&mut city.records.read().await.unwrap(), &page)
        .await
        .unwrap()
        .items;
    trail.reverse();
    let actions: Vec<_> = trail.iter().map(|a| a.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "case.open",
            "case.file",
            "case.dispatch",
            "case.take",
            "case.attach",
            "case.finish",
            "case.verify",
            "case.close"
        ]
    );
    assert!(
        trail
            .iter()
            .all(|a| a.peer == "10.0.0.1" && a.target == "case:1")
    );
}

/// A state, and the actions in it of the duty officer, the field worker, and another department's.
type Allowed = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

/// Every action from every state, for four kinds of people: who may is exactly this.
#[tokio::test]
async fn each_transition_is_allowed_here_and_forbidden_elsewhere() {
    let city = city().await;
    let expected: &[Allowed] = &[
        // state, the duty officer, the field worker who has or may take it, another department's
        (
            "collected",
            &["file", "cancel", "comment", "supervise", "duplicate"],
            &["comment"],
            &["comment"],
        ),
        (
            "filed",
            &[
                "dispatch",
                "cancel",
                "comment",
                "supervise",
                "suspend",
                "split",
                "duplicate",
            ],
            &["comment"],
            &["comment"],
        ),
        (
            "dispatched",
            &[
                "dispatch",
                "cancel",
                "comment",
                "supervise",
                "suspend",
                "split",
                "duplicate",
            ],
            &["take", "comment", "return", "ask-extension"],
            &["comment"],
        ),
        (
            "handling",
            &["dispatch", "comment", "supervise", "suspend"],
            &["finish", "comment", "return", "ask-extension"],
            &["comment"],
        ),
        (
            "split",
            &["comment", "supervise", "split", "gather"],
            &["comment"],
            &["comment"],
        ),
        (
            "handled",
            &["verify", "reject", "comment", "supervise"],
            &["comment"],
            &["comment"],
        ),
        (
            "verified",
            &["close", "comment", "supervise"],
            &["comment"],
            &["comment"],
        ),
        ("closed", &["comment", "reopen"], &["comment"], &["comment"]),
        ("cancelled", &["comment"], &["comment"], &["comment"]),
    ];
    let workflow = Workflow::standard().unwrap();
    assert_eq!(expected.len(), workflow.states.len());
    for (state, for_duty, for_worker, for_others) in expected {
        let id = city.at(state).await.case.id;
        let people = [
            (duty(), *for_duty),
            (worker(), *for_worker),
            (field(ROAD_FIELD, "roads"), *for_others),
            (viewer(), &[][..]),
        ];
        for (who, allowed) in people {
            let seen = city.cases.case(id, &who).await.unwrap();
            assert_eq!(seen.actions, allowed, "{state} for {:?}", who.permissions);
            for transition in &workflow.transitions {
                let action = transition.action.as_str();
                if allowed.contains(&action) {
                    continue;
                }
                let failure = city
                    .cases
                    .act(id, &noted(action), &who, T0)
                    .await
                    .unwrap_err();
                let possible_here = transition.from.iter().any(|f| f == state);
                match &failure {
                    Failure::Conflict(p) => {
                        assert_eq!(p.code == "case-state", !possible_here, "{failure}");
                    }
                    Failure::Forbidden(_) => assert!(possible_here, "{failure}"),
                    other => panic!("{action} in {state}: {other:?}"),
                }
            }
            let after = city.cases.case(id, &who).await.unwrap();
            assert_eq!(after.case, seen.case, "what is refused changes nothing");
        }
    }
}

#[tokio::test]
async fn what_a_step_needs_is_asked_for() {
    let city = city().await;
    let filed = city.at("filed").await.case.id;
    let refused = async |id, act: &Act, who: &Acting| {
        let failure = city.cases.act(id, act, who, T0).await.unwrap_err();
        assert!(matches!(failure, Failure::Invalid(_)), "{failure:?}");
        code(&failure).to_owned()
    };
    assert_eq!(
        refused(filed, &act("dispatch"), &duty()).await,
        "organisation-missing"
    );
    let nowhere = Act {
        organisation: Some("moon".to_owned()),
        ..act("dispatch")
    };
    assert_eq!(
        refused(filed, &nowhere, &duty()).await,
        "unknown-organisation"
    );
    let foreign = Act {
        assignee: Some(ROAD_FIELD),
        ..dispatched()
    };
    assert_eq!(refused(filed, &foreign, &duty()).await, "assignee");
    assert_eq!(
        refused(filed, &act("cancel"), &duty()).await,
        "note-missing"
    );
    assert_eq!(refused(filed, &act("fly"), &duty()).await, "unknown-action");
    let spaces = Act {
        note: Some(" \n ".to_owned()),
        ..act("comment")
    };
    assert_eq!(refused(filed, &spaces, &duty()).await, "note-missing");
    let long = Act {
        note: Some("字".repeat(4_001)),
        ..act("comment")
    };
    assert_eq!(refused(filed, &long, &duty()).await, "text");

    let handling = city.at("handling").await.case.id;
    assert_eq!(
        refused(handling, &noted("finish"), &worker()).await,
        "photo-missing"
    );
    let pdf = city
        .cases
        .attach(handling, "a.pdf", b"%PDF-1.7".to_vec(), &worker(), T0)
        .await
        .unwrap();
    let only_pdf = Act {
        attachment_ids: vec![pdf.id],
        ..noted("finish")
    };
    assert_eq!(
        refused(handling, &only_pdf, &worker()).await,
        "photo-missing"
    );
    let others = city.at("handling").await.case.id;
    let of_other_case = city.photo(others).await;
    assert_eq!(
        refused(handling, &of_other_case, &worker()).await,
        "photo-missing"
    );
    let mut both = city.photo(handling).await;
    let silent = Act {
        note: None,
        ..both.clone()
    };
    assert_eq!(refused(handling, &silent, &worker()).await, "note-missing");
    both.attachment_ids.extend(of_other_case.attachment_ids);
    assert_eq!(
        refused(handling, &both, &worker()).await,
        "attachment-unknown"
    );
    both.attachment_ids.truncate(1);
    city.step(handling, &both, &worker()).await;

    // The same picture does not serve twice.
    let back = Act {
        note: Some("还在渗".to_owned()),
        ..act("reject")
    };
    let rejected = city.step(handling, &back, &duty()).await;
    assert_eq!(
        rejected.case.assignee.as_ref().unwrap().id,
        FIELD,
        "goes back to the same person"
    );
    assert_eq!(
        refused(handling, &both, &worker()).await,
        "attachment-unknown"
    );
    let again = city.photo(handling).await;
    city.step(handling, &again, &worker()).await;
    city.step(handling, &act("verify"), &duty()).await;
    let closed = city.step(handling, &act("close"), &duty()).await;
    assert_eq!(closed.assessment.unwrap().rejections, 1);
}

#[tokio::test]
async fn a_case_given_to_one_person_is_not_anothers() {
    let city = city().await;
    let id = city.at("filed").await.case.id;
    let to_person = Act {
        assignee: Some(OTHER_FIELD),
        ..dispatched()
    };
    city.step(id, &to_person, &duty()).await;
    let failure = city
        .cases
        .act(id, &act("take"), &worker(), T0)
        .await
        .unwrap_err();
    assert_eq!(code(&failure), "case-of-others");
    city.step(id, &act("take"), &field(OTHER_FIELD, "water"))
        .await;
    let failure = city
        .cases
        .act(id, &noted("finish"), &worker(), T0)
        .await
        .unwrap_err();
    assert_eq!(code(&failure), "case-of-others");
    // Dispatched anew, to the department: now it is for whoever takes it.
    city.step(id, &dispatched(), &duty()).await;
    let taken = city.step(id, &act("take"), &worker()).await;
    assert_eq!(taken.case.assignee.unwrap().id, FIELD);
    // A machine cannot take work.
    let other = city.at("dispatched").await.case.id;
    let mut machine = worker();
    machine.actor.kind = ActorKind::Token(FIELD);
    let failure = city
        .cases
        .act(other, &act("take"), &machine, T0)
        .await
        .unwrap_err();
    assert!(matches!(failure, Failure::Forbidden(_)));
}

#[tokio::test]
async fn of_two_who_take_it_at_once_one_does() {
    let city = city().await;
    let id = city.at("dispatched").await.case.id;
    let seen = city.cases.case(id, &duty()).await.unwrap().case.version;
    // The second pool stands for another process.
    let elsewhere = Records::open(&city.dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let options = Options::new(city.dir.path().join("attachments"));
    let elsewhere = Cases::new(elsewhere, options, Vec::new()).unwrap();
    let here = city.cases.clone();
    let take = Act {
        version: Some(seen),
        ..act("take")
    };
    let other_take = take.clone();
    let one = tokio::spawn(async move { here.act(id, &take, &worker(), T0).await });
    let two = tokio::spawn(async move {
        elsewhere
            .act(id, &other_take, &field(OTHER_FIELD, "water"), T0)
            .await
    });
    let results = [one.await.unwrap(), two.await.unwrap()];
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    let failure = results.into_iter().find_map(Result::err).unwrap();
    assert!(
        matches!(failure, Failure::Conflict(ref p) if p.code == "case-changed"),
        "{failure:?}"
    );
    let history = city.cases.case(id, &duty()).await.unwrap().history;
    assert_eq!(history.iter().filter(|h| h.action == "take").count(), 1);
}

#[tokio::test]
async fn closing_over_an_active_alert_is_said_and_cancelling_frees_the_alert() {
    let city = city().await;
    let alert = raise(&city.records, 7).await;
    let new = NewCase {
        alert_id: Some(alert.id),
        severity: Some("minor".to_owned()),
        ..NewCase::default()
    };
    let first = city.cases.open(&new, &duty(), T0).await.unwrap();
    assert_eq!(
        first.case.severity, "minor",
        "a person's word goes before the rule's"
    );
    let failure = city.cases.open(&new, &duty(), T0).await.unwrap_err();
    assert!(matches!(failure, Failure::Conflict(ref p) if p.code == "alert-has-case"));
    assert!(failure.to_string().contains("TM-20261123-0001"));
    city.step(first.case.id, &noted("cancel"), &duty()).await;

    let second = city.cases.open(&new, &duty(), T0).await.unwrap();
    assert_eq!(
        second.case.number, "TM-20261123-0002",
        "a refused opening uses no number"
    );
    let id = second.case.id;
    city.step(id, &act("file"), &duty()).await;
    city.step(id, &dispatched(), &duty()).await;
    city.step(id, &act("take"), &worker()).await;
    let finish = city.photo(id).await;
    city.step(id, &finish, &worker()).await;
    city.step(id, &act("verify"), &duty()).await;
    let closed = city.step(id, &act("close"), &duty()).await;
    let last = closed.history.last().unwrap();
    assert_eq!(
        (last.action.as_str(), last.actor.as_str()),
        ("alert-still-active", "system")
    );
    assert_eq!(city.cases.alert(alert.id).await.unwrap().case_id, Some(id));
}

#[tokio::test]
async fn bad_cases_are_told_what_is_wrong() {
    let city = city().await;
    let good = NewCase {
        title: "路灯不亮".to_owned(),
        ..NewCase::default()
    };
    for (expected, new) in [
        (
            "case-title",
            NewCase {
                title: "  ".to_owned(),
                ..good.clone()
            },
        ),
        (
            "text",
            NewCase {
                title: "字".repeat(201),
                ..good.clone()
            },
        ),
        (
            "text",
            NewCase {
                description: "a\u{0}b".to_owned(),
                ..good.clone()
            },
        ),
        (
            "severity",
            NewCase {
                severity: Some("huge".to_owned()),
                ..good.clone()
            },
        ),
        (
            "id-not-uri",
            NewCase {
                entity_id: Some("lamp".to_owned()),
                ..good.clone()
            },
        ),
        (
            "geometry-range",
            NewCase {
                location: Some([30.0, 113.0]),
                ..good.clone()
            },
        ),
        (
            "geometry-shape",
            NewCase {
                location: Some([f64::NAN, 0.0]),
                ..good.clone()
            },
        ),
    ] {
        let failure = city.cases.open(&new, &duty(), T0).await.unwrap_err();
        assert!(
            matches!(failure, Failure::Invalid(_)) && code(&failure) == expected,
            "{failure}"
        );
    }
    let unknown = NewCase {
        alert_id: Some(99),
        ..good.clone()
    };
    assert!(matches!(
        city.cases.open(&unknown, &duty(), T0).await,
        Err(Failure::NotFound(_))
    ));
    let other = NewCase {
        workflow: Some("none".to_owned()),
        ..good.clone()
    };
    assert_eq!(
        code(&city.cases.open(&other, &duty(), T0).await.unwrap_err()),
        "workflow-missing"
    );
    assert!(matches!(
        city.cases.open(&good, &worker(), T0).await,
        Err(Failure::Forbidden(_))
    ));
    assert!(matches!(
        city.cases.act(5, &act("file"), &duty(), T0).await,
        Err(Failure::NotFound(_))
    ));
    assert!(matches!(
        city.cases.case(5, &duty()).await,
        Err(Failure::NotFound(_))
    ));
}

#[tokio::test]
async fn numbers_begin_anew_with_the_citys_day() {
    let city = city().await;
    let mut numbers = Vec::new();
    for at in [0, 60, 16 * 3_600 - 1, 16 * 3_600] {
        let new = NewCase {
            title: "x".to_owned(),
            ..NewCase::default()
        };
        numbers.push(
            city.cases
                .open(&new, &duty(), T0.plus_seconds(at))
                .await
                .unwrap()
                .case
                .number,
        );
    }
    assert_eq!(
        numbers,
        [
            "TM-20261123-0001",
            "TM-20261123-0002",
            "TM-20261123-0003",
            "TM-20261124-0001"
        ]
    );
}

#[tokio::test]
async fn lists_show_states_and_ones_own_work() {
    let city = city().await;
    city.at("collected").await;
    let lying = city.at("dispatched").await.case.id;
    let mine = city.at("handling").await.case.id;
    city.at("closed").await;
    let ids = async |filter: CaseFilter| {
        let page = city
            .cases
            .list(&filter, &PageRequest::default())
            .await
            .unwrap();
        page.items.into_iter().map(|c| c.id).collect::<Vec<_>>()
    };
    let all = ids(CaseFilter::default()).await;
    assert!(
        all.len() == 4 && all.is_sorted_by(|a, b| a > b),
        "newest first"
    );
    let state = CaseFilter {
        state: Some("dispatched".to_owned()),
        ..CaseFilter::default()
    };
    assert_eq!(ids(state).await, [lying]);
    assert_eq!(
        ids(CaseFilter {
            open: Some(false),
            ..CaseFilter::default()
        })
        .await
        .len(),
        1
    );
    let of = |user_id, organisation: Option<&str>| CaseFilter {
        open: Some(true),
        mine: Some(Mine {
            user_id,
            organisation_id: organisation.map(str::to_owned),
        }),
        ..CaseFilter::default()
    };
    assert_eq!(ids(of(FIELD, Some("water"))).await, [mine, lying]);
    assert_eq!(ids(of(OTHER_FIELD, Some("water"))).await, [lying]);
    assert!(ids(of(ROAD_FIELD, Some("roads"))).await.is_empty());
    assert_eq!(
        ids(of(DUTY, None)).await.len(),
        3,
        "what the duty officer opened"
    );
}

#[tokio::test]
async fn attachments_are_checked_kept_and_found_damaged() {
    let city = city().await;
    let id = city.at("handling").await.case.id;
    let attach = async |name: &str, bytes: &[u8], who: &Acting| {
        city.cases.attach(id, name, bytes.to_vec(), who, T0).await
    };
    let made = attach("../泵站.jpg", JPEG, &worker()).await.unwrap();
    assert_eq!(
        (made.name.as_str(), made.media_type.as_str()),
        ("泵站.jpg", "image/jpeg")
    );
    let same = attach("again.jpg", JPEG, &worker()).await.unwrap();
    assert_eq!(same.sha256, made.sha256);
    let (row, bytes) = city.cases.attachment(made.id).await.unwrap();
    assert_eq!((row, bytes.as_slice()), (made.clone(), JPEG));
    let folder = city.dir.path().join("attachments").join(&made.sha256[..2]);
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|f| f.unwrap().file_name())
        .collect();
    assert_eq!(files, [made.sha256.as_str()], "one file, no part left");
    assert_eq!(city.cases.check_attachments().await.unwrap(), []);

    assert_eq!(
        code(
            &attach("x.svg", b"<svg onload=alert(1)>", &worker())
                .await
                .unwrap_err()
        ),
        "attachment-type"
    );
    assert_eq!(
        code(&attach("x", b"", &worker()).await.unwrap_err()),
        "attachment-size"
    );
    let mut big = JPEG.to_vec();
    big.resize(10 * 1024 * 1024 + 1, 0);
    assert_eq!(
        code(&attach("x", &big, &worker()).await.unwrap_err()),
        "attachment-size"
    );
    let foreign = attach("x", JPEG, &field(ROAD_FIELD, "roads"))
        .await
        .unwrap_err();
    assert!(matches!(foreign, Failure::Forbidden(_)));
    let closed = city.at("closed").await.case.id;
    let late = city
        .cases
        .attach(closed, "x", JPEG.to_vec(), &viewer(), T0)
        .await
        .unwrap_err();
    assert_eq!(code(&late), "case-state", "nobody who may only read");
    assert!(matches!(
        city.cases.attachment(99).await,
        Err(Failure::NotFound(_))
    ));

    std::fs::write(folder.join(&made.sha256), b"other bytes").unwrap();
    assert!(matches!(
        city.cases.attachment(made.id).await,
        Err(Failure::Internal(_))
    ));
    let problems = city.cases.check_attachments().await.unwrap();
    assert!(problems.len() >= 2 && problems.iter().all(|p| p.code == "attachment-damaged"));
    // Sent again, it is whole again.
    attach("again.jpg", JPEG, &worker()).await.unwrap();
    assert_eq!(city.cases.check_attachments().await.unwrap(), []);
}

#[tokio::test]
async fn a_case_holds_only_so_many_attachments() {
    let city = city().await;
    let mut options = Options::new(city.dir.path().join("attachments"));
    options.attachments_per_case_max = 2;
    let cases = Cases::new(city.records.clone(), options, Vec::new()).unwrap();
    let id = city.at("handling").await.case.id;
    for n in 0..2 {
        cases
            .attach(id, "x", [JPEG, &[n]].concat(), &worker(), T0)
            .await
            .unwrap();
    }
    let failure = cases
        .attach(id, "x", JPEG.to_vec(), &worker(), T0)
        .await
        .unwrap_err();
    assert_eq!(code(&failure), "attachments-full");
}

#[tokio::test]
async fn an_alert_is_taken_note_of_once() {
    let city = city().await;
    let alert = raise(&city.records, 7).await;
    let first = city
        .cases
        .acknowledge(alert.id, &duty().actor, T0)
        .await
        .unwrap();
    assert_eq!(first.acknowledged_by.as_deref(), Some("user 1"));
    let later = city
        .cases
        .acknowledge(alert.id, &worker().actor, T0.plus_seconds(9))
        .await
        .unwrap();
    assert_eq!(later, first);
    assert!(matches!(
        city.cases.acknowledge(99, &duty().actor, T0).await,
        Err(Failure::NotFound(_))
    ));
    let page = PageRequest::default();
    let trail = audit::list(&mut city.records.read().await.unwrap(), &page)
        .await
        .unwrap()
        .items;
    assert_eq!(trail.len(), 1);
    assert_eq!(
        (trail[0].action.as_str(), trail[0].target.as_str()),
        ("alert.acknowledge", "alert:1")
    );
}

#[tokio::test]
async fn an_unknown_zone_is_refused() {
    let city = city().await;
    let options = Options {
        zone: "Asia/Jingling".to_owned(),
        ..Options::new(city.dir.path().join("a"))
    };
    let failure = Cases::new(city.records.clone(), options, Vec::new()).unwrap_err();
    assert_eq!(code(&failure), "unknown-zone");
}
