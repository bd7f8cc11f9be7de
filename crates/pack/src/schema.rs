//! What a pack's entity types say, in forms that others read: the JSON-LD context of their names, a JSON Schema (2020-12) of
//! each, and the description of a form to fill one in. Pure functions of the declarations, so that none can be out of date.

use model::{AttributeKind, EntityKind, Personal, ValueKind, unit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

/// Where a name stands that no context says more of (ETSI GS CIM 009, 5.5.7): what every NGSI-LD broker makes of such a name,
/// and what the platform's NGSI-LD door takes back.
pub const DEFAULT_CONTEXT: &str = "https://uri.etsi.org/ngsi-ld/default-context/";

/// NGSI-LD's core context (ETSI GS CIM 009, annex B), which comes after every other.
pub const CORE_CONTEXT: &str = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld";

/// Names that NGSI-LD's core context defines itself and protects; a pack's context leaves them alone.
const CORE_TERMS: [&str; 7] = [
    "location",
    "observationSpace",
    "operationSpace",
    "title",
    "description",
    "observedAt",
    "unitCode",
];

/// How a document says an entity (ETSI GS CIM 009, 4.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Each attribute is its value: `"waterLevel": 29.31` (4.5.4).
    #[default]
    Simplified,
    /// Each attribute is an object with its type, value, unit and time (4.5.1).
    Normalised,
}

/// The JSON-LD context (JSON-LD 1.1) of some entity types: every type and attribute has an IRI, and the value of a
/// relationship is one.
pub fn context<'a>(kinds: impl IntoIterator<Item = &'a EntityKind>) -> Json {
    let mut terms = Map::new();
    terms.insert("id".to_owned(), json!("@id"));
    terms.insert("type".to_owned(), json!("@type"));
    for kind in kinds {
        terms.insert(kind.name.clone(), json!(iri(&kind.name)));
        let own = kind
            .attributes
            .iter()
            .filter(|(name, _)| !CORE_TERMS.contains(&name.as_str()));
        for (name, attribute) in own {
            let term = match attribute.value {
                ValueKind::Relationship => json!({"@id": iri(name), "@type": "@id"}),
                ValueKind::Json => json!({"@id": iri(name), "@type": "@json"}),
                _ => json!(iri(name)),
            };
            terms.insert(name.clone(), term);
        }
    }
    json!({ "@context": terms })
}

fn iri(name: &str) -> String {
    format!("{DEFAULT_CONTEXT}{name}")
}

/// The JSON Schema (draft 2020-12) of one entity of a type. `minimum` and `maximum` are the credible range: a value outside is
/// kept by the platform and marked, but is not what a sender should send.
pub fn json_schema(kind: &EntityKind, form: Form) -> Json {
    let mut properties = Map::new();
    properties.insert(
        "id".to_owned(),
        json!({"type": "string", "format": "uri", "minLength": 1}),
    );
    properties.insert("type".to_owned(), json!({"const": kind.name}));
    properties.insert(
        "@context".to_owned(),
        json!({"type": ["string", "array", "object"]}),
    );
    for (name, attribute) in &kind.attributes {
        let mut value = value_schema(attribute);
        if form == Form::Normalised {
            value = normalised(attribute, value);
        }
        if let Json::Object(members) = &mut value {
            members.insert("title".to_owned(), json!(attribute.title_en));
            members.insert("x-title-zh".to_owned(), json!(attribute.title_zh));
            if let Some(code) = &attribute.unit {
                members.insert("x-unit-code".to_owned(), json!(code));
            }
            if let Some(personal) = attribute.personal {
                members.insert("x-personal".to_owned(), json!(personal.as_str()));
            }
        }
        properties.insert(name.clone(), value);
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": iri(&kind.name),
        "title": kind.title_en,
        "x-title-zh": kind.title_zh,
        "type": "object",
        "properties": properties,
        "required": ["id", "type"],
        "additionalProperties": kind.open,
    });
    if let (Some(source), Json::Object(members)) = (&kind.source, &mut schema) {
        members.insert("description".to_owned(), json!(source));
    }
    schema
}

fn value_schema(attribute: &AttributeKind) -> Json {
    match attribute.value {
        ValueKind::Number => {
            let mut schema = json!({"type": "number"});
            for (key, bound) in [("minimum", attribute.min), ("maximum", attribute.max)] {
                if let (Some(bound), Json::Object(members)) = (bound, &mut schema) {
                    members.insert(key.to_owned(), json!(bound));
                }
            }
            schema
        }
        ValueKind::Text => json!({"type": "string"}),
        ValueKind::Boolean => json!({"type": "boolean"}),
        ValueKind::Geometry => json!({
            "type": "object",
            "properties": {
                "type": {"enum": ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"]},
                "coordinates": {"type": "array", "minItems": 1},
            },
            "required": ["type", "coordinates"],
        }),
        ValueKind::Relationship => json!({"type": "string", "format": "uri"}),
        ValueKind::Json => json!({}),
    }
}

fn normalised(attribute: &AttributeKind, value: Json) -> Json {
    let (word, key) = match attribute.value {
        ValueKind::Geometry => ("GeoProperty", "value"),
        ValueKind::Relationship => ("Relationship", "object"),
        _ => ("Property", "value"),
    };
    let mut properties = Map::new();
    properties.insert("type".to_owned(), json!({ "const": word }));
    properties.insert(key.to_owned(), value);
    properties.insert(
        "observedAt".to_owned(),
        json!({"type": "string", "format": "date-time"}),
    );
    if attribute.unit.is_some() {
        properties.insert("unitCode".to_owned(), json!({"type": "string"}));
    }
    json!({"type": "object", "properties": properties, "required": ["type", key]})
}

/// A form for one entity of a type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FormDescription {
    /// The entity type.
    pub entity_type: String,
    /// Its title in Chinese.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
    /// The fields, in order.
    pub fields: Vec<FormField>,
}

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FormField {
    /// The attribute.
    pub attribute: String,
    /// Label in Chinese.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
    /// What is filled in.
    pub value: ValueKind,
    /// The unit's code (UN/CEFACT).
    pub unit: Option<String>,
    /// The unit as people read it.
    pub unit_symbol: Option<String>,
    /// Least credible value.
    pub min: Option<f64>,
    /// Greatest credible value.
    pub max: Option<f64>,
    /// Whether it says something of a person.
    pub personal: Option<Personal>,
}

/// The form of a type with the attributes of `order`, or with all of them, what it is called first.
pub fn form(kind: &EntityKind, order: Option<&[String]>) -> FormDescription {
    let all = || {
        let (called, rest): (Vec<_>, Vec<_>) = kind
            .attributes
            .keys()
            .partition(|name| matches!(name.as_str(), "name" | "nameEn"));
        called.into_iter().chain(rest).collect()
    };
    let names: Vec<&String> = order.map_or_else(all, |order| order.iter().collect());
    let fields = names.into_iter().filter_map(|name| {
        let attribute = kind.attributes.get(name)?;
        Some(FormField {
            attribute: name.clone(),
            title_zh: attribute.title_zh.clone(),
            title_en: attribute.title_en.clone(),
            value: attribute.value,
            unit: attribute.unit.clone(),
            unit_symbol: attribute
                .unit
                .as_deref()
                .and_then(unit::find)
                .and_then(|unit| unit.symbols.first())
                .map(|symbol| (*symbol).to_owned()),
            min: attribute.min,
            max: attribute.max,
            personal: attribute.personal,
        })
    });
    FormDescription {
        entity_type: kind.name.clone(),
        title_zh: kind.title_zh.clone(),
        title_en: kind.title_en.clone(),
        fields: fields.collect(),
    }
}
