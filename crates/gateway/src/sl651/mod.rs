//! The SL 651 door: hydrological stations over TCP and UDP, on the sessions of `proto-sl651`.
//!
//! ```text
//! tcp ── one task per link ──┐
//! udp ── one task, a link    ├─ session (proto-sl651) ── link ── Directory: whose station, which password
//!        for each peer ──────┘        ↑                      └── Sink::submit → position
//!                                     └ confirmations leave when Sink::durable passes the position
//! ```
//!
//! What it promises: a message is confirmed only when it is durable, a repeated one again without being taken twice; what is
//! damaged, of an unknown station or with a wrong password becomes a dead letter and is never confirmed, so that the station
//! keeps it; one peer's noise is bounded ([`Limits::dead_letters_per_peer_max`]).
//!
//! Reading order: [`seam`], [`options`], `link`, `tcp`, `udp`, [`metrics`].

mod link;
pub mod metrics;
pub mod options;
pub mod seam;
mod tcp;
mod udp;

pub use metrics::Metrics;
pub use options::{Limits, Sl651Options};
pub use seam::{Directory, Incoming, Known, Sink, Unknown};

use crate::listening::{Clock, Listens, PerPeer, StartError, bind, listen};
use model::Problem;
use parking_lot::Mutex;
use proto_sl651::repeated::Repeated;
use proto_sl651::session::Now;
use proto_sl651::{Command, Message, Station};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// The door's name in the journal.
pub const DOOR: &str = "sl651";
/// The problem of a station that has no link: nothing was sent to it.
pub const NOT_ON_THE_LINE: &str = "sl651-not-on-the-line";
/// Orders that may wait for one link.
const ORDERS_MAX: usize = 16;

/// A query or setting for a station, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Order {
    pub station: Station,
    pub function: u8,
    pub command: Command,
    pub answer: oneshot::Sender<Result<Message, Problem>>,
}

/// A station as it was found.
struct Found {
    known: Result<Arc<Known>, Unknown>,
    password: Option<u16>,
    found_ms: u64,
}

/// What the door's tasks share.
pub(crate) struct Door {
    pub options: Sl651Options,
    pub session: Arc<proto_sl651::Config>,
    pub sink: Arc<dyn Sink>,
    pub directory: Arc<dyn Directory>,
    pub metrics: Metrics,
    pub repeated: Mutex<Repeated>,
    pub shutdown: watch::Sender<bool>,
    /// The TCP link on which a station was heard last.
    pub lines: Mutex<HashMap<Station, mpsc::Sender<Order>>>,
    /// TCP links of each peer.
    pub peers: Mutex<HashMap<IpAddr, usize>>,
    /// Dead letters of each peer.
    dead_letters: PerPeer,
    /// Stations as they were found a moment ago.
    stations: Mutex<HashMap<Station, Found>>,
    clock: Clock,
}

impl Door {
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    pub fn instant(&self, ms: u64) -> Instant {
        self.clock.instant(ms)
    }

    pub fn now(&self) -> Now {
        Now {
            ms: self.now_ms(),
            at: Clock::now(),
        }
    }

    /// Whose a station is, as it was found a moment ago.
    pub fn found(
        &self,
        station: Station,
        password: Option<u16>,
    ) -> Option<Result<Arc<Known>, Unknown>> {
        let believed_ms = self.options.limits.directory_seconds.saturating_mul(1_000);
        let stations = self.stations.lock();
        let found = stations.get(&station)?;
        let is_fresh = self.now_ms() < found.found_ms.saturating_add(believed_ms);
        (is_fresh && found.password == password).then(|| found.known.clone())
    }

    /// Remembers whose a station is; not that this could not be found out.
    pub fn remember(
        &self,
        station: Station,
        password: Option<u16>,
        known: Result<Arc<Known>, Unknown>,
    ) {
        if known == Err(Unknown::Unavailable) {
            return;
        }
        let mut stations = self.stations.lock();
        // Strangers may make up any number of addresses.
        if stations.len() >= self.options.limits.stations_remembered_max {
            stations.clear();
        }
        let found = Found {
            known,
            password,
            found_ms: self.now_ms(),
        };
        stations.insert(station, found);
    }

    /// Whether one more dead letter of this peer is kept; `false`: it has sent enough for now.
    pub fn may_keep_dead_letter(&self, peer: IpAddr) -> bool {
        self.dead_letters.count(peer, self.now_ms())
    }
}

impl Listens for Door {
    fn peers(&self) -> &Mutex<HashMap<IpAddr, usize>> {
        &self.peers
    }

    fn connections_max(&self) -> (usize, usize) {
        let limits = &self.options.limits;
        (limits.links_max, limits.links_per_peer_max)
    }

    fn counted(&self) -> [&AtomicU64; 3] {
        let metrics = &self.metrics;
        [
            &metrics.links,
            &metrics.links_total,
            &metrics.links_refused_total,
        ]
    }

    fn shutdown(&self) -> &watch::Sender<bool> {
        &self.shutdown
    }
}

/// The SL 651 door.
#[derive(Debug)]
pub struct Sl651Door;

/// The running door.
#[derive(Clone)]
pub struct Sl651Handle {
    door: Arc<Door>,
    tasks: TaskTracker,
    tcp: Vec<SocketAddr>,
    udp: Vec<SocketAddr>,
}

impl std::fmt::Debug for Sl651Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sl651Handle")
            .field("tcp", &self.tcp)
            .field("udp", &self.udp)
            .finish_non_exhaustive()
    }
}

impl Sl651Door {
    /// Opens the door: when this returns, its addresses take connections and datagrams.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub async fn start(
        options: Sl651Options,
        sink: Arc<dyn Sink>,
        directory: Arc<dyn Directory>,
    ) -> Result<Sl651Handle, StartError> {
        let (listeners, tcp) = bind(&options.tcp_listen).await?;
        let (mut sockets, mut udp) = (Vec::new(), Vec::new());
        for &address in &options.udp_listen {
            let failed = |source| StartError::Listen { address, source };
            let socket = UdpSocket::bind(address).await.map_err(failed)?;
            // The usual 200 KiB hold some 280 reports, and after a storm thousands of stations send at once.
            let wanted = options.limits.udp_waiting_bytes_max;
            if let Err(error) = socket2::SockRef::from(&socket).set_recv_buffer_size(wanted) {
                tracing::warn!(%error, wanted, "the system gives datagrams no more room");
            }
            udp.push(socket.local_addr().map_err(failed)?);
            sockets.push(socket);
        }
        let door = Arc::new(Door {
            session: Arc::new(options.session.clone()),
            sink,
            directory,
            metrics: Metrics::default(),
            repeated: Mutex::new(Repeated::new(options.limits.repeated_remembered_max)),
            shutdown: watch::Sender::new(false),
            lines: Mutex::default(),
            peers: Mutex::default(),
            dead_letters: PerPeer::new(
                options.limits.dead_letter_window_seconds,
                options.limits.dead_letters_per_peer_max,
                options.limits.peers_remembered_max,
            ),
            stations: Mutex::default(),
            clock: Clock::new(),
            options,
        });
        let tasks = TaskTracker::new();
        for listener in listeners {
            let door = Arc::clone(&door);
            tasks.spawn(listen(door, listener, tasks.clone(), tcp::receive));
        }
        for socket in sockets {
            tasks.spawn(udp::serve(Arc::clone(&door), socket));
        }
        tasks.close();
        Ok(Sl651Handle {
            door,
            tasks,
            tcp,
            udp,
        })
    }
}

impl Sl651Handle {
    /// The addresses bound for TCP, in the order of the options.
    pub fn tcp_addresses(&self) -> &[SocketAddr] {
        &self.tcp
    }

    /// The addresses bound for UDP, in the order of the options.
    pub fn udp_addresses(&self) -> &[SocketAddr] {
        &self.udp
    }

    /// What the door counts.
    pub fn metrics(&self) -> &Metrics {
        &self.door.metrics
    }

    /// Queries or orders something of a station (M4) that has a TCP link, and waits for its answer. The answer is also taken
    /// as any other message.
    ///
    /// # Errors
    /// [`NOT_ON_THE_LINE`]: nothing was sent. `sl651-commands`: nothing was sent, too many wait. Any other: it may have been
    /// sent. The station does not answer, its link ended meanwhile, or the standard has no form for the command.
    pub async fn command(
        &self,
        station: Station,
        function: u8,
        command: Command,
    ) -> Result<Message, Problem> {
        let line = self.door.lines.lock().get(&station).cloned();
        let line = line.ok_or_else(|| no_line(station))?;
        let (answer, answered) = oneshot::channel();
        let order = Order {
            station,
            function,
            command,
            answer,
        };
        line.send(order).await.map_err(|_| no_line(station))?;
        answered.await.map_err(|_| line_lost(station))?
    }

    /// Closes the door: takes no more, confirms what becomes durable within `shutdown_ms`.
    pub async fn shutdown(&self) {
        self.door.shutdown.send_replace(true);
        self.tasks.wait().await;
    }
}

fn line_lost(station: Station) -> Problem {
    Problem::new(
        "sl651-link-lost",
        format!("the link of station {station} ended before it answered"),
        "station",
        "see whether the station did what it was told before asking again",
    )
}

fn no_line(station: Station) -> Problem {
    Problem::new(
        NOT_ON_THE_LINE,
        format!("station {station} has no link now"),
        "station",
        "wait until it reports, and ask again; stations that send over UDP cannot be asked",
    )
}
