//! What the door needs of the rest of the platform: a [`Sink`] for messages and an
//! [`Authenticator`] for clients. The binary implements both.

use futures::future::BoxFuture;
use model::{DeviceId, Problem, Retained, Timestamp, TypeName, Update};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// A client that has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its client identifier.
    pub client_id: String,
    /// The account or device credential it signed in with. Sessions are told apart by name and client
    /// identifier together, so nobody takes over a stranger's session.
    pub name: String,
    /// The device it is, and its type.
    pub device: Option<(DeviceId, TypeName)>,
    /// Which entities it may write.
    pub may_write: WriteScope,
    /// Topic filters it may publish to.
    pub publish: Vec<String>,
    /// Topic filters it may subscribe to, or to anything inside them.
    pub subscribe: Vec<String>,
    /// Which of the messages there it may have; `None`: all of them.
    pub sight: Option<Seeing>,
}

/// What a message says, as far as the sink understands it; found out when it is first asked for. `None`: that is not known, or
/// not of all of it.
pub type Said<'a> = dyn Fn() -> Option<Arc<[Update]>> + 'a;

/// What a subscriber may see of what others say (行列权限). A message is handed on whole or not at all: the door cannot take a
/// part out of a payload. Asked for each message, so that what changes counts from the next on; must not block.
pub trait Sight: Send + Sync {
    /// Whether a message may be handed to the subscriber. Who sees everything need not ask what it says.
    fn sees(&self, said: &Said<'_>) -> bool;
}

/// A client's [`Sight`].
#[derive(Clone)]
pub struct Seeing(pub Arc<dyn Sight>);

impl fmt::Debug for Seeing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seeing")
    }
}

impl PartialEq for Seeing {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Seeing {}

/// Which entities a client may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteScope {
    /// None.
    None,
    /// The entity that the device is.
    OwnEntity,
    /// Any.
    Any,
}

/// A message as it came.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Who sent it.
    pub client: &'a Client,
    /// Topic.
    pub topic: &'a str,
    /// Payload; of a message too large to keep, its first bytes.
    pub payload: &'a [u8],
    /// Media type, when the client said one.
    pub content_type: Option<&'a str>,
    /// To be kept for later subscribers.
    pub retain: bool,
    /// When it came.
    pub received_at: Timestamp,
}

/// A message taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// Its position in the journal, durable later.
    pub position: u64,
    /// Set when nothing of the message was understood: it is kept as a dead letter, not handed to
    /// subscribers, and the sender is told (MQTT 5) with 0x99.
    pub refused: Option<Problem>,
    /// It is not handed to subscribers and not kept for later ones, because it holds what not everybody may see; its
    /// sender has it accepted all the same.
    pub withheld: bool,
}

/// Why a message was not taken; it was not written anywhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Too much waits for the disk. The door stops reading this client until there is room.
    Busy,
    /// It cannot be taken for longer. The door closes the connection; the client keeps its message.
    Unavailable(Problem),
}

/// Where messages go. Called from many tasks at once; must not block.
pub trait Sink: Send + Sync {
    /// Takes a message and gives it a position at once.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn submit(&self, message: Incoming<'_>) -> Result<Receipt, Refusal>;

    /// Keeps a message that the door itself refused, as a dead letter with its problem. `size_bytes` is the
    /// size of the whole payload, of which `message.payload` may be only the front.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn reject(
        &self,
        message: Incoming<'_>,
        size_bytes: u64,
        problem: Problem,
    ) -> Result<u64, Refusal>;

    /// Writes what a topic keeps for later subscribers, or with an empty payload that it keeps nothing any
    /// more; answers its position. Comes after the message itself was taken, and in the order in which it
    /// takes effect: the door's other clients wait meanwhile.
    ///
    /// # Errors
    /// See [`Refusal`].
    fn retain(&self, kept: Retained) -> Result<u64, Refusal>;

    /// Gives what [`Sink::retain`] wrote and is durable, with its positions and in their order, from
    /// `from` on.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn replay_retained(
        &self,
        from: u64,
        each: &mut dyn FnMut(u64, Retained),
    ) -> Result<(), Problem>;

    /// What a message of a topic says, for subscribers who may not see everything ([`Client::sight`]): asked once for each
    /// message that one of those would get. `None`: that is not known, or not of all of it; they do not get it then. The
    /// sender is not known of a message that was retained.
    fn said(
        &self,
        topic: &str,
        payload: &[u8],
        content_type: Option<&str>,
        sender: Option<&Client>,
    ) -> Option<Arc<[Update]>>;

    /// The durable position: everything below it is on disk.
    fn durable(&self) -> watch::Receiver<u64>;

    /// A client came or went.
    fn presence(&self, client: &Client, online: bool, at: Timestamp);
}

/// Why a client was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Unknown user or device, or a wrong password.
    BadCredentials,
    /// Shown to hold the right key, by a proof that is too old, too new or used.
    StaleProof,
    /// Known, but not allowed here (disabled, or not with this client identifier).
    NotAuthorised,
    /// Cannot be decided now; not counted against the peer.
    Unavailable,
}

/// Who clients are.
pub trait Authenticator: Send + Sync {
    /// Decides about a client. A client that gave no user name or password comes with empty ones.
    fn sign_in<'a>(
        &'a self,
        client_id: &'a str,
        username: &'a str,
        password: &'a [u8],
        peer: IpAddr,
    ) -> BoxFuture<'a, Result<Client, Denied>>;

    /// The same for a client that gave no password but showed a certificate (DER), whose key it has proved to hold. Who knows
    /// no certificates lets nobody in by one.
    fn sign_in_with_certificate<'a>(
        &'a self,
        _client_id: &'a str,
        _username: &'a str,
        _certificate: &'a [u8],
        _peer: IpAddr,
    ) -> BoxFuture<'a, Result<Client, Denied>> {
        Box::pin(async { Err(Denied::BadCredentials) })
    }
}
