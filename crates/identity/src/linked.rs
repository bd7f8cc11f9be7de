//! Signing in with an identity at an outside provider (省统一身份认证): what waits while the browser is there, whose account an
//! identity opens, and linking and unlinking. That the identity is the person's is proved before (the `oidc` crate); nothing is
//! ever created for one that is not linked. A person's own second factor is asked for all the same.

use crate::second_step::{Half, begin_again};
use crate::sessions::Began;
use crate::users::administrator_of;
use crate::{HalfSignIn, Identity, SignInStep, secret};
use model::Timestamp;
use records::linked_identities::{self, BY_CLAIM, BY_PERSON, LinkedIdentity};
use records::users::User;
use records::{Actor, ActorKind, Event, Failure, Result, Write, audit, sessions, users};
use serde_json::json;

/// How a session of theirs began, in one word.
const PROVINCE: &str = "province";
/// Longest name of a refused identity in the trail, characters.
const TRIED_CHARS_MAX: usize = 200;

/// What a person went to the provider for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutsidePurpose {
    /// To sign in.
    SignIn,
    /// To link the identity to the account that this session is of.
    Link {
        /// Whose account.
        user_id: i64,
        /// The session's name.
        sid: String,
    },
}

/// A person who is at a provider now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideAsked {
    /// The provider's id.
    pub provider: String,
    /// What the ID token must repeat.
    pub nonce: String,
    /// What proves to the provider that the code is redeemed by who asked for it.
    pub verifier: String,
    /// The page to go back to.
    pub return_to: String,
    /// What for.
    pub purpose: OutsidePurpose,
}

/// What was drawn for a way to a provider and back.
#[derive(Clone, Debug)]
pub struct OutsideBegun {
    /// Comes back with the answer.
    pub state: String,
    /// For a cookie of this browser alone; an answer that comes with another browser is nobody's.
    pub browser: String,
    /// What the ID token must repeat.
    pub nonce: String,
    /// PKCE's verifier.
    pub verifier: String,
}

/// An identity at a provider, as its ID token proves it.
#[derive(Clone, Debug)]
pub struct OutsideIdentity {
    /// The provider's id.
    pub provider: String,
    /// Its issuer.
    pub issuer: String,
    /// What it knows the person by.
    pub subject: String,
    /// What people know the person by there.
    pub shown: String,
    /// The username here that a claim names, when the settings let it link.
    pub username: Option<String>,
    /// Whether the provider's own second factor stands in for that of this city.
    pub is_second_factor_trusted: bool,
}

impl OutsideIdentity {
    /// As the trail names who tried.
    fn tried(&self) -> String {
        let name = format!("{}:{}", self.provider, self.subject);
        name.chars().take(TRIED_CHARS_MAX).collect()
    }
}

/// How a sign-in with an outside identity has come out.
#[derive(Clone, Debug)]
pub enum OutsideStep {
    /// It goes on as one with a password does.
    Known(SignInStep),
    /// Nobody's account is linked to the identity.
    Unlinked,
    /// The account is closed.
    Closed,
}

/// How linking has come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// The identity opens the account from now on, or did before.
    Done,
    /// It opens another's.
    OfAnother,
    /// The account has another identity of that provider.
    HasOther,
    /// The session that asked for it has ended.
    SessionOver,
}

impl Identity {
    /// Remembers a person who goes to a provider, for [`crate::Options::outside_s`].
    pub fn begin_outside(
        &self,
        (provider, return_to): (&str, &str),
        purpose: OutsidePurpose,
        peer: &str,
        now: Timestamp,
    ) -> OutsideBegun {
        let begun = OutsideBegun {
            state: secret::generate_secret(),
            browser: secret::generate_secret(),
            nonce: secret::generate_secret(),
            verifier: secret::generate_secret(),
        };
        let asked = OutsideAsked {
            provider: provider.to_owned(),
            nonce: begun.nonce.clone(),
            verifier: begun.verifier.clone(),
            return_to: return_to.to_owned(),
            purpose,
        };
        let key = state_key(&begun.browser, &begun.state);
        self.waiting.lock().outside.put(key, peer, asked, now);
        begun
    }

    /// Takes what was remembered: it is there once, for this browser and this provider alone.
    ///
    /// # Errors
    /// `sign-in-begin-again`.
    pub fn take_outside(
        &self,
        provider: &str,
        browser: &str,
        state: &str,
        now: Timestamp,
    ) -> Result<OutsideAsked> {
        let key = state_key(browser, state);
        let taken = self.waiting.lock().outside.take(&key, now);
        taken
            .filter(|asked| asked.provider == provider)
            .ok_or_else(begin_again)
    }

    /// Begins a try with an outside identity, which counts as failed for its network address until
    /// [`Identity::outside_was_good`] says otherwise.
    ///
    /// # Errors
    /// [`Failure::TooMany`] `sign-in-too-often`.
    pub fn begin_outside_try(&self, peer: &str, now: Timestamp) -> Result<()> {
        let begun = self.limiter.lock().begin_from(peer, now);
        begun.map_err(crate::sessions::too_often)
    }

    /// The try begun last was no failure of who tried.
    pub fn outside_was_good(&self, peer: &str) {
        self.limiter.lock().succeeded_from(peer);
    }

    /// Writes that a sign-in with a provider was refused; `name` is who tried, where that is known.
    ///
    /// # Errors
    /// The store's own.
    pub async fn refuse_outside(
        &self,
        provider: &str,
        name: &str,
        why: &str,
        peer: &str,
        now: Timestamp,
    ) -> Result<()> {
        let actor = Actor {
            kind: ActorKind::System,
            name: name.to_owned(),
            peer: peer.to_owned(),
        };
        let detail = json!({"provider": provider, "why": why});
        let mut write = self.records().write().await?;
        let event = Event::SessionRefused;
        audit::insert(&mut write, now, &actor, event, "session", &detail).await?;
        write.commit().await
    }

    /// Signs in whoever an identity is linked to: a session, or the second step where the person or the role has one and the
    /// provider's own does not stand in for it.
    ///
    /// # Errors
    /// The store's own.
    pub async fn outside_sign_in(
        &self,
        identity: &OutsideIdentity,
        peer: &str,
        now: Timestamp,
    ) -> Result<OutsideStep> {
        let mut write = self.records().write().await?;
        let Some(link) = self.link_of(&mut write, identity, peer, now).await? else {
            drop(write);
            let (tried, why) = (identity.tried(), "unlinked");
            self.refuse_outside(&identity.provider, &tried, why, peer, now)
                .await?;
            return Ok(OutsideStep::Unlinked);
        };
        let user = users::get(&mut write, link.user_id).await?;
        let Some(user) = user.filter(|user| !user.disabled) else {
            drop(write);
            let (tried, why) = (identity.tried(), "closed");
            self.refuse_outside(&identity.provider, &tried, why, peer, now)
                .await?;
            return Ok(OutsideStep::Closed);
        };
        linked_identities::used(&mut write, link.id, &identity.shown, now).await?;
        let provider = Some(identity.provider.as_str());
        let ways = match identity.is_second_factor_trusted {
            true => None,
            false => self.needs_second(&user).await?,
        };
        let Some(ways) = ways else {
            let began = Began {
                by: PROVINCE,
                provider,
            };
            let signed = self
                .open_session(&mut write, &user, began, peer, now)
                .await?;
            write.commit().await?;
            return Ok(OutsideStep::Known(SignInStep::Done(signed)));
        };
        write.commit().await?;
        let secret = secret::generate_secret();
        let half = Half::new(user.id, ways, provider);
        let key = secret::hash_token(&secret);
        let expires_at = self.waiting.lock().halves.put(key, peer, half, now);
        let half = HalfSignIn {
            secret,
            expires_at,
            ways,
        };
        Ok(OutsideStep::Known(SignInStep::Second(half)))
    }

    /// The link of an identity; one that a claim makes now, where the settings let it. An administrator's account is never
    /// linked by a claim: whoever writes the province's directory would be administrator here.
    async fn link_of(
        &self,
        write: &mut Write,
        identity: &OutsideIdentity,
        peer: &str,
        now: Timestamp,
    ) -> Result<Option<LinkedIdentity>> {
        let found =
            linked_identities::by_subject(write, &identity.issuer, &identity.subject).await?;
        let Some(username) = identity.username.as_deref().filter(|_| found.is_none()) else {
            return Ok(found);
        };
        let user = users::by_username(write, username).await?;
        let Some(user) = user.filter(|u| !u.disabled && administrator_of(u).is_none()) else {
            return Ok(None);
        };
        let actor = Actor {
            peer: peer.to_owned(),
            ..Actor::system("link-claim")
        };
        insert(write, identity, user.id, BY_CLAIM, &actor, now).await
    }

    /// Links an identity to the account of who asked for it in a session that has not ended.
    ///
    /// # Errors
    /// The store's own.
    pub async fn link_outside(
        &self,
        (user_id, sid): (i64, &str),
        identity: &OutsideIdentity,
        peer: &str,
        now: Timestamp,
    ) -> Result<Linked> {
        let mut write = self.records().write().await?;
        let idle_s = self.options.session_idle_s;
        let session = sessions::of_user(&mut write, user_id).await?;
        let is_open = session.into_iter().any(|s| {
            s.sid == sid && s.expires_at > now && s.last_seen_at.plus_seconds(idle_s) > now
        });
        let user = users::get(&mut write, user_id).await?;
        let Some(user) = user.filter(|user| !user.disabled && is_open) else {
            return Ok(Linked::SessionOver);
        };
        let found =
            linked_identities::by_subject(&mut write, &identity.issuer, &identity.subject).await?;
        match found {
            Some(found) if found.user_id == user_id => return Ok(Linked::Done),
            Some(_) => return Ok(Linked::OfAnother),
            None => {}
        }
        let actor = Actor {
            kind: ActorKind::User(user_id),
            name: user.name,
            peer: peer.to_owned(),
        };
        let made = insert(&mut write, identity, user_id, BY_PERSON, &actor, now).await?;
        if made.is_none() {
            return Ok(Linked::HasOther);
        }
        write.commit().await?;
        Ok(Linked::Done)
    }

    /// The identities that open a person's account, the oldest first.
    ///
    /// # Errors
    /// The store's own.
    pub async fn linked_identities(&self, user_id: i64) -> Result<Vec<LinkedIdentity>> {
        linked_identities::of_user(&mut *self.records().read().await?, user_id).await
    }

    /// Takes a link of a person away. Where another does it, because the identity is no longer the person's, every session of
    /// the person's ends too; gives the names of those.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn unlink_outside(
        &self,
        user_id: i64,
        id: i64,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        let mut write = self.records().write().await?;
        let link = linked_identities::delete(&mut write, user_id, id)
            .await?
            .ok_or_else(|| Failure::not_found("identity", id))?;
        let mut ended = Vec::new();
        if actor.user_id() != Some(user_id) {
            ended = crate::account::end_others(&mut write, user_id, "").await?;
        }
        let detail = json!({"provider": link.provider, "subject": link.subject});
        let (event, target) = (Event::IdentityUnlink, format!("user:{user_id}"));
        audit::insert(&mut write, now, actor, event, &target, &detail).await?;
        write.commit().await?;
        if !ended.is_empty() {
            self.waiting.lock().halves.forget(|h| h.user_id == user_id);
        }
        Ok(ended)
    }

    /// What a half sign-in still needs, for a page that did not see its beginning.
    ///
    /// # Errors
    /// `sign-in-begin-again`.
    pub async fn half_step(&self, half_secret: &str, now: Timestamp) -> Result<HalfSignIn> {
        let key = secret::hash_token(half_secret);
        let (user_id, expires_at) = {
            let waiting = self.waiting.lock();
            let half = waiting.halves.get(&key, now).ok_or_else(begin_again)?;
            let ends = waiting.halves.ends(&key).ok_or_else(begin_again)?;
            (half.user_id, ends)
        };
        let user: Option<User> = users::get(&mut *self.records().read().await?, user_id).await?;
        let user = user.filter(|user| !user.disabled).ok_or_else(begin_again)?;
        let ways = self.needs_second(&user).await?.ok_or_else(begin_again)?;
        Ok(HalfSignIn {
            secret: half_secret.to_owned(),
            expires_at,
            ways,
        })
    }
}

async fn insert(
    write: &mut Write,
    identity: &OutsideIdentity,
    user_id: i64,
    by: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<LinkedIdentity>> {
    let row = LinkedIdentity {
        id: 0,
        user_id,
        provider: identity.provider.clone(),
        issuer: identity.issuer.clone(),
        subject: identity.subject.clone(),
        shown: identity.shown.clone(),
        linked_by: by.to_owned(),
        linked_at: now,
        last_used_at: None,
    };
    let made = linked_identities::insert(write, &row).await?;
    if made.is_some() {
        let detail = json!({"provider": identity.provider, "subject": identity.subject, "by": by});
        let (event, target) = (Event::IdentityLink, format!("user:{user_id}"));
        audit::insert(write, now, actor, event, &target, &detail).await?;
    }
    Ok(made)
}

/// A state is found by it together with what its own browser alone has.
fn state_key(browser: &str, state: &str) -> String {
    secret::hash_token(&format!("{browser}\n{state}"))
}
