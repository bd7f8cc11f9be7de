//! What outlives a connection (4.1): messages waiting for the client, messages sent and not yet
//! acknowledged, and the packet identifiers of QoS 2 messages received from it. Held in memory: it
//! outlives the connection, not the process.

use crate::message::Qos;
use bytes::Bytes;
use model::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A message for subscribers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Bytes,
    /// MQTT 5 properties to hand on, encoded, without the expiry.
    pub properties: Bytes,
    /// When the message is no longer worth sending.
    pub expires_at: Option<Timestamp>,
}

impl Message {
    /// A message without properties that does not expire.
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            properties: Bytes::new(),
            expires_at: None,
        }
    }

    /// Seconds of life left, rounded up; `None` when it does not expire, 0 when it has.
    pub fn seconds_left(&self, now: Timestamp) -> Option<u32> {
        let micros = self.expires_at?.micros_since(now).max(0);
        Some(u32::try_from((micros + 999_999) / 1_000_000).unwrap_or(u32::MAX))
    }

    fn bytes(&self) -> usize {
        self.topic.len() + self.payload.len() + self.properties.len()
    }
}

/// A message for one subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The message, shared between its subscribers.
    pub message: Arc<Message>,
    /// The lower of the message's and the subscription's quality of service; 0 or 1.
    pub qos: Qos,
    /// The retain flag to send.
    pub retain: bool,
    /// Identifiers of the subscriptions met.
    pub subscription_ids: Vec<u32>,
}

/// What became of a message pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits for the client.
    Queued,
    /// There was no room; it is lost to this subscriber.
    Full,
}

/// A message to send now.
#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    /// Its packet identifier, for QoS 1.
    pub packet_id: Option<u16>,
    /// Sent before, on an earlier connection.
    pub dup: bool,
    /// The message.
    pub delivery: Delivery,
}

#[derive(Debug)]
struct InFlight {
    packet_id: u16,
    delivery: Delivery,
    /// Whether it was sent on the connection that is open now.
    sent: bool,
}

/// The memory of one session.
#[derive(Debug, Default)]
pub struct Memory {
    waiting: VecDeque<Delivery>,
    waiting_bytes: usize,
    in_flight: VecDeque<InFlight>,
    unsent: usize,
    last_packet_id: u16,
    received: BTreeMap<u16, u64>,
}

impl Memory {
    /// Puts a message in the queue, which holds at most `count_max` messages and `bytes_max` bytes.
    pub fn push(&mut self, delivery: Delivery, count_max: usize, bytes_max: usize) -> Pushed {
        let bytes = self.waiting_bytes + delivery.message.bytes();
        if self.waiting.len() >= count_max || bytes > bytes_max {
            return Pushed::Full;
        }
        self.push_always(delivery);
        Pushed::Queued
    }

    /// Puts a message in the queue whatever its length: retained messages, which share their bytes
    /// with the store that bounds them.
    pub fn push_always(&mut self, delivery: Delivery) {
        self.waiting_bytes += delivery.message.bytes();
        self.waiting.push_back(delivery);
    }

    /// How many messages wait to be sent.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many messages were sent and not acknowledged.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// The next message to send, if there is one and fewer than `window` are unacknowledged.
    pub fn next(&mut self, window: u16) -> Option<Send> {
        if self.unsent > 0 {
            let again = self.in_flight.iter_mut().find(|m| !m.sent)?;
            again.sent = true;
            self.unsent -= 1;
            return Some(Send {
                packet_id: Some(again.packet_id),
                dup: true,
                delivery: again.delivery.clone(),
            });
        }
        let acknowledged = self.waiting.front()?.qos != Qos::AtMostOnce;
        if acknowledged && self.in_flight.len() >= usize::from(window) {
            return None;
        }
        let delivery = self.waiting.pop_front()?;
        self.waiting_bytes -= delivery.message.bytes();
        if !acknowledged {
            return Some(Send {
                packet_id: None,
                dup: false,
                delivery,
            });
        }
        let packet_id = self.free_packet_id();
        self.in_flight.push_back(InFlight {
            packet_id,
            delivery: delivery.clone(),
            sent: true,
        });
        Some(Send {
            packet_id: Some(packet_id),
            dup: false,
            delivery,
        })
    }

    fn free_packet_id(&mut self) -> u16 {
        // The window is below 65,535, so a free identifier exists.
        loop {
            self.last_packet_id = self.last_packet_id.checked_add(1).unwrap_or(1);
            let id = self.last_packet_id;
            if !self.in_flight.iter().any(|m| m.packet_id == id) {
                return id;
            }
        }
    }

    /// Takes note that the client has a message; `false` when no such message was sent.
    pub fn acknowledged(&mut self, packet_id: u16) -> bool {
        let Some(at) = self.in_flight.iter().position(|m| m.packet_id == packet_id) else {
            return false;
        };
        if self.in_flight.remove(at).is_some_and(|m| !m.sent) {
            self.unsent -= 1;
        }
        true
    }

    /// Begins a new connection: what was not acknowledged is sent again (4.4).
    pub fn resume(&mut self) {
        self.in_flight.iter_mut().for_each(|m| m.sent = false);
        self.unsent = self.in_flight.len();
    }

    /// Forgets QoS 0 messages, which do not wait for a client to come back.
    pub fn disconnected(&mut self) {
        self.waiting.retain(|d| d.qos != Qos::AtMostOnce);
        self.waiting_bytes = self.waiting.iter().map(|d| d.message.bytes()).sum();
    }

    /// The journal position of a QoS 2 message received earlier under this identifier.
    pub fn received(&self, packet_id: u16) -> Option<u64> {
        self.received.get(&packet_id).copied()
    }

    /// Remembers a QoS 2 message until it is released.
    pub fn receive(&mut self, packet_id: u16, position: u64) {
        self.received.insert(packet_id, position);
    }

    /// Forgets a QoS 2 message (PUBREL); `false` when there was none.
    pub fn release(&mut self, packet_id: u16) -> bool {
        self.received.remove(&packet_id).is_some()
    }

    /// How many QoS 2 messages are not yet released.
    pub fn unreleased(&self) -> usize {
        self.received.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(payload: &'static str, qos: Qos) -> Delivery {
        Delivery {
            message: Arc::new(Message::new("t", payload)),
            qos,
            retain: false,
            subscription_ids: Vec::new(),
        }
    }

    #[test]
    fn the_window_holds_back_qos_1_and_what_is_behind_it() {
        let mut memory = Memory::default();
        for payload in ["1", "2"] {
            memory.push(delivery(payload, Qos::AtLeastOnce), 10, 100);
        }
        memory.push(delivery("3", Qos::AtMostOnce), 10, 100);
        assert_eq!(memory.next(1).unwrap().packet_id, Some(1));
        assert_eq!(memory.next(1), None);
        assert!(!memory.acknowledged(7));
        assert!(memory.acknowledged(1));
        assert_eq!(memory.next(1).unwrap().packet_id, Some(2));
        assert_eq!(memory.next(1).unwrap().packet_id, None);
        assert_eq!(memory.next(1), None);
    }

    #[test]
    fn a_new_connection_gets_the_unacknowledged_again_and_first() {
        let mut memory = Memory::default();
        for payload in ["1", "2", "3"] {
            memory.push(delivery(payload, Qos::AtLeastOnce), 10, 100);
        }
        memory.push(delivery("lost", Qos::AtMostOnce), 10, 100);
        memory.next(2);
        memory.next(2);
        memory.disconnected();
        memory.resume();
        let again: Vec<_> = std::iter::from_fn(|| memory.next(3))
            .map(|s| (s.packet_id, s.dup, s.delivery.message.payload.clone()))
            .collect();
        let expected = [(1, true, "1"), (2, true, "2"), (3, false, "3")]
            .map(|(id, dup, payload)| (Some(id), dup, Bytes::from(payload)));
        assert_eq!(again, expected);
    }

    #[test]
    fn the_queue_is_bounded_in_messages_and_bytes() {
        let mut memory = Memory::default();
        let one = delivery("12345678", Qos::AtLeastOnce); // nine bytes with its topic
        assert_eq!(memory.push(one.clone(), 10, 20), Pushed::Queued);
        assert_eq!(memory.push(one.clone(), 10, 20), Pushed::Queued);
        assert_eq!(memory.push(one.clone(), 10, 20), Pushed::Full);
        assert_eq!(memory.push(one, 2, 100), Pushed::Full);
        assert_eq!(memory.waiting(), 2);
    }
}
