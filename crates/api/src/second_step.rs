//! The second step of signing in, and signing in with a passkey. Nobody is signed in here yet, so every operation is open to
//! anyone; what lets a caller go on is the cookie of the step before, which is good for minutes and for one use.

use crate::access::Peer;
use crate::account::{PasskeyDraft, PasskeyQuestion, RecoveryCodes, TotpBody, registration_of};
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::headers::IsHttps;
use crate::session::{
    BROWSER_COOKIE, HALF_COOKIE, SessionBody, from_own_page, let_in, of_sign_in, steps_over,
};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use identity::secret;
use identity::webauthn::{Assertion, AssertionResponse};
use records::users::User;
use records::{Actor, ActorKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How people can sign in here.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignInMethods {
    /// The address under which passkeys work, `null` when under none. A page that was reached under another offers none.
    pub passkey_origin: Option<String>,
    /// Outside providers that people can sign in with; empty where there are none.
    pub providers: Vec<crate::outside::OutsideProviderBody>,
}

/// How people can sign in here.
#[utoipa::path(get, path = "/api/v1/session/methods", tag = "session", security(()), responses((status = 200, body = SignInMethods)))]
pub async fn methods(State(app): State<App>) -> Json<SignInMethods> {
    Json(SignInMethods {
        passkey_origin: app.identity.origin().map(|o| o.as_str().to_owned()),
        providers: crate::outside::offered(&app),
    })
}

/// What the person shows.
#[derive(Deserialize, ToSchema)]
pub struct SecondCode {
    /// The six digits that the app shows, or a recovery code.
    pub code: String,
}

pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    CookieJar::from_headers(headers)
        .get(name)
        .map(|c| c.value().to_owned())
}

/// The half sign-in of the caller.
pub(crate) fn half(headers: &HeaderMap) -> Answer<String> {
    cookie(headers, HALF_COOKIE).ok_or_else(begin_again)
}

fn begin_again() -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        model::Problem::new(
            "sign-in-begin-again",
            "no sign-in has begun in this browser",
            "session",
            "begin with the password, or with a passkey",
        ),
    )
}

/// Finishes a sign-in with a time-based code or a recovery code.
#[utoipa::path(post, path = "/api/v1/session/second", tag = "session", security(()), request_body = SecondCode,
    responses((status = 200, body = SessionBody), (status = 400, body = crate::error::ProblemBody), (status = 401, body = crate::error::ProblemBody), (status = 429, body = crate::error::ProblemBody)))]
pub async fn code(
    State(app): State<App>,
    is_https: IsHttps,
    peer: Peer,
    headers: HeaderMap,
    Json(said): Json<SecondCode>,
) -> Answer<Response> {
    from_own_page(&headers)?;
    let half = half(&headers)?;
    let signed = app
        .identity
        .second_code(&half, &said.code, &peer.0.to_string(), app.now())
        .await?;
    let (jar, body) = let_in(&app, is_https, signed);
    Ok((steps_over(jar), body).into_response())
}

/// What the browser is to ask its authenticator, for a sign-in: with any passkey of this city, or with one of the person whose
/// password was right.
#[utoipa::path(post, path = "/api/v1/session/passkey/question", tag = "session", security(()),
    responses((status = 200, body = PasskeyQuestion), (status = 400, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn passkey_question(
    State(app): State<App>,
    is_https: IsHttps,
    peer: Peer,
    headers: HeaderMap,
) -> Answer<Response> {
    from_own_page(&headers)?;
    let half = cookie(&headers, HALF_COOKIE).filter(|half| !half.is_empty());
    let browser = secret::generate_secret();
    let peer = peer.0.to_string();
    let asked = |half: Option<&str>| {
        let (app, browser, peer, half) = (&app, &browser, &peer, half.map(str::to_owned));
        async move {
            app.identity
                .passkey_question(half.as_deref(), browser, peer, app.now())
                .await
        }
    };
    let mut options = asked(half.as_deref()).await;
    // The cookie of a sign-in that has ended is no reason not to begin another.
    let is_over =
        matches!(&options, Err(records::Failure::Invalid(p)) if p.code == "sign-in-begin-again");
    if is_over && half.is_some() {
        options = asked(None).await;
    }
    let jar = CookieJar::new().add(of_sign_in(&app, is_https, BROWSER_COOKIE, browser));
    let options = options?;
    Ok((jar, Json(PasskeyQuestion { options })).into_response())
}

/// What an authenticator answered.
#[derive(Deserialize, ToSchema)]
pub struct PasskeyAnswer {
    /// The credential's id, base64url.
    pub id: String,
    /// `response.clientDataJSON`, base64url.
    pub client_data_json: String,
    /// `response.authenticatorData`, base64url.
    pub authenticator_data: String,
    /// `response.signature`, base64url.
    pub signature: String,
    /// `response.userHandle`, base64url.
    pub user_handle: Option<String>,
}

impl From<PasskeyAnswer> for Assertion {
    fn from(answer: PasskeyAnswer) -> Self {
        Self {
            id: answer.id,
            response: AssertionResponse {
                client_data_json: answer.client_data_json,
                authenticator_data: answer.authenticator_data,
                signature: answer.signature,
                user_handle: answer.user_handle,
            },
        }
    }
}

/// Signs in with a passkey: alone, or as the second step.
#[utoipa::path(post, path = "/api/v1/session/passkey", tag = "session", security(()), request_body = PasskeyAnswer,
    responses((status = 200, body = SessionBody), (status = 400, body = crate::error::ProblemBody), (status = 401, body = crate::error::ProblemBody), (status = 429, body = crate::error::ProblemBody)))]
pub async fn passkey(
    State(app): State<App>,
    is_https: IsHttps,
    peer: Peer,
    headers: HeaderMap,
    Json(answer): Json<PasskeyAnswer>,
) -> Answer<Response> {
    from_own_page(&headers)?;
    let browser = cookie(&headers, BROWSER_COOKIE).ok_or_else(begin_again)?;
    let half = cookie(&headers, HALF_COOKIE);
    let signed = app
        .identity
        .passkey_sign_in(
            half.as_deref(),
            &browser,
            &answer.into(),
            &peer.0.to_string(),
            app.now(),
        )
        .await?;
    let (jar, body) = let_in(&app, is_https, signed);
    Ok((steps_over(jar), body).into_response())
}

/// Who sets a second factor up because the role asks for one, before anything else.
async fn enrolling(app: &App, headers: &HeaderMap, peer: Peer) -> Answer<(String, User, Actor)> {
    from_own_page(headers)?;
    let half = half(headers)?;
    let user = app.identity.half_to_enrol(&half, app.now()).await?;
    let actor = Actor {
        kind: ActorKind::User(user.id),
        name: user.name.clone(),
        peer: peer.0.to_string(),
    };
    Ok((half, user, actor))
}

/// A second factor is set up, and the person is in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Enrolled {
    /// The caller.
    pub user: crate::session::UserBody,
    /// Recovery codes, shown once.
    pub recovery_codes: Vec<String>,
}

async fn enrolled(
    app: &App,
    (half, by, peer, is_https): (&str, &str, Peer, IsHttps),
    recovery_codes: Vec<String>,
) -> Answer<Response> {
    let signed = app
        .identity
        .enrolled(half, by, &peer.0.to_string(), app.now())
        .await?;
    let (jar, Json(body)) = let_in(app, is_https, signed);
    let body = Enrolled {
        user: body.user,
        recovery_codes,
    };
    Ok((steps_over(jar), Json(body)).into_response())
}

/// Shows a new secret for time-based codes to who must set a second factor up at sign-in.
#[utoipa::path(post, path = "/api/v1/session/enrol/totp", tag = "session", security(()),
    responses((status = 200, body = TotpBody), (status = 400, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn enrol_totp(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
) -> Answer<Json<TotpBody>> {
    let (_, user, actor) = enrolling(&app, &headers, peer).await?;
    let shown = app
        .identity
        .begin_totp(&user, &actor.peer, app.now())
        .await?;
    Ok(Json(shown.into()))
}

/// Puts the codes to use, and lets the person in.
#[utoipa::path(post, path = "/api/v1/session/enrol/totp/confirm", tag = "session", security(()), request_body = SecondCode,
    responses((status = 200, body = Enrolled), (status = 400, body = crate::error::ProblemBody), (status = 429, body = crate::error::ProblemBody)))]
pub async fn enrol_totp_confirm(
    State(app): State<App>,
    peer: Peer,
    is_https: IsHttps,
    headers: HeaderMap,
    Json(said): Json<SecondCode>,
) -> Answer<Response> {
    let (half, user, actor) = enrolling(&app, &headers, peer).await?;
    let RecoveryCodes { recovery_codes } = app
        .identity
        .confirm_totp(&user, &said.code, &actor, app.now())
        .await?
        .into();
    enrolled(&app, (&half, "totp", peer, is_https), recovery_codes).await
}

/// What the browser is to ask its authenticator, for the first passkey of who must set a second factor up at sign-in.
#[utoipa::path(post, path = "/api/v1/session/enrol/passkey/question", tag = "session", security(()),
    responses((status = 200, body = PasskeyQuestion), (status = 400, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn enrol_passkey_question(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
) -> Answer<Json<PasskeyQuestion>> {
    let (half, user, actor) = enrolling(&app, &headers, peer).await?;
    let options = app
        .identity
        .begin_passkey(&user, &half, &actor.peer, app.now())
        .await?;
    Ok(Json(PasskeyQuestion { options }))
}

/// Adds the passkey, and lets the person in.
#[utoipa::path(post, path = "/api/v1/session/enrol/passkey", tag = "session", security(()), request_body = PasskeyDraft,
    responses((status = 200, body = Enrolled), (status = 400, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn enrol_passkey(
    State(app): State<App>,
    peer: Peer,
    is_https: IsHttps,
    headers: HeaderMap,
    Json(draft): Json<PasskeyDraft>,
) -> Answer<Response> {
    let (half, user, actor) = enrolling(&app, &headers, peer).await?;
    let (name, made) = registration_of(draft);
    let added = app
        .identity
        .add_passkey(&user, &half, (&name, &made), &actor, app.now())
        .await?;
    enrolled(
        &app,
        (&half, "passkey", peer, is_https),
        added.recovery_codes,
    )
    .await
}
