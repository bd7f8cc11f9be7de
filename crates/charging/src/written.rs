//! A tariff as people write it, in TOML: versions with their days of validity, and in each of them plans of a day by months and kinds
//! of days. [`crate::tariff::Tariff::new`] checks it.
//!
//! ```toml
//! id = "station-tou"
//! title_zh = "公共充电站分时电价"
//! title_en = "Time-of-use tariff of public stations"
//! change = "at-use"                # or "at-start": the version of the start holds for the whole charge
//!
//! [[versions]]
//! id = "2026"
//! first = "2026-01-01"             # the first day
//! last = "2026-12-31"              # the last day, left out: until further notice
//! source = "鄂发改价管〔2024〕77号"
//! [versions.prices]                # yuan per kWh, as texts; energy (电费) and service (服务费)
//! flat = { energy = "0.6000", service = "0.4500" }
//! valley = { energy = "0.2700", service = "0.4500" }
//! [[versions.days]]                # the first that fits a day holds; together they fit every day
//! months = [7, 8]                  # left out: all
//! kinds = ["workday"]              # left out: all
//! hours = ["00:00-06:00 valley", "06:00-24:00 flat"]
//! [versions.parking]               # 停车费
//! free_minutes = 120
//! unit_minutes = 30
//! fen_per_unit = 150
//! day_cap_fen = 1500
//! [versions.idle]                  # 占位费
//! free_minutes = 15
//! unit_minutes = 1
//! fen_per_unit = 50
//! hours = ["07:00-23:00"]          # left out: all day
//! cap_fen = 3000
//! ```

use crate::days::DayKind;
use crate::tariff::PeriodKind;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// A tariff as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Its name.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// What a change of the price in the middle of a charge does.
    #[serde(default)]
    pub change: Change,
    /// Its versions, in any order.
    pub versions: Vec<WrittenVersion>,
}

/// Which version's prices hold for a charge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// That of the moment of use: a charge over a change is split there.
    #[default]
    AtUse,
    /// That of the day on which the charge began, to its end.
    AtStart,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenVersion {
    /// Its name within the tariff.
    pub id: String,
    /// The first day on which it holds.
    pub first: Date,
    /// The last day; until further notice when left out.
    #[serde(default)]
    pub last: Option<Date>,
    /// Who decided it, with the number of the document.
    #[serde(default)]
    pub source: String,
    /// Prices by period.
    #[serde(default)]
    pub prices: BTreeMap<PeriodKind, WrittenPrice>,
    /// Plans of a day; the first that fits holds.
    pub days: Vec<WrittenDays>,
    /// Parking fee (停车费), from arriving to leaving.
    #[serde(default)]
    pub parking: Option<WrittenFee>,
    /// Occupancy fee (占位费), from the end of charging to leaving.
    #[serde(default)]
    pub idle: Option<WrittenFee>,
}

/// The two prices of a period, yuan per kWh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenPrice {
    /// Energy (电费).
    pub energy: String,
    /// Service (服务费).
    #[serde(default = "zero")]
    pub service: String,
}

fn zero() -> String {
    "0".to_owned()
}

/// A plan of a day, and for which days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenDays {
    /// Months, 1 to 12; all when empty.
    #[serde(default)]
    pub months: Vec<u8>,
    /// Kinds of days; all when empty.
    #[serde(default)]
    pub kinds: Vec<DayKind>,
    /// `HH:MM-HH:MM period`, together the whole day, the last until 24:00.
    pub hours: Vec<String>,
    /// Prices of these days that differ from the version's.
    #[serde(default)]
    pub prices: BTreeMap<PeriodKind, WrittenPrice>,
}

/// A fee by time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenFee {
    /// Minutes that cost nothing, from the beginning on.
    #[serde(default)]
    pub free_minutes: u32,
    /// How long a unit is; one that has begun counts whole.
    pub unit_minutes: u32,
    /// What a unit costs.
    pub fen_per_unit: i64,
    /// Hours of the day in which time counts; all when empty.
    #[serde(default)]
    pub hours: Vec<String>,
    /// Most for units that begin on one day.
    #[serde(default)]
    pub day_cap_fen: Option<i64>,
    /// Most for one charge.
    #[serde(default)]
    pub cap_fen: Option<i64>,
}

/// `HH:MM-HH:MM` as minutes of the day, the earlier first, up to 24:00.
pub(crate) fn hours(text: &str) -> Option<(u16, u16)> {
    let (from, until) = text.split_once('-')?;
    let (from, until) = (minute(from)?, minute(until)?);
    (from < until).then_some((from, until))
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let read = |text: &str| {
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u16>().ok())?
    };
    let (hour, minute) = (read(hour)?, read(minute)?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY_MINUTES).then_some(all)
}
