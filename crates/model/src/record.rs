//! What the journal holds: every message that came through a door, whole, with what it was understood
//! to say, or why it was not understood; and what the MQTT door keeps for later subscribers. Encoded with
//! postcard behind a version byte; every version ever written stays readable.

use crate::ids::DeviceId;
use crate::problem::Problem;
use crate::time::Timestamp;
use crate::update::Update;
use serde::{Deserialize, Serialize};

/// Version byte in front of every encoded record.
///
/// | version | what changed |
/// | --- | --- |
/// | 1 | the first |
/// | 2 | a rejected message tells its whole size, because of one that is too large only the front is kept |
/// | 3 | there is [`Record::Retained`] |
pub const RECORD_VERSION: u8 = 3;
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
            Some((2 | &RECORD_VERSION, rest)) => {
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

    #[test]
    fn a_retained_record_is_told_from_the_others_by_its_first_bytes() {
        assert!(Record::is_retained(&retained().encode()));
        assert!(!Record::is_retained(&sample().encode()));
        assert!(!Record::is_retained(&rejected(1).encode()));
        assert!(!Record::is_retained(include_bytes!(
            "../fixtures/record-v1.bin"
        )));
        assert!(!Record::is_retained(&[]));
    }

    #[test]
    fn decode_undoes_encode() {
        for record in [sample(), rejected(10_000_000), retained()] {
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
