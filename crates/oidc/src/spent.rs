//! Tokens in use: what one is worth now (introspection, RFC 7662), taking one back (revocation, RFC 7009), and what a
//! client may know of the person (userinfo).

use crate::client::Client;
use crate::exchange::{REFRESH_PREFIX, told_of};
use crate::fault::{Answer, Fault};
use crate::form::Form;
use crate::provider::Provider;
use crate::secret;
use crate::tokens::{AccessClaims, Person, user_of};
use model::Timestamp;
use records::oidc::Family;
use records::users::User;
use records::{Actor, ActorKind, Connection, Event, audit, oidc};
use serde::Serialize;
use serde_json::json;

/// What a token is worth (RFC 7662 §2.2). One that is worth nothing says only that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Introspection {
    /// Whether it is good.
    pub active: bool,
    /// What it may, a space between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Which client has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The person's name to sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `Bearer`, for an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// When it ends, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// The person, or the client itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Who takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// The issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Its own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
}

/// What a client may know of the person (OpenID Connect Core §5.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserInfo {
    /// The person.
    pub sub: String,
    /// By the token's scopes.
    #[serde(flatten)]
    pub person: Person,
}

const fn seconds(t: Timestamp) -> i64 {
    t.micros().div_euclid(1_000_000)
}

impl Provider {
    /// Whether an access token that is good in itself was taken back, or its sign-in, its client or its person has gone.
    /// Gives the person; none for a client that acts for itself.
    async fn alive(
        &self,
        connection: &mut Connection,
        claims: &AccessClaims,
        now: Timestamp,
    ) -> records::Result<Option<Option<User>>> {
        if oidc::is_revoked(connection, &claims.jti).await?
            || self.client(connection, &claims.client_id).await?.is_none()
        {
            return Ok(None);
        }
        let Some(family) = &claims.family else {
            return Ok(Some(None));
        };
        let family = oidc::family(connection, family).await?;
        let is_alive = family.is_some_and(|f| f.ended_at.is_none() && f.expires_at > now);
        let user = match user_of(&claims.sub) {
            Some(id) if is_alive => self.person(connection, id).await?,
            _ => None,
        };
        Ok(user.map(Some))
    }

    /// What a token is worth now. A public client cannot ask: anybody could say that it is one.
    ///
    /// # Errors
    /// In the protocol's words.
    pub async fn introspect(
        &self,
        client: &Client,
        form: &Form,
        now: Timestamp,
    ) -> Answer<Introspection> {
        if client.row.is_public {
            return Err(Fault::client(
                "a public client may not ask what a token is worth",
            ));
        }
        let token = form.need("token")?;
        let mut connection = self.records.read().await?;
        if token.starts_with(REFRESH_PREFIX) {
            return Ok(self
                .introspect_refresh(&mut connection, client, token, now)
                .await?);
        }
        let Ok(claims) = self.check_access_token(token, now) else {
            return Ok(Introspection::default());
        };
        let Some(user) = self.alive(&mut connection, &claims, now).await? else {
            return Ok(Introspection::default());
        };
        Ok(Introspection {
            active: true,
            scope: Some(claims.scope),
            client_id: Some(claims.client_id),
            username: user.map(|u| u.username),
            token_type: Some("Bearer"),
            exp: Some(claims.exp),
            iat: Some(claims.iat),
            sub: Some(claims.sub),
            aud: Some(claims.aud),
            iss: Some(claims.iss),
            jti: Some(claims.jti),
        })
    }

    /// A refresh token is told of to its own client alone.
    async fn introspect_refresh(
        &self,
        connection: &mut Connection,
        client: &Client,
        token: &str,
        now: Timestamp,
    ) -> records::Result<Introspection> {
        let nothing = Introspection::default();
        let Some(row) = oidc::refresh(connection, &secret::hash(token)).await? else {
            return Ok(nothing);
        };
        let Some(family) = oidc::family(connection, &row.family).await? else {
            return Ok(nothing);
        };
        let is_good = row.used_at.is_none()
            && row.expires_at > now
            && family.ended_at.is_none()
            && family.client_id == client.id();
        let Some(user) = self
            .person(connection, family.user_id)
            .await?
            .filter(|_| is_good)
        else {
            return Ok(nothing);
        };
        Ok(Introspection {
            active: true,
            scope: Some(family.scopes),
            client_id: Some(family.client_id),
            sub: Some(crate::tokens::subject(user.id)),
            username: Some(user.username),
            exp: Some(seconds(row.expires_at)),
            iat: Some(seconds(row.issued_at)),
            iss: self.issuer().map(str::to_owned),
            ..nothing
        })
    }

    /// Takes a token back: with a refresh token its whole sign-in, an access token alone. One that is unknown, or another
    /// client's, is none to take back, and the answer is the same (RFC 7009 §2.2).
    ///
    /// # Errors
    /// In the protocol's words.
    pub async fn revoke(
        &self,
        client: &Client,
        form: &Form,
        peer: &str,
        now: Timestamp,
    ) -> Answer<()> {
        let token = form.need("token")?;
        let mut write = self.records.write().await?;
        if token.starts_with(REFRESH_PREFIX) {
            let row = oidc::refresh(&mut write, &secret::hash(token)).await?;
            let family = match row {
                Some(row) => oidc::family(&mut write, &row.family).await?,
                None => None,
            };
            if let Some(family) = family.filter(|f| f.client_id == client.id())
                && oidc::end_family(&mut write, &family.family, "revoked", now).await?
            {
                let actor = Actor {
                    kind: ActorKind::System,
                    name: client.id().to_owned(),
                    peer: peer.to_owned(),
                };
                let target = crate::tokens::subject(family.user_id);
                audit::insert(
                    &mut write,
                    now,
                    &actor,
                    Event::OidcRevoke,
                    &target,
                    &json!({"client": client.id()}),
                )
                .await?;
            }
        } else if let Ok(claims) = self.check_access_token(token, now)
            && claims.client_id == client.id()
        {
            let until = Timestamp::from_seconds(claims.exp + self.options.clock_skew_s);
            oidc::revoke(&mut write, &claims.jti, until).await?;
        }
        write.commit().await?;
        Ok(())
    }

    /// What the holder of an access token may know of the person.
    ///
    /// # Errors
    /// `invalid_token`, `insufficient_scope` (RFC 6750 §3.1).
    pub async fn user_info(&self, token: &str, now: Timestamp) -> Answer<UserInfo> {
        self.open()?;
        let claims = self
            .check_access_token(token, now)
            .map_err(|bad| Fault::token(bad.as_str()))?;
        let mut connection = self.records.read().await?;
        let user = self
            .alive(&mut connection, &claims, now)
            .await?
            .ok_or_else(|| Fault::token("it was taken back"))?;
        let has_openid = claims.scope.split(' ').any(|s| s == "openid");
        let (Some(user), true) = (user, has_openid) else {
            return Err(Fault::new(
                "insufficient_scope",
                403,
                "the token has not the scope openid",
            ));
        };
        Ok(UserInfo {
            person: told_of(&user, &claims.scope),
            sub: claims.sub,
        })
    }

    /// Takes away what has been over for a day; gives how many rows.
    ///
    /// # Errors
    /// The store's own.
    pub async fn tidy(&self, now: Timestamp) -> records::Result<u64> {
        let mut write = self.records.write().await?;
        let gone = oidc::delete_over(&mut write, now.plus_seconds(-86_400)).await?;
        write.commit().await?;
        Ok(gone)
    }
}

/// The families that are of interest to a session that ends.
pub(crate) fn outlives(family: &Family) -> bool {
    family.scopes.split(' ').any(|s| s == "offline_access")
}
