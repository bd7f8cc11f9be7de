//! Where a figure came from: the stored message at a journal position.

use crate::access::Caller;
use crate::app::App;
use crate::dead_letters::ProblemDetail;
use crate::error::{Answer, ApiError};
use crate::personal::{Look, Looking, LookingQuery, Message};
use crate::sight::{Seeing, Sight};
use crate::words::Quality;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine as _;
use identity::Permission;
use model::{Problem, Record, Update};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a message said of one attribute.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UpdateAttribute)]
pub struct UpdateAttributeBody {
    /// The value.
    pub value: serde_json::Value,
    /// UN/CEFACT code of its unit.
    pub unit: Option<String>,
    /// When it was so.
    pub observed_at: String,
    /// How good it is.
    pub quality: Quality,
}

/// What a message said of one entity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Update)]
pub struct UpdateBody {
    /// The entity.
    pub id: String,
    /// Its type.
    pub r#type: String,
    /// The attributes, by name.
    pub attributes: BTreeMap<String, UpdateAttributeBody>,
}

impl UpdateBody {
    /// As somebody who looks may see it.
    fn of(update: &Update, look: &Look) -> Self {
        let (id, kind) = (update.entity_id.as_str(), update.entity_type.as_str());
        let attributes = update.attributes.iter().map(|a| {
            let (value, _) = look.json(id, kind, a.name.as_str(), a.value.to_json());
            let body = UpdateAttributeBody {
                value,
                unit: a.unit.clone(),
                observed_at: a.observed_at.to_string(),
                quality: a.quality.into(),
            };
            (a.name.to_string(), body)
        });
        Self {
            id: update.entity_id.to_string(),
            r#type: update.entity_type.to_string(),
            attributes: attributes.collect(),
        }
    }
}

/// A stored message.
#[derive(Debug, Serialize, ToSchema)]
pub struct Provenance {
    /// Its journal position.
    pub position: u64,
    /// The door it came through.
    pub door: String,
    /// The sender, when known.
    pub device_id: Option<String>,
    /// Topic or path.
    pub address: String,
    /// When it came.
    pub received_at: String,
    /// Size of the whole message, bytes; of one too large to keep only the front is here.
    pub size_bytes: u64,
    /// The message as text, when it is UTF-8.
    pub raw_text: Option<String>,
    /// The message's bytes; empty when it is withheld.
    pub raw_base64: String,
    /// Whether the message says something that the caller may not see, and is withheld.
    pub raw_withheld: bool,
    /// Whether the message holds personal data and is withheld; with a purpose, whoever may sees it.
    pub withheld: bool,
    /// What was understood.
    pub updates: Vec<UpdateBody>,
    /// Why it was not understood, when it was not.
    pub problem: Option<ProblemDetail>,
}

impl Sight {
    /// Takes out what the caller may not see; whether there was anything.
    fn take_out(&self, updates: &mut Vec<UpdateBody>) -> bool {
        let count =
            |updates: &[UpdateBody]| updates.iter().map(|u| u.attributes.len()).sum::<usize>();
        let before = count(updates);
        for update in updates.iter_mut() {
            let (id, kind) = (&update.id, &update.r#type);
            update
                .attributes
                .retain(|name, _| self.sees_series(id, kind, name));
        }
        updates.retain(|update| !update.attributes.is_empty());
        count(updates) < before
    }
}

/// The stored message at a journal position, as it came. One that was not understood needs `deadletter.read`.
#[utoipa::path(get, path = "/api/v1/provenance/{position}", tag = "entities", security(("session" = ["entity.read"])),
    params(("position" = u64, Path), LookingQuery), responses((status = 200, body = Provenance), (status = 404, body = crate::error::ProblemBody),
        (status = 410, body = crate::error::ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    Path(position): Path<u64>,
) -> Answer<Json<Provenance>> {
    let journal = app.ingest.journal();
    let stored = match journal.record(position) {
        Ok(None) if position < journal.first_position() => {
            return Err(trimmed(position, journal.first_position()));
        }
        Err(journal::ReadError::Damaged(damage)) => return Err(damaged(&damage)),
        other => other.map_err(ApiError::internal)?,
    };
    let stored = stored.ok_or_else(|| ApiError::not_found("stored message", position))?;
    let record = Record::decode(&stored).map_err(ApiError::internal)?;
    let needed = Permission::DeadLetterRead;
    if matches!(record, Record::Rejected(_)) && !caller.may(needed) {
        return Err(ApiError::forbidden(needed.as_str()));
    }
    let (door, device_id, address, received_at, size_bytes, raw, updates, problem) = match record {
        Record::Accepted(a) => (
            a.door,
            a.device_id,
            a.address,
            a.received_at,
            a.raw.len() as u64,
            a.raw,
            a.updates,
            None,
        ),
        Record::Rejected(r) => (
            r.door,
            r.device_id,
            r.address,
            r.received_at,
            r.size_bytes,
            r.raw,
            Vec::new(),
            Some(r.problem.into()),
        ),
        Record::Retained(r) => (
            r.door,
            r.device_id,
            r.address,
            r.received_at,
            r.raw.len() as u64,
            r.raw,
            Vec::new(),
            None,
        ),
        Record::Corrected(c) => {
            let said = c.said();
            let size_bytes = c.raw.len() as u64;
            let updates = said.updates;
            (
                said.door,
                None,
                crate::corrections::PATH.to_owned(),
                c.received_at,
                size_bytes,
                c.raw,
                updates,
                None,
            )
        }
    };
    // A correction's request is sealed without its address, which it does not name itself.
    let sealed_address = match door == model::CORRECTION_DOOR {
        true => "",
        false => address.as_str(),
    };
    let message = look.message(&Message {
        position,
        door: &door,
        address: sealed_address,
        received_at,
        raw: &raw,
        updates: &updates,
    });
    let mut updates: Vec<UpdateBody> = updates.iter().map(|u| UpdateBody::of(u, &look)).collect();
    let hidden = sight.take_out(&mut updates);
    if hidden && updates.is_empty() {
        return Err(ApiError::not_found("stored message", position));
    }
    look.tell(&app.records, app.now(), "provenance").await?;
    // A message is one whole: who may not see a part of it is not given its bytes.
    let raw = match hidden {
        true => &[],
        false => message.as_deref().unwrap_or_default(),
    };
    Ok(Json(Provenance {
        position,
        raw_withheld: hidden,
        withheld: message.is_none(),
        door,
        device_id: device_id.map(|d| d.to_string()),
        address,
        received_at: received_at.to_string(),
        size_bytes,
        raw_text: std::str::from_utf8(raw)
            .ok()
            .filter(|_| !hidden && message.is_some())
            .map(str::to_owned),
        raw_base64: base64::engine::general_purpose::STANDARD.encode(raw),
        updates,
        problem,
    }))
}

fn trimmed(position: u64, first: u64) -> ApiError {
    ApiError::new(
        StatusCode::GONE,
        Problem::new(
            "trimmed",
            format!(
                "the message at position {position} is no longer kept; the oldest kept is {first}"
            ),
            "journal",
            "its values are still in the history; to keep messages longer from now on, raise journal.keep_gib or journal.keep_days",
        ),
    )
}

fn damaged(damage: &journal::Damage) -> ApiError {
    ApiError::new(
        StatusCode::GONE,
        Problem::new(
            "damaged",
            damage.to_string(),
            damage.file.clone(),
            "put the file back from a copy of the city's folder while the city is stopped",
        ),
    )
}
