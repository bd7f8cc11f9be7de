//! How often sign-in may be tried: per username and per network address, with a lockout that grows. Pure:
//! the time is given.
//!
//! | failures in the window | next attempt |
//! | --- | --- |
//! | up to the free ones | at once |
//! | one more | after the first lockout |
//! | each further one | after twice the last lockout, up to the longest |

use model::Timestamp;
use std::collections::HashMap;

/// The limits of sign-in.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Failed attempts on one username that cost nothing.
    pub free_per_username: u32,
    /// Failed attempts from one network address that cost nothing.
    pub free_per_peer: u32,
    /// The first lockout, in seconds; it doubles with every further failure.
    pub lockout_first_s: i64,
    /// The longest lockout, in seconds.
    pub lockout_max_s: i64,
    /// Failures are forgotten after this long without another, in seconds.
    pub forget_after_s: i64,
    /// Usernames and addresses remembered at once; beyond it the longest quiet one is forgotten.
    pub remembered_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            free_per_username: 5,
            free_per_peer: 30,
            lockout_first_s: 30,
            lockout_max_s: 3_600,
            forget_after_s: 4 * 3_600,
            remembered_max: 20_000,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Username(String),
    Peer(String),
}

#[derive(Clone, Copy, Debug)]
struct Count {
    failures: u32,
    last: Timestamp,
    locked_until: Timestamp,
}

/// Counts failed attempts to sign in.
#[derive(Debug)]
pub struct SignInLimiter {
    limits: Limits,
    counts: HashMap<Key, Count>,
}

impl SignInLimiter {
    /// A limiter that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            counts: HashMap::new(),
        }
    }

    /// Begins an attempt. It counts as failed until [`SignInLimiter::succeeded`] says otherwise, so that
    /// many attempts at once cannot slip through before the first is found wrong.
    ///
    /// # Errors
    /// Seconds until the next attempt is allowed, at least 1. A refused attempt is not counted.
    pub fn begin(&mut self, username: &str, peer: &str, now: Timestamp) -> Result<(), u64> {
        let keys = [
            Key::Username(username.to_owned()),
            Key::Peer(peer.to_owned()),
        ];
        let wait_micros = keys
            .iter()
            .filter_map(|key| self.counts.get(key))
            .map(|count| count.locked_until.micros_since(now))
            .max()
            .unwrap_or(0);
        if wait_micros > 0 {
            return Err(wait_micros.unsigned_abs().div_ceil(1_000_000));
        }
        for key in keys {
            self.count_failure(key, now);
        }
        Ok(())
    }

    /// The attempt begun last was right: the username starts afresh; the address gets this attempt back,
    /// but keeps its other failures, or one good account would hide attempts on all others.
    pub fn succeeded(&mut self, username: &str, peer: &str) {
        self.counts.remove(&Key::Username(username.to_owned()));
        if let Some(count) = self.counts.get_mut(&Key::Peer(peer.to_owned())) {
            count.failures = count.failures.saturating_sub(1);
            count.locked_until = Timestamp::default();
        }
    }

    fn count_failure(&mut self, key: Key, now: Timestamp) {
        let limits = &self.limits;
        if self.counts.len() >= limits.remembered_max && !self.counts.contains_key(&key) {
            let forget = limits.forget_after_s;
            self.counts.retain(|_, c| c.last.plus_seconds(forget) > now);
            if self.counts.len() >= limits.remembered_max
                && let Some(oldest) = self
                    .counts
                    .iter()
                    .min_by_key(|(_, c)| (c.locked_until, c.last, c.failures))
                    .map(|(key, _)| key.clone())
            {
                self.counts.remove(&oldest);
            }
        }
        let free = match key {
            Key::Username(_) => limits.free_per_username,
            Key::Peer(_) => limits.free_per_peer,
        };
        let count = self.counts.entry(key).or_insert(Count {
            failures: 0,
            last: now,
            locked_until: Timestamp::default(),
        });
        if count.last.plus_seconds(limits.forget_after_s) <= now {
            count.failures = 0;
        }
        count.failures = count.failures.saturating_add(1);
        count.last = now;
        if count.failures >= free {
            let doublings = (count.failures - free).min(32);
            let lockout = limits
                .lockout_first_s
                .saturating_mul(1_i64 << doublings)
                .min(limits.lockout_max_s);
            count.locked_until = now.plus_seconds(lockout);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn limiter() -> SignInLimiter {
        SignInLimiter::new(Limits {
            free_per_username: 3,
            free_per_peer: 5,
            lockout_first_s: 10,
            lockout_max_s: 35,
            forget_after_s: 1_000,
            remembered_max: 4,
        })
    }

    #[test]
    fn the_lockout_of_a_username_grows_to_its_longest() {
        let mut limiter = limiter();
        for n in 0..3 {
            assert_eq!(limiter.begin("a", &format!("p{n}"), T0), Ok(()));
        }
        let mut now = T0;
        for lockout in [10, 20, 35, 35] {
            assert_eq!(limiter.begin("a", "q", now), Err(lockout));
            let almost = now.plus_micros(i64::try_from(lockout).unwrap() * 1_000_000 - 1);
            assert_eq!(limiter.begin("a", "q", almost), Err(1));
            now = now.plus_seconds(i64::try_from(lockout).unwrap());
            assert_eq!(limiter.begin("a", &format!("r{lockout}"), now), Ok(()));
        }
    }

    #[test]
    fn an_address_is_locked_over_many_usernames_and_success_does_not_clean_it() {
        let mut limiter = limiter();
        for name in ["a", "b", "c", "d"] {
            assert_eq!(limiter.begin(name, "p", T0), Ok(()));
        }
        assert_eq!(limiter.begin("own", "p", T0), Ok(()));
        limiter.succeeded("own", "p");
        // The good sign-in gave its own attempt back and no more: the next failure locks.
        assert_eq!(limiter.begin("e", "p", T0), Ok(()));
        assert_eq!(limiter.begin("f", "p", T0), Err(10));
        assert_eq!(limiter.begin("f", "elsewhere", T0), Ok(()));
    }

    #[test]
    fn success_frees_the_username_and_time_forgets() {
        let mut limiter = limiter();
        for _ in 0..2 {
            limiter.begin("a", "p", T0).unwrap();
        }
        limiter.succeeded("a", "p");
        for _ in 0..3 {
            limiter.begin("a", "p2", T0).unwrap();
        }
        assert!(limiter.begin("a", "p3", T0).is_err());
        let later = T0.plus_seconds(1_000);
        for n in 0..3 {
            assert_eq!(limiter.begin("a", &format!("x{n}"), later), Ok(()));
        }
        assert!(limiter.begin("a", "x", later).is_err());
    }

    #[test]
    fn a_flood_of_names_is_bounded_and_keeps_what_is_locked() {
        let mut limiter = limiter();
        for n in 0..3 {
            limiter.begin("victim", &format!("p{n}"), T0).unwrap();
        }
        for n in 0..100 {
            let _ = limiter.begin(&format!("u{n}"), &format!("q{n}"), T0);
        }
        assert_eq!(limiter.counts.len(), 4);
        assert_eq!(limiter.begin("victim", "z", T0), Err(10));
    }
}
