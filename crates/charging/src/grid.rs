//! From a share of a transformer to what its stations are told: limits as plain data, which a protocol's crate puts into its own words.
//!
//! Two limits are kept in each station, after OCPP 1.6 section 3.13 and 2.0.1 block K:
//!
//! | what | where | stack level | holds | so that |
//! | --- | --- | --- | --- | --- |
//! | [`Purpose::Default`] (`TxDefaultProfile`) | each outlet | 0 | for ever | a vehicle that comes, and one whose station lost the centre, takes no more than the static share |
//! | [`Purpose::Transaction`] (`TxProfile`) | the outlet, its transaction | 1 | [`VALID_SECONDS`] from when it was told | what was shared out holds, and ends by itself when the centre is silent |
//!
//! A profile of a transaction overrules the default (1.6, 3.13.1; 2.0.1, K01), and when it ends the default holds again. Limits are in W as a whole
//! (`chargingRateUnit` W); for stations that only take amperes [`deci_amperes`] tells the same per phase, rounded down. What is told anew has the same
//! id and level, so that it takes the place of what was told before (1.6, 5.16; 2.0.1, K01).
//!
//! Between a start and the first limit of its own a vehicle has its static share: by so much, for so long as a round takes, what all take may be above what was
//! shared out. [`statics`] shares the static power over *all* outlets, vehicle or not, so that even with the centre gone for good the sum fits.

use crate::share::{Order, Outlet, Standing, Steering, Transformer, share};
use model::Timestamp;
use serde::{Deserialize, Serialize};

/// How long what is told of a transaction holds, seconds: longer than [`Steering::refresh_seconds`], so that it is told anew before.
pub const VALID_SECONDS: i64 = 900;
/// Id of the default of outlet 0; that of outlet N is N more. Ids are unique in a station (1.6, 7.8).
pub const DEFAULT_ID: i64 = 10_000;
/// Id of the limit of a transaction at outlet 0; that of outlet N is N more.
pub const TRANSACTION_ID: i64 = 20_000;

/// Id of the limit of a station as a whole.
pub const STATION_ID: i64 = 30_000;

/// What a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Every transaction of the outlet that has no limit of its own (`TxDefaultProfile`).
    Default,
    /// One transaction (`TxProfile`).
    Transaction,
    /// The station as a whole (`ChargePointMaxProfile`, `ChargingStationMaxProfile`): what a person told it.
    Station,
}

/// A limit that a station is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Its id, unique in the station.
    pub id: i64,
    /// What for.
    pub purpose: Purpose,
    /// The outlet, from 1; 0 for the station.
    pub outlet: u32,
    /// The transaction, as the station calls it.
    pub transaction: Option<String>,
    /// Of several of one purpose the highest holds.
    pub stack_level: i64,
    /// The most power, W; 0: no charging.
    pub limit_w: i64,
    /// Over how many phases; `None`: as the station does.
    pub phases: Option<u8>,
    /// From when on.
    pub valid_from: Timestamp,
    /// Until when; `None`: until it is told otherwise.
    pub valid_to: Option<Timestamp>,
}

/// Where a vehicle charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// The outlet, from 1.
    pub outlet: u32,
    /// The transaction, as the station calls it.
    pub transaction: String,
    /// Over how many phases it charges, where that is known.
    pub phases: Option<u8>,
}

/// The limit by which an order is told.
pub fn of_transaction(order: &Order, at: &At, now: Timestamp) -> Limit {
    Limit {
        id: TRANSACTION_ID + i64::from(at.outlet),
        purpose: Purpose::Transaction,
        outlet: at.outlet,
        transaction: Some(at.transaction.clone()),
        stack_level: 1,
        limit_w: order.limit_w,
        phases: at.phases,
        valid_from: now,
        valid_to: Some(now.plus_seconds(VALID_SECONDS)),
    }
}

/// The limit by which an outlet's static share is told.
pub const fn of_static(outlet: u32, limit_w: i64, now: Timestamp) -> Limit {
    Limit {
        id: DEFAULT_ID + outlet as i64,
        purpose: Purpose::Default,
        outlet,
        transaction: None,
        stack_level: 0,
        limit_w,
        phases: None,
        valid_from: now,
        valid_to: None,
    }
}

/// The limit by which a person bounds a station as a whole, until then.
pub const fn of_station(limit_w: i64, now: Timestamp, until: Timestamp) -> Limit {
    Limit {
        id: STATION_ID,
        purpose: Purpose::Station,
        outlet: 0,
        transaction: None,
        stack_level: 0,
        limit_w,
        phases: None,
        valid_from: now,
        valid_to: Some(until),
    }
}

/// What a station that is out of reach lets an outlet take at a moment, W: what it was told until that ends, the static share from then on; the larger of both
/// while it is not sure which.
pub fn without_us(standing: &Standing, static_w: i64, now: Timestamp) -> i64 {
    let ends = standing.told_at.plus_seconds(VALID_SECONDS);
    if now < ends {
        standing.held_w.max(static_w)
    } else {
        static_w
    }
}

/// The static share of every outlet of a transformer, W, in their order: fair as any share; where it does not do for all, those of the highest weight and first
/// id have theirs, and vehicles at the others wait for the centre. Vehicles, and what was told, do not count.
pub fn statics(transformer: &Transformer, steering: &Steering, outlets: &[Outlet]) -> Vec<i64> {
    let came = Timestamp::from_micros(0);
    let bare: Vec<Outlet> = outlets
        .iter()
        .map(|outlet| Outlet {
            drawn: None,
            is_reachable: true,
            standing: Standing::new(0, came),
            ..outlet.clone()
        })
        .collect();
    let shared = share(transformer, steering, None, &bare, came);
    shared.given.iter().map(|given| given.limit_w).collect()
}

/// The same limit for each phase, in tenths of an ampere, rounded down; 0 without phases or voltage. `volts` is between phase and neutral: 220 (GB/T 156).
pub const fn deci_amperes(limit_w: i64, phases: u8, volts: i64) -> i64 {
    let of_all = phases as i64 * volts;
    if of_all <= 0 {
        0
    } else {
        limit_w.saturating_mul(10) / of_all
    }
}
