//! The SL 651 door alone, over a journal in a folder: to try stations by hand, and to measure the door without the rest of the
//! platform. Every station whose password is 03E8 is known.
//!
//! ```text
//! cargo run --release -p gateway --example sl651_door -- DIR [ADDRESS]
//! cargo run --release -p gateway --example sl651_load -- tcp ADDRESS 10000
//! ```
//!
//! Ctrl-C ends it and prints its figures.

#![allow(clippy::print_stdout)]

use futures::future::BoxFuture;
use gateway::sl651::{Directory, Incoming, Known, Sink, Unknown};
use gateway::{Receipt, Refusal, Sl651Door, Sl651Options};
use journal::{AppendError, Journal};
use model::{DeviceId, Problem, Timestamp, TypeName};
use proto_sl651::{Message, Station};
use std::collections::HashMap;
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
    fn submit(
        &self,
        incoming: Incoming<'_>,
        _message: &Message,
        _warnings: &[Problem],
        _stations: &HashMap<Station, Arc<Known>>,
    ) -> Result<Receipt, Refusal> {
        Ok(Receipt {
            position: self.append(incoming.raw)?,
            refused: None,
            withheld: false,
        })
    }

    fn reject(
        &self,
        incoming: Incoming<'_>,
        _size_bytes: u64,
        problem: Problem,
    ) -> Result<u64, Refusal> {
        println!("dead letter {}: {problem}", incoming.address);
        self.append(incoming.raw)
    }

    fn durable(&self) -> watch::Receiver<u64> {
        self.0.durable()
    }

    fn presence(&self, _station: &Known, _online: bool, _at: Timestamp) {}
}

struct Anybody;

impl Directory for Anybody {
    fn find(
        &self,
        station: Station,
        password: Option<u16>,
    ) -> BoxFuture<'_, Result<Known, Unknown>> {
        Box::pin(async move {
            if password.is_some_and(|password| password != 0x03E8) {
                return Err(Unknown::WrongPassword);
            }
            let id = format!("urn:ngsi-ld:WaterObserved:{}", station.code());
            let (Ok(device), Ok(kind)) = (DeviceId::new(id), TypeName::new("WaterObserved")) else {
                return Err(Unknown::NotRegistered);
            };
            Ok(Known {
                device,
                kind,
                client_id: station.to_string(),
                name: station.code(),
            })
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("name a folder for the journal")?);
    let address = arguments.next().unwrap_or("127.0.0.1:0".into()).parse()?;
    let (journal, _) = Journal::open(directory.join("journal"), journal::Options::default())?;
    let mut options = Sl651Options {
        tcp_listen: vec![address],
        udp_listen: vec![address],
        ..Sl651Options::default()
    };
    // All of them come from one address here.
    options.limits.links_per_peer_max = options.limits.links_max;
    let door = Sl651Door::start(options, Arc::new(JournalSink(journal)), Arc::new(Anybody)).await?;
    println!(
        "tcp {:?} udp {:?}",
        door.tcp_addresses(),
        door.udp_addresses()
    );
    tokio::signal::ctrl_c().await?;
    door.shutdown().await;
    for (name, figure) in door.metrics().figures() {
        if figure > 0 {
            println!("{name} {figure}");
        }
    }
    Ok(())
}
