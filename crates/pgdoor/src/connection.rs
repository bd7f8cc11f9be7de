//! One connection from its first byte to its last: TLS, sign-in, and the bytes both ways.

use crate::door::{Door, Place};
use crate::figures::Figures;
use crate::report::{self, Severity, Written};
use crate::session::Session;
use crate::settings::{Settings, in_options};
use crate::wire::{self, Backend, Frontend, Opening, WireError};
use bytes::BytesMut;
use identity::{Permission, Principal};
use model::Problem;
use records::Failure;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The user name with which a service token signs in; the token is the password.
pub const TOKEN_USERNAME: &str = "token";

/// A socket, with or without TLS.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// Why a statement or a connection does not go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The statement failed.
    Failed(Problem),
    /// The connection ends, and the client is told why.
    Fatal(Problem),
    /// The client is gone.
    Gone,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl From<WireError> for Stop {
    fn from(error: WireError) -> Self {
        Self::Fatal(Problem::new(
            "postgres-protocol",
            error.to_string(),
            "connection",
            "use a client that speaks version 3 of PostgreSQL's protocol, and smaller messages",
        ))
    }
}

/// The bytes both ways.
pub(crate) struct Wire {
    reader: ReadHalf<Box<dyn Io>>,
    writer: WriteHalf<Box<dyn Io>>,
    inbox: BytesMut,
    pub out: Backend,
    message_bytes_max: usize,
    write_time_max: Duration,
    write_bytes: usize,
}

impl Wire {
    fn new(stream: Box<dyn Io>, inbox: BytesMut, door: &Door) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let limits = &door.options.limits;
        Self {
            reader,
            writer,
            inbox,
            out: Backend::default(),
            message_bytes_max: limits.message_bytes_max,
            write_time_max: limits.write_time_max,
            write_bytes: limits.write_bytes,
        }
    }

    async fn more(&mut self) -> Result<(), Stop> {
        match self.reader.read_buf(&mut self.inbox).await? {
            0 => Err(Stop::Gone),
            _ => Ok(()),
        }
    }

    /// The next message.
    pub async fn next(&mut self) -> Result<Frontend, Stop> {
        loop {
            if let Some(message) = wire::frontend(&mut self.inbox, self.message_bytes_max)? {
                return Ok(message);
            }
            self.more().await?;
        }
    }

    /// Comes back when the client is gone. What it sends meanwhile is kept, up to one message's size.
    pub async fn gone(&mut self) {
        while self.inbox.len() < self.message_bytes_max {
            if self.more().await.is_err() {
                return;
            }
        }
        std::future::pending().await
    }

    /// Sends what is gathered.
    pub async fn flush(&mut self) -> Result<(), Stop> {
        if self.out.bytes.is_empty() {
            return Ok(());
        }
        let sent = async {
            self.writer.write_all(&self.out.bytes).await?;
            self.writer.flush().await
        };
        match timeout(self.write_time_max, sent).await {
            Ok(sent) => sent?,
            Err(_) => return Err(Stop::Gone),
        }
        self.out.bytes.clear();
        Ok(())
    }

    /// Sends what is gathered when it is much.
    pub async fn flush_much(&mut self) -> Result<(), Stop> {
        if self.out.bytes.len() >= self.write_bytes {
            self.flush().await?;
        }
        Ok(())
    }

    /// Writes an error.
    pub fn error(&mut self, severity: Severity, problem: &Problem, sql: Option<Written<'_>>) {
        let fields = report::fields(severity, problem, sql);
        self.out.report(true, &fields);
    }
}

/// How a caller proved who it is; looked up anew for each statement.
enum Proof {
    Session(String),
    Token(String),
}

/// A caller who has signed in.
pub(crate) struct Guest {
    door: Arc<Door>,
    pub peer: IpAddr,
    proof: Proof,
    pub username: String,
}

impl Guest {
    /// The address that it speaks from.
    pub fn peer(&self) -> IpAddr {
        self.peer
    }

    /// The caller as it stands now, when it may query.
    pub async fn principal(&self) -> Result<Principal, Stop> {
        let principal = self.look_up().await?.ok_or_else(|| {
            Stop::Fatal(Problem::new(
                "postgres-session-ended",
                "the session has ended",
                "session",
                "connect again",
            ))
        })?;
        principal.require(Permission::SqlQuery).map_err(told)?;
        Ok(principal)
    }

    async fn look_up(&self) -> Result<Option<Principal>, Stop> {
        let now = (self.door.city.clock)();
        let identity = &self.door.city.identity;
        let principal = match &self.proof {
            Proof::Session(secret) => identity.session_principal(secret, now).await,
            Proof::Token(text) => identity.token_principal(text, now).await,
        };
        principal.map_err(told)
    }

    async fn sign_out(&self) {
        let Proof::Session(secret) = &self.proof else {
            return;
        };
        let Ok(Some(principal)) = self.look_up().await else {
            return;
        };
        let actor = principal.actor(&self.peer.to_string());
        let now = (self.door.city.clock)();
        if let Err(failure) = self.door.city.identity.sign_out(secret, &actor, now).await {
            tracing::warn!(%failure, "a session could not be ended");
        }
    }
}

/// A failure of the records as the client is told it.
fn told(failure: Failure) -> Stop {
    match failure.problem() {
        Some(problem) => Stop::Failed(problem.clone()),
        None => {
            tracing::error!(%failure, "a caller could not be looked up");
            Stop::Failed(Problem::new(
                "internal",
                "the platform failed",
                "server",
                "try again; if it stays, give the administrator the time",
            ))
        }
    }
}

/// Serves one connection until it ends.
pub(crate) async fn serve(place: Place, stream: TcpStream, tls_only: bool) {
    let door = &place.door;
    let _ = stream.set_nodelay(true);
    let mut shutdown = door.shutdown.subscribe();
    let signed_in = tokio::select! {
        _ = shutdown.wait_for(|down| *down) => return,
        signed_in = timeout(door.options.limits.sign_in_time_max, open(door, stream, place.peer, tls_only)) => signed_in,
    };
    let Ok(Ok(Some((mut wire, guest, settings)))) = signed_in else {
        return;
    };
    let entry = door.cancellable();
    wire.out.signed_in();
    for (name, value) in settings.told() {
        wire.out.parameter(name, &value);
    }
    wire.out.parameter("session_authorization", &guest.username);
    wire.out.key(entry.id, entry.key);
    let mut session = Session::new(Arc::clone(door), guest, settings, &entry);
    if let Err(Stop::Fatal(problem)) = session.run(&mut wire).await {
        wire.error(Severity::Fatal, &problem, None);
        let _ = wire.flush().await;
    }
    let _ = timeout(door.options.limits.write_time_max, wire.writer.shutdown()).await;
    session.guest().sign_out().await;
}

type Opened = Option<(Wire, Guest, Settings)>;

/// From the first byte to a caller who has signed in; `None` when that was all.
async fn open(
    door: &Arc<Door>,
    stream: TcpStream,
    peer: IpAddr,
    tls_only: bool,
) -> Result<Opened, Stop> {
    let mut stream: Box<dyn Io> = Box::new(stream);
    let mut inbox = BytesMut::new();
    let mut is_tls = false;
    loop {
        let opening = loop {
            match wire::opening(&mut inbox) {
                Ok(Some(opening)) => break opening,
                Ok(None) => {}
                Err(error) => {
                    let mut wire = Wire::new(stream, inbox, door);
                    return end(&mut wire, error.into()).await;
                }
            }
            if stream.read_buf(&mut inbox).await? == 0 {
                return Ok(None);
            }
        };
        match opening {
            Opening::Tls => match door.acceptor.as_ref().filter(|_| !is_tls) {
                Some(acceptor) => {
                    // Bytes sent before TLS began would be read as if they had come within it.
                    if !inbox.is_empty() {
                        return Ok(None);
                    }
                    stream.write_all(b"S").await?;
                    stream = Box::new(acceptor.accept(stream).await?);
                    is_tls = true;
                }
                None => stream.write_all(b"N").await?,
            },
            Opening::Gss => stream.write_all(b"N").await?,
            Opening::Cancel { id, key } => {
                door.cancel(id, key);
                return Ok(None);
            }
            Opening::Startup { minor, parameters } => {
                let mut wire = Wire::new(stream, inbox, door);
                if tls_only && !is_tls {
                    let problem = Problem::new(
                        "postgres-tls",
                        "this address speaks TLS only",
                        "connection",
                        "connect with sslmode=require",
                    );
                    return end(&mut wire, Stop::Fatal(problem)).await;
                }
                return match sign_in(door, &mut wire, peer, minor, &parameters).await {
                    Ok((guest, settings)) => Ok(Some((wire, guest, settings))),
                    Err(stop) => {
                        Figures::one(&door.figures.sign_ins_refused);
                        end(&mut wire, stop).await
                    }
                };
            }
        }
    }
}

/// Tells the client why, and ends.
async fn end(wire: &mut Wire, stop: Stop) -> Result<Opened, Stop> {
    if let Stop::Failed(problem) | Stop::Fatal(problem) = &stop {
        wire.error(Severity::Fatal, problem, None);
        wire.flush().await?;
    }
    let _ = wire.writer.shutdown().await;
    Ok(None)
}

async fn sign_in(
    door: &Arc<Door>,
    wire: &mut Wire,
    peer: IpAddr,
    minor: u16,
    parameters: &[(String, String)],
) -> Result<(Guest, Settings), Stop> {
    let unknown: Vec<&str> = parameters
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| name.starts_with("_pq_."))
        .collect();
    if minor > 0 || !unknown.is_empty() {
        wire.out.negotiate(&unknown);
    }
    let mut asked = Vec::new();
    let mut username = String::new();
    for (name, value) in parameters {
        match name.to_ascii_lowercase().as_str() {
            "user" => username.clone_from(value),
            "database" | "replication" => {}
            "options" => asked.extend(in_options(value)),
            // Clients send the format they like best; answers are in ISO's all the same.
            "datestyle" => {}
            name if name.starts_with("_pq_.") => {}
            name => asked.push((name.to_owned(), value.clone())),
        }
    }
    let settings = Settings::begin(asked)?;
    wire.out.ask_password();
    wire.flush().await?;
    let Frontend::Password(password) = wire.next().await? else {
        return Err(WireError::Body("PasswordMessage").into());
    };
    let (identity, now) = (&door.city.identity, (door.city.clock)());
    let wrong = || {
        Stop::Fatal(Problem::new(
            "sign-in-wrong",
            "the username or the password is wrong",
            "session",
            "check both; a service token signs in as the user \"token\"",
        ))
    };
    let proof = if username == TOKEN_USERNAME {
        identity
            .token_principal(&password, now)
            .await
            .map_err(told)?
            .ok_or_else(wrong)?;
        Proof::Token(password)
    } else {
        let signed = identity
            .sign_in(&username, &password, &peer.to_string(), now)
            .await
            .map_err(told)?;
        Proof::Session(signed.secret)
    };
    let guest = Guest {
        door: Arc::clone(door),
        peer,
        proof,
        username,
    };
    let begun = guest.principal().await.and_then(|caller| {
        // A purpose that the client connects with is judged as one that it sets.
        let purpose = settings.purpose();
        let looking = purpose.map(|purpose| door.city.purposes.stated(&caller, peer, purpose));
        Ok(looking.transpose().map(drop)?)
    });
    if let Err(stop) = begun {
        guest.sign_out().await;
        return Err(stop);
    }
    Ok((guest, settings))
}
