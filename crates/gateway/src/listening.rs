//! What every door that listens over TCP does alike: it binds addresses, lets connections in up to its limits, and has a steady
//! clock.

use model::{Problem, Timestamp};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// How long accepting pauses after the system had no socket left, in milliseconds.
const ACCEPT_PAUSE_MS: u64 = 100;

/// Why a door did not open.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose a free address, or port 0")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Certificate or key.
    #[error("{0}")]
    Tls(Problem),
    /// The file of retained messages.
    #[error("{0}")]
    Retained(Problem),
}

/// Binds addresses; answers them as they were bound, in the same order.
///
/// # Errors
/// [`StartError::Listen`].
pub(crate) async fn bind(
    addresses: &[SocketAddr],
) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), StartError> {
    let (mut listeners, mut bound) = (Vec::new(), Vec::new());
    for &address in addresses {
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        bound.push(listener.local_addr().map_err(failed)?);
        listeners.push(listener);
    }
    Ok((listeners, bound))
}

/// A door's time: milliseconds since it opened, and the time of day.
pub(crate) struct Clock {
    began: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
        }
    }

    /// Milliseconds of the steady clock.
    pub(crate) fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// A moment of the steady clock as the runtime's.
    pub(crate) fn instant(&self, ms: u64) -> Instant {
        self.began + Duration::from_millis(ms)
    }

    /// The time of day.
    pub(crate) fn now() -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(since.as_micros() as i64)
    }
}

/// What listening asks of a door.
pub(crate) trait Listens: Send + Sync + 'static {
    /// Connections open of each peer.
    fn peers(&self) -> &Mutex<HashMap<IpAddr, usize>>;
    /// Most connections at once, in all and of one peer.
    fn connections_max(&self) -> (usize, usize);
    /// The gauge of open connections, and the counters of those accepted and refused.
    fn counted(&self) -> [&AtomicU64; 3];
    /// Whether the door shuts down.
    fn shutdown(&self) -> &watch::Sender<bool>;
}

/// Waits until a door shuts down.
pub(crate) async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error says that the door is gone.
    let _ = shutdown.wait_for(|down| *down).await;
}

/// Accepts connections until the door shuts down, and gives each that has a place to a task of its own.
pub(crate) async fn listen<D: Listens, F: Future<Output = ()> + Send + 'static>(
    door: Arc<D>,
    listener: TcpListener,
    tasks: TaskTracker,
    receive: impl Fn(Place<D>, TcpStream, SocketAddr) -> F,
) {
    let mut shutdown = door.shutdown().subscribe();
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut shutdown) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let [_, accepted, refused] = door.counted();
                accepted.fetch_add(1, Ordering::Relaxed);
                match Place::take(&door, peer.ip()) {
                    Some(place) => {
                        tasks.spawn(receive(place, stream, peer));
                    }
                    None => {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            Err(error) => {
                // Out of sockets, or a peer that was gone before it was there.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
            }
        }
    }
}

/// A connection's place within a door's limits; given back when dropped.
pub(crate) struct Place<D: Listens> {
    pub(crate) door: Arc<D>,
    peer: IpAddr,
}

impl<D: Listens> Place<D> {
    fn take(door: &Arc<D>, peer: IpAddr) -> Option<Self> {
        let (at_once_max, per_peer_max) = door.connections_max();
        let [open, ..] = door.counted();
        let mut peers = door.peers().lock();
        let from_peer = peers.get(&peer).copied().unwrap_or(0);
        if open.load(Ordering::Relaxed) as usize >= at_once_max || from_peer >= per_peer_max {
            return None;
        }
        peers.insert(peer, from_peer + 1);
        open.fetch_add(1, Ordering::Relaxed);
        Some(Self {
            door: Arc::clone(door),
            peer,
        })
    }
}

impl<D: Listens> Drop for Place<D> {
    fn drop(&mut self) {
        let mut peers = self.door.peers().lock();
        if let Some(n) = peers.get_mut(&self.peer) {
            *n -= 1;
            if *n == 0 {
                peers.remove(&self.peer);
            }
        }
        let [open, ..] = self.door.counted();
        open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends what is small at once, and notices peers that are gone.
pub(crate) fn tune(stream: &TcpStream, peer: SocketAddr, keep_alive_seconds: u64) {
    let keep_alive =
        socket2::TcpKeepalive::new().with_time(Duration::from_secs(keep_alive_seconds));
    let tuned = stream
        .set_nodelay(true)
        .and_then(|()| socket2::SockRef::from(stream).set_tcp_keepalive(&keep_alive));
    if let Err(error) = tuned {
        tracing::debug!(%peer, %error, "cannot tune a socket");
    }
}

/// Counts what each peer does within a window of time, so that one peer's noise is bounded. Peers beyond `peers_max` are not allowed
/// anything while all those remembered are in their window.
pub(crate) struct PerPeer {
    window_ms: u64,
    count_max: u32,
    peers_max: usize,
    /// When each peer's window began, and how much it did in it.
    counted: Mutex<HashMap<IpAddr, (u64, u32)>>,
}

impl PerPeer {
    pub(crate) fn new(window_seconds: u64, count_max: u32, peers_max: usize) -> Self {
        Self {
            window_ms: window_seconds.saturating_mul(1_000),
            count_max,
            peers_max,
            counted: Mutex::default(),
        }
    }

    /// Counts one more of a peer; `false`: it has done enough for now.
    pub(crate) fn count(&self, peer: IpAddr, now_ms: u64) -> bool {
        let mut counted = self.counted.lock();
        if counted.len() >= self.peers_max && !counted.contains_key(&peer) {
            counted.retain(|_, (began_ms, _)| now_ms < *began_ms + self.window_ms);
            if counted.len() >= self.peers_max {
                return false;
            }
        }
        let (began_ms, count) = counted.entry(peer).or_insert((now_ms, 0));
        if now_ms >= *began_ms + self.window_ms {
            (*began_ms, *count) = (now_ms, 0);
        }
        *count = count.saturating_add(1);
        *count <= self.count_max
    }

    /// Whether a peer has done as much as it may within its window.
    pub(crate) fn is_spent(&self, peer: IpAddr, now_ms: u64) -> bool {
        self.counted
            .lock()
            .get(&peer)
            .is_some_and(|(began_ms, count)| {
                now_ms < *began_ms + self.window_ms && *count >= self.count_max
            })
    }
}
