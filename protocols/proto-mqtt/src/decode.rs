//! Bytes → [`Packet`]. PUBLISH and the acknowledgements by hand and without a copy, the rest through
//! the codec crate. Never panics; work is bounded by the packet's length.

use crate::error::{Fault, Reason};
use crate::frame::{self, Header};
use crate::message::{
    Connect, Disconnect, Options, Packet, Publish, Qos, RetainHandling, Subscribe, Unsubscribe,
    Version, Will,
};
use bytes::Bytes;
use mqtt_proto::{QoS, v3, v5};
use wire::Decoded;

/// What is at the front of some bytes.
#[derive(Debug, PartialEq)]
pub enum Front<'b> {
    /// A whole packet, and how many bytes it took.
    Packet(Packet<'b>, usize),
    /// The front of one; at least this many bytes more are needed.
    Incomplete(usize),
    /// Not MQTT: the first packet of a connection is a CONNECT.
    Foreign,
    /// A packet larger than allowed.
    TooLarge(Header),
}

/// Reads the packet at the front of `bytes`. `version` is what CONNECT agreed on, `None` before it;
/// `bytes_max` is the largest packet wanted.
///
/// # Errors
/// A [`Fault`]; the connection cannot go on, because nothing says where the next packet begins.
pub fn front<'b>(
    bytes: &'b [u8],
    version: Option<Version>,
    bytes_max: usize,
) -> Result<Front<'b>, Fault> {
    if version.is_none() && bytes.first().is_some_and(|b| *b != 0x10) {
        return Ok(Front::Foreign);
    }
    let Some(header) = frame::header(bytes)? else {
        return Ok(Front::Incomplete(1));
    };
    let total = header.total_bytes();
    if total > bytes_max {
        return Ok(Front::TooLarge(header));
    }
    let Some(body) = bytes.get(header.header_bytes..total) else {
        return Ok(Front::Incomplete(total - bytes.len()));
    };
    let packet = match version {
        None => match connect(body)? {
            Some(connect) => Packet::Connect(Box::new(connect)),
            None => return Ok(Front::Foreign),
        },
        Some(version) => packet(header, body, version)?,
    };
    Ok(Front::Packet(packet, total))
}

/// [`front`] as the four-way result that every protocol of this house has.
pub fn decode<'b>(
    bytes: &'b [u8],
    version: Option<Version>,
    bytes_max: usize,
) -> Decoded<Packet<'b>> {
    match front(bytes, version, bytes_max) {
        Ok(Front::Packet(message, used)) => Decoded::Message {
            message,
            used,
            warnings: Vec::new(),
        },
        Ok(Front::Incomplete(at_least)) => Decoded::Incomplete { at_least },
        Ok(Front::Foreign) => Decoded::Foreign,
        Ok(Front::TooLarge(header)) => Decoded::Invalid {
            error: too_large(header.total_bytes(), bytes_max, "send smaller packets").problem,
            skip: header.total_bytes(),
        },
        Err(fault) => Decoded::Invalid {
            error: fault.problem,
            skip: bytes.len(),
        },
    }
}

/// The fault of a packet above the limit; [`crate::Config`] gives it with the mend.
pub(crate) fn too_large(total_bytes: usize, bytes_max: usize, mend: impl Into<String>) -> Fault {
    Fault::of(
        Reason::PACKET_TOO_LARGE,
        "mqtt-packet-too-large",
        format!("the packet has {total_bytes} bytes, the limit is {bytes_max}"),
        "packet",
        mend,
    )
}

fn packet(header: Header, body: &[u8], version: Version) -> Result<Packet<'_>, Fault> {
    let flags_expected = match header.kind {
        3 => header.flags,
        6 | 8 | 10 => 0b0010,
        _ => 0,
    };
    if header.flags != flags_expected {
        return Err(Fault::malformed(
            format!("flags {:#06b} in packet type {}", header.flags, header.kind),
            "fixed header",
        ));
    }
    match header.kind {
        3 => publish(header.flags, body, version).map(Packet::Publish),
        4 => acknowledgement(body, version).map(|packet_id| Packet::Puback { packet_id }),
        6 => acknowledgement(body, version).map(|packet_id| Packet::Pubrel { packet_id }),
        8 => subscribe(body, version).map(Packet::Subscribe),
        10 => unsubscribe(body, version).map(Packet::Unsubscribe),
        12 if body.is_empty() => Ok(Packet::Pingreq),
        14 => disconnect(body, version).map(Packet::Disconnect),
        1 => Err(Fault::protocol("a second CONNECT", "connection")),
        5 | 7 => Err(Fault::protocol(
            "PUBREC or PUBCOMP, but nothing was sent with QoS 2",
            "connection",
        )),
        15 => Err(Fault::protocol(
            "AUTH without an authentication method",
            "connection",
        )),
        other => Err(Fault::malformed(
            format!("packet type {other} is not one that a client sends"),
            "fixed header",
        )),
    }
}

/// Reads the body of a CONNECT; `None` when the protocol's name is not MQTT's.
fn connect(body: &[u8]) -> Result<Option<Connect>, Fault> {
    let mut at = Cursor { bytes: body };
    if at.binary()? != b"MQTT" {
        return Ok(None);
    }
    let level = at.u8()?;
    let mut offset = 0;
    let connect = match level {
        4 => {
            let c = v3::Connect::decode(body, &mut offset).map_err(bad("CONNECT"))?;
            if c.username.is_none() && c.password.is_some() {
                return Err(Fault::malformed(
                    "a password without a user name",
                    "CONNECT",
                ));
            }
            Connect {
                version: Version::V311,
                client_id: c.client_id.to_string(),
                clean_start: c.clean_session,
                keep_alive_seconds: c.keep_alive,
                username: c.username.map(|u| u.to_string()),
                password: c.password,
                will: c.last_will.map(|w| Will {
                    topic: w.topic_name.to_string(),
                    payload: w.message,
                    qos: qos(w.qos),
                    retain: w.retain,
                    delay_seconds: 0,
                    expiry_seconds: None,
                    content_type: None,
                    properties: Bytes::new(),
                }),
                session_expiry_seconds: if c.clean_session { 0 } else { u32::MAX },
                receive_max: u16::MAX,
                packet_bytes_max: None,
                wants_reasons: false,
                authentication_method: None,
            }
        }
        5 => {
            let header = codec_header(v5::PacketType::Connect, body.len());
            let c = v5::Connect::decode(body, &mut offset, header).map_err(bad("CONNECT"))?;
            let p = c.properties;
            if p.receive_max == Some(0) || p.max_packet_size == Some(0) {
                return Err(Fault::protocol(
                    "Receive Maximum or Maximum Packet Size is 0",
                    "CONNECT properties",
                ));
            }
            if p.auth_data.is_some() && p.auth_method.is_none() {
                return Err(Fault::protocol(
                    "Authentication Data without a method",
                    "CONNECT properties",
                ));
            }
            Connect {
                version: Version::V5,
                client_id: c.client_id.to_string(),
                clean_start: c.clean_start,
                keep_alive_seconds: c.keep_alive,
                username: c.username.map(|u| u.to_string()),
                password: c.password,
                will: c.last_will.map(will_v5),
                session_expiry_seconds: p.session_expiry_interval.unwrap_or(0),
                receive_max: p.receive_max.unwrap_or(u16::MAX),
                packet_bytes_max: p.max_packet_size,
                wants_reasons: p.request_problem_info.unwrap_or(true),
                authentication_method: p.auth_method.map(|m| m.to_string()),
            }
        }
        other => {
            return Err(Fault::of(
                Reason::UNSUPPORTED_VERSION,
                "mqtt-version",
                format!("protocol level {other}"),
                "CONNECT",
                "connect with MQTT 3.1.1 (level 4) or MQTT 5 (level 5)",
            ));
        }
    };
    whole(offset, body, "CONNECT")?;
    if [Some(&connect.client_id), connect.username.as_ref()]
        .into_iter()
        .flatten()
        .any(|text| text.contains('\0'))
    {
        return Err(Fault::malformed("a text holds U+0000", "CONNECT"));
    }
    if let Some(will) = &connect.will
        && will.topic.is_empty()
    {
        return Err(Fault::malformed("the will has no topic", "CONNECT"));
    }
    Ok(Some(connect))
}

fn will_v5(will: v5::LastWill) -> Will {
    let p = will.properties;
    let mut properties = Vec::new();
    let text = |out: &mut Vec<u8>, text: &[u8]| {
        out.extend_from_slice(&(text.len() as u16).to_be_bytes());
        out.extend_from_slice(text);
    };
    if let Some(is_utf8) = p.payload_is_utf8 {
        properties.extend_from_slice(&[property::PAYLOAD_FORMAT, u8::from(is_utf8)]);
    }
    if let Some(kind) = &p.content_type {
        properties.push(property::CONTENT_TYPE);
        text(&mut properties, kind.as_bytes());
    }
    if let Some(topic) = &p.response_topic {
        properties.push(property::RESPONSE_TOPIC);
        text(&mut properties, topic.as_bytes());
    }
    if let Some(data) = &p.correlation_data {
        properties.push(property::CORRELATION_DATA);
        text(&mut properties, data);
    }
    for user in &p.user_properties {
        properties.push(property::USER);
        text(&mut properties, user.name.as_bytes());
        text(&mut properties, user.value.as_bytes());
    }
    Will {
        topic: will.topic_name.to_string(),
        payload: will.payload,
        qos: qos(will.qos),
        retain: will.retain,
        delay_seconds: p.delay_interval.unwrap_or(0),
        expiry_seconds: p.message_expiry_interval,
        content_type: p.content_type.map(|t| t.to_string()),
        properties: properties.into(),
    }
}

/// Reads the body of a PUBLISH. Topic and payload stay where they are.
///
/// # Errors
/// What breaks 3.3, and a topic alias: the server announces that it takes none.
pub fn publish(flags: u8, body: &[u8], version: Version) -> Result<Publish<'_>, Fault> {
    let mut at = Cursor { bytes: body };
    let (dup, retain) = (flags & 0b1000 != 0, flags & 1 != 0);
    let Some(qos) = Qos::from_bits((flags >> 1) & 0b11) else {
        return Err(Fault::malformed("QoS 3", "PUBLISH"));
    };
    if dup && qos == Qos::AtMostOnce {
        return Err(Fault::malformed("DUP with QoS 0", "PUBLISH"));
    }
    let topic = at.text("PUBLISH topic")?;
    let packet_id = match qos {
        Qos::AtMostOnce => 0,
        _ => at.packet_id()?,
    };
    let mut publish = Publish {
        dup,
        qos,
        retain,
        topic,
        packet_id,
        payload: &[],
        properties: &[],
        content_type: None,
        expiry_seconds: None,
    };
    if version == Version::V5 {
        publish.properties = at.properties()?;
        publish_properties(&mut publish)?;
    }
    if topic.is_empty() {
        return Err(Fault::protocol(
            "an empty topic without an alias",
            "PUBLISH",
        ));
    }
    if topic.bytes().any(|b| b == b'+' || b == b'#') {
        return Err(Fault::of(
            Reason::TOPIC_NAME_INVALID,
            "mqtt-topic-name",
            format!(
                "topic \"{}\" holds a wildcard",
                model::problem::quote(topic)
            ),
            "PUBLISH",
            "publish to a topic without + and #",
        ));
    }
    publish.payload = at.bytes;
    Ok(publish)
}

fn publish_properties(publish: &mut Publish<'_>) -> Result<(), Fault> {
    let mut seen = 0u64;
    for property in Properties(publish.properties) {
        let Property { id, value, .. } = property?;
        if id != property::USER {
            if seen & (1 << id) != 0 {
                return Err(Fault::protocol(
                    format!("property {id:#04x} twice"),
                    "PUBLISH properties",
                ));
            }
            seen |= 1 << id;
        }
        match id {
            property::TOPIC_ALIAS => {
                return Err(Fault::of(
                    Reason::TOPIC_ALIAS_INVALID,
                    "mqtt-topic-alias",
                    "a topic alias, but the server takes none",
                    "PUBLISH properties",
                    "obey Topic Alias Maximum in CONNACK: absent means 0",
                ));
            }
            property::SUBSCRIPTION_ID => {
                return Err(Fault::protocol(
                    "a subscription identifier from a client",
                    "PUBLISH properties",
                ));
            }
            property::PAYLOAD_FORMAT if value.first().is_some_and(|v| *v > 1) => {
                return Err(Fault::protocol(
                    "payload format above 1",
                    "PUBLISH properties",
                ));
            }
            property::EXPIRY => {
                publish.expiry_seconds = value.try_into().ok().map(u32::from_be_bytes);
            }
            property::CONTENT_TYPE => {
                publish.content_type = std::str::from_utf8(value).ok();
            }
            _ => {}
        }
    }
    Ok(())
}

/// The properties of a checked PUBLISH that go on to subscribers as they are: all but the expiry,
/// which shrinks while the message waits.
pub fn forwarded_properties(properties: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(properties.len());
    for property in Properties(properties).map_while(Result::ok) {
        if property.id != property::EXPIRY {
            out.extend_from_slice(property.encoded);
        }
    }
    out
}

/// Identifiers of the properties that a PUBLISH may carry (2.2.2.2).
pub(crate) mod property {
    pub const PAYLOAD_FORMAT: u8 = 0x01;
    pub const EXPIRY: u8 = 0x02;
    pub const CONTENT_TYPE: u8 = 0x03;
    pub const RESPONSE_TOPIC: u8 = 0x08;
    pub const CORRELATION_DATA: u8 = 0x09;
    pub const SUBSCRIPTION_ID: u8 = 0x0B;
    pub const REASON_STRING: u8 = 0x1F;
    pub const TOPIC_ALIAS: u8 = 0x23;
    pub const USER: u8 = 0x26;
}

struct Properties<'b>(&'b [u8]);

struct Property<'b> {
    id: u8,
    /// The value without its length; of a pair, the first text.
    value: &'b [u8],
    encoded: &'b [u8],
}

impl<'b> Iterator for Properties<'b> {
    type Item = Result<Property<'b>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.0;
        let mut at = Cursor { bytes: start };
        let id = at.u8().ok()?;
        const PLACE: &str = "PUBLISH properties";
        let value = match id {
            property::PAYLOAD_FORMAT => at.take(1),
            property::TOPIC_ALIAS => at.take(2),
            property::EXPIRY => at.take(4),
            property::CONTENT_TYPE | property::RESPONSE_TOPIC => at.text(PLACE).map(str::as_bytes),
            property::CORRELATION_DATA => at.binary(),
            property::USER => at
                .text(PLACE)
                .and_then(|name| at.text(PLACE).map(|_| name.as_bytes())),
            property::SUBSCRIPTION_ID => at.variable_integer().map(|_| [].as_slice()),
            other => Err(Fault::malformed(format!("property {other:#04x}"), PLACE)),
        };
        self.0 = if value.is_ok() { at.bytes } else { &[] };
        let encoded = &start[..start.len() - at.bytes.len()];
        Some(value.map(|value| Property { id, value, encoded }))
    }
}

/// Reads the packet identifier of an acknowledgement; its reason changes nothing for a server.
fn acknowledgement(body: &[u8], version: Version) -> Result<u16, Fault> {
    let mut at = Cursor { bytes: body };
    let packet_id = at.packet_id()?;
    if version == Version::V5 && !at.bytes.is_empty() {
        at.u8()?;
        if !at.bytes.is_empty() {
            at.properties()?;
        }
    }
    if at.bytes.is_empty() {
        Ok(packet_id)
    } else {
        Err(Fault::malformed("bytes after the end", "acknowledgement"))
    }
}

fn subscribe(body: &[u8], version: Version) -> Result<Subscribe, Fault> {
    let mut offset = 0;
    let subscribe = match version {
        Version::V311 => {
            let header = v3::Header::new_with(0x82, body.len() as u32, body.len() as u32 + 2)
                .map_err(bad("SUBSCRIBE"))?;
            let s = v3::Subscribe::decode(body, &mut offset, header).map_err(bad("SUBSCRIBE"))?;
            let options = |qos| Options {
                qos,
                no_local: false,
                retain_as_published: false,
                retain_handling: RetainHandling::Send,
            };
            Subscribe {
                packet_id: s.pid.value(),
                subscription_id: None,
                filters: s
                    .topics
                    .into_iter()
                    .map(|(filter, q)| (filter.to_string(), options(qos(q))))
                    .collect(),
            }
        }
        Version::V5 => {
            let header = codec_header(v5::PacketType::Subscribe, body.len());
            let s = v5::Subscribe::decode(body, &mut offset, header).map_err(bad("SUBSCRIBE"))?;
            let subscription_id = s.properties.subscription_id.map(|id| id.value());
            if subscription_id == Some(0) {
                return Err(Fault::protocol("subscription identifier 0", "SUBSCRIBE"));
            }
            let options = |o: v5::SubscriptionOptions| Options {
                qos: qos(o.max_qos),
                no_local: o.no_local,
                retain_as_published: o.retain_as_published,
                retain_handling: match o.retain_handling {
                    v5::RetainHandling::SendAtSubscribe => RetainHandling::Send,
                    v5::RetainHandling::SendAtSubscribeIfNotExist => RetainHandling::SendIfNew,
                    v5::RetainHandling::DoNotSend => RetainHandling::DoNotSend,
                },
            };
            Subscribe {
                packet_id: s.pid.value(),
                subscription_id,
                filters: s
                    .topics
                    .into_iter()
                    .map(|(filter, o)| (filter.to_string(), options(o)))
                    .collect(),
            }
        }
    };
    whole(offset, body, "SUBSCRIBE")?;
    Ok(subscribe)
}

fn unsubscribe(body: &[u8], version: Version) -> Result<Unsubscribe, Fault> {
    let mut offset = 0;
    let (packet_id, topics) = match version {
        Version::V311 => {
            let header = v3::Header::new_with(0xa2, body.len() as u32, body.len() as u32 + 2)
                .map_err(bad("UNSUBSCRIBE"))?;
            let u =
                v3::Unsubscribe::decode(body, &mut offset, header).map_err(bad("UNSUBSCRIBE"))?;
            (u.pid, u.topics)
        }
        Version::V5 => {
            let header = codec_header(v5::PacketType::Unsubscribe, body.len());
            let u =
                v5::Unsubscribe::decode(body, &mut offset, header).map_err(bad("UNSUBSCRIBE"))?;
            (u.pid, u.topics)
        }
    };
    whole(offset, body, "UNSUBSCRIBE")?;
    Ok(Unsubscribe {
        packet_id: packet_id.value(),
        filters: topics.into_iter().map(|t| t.to_string()).collect(),
    })
}

fn disconnect(body: &[u8], version: Version) -> Result<Disconnect, Fault> {
    if body.is_empty() || version == Version::V311 {
        return if body.is_empty() {
            Ok(Disconnect {
                reason: Reason::SUCCESS,
                session_expiry_seconds: None,
            })
        } else {
            Err(Fault::malformed("bytes after the end", "DISCONNECT"))
        };
    }
    let mut offset = 0;
    let header = codec_header(v5::PacketType::Disconnect, body.len());
    let d = v5::Disconnect::decode(body, &mut offset, header).map_err(bad("DISCONNECT"))?;
    whole(offset, body, "DISCONNECT")?;
    Ok(Disconnect {
        reason: Reason(d.reason_code as u8),
        session_expiry_seconds: d.properties.session_expiry_interval,
    })
}

fn codec_header(kind: v5::PacketType, body_bytes: usize) -> v5::Header {
    let body = body_bytes as u32;
    v5::Header::new(
        kind,
        false,
        QoS::Level0,
        false,
        body,
        body.saturating_add(2),
    )
}

fn qos(q: QoS) -> Qos {
    match q {
        QoS::Level0 => Qos::AtMostOnce,
        QoS::Level1 => Qos::AtLeastOnce,
        QoS::Level2 => Qos::ExactlyOnce,
    }
}

fn whole(offset: usize, body: &[u8], place: &str) -> Result<(), Fault> {
    if offset == body.len() {
        Ok(())
    } else {
        Err(Fault::malformed("bytes after the end", place))
    }
}

fn bad<E: std::fmt::Display>(place: &'static str) -> impl Fn(E) -> Fault {
    move |error| Fault::malformed(model::problem::quote(&error.to_string()), place)
}

struct Cursor<'b> {
    bytes: &'b [u8],
}

impl<'b> Cursor<'b> {
    fn take(&mut self, n: usize) -> Result<&'b [u8], Fault> {
        match self.bytes.split_at_checked(n) {
            Some((taken, rest)) => {
                self.bytes = rest;
                Ok(taken)
            }
            None => Err(Fault::malformed("the packet ends too early", "packet")),
        }
    }
    fn u8(&mut self) -> Result<u8, Fault> {
        self.take(1).map(|b| b[0])
    }
    fn u16(&mut self) -> Result<u16, Fault> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }
    fn packet_id(&mut self) -> Result<u16, Fault> {
        match self.u16()? {
            0 => Err(Fault::malformed("packet identifier 0", "packet")),
            id => Ok(id),
        }
    }
    fn binary(&mut self) -> Result<&'b [u8], Fault> {
        let n = self.u16()?;
        self.take(usize::from(n))
    }
    fn text(&mut self, place: &str) -> Result<&'b str, Fault> {
        let bytes = self.binary()?;
        match std::str::from_utf8(bytes) {
            Ok(text) if !bytes.contains(&0) => Ok(text),
            _ => Err(Fault::malformed(
                "a text is not UTF-8, or holds U+0000",
                place,
            )),
        }
    }
    fn variable_integer(&mut self) -> Result<u32, Fault> {
        match frame::variable_integer(self.bytes)? {
            Some((value, used)) => {
                self.take(used)?;
                Ok(value)
            }
            None => Err(Fault::malformed("the packet ends too early", "packet")),
        }
    }
    fn properties(&mut self) -> Result<&'b [u8], Fault> {
        let n = self.variable_integer()?;
        self.take(n as usize)
    }
}
