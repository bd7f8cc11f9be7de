//! How often sign-in may be tried: per username and per network address, with a lockout that grows. Pure:
//! the time is given.
//!
//! | failures in the window | next attempt |
//! | --- | --- |
//! | up to the free ones | at once |
//! | one more | after the first lockout |
//! | each further one | after twice the last lockout, up to the longest |
//!
//! A username from an address where it had signed in before is counted on its own, so that strangers who guess at it, or at
//! others from the same address, do not keep its person out (账户锁定不得被他人利用).

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
    /// For how long an address is known as one where a username had signed in, in seconds.
    pub known_for_s: i64,
    /// Such pairs remembered at once; beyond it the longest quiet one is forgotten. Only good sign-ins make them.
    pub known_max: usize,
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
            known_for_s: 30 * 86_400,
            known_max: 20_000,
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

/// Somebody who has to wait before the next attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The username that was said; `None` when it is an address with any.
    pub username: Option<String>,
    /// The network address; `None` when it is a username from anywhere.
    pub peer: Option<String>,
    /// Failed attempts.
    pub failures: u32,
    /// Until when.
    pub until: Timestamp,
}

/// Counts failed attempts to sign in.
#[derive(Debug)]
pub struct SignInLimiter {
    limits: Limits,
    counts: HashMap<Key, Count>,
    /// Username and address of good sign-ins, with the failures since.
    known: HashMap<(String, String), Count>,
}

impl SignInLimiter {
    /// A limiter that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            counts: HashMap::new(),
            known: HashMap::new(),
        }
    }

    /// Begins an attempt. It counts as failed until [`SignInLimiter::succeeded`] says otherwise, so that
    /// many attempts at once cannot slip through before the first is found wrong.
    ///
    /// # Errors
    /// Seconds until the next attempt is allowed, at least 1. A refused attempt is not counted.
    pub fn begin(&mut self, username: &str, peer: &str, now: Timestamp) -> Result<(), u64> {
        let known_for_s = self.limits.known_for_s;
        let pair = (username.to_owned(), peer.to_owned());
        if let Some(count) = self.known.get_mut(&pair)
            && count.last.plus_seconds(known_for_s) > now
        {
            wait(count.locked_until.micros_since(now))?;
            count.fail(self.limits.free_per_username, &self.limits, now);
            return Ok(());
        }
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
        wait(wait_micros)?;
        for key in keys {
            self.count_failure(key, now);
        }
        Ok(())
    }

    /// The attempt begun last was right: the username starts afresh; the address gets this attempt back,
    /// but keeps its other failures, or one good account would hide attempts on all others.
    pub fn succeeded(&mut self, username: &str, peer: &str, now: Timestamp) {
        let pair = (username.to_owned(), peer.to_owned());
        if self.known.len() >= self.limits.known_max
            && !self.known.contains_key(&pair)
            && let Some(oldest) = self
                .known
                .iter()
                .min_by_key(|(_, c)| c.last)
                .map(|(k, _)| k.clone())
        {
            self.known.remove(&oldest);
        }
        let was_known = self.known.insert(pair, Count::at(now));
        if was_known.is_some_and(|c| c.last.plus_seconds(self.limits.known_for_s) > now) {
            // Counted on its own, so the others' counts are not its to clean.
            return;
        }
        self.counts.remove(&Key::Username(username.to_owned()));
        self.succeeded_from(peer);
    }

    /// Begins an attempt of which no username is known, such as one with an outside identity; as [`SignInLimiter::begin`], for
    /// the network address alone.
    ///
    /// # Errors
    /// As [`SignInLimiter::begin`].
    pub fn begin_from(&mut self, peer: &str, now: Timestamp) -> Result<(), u64> {
        let key = Key::Peer(peer.to_owned());
        let until = self.counts.get(&key).map(|count| count.locked_until);
        wait(until.map_or(0, |until| until.micros_since(now)))?;
        self.count_failure(key, now);
        Ok(())
    }

    /// The attempt begun last by [`SignInLimiter::begin_from`] was right: the address gets it back.
    pub fn succeeded_from(&mut self, peer: &str) {
        if let Some(count) = self.counts.get_mut(&Key::Peer(peer.to_owned())) {
            count.failures = count.failures.saturating_sub(1);
            count.locked_until = Timestamp::default();
        }
    }

    /// Who has to wait now, the most failures first, `max` at most: name or address, failures, until when.
    pub fn waiting(&self, now: Timestamp, max: usize) -> Vec<Waiting> {
        let mut waiting: Vec<Waiting> = self
            .counts
            .iter()
            .map(|(key, count)| match key {
                Key::Username(name) => (Some(name), None, count),
                Key::Peer(peer) => (None, Some(peer), count),
            })
            .chain(
                self.known
                    .iter()
                    .map(|((name, peer), count)| (Some(name), Some(peer), count)),
            )
            .filter(|(_, _, count)| count.locked_until > now)
            .map(|(username, peer, count)| {
                let (username, peer) = (username.cloned(), peer.cloned());
                Waiting {
                    username,
                    peer,
                    failures: count.failures,
                    until: count.locked_until,
                }
            })
            .collect();
        waiting.sort_by(|a, b| {
            (b.failures, &a.username, &a.peer).cmp(&(a.failures, &b.username, &b.peer))
        });
        waiting.truncate(max);
        waiting
    }

    fn count_failure(&mut self, key: Key, now: Timestamp) {
        let limits = &self.limits;
        if self.counts.len() >= limits.remembered_max && !self.counts.contains_key(&key) {
            let forget = limits.forget_after_s;
            self.counts.retain(|_, c| c.last.plus_seconds(forget) > now);
            if self.counts.len() >= limits.remembered_max {
                // Many at once, so that a flood of names is not a search through all for each of them.
                let mut ranks: Vec<_> = self.counts.values().map(Count::rank).collect();
                let few = (limits.remembered_max / 16).min(ranks.len().saturating_sub(1));
                let (_, last, _) = ranks.select_nth_unstable(few);
                let (last, mut left) = (*last, few + 1);
                self.counts.retain(|_, c| {
                    let goes = left > 0 && c.rank() <= last;
                    left -= usize::from(goes);
                    !goes
                });
            }
        }
        let free = match key {
            Key::Username(_) => limits.free_per_username,
            Key::Peer(_) => limits.free_per_peer,
        };
        let count = self.counts.entry(key).or_insert(Count::at(now));
        count.fail(free, &self.limits, now);
    }
}

/// Seconds to wait, when there is something to wait for.
fn wait(micros: i64) -> Result<(), u64> {
    if micros > 0 {
        Err(micros.unsigned_abs().div_ceil(1_000_000))
    } else {
        Ok(())
    }
}

impl Count {
    fn at(now: Timestamp) -> Self {
        Self {
            failures: 0,
            last: now,
            locked_until: Timestamp::default(),
        }
    }

    /// What is forgotten first has the lowest.
    fn rank(&self) -> (Timestamp, Timestamp, u32) {
        (self.locked_until, self.last, self.failures)
    }

    fn fail(&mut self, free: u32, limits: &Limits, now: Timestamp) {
        if self.last.plus_seconds(limits.forget_after_s) <= now {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.last = now;
        if self.failures >= free {
            let doublings = (self.failures - free).min(32);
            let lockout = limits
                .lockout_first_s
                .saturating_mul(1_i64 << doublings)
                .min(limits.lockout_max_s);
            self.locked_until = now.plus_seconds(lockout);
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
            known_for_s: 10_000,
            known_max: 2,
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
        limiter.succeeded("own", "p", T0);
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
        limiter.succeeded("a", "p", T0);
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

    #[test]
    fn strangers_do_not_keep_a_person_out_but_their_own_failures_count() {
        let mut limiter = limiter();
        limiter.begin("wang", "office", T0).unwrap();
        limiter.succeeded("wang", "office", T0);
        // A stranger locks the name for strangers, hour after hour, and others lock the office's address.
        let mut now = T0;
        for _ in 0..50 {
            let _ = limiter.begin("wang", "stranger", now);
            let _ = limiter.begin("somebody", "office", now);
            now = now.plus_seconds(36);
        }
        for (name, peer) in [("wang", "stranger"), ("somebody", "office")] {
            let _ = limiter.begin(name, peer, now);
            assert!(
                limiter.begin(name, peer, now).is_err(),
                "{name} from {peer}"
            );
        }
        assert_eq!(limiter.begin("wang", "office", now), Ok(()));
        limiter.succeeded("wang", "office", now);
        for _ in 0..3 {
            limiter.begin("wang", "office", now).unwrap();
        }
        assert_eq!(limiter.begin("wang", "office", now), Err(10));
        let waits = limiter.waiting(now, 10);
        let own = waits
            .iter()
            .find(|w| w.username.is_some() && w.peer.is_some());
        assert_eq!(own.unwrap().failures, 3);
        // Known for a while only.
        let later = now.plus_seconds(20_000);
        for n in 0..3 {
            limiter.begin("wang", &format!("far-{n}"), later).unwrap();
        }
        assert!(limiter.begin("wang", "office", later).is_err());
    }

    #[test]
    fn known_pairs_are_bounded_and_no_flood_of_failures_drives_them_out() {
        let mut limiter = limiter();
        for (n, name) in ["a", "b", "c"].iter().enumerate() {
            let at = T0.plus_seconds(i64::try_from(n).unwrap());
            limiter.begin(name, "p", at).unwrap();
            limiter.succeeded(name, "p", at);
        }
        for n in 0..100 {
            let _ = limiter.begin(&format!("u{n}"), &format!("q{n}"), T0);
        }
        let names: std::collections::BTreeSet<_> = limiter
            .known
            .keys()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["b", "c"].into());
    }

    /// What a hundred thousand wrong passwords do: little work, bounded memory, few let through, and the person gets in.
    #[test]
    fn a_hundred_thousand_wrong_passwords() {
        let mut limiter = SignInLimiter::new(Limits::default());
        limiter.begin("wang", "10.1.0.7", T0).unwrap();
        limiter.succeeded("wang", "10.1.0.7", T0);
        let began = std::time::Instant::now();
        // An hour, from a thousand addresses, most of it at one name.
        let mut tried = 0;
        for n in 0..100_000_i64 {
            let now = T0.plus_micros(n * 36_000);
            let name = if n % 4 == 0 {
                format!("u{n}")
            } else {
                "wang".to_owned()
            };
            let peer = format!("203.0.{}.{}", n / 250 % 4, n % 250);
            if limiter.begin(&name, &peer, now).is_ok() && name == "wang" {
                tried += 1;
            }
        }
        // Five for nothing, then after 30, 60, 120, … seconds.
        assert!(
            (5..=12).contains(&tried),
            "{tried} guesses at one password in an hour"
        );
        assert!(limiter.counts.len() <= Limits::default().remembered_max);
        // Work that a machine does in a fraction of this, so that only a change of its kind is told.
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
        let then = T0.plus_seconds(3_600);
        assert_eq!(limiter.begin("wang", "10.1.0.7", then), Ok(()));
        // From an address that is new, the person waits an hour at most.
        assert!(
            limiter
                .begin("wang", "10.9.9.9", then)
                .is_err_and(|s| s <= 3_600)
        );
        assert_eq!(
            limiter.begin("wang", "10.9.9.9", then.plus_seconds(3_600)),
            Ok(())
        );
    }
}
