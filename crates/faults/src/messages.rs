//! What the simulated city's devices say.

use crate::Random;
use model::{
    Accepted, AttributeName, AttributeUpdate, Corrected, Corrector, EntityId, Problem, Quality,
    Record, Rejected, Timestamp, TypeName, Update, Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;
/// The type whose history is given up after a while.
pub const EVEN: &str = "Even";
/// The type whose history is kept.
pub const ODD: &str = "Odd";

/// An observation that stands: no correction has taken its place.
#[derive(Clone, Debug)]
pub struct Stands {
    /// Of the record that said it.
    pub position: u64,
    /// The entity.
    pub entity_id: EntityId,
    /// Its type.
    pub entity_type: TypeName,
    /// Attribute, value and time.
    pub said: AttributeUpdate,
}

/// What tells an observation from every other: position, entity, attribute, time.
pub type Key = (u64, String, String, i64);

/// The observation whose place a correction takes.
pub fn superseded(corrected: &Corrected) -> Key {
    (
        corrected.supersedes,
        corrected.entity_id.to_string(),
        corrected.attribute.to_string(),
        corrected.observed_at.micros(),
    )
}

/// The observations of some records that stand; values that were taken away are none.
///
/// # Errors
/// When a record does not decode.
pub fn standing<'a>(
    records: impl Iterator<Item = (&'a u64, &'a Vec<u8>)>,
) -> Result<Vec<Stands>, String> {
    let mut all: BTreeMap<Key, Stands> = BTreeMap::new();
    let mut gone: BTreeSet<Key> = BTreeSet::new();
    for (position, bytes) in records {
        let said = match Record::decode(bytes).map_err(|e| e.to_string())? {
            Record::Accepted(said) => said,
            Record::Corrected(corrected) => {
                gone.insert(superseded(&corrected));
                corrected.said()
            }
            Record::Rejected(_) | Record::Retained(_) => continue,
        };
        for update in said.updates {
            for said in update.attributes {
                if said.value == Value::Deleted {
                    continue;
                }
                let key = (
                    *position,
                    update.entity_id.to_string(),
                    said.name.to_string(),
                    said.observed_at.micros(),
                );
                let stands = Stands {
                    position: *position,
                    entity_id: update.entity_id.clone(),
                    entity_type: update.entity_type.clone(),
                    said,
                };
                all.insert(key, stands);
            }
        }
    }
    all.retain(|key, _| !gone.contains(key));
    Ok(all.into_values().collect())
}

/// Makes messages, one after the other, on a clock of its own.
pub struct Messages {
    /// Now.
    pub now_us: i64,
    serial: u64,
    /// Some observations come days late, and some are doubtful: for a lake.
    is_varied: bool,
}

impl Messages {
    /// The first comes in September 2026.
    pub const fn new(is_varied: bool) -> Self {
        Self {
            now_us: 1_790_000_000_000_000,
            serial: 0,
            is_varied,
        }
    }

    /// The next one.
    pub fn next(&mut self, random: &mut Random) -> Record {
        self.serial += 1;
        self.now_us += random.below(1_000_000) as i64;
        let received_at = Timestamp::from_micros(self.now_us);
        let length = if random.once_in(12) { 1_500 } else { 80 };
        let raw = vec![self.serial as u8; random.below(length) as usize];
        let address = format!("m/{}", self.serial);
        if random.once_in(6) {
            return Record::Rejected(Rejected {
                door: "sim".into(),
                device_id: None,
                address,
                received_at,
                size_bytes: raw.len() as u64,
                raw,
                problem: Problem::new("sim", "not understood", "message", "none"),
            });
        }
        let count = 1 + random.below(3);
        let updates = (0..count).map(|_| self.update(random)).collect();
        Record::Accepted(Accepted {
            door: "sim".into(),
            device_id: None,
            address,
            received_at,
            raw,
            updates,
            retain: false,
        })
    }

    /// What a device observes now: one number, at a time and with a value of its own, so that no two messages are
    /// the same.
    pub fn of_device(&mut self, random: &mut Random) -> Update {
        self.serial += 1;
        self.now_us += 1_000 + random.below(1_000_000) as i64;
        let mut update = self.update(random);
        for attribute in &mut update.attributes {
            attribute.value = Value::Number(self.serial as f64);
            attribute.observed_at = Timestamp::from_micros(self.now_us - 1);
        }
        update
    }

    /// A person corrects an observation, or withdraws it.
    pub fn correct(&mut self, stands: &Stands, random: &mut Random) -> Corrected {
        self.serial += 1;
        self.now_us += random.below(1_000_000) as i64;
        let value = match random.below(8) {
            0 | 1 => None,
            2 => Some(Value::Text(format!("corrected {}", self.serial))),
            _ => Some(Value::Number(0.5 + self.serial as f64)),
        };
        Corrected {
            entity_id: stands.entity_id.clone(),
            entity_type: stands.entity_type.clone(),
            attribute: stands.said.name.clone(),
            observed_at: stands.said.observed_at,
            supersedes: stands.position,
            old_value: stands.said.value.clone(),
            old_unit: stands.said.unit.clone(),
            old_quality: stands.said.quality,
            value,
            unit: None,
            reason: "simulated".into(),
            by: Corrector {
                kind: "user".into(),
                id: "1".into(),
                name: "somebody".into(),
                peer: String::new(),
            },
            received_at: Timestamp::from_micros(self.now_us),
            raw: vec![self.serial as u8; random.below(80) as usize],
        }
    }

    fn update(&self, random: &mut Random) -> Update {
        let entity = random.below(12);
        let value = match random.below(8) {
            0 => Value::Deleted,
            1 => Value::Text(format!("text {}", self.serial)),
            n => Value::Number(n as f64 + self.serial as f64),
        };
        let (mut late_us, mut quality) = (random.below(5_000_000) as i64, Quality::Good);
        if self.is_varied && random.once_in(6) {
            late_us += random.below(3 * DAY_US as u64) as i64;
        }
        if self.is_varied && random.once_in(8) {
            quality = Quality::Uncertain;
        }
        let even = entity.is_multiple_of(2);
        Update {
            entity_id: EntityId::new(format!("urn:x:{entity}")).expect("a good id"),
            entity_type: TypeName::new(if even { EVEN } else { ODD }).expect("a good name"),
            attributes: vec![AttributeUpdate {
                name: AttributeName::new(["a", "b", "c"][random.below(3) as usize])
                    .expect("a good name"),
                value,
                unit: None,
                observed_at: Timestamp::from_micros(self.now_us - late_us),
                quality,
            }],
        }
    }
}
