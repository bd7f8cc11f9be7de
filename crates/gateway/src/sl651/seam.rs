//! What the door needs of the rest of the platform: a [`Directory`] of stations and a [`Sink`] for messages. The binary
//! implements both.

use crate::mqtt::{Receipt, Refusal};
pub use crate::stations::{Known, Unknown};
use futures::future::BoxFuture;
use model::{Problem, Timestamp};
use proto_sl651::{Message, Station};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Which stations there are.
pub trait Directory: Send + Sync {
    /// Finds a station. `password`: what the head of its message says; `None` for a station that a relay speaks for.
    fn find(
        &self,
        station: Station,
        password: Option<u16>,
    ) -> BoxFuture<'_, Result<Known, Unknown>>;
}

/// A message that was read, of a station that is known.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Who sent it; `None` when that is not known or not believed.
    pub sender: Option<&'a Known>,
    /// Station and function: `0011223344/32`; empty when that could not be read.
    pub address: &'a str,
    /// The bytes of all its frames, as they came; of what is too large, the front.
    pub raw: &'a [u8],
    /// When it came.
    pub received_at: Timestamp,
}

/// Where messages go. Called from many tasks at once; must not block.
pub trait Sink: Send + Sync {
    /// Takes a message and gives it a position at once. `stations` are those that it speaks of and that are known.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn submit(
        &self,
        incoming: Incoming<'_>,
        message: &Message,
        warnings: &[Problem],
        stations: &HashMap<Station, Arc<Known>>,
    ) -> Result<Receipt, Refusal>;

    /// Keeps what the door refused as a dead letter. `size_bytes` is the size of all of it, of which `incoming.raw` may be
    /// only the front.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn reject(
        &self,
        incoming: Incoming<'_>,
        size_bytes: u64,
        problem: Problem,
    ) -> Result<u64, Refusal>;

    /// The durable position: everything below it is on disk.
    fn durable(&self) -> watch::Receiver<u64>;

    /// A station came on a link or left it.
    fn presence(&self, station: &Known, online: bool, at: Timestamp);
}
