//! One link, whatever carries it: its session, the stations on it, and what is done about each event.

use super::metrics::{add, one};
use super::seam::{Incoming, Known, Unknown};
use super::{Door, Order};
use crate::mqtt::Refusal;
use model::{Problem, Timestamp};
use proto_sl651::message::function;
use proto_sl651::session::{Event, Received, Session};
use proto_sl651::{Message, Station, map};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Why a link does not go on with an event.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The sink is busy: the event stays and is tried again.
    Busy,
    /// The link is to be closed.
    Close(Problem),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Busy => Self::Busy,
            Refusal::Unavailable(problem) => Self::Close(problem),
        }
    }
}

/// A station as it was found, and when.
struct Found {
    known: Result<Arc<Known>, Unknown>,
    password: Option<u16>,
    found_ms: u64,
}

pub(crate) struct Link {
    door: Arc<Door>,
    peer: IpAddr,
    pub session: Session,
    /// An event that the sink could not take yet.
    waiting: Option<Event>,
    found: HashMap<Station, Found>,
    /// Stations told to be online.
    pub online: HashMap<Station, Arc<Known>>,
    orders: HashMap<u64, oneshot::Sender<Result<Message, Problem>>>,
}

impl Link {
    pub fn new(door: Arc<Door>, peer: IpAddr, in_datagrams: bool) -> Self {
        Self {
            session: Session::new(Arc::clone(&door.session), in_datagrams),
            door,
            peer,
            waiting: None,
            found: HashMap::new(),
            online: HashMap::new(),
            orders: HashMap::new(),
        }
    }

    /// Does all that can be done with what has come; `Busy` when the sink must be waited for.
    pub async fn work(&mut self) -> Result<(), Stop> {
        while !self.session.is_full() {
            let now = self.door.now();
            let event = self
                .waiting
                .take()
                .or_else(|| self.session.event(now))
                .or_else(|| self.session.timeout(now));
            let Some(event) = event else {
                break;
            };
            if let Err((stop, event)) = self.handle(event).await {
                if matches!(stop, Stop::Busy) {
                    one(&self.door.metrics.busy_total);
                    self.waiting = Some(event);
                }
                return Err(stop);
            }
        }
        Ok(())
    }

    /// Lets go of an event that the sink was too busy for; the station sends its message again.
    pub fn drop_waiting(&mut self) {
        self.waiting = None;
    }

    /// Writes what is due now that everything below `position` is durable.
    pub fn confirm(&mut self, position: u64) {
        let written = self.session.durable(position, self.door.now());
        add(&self.door.metrics.confirmations_total, written);
    }

    async fn handle(&mut self, event: Event) -> Result<(), (Stop, Event)> {
        match event {
            Event::Message(received) => match self.message(&received).await {
                Ok(()) => {
                    self.answered(*received);
                    Ok(())
                }
                Err(stop) => Err((stop, Event::Message(received))),
            },
            Event::Broken {
                ref bytes,
                size_bytes,
                ref problem,
                station,
            } => {
                let address = station.map(|s| s.to_string()).unwrap_or_default();
                let at = self.door.now().at;
                match self.reject(None, &address, bytes, size_bytes, problem.clone(), at) {
                    Ok(_) => {
                        one(&self.door.metrics.broken_total);
                        tracing::debug!(peer = %self.peer, %problem, "not a message");
                        Ok(())
                    }
                    Err(stop) => Err((stop, event)),
                }
            }
            Event::CommandFailed {
                command, problem, ..
            } => {
                one(&self.door.metrics.commands_failed_total);
                if let Some(answer) = self.orders.remove(&command) {
                    // Whoever asked may be gone.
                    let _ = answer.send(Err(problem));
                }
                Ok(())
            }
        }
    }

    async fn message(&mut self, received: &Received) -> Result<(), Stop> {
        let door = Arc::clone(&self.door);
        let head = &received.frame;
        let address = format!("{}/{:02X}", head.station, head.function);
        let at = door.now().at;
        let size_bytes = received.raw.len();
        let known = match self.find(head.station, Some(head.password)).await {
            Ok(known) => known,
            Err(Unknown::Unavailable) => {
                tracing::warn!(station = %head.station, "whose the station is cannot be found out now");
                return Ok(());
            }
            Err(why) => {
                let problem = match why {
                    Unknown::WrongPassword => {
                        one(&door.metrics.wrong_passwords_total);
                        wrong_password(head.station)
                    }
                    Unknown::NotRegistered | Unknown::Unavailable => {
                        one(&door.metrics.unknown_stations_total);
                        map::unknown(head.station)
                    }
                };
                // Never confirmed: to the station it looks as if nobody were there.
                self.reject(None, &address, &received.raw, size_bytes, problem, at)?;
                return Ok(());
            }
        };
        if self
            .online
            .insert(head.station, Arc::clone(&known))
            .is_none()
        {
            door.sink.presence(&known, true, at);
        }
        if head.function == function::KEEP_ALIVE {
            one(&door.metrics.keep_alives_total);
            return Ok(());
        }
        let fingerprint = door.repeated.lock().fingerprint(head);
        let seen = door.repeated.lock().seen(fingerprint);
        if let Some(position) = seen {
            one(&door.metrics.repeated_total);
            self.session.accepted(received.answer.clone(), position);
            return Ok(());
        }
        let incoming = Incoming {
            sender: Some(&known),
            address: &address,
            raw: &received.raw,
            received_at: at,
        };
        let position = match &received.message {
            Err(problem) => {
                one(&door.metrics.messages_refused_total);
                door.sink
                    .reject(incoming, size_bytes as u64, problem.clone())?
            }
            Ok(message) => {
                let mut stations = HashMap::from([(head.station, Arc::clone(&known))]);
                for other in message.others() {
                    if let Ok(other_known) = self.find(other, None).await {
                        stations.insert(other, other_known);
                    }
                }
                let receipt = door
                    .sink
                    .submit(incoming, message, &received.warnings, &stations)?;
                if receipt.refused.is_some() {
                    one(&door.metrics.messages_refused_total);
                }
                receipt.position
            }
        };
        one(&door.metrics.messages_total);
        door.repeated.lock().remember(fingerprint, position);
        self.session.accepted(received.answer.clone(), position);
        Ok(())
    }

    /// Gives an answer to whoever asked.
    fn answered(&mut self, received: Received) {
        let Some(answer) = received.command.and_then(|c| self.orders.remove(&c)) else {
            return;
        };
        one(&self.door.metrics.commands_answered_total);
        // Whoever asked may be gone.
        let _ = answer.send(received.message);
    }

    fn reject(
        &self,
        sender: Option<&Known>,
        address: &str,
        raw: &[u8],
        size_bytes: usize,
        problem: Problem,
        received_at: Timestamp,
    ) -> Result<(), Stop> {
        if !self.door.may_keep_dead_letter(self.peer) {
            one(&self.door.metrics.dead_letters_dropped_total);
            return Err(Stop::Close(Problem::new(
                "sl651-too-many-dead-letters",
                format!("{} sends too much that is not taken", self.peer),
                "link",
                "see the dead letters, and mend or register the station",
            )));
        }
        let incoming = Incoming {
            sender,
            address,
            raw,
            received_at,
        };
        self.door
            .sink
            .reject(incoming, size_bytes as u64, problem)?;
        Ok(())
    }

    async fn find(
        &mut self,
        station: Station,
        password: Option<u16>,
    ) -> Result<Arc<Known>, Unknown> {
        let fresh_ms = self.door.options.limits.directory_seconds * 1_000;
        let now_ms = self.door.now_ms();
        if let Some(found) = self.found.get(&station)
            && found.password == password
            && now_ms < found.found_ms + fresh_ms
        {
            return found.known.clone();
        }
        let known = self.door.directory.find(station, password).await;
        let known = known.map(Arc::new);
        // Bounded by the session's limit of stations, but for relays that speak for many.
        if self.found.len() >= self.door.session.stations_max {
            self.found.clear();
        }
        if known != Err(Unknown::Unavailable) {
            let found = Found {
                known: known.clone(),
                password,
                found_ms: now_ms,
            };
            self.found.insert(station, found);
        }
        known
    }

    /// Sends a query or setting.
    pub fn order(&mut self, order: Order) {
        let now = self.door.now();
        match self
            .session
            .command(order.station, order.function, order.command, now)
        {
            Ok(number) => {
                self.orders.insert(number, order.answer);
            }
            Err(problem) => {
                let _ = order.answer.send(Err(problem));
            }
        }
    }

    /// Tells that the link's stations are gone.
    pub fn end(&mut self) {
        let at = self.door.now().at;
        for (_, known) in self.online.drain() {
            self.door.sink.presence(&known, false, at);
        }
    }
}

fn wrong_password(station: Station) -> Problem {
    Problem::new(
        "sl651-wrong-password",
        format!("station {station} sends another password than it is registered with"),
        "frame, password",
        "set the station's password (function 49H, or on site), or the one in sl651.station or sl651.password",
    )
}
