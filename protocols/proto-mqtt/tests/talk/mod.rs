//! Plays a conversation with a session and writes down what it answers; see `vectors/talks.md`.

#![allow(dead_code)] // each test file uses its part

use model::Timestamp;
use proto_mqtt::session::Delivered;
use proto_mqtt::{Config, Delivery, Event, Memory, Message, Qos, Reason, Session, Step, Welcome};
use std::fmt::Write;
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// A host that lets everybody in, gives each message the next position, and subscribes nobody.
pub struct Host {
    pub session: Session,
    pub memory: Memory,
    pub now_ms: u64,
    pub said: String,
    next_position: u64,
    inbox: Vec<u8>,
}

impl Host {
    pub fn new(config: Config) -> Self {
        Self {
            session: Session::new(Arc::new(config), 0),
            memory: Memory::default(),
            now_ms: 0,
            said: String::new(),
            next_position: 0,
            inbox: Vec::new(),
        }
    }

    /// Feeds bytes from the client.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
        let inbox = std::mem::take(&mut self.inbox);
        let mut at = 0;
        loop {
            match self.session.step(&inbox[at..], self.now_ms) {
                Ok(Step::Event { event, used }) => {
                    at += used;
                    self.event(event);
                }
                Ok(Step::Incomplete(_) | Step::Idle) => break,
                Err(fault) => {
                    let _ = writeln!(
                        self.said,
                        "! fault {:#04x} {}: {}",
                        fault.reason.0, fault.problem.code, fault.problem.what
                    );
                    self.session.close(fault.reason, None);
                    break;
                }
            }
        }
        self.inbox = inbox[at..].to_vec();
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Connect(connect) => {
                let _ = writeln!(
                    self.said,
                    "! connect {:?} client {:?} user {:?} clean {} keep-alive {} s will {:?}",
                    connect.version,
                    connect.client_id,
                    connect.username,
                    connect.clean_start,
                    connect.keep_alive_seconds,
                    connect.will.as_ref().map(|w| &w.topic)
                );
                self.session.welcome(&connect, Welcome::default());
            }
            Event::Publish(p) => {
                let position = match self.memory.received(p.packet_id) {
                    Some(position) if p.qos == Qos::ExactlyOnce => position,
                    _ => {
                        self.next_position += 1;
                        self.next_position - 1
                    }
                };
                if p.qos == Qos::ExactlyOnce {
                    self.memory.receive(p.packet_id, position);
                }
                let _ = writeln!(
                    self.said,
                    "! publish {} {:?} at position {position}: {}",
                    p.topic,
                    p.qos,
                    String::from_utf8_lossy(p.payload)
                );
                self.session
                    .accepted(p.qos, p.packet_id, Some(position), Reason::SUCCESS, None);
            }
            Event::Oversize {
                publish,
                payload_bytes,
                total_bytes,
            } => {
                let _ = writeln!(
                    self.said,
                    "! oversize {} {total_bytes} bytes, kept {} of {payload_bytes}",
                    publish.topic,
                    publish.payload.len()
                );
                self.session.skip(total_bytes);
            }
            Event::Acknowledged { packet_id } => {
                let known = self.memory.acknowledged(packet_id);
                let _ = writeln!(self.said, "! acknowledged {packet_id} {known}");
            }
            Event::Release { packet_id } => {
                let known = self.memory.release(packet_id);
                self.session.released(packet_id, known);
            }
            Event::Subscribe(s) => {
                let codes: Vec<Reason> = s
                    .filters
                    .iter()
                    .map(|(f, o)| {
                        let granted = o.qos.min(Qos::AtLeastOnce) as u8;
                        self.session
                            .check_filter(f)
                            .map_or_else(|r| r, |()| Reason(granted))
                    })
                    .collect();
                let _ = writeln!(self.said, "! subscribe {:?}", s.filters);
                self.session.suback(s.packet_id, &codes);
            }
            Event::Unsubscribe(u) => {
                let _ = writeln!(self.said, "! unsubscribe {:?}", u.filters);
                let codes = vec![Reason::NO_SUBSCRIPTION_EXISTED; u.filters.len()];
                self.session.unsuback(u.packet_id, &codes);
            }
            Event::Disconnect(d) => {
                let _ = writeln!(self.said, "! disconnect {:#04x}", d.reason.0);
            }
            Event::Handled => {}
        }
    }

    /// Delivers a message to the client.
    pub fn deliver(&mut self, message: Message, qos: Qos) {
        self.memory.push_always(Delivery {
            message: Arc::new(message),
            qos,
            retain: false,
            subscription_ids: Vec::new(),
        });
        while let Some(send) = self.memory.next(self.session.window()) {
            if self.session.deliver(&send, NOW) != Delivered::Written {
                self.memory.acknowledged(send.packet_id.unwrap_or(0));
                self.said.push_str("! not delivered\n");
            }
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        if let Some(fault) = self.session.timeout(self.now_ms) {
            let _ = writeln!(
                self.said,
                "! fault {:#04x} {}",
                fault.reason.0, fault.problem.code
            );
            self.session.close(fault.reason, None);
        }
    }

    /// Writes down what the session has to say since last time.
    pub fn tell(&mut self) -> String {
        let mut said = std::mem::take(&mut self.said);
        let out = std::mem::take(self.session.output());
        if !out.is_empty() {
            let _ = writeln!(said, "< {}", hex::encode(out));
        }
        said
    }
}

/// Plays the script: lines `> hex` (from the client), `durable N`, `deliver QOS TOPIC PAYLOAD [EXPIRY
/// SECONDS]`, `wait MS`. Answers the script with the session's lines: `! event` and `< hex`.
pub fn play(script: &str, config: Config) -> String {
    let mut host = Host::new(config);
    let mut told = String::new();
    for line in script.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["!" | "<", ..] | [] => continue,
            [">", hex, ..] => host.feed(&hex::decode(hex).expect("hex")),
            ["durable", n] => {
                host.session.durable(n.parse().expect("a position"));
            }
            ["deliver", qos, topic, payload, expiry @ ..] => {
                let mut message = Message::new(*topic, payload.as_bytes().to_vec());
                message.expires_at = expiry
                    .first()
                    .map(|s| NOW.plus_seconds(s.parse().expect("seconds")));
                let qos = Qos::from_bits(qos.parse().expect("QoS")).expect("QoS");
                host.deliver(message, qos);
            }
            ["wait", ms] => host.wait(ms.parse().expect("milliseconds")),
            other => panic!("no such line: {other:?}"),
        }
        told.push_str(line);
        told.push('\n');
        told.push_str(&host.tell());
    }
    told
}
