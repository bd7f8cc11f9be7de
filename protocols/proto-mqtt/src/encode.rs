//! What a server sends → bytes. All writers append to `out`; many packets leave in one write.

use crate::decode::property;
use crate::error::Reason;
use crate::frame::{put_variable_integer, variable_integer_bytes};
use crate::memory::Delivery;
use crate::message::{Qos, Version};
use mqtt_proto::v5;
use std::sync::Arc;

/// Longest reason text sent, in bytes.
const REASON_TEXT_BYTES_MAX: usize = 1_024;

/// What a CONNACK of MQTT 5 tells besides its reason; see [`connack`].
#[derive(Clone, Debug, Default)]
pub struct ConnackProperties {
    /// Session expiry, when it is not the one asked for, in seconds.
    pub session_expiry_seconds: Option<u32>,
    /// Messages taken unacknowledged.
    pub receive_max: Option<u16>,
    /// Largest packet taken, in bytes.
    pub packet_bytes_max: Option<u32>,
    /// The client identifier chosen by the server.
    pub assigned_client_id: Option<String>,
    /// The keep-alive that holds instead of the one asked for, in seconds.
    pub keep_alive_seconds: Option<u16>,
    /// Why the connection is refused.
    pub reason_text: Option<String>,
}

/// CONNACK (3.2).
pub fn connack(
    out: &mut Vec<u8>,
    version: Version,
    session_present: bool,
    reason: Reason,
    properties: ConnackProperties,
) {
    let session_present = session_present && !reason.is_failure();
    match version {
        Version::V311 => {
            out.extend_from_slice(&[0x20, 2, u8::from(session_present), reason.connack_v311()]);
        }
        Version::V5 => {
            let code = v5::ConnectReasonCode::from_u8(reason.0)
                .unwrap_or(v5::ConnectReasonCode::UnspecifiedError);
            let mut packet = v5::Connack::new(session_present, code);
            packet.properties = v5::ConnackProperties {
                session_expiry_interval: properties.session_expiry_seconds,
                receive_max: properties.receive_max,
                max_packet_size: properties.packet_bytes_max,
                assigned_client_id: properties.assigned_client_id.map(Arc::from),
                server_keep_alive: properties.keep_alive_seconds,
                reason_string: properties.reason_text.as_deref().map(|t| cut(t).into()),
                shared_subscription_available: (!reason.is_failure()).then_some(false),
                ..v5::ConnackProperties::default()
            };
            codec(out, packet.into());
        }
    }
}

/// PUBACK (0x40), PUBREC (0x50), PUBREL (0x62) and PUBCOMP (0x70): `first` is the first byte.
pub fn acknowledgement(
    out: &mut Vec<u8>,
    first: u8,
    version: Version,
    packet_id: u16,
    reason: Reason,
    text: Option<&str>,
) {
    let [high, low] = packet_id.to_be_bytes();
    if version == Version::V311 || (reason == Reason::SUCCESS && text.is_none()) {
        out.extend_from_slice(&[first, 2, high, low]);
        return;
    }
    match text.map(cut) {
        None => out.extend_from_slice(&[first, 3, high, low, reason.0]),
        Some(text) => {
            let properties = 3 + text.len();
            let body = 3 + variable_integer_bytes(properties) + properties;
            out.push(first);
            put_variable_integer(out, body);
            out.extend_from_slice(&[high, low, reason.0]);
            put_variable_integer(out, properties);
            out.push(property::REASON_STRING);
            put_text(out, text.as_bytes());
        }
    }
}

/// SUBACK (3.9): one code for each filter.
pub fn suback(out: &mut Vec<u8>, version: Version, packet_id: u16, codes: &[Reason]) {
    put_codes(out, 0x90, version, packet_id, codes);
}

/// UNSUBACK (3.11); 3.1.1 has no codes.
pub fn unsuback(out: &mut Vec<u8>, version: Version, packet_id: u16, codes: &[Reason]) {
    let codes = if version == Version::V5 { codes } else { &[] };
    put_codes(out, 0xb0, version, packet_id, codes);
}

fn put_codes(out: &mut Vec<u8>, first: u8, version: Version, packet_id: u16, codes: &[Reason]) {
    let properties = usize::from(version == Version::V5);
    out.push(first);
    put_variable_integer(out, 2 + properties + codes.len());
    out.extend_from_slice(&packet_id.to_be_bytes());
    if version == Version::V5 {
        out.push(0);
    }
    // 3.1.1 knows one failure, 0x80.
    out.extend(codes.iter().map(|code| match version {
        Version::V311 if code.is_failure() => 0x80,
        _ => code.0,
    }));
}

/// PINGRESP (3.13).
pub fn pingresp(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xd0, 0]);
}

/// DISCONNECT (3.14) from the server; MQTT 3.1.1 has none, so nothing is written for it.
pub fn disconnect(out: &mut Vec<u8>, version: Version, reason: Reason, text: Option<&str>) {
    if version == Version::V311 {
        return;
    }
    let code = v5::DisconnectReasonCode::from_u8(reason.0)
        .unwrap_or(v5::DisconnectReasonCode::UnspecifiedError);
    let mut packet = v5::Disconnect::new(code);
    packet.properties.reason_string = text.map(|t| cut(t).into());
    codec(out, packet.into());
}

/// PUBLISH (3.3) to a subscriber. `expiry_seconds` is what is left of the message's life.
/// Writes nothing and answers `false` when the packet would exceed `bytes_max`.
pub fn publish(
    out: &mut Vec<u8>,
    version: Version,
    delivery: &Delivery,
    packet_id: Option<u16>,
    dup: bool,
    expiry_seconds: Option<u32>,
    bytes_max: usize,
) -> bool {
    let message = &*delivery.message;
    let qos = if packet_id.is_some() {
        delivery.qos
    } else {
        Qos::AtMostOnce
    };
    let mut properties = 0;
    if version == Version::V5 {
        properties = message.properties.len()
            + if expiry_seconds.is_some() { 5 } else { 0 }
            + delivery
                .subscription_ids
                .iter()
                .map(|id| 1 + variable_integer_bytes(*id as usize))
                .sum::<usize>();
    }
    let properties_field = match version {
        Version::V5 => variable_integer_bytes(properties) + properties,
        Version::V311 => 0,
    };
    let body = 2
        + message.topic.len()
        + if packet_id.is_some() { 2 } else { 0 }
        + properties_field
        + message.payload.len();
    if 1 + variable_integer_bytes(body) + body > bytes_max {
        return false;
    }
    out.push(0x30 | (u8::from(dup) << 3) | ((qos as u8) << 1) | u8::from(delivery.retain));
    put_variable_integer(out, body);
    put_text(out, message.topic.as_bytes());
    if let Some(packet_id) = packet_id {
        out.extend_from_slice(&packet_id.to_be_bytes());
    }
    if version == Version::V5 {
        put_variable_integer(out, properties);
        out.extend_from_slice(&message.properties);
        if let Some(seconds) = expiry_seconds {
            out.push(property::EXPIRY);
            out.extend_from_slice(&seconds.to_be_bytes());
        }
        for id in &delivery.subscription_ids {
            out.push(property::SUBSCRIPTION_ID);
            put_variable_integer(out, *id as usize);
        }
    }
    out.extend_from_slice(&message.payload);
    true
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text);
}

fn codec(out: &mut Vec<u8>, packet: v5::Packet) {
    // Encoding into memory fails only above the format's largest length, which a CONNACK or
    // DISCONNECT with a cut reason text cannot reach.
    if let Ok(bytes) = packet.encode() {
        out.extend_from_slice(bytes.as_ref());
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(REASON_TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
