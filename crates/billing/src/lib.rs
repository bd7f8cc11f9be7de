//! From what stations tell to a bill that is entered once (充电计费): one writer takes events of many stations in one transaction, folds
//! them into sessions, bills what has ended, and enters what is due. What comes after the bill changes no bill that was charged: it
//! is kept beside it as a correction for a person. Cards are kept as pseudonyms only.
//!
//! The writer works over a [`Store`], which keeps a batch whole or not at all; [`Memory`] is one for tests and small uses. Time comes
//! with every call.
//!
//! Reading order: [`settings`] (limits), [`prices`] (which tariff and operator a station has), [`store`] (what is kept), [`reckon`] (what
//! becomes of a session), [`clerk`] (the one writer), [`memory`], [`durable`] (over the city's records); then [`cashier`] (payments and refunds),
//! [`play`] (a provider that moves no money).

pub mod cashier;
pub mod clerk;
pub mod durable;
pub mod memory;
pub mod play;
pub mod prices;
pub mod reckon;
pub mod settings;
pub mod store;

pub use cashier::{Cashier, Till};
pub use clerk::{Clerk, Desk};
pub use durable::Durable;
pub use memory::Memory;
pub use play::Play;
pub use prices::{Dated, Prices};
pub use settings::Settings;
pub use store::{Change, Kept, KeptBill, Span, State, Store};
