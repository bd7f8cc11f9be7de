//! A person's own account (我的账户): the second factors, the password, the sessions; and an administrator who takes
//! somebody's second factors away because the telephone is lost.

use crate::second_step::{Asked, begin_again, totp_owner, unfit};
use crate::users::administrator_of;
use crate::webauthn::{self, Expected, Person, Registration};
use crate::{DangerousAct, Identity, Permission, secret, totp};
use model::{Problem, Timestamp};
use rand::Rng as _;
use records::passkeys::{self, Passkey};
use records::sessions::{self, Session};
use records::totp::Totp;
use records::users::User;
use records::{Actor, Event, Failure, Result, Secret, Write, audit, users};
use serde_json::{Value, json};

/// How a person signs in, and where they are signed in.
#[derive(Clone, Debug)]
pub struct Account {
    /// Since when there are time-based codes.
    pub totp_since: Option<Timestamp>,
    /// Recovery codes that are left.
    pub recovery_codes_left: i64,
    /// The passkeys.
    pub passkeys: Vec<Passkey>,
    /// The sessions that have not ended, the newest first.
    pub sessions: Vec<Session>,
    /// Whether the role asks for a second factor.
    pub second_factor_required: bool,
}

/// A secret for time-based codes, shown once.
#[derive(Clone, Debug)]
pub struct NewTotp {
    /// The secret as people type it.
    pub secret: String,
    /// What an app reads.
    pub uri: String,
    /// The same as a picture.
    pub qr_svg: String,
}

/// A passkey that was added just now.
#[derive(Clone, Debug)]
pub struct AddedPasskey {
    /// It.
    pub passkey: Passkey,
    /// Recovery codes, when there were none yet; shown once.
    pub recovery_codes: Vec<String>,
}

fn target(user_id: i64) -> String {
    format!("user:{user_id}")
}

impl Identity {
    /// How a person signs in, and where they are signed in.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn account(&self, user_id: i64, now: Timestamp) -> Result<Account> {
        let mut read = self.records().read().await?;
        let user = users::get(&mut read, user_id)
            .await?
            .ok_or_else(|| Failure::not_found("user", user_id))?;
        let mut sessions = sessions::of_user(&mut read, user_id).await?;
        let idle_s = self.options.session_idle_s;
        sessions.retain(|s| s.expires_at > now && s.last_seen_at.plus_seconds(idle_s) > now);
        Ok(Account {
            totp_since: records::totp::get(&mut read, user_id)
                .await?
                .map(|t| t.created_at),
            recovery_codes_left: records::totp::recovery_codes_left(&mut read, user_id).await?,
            passkeys: passkeys::of_user(&mut read, user_id).await?,
            sessions,
            second_factor_required: self.requires_second(&user.role),
        })
    }

    /// Changes a person's own password, who says the old one; their other sessions end. Gives the names of those.
    ///
    /// # Errors
    /// [`Failure::TooMany`]; [`Failure::Invalid`] `password-old-wrong` (no 401: the session is good), `password-length`.
    pub async fn change_own_password(
        &self,
        user_id: i64,
        session_secret: &str,
        (old, new): (&str, &str),
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        self.check_password(new)?;
        let user = users::get(&mut *self.records().read().await?, user_id)
            .await?
            .ok_or_else(|| Failure::not_found("user", user_id))?;
        self.begin_try(&user.username, &actor.peer, now)?;
        let stored = user.password_hash.expose().to_owned();
        let fits = old.len() <= self.options.password_bytes_max
            && self.verify_password(old.to_owned(), stored).await?;
        if !fits {
            self.refuse_sign_in(&user.username, &actor.peer, now)
                .await?;
            return Err(Failure::Invalid(Problem::new(
                "password-old-wrong",
                "the old password is wrong",
                "old",
                "type the password that you have now; an administrator can set a new one",
            )));
        }
        self.limiter
            .lock()
            .succeeded(&user.username, &actor.peer, now);
        let hash = self.hash_password(new.to_owned()).await?;
        let mut write = self.records().write().await?;
        users::set_password(&mut write, user_id, &hash, now).await?;
        let ended = end_others(&mut write, user_id, session_secret).await?;
        let event = Event::UserPassword;
        audit::insert(&mut write, now, actor, event, &target(user_id), &json!({})).await?;
        write.commit().await?;
        Ok(ended)
    }

    /// Shows a person a new secret for time-based codes; it is put to use by [`Identity::confirm_totp`].
    ///
    /// # Errors
    /// [`Failure::Conflict`] `totp-there` when there is one in use; [`Failure::Unavailable`] without the city's key.
    pub async fn begin_totp(&self, user: &User, peer: &str, now: Timestamp) -> Result<NewTotp> {
        self.city_key()?;
        let mut read = self.records().read().await?;
        if records::totp::get(&mut read, user.id).await?.is_some() {
            return Err(totp_there());
        }
        let mut bytes = vec![0; totp::SECRET_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        let uri = totp::uri(&self.options.city_name, &user.username, &bytes);
        // A name so long that no picture holds it can still be typed.
        let qr_svg = totp::qr_svg(&uri).unwrap_or_default();
        let made = NewTotp {
            secret: totp::secret_text(&bytes),
            uri,
            qr_svg,
        };
        let mut waiting = self.waiting.lock();
        waiting.drafts.put(user.id.to_string(), peer, bytes, now);
        Ok(made)
    }

    /// Puts time-based codes to use, once a code shows that the person's app has the secret. Gives recovery codes when there
    /// were none.
    ///
    /// # Errors
    /// [`Failure::Invalid`] `sign-in-begin-again` when no secret was shown lately, `totp-code` for a wrong code;
    /// [`Failure::TooMany`].
    pub async fn confirm_totp(
        &self,
        user: &User,
        code: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        let counted = format!("TOTP:{}", user.id);
        self.begin_try(&counted, &actor.peer, now)?;
        let waiting = user.id.to_string();
        let secret = self.waiting.lock().drafts.get(&waiting, now).cloned();
        let secret = secret.ok_or_else(begin_again)?;
        let skew = self.options.totp_skew_steps;
        let Some(step) = totp::step_of(&secret, code, 0, skew, now) else {
            return Err(Failure::Invalid(Problem::new(
                "totp-code",
                "the code does not fit",
                "code",
                "type the six digits that the app shows now; if it stays so, set the clock of the telephone",
            )));
        };
        let owner = totp_owner(user.id);
        let sealed = self.city_key()?.seal(&owner, &secret);
        let row = Totp {
            user_id: user.id,
            sealed: Secret::new(sealed.map_err(Failure::internal)?),
            created_at: now,
            last_step: step,
        };
        let mut write = self.records().write().await?;
        if records::totp::get(&mut write, user.id).await?.is_some() {
            return Err(totp_there());
        }
        records::totp::put(&mut write, &row).await?;
        let event = Event::TotpAdd;
        audit::insert(&mut write, now, actor, event, &target(user.id), &json!({})).await?;
        let codes = self.first_recovery_codes(&mut write, user.id).await?;
        write.commit().await?;
        self.waiting.lock().drafts.take(&waiting, now);
        self.limiter.lock().succeeded(&counted, &actor.peer, now);
        Ok(codes)
    }

    /// Gives a person's time-based codes up.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Conflict`] `second-factor-last` when the role asks for one and this is the last.
    pub async fn remove_totp(&self, user_id: i64, actor: &Actor, now: Timestamp) -> Result<()> {
        let mut write = self.records().write().await?;
        if !records::totp::delete(&mut write, user_id).await? {
            return Err(Failure::not_found("factor", "totp"));
        }
        self.after_removal(&mut write, user_id).await?;
        let event = Event::TotpRemove;
        audit::insert(&mut write, now, actor, event, &target(user_id), &json!({})).await?;
        write.commit().await
    }

    /// Gives a person new recovery codes; those before are wrong from now on.
    ///
    /// # Errors
    /// [`Failure::Conflict`] `second-factor-none` when there is nothing that they could stand in for.
    pub async fn renew_recovery_codes(
        &self,
        user_id: i64,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        let mut write = self.records().write().await?;
        if !has_factor(&mut write, user_id).await? {
            return Err(Failure::Conflict(Problem::new(
                "second-factor-none",
                "there is no second factor that recovery codes could stand in for",
                "account",
                "set up time-based codes or a passkey first",
            )));
        }
        let codes = self.put_recovery_codes(&mut write, user_id).await?;
        let event = Event::RecoveryRenew;
        audit::insert(&mut write, now, actor, event, &target(user_id), &json!({})).await?;
        write.commit().await?;
        Ok(codes)
    }

    /// What the browser is asked for a new passkey. `bound` is a secret that this browser alone has: the session's.
    ///
    /// # Errors
    /// [`Failure::Conflict`] `passkey-origin` when the city has no address for them, `passkeys-full`.
    pub async fn begin_passkey(
        &self,
        user: &User,
        bound: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<Value> {
        let origin = self.passkey_origin()?;
        let known = passkeys::of_user(&mut *self.records().read().await?, user.id).await?;
        self.has_room(known.len())?;
        let handle = known.first().map_or_else(
            || {
                let mut handle = [0; 32];
                rand::rng().fill_bytes(&mut handle);
                webauthn::text_of(&handle)
            },
            |passkey| passkey.user_handle.clone(),
        );
        let ids: Vec<String> = known.into_iter().map(|p| p.credential_id).collect();
        let challenge = self.challenge(bound, Asked::New(user.id, handle.clone()), peer, now);
        let person = Person {
            handle: &handle,
            username: &user.username,
            name: &user.name,
        };
        let s = self.options.second_step_s;
        let city = &self.options.city_name;
        Ok(webauthn::creation_options(
            origin, city, &challenge, person, &ids, s,
        ))
    }

    fn has_room(&self, passkeys: usize) -> Result<()> {
        let max = self.options.passkeys_max;
        if passkeys < max {
            return Ok(());
        }
        Err(Failure::Conflict(Problem::new(
            "passkeys-full",
            format!("you have {passkeys} passkeys"),
            "account",
            format!("remove one first; {max} are the most"),
        )))
    }

    /// Adds the passkey that the browser made.
    ///
    /// # Errors
    /// [`Failure::Invalid`] `sign-in-begin-again`, `passkey-unfit`, `name`; [`Failure::Conflict`] `passkey-known`,
    /// `passkeys-full`.
    pub async fn add_passkey(
        &self,
        user: &User,
        bound: &str,
        (name, made): (&str, &Registration),
        actor: &Actor,
        now: Timestamp,
    ) -> Result<AddedPasskey> {
        let name = self.check_name(name, "name")?;
        let origin = self.passkey_origin()?;
        let part = |text, name| webauthn::bytes_of(text, name).map_err(unfit);
        let client_data = part(&made.response.client_data_json, "clientDataJSON")?;
        let attestation = part(&made.response.attestation_object, "attestationObject")?;
        let (challenge, asked) = self.take_challenge(bound, &client_data, now)?;
        let user_handle = match asked {
            Asked::New(user_id, handle) if user_id == user.id => handle,
            _ => return Err(begin_again()),
        };
        let expected = Expected {
            challenge: &challenge,
            origin,
            is_verified: true,
        };
        let key = webauthn::registered(expected, &client_data, &attestation).map_err(unfit)?;
        let row = Passkey {
            id: 0,
            user_id: user.id,
            user_handle,
            credential_id: webauthn::text_of(&key.credential_id),
            public_key: hex::encode(&key.public_key),
            sign_count: i64::from(key.sign_count),
            is_synced: key.is_synced,
            name,
            created_at: now,
            last_used_at: None,
        };
        let mut write = self.records().write().await?;
        self.has_room(passkeys::of_user(&mut write, user.id).await?.len())?;
        let passkey = passkeys::insert(&mut write, &row).await?.ok_or_else(|| {
            Failure::Conflict(Problem::new(
                "passkey-known",
                "this passkey is registered already",
                "credential",
                "take another authenticator",
            ))
        })?;
        let detail = json!({"name": passkey.name, "passkey": passkey.id});
        let event = Event::PasskeyAdd;
        audit::insert(&mut write, now, actor, event, &target(user.id), &detail).await?;
        let recovery_codes = self.first_recovery_codes(&mut write, user.id).await?;
        write.commit().await?;
        Ok(AddedPasskey {
            passkey,
            recovery_codes,
        })
    }

    /// Takes a person's passkey away.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Conflict`] `second-factor-last`.
    pub async fn remove_passkey(
        &self,
        user_id: i64,
        id: i64,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.records().write().await?;
        let passkey = passkeys::delete(&mut write, user_id, id)
            .await?
            .ok_or_else(|| Failure::not_found("passkey", id))?;
        self.after_removal(&mut write, user_id).await?;
        let detail = json!({"name": passkey.name, "passkey": passkey.id});
        let event = Event::PasskeyRemove;
        audit::insert(&mut write, now, actor, event, &target(user_id), &detail).await?;
        write.commit().await
    }

    /// Ends a person's session, by its name.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn end_session(
        &self,
        user_id: i64,
        name: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.records().write().await?;
        if !sessions::delete_named(&mut write, user_id, name).await? {
            return Err(Failure::not_found("session", model::problem::quote(name)));
        }
        let detail = json!({"sessions": 1});
        let event = Event::SessionEnd;
        audit::insert(&mut write, now, actor, event, &target(user_id), &detail).await?;
        write.commit().await
    }

    /// Ends all sessions of a person but this one; gives their names.
    ///
    /// # Errors
    /// The store's own.
    pub async fn end_other_sessions(
        &self,
        user_id: i64,
        session_secret: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        let mut write = self.records().write().await?;
        let ended = end_others(&mut write, user_id, session_secret).await?;
        if !ended.is_empty() {
            let detail = json!({"sessions": ended.len()});
            let event = Event::SessionEnd;
            audit::insert(&mut write, now, actor, event, &target(user_id), &detail).await?;
        }
        write.commit().await?;
        Ok(ended)
    }

    /// Takes all second factors of a person away, and ends their sessions: for an administrator whom the person asked in
    /// another way. Gives the names of the sessions. An administrator's are not one other person's to take: with the new
    /// password that two agreed to, the one could otherwise be them.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Forbidden`] `permission-missing`, and `factors-of-administrator`.
    pub async fn reset_factors(
        &self,
        user_id: i64,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        let mut write = self.records().write().await?;
        let user = users::get(&mut write, user_id)
            .await?
            .ok_or_else(|| Failure::not_found("user", user_id))?;
        if let Some(caller) = self.signed_in(&mut write, actor, now).await? {
            caller.require(Permission::UserManage)?;
            let is_guarded = self.needs_approval(DangerousAct::AdministratorPassword);
            if administrator_of(&user).is_some() && is_guarded {
                return Err(Failure::Forbidden(Problem::new(
                    "factors-of-administrator",
                    "an administrator's second factors are not one person's to take away",
                    "user",
                    "whoever runs the machine does it there: jingling user reset-factors",
                )));
            }
        }
        let totp = records::totp::delete(&mut write, user_id).await?;
        let passkeys = passkeys::delete_of_user(&mut write, user_id).await?;
        records::totp::put_recovery_codes(&mut write, user_id, &[]).await?;
        let ended = end_others(&mut write, user_id, "").await?;
        let detail = json!({"passkeys": passkeys, "totp": totp});
        let event = Event::FactorReset;
        audit::insert(&mut write, now, actor, event, &target(user_id), &detail).await?;
        write.commit().await?;
        // Whoever is half in with what was just taken away begins again.
        self.waiting.lock().halves.forget(|h| h.user_id == user_id);
        Ok(ended)
    }

    /// What follows from a second factor's removal: not the last one where the role asks for one, and no recovery codes that
    /// stand in for nothing.
    async fn after_removal(&self, write: &mut Write, user_id: i64) -> Result<()> {
        if has_factor(write, user_id).await? {
            return Ok(());
        }
        let user = users::get(write, user_id).await?;
        if user.is_some_and(|user| self.requires_second(&user.role)) {
            return Err(Failure::Conflict(Problem::new(
                "second-factor-last",
                "your role asks for a second factor, and this is your last",
                "account",
                "set up another first",
            )));
        }
        records::totp::put_recovery_codes(write, user_id, &[]).await
    }

    /// Recovery codes for who has none.
    async fn first_recovery_codes(&self, write: &mut Write, user_id: i64) -> Result<Vec<String>> {
        if records::totp::recovery_codes_left(write, user_id).await? > 0 {
            return Ok(Vec::new());
        }
        self.put_recovery_codes(write, user_id).await
    }

    async fn put_recovery_codes(&self, write: &mut Write, user_id: i64) -> Result<Vec<String>> {
        let codes: Vec<String> = (0..self.options.recovery_codes)
            .map(|_| secret::generate_recovery_code())
            .collect();
        let hashes: Vec<Secret> = codes
            .iter()
            .map(|code| secret::hash_recovery_code(user_id, code))
            .collect();
        records::totp::put_recovery_codes(write, user_id, &hashes).await?;
        Ok(codes)
    }
}

fn totp_there() -> Failure {
    Failure::Conflict(Problem::new(
        "totp-there",
        "time-based codes are in use already",
        "account",
        "remove them first, then set them up again",
    ))
}

async fn has_factor(write: &mut Write, user_id: i64) -> Result<bool> {
    Ok(records::totp::get(write, user_id).await?.is_some()
        || !passkeys::of_user(write, user_id).await?.is_empty())
}

/// Ends all sessions of a person but the one with this secret; gives their names.
pub(crate) async fn end_others(
    write: &mut Write,
    user_id: i64,
    session_secret: &str,
) -> Result<Vec<String>> {
    let own = secret::session_name(session_secret);
    let mut ended = Vec::new();
    for session in sessions::of_user(write, user_id).await? {
        if session.sid != own && sessions::delete_named(write, user_id, &session.sid).await? {
            ended.push(session.sid);
        }
    }
    Ok(ended)
}
