//! SM3 (GB/T 32905-2016): any bytes to 32; and HMAC with it (RFC 2104, GB/T 15852.2), which a key belongs to.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sm3::Digest as _;

/// Length of a hash, in bytes.
pub const HASH_BYTES: usize = 32;

/// A hash that is fed piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Sm3(::sm3::Sm3);

impl Sm3 {
    /// Nothing fed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Feeds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all that was fed.
    pub fn finish(self) -> [u8; HASH_BYTES] {
        self.0.finalize().into()
    }
}

/// The hash of these bytes.
pub fn sm3(bytes: &[u8]) -> [u8; HASH_BYTES] {
    ::sm3::Sm3::digest(bytes).into()
}

/// Bytes that SM3 takes at a time; a longer key of HMAC is hashed first.
const BLOCK_BYTES: usize = 64;

/// HMAC-SM3 of these bytes under a key of any length.
pub fn hmac_sm3(key: &[u8], bytes: &[u8]) -> [u8; HASH_BYTES] {
    let hashed = sm3(key);
    let key = if key.len() > BLOCK_BYTES {
        &hashed
    } else {
        key
    };
    let mut block = [0; BLOCK_BYTES];
    block[..key.len()].copy_from_slice(key);
    Hmac::<::sm3::Sm3>::new(&block.into())
        .chain_update(bytes)
        .finalize()
        .into_bytes()
        .into()
}
