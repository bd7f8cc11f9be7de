//! Entities and batch answers as NGSI-LD JSON (clauses 4.5.2, 4.5.4 and 5.2.16).

use model::{Problem, Timestamp, Value};
use serde_json::{Map, Value as Json, json};

/// One attribute of an entity, as it is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct AttributeView<'a> {
    /// The attribute's name.
    pub name: &'a str,
    /// Its value.
    pub value: &'a Value,
    /// UN/CEFACT code of its unit.
    pub unit: Option<&'a str>,
    /// When it was so.
    pub observed_at: Timestamp,
}

/// An entity in normalized form.
pub fn normalized<'a>(
    id: &str,
    entity_type: &str,
    attributes: impl IntoIterator<Item = AttributeView<'a>>,
) -> Json {
    entity(id, entity_type, attributes, |attribute| {
        let (kind, member) = match attribute.value {
            Value::Geometry(_) => ("GeoProperty", "value"),
            Value::Relationship(_) => ("Relationship", "object"),
            _ => ("Property", "value"),
        };
        let mut out = Map::new();
        out.insert("type".into(), kind.into());
        out.insert(member.into(), attribute.value.to_json());
        if let Some(unit) = attribute.unit {
            out.insert("unitCode".into(), unit.into());
        }
        out.insert(
            "observedAt".into(),
            attribute.observed_at.to_string().into(),
        );
        Json::Object(out)
    })
}

/// An entity in key-values (simplified) form.
pub fn key_values<'a>(
    id: &str,
    entity_type: &str,
    attributes: impl IntoIterator<Item = AttributeView<'a>>,
) -> Json {
    entity(id, entity_type, attributes, |attribute| {
        attribute.value.to_json()
    })
}

fn entity<'a>(
    id: &str,
    entity_type: &str,
    attributes: impl IntoIterator<Item = AttributeView<'a>>,
    show: impl Fn(&AttributeView<'a>) -> Json,
) -> Json {
    let mut out = Map::new();
    out.insert("id".into(), id.into());
    out.insert("type".into(), entity_type.into());
    for attribute in attributes {
        if *attribute.value != Value::Deleted {
            out.insert(attribute.name.into(), show(&attribute));
        }
    }
    Json::Object(out)
}

/// What became of a batch upsert.
#[derive(Clone, Debug, Default)]
pub struct BatchOutcome {
    /// Ids of entities that did not exist before.
    pub created: Vec<String>,
    /// Ids of entities that did.
    pub updated: Vec<String>,
    /// Entities, by id where known, of which something was refused.
    pub errors: Vec<(Option<String>, Problem)>,
}

/// The HTTP status and body of a batch upsert: 201 with the ids created, 204 without a body, or 207
/// with a `BatchOperationResult` when anything was refused.
pub fn batch_answer(outcome: &BatchOutcome) -> (u16, Option<Json>) {
    if outcome.errors.is_empty() {
        return if outcome.created.is_empty() {
            (204, None)
        } else {
            (201, Some(json!(outcome.created)))
        };
    }
    let success: Vec<&String> = outcome.created.iter().chain(&outcome.updated).collect();
    let errors: Vec<Json> = outcome
        .errors
        .iter()
        .map(|(id, problem)| json!({"entityId": id, "error": error(problem, 400)}))
        .collect();
    (207, Some(json!({"success": success, "errors": errors})))
}

/// A problem as RFC 9457 problem details of the type `BadRequestData`.
pub fn error(problem: &Problem, status: u16) -> Json {
    json!({
        "type": "https://uri.etsi.org/ngsi-ld/errors/BadRequestData",
        "title": problem.what,
        "status": status,
        "detail": problem.to_string(),
        "code": problem.code,
        "place": problem.place,
        "mend": problem.mend,
    })
}
