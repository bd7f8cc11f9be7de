//! The keys that tokens are signed with: RSA of 2048 bits, the newest signs, older ones stay published until what they
//! signed has ended. They are kept by whoever holds the city's folder, as the text that [`Keys::text`] gives.

use crate::ring_jws;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use model::{Problem, Timestamp};
use rand::CryptoRng;
use ring::rsa::PublicKeyComponents;
use ring::signature::RsaKeyPair;
use rsa::pkcs1::EncodeRsaPrivateKey;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt;

/// Version of the text that keys are kept as.
pub const VERSION: u32 = 1;
/// Bits of a new key.
const KEY_BITS: usize = 2048;

/// The keys, the one that signs first.
#[derive(Debug)]
pub struct Keys(Vec<Key>);

struct Key {
    kid: String,
    made_at: Timestamp,
    /// Since when another signs.
    retired_at: Option<Timestamp>,
    der: Vec<u8>,
    signing: EncodingKey,
    verifying: DecodingKey,
    n: Vec<u8>,
    e: Vec<u8>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    keys: Vec<KeptKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptKey {
    kid: String,
    /// Microseconds since 1970.
    made_at: i64,
    retired_at: Option<i64>,
    /// PKCS #1, base64.
    rsa: String,
}

fn unreadable(what: impl Into<String>) -> Problem {
    Problem::new(
        "oidc-keys",
        what,
        "the signing keys",
        "put the file back from a backup, or delete it: new keys are made, and everybody signs in to the other systems again",
    )
}

impl Key {
    fn new(
        der: Vec<u8>,
        made_at: Timestamp,
        retired_at: Option<Timestamp>,
    ) -> Result<Self, Problem> {
        // ring checks that the numbers belong together.
        let pair = RsaKeyPair::from_der(&der)
            .map_err(|e| unreadable(format!("a key is no RSA key: {e}")))?;
        let PublicKeyComponents::<Vec<u8>> { n, e } = pair.public().into();
        Ok(Self {
            kid: thumbprint(&n, &e),
            made_at,
            retired_at,
            signing: EncodingKey::from_rsa_der(&der),
            verifying: DecodingKey::from_rsa_raw_components(&n, &e),
            der,
            n,
            e,
        })
    }

    fn generate(random: &mut impl CryptoRng, now: Timestamp) -> Result<Self, Problem> {
        let made = rsa::PrivateKey::new(random, KEY_BITS)
            .map_err(|e| unreadable(format!("a key could not be made: {e}")))?;
        let der = made
            .to_pkcs1_der()
            .map_err(|e| unreadable(format!("a key could not be made: {e}")))?;
        Self::new(der.as_bytes().to_vec(), now, None)
    }

    fn jwk(&self) -> Value {
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
            "n": URL_SAFE_NO_PAD.encode(&self.n), "e": URL_SAFE_NO_PAD.encode(&self.e)})
    }
}

/// RFC 7638.
fn thumbprint(n: &[u8], e: &[u8]) -> String {
    let text = format!(
        "{{\"e\":\"{}\",\"kty\":\"RSA\",\"n\":\"{}\"}}",
        URL_SAFE_NO_PAD.encode(e),
        URL_SAFE_NO_PAD.encode(n)
    );
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

impl Keys {
    /// One new key.
    ///
    /// # Errors
    /// When none could be made.
    pub fn generate(random: &mut impl CryptoRng, now: Timestamp) -> Result<Self, Problem> {
        ring_jws::install();
        Ok(Self(vec![Key::generate(random, now)?]))
    }

    /// Reads what [`Keys::text`] gave.
    ///
    /// # Errors
    /// When it is damaged or of a newer program.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        ring_jws::install();
        let kept: Kept =
            serde_json::from_str(text).map_err(|e| unreadable(format!("they do not read: {e}")))?;
        if kept.version > VERSION {
            return Err(unreadable(format!(
                "they have version {}, newer than {VERSION}",
                kept.version
            )));
        }
        let mut keys = Vec::new();
        for key in kept.keys {
            let der = STANDARD
                .decode(&key.rsa)
                .map_err(|e| unreadable(format!("a key does not read: {e}")))?;
            keys.push(Key::new(
                der,
                Timestamp::from_micros(key.made_at),
                key.retired_at.map(Timestamp::from_micros),
            )?);
        }
        if keys.first().is_none_or(|key| key.retired_at.is_some()) {
            return Err(unreadable("there is none that signs"));
        }
        Ok(Self(keys))
    }

    /// The keys as text, for a file that only the city's own user reads.
    pub fn text(&self) -> String {
        let kept = Kept {
            version: VERSION,
            keys: self
                .0
                .iter()
                .map(|key| KeptKey {
                    kid: key.kid.clone(),
                    made_at: key.made_at.micros(),
                    retired_at: key.retired_at.map(Timestamp::micros),
                    rsa: STANDARD.encode(&key.der),
                })
                .collect(),
        };
        serde_json::to_string_pretty(&kept).unwrap_or_default()
    }

    /// The same keys with a new one that signs from now on. Those that have not signed for `kept_s` seconds are gone.
    ///
    /// # Errors
    /// When none could be made.
    pub fn rotated(
        &self,
        random: &mut impl CryptoRng,
        kept_s: i64,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let mut next = vec![Key::generate(random, now)?];
        for key in &self.0 {
            let retired_at = key.retired_at.unwrap_or(now);
            if retired_at.plus_seconds(kept_s) > now {
                next.push(Key::new(key.der.clone(), key.made_at, Some(retired_at))?);
            }
        }
        Ok(Self(next))
    }

    /// When the key that signs was made.
    pub fn signs_since(&self) -> Timestamp {
        self.0
            .first()
            .map_or_else(Timestamp::default, |key| key.made_at)
    }

    /// The public halves (RFC 7517), without those that have not signed for `kept_s` seconds.
    pub fn jwks(&self, kept_s: i64, now: Timestamp) -> Value {
        let keys: Vec<Value> = self
            .0
            .iter()
            .filter(|key| {
                key.retired_at
                    .is_none_or(|at| at.plus_seconds(kept_s) > now)
            })
            .map(Key::jwk)
            .collect();
        json!({ "keys": keys })
    }

    /// The names of the keys, the one that signs first.
    pub fn kids(&self) -> Vec<String> {
        self.0.iter().map(|key| key.kid.clone()).collect()
    }

    pub(crate) fn signing(&self, kind: &str) -> Option<(Header, &EncodingKey)> {
        let key = self.0.first()?;
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(kind.to_owned());
        header.kid = Some(key.kid.clone());
        Some((header, &key.signing))
    }

    pub(crate) fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        self.0
            .iter()
            .find(|key| key.kid == kid)
            .map(|key| &key.verifying)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back_and_an_old_one_stays_for_its_time() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let first = Keys::generate(&mut rand::rng(), now).unwrap();
        let second = first
            .rotated(&mut rand::rng(), 100, now.plus_seconds(10))
            .unwrap();
        assert_eq!(second.kids()[1..], first.kids()[..]);
        let read = Keys::parse(&second.text()).unwrap();
        assert_eq!(read.kids(), second.kids());
        assert_eq!(read.signs_since(), now.plus_seconds(10));
        let shown = |at| read.jwks(100, at)["keys"].as_array().unwrap().len();
        assert_eq!(shown(now.plus_seconds(109)), 2);
        assert_eq!(shown(now.plus_seconds(110)), 1);
        let third = read
            .rotated(&mut rand::rng(), 100, now.plus_seconds(500))
            .unwrap();
        assert_eq!(third.kids().len(), 2, "the first is gone");
        assert!(!second.jwks(100, now)["keys"].to_string().contains("\"d\""));
        for bad in [
            "{",
            "{\"version\":2,\"keys\":[]}",
            "{\"version\":1,\"keys\":[]}",
        ] {
            assert_eq!(Keys::parse(bad).unwrap_err().code, "oidc-keys");
        }
    }
}
