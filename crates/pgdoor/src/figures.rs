//! What the door counts, for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the door opened.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Connections let in.
    pub connections: AtomicU64,
    /// Connections turned away because of `connections_max` or `connections_per_peer_max`.
    pub connections_refused: AtomicU64,
    /// Sign-ins that did not succeed.
    pub sign_ins_refused: AtomicU64,
    /// Statements begun.
    pub statements: AtomicU64,
    /// Statements that ended with an error.
    pub statements_failed: AtomicU64,
}

impl Figures {
    pub fn one(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The counters now, by name.
    pub fn now(&self) -> [(&'static str, u64); 5] {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("connections_total", read(&self.connections)),
            ("connections_refused_total", read(&self.connections_refused)),
            ("sign_ins_refused_total", read(&self.sign_ins_refused)),
            ("statements_total", read(&self.statements)),
            ("statements_failed_total", read(&self.statements_failed)),
        ]
    }
}
