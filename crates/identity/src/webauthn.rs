//! Passkeys (通行密钥): the relying party's part of WebAuthn (W3C, Level 3): what is asked of the browser, and whether what
//! comes back is an answer to that. Pure, over ring's signatures; checked against the vectors that the standard publishes.
//!
//! Attestation is asked for as `none` and not looked at: it would say of which make an authenticator is, and the city trusts
//! the person, whom it knows already, not the make. Algorithms: ES256, EdDSA (Ed25519), RS256.
//!
//! Of the crates of the field, one needs OpenSSL and one brings a second set of signature crates, an RSA with a known hole
//! (RUSTSEC-2023-0071) among them; what a relying party does is short once somebody else reads CBOR and checks signatures.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use model::Problem;
use ring::digest::{SHA256, digest};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;
use url::{Host, Url};

/// Bytes of a challenge.
pub const CHALLENGE_BYTES: usize = 32;
/// Longest credential id (WebAuthn §4).
const CREDENTIAL_ID_BYTES_MAX: usize = 1_023;
/// Longest of what a browser hands over, bytes, each part.
const PART_BYTES_MAX: usize = 16 * 1_024;

/// COSE algorithms (RFC 9053, RFC 8812), the one that we like best first.
const ES256: i128 = -7;
const EDDSA: i128 = -8;
const RS256: i128 = -257;

/// Flags of the authenticator's data (§6.1).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const MAY_SYNC: u8 = 0x08;
const IS_SYNCED: u8 = 0x10;
const HAS_KEY: u8 = 0x40;
const HAS_EXTENSIONS: u8 = 0x80;

/// The address under which people reach the city: passkeys are made for it and good nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    origin: String,
    rp_id: String,
}

impl Origin {
    /// Reads an address: `https://` with a name, or `http://localhost` for trying out.
    ///
    /// # Errors
    /// `passkey-origin` when browsers make no passkeys for it.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let unfit = |what: &str| {
            Problem::new(
                "passkey-origin",
                format!("\"{}\" {what}", model::problem::quote(text)),
                "http.public_url",
                "write it as https://city.example.gov.cn, without path; browsers make passkeys for names with https, and for http://localhost",
            )
        };
        let url = Url::parse(text).map_err(|_| unfit("is no address"))?;
        let Some(Host::Domain(name)) = url.host() else {
            return Err(unfit("has no name"));
        };
        let is_local = name == "localhost" || name.ends_with(".localhost");
        if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
            return Err(unfit("is not of https"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(unfit("has more than a name and a port"));
        }
        Ok(Self {
            rp_id: name.to_owned(),
            origin: url.origin().ascii_serialization(),
        })
    }

    /// As browsers write it.
    pub fn as_str(&self) -> &str {
        &self.origin
    }
}

/// What the answer must be an answer to.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The challenge that was given.
    pub challenge: &'a [u8],
    /// The city's address.
    pub origin: &'a Origin,
    /// Whether the authenticator must have seen that it is the person (a PIN, a finger), not only that somebody is there.
    pub is_verified: bool,
}

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A part does not read; which.
    Malformed(&'static str),
    /// It answers another kind of question.
    Type,
    /// It answers another challenge.
    Challenge,
    /// It was made on another site's page.
    Origin,
    /// It was made for another site.
    Site,
    /// Nobody was there.
    NotPresent,
    /// The authenticator did not see who it was.
    NotVerified,
    /// An algorithm that was not asked for.
    Algorithm,
    /// The signature is not the key's.
    Signature,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed(part) => return write!(f, "its {part} does not read"),
            Self::Type => "it answers another kind of question",
            Self::Challenge => "it answers another challenge",
            Self::Origin => "it was made on another site's page",
            Self::Site => "it was made for another site",
            Self::NotPresent => "nobody was at the authenticator",
            Self::NotVerified => "the authenticator did not ask for a PIN, a finger or a face",
            Self::Algorithm => "its algorithm is none of ES256, EdDSA and RS256",
            Self::Signature => "the signature is not the passkey's",
        })
    }
}

/// A new passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// What the authenticator knows it by.
    pub credential_id: Vec<u8>,
    /// The public key as COSE.
    pub public_key: Vec<u8>,
    /// The authenticator's counter.
    pub sign_count: u32,
    /// Whether it may lie on several devices.
    pub is_synced: bool,
}

/// A passkey signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The authenticator's counter.
    pub sign_count: u32,
    /// Whether it lies on several devices.
    pub is_synced: bool,
}

/// What a browser hands over for a new passkey (`RegistrationResponseJSON`), base64url.
#[derive(Clone, Debug, Deserialize)]
pub struct Registration {
    /// The response.
    pub response: RegistrationResponse,
}

/// Its response.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationResponse {
    /// What the browser says of the question.
    #[serde(rename = "clientDataJSON")]
    pub client_data_json: String,
    /// What the authenticator made.
    pub attestation_object: String,
}

/// What a browser hands over when a passkey signed (`AuthenticationResponseJSON`), base64url.
#[derive(Clone, Debug, Deserialize)]
pub struct Assertion {
    /// The credential's id.
    pub id: String,
    /// The response.
    pub response: AssertionResponse,
}

/// Its response.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssertionResponse {
    /// What the browser says of the question.
    #[serde(rename = "clientDataJSON")]
    pub client_data_json: String,
    /// What the authenticator says.
    pub authenticator_data: String,
    /// Its signature.
    pub signature: String,
    /// What it knows the person by.
    pub user_handle: Option<String>,
}

/// Base64url without padding.
pub fn text_of(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes of base64url without padding.
///
/// # Errors
/// [`Fault::Malformed`] with the part's name.
pub fn bytes_of(text: &str, part: &'static str) -> Result<Vec<u8>, Fault> {
    if text.len() > PART_BYTES_MAX {
        return Err(Fault::Malformed(part));
    }
    URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .map_err(|_| Fault::Malformed(part))
}

/// For whom a passkey is made.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// What the authenticator shall know the person by, base64url.
    pub handle: &'a str,
    /// The name to sign in with.
    pub username: &'a str,
    /// The person's name.
    pub name: &'a str,
}

/// What the browser is asked for a new passkey (`PublicKeyCredentialCreationOptionsJSON`). `known`: ids of those that the
/// person has already.
pub fn creation_options(
    origin: &Origin,
    city: &str,
    challenge: &[u8],
    person: Person<'_>,
    known: &[String],
    timeout_s: i64,
) -> Value {
    let known: Vec<_> = known
        .iter()
        .map(|id| json!({"type": "public-key", "id": id}))
        .collect();
    let algorithms = [ES256, EDDSA, RS256]
        .map(|alg| json!({"type": "public-key", "alg": i64::try_from(alg).unwrap_or_default()}));
    json!({
        "rp": {"id": origin.rp_id, "name": city},
        "user": {"id": person.handle, "name": person.username, "displayName": person.name},
        "challenge": text_of(challenge),
        "pubKeyCredParams": algorithms,
        "timeout": timeout_s * 1_000,
        "excludeCredentials": known,
        "authenticatorSelection": {"residentKey": "required", "requireResidentKey": true, "userVerification": "required"},
        "attestation": "none",
    })
}

/// What the browser is asked for a signature (`PublicKeyCredentialRequestOptionsJSON`). `known`: ids of the passkeys that
/// may sign; none when any passkey of this city may.
pub fn request_options(
    origin: &Origin,
    challenge: &[u8],
    known: &[String],
    timeout_s: i64,
) -> Value {
    let known: Vec<_> = known
        .iter()
        .map(|id| json!({"type": "public-key", "id": id}))
        .collect();
    json!({
        "rpId": origin.rp_id,
        "challenge": text_of(challenge),
        "timeout": timeout_s * 1_000,
        "allowCredentials": known,
        "userVerification": "required",
    })
}

/// The challenge that what a browser says of the question answers, as it stands there; nothing is checked.
///
/// # Errors
/// When it does not read.
pub fn challenge_of(client_data: &[u8]) -> Result<Vec<u8>, Fault> {
    bytes_of(&ClientData::read(client_data)?.challenge, "clientDataJSON")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

impl ClientData {
    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(bytes).map_err(|_| Fault::Malformed("clientDataJSON"))
    }

    /// §7.1 steps 7 to 12, §7.2 steps 10 to 15.
    fn check(&self, kind: &str, expected: Expected<'_>) -> Result<(), Fault> {
        if self.kind != kind {
            return Err(Fault::Type);
        }
        let challenge = bytes_of(&self.challenge, "clientDataJSON")?;
        if !crate::secret::same(&challenge, expected.challenge) {
            return Err(Fault::Challenge);
        }
        // No page of another site may hold ours in a frame.
        if self.origin != expected.origin.origin || self.cross_origin {
            return Err(Fault::Origin);
        }
        Ok(())
    }
}

/// What the authenticator says (§6.1).
struct AuthData<'a> {
    flags: u8,
    sign_count: u32,
    key: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> AuthData<'a> {
    fn read(bytes: &'a [u8], expected: Expected<'_>) -> Result<Self, Fault> {
        const BAD: Fault = Fault::Malformed("authenticatorData");
        let (site, rest) = bytes.split_at_checked(32).ok_or(BAD)?;
        let ([flags], rest) = rest.split_first_chunk::<1>().ok_or(BAD)?;
        let (count, mut rest) = rest.split_first_chunk::<4>().ok_or(BAD)?;
        let flags = *flags;
        if site != digest(&SHA256, expected.origin.rp_id.as_bytes()).as_ref() {
            return Err(Fault::Site);
        }
        if flags & PRESENT == 0 {
            return Err(Fault::NotPresent);
        }
        if expected.is_verified && flags & VERIFIED == 0 {
            return Err(Fault::NotVerified);
        }
        if flags & IS_SYNCED != 0 && flags & MAY_SYNC == 0 {
            return Err(BAD);
        }
        let mut key = None;
        if flags & HAS_KEY != 0 {
            let (_make, behind) = rest.split_at_checked(16).ok_or(BAD)?;
            let (length, behind) = behind.split_first_chunk::<2>().ok_or(BAD)?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (id, behind) = behind.split_at_checked(length).ok_or(BAD)?;
            if id.is_empty() || id.len() > CREDENTIAL_ID_BYTES_MAX {
                return Err(BAD);
            }
            rest = behind;
            let _: Cbor = ciborium::from_reader(&mut rest).map_err(|_| BAD)?;
            key = Some((id, &behind[..behind.len() - rest.len()]));
        }
        if flags & HAS_EXTENSIONS != 0 {
            let _: Cbor = ciborium::from_reader(&mut rest).map_err(|_| BAD)?;
        }
        if !rest.is_empty() {
            return Err(BAD);
        }
        Ok(Self {
            flags,
            sign_count: u32::from_be_bytes(*count),
            key,
        })
    }
}

/// A new passkey from what a browser handed over (§7.1).
///
/// # Errors
/// Why it is no answer to the question.
pub fn registered(
    expected: Expected<'_>,
    client_data: &[u8],
    attestation: &[u8],
) -> Result<NewKey, Fault> {
    const BAD: Fault = Fault::Malformed("attestationObject");
    ClientData::read(client_data)?.check("webauthn.create", expected)?;
    let object: Cbor = ciborium::from_reader(attestation).map_err(|_| BAD)?;
    let data = object
        .as_map()
        .and_then(|map| {
            map.iter()
                .find(|(key, _)| key.as_text() == Some("authData"))
        })
        .and_then(|(_, value)| value.as_bytes())
        .ok_or(BAD)?;
    let data = AuthData::read(data, expected)?;
    let (id, key) = data.key.ok_or(BAD)?;
    PublicKey::read(key)?;
    Ok(NewKey {
        credential_id: id.to_vec(),
        public_key: key.to_vec(),
        sign_count: data.sign_count,
        is_synced: data.flags & MAY_SYNC != 0,
    })
}

/// Whether a passkey signed what it was asked (§7.2). The counter is the caller's to compare.
///
/// # Errors
/// Why it did not.
pub fn signed(
    expected: Expected<'_>,
    public_key: &[u8],
    client_data: &[u8],
    auth_data: &[u8],
    signature: &[u8],
) -> Result<Signed, Fault> {
    ClientData::read(client_data)?.check("webauthn.get", expected)?;
    let data = AuthData::read(auth_data, expected)?;
    let hash = digest(&SHA256, client_data);
    let message = [auth_data, hash.as_ref()].concat();
    PublicKey::read(public_key)?.verify(&message, signature)?;
    Ok(Signed {
        sign_count: data.sign_count,
        is_synced: data.flags & MAY_SYNC != 0,
    })
}

/// A public key as COSE has it (RFC 9052 §7, RFC 9053, RFC 8230).
enum PublicKey {
    /// A point, not compressed.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

impl PublicKey {
    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        const BAD: Fault = Fault::Malformed("public key");
        let cose: Cbor = ciborium::from_reader(bytes).map_err(|_| BAD)?;
        let map = cose.as_map().ok_or(BAD)?;
        let of = |label: i128| {
            map.iter()
                .find(|(key, _)| key.as_integer().is_some_and(|k| i128::from(k) == label))
                .map(|(_, value)| value)
        };
        let number = |label| of(label).and_then(Cbor::as_integer).map(i128::from);
        let part = |label| of(label).and_then(Cbor::as_bytes).ok_or(BAD);
        let coordinate = |label| part(label).and_then(|b| (b.len() == 32).then_some(b).ok_or(BAD));
        // (kty, alg, crv)
        match (number(1), number(3), number(-1)) {
            (Some(2), Some(ES256), Some(1)) => {
                let (x, y) = (coordinate(-2)?, coordinate(-3)?);
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                Ok(Self::P256(point))
            }
            (Some(1), Some(EDDSA), Some(6)) => Ok(Self::Ed25519(coordinate(-2)?.clone())),
            (Some(3), Some(RS256), _) => Ok(Self::Rsa {
                n: part(-1)?.clone(),
                e: part(-2)?.clone(),
            }),
            _ => Err(Fault::Algorithm),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Fault> {
        let good = match self {
            Self::P256(point) => UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, point)
                .verify(message, signature),
            Self::Ed25519(key) => {
                UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature)
            }
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
        };
        good.map_err(|_| Fault::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_browsers_make_passkeys_for() {
        for (text, origin, rp_id) in [
            (
                "https://city.example.gov.cn",
                "https://city.example.gov.cn",
                "city.example.gov.cn",
            ),
            (
                "https://City.example.gov.cn:443/",
                "https://city.example.gov.cn",
                "city.example.gov.cn",
            ),
            (
                "https://city.example.gov.cn:8443",
                "https://city.example.gov.cn:8443",
                "city.example.gov.cn",
            ),
            (
                "http://localhost:8480",
                "http://localhost:8480",
                "localhost",
            ),
        ] {
            let parsed = Origin::parse(text).unwrap();
            assert_eq!((parsed.as_str(), parsed.rp_id.as_str()), (origin, rp_id));
        }
        for text in [
            "",
            "city.example.gov.cn",
            "http://city.example.gov.cn",
            "https://10.1.2.3",
            "https://[::1]",
            "https://city.example.gov.cn/page",
            "https://city.example.gov.cn?x",
        ] {
            assert_eq!(
                Origin::parse(text).unwrap_err().code,
                "passkey-origin",
                "{text}"
            );
        }
    }

    #[test]
    fn any_bytes_are_refused_and_nothing_worse() {
        let origin = Origin::parse("https://example.org").unwrap();
        let expected = Expected {
            challenge: &[1; 32],
            origin: &origin,
            is_verified: true,
        };
        let site = digest(&SHA256, b"example.org");
        let with = |rest: &[u8]| [site.as_ref(), rest].concat();
        // A length beyond the end, a key that is cut, a depth that would end the stack, something behind the end.
        let deep = [
            &[0xc5, 0, 0, 0, 0][..],
            &[0; 16],
            &[0, 1, 7],
            &[0x81; 4_000],
        ]
        .concat();
        for data in [
            vec![],
            with(&[]),
            with(&[0x45, 0, 0, 0, 0]),
            with(&[&[0x45, 0, 0, 0, 0][..], &[0; 16], &[0xff, 0xff, 1]].concat()),
            with(&[&[0x45, 0, 0, 0, 0][..], &[0; 16], &[0, 1, 7, 0xa5, 1]].concat()),
            with(&deep),
            with(&[0x05, 0, 0, 0, 0, 0]),
            with(&[0x15, 0, 0, 0, 0]),
        ] {
            let found = AuthData::read(&data, expected).err();
            assert!(
                matches!(found, None | Some(Fault::Malformed(_))),
                "{data:02x?}: {found:?}"
            );
            if data.len() > 40 {
                assert!(found.is_some(), "{data:02x?}");
            }
        }
        let said = |flags| AuthData::read(&with(&[flags, 0, 0, 0, 0]), expected).err();
        assert_eq!(said(0x05), None);
        assert_eq!(said(0x01), Some(Fault::NotVerified));
        assert_eq!(said(0x04), Some(Fault::NotPresent));
        assert_eq!(AuthData::read(&[0; 37], expected).err(), Some(Fault::Site));
        assert!(PublicKey::read(&[0xa0]).is_err());
        assert!(PublicKey::read(b"\xa1\x01\x02").is_err());
    }
}
