//! Sign-in, and the sessions of people who have.

use crate::posts::{PostHeld, held_by};
use crate::principal::{Principal, PrincipalId};
use crate::role::Role;
use crate::users::clean_username;
use crate::{Identity, if_the_disk_lets, password, secret};
use model::{Problem, Timestamp};
use records::sessions::Session;
use records::users::User;
use records::{Actor, ActorKind, Failure, Records, Result, Secret, Write, audit, sessions, users};
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

/// How a session began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began<'a> {
    /// `password`, `totp`, `recovery`, `passkey`, `province`.
    pub by: &'a str,
    /// The outside provider that stood in for the password.
    pub provider: Option<&'a str>,
}

impl<'a> From<&'a str> for Began<'a> {
    fn from(by: &'a str) -> Self {
        let provider = None;
        Self { by, provider }
    }
}

/// `sign-in-too-often`: how long to wait, in seconds.
pub(crate) fn too_often(retry_after_s: u64) -> Failure {
    Failure::TooMany {
        problem: Problem::new(
            "sign-in-too-often",
            "too many wrong attempts to sign in",
            "session",
            format!("wait {retry_after_s} seconds, then try again"),
        ),
        retry_after_s,
    }
}

impl Identity {
    /// Signs a person in at a door that can ask for nothing but a password. `peer` is the network address without the port.
    ///
    /// # Errors
    /// As [`Identity::begin_sign_in`]; [`Failure::Forbidden`] `second-factor-door` for who signs in with a second factor.
    pub async fn sign_in(
        &self,
        username: &str,
        given: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<SignIn> {
        let user = self.password_step(username, given, peer, now).await?;
        if self.needs_second(&user).await?.is_some() {
            self.refuse_sign_in(&user.username, peer, now).await?;
            return Err(Failure::Forbidden(Problem::new(
                "second-factor-door",
                "this person signs in with a second factor, which this door cannot ask for",
                "session",
                "sign in on the page, or here as the user \"token\" with a service token",
            )));
        }
        let mut write = self.records().write().await?;
        let signed = self
            .open_session(&mut write, &user, "password", peer, now)
            .await?;
        write.commit().await?;
        Ok(signed)
    }

    /// The first step of a sign-in: whose password it is.
    pub(crate) async fn password_step(
        &self,
        username: &str,
        given: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<User> {
        // An overlong or badly formed username cannot exist; it is still counted, under its cut form.
        let username: String = clean_username(username)
            .chars()
            .take(self.options.username_chars_max)
            .collect();
        self.begin_try(&username, peer, now)?;
        let user = users::by_username(&mut *self.records().read().await?, &username).await?;
        let stored = user.as_ref().map_or_else(
            || self.nobody.to_string(),
            |u| u.password_hash.expose().to_owned(),
        );
        let fits = given.len() <= self.options.password_bytes_max
            && self.verify_password(given.to_owned(), stored).await?;
        let Some(user) = user.filter(|u| fits && !u.disabled) else {
            self.refuse_sign_in(&username, peer, now).await?;
            return Err(Failure::Unauthenticated(Problem::new(
                "sign-in-wrong",
                "the username or the password is wrong",
                "session",
                "check both; the engineer can set a new password with `jingling user password`",
            )));
        };
        self.limiter.lock().succeeded(&username, peer, now);
        Ok(user)
    }

    /// Begins an attempt that counts as failed until it is said otherwise.
    pub(crate) fn begin_try(&self, name: &str, peer: &str, now: Timestamp) -> Result<()> {
        let begun = self.limiter.lock().begin(name, peer, now);
        begun.map_err(too_often)
    }

    /// Writes that a sign-in was refused; `name` is what was tried.
    pub(crate) async fn refuse_sign_in(
        &self,
        name: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.records().write().await?;
        let actor = Actor {
            kind: ActorKind::System,
            name: name.to_owned(),
            peer: peer.to_owned(),
        };
        let event = records::Event::SessionRefused;
        audit::insert(&mut write, now, &actor, event, "session", &json!({})).await?;
        write.commit().await
    }

    /// Opens a session: always a new secret, so that nobody can have put one into the person's browser before.
    pub(crate) async fn open_session(
        &self,
        write: &mut Write,
        user: &User,
        began: impl Into<Began<'_>>,
        peer: &str,
        now: Timestamp,
    ) -> Result<SignIn> {
        let Began { by, provider } = began.into();
        let held = held_by(write, user.id, now).await?;
        let principal = self.permitted(principal_of(user, held)?, now);
        let session_secret = secret::generate_secret();
        let expires_at = now.plus_seconds(self.options.session_absolute_s);
        let idle_since = now.plus_seconds(-self.options.session_idle_s);
        sessions::delete_expired(write, now, idle_since).await?;
        let session = Session {
            token_hash: Secret::new(secret::hash_token(&session_secret)),
            user_id: user.id,
            created_at: now,
            last_seen_at: now,
            expires_at,
            peer: peer.to_owned(),
            sid: secret::session_name(&session_secret),
            began_by: by.to_owned(),
        };
        sessions::insert(write, &session).await?;
        audit::insert(
            write,
            now,
            &principal.actor(peer),
            records::Event::SessionOpen,
            &format!("user:{}", user.id),
            &match provider {
                Some(provider) => json!({"by": by, "provider": provider}),
                None => json!({"by": by}),
            },
        )
        .await?;
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
        let held = held_by(&mut connection, user.id, now).await?;
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
        principal_of(&user, held).map(|known| Some(self.permitted(known, now)))
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

    /// Asks that a session is young: only then may it change how its person signs in, so that whoever finds a browser open
    /// cannot make the account their own.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] `sign-in-again`.
    pub async fn must_be_young(&self, session_secret: &str, now: Timestamp) -> Result<()> {
        let opened = self.session_opened_at(session_secret).await?;
        let young_s = self.options.session_young_s;
        if opened.is_some_and(|at| at.plus_seconds(young_s) > now) {
            return Ok(());
        }
        Err(Failure::Forbidden(Problem::new(
            "sign-in-again",
            format!("you signed in more than {} minutes ago", young_s / 60),
            "session",
            "sign in again, then do it at once: this changes how you sign in",
        )))
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

/// Who a person is: the main role, and the posts that they hold. What they may do, the policies say.
pub(crate) fn principal_of(user: &User, posts: Vec<PostHeld>) -> Result<Principal> {
    let role: Role = user.role.parse().map_err(Failure::internal)?;
    Ok(Principal {
        id: PrincipalId::User(user.id),
        username: user.username.clone(),
        name: user.name.clone(),
        role,
        organisation_id: user.organisation_id.clone(),
        permissions: Vec::new(),
        posts,
    })
}
