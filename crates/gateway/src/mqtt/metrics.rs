//! What the door counts. Plain atomics; whoever serves metrics reads them.

use std::sync::atomic::{AtomicU64, Ordering};

crate::counting::metrics! {
    /// Gauge: connections open.
    connections,
    /// Gauge: clients signed in.
    clients,
    /// Gauge: sessions remembered.
    sessions,
    /// Gauge: subscriptions.
    subscriptions,
    /// Gauge: retained messages.
    retained,
    /// Gauge: messages taken and not yet acknowledged.
    in_flight,
    /// Connections accepted.
    connections_total,
    /// Connections refused because of `connections_max` or `connections_per_peer_max`.
    connections_refused_total,
    /// TLS handshakes that failed.
    tls_failures_total,
    /// Sign-ins that succeeded.
    sign_ins_total,
    /// Sign-ins that failed: credentials, rights, client identifier.
    sign_ins_failed_total,
    /// Sign-ins not tried because of too many failures before.
    sign_ins_limited_total,
    /// Connections taken over by a newer one of the same client.
    taken_over_total,
    /// Connections ended because of a fault of the client.
    faults_total,
    /// Messages received.
    messages_in_total,
    /// Bytes received.
    bytes_in_total,
    /// Messages sent to subscribers.
    messages_out_total,
    /// Bytes sent.
    bytes_out_total,
    /// PUBACKs and PUBRECs sent.
    acknowledgements_total,
    /// Messages not understood by the sink.
    messages_refused_total,
    /// Messages kept from subscribers because the sink said so.
    messages_withheld_total,
    /// Messages not handed to a subscriber who may not see what they say.
    messages_not_seen_total,
    /// Messages to topics that the client may not publish to.
    messages_not_authorised_total,
    /// Messages above `packet_bytes_max`.
    messages_oversize_total,
    /// Times a client had to wait because the sink was busy.
    busy_total,
    /// Messages lost to a subscriber because its queue was full.
    dropped_total,
    /// Subscribers disconnected because their queue was full.
    slow_disconnects_total,
    /// Wills published.
    wills_total,
    /// Retained messages not kept because of `retained_max` or `retained_bytes_max`.
    retained_refused_total,
}

impl Metrics {
    pub(crate) fn add(counter: &AtomicU64, n: u64) {
        if n > 0 {
            counter.fetch_add(n, Ordering::Relaxed);
        }
    }
    pub(crate) fn one(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
    pub(crate) fn less(gauge: &AtomicU64, n: u64) {
        if n > 0 {
            gauge.fetch_sub(n, Ordering::Relaxed);
        }
    }
    pub(crate) fn set(gauge: &AtomicU64, n: usize) {
        gauge.store(n as u64, Ordering::Relaxed);
    }
}
