//! OCPP 1.6J and 2.0.1 (Open Charge Point Protocol) as a centre (CSMS) speaks it, on a page: WebSocket messages become frames
//! ([`frame`]), payloads are checked against tables of the standard ([`schema`]) and read into one shape for both versions
//! ([`message`], by [`decode`]), one link is a state machine without I/O ([`session`]), and what a station says of the city is [`map`].
//!
//! Reading order: [`message`] (what is said, with doubts beside it), [`meter`] (exact readings), [`frame`], [`schema`], [`decode`],
//! [`command`] and [`encode`] (what stations are told), [`session`] with [`asking`] (our questions) and [`book`] (what is
//! remembered of a station), [`handshake`] (what is decided before the first message), [`map`], [`config`] (every limit), [`error`].
//!
//! *Acknowledged means durable*: a CALL is answered when the host has acknowledged its event, and not before.

pub mod asking;
pub mod book;
pub mod command;
pub mod config;
pub mod decode;
pub mod encode;
pub mod error;
pub mod frame;
pub mod handshake;
pub mod map;
pub mod message;
pub mod meter;
pub mod schema;
pub mod session;
pub mod time;

pub use book::Book;
pub use command::Command;
pub use config::{Config, Version};
pub use error::ErrorCode;
pub use message::{Doubt, Event, Token, What};
pub use session::{Answer, Now, Output, Session, Standing};
