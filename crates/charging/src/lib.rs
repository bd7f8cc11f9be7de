//! Sessions and money of charging (充电订单与结算): what stations tell becomes sessions, each once; a session under a tariff becomes a
//! bill in whole fen with every line explained; bills, payments and refunds become entries of a ledger in which nothing stands
//! twice. Pure: time, randomness, the calendar with its zone, and the store come with the call.
//!
//! ```text
//! event ─▶ session ─▶ bill ─▶ collect ─▶ pay (provider)      invoice
//!                ▲       ▲        └────▶ ledger ─▶ settle, reconcile
//!              days ─▶ tariff
//! ```
//!
//! Reading order: [`money`] (fen, watt-hours, prices), [`event`] and [`session`] (what was charged, and what of it is doubtful),
//! [`days`], [`written`] and [`tariff`] (prices by period, 分时电价), [`split`] (energy over periods), [`fee`] (parking and
//! occupancy), [`bill`], [`ledger`] and [`books`] (double entry, and what a store must promise), [`pay`], [`sandbox`] and
//! [`collect`] (payment), [`settle`], [`reconcile`], [`invoice`], [`supervision`] (what a regulator counts). Beside the money: [`share`]
//! (the power of a transformer among the vehicles) and [`grid`] (what stations are told of it).

pub mod bill;
pub mod books;
pub mod collect;
pub mod days;
pub mod event;
pub mod fee;
pub mod grid;
pub mod invoice;
pub mod ledger;
pub mod money;
pub mod other;
pub mod pay;
pub mod reconcile;
pub mod sandbox;
pub mod session;
pub mod settle;
pub mod share;
pub mod split;
pub mod supervision;
pub mod tariff;
pub mod written;

pub use bill::{Bill, Line, LineKind, Standing, bill};
pub use books::{Books, Memory};
pub use collect::{Collection, Step};
pub use days::{DayKind, Days};
pub use event::{Event, EventKind, SessionKey};
pub use ledger::{Account, Entry, EntryKind, Posted, Posting};
pub use money::{Fen, Price, Wh};
pub use session::{Doubt, DoubtKind, Limits, Session, Sessions};
pub use tariff::{PeriodKind, Tariff};
