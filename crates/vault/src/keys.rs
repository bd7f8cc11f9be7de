//! Encryption as age files for public keys: whoever copies needs only the public key. With a passphrase, the vault
//! holds a pair of keys of its own, the secret one sealed by a key that Argon2id makes of the passphrase.

use crate::age::{self, Identity, OpenError, Recipient};
use argon2::{Algorithm, Argon2, Params, Version};
use model::Problem;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How a vault is to be protected, as the person says.
#[derive(Clone, Default)]
pub enum Protection {
    /// As the vault is already; a new one is not encrypted.
    #[default]
    AsItIs,
    /// For these public keys (`age1…`).
    Recipients(Vec<String>),
    /// By a passphrase.
    Passphrase(String),
}

/// What opens an encrypted vault.
#[derive(Clone, Default)]
pub enum Key {
    /// Nothing: enough for a vault that is not encrypted, and for verifying checksums.
    #[default]
    None,
    /// Secret keys (`AGE-SECRET-KEY-1…`).
    Identities(Vec<String>),
    /// The passphrase.
    Passphrase(String),
}

/// How a vault is encrypted, as stored in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Encryption {
    None,
    Recipients {
        recipients: Vec<String>,
    },
    Passphrase {
        recipient: String,
        /// How much work the passphrase is, so that guessing it is as much.
        argon2id: Work,
        /// 16 bytes in hex.
        salt: String,
        /// The secret key of `recipient`, sealed (ChaCha20-Poly1305), in hex.
        sealed: String,
    },
}

/// Argon2id's work factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Work {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// What RFC 9106 advises when memory is not plentiful: a passphrase is asked for once a backup, and guessed without end.
const WORK: Work = Work {
    memory_kib: 64 * 1024,
    passes: 3,
    lanes: 4,
};
/// Most memory that a vault's file can make this program use, in KiB.
const WORK_KIB_MAX: u32 = 2 * 1024 * 1024;
/// Most passes.
const WORK_PASSES_MAX: u32 = 32;

impl Work {
    fn key(self, words: &str, salt: &[u8]) -> Result<[u8; 32], String> {
        if self.memory_kib > WORK_KIB_MAX || self.passes > WORK_PASSES_MAX {
            return Err(format!("the work factor {self:?} is beyond reason"));
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|e| e.to_string())?;
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(words.as_bytes(), salt, &mut key)
            .map_err(|e| e.to_string())?;
        Ok(key)
    }
}

/// The lines of a file of keys that are not empty or comments.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

impl Protection {
    /// Reads a file of public keys, one a line, `#` starts a comment: what `age-keygen -y` and `age -R` use.
    ///
    /// # Errors
    /// `backup-key` with the line that is none.
    pub fn recipients(text: &str, place: &str) -> Result<Self, Problem> {
        let keys: Vec<String> = lines(text).map(str::to_owned).collect();
        for key in &keys {
            recipient(key, place)?;
        }
        if keys.is_empty() {
            return Err(no_key(place, "the file holds no public key (age1…)"));
        }
        Ok(Self::Recipients(keys))
    }
}

impl Key {
    /// Reads a file of secret keys, as `age-keygen` writes it.
    ///
    /// # Errors
    /// `backup-key` when a line is none.
    pub fn identities(text: &str, place: &str) -> Result<Self, Problem> {
        let keys: Vec<String> = lines(text).map(str::to_owned).collect();
        for (n, key) in keys.iter().enumerate() {
            // The line itself is a secret, or was meant to be: it is not told.
            Identity::parse(key)
                .map_err(|e| no_key(place, &format!("key {} is no secret key: {e}", n + 1)))?;
        }
        if keys.is_empty() {
            return Err(no_key(
                place,
                "the file holds no secret key (AGE-SECRET-KEY-1…)",
            ));
        }
        Ok(Self::Identities(keys))
    }
}

fn no_key(place: &str, what: &str) -> Problem {
    Problem::new(
        "backup-key",
        what,
        place,
        "make a pair with age-keygen: the public key (age1…) is for --encrypt-to, the file with the secret key for --identity",
    )
}

fn recipient(text: &str, place: &str) -> Result<Recipient, Problem> {
    Recipient::parse(text).map_err(|e| {
        no_key(
            place,
            &format!("\"{}\" is no public key: {e}", model::problem::quote(text)),
        )
    })
}

impl Encryption {
    /// For a new vault.
    pub fn new(protection: &Protection, place: &Path) -> Result<Self, Problem> {
        Ok(match protection {
            Protection::AsItIs => Self::None,
            Protection::Recipients(recipients) => Self::Recipients {
                recipients: recipients.clone(),
            },
            Protection::Passphrase(words) => {
                let identity = Identity::generate();
                let salt: [u8; 16] = rand::random();
                let key = WORK.key(words, &salt).map_err(|what| {
                    Problem::new(
                        "backup-key",
                        what,
                        place.display().to_string(),
                        "use another passphrase",
                    )
                })?;
                let mut sealed = identity.bytes().to_vec();
                age::seal(&key, [0; 12], &mut sealed);
                Self::Passphrase {
                    recipient: identity.recipient().to_string(),
                    argon2id: WORK,
                    salt: hex::encode(salt),
                    sealed: hex::encode(sealed),
                }
            }
        })
    }

    /// Whether what the person says is how the vault is.
    pub fn agrees(&self, protection: &Protection, place: &Path) -> Result<(), Problem> {
        let other = |what: &str| {
            Err(Problem::new(
                "backup-protection",
                what,
                place.display().to_string(),
                "name the vault's own protection or none, or start another vault in an empty folder",
            ))
        };
        match (self, protection) {
            (_, Protection::AsItIs) => Ok(()),
            (Self::Recipients { recipients }, Protection::Recipients(asked)) => {
                let sorted = |keys: &[String]| {
                    let mut keys = keys.to_vec();
                    keys.sort();
                    keys
                };
                if sorted(recipients) == sorted(asked) {
                    Ok(())
                } else {
                    other("the vault is encrypted for other public keys than those named")
                }
            }
            // Whether it is the right one shows when it is used, next.
            (Self::Passphrase { .. }, Protection::Passphrase(_)) => Ok(()),
            (Self::None, _) => other("the vault is not encrypted, and cannot become so"),
            _ => other("the vault is encrypted in another way than asked for"),
        }
    }

    /// The public keys to encrypt for; none when the vault is not encrypted.
    pub fn recipients(&self, place: &Path) -> Result<Vec<Recipient>, Problem> {
        let texts: &[String] = match self {
            Self::None => &[],
            Self::Recipients { recipients } => recipients,
            Self::Passphrase { recipient, .. } => std::slice::from_ref(recipient),
        };
        texts
            .iter()
            .map(|text| recipient(text, &place.display().to_string()))
            .collect()
    }

    /// The secret keys, from what the person gave.
    pub fn open(&self, key: &Key, place: &Path) -> Result<Vec<Identity>, Problem> {
        let place = place.display().to_string();
        let wrong = |what: &str| Problem::new("backup-key", what, place.as_str(), KEY_MEND);
        match (self, key) {
            (Self::None, _) | (_, Key::None) => Ok(Vec::new()),
            (
                Self::Passphrase {
                    recipient,
                    argon2id,
                    salt,
                    sealed,
                },
                Key::Passphrase(words),
            ) => {
                let bytes = |hex: &str| hex::decode(hex).map_err(|e| wrong(&e.to_string()));
                let key = argon2id
                    .key(words, &bytes(salt)?)
                    .map_err(|what| wrong(&what))?;
                let mut sealed = bytes(sealed)?;
                let identity = age::open(&key, [0; 12], &mut sealed)
                    .and_then(|bytes| Some(Identity::from_bytes(bytes.try_into().ok()?)))
                    .ok_or_else(|| wrong("the passphrase does not open the vault"))?;
                if identity.recipient().to_string() != *recipient {
                    return Err(wrong(
                        "the vault's public key is not that of its own secret key",
                    ));
                }
                Ok(vec![identity])
            }
            (Self::Recipients { .. }, Key::Identities(texts)) => texts
                .iter()
                .map(|text| Identity::parse(text).map_err(|what| wrong(&what)))
                .collect(),
            (Self::Passphrase { .. }, Key::Identities(_)) => {
                Err(wrong("the vault is encrypted by a passphrase"))
            }
            (Self::Recipients { .. }, Key::Passphrase(_)) => {
                Err(wrong("the vault is encrypted for public keys"))
            }
        }
    }
}

const KEY_MEND: &str =
    "give what it was made with: --passphrase-file FILE, or --identity FILE with the secret key";

/// Decrypts with any of `identities`; `place` is for messages.
pub(crate) fn decrypt(
    identities: &[Identity],
    bytes: &[u8],
    place: &str,
) -> Result<Vec<u8>, Problem> {
    if identities.is_empty() {
        return Err(Problem::new(
            "backup-key",
            "the backup is encrypted",
            place,
            KEY_MEND,
        ));
    }
    age::decrypt(identities, bytes).map_err(|error| match error {
        OpenError::NoMatch => Problem::new(
            "backup-key",
            "none of the secret keys opens the backup",
            place,
            KEY_MEND,
        ),
        OpenError::Damaged(what) => Problem::new(
            "backup-damaged",
            what,
            place,
            "use another copy of the backup, or another of its points",
        ),
    })
}
