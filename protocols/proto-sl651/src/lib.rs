//! SL 651-2014 水文监测数据通信规约 (hydrological telemetry) as a centre station (中心站) speaks it, on a page: bytes become
//! frames ([`frame`]), the bodies of whole messages become [`message::Message`]s ([`decode`]) made of elements with units
//! ([`element`]), one link is a state machine without I/O ([`session`]), and what a message says of the city is [`map`].
//!
//! Reading order: [`message`] (what is on the wire), [`frame`], [`element`], [`decode`], [`ascii`], [`encode`], [`session`],
//! [`assembly`] (messages of several packets), [`repeated`] (messages that come again), [`map`], [`told`] (a message as JSON), [`lines`] (frames in a file),
//! [`config`] (every limit), [`error`].
//!
//! No crate reads this protocol, so all of it is ours. Clause and table numbers are those of SL 651-2014.

pub mod ascii;
pub mod assembly;
pub mod config;
pub mod decode;
pub mod element;
pub mod encode;
pub mod error;
pub mod frame;
pub mod lines;
pub mod map;
pub mod message;
pub mod repeated;
pub mod session;
pub mod table;
pub mod time;
pub mod told;

pub use config::Config;
pub use frame::{Direction, Encoding, Frame, Part, Station};
pub use lines::Lines;
pub use message::{Body, Command, Message};
pub use session::{Event, Received, Session};
