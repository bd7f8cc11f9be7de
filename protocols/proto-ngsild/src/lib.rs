//! NGSI-LD payloads (ETSI GS CIM 009): JSON ⇄ updates of entities. Bytes in, updates and problems out;
//! no socket, no clock, no store.
//!
//! Reading order: [`config`] (the limits), [`json`] (text ⇄ a borrowed tree), [`decode`] (tree ⇄
//! entities), `attribute` (one attribute in any of its forms), [`encode`] (entities and answers as JSON).

mod attribute;
pub mod config;
pub mod decode;
pub mod encode;
pub mod json;

pub use config::Limits;
pub use decode::{EntityOutcome, NgsiLd};

/// Text that takes an attribute away (clause 4.5.0).
pub const NULL_URN: &str = "urn:ngsi-ld:null";
