//! Sealing and opening. One lock over the keys, held for a copy of a pointer: a rotation on the command line reaches a
//! running city by [`Sealer::replace`].

use crate::keys::{Cipher, Key, Keys};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gm::Sm4Gcm;
use model::{Problem, Timestamp, Value};
use parking_lot::RwLock;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::fmt;
use std::sync::Arc;

/// How every sealed value begins.
const PREFIX: &str = "sealed:1:";
/// How every sealed message begins: with a byte that no payload format begins with.
const MESSAGE_PREFIX: &[u8] = b"\x01sealed-message:1:";
const NONCE_BYTES: usize = 12;
const ID_BYTES: usize = 8;
/// First byte of what is sealed: text as it came.
const TEXT: u8 = b't';
/// JSON as its text.
const JSON: u8 = b'j';

/// Whether a text has the form of a sealed value. Nothing that a sender sends is stored in that form.
pub fn is_sealed(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Whether stored bytes have the form of a sealed message. A sender can send such bytes; they do not open.
pub fn is_sealed_message(raw: &[u8]) -> bool {
    raw.starts_with(MESSAGE_PREFIX)
}

/// The id of the key that a stored text says it is sealed under; `None` when it is no sealed value.
pub fn key_of(text: &str) -> Option<&str> {
    let (id, _) = text.strip_prefix(PREFIX)?.split_once(':')?;
    (id.len() == ID_BYTES).then_some(id)
}

/// The ids of the keys that any bytes name in the form of a sealed value or message, each once: a record of the journal, a row
/// of people's records. Says nothing of whether it opens.
pub fn keys_within(bytes: &[u8]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for prefix in [PREFIX.as_bytes(), MESSAGE_PREFIX] {
        for at in memchr::memmem::find_iter(bytes, prefix) {
            let behind = &bytes[at + prefix.len()..];
            let id = behind.get(..ID_BYTES).map(std::str::from_utf8);
            if let Some(Ok(id)) = id
                && !found.iter().any(|known| known == id)
            {
                found.push(id.to_owned());
            }
        }
    }
    found
}

/// A value that was opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The text, or the text of the JSON.
    pub text: String,
    /// Whether it is JSON.
    pub is_json: bool,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is personal does not come into a log by way of a debug line.
        f.debug_struct("Opened")
            .field("is_json", &self.is_json)
            .finish_non_exhaustive()
    }
}

impl Opened {
    /// As plain JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self.is_json {
            true => serde_json::from_str(&self.text).unwrap_or_default(),
            false => serde_json::Value::String(self.text.clone()),
        }
    }
}

/// Seals and opens.
pub struct Sealer {
    keys: RwLock<Arc<Ready>>,
    draw: fn() -> [u8; 32],
}

/// The keys, each ready for use.
struct Ready {
    keys: Keys,
    made: Vec<Box<dyn Aead>>,
}

/// What GCM asks and gives, over both ciphers.
trait Aead: Send + Sync {
    fn seal(&self, nonce: [u8; NONCE_BYTES], beside: &[u8], plain: &[u8]) -> Option<Vec<u8>>;
    fn open(&self, nonce: [u8; NONCE_BYTES], beside: &[u8], sealed: &[u8]) -> Option<Vec<u8>>;
}

impl Aead for Sm4Gcm {
    fn seal(&self, nonce: [u8; NONCE_BYTES], beside: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        Self::seal(self, &nonce, beside, plain).ok()
    }
    fn open(&self, nonce: [u8; NONCE_BYTES], beside: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        Self::open(self, &nonce, beside, sealed).ok()
    }
}

impl Aead for LessSafeKey {
    fn seal(&self, nonce: [u8; NONCE_BYTES], beside: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = plain.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.seal_in_place_append_tag(nonce, Aad::from(beside), &mut bytes)
            .ok()?;
        Some(bytes)
    }
    fn open(&self, nonce: [u8; NONCE_BYTES], beside: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let plain = self.open_in_place(nonce, Aad::from(beside), &mut bytes);
        let length = plain.ok()?.len();
        bytes.truncate(length);
        Some(bytes)
    }
}

fn ready(key: &Key) -> Option<Box<dyn Aead>> {
    Some(match key.cipher {
        Cipher::Sm4Gcm => Box::new(Sm4Gcm::new(key.secret.as_slice().try_into().ok()?)),
        Cipher::Aes256Gcm => {
            let unbound = UnboundKey::new(&AES_256_GCM, &key.secret).ok()?;
            Box::new(LessSafeKey::new(unbound))
        }
    })
}

impl Ready {
    fn new(keys: Keys) -> Self {
        // Lengths were checked when the keys were read or made.
        let made = keys.all().iter().filter_map(ready).collect();
        Self { keys, made }
    }

    fn by_id(&self, id: &str) -> Option<&dyn Aead> {
        let at = self.keys.all().iter().position(|key| key.id == id)?;
        self.made.get(at).map(AsRef::as_ref)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

fn broken(place: &str) -> Problem {
    Problem::new(
        "personal-unreadable",
        "the sealed value cannot be opened: it was changed or moved, or its key is not here",
        place,
        "run `jingling keys list` and put a missing key back from an encrypted backup",
    )
}

impl Sealer {
    /// With these keys. `draw` gives random bytes that nobody can foresee; 12 of them are the nonce of each sealing.
    /// Up to 2³² sealings a key that is safe (NIST SP 800-38D, 8.3): rotate well before.
    pub fn new(keys: Keys, draw: fn() -> [u8; 32]) -> Self {
        Self {
            keys: RwLock::new(Arc::new(Ready::new(keys))),
            draw,
        }
    }

    /// Uses other keys from now on.
    pub fn replace(&self, keys: Keys) {
        *self.keys.write() = Arc::new(Ready::new(keys));
    }

    /// The keys in use.
    pub fn keys(&self) -> Keys {
        self.keys.read().keys.clone()
    }

    /// The sealed form of a value of an attribute; `None` for [`Value::Deleted`], which says nothing of anybody.
    ///
    /// # Errors
    /// `personal-not-sealed`; the value must not be stored then.
    pub fn seal(
        &self,
        entity_id: &str,
        attribute: &str,
        value: &Value,
    ) -> Result<Option<String>, Problem> {
        let (kind, plain) = match value {
            Value::Deleted => return Ok(None),
            Value::Text(text) => (TEXT, text.clone()),
            Value::Json(json) => (JSON, json.clone()),
            other => (JSON, other.to_json().to_string()),
        };
        let mut bytes = vec![kind];
        bytes.extend_from_slice(plain.as_bytes());
        let (id, sealed) = self.seal_bytes(&beside_value(entity_id, attribute), &bytes)?;
        Ok(Some(format!(
            "{PREFIX}{id}:{}",
            URL_SAFE_NO_PAD.encode(sealed)
        )))
    }

    /// Opens the sealed value of an attribute.
    ///
    /// # Errors
    /// `personal-unreadable` when it is none, was changed, belongs to another entity or attribute, or its key is not here.
    pub fn open(&self, entity_id: &str, attribute: &str, sealed: &str) -> Result<Opened, Problem> {
        let open = || {
            let (id, text) = sealed.strip_prefix(PREFIX)?.split_once(':')?;
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let plain = self.open_bytes(id, &beside_value(entity_id, attribute), &bytes)?;
            let (kind, plain) = plain.split_first()?;
            Some(Opened {
                text: String::from_utf8(plain.to_vec()).ok()?,
                is_json: *kind == JSON,
            })
        };
        open().ok_or_else(|| broken(&format!("{entity_id} {attribute}")))
    }

    /// A stored value sealed anew under the key that seals now; `None` when it is to stay as it is: it is no sealed value, it
    /// is under that key already, or it does not open. What is given was opened again before.
    pub fn resealed(&self, entity_id: &str, attribute: &str, stored: &str) -> Option<String> {
        let (id, text) = stored.strip_prefix(PREFIX)?.split_once(':')?;
        if self.keys.read().keys.active().id == id {
            return None;
        }
        let beside = beside_value(entity_id, attribute);
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = self.open_bytes(id, &beside, &bytes)?;
        let (id, sealed) = self.seal_bytes(&beside, &plain).ok()?;
        // The old one is about to be given up: nothing is taken for granted.
        (self.open_bytes(&id, &beside, &sealed)? == plain)
            .then(|| format!("{PREFIX}{id}:{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Whether the key that a stored value is sealed under was destroyed.
    pub fn is_retired(&self, stored: &str) -> bool {
        key_of(stored).is_some_and(|id| self.keys.read().keys.is_retired(id))
    }

    /// The sealed form of a message as it came.
    ///
    /// # Errors
    /// `personal-not-sealed`; the message must not be stored then.
    pub fn seal_message(
        &self,
        door: &str,
        address: &str,
        received_at: Timestamp,
        raw: &[u8],
    ) -> Result<Vec<u8>, Problem> {
        let (id, sealed) = self.seal_bytes(&beside_message(door, address, received_at), raw)?;
        Ok([MESSAGE_PREFIX, id.as_bytes(), &sealed].concat())
    }

    /// Opens a sealed message.
    ///
    /// # Errors
    /// `personal-unreadable`.
    pub fn open_message(
        &self,
        door: &str,
        address: &str,
        received_at: Timestamp,
        stored: &[u8],
    ) -> Result<Vec<u8>, Problem> {
        let open = || {
            let (id, bytes) = stored
                .strip_prefix(MESSAGE_PREFIX)?
                .split_at_checked(ID_BYTES)?;
            let id = std::str::from_utf8(id).ok()?;
            self.open_bytes(id, &beside_message(door, address, received_at), bytes)
        };
        open().ok_or_else(|| broken("the stored message"))
    }

    fn seal_bytes(&self, beside: &[u8], plain: &[u8]) -> Result<(String, Vec<u8>), Problem> {
        let keys = Arc::clone(&self.keys.read());
        let key = keys.keys.active();
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&(self.draw)()[..NONCE_BYTES]);
        let sealed = keys
            .by_id(&key.id)
            .and_then(|cipher| cipher.seal(nonce, beside, plain))
            .ok_or_else(|| {
                Problem::new(
                    "personal-not-sealed",
                    "the value could not be sealed",
                    "the keys of personal data",
                    "run `jingling keys list`; nothing was written",
                )
            })?;
        Ok((key.id.clone(), [nonce.as_slice(), &sealed].concat()))
    }

    fn open_bytes(&self, id: &str, beside: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let keys = Arc::clone(&self.keys.read());
        keys.by_id(id)?.open(*nonce, beside, sealed)
    }
}

/// The parts with their lengths, so that no two lists of parts are alike.
fn parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut beside = Vec::new();
    for part in parts {
        beside.extend_from_slice(&(part.len() as u64).to_be_bytes());
        beside.extend_from_slice(part);
    }
    beside
}

fn beside_value(entity_id: &str, attribute: &str) -> Vec<u8> {
    parts(&[b"value", entity_id.as_bytes(), attribute.as_bytes()])
}

fn beside_message(door: &str, address: &str, received_at: Timestamp) -> Vec<u8> {
    let at = received_at.micros().to_be_bytes();
    parts(&[b"message", door.as_bytes(), address.as_bytes(), &at])
}
