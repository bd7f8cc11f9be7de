//! Commands (控制指令) as the running city carries them out: judged when asked and again at the moment of sending, durable before they
//! are sent, sent once, their answer written down. What may be asked and what refuses is the crate `commands`; how a device is told is
//! an [`Outlet`], which the binary fills in.

use crate::app::App;
use crate::device_questions::{DeviceAskable, DeviceAsked};
use crate::error::{Answer, ApiError};
use axum::http::StatusCode;
pub use commands::{Channels, Order, Why};
use commands::{Reading, State, Step, Verdict, asked, interlock, order};
use futures::future::BoxFuture;
use model::problem::both;
use model::{CommandApproval, CommandKind, EntityId, Told, Value};
use parking_lot::Mutex;
use records::commands::{Command, NewCommand, NewStep};
use records::{Actor, Event, Write, audit};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use twin::Entity;

/// Who does what nobody asked for: expiring, sending, failing.
const OWN: &str = "commands";

/// How the codes of what interlocks say begin.
const INTERLOCK: &str = "command-interlock";

/// What was not carried out, or not known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCarried {
    /// Why.
    pub why: Box<Why>,
    /// Whether it may have been carried out all the same: something went to the device.
    pub may_be_done: bool,
}

/// The way out to devices. An order is carried once: nothing behind this repeats it.
pub trait Outlet: Send + Sync {
    /// Tells a device, and waits for what it answers.
    fn carry(&self, order: Order) -> BoxFuture<'_, Result<serde_json::Value, NotCarried>>;

    /// Whether a device, by the id of the thing it speaks for, can be asked anything.
    fn can_ask(&self, device: &str) -> bool;

    /// What a device, by the id of the thing it speaks for, can be asked; nothing where it is behind another door.
    fn questions(&self, device: &str) -> Vec<DeviceAskable>;

    /// Asks a device one of these, and waits for what it answers. It may be sent again where the device's standard has that.
    fn ask<'a>(
        &'a self,
        device: &'a str,
        asked: DeviceAsked,
    ) -> BoxFuture<'a, Result<serde_json::Value, NotCarried>>;
}

/// The commands whose answer this process waits for.
#[derive(Clone, Default)]
pub struct UnderWay(Arc<Mutex<HashSet<i64>>>);

/// Held while a command's answer is waited for.
struct Waits(UnderWay, i64);

impl UnderWay {
    fn begin(&self, id: i64) -> Waits {
        self.0.lock().insert(id);
        Waits(self.clone(), id)
    }

    fn holds(&self, id: i64) -> bool {
        self.0.lock().contains(&id)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.0.lock().remove(&self.1);
    }
}

/// A command that a person asks for.
pub(crate) struct Asking {
    pub entity: EntityId,
    pub command: String,
    pub value: serde_json::Value,
    pub reason: String,
}

/// The numbers of an entity that are not doubtful.
pub(crate) fn numbers(entity: &Entity) -> impl Fn(&str) -> Option<f64> + '_ {
    move |name: &str| {
        let known = entity.attribute(name)?;
        known
            .value
            .as_number()
            .filter(|_| known.quality.is_usable())
    }
}

/// What holds a command back, as it is kept and told.
fn held_back(verdicts: &[Verdict]) -> Vec<Why> {
    let refusing = verdicts.iter().filter(|v| !v.outcome.lets_go());
    let why = refusing.map(|verdict| {
        Why::new(
            &format!("{INTERLOCK}-{}", verdict.outcome.as_str()),
            verdict.text.clone(),
            both(
                "条件解除或数据恢复后再申请",
                "ask again when the condition is gone or the data is back",
            ),
        )
    });
    why.collect()
}

/// Several reasons as one answer.
pub(crate) fn told_together(code: &str, reasons: &[Why], place: &str) -> Told {
    let join = |of: fn(&Why) -> &str, between: &str| {
        let mut texts: Vec<&str> = reasons.iter().map(of).collect();
        texts.dedup();
        texts.join(between)
    };
    Why::new(
        code,
        both(
            join(|w| w.what_zh.as_str(), "；"),
            join(|w| w.what_en.as_str(), "; "),
        ),
        both(
            join(|w| w.mend_zh.as_str(), "；"),
            join(|w| w.mend_en.as_str(), "; "),
        ),
    )
    .told(place)
}

fn conflict(told: Told) -> ApiError {
    ApiError::told(StatusCode::CONFLICT, told)
}

/// The answer for a step that is not possible where the command is.
pub(crate) fn not_there(state: &str) -> ApiError {
    let why = Why::new(
        "command-state",
        both(
            format!("指令现在的状态是 {state}，不能这样做"),
            format!("the command is {state}: that is not possible any more"),
        ),
        both("请刷新后再看", "look at it again"),
    );
    conflict(why.told("command"))
}

impl App {
    /// What an entity can be told, by the name of the command.
    pub(crate) fn command_kind(&self, entity_type: &str, command: &str) -> Option<CommandKind> {
        let catalogue = self.ingest.catalogue();
        catalogue
            .kinds
            .get(entity_type)?
            .commands
            .get(command)
            .cloned()
    }

    /// What every interlock says of a value now.
    pub(crate) fn judge_command(
        &self,
        entity: &Entity,
        kind: &CommandKind,
        value: &Value,
    ) -> Vec<Verdict> {
        let reading = |name: &str| {
            let known = entity.attribute(name)?;
            Some(Reading {
                value: known.value.to_value(),
                observed_at: known.observed_at,
                quality: known.quality,
            })
        };
        let zone = self.zone().unwrap_or(jiff::tz::TimeZone::UTC);
        interlock::judge(kind, value, &reading, self.now(), &zone)
    }

    /// What a device is to be told; why not, where it cannot be or must not be.
    pub(crate) fn command_order(
        &self,
        entity: &Entity,
        kind: &CommandKind,
        value: &serde_json::Value,
    ) -> Result<Order, Vec<Why>> {
        let number = numbers(entity);
        let asked = asked::check(kind, value, &number).map_err(|why| vec![why])?;
        let channels = order::channels(kind, &number).map_err(|why| vec![why])?;
        let device = match &kind.device {
            None => Some(entity.id.to_string()),
            Some(relation) => match entity.attribute(relation).map(|a| a.value.to_value()) {
                Some(Value::Relationship(device)) => Some(device.to_string()),
                _ => None,
            },
        };
        let device = device.ok_or_else(|| vec![no_device(entity.id.as_str())])?;
        let back = held_back(&self.judge_command(entity, kind, &asked.value));
        if !back.is_empty() {
            return Err(back);
        }
        Ok(Order {
            device,
            act: kind.act,
            channels,
            means: asked.means,
        })
    }

    /// Writes down a command that is asked for; sends it where nobody else must agree. Its number.
    ///
    /// # Errors
    /// 409 `command-interlock`, `command-open`; 400 for a value that may not be asked.
    pub(crate) async fn ask_command(
        &self,
        asking: Asking,
        entity: Entity,
        kind: CommandKind,
        actor: Actor,
    ) -> Answer<i64> {
        let number = numbers(&entity);
        asked::check(&kind, &asking.value, &number)
            .map_err(|why| ApiError::told(StatusCode::BAD_REQUEST, why.told("value")))?;
        let order = self.command_order(&entity, &kind, &asking.value);
        let order = order.map_err(|reasons| {
            let other = reasons.iter().find(|why| !why.code.starts_with(INTERLOCK));
            let code = other.map_or(INTERLOCK, |why| why.code.as_str());
            conflict(told_together(code, &reasons, &asking.command))
        })?;
        let now = self.now();
        let new = NewCommand {
            entity_id: asking.entity.as_str(),
            entity_type: entity.entity_type.as_str(),
            command: &asking.command,
            value: &asking.value,
            unit: kind.unit.as_deref(),
            reason: &asking.reason,
            approval: kind.approval.as_str(),
            state: State::Asked.as_str(),
            expires_at: now.plus_seconds(i64::from(kind.expires_seconds)),
        };
        let mut write = self.records.write().await?;
        let id = records::commands::ask(&mut write, &new, &actor, None, now).await?;
        let id = id.ok_or_else(|| {
            let why = Why::new(
                "command-open",
                both(
                    format!("{} 已有一条指令没有结束", asking.entity),
                    format!("a command to {} has not ended yet", asking.entity),
                ),
                both("请等它结束，或撤回它", "wait until it ends, or withdraw it"),
            );
            conflict(why.told("entity_id"))
        })?;
        let detail = json!({"entity_id": asking.entity.as_str(), "command": asking.command,
            "value": asking.value, "reason": asking.reason});
        let about = format!("command:{id}");
        audit::insert(&mut write, now, &actor, Event::CommandAsk, &about, &detail).await?;
        match kind.approval {
            CommandApproval::SecondPerson => write.commit().await?,
            CommandApproval::None => {
                self.send_command(write, id, State::Asked, kind.approval, order)
                    .await?;
            }
        }
        Ok(id)
    }

    /// A second person agrees: it is judged once more and sent.
    ///
    /// # Errors
    /// 409 when it is not asked for any more, or its time has run out.
    pub(crate) async fn approve_command(&self, id: i64, note: String, actor: Actor) -> Answer<()> {
        let now = self.now();
        let mut write = self.records.write().await?;
        let command = records::commands::get(&mut write, id).await?;
        let command = command.ok_or_else(|| ApiError::not_found("command", id))?;
        if command.state != State::Asked.as_str() {
            return Err(not_there(&command.state));
        }
        if command.expires_at <= now {
            self.expire_command(&mut write, id).await?;
            write.commit().await?;
            let why = Why::new(
                "command-expired",
                both("批准的时间已过", "the time to approve it has run out"),
                both("请重新申请", "have it asked for again"),
            );
            return Err(conflict(why.told("command")));
        }
        let asked_for = CommandApproval::SecondPerson;
        let step = NewStep {
            decides: true,
            note: &note,
            ..taken(State::Asked, Step::Approve, asked_for)?
        };
        if !records::commands::step(&mut write, id, &step, &actor, now).await? {
            return Err(not_there("changed"));
        }
        let detail = json!({"note": note});
        let about = format!("command:{id}");
        audit::insert(
            &mut write,
            now,
            &actor,
            Event::CommandApprove,
            &about,
            &detail,
        )
        .await?;
        match self.order_of(&command) {
            Ok(order) => {
                let from = State::Approved;
                self.send_command(write, id, from, asked_for, order).await
            }
            Err(reasons) => {
                self.fail_command(&mut write, id, State::Approved, &reasons)
                    .await?;
                Ok(write.commit().await?)
            }
        }
    }

    /// What a kept command tells its device now.
    fn order_of(&self, command: &Command) -> Result<Order, Vec<Why>> {
        let gone = || {
            let why = Why::new(
                "command-undeclared",
                both(
                    "实体或指令已经不在了，没有下发",
                    "the thing or the command is gone: nothing was sent",
                ),
                both("请重新申请", "ask for it again"),
            );
            vec![why]
        };
        let id = EntityId::new(&command.entity_id).map_err(|_| gone())?;
        let entity = self.twin.get(&id).ok_or_else(gone)?;
        let kind = self.command_kind(entity.entity_type.as_str(), &command.command);
        let kind = kind.ok_or_else(gone)?;
        if kind.unit != command.unit {
            return Err(gone());
        }
        self.command_order(&entity, &kind, &command.value)
    }

    /// Writes down that a command goes out, makes it durable, and lets it go. Its answer is written down when it comes.
    async fn send_command(
        &self,
        mut write: Write,
        id: i64,
        from: State,
        approval: CommandApproval,
        order: Order,
    ) -> Answer<()> {
        let now = self.now();
        let actor = Actor::system(OWN);
        let detail = json!({"device": order.device, "act": order.act.as_str(), "of": order.channels.count,
            "channel": order.channels.one, "means": order.means});
        let step = NewStep {
            detail: Some(&detail),
            ..taken(from, Step::Send, approval)?
        };
        if !records::commands::step(&mut write, id, &step, &actor, now).await? {
            return Err(not_there("changed"));
        }
        let about = format!("command:{id}");
        audit::insert(
            &mut write,
            now,
            &actor,
            Event::CommandSend,
            &about,
            &json!({}),
        )
        .await?;
        // Before it is durable: who looks for lost ones must not find it between.
        let waits = self.commands.begin(id);
        write.commit().await?;
        let app = self.clone();
        tokio::spawn(async move {
            let carried = match app.outlet.get() {
                Some(outlet) => outlet.carry(order).await,
                None => Err(no_way()),
            };
            if let Err(failure) = app.end_command(id, carried).await {
                let failure = failure.in_words();
                tracing::error!(
                    id,
                    failure,
                    "a command's answer could not be written down; it is told as unknown"
                );
            }
            drop(waits);
        });
        Ok(())
    }

    /// Writes down what came of a command.
    async fn end_command(
        &self,
        id: i64,
        carried: Result<serde_json::Value, NotCarried>,
    ) -> Answer<()> {
        let mut write = self.records.write().await?;
        match carried {
            Ok(answer) => {
                let now = self.now();
                let actor = Actor::system(OWN);
                let step = NewStep {
                    answer: Some(&answer),
                    detail: Some(&answer),
                    ..taken(State::Sent, Step::Answer, CommandApproval::SecondPerson)?
                };
                if records::commands::step(&mut write, id, &step, &actor, now).await? {
                    let about = format!("command:{id}");
                    let none = json!({});
                    audit::insert(&mut write, now, &actor, Event::CommandDone, &about, &none)
                        .await?;
                }
            }
            Err(not_carried) => {
                let mut reasons = vec![*not_carried.why];
                if not_carried.may_be_done {
                    reasons.push(may_be_done());
                }
                self.fail_command(&mut write, id, State::Sent, &reasons)
                    .await?;
            }
        }
        Ok(write.commit().await?)
    }

    async fn fail_command(
        &self,
        write: &mut Write,
        id: i64,
        from: State,
        reasons: &[Why],
    ) -> Answer<()> {
        let (now, actor) = (self.now(), Actor::system(OWN));
        let why = serde_json::to_value(reasons).map_err(ApiError::internal)?;
        let step = NewStep {
            why: Some(&why),
            detail: Some(&why),
            ..taken(from, Step::Fail, CommandApproval::SecondPerson)?
        };
        if records::commands::step(write, id, &step, &actor, now).await? {
            let codes: Vec<&str> = reasons.iter().map(|why| why.code.as_str()).collect();
            let (about, detail) = (format!("command:{id}"), json!({"codes": codes}));
            audit::insert(write, now, &actor, Event::CommandFail, &about, &detail).await?;
        }
        Ok(())
    }

    async fn expire_command(&self, write: &mut Write, id: i64) -> Answer<()> {
        let (now, actor) = (self.now(), Actor::system(OWN));
        let step = taken(State::Asked, Step::Expire, CommandApproval::SecondPerson)?;
        if records::commands::step(write, id, &step, &actor, now).await? {
            let about = format!("command:{id}");
            let none = json!({});
            audit::insert(write, now, &actor, Event::CommandExpire, &about, &none).await?;
        }
        Ok(())
    }

    /// A person refuses or withdraws a command.
    ///
    /// # Errors
    /// 409 when it is not asked for any more.
    pub(crate) async fn end_asked_command(
        &self,
        id: i64,
        step: Step,
        note: &str,
        actor: &Actor,
    ) -> Answer<()> {
        let now = self.now();
        let mut write = self.records.write().await?;
        let decides = step == Step::Refuse;
        let (event, detail) = match decides {
            true => (Event::CommandRefuse, json!({"note": note})),
            false => (Event::CommandWithdraw, json!({})),
        };
        let step = NewStep {
            decides,
            note,
            ..taken(State::Asked, step, CommandApproval::SecondPerson)?
        };
        if !records::commands::step(&mut write, id, &step, actor, now).await? {
            let command = records::commands::get(&mut write, id).await?;
            return Err(not_there(&command.map(|c| c.state).unwrap_or_default()));
        }
        let about = format!("command:{id}");
        audit::insert(&mut write, now, actor, event, &about, &detail).await?;
        Ok(write.commit().await?)
    }

    /// Expires what nobody agreed to in time, and tells as unknown what was on its way when the program ended.
    ///
    /// # Errors
    /// When the records cannot be read or written; it is tried again at the next call.
    pub async fn look_after_commands(&self) -> Answer<()> {
        let mut read = self.records.read().await?;
        let overdue = records::commands::overdue(&mut read, self.now()).await?;
        let sent = records::commands::on_the_way(&mut read).await?;
        drop(read);
        let lost: Vec<Command> = sent
            .into_iter()
            .filter(|command| !self.commands.holds(command.id))
            .collect();
        if overdue.is_empty() && lost.is_empty() {
            return Ok(());
        }
        let mut write = self.records.write().await?;
        for command in &overdue {
            self.expire_command(&mut write, command.id).await?;
        }
        for command in &lost {
            let from = State::from_word(&command.state).unwrap_or(State::Sent);
            let why = Why::new(
                "command-unknown",
                both(
                    "程序在等待应答时中断",
                    "the program ended while the answer was waited for",
                ),
                both("请核实现场", "look at the thing"),
            );
            self.fail_command(&mut write, command.id, from, &[why, may_be_done()])
                .await?;
        }
        Ok(write.commit().await?)
    }
}

/// A step as it is written; an error for one that the state does not have.
fn taken(from: State, step: Step, approval: CommandApproval) -> Answer<NewStep<'static>> {
    let to = from.after(step, approval);
    let to = to.ok_or_else(|| not_there(from.as_str()))?;
    Ok(NewStep {
        from: from.as_str(),
        step: step.as_str(),
        to: to.as_str(),
        note: "",
        decides: false,
        why: None,
        answer: None,
        detail: None,
    })
}

fn may_be_done() -> Why {
    Why::new(
        "command-may-be-done",
        both(
            "指令可能已经执行，不会自动重发",
            "the command may have been carried out; it is not sent again by itself",
        ),
        both(
            "先看读数和现场，再决定是否重新申请",
            "look at the readings and at the thing before asking again",
        ),
    )
}

/// Why nothing went out where no door can carry it.
pub(crate) fn no_way() -> NotCarried {
    let why = Why::new(
        "command-no-way",
        both(
            "没有能下发这条指令的设备接入，没有下发",
            "no door that is open can carry the command: nothing was sent",
        ),
        both(
            "请在设置中打开设备接入（如 sl651.tcp_listen）",
            "open a door for devices in the settings, such as sl651.tcp_listen",
        ),
    );
    NotCarried {
        why: Box::new(why),
        may_be_done: false,
    }
}

fn no_device(entity: &str) -> Why {
    Why::new(
        "command-no-device",
        both(
            format!("{entity} 没有说明由哪台设备控制"),
            format!("{entity} does not say which device controls it"),
        ),
        both(
            "请先在台账里填写控制设备",
            "enter the device in the register first",
        ),
    )
}
