//! The centre's own questions on one link: one at a time, each sent once, each answered, refused, or given up.

use crate::command::Command;
use crate::config::{Config, Version};
use crate::encode;
use crate::error;
use crate::frame::{self, Frame};
use crate::message::{Doubt, What};
use crate::schema;
use model::Told;
use model::problem::quote;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;

/// Kinds of messages that a station which is not accepted may send because it was told to.
const TRIGGERED_MAX: usize = 16;

/// A question that was sent.
#[derive(Debug)]
struct Asked {
    number: u64,
    id: String,
    action: &'static str,
    triggers: Option<&'static str>,
    sent_ms: u64,
}

/// A question that waits to be sent.
#[derive(Debug)]
struct Waiting {
    number: u64,
    action: &'static str,
    payload: Value,
    triggers: Option<&'static str>,
}

/// What an answer meant.
#[derive(Debug)]
pub struct Heard {
    /// What to tell the host.
    pub what: What,
    /// What is odd.
    pub doubts: Vec<Doubt>,
}

/// The questions of one link.
#[derive(Debug)]
pub struct Asking {
    config: Arc<Config>,
    version: Version,
    seed: u64,
    numbers: u64,
    asked: Option<Asked>,
    waiting: VecDeque<Waiting>,
    late: VecDeque<Asked>,
    triggered: Vec<&'static str>,
}

impl Asking {
    /// None asked yet.
    pub const fn new(config: Arc<Config>, version: Version, seed: u64) -> Self {
        Self {
            config,
            version,
            seed,
            numbers: 0,
            asked: None,
            waiting: VecDeque::new(),
            late: VecDeque::new(),
            triggered: Vec::new(),
        }
    }

    /// Puts a command in line.
    ///
    /// # Errors
    /// As of [`crate::Session::command`].
    pub fn command(&mut self, command: &Command) -> Result<u64, Told> {
        if self.waiting.len() >= self.config.commands_max {
            return Err(error::too_many(
                "as many commands wait as may",
                "等待发送的命令已满",
                "commands_max",
            ));
        }
        let (action, payload) = encode::command(self.version, command)?;
        // What we say keeps the standard as strictly as what we hear.
        let known = schema::to_station(self.version, action);
        let breaks = known.map(|known| schema::check(known.ask, &payload, &self.config));
        if let Some(violation) = breaks.into_iter().flatten().next() {
            let told = violation.told;
            return Err(error::command(told.what.en, told.what.zh, &told.place.en));
        }
        self.numbers += 1;
        self.waiting.push_back(Waiting {
            number: self.numbers,
            action,
            payload,
            triggers: encode::triggered(command),
        });
        Ok(self.numbers)
    }

    /// The next question to send, when none is out.
    pub fn next(&mut self, now_ms: u64) -> Option<String> {
        if self.asked.is_some() {
            return None;
        }
        let next = self.waiting.pop_front()?;
        let id = format!("{:016x}-{}", self.seed, next.number);
        let text = frame::encode(&Frame::Call {
            id: id.clone(),
            action: next.action.to_owned(),
            payload: next.payload,
        });
        self.asked = Some(Asked {
            number: next.number,
            id,
            action: next.action,
            triggers: next.triggers,
            sent_ms: now_ms,
        });
        Some(text)
    }

    /// When the question that is out is given up.
    pub fn deadline(&self) -> Option<u64> {
        let asked = self.asked.as_ref()?;
        Some(asked.sent_ms.saturating_add(self.config.command_timeout_ms))
    }

    /// Gives the question up that is out too long.
    pub fn timeout(&mut self, now_ms: u64) -> Option<What> {
        if now_ms < self.deadline()? {
            return None;
        }
        let asked = self.asked.take()?;
        let what = What::Failed {
            command: asked.number,
            told: error::command_failed(
                "ocpp-no-answer",
                format!("the station did not answer {} in time", asked.action),
                format!("充电桩未在时限内应答{}", asked.action),
            ),
            may_have_happened: true,
        };
        while self.late.len() >= self.config.late_kept.max(1) {
            self.late.pop_front();
        }
        self.late.push_back(asked);
        Some(what)
    }

    /// All questions come to nothing.
    pub fn lost(&mut self) -> Vec<What> {
        let told = || {
            error::command_failed(
                "ocpp-link-lost",
                "the link was lost before the station answered",
                "充电桩应答前连接中断",
            )
        };
        let failed = |number, may_have_happened| What::Failed {
            command: number,
            told: told(),
            may_have_happened,
        };
        let asked = self.asked.take().map(|asked| failed(asked.number, true));
        let waiting = self.waiting.drain(..).map(|it| failed(it.number, false));
        asked.into_iter().chain(waiting).collect()
    }

    /// Takes an answer: the payload, or the error's code and description. `None` when nobody asked.
    pub fn answered(&mut self, id: &str, answer: Result<&Value, (&str, &str)>) -> Option<Heard> {
        let (asked, is_late) = match self.asked.take_if(|asked| asked.id == id) {
            Some(asked) => (asked, false),
            None => {
                let at = self.late.iter().position(|asked| asked.id == id)?;
                (self.late.remove(at)?, true)
            }
        };
        let payload = match answer {
            Ok(payload) => payload,
            Err((code, description)) => {
                let (code, description) = (quote(code), quote(description));
                return Some(Heard {
                    what: What::Failed {
                        command: asked.number,
                        told: error::command_failed(
                            "ocpp-refused",
                            format!(
                                "the station answers {} with {code}: {description}",
                                asked.action
                            ),
                            format!("充电桩以{code}拒绝{}：{description}", asked.action),
                        ),
                        may_have_happened: false,
                    },
                    doubts: Vec::new(),
                });
            }
        };
        let known = schema::to_station(self.version, asked.action)?;
        let mut doubts = Vec::new();
        for violation in schema::check(known.answer, payload, &self.config) {
            // A command that was carried out is one, whatever its answer has too much.
            if violation.rule.is_harmless() {
                doubts.push(Doubt::Tolerated(violation.told));
                continue;
            }
            let told = violation.told;
            return Some(Heard {
                what: What::Failed {
                    command: asked.number,
                    told: error::command_failed(
                        "ocpp-bad-answer",
                        format!(
                            "the station's answer to {} cannot be read: {} (at {})",
                            asked.action, told.what.en, told.place.en
                        ),
                        format!(
                            "无法读取充电桩对{}的应答：{}（{}）",
                            asked.action, told.what.zh, told.place.zh
                        ),
                    ),
                    may_have_happened: true,
                },
                doubts,
            });
        }
        let reply = encode::reply(asked.action, payload);
        let has_room = self.triggered.len() < TRIGGERED_MAX;
        let leave = asked.triggers.filter(|_| reply.is_accepted && has_room);
        self.triggered.extend(leave);
        Some(Heard {
            what: What::Answered {
                command: asked.number,
                reply,
                is_late,
            },
            doubts,
        })
    }

    /// Whether a station that is not accepted was told to send this. A report has many parts, so the leave is not used up by one.
    pub fn takes_triggered(&self, action: &str) -> bool {
        let action = match action {
            "DiagnosticsStatusNotification" => "LogStatusNotification",
            other => other,
        };
        self.triggered.contains(&action)
    }
}
