//! Who gets in; and limits on failed sign-ins, so that a peer that guesses passwords is slowed down
//! and nobody else is.

use super::host::may;
use super::listen::Door;
use super::options::Limits;
use super::seam::{Client, Denied};
use proto_mqtt::message::Connect;
use proto_mqtt::{Reason, Version};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout;

impl Door {
    /// Decides about a client; answers it and the client identifier that was chosen for it, or the
    /// reason of the refusal with a text for the client.
    pub async fn decide(
        &self,
        connect: &Connect,
        peer: IpAddr,
        certificate: Option<&[u8]>,
    ) -> Result<(Client, Option<String>), (Reason, &'static str)> {
        let mut assigned = None;
        let client_id = if !connect.client_id.is_empty() {
            connect.client_id.as_str()
        } else if connect.version == Version::V5 || connect.clean_start {
            assigned.insert(self.new_client_id()).as_str()
        } else {
            return Err((
                Reason::CLIENT_ID_INVALID,
                "a session that is to be remembered needs a client identifier",
            ));
        };
        if client_id.len() > self.options.limits.client_id_bytes_max
            || client_id.chars().any(char::is_control)
        {
            return Err((
                Reason::CLIENT_ID_INVALID,
                "the client identifier is too long, or holds control characters",
            ));
        }
        let username = connect.username.as_deref().unwrap_or("");
        let password = connect.password.as_deref().unwrap_or(&[]);
        if !self
            .sign_in_limits
            .lock()
            .may_try(peer, username, self.now_ms())
        {
            return Err((
                Reason::CONNECTION_RATE_EXCEEDED,
                "too many failed sign-ins; wait a minute and check the password",
            ));
        }
        let limit = Duration::from_millis(self.session_config.connect_timeout_ms);
        let decision = timeout(limit, async {
            // The semaphore is never closed.
            let _turn = self.sign_ins.acquire().await;
            match certificate {
                // Who gives a password is judged by it; a certificate stands where there is none.
                Some(certificate) if password.is_empty() => {
                    self.authenticator
                        .sign_in_with_certificate(client_id, username, certificate, peer)
                        .await
                }
                _ => {
                    self.authenticator
                        .sign_in(client_id, username, password, peer)
                        .await
                }
            }
        });
        let decided = decision.await.unwrap_or(Err(Denied::Unavailable));
        let mut limits = self.sign_in_limits.lock();
        match decided {
            Ok(client) => {
                limits.succeeded(peer, username, self.now_ms());
                match &connect.will {
                    Some(will) if !may(&client.publish, &will.topic) => Err((
                        Reason::NOT_AUTHORISED,
                        "the will's topic is not one that this client may publish to",
                    )),
                    _ => Ok((client, assigned)),
                }
            }
            Err(Denied::Unavailable) => Err((
                Reason::SERVER_UNAVAILABLE,
                "sign-in is not possible now; try again",
            )),
            Err(denied) => {
                limits.failed(peer, username, self.now_ms());
                Err(match denied {
                    Denied::NotAuthorised => (
                        Reason::NOT_AUTHORISED,
                        "this client may not connect; ask the platform's administrator",
                    ),
                    Denied::StaleProof => (
                        Reason::BAD_CREDENTIALS,
                        "the proof is of another time, or was used; set the clock, and make a new proof for each connect",
                    ),
                    _ => (
                        Reason::BAD_CREDENTIALS,
                        "unknown user name or device, or a wrong password; register it (jingling device add) \
                         or mend its password",
                    ),
                })
            }
        }
    }
}

/// Somebody who has to wait before the next try, because of failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The address; `None` when it is a user name from anywhere.
    pub peer: Option<IpAddr>,
    /// The user name that was said; `None` when it is an address with any.
    pub username: Option<String>,
    /// Failures in this window.
    pub failures: u32,
    /// How long still, milliseconds.
    pub left_ms: u64,
}

/// Counts failures in fixed windows.
#[derive(Debug)]
pub(crate) struct SignInLimits {
    failures: HashMap<Key, Window>,
    per_peer_max: u32,
    per_username_max: u32,
    window_ms: u64,
    keys_max: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Peer(IpAddr),
    Username(String),
    /// A user name from an address where it had signed in before.
    Known(IpAddr, String),
}

#[derive(Debug)]
struct Window {
    began_ms: u64,
    failures: u32,
}

impl SignInLimits {
    pub fn new(limits: &Limits) -> Self {
        Self {
            failures: HashMap::new(),
            per_peer_max: limits.sign_in_failures_per_peer_max,
            per_username_max: limits.sign_in_failures_per_username_max,
            window_ms: limits.sign_in_window_seconds * 1000,
            keys_max: limits.sign_in_keys_max,
        }
    }

    /// Whether this peer may try this user name now.
    pub fn may_try(&self, peer: IpAddr, username: &str, now_ms: u64) -> bool {
        let known = Key::Known(peer, username.to_owned());
        if self.failures.contains_key(&known) {
            return self.count(&known, now_ms) < self.per_username_max;
        }
        self.count(&Key::Peer(peer), now_ms) < self.per_peer_max
            && self.count(&Key::Username(username.to_owned()), now_ms) < self.per_username_max
    }

    /// Who has to wait now, the most failures first, `max` at most.
    pub fn waiting(&self, now_ms: u64, max: usize) -> Vec<Waiting> {
        let mut waiting: Vec<Waiting> = self
            .failures
            .iter()
            .filter_map(|(key, window)| {
                let (peer, username, most) = match key {
                    Key::Peer(peer) => (Some(*peer), None, self.per_peer_max),
                    Key::Username(name) => (None, Some(name), self.per_username_max),
                    Key::Known(peer, name) => (Some(*peer), Some(name), self.per_username_max),
                };
                let left_ms = (window.began_ms + self.window_ms).saturating_sub(now_ms);
                (left_ms > 0 && window.failures >= most).then(|| Waiting {
                    peer,
                    username: username.cloned(),
                    failures: window.failures,
                    left_ms,
                })
            })
            .collect();
        waiting.sort_by(|a, b| {
            (b.failures, &a.peer, &a.username).cmp(&(a.failures, &b.peer, &b.username))
        });
        waiting.truncate(max);
        waiting
    }

    /// Takes note of a failure.
    pub fn failed(&mut self, peer: IpAddr, username: &str, now_ms: u64) {
        let known = Key::Known(peer, username.to_owned());
        if self.failures.contains_key(&known) {
            self.add(known, now_ms);
        } else {
            self.add(Key::Peer(peer), now_ms);
            self.add(Key::Username(username.to_owned()), now_ms);
        }
    }

    /// Takes note of a success: from here on, others' failures with this name do not count for this
    /// peer.
    pub fn succeeded(&mut self, peer: IpAddr, username: &str, now_ms: u64) {
        let known = Key::Known(peer, username.to_owned());
        if self.failures.contains_key(&known) || self.has_room(now_ms) {
            let window = Window {
                began_ms: now_ms,
                failures: 0,
            };
            self.failures.insert(known, window);
        }
    }

    fn count(&self, key: &Key, now_ms: u64) -> u32 {
        match self.failures.get(key) {
            Some(window) if now_ms < window.began_ms + self.window_ms => window.failures,
            _ => 0,
        }
    }

    fn add(&mut self, key: Key, now_ms: u64) {
        let window_ms = self.window_ms;
        if let Some(window) = self.failures.get_mut(&key) {
            if now_ms >= window.began_ms + window_ms {
                (window.began_ms, window.failures) = (now_ms, 0);
            }
            window.failures = window.failures.saturating_add(1);
        } else if self.has_room(now_ms) {
            let window = Window {
                began_ms: now_ms,
                failures: 1,
            };
            self.failures.insert(key, window);
        }
    }

    /// Makes room by forgetting windows that are over. When none is, the new key goes uncounted:
    /// refusing it instead would let a flood of names lock everybody out.
    fn has_room(&mut self, now_ms: u64) -> bool {
        if self.failures.len() >= self.keys_max {
            let window_ms = self.window_ms;
            self.failures.retain(|_, w| now_ms < w.began_ms + window_ms);
        }
        self.failures.len() < self.keys_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTACKER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const DEVICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn limits() -> SignInLimits {
        SignInLimits::new(&Limits {
            sign_in_failures_per_peer_max: 5,
            sign_in_failures_per_username_max: 3,
            sign_in_window_seconds: 60,
            sign_in_keys_max: 10,
            ..Limits::default()
        })
    }

    #[test]
    fn a_guessed_name_waits_and_is_free_again() {
        let mut limits = limits();
        for _ in 0..3 {
            assert!(limits.may_try(ATTACKER, "pump", 0));
            limits.failed(ATTACKER, "pump", 0);
        }
        assert!(!limits.may_try(ATTACKER, "pump", 59_999));
        let waits = Waiting {
            peer: None,
            username: Some("pump".to_owned()),
            failures: 3,
            left_ms: 1,
        };
        assert_eq!(limits.waiting(59_999, 10), [waits]);
        assert_eq!(limits.waiting(59_999, 0), []);
        assert_eq!(limits.waiting(60_000, 10), []);
        assert!(limits.may_try(ATTACKER, "gate", 0));
        assert!(limits.may_try(ATTACKER, "pump", 60_000));
    }

    #[test]
    fn a_peer_that_tries_many_names_waits() {
        let mut limits = limits();
        for name in ["a", "b", "c", "d", "e"] {
            limits.failed(ATTACKER, name, 0);
        }
        assert!(!limits.may_try(ATTACKER, "f", 0));
        assert!(limits.may_try(DEVICE, "f", 0));
    }

    #[test]
    fn strangers_do_not_lock_a_device_out() {
        let mut limits = limits();
        limits.succeeded(DEVICE, "pump", 0);
        for _ in 0..5 {
            limits.failed(ATTACKER, "pump", 0);
        }
        assert!(!limits.may_try(ATTACKER, "pump", 0));
        assert!(limits.may_try(DEVICE, "pump", 0));
        for _ in 0..3 {
            limits.failed(DEVICE, "pump", 0);
        }
        assert!(!limits.may_try(DEVICE, "pump", 0), "its own failures count");
    }

    #[test]
    fn memory_is_bounded() {
        let mut limits = limits();
        for n in 0..100 {
            limits.failed(ATTACKER, &n.to_string(), 0);
        }
        assert_eq!(limits.failures.len(), 10);
    }
}
