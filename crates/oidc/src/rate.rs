//! How often something may be asked: so many times in a window, for each who asks. Pure: the time is given.

use model::Timestamp;
use std::collections::HashMap;

/// Counts requests.
#[derive(Debug)]
pub struct Rate {
    per_window_max: u32,
    window_s: i64,
    remembered_max: usize,
    counts: HashMap<String, (Timestamp, u32)>,
}

impl Rate {
    /// So many in a window of seconds, for at most so many askers at once; of more, those whose window began first are
    /// forgotten.
    pub fn new(per_window_max: u32, window_s: i64, remembered_max: usize) -> Self {
        Self {
            per_window_max,
            window_s,
            remembered_max,
            counts: HashMap::new(),
        }
    }

    /// Seconds to wait when the window is full; nothing is counted.
    ///
    /// # Errors
    /// Seconds to wait, at least 1.
    pub fn ask(&self, who: &str, now: Timestamp) -> Result<(), u64> {
        match self.counts.get(who) {
            Some((since, count))
                if *count >= self.per_window_max
                    && *since <= now
                    && since.plus_seconds(self.window_s) > now =>
            {
                let left = since.plus_seconds(self.window_s).micros_since(now);
                Err(left.unsigned_abs().div_ceil(1_000_000).max(1))
            }
            _ => Ok(()),
        }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// Seconds to wait, at least 1.
    pub fn take(&mut self, who: &str, now: Timestamp) -> Result<(), u64> {
        if self.counts.len() >= self.remembered_max && !self.counts.contains_key(who) {
            let window_s = self.window_s;
            self.counts
                .retain(|_, (since, _)| since.plus_seconds(window_s) > now);
            if self.counts.len() >= self.remembered_max
                && let Some(oldest) = self
                    .counts
                    .iter()
                    .min_by_key(|(_, (since, count))| (*since, *count))
                    .map(|(who, _)| who.clone())
            {
                self.counts.remove(&oldest);
            }
        }
        let (since, count) = self.counts.entry(who.to_owned()).or_insert((now, 0));
        if since.plus_seconds(self.window_s) <= now || *since > now {
            (*since, *count) = (now, 0);
        }
        if *count >= self.per_window_max {
            let left = since.plus_seconds(self.window_s).micros_since(now);
            return Err(left.unsigned_abs().div_ceil(1_000_000).max(1));
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn each_has_a_window_of_its_own_and_a_flood_is_bounded() {
        let mut rate = Rate::new(2, 60, 3);
        assert_eq!(rate.take("a", T0), Ok(()));
        assert_eq!(rate.take("a", T0), Ok(()));
        assert_eq!(rate.take("a", T0.plus_seconds(20)), Err(40));
        assert_eq!(rate.ask("a", T0.plus_seconds(20)), Err(40));
        assert_eq!(rate.ask("a", T0.plus_seconds(60)), Ok(()));
        assert_eq!(rate.take("b", T0), Ok(()));
        assert_eq!(rate.take("a", T0.plus_seconds(60)), Ok(()));
        for n in 0..50 {
            assert_eq!(rate.take(&n.to_string(), T0), Ok(()));
        }
        assert!(rate.counts.len() <= 3);
    }
}
