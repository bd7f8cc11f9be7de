//! HTTP over our own TLS (传输层安全): connections are taken and their handshakes made beside each other, so that one that
//! dawdles keeps nobody waiting, and no more of them at once than is set.

use axum::serve::Listener;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The limits of connections that are not trusted with a request yet.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest time for a handshake.
    pub handshake_time_max: Duration,
    /// Handshakes at once; more wait.
    pub handshakes_at_once_max: usize,
    /// Connections whose handshake is done and that wait to be served.
    pub waiting_max: usize,
    /// Pause after the system had no socket left.
    pub accept_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake_time_max: Duration::from_secs(10),
            handshakes_at_once_max: 256,
            waiting_max: 64,
            accept_pause: Duration::from_millis(100),
        }
    }
}

type Taken = (TlsStream<TcpStream>, SocketAddr);

/// A listener whose connections speak TLS.
pub struct TlsListener {
    address: SocketAddr,
    taken: mpsc::Receiver<Taken>,
    accepting: JoinHandle<()>,
}

impl TlsListener {
    /// Takes connections of `listener` from here on.
    ///
    /// # Errors
    /// When the system does not say where it listens.
    pub fn new(
        listener: TcpListener,
        config: Arc<rustls::ServerConfig>,
        limits: Limits,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, taken) = mpsc::channel(limits.waiting_max.max(1));
        let accepting = tokio::spawn(accept(listener, TlsAcceptor::from(config), limits, sender));
        Ok(Self {
            address,
            taken,
            accepting,
        })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    limits: Limits,
    sender: mpsc::Sender<Taken>,
) {
    let places = Arc::new(Semaphore::new(limits.handshakes_at_once_max.max(1)));
    loop {
        // The semaphore is never closed.
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let (stream, address) = match listener.accept().await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::debug!(%error, "a connection could not be taken");
                tokio::time::sleep(limits.accept_pause).await;
                continue;
            }
        };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        let time_max = limits.handshake_time_max;
        tokio::spawn(async move {
            let shaken = tokio::time::timeout(time_max, acceptor.accept(stream)).await;
            match shaken {
                Ok(Ok(stream)) => {
                    // Nobody serves any more when the other end is gone.
                    let _ = sender.send((stream, address)).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, %address, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%address, "a TLS handshake took too long"),
            }
            drop(place);
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.taken.recv().await {
            Some(taken) => taken,
            // The task above ends with us only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
