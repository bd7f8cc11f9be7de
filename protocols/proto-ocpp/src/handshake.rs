//! What is decided while a WebSocket is opened: the subprotocol, who the station is, and which security profile it keeps. The host
//! does the work (TLS, certificates, passwords); what it needs to know stands here.
//!
//! Sources: OCPP-J 1.6, section 3; Improved security for OCPP 1.6-J, section 2; OCPP 2.0.1, part 2, A.1 and part 4, section 3.

use crate::config::Version;
use crate::error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Told;

/// Characters of a station's identity (OCPP 2.0.1, part 4, 3.1.1).
pub const IDENTITY_CHARS_MAX: usize = 48;
/// Bytes of an `Authorization` header that is looked at.
const HEADER_BYTES_MAX: usize = 1_024;

/// How a link is kept safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecurityProfile {
    /// 0: nothing; only for a network that is safe by itself. Not in the standard.
    None,
    /// 1: a password, without TLS; only for a network that is safe by itself.
    Basic,
    /// 2: TLS, in which the server shows its certificate and the station its password.
    TlsBasic,
    /// 3: TLS, in which both show certificates.
    TlsClientCertificate,
}

impl SecurityProfile {
    /// Whether the link is under TLS 1.2 or later.
    pub const fn needs_tls(self) -> bool {
        matches!(self, Self::TlsBasic | Self::TlsClientCertificate)
    }

    /// Whether the station sends its password (HTTP Basic).
    pub const fn needs_password(self) -> bool {
        matches!(self, Self::Basic | Self::TlsBasic)
    }

    /// Whether the station shows a certificate, whose common name is its identity.
    pub const fn needs_client_certificate(self) -> bool {
        matches!(self, Self::TlsClientCertificate)
    }

    /// The profile of its number, 0 to 3.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::None),
            1 => Some(Self::Basic),
            2 => Some(Self::TlsBasic),
            3 => Some(Self::TlsClientCertificate),
            _ => None,
        }
    }
}

/// The version to be spoken: the first that the station offers (`Sec-WebSocket-Protocol`, in its order of preference) and that we
/// speak. `None`: the connection is opened without a subprotocol and closed at once (OCPP-J 1.6, 3.2), or refused.
pub fn negotiate(offered: &str, spoken: &[Version]) -> Option<Version> {
    offered.split(',').find_map(|name| {
        let name = name.trim();
        spoken
            .iter()
            .copied()
            .find(|version| version.subprotocol().eq_ignore_ascii_case(name))
    })
}

/// The station's identity: the last part of the path, percent-decoded; letters, digits and `* - _ = : + | @ .` (OCPP 2.0.1, part 2,
/// `identifierString`; stations of 1.6 keep to it too).
///
/// # Errors
/// `ocpp-identity` when it is empty, too long, or holds other characters.
pub fn identity(path: &str) -> Result<String, Told> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let last = path.trim_end_matches('/').rsplit('/').next();
    let refused = || error::identity(last.unwrap_or_default());
    let identity = percent_decoded(last.unwrap_or_default()).ok_or_else(refused)?;
    let is_good = (1..=IDENTITY_CHARS_MAX).contains(&identity.len())
        && identity
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "*-_=:+|@.".contains(c));
    match is_good {
        true => Ok(identity),
        false => Err(refused()),
    }
}

/// User and password of an `Authorization: Basic …` header. The password is bytes: stations of 1.6 send binary keys of 16 to 20
/// bytes, stations of 2.0.1 text of 16 to 40 characters. The host compares the user with [`identity`].
///
/// # Errors
/// `ocpp-authorization` when the header is not of that form.
pub fn basic(header: &str) -> Result<(String, Vec<u8>), Told> {
    if header.len() > HEADER_BYTES_MAX {
        return Err(error::authorization());
    }
    let (scheme, rest) = header
        .trim()
        .split_once(' ')
        .ok_or_else(error::authorization)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(error::authorization());
    }
    let bytes = STANDARD
        .decode(rest.trim())
        .map_err(|_| error::authorization())?;
    let colon = bytes
        .iter()
        .position(|byte| *byte == b':')
        .ok_or_else(error::authorization)?;
    let user = std::str::from_utf8(&bytes[..colon]).map_err(|_| error::authorization())?;
    Ok((user.to_owned(), bytes[colon + 1..].to_vec()))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_version_that_both_speak_is_spoken() {
        let both = Version::ALL;
        for (offered, version) in [
            ("ocpp1.6", Some(Version::V16)),
            ("ocpp2.1, ocpp2.0.1,ocpp1.6", Some(Version::V201)),
            ("ocpp1.6, ocpp2.0.1", Some(Version::V16)),
            ("ocpp2.0", None),
            ("", None),
        ] {
            assert_eq!(negotiate(offered, &both), version, "{offered}");
        }
        assert_eq!(negotiate("ocpp2.0.1", &[Version::V16]), None);
    }

    #[test]
    fn a_station_is_the_last_part_of_its_path() {
        for (path, station) in [
            ("/ocpp/CP-001", Some("CP-001")),
            ("/ocpp/CP%2D001/", Some("CP-001")),
            ("/CP1?x=1", Some("CP1")),
            ("/", None),
            ("/a%2", None),
            ("/a%zz", None),
            ("/a b", None),
            ("/%E7%AB%99", None),
        ] {
            assert_eq!(identity(path).ok().as_deref(), station, "{path}");
        }
        assert!(identity(&"x".repeat(49)).is_err());
    }

    #[test]
    fn a_password_may_hold_colons_and_any_bytes() {
        // RFC 7617, section 2.
        let (user, password) = basic("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap();
        assert_eq!(
            (user.as_str(), password.as_slice()),
            ("Aladdin", &b"open sesame"[..])
        );
        let header = format!("basic {}", STANDARD.encode(b"CP1:a:\xff\x00"));
        assert_eq!(basic(&header).unwrap().1, b"a:\xff\x00");
        for bad in ["", "Basic", "Bearer x", "Basic ???", "Basic QQ=="] {
            assert_eq!(basic(bad).unwrap_err().code, "ocpp-authorization", "{bad}");
        }
    }
}
