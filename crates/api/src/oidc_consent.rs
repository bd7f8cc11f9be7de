//! What a person is asked, and says, when another system wants to sign them in; what they gave, and taking it back. The
//! pages of `web/src/features/oidc` ask here with the session's cookie; every change needs the session's header against
//! forged requests, like every other of ours.
//!
//! Nothing of a request to sign in is kept between its beginning and the person's answer: the page carries the request's own
//! parameters, and they are understood anew, from the beginning, each time.

use crate::access::{Caller, Peer, SESSION_COOKIE, session_cookie};
use crate::app::App;
use crate::error::{Answer, ApiError};
use axum::Json;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use identity::Principal;
use model::problem::both;
use model::{Timestamp, Told};
use oidc::asked::{Asked, Unfit};
use oidc::form::Form;
use oidc::{Granted, Signed, secret};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Longest time from the request to the person's answer, seconds.
const ANSWER_S: i64 = 3_600;

/// What a person is asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignInQuestion)]
pub struct QuestionBody {
    /// What the system is called.
    pub client_name: String,
    /// Where the answer goes: scheme, host and port.
    pub client_host: String,
    /// What it wants: `openid`, `profile`, `organisation`, `role`, `offline_access`.
    pub scopes: Vec<String>,
    /// Whether the person must say yes; otherwise the answer can be given at once.
    pub needs_consent: bool,
    /// Whether the person must sign in anew first.
    pub needs_sign_in: bool,
    /// Where to go at once, when nothing is to be asked.
    pub redirect_to: Option<String>,
}

/// What a person says.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SignInAnswer {
    /// The parameters of the request, as the page was given them.
    pub query: String,
    /// Yes or no.
    pub approve: bool,
}

/// Where the browser goes next.
#[derive(Debug, Serialize, ToSchema)]
pub struct Onward {
    /// An address; `null` when there is none to go to.
    pub redirect_to: Option<String>,
}

/// The person who asks; a machine's token is nobody who could sign in elsewhere.
async fn signed(app: &App, caller: &Principal, headers: &HeaderMap) -> Answer<Signed> {
    let session = session_cookie(headers).filter(|_| caller.user_id().is_some());
    let (Some(user_id), Some(session)) = (caller.user_id(), session) else {
        let told = Told::new(
            "oidc-person",
            both(
                "只有登录的人才能登录其他系统",
                "only a person who is signed in can sign in to another system",
            ),
            "session",
            both("请在网页上登录", "sign in on the page"),
        );
        return Err(ApiError::told(StatusCode::BAD_REQUEST, told));
    };
    let auth_time = app
        .identity
        .session_opened_at(&session)
        .await?
        .ok_or_else(ApiError::signed_out)?;
    Ok(Signed {
        user_id,
        sid: secret::sid(&session),
        auth_time,
    })
}

fn form_of(query: &str) -> Answer<Form> {
    Form::parse(query.as_bytes()).map_err(|fault| {
        let told = oidc::asked::page(
            "oidc-request",
            "登录请求不完整，或者有一项给了两次",
            &format!(
                "the request to sign in does not read: {}",
                fault.description
            ),
        );
        ApiError::told(StatusCode::BAD_REQUEST, told)
    })
}

/// The request, and when it came.
async fn asked(app: &App, query: &str) -> Answer<Result<(Asked, Timestamp), String>> {
    app.oidc.issuer()?;
    let form = form_of(query)?;
    let asked = match app.oidc.provider.understand(&form).await? {
        Ok(asked) => asked,
        Err(Unfit::Page(told)) => return Err(ApiError::told(StatusCode::BAD_REQUEST, told)),
        Err(Unfit::Redirect(to)) => return Ok(Err(to)),
    };
    let now = app.now();
    let asked_at = form
        .get("asked_at")
        .and_then(|stamp| app.oidc.provider.stamped(stamp))
        .filter(|at| *at <= now && at.plus_seconds(ANSWER_S) > now);
    match asked_at {
        Some(at) => Ok(Ok((asked, at))),
        None => Err(ApiError::told(
            StatusCode::BAD_REQUEST,
            oidc::asked::page(
                "oidc-begin-again",
                "这个登录请求已经过期",
                "this request to sign in has expired",
            ),
        )),
    }
}

/// What the person is asked when another system wants to sign them in; the parameters are those of `/oauth2/authorize`.
#[utoipa::path(get, path = "/api/v1/oidc/authorization", tag = "oidc", security(("session" = [])),
    responses((status = 200, body = QuestionBody), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn question(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Answer<Json<QuestionBody>> {
    let body = match asked(&app, &query.unwrap_or_default()).await? {
        Err(to) => QuestionBody {
            client_name: String::new(),
            client_host: String::new(),
            scopes: Vec::new(),
            needs_consent: false,
            needs_sign_in: false,
            redirect_to: Some(to),
        },
        Ok((asked, asked_at)) => {
            let signed = signed(&app, &caller, &headers).await?;
            let provider = &app.oidc.provider;
            let question = provider.question(&asked, &signed, asked_at).await?;
            QuestionBody {
                redirect_to: silent_refusal(&app, &asked, &question),
                client_name: question.client_name,
                client_host: question.client_host,
                scopes: question.scopes,
                needs_consent: question.needs_consent,
                needs_sign_in: question.needs_sign_in,
            }
        }
    };
    Ok(Json(body))
}

/// Where a request goes that lets nobody be asked, when somebody would have to be.
fn silent_refusal(app: &App, asked: &Asked, question: &oidc::Question) -> Option<String> {
    if !question.is_silent {
        return None;
    }
    let error = match (question.needs_sign_in, question.needs_consent) {
        (true, _) => "login_required",
        (_, true) => "consent_required",
        _ => return None,
    };
    Some(app.oidc.provider.refusal(asked, error))
}

/// The person says yes or no; the answer tells where the browser goes.
#[utoipa::path(post, path = "/api/v1/oidc/authorization", tag = "oidc", security(("session" = [])), request_body = SignInAnswer,
    responses((status = 200, body = Onward), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn answer(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
    Json(said): Json<SignInAnswer>,
) -> Answer<Json<Onward>> {
    let redirect_to = match asked(&app, &said.query).await? {
        Err(to) => to,
        Ok((asked, _)) if !said.approve => app.oidc.provider.refusal(&asked, "access_denied"),
        Ok((asked, asked_at)) => {
            let signed = signed(&app, &caller, &headers).await?;
            let provider = &app.oidc.provider;
            let question = provider.question(&asked, &signed, asked_at).await?;
            match silent_refusal(&app, &asked, &question) {
                Some(to) => to,
                None => {
                    let actor = peer.actor(&caller);
                    provider
                        .approve(&asked, &signed, asked_at, &actor, app.now())
                        .await?
                }
            }
        }
    };
    Ok(Json(Onward {
        redirect_to: Some(redirect_to),
    }))
}

/// Where the browser goes when nobody is signed in and nobody may be asked, or whoever is asked turns back.
#[utoipa::path(get, path = "/api/v1/oidc/refusal", tag = "oidc", security(()),
    responses((status = 200, body = Onward), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn refusal(State(app): State<App>, RawQuery(query): RawQuery) -> Answer<Json<Onward>> {
    let redirect_to = match asked(&app, &query.unwrap_or_default()).await? {
        Err(to) => to,
        Ok((asked, _)) => {
            let error = if asked.is_silent {
                "login_required"
            } else {
                "access_denied"
            };
            app.oidc.provider.refusal(&asked, error)
        }
    };
    Ok(Json(Onward {
        redirect_to: Some(redirect_to),
    }))
}

/// What the person is asked about a device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeviceQuestion)]
pub struct DeviceBody {
    /// What the system is called.
    pub client_name: String,
    /// What it wants.
    pub scopes: Vec<String>,
}

/// Which device.
#[derive(Debug, Deserialize, IntoParams)]
pub struct DeviceQuery {
    /// The code that the device shows.
    pub user_code: String,
}

/// What the person says to a device.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DeviceAnswer {
    /// The code that the device shows.
    pub user_code: String,
    /// Yes or no.
    pub approve: bool,
}

/// What the person is asked who typed a device's code.
#[utoipa::path(get, path = "/api/v1/oidc/device", tag = "oidc", security(("session" = [])), params(DeviceQuery),
    responses((status = 200, body = DeviceBody), (status = 404, body = crate::error::ProblemBody), (status = 429, body = crate::error::ProblemBody)))]
pub async fn device(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: HeaderMap,
    Query(query): Query<DeviceQuery>,
) -> Answer<Json<DeviceBody>> {
    app.oidc.issuer()?;
    let signed = signed(&app, &caller, &headers).await?;
    let provider = &app.oidc.provider;
    let question = provider
        .device_question(&query.user_code, signed.user_id, app.now())
        .await?;
    Ok(Json(DeviceBody {
        client_name: question.client_name,
        scopes: question.scopes,
    }))
}

/// The person says yes or no to a device.
#[utoipa::path(post, path = "/api/v1/oidc/device", tag = "oidc", security(("session" = [])), request_body = DeviceAnswer,
    responses((status = 204), (status = 404, body = crate::error::ProblemBody), (status = 429, body = crate::error::ProblemBody)))]
pub async fn answer_device(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
    Json(said): Json<DeviceAnswer>,
) -> Answer<StatusCode> {
    app.oidc.issuer()?;
    let signed = signed(&app, &caller, &headers).await?;
    let actor = peer.actor(&caller);
    app.oidc
        .provider
        .answer_device(&said.user_code, said.approve, &signed, &actor, app.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the person is asked who is sent here to sign out.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogoutQuestion {
    /// Whose wish it is, when it says so.
    pub client_name: Option<String>,
    /// Where the person goes afterwards.
    pub redirect_to: Option<String>,
    /// Whether the system has shown that it means this very session: then nothing needs to be asked.
    pub is_this_session: bool,
}

/// Whose session is to end.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LogoutAnswer {
    /// The parameters of the request, as the page was given them.
    pub query: String,
}

async fn logout_asked(app: &App, query: &str) -> Answer<oidc::LogoutAsked> {
    app.oidc.issuer()?;
    let form = form_of(query)?;
    let asked = app.oidc.provider.understand_logout(&form).await?;
    asked.map_err(|told| ApiError::told(StatusCode::BAD_REQUEST, told))
}

/// What the person is asked who is sent here to sign out; the parameters are those of `/oauth2/logout`.
#[utoipa::path(get, path = "/api/v1/oidc/logout", tag = "oidc", security(()),
    responses((status = 200, body = LogoutQuestion), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn logout_question(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Answer<Json<LogoutQuestion>> {
    let asked = logout_asked(&app, &query.unwrap_or_default()).await?;
    let own = session_cookie(&headers).map(|session| secret::sid(&session));
    Ok(Json(LogoutQuestion {
        client_name: asked.client_name,
        redirect_to: asked.redirect_to,
        is_this_session: asked.sid.is_some() && asked.sid == own,
    }))
}

/// Ends the person's session here and tells the systems where it was used.
#[utoipa::path(post, path = "/api/v1/oidc/logout", tag = "oidc", security(("session" = [])), request_body = LogoutAnswer,
    responses((status = 200, body = Onward), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn logout(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
    Json(said): Json<LogoutAnswer>,
) -> Answer<Response> {
    let asked = logout_asked(&app, &said.query).await?;
    if let Some(session) = session_cookie(&headers) {
        session_ends(&app, &session).await?;
        app.identity
            .sign_out(&session, &peer.actor(&caller), app.now())
            .await?;
    }
    let body = Json(Onward {
        redirect_to: asked.redirect_to,
    });
    let jar = CookieJar::new().add(crate::session::ended(SESSION_COOKIE, "/"));
    Ok((jar, body).into_response())
}

/// Before a session ends: writes down which systems are to be told.
pub(crate) async fn session_ends(app: &App, session: &str) -> Answer<()> {
    let provider = &app.oidc.provider;
    provider
        .session_ends(&secret::sid(session), app.now())
        .await?;
    app.oidc.wake.notify_one();
    Ok(())
}

/// The same for sessions that have ended already, by their names.
pub(crate) async fn sessions_ended(app: &App, names: &[String]) -> Answer<()> {
    for name in names {
        app.oidc.provider.session_ends(name, app.now()).await?;
    }
    app.oidc.wake.notify_one();
    Ok(())
}

/// What a person gave a system.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OidcGrant)]
pub struct GrantBody {
    /// The system.
    pub client_id: String,
    /// What it is called.
    pub client_name: String,
    /// What it may know or do.
    pub scopes: Vec<String>,
    /// Since when.
    pub since: String,
    /// Sign-ins there that have not ended.
    pub sign_ins: usize,
}

/// What a person gave to systems.
#[derive(Debug, Serialize, ToSchema)]
pub struct OidcGrants {
    /// By the system's id.
    pub items: Vec<GrantBody>,
}

impl From<Vec<Granted>> for OidcGrants {
    fn from(granted: Vec<Granted>) -> Self {
        let items = granted.into_iter().map(|g| GrantBody {
            client_id: g.client_id,
            client_name: g.client_name,
            scopes: g.scopes,
            since: g.since.to_string(),
            sign_ins: g.sign_ins,
        });
        Self {
            items: items.collect(),
        }
    }
}

/// What the caller gave to other systems; nothing for a machine.
#[utoipa::path(get, path = "/api/v1/oidc/grants", tag = "oidc", security(("session" = [])), responses((status = 200, body = OidcGrants)))]
pub async fn own_grants(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Answer<Json<OidcGrants>> {
    let granted = match caller.user_id() {
        Some(id) => app.oidc.provider.granted(id, app.now()).await?,
        None => Vec::new(),
    };
    Ok(Json(granted.into()))
}

/// Takes back what the caller gave a system.
#[utoipa::path(delete, path = "/api/v1/oidc/grants/{client_id}", tag = "oidc", security(("session" = [])), params(("client_id" = String, Path)),
    responses((status = 204), (status = 404, body = crate::error::ProblemBody)))]
pub async fn end_own_grant(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(client_id): Path<String>,
) -> Answer<StatusCode> {
    let Some(id) = caller.user_id() else {
        return Err(ApiError::not_found("grant", &client_id));
    };
    let actor = peer.actor(&caller);
    app.oidc
        .provider
        .end_granted(id, &client_id, &actor, app.now())
        .await?;
    app.oidc.wake.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

/// What a person gave to other systems.
#[utoipa::path(get, path = "/api/v1/oidc/people/{username}/grants", tag = "oidc", security(("session" = ["user.manage"])), params(("username" = String, Path)),
    responses((status = 200, body = OidcGrants), (status = 404, body = crate::error::ProblemBody)))]
pub async fn grants(
    State(app): State<App>,
    Path(username): Path<String>,
) -> Answer<Json<OidcGrants>> {
    let user = app.identity.user_by_username(&username).await?;
    Ok(Json(
        app.oidc.provider.granted(user.id, app.now()).await?.into(),
    ))
}

/// Takes back what a person gave a system.
#[utoipa::path(delete, path = "/api/v1/oidc/people/{username}/grants/{client_id}", tag = "oidc", security(("session" = ["user.manage"])),
    params(("username" = String, Path), ("client_id" = String, Path)),
    responses((status = 204), (status = 404, body = crate::error::ProblemBody)))]
pub async fn end_grant(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path((username, client_id)): Path<(String, String)>,
) -> Answer<StatusCode> {
    let user = app.identity.user_by_username(&username).await?;
    let actor = peer.actor(&caller);
    app.oidc
        .provider
        .end_granted(user.id, &client_id, &actor, app.now())
        .await?;
    app.oidc.wake.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_session_has_one_name_here_and_at_the_other_systems() {
        for session in ["", "7m2kqx4d9p", "竟陵"] {
            assert_eq!(
                identity::secret::session_name(session),
                oidc::secret::sid(session)
            );
        }
    }
}
