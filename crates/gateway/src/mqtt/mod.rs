//! The MQTT door: MQTT 3.1.1 and 5 over TCP and TLS, on the sessions of `proto-mqtt`.
//!
//! ```text
//! listen ── one task per connection ── session (proto-mqtt) ── Sink::submit → position
//!                    ↑    └ PUBACKs leave in one write when Sink::durable passes the position
//!                    └ seat (what outlives the connection) ← broker: subscriptions, retained, wills
//! ```
//!
//! What it promises: messages of QoS 1 or 2 are acknowledged in order, each only when the sink says that
//! it is durable, and with it what its topic keeps or keeps no more; a message that the sink does not take
//! waits in the socket and is never dropped; one peer's faults, floods and slowness stay its own; every
//! queue has a limit with a name ([`Limits`]).
//!
//! Reading order: [`seam`], [`options`], `listen`, `connection`, `host`, `broker`, `seat`, `retained`,
//! `sign_in`, [`tls`], [`certificate`], [`metrics`].

/// The door's name in the journal.
pub const DOOR: &str = "mqtt";

mod broker;
pub mod certificate;
mod connection;
mod host;
mod inbox;
mod listen;
pub mod metrics;
pub mod options;
mod retained;
pub mod seam;
mod seat;
mod sign_in;
pub mod tls;

pub use certificate::{ServerCertificate, TlsFloor};
pub use listen::{MqttDoor, MqttHandle, settle_retained};
pub use metrics::Metrics;
pub use options::{Limits, MqttOptions, TlsSource};
pub use retained::{VERSION as RETAINED_VERSION, check_retained};
pub use seam::{
    Authenticator, Client, Denied, Incoming, Receipt, Refusal, Said, Seeing, Sight, Sink,
    WriteScope,
};
pub use sign_in::Waiting;
