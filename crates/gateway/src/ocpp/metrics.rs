//! What the door counts. Plain atomics; whoever serves metrics reads them.

crate::counting::metrics! {
    /// Gauge: links open, those being opened among them.
    links,
    /// Connections accepted.
    links_total,
    /// Connections refused because of `links_max` or `links_per_peer_max`.
    links_refused_total,
    /// Connections that failed to speak TLS.
    tls_failures_total,
    /// Links that became WebSockets.
    links_opened_total,
    /// Requests that are no opening of a WebSocket, or name no identity or version of ours.
    bad_requests_total,
    /// Links of stations that nobody registered.
    unknown_stations_total,
    /// Links with a wrong password or certificate, or with none.
    wrong_passwords_total,
    /// Links refused without a look because their address was refused too often.
    refused_unseen_total,
    /// Links that a newer one of the same station took over from.
    taken_over_total,
    /// Messages received.
    messages_in_total,
    /// Messages sent.
    messages_out_total,
    /// Messages that were not understood.
    broken_total,
    /// Links closed for too many dead letters.
    noisy_total,
    /// Times that a station had to wait because the sink was busy or out of order.
    busy_total,
    /// Links closed because the sink stayed out of order.
    unavailable_total,
    /// Commands answered.
    commands_answered_total,
    /// Commands that came to nothing.
    commands_failed_total,
}
