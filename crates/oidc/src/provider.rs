//! The provider: its limits, what it holds, and who the client is that asks.

use crate::client::Client;
use crate::fault::{Answer, Fault};
use crate::form::Form;
use crate::keys::Keys;
use crate::rate::Rate;
use crate::secret::{self, Draw};
use crate::tokens::{self, AccessClaims, Bad};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{Problem, Timestamp, problem::quote};
use parking_lot::{Mutex, RwLock};
use records::users::User;
use records::{
    Actor, ActorKind, Connection, Event, Failure, Records, Result, audit, oidc_clients, users,
};
use ring::hmac;
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use url::Url;

/// The limits of the provider.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long an authorisation code may wait to be exchanged, seconds.
    pub code_s: i64,
    /// How long an access token is good, seconds.
    pub access_token_s: i64,
    /// How long an ID token is good, seconds.
    pub id_token_s: i64,
    /// How long a refresh token may lie unused, seconds.
    pub refresh_token_s: i64,
    /// How long a sign-in at a client that asked for `offline_access` lasts however much it is used, seconds.
    pub family_s: i64,
    /// How long another lasts: no longer than a session here, seconds.
    pub session_family_s: i64,
    /// How long a device may wait for its person, seconds.
    pub device_s: i64,
    /// Seconds between two questions of a waiting device; each question that comes sooner adds as many.
    pub device_interval_s: i64,
    /// Most devices of one client that wait at once.
    pub devices_waiting_max: i64,
    /// How far clocks may differ, seconds: a token is good that much longer, and that much before its time.
    pub clock_skew_s: i64,
    /// How long a logout token is good, seconds.
    pub logout_token_s: i64,
    /// How long a key stays published after it signed last, seconds.
    pub key_kept_s: i64,
    /// Requests of one client for tokens and devices' codes in a minute.
    pub token_requests_per_minute_max: u32,
    /// Wrong secrets of one client from one address in a minute; more are not looked at.
    pub client_failures_per_minute_max: u32,
    /// Wrong secrets from one address in a minute, whatever the client.
    pub peer_failures_per_minute_max: u32,
    /// Codes of devices that one person may try in a minute.
    pub user_codes_per_minute_max: u32,
    /// How often a client is told of an ended session before it is given up.
    pub logout_attempts_max: i64,
    /// Askers remembered at once.
    pub remembered_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            code_s: 60,
            access_token_s: 600,
            id_token_s: 600,
            refresh_token_s: 14 * 86_400,
            family_s: 90 * 86_400,
            session_family_s: 12 * 3_600,
            device_s: 600,
            device_interval_s: 5,
            devices_waiting_max: 1_000,
            clock_skew_s: 5,
            logout_token_s: 120,
            key_kept_s: 86_400,
            token_requests_per_minute_max: 600,
            client_failures_per_minute_max: 10,
            peer_failures_per_minute_max: 60,
            user_codes_per_minute_max: 10,
            logout_attempts_max: 8,
            remembered_max: 10_000,
        }
    }
}

/// Writes the keys to the city's folder.
pub type KeepKeys = Box<dyn Fn(&str) -> std::result::Result<(), String> + Send + Sync>;

/// What is there only when the city has a public address.
pub(crate) struct Open {
    pub issuer: String,
    pub keys: RwLock<Arc<Keys>>,
    keep: KeepKeys,
}

/// Jingling as an OpenID Connect provider, over the records.
pub struct Provider {
    pub(crate) records: Records,
    pub(crate) options: Options,
    pub(crate) draw: Draw,
    pub(crate) open: Option<Open>,
    stamps: hmac::Key,
    token_requests: Mutex<Rate>,
    client_failures: Mutex<Rate>,
    peer_failures: Mutex<Rate>,
    pub(crate) user_codes: Mutex<Rate>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// A provider that is shut: clients can be registered, nobody can sign in to them.
    pub fn shut(records: Records, options: Options, draw: Draw) -> Self {
        let rate =
            |per_minute_max| Mutex::new(Rate::new(per_minute_max, 60, options.remembered_max));
        Self {
            stamps: hmac::Key::new(hmac::HMAC_SHA256, &draw()),
            token_requests: rate(options.token_requests_per_minute_max),
            client_failures: rate(options.client_failures_per_minute_max),
            peer_failures: rate(options.peer_failures_per_minute_max),
            user_codes: rate(options.user_codes_per_minute_max),
            records,
            options,
            draw,
            open: None,
        }
    }

    /// Opens it at a public address.
    ///
    /// # Errors
    /// When the address is not one that an issuer may have.
    pub fn opened(
        self,
        issuer: &str,
        keys: Keys,
        keep: KeepKeys,
    ) -> std::result::Result<Self, Problem> {
        Ok(Self {
            open: Some(Open {
                issuer: check_issuer(issuer)?,
                keys: RwLock::new(Arc::new(keys)),
                keep,
            }),
            ..self
        })
    }

    /// The limits in force.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// The public address; `None` while it is shut.
    pub fn issuer(&self) -> Option<&str> {
        self.open.as_ref().map(|open| open.issuer.as_str())
    }

    pub(crate) fn open(&self) -> Result<&Open> {
        self.open.as_ref().ok_or_else(shut)
    }

    /// The keys now.
    pub(crate) fn keys(&self) -> Result<Arc<Keys>> {
        Ok(self.open()?.keys.read().clone())
    }

    /// The public keys (RFC 7517).
    ///
    /// # Errors
    /// [`Failure::NotFound`] while the provider is shut.
    pub fn jwks(&self, now: Timestamp) -> Result<serde_json::Value> {
        Ok(self.keys()?.jwks(self.options.key_kept_s, now))
    }

    /// When the key that signs was made.
    ///
    /// # Errors
    /// As [`Provider::jwks`].
    pub fn signs_since(&self) -> Result<Timestamp> {
        Ok(self.keys()?.signs_since())
    }

    /// Makes a new key that signs from now on; the old one stays published until what it signed has ended. The keys are on
    /// disk before the first token is signed with the new one.
    ///
    /// # Errors
    /// As [`Provider::jwks`]; [`Failure::Internal`] when the keys could not be kept.
    pub fn rotate_keys(
        &self,
        random: &mut impl rand::CryptoRng,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        self.renew_keys(random, self.options.key_kept_s, now)
    }

    /// Makes a new key and ends every other at once: what they signed is refused from now on.
    ///
    /// # Errors
    /// As [`Provider::rotate_keys`].
    pub fn end_keys(
        &self,
        random: &mut impl rand::CryptoRng,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        self.renew_keys(random, 0, now)
    }

    /// The names of the keys, the one that signs first.
    ///
    /// # Errors
    /// As [`Provider::jwks`].
    pub fn kids(&self) -> Result<Vec<String>> {
        Ok(self.keys()?.kids())
    }

    fn renew_keys(
        &self,
        random: &mut impl rand::CryptoRng,
        kept_s: i64,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        let open = self.open()?;
        let next = self
            .keys()?
            .rotated(random, kept_s, now)
            .map_err(Failure::internal)?;
        (open.keep)(&next.text()).map_err(Failure::internal)?;
        let kids = next.kids();
        *open.keys.write() = Arc::new(next);
        Ok(kids)
    }

    /// Checks an access token without asking the records: signature, issuer, times. What was taken back meanwhile is found
    /// by [`Provider::introspect`].
    ///
    /// # Errors
    /// Why it is not good.
    pub fn check_access_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> std::result::Result<AccessClaims, Bad> {
        let open = self.open.as_ref().ok_or(Bad::Issuer)?;
        let keys = open.keys.read().clone();
        tokens::check_access(&keys, &open.issuer, token, self.options.clock_skew_s, now)
    }

    /// Counts a request for tokens. A public client is counted by address too: anybody can say that it is one.
    pub(crate) fn count_request(&self, client: &Client, peer: &str, now: Timestamp) -> Answer<()> {
        let who = if client.row.is_public {
            format!("{}@{peer}", client.id())
        } else {
            client.id().to_owned()
        };
        self.token_requests
            .lock()
            .take(&who, now)
            .map_err(Fault::too_often)
    }

    /// The time now with a seal, so that a page can carry it and not change it.
    pub fn stamp(&self, now: Timestamp) -> String {
        let text = now.micros().to_string();
        let seal = hmac::sign(&self.stamps, text.as_bytes());
        format!("{text}.{}", hex::encode(seal))
    }

    /// The time of a stamp of this process.
    pub fn stamped(&self, stamp: &str) -> Option<Timestamp> {
        let (text, seal) = stamp.split_once('.')?;
        hmac::verify(&self.stamps, text.as_bytes(), &hex::decode(seal).ok()?).ok()?;
        text.parse().ok().map(Timestamp::from_micros)
    }

    /// A client that is not shut out.
    pub(crate) async fn client(
        &self,
        connection: &mut Connection,
        client_id: &str,
    ) -> Result<Option<Client>> {
        oidc_clients::get(connection, client_id)
            .await?
            .filter(|row| !row.disabled)
            .map(Client::of)
            .transpose()
    }

    /// A person whose account is not closed.
    pub(crate) async fn person(
        &self,
        connection: &mut Connection,
        user_id: i64,
    ) -> Result<Option<User>> {
        Ok(users::get(connection, user_id)
            .await?
            .filter(|u| !u.disabled))
    }

    /// Who asks: the client of the `Authorization` header (Basic), or of `client_id` and `client_secret` in the form; a
    /// public client names itself alone. `peer` is the network address.
    ///
    /// # Errors
    /// `invalid_client`, the same whether the client is unknown or its secret wrong; `invalid_request` when it says who it
    /// is in two ways; 429 when it was wrong too often.
    pub async fn authenticate(
        &self,
        authorization: Option<&str>,
        form: &Form,
        peer: &str,
        now: Timestamp,
    ) -> Answer<Client> {
        self.open()?;
        let (client_id, given) = credentials(authorization, form)?;
        let at: String = client_id
            .chars()
            .take(64)
            .chain("@".chars())
            .chain(peer.chars())
            .collect();
        self.client_failures
            .lock()
            .ask(&at, now)
            .map_err(Fault::too_often)?;
        self.peer_failures
            .lock()
            .ask(peer, now)
            .map_err(Fault::too_often)?;
        let found = self
            .client(&mut *self.records.read().await?, &client_id)
            .await?;
        let found = found.filter(|client| match (&given, client.row.is_public) {
            (Some(given), false) => client.knows(given),
            (None, true) => true,
            // A public client has no secret, and a confidential one must say it.
            (Some(_), true) | (None, false) => false,
        });
        let Some(client) = found else {
            let _ = self.client_failures.lock().take(&at, now);
            let _ = self.peer_failures.lock().take(peer, now);
            let actor = Actor {
                kind: ActorKind::System,
                name: quote(&client_id),
                peer: peer.to_owned(),
            };
            let mut write = self.records.write().await?;
            audit::insert(
                &mut write,
                now,
                &actor,
                Event::OidcClientRefused,
                "client",
                &json!({}),
            )
            .await?;
            write.commit().await?;
            return Err(Fault::client(
                "the client is unknown, is shut out, or its secret is wrong",
            ));
        };
        Ok(client)
    }
}

fn credentials(authorization: Option<&str>, form: &Form) -> Answer<(String, Option<String>)> {
    let wrong =
        || Fault::client("the Authorization header is not Basic with the client's id and secret");
    if let Some(header) = authorization {
        let encoded = header
            .split_once(' ')
            .filter(|(kind, _)| kind.eq_ignore_ascii_case("basic"))
            .map(|(_, rest)| rest.trim())
            .ok_or_else(wrong)?;
        let text = STANDARD.decode(encoded).map_err(|_| wrong())?;
        let text = String::from_utf8(text).map_err(|_| wrong())?;
        let (id, given) = text.split_once(':').ok_or_else(wrong)?;
        if form.get("client_secret").is_some() {
            return Err(Fault::request("the client says who it is in two ways"));
        }
        // RFC 6749 §2.3.1: both are form-encoded first.
        let plain = |part: &str| {
            form_urlencoded::parse(format!("v={part}").as_bytes())
                .next()
                .map_or_else(String::new, |(_, value)| value.into_owned())
        };
        let id = plain(id);
        if form.get("client_id").is_some_and(|other| other != id) {
            return Err(Fault::request(
                "client_id is not that of the Authorization header",
            ));
        }
        return Ok((id, Some(plain(given))));
    }
    let id = form
        .get("client_id")
        .ok_or_else(|| Fault::client("the client does not say who it is"))?;
    Ok((id.to_owned(), form.get("client_secret").map(str::to_owned)))
}

fn shut() -> Failure {
    Failure::NotFound(Problem::new(
        "oidc-off",
        "this city is no OpenID Connect provider: it has no public address",
        "oidc.issuer",
        "set oidc.issuer in jingling.toml to the address under which people reach the city, then restart it",
    ))
}

/// Checks the public address of an issuer: https, or http on this machine; without path, query and fragment.
///
/// # Errors
/// What it should look like.
pub fn check_issuer(text: &str) -> std::result::Result<String, Problem> {
    let wrong = || {
        Problem::new(
            "oidc-issuer",
            format!("\"{}\" is no address of an issuer", quote(text)),
            "oidc.issuer",
            "write it as https://city.example.gov.cn: https (http only for this machine), without path, query and end slash",
        )
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_good = (url.scheme() == "https"
        || (url.scheme() == "http" && crate::client::is_loopback(&url)))
        && url.path() == "/"
        && !text.ends_with('/')
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if is_good {
        Ok(text.to_owned())
    } else {
        Err(wrong())
    }
}

/// A new secret with what is kept of it.
pub(crate) fn new_secret(prefix: &str, draw: Draw) -> (String, records::Secret) {
    let text = secret::text(prefix, draw);
    let hash = records::Secret::new(secret::hash(&text));
    (text, hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_origin() {
        for good in [
            "https://city.example",
            "https://city.example:8443",
            "http://127.0.0.1:8480",
            "http://localhost:1",
        ] {
            assert_eq!(check_issuer(good).unwrap(), good);
        }
        for bad in [
            "",
            "city.example",
            "http://city.example",
            "https://city.example/",
            "https://c.example/x",
            "https://c.example?x",
        ] {
            assert!(check_issuer(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn basic_credentials_are_form_encoded() {
        let header = format!("Basic {}", STANDARD.encode("a%3Ab:c%20d+e"));
        let form = Form::default();
        assert_eq!(
            credentials(Some(&header), &form).unwrap(),
            ("a:b".to_owned(), Some("c d e".to_owned()))
        );
        let both = Form::parse(b"client_id=x&client_secret=y").unwrap();
        assert_eq!(
            credentials(Some(&header), &both).unwrap_err().error,
            "invalid_request"
        );
        for bad in ["Bearer x", "Basic !", "Basic"] {
            assert_eq!(
                credentials(Some(bad), &form).unwrap_err().error,
                "invalid_client"
            );
        }
    }
}
