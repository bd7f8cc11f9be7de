//! Jingling as a client of an outside OpenID Connect provider, such as the province's sign-in (省统一身份认证): which provider
//! it is, what its description must say (Discovery 1.0), where the browser is sent (the authorisation code with PKCE,
//! RFC 7636), what is sent for the code, and what the answer at the end must hold (RFC 9207). What the ID token must be is in
//! [`crate::outside_token`]. No HTTP here: documents come as bytes, times as arguments.

use crate::outside_token::SignedWith;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::problem::quote;
use model::{Problem, Told};
use records::Secret;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

/// Longest id of a provider, characters.
const ID_CHARS_MAX: usize = 32;

/// A provider that people may sign in with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its id here, part of the address that it sends people back to: small letters, digits and `-`.
    pub id: String,
    /// What people call it, in Chinese.
    pub name_zh: String,
    /// The same in English.
    pub name_en: String,
    /// Its issuer, character by character as it writes it.
    pub issuer: String,
    /// What this city is called there.
    pub client_id: String,
    /// The secret that it gave the city; none for a client that has none.
    pub client_secret: Option<Secret>,
    /// What is asked for; `openid` among it.
    pub scopes: Vec<String>,
    /// How its ID tokens may be signed.
    pub algorithms: Vec<SignedWith>,
    /// A claim whose value is the username here; an identity that nobody linked is linked by it.
    pub link_claim: Option<String>,
    /// Values of `acr` or `amr` that stand in for the second factor here.
    pub trusts_second_factor: Vec<String>,
}

/// The limits of signing in with an outside provider.
#[derive(Clone, Debug)]
pub struct Limits {
    /// What the clocks may differ by, seconds.
    pub clock_skew_s: i64,
    /// Oldest ID token that is taken, seconds since it was given.
    pub id_token_age_s_max: i64,
    /// Longest ID token, bytes.
    pub id_token_bytes_max: usize,
    /// Longest subject, bytes (OpenID Connect Core §2).
    pub subject_bytes_max: usize,
    /// Largest description, and largest answer of the token endpoint, bytes.
    pub document_bytes_max: usize,
    /// Largest set of keys, bytes.
    pub keys_bytes_max: usize,
    /// Most keys of a set.
    pub keys_max: usize,
    /// Longest time for one question to the provider, seconds.
    pub ask_s_max: u64,
    /// How long a description and keys are kept, seconds.
    pub kept_s: i64,
    /// Keys are fetched anew for one that is not known, but not sooner than this, seconds.
    pub keys_again_s: i64,
    /// How long a provider that did not answer is not asked again, seconds.
    pub failed_s: i64,
    /// Longest address to go back to, bytes.
    pub return_to_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clock_skew_s: 60,
            id_token_age_s_max: 600,
            id_token_bytes_max: 16 * 1024,
            subject_bytes_max: 255,
            document_bytes_max: 128 * 1024,
            keys_bytes_max: 256 * 1024,
            keys_max: 64,
            ask_s_max: 5,
            kept_s: 3_600,
            keys_again_s: 60,
            failed_s: 10,
            return_to_bytes_max: 8 * 1024,
        }
    }
}

fn wrong(id: &str, key: &str, what: impl Into<String>, mend: &str) -> Problem {
    let place = format!("sign_in.provider \"{}\", {key}", quote(id));
    Problem::new("outside-provider", what, place, mend)
}

impl Config {
    /// Looks whether the settings make sense.
    ///
    /// # Errors
    /// The first thing that does not, with its key.
    pub fn check(&self) -> Result<(), Problem> {
        let is_id = (1..=ID_CHARS_MAX).contains(&self.id.len())
            && self
                .id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !is_id {
            let what = format!("\"{}\" is no id", quote(&self.id));
            let mend = "write 1 to 32 small letters, digits and -, such as province";
            return Err(wrong(&self.id, "id", what, mend));
        }
        for (key, text) in [
            ("name_zh", &self.name_zh),
            ("name_en", &self.name_en),
            ("client_id", &self.client_id),
        ] {
            if text.trim().is_empty() || text.chars().any(char::is_control) {
                return Err(wrong(&self.id, key, "it is empty", "write it"));
            }
        }
        if endpoint(&self.issuer).is_none() || self.issuer.contains('?') {
            return Err(wrong(
                &self.id,
                "issuer",
                format!("\"{}\" is no issuer", quote(&self.issuer)),
                "copy it from the provider's description, character by character; https, without query (http inside alone)",
            ));
        }
        if !self.scopes.iter().any(|scope| scope == "openid")
            || self.scopes.iter().any(|s| s.is_empty() || s.contains(' '))
        {
            return Err(wrong(
                &self.id,
                "scopes",
                "openid is missing, or one is empty or has a space",
                "write them as [\"openid\", \"profile\"]",
            ));
        }
        if self.algorithms.is_empty() {
            return Err(wrong(
                &self.id,
                "algorithms",
                "there is none",
                "name one of RS256, PS256 and ES256",
            ));
        }
        Ok(())
    }

    /// Where its description is (Discovery 1.0 §4).
    pub fn description_url(&self) -> String {
        let issuer = self.issuer.trim_end_matches('/');
        format!("{issuer}/.well-known/openid-configuration")
    }

    /// Where it sends people back to, for a city under `origin`.
    pub fn redirect_uri(&self, origin: &str) -> String {
        format!("{origin}/api/v1/session/outside/{}/callback", self.id)
    }
}

/// An address of a provider: of https, or of http, which is only ever spoken with what is inside and allowed.
fn endpoint(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_good = matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    is_good.then_some(url)
}

#[derive(Deserialize)]
struct Written {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    response_types_supported: Vec<String>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// How the city shows the provider that it is who it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ShownBy {
    Basic,
    Post,
    Nothing,
}

/// What a provider says of itself.
#[derive(Clone, Debug)]
pub struct Description {
    authorization: Url,
    token: Url,
    keys: Url,
    shown_by: ShownBy,
    names_issuer: bool,
}

/// What is posted to the token endpoint.
#[derive(Debug)]
pub struct CodeRequest {
    /// The body, of a form.
    pub body: String,
    /// `Authorization`, when the city shows itself there.
    pub authorization: Option<String>,
}

impl Description {
    /// Reads a description and asks that it is this provider's and can what is needed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(config: &Config, text: &[u8]) -> Result<Self, Problem> {
        let bad = |what: String, mend: &str| {
            Problem::new("outside-description", what, config.description_url(), mend)
        };
        let ask = "ask those who run the provider";
        let written: Written = serde_json::from_slice(text).map_err(|e| {
            bad(
                format!("it does not read: {e}"),
                "look whether issuer is right",
            )
        })?;
        if written.issuer != config.issuer {
            return Err(bad(
                format!(
                    "it is of the issuer \"{}\", not of \"{}\"",
                    quote(&written.issuer),
                    quote(&config.issuer)
                ),
                "write issuer as the description has it, character by character, if that is the provider meant",
            ));
        }
        // Who speaks https keeps to it: what the description names must not be spoken in the clear.
        let is_https = config.issuer.starts_with("https://");
        let address = |key: &str, text: &str| {
            endpoint(text)
                .filter(|url| url.scheme() == "https" || !is_https)
                .ok_or_else(|| {
                    bad(
                        format!("{key} \"{}\" is no address of https", quote(text)),
                        ask,
                    )
                })
        };
        let has = |list: &[String], word: &str| list.iter().any(|one| one == word);
        if !has(&written.response_types_supported, "code") {
            return Err(bad("it has no response type \"code\"".to_owned(), ask));
        }
        let methods = written.code_challenge_methods_supported;
        if methods.is_some_and(|methods| !has(&methods, "S256")) {
            return Err(bad("it has PKCE, but not with S256".to_owned(), ask));
        }
        let signs = written.id_token_signing_alg_values_supported;
        let known = |a: &&SignedWith| has(&signs, a.as_str());
        if !signs.is_empty() && config.algorithms.iter().find(known).is_none() {
            return Err(bad(
                format!("it signs with {} alone", quote(&signs.join(", "))),
                "set algorithms to one of these that is known here: RS256, PS256, ES256",
            ));
        }
        let shown_by = match (
            &config.client_secret,
            &written.token_endpoint_auth_methods_supported,
        ) {
            (None, _) => ShownBy::Nothing,
            // Without a word of it, Basic holds (Discovery 1.0 §3).
            (Some(_), None) => ShownBy::Basic,
            (Some(_), Some(list)) if has(list, "client_secret_basic") => ShownBy::Basic,
            (Some(_), Some(list)) if has(list, "client_secret_post") => ShownBy::Post,
            (Some(_), Some(list)) => {
                return Err(bad(
                    format!(
                        "it takes no client_secret, only {}",
                        quote(&list.join(", "))
                    ),
                    ask,
                ));
            }
        };
        Ok(Self {
            authorization: address("authorization_endpoint", &written.authorization_endpoint)?,
            token: address("token_endpoint", &written.token_endpoint)?,
            keys: address("jwks_uri", &written.jwks_uri)?,
            shown_by,
            names_issuer: written.authorization_response_iss_parameter_supported,
        })
    }

    /// Where the code is redeemed.
    pub const fn token_endpoint(&self) -> &Url {
        &self.token
    }

    /// Where the keys are.
    pub const fn keys_url(&self) -> &Url {
        &self.keys
    }

    /// Where the browser is sent.
    pub fn authorization_url(
        &self,
        config: &Config,
        redirect_uri: &str,
        (state, nonce, verifier): (&str, &str, &str),
    ) -> String {
        let mut url = self.authorization.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &config.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &config.scopes.join(" "))
            .append_pair("state", state)
            .append_pair("nonce", nonce)
            .append_pair("code_challenge", &challenge_of(verifier))
            .append_pair("code_challenge_method", "S256");
        url.into()
    }

    /// What is posted to redeem a code (RFC 6749 §4.1.3, §2.3.1).
    pub fn code_request(
        &self,
        config: &Config,
        redirect_uri: &str,
        code: &str,
        verifier: &str,
    ) -> CodeRequest {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("code_verifier", verifier);
        let secret = config.client_secret.as_ref().map(Secret::expose);
        let mut authorization = None;
        match (self.shown_by, secret) {
            (ShownBy::Basic, Some(secret)) => {
                let escaped = |text: &str| -> String {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect()
                };
                let pair = format!("{}:{}", escaped(&config.client_id), escaped(secret));
                authorization = Some(format!("Basic {}", STANDARD.encode(pair)));
            }
            (_, secret) => {
                form.append_pair("client_id", &config.client_id);
                if let Some(secret) = secret {
                    form.append_pair("client_secret", secret);
                }
            }
        }
        CodeRequest {
            body: form.finish(),
            authorization,
        }
    }

    /// Whether an answer that names `given` as its issuer is this provider's (RFC 9207 §2.4): one that says it does so must,
    /// and no other may be named.
    pub fn is_answer_of(&self, config: &Config, given: Option<&str>) -> bool {
        match given {
            Some(issuer) => issuer == config.issuer,
            None => !self.names_issuer,
        }
    }
}

/// BASE64URL(SHA256(verifier)) (RFC 7636 §4.2).
pub fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// A page of this city that a browser may be sent back to, as it was given; `None` for an address of another (开放重定向).
pub fn own_page(text: &str, bytes_max: usize) -> Option<String> {
    let bytes = text.as_bytes();
    // Browsers read a backslash as a slash, and pass over control characters.
    let is_plain = bytes.len() <= bytes_max
        && bytes.first() == Some(&b'/')
        && bytes.get(1) != Some(&b'/')
        && bytes
            .iter()
            .all(|b| (0x21..0x7f).contains(b) && *b != b'\\');
    if !is_plain {
        return None;
    }
    let here = Url::parse("https://here.invalid/").ok()?;
    let found = here.join(text).ok()?;
    let is_page = found.origin() == here.origin()
        && !["/api/", "/oauth2/"]
            .iter()
            .any(|p| found.path().starts_with(p));
    is_page.then(|| text.to_owned())
}

/// What a page says of an answer that is not taken; why, only the log says.
pub fn not_taken(config: &Config) -> Told {
    Told::new(
        "outside-answer",
        model::problem::both(
            format!("{}的认证结果无效，没有登录", config.name_zh),
            format!(
                "the answer of {} is not good; nobody is signed in",
                config.name_en
            ),
        ),
        "session",
        model::problem::both(
            "请重新登录；如果仍然不行，请告诉管理员",
            "sign in again; if it stays so, tell an administrator",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn config() -> Config {
        Config {
            id: "province".into(),
            name_zh: "省统一身份认证".into(),
            name_en: "the province".into(),
            issuer: "https://sso.example.gov.cn/oidc".into(),
            client_id: "city:1".into(),
            client_secret: Some(Secret::new("s&/ ü".into())),
            scopes: vec!["openid".into(), "profile".into()],
            algorithms: SignedWith::ALL.to_vec(),
            link_claim: None,
            trusts_second_factor: Vec::new(),
        }
    }

    fn document(change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut value = json!({
            "issuer": "https://sso.example.gov.cn/oidc",
            "authorization_endpoint": "https://sso.example.gov.cn/auth?realm=1",
            "token_endpoint": "https://sso.example.gov.cn/token",
            "jwks_uri": "https://sso.example.gov.cn/jwks",
            "response_types_supported": ["code"],
        });
        change(&mut value);
        value.to_string().into_bytes()
    }

    #[test]
    fn a_description_that_is_anothers_or_lacks_something_is_refused() {
        let config = config();
        assert!(Description::parse(&config, &document(|_| {})).is_ok());
        for (key, value) in [
            ("issuer", json!("https://sso.example.gov.cn/oidc/")),
            ("issuer", json!("https://evil.example")),
            (
                "authorization_endpoint",
                json!("http://sso.example.gov.cn/auth"),
            ),
            ("token_endpoint", json!("file:///etc/passwd")),
            ("jwks_uri", json!("https://a@sso.example.gov.cn/jwks")),
            ("jwks_uri", Value::Null),
            ("response_types_supported", json!(["id_token"])),
            ("code_challenge_methods_supported", json!(["plain"])),
            (
                "id_token_signing_alg_values_supported",
                json!(["HS256", "none"]),
            ),
            (
                "token_endpoint_auth_methods_supported",
                json!(["private_key_jwt"]),
            ),
        ] {
            let text = document(|d| d[key] = value.clone());
            let problem = Description::parse(&config, &text).unwrap_err();
            assert_eq!(problem.code, "outside-description", "{key} {value}");
        }
        assert!(Description::parse(&config, b"<html>").is_err());
    }

    #[test]
    fn the_browser_and_the_code_are_sent_as_the_standards_say() {
        let config = config();
        let found = Description::parse(&config, &document(|_| {})).unwrap();
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let to = found.authorization_url(&config, "https://c.example/cb", ("s", "n", verifier));
        assert!(to.starts_with("https://sso.example.gov.cn/auth?realm=1&response_type=code&"));
        // RFC 7636 appendix B.
        assert!(to.contains(
            "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        ));
        assert!(to.contains("scope=openid+profile&state=s&nonce=n"));
        let asked = found.code_request(&config, "https://c.example/cb", "c", verifier);
        let basic = asked.authorization.unwrap();
        let pair = STANDARD
            .decode(basic.strip_prefix("Basic ").unwrap())
            .unwrap();
        assert_eq!(pair, b"city%3A1:s%26%2F+%C3%BC");
        assert!(!asked.body.contains("client_"));
        let post = document(|d| {
            d["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"])
        });
        let post = Description::parse(&config, &post).unwrap();
        let asked = post.code_request(&config, "https://c.example/cb", "c", verifier);
        assert!(asked.authorization.is_none() && asked.body.contains("client_secret=s%26"));
        let open = Config {
            client_secret: None,
            ..config
        };
        let asked = Description::parse(&open, &document(|_| {}))
            .unwrap()
            .code_request(&open, "r", "c", "v");
        assert!(asked.body.ends_with("&client_id=city%3A1") && asked.authorization.is_none());
    }

    #[test]
    fn an_answer_that_names_another_issuer_or_none_is_not_taken() {
        let config = config();
        let silent = Description::parse(&config, &document(|_| {})).unwrap();
        let names = document(|d| d["authorization_response_iss_parameter_supported"] = json!(true));
        let names = Description::parse(&config, &names).unwrap();
        let own = Some(config.issuer.as_str());
        assert!(silent.is_answer_of(&config, None) && silent.is_answer_of(&config, own));
        assert!(names.is_answer_of(&config, own) && !names.is_answer_of(&config, None));
        for found in [silent, names] {
            assert!(!found.is_answer_of(&config, Some("https://evil.example")));
        }
    }

    #[test]
    fn nobody_is_sent_back_to_another_site() {
        for own in [
            "/",
            "/cases?status=open#top",
            "/oidc/authorize?redirect_uri=https%3A%2F%2Fx.example",
        ] {
            assert_eq!(own_page(own, 100).as_deref(), Some(own));
        }
        for other in [
            "",
            "cases",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/ /evil",
            "javascript:alert(1)",
            "/..//evil.example/%00\r\nx: y",
            "/api/v1/session",
            "/a/../api/v1/session",
            "/oauth2/logout",
            "/数",
        ] {
            assert_eq!(own_page(other, 100), None, "{other:?}");
        }
        assert_eq!(own_page(&format!("/{}", "a".repeat(100)), 100), None);
    }

    #[test]
    fn settings_that_make_no_sense_are_told_with_their_key() {
        assert_eq!(config().check(), Ok(()));
        for (key, bad) in [
            (
                "id",
                Config {
                    id: "Province/1".into(),
                    ..config()
                },
            ),
            (
                "name_zh",
                Config {
                    name_zh: " ".into(),
                    ..config()
                },
            ),
            (
                "client_id",
                Config {
                    client_id: String::new(),
                    ..config()
                },
            ),
            (
                "issuer",
                Config {
                    issuer: "sso.example".into(),
                    ..config()
                },
            ),
            (
                "issuer",
                Config {
                    issuer: "https://sso.example/?a=1".into(),
                    ..config()
                },
            ),
            (
                "scopes",
                Config {
                    scopes: vec!["profile".into()],
                    ..config()
                },
            ),
            (
                "algorithms",
                Config {
                    algorithms: Vec::new(),
                    ..config()
                },
            ),
        ] {
            assert!(bad.check().unwrap_err().place.ends_with(key), "{key}");
        }
    }
}
