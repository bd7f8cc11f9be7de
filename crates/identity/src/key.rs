//! The city's own key for what identity must be able to read again (身份密钥): secrets of time-based codes, keys of devices. A
//! hash would not do there, because a code or a proof is computed from the secret. Sealed with SM4-GCM (GB/T 32907), bound to what it belongs to, so
//! that a row cannot be moved to another person or device.
//!
//! Whoever holds the records alone learns no secret; whoever holds the key file too does, which is why it lies apart.

use model::Problem;
use rand::Rng as _;
use serde::{Deserialize, Serialize};

/// Version of the text that the key is kept as.
pub const VERSION: u32 = 1;

/// The key.
#[derive(Clone)]
pub struct CityKey([u8; gm::cipher::KEY_BYTES]);

impl std::fmt::Debug for CityKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CityKey")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    /// Hex.
    sm4: String,
}

fn unreadable(what: impl Into<String>) -> Problem {
    Problem::new(
        "identity-key",
        what,
        "the identity key",
        "put the file back from a backup; without it people's time-based codes and devices' keys are lost: delete it, reset those second factors, and give those devices new keys",
    )
}

impl CityKey {
    /// A new key.
    pub fn generate() -> Self {
        let mut key = [0; gm::cipher::KEY_BYTES];
        rand::rng().fill_bytes(&mut key);
        Self(key)
    }

    /// Reads what [`CityKey::text`] gave.
    ///
    /// # Errors
    /// When it is damaged or of a newer program.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let kept: Kept =
            serde_json::from_str(text).map_err(|e| unreadable(format!("it does not read: {e}")))?;
        if kept.version > VERSION {
            let found = kept.version;
            return Err(unreadable(format!(
                "it has version {found}, newer than {VERSION}"
            )));
        }
        let bytes = hex::decode(&kept.sm4).ok().and_then(|b| b.try_into().ok());
        bytes
            .map(Self)
            .ok_or_else(|| unreadable("it is not a key of 16 bytes in hex"))
    }

    /// The key as text, for a file that only the city's own user reads.
    pub fn text(&self) -> String {
        let kept = Kept {
            version: VERSION,
            sm4: hex::encode(self.0),
        };
        serde_json::to_string_pretty(&kept).unwrap_or_default()
    }

    /// Seals a secret that belongs to `owner`: nonce, sealed bytes and tag, hex.
    ///
    /// # Errors
    /// When it is too long.
    pub fn seal(&self, owner: &str, secret: &[u8]) -> Result<String, gm::Error> {
        let mut nonce = [0; gm::cipher::NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let sealed = gm::Sm4Gcm::new(&self.0).seal(&nonce, owner.as_bytes(), secret)?;
        Ok(hex::encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what [`CityKey::seal`] gave for the same owner.
    ///
    /// # Errors
    /// When the key, the owner or the text is another.
    pub fn open(&self, owner: &str, sealed: &str) -> Result<Vec<u8>, gm::Error> {
        let bytes = hex::decode(sealed).map_err(|_| gm::Error::Sealed)?;
        let (nonce, sealed) = bytes.split_first_chunk().ok_or(gm::Error::Sealed)?;
        gm::Sm4Gcm::new(&self.0).open(nonce, owner.as_bytes(), sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_owner_alone() {
        let key = CityKey::parse(&CityKey::generate().text()).unwrap();
        let (a, b) = (
            key.seal("totp:1", b"secret").unwrap(),
            key.seal("totp:1", b"secret").unwrap(),
        );
        assert_ne!(a, b, "a nonce of its own each time");
        assert_eq!(key.open("totp:1", &a).unwrap(), b"secret");
        assert!(key.open("totp:2", &a).is_err(), "moved to another person");
        assert!(CityKey::generate().open("totp:1", &a).is_err());
        assert!(key.open("totp:1", "00").is_err() && key.open("totp:1", "no hex").is_err());
    }

    #[test]
    fn a_damaged_or_newer_key_is_told() {
        for text in [
            "{",
            "{\"version\":2,\"sm4\":\"00112233445566778899aabbccddeeff\"}",
            "{\"version\":1,\"sm4\":\"00\"}",
        ] {
            assert_eq!(CityKey::parse(text).unwrap_err().code, "identity-key");
        }
    }
}
