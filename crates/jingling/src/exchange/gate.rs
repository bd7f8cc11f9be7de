//! Counts requests by whom they come from, a minute at a time.

use model::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;

const MINUTE_MICROS: i64 = 60_000_000;
const SECOND_MICROS: u64 = 1_000_000;

/// Requests of the running minute, by key.
#[derive(Debug)]
pub struct Gate<K> {
    began: i64,
    counts: HashMap<K, u32>,
    per_minute_max: u32,
    keys_max: usize,
}

impl<K: Hash + Eq> Gate<K> {
    /// Nothing counted yet. In a minute with more keys than `keys_max` the others wait for the next.
    pub fn new(per_minute_max: u32, keys_max: usize) -> Self {
        Self {
            began: 0,
            counts: HashMap::new(),
            per_minute_max,
            keys_max,
        }
    }

    /// Counts one.
    ///
    /// # Errors
    /// One too many: the seconds to wait.
    pub fn pass(&mut self, key: K, now: Timestamp) -> Result<(), u64> {
        let now = now.micros();
        // A clock that jumped back begins a new minute too.
        if !(0..MINUTE_MICROS).contains(&now.saturating_sub(self.began)) {
            self.began = now;
            self.counts.clear();
        }
        let left = (MINUTE_MICROS - (now - self.began)).max(1).unsigned_abs();
        let wait = left.div_ceil(SECOND_MICROS);
        if self.counts.len() >= self.keys_max && !self.counts.contains_key(&key) {
            return Err(wait);
        }
        let count = self.counts.entry(key).or_default();
        if *count >= self.per_minute_max {
            return Err(wait);
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_of_each_and_so_many_keys() {
        let mut gate = Gate::new(2, 2);
        let at = |s: i64| Timestamp::from_seconds(1_000 + s);
        assert_eq!(gate.pass("a", at(0)), Ok(()));
        assert_eq!(gate.pass("a", at(1)), Ok(()));
        assert_eq!(gate.pass("a", at(10)), Err(50));
        assert_eq!(gate.pass("b", at(10)), Ok(()));
        assert_eq!(gate.pass("c", at(10)), Err(50), "one key too many");
        assert_eq!(gate.pass("c", at(60)), Ok(()));
        assert_eq!(gate.pass("a", at(0)), Ok(()), "the clock went back");
    }
}
