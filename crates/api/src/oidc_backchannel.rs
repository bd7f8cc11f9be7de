//! Tells systems that a session ended (Back-Channel Logout 1.0): one POST to an address that somebody registered. The name
//! is looked up here, every address that it gives is judged, and the connection goes to that address and no other, so that
//! nobody can make the platform speak with what is inside; no redirect is followed, and nothing of the answer is used but
//! its status.

use crate::app::App;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use oidc::Notice;
use oidc::address::{Network, is_outside, may_reach};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use url::Url;

/// Longest time for one notice.
const TIME_MAX: Duration = Duration::from_secs(5);
/// How often it is asked whether somebody is to be told again.
const EVERY: Duration = Duration::from_secs(5);

/// Where notices may go and whom they believe.
pub struct Outgoing {
    /// Networks that may be reached though they are inside.
    pub allowed: Vec<Network>,
    /// Speaks TLS.
    pub tls: tokio_rustls::TlsConnector,
}

impl Outgoing {
    /// Reads the authorities that are believed from a PEM file; without one no address of https can be told.
    pub fn new(allowed: Vec<Network>, authorities: &Path) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        match CertificateDer::pem_file_iter(authorities) {
            Ok(found) => {
                roots.add_parsable_certificates(found.filter_map(Result::ok));
            }
            Err(error) => {
                tracing::warn!(file = %authorities.display(), %error, "no authorities: systems with https cannot be told of ended sessions");
            }
        }
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::ring::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .map(|config| config.with_root_certificates(roots).with_no_client_auth());
        let config = config.unwrap_or_else(|_| {
            rustls::ClientConfig::builder()
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth()
        });
        Self {
            allowed,
            tls: tokio_rustls::TlsConnector::from(Arc::new(config)),
        }
    }
}

/// Tells who is to be told, for as long as the city runs.
pub async fn run(app: Arc<App>, outgoing: Outgoing) {
    loop {
        // Woken by whoever ends a session; the clock is for those that could not be told at once.
        let _ = tokio::time::timeout(EVERY, app.oidc.wake.notified()).await;
        if let Err(failure) = round(&app, &outgoing).await {
            tracing::error!(%failure, "systems could not be told of ended sessions");
        }
    }
}

async fn round(app: &App, outgoing: &Outgoing) -> records::Result<()> {
    let provider = &app.oidc.provider;
    for notice in provider.notices(app.now()).await? {
        let told = match tokio::time::timeout(TIME_MAX, tell(&notice, outgoing)).await {
            Ok(told) => told,
            Err(_) => Err("it took too long".to_owned()),
        };
        let given_up = provider.noticed(&notice, told.is_ok(), app.now()).await?;
        if let Err(why) = told {
            tracing::warn!(
                client = notice.client_id,
                why,
                given_up,
                "a system was not told that a session ended"
            );
        }
    }
    Ok(())
}

async fn tell(notice: &Notice, outgoing: &Outgoing) -> Result<(), String> {
    let url = Url::parse(&notice.uri).map_err(|_| "it has no address to be told at".to_owned())?;
    let host = url.host_str().ok_or("the address has no host")?;
    let port = url
        .port_or_known_default()
        .ok_or("the address has no port")?;
    // An IPv6 address stands in brackets.
    let bare = host.trim_matches(['[', ']']);
    let found: Vec<SocketAddr> = tokio::net::lookup_host((bare, port))
        .await
        .map_err(|e| format!("{host}: {e}"))?
        .collect();
    let address = judged(&found, url.scheme() == "https", &outgoing.allowed)?;
    let stream = TcpStream::connect(address)
        .await
        .map_err(|e| format!("{address}: {e}"))?;
    if url.scheme() == "https" {
        let name = ServerName::try_from(bare.to_owned()).map_err(|e| format!("{host}: {e}"))?;
        let stream = outgoing
            .tls
            .connect(name, stream)
            .await
            .map_err(|e| format!("{host}: {e}"))?;
        post(stream, &url, &notice.token).await
    } else {
        post(stream, &url, &notice.token).await
    }
}

/// The address to speak with: all that the name leads to must be allowed, and without TLS it must be a network that the
/// settings name.
fn judged(found: &[SocketAddr], is_tls: bool, allowed: &[Network]) -> Result<SocketAddr, String> {
    let first = *found.first().ok_or("the name leads nowhere")?;
    for address in found {
        let may = may_reach(address.ip(), allowed);
        let is_plain_outside = !is_tls && is_outside(address.ip());
        if !may || is_plain_outside {
            return Err(format!(
                "{} is not reached: it is inside, or outside without TLS; oidc.logout_networks names what may be reached",
                address.ip()
            ));
        }
    }
    Ok(first)
}

async fn post(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    url: &Url,
    token: &str,
) -> Result<(), String> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|e| e.to_string())?;
    let driver = tokio::spawn(connection);
    let path = url
        .query()
        .map_or_else(|| url.path().to_owned(), |q| format!("{}?{q}", url.path()));
    let host = url.host_str().unwrap_or_default();
    let host = url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    // A JWT has nothing that a form would write otherwise.
    let request = Request::post(path)
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::USER_AGENT, "jingling")
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(format!("logout_token={token}"))))
        .map_err(|e| e.to_string())?;
    let answer = sender
        .send_request(request)
        .await
        .map_err(|e| e.to_string());
    driver.abort();
    let status = answer?.status();
    if status.is_success() {
        Ok(())
    } else {
        Err(format!("it answered {status}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_that_leads_inside_is_not_followed() {
        let out = at("8.8.8.8:443");
        assert_eq!(judged(&[out], true, &[]), Ok(out));
        for inside in [
            "127.0.0.1:443",
            "10.0.0.1:443",
            "169.254.169.254:443",
            "[::1]:443",
        ] {
            assert!(judged(&[at(inside)], true, &[]).is_err(), "{inside}");
            assert!(
                judged(&[out, at(inside)], true, &[]).is_err(),
                "{inside} behind another"
            );
        }
        assert!(judged(&[out], false, &[]).is_err(), "outside without TLS");
        assert!(judged(&[], true, &[]).is_err());
        let allowed = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(
            judged(&[at("10.0.0.1:80")], false, &allowed),
            Ok(at("10.0.0.1:80"))
        );
    }
}
