//! Signing in with an outside provider of identities (省统一身份认证), and linking such an identity to one's account. Where the
//! settings name no provider, every operation here answers 404.
//!
//! The browser goes there and comes back by navigating from another site, so the session's cookie (SameSite=Strict) does not
//! come with it: what the way was for is remembered here, under a state together with a cookie that this browser alone has
//! (SameSite=Lax, for this path alone). An answer with another browser's state signs nobody in.

use crate::access::{Caller, Peer};
use crate::account::{Own, own, young};
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::headers::{IsHttps, is_secure};
use crate::oidc_consent::sessions_ended;
use crate::oidc_door::{error_page_with, sent_to};
use crate::outside_provider::{NoPerson, OutsideProvider};
use crate::second_step::{cookie, half};
use crate::session::{HALF_COOKIE, SecondStepBody, ended, from_own_page, let_in, of_sign_in};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use identity::{
    Linked, OutsideAsked, OutsideIdentity, OutsidePurpose, OutsideStep, SignInStep, secret,
};
use model::problem::{both, quote};
use model::{Problem, Told};
use oidc::form::Form;
use oidc::outside::{not_taken, own_page};
use records::linked_identities::LinkedIdentity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The cookie of a browser that is at a provider.
const OUTSIDE_COOKIE: &str = "jingling_outside";
/// Where it is sent.
const OUTSIDE_PATH: &str = "/api/v1/session/outside";
/// Where people sign in, and where they link.
const SIGN_IN_PAGE: &str = "/sign-in";
const ACCOUNT_PAGE: &str = "/account";

/// An outside provider that people can sign in with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OutsideProvider)]
pub struct OutsideProviderBody {
    /// Its id.
    pub id: String,
    /// What people call it, in Chinese.
    pub name_zh: String,
    /// The same in English.
    pub name_en: String,
}

/// The providers that the sign-in page offers.
pub(crate) fn offered(app: &App) -> Vec<OutsideProviderBody> {
    let all = app.outside.all().iter().map(|p| OutsideProviderBody {
        id: p.config.id.clone(),
        name_zh: p.config.name_zh.clone(),
        name_en: p.config.name_en.clone(),
    });
    all.collect()
}

/// Where to go back to.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OutsideRequest {
    /// The page of this city to go back to, such as `/cases`; the first page without it.
    pub return_to: Option<String>,
}

/// Which provider.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OutsideLinkRequest {
    /// Its id.
    pub provider: String,
}

/// Where the browser goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutsideOnward {
    /// The provider's address.
    pub redirect_to: String,
}

fn off() -> ApiError {
    let told = Told::new(
        "outside-off",
        both(
            "没有这个外部身份提供方",
            "there is no such outside provider",
        ),
        "sign_in.provider",
        both(
            "请在本市的登录页面登录；外部身份提供方在 jingling.toml 里设置",
            "sign in on the city's own page; outside providers are set in jingling.toml",
        ),
    );
    ApiError::told(StatusCode::NOT_FOUND, told)
}

fn provider<'a>(app: &'a App, id: &str) -> Answer<&'a OutsideProvider> {
    app.outside.get(id).ok_or_else(off)
}

/// Any provider at all.
fn some(app: &App) -> Answer<()> {
    if app.outside.all().is_empty() {
        Err(off())
    } else {
        Ok(())
    }
}

fn unreachable(of: &OutsideProvider, why: &Problem) -> ApiError {
    tracing::warn!(provider = of.config.id, %why, "an outside provider cannot be used");
    let told = Told::new(
        "outside-unreachable",
        both(
            format!("{}暂时无法使用", of.config.name_zh),
            format!("{} cannot be used now", of.config.name_en),
        ),
        "session",
        both(
            "请稍后再试，或者用本市的用户名和密码登录；管理员可以运行 jingling provider check 查原因",
            "try again later, or sign in with your username and password here; jingling provider check tells the engineer why",
        ),
    );
    ApiError::told(StatusCode::SERVICE_UNAVAILABLE, told)
}

fn redirect_uri(app: &App, of: &OutsideProvider) -> Answer<String> {
    let origin = app.identity.origin().ok_or_else(|| {
        ApiError::new(
            StatusCode::CONFLICT,
            Problem::new(
                "outside-origin",
                "this city has no address that people could be sent back to",
                "http.public_url",
                "set http.public_url to the https address under which people reach the city",
            ),
        )
    })?;
    Ok(of.config.redirect_uri(origin.as_str()))
}

/// Sends the caller's browser to a provider.
async fn begin(
    app: &App,
    of: &OutsideProvider,
    (return_to, purpose): (&str, OutsidePurpose),
    peer: Peer,
    is_https: IsHttps,
) -> Answer<Response> {
    let redirect_uri = redirect_uri(app, of)?;
    let described = app.outside.described(of, app.now()).await;
    let description = described.map_err(|why| unreachable(of, &why))?;
    let way = (of.config.id.as_str(), return_to);
    let peer = peer.0.to_string();
    let begun = app.identity.begin_outside(way, purpose, &peer, app.now());
    let drawn = (&*begun.state, &*begun.nonce, &*begun.verifier);
    let body = OutsideOnward {
        redirect_to: description.authorization_url(&of.config, &redirect_uri, drawn),
    };
    let cookie = Cookie::build((OUTSIDE_COOKIE, begun.browser))
        .path(OUTSIDE_PATH)
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_secure(&app.options, is_https))
        .build();
    Ok((CookieJar::new().add(cookie), Json(body)).into_response())
}

/// Begins a sign-in with an outside provider: tells where the browser goes.
#[utoipa::path(post, path = "/api/v1/session/outside/{provider}", tag = "session", security(()), params(("provider" = String, Path)), request_body = OutsideRequest,
    responses((status = 200, body = OutsideOnward), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody), (status = 503, body = crate::error::ProblemBody)))]
pub async fn begin_sign_in(
    State(app): State<App>,
    peer: Peer,
    is_https: IsHttps,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(request): Json<OutsideRequest>,
) -> Answer<Response> {
    let of = provider(&app, &id)?;
    from_own_page(&headers)?;
    let return_to = request.return_to.unwrap_or_else(|| "/".to_owned());
    let page = own_page(&return_to, app.outside.limits.return_to_bytes_max).ok_or_else(|| {
        let told = Told::new(
            "outside-return-to",
            both(
                format!("“{}”不是本市的页面", quote(&return_to)),
                format!("\"{}\" is no page of this city", quote(&return_to)),
            ),
            "return_to",
            both(
                "写成以 / 开头的页面路径，如 /cases",
                "write the path of a page, such as /cases",
            ),
        );
        ApiError::told(StatusCode::BAD_REQUEST, told)
    })?;
    begin(&app, of, (&page, OutsidePurpose::SignIn), peer, is_https).await
}

/// Where a provider sends the browser back to: signs in, asks for the second step, or links; a page says what is wrong.
#[utoipa::path(get, path = "/api/v1/session/outside/{provider}/callback", tag = "session", security(()), params(("provider" = String, Path)),
    responses((status = 303, description = "To the page that was asked for, or to the second step."),
        (status = 400, description = "A page for the person: what is wrong, and what to do."), (status = 404, body = crate::error::ProblemBody)))]
pub async fn callback(
    State(app): State<App>,
    peer: Peer,
    is_https: IsHttps,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let of = match provider(&app, &id) {
        Ok(of) => of,
        Err(off) => return off.into_response(),
    };
    let jar = CookieJar::new().add(ended(OUTSIDE_COOKIE, OUTSIDE_PATH));
    let mut back = SIGN_IN_PAGE;
    let came = came_back(
        &app,
        of,
        &headers,
        &query.unwrap_or_default(),
        peer,
        &mut back,
    )
    .await;
    match came {
        Ok(Came::In(return_to, signed)) => {
            let (cookies, _) = let_in(&app, is_https, signed);
            (jar, cookies, sent_to(&return_to)).into_response()
        }
        Ok(Came::Half(return_to, half)) => {
            let half = CookieJar::new().add(of_sign_in(&app, is_https, HALF_COOKIE, half));
            let query = form_of(&[("second", "1"), ("return_to", &return_to)]);
            (jar, half, sent_to(&format!("{SIGN_IN_PAGE}?{query}"))).into_response()
        }
        Ok(Came::Linked) => (jar, sent_to(&format!("{ACCOUNT_PAGE}?linked=1"))).into_response(),
        Err(error) => {
            (jar, error_page_with(error.status(), &error.in_both(), back)).into_response()
        }
    }
}

/// How a way to a provider and back has ended.
enum Came {
    In(String, identity::SignIn),
    Half(String, String),
    Linked,
}

fn form_of(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

async fn came_back(
    app: &App,
    of: &OutsideProvider,
    headers: &HeaderMap,
    query: &str,
    peer: Peer,
    back: &mut &'static str,
) -> Answer<Came> {
    let peer = peer.0.to_string();
    // A failure until it is known to be none: states are not guessed at here.
    app.identity.begin_outside_try(&peer, app.now())?;
    let form = Form::parse(query.as_bytes());
    let browser = cookie(headers, OUTSIDE_COOKIE);
    let state = form.as_ref().ok().and_then(|form| form.get("state"));
    let asked = match (browser, state) {
        (Some(browser), Some(state)) => {
            let id = &of.config.id;
            app.identity
                .take_outside(id, &browser, state, app.now())
                .ok()
        }
        _ => None,
    };
    let (Some(asked), Ok(form)) = (asked, form) else {
        return Err(begin_again());
    };
    if matches!(asked.purpose, OutsidePurpose::Link { .. }) {
        *back = ACCOUNT_PAGE;
    }
    let identity = match who(app, of, &asked, &form).await {
        Ok(identity) => identity,
        Err(Nobody::Turned(error)) => {
            // What the provider does wrong, and a person who turned back, are no guesses.
            app.identity.outside_was_good(&peer);
            return Err(error);
        }
        Err(Nobody::NotTaken(why)) => {
            tracing::warn!(
                provider = of.config.id,
                why,
                "the answer of an outside provider is not taken"
            );
            app.identity
                .refuse_outside(&of.config.id, "", &why, &peer, app.now())
                .await?;
            return Err(ApiError::told(
                StatusCode::BAD_REQUEST,
                not_taken(&of.config),
            ));
        }
    };
    match asked.purpose {
        OutsidePurpose::SignIn => {
            let step = app
                .identity
                .outside_sign_in(&identity, &peer, app.now())
                .await?;
            let step = match step {
                OutsideStep::Known(step) => step,
                OutsideStep::Unlinked => return Err(unlinked(of, &identity)),
                OutsideStep::Closed => return Err(closed()),
            };
            app.identity.outside_was_good(&peer);
            Ok(match step {
                SignInStep::Done(signed) => Came::In(asked.return_to, signed),
                SignInStep::Second(half) => Came::Half(asked.return_to, half.secret),
            })
        }
        OutsidePurpose::Link { user_id, sid } => {
            let linked = app
                .identity
                .link_outside((user_id, &sid), &identity, &peer, app.now())
                .await?;
            app.identity.outside_was_good(&peer);
            match linked {
                Linked::Done => Ok(Came::Linked),
                not => Err(not_linked(of, &identity, not)),
            }
        }
    }
}

/// Why nobody came back.
enum Nobody {
    /// Not by a guess: the person turned back, or the provider is out of order.
    Turned(ApiError),
    /// The answer is not good: why.
    NotTaken(String),
}

/// Who comes back with an answer.
async fn who(
    app: &App,
    of: &OutsideProvider,
    asked: &OutsideAsked,
    form: &Form,
) -> Result<OutsideIdentity, Nobody> {
    let redirect_uri = redirect_uri(app, of).map_err(Nobody::Turned)?;
    let described = app.outside.described(of, app.now()).await;
    let description = described.map_err(|why| Nobody::Turned(unreachable(of, &why)))?;
    if !description.is_answer_of(&of.config, form.get("iss")) {
        let given = quote(form.get("iss").unwrap_or("nobody"));
        return Err(Nobody::NotTaken(format!("the answer is of \"{given}\"")));
    }
    if let Some(error) = form.get("error") {
        return Err(Nobody::Turned(turned_back(of, error)));
    }
    let code = form
        .get("code")
        .ok_or_else(|| Nobody::NotTaken("the answer has no code".to_owned()))?;
    let drawn = (&*asked.nonce, &*asked.verifier);
    let redeemed = app
        .outside
        .redeem(of, &redirect_uri, code, drawn, || app.now())
        .await;
    redeemed.map_err(|no| match no {
        NoPerson::Unreachable(why) => Nobody::Turned(unreachable(of, &why)),
        NoPerson::NotTaken(why) => Nobody::NotTaken(why),
    })
}

fn begin_again() -> ApiError {
    let told = Told::new(
        "sign-in-begin-again",
        both(
            "这次登录已经结束：时间过长、已经用过，或者是在另一个浏览器里开始的",
            "this sign-in is over: it took too long, was used already, or began in another browser",
        ),
        "session",
        both("请重新开始", "begin again"),
    );
    ApiError::told(StatusCode::BAD_REQUEST, told)
}

fn turned_back(of: &OutsideProvider, error: &str) -> ApiError {
    let (zh, en) = (&of.config.name_zh, &of.config.name_en);
    let what = match error {
        "access_denied" => both(
            format!("你没有在{zh}完成登录"),
            format!("you did not finish signing in with {en}"),
        ),
        other => {
            tracing::warn!(
                provider = of.config.id,
                error = quote(other),
                "an outside provider refused a sign-in"
            );
            both(
                format!("{zh}没有完成登录"),
                format!("{en} did not finish the sign-in"),
            )
        }
    };
    let mend = both(
        "请重新登录，或者用本市的用户名和密码",
        "sign in again, or with your username and password here",
    );
    let told = Told::new("outside-turned-back", what, "session", mend);
    ApiError::told(StatusCode::BAD_REQUEST, told)
}

/// An identity as people recognise it.
fn named(identity: &OutsideIdentity) -> String {
    let subject = quote(&identity.subject);
    match identity.shown.as_str() {
        "" => subject,
        shown => format!("{}（{subject}）", quote(shown)),
    }
}

fn unlinked(of: &OutsideProvider, identity: &OutsideIdentity) -> ApiError {
    let who = named(identity);
    let told = Told::new(
        "outside-unlinked",
        both(
            format!("你在{}的身份 {who} 还没有关联本市的账户", of.config.name_zh),
            format!(
                "your identity {who} at {} is not linked to an account here",
                of.config.name_en
            ),
        ),
        "session",
        both(
            "有本市账户的，先用用户名和密码登录，在“我的账户”里关联；没有的，请告诉本单位的管理员，由他开通账户",
            "with an account here, sign in with its password and link the identity under My account; without one, ask the administrator of your organisation for it",
        ),
    );
    ApiError::told(StatusCode::FORBIDDEN, told)
}

/// As a wrong password is refused.
fn closed() -> ApiError {
    let told = Told::new(
        "sign-in-wrong",
        both("无法登录这个账户", "this account cannot be signed in to"),
        "session",
        both("请联系管理员", "ask an administrator"),
    );
    ApiError::told(StatusCode::UNAUTHORIZED, told)
}

fn not_linked(of: &OutsideProvider, identity: &OutsideIdentity, why: Linked) -> ApiError {
    let (who, zh, en) = (named(identity), &of.config.name_zh, &of.config.name_en);
    let again = both("请重新登录后再关联", "sign in again, then link");
    let (code, what, mend) = match why {
        Linked::OfAnother => (
            "identity-of-another",
            both(
                format!("{zh}的身份 {who} 已经关联了另一个账户"),
                format!("the identity {who} at {en} is linked to another account"),
            ),
            both(
                "请先在那个账户里解除关联，或者请管理员解除",
                "unlink it there first, or ask an administrator to",
            ),
        ),
        Linked::HasOther => (
            "identity-other",
            both(
                format!("你的账户已经关联了{zh}的另一个身份"),
                format!("your account is linked to another identity at {en}"),
            ),
            both("请先解除它", "unlink that one first"),
        ),
        Linked::SessionOver | Linked::Done => (
            "signed-out",
            both(
                "要关联的会话已经结束",
                "the session that was to be linked has ended",
            ),
            again,
        ),
    };
    ApiError::told(StatusCode::CONFLICT, Told::new(code, what, "account", mend))
}

/// The second step of a sign-in that began elsewhere than on this page, such as with an outside provider.
#[utoipa::path(get, path = "/api/v1/session/second", tag = "session", security(()),
    responses((status = 200, body = SecondStepBody), (status = 400, body = crate::error::ProblemBody)))]
pub async fn second(State(app): State<App>, headers: HeaderMap) -> Answer<Json<SecondStepBody>> {
    let half = app.identity.half_step(&half(&headers)?, app.now()).await?;
    Ok(Json((&half).into()))
}

/// An identity at an outside provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OutsideIdentity)]
pub struct LinkedBody {
    /// Its number.
    pub id: i64,
    /// The provider's id.
    pub provider: String,
    /// What people call the provider, in Chinese; `null` when the settings name it no more, and it opens nothing.
    pub name_zh: Option<String>,
    /// The same in English.
    pub name_en: Option<String>,
    /// What the provider knows the person by.
    pub subject: String,
    /// What people know the person by there; empty when the provider did not say.
    pub shown: String,
    /// How it was linked: `person`, `claim`.
    pub linked_by: String,
    /// Since when.
    pub linked_at: String,
    /// When it last opened the account.
    pub last_used_at: Option<String>,
}

/// Identities at outside providers.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutsideIdentities {
    /// The oldest first.
    pub items: Vec<LinkedBody>,
}

fn bodies(app: &App, links: Vec<LinkedIdentity>) -> Json<OutsideIdentities> {
    let items = links.into_iter().map(|link| {
        let all = app.outside.all().iter();
        let of = all.map(|p| &p.config).find(|c| c.issuer == link.issuer);
        LinkedBody {
            id: link.id,
            name_zh: of.map(|c| c.name_zh.clone()),
            name_en: of.map(|c| c.name_en.clone()),
            provider: of.map_or(link.provider, |c| c.id.clone()),
            subject: link.subject,
            shown: link.shown,
            linked_by: link.linked_by,
            linked_at: link.linked_at.to_string(),
            last_used_at: link.last_used_at.map(|t| t.to_string()),
        }
    });
    Json(OutsideIdentities {
        items: items.collect(),
    })
}

/// The caller's identities at outside providers.
#[utoipa::path(get, path = "/api/v1/account/identities", tag = "account", security(("session" = [])),
    responses((status = 200, body = OutsideIdentities), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn identities(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: HeaderMap,
) -> Answer<Json<OutsideIdentities>> {
    some(&app)?;
    let Own { user_id, .. } = own(&caller, &headers)?;
    Ok(bodies(&app, app.identity.linked_identities(user_id).await?))
}

/// Begins linking an identity of the caller: tells where the browser goes. The session must be young.
#[utoipa::path(post, path = "/api/v1/account/identities", tag = "account", security(("session" = [])), request_body = OutsideLinkRequest,
    responses((status = 200, body = OutsideOnward), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody), (status = 503, body = crate::error::ProblemBody)))]
pub async fn link(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    is_https: IsHttps,
    headers: HeaderMap,
    Json(request): Json<OutsideLinkRequest>,
) -> Answer<Response> {
    let of = provider(&app, &request.provider)?;
    let Own { user_id, session } = young(&app, &caller, &headers).await?;
    let sid = secret::session_name(&session);
    let purpose = OutsidePurpose::Link { user_id, sid };
    begin(&app, of, (ACCOUNT_PAGE, purpose), peer, is_https).await
}

/// Unlinks an identity of the caller.
#[utoipa::path(delete, path = "/api/v1/account/identities/{id}", tag = "account", security(("session" = [])), params(("id" = i64, Path)),
    responses((status = 204), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn unlink(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    some(&app)?;
    let Own { user_id, .. } = young(&app, &caller, &headers).await?;
    let actor = peer.actor(&caller);
    app.identity
        .unlink_outside(user_id, id, &actor, app.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A person's identities at outside providers.
#[utoipa::path(get, path = "/api/v1/users/{username}/identities", tag = "account", security(("session" = ["user.manage"])), params(("username" = String, Path)),
    responses((status = 200, body = OutsideIdentities), (status = 404, body = crate::error::ProblemBody)))]
pub async fn identities_of(
    State(app): State<App>,
    Path(username): Path<String>,
) -> Answer<Json<OutsideIdentities>> {
    some(&app)?;
    let user = app.identity.user_by_username(&username).await?;
    Ok(bodies(&app, app.identity.linked_identities(user.id).await?))
}

/// Unlinks a person's identity, and ends their sessions: it is no longer theirs.
#[utoipa::path(delete, path = "/api/v1/users/{username}/identities/{id}", tag = "account", security(("session" = ["user.manage"])), params(("username" = String, Path), ("id" = i64, Path)),
    responses((status = 204), (status = 404, body = crate::error::ProblemBody)))]
pub async fn unlink_of(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path((username, id)): Path<(String, i64)>,
) -> Answer<StatusCode> {
    some(&app)?;
    let user = app.identity.user_by_username(&username).await?;
    let ended = app
        .identity
        .unlink_outside(user.id, id, &peer.actor(&caller), app.now())
        .await?;
    sessions_ended(&app, &ended).await?;
    Ok(StatusCode::NO_CONTENT)
}
