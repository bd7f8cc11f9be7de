//! What the journal holds: every message that came through a door, whole, with what it was understood
//! to say, or why it was not understood; what the MQTT door keeps for later subscribers; and what people
//! correct afterwards. Encoded with postcard behind a version byte; every version ever written stays readable.

use crate::ids::{AttributeName, DeviceId, EntityId, TypeName};
use crate::problem::Problem;
use crate::time::Timestamp;
use crate::update::{AttributeUpdate, Quality, Update};
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// Version byte in front of every encoded record.
///
/// | version | what changed |
/// | --- | --- |
/// | 1 | the first |
/// | 2 | a rejected message tells its whole size, because of one that is too large only the front is kept |
/// | 3 | there is [`Record::Retained`] |
/// | 4 | there are [`Record::Corrected`] and [`Quality::Corrected`] |
pub const RECORD_VERSION: u8 = 4;
/// The door that corrections come through, as history names it.
pub const CORRECTION_DOOR: &str = "correction";
/// Where [`Record::Retained`] stands in the enum, which is how the encoded form names it.
const RETAINED_VARIANT: u8 = 2;

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// A message understood, with its updates.
    Accepted(Accepted),
    /// A message not understood (dead letter, 死信), whole, with the reason.
    Rejected(Rejected),
    /// The MQTT door keeps a message of a topic for later subscribers, or keeps none any more. Says nothing
    /// about the city: what the message says is in its own [`Record::Accepted`], written before.
    Retained(Retained),
    /// A person corrects one observation, or withdraws it.
    Corrected(Corrected),
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
    /// Whether the sender asked an MQTT broker to keep it; what is kept is said by [`Record::Retained`].
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
    /// The message as it came, whole; of one too large to keep, its front.
    pub raw: Vec<u8>,
    /// Size of the whole message, bytes; more than `raw` holds when only its front was kept.
    pub size_bytes: u64,
    /// What was wrong with it.
    pub problem: Problem,
}

/// What the MQTT door keeps of one topic from here on: the last one of a topic counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retained {
    /// The door: `mqtt`.
    pub door: String,
    /// The device that published it; `None` for another client or the platform itself.
    pub device_id: Option<DeviceId>,
    /// The topic.
    pub address: String,
    /// When it was published.
    pub received_at: Timestamp,
    /// The payload; empty when the topic is cleared.
    pub raw: Vec<u8>,
    /// The quality of service it was published with, 0 to 2.
    pub qos: u8,
    /// The MQTT 5 properties that subscribers get, encoded as MQTT does.
    pub properties: Vec<u8>,
    /// From when on nobody gets it any more.
    pub expires_at: Option<Timestamp>,
}

/// A correction (数据更正): one observation gives way to another value, or to none. The message that said the
/// old one stays in the journal as it came; this says what was wrong with it, who says so and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Corrected {
    /// The entity.
    pub entity_id: EntityId,
    /// Its type.
    pub entity_type: TypeName,
    /// The attribute.
    pub attribute: AttributeName,
    /// When the observation was made; a correction does not change it.
    pub observed_at: Timestamp,
    /// Journal position of the record that said the superseded value: a message, or an earlier correction.
    pub supersedes: u64,
    /// The superseded value.
    pub old_value: Value,
    /// Its unit.
    pub old_unit: Option<String>,
    /// Its quality.
    pub old_quality: Quality,
    /// The value that holds from now on; `None` when the observation is withdrawn and none takes its place.
    pub value: Option<Value>,
    /// UN/CEFACT code of its unit.
    pub unit: Option<String>,
    /// Why, in the person's words.
    pub reason: String,
    /// Who.
    pub by: Corrector,
    /// When the platform was told.
    pub received_at: Timestamp,
    /// The request as it came; provenance leads to these bytes.
    pub raw: Vec<u8>,
}

/// Who corrects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrector {
    /// `user`, or `token` for a machine.
    pub kind: String,
    /// The user's or the token's id.
    pub id: String,
    /// The name at the time.
    pub name: String,
    /// The network address that the call came from.
    pub peer: String,
}

impl Corrected {
    /// The correction as a message that says the new value: what a projection keeps in the place of the old
    /// one. A withdrawn observation says [`Value::Deleted`].
    pub fn said(&self) -> Accepted {
        let value = self.value.clone().unwrap_or(Value::Deleted);
        Accepted {
            door: CORRECTION_DOOR.to_owned(),
            device_id: None,
            address: String::new(),
            received_at: self.received_at,
            raw: Vec::new(),
            updates: vec![Update {
                entity_id: self.entity_id.clone(),
                entity_type: self.entity_type.clone(),
                attributes: vec![AttributeUpdate {
                    name: self.attribute.clone(),
                    value,
                    unit: self.unit.clone(),
                    observed_at: self.observed_at,
                    quality: Quality::Corrected,
                }],
            }],
            retain: false,
        }
    }
}

/// [`Record`] as version 1 wrote it.
#[derive(Deserialize)]
enum RecordV1 {
    Accepted(Accepted),
    Rejected(RejectedV1),
}

#[derive(Deserialize)]
struct RejectedV1 {
    door: String,
    device_id: Option<DeviceId>,
    address: String,
    received_at: Timestamp,
    raw: Vec<u8>,
    problem: Problem,
}

impl From<RecordV1> for Record {
    fn from(old: RecordV1) -> Self {
        match old {
            RecordV1::Accepted(accepted) => Self::Accepted(accepted),
            RecordV1::Rejected(old) => Self::Rejected(Rejected {
                door: old.door,
                device_id: old.device_id,
                address: old.address,
                received_at: old.received_at,
                size_bytes: old.raw.len() as u64,
                raw: old.raw,
                problem: old.problem,
            }),
        }
    }
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
            Some((2 | 3 | &RECORD_VERSION, rest)) => {
                postcard::from_bytes(rest).map_err(RecordError::Damaged)
            }
            Some((1, rest)) => postcard::from_bytes::<RecordV1>(rest)
                .map(Into::into)
                .map_err(RecordError::Damaged),
            Some((&version, _)) => Err(RecordError::Version(version)),
        }
    }

    /// Whether encoded bytes are a [`Record::Retained`], without the cost of decoding the others.
    pub fn is_retained(bytes: &[u8]) -> bool {
        bytes.get(1) == Some(&RETAINED_VARIANT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    fn rejected(size_bytes: u64) -> Record {
        Record::Rejected(Rejected {
            door: "mqtt".into(),
            device_id: Some(DeviceId::new("urn:ngsi-ld:Device:1").unwrap()),
            address: "devices/1/up".into(),
            received_at: Timestamp::from_seconds(1_790_000_000),
            raw: b"{".to_vec(),
            size_bytes,
            problem: Problem::new(
                "json-syntax",
                "not JSON",
                "line 1 column 2",
                "send it whole",
            ),
        })
    }

    fn retained() -> Record {
        Record::Retained(Retained {
            door: "mqtt".into(),
            device_id: Some(DeviceId::new("urn:ngsi-ld:Device:1").unwrap()),
            address: "devices/1/up".into(),
            received_at: Timestamp::from_seconds(1_790_000_000),
            raw: b"{}".to_vec(),
            qos: 1,
            properties: vec![1, 1],
            expires_at: Some(Timestamp::from_seconds(1_790_000_060)),
        })
    }

    fn corrected(value: Option<Value>) -> Record {
        Record::Corrected(Corrected {
            entity_id: EntityId::new("urn:ngsi-ld:WaterObserved:1").unwrap(),
            entity_type: TypeName::new("WaterObserved").unwrap(),
            attribute: AttributeName::new("waterLevel").unwrap(),
            observed_at: Timestamp::from_seconds(1_790_000_000),
            supersedes: 7,
            old_value: Value::Number(812.0),
            old_unit: Some("MTR".into()),
            old_quality: Quality::OutOfRange,
            value,
            unit: Some("MTR".into()),
            reason: "读数多了一位 / a digit too many".into(),
            by: Corrector {
                kind: "user".into(),
                id: "3".into(),
                name: "planner".into(),
                peer: "127.0.0.1".into(),
            },
            received_at: Timestamp::from_seconds(1_790_000_900),
            raw: b"{}".to_vec(),
        })
    }

    #[test]
    fn a_retained_record_is_told_from_the_others_by_its_first_bytes() {
        assert!(Record::is_retained(&retained().encode()));
        assert!(!Record::is_retained(&sample().encode()));
        assert!(!Record::is_retained(&rejected(1).encode()));
        assert!(!Record::is_retained(&corrected(None).encode()));
        assert!(!Record::is_retained(include_bytes!(
            "../fixtures/record-v1.bin"
        )));
        assert!(!Record::is_retained(&[]));
    }

    #[test]
    fn decode_undoes_encode() {
        for record in [
            sample(),
            rejected(10_000_000),
            retained(),
            corrected(Some(Value::Number(28.12))),
            corrected(None),
        ] {
            assert_eq!(Record::decode(&record.encode()).unwrap(), record);
        }
    }

    #[test]
    fn every_version_stays_readable() {
        // One of each kind a version; never change a fixture, add others beside it.
        let v1 = include_bytes!("../fixtures/record-v1.bin");
        assert_eq!(Record::decode(v1).unwrap(), sample());
        let v1 = include_bytes!("../fixtures/record-v1-rejected.bin");
        assert_eq!(Record::decode(v1).unwrap(), rejected(1));
        let v2 = include_bytes!("../fixtures/record-v2.bin");
        assert_eq!(Record::decode(v2).unwrap(), sample());
        let v2 = include_bytes!("../fixtures/record-v2-rejected.bin");
        assert_eq!(Record::decode(v2).unwrap(), rejected(10_000_000));
        let v3: [(&[u8], _); 3] = [
            (include_bytes!("../fixtures/record-v3.bin"), sample()),
            (
                include_bytes!("../fixtures/record-v3-rejected.bin"),
                rejected(10_000_000),
            ),
            (
                include_bytes!("../fixtures/record-v3-retained.bin"),
                retained(),
            ),
        ];
        for (stored, record) in v3 {
            assert_eq!(Record::decode(stored).unwrap(), record);
        }
        let v4: [(&[u8], _); 4] = [
            (include_bytes!("../fixtures/record-v4.bin"), sample()),
            (
                include_bytes!("../fixtures/record-v4-rejected.bin"),
                rejected(10_000_000),
            ),
            (
                include_bytes!("../fixtures/record-v4-retained.bin"),
                retained(),
            ),
            (
                include_bytes!("../fixtures/record-v4-corrected.bin"),
                corrected(Some(Value::Number(28.12))),
            ),
        ];
        for (stored, record) in v4 {
            assert_eq!(Record::decode(stored).unwrap(), record);
            assert_eq!(record.encode(), stored);
        }
    }

    #[test]
    fn damage_is_told() {
        assert_eq!(Record::decode(&[]), Err(RecordError::Empty));
        assert_eq!(Record::decode(&[9, 1]), Err(RecordError::Version(9)));
        assert!(matches!(
            Record::decode(&[2, 0, 200]),
            Err(RecordError::Damaged(_))
        ));
    }
}
