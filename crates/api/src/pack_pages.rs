//! Packs over HTTP: which there are, what their entity types are called elsewhere, and loading them anew.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::linked::{ALL_PACKS, JSON_LD};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::Problem;
use pack::reload::Changes;
use pack::schema::{self, Form};
use records::Actor;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// A pack of the city.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pack)]
pub struct PackBody {
    /// Its name.
    pub name: String,
    /// Counted up with every change.
    pub version: u32,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The department that owns it, in Chinese.
    pub owner_zh: String,
    /// The same in English.
    pub owner_en: String,
    /// Its entity types.
    pub entity_types: Vec<String>,
    /// How many rules it has.
    pub rules: usize,
    /// How many scenarios prove it.
    pub scenarios: usize,
}

/// All packs.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackList {
    /// By name.
    pub items: Vec<PackBody>,
}

/// The packs that hold now.
#[utoipa::path(get, path = "/api/v1/packs", tag = "packs", security(("session" = ["entity.read"])),
    responses((status = 200, body = PackList)))]
pub async fn list(State(app): State<App>) -> Json<PackList> {
    let packs = app.packs.now();
    let items = packs.packs.iter().map(|pack| PackBody {
        name: pack.manifest.name.clone(),
        version: pack.manifest.version,
        title_zh: pack.manifest.title_zh.clone(),
        title_en: pack.manifest.title_en.clone(),
        owner_zh: pack.manifest.owner_zh.clone(),
        owner_en: pack.manifest.owner_en.clone(),
        entity_types: pack.kinds.iter().map(|kind| kind.name.clone()).collect(),
        rules: pack.rules.len(),
        scenarios: pack.scenarios.len(),
    });
    Json(PackList {
        items: items.collect(),
    })
}

/// The JSON-LD context of a pack's entity types (JSON-LD 1.1); of those of all packs by the name `all`.
#[utoipa::path(get, path = "/api/v1/packs/{name}/context.jsonld", tag = "packs", security(("session" = ["entity.read"])),
    params(("name" = String, Path)),
    responses((status = 200, body = Object, content_type = "application/ld+json"), (status = 404, body = crate::error::ProblemBody)))]
pub async fn context(State(app): State<App>, Path(name): Path<String>) -> Answer<Response> {
    let packs = app.packs.now();
    let found = packs.packs.iter().find(|pack| pack.manifest.name == name);
    let body = match found {
        Some(pack) => schema::context(&pack.kinds),
        None if name == ALL_PACKS => schema::context(packs.catalogue.kinds.values()),
        None => return Err(ApiError::not_found("pack", &name)),
    };
    Ok(([(header::CONTENT_TYPE, JSON_LD)], body.to_string()).into_response())
}

/// Of which form of an entity a schema speaks.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct SchemaQuery {
    /// `simplified` (an attribute is its value; the default) or `normalised` (an attribute is an object), as NGSI-LD names them.
    #[param(value_type = Option<String>)]
    #[serde(default)]
    pub form: Form,
}

/// The JSON Schema (2020-12) of an entity type.
#[utoipa::path(get, path = "/api/v1/types/{type}/schema.json", tag = "entities", security(("session" = ["entity.read"])),
    params(("type" = String, Path), SchemaQuery),
    responses((status = 200, body = Object, content_type = "application/schema+json"), (status = 404, body = crate::error::ProblemBody)))]
pub async fn type_schema(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<SchemaQuery>,
) -> Answer<Response> {
    let catalogue = app.ingest.catalogue();
    let found = catalogue.kinds.get(&name);
    let kind = found.ok_or_else(|| ApiError::not_found("entity type", &name))?;
    let body = schema::json_schema(kind, query.form).to_string();
    Ok(([(header::CONTENT_TYPE, "application/schema+json")], body).into_response())
}

/// What a reload changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackChanges {
    /// What is new, by kind and name: `rule water-stage-warning`.
    pub added: Vec<String>,
    /// What says something else.
    pub changed: Vec<String>,
    /// What is gone.
    pub removed: Vec<String>,
}

impl From<Changes> for PackChanges {
    fn from(changes: Changes) -> Self {
        Self {
            added: changes.added,
            changed: changes.changed,
            removed: changes.removed,
        }
    }
}

/// Reads the packs of the city's folder anew. With any mistake, or anything that only a restart can change, the old ones stay
/// in force, and every mistake is told.
#[utoipa::path(post, path = "/api/v1/packs/reload", tag = "packs", security(("session" = ["pack.manage"])),
    responses((status = 200, body = PackChanges), (status = 409, body = crate::error::ProblemBody)))]
pub async fn reload(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
) -> Answer<Json<PackChanges>> {
    match take_up(&app, &peer.actor(&caller)).await? {
        Ok(changes) => Ok(Json(changes.into())),
        Err(problems) => Err(ApiError::new(StatusCode::CONFLICT, summed_up(&problems))),
    }
}

/// Takes the folder's packs up and writes it into the audit trail. The mistakes, when they are refused, are the inner error.
///
/// # Errors
/// The records' own: what is not in the audit trail does not take effect.
pub async fn take_up(app: &App, actor: &Actor) -> records::Result<Result<Changes, Vec<Problem>>> {
    let read = app.packs.read().await;
    let detail = match &read {
        Ok(reload) if reload.changes.is_empty() => return Ok(Ok(Changes::default())),
        Ok(reload) => {
            let changes = &reload.changes;
            let all = changes.added.iter().map(|name| format!("+ {name}"));
            let all = all.chain(changes.changed.iter().map(|name| format!("~ {name}")));
            let all = all.chain(changes.removed.iter().map(|name| format!("- {name}")));
            json!({"changed": all.collect::<Vec<_>>()})
        }
        Err(problems) => json!({"changed": [], "refused": problems.len()}),
    };
    let mut write = app.records.write().await?;
    records::audit::insert(
        &mut write,
        app.now(),
        actor,
        records::Event::PackReload,
        "packs",
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(read.map(crate::live_packs::Reload::hold))
}

/// All mistakes as one problem: a person mends them together.
fn summed_up(problems: &[Problem]) -> Problem {
    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let (code, place) = problems
        .first()
        .map_or(("pack-reload", "packs"), |p| (&*p.code, &*p.place));
    Problem::new(
        code,
        format!(
            "the packs stay as they were: {} mistakes: {}",
            problems.len(),
            all.join("; ")
        ),
        place,
        "mend them all, `jingling pack check` says them too, and load the packs again",
    )
}
