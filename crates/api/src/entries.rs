//! What people enter in a pack's form, and the moves on its board (人工录入): values of one entity, within what the form or the
//! board is for. `data.enter` alone lets nobody write anything else; programs that send in use the doors with `ingest.write`.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::duty::belongs;
use crate::error::{Answer, ApiError};
use crate::personal::Look;
use crate::sight::Seeing;
use admission::{Incoming, Scope};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use identity::Principal;
use model::{Problem, Update, Value, problem::quote};
use pack::{Packs, View};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use wire::{Context, Payload};

/// Most texts of a list that is entered.
const LIST_TEXTS_MAX: usize = 500;

/// One entity as NGSI-LD says it (ETSI GS CIM 009 clause 4.5.1): beside these, a member for each attribute.
#[derive(Debug, Deserialize, ToSchema)]
pub struct EntryDraft {
    /// The entity.
    pub id: String,
    /// Its type: that of the form or board.
    pub r#type: String,
    /// What is entered, by the attribute's name.
    #[serde(flatten)]
    pub attributes: BTreeMap<String, serde_json::Value>,
}

/// What was taken of an entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryTaken {
    /// The entity.
    pub entity_id: String,
    /// The attributes that were refused, each with its reason; the others are stored.
    pub refused: Vec<EntryRefused>,
}

/// An attribute that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryRefused {
    /// Short stable code, e.g. `time-out-of-range`.
    pub code: String,
    /// What is wrong.
    pub detail: String,
    /// Where.
    pub place: String,
    /// How to mend it.
    pub mend: String,
}

impl From<Problem> for EntryRefused {
    fn from(problem: Problem) -> Self {
        Self {
            code: problem.code,
            detail: problem.what,
            place: problem.place,
            mend: problem.mend,
        }
    }
}

/// Enters values of one entity through a form, or moves it on a board: one entity as NGSI-LD says it (ETSI GS CIM 009 clause
/// 4.5.1). 400 `entry-outside` for another type or attribute than the form or board has, `entry-unknown-entity` where the form
/// makes none; 403 for who is not of the department that the pack belongs to, nor of the one
/// that has the entity by the form's `of`.
#[utoipa::path(post, path = "/api/v1/views/{id}/entries", tag = "entities", security(("session" = ["data.enter"])),
    params(("id" = String, Path, description = "the form's or board's id")),
    request_body(content = EntryDraft, content_type = "application/json"),
    responses((status = 200, body = EntryTaken), (status = 400, body = crate::error::ProblemBody), (status = 403, body = crate::error::ProblemBody),
        (status = 404, body = crate::error::ProblemBody), (status = 503, body = crate::error::ProblemBody)))]
pub async fn enter(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Seeing(sight): Seeing,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<Json<EntryTaken>> {
    let received_at = app.now();
    let packs = app.packs.now();
    let (view, owner) = of(&packs, &id)?;
    // The journal keeps it as the batch that it could have come as.
    let raw = [b"[".as_slice(), &body, b"]"].concat();
    let context = Context {
        received_at,
        entity: None,
    };
    let decoded = app.ngsi_ld.decode_batch(&raw, &context);
    let mut decoded = decoded.map_err(ApiError::invalid)?.into_iter();
    let (Some(entity), None) = (decoded.next(), decoded.next()) else {
        return Err(ApiError::invalid(Problem::new(
            "entry-one",
            "an entry is of one entity",
            "body",
            "send one NGSI-LD entity, an object",
        )));
    };
    let mut payload = Payload::default();
    payload.problems.extend(entity.problems);
    payload.updates.extend(entity.update);
    let Some(update) = payload.updates.first() else {
        let problem = payload.problems.into_iter().next();
        let nothing = || Problem::new("entry-empty", "it says nothing", "body", "fill in a value");
        return Err(ApiError::invalid(problem.unwrap_or_else(nothing)));
    };
    within(view, update).map_err(ApiError::invalid)?;
    let entity_id = update.entity_id.to_string();
    let known = app.twin.get(&update.entity_id);
    if let Some(owner) = owner.filter(|owner| !belongs(&caller, owner)) {
        let attribute = view.form.as_ref().and_then(|form| form.of.as_deref());
        let whose = attribute.zip(known.as_ref()).and_then(|(of, entity)| {
            let state = entity.attribute(of)?;
            Some(state.value.as_text()?.to_owned())
        });
        if !of_callers(&app, &caller, whose.as_deref()).await? {
            return Err(not_theirs(&id, owner));
        }
    }
    match known {
        Some(entity) => {
            // What may not be seen is not there.
            let seen = sight.body(entity, &Look::masked(&app.personal));
            seen.ok_or_else(|| ApiError::not_found("entity", &entity_id))?;
        }
        None if view.form.as_ref().is_some_and(|form| form.new) => (),
        None => {
            return Err(ApiError::invalid(Problem::new(
                "entry-unknown-entity",
                format!("there is no entity {}", quote(&entity_id)),
                "id",
                "choose one that is there; this form makes none",
            )));
        }
    }
    crate::doors::entered(&app, &peer.actor(&caller), &payload).await?;
    let incoming = Incoming {
        door: "ngsi-ld",
        device_id: None,
        scope: &Scope::Any,
        address: "/ngsi-ld/v1/entityOperations/upsert",
        raw: &raw,
        received_at,
        retain: false,
    };
    let receipt = app.ingest.submit(incoming, payload);
    let receipt = receipt.map_err(|refusal| ApiError::busy(&refusal))?;
    app.durable(receipt.position).await?;
    let mut refused = receipt.problems;
    if receipt.accepted == 0 && !refused.is_empty() {
        return Err(ApiError::invalid(refused.swap_remove(0)));
    }
    Ok(Json(EntryTaken {
        entity_id,
        refused: refused.into_iter().map(Into::into).collect(),
    }))
}

/// The form or board, and the organisation whose it is.
fn of<'p>(packs: &'p Packs, id: &str) -> Answer<(&'p View, Option<&'p str>)> {
    let of_pack =
        |pack: &'p pack::Pack| Some((pack, pack.views.iter().find(|view| view.id == id)?));
    let found = packs.packs.iter().find_map(of_pack);
    let found = found.filter(|(_, view)| view.form.is_some() || view.board.is_some());
    let (pack, view) = found.ok_or_else(|| ApiError::not_found("form or board", id))?;
    Ok((view, pack.manifest.owner.as_deref()))
}

/// Whether the organisation, by its id or its Chinese name, is one of the caller's.
async fn of_callers(app: &App, caller: &Principal, whose: Option<&str>) -> Answer<bool> {
    let Some(whose) = whose else {
        return Ok(false);
    };
    let own = caller.organisations();
    if own.contains(&whose) {
        return Ok(true);
    }
    let mut read = app.records.read().await?;
    let all = records::organisations::list(&mut read).await?;
    let mut named = all.iter().filter(|each| each.name_zh == whose);
    Ok(named.any(|each| own.contains(&each.id.as_str())))
}

fn not_theirs(id: &str, owner: &str) -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        Problem::new(
            "forbidden",
            format!("{} belongs to {}", quote(id), quote(owner)),
            "organisation",
            "ask that department, or the command centre",
        ),
    )
}

/// Whether an entry says nothing but what the form or the board is for.
fn within(view: &View, update: &Update) -> Result<(), Problem> {
    let mut allowed: BTreeSet<&str> = BTreeSet::new();
    if let Some(form) = &view.form {
        allowed.extend(form.fields.iter().map(|field| field.attribute.as_str()));
    }
    if let Some(board) = view.board.as_ref().filter(|board| board.moves) {
        allowed.insert(&board.attribute);
    }
    let outside = |what: String, place: &str| {
        Err(Problem::new(
            "entry-outside",
            what,
            place,
            "enter what the form or board shows; programs send the rest through the doors",
        ))
    };
    let own = view.entity_type.as_deref().unwrap_or_default();
    if update.entity_type.as_str() != own {
        let kind = quote(update.entity_type.as_str());
        let what = format!("{} is of {own}, not of {kind}", view.id);
        return outside(what, "type");
    }
    let mut names = update.attributes.iter().map(|a| a.name.as_str());
    if let Some(name) = names.find(|name| !allowed.contains(name)) {
        return outside(format!("{} does not have {}", view.id, quote(name)), name);
    }
    let fields = view.form.iter().flat_map(|form| &form.fields);
    for field in fields.filter(|field| field.list) {
        let said = update.attributes.iter();
        let mut said = said.filter(|said| said.name.as_str() == field.attribute);
        if let Some(wrong) = said.find(|said| !is_list(&said.value)) {
            return Err(Problem::new(
                "entry-list",
                format!("{} is no list of texts", wrong.name),
                wrong.name.as_str(),
                format!("send a JSON list of 1 to {LIST_TEXTS_MAX} texts that are not empty"),
            ));
        }
    }
    Ok(())
}

/// Whether a value is a list of texts, or is taken away.
fn is_list(value: &Value) -> bool {
    let Value::Json(text) = value else {
        return *value == Value::Deleted;
    };
    serde_json::from_str::<Vec<String>>(text).is_ok_and(|texts| {
        (1..=LIST_TEXTS_MAX).contains(&texts.len())
            && texts.iter().all(|text| !text.trim().is_empty())
    })
}
