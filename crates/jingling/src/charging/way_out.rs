//! The way to the stations: what people order, in OCPP's terms, through the running door.

use api::charging_office::{Connected, Order, Said, Stations, Undone};
use futures::future::BoxFuture;
use gateway::OcppHandle;
use proto_ocpp::Command;
use proto_ocpp::message::{IdToken, Outlet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Kind of a token of 2.0.1 that the centre vouches for (`IdTokenEnumType`).
const CENTRAL: &str = "Central";

struct WayOut {
    door: OcppHandle,
    /// Numbers of remote starts, which come back in what they started (2.0.1).
    starts: AtomicI64,
}

/// The way out through the running door.
pub fn stations(door: &OcppHandle) -> Arc<dyn Stations> {
    Arc::new(WayOut {
        door: door.clone(),
        starts: AtomicI64::new(1),
    })
}

impl WayOut {
    fn command(&self, order: Order) -> Command {
        let outlet = |evse: u32| Outlet {
            evse,
            connector: None,
        };
        match order {
            Order::Start { outlet: at, card } => Command::Start {
                outlet: at.map(outlet),
                id_token: IdToken {
                    token: card,
                    kind: CENTRAL.to_owned(),
                },
                remote_start: self.starts.fetch_add(1, Ordering::Relaxed),
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
        }
    }
}

impl Stations for WayOut {
    fn connected(&self) -> Vec<Connected> {
        let all = self.door.connected().into_iter();
        all.map(|one| Connected {
            identity: one.identity,
            version: one.version.number(),
        })
        .collect()
    }

    fn order<'a>(&'a self, identity: &'a str, order: Order) -> BoxFuture<'a, Result<Said, Undone>> {
        Box::pin(async move {
            let reply = self.door.command(identity, self.command(order)).await;
            let reply = reply.map_err(|failed| Undone {
                told: failed.told,
                may_have_happened: failed.may_have_happened,
            })?;
            Ok(Said {
                is_accepted: reply.is_accepted,
                status: reply.status,
            })
        })
    }
}
