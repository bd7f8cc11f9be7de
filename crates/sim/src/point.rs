//! One charge point as a machine without I/O: what it is told to play, what the centre orders and answers, and what goes out next.
//!
//! It keeps the order of a real one: one message at a time; what belongs to a charge waits until it is answered, over as many links as it
//! takes; what says how things stand now is said anew on each link.

use crate::words::{Limit, Moment, Reason, State, Token, Version};
use model::Timestamp;
use serde_json::{Value as Json, json};
use std::collections::{HashMap, VecDeque};

/// A charge of the days before, which the charge point tells from its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastCharge {
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// Energy, watt-hours.
    pub wh: i64,
    /// The card.
    pub card: String,
}

/// What a charge point plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A vehicle that charges with this card and takes so much power, watts.
    Begin {
        /// The card.
        card: String,
        /// Its power.
        watts: i64,
    },
    /// It leaves.
    End,
    /// Something breaks: OCPP's word for what (1.6, 7.6 ChargePointErrorCode).
    Fault(String),
    /// It is mended.
    Mend,
    /// What happened before the first start, in order of time, and when it was faulty.
    Past {
        /// The charges.
        charges: Vec<PastCharge>,
        /// A fault, from when until when.
        fault: Option<(Timestamp, Timestamp)>,
    },
}

/// What makes one charge point differ from another.
#[derive(Clone, Debug)]
pub(crate) struct Plate {
    pub version: Version,
    /// Its name in transaction ids.
    pub name: String,
    pub model: String,
    pub rated_w: i64,
    /// How often its meter is told while it charges, seconds.
    pub meter_seconds: i64,
}

/// A message that waits.
#[derive(Clone, Debug)]
struct Say {
    action: &'static str,
    body: Json,
    /// The charge that it belongs to, by the charge point's own number.
    charge: Option<u64>,
    is_start: bool,
}

impl Say {
    /// It waits for the next link, too.
    const fn is_kept(&self) -> bool {
        self.charge.is_some()
    }
}

/// A charge under way.
#[derive(Debug)]
struct Running {
    number: u64,
    name: String,
    token: Token,
    /// What the vehicle takes when nobody limits it.
    wants_w: i64,
    register_first: i64,
    /// Watt-seconds times a million since the start.
    taken: i128,
    counted_at: Timestamp,
    read_at: Timestamp,
    sequence: i64,
    limit: Option<(i64, Option<Timestamp>)>,
}

/// What a driver who orders by phone takes, at most: of alternating current, and of direct current.
const ORDERED_W: [i64; 2] = [6_600, 40_000];
/// Above it a charge point gives direct current.
const AC_W_MAX: i64 = 22_000;
/// So much an ordered charge takes before the vehicle is full, watt-hours.
const ORDERED_WH: i64 = 30_000;
/// Registers count from here: 2025-01-01T00:00:00Z.
const REGISTER_SINCE: Timestamp = Timestamp::from_seconds(1_735_689_600);
/// By then a charge point has given this part of what it could: the register never runs backwards over a restart, although nothing is kept.
const REGISTER_SHARE: i128 = 4;
const MICROS_PER_HOUR: i128 = 3_600_000_000;
/// Until the first answer says how often to say that it lives, seconds.
const HEARTBEAT_SECONDS: i64 = 300;

/// The machine.
pub(crate) struct Point {
    plate: Plate,
    queue: VecDeque<Say>,
    /// What was sent and is not answered: its id, and whether it goes out again.
    waiting: Option<(String, Say)>,
    answers: VecDeque<String>,
    running: Option<Running>,
    /// The centre's numbers of charges (1.6).
    numbers: HashMap<u64, Json>,
    register_wh: i64,
    limit_w: Option<i64>,
    error: Option<String>,
    is_operative: bool,
    charges: u64,
    messages: u64,
    heard_at: Timestamp,
    heartbeat_seconds: i64,
    is_linked: bool,
    /// Messages answered, and refused.
    pub(crate) answered: u64,
    pub(crate) refused: u64,
}

impl Point {
    pub(crate) fn new(plate: Plate, now: Timestamp) -> Self {
        Self {
            plate,
            queue: VecDeque::new(),
            waiting: None,
            answers: VecDeque::new(),
            running: None,
            numbers: HashMap::new(),
            register_wh: 0,
            limit_w: None,
            error: None,
            is_operative: true,
            charges: 0,
            messages: 0,
            heard_at: now,
            heartbeat_seconds: HEARTBEAT_SECONDS,
            is_linked: false,
            answered: 0,
            refused: 0,
        }
    }

    /// A link is open: it boots and says how it stands, then what waited.
    pub(crate) fn linked(&mut self, now: Timestamp) {
        self.is_linked = true;
        self.greet(now);
    }

    /// The link is gone: what belongs to charges goes out again, everything else is old.
    pub(crate) fn lost(&mut self) {
        self.is_linked = false;
        self.answers.clear();
        if let Some((_, say)) = self.waiting.take() {
            self.queue.push_front(say);
        }
        self.queue.retain(Say::is_kept);
    }

    fn greet(&mut self, now: Timestamp) {
        if self.running.is_none() {
            let idle = self.idle_say(now);
            self.queue.push_front(idle);
        }
        let status = self.status_say(now);
        let boot = self.plate.version.boot(&self.plate.model);
        self.queue.push_front(status);
        self.queue.push_front(Say::now("BootNotification", boot));
    }

    /// Plays something.
    pub(crate) fn act(&mut self, act: Act, now: Timestamp) {
        self.pass(now);
        match act {
            Act::Begin { card, watts } => {
                if self.is_free() {
                    let body = self.plate.version.authorize(&card);
                    if self.is_linked {
                        self.queue.push_back(Say::now("Authorize", body));
                    }
                    self.begin(Token::Card(card), watts.min(self.plate.rated_w), now);
                }
            }
            // A vehicle that came by an order stays.
            Act::End => {
                if matches!(&self.running, Some(charge) if matches!(charge.token, Token::Card(_))) {
                    self.end(Reason::Local, now);
                }
            }
            Act::Fault(code) => {
                self.end(Reason::Fault, now);
                self.error = Some(code);
                self.say_status(now);
            }
            Act::Mend => {
                self.error = None;
                self.say_status(now);
            }
            Act::Past { charges, fault } => self.remember(&charges, fault),
        }
    }

    /// Time has passed: energy flows, the meter is told, the vehicle is full, and now and then it says that it lives.
    pub(crate) fn pass(&mut self, now: Timestamp) {
        self.flow(now);
        let (meter_seconds, rated) = (self.plate.meter_seconds, self.plate.rated_w);
        let (version, default) = (self.plate.version, self.limit_w);
        let Some(charge) = &mut self.running else {
            if self.is_linked
                && now >= self.heard_at.plus_seconds(self.heartbeat_seconds)
                && self.queue.is_empty()
                && self.waiting.is_none()
            {
                self.queue.push_back(Say::now("Heartbeat", json!({})));
            }
            return;
        };
        if now >= charge.read_at.plus_seconds(meter_seconds) {
            charge.read_at = now;
            charge.sequence += 1;
            let moment = charge.moment(now, charge.power(default, rated));
            let (action, body) = version.reading(&charge.name, charge.sequence, moment);
            let number = charge.number;
            self.queue.push_back(Say::of(action, body, number));
        }
        let is_full = matches!(&self.running, Some(charge) if matches!(charge.token, Token::Ordered(..)) && charge.wh() >= ORDERED_WH);
        if is_full {
            self.end(Reason::Local, now);
        }
    }

    /// It is switched off: what charges ends.
    pub(crate) fn switch_off(&mut self, now: Timestamp) {
        self.pass(now);
        self.end(Reason::Reboot, now);
    }

    /// Whether nothing waits to be sent or answered.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.waiting.is_none() && self.answers.is_empty()
    }

    /// Whether an answer is waited for.
    pub(crate) fn waits(&self) -> bool {
        self.waiting.is_some()
    }

    /// The next text to be sent.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<String> {
        if let Some(answer) = self.answers.pop_front() {
            return Some(answer);
        }
        if self.waiting.is_some() {
            return None;
        }
        loop {
            let say = self.queue.pop_front()?;
            let mut body = say.body.clone();
            if let (Version::V16, Some(charge), false) =
                (self.plate.version, say.charge, say.is_start)
            {
                // Its start was refused, so that the centre knows no number for it.
                let Some(number) = self.numbers.get(&charge) else {
                    continue;
                };
                body["transactionId"] = number.clone();
            }
            self.messages += 1;
            self.heard_at = now;
            let id = format!("{}-{}", now.micros(), self.messages);
            let text = json!([2, id, say.action, body]).to_string();
            self.waiting = Some((id, say));
            return Some(text);
        }
    }

    /// Takes a text of the centre.
    pub(crate) fn receive(&mut self, text: &str, now: Timestamp) {
        let Ok(Json::Array(parts)) = serde_json::from_str::<Json>(text) else {
            return;
        };
        let id = parts.get(1).and_then(Json::as_str).unwrap_or_default();
        match (
            parts.first().and_then(Json::as_i64),
            parts.get(2),
            parts.get(3),
        ) {
            (Some(2), Some(Json::String(action)), Some(body)) => {
                self.pass(now);
                let answer = match self.order(action, body, now) {
                    Some(answer) => json!([3, id, answer]),
                    None => json!([4, id, "NotImplemented", "a simulated charge point", {}]),
                };
                // Answered before what follows from it.
                self.answers.push_back(answer.to_string());
            }
            (Some(3), Some(body), _) => self.answer(id, Some(body)),
            (Some(4), ..) => self.answer(id, None),
            _ => {}
        }
    }

    fn answer(&mut self, id: &str, body: Option<&Json>) {
        let Some((_, say)) = self.waiting.take_if(|(waiting, _)| waiting == id) else {
            return;
        };
        let Some(body) = body else {
            self.refused += 1;
            return;
        };
        self.answered += 1;
        if let Some(seconds) = body
            .get("interval")
            .and_then(Json::as_i64)
            .filter(|it| *it > 0)
        {
            self.heartbeat_seconds = seconds;
        }
        if let (true, Some(charge), Some(number)) =
            (say.is_start, say.charge, body.get("transactionId"))
        {
            self.numbers.insert(charge, number.clone());
        }
        // The last of a charge was heard; its number is of no use any more.
        if let (false, Some(charge)) = (say.is_start, say.charge)
            && say.action == "StopTransaction"
        {
            self.numbers.remove(&charge);
        }
    }

    /// What the centre orders; none: it cannot do that.
    fn order(&mut self, action: &str, body: &Json, now: Timestamp) -> Option<Json> {
        let version = self.plate.version;
        let status = |word: &str| Some(json!({ "status": word }));
        let accepted = |is_so: bool| status(if is_so { "Accepted" } else { "Rejected" });
        match (version, action) {
            (Version::V16, "RemoteStartTransaction")
            | (Version::V201, "RequestStartTransaction") => {
                let token = version.ordered(body).filter(|_| self.is_free());
                let Some(token) = token else {
                    return accepted(false);
                };
                let [ac, dc] = ORDERED_W;
                let wants = if self.plate.rated_w > AC_W_MAX {
                    dc
                } else {
                    ac
                };
                self.begin(token, wants.min(self.plate.rated_w), now);
                accepted(true)
            }
            (Version::V16, "RemoteStopTransaction") | (Version::V201, "RequestStopTransaction") => {
                let asked = body.get("transactionId");
                let is_it = match (&self.running, version) {
                    (Some(charge), Version::V16) => {
                        asked.is_some() && self.numbers.get(&charge.number) == asked
                    }
                    (Some(charge), Version::V201) => {
                        asked.and_then(Json::as_str) == Some(charge.name.as_str())
                    }
                    (None, _) => false,
                };
                if is_it {
                    self.end(Reason::Remote, now);
                }
                accepted(is_it)
            }
            (_, "Reset") => {
                self.end(Reason::Reboot, now);
                self.queue.push_back(Say::now(
                    "BootNotification",
                    version.boot(&self.plate.model),
                ));
                self.say_status(now);
                accepted(true)
            }
            (_, "UnlockConnector") => {
                self.end(Reason::Local, now);
                status("Unlocked")
            }
            (_, "ChangeAvailability") => {
                let word = body.get("type").or_else(|| body.get("operationalStatus"));
                self.is_operative = word.and_then(Json::as_str) == Some("Operative");
                if self.running.is_some() {
                    return status("Scheduled");
                }
                self.say_status(now);
                accepted(true)
            }
            (_, "TriggerMessage") => {
                match body.get("requestedMessage").and_then(Json::as_str) {
                    Some("StatusNotification") => self.say_status(now),
                    Some("Heartbeat") => self.queue.push_back(Say::now("Heartbeat", json!({}))),
                    Some("BootNotification") => {
                        self.queue.push_back(Say::now(
                            "BootNotification",
                            version.boot(&self.plate.model),
                        ));
                    }
                    _ => return status("NotImplemented"),
                }
                accepted(true)
            }
            (_, "SetChargingProfile") => {
                let limit = version.limit(body);
                let is_kept = limit.is_some_and(|limit| self.keep(limit, now));
                accepted(is_kept)
            }
            (_, "ClearChargingProfile") => {
                self.limit_w = None;
                if let Some(charge) = &mut self.running {
                    charge.limit = None;
                }
                accepted(true)
            }
            (Version::V16, "DataTransfer") | (Version::V201, "DataTransfer") => {
                status("UnknownVendorId")
            }
            _ => None,
        }
    }

    /// Keeps a limit; not, when there is no charge that it could be for.
    fn keep(&mut self, limit: Limit, now: Timestamp) -> bool {
        if !limit.is_of_transaction {
            self.limit_w = Some(limit.watts);
            return true;
        }
        let Some(charge) = &mut self.running else {
            return false;
        };
        let until = limit.seconds.map(|seconds| now.plus_seconds(seconds));
        charge.limit = Some((limit.watts, until));
        true
    }

    fn is_free(&self) -> bool {
        self.running.is_none() && self.error.is_none() && self.is_operative
    }

    fn state(&self) -> State {
        match (&self.error, &self.running, self.is_operative) {
            (Some(_), ..) => State::Faulted,
            (None, Some(_), _) => State::Charging,
            (None, None, false) => State::Unavailable,
            (None, None, true) => State::Available,
        }
    }

    fn status_say(&self, now: Timestamp) -> Say {
        let body = self
            .plate
            .version
            .status(self.state(), self.error.as_deref(), now);
        Say::now("StatusNotification", body)
    }

    /// What the meter says while nobody charges: what it said last of a charge would stand otherwise.
    fn idle_say(&self, now: Timestamp) -> Say {
        let moment = Moment {
            at: now,
            register_wh: self.register_by(now),
            watts: 0,
        };
        Say::now("MeterValues", self.plate.version.idle(moment))
    }

    /// Without a link nothing is kept: the next one begins with it.
    fn say_status(&mut self, now: Timestamp) {
        if self.is_linked {
            let say = self.status_say(now);
            self.say_first(say);
        }
    }

    /// How things stand is told before what waits of charges, whose own order stays (1.6, 3.7.1).
    fn say_first(&mut self, say: Say) {
        let first_kept = self.queue.iter().position(Say::is_kept);
        self.queue
            .insert(first_kept.unwrap_or(self.queue.len()), say);
    }

    /// What the register says at least by then.
    fn register_by(&self, at: Timestamp) -> i64 {
        let micros = i128::from(at.micros_since(REGISTER_SINCE).max(0));
        let wh = micros * i128::from(self.plate.rated_w) / REGISTER_SHARE / MICROS_PER_HOUR;
        i64::try_from(wh).unwrap_or(i64::MAX).max(self.register_wh)
    }

    fn begin(&mut self, token: Token, watts: i64, now: Timestamp) {
        self.charges += 1;
        self.register_wh = self.register_by(now);
        let charge = Running {
            number: self.charges,
            name: self.transaction(now),
            token,
            wants_w: watts,
            register_first: self.register_wh,
            taken: 0,
            counted_at: now,
            read_at: now,
            sequence: 0,
            limit: None,
        };
        let moment = charge.moment(now, charge.power(self.limit_w, self.plate.rated_w));
        let version = self.plate.version;
        let (action, body) = version.start(&charge.name, &charge.token, moment);
        self.queue.push_back(Say {
            is_start: true,
            ..Say::of(action, body, charge.number)
        });
        self.running = Some(charge);
        self.say_status(now);
    }

    /// A name that no other charge of this charge point has, 36 characters at most (2.0.1, part 2, 2.48).
    fn transaction(&self, at: Timestamp) -> String {
        format!("{}-{}", self.plate.name, at.micros() / 1_000)
    }

    fn end(&mut self, reason: Reason, now: Timestamp) {
        let Some(mut charge) = self.running.take() else {
            return;
        };
        charge.sequence += 1;
        let moment = charge.moment(now, 0);
        self.register_wh = moment.register_wh;
        let version = self.plate.version;
        let (action, body) =
            version.stop(&charge.name, charge.sequence, &charge.token, reason, moment);
        self.queue.push_back(Say::of(action, body, charge.number));
        // The end of 2.0.1 has it.
        if self.is_linked && version == Version::V16 {
            let idle = Moment { at: now, ..moment };
            self.queue
                .push_back(Say::now("MeterValues", version.idle(idle)));
        }
        if reason != Reason::Fault {
            self.say_status(now);
        }
    }

    /// Lets energy flow until now.
    fn flow(&mut self, now: Timestamp) {
        let (default, rated) = (self.limit_w, self.plate.rated_w);
        let Some(charge) = &mut self.running else {
            return;
        };
        // A limit that ends meanwhile held until now: readings are closer than that.
        let watts = charge.power(default, rated);
        let micros = i128::from(now.micros_since(charge.counted_at).max(0));
        charge.taken += micros * i128::from(watts);
        charge.counted_at = now;
        if matches!(charge.limit, Some((_, Some(until))) if until <= now) {
            charge.limit = None;
        }
    }

    /// Tells what happened before the first start, as a charge point does that was cut off.
    fn remember(&mut self, charges: &[PastCharge], fault: Option<(Timestamp, Timestamp)>) {
        let version = self.plate.version;
        for past in charges {
            self.charges += 1;
            let number = self.charges;
            let name = self.transaction(past.from);
            let token = Token::Card(past.card.clone());
            let first = self.register_by(past.from);
            self.register_wh = first + past.wh.max(0);
            let micros = past.to.micros_since(past.from).max(1);
            let watts = i128::from(past.wh) * MICROS_PER_HOUR / i128::from(micros);
            let watts = i64::try_from(watts).unwrap_or(0);
            let moment = |part: i64| Moment {
                at: past.from.plus_micros(micros / 2 * part),
                register_wh: if part == 2 {
                    first + past.wh
                } else {
                    first + past.wh / 2 * part
                },
                watts: if part == 1 { watts } else { 0 },
            };
            let mut said = [
                version.start(&name, &token, moment(0)),
                version.reading(&name, 1, moment(1)),
                version.stop(&name, 2, &token, Reason::Local, moment(2)),
            ];
            if version == Version::V201 {
                for (_, body) in &mut said {
                    body["offline"] = json!(true);
                }
            }
            for (n, (action, body)) in said.into_iter().enumerate() {
                self.queue.push_back(Say {
                    is_start: n == 0,
                    ..Say::of(action, body, number)
                });
            }
        }
        if let Some((from, to)) = fault {
            for (state, error, at) in [
                (State::Faulted, Some("OtherError"), from),
                (State::Available, None, to),
            ] {
                self.say_first(Say::now(
                    "StatusNotification",
                    version.status(state, error, at),
                ));
            }
        }
    }
}

impl Say {
    const fn now(action: &'static str, body: Json) -> Self {
        Self {
            action,
            body,
            charge: None,
            is_start: false,
        }
    }

    const fn of(action: &'static str, body: Json, charge: u64) -> Self {
        Self {
            action,
            body,
            charge: Some(charge),
            is_start: false,
        }
    }
}

impl Running {
    fn wh(&self) -> i64 {
        i64::try_from(self.taken / MICROS_PER_HOUR).unwrap_or(i64::MAX)
    }

    /// The power now, with the limit of the charge before that of the charge point.
    fn power(&self, default: Option<i64>, rated: i64) -> i64 {
        let limit = self
            .limit
            .map(|(watts, _)| watts)
            .or(default)
            .unwrap_or(rated);
        self.wants_w.min(limit).max(0)
    }

    fn moment(&self, at: Timestamp, watts: i64) -> Moment {
        Moment {
            at,
            register_wh: self.register_first + self.wh(),
            watts,
        }
    }
}

#[cfg(test)]
mod tests;
