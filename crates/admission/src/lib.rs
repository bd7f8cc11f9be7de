//! The one way into the city: what a door understood is checked against what is declared
//! ([`admit`]), written to the journal ([`Ingest::submit`]), and may be acknowledged once the
//! journal says that its position is durable. What is refused is written too, whole, as a dead letter.

mod check;
mod duplicates;
mod ingest;
mod recent;
mod seal;

pub use check::{Limits, admit};
pub use ingest::{Counters, Incoming, Ingest, Receipt, Refusal, Scope};
pub use recent::Recent;
