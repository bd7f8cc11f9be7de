//! SM2 signatures (GB/T 32918.2-2016) on the recommended curve (GB/T 32918.5-2017), over SM3, with the default user id
//! of GB/T 35276-2017. Signatures are DER (`SM2Signature`, GB/T 35276-2017 7.3); keys are PEM: PKCS#8 and SPKI, as
//! OpenSSL and the national tools read them.
//!
//! Signing is deterministic: the number k comes from the key and the message (RFC 6979 with SM3), so that the same key
//! and message give the same signature and no weak random source can give the key away.

use crate::{Error, HASH_BYTES};
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey as Signing, VerifyingKey as Verifying};
use sm2::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
    LineEnding,
};
use sm2::{PublicKey, SecretKey};
use std::fmt;

/// The user id where nothing else is agreed (GB/T 35276-2017 clause 10).
pub const DEFAULT_USER_ID: &str = "1234567812345678";
/// How often a number outside of the curve's order may be drawn; each draw fails with a chance of about 2⁻³².
const DRAWS_MAX: usize = 16;

/// A private key, to sign with.
pub struct SigningKey {
    secret: SecretKey,
    signing: Signing,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new key from the system's random source.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn generate() -> Result<Self, Error> {
        for _ in 0..DRAWS_MAX {
            let mut drawn = [0; HASH_BYTES];
            getrandom::fill(&mut drawn).map_err(|_| Error::Random)?;
            if let Ok(key) = Self::from_scalar(&drawn) {
                return Ok(key);
            }
        }
        Err(Error::Random)
    }

    /// The key of this number, big-endian.
    ///
    /// # Errors
    /// [`Error::PrivateKey`] when the number is 0 or not below the curve's order.
    pub fn from_scalar(scalar: &[u8; HASH_BYTES]) -> Result<Self, Error> {
        let secret = SecretKey::from_slice(scalar).map_err(|_| Error::PrivateKey)?;
        Self::of(secret)
    }

    /// Reads PKCS#8 PEM.
    ///
    /// # Errors
    /// [`Error::PrivateKey`].
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let secret = SecretKey::from_pkcs8_pem(text).map_err(|_| Error::PrivateKey)?;
        Self::of(secret)
    }

    fn of(secret: SecretKey) -> Result<Self, Error> {
        let signing = Signing::new(DEFAULT_USER_ID, &secret).map_err(|_| Error::PrivateKey)?;
        Ok(Self { secret, signing })
    }

    /// PKCS#8 PEM: the secret itself, to be written where only its owner reads.
    ///
    /// # Errors
    /// [`Error::PrivateKey`] when it cannot be written so.
    pub fn to_pem(&self) -> Result<String, Error> {
        let text = self
            .secret
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| Error::PrivateKey)?;
        Ok(text.to_string())
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey {
            public: self.secret.public_key(),
            verifying: self.signing.verifying_key().clone(),
        }
    }

    /// Signs a message; DER.
    ///
    /// # Errors
    /// [`Error::Signing`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: Signature = self.signing.try_sign(message).map_err(|_| Error::Signing)?;
        Ok(signature.to_der().as_ref().to_vec())
    }
}

/// A public key, to verify with.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    public: PublicKey,
    verifying: Verifying,
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.public == other.public
    }
}

impl VerifyingKey {
    /// Reads SPKI PEM.
    ///
    /// # Errors
    /// [`Error::PublicKey`].
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let public = PublicKey::from_public_key_pem(text).map_err(|_| Error::PublicKey)?;
        Self::of(public, DEFAULT_USER_ID)
    }

    /// Reads a point: 0x04, x, y (65 bytes), signed for another user id than the default one.
    ///
    /// # Errors
    /// [`Error::PublicKey`] when it is no point of the curve, or the id is longer than 8,191 bytes.
    pub fn from_point(point: &[u8], user_id: &str) -> Result<Self, Error> {
        let public = PublicKey::from_sec1_bytes(point).map_err(|_| Error::PublicKey)?;
        Self::of(public, user_id)
    }

    fn of(public: PublicKey, user_id: &str) -> Result<Self, Error> {
        let verifying = Verifying::new(user_id, public).map_err(|_| Error::PublicKey)?;
        Ok(Self { public, verifying })
    }

    /// SPKI PEM.
    ///
    /// # Errors
    /// [`Error::PublicKey`] when it cannot be written so.
    pub fn to_pem(&self) -> Result<String, Error> {
        self.public
            .to_public_key_pem(LineEnding::LF)
            .map_err(|_| Error::PublicKey)
    }

    /// SM3 of the key's point (0x04, x, y): a name for the key that says nothing else.
    pub fn fingerprint(&self) -> [u8; HASH_BYTES] {
        crate::sm3(&self.public.to_sec1_bytes())
    }

    /// Verifies a DER signature of a message.
    ///
    /// # Errors
    /// [`Error::SignatureForm`] when the bytes are no signature, [`Error::SignatureWrong`] when they are one of
    /// another message or key.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let signature = Signature::from_der(signature).map_err(|_| Error::SignatureForm)?;
        self.verifying
            .verify(message, &signature)
            .map_err(|_| Error::SignatureWrong)
    }
}
