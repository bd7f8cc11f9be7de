//! Organisations (单位), posts (岗位) and who holds them.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use identity::{NewOrganisation, NewPost, OrganisationChange, PostChange};
use model::{Problem, Timestamp};
use records::organisations::Organisation;
use records::posts::{Holder, Post};
use records::{organisations, posts, users};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An organisation with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganisationUnit {
    /// Its id.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// `department`, `town`, `operator` or `enterprise`.
    pub kind: String,
    /// The organisation above it.
    pub parent: Option<String>,
    /// Unified social credit code.
    pub credit_code: Option<String>,
    /// Code of the division that it answers for.
    pub division: Option<String>,
    /// Whether it takes no more work.
    pub disabled: bool,
    /// Whether its names and its kind are the city profile's.
    pub of_profile: bool,
    /// People whose main organisation it is and whose sign-in is open.
    pub people: i64,
}

impl OrganisationUnit {
    fn new(row: Organisation, people: i64) -> Self {
        Self {
            id: row.id,
            name_zh: row.name_zh,
            name_en: row.name_en,
            kind: row.kind,
            parent: row.parent,
            credit_code: row.credit_code,
            division: row.division,
            disabled: row.disabled,
            of_profile: row.of_profile,
            people,
        }
    }
}

/// Somebody who holds a post, now or later.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostHolder {
    /// Names this holding, to end it.
    pub id: i64,
    /// The user's id.
    pub user_id: i64,
    /// The person's name.
    pub name: String,
    /// From when.
    pub from: String,
    /// Until when; null for as long as nobody ends it.
    pub until: Option<String>,
}

/// A post.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Post)]
pub struct PostBody {
    /// Its id.
    pub id: String,
    /// The organisation's id.
    pub organisation: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// What whoever holds it has to do.
    pub duty: String,
    /// The role that it gives.
    pub role: String,
    /// Code of the division that it answers for.
    pub division: Option<String>,
    /// Whether it gives nothing any more.
    pub disabled: bool,
    /// Who holds it.
    pub holders: Vec<PostHolder>,
}

impl PostBody {
    fn new(row: Post, holders: Vec<PostHolder>) -> Self {
        Self {
            id: row.id,
            organisation: row.organisation_id,
            title_zh: row.title_zh,
            title_en: row.title_en,
            duty: row.duty,
            role: row.role,
            division: row.division,
            disabled: row.disabled,
            holders,
        }
    }
}

/// The city's organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganisationTree {
    /// Every organisation, by id; `parent` makes a tree of them.
    pub organisations: Vec<OrganisationUnit>,
    /// Every post, by organisation and title.
    pub posts: Vec<PostBody>,
}

/// Every organisation, its posts, and who holds them.
#[utoipa::path(get, path = "/api/v1/organisation", tag = "organisation", security(("session" = ["organisation.read"])),
    responses((status = 200, body = OrganisationTree)))]
pub async fn tree(State(app): State<App>) -> Answer<Json<OrganisationTree>> {
    let mut connection = app.records.read().await?;
    let units = organisations::list(&mut connection).await?;
    let counts: BTreeMap<String, i64> = users::count_by_organisation(&mut connection)
        .await?
        .into_iter()
        .collect();
    let names: BTreeMap<i64, String> = users::names_of_holders(&mut connection)
        .await?
        .into_iter()
        .collect();
    let list = posts::list(&mut connection).await?;
    let holders = posts::holders(&mut connection, None, app.now()).await?;
    drop(connection);
    let mut by_post: BTreeMap<String, Vec<PostHolder>> = BTreeMap::new();
    for holder in holders {
        let name = names.get(&holder.user_id).cloned().unwrap_or_default();
        let of = by_post.entry(holder.post_id.clone()).or_default();
        of.push(as_holder(&holder, name));
    }
    Ok(Json(OrganisationTree {
        organisations: units
            .into_iter()
            .map(|row| {
                let people = counts.get(&row.id).copied().unwrap_or_default();
                OrganisationUnit::new(row, people)
            })
            .collect(),
        posts: list
            .into_iter()
            .map(|row| {
                let holders = by_post.remove(&row.id).unwrap_or_default();
                PostBody::new(row, holders)
            })
            .collect(),
    }))
}

fn as_holder(row: &Holder, name: String) -> PostHolder {
    PostHolder {
        id: row.id,
        user_id: row.user_id,
        name,
        from: row.from_at.to_string(),
        until: row.until_at.map(|at| at.to_string()),
    }
}

/// An organisation to add.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OrganisationDraft {
    /// Its id: lower-case letters, digits and `-`.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English; the Chinese one when left out.
    #[serde(default)]
    pub name_en: String,
    /// `department`, `town`, `operator` or `enterprise`.
    pub kind: String,
    /// The organisation above it.
    pub parent: Option<String>,
    /// Unified social credit code.
    pub credit_code: Option<String>,
    /// Code of the division that it answers for.
    pub division: Option<String>,
}

/// Adds an organisation.
#[utoipa::path(post, path = "/api/v1/organisation/organisations", tag = "organisation", security(("session" = ["user.manage"])),
    request_body = OrganisationDraft,
    responses((status = 201, body = OrganisationUnit), (status = 400, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(draft): Json<OrganisationDraft>,
) -> Answer<(StatusCode, Json<OrganisationUnit>)> {
    let new = NewOrganisation {
        id: draft.id,
        name_zh: draft.name_zh,
        name_en: draft.name_en,
        kind: draft.kind,
        parent: draft.parent,
        credit_code: draft.credit_code,
        division: draft.division,
    };
    let actor = peer.actor(&caller);
    let row = app
        .identity
        .add_organisation(&new, &actor, app.now())
        .await?;
    Ok((StatusCode::CREATED, Json(OrganisationUnit::new(row, 0))))
}

/// What to change of an organisation; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OrganisationChange)]
pub struct OrganisationChangeBody {
    /// Name in Chinese.
    pub name_zh: Option<String>,
    /// Name in English.
    pub name_en: Option<String>,
    /// `department`, `town`, `operator` or `enterprise`.
    pub kind: Option<String>,
    /// The organisation above it; an empty text takes it away.
    pub parent: Option<String>,
    /// Unified social credit code; an empty text takes it away.
    pub credit_code: Option<String>,
    /// Code of the division; an empty text takes it away.
    pub division: Option<String>,
    /// Whether it takes no more work.
    pub disabled: Option<bool>,
}

/// An empty text takes away what is there.
pub(crate) fn or_none(text: Option<String>) -> Option<Option<String>> {
    text.map(|text| (!text.trim().is_empty()).then_some(text))
}

/// Changes an organisation. The names and the kind of one of the city profile are the profile's.
#[utoipa::path(patch, path = "/api/v1/organisation/organisations/{id}", tag = "organisation", security(("session" = ["user.manage"])),
    params(("id" = String, Path)), request_body = OrganisationChangeBody,
    responses((status = 200, body = OrganisationUnit), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn change(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<String>,
    Json(body): Json<OrganisationChangeBody>,
) -> Answer<Json<OrganisationUnit>> {
    let change = OrganisationChange {
        name_zh: body.name_zh,
        name_en: body.name_en,
        kind: body.kind,
        parent: or_none(body.parent),
        credit_code: or_none(body.credit_code),
        division: or_none(body.division),
        disabled: body.disabled,
    };
    let actor = peer.actor(&caller);
    let row = app
        .identity
        .change_organisation(&id, &change, &actor, app.now())
        .await?;
    let counts = users::count_by_organisation(&mut *app.records.read().await?).await?;
    let people = counts
        .iter()
        .find(|(of, _)| *of == id)
        .map_or(0, |(_, n)| *n);
    Ok(Json(OrganisationUnit::new(row, people)))
}

/// A post to make.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PostDraft {
    /// Its id; one is made when left out.
    #[serde(default)]
    pub id: String,
    /// The organisation's id.
    pub organisation: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English; the Chinese one when left out.
    #[serde(default)]
    pub title_en: String,
    /// What whoever holds it has to do.
    #[serde(default)]
    pub duty: String,
    /// The role that it gives; never an administrator's.
    pub role: String,
    /// Code of the division that it answers for.
    pub division: Option<String>,
}

/// Makes a post.
#[utoipa::path(post, path = "/api/v1/organisation/posts", tag = "organisation", security(("session" = ["role.grant"])),
    request_body = PostDraft,
    responses((status = 201, body = PostBody), (status = 400, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn add_post(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(draft): Json<PostDraft>,
) -> Answer<(StatusCode, Json<PostBody>)> {
    let new = NewPost {
        id: draft.id,
        organisation_id: draft.organisation,
        title_zh: draft.title_zh,
        title_en: draft.title_en,
        duty: draft.duty,
        role: draft.role,
        division: draft.division,
    };
    let actor = peer.actor(&caller);
    let row = app.identity.add_post(&new, &actor, app.now()).await?;
    Ok((StatusCode::CREATED, Json(PostBody::new(row, Vec::new()))))
}

/// What to change of a post; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PostChange)]
pub struct PostChangeBody {
    /// Title in Chinese.
    pub title_zh: Option<String>,
    /// Title in English.
    pub title_en: Option<String>,
    /// What whoever holds it has to do.
    pub duty: Option<String>,
    /// The role that it gives.
    pub role: Option<String>,
    /// Code of the division; an empty text takes it away.
    pub division: Option<String>,
    /// Whether it gives nothing any more.
    pub disabled: Option<bool>,
}

/// Changes a post; its organisation stays.
#[utoipa::path(patch, path = "/api/v1/organisation/posts/{id}", tag = "organisation", security(("session" = ["role.grant"])),
    params(("id" = String, Path)), request_body = PostChangeBody,
    responses((status = 200, body = PostBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn change_post(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<String>,
    Json(body): Json<PostChangeBody>,
) -> Answer<Json<PostBody>> {
    let change = PostChange {
        title_zh: body.title_zh,
        title_en: body.title_en,
        duty: body.duty,
        role: body.role,
        division: or_none(body.division),
        disabled: body.disabled,
    };
    let actor = peer.actor(&caller);
    let now = app.now();
    let row = app.identity.change_post(&id, &change, &actor, now).await?;
    let mut connection = app.records.read().await?;
    let names: BTreeMap<i64, String> = users::names_of_holders(&mut connection)
        .await?
        .into_iter()
        .collect();
    let holders = posts::holders(&mut connection, None, now).await?;
    let holders = holders.iter().filter(|h| h.post_id == id).map(|h| {
        let name = names.get(&h.user_id).cloned().unwrap_or_default();
        as_holder(h, name)
    });
    Ok(Json(PostBody::new(row, holders.collect())))
}

/// Who is to hold a post.
#[derive(Debug, Deserialize, ToSchema)]
pub struct HolderDraft {
    /// The user's id.
    pub user_id: i64,
    /// From when, RFC 3339; now when left out.
    pub from: Option<String>,
    /// Until when, RFC 3339; for as long as nobody ends it when left out.
    pub until: Option<String>,
}

fn time(text: Option<&String>, place: &str) -> Answer<Option<Timestamp>> {
    let read = |text: &String| {
        Timestamp::parse(text).map_err(|problem| {
            let place = place.to_owned();
            ApiError::invalid(Problem { place, ..problem })
        })
    };
    text.filter(|t| !t.trim().is_empty()).map(read).transpose()
}

/// Gives a post to a person. Several may hold one post, and one may hold several.
#[utoipa::path(post, path = "/api/v1/organisation/posts/{id}/holders", tag = "organisation", security(("session" = ["role.grant"])),
    params(("id" = String, Path)), request_body = HolderDraft,
    responses((status = 201, body = PostHolder), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn give_post(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<String>,
    Json(draft): Json<HolderDraft>,
) -> Answer<(StatusCode, Json<PostHolder>)> {
    let times = (
        time(draft.from.as_ref(), "from")?,
        time(draft.until.as_ref(), "until")?,
    );
    let actor = peer.actor(&caller);
    let row = app
        .identity
        .give_post(&id, draft.user_id, times, &actor, app.now())
        .await?;
    let user = users::get(&mut *app.records.read().await?, row.user_id).await?;
    let name = user.map(|u| u.name).unwrap_or_default();
    Ok((StatusCode::CREATED, Json(as_holder(&row, name))))
}

/// Takes a post back from who holds it.
#[utoipa::path(delete, path = "/api/v1/organisation/holders/{id}", tag = "organisation", security(("session" = ["role.grant"])),
    params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn end_post(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    let actor = peer.actor(&caller);
    app.identity.end_post(id, &actor, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
