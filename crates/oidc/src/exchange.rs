//! The token endpoint: codes, refresh tokens, devices' codes and clients' own secrets become tokens. A code and a refresh
//! token are good once; whoever brings one again, owner or thief, ends the whole sign-in that it came from, because nobody
//! can tell the two apart (RFC 6749 §4.1.2, RFC 9700 §4.14).

use crate::client::{Client, Grant};
use crate::fault::{Answer, Fault};
use crate::form::Form;
use crate::provider::{Provider, new_secret};
use crate::tokens::{self, ACCESS_TOKEN, AccessClaims, ID_TOKEN, IdClaims, Person};
use crate::{asked, pkce, secret};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Problem, Timestamp};
use records::oidc::{Family, RefreshToken};
use records::users::User;
use records::{Actor, ActorKind, Connection, Event, Write, audit, oidc};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

/// What every refresh token begins with, so that a leaked one is recognised.
pub const REFRESH_PREFIX: &str = "jlr_";

/// The tokens (RFC 6749 §5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenAnswer {
    /// A JWT.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// Seconds that the access token is good.
    pub expires_in: i64,
    /// What it may, a space between.
    pub scope: String,
    /// For the next tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who signed in: a JWT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

impl Provider {
    /// Answers a request for tokens. The client has shown who it is.
    ///
    /// # Errors
    /// In the protocol's words.
    pub async fn exchange(
        &self,
        client: &Client,
        form: &Form,
        peer: &str,
        now: Timestamp,
    ) -> Answer<TokenAnswer> {
        self.count_request(client, peer, now)?;
        let text = form.need("grant_type")?;
        let grant = Grant::ALL
            .into_iter()
            .find(|g| g.as_str() == text)
            .ok_or_else(|| {
                Fault::new(
                    "unsupported_grant_type",
                    400,
                    "use a grant_type that /.well-known/openid-configuration names",
                )
            })?;
        if !client.may(grant) {
            return Err(Fault::unauthorised(format!(
                "this client may not use {text}"
            )));
        }
        match grant {
            Grant::Code => self.exchange_code(client, form, peer, now).await,
            Grant::Refresh => self.exchange_refresh(client, form, peer, now).await,
            Grant::Credentials => self.exchange_credentials(client, form, now),
            Grant::Device => self.exchange_device(client, form, now).await,
        }
    }

    async fn exchange_code(
        &self,
        client: &Client,
        form: &Form,
        peer: &str,
        now: Timestamp,
    ) -> Answer<TokenAnswer> {
        let hash = secret::hash(form.need("code")?);
        let verifier = form.need("code_verifier")?;
        let redirect_uri = form.need("redirect_uri")?;
        let mut write = self.records.write().await?;
        let unknown = || Fault::grant("the code is unknown, was used, or has expired");
        let code = oidc::code(&mut write, &hash).await?.ok_or_else(unknown)?;
        let family = own_family(&mut write, client, &code.family).await?;
        let family = family.ok_or_else(unknown)?;
        if code.used_at.is_some() {
            self.end_for_replay(write, &family, "code-replayed", peer, now)
                .await?;
            return Err(unknown());
        }
        if code.expires_at <= now || family.ended_at.is_some() {
            return Err(unknown());
        }
        if code.redirect_uri != redirect_uri {
            return Err(Fault::grant(
                "redirect_uri is not that of the request to sign in",
            ));
        }
        if !pkce::fits(verifier, &code.challenge) {
            return Err(Fault::grant("code_verifier is not that of code_challenge"));
        }
        let Some(user) = self.person(&mut write, family.user_id).await? else {
            return Err(Fault::grant("the person's account is closed"));
        };
        oidc::use_code(&mut write, &hash, now).await?;
        self.give(write, client, &family, &user, None, now).await
    }

    async fn exchange_refresh(
        &self,
        client: &Client,
        form: &Form,
        peer: &str,
        now: Timestamp,
    ) -> Answer<TokenAnswer> {
        let hash = secret::hash(form.need("refresh_token")?);
        let mut write = self.records.write().await?;
        let unknown = || {
            Fault::grant("the refresh token is unknown, was used, was taken back, or has expired")
        };
        let token = oidc::refresh(&mut write, &hash)
            .await?
            .ok_or_else(unknown)?;
        let family = own_family(&mut write, client, &token.family).await?;
        let family = family.ok_or_else(unknown)?;
        if token.used_at.is_some() {
            self.end_for_replay(write, &family, "refresh-reused", peer, now)
                .await?;
            return Err(unknown());
        }
        if family.ended_at.is_some() || family.expires_at <= now || token.expires_at <= now {
            return Err(unknown());
        }
        let Some(user) = self.person(&mut write, family.user_id).await? else {
            return Err(Fault::grant("the person's account is closed"));
        };
        // Fewer scopes may be asked for, never more (RFC 6749 §6).
        let narrowed = match form.get("scope") {
            None => None,
            Some(text) => {
                let had: Vec<&str> = family.scopes.split(' ').collect();
                if let Some(more) = text.split(' ').find(|s| !s.is_empty() && !had.contains(s)) {
                    return Err(Fault::scope(format!("{more} was not granted")));
                }
                Some(text.to_owned())
            }
        };
        oidc::use_refresh(&mut write, &hash, now).await?;
        self.give(write, client, &family, &user, narrowed, now)
            .await
    }

    fn exchange_credentials(
        &self,
        client: &Client,
        form: &Form,
        now: Timestamp,
    ) -> Answer<TokenAnswer> {
        if client.row.is_public {
            return Err(Fault::unauthorised("a public client cannot act for itself"));
        }
        let scopes = asked::scopes(form.get("scope").unwrap_or_default(), client)?;
        // What is about a person has no place in a token without one.
        if scopes.iter().any(|s| s != "role") {
            return Err(Fault::scope(
                "of the scopes here, none but role is for a client that acts for itself",
            ));
        }
        let scope = scopes.join(" ");
        let claims = self.access_claims(client.id(), client.id(), &scope, None, now)?;
        Ok(TokenAnswer {
            access_token: tokens::sign(&*self.keys()?, ACCESS_TOKEN, &claims)?,
            token_type: "Bearer",
            expires_in: self.options.access_token_s,
            scope,
            refresh_token: None,
            id_token: None,
        })
    }

    /// The tokens of a sign-in; they are given when everything is on disk.
    pub(crate) async fn give(
        &self,
        mut write: Write,
        client: &Client,
        family: &Family,
        user: &User,
        narrowed: Option<String>,
        now: Timestamp,
    ) -> Answer<TokenAnswer> {
        let keys = self.keys()?;
        let issuer = &self.open()?.issuer;
        let scope = narrowed.unwrap_or_else(|| family.scopes.clone());
        let has = |wanted: &str| scope.split(' ').any(|s| s == wanted);
        let sub = tokens::subject(user.id);
        let access = self.access_claims(&sub, client.id(), &scope, Some(&family.family), now)?;
        let access_token = tokens::sign(&keys, ACCESS_TOKEN, &access)?;
        let seconds = |t: Timestamp| t.micros().div_euclid(1_000_000);
        let id_token = if has("openid") {
            let claims = IdClaims {
                iss: issuer.clone(),
                sub,
                aud: client.id().to_owned(),
                iat: seconds(now),
                exp: seconds(now) + self.options.id_token_s,
                auth_time: seconds(family.auth_time),
                nonce: family.nonce.clone(),
                at_hash: Some(
                    URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token.as_bytes())[..16]),
                ),
                sid: family.sid.clone(),
                person: told_of(user, &scope),
            };
            Some(tokens::sign(&keys, ID_TOKEN, &claims)?)
        } else {
            None
        };
        let mut refresh_token = None;
        // The family's own scopes decide: a narrower access token does not end the refreshing.
        if client.may(Grant::Refresh) && family.scopes.split(' ').any(|s| s == "offline_access") {
            let (text, token_hash) = new_secret(REFRESH_PREFIX, self.draw);
            let row = RefreshToken {
                token_hash,
                family: family.family.clone(),
                issued_at: now,
                expires_at: family
                    .expires_at
                    .min(now.plus_seconds(self.options.refresh_token_s)),
                used_at: None,
            };
            oidc::insert_refresh(&mut write, &row).await?;
            refresh_token = Some(text);
        }
        write.commit().await?;
        Ok(TokenAnswer {
            access_token,
            token_type: "Bearer",
            expires_in: self.options.access_token_s,
            scope,
            refresh_token,
            id_token,
        })
    }

    fn access_claims(
        &self,
        sub: &str,
        client_id: &str,
        scope: &str,
        family: Option<&str>,
        now: Timestamp,
    ) -> Answer<AccessClaims> {
        let issuer = &self.open()?.issuer;
        let iat = now.micros().div_euclid(1_000_000);
        Ok(AccessClaims {
            iss: issuer.clone(),
            sub: sub.to_owned(),
            aud: issuer.clone(),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            iat,
            exp: iat + self.options.access_token_s,
            jti: secret::name(self.draw),
            family: family.map(str::to_owned),
        })
    }

    async fn end_for_replay(
        &self,
        mut write: Write,
        family: &Family,
        because: &str,
        peer: &str,
        now: Timestamp,
    ) -> Answer<()> {
        if oidc::end_family(&mut write, &family.family, because, now).await? {
            let actor = Actor {
                kind: ActorKind::System,
                name: family.client_id.clone(),
                peer: peer.to_owned(),
            };
            let target = tokens::subject(family.user_id);
            let detail = json!({"client": family.client_id, "because": because});
            audit::insert(&mut write, now, &actor, Event::OidcReplay, &target, &detail).await?;
        }
        write.commit().await?;
        Ok(())
    }
}

/// A sign-in that is the client's own. What came of another's stays as it is: that client did nothing wrong.
async fn own_family(
    connection: &mut Connection,
    client: &Client,
    family: &str,
) -> Answer<Option<Family>> {
    let found = oidc::family(connection, family).await?;
    Ok(found.filter(|family| family.client_id == client.id()))
}

/// What the scopes let a client know of a person.
pub(crate) fn told_of(user: &User, scope: &str) -> Person {
    let has = |wanted: &str| scope.split(' ').any(|s| s == wanted);
    let mut person = Person::default();
    if has("profile") {
        person.name = Some(user.name.clone());
        person.preferred_username = Some(user.username.clone());
    }
    if has("organisation") {
        person.organisation.clone_from(&user.organisation_id);
    }
    if has("role") {
        person.role = Some(user.role.clone());
    }
    person
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::request(problem.what)
    }
}
