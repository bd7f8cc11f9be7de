//! The way to the stations: what people and the platform order, in OCPP's terms, through the running door.

use crate::charging::reports::Reports;
use api::charging_office::{Connected, LimitUnit, Message, Order, Said, Setting, Stations, Undone};
use charging::grid::{Limit, Purpose as For, deci_amperes};
use futures::future::BoxFuture;
use gateway::OcppHandle;
use proto_ocpp::Command;
use proto_ocpp::command::{
    ChargingProfile, LogKind, Period, ProfileKind, Purpose, RateUnit, Trigger,
};
use proto_ocpp::config::Version;
use proto_ocpp::message::{Detail, IdToken, Outlet, Variable};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Kind of a token of 2.0.1 that the centre vouches for (`IdTokenEnumType`).
const CENTRAL: &str = "Central";
/// Limits are told in tenths of a watt or an ampere.
const TENTHS: i64 = 10;
/// Volts between a phase and neutral (GB/T 156).
const VOLTS: i64 = 220;
/// Phases that are reckoned with where a limit names none (2.0.1: numberPhases is 3 when omitted).
const PHASES: u8 = 3;

struct WayOut {
    door: OcppHandle,
    /// Numbers of remote starts, and of requests whose answers come later (2.0.1).
    numbers: AtomicI64,
    reports: Arc<Reports>,
    wait: Duration,
}

/// The way out through the running door. A report of settings is waited for so long.
pub fn stations(door: &OcppHandle, reports: Arc<Reports>, wait: Duration) -> Arc<dyn Stations> {
    Arc::new(WayOut {
        door: door.clone(),
        numbers: AtomicI64::new(1),
        reports,
        wait,
    })
}

fn outlet(evse: u32) -> Outlet {
    Outlet {
        evse,
        connector: None,
    }
}

fn variable(setting: Setting) -> Variable {
    Variable {
        component: setting.component,
        name: setting.name,
        attribute: String::new(),
        value: setting.value,
        status: String::new(),
    }
}

fn setting(variable: Variable) -> Setting {
    let name = match variable.attribute.as_str() {
        "" | "Actual" => variable.name,
        attribute => format!("{} ({attribute})", variable.name),
    };
    Setting {
        component: variable.component,
        name,
        value: variable.value,
        status: variable.status,
    }
}

/// A limit as a profile of one level.
fn profile(limit: Limit, unit: LimitUnit) -> ChargingProfile {
    let limit_tenths = match unit {
        LimitUnit::Watts => limit.limit_w.saturating_mul(TENTHS),
        LimitUnit::Amperes => deci_amperes(limit.limit_w, limit.phases.unwrap_or(PHASES), VOLTS),
    };
    ChargingProfile {
        id: limit.id,
        stack_level: limit.stack_level,
        purpose: match limit.purpose {
            For::Default => Purpose::TransactionDefault,
            For::Transaction => Purpose::Transaction,
            For::Station => Purpose::StationMax,
        },
        // One level from the transaction's start on needs no clock of the station; a station as a whole has no such start (2.0.1, K01.FR.38).
        kind: match limit.purpose {
            For::Station => ProfileKind::Absolute,
            For::Default | For::Transaction => ProfileKind::Relative,
        },
        valid_from: None,
        valid_to: limit.valid_to,
        transaction: limit.transaction,
        starts_at: (limit.purpose == For::Station).then_some(limit.valid_from),
        duration_seconds: None,
        unit: match unit {
            LimitUnit::Watts => RateUnit::Watts,
            LimitUnit::Amperes => RateUnit::Amperes,
        },
        periods: vec![Period {
            start_seconds: 0,
            limit_tenths,
            phases: limit.phases.map(i64::from),
        }],
    }
}

impl WayOut {
    fn next(&self) -> i64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn command(&self, order: Order) -> Command {
        match order {
            Order::Start { outlet: at, card } => Command::Start {
                outlet: at.map(outlet),
                id_token: IdToken {
                    token: card,
                    kind: CENTRAL.to_owned(),
                },
                remote_start: self.next(),
                profile: None,
            },
            Order::Stop { transaction } => Command::Stop { transaction },
            Order::Unlock { outlet: at } => Command::Unlock { outlet: outlet(at) },
            Order::Reset { is_immediate } => Command::Reset {
                is_immediate,
                evse: None,
            },
            Order::Availability {
                outlet: at,
                is_operative,
            } => Command::Availability {
                outlet: at.map(outlet),
                is_operative,
            },
            Order::Limit { limit, unit } => Command::SetProfile {
                evse: limit.outlet,
                profile: profile(limit, unit),
            },
            Order::ClearLimit { id } => Command::ClearProfile {
                id: Some(id),
                evse: None,
                purpose: None,
                stack_level: None,
            },
            Order::Reserve {
                id,
                outlet: at,
                until,
                card,
            } => Command::Reserve {
                id,
                outlet: Some(outlet(at)),
                expires_at: until,
                id_token: IdToken {
                    token: card,
                    kind: CENTRAL.to_owned(),
                },
                group: None,
            },
            Order::CancelReservation { id } => Command::CancelReservation { id },
            Order::Trigger {
                message,
                outlet: at,
            } => Command::Trigger {
                message: match message {
                    Message::Boot => Trigger::Boot,
                    Message::Status => Trigger::Status,
                    Message::Readings => Trigger::MeterValues,
                    Message::Heartbeat => Trigger::Heartbeat,
                    Message::Firmware => Trigger::Firmware,
                    Message::Log => Trigger::Log,
                },
                outlet: at.map(outlet),
            },
            Order::Log {
                is_of_security,
                location,
                from,
                to,
            } => Command::GetLog {
                request: self.next(),
                kind: match is_of_security {
                    true => LogKind::Security,
                    false => LogKind::Diagnostics,
                },
                location,
                from,
                to,
            },
            Order::Firmware {
                location,
                retrieve_at,
                install_at,
                signed,
            } => Command::UpdateFirmware {
                request: self.next(),
                location,
                retrieve_at,
                install_at,
                retries: None,
                signed,
            },
            Order::Read { settings } => Command::GetVariables {
                variables: settings.into_iter().map(variable).collect(),
            },
            Order::Write { settings } => Command::SetVariables {
                variables: settings.into_iter().map(variable).collect(),
            },
            Order::Data {
                vendor,
                message,
                data,
            } => Command::Data {
                vendor,
                message,
                data,
            },
            Order::ForgetCards => Command::ClearCache,
        }
    }

    fn is_of_201(&self, identity: &str) -> bool {
        let mut all = self.door.connected().into_iter();
        all.any(|one| one.identity == identity && one.version == Version::V201)
    }

    async fn send(&self, identity: &str, command: Command) -> Result<Said, Undone> {
        let reply = self.door.command(identity, command).await;
        let reply = reply.map_err(|failed| Undone {
            told: failed.told,
            may_have_happened: failed.may_have_happened,
        })?;
        let mut said = Said {
            is_accepted: reply.is_accepted,
            status: reply.status,
            ..Said::default()
        };
        match reply.detail {
            Detail::Variables(all) => said.settings = all.into_iter().map(setting).collect(),
            Detail::File(name) => said.file = Some(name),
            Detail::Data(data) => said.data = Some(data),
            _ => {}
        }
        Ok(said)
    }

    /// All settings of a station of 2.0.1, which come in parts after its answer.
    async fn report(&self, identity: &str) -> Result<Said, Undone> {
        let request = self.next();
        let coming = self.reports.expect(identity, request);
        let command = Command::Report {
            request,
            only_configuration: false,
        };
        let mut said = self.send(identity, command).await?;
        if said.is_accepted {
            said.settings = coming
                .parts(self.wait)
                .await
                .into_iter()
                .map(setting)
                .collect();
        }
        Ok(said)
    }
}

impl Stations for WayOut {
    fn connected(&self) -> Vec<Connected> {
        let all = self.door.connected().into_iter();
        all.map(|one| Connected {
            identity: one.identity,
            version: one.version.number(),
            link: one.link,
        })
        .collect()
    }

    fn order<'a>(&'a self, identity: &'a str, order: Order) -> BoxFuture<'a, Result<Said, Undone>> {
        Box::pin(async move {
            match order {
                Order::Read { settings } if settings.is_empty() && self.is_of_201(identity) => {
                    self.report(identity).await
                }
                order => self.send(identity, self.command(order)).await,
            }
        })
    }
}
