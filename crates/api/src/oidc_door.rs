//! Signing in to other systems, as their programs ask for it: the addresses of OpenID Connect and OAuth 2.0. Who asks shows
//! who it is by the protocol's own means, so these operations have no rule of ours; what a person says yes to is in
//! [`crate::oidc_consent`].
//!
//! The session's cookie is not sent by a browser that comes from another site (SameSite=Strict), so a request to sign in is
//! only understood here, and passed on to a page of the console, whose own questions carry the cookie.

use crate::access::Peer;
use crate::app::App;
use crate::error::ApiError;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Problem, Told};
use oidc::asked::Unfit;
use oidc::fault::Fault;
use oidc::form::Form;
use oidc::{Client, Provider, discovery};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};
use tokio::sync::Notify;

/// The provider with what its door needs.
pub struct Door {
    /// The provider.
    pub provider: Arc<Provider>,
    /// Wakes who tells clients of ended sessions.
    pub wake: Notify,
}

impl Door {
    /// A door for a provider.
    pub fn new(provider: Provider) -> Self {
        Self {
            provider: Arc::new(provider),
            wake: Notify::new(),
        }
    }

    /// The public address.
    ///
    /// # Errors
    /// 404 `oidc-off` while there is none.
    pub fn issuer(&self) -> Result<&str, ApiError> {
        self.provider.issuer().ok_or_else(|| {
            let problem = Problem::new(
                "oidc-off",
                "this city is no OpenID Connect provider: it has no public address",
                "oidc.issuer",
                "set oidc.issuer in jingling.toml to the address under which people reach the city, then restart it",
            );
            ApiError::new(StatusCode::NOT_FOUND, problem)
        })
    }
}

const ANYWHERE: (HeaderName, HeaderValue) = (
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    HeaderValue::from_static("*"),
);
const NEVER_KEPT: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// An answer in the protocol's own shape; pages of other sites may read it, because no cookie leads to it.
fn said(status: StatusCode, body: impl serde::Serialize) -> Response {
    (status, [ANYWHERE, NEVER_KEPT], Json(body)).into_response()
}

/// What is wrong, in the protocol's own shape (RFC 6749 §5.2); what the platform itself failed at in that of every other.
fn refused(fault: Fault) -> Response {
    if let Some(failure) = fault.failure {
        return ApiError::from(*failure).into_response();
    }
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({"error": fault.error, "error_description": fault.description});
    let mut response = said(status, body);
    let headers = response.headers_mut();
    let challenge = match fault.error {
        "invalid_client" => Some("Basic realm=\"jingling\"".to_owned()),
        "invalid_token" | "insufficient_scope" => Some(format!(
            "Bearer realm=\"jingling\", error=\"{}\", error_description=\"{}\"",
            fault.error, fault.description
        )),
        _ => None,
    };
    if let Some(challenge) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = fault.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// How the page of an error looks.
const ERROR_STYLE: &str = "body{font:16px/1.6 sans-serif;max-width:34em;margin:12vh auto;padding:0 1em;\
     color:#16262c}h1{font-size:1.3em;color:#0e6b7c}code{color:#5b6b72}a{color:#0e6b7c;display:inline-block;padding:.6em 0}";
/// That style and nothing else: it is named by its hash (CSP Level 3), so that no other is taken.
static ERROR_POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(ERROR_STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
});

/// A page that says what is wrong with a request that may not be answered to who made it. It stands alone: no script, and
/// nothing of the request in it.
pub(crate) fn error_page(told: &Told) -> Response {
    error_page_with(StatusCode::BAD_REQUEST, told, "")
}

/// The same with a status, and a link to a page of this city.
pub(crate) fn error_page_with(status: StatusCode, told: &Told, back: &str) -> Response {
    let mut page = format!(
        "<!doctype html><html lang=\"zh\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>竟陵 Jingling</title><style>{ERROR_STYLE}</style>"
    );
    for (lang, heading, what, mend) in [
        ("zh", "无法登录", &told.what.zh, &told.mend.zh),
        ("en", "Cannot sign in", &told.what.en, &told.mend.en),
    ] {
        let _ = write!(
            page,
            "<section lang=\"{lang}\"><h1>{heading}</h1><p>{}</p><p>{}</p></section>",
            escaped(what),
            escaped(mend)
        );
    }
    if !back.is_empty() {
        let _ = write!(page, "<p><a href=\"{}\">返回 Back</a></p>", escaped(back));
    }
    let _ = write!(page, "<p><code>{}</code></p>", escaped(&told.code));
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, &*ERROR_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, page).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Sends the browser elsewhere; a POST becomes a GET there.
pub(crate) fn sent_to(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(location) => (
            StatusCode::SEE_OTHER,
            [
                (header::LOCATION, location),
                (
                    header::REFERRER_POLICY,
                    HeaderValue::from_static("no-referrer"),
                ),
                NEVER_KEPT,
            ],
        )
            .into_response(),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

/// The parameters of a body.
fn form_of(headers: &HeaderMap, body: &Bytes) -> Result<Form, Fault> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    if !kind
        .to_ascii_lowercase()
        .starts_with(b"application/x-www-form-urlencoded")
    {
        return Err(Fault::request(
            "send the parameters as application/x-www-form-urlencoded",
        ));
    }
    Form::parse(body)
}

/// Who asks, and the parameters.
async fn client_of(
    app: &App,
    headers: &HeaderMap,
    body: &Bytes,
    peer: Peer,
) -> Result<(Client, Form), Fault> {
    let form = form_of(headers, body)?;
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap_or_default());
    let provider = &app.oidc.provider;
    let peer = peer.0.to_string();
    let client = provider
        .authenticate(authorization, &form, &peer, app.now())
        .await?;
    Ok((client, form))
}

/// Answers a program's request by `work`; 404 while there is no provider.
macro_rules! answered {
    ($app:expr, $work:expr) => {{
        if let Err(off) = $app.oidc.issuer() {
            return off.into_response();
        }
        match $work.await {
            Ok(body) => said(StatusCode::OK, body),
            Err(fault) => refused(fault),
        }
    }};
}

/// What the provider can (OpenID Connect Discovery 1.0).
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "oidc", security(()),
    responses((status = 200, description = "The provider's description.", body = Value), (status = 404, body = crate::error::ProblemBody)))]
pub async fn configuration(State(app): State<App>) -> Response {
    described(&app)
}

/// The same for clients of OAuth 2.0 alone (RFC 8414).
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "oidc", security(()),
    responses((status = 200, description = "The provider's description.", body = Value), (status = 404, body = crate::error::ProblemBody)))]
pub async fn metadata(State(app): State<App>) -> Response {
    described(&app)
}

fn described(app: &App) -> Response {
    match app.oidc.issuer() {
        Ok(issuer) => kept_a_little(discovery::document(issuer)),
        Err(off) => off.into_response(),
    }
}

fn kept_a_little(body: Value) -> Response {
    let kept = (
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    ([ANYWHERE, kept], Json(body)).into_response()
}

/// The public keys that tokens are signed with (RFC 7517).
#[utoipa::path(get, path = "/oauth2/jwks", tag = "oidc", security(()),
    responses((status = 200, description = "The keys, the one that signs first.", body = Value), (status = 404, body = crate::error::ProblemBody)))]
pub async fn jwks(State(app): State<App>) -> Response {
    match app.oidc.provider.jwks(app.now()) {
        Ok(keys) => kept_a_little(keys),
        Err(failure) => ApiError::from(failure).into_response(),
    }
}

/// Begins a person's sign-in: sends the browser to the page that asks for it, or back with what is wrong.
#[utoipa::path(get, path = "/oauth2/authorize", tag = "oidc", security(()),
    responses((status = 303, description = "To the page of consent, or back to the client with an error."),
        (status = 400, description = "A page for the person: nothing may be sent to the client."), (status = 404, body = crate::error::ProblemBody)))]
pub async fn authorize(State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    begin(&app, query.unwrap_or_default().as_bytes()).await
}

/// The same with the parameters in the body.
#[utoipa::path(post, path = "/oauth2/authorize", tag = "oidc", security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "To the page of consent, or back to the client with an error."),
        (status = 400, description = "A page for the person: nothing may be sent to the client."), (status = 404, body = crate::error::ProblemBody)))]
pub async fn authorize_by_post(State(app): State<App>, body: Bytes) -> Response {
    begin(&app, &body).await
}

fn unreadable(fault: &Fault) -> Told {
    oidc::asked::page(
        "oidc-request",
        "登录请求不完整，或者有一项给了两次",
        &format!(
            "the request to sign in does not read: {}",
            fault.description
        ),
    )
}

async fn begin(app: &App, parameters: &[u8]) -> Response {
    if let Err(off) = app.oidc.issuer() {
        return off.into_response();
    }
    let form = match Form::parse(parameters) {
        Ok(form) => form,
        Err(fault) => return error_page(&unreadable(&fault)),
    };
    match app.oidc.provider.understand(&form).await {
        Err(failure) => ApiError::from(failure).into_response(),
        Ok(Err(Unfit::Page(told))) => error_page(&told),
        Ok(Err(Unfit::Redirect(to))) => sent_to(&to),
        Ok(Ok(_)) => {
            let stamp = app.oidc.provider.stamp(app.now());
            let parameters = form.text_without("asked_at");
            sent_to(&format!("/oidc/authorize?{parameters}&asked_at={stamp}"))
        }
    }
}

/// Tokens for a code, a refresh token, a device's code or a client's own secret (RFC 6749, RFC 7636, RFC 8628).
#[utoipa::path(post, path = "/oauth2/token", tag = "oidc", security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The tokens.", body = Value),
        (status = 400, description = "The protocol's own error.", body = Value),
        (status = 429, description = "Too often.", body = Value), (status = 404, body = crate::error::ProblemBody)))]
pub async fn token(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answered!(app, async {
        let (client, form) = client_of(&app, &headers, &body, peer).await?;
        let peer = peer.0.to_string();
        app.oidc
            .provider
            .exchange(&client, &form, &peer, app.now())
            .await
    })
}

/// Takes a token back (RFC 7009).
#[utoipa::path(post, path = "/oauth2/revoke", tag = "oidc", security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "It is good no more, or never was.", body = Value),
        (status = 400, description = "The protocol's own error.", body = Value), (status = 404, body = crate::error::ProblemBody)))]
pub async fn revoke(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answered!(app, async {
        let (client, form) = client_of(&app, &headers, &body, peer).await?;
        let peer = peer.0.to_string();
        app.oidc
            .provider
            .revoke(&client, &form, &peer, app.now())
            .await?;
        Ok(json!({}))
    })
}

/// What a token is worth now (RFC 7662).
#[utoipa::path(post, path = "/oauth2/introspect", tag = "oidc", security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Whether it is good, and what it may.", body = Value),
        (status = 400, description = "The protocol's own error.", body = Value), (status = 404, body = crate::error::ProblemBody)))]
pub async fn introspect(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answered!(app, async {
        let (client, form) = client_of(&app, &headers, &body, peer).await?;
        app.oidc
            .provider
            .introspect(&client, &form, app.now())
            .await
    })
}

/// Begins a device's sign-in (RFC 8628).
#[utoipa::path(post, path = "/oauth2/device_authorization", tag = "oidc", security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The codes of the device and of its person.", body = Value),
        (status = 400, description = "The protocol's own error.", body = Value), (status = 404, body = crate::error::ProblemBody)))]
pub async fn device(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answered!(app, async {
        let (client, form) = client_of(&app, &headers, &body, peer).await?;
        app.oidc
            .provider
            .begin_device(&client, &form, &peer.0.to_string(), app.now())
            .await
    })
}

/// What the holder of an access token may know of the person.
#[utoipa::path(get, path = "/oauth2/userinfo", tag = "oidc", security(()),
    responses((status = 200, description = "The person, by the token's scopes.", body = Value), (status = 404, body = crate::error::ProblemBody)))]
pub async fn user_info(State(app): State<App>, headers: HeaderMap) -> Response {
    informed(&app, &headers).await
}

/// The same by POST; the token is in the header all the same.
#[utoipa::path(post, path = "/oauth2/userinfo", tag = "oidc", security(()),
    responses((status = 200, description = "The person, by the token's scopes.", body = Value), (status = 404, body = crate::error::ProblemBody)))]
pub async fn user_info_by_post(State(app): State<App>, headers: HeaderMap) -> Response {
    informed(&app, &headers).await
}

async fn informed(app: &App, headers: &HeaderMap) -> Response {
    answered!(app, async {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.split_once(' '))
            .filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| Fault::token("send Authorization: Bearer and the access token"))?;
        app.oidc.provider.user_info(token, app.now()).await
    })
}

/// Begins a person's sign-out (RP-Initiated Logout 1.0): sends the browser to the page that asks for it.
#[utoipa::path(get, path = "/oauth2/logout", tag = "oidc", security(()),
    responses((status = 303, description = "To the page that asks."),
        (status = 400, description = "A page for the person: where to go next is not registered."), (status = 404, body = crate::error::ProblemBody)))]
pub async fn logout(State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    leave(&app, query.unwrap_or_default().as_bytes()).await
}

/// The same with the parameters in the body.
#[utoipa::path(post, path = "/oauth2/logout", tag = "oidc", security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "To the page that asks."),
        (status = 400, description = "A page for the person: where to go next is not registered."), (status = 404, body = crate::error::ProblemBody)))]
pub async fn logout_by_post(State(app): State<App>, body: Bytes) -> Response {
    leave(&app, &body).await
}

async fn leave(app: &App, parameters: &[u8]) -> Response {
    if let Err(off) = app.oidc.issuer() {
        return off.into_response();
    }
    let form = match Form::parse(parameters) {
        Ok(form) => form,
        Err(fault) => return error_page(&unreadable(&fault)),
    };
    match app.oidc.provider.understand_logout(&form).await {
        Err(failure) => ApiError::from(failure).into_response(),
        Ok(Err(told)) => error_page(&told),
        Ok(Ok(_)) => sent_to(&format!("/oidc/logout?{}", form.text_without(""))),
    }
}
