//! Registering, changing and removing clients, and what people gave them.

use crate::client::{self, Client, ClientChange, ClientDraft};
use crate::provider::{Provider, new_secret};
use crate::secret;
use model::{Problem, Timestamp, problem::quote};
use records::{Actor, Event, Failure, Result, audit, oidc, oidc_clients};
use serde_json::json;
use std::collections::BTreeMap;

/// What every client's secret begins with, so that a leaked one is recognised.
pub const SECRET_PREFIX: &str = "jls_";

/// A client with a secret that was made just now. It is not stored and cannot be shown again.
#[derive(Debug)]
pub struct NewClientSecret {
    /// The client.
    pub client: Client,
    /// The secret; `None` for a public client.
    pub secret: Option<String>,
}

/// What a person gave a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The client.
    pub client_id: String,
    /// What people call it.
    pub client_name: String,
    /// The scopes.
    pub scopes: Vec<String>,
    /// When it was first given.
    pub since: Timestamp,
    /// Sign-ins that have not ended.
    pub sign_ins: usize,
}

fn no_client(client_id: &str) -> Failure {
    Failure::not_found("client", quote(client_id))
}

impl Provider {
    /// Registers a client.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a bad part of it.
    pub async fn add_client(
        &self,
        draft: &ClientDraft,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<NewClientSecret> {
        let client_id = format!("jlc-{}", &secret::name(self.draw)[..20]);
        let mut row = client::row_of(draft, client_id, &actor.name, now)?;
        let mut shown = None;
        if !row.is_public {
            let (text, hash) = new_secret(SECRET_PREFIX, self.draw);
            (row.secret_hash, row.secret_set_at) = (Some(hash), Some(now));
            shown = Some(text);
        }
        let mut write = self.records.write().await?;
        let row = oidc_clients::insert(&mut write, &row)
            .await?
            .ok_or_else(|| Failure::internal("no free client id was drawn"))?;
        let detail = json!({"name": row.name, "is_public": row.is_public, "redirect_uris": row.redirect_uris,
            "grants": row.grants, "scopes": row.scopes});
        let target = format!("client:{}", row.client_id);
        audit::insert(
            &mut write,
            now,
            actor,
            Event::OidcClientAdd,
            &target,
            &detail,
        )
        .await?;
        write.commit().await?;
        Ok(NewClientSecret {
            client: Client::of(row)?,
            secret: shown,
        })
    }

    /// All clients, by age.
    ///
    /// # Errors
    /// The store's own.
    pub async fn clients(&self) -> Result<Vec<Client>> {
        let rows = oidc_clients::list(&mut *self.records.read().await?).await?;
        rows.into_iter().map(Client::of).collect()
    }

    /// Changes a client.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Invalid`] for a bad part of it.
    pub async fn change_client(
        &self,
        client_id: &str,
        change: &ClientChange,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Client> {
        let mut write = self.records.write().await?;
        let mut row = oidc_clients::get(&mut write, client_id)
            .await?
            .ok_or_else(|| no_client(client_id))?;
        client::apply(&mut row, change)?;
        let row = oidc_clients::update(&mut write, &row)
            .await?
            .ok_or_else(|| no_client(client_id))?;
        let detail = json!({"name": row.name, "redirect_uris": row.redirect_uris, "grants": row.grants,
            "scopes": row.scopes, "disabled": row.disabled});
        let target = format!("client:{client_id}");
        audit::insert(
            &mut write,
            now,
            actor,
            Event::OidcClientChange,
            &target,
            &detail,
        )
        .await?;
        write.commit().await?;
        Client::of(row)
    }

    /// Makes a new secret; the old one is wrong from now on.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Conflict`] `oidc-public-client`.
    pub async fn rotate_secret(
        &self,
        client_id: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<NewClientSecret> {
        let mut write = self.records.write().await?;
        let mut row = oidc_clients::get(&mut write, client_id)
            .await?
            .ok_or_else(|| no_client(client_id))?;
        if row.is_public {
            return Err(Failure::Conflict(Problem::new(
                "oidc-public-client",
                "a public client has no secret",
                "client",
                "register it anew as confidential if it can keep one",
            )));
        }
        let (text, hash) = new_secret(SECRET_PREFIX, self.draw);
        (row.secret_hash, row.secret_set_at) = (Some(hash), Some(now));
        let row = oidc_clients::update(&mut write, &row)
            .await?
            .ok_or_else(|| no_client(client_id))?;
        let target = format!("client:{client_id}");
        audit::insert(
            &mut write,
            now,
            actor,
            Event::OidcClientSecret,
            &target,
            &json!({"name": row.name}),
        )
        .await?;
        write.commit().await?;
        Ok(NewClientSecret {
            client: Client::of(row)?,
            secret: Some(text),
        })
    }

    /// Takes a client away with everything that it was given.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn remove_client(
        &self,
        client_id: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.records.write().await?;
        let row = oidc_clients::delete(&mut write, client_id)
            .await?
            .ok_or_else(|| no_client(client_id))?;
        let target = format!("client:{client_id}");
        audit::insert(
            &mut write,
            now,
            actor,
            Event::OidcClientRemove,
            &target,
            &json!({"name": row.name}),
        )
        .await?;
        write.commit().await
    }

    /// What a person gave clients: consents, and sign-ins that have not ended.
    ///
    /// # Errors
    /// The store's own.
    pub async fn granted(&self, user_id: i64, now: Timestamp) -> Result<Vec<Granted>> {
        let mut connection = self.records.read().await?;
        let mut found: BTreeMap<String, Granted> = BTreeMap::new();
        let consents = oidc_clients::consents_of(&mut connection, user_id).await?;
        let families = oidc::families_of_user(&mut connection, user_id, now).await?;
        let consents = consents
            .into_iter()
            .map(|c| (c.client_id, c.scopes, c.given_at, 0));
        let families = families
            .into_iter()
            .map(|f| (f.client_id, f.scopes, f.created_at, 1));
        for (client_id, scopes, since, sign_ins) in consents.chain(families) {
            let entry = found.entry(client_id.clone()).or_insert_with(|| Granted {
                client_name: client_id.clone(),
                client_id,
                scopes: Vec::new(),
                since,
                sign_ins: 0,
            });
            entry.since = entry.since.min(since);
            entry.sign_ins += sign_ins;
            for scope in scopes.split(' ') {
                if !entry.scopes.iter().any(|s| s == scope) {
                    entry.scopes.push(scope.to_owned());
                }
            }
        }
        for granted in found.values_mut() {
            if let Some(row) = oidc_clients::get(&mut connection, &granted.client_id).await? {
                granted.client_name = row.name;
            }
        }
        Ok(found.into_values().collect())
    }

    /// Takes back what a person gave a client: the consent, every sign-in and every token. The client is told where it
    /// asked to be.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when there is nothing.
    pub async fn end_granted(
        &self,
        user_id: i64,
        client_id: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.records.write().await?;
        let mut ended = 0;
        let tells = oidc_clients::get(&mut write, client_id)
            .await?
            .is_some_and(|row| row.backchannel_logout_uri.is_some());
        let mut told: Vec<String> = Vec::new();
        for family in oidc::families_of_user(&mut write, user_id, now).await? {
            if family.client_id != client_id {
                continue;
            }
            oidc::end_family(&mut write, &family.family, "grant-ended", now).await?;
            ended += 1;
            if tells && !told.contains(&family.sid) {
                oidc::insert_logout(&mut write, client_id, user_id, &family.sid, now).await?;
                told.push(family.sid);
            }
        }
        let had = oidc_clients::withdraw_consent(&mut write, user_id, client_id).await?;
        if !had && ended == 0 {
            return Err(Failure::not_found("grant", quote(client_id)));
        }
        let (target, detail) = (
            format!("user:{user_id}"),
            json!({"client": client_id, "sign_ins": ended}),
        );
        audit::insert(
            &mut write,
            now,
            actor,
            Event::OidcGrantEnd,
            &target,
            &detail,
        )
        .await?;
        write.commit().await
    }
}
