//! The doors that devices come through: sockets, TLS, timers, limits, backpressure. What a message
//! says, who may send it and where it is kept are for others; a door knows them as the traits of
//! [`mqtt::seam`].
//!
//! One door so far: [`mqtt`].

pub mod mqtt;

pub use mqtt::{
    Authenticator, Client, Denied, Incoming, MqttDoor, MqttHandle, MqttOptions, Receipt, Refusal,
    Said, Seeing, Sight, Sink, WriteScope,
};
