//! The national algorithms (国密), thin over the RustCrypto crates: SM3 hashes, SM2 signatures with their keys as PEM,
//! SM4 in GCM. One place, so that the rest of the house says what it wants and no crate of the field by name.
//!
//! | algorithm | standard | what is here |
//! | --- | --- | --- |
//! | SM3 | GB/T 32905-2016 | [`Sm3`], [`sm3`]: 32 bytes; [`hmac_sm3`] |
//! | SM2 | GB/T 32918.2-2016 on the curve of GB/T 32918.5-2017, user id of GB/T 35276-2017 | [`SigningKey`], [`VerifyingKey`] |
//! | SM4 | GB/T 32907-2016, GCM as in RFC 8998 | [`Sm4Gcm`] |
//!
//! Checked against the published examples of the standards and against OpenSSL, both ways (`tests/`). The crates below
//! have had no independent audit and claim constant time for SM2 only; whoever must use certified modules puts them
//! in place of this crate.
//!
//! Reading order: [`mod@hash`], [`signature`], [`cipher`].

pub mod cipher;
pub mod hash;
pub mod signature;

pub use cipher::Sm4Gcm;
pub use hash::{HASH_BYTES, Sm3, hmac_sm3, sm3};
pub use signature::{DEFAULT_USER_ID, SigningKey, VerifyingKey};

/// What can go wrong. None of it holds key material.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not PEM of an SM2 private key (PKCS#8, not encrypted).
    #[error("not an SM2 private key in PEM (PKCS#8, \"BEGIN PRIVATE KEY\", not encrypted)")]
    PrivateKey,
    /// The text is not PEM of an SM2 public key (SPKI).
    #[error("not an SM2 public key in PEM (\"BEGIN PUBLIC KEY\", curve 1.2.156.10197.1.301)")]
    PublicKey,
    /// The bytes are no signature (DER, two numbers of the curve's order).
    #[error("not an SM2 signature in DER")]
    SignatureForm,
    /// The signature was not made by this key over this message.
    #[error("the signature does not belong to the message and the key")]
    SignatureWrong,
    /// The key and the message gave no signature; it has not been seen to happen (chance of about 2⁻¹²⁸).
    #[error("the message could not be signed")]
    Signing,
    /// The system has no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// The sealed bytes, what belongs to them, the nonce or the key is another than when they were sealed; or too long.
    #[error("the sealed bytes cannot be opened")]
    Sealed,
}
