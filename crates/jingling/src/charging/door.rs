//! The OCPP door in the city: which registered device a station is, who may charge, and where its messages go. A message is answered
//! when both the journal and the books have it.

use crate::charging::reports::Reports;
use crate::charging::{events, mask};
use crate::settings::{Settings, listen_address};
use admission::{Ingest, Scope};
use anyhow::{Context, Result};
use api::app::App;
use api::charging_office::{CHARGE_POINT_PREFIX, CardStands, Office};
use billing::Desk;
use charging::Event as Told;
use futures::future::BoxFuture;
use gateway::ocpp::{DOOR, Directory, Known, Link, Shown, Sink, Unknown};
use gateway::{OcppDoor, OcppHandle, OcppOptions, Refusal};
use identity::Identity;
use model::{DeviceId, EntityId, Problem, Timestamp, TypeName, Update};
use parking_lot::Mutex;
use proto_ocpp::command::{Authorization, AuthorizationStatus};
use proto_ocpp::message::{IdToken, Phase, Status, Transaction};
use proto_ocpp::session::DataStatus;
use proto_ocpp::{Answer, Event, Standing, What, map};
use records::Records;
use records::devices::Device;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// Most events of one call to the books.
const EVENTS_MAX: usize = 500;
/// The states of a station as a whole (evse 0) that say something of its first outlet.
const OF_ALL: [&str; 2] = ["Unavailable", "Faulted"];
/// The states of 1.6 in which the vehicle takes no more.
const TAKES_NO_MORE: [&str; 2] = ["SuspendedEV", "Finishing"];
/// Outlets whose last transaction is remembered, to know whose occupancy ends.
const OUTLETS_MAX: usize = 200_000;

/// Which stations there are: registered devices, their identity behind [`CHARGE_POINT_PREFIX`].
struct Stations {
    records: Records,
    identity: Identity,
    clock: fn() -> Timestamp,
}

impl Stations {
    async fn look_up(&self, identity: &str, shown: Shown<'_>) -> Result<Known, Unknown> {
        let unavailable = |failure: records::Failure| {
            tracing::warn!(%failure, "a charge point could not be looked up");
            Unknown::Unavailable
        };
        let id = format!("{CHARGE_POINT_PREFIX}{identity}");
        let mut read = self.records.read().await.map_err(unavailable)?;
        let found = records::devices::by_id(&mut read, &id).await;
        drop(read);
        let device = found.map_err(unavailable)?.ok_or(Unknown::NotRegistered)?;
        let is_good = match shown {
            Shown::Certificate(der) => {
                let now = (self.clock)();
                let signed_in = self.identity.certificate_sign_in("", der, now).await;
                let signed_in = signed_in.map_err(unavailable)?;
                signed_in.is_some_and(|signed_in| signed_in.id == device.id)
            }
            Shown::Password(bytes) => self
                .is_password(&device, bytes)
                .await
                .map_err(unavailable)?,
        };
        if !is_good {
            return Err(Unknown::WrongPassword);
        }
        let (Ok(id), Ok(kind)) = (DeviceId::new(&device.id), TypeName::new(&device.r#type)) else {
            return Err(Unknown::NotRegistered);
        };
        Ok(Known {
            device: id,
            kind,
            name: device.name.unwrap_or(device.username),
            client_id: device.client_id,
        })
    }

    /// Whether that is the device's password, as text or as the bytes of its hexadecimal digits (stations of 1.6 with a binary
    /// `AuthorizationKey`).
    async fn is_password(&self, device: &Device, bytes: &[u8]) -> records::Result<bool> {
        let text = std::str::from_utf8(bytes).ok().map(str::to_owned);
        for password in text.into_iter().chain([hex::encode(bytes)]) {
            let (now, name) = ((self.clock)(), device.username.as_str());
            let signed_in = self
                .identity
                .device_sign_in("", name, &password, now)
                .await?;
            if signed_in.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Directory for Stations {
    fn find<'a>(
        &'a self,
        identity: &'a str,
        shown: Shown<'a>,
    ) -> BoxFuture<'a, Result<Known, Unknown>> {
        Box::pin(self.look_up(identity, shown))
    }
}

/// Where messages go.
struct CitySink {
    app: api::app::WeakApp,
    ingest: Arc<Ingest>,
    records: Records,
    desk: Desk,
    heartbeat_seconds: u32,
    clock: fn() -> Timestamp,
    /// Settings that somebody waits for.
    reports: Arc<Reports>,
    /// The transaction that an outlet had last, by station and outlet.
    last: Mutex<HashMap<(String, u32), String>>,
}

impl CitySink {
    async fn took(&self, link: &Link, event: &Event) -> Result<Answer, Refusal> {
        if let What::Broken { size_bytes, told } = &event.what {
            return self
                .broken(link, event, *size_bytes, told.clone().into())
                .await;
        }
        let transaction = match &event.what {
            What::Transaction(part) => self.transaction(link, part, event.received_at).await?,
            _ => None,
        };
        let mut told = self.said(link, event, transaction.as_deref());
        let mut payload = map::payload(
            event,
            transaction.as_deref(),
            map::Link {
                station: &link.identity,
                version: link.version,
                whose: &|evse| outlet(&link.known.device, evse),
            },
        );
        payload
            .updates
            .retain(|update| is_of_the_twin(update, &event.what));
        // What no bill takes in is told beside the message, and keeps no other event from its bill.
        told.retain(|one| match one.check() {
            Ok(()) => true,
            Err(wrong) => {
                payload.problems.push(wrong.into());
                false
            }
        });
        let position = self.kept(link, event, payload)?;
        let now = (self.clock)();
        for some in told.chunks(EVENTS_MAX) {
            self.desk.take(some.to_vec(), now).await.map_err(refused)?;
        }
        if let Some(position) = position {
            self.ingest
                .journal()
                .wait_durable(position)
                .await
                .map_err(|error| unavailable(error.to_string()))?;
        }
        self.remember(link, &event.what, transaction.as_deref());
        if let What::Report {
            request,
            variables,
            more_follow,
            ..
        } = &event.what
        {
            self.reports
                .came(&link.identity, *request, variables, *more_follow);
        }
        self.answer(link, &event.what, transaction).await
    }

    /// The id of a part's transaction; a start of 1.6 is given its number.
    async fn transaction(
        &self,
        link: &Link,
        part: &Transaction,
        received: Timestamp,
    ) -> Result<Option<String>, Refusal> {
        match (&part.id, &part.start_key) {
            (None, Some(start)) => {
                let number = self
                    .desk
                    .number(&link.identity, &start.text(), received)
                    .await
                    .map_err(refused)?;
                Ok(Some(number.to_string()))
            }
            (Some(id), _) if part.is_named() => Ok(Some(id.clone())),
            _ => Ok(None),
        }
    }

    /// What a message says of charges.
    fn said(&self, link: &Link, event: &Event, transaction: Option<&str>) -> Vec<Told> {
        match (&event.what, transaction) {
            (What::Transaction(part), Some(id)) => {
                events::of(&link.identity, id, part, event.received_at)
            }
            (What::Status(status), _) => self.occupied(link, status, event.received_at),
            _ => Vec::new(),
        }
    }

    /// What the state of an outlet says of its last charge (1.6, where no transaction says it).
    fn occupied(&self, link: &Link, status: &Status, received: Timestamp) -> Vec<Told> {
        let key = (link.identity.clone(), status.outlet.evse);
        let Some(transaction) = self.last.lock().get(&key).cloned() else {
            return Vec::new();
        };
        let kind = match status.status.as_str() {
            word if TAKES_NO_MORE.contains(&word) => charging::EventKind::Full,
            "Available" => charging::EventKind::Left,
            _ => return Vec::new(),
        };
        vec![events::mark(
            &link.identity,
            &transaction,
            status.outlet.evse,
            kind,
            status.at,
            received,
        )]
    }

    fn remember(&self, link: &Link, what: &What, transaction: Option<&str>) {
        let mut last = self.last.lock();
        match (what, transaction) {
            (What::Transaction(part), Some(id)) if part.phase == Phase::Started => {
                let Some(outlet) = part.outlet else { return };
                // Without room nobody is charged for occupancy, which is the driver's gain.
                if last.len() < OUTLETS_MAX {
                    last.insert((link.identity.clone(), outlet.evse), id.to_owned());
                }
            }
            (What::Status(status), _) if status.status == "Available" => {
                last.remove(&(link.identity.clone(), status.outlet.evse));
            }
            _ => {}
        }
    }

    /// Hands a message to the journal; `None` where there is nothing to keep.
    fn kept(
        &self,
        link: &Link,
        event: &Event,
        payload: wire::Payload,
    ) -> Result<Option<u64>, Refusal> {
        let is_told = !payload.updates.is_empty() || !payload.problems.is_empty();
        // Who asks whether he may charge says nothing of the city.
        if !is_told && matches!(event.what, What::Authorize(_)) {
            return Ok(None);
        }
        let raw = mask::masked(&event.raw).unwrap_or_default();
        let receipt = self
            .ingest
            .submit(incoming(link, event, &raw, &Scope::Any), payload)
            .map_err(not_admitted)?;
        Ok(Some(receipt.position))
    }

    async fn broken(
        &self,
        link: &Link,
        event: &Event,
        size_bytes: usize,
        problem: Problem,
    ) -> Result<Answer, Refusal> {
        let masked = mask::masked(&event.raw);
        let raw = masked.as_deref().unwrap_or(&event.raw);
        let letter = incoming(link, event, raw, &Scope::Nothing);
        let is_personal = masked.is_none() && mask::may_hold_card(&event.raw);
        let position = match is_personal {
            true => self
                .ingest
                .reject_personal(letter, size_bytes as u64, &[problem]),
            false => self.ingest.reject(letter, size_bytes as u64, &[problem]),
        };
        let position = position.map_err(not_admitted)?;
        let durable = self.ingest.journal().wait_durable(position).await;
        durable.map_err(|error| unavailable(error.to_string()))?;
        Ok(Answer::Done)
    }

    async fn answer(
        &self,
        link: &Link,
        what: &What,
        transaction: Option<String>,
    ) -> Result<Answer, Refusal> {
        Ok(match what {
            What::Boot(_) => Answer::Boot {
                standing: Standing::Accepted,
                interval_seconds: self.heartbeat_seconds,
            },
            What::Authorize(token) => Answer::Transaction {
                id: None,
                authorization: Some(self.authorization(token).await?),
                total_cost_fen: None,
            },
            What::Transaction(part) => Answer::Transaction {
                id: transaction.as_deref().and_then(|id| id.parse().ok()),
                authorization: match &part.id_token {
                    Some(token) => Some(self.authorization(token).await?),
                    None => None,
                },
                total_cost_fen: match (part.phase, &transaction) {
                    (Phase::Ended, Some(id)) => self.cost(&link.identity, id).await?,
                    _ => None,
                },
            },
            What::Data { .. } => Answer::Data {
                status: DataStatus::UnknownVendorId,
                data: None,
            },
            What::Sign { .. } => Answer::Signing { is_accepted: false },
            _ => Answer::Done,
        })
    }

    async fn authorization(&self, token: &IdToken) -> Result<Authorization, Refusal> {
        let app = self.app.upgrade();
        let office: Option<&Office> = app.as_ref().and_then(|app| app.charging.get());
        let Some(office) = office else {
            return Err(Refusal::Busy);
        };
        let mut read = self.records.read().await.map_err(failed)?;
        let stands = office
            .card_stands(&mut read, &token.token, (self.clock)())
            .await
            .map_err(failed)?;
        Ok(Authorization::new(match stands {
            CardStands::Good => AuthorizationStatus::Accepted,
            CardStands::Blocked => AuthorizationStatus::Blocked,
            CardStands::Expired => AuthorizationStatus::Expired,
            CardStands::Unknown => AuthorizationStatus::Unknown,
        }))
    }

    /// What a charge cost, where its bill is due already.
    async fn cost(&self, station: &str, transaction: &str) -> Result<Option<i64>, Refusal> {
        let mut read = self.records.read().await.map_err(failed)?;
        let session = records::charging::session(&mut read, station, transaction);
        let session = session.await.map_err(failed)?;
        Ok(session
            .filter(|session| session.state == billing::State::Billed.name())
            .and_then(|session| session.total_fen))
    }
}

/// The charge point that an outlet is: the station itself and its first outlet are the device, each further one is its own.
fn outlet(device: &DeviceId, evse: u32) -> Option<EntityId> {
    match evse {
        0 | 1 => Some(EntityId::from(device)),
        more => EntityId::new(format!("{}:{more}", device.as_str())).ok(),
    }
}

/// What of a message the twin is told. Sessions are rows of the books, and no entities, which would grow without end; of a station as a
/// whole only what stops it is told of its first outlet.
fn is_of_the_twin(update: &Update, what: &What) -> bool {
    let says_little = match what {
        What::Status(status) => {
            status.outlet.evse == 0 && !OF_ALL.contains(&status.status.as_str())
        }
        _ => false,
    };
    !says_little && update.entity_type.as_str() != map::SESSION
}

fn incoming<'a>(
    link: &'a Link,
    event: &Event,
    raw: &'a [u8],
    scope: &'a Scope,
) -> admission::Incoming<'a> {
    admission::Incoming {
        door: DOOR,
        device_id: Some(&link.known.device),
        scope,
        address: &link.identity,
        raw,
        received_at: event.received_at,
        retain: false,
    }
}

fn unavailable(why: String) -> Refusal {
    Refusal::Unavailable(Problem::new(
        "journal",
        why,
        "journal",
        "the station keeps its message and sends it again",
    ))
}

fn not_admitted(refusal: admission::Refusal) -> Refusal {
    match refusal {
        admission::Refusal::Busy => Refusal::Busy,
        other => unavailable(other.to_string()),
    }
}

fn failed(failure: records::Failure) -> Refusal {
    unavailable(failure.to_string())
}

fn refused(told: model::Told) -> Refusal {
    match told.code.as_str() {
        "billing-busy" => Refusal::Busy,
        _ => Refusal::Unavailable(told.into()),
    }
}

impl Sink for CitySink {
    fn take<'a>(
        &'a self,
        link: &'a Link,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<Answer, Refusal>> {
        Box::pin(self.took(link, event))
    }

    fn presence(&self, known: &Known, online: bool, at: Timestamp) {
        crate::presence::write(&self.ingest, &known.client_id, &known.name, online, at);
    }
}

/// Opens the door where the settings say so.
///
/// # Errors
/// A setting, or an address that cannot be listened on.
pub async fn start(
    app: &App,
    settings: &Settings,
    desk: &Desk,
    reports: &Arc<Reports>,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> Result<Option<OcppHandle>> {
    let section = &settings.ocpp;
    let listen: Vec<SocketAddr> = listen_address("ocpp.listen", &section.listen)?
        .into_iter()
        .collect();
    let listen_tls: Vec<SocketAddr> = listen_address("ocpp.tls_listen", &section.tls_listen)?
        .into_iter()
        .collect();
    if listen.is_empty() && listen_tls.is_empty() {
        return Ok(None);
    }
    let options = OcppOptions {
        listen,
        listen_tls,
        tls,
        session: section.session(),
        limits: section.limits(),
    };
    let sink = CitySink {
        app: app.downgrade(),
        ingest: app.ingest.clone(),
        records: app.records.clone(),
        desk: desk.clone(),
        heartbeat_seconds: section.heartbeat_seconds,
        clock: app.clock,
        reports: Arc::clone(reports),
        last: Mutex::default(),
    };
    let stations = Stations {
        records: app.records.clone(),
        identity: app.identity.clone(),
        clock: app.clock,
    };
    let door = OcppDoor::start(options, Arc::new(sink), Arc::new(stations))
        .await
        .context("opening the door of charge points")?;
    Ok(Some(door))
}
