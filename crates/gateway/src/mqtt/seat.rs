//! A client's seat: what the broker keeps of a client between and during its connections.

use super::metrics::Metrics;
use super::options::Limits;
use super::seam::{Client, Seeing};
use parking_lot::{Mutex, MutexGuard};
use proto_mqtt::message::Options;
use proto_mqtt::{Delivery, Memory, Pushed, Qos, Reason, Will};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// Whose seat it is: the name signed in with and the client identifier.
pub(crate) type SeatKey = (String, String);

/// A client's seat.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Tells seats apart in the filter tree.
    pub id: u64,
    /// Whose it is.
    pub key: SeatKey,
    /// Rings when there is something for the connection to look at.
    pub wake: Notify,
    inner: Mutex<Inner>,
}

/// What is on the seat.
#[derive(Debug)]
pub(crate) struct Inner {
    /// Who sits there, as of the last sign-in.
    pub client: Arc<Client>,
    /// Messages to send and identifiers in use.
    pub memory: Memory,
    /// Filters subscribed to.
    pub subscriptions: HashMap<String, Subscription>,
    /// Counts connections; an older connection finds its own number outdated.
    pub generation: u64,
    /// Whether a connection is open.
    pub connected: bool,
    /// Why the connection open now is to end.
    pub evicted: Option<Reason>,
    /// When an empty seat is cleared, on the door's steady clock.
    pub expires_at_ms: u64,
    /// A will that waits for its delay, and when it is due.
    pub will: Option<(Will, u64)>,
}

/// One subscription.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subscription {
    pub options: Options,
    pub id: Option<u32>,
}

impl Seat {
    pub fn new(id: u64, client: Arc<Client>) -> Self {
        Self {
            id,
            key: (client.name.clone(), client.client_id.clone()),
            wake: Notify::new(),
            inner: Mutex::new(Inner {
                client,
                memory: Memory::default(),
                subscriptions: HashMap::new(),
                generation: 0,
                connected: true,
                evicted: None,
                expires_at_ms: u64::MAX,
                will: None,
            }),
        }
    }

    /// The seat for whoever needs no connection to touch it.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }

    /// What its client may see; `None`: everything.
    pub fn sight(&self) -> Option<Seeing> {
        self.inner.lock().client.sight.clone()
    }

    /// The seat for the connection with this number.
    ///
    /// # Errors
    /// Why the connection is to end.
    pub fn enter(&self, generation: u64) -> Result<MutexGuard<'_, Inner>, Reason> {
        let inner = self.inner.lock();
        if inner.generation != generation {
            return Err(Reason::SESSION_TAKEN_OVER);
        }
        match inner.evicted {
            Some(reason) => Err(reason),
            None => Ok(inner),
        }
    }

    /// Ends the connection open now, if there is one.
    pub fn evict(&self, reason: Reason) {
        let mut inner = self.inner.lock();
        if inner.connected && inner.evicted.is_none() {
            inner.evicted = Some(reason);
            self.wake.notify_one();
        }
    }

    /// Puts a message on the seat, within the limits of a queue.
    pub fn push(&self, delivery: Delivery, limits: &Limits, metrics: &Metrics) -> bool {
        let mut inner = self.inner.lock();
        if !inner.connected && delivery.qos == Qos::AtMostOnce {
            return false;
        }
        let qos = delivery.qos;
        let pushed = inner.memory.push(
            delivery,
            limits.outbound_queue_max,
            limits.outbound_queue_bytes_max,
        );
        if pushed == Pushed::Full {
            Metrics::one(&metrics.dropped_total);
            if qos != Qos::AtMostOnce && inner.connected && inner.evicted.is_none() {
                inner.evicted = Some(Reason::QUOTA_EXCEEDED);
                Metrics::one(&metrics.slow_disconnects_total);
            }
        }
        if inner.connected {
            self.wake.notify_one();
        }
        pushed == Pushed::Queued
    }
}
