//! What every answer tells the browser beside its content: what it may load, who may frame it, that it must not guess
//! types, keep data or come back without TLS. A handler that says something of these itself is left its word.

use crate::proxies::OnBehalf;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Whether a request came in over our own TLS (传输层安全). Put into the request by the listener that speaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverTls;

/// Whether the browser speaks HTTPS with us, and so may be told to keep to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsHttps(pub bool);

impl<S: Send + Sync> FromRequestParts<S> for IsHttps {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.extensions))
    }
}

impl IsHttps {
    /// As a named proxy says, else as the connection is.
    fn of(extensions: &Extensions) -> Self {
        let said = extensions.get::<OnBehalf>().and_then(|one| one.is_https);
        Self(said.unwrap_or_else(|| extensions.get::<OverTls>().is_some()))
    }
}

/// What is said of answers.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a browser keeps to HTTPS once it came over it, seconds (HSTS, RFC 6797); 0 says nothing of it.
    pub hsts_seconds: u32,
    /// Whether people always come over HTTPS, by a proxy in front of us.
    pub is_behind_https: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            // A year: what the list of browsers' makers asks at least.
            hsts_seconds: 31_536_000,
            is_behind_https: false,
        }
    }
}

/// Data is nobody's to show: not to load with, not to frame.
const DATA_POLICY: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// What no page of ours uses. The field worker's page asks where the phone is, takes photos and records voice notes.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), bluetooth=(), camera=(self), display-capture=(), geolocation=(self), \
     gyroscope=(), hid=(), magnetometer=(), microphone=(self), midi=(), payment=(), publickey-credentials-get=(self), serial=(), usb=()";

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Adds what is not said yet.
pub async fn add(options: Options, request: Request, next: Next) -> Response {
    let is_https = options.is_behind_https || IsHttps::of(request.extensions()).0;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, DATA_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (PERMISSIONS_POLICY, PERMISSIONS),
        (OPENER_POLICY, "same-origin"),
        (RESOURCE_POLICY, "same-origin"),
    ] {
        unless_said(headers, name, HeaderValue::from_static(value));
    }
    if is_https
        && options.hsts_seconds > 0
        && let Ok(value) = HeaderValue::from_str(&format!("max-age={}", options.hsts_seconds))
    {
        unless_said(headers, header::STRICT_TRANSPORT_SECURITY, value);
    }
    response
}

fn unless_said(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}

/// Whether a cookie for this request is for HTTPS only.
pub fn is_secure(options: &crate::Options, IsHttps(is_https): IsHttps) -> bool {
    is_https || options.cookie_secure
}
