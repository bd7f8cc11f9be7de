//! T/CEC 102-2016 (电动汽车充换电服务信息交换), the exchange between charging operators (运营商) and the platforms that supervise them (监管
//! 平台) or sell for them: sealed JSON over HTTPS, each side server and client. Here is everything but HTTP: the envelope, the bodies,
//! [`Door`] that answers a partner, and [`Caller`] that asks one. Time and random bytes are arguments.
//!
//! Reading order: [`config`] (limits, keys, partners), [`seal`] (AES and HMAC), [`envelope`] (what is posted and what comes back),
//! [`number`] and [`time`] (values as the standard writes them), [`message`] (the bodies), [`call`] (which interface has which),
//! [`error`] (what is answered to what is wrong), [`door`], [`caller`]; then what it says of the city: [`map`] and [`order`] from a partner, [`city`]
//! to one, [`gcj`] between their coordinates and ours.

pub mod call;
pub mod caller;
pub mod city;
pub mod config;
pub mod door;
pub mod envelope;
pub mod error;
pub mod gcj;
pub mod map;
pub mod message;
pub mod number;
pub mod order;
pub mod seal;
pub mod time;

pub use call::{Call, Reply};
pub use caller::{Caller, Heard, Outgoing};
pub use config::{Keys, Limits, Partner, Role};
pub use door::{Asked, Door, Received};
pub use envelope::{AnswerEnvelope, Envelope};
pub use error::{Fault, Ret};
pub use number::Fixed;
pub use order::SettledOrder;
