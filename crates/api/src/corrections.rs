//! Corrections (数据更正): one observation gives way to another value, or is withdrawn. The old value, the new
//! one, who and why go to the journal as one record; history, current state and the table of corrections follow
//! from there.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::personal::Look;
use crate::sight::Seeing;
use crate::words::Quality;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use lake::Point;
use model::{
    AttributeName, AttributeUpdate, Corrected, Corrector, EntityId, Geometry, Problem,
    Quality as Qualities, Timestamp, TypeName, Update, Value, ValueKind, value::TEXT_BYTES_MAX,
};
use parking_lot::Mutex;
use records::{PageRequest, corrections::Correction};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use utoipa::{IntoParams, ToSchema};

/// Where corrections are asked for, and so the address of their stored requests.
pub const PATH: &str = "/api/v1/corrections";
/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 2_000;
/// Most observations of one moment that are looked at.
const SAME_TIME_MAX: usize = 100;

/// A correction that a person asks for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CorrectionDraft)]
#[serde(deny_unknown_fields)]
pub struct CorrectionRequest {
    /// The entity.
    pub entity_id: String,
    /// The attribute.
    pub attribute: String,
    /// The observation's time (RFC 3339), as the history tells it.
    pub observed_at: String,
    /// The observation's journal position; needed where there are several with that time.
    pub position: Option<u64>,
    /// The value that holds; null withdraws the observation.
    pub value: serde_json::Value,
    /// UN/CEFACT code or symbol of its unit; that of the observation when not said.
    pub unit: Option<String>,
    /// Why, at most 2,000 characters.
    pub reason: String,
}

/// A correction.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Correction)]
pub struct CorrectionBody {
    /// Its journal position; the corrected point of the history has it too.
    pub position: u64,
    /// The entity.
    pub entity_id: String,
    /// Its type.
    pub entity_type: String,
    /// The attribute.
    pub attribute: String,
    /// When the observation was made.
    pub observed_at: String,
    /// The journal position of what said the old value.
    pub supersedes: u64,
    /// The old value.
    pub old_value: serde_json::Value,
    /// UN/CEFACT code of its unit.
    pub old_unit: Option<String>,
    /// How good it was.
    #[schema(value_type = Quality)]
    pub old_quality: String,
    /// The new value; null when the observation was withdrawn.
    pub new_value: serde_json::Value,
    /// UN/CEFACT code of its unit.
    pub unit: Option<String>,
    /// Why.
    pub reason: String,
    /// Who.
    pub corrected_by: String,
    /// When.
    pub corrected_at: String,
}

impl CorrectionBody {
    fn listed(c: Correction, look: &Look) -> Self {
        Self {
            position: c.position.cast_unsigned(),
            entity_id: c.entity_id,
            entity_type: c.entity_type,
            attribute: c.attribute,
            observed_at: c.observed_at.to_string(),
            supersedes: c.supersedes.cast_unsigned(),
            old_value: c.old_value,
            old_unit: c.old_unit,
            old_quality: c.old_quality,
            new_value: c.new_value.unwrap_or_default(),
            unit: c.unit,
            reason: c.reason,
            corrected_by: c.corrected_by,
            corrected_at: c.corrected_at.to_string(),
        }
        .seen(look)
    }

    /// Personal values masked.
    fn seen(mut self, look: &Look) -> Self {
        for value in [&mut self.old_value, &mut self.new_value] {
            let (id, kind, attribute) = (&self.entity_id, &self.entity_type, &self.attribute);
            (*value, _) = look.json(id, kind, attribute, std::mem::take(value));
        }
        self
    }

    fn of(position: u64, c: &Corrected, look: &Look) -> Self {
        Self {
            position,
            entity_id: c.entity_id.to_string(),
            entity_type: c.entity_type.to_string(),
            attribute: c.attribute.to_string(),
            observed_at: c.observed_at.to_string(),
            supersedes: c.supersedes,
            old_value: c.old_value.to_json(),
            old_unit: c.old_unit.clone(),
            old_quality: c.old_quality.as_str().to_owned(),
            new_value: c.value.as_ref().map(Value::to_json).unwrap_or_default(),
            unit: c.unit.clone(),
            reason: c.reason.clone(),
            corrected_by: c.by.name.clone(),
            corrected_at: c.received_at.to_string(),
        }
        .seen(look)
    }
}

/// A page of corrections.
#[derive(Debug, Serialize, ToSchema)]
pub struct Corrections {
    /// Newest first.
    pub items: Vec<CorrectionBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which corrections.
#[derive(Debug, Deserialize, IntoParams)]
pub struct CorrectionsQuery {
    /// Of this entity.
    pub entity_id: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// Corrections, newest first.
#[utoipa::path(get, path = "/api/v1/corrections", tag = "entities", security(("session" = ["entity.read"])), params(CorrectionsQuery),
    responses((status = 200, body = Corrections)))]
pub async fn list(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Query(query): Query<CorrectionsQuery>,
) -> Answer<Json<Corrections>> {
    let request = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let mut connection = app.records.read().await?;
    let page =
        records::corrections::list(&mut connection, query.entity_id.as_deref(), &request).await?;
    let look = Look::masked(&app.personal);
    let sees = |c: &records::corrections::Correction| {
        sight.sees_series(&c.entity_id, &c.entity_type, &c.attribute)
    };
    let items = page.items.into_iter().filter(sees);
    Ok(Json(Corrections {
        next: page.next.clone(),
        items: items.map(|c| CorrectionBody::listed(c, &look)).collect(),
    }))
}

/// An observation's key: entity, attribute, time.
type Key = (EntityId, AttributeName, Timestamp);

/// Observations that are being corrected: from the look at the history until the history shows the correction,
/// so that of two corrections of one observation the second supersedes the first.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<HashMap<Key, Option<u64>>>);

/// One observation that is being corrected; given free again unless the correction was written.
struct Claim<'a> {
    under_way: &'a UnderWay,
    key: Key,
    is_written: bool,
}

impl UnderWay {
    /// Claims an observation; `None` while another correction of it is under way. `position_next` is how far
    /// the history has come.
    fn claim(&self, key: Key, position_next: u64) -> Option<Claim<'_>> {
        let mut known = self.0.lock();
        known.retain(|_, written| written.is_none_or(|position| position >= position_next));
        if known.contains_key(&key) {
            return None;
        }
        known.insert(key.clone(), None);
        Some(Claim {
            under_way: self,
            key,
            is_written: false,
        })
    }
}

impl Claim<'_> {
    fn written(mut self, position: u64) {
        self.is_written = true;
        let mut known = self.under_way.0.lock();
        known.insert(self.key.clone(), Some(position));
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.is_written {
            self.under_way.0.lock().remove(&self.key);
        }
    }
}

fn unprocessable(problem: Problem) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, problem)
}

fn conflict(code: &str, what: String, mend: &str) -> ApiError {
    let problem = Problem::new(code, what, "observed_at", mend);
    ApiError::new(StatusCode::CONFLICT, problem)
}

/// Corrects one observation, or withdraws it; answered once the correction is on disk.
#[utoipa::path(post, path = "/api/v1/corrections", tag = "entities", security(("session" = ["data.correct"])),
    request_body = CorrectionRequest,
    responses((status = 200, body = CorrectionBody), (status = 400, body = crate::error::ProblemBody),
        (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody),
        (status = 422, body = crate::error::ProblemBody), (status = 503, body = crate::error::ProblemBody)))]
pub async fn correct(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    raw: Bytes,
) -> Answer<Json<CorrectionBody>> {
    let request: CorrectionRequest = serde_json::from_slice(&raw).map_err(|e| {
        let mend = "send what /api/openapi.json describes for this operation";
        ApiError::invalid(Problem::new("request-shape", e.to_string(), "body", mend))
    })?;
    let reason = reason_of(&request.reason).map_err(unprocessable)?;
    let entity_id = EntityId::new(&request.entity_id).map_err(ApiError::invalid)?;
    let attribute = AttributeName::new(&request.attribute).map_err(ApiError::invalid)?;
    let observed_at = Timestamp::parse(&request.observed_at).map_err(ApiError::invalid)?;
    if !app.lake.takes_corrections() {
        let what = "as many corrections as are allowed wait for history to be written again";
        let mend = "try again in some minutes; if it stays, see the log for history that cannot be looked after, or raise lake.struck_rows_max";
        let problem = Problem::new("corrections-full", what, "corrections", mend);
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, problem));
    }
    let key = (entity_id.clone(), attribute.clone(), observed_at);
    let position_next = app.lake.stats().position_next;
    let claim = app.corrections.claim(key, position_next).ok_or_else(|| {
        let what = "another correction of this observation is under way".to_owned();
        conflict(
            "correction-under-way",
            what,
            "look at the history, then try again",
        )
    })?;
    let wanted = lake::HistoryQuery {
        entity_id: entity_id.clone(),
        attribute: attribute.clone(),
        from: Some(observed_at),
        to: Some(observed_at.plus_micros(1)),
        limit: SAME_TIME_MAX,
    };
    let found = app.lake.history(&wanted, &app.options.sql_limits).await;
    let mut found = found.map_err(ApiError::unanswered)?.points;
    found.retain(|p| sight.sees_series(entity_id.as_str(), &p.entity_type, attribute.as_str()));
    let old = the_one(&request, found)?;
    let now = app.now();
    let entity_type = TypeName::new(&old.entity_type).map_err(ApiError::internal)?;
    if !app
        .lake
        .is_correctable(entity_type.as_str(), observed_at, now)
    {
        let what = format!("observations of {observed_at} are about to be given up, or were");
        let mend = "only what is kept is corrected; see keep_days of the entity type";
        let problem = Problem::new("too-old", what, "observed_at", mend);
        return Err(unprocessable(problem));
    }
    let said = Update {
        entity_id,
        entity_type,
        attributes: vec![AttributeUpdate {
            name: attribute,
            value: Value::Deleted,
            unit: request.unit.clone().or_else(|| old.unit.clone()),
            observed_at,
            quality: Qualities::Good,
        }],
    };
    let kind = declared(&app, &said);
    let old_value = match old.value.as_str() {
        Some(text) if ::personal::is_sealed(text) => Ok(Value::Text(text.to_owned())),
        _ => value_of(&old.value, kind),
    };
    let old_value = old_value.unwrap_or_else(|_| Value::Json(old.value.to_string()));
    let (value, unit) = match &request.value {
        serde_json::Value::Null => (None, old.unit.clone()),
        json => {
            let value = value_of(json, kind).map_err(unprocessable)?;
            let (value, unit) = believed(&app, said.clone(), value)?;
            (Some(value), unit)
        }
    };
    let Update {
        entity_id,
        entity_type,
        mut attributes,
    } = said;
    let corrected = Corrected {
        entity_id,
        entity_type,
        attribute: attributes.remove(0).name,
        observed_at,
        supersedes: old.position,
        old_value,
        old_unit: old.unit,
        old_quality: Qualities::from_word(&old.quality).unwrap_or_default(),
        value,
        unit,
        reason,
        by: corrector(&peer.actor(&caller)),
        received_at: now,
        raw: raw.to_vec(),
    };
    let position = (app.ingest.correct(corrected.clone())).map_err(|e| ApiError::busy(&e))?;
    claim.written(position);
    app.durable(position).await?;
    app.shown(position).await;
    let look = Look::masked(&app.personal);
    Ok(Json(CorrectionBody::of(position, &corrected, &look)))
}

fn corrector(actor: &records::Actor) -> Corrector {
    Corrector {
        kind: actor.kind.as_str().to_owned(),
        id: actor.kind.id().map(|id| id.to_string()).unwrap_or_default(),
        name: actor.name.clone(),
        peer: actor.peer.clone(),
    }
}

fn reason_of(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let problem = |what: &str, mend: &str| Err(Problem::new("reason", what, "reason", mend));
    if text.is_empty() {
        return problem("empty", "say why the observation is corrected");
    }
    if text.chars().count() > REASON_CHARS_MAX {
        return problem("too long", "use at most 2,000 characters");
    }
    Ok(text.to_owned())
}

/// The observation that is meant.
fn the_one(request: &CorrectionRequest, mut found: Vec<Point>) -> Answer<Point> {
    if let Some(position) = request.position {
        found.retain(|point| point.position == position);
    }
    let positions: BTreeSet<u64> = found.iter().map(|point| point.position).collect();
    if positions.len() > 1 {
        let list: Vec<String> = positions.iter().map(ToString::to_string).collect();
        return Err(conflict(
            "several-observations",
            format!(
                "there are {} observations with that time, at the positions {}",
                list.len(),
                list.join(", ")
            ),
            "name one of them as position",
        ));
    }
    // What one message says twice of one moment is one observation.
    found.into_iter().next().ok_or_else(|| {
        let problem = Problem::new(
            "not-found",
            format!(
                "no observation of {} of {} at {}",
                request.attribute, request.entity_id, request.observed_at
            ),
            "observed_at",
            "take time and position from the history; a withdrawn observation is sent again, not corrected",
        );
        ApiError::new(StatusCode::NOT_FOUND, problem)
    })
}

fn declared(app: &App, said: &Update) -> Option<ValueKind> {
    let catalogue = app.ingest.catalogue();
    let kind = catalogue.kinds.get(said.entity_type.as_str())?;
    Some(kind.attributes.get(said.attributes[0].name.as_str())?.value)
}

/// The value and unit as admission takes them; what is not credible is no correction.
fn believed(app: &App, mut said: Update, value: Value) -> Answer<(Value, Option<String>)> {
    let attribute = &mut said.attributes[0];
    attribute.value = value;
    let observed_at = attribute.observed_at;
    // How old the observation may be was judged when it came.
    let (said, problems) = app.ingest.believe(said, observed_at);
    let said = said.and_then(|mut said| said.attributes.pop());
    match (said, problems.into_iter().next()) {
        (Some(said), None) if said.quality == Qualities::OutOfRange => {
            let what = format!(
                "{} is outside the declared range of {}",
                said.value.to_json(),
                said.name
            );
            let mend = "send a value within the range, or null to withdraw the observation";
            Err(unprocessable(Problem::new(
                "out-of-range",
                what,
                "value",
                mend,
            )))
        }
        (Some(said), None) => Ok((said.value, said.unit)),
        (_, Some(problem)) => Err(unprocessable(problem)),
        (None, None) => Err(ApiError::internal("admission said nothing of a correction")),
    }
}

/// JSON as a value of the kind that is declared; by its own shape where none is.
fn value_of(json: &serde_json::Value, kind: Option<ValueKind>) -> Result<Value, Problem> {
    use serde_json::Value as J;
    let value = match (kind, json) {
        (_, J::Null) => Value::Deleted,
        (Some(ValueKind::Json), json) => Value::Json(json.to_string()),
        (Some(ValueKind::Geometry), json) => Value::Geometry(Geometry::from_geojson(json)?),
        (Some(ValueKind::Relationship), J::String(id)) => Value::Relationship(EntityId::new(id)?),
        (_, J::Number(n)) => Value::number(n.as_f64().unwrap_or(f64::NAN))?,
        (_, J::Bool(b)) => Value::Boolean(*b),
        (_, J::String(text)) => Value::Text(text.clone()),
        (_, json) => match Geometry::from_geojson(json) {
            Ok(geometry) => Value::Geometry(geometry),
            Err(_) => Value::Json(json.to_string()),
        },
    };
    match &value {
        Value::Text(text) | Value::Json(text) if text.len() > TEXT_BYTES_MAX => Err(Problem::new(
            "text-too-long",
            format!("the value has {} bytes", text.len()),
            "value",
            format!("send at most {TEXT_BYTES_MAX} bytes"),
        )),
        _ => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: i64) -> Key {
        (
            EntityId::new("urn:x:1").unwrap(),
            AttributeName::new("a").unwrap(),
            Timestamp::from_seconds(n),
        )
    }

    #[test]
    fn one_correction_of_an_observation_at_a_time() {
        let under_way = UnderWay::default();
        let first = under_way.claim(key(1), 0).unwrap();
        assert!(under_way.claim(key(1), 0).is_none());
        assert!(under_way.claim(key(2), 0).is_some(), "another observation");
        drop(first);
        under_way.claim(key(1), 0).unwrap().written(7);
        assert!(under_way.claim(key(1), 7).is_none(), "not yet in history");
        assert!(under_way.claim(key(1), 8).is_some());
    }

    #[test]
    fn values_are_of_the_declared_kind_or_of_their_own_shape() {
        let point = serde_json::json!({"type": "Point", "coordinates": [113.1, 30.6]});
        let place = Geometry::Point {
            lon: 113.1,
            lat: 30.6,
        };
        for (json, kind, value) in [
            (serde_json::json!(1.5), None, Value::Number(1.5)),
            (serde_json::json!(true), None, Value::Boolean(true)),
            (serde_json::json!("x"), None, Value::Text("x".into())),
            (point.clone(), None, Value::Geometry(place.clone())),
            (point, Some(ValueKind::Geometry), Value::Geometry(place)),
            (
                serde_json::json!([1]),
                Some(ValueKind::Json),
                Value::Json("[1]".into()),
            ),
            (serde_json::json!([1]), None, Value::Json("[1]".into())),
        ] {
            assert_eq!(value_of(&json, kind).unwrap(), value);
        }
        let long = serde_json::json!("x".repeat(TEXT_BYTES_MAX + 1));
        assert_eq!(value_of(&long, None).unwrap_err().code, "text-too-long");
        assert_eq!(reason_of(" ").unwrap_err().code, "reason");
        assert_eq!(
            reason_of(&"长".repeat(2_000)).unwrap().chars().count(),
            2_000
        );
        assert_eq!(reason_of(&"长".repeat(2_001)).unwrap_err().code, "reason");
    }
}
