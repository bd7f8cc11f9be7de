//! One link as a state machine without I/O: bytes and time go in, events and frames come out. Several stations may share it
//! (集合转发站); each has a line of its own in the table.
//!
//! | state of a station on the link | input | answer | next |
//! | --- | --- | --- | --- |
//! | Unknown | any frame up | as below; its centre, password and encoding are remembered | Idle |
//! | any | keep-alive 2FH | none; event `Message` | same |
//! | any | single frame (M1, M2) | event `Message`; [`Session::accepted`] puts its confirmation in line | same |
//! | any | packet that is not the last (M3) | none | Collecting |
//! | Collecting | last packet, all there | event `Message`, one confirmation for all | Idle |
//! | Collecting | last packet, one missing; or `packet_timeout_ms` | NAK with the first missing one | Collecting |
//! | Collecting | it was asked for `packet_requests_max` times | event `Broken` | Idle |
//! | any | [`Session::durable`] | the confirmations that are due: ACK (more follow), ESC (stay) or EOT | same |
//! | Idle | [`Session::command`] | the query or order, ENQ, serial number 0 (M4) | Asked |
//! | Asked | answer of the same function | event `Message` with the command; its confirmation as above | Idle |
//! | Asked | `command_timeout_ms` | the command again, at most `command_repeats_max` times; pumps, valves and gates never | Asked |
//! | Asked | no answer then | event `CommandFailed` | Idle |
//! | any | bytes that are no good frame | event `Broken`; no answer (6.3.1.2 b) | same |
//!
//! The host calls [`Session::receive`] with what came, takes [`Session::event`]s until there is none, sends
//! [`Session::output`], and asks [`Session::timeout`] at [`Session::deadline`]. It answers each message once: with
//! [`Session::accepted`] when it is handed on (confirmed when durable), or not at all, which leaves the station unconfirmed.

use crate::assembly::{Assembly, Progress};
use crate::config::Config;
use crate::decode;
use crate::encode;
use crate::error;
use crate::frame::{self, Direction, Encoding, Frame, Part, Station};
use crate::message::{Body, Command, Message, function};
use crate::time::SentTime;
use model::{Problem, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use wire::Decoded;

/// The host's clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Milliseconds of a steady clock.
    pub ms: u64,
    /// The time of day.
    pub at: Timestamp,
}

/// What happened, for the host to act upon.
#[derive(Debug)]
pub enum Event {
    /// A whole message of a station.
    Message(Box<Received>),
    /// Bytes that are no message, to be kept as a dead letter.
    Broken {
        /// The bytes; of many, their front.
        bytes: Vec<u8>,
        /// How many they were.
        size_bytes: usize,
        /// What is wrong.
        problem: Problem,
        /// Whose they are, when that could be read.
        station: Option<Station>,
    },
    /// A command was not answered, however often it was sent.
    CommandFailed {
        /// What [`Session::command`] gave.
        command: u64,
        /// Which station.
        station: Station,
        /// What is wrong.
        problem: Problem,
    },
}

/// A whole message as it was received.
#[derive(Debug)]
pub struct Received {
    /// Its frame; of several packets, with the whole body.
    pub frame: Frame,
    /// What it says, or why its body cannot be read.
    pub message: Result<Message, Problem>,
    /// What is odd about it.
    pub warnings: Vec<Problem>,
    /// The bytes of all its frames, as they came.
    pub raw: Vec<u8>,
    /// How it is confirmed; for [`Session::accepted`].
    pub answer: Answer,
    /// The command that it answers.
    pub command: Option<u64>,
}

/// How a message is confirmed. Whoever drops it leaves the message unconfirmed.
#[derive(Clone, Debug)]
pub struct Answer {
    encoding: Encoding,
    centre: u8,
    station: Station,
    password: u16,
    function: u8,
    serial: u16,
    packets: Option<u16>,
    more_follow: bool,
    is_wanted: bool,
}

#[derive(Debug)]
struct Pending {
    /// Durable position from which on it may be written.
    due_at: u64,
    answer: Answer,
}

/// A station as this link knows it.
#[derive(Debug)]
struct Line {
    encoding: Encoding,
    centre: u8,
    password: u16,
    waiting: VecDeque<(u64, u8, Command)>,
    asked: Option<Asked>,
    clock_set_ms: Option<u64>,
}

#[derive(Debug)]
struct Asked {
    command: u64,
    function: u8,
    order: Command,
    sent_ms: u64,
    repeats: u8,
}

/// The state machine of one link.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    /// Whether bytes come in datagrams, whose ends are ends of frames too.
    in_datagrams: bool,
    buffer: Vec<u8>,
    /// When the frame at the front of the buffer began to come.
    began_ms: u64,
    assemblies: Vec<Assembly>,
    lines: BTreeMap<Station, Line>,
    pending: VecDeque<Pending>,
    out: VecDeque<Vec<u8>>,
    commands: u64,
}

impl Session {
    /// A new link; `in_datagrams` for UDP.
    pub fn new(config: Arc<Config>, in_datagrams: bool) -> Self {
        Self {
            config,
            in_datagrams,
            buffer: Vec::new(),
            began_ms: 0,
            assemblies: Vec::new(),
            lines: BTreeMap::new(),
            pending: VecDeque::new(),
            out: VecDeque::new(),
            commands: 0,
        }
    }

    /// Takes bytes in: what a stream gave, or one datagram.
    pub fn receive(&mut self, bytes: &[u8], now: Now) {
        if self.buffer.is_empty() {
            self.began_ms = now.ms;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes received and not yet looked through.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The next thing that happened; `None` when more bytes are needed.
    pub fn event(&mut self, now: Now) -> Option<Event> {
        loop {
            let (frame, used, warnings) = match frame::decode(&self.buffer) {
                Decoded::Message {
                    message,
                    used,
                    warnings,
                } => (message, used, warnings),
                Decoded::Incomplete { .. } if self.buffer.is_empty() || !self.in_datagrams => {
                    return None;
                }
                Decoded::Incomplete { .. } => return Some(self.half_frame()),
                Decoded::Foreign => {
                    let skip = frame::next_start(&self.buffer);
                    let problem = error::frame(
                        "sl651-foreign",
                        "the bytes are no frame of SL 651: they begin neither with 7E7E nor with 01 (SOH)",
                        "link",
                    );
                    return Some(self.broken(skip, problem, now));
                }
                Decoded::Invalid { error, skip } => return Some(self.broken(skip, error, now)),
            };
            let raw: Vec<u8> = self.buffer.drain(..used).collect();
            self.began_ms = now.ms;
            if let Some(event) = self.frame(frame, warnings, raw, now) {
                return Some(event);
            }
        }
    }

    fn broken(&mut self, skip: usize, problem: Problem, now: Now) -> Event {
        let skip = skip.clamp(1, self.buffer.len().max(1));
        let mut bytes: Vec<u8> = self.buffer.drain(..skip.min(self.buffer.len())).collect();
        self.began_ms = now.ms;
        let size_bytes = bytes.len();
        bytes.truncate(self.config.broken_kept_bytes);
        Event::Broken {
            bytes,
            size_bytes,
            problem,
            station: None,
        }
    }

    /// Gives up the frame at the front, whose end did not come.
    fn half_frame(&mut self) -> Event {
        let problem = error::frame(
            "sl651-half-frame",
            format!("the frame ends after {} bytes", self.buffer.len()),
            "frame",
        );
        // A whole frame may stand behind a start mark that was none.
        let skip = frame::next_start(&self.buffer);
        let now = Now {
            ms: self.began_ms,
            at: Timestamp::default(),
        };
        self.broken(skip, problem, now)
    }

    fn frame(
        &mut self,
        frame: Frame,
        warnings: Vec<Problem>,
        raw: Vec<u8>,
        now: Now,
    ) -> Option<Event> {
        let kept_bytes = self.config.broken_kept_bytes;
        let refuse = |problem, mut raw: Vec<u8>, station| {
            let size_bytes = raw.len();
            raw.truncate(kept_bytes);
            Some(Event::Broken {
                size_bytes,
                bytes: raw,
                problem,
                station: Some(station),
            })
        };
        let station = frame.station;
        if frame.direction == Direction::Down {
            let what = "the frame goes down, from a centre to a station, and came up";
            let problem = error::frame("sl651-downlink", what, "frame, direction and length");
            return refuse(problem, raw, station);
        }
        if !self.know(&frame) {
            let max = self.config.stations_max;
            let what = format!("the link carries more than {max} stations");
            let problem = error::limit("sl651-stations", what, "link", "stations_max");
            return refuse(problem, raw, station);
        }
        match frame.part {
            None => Some(self.whole(frame, None, warnings, raw, None, now)),
            Some(part) => self.packet(frame, part, warnings, &raw, now),
        }
    }

    /// Remembers a station; `false` when there are too many.
    fn know(&mut self, frame: &Frame) -> bool {
        if let Some(line) = self.lines.get_mut(&frame.station) {
            line.encoding = frame.encoding;
            line.centre = frame.centre;
            line.password = frame.password;
            return true;
        }
        if self.lines.len() >= self.config.stations_max {
            return false;
        }
        self.lines.insert(
            frame.station,
            Line {
                encoding: frame.encoding,
                centre: frame.centre,
                password: frame.password,
                waiting: VecDeque::new(),
                asked: None,
                clock_set_ms: None,
            },
        );
        true
    }

    fn packet(
        &mut self,
        frame: Frame,
        part: Part,
        warnings: Vec<Problem>,
        raw: &[u8],
        now: Now,
    ) -> Option<Event> {
        let config = Arc::clone(&self.config);
        let at = self
            .assemblies
            .iter()
            .position(|assembly| assembly.takes(&frame, part));
        let at = match at {
            Some(at) => at,
            None => {
                // Another message of the same kind from the same station takes the place of one that never ended.
                let old = self.assemblies.iter().position(|a| a.is_of(&frame));
                let old = old.or_else(|| {
                    let full = self.assemblies.len() >= config.assemblies_max;
                    let oldest = self.assemblies.iter().enumerate();
                    full.then(|| oldest.min_by_key(|(_, a)| a.moved_ms).map(|(at, _)| at))?
                });
                if let Some(old) = old {
                    let old = self.assemblies.swap_remove(old);
                    self.assemblies
                        .push(Assembly::new(&frame, part, &config, now.ms));
                    let event = self.given_up(old);
                    // The packet itself is taken in beside the event.
                    return match self.take_packet(
                        self.assemblies.len() - 1,
                        frame,
                        part,
                        warnings,
                        raw,
                        now,
                    ) {
                        None => Some(event),
                        // One packet alone was a whole message: that matters more than the remains of the other.
                        whole => whole,
                    };
                }
                self.assemblies
                    .push(Assembly::new(&frame, part, &config, now.ms));
                self.assemblies.len() - 1
            }
        };
        self.take_packet(at, frame, part, warnings, raw, now)
    }

    fn take_packet(
        &mut self,
        at: usize,
        frame: Frame,
        part: Part,
        warnings: Vec<Problem>,
        raw: &[u8],
        now: Now,
    ) -> Option<Event> {
        let config = Arc::clone(&self.config);
        let assembly = self.assemblies.get_mut(at)?;
        match assembly.take(frame, part, raw, &config, now.ms) {
            Progress::Waiting => None,
            Progress::Missing(missing) => self.ask_for(at, missing, now),
            Progress::Done => {
                let mut assembly = self.assemblies.swap_remove(at);
                let total = assembly.total();
                let refused = assembly.refused.take();
                let (frame, mut raw) = assembly.finish();
                if refused.is_some() {
                    raw.truncate(config.broken_kept_bytes);
                }
                Some(self.whole(frame, Some(total), warnings, raw, refused, now))
            }
        }
    }

    /// Asks for a packet, or gives the message up when that was done often enough.
    fn ask_for(&mut self, at: usize, missing: u16, now: Now) -> Option<Event> {
        let config = Arc::clone(&self.config);
        let assembly = self.assemblies.get_mut(at)?;
        let may = config.answers && assembly.ask(missing, &config, now.ms);
        if !may {
            let old = self.assemblies.swap_remove(at);
            return Some(self.given_up(old));
        }
        let head = &assembly.head;
        let total = assembly.total();
        let sent = SentTime::of(now.at, config.utc_offset_hours);
        // Serial number 0 while the first packet, which has it, is not there; the station goes by the packet's number.
        let body = body_of(head.encoding, 0, sent);
        let asked = Frame {
            direction: Direction::Down,
            part: Some(Part {
                total,
                index: missing,
            }),
            body,
            end: frame::NAK,
            ..head.clone()
        };
        self.put(&asked);
        None
    }

    fn given_up(&self, assembly: Assembly) -> Event {
        let problem = assembly
            .refused
            .clone()
            .unwrap_or_else(|| assembly.incomplete());
        let (frame, mut bytes) = assembly.finish();
        let size_bytes = bytes.len();
        bytes.truncate(self.config.broken_kept_bytes);
        Event::Broken {
            bytes,
            size_bytes,
            problem,
            station: Some(frame.station),
        }
    }

    fn whole(
        &mut self,
        frame: Frame,
        packets: Option<u16>,
        mut warnings: Vec<Problem>,
        raw: Vec<u8>,
        refused: Option<Problem>,
        now: Now,
    ) -> Event {
        let serial = decode::serial_and_time(&frame).map_or(0, |(serial, _)| serial);
        let message = match refused {
            Some(problem) => Err(problem),
            None => decode::message(&frame, packets, &self.config).map(|(message, more)| {
                warnings.extend(more);
                message
            }),
        };
        let mut command = None;
        if let Some(line) = self.lines.get_mut(&frame.station) {
            let asked = line.asked.take_if(|asked| asked.function == frame.function);
            command = asked.map(|asked| asked.command);
        }
        if let Ok(message) = &message {
            self.set_clock(message, now);
        }
        let answer = Answer {
            encoding: frame.encoding,
            centre: frame.centre,
            station: frame.station,
            password: frame.password,
            function: frame.function,
            serial,
            packets,
            more_follow: packets.is_none() && frame.end == frame::ETB,
            is_wanted: self.config.answers && frame.function != function::KEEP_ALIVE,
        };
        Event::Message(Box::new(Received {
            frame,
            message,
            warnings,
            raw,
            answer,
            command,
        }))
    }

    /// Has a station's clock set when it is off and that is wished for.
    fn set_clock(&mut self, message: &Message, now: Now) {
        let config = Arc::clone(&self.config);
        let Some(sent) = message.sent.moment(config.utc_offset_hours) else {
            return;
        };
        let off_s = now.at.micros_since(sent).abs() / 1_000_000;
        if !config.sets_clocks || !config.answers || off_s <= config.clock_off_seconds_max {
            return;
        }
        let Some(line) = self.lines.get_mut(&message.station) else {
            return;
        };
        let is_due = line
            .clock_set_ms
            .is_none_or(|set| now.ms >= set.saturating_add(config.clock_set_interval_ms));
        if is_due && line.waiting.len() < config.commands_max {
            line.clock_set_ms = Some(now.ms);
            self.commands += 1;
            let order = (self.commands, function::SET_CLOCK, Command::Plain);
            line.waiting.push_back(order);
        }
    }

    /// Puts a message's confirmation in line: it is written once every journal position up to and with `position` is
    /// durable, after those of earlier messages. Nothing for a keep-alive, and in mode M1.
    pub fn accepted(&mut self, answer: Answer, position: u64) {
        if answer.is_wanted {
            self.pending.push_back(Pending {
                due_at: position.saturating_add(1),
                answer,
            });
        }
    }

    /// Writes the confirmations that are due, every position below `position` being durable, and then commands that wait.
    /// Answers how many confirmations.
    pub fn durable(&mut self, position: u64, now: Now) -> usize {
        let mut written = 0;
        while let Some(pending) = self.pending.pop_front_if(|p| p.due_at <= position) {
            self.confirm(&pending.answer, now);
            written += 1;
        }
        self.send_commands(now);
        written
    }

    fn confirm(&mut self, answer: &Answer, now: Now) {
        let line = self.lines.get(&answer.station);
        let has_commands = line.is_some_and(|line| !line.waiting.is_empty());
        let end = match (
            answer.more_follow,
            self.config.keeps_on_line || has_commands,
        ) {
            (true, _) => frame::ACK,
            (false, true) => frame::ESC,
            (false, false) => frame::EOT,
        };
        let sent = SentTime::of(now.at, self.config.utc_offset_hours);
        let part = answer.packets.map(|total| Part {
            total,
            index: total,
        });
        let frame = Frame {
            encoding: answer.encoding,
            direction: Direction::Down,
            centre: answer.centre,
            station: answer.station,
            password: answer.password,
            function: answer.function,
            part,
            body: body_of(answer.encoding, answer.serial, sent),
            end,
        };
        self.put(&frame);
    }

    fn put(&mut self, frame: &Frame) {
        // Only fails for bodies of more than 4,095 bytes, which are never made here.
        if let Ok(bytes) = frame::encode(frame) {
            self.out.push_back(bytes);
        }
    }

    /// The durable position that the next confirmation waits for.
    pub fn awaits(&self) -> Option<u64> {
        self.pending.front().map(|pending| pending.due_at)
    }

    /// Whether as many messages wait for the disk as may: do not read further.
    pub fn is_full(&self) -> bool {
        self.pending.len() >= self.config.unanswered_max
    }

    /// The next frame to send.
    pub fn output(&mut self) -> Option<Vec<u8>> {
        self.out.pop_front()
    }

    /// The stations that this link carries.
    pub fn stations(&self) -> impl Iterator<Item = Station> + '_ {
        self.lines.keys().copied()
    }

    /// Queries or orders something of a station (M4); answers the command's number on this link. It is sent as soon as the
    /// station's earlier commands are answered and its messages confirmed.
    ///
    /// # Errors
    /// The station is not on this link, too many commands wait for it, or the standard has no form for the command.
    pub fn command(
        &mut self,
        station: Station,
        code: u8,
        command: Command,
        now: Now,
    ) -> Result<u64, Problem> {
        let max = self.config.commands_max;
        let Some(line) = self.lines.get_mut(&station) else {
            return Err(Problem::new(
                "sl651-not-on-the-line",
                format!("station {station} has not been heard on this link"),
                "station",
                "wait until it reports, and ask again",
            ));
        };
        if line.waiting.len() >= max {
            let what = format!("{max} commands wait for station {station}");
            return Err(error::limit(
                "sl651-commands",
                what,
                "station",
                "commands_max",
            ));
        }
        let order = order(station, line, code, command.clone(), now, &self.config);
        encode::message(&order)?;
        self.commands += 1;
        line.waiting.push_back((self.commands, code, command));
        self.send_commands(now);
        Ok(self.commands)
    }

    fn send_commands(&mut self, now: Now) {
        let config = Arc::clone(&self.config);
        let (pending, out) = (&self.pending, &mut self.out);
        for (station, line) in &mut self.lines {
            let is_free = line.asked.is_none() && !line.waiting.is_empty();
            if !is_free || pending.iter().any(|p| p.answer.station == *station) {
                continue;
            }
            if let Some((number, code, command)) = line.waiting.pop_front() {
                let message = order(*station, line, code, command.clone(), now, &config);
                out.extend(encode::message(&message));
                line.asked = Some(Asked {
                    command: number,
                    function: code,
                    order: command,
                    sent_ms: now.ms,
                    repeats: 0,
                });
            }
        }
    }

    /// When [`Session::timeout`] wants to be asked, on the host's steady clock.
    pub fn deadline(&self) -> Option<u64> {
        let config = &self.config;
        let frame = (!self.buffer.is_empty()).then_some(self.began_ms + config.frame_timeout_ms);
        let packets = self
            .assemblies
            .iter()
            .map(|a| a.moved_ms + config.packet_timeout_ms);
        let asked = self.lines.values().filter_map(|line| line.asked.as_ref());
        let asked = asked.map(|asked| asked.sent_ms + config.command_timeout_ms);
        frame.into_iter().chain(packets).chain(asked).min()
    }

    /// Does what is due; to be asked again until it gives nothing.
    pub fn timeout(&mut self, now: Now) -> Option<Event> {
        let config = Arc::clone(&self.config);
        if !self.buffer.is_empty() && now.ms >= self.began_ms + config.frame_timeout_ms {
            let event = self.half_frame();
            self.began_ms = now.ms;
            return Some(event);
        }
        let late = |a: &Assembly| now.ms >= a.moved_ms + config.packet_timeout_ms;
        while let Some(at) = self.assemblies.iter().position(late) {
            let assembly = self.assemblies.get(at)?;
            let missing = assembly.missing().filter(|_| assembly.refused.is_none());
            let event = match missing {
                Some(missing) => self.ask_for(at, missing, now),
                None => {
                    let old = self.assemblies.swap_remove(at);
                    Some(self.given_up(old))
                }
            };
            if event.is_some() {
                return event;
            }
        }
        let mut failed = None;
        for (station, line) in &mut self.lines {
            let head = (line.encoding, line.centre, line.password);
            let Some(asked) = &mut line.asked else {
                continue;
            };
            if now.ms < asked.sent_ms + config.command_timeout_ms {
                continue;
            }
            if asked.repeats < repeats_max(asked.function, &config) {
                asked.repeats += 1;
                asked.sent_ms = now.ms;
                let message = order_of(
                    *station,
                    head,
                    asked.function,
                    asked.order.clone(),
                    now,
                    &config,
                );
                self.out.extend(encode::message(&message));
                continue;
            }
            failed = Some((asked.command, *station, asked.function));
            line.asked = None;
            break;
        }
        self.send_commands(now);
        let (command, station, code) = failed?;
        let times = u16::from(repeats_max(code, &config)) + 1;
        Some(Event::CommandFailed {
            command,
            station,
            problem: Problem::new(
                "sl651-no-answer",
                format!("station {station} did not answer function {code:02X} after {times} times"),
                "station",
                "see whether the station stays on the line and supports this function",
            ),
        })
    }
}

/// How often a command is sent again. What moves something is sent once: a gate that was moved and whose answer was lost must not
/// be moved again without somebody having looked.
const fn repeats_max(code: u8, config: &Config) -> u8 {
    match code {
        function::PUMPS | function::VALVES | function::GATES => 0,
        _ => config.command_repeats_max,
    }
}

fn order(
    station: Station,
    line: &Line,
    code: u8,
    command: Command,
    now: Now,
    config: &Config,
) -> Message {
    let head = (line.encoding, line.centre, line.password);
    order_of(station, head, code, command, now, config)
}

fn order_of(
    station: Station,
    (encoding, centre, password): (Encoding, u8, u16),
    code: u8,
    command: Command,
    now: Now,
    config: &Config,
) -> Message {
    Message {
        encoding,
        direction: Direction::Down,
        centre,
        station,
        password,
        function: code,
        end: frame::ENQ,
        packets: None,
        serial: 0,
        sent: SentTime::of(now.at, config.utc_offset_hours),
        body: Body::Command(command),
    }
}

/// Serial number and time, which is all that the centre confirms with.
fn body_of(encoding: Encoding, serial: u16, sent: SentTime) -> Vec<u8> {
    match encoding {
        Encoding::Hex => {
            let mut body = serial.to_be_bytes().to_vec();
            body.extend(sent.0);
            body
        }
        Encoding::Ascii => format!("{serial:04X}{sent}").into_bytes(),
    }
}
