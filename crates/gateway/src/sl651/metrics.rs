//! What the door counts. Plain atomics; whoever serves metrics reads them.

crate::counting::metrics! {
    /// Gauge: TCP links open.
    links,
    /// Gauge: UDP peers remembered.
    udp_peers,
    /// TCP links accepted.
    links_total,
    /// TCP links and UDP peers refused because of `links_max` or `links_per_peer_max`.
    links_refused_total,
    /// Bytes received.
    bytes_in_total,
    /// Bytes sent.
    bytes_out_total,
    /// Messages taken.
    messages_total,
    /// Keep-alives.
    keep_alives_total,
    /// Messages that came again and were confirmed again.
    repeated_total,
    /// Confirmations sent.
    confirmations_total,
    /// Messages kept as dead letters whole.
    messages_refused_total,
    /// Frames that were damaged, cut or foreign.
    broken_total,
    /// Messages of stations that nobody registered.
    unknown_stations_total,
    /// Messages with a wrong password.
    wrong_passwords_total,
    /// Dead letters not kept because their sender had sent too many.
    dead_letters_dropped_total,
    /// Times a station had to wait because the sink was busy, or a datagram was dropped for that.
    busy_total,
    /// Commands answered.
    commands_answered_total,
    /// Commands not answered.
    commands_failed_total,
}
