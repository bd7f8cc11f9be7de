//! Laws: no panic on any bytes, limits hold, escapes are undone exactly, mappings are checked.

use model::{EntityId, Timestamp, TypeName, Value};
use proptest::prelude::*;
use proto_influx::{Influx, Limits, LineMapping, Precision};
use wire::{Context, PayloadDecoder};

fn context() -> Context {
    let entity = (
        EntityId::new("urn:ngsi-ld:A:1").unwrap(),
        TypeName::new("A").unwrap(),
    );
    Context {
        received_at: Timestamp::from_seconds(1_763_884_800),
        entity: Some(entity),
    }
}

/// Lines of few series, good and bad, plain and with escapes, some that leave their entity to the address.
fn few_series() -> impl Strategy<Value = String> {
    let heads = prop::sample::select(vec![
        "level,station=1",
        "level,station=2",
        "level,station=a\\ b",
        "level",
        "A,id=7",
        "A,id=7,x=",
        "B,entity_id=urn:x:1",
        "B,entity_id=no",
        "C",
    ]);
    let fields = prop::sample::select(vec![
        " m=1.5 7",
        " m=1.5,m=2",
        " m=t,n=\"a b\"",
        " m= 3",
        "",
        " m=1 x",
    ]);
    let line = (heads, fields).prop_map(|(head, fields)| format!("{head}{fields}"));
    prop::collection::vec(line, 1..100).prop_map(|lines| lines.join("\n"))
}

fn near_lines() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "m", ",", "=", " ", "\n", "\"", "\\", "1", "1i", "-", "1e999", "NaN", "t", "x", "#", "id",
        "竟", "\r", "u",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn what_is_remembered_of_series_changes_nothing(messages in prop::collection::vec(few_series(), 1..5)) {
        let mapping = LineMapping {
            measurement: "level".into(),
            entity_type: TypeName::new("WaterObserved").unwrap(),
            entity_id: "urn:ngsi-ld:WaterObserved:{station}".into(),
            fields: [("m".to_owned(), model::AttributeName::new("waterLevel").unwrap())].into(),
            units: [("m".to_owned(), "m".to_owned())].into(),
        };
        let remembers = Influx::new([mapping.clone()], Limits::default()).unwrap();
        for (n, message) in messages.iter().enumerate() {
            // Another sender each time, for lines that leave their entity to the address.
            let mut context = context();
            context.entity.as_mut().unwrap().0 = EntityId::new(format!("urn:x:{n}")).unwrap();
            let fresh = Influx::new([mapping.clone()], Limits::default()).unwrap();
            prop_assert_eq!(
                remembers.decode_lines(message.as_bytes(), Precision::Seconds, &context),
                fresh.decode_lines(message.as_bytes(), Precision::Seconds, &context)
            );
        }
    }

    #[test]
    fn no_panic_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let payload = Influx::default().decode(&bytes, &context());
        prop_assert!(!payload.updates.is_empty() || !payload.problems.is_empty());
    }

    #[test]
    fn no_panic_on_near_lines(text in near_lines()) {
        let payload = Influx::default().decode(text.as_bytes(), &context());
        prop_assert!(!payload.updates.is_empty() || !payload.problems.is_empty());
    }

    #[test]
    fn text_and_numbers_are_read_back(text in "[a-z \\\\\",=竟\n#]{0,20}", number in -1e12..1e12, time in any::<i64>()) {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        let line = format!("A,id=7 note=\"{quoted}\",x={number} {time}\nA,id=7 y=1");
        let outcome = Influx::default().decode_lines(line.as_bytes(), Precision::Microseconds, &context());
        prop_assert_eq!(&outcome.payload.problems, &vec![]);
        prop_assert_eq!(outcome.payload.updates.len(), 2);
        let attributes = &outcome.payload.updates[0].attributes;
        prop_assert_eq!(&attributes[0].value, &Value::Text(text));
        prop_assert_eq!(&attributes[1].value, &Value::Number(number));
        prop_assert_eq!(attributes[0].observed_at, Timestamp::from_micros(time));
    }
}

#[test]
fn limits_hold() {
    let limits = Limits {
        message_bytes_max: 200,
        lines_max: 3,
        tags_max: 2,
        fields_max: 2,
        text_bytes_max: 5,
        problems_max: 1,
    };
    let decoder = Influx::new([], limits).unwrap();
    let codes = |text: &str| -> Vec<String> {
        let payload = decoder.decode(text.as_bytes(), &context());
        payload
            .problems
            .iter()
            .map(|problem| problem.code.clone())
            .collect()
    };
    assert_eq!(codes(&" ".repeat(201)), ["message-too-long"]);
    assert_eq!(codes("m x=1\nm x=1\nm x=1\nm x=1"), ["too-many-lines"]);
    assert_eq!(codes("m,a=1,b=1,c=1 x=1"), ["line-limit"]);
    assert_eq!(codes("m x=1,y=1,z=1"), ["line-limit"]);
    assert_eq!(codes("m x=\"123456\""), ["line-limit"]);
    assert_eq!(codes("a\nb\nc"), ["line-syntax", "more-problems"]);
    assert_eq!(codes("# nothing\n\n"), ["no-lines"]);
}

#[test]
fn the_first_bad_line_is_told() {
    let outcome =
        Influx::default().decode_lines(b"m x=1\nm x=\nm x=2\nm", Precision::Seconds, &context());
    assert_eq!(outcome.first_bad_line, Some(2));
    assert_eq!(outcome.payload.updates.len(), 2);
}

#[test]
fn precision_is_applied() {
    for (word, time, expected) in [
        ("ns", "1763884800123456789", 1_763_884_800_123_456),
        ("us", "1763884800123456", 1_763_884_800_123_456),
        ("ms", "1763884800123", 1_763_884_800_123_000),
        ("s", "1763884800", 1_763_884_800_000_000),
    ] {
        let precision = Precision::parse(word).unwrap();
        let line = format!("m x=1 {time}");
        let outcome = Influx::default().decode_lines(line.as_bytes(), precision, &context());
        assert_eq!(
            outcome.payload.updates[0].attributes[0]
                .observed_at
                .micros(),
            expected,
            "{word}"
        );
    }
    assert_eq!(Precision::parse("h").unwrap_err().code, "precision");
}

#[test]
fn faulty_mappings_are_told() {
    let mapping = |entity_id: &str, unit: &str| LineMapping {
        measurement: "m".into(),
        entity_type: TypeName::new("A").unwrap(),
        entity_id: entity_id.into(),
        fields: [].into(),
        units: [("x".to_owned(), unit.to_owned())].into(),
    };
    let code =
        |mappings: Vec<LineMapping>| Influx::new(mappings, Limits::default()).unwrap_err().code;
    assert_eq!(code(vec![mapping("urn:x:{a", "m")]), "mapping-template");
    assert_eq!(code(vec![mapping("urn:x:{a}", "furlong")]), "unknown-unit");
    assert_eq!(
        code(vec![mapping("urn:x:1", "m"), mapping("urn:x:2", "m")]),
        "mapping-duplicate"
    );
}

#[test]
fn json_is_not_lines() {
    let decoder = Influx::default();
    assert!(!decoder.recognises(b"{\"a\": \"b=c\"}", None));
    assert!(decoder.recognises(b"weather,id=1 t=20.5", None));
}
