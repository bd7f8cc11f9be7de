//! One connection: its socket, its session and its seat, in one task. It reads what is there, hands
//! every message on at once, and writes the acknowledgements together when the disk has them.

use super::broker::Attached;
use super::host::{Host, Next, Stop, evicted};
use super::inbox::{Inbox, Moved, transfer};
use super::listen::Door;
use super::metrics::Metrics;
use super::seam::Client;
use model::Timestamp;
use proto_mqtt::message::{Connect, Disconnect};
use proto_mqtt::session::Delivered;
use proto_mqtt::{Fault, Reason, Session, Step, Version, Welcome, Will};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// How often a quiet connection looks at itself, in milliseconds.
const LOOK_INTERVAL_MS: u64 = 30_000;
/// Most room made for one read, in bytes: a peer that announces a large packet gets memory as it sends.
const READ_BYTES_MAX: usize = 64 * 1024;
/// Capacity of the output kept between bursts, in bytes.
const OUTPUT_KEPT_BYTES: usize = 16 * 1024;

/// Why a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The peer closed, or the network broke.
    Gone,
    /// The client said good-bye.
    Disconnect(Disconnect),
    /// The client broke a rule, or we cannot serve it.
    Fault(Box<Fault>),
    /// The session says no more: refused at sign-in.
    Refused,
}

impl End {
    /// Ends with a fault.
    pub fn fault(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

/// A client signed in.
pub(crate) struct Guest {
    pub client: Arc<Client>,
    pub attached: Attached,
    will: Option<Will>,
    expiry_seconds: u32,
}

/// Counts of one turn, added to the metrics at its end.
#[derive(Default)]
pub(crate) struct Tally {
    pub messages: u64,
    pub taken: u64,
    acknowledged: u64,
    sent: u64,
}

struct Connection<S> {
    door: Arc<Door>,
    stream: S,
    peer: SocketAddr,
    /// The certificate whose key the client holds, DER.
    certificate: Option<Box<[u8]>>,
    inbox: Inbox,
    session: Session,
    guest: Option<Guest>,
    durable: watch::Receiver<u64>,
    shutdown: watch::Receiver<bool>,
    /// How much of the session's output is written.
    written: usize,
    /// When the socket last took something, or had nothing to take.
    write_moved_ms: u64,
    /// The sink could not take the message at the front.
    busy: bool,
    /// The seat may hold something to send.
    look_at_seat: bool,
    /// Bytes wanted at least before another step.
    wanted: usize,
    /// Messages handed on and not acknowledged, as counted in the metrics.
    in_flight: u64,
}

/// Serves one connection to its end.
pub(crate) async fn serve<S>(
    door: Arc<Door>,
    stream: S,
    peer: SocketAddr,
    certificate: Option<Box<[u8]>>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let now_ms = door.now_ms();
    let mut connection = Connection {
        stream,
        peer,
        certificate,
        inbox: Inbox::new(door.options.limits.read_buffer_bytes_max),
        session: Session::new(Arc::clone(&door.session_config), now_ms),
        guest: None,
        durable: door.sink.durable(),
        shutdown: door.shutdown.subscribe(),
        written: 0,
        write_moved_ms: now_ms,
        busy: false,
        look_at_seat: false,
        wanted: 1,
        in_flight: 0,
        door,
    };
    let end = match connection.run().await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    connection.end(end).await;
}

enum Never {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    async fn run(&mut self) -> Result<Never, End> {
        let mut alarm = Box::pin(sleep_until(Instant::now()));
        let mut alarm_ms = 0;
        loop {
            if let Some(connect) = self.turn()? {
                self.sign_in(connect).await?;
                continue;
            }
            let now_ms = self.door.now_ms();
            if let Some(fault) = self.overdue(now_ms) {
                return Err(End::fault(fault));
            }
            let next_ms = self.next_look(now_ms);
            if alarm_ms <= now_ms || next_ms < alarm_ms {
                alarm_ms = next_ms;
                alarm.as_mut().reset(self.door.instant(next_ms));
            }
            let reads = !self.is_held_back();
            let awaits = self.session.awaits().is_some() || self.busy;
            // Borrowed apart, so that the branches below can run side by side.
            let Self {
                stream,
                inbox,
                session,
                written,
                guest,
                durable,
                shutdown,
                look_at_seat,
                ..
            } = self;
            if reads {
                inbox.make_room(self.wanted.min(READ_BYTES_MAX));
            }
            tokio::select! {
                biased;
                () = stopped(shutdown) => return Err(self.shut_down().await),
                () = ring(guest.as_ref()) => *look_at_seat = true,
                changed = durable.changed(), if awaits => {
                    if changed.is_err() {
                        return Err(End::fault(unavailable("the journal is closed")));
                    }
                }
                moved = transfer(stream, inbox, session.output(), written, reads) => {
                    self.moved(moved)?;
                }
                () = &mut alarm => {
                    alarm_ms = 0;
                    self.inbox.rest();
                }
            }
            self.busy = false;
        }
    }

    /// Does all that can be done without waiting. Answers a client that wants to sign in.
    fn turn(&mut self) -> Result<Option<Box<Connect>>, End> {
        let mut tally = Tally::default();
        let result = self.work(&mut tally);
        let metrics = &self.door.metrics;
        Metrics::add(&metrics.messages_in_total, tally.messages);
        Metrics::add(&metrics.acknowledgements_total, tally.acknowledged);
        Metrics::add(&metrics.messages_out_total, tally.sent);
        if tally.taken > tally.acknowledged {
            let more = tally.taken - tally.acknowledged;
            self.in_flight += more;
            Metrics::add(&metrics.in_flight, more);
        } else {
            let fewer = tally.acknowledged - tally.taken;
            self.in_flight -= fewer;
            Metrics::less(&metrics.in_flight, fewer);
        }
        result
    }

    fn work(&mut self, tally: &mut Tally) -> Result<Option<Box<Connect>>, End> {
        self.acknowledge(tally);
        let now_ms = self.door.now_ms();
        let received_at = self.door.now();
        self.wanted = 1;
        while !self.is_held_back() {
            let step = self.session.step(self.inbox.bytes(), now_ms);
            let (event, used) = match step.map_err(End::fault)? {
                Step::Event { event, used } => (event, used),
                Step::Incomplete(at_least) => {
                    self.wanted = at_least;
                    break;
                }
                Step::Idle => break,
            };
            let mut host = Host {
                door: &self.door,
                session: &mut self.session,
                guest: self.guest.as_ref(),
                received_at,
                tally,
                look_at_seat: &mut self.look_at_seat,
            };
            match host.event(event) {
                Ok(Next::Go) => self.inbox.used(used),
                Ok(Next::SignIn(connect)) => {
                    self.inbox.used(used);
                    return Ok(Some(connect));
                }
                Err(Stop::Busy) => {
                    self.busy = true;
                    Metrics::one(&self.door.metrics.busy_total);
                    break;
                }
                Err(Stop::End(end)) => return Err(end),
            }
        }
        self.acknowledge(tally);
        if self.look_at_seat {
            self.send_waiting(received_at, tally)?;
        }
        Ok(None)
    }

    /// Whether reading waits for something: the sink, the disk, or the socket's other direction.
    fn is_held_back(&mut self) -> bool {
        self.busy
            || self.session.output().len() >= self.door.options.limits.output_bytes_max
            // A client of version 5 was told its limit and is faulted by the session instead.
            || (self.session.version() == Version::V311 && self.session.is_full())
    }

    fn acknowledge(&mut self, tally: &mut Tally) {
        if self.session.awaits().is_some() {
            let position = *self.durable.borrow_and_update();
            tally.acknowledged += self.session.durable(position) as u64;
        }
    }

    fn send_waiting(&mut self, now: Timestamp, tally: &mut Tally) -> Result<(), End> {
        let Some(guest) = &self.guest else {
            return Ok(());
        };
        let Attached {
            seat, generation, ..
        } = &guest.attached;
        let mut inner = seat.enter(*generation).map_err(evicted)?;
        while self.session.output().len() < self.door.options.limits.output_bytes_max {
            let Some(send) = inner.memory.next(self.session.window()) else {
                self.look_at_seat = false;
                break;
            };
            if self.session.deliver(&send, now) == Delivered::Written {
                tally.sent += 1;
            } else if let Some(packet_id) = send.packet_id {
                inner.memory.acknowledged(packet_id);
            }
        }
        Ok(())
    }

    fn moved(&mut self, moved: std::io::Result<Moved>) -> Result<(), End> {
        let moved = moved.map_err(|_| End::Gone)?;
        let metrics = &self.door.metrics;
        Metrics::add(&metrics.bytes_out_total, moved.wrote as u64);
        let out = self.session.output();
        if self.written == out.len() {
            out.clear();
            out.shrink_to(OUTPUT_KEPT_BYTES);
            self.written = 0;
        }
        if moved.wrote > 0 {
            self.write_moved_ms = self.door.now_ms();
        }
        match moved.read {
            Some(0) => Err(End::Gone),
            Some(n) => {
                Metrics::add(&metrics.bytes_in_total, n as u64);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn overdue(&mut self, now_ms: u64) -> Option<Fault> {
        if self.session.output().is_empty() {
            self.write_moved_ms = now_ms;
        } else if now_ms >= self.write_moved_ms + self.door.options.limits.write_timeout_ms {
            return Some(Fault::of(
                Reason::QUOTA_EXCEEDED,
                "mqtt-write-timeout",
                "the client takes nothing of what is sent to it",
                "connection",
                "read from the connection, or subscribe to less",
            ));
        }
        // A client that we do not read cannot be told silent.
        let fault = self.session.timeout(now_ms)?;
        (!self.is_held_back()).then_some(fault)
    }

    fn next_look(&mut self, now_ms: u64) -> u64 {
        let limits = &self.door.options.limits;
        if self.busy {
            return now_ms + limits.busy_retry_ms;
        }
        let mut next = now_ms + LOOK_INTERVAL_MS;
        if let Some(deadline) = self.session.deadline() {
            next = next.min(deadline.max(now_ms + limits.busy_retry_ms));
        }
        if !self.session.output().is_empty() {
            next = next.min(self.write_moved_ms + limits.write_timeout_ms);
        }
        next
    }

    async fn sign_in(&mut self, connect: Box<Connect>) -> Result<(), End> {
        let metrics = Arc::clone(&self.door.metrics);
        let certificate = self.certificate.as_deref();
        match self
            .door
            .decide(&connect, self.peer.ip(), certificate)
            .await
        {
            Ok((client, assigned_client_id)) => {
                let client = Arc::new(client);
                let attached = self.door.broker.attach(&client, connect.clean_start);
                let attached = attached.map_err(|reason| {
                    self.session.refuse(reason, Some("too many sessions"));
                    End::Refused
                })?;
                if let Some((owner, will)) = attached.ended_will.clone() {
                    self.door.publish_will(owner, will);
                }
                let welcome = Welcome {
                    session_present: attached.session_present,
                    assigned_client_id,
                };
                let expiry_seconds = self.session.welcome(&connect, welcome);
                Metrics::one(&metrics.sign_ins_total);
                Metrics::one(&metrics.clients);
                let now = self.door.now();
                self.door.sink.presence(&client, true, now);
                tracing::debug!(peer = %self.peer, client = client.client_id, "signed in");
                self.guest = Some(Guest {
                    client,
                    attached,
                    will: connect.will,
                    expiry_seconds,
                });
                self.look_at_seat = true;
                Ok(())
            }
            Err((reason, text)) => {
                let counter = if reason == Reason::CONNECTION_RATE_EXCEEDED {
                    &metrics.sign_ins_limited_total
                } else {
                    &metrics.sign_ins_failed_total
                };
                Metrics::one(counter);
                tracing::info!(
                    peer = %self.peer,
                    client = model::problem::quote(&connect.client_id),
                    username = model::problem::quote(connect.username.as_deref().unwrap_or("")),
                    text,
                    "not let in"
                );
                self.session.refuse(reason, Some(text));
                Err(End::Refused)
            }
        }
    }

    /// Takes no more, waits for what was taken to be acknowledged, and says good-bye.
    async fn shut_down(&mut self) -> End {
        let deadline = Instant::now() + Duration::from_millis(self.door.options.limits.shutdown_ms);
        while self.session.awaits().is_some() {
            let mut tally = Tally::default();
            self.acknowledge(&mut tally);
            Metrics::add(
                &self.door.metrics.acknowledgements_total,
                tally.acknowledged,
            );
            self.in_flight -= tally.acknowledged;
            Metrics::less(&self.door.metrics.in_flight, tally.acknowledged);
            tokio::select! {
                changed = self.durable.changed(), if self.session.awaits().is_some() => {
                    if changed.is_err() {
                        break;
                    }
                }
                () = sleep_until(deadline) => break,
                else => break,
            }
        }
        End::fault(Fault::of(
            Reason::SERVER_SHUTTING_DOWN,
            "mqtt-shutdown",
            "the platform is stopping",
            "connection",
            "connect again",
        ))
    }

    async fn end(mut self, end: End) {
        let metrics = Arc::clone(&self.door.metrics);
        let limits = self.door.options.limits.clone();
        Metrics::less(&metrics.in_flight, self.in_flight);
        let mut keeps_will = true;
        let mut expiry_seconds = self.guest.as_ref().map_or(0, |g| g.expiry_seconds);
        match &end {
            End::Gone | End::Refused => {}
            End::Disconnect(disconnect) => {
                keeps_will = disconnect.reason != Reason::SUCCESS;
                if let Some(seconds) = disconnect.session_expiry_seconds {
                    expiry_seconds =
                        seconds.min(self.door.session_config.session_expiry_seconds_max);
                }
            }
            End::Fault(fault) => {
                let client = self
                    .guest
                    .as_ref()
                    .map_or("", |g| g.client.client_id.as_str());
                tracing::info!(peer = %self.peer, client, problem = %fault.problem, "connection ended");
                if fault.reason != Reason::SERVER_SHUTTING_DOWN
                    && fault.reason != Reason::SESSION_TAKEN_OVER
                {
                    Metrics::one(&metrics.faults_total);
                }
                let text = format!("{}; {}", fault.problem.what, fault.problem.mend);
                self.session.close(fault.reason, Some(&text));
            }
        }
        if let Some(guest) = self.guest.take() {
            Metrics::less(&metrics.clients, 1);
            let will = guest.will.filter(|_| keeps_will);
            let door = &self.door;
            let (was_newest, will) =
                door.broker
                    .detach(&guest.attached, expiry_seconds, will, door.now_ms());
            if was_newest {
                door.sink.presence(&guest.client, false, door.now());
            }
            if let Some(will) = will {
                door.publish_will(guest.client, will);
            }
        }
        if !matches!(end, End::Gone) {
            let good_bye = async {
                let out = std::mem::take(self.session.output());
                let rest = out.get(self.written..).unwrap_or_default();
                self.stream.write_all(rest).await?;
                self.stream.shutdown().await?;
                // Reads on for a moment: bytes left unread would turn the good-bye into a reset.
                // On the heap: it would otherwise be part of every connection's memory.
                let mut dropped = vec![0; 4096];
                while self.stream.read(&mut dropped).await? > 0 {}
                std::io::Result::Ok(())
            };
            // Whoever does not listen to a good-bye is simply left.
            let _ = timeout(Duration::from_millis(limits.linger_ms), good_bye).await;
        }
    }
}

/// Resolves when the seat has something to look at; never for a peer that has none.
async fn ring(guest: Option<&Guest>) {
    match guest {
        Some(guest) => guest.attached.seat.wake.notified().await,
        None => std::future::pending().await,
    }
}

/// Resolves when the door shuts down.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error means that the door is gone, which is a shutdown too.
    let _ = shutdown.wait_for(|down| *down).await;
}

fn unavailable(what: &str) -> Fault {
    Fault::of(
        Reason::SERVER_BUSY,
        "mqtt-unavailable",
        what,
        "platform",
        "see the platform's log; the client keeps its messages and may connect again",
    )
}
