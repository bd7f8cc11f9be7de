//! What is asked of outside providers of identities: their description, their keys, the ID token for a code. Description and
//! keys are kept for a while; of many who wait for the same one asks, and a provider that did not answer is not asked again at
//! once.

use crate::outgoing::{Ask, Outgoing};
use identity::OutsideIdentity;
use model::{Problem, Timestamp};
use oidc::outside::{Config, Description, Limits};
use oidc::outside_token::{OutsideKeys, Wrong, check_id_token};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use url::Url;

/// The outside providers that people may sign in with; none where the settings name none.
pub struct OutsideProviders {
    providers: Vec<OutsideProvider>,
    outgoing: Outgoing,
    /// The limits in force.
    pub limits: Limits,
}

/// One of them, with what it said of itself lately.
pub struct OutsideProvider {
    /// What the settings say of it.
    pub config: Config,
    described: Mutex<Kept<Description>>,
    keys: Mutex<Kept<OutsideKeys>>,
}

/// What was fetched, and when; or why not.
struct Kept<T> {
    found: Option<(Arc<T>, Timestamp)>,
    failed: Option<(Problem, Timestamp)>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            found: None,
            failed: None,
        }
    }
}

impl<T> Kept<T> {
    /// What is known without asking: what was found and is young enough, or why it failed just now.
    fn known(&self, kept_s: i64, failed_s: i64, now: Timestamp) -> Option<Result<Arc<T>, Problem>> {
        if let Some((found, at)) = &self.found
            && at.plus_seconds(kept_s) > now
        {
            return Some(Ok(found.clone()));
        }
        let (problem, at) = self.failed.as_ref()?;
        (at.plus_seconds(failed_s) > now).then(|| Err(problem.clone()))
    }

    fn note(&mut self, got: Result<T, Problem>, now: Timestamp) -> Result<Arc<T>, Problem> {
        match got {
            Ok(found) => {
                let found = Arc::new(found);
                self.found = Some((found.clone(), now));
                self.failed = None;
                Ok(found)
            }
            Err(problem) => {
                self.failed = Some((problem.clone(), now));
                Err(problem)
            }
        }
    }
}

/// Why a code brought nobody.
#[derive(Debug)]
pub enum NoPerson {
    /// The provider does not answer, or not with what it should; this is its fault, not the caller's.
    Unreachable(Problem),
    /// It refused the code, or its ID token is not taken: why, for the log and the trail.
    NotTaken(String),
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
}

/// The protocol's own error (RFC 6749 §5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl OutsideProviders {
    /// Providers, and how they are reached.
    pub fn new(configs: Vec<Config>, outgoing: Outgoing, limits: Limits) -> Self {
        let providers = configs.into_iter().map(|config| OutsideProvider {
            config,
            described: Mutex::default(),
            keys: Mutex::default(),
        });
        Self {
            providers: providers.collect(),
            outgoing,
            limits,
        }
    }

    /// All of them, as the settings order them.
    pub fn all(&self) -> &[OutsideProvider] {
        &self.providers
    }

    /// One, by its id.
    pub fn get(&self, id: &str) -> Option<&OutsideProvider> {
        self.providers.iter().find(|p| p.config.id == id)
    }

    async fn document(&self, ask: Ask<'_>) -> Result<(u16, Vec<u8>), Problem> {
        let place = ask.url.to_string();
        let (status, body) = self.outgoing.ask(ask).await.map_err(|why| {
            Problem::new(
                "outside-unreachable",
                format!("it does not answer: {why}"),
                place,
                "look whether the address is right and reachable from this machine, and its certificate one that is believed",
            )
        })?;
        Ok((status.as_u16(), body.to_vec()))
    }

    fn read<'a>(&self, url: &'a Url, bytes_max: usize) -> Ask<'a> {
        let time_max = Duration::from_secs(self.limits.ask_s_max);
        Ask::read(url, Some(bytes_max), time_max)
    }

    async fn fetched(&self, url: &Url, bytes_max: usize) -> Result<Vec<u8>, Problem> {
        match self.document(self.read(url, bytes_max)).await? {
            (200, body) => Ok(body),
            (status, _) => Err(Problem::new(
                "outside-unreachable",
                format!("it answers with status {status}"),
                url.to_string(),
                "look whether the issuer is right",
            )),
        }
    }

    /// What a provider says of itself.
    ///
    /// # Errors
    /// Why there is nothing, or what is wrong with it.
    pub async fn described(
        &self,
        provider: &OutsideProvider,
        now: Timestamp,
    ) -> Result<Arc<Description>, Problem> {
        let mut kept = provider.described.lock().await;
        let limits = &self.limits;
        if let Some(known) = kept.known(limits.kept_s, limits.failed_s, now) {
            return known;
        }
        let config = &provider.config;
        let got = async {
            let address = config.description_url();
            let url = Url::parse(&address).map_err(|e| {
                let mend = "write it as the provider does";
                Problem::new("outside-provider", e.to_string(), &address, mend)
            })?;
            let text = self.fetched(&url, limits.document_bytes_max).await?;
            Description::parse(config, &text)
        };
        let got = got.await;
        kept.note(got, now)
    }

    /// A provider's keys; anew when one is asked for that is not among them, but not too often.
    ///
    /// # Errors
    /// As [`OutsideProviders::described`].
    pub async fn keys(
        &self,
        provider: &OutsideProvider,
        description: &Description,
        is_anew: bool,
        now: Timestamp,
    ) -> Result<Arc<OutsideKeys>, Problem> {
        let mut kept = provider.keys.lock().await;
        let limits = &self.limits;
        let kept_s = if is_anew {
            limits.keys_again_s.min(limits.kept_s)
        } else {
            limits.kept_s
        };
        if let Some(known) = kept.known(kept_s, limits.failed_s, now) {
            return known;
        }
        let url = description.keys_url();
        let got = match self.fetched(url, limits.keys_bytes_max).await {
            Ok(text) => OutsideKeys::parse(url.as_str(), &text, limits),
            Err(problem) => Err(problem),
        };
        kept.note(got, now)
    }

    /// Redeems a code: who it is.
    ///
    /// # Errors
    /// Why it is nobody.
    pub async fn redeem(
        &self,
        provider: &OutsideProvider,
        redirect_uri: &str,
        code: &str,
        (nonce, verifier): (&str, &str),
        now: impl Fn() -> Timestamp,
    ) -> Result<OutsideIdentity, NoPerson> {
        let config = &provider.config;
        let described = self.described(provider, now()).await;
        let description = described.map_err(NoPerson::Unreachable)?;
        let request = description.code_request(config, redirect_uri, code, verifier);
        let url = description.token_endpoint();
        let ask = self
            .read(url, self.limits.document_bytes_max)
            .with_form(request.body, request.authorization);
        let (status, body) = self.document(ask).await.map_err(NoPerson::Unreachable)?;
        if status != 200 {
            let said = serde_json::from_slice::<Refusal>(&body).map(|r| r.error);
            return Err(match said.as_deref() {
                Ok("invalid_grant") => NoPerson::NotTaken("the code was refused".to_owned()),
                said => NoPerson::Unreachable(Problem::new(
                    "outside-unreachable",
                    format!(
                        "it answers with status {status} {}",
                        model::problem::quote(said.unwrap_or_default())
                    ),
                    url.to_string(),
                    "look whether client_id, the secret and the address to send people back to are as they are registered there",
                )),
            });
        }
        let tokens: Tokens = serde_json::from_slice(&body)
            .map_err(|e| NoPerson::NotTaken(format!("the answer does not read: {e}")))?;
        let token = tokens
            .id_token
            .ok_or_else(|| NoPerson::NotTaken("the answer has no ID token".to_owned()))?;
        let checked = async |is_anew| {
            let keys = self.keys(provider, &description, is_anew, now()).await;
            let keys = keys.map_err(NoPerson::Unreachable)?;
            Ok(check_id_token(
                config,
                &keys,
                &token,
                nonce,
                &self.limits,
                now(),
            ))
        };
        let mut person = checked(false).await?;
        if person == Err(Wrong::KeyUnknown) {
            person = checked(true).await?;
        }
        let person =
            person.map_err(|wrong| NoPerson::NotTaken(format!("the ID token: {wrong}")))?;
        Ok(OutsideIdentity {
            provider: config.id.clone(),
            issuer: config.issuer.clone(),
            subject: person.subject,
            shown: person.shown,
            username: person.username,
            is_second_factor_trusted: person.is_second_factor_trusted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn what_was_found_is_kept_and_what_failed_is_not_asked_again_at_once() {
        let mut kept = Kept::<u8>::default();
        assert!(kept.known(100, 10, T0).is_none());
        let failure = Problem::new("outside-unreachable", "x", "y", "z");
        assert!(kept.note(Err(failure), T0).is_err());
        assert!(matches!(
            kept.known(100, 10, T0.plus_seconds(9)),
            Some(Err(_))
        ));
        assert!(kept.known(100, 10, T0.plus_seconds(10)).is_none());
        assert_eq!(kept.note(Ok(7), T0.plus_seconds(10)).map(|n| *n), Ok(7));
        let known = |kept_s, at| kept.known(kept_s, 10, T0.plus_seconds(at));
        assert!(matches!(known(100, 109), Some(Ok(_))));
        assert!(known(100, 110).is_none());
        // Anew for an unknown key: once a minute at most.
        assert!(matches!(known(60, 69), Some(Ok(_))));
        assert!(known(60, 70).is_none());
    }
}
