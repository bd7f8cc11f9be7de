//! Joins charging to the city: the writer of bills over the records, the OCPP door, the way to the stations, and what drivers order and pay.
//!
//! Reading order: [`settings`], [`events`] (what a message says of a charge), [`mask`] (cards in messages that are kept), [`door`] (which
//! station it is, and where its messages go), [`reports`] (settings that come in parts), [`way_out`] (what stations are told).

pub mod door;
pub mod events;
pub mod mask;
pub mod reports;
pub mod settings;
pub mod way_out;

use crate::folder::Folder;
use crate::settings::Settings;
use anyhow::{Context, Result, anyhow};
use api::app::App;
use api::charging_office::{Driving, Office};
use billing::{Cashier, Clerk, Desk, Durable, Play};
use charging::Fen;
use futures::future::FutureExt;
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
    /// The writer of reservations, where drivers order charges.
    bookings: Option<JoinHandle<()>>,
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
    let reports = Arc::default();
    let door = door::start(app, settings, &desk, &reports, tls).await?;
    let wait = Duration::from_secs(settings.ocpp.order_seconds_max);
    let (driving, bookings) = driving(app, settings)?;
    let office = Office {
        driving,
        grid: settings.charging.grid(),
        desk: desk.clone(),
        settings: own,
        operator,
        shares: settings.charging.shares(),
        unknown_cards: settings.charging.unknown_cards()?,
        supervision: settings.charging.supervision()?,
        stations: door
            .as_ref()
            .map(|door| way_out::stations(door, Arc::clone(&reports), wait)),
    };
    // Set once, here.
    let _ = app.charging.set(office);
    Ok(Charging {
        door,
        desk,
        writer,
        bookings,
    })
}

/// Charging by drivers, where a payment provider is set, and the writer of their reservations.
fn driving(app: &App, settings: &Settings) -> Result<(Option<Driving>, Option<JoinHandle<()>>)> {
    let own = &settings.charging;
    if !own.pays()? {
        return Ok((None, None));
    }
    let records = app.records.clone();
    let till = Play::new(records.clone(), Fen(own.sandbox_funds_fen));
    let store = bookings::Durable::new(records.clone());
    let (window, clerk) = bookings::Clerk::new(store, bookings::Limits::default());
    let driving = Driving {
        cashier: Cashier::new(records, Arc::new(till)),
        hold: Fen(own.hold_fen),
        start_wait_s: own.start_wait_seconds,
        answer_wait_s: i64::try_from(settings.ocpp.order_seconds_max).unwrap_or(i64::MAX),
        orders_max: own.orders_per_person_max,
        window,
        reserve: own.reserve(),
        round_max: own.look_sessions_max,
        keeping: Arc::default(),
    };
    Ok((Some(driving), Some(tokio::spawn(clerk.run()))))
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

    /// Tells stations what they may take and which outlets they keep free. Of its own, because stations take their time to answer; none
    /// while their door is closed or it is switched off.
    pub fn grid_timer(&self, app: &App, settings: &Settings) -> Option<JoinHandle<()>> {
        let every = settings.charging.grid_seconds;
        if every == 0 || self.door.is_none() {
            return None;
        }
        let app = app.downgrade();
        Some(tokio::spawn(async move {
            let mut ticker = tokio::time::interval(Duration::from_secs(every));
            ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticker.tick().await;
                let Some(app) = app.upgrade() else { return };
                let shared = app.charging_share_round().boxed().await;
                let kept = app.charging_keep_round().boxed().await;
                for told in [shared, kept].into_iter().filter_map(Result::err) {
                    let why = told.in_words();
                    tracing::error!(%why, "stations could not be told what they may take; it is tried again");
                }
            }
        }))
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
        if let Some(bookings) = &self.bookings {
            bookings.abort();
        }
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
    (app.charging_round().await).map_err(|error| error.in_both())?;
    if round.is_for_old {
        desk.forget(now.plus_seconds(-own.readings_keep_days * 86_400))
            .await?;
    }
    Ok(())
}
