//! What the door needs of the rest of the platform: a [`Directory`] of stations and a [`Sink`] for what they say. The binary
//! implements both.

use crate::mqtt::Refusal;
pub use crate::stations::{Known, Unknown};
use futures::future::BoxFuture;
use model::Timestamp;
use proto_ocpp::{Answer, Event, Version};
use std::net::SocketAddr;
use std::sync::Arc;

/// What a station shows of itself beside its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown<'a> {
    /// A password (security profiles 1 and 2). Bytes: stations of 1.6 may send binary keys.
    Password(&'a [u8]),
    /// A certificate, DER, whose key it has proved to hold (security profile 3).
    Certificate(&'a [u8]),
}

/// Which stations there are.
pub trait Directory: Send + Sync {
    /// Finds a station by its identity and what it shows.
    fn find<'a>(
        &'a self,
        identity: &'a str,
        shown: Shown<'a>,
    ) -> BoxFuture<'a, Result<Known, Unknown>>;
}

/// Whose link it is.
#[derive(Clone, Debug)]
pub struct Link {
    /// The station's identity, the last part of the address that it came to.
    pub identity: String,
    /// The station.
    pub known: Arc<Known>,
    /// The version spoken.
    pub version: Version,
    /// Its address.
    pub peer: SocketAddr,
}

/// Where what stations say goes. Called from many tasks at once, of one link one after the other.
pub trait Sink: Send + Sync {
    /// Makes what happened durable and says what it is answered with; of what needs no answer, the answer is let go. A
    /// [`proto_ocpp::What::Broken`] is a message to be kept as a dead letter.
    ///
    /// # Errors
    /// See [`Refusal`]: it is asked again, and the station is not answered before.
    fn take<'a>(
        &'a self,
        link: &'a Link,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<Answer, Refusal>>;

    /// A station came or left.
    fn presence(&self, known: &Known, online: bool, at: Timestamp);
}
