//! The HTTP doors: NGSI-LD batch upsert and line-protocol write. Neither answers 2xx before what it
//! took is durable.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError};
use admission::{Incoming, Scope};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use identity::PrincipalId;
use model::EntityId;
use proto_influx::Precision;
use proto_ngsild::encode::{self, BatchOutcome};
use records::Actor;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{Context, Payload};

/// The answer to a batch of which something was refused (NGSI-LD `BatchOperationResult`), as
/// [`encode::batch_answer`] writes it.
#[derive(utoipa::ToSchema)]
pub struct BatchResult {
    /// Ids of the entities written.
    pub success: Vec<String>,
    /// What was refused.
    pub errors: Vec<BatchError>,
}

/// What was refused of a batch.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct BatchError {
    /// The entity, where known.
    pub entity_id: Option<String>,
    /// Why.
    pub error: crate::error::ProblemBody,
}

/// Creates or updates entities (NGSI-LD, ETSI GS CIM 009 clause 5.6.8). 201 when all were new, 204 when
/// all were known, 207 when some were refused, 400 when all were.
#[utoipa::path(post, path = "/ngsi-ld/v1/entityOperations/upsert", tag = "ngsi-ld", security(("session" = ["ingest.write"])),
    request_body(content = Vec<Object>, content_type = "application/json"),
    responses((status = 201, body = Vec<String>), (status = 204), (status = 207, body = BatchResult), (status = 400, body = crate::error::ProblemBody),
        (status = 503, body = crate::error::ProblemBody)))]
pub async fn upsert(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    body: Bytes,
) -> Answer<Response> {
    let received_at = app.now();
    let context = Context {
        received_at,
        entity: None,
    };
    let mut outcome = BatchOutcome::default();
    let mut payload = Payload::default();
    match app.ngsi_ld.decode_batch(&body, &context) {
        Err(problem) => payload.problems.push(problem),
        Ok(entities) => {
            for entity in entities {
                outcome.errors.extend(
                    entity
                        .problems
                        .iter()
                        .map(|p| (entity.id.clone(), p.clone())),
                );
                payload.problems.extend(entity.problems);
                payload.updates.extend(entity.update);
            }
        }
    }
    let understood = payload.problems.len();
    let ids: Vec<(EntityId, bool)> = payload
        .updates
        .iter()
        .map(|u| (u.entity_id.clone(), app.twin.get(&u.entity_id).is_some()))
        .collect();
    if let (PrincipalId::User(_), false) = (caller.id, payload.updates.is_empty()) {
        entered(&app, &peer.actor(&caller), &payload).await?;
    }
    let incoming = Incoming {
        door: "ngsi-ld",
        device_id: None,
        scope: &Scope::Any,
        address: "/ngsi-ld/v1/entityOperations/upsert",
        raw: &body,
        received_at,
        retain: false,
    };
    let receipt = app
        .ingest
        .submit(incoming, payload)
        .map_err(|r| ApiError::busy(&r))?;
    app.durable(receipt.position).await?;
    tracing::debug!(by = %caller.name, accepted = receipt.accepted, "batch upsert");
    if receipt.accepted == 0
        && let Some(problem) = receipt.problems.first()
    {
        return Err(ApiError::invalid(problem.clone()));
    }
    // What admission refused names the entity first in its place.
    for problem in receipt.problems.into_iter().skip(understood) {
        let id = problem.place.split(' ').next().map(str::to_owned);
        outcome.errors.push((id, problem));
    }
    for (id, known) in ids {
        let id = id.to_string();
        if outcome
            .errors
            .iter()
            .any(|(refused, _)| refused.as_deref() == Some(&id))
        {
            continue;
        }
        if known {
            &mut outcome.updated
        } else {
            &mut outcome.created
        }
        .push(id);
    }
    let (status, body) = encode::batch_answer(&outcome);
    let status = StatusCode::from_u16(status).map_err(ApiError::internal)?;
    Ok(match body {
        None => status.into_response(),
        Some(body) => (status, Json(body)).into_response(),
    })
}

/// Most entities of one entry that the audit trail names.
const ENTERED_NAMED_MAX: usize = 20;

/// Writes into the audit trail that a person enters values, before they are taken: what is not in the trail does not take
/// effect. Machines send all day; what they say stands in the journal with their name.
pub(crate) async fn entered(app: &App, actor: &Actor, payload: &Payload) -> Answer<()> {
    let named = payload.updates.iter().take(ENTERED_NAMED_MAX);
    let entities: BTreeMap<&str, Vec<&str>> = named
        .map(|update| {
            let names = update.attributes.iter().map(|a| a.name.as_str());
            (update.entity_id.as_str(), names.collect())
        })
        .collect();
    let detail = serde_json::json!({"entities": entities, "count": payload.updates.len()});
    let mut write = app.records.write().await?;
    let event = records::Event::DataEnter;
    records::audit::insert(&mut write, app.now(), actor, event, "entities", &detail).await?;
    write.commit().await?;
    Ok(())
}

/// Options of a line-protocol write.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct WriteOptions {
    /// Unit of the timestamps: ns (default), us, ms or s.
    pub precision: Option<String>,
    /// Accepted and ignored: Jingling has one store.
    pub bucket: Option<String>,
    /// Accepted and ignored.
    pub org: Option<String>,
    /// Accepted and ignored.
    pub db: Option<String>,
}

/// Writes InfluxDB line protocol (version 2 address), so that existing collectors can send.
#[utoipa::path(post, path = "/api/v2/write", tag = "line protocol", security(("session" = ["ingest.write"])), params(WriteOptions),
    request_body(content = String, content_type = "text/plain"),
    responses((status = 204), (status = 400, body = crate::error::ProblemBody), (status = 503, body = crate::error::ProblemBody)))]
pub async fn write_v2(
    state: State<App>,
    options: Query<WriteOptions>,
    body: Bytes,
) -> Answer<Response> {
    write(state, options, body, "/api/v2/write").await
}

/// Writes InfluxDB line protocol (version 1 address).
#[utoipa::path(post, path = "/write", tag = "line protocol", security(("session" = ["ingest.write"])), params(WriteOptions),
    request_body(content = String, content_type = "text/plain"),
    responses((status = 204), (status = 400, body = crate::error::ProblemBody), (status = 503, body = crate::error::ProblemBody)))]
pub async fn write_v1(
    state: State<App>,
    options: Query<WriteOptions>,
    body: Bytes,
) -> Answer<Response> {
    write(state, options, body, "/write").await
}

async fn write(
    State(app): State<App>,
    Query(options): Query<WriteOptions>,
    body: Bytes,
    address: &str,
) -> Answer<Response> {
    let received_at = app.now();
    let precision = Precision::parse(options.precision.as_deref().unwrap_or("ns"))
        .map_err(ApiError::invalid)?;
    // A reload that comes while the lines are read changes nothing of them.
    let line_protocol = Arc::clone(&app.line_protocol.read());
    let payload = line_protocol
        .decode_lines(
            &body,
            precision,
            &Context {
                received_at,
                entity: None,
            },
        )
        .payload;
    let incoming = Incoming {
        door: "influx",
        device_id: None,
        scope: &Scope::Any,
        address,
        raw: &body,
        received_at,
        retain: false,
    };
    let receipt = app
        .ingest
        .submit(incoming, payload)
        .map_err(|r| ApiError::busy(&r))?;
    app.durable(receipt.position).await?;
    match receipt.problems.into_iter().next() {
        None => Ok(StatusCode::NO_CONTENT.into_response()),
        Some(mut problem) => {
            if receipt.accepted > 0 {
                problem.mend = format!(
                    "{} ({} updates of the other lines were written)",
                    problem.mend, receipt.accepted
                );
            }
            Err(ApiError::invalid(problem))
        }
    }
}
