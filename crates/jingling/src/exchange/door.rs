//! The door: whose message it is, how often it may come, and who answers it. What is refused is kept as a dead letter, and what is taken
//! is answered when the journal and the records have it.

use super::gate::Gate;
use super::settings::PartnerRole;
use super::{DOOR, Partner, Refused, Shared, compare, orders, stations, told};
use admission::{Incoming, Scope};
use api::app::App;
use api::charging_exchange::{Exchange, PartnerNamed, Posted, TooOften};
use futures::future::BoxFuture;
use model::{Problem, Timestamp};
use parking_lot::Mutex;
use proto_tcec102::city;
use proto_tcec102::door::TOKEN_BYTES;
use proto_tcec102::{
    Asked, Call, Door, Envelope, Fault, Keys, Limits, Partner as Known, Received, Reply, Ret, Role,
};
use rand::Rng as _;
use records::exchange::ExchangePartner;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The city's door.
pub struct CityDoor {
    shared: Arc<Shared>,
    limits: Limits,
    /// Answers operators, who tell us what happens.
    for_operators: Mutex<Door>,
    /// Answers regulators, who ask us.
    for_regulators: Mutex<Door>,
    by_peer: Mutex<Gate<IpAddr>>,
    by_partner: Mutex<Gate<String>>,
    letters: Mutex<Gate<IpAddr>>,
    answered: AtomicU64,
    refused: AtomicU64,
    too_often: AtomicU64,
}

impl CityDoor {
    /// A door for partners with their keys.
    pub(super) fn new(shared: Arc<Shared>, keys: Vec<(String, PartnerRole, Keys)>) -> Self {
        let own = &shared.own;
        let limits = own.limits();
        let of = |wanted: PartnerRole, role: Role| {
            let partners = keys.iter().filter(|(_, role, _)| *role == wanted);
            let partners = partners.map(|(id, _, keys)| Known {
                operator_id: id.clone(),
                keys: keys.clone(),
            });
            Mutex::new(Door::new(role, partners, limits.clone()))
        };
        Self {
            for_operators: of(PartnerRole::Operator, Role::Regulator),
            for_regulators: of(PartnerRole::Regulator, Role::Operator),
            by_peer: Mutex::new(Gate::new(own.peer_requests_per_minute_max, own.peers_max)),
            by_partner: Mutex::new(Gate::new(own.requests_per_minute_max, own.peers_max)),
            letters: Mutex::new(Gate::new(own.dead_letters_per_peer_max, own.peers_max)),
            answered: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            too_often: AtomicU64::new(0),
            limits,
            shared,
        }
    }

    /// The door that answers whoever a message says it is from; whether that is true the door judges.
    fn door_of(&self, body: &[u8]) -> &Mutex<Door> {
        let said = Envelope::parse(body, &self.limits).ok();
        let partner = said.and_then(|envelope| self.shared.partner(&envelope.operator_id).cloned());
        match partner.map(|partner| partner.role) {
            Some(PartnerRole::Regulator) => &self.for_regulators,
            _ => &self.for_operators,
        }
    }

    async fn answered(&self, posted: Posted<'_>) -> Result<String, TooOften> {
        let now = self.shared.now();
        let passed = self.by_peer.lock().pass(posted.peer, now);
        if let Err(wait) = passed {
            self.too_often.fetch_add(1, Ordering::Relaxed);
            return Err(TooOften(wait));
        }
        let mut random = [0; TOKEN_BYTES];
        rand::rng().fill_bytes(&mut random);
        let door = self.door_of(posted.body);
        let received =
            door.lock()
                .receive(posted.interface, posted.bearer, posted.body, now, &random);
        let asked = match received {
            Received::Asked(asked) => asked,
            Received::Answer { json, fault } => {
                if let Some(fault) = fault {
                    self.refused(posted, &fault, now).await;
                }
                return Ok(json);
            }
        };
        let reply = self.reply(&asked, posted, now).await;
        let counter = if reply.is_ok() {
            &self.answered
        } else {
            &self.refused
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let reply = match &reply {
            Ok(reply) => Ok(reply),
            Err((ret, msg)) => Err((*ret, msg.as_str())),
        };
        Ok(door.lock().answer(&asked, reply))
    }

    async fn reply(
        &self,
        asked: &Asked,
        posted: Posted<'_>,
        now: Timestamp,
    ) -> Result<Reply, Refused> {
        let passed = self.by_partner.lock().pass(asked.operator_id.clone(), now);
        passed.map_err(|wait| (Ret::Busy, format!("系统繁忙,请 {wait} 秒后再试")))?;
        let (Some(partner), Some(app)) = (
            self.shared.partner(&asked.operator_id),
            self.shared.app.upgrade(),
        ) else {
            return Err(busy());
        };
        self.shared
            .remember(&partner.id, |row| row.heard_at = Some(now));
        match self.dispatched(&app, partner, &asked.call, now).await {
            Ok(reply) => Ok(reply),
            Err(Wrong::Answered(refused)) => Err(refused),
            Err(Wrong::Kept(refused, problem)) => {
                let raw = asked.call.to_json();
                self.keep(posted, raw.as_bytes(), &problem, now).await;
                Err(refused)
            }
        }
    }

    async fn dispatched(
        &self,
        app: &App,
        partner: &Arc<Partner>,
        call: &Call,
        now: Timestamp,
    ) -> Result<Reply, Wrong> {
        let shared = &*self.shared;
        Ok(match call {
            // The door answered it.
            Call::QueryToken(_) => return Err(busy().into()),
            Call::NotificationStationStatus(body) => Reply::NotificationStationStatus(
                told::status(shared, app, partner, body, now).await?,
            ),
            Call::NotificationStartChargeResult(body) => Reply::NotificationStartChargeResult(
                told::started(shared, partner, body, now).await?,
            ),
            Call::NotificationEquipChargeStatus(body) => Reply::NotificationEquipChargeStatus(
                told::charging(shared, app, partner, body, now).await?,
            ),
            Call::NotificationStopChargeResult(body) => Reply::NotificationStopChargeResult(
                told::stopped(shared, partner, body, now).await?,
            ),
            Call::NotificationChargeOrderInfo(body) => Reply::NotificationChargeOrderInfo(
                told::settled(shared, app, partner, body, now).await?,
            ),
            Call::CheckChargeOrders(body) => {
                Reply::CheckChargeOrders(compare::answer(shared, app, partner, body, now).await?)
            }
            Call::QueryStationsInfo(ask) => {
                Reply::QueryStationsInfo(city::page(&stations::all(shared, app), ask))
            }
            Call::QueryStationStatus(ask) => {
                Reply::QueryStationStatus(city::statuses(&stations::all(shared, app), ask))
            }
            Call::QueryEquipAuth(ask) => {
                Reply::QueryEquipAuth(orders::authorised(shared, app, ask))
            }
            Call::QueryStartCharge(ask) => {
                Reply::QueryStartCharge(orders::start(shared, app, partner, ask, now).await?)
            }
            Call::QueryEquipChargeStatus(ask) => {
                Reply::QueryEquipChargeStatus(orders::progress(shared, app, partner, ask).await?)
            }
            Call::QueryStopCharge(ask) => {
                Reply::QueryStopCharge(orders::stop(shared, app, partner, ask, now).await?)
            }
        })
    }

    /// Keeps what the protocol refused, but for tokens: those are asked for anew after every start of the city, and a message that asks for
    /// one holds a secret.
    async fn refused(&self, posted: Posted<'_>, fault: &Fault, now: Timestamp) {
        let told = &fault.told;
        self.refused.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(peer = %posted.peer, interface = posted.interface, ret = fault.ret.code(), code = %told.code, "a message of the exchange was refused");
        let is_kept = matches!(fault.ret, Ret::Signature | Ret::Envelope | Ret::Business);
        if is_kept && posted.interface != "query_token" {
            let problem = Problem::from((*fault.told).clone());
            self.keep(posted, posted.body, &problem, now).await;
        }
    }

    /// Keeps a dead letter, where this address has not had too many.
    async fn keep(&self, posted: Posted<'_>, raw: &[u8], problem: &Problem, now: Timestamp) {
        if self.letters.lock().pass(posted.peer, now).is_err() {
            return;
        }
        let ingest = &self.shared.ingest;
        let address = format!(
            "{}/{}",
            posted.peer,
            model::problem::quote(posted.interface)
        );
        let letter = Incoming {
            door: DOOR,
            device_id: None,
            scope: &Scope::Nothing,
            address: &address,
            raw,
            received_at: now,
            retain: false,
        };
        let position = ingest.reject(letter, raw.len() as u64, std::slice::from_ref(problem));
        match position {
            Ok(position) => {
                // The refusal stands whether the letter is on disk or not.
                if let Err(error) = ingest.journal().wait_durable(position).await {
                    tracing::warn!(%error, "a dead letter of the exchange is not on disk");
                }
            }
            Err(refusal) => tracing::warn!(%refusal, "a dead letter of the exchange was not kept"),
        }
    }
}

/// Why a call is not answered with a reply.
pub(crate) enum Wrong {
    /// The partner is told.
    Answered(Refused),
    /// The same, and its message is kept as a dead letter with the problem.
    Kept(Refused, Problem),
}

impl From<Refused> for Wrong {
    fn from(refused: Refused) -> Self {
        Self::Answered(refused)
    }
}

/// Nothing could be kept now: the partner sends it again.
pub(crate) fn busy() -> Refused {
    (Ret::Busy, "系统繁忙,请稍后再试".to_owned())
}

/// The same, with the cause for our own people.
pub(crate) fn unavailable(cause: impl std::fmt::Display) -> Refused {
    tracing::warn!(%cause, "the exchange could not keep or read something");
    busy()
}

/// What a partner got wrong: told in Chinese, kept with both languages.
pub(crate) fn wrong(told: model::Told) -> Wrong {
    let said = format!("{}:{}", told.place.zh, told.what.zh);
    Wrong::Kept((Ret::Business, said), told.into())
}

impl Exchange for CityDoor {
    fn operator_id(&self) -> &str {
        &self.shared.own.operator_id
    }

    fn version(&self) -> &str {
        &self.shared.own.version
    }

    fn body_bytes_max(&self) -> usize {
        self.shared.own.message_bytes_max()
    }

    fn partners(&self) -> Vec<PartnerNamed> {
        let all = self.shared.partners.iter();
        all.map(|partner| PartnerNamed {
            operator_id: partner.id.clone(),
            name: partner.name.clone(),
            role: partner.role.name(),
            is_asked: partner.line.is_some(),
        })
        .collect()
    }

    fn figures(&self) -> Vec<(&'static str, u64)> {
        [
            ("messages_answered_total", &self.answered),
            ("messages_refused_total", &self.refused),
            ("messages_too_often_total", &self.too_often),
        ]
        .map(|(name, counter)| (name, counter.load(Ordering::Relaxed)))
        .into()
    }

    fn memory(&self) -> Vec<ExchangePartner> {
        self.shared.known.lock().values().cloned().collect()
    }

    fn answer<'a>(&'a self, posted: Posted<'a>) -> BoxFuture<'a, Result<String, TooOften>> {
        Box::pin(self.answered(posted))
    }
}
