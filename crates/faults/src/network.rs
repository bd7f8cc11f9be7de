//! Devices, and the network between them and the city. An MQTT device speaks over a line, which keeps the order of
//! its bytes as TCP does, gives them late and in any pieces, and breaks at any byte; what was on the way may still
//! arrive when the device speaks over its next line already. A posting device sends each message by itself, as over
//! HTTP: requests and answers are lost, repeated, and overtake each other. Both send again what nobody
//! acknowledged. At the city's end stand the production MQTT session and the production admission, over the
//! production journal.
//!
//! ```text
//!  device ─ PUBLISH ─► line ─► proto_mqtt::Session ─┐
//!  device ─ request ─► air ─────────────────────────┴─► admission::Ingest ─► journal
//!         ◄─ PUBACK, answer ─ line, air ◄─────────────────────────── durable position
//! ```
//! What must hold is I23. A duplicate is what admission says: a message of the same sender with the same values and
//! times of its own. One process writes it once and acknowledges each copy; a process that starts anew does not
//! remember it and may write it once more, as another observation. So a message that was acknowledged is there once
//! for each process that took it, at least once and never twice for the same one.

use crate::Random;
use crate::city::broken;
use crate::messages::Messages;
use admission::{Incoming, Ingest, Refusal, Scope};
use model::{Accepted, DeviceId, Problem, Record, Rejected, Timestamp, Update};
use proto_mqtt::{Config, Event, Reason, Session, Step, Version, Welcome};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use wire::Payload;

/// Messages that an MQTT device has unacknowledged at a time, and that its session takes.
const WINDOW: u16 = 8;
const MQTT_DEVICES: u64 = 3;
const POSTING_DEVICES: u64 = 2;
/// Messages of all devices that wait for their acknowledgement; nothing new is said beyond it.
const WAITING_MAX: usize = 40;
/// Requests and answers in the air; beyond it nothing is sent again.
const FLIGHTS_MAX: usize = 60;
/// Most of what a message says beside its number, in bytes.
const FILLER_BYTES_MAX: u64 = 200;
/// The door's name in the journal.
const DOOR: &str = "network";

/// What the network of a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkFigures {
    /// Messages of devices.
    pub said: u64,
    /// Times that one was sent again.
    pub again: u64,
    /// Messages that their devices saw acknowledged.
    pub acknowledged: u64,
    /// Copies that the city knew it had.
    pub duplicates: u64,
    /// Messages that another process had written already.
    pub rewritten: u64,
    /// Lines that broke.
    pub cut: u64,
    /// Requests and answers that were lost.
    pub lost: u64,
}

impl NetworkFigures {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.said += other.said;
        self.again += other.again;
        self.acknowledged += other.acknowledged;
        self.duplicates += other.duplicates;
        self.rewritten += other.rewritten;
        self.cut += other.cut;
        self.lost += other.lost;
    }
}

/// Positions that were given, with their records.
pub type Given = Vec<(u64, Vec<u8>)>;

/// The city as the network meets it.
pub struct Gate<'a> {
    /// The way in.
    pub ingest: &'a Ingest,
    /// What devices say, and what time it is.
    pub messages: &'a mut Messages,
    /// Which process this is.
    pub life: u64,
    /// Positions that were given, with their records.
    pub written: Given,
}

impl Gate<'_> {
    fn durable(&self) -> u64 {
        *self.ingest.journal().durable().borrow()
    }
}

/// A record of a message.
#[derive(Clone, Copy, Debug)]
struct Written {
    position: u64,
    life: u64,
    is_accepted: bool,
}

/// A message of a device.
#[derive(Debug)]
struct Said {
    device: DeviceId,
    address: String,
    payload: Vec<u8>,
    /// `None`: nobody will understand it.
    update: Option<Update>,
    is_acknowledged: bool,
    /// Recovery told that the journal's end, with its record, is lost.
    is_told_lost: bool,
    written: Vec<Written>,
}

/// A message that an MQTT device keeps until it is acknowledged.
#[derive(Debug)]
struct Kept {
    packet_id: u16,
    message: usize,
    was_sent: bool,
}

#[derive(Debug)]
struct Device {
    id: DeviceId,
    version: Version,
    /// Oldest first.
    outbox: VecDeque<Kept>,
    /// How many of them went into the line.
    sent: usize,
    last_packet_id: u16,
    /// The line as the device sees it: it may be broken already.
    line: Option<u64>,
    inbox: Vec<u8>,
}

/// One connection, with the bytes that are on the way.
#[derive(Debug)]
struct Line {
    device: usize,
    session: Session,
    up: VecDeque<u8>,
    down: VecDeque<u8>,
    /// What the city has received and not used.
    inbox: Vec<u8>,
    /// The device has given it up.
    is_left: bool,
}

/// A message that travels by itself.
#[derive(Clone, Copy, Debug)]
enum Flight {
    Request(usize),
    Answer(usize),
}

/// What became of a message at the city's end.
struct Taken {
    position: u64,
    is_understood: bool,
}

/// The devices and all that is between them and the city.
pub struct Network {
    random: Random,
    config: Arc<Config>,
    /// The session's clock: a network that moves.
    now_ms: u64,
    said: Vec<Said>,
    devices: Vec<Device>,
    lines: BTreeMap<u64, Line>,
    lines_opened: u64,
    /// Messages of posting devices that are not acknowledged.
    posted: Vec<usize>,
    air: Vec<Flight>,
    /// Answers that wait for the disk: the message and its position.
    waiting: Vec<(usize, u64)>,
    /// The durable position that was seen last.
    durable: u64,
    figures: NetworkFigures,
}

impl Network {
    /// Some devices that have nothing to say yet.
    pub fn new(seed: u64) -> Self {
        let device = |n: u64| Device {
            id: device_id(n),
            version: if n.is_multiple_of(2) {
                Version::V311
            } else {
                Version::V5
            },
            outbox: VecDeque::new(),
            sent: 0,
            last_packet_id: 0,
            line: None,
            inbox: Vec::new(),
        };
        Self {
            random: Random::new(seed ^ 0x6e65_7477_6f72_6b00),
            config: Arc::new(Config {
                unacknowledged_max: WINDOW,
                ..Config::default()
            }),
            now_ms: 0,
            said: Vec::new(),
            devices: (0..MQTT_DEVICES).map(device).collect(),
            lines: BTreeMap::new(),
            lines_opened: 0,
            posted: Vec::new(),
            air: Vec::new(),
            waiting: Vec::new(),
            durable: 0,
            figures: NetworkFigures::default(),
        }
    }

    /// What it did.
    pub const fn figures(&self) -> NetworkFigures {
        self.figures
    }

    /// Some of what can happen between devices and city happens.
    ///
    /// # Errors
    /// I23, and how it broke.
    pub fn carry(&mut self, gate: &mut Gate<'_>) -> Result<(), String> {
        self.acknowledge(gate);
        for _ in 0..=self.random.below(24) {
            self.now_ms += 1;
            gate.messages.now_us += self.random.below(2_000) as i64;
            match self.random.below(20) {
                0..=2 => self.say(gate),
                3 | 4 => {
                    let n = self.random.below(MQTT_DEVICES) as usize;
                    self.connect(n);
                }
                5..=8 => {
                    let n = self.random.below(MQTT_DEVICES) as usize;
                    self.send(n);
                }
                9..=11 => {
                    if let Some(id) = self.any_line() {
                        self.carry_up(id, false, gate)?;
                    }
                }
                12..=14 => {
                    if let Some(id) = self.any_line() {
                        self.carry_down(id, false)?;
                    }
                }
                15 => self.cut(),
                16 => self.post(),
                _ => self.fly(gate)?,
            }
        }
        Ok(())
    }

    /// Everything that is on the way arrives, and everything that is not acknowledged is sent again. Whether
    /// nothing is left.
    ///
    /// # Errors
    /// I23, and how it broke.
    pub fn settle(&mut self, gate: &mut Gate<'_>) -> Result<bool, String> {
        self.acknowledge(gate);
        for n in 0..self.devices.len() {
            self.connect(n);
            while self.send(n) {}
        }
        let lines: Vec<u64> = self.lines.keys().copied().collect();
        for id in &lines {
            self.carry_up(*id, true, gate)?;
        }
        let requests = self.posted.clone();
        let flights = std::mem::take(&mut self.air);
        for flight in flights
            .into_iter()
            .chain(requests.into_iter().map(Flight::Request))
        {
            self.arrive(flight, gate)?;
        }
        self.acknowledge(gate);
        for id in &lines {
            self.carry_down(*id, true)?;
        }
        Ok(self.said.iter().all(|said| said.is_acknowledged))
    }

    /// How many messages wait for their acknowledgement.
    pub fn waits(&self) -> usize {
        self.said.iter().filter(|s| !s.is_acknowledged).count()
    }

    /// The process is gone, and with it every line; it starts again with a journal that ends at `next`. What
    /// rotted behind that was told to be lost.
    pub fn restart(&mut self, next: u64, rotten: &BTreeSet<u64>) {
        self.lines.clear();
        self.waiting.clear();
        for device in &mut self.devices {
            device.line = None;
        }
        for said in &mut self.said {
            let gone = |w: &Written| w.position >= next;
            said.is_told_lost |= said
                .written
                .iter()
                .any(|w| gone(w) && rotten.contains(&w.position));
            said.written.retain(|w| !gone(w));
        }
    }

    /// Everything that a device saw acknowledged is durable.
    ///
    /// # Errors
    /// I23, and which message is not.
    pub fn verify(&self, durable: u64) -> Result<(), String> {
        for (n, said) in self.said.iter().enumerate() {
            if said.is_acknowledged {
                self.is_kept(n, durable)?;
            }
        }
        Ok(())
    }

    fn is_kept(&self, n: usize, durable: u64) -> Result<(), String> {
        let said = &self.said[n];
        if said.is_told_lost || said.written.iter().any(|w| w.position < durable) {
            return Ok(());
        }
        Err(broken(
            "I23",
            format!("durable is {durable}, message {n} was acknowledged: {said:?}"),
        ))
    }

    fn say(&mut self, gate: &mut Gate<'_>) {
        if self.waits() >= WAITING_MAX {
            return;
        }
        let n = self.said.len();
        let of = self.random.below(MQTT_DEVICES + POSTING_DEVICES);
        let device = device_id(of);
        let mut payload = (n as u64).to_le_bytes().to_vec();
        let filler = self.random.below(FILLER_BYTES_MAX) as usize;
        payload.resize(payload.len() + filler, n as u8);
        let update = gate.messages.of_device(&mut self.random);
        self.said.push(Said {
            address: format!("devices/{of}"),
            device,
            payload,
            update: (!self.random.once_in(8)).then_some(update),
            is_acknowledged: false,
            is_told_lost: false,
            written: Vec::new(),
        });
        self.figures.said += 1;
        match self.devices.get_mut(of as usize) {
            Some(device) => {
                device.last_packet_id = device.last_packet_id.checked_add(1).unwrap_or(1);
                device.outbox.push_back(Kept {
                    packet_id: device.last_packet_id,
                    message: n,
                    was_sent: false,
                });
            }
            None => {
                self.posted.push(n);
                self.air.push(Flight::Request(n));
            }
        }
    }

    /// The device opens a line when it has none that works.
    fn connect(&mut self, n: usize) {
        let device = &mut self.devices[n];
        if device.line.is_some_and(|id| self.lines.contains_key(&id)) {
            return;
        }
        let id = self.lines_opened;
        self.lines_opened += 1;
        (device.line, device.sent) = (Some(id), 0);
        device.inbox.clear();
        let mut up = Vec::new();
        connect_packet(device.version, device.id.as_str(), &mut up);
        self.lines.insert(
            id,
            Line {
                device: n,
                session: Session::new(Arc::clone(&self.config), self.now_ms),
                up: up.into(),
                down: VecDeque::new(),
                inbox: Vec::new(),
                is_left: false,
            },
        );
    }

    /// The device sends its next message; false when it has none, or no line, or may not have more under way.
    fn send(&mut self, n: usize) -> bool {
        let device = &mut self.devices[n];
        let Some(id) = device.line else {
            return false;
        };
        if device.sent >= usize::from(WINDOW) {
            return false;
        }
        let Some(kept) = device.outbox.get_mut(device.sent) else {
            return false;
        };
        let said = &self.said[kept.message];
        let mut bytes = Vec::new();
        publish_packet(
            device.version,
            kept,
            &said.address,
            &said.payload,
            &mut bytes,
        );
        self.figures.again += u64::from(kept.was_sent);
        kept.was_sent = true;
        device.sent += 1;
        match self.lines.get_mut(&id) {
            Some(line) => line.up.extend(bytes),
            // Into a line that is broken; after a while the device sees that nobody answers.
            None if self.random.once_in(3) => device.line = None,
            None => {}
        }
        true
    }

    fn any_line(&mut self) -> Option<u64> {
        let n = self.random.below(self.lines.len() as u64) as usize;
        self.lines.keys().nth(n).copied()
    }

    fn carry_up(&mut self, id: u64, all: bool, gate: &mut Gate<'_>) -> Result<(), String> {
        let Some(mut line) = self.lines.remove(&id) else {
            return Ok(());
        };
        let count = match line.up.len() {
            0 => 0,
            some if all => some,
            some => 1 + self.random.below(some as u64) as usize,
        };
        line.inbox.extend(line.up.drain(..count));
        let goes_on = self.converse(&mut line, gate)?;
        if goes_on && !(line.is_left && line.up.is_empty()) {
            self.lines.insert(id, line);
        }
        Ok(())
    }

    /// The city's end of a line, as the gateway does it; false when the city hangs up.
    fn converse(&mut self, line: &mut Line, gate: &mut Gate<'_>) -> Result<bool, String> {
        let (mut at, mut goes_on) = (0, true);
        // A client of version 3.1.1 is not told how much it may have under way; it is not read further.
        while line.session.version() == Version::V5 || !line.session.is_full() {
            let step = line.session.step(&line.inbox[at..], self.now_ms);
            let step = step.map_err(|fault| {
                broken(
                    "I23",
                    format!("a good client is refused: {}", fault.problem),
                )
            })?;
            let Step::Event { event, used } = step else {
                break;
            };
            match event {
                Event::Connect(connect) => {
                    line.session.welcome(&connect, Welcome::default());
                }
                Event::Publish(publish) => {
                    let n = self.recognised(publish.topic, publish.payload)?;
                    match self.take(n, gate)? {
                        Ok(taken) => {
                            let reason = if taken.is_understood {
                                Reason::SUCCESS
                            } else {
                                Reason::PAYLOAD_FORMAT_INVALID
                            };
                            line.session.accepted(
                                publish.qos,
                                publish.packet_id,
                                Some(taken.position),
                                reason,
                                None,
                            );
                        }
                        Err(Refusal::Busy) => break,
                        Err(_) => {
                            goes_on = false;
                            break;
                        }
                    }
                }
                other => return Err(broken("I23", format!("nobody sent {other:?}"))),
            }
            at += used;
        }
        line.inbox.drain(..at);
        line.session.durable(gate.durable());
        line.down.extend(line.session.output().drain(..));
        Ok(goes_on)
    }

    /// The message that came.
    fn recognised(&self, address: &str, payload: &[u8]) -> Result<usize, String> {
        let number = payload.first_chunk::<8>().copied().map(u64::from_le_bytes);
        number
            .map(|n| n as usize)
            .filter(|n| {
                let said = self.said.get(*n);
                said.is_some_and(|said| said.payload == payload && said.address == address)
            })
            .ok_or_else(|| broken("I23", format!("{number:?} at {address} was never said so")))
    }

    /// The city takes a message, as a door does.
    fn take(&mut self, n: usize, gate: &mut Gate<'_>) -> Result<Result<Taken, Refusal>, String> {
        let said = &mut self.said[n];
        let received_at = Timestamp::from_micros(gate.messages.now_us);
        let incoming = Incoming {
            door: DOOR,
            device_id: Some(&said.device),
            scope: &Scope::Any,
            address: &said.address,
            raw: &said.payload,
            received_at,
            retain: false,
        };
        let payload = match &said.update {
            Some(update) => Payload {
                updates: vec![update.clone()],
                problems: Vec::new(),
            },
            None => Payload::refused(Problem::new("network", "not understood", "message", "none")),
        };
        let receipt = match gate.ingest.submit(incoming, payload) {
            Ok(receipt) => receipt,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let is_understood = receipt.accepted > 0;
        let position = receipt.position;
        let by_this = |w: &Written| w.life == gate.life && w.is_accepted;
        let known = said.written.iter().find(|w| by_this(w)).copied();
        if receipt.duplicate {
            if known.is_none_or(|known| known.position != position) {
                return Err(broken(
                    "I23",
                    format!("message {n} is taken for the one at {position}: {said:?}"),
                ));
            }
            self.figures.duplicates += 1;
            return Ok(Ok(Taken {
                position,
                is_understood,
            }));
        }
        if is_understood && known.is_some() {
            return Err(broken(
                "I23",
                format!("one process writes message {n} again, at {position}: {said:?}"),
            ));
        }
        self.figures.rewritten += u64::from(is_understood && !said.written.is_empty());
        said.written.push(Written {
            position,
            life: gate.life,
            is_accepted: is_understood,
        });
        let (door, device_id) = (DOOR.to_owned(), Some(said.device.clone()));
        let (address, raw) = (said.address.clone(), said.payload.clone());
        let record = match (is_understood, receipt.problems.into_iter().next()) {
            (true, None) => Record::Accepted(Accepted {
                door,
                device_id,
                address,
                received_at,
                raw,
                updates: said.update.iter().cloned().collect(),
                retain: false,
            }),
            (false, Some(problem)) => Record::Rejected(Rejected {
                door,
                device_id,
                address,
                received_at,
                size_bytes: raw.len() as u64,
                raw,
                problem,
            }),
            (_, problem) => {
                return Err(broken(
                    "I23",
                    format!("message {n} is half understood: {problem:?}"),
                ));
            }
        };
        gate.written.push((position, record.encode()));
        Ok(Ok(Taken {
            position,
            is_understood,
        }))
    }

    /// What is durable by now is acknowledged.
    fn acknowledge(&mut self, gate: &Gate<'_>) {
        self.durable = gate.durable();
        for line in self.lines.values_mut() {
            line.session.durable(self.durable);
            line.down.extend(line.session.output().drain(..));
        }
        let durable = self.durable;
        let due = self
            .waiting
            .extract_if(.., |(_, position)| *position < durable);
        self.air.extend(due.map(|(n, _)| Flight::Answer(n)));
    }

    fn carry_down(&mut self, id: u64, all: bool) -> Result<(), String> {
        let Some(line) = self.lines.get_mut(&id).filter(|line| !line.is_left) else {
            return Ok(());
        };
        let count = match line.down.len() {
            0 => return Ok(()),
            some if all => some,
            some => 1 + self.random.below(some as u64) as usize,
        };
        let n = line.device;
        self.devices[n].inbox.extend(line.down.drain(..count));
        self.hear(n)
    }

    /// The device reads what it got.
    fn hear(&mut self, n: usize) -> Result<(), String> {
        let device = &mut self.devices[n];
        let mut heard = Vec::new();
        while let Some((kind, body, used)) = packet(&device.inbox) {
            let packet_id = match (kind, body) {
                // CONNACK
                (2, [_, 0, ..]) => None,
                // PUBACK
                (4, [high, low, ..]) => Some(u16::from_be_bytes([*high, *low])),
                other => return Err(broken("I23", format!("the city sent {other:?}"))),
            };
            device.inbox.drain(..used);
            let Some(packet_id) = packet_id else {
                continue;
            };
            // In the order of the messages (MQTT 5, 4.6), and only of what went into this line.
            let first = device.outbox.pop_front();
            let first = first.filter(|kept| device.sent > 0 && kept.packet_id == packet_id);
            let Some(kept) = first else {
                return Err(broken(
                    "I23",
                    format!("{packet_id} is acknowledged out of turn: {device:?}"),
                ));
            };
            device.sent -= 1;
            heard.push(kept.message);
        }
        heard.into_iter().try_for_each(|n| self.heard(n))
    }

    /// The message's device sees it acknowledged.
    fn heard(&mut self, n: usize) -> Result<(), String> {
        let was = std::mem::replace(&mut self.said[n].is_acknowledged, true);
        self.figures.acknowledged += u64::from(!was);
        self.is_kept(n, self.durable)
    }

    /// A line breaks.
    fn cut(&mut self) {
        let Some(id) = self.any_line() else {
            return;
        };
        self.figures.cut += 1;
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        let n = line.device;
        let is_its_line = self.devices[n].line == Some(id);
        match self.random.below(3) {
            // The device gives up first; a part of what it sent is still on the way.
            0 => {
                let left = self.random.below(line.up.len() as u64 + 1) as usize;
                line.up.truncate(left);
                line.is_left = true;
                if is_its_line {
                    self.devices[n].line = None;
                }
            }
            // Both see it.
            1 => {
                self.lines.remove(&id);
                if is_its_line {
                    self.devices[n].line = None;
                }
            }
            // The device does not see it yet.
            _ => {
                self.lines.remove(&id);
            }
        }
    }

    /// A posting device sends again what nobody answered.
    fn post(&mut self) {
        let n = self.random.below(self.posted.len() as u64) as usize;
        if let Some(message) = self.posted.get(n)
            && self.air.len() < FLIGHTS_MAX
        {
            self.air.push(Flight::Request(*message));
            self.figures.again += 1;
        }
    }

    /// Something that is in the air, whichever, is lost, arrives, or arrives and will arrive again.
    fn fly(&mut self, gate: &mut Gate<'_>) -> Result<(), String> {
        if self.air.is_empty() {
            return Ok(());
        }
        let n = self.random.below(self.air.len() as u64) as usize;
        match self.random.below(8) {
            0 => {
                self.air.swap_remove(n);
                self.figures.lost += 1;
                Ok(())
            }
            1 => self.arrive(self.air[n], gate),
            _ => {
                let flight = self.air.swap_remove(n);
                self.arrive(flight, gate)
            }
        }
    }

    fn arrive(&mut self, flight: Flight, gate: &mut Gate<'_>) -> Result<(), String> {
        match flight {
            Flight::Request(n) => {
                if let Ok(taken) = self.take(n, gate)? {
                    self.waiting.push((n, taken.position));
                }
            }
            Flight::Answer(n) => {
                self.posted.retain(|posted| *posted != n);
                self.heard(n)?;
            }
        }
        Ok(())
    }
}

fn device_id(n: u64) -> DeviceId {
    DeviceId::new(format!("urn:device:{n}")).expect("a good id")
}

/// CONNECT of a client that keeps its messages itself and sends no keep-alive.
fn connect_packet(version: Version, client_id: &str, out: &mut Vec<u8>) {
    let mut body = b"\0\x04MQTT".to_vec();
    let level = if version == Version::V5 { 5 } else { 4 };
    // Clean start; keep-alive 0.
    body.extend([level, 0x02, 0, 0]);
    if version == Version::V5 {
        body.push(0);
    }
    put_text(&mut body, client_id);
    put_packet(out, 0x10, &body);
}

/// PUBLISH of quality 1.
fn publish_packet(version: Version, kept: &Kept, topic: &str, payload: &[u8], out: &mut Vec<u8>) {
    let mut body = Vec::new();
    put_text(&mut body, topic);
    body.extend(kept.packet_id.to_be_bytes());
    if version == Version::V5 {
        body.push(0);
    }
    body.extend(payload);
    put_packet(out, if kept.was_sent { 0x3a } else { 0x32 }, &body);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_be_bytes());
    out.extend(text.as_bytes());
}

fn put_packet(out: &mut Vec<u8>, first: u8, body: &[u8]) {
    out.push(first);
    let mut rest = body.len();
    loop {
        let more = u8::from(rest > 127) << 7;
        out.push((rest % 128) as u8 | more);
        rest /= 128;
        if rest == 0 {
            break;
        }
    }
    out.extend(body);
}

/// The first whole packet: its kind, its body, and how many bytes it takes.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (first, rest) = bytes.split_first()?;
    let (mut length, mut shift) = (0, 0);
    for (n, byte) in rest.iter().enumerate().take(4) {
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            let body = rest[n + 1..].get(..length)?;
            return Some((first >> 4, body, n + 2 + length));
        }
    }
    None
}
