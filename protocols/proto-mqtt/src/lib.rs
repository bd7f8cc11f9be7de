//! MQTT 3.1.1 and 5 as a server speaks it, on a page: bytes become [`message::Packet`]s
//! ([`frame`], [`decode`]), one connection is a state machine without I/O ([`session`]), what
//! outlives a connection is [`memory`], and who hears what is [`topic`].
//!
//! Reading order: [`message`] (what is on the wire), [`frame`], [`decode`], [`encode`], [`session`],
//! [`memory`], [`topic`], [`config`] (every limit), [`error`] (reason codes and faults).
//!
//! The rare packets (CONNECT, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, CONNACK) go through the codec crate
//! `mqtt-proto`. PUBLISH and the acknowledgements are read and written by hand: the crate copies
//! topic and payload of every PUBLISH, and this is the one place where that would be felt.
//!
//! There is no `map.rs`: what a payload says is the business of the payload formats, which do not
//! know that MQTT exists.

pub mod config;
pub mod decode;
pub mod encode;
pub mod error;
pub mod frame;
pub mod memory;
pub mod message;
pub mod session;
pub mod topic;

pub use config::Config;
pub use error::{Fault, Reason};
pub use memory::{Delivery, Memory, Message, Pushed};
pub use message::{Connect, Packet, Publish, Qos, Subscribe, Unsubscribe, Version, Will};
pub use session::{Event, Session, Step, Welcome};
