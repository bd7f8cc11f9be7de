//! The door as a whole: it listens, lets connections in up to its limits, passes on cancel requests, and
//! shuts down.

use crate::connection;
use crate::figures::Figures;
use crate::report::{self, Severity};
use crate::wire::Backend;
use futures::future::BoxFuture;
use identity::{Identity, Principal};
use lake::{Lake, RecordTables};
use model::{Catalogue, Problem, Timestamp};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

/// How long accepting pauses after the system had no socket left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the door lets one connection, one peer and all of them take.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Most connections at once.
    pub connections_max: usize,
    /// Most connections at once from one address.
    pub connections_per_peer_max: usize,
    /// Largest message from a client, in bytes.
    pub message_bytes_max: usize,
    /// Most prepared statements of one connection.
    pub statements_max: usize,
    /// Most portals and cursors of one connection.
    pub portals_max: usize,
    /// Longest time from the connection to the end of sign-in.
    pub sign_in_time_max: Duration,
    /// A connection that sends nothing for this long is closed.
    pub idle_time_max: Duration,
    /// Longest time that a client may take to take what it is sent.
    pub write_time_max: Duration,
    /// What is gathered before it is sent, in bytes.
    pub write_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 100,
            connections_per_peer_max: 50,
            message_bytes_max: 1 << 20,
            statements_max: 256,
            portals_max: 64,
            sign_in_time_max: Duration::from_secs(10),
            idle_time_max: Duration::from_secs(3_600),
            write_time_max: Duration::from_secs(30),
            write_bytes: 64 << 10,
        }
    }
}

/// The door's settings.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Addresses where a client may speak with or without TLS.
    pub listen: Vec<SocketAddr>,
    /// Addresses where a client must use TLS.
    pub listen_tls: Vec<SocketAddr>,
    /// Certificate and key; without it no client is offered TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// What connections may take.
    pub limits: Limits,
    /// What one statement may take; more rows than its limit end an answer with an error.
    pub queries: lake::Limits,
    /// The same of a statement with a purpose, whose answer is in memory as a whole before its first row goes out.
    pub gathered: lake::Limits,
}

/// Gives the tables that a caller, who asks from an address, may read beside history.
pub type TablesFor = Box<dyn Fn(&Principal, IpAddr) -> Arc<dyn RecordTables> + Send + Sync>;
/// Gives the entity types.
pub type CatalogueNow = Box<dyn Fn() -> Arc<Catalogue> + Send + Sync>;

/// Who judges what personal values are looked at for (用途).
pub trait Purposes: Send + Sync {
    /// One statement's look for a purpose.
    ///
    /// # Errors
    /// `purpose-unknown` when there is no such purpose, `forbidden` when the caller may state none.
    fn stated(
        &self,
        caller: &Principal,
        peer: IpAddr,
        purpose: &str,
    ) -> Result<Box<dyn Looking>, Problem>;
}

/// One statement's look at personal values.
pub trait Looking: Send + Sync {
    /// The tables, with values as they are shown for the purpose.
    fn tables(&self) -> Arc<dyn RecordTables>;
    /// Writes down what was shown whole, before any of it goes out; which it must not when this fails.
    fn tell(&self) -> BoxFuture<'_, Result<(), Problem>>;
}

/// What is asked, and who says who may.
pub struct City {
    /// History.
    pub lake: Arc<Lake>,
    /// Who may do what.
    pub identity: Identity,
    /// The entity types.
    pub catalogue: CatalogueNow,
    /// The tables lent, everything personal masked.
    pub tables: TablesFor,
    /// Who shows more of them for a purpose.
    pub purposes: Box<dyn Purposes>,
    /// The clock.
    pub clock: fn() -> Timestamp,
}

/// Why the door did not open.
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
    /// An address for passwords in the clear that others can reach.
    #[error(
        "{0} is not on this machine and speaks without TLS, so passwords could be read on the way; use an address for TLS"
    )]
    PlainBeyondLoopback(SocketAddr),
    /// TLS addresses without a certificate.
    #[error("addresses for TLS are set, but no certificate")]
    NoCertificate,
}

/// A running connection, for cancel requests.
struct Running {
    key: i32,
    cancel: watch::Sender<u64>,
}

/// What the door's tasks share.
pub(crate) struct Door {
    pub options: Options,
    pub city: City,
    pub acceptor: Option<TlsAcceptor>,
    pub shutdown: watch::Sender<bool>,
    running: Mutex<HashMap<i32, Running>>,
    peers: Mutex<HashMap<IpAddr, usize>>,
    ids: AtomicI32,
    pub figures: Figures,
}

/// A connection's entry in the list of those that can be cancelled; taken out when dropped.
pub(crate) struct Cancellable {
    door: Arc<Door>,
    pub id: i32,
    pub key: i32,
    pub cancelled: watch::Receiver<u64>,
}

impl Door {
    pub fn cancellable(self: &Arc<Self>) -> Cancellable {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let key = rand::random();
        let (cancel, cancelled) = watch::channel(0);
        self.running.lock().insert(id, Running { key, cancel });
        Cancellable {
            door: Arc::clone(self),
            id,
            key,
            cancelled,
        }
    }

    /// Stops what a connection runs, when the key is its own.
    pub fn cancel(&self, id: i32, key: i32) {
        if let Some(running) = self.running.lock().get(&id)
            && running.key == key
        {
            running.cancel.send_modify(|n| *n += 1);
        }
    }
}

impl Drop for Cancellable {
    fn drop(&mut self) {
        self.door.running.lock().remove(&self.id);
    }
}

/// A connection's place within the limits; given back when dropped.
pub(crate) struct Place {
    pub door: Arc<Door>,
    pub peer: IpAddr,
}

impl Place {
    fn take(door: &Arc<Door>, peer: IpAddr) -> Option<Self> {
        let limits = &door.options.limits;
        let mut peers = door.peers.lock();
        let all: usize = peers.values().sum();
        let own = peers.get(&peer).copied().unwrap_or(0);
        if all >= limits.connections_max || own >= limits.connections_per_peer_max {
            return None;
        }
        peers.insert(peer, own + 1);
        Some(Self {
            door: Arc::clone(door),
            peer,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut peers = self.door.peers.lock();
        if let Some(count) = peers.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                peers.remove(&self.peer);
            }
        }
    }
}

/// The running door.
#[derive(Clone)]
pub struct Handle {
    door: Arc<Door>,
    tasks: TaskTracker,
    addresses: Vec<SocketAddr>,
    addresses_tls: Vec<SocketAddr>,
}

impl Handle {
    /// The addresses bound for clients with or without TLS, in the order of the options.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The addresses bound for TLS only, in the order of the options.
    pub fn addresses_tls(&self) -> &[SocketAddr] {
        &self.addresses_tls
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.door.peers.lock().values().sum()
    }

    /// What the door counts, by name; those that end in `_total` only rise.
    pub fn figures(&self) -> Vec<(&'static str, u64)> {
        let mut figures = vec![("connections", self.connections() as u64)];
        figures.extend(self.door.figures.now());
        figures
    }

    /// Closes the door: takes no more, stops what runs, tells every client.
    pub async fn shutdown(&self) {
        self.door.shutdown.send_replace(true);
        self.tasks.wait().await;
    }
}

/// Opens the door: when this returns, its addresses take connections.
///
/// # Errors
/// See [`StartError`].
pub async fn start(options: Options, city: City) -> Result<Handle, StartError> {
    if let Some(address) = options.listen.iter().find(|a| !a.ip().is_loopback()) {
        return Err(StartError::PlainBeyondLoopback(*address));
    }
    if options.tls.is_none() && !options.listen_tls.is_empty() {
        return Err(StartError::NoCertificate);
    }
    let (plain, addresses) = bind(&options.listen).await?;
    let (secure, addresses_tls) = bind(&options.listen_tls).await?;
    let door = Arc::new(Door {
        acceptor: options.tls.clone().map(TlsAcceptor::from),
        options,
        city,
        shutdown: watch::Sender::new(false),
        running: Mutex::default(),
        peers: Mutex::default(),
        ids: AtomicI32::new(1),
        figures: Figures::default(),
    });
    let tasks = TaskTracker::new();
    let listeners = plain
        .into_iter()
        .map(|listener| (listener, false))
        .chain(secure.into_iter().map(|listener| (listener, true)));
    for (listener, tls_only) in listeners {
        tasks.spawn(listen(Arc::clone(&door), listener, tls_only, tasks.clone()));
    }
    tasks.close();
    Ok(Handle {
        door,
        tasks,
        addresses,
        addresses_tls,
    })
}

async fn bind(addresses: &[SocketAddr]) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), StartError> {
    let (mut listeners, mut bound) = (Vec::new(), Vec::new());
    for &address in addresses {
        let told = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(told)?;
        bound.push(listener.local_addr().map_err(told)?);
        listeners.push(listener);
    }
    Ok((listeners, bound))
}

async fn listen(door: Arc<Door>, listener: TcpListener, tls_only: bool, tasks: TaskTracker) {
    let mut shutdown = door.shutdown.subscribe();
    loop {
        let accepted = tokio::select! {
            _ = shutdown.wait_for(|down| *down) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match Place::take(&door, peer.ip()) {
                Some(place) => {
                    Figures::one(&door.figures.connections);
                    tasks.spawn(connection::serve(place, stream, tls_only));
                }
                None => {
                    Figures::one(&door.figures.connections_refused);
                    refuse(&stream);
                }
            },
            Err(error) => {
                // Out of sockets, or a peer that was gone before it was there.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Says why, when the socket takes it at once.
fn refuse(stream: &TcpStream) {
    let problem = Problem::new(
        "postgres-connections",
        "too many connections are open",
        "connection",
        "close some, or raise postgres.connections_max",
    );
    let mut out = Backend::default();
    out.report(true, &report::fields(Severity::Fatal, &problem, None));
    let _ = stream.try_write(&out.bytes);
}
