//! InfluxDB line protocol: `measurement,tag=value field=1.5 1763884800000000000` ⇄ updates of entities,
//! so that existing collectors (Telegraf and its kin) can send. Bytes in, updates and problems out.
//!
//! Reading order: [`config`] (limits, precision, the declared [`LineMapping`]), [`line`] (one line as on
//! the wire), [`map`] (a line as an update).

pub mod config;
mod known;
pub mod line;
pub mod map;

pub use config::{Limits, LineMapping, Precision};
pub use map::{Influx, Outcome};
