//! What is refused, by which code, in which version's spelling; floods and nonsense; and what is let pass because money hangs on it.

mod host;

use host::{Host, call, doubts, later, part, start, stop};
use proto_ocpp::config::Tolerance;
use proto_ocpp::error::ErrorCode;
use proto_ocpp::{Book, Config, Standing, Version, What};
use serde_json::{Value, json};

#[test]
fn every_refusal_is_spelt_as_its_version_spells_it() {
    let boot = |payload| call("1", "BootNotification", payload);
    let bad_meter = call(
        "1",
        "MeterValues",
        &json!({"connectorId": 1, "meterValue": []}),
    );
    let v16 = [
        (
            boot(&json!({"chargePointModel": "x"})),
            "OccurenceConstraintViolation",
        ),
        (bad_meter, "OccurenceConstraintViolation"),
        (
            boot(&json!({"chargePointModel": "x", "chargePointVendor": 1})),
            "TypeConstraintViolation",
        ),
        (
            boot(&json!({"chargePointModel": "x", "chargePointVendor": null})),
            "TypeConstraintViolation",
        ),
        (
            boot(&json!({"chargePointModel": "x".repeat(21), "chargePointVendor": "y"})),
            "PropertyConstraintViolation",
        ),
        (start("1", "gestern", 0), "PropertyConstraintViolation"),
        (
            call("1", "Authorize", &json!({"idTag": "x", "more": 1})),
            "FormationViolation",
        ),
        (
            call("1", "Authorize", &json!([])),
            "TypeConstraintViolation",
        ),
        (call("1", "Authorise", &json!({})), "NotImplemented"),
        (call("1", "Reset", &json!({})), "NotSupported"),
        (
            json!([2, "1", "Authorize"]).to_string(),
            "FormationViolation",
        ),
        (json!([2, "1", 5, {}]).to_string(), "FormationViolation"),
        (
            json!([2, "1".repeat(37), "Heartbeat", {}]).to_string(),
            "FormationViolation",
        ),
    ];
    for (text, code) in v16 {
        let mut host = Host::new(Version::V16);
        let events = host.say(&text);
        assert_eq!(host.last()[2], code, "{text}");
        assert!(matches!(events[0].what, What::Broken { .. }), "{text}");
        assert_eq!(events[0].raw, text.as_bytes());
    }
    let v201 = [
        (
            call("1", "BootNotification", &json!({"reason": "PowerUp"})),
            "OccurrenceConstraintViolation",
            "1",
        ),
        (
            call("1", "Heartbeat", &json!({"x": 1})),
            "FormatViolation",
            "1",
        ),
        (
            call(
                "1",
                "NotifyReport",
                &json!({"requestId": 1.5, "generatedAt": "2026-11-22T06:00:00Z", "seqNo": 0}),
            ),
            "TypeConstraintViolation",
            "1",
        ),
        (
            call("1", "NotifyDisplayMessages", &json!({})),
            "NotSupported",
            "1",
        ),
        (
            call("1", "StartTransaction", &json!({})),
            "NotImplemented",
            "1",
        ),
        (
            part("1", "Paused", 0, "2026-11-22T06:00:00Z"),
            "PropertyConstraintViolation",
            "1",
        ),
        (
            json!([2, "1", "Heartbeat"]).to_string(),
            "RpcFrameworkError",
            "1",
        ),
        (
            json!([2, 1, "Heartbeat", {}]).to_string(),
            "RpcFrameworkError",
            "-1",
        ),
        (
            json!([7, "1", "Heartbeat", {}]).to_string(),
            "MessageTypeNotSupported",
            "1",
        ),
        (json!({"a": 1}).to_string(), "RpcFrameworkError", "-1"),
        ("[2,".to_owned(), "RpcFrameworkError", "-1"),
        (String::new(), "RpcFrameworkError", "-1"),
    ];
    for (text, code, id) in v201 {
        let mut host = Host::new(Version::V201);
        host.say(&text);
        assert_eq!(host.last()[2], code, "{text}");
        assert_eq!(host.last()[1], id, "{text}");
    }
    // 1.6 has no words for what has no id, or another type.
    for text in ["[2,", "{}", "[7,\"1\",\"Heartbeat\",{}]", "[3,1,{}]"] {
        let mut host = Host::new(Version::V16);
        let events = host.say(text);
        assert!(host.sent.is_empty(), "{text}");
        assert!(matches!(events[0].what, What::Broken { .. }), "{text}");
    }
}

#[test]
fn both_spellings_of_a_code_are_read() {
    for (word, code) in [
        ("FormationViolation", Some(ErrorCode::FormatViolation)),
        ("FormatViolation", Some(ErrorCode::FormatViolation)),
        (
            "OccurenceConstraintViolation",
            Some(ErrorCode::OccurrenceConstraintViolation),
        ),
        (
            "OccurrenceConstraintViolation",
            Some(ErrorCode::OccurrenceConstraintViolation),
        ),
        ("ProtocolError", Some(ErrorCode::ProtocolError)),
        ("RpcFrameworkError", Some(ErrorCode::RpcFrameworkError)),
        ("Nonsense", None),
    ] {
        assert_eq!(ErrorCode::from_word(word), code, "{word}");
    }
    for code in ErrorCode::ALL {
        assert_eq!(ErrorCode::from_word(code.word(Version::V201)), Some(code));
    }
}

#[test]
fn money_is_not_lost_for_a_field_too_many() {
    let mut odd: Value = serde_json::from_str(&stop("1", 5, "2026-11-22T06:00:00Z", 10)).unwrap();
    odd[3]["reason"] = json!("BatteryFull");
    odd[3]["vendorX"] = json!(1);
    odd[3]["idTag"] = Value::Null;
    let mut host = Host::new(Version::V16);
    let events = host.say(&odd.to_string());
    let marks = doubts(&events[0]);
    assert_eq!(
        marks.iter().filter(|mark| **mark == "tolerated").count(),
        3,
        "{marks:?}"
    );
    assert_eq!(host.last()[0], 3);
    let strict = Config {
        tolerance: Tolerance::None,
        ..Config::default()
    };
    let mut host = Host::with(Version::V16, strict, Standing::Accepted, Book::default());
    host.say(&odd.to_string());
    assert_eq!(host.last()[0], 4);
}

#[test]
fn a_flood_is_slowed_then_refused_then_closed() {
    let config = Config {
        calls_burst: 10,
        calls_per_minute: 60,
        flood_calls_max: 5,
        ..Config::default()
    };
    let mut host = Host::with(Version::V16, config, Standing::Accepted, Book::default());
    let beat = |n: usize| call(&n.to_string(), "Heartbeat", &json!({}));
    for n in 0..10 {
        assert_eq!(host.session.read_at_ms(host.now), host.now.ms);
        host.say(&beat(n));
        assert_eq!(host.last()[0], 3);
    }
    // A host that waits refuses nothing, however long the queue.
    for n in 10..100 {
        let at = host.session.read_at_ms(host.now);
        assert!(at > host.now.ms && at <= host.now.ms + 1_000);
        host.now = later(host.now, at - host.now.ms);
        host.say(&beat(n));
        assert_eq!(host.last()[0], 3);
    }
    // One that does not is refused, told of once, and closed in the end.
    let known = host.events.len();
    for n in 100..110 {
        host.say(&beat(n));
    }
    assert_eq!(host.last()[2], "GenericError");
    assert_eq!(host.closed, Some(1_008));
    let told = host.events[known..]
        .iter()
        .filter(|e| matches!(e.what, What::Broken { .. }));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_station_that_does_not_wait_has_a_limit() {
    let mut host = Host::new(Version::V16);
    let status = |n: usize| {
        let payload = json!({"connectorId": 1, "errorCode": "NoError", "status": "Available"});
        call(&n.to_string(), "StatusNotification", &payload)
    };
    for n in 0..4 {
        host.hear(&status(n));
    }
    assert!(host.sent.is_empty());
    host.hear(&status(4));
    assert_eq!(
        (host.last()[1].as_str(), host.last()[2].as_str()),
        (Some("4"), Some("GenericError"))
    );
}

#[test]
fn endless_nonsense_is_closed() {
    for text in ["nonsense", r#"[3,"x",{}]"#] {
        let mut host = Host::new(Version::V16);
        for _ in 0..21 {
            host.say(text);
        }
        assert_eq!(host.closed, Some(1_002), "{text}");
        assert!(host.say(text).is_empty());
    }
    let mut host = Host::new(Version::V201);
    let large = call(
        "1",
        "DataTransfer",
        &json!({"vendorId": "v", "data": "x".repeat(300_000)}),
    );
    let events = host.say(&large);
    assert!(events[0].raw.len() == 4_096 && host.last()[1] == "-1");
    assert!(matches!(&events[0].what, What::Broken { told, .. } if told.code == "ocpp-too-large"));
}

#[test]
fn a_message_id_used_again_for_something_else_is_marked() {
    let mut host = Host::new(Version::V16);
    host.say(&start("1", "2026-11-22T06:00:00Z", 0));
    let other = host.say(&call("1", "Authorize", &json!({"idTag": "TAG2"})));
    assert_eq!(doubts(&other[0]), ["message-id-reused"]);
    assert_eq!(host.last()[2]["idTagInfo"]["status"], "Accepted");
}
