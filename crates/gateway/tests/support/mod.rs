//! A running door on a free port, with a sink in memory whose disk the test controls, and a client
//! that speaks in bytes.

#![allow(dead_code)] // each test file uses its part

use futures::future::BoxFuture;
use gateway::mqtt::{Limits, Metrics};
use gateway::{
    Authenticator, Client, Denied, Incoming, MqttDoor, MqttHandle, MqttOptions, Receipt, Refusal,
    Said, Seeing, Sight, Sink, WriteScope,
};
use model::{
    AttributeName, AttributeUpdate, DeviceId, EntityId, Problem, Quality, Retained, Timestamp,
    TypeName, Update, Value,
};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// What the sink keeps of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub client_id: String,
    pub topic: String,
    pub payload: Vec<u8>,
    pub size_bytes: u64,
    pub retain: bool,
    pub content_type: Option<String>,
    /// Code of the problem, of a dead letter.
    pub problem: Option<Problem>,
}

/// What is written of a retained message stands in the same journal.
#[derive(Clone, Debug)]
enum Entry {
    Message(Stored),
    Retained(Retained),
}

/// A journal in memory. A payload that begins with `bad` is not understood.
#[derive(Debug)]
pub struct MemorySink {
    entries: Mutex<Vec<Entry>>,
    durable: watch::Sender<u64>,
    /// While set, nothing becomes durable until [`MemorySink::sync`].
    pub disk_is_slow: AtomicBool,
    /// While set, the sink is busy.
    pub is_busy: AtomicBool,
    pub presence: Mutex<Vec<(String, bool)>>,
    /// How often it was asked what a message says.
    pub asked: AtomicU64,
}

impl Default for MemorySink {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            durable: watch::Sender::new(0),
            disk_is_slow: AtomicBool::new(false),
            is_busy: AtomicBool::new(false),
            presence: Mutex::default(),
            asked: AtomicU64::new(0),
        }
    }
}

/// Sees every message of which all is known, and which says nothing of the attribute `hidden`.
struct NotHidden;

impl Sight for NotHidden {
    fn sees(&self, said: &Said<'_>) -> bool {
        said().is_some_and(|said| {
            let mut names = said.iter().flat_map(|update| &update.attributes);
            names.all(|attribute| attribute.name.as_str() != "hidden")
        })
    }
}

impl MemorySink {
    pub fn stored(&self) -> Vec<Stored> {
        let entries = self.entries.lock().unwrap();
        let message = |entry: &Entry| match entry {
            Entry::Message(stored) => Some(stored.clone()),
            Entry::Retained(_) => None,
        };
        entries.iter().filter_map(message).collect()
    }
    pub fn payloads(&self) -> Vec<String> {
        let text = |s: &Stored| String::from_utf8_lossy(&s.payload).into_owned();
        self.stored().iter().map(text).collect()
    }
    /// Makes everything durable.
    pub fn sync(&self) {
        let n = self.entries.lock().unwrap().len() as u64;
        self.durable.send_replace(n);
    }
    fn take(
        &self,
        incoming: &Incoming<'_>,
        size_bytes: u64,
        problem: Option<Problem>,
    ) -> Result<u64, Refusal> {
        self.write(Entry::Message(Stored {
            client_id: incoming.client.client_id.clone(),
            topic: incoming.topic.into(),
            payload: incoming.payload.into(),
            size_bytes,
            retain: incoming.retain,
            content_type: incoming.content_type.map(str::to_owned),
            problem,
        }))
    }
    fn write(&self, entry: Entry) -> Result<u64, Refusal> {
        if self.is_busy.load(Ordering::SeqCst) {
            return Err(Refusal::Busy);
        }
        let mut entries = self.entries.lock().unwrap();
        entries.push(entry);
        let position = entries.len() as u64 - 1;
        if !self.disk_is_slow.load(Ordering::SeqCst) {
            self.durable.send_replace(position + 1);
        }
        Ok(position)
    }
}

impl Sink for MemorySink {
    fn submit(&self, incoming: Incoming<'_>) -> Result<Receipt, Refusal> {
        let refused = incoming
            .payload
            .starts_with(b"bad")
            .then(|| Problem::new("test-bad", "bad payload", "byte 0", "send another"));
        let size_bytes = incoming.payload.len() as u64;
        let position = self.take(&incoming, size_bytes, refused.clone())?;
        let withheld = incoming.topic.ends_with("/withheld");
        Ok(Receipt {
            position,
            refused,
            withheld,
        })
    }
    fn reject(
        &self,
        incoming: Incoming<'_>,
        size_bytes: u64,
        problem: Problem,
    ) -> Result<u64, Refusal> {
        self.take(&incoming, size_bytes, Some(problem))
    }
    fn retain(&self, kept: Retained) -> Result<u64, Refusal> {
        self.write(Entry::Retained(kept))
    }
    fn replay_retained(
        &self,
        from: u64,
        each: &mut dyn FnMut(u64, Retained),
    ) -> Result<(), Problem> {
        let entries = self.entries.lock().unwrap().clone();
        for (position, entry) in entries.into_iter().enumerate().skip(from as usize) {
            if let Entry::Retained(kept) = entry {
                each(position as u64, kept);
            }
        }
        Ok(())
    }
    /// A payload of one word is an attribute of that name; of any other nothing is known.
    fn said(
        &self,
        _topic: &str,
        payload: &[u8],
        _content_type: Option<&str>,
        _sender: Option<&Client>,
    ) -> Option<Arc<[Update]>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let word = std::str::from_utf8(payload).ok()?;
        let attribute = AttributeUpdate {
            name: AttributeName::new(word).ok()?,
            value: Value::Boolean(true),
            unit: None,
            observed_at: Timestamp::from_seconds(0),
            quality: Quality::Good,
        };
        let update = Update {
            entity_id: EntityId::new("urn:ngsi-ld:Thing:1").unwrap(),
            entity_type: TypeName::new("Thing").unwrap(),
            attributes: vec![attribute],
        };
        Some([update].into())
    }
    fn durable(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }
    fn presence(&self, client: &Client, online: bool, _at: Timestamp) {
        let entry = (client.client_id.clone(), online);
        self.presence.lock().unwrap().push(entry);
    }
}

/// User `city` may everything; user `some` too, but sees not everything (`NotHidden`); user `dev-…` is a device with rights below `devices/<user name>/`.
/// The password is `secret`.
#[derive(Debug, Default)]
pub struct Accounts;

impl Authenticator for Accounts {
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
            let own = vec![format!("devices/{username}/#")];
            let everything = vec!["#".to_owned()];
            let (device, may_write, filters) = if ["city", "some"].contains(&username) {
                (None, WriteScope::Any, everything)
            } else if username.starts_with("dev-") {
                let id = DeviceId::new(format!("urn:ngsi-ld:Device:{username}")).unwrap();
                let kind = TypeName::new("Device").unwrap();
                (Some((id, kind)), WriteScope::OwnEntity, own)
            } else {
                return Err(Denied::BadCredentials);
            };
            Ok(Client {
                client_id: client_id.into(),
                name: username.into(),
                device,
                may_write,
                publish: filters.clone(),
                subscribe: filters,
                sight: (username == "some").then(|| Seeing(Arc::new(NotHidden))),
            })
        })
    }
}

/// A running door.
pub struct Door {
    pub handle: MqttHandle,
    pub sink: Arc<MemorySink>,
}

pub fn options() -> MqttOptions {
    MqttOptions {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        limits: Limits {
            housekeeping_interval_ms: 20,
            ..Limits::default()
        },
        ..MqttOptions::default()
    }
}

pub async fn open(options: MqttOptions) -> Door {
    open_on(options, Arc::default()).await
}

/// A door over a journal that is there already.
pub async fn open_on(options: MqttOptions, sink: Arc<MemorySink>) -> Door {
    let handle = MqttDoor::start(options, sink.clone(), Arc::new(Accounts))
        .await
        .unwrap();
    Door { handle, sink }
}

impl Door {
    pub fn address(&self) -> SocketAddr {
        self.handle.addresses()[0]
    }
    pub fn metric(&self, figure: impl Fn(&Metrics) -> &AtomicU64) -> u64 {
        figure(self.handle.metrics()).load(Ordering::SeqCst)
    }
    /// A connection that has not said anything yet.
    pub async fn dial(&self) -> Raw<TcpStream> {
        Raw::new(TcpStream::connect(self.address()).await.unwrap(), 5)
    }
    /// A client signed in, with Clean Start.
    pub async fn client(&self, version: u8, client_id: &str, user: &str) -> Raw<TcpStream> {
        let mut raw = self.dial().await;
        raw.version = version;
        let connack = raw
            .connect(client_id, user, "secret", Connect::default())
            .await;
        assert_eq!(connack[2..4], [0, 0], "{connack:02x?}");
        raw
    }
    /// Waits until a condition about the door holds.
    pub async fn until(&self, mut holds: impl FnMut(&Door) -> bool) {
        let waiting = async {
            while !holds(self) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("the condition never held");
    }
}

/// Longest time that a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a CONNECT says besides who.
pub struct Connect {
    pub clean: bool,
    pub keep_alive_seconds: u16,
    pub will: Option<Vec<u8>>,
    /// MQTT 5 properties, without length.
    pub properties: Vec<u8>,
    /// Flags of the will: retain 0x20, QoS 0x08.
    pub will_flags: u8,
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            clean: true,
            keep_alive_seconds: 60,
            will: None,
            properties: vec![],
            will_flags: 0,
        }
    }
}

/// A client that speaks in bytes.
pub struct Raw<S> {
    pub stream: S,
    pub version: u8,
    inbox: Vec<u8>,
}

pub fn text(text: &str) -> Vec<u8> {
    let mut out = (text.len() as u16).to_be_bytes().to_vec();
    out.extend_from_slice(text.as_bytes());
    out
}

pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    proto_mqtt::frame::put_variable_integer(&mut out, body.len());
    out.extend_from_slice(body);
    out
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    pub fn new(stream: S, version: u8) -> Self {
        Self {
            stream,
            version,
            inbox: Vec::new(),
        }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next packet.
    pub async fn receive(&mut self) -> Vec<u8> {
        self.receive_or_end().await.expect("the connection ended")
    }

    /// The next packet, or `None` at the end of the connection.
    pub async fn receive_or_end(&mut self) -> Option<Vec<u8>> {
        let reading = async {
            loop {
                if let Some(header) = proto_mqtt::frame::header(&self.inbox).unwrap()
                    && self.inbox.len() >= header.total_bytes()
                {
                    let rest = self.inbox.split_off(header.total_bytes());
                    return Some(std::mem::replace(&mut self.inbox, rest));
                }
                match self.stream.read_buf(&mut self.inbox).await {
                    Ok(0) | Err(_) => return None,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .expect("nothing came")
    }

    /// Asserts that the connection ends without another packet.
    pub async fn ends(&mut self) {
        assert_eq!(self.receive_or_end().await, None);
    }

    fn properties(&self, properties: &[u8]) -> Vec<u8> {
        match self.version {
            5 => packet(0, properties).split_off(1),
            _ => vec![],
        }
    }

    /// CONNECT; answers what comes back.
    pub async fn connect(
        &mut self,
        client_id: &str,
        user: &str,
        password: &str,
        connect: Connect,
    ) -> Vec<u8> {
        let mut flags = 0xc0 | (u8::from(connect.clean) << 1);
        if connect.will.is_some() {
            flags |= 0x04 | connect.will_flags;
        }
        let mut body = text("MQTT");
        body.extend_from_slice(&[self.version, flags]);
        body.extend_from_slice(&connect.keep_alive_seconds.to_be_bytes());
        body.extend(self.properties(&connect.properties));
        body.extend(text(client_id));
        body.extend(connect.will.unwrap_or_default());
        body.extend(text(user));
        body.extend(text(password));
        self.send(&packet(0x10, &body)).await;
        self.receive().await
    }

    /// The bytes of a PUBLISH; identifier 0 is QoS 0.
    pub fn publish_bytes(&self, topic: &str, packet_id: u16, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut body = text(topic);
        let mut first = 0x30 | flags;
        if packet_id > 0 {
            first |= if flags & 0x04 == 0 { 0x02 } else { 0 };
            body.extend_from_slice(&packet_id.to_be_bytes());
        }
        body.extend(self.properties(&[]));
        body.extend_from_slice(payload);
        packet(first, &body)
    }

    pub async fn publish(&mut self, topic: &str, packet_id: u16, payload: &[u8]) {
        let bytes = self.publish_bytes(topic, packet_id, 0, payload);
        self.send(&bytes).await;
    }

    /// SUBSCRIBE; answers the code.
    pub async fn subscribe(&mut self, filter: &str, options: u8) -> u8 {
        let mut body = vec![0, 9];
        body.extend(self.properties(&[]));
        body.extend(text(filter));
        body.push(options);
        self.send(&packet(0x82, &body)).await;
        let suback = self.receive().await;
        assert_eq!(suback[0], 0x90, "{suback:02x?}");
        *suback.last().unwrap()
    }

    /// PINGREQ, and asserts that nothing but its answer is on the way.
    pub async fn ping(&mut self) {
        self.send(&[0xc0, 0]).await;
        assert_eq!(self.receive().await, [0xd0, 0]);
    }
}

/// What a PUBLISH received says: first byte, topic, identifier, payload.
pub fn read_publish(version: u8, bytes: &[u8]) -> (u8, String, u16, String) {
    let header = proto_mqtt::frame::header(bytes).unwrap().unwrap();
    assert_eq!(header.kind, 3, "{bytes:02x?}");
    let version = if version == 5 {
        proto_mqtt::Version::V5
    } else {
        proto_mqtt::Version::V311
    };
    let publish =
        proto_mqtt::decode::publish(header.flags, &bytes[header.header_bytes..], version).unwrap();
    (
        bytes[0],
        publish.topic.to_owned(),
        publish.packet_id,
        String::from_utf8_lossy(publish.payload).into_owned(),
    )
}
