//! What the platform signs: access tokens (RFC 9068), ID tokens (OpenID Connect Core §2), logout tokens (Back-Channel
//! Logout §2.4); and the check of an access token, which asks nobody: signature, issuer, times.

use crate::keys::Keys;
use jsonwebtoken::{Algorithm, Validation};
use model::{Problem, Timestamp};
use records::Failure;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// `typ` of an access token (RFC 9068 §2.1).
pub const ACCESS_TOKEN: &str = "at+jwt";
/// `typ` of an ID token.
pub const ID_TOKEN: &str = "JWT";
/// `typ` of a logout token.
pub const LOGOUT_TOKEN: &str = "logout+jwt";
/// Longest token that is looked at, bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The issuer.
    pub iss: String,
    /// The person (`user:7`), or the client itself.
    pub sub: String,
    /// Who takes it: the issuer.
    pub aud: String,
    /// Which client has it.
    pub client_id: String,
    /// What it may, a space between.
    pub scope: String,
    /// When it was given, seconds since 1970.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// Its own name.
    pub jti: String,
    /// The sign-in that it belongs to; none for a client that acts for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
}

/// What an ID token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdClaims {
    /// The issuer.
    pub iss: String,
    /// The person.
    pub sub: String,
    /// The client.
    pub aud: String,
    /// When it was given, seconds since 1970.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// When the person signed in here.
    pub auth_time: i64,
    /// What the client asked to see again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Half of the access token's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// The person's session here.
    pub sid: String,
    /// What the scopes let the client know.
    #[serde(flatten)]
    pub person: Person,
}

/// What is told of a person, by scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// `profile`: the person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `profile`: the name to sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// `organisation`: the department's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// `role`: the role here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// What a logout token says.
#[derive(Debug, Serialize)]
pub(crate) struct LogoutClaims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub iat: i64,
    pub exp: i64,
    pub jti: String,
    pub sid: String,
    pub events: serde_json::Value,
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// It is no token of this kind.
    Form,
    /// It names no key of ours, or another algorithm than RS256.
    Key,
    /// Its signature is not that of its key.
    Signature,
    /// Another issued it, or it is for another.
    Issuer,
    /// It has ended.
    Expired,
    /// Its time has not come: the clocks differ by more than is forgiven.
    NotYet,
}

impl Bad {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Form => "it is no such token",
            Self::Key => "it is not signed with RS256 and a key of ours",
            Self::Signature => "its signature is wrong",
            Self::Issuer => "another issued it, or it is for another",
            Self::Expired => "it has expired",
            Self::NotYet => "its time has not come",
        }
    }
}

/// Signs claims as a token of a kind.
pub(crate) fn sign(keys: &Keys, kind: &str, claims: &impl Serialize) -> Result<String, Failure> {
    let (header, key) = keys.signing(kind).ok_or_else(|| {
        Failure::internal(Problem::new(
            "oidc-keys",
            "no key signs",
            "keys",
            "restart the city",
        ))
    })?;
    jsonwebtoken::encode(&header, claims, key).map_err(Failure::internal)
}

/// Reads a token of a kind: its form, its algorithm, its key, its signature. Times and issuer are the caller's.
pub(crate) fn read<T: DeserializeOwned>(keys: &Keys, kind: &str, token: &str) -> Result<T, Bad> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Bad::Form);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|e| match e.kind() {
        // `none` and what else is no algorithm at all.
        jsonwebtoken::errors::ErrorKind::Json(_) => Bad::Key,
        _ => Bad::Form,
    })?;
    if header.alg != Algorithm::RS256 || header.crit.is_some() {
        return Err(Bad::Key);
    }
    if header.typ.as_deref() != Some(kind) {
        return Err(Bad::Form);
    }
    let key = header
        .kid
        .as_deref()
        .and_then(|kid| keys.verifying(kid))
        .ok_or(Bad::Key)?;
    let mut validation = Validation::new(Algorithm::RS256);
    // Times are an argument here, and the issuer is looked at below.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    match jsonwebtoken::decode::<T>(token, key, &validation) {
        Ok(data) => Ok(data.claims),
        Err(error) => Err(match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidSignature => Bad::Signature,
            jsonwebtoken::errors::ErrorKind::InvalidAlgorithm => Bad::Key,
            _ => Bad::Form,
        }),
    }
}

/// Checks an access token without asking anybody: its signature, its issuer, its times. `skew_s` is forgiven both ways.
///
/// # Errors
/// Why it is not good.
pub fn check_access(
    keys: &Keys,
    issuer: &str,
    token: &str,
    skew_s: i64,
    now: Timestamp,
) -> Result<AccessClaims, Bad> {
    let claims: AccessClaims = read(keys, ACCESS_TOKEN, token)?;
    if claims.iss != issuer || claims.aud != issuer {
        return Err(Bad::Issuer);
    }
    let now_s = now.micros().div_euclid(1_000_000);
    if claims.exp.saturating_add(skew_s) <= now_s {
        return Err(Bad::Expired);
    }
    if claims.iat.saturating_sub(skew_s) > now_s {
        return Err(Bad::NotYet);
    }
    Ok(claims)
}

/// The user of a subject such as `user:7`.
pub fn user_of(sub: &str) -> Option<i64> {
    sub.strip_prefix("user:")?.parse().ok()
}

/// The subject of a user.
pub fn subject(user_id: i64) -> String {
    format!("user:{user_id}")
}
