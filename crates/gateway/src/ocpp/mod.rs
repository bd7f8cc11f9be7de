//! The OCPP door: charge points (充电桩) over WebSocket, on the sessions of `proto-ocpp`.
//!
//! ```text
//! listener ── opening: TLS, request ── Directory: whose station ── link, one task ── session (proto-ocpp)
//!                                                                     │ event          ↑ answer
//!                                                                     └── Sink::take ──┘ when it is durable
//! ```
//!
//! What it promises: a station's message is answered when the sink has made it durable, and not before; events of one link reach the sink in
//! order and one at a time; whoever shows nothing of his own (password, certificate) is not let in; a second link of a station takes over from
//! the first; one peer's noise is bounded, and a station that does not read, or reads nothing, holds nobody else up.
//!
//! Reading order: [`seam`], [`options`], `opening`, `link`, [`metrics`].

mod link;
pub mod metrics;
mod opening;
pub mod options;
pub mod seam;

pub use metrics::Metrics;
pub use options::{Limits, OcppOptions};
pub use seam::{Directory, Known, Link, Shown, Sink, Unknown};

use crate::counting::one;
use crate::listening::{Clock, Listens, PerPeer, Place, StartError, bind, listen};
use model::problem::both;
use model::{Problem, Told};
use parking_lot::Mutex;
use proto_ocpp::message::Reply;
use proto_ocpp::{Book, Command, Now, Version};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The door's name in the journal.
pub const DOOR: &str = "ocpp";
/// The code of a station that has no link: nothing was sent to it.
pub const NOT_ON_THE_LINE: &str = "ocpp-not-on-the-line";

/// A command that came to nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// Why.
    pub told: Told,
    /// Whether it may have been carried out all the same.
    pub may_have_happened: bool,
}

/// A command for a station, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Order {
    pub command: Command,
    pub answer: oneshot::Sender<Result<Reply, Failed>>,
}

/// The link of a station, as the door knows it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    orders: mpsc::Sender<Order>,
    /// The link is to end, because another one of its station takes over or somebody wants it so.
    pub end: CancellationToken,
    /// The link has ended.
    gone: CancellationToken,
    version: Version,
    peer: SocketAddr,
    number: u64,
}

impl Line {
    pub fn new(
        orders: mpsc::Sender<Order>,
        version: Version,
        peer: SocketAddr,
        number: u64,
    ) -> Self {
        Self {
            number,
            orders,
            end: CancellationToken::new(),
            gone: CancellationToken::new(),
            version,
            peer,
        }
    }
}

/// A station that is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Its identity.
    pub identity: String,
    /// The version spoken.
    pub version: Version,
    /// Its address.
    pub peer: SocketAddr,
    /// Number of its link, of all that were opened: another one when it came anew.
    pub link: u64,
}

/// What the door's tasks share.
pub(crate) struct Door {
    pub options: OcppOptions,
    pub session: Arc<proto_ocpp::Config>,
    pub sink: Arc<dyn Sink>,
    pub directory: Arc<dyn Directory>,
    pub metrics: Metrics,
    pub shutdown: watch::Sender<bool>,
    /// Links refused, of each peer.
    pub refused: PerPeer,
    /// Dead letters of each peer.
    pub dead_letters: PerPeer,
    /// The link of each station.
    lines: Mutex<HashMap<String, Line>>,
    /// What is remembered of stations that have no link now.
    books: Mutex<HashMap<String, Book>>,
    /// Links of each peer.
    peers: Mutex<HashMap<IpAddr, usize>>,
    seeds: AtomicU64,
    /// Links that were opened.
    links: AtomicU64,
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

    /// What makes the message ids of one link differ from all others', also from those of the door's last run.
    pub fn next_seed(&self) -> u64 {
        let count = self.seeds.fetch_add(1, Ordering::Relaxed);
        (Clock::now().micros() as u64).wrapping_add(count)
    }

    /// The number of the next link.
    pub fn link_number(&self) -> u64 {
        self.links.fetch_add(1, Ordering::Relaxed)
    }

    /// A link becomes its station's; the one before it leaves first, so that its events are over before new ones begin.
    pub async fn take_over(&self, identity: &str, line: &Line) {
        let before = self.lines.lock().insert(identity.to_owned(), line.clone());
        let Some(before) = before else { return };
        one(&self.metrics.taken_over_total);
        before.end.cancel();
        let patience = Duration::from_millis(self.options.limits.take_over_ms);
        if timeout(patience, before.gone.cancelled()).await.is_err() {
            tracing::warn!(
                station = identity,
                "a link did not leave in time for the next of its station"
            );
        }
    }

    /// A link is over; `true` when it still was its station's.
    pub fn leave(&self, identity: &str, line: &Line) -> bool {
        line.gone.cancel();
        let mut lines = self.lines.lock();
        let is_its = lines
            .get(identity)
            .is_some_and(|now| now.orders.same_channel(&line.orders));
        if is_its {
            lines.remove(identity);
        }
        is_its
    }

    pub fn book_of(&self, identity: &str) -> Book {
        self.books.lock().remove(identity).unwrap_or_default()
    }

    pub fn keep_book(&self, identity: &str, book: Book) {
        let mut books = self.books.lock();
        // A book only marks what is odd: without it, the next link begins anew.
        if books.len() < self.options.limits.books_max {
            books.insert(identity.to_owned(), book);
        }
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

/// The OCPP door.
#[derive(Debug)]
pub struct OcppDoor;

/// The running door.
#[derive(Clone)]
pub struct OcppHandle {
    door: Arc<Door>,
    tasks: TaskTracker,
    addresses: Vec<SocketAddr>,
    addresses_tls: Vec<SocketAddr>,
}

impl std::fmt::Debug for OcppHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OcppHandle")
            .field("addresses", &self.addresses)
            .field("addresses_tls", &self.addresses_tls)
            .finish_non_exhaustive()
    }
}

impl OcppDoor {
    /// Opens the door: when this returns, its addresses take connections.
    ///
    /// # Errors
    /// An address that cannot be listened on, or `listen_tls` without `tls`.
    pub async fn start(
        options: OcppOptions,
        sink: Arc<dyn Sink>,
        directory: Arc<dyn Directory>,
    ) -> Result<OcppHandle, StartError> {
        let acceptor = options.tls.clone().map(TlsAcceptor::from);
        if acceptor.is_none() && !options.listen_tls.is_empty() {
            return Err(StartError::Tls(Problem::new(
                "tls-missing",
                "an address over TLS has no certificate",
                "ocpp.tls_listen",
                "name certificate and key",
            )));
        }
        let (plain, addresses) = bind(&options.listen).await?;
        let (secured, addresses_tls) = bind(&options.listen_tls).await?;
        let limits = &options.limits;
        let per_peer = |most| {
            PerPeer::new(
                limits.refused_window_seconds,
                most,
                limits.peers_remembered_max,
            )
        };
        let door = Arc::new(Door {
            session: Arc::new(options.session.clone()),
            sink,
            directory,
            metrics: Metrics::default(),
            shutdown: watch::Sender::new(false),
            refused: per_peer(limits.refused_per_peer_max),
            dead_letters: per_peer(limits.dead_letters_per_peer_max),
            lines: Mutex::default(),
            books: Mutex::default(),
            peers: Mutex::default(),
            seeds: AtomicU64::new(0),
            links: AtomicU64::new(0),
            clock: Clock::new(),
            options,
        });
        let tasks = TaskTracker::new();
        let kinds = plain
            .into_iter()
            .map(|listener| (listener, None))
            .chain(secured.into_iter().map(|one| (one, acceptor.clone())));
        for (listener, acceptor) in kinds {
            let receive = move |place: Place<Door>, stream: TcpStream, peer: SocketAddr| {
                let acceptor = acceptor.clone();
                async move {
                    let door = &place.door;
                    // Small while it is a link: what opening needs is let go before.
                    let opened =
                        Box::pin(opening::open(door, stream, peer, acceptor.as_ref())).await;
                    if let Some(opened) = opened {
                        link::run(door, opened, peer).await;
                    }
                }
            };
            tasks.spawn(listen(Arc::clone(&door), listener, tasks.clone(), receive));
        }
        tasks.close();
        Ok(OcppHandle {
            door,
            tasks,
            addresses,
            addresses_tls,
        })
    }
}

impl OcppHandle {
    /// The addresses bound in the clear, in the order of the options.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The addresses bound for TLS, in the order of the options.
    pub fn addresses_tls(&self) -> &[SocketAddr] {
        &self.addresses_tls
    }

    /// What the door counts.
    pub fn metrics(&self) -> &Metrics {
        &self.door.metrics
    }

    /// The stations that have a link, by identity.
    pub fn connected(&self) -> Vec<Connected> {
        let lines = self.door.lines.lock();
        let mut all: Vec<Connected> = lines
            .iter()
            .map(|(identity, line)| Connected {
                identity: identity.clone(),
                version: line.version,
                peer: line.peer,
                link: line.number,
            })
            .collect();
        drop(lines);
        all.sort_by(|one, other| one.identity.cmp(&other.identity));
        all
    }

    /// Ends the link of a station, as when its device was removed. It may come again if it is still let in.
    pub fn close(&self, identity: &str) {
        if let Some(line) = self.door.lines.lock().get(identity) {
            line.end.cancel();
        }
    }

    /// Tells a station to do something, and waits for its answer ([`proto_ocpp::Config::command_timeout_ms`]).
    ///
    /// # Errors
    /// [`NOT_ON_THE_LINE`]: it has no link, and nothing was sent. Any other says whether it may have happened.
    pub async fn command(&self, identity: &str, command: Command) -> Result<Reply, Failed> {
        let line = self.door.lines.lock().get(identity).cloned();
        let line = line.ok_or_else(|| no_line(identity))?;
        let (answer, answered) = oneshot::channel();
        let order = Order { command, answer };
        line.orders
            .send(order)
            .await
            .map_err(|_| no_line(identity))?;
        answered.await.unwrap_or_else(|_| Err(line_lost(identity)))
    }

    /// Closes the door: nothing more is read. What the sink takes within `shutdown_ms` is answered; what it does not, the station keeps.
    pub async fn shutdown(&self) {
        self.door.shutdown.send_replace(true);
        let patience = Duration::from_millis(self.door.options.limits.shutdown_ms);
        if timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!("links are left open: the sink did not take what came on them in time");
        }
    }
}

fn no_line(identity: &str) -> Failed {
    Failed {
        told: Told::new(
            NOT_ON_THE_LINE,
            both(
                format!("充电桩 {identity} 现在没有连接，没有下发"),
                format!("station {identity} has no link now: nothing was sent"),
            ),
            both("充电桩", "station"),
            both(
                "等它连上以后再试",
                "wait until it is connected, and try again",
            ),
        ),
        may_have_happened: false,
    }
}

fn line_lost(identity: &str) -> Failed {
    Failed {
        told: Told::new(
            "ocpp-link-lost",
            both(
                format!("充电桩 {identity} 在应答之前断开了连接"),
                format!("the link of station {identity} ended before it answered"),
            ),
            both("充电桩", "station"),
            both(
                "先看充电桩是否已执行，再决定是否重发",
                "see whether the station did it before telling it again",
            ),
        ),
        may_have_happened: true,
    }
}
