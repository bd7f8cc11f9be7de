//! The door as a whole: it listens, lets connections in up to its limits, keeps house, and shuts down.

use super::broker::Broker;
use super::connection;
use super::metrics::Metrics;
use super::options::{Limits, MqttOptions};
use super::retained::{self, Retained};
use super::seam::{Authenticator, Refusal, Sink};
use super::sign_in::SignInLimits;
use super::tls;
use crate::listening::{Clock, Listens, Place, StartError, bind, listen, tune};
use model::{Problem, Timestamp};
use parking_lot::Mutex;
use proto_mqtt::{Message, Qos, Reason, topic};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

/// The MQTT door.
#[derive(Debug)]
pub struct MqttDoor;

/// What the door's tasks share.
pub(crate) struct Door {
    pub options: MqttOptions,
    pub session_config: Arc<proto_mqtt::Config>,
    pub sink: Arc<dyn Sink>,
    pub authenticator: Arc<dyn Authenticator>,
    pub broker: Broker,
    pub metrics: Arc<Metrics>,
    pub sign_in_limits: Mutex<SignInLimits>,
    pub sign_ins: Semaphore,
    pub shutdown: watch::Sender<bool>,
    peers: Mutex<HashMap<IpAddr, usize>>,
    client_ids: AtomicU64,
    clock: Clock,
}

impl Door {
    /// Milliseconds of the door's steady clock.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// A moment of the steady clock as the runtime's.
    pub fn instant(&self, ms: u64) -> Instant {
        self.clock.instant(ms)
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        Clock::now()
    }

    /// A client identifier for a client that has none.
    pub fn new_client_id(&self) -> String {
        let n = self.client_ids.fetch_add(1, Ordering::Relaxed);
        format!("auto-{}-{n}", self.now().micros())
    }
}

/// The running door.
#[derive(Clone)]
pub struct MqttHandle {
    door: Arc<Door>,
    tasks: TaskTracker,
    addresses: Vec<SocketAddr>,
    addresses_tls: Vec<SocketAddr>,
}

impl std::fmt::Debug for MqttHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MqttHandle")
            .field("addresses", &self.addresses)
            .field("addresses_tls", &self.addresses_tls)
            .finish_non_exhaustive()
    }
}

impl MqttDoor {
    /// Opens the door: when this returns, its addresses take connections.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(
        options: MqttOptions,
        sink: Arc<dyn Sink>,
        authenticator: Arc<dyn Authenticator>,
    ) -> Result<MqttHandle, StartError> {
        let metrics = Arc::new(Metrics::default());
        let broker = Broker::new(options.limits.clone(), Arc::clone(&metrics));
        load_retained(&options, &broker, sink.as_ref())?;
        let acceptor = match (&options.tls, options.listen_tls.is_empty()) {
            (_, true) => None,
            (Some(source), false) => {
                let config = tls::device_config(source).map_err(StartError::Tls)?;
                Some(TlsAcceptor::from(config))
            }
            (None, false) => {
                return Err(StartError::Tls(Problem::new(
                    "tls-missing",
                    "TLS addresses are set, but no certificate",
                    "tls",
                    "name certificate and key, or a folder for a self-signed pair",
                )));
            }
        };
        let (plain, addresses) = bind(&options.listen).await?;
        let (secure, addresses_tls) = bind(&options.listen_tls).await?;
        let door = Arc::new(Door {
            session_config: Arc::new(options.session.clone()),
            sink,
            authenticator,
            broker,
            metrics,
            sign_in_limits: Mutex::new(SignInLimits::new(&options.limits)),
            sign_ins: Semaphore::new(options.limits.sign_ins_at_once_max),
            shutdown: watch::Sender::new(false),
            peers: Mutex::default(),
            client_ids: AtomicU64::new(0),
            clock: Clock::new(),
            options,
        });
        let tasks = TaskTracker::new();
        let listeners = plain.into_iter().map(|listener| (listener, None)).chain(
            secure
                .into_iter()
                .map(|listener| (listener, acceptor.clone())),
        );
        for (listener, acceptor) in listeners {
            let receive = move |place: Place<Door>, stream, peer| {
                receive(place, stream, peer, acceptor.clone())
            };
            tasks.spawn(listen(Arc::clone(&door), listener, tasks.clone(), receive));
        }
        tasks.spawn(keep_house(Arc::clone(&door)));
        tasks.spawn(keep_retained(Arc::clone(&door)));
        tasks.close();
        Ok(MqttHandle {
            door,
            tasks,
            addresses,
            addresses_tls,
        })
    }
}

impl MqttHandle {
    /// The addresses bound for plain TCP, in the order of the options.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The addresses bound for TLS, in the order of the options.
    pub fn addresses_tls(&self) -> &[SocketAddr] {
        &self.addresses_tls
    }

    /// The journal position up to which the file of retained messages has everything.
    pub fn retained_saved(&self) -> u64 {
        self.door.broker.retained.read().saved_position
    }

    /// What the door counts.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.door.metrics
    }

    /// Publishes a message of the platform itself; answers how many subscribers it was queued for. It says
    /// nothing about the city and is not written, except that its topic keeps it when it is to be retained.
    ///
    /// # Errors
    /// `mqtt-topic-name` when the topic is none; `mqtt-busy` or the sink's own problem when a message to
    /// be retained cannot be written now: nobody got it then.
    pub fn publish(
        &self,
        topic: &str,
        payload: impl Into<bytes::Bytes>,
        qos: Qos,
        retain: bool,
    ) -> Result<usize, Problem> {
        if !topic::is_name(topic) {
            return Err(Problem::new(
                "mqtt-topic-name",
                format!("\"{}\" is no topic name", model::problem::quote(topic)),
                "topic",
                "use a text that is not empty and holds neither + nor #",
            ));
        }
        let message = Arc::new(Message::new(topic, payload));
        if retain {
            let kept = self.door.retain(None, &message, qos, self.door.now());
            kept.map_err(|refusal| match refusal {
                Refusal::Unavailable(problem) => problem,
                Refusal::Busy => Problem::new(
                    "mqtt-busy",
                    "too much waits for the disk",
                    "journal",
                    "try again in a moment",
                ),
            })?;
        }
        let said = || (self.door.sink).said(topic, &message.payload, None, None);
        let broker = &self.door.broker;
        Ok(broker.publish(None, &message, qos, retain, &said))
    }

    /// Ends the connections of a client identifier, e.g. of a device that was removed; answers how many.
    pub fn disconnect(&self, client_id: &str) -> usize {
        self.door.broker.evict(client_id, Reason(0x98))
    }

    /// Ends the connections of an account ([`crate::Client::name`]), e.g. of a token that was removed; answers how many.
    pub fn disconnect_named(&self, name: &str) -> usize {
        self.door.broker.evict_named(name, Reason(0x98))
    }

    /// Who has to wait before the next sign-in, because of failures; the most failures first, `max` at most.
    pub fn waiting(&self, max: usize) -> Vec<super::sign_in::Waiting> {
        let now_ms = self.door.now_ms();
        self.door.sign_in_limits.lock().waiting(now_ms, max)
    }

    /// Closes the door: takes no more, acknowledges what becomes durable within `shutdown_ms`, tells
    /// every client, saves retained messages.
    pub async fn shutdown(&self) {
        self.door.shutdown.send_replace(true);
        self.tasks.wait().await;
        save_retained(&self.door, true).await;
    }
}

impl Listens for Door {
    fn peers(&self) -> &Mutex<HashMap<IpAddr, usize>> {
        &self.peers
    }

    fn connections_max(&self) -> (usize, usize) {
        let limits = &self.options.limits;
        (limits.connections_max, limits.connections_per_peer_max)
    }

    fn counted(&self) -> [&AtomicU64; 3] {
        let metrics = &self.metrics;
        [
            &metrics.connections,
            &metrics.connections_total,
            &metrics.connections_refused_total,
        ]
    }

    fn shutdown(&self) -> &watch::Sender<bool> {
        &self.shutdown
    }
}

async fn receive(
    place: Place<Door>,
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: Option<TlsAcceptor>,
) {
    let door = &place.door;
    tune(&stream, peer, door.options.limits.tcp_keep_alive_seconds);
    // Boxed, so that a plain connection does not carry the memory of a TLS one.
    match acceptor {
        None => connection::serve(Arc::clone(door), stream, peer, None).await,
        Some(acceptor) => Box::pin(receive_tls(door, stream, peer, acceptor)).await,
    }
}

async fn receive_tls(door: &Arc<Door>, stream: TcpStream, peer: SocketAddr, acceptor: TlsAcceptor) {
    let limit = Duration::from_millis(door.session_config.connect_timeout_ms);
    let error = match timeout(limit, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let chain = stream.get_ref().1.peer_certificates();
            let shown = chain.and_then(|chain| chain.first());
            let shown = shown.map(|certificate| Box::<[u8]>::from(&**certificate));
            return connection::serve(Arc::clone(door), stream, peer, shown).await;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "timeout".to_owned(),
    };
    tracing::debug!(%peer, error, "TLS handshake failed");
    Metrics::one(&door.metrics.tls_failures_total);
}

async fn keep_house(door: Arc<Door>) {
    let limits = &door.options.limits;
    let mut tick = interval(Duration::from_millis(
        limits.housekeeping_interval_ms.max(1),
    ));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shutdown = door.shutdown.subscribe();
    loop {
        tokio::select! {
            _ = shutdown.wait_for(|down| *down) => return,
            _ = tick.tick() => {}
        }
        for (client, will) in door.broker.housekeep(door.now_ms()) {
            door.publish_will(client, will);
        }
    }
}

async fn keep_retained(door: Arc<Door>) {
    let every = door.options.limits.retained_save_interval_ms.max(1);
    let mut tick = interval(Duration::from_millis(every));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shutdown = door.shutdown.subscribe();
    loop {
        tokio::select! {
            _ = shutdown.wait_for(|down| *down) => return,
            _ = tick.tick() => {}
        }
        save_retained(&door, false).await;
    }
}

/// Takes in the file of retained messages and what the journal has after it.
fn load_retained(
    options: &MqttOptions,
    broker: &Broker,
    sink: &dyn Sink,
) -> Result<(), StartError> {
    let Some(path) = &options.retained_file else {
        return Ok(());
    };
    let retained = current_retained(path, &options.limits, sink).map_err(StartError::Retained)?;
    broker.count_retained(retained.len());
    *broker.retained.write() = retained;
    Ok(())
}

fn current_retained(path: &Path, limits: &Limits, sink: &dyn Sink) -> Result<Retained, Problem> {
    let mut retained = Retained::new(limits);
    retained.load(path)?;
    if retained.position > *sink.durable().borrow() {
        tracing::warn!(
            "the journal ends before the file of retained messages (was it restored alone?): \
             they are built again from the journal"
        );
        retained = Retained::new(limits);
    }
    let from = retained.position;
    sink.replay_retained(from, &mut |position, record| {
        retained.apply(position, record);
    })?;
    Ok(retained)
}

/// Brings the file of retained messages up to the journal's end without opening a door, so that the journal need not
/// be kept for it while the door is closed.
///
/// # Errors
/// What [`MqttDoor::start`] says of the file and the journal; `mqtt-retained-file` when it cannot be written.
pub fn settle_retained(path: &Path, limits: &Limits, sink: &dyn Sink) -> Result<(), Problem> {
    let durable = *sink.durable().borrow();
    let mut retained = current_retained(path, limits, sink)?;
    let position = retained.position.max(durable);
    if position == retained.saved_position {
        return Ok(());
    }
    let bytes = retained.encode(position);
    retained::save(path, &bytes).map_err(|error| {
        Problem::new(
            "mqtt-retained-file",
            error.to_string(),
            path.display().to_string(),
            "see whether the disk is full or read-only",
        )
    })
}

/// Saves retained messages if they changed or their file is far behind the journal, or if `anyhow`.
async fn save_retained(door: &Door, anyhow: bool) {
    let Some(path) = door.options.retained_file.clone() else {
        return;
    };
    let limits = &door.options.limits;
    let mut durable = door.sink.durable();
    let (position, bytes) = {
        let mut retained = door.broker.retained.write();
        // Whatever was written below the durable position was written under this lock, so it has taken
        // effect.
        let position = retained.position.max(*durable.borrow());
        let behind = position.saturating_sub(retained.saved_position);
        if !retained.changed && !anyhow && behind < limits.retained_replay_max {
            return;
        }
        (position, retained.encode(position))
    };
    // A file ahead of the journal would hide what the journal writes there after a crash.
    let patience = Duration::from_millis(limits.shutdown_ms);
    let is_durable = timeout(patience, durable.wait_for(|&durable| durable >= position))
        .await
        .is_ok_and(|waited| waited.is_ok());
    let saved = if is_durable {
        let saving = tokio::task::spawn_blocking(move || retained::save(&path, &bytes));
        saving
            .await
            .map_err(|e| e.to_string())
            .and_then(|saved| saved.map_err(|e| e.to_string()))
    } else {
        Err("the journal is not durable yet".to_owned())
    };
    let mut retained = door.broker.retained.write();
    match saved {
        Ok(()) => retained.saved_position = position,
        Err(error) => {
            tracing::error!(%error, "cannot save retained messages; trying again later");
            retained.changed = true;
        }
    }
}
