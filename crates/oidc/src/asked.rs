//! A request to sign in, understood: whose it is, where the answer goes, what is wanted. Before client and address are
//! known to belong together nothing is sent anywhere: the person sees an error page. After that every error goes to the
//! client's own address.

use crate::client::{Client, Grant};
use crate::fault::{Answer, Fault};
use crate::form::{Form, with_query};
use crate::pkce;
use model::problem::{both, quote};
use model::{Timestamp, Told};

/// Longest `state` and `nonce`, bytes.
const ECHO_BYTES_MAX: usize = 2_048;

/// A request to sign in.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who asks.
    pub client: Client,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// What is wanted, in the order of [`crate::client::SCOPES`].
    pub scopes: Vec<String>,
    /// What the client wants back as it is.
    pub state: String,
    /// What the client wants to see in the ID token.
    pub nonce: Option<String>,
    /// The PKCE challenge.
    pub challenge: String,
    /// Nobody may be asked anything.
    pub is_silent: bool,
    /// The person must sign in anew.
    pub signs_in_anew: bool,
    /// The person must be asked for consent.
    pub asks_consent: bool,
    /// The person must have signed in this recently, seconds.
    pub max_age_s: Option<i64>,
}

/// Why a request is not understood.
#[derive(Debug)]
pub enum Unfit {
    /// For the person to see: nothing may be sent to the client.
    Page(Told),
    /// The error at the client's own address.
    Redirect(String),
}

/// The scopes of a request, in the order in which they are told.
///
/// # Errors
/// `invalid_scope`, which names the one that is unknown or not the client's.
pub fn scopes(text: &str, client: &Client) -> Answer<Vec<String>> {
    if let Some(other) = text
        .split(' ')
        .find(|s| !s.is_empty() && !client.scopes.iter().any(|c| c == s))
    {
        return Err(Fault::scope(format!(
            "the scope {} is unknown or not this client's",
            quote(other)
        )));
    }
    Ok(client
        .scopes
        .iter()
        .filter(|s| text.split(' ').any(|t| t == *s))
        .cloned()
        .collect())
}

/// The request's own part of what an error page says.
pub fn page(code: &str, zh: &str, en: &str) -> Told {
    Told::new(
        code,
        both(zh, en),
        both("登录请求", "the request to sign in"),
        both(
            "请回到原来的系统重新登录；如果仍然如此，请把这一页告诉该系统的管理员",
            "go back to the system that you came from and sign in again; if it stays, show this page to who runs that system",
        ),
    )
}

/// An error at the client's address.
pub fn error_address(redirect_uri: &str, state: &str, issuer: &str, fault: &Fault) -> String {
    with_query(
        redirect_uri,
        &[
            ("error", fault.error),
            ("error_description", &fault.description),
            ("state", state),
            ("iss", issuer),
        ],
    )
}

/// Understands a request. `client` is the one that the request names, when there is one that is not shut out.
///
/// # Errors
/// What is to be shown or where to.
pub fn understand(form: &Form, client: Option<Client>, issuer: &str) -> Result<Asked, Unfit> {
    let Some(client) = client else {
        return Err(Unfit::Page(page(
            "oidc-client",
            "要求登录的系统没有在这里登记，或者已被停用",
            "the system that asks you to sign in is not registered here, or is shut out",
        )));
    };
    let redirect_uri = match form.get("redirect_uri") {
        Some(uri) if client.has_redirect(uri) => uri.to_owned(),
        _ => {
            return Err(Unfit::Page(page(
                "oidc-redirect-uri",
                "要求登录的系统给出的返回地址没有登记，为了安全没有把你送过去",
                "the address to which the system wants you sent back is not registered; for your safety you were not sent there",
            )));
        }
    };
    let state = form.get("state").unwrap_or_default();
    let state = if state.len() > ECHO_BYTES_MAX {
        ""
    } else {
        state
    };
    want(form, client, &redirect_uri, state)
        .map_err(|fault| Unfit::Redirect(error_address(&redirect_uri, state, issuer, &fault)))
}

fn want(form: &Form, client: Client, redirect_uri: &str, state: &str) -> Answer<Asked> {
    if form.get("state").is_some_and(|s| s.len() > ECHO_BYTES_MAX) {
        return Err(Fault::request(format!(
            "state is longer than {ECHO_BYTES_MAX} bytes"
        )));
    }
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if form.get(name).is_some() {
            return Err(Fault::new(error, 400, format!("{name} is not supported")));
        }
    }
    if form.need("response_type")? != "code" {
        return Err(Fault::new(
            "unsupported_response_type",
            400,
            "response_type must be code",
        ));
    }
    if form
        .get("response_mode")
        .is_some_and(|mode| mode != "query")
    {
        return Err(Fault::request("response_mode must be query"));
    }
    if !client.may(Grant::Code) {
        return Err(Fault::unauthorised(
            "this client may not use authorization_code",
        ));
    }
    let challenge = pkce::challenge(
        form.get("code_challenge"),
        form.get("code_challenge_method"),
    )?;
    let scopes = scopes(form.get("scope").unwrap_or_default(), &client)?;
    if scopes.is_empty() {
        return Err(Fault::scope("scope is missing: ask for openid"));
    }
    let nonce = form.get("nonce").map(str::to_owned);
    if nonce.as_ref().is_some_and(|n| n.len() > ECHO_BYTES_MAX) {
        return Err(Fault::request(format!(
            "nonce is longer than {ECHO_BYTES_MAX} bytes"
        )));
    }
    let prompts: Vec<&str> = form
        .get("prompt")
        .unwrap_or_default()
        .split(' ')
        .filter(|p| !p.is_empty())
        .collect();
    if let Some(other) = prompts
        .iter()
        .find(|p| !["none", "login", "consent", "select_account"].contains(p))
    {
        return Err(Fault::request(format!(
            "prompt {} is unknown",
            quote(other)
        )));
    }
    let is_silent = prompts.contains(&"none");
    if is_silent && prompts.len() > 1 {
        return Err(Fault::request("prompt none stands alone"));
    }
    let max_age_s = form
        .get("max_age")
        .map(|text| text.parse::<u32>().map(i64::from))
        .transpose()
        .map_err(|_| Fault::request("max_age is no number of seconds"))?;
    Ok(Asked {
        redirect_uri: redirect_uri.to_owned(),
        scopes,
        state: state.to_owned(),
        nonce,
        challenge,
        is_silent,
        signs_in_anew: prompts.contains(&"login") || prompts.contains(&"select_account"),
        asks_consent: prompts.contains(&"consent"),
        max_age_s,
        client,
    })
}

impl Asked {
    /// Whether the person must sign in anew; `asked_at` is when the request came.
    pub fn wants_sign_in(&self, auth_time: Timestamp, asked_at: Timestamp) -> bool {
        (self.signs_in_anew && auth_time < asked_at)
            || self
                .max_age_s
                .is_some_and(|s| auth_time.plus_seconds(s) < asked_at)
    }
}
