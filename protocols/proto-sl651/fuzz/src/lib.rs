//! What the fuzzer holds the codec to, whatever the bytes: the laws of `tests/laws.rs` and, of a link, that it gives back each byte
//! it took, says nothing that is no good frame, and comes to rest. An input is a [`Way`] of playing it and then bytes of a link:
//! [`bytes`] takes them as they are, [`bodies`] mends each frame first ([`mend`]).

pub mod mend;

use mend::Stretch;
use model::{EntityId, Problem, Timestamp, TypeName, Value};
use proto_sl651::frame::{self, FRAME_BYTES_MAX, SYN};
use proto_sl651::message::Entry;
use proto_sl651::repeated::Repeated;
use proto_sl651::session::{Event, Now, Received, Session};
use proto_sl651::{
    Body, Command, Config, Direction, Encoding, Frame, Lines, Message, Station, decode, encode,
    map, told,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use wire::Decoded;

/// Bytes in front of an input that say how it is played. `cargo xtask fuzz` puts as many zeros before each seed: everything at
/// once over a stream, with the usual configuration.
pub const WAY_BYTES: usize = 8;
/// When a link begins to be played: when the standard's examples were sent.
const BEGIN: Now = Now {
    ms: 1_000,
    at: Timestamp::from_seconds(1_500_346_820),
};
/// Longer than every time that a link waits for something, milliseconds.
const LONG_MS: u64 = 3_600_000;

/// How an input is played.
#[derive(Clone, Copy, Debug)]
pub struct Way([u8; WAY_BYTES]);

impl Way {
    /// An input's way, and the bytes behind it.
    pub fn of(input: &[u8]) -> (Self, &[u8]) {
        let (way, bytes) = input.split_at(input.len().min(WAY_BYTES));
        let mut whole = [0; WAY_BYTES];
        whole[..way.len()].copy_from_slice(way);
        (Self(whole), bytes)
    }

    fn has(self, bit: u8) -> bool {
        self.0[0] >> bit & 1 == 1
    }

    fn in_datagrams(self) -> bool {
        self.has(0)
    }

    fn config(self) -> Config {
        let usual = Config {
            answers: !self.has(1),
            keeps_on_line: !self.has(2),
            sets_clocks: self.has(3),
            ..Config::default()
        };
        if !self.has(4) {
            return usual;
        }
        // Limits that a short input comes to.
        Config {
            packets_max: 4,
            message_bytes_max: 200,
            assemblies_max: 2,
            packet_requests_max: 1,
            unanswered_max: 2,
            stations_max: 2,
            commands_max: 1,
            command_repeats_max: 1,
            clock_set_interval_ms: 10_000,
            elements_max: 6,
            broken_kept_bytes: 64,
            ..usual
        }
    }

    /// Whose a station is; with bit 5, some stations are nobody's.
    fn whose(self, station: Station) -> Option<(EntityId, TypeName)> {
        let [.., last] = station.0;
        if self.has(5) && last & 1 == 1 {
            return None;
        }
        let id = EntityId::new(format!("urn:ngsi-ld:WaterObserved:{station}")).ok()?;
        Some((id, TypeName::new("WaterObserved").ok()?))
    }

    /// The bytes cut: lengths of pieces in turn, zeros left out; all at once when there are only zeros.
    fn pieces(self, mut bytes: &[u8]) -> Vec<&[u8]> {
        let lengths = &self.0[1..5];
        let mut lengths = lengths.iter().filter(|length| **length > 0).cycle();
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let length = lengths.next().map_or(bytes.len(), |n| usize::from(*n));
            let (piece, rest) = bytes.split_at(length.min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }

    /// Time between two pieces, milliseconds.
    fn pause_ms(self) -> u64 {
        u64::from(self.0[5]) * 1_000
    }

    /// Which byte of a frame is harmed, and how.
    fn harm(self) -> (usize, u8) {
        (usize::from(self.0[6]) * 7, 1 << (self.0[6] & 7))
    }

    /// Bytes of a packet, when messages are cut into packets, and whether the last comes first.
    fn packets(self) -> (usize, bool) {
        (usize::from(self.0[7] & 0x7F), self.0[7] & 0x80 != 0)
    }
}

/// Any bytes.
pub fn bytes(input: &[u8]) {
    let (way, bytes) = Way::of(input);
    line(bytes);
    walk(way, bytes);
    link(way, bytes);
}

/// Any bodies, in good frames.
pub fn bodies(input: &[u8]) {
    let (way, bytes) = Way::of(input);
    let stretches = mend::stretches(bytes);
    let (mut stream, mut given, mut is_clean) = (Vec::new(), Vec::new(), true);
    for stretch in &stretches {
        match stretch {
            Stretch::Noise(noise) => {
                stream.extend(noise);
                is_clean = false;
            }
            Stretch::Frame(frame) => {
                for frame in in_packets(way, frame) {
                    stream.extend(written(&frame));
                    given.push(frame);
                }
            }
        }
    }
    let found = walk(way, &stream);
    if is_clean {
        assert_eq!(found, given, "frames are read as they were written");
    }
    link(way, &stream);
    if let [Stretch::Frame(frame)] = &stretches[..] {
        packets_make_their_message(way, frame);
    }
}

fn written(frame: &Frame) -> Vec<u8> {
    frame::encode(frame).expect("a mended frame can be written")
}

/// The frame in packets, when the way says so; else as it is.
fn in_packets(way: Way, frame: &Frame) -> Vec<Frame> {
    let (packet_bytes, last_first) = way.packets();
    let is_cut = packet_bytes > 0 && frame.part.is_none() && frame.direction == Direction::Up;
    let mut packets = match is_cut {
        true => encode::packets(frame, packet_bytes).expect("few packets"),
        false => vec![frame.clone()],
    };
    if last_first {
        packets.reverse();
    }
    packets
}

/// A frame at the front of a line of a file is told as one of the four outcomes.
fn line(bytes: &[u8]) {
    let told = Lines::default().frame(bytes, Some(BEGIN.at));
    let outcome = told["outcome"].as_str().unwrap_or_default();
    assert!(
        ["message", "incomplete", "foreign", "invalid"].contains(&outcome),
        "{told}"
    );
}

/// A message in packets is the same message.
fn packets_make_their_message(way: Way, frame: &Frame) {
    let (packets, config) = (in_packets(way, frame), way.config());
    let (_, last_first) = way.packets();
    let Some(part) = packets.first().and_then(|packet| packet.part) else {
        return;
    };
    // A packet that is missing can only be asked for where messages are answered.
    let can_ask = !last_first || config.answers;
    if frame.part.is_some() || !can_ask || way.has(4) || part.total > config.packets_max {
        return;
    }
    let packets: Vec<Vec<u8>> = packets.iter().map(written).collect();
    let pieces: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
    let heard = Played::new(way, &pieces.concat()).play(&pieces, 0);
    let messages: Vec<_> = heard.into_iter().map(|heard| heard.message).collect();
    let whole = decode::message(frame, Some(part.total), &config);
    let whole = whole.map(|(message, _)| message);
    assert_eq!(messages, [whole], "the message of {} packets", part.total);
}

/// Goes from frame to frame as a link does, and holds each to the laws of frames and messages.
fn walk(way: Way, bytes: &[u8]) -> Vec<Frame> {
    let mut found = Vec::new();
    let mut lines = Lines::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let next = frame::next_start(rest);
        assert!((1..=rest.len()).contains(&next), "next start at {next}");
        let skip = match frame::decode(rest) {
            Decoded::Incomplete { at_least } => {
                assert!(at_least > 0 && rest.len() + at_least <= FRAME_BYTES_MAX);
                next
            }
            Decoded::Foreign => next,
            Decoded::Invalid { skip, .. } => skip,
            Decoded::Message { message, used, .. } => {
                let raw = rest.get(..used).expect("no more than there is");
                frame_laws(way, raw, &message);
                // Single frames are told the same way below.
                if message.part.is_some() || way.has(6) {
                    lines.frame(raw, None);
                }
                found.push(message);
                used
            }
        };
        assert!((1..=rest.len()).contains(&skip), "{skip} bytes passed over");
        rest = &rest[skip..];
    }
    found
}

fn frame_laws(way: Way, raw: &[u8], frame: &Frame) {
    let again = written(frame);
    match frame.encoding {
        Encoding::Hex => assert_eq!(again, raw, "written back byte for byte"),
        // Its digits may have been small letters.
        Encoding::Ascii => assert!(again.eq_ignore_ascii_case(raw), "written back"),
    }
    for cut in [0, 1, raw.len() / 2, raw.len() - 1] {
        let front = frame::decode(&raw[..cut]);
        assert!(matches!(front, Decoded::Incomplete { .. }), "{front:?}");
    }
    // One harmed byte behind the head is always seen.
    let (at, flip) = way.harm();
    let head = match frame.encoding {
        Encoding::Hex => 14,
        Encoding::Ascii => 24,
    };
    let mut harmed = raw.to_vec();
    harmed[head + at % (raw.len() - head)] ^= flip;
    if let Decoded::Message { message, .. } = frame::decode(&harmed) {
        assert_eq!(&message, frame, "a harmed frame is taken for another");
    }
    same_message_laws(frame);
    let config = way.config();
    if let Ok((message, warnings)) = decode::message(frame, None, &config) {
        message_laws(way, &message, &warnings);
        written_back(frame, &message, &warnings, &config);
    }
    decode::serial_and_time(frame);
}

/// A message that is sent again, later, has the same fingerprint.
fn same_message_laws(frame: &Frame) {
    let memory = Repeated::new(4);
    let mut later = frame.clone();
    let time = match frame.encoding {
        Encoding::Hex => 2..8,
        Encoding::Ascii => 4..16,
    };
    if let Some(time) = later.body.get_mut(time) {
        time.iter_mut().for_each(|byte| *byte ^= 1);
    }
    let before = memory.fingerprint(frame);
    assert!(later.body.len() < 16 || before == memory.fingerprint(&later));
    later.function ^= 1;
    assert_ne!(before, memory.fingerprint(&later));
}

/// What is read is written back: byte for byte in HEX/BCD, and as the same message in ASCII.
fn written_back(frame: &Frame, message: &Message, warnings: &[Problem], config: &Config) {
    let again = match encode::frame(message) {
        Ok(again) => again,
        Err(problem) => {
            assert_eq!(problem.code, "sl651-cannot-say");
            assert!(frame.encoding == Encoding::Ascii, "{problem}");
            return;
        }
    };
    let is_short = warnings.iter().any(|w| w.code == "sl651-body-more");
    // Any byte but zero says yes, and a count of which a byte is missing is none.
    let is_loose = matches!(
        &message.body,
        Body::Quota { .. } | Body::Command(Command::Quota(_)) | Body::Events { .. }
    );
    if frame.encoding == Encoding::Hex && !is_short && !is_loose {
        assert_eq!(again.body, frame.body, "written back byte for byte");
    }
    if again.body.len() <= frame::BODY_BYTES_MAX {
        let read = decode::message(&again, None, config);
        let (read, _) = read.expect("what is written can be read");
        assert_eq!(&read, message, "written back");
    }
}

/// What a message says can be told, and names things that there are.
fn message_laws(way: Way, message: &Message, warnings: &[Problem]) {
    let config = way.config();
    told::message(message, &config);
    let whose = |station| way.whose(station);
    let payload = map::payload(message, warnings, &whose, BEGIN.at, &config);
    for update in &payload.updates {
        assert!(!update.attributes.is_empty(), "an update of nothing");
        let mut names = BTreeSet::new();
        for attribute in &update.attributes {
            assert!(names.insert(&attribute.name), "{} twice", attribute.name);
            if let Value::Number(number) = attribute.value {
                assert!(number.is_finite(), "{} is {number}", attribute.name);
            }
            if let Some(unit) = &attribute.unit {
                assert!(model::unit::find(unit).is_some(), "no unit {unit}");
            }
        }
    }
    if let Body::Report(sections) = &message.body {
        let entries = sections.iter().flat_map(|section| &section.entries);
        // And what could not be read any more.
        assert!(entries.clone().count() <= config.elements_max + 1);
        for entry in entries {
            if let Entry::Series { rows, .. } = entry {
                assert!(rows.len() <= config.elements_max);
            }
        }
    }
}

fn later(now: Now, ms: u64) -> Now {
    let seconds = i64::try_from(ms / 1_000).unwrap_or_default();
    Now {
        ms: now.ms + ms,
        at: now.at.plus_seconds(seconds),
    }
}

/// What a link heard.
#[derive(Debug, PartialEq)]
struct Heard {
    message: Result<Message, Problem>,
    warnings: Vec<Problem>,
    raw: Vec<u8>,
}

/// Plays a link; and once more without pauses, all at once and in pieces, which must be the same.
fn link(way: Way, bytes: &[u8]) {
    let pieces = way.pieces(bytes);
    if way.pause_ms() > 0 || way.in_datagrams() || pieces.len() <= 1 {
        Played::new(way, bytes).play(&pieces, way.pause_ms());
    }
    if pieces.len() > 1 && !way.in_datagrams() {
        let whole = Played::new(way, bytes).play(&[bytes], 0);
        let cut = Played::new(way, bytes).play(&pieces, 0);
        assert_eq!(whole, cut, "how the bytes are cut matters");
    }
}

/// A link that is played, and what was counted of it.
struct Played {
    way: Way,
    config: Config,
    session: Session,
    heard: Vec<Heard>,
    /// Bytes that the link was given, and that it gave back in events.
    taken: usize,
    given: usize,
    /// Commands that were taken and of which no end was told.
    asked: BTreeSet<u64>,
    events: usize,
    events_max: usize,
    /// Whether there may be packets, whose bytes are given back only with their message.
    may_have_packets: bool,
}

impl Played {
    fn new(way: Way, bytes: &[u8]) -> Self {
        let config = way.config();
        Self {
            way,
            session: Session::new(Arc::new(config.clone()), way.in_datagrams()),
            config,
            heard: Vec::new(),
            taken: 0,
            given: 0,
            asked: BTreeSet::new(),
            events: 0,
            // One at most for each byte, and one for each command, of which each has a frame.
            events_max: bytes.len() * 2 + 1,
            may_have_packets: bytes.contains(&SYN),
        }
    }

    fn play(mut self, pieces: &[&[u8]], pause_ms: u64) -> Vec<Heard> {
        let mut now = BEGIN;
        for piece in pieces {
            self.session.receive(piece, now);
            self.taken += piece.len();
            self.work(now);
            assert!(self.session.buffered() < FRAME_BYTES_MAX);
            now = later(now, pause_ms);
        }
        // Half frames, missing packets and commands are given up one after another.
        let mut rounds = self.events_max + 16;
        while self.session.deadline().is_some() {
            rounds -= 1;
            assert!(rounds > 0, "the link does not come to rest");
            now = later(now, LONG_MS);
            self.work(now);
        }
        assert_eq!(self.session.buffered(), 0);
        assert!(
            self.may_have_packets || self.given == self.taken,
            "{} bytes are lost",
            self.taken - self.given
        );
        assert_eq!(self.session.awaits(), None);
        assert!(self.asked.is_empty(), "commands without an end");
        self.heard
    }

    /// What a host does when something came or is due.
    fn work(&mut self, now: Now) {
        loop {
            if self.session.is_full() {
                self.write(now);
            }
            let event = self.session.event(now);
            let Some(event) = event.or_else(|| self.session.timeout(now)) else {
                break;
            };
            self.events += 1;
            assert!(self.events <= self.events_max, "more events than bytes");
            self.take(event, now);
            assert!(self.given <= self.taken, "a byte is given back twice");
        }
        self.write(now);
        let deadline = self.session.deadline();
        assert!(deadline.is_none_or(|at| at > now.ms), "a link never rests");
    }

    /// Writes what is confirmed, all of it being on the disk.
    fn write(&mut self, now: Now) {
        self.session.durable(u64::MAX, now);
        while let Some(out) = self.session.output() {
            match frame::decode(&out) {
                Decoded::Message { message, used, .. } => {
                    assert_eq!(used, out.len());
                    assert_eq!(message.direction, Direction::Down);
                }
                other => panic!("the link says what is no frame: {other:?}"),
            }
        }
    }

    fn take(&mut self, event: Event, now: Now) {
        match event {
            Event::Message(received) => self.message(*received),
            Event::Broken {
                bytes,
                size_bytes,
                problem,
                ..
            } => {
                self.given += size_bytes;
                assert!(size_bytes > 0 && bytes.len() <= size_bytes);
                assert!(bytes.len() <= self.config.broken_kept_bytes);
                if problem.code == "sl651-downlink" {
                    self.command(&bytes, now);
                }
            }
            Event::CommandFailed { command, .. } => self.ended(command),
        }
    }

    /// Each command ends once. Those that set a clock are the link's own.
    fn ended(&mut self, command: u64) {
        let was_asked = self.asked.remove(&command);
        assert!(was_asked || self.config.sets_clocks, "a command ends twice");
    }

    fn message(&mut self, received: Received) {
        self.given += received.raw.len();
        received.command.into_iter().for_each(|n| self.ended(n));
        if let Ok(message) = &received.message {
            // Of single frames that was seen as they were read.
            if message.packets.is_some() {
                message_laws(self.way, message, &received.warnings);
            }
            assert_eq!(message.function, received.frame.function);
            assert!(message.others().all(|other| other != message.station));
        }
        self.session
            .accepted(received.answer, self.heard.len() as u64);
        self.heard.push(Heard {
            message: received.message,
            warnings: received.warnings,
            raw: received.raw,
        });
    }

    /// What a centre says is asked of the station that it says it to.
    fn command(&mut self, bytes: &[u8], now: Now) {
        let Decoded::Message { message: frame, .. } = frame::decode(bytes) else {
            return;
        };
        let Ok((message, _)) = decode::message(&frame, None, &self.config) else {
            return;
        };
        let Body::Command(command) = message.body else {
            return;
        };
        let station = message.station;
        let taken = self
            .session
            .command(station, message.function, command, now);
        self.asked.extend(taken.ok());
    }
}
