//! The SL 651 door over real sockets, with a sink and a directory of the test's own: confirmed means durable, busy means wait, one
//! peer's noise is bounded, a station can be asked.

use futures::future::BoxFuture;
use gateway::sl651::{Directory, Incoming, Known, Limits, Sink, Unknown};
use gateway::{Receipt, Refusal, Sl651Door, Sl651Handle, Sl651Options};
use model::{DeviceId, Problem, Timestamp, TypeName};
use parking_lot::Mutex;
use proto_sl651::frame::{self, ENQ, ETX};
use proto_sl651::message::function;
use proto_sl651::time::SentTime;
use proto_sl651::{Body, Command, Direction, Encoding, Frame, Message, Station, encode};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;
use wire::Decoded;

const STATION: Station = Station([0x00, 0x62, 0x20, 0x69, 0x00]);
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps what it is given; the disk has it when the test says so.
struct Kept {
    taken: Mutex<Vec<(String, Option<Problem>)>>,
    is_busy: AtomicBool,
    disk_is_slow: AtomicBool,
    durable: watch::Sender<u64>,
}

impl Kept {
    fn put(&self, address: &str, problem: Option<Problem>) -> Result<u64, Refusal> {
        if self.is_busy.load(SeqCst) {
            return Err(Refusal::Busy);
        }
        let mut taken = self.taken.lock();
        taken.push((address.to_owned(), problem));
        let position = taken.len() as u64 - 1;
        if !self.disk_is_slow.load(SeqCst) {
            self.durable.send_replace(position + 1);
        }
        Ok(position)
    }

    fn sync(&self) {
        self.disk_is_slow.store(false, SeqCst);
        self.durable.send_replace(self.taken.lock().len() as u64);
    }

    fn codes(&self) -> Vec<String> {
        let taken = self.taken.lock();
        let codes = taken
            .iter()
            .map(|(_, problem)| problem.as_ref().map(|p| p.code.clone()));
        codes.map(Option::unwrap_or_default).collect()
    }
}

impl Sink for Kept {
    fn submit(
        &self,
        incoming: Incoming<'_>,
        _: &Message,
        _: &[Problem],
        stations: &HashMap<Station, Arc<Known>>,
    ) -> Result<Receipt, Refusal> {
        assert_eq!(
            incoming.sender.map(|known| known.client_id.as_str()),
            Some("one")
        );
        assert!(stations.contains_key(&STATION));
        Ok(Receipt {
            position: self.put(incoming.address, None)?,
            refused: None,
            withheld: false,
        })
    }

    fn reject(&self, incoming: Incoming<'_>, _: u64, problem: Problem) -> Result<u64, Refusal> {
        self.put(incoming.address, Some(problem))
    }

    fn durable(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }

    fn presence(&self, _: &Known, _: bool, _: Timestamp) {}
}

/// Knows one station with one password.
struct One;

impl Directory for One {
    fn find(
        &self,
        station: Station,
        password: Option<u16>,
    ) -> BoxFuture<'_, Result<Known, Unknown>> {
        Box::pin(async move {
            if station != STATION {
                return Err(Unknown::NotRegistered);
            }
            if password.is_some_and(|password| password != 0x03E8) {
                return Err(Unknown::WrongPassword);
            }
            Ok(Known {
                device: DeviceId::new("urn:ngsi-ld:WaterObserved:62206900").unwrap(),
                kind: TypeName::new("WaterObserved").unwrap(),
                client_id: "one".to_owned(),
                name: "one".to_owned(),
            })
        })
    }
}

async fn open(limits: Limits) -> (Sl651Handle, Arc<Kept>) {
    let kept = Arc::new(Kept {
        taken: Mutex::default(),
        is_busy: AtomicBool::new(false),
        disk_is_slow: AtomicBool::new(false),
        durable: watch::Sender::new(0),
    });
    let any = "127.0.0.1:0".parse().unwrap();
    let options = Sl651Options {
        tcp_listen: vec![any],
        udp_listen: vec![any],
        limits,
        ..Sl651Options::default()
    };
    let door = Sl651Door::start(options, kept.clone(), Arc::new(One))
        .await
        .unwrap();
    (door, kept)
}

fn report(station: Station, code: u8, serial: u16, body: Body) -> Vec<u8> {
    let report = Message {
        encoding: Encoding::Hex,
        direction: Direction::Up,
        centre: 1,
        station,
        password: 0x03E8,
        function: code,
        end: ETX,
        packets: None,
        serial,
        sent: SentTime::of(Timestamp::from_seconds(1_795_000_000), 8),
        body,
    };
    encode::message(&report).unwrap()
}

fn timed(station: Station, serial: u16) -> Vec<u8> {
    report(station, function::TIMED, serial, Body::Report(Vec::new()))
}

/// The next frame that comes down.
async fn next(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Frame> {
    loop {
        if let Decoded::Message { message, used, .. } = frame::decode(bytes) {
            bytes.drain(..used);
            return Some(message);
        }
        let mut more = [0; 1024];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut more)).await;
        match read.expect("something comes").unwrap_or_default() {
            0 => return None,
            n => bytes.extend(&more[..n]),
        }
    }
}

fn serial(frame: &Frame) -> u16 {
    u16::from_be_bytes([frame.body[0], frame.body[1]])
}

async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("it comes to hold");
}

#[tokio::test]
async fn a_confirmation_waits_for_the_disk_and_a_busy_sink_for_room() {
    let (door, kept) = open(Limits::default()).await;
    kept.disk_is_slow.store(true, SeqCst);
    kept.is_busy.store(true, SeqCst);
    let mut stream = TcpStream::connect(door.tcp_addresses()[0]).await.unwrap();
    let all: Vec<u8> = (1..=50).flat_map(|n| timed(STATION, n)).collect();
    stream.write_all(&all).await.unwrap();
    let busy = || door.metrics().busy_total.load(SeqCst);
    until(|| busy() > 2).await;
    assert!(kept.codes().is_empty());
    kept.is_busy.store(false, SeqCst);
    until(|| kept.codes().len() == 50).await;
    assert_eq!(door.metrics().confirmations_total.load(SeqCst), 0);
    kept.sync();
    let mut bytes = Vec::new();
    for n in 1..=50 {
        assert_eq!(serial(&next(&mut stream, &mut bytes).await.unwrap()), n);
    }
    // One that comes again is confirmed again, and not taken again.
    stream.write_all(&timed(STATION, 7)).await.unwrap();
    assert_eq!(serial(&next(&mut stream, &mut bytes).await.unwrap()), 7);
    assert_eq!(kept.codes().len(), 50);
    door.shutdown().await;
    assert_eq!(next(&mut stream, &mut bytes).await, None);
}

#[tokio::test]
async fn datagrams_are_confirmed_to_their_senders() {
    let (door, kept) = open(Limits::default()).await;
    let mut sockets = Vec::new();
    for n in 1..=20 {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(door.udp_addresses()[0]).await.unwrap();
        socket.send(&timed(STATION, n)).await.unwrap();
        sockets.push((n, socket));
    }
    for (n, socket) in &sockets {
        let mut bytes = [0; 1024];
        let read = tokio::time::timeout(PATIENCE, socket.recv(&mut bytes)).await;
        let read = read.expect("a confirmation comes").unwrap();
        let Decoded::Message { message, .. } = frame::decode(&bytes[..read]) else {
            panic!("no frame");
        };
        assert_eq!(serial(&message), *n);
    }
    assert_eq!(kept.codes().len(), 20);
    door.shutdown().await;
}

#[tokio::test]
async fn noise_of_one_peer_is_bounded() {
    let limits = Limits {
        dead_letters_per_peer_max: 3,
        ..Limits::default()
    };
    let (door, kept) = open(limits).await;
    let mut stream = TcpStream::connect(door.tcp_addresses()[0]).await.unwrap();
    let stranger = Station([0, 1, 2, 3, 4]);
    let all: Vec<u8> = (1..=10).flat_map(|n| timed(stranger, n)).collect();
    stream.write_all(&all).await.unwrap();
    // The link is closed without a word.
    assert_eq!(next(&mut stream, &mut Vec::new()).await, None);
    assert_eq!(kept.codes(), ["sl651-unknown-station"; 3]);
    assert_eq!(door.metrics().unknown_stations_total.load(SeqCst), 4);
    door.shutdown().await;
}

#[tokio::test]
async fn a_station_on_the_line_can_be_asked() {
    let (door, _) = open(Limits::default()).await;
    let asked = door
        .command(STATION, function::ASK_CLOCK, Command::Plain)
        .await;
    assert_eq!(asked.unwrap_err().code, "sl651-not-on-the-line");
    let mut stream = TcpStream::connect(door.tcp_addresses()[0]).await.unwrap();
    let mut bytes = Vec::new();
    stream.write_all(&timed(STATION, 1)).await.unwrap();
    assert_eq!(serial(&next(&mut stream, &mut bytes).await.unwrap()), 1);
    let handle = door.clone();
    let asking = tokio::spawn(async move {
        handle
            .command(STATION, function::ASK_CLOCK, Command::Plain)
            .await
    });
    let order = next(&mut stream, &mut bytes).await.unwrap();
    assert_eq!(
        (order.function, order.end, serial(&order)),
        (function::ASK_CLOCK, ENQ, 0)
    );
    let answer = report(
        STATION,
        function::ASK_CLOCK,
        2,
        Body::Done { station: STATION },
    );
    stream.write_all(&answer).await.unwrap();
    assert_eq!(serial(&next(&mut stream, &mut bytes).await.unwrap()), 2);
    assert_eq!(asking.await.unwrap().unwrap().serial, 2);
    door.shutdown().await;
}
