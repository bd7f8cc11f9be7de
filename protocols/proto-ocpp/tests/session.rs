//! The session's table of states, doubts, what is remembered from link to link, and what frames of real software say.

mod host;

use host::{Host, call, doubts, later, part, start, stop, transaction};
use model::Timestamp;
use proto_ocpp::command::{Command, Trigger};
use proto_ocpp::error::{self, ErrorCode};
use proto_ocpp::message::{IdToken, Phase};
use proto_ocpp::{Answer, Book, Config, Standing, Version, What};
use serde_json::{Value, json};

#[test]
fn frames_of_real_software_are_understood() {
    let captures = [
        (
            Version::V16,
            include_str!("../vectors/captures/ocpp16.jsonl"),
        ),
        (
            Version::V201,
            include_str!("../vectors/captures/ocpp201.jsonl"),
        ),
    ];
    for (version, lines) in captures {
        let mut host = Host::new(version);
        let mut understood = 0;
        for line in lines.lines() {
            let frame: Value = serde_json::from_str(line).unwrap();
            let text = frame["text"].as_str().unwrap();
            let is_up = frame["dir"].as_str().unwrap().starts_with("cp");
            if !is_up || frame["type"] != "CALL" {
                continue;
            }
            let events = host.say(text);
            let answer = host.last();
            assert_eq!(answer[1], serde_json::from_str::<Value>(text).unwrap()[1]);
            let is_refused = frame["negative"] == true;
            assert_eq!(
                answer[0],
                if is_refused { 4 } else { 3 },
                "{text}: {answer}"
            );
            assert_eq!(
                matches!(events[0].what, What::Broken { .. }),
                is_refused,
                "{text}"
            );
            understood += 1;
        }
        assert!(understood >= 5, "{version:?}: {understood}");
    }
}

#[test]
fn a_call_is_answered_only_when_its_event_is_durable() {
    let mut host = Host::new(Version::V16);
    let events = host.hear(&start("1", "2026-11-22T06:00:00Z", 0));
    assert!(host.sent.is_empty());
    // The same message again, before the answer: one answer will go out.
    assert!(host.hear(&start("1", "2026-11-22T06:00:00Z", 0)).is_empty());
    host.durable(&events[0]);
    assert_eq!(
        host.sent,
        [r#"[3,"1",{"idTagInfo":{"status":"Accepted"},"transactionId":1001}]"#]
    );
    // And after it: the same answer again, and no event.
    assert!(host.hear(&start("1", "2026-11-22T06:00:00Z", 0)).is_empty());
    assert_eq!(host.sent.len(), 2);
    assert_eq!(host.sent[0], host.sent[1]);
    // The token is used up.
    host.durable(&events[0]);
    assert_eq!(host.sent.len(), 2);
}

#[test]
fn a_refused_event_is_no_repetition_when_it_comes_again() {
    let mut host = Host::new(Version::V16);
    let events = host.hear(&start("1", "2026-11-22T06:00:00Z", 0));
    let told = error::answer("the disk is full", "磁盘已满");
    host.session
        .refuse(events[0].token.unwrap(), ErrorCode::InternalError, &told);
    host.collect();
    assert_eq!(host.last()[2], "InternalError");
    let again = host.say(&start("1", "2026-11-22T06:00:00Z", 0));
    assert!(again[0].doubts.is_empty());
    assert_eq!(host.last()[2]["transactionId"], 1_001);
}

#[test]
fn a_start_that_comes_again_on_the_next_link_is_the_same_transaction() {
    let mut host = Host::new(Version::V16);
    host.say(&start("1", "2026-11-22T06:00:00Z", 1_000));
    let mut next = Host::with(
        Version::V16,
        Config::default(),
        Standing::Accepted,
        // As the host keeps it.
        serde_json::from_str(&serde_json::to_string(host.session.book()).unwrap()).unwrap(),
    );
    next.numbers.clone_from(&host.numbers);
    let again = next.say(&start("x", "2026-11-22T06:00:00Z", 1_000));
    assert_eq!(doubts(&again[0]), ["repeated"]);
    assert_eq!(transaction(&again[0]).id.as_deref(), Some("1001"));
    assert_eq!(next.last()[2]["transactionId"], 1_001);
    // Another start at the same outlet: the stop of the first never came.
    let other = next.say(&start("y", "2026-11-22T06:10:00Z", 1_500));
    assert_eq!(doubts(&other[0]), ["outlet-busy"]);
    assert_eq!(next.last()[2]["transactionId"], 1_002);
    assert_eq!(next.session.book().open().len(), 2);
    // And without any memory the store alone gives the same number.
    let mut bare = Host::new(Version::V16);
    bare.numbers.clone_from(&next.numbers);
    bare.say(&start("z", "2026-11-22T06:00:00Z", 1_000));
    assert_eq!(bare.last()[2]["transactionId"], 1_001);
}

#[test]
fn odd_transactions_are_marked_and_never_lost() {
    let mut host = Host::new(Version::V16);
    let said = [
        (stop("1", -1, "2026-11-22T06:00:00Z", 10), "without-start"),
        (stop("1b", -1, "2026-11-22T06:00:00Z", 10), "repeated"),
        (stop("1c", -1, "2026-11-22T06:05:00Z", 99), "without-start"),
        (start("2", "2026-11-22T05:00:00Z", 5_000), ""),
        (
            stop("3", 1_001, "2026-11-22T04:00:00Z", 6_000),
            "ends-before-start",
        ),
        (
            stop("4", 1_001, "2026-11-22T06:20:00Z", 6_000),
            "transaction-twice",
        ),
        (start("5", "2026-11-22T06:00:00Z", 4_000), "meter-backwards"),
        (
            stop("6", 1_002, "2026-11-22T06:10:00Z", 9_000_000),
            "meter-jump",
        ),
        (start("7", "2026-11-22T09:00:00Z", 9_000_000), "clock-ahead"),
        (start("8", "1970-01-01T00:00:00Z", 1), "outlet-busy"),
        (start("9", "2026-11-22T06:15:00", 9_000_000), "no-zone"),
    ];
    for (text, mark) in said {
        let events = host.say(&text);
        assert_eq!(events.len(), 1, "{text}");
        let marks = doubts(&events[0]);
        match mark {
            "" => assert!(marks.is_empty(), "{text}: {marks:?}"),
            mark => assert!(marks.contains(&mark), "{text}: {marks:?}"),
        }
        assert_eq!(host.last()[0], 3, "{text}");
    }
    assert!(doubts(&host.events[9]).contains(&"clock-behind"));
}

#[test]
fn parts_of_a_transaction_of_201_are_counted() {
    let mut host = Host::new(Version::V201);
    let said = [
        (
            part("1", "Updated", 4, "2026-11-22T06:00:00Z"),
            "without-start",
        ),
        (part("2", "Updated", 5, "2026-11-22T06:01:00Z"), ""),
        (part("3", "Updated", 5, "2026-11-22T06:01:00Z"), "repeated"),
        (
            part("4", "Updated", 8, "2026-11-22T06:03:00Z"),
            "sequence-gap",
        ),
        (
            part("5", "Started", 3, "2026-11-22T05:59:00Z"),
            "sequence-back",
        ),
        (part("6", "Ended", 9, "2026-11-22T06:05:00Z"), ""),
        (part("7", "Ended", 9, "2026-11-22T06:05:00Z"), "repeated"),
        (
            part("8", "Updated", 7, "2026-11-22T06:02:00Z"),
            "sequence-back",
        ),
        (
            part("9", "Started", 10, "2026-11-22T06:06:00Z"),
            "transaction-twice",
        ),
    ];
    for (text, mark) in said {
        let events = host.say(&text);
        let marks = doubts(&events[0]);
        assert_eq!(
            marks,
            Vec::from_iter(Some(mark).filter(|mark| !mark.is_empty())),
            "{text}"
        );
        assert_eq!(host.last()[0], 3, "{text}");
    }
    assert!(host.session.book().open().is_empty());
}

#[test]
fn a_station_that_is_not_accepted_may_boot_and_answer() {
    for version in Version::ALL {
        let mut host = Host::with(
            version,
            Config::default(),
            Standing::Pending,
            Book::default(),
        );
        host.say(&call("1", "Heartbeat", &json!({})));
        assert_eq!(host.last()[2], "SecurityError");
        let start = Command::Start {
            outlet: None,
            id_token: IdToken::tag("TAG1"),
            remote_start: 1,
            profile: None,
        };
        let refused = host.session.command(&start, host.now).unwrap_err();
        assert_eq!(refused.code, "ocpp-not-accepted");
        let trigger = Command::Trigger {
            message: Trigger::Heartbeat,
            outlet: None,
        };
        host.session.command(&trigger, host.now).unwrap();
        host.collect();
        let id = host.last()[1].clone();
        host.say(&json!([3, id, {"status": "Accepted"}]).to_string());
        host.say(&call("2", "Heartbeat", &json!({})));
        assert_eq!(host.last()[0], 3, "{version:?}");
        let boot = match version {
            Version::V16 => json!({"chargePointModel": "m", "chargePointVendor": "v"}),
            Version::V201 => {
                json!({"reason": "PowerUp", "chargingStation": {"model": "m", "vendorName": "v"}})
            }
        };
        let events = host.hear(&call("3", "BootNotification", &boot));
        let rejected = Answer::Boot {
            standing: Standing::Rejected,
            interval_seconds: 600,
        };
        host.session
            .acknowledge(events[0].token.unwrap(), rejected, host.now)
            .unwrap();
        host.collect();
        assert_eq!(host.last()[2]["status"], "Rejected");
        assert_eq!(host.session.standing(), Standing::Rejected);
        host.say(&call("4", "BootNotification", &boot));
        assert_eq!(host.session.standing(), Standing::Accepted);
    }
}

#[test]
fn an_answer_that_does_not_fit_is_refused_and_the_event_waits() {
    let mut host = Host::new(Version::V16);
    let events = host.hear(&start("1", "2026-11-22T06:00:00Z", 0));
    let token = events[0].token.unwrap();
    let refused = host
        .session
        .acknowledge(token, Answer::Done, host.now)
        .unwrap_err();
    assert_eq!(refused.code, "ocpp-answer");
    host.durable(&events[0]);
    assert_eq!(host.last()[0], 3);
}

#[test]
fn phases_and_registers_are_the_same_in_both_versions() {
    let mut old = Host::new(Version::V16);
    let events = [
        old.say(&start("1", "2026-11-22T06:00:00Z", 1_000)),
        old.say(&call("2", "MeterValues", &json!({"connectorId": 1, "transactionId": 1001, "meterValue": [
            {"timestamp": "2026-11-22T06:10:00Z", "sampledValue": [{"value": "1.5", "unit": "kWh"}]}]}))),
        old.say(&stop("3", 1_001, "2026-11-22T06:20:00Z", 2_000)),
    ];
    let told: Vec<_> = events
        .iter()
        .map(|events| {
            let part = transaction(&events[0]);
            (part.phase, part.register.map(|register| register.milli_wh))
        })
        .collect();
    assert_eq!(
        told,
        [
            (Phase::Started, Some(1_000_000)),
            (Phase::Updated, Some(1_500_000)),
            (Phase::Ended, Some(2_000_000)),
        ]
    );
    assert!(old.events.iter().all(|event| event.doubts.is_empty()));
    assert_eq!(
        transaction(&events[0][0]).at,
        Timestamp::parse("2026-11-22T06:00:00Z").unwrap()
    );
}

#[test]
fn the_memory_of_a_station_is_bounded() {
    /// What one charge point may cost (64 KiB), without the message that is being read.
    const BYTES_MAX: usize = 64 * 1024;
    let mut host = Host::new(Version::V201);
    for n in 0..2_000 {
        host.now = later(host.now, 1_000);
        let at = host.now.at.to_string();
        let id = format!("{n:036}");
        let kind = if n % 3 == 0 { "Ended" } else { "Started" };
        let payload = json!({"eventType": kind, "timestamp": at, "triggerReason": "Trigger", "seqNo": 0,
            "transactionInfo": {"transactionId": id}, "evse": {"id": n % 200 + 1, "connectorId": 1},
            "meterValue": [{"timestamp": at, "sampledValue": [{"value": n}]}]});
        host.say(&call(&id, "TransactionEvent", &payload));
        assert_eq!(host.last()[0], 3);
    }
    let book = serde_json::to_string(host.session.book()).unwrap();
    assert!(
        book.len() + size_of::<proto_ocpp::Session>() < BYTES_MAX,
        "{}",
        book.len()
    );
    assert_eq!(host.session.book().open().len(), Config::default().open_max);
}

#[test]
fn what_a_stop_leaves_out_is_filled_in_from_the_start() {
    let mut host = Host::new(Version::V16);
    host.say(&start("1", "2026-11-22T06:00:00Z", 1_000));
    let events = host.say(&stop("2", 1_001, "2026-11-22T06:20:00Z", 2_345));
    let part = transaction(&events[0]);
    assert_eq!(part.outlet.map(|outlet| outlet.evse), Some(1));
    assert_eq!(part.energy_milli_wh, Some(1_345_000));
}
