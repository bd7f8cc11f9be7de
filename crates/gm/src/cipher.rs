//! SM4 (GB/T 32907-2016) in Galois/counter mode (GB/T 36624, RFC 8998): bytes that nobody reads or changes without
//! the key. A nonce must never be used twice with one key.

use crate::Error;
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use sm4::Sm4;

/// Length of a key, in bytes.
pub const KEY_BYTES: usize = 16;
/// Length of a nonce, in bytes.
pub const NONCE_BYTES: usize = 12;
/// Length of the tag at the end of sealed bytes.
pub const TAG_BYTES: usize = 16;

/// SM4-GCM with one key.
pub struct Sm4Gcm(AesGcm<Sm4, U12>);

impl std::fmt::Debug for Sm4Gcm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sm4Gcm").finish_non_exhaustive()
    }
}

impl Sm4Gcm {
    /// With this key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(AesGcm::new(&(*key).into()))
    }

    /// Seals bytes; `beside` is not hidden, but belongs to them. What comes out is [`TAG_BYTES`] longer.
    ///
    /// # Errors
    /// [`Error::Sealed`] when they are too long (64 GiB).
    pub fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        beside: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let payload = Payload {
            msg: plain,
            aad: beside,
        };
        self.0
            .encrypt(&(*nonce).into(), payload)
            .map_err(|_| Error::Sealed)
    }

    /// Opens what [`Sm4Gcm::seal`] gave.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the key, the nonce, the bytes or what is beside them is another.
    pub fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        beside: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let payload = Payload {
            msg: sealed,
            aad: beside,
        };
        self.0
            .decrypt(&(*nonce).into(), payload)
            .map_err(|_| Error::Sealed)
    }
}
