//! Plain text for expectations: one line per attribute, one per problem, in the message's order.

use model::{AttributeUpdate, Geometry, Problem, Update, Value};
use std::fmt::Write;
use wire::Payload;

/// A payload as text: its updates, then its problems.
///
/// ```text
/// urn:ngsi-ld:WaterObserved:1 WaterObserved
///   waterLevel = 28.5 [MTR] at 2026-11-23T08:00:00Z good
/// problem time-format at waterLevel.observedAt: …; mend: …
/// ```
pub fn payload(payload: &Payload) -> String {
    let mut out = String::new();
    payload.updates.iter().for_each(|u| update(&mut out, u));
    payload.problems.iter().for_each(|p| problem(&mut out, p));
    out
}

fn update(out: &mut String, update: &Update) {
    let _ = writeln!(out, "{} {}", update.entity_id, update.entity_type);
    update.attributes.iter().for_each(|a| attribute(out, a));
}

fn attribute(out: &mut String, attribute: &AttributeUpdate) {
    let _ = write!(out, "  {} = {}", attribute.name, value(&attribute.value));
    if let Some(unit) = &attribute.unit {
        let _ = write!(out, " [{unit}]");
    }
    let _ = writeln!(
        out,
        " at {} {}",
        attribute.observed_at,
        attribute.quality.as_str()
    );
}

/// A problem on one line.
pub fn problem(out: &mut String, problem: &Problem) {
    let _ = writeln!(
        out,
        "problem {} at {}: {}; mend: {}",
        problem.code, problem.place, problem.what, problem.mend
    );
}

/// A value, with its kind where JSON alone would not show it.
pub fn value(value: &Value) -> String {
    match value {
        Value::Number(n) => n.to_string(),
        Value::Boolean(b) => b.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Geometry(Geometry::Point { lon, lat }) => format!("point {lon} {lat}"),
        Value::Geometry(Geometry::Shape { geojson, bbox }) => format!("shape {bbox:?} {geojson}"),
        Value::Relationship(id) => format!("→ {id}"),
        Value::Json(text) => format!("json {text}"),
        Value::Deleted => "deleted".to_owned(),
    }
}
