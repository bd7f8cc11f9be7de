//! NGSI-LD (ETSI GS CIM 009): its payloads and its language. Bytes in, values and problems out; no socket, no clock, no store.
//!
//! Two readings of the same JSON. *Payloads* are what devices send: short names, the latest value, become updates of entities at once.
//! The *language* is what the API speaks: full names by the request's context, every kind of attribute, everything that the standard
//! asks about entities and does to them.
//!
//! Reading order: [`config`] (the limits), [`json`] (text ⇄ a borrowed tree). Payloads: [`decode`] (tree ⇄ entities), `attribute` (one
//! attribute in any of its forms), [`encode`] (entities and answers as JSON). Language: [`refusal`] (its errors), [`words`] (names, URIs,
//! times), [`context`] (names ⇄ IRIs), [`entity`] (what an entity is), [`expand`] (JSON → entity), [`compact`] (entity → JSON in all
//! representations), [`query`] (what is asked), [`patch`] (what is changed).

mod attribute;
pub mod compact;
pub mod config;
pub mod context;
pub mod decode;
pub mod encode;
pub mod entity;
pub mod expand;
pub mod json;
pub mod patch;
pub mod query;
pub mod refusal;
pub mod words;

pub use config::Limits;
pub use decode::{EntityOutcome, NgsiLd};

/// Text that takes an attribute away (clause 4.5.0).
pub const NULL_URN: &str = "urn:ngsi-ld:null";
