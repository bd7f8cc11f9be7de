//! The age file format, version 1 (c2sp.org/age), with X25519 recipients: what `age -r age1…` writes and `age -d -i`
//! opens. The primitives are ring's and x25519-dalek's; here is only how age puts them together.
//!
//! ```text
//! age-encryption.org/v1
//! -> X25519 <share of a key pair made for this file>
//! <the file key, wrapped for the recipient>
//! --- <HMAC of the lines above>
//! <16 bytes of nonce><64 KiB sealed><64 KiB sealed>…
//! ```

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use bech32::{Bech32, Hrp};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use x25519_dalek::{PublicKey, StaticSecret};

const VERSION_LINE: &str = "age-encryption.org/v1\n";
const STANZA: &str = "X25519";
const WRAP_INFO: &[u8] = b"age-encryption.org/v1/X25519";
const PUBLIC_HRP: Hrp = Hrp::parse_unchecked("age");
const SECRET_HRP: Hrp = Hrp::parse_unchecked("age-secret-key-");
const FILE_KEY_BYTES: usize = 16;
const NONCE_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const STREAM_BYTES: usize = 64 * 1024;
/// Longest header that is read, in bytes; ours have about 200 for each recipient.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Who a file is encrypted for: `age1…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient(PublicKey);

/// Who opens it: `AGE-SECRET-KEY-1…`. Never shown by `Debug`.
#[derive(Clone)]
pub struct Identity(StaticSecret);

/// Why a file was not opened.
#[derive(Debug, PartialEq, Eq)]
pub enum OpenError {
    /// It is for somebody else.
    NoMatch,
    /// It is no such file, or not as it was written.
    Damaged(&'static str),
}

impl Identity {
    /// A new one.
    pub fn generate() -> Self {
        Self(StaticSecret::from(rand::random::<[u8; 32]>()))
    }

    /// Its public half.
    pub fn recipient(&self) -> Recipient {
        Recipient(PublicKey::from(&self.0))
    }

    /// Reads `AGE-SECRET-KEY-1…`.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(StaticSecret::from(key_bytes(text, SECRET_HRP)?)))
    }

    /// The 32 bytes.
    pub fn bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// From [`Self::bytes`].
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(StaticSecret::from(bytes))
    }
}

impl Recipient {
    /// Reads `age1…`.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(PublicKey::from(key_bytes(text, PUBLIC_HRP)?)))
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = bech32::encode::<Bech32>(PUBLIC_HRP, self.0.as_bytes());
        f.write_str(&text.unwrap_or_default())
    }
}

fn key_bytes(text: &str, hrp: Hrp) -> Result<[u8; 32], String> {
    let checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32>(text)
        .map_err(|e| e.to_string())?;
    if checked.hrp() != hrp {
        return Err(format!("it does not begin with {hrp}1"));
    }
    let bytes: Vec<u8> = checked.byte_iter().collect();
    bytes
        .try_into()
        .map_err(|_| "it does not hold 32 bytes".to_owned())
}

/// Encrypts for all of `recipients`; any one of them opens it.
pub fn encrypt(recipients: &[Recipient], plain: &[u8]) -> Vec<u8> {
    let file_key: [u8; FILE_KEY_BYTES] = rand::random();
    let mut out = VERSION_LINE.to_owned();
    for recipient in recipients {
        let own = StaticSecret::from(rand::random::<[u8; 32]>());
        let share = PublicKey::from(&own);
        let key = wrap_key(&own, &recipient.0, &share, recipient);
        let mut wrapped = file_key.to_vec();
        seal(&key, [0; 12], &mut wrapped);
        out += &format!(
            "-> {STANZA} {}\n{}\n",
            BASE64.encode(share.as_bytes()),
            BASE64.encode(&wrapped)
        );
    }
    out += "---";
    let mac = hmac::sign(&mac_key(&file_key), out.as_bytes());
    out += &format!(" {}\n", BASE64.encode(mac));
    let mut out = out.into_bytes();
    let nonce: [u8; NONCE_BYTES] = rand::random();
    out.extend_from_slice(&nonce);
    let key = derive(&nonce, &file_key, b"payload");
    let mut pieces = plain.chunks(STREAM_BYTES).peekable();
    let mut count = 0_u64;
    loop {
        // An empty file has one empty piece.
        let mut piece = pieces.next().unwrap_or_default().to_vec();
        let last = pieces.peek().is_none();
        seal(&key, stream_nonce(count, last), &mut piece);
        out.extend_from_slice(&piece);
        if last {
            return out;
        }
        count += 1;
    }
}

/// Opens a file with any of `identities`.
pub fn decrypt(identities: &[Identity], file: &[u8]) -> Result<Vec<u8>, OpenError> {
    let damaged = OpenError::Damaged;
    let head = &file[..file.len().min(HEADER_BYTES_MAX)];
    let header = read_header(head).ok_or(damaged("the header is no age header"))?;
    let file_key = header
        .stanzas
        .iter()
        .find_map(|(share, wrapped)| {
            identities
                .iter()
                .find_map(|identity| unwrap(identity, share, wrapped))
        })
        .ok_or(OpenError::NoMatch)?;
    hmac::verify(&mac_key(&file_key), header.signed, &header.mac)
        .map_err(|_| damaged("the header is not as it was written"))?;
    let (nonce, mut rest) = file[header.length..]
        .split_at_checked(NONCE_BYTES)
        .ok_or(damaged("it is cut off"))?;
    let key = derive(nonce, &file_key, b"payload");
    let mut out = Vec::with_capacity(rest.len());
    let mut count = 0_u64;
    loop {
        let last = rest.len() <= STREAM_BYTES + TAG_BYTES;
        let (piece, behind) = rest.split_at(rest.len().min(STREAM_BYTES + TAG_BYTES));
        let mut piece = piece.to_vec();
        let opened = open(&key, stream_nonce(count, last), &mut piece)
            .ok_or(damaged("its bytes are not as they were written"))?;
        if opened.is_empty() && count > 0 {
            return Err(damaged("it ends with an empty piece"));
        }
        out.extend_from_slice(opened);
        if last {
            return Ok(out);
        }
        rest = behind;
        count += 1;
    }
}

struct Header<'f> {
    /// Share and wrapped file key of each X25519 stanza.
    stanzas: Vec<([u8; 32], [u8; FILE_KEY_BYTES + TAG_BYTES])>,
    /// What the HMAC is over.
    signed: &'f [u8],
    mac: Vec<u8>,
    /// Where the payload begins.
    length: usize,
}

fn read_header(file: &[u8]) -> Option<Header<'_>> {
    let mut at = 0;
    let mut line = || {
        let rest = file.get(at..)?;
        let end = rest.iter().position(|&b| b == b'\n')?;
        let begin = at;
        at += end + 1;
        Some((begin, at, std::str::from_utf8(&rest[..end]).ok()?))
    };
    if line()?.2 != VERSION_LINE.trim_end() {
        return None;
    }
    let mut stanzas = Vec::new();
    let (mut begin, mut length, mut text) = line()?;
    loop {
        if let Some(mac) = text.strip_prefix("--- ") {
            return Some(Header {
                stanzas,
                signed: &file[..begin + 3],
                mac: BASE64.decode(mac).ok()?,
                length,
            });
        }
        let words: Vec<&str> = text.strip_prefix("-> ")?.split(' ').collect();
        let mut body = String::new();
        loop {
            let (_, _, more) = line()?;
            body += more;
            // A stanza's body ends with its first short line, which may be empty.
            if more.len() < 64 {
                break;
            }
        }
        // Stanzas of other kinds are for others.
        if let [STANZA, share] = words.as_slice() {
            let share = BASE64.decode(share).ok()?.try_into().ok()?;
            stanzas.push((share, BASE64.decode(&body).ok()?.try_into().ok()?));
        }
        (begin, length, text) = line()?;
    }
}

fn unwrap(
    identity: &Identity,
    share: &[u8; 32],
    wrapped: &[u8; FILE_KEY_BYTES + TAG_BYTES],
) -> Option<[u8; FILE_KEY_BYTES]> {
    let share = PublicKey::from(*share);
    if !identity.0.diffie_hellman(&share).was_contributory() {
        return None;
    }
    let key = wrap_key(&identity.0, &share, &share, &identity.recipient());
    let mut wrapped = wrapped.to_vec();
    open(&key, [0; 12], &mut wrapped)?.try_into().ok()
}

fn wrap_key(
    secret: &StaticSecret,
    other: &PublicKey,
    share: &PublicKey,
    recipient: &Recipient,
) -> [u8; 32] {
    let shared = secret.diffie_hellman(other);
    let salt = [share.as_bytes().as_slice(), recipient.0.as_bytes()].concat();
    derive(&salt, shared.as_bytes(), WRAP_INFO)
}

fn mac_key(file_key: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &derive(&[], file_key, b"header"))
}

fn derive(salt: &[u8], secret: &[u8], info: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let info = [info];
    // 32 bytes are always within what HKDF-SHA-256 gives.
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut out))
        .expect("HKDF gives 32 bytes");
    out
}

fn stream_nonce(count: u64, last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&count.to_be_bytes());
    nonce[11] = u8::from(last);
    nonce
}

fn aead(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has 32 bytes"))
}

/// Encrypts in place and appends the tag. A key is used with a nonce once only: every key here is derived from
/// randomness made for it.
pub fn seal(key: &[u8; 32], nonce: [u8; 12], bytes: &mut Vec<u8>) {
    aead(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), bytes)
        .expect("fewer bytes than ChaCha20-Poly1305 takes");
}

/// Decrypts in place; `None` when a byte is not as it was written.
pub fn open<'b>(key: &[u8; 32], nonce: [u8; 12], bytes: &'b mut [u8]) -> Option<&'b [u8]> {
    aead(key)
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), bytes)
        .ok()
        .map(|plain| &*plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The pair of the format's own examples; it protects nothing.
    const SECRET: &str =
        "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
    const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

    fn pair() -> (Identity, Recipient) {
        (
            Identity::parse(SECRET).unwrap(),
            Recipient::parse(PUBLIC).unwrap(),
        )
    }

    #[test]
    fn keys_are_read_and_told() {
        let (identity, recipient) = pair();
        assert_eq!(identity.recipient(), recipient);
        assert_eq!(recipient.to_string(), PUBLIC);
        assert!(Recipient::parse(SECRET).is_err() && Identity::parse(PUBLIC).is_err());
        assert!(Recipient::parse(&PUBLIC.replace("t7", "t8")).is_err());
    }

    #[test]
    fn what_the_age_program_wrote_is_opened() {
        // Written by age 1.1.1: `age -r PUBLIC -r <another>`, of 70,000 bytes "x" (two pieces) and of none.
        let (identity, _) = pair();
        let long = include_bytes!("../fixtures/age-v1.age");
        assert_eq!(
            decrypt(&[Identity::generate(), identity.clone()], long),
            Ok(vec![b'x'; 70_000])
        );
        let empty = include_bytes!("../fixtures/age-empty-v1.age");
        assert_eq!(decrypt(&[identity], empty), Ok(Vec::new()));
        assert_eq!(
            decrypt(&[Identity::generate()], long),
            Err(OpenError::NoMatch)
        );
    }

    #[test]
    fn every_length_comes_back_for_every_recipient() {
        let (identity, recipient) = pair();
        let other = Identity::generate();
        for length in [
            0,
            1,
            STREAM_BYTES - 1,
            STREAM_BYTES,
            STREAM_BYTES + 1,
            2 * STREAM_BYTES,
        ] {
            let plain: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let file = encrypt(&[other.recipient(), recipient], &plain);
            for one in [&identity, &other] {
                assert_eq!(
                    decrypt(std::slice::from_ref(one), &file).as_ref(),
                    Ok(&plain)
                );
            }
        }
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_found() {
        let (identity, recipient) = pair();
        let identity = [identity];
        let file = encrypt(&[recipient], b"some bytes");
        for at in 0..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 1;
            assert!(decrypt(&identity, &bad).is_err(), "byte {at}");
            assert!(decrypt(&identity, &file[..at]).is_err(), "cut at {at}");
        }
        let long = encrypt(&[recipient], &vec![7; STREAM_BYTES * 2]);
        let piece = STREAM_BYTES + TAG_BYTES;
        assert!(
            decrypt(&identity, &long[..long.len() - piece]).is_err(),
            "a whole piece less"
        );
        let mut more = file;
        more.push(0);
        assert!(decrypt(&identity, &more).is_err(), "a byte more");
    }
}
