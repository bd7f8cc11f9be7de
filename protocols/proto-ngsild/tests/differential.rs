//! Names expanded and compacted beside another reader of JSON-LD, the crate `json-ld`: on contexts that a seed makes, with terms that
//! stand for each other, prefixes, and IRIs that several terms share.

use json_ld::syntax::{Parse, Value};
use json_ld::{JsonLdProcessor, NoLoader, RemoteContextReference, RemoteDocument};
use proptest::prelude::*;
use proto_ngsild::context::{Context, ContextLimits, DEFAULT_VOCAB, Resolved, resolve};
use serde_json::{Map, json};
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// Runs what never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut std::task::Context::from_waker(Waker::noop()))
    {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("nothing is loaded, so nothing waits"),
    }
}

fn ours(context: &serde_json::Value) -> Arc<Context> {
    match resolve(context, &|_| None, &ContextLimits::default()).unwrap() {
        Resolved::Whole(context) => context,
        Resolved::Needs(urls) => panic!("{urls:?}"),
    }
}

/// The context as the other reader gets it: what of the core matters to names of other vocabularies comes last.
fn theirs(context: &serde_json::Value) -> serde_json::Value {
    json!([context, {"@vocab": DEFAULT_VOCAB, "id": "@id", "type": "@type", "ngsi-ld": "https://uri.etsi.org/ngsi-ld/", "geojson": "https://purl.org/geojson/vocab#"}])
}

/// The document's members in another context, which may be empty; `None` when the reader refuses it.
fn compacted(
    document: &serde_json::Value,
    into: &serde_json::Value,
) -> Option<Map<String, serde_json::Value>> {
    let (document, _) = Value::parse_str(&document.to_string()).unwrap();
    let document = RemoteDocument::new(None, None, document);
    let into: json_ld::syntax::Context = serde_json::from_value(into.clone()).unwrap();
    let into = RemoteContextReference::Loaded(RemoteDocument::new(None, None, into));
    let out = now(document.compact(into, &NoLoader)).ok()?;
    let out: serde_json::Value = serde_json::from_str(&out.to_string()).unwrap();
    let mut out = out.as_object().unwrap().clone();
    out.remove("@context");
    out.remove("@id");
    out.remove("id");
    Some(out)
}

fn name_in(out: Option<Map<String, serde_json::Value>>) -> Option<String> {
    let names: Vec<String> = out?.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    names.into_iter().next()
}

/// Contexts whose terms are a to f, of which some stand for IRIs that end like prefixes, some for each other.
fn contexts() -> impl Strategy<Value = serde_json::Value> {
    let iri = prop::sample::select(vec![
        "https://x.org/",
        "https://x.org/a",
        "https://x.org/a#",
        "https://x.org/a#b",
        "https://y.org/n?",
        "urn:z:",
        "urn:z:q",
    ]);
    let value = prop_oneof![
        4 => iri.clone().prop_map(|iri| json!(iri)),
        2 => iri.clone().prop_map(|iri| json!({"@id": iri})),
        1 => iri.prop_map(|iri| json!({"@id": iri, "@prefix": true})),
        // Of an earlier term, so that there is no circle.
        2 => ("[a-c]", "[a-z]{0,2}").prop_map(|(term, rest)| json!(format!("{term}:{rest}"))),
        1 => "[a-c]".prop_map(|term| json!(term)),
    ];
    let plain = prop::sample::select(vec![
        "https://x.org/",
        "https://x.org/a#",
        "urn:z:",
        "https://x.org/a",
    ]);
    (
        prop::collection::btree_map("[a-c]", plain, 3..=3),
        prop::collection::btree_map("[d-g]|speed|水位", value, 0..6),
    )
        .prop_map(|(first, then)| {
            let mut terms: Map<String, serde_json::Value> = first
                .into_iter()
                .map(|(term, iri)| (term, json!(iri)))
                .collect();
            terms.extend(then);
            serde_json::Value::Object(terms)
        })
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-g]",
        "[a-h]:[a-z]{1,3}",
        Just("speed".to_owned()),
        Just("水位".to_owned()),
        Just("unheard".to_owned()),
        Just("https://x.org/a#b".to_owned()),
        Just("urn:z:q".to_owned()),
        Just("ngsi-ld:default-context/x".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn names_expand_alike(context in contexts(), name in names()) {
        let document = json!({"@context": theirs(&context), "@id": "urn:e:1", &name: {"@id": "urn:e:2"}});
        let expected = name_in(compacted(&document, &json!({})));
        let found = ours(&context).expand(&name);
        prop_assert_eq!(Some(&*found), expected.as_deref());
    }

    #[test]
    fn names_compact_alike(context in contexts(), name in names()) {
        let ours = ours(&context);
        let full = ours.expand(&name);
        let document = json!({"@id": "urn:e:1", full.to_string(): {"@id": "urn:e:2"}});
        let expected = name_in(compacted(&document, &theirs(&context)));
        // The other reader refuses an IRI whose scheme is a term; it has no other name than itself.
        let expected = expected.unwrap_or_else(|| full.to_string());
        let found = ours.compact(&full);
        if found != expected {
            // Of several prefixed names JSON-LD takes the shortest (API, 7.1); the other reader, the first by its characters.
            prop_assert!(found.contains(':') && expected.contains(':'), "{found}, not {expected}");
            prop_assert!((found.len(), &found) < (expected.len(), &expected), "{found}, not {expected}");
            let again = ours.expand(&expected);
            prop_assert_eq!(&*again, &*full);
        }
    }

    /// Whatever name an IRI gets, in the same context it means the IRI again.
    #[test]
    fn what_is_compacted_means_the_same(context in contexts(), rest in "[a-z#/:]{0,6}", start in prop::sample::select(vec!["https://x.org/", "urn:z:", DEFAULT_VOCAB, "https://x.org/a#"])) {
        let context = ours(&context);
        let iri = format!("{start}{rest}");
        prop_assume!(proto_ngsild::words::is_uri(&iri));
        let name = context.compact(&iri);
        let again = context.expand(&name);
        prop_assert_eq!(&*again, iri.as_str());
    }
}

#[test]
fn a_whole_entity_expands_to_the_same_names() {
    let context = json!({"Vehicle": "https://x.org/Vehicle", "x": "https://x.org/", "speed": "x:speed", "by": {"@id": "x:by", "@type": "@id"}});
    let text = r#"{"id":"urn:e:1","type":"Vehicle","speed":{"type":"Property","value":5,"by":{"type":"Relationship","object":"urn:e:2"}},"other":{"type":"Property","value":1}}"#;
    let ours_context = ours(&context);
    let limits = proto_ngsild::Limits::default();
    let expansion = proto_ngsild::expand::Expansion {
        context: &ours_context,
        limits: &limits,
        task: proto_ngsild::expand::Task::Whole,
    };
    let json = proto_ngsild::json::parse(text.as_bytes(), 20).unwrap();
    let entity = expansion.entity(&json).unwrap();
    let ours: BTreeSet<String> = entity
        .attributes
        .iter()
        .map(|(name, _)| name.to_string())
        .collect();
    let mut document: serde_json::Value = serde_json::from_str(text).unwrap();
    let mut theirs = theirs(&context);
    for term in ["Property", "Relationship"] {
        theirs[1][term] = json!(format!("ngsi-ld:{term}"));
    }
    theirs[1]["value"] = json!("ngsi-ld:hasValue");
    theirs[1]["object"] = json!({"@id": "ngsi-ld:hasObject", "@type": "@id"});
    document["@context"] = theirs;
    let full = compacted(&document, &json!({})).unwrap();
    let kind = full["@type"].as_str().unwrap().to_owned();
    assert_eq!(kind, &*entity.types[0]);
    let names: BTreeSet<String> = full
        .keys()
        .filter(|key| !key.starts_with('@'))
        .cloned()
        .collect();
    assert_eq!(ours, names);
    let speed = &entity.attribute("https://x.org/speed").unwrap()[0];
    assert_eq!(speed.subs[0].0.as_ref(), "https://x.org/by");
    assert!(full["https://x.org/speed"]["https://x.org/by"].is_object());
}
