//! The way out to devices (控制指令、召测) over SL 651: which station a registered device is, and what 4EH (gates), 4CH (pumps) and 4DH (valves)
//! say of an order; questions are in [`sl651_questions`]. A message says the state of all of a station's gates, so that one of several is moved only where it is known how
//! the others stand now.

use crate::settings::Settings;
use crate::sl651_door::{Told, told};
use crate::sl651_questions;
use anyhow::Result;
use api::app::App;
use api::command_office::{Channels, NotCarried, Order, Outlet, Why};
use api::device_questions::{DeviceAskable, DeviceAsked};
use futures::future::BoxFuture;
use gateway::Sl651Handle;
use gateway::sl651::NOT_ON_THE_LINE;
use model::problem::both;
use model::{CommandAct, EntityId, Meaning, Problem};
use proto_sl651::message::{Gates, function};
use proto_sl651::{Command, Config, Message, Station};
use records::Records;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use twin::Twin;

/// How often it is looked for commands that nobody agreed to in time, in seconds.
const CHECK_S: u64 = 2;
/// How old the states of a station's other gates, pumps or valves may be when one of them is told something, in seconds.
const OTHERS_FRESH_S: i64 = 600;
/// Widest opening that a message can say, in centimetres (four digits).
const OPENING_CM_MAX: f64 = 9_999.0;
/// How far an opening may be from a whole centimetre, in centimetres: binary fractions are not exact.
const OPENING_SLACK_CM: f64 = 1e-6;

/// Looks after commands for as long as the city runs.
pub fn look_after(app: App) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticker = tokio::time::interval(Duration::from_secs(CHECK_S));
        ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticker.tick().await;
            if let Err(failure) = app.look_after_commands().await {
                let failure = failure.in_words();
                tracing::error!(
                    failure,
                    "commands could not be looked after; it is tried again"
                );
            }
        }
    })
}

/// The way out through the running door.
///
/// # Errors
/// A setting of stations.
pub fn outlet(app: &App, settings: &Settings, door: &Sl651Handle) -> Result<Arc<dyn Outlet>> {
    Ok(Arc::new(Sl651Outlet {
        door: door.clone(),
        told: told(settings)?,
        records: app.records.clone(),
        twin: Arc::clone(&app.twin),
        clock: app.clock,
    }))
}

struct Sl651Outlet {
    door: Sl651Handle,
    told: Told,
    records: Records,
    twin: Arc<Twin>,
    clock: fn() -> model::Timestamp,
}

fn not_sent(code: &str, zh: String, en: String, mend_zh: &str, mend_en: &str) -> NotCarried {
    NotCarried {
        why: Box::new(Why::new(
            code,
            both(format!("{zh}，没有下发"), format!("{en}: nothing was sent")),
            both(mend_zh, mend_en),
        )),
        may_be_done: false,
    }
}

impl Sl651Outlet {
    async fn tell(&self, order: Order) -> Result<Value, NotCarried> {
        let station = self.station(&order.device).await?;
        let (code, command) = self.said(&order)?;
        self.sent(station, code, command).await
    }

    async fn question(&self, device: &str, asked: DeviceAsked) -> Result<Value, NotCarried> {
        let station = self.station(device).await?;
        let (code, command) = sl651_questions::message(&asked)?;
        self.sent(station, code, command).await
    }

    /// The station that a registered device is.
    async fn station(&self, device: &str) -> Result<Station, NotCarried> {
        let mut read = self.records.read().await.map_err(|failure| {
            tracing::warn!(%failure, "a command's device could not be looked up");
            not_sent(
                "command-records",
                "设备登记暂时读不出来".to_owned(),
                "the register of devices cannot be read now".to_owned(),
                "请稍后重新申请",
                "ask again later",
            )
        })?;
        let registered = records::devices::by_id(&mut read, device).await;
        drop(read);
        let is_registered = matches!(registered, Ok(Some(_)));
        let station = self.told.station_of(device).filter(|_| is_registered);
        station.ok_or_else(|| {
            not_sent(
                "command-no-device",
                format!("{device} 没有登记为 SL 651 遥测站"),
                format!("{device} is not registered as a station of SL 651"),
                "请登记设备，并核对 sl651.station 或 sl651.entity_prefixes",
                "register the device, and see sl651.station or sl651.entity_prefixes",
            )
        })
    }

    async fn sent(
        &self,
        station: Station,
        code: u8,
        command: Command,
    ) -> Result<Value, NotCarried> {
        match self.door.command(station, code, command).await {
            Ok(message) => Ok(answer(&message)),
            Err(problem) => Err(failed(&problem, &station.to_string())),
        }
    }

    /// The message that says an order.
    fn said(&self, order: &Order) -> Result<(u8, Command), NotCarried> {
        match order.act {
            CommandAct::Gates => Ok((function::GATES, Command::Gates(self.gates(order)?))),
            CommandAct::Pumps => Ok((
                function::PUMPS,
                Command::Switches(self.switches(order, "pumpStates")?),
            )),
            CommandAct::Valves => Ok((
                function::VALVES,
                Command::Switches(self.switches(order, "valveStates")?),
            )),
        }
    }

    /// What the city knows of how a device's channels stand, fresh enough to say it again.
    fn others(&self, order: &Order, attribute: &str) -> Result<Vec<Value>, NotCarried> {
        let count = usize::from(order.channels.count);
        let known = EntityId::new(&order.device)
            .ok()
            .and_then(|id| self.twin.get(&id));
        let known = known.and_then(|entity| {
            let states = entity.attribute(attribute)?;
            let age_s = (self.clock)().micros_since(states.observed_at) / 1_000_000;
            let is_known = states.quality.is_usable() && age_s.abs() <= OTHERS_FRESH_S;
            let json = states.value.to_value().to_json();
            is_known.then(|| json.as_array().cloned()).flatten()
        });
        known.filter(|all| all.len() >= count).ok_or_else(|| {
            let device = &order.device;
            not_sent(
                "command-others-unknown",
                format!("不知道 {device} 的其他各路现在的状态（{attribute}，{OTHERS_FRESH_S} 秒内）"),
                format!("how the other channels of {device} stand is not known ({attribute}, within {OTHERS_FRESH_S} s)"),
                "请等测站报来各路状态后再申请",
                "wait until the station says how they stand, and ask again",
            )
        })
    }

    fn gates(&self, order: &Order) -> Result<Gates, NotCarried> {
        let Meaning::Number(metres) = order.means else {
            return Err(no_form(order));
        };
        let cm = metres * 100.0;
        let is_said =
            (cm - cm.round()).abs() <= OPENING_SLACK_CM && (0.0..=OPENING_CM_MAX).contains(&cm);
        if !is_said {
            return Err(not_sent(
                "command-opening",
                format!("开度 {metres} m 不是 0 到 99.99 m 的整厘米数"),
                format!("{metres} m is no whole number of centimetres from 0 to 99.99 m"),
                "请改成整厘米",
                "ask for whole centimetres",
            ));
        }
        let cm = cm.round() as u16;
        let openings_cm = match order.channels {
            Channels { count, one: None } => vec![cm; usize::from(count)],
            Channels {
                count,
                one: Some(one),
            } => {
                let others = self.others(order, "gateStates")?;
                let stands = |(n, state): (u16, &Value)| match n {
                    n if n == one => Some(cm),
                    _ => u16::try_from(state["opening_cm"].as_u64()?).ok(),
                };
                let all: Option<Vec<u16>> = (1..=count).zip(&others).map(stands).collect();
                all.ok_or_else(|| no_form(order))?
            }
        };
        Ok(Gates {
            count: u8::try_from(order.channels.count).map_err(|_| no_form(order))?,
            states: bits(openings_cm.iter().map(|cm| *cm > 0)),
            openings_cm,
        })
    }

    fn switches(&self, order: &Order, attribute: &str) -> Result<Vec<u8>, NotCarried> {
        let count = order.channels.count;
        let Some(one) = order.channels.one else {
            let on = match order.means {
                Meaning::Boolean(is_on) => count * u16::from(is_on),
                Meaning::Number(n) if n.fract() == 0.0 && (0.0..=f64::from(count)).contains(&n) => {
                    n as u16
                }
                Meaning::Number(_) => return Err(no_form(order)),
            };
            return Ok(bits((1..=count).map(|n| n <= on)));
        };
        let Meaning::Boolean(is_on) = order.means else {
            return Err(no_form(order));
        };
        let others = self.others(order, attribute)?;
        let stands = |(n, state): (u16, &Value)| match n {
            n if n == one => Some(is_on),
            _ => state.as_bool(),
        };
        let all: Option<Vec<bool>> = (1..=count).zip(&others).map(stands).collect();
        Ok(bits(all.ok_or_else(|| no_form(order))?.into_iter()))
    }
}

impl Outlet for Sl651Outlet {
    fn carry(&self, order: Order) -> BoxFuture<'_, Result<Value, NotCarried>> {
        Box::pin(self.tell(order))
    }

    fn can_ask(&self, device: &str) -> bool {
        self.told.station_of(device).is_some()
    }

    fn questions(&self, device: &str) -> Vec<DeviceAskable> {
        let can = self.can_ask(device);
        can.then(sl651_questions::all).unwrap_or_default()
    }

    fn ask<'a>(
        &'a self,
        device: &'a str,
        asked: DeviceAsked,
    ) -> BoxFuture<'a, Result<Value, NotCarried>> {
        Box::pin(self.question(device, asked))
    }
}

/// Eight in each byte, the first in bit 0 of the first.
fn bits(states: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (n, is_on) in states.enumerate() {
        if n % 8 == 0 {
            bytes.push(0_u8);
        }
        if let Some(last) = bytes.last_mut().filter(|_| is_on) {
            *last |= 1 << (n % 8);
        }
    }
    bytes
}

/// What the station answered, in the standard's own terms.
fn answer(message: &Message) -> Value {
    let told = proto_sl651::told::message(message, &Config::default());
    serde_json::json!({
        "door": gateway::sl651::DOOR,
        "station": told["station"],
        "function": told["function"],
        "sent": told["sent"],
        "body": told["body"],
    })
}

fn no_form(order: &Order) -> NotCarried {
    let act = order.act.as_str();
    not_sent(
        "command-form",
        format!("SL 651 说不出这样的指令（{act}）"),
        format!("SL 651 has no form for such a command ({act})"),
        "请核对专题包里指令的声明",
        "see how the pack declares the command",
    )
}

fn failed(problem: &Problem, station: &str) -> NotCarried {
    // Of these it is certain that nothing went out.
    if problem.code == NOT_ON_THE_LINE || problem.code == "sl651-commands" {
        return not_sent(
            &problem.code,
            format!("测站 {station} 现在不在线，或指令排队已满"),
            format!("station {station} has no link now, or too many commands wait for it"),
            "请等测站上线后重新申请；只用 UDP 的测站不能下发",
            "wait until it reports, and ask again; stations that send over UDP cannot be told anything",
        );
    }
    NotCarried {
        why: Box::new(Why::new(
            &problem.code,
            both(
                format!("测站 {station} 没有应答"),
                format!("station {station} gave no answer: {}", problem.what),
            ),
            both("请检查测站和链路", problem.mend.clone()),
        )),
        may_be_done: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_switch_is_bit_0_of_the_first_byte() {
        let on = |all: &[bool]| bits(all.iter().copied());
        assert_eq!(on(&[true, false, true]), [0b101]);
        assert_eq!(on(&[false; 8]), [0]);
        let nine = [true, false, false, false, false, false, false, false, true];
        assert_eq!(on(&nine), [1, 1]);
    }
}
