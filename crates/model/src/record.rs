//! What the journal holds: every message that came through a door, whole, with what it was understood
//! to say, or why it was not understood. Encoded with postcard behind a version byte; every version
//! ever written stays readable.

use crate::ids::DeviceId;
use crate::problem::Problem;
use crate::time::Timestamp;
use crate::update::Update;
use serde::{Deserialize, Serialize};

/// Version byte in front of every encoded record.
pub const RECORD_VERSION: u8 = 1;

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// A message understood, with its updates.
    Accepted(Accepted),
    /// A message not understood (dead letter, 死信), whole, with the reason.
    Rejected(Rejected),
}

/// A message that was understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The door it came through: `mqtt`, `ngsi-ld`, `influx`, `api`, …
    pub door: String,
    /// The device or client that sent it; `None` for a person or the platform itself.
    pub device_id: Option<DeviceId>,
    /// Where in the door it was addressed: the MQTT topic, the HTTP path.
    pub address: String,
    /// When the door received it.
    pub received_at: Timestamp,
    /// The message as it came; provenance leads to these bytes.
    pub raw: Vec<u8>,
    /// What it says.
    pub updates: Vec<Update>,
    /// Whether an MQTT broker keeps it for later subscribers.
    pub retain: bool,
}

/// A message that was not understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// The door it came through.
    pub door: String,
    /// The device or client that sent it, when known.
    pub device_id: Option<DeviceId>,
    /// Where in the door it was addressed.
    pub address: String,
    /// When the door received it.
    pub received_at: Timestamp,
    /// The message as it came, whole.
    pub raw: Vec<u8>,
    /// What was wrong with it.
    pub problem: Problem,
}

/// Why stored bytes are not a record.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum RecordError {
    /// The version byte is one this program does not know.
    #[error(
        "record version {0} is unknown to this program; run the version that wrote it, or newer"
    )]
    Version(u8),
    /// The bytes do not decode.
    #[error("record does not decode: {0}")]
    Damaged(postcard::Error),
    /// No bytes at all.
    #[error("record is empty")]
    Empty,
}

impl Record {
    /// Appends the encoded record to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.push(RECORD_VERSION);
        let taken = std::mem::take(out);
        // Encoding into memory cannot fail: every field has a postcard form.
        *out = postcard::to_extend(self, taken).expect("a record always encodes");
    }

    /// The encoded record.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        self.encode_into(&mut out);
        out
    }

    /// Reads an encoded record.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        match bytes.split_first() {
            None => Err(RecordError::Empty),
            Some((&RECORD_VERSION, rest)) => {
                postcard::from_bytes(rest).map_err(RecordError::Damaged)
            }
            Some((&version, _)) => Err(RecordError::Version(version)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AttributeName, AttributeUpdate, EntityId, Quality, TypeName, Value};

    fn sample() -> Record {
        Record::Accepted(Accepted {
            door: "mqtt".into(),
            device_id: Some(DeviceId::new("urn:ngsi-ld:Device:1").unwrap()),
            address: "devices/1/up".into(),
            received_at: Timestamp::from_seconds(1_790_000_000),
            raw: b"{}".to_vec(),
            updates: vec![Update {
                entity_id: EntityId::new("urn:ngsi-ld:WaterObserved:1").unwrap(),
                entity_type: TypeName::new("WaterObserved").unwrap(),
                attributes: vec![AttributeUpdate {
                    name: AttributeName::new("waterLevel").unwrap(),
                    value: Value::Number(29.31),
                    unit: Some("MTR".into()),
                    observed_at: Timestamp::from_seconds(1_790_000_000),
                    quality: Quality::Good,
                }],
            }],
            retain: false,
        })
    }

    #[test]
    fn decode_undoes_encode() {
        let record = sample();
        assert_eq!(Record::decode(&record.encode()).unwrap(), record);
    }

    #[test]
    fn version_1_stays_readable() {
        // Written by version 1 of the format; never change this fixture, add another beside it.
        let stored = include_bytes!("../fixtures/record-v1.bin");
        assert_eq!(Record::decode(stored).unwrap(), sample());
    }

    #[test]
    fn damage_is_told() {
        assert_eq!(Record::decode(&[]), Err(RecordError::Empty));
        assert_eq!(Record::decode(&[9, 1]), Err(RecordError::Version(9)));
        assert!(matches!(
            Record::decode(&[1, 0, 200]),
            Err(RecordError::Damaged(_))
        ));
    }
}
