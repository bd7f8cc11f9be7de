//! How a request of the protocol fails: the error's name in the standards, its HTTP status, and a sentence for the
//! developer at the other end. What a person sees is a [`model::Told`] instead.

use records::Failure;

/// An error in the protocol's own words (RFC 6749 §5.2, RFC 8628 §3.5, RFC 6750 §3.1).
#[derive(Debug)]
pub struct Fault {
    /// The standards' word: `invalid_grant`, `slow_down`, …
    pub error: &'static str,
    /// What is wrong and what mends it: plain ASCII, as the standards ask.
    pub description: String,
    /// HTTP status: 400, 401, 403, 429, or 500 and above when the platform is at fault.
    pub status: u16,
    /// Seconds to wait, for 429.
    pub retry_after_s: Option<u64>,
    /// Why the platform failed, when it did: for the door, which knows what to answer and what to write to the log.
    pub failure: Option<Box<Failure>>,
}

/// What every operation of the protocol answers with.
pub type Answer<T> = Result<T, Fault>;

impl Fault {
    /// An error with its status.
    pub fn new(error: &'static str, status: u16, description: impl Into<String>) -> Self {
        let description: String = description.into();
        Self {
            error,
            // RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E.
            description: description
                .chars()
                .map(|c| match c {
                    '"' | '\\' => '\'',
                    ' '..='~' => c,
                    _ => '?',
                })
                .take(500)
                .collect(),
            status,
            retry_after_s: None,
            failure: None,
        }
    }
    /// 400 `invalid_request`.
    pub fn request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", 400, description)
    }
    /// 400 `invalid_grant`: the code or token does not do, whatever the reason.
    pub fn grant(description: impl Into<String>) -> Self {
        Self::new("invalid_grant", 400, description)
    }
    /// 401 `invalid_client`.
    pub fn client(description: impl Into<String>) -> Self {
        Self::new("invalid_client", 401, description)
    }
    /// 400 `invalid_scope`.
    pub fn scope(description: impl Into<String>) -> Self {
        Self::new("invalid_scope", 400, description)
    }
    /// 400 `unauthorized_client`: the client may not use this grant.
    pub fn unauthorised(description: impl Into<String>) -> Self {
        Self::new("unauthorized_client", 400, description)
    }
    /// 401 `invalid_token` (RFC 6750).
    pub fn token(description: impl Into<String>) -> Self {
        Self::new("invalid_token", 401, description)
    }
    /// 429: too often.
    pub fn too_often(retry_after_s: u64) -> Self {
        Self {
            retry_after_s: Some(retry_after_s.max(1)),
            ..Self::new(
                "temporarily_unavailable",
                429,
                format!("too many requests; wait {retry_after_s} seconds"),
            )
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self {
            failure: Some(Box::new(failure)),
            ..Self::new("server_error", 500, "the platform failed; try again")
        }
    }
}
