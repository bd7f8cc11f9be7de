//! The keys that personal values are sealed under: the first one seals, older ones open what they sealed, and of those that
//! were retired (停用并销毁) only the id is left. They are kept by whoever holds the city's folder, as the text that
//! [`Keys::text`] gives.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Version of the text that keys are kept as. Version 1 had no retired keys.
pub const VERSION: u32 = 2;

/// How values are sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cipher {
    /// SM4 (GB/T 32907-2016) in Galois/counter mode.
    #[default]
    #[serde(rename = "sm4-gcm")]
    Sm4Gcm,
    /// AES with a key of 256 bits in Galois/counter mode.
    #[serde(rename = "aes-256-gcm")]
    Aes256Gcm,
}

impl Cipher {
    /// The word in settings and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sm4Gcm => "sm4-gcm",
            Self::Aes256Gcm => "aes-256-gcm",
        }
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::Sm4Gcm => gm::cipher::KEY_BYTES,
            Self::Aes256Gcm => 32,
        }
    }
}

impl FromStr for Cipher {
    type Err = Problem;
    fn from_str(word: &str) -> Result<Self, Problem> {
        [Self::Sm4Gcm, Self::Aes256Gcm]
            .into_iter()
            .find(|cipher| cipher.as_str() == word)
            .ok_or_else(|| {
                Problem::new(
                    "personal-cipher",
                    format!("\"{}\" is not a cipher", model::problem::quote(word)),
                    "personal.cipher",
                    "write sm4-gcm or aes-256-gcm",
                )
            })
    }
}

/// One key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id, eight hexadecimal digits; every value says by it which key sealed it.
    pub id: String,
    /// How it seals.
    pub cipher: Cipher,
    /// When it was made.
    pub made_at: Timestamp,
    /// Since when another seals.
    pub followed_at: Option<Timestamp>,
    pub(crate) secret: Vec<u8>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("cipher", &self.cipher)
            .finish_non_exhaustive()
    }
}

/// What is left of a key that was destroyed, so that a value under it is told from one whose key is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    /// Its id.
    pub id: String,
    /// When it was destroyed.
    pub retired_at: Timestamp,
}

/// The keys, the one that seals first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    keys: Vec<Key>,
    retired: Vec<Retired>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    keys: Vec<KeptKey>,
    #[serde(default)]
    retired: Vec<KeptRetired>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptRetired {
    id: String,
    /// Microseconds since 1970.
    retired_at: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptKey {
    id: String,
    cipher: Cipher,
    /// Microseconds since 1970.
    made_at: i64,
    followed_at: Option<i64>,
    /// Base64.
    key: String,
}

fn unreadable(what: impl Into<String>) -> Problem {
    Problem::new(
        "personal-keys",
        what,
        "the keys of personal data",
        "put the file back from an encrypted backup: without it, no personal value can be read any more",
    )
}

/// Whether a text has the form of a key's id.
fn is_id(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    text.len() == 8 && text.bytes().all(plain)
}

fn new_key(draw: fn() -> [u8; 32], cipher: Cipher, now: Timestamp) -> Key {
    let mut secret = draw().to_vec();
    secret.truncate(cipher.key_bytes());
    Key {
        id: hex::encode(&draw()[..4]),
        cipher,
        made_at: now,
        followed_at: None,
        secret,
    }
}

impl Keys {
    /// One new key. `draw` gives random bytes that nobody can foresee.
    pub fn generate(draw: fn() -> [u8; 32], cipher: Cipher, now: Timestamp) -> Self {
        Self {
            keys: vec![new_key(draw, cipher, now)],
            retired: Vec::new(),
        }
    }

    /// The same keys with a new one that seals from now on; the others still open.
    pub fn rotated(&self, draw: fn() -> [u8; 32], cipher: Cipher, now: Timestamp) -> Self {
        let mut key = new_key(draw, cipher, now);
        // Ids are drawn; of a few keys in four thousand million ids two alike will not be seen.
        while self.get(&key.id).is_some() || self.is_retired(&key.id) {
            key = new_key(draw, cipher, now);
        }
        let mut next = vec![key];
        next.extend(self.keys.iter().cloned().map(|mut key| {
            key.followed_at.get_or_insert(now);
            key
        }));
        Self {
            keys: next,
            retired: self.retired.clone(),
        }
    }

    /// The same keys without this one, of which the id is kept: what it sealed can never be opened again.
    ///
    /// # Errors
    /// `personal-key-unknown`; `personal-key-seals` for the one that seals.
    pub fn without(&self, id: &str, now: Timestamp) -> Result<Self, Problem> {
        if self.active().id == id {
            return Err(Problem::new(
                "personal-key-seals",
                format!("the key {id} is the one that seals"),
                "key",
                "make a newer one first: `jingling keys rotate`",
            ));
        }
        if self.get(id).is_none() {
            let what = match self.is_retired(id) {
                true => format!("the key {id} is retired already"),
                false => format!("there is no key \"{}\"", model::problem::quote(id)),
            };
            return Err(Problem::new(
                "personal-key-unknown",
                what,
                "key",
                "take an id from `jingling keys list`",
            ));
        }
        let mut next = self.clone();
        next.keys.retain(|key| key.id != id);
        next.retired.push(Retired {
            id: id.to_owned(),
            retired_at: now,
        });
        Ok(next)
    }

    /// Reads what [`Keys::text`] gave.
    ///
    /// # Errors
    /// `personal-keys` when it is damaged or of a newer program.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let kept: Kept =
            serde_json::from_str(text).map_err(|e| unreadable(format!("they do not read: {e}")))?;
        if kept.version > VERSION {
            return Err(unreadable(format!(
                "they have version {}, newer than {VERSION}",
                kept.version
            )));
        }
        let mut keys: Vec<Key> = Vec::new();
        for key in kept.keys {
            let secret = STANDARD
                .decode(&key.key)
                .map_err(|_| unreadable(format!("the key {} is no base64", key.id)))?;
            if secret.len() != key.cipher.key_bytes() {
                return Err(unreadable(format!(
                    "the key {} has {} bytes, {} wants {}",
                    key.id,
                    secret.len(),
                    key.cipher.as_str(),
                    key.cipher.key_bytes()
                )));
            }
            if !is_id(&key.id) || keys.iter().any(|k| k.id == key.id) {
                return Err(unreadable(format!(
                    "\"{}\" is no key's id, or two have it",
                    model::problem::quote(&key.id)
                )));
            }
            keys.push(Key {
                id: key.id,
                cipher: key.cipher,
                made_at: Timestamp::from_micros(key.made_at),
                followed_at: key.followed_at.map(Timestamp::from_micros),
                secret,
            });
        }
        if keys.first().is_none_or(|key| key.followed_at.is_some()) {
            return Err(unreadable("there is none that seals"));
        }
        let mut retired: Vec<Retired> = Vec::new();
        for key in kept.retired {
            let is_there = keys.iter().any(|k| k.id == key.id);
            if !is_id(&key.id) || is_there || retired.iter().any(|k| k.id == key.id) {
                return Err(unreadable(format!(
                    "\"{}\" is no retired key's id, or two have it",
                    model::problem::quote(&key.id)
                )));
            }
            retired.push(Retired {
                id: key.id,
                retired_at: Timestamp::from_micros(key.retired_at),
            });
        }
        Ok(Self { keys, retired })
    }

    /// The keys as text, for a file that only the city's own user reads.
    pub fn text(&self) -> String {
        let keys = self.keys.iter().map(|key| KeptKey {
            id: key.id.clone(),
            cipher: key.cipher,
            made_at: key.made_at.micros(),
            followed_at: key.followed_at.map(Timestamp::micros),
            key: STANDARD.encode(&key.secret),
        });
        let kept = Kept {
            version: VERSION,
            keys: keys.collect(),
            retired: (self.retired.iter())
                .map(|key| KeptRetired {
                    id: key.id.clone(),
                    retired_at: key.retired_at.micros(),
                })
                .collect(),
        };
        serde_json::to_string_pretty(&kept).unwrap_or_default()
    }

    /// All of them, the one that seals first.
    pub fn all(&self) -> &[Key] {
        &self.keys
    }

    /// Those that were destroyed, the oldest first.
    pub fn retired(&self) -> &[Retired] {
        &self.retired
    }

    /// Whether the key of this id was destroyed.
    pub fn is_retired(&self, id: &str) -> bool {
        self.retired.iter().any(|key| key.id == id)
    }

    /// The one that seals.
    pub fn active(&self) -> &Key {
        // There is always one: `parse` refuses none, and the other ways in put one there.
        &self.keys[0]
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }
}
