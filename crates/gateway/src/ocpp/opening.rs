//! How a link is opened: TLS, the request that asks for a WebSocket, who the station is, and the answer. What the standard says of it is in
//! [`proto_ocpp::handshake`].
//!
//! | what came | answer |
//! | --- | --- |
//! | another path, or an identity that is none | 404 |
//! | no request for a WebSocket (RFC 6455, 4.2.1) | 400, or 426 for another version |
//! | neither version of OCPP offered | 400 (OCPP-J 2.0.1, part 4, 3.1.2) |
//! | no password and no certificate, or one that is not the station's | 401 (part 4, 3.3) |
//! | a station that nobody registered | 404 |
//! | refused too often from this address | 429 |
//! | it cannot be decided now | 503 |

use super::Door;
use super::seam::{Known, Shown, Unknown};
use crate::counting::one;
use crate::listening::tune;
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CONNECTION, HeaderName, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE, WWW_AUTHENTICATE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use proto_ocpp::{Version, handshake};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// What stations' addresses begin with; the identity follows.
const PATH: &str = "/ocpp/";
/// The version of WebSocket that there is (RFC 6455, 4.1).
const WEBSOCKET_VERSION: &str = "13";
/// After how many seconds a station may come again that could not be decided about.
const RETRY_SECONDS: &str = "10";
/// How much larger than the session's limit a message may be to be told as too large and not only cut off.
const OVERSIZE: usize = 4;

/// The socket of a link.
pub(crate) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Who opened a link, and what is spoken on it.
pub(crate) struct Opened {
    pub identity: String,
    pub known: Known,
    pub version: Version,
    pub socket: Socket,
}

/// A refusal: status, and what a person reads who opens the address.
type Refused = (StatusCode, String);

/// What was decided about a request.
struct Decided {
    identity: String,
    known: Known,
    version: Version,
    upgrade: OnUpgrade,
}

/// Opens a link on a new connection; `None` when it was refused or is gone.
pub(crate) async fn open(
    door: &Arc<Door>,
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<&TlsAcceptor>,
) -> Option<Opened> {
    tune(&stream, peer, door.options.limits.tcp_keep_alive_seconds);
    let patience = Duration::from_millis(door.options.limits.open_timeout_ms);
    let opening = async {
        let Some(acceptor) = tls else {
            return serve(door, stream, peer, None).await;
        };
        let accepted = acceptor.accept(stream).await;
        let stream = accepted
            .inspect_err(|error| {
                one(&door.metrics.tls_failures_total);
                tracing::debug!(%peer, %error, "no TLS");
            })
            .ok()?;
        let certificate = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(|chain| chain.first())
            .map(|certificate| certificate.as_ref().to_vec());
        serve(door, stream, peer, certificate).await
    };
    timeout(patience, opening).await.ok().flatten()
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    door: &Arc<Door>,
    stream: S,
    peer: SocketAddr,
    certificate: Option<Vec<u8>>,
) -> Option<Opened> {
    let limits = &door.options.limits;
    let decided: Mutex<Option<Decided>> = Mutex::new(None);
    let (slot, certificate) = (&decided, certificate.as_deref());
    let answer = |mut request: Request<Incoming>| async move {
        let answer = match decide(door, &request, peer, certificate).await {
            Ok((identity, known, version)) => {
                let upgrade = hyper::upgrade::on(&mut request);
                let answer = switching(&request, version);
                *slot.lock() = Some(Decided {
                    identity,
                    known,
                    version,
                    upgrade,
                });
                answer
            }
            Err((status, words)) => refusal(status, words),
        };
        Ok::<_, Infallible>(answer)
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.open_timeout_ms))
        .max_buf_size(limits.request_bytes_max.max(8_192))
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a link was not opened");
    }
    let Decided {
        identity,
        known,
        version,
        upgrade,
    } = decided.into_inner()?;
    let upgraded = upgrade.await.ok()?;
    let message_max = door.options.session.message_bytes_max;
    let config = WebSocketConfig::default()
        .read_buffer_size(limits.read_bytes.max(512))
        .write_buffer_size(0)
        .max_message_size(Some(message_max.saturating_mul(OVERSIZE)))
        .max_frame_size(Some(message_max.saturating_mul(OVERSIZE)));
    let io = TokioIo::new(upgraded);
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    Some(Opened {
        identity,
        known,
        version,
        socket,
    })
}

async fn decide(
    door: &Door,
    request: &Request<Incoming>,
    peer: SocketAddr,
    certificate: Option<&[u8]>,
) -> Result<(String, Known, Version), Refused> {
    let metrics = &door.metrics;
    if door.refused.is_spent(peer.ip(), door.now_ms()) {
        one(&metrics.refused_unseen_total);
        return Err((
            StatusCode::TOO_MANY_REQUESTS,
            "refused too often; wait a minute, and see password and identity".to_owned(),
        ));
    }
    let (identity, version) = asked(request).inspect_err(|_| one(&metrics.bad_requests_total))?;
    let known = who(door, request, &identity, certificate).await;
    let (counter, refused) = match known {
        Ok(known) => return Ok((identity, known, version)),
        Err(Unknown::NotRegistered) => (
            &metrics.unknown_stations_total,
            (
                StatusCode::NOT_FOUND,
                format!("no station {identity} is registered"),
            ),
        ),
        Err(Unknown::WrongPassword) => (
            &metrics.wrong_passwords_total,
            (
                StatusCode::UNAUTHORIZED,
                "show the station's password or certificate".to_owned(),
            ),
        ),
        Err(Unknown::Unavailable) => {
            return Err((
                StatusCode::SERVICE_UNAVAILABLE,
                "it cannot be decided now; try again".to_owned(),
            ));
        }
    };
    one(counter);
    door.refused.count(peer.ip(), door.now_ms());
    tracing::info!(%peer, identity, status = refused.0.as_u16(), "a station was not let in");
    Err(refused)
}

/// Which station asks for a WebSocket, and in which version of OCPP.
fn asked(request: &Request<Incoming>) -> Result<(String, Version), Refused> {
    let bad = |words: &str| (StatusCode::BAD_REQUEST, words.to_owned());
    let path = request.uri().path();
    let last = path
        .strip_prefix(PATH)
        .map(|last| last.trim_end_matches('/'));
    if last.is_none_or(|last| last.is_empty() || last.contains('/')) {
        return Err((
            StatusCode::NOT_FOUND,
            format!("stations come to {PATH}IDENTITY"),
        ));
    }
    let identity =
        handshake::identity(path).map_err(|told| (StatusCode::NOT_FOUND, told.to_string()))?;
    let holds = |name: &HeaderName, word: &str| {
        let words = header(request, name).unwrap_or_default();
        words
            .split(',')
            .any(|one| one.trim().eq_ignore_ascii_case(word))
    };
    let is_websocket = request.method() == Method::GET
        && holds(&UPGRADE, "websocket")
        && holds(&CONNECTION, "upgrade")
        && header(request, &SEC_WEBSOCKET_KEY).is_some();
    if !is_websocket {
        return Err(bad("this address takes WebSockets alone"));
    }
    if header(request, &SEC_WEBSOCKET_VERSION) != Some(WEBSOCKET_VERSION) {
        return Err((
            StatusCode::UPGRADE_REQUIRED,
            "version 13 of WebSocket is spoken here".to_owned(),
        ));
    }
    let offered = header(request, &SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
    let version = handshake::negotiate(offered, &Version::ALL)
        .ok_or_else(|| bad("offer ocpp2.0.1 or ocpp1.6 as Sec-WebSocket-Protocol"))?;
    Ok((identity, version))
}

/// Whether it is the station that it says to be.
async fn who(
    door: &Door,
    request: &Request<Incoming>,
    identity: &str,
    certificate: Option<&[u8]>,
) -> Result<Known, Unknown> {
    let shown = header(request, &AUTHORIZATION).map(handshake::basic);
    // Who gives a password is judged by it; a certificate stands where there is none.
    match (shown, certificate) {
        (Some(Ok((user, password))), _) if user == identity => {
            door.directory
                .find(identity, Shown::Password(&password))
                .await
        }
        (Some(_), _) | (None, None) => Err(Unknown::WrongPassword),
        (None, Some(certificate)) => {
            door.directory
                .find(identity, Shown::Certificate(certificate))
                .await
        }
    }
}

fn header<'a>(request: &'a Request<Incoming>, name: &HeaderName) -> Option<&'a str> {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
}

/// 101, with the version that will be spoken.
fn switching(request: &Request<Incoming>, version: Version) -> Response<String> {
    let key = header(request, &SEC_WEBSOCKET_KEY).unwrap_or_default();
    let mut answer = Response::new(String::new());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    // Base64: always a header's value.
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    let protocol = HeaderValue::from_static(version.subprotocol());
    headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    answer
}

fn refusal(status: StatusCode, words: String) -> Response<String> {
    let mut answer = Response::new(words + "\n");
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    // One request a connection: a link, or a refusal.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    match status {
        StatusCode::UNAUTHORIZED => {
            let asked = HeaderValue::from_static("Basic realm=\"ocpp\"");
            headers.insert(WWW_AUTHENTICATE, asked);
        }
        StatusCode::UPGRADE_REQUIRED => {
            let spoken = HeaderValue::from_static(WEBSOCKET_VERSION);
            headers.insert(SEC_WEBSOCKET_VERSION, spoken);
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        }
        _ => {}
    }
    answer
}
