//! One link, whatever carries it: its session, the stations on it, and what is done about each event.

use super::seam::{Incoming, Known, Unknown};
use super::{Door, Order};
use crate::counting::{add, one};
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

pub(crate) struct Link {
    door: Arc<Door>,
    peer: IpAddr,
    pub session: Session,
    /// An event that the sink could not take yet.
    waiting: Option<Event>,
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
            match self.handle(&event).await {
                Ok(()) => self.tell(event),
                Err(Stop::Busy) => {
                    one(&self.door.metrics.busy_total);
                    self.waiting = Some(event);
                    return Err(Stop::Busy);
                }
                Err(close) => return Err(close),
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

    /// Hands an event on; nothing has changed when the sink is busy.
    async fn handle(&mut self, event: &Event) -> Result<(), Stop> {
        match event {
            Event::Message(received) => self.message(received).await,
            Event::Broken {
                bytes,
                size_bytes,
                problem,
                station,
            } => {
                let address = station.map(|s| s.to_string()).unwrap_or_default();
                let at = self.door.now().at;
                self.reject(None, &address, bytes, *size_bytes, problem.clone(), at)?;
                one(&self.door.metrics.broken_total);
                tracing::debug!(peer = %self.peer, %problem, "not a message");
                Ok(())
            }
            Event::CommandFailed { .. } => Ok(()),
        }
    }

    /// Tells whoever asked a station something.
    fn tell(&mut self, event: Event) {
        let (command, answer) = match event {
            Event::Message(received) => (received.command, received.message),
            Event::CommandFailed {
                command, problem, ..
            } => (Some(command), Err(problem)),
            Event::Broken { .. } => return,
        };
        let Some(asked) = command.and_then(|command| self.orders.remove(&command)) else {
            return;
        };
        let metrics = &self.door.metrics;
        one(match &answer {
            Ok(_) => &metrics.commands_answered_total,
            Err(_) => &metrics.commands_failed_total,
        });
        // Whoever asked may be gone.
        let _ = asked.send(answer);
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

    async fn find(&self, station: Station, password: Option<u16>) -> Result<Arc<Known>, Unknown> {
        if let Some(known) = self.door.found(station, password) {
            return known;
        }
        let known = self.door.directory.find(station, password).await;
        let known = known.map(Arc::new);
        self.door.remember(station, password, known.clone());
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
