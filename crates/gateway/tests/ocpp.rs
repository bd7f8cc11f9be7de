//! The OCPP door over real sockets, with a sink and a directory of the test's own: answered means durable, busy means wait, whoever shows
//! nothing of his own stays outside, one link of a station follows another, a station can be told something.

use futures::future::BoxFuture;
use futures::{SinkExt as _, StreamExt as _};
use gateway::mqtt::options::TlsSource;
use gateway::mqtt::tls;
use gateway::ocpp::{Directory, Known, Limits, Link, NOT_ON_THE_LINE, Shown, Sink, Unknown};
use gateway::{OcppDoor, OcppHandle, OcppOptions, Refusal};
use model::{DeviceId, Problem, Timestamp, TypeName};
use parking_lot::Mutex;
use proto_ocpp::command::{Authorization, AuthorizationStatus};
use proto_ocpp::message::{IdToken, Outlet, Phase};
use proto_ocpp::session::DataStatus;
use proto_ocpp::{Answer, Command, Event, Standing, Version, What};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;
use testkit::foreign::Python;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const PATIENCE: Duration = Duration::from_secs(30);
/// `CP1:secret of station one`.
const BASIC: &str = "Basic Q1AxOnNlY3JldCBvZiBzdGF0aW9uIG9uZQ==";
const PASSWORD: &[u8] = b"secret of station one";
/// The password that `client.py` shows.
const CLIENT_PASSWORD: &[u8] = b"secret";

/// Keeps what it is given when the test lets it.
struct Kept {
    taken: Mutex<Vec<(String, What)>>,
    came: Mutex<Vec<bool>>,
    /// How many more it takes; beyond, it is like a disk that is slow.
    room: watch::Sender<usize>,
    busy: AtomicU32,
    is_out_of_order: AtomicBool,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            taken: Mutex::default(),
            came: Mutex::default(),
            room: watch::Sender::new(usize::MAX),
            busy: AtomicU32::new(0),
            is_out_of_order: AtomicBool::new(false),
        }
    }
}

impl Kept {
    async fn put(&self, link: &Link, event: &Event) -> Result<Answer, Refusal> {
        if self.is_out_of_order.load(SeqCst) {
            let problem = Problem::new("journal", "the disk is gone", "journal", "mend it");
            return Err(Refusal::Unavailable(problem));
        }
        let is_busy = self
            .busy
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if is_busy.is_ok() {
            return Err(Refusal::Busy);
        }
        let mut room = self.room.subscribe();
        room.wait_for(|room| *room > 0).await.unwrap();
        self.room.send_modify(|room| *room -= 1);
        self.taken
            .lock()
            .push((link.identity.clone(), event.what.clone()));
        Ok(match &event.what {
            What::Boot(_) => Answer::Boot {
                standing: Standing::Accepted,
                interval_seconds: 300,
            },
            What::Authorize(_) => Answer::Transaction {
                id: None,
                authorization: Some(Authorization::new(AuthorizationStatus::Accepted)),
                total_cost_fen: None,
            },
            What::Transaction(part) => Answer::Transaction {
                id: part.start_key.as_ref().map(|_| 77),
                authorization: part
                    .id_token
                    .as_ref()
                    .map(|_| Authorization::new(AuthorizationStatus::Accepted)),
                total_cost_fen: (link.version == Version::V201 && part.phase == Phase::Ended)
                    .then_some(1_234),
            },
            What::Data { .. } => Answer::Data {
                status: DataStatus::UnknownVendorId,
                data: None,
            },
            What::Sign { .. } => Answer::Signing { is_accepted: true },
            _ => Answer::Done,
        })
    }

    fn kinds(&self) -> Vec<&'static str> {
        let taken = self.taken.lock();
        let kind = |what: &What| match what {
            What::Boot(_) => "boot",
            What::Status(_) => "status",
            What::Transaction(_) => "transaction",
            What::Authorize(_) => "authorize",
            What::Broken { .. } => "broken",
            _ => "other",
        };
        taken.iter().map(|(_, what)| kind(what)).collect()
    }
}

impl Sink for Kept {
    fn take<'a>(
        &'a self,
        link: &'a Link,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<Answer, Refusal>> {
        Box::pin(self.put(link, event))
    }

    fn presence(&self, _: &Known, online: bool, _: Timestamp) {
        self.came.lock().push(online);
    }
}

/// Knows the stations `CP…` and `CS…` by a password, and `CP1` by a certificate.
#[derive(Default)]
struct Stations {
    certificate: Vec<u8>,
}

impl Directory for Stations {
    fn find<'a>(
        &'a self,
        identity: &'a str,
        shown: Shown<'a>,
    ) -> BoxFuture<'a, Result<Known, Unknown>> {
        Box::pin(async move {
            if identity == "CP0" {
                return Err(Unknown::Unavailable);
            }
            if !identity.starts_with("CP") && !identity.starts_with("CS") {
                return Err(Unknown::NotRegistered);
            }
            let is_its = match shown {
                Shown::Password(password) => [PASSWORD, CLIENT_PASSWORD].contains(&password),
                Shown::Certificate(certificate) => certificate == self.certificate,
            };
            if !is_its {
                return Err(Unknown::WrongPassword);
            }
            Ok(Known {
                device: DeviceId::new(format!("urn:ngsi-ld:ChargePoint:{identity}")).unwrap(),
                kind: TypeName::new("ChargePoint").unwrap(),
                client_id: identity.to_owned(),
                name: identity.to_owned(),
            })
        })
    }
}

fn options() -> OcppOptions {
    OcppOptions {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        ..OcppOptions::default()
    }
}

async fn open(options: OcppOptions) -> (OcppHandle, Arc<Kept>) {
    open_for(options, Stations::default()).await
}

async fn open_for(options: OcppOptions, stations: Stations) -> (OcppHandle, Arc<Kept>) {
    let kept = Arc::new(Kept::default());
    let door = OcppDoor::start(options, kept.clone(), Arc::new(stations));
    (door.await.unwrap(), kept)
}

/// Waits until a condition holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "waited in vain: {what}");
}

fn request(
    path: &str,
    headers: &[(&'static str, &str)],
) -> tokio_tungstenite::tungstenite::http::Request<()> {
    let mut request = format!("ws://localhost{path}")
        .into_client_request()
        .unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// A station on a link.
struct Station<S = TcpStream> {
    socket: WebSocketStream<S>,
    protocol: String,
}

async fn dial(door: &OcppHandle) -> TcpStream {
    TcpStream::connect(door.addresses()[0]).await.unwrap()
}

impl Station {
    async fn of(door: &OcppHandle, identity: &str, protocol: &str) -> Self {
        let basic = base64_of(identity);
        let headers = [
            ("sec-websocket-protocol", protocol),
            ("authorization", basic.as_str()),
        ];
        let request = request(&format!("/ocpp/{identity}"), &headers);
        Station::over(dial(door).await, request).await.unwrap()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Station<S> {
    async fn over(
        stream: S,
        request: tokio_tungstenite::tungstenite::http::Request<()>,
    ) -> Result<Self, u16> {
        match client_async(request, stream).await {
            Ok((socket, answer)) => {
                let protocol = answer.headers()["sec-websocket-protocol"].to_str();
                Ok(Self {
                    protocol: protocol.unwrap().to_owned(),
                    socket,
                })
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    async fn say(&mut self, message: &Value) {
        let text = Message::text(message.to_string());
        self.socket.send(text).await.unwrap();
    }

    /// The next message; a close frame's code as a number.
    async fn hear(&mut self) -> Value {
        let hearing = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                    Some(Ok(Message::Close(frame))) => {
                        return json!(frame.map(|frame| u16::from(frame.code)));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Value::Null,
                }
            }
        };
        tokio::time::timeout(PATIENCE, hearing).await.unwrap()
    }

    async fn ask(&mut self, message: &Value) -> Value {
        self.say(message).await;
        self.hear().await
    }
}

/// The header of the one password for a station.
fn base64_of(identity: &str) -> String {
    use base64::Engine as _;
    let both = [identity.as_bytes(), b":", PASSWORD].concat();
    let text = base64::engine::general_purpose::STANDARD.encode(both);
    format!("Basic {text}")
}

fn boot_16(id: &str) -> Value {
    json!([2, id, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}])
}

fn start_16(id: &str) -> Value {
    json!([2, id, "StartTransaction", {
        "connectorId": 1, "idTag": "CARD", "meterStart": 100, "timestamp": "2026-03-10T08:00:00Z",
    }])
}

#[tokio::test]
async fn both_versions_are_spoken_and_answered_when_durable() {
    let (door, kept) = open(options()).await;
    let mut one = Station::of(&door, "CP1", "ocpp1.6, ocpp2.0.1").await;
    assert_eq!(one.protocol, "ocpp1.6");
    let answer = one.ask(&boot_16("1")).await;
    assert_eq!(
        (&answer[0], &answer[2]["status"]),
        (&json!(3), &json!("Accepted"))
    );
    // The disk takes nothing now: nothing is answered, and nothing but the waiting message was read.
    kept.room.send_replace(0);
    one.say(&start_16("2")).await;
    one.say(&json!([2, "3", "Heartbeat", {}])).await;
    let waited = tokio::time::timeout(Duration::from_millis(50), one.hear()).await;
    assert!(waited.is_err(), "{waited:?}");
    kept.room.send_replace(usize::MAX);
    let answer = one.hear().await;
    assert_eq!(
        (&answer[1], &answer[2]["transactionId"]),
        (&json!("2"), &json!(77))
    );
    assert_eq!(one.hear().await[1], json!("3"));
    let mut two = Station::of(&door, "CP2", "ocpp2.0.1").await;
    assert_eq!(two.protocol, "ocpp2.0.1");
    let boot = json!([2, "a", "BootNotification", {
        "reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"},
    }]);
    assert_eq!(two.ask(&boot).await[2]["status"], json!("Accepted"));
    assert_eq!(kept.kinds(), ["boot", "transaction", "boot"]);
    let connected: Vec<String> = door
        .connected()
        .into_iter()
        .map(|one| one.identity)
        .collect();
    assert_eq!(connected, ["CP1", "CP2"]);
    drop((one, two));
    until("both left", || door.connected().is_empty()).await;
    assert_eq!(kept.came.lock().iter().filter(|online| **online).count(), 2);
}

#[tokio::test]
async fn whoever_is_not_a_station_stays_outside() {
    let (door, kept) = open(options()).await;
    let protocol = ("sec-websocket-protocol", "ocpp1.6");
    let mine = ("authorization", BASIC);
    let cp0 = base64_of("CP0");
    let wrong = ("authorization", "Basic Q1AxOndyb25n");
    let refused = [
        (404, "/", vec![protocol, mine]),
        (404, "/ocpp/", vec![protocol, mine]),
        (404, "/ocpp/CP%201", vec![protocol, mine]),
        (401, "/ocpp/CP1", vec![protocol]),
        (401, "/ocpp/CP1", vec![protocol, wrong]),
        (
            401,
            "/ocpp/CP1",
            vec![protocol, ("authorization", "Bearer x")],
        ),
        // Another station's password is not its own.
        (401, "/ocpp/CP2", vec![protocol, mine]),
        (400, "/ocpp/CP1", vec![mine]),
        (
            400,
            "/ocpp/CP1",
            vec![("sec-websocket-protocol", "ocpp1.5"), mine],
        ),
        (
            503,
            "/ocpp/CP0",
            vec![protocol, ("authorization", cp0.as_str())],
        ),
    ];
    for (status, path, headers) in refused {
        let refusal = Station::over(dial(&door).await, request(path, &headers)).await;
        assert_eq!(refusal.err(), Some(status), "{path} {headers:?}");
    }
    let stranger = base64_of("XX1");
    let headers = [protocol, ("authorization", stranger.as_str())];
    let refusal = Station::over(dial(&door).await, request("/ocpp/XX1", &headers)).await;
    assert_eq!(refusal.err(), Some(404));
    // What is no WebSocket, and what is nothing at all.
    for (sent, said) in [
        ("GET /ocpp/CP1 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400"),
        ("\x16\x03\x01\x00 hello\r\n\r\n", "HTTP/1.1 400"),
    ] {
        let mut stream = dial(&door).await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(said), "{answer}");
    }
    assert!(door.connected().is_empty());
    assert!(kept.taken.lock().is_empty() && kept.came.lock().is_empty());
    let figures = door.metrics();
    assert_eq!(figures.wrong_passwords_total.load(SeqCst), 4);
    assert_eq!(figures.unknown_stations_total.load(SeqCst), 1);
}

#[tokio::test]
async fn an_address_that_guesses_is_not_looked_at_any_more() {
    let limits = Limits {
        refused_per_peer_max: 3,
        ..Limits::default()
    };
    let (door, _) = open(OcppOptions {
        limits,
        ..options()
    })
    .await;
    let mut statuses = Vec::new();
    for password in ["Basic Q1AxOjE=", "Basic Q1AxOjI=", "Basic Q1AxOjM=", BASIC] {
        let headers = [
            ("sec-websocket-protocol", "ocpp1.6"),
            ("authorization", password),
        ];
        let refusal = Station::over(dial(&door).await, request("/ocpp/CP1", &headers)).await;
        statuses.push(refusal.err().unwrap());
    }
    assert_eq!(statuses, [401, 401, 401, 429]);
}

#[tokio::test]
async fn over_tls_by_password_or_by_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let source = TlsSource::SelfSigned {
        directory: dir.path().to_owned(),
        names: vec!["localhost".into()],
    };
    let pair = rcgen::generate_simple_self_signed(vec!["CP1".into()]).unwrap();
    let stations = Stations {
        certificate: pair.cert.der().to_vec(),
    };
    let options = OcppOptions {
        listen_tls: vec!["127.0.0.1:0".parse().unwrap()],
        tls: Some(tls::device_config(&source).unwrap()),
        ..OcppOptions::default()
    };
    let (door, kept) = open_for(options, stations).await;
    let (certificate, _) = tls::self_signed_paths(dir.path());
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(certificate).unwrap())
        .unwrap();
    let client = |shown: Option<&rcgen::CertifiedKey<rcgen::KeyPair>>| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone());
        let config = match shown {
            Some(pair) => config
                .with_client_auth_cert(
                    vec![pair.cert.der().clone()],
                    PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap(),
                )
                .unwrap(),
            None => config.with_no_client_auth(),
        };
        tokio_rustls::TlsConnector::from(Arc::new(config))
    };
    let other = rcgen::generate_simple_self_signed(vec!["CP1".into()]).unwrap();
    let protocol = ("sec-websocket-protocol", "ocpp2.0.1");
    let tries = [
        (client(None), vec![protocol, ("authorization", BASIC)], None),
        (client(Some(&pair)), vec![protocol], None),
        (client(Some(&other)), vec![protocol], Some(401)),
        (client(None), vec![protocol], Some(401)),
    ];
    for (n, (connector, headers, refused)) in tries.into_iter().enumerate() {
        let stream = TcpStream::connect(door.addresses_tls()[0]).await.unwrap();
        let stream = connector
            .connect("localhost".try_into().unwrap(), stream)
            .await
            .unwrap();
        let station = Station::over(stream, request("/ocpp/CP1", &headers)).await;
        match station {
            Ok(mut station) => {
                assert_eq!(refused, None);
                let id = n.to_string();
                let status = json!([2, id, "StatusNotification", {
                    "timestamp": "2026-03-10T08:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1,
                }]);
                assert_eq!(station.ask(&status).await, json!([3, id, {}]));
            }
            Err(status) => assert_eq!(Some(status), refused),
        }
    }
    // A peer that speaks no TLS disturbs nobody.
    let mut plain = TcpStream::connect(door.addresses_tls()[0]).await.unwrap();
    plain
        .write_all(b"GET /ocpp/CP1 HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    until("the peer was refused", || {
        door.metrics().tls_failures_total.load(SeqCst) == 1
    })
    .await;
    assert_eq!(kept.kinds(), ["status", "status"]);
}

#[tokio::test]
async fn a_second_link_takes_over_and_what_waited_is_not_lost() {
    let (door, kept) = open(options()).await;
    let mut first = Station::of(&door, "CP1", "ocpp1.6").await;
    first.ask(&boot_16("1")).await;
    kept.is_out_of_order.store(true, SeqCst);
    first.say(&start_16("2")).await;
    until("the sink was asked", || {
        door.metrics().busy_total.load(SeqCst) > 0
    })
    .await;
    // The station comes back while its message waits, and sends it again.
    let mut second = Station::of(&door, "CP1", "ocpp1.6").await;
    assert_eq!(first.hear().await, json!(1008));
    kept.is_out_of_order.store(false, SeqCst);
    assert_eq!(
        second.ask(&start_16("3")).await[2]["transactionId"],
        json!(77)
    );
    assert_eq!(kept.kinds(), ["boot", "transaction"]);
    assert_eq!(door.metrics().taken_over_total.load(SeqCst), 1);
    assert_eq!(*kept.came.lock(), [true, true], "it never left");
    door.close("CP1");
    assert_eq!(second.hear().await, json!(1008));
    until("it left", || *kept.came.lock() == [true, true, false]).await;
}

#[tokio::test]
async fn a_busy_sink_makes_the_station_wait_and_one_out_of_order_closes_the_link() {
    let limits = Limits {
        unavailable_retry_ms: 1,
        unavailable_tries_max: 3,
        ..Limits::default()
    };
    let (door, kept) = open(OcppOptions {
        limits,
        ..options()
    })
    .await;
    let mut station = Station::of(&door, "CP1", "ocpp1.6").await;
    kept.busy.store(5, SeqCst);
    assert_eq!(
        station.ask(&boot_16("1")).await[2]["status"],
        json!("Accepted")
    );
    assert_eq!(door.metrics().busy_total.load(SeqCst), 5);
    kept.is_out_of_order.store(true, SeqCst);
    // Not answered, so that the station keeps it and sends it again.
    assert_eq!(station.ask(&start_16("2")).await, json!(1013));
    assert_eq!(kept.kinds(), ["boot"]);
    assert_eq!(door.metrics().unavailable_total.load(SeqCst), 1);
}

#[tokio::test]
async fn what_is_no_message_is_kept_and_too_much_of_it_closes_the_link() {
    let limits = Limits {
        dead_letters_per_peer_max: 3,
        ..Limits::default()
    };
    let session = proto_ocpp::Config {
        message_bytes_max: 4_096,
        ..proto_ocpp::Config::default()
    };
    let options = OcppOptions {
        limits,
        session,
        ..options()
    };
    let (door, kept) = open(options).await;
    let mut station = Station::of(&door, "CP1", "ocpp2.0.1").await;
    for broken in ["no JSON", "[2]"] {
        station.socket.send(Message::text(broken)).await.unwrap();
        assert_eq!(station.hear().await[0], json!(4), "{broken}");
    }
    // A little too large is told as that; far too large ends the link before it is read.
    let large = format!(
        "[2,\"1\",\"Heartbeat\",{{\"x\":\"{}\"}}]",
        "x".repeat(5_000)
    );
    station.socket.send(Message::text(large)).await.unwrap();
    assert_eq!(station.hear().await[0], json!(4));
    assert_eq!(kept.kinds(), ["broken", "broken", "broken"]);
    station.socket.send(Message::text("more")).await.unwrap();
    let answers = [station.hear().await, station.hear().await];
    assert!(answers.contains(&json!(1008)), "{answers:?}");
    assert_eq!(kept.kinds().len(), 3, "beyond the limit none is kept");
    let mut huge = Station::of(&door, "CP2", "ocpp1.6").await;
    // The door may close before it has taken all of it.
    let _ = huge.socket.send(Message::text("x".repeat(100_000))).await;
    let heard = huge.hear().await;
    assert!(heard == json!(1009) || heard.is_null(), "{heard}");
}

#[tokio::test]
async fn a_station_is_told_something_and_whoever_asked_hears_what_became_of_it() {
    let (door, _) = open(options()).await;
    let reset = || Command::Reset {
        is_immediate: true,
        evse: None,
    };
    let nobody = door.command("CP1", reset()).await.unwrap_err();
    assert_eq!(
        (nobody.told.code.as_str(), nobody.may_have_happened),
        (NOT_ON_THE_LINE, false)
    );
    let mut station = Station::of(&door, "CP1", "ocpp1.6").await;
    station.ask(&boot_16("1")).await;
    for (status, is_accepted) in [("Accepted", true), ("Rejected", false)] {
        let asking = door.command("CP1", reset());
        let answering = async {
            let call = station.hear().await;
            assert_eq!(
                (&call[2], &call[3]["type"]),
                (&json!("Reset"), &json!("Hard"))
            );
            station.say(&json!([3, call[1], {"status": status}])).await;
        };
        let (reply, ()) = tokio::join!(asking, answering);
        assert_eq!(reply.unwrap().is_accepted, is_accepted);
    }
    // It goes in the middle: nobody knows whether it was done.
    let asking = door.command("CP1", reset());
    let leaving = async {
        station.hear().await;
        drop(station);
    };
    let (reply, ()) = tokio::join!(asking, leaving);
    assert!(reply.unwrap_err().may_have_happened);
    assert_eq!(door.metrics().commands_answered_total.load(SeqCst), 2);
}

#[tokio::test]
async fn a_silent_link_ends_and_closing_the_door_says_good_bye() {
    let limits = Limits {
        idle_seconds_max: 1,
        open_timeout_ms: 1_000,
        ..Limits::default()
    };
    let (door, _) = open(OcppOptions {
        limits,
        ..options()
    })
    .await;
    // Whoever says half a request, or nothing, is not waited for.
    let mut half = dial(&door).await;
    half.write_all(b"GET /ocpp/CP1 HT").await.unwrap();
    let mut rest = Vec::new();
    let _ = half.read_to_end(&mut rest).await;
    let mut silent = Station::of(&door, "CP1", "ocpp1.6").await;
    assert_eq!(silent.hear().await, json!(1008));
    let (door, kept) = open(options()).await;
    let mut station = Station::of(&door, "CP1", "ocpp1.6").await;
    station.ask(&boot_16("1")).await;
    let (heard, ()) = tokio::join!(station.hear(), door.shutdown());
    assert_eq!(heard, json!(1001));
    assert_eq!(*kept.came.lock(), [true, false]);
    // A sink that is busy for ever does not keep the door from closing, and what it did not take is not answered.
    let (door, kept) = open(options()).await;
    let mut station = Station::of(&door, "CP1", "ocpp1.6").await;
    kept.busy.store(u32::MAX, SeqCst);
    station.say(&boot_16("1")).await;
    until("the sink was asked", || {
        door.metrics().busy_total.load(SeqCst) > 0
    })
    .await;
    let (heard, ()) = tokio::join!(station.hear(), door.shutdown());
    assert_eq!(heard, json!(1001));
    assert!(kept.taken.lock().is_empty());
}

#[tokio::test]
async fn a_crowd_is_served_and_more_than_the_limit_is_not_let_in() {
    const CROWD: usize = 200;
    let limits = Limits {
        links_max: CROWD,
        ..Limits::default()
    };
    let (door, kept) = open(OcppOptions {
        limits,
        ..options()
    })
    .await;
    let mut stations = Vec::new();
    for n in 1..=CROWD {
        stations.push(Station::of(&door, &format!("CP{n}"), "ocpp1.6").await);
    }
    let asking = stations.iter_mut().map(|station| async {
        let boot = station.ask(&boot_16("1")).await;
        assert_eq!(boot[2]["status"], json!("Accepted"));
        assert_eq!(
            station.ask(&start_16("2")).await[2]["transactionId"],
            json!(77)
        );
    });
    futures::future::join_all(asking).await;
    assert_eq!(kept.taken.lock().len(), 2 * CROWD);
    let mut beyond = dial(&door).await;
    let mut rest = Vec::new();
    // Closed at once, or reset.
    let _ = beyond.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    assert_eq!(door.metrics().links_refused_total.load(SeqCst), 1);
}

/// Reserves the first outlet that is told to be free, and starts a charge there: what `client.py` waits for.
async fn drive(door: &OcppHandle, kept: &Kept, identity: &str) {
    until("an outlet is free", || {
        let taken = kept.taken.lock();
        taken.iter().any(|(of, what)| {
            of == identity && matches!(what, What::Status(status) if status.status == "Available")
        })
    })
    .await;
    let outlet = Some(Outlet {
        evse: 1,
        connector: Some(1),
    });
    let id_token = IdToken::tag("TAG1");
    let reserve = Command::Reserve {
        id: 7,
        outlet,
        expires_at: Timestamp::from_seconds(4_000_000_000),
        id_token: id_token.clone(),
        group: None,
    };
    let start = Command::Start {
        outlet,
        id_token,
        remote_start: 42,
        profile: None,
    };
    for command in [reserve, start] {
        assert!(door.command(identity, command).await.unwrap().is_accepted);
    }
}

/// The Python package `ocpp`, which checks what it hears against the schemas of the Open Charge Alliance, as a station of each version.
#[tokio::test]
async fn an_independent_client_speaks_both_versions() {
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "ocpp-python",
        imports: "ocpp, websockets",
        packages: &["ocpp==2.1.0", "websockets==15.0.1"],
    };
    let python = match python.make() {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: the package ocpp cannot be installed from PyPI here: {why}");
            return;
        }
    };
    let (door, kept) = open(options()).await;
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../protocols/proto-ocpp/tests/client.py"
    );
    let port = door.addresses()[0].port().to_string();
    let client = tokio::process::Command::new(python)
        .args([script, &port])
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    let driving = async {
        drive(&door, &kept, "CP16").await;
        drive(&door, &kept, "CS201").await;
    };
    let (output, ()) = tokio::time::timeout(2 * PATIENCE, async { tokio::join!(client, driving) })
        .await
        .expect("the client hangs");
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.trim_end().ends_with("all well"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // The client sent a start twice, as if its answer had been lost.
    let kinds = kept.kinds();
    let parts = kinds.iter().filter(|kind| **kind == "transaction").count();
    assert_eq!(parts, 7, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "broken").count(), 2);
}
