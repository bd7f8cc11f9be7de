//! Who sits where, who listens to what, and what is retained. Locks are taken in the order seats,
//! seat, tree; the tree is let go before a message is put on a seat.

use super::metrics::Metrics;
use super::options::Limits;
use super::retained::Retained;
use super::seam::{Client, Said};
use super::seat::{Inner, Seat, SeatKey, Subscription};
use model::Timestamp;
use parking_lot::{Mutex, RwLock};
use proto_mqtt::message::{Options, RetainHandling};
use proto_mqtt::topic::FilterTree;
use proto_mqtt::{Delivery, Message, Qos, Reason, Will};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seats, subscriptions and retained messages.
#[derive(Debug)]
pub(crate) struct Broker {
    seats: Mutex<Seats>,
    tree: RwLock<FilterTree<u64, Listener>>,
    listeners: AtomicUsize,
    /// Retained messages.
    pub retained: RwLock<Retained>,
    limits: Limits,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct Seats {
    by_key: HashMap<SeatKey, Arc<Seat>>,
    last_id: u64,
}

#[derive(Clone, Debug)]
struct Listener {
    seat: Arc<Seat>,
    subscription: Subscription,
}

/// A connection's hold on its seat.
#[derive(Clone, Debug)]
pub(crate) struct Attached {
    pub seat: Arc<Seat>,
    pub generation: u64,
    /// Whether an earlier session goes on.
    pub session_present: bool,
    /// The will of an earlier session that ended with this connection's clean start.
    pub ended_will: Option<(Arc<Client>, Will)>,
}

/// A will that is due, with whose it is.
pub(crate) type DueWill = (Arc<Client>, Will);

impl Broker {
    pub fn new(limits: Limits, metrics: Arc<Metrics>) -> Self {
        Self {
            seats: Mutex::default(),
            tree: RwLock::default(),
            listeners: AtomicUsize::new(0),
            retained: RwLock::new(Retained::new(&limits)),
            limits,
            metrics,
        }
    }

    /// Gives a client its seat; an older connection of the same client finds itself taken over.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED` when there is no seat left.
    pub fn attach(&self, client: &Arc<Client>, clean_start: bool) -> Result<Attached, Reason> {
        let key = (client.name.clone(), client.client_id.clone());
        let mut seats = self.seats.lock();
        let mut ended_will = None;
        if let Some(seat) = seats.by_key.get(&key).cloned() {
            let mut inner = seat.lock();
            if inner.connected {
                Metrics::one(&self.metrics.taken_over_total);
            }
            inner.generation += 1;
            seat.wake.notify_one();
            if !clean_start {
                inner.client = Arc::clone(client);
                inner.connected = true;
                inner.evicted = None;
                inner.expires_at_ms = u64::MAX;
                inner.will = None;
                inner.memory.resume();
                let generation = inner.generation;
                drop(inner);
                return Ok(Attached {
                    seat,
                    generation,
                    session_present: true,
                    ended_will: None,
                });
            }
            ended_will = inner
                .will
                .take()
                .map(|(will, _)| (Arc::clone(&inner.client), will));
            self.unsubscribe_all(&seat, &mut inner);
            drop(inner);
            seats.by_key.remove(&key);
        }
        if seats.by_key.len() >= self.limits.sessions_max {
            return Err(Reason::QUOTA_EXCEEDED);
        }
        seats.last_id += 1;
        let seat = Arc::new(Seat::new(seats.last_id, Arc::clone(client)));
        seats.by_key.insert(key, Arc::clone(&seat));
        Metrics::set(&self.metrics.sessions, seats.by_key.len());
        Ok(Attached {
            seat,
            generation: 0,
            session_present: false,
            ended_will,
        })
    }

    /// Takes a connection off its seat. The seat is remembered for `expiry_seconds`. Answers whether
    /// this was the seat's newest connection, and the will if it is to be published now.
    pub fn detach(
        &self,
        attached: &Attached,
        expiry_seconds: u32,
        will: Option<Will>,
        now_ms: u64,
    ) -> (bool, Option<Will>) {
        let Attached {
            seat, generation, ..
        } = attached;
        let mut seats = self.seats.lock();
        let mut inner = seat.lock();
        if inner.generation != *generation {
            // Taken over. A will with a delay is not published when the session goes on (3.1.3.2.2).
            let goes_on = seats
                .by_key
                .get(&seat.key)
                .is_some_and(|s| Arc::ptr_eq(s, seat));
            return (false, will.filter(|w| w.delay_seconds == 0 || !goes_on));
        }
        inner.connected = false;
        inner.memory.disconnected();
        if expiry_seconds == 0 {
            self.unsubscribe_all(seat, &mut inner);
            seats.by_key.remove(&seat.key);
            Metrics::set(&self.metrics.sessions, seats.by_key.len());
            return (true, will);
        }
        inner.expires_at_ms = now_ms + u64::from(expiry_seconds) * 1000;
        match will {
            Some(will) if will.delay_seconds > 0 => {
                let delay = will.delay_seconds.min(expiry_seconds);
                inner.will = Some((will, now_ms + u64::from(delay) * 1000));
                (true, None)
            }
            will => (true, will),
        }
    }

    /// Clears seats whose time is over and answers the wills that are due.
    pub fn housekeep(&self, now_ms: u64) -> Vec<DueWill> {
        let mut due = Vec::new();
        let mut seats = self.seats.lock();
        seats.by_key.retain(|_, seat| {
            let mut inner = seat.lock();
            if inner.connected {
                return true;
            }
            let over = inner.expires_at_ms <= now_ms;
            let is_due = inner.will.as_ref().is_some_and(|(_, at)| *at <= now_ms);
            if (is_due || over)
                && let Some((will, _)) = inner.will.take()
            {
                due.push((Arc::clone(&inner.client), will));
            }
            if over {
                self.unsubscribe_all(seat, &mut inner);
            }
            !over
        });
        Metrics::set(&self.metrics.sessions, seats.by_key.len());
        due
    }

    /// Ends the connections of a client; answers how many.
    pub fn evict(&self, client_id: &str, reason: Reason) -> usize {
        let seats = self.seats.lock();
        let found = seats.by_key.iter().filter(|((_, id), _)| id == client_id);
        found.map(|(_, seat)| seat.evict(reason)).count()
    }

    /// Ends the connections of an account, whatever clients use it; answers how many.
    pub fn evict_named(&self, name: &str, reason: Reason) -> usize {
        let seats = self.seats.lock();
        let found = seats.by_key.iter().filter(|((of, _), _)| of == name);
        found.map(|(_, seat)| seat.evict(reason)).count()
    }

    /// Puts a subscription on a seat, and the retained messages that it asks for, of those that its client `may_have`.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED` when the client has too many.
    pub fn subscribe(
        &self,
        seat: &Arc<Seat>,
        inner: &mut Inner,
        filter: &str,
        subscription: Subscription,
        now: Timestamp,
        may_have: &dyn Fn(&Message) -> bool,
    ) -> Result<(), Reason> {
        let is_new = !inner.subscriptions.contains_key(filter);
        if is_new && inner.subscriptions.len() >= self.limits.subscriptions_per_client_max {
            return Err(Reason::QUOTA_EXCEEDED);
        }
        inner.subscriptions.insert(filter.to_owned(), subscription);
        let listener = Listener {
            seat: Arc::clone(seat),
            subscription,
        };
        let mut tree = self.tree.write();
        tree.insert(filter, seat.id, listener);
        self.count(tree.len());
        drop(tree);
        let wanted = match subscription.options.retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => is_new,
            RetainHandling::DoNotSend => false,
        };
        // A full queue gets no more: a client that subscribes again and again would fill the memory.
        if wanted && inner.memory.waiting() < self.limits.outbound_queue_max {
            // Looking into messages may take a while, and nobody is to wait for that with one to retain.
            let mut found = Vec::new();
            let retained = self.retained.read();
            retained.find(filter, now, &mut |message, qos| {
                found.push((Arc::clone(message), qos));
            });
            drop(retained);
            for (message, qos) in found {
                if !may_have(&message) {
                    Metrics::one(&self.metrics.messages_not_seen_total);
                    continue;
                }
                inner.memory.push_always(Delivery {
                    message,
                    qos: lower(qos, subscription.options.qos),
                    retain: true,
                    subscription_ids: subscription.id.into_iter().collect(),
                });
            }
        }
        Ok(())
    }

    /// Takes a subscription off a seat; `false` when there was none.
    pub fn unsubscribe(&self, seat: &Seat, inner: &mut Inner, filter: &str) -> bool {
        let existed = inner.subscriptions.remove(filter).is_some();
        if existed {
            let mut tree = self.tree.write();
            tree.remove(filter, &seat.id);
            self.count(tree.len());
        }
        existed
    }

    fn unsubscribe_all(&self, seat: &Seat, inner: &mut Inner) {
        let mut tree = self.tree.write();
        for (filter, _) in inner.subscriptions.drain() {
            tree.remove(&filter, &seat.id);
        }
        self.count(tree.len());
    }

    fn count(&self, subscriptions: usize) {
        self.listeners.store(subscriptions, Ordering::Release);
        Metrics::set(&self.metrics.subscriptions, subscriptions);
    }

    /// Whether anybody listens to anything.
    pub fn has_listeners(&self) -> bool {
        self.listeners.load(Ordering::Acquire) > 0
    }

    /// Tells the figures how many messages are retained.
    pub fn count_retained(&self, retained: usize) {
        Metrics::set(&self.metrics.retained, retained);
    }

    /// Gives a message to everybody who listens and may see what it `said`; answers to how many. `origin` is the seat
    /// that it comes from.
    pub fn publish(
        &self,
        origin: Option<u64>,
        message: &Arc<Message>,
        qos: Qos,
        retain: bool,
        said: &Said<'_>,
    ) -> usize {
        if !self.has_listeners() {
            return 0;
        }
        let mut hits: Vec<Listener> = Vec::new();
        self.tree.read().find(&message.topic, &mut |id, listener| {
            if !(listener.subscription.options.no_local && origin == Some(*id)) {
                hits.push(listener.clone());
            }
        });
        hits.sort_by_key(|hit| hit.seat.id);
        let mut reached = 0;
        let known = OnceCell::new();
        let said = || known.get_or_init(said).clone();
        // A client with overlapping subscriptions gets the message once, with the best of them.
        for group in hits.chunk_by(|a, b| a.seat.id == b.seat.id) {
            let seat = &group[0].seat;
            if seat.sight().is_some_and(|sight| !sight.0.sees(&said)) {
                Metrics::one(&self.metrics.messages_not_seen_total);
                continue;
            }
            let options = || group.iter().map(|hit| &hit.subscription.options);
            let wished = options().map(|o: &Options| o.qos).max();
            let delivery = Delivery {
                message: Arc::clone(message),
                qos: lower(qos, wished.unwrap_or(Qos::AtMostOnce)),
                retain: retain && options().any(|o| o.retain_as_published),
                subscription_ids: group.iter().filter_map(|hit| hit.subscription.id).collect(),
            };
            let queued = seat.push(delivery, &self.limits, &self.metrics);
            reached += usize::from(queued);
        }
        reached
    }
}

/// What a message is delivered with: the lowest of its own, the subscription's, and 1.
fn lower(message: Qos, subscription: Qos) -> Qos {
    message.min(subscription).min(Qos::AtLeastOnce)
}
