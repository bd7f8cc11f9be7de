//! SenML JSON payloads (RFC 8428): packs of sensor records ⇄ updates of entities. Bytes in, updates and
//! problems out; no socket, no clock, no store.
//!
//! Reading order: [`config`] (the limits), [`message`] (one record as on the wire), [`resolve`] (base
//! fields applied, clause 4.6), [`map`] (a resolved record as an attribute of an entity).

pub mod config;
pub mod map;
pub mod message;
pub mod resolve;

pub use config::Limits;
pub use map::SenMl;
