//! Links over UDP: one task for a socket, a link for each peer, remembered until it is quiet for long. A datagram for which
//! the sink is too busy is dropped: the station sees no confirmation and sends it again.

use super::Door;
use super::link::{Link, Stop};
use crate::counting::{add, less, one};
use crate::listening::stopped;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Longest datagram, in bytes.
const DATAGRAM_BYTES_MAX: usize = 65_536;
/// Time between two looks at links that are due or quiet, in milliseconds.
const LOOK_INTERVAL_MS: u64 = 1_000;

struct Peer {
    link: Link,
    heard_ms: u64,
}

pub(crate) async fn serve(door: Arc<Door>, socket: UdpSocket) {
    let mut peers: HashMap<SocketAddr, Peer> = HashMap::new();
    // Those with messages that wait for the disk.
    let mut waiting: HashSet<SocketAddr> = HashSet::new();
    let mut durable = door.sink.durable();
    let mut shutdown = door.shutdown.subscribe();
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut look = interval(Duration::from_millis(LOOK_INTERVAL_MS));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut shutdown) => break,
            changed = durable.changed(), if !waiting.is_empty() => {
                if changed.is_err() {
                    return;
                }
                let position = *durable.borrow_and_update();
                confirm(&door, &socket, &mut peers, &mut waiting, position).await;
            }
            received = socket.recv_from(&mut buffer) => match received {
                Ok((bytes, peer)) => {
                    add(&door.metrics.bytes_in_total, bytes);
                    let datagram = buffer.get(..bytes).unwrap_or_default();
                    if take(&door, &socket, &mut peers, peer, datagram).await {
                        waiting.insert(peer);
                        // It may be durable already.
                        let position = *durable.borrow();
                        confirm(&door, &socket, &mut peers, &mut waiting, position).await;
                    }
                }
                // An answer that could not be delivered is told here too.
                Err(error) => tracing::debug!(%error, "a datagram was not received"),
            },
            _ = look.tick() => {
                let idle_ms = door.options.limits.idle_seconds_max * 1_000;
                let now_ms = door.now_ms();
                for (address, peer) in &mut peers {
                    if peer.link.session.deadline().is_some_and(|due| due <= now_ms) {
                        // What is given up is a dead letter; a busy sink gets it next time.
                        let _ = peer.link.work().await;
                        send(&door, &socket, *address, &mut peer.link).await;
                    }
                }
                let is_quiet = |_: &SocketAddr, peer: &mut Peer| now_ms >= peer.heard_ms + idle_ms;
                for (address, mut peer) in peers.extract_if(is_quiet) {
                    peer.link.end();
                    waiting.remove(&address);
                    less(&door.metrics.udp_peers);
                }
            }
        }
    }
    let deadline = Instant::now() + Duration::from_millis(door.options.limits.shutdown_ms);
    while !waiting.is_empty() {
        let changed = tokio::time::timeout_at(deadline, durable.changed()).await;
        let position = *durable.borrow_and_update();
        confirm(&door, &socket, &mut peers, &mut waiting, position).await;
        if !matches!(changed, Ok(Ok(()))) {
            break;
        }
    }
    for mut peer in peers.into_values() {
        peer.link.end();
    }
}

/// Takes a datagram in; whether something of its peer waits for the disk.
async fn take(
    door: &Arc<Door>,
    socket: &UdpSocket,
    peers: &mut HashMap<SocketAddr, Peer>,
    address: SocketAddr,
    datagram: &[u8],
) -> bool {
    if !peers.contains_key(&address) && peers.len() >= door.options.limits.links_max {
        one(&door.metrics.links_refused_total);
        return false;
    }
    let now = door.now();
    let peer = peers.entry(address).or_insert_with(|| {
        one(&door.metrics.udp_peers);
        Peer {
            link: Link::new(Arc::clone(door), address.ip(), true),
            heard_ms: now.ms,
        }
    });
    peer.heard_ms = now.ms;
    if peer.link.session.is_full() {
        one(&door.metrics.busy_total);
        return true;
    }
    peer.link.session.receive(datagram, now);
    match peer.link.work().await {
        Ok(()) => {}
        Err(Stop::Busy) => peer.link.drop_waiting(),
        Err(Stop::Close(problem)) => {
            tracing::debug!(peer = %address, %problem, "datagram not taken")
        }
    }
    send(door, socket, address, &mut peer.link).await;
    peer.link.session.awaits().is_some()
}

async fn confirm(
    door: &Door,
    socket: &UdpSocket,
    peers: &mut HashMap<SocketAddr, Peer>,
    waiting: &mut HashSet<SocketAddr>,
    position: u64,
) {
    let due = |address: &SocketAddr| {
        let awaits = peers.get(address).map(|peer| peer.link.session.awaits());
        !matches!(awaits, Some(Some(due_at)) if due_at > position)
    };
    let due: Vec<SocketAddr> = waiting.iter().copied().filter(due).collect();
    for address in due {
        let Some(peer) = peers.get_mut(&address) else {
            waiting.remove(&address);
            continue;
        };
        peer.link.confirm(position);
        send(door, socket, address, &mut peer.link).await;
        if peer.link.session.awaits().is_none() {
            waiting.remove(&address);
        }
    }
}

async fn send(door: &Door, socket: &UdpSocket, address: SocketAddr, link: &mut Link) {
    while let Some(frame) = link.session.output() {
        match socket.send_to(&frame, address).await {
            Ok(bytes) => add(&door.metrics.bytes_out_total, bytes),
            Err(error) => tracing::debug!(peer = %address, %error, "an answer was not sent"),
        }
    }
}
