//! Time-based codes (动态口令): TOTP (RFC 6238) over HOTP (RFC 4226) with HMAC-SHA-1, 6 digits, 30 seconds: what every
//! authenticator app speaks. Checked against the RFCs' published vectors. Pure: the time is given.

use data_encoding::BASE32_NOPAD;
use model::Timestamp;
use qrcodegen::{QrCode, QrCodeEcc};
use ring::hmac;
use std::fmt::Write as _;

/// Bytes of a secret: as many as HMAC-SHA-1 gives (RFC 4226 §4, R6).
pub const SECRET_BYTES: usize = 20;
/// Seconds of one time step.
pub const STEP_S: i64 = 30;
/// Digits of a code.
pub const DIGITS: u32 = 6;
/// White modules around a QR code (ISO/IEC 18004).
const QUIET: i32 = 4;

/// The code of a counter (RFC 4226 §5.3).
fn hotp(secret: &[u8], counter: u64, digits: u32) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes[bytes.len() - 1] & 0xf);
    let cut = u32::from_be_bytes([
        bytes[at] & 0x7f,
        bytes[at + 1],
        bytes[at + 2],
        bytes[at + 3],
    ]);
    let code = cut % 10_u32.pow(digits);
    format!("{code:0width$}", width = digits as usize)
}

/// The time step of a moment.
pub fn step_at(now: Timestamp) -> i64 {
    now.micros().div_euclid(STEP_S * 1_000_000)
}

/// The code of a time step.
pub fn code_at(secret: &[u8], step: i64) -> String {
    hotp(secret, step.cast_unsigned(), DIGITS)
}

/// The time step that a code is of, when it is of this step or `skew_steps` at most away from it, and later than
/// `last_step`, the last whose code was taken: a code is good once.
pub fn step_of(
    secret: &[u8],
    code: &str,
    last_step: i64,
    skew_steps: i64,
    now: Timestamp,
) -> Option<i64> {
    let given: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let here = step_at(now);
    // All are compared, so that the time says nothing of which it was.
    let mut found = None;
    for step in here - skew_steps..=here + skew_steps {
        let is_this = crate::secret::same(code_at(secret, step).as_bytes(), given.as_bytes());
        if is_this && step > last_step {
            found = Some(step);
        }
    }
    found
}

/// The secret as people type it: base 32.
pub fn secret_text(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// What an authenticator app reads: `otpauth://totp/…`.
pub fn uri(issuer: &str, username: &str, secret: &[u8]) -> String {
    let (issuer, username) = (encoded(issuer), encoded(username));
    format!(
        "otpauth://totp/{issuer}:{username}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}",
        secret_text(secret)
    )
}

/// Percent-encoding of all that is not unreserved (RFC 3986 §2.3).
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A text as a QR code, SVG; `None` when it is too long for one.
pub fn qr_svg(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = code.size() + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|&x| code.get_module(x, y)) {
            let _ = write!(path, "M{},{}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0,0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn counters_give_the_codes_of_rfc_4226_appendix_d() {
        let published = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, code) in (0..).zip(published) {
            assert_eq!(hotp(SECRET, counter, 6), code, "{counter}");
        }
    }

    #[test]
    fn times_give_the_codes_of_rfc_6238_appendix_b() {
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let step = step_at(Timestamp::from_seconds(seconds));
            assert_eq!(hotp(SECRET, step.cast_unsigned(), 8), code, "{seconds}");
            assert_eq!(code_at(SECRET, step), code[2..]);
        }
    }

    #[test]
    fn a_code_is_good_one_step_about_and_never_twice() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let here = step_at(now);
        for away in -3..=3 {
            let code = code_at(SECRET, here + away);
            let expected = (away.abs() <= 1).then_some(here + away);
            assert_eq!(step_of(SECRET, &code, 0, 1, now), expected, "{away}");
            assert_eq!(
                step_of(SECRET, &code, here + away, 1, now),
                None,
                "replayed"
            );
            assert_eq!(step_of(b"another secret", &code, 0, 1, now), None);
        }
        // The code before the last taken is not good either, though its time has not passed.
        assert_eq!(
            step_of(SECRET, &code_at(SECRET, here - 1), here, 1, now),
            None
        );
        for bad in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
            assert_eq!(step_of(SECRET, bad, 0, 1, now), None, "{bad}");
        }
        let spaced = code_at(SECRET, here);
        let spaced = format!(" {} {}\n", &spaced[..3], &spaced[3..]);
        assert_eq!(step_of(SECRET, &spaced, 0, 1, now), Some(here));
    }

    #[test]
    fn the_address_and_its_picture_are_as_apps_read_them() {
        let uri = uri("竟陵 天门", "li.si@x", SECRET);
        assert_eq!(
            uri,
            "otpauth://totp/%E7%AB%9F%E9%99%B5%20%E5%A4%A9%E9%97%A8:li.si%40x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=%E7%AB%9F%E9%99%B5%20%E5%A4%A9%E9%97%A8&algorithm=SHA1&digits=6&period=30"
        );
        let svg = qr_svg(&uri).unwrap();
        assert!(
            svg.starts_with("<svg ")
                && svg.ends_with("</svg>")
                && svg.matches("h1v1").count() > 200
        );
        assert_eq!(qr_svg(&"x".repeat(4_000)), None);
    }
}
