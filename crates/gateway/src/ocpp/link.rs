//! A link that is open: one task. It reads a message, hands what happened to the sink one after the other, and answers when that is durable.
//! While the sink works, nothing more is read: the station waits, in its own socket, and nothing is dropped.

use super::opening::{Opened, Socket};
use super::seam::Link;
use super::{Door, Failed, Line, Order};
use crate::counting::one;
use crate::listening::stopped;
use crate::mqtt::Refusal;
use futures::{SinkExt as _, StreamExt as _};
use proto_ocpp::message::Reply;
use proto_ocpp::{Answer, Event, Output, Session, Standing, What};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Orders that may wait for one link.
pub(crate) const ORDERS_MAX: usize = 16;
/// WebSocket close codes (RFC 6455, 7.4.1).
const CLOSE_AWAY: u16 = 1_001;
const CLOSE_POLICY: u16 = 1_008;
const CLOSE_TOO_LARGE: u16 = 1_009;
const CLOSE_AGAIN: u16 = 1_013;

/// Why a link ends: a close code and a word for the station; `None` when the station is gone.
type End = Option<(u16, &'static str)>;

/// Serves a link to its end.
pub(crate) async fn run(door: &Arc<Door>, opened: Opened, peer: SocketAddr) {
    let Opened {
        identity,
        known,
        version,
        mut socket,
    } = opened;
    let (orders, taken) = mpsc::channel(ORDERS_MAX);
    let line = Line::new(orders, version, peer, door.link_number());
    door.take_over(&identity, &line).await;
    let link = Link {
        identity,
        known: Arc::new(known),
        version,
        peer,
    };
    one(&door.metrics.links_opened_total);
    tracing::debug!(%peer, station = link.identity, version = version.number(), "link opened");
    door.sink.presence(&link.known, true, door.now().at);
    let session = Session::new(
        Arc::clone(&door.session),
        version,
        // Whoever is registered may do everything; a station that comes back does not boot anew.
        Standing::Accepted,
        door.book_of(&link.identity),
        door.next_seed(),
        door.now(),
    );
    let mut seat = Seat {
        door,
        link: &link,
        session,
        waiting: HashMap::new(),
    };
    let end = seat.serve(&mut socket, &line, taken).await;
    seat.leave().await;
    door.keep_book(&link.identity, seat.session.book().clone());
    if door.leave(&link.identity, &line) {
        door.sink.presence(&link.known, false, door.now().at);
    }
    if let Some((code, reason)) = end {
        tracing::info!(%peer, station = link.identity, code, reason, "link closed");
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        let patience = Duration::from_millis(door.options.limits.write_timeout_ms);
        // Whoever does not listen to a good-bye is simply left.
        let _ = timeout(patience, socket.close(Some(frame))).await;
    }
}

struct Seat<'a> {
    door: &'a Arc<Door>,
    link: &'a Link,
    session: Session,
    /// Who waits for the answers to commands, by number.
    waiting: HashMap<u64, oneshot::Sender<Result<Reply, Failed>>>,
}

impl Seat<'_> {
    async fn serve(
        &mut self,
        socket: &mut Socket,
        line: &Line,
        mut orders: mpsc::Receiver<Order>,
    ) -> End {
        let limits = &self.door.options.limits;
        let mut shutdown = self.door.shutdown.subscribe();
        let ping_after = Duration::from_secs(limits.ping_seconds.max(1));
        let idle_after = Duration::from_secs(limits.idle_seconds_max.max(1));
        let mut heard_at = Instant::now();
        let mut pinged_at = heard_at;
        loop {
            if let Err(end) = self.work(line).await {
                // What was answered before leaves all the same.
                let _ = self.write(socket).await;
                return end;
            }
            self.write(socket).await?;
            let now = self.door.now();
            let read_at = self.door.instant(self.session.read_at_ms(now));
            let may_read = read_at <= Instant::now();
            let ping_at = pinged_at.max(heard_at) + ping_after;
            let mut alarm = ping_at.min(heard_at + idle_after);
            if let Some(deadline) = self.session.deadline() {
                alarm = alarm.min(self.door.instant(deadline));
            }
            if !may_read {
                alarm = alarm.min(read_at);
            }
            tokio::select! {
                biased;
                () = stopped(&mut shutdown) => return Some((CLOSE_AWAY, "the centre closes")),
                () = line.end.cancelled() => return Some((CLOSE_POLICY, "the station opened another link")),
                Some(order) = orders.recv() => self.order(order),
                message = socket.next(), if may_read => {
                    heard_at = Instant::now();
                    if let Err(end) = self.read(message) {
                        return end;
                    }
                }
                () = sleep_until(alarm) => {
                    let now = Instant::now();
                    if now >= heard_at + idle_after {
                        return Some((CLOSE_POLICY, "nothing came for too long"));
                    }
                    if now >= ping_at {
                        pinged_at = now;
                        self.send(socket, Message::Ping(Vec::new().into())).await?;
                    }
                    self.session.timeout(self.door.now());
                }
            }
        }
    }

    /// Takes what came.
    fn read(&mut self, message: Option<Result<Message, Error>>) -> Result<(), End> {
        let bytes = match message {
            Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
            Some(Ok(Message::Binary(bytes))) => bytes.to_vec(),
            Some(Err(Error::Capacity(_))) => {
                one(&self.door.metrics.broken_total);
                return Err(Some((CLOSE_TOO_LARGE, "the message is too large")));
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(None),
            Some(Ok(_)) => return Ok(()),
        };
        one(&self.door.metrics.messages_in_total);
        self.session.receive(&bytes, self.door.now());
        Ok(())
    }

    /// Hands on what happened, and answers it.
    async fn work(&mut self, line: &Line) -> Result<(), End> {
        while let Some(event) = self.session.event() {
            match event.what {
                What::Heartbeat => continue,
                What::Answered { command, reply, .. } => {
                    self.told(command, Ok(reply));
                    continue;
                }
                What::Failed {
                    command,
                    told,
                    may_have_happened,
                } => {
                    self.told(
                        command,
                        Err(Failed {
                            told,
                            may_have_happened,
                        }),
                    );
                    continue;
                }
                What::Broken { .. } => {
                    one(&self.door.metrics.broken_total);
                    let peer = self.link.peer.ip();
                    if !self.door.dead_letters.count(peer, self.door.now_ms()) {
                        one(&self.door.metrics.noisy_total);
                        return Err(Some((CLOSE_POLICY, "too many messages that are none")));
                    }
                }
                _ => {}
            }
            let answer = self.durable(&event, line).await?;
            let Some(token) = event.token else { continue };
            if let Err(told) = self.session.acknowledge(token, answer, self.door.now()) {
                // The sink's mistake: the station is told to try again, and nothing is lost.
                tracing::error!(%told, station = self.link.identity, "an answer does not fit");
                self.session
                    .refuse(token, proto_ocpp::ErrorCode::InternalError, &told);
            }
        }
        Ok(())
    }

    /// Asks the sink until it has taken an event.
    async fn durable(&mut self, event: &Event, line: &Line) -> Result<Answer, End> {
        let limits = &self.door.options.limits;
        let mut shutdown = self.door.shutdown.subscribe();
        let mut pause_ms = limits.unavailable_retry_ms.max(1);
        let mut tries = 0;
        loop {
            let wait_ms = match self.door.sink.take(self.link, event).await {
                Ok(answer) => return Ok(answer),
                Err(Refusal::Busy) => limits.busy_retry_ms.max(1),
                Err(Refusal::Unavailable(problem)) => {
                    tries += 1;
                    if tries >= limits.unavailable_tries_max {
                        one(&self.door.metrics.unavailable_total);
                        tracing::warn!(%problem, station = self.link.identity, "a link is closed: its messages cannot be kept");
                        return Err(Some((CLOSE_AGAIN, "try again later")));
                    }
                    let wait_ms = pause_ms;
                    pause_ms = pause_ms.saturating_mul(2);
                    wait_ms
                }
            };
            one(&self.door.metrics.busy_total);
            tokio::select! {
                () = sleep(Duration::from_millis(wait_ms)) => {}
                () = line.end.cancelled() => {
                    return Err(Some((CLOSE_POLICY, "the station opened another link")));
                }
                // Not answered: the station keeps its message and sends it again.
                () = stopped(&mut shutdown) => return Err(Some((CLOSE_AWAY, "the centre closes"))),
            }
        }
    }

    /// Tells the station what somebody ordered.
    fn order(&mut self, order: Order) {
        match self.session.command(&order.command, self.door.now()) {
            Ok(number) => {
                self.waiting.insert(number, order.answer);
            }
            Err(told) => {
                one(&self.door.metrics.commands_failed_total);
                // Whoever asked may be gone.
                let _ = order.answer.send(Err(Failed {
                    told,
                    may_have_happened: false,
                }));
            }
        }
    }

    /// Tells who ordered it what became of a command; a late answer finds nobody any more.
    fn told(&mut self, command: u64, outcome: Result<Reply, Failed>) {
        one(match &outcome {
            Ok(_) => &self.door.metrics.commands_answered_total,
            Err(_) => &self.door.metrics.commands_failed_total,
        });
        if let Some(answer) = self.waiting.remove(&command) {
            let _ = answer.send(outcome);
        }
    }

    /// Writes what is to be said; `Err`: the link ends.
    async fn write(&mut self, socket: &mut Socket) -> Option<()> {
        while let Some(output) = self.session.output() {
            match output {
                Output::Text(text) => {
                    one(&self.door.metrics.messages_out_total);
                    self.send(socket, Message::text(text)).await?;
                }
                Output::Close { code, reason } => {
                    let frame = CloseFrame {
                        code: code.into(),
                        reason: reason.into(),
                    };
                    self.send(socket, Message::Close(Some(frame))).await?;
                    return None;
                }
            }
        }
        Some(())
    }

    async fn send(&self, socket: &mut Socket, message: Message) -> Option<()> {
        let patience = Duration::from_millis(self.door.options.limits.write_timeout_ms);
        match timeout(patience, socket.send(message)).await {
            Ok(Ok(())) => Some(()),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// The link is over: commands that wait come to nothing.
    async fn leave(&mut self) {
        self.session.lost(self.door.now());
        while let Some(event) = self.session.event() {
            if let What::Failed {
                command,
                told,
                may_have_happened,
            } = event.what
            {
                let failed = Failed {
                    told,
                    may_have_happened,
                };
                self.told(command, Err(failed));
            }
        }
    }
}
