//! Sign-in, and the sessions of people who have.

use crate::principal::{Principal, PrincipalId};
use crate::role::Role;
use crate::users::clean_username;
use crate::{Identity, if_the_disk_lets, password, secret};
use model::{Problem, Timestamp};
use records::sessions::Session;
use records::users::User;
use records::{Actor, ActorKind, Failure, Records, Result, Secret, audit, sessions, users};
use serde_json::json;

/// A person has signed in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The session's secret, for the cookie. It is not stored and cannot be shown again.
    pub secret: String,
    /// When the session ends however much it is used.
    pub expires_at: Timestamp,
    /// The person.
    pub principal: Principal,
}

impl Identity {
    /// Signs a person in. `peer` is the network address without the port.
    ///
    /// # Errors
    /// [`Failure::TooMany`] after too many wrong attempts; [`Failure::Unauthenticated`] `sign-in-wrong`, the
    /// same for an unknown username, a wrong password and a closed account.
    pub async fn sign_in(
        &self,
        username: &str,
        given: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<SignIn> {
        // An overlong or badly formed username cannot exist; it is still counted, under its cut form.
        let username: String = clean_username(username)
            .chars()
            .take(self.options.username_chars_max)
            .collect();
        if let Err(retry_after_s) = self.limiter.lock().begin(&username, peer, now) {
            return Err(Failure::TooMany {
                problem: Problem::new(
                    "sign-in-too-often",
                    "too many wrong attempts to sign in",
                    "session",
                    format!("wait {retry_after_s} seconds, then try again"),
                ),
                retry_after_s,
            });
        }
        let user = users::by_username(&mut *self.records().read().await?, &username).await?;
        let stored = user.as_ref().map_or_else(
            || self.nobody.to_string(),
            |u| u.password_hash.expose().to_owned(),
        );
        let fits = given.len() <= self.options.password_bytes_max
            && self.verify_password(given.to_owned(), stored).await?;
        let Some(user) = user.filter(|u| fits && !u.disabled) else {
            let mut write = self.records().write().await?;
            let actor = Actor {
                kind: ActorKind::System,
                name: username.clone(),
                peer: peer.to_owned(),
            };
            audit::insert(
                &mut write,
                now,
                &actor,
                records::Event::SessionRefused,
                "session",
                &json!({}),
            )
            .await?;
            write.commit().await?;
            return Err(Failure::Unauthenticated(Problem::new(
                "sign-in-wrong",
                "the username or the password is wrong",
                "session",
                "check both; the engineer can set a new password with `jingling user password`",
            )));
        };
        self.limiter.lock().succeeded(&username, peer);
        let principal = principal_of(&user)?;
        let session_secret = secret::generate_secret();
        let expires_at = now.plus_seconds(self.options.session_absolute_s);
        let mut write = self.records().write().await?;
        let idle_since = now.plus_seconds(-self.options.session_idle_s);
        sessions::delete_expired(&mut write, now, idle_since).await?;
        let session = Session {
            token_hash: Secret::new(secret::hash_token(&session_secret)),
            user_id: user.id,
            created_at: now,
            last_seen_at: now,
            expires_at,
            peer: peer.to_owned(),
        };
        sessions::insert(&mut write, &session).await?;
        audit::insert(
            &mut write,
            now,
            &principal.actor(peer),
            records::Event::SessionOpen,
            &format!("user:{}", user.id),
            &json!({}),
        )
        .await?;
        write.commit().await?;
        Ok(SignIn {
            secret: session_secret,
            expires_at,
            principal,
        })
    }

    /// The person of a session, by the cookie's secret; `None` when there is no such session, it has ended,
    /// or the account is closed.
    ///
    /// # Errors
    /// The store's own.
    pub async fn session_principal(
        &self,
        session_secret: &str,
        now: Timestamp,
    ) -> Result<Option<Principal>> {
        let hash = secret::hash_token(session_secret);
        let mut connection = self.records().read().await?;
        let idle_s = self.options.session_idle_s;
        let Some(session) = sessions::get(&mut connection, &hash)
            .await?
            .filter(|s| s.expires_at > now && s.last_seen_at.plus_seconds(idle_s) > now)
        else {
            return Ok(None);
        };
        let Some(user) = users::get(&mut connection, session.user_id)
            .await?
            .filter(|u| !u.disabled)
        else {
            return Ok(None);
        };
        drop(connection);
        if session
            .last_seen_at
            .plus_seconds(self.options.touch_every_s)
            <= now
        {
            let touched = async {
                let mut write = self.records().write().await?;
                sessions::touch(&mut write, &hash, now).await?;
                write.commit().await
            };
            if_the_disk_lets(touched.await)?;
        }
        principal_of(&user).map(Some)
    }

    /// When the person of a session signed in; `None` when there is no such session.
    ///
    /// # Errors
    /// The store's own.
    pub async fn session_opened_at(&self, session_secret: &str) -> Result<Option<Timestamp>> {
        let hash = secret::hash_token(session_secret);
        let session = sessions::get(&mut *self.records().read().await?, &hash).await?;
        Ok(session.map(|s| s.created_at))
    }

    /// Ends a session; one that is not there is ended already.
    ///
    /// # Errors
    /// The store's own.
    pub async fn sign_out(
        &self,
        session_secret: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.records().write().await?;
        if sessions::delete(&mut write, &secret::hash_token(session_secret)).await? {
            let target = actor
                .user_id()
                .map_or_else(|| "session".to_owned(), |id| format!("user:{id}"));
            audit::insert(
                &mut write,
                now,
                actor,
                records::Event::SessionClose,
                &target,
                &json!({}),
            )
            .await?;
        }
        write.commit().await
    }

    pub(crate) async fn verify_password(&self, given: String, stored: String) -> Result<bool> {
        let _permit = self
            .password_checks
            .acquire()
            .await
            .map_err(Failure::internal)?;
        tokio::task::spawn_blocking(move || password::verify(&given, &stored))
            .await
            .map_err(Failure::internal)?
    }

    pub(crate) const fn records(&self) -> &Records {
        &self.records
    }
}

pub(crate) fn principal_of(user: &User) -> Result<Principal> {
    let role: Role = user.role.parse().map_err(Failure::internal)?;
    Ok(Principal {
        id: PrincipalId::User(user.id),
        username: user.username.clone(),
        name: user.name.clone(),
        role,
        organisation_id: user.organisation_id.clone(),
        permissions: role.permissions().to_vec(),
    })
}
