//! The mathematics of the water pack (水利): rain over an area, runoff, routing, rating curves, calibration, correction and forecasts
//! with an interval. Pure functions: no clock, no file, no chance but from a seed. The same input gives the same answer, bit for bit,
//! on every machine whose floating point is IEEE 754: powers, exponentials and logarithms are reckoned in [`math`].
//!
//! Reading order: [`muskingum`], [`muskingum_cunge`], [`areal`], [`xinanjiang`] with [`snow`] before it, [`skill`], [`sceua`],
//! [`correction`], [`forecast`], [`corresponding_stage`], [`routed_flow`], [`rating`], [`reservoir`],
//! [`polder`], [`joint_dispatch`]; [`engines()`] offers them over tables. What each is for, with
//! references: docs/water-forecast.md.

pub mod areal;
pub mod correction;
pub mod corresponding_stage;
mod engines;
pub mod forecast;
pub mod joint_dispatch;
pub mod math;
pub mod muskingum;
pub mod muskingum_cunge;
pub mod polder;
pub mod rating;
pub mod reservoir;
pub mod routed_flow;
pub mod sceua;
pub mod skill;
pub mod snow;
pub mod xinanjiang;
pub use engines::engines;
