//! What is on the wire, in the standard's own terms. Only the packets that a client sends; what a
//! server sends is written by [`crate::encode`].

use crate::error::Reason;
use bytes::Bytes;

/// Protocol version of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1, level 4.
    V311,
    /// MQTT 5, level 5.
    V5,
}

/// Quality of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Qos {
    /// 0: at most once.
    AtMostOnce = 0,
    /// 1: at least once.
    AtLeastOnce = 1,
    /// 2: exactly once.
    ExactlyOnce = 2,
}

impl Qos {
    /// From the two bits of a packet; `None` for 3.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

/// A packet from a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Packet<'b> {
    /// 3.1
    Connect(Box<Connect>),
    /// 3.3
    Publish(Publish<'b>),
    /// 3.4: the client has our message of QoS 1.
    Puback {
        /// Packet identifier.
        packet_id: u16,
    },
    /// 3.6: second half of a message of QoS 2 to us.
    Pubrel {
        /// Packet identifier.
        packet_id: u16,
    },
    /// 3.8
    Subscribe(Subscribe),
    /// 3.10
    Unsubscribe(Unsubscribe),
    /// 3.12
    Pingreq,
    /// 3.14
    Disconnect(Disconnect),
}

/// CONNECT (3.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    /// Protocol version; everything after speaks it.
    pub version: Version,
    /// Client identifier; empty when the server is to choose one.
    pub client_id: String,
    /// Clean Session (3.1.1) or Clean Start (5).
    pub clean_start: bool,
    /// Keep-alive in seconds; 0 is off.
    pub keep_alive_seconds: u16,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub password: Option<Bytes>,
    /// The will.
    pub will: Option<Will>,
    /// How long the session is to outlive the connection, in seconds; `u32::MAX` is for ever. For
    /// 3.1.1: 0 with Clean Session, else for ever.
    pub session_expiry_seconds: u32,
    /// Messages of QoS 1 that the client takes unacknowledged.
    pub receive_max: u16,
    /// Largest packet that the client takes, in bytes.
    pub packet_bytes_max: Option<u32>,
    /// Whether reason texts may be sent with any packet (Request Problem Information).
    pub wants_reasons: bool,
    /// Enhanced authentication (4.12), if asked for.
    pub authentication_method: Option<String>,
}

/// A will (3.1.2.5): published by the server when the connection ends without a good-bye.
#[derive(Clone, Debug, PartialEq)]
pub struct Will {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Bytes,
    /// Quality of service.
    pub qos: Qos,
    /// Whether it is to be retained.
    pub retain: bool,
    /// How long to wait for the client to come back, in seconds.
    pub delay_seconds: u32,
    /// Lifetime of the message, in seconds.
    pub expiry_seconds: Option<u32>,
    /// Media type of the payload.
    pub content_type: Option<String>,
    /// Properties to hand on to subscribers, encoded, without expiry.
    pub properties: Bytes,
}

/// PUBLISH (3.3), borrowed from the bytes it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish<'b> {
    /// Sent before.
    pub dup: bool,
    /// Quality of service.
    pub qos: Qos,
    /// To be kept for later subscribers.
    pub retain: bool,
    /// Topic.
    pub topic: &'b str,
    /// Packet identifier; 0 for QoS 0, which has none.
    pub packet_id: u16,
    /// Payload.
    pub payload: &'b [u8],
    /// MQTT 5 properties, encoded, without their length.
    pub properties: &'b [u8],
    /// Media type of the payload.
    pub content_type: Option<&'b str>,
    /// Lifetime of the message, in seconds.
    pub expiry_seconds: Option<u32>,
}

/// SUBSCRIBE (3.8).
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribe {
    /// Packet identifier.
    pub packet_id: u16,
    /// Subscription identifier (MQTT 5), put on every message of these subscriptions.
    pub subscription_id: Option<u32>,
    /// The filters with their options, in order.
    pub filters: Vec<(String, Options)>,
}

/// Options of a subscription (3.8.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Highest quality of service wished.
    pub qos: Qos,
    /// Not the messages that this client published itself.
    pub no_local: bool,
    /// Keep the retain flag as it was published.
    pub retain_as_published: bool,
    /// Which retained messages to send now.
    pub retain_handling: RetainHandling,
}

/// Which retained messages a new subscription gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetainHandling {
    /// 0: all.
    Send,
    /// 1: all, if the subscription is new.
    SendIfNew,
    /// 2: none.
    DoNotSend,
}

/// UNSUBSCRIBE (3.10).
#[derive(Clone, Debug, PartialEq)]
pub struct Unsubscribe {
    /// Packet identifier.
    pub packet_id: u16,
    /// The filters, in order.
    pub filters: Vec<String>,
}

/// DISCONNECT (3.14) from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// 0, or 4 for "and publish my will", or a failure.
    pub reason: Reason,
    /// A new session expiry, in seconds.
    pub session_expiry_seconds: Option<u32>,
}
