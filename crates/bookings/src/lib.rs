//! Bookings (预约) without overselling: resources with places by slot or units by interval, hold → confirm → use, holds that end,
//! waiting lists that move up, limits of a person, quotas of classes; and queues of tickets (排队取号). What is reserved is data: a
//! charging station, a museum's hour, a doctor's morning.
//!
//! The rules are pure: time is an argument, nothing is read or written. Everything live lies in memory ([`Book`]), of one writer; a
//! batch of requests is decided there, its rows are written in one transaction, and only then is anybody answered. So the rate is
//! that of the disk's syncs times the batch, and an answer that somebody has is on disk.
//!
//! Reading order: [`resource`] (what can be booked), [`reservation`] (states and steps), [`queue`] (tickets), [`request`] (what is
//! asked and answered), [`refusal`] (why not), [`book`] (what is taken), [`desk`] (a batch, keys), [`store`] (where rows go),
//! [`durable`] (over the records), [`clerk`] (the one writer).

mod act;
pub mod book;
pub mod clerk;
pub mod desk;
pub mod durable;
pub mod limits;
mod line;
mod naming;
mod passing;
pub mod queue;
pub mod refusal;
pub mod request;
pub mod reservation;
pub mod resource;
pub mod store;

pub use book::Book;
pub use clerk::{Clerk, Window};
pub use desk::{Decided, Desk};
pub use durable::Durable;
pub use limits::Limits;
pub use queue::{QueueRules, Ticket, TicketState};
pub use refusal::{Kind, Refusal};
pub use request::{Answer, By, Command, Request, When};
pub use reservation::{Reservation, State};
pub use resource::{Offer, Policy, Quota, Resource, Slot};
pub use store::{Change, Kept, Known, Needs, Step, Store};
