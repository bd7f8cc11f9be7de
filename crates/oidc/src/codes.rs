//! A person says yes: what is asked of them, and the code that the client is given.

use crate::asked::{self, Asked, Unfit};
use crate::fault::Fault;
use crate::form::{Form, with_query};
use crate::provider::{Provider, new_secret};
use crate::secret;
use model::{Problem, Timestamp};
use records::oidc::{Code, Family};
use records::oidc_clients::{self, ConsentRow};
use records::{Actor, Event, Failure, Result, Write, audit, oidc};
use serde_json::json;

/// A person signed in here, as the door knows them.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Who.
    pub user_id: i64,
    /// The session, by the name that clients hear ([`secret::sid`]).
    pub sid: String,
    /// When they signed in.
    pub auth_time: Timestamp,
}

/// What a person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Who asks.
    pub client_id: String,
    /// What people call it.
    pub client_name: String,
    /// Where the answer goes: scheme, host and port.
    pub client_host: String,
    /// What is wanted.
    pub scopes: Vec<String>,
    /// Whether the person must say yes; otherwise they have, or the city has for all.
    pub needs_consent: bool,
    /// Whether they must sign in anew first.
    pub needs_sign_in: bool,
    /// Whether nobody may be asked anything: then an answer is given at once.
    pub is_silent: bool,
}

impl Provider {
    /// Understands a request to sign in.
    ///
    /// # Errors
    /// [`Failure`] of the platform's own; what is wrong with the request is inside.
    pub async fn understand(&self, form: &Form) -> Result<std::result::Result<Asked, Unfit>> {
        let issuer = &self.open()?.issuer;
        let client = match form.get("client_id") {
            Some(id) => self.client(&mut *self.records.read().await?, id).await?,
            None => None,
        };
        Ok(asked::understand(form, client, issuer))
    }

    /// What a person is asked. `asked_at` is when the request came, of [`Provider::stamp`].
    ///
    /// # Errors
    /// The store's own.
    pub async fn question(
        &self,
        asked: &Asked,
        signed: &Signed,
        asked_at: Timestamp,
    ) -> Result<Question> {
        let given = oidc_clients::consent(
            &mut *self.records.read().await?,
            signed.user_id,
            asked.client.id(),
        )
        .await?;
        let has_all = given.is_some_and(|given| {
            asked
                .scopes
                .iter()
                .all(|s| given.scopes.split(' ').any(|g| g == s))
        });
        Ok(Question {
            client_id: asked.client.id().to_owned(),
            client_name: asked.client.row.name.clone(),
            client_host: host_of(&asked.redirect_uri),
            scopes: asked.scopes.clone(),
            needs_consent: asked.asks_consent || (asked.client.row.asks_consent && !has_all),
            needs_sign_in: asked.wants_sign_in(signed.auth_time, asked_at),
            is_silent: asked.is_silent,
        })
    }

    /// Where a person is sent who says no, or who may not be asked.
    pub fn refusal(&self, asked: &Asked, error: &'static str) -> String {
        let issuer = self.issuer().unwrap_or_default();
        let why = match error {
            "login_required" => "nobody is signed in",
            "consent_required" => "the person has to be asked",
            "interaction_required" => "the person has to sign in anew",
            _ => "the person said no",
        };
        asked::error_address(
            &asked.redirect_uri,
            &asked.state,
            issuer,
            &Fault::new(error, 400, why),
        )
    }

    /// A person says yes: gives the address with the code. The code is on disk before.
    ///
    /// # Errors
    /// [`Failure::Conflict`] `oidc-sign-in-again`.
    pub async fn approve(
        &self,
        asked: &Asked,
        signed: &Signed,
        asked_at: Timestamp,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<String> {
        let issuer = self.open()?.issuer.clone();
        if asked.wants_sign_in(signed.auth_time, asked_at) {
            return Err(Failure::Conflict(Problem::new(
                "oidc-sign-in-again",
                "the system asks that you sign in anew",
                "session",
                "sign in again, then say yes",
            )));
        }
        let (text, code_hash) = new_secret("jlo_", self.draw);
        let mut write = self.records.write().await?;
        let family = self
            .begin_family(
                &mut write,
                asked.client.id(),
                &asked.scopes,
                asked.nonce.clone(),
                signed,
                now,
            )
            .await?;
        let code = Code {
            code_hash,
            family,
            redirect_uri: asked.redirect_uri.clone(),
            challenge: asked.challenge.clone(),
            expires_at: now.plus_seconds(self.options.code_s),
            used_at: None,
        };
        oidc::insert_code(&mut write, &code).await?;
        let (target, detail) = (
            format!("client:{}", asked.client.id()),
            json!({"scopes": asked.scopes}),
        );
        audit::insert(&mut write, now, actor, Event::OidcApprove, &target, &detail).await?;
        write.commit().await?;
        Ok(with_query(
            &asked.redirect_uri,
            &[("code", &text), ("state", &asked.state), ("iss", &issuer)],
        ))
    }

    /// A sign-in at a client, and the consent that it was given with.
    pub(crate) async fn begin_family(
        &self,
        write: &mut Write,
        client_id: &str,
        scopes: &[String],
        nonce: Option<String>,
        signed: &Signed,
        now: Timestamp,
    ) -> Result<String> {
        let family = Family {
            family: secret::name(self.draw),
            client_id: client_id.to_owned(),
            user_id: signed.user_id,
            scopes: scopes.join(" "),
            sid: signed.sid.clone(),
            nonce,
            auth_time: signed.auth_time,
            created_at: now,
            expires_at: now.plus_seconds(if scopes.iter().any(|s| s == "offline_access") {
                self.options.family_s
            } else {
                self.options.session_family_s
            }),
            ended_at: None,
            ended_because: None,
        };
        oidc::insert_family(write, &family).await?;
        let mut all = scopes.to_vec();
        if let Some(given) = oidc_clients::consent(write, signed.user_id, client_id).await? {
            all.extend(
                given
                    .scopes
                    .split(' ')
                    .filter(|s| !scopes.iter().any(|t| t == s))
                    .map(str::to_owned),
            );
        }
        let consent = ConsentRow {
            user_id: signed.user_id,
            client_id: client_id.to_owned(),
            scopes: all.join(" "),
            given_at: now,
        };
        oidc_clients::give_consent(write, &consent).await?;
        Ok(family.family)
    }
}

/// Scheme, host and port of an address.
fn host_of(uri: &str) -> String {
    url::Url::parse(uri).map_or_else(
        |_| uri.to_owned(),
        |url| match url.origin() {
            origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
            url::Origin::Opaque(_) => format!("{}:", url.scheme()),
        },
    )
}
