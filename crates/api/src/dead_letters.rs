//! Dead letters (死信): messages that could not be understood, whole, with the reason.

use crate::app::App;
use crate::error::{Answer, ApiError};
use axum::Json;
use axum::extract::{Path, Query, State};
use records::{PageRequest, dead_letters::DeadLetter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What was wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDetail {
    /// Short stable code.
    pub code: String,
    /// What is wrong.
    pub what: String,
    /// Where.
    pub place: String,
    /// How to mend it.
    pub mend: String,
}

impl From<model::Problem> for ProblemDetail {
    fn from(p: model::Problem) -> Self {
        Self {
            code: p.code,
            what: p.what,
            place: p.place,
            mend: p.mend,
        }
    }
}

/// A message that was not understood.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub struct DeadLetterBody {
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
    /// Size of the whole message, bytes; of one too large to keep only the front is stored.
    pub size_bytes: u64,
    /// Its beginning, as text; empty when it is withheld.
    pub preview: String,
    /// Whether it holds personal data, or may, and is withheld.
    pub withheld: bool,
    /// Why it was not understood.
    pub problem: ProblemDetail,
}

impl From<DeadLetter> for DeadLetterBody {
    fn from(d: DeadLetter) -> Self {
        let withheld = ::personal::is_sealed_message(d.preview.as_bytes());
        Self {
            position: d.position,
            door: d.door,
            device_id: d.device_id,
            address: d.address,
            received_at: d.received_at.to_string(),
            size_bytes: d.size_bytes,
            preview: match withheld {
                true => String::new(),
                false => d.preview,
            },
            withheld,
            problem: d.problem.into(),
        }
    }
}

/// A page of dead letters.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetters {
    /// Newest first.
    pub items: Vec<DeadLetterBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which dead letters.
#[derive(Debug, Deserialize, IntoParams)]
pub struct DeadLettersQuery {
    /// Of this device.
    pub device: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// Dead letters, newest first.
#[utoipa::path(get, path = "/api/v1/dead-letters", tag = "devices", security(("session" = ["deadletter.read"])), params(DeadLettersQuery),
    responses((status = 200, body = DeadLetters)))]
pub async fn list(
    State(app): State<App>,
    Query(query): Query<DeadLettersQuery>,
) -> Answer<Json<DeadLetters>> {
    let request = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let mut connection = app.records.read().await?;
    let page =
        records::dead_letters::list(&mut connection, query.device.as_deref(), &request).await?;
    Ok(Json(DeadLetters {
        next: page.next.clone(),
        items: page.items.into_iter().map(Into::into).collect(),
    }))
}

/// One dead letter; its whole message is at `/api/v1/provenance/{position}`.
#[utoipa::path(get, path = "/api/v1/dead-letters/{position}", tag = "devices", security(("session" = ["deadletter.read"])),
    params(("position" = u64, Path)), responses((status = 200, body = DeadLetterBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Path(position): Path<u64>,
) -> Answer<Json<DeadLetterBody>> {
    let mut connection = app.records.read().await?;
    let letter = records::dead_letters::get(&mut connection, position).await?;
    letter
        .map(|l| Json(l.into()))
        .ok_or_else(|| ApiError::not_found("dead letter", position))
}
