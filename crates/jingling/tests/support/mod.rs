//! A city that runs for a test: the real binary on a folder of its own with every port free, and what a test
//! needs to speak with its doors as anybody outside would.

#![allow(dead_code)] // each test file uses its part

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, PubAck, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, Incoming, MqttOptions};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// Below which errors have the standard's form, and a key that is missing or does not do is 403 (Open311 GeoReport v2, "Errors").
pub const OPEN311: &str = "/open311/v2/";

/// What somebody who is not known is answered.
pub fn refusal_of_strangers(template: &str) -> u16 {
    match template.starts_with(OPEN311) {
        true => 403,
        false => 401,
    }
}

/// Longest time that a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Runs the binary to its end.
pub fn jingling(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jingling"))
        .args(words)
        .output()
        .unwrap()
}

/// Runs the binary and reads the JSON that it prints.
pub fn jingling_json(words: &[&str]) -> Json {
    let output = jingling(words);
    assert!(
        output.status.success(),
        "{words:?}: {}",
        text(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with a new city in it.
pub fn new_city() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("city").display().to_string();
    let made = jingling(&["init", &dir, "--city", "tianmen"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    (folder, dir)
}

/// The settings that give every listener a free port.
pub const FREE_PORTS: [&str; 6] = [
    "--set",
    "http.listen=127.0.0.1:0",
    "--set",
    "mqtt.listen=127.0.0.1:0",
    "--set",
    "mqtt.tls_listen=127.0.0.1:0",
];

/// A city that runs. It is ended when the last test that holds it is done.
pub struct City {
    pub dir: String,
    /// A service token of the role `admin`; those of the others are had with [`City::token_of`].
    pub admin: String,
    tokens: Mutex<BTreeMap<String, String>>,
    addresses: BTreeMap<String, SocketAddr>,
    log: Arc<Mutex<String>>,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Drop for City {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("--- the city's log\n{}", self.log());
        }
    }
}

/// The city that the tests of this program share; started by the first that asks.
pub fn shared() -> Arc<City> {
    static SHARED: Mutex<Weak<City>> = Mutex::new(Weak::new());
    // A test that failed while it started the city leaves nothing half done behind.
    let mut shared = SHARED.lock().unwrap_or_else(|e| e.into_inner());
    if let Some(city) = shared.upgrade() {
        return city;
    }
    let city = Arc::new(City::start());
    *shared = Arc::downgrade(&city);
    city
}

impl City {
    /// A person made on the command line, as the machine's operator does; their password.
    pub fn add_person(&self, username: &str, role: &str) -> String {
        self.add_named(username, "王敏", role, &[])
    }

    /// The same for a person of a name, with more words for the command; their password.
    pub fn add_named(&self, username: &str, name: &str, role: &str, more: &[&str]) -> String {
        let mut words = vec!["user", "add", &self.dir, "--username", username];
        words.extend(["--name", name, "--role", role, "--json"]);
        words.extend(more);
        let made = jingling_json(&words);
        made["password"].as_str().unwrap().to_owned()
    }

    /// What signing in with a password answers.
    pub async fn sign_in(&self, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        self.ask("POST", "/api/v1/session", |r| r.json(&body)).await
    }

    /// Makes a city, starts it, and waits until it is ready.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with other settings, each as `--set` takes it.
    pub fn start_with(settings: &[&str]) -> Self {
        let (folder, dir) = new_city();
        Self::start_in(folder, dir, settings)
    }

    /// Starts a city that was made before.
    pub fn start_in(folder: tempfile::TempDir, dir: String, settings: &[&str]) -> Self {
        let admin = token(&dir, "admin");
        let mut process = Command::new(env!("CARGO_BIN_EXE_jingling"))
            .args(["serve", &dir])
            .args(FREE_PORTS)
            .args(settings.iter().flat_map(|setting| ["--set", *setting]))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (written, lines) = (log.clone(), BufReader::new(process.stderr.take().unwrap()));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut log = written.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut city = Self {
            addresses: BTreeMap::new(),
            dir,
            admin,
            tokens: Mutex::default(),
            log,
            process,
            _folder: folder,
        };
        let file = Path::new(&city.dir).join("run/addresses.json");
        let began = Instant::now();
        loop {
            if let Some(status) = city.process.try_wait().unwrap() {
                panic!("the city ended with {status}: {}", city.log());
            }
            if let Ok(written) = std::fs::read(&file) {
                city.addresses = serde_json::from_slice(&written).unwrap();
                if is_ready(city.address("http")) {
                    return city;
                }
            }
            assert!(began.elapsed() < PATIENCE, "not ready: {}", city.log());
            std::thread::sleep(LOOK);
        }
    }

    /// Where a door listens.
    pub fn address(&self, door: &str) -> SocketAddr {
        self.addresses[door]
    }

    /// What the city has written of itself.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Asks the city over HTTP; `with` adds credentials and a body.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        with: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .unwrap();
        let url = format!("http://{}{path}", self.address("http"));
        let request = with(client.request(method.parse().unwrap(), &url));
        let response = request
            .send()
            .await
            .unwrap_or_else(|e| panic!("{method} {path}: {e:?}"));
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        // Of several, the session's: those that led to it are taken away in the same answer.
        let cookies = response.headers().get_all("set-cookie").into_iter();
        let mut cookies: Vec<String> = cookies
            .filter_map(|value| Some(value.to_str().ok()?.split(';').next()?.to_owned()))
            .collect();
        cookies.sort_by_key(|cookie| !cookie.starts_with("jingling_session="));
        let cookie = cookies.into_iter().next();
        let mut answer = Answer {
            status: response.status().as_u16(),
            kind: header("content-type").unwrap_or_default(),
            cookie,
            retry_after: header("retry-after"),
            body: String::new(),
        };
        // The live stream has no end.
        if answer.kind != "text/event-stream" {
            answer.body = response.text().await.unwrap();
        }
        answer
    }

    /// A service token of a role, made when it is first asked for.
    pub fn token_of(&self, role: &str) -> String {
        if role == "admin" {
            return self.admin.clone();
        }
        let mut tokens = self.tokens.lock().unwrap_or_else(|e| e.into_inner());
        let made = tokens.entry(role.to_owned());
        made.or_insert_with(|| token(&self.dir, role)).clone()
    }

    /// Signs in one of those whom the city was made with, by role; the cookie to send.
    pub async fn signed_in(&self, role: &str) -> String {
        let file = std::fs::read(format!("{}/secrets/first-sign-in.json", self.dir)).unwrap();
        let people: Vec<Json> = serde_json::from_slice(&file).unwrap();
        let person = people.iter().find(|p| p["role"] == role).unwrap();
        let body = json!({"username": person["username"], "password": person["password"]});
        let answer = self.ask("POST", "/api/v1/session", |r| r.json(&body)).await;
        assert_eq!(answer.status, 200, "{role}: {answer:?}");
        answer.cookie.unwrap()
    }

    /// Sends something as a person with a session.
    pub async fn send(&self, cookie: &str, method: &str, path: &str, body: &Json) -> Answer {
        let with = |r: reqwest::RequestBuilder| {
            let r = r.header("cookie", cookie).header("x-jingling-csrf", "1");
            if body.is_null() { r } else { r.json(body) }
        };
        self.ask(method, path, with).await
    }

    /// Approves what was asked for, as one of those whom the city was made with; the whole answer.
    pub async fn approve(&self, asked: &Answer, role: &str) -> Json {
        assert_eq!(asked.status, 202, "{asked:?}");
        let approval = &asked.json()["approval"];
        let cookie = self.signed_in(role).await;
        let path = format!("/api/v1/approvals/{}/approve", approval["id"]);
        let body = json!({"digest": approval["digest"]});
        let decided = self.send(&cookie, "POST", &path, &body).await;
        assert_eq!(decided.status, 200, "{decided:?}");
        decided.json()
    }

    /// Asks as a token whose role may read that; the answer must be good.
    pub async fn get(&self, path: &str) -> Json {
        let role = match path {
            p if p.starts_with("/api/v1/audit") => "auditor",
            p if p.starts_with("/api/v1/tables") => "duty",
            p if p.starts_with("/api/v1/charging") => "operator",
            p if p.starts_with("/api/v1/organisations") => "duty",
            p if p.starts_with("/api/v1/cases") => "duty",
            p if p.starts_with("/api/v1/security") => "security",
            _ => "admin",
        };
        let token = self.token_of(role);
        let answer = self.ask("GET", path, |r| r.bearer_auth(&token)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// The first row of a query.
    pub async fn sql(&self, query: &str) -> Json {
        let token = self.token_of("duty");
        let with =
            |r: reqwest::RequestBuilder| r.bearer_auth(&token).json(&json!({ "query": query }));
        let answer = self.ask("POST", "/api/v1/sql", with).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer.json()["rows"][0].clone()
    }

    /// Registers a device for an entity of its own.
    pub async fn register(&self, entity_type: &str) -> Credentials {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let body = json!({"id": format!("urn:ngsi-ld:{entity_type}:{n}"), "type": entity_type});
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&self.admin).json(&body);
        let answer = self.ask("POST", "/api/v1/devices", with).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The newest dead letter of a device once there is one, with the stored message as `stored`.
    pub async fn dead_letter(&self, device: &str) -> Json {
        let path = format!("/api/v1/dead-letters?device={device}");
        self.dead_letter_where(&path, |_| true).await
    }

    /// The newest dead letter of a list for which something holds, once there is one.
    pub async fn dead_letter_where(&self, path: &str, holds: impl Fn(&Json) -> bool) -> Json {
        let mut letter = Json::Null;
        until("a dead letter", async || {
            let page = self.get(path).await;
            let found = page["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|l| holds(l))
                .cloned();
            letter = found.unwrap_or_default();
            !letter.is_null()
        })
        .await;
        let position = letter["position"].as_u64().unwrap();
        letter["stored"] = self.get(&format!("/api/v1/provenance/{position}")).await;
        letter
    }

    /// Waits until the current state of an entity shows a number; answers the attribute.
    pub async fn shows(&self, entity: &str, attribute: &str, value: f64) -> Json {
        let mut seen = Json::Null;
        until(&format!("{entity} {attribute} = {value}"), async || {
            let path = format!("/api/v1/entities/{entity}");
            let answer = self.ask("GET", &path, |r| r.bearer_auth(&self.admin)).await;
            if answer.status == 200 {
                seen = answer.json()["attributes"][attribute].clone();
            }
            seen["value"] == value
        })
        .await;
        seen
    }

    /// The city is alive, nothing panicked, and another device's message goes through.
    pub async fn goes_on(&self) {
        let other = self.register("WaterObserved").await;
        let mut device = Mqtt::device(self, &other).await;
        let body = json!({"waterLevel": {"value": 27.5, "unitCode": "MTR"}});
        let ack = device.publish(&other.topic, body.to_string()).await;
        assert_eq!(format!("{:?}", ack.reason), "Success");
        self.shows(&other.id, "waterLevel", 27.5).await;
        for path in ["/healthz", "/readyz"] {
            assert_eq!(self.ask("GET", path, |r| r).await.status, 200, "{path}");
        }
        assert!(!self.log().contains("panicked"), "{}", self.log());
    }
}

fn is_ready(http: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(http)?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: city\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// Makes a service token in a city's folder.
pub fn token(dir: &str, role: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let name = format!("{role}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let words = [
        "token", "create", dir, "--name", &name, "--role", role, "--json",
    ];
    jingling_json(&words)["token"].as_str().unwrap().to_owned()
}

/// Waits until a condition holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(LOOK).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "never came: {what}");
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub kind: String,
    /// The cookie that it sets, as it is sent back.
    pub cookie: Option<String>,
    pub retry_after: Option<String>,
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The body as a problem document that says what, where and the mend; answers its code.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(self.kind, "application/problem+json", "{self:?}");
        let problem = self.json();
        for member in ["code", "detail", "place", "mend"] {
            let said = problem[member].as_str().unwrap_or_default();
            assert!(!said.is_empty(), "{member} in {problem}");
        }
        assert_eq!(problem["status"], self.status);
        problem["code"].as_str().unwrap().to_owned()
    }
}

/// How a device connects, as it is told once.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Credentials {
    pub id: String,
    pub client_id: String,
    pub username: String,
    pub password: String,
    pub topic: String,
}

/// An MQTT 5 client.
pub struct Mqtt {
    client: AsyncClient,
    events: EventLoop,
    /// Largest packet that the server says it takes, bytes.
    pub packet_bytes_max: Option<u32>,
}

impl Mqtt {
    /// A device signs in with its own credentials.
    pub async fn device(city: &City, device: &Credentials) -> Self {
        Self::connect(city, &device.client_id, &device.username, &device.password)
            .await
            .unwrap_or_else(|code| panic!("{device:?} was not let in: {code:?}"))
    }

    /// A client signs in with anything; the server's code when it is not let in.
    pub async fn connect(
        city: &City,
        client_id: &str,
        username: &str,
        password: &str,
    ) -> Result<Self, ConnectReturnCode> {
        let address = city.address("mqtt");
        let mut options = MqttOptions::new(client_id, address.ip().to_string(), address.port());
        options.set_credentials(username, password);
        let (client, events) = AsyncClient::new(options, 10);
        let mut mqtt = Self {
            client,
            events,
            packet_bytes_max: None,
        };
        match mqtt.next().await {
            Ok(Incoming::ConnAck(connack)) => {
                mqtt.packet_bytes_max = connack.properties.and_then(|p| p.max_packet_size);
                Ok(mqtt)
            }
            Err(ConnectionError::ConnectionRefused(code)) => Err(code),
            other => panic!("instead of CONNACK: {other:?}"),
        }
    }

    async fn next(&mut self) -> Result<Incoming, ConnectionError> {
        let waiting = async {
            loop {
                if let Event::Incoming(packet) = self.events.poll().await? {
                    return Ok(packet);
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.expect("the server says nothing")
    }

    /// Publishes with QoS 1 and waits for the acknowledgement.
    pub async fn publish(&mut self, topic: &str, payload: impl Into<Vec<u8>>) -> PubAck {
        let payload: Vec<u8> = payload.into();
        self.client
            .publish(topic, QoS::AtLeastOnce, false, payload)
            .await
            .unwrap();
        loop {
            if let Incoming::PubAck(ack) = self.next().await.unwrap() {
                return ack;
            }
        }
    }

    /// Subscribes and waits for the answer.
    pub async fn subscribe(&mut self, filter: &str) -> SubscribeReasonCode {
        self.client
            .subscribe(filter, QoS::AtLeastOnce)
            .await
            .unwrap();
        loop {
            if let Incoming::SubAck(ack) = self.next().await.unwrap() {
                return ack.return_codes[0];
            }
        }
    }

    /// The payload of the next message that a subscription brings.
    pub async fn heard(&mut self) -> String {
        loop {
            if let Incoming::Publish(publish) = self.next().await.unwrap() {
                return text(&publish.payload);
            }
        }
    }

    /// Waits until the server ends the connection.
    pub async fn ends(&mut self) {
        while self.next().await.is_ok() {}
    }
}

/// What an acknowledgement says in words.
pub fn said(ack: &PubAck) -> String {
    let said = ack
        .properties
        .as_ref()
        .and_then(|p| p.reason_string.clone());
    said.unwrap_or_default()
}
