//! One charge point on the door of charge points: a WebSocket on which [`crate::point::Point`] speaks OCPP, opened again whenever it is lost.

use crate::device::{Tally, Times};
use crate::point::{Act, Plate, Point};
use crate::run::DeviceCredential;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt as _, StreamExt as _};
use model::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

/// How often a charge point looks at its meter and its clock.
const LOOK: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<TcpStream>;

/// Where it goes, and how it shows who it is.
pub(crate) struct Line {
    pub credential: DeviceCredential,
    pub address: SocketAddr,
    pub times: Times,
}

impl Line {
    /// Opens a link (OCPP-J 1.6, 3; 2.0.1, part 4, 3) with security profile 1.
    async fn open(&self, plate: &Plate) -> Result<Socket, String> {
        // A station's identity is the last part of its device's id.
        let identity = self.credential.id.rsplit(':').next().unwrap_or_default();
        let url = format!("ws://{}/ocpp/{identity}", self.address);
        let mut request = url.into_client_request().map_err(|e| e.to_string())?;
        let shown = STANDARD.encode(format!("{identity}:{}", self.credential.password));
        for (name, value) in [
            ("authorization", format!("Basic {shown}")),
            (
                "sec-websocket-protocol",
                plate.version.subprotocol().to_owned(),
            ),
        ] {
            let value = HeaderValue::from_str(&value).map_err(|e| e.to_string())?;
            request.headers_mut().insert(name, value);
        }
        let opening = async {
            let stream = TcpStream::connect(self.address)
                .await
                .map_err(|e| e.to_string())?;
            let (socket, _) = client_async(request, stream)
                .await
                .map_err(|e| e.to_string())?;
            Ok(socket)
        };
        tokio::time::timeout(self.times.ack_timeout, opening)
            .await
            .unwrap_or_else(|_| Err("the link was not opened in time".to_owned()))
    }
}

/// A charge point's life: until its acts end, all that it says is answered; then it ends what charges, and takes its leave.
pub(crate) async fn live(
    line: Line,
    plate: Plate,
    mut acts: mpsc::Receiver<Act>,
    tally: Arc<Tally>,
) {
    let mut point = Point::new(plate.clone(), now());
    let mut wait = line.times.wait_first;
    let mut is_over = false;
    while !is_over {
        // What is to be played meanwhile happens without a link, as it would.
        let opening = line.open(&plate);
        tokio::pin!(opening);
        let opened = loop {
            tokio::select! {
                opened = &mut opening => break opened,
                act = acts.recv(), if !is_over => match act {
                    Some(act) => point.act(act, now()),
                    None => is_over = true,
                },
            }
        };
        match opened {
            Ok(mut socket) => {
                wait = line.times.wait_first;
                tally.links.fetch_add(1, Ordering::Relaxed);
                point.linked(now());
                is_over |= serve(
                    &mut socket,
                    &mut point,
                    &mut acts,
                    line.times.ack_timeout,
                    is_over,
                )
                .await;
                tally
                    .answers
                    .fetch_add(std::mem::take(&mut point.answered), Ordering::Relaxed);
                tally
                    .answers_refused
                    .fetch_add(std::mem::take(&mut point.refused), Ordering::Relaxed);
                point.lost();
            }
            Err(why) => {
                tally.links_refused.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(station = line.credential.id, why, "not connected");
            }
        }
        if !is_over {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(line.times.wait_max);
        }
    }
}

/// Serves a link; whether the acts have ended and all is said.
async fn serve(
    socket: &mut Socket,
    point: &mut Point,
    acts: &mut mpsc::Receiver<Act>,
    answer_wait: Duration,
    was_over: bool,
) -> bool {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_over = was_over;
    if is_over {
        point.switch_off(now());
    }
    let mut asked_at = tokio::time::Instant::now();
    loop {
        while let Some(text) = point.next(now()) {
            asked_at = tokio::time::Instant::now();
            if socket.send(Message::text(text)).await.is_err() {
                return false;
            }
        }
        if is_over && point.is_idle() {
            let _ = socket.close(None).await;
            return true;
        }
        tokio::select! {
            act = acts.recv(), if !is_over => match act {
                Some(act) => point.act(act, now()),
                None => {
                    is_over = true;
                    point.switch_off(now());
                }
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => point.receive(&text, now()),
                // Pings are answered by the codec with the next read or write.
                Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
                Some(Ok(_)) => {}
            },
            _ = look.tick() => {
                if point.waits() && asked_at.elapsed() > answer_wait {
                    return false;
                }
                point.pass(now());
            }
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}
