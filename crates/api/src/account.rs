//! The caller's own account (我的账户): second factors, password, sessions; and an administrator who takes somebody's second
//! factors away. Only a person has one, and only a session that was opened lately may change how its person signs in.

use crate::access::{Caller, Peer, session_cookie};
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::oidc_consent::sessions_ended;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use identity::webauthn::{Registration, RegistrationResponse};
use identity::{NewTotp, Principal, secret};
use model::problem::both;
use model::{Timestamp, Told};
use records::passkeys::Passkey;
use records::sessions::Session;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the caller signs in, and where they are signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnAccount)]
pub struct AccountBody {
    /// The name to sign in with.
    pub username: String,
    /// When the password was last set.
    pub password_set_at: String,
    /// Since when there are time-based codes (动态口令).
    pub totp_since: Option<String>,
    /// Recovery codes (恢复码) that are left.
    pub recovery_codes_left: i64,
    /// Passkeys (通行密钥), the oldest first.
    pub passkeys: Vec<PasskeyBody>,
    /// Sessions (会话), the newest first.
    pub sessions: Vec<OwnSession>,
    /// Whether the caller's role asks for a second factor.
    pub second_factor_required: bool,
    /// The address under which passkeys work, `null` when under none.
    pub passkey_origin: Option<String>,
    /// Until when this session may change how its person signs in; after that, one signs in again first.
    pub young_until: String,
}

/// A passkey.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Passkey)]
pub struct PasskeyBody {
    /// Its number.
    pub id: i64,
    /// What its person calls it.
    pub name: String,
    /// Whether it may lie on several devices.
    pub is_synced: bool,
    /// Since when.
    pub created_at: String,
    /// When it was last used.
    pub last_used_at: Option<String>,
}

impl From<Passkey> for PasskeyBody {
    fn from(p: Passkey) -> Self {
        Self {
            id: p.id,
            name: p.name,
            is_synced: p.is_synced,
            created_at: p.created_at.to_string(),
            last_used_at: p.last_used_at.map(|t| t.to_string()),
        }
    }
}

/// A session of the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnSession {
    /// Its name, by which it can be ended.
    pub id: String,
    /// Whether it is the one that asks.
    pub is_this: bool,
    /// The network address that it was opened from.
    pub peer: String,
    /// How it was opened: `password`, `totp`, `recovery`, `passkey`, `province`.
    pub began_by: String,
    /// When it was opened.
    pub created_at: String,
    /// When it was last used, to about a minute.
    pub last_seen_at: String,
    /// When it ends however much it is used.
    pub expires_at: String,
}

/// A person with the session that asks.
pub(crate) struct Own {
    pub user_id: i64,
    pub session: String,
}

pub(crate) fn own(caller: &Principal, headers: &HeaderMap) -> Answer<Own> {
    let session = session_cookie(headers);
    match (caller.user_id(), session) {
        (Some(user_id), Some(session)) => Ok(Own { user_id, session }),
        _ => {
            let told = Told::new(
                "account-person",
                both(
                    "只有登录的人才有账户",
                    "only a person who is signed in has an account",
                ),
                "session",
                both("请在网页上登录", "sign in on the page"),
            );
            Err(ApiError::told(StatusCode::BAD_REQUEST, told))
        }
    }
}

/// The same, when the session is young.
pub(crate) async fn young(app: &App, caller: &Principal, headers: &HeaderMap) -> Answer<Own> {
    let own = own(caller, headers)?;
    app.identity.must_be_young(&own.session, app.now()).await?;
    Ok(own)
}

/// How the caller signs in, and where they are signed in.
#[utoipa::path(get, path = "/api/v1/account", tag = "account", security(("session" = [])),
    responses((status = 200, body = AccountBody), (status = 400, body = crate::error::ProblemBody)))]
pub async fn account(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: HeaderMap,
) -> Answer<Json<AccountBody>> {
    let own = own(&caller, &headers)?;
    let user = app.identity.user(own.user_id).await?;
    let found = app.identity.account(own.user_id, app.now()).await?;
    let this = secret::session_name(&own.session);
    let opened = found.sessions.iter().find(|s| s.sid == this);
    let opened = opened.map_or_else(Timestamp::default, |s| s.created_at);
    let shown = |s: Session| OwnSession {
        is_this: s.sid == this,
        id: s.sid,
        peer: s.peer,
        began_by: s.began_by,
        created_at: s.created_at.to_string(),
        last_seen_at: s.last_seen_at.to_string(),
        expires_at: s.expires_at.to_string(),
    };
    Ok(Json(AccountBody {
        username: user.username,
        password_set_at: user.password_set_at.to_string(),
        totp_since: found.totp_since.map(|t| t.to_string()),
        recovery_codes_left: found.recovery_codes_left,
        passkeys: found.passkeys.into_iter().map(Into::into).collect(),
        second_factor_required: found.second_factor_required,
        passkey_origin: app.identity.origin().map(|o| o.as_str().to_owned()),
        young_until: opened
            .plus_seconds(app.identity.options().session_young_s)
            .to_string(),
        sessions: found.sessions.into_iter().map(shown).collect(),
    }))
}

/// Another password.
#[derive(Deserialize, ToSchema)]
pub struct PasswordChange {
    /// The password that the caller has now.
    pub old: String,
    /// The new one.
    pub new: String,
}

/// Changes the caller's password; their other sessions end.
#[utoipa::path(post, path = "/api/v1/account/password", tag = "account", security(("session" = [])), request_body = PasswordChange,
    responses((status = 204), (status = 400, body = crate::error::ProblemBody), (status = 429, body = crate::error::ProblemBody)))]
pub async fn password(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
    Json(change): Json<PasswordChange>,
) -> Answer<StatusCode> {
    let own = own(&caller, &headers)?;
    let ended = app
        .identity
        .change_own_password(
            own.user_id,
            &own.session,
            (&change.old, &change.new),
            &peer.actor(&caller),
            app.now(),
        )
        .await?;
    sessions_ended(&app, &ended).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A secret for time-based codes, shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = NewTotp)]
pub struct TotpBody {
    /// The secret as people type it, base 32.
    pub secret: String,
    /// What an authenticator app reads: `otpauth://totp/…`.
    pub uri: String,
    /// The same as a QR code, SVG.
    pub qr_svg: String,
}

impl From<NewTotp> for TotpBody {
    fn from(new: NewTotp) -> Self {
        Self {
            secret: new.secret,
            uri: new.uri,
            qr_svg: new.qr_svg,
        }
    }
}

/// Recovery codes, shown this once; empty when those from before are still good.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each is good once.
    pub recovery_codes: Vec<String>,
}

impl From<Vec<String>> for RecoveryCodes {
    fn from(recovery_codes: Vec<String>) -> Self {
        Self { recovery_codes }
    }
}

/// Shows the caller a new secret for time-based codes.
#[utoipa::path(post, path = "/api/v1/account/totp", tag = "account", security(("session" = [])),
    responses((status = 200, body = TotpBody), (status = 400, body = crate::error::ProblemBody), (status = 403, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn begin_totp(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
) -> Answer<Json<TotpBody>> {
    let own = young(&app, &caller, &headers).await?;
    let user = app.identity.user(own.user_id).await?;
    let peer = peer.0.to_string();
    let shown = app.identity.begin_totp(&user, &peer, app.now()).await?;
    Ok(Json(shown.into()))
}

/// Puts the codes to use, once the caller's app shows a right one.
#[utoipa::path(post, path = "/api/v1/account/totp/confirm", tag = "account", security(("session" = [])), request_body = crate::second_step::SecondCode,
    responses((status = 200, body = RecoveryCodes), (status = 400, body = crate::error::ProblemBody), (status = 403, body = crate::error::ProblemBody), (status = 429, body = crate::error::ProblemBody)))]
pub async fn confirm_totp(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
    Json(said): Json<crate::second_step::SecondCode>,
) -> Answer<Json<RecoveryCodes>> {
    let own = young(&app, &caller, &headers).await?;
    let user = app.identity.user(own.user_id).await?;
    let actor = peer.actor(&caller);
    let codes = app
        .identity
        .confirm_totp(&user, &said.code, &actor, app.now())
        .await?;
    Ok(Json(codes.into()))
}

/// Gives the caller's time-based codes up.
#[utoipa::path(delete, path = "/api/v1/account/totp", tag = "account", security(("session" = [])),
    responses((status = 204), (status = 400, body = crate::error::ProblemBody), (status = 403, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn remove_totp(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let own = young(&app, &caller, &headers).await?;
    app.identity
        .remove_totp(own.user_id, &peer.actor(&caller), app.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// New recovery codes for the caller; those before are wrong from now on.
#[utoipa::path(post, path = "/api/v1/account/recovery-codes", tag = "account", security(("session" = [])),
    responses((status = 200, body = RecoveryCodes), (status = 400, body = crate::error::ProblemBody), (status = 403, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn renew_recovery_codes(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
) -> Answer<Json<RecoveryCodes>> {
    let own = young(&app, &caller, &headers).await?;
    let codes = app
        .identity
        .renew_recovery_codes(own.user_id, &peer.actor(&caller), app.now())
        .await?;
    Ok(Json(codes.into()))
}

/// What a browser is to ask its authenticator.
#[derive(Debug, Serialize, ToSchema)]
pub struct PasskeyQuestion {
    /// Of WebAuthn: `PublicKeyCredentialCreationOptionsJSON` for a new passkey, `PublicKeyCredentialRequestOptionsJSON` for a
    /// sign-in.
    pub options: serde_json::Value,
}

/// What the browser is to ask its authenticator, for a new passkey of the caller.
#[utoipa::path(post, path = "/api/v1/account/passkeys/question", tag = "account", security(("session" = [])),
    responses((status = 200, body = PasskeyQuestion), (status = 400, body = crate::error::ProblemBody), (status = 403, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn passkey_question(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
) -> Answer<Json<PasskeyQuestion>> {
    let own = young(&app, &caller, &headers).await?;
    let user = app.identity.user(own.user_id).await?;
    let peer = peer.0.to_string();
    let options = app
        .identity
        .begin_passkey(&user, &own.session, &peer, app.now())
        .await?;
    Ok(Json(PasskeyQuestion { options }))
}

/// A passkey that the browser made.
#[derive(Deserialize, ToSchema)]
pub struct PasskeyDraft {
    /// What its person calls it.
    pub name: String,
    /// `response.clientDataJSON`, base64url.
    pub client_data_json: String,
    /// `response.attestationObject`, base64url.
    pub attestation_object: String,
}

/// The name, and what the authenticator made.
pub(crate) fn registration_of(draft: PasskeyDraft) -> (String, Registration) {
    let response = RegistrationResponse {
        client_data_json: draft.client_data_json,
        attestation_object: draft.attestation_object,
    };
    (draft.name, Registration { response })
}

/// A passkey that was added just now.
#[derive(Serialize, ToSchema)]
pub struct NewPasskey {
    /// It.
    pub passkey: PasskeyBody,
    /// Recovery codes, shown this once, when there were none yet.
    pub recovery_codes: Vec<String>,
}

/// Adds a passkey of the caller.
#[utoipa::path(post, path = "/api/v1/account/passkeys", tag = "account", security(("session" = [])), request_body = PasskeyDraft,
    responses((status = 201, body = NewPasskey), (status = 400, body = crate::error::ProblemBody), (status = 403, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn add_passkey(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
    Json(draft): Json<PasskeyDraft>,
) -> Answer<Response> {
    let own = young(&app, &caller, &headers).await?;
    let user = app.identity.user(own.user_id).await?;
    let (name, made) = registration_of(draft);
    let actor = peer.actor(&caller);
    let added = app
        .identity
        .add_passkey(&user, &own.session, (&name, &made), &actor, app.now())
        .await?;
    let body = NewPasskey {
        passkey: added.passkey.into(),
        recovery_codes: added.recovery_codes,
    };
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// Takes a passkey of the caller away.
#[utoipa::path(delete, path = "/api/v1/account/passkeys/{id}", tag = "account", security(("session" = [])), params(("id" = i64, Path)),
    responses((status = 204), (status = 400, body = crate::error::ProblemBody), (status = 403, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody)))]
pub async fn remove_passkey(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    let own = young(&app, &caller, &headers).await?;
    app.identity
        .remove_passkey(own.user_id, id, &peer.actor(&caller), app.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a session of the caller.
#[utoipa::path(delete, path = "/api/v1/account/sessions/{id}", tag = "account", security(("session" = [])), params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn end_session(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let own = own(&caller, &headers)?;
    app.identity
        .end_session(own.user_id, &id, &peer.actor(&caller), app.now())
        .await?;
    sessions_ended(&app, &[id]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all sessions of the caller but the one that asks.
#[utoipa::path(delete, path = "/api/v1/account/sessions", tag = "account", security(("session" = [])),
    responses((status = 204), (status = 400, body = crate::error::ProblemBody)))]
pub async fn end_other_sessions(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let own = own(&caller, &headers)?;
    let actor = peer.actor(&caller);
    let ended = app
        .identity
        .end_other_sessions(own.user_id, &own.session, &actor, app.now())
        .await?;
    sessions_ended(&app, &ended).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The second factors of a person, as an administrator sees them.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecondFactors {
    /// Whether there are time-based codes.
    pub totp: bool,
    /// How many passkeys there are.
    pub passkeys: usize,
    /// Recovery codes that are left.
    pub recovery_codes_left: i64,
    /// Whether the person's role asks for a second factor.
    pub required: bool,
}

/// The second factors of a person.
#[utoipa::path(get, path = "/api/v1/users/{username}/second-factors", tag = "account", security(("session" = ["user.manage"])), params(("username" = String, Path)),
    responses((status = 200, body = SecondFactors), (status = 404, body = crate::error::ProblemBody)))]
pub async fn second_factors(
    State(app): State<App>,
    Path(username): Path<String>,
) -> Answer<Json<SecondFactors>> {
    let user = app.identity.user_by_username(&username).await?;
    let found = app.identity.account(user.id, app.now()).await?;
    Ok(Json(SecondFactors {
        totp: found.totp_since.is_some(),
        passkeys: found.passkeys.len(),
        recovery_codes_left: found.recovery_codes_left,
        required: found.second_factor_required,
    }))
}

/// Takes all second factors of a person away and ends their sessions, because a telephone or a key is lost.
#[utoipa::path(delete, path = "/api/v1/users/{username}/second-factors", tag = "account", security(("session" = ["user.manage"])), params(("username" = String, Path)),
    responses((status = 204), (status = 404, body = crate::error::ProblemBody)))]
pub async fn reset_second_factors(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(username): Path<String>,
) -> Answer<StatusCode> {
    let user = app.identity.user_by_username(&username).await?;
    let actor = peer.actor(&caller);
    let ended = app
        .identity
        .reset_factors(user.id, &actor, app.now())
        .await?;
    sessions_ended(&app, &ended).await?;
    Ok(StatusCode::NO_CONTENT)
}
