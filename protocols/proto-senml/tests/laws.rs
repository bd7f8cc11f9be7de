//! Laws: no panic on any bytes, limits hold, and a pack means the same as its resolved form.

use model::{EntityId, Timestamp, TypeName};
use proptest::prelude::*;
use proto_senml::resolve::resolve;
use proto_senml::{Limits, SenMl};
use wire::{Context, PayloadDecoder};

fn now() -> Timestamp {
    Timestamp::from_seconds(1_763_884_800)
}

fn context() -> Context {
    let entity = (
        EntityId::new("urn:ngsi-ld:A:1").unwrap(),
        TypeName::new("A").unwrap(),
    );
    Context {
        received_at: now(),
        entity: Some(entity),
    }
}

fn near_senml() -> impl Strategy<Value = String> {
    let members = prop::sample::select(vec![
        "\"bn\":\"urn:dev:ow:1:\"",
        "\"bn\":\"\"",
        "\"bn\":\"urn:ngsi-ld:\"",
        "\"bt\":1.3e9",
        "\"bt\":1e300",
        "\"bu\":\"A\"",
        "\"bv\":1e308",
        "\"bver\":5",
        "\"bver\":11",
        "\"n\":\"x\"",
        "\"n\":\"é\"",
        "\"u\":\"Cel\"",
        "\"u\":\"wat\"",
        "\"v\":1",
        "\"v\":1e308",
        "\"vs\":\"t\"",
        "\"vb\":true",
        "\"vd\":\"aGk\"",
        "\"s\":1",
        "\"t\":-5",
        "\"x_\":1",
        "\"y\":[{}]",
        "\"n\":5",
        "\"n\":\"urn:ngsi-ld:A:1\"",
        "\"n\":\"urn:ngsi-ld:A\"",
    ]);
    let record = prop::collection::vec(members, 0..5).prop_map(|m| format!("{{{}}}", m.join(",")));
    prop::collection::vec(record, 0..5).prop_map(|r| format!("[{}]", r.join(",")))
}

proptest! {
    #[test]
    fn no_panic_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let payload = SenMl::default().decode(&bytes, &context());
        prop_assert!(!payload.updates.is_empty() || !payload.problems.is_empty());
    }

    #[test]
    fn no_panic_on_near_senml(text in near_senml()) {
        let payload = SenMl::default().decode(text.as_bytes(), &context());
        for update in &payload.updates {
            prop_assert!(!update.attributes.is_empty());
        }
    }
}

/// RFC 8428 clauses 5.1.3 and 5.1.4 are the same data, as sent and as resolved.
#[test]
fn resolved_form_of_the_rfc() {
    const SENT: &str = r#"[
        {"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},
        {"u":"lon","v":24.30621},
        {"u":"lat","v":60.07965},
        {"t":60,"v":20.3}]"#;
    const RESOLVED: &str = r#"[
        {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067464e+09,"v":20},
        {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1.320067464e+09,"v":24.30621},
        {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1.320067464e+09,"v":60.07965},
        {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1.320067524e+09,"v":20.3}]"#;
    let read = |text: &str| {
        let (mut records, problems) = resolve(text.as_bytes(), now(), &Limits::default());
        assert_eq!(problems, []);
        records.iter_mut().for_each(|record| record.base_bytes = 0);
        records
    };
    assert_eq!(read(SENT), read(RESOLVED));
    assert_eq!(read(SENT)[3].time.to_string(), "2011-10-31T13:25:24Z");
}

#[test]
fn limits_hold() {
    let limits = Limits {
        message_bytes_max: 200,
        records_max: 3,
        text_bytes_max: 5,
        problems_max: 1,
    };
    let decoder = SenMl { limits };
    let codes = |text: &str| -> Vec<String> {
        let payload = decoder.decode(text.as_bytes(), &context());
        payload
            .problems
            .iter()
            .map(|problem| problem.code.clone())
            .collect()
    };
    assert_eq!(codes(&" ".repeat(201)), ["message-too-long"]);
    assert_eq!(codes("[{},{},{},{}]"), ["senml-records"]);
    assert_eq!(codes("[]"), ["senml-records"]);
    assert_eq!(
        codes("[{\"n\":\"x\",\"vs\":\"123456\"}]"),
        ["value-too-long"]
    );
    assert_eq!(
        codes("[{\"n\":\"x\"},{\"n\":\"y\"},{\"n\":\"z\"}]"),
        ["senml-values", "more-problems"]
    );
}

#[test]
fn ngsi_ld_is_left_to_ngsi_ld() {
    let decoder = SenMl::default();
    assert!(!decoder.recognises(b"{\"waterLevel\":1}", None));
    assert!(!decoder.recognises(b"[{\"id\":\"urn:a:1\"}]", None));
    assert!(decoder.recognises(b"[{\"v\":1}]", None));
    assert!(decoder.recognises(b"", Some("application/senml+json; charset=utf-8")));
}
