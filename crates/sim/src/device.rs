//! One device on the MQTT door: MQTT 3.1.1, QoS 1, one message at a time; a message is sent again on a new connection
//! until it is acknowledged, and the next one waits, as in a logger with a small memory.

use crate::run::DeviceCredential;
use rumqttc::{AsyncClient, ConnectReturnCode, EventLoop, MqttOptions, Packet, QoS};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What all devices did, counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub connects: AtomicU64,
    pub refused: AtomicU64,
    pub acked: AtomicU64,
    pub sent_again: AtomicU64,
    /// Links of charge points opened, and refused or failed.
    pub links: AtomicU64,
    pub links_refused: AtomicU64,
    /// Messages of charge points answered, and answered with an error.
    pub answers: AtomicU64,
    pub answers_refused: AtomicU64,
}

pub(crate) enum Command {
    Publish(Vec<u8>),
    Break,
    Return,
}

/// Times of a device's connection.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    pub keep_alive: Duration,
    pub wait_first: Duration,
    pub wait_max: Duration,
    pub ack_timeout: Duration,
}

/// One connection; dropping it cuts it without a word.
struct Line {
    client: AsyncClient,
    news: mpsc::UnboundedReceiver<News>,
    poller: JoinHandle<()>,
}

enum News {
    Up,
    Acked,
    Down(String),
}

impl Drop for Line {
    fn drop(&mut self) {
        self.poller.abort();
    }
}

impl Line {
    /// Connects and waits for the platform's answer.
    async fn open(
        credential: &DeviceCredential,
        address: SocketAddr,
        times: &Times,
    ) -> Result<Self, String> {
        let mut options = MqttOptions::new(
            &credential.client_id,
            address.ip().to_string(),
            address.port(),
        );
        options.set_credentials(&credential.username, &credential.password);
        options.set_keep_alive(times.keep_alive);
        options.set_clean_session(true);
        let (client, events) = AsyncClient::new(options, 4);
        let (tell, news) = mpsc::unbounded_channel();
        let mut line = Self {
            client,
            news,
            poller: tokio::spawn(poll(events, tell)),
        };
        match tokio::time::timeout(times.ack_timeout, line.news.recv()).await {
            Ok(Some(News::Up)) => Ok(line),
            Ok(Some(News::Down(why))) => Err(why),
            Ok(_) => Err("the connection ended".to_owned()),
            Err(_) => Err("no answer to CONNECT".to_owned()),
        }
    }

    /// Sends one message and waits until it is acknowledged.
    async fn publish(&mut self, topic: &str, payload: &[u8], times: &Times) -> Result<(), String> {
        self.client
            .publish(topic, QoS::AtLeastOnce, false, payload)
            .await
            .map_err(|e| e.to_string())?;
        match tokio::time::timeout(times.ack_timeout, self.news.recv()).await {
            Ok(Some(News::Acked)) => Ok(()),
            Ok(Some(News::Down(why))) => Err(why),
            Ok(_) => Err("the connection ended".to_owned()),
            Err(_) => Err("no acknowledgement".to_owned()),
        }
    }
}

/// Drives one connection until it ends.
async fn poll(mut events: EventLoop, tell: mpsc::UnboundedSender<News>) {
    loop {
        let news = match events.poll().await {
            Ok(rumqttc::Event::Incoming(Packet::ConnAck(ack)))
                if ack.code == ConnectReturnCode::Success =>
            {
                News::Up
            }
            Ok(rumqttc::Event::Incoming(Packet::PubAck(_))) => News::Acked,
            Ok(_) => continue,
            Err(e) => News::Down(e.to_string()),
        };
        let ended = matches!(news, News::Down(_));
        if tell.send(news).is_err() || ended {
            return;
        }
    }
}

/// A device's life: until its commands end, everything sent is acknowledged; then it takes its leave.
pub(crate) async fn live(
    credential: DeviceCredential,
    address: SocketAddr,
    times: Times,
    mut commands: mpsc::Receiver<Command>,
    tally: Arc<Tally>,
) {
    let mut line = None;
    let mut silent = false;
    let mut wait = times.wait_first;
    loop {
        if line.is_none() && !silent {
            match Line::open(&credential, address, &times).await {
                Ok(open) => {
                    line = Some(open);
                    wait = times.wait_first;
                    tally.connects.fetch_add(1, Ordering::Relaxed);
                }
                Err(why) => {
                    tally.refused.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(device = credential.id, why, "not connected");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(times.wait_max);
                    continue;
                }
            }
        }
        let command = match &mut line {
            Some(open) => tokio::select! {
                command = commands.recv() => command,
                news = open.news.recv() => {
                    if !matches!(news, Some(News::Up | News::Acked)) {
                        line = None;
                        tokio::time::sleep(wait).await;
                    }
                    continue;
                }
            },
            None => commands.recv().await,
        };
        match command {
            None => break,
            Some(Command::Break) => {
                silent = true;
                line = None;
            }
            Some(Command::Return) => silent = false,
            Some(Command::Publish(payload)) => {
                publish(&mut line, &credential, address, &times, &payload, &tally).await
            }
        }
    }
    if let Some(open) = line {
        // The platform learns that this was no accident; a failure to say so changes nothing.
        let _ = open.client.disconnect().await;
        let _ = tokio::time::timeout(times.wait_first, open.client_closed()).await;
    }
}

impl Line {
    /// Waits until the poller has sent DISCONNECT and met the end of the connection.
    async fn client_closed(mut self) {
        while let Some(news) = self.news.recv().await {
            if matches!(news, News::Down(_)) {
                return;
            }
        }
    }
}

/// Publishes until acknowledged, over as many connections as it takes. A silent device (no line) sends nothing.
async fn publish(
    line: &mut Option<Line>,
    credential: &DeviceCredential,
    address: SocketAddr,
    times: &Times,
    payload: &[u8],
    tally: &Tally,
) {
    let mut wait = times.wait_first;
    while let Some(open) = line {
        match open.publish(&credential.topic, payload, times).await {
            Ok(()) => {
                tally.acked.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Err(why) => tracing::debug!(
                device = credential.id,
                why,
                "not acknowledged; sending again"
            ),
        }
        tally.sent_again.fetch_add(1, Ordering::Relaxed);
        *line = loop {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(times.wait_max);
            match Line::open(credential, address, times).await {
                Ok(open) => break Some(open),
                Err(why) => tracing::debug!(device = credential.id, why, "not connected"),
            }
        };
        tally.connects.fetch_add(1, Ordering::Relaxed);
    }
}
