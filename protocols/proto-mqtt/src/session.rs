//! One connection as a state machine without I/O: bytes and time go in, events and bytes come out.
//!
//! | state | input | answer | next |
//! | --- | --- | --- | --- |
//! | Connecting | CONNECT | event `Connect` | SigningIn |
//! | Connecting | anything else | fault | Closed |
//! | Connecting, SigningIn | `connect_timeout_ms` | fault | Closed |
//! | SigningIn | [`Session::welcome`] | CONNACK 0 | Up |
//! | SigningIn | [`Session::refuse`] | CONNACK with a failure | Closed |
//! | Up | PUBLISH | event `Publish`; [`Session::check_topic`], [`Session::accepted`] puts its acknowledgement in line | Up |
//! | Up | [`Session::durable`] | PUBACK or PUBREC, in the order of the PUBLISHes | Up |
//! | Up | a PUBLISH above `packet_bytes_max` | event `Oversize` with its first bytes | Up |
//! | Up | PUBREL | event `Release`; [`Session::released`] writes PUBCOMP | Up |
//! | Up | PUBACK | event `Acknowledged` | Up |
//! | Up | SUBSCRIBE, UNSUBSCRIBE | event; [`Session::suback`], [`Session::unsuback`] | Up |
//! | Up | PINGREQ | PINGRESP | Up |
//! | Up | DISCONNECT | event `Disconnect` | Closed |
//! | Up | one and a half keep-alives of silence | fault | Closed |
//! | any | a broken or misplaced packet | fault; [`Session::close`] writes DISCONNECT | Closed |
//!
//! The host calls [`Session::step`] until it needs more bytes, writes [`Session::output`] out, and
//! wakes it at [`Session::deadline`]. A step changes nothing that a second step on the same bytes
//! would not change again, so a host that cannot take a message yet simply does not advance.

use crate::config::Config;
use crate::decode::{self, Front};
use crate::encode::{self, ConnackProperties};
use crate::error::{Fault, Reason};
use crate::frame::Header;
use crate::memory::Send;
use crate::message::{Connect, Disconnect, Packet, Publish, Qos, Subscribe, Unsubscribe, Version};
use crate::topic;
use model::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// What happened, for the host to act upon.
#[derive(Debug, PartialEq)]
pub enum Event<'b> {
    /// A client wants in: answer with [`Session::welcome`] or [`Session::refuse`].
    Connect(Box<Connect>),
    /// A message: hand it on, then call [`Session::accepted`].
    Publish(Publish<'b>),
    /// A message too large to keep. Its `payload` holds the first bytes, after the packet identifier.
    /// Either [`Session::skip`] it, or close.
    Oversize {
        /// The message, cut; without properties.
        publish: Publish<'b>,
        /// Size of the whole payload, in bytes; of MQTT 5 with its properties.
        payload_bytes: usize,
        /// Size of the whole packet, in bytes.
        total_bytes: usize,
    },
    /// The client has a message of ours.
    Acknowledged {
        /// Packet identifier.
        packet_id: u16,
    },
    /// Second half of a QoS 2 message: forget its identifier, then call [`Session::released`].
    Release {
        /// Packet identifier.
        packet_id: u16,
    },
    /// Subscribe, then call [`Session::suback`].
    Subscribe(Subscribe),
    /// Unsubscribe, then call [`Session::unsuback`].
    Unsubscribe(Unsubscribe),
    /// The client says good-bye; the connection is over.
    Disconnect(Disconnect),
    /// Answered already, or nothing to do.
    Handled,
}

/// One step's result.
#[derive(Debug, PartialEq)]
pub enum Step<'b> {
    /// Something happened; advance by `used` bytes once it is dealt with.
    Event {
        /// What.
        event: Event<'b>,
        /// Bytes it took from the front.
        used: usize,
    },
    /// At least this many more bytes are needed.
    Incomplete(usize),
    /// The connection is over, or waits for the sign-in.
    Idle,
}

/// How a client is let in.
#[derive(Clone, Debug, Default)]
pub struct Welcome {
    /// Whether an earlier session goes on.
    pub session_present: bool,
    /// The client identifier, when the server chose it.
    pub assigned_client_id: Option<String>,
}

/// What became of a message for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It is in the output.
    Written,
    /// Its time was over.
    Expired,
    /// The client takes no packet that large.
    TooLarge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Connecting,
    SigningIn,
    Up,
    Closed,
}

#[derive(Debug)]
struct Pending {
    /// The durable position it waits for: one above the message's own, or 0.
    due_at: u64,
    packet_id: u16,
    first_byte: u8,
    reason: Reason,
    text: Option<Box<str>>,
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    state: State,
    version: Version,
    out: Vec<u8>,
    pending: VecDeque<Pending>,
    opened_ms: u64,
    last_seen_ms: u64,
    keep_alive_ms: Option<u64>,
    skip_bytes: usize,
    session_expiry_seconds: u32,
    receive_max: u16,
    client_packet_bytes_max: usize,
    wants_reasons: bool,
}

const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBCOMP: u8 = 0x70;

impl Session {
    /// A connection opened at `now_ms` of the host's steady clock.
    pub fn new(config: Arc<Config>, now_ms: u64) -> Self {
        Self {
            config,
            state: State::Connecting,
            version: Version::V5,
            out: Vec::new(),
            pending: VecDeque::new(),
            opened_ms: now_ms,
            last_seen_ms: now_ms,
            keep_alive_ms: None,
            skip_bytes: 0,
            session_expiry_seconds: 0,
            receive_max: 0,
            client_packet_bytes_max: usize::MAX,
            wants_reasons: false,
        }
    }

    /// Looks at the bytes received and not yet used.
    ///
    /// # Errors
    /// A [`Fault`]: the connection must end; call [`Session::close`].
    pub fn step<'b>(&mut self, bytes: &'b [u8], now_ms: u64) -> Result<Step<'b>, Fault> {
        if matches!(self.state, State::Closed | State::SigningIn) {
            return Ok(Step::Idle);
        }
        if self.skip_bytes > 0 && !bytes.is_empty() {
            let used = self.skip_bytes.min(bytes.len());
            self.skip_bytes -= used;
            self.last_seen_ms = now_ms;
            return Ok(event(Event::Handled, used));
        }
        let (version, bytes_max) = match self.state {
            State::Connecting => (None, self.config.connect_bytes_max),
            _ => (Some(self.version), self.config.packet_bytes_max),
        };
        match decode::front(bytes, version, bytes_max)? {
            Front::Packet(packet, used) => {
                self.last_seen_ms = now_ms;
                Ok(event(self.packet(packet)?, used))
            }
            Front::Incomplete(at_least) => Ok(Step::Incomplete(at_least)),
            Front::Foreign => Err(Fault::malformed(
                "the first bytes are no MQTT CONNECT",
                "connection",
            )),
            Front::TooLarge(header) => self.oversize(header, bytes),
        }
    }

    fn packet<'b>(&mut self, packet: Packet<'b>) -> Result<Event<'b>, Fault> {
        Ok(match packet {
            Packet::Connect(connect) => {
                self.version = connect.version;
                self.state = State::SigningIn;
                if let Some(will) = &connect.will {
                    self.check_topic(&will.topic)?;
                }
                if let Some(method) = &connect.authentication_method {
                    return Err(Fault::of(
                        Reason::BAD_AUTHENTICATION_METHOD,
                        "mqtt-authentication-method",
                        format!(
                            "authentication method \"{}\"",
                            model::problem::quote(method)
                        ),
                        "CONNECT properties",
                        "sign in with user name and password",
                    ));
                }
                Event::Connect(connect)
            }
            Packet::Publish(publish) => {
                if publish.qos != Qos::AtMostOnce && self.version == Version::V5 && self.is_full() {
                    return Err(Fault::of(
                        Reason::RECEIVE_MAXIMUM_EXCEEDED,
                        "mqtt-receive-maximum",
                        format!("more than {} messages unacknowledged", self.pending.len()),
                        "PUBLISH",
                        "obey Receive Maximum in CONNACK",
                    ));
                }
                Event::Publish(publish)
            }
            Packet::Puback { packet_id } => Event::Acknowledged { packet_id },
            Packet::Pubrel { packet_id } => Event::Release { packet_id },
            Packet::Subscribe(subscribe) => {
                self.check_count(subscribe.filters.len())?;
                Event::Subscribe(subscribe)
            }
            Packet::Unsubscribe(unsubscribe) => {
                self.check_count(unsubscribe.filters.len())?;
                Event::Unsubscribe(unsubscribe)
            }
            Packet::Pingreq => {
                encode::pingresp(&mut self.out);
                Event::Handled
            }
            Packet::Disconnect(disconnect) => {
                if self.session_expiry_seconds == 0
                    && disconnect.session_expiry_seconds.is_some_and(|s| s > 0)
                {
                    return Err(Fault::protocol(
                        "a session expiry in DISCONNECT, but none in CONNECT",
                        "DISCONNECT",
                    ));
                }
                self.state = State::Closed;
                Event::Disconnect(disconnect)
            }
        })
    }

    fn oversize<'b>(&self, header: Header, bytes: &'b [u8]) -> Result<Step<'b>, Fault> {
        let total_bytes = header.total_bytes();
        if self.state == State::Connecting {
            return Err(self.config.connect_too_large(total_bytes));
        }
        if header.kind != 3 {
            return Err(self.config.too_large(total_bytes));
        }
        let kept = self.config.oversize_kept_bytes.min(total_bytes);
        if bytes.len() < kept {
            return Ok(Step::Incomplete(kept - bytes.len()));
        }
        // Read as 3.1.1: properties of MQTT 5 may be cut, so they stay in the payload's front.
        let front = bytes.get(header.header_bytes..kept).unwrap_or_default();
        let publish = decode::publish(header.flags, front, Version::V311)
            .and_then(|p| self.check_topic(p.topic).map(|()| p))
            .map_err(|_| self.config.too_large(total_bytes))?;
        let event = Event::Oversize {
            payload_bytes: total_bytes - kept + publish.payload.len(),
            publish,
            total_bytes,
        };
        Ok(Step::Event { event, used: 0 })
    }

    /// Whether a topic name is within the limits; the host asks this of each PUBLISH, so that it can
    /// keep a message with a bad topic.
    ///
    /// # Errors
    /// What is wrong with it, and the reason for the acknowledgement.
    pub fn check_topic(&self, topic: &str) -> Result<(), Fault> {
        if topic.len() <= self.config.topic_bytes_max
            && topic.split('/').count() <= self.config.topic_levels_max
            && topic::is_name(topic)
            && !topic.starts_with('$')
        {
            return Ok(());
        }
        Err(Fault::of(
            Reason::TOPIC_NAME_INVALID,
            "mqtt-topic-name",
            format!("topic \"{}\"", model::problem::quote(topic)),
            "PUBLISH",
            format!(
                "use at most {} bytes and {} levels, no wildcard, and no $ in front",
                self.config.topic_bytes_max, self.config.topic_levels_max
            ),
        ))
    }

    fn check_count(&self, filters: usize) -> Result<(), Fault> {
        if filters <= self.config.filters_per_packet_max {
            return Ok(());
        }
        Err(Fault::of(
            Reason::QUOTA_EXCEEDED,
            "mqtt-filters-per-packet",
            format!("{filters} filters in one packet"),
            "SUBSCRIBE",
            format!("send at most {}", self.config.filters_per_packet_max),
        ))
    }

    /// Whether a filter may be subscribed to at all, access aside.
    ///
    /// # Errors
    /// The code for SUBACK.
    pub fn check_filter(&self, filter: &str) -> Result<(), Reason> {
        if filter.starts_with("$share/") {
            return Err(Reason::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED);
        }
        let good = topic::is_filter(filter)
            && filter.len() <= self.config.topic_bytes_max
            && filter.split('/').count() <= self.config.topic_levels_max;
        good.then_some(()).ok_or(Reason::TOPIC_FILTER_INVALID)
    }

    /// Lets the client in; answers how long its session outlives the connection, in seconds.
    pub fn welcome(&mut self, connect: &Connect, welcome: Welcome) -> u32 {
        let config = &self.config;
        let v5 = connect.version == Version::V5;
        let asked = connect.keep_alive_seconds;
        let keep_alive = if v5 && (asked == 0 || asked > config.keep_alive_seconds_max) {
            config.keep_alive_seconds_max
        } else {
            asked
        };
        self.keep_alive_ms = (keep_alive > 0).then_some(u64::from(keep_alive) * 1500);
        let expiry = connect
            .session_expiry_seconds
            .min(config.session_expiry_seconds_max);
        self.session_expiry_seconds = expiry;
        self.receive_max = connect.receive_max.min(config.in_flight_max);
        if let Some(bytes) = connect.packet_bytes_max {
            self.client_packet_bytes_max = bytes as usize;
        }
        self.wants_reasons = connect.wants_reasons;
        let properties = ConnackProperties {
            session_expiry_seconds: (expiry != connect.session_expiry_seconds).then_some(expiry),
            receive_max: Some(config.unacknowledged_max),
            packet_bytes_max: u32::try_from(config.packet_bytes_max).ok(),
            assigned_client_id: welcome.assigned_client_id,
            keep_alive_seconds: (keep_alive != asked).then_some(keep_alive),
            reason_text: None,
        };
        self.state = State::Up;
        encode::connack(
            &mut self.out,
            self.version,
            welcome.session_present,
            Reason::SUCCESS,
            properties,
        );
        expiry
    }

    /// Refuses the client; the connection is over once the output is written.
    pub fn refuse(&mut self, reason: Reason, text: Option<&str>) {
        let properties = ConnackProperties {
            reason_text: text.map(str::to_owned),
            ..ConnackProperties::default()
        };
        encode::connack(&mut self.out, self.version, false, reason, properties);
        self.state = State::Closed;
    }

    /// Ends the connection with a reason, in the form that its state allows.
    pub fn close(&mut self, reason: Reason, text: Option<&str>) {
        match self.state {
            State::Connecting if reason == Reason::UNSUPPORTED_VERSION => {
                self.version = Version::V311;
                self.refuse(reason, None);
            }
            State::SigningIn => self.refuse(reason, text),
            State::Up => {
                let text = text.filter(|_| self.wants_reasons);
                encode::disconnect(&mut self.out, self.version, reason, text);
            }
            State::Connecting | State::Closed => {}
        }
        self.state = State::Closed;
    }

    /// Whether the connection is over.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether the client is signed in.
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// The protocol version, once CONNECT was read.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Puts the acknowledgement of a message in line: it is written once every journal position up
    /// to and with `position` is durable, after those of earlier messages; with `None`, as soon as
    /// those are written. `reason` and `text` reach MQTT 5 clients only. Nothing for QoS 0.
    pub fn accepted(
        &mut self,
        qos: Qos,
        packet_id: u16,
        position: Option<u64>,
        reason: Reason,
        text: Option<&str>,
    ) {
        let first_byte = match qos {
            Qos::AtMostOnce => return,
            Qos::AtLeastOnce => PUBACK,
            Qos::ExactlyOnce => PUBREC,
        };
        self.pending.push_back(Pending {
            due_at: position.map_or(0, |p| p.saturating_add(1)),
            packet_id,
            first_byte,
            reason,
            text: text.filter(|_| self.wants_reasons).map(Box::from),
        });
    }

    /// Writes the acknowledgements that are due, every position below `position` being durable.
    /// Answers how many.
    pub fn durable(&mut self, position: u64) -> usize {
        let mut written = 0;
        while let Some(pending) = self.pending.pop_front_if(|p| p.due_at <= position) {
            encode::acknowledgement(
                &mut self.out,
                pending.first_byte,
                self.version,
                pending.packet_id,
                pending.reason,
                pending.text.as_deref(),
            );
            written += 1;
        }
        written
    }

    /// The durable position that the next acknowledgement waits for.
    pub fn awaits(&self) -> Option<u64> {
        self.pending.front().map(|p| p.due_at)
    }

    /// How many messages wait for their acknowledgement.
    pub fn unacknowledged(&self) -> usize {
        self.pending.len()
    }

    /// Whether as many messages wait for their acknowledgement as may: do not read further.
    pub fn is_full(&self) -> bool {
        self.pending.len() >= usize::from(self.config.unacknowledged_max)
    }

    /// Drops the next `bytes` bytes as they come: the rest of an oversize packet.
    pub fn skip(&mut self, bytes: usize) {
        self.skip_bytes = bytes;
    }

    /// Ends a QoS 2 message; `known` says whether its identifier was remembered.
    pub fn released(&mut self, packet_id: u16, known: bool) {
        let reason = if known {
            Reason::SUCCESS
        } else {
            Reason::PACKET_ID_NOT_FOUND
        };
        encode::acknowledgement(
            &mut self.out,
            PUBCOMP,
            self.version,
            packet_id,
            reason,
            None,
        );
    }

    /// Answers a SUBSCRIBE: a code for each filter, the QoS granted or a failure.
    pub fn suback(&mut self, packet_id: u16, codes: &[Reason]) {
        encode::suback(&mut self.out, self.version, packet_id, codes);
    }

    /// Answers an UNSUBSCRIBE: a code for each filter.
    pub fn unsuback(&mut self, packet_id: u16, codes: &[Reason]) {
        encode::unsuback(&mut self.out, self.version, packet_id, codes);
    }

    /// How many messages of QoS 1 the client may have unacknowledged.
    pub fn window(&self) -> u16 {
        self.receive_max
    }

    /// Writes a message to the client. When it is not written, its identifier is free again.
    pub fn deliver(&mut self, send: &Send, now: Timestamp) -> Delivered {
        let left = send.delivery.message.seconds_left(now);
        if left == Some(0) {
            return Delivered::Expired;
        }
        let written = encode::publish(
            &mut self.out,
            self.version,
            &send.delivery,
            send.packet_id,
            send.dup,
            left,
            self.client_packet_bytes_max,
        );
        if written {
            Delivered::Written
        } else {
            Delivered::TooLarge
        }
    }

    /// The bytes to write to the client; the host takes them from the front.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// When [`Session::timeout`] wants to be asked, on the host's steady clock.
    pub fn deadline(&self) -> Option<u64> {
        match self.state {
            State::Connecting | State::SigningIn => {
                Some(self.opened_ms + self.config.connect_timeout_ms)
            }
            State::Up => Some(self.last_seen_ms + self.keep_alive_ms?),
            State::Closed => None,
        }
    }

    /// The fault of having waited too long, if `now_ms` is past the deadline.
    pub fn timeout(&self, now_ms: u64) -> Option<Fault> {
        if now_ms < self.deadline()? {
            return None;
        }
        Some(match self.state {
            State::Up => Fault::of(
                Reason::KEEP_ALIVE_TIMEOUT,
                "mqtt-keep-alive",
                "nothing came for one and a half keep-alive times",
                "connection",
                "check the network, or send PINGREQ within the keep-alive time",
            ),
            _ => Fault::of(
                Reason::SERVER_BUSY,
                "mqtt-connect-timeout",
                format!("not signed in after {} ms", self.config.connect_timeout_ms),
                "connection",
                "send CONNECT as soon as the connection is open",
            ),
        })
    }
}

fn event(event: Event<'_>, used: usize) -> Step<'_> {
    Step::Event { event, used }
}
