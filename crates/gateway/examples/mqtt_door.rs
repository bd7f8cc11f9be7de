//! The MQTT door alone, over a journal in a folder: to try clients by hand, and to measure the door
//! without the rest of the platform. Everybody whose password is `secret` gets in and may everything.
//!
//! ```text
//! cargo run --release -p gateway --example mqtt_door -- DIR [ADDRESS] [TLS ADDRESS]
//! mosquitto_pub -p PORT -V 5 -q 1 -u me -P secret -t hello -m '{"t":1}' -d
//! ```
//!
//! A payload that begins with `bad` is treated as not understood. Ctrl-C ends it and prints its figures.

#![allow(clippy::print_stdout)]

use futures::future::BoxFuture;
use gateway::mqtt::TlsSource;
use gateway::{
    Authenticator, Client, Denied, Incoming, MqttDoor, MqttOptions, Receipt, Refusal, Sink,
    WriteScope,
};
use journal::{AppendError, Journal};
use model::{Problem, Record, Rejected, Retained, Timestamp, Update};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

struct JournalSink(Journal);

impl JournalSink {
    fn append(&self, bytes: &[u8]) -> Result<u64, Refusal> {
        self.0.append(bytes).map_err(|error| match error {
            AppendError::Busy => Refusal::Busy,
            other => Refusal::Unavailable(Problem::new(
                "journal",
                other.to_string(),
                "journal",
                "see the log",
            )),
        })
    }
}

impl Sink for JournalSink {
    fn submit(&self, message: Incoming<'_>) -> Result<Receipt, Refusal> {
        if message.payload.starts_with(b"bad") {
            let problem = Problem::new("bad", "the payload is bad", "byte 0", "send another");
            let size_bytes = message.payload.len() as u64;
            let position = self.reject(message, size_bytes, problem.clone())?;
            return Ok(Receipt {
                position,
                refused: Some(problem),
                withheld: false,
            });
        }
        Ok(Receipt {
            position: self.append(message.payload)?,
            refused: None,
            withheld: false,
        })
    }

    fn reject(
        &self,
        message: Incoming<'_>,
        size_bytes: u64,
        problem: Problem,
    ) -> Result<u64, Refusal> {
        println!("dead letter from {}: {problem}", message.client.client_id);
        let record = Record::Rejected(Rejected {
            door: "mqtt".into(),
            device_id: None,
            address: message.topic.into(),
            received_at: message.received_at,
            raw: message.payload.into(),
            size_bytes,
            problem,
        });
        self.append(&record.encode())
    }

    fn retain(&self, kept: Retained) -> Result<u64, Refusal> {
        self.append(&Record::Retained(kept).encode())
    }

    fn replay_retained(
        &self,
        from: u64,
        each: &mut dyn FnMut(u64, Retained),
    ) -> Result<(), Problem> {
        let mut reader = self.0.read(from);
        loop {
            let records = reader
                .next_batch(4_096)
                .map_err(|e| Problem::new("journal", e.to_string(), "journal", "see the log"))?;
            if records.is_empty() {
                return Ok(());
            }
            for (position, bytes) in records {
                // The others are payloads as they came.
                if let Ok(Record::Retained(kept)) = Record::decode(&bytes) {
                    each(position, kept);
                }
            }
        }
    }

    fn said(
        &self,
        _topic: &str,
        _payload: &[u8],
        _content_type: Option<&str>,
        _sender: Option<&Client>,
    ) -> Option<Arc<[Update]>> {
        // Everybody sees everything here; nobody asks.
        None
    }

    fn durable(&self) -> watch::Receiver<u64> {
        self.0.durable()
    }

    fn presence(&self, client: &Client, online: bool, at: Timestamp) {
        let state = if online { "online" } else { "offline" };
        println!("{at} {} {state}", client.client_id);
    }
}

struct Anybody;

impl Authenticator for Anybody {
    fn sign_in<'a>(
        &'a self,
        client_id: &'a str,
        username: &'a str,
        password: &'a [u8],
        _peer: IpAddr,
    ) -> BoxFuture<'a, Result<Client, Denied>> {
        Box::pin(async move {
            if password != b"secret" {
                return Err(Denied::BadCredentials);
            }
            Ok(Client {
                client_id: client_id.into(),
                name: username.into(),
                device: None,
                may_write: WriteScope::Any,
                publish: vec!["#".into()],
                subscribe: vec!["#".into()],
                sight: None,
            })
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("name a folder for the journal")?);
    let address = arguments.next().unwrap_or("127.0.0.1:0".into()).parse()?;
    let listen_tls = match arguments.next() {
        Some(address) => vec![address.parse()?],
        None => vec![],
    };
    let (journal, _) = Journal::open(directory.join("journal"), journal::Options::default())?;
    let options = MqttOptions {
        listen: vec![address],
        listen_tls,
        tls: Some(TlsSource::SelfSigned {
            directory: directory.join("tls"),
            names: vec!["localhost".into(), "127.0.0.1".into()],
        }),
        retained_file: Some(directory.join("retained.bin")),
        ..MqttOptions::default()
    };
    let sink = Arc::new(JournalSink(journal));
    let handle = MqttDoor::start(options, sink, Arc::new(Anybody)).await?;
    println!(
        "mqtt {:?} mqtts {:?}",
        handle.addresses(),
        handle.addresses_tls()
    );
    tokio::signal::ctrl_c().await?;
    handle.shutdown().await;
    for (name, figure) in handle.metrics().figures() {
        if figure > 0 {
            println!("{name} {figure}");
        }
    }
    Ok(())
}
