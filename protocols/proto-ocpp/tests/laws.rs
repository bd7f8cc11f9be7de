//! Laws: no panic and bounded work on any bytes; every call is answered once, when it is durable; frames are read as they were written;
//! two machines understand each other; numbers are exact. A failure prints its seed (proptest).

mod host;

use host::{Host, later};
use proptest::prelude::*;
use proto_ocpp::frame::{self, Frame};
use proto_ocpp::message::Phase;
use proto_ocpp::meter::Decimal;
use proto_ocpp::{Config, Version, What};
use serde_json::{Value, json};

fn captures() -> Vec<String> {
    let lines = [
        include_str!("../vectors/captures/ocpp16.jsonl"),
        include_str!("../vectors/captures/ocpp201.jsonl"),
    ];
    lines
        .iter()
        .flat_map(|text| text.lines())
        .map(|line| {
            let frame: Value = serde_json::from_str(line).unwrap();
            frame["text"].as_str().unwrap().to_owned()
        })
        .collect()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // serde_json reads numbers of more than 15 digits to the last binary place alone.
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 1_000.0)),
        "[a-zA-Z0-9:.\u{4e00}-\u{4e10}-]{0,40}".prop_map(Value::from),
        Just(json!("2026-11-22T06:00:00Z")),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map("[a-zA-Z]{1,12}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A captured message in which one value stands that is any JSON.
fn spoilt() -> impl Strategy<Value = String> {
    (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any_json(),
    )
        .prop_map(|(which, place, new)| {
            let captures = captures();
            let mut message: Value = serde_json::from_str(which.get::<String>(&captures)).unwrap();
            let mut places = Vec::new();
            paths(&message, String::new(), &mut places);
            let place = place.get::<String>(&places);
            if let Some(at) = message.pointer_mut(place) {
                *at = new;
            }
            message.to_string()
        })
}

fn paths(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                paths(item, format!("{at}/{n}"), out);
            }
        }
        Value::Object(object) => {
            for (name, item) in object {
                paths(item, format!("{at}/{name}"), out);
            }
        }
        _ => {}
    }
    out.push(at);
}

/// Feeds messages, makes everything durable, and checks what must always hold.
fn endures(version: Version, messages: &[Vec<u8>]) {
    let mut host = Host::new(version);
    for message in messages {
        host.session.receive(message, host.now);
        let mut tokens = 0;
        let mut events = Vec::new();
        while let Some(event) = host.session.event() {
            events.push(event);
        }
        assert!(events.len() <= 1, "one message makes one event at most");
        for event in events {
            tokens += usize::from(event.token.is_some());
            let learnt = host.learns(&event);
            assert!(
                learnt
                    .updates
                    .iter()
                    .all(|update| !update.attributes.is_empty())
            );
            assert!(event.raw.len() <= message.len());
            host.durable(&event);
        }
        host.collect();
        assert!(tokens <= 1);
        host.now = later(host.now, 1_000);
        assert!(host.sent.len() <= messages.len());
        if host.closed.is_some() {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_bytes_are_endured(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8)) {
        for version in Version::ALL {
            endures(version, &messages);
        }
    }

    #[test]
    fn any_spoilt_message_is_endured(messages in prop::collection::vec(spoilt(), 1..6)) {
        let messages: Vec<_> = messages.into_iter().map(String::into_bytes).collect();
        for version in Version::ALL {
            endures(version, &messages);
        }
    }

    #[test]
    fn any_json_is_endured(action in "(BootNotification|TransactionEvent|StopTransaction|MeterValues|NotifyReport|NotifyEvent)", payload in any_json()) {
        let message = json!([2, "id", action, payload]).to_string().into_bytes();
        for version in Version::ALL {
            endures(version, std::slice::from_ref(&message));
        }
    }

    #[test]
    fn a_frame_is_read_as_it_was_written(id in "[ -~]{1,36}", action in "[A-Za-z]{1,50}", payload in any_json(), kind in 0..3) {
        let frame = match kind {
            0 => Frame::Call { id, action, payload },
            1 => Frame::Result { id, payload },
            _ => Frame::Error { id, code: action, description: "d".to_owned(), details: payload },
        };
        let text = frame::encode(&frame);
        prop_assert_eq!(frame::decode(text.as_bytes(), &Config::default()).unwrap(), frame);
    }

    #[test]
    fn a_decimal_is_exact(digits in -999_999_999_999_i64..999_999_999_999, behind in 0_usize..6) {
        let sign = if digits < 0 { "-" } else { "" };
        let padded = format!("{:0>width$}", digits.unsigned_abs(), width = behind + 1);
        let (before, after) = padded.split_at(padded.len() - behind);
        let text = if behind == 0 { format!("{sign}{before}") } else { format!("{sign}{before}.{after}") };
        let decimal = Decimal::parse(&text).unwrap();
        let power = i32::try_from(behind).unwrap();
        prop_assert_eq!(decimal.times_ten_to(power), Some(digits));
    }

    /// However starts and stops are repeated, lost and sent again on new links: one start, one number; the energy is that of the meter.
    #[test]
    fn energy_is_that_of_the_meter(
        sessions in prop::collection::vec((0_i64..500_000, 1_u8..4, 1_u8..4, any::<bool>()), 1..8)
    ) {
        let mut host = Host::new(Version::V16);
        let mut meter = 0_i64;
        let mut expected = 0_i64;
        for (n, (wh, starts, stops, breaks)) in sessions.iter().enumerate() {
            let at = |minutes: i64| host::NOW.at.plus_seconds(-86_400 + (n as i64 * 60 + minutes) * 60).to_string();
            let start = json!({"connectorId": 1, "idTag": "T", "meterStart": meter, "timestamp": at(0)});
            meter += wh;
            expected += wh * 1_000;
            let stop = |id: i64| json!({"transactionId": id, "meterStop": meter, "timestamp": at(59)});
            let mut id = 0;
            for again in 0..*starts {
                host.say(&json!([2, format!("{n}-s{again}"), "StartTransaction", start]).to_string());
                let given = host.last()[2]["transactionId"].as_i64().unwrap();
                prop_assert!(again == 0 || given == id);
                id = given;
            }
            if *breaks {
                let book = host.session.book().clone();
                let mut next = Host::with(Version::V16, Config::default(), proto_ocpp::Standing::Accepted, book);
                next.numbers.clone_from(&host.numbers);
                next.events.append(&mut host.events);
                host = next;
            }
            for again in 0..*stops {
                host.say(&json!([2, format!("{n}-e{again}"), "StopTransaction", stop(id)]).to_string());
            }
        }
        // What a bill's store does: the first start and the first stop of each transaction that are no repetition.
        let mut sum = 0;
        let mut bills = 0;
        for event in &host.events {
            let What::Transaction(part) = &event.what else { continue };
            if event.doubts.iter().any(|doubt| doubt.code() == "repeated") {
                continue;
            }
            let register = part.register.unwrap().milli_wh;
            match part.phase {
                Phase::Started => sum -= register,
                Phase::Ended => {
                    sum += register;
                    bills += 1;
                }
                Phase::Updated => {}
            }
        }
        prop_assert_eq!((sum, bills), (expected, sessions.len()));
    }
}
