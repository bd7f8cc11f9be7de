//! What waits for its second half for a few minutes: half sign-ins, challenges, secrets that are shown and not yet
//! confirmed. Held in memory, because whoever is in the middle of a sign-in when the city restarts begins again. Pure: the
//! time is given.

use model::Timestamp;
use std::collections::HashMap;

/// Things that wait, each under a key that only its owner can know, for one use.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    kept: HashMap<String, Kept<T>>,
    /// Counts what came, so that of two that came in one instant one is older.
    came: u64,
    lasts_s: i64,
    max: usize,
    per_peer_max: usize,
}

#[derive(Debug)]
struct Kept<T> {
    value: T,
    peer: String,
    came: u64,
    expires_at: Timestamp,
}

impl<T> Pending<T> {
    /// Nothing yet.
    pub fn new(lasts_s: i64, max: usize, per_peer_max: usize) -> Self {
        Self {
            kept: HashMap::new(),
            came: 0,
            lasts_s,
            max,
            per_peer_max,
        }
    }

    /// Keeps one; gives when it ends. A network address that keeps too many loses its own oldest, so that it cannot drive
    /// out what others keep; only when all together are too many, the oldest of all goes.
    pub fn put(&mut self, key: String, peer: &str, value: T, now: Timestamp) -> Timestamp {
        self.kept.retain(|_, kept| kept.expires_at > now);
        let of_peer = self.kept.values().filter(|k| k.peer == peer).count();
        let victim = if of_peer >= self.per_peer_max {
            self.oldest(|kept| kept.peer == peer)
        } else if self.kept.len() >= self.max {
            self.oldest(|_| true)
        } else {
            None
        };
        if let Some(victim) = victim {
            self.kept.remove(&victim);
        }
        let expires_at = now.plus_seconds(self.lasts_s);
        self.came += 1;
        let kept = Kept {
            value,
            peer: peer.to_owned(),
            came: self.came,
            expires_at,
        };
        self.kept.insert(key, kept);
        expires_at
    }

    fn oldest(&self, of: impl Fn(&Kept<T>) -> bool) -> Option<String> {
        let of = self.kept.iter().filter(|(_, kept)| of(kept));
        of.min_by_key(|(_, kept)| kept.came)
            .map(|(key, _)| key.clone())
    }

    /// What is kept under a key and has not ended.
    pub fn get(&self, key: &str, now: Timestamp) -> Option<&T> {
        let kept = self.kept.get(key)?;
        (kept.expires_at > now).then_some(&kept.value)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, key: &str, now: Timestamp) -> Option<&mut T> {
        let kept = self.kept.get_mut(key)?;
        (kept.expires_at > now).then_some(&mut kept.value)
    }

    /// When what is kept under a key ends.
    pub fn ends(&self, key: &str) -> Option<Timestamp> {
        self.kept.get(key).map(|kept| kept.expires_at)
    }

    /// Takes it: it is there once.
    pub fn take(&mut self, key: &str, now: Timestamp) -> Option<T> {
        let kept = self.kept.remove(key)?;
        (kept.expires_at > now).then_some(kept.value)
    }

    /// Takes away all that are so.
    pub fn forget(&mut self, which: impl Fn(&T) -> bool) {
        self.kept.retain(|_, kept| !which(&kept.value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn key(n: usize) -> String {
        n.to_string()
    }

    #[test]
    fn each_is_there_once_and_for_its_time() {
        let mut pending = Pending::new(300, 10, 10);
        let ends = pending.put(key(1), "a", "x", T0);
        pending.put(key(2), "a", "y", T0);
        assert_eq!(pending.get("1", T0), Some(&"x"));
        assert_eq!(pending.take("1", T0), Some("x"));
        assert_eq!(pending.take("1", T0), None, "used");
        assert_eq!(pending.get_mut("2", ends), None, "over");
        assert_eq!(pending.take("2", ends), None, "over");
    }

    #[test]
    fn a_flood_from_one_address_drives_out_its_own_alone() {
        let mut pending = Pending::new(300, 8, 4);
        pending.put(key(0), "a", 0, T0);
        for n in 1..100 {
            let at = T0.plus_seconds(i64::try_from(n).unwrap());
            pending.put(key(n), "b", n, at);
        }
        let at = T0.plus_seconds(100);
        assert_eq!(pending.get("0", at), Some(&0));
        assert_eq!(pending.kept.len(), 5);
        assert!((96..100).all(|n| pending.get(&key(n), at).is_some()));
        // From everywhere at once, the oldest goes.
        let mut at = at;
        for n in 100..110 {
            at = T0.plus_seconds(i64::try_from(n).unwrap());
            pending.put(key(n), &key(n), n, at);
        }
        assert_eq!(pending.kept.len(), 8);
        assert_eq!(pending.get("0", at), None);
        pending.forget(|n| *n > 105);
        assert_eq!(pending.get("109", at), None);
        assert!(pending.get("105", at).is_some());
    }
}
