//! What the platform asks of others over HTTP: systems that are told of ended sessions, outside providers of identities, webhooks
//! and gateways of SMS and voice. The name is looked up here, every address that it gives is judged, and the connection goes to that address and no other, so
//! that nobody can make the platform speak with what is inside (服务端请求伪造); no redirect is followed, and size and time of the
//! answer are limited.

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use oidc::address::{Network, is_outside, may_reach};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use url::Url;

/// Where questions may go and whom they believe.
pub struct Outgoing {
    /// Networks that may be reached though they are inside.
    pub allowed: Vec<Network>,
    /// The setting that names them, for who reads why something was not reached.
    pub setting: &'static str,
    /// Speaks TLS.
    pub tls: tokio_rustls::TlsConnector,
}

/// One question.
pub struct Ask<'a> {
    /// Where.
    pub url: &'a Url,
    /// How.
    pub method: Method,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// What is sent with it; may be empty.
    pub body: String,
    /// Largest answer, bytes; `None`: the status is enough.
    pub bytes_max: Option<usize>,
    /// Longest time for all of it.
    pub time_max: Duration,
}

impl<'a> Ask<'a> {
    /// Reads.
    pub fn read(url: &'a Url, bytes_max: Option<usize>, time_max: Duration) -> Self {
        Self {
            url,
            method: Method::GET,
            headers: Vec::new(),
            body: String::new(),
            bytes_max,
            time_max,
        }
    }

    /// The same with a form posted, and `Authorization` where there is one.
    #[must_use]
    pub fn with_form(mut self, form: String, authorization: Option<String>) -> Self {
        let kind = "application/x-www-form-urlencoded".to_owned();
        self.method = Method::POST;
        self.body = form;
        self.headers.push((header::CONTENT_TYPE.to_string(), kind));
        let said = authorization.map(|said| (header::AUTHORIZATION.to_string(), said));
        self.headers.extend(said);
        self
    }
}

/// There is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// Why, in a sentence for the log.
    pub why: String,
    /// Whether something was sent before: the other side may have taken it.
    pub may_have_arrived: bool,
}

impl Outgoing {
    /// Reads the authorities that are believed from a PEM file; without one no address of https can be reached.
    pub fn new(allowed: Vec<Network>, setting: &'static str, authorities: &Path) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        match CertificateDer::pem_file_iter(authorities) {
            Ok(found) => {
                roots.add_parsable_certificates(found.filter_map(Result::ok));
            }
            Err(error) => {
                tracing::warn!(file = %authorities.display(), %error, "no authorities: nobody can be reached over TLS");
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
            setting,
            tls: tokio_rustls::TlsConnector::from(Arc::new(config)),
        }
    }

    /// Asks; gives the status and, where it was wanted, the body.
    ///
    /// # Errors
    /// Why there is no answer, in a sentence for the log.
    pub async fn ask(&self, ask: Ask<'_>) -> Result<(StatusCode, Bytes), String> {
        self.tell(ask).await.map_err(|none| none.why)
    }

    /// The same for what must not be done twice: also says whether it may have been done although there is no answer.
    ///
    /// # Errors
    /// Why there is no answer, and whether anything was sent.
    pub async fn tell(&self, ask: Ask<'_>) -> Result<(StatusCode, Bytes), NoAnswer> {
        let is_sent = AtomicBool::new(false);
        let answer = match tokio::time::timeout(ask.time_max, self.asked(&ask, &is_sent)).await {
            Ok(answer) => answer,
            Err(_) => Err("it took too long".to_owned()),
        };
        answer.map_err(|why| NoAnswer {
            why,
            may_have_arrived: is_sent.load(Ordering::SeqCst),
        })
    }

    async fn asked(
        &self,
        ask: &Ask<'_>,
        is_sent: &AtomicBool,
    ) -> Result<(StatusCode, Bytes), String> {
        let url = ask.url;
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
        let address = self.judged(&found, url.scheme() == "https")?;
        let stream = TcpStream::connect(address)
            .await
            .map_err(|e| format!("{address}: {e}"))?;
        if url.scheme() == "https" {
            let name = ServerName::try_from(bare.to_owned()).map_err(|e| format!("{host}: {e}"))?;
            let stream = self
                .tls
                .connect(name, stream)
                .await
                .map_err(|e| format!("{host}: {e}"))?;
            send(stream, ask, is_sent).await
        } else {
            send(stream, ask, is_sent).await
        }
    }

    /// The address to speak with: all that the name leads to must be allowed, and without TLS it must be a network that the
    /// settings name.
    fn judged(&self, found: &[SocketAddr], is_tls: bool) -> Result<SocketAddr, String> {
        let first = *found.first().ok_or("the name leads nowhere")?;
        for address in found {
            let may = may_reach(address.ip(), &self.allowed);
            let is_plain_outside = !is_tls && is_outside(address.ip());
            if !may || is_plain_outside {
                return Err(format!(
                    "{} is not reached: it is inside, or outside without TLS; {} names what may be reached",
                    address.ip(),
                    self.setting
                ));
            }
        }
        Ok(first)
    }
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ask: &Ask<'_>,
    is_sent: &AtomicBool,
) -> Result<(StatusCode, Bytes), String> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|e| e.to_string())?;
    let driver = Driver(tokio::spawn(connection));
    let url = ask.url;
    let path = url
        .query()
        .map_or_else(|| url.path().to_owned(), |q| format!("{}?{q}", url.path()));
    let host = url.host_str().unwrap_or_default();
    let host = url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut request = Request::builder()
        .uri(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, "jingling")
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close");
    request = request.method(ask.method.clone());
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    let body = Bytes::from(ask.body.clone());
    let request = request.body(Full::new(body)).map_err(|e| e.to_string())?;
    is_sent.store(true, Ordering::SeqCst);
    let answer = sender
        .send_request(request)
        .await
        .map_err(|e| e.to_string())?;
    let status = answer.status();
    let Some(bytes_max) = ask.bytes_max else {
        return Ok((status, Bytes::new()));
    };
    let body = Limited::new(answer.into_body(), bytes_max)
        .collect()
        .await
        .map_err(|_| format!("its answer broke off or is longer than {bytes_max} bytes"))?
        .to_bytes();
    drop(driver);
    Ok((status, body))
}

/// A connection that ends with whoever waits for it, also one whose time is over.
struct Driver(tokio::task::JoinHandle<Result<(), hyper::Error>>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn it_is_known_whether_a_lost_answer_may_have_been_work() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let url = Url::parse(&format!("http://{here}/")).unwrap();
        let ask = || Ask::read(&url, None, Duration::from_secs(30));
        let refused = outgoing(&[]).tell(ask()).await.unwrap_err();
        assert!(!refused.may_have_arrived, "{}", refused.why);
        // It takes the request and hangs up without a word.
        let taken = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut byte = [0];
            tokio::io::AsyncReadExt::read_exact(&mut stream, &mut byte)
                .await
                .unwrap();
        });
        let lost = outgoing(&["127.0.0.0/8"]).tell(ask()).await.unwrap_err();
        taken.await.unwrap();
        assert!(lost.may_have_arrived, "{}", lost.why);
        // Nobody listens there any more.
        let closed = outgoing(&["127.0.0.0/8"]).tell(ask()).await.unwrap_err();
        assert!(!closed.may_have_arrived, "{}", closed.why);
    }

    fn outgoing(allowed: &[&str]) -> Outgoing {
        let allowed = allowed.iter().map(|n| n.parse().unwrap()).collect();
        Outgoing::new(allowed, "oidc.logout_networks", Path::new("/dev/null"))
    }

    #[test]
    fn a_name_that_leads_inside_is_not_followed() {
        let none = outgoing(&[]);
        let out = at("8.8.8.8:443");
        assert_eq!(none.judged(&[out], true), Ok(out));
        for inside in [
            "127.0.0.1:443",
            "10.0.0.1:443",
            "169.254.169.254:443",
            "[::1]:443",
        ] {
            assert!(none.judged(&[at(inside)], true).is_err(), "{inside}");
            assert!(
                none.judged(&[out, at(inside)], true).is_err(),
                "{inside} behind another"
            );
        }
        let why = none.judged(&[out], false).unwrap_err();
        assert!(why.contains("oidc.logout_networks"), "outside without TLS");
        assert!(none.judged(&[], true).is_err());
        let inside = at("10.0.0.1:80");
        assert_eq!(
            outgoing(&["10.0.0.0/8"]).judged(&[inside], false),
            Ok(inside)
        );
    }
}
