//! What some steps do beside moving a case, on a real SQLite file: working time over holidays, extension, supervision,
//! suspension, escalation, parts, duplicates, reopening, requests that come twice, photos with a wrong clock.

use crate::support::{
    City, FIELD, JPEG, T0, act, city, code, dispatched, duty, field, noted, split, worker,
};
use cases::{Act, Cases, Like, NewCase, Options, Part, Taken, Workflow};
use model::Timestamp;
use model::calendar::{Calendars, Declared, Holiday, Worked, WorkingCalendar};
use records::PageRequest;
use records::cases::CaseFilter;

/// The default workflow in working hours.
fn in_working_hours() -> Workflow {
    let text = include_str!("../workflows/city-case.toml").replacen(
        "case_minutes = ",
        "calendar = \"working-hours\"\ncase_minutes = ",
        1,
    );
    Workflow::parse(&text, "city-case.toml").unwrap()
}

fn calendars() -> Calendars {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let day = ["08:30-12:00", "14:00-17:30"].map(str::to_owned).to_vec();
    let week = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    let date = |text: &str| text.parse().unwrap();
    let declared = Declared {
        week: week.map(|name| (name.to_owned(), day.clone())).into(),
        holidays: vec![Holiday {
            title_zh: "国庆节".to_owned(),
            title_en: "National Day".to_owned(),
            first: date("2026-10-01"),
            last: date("2026-10-07"),
        }],
        worked: vec![Worked {
            days: vec![date("2026-10-10")],
            hours: None,
        }],
        ..Declared::default()
    };
    let hours = WorkingCalendar::new("working-hours", declared, zone.clone(), "test").unwrap();
    Calendars::new(zone, [hours])
}

async fn working_city() -> City {
    let mut city = city().await;
    let options = Options {
        calendars: calendars(),
        ..Options::new(city.dir.path().join("attachments"))
    };
    city.cases = Cases::new(city.records.clone(), options, vec![in_working_hours()]).unwrap();
    city
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}:00+08:00")).unwrap()
}

fn wish(minutes: u32) -> Act {
    Act {
        minutes: Some(minutes),
        ..noted("ask-extension")
    }
}

fn until(action: &str, until: Timestamp) -> Act {
    Act {
        until: Some(until),
        ..noted(action)
    }
}

async fn opened(city: &City, now: Timestamp) -> i64 {
    let new = NewCase {
        title: "井盖缺失".to_owned(),
        ..NewCase::default()
    };
    city.cases.open(&new, &duty(), now).await.unwrap().case.id
}

#[tokio::test]
async fn clocks_stand_still_over_noon_night_and_holidays() {
    let city = working_city().await;
    // The last afternoon before a week of holidays, ten minutes before the end of work; 30 min to file.
    let before = at("2026-09-30T17:20");
    let case = opened(&city, before).await;
    let seen = city.cases.case(case, &duty()).await.unwrap().case;
    assert_eq!(seen.due_at, Some(at("2026-10-08T08:50")));
    let left = city.cases.left(&seen, at("2026-10-03T10:00")).unwrap();
    assert_eq!(
        (left.calendar.as_str(), left.running, left.seconds),
        ("working-hours", false, Some(20 * 60))
    );
    let late = city.cases.left(&seen, at("2026-10-08T09:00")).unwrap();
    assert_eq!((late.running, late.seconds), (true, Some(-600)));
    // Filed on the holiday: it is not late, and its next clock starts at the next work.
    let filed = city
        .cases
        .act(case, &act("file"), &duty(), at("2026-10-05T10:00"))
        .await
        .unwrap();
    assert_eq!(filed.case.due_at, Some(at("2026-10-08T09:00")));
    assert!(!filed.history[1].late);
}

#[tokio::test]
async fn a_workflow_whose_calendar_nobody_knows_is_refused_at_start() {
    let city = city().await;
    let options = Options::new(city.dir.path().join("attachments"));
    let failure = Cases::new(city.records.clone(), options, vec![in_working_hours()]).unwrap_err();
    let problem = failure.problem().unwrap();
    assert_eq!(
        (problem.code.as_str(), problem.place.as_str()),
        ("calendar-unknown", "workflow city-case")
    );
}

#[tokio::test]
async fn another_workflow_is_for_cases_that_are_opened_then() {
    let city = city().await;
    let before = city.open().await.case;
    let kept = city.cases.clone();
    let text = include_str!("../workflows/city-case.toml");
    // Opened at once in what was the second state.
    let mut other = Workflow::parse(text, "city-case.toml").unwrap();
    other.initial = "filed".to_owned();
    kept.check_workflows(std::slice::from_ref(&other)).unwrap();
    kept.set_workflows(vec![other]).unwrap();
    let after = city.open().await.case;
    assert_eq!(after.state, "filed", "every clone follows it");
    assert_ne!(before.state, "filed");
    let filed = city
        .cases
        .act(before.id, &act("file"), &duty(), T0)
        .await
        .unwrap();
    assert_eq!(filed.case.state, "filed", "as it was opened");
    let problems = kept.check_workflows(&[in_working_hours()]).unwrap_err();
    assert_eq!(problems[0].code, "calendar-unknown");
}

#[tokio::test]
async fn an_extension_is_asked_for_decided_and_limited() {
    let city = city().await;
    let case = city.at("handling").await;
    let (id, due) = (case.case.id, case.case.due_at.unwrap());
    let whole = case.case.case_due_at.unwrap();
    let of = async |act: &Act, who: &records::Acting| city.cases.act(id, act, who, T0).await;
    let failed =
        async |act: &Act, who: &records::Acting| code(&of(act, who).await.unwrap_err()).to_owned();
    assert_eq!(
        failed(&noted("ask-extension"), &worker()).await,
        "minutes-missing"
    );
    assert_eq!(failed(&wish(0), &worker()).await, "extension-minutes");
    assert_eq!(
        failed(&wish(u32::MAX), &worker()).await,
        "extension-minutes"
    );
    assert_eq!(
        failed(&act("grant-extension"), &duty()).await,
        "extension-none"
    );
    assert_eq!(failed(&wish(60), &duty()).await, "permission-missing");
    let asked = of(&wish(60), &worker()).await.unwrap();
    assert_eq!(asked.case.extension_minutes, Some(60));
    assert_eq!(asked.case.due_at, Some(due), "only asked for");
    assert_eq!(failed(&wish(60), &worker()).await, "extension-asked");
    assert_eq!(
        failed(&act("grant-extension"), &worker()).await,
        "permission-missing"
    );
    let granted = of(&act("grant-extension"), &duty()).await.unwrap();
    assert_eq!(granted.case.due_at, Some(due.plus_seconds(3_600)));
    assert_eq!(granted.case.case_due_at, Some(whole.plus_seconds(3_600)));
    assert_eq!(
        (granted.case.extension_minutes, granted.case.extensions),
        (None, 1)
    );
    of(&wish(30), &worker()).await.unwrap();
    let refused = of(&noted("refuse-extension"), &duty()).await.unwrap();
    assert_eq!(refused.case.due_at, Some(due.plus_seconds(3_600)));
    of(&wish(30), &worker()).await.unwrap();
    of(&act("grant-extension"), &duty()).await.unwrap();
    assert_eq!(failed(&wish(30), &worker()).await, "extensions-used");
}

#[tokio::test]
async fn a_supervision_must_be_answered_before_the_end() {
    let city = city().await;
    let id = city.at("verified").await.case.id;
    let soon = T0.plus_seconds(3_600);
    let past = city
        .cases
        .act(id, &until("supervise", T0), &duty(), T0)
        .await;
    assert_eq!(code(&past.unwrap_err()), "until");
    let seen = city.step(id, &until("supervise", soon), &duty()).await;
    assert_eq!(seen.case.supervised_until, Some(soon));
    assert!(seen.actions.contains(&"answer".to_owned()));
    let twice = city
        .cases
        .act(id, &until("supervise", soon), &duty(), T0)
        .await;
    assert_eq!(code(&twice.unwrap_err()), "supervision-open");
    let close = city.cases.act(id, &act("close"), &duty(), T0).await;
    assert_eq!(code(&close.unwrap_err()), "supervision-unanswered");
    let answered = city
        .cases
        .act(id, &noted("answer"), &worker(), soon.plus_seconds(1))
        .await
        .unwrap();
    assert_eq!(answered.case.supervised_until, None);
    let detail = answered.history.last().unwrap().detail.clone().unwrap();
    assert_eq!(detail["late"], true);
    assert_eq!(
        city.step(id, &act("close"), &duty()).await.case.state,
        "closed"
    );
}

#[tokio::test]
async fn a_suspended_case_keeps_what_was_left_and_runs_again_by_itself() {
    let city = working_city().await;
    let id = opened(&city, at("2026-09-28T08:30")).await;
    let of = async |act: &Act, who: &records::Acting, now| city.cases.act(id, act, who, now).await;
    of(&act("file"), &duty(), at("2026-09-28T08:30"))
        .await
        .unwrap();
    of(&dispatched(), &duty(), at("2026-09-28T08:30"))
        .await
        .unwrap();
    // Due 09:30. Stopped at 09:00: half an hour is left.
    let stop = until("suspend", at("2026-10-10T08:30"));
    let stopped = of(&stop, &duty(), at("2026-09-28T09:00")).await.unwrap();
    assert_eq!(stopped.case.suspended_until, Some(at("2026-10-10T08:30")));
    let moved = of(&act("take"), &worker(), at("2026-09-29T09:00")).await;
    assert_eq!(code(&moved.unwrap_err()), "case-suspended");
    let left = city
        .cases
        .left(&stopped.case, at("2026-09-29T09:00"))
        .unwrap();
    assert_eq!((left.running, left.seconds), (false, Some(1_800)));
    assert_eq!(city.cases.tick(at("2026-10-01T00:00")).await.unwrap(), []);
    // A tick that comes late counts from the moment that was said.
    let ticked = city.cases.tick(at("2026-10-10T08:40")).await.unwrap();
    assert_eq!((ticked.len(), ticked[0].action), (1, "resume"));
    assert_eq!(ticked[0].case.due_at, Some(at("2026-10-10T09:00")));
    assert_eq!(city.cases.tick(at("2026-10-10T08:40")).await.unwrap(), []);
    let resumed = of(&act("resume"), &duty(), at("2026-10-10T08:45")).await;
    assert_eq!(code(&resumed.unwrap_err()), "case-running");
}

#[tokio::test]
async fn what_is_overdue_is_escalated_once_at_each_level() {
    let city = city().await;
    let id = city.open().await.case.id;
    let due = T0.plus_seconds(1_800);
    let first = due.plus_seconds(3_600);
    let second = due.plus_seconds(8 * 3_600);
    assert_eq!(city.cases.tick(first.plus_seconds(-1)).await.unwrap(), []);
    let told = city.cases.tick(first).await.unwrap();
    assert_eq!(told.len(), 1);
    let (level, zh, _) = told[0].level.clone().unwrap();
    assert_eq!((level, told[0].case.id), (1, id));
    assert!(zh.contains("承办单位"));
    assert_eq!(city.cases.tick(first).await.unwrap(), [], "told once");
    // The process dies: another one over the same file does nothing twice.
    let options = Options::new(city.dir.path().join("attachments"));
    let again = Cases::new(city.records.clone(), options, Vec::new()).unwrap();
    assert_eq!(again.tick(second.plus_seconds(-1)).await.unwrap(), []);
    assert_eq!(
        again.tick(second.plus_seconds(86_400)).await.unwrap().len(),
        1
    );
    assert_eq!(again.tick(second.plus_seconds(900_000)).await.unwrap(), []);
    // Both levels at once, in one late tick, for the next state: each has its step.
    let later = second.plus_seconds(900_000);
    let filed = city
        .cases
        .act(id, &act("file"), &duty(), later)
        .await
        .unwrap();
    assert_eq!(filed.case.escalation, 0);
    let told = city.cases.tick(later.plus_seconds(900_000)).await.unwrap();
    let levels: Vec<_> = told.iter().map(|t| t.level.as_ref().unwrap().0).collect();
    assert_eq!(levels, [1, 2]);
    let seen = city.cases.case(id, &duty()).await.unwrap();
    let steps = seen.history.iter().filter(|h| h.action == "escalate");
    assert_eq!(steps.count(), 4);
}

#[tokio::test]
async fn a_department_gives_back_what_is_not_its_own() {
    let city = city().await;
    let id = city.at("handling").await.case.id;
    let bare = city.cases.act(id, &act("return"), &worker(), T0).await;
    assert_eq!(code(&bare.unwrap_err()), "note-missing");
    let back = city.step(id, &noted("return"), &worker()).await;
    assert_eq!(back.case.state, "filed");
    assert_eq!((back.case.organisation, back.case.assignee), (None, None));
}

#[tokio::test]
async fn a_case_in_parts_ends_after_its_parts() {
    let city = city().await;
    let whole = city.at("split").await;
    let id = whole.case.id;
    let numbers: Vec<_> = whole.parts.iter().map(|p| p.number.as_str()).collect();
    assert_eq!(numbers, ["TM-20261123-0002-1", "TM-20261123-0002-2"]);
    assert_eq!(whole.parts[0].state, "dispatched");
    assert_eq!(whole.parts[0].due_at, Some(T0.plus_seconds(3_600)));
    assert_eq!(whole.parts[1].organisation.as_ref().unwrap().id, "roads");
    let early = city.cases.act(id, &act("gather"), &duty(), T0).await;
    let early = early.unwrap_err();
    assert_eq!(code(&early), "parts-open");
    assert!(early.problem().unwrap().what.contains("TM-20261123-0002-2"));
    let again = city
        .cases
        .act(whole.parts[0].id, &split(), &duty(), T0)
        .await;
    assert_eq!(code(&again.unwrap_err()), "case-is-part");
    let unknown = Act {
        parts: vec![Part {
            organisation: "nobody".to_owned(),
            ..Part::default()
        }],
        ..act("split")
    };
    let unknown = city.cases.act(id, &unknown, &duty(), T0).await;
    assert_eq!(code(&unknown.unwrap_err()), "unknown-organisation");
    let none = city.cases.act(id, &act("split"), &duty(), T0).await;
    assert_eq!(code(&none.unwrap_err()), "parts-missing");
    for part in &whole.parts {
        city.step(part.id, &noted("cancel"), &duty()).await;
    }
    let gathered = city.step(id, &act("gather"), &duty()).await;
    assert_eq!(gathered.case.state, "handled");
}

#[tokio::test]
async fn a_duplicate_is_suggested_and_linked_in_both_histories() {
    let city = city().await;
    let place = |lon: f64, category: Option<&str>| NewCase {
        title: "井盖缺失".to_owned(),
        location: Some([lon, 30.655]),
        category: category.map(str::to_owned),
        ..NewCase::default()
    };
    let open = async |new: NewCase, now| {
        let case = city.cases.open(&new, &duty(), now).await.unwrap();
        case.case
    };
    let first = open(place(113.165, Some("0101")), T0).await;
    let second = open(place(113.1655, Some("0101")), T0.plus_seconds(600)).await;
    open(place(113.165, Some("0202")), T0).await;
    open(place(113.17, Some("0101")), T0).await;
    let old = T0.plus_seconds(-80 * 3_600);
    open(place(113.165, Some("0101")), old).await;
    let like = Like {
        location: [113.1655, 30.655],
        category: Some("0101".to_owned()),
        except: Some(second.id),
        at: second.created_at,
    };
    let found = city.cases.similar(&like).await.unwrap();
    assert_eq!(found.len(), 1, "of its kind, within 100 m and 72 h");
    assert_eq!(found[0].case.id, first.id);
    assert!((found[0].metres - 47.8).abs() < 0.5, "{}", found[0].metres);

    let repeats = |other| Act {
        case: Some(other),
        ..act("duplicate")
    };
    let failed = async |other| {
        let act = repeats(other);
        let failure = city.cases.act(second.id, &act, &duty(), T0).await;
        code(&failure.unwrap_err()).to_owned()
    };
    assert_eq!(failed(second.id).await, "duplicate-of");
    assert_eq!(failed(999).await, "duplicate-of");
    let linked = city.step(second.id, &repeats(first.id), &duty()).await;
    assert_eq!(linked.case.duplicate_of, Some(first.id));
    assert_eq!(linked.case.state, "cancelled");
    let kept = city.cases.case(first.id, &duty()).await.unwrap();
    assert_eq!(kept.case.reporters, 2);
    let step = kept.history.last().unwrap();
    assert_eq!(step.action, "repeated");
    assert_eq!(step.detail.as_ref().unwrap()["case"], second.number);
    let third = open(place(113.165, None), T0).await;
    let chain = city
        .cases
        .act(third.id, &repeats(second.id), &duty(), T0)
        .await;
    assert_eq!(code(&chain.unwrap_err()), "duplicate-of");
}

#[tokio::test]
async fn what_is_not_put_right_is_reopened_within_days_and_times() {
    let city = city().await;
    let id = city.at("closed").await.case.id;
    let day = |n: i64| T0.plus_seconds(n * 86_400);
    let late = city.cases.act(id, &noted("reopen"), &duty(), day(16)).await;
    assert_eq!(code(&late.unwrap_err()), "reopen-late");
    for n in 1..=3 {
        let open = city.cases.act(id, &noted("reopen"), &duty(), day(n)).await;
        let open = open.unwrap().case;
        assert_eq!(
            (open.state.as_str(), open.closed_at, open.reopened),
            ("filed", None, n)
        );
        assert!(open.case_due_at.unwrap() > day(n));
        let finish = {
            let to = Act {
                assignee: Some(FIELD),
                ..dispatched()
            };
            city.cases.act(id, &to, &duty(), day(n)).await.unwrap();
            city.cases
                .act(id, &act("take"), &worker(), day(n))
                .await
                .unwrap();
            city.photo(id).await
        };
        for (step, who) in [
            (finish, worker()),
            (act("verify"), duty()),
            (act("close"), duty()),
        ] {
            city.cases.act(id, &step, &who, day(n)).await.unwrap();
        }
    }
    let often = city.cases.act(id, &noted("reopen"), &duty(), day(4)).await;
    assert_eq!(code(&often.unwrap_err()), "reopen-often");
}

#[tokio::test]
async fn a_request_that_comes_twice_is_done_once() {
    let city = city().await;
    let id = "6f1c1f9e-9a5d-4c0e-8a3e-000000000001";
    let new = NewCase {
        title: "井盖缺失".to_owned(),
        request_id: Some(id.to_owned()),
        ..NewCase::default()
    };
    let one = city.cases.open(&new, &duty(), T0).await.unwrap();
    let other = city
        .cases
        .open(&new, &duty(), T0.plus_seconds(604_800))
        .await
        .unwrap();
    assert_eq!((one.case.id, other.history.len()), (other.case.id, 1));
    let comment = Act {
        request_id: Some("6f1c1f9e-9a5d-4c0e-8a3e-000000000002".to_owned()),
        version: Some(one.case.version),
        ..noted("comment")
    };
    for _ in 0..3 {
        let seen = city.step(one.case.id, &comment, &duty()).await;
        assert_eq!(seen.history.len(), 2);
    }
    let file = Act {
        request_id: comment.request_id.clone(),
        ..act("file")
    };
    let used = city.cases.act(one.case.id, &file, &duty(), T0).await;
    assert_eq!(code(&used.unwrap_err()), "request-id-used");
    let of_another = city
        .cases
        .act(one.case.id, &comment, &field(FIELD, "water"), T0)
        .await;
    assert_eq!(code(&of_another.unwrap_err()), "request-id-used");
    let bad = NewCase {
        request_id: Some("1".to_owned()),
        ..new
    };
    let bad = city.cases.open(&bad, &duty(), T0).await;
    assert_eq!(code(&bad.unwrap_err()), "request-id");
    // The same photo, sent again because the answer was lost.
    let send = async || {
        let bytes = JPEG.to_vec();
        city.cases
            .attach(one.case.id, "a.jpg", bytes, &worker(), T0)
            .await
            .unwrap()
            .id
    };
    assert_eq!(send().await, send().await);
}

#[tokio::test]
async fn a_photo_with_a_wrong_clock_is_taken_and_says_so() {
    let city = city().await;
    let id = city.at("handling").await.case.id;
    let taken = async |off: i64, n: u8| {
        let taken = Taken {
            at: Some(T0.plus_seconds(off)),
            clock: None,
            place: Some([113.16, 30.65]),
            ..Taken::default()
        };
        let mut bytes = JPEG.to_vec();
        bytes.push(n);
        city.cases
            .attach_taken(id, "a.jpg", bytes, &taken, &worker(), T0)
            .await
    };
    let right = taken(-60, 1).await.unwrap();
    assert_eq!(
        (right.taken_at, right.clock_off_s),
        (Some(T0.plus_seconds(-60)), None)
    );
    assert_eq!((right.lon, right.lat), (Some(113.16), Some(30.65)));
    assert_eq!(
        taken(86_400 * 365, 2).await.unwrap().clock_off_s,
        Some(86_400 * 365)
    );
    assert_eq!(taken(-7_200, 3).await.unwrap().clock_off_s, Some(-7_200));
    let week = Taken {
        at: Some(T0.plus_seconds(-604_800)),
        clock: Some(T0.plus_seconds(-30)),
        ..Taken::default()
    };
    let bytes = [JPEG, b"week"].concat();
    let synced = city
        .cases
        .attach_taken(id, "a.jpg", bytes, &week, &worker(), T0)
        .await
        .unwrap();
    assert_eq!(synced.clock_off_s, None, "late is not wrong");
    assert_eq!(synced.taken_at, week.at);
    let nowhere = Taken {
        at: None,
        clock: None,
        place: Some([200.0, 0.0]),
        ..Taken::default()
    };
    let sent = city
        .cases
        .attach_taken(id, "a.jpg", JPEG.to_vec(), &nowhere, &worker(), T0)
        .await;
    assert!(sent.is_err());
}

#[tokio::test]
async fn what_is_said_of_a_new_case_is_checked() {
    let city = city().await;
    let good = NewCase {
        title: "井盖缺失".to_owned(),
        source: Some("citizen".to_owned()),
        reporter: Some("12345-20261123-77".to_owned()),
        category: Some("01.0101".to_owned()),
        town: Some("429006001".to_owned()),
        ..NewCase::default()
    };
    let opened = city.cases.open(&good, &duty(), T0).await.unwrap().case;
    assert_eq!(opened.source, "citizen");
    assert_eq!(opened.town.as_deref(), Some("429006001"));
    let bad = |change: fn(&mut NewCase)| {
        let mut new = good.clone();
        change(&mut new);
        new
    };
    for (new, expected) in [
        (bad(|n| n.source = Some("rumour".to_owned())), "case-source"),
        (bad(|n| n.category = Some("井盖".to_owned())), "case-code"),
        (bad(|n| n.reporter = Some("张三".to_owned())), "case-code"),
        (
            bad(|n| n.reporter = Some("13800000000".to_owned())),
            "reporter-personal",
        ),
    ] {
        let failure = city.cases.open(&new, &duty(), T0).await.unwrap_err();
        assert_eq!(code(&failure), expected);
    }
}

#[tokio::test]
async fn lists_are_filtered_searched_and_paged_and_the_board_counts() {
    let city = city().await;
    let mut ids = Vec::new();
    for n in 0..7_i64 {
        let new = NewCase {
            title: format!("{}{n}号井盖缺失", if n % 2 == 0 { "东" } else { "西" }),
            town: Some(format!("42900600{}", n % 3)),
            ..NewCase::default()
        };
        let now = T0.plus_seconds(n * 60);
        ids.push(city.cases.open(&new, &duty(), now).await.unwrap().case.id);
    }
    city.step(ids[0], &act("file"), &duty()).await;
    let all = async |filter: CaseFilter| {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = PageRequest {
                after,
                limit: Some(2),
            };
            let page = city.cases.list(&filter, &page).await.unwrap();
            found.extend(page.items.iter().map(|c| c.id));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    };
    let text = |text: &str| CaseFilter {
        text: Some(text.to_owned()),
        ..CaseFilter::default()
    };
    assert_eq!(all(text("井盖")).await.len(), 7);
    assert_eq!(all(text("东")).await, [ids[6], ids[4], ids[2], ids[0]]);
    assert_eq!(all(text("西3号")).await, [ids[3]]);
    assert_eq!(all(text("20261123-0005")).await, [ids[4]]);
    assert!(all(text("路灯")).await.is_empty());
    assert!(all(text("\" OR *")).await.is_empty());
    let town = CaseFilter {
        town: Some("429006001".to_owned()),
        ..CaseFilter::default()
    };
    assert_eq!(all(town).await, [ids[4], ids[1]]);
    let overdue = CaseFilter {
        overdue_at: Some(T0.plus_seconds(1_800 + 150)),
        order: records::cases::Order::Urgent,
        ..CaseFilter::default()
    };
    // Filed at the very beginning, so it is due with the first.
    assert_eq!(all(overdue).await, [ids[0], ids[1], ids[2]]);
    let seen = CaseFilter {
        seen: Some(records::cases::Seen {
            organisations: vec!["water".to_owned()],
            without: false,
        }),
        ..CaseFilter::default()
    };
    assert!(all(seen).await.is_empty());
    let board = city
        .cases
        .board("city-case", &CaseFilter::default(), T0.plus_seconds(1_950))
        .await
        .unwrap();
    let counts: Vec<_> = board
        .iter()
        .map(|c| (c.state.as_str(), c.count, c.overdue, c.cases.len()))
        .collect();
    assert_eq!(counts[..2], [("collected", 6, 2, 6), ("filed", 1, 1, 1)]);
    assert!(board.iter().all(|c| c.state != "closed"));
}
