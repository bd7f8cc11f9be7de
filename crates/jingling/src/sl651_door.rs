//! Joins the SL 651 door to the city: which registered device a station is, with which password, and where its messages go.

use crate::settings::{Settings, listen_address};
use admission::{Ingest, Scope};
use anyhow::{Context, Result, bail};
use api::app::App;
use futures::future::BoxFuture;
use gateway::sl651::{Directory, Incoming, Known, Limits, Sink, Unknown};
use gateway::{Receipt, Refusal, Sl651Door, Sl651Handle, Sl651Options};
use model::{DeviceId, EntityId, Problem, Quality, Timestamp, TypeName, Update, Value};
use proto_sl651::{Config, Message, Station, map};
use records::Records;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;
use twin::{Twin, ValueRef};

/// The door's name in the journal.
pub const DOOR: &str = gateway::sl651::DOOR;

/// A station whose entity or password is not what the rule says: `[[sl651.station]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationSettings {
    /// Address of the station, ten digits.
    pub address: String,
    /// Id of the registered device that it is; without it the rule holds (`sl651.entity_prefixes`).
    #[serde(default)]
    pub entity: Option<String>,
    /// Its password, four hexadecimal digits; without it `sl651.password` holds.
    #[serde(default)]
    pub password: Option<String>,
}

/// A password of four hexadecimal digits; an empty text is none.
fn password(key: &str, text: &str) -> Result<Option<u16>> {
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = u16::from_str_radix(text, 16)
        .ok()
        .filter(|_| text.len() == 4);
    let parsed = parsed.with_context(|| {
        format!("{key}: a station's password is four hexadecimal digits, such as 03E8")
    })?;
    Ok(Some(parsed))
}

/// What the settings say of stations.
#[derive(Debug, Default)]
pub(crate) struct Told {
    password: Option<u16>,
    stations: HashMap<Station, (Option<DeviceId>, Option<u16>)>,
    prefixes: Vec<String>,
}

pub(crate) fn told(settings: &Settings) -> Result<Told> {
    let section = &settings.sl651;
    let mut stations = HashMap::new();
    for station in &section.station {
        let key = format!("sl651.station {}", station.address);
        let address =
            Station::parse(&station.address).map_err(|p| anyhow::anyhow!("{key}: {p}"))?;
        let entity = station.entity.as_deref().map(DeviceId::new).transpose();
        let entity = entity.map_err(|p| anyhow::anyhow!("{key}: {p}"))?;
        let password = password(&key, station.password.as_deref().unwrap_or_default())?;
        if stations.insert(address, (entity, password)).is_some() {
            bail!("{key} stands there twice");
        }
    }
    Ok(Told {
        password: password("sl651.password", &section.password)?,
        stations,
        prefixes: section.entity_prefixes.clone(),
    })
}

impl Told {
    /// The station that a registered device is: the other way round than a station's address is looked up.
    pub(crate) fn station_of(&self, device: &str) -> Option<Station> {
        let named = self.stations.iter().find(|(_, (entity, _))| {
            entity
                .as_ref()
                .is_some_and(|entity| entity.as_str() == device)
        });
        if let Some((station, _)) = named {
            return Some(*station);
        }
        let behind = |prefix: &String| device.strip_prefix(prefix.as_str());
        let digits = self.prefixes.iter().find_map(behind)?;
        let station = Station::of_code(digits)?;
        // An address that the settings give to another device is that one's.
        let is_free = self
            .stations
            .get(&station)
            .is_none_or(|(entity, _)| entity.is_none());
        is_free.then_some(station)
    }
}

/// Looks through the door's settings.
///
/// # Errors
/// The key, and what it should be.
pub fn check(settings: &Settings) -> Result<()> {
    let section = &settings.sl651;
    told(settings)?;
    let listens = [
        ("sl651.tcp_listen", &section.tcp_listen),
        ("sl651.udp_listen", &section.udp_listen),
    ];
    for (key, text) in listens {
        if listen_address(key, text)?.is_some() && !section.weak_identity_is_accepted {
            bail!(
                "{key} opens a door at which stations show nothing but their address and a password of 16 bits, in the clear; \
                 set sl651.weak_identity_is_accepted = true if the network in front of it keeps strangers out"
            );
        }
    }
    if !section.stage_step_m_max.is_finite() || section.stage_step_m_max < 0.0 {
        bail!("sl651.stage_step_m_max must be 0 or more metres");
    }
    if section.picture_kib_max == 0 || section.clock_doubt_seconds_max < 1 {
        bail!("sl651.picture_kib_max and sl651.clock_doubt_seconds_max must be 1 at least");
    }
    Ok(())
}

/// Which stations there are: registered devices.
struct CityDirectory {
    records: Records,
    told: Told,
}

impl CityDirectory {
    async fn look_up(&self, station: Station, shown: Option<u16>) -> Result<Known, Unknown> {
        let named = self.told.stations.get(&station);
        let ids: Vec<String> = match named.and_then(|(entity, _)| entity.as_ref()) {
            Some(entity) => vec![entity.as_str().to_owned()],
            None => {
                let prefixes = self.told.prefixes.iter();
                let names = [station.code(), station.to_string()];
                prefixes
                    .flat_map(|prefix| names.iter().map(move |name| format!("{prefix}{name}")))
                    .collect()
            }
        };
        let unavailable = |failure: records::Failure| {
            tracing::warn!(%failure, "a station could not be looked up");
            Unknown::Unavailable
        };
        let mut read = self.records.read().await.map_err(unavailable)?;
        let mut found = None;
        for id in &ids {
            found = records::devices::by_id(&mut read, id)
                .await
                .map_err(unavailable)?;
            if found.is_some() {
                break;
            }
        }
        let device = found.ok_or(Unknown::NotRegistered)?;
        let expected = named
            .and_then(|(_, password)| *password)
            .or(self.told.password);
        if let (Some(shown), Some(expected)) = (shown, expected)
            && shown != expected
        {
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
}

impl Directory for CityDirectory {
    fn find(
        &self,
        station: Station,
        password: Option<u16>,
    ) -> BoxFuture<'_, Result<Known, Unknown>> {
        Box::pin(self.look_up(station, password))
    }
}

/// Attributes that are stages above a datum.
const STAGES: [&str; 3] = ["waterLevel", "waterLevelUpstream", "waterLevelDownstream"];
/// A stage is compared with the one before it when that is not older, seconds.
const STAGE_STEP_WITHIN_S: i64 = 3_600;

/// Where messages go.
struct CitySl651Sink {
    ingest: Arc<Ingest>,
    twin: Arc<Twin>,
    config: Config,
    /// Largest step of a stage between two readings that is believed at once, metres; 0: any.
    stage_step_m_max: f64,
}

impl CitySl651Sink {
    /// Marks stages as doubtful that jump: against what the city knows, and within the message. The next reading near it is
    /// believed again.
    fn doubt_jumps(&self, updates: &mut [Update]) {
        if self.stage_step_m_max <= 0.0 {
            return;
        }
        for name in STAGES {
            let mut last: HashMap<EntityId, (f64, Timestamp)> = HashMap::new();
            for update in updates.iter_mut() {
                let entity = &update.entity_id;
                let Some(stage) = update
                    .attributes
                    .iter_mut()
                    .find(|a| a.name.as_str() == name)
                else {
                    continue;
                };
                let Value::Number(metres) = stage.value else {
                    continue;
                };
                let before = last.get(entity).copied().or_else(|| {
                    let known = self.twin.get(entity)?;
                    let known = known.attribute(name)?;
                    match known.value {
                        ValueRef::Number(metres) => Some((metres, known.observed_at)),
                        _ => None,
                    }
                });
                if let Some((before, at)) = before {
                    let since_s = stage.observed_at.micros_since(at) / 1_000_000;
                    let is_near = (0..=STAGE_STEP_WITHIN_S).contains(&since_s);
                    if is_near && (metres - before).abs() > self.stage_step_m_max {
                        stage.quality = stage.quality.max(Quality::Uncertain);
                    }
                }
                last.insert(entity.clone(), (metres, stage.observed_at));
            }
        }
    }
}

fn arrived<'a>(incoming: &Incoming<'a>, scope: &'a Scope) -> admission::Incoming<'a> {
    admission::Incoming {
        door: DOOR,
        device_id: incoming.sender.map(|known| &known.device),
        scope,
        address: incoming.address,
        raw: incoming.raw,
        received_at: incoming.received_at,
        retain: false,
    }
}

fn refused(refusal: admission::Refusal) -> Refusal {
    match refusal {
        admission::Refusal::Busy => Refusal::Busy,
        other => Refusal::Unavailable(Problem::new(
            "journal",
            other.to_string(),
            "journal",
            "the station keeps its message and sends it again",
        )),
    }
}

impl Sink for CitySl651Sink {
    fn submit(
        &self,
        incoming: Incoming<'_>,
        message: &Message,
        warnings: &[Problem],
        stations: &HashMap<Station, Arc<Known>>,
    ) -> Result<Receipt, Refusal> {
        let whose = |station: Station| {
            let known = stations.get(&station)?;
            Some((EntityId::from(&known.device), known.kind.clone()))
        };
        let at = incoming.received_at;
        let mut payload = map::payload(message, warnings, &whose, at, &self.config);
        self.doubt_jumps(&mut payload.updates);
        // A relay speaks for several; whose readings it may send was found out station by station.
        let scope = match (stations.len(), incoming.sender) {
            (1, Some(known)) => Scope::Own((&known.device).into()),
            (0, _) | (_, None) => Scope::Nothing,
            _ => Scope::Any,
        };
        let receipt = self
            .ingest
            .submit(arrived(&incoming, &scope), payload)
            .map_err(refused)?;
        let first = receipt.problems.into_iter().next();
        Ok(Receipt {
            position: receipt.position,
            refused: first.filter(|_| receipt.accepted == 0),
            withheld: receipt.is_personal,
        })
    }

    fn reject(
        &self,
        incoming: Incoming<'_>,
        size_bytes: u64,
        problem: Problem,
    ) -> Result<u64, Refusal> {
        let incoming = arrived(&incoming, &Scope::Nothing);
        self.ingest
            .reject(incoming, size_bytes, &[problem])
            .map_err(refused)
    }

    fn durable(&self) -> watch::Receiver<u64> {
        self.ingest.journal().durable()
    }

    fn presence(&self, station: &Known, online: bool, at: Timestamp) {
        crate::presence::write(&self.ingest, &station.client_id, &station.name, online, at);
    }
}

/// Opens the door where the settings say so.
///
/// # Errors
/// A setting, or an address that cannot be listened on.
pub async fn start(app: &App, settings: &Settings) -> Result<Option<Sl651Handle>> {
    let section = &settings.sl651;
    let tcp_listen: Vec<SocketAddr> = listen_address("sl651.tcp_listen", &section.tcp_listen)?
        .into_iter()
        .collect();
    let udp_listen: Vec<SocketAddr> = listen_address("sl651.udp_listen", &section.udp_listen)?
        .into_iter()
        .collect();
    if tcp_listen.is_empty() && udp_listen.is_empty() {
        return Ok(None);
    }
    let session = Config {
        answers: section.answers,
        keeps_on_line: section.keeps_on_line,
        sets_clocks: section.sets_clocks,
        clock_doubt_seconds_max: section.clock_doubt_seconds_max,
        message_bytes_max: section.picture_kib_max.saturating_mul(1_024),
        ..Config::default()
    };
    let directory = CityDirectory {
        records: app.records.clone(),
        told: told(settings)?,
    };
    let sink = CitySl651Sink {
        ingest: app.ingest.clone(),
        twin: Arc::clone(&app.twin),
        config: session.clone(),
        stage_step_m_max: section.stage_step_m_max,
    };
    let options = Sl651Options {
        tcp_listen,
        udp_listen,
        session,
        limits: Limits {
            links_max: section.links_max,
            links_per_peer_max: section.links_per_peer_max,
            dead_letters_per_peer_max: section.dead_letters_per_peer_max,
            idle_seconds_max: section.idle_seconds_max,
            ..Limits::default()
        },
    };
    let door = Sl651Door::start(options, Arc::new(sink), Arc::new(directory))
        .await
        .context("opening the SL 651 door")?;
    Ok(Some(door))
}
