//! Who may call what. The rule of each operation is written once, in its `security(...)` line, which
//! the OpenAPI description shows and this middleware enforces. An operation without a rule is not
//! served at all: the table refuses to be built.

use crate::app::App;
use crate::error::ApiError;
use crate::proxies::OnBehalf;
use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use identity::{Permission, Principal};
use records::{Acting, Actor};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use utoipa::openapi::OpenApi;

/// The session cookie's name.
pub const SESSION_COOKIE: &str = "jingling_session";
/// The header in which a page that sends late says whose request it is, by the user's id: on a shared phone somebody else may
/// be signed in by then.
pub const PERSON_HEADER: &str = "x-jingling-person";
/// The header that a page sends with every change: another site's form cannot set it.
pub const CSRF_HEADER: &str = "x-jingling-csrf";

/// One operation's rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Anyone.
    Public,
    /// Anyone signed in.
    SignedIn,
    /// Whoever has the permission.
    Permission(Permission),
}

/// The rules of all operations, by method and path template.
#[derive(Debug, Default)]
pub struct Rules(HashMap<(String, String), Rule>);

impl Rules {
    /// Reads the rules from the description.
    ///
    /// # Errors
    /// The operations that have no rule.
    pub fn from_description(description: &OpenApi) -> Result<Self, Vec<String>> {
        let json = serde_json::to_value(description).unwrap_or_default();
        let mut rules = HashMap::new();
        let mut without = Vec::new();
        let paths = json["paths"].as_object().into_iter().flatten();
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                match rule_of(&operation["security"]) {
                    Some(rule) => {
                        rules.insert((method.to_uppercase(), path.clone()), rule);
                    }
                    None => without.push(format!("{} {path}", method.to_uppercase())),
                }
            }
        }
        if without.is_empty() {
            Ok(Self(rules))
        } else {
            Err(without)
        }
    }

    /// The rule of an operation. HEAD follows GET.
    pub fn of(&self, method: &Method, path: &str) -> Option<&Rule> {
        let method = if method == Method::HEAD {
            "GET"
        } else {
            method.as_str()
        };
        self.0.get(&(method.to_owned(), path.to_owned()))
    }

    /// All rules, sorted: `METHOD path rule`.
    pub fn listing(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .0
            .iter()
            .map(|((method, path), rule)| match rule {
                Rule::Public => format!("{method} {path} public"),
                Rule::SignedIn => format!("{method} {path} signed-in"),
                Rule::Permission(p) => format!("{method} {path} {p}"),
            })
            .collect();
        lines.sort();
        lines
    }
}

fn rule_of(security: &serde_json::Value) -> Option<Rule> {
    let first = security.as_array()?.first()?.as_object()?;
    let Some(scopes) = first.values().next() else {
        return Some(Rule::Public);
    };
    match scopes.as_array()?.first() {
        None => Some(Rule::SignedIn),
        Some(scope) => Some(Rule::Permission(scope.as_str()?.parse().ok()?)),
    }
}

/// Where a request came from: the peer, or on whose behalf one of the named proxies asks.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(peer_of(&parts.extensions))
    }
}

impl Peer {
    /// The caller as the audit trail names it.
    pub fn actor(self, caller: &Principal) -> Actor {
        caller.actor(&self.0.to_string())
    }

    /// The caller as a case's workflow judges it.
    pub fn acting(self, caller: &Principal) -> Acting {
        caller.acting(&self.0.to_string())
    }
}

fn peer_of(extensions: &axum::http::Extensions) -> Peer {
    let unknown = IpAddr::from([0, 0, 0, 0]);
    if let Some(found) = extensions.get::<OnBehalf>() {
        return Peer(found.address);
    }
    Peer(
        extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(unknown, |c| c.0.ip()),
    )
}

/// The person or machine that called; a handler takes it where the operation is not public.
#[derive(Clone, Debug)]
pub struct Caller(pub Arc<Principal>);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(ApiError::signed_out)
    }
}

/// Enforces the operation's rule before its handler runs.
pub async fn enforce(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map(|p| p.as_str().to_owned())
        .unwrap_or_default();
    // Every operation that is served has a rule, so a path without one is asked with the wrong method.
    let Some(rule) = app.rules.of(request.method(), &path).cloned() else {
        let what = format!("{path} does not take {}", request.method());
        let mend = "see /api/openapi.json for the methods that it takes";
        let problem = model::Problem::new("method-not-allowed", what, "method", mend);
        return ApiError::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, problem).into_response();
    };
    if rule == Rule::Public || crate::open311::is_open(&app, &request, &rule) {
        return next.run(request).await;
    }
    match who(&app, request.headers(), request.method()).await {
        Err(error) => error.into_response(),
        Ok(principal) => {
            if let Rule::Permission(permission) = &rule
                && !principal.may(*permission)
            {
                return ApiError::forbidden(permission.as_str()).into_response();
            }
            request.extensions_mut().insert(Caller(Arc::new(principal)));
            next.run(request).await
        }
    }
}

async fn who(app: &App, headers: &HeaderMap, method: &Method) -> Result<Principal, ApiError> {
    let now = app.now();
    if let Some(given) = headers.get(header::AUTHORIZATION) {
        let text = given.to_str().unwrap_or_default();
        let token = text
            .strip_prefix("Bearer ")
            .or_else(|| text.strip_prefix("Token "))
            .ok_or_else(ApiError::signed_out)?;
        return app
            .identity
            .token_principal(token.trim(), now)
            .await?
            .ok_or_else(ApiError::signed_out);
    }
    let session = session_cookie(headers).ok_or_else(ApiError::signed_out)?;
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && !headers.contains_key(CSRF_HEADER) {
        let problem = model::Problem::new(
            "csrf",
            "a change by session needs its header",
            CSRF_HEADER,
            "send x-jingling-csrf: 1",
        );
        return Err(ApiError::new(axum::http::StatusCode::FORBIDDEN, problem));
    }
    let principal = app
        .identity
        .session_principal(&session, now)
        .await?
        .ok_or_else(ApiError::signed_out)?;
    match headers.get(PERSON_HEADER) {
        Some(said) if !is_of(&principal, said) => Err(other_person()),
        _ => Ok(principal),
    }
}

/// Whether a request says that it is this person's.
fn is_of(principal: &Principal, said: &axum::http::HeaderValue) -> bool {
    let said = said.to_str().ok().and_then(|text| text.parse::<i64>().ok());
    said.is_some() && said == principal.user_id()
}

fn other_person() -> ApiError {
    let problem = model::Problem::new(
        "other-person",
        "somebody else is signed in than whose request this is",
        PERSON_HEADER,
        "sign in as that person",
    );
    ApiError::new(axum::http::StatusCode::CONFLICT, problem)
}

/// The session's secret from the request's cookies.
pub fn session_cookie(headers: &HeaderMap) -> Option<String> {
    axum_extra::extract::CookieJar::from_headers(headers)
        .get(SESSION_COOKIE)
        .map(|c| c.value().to_owned())
}
