//! Laws of the language: no panic on any text, what is shown is read again as the same entity in every lossless form, and patches keep
//! their promises.

use proptest::prelude::*;
use proto_ngsild::compact::{self, Form, View, languages};
use proto_ngsild::context::{Context, ContextLimits, Resolved, resolve};
use proto_ngsild::entity::Entity;
use proto_ngsild::expand::{Expansion, Task};
use proto_ngsild::patch::{self, Merging};
use proto_ngsild::query::q::Query;
use proto_ngsild::query::{geo::GeoQuery, order::Order, scope::Scopes, types::Types};
use proto_ngsild::{Limits, json};
use serde_json::{Map, Value, json};
use std::sync::Arc;

fn context() -> Arc<Context> {
    let terms =
        json!({"ex": "https://ex.org/", "speed": "ex:speed", "T": "ex:T", "Male": "ex:Male"});
    match resolve(&terms, &|_| None, &ContextLimits::default()).unwrap() {
        Resolved::Whole(context) => context,
        Resolved::Needs(urls) => panic!("{urls:?}"),
    }
}

fn expand(value: &Value, task: Task) -> Result<Entity, String> {
    let (context, limits) = (context(), Limits::default());
    let text = value.to_string();
    let tree = json::parse(text.as_bytes(), 40).map_err(|e| e.to_string())?;
    Expansion {
        context: &context,
        limits: &limits,
        task,
    }
    .entity(&tree)
    .map_err(|e| e.to_string())
}

fn show(entity: &Entity, form: Form) -> Value {
    let view = View {
        form,
        ..View::default()
    };
    Value::Object(compact::entity(entity, &context(), &view))
}

/// JSON that a Property can hold.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(|b| json!(b)),
        any::<i32>().prop_map(|n| json!(n)),
        (-1.0e6..1.0e6).prop_map(|n: f64| json!(n)),
        "[a-z水 \"{}:]{0,8}".prop_map(|s| json!(s)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(
                "type|value|object|datasetId|unitCode|coordinates|a|b|@value|@type",
                inner,
                0..4
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// One instance of an attribute of any kind, normalized.
fn instance() -> impl Strategy<Value = Value> {
    let id = "urn:x:[a-z]{1,4}";
    let held = prop_oneof![
        any_json().prop_map(|v| json!({"type": "Property", "value": v})),
        (-180.0..180.0, -90.0..90.0).prop_map(|(x, y): (f64, f64)| json!({"type": "GeoProperty", "value": {"type": "Point", "coordinates": [x, y]}})),
        id.prop_map(|id| json!({"type": "Relationship", "object": id})),
        prop::collection::vec(id, 1..3).prop_map(|ids| json!({"type": "Relationship", "object": ids})),
        "[a-z]{1,5}".prop_map(|s| json!({"type": "LanguageProperty", "languageMap": {"en": s, "zh": ["水", "位"]}})),
        Just(json!({"type": "VocabProperty", "vocab": "Male"})),
        Just(json!({"type": "VocabProperty", "vocab": ["Male", "unheard"]})),
        any_json().prop_map(|v| json!({"type": "JsonProperty", "json": v})),
        prop::collection::vec(any_json(), 0..3).prop_map(|v| json!({"type": "ListProperty", "valueList": v})),
        prop::collection::vec(id, 0..3).prop_map(|ids| json!({"type": "ListRelationship", "objectList": ids})),
    ];
    (held, any::<bool>(), any::<bool>()).prop_map(|(mut held, has_time, has_sub)| {
        if has_time {
            held["observedAt"] = json!("2026-11-23T08:00:00Z");
        }
        if has_sub {
            held["accuracy"] = json!({"type": "Property", "value": 0.5, "by": {"type": "Relationship", "object": "urn:x:me"}});
        }
        held
    })
}

fn attribute() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => instance(),
        1 => (instance(), instance()).prop_map(|(mut a, b)| {
            a["datasetId"] = json!("urn:d:1");
            json!([a, b])
        }),
    ]
}

fn entity() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("speed|other|ex:far|水位", attribute(), 0..4).prop_map(
        |attributes| {
            let mut out: Map<String, Value> = attributes.into_iter().collect();
            out.insert("id".into(), json!("urn:x:1"));
            out.insert("type".into(), json!(["T", "U"]));
            out.insert("scope".into(), json!("/a/b"));
            Value::Object(out)
        },
    )
}

/// Text that is nearly a query: words of the languages in any order.
fn near_query() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "a",
        "speed",
        ".",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        ";",
        "|",
        ",",
        "==",
        "!=",
        ">",
        "<=",
        "~=",
        "!~=",
        "..",
        "\"",
        "\\",
        "1",
        "-1e9",
        "true",
        "2026-11-23",
        "08:00:00Z",
        "urn:a:b",
        "*",
        "+",
        "/#",
        "/a",
        "水",
        " ",
        ":",
        "asc",
        "dist-asc",
        "near;maxDistance==",
        "within",
    ]);
    prop::collection::vec(words, 0..14).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn normalized_and_concise_are_lossless(json in entity()) {
        let Ok(entity) = expand(&json, Task::Whole) else { return Ok(()) };
        for form in [Form::Normalized, Form::Concise] {
            let shown = show(&entity, form);
            let again = expand(&shown, Task::Whole);
            prop_assert!(again.is_ok(), "{again:?}: {shown}");
            let again = show(&again.unwrap(), Form::Normalized);
            prop_assert_eq!(again, show(&entity, Form::Normalized), "{}", shown);
        }
        show(&entity, Form::Simplified);
    }

    #[test]
    fn no_panic_on_near_queries(text in near_query(), json in entity()) {
        let core = context();
        let entity = expand(&json, Task::Whole).unwrap_or_default();
        if let Ok(query) = Query::parse(&text, &core) {
            query.is_met_by(&entity, &|_| None);
        }
        if let Ok(scopes) = Scopes::parse(&text) {
            scopes.is_met_by(entity.scopes.as_deref().unwrap_or_default());
        }
        if let Ok(types) = Types::parse(&text, &core) {
            types.is_met_by(&entity.types);
        }
        if let Ok(order) = Order::parse(&text, Some("[1,2]"), None, &core) {
            order.sort(&mut [entity.clone(), entity.clone()], |e| e);
        }
        if let Ok(geo) = GeoQuery::parse(&text, "Point", "[1,2]", None, &core) {
            geo.is_met_by(&entity);
        }
        let _ = languages(&text);
        let _ = compact::Members::parse(&text, &core);
    }

    #[test]
    fn no_panic_on_any_json(json in any_json(), other in any_json()) {
        for task in [Task::Whole, Task::Append, Task::Update, Task::Merge] {
            let _ = expand(&json, task);
            let _ = expand(&json!({"id": "urn:x:1", "type": "T", "a": json.clone(), "b": {"value": other.clone()}}), task);
        }
        let _ = resolve(&json, &|_| None, &ContextLimits::default());
    }

    /// Appending, updating or merging an entity into itself leaves what it says; deleting everything leaves nothing.
    #[test]
    fn patches_of_the_same_change_nothing(json in entity()) {
        let Ok(whole) = expand(&json, Task::Whole) else { return Ok(()) };
        let now = model::Timestamp::from_seconds(1);
        let same = |after: &Entity| show(after, Form::Normalized) == show(&whole, Form::Normalized);
        let mut after = whole.clone();
        patch::append(&mut after, whole.clone(), true, now);
        prop_assert!(same(&after));
        let outcome = patch::append(&mut after, whole.clone(), false, now);
        let instances: usize = whole.attributes.iter().map(|(_, all)| all.len()).sum();
        prop_assert_eq!(outcome.not_updated.len(), instances);
        prop_assert!(same(&after));
        patch::update(&mut after, whole.clone(), now);
        prop_assert!(same(&after));
        patch::merge(&mut after, whole.clone(), &Merging::default(), &context(), now);
        prop_assert!(same(&after), "{:?}", after);
        patch::replace(&mut after, whole.clone(), now);
        prop_assert!(same(&after));
        for (name, _) in &whole.attributes {
            patch::delete_attribute(&mut after, name, &patch::Which::All, now).unwrap();
        }
        prop_assert!(after.attributes.is_empty());
    }
}
