//! Secrets that the platform makes itself, and what is kept of them.
//!
//! People's passwords are guessed from lists, so they are kept as Argon2id ([`crate::password`]): slow on
//! purpose. Tokens and devices' passwords are made here with at least 128 bits from the system's random
//! source: no list helps against those, a fast hash is as safe as a slow one, and thousands of devices that
//! reconnect at once after a power cut cost microseconds each instead of tens of milliseconds.

use rand::RngExt;
use records::Secret;
use sha2::{Digest, Sha256};

/// Letters and digits that are not mistaken for each other (Crockford's base 32, lower case): 5 bits each.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of a generated password for a person: 5 groups of 5, 125 bits.
const PASSWORD_GROUPS: usize = 5;
/// Characters of a group.
const GROUP_CHARS: usize = 5;
/// Bytes of a device's password, which is written in hexadecimal digits: as many as a charge point keeps (OCPP 1.6 `AuthorizationKey`,
/// 20 bytes; 2.0.1 `BasicAuthPassword`, 40 characters).
const DEVICE_PASSWORD_BYTES: usize = 20;
/// Characters of a token or a session's secret: 52 × 5 = 260 bits.
const TOKEN_CHARS: usize = 52;
/// Groups of a recovery code.
const RECOVERY_GROUPS: usize = 4;
/// Characters of such a group.
const RECOVERY_GROUP_CHARS: usize = 4;
/// Characters of a typed recovery code that are looked at.
const RECOVERY_TYPED_MAX: usize = 64;
/// What every service token begins with, so that a leaked one is recognised.
pub const TOKEN_PREFIX: &str = "jl_";

/// Random characters of the alphabet, 5 bits each.
pub fn random_text(chars: usize) -> String {
    let mut rng = rand::rng();
    (0..chars)
        .map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]))
        .collect()
}

/// A password for a person: readable, 125 bits, such as `7m2kq-x4d9p-0trw8-hz3vb-n6c1e`.
pub fn generate_password() -> String {
    (0..PASSWORD_GROUPS)
        .map(|_| random_text(GROUP_CHARS))
        .collect::<Vec<_>>()
        .join("-")
}

/// A device's password: 160 bits, as 40 hexadecimal digits.
pub fn generate_device_password() -> String {
    hex::encode(rand::random::<[u8; DEVICE_PASSWORD_BYTES]>())
}

/// The secret of a session: 260 bits.
pub fn generate_secret() -> String {
    random_text(TOKEN_CHARS)
}

/// A service token: [`TOKEN_PREFIX`] and 260 bits.
pub fn generate_token() -> String {
    format!("{TOKEN_PREFIX}{}", random_text(TOKEN_CHARS))
}

/// What is kept of a session's secret or a service token: its SHA-256, hex. The row is looked up by it; a
/// look-up by hash tells an attacker nothing by its timing, because he cannot steer the hash.
pub fn hash_token(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// A session's name, from its secret: 128 bits that are nobody's secret. Systems that a person signed in to know the session
/// by it (`sid` of OpenID Connect), and its person ends it by it.
pub fn session_name(session_secret: &str) -> String {
    hash_token(&format!("sid:{session_secret}"))[..32].to_owned()
}

/// A recovery code (恢复码): 80 bits, such as `7m2k-q4d9-p0tr-w8hz`.
pub fn generate_recovery_code() -> String {
    (0..RECOVERY_GROUPS)
        .map(|_| random_text(RECOVERY_GROUP_CHARS))
        .collect::<Vec<_>>()
        .join("-")
}

/// What is kept of a person's recovery code, however it was typed: with or without lines, in small or capital letters.
pub fn hash_recovery_code(user_id: i64, code: &str) -> Secret {
    let plain: String = code
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .take(RECOVERY_TYPED_MAX)
        .collect();
    Secret::new(hash_token(&format!("recovery:{user_id}:{plain}")))
}

/// What is kept of a device's password: a salt and the SHA-256 of salt and password, both hex.
pub fn hash_device_password(password: &str) -> (Secret, Secret) {
    let salt = random_text(26);
    let hash = salted(&salt, password);
    (Secret::new(salt), Secret::new(hex::encode(hash)))
}

/// Whether the password is the device's; takes the same time wherever the two differ.
pub fn verify_device_password(password: &str, salt: &Secret, hash: &Secret) -> bool {
    let computed = hex::encode(salted(salt.expose(), password));
    same(computed.as_bytes(), hash.expose().as_bytes())
}

fn salted(salt: &str, password: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(salt.as_bytes());
    hasher.update([0]);
    hasher.update(password.as_bytes());
    hasher.finalize().into()
}

/// Compares without stopping at the first difference. `black_box` keeps the compiler from finding a way to
/// stop early.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && std::hint::black_box(
            a.iter()
                .zip(b)
                .fold(0_u8, |acc, (x, y)| std::hint::black_box(acc | (x ^ y))),
        ) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn secrets_are_long_readable_and_never_the_same() {
        let bits = |text: &str| text.bytes().filter(|b| ALPHABET.contains(b)).count() * 5;
        let mut seen = HashSet::new();
        for _ in 0..200 {
            let password = generate_password();
            assert!(bits(&password) >= 100, "{password}");
            assert!(password.chars().all(|c| !"ilou".contains(c)));
            assert!(seen.insert(password));
            let token = generate_token();
            assert!(token.starts_with("jl_") && bits(&token[3..]) >= 256);
            assert!(seen.insert(token));
            let device = generate_device_password();
            assert!(device.len() == 40 && hex::decode(&device).is_ok());
            assert!(seen.insert(device));
        }
    }

    #[test]
    fn a_recovery_code_is_one_persons_however_it_is_typed() {
        let code = generate_recovery_code();
        assert_eq!(code.len(), 19, "{code}");
        let kept = hash_recovery_code(7, &code);
        assert_eq!(
            kept,
            hash_recovery_code(7, &code.to_uppercase().replace('-', " "))
        );
        assert_ne!(kept, hash_recovery_code(8, &code));
        assert_ne!(kept, hash_recovery_code(7, &generate_recovery_code()));
    }

    #[test]
    fn a_device_password_is_checked_against_its_salt() {
        let password = generate_secret();
        let (salt, hash) = hash_device_password(&password);
        assert!(verify_device_password(&password, &salt, &hash));
        assert!(!verify_device_password("guess", &salt, &hash));
        assert!(!verify_device_password("", &salt, &hash));
        let (other, _) = hash_device_password(&password);
        assert!(!verify_device_password(&password, &other, &hash));
        assert!(!verify_device_password(
            &password,
            &salt,
            &Secret::new(String::new())
        ));
    }
}
