//! What the simulated city's devices say.

use crate::Random;
use model::{
    Accepted, AttributeName, AttributeUpdate, EntityId, Problem, Quality, Record, Rejected,
    Timestamp, TypeName, Update, Value,
};

/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;
/// The type whose history is given up after a while.
pub const EVEN: &str = "Even";
/// The type whose history is kept.
pub const ODD: &str = "Odd";

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
