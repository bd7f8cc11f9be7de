//! The systems that people sign in to with their account here: registering, changing, removing, new secrets, new keys.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::approvals::{self, Done, Order, Why};
use crate::error::{Answer, ApiError};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use identity::{Asked, DangerousAct};
use model::Problem;
use oidc::{Client, ClientChange, ClientDraft, Grant, NewClientSecret};
use records::Actor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A system that people sign in to (接入系统).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OidcClient)]
pub struct ClientBody {
    /// The name that it gives in the protocol.
    pub client_id: String,
    /// What people call it.
    pub name: String,
    /// Whether it cannot keep a secret (a page, an app).
    pub is_public: bool,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<String>,
    /// Where they may be sent after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it is told that a session ended.
    pub backchannel_logout_uri: Option<String>,
    /// The grants it may use.
    pub grants: Vec<String>,
    /// The scopes it may ask for.
    pub scopes: Vec<String>,
    /// Whether people are asked before it gets anything.
    pub asks_consent: bool,
    /// Whether it is shut out for now.
    pub disabled: bool,
    /// When it was registered.
    pub created_at: String,
    /// By whom.
    pub created_by: String,
    /// When its secret was last set.
    pub secret_set_at: Option<String>,
}

impl From<Client> for ClientBody {
    fn from(c: Client) -> Self {
        Self {
            client_id: c.row.client_id,
            name: c.row.name,
            is_public: c.row.is_public,
            redirect_uris: c.redirect_uris,
            post_logout_redirect_uris: c.post_logout_redirect_uris,
            backchannel_logout_uri: c.row.backchannel_logout_uri,
            grants: c.grants.iter().map(|g| g.as_str().to_owned()).collect(),
            scopes: c.scopes,
            asks_consent: c.row.asks_consent,
            disabled: c.row.disabled,
            created_at: c.row.created_at.to_string(),
            created_by: c.row.created_by,
            secret_set_at: c.row.secret_set_at.map(|t| t.to_string()),
        }
    }
}

/// The systems.
#[derive(Debug, Serialize, ToSchema)]
pub struct OidcClients {
    /// By age.
    pub items: Vec<ClientBody>,
}

/// A system with a secret that was made just now.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewOidcClient {
    /// The system.
    pub client: ClientBody,
    /// Its secret, shown this once; none for a public one.
    pub client_secret: Option<String>,
}

impl From<NewClientSecret> for NewOidcClient {
    fn from(made: NewClientSecret) -> Self {
        Self {
            client: made.client.into(),
            client_secret: made.secret,
        }
    }
}

/// A system to register.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OidcClientDraft)]
pub struct DraftBody {
    /// What people call it.
    pub name: String,
    /// Whether it cannot keep a secret (a page, an app).
    #[serde(default)]
    pub is_public: bool,
    /// Where people may be sent back to, each as it will be given, character by character.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where they may be sent after signing out.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it is told that a session ended.
    pub backchannel_logout_uri: Option<String>,
    /// `authorization_code` (when none is named), `refresh_token`, `client_credentials`, `device_code`.
    #[serde(default)]
    pub grants: Vec<String>,
    /// `openid` and `profile` (when none is named), `organisation`, `role`, `offline_access`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether people are asked before it gets anything: yes unless it says no.
    #[serde(default = "yes")]
    pub asks_consent: bool,
}

const fn yes() -> bool {
    true
}

impl From<DraftBody> for ClientDraft {
    fn from(d: DraftBody) -> Self {
        Self {
            name: d.name,
            is_public: d.is_public,
            redirect_uris: d.redirect_uris,
            post_logout_redirect_uris: d.post_logout_redirect_uris,
            backchannel_logout_uri: d.backchannel_logout_uri,
            grants: d.grants,
            scopes: d.scopes,
            asks_consent: d.asks_consent,
        }
    }
}

/// What to change of a system; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OidcClientChange)]
pub struct ChangeBody {
    /// What people call it.
    pub name: Option<String>,
    /// Where people may be sent back to.
    pub redirect_uris: Option<Vec<String>>,
    /// Where they may be sent after signing out.
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// Where it is told that a session ended; an empty text takes it away.
    pub backchannel_logout_uri: Option<String>,
    /// The grants it may use.
    pub grants: Option<Vec<String>>,
    /// The scopes it may ask for.
    pub scopes: Option<Vec<String>>,
    /// Whether people are asked before it gets anything.
    pub asks_consent: Option<bool>,
    /// Whether it is shut out for now.
    pub disabled: Option<bool>,
}

/// The systems that people sign in to, by age.
#[utoipa::path(get, path = "/api/v1/oidc/clients", tag = "oidc", security(("session" = ["user.manage"])), responses((status = 200, body = OidcClients)))]
pub async fn list(State(app): State<App>) -> Answer<Json<OidcClients>> {
    let clients = app.oidc.provider.clients().await?;
    Ok(Json(OidcClients {
        items: clients.into_iter().map(Into::into).collect(),
    }))
}

/// Registers a system; its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/oidc/clients", tag = "oidc", security(("session" = ["user.manage"])), request_body = DraftBody,
    responses((status = 201, body = NewOidcClient), (status = 400, body = crate::error::ProblemBody)))]
pub async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(draft): Json<DraftBody>,
) -> Answer<Response> {
    let actor = peer.actor(&caller);
    let made = app
        .oidc
        .provider
        .add_client(&draft.into(), &actor, app.now())
        .await?;
    Ok((StatusCode::CREATED, Json(NewOidcClient::from(made))).into_response())
}

/// Changes a system.
#[utoipa::path(patch, path = "/api/v1/oidc/clients/{client_id}", tag = "oidc", security(("session" = ["user.manage"])), params(("client_id" = String, Path)),
    request_body = ChangeBody, responses((status = 200, body = ClientBody), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn change(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(client_id): Path<String>,
    Json(change): Json<ChangeBody>,
) -> Answer<Json<ClientBody>> {
    for grant in change.grants.iter().flatten() {
        Grant::parse(grant).map_err(ApiError::invalid)?;
    }
    let change = ClientChange {
        name: change.name,
        redirect_uris: change.redirect_uris,
        post_logout_redirect_uris: change.post_logout_redirect_uris,
        backchannel_logout_uri: change
            .backchannel_logout_uri
            .map(|uri| Some(uri).filter(|u| !u.is_empty())),
        grants: change.grants,
        scopes: change.scopes,
        asks_consent: change.asks_consent,
        disabled: change.disabled,
    };
    let actor = peer.actor(&caller);
    let client = app
        .oidc
        .provider
        .change_client(&client_id, &change, &actor, app.now())
        .await?;
    Ok(Json(client.into()))
}

/// Takes a system away with everything that it was given.
#[utoipa::path(delete, path = "/api/v1/oidc/clients/{client_id}", tag = "oidc", security(("session" = ["user.manage"])), params(("client_id" = String, Path)),
    responses((status = 204), (status = 404, body = crate::error::ProblemBody)))]
pub async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(client_id): Path<String>,
) -> Answer<StatusCode> {
    let actor = peer.actor(&caller);
    app.oidc
        .provider
        .remove_client(&client_id, &actor, app.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a new secret; the old one is wrong from now on.
#[utoipa::path(post, path = "/api/v1/oidc/clients/{client_id}/secret", tag = "oidc", security(("session" = ["user.manage"])), params(("client_id" = String, Path)),
    responses((status = 200, body = NewOidcClient), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn rotate_secret(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(client_id): Path<String>,
) -> Answer<Json<NewOidcClient>> {
    let actor = peer.actor(&caller);
    let made = app
        .oidc
        .provider
        .rotate_secret(&client_id, &actor, app.now())
        .await?;
    Ok(Json(made.into()))
}

/// The names of the keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct OidcKeys {
    /// The one that signs from now on first, then those that are still published.
    pub kids: Vec<String>,
}

/// Makes a new key that signs from now on; the old one stays published until what it signed has ended.
#[utoipa::path(post, path = "/api/v1/oidc/keys", tag = "oidc", security(("session" = ["key.manage"])),
    responses((status = 200, body = OidcKeys), (status = 404, body = crate::error::ProblemBody)))]
pub async fn rotate_keys(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
) -> Answer<Json<OidcKeys>> {
    app.oidc.issuer()?;
    Ok(Json(renew_keys(&app, false, &peer.actor(&caller)).await?))
}

/// Ends every key at once and makes a new one: what the old ones signed is refused from then on, so that people sign in
/// at other systems anew. For a key that others may have. A second person must agree: 202.
#[utoipa::path(delete, path = "/api/v1/oidc/keys", tag = "oidc", security(("session" = ["key.manage"])), params(Why),
    responses((status = 200, body = OidcKeys), (status = 202, body = approvals::ApprovalAsked), (status = 404, body = crate::error::ProblemBody)))]
pub async fn end_keys(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Query(why): Query<Why>,
) -> Answer<Response> {
    app.oidc.issuer()?;
    let kids = app.oidc.provider.kids()?;
    let asked = Asked {
        act: DangerousAct::OidcKeysEnd,
        target: "keys",
        body: &serde_json::json!({ "kids": kids }),
        reason: why.text(),
    };
    approvals::go(&app, &caller, peer, &asked).await
}

/// Ends the keys that were there when it was asked for; others are not touched.
pub(crate) async fn end_keys_now(app: &App, order: Order<'_>) -> Answer<Done> {
    let kids = app.oidc.provider.kids()?;
    if order.body["kids"] != serde_json::json!(kids) {
        let problem = Problem::new(
            "approval-stale",
            "the keys are not those that were there when it was asked for",
            "keys",
            "ask again",
        );
        return Err(ApiError::new(StatusCode::CONFLICT, problem));
    }
    let keys = renew_keys(app, true, order.actor).await?;
    Ok(Done {
        answer: Some(serde_json::json!(keys)),
        ..Done::plain(format!("{} ended", kids.len()))
    })
}

async fn renew_keys(app: &App, ends_others: bool, actor: &Actor) -> Answer<OidcKeys> {
    let (provider, now) = (app.oidc.provider.clone(), app.now());
    let work = move || {
        let random = &mut rand::rng();
        if ends_others {
            provider.end_keys(random, now)
        } else {
            provider.rotate_keys(random, now)
        }
    };
    let kids = tokio::task::spawn_blocking(work)
        .await
        .map_err(ApiError::internal)??;
    let mut write = app.records.write().await?;
    let mut detail = serde_json::json!({"kid": kids.first()});
    if ends_others {
        detail["ended_others"] = true.into();
    }
    let act = records::Event::OidcKeys;
    records::audit::insert(&mut write, now, actor, act, "keys", &detail).await?;
    write.commit().await?;
    Ok(OidcKeys { kids })
}
