//! The doors that devices come through: sockets, TLS, timers, limits, backpressure. What a message
//! says, who may send it and where it is kept are for others; a door knows them as the traits of
//! [`mqtt::seam`], [`sl651::seam`] and [`ocpp::seam`].
//!
//! The doors: [`mqtt`], [`sl651`] and [`ocpp`]; what they do alike is `listening`, `counting` and `stations`.

mod counting;
mod listening;
pub mod mqtt;
pub mod ocpp;
pub mod sl651;
mod stations;

pub use listening::StartError;
pub use mqtt::{
    Authenticator, Client, Denied, Incoming, MqttDoor, MqttHandle, MqttOptions, Receipt, Refusal,
    Said, Seeing, Sight, Sink, WriteScope,
};
pub use ocpp::{OcppDoor, OcppHandle, OcppOptions};
pub use sl651::{Sl651Door, Sl651Handle, Sl651Options};
