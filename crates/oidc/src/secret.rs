//! Secrets that the provider makes, and what is kept of them. All but the code that a person types have 256 bits from the
//! system's random source, so a fast hash is as safe as a slow one; the person's code lives for minutes and is asked for at
//! a limited rate (RFC 8628 §5.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Gives 32 random bytes.
pub type Draw = fn() -> [u8; 32];

/// Letters of the code that a person types: no vowels, so no words; none that is mistaken for a digit (RFC 8628 §6.1).
const USER_CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a person's code: 20⁸ are 34 bits.
const USER_CODE_CHARS: usize = 8;

/// A secret text: what it is, then 256 bits.
pub fn text(prefix: &str, draw: Draw) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(draw()))
}

/// A name that is nobody's secret: 128 bits, hex.
pub fn name(draw: Draw) -> String {
    hex::encode(&draw()[..16])
}

/// What is kept of a secret: its SHA-256, hex.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// A code for a person to type, such as `WDJB-MJHT`.
pub fn user_code(draw: Draw) -> String {
    let mut code = String::new();
    while code.len() < USER_CODE_CHARS {
        // Bytes from 240 on would make some letters likelier.
        let letters = draw().into_iter().filter(|b| *b < 240);
        code.extend(
            letters
                .map(|b| char::from(USER_CODE_LETTERS[usize::from(b) % USER_CODE_LETTERS.len()]))
                .take(USER_CODE_CHARS - code.len()),
        );
    }
    format!("{}-{}", &code[..4], &code[4..])
}

/// A typed code as it is hashed: capital letters alone, however it was typed.
pub fn plain_user_code(typed: &str) -> String {
    typed
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_uppercase())
        .take(2 * USER_CODE_CHARS)
        .collect()
}

/// Compares without stopping at the first difference.
pub fn same(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && std::hint::black_box(
            a.bytes()
                .zip(b.bytes())
                .fold(0_u8, |acc, (x, y)| std::hint::black_box(acc | (x ^ y))),
        ) == 0
}

/// The name of a session as clients hear it: it must not lead back to the session's secret.
pub fn sid(session_secret: &str) -> String {
    hash(&format!("sid:{session_secret}"))[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_code_is_read_however_it_is_typed() {
        let code = user_code(|| std::array::from_fn(|n| u8::try_from(n * 9 % 256).unwrap()));
        assert_eq!(code.len(), 9);
        assert_eq!(
            plain_user_code(&code.to_lowercase().replace('-', " ")),
            plain_user_code(&code)
        );
        assert_eq!(plain_user_code("wdjb mjht"), "WDJBMJHT");
    }
}
