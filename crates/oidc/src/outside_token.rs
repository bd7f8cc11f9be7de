//! The ID token of an outside provider (OpenID Connect Core §2, §3.1.3.7) and the keys that it is signed with (RFC 7517):
//! read and verified here, with ring, so that what is no algorithm of the list has nobody who could find it good. The key
//! decides what a signature must be, never the token alone: an RSA key verifies no HMAC (RFC 8725 §3.1).

use crate::outside::{Config, Limits};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Problem, Timestamp};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// Bytes of a coordinate of P-256.
const COORDINATE: usize = 32;
/// Longest name of a person that is kept, characters.
const NAME_CHARS_MAX: usize = 128;

/// How an ID token may be signed (RFC 7518 §3.1). Nothing with a shared secret, and nothing unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedWith {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

impl SignedWith {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::Ps256];

    /// The standard's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::Ps256 => "PS256",
        }
    }
}

impl FromStr for SignedWith {
    type Err = Problem;
    fn from_str(word: &str) -> Result<Self, Problem> {
        let known = Self::ALL.into_iter().find(|a| a.as_str() == word);
        known.ok_or_else(|| {
            Problem::new(
                "outside-algorithm",
                format!(
                    "\"{}\" is no algorithm that ID tokens may be signed with",
                    model::problem::quote(word)
                ),
                "sign_in.provider, algorithms",
                "use RS256, ES256 or PS256; shared secrets (HS256) and none are never taken",
            )
        })
    }
}

/// Why an ID token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is no signed token.
    Form,
    /// It is signed in a way that the settings do not name.
    Algorithm,
    /// None of the provider's keys is the one that it names.
    KeyUnknown,
    /// Its signature is wrong.
    Signature,
    /// Another issued it.
    Issuer,
    /// It is for another client.
    Audience,
    /// It has ended, or is too old.
    Expired,
    /// Its time has not come.
    NotYet,
    /// It answers another sign-in.
    Nonce,
    /// It says of nobody whom it is about.
    Subject,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "it is no signed token",
            Self::Algorithm => "it is signed in a way that the settings do not name",
            Self::KeyUnknown => "none of the provider's keys is the one that it names",
            Self::Signature => "its signature is wrong",
            Self::Issuer => "another issued it",
            Self::Audience => "it is for another client",
            Self::Expired => "it has ended, or is too old",
            Self::NotYet => "its time has not come: the clocks differ by more than is forgiven",
            Self::Nonce => "it answers another sign-in",
            Self::Subject => "it does not say whom it is about",
        })
    }
}

enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The point, uncompressed.
    P256(Vec<u8>),
}

struct Key {
    kid: Option<String>,
    /// The one algorithm that it is for, when it says so.
    alg: Option<String>,
    material: Material,
}

impl Key {
    fn is_for(&self, algorithm: SignedWith) -> bool {
        let fits = match self.material {
            Material::Rsa { .. } => matches!(algorithm, SignedWith::Rs256 | SignedWith::Ps256),
            Material::P256(_) => algorithm == SignedWith::Es256,
        };
        fits && self
            .alg
            .as_deref()
            .is_none_or(|alg| alg == algorithm.as_str())
    }

    fn verifies(&self, algorithm: SignedWith, signed: &[u8], signature: &[u8]) -> bool {
        let checked =
            match (&self.material, algorithm) {
                (Material::Rsa { n, e }, SignedWith::Rs256) => RsaPublicKeyComponents { n, e }
                    .verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature),
                (Material::Rsa { n, e }, SignedWith::Ps256) => RsaPublicKeyComponents { n, e }
                    .verify(&RSA_PSS_2048_8192_SHA256, signed, signature),
                (Material::P256(point), SignedWith::Es256) => {
                    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                        .verify(signed, signature)
                }
                _ => return false,
            };
        checked.is_ok()
    }
}

#[derive(Deserialize)]
struct WrittenKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// A provider's public keys that ID tokens can be verified with.
pub struct OutsideKeys(Vec<Key>);

impl fmt::Debug for OutsideKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|k| &k.kid))
            .finish()
    }
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// A number without the zeros before it.
fn number_of(text: &str) -> Option<Vec<u8>> {
    let bytes = bytes_of(text)?;
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    Some(bytes[zeros..].to_vec())
}

fn key_of(value: Value) -> Option<Key> {
    let written: WrittenKey = serde_json::from_value(value).ok()?;
    if written.r#use.as_deref().is_some_and(|u| u != "sig") {
        return None;
    }
    let material = match (written.kty.as_str(), written.crv.as_deref()) {
        ("RSA", _) => Material::Rsa {
            n: number_of(&written.n?)?,
            e: number_of(&written.e?)?,
        },
        ("EC", Some("P-256")) => {
            let (x, y) = (bytes_of(&written.x?)?, bytes_of(&written.y?)?);
            if x.len() != COORDINATE || y.len() != COORDINATE {
                return None;
            }
            Material::P256([&[4], &x[..], &y[..]].concat())
        }
        _ => return None,
    };
    Some(Key {
        kid: written.kid,
        alg: written.alg,
        material,
    })
}

impl OutsideKeys {
    /// Reads a set of keys; what is none that can be used here is passed over (RFC 7517 §5).
    ///
    /// # Errors
    /// A text that is no set, has too many, or none that can be used.
    pub fn parse(place: &str, text: &[u8], limits: &Limits) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let bad = |what: String| {
            let mend = "ask those who run the provider";
            Problem::new("outside-keys", what, place, mend)
        };
        let set: Set =
            serde_json::from_slice(text).map_err(|e| bad(format!("they do not read: {e}")))?;
        if set.keys.len() > limits.keys_max {
            let (n, max) = (set.keys.len(), limits.keys_max);
            return Err(bad(format!("there are {n} keys, more than {max}")));
        }
        let keys: Vec<Key> = set.keys.into_iter().filter_map(key_of).collect();
        if keys.is_empty() {
            return Err(bad("there is none of RSA or P-256".to_owned()));
        }
        Ok(Self(keys))
    }

    /// How many can be used.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Who signed in at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsidePerson {
    /// What the provider knows the person by, for ever.
    pub subject: String,
    /// What people know the person by: the name, or else the username there.
    pub shown: String,
    /// The value of the claim that links.
    pub username: Option<String>,
    /// Whether what the provider says of how it was done stands in for the second factor here.
    pub is_second_factor_trusted: bool,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Checks the ID token of a sign-in.
///
/// # Errors
/// Why it is not taken.
pub fn check_id_token(
    config: &Config,
    keys: &OutsideKeys,
    token: &str,
    nonce: &str,
    limits: &Limits,
    now: Timestamp,
) -> Result<OutsidePerson, Wrong> {
    let claims = verified(config, keys, token, limits)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(config.issuer.as_str()) {
        return Err(Wrong::Issuer);
    }
    is_for_us(config, &claims)?;
    let now_s = now.micros().div_euclid(1_000_000);
    let (exp, iat) = (time_of(&claims, "exp")?, time_of(&claims, "iat")?);
    let (exp, iat) = (exp.ok_or(Wrong::Form)?, iat.ok_or(Wrong::Form)?);
    let skew = limits.clock_skew_s;
    if exp.saturating_add(skew) <= now_s
        || iat
            .saturating_add(limits.id_token_age_s_max)
            .saturating_add(skew)
            <= now_s
    {
        return Err(Wrong::Expired);
    }
    let begins = time_of(&claims, "nbf")?.unwrap_or(iat).max(iat);
    if begins.saturating_sub(skew) > now_s {
        return Err(Wrong::NotYet);
    }
    if text("nonce") != Some(nonce) {
        return Err(Wrong::Nonce);
    }
    let subject = text("sub").ok_or(Wrong::Subject)?;
    let is_subject = (1..=limits.subject_bytes_max).contains(&subject.len())
        && !subject.chars().any(char::is_control);
    if !is_subject {
        return Err(Wrong::Subject);
    }
    let shown = text("name")
        .or_else(|| text("preferred_username"))
        .unwrap_or_default();
    let cleaned = shown.chars().filter(|c| !c.is_control());
    Ok(OutsidePerson {
        subject: subject.to_owned(),
        shown: cleaned.take(NAME_CHARS_MAX).collect(),
        username: config
            .link_claim
            .as_deref()
            .and_then(text)
            .map(str::to_owned),
        is_second_factor_trusted: is_trusted(config, &claims),
    })
}

/// Reads a token and verifies its signature.
fn verified(
    config: &Config,
    keys: &OutsideKeys,
    token: &str,
    limits: &Limits,
) -> Result<Map<String, Value>, Wrong> {
    if token.len() > limits.id_token_bytes_max {
        return Err(Wrong::Form);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Wrong::Form)?;
    let (header, claims) = signed.split_once('.').ok_or(Wrong::Form)?;
    let part = |text| bytes_of(text).ok_or(Wrong::Form);
    let header: Header = serde_json::from_slice(&part(header)?).map_err(|_| Wrong::Form)?;
    let algorithm = header.alg.parse().map_err(|_| Wrong::Algorithm)?;
    // What must be understood and is not (RFC 7515 §4.1.11).
    if !config.algorithms.contains(&algorithm) || header.crit.is_some() {
        return Err(Wrong::Algorithm);
    }
    let signature = part(signature)?;
    let mut fitting = keys
        .0
        .iter()
        .filter(|key| {
            // A token that names no key may be of any (Core §10.1); one that names one, of that alone.
            key.is_for(algorithm)
                && header
                    .kid
                    .as_ref()
                    .is_none_or(|kid| key.kid.as_ref() == Some(kid))
        })
        .peekable();
    if fitting.peek().is_none() {
        return Err(Wrong::KeyUnknown);
    }
    if !fitting.any(|key| key.verifies(algorithm, signed.as_bytes(), &signature)) {
        return Err(Wrong::Signature);
    }
    serde_json::from_slice(&part(claims)?).map_err(|_| Wrong::Form)
}

/// `aud` and `azp` (Core §3.1.3.7, 3 to 5): for this client; where it is for others too, given to this one.
fn is_for_us(config: &Config, claims: &Map<String, Value>) -> Result<(), Wrong> {
    let own = config.client_id.as_str();
    let (is_among, is_alone) = match claims.get("aud") {
        Some(Value::String(one)) => (one == own, true),
        Some(Value::Array(many)) => (many.iter().any(|one| one == own), many.len() == 1),
        _ => (false, false),
    };
    let is_given = match claims.get("azp") {
        None => is_alone,
        Some(azp) => azp == own,
    };
    if is_among && is_given {
        Ok(())
    } else {
        Err(Wrong::Audience)
    }
}

/// A time of a claim, whole seconds; some providers write them with a fraction.
fn time_of(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, Wrong> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a time beyond i64 is cut to its end, and refused"
            )]
            let whole = value.as_i64().or_else(|| value.as_f64().map(|f| f as i64));
            whole.map(Some).ok_or(Wrong::Form)
        }
    }
}

fn is_trusted(config: &Config, claims: &Map<String, Value>) -> bool {
    let trusted = |value: &Value| {
        let word = value.as_str();
        word.is_some_and(|word| config.trusts_second_factor.iter().any(|t| t == word))
    };
    let amr = claims.get("amr").and_then(Value::as_array);
    amr.is_some_and(|amr| amr.iter().any(trusted)) || claims.get("acr").is_some_and(trusted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaKeyPair,
    };
    use rsa::pkcs1::EncodeRsaPrivateKey;
    use serde_json::json;
    use std::sync::LazyLock;

    const NOW_S: i64 = 1_800_000_000;
    const NOW: Timestamp = Timestamp::from_seconds(NOW_S);

    static RSA: LazyLock<RsaKeyPair> = LazyLock::new(|| {
        let key = rsa::PrivateKey::new(&mut rand::rng(), 2048).unwrap();
        RsaKeyPair::from_der(key.to_pkcs1_der().unwrap().as_bytes()).unwrap()
    });
    static EC: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap()
    });

    fn config() -> Config {
        Config {
            id: "province".into(),
            name_zh: "省".into(),
            name_en: "province".into(),
            issuer: "https://sso.example".into(),
            client_id: "city".into(),
            client_secret: None,
            scopes: vec!["openid".into()],
            algorithms: SignedWith::ALL.to_vec(),
            link_claim: Some("job_number".into()),
            trusts_second_factor: vec!["mfa".into()],
        }
    }

    fn rsa_numbers() -> (Vec<u8>, Vec<u8>) {
        let parts: ring::rsa::PublicKeyComponents<Vec<u8>> = RSA.public().into();
        (parts.n, parts.e)
    }

    fn jwks() -> Value {
        let (n, e) = rsa_numbers();
        let point = EC.public_key().as_ref();
        json!({"keys": [
            {"kty": "RSA", "kid": "r", "use": "sig", "n": URL_SAFE_NO_PAD.encode([&[0], &n[..]].concat()), "e": URL_SAFE_NO_PAD.encode(e)},
            {"kty": "EC", "kid": "e", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..])},
            {"kty": "oct", "kid": "h", "k": "c2VjcmV0"},
            {"kty": "RSA", "kid": "for-encryption", "use": "enc", "n": "AQ", "e": "AQAB"},
        ]})
    }

    fn keys() -> OutsideKeys {
        OutsideKeys::parse("jwks", jwks().to_string().as_bytes(), &Limits::default()).unwrap()
    }

    fn claims() -> Value {
        json!({"iss": "https://sso.example", "aud": "city", "sub": "u-1", "iat": NOW_S, "exp": NOW_S + 300,
            "nonce": "n", "name": "王\u{7}敏", "job_number": "wang", "amr": ["pwd"]})
    }

    fn signed(header: &Value, claims: &Value) -> String {
        let text = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
        let input = format!("{}.{}", text(header), text(claims));
        let random = SystemRandom::new();
        let rsa = |how: &'static dyn ring::signature::RsaEncoding| {
            let mut signature = vec![0; RSA.public().modulus_len()];
            RSA.sign(how, &random, input.as_bytes(), &mut signature)
                .unwrap();
            signature
        };
        let signature = match header["alg"].as_str().unwrap_or_default() {
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "PS256" => rsa(&RSA_PSS_SHA256),
            "ES256" => EC
                .sign(&random, input.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            // The public key as the shared secret, which a checker that believes the header takes (RFC 8725 §2.1).
            "HS256" => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &rsa_numbers().0);
                ring::hmac::sign(&key, input.as_bytes()).as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn checked(token: &str) -> Result<OutsidePerson, Wrong> {
        check_id_token(&config(), &keys(), token, "n", &Limits::default(), NOW)
    }

    #[test]
    fn a_token_of_each_algorithm_is_taken_and_read() {
        for (alg, kid) in [("RS256", "r"), ("PS256", "r"), ("ES256", "e")] {
            for header in [json!({"alg": alg, "kid": kid}), json!({"alg": alg})] {
                let person = checked(&signed(&header, &claims())).unwrap();
                assert_eq!(person.subject, "u-1");
                assert_eq!(
                    (person.shown.as_str(), person.username.as_deref()),
                    ("王敏", Some("wang"))
                );
                assert!(!person.is_second_factor_trusted);
            }
        }
        for trusted in [json!({"amr": ["pwd", "mfa"]}), json!({"acr": "mfa"})] {
            let mut said = claims();
            for (name, value) in trusted.as_object().unwrap() {
                said[name] = value.clone();
            }
            assert!(
                checked(&signed(&json!({"alg": "ES256", "kid": "e"}), &said))
                    .unwrap()
                    .is_second_factor_trusted
            );
        }
    }

    #[test]
    fn a_forged_token_is_not_taken() {
        for (header, why) in [
            (json!({"alg": "none"}), Wrong::Algorithm),
            (json!({"alg": "NONE", "kid": "r"}), Wrong::Algorithm),
            (json!({"alg": "HS256", "kid": "r"}), Wrong::Algorithm),
            (json!({"alg": "RS384", "kid": "r"}), Wrong::Algorithm),
            (
                json!({"alg": "RS256", "kid": "r", "crit": ["b64"]}),
                Wrong::Algorithm,
            ),
            (json!({"alg": "RS256", "kid": "x"}), Wrong::KeyUnknown),
            (json!({"alg": "RS256", "kid": "e"}), Wrong::KeyUnknown),
            (
                json!({"alg": "RS256", "kid": "for-encryption"}),
                Wrong::KeyUnknown,
            ),
            (json!({"kid": "r"}), Wrong::Form),
        ] {
            assert_eq!(checked(&signed(&header, &claims())), Err(why), "{header}");
        }
        let header = json!({"alg": "RS256", "kid": "r"});
        let good = signed(&header, &claims());
        let (input, signature) = good.rsplit_once('.').unwrap();
        let mut other = claims();
        other["sub"] = json!("u-2");
        let other = signed(&header, &other);
        let swapped = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
        assert_eq!(checked(&swapped), Err(Wrong::Signature));
        assert_eq!(checked(&format!("{input}.")), Err(Wrong::Signature));
        for form in [
            "",
            "a",
            "a.b",
            "a.b.c",
            &format!("{good}.x"),
            &"a".repeat(20_000),
        ] {
            assert_eq!(checked(form), Err(Wrong::Form), "{form:.20}");
        }
        // What the settings do not name is not taken, however well it is signed.
        let only = Config {
            algorithms: vec![SignedWith::Es256],
            ..config()
        };
        let taken = check_id_token(&only, &keys(), &good, "n", &Limits::default(), NOW);
        assert_eq!(taken, Err(Wrong::Algorithm));
    }

    #[test]
    fn a_good_signature_is_not_enough() {
        let skew = Limits::default().clock_skew_s;
        for (name, value, why) in [
            ("iss", json!("https://sso.example/"), Some(Wrong::Issuer)),
            ("iss", Value::Null, Some(Wrong::Issuer)),
            ("aud", json!("other"), Some(Wrong::Audience)),
            ("aud", json!([]), Some(Wrong::Audience)),
            ("aud", json!(["city"]), None),
            ("aud", json!(["city", "other"]), Some(Wrong::Audience)),
            ("azp", json!("other"), Some(Wrong::Audience)),
            ("azp", json!("city"), None),
            ("exp", json!(NOW_S - skew), Some(Wrong::Expired)),
            ("exp", json!(NOW_S - skew + 1), None),
            ("exp", json!(1.8e9 + 0.5), None),
            ("exp", json!("soon"), Some(Wrong::Form)),
            ("exp", Value::Null, Some(Wrong::Form)),
            ("iat", json!(NOW_S + skew), None),
            ("iat", json!(NOW_S + skew + 1), Some(Wrong::NotYet)),
            ("iat", json!(NOW_S - 660), Some(Wrong::Expired)),
            ("nbf", json!(NOW_S + skew + 1), Some(Wrong::NotYet)),
            ("nonce", json!("m"), Some(Wrong::Nonce)),
            ("nonce", Value::Null, Some(Wrong::Nonce)),
            ("sub", json!(""), Some(Wrong::Subject)),
            ("sub", json!(7), Some(Wrong::Subject)),
            ("sub", json!("a\nb"), Some(Wrong::Subject)),
            ("sub", json!("a".repeat(256)), Some(Wrong::Subject)),
        ] {
            let mut said = claims();
            said[name] = value.clone();
            let taken = checked(&signed(&json!({"alg": "ES256", "kid": "e"}), &said));
            assert_eq!(taken.err(), why, "{name} {value}");
        }
        let mut both = claims();
        both["aud"] = json!(["city", "other"]);
        both["azp"] = json!("city");
        assert!(checked(&signed(&json!({"alg": "ES256"}), &both)).is_ok());
    }

    #[test]
    fn a_set_without_a_usable_key_is_none() {
        let parse = |text: &str| OutsideKeys::parse("jwks", text.as_bytes(), &Limits::default());
        assert_eq!(keys().len(), 2);
        for bad in [
            "",
            "{}",
            "{\"keys\":[]}",
            "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}",
        ] {
            assert_eq!(parse(bad).unwrap_err().code, "outside-keys", "{bad}");
        }
        let many = json!({"keys": vec![jwks()["keys"][0].clone(); 65]});
        assert!(
            parse(&many.to_string())
                .unwrap_err()
                .what
                .contains("65 keys")
        );
        // A key too short for a signature to mean anything verifies none.
        let short =
            json!({"keys": [{"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 64]), "e": "AQAB"}]});
        let short = parse(&short.to_string()).unwrap();
        let token = signed(&json!({"alg": "RS256"}), &claims());
        let taken = check_id_token(&config(), &short, &token, "n", &Limits::default(), NOW);
        assert_eq!(taken, Err(Wrong::Signature));
    }
}
