//! Sealing and signing (T/CEC 102.4-2016, 数据传输与安全): `Data` is base64 of AES-128-CBC with PKCS #7 padding over UTF-8 JSON; `Sig` is
//! HMAC-MD5 in upper-case hexadecimal. MD5 and a fixed initial vector are the standard's choice; TLS lies around it.

use crate::config::Keys;
use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;

/// Seals a text.
pub fn seal(keys: &Keys, text: &str) -> String {
    let cipher = cbc::Encryptor::<Aes128>::new(&keys.data.into(), &keys.iv.into());
    STANDARD.encode(cipher.encrypt_padded_vec::<Pkcs7>(text.as_bytes()))
}

/// Opens what was sealed; `None` where base64, length, padding or UTF-8 is wrong: which, is told to nobody.
pub fn open(keys: &Keys, data: &str) -> Option<String> {
    // Some senders break lines in base64.
    let data: String = data.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let sealed = STANDARD.decode(data).ok()?;
    let cipher = cbc::Decryptor::<Aes128>::new(&keys.data.into(), &keys.iv.into());
    let text = cipher.decrypt_padded_vec::<Pkcs7>(&sealed).ok()?;
    String::from_utf8(text).ok()
}

fn mac(keys: &Keys, parts: &[&str]) -> Option<Hmac<Md5>> {
    // HMAC takes keys of any length; `None` cannot come.
    let mut mac = Hmac::<Md5>::new_from_slice(&keys.signature).ok()?;
    for part in parts {
        mac.update(part.as_bytes());
    }
    Some(mac)
}

/// Signs the parts, one behind the other.
pub fn sign(keys: &Keys, parts: &[&str]) -> String {
    mac(keys, parts).map_or_else(String::new, |mac| {
        hex::encode_upper(mac.finalize().into_bytes())
    })
}

/// Whether a signature fits, compared in a time that does not depend on where it differs. Lower-case letters are taken too.
pub fn is_signed(keys: &Keys, parts: &[&str], signature: &str) -> bool {
    let (Some(mac), Ok(signature)) = (mac(keys, parts), hex::decode(signature)) else {
        return false;
    };
    mac.verify_slice(&signature).is_ok()
}
