//! A centre in two hundred lines, to try a real station or an independent client against the session: one WebSocket port, a store in
//! memory, and a script that reserves the first outlet that is told to be available, and then starts a transaction there.
//!
//! `cargo run -p proto-ocpp --example host -- 127.0.0.1:9000`; the station's address is `ws://127.0.0.1:9000/ocpp/CP1`. It prints what it
//! learns, a line each, and leaves after the last of as many links as its second argument says.

#![allow(clippy::print_stdout)]

use futures::{SinkExt as _, StreamExt as _};
use model::{EntityId, Timestamp};
use proto_ocpp::command::{Authorization, AuthorizationStatus, Command};
use proto_ocpp::config::{Config, Version};
use proto_ocpp::handshake;
use proto_ocpp::map::{self, Link};
use proto_ocpp::message::{IdToken, Outlet, Phase, StartKey};
use proto_ocpp::session::DataStatus;
use proto_ocpp::{Answer, Book, Event, Now, Output, Session, Standing, What};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

const PROTOCOL: &str = "Sec-WebSocket-Protocol";

/// What a database would keep.
#[derive(Default)]
struct Store {
    books: HashMap<String, Book>,
    numbers: HashMap<(String, StartKey), i32>,
    links: u64,
}

type Shared = Arc<Mutex<Store>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments
        .next()
        .unwrap_or_else(|| "127.0.0.1:9000".to_owned());
    let links: usize = arguments
        .next()
        .map_or(Ok(usize::MAX), |text| text.parse())?;
    let listener = TcpListener::bind(&address).await?;
    println!("listening on {}", listener.local_addr()?);
    let store = Shared::default();
    for _ in 0..links {
        let (stream, _) = listener.accept().await?;
        if let Err(error) = serve(stream, store.clone()).await {
            println!("link: {error}");
        }
    }
    Ok(())
}

/// What was decided when the link was opened.
#[derive(Default)]
struct Opened {
    station: String,
    version: Option<Version>,
}

#[expect(
    clippy::result_large_err,
    reason = "the type of the library's callback"
)]
fn open(
    request: &Request,
    mut response: Response,
    opened: &mut Opened,
) -> Result<Response, ErrorResponse> {
    let refuse = |status: StatusCode| {
        let mut refused = ErrorResponse::new(None);
        *refused.status_mut() = status;
        refused
    };
    opened.station =
        handshake::identity(request.uri().path()).map_err(|_| refuse(StatusCode::NOT_FOUND))?;
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if let Some(header) = header("Authorization") {
        let (user, _password) =
            handshake::basic(header).map_err(|_| refuse(StatusCode::UNAUTHORIZED))?;
        if user != opened.station {
            return Err(refuse(StatusCode::UNAUTHORIZED));
        }
    }
    opened.version =
        header(PROTOCOL).and_then(|offered| handshake::negotiate(offered, &Version::ALL));
    let version = opened
        .version
        .ok_or_else(|| refuse(StatusCode::BAD_REQUEST))?;
    let headers = response.headers_mut();
    headers.insert(PROTOCOL, HeaderValue::from_static(version.subprotocol()));
    Ok(response)
}

#[expect(
    clippy::result_large_err,
    reason = "the handshake's own type of refusal"
)]
async fn serve(stream: TcpStream, store: Shared) -> Result<(), Box<dyn std::error::Error>> {
    let mut opened = Opened::default();
    let mut socket = accept_hdr_async(stream, |request: &Request, response: Response| {
        open(request, response, &mut opened)
    })
    .await?;
    let Opened {
        station,
        version: Some(version),
    } = opened
    else {
        return Ok(());
    };
    println!("{station}: link, OCPP {}", version.number());
    let began = Instant::now();
    let (book, seed) = {
        let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
        store.links += 1;
        (
            store.books.get(&station).cloned().unwrap_or_default(),
            store.links,
        )
    };
    let config = Arc::new(Config::default());
    let mut session = Session::new(config, version, Standing::Accepted, book, seed, now(began));
    let mut script = Script::default();
    loop {
        let wait = session
            .deadline()
            .map(|at| at.saturating_sub(now(began).ms));
        let wait = std::time::Duration::from_millis(wait.unwrap_or(60_000));
        let message = tokio::time::timeout(wait, socket.next()).await;
        let now = now(began);
        let mut is_over = false;
        match message {
            Err(_) => session.timeout(now),
            Ok(Some(Ok(Message::Text(text)))) => session.receive(text.as_bytes(), now),
            Ok(Some(Ok(Message::Binary(bytes)))) => session.receive(&bytes, now),
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => {
                is_over = true;
                session.lost(now);
            }
            Ok(Some(Ok(_))) => {}
        }
        while let Some(event) = session.event() {
            told(&station, version, &event);
            if let Some(token) = event.token {
                let answer = answer(&store, &station, version, &event);
                // Here a real host waits for its disk.
                session.acknowledge(token, answer, now)?;
            }
            script.step(&event, &mut session, now);
        }
        store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .books
            .insert(station.clone(), session.book().clone());
        if is_over {
            println!("{station}: link over");
            // Answers the station's closing, where the link still stands.
            let _ = socket.close(None).await;
            return Ok(());
        }
        while let Some(output) = session.output() {
            match output {
                Output::Text(text) => socket.send(Message::text(text)).await?,
                Output::Close { code, reason } => {
                    let frame = CloseFrame {
                        code: code.into(),
                        reason: reason.into(),
                    };
                    socket.close(Some(frame)).await?;
                }
            }
        }
    }
}

fn now(began: Instant) -> Now {
    let micros = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |passed| passed.as_micros());
    Now {
        ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        at: Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)),
    }
}

/// One reservation, then one remote start, at the first outlet that is free.
#[derive(Default)]
struct Script {
    has_reserved: bool,
    reservation: Option<u64>,
}

impl Script {
    fn step(&mut self, event: &Event, session: &mut Session, now: Now) {
        let outlet = Some(Outlet {
            evse: 1,
            connector: Some(1),
        });
        let id_token = IdToken::tag("TAG1");
        let command = match &event.what {
            What::Status(status) if status.status == "Available" && !self.has_reserved => {
                self.has_reserved = true;
                Command::Reserve {
                    id: 7,
                    outlet,
                    expires_at: now.at.plus_seconds(900),
                    id_token,
                    group: None,
                }
            }
            What::Answered { command, .. } if self.reservation == Some(*command) => {
                Command::Start {
                    outlet,
                    id_token,
                    remote_start: 42,
                    profile: None,
                }
            }
            _ => return,
        };
        match session.command(&command, now) {
            Ok(number) => {
                if matches!(command, Command::Reserve { .. }) {
                    self.reservation = Some(number);
                }
            }
            Err(told) => println!("not sent: {told}"),
        }
    }
}

fn answer(store: &Shared, station: &str, version: Version, event: &Event) -> Answer {
    let accepted = Authorization::new(AuthorizationStatus::Accepted);
    match &event.what {
        What::Boot(_) => Answer::Boot {
            standing: Standing::Accepted,
            interval_seconds: 30,
        },
        What::Authorize(_) => Answer::Transaction {
            id: None,
            authorization: Some(accepted),
            total_cost_fen: None,
        },
        What::Transaction(part) => {
            let id = part
                .start_key
                .as_ref()
                .map(|key| number(store, station, key));
            let says =
                part.id_token.is_some() || (version == Version::V16 && part.phase == Phase::Ended);
            Answer::Transaction {
                id,
                authorization: says.then_some(accepted),
                total_cost_fen: (version == Version::V201 && part.phase == Phase::Ended)
                    .then_some(1_234),
            }
        }
        What::Data { .. } => Answer::Data {
            status: DataStatus::UnknownVendorId,
            data: None,
        },
        What::Sign { .. } => Answer::Signing { is_accepted: true },
        _ => Answer::Done,
    }
}

fn number(store: &Shared, station: &str, key: &StartKey) -> i32 {
    let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
    let next = 1_001 + i32::try_from(store.numbers.len()).unwrap_or(0);
    *store
        .numbers
        .entry((station.to_owned(), key.clone()))
        .or_insert(next)
}

fn told(station: &str, version: Version, event: &Event) {
    println!("{station}: {:?}", event.what);
    for doubt in &event.doubts {
        println!("{station}: doubt {}", doubt.code());
    }
    let whose = |evse: u32| EntityId::new(format!("urn:ngsi-ld:ChargePoint:{station}-{evse}")).ok();
    let link = Link {
        station,
        version,
        whose: &whose,
    };
    let learnt = map::payload(event, None, link);
    for update in learnt.updates {
        for attribute in update.attributes {
            let (name, unit) = (attribute.name, attribute.unit.unwrap_or_default());
            println!(
                "{station}: {} {name} = {} {unit}",
                update.entity_id,
                attribute.value.to_json()
            );
        }
    }
}
