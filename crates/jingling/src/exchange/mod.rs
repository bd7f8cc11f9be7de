//! Joins the exchange with other charging platforms (充电互联互通, T/CEC 102-2016) to the city.
//!
//! Reading order: [`settings`], [`keys`] (the secrets between the city and a partner), [`gate`] (how often who may ask), [`door`] (what a
//! partner posts, and who answers), [`told`] (what operators tell of their stations and charges), [`stations`] (the city's own as partners
//! see them), [`orders`] (charges that partners ask for at stations of ours), [`disputes`] (the case of an order that is disputed),
//! [`compare`] (a day's orders of both sides), [`asking`] (what the city asks and tells by itself).

pub mod asking;
pub mod compare;
pub mod disputes;
pub mod door;
pub mod gate;
pub mod keys;
pub mod orders;
pub mod settings;
pub mod stations;
pub mod told;

use crate::folder::Folder;
use crate::settings::Settings;
use admission::Ingest;
use anyhow::Result;
use api::app::{App, WeakApp};
use api::outgoing::Outgoing;
use model::Timestamp;
use parking_lot::Mutex;
use proto_tcec102::{Caller, Ret};
use records::Records;
use records::exchange::ExchangePartner;
use settings::{ExchangeSettings, PartnerRole};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinHandle;
use url::Url;

/// The door's name in the journal.
pub const DOOR: &str = "tcec102";

/// Why something is not answered as it was asked: what the protocol says, and in which words.
pub(crate) type Refused = (Ret, String);

/// A partner that the city speaks with.
pub(crate) struct Partner {
    /// Its operator id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is to the city.
    pub role: PartnerRole,
    /// How it is asked; none where it is only answered.
    pub line: Option<Line>,
}

/// The way to a partner.
pub(crate) struct Line {
    /// Where it answers.
    pub url: Url,
    /// One call at a time.
    pub caller: tokio::sync::Mutex<Caller>,
}

/// What the parts of the exchange share.
pub(crate) struct Shared {
    pub app: WeakApp,
    pub ingest: Arc<Ingest>,
    pub records: Records,
    pub own: ExchangeSettings,
    pub area_code: String,
    pub partners: Vec<Arc<Partner>>,
    pub outgoing: Outgoing,
    pub clock: fn() -> Timestamp,
    /// What is remembered of each partner.
    pub known: Mutex<BTreeMap<String, ExchangePartner>>,
}

impl Shared {
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub fn partner(&self, id: &str) -> Option<&Arc<Partner>> {
        self.partners.iter().find(|partner| partner.id == id)
    }

    /// Changes what is remembered of a partner; it is written at the next look.
    pub fn remember(&self, partner: &str, change: impl FnOnce(&mut ExchangePartner)) {
        let mut known = self.known.lock();
        let row = known
            .entry(partner.to_owned())
            .or_insert_with(|| ExchangePartner {
                partner: partner.to_owned(),
                ..ExchangePartner::default()
            });
        change(row);
    }

    /// What is remembered of a partner.
    pub fn memory(&self, partner: &str) -> ExchangePartner {
        let found = self.known.lock().get(partner).cloned();
        found.unwrap_or_else(|| ExchangePartner {
            partner: partner.to_owned(),
            ..ExchangePartner::default()
        })
    }
}

/// Opens the door where the settings say so, and begins to ask.
///
/// # Errors
/// Secrets that do not read, and the records' own error.
pub async fn start(app: &App, folder: &Folder, settings: &Settings) -> Result<Vec<JoinHandle<()>>> {
    let own = settings.tcec102.clone();
    if !own.open {
        return Ok(Vec::new());
    }
    let mut partners = Vec::new();
    let mut keys = Vec::new();
    for partner in &own.partner {
        let secrets = keys::of_partner(folder.path(), &partner.secrets_file)?;
        let line = match (partner.url.as_str(), secrets.ask) {
            ("", _) => None,
            (url, Some(ask)) => Some(Line {
                url: Url::parse(url)?,
                caller: tokio::sync::Mutex::new(Caller::new(
                    own.operator_id.clone(),
                    ask,
                    own.limits(),
                )),
            }),
            (_, None) => {
                tracing::warn!(partner = %partner.operator_id, file = %partner.secrets_file, "the partner has an address and gave no secrets (\"ask\"): it is not asked");
                None
            }
        };
        keys.push((partner.operator_id.clone(), partner.role, secrets.door));
        partners.push(Arc::new(Partner {
            id: partner.operator_id.clone(),
            name: partner.name.clone(),
            role: partner.role,
            line,
        }));
    }
    let mut read = app.records.read().await?;
    let known = records::exchange::partners(&mut read).await?;
    drop(read);
    let authorities = match partners.iter().any(|partner| partner.line.is_some()) {
        true => Path::new(&own.authorities),
        // Nobody is asked, so nobody need be believed.
        false => Path::new("/dev/null"),
    };
    let shared = Arc::new(Shared {
        app: app.downgrade(),
        ingest: Arc::clone(&app.ingest),
        records: app.records.clone(),
        area_code: own.area_code(&app.city),
        outgoing: Outgoing::new(own.networks()?, settings::NETWORKS, authorities),
        partners,
        clock: app.clock,
        known: Mutex::new(
            known
                .into_iter()
                .map(|row| (row.partner.clone(), row))
                .collect(),
        ),
        own,
    });
    let door = door::CityDoor::new(Arc::clone(&shared), keys);
    // Set once, here.
    let _ = app.exchange.set(Arc::new(door));
    Ok(asking::start(&shared))
}
