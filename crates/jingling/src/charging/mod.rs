//! Joins charging to the city: the writer of bills over the records, the OCPP door, and the way to the stations.
//!
//! Reading order: [`settings`], [`events`] (what a message says of a charge), [`mask`] (cards in messages that are kept), [`door`] (which
//! station it is, and where its messages go), [`way_out`] (what stations are told).

pub mod door;
pub mod events;
pub mod mask;
pub mod settings;
pub mod way_out;

use crate::folder::Folder;
use crate::settings::Settings;
use anyhow::{Context, Result, anyhow};
use api::app::App;
use api::charging_office::Office;
use billing::{Clerk, Desk, Durable};
use gateway::OcppHandle;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Bytes of the key under which cards become pseudonyms.
const CARD_KEY_BYTES: usize = 32;

/// Charging in a city that runs.
pub struct Charging {
    /// The stations' door, where it is open.
    pub door: Option<OcppHandle>,
    desk: Desk,
    writer: JoinHandle<Durable>,
}

/// Starts the writer of bills, and opens the stations' door where the settings say so.
///
/// # Errors
/// A setting, the records' own error, a tariff that nobody here wrote, or an address that cannot be listened on.
pub async fn start(
    app: &App,
    folder: &Folder,
    settings: &Settings,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> Result<Charging> {
    let key = crate::files::key(&folder.charging_key(), CARD_KEY_BYTES)?;
    let own = settings.charging.billing(key);
    let operator = settings.charging.operator.clone();
    let prices = app
        .charging_prices(&operator)
        .await
        .map_err(|error| anyhow!("{}", error.in_words()))?;
    let store = Durable::open(app.records.clone(), &own)
        .await
        .context("opening the books of charging")?;
    let (desk, clerk) = Clerk::new(store, own.clone(), prices);
    let writer = tokio::spawn(clerk.run());
    let door = door::start(app, settings, &desk, tls).await?;
    let office = Office {
        desk: desk.clone(),
        settings: own,
        operator,
        unknown_cards: settings.charging.unknown_cards()?,
        supervision: settings.charging.supervision()?,
        stations: door.as_ref().map(way_out::stations),
    };
    // Set once, here.
    let _ = app.charging.set(office);
    Ok(Charging { door, desk, writer })
}

impl Charging {
    /// The addresses where stations come in, by name.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let door = self.door.as_ref();
        let plain = door.and_then(|door| door.addresses().first().copied());
        let secured = door.and_then(|door| door.addresses_tls().first().copied());
        let named = [("ocpp", plain), ("ocpps", secured)];
        named
            .into_iter()
            .filter_map(|(name, address)| Some((name, address?)))
    }

    /// Lets time pass for bills: those that wait are looked at, prices follow who operates which station, and what was told of bills
    /// long paid is given up.
    pub fn timer(&self, app: &App, settings: &Settings) -> JoinHandle<()> {
        let (app, desk) = (app.downgrade(), self.desk.clone());
        let own = settings.charging.clone();
        tokio::spawn(async move {
            let mut ticker = tokio::time::interval(Duration::from_secs(own.look_seconds.max(1)));
            ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut rounds: u64 = 0;
            loop {
                ticker.tick().await;
                let Some(app) = app.upgrade() else { return };
                let round = settings::Round::new(rounds, &own);
                rounds += 1;
                if let Err(told) = look(&app, &desk, &own, round).await {
                    tracing::error!(%told, "bills of charging could not be looked at; it is tried again");
                }
            }
        })
    }

    /// Closes the door.
    pub async fn close_door(&self) {
        if let Some(door) = &self.door {
            door.shutdown().await;
        }
    }

    /// Ends the writer, after everybody who could ask it anything.
    pub fn end(self) {
        self.writer.abort();
    }
}

async fn look(
    app: &App,
    desk: &Desk,
    own: &settings::ChargingSettings,
    round: settings::Round,
) -> Result<(), model::Told> {
    let now = app.now();
    if round.is_for_prices {
        let prices = app.charging_prices(&own.operator).await;
        desk.prices(prices.map_err(|error| error.in_both())?)
            .await?;
    }
    desk.pass(now).await?;
    if round.is_for_old {
        desk.forget(now.plus_seconds(-own.readings_keep_days * 86_400))
            .await?;
    }
    Ok(())
}
