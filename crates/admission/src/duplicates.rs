//! Remembers the newest messages, so that one sent again (an MQTT client after a lost acknowledgement,
//! an HTTP client after a time-out) is acknowledged with its first position and not written twice.
//! Only messages whose every attribute carries its own time are compared: two equal readings without a
//! time are two readings.

use crate::ingest::Incoming;
use hashbrown::HashMap;
use model::{Update, Value};
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

/// Messages longer than this, in bytes, are hashed by the algorithm that is faster for long ones.
const LONG_BYTES: usize = 4_096;

/// Makes fingerprints that nobody outside can foresee.
#[derive(Default)]
pub struct Fingerprints(RandomState);

/// A bounded memory of message fingerprints.
pub struct Duplicates {
    positions: HashMap<u64, u64>,
    order: VecDeque<u64>,
    remembered_max: usize,
}

impl Fingerprints {
    /// The message's fingerprint, or `None` when something in it carries no time of its own.
    ///
    /// It is made of the bytes as they came, in one stretch, and of what the first update says: the same bytes at the
    /// same address say something else only when the request said how to read them (a precision of times), and then the
    /// first update differs too.
    pub fn of(
        &self,
        sender: Option<&str>,
        incoming: &Incoming<'_>,
        updates: &[Update],
    ) -> Option<u64> {
        let mut attributes = updates.iter().flat_map(|update| &update.attributes);
        if attributes.any(|attribute| attribute.observed_at == incoming.received_at) {
            return None;
        }
        let mut h = self.0.build_hasher();
        (sender, incoming.address, updates.len()).hash(&mut h);
        if incoming.raw.len() > LONG_BYTES {
            blake3::hash(incoming.raw).as_bytes().hash(&mut h);
        } else {
            incoming.raw.hash(&mut h);
        }
        if let Some(first) = updates.first() {
            (&first.entity_id, &first.entity_type).hash(&mut h);
            for attribute in &first.attributes {
                (&attribute.name, attribute.observed_at, &attribute.unit).hash(&mut h);
                hash_value(&attribute.value, &mut h);
            }
        }
        Some(h.finish())
    }
}

impl Duplicates {
    /// Remembers at most `remembered_max` messages.
    pub fn new(remembered_max: usize) -> Self {
        Self {
            positions: HashMap::new(),
            order: VecDeque::new(),
            remembered_max,
        }
    }

    /// The position where the same message was written before, if it is remembered.
    pub fn seen(&self, fingerprint: u64) -> Option<u64> {
        self.positions.get(&fingerprint).copied()
    }

    /// Remembers a message.
    pub fn remember(&mut self, fingerprint: u64, position: u64) {
        if self.remembered_max == 0 {
            return;
        }
        if self.order.len() == self.remembered_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.positions.remove(&oldest);
        }
        if self.positions.insert(fingerprint, position).is_none() {
            self.order.push_back(fingerprint);
        }
    }
}

fn hash_value(value: &Value, h: &mut impl Hasher) {
    std::mem::discriminant(value).hash(h);
    match value {
        Value::Number(n) => n.to_bits().hash(h),
        Value::Boolean(b) => b.hash(h),
        Value::Text(t) | Value::Json(t) => t.hash(h),
        Value::Relationship(id) => id.hash(h),
        Value::Geometry(g) => g.bbox().map(f64::to_bits).hash(h),
        Value::Deleted => {}
    }
}
