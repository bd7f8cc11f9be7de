//! Messages that come again: a station that sees no confirmation sends the same message with the same serial number (6.6.2.4),
//! perhaps over another link and with another time of sending. It is confirmed again and not taken twice.

use crate::frame::{Encoding, Frame};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

/// A message's fingerprint: station, function, serial number, and all of its body but the time of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64, u64);

/// A bounded memory of the messages taken, and of the journal position that each was given.
#[derive(Debug)]
pub struct Repeated {
    // Two of them, so that nobody outside can make two messages look alike.
    hashers: (RandomState, RandomState),
    positions: HashMap<Fingerprint, u64>,
    order: VecDeque<Fingerprint>,
    remembered_max: usize,
}

impl Repeated {
    /// Remembers at most `remembered_max` messages.
    pub fn new(remembered_max: usize) -> Self {
        Self {
            hashers: Default::default(),
            positions: HashMap::new(),
            order: VecDeque::new(),
            remembered_max,
        }
    }

    /// The fingerprint of a whole message.
    pub fn fingerprint(&self, frame: &Frame) -> Fingerprint {
        let (serial, time) = match frame.encoding {
            Encoding::Hex => (2, 6),
            Encoding::Ascii => (4, 12),
        };
        let of = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            (frame.station, frame.function, frame.centre).hash(&mut hasher);
            frame.body.get(..serial).hash(&mut hasher);
            frame.body.get(serial + time..).hash(&mut hasher);
            hasher.finish()
        };
        Fingerprint(of(&self.hashers.0), of(&self.hashers.1))
    }

    /// Where the same message was written before.
    pub fn seen(&self, fingerprint: Fingerprint) -> Option<u64> {
        self.positions.get(&fingerprint).copied()
    }

    /// Remembers a message that was given a position.
    pub fn remember(&mut self, fingerprint: Fingerprint, position: u64) {
        if self.remembered_max == 0 {
            return;
        }
        if self.order.len() >= self.remembered_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.positions.remove(&oldest);
        }
        if self.positions.insert(fingerprint, position).is_none() {
            self.order.push_back(fingerprint);
        }
    }
}
