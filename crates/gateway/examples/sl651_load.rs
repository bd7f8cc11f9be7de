//! Many hydrological stations at once: each has a link of its own, sends one report, and waits for its confirmation, again and
//! again. Prints how long each round took from the first report to the last confirmation. A first round can be spread evenly over
//! some seconds; all stations of every other round send in the same moment.
//!
//! ```text
//! cargo run --release -p gateway --example sl651_load -- tcp|udp ADDRESS [STATIONS] [ROUNDS] [SPREAD_SECONDS]
//! ```
//!
//! A station's address is its number in decimal digits; each round is observed a minute after the one before, the last one now.
//!
//! Ten thousand links need as many file handles: `ulimit -n 30000`.

#![allow(clippy::print_stdout)]

use model::Timestamp;
use proto_sl651::element::{Decimal, Element};
use proto_sl651::frame::ETX;
use proto_sl651::message::{Entry, Section, function};
use proto_sl651::time::{ObservedTime, SentTime};
use proto_sl651::{Body, Direction, Encoding, Message, Station, encode};
use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// A confirmation of HEX/BCD: head 14, serial number and time 8, end 1, check value 2, in bytes.
const CONFIRMATION_BYTES: usize = 25;
const PATIENCE: Duration = Duration::from_secs(10);

enum Line {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Line {
    async fn open(kind: &str, address: SocketAddr) -> std::io::Result<Self> {
        if kind == "tcp" {
            return Ok(Self::Tcp(TcpStream::connect(address).await?));
        }
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        socket.connect(address).await?;
        Ok(Self::Udp(socket))
    }

    async fn exchange(&mut self, report: &[u8]) -> std::io::Result<()> {
        let mut answer = [0; CONFIRMATION_BYTES];
        match self {
            Self::Tcp(stream) => {
                stream.write_all(report).await?;
                stream.read_exact(&mut answer).await?;
            }
            Self::Udp(socket) => {
                socket.send(report).await?;
                socket.recv(&mut answer).await?;
            }
        }
        Ok(())
    }
}

/// A timed report of what was observed `minutes_ago`: rain, stage, battery.
fn report(number: u32, serial: u16, minutes_ago: u16) -> Vec<u8> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = Timestamp::from_micros(since.as_micros() as i64);
    let observed = now.plus_seconds(-60 * i64::from(minutes_ago));
    // Each decimal digit is half a byte of the address.
    let digits = u32::from_str_radix(&format!("{number:08}"), 16).unwrap_or_default();
    let mut address = [0; 5];
    address[1..].copy_from_slice(&digits.to_be_bytes());
    let station = Station(address);
    let value = |leader, bytes, decimals, unscaled| {
        Element::number(leader, bytes, Decimal { unscaled, decimals }).map(Entry::Element)
    };
    let elements = [
        Some(Entry::Observed(ObservedTime::of(observed, 8))),
        value(0x20, 3, 1, 40),
        value(0x26, 3, 1, 1_040),
        value(0x39, 4, 3, 28_000 + i64::from(number % 1_000)),
        value(0x38, 2, 2, 1_234),
    ];
    let report = Message {
        encoding: Encoding::Hex,
        direction: Direction::Up,
        centre: 1,
        station,
        password: 0x03E8,
        function: function::TIMED,
        end: ETX,
        packets: None,
        serial,
        sent: SentTime::of(now, 8),
        body: Body::Report(vec![Section {
            station: Some(station),
            class: Some(b'H'),
            entries: elements.into_iter().flatten().collect(),
        }]),
    };
    encode::message(&report).unwrap_or_default()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let kind = arguments.next().ok_or("tcp or udp")?;
    let address: SocketAddr = arguments.next().ok_or("the door's address")?.parse()?;
    let stations: u32 = arguments.next().map_or(Ok(1_000), |text| text.parse())?;
    let rounds: u16 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let spread_s: u32 = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let mut lines = Vec::new();
    for _ in 0..stations {
        lines.push(Line::open(&kind, address).await?);
    }
    for round in 1..=rounds {
        let spread = Duration::from_secs(u64::from(if round == 1 { spread_s } else { 0 }));
        let began = Instant::now();
        let tasks: Vec<_> = lines
            .drain(..)
            .zip(0..)
            .map(|(mut line, number)| {
                tokio::spawn(async move {
                    tokio::time::sleep(spread * number / stations).await;
                    let began = Instant::now();
                    let mut tries = 0;
                    // Twice again, as stations do.
                    let is_confirmed = loop {
                        let sent = report(number, round, rounds - round);
                        match tokio::time::timeout(PATIENCE, line.exchange(&sent)).await {
                            Ok(Ok(())) => break true,
                            _ if tries == 2 => break false,
                            _ => tries += 1,
                        }
                    };
                    (line, began.elapsed(), tries, is_confirmed)
                })
            })
            .collect();
        let (mut slowest, mut again, mut lost) = (Duration::ZERO, 0, 0);
        for task in tasks {
            let (line, took, tries, is_confirmed) = task.await?;
            lines.push(line);
            slowest = slowest.max(took);
            again += tries;
            lost += u32::from(!is_confirmed);
        }
        println!(
            "round {round}: {stations} reports in {:?}, the slowest {slowest:?}, {again} sent again, {lost} not confirmed",
            began.elapsed()
        );
    }
    Ok(())
}
