//! Laws: no panic on any bytes, limits hold, and what is written is read back.

use model::{EntityId, Geometry, Timestamp, TypeName, Value};
use proptest::prelude::*;
use proto_ngsild::encode::{AttributeView, BatchOutcome, batch_answer, key_values, normalized};
use proto_ngsild::{Limits, NgsiLd};
use wire::{Context, PayloadDecoder};

fn context() -> Context {
    Context {
        received_at: Timestamp::from_seconds(1_763_884_800),
        entity: Some((
            EntityId::new("urn:ngsi-ld:A:1").unwrap(),
            TypeName::new("A").unwrap(),
        )),
    }
}

fn first_code(decoder: &NgsiLd, text: &str) -> String {
    decoder.decode(text.as_bytes(), &context()).problems[0]
        .code
        .clone()
}

/// Text that is nearly NGSI-LD: words of the format in any order.
fn near_json() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"type\"",
        "\"value\"",
        "\"Property\"",
        "\"GeoProperty\"",
        "\"object\"",
        "\"id\"",
        "\"urn:a:b\"",
        "\"observedAt\"",
        "\"x\"",
        "1",
        "-1e9",
        "null",
        "true",
        "\"Point\"",
        "\"coordinates\"",
        "[1,2]",
        "{\"type\":\"Property\",\"value\":1}",
        "\"\\u0000\"",
    ]);
    prop::collection::vec(words, 0..24).prop_map(|words| words.concat())
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        // Up to 15 significant digits are read exactly; beyond, the last may differ.
        (-10_i64.pow(14)..10_i64.pow(14)).prop_map(|n| Value::Number(n as f64 / 1000.0)),
        any::<bool>().prop_map(Value::Boolean),
        "[a-z 竟陵\"\\\\]{0,12}".prop_map(Value::Text),
        (-18_000_000..18_000_000, -9_000_000..9_000_000).prop_map(|(lon, lat)| {
            Value::Geometry(Geometry::Point {
                lon: f64::from(lon) / 1e5,
                lat: f64::from(lat) / 1e5,
            })
        }),
        "[a-z]{1,8}"
            .prop_map(|s| Value::Relationship(EntityId::new(format!("urn:x:{s}")).unwrap())),
        Just(Value::Json("{\"a\":[1,2]}".to_owned())),
    ]
}

proptest! {
    #[test]
    fn no_panic_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let payload = NgsiLd::default().decode(&bytes, &context());
        prop_assert!(!payload.updates.is_empty() || !payload.problems.is_empty());
    }

    #[test]
    fn no_panic_on_near_json(text in near_json()) {
        let payload = NgsiLd::default().decode(text.as_bytes(), &context());
        prop_assert!(!payload.updates.is_empty() || !payload.problems.is_empty());
        for update in &payload.updates {
            prop_assert!(!update.attributes.is_empty());
        }
    }

    #[test]
    fn normalized_is_read_back(value in any_value(), micros in 0_i64..4_000_000_000_000_000) {
        let observed_at = Timestamp::from_micros(micros);
        let view = AttributeView { name: "x", value: &value, unit: Some("MTR"), observed_at };
        let json = normalized("urn:ngsi-ld:A:1", "A", [view]).to_string();
        let payload = NgsiLd::default().decode(json.as_bytes(), &context());
        prop_assert_eq!(&payload.problems, &vec![]);
        let attribute = &payload.updates[0].attributes[0];
        prop_assert_eq!(&attribute.value, &value);
        prop_assert_eq!(attribute.observed_at, observed_at);
        prop_assert_eq!(attribute.unit.as_deref(), Some("MTR"));
    }
}

#[test]
fn key_values_leaves_deleted_out() {
    let observed_at = Timestamp::from_seconds(0);
    let view = |name, value| AttributeView {
        name,
        value,
        unit: None,
        observed_at,
    };
    let json = key_values(
        "urn:x:1",
        "A",
        [view("a", &Value::Number(1.5)), view("b", &Value::Deleted)],
    );
    assert_eq!(
        json,
        serde_json::json!({"id": "urn:x:1", "type": "A", "a": 1.5})
    );
}

#[test]
fn batch_answers() {
    let mut outcome = BatchOutcome {
        updated: vec!["urn:a:1".into()],
        ..Default::default()
    };
    assert_eq!(batch_answer(&outcome), (204, None));
    outcome.created.push("urn:a:2".into());
    assert_eq!(
        batch_answer(&outcome),
        (201, Some(serde_json::json!(["urn:a:2"])))
    );
    let problem = model::Problem::new("value-null", "the value is null", "x", "leave it out");
    outcome.errors.push((Some("urn:a:3".into()), problem));
    let (status, body) = batch_answer(&outcome);
    let body = body.unwrap();
    assert_eq!(status, 207);
    assert_eq!(body["success"], serde_json::json!(["urn:a:2", "urn:a:1"]));
    assert_eq!(body["errors"][0]["entityId"], "urn:a:3");
    assert_eq!(body["errors"][0]["error"]["code"], "value-null");
}

#[test]
fn limits_hold() {
    let decoder = NgsiLd {
        limits: Limits {
            message_bytes_max: 2_000,
            depth_max: 5,
            entities_max: 3,
            attributes_max: 4,
            text_bytes_max: 20,
            problems_max: 2,
        },
    };
    assert_eq!(first_code(&decoder, &" ".repeat(2_001)), "message-too-long");
    assert_eq!(first_code(&decoder, "{\"a\":[[[[[1]]]]]}"), "json-depth");
    assert_eq!(first_code(&decoder, "[{},{},{},{}]"), "too-many-entities");
    assert_eq!(first_code(&decoder, "[]"), "no-entities");
    assert_eq!(
        first_code(&decoder, "{\"a\":\"0123456789012345678901\"}"),
        "value-too-long"
    );
    assert_eq!(
        first_code(&decoder, "{\"a\":{\"json\":[1000,1000,1000,1000,1000]}}"),
        "value-too-long"
    );
    let many: Vec<String> = (0..20).map(|n| format!("\"a{n}\":1")).collect();
    assert_eq!(
        first_code(&decoder, &format!("{{{}}}", many.join(","))),
        "too-many-attributes"
    );
    let payload = decoder.decode(b"{\"a\":null,\"b\":null,\"c\":null,\"d\":null}", &context());
    assert_eq!(payload.problems.len(), 3);
    assert_eq!(payload.problems[2].code, "more-problems");
}

#[test]
fn nesting_far_beyond_any_stack_is_a_problem() {
    let text = "[".repeat(500_000);
    assert_eq!(first_code(&NgsiLd::default(), &text), "json-depth");
}

#[test]
fn bytes_that_are_not_text() {
    let payload = NgsiLd::default().decode(b"{\"a\":\"\xff\"}", &context());
    assert_eq!(payload.problems[0].code, "json-utf8");
}

#[test]
fn senml_is_left_to_senml() {
    let decoder = NgsiLd::default();
    assert!(!decoder.recognises(b"[{\"bn\":\"urn:dev:ow:1:\",\"n\":\"t\",\"v\":1}]", None));
    assert!(!decoder.recognises(b"[{\"n\":\"t\"}]", Some("application/senml+json")));
    assert!(!decoder.recognises(b"weather t=1", None));
    assert!(decoder.recognises(b" [{\"id\":\"urn:a:1\"}]", None));
    assert!(decoder.recognises(b"{\"waterLevel\":1}", Some("application/json")));
}
