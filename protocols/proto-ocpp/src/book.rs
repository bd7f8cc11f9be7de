//! What is remembered of one station from message to message, and so across links: open transactions, those just ended, registers,
//! and answers given. It marks what is odd ([`Doubt`]) and forgets what is old; the truth is the host's store. The host keeps one
//! book per station (`serde`), or makes it anew from its store with [`Book::restore`].

use crate::config::Config;
use crate::message::{Doubt, Outlet, Phase, StartKey, Transaction};
use crate::meter::Register;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Outlets whose register is remembered.
const REGISTERS_MAX: usize = 64;
/// Seconds of an hour: a power of one watt is one watt-hour in so many.
const SECONDS_PER_HOUR: i64 = 3_600;

/// A transaction that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Its id, as of [`Transaction::id`].
    pub id: String,
    /// Where, as far as it was said.
    pub outlet: Option<Outlet>,
    /// When it began.
    pub started_at: Timestamp,
    /// Its start in 1.6.
    pub start_key: Option<StartKey>,
    /// The highest number of its parts (2.0.1).
    pub sequence: Option<i64>,
    /// The first register.
    pub meter_start: Option<Register>,
    /// The newest register.
    pub register: Option<Register>,
}

/// A transaction that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    id: String,
    at: Timestamp,
    started_at: Option<Timestamp>,
    start_key: Option<StartKey>,
    sequence: Option<i64>,
    milli_wh: Option<i64>,
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    id: String,
    hash: u64,
    answer: String,
}

/// The memory of one station.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    open: Vec<Open>,
    ended: VecDeque<Ended>,
    registers: Vec<(Outlet, Register)>,
    answers: VecDeque<Given>,
}

/// What the memory knows of a message id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    No,
    /// The same message was answered so.
    Answered(String),
    /// Another message had this id.
    Other,
}

impl Book {
    /// A memory made from the host's store: the transactions that are open.
    pub fn restore(open: Vec<Open>) -> Self {
        Self {
            open,
            ..Self::default()
        }
    }

    /// The open transactions, the oldest first.
    pub fn open(&self) -> &[Open] {
        &self.open
    }

    /// The transaction id that this start of 1.6 was given, if it was.
    pub fn id_of(&self, key: &StartKey) -> Option<&str> {
        let open = self
            .open
            .iter()
            .find(|open| open.start_key.as_ref() == Some(key));
        let ended = || {
            self.ended
                .iter()
                .find(|ended| ended.start_key.as_ref() == Some(key))
        };
        open.map(|open| open.id.as_str())
            .or_else(|| ended().map(|ended| ended.id.as_str()))
    }

    /// Fills in what the message leaves out and the memory knows: the number of a start of 1.6 that comes again, the outlet, and
    /// the energy since the start.
    pub fn complete(&self, part: &mut Transaction) {
        if let Some(known) = part.start_key.as_ref().and_then(|key| self.id_of(key)) {
            part.id = Some(known.to_owned());
        }
        let Some(open) = part
            .id
            .as_ref()
            .and_then(|id| self.open.iter().find(|open| open.id == *id))
        else {
            return;
        };
        part.outlet = part.outlet.or(open.outlet);
        if let (Some(start), Some(now)) = (open.meter_start, part.registers().last()) {
            part.energy_milli_wh = now.milli_wh.checked_sub(start.milli_wh);
        }
    }

    /// What is odd about a part of a transaction, before it is noted.
    pub fn judge(&self, part: &Transaction, now: Timestamp, config: &Config) -> Vec<Doubt> {
        let mut doubts: Vec<Doubt> = clock(part.at, now, config).into_iter().collect();
        let open = part
            .id
            .as_ref()
            .and_then(|id| self.open.iter().find(|o| o.id == *id));
        let ended = part
            .id
            .as_ref()
            .and_then(|id| self.ended.iter().find(|e| e.id == *id));
        let mut is_news = true;
        match (part.phase, open, ended) {
            (phase, Some(open), _) => {
                if let Some(doubt) = of_open(phase, part, open) {
                    is_news = !matches!(doubt, Doubt::Repeated | Doubt::SequenceBack { .. });
                    doubts.push(doubt);
                }
                if phase == Phase::Ended && part.at < open.started_at {
                    doubts.push(Doubt::EndsBeforeStart);
                }
            }
            (phase, None, Some(ended)) => {
                is_news = false;
                doubts.push(match of_ended(phase, part, ended) {
                    Doubt::Twice if !part.is_named() => Doubt::WithoutStart,
                    doubt => doubt,
                });
            }
            (Phase::Started, None, None) => {
                let busy = self.open.iter().find(|open| {
                    part.outlet
                        .is_some_and(|outlet| open.outlet.is_some_and(|o| overlap(o, outlet)))
                });
                doubts.extend(busy.map(|open| Doubt::OutletBusy(open.id.clone())));
            }
            (_, None, None) => doubts.push(Doubt::WithoutStart),
        }
        if is_news {
            let before = open
                .and_then(|open| open.register)
                .or_else(|| self.register_of(open.and_then(|o| o.outlet).or(part.outlet)));
            doubts.extend(meter(before, &part.registers(), config));
        }
        doubts
    }

    /// What is odd about registers sampled outside of transactions.
    pub fn judge_registers(
        &self,
        outlet: Outlet,
        registers: &[Register],
        now: Timestamp,
        config: &Config,
    ) -> Vec<Doubt> {
        let newest = registers
            .last()
            .and_then(|register| clock(register.at, now, config));
        let moved = meter(self.register_of(Some(outlet)), registers, config);
        newest.into_iter().chain(moved).collect()
    }

    /// Takes a part in, once it is durable. `id` is the transaction's, also at a start of 1.6.
    pub fn note(&mut self, part: &Transaction, id: &str, config: &Config) {
        let registers = part.registers();
        if let Some(ended) = self.ended.iter_mut().find(|ended| ended.id == id) {
            ended.sequence = ended.sequence.max(part.sequence);
            return;
        }
        let known = self.open.iter_mut().find(|open| open.id == id);
        let outlet = part
            .outlet
            .or_else(|| known.as_ref().and_then(|open| open.outlet));
        let mut started_at = None;
        let mut start_key = None;
        match known {
            Some(open) => {
                open.sequence = open.sequence.max(part.sequence);
                open.outlet = open.outlet.or(part.outlet);
                if let Some(register) = registers.last() {
                    let is_newer = open.register.is_none_or(|known| known.at <= register.at);
                    open.register = if is_newer {
                        Some(*register)
                    } else {
                        open.register
                    };
                }
                started_at = Some(open.started_at);
                start_key.clone_from(&open.start_key);
            }
            None if part.phase != Phase::Ended => {
                if self.open.len() >= config.open_max.max(1) {
                    self.open.remove(0);
                }
                self.open.push(Open {
                    id: id.to_owned(),
                    outlet: part.outlet,
                    started_at: part.at,
                    start_key: part.start_key.clone(),
                    sequence: part.sequence,
                    meter_start: match part.phase {
                        Phase::Started => registers.first().copied(),
                        _ => None,
                    },
                    register: registers.last().copied(),
                });
            }
            None => {}
        }
        if part.phase == Phase::Ended {
            self.open.retain(|open| open.id != id);
            while self.ended.len() >= config.ended_kept.max(1) {
                self.ended.pop_front();
            }
            self.ended.push_back(Ended {
                id: id.to_owned(),
                at: part.at,
                started_at,
                start_key,
                sequence: part.sequence,
                milli_wh: part.register.map(|register| register.milli_wh),
            });
        }
        if let (Some(outlet), Some(register)) = (outlet, registers.last()) {
            self.note_register(outlet, *register);
        }
    }

    /// Takes a register in, once it is durable.
    pub fn note_register(&mut self, outlet: Outlet, register: Register) {
        let has_room = self.registers.len() < REGISTERS_MAX;
        let known = self
            .registers
            .iter_mut()
            .find(|(known, _)| known.evse == outlet.evse);
        match known {
            Some((_, known)) if known.at <= register.at => *known = register,
            None if has_room => self.registers.push((outlet, register)),
            Some(_) | None => {}
        }
    }

    /// What is known of a message id, for a message of this hash.
    pub fn seen(&self, id: &str, hash: u64) -> Seen {
        match self.answers.iter().rev().find(|given| given.id == id) {
            None => Seen::No,
            Some(given) if given.hash == hash => Seen::Answered(given.answer.clone()),
            Some(_) => Seen::Other,
        }
    }

    /// Remembers an answer.
    pub fn answered(&mut self, id: &str, hash: u64, answer: &str, config: &Config) {
        if config.answers_kept == 0 || answer.len() > config.answer_kept_bytes {
            return;
        }
        while self.answers.len() >= config.answers_kept {
            self.answers.pop_front();
        }
        self.answers.push_back(Given {
            id: id.to_owned(),
            hash,
            answer: answer.to_owned(),
        });
    }

    /// Registers are those of a meter, which an evse has one of.
    fn register_of(&self, outlet: Option<Outlet>) -> Option<Register> {
        let outlet = outlet?;
        let found = self
            .registers
            .iter()
            .find(|(known, _)| known.evse == outlet.evse);
        found.map(|(_, register)| *register)
    }
}

fn overlap(one: Outlet, other: Outlet) -> bool {
    one.evse == other.evse
}

fn of_open(phase: Phase, part: &Transaction, open: &Open) -> Option<Doubt> {
    if let (Some(sequence), Some(highest)) = (part.sequence, open.sequence) {
        return match sequence.saturating_sub(highest) {
            0 => Some(Doubt::Repeated),
            1 if phase == Phase::Started => Some(Doubt::Twice),
            1 => None,
            2.. => Some(Doubt::SequenceGap {
                expected: highest.saturating_add(1),
            }),
            _ => Some(Doubt::SequenceBack { highest }),
        };
    }
    match phase {
        Phase::Started if part.start_key.is_some() && part.start_key == open.start_key => {
            Some(Doubt::Repeated)
        }
        Phase::Started => Some(Doubt::Twice),
        Phase::Updated | Phase::Ended => None,
    }
}

fn of_ended(phase: Phase, part: &Transaction, ended: &Ended) -> Doubt {
    if let (Some(sequence), Some(highest)) = (part.sequence, ended.sequence) {
        return match sequence.cmp(&highest) {
            std::cmp::Ordering::Equal => Doubt::Repeated,
            std::cmp::Ordering::Less => Doubt::SequenceBack { highest },
            std::cmp::Ordering::Greater => Doubt::Twice,
        };
    }
    let is_same = match phase {
        Phase::Started => part.start_key.is_some() && part.start_key == ended.start_key,
        Phase::Ended => part.at == ended.at && part.register.map(|r| r.milli_wh) == ended.milli_wh,
        // A reading of before the end that comes after it: stations queue them apart.
        Phase::Updated => part.at <= ended.at && ended.started_at.is_none_or(|at| at <= part.at),
    };
    if is_same {
        Doubt::Repeated
    } else {
        Doubt::Twice
    }
}

/// What is odd about a station's time.
pub fn clock(at: Timestamp, now: Timestamp, config: &Config) -> Option<Doubt> {
    let ahead = at.micros_since(now) / 1_000_000;
    if ahead > config.clock_ahead_seconds_max {
        return Some(Doubt::ClockAhead(ahead));
    }
    (-ahead > config.clock_behind_seconds_max).then_some(Doubt::ClockBehind(-ahead))
}

/// What is odd about registers that follow each other; the first of each kind.
fn meter(before: Option<Register>, registers: &[Register], config: &Config) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let mut last = before;
    for register in registers {
        let Some(known) = last.filter(|known| known.at <= register.at) else {
            last = last.or(Some(*register));
            continue;
        };
        let by_milli_wh = register.milli_wh.saturating_sub(known.milli_wh);
        let seconds = register.at.micros_since(known.at) / 1_000_000;
        let believed = config
            .power_w_max
            .saturating_mul(seconds)
            .saturating_mul(1_000)
            / SECONDS_PER_HOUR;
        let free = config.jump_wh_free.saturating_mul(1_000);
        let doubt = if by_milli_wh < 0 {
            Some(Doubt::MeterBackwards {
                from_milli_wh: known.milli_wh,
                to_milli_wh: register.milli_wh,
            })
        } else if by_milli_wh > believed.saturating_add(free) {
            Some(Doubt::MeterJump {
                by_milli_wh,
                seconds,
            })
        } else {
            None
        };
        if let Some(doubt) =
            doubt.filter(|new| doubts.iter().all(|d: &Doubt| d.code() != new.code()))
        {
            doubts.push(doubt);
        }
        last = Some(*register);
    }
    doubts
}
