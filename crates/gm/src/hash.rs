//! SM3 (GB/T 32905-2016): any bytes to 32.

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
