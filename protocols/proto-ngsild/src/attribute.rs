//! One attribute, in any of the forms of clause 4.5: normalized (`"type": "Property"`), concise
//! (`{"value": …}`) or key-values (the bare value).

use crate::config::Limits;
use crate::json::{Json, Members, duplicate, member};
use crate::{NULL_URN, decode::shorten};
use model::problem::quote;
use model::{EntityId, Geometry, Problem, Quality, Timestamp, Value};

/// What an attribute says: `None` as a time means that it gives none. A bare number is of the quality
/// `UnitAssumed`, because that form has no place for a unit.
#[derive(Debug, PartialEq)]
pub(crate) struct Said {
    pub value: Value,
    pub unit: Option<String>,
    pub observed_at: Option<Timestamp>,
    pub quality: Quality,
}

/// The members that hold the value, each with the attribute type that it implies when concise.
const VALUE_MEMBERS: [(&str, &str); 7] = [
    ("value", "Property"),
    ("object", "Relationship"),
    ("languageMap", "LanguageProperty"),
    ("json", "JsonProperty"),
    ("vocab", "VocabProperty"),
    ("valueList", "ListProperty"),
    ("objectList", "ListRelationship"),
];

/// Reads one attribute. A problem's place is relative to the attribute and starts with `.` or is empty.
pub(crate) fn read(json: &Json<'_>, limits: &Limits) -> Result<Said, Problem> {
    let value = match json {
        Json::Object(members) => return read_object(json, members, limits),
        Json::Array(items) if items.iter().any(is_instance) => {
            return Err(dataset_problem("several"));
        }
        other => bare(other, limits)?,
    };
    Ok(said_bare(value))
}

fn said_bare(value: Value) -> Said {
    let quality = match value {
        Value::Number(_) => Quality::UnitAssumed,
        _ => Quality::Good,
    };
    Said {
        value,
        unit: None,
        observed_at: None,
        quality,
    }
}

/// A bare value: text, number, boolean, array, or an object that is not an attribute.
fn bare(json: &Json<'_>, limits: &Limits) -> Result<Value, Problem> {
    match json {
        Json::Null => Err(Problem::new(
            "value-null",
            "the value is null",
            "",
            format!("leave the attribute out, or send \"{NULL_URN}\" to take it away"),
        )),
        Json::Boolean(value) => Ok(Value::Boolean(*value)),
        Json::Number(number) => Value::number(number.as_f64().unwrap_or(f64::NAN)),
        Json::Text(text) if text == NULL_URN => Ok(Value::Deleted),
        Json::Text(text) => {
            check_size(text.len(), limits)?;
            Ok(Value::Text(text.to_string()))
        }
        Json::Array(_) | Json::Object(_) => as_json(json, limits),
    }
}

fn as_json(json: &Json<'_>, limits: &Limits) -> Result<Value, Problem> {
    let text = json.to_text();
    check_size(text.len(), limits)?;
    Ok(Value::Json(text))
}

fn check_size(bytes: usize, limits: &Limits) -> Result<(), Problem> {
    if bytes <= limits.text_bytes_max {
        return Ok(());
    }
    Err(Problem::new(
        "value-too-long",
        format!("the value has {bytes} bytes"),
        "",
        format!(
            "send at most {} bytes in one attribute",
            limits.text_bytes_max
        ),
    ))
}

fn read_object(json: &Json<'_>, members: &Members<'_>, limits: &Limits) -> Result<Said, Problem> {
    if let Some(key) = duplicate(members) {
        return Err(duplicate_problem(key));
    }
    let declared = member(members, "type")
        .or_else(|| member(members, "@type"))
        .and_then(Json::as_text)
        .map(shorten);
    let holder = VALUE_MEMBERS
        .iter()
        .find_map(|(name, kind)| Some((*name, *kind, member(members, name)?)));
    let is_known =
        |kind: &str| kind == "GeoProperty" || VALUE_MEMBERS.iter().any(|(_, known)| *known == kind);
    let (value, place) = match (declared, holder) {
        (Some(kind), Some((name, implied, held))) if is_known(kind) => {
            let fits = implied == kind || (kind == "GeoProperty" && name == "value");
            if !fits {
                return Err(value_missing(kind));
            }
            (read_value(kind, held, limits), name)
        }
        (Some(kind), None) if is_known(kind) => return Err(value_missing(kind)),
        (None, Some((name, implied, held))) => (read_concise(implied, held, limits), name),
        (Some(kind), Some((name, ..))) => {
            return Err(Problem::new(
                "attribute-type",
                format!(
                    "\"{}\" is not an attribute type, though there is a `{name}`",
                    quote(kind)
                ),
                ".type",
                "use Property, GeoProperty, Relationship, LanguageProperty, JsonProperty, VocabProperty, \
                 ListProperty or ListRelationship; the kind of a value is seen from its JSON",
            ));
        }
        (_, None) => {
            let value =
                geometry(json, members).unwrap_or_else(|| plain_object(json, members, limits))?;
            return Ok(said_bare(value));
        }
    };
    if let Some(dataset) = member(members, "datasetId").and_then(Json::as_text) {
        return Err(dataset_problem(dataset));
    }
    Ok(Said {
        value: value.map_err(|p| at(p, place))?,
        unit: read_unit(members)?,
        observed_at: read_time(members)?,
        quality: read_quality(members),
    })
}

/// A key-values object: a typed JSON-LD value gives its text, anything else is kept as JSON.
fn plain_object(json: &Json<'_>, members: &Members<'_>, limits: &Limits) -> Result<Value, Problem> {
    match member(members, "@value") {
        Some(typed) => bare(typed, limits),
        None => as_json(json, limits),
    }
}

fn read_concise(implied: &str, held: &Json<'_>, limits: &Limits) -> Result<Value, Problem> {
    if implied == "Property"
        && let Json::Object(members) = held
        && let Some(geometry) = geometry(held, members)
    {
        return geometry;
    }
    read_value(implied, held, limits)
}

fn read_value(kind: &str, held: &Json<'_>, limits: &Limits) -> Result<Value, Problem> {
    if held.as_text() == Some(NULL_URN) {
        return Ok(Value::Deleted);
    }
    match (kind, held) {
        ("Property", Json::Object(members)) => plain_object(held, members, limits),
        ("GeoProperty", Json::Object(_)) => geo_property(held),
        ("GeoProperty", other) => Err(wrong(other, "a GeoJSON geometry object")),
        ("Relationship", Json::Text(id)) => EntityId::new(id).map(Value::Relationship),
        ("Relationship", Json::Array(_)) => as_json(held, limits),
        ("Relationship", other) => Err(wrong(other, "the other entity's id as text")),
        ("LanguageProperty", Json::Object(map)) => {
            if map.iter().all(|(_, text)| text.as_text() == Some(NULL_URN)) && !map.is_empty() {
                return Ok(Value::Deleted);
            }
            as_json(held, limits)
        }
        ("LanguageProperty", other) => Err(wrong(other, "an object of texts by language")),
        ("ListProperty" | "ListRelationship", Json::Array(_)) => as_json(held, limits),
        ("ListProperty" | "ListRelationship", other) => Err(wrong(other, "an array")),
        ("JsonProperty", _) => as_json(held, limits),
        _ => bare(held, limits),
    }
}

fn read_unit(members: &Members<'_>) -> Result<Option<String>, Problem> {
    const UNIT_BYTES_MAX: usize = 32;
    match member(members, "unitCode") {
        None => Ok(None),
        Some(Json::Text(text)) if text.len() <= UNIT_BYTES_MAX => {
            let code = model::unit::find(text).map_or(text.as_ref(), |unit| unit.code);
            Ok(Some(code.to_owned()))
        }
        Some(other) => Err(at(
            wrong(
                other,
                "the unit's UN/CEFACT code as short text, such as \"MTR\"",
            ),
            "unitCode",
        )),
    }
}

fn read_time(members: &Members<'_>) -> Result<Option<Timestamp>, Problem> {
    member(members, "observedAt")
        .map(|json| time(json).map_err(|p| at(p, "observedAt")))
        .transpose()
}

/// A time as text; its problem's place is empty.
pub(crate) fn time(json: &Json<'_>) -> Result<Timestamp, Problem> {
    let text = json.as_text().ok_or_else(|| {
        let mut problem = wrong(
            json,
            "a time as RFC 3339 text, such as \"2026-11-23T08:00:00Z\"",
        );
        problem.code = "time-format".to_owned();
        problem
    })?;
    Timestamp::parse(text).map_err(|mut problem| {
        problem.place.clear();
        problem
    })
}

/// What the sender says of the value's quality, in the platform's own words; other words are a plain
/// sub-property and say nothing.
fn read_quality(members: &Members<'_>) -> Quality {
    let said = member(members, "quality");
    let word = said.and_then(|json| match json {
        Json::Object(inner) => member(inner, "value").and_then(Json::as_text),
        other => other.as_text(),
    });
    match word {
        Some("simulated") => Quality::Simulated,
        Some("reported") => Quality::Reported,
        Some("uncertain") => Quality::Uncertain,
        _ => Quality::Good,
    }
}

fn is_instance(json: &Json<'_>) -> bool {
    json.as_members()
        .is_some_and(|members| member(members, "datasetId").is_some())
}

fn dataset_problem(dataset: &str) -> Problem {
    Problem::new(
        "dataset-unsupported",
        format!(
            "several instances of one attribute (datasetId {}) are not kept",
            quote(dataset)
        ),
        ".datasetId",
        "send each instance as an attribute of its own name, without datasetId",
    )
}

fn value_missing(kind: &str) -> Problem {
    let member = VALUE_MEMBERS
        .iter()
        .find(|(_, known)| *known == kind)
        .map_or("value", |(m, _)| m);
    Problem::new(
        "value-missing",
        format!("a {kind} has no `{member}`"),
        "",
        format!("put its value in the member `{member}`"),
    )
}

fn wrong(found: &Json<'_>, wanted: &str) -> Problem {
    Problem::new(
        "value-type",
        format!("found {} where {wanted} belongs", found.kind()),
        "",
        format!("send {wanted}"),
    )
}

pub(crate) fn duplicate_problem(key: &str) -> Problem {
    Problem::new(
        "duplicate-key",
        format!("the member \"{}\" comes twice", quote(key)),
        "",
        "send each member once",
    )
}

fn at(mut problem: Problem, member: &str) -> Problem {
    problem.place = format!(".{member}");
    problem
}

/// The geometry, when a plain object is a GeoJSON one; `None` when it does not claim to be.
fn geometry(json: &Json<'_>, members: &Members<'_>) -> Option<Result<Value, Problem>> {
    let kind = member(members, "type")?.as_text()?;
    member(members, "coordinates")?;
    let simple = kind.strip_prefix("Multi").unwrap_or(kind);
    ["Point", "LineString", "Polygon"]
        .contains(&simple)
        .then(|| geo_property(json))
}

fn geo_property(json: &Json<'_>) -> Result<Value, Problem> {
    let tree = serde_json::to_value(json).unwrap_or_default();
    Geometry::from_geojson(&tree).map(Value::Geometry)
}
