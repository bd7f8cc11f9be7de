//! Who may ask: a department's system as it is registered, and what makes a registration good.

use crate::secret;
use model::problem::quote;
use model::{Problem, Timestamp};
use records::oidc_clients::ClientRow;
use records::{Failure, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::{Host, Url};

/// The scopes there are, in the order in which they are told: what each lets a client know or do is in `docs/oidc.md`.
pub const SCOPES: [&str; 5] = [
    "openid",
    "profile",
    "organisation",
    "role",
    "offline_access",
];
/// Most addresses of one kind.
const ADDRESSES_MAX: usize = 20;
/// Longest address, bytes.
const ADDRESS_BYTES_MAX: usize = 1_024;
/// Longest name, characters.
const NAME_CHARS_MAX: usize = 128;

/// A way to come by tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grant {
    /// A person signs in, the client gets a code.
    #[serde(rename = "authorization_code")]
    Code,
    /// New tokens for old.
    #[serde(rename = "refresh_token")]
    Refresh,
    /// The client acts for itself.
    #[serde(rename = "client_credentials")]
    Credentials,
    /// A device without a browser (RFC 8628).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    Device,
}

impl Grant {
    /// Every grant.
    pub const ALL: [Self; 4] = [Self::Code, Self::Refresh, Self::Credentials, Self::Device];

    /// Its name in the protocol.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "authorization_code",
            Self::Refresh => "refresh_token",
            Self::Credentials => "client_credentials",
            Self::Device => "urn:ietf:params:oauth:grant-type:device_code",
        }
    }

    /// A grant by its name in the protocol; `device_code` is understood too.
    ///
    /// # Errors
    /// The names there are.
    pub fn parse(text: &str) -> std::result::Result<Self, Problem> {
        Self::ALL
            .into_iter()
            .find(|g| g.as_str() == text || (*g == Self::Device && text == "device_code"))
            .ok_or_else(|| {
                Problem::new(
                    "oidc-grant",
                    format!("\"{}\" is no grant", quote(text)),
                    "grants",
                    "use authorization_code, refresh_token, client_credentials or device_code",
                )
            })
    }
}

/// A client to register.
#[derive(Clone, Debug, Default)]
pub struct ClientDraft {
    /// What people call it.
    pub name: String,
    /// Whether it cannot keep a secret (a page, an app).
    pub is_public: bool,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<String>,
    /// Where they may be sent after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it is told that a session ended.
    pub backchannel_logout_uri: Option<String>,
    /// The grants it may use; the code when none is named.
    pub grants: Vec<String>,
    /// The scopes it may ask for; `openid` and `profile` when none is named.
    pub scopes: Vec<String>,
    /// Whether people are asked before it gets anything.
    pub asks_consent: bool,
}

/// What to change of a client; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct ClientChange {
    /// See [`ClientDraft::name`].
    pub name: Option<String>,
    /// See [`ClientDraft::redirect_uris`].
    pub redirect_uris: Option<Vec<String>>,
    /// See [`ClientDraft::post_logout_redirect_uris`].
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// See [`ClientDraft::backchannel_logout_uri`]; `Some(None)` takes it away.
    pub backchannel_logout_uri: Option<Option<String>>,
    /// See [`ClientDraft::grants`].
    pub grants: Option<Vec<String>>,
    /// See [`ClientDraft::scopes`].
    pub scopes: Option<Vec<String>>,
    /// See [`ClientDraft::asks_consent`].
    pub asks_consent: Option<bool>,
    /// Whether it is shut out for now.
    pub disabled: Option<bool>,
}

/// A registered client.
#[derive(Clone, Debug)]
pub struct Client {
    /// The row.
    pub row: ClientRow,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<String>,
    /// Where they may be sent after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// The grants it may use.
    pub grants: Vec<Grant>,
    /// The scopes it may ask for.
    pub scopes: Vec<String>,
}

impl Client {
    /// Reads a row.
    ///
    /// # Errors
    /// [`Failure::Internal`] when it does not read.
    pub fn of(row: ClientRow) -> Result<Self> {
        let list = |value: &serde_json::Value| -> Result<Vec<String>> {
            serde_json::from_value(value.clone()).map_err(Failure::internal)
        };
        Ok(Self {
            redirect_uris: list(&row.redirect_uris)?,
            post_logout_redirect_uris: list(&row.post_logout_redirect_uris)?,
            grants: serde_json::from_value(row.grants.clone()).map_err(Failure::internal)?,
            scopes: list(&row.scopes)?,
            row,
        })
    }

    /// Its `client_id`.
    pub fn id(&self) -> &str {
        &self.row.client_id
    }

    /// Whether it may use a grant.
    pub fn may(&self, grant: Grant) -> bool {
        self.grants.contains(&grant)
    }

    /// Whether a secret is its own.
    pub fn knows(&self, given: &str) -> bool {
        self.row
            .secret_hash
            .as_ref()
            .is_some_and(|hash| secret::same(&secret::hash(given), hash.expose()))
    }

    /// Whether people may be sent back to an address: the registered text, character by character.
    pub fn has_redirect(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|r| r == uri)
    }
}

/// Checks a draft and makes the row of it, without the secret.
///
/// # Errors
/// What is wrong with which part.
pub fn row_of(
    draft: &ClientDraft,
    client_id: String,
    created_by: &str,
    now: Timestamp,
) -> std::result::Result<ClientRow, Problem> {
    let mut grants = grants_of(&draft.grants)?;
    if grants.is_empty() {
        grants.push(Grant::Code);
    }
    let mut scopes = scopes_of(&draft.scopes)?;
    if scopes.is_empty() {
        scopes = vec!["openid".to_owned(), "profile".to_owned()];
    }
    let row = ClientRow {
        id: 0,
        client_id,
        name: name_of(&draft.name)?,
        is_public: draft.is_public,
        secret_hash: None,
        redirect_uris: json!(redirects_of(
            &draft.redirect_uris,
            "redirect_uris",
            draft.is_public
        )?),
        post_logout_redirect_uris: json!(redirects_of(
            &draft.post_logout_redirect_uris,
            "post_logout_redirect_uris",
            draft.is_public
        )?),
        backchannel_logout_uri: backchannel_of(draft.backchannel_logout_uri.as_deref())?,
        grants: json!(grants),
        scopes: json!(scopes),
        asks_consent: draft.asks_consent,
        disabled: false,
        created_at: now,
        created_by: created_by.to_owned(),
        secret_set_at: None,
    };
    check(&row, &grants, draft.redirect_uris.is_empty())?;
    Ok(row)
}

/// Puts a change into a row.
///
/// # Errors
/// What is wrong with which part.
pub fn apply(row: &mut ClientRow, change: &ClientChange) -> std::result::Result<(), Problem> {
    if let Some(name) = &change.name {
        row.name = name_of(name)?;
    }
    if let Some(uris) = &change.redirect_uris {
        row.redirect_uris = json!(redirects_of(uris, "redirect_uris", row.is_public)?);
    }
    if let Some(uris) = &change.post_logout_redirect_uris {
        row.post_logout_redirect_uris = json!(redirects_of(
            uris,
            "post_logout_redirect_uris",
            row.is_public
        )?);
    }
    if let Some(uri) = &change.backchannel_logout_uri {
        row.backchannel_logout_uri = backchannel_of(uri.as_deref())?;
    }
    if let Some(grants) = &change.grants {
        row.grants = json!(grants_of(grants)?);
    }
    if let Some(scopes) = &change.scopes {
        row.scopes = json!(scopes_of(scopes)?);
    }
    row.asks_consent = change.asks_consent.unwrap_or(row.asks_consent);
    row.disabled = change.disabled.unwrap_or(row.disabled);
    let grants: Vec<Grant> = serde_json::from_value(row.grants.clone()).unwrap_or_default();
    let has_none = row.redirect_uris.as_array().is_none_or(Vec::is_empty);
    check(row, &grants, has_none)
}

fn check(
    row: &ClientRow,
    grants: &[Grant],
    has_no_redirect: bool,
) -> std::result::Result<(), Problem> {
    if grants.contains(&Grant::Code) && has_no_redirect {
        return Err(Problem::new(
            "oidc-redirect-uri",
            "a client that uses authorization_code has no redirect_uri",
            "redirect_uris",
            "name at least one address where people are sent back to",
        ));
    }
    if row.is_public && grants.contains(&Grant::Credentials) {
        return Err(Problem::new(
            "oidc-grant",
            "a public client has no secret, so it cannot act for itself",
            "grants",
            "leave client_credentials out, or register it as confidential",
        ));
    }
    Ok(())
}

fn name_of(name: &str) -> std::result::Result<String, Problem> {
    let name = name.trim();
    let is_good =
        (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if is_good {
        return Ok(name.to_owned());
    }
    Err(Problem::new(
        "name",
        format!("\"{}\" is not a name", quote(name)),
        "name",
        format!("use 1 to {NAME_CHARS_MAX} characters, none of them control characters"),
    ))
}

fn grants_of(words: &[String]) -> std::result::Result<Vec<Grant>, Problem> {
    let mut grants = words
        .iter()
        .map(|w| Grant::parse(w))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    grants.sort_unstable();
    grants.dedup();
    Ok(grants)
}

fn scopes_of(words: &[String]) -> std::result::Result<Vec<String>, Problem> {
    if let Some(unknown) = words.iter().find(|w| !SCOPES.contains(&w.as_str())) {
        return Err(Problem::new(
            "oidc-scope",
            format!("\"{}\" is no scope", quote(unknown)),
            "scopes",
            format!("use {}", SCOPES.join(", ")),
        ));
    }
    Ok(SCOPES
        .iter()
        .filter(|s| words.iter().any(|w| w == *s))
        .map(|&s| s.to_owned())
        .collect())
}

fn redirects_of(
    uris: &[String],
    place: &str,
    is_public: bool,
) -> std::result::Result<Vec<String>, Problem> {
    if uris.len() > ADDRESSES_MAX {
        return Err(Problem::new(
            "oidc-redirect-uri",
            format!("{} addresses", uris.len()),
            place,
            format!("name {ADDRESSES_MAX} at most"),
        ));
    }
    for uri in uris {
        let url = address_of(uri, place)?;
        let is_good = match url.scheme() {
            "https" => true,
            // A program on the person's own machine (RFC 8252 §7.3), and tests.
            "http" => is_loopback(&url),
            // An app's own scheme: the reverse of a name that its maker owns (RFC 8252 §7.1).
            scheme => is_public && scheme.contains('.'),
        };
        if !is_good {
            return Err(Problem::new(
                "oidc-redirect-uri",
                format!("\"{}\" is not where people may be sent back to", quote(uri)),
                place,
                "use https; http only for 127.0.0.1, [::1] and localhost; a public client may use a scheme of its own with a dot in it",
            ));
        }
    }
    Ok(uris.to_vec())
}

fn backchannel_of(uri: Option<&str>) -> std::result::Result<Option<String>, Problem> {
    let Some(uri) = uri.filter(|u| !u.is_empty()) else {
        return Ok(None);
    };
    let url = address_of(uri, "backchannel_logout_uri")?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(Problem::new(
            "oidc-redirect-uri",
            format!("\"{}\" cannot be told that a session ended", quote(uri)),
            "backchannel_logout_uri",
            "use https; http is used only for networks of the setting oidc.logout_networks",
        ));
    }
    Ok(Some(uri.to_owned()))
}

fn address_of(uri: &str, place: &str) -> std::result::Result<Url, Problem> {
    let wrong = |what: &str| {
        Problem::new(
            "oidc-redirect-uri",
            format!("\"{}\" {what}", quote(uri)),
            place,
            "write a whole address without user name, fragment and *, as https://water.example.gov.cn/callback",
        )
    };
    if uri.len() > ADDRESS_BYTES_MAX {
        return Err(wrong("is too long"));
    }
    if !uri.is_ascii() || uri.contains(['*', '\\', ' ']) || uri.chars().any(char::is_control) {
        return Err(wrong("has a character that an address has not"));
    }
    let url = Url::parse(uri).map_err(|_| wrong("is no address"))?;
    let is_plain =
        url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if !is_plain || matches!(url.scheme(), "javascript" | "data" | "file" | "vbscript") {
        return Err(wrong("is no address for this"));
    }
    Ok(url)
}

/// Whether an address is this very machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(a)) => a.is_loopback(),
        Some(Host::Ipv6(a)) => a.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(draft: &ClientDraft) -> std::result::Result<ClientRow, Problem> {
        row_of(draft, "c".to_owned(), "test", Timestamp::from_seconds(0))
    }

    #[test]
    fn addresses_that_would_be_misused_are_refused() {
        let with = |uri: &str, is_public| {
            row(&ClientDraft {
                name: "水利".to_owned(),
                is_public,
                redirect_uris: vec![uri.to_owned()],
                ..ClientDraft::default()
            })
        };
        for good in [
            "https://water.example/cb",
            "https://water.example:8443/cb?x=1",
            "http://127.0.0.1:3000/cb",
            "http://[::1]/cb",
            "http://localhost/cb",
        ] {
            assert!(with(good, false).is_ok(), "{good}");
        }
        assert!(with("cn.gov.tianmen.water:/cb", true).is_ok());
        for bad in [
            "http://water.example/cb",
            "https://*.example/cb",
            "https://water.example/cb#x",
            "https://user@water.example/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "/cb",
            "water.example/cb",
            "https://water.example\\@evil.example/",
            "https://water.example/ cb",
            "cn.gov.tianmen.water:/cb",
            "",
        ] {
            assert!(with(bad, false).is_err(), "{bad}");
        }
        assert!(
            with("myapp:/cb", true).is_err(),
            "a scheme that anybody may claim"
        );
    }

    #[test]
    fn grants_and_scopes_are_those_there_are_and_fit_the_client() {
        let draft = ClientDraft {
            name: "x".to_owned(),
            grants: vec!["client_credentials".to_owned()],
            scopes: vec!["role".to_owned(), "openid".to_owned(), "role".to_owned()],
            ..ClientDraft::default()
        };
        let made = row(&draft).unwrap();
        assert_eq!(made.scopes, json!(["openid", "role"]));
        let public = ClientDraft {
            is_public: true,
            ..draft.clone()
        };
        assert_eq!(row(&public).unwrap_err().code, "oidc-grant");
        let scope = ClientDraft {
            scopes: vec!["admin".to_owned()],
            ..draft.clone()
        };
        assert_eq!(row(&scope).unwrap_err().code, "oidc-scope");
        let grant = ClientDraft {
            grants: vec!["implicit".to_owned()],
            ..draft
        };
        assert_eq!(row(&grant).unwrap_err().code, "oidc-grant");
        let bare = ClientDraft {
            name: "x".to_owned(),
            ..ClientDraft::default()
        };
        assert_eq!(row(&bare).unwrap_err().code, "oidc-redirect-uri");
    }
}
