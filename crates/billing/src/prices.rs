//! Which tariff and which operator (运营商) a station has at a time.

use charging::{Days, Tariff};
use model::Timestamp;
use std::collections::BTreeMap;

/// A tariff as it was put in force. It is never changed: a bill names its number.
#[derive(Clone, Debug)]
pub struct Dated {
    /// Its number.
    pub number: i64,
    /// The station that it is for; all that have none of their own, where there is none.
    pub station: Option<String>,
    /// From when it holds, for charges that begin then or later.
    pub from: Timestamp,
    /// The tariff.
    pub tariff: Tariff,
}

/// Everything that has a say in a price.
#[derive(Clone, Debug)]
pub struct Prices {
    /// The tariffs, in any order.
    pub tariffs: Vec<Dated>,
    /// The operator of each station.
    pub operators: BTreeMap<String, String>,
    /// The operator of stations that have none there.
    pub operator: String,
    /// The city's days and zone.
    pub days: Days,
}

impl Prices {
    /// The tariff of a station for a charge that begins at `at`: the newest of its own that holds by then, else the newest of all
    /// stations; of two of one moment, the one with the higher number.
    pub fn tariff(&self, station: &str, at: Timestamp) -> Option<&Dated> {
        self.tariffs
            .iter()
            .filter(|dated| dated.from <= at)
            .filter(|dated| dated.station.as_deref().is_none_or(|own| own == station))
            .max_by_key(|dated| (dated.station.is_some(), dated.from, dated.number))
    }

    /// The operator of a station.
    pub fn operator(&self, station: &str) -> &str {
        self.operators
            .get(station)
            .map_or(self.operator.as_str(), String::as_str)
    }
}
