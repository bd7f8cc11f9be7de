//! What an attribute holds, checked by its type.

use super::{Expansion, Task, absent, form, null_here, text};
use crate::NULL_URN;
use crate::context::Iri;
use crate::entity::{Held, Several};
use crate::json::{self, Json, Members, member};
use crate::refusal::{Refusal, bad};
use crate::words::uri;
use model::Geometry;
use model::problem::quote;
use serde_json::Value;
use std::sync::Arc;

/// GeoJSON's geometries but the collection (clause 4.7.1).
const GEOMETRIES: [&str; 6] = [
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
];
/// Deepest JSON inside a text that is a geometry.
const GEOMETRY_DEPTH_MAX: usize = 8;

pub(super) fn is_geometry(members: &Members<'_>) -> bool {
    let kind = member(members, "type").and_then(Json::as_text);
    kind.is_some_and(|kind| GEOMETRIES.contains(&kind)) && member(members, "coordinates").is_some()
}

/// A geometry, as JSON or as text that is JSON (clause 4.7.2).
pub(super) fn geometry(found: &Json<'_>) -> Result<Held, Refusal> {
    let wanted = || form("", found, "GeoJSON 几何", "a GeoJSON geometry");
    let json = match found {
        Json::Object(_) => tree(found),
        Json::Text(text) => {
            let inner = json::parse(text.as_bytes(), GEOMETRY_DEPTH_MAX).map_err(|_| wanted())?;
            tree(&inner)
        }
        _ => return Err(wanted()),
    };
    check_geometry(&json)?;
    Ok(Held::Geo(json))
}

/// Checks a geometry: its form, its places, and that rings are closed (RFC 7946, 3.1).
pub(crate) fn check_geometry(json: &Value) -> Result<(), Refusal> {
    Geometry::from_geojson(json).map_err(|problem| {
        let zh = match problem.code.as_str() {
            "geometry-range" => "坐标超出范围",
            _ => "不是 GeoJSON 几何",
        };
        bad(
            &problem.code,
            "",
            (zh, problem.what),
            (
                "请写 RFC 7946 的几何（GeometryCollection 除外），经度在前，单位为度",
                &problem.mend,
            ),
        )
    })?;
    let coordinates = json.get("coordinates");
    let least =
        |positions: &Value, least: usize| positions.as_array().is_some_and(|p| p.len() >= least);
    let is_ring = |ring: &Value| {
        least(ring, 4)
            && ring
                .as_array()
                .is_some_and(|positions| positions.first() == positions.last())
    };
    let all = |json: Option<&Value>, good: &dyn Fn(&Value) -> bool| {
        json.and_then(Value::as_array)
            .is_some_and(|items| !items.is_empty() && items.iter().all(good))
    };
    let is_good = match json.get("type").and_then(Value::as_str) {
        Some("LineString") => coordinates.is_some_and(|line| least(line, 2)),
        Some("MultiLineString") => all(coordinates, &|line| least(line, 2)),
        Some("Polygon") => all(coordinates, &is_ring),
        Some("MultiPolygon") => all(coordinates, &|polygon| all(Some(polygon), &is_ring)),
        _ => true,
    };
    if is_good {
        return Ok(());
    }
    Err(bad(
        "geometry-open",
        "coordinates",
        (
            "线少于两点，或环少于四点或未闭合",
            "a line has fewer than two positions, or a ring fewer than four or other ends",
        ),
        (
            "环的最后一点必须与第一点相同",
            "end each ring with the position with which it begins",
        ),
    ))
}

fn tree(json: &Json<'_>) -> Value {
    // Numbers are finite and keys are text, so this cannot fail.
    serde_json::to_value(json).unwrap_or_default()
}

impl Expansion<'_> {
    /// The value of an attribute of this kind; `is_declared` says that the kind was told and not seen from the value's member.
    pub(super) fn held(
        &self,
        kind: &str,
        is_declared: bool,
        json: &Json<'_>,
    ) -> Result<Held, Refusal> {
        if json.as_text() == Some(NULL_URN) || self.is_null_list(json) && kind.starts_with("List") {
            return self.null();
        }
        match kind {
            "GeoProperty" => geometry(json),
            "Relationship" => self.relationship(json),
            "LanguageProperty" => self.language(json),
            "VocabProperty" => self.vocab(json),
            "JsonProperty" => {
                self.check_size(json)?;
                Ok(Held::Json(tree(json)))
            }
            "ListProperty" => match json {
                Json::Array(items) => {
                    self.check_size(json)?;
                    Ok(Held::List(items.iter().map(tree).collect()))
                }
                other => Err(form("", other, "数组", "an array")),
            },
            "ListRelationship" => match json {
                Json::Array(items) => Ok(Held::ListRelationship(
                    items.iter().map(object).collect::<Result<_, _>>()?,
                )),
                other => Err(form("", other, "URI 数组", "an array of URIs")),
            },
            _ if !is_declared && json.as_members().is_some_and(is_geometry) => geometry(json),
            _ => self.property(json),
        }
    }

    fn null(&self) -> Result<Held, Refusal> {
        if self.takes_null() {
            return Ok(Held::Null);
        }
        Err(null_here(""))
    }

    fn is_null_list(&self, json: &Json<'_>) -> bool {
        matches!(json, Json::Array(items) if matches!(items.as_slice(), [Json::Text(one)] if one == NULL_URN))
    }

    /// A Property's value: any JSON but null.
    pub(super) fn property(&self, json: &Json<'_>) -> Result<Held, Refusal> {
        match json {
            Json::Text(text) if text == NULL_URN => return self.null(),
            Json::Null => return Err(form("", json, "值", "a value")),
            _ => {}
        }
        if self.task != Task::Merge && has_null(json) {
            return Err(null_here(""));
        }
        self.check_size(json)?;
        Ok(Held::Property(tree(json)))
    }

    fn relationship(&self, json: &Json<'_>) -> Result<Held, Refusal> {
        Ok(Held::Relationship(match json {
            Json::Array(items) if !items.is_empty() => {
                Several::Many(items.iter().map(object).collect::<Result<_, _>>()?)
            }
            one => Several::One(object(one)?),
        }))
    }

    fn language(&self, json: &Json<'_>) -> Result<Held, Refusal> {
        let Json::Object(members) = json else {
            return Err(form(
                "",
                json,
                "按语言分的文字",
                "an object of texts by language",
            ));
        };
        if let [(key, value)] = members.as_slice()
            && key == "@none"
            && value.as_text() == Some(NULL_URN)
        {
            return self.null();
        }
        if members.is_empty() {
            return Err(absent(
                "languageMap",
                "至少一种语言",
                "at least one language",
            ));
        }
        for (tag, value) in members {
            if !is_language(tag) {
                return Err(bad(
                    "language-tag",
                    tag,
                    (
                        format!("“{}”不是语言代码", quote(tag)),
                        format!("\"{}\" is no language tag", quote(tag)),
                    ),
                    (
                        "请用 RFC 5646 的代码，例如 zh、en，或 @none",
                        "use a tag of RFC 5646, such as zh or en, or @none",
                    ),
                ));
            }
            let is_text = |one: &Json<'_>| match one.as_text() {
                Some(NULL_URN) => self.task == Task::Merge,
                other => other.is_some(),
            };
            let is_good = match value {
                Json::Array(items) => items.iter().all(is_text),
                one => is_text(one),
            };
            if !is_good {
                return Err(form(
                    tag,
                    value,
                    "文字或文字数组",
                    "text or an array of texts",
                ));
            }
        }
        self.check_size(json)?;
        match tree(json) {
            Value::Object(map) => Ok(Held::Language(map)),
            _ => Err(form("", json, "对象", "an object")),
        }
    }

    fn vocab(&self, json: &Json<'_>) -> Result<Held, Refusal> {
        let word = |one: &Json<'_>| -> Result<Iri, Refusal> {
            Ok(self
                .context
                .expand(text(one, "", "术语或 IRI", "a term or an IRI")?))
        };
        Ok(Held::Vocab(match json {
            Json::Array(items) if !items.is_empty() => {
                Several::Many(items.iter().map(word).collect::<Result<_, _>>()?)
            }
            one => Several::One(word(one)?),
        }))
    }

    fn check_size(&self, json: &Json<'_>) -> Result<(), Refusal> {
        let max = self.limits.text_bytes_max;
        let bytes = match json {
            Json::Text(text) => text.len(),
            Json::Array(_) | Json::Object(_) => json.to_text().len(),
            _ => 0,
        };
        if bytes <= max {
            return Ok(());
        }
        Err(bad(
            "value-too-long",
            "",
            (
                format!("值有 {bytes} 字节，最多 {max}"),
                format!("the value has {bytes} bytes, at most {max} are taken"),
            ),
            ("请缩短或拆分", "make it shorter or split it"),
        ))
    }
}

fn object(json: &Json<'_>) -> Result<Iri, Refusal> {
    let inner = json
        .as_members()
        .and_then(|members| member(members, "object"));
    let text = text(inner.unwrap_or(json), "", "URI", "a URI")?;
    if text == NULL_URN {
        return Err(null_here(""));
    }
    uri(text, "")?;
    Ok(Arc::from(text))
}

/// Whether NGSI-LD Null is the value of a key somewhere inside.
fn has_null(json: &Json<'_>) -> bool {
    match json {
        Json::Object(members) => members
            .iter()
            .any(|(_, value)| value.as_text() == Some(NULL_URN) || has_null(value)),
        Json::Array(items) => items.iter().any(has_null),
        _ => false,
    }
}

fn is_language(tag: &str) -> bool {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    tag == "@none"
        || tag.starts_with(|c: char| c.is_ascii_alphabetic()) && tag.split('-').all(is_part)
}
