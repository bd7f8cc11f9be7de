//! A charge point without I/O: what it says, in which order, and what it answers to orders.

use super::*;

const NOON: Timestamp = Timestamp::from_seconds(1_795_406_400);

fn point(version: Version) -> Point {
    let plate = Plate {
        version,
        name: "CS001-01".to_owned(),
        model: "Demo 7 kW".to_owned(),
        rated_w: 7_000,
        meter_seconds: 15,
    };
    Point::new(plate, NOON)
}

fn at(seconds: i64) -> Timestamp {
    NOON.plus_seconds(seconds)
}

/// The next message; its action and body. Answered at once with `answer`.
fn said(point: &mut Point, now: Timestamp, answer: &Json) -> Option<(String, Json)> {
    let text = point.next(now)?;
    let parts: Vec<Json> = serde_json::from_str(&text).unwrap();
    if parts[0] == 2 {
        point.receive(&json!([3, parts[1], answer]).to_string(), now);
    }
    let action = parts[2].as_str().unwrap_or("answer").to_owned();
    Some((action, parts.last().unwrap().clone()))
}

fn all(point: &mut Point, now: Timestamp, answer: &Json) -> Vec<(String, Json)> {
    std::iter::from_fn(|| said(point, now, answer)).collect()
}

fn order(point: &mut Point, action: &str, body: &Json, now: Timestamp) -> Json {
    point.receive(&json!([2, "x", action, body]).to_string(), now);
    let answer = point.next(now).unwrap();
    let parts: Vec<Json> = serde_json::from_str(&answer).unwrap();
    assert_eq!((&parts[0], &parts[1]), (&json!(3), &json!("x")), "{answer}");
    parts[2]["status"].clone()
}

fn actions(said: &[(String, Json)]) -> Vec<&str> {
    said.iter().map(|(action, _)| action.as_str()).collect()
}

#[test]
fn a_charge_of_1_6_is_told_in_order_with_the_number_of_the_centre() {
    let mut point = point(Version::V16);
    let number = json!({"transactionId": 77, "idTagInfo": {"status": "Accepted"}});
    point.linked(at(0));
    point.act(
        Act::Begin {
            card: "CARD".to_owned(),
            watts: 3_600,
        },
        at(0),
    );
    let first = all(&mut point, at(0), &number);
    assert_eq!(
        actions(&first),
        [
            "BootNotification",
            "StatusNotification",
            "MeterValues",
            "Authorize",
            "StatusNotification",
            "StartTransaction"
        ]
    );
    point.pass(at(90));
    point.act(Act::End, at(100));
    let rest = all(&mut point, at(100), &number);
    assert_eq!(
        actions(&rest),
        [
            "StatusNotification",
            "MeterValues",
            "StopTransaction",
            "MeterValues"
        ]
    );
    assert_eq!(rest[1].1["transactionId"], 77);
    assert_eq!(rest[2].1["transactionId"], 77);
    assert_eq!(rest[3].1["meterValue"][0]["sampledValue"][1]["value"], "0");
    let wh = rest[2].1["meterStop"].as_i64().unwrap() - first[5].1["meterStart"].as_i64().unwrap();
    assert_eq!(wh, 100, "3.6 kW for 100 s");
    assert!(point.is_idle());
}

#[test]
fn what_was_not_answered_goes_out_again_the_same_and_the_rest_is_old() {
    let mut point = point(Version::V201);
    point.linked(at(0));
    let begin = Act::Begin {
        card: "CARD".to_owned(),
        watts: 3_600,
    };
    point.act(begin, at(0));
    for _ in 0..5 {
        said(&mut point, at(0), &json!({})).unwrap();
    }
    let start = point.next(at(1)).unwrap();
    point.lost();
    point.linked(at(5));
    let again = all(&mut point, at(5), &json!({}));
    assert_eq!(
        actions(&again),
        ["BootNotification", "StatusNotification", "TransactionEvent"]
    );
    let sent: Vec<Json> = serde_json::from_str(&start).unwrap();
    assert_eq!(again[2].1, sent[3]);
    assert_eq!(again[1].1["connectorStatus"], "Occupied");
}

#[test]
fn an_order_starts_a_limit_holds_and_an_order_stops() {
    for version in [Version::V16, Version::V201] {
        let mut point = point(version);
        let answers = json!({"transactionId": 5});
        point.linked(at(0));
        all(&mut point, at(0), &answers);
        let (start, stop) = match version {
            Version::V16 => ("RemoteStartTransaction", "RemoteStopTransaction"),
            Version::V201 => ("RequestStartTransaction", "RequestStopTransaction"),
        };
        let token = json!({"idTag": "ORDER", "remoteStartId": 9, "idToken": {"idToken": "ORDER", "type": "Central"}});
        assert_eq!(order(&mut point, start, &token, at(1)), "Accepted");
        assert_eq!(order(&mut point, start, &token, at(1)), "Rejected", "taken");
        let begun = all(&mut point, at(1), &answers);
        let schedule = json!({"chargingRateUnit": "W", "duration": 900, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1_800}]});
        let limit = match version {
            Version::V16 => {
                json!({"csChargingProfiles": {"chargingProfilePurpose": "TxProfile", "chargingSchedule": schedule}})
            }
            Version::V201 => {
                json!({"chargingProfile": {"chargingProfilePurpose": "TxProfile", "chargingSchedule": [schedule]}})
            }
        };
        assert_eq!(
            order(&mut point, "SetChargingProfile", &limit, at(1)),
            "Accepted"
        );
        point.pass(at(201));
        let which = match version {
            Version::V16 => json!({"transactionId": 5}),
            Version::V201 => {
                json!({"transactionId": begun[1].1["transactionInfo"]["transactionId"]})
            }
        };
        assert_eq!(order(&mut point, stop, &which, at(201)), "Accepted");
        let rest = all(&mut point, at(201), &answers);
        let register = |body: &Json| match version {
            Version::V16 => body.get("meterStop").or(body.get("meterStart")).cloned(),
            Version::V201 => body["meterValue"][0]["sampledValue"]
                .get(0)
                .map(|it| it["value"].clone()),
        };
        let wh = |said: &(String, Json)| register(&said.1).unwrap().as_i64().unwrap();
        assert_eq!(
            wh(&rest[2]) - wh(&begun[1]),
            100,
            "{version:?}: 1.8 kW for 200 s: {rest:?}"
        );
        assert_eq!(order(&mut point, stop, &which, at(202)), "Rejected", "over");
    }
}

#[test]
fn past_charges_come_before_how_it_stands_and_the_register_goes_on() {
    let mut point = point(Version::V16);
    let past = |from: i64, wh: i64| PastCharge {
        from: at(from),
        to: at(from + 3_600),
        wh,
        card: "CARD".to_owned(),
    };
    let charges = vec![past(-20_000, 5_000), past(-10_000, 6_999)];
    point.act(
        Act::Past {
            charges,
            fault: None,
        },
        at(0),
    );
    point.linked(at(0));
    let told = all(&mut point, at(0), &json!({"transactionId": 1}));
    let ends: Vec<i64> = told
        .iter()
        .filter_map(|(_, body)| body.get("meterStop").or(body.get("meterStart")))
        .map(|register| register.as_i64().unwrap())
        .collect();
    assert_eq!((ends[1] - ends[0], ends[3] - ends[2]), (5_000, 6_999));
    assert!(ends.windows(2).all(|w| w[0] <= w[1]), "{ends:?}");
}

#[test]
fn a_faulty_one_takes_nobody_until_it_is_mended() {
    let mut point = point(Version::V16);
    point.linked(at(0));
    all(&mut point, at(0), &json!({}));
    point.act(Act::Fault("OverCurrentFailure".to_owned()), at(1));
    let begin = Act::Begin {
        card: "CARD".to_owned(),
        watts: 3_600,
    };
    point.act(begin, at(2));
    point.act(Act::Mend, at(3));
    let told = all(&mut point, at(3), &json!({}));
    let states: Vec<_> = told
        .iter()
        .map(|(_, body)| body["status"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["Faulted", "Available"]);
    assert_eq!(told[0].1["errorCode"], "OverCurrentFailure");
}
