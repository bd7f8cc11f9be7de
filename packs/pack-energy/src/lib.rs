//! The mathematics of the energy pack (智慧节能): the load of the hours ahead, of a transformer, a building or all charging. Pure functions: no
//! clock, no file, no chance. Nothing but `+ - × ÷` and order is reckoned with, so the same input gives the same answer on every machine
//! whose floating point is IEEE 754.
//!
//! Reading order: [`load`] (the method and how it is judged), then [`engines()`], which offers it over tables. Formulas, references and how good
//! it was: docs/energy.md.

mod engines;
pub mod load;

pub use engines::engines;
