//! The second step of a sign-in (双因素认证): what comes between the right password and the session. Whoever has a second
//! factor gets a half sign-in, good for one use within minutes and known to one browser alone; a code, a recovery code or a
//! passkey makes a session of it. A passkey is also good without a password: it is something that the person has, and the
//! authenticator has seen who it is (a PIN, a finger), so both factors are in it.

use crate::linked::OutsideAsked;
use crate::pending::Pending;
use crate::sessions::{Began, SignIn};
use crate::webauthn::{self, Assertion, Expected, Fault};
use crate::{Identity, Options, Role, secret, totp};
use model::{Problem, Timestamp};
use rand::Rng as _;
use records::passkeys::{self, Passkey};
use records::users::User;
use records::{Actor, ActorKind, Event, Failure, Result, Write, audit, users};
use serde_json::{Value, json};

/// How far a sign-in has come.
#[derive(Clone, Debug)]
pub enum SignInStep {
    /// The person is in.
    Done(SignIn),
    /// The person must show a second factor, or set one up.
    Second(HalfSignIn),
}

/// A sign-in whose second step is missing.
#[derive(Clone, Debug)]
pub struct HalfSignIn {
    /// Its secret, for a cookie.
    pub secret: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What the person can show.
    pub ways: Ways,
}

/// The ways through the second step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// A time-based code.
    pub totp: bool,
    /// A recovery code.
    pub recovery: bool,
    /// A passkey.
    pub passkey: bool,
    /// None: the person has none, and the role asks for one. It is to be set up now.
    pub enrol: bool,
}

/// Who is half in.
#[derive(Clone, Debug)]
pub(crate) struct Half {
    pub user_id: i64,
    pub must_enrol: bool,
    tries: u32,
    /// The outside provider that stood in for the password.
    provider: Option<String>,
}

impl Half {
    pub fn new(user_id: i64, ways: Ways, provider: Option<&str>) -> Self {
        Self {
            user_id,
            must_enrol: ways.enrol,
            tries: 0,
            provider: provider.map(str::to_owned),
        }
    }

    fn began<'a>(&'a self, by: &'a str) -> Began<'a> {
        let provider = self.provider.as_deref();
        Began { by, provider }
    }
}

/// What a challenge was given for.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// A sign-in; of this person, when a password came before.
    SignIn(Option<i64>),
    /// A new passkey of this person, whom authenticators know by this handle.
    New(i64, String),
}

/// What waits for its other half.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub halves: Pending<Half>,
    pub challenges: Pending<Asked>,
    /// Secrets of time-based codes that are shown and not confirmed, by the user's id.
    pub drafts: Pending<Vec<u8>>,
    /// People who are at an outside provider.
    pub outside: Pending<OutsideAsked>,
}

impl Waiting {
    pub fn new(options: &Options) -> Self {
        let (s, max, of_peer) = (
            options.second_step_s,
            options.waiting_max,
            options.waiting_per_peer_max,
        );
        Self {
            halves: Pending::new(s, max, of_peer),
            challenges: Pending::new(s, max, of_peer),
            drafts: Pending::new(s, max, of_peer),
            outside: Pending::new(options.outside_s, max, of_peer),
        }
    }
}

/// `sign-in-begin-again`: there is no such half sign-in or challenge, or it has ended.
pub(crate) fn begin_again() -> Failure {
    Failure::Invalid(Problem::new(
        "sign-in-begin-again",
        "the sign-in is over: it took too long, was tried too often, was used already, or began in another browser",
        "session",
        "begin again",
    ))
}

fn second_wrong(what: impl std::fmt::Display) -> Failure {
    Failure::Unauthenticated(Problem::new(
        "second-factor-wrong",
        format!("the second step is wrong: {what}"),
        "session",
        "try again with a new code or another passkey; without either, use a recovery code or ask an administrator to reset it",
    ))
}

impl Identity {
    /// Begins a sign-in with a password. `peer` is the network address without the port.
    ///
    /// # Errors
    /// [`Failure::TooMany`] after too many wrong attempts; [`Failure::Unauthenticated`] `sign-in-wrong`, the
    /// same for an unknown username, a wrong password and a closed account.
    pub async fn begin_sign_in(
        &self,
        username: &str,
        given: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<SignInStep> {
        let user = self.password_step(username, given, peer, now).await?;
        let Some(ways) = self.needs_second(&user).await? else {
            let mut write = self.records().write().await?;
            let signed = self
                .open_session(&mut write, &user, "password", peer, now)
                .await?;
            write.commit().await?;
            return Ok(SignInStep::Done(signed));
        };
        let secret = secret::generate_secret();
        let half = Half::new(user.id, ways, None);
        let key = secret::hash_token(&secret);
        let expires_at = self.waiting.lock().halves.put(key, peer, half, now);
        Ok(SignInStep::Second(HalfSignIn {
            secret,
            expires_at,
            ways,
        }))
    }

    /// The ways through the second step; `None` when the person needs none.
    pub(crate) async fn needs_second(&self, user: &User) -> Result<Option<Ways>> {
        let mut read = self.records().read().await?;
        let has_totp = records::totp::get(&mut read, user.id).await?.is_some();
        let has_passkeys = !passkeys::of_user(&mut read, user.id).await?.is_empty();
        if has_totp || has_passkeys {
            let recovery = records::totp::recovery_codes_left(&mut read, user.id).await? > 0;
            return Ok(Some(Ways {
                totp: has_totp && self.key.is_some(),
                recovery,
                passkey: has_passkeys && self.origin().is_some(),
                enrol: false,
            }));
        }
        let enrol = self.requires_second(&user.role);
        Ok(enrol.then_some(Ways {
            enrol,
            ..Ways::default()
        }))
    }

    /// Whether people of a role must have a second factor.
    pub(crate) fn requires_second(&self, role: &str) -> bool {
        let required = &self.options.second_factor_required_for;
        role.parse::<Role>()
            .is_ok_and(|role| required.contains(&role))
    }

    /// Whose half sign-in it is that must set a second factor up first.
    ///
    /// # Errors
    /// `sign-in-begin-again`.
    pub async fn half_to_enrol(&self, half_secret: &str, now: Timestamp) -> Result<User> {
        let key = secret::hash_token(half_secret);
        let half = self.waiting.lock().halves.get(&key, now).cloned();
        let half = half.filter(|h| h.must_enrol).ok_or_else(begin_again)?;
        users::get(&mut *self.records().read().await?, half.user_id)
            .await?
            .filter(|user| !user.disabled)
            .ok_or_else(begin_again)
    }

    /// Makes a session of a half sign-in whose person has set a second factor up just now.
    ///
    /// # Errors
    /// `sign-in-begin-again`.
    pub async fn enrolled(
        &self,
        half_secret: &str,
        by: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<SignIn> {
        let user = self.half_to_enrol(half_secret, now).await?;
        if self
            .needs_second(&user)
            .await?
            .is_none_or(|ways| ways.enrol)
        {
            return Err(begin_again());
        }
        let half = self.take_half(half_secret, now)?;
        let mut write = self.records().write().await?;
        let signed = self
            .open_session(&mut write, &user, half.began(by), peer, now)
            .await?;
        write.commit().await?;
        Ok(signed)
    }

    fn take_half(&self, half_secret: &str, now: Timestamp) -> Result<Half> {
        let key = secret::hash_token(half_secret);
        let taken = self.waiting.lock().halves.take(&key, now);
        taken.ok_or_else(begin_again)
    }

    /// Begins a try at the second step: who it is, unless it was tried too often.
    async fn begin_second(&self, half_secret: &str, peer: &str, now: Timestamp) -> Result<User> {
        let key = secret::hash_token(half_secret);
        let user_id = {
            let mut waiting = self.waiting.lock();
            let half = waiting.halves.get_mut(&key, now).ok_or_else(begin_again)?;
            if half.must_enrol {
                return Err(begin_again());
            }
            half.user_id
        };
        self.begin_try(&second_name(user_id), peer, now)?;
        let is_too_many = {
            let mut waiting = self.waiting.lock();
            let half = waiting.halves.get_mut(&key, now).ok_or_else(begin_again)?;
            half.tries += 1;
            half.tries > self.options.second_tries_max
        };
        if is_too_many {
            self.waiting.lock().halves.take(&key, now);
            return Err(begin_again());
        }
        users::get(&mut *self.records().read().await?, user_id)
            .await?
            .filter(|user| !user.disabled)
            .ok_or_else(begin_again)
    }

    /// The second step with a code: six digits are a time-based code, anything else a recovery code.
    ///
    /// # Errors
    /// [`Failure::TooMany`]; [`Failure::Unauthenticated`] `second-factor-wrong`; [`Failure::Invalid`]
    /// `sign-in-begin-again`.
    pub async fn second_code(
        &self,
        half_secret: &str,
        code: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<SignIn> {
        let user = self.begin_second(half_secret, peer, now).await?;
        let plain: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let is_totp =
            plain.len() == totp::DIGITS as usize && plain.bytes().all(|b| b.is_ascii_digit());
        let by = if is_totp { "totp" } else { "recovery" };
        let mut write = self.records().write().await?;
        let is_right = if is_totp {
            self.take_totp(&mut write, user.id, &plain, now).await?
        } else {
            let hash = secret::hash_recovery_code(user.id, code);
            records::totp::take_recovery_code(&mut write, user.id, &hash, now).await?
        };
        if !is_right {
            second_refused(&mut write, &user, by, peer, now).await?;
            write.commit().await?;
            return Err(second_wrong(
                "the code is wrong, too old, or was used before",
            ));
        }
        let half = self.take_half(half_secret, now)?;
        self.limiter
            .lock()
            .succeeded(&second_name(user.id), peer, now);
        let signed = self
            .open_session(&mut write, &user, half.began(by), peer, now)
            .await?;
        write.commit().await?;
        Ok(signed)
    }

    /// Takes a person's time-based code, which is good once.
    pub(crate) async fn take_totp(
        &self,
        write: &mut Write,
        user_id: i64,
        code: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let Some(row) = records::totp::get(write, user_id).await? else {
            return Ok(false);
        };
        let secret = self
            .city_key()?
            .open(&totp_owner(user_id), row.sealed.expose())
            .map_err(Failure::internal)?;
        let skew = self.options.totp_skew_steps;
        match totp::step_of(&secret, code, row.last_step, skew, now) {
            Some(step) => records::totp::take_step(write, user_id, step).await,
            None => Ok(false),
        }
    }

    pub(crate) fn city_key(&self) -> Result<&crate::CityKey> {
        self.key.as_deref().ok_or_else(|| {
            Failure::Unavailable(Problem::new(
                "identity-key-missing",
                "the city's identity key is not there, so no time-based code and no device's key can be read",
                "secrets/identity-key.json",
                "put the file back from a backup; or reset the people's second factors, and give the devices new keys",
            ))
        })
    }

    /// The address that passkeys are for.
    pub(crate) fn passkey_origin(&self) -> Result<&crate::Origin> {
        self.origin().ok_or_else(|| {
            Failure::Conflict(Problem::new(
                "passkey-origin",
                "this city has no address that browsers make passkeys for",
                "http.public_url",
                "set http.public_url to the https address under which people reach the city",
            ))
        })
    }

    /// Gives a challenge to a browser, which `bound` names: a secret that it alone has.
    pub(crate) fn challenge(
        &self,
        bound: &str,
        asked: Asked,
        peer: &str,
        now: Timestamp,
    ) -> [u8; webauthn::CHALLENGE_BYTES] {
        let mut challenge = [0; webauthn::CHALLENGE_BYTES];
        rand::rng().fill_bytes(&mut challenge);
        let key = challenge_key(bound, &challenge);
        self.waiting.lock().challenges.put(key, peer, asked, now);
        challenge
    }

    /// Takes a challenge that was given to this browser: it is good once, whatever comes of it.
    pub(crate) fn take_challenge(
        &self,
        bound: &str,
        client_data: &[u8],
        now: Timestamp,
    ) -> Result<(Vec<u8>, Asked)> {
        let challenge = webauthn::challenge_of(client_data).map_err(unfit)?;
        let key = challenge_key(bound, &challenge);
        let asked = self.waiting.lock().challenges.take(&key, now);
        Ok((challenge, asked.ok_or_else(begin_again)?))
    }

    /// What a browser is asked for a passkey: of the person of a half sign-in, or of anybody. `browser` is a secret that this
    /// browser alone has.
    ///
    /// # Errors
    /// `passkey-origin` when the city has no address for them; `sign-in-begin-again`.
    pub async fn passkey_question(
        &self,
        half_secret: Option<&str>,
        browser: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<Value> {
        let origin = self.passkey_origin()?;
        let half = match half_secret {
            Some(secret) => {
                let key = secret::hash_token(secret);
                let half = self.waiting.lock().halves.get(&key, now).cloned();
                Some(half.filter(|h| !h.must_enrol).ok_or_else(begin_again)?)
            }
            None => None,
        };
        let mut known = Vec::new();
        if let Some(half) = &half {
            let of = passkeys::of_user(&mut *self.records().read().await?, half.user_id).await?;
            known.extend(of.into_iter().map(|p| p.credential_id));
        }
        let asked = Asked::SignIn(half.map(|h| h.user_id));
        let challenge = self.challenge(browser, asked, peer, now);
        let s = self.options.second_step_s;
        Ok(webauthn::request_options(origin, &challenge, &known, s))
    }

    /// Signs a person in who showed a passkey: as the second step, or without a password.
    ///
    /// # Errors
    /// As [`Identity::second_code`].
    pub async fn passkey_sign_in(
        &self,
        half_secret: Option<&str>,
        browser: &str,
        shown: &Assertion,
        peer: &str,
        now: Timestamp,
    ) -> Result<SignIn> {
        let origin = self.passkey_origin()?;
        let client_data = webauthn::bytes_of(&shown.response.client_data_json, "clientDataJSON")
            .map_err(unfit)?;
        let (challenge, asked) = self.take_challenge(browser, &client_data, now)?;
        let Asked::SignIn(of_half) = asked else {
            return Err(begin_again());
        };
        // Nobody guesses a signature; what is counted is work.
        let counted = format!("PASSKEY:{:.100}", shown.id);
        self.begin_try(&counted, peer, now)?;
        let found = self.holder(shown).await?;
        let Some((passkey, user)) = found.filter(|(p, _)| of_half.is_none_or(|id| id == p.user_id))
        else {
            self.refuse_sign_in("", peer, now).await?;
            return Err(second_wrong("this passkey is not known here"));
        };
        let expected = Expected {
            challenge: &challenge,
            origin,
            is_verified: true,
        };
        let checked = check(&passkey, expected, &client_data, shown);
        let mut write = self.records().write().await?;
        let signed = match checked {
            Ok(signed) => signed,
            Err(fault) => {
                second_refused(&mut write, &user, "passkey", peer, now).await?;
                write.commit().await?;
                return Err(second_wrong(fault));
            }
        };
        // Read again where nobody else writes: of two answers at once, one comes first.
        let before = passkeys::by_credential(&mut write, &passkey.credential_id).await?;
        let before = before.ok_or_else(begin_again)?.sign_count;
        let counter = i64::from(signed.sign_count);
        // An authenticator without a counter says 0 each time (§6.1.1).
        if (counter > 0 || before > 0) && counter <= before {
            let detail =
                json!({"counter": counter, "counter_before": before, "passkey": passkey.id});
            let target = format!("user:{}", user.id);
            let actor = tried(&user, peer);
            audit::insert(
                &mut write,
                now,
                &actor,
                Event::PasskeyCloned,
                &target,
                &detail,
            )
            .await?;
            write.commit().await?;
            return Err(Failure::Unauthenticated(Problem::new(
                "passkey-cloned",
                format!(
                    "the passkey \"{}\" may have been copied: its counter went back",
                    passkey.name
                ),
                "session",
                "sign in another way, remove this passkey and make a new one; tell an administrator",
            )));
        }
        let mut half = None;
        if let Some(secret) = half_secret.filter(|_| of_half.is_some()) {
            half = Some(self.take_half(secret, now)?);
        }
        let by = "passkey";
        let began = half.as_ref().map_or(by.into(), |half| half.began(by));
        passkeys::used(&mut write, passkey.id, counter, signed.is_synced, now).await?;
        self.limiter.lock().succeeded(&counted, peer, now);
        let signed = self
            .open_session(&mut write, &user, began, peer, now)
            .await?;
        write.commit().await?;
        Ok(signed)
    }

    /// Whose passkey it is that a browser shows: one that is known, and that says of its person what is known.
    async fn holder(&self, shown: &Assertion) -> Result<Option<(Passkey, User)>> {
        let mut read = self.records().read().await?;
        let passkey = passkeys::by_credential(&mut read, &shown.id).await?;
        let handle = shown.response.user_handle.as_deref();
        let Some(passkey) = passkey.filter(|p| {
            handle.is_none_or(|h| h.is_empty() || h.trim_end_matches('=') == p.user_handle)
        }) else {
            return Ok(None);
        };
        let user = users::get(&mut read, passkey.user_id).await?;
        Ok(user.filter(|u| !u.disabled).map(|user| (passkey, user)))
    }
}

fn check(
    passkey: &Passkey,
    expected: Expected<'_>,
    client_data: &[u8],
    shown: &Assertion,
) -> std::result::Result<webauthn::Signed, Fault> {
    let auth_data = webauthn::bytes_of(&shown.response.authenticator_data, "authenticatorData")?;
    let signature = webauthn::bytes_of(&shown.response.signature, "signature")?;
    let key = hex::decode(&passkey.public_key).map_err(|_| Fault::Malformed("stored key"))?;
    webauthn::signed(expected, &key, client_data, &auth_data, &signature)
}

/// What a browser handed over is no answer at all.
pub(crate) fn unfit(fault: Fault) -> Failure {
    Failure::Invalid(Problem::new(
        "passkey-unfit",
        format!("the passkey's answer is none: {fault}"),
        "credential",
        "begin again on the city's own page; if it stays so, take another browser or authenticator",
    ))
}

/// To whom a sealed secret belongs.
pub(crate) fn totp_owner(user_id: i64) -> String {
    format!("totp:{user_id}")
}

/// Under what the limiter counts a person's second steps. Capital letters: no username has any.
fn second_name(user_id: i64) -> String {
    format!("SECOND:{user_id}")
}

fn challenge_key(bound: &str, challenge: &[u8]) -> String {
    secret::hash_token(&format!("{bound}\n{}", webauthn::text_of(challenge)))
}

/// Who tries: the password was right, but nobody is in yet.
fn tried(user: &User, peer: &str) -> Actor {
    Actor {
        kind: ActorKind::System,
        name: user.username.clone(),
        peer: peer.to_owned(),
    }
}

async fn second_refused(
    write: &mut Write,
    user: &User,
    by: &str,
    peer: &str,
    now: Timestamp,
) -> Result<()> {
    let target = format!("user:{}", user.id);
    let event = Event::SecondFactorRefused;
    audit::insert(
        write,
        now,
        &tried(user, peer),
        event,
        &target,
        &json!({"by": by}),
    )
    .await
}
