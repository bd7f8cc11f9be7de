//! What is generated from the entity types, judged by programs that nobody here wrote: JSON Schemas by PyPI `jsonschema`, the
//! context by PyPI `PyLD`. Skipped, with a word why, where Python or PyPI cannot be had. And that the types follow the
//! published models that they say they follow.

use model::EntityKind;
use pack::schema::{self, CORE_CONTEXT, DEFAULT_CONTEXT, Form};
use pack::{Packs, embedded};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use testkit::foreign::Python;

fn packs() -> Packs {
    Packs::load_all(embedded(), None).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// Which of the documents each schema takes, and what the first document expands to under the context.
const PROGRAM: &str = r#"
import json, sys
from jsonschema import Draft202012Validator, FormatChecker
from pyld import jsonld
told = json.load(sys.stdin)
out = {"taken": [], "expanded": None}
for case in told["cases"]:
    Draft202012Validator.check_schema(case["schema"])
    validator = Draft202012Validator(case["schema"], format_checker=FormatChecker())
    out["taken"].append([validator.is_valid(d) for d in case["documents"]])
out["expanded"] = jsonld.expand(told["document"], {"expandContext": told["context"]})
# The core context is the document of another; nothing is fetched for the test.
asked = []
def load(url, options):
    asked.append(url)
    return {"contextUrl": None, "documentUrl": url, "document": {"@context": {}}}
out["whole"] = jsonld.expand(told["whole"], {"documentLoader": load})
out["asked"] = asked
json.dump(out, sys.stdout)
"#;

/// What the program says; nothing where it cannot be had.
fn judged(told: &Value) -> Option<Value> {
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "pack-schemas",
        imports: "jsonschema, pyld",
        packages: &["jsonschema", "PyLD"],
    };
    let python = match python.make() {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: jsonschema and PyLD cannot be installed from PyPI here: {why}");
            return None;
        }
    };
    let mut child = Command::new(python)
        .args(["-c", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(told.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn schemas_take_what_is_right_and_refuse_what_is_not() {
    let packs = packs();
    let water = &packs.catalogue.kinds["WaterObserved"];
    let id = "urn:ngsi-ld:WaterObserved:62206900";
    let simplified = json!([
        {"id": id, "type": "WaterObserved", "name": "天门", "waterLevel": 29.31,
         "location": {"type": "Point", "coordinates": [113.16, 30.66]}, "more": 1},
        {"id": id, "type": "WaterObserved", "waterLevel": "high"},
        {"id": id, "type": "WaterObserved", "waterLevel": 999},
        {"id": id, "type": "Streetlight"},
        {"type": "WaterObserved"},
        {"id": id, "type": "WaterObserved", "location": [113.16, 30.66]},
    ]);
    let normalised = json!([
        {"id": id, "type": "WaterObserved", "@context": [],
         "waterLevel": {"type": "Property", "value": 29.31, "unitCode": "MTR", "observedAt": "2026-07-01T00:00:00Z"}},
        {"id": id, "type": "WaterObserved", "waterLevel": 29.31},
        {"id": id, "type": "WaterObserved", "location": {"type": "Property", "value": {"type": "Point", "coordinates": [1, 2]}}},
    ]);
    let mut cases = vec![
        json!({"schema": schema::json_schema(water, Form::Simplified), "documents": simplified}),
        json!({"schema": schema::json_schema(water, Form::Normalised), "documents": normalised}),
    ];
    // Every type of every pack has a schema that is one.
    for kind in packs.catalogue.kinds.values() {
        for form in [Form::Simplified, Form::Normalised] {
            let least = json!([{"id": "urn:x:1", "type": kind.name}]);
            cases.push(json!({"schema": schema::json_schema(kind, form), "documents": least}));
        }
    }
    let device = json!({"id": "urn:ngsi-ld:Device:1", "type": "WaterObserved", "waterLevel": 29.31, "unheard": 1});
    // As the platform's door answers who accepts JSON-LD.
    let mut whole = device.clone();
    whole["@context"] = json!([schema::context([water])["@context"], CORE_CONTEXT]);
    let told = json!({
        "cases": cases,
        "context": schema::context([water]),
        "document": device,
        "whole": whole,
    });
    let Some(out) = judged(&told) else { return };
    let taken = out["taken"].as_array().unwrap();
    assert_eq!(taken[0], json!([true, false, false, false, false, false]));
    assert_eq!(taken[1], json!([true, false, false]));
    assert!(taken[2..].iter().all(|t| *t == json!([true])), "{taken:?}");
    let iri = |name: &str| format!("{DEFAULT_CONTEXT}{name}");
    assert_eq!(
        out["expanded"],
        json!([{
            "@id": "urn:ngsi-ld:Device:1",
            "@type": [iri("WaterObserved")],
            (iri("waterLevel")): [{"@value": 29.31}],
        }])
    );
    assert_eq!(out["whole"], out["expanded"]);
    assert_eq!(out["asked"], json!([CORE_CONTEXT]));
}

#[test]
fn a_context_knows_relationships_and_leaves_the_core_alone() {
    let kind: EntityKind = toml::from_str(
        "name = \"Lamp\"\ntitle_zh = \"灯\"\ntitle_en = \"Lamp\"\n\
         [attributes.onPole]\nvalue = \"relationship\"\ntitle_zh = \"杆\"\ntitle_en = \"Pole\"\n\
         [attributes.location]\nvalue = \"geometry\"\ntitle_zh = \"位置\"\ntitle_en = \"Location\"\n",
    )
    .unwrap();
    assert_eq!(
        schema::context([&kind]),
        json!({"@context": {
            "id": "@id",
            "type": "@type",
            "Lamp": format!("{DEFAULT_CONTEXT}Lamp"),
            "onPole": {"@id": format!("{DEFAULT_CONTEXT}onPole"), "@type": "@id"},
        }})
    );
}

#[test]
fn a_form_has_a_field_for_each_attribute_with_its_unit_and_range() {
    let packs = packs();
    let form = schema::form(&packs.catalogue.kinds["WaterObserved"], None);
    assert_eq!(form.fields[0].attribute, "name");
    let stage = form
        .fields
        .iter()
        .find(|f| f.attribute == "waterLevel")
        .unwrap();
    assert_eq!(
        (stage.unit_symbol.as_deref(), stage.min, stage.max),
        (Some("m"), Some(0.0), Some(100.0))
    );
    let two = ["flow".to_owned(), "none".to_owned()];
    let form = schema::form(&packs.catalogue.kinds["WaterObserved"], Some(&two));
    assert_eq!(form.fields.len(), 1, "only what is declared");
}

#[test]
fn every_type_follows_a_published_model_or_says_why_none() {
    let told: Value = serde_json::from_str(include_str!("smart-data-models.json")).unwrap();
    let models: BTreeMap<String, Vec<String>> =
        serde_json::from_value(told["models"].clone()).unwrap();
    let mut following = 0;
    for kind in packs().catalogue.kinds.values() {
        let standard = kind.standard.as_ref();
        let standard =
            standard.unwrap_or_else(|| panic!("{} says nothing of a standard", kind.name));
        let Some(subject) = &standard.smart_data_model else {
            assert!(standard.none.is_some(), "{}", kind.name);
            continue;
        };
        following += 1;
        let model = models
            .get(&format!("{subject} {}", kind.name))
            .unwrap_or_else(|| panic!("{subject} has no model {}", kind.name));
        for name in kind.attributes.keys() {
            assert_ne!(
                model.contains(name),
                standard.own.contains(name),
                "{}: {name} is the model's, or is listed in standard.own",
                kind.name
            );
        }
    }
    assert!(following >= 6);
}
