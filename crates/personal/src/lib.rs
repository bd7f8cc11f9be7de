//! Personal data (个人信息) where it is stored and where it is shown: values are sealed (加密) under keys that can be
//! changed, opened where somebody may see them, and masked (脱敏) for everybody else. Knows no person, no permission, no
//! file and no clock: those who hold the keys' file and the catalogue ask it.
//!
//! A sealed value is text, so that journal, current state and history keep their formats:
//!
//! ```text
//! sealed:1:<key id>:<base64url of nonce (12 bytes), ciphertext, tag (16 bytes)>
//! ```
//!
//! Entity and attribute are beside the ciphertext as associated data: a value copied to another entity does not open.
//! Nobody outside can make one: what a sender sends for a personal attribute is sealed whatever it looks like, and
//! admission refuses this form everywhere else.
//!
//! Reading order: [`mask`], [`text`] (numbers in what people write), [`keys`], [`sealer`].

pub mod keys;
pub mod mask;
pub mod sealer;
pub mod text;

pub use keys::{Cipher, Keys, Retired};
pub use mask::mask;
pub use sealer::{Opened, Sealer, is_sealed, is_sealed_message, key_of, keys_within};
