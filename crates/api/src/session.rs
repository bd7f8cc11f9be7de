//! Signing in and out, and the people of the city.

use crate::access::{CSRF_HEADER, Caller, Peer, SESSION_COOKIE, session_cookie};
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::headers::{IsHttps, is_secure};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use identity::{HalfSignIn, Permission, Principal, PrincipalId, Role, SignIn, SignInStep};
use records::users::PeopleFilter;
use records::{PageRequest, users};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};

/// Where the cookies of a sign-in that is not done are sent.
const SIGN_IN_PATH: &str = "/api/v1/session";
/// The cookie of a half sign-in.
pub(crate) const HALF_COOKIE: &str = "jingling_half";
/// The cookie that binds a passkey's challenge to a browser.
pub(crate) const BROWSER_COOKIE: &str = "jingling_browser";
/// Most people listed at once.
const PEOPLE_MAX: u32 = 500;

/// Who wants in.
#[derive(Deserialize, ToSchema)]
pub struct SignInRequest {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// Who is in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    /// The caller.
    pub user: UserBody,
}

/// A person or machine.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    /// The user's id; `None` for a machine.
    pub id: Option<i64>,
    /// The name to sign in with.
    pub username: String,
    /// The person's name.
    pub name: String,
    /// The role.
    pub role: String,
    /// The organisation's id.
    pub organisation: Option<String>,
    /// What the policies let it do: words of the platform's acts, and of those that packs bring.
    pub permissions: Vec<String>,
}

impl UserBody {
    /// The caller, with everything that the policies let it do now: the platform's acts, and those that packs bring.
    pub fn of(app: &App, principal: &Principal) -> Self {
        let view = app.identity.view(principal, None, app.now());
        Self::with(principal, view.permissions())
    }

    /// The caller's own permissions, and of `acts` those that are none of the platform's.
    fn with(p: &Principal, acts: &BTreeSet<String>) -> Self {
        let of_packs = acts
            .iter()
            .filter(|word| word.parse::<Permission>().is_err());
        let own = p.permissions.iter().map(ToString::to_string);
        Self {
            id: match p.id {
                PrincipalId::User(id) => Some(id),
                PrincipalId::Token(_) => None,
            },
            username: p.username.clone(),
            name: p.name.clone(),
            role: p.role.to_string(),
            organisation: p.organisation_id.clone(),
            permissions: own.chain(of_packs.cloned()).collect(),
        }
    }
}

/// The second step that a sign-in still needs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecondStep)]
pub struct SecondStepBody {
    /// A time-based code (动态口令) will do.
    pub totp: bool,
    /// A recovery code (恢复码) will do.
    pub recovery: bool,
    /// A passkey (通行密钥) will do.
    pub passkey: bool,
    /// The person has no second factor and the role asks for one: it is set up now.
    pub enrol: bool,
    /// When the sign-in must begin again.
    pub expires_at: String,
}

impl From<&HalfSignIn> for SecondStepBody {
    fn from(half: &HalfSignIn) -> Self {
        Self {
            totp: half.ways.totp,
            recovery: half.ways.recovery,
            passkey: half.ways.passkey,
            enrol: half.ways.enrol,
            expires_at: half.expires_at.to_string(),
        }
    }
}

/// Signs in: the answer sets the session's cookie; or, where a second factor is to be shown, another that is good for that
/// alone (202).
#[utoipa::path(post, path = "/api/v1/session", tag = "session", security(()), request_body = SignInRequest,
    responses((status = 200, body = SessionBody), (status = 202, body = SecondStepBody), (status = 401, body = crate::error::ProblemBody), (status = 429, body = crate::error::ProblemBody)))]
pub async fn sign_in(
    State(app): State<App>,
    peer: Peer,
    is_https: IsHttps,
    headers: HeaderMap,
    Json(request): Json<SignInRequest>,
) -> Answer<Response> {
    from_own_page(&headers)?;
    let step = app
        .identity
        .begin_sign_in(
            &request.username,
            &request.password,
            &peer.0.to_string(),
            app.now(),
        )
        .await?;
    Ok(match step {
        SignInStep::Done(signed) => let_in(&app, is_https, signed).into_response(),
        SignInStep::Second(half) => {
            let body = SecondStepBody::from(&half);
            let jar = CookieJar::new().add(of_sign_in(&app, is_https, HALF_COOKIE, half.secret));
            (StatusCode::ACCEPTED, jar, Json(body)).into_response()
        }
    })
}

/// Asks that a change of the sign-in comes from a page of this city: a page of another site could otherwise sign a person in
/// as somebody else.
pub(crate) fn from_own_page(headers: &HeaderMap) -> Answer<()> {
    if headers.contains_key(CSRF_HEADER) || !headers.contains_key(axum::http::header::ORIGIN) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        model::Problem::new(
            "csrf",
            "sign-in from a page needs its header",
            CSRF_HEADER,
            "send x-jingling-csrf: 1",
        ),
    ))
}

/// The session's cookie.
pub(crate) fn let_in(
    app: &App,
    is_https: IsHttps,
    signed: SignIn,
) -> (CookieJar, Json<SessionBody>) {
    let cookie = Cookie::build((SESSION_COOKIE, signed.secret))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(is_secure(&app.options, is_https))
        .build();
    let body = SessionBody {
        user: UserBody::of(app, &signed.principal),
    };
    (CookieJar::new().add(cookie), Json(body))
}

/// The end of the cookies that led to a session.
pub(crate) fn steps_over(jar: CookieJar) -> CookieJar {
    jar.add(ended(HALF_COOKIE, SIGN_IN_PATH))
        .add(ended(BROWSER_COOKIE, SIGN_IN_PATH))
}

/// What makes a browser forget a cookie. (A jar's own `remove` says nothing of a cookie that the jar was not given.)
pub(crate) fn ended(name: &'static str, path: &'static str) -> Cookie<'static> {
    let mut cookie = Cookie::build((name, "")).path(path).build();
    cookie.make_removal();
    cookie
}

/// A cookie that only the steps of signing in get.
pub(crate) fn of_sign_in(
    app: &App,
    is_https: IsHttps,
    name: &'static str,
    value: String,
) -> Cookie<'static> {
    Cookie::build((name, value))
        .path(SIGN_IN_PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(is_secure(&app.options, is_https))
        .build()
}

/// Who the caller is.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", security(("session" = [])), responses((status = 200, body = SessionBody)))]
pub async fn who(State(app): State<App>, Caller(caller): Caller) -> Json<SessionBody> {
    Json(SessionBody {
        user: UserBody::of(&app, &caller),
    })
}

/// Signs out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", security(("session" = [])), responses((status = 204)))]
pub async fn sign_out(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
) -> Answer<Response> {
    if let Some(secret) = session_cookie(&headers) {
        crate::oidc_consent::session_ends(&app, &secret).await?;
        app.identity
            .sign_out(&secret, &peer.actor(&caller), app.now())
            .await?;
    }
    let jar = CookieJar::new().add(ended(SESSION_COOKIE, "/"));
    Ok((jar, StatusCode::NO_CONTENT).into_response())
}

/// A person whom a case can be given to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub struct PersonBody {
    /// The user's id.
    pub id: i64,
    /// The person's name.
    pub name: String,
    /// The role.
    pub role: String,
    /// The organisation's id.
    pub organisation: Option<String>,
}

/// People.
#[derive(Debug, Serialize, ToSchema)]
pub struct People {
    /// By name.
    pub items: Vec<PersonBody>,
}

/// Which people.
#[derive(Debug, Deserialize, IntoParams)]
pub struct PeopleQuery {
    /// Of this role.
    pub role: Option<String>,
    /// Of this organisation.
    pub organisation: Option<String>,
}

/// The people whom a case can be given to.
#[utoipa::path(get, path = "/api/v1/users", tag = "session", security(("session" = ["case.dispatch"])), params(PeopleQuery),
    responses((status = 200, body = People)))]
pub async fn people(
    State(app): State<App>,
    Query(query): Query<PeopleQuery>,
) -> Answer<Json<People>> {
    let role = query
        .role
        .as_deref()
        .filter(|r| !r.is_empty())
        .map(str::parse::<Role>)
        .transpose()
        .map_err(ApiError::invalid)?;
    let page = PageRequest {
        after: None,
        limit: Some(PEOPLE_MAX),
    };
    // Whoever holds a post of the organisation works there too.
    let filter = PeopleFilter {
        text: None,
        organisation_id: query.organisation.filter(|o| !o.is_empty()),
        disabled: Some(false),
        role: role.map(|role| role.to_string()),
    };
    let mut connection = app.records.read().await?;
    let users = users::search(&mut connection, &filter, app.now(), &page).await?;
    drop(connection);
    let items = users.items.into_iter().map(|u| PersonBody {
        id: u.id,
        name: u.name,
        role: u.role,
        organisation: u.organisation_id,
    });
    Ok(Json(People {
        items: items.collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_of_packs_stand_behind_those_of_the_platform() {
        let principal = Principal {
            id: PrincipalId::User(7),
            username: "li".to_owned(),
            name: "李".to_owned(),
            role: Role::Duty,
            organisation_id: None,
            posts: Vec::new(),
            permissions: vec![Permission::SqlQuery, Permission::EntityRead],
        };
        // The platform's are the caller's own alone, whatever else is permitted.
        let acts = ["audit.read", "entity.read", "water.gate-control"];
        let body = UserBody::with(&principal, &acts.map(str::to_owned).into());
        let expected = ["sql.query", "entity.read", "water.gate-control"];
        assert_eq!(body.permissions, expected);
    }
}
