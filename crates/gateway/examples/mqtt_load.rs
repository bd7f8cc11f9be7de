//! A lean MQTT load generator: N clients, each with a window of unacknowledged QoS 1 messages, against
//! any broker. Counts PUBACKs; prints one line of JSON.
//!
//! ```text
//! cargo run --release -p gateway --example mqtt_load -- --address 127.0.0.1:1883 \
//!     --clients 100 --window 20 --seconds 10 --username u --password p
//! ```
//!
//! `--devices FILE` takes JSON lines with `id`, `client_id`, `username`, `password`, `topic` (what
//! `jingling device add --json` prints), one for each client, instead of user name and password.
//! `--version 4|5`, `--type T`, `--attribute A`, `--unit U`, `--threads N`, `--rate N` (messages a
//! second of all clients together; 0 is as fast as it goes), `--acked FILE` (writes, for each
//! acknowledged message, its `observedAt` in microseconds, which no two messages share).

#![allow(clippy::print_stdout)]

use model::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Failure = Box<dyn Error + Send + Sync>;

/// How messages are made and sent.
#[derive(Clone)]
struct Plan {
    address: String,
    version: u8,
    window: usize,
    until: Instant,
    attribute: String,
    unit: String,
    kind: String,
    /// Time between two messages of one client, if the rate is limited.
    pause: Option<Duration>,
    acked: Option<Arc<Mutex<std::fs::File>>>,
    started_micros: i64,
}

/// One client.
#[derive(Clone)]
struct Device {
    id: String,
    client_id: String,
    username: String,
    password: String,
    topic: String,
}

/// Numbers messages over all clients, so that no two are alike.
static SEQUENCE: AtomicU64 = AtomicU64::new(0);

fn main() -> Result<(), Failure> {
    let mut options: HashMap<String, String> = HashMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        options.insert(name, value);
    }
    let mut take = |name: &str, default: &str| {
        options
            .remove(&format!("--{name}"))
            .unwrap_or_else(|| default.to_owned())
    };
    let clients: usize = take("clients", "100").parse()?;
    let seconds: f64 = take("seconds", "10").parse()?;
    let rate: f64 = take("rate", "0").parse()?;
    let threads: usize = take("threads", "1").parse()?;
    let (username, password) = (take("username", ""), take("password", ""));
    let kind = take("type", "AirQualityObserved");
    let devices = match take("devices", "").as_str() {
        "" => (0..clients)
            .map(|n| Device {
                id: format!("urn:ngsi-ld:{kind}:load-{n}"),
                client_id: format!("load-{n}"),
                username: username.clone(),
                password: password.clone(),
                topic: format!("devices/load-{n}/up"),
            })
            .collect(),
        file => read_devices(file, clients)?,
    };
    let acked = match take("acked", "").as_str() {
        "" => None,
        file => Some(Arc::new(Mutex::new(std::fs::File::create(file)?))),
    };
    let mut plan = Plan {
        address: take("address", "127.0.0.1:1883"),
        version: take("version", "4").parse()?,
        window: take("window", "20").parse()?,
        until: Instant::now(),
        attribute: take("attribute", "pm25"),
        unit: take("unit", "GQ"),
        kind,
        pause: (rate > 0.0).then(|| Duration::from_secs_f64(devices.len() as f64 / rate)),
        acked,
        started_micros: SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as i64,
    };
    if let Some(unknown) = options.keys().next() {
        return Err(format!("{unknown} is no option; see the top of this file").into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?;
    runtime.block_on(async move {
        // Everybody signs in before the clock starts: hashing passwords is not what is measured.
        let mut streams = Vec::new();
        for device in &devices {
            streams.push(sign_in(&plan, device).await?);
        }
        let start = Instant::now();
        plan.until = start + Duration::from_secs_f64(seconds);
        let tasks: Vec<_> = streams
            .into_iter()
            .zip(devices)
            .map(|(stream, device)| tokio::spawn(publish(plan.clone(), stream, device)))
            .collect();
        let mut latencies = Vec::new();
        let mut failures = Vec::new();
        let (mut sent, mut refused) = (0, 0);
        for task in tasks {
            let done = task.await?;
            sent += done.sent;
            refused += done.refused;
            latencies.extend(done.latencies_micros);
            failures.extend(done.failure);
        }
        let elapsed = start.elapsed().as_secs_f64();
        latencies.sort_unstable();
        let at = |share: f64| {
            let n = (latencies.len() as f64 * share) as usize;
            latencies.get(n.min(latencies.len().saturating_sub(1))).copied().unwrap_or(0) as f64 / 1000.0
        };
        println!(
            "{{\"acked\":{},\"sent\":{sent},\"refused\":{refused},\"seconds\":{elapsed:.3},\"acked_per_second\":{:.0},\
             \"p50_ms\":{:.3},\"p99_ms\":{:.3},\"max_ms\":{:.3},\"failed_clients\":{}}}",
            latencies.len(),
            latencies.len() as f64 / elapsed,
            at(0.5),
            at(0.99),
            at(1.0),
            failures.len()
        );
        if let Some(first) = failures.first() {
            eprintln!("first failure: {first}");
        }
        Ok(())
    })
}

fn read_devices(file: &str, clients: usize) -> Result<Vec<Device>, Failure> {
    let mut devices = Vec::new();
    for line in std::fs::read_to_string(file)?.lines().take(clients) {
        let value: serde_json::Value = serde_json::from_str(line)?;
        let field = |name: &str| {
            value[name]
                .as_str()
                .map(str::to_owned)
                .ok_or(format!("no {name} in {line}"))
        };
        devices.push(Device {
            id: field("id")?,
            client_id: field("client_id")?,
            username: field("username")?,
            password: field("password")?,
            topic: field("topic")?,
        });
    }
    Ok(devices)
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn packet(out: &mut Vec<u8>, first: u8, body: &[u8]) {
    out.push(first);
    let mut rest = body.len();
    loop {
        let byte = (rest % 128) as u8;
        rest /= 128;
        out.push(byte | if rest > 0 { 0x80 } else { 0 });
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
}

async fn sign_in(plan: &Plan, device: &Device) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect(&plan.address).await?;
    stream.set_nodelay(true)?;
    let mut body = Vec::new();
    text(&mut body, "MQTT");
    let credentials = if device.username.is_empty() { 0 } else { 0xc0 };
    body.extend_from_slice(&[plan.version, 2 | credentials, 0, 60]);
    if plan.version == 5 {
        body.push(0);
    }
    text(&mut body, &device.client_id);
    if credentials != 0 {
        text(&mut body, &device.username);
        text(&mut body, &device.password);
    }
    let mut out = Vec::new();
    packet(&mut out, 0x10, &body);
    stream.write_all(&out).await?;
    let mut header = [0; 2];
    stream.read_exact(&mut header).await?;
    let mut rest = vec![0; usize::from(header[1])];
    stream.read_exact(&mut rest).await?;
    if header[0] != 0x20 || rest.get(1) != Some(&0) {
        return Err(format!("{} is not let in: {rest:02x?}", device.client_id).into());
    }
    Ok(stream)
}

/// What one client did.
#[derive(Default)]
struct Done {
    sent: u64,
    refused: u64,
    latencies_micros: Vec<u32>,
    failure: Option<String>,
}

async fn publish(plan: Plan, stream: TcpStream, device: Device) -> Done {
    let mut done = Done::default();
    if let Err(failure) = publish_until(&plan, stream, &device, &mut done).await {
        done.failure = Some(format!("{}: {failure}", device.client_id));
    }
    done
}

async fn publish_until(
    plan: &Plan,
    mut stream: TcpStream,
    device: &Device,
    done: &mut Done,
) -> Result<(), Failure> {
    let mut waiting: VecDeque<(u16, u64, Instant)> = VecDeque::with_capacity(plan.window);
    let (mut out, mut body, mut inbox) = (Vec::new(), Vec::new(), vec![0; 16 * 1024]);
    let mut filled = 0;
    let mut packet_id = 0u16;
    let mut next = Instant::now();
    loop {
        let now = Instant::now();
        let over = now >= plan.until;
        if over && waiting.is_empty() {
            return Ok(());
        }
        out.clear();
        while !over && waiting.len() < plan.window && next <= now {
            if let Some(pause) = plan.pause {
                next += pause;
            }
            packet_id = packet_id.checked_add(1).unwrap_or(1);
            let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed);
            message(plan, device, packet_id, sequence, &mut body);
            packet(&mut out, 0x32, &body);
            waiting.push_back((packet_id, sequence, now));
            done.sent += 1;
        }
        if !out.is_empty() {
            stream.write_all(&out).await?;
        }
        let limit = match plan.pause {
            Some(_) if waiting.is_empty() || next > now => next.min(plan.until.max(now)),
            _ => now + Duration::from_secs(30),
        };
        let read = tokio::time::timeout_at(limit.into(), stream.read(&mut inbox[filled..]));
        match read.await {
            Err(_) if plan.pause.is_some() => continue,
            Err(_) => return Err("no acknowledgement for 30 seconds".into()),
            Ok(n) => match n? {
                0 => return Err("the connection was closed".into()),
                n => filled += n,
            },
        }
        let used = acknowledged(plan, &inbox[..filled], &mut waiting, done)?;
        inbox.copy_within(used..filled, 0);
        filled -= used;
    }
}

/// Takes the PUBACKs at the front of the bytes; answers how many bytes they were.
fn acknowledged(
    plan: &Plan,
    bytes: &[u8],
    waiting: &mut VecDeque<(u16, u64, Instant)>,
    done: &mut Done,
) -> Result<usize, Failure> {
    let now = Instant::now();
    let mut used = 0;
    let mut numbers = String::new();
    while let [first, length, ..] = bytes[used..] {
        let end = used + 2 + usize::from(length);
        if bytes.len() < end {
            break;
        }
        if first != 0x40 || length < 2 {
            return Err(format!("not a PUBACK: {:02x?}", &bytes[used..end]).into());
        }
        let id = u16::from_be_bytes([bytes[used + 2], bytes[used + 3]]);
        if bytes[used + 4..end]
            .first()
            .is_some_and(|reason| *reason >= 0x80)
        {
            done.refused += 1;
        }
        let at = waiting
            .iter()
            .position(|w| w.0 == id)
            .ok_or("an unknown identifier")?;
        if let Some((_, sequence, sent_at)) = waiting.remove(at) {
            let micros = now.duration_since(sent_at).as_micros();
            done.latencies_micros.push(micros as u32);
            if plan.acked.is_some() {
                numbers.push_str(&(plan.started_micros + sequence as i64).to_string());
                numbers.push('\n');
            }
        }
        used = end;
    }
    if let Some(file) = &plan.acked
        && !numbers.is_empty()
    {
        let mut file = file.lock().map_err(|e| e.to_string())?;
        file.write_all(numbers.as_bytes())?;
    }
    Ok(used)
}

/// The body of a PUBLISH: topic, identifier, and an NGSI-LD entity with one attribute, observed one
/// microsecond after the message before.
fn message(plan: &Plan, device: &Device, packet_id: u16, sequence: u64, body: &mut Vec<u8>) {
    body.clear();
    text(body, &device.topic);
    body.extend_from_slice(&packet_id.to_be_bytes());
    if plan.version == 5 {
        body.push(0);
    }
    let at = plan.started_micros + sequence as i64;
    let seconds = Timestamp::from_seconds(at.div_euclid(1_000_000)).to_string();
    let _ = write!(
        body,
        "{{\"id\":\"{}\",\"type\":\"{}\",\"{}\":{{\"type\":\"Property\",\"value\":{}.{},\"unitCode\":\"{}\",\
         \"observedAt\":\"{}.{:06}Z\"}}}}",
        device.id,
        plan.kind,
        plan.attribute,
        20 + sequence % 50,
        sequence % 10,
        plan.unit,
        seconds.trim_end_matches('Z'),
        at.rem_euclid(1_000_000)
    );
}
