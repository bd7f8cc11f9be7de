//! One link of one station as a state machine without I/O, on the centre's side (CSMS): messages and time go in, events and messages
//! come out.
//!
//! | state | input | output | next |
//! | --- | --- | --- | --- |
//! | any | CALL, well formed | event with a token; its CALLRESULT when the host acknowledges it | same |
//! | any | Heartbeat | event without a token, and its CALLRESULT at once: nothing of it need be durable | same |
//! | any | BootNotification | as any CALL; the host's answer is the next standing | Accepted, Pending, Rejected |
//! | Pending, Rejected | another CALL, unless triggered | CALLERROR `SecurityError`, event `Broken` | same |
//! | any | CALL that breaks the schema | CALLERROR of the rule that it breaks, event `Broken` | same |
//! | any | CALL whose id and bytes were answered | the answer again | same |
//! | any | CALL whose id and bytes wait for the host | nothing: one answer will go out | same |
//! | any | more than `unanswered_max` waiting, or too fast | CALLERROR `GenericError` | closed after `flood_calls_max` |
//! | Quiet | [`Session::command`] | CALL | Asked |
//! | Asked | [`Session::command`] | none; it waits (one CALL at a time) | Asked |
//! | Asked | its CALLRESULT or CALLERROR | event `Answered` or `Failed`; the next command | Quiet or Asked |
//! | Asked | `command_timeout_ms` | event `Failed`; never sent again; an answer after that is `Answered`, late | Quiet or Asked |
//! | any | what is no frame | 2.0.1: CALLERROR with id `-1`; 1.6: nothing (OCPP-J 1.6, 4.1.3); event `Broken` | closed after `broken_max` |
//!
//! The host calls [`Session::receive`] with each WebSocket message, takes [`Session::event`]s until there is none, makes each durable,
//! calls [`Session::acknowledge`], sends [`Session::output`], asks [`Session::timeout`] at [`Session::deadline`], does not read before
//! [`Session::read_at_ms`], and calls [`Session::lost`] when the link is gone. Pings are the host's (WebSocket).

use crate::asking::Asking;
use crate::book::{Book, Seen};
use crate::command::{Authorization, Command};
use crate::config::{Config, Version};
use crate::decode;
use crate::encode;
use crate::error::{self, ErrorCode};
use crate::frame::{self, Frame, NO_ID, Unreadable};
use crate::message::{Doubt, Event, Phase, Token, What};
use crate::meter;
use crate::schema;
use model::{Timestamp, Told};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Milliseconds of a minute, and parts of a call that the rate is counted in.
const MINUTE_MS: u64 = 60_000;
/// WebSocket close codes (RFC 6455, 7.4.1): a breach of the protocol, a breach of the rules of the house.
const CLOSE_PROTOCOL: u16 = 1_002;
const CLOSE_POLICY: u16 = 1_008;

/// The host's clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Milliseconds of a steady clock.
    pub ms: u64,
    /// The time of day.
    pub at: Timestamp,
}

/// Whether a station is registered (`RegistrationStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may do everything. Also of a station that comes back without a boot: it boots once, and then reconnects as often as it must.
    Accepted,
    /// It must wait; only what it is triggered to send is taken.
    Pending,
    /// It is refused.
    Rejected,
}

impl Standing {
    const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Pending => "Pending",
            Self::Rejected => "Rejected",
        }
    }
}

/// What a maker's message is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataStatus {
    /// Understood and done.
    Accepted,
    /// Understood and not done.
    Rejected,
    /// The maker is known, the message is not.
    UnknownMessageId,
    /// The maker is not known.
    UnknownVendorId,
}

/// What an event is answered with, once it is durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is durable. Fits every event but a boot, an authorisation, a start of 1.6, a maker's message and a certificate's request.
    Done,
    /// To [`What::Boot`].
    Boot {
        /// How the station stands.
        standing: Standing,
        /// Seconds between heartbeats; when not accepted: until the next boot.
        interval_seconds: u32,
    },
    /// To [`What::Authorize`] and [`What::Transaction`].
    Transaction {
        /// The transaction's number; needed at a start of 1.6, and the same whenever that start comes again
        /// ([`crate::message::StartKey`]).
        id: Option<i32>,
        /// What is said of the token; needed for [`What::Authorize`] and a start of 1.6.
        authorization: Option<Authorization>,
        /// What the transaction cost, in fen (2.0.1 at the end).
        total_cost_fen: Option<i64>,
    },
    /// To [`What::Data`].
    Data {
        /// How it was taken.
        status: DataStatus,
        /// The maker's answer.
        data: Option<Value>,
    },
    /// To [`What::Sign`].
    Signing {
        /// Whether a certificate will come ([`Command::CertificateSigned`]).
        is_accepted: bool,
    },
}

/// What the host shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this text message.
    Text(String),
    /// Close the link, after what came before it.
    Close {
        /// WebSocket's close code.
        code: u16,
        /// Why, at most 123 bytes.
        reason: &'static str,
    },
}

/// A CALL that waits for the host.
#[derive(Debug)]
struct Pending {
    token: u64,
    id: String,
    hash: u64,
    what: Waiting,
}

/// As much of a CALL as its answer needs.
#[derive(Debug)]
enum Waiting {
    Boot,
    Authorize,
    Transaction(Box<crate::message::Transaction>),
    Meter(crate::message::Outlet, Option<meter::Register>),
    Data,
    Sign,
    Other,
}

/// The state machine of one link.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    version: Version,
    standing: Standing,
    book: Book,
    asking: Asking,
    pending: Vec<Pending>,
    tokens: u64,
    events: VecDeque<Event>,
    out: VecDeque<Output>,
    /// Room for calls, in parts of a minute's share (see [`MINUTE_MS`]), as of `room_ms`.
    room: u64,
    room_ms: u64,
    floods: u32,
    broken: u32,
    is_closed: bool,
}

impl Session {
    /// A new link. `standing` is what the host's register says; `seed` makes this link's message ids different from all others'.
    pub fn new(
        config: Arc<Config>,
        version: Version,
        standing: Standing,
        book: Book,
        seed: u64,
        now: Now,
    ) -> Self {
        let room = u64::from(config.calls_burst.max(1)) * MINUTE_MS;
        Self {
            version,
            standing,
            book,
            asking: Asking::new(config.clone(), version, seed),
            pending: Vec::new(),
            tokens: 0,
            events: VecDeque::new(),
            out: VecDeque::new(),
            room,
            room_ms: now.ms,
            floods: 0,
            broken: 0,
            is_closed: false,
            config,
        }
    }

    /// The version spoken.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// How the station stands.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// What is remembered of the station, to be kept for its next link.
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// Takes one WebSocket message.
    pub fn receive(&mut self, bytes: &[u8], now: Now) {
        if self.is_closed {
            return;
        }
        match frame::decode(bytes, &self.config) {
            Ok(Frame::Call {
                id,
                action,
                payload,
            }) => {
                self.broken = 0;
                self.call(&id, &action, &payload, bytes, now);
            }
            Ok(Frame::Result { id, payload }) => self.answered(&id, Ok(&payload), bytes, now),
            Ok(Frame::Error {
                id,
                code,
                description,
                ..
            }) => self.answered(&id, Err((&code, &description)), bytes, now),
            Err(unreadable) => self.unreadable(unreadable, bytes, now),
        }
    }

    /// The next thing that happened.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next thing to do.
    pub fn output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// From when on the next message may be read, milliseconds of the host's steady clock: a station that is too fast is slowed down by
    /// not reading, so that nothing is refused and nothing lost.
    pub fn read_at_ms(&self, now: Now) -> u64 {
        let missing = MINUTE_MS.saturating_sub(self.room_at(now));
        let rate = u64::from(self.config.calls_per_minute.max(1));
        now.ms.saturating_add(missing.div_ceil(rate))
    }

    /// Answers an event that is durable. A token of before, or of another link, does nothing: the station will ask again.
    ///
    /// # Errors
    /// `ocpp-answer` when the answer does not fit the event; the event still waits then.
    pub fn acknowledge(&mut self, token: Token, answer: Answer, now: Now) -> Result<(), Told> {
        let Some(at) = self
            .pending
            .iter()
            .position(|pending| pending.token == token.0)
        else {
            return Ok(());
        };
        let payload = self.payload(&self.pending[at].what, &answer, now)?;
        let pending = self.pending.remove(at);
        match (&pending.what, &answer) {
            (Waiting::Boot, Answer::Boot { standing, .. }) => self.standing = *standing,
            (Waiting::Transaction(part), answer) => {
                let given = match answer {
                    Answer::Transaction { id, .. } => id.map(|id| id.to_string()),
                    _ => None,
                };
                if let Some(id) = given.as_ref().or(part.id.as_ref()) {
                    self.book.note(part, id, &self.config);
                }
            }
            (Waiting::Meter(outlet, Some(register)), _) => {
                self.book.note_register(*outlet, *register);
            }
            _ => {}
        }
        let text = frame::encode(&Frame::Result {
            id: pending.id.clone(),
            payload,
        });
        self.book
            .answered(&pending.id, pending.hash, &text, &self.config);
        self.out.push_back(Output::Text(text));
        Ok(())
    }

    /// Refuses an event, as when it cannot be made durable: the station will try again, or give up.
    pub fn refuse(&mut self, token: Token, code: ErrorCode, told: &Told) {
        if let Some(at) = self
            .pending
            .iter()
            .position(|pending| pending.token == token.0)
        {
            let pending = self.pending.remove(at);
            self.send(&frame::refusal(&pending.id, code, told, self.version));
        }
    }

    /// Tells the station to do something, at once or after what was told before; gives the command's number. It is sent at most once.
    ///
    /// # Errors
    /// `ocpp-command` for what cannot be said, `ocpp-not-accepted` when the station's standing forbids it, `ocpp-too-many` when
    /// [`Config::commands_max`] wait.
    pub fn command(&mut self, command: &Command, now: Now) -> Result<u64, Told> {
        if self.is_closed {
            return Err(error::command(
                "the link is closed",
                "连接已关闭",
                "session",
            ));
        }
        let starts = matches!(command, Command::Start { .. } | Command::Stop { .. });
        let is_allowed = match self.standing {
            Standing::Accepted => true,
            // 2.0.1, B02.FR.05; 1.6, 4.2.
            Standing::Pending => !starts,
            Standing::Rejected => false,
        };
        if !is_allowed {
            return Err(error::not_accepted("command"));
        }
        let number = self.asking.command(command)?;
        self.ask(now);
        Ok(number)
    }

    /// When [`Self::timeout`] is to be called, milliseconds of the steady clock.
    pub fn deadline(&self) -> Option<u64> {
        self.asking.deadline()
    }

    /// Lets time pass.
    pub fn timeout(&mut self, now: Now) {
        if let Some(what) = self.asking.timeout(now.ms) {
            self.tell(None, what, Vec::new(), &[], now);
            self.ask(now);
        }
    }

    /// The link is gone: commands that wait come to nothing. Events still to be acknowledged may be: the book takes them in, so that the
    /// station's repetition is known.
    pub fn lost(&mut self, now: Now) {
        self.is_closed = true;
        for what in self.asking.lost() {
            self.tell(None, what, Vec::new(), &[], now);
        }
    }

    fn call(&mut self, id: &str, action: &str, payload: &Value, raw: &[u8], now: Now) {
        let hash = hash(raw);
        if self
            .pending
            .iter()
            .any(|pending| pending.id == id && pending.hash == hash)
        {
            return;
        }
        let mut doubts = Vec::new();
        match self.book.seen(id, hash) {
            Seen::Answered(answer) => {
                // It costs what any call costs.
                self.take_room(now);
                self.out.push_back(Output::Text(answer));
                return;
            }
            Seen::Other => doubts.push(Doubt::MessageIdReused),
            Seen::No => {}
        }
        if !self.take_room(now) {
            let told = error::too_many(
                "the station sends more calls than the rate allows",
                "充电桩发送过快",
                "calls_per_minute",
            );
            self.flooded(id, &told, raw, now);
            return;
        }
        if self.pending.len() >= self.config.unanswered_max.max(1) {
            let told = error::too_many(
                "the station does not wait for answers",
                "充电桩未等待应答即继续发送",
                "unanswered_max",
            );
            self.flooded(id, &told, raw, now);
            return;
        }
        let Some(known) = schema::from_station(self.version, action) else {
            let is_known = schema::is_known(self.version, action);
            let code = match is_known {
                true => ErrorCode::NotSupported,
                false => ErrorCode::NotImplemented,
            };
            self.refused(id, code, error::action(action, is_known), raw, now);
            return;
        };
        if self.standing != Standing::Accepted
            && action != "BootNotification"
            && !self.asking.takes_triggered(action)
        {
            let told = error::not_accepted(action);
            self.refused(id, ErrorCode::SecurityError, told, raw, now);
            return;
        }
        let is_tolerant = self.config.tolerates(action);
        for violation in schema::check(known.ask, payload, &self.config) {
            if !(is_tolerant && violation.rule.is_harmless()) {
                self.refused(id, violation.rule.code(), violation.told, raw, now);
                return;
            }
            doubts.push(Doubt::Tolerated(violation.told));
        }
        let offline = self.config.offline_after_seconds;
        match decode::call(self.version, action, payload, now.at, offline) {
            Ok((what, odd)) => {
                doubts.extend(odd);
                self.taken(id, hash, what, doubts, raw, now);
            }
            Err(violation) => self.refused(id, violation.rule.code(), violation.told, raw, now),
        }
    }

    /// A good call: the host is told, and answers when it is durable.
    fn taken(
        &mut self,
        id: &str,
        hash: u64,
        mut what: What,
        mut doubts: Vec<Doubt>,
        raw: &[u8],
        now: Now,
    ) {
        let waiting = match &mut what {
            What::Heartbeat => {
                let payload = json!({ "currentTime": encode::time(now.at) });
                self.send(&Frame::Result {
                    id: id.to_owned(),
                    payload,
                });
                self.tell(None, what, doubts, raw, now);
                return;
            }
            What::Transaction(part) => {
                self.book.complete(part);
                doubts.extend(self.book.judge(part, now.at, &self.config));
                Waiting::Transaction(part.clone())
            }
            What::Meter { outlet, values } => {
                let registers = meter::registers(values);
                let judged = self
                    .book
                    .judge_registers(*outlet, &registers, now.at, &self.config);
                doubts.extend(judged);
                Waiting::Meter(*outlet, registers.last().copied())
            }
            What::Status(status) => {
                doubts.extend(crate::book::clock(status.at, now.at, &self.config));
                Waiting::Other
            }
            What::Boot(_) => Waiting::Boot,
            What::Authorize(_) => Waiting::Authorize,
            What::Data { .. } => Waiting::Data,
            What::Sign { .. } => Waiting::Sign,
            _ => Waiting::Other,
        };
        self.tokens += 1;
        self.pending.push(Pending {
            token: self.tokens,
            id: id.to_owned(),
            hash,
            what: waiting,
        });
        self.tell(Some(Token(self.tokens)), what, doubts, raw, now);
    }

    /// The payload of an answer.
    fn payload(&self, waiting: &Waiting, answer: &Answer, now: Now) -> Result<Value, Told> {
        let said = |it: &Option<Authorization>| {
            it.as_ref()
                .map(|it| encode::authorization(self.version, it))
        };
        let payload = match (waiting, answer) {
            (
                Waiting::Boot,
                Answer::Boot {
                    standing,
                    interval_seconds,
                },
            ) => json!({
                "currentTime": encode::time(now.at), "interval": interval_seconds, "status": standing.word(),
            }),
            (
                Waiting::Authorize,
                Answer::Transaction {
                    authorization: authorization @ Some(_),
                    ..
                },
            ) => match self.version {
                Version::V16 => json!({ "idTagInfo": said(authorization) }),
                Version::V201 => json!({ "idTokenInfo": said(authorization) }),
            },
            (Waiting::Transaction(part), answer) => self.transaction(part, answer)?,
            (Waiting::Data, Answer::Data { status, data }) => json!({
                "status": match status {
                    DataStatus::Accepted => "Accepted",
                    DataStatus::Rejected => "Rejected",
                    DataStatus::UnknownMessageId => "UnknownMessageId",
                    DataStatus::UnknownVendorId => "UnknownVendorId",
                },
                "data": data,
            }),
            (Waiting::Sign, Answer::Signing { is_accepted }) => {
                json!({ "status": if *is_accepted { "Accepted" } else { "Rejected" } })
            }
            (Waiting::Other | Waiting::Meter(..), Answer::Done) => json!({}),
            _ => {
                return Err(error::answer(
                    "the answer is not of the event's kind",
                    "应答与事件种类不符",
                ));
            }
        };
        Ok(encode::without_nulls(payload))
    }

    fn transaction(
        &self,
        part: &crate::message::Transaction,
        answer: &Answer,
    ) -> Result<Value, Told> {
        let (id, authorization, total_cost_fen) = match answer {
            Answer::Done => (None, None, None),
            Answer::Transaction {
                id,
                authorization,
                total_cost_fen,
            } => (*id, authorization.as_ref(), *total_cost_fen),
            _ => {
                return Err(error::answer(
                    "a transaction is answered with Done or Transaction",
                    "交易事件应以 Done 或 Transaction 应答",
                ));
            }
        };
        let said = authorization.map(|it| encode::authorization(self.version, it));
        Ok(match (self.version, part.phase) {
            (Version::V16, Phase::Started) => {
                let (Some(id), Some(said)) = (id, said) else {
                    return Err(error::answer(
                        "a start of OCPP 1.6 is answered with the transaction's number and what is said of the token",
                        "OCPP 1.6的启动须应答交易编号与卡状态",
                    ));
                };
                json!({ "transactionId": id, "idTagInfo": said })
            }
            (Version::V16, Phase::Updated) => json!({}),
            (Version::V16, Phase::Ended) => json!({ "idTagInfo": said }),
            (Version::V201, _) => {
                /// Fen of a yuan.
                const FEN: f64 = 100.0;
                let cost = total_cost_fen.map(|fen| fen as f64 / FEN);
                json!({ "idTokenInfo": said, "totalCost": cost })
            }
        })
    }

    /// A CALL that is refused, and kept.
    fn refused(&mut self, id: &str, code: ErrorCode, told: Told, raw: &[u8], now: Now) {
        self.send(&frame::refusal(id, code, &told, self.version));
        self.dead(told, raw, now);
    }

    fn flooded(&mut self, id: &str, told: &Told, raw: &[u8], now: Now) {
        self.send(&frame::refusal(
            id,
            ErrorCode::GenericError,
            told,
            self.version,
        ));
        // One dead letter tells of a flood; all of them would be one.
        if self.floods == 0 {
            self.dead(told.clone(), raw, now);
        }
        self.floods += 1;
        if self.floods > self.config.flood_calls_max {
            self.close(CLOSE_POLICY, "too many calls");
        }
    }

    fn unreadable(&mut self, unreadable: Unreadable, raw: &[u8], now: Now) {
        let Unreadable {
            id,
            code,
            is_call,
            told,
        } = unreadable;
        // 1.6 answers only what it can name; 2.0.1 has an id for the rest.
        let id = match (is_call, self.version) {
            (false, _) => None,
            (true, Version::V16) if code == ErrorCode::MessageTypeNotSupported => None,
            (true, Version::V16) => id,
            (true, Version::V201) => Some(id.unwrap_or_else(|| NO_ID.to_owned())),
        };
        // 1.6 calls a call that is not built as one a FormationViolation.
        let code = match (self.version, code) {
            (Version::V16, ErrorCode::RpcFrameworkError) => ErrorCode::FormatViolation,
            (_, code) => code,
        };
        if let Some(id) = id {
            self.send(&frame::refusal(&id, code, &told, self.version));
        }
        self.dead(told, raw, now);
        self.broken += 1;
        if self.broken > self.config.broken_max {
            self.close(CLOSE_PROTOCOL, "too many messages that are no OCPP-J");
        }
    }

    fn answered(&mut self, id: &str, answer: Result<&Value, (&str, &str)>, raw: &[u8], now: Now) {
        let Some(heard) = self.asking.answered(id, answer) else {
            // Whoever answers what nobody asked may do so without end.
            self.broken += 1;
            self.dead(error::no_question(id), raw, now);
            if self.broken > self.config.broken_max {
                self.close(CLOSE_PROTOCOL, "too many answers that nobody asked for");
            }
            return;
        };
        self.broken = 0;
        self.tell(None, heard.what, heard.doubts, raw, now);
        self.ask(now);
    }

    fn ask(&mut self, now: Now) {
        if let Some(text) = self.asking.next(now.ms) {
            self.out.push_back(Output::Text(text));
        }
    }

    fn dead(&mut self, told: Told, raw: &[u8], now: Now) {
        let kept = raw.len().min(self.config.broken_kept_bytes);
        let what = What::Broken {
            size_bytes: raw.len(),
            told,
        };
        self.tell(None, what, Vec::new(), &raw[..kept], now);
    }

    fn tell(&mut self, token: Option<Token>, what: What, doubts: Vec<Doubt>, raw: &[u8], now: Now) {
        self.events.push_back(Event {
            token,
            received_at: now.at,
            what,
            doubts,
            raw: raw.to_vec(),
        });
    }

    fn send(&mut self, frame: &Frame) {
        self.out.push_back(Output::Text(frame::encode(frame)));
    }

    fn close(&mut self, code: u16, reason: &'static str) {
        if !self.is_closed {
            self.is_closed = true;
            self.out.push_back(Output::Close { code, reason });
        }
    }

    fn room_at(&self, now: Now) -> u64 {
        let passed = now.ms.saturating_sub(self.room_ms);
        let grown = passed.saturating_mul(u64::from(self.config.calls_per_minute.max(1)));
        let full = u64::from(self.config.calls_burst.max(1)) * MINUTE_MS;
        self.room.saturating_add(grown).min(full)
    }

    /// Whether there is room for one more call; takes it.
    fn take_room(&mut self, now: Now) -> bool {
        let room = self.room_at(now);
        self.room_ms = now.ms.max(self.room_ms);
        let has_room = room >= MINUTE_MS;
        self.room = if has_room { room - MINUTE_MS } else { room };
        if self.room >= u64::from(self.config.calls_burst.max(1)) * MINUTE_MS / 2 {
            self.floods = 0;
        }
        has_room
    }
}

/// A message's bytes as one number, the same in every process: whether a repetition is one.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
