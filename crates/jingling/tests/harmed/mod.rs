//! A city that a test does harm to: the real binary on a folder of the test's own, spoken to over HTTP without a client
//! library, so that a test knows which connection and which byte goes where.

#![allow(dead_code)] // each test file uses its part

use model::Timestamp;
use serde_json::{Value as Json, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longest time that a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Room on the small disk: a city and some segments of its journal.
pub const DISK_MIB: u32 = 80;
const UPSERT: &str = "/ngsi-ld/v1/entityOperations/upsert";
const SEGMENT: &str = "journal/00000000000000000000.seg";

/// Runs the binary to its end.
pub fn jingling(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jingling"))
        .args(words)
        .output()
        .unwrap()
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Looks until there is an answer.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "never seen: {what}");
        std::thread::sleep(LOOK);
    }
}

/// A city in a folder.
pub struct City {
    pub dir: PathBuf,
    tokens: Tokens,
    _folder: Option<tempfile::TempDir>,
}

/// One that runs.
pub struct Running {
    process: Child,
    address: SocketAddr,
    tokens: Tokens,
}

/// Service tokens of the roles that a test needs: no role may everything.
#[derive(Clone)]
struct Tokens {
    admin: String,
    duty: String,
    collector: String,
}

impl Tokens {
    /// The token whose role may ask for a path.
    fn of(&self, path: &str) -> &str {
        match path {
            p if p.starts_with("/api/v1/sql") => &self.duty,
            UPSERT => &self.collector,
            _ => &self.admin,
        }
    }
}

impl City {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut city = Self::make(&folder.path().join("city"));
        city._folder = Some(folder);
        city
    }

    pub fn make(dir: &Path) -> Self {
        let name = dir.display().to_string();
        let made = jingling(&["init", &name, "--city", "tianmen"]);
        assert!(made.status.success(), "{}", text(&made.stderr));
        let token = |role: &str| {
            let words = [
                "token", "create", &name, "--name", role, "--role", role, "--json",
            ];
            let token: Json = serde_json::from_slice(&jingling(&words).stdout).unwrap();
            token["token"].as_str().unwrap().to_owned()
        };
        Self {
            dir: dir.to_owned(),
            tokens: Tokens {
                admin: token("admin"),
                duty: token("duty"),
                collector: token("collector"),
            },
            _folder: None,
        }
    }

    pub fn serve(&self, settings: &[&str]) -> Running {
        self.start(Command::new(env!("CARGO_BIN_EXE_jingling")), settings)
    }

    /// Serves as a process that may have so many files open.
    pub fn serve_with_handles(&self, handles: u32, settings: &[&str]) -> Running {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {handles}; exec \"$0\" \"$@\"")]);
        command.arg(env!("CARGO_BIN_EXE_jingling"));
        self.start(command, settings)
    }

    /// Serves until it ends by itself, which it must.
    pub fn serve_in_vain(&self) -> Output {
        Self::serving(Command::new(env!("CARGO_BIN_EXE_jingling")), &self.dir, &[])
            .output()
            .unwrap()
    }

    fn serving(mut command: Command, dir: &Path, settings: &[&str]) -> Command {
        command.arg("serve").arg(dir);
        let ports = [
            "http.listen=127.0.0.1:0",
            "mqtt.listen=",
            "mqtt.tls_listen=",
        ];
        for setting in ports.iter().chain(settings) {
            command.args(["--set", setting]);
        }
        command
    }

    fn start(&self, command: Command, settings: &[&str]) -> Running {
        let _ = std::fs::remove_file(self.dir.join("run/addresses.json"));
        let mut command = Self::serving(command, &self.dir, settings);
        let process = command.stderr(Stdio::null()).spawn().unwrap();
        let mut running = Running {
            process,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            tokens: self.tokens.clone(),
        };
        running.address = until("the city's address", || {
            let ended = running.process.try_wait().unwrap();
            assert!(ended.is_none(), "the city ended: {ended:?}");
            let written = std::fs::read(self.dir.join("run/addresses.json")).ok()?;
            let addresses: Json = serde_json::from_slice(&written).ok()?;
            addresses["http"].as_str()?.parse().ok()
        });
        running
    }

    pub fn check(&self) -> (bool, Json) {
        let done = jingling(&["check", &self.dir.display().to_string(), "--json"]);
        (
            done.status.success(),
            serde_json::from_slice(&done.stdout).unwrap(),
        )
    }

    /// Where the journal's blocks begin in its first segment.
    pub fn blocks(&self) -> (Vec<u8>, Vec<usize>) {
        let bytes = std::fs::read(self.dir.join(SEGMENT)).unwrap();
        let starts = (64..bytes.len() - 4)
            .step_by(8)
            .filter(|at| bytes[*at..].starts_with(b"JLBK"))
            .collect();
        (bytes, starts)
    }

    /// Flips a bit of the last byte of a block's records, or of the file's last when it is the last block.
    pub fn damage(&self, block: usize) {
        let (mut bytes, starts) = self.blocks();
        let at = starts[block] + 64 + 8 + 20;
        bytes[at] ^= 1;
        std::fs::write(self.dir.join(SEGMENT), bytes).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Running {
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Ends it in order.
    pub fn stop(mut self) {
        let pid = self.process.id().to_string();
        let told = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(told.success());
        until("the city's end", || self.process.try_wait().unwrap());
    }

    pub fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, String) {
        self.try_ask(method, path, kind, body).unwrap()
    }

    pub fn try_ask(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> std::io::Result<(u16, String)> {
        self.connect()?.ask(method, path, kind, body)
    }

    /// A connection over which nothing is said.
    pub fn visit(&self) -> std::io::Result<TcpStream> {
        TcpStream::connect(self.address)
    }

    /// A connection that stays open.
    pub fn connect(&self) -> std::io::Result<Line> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Line {
            stream: BufReader::new(stream),
            tokens: self.tokens.clone(),
        })
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        self.ask("GET", path, "application/json", b"")
    }

    pub fn json(&self, path: &str) -> Json {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// One message about one well; the status.
    pub fn report(&self, well: u32) -> u16 {
        self.connect().unwrap().report(well).0
    }

    pub fn knows(&self, well: u32) -> bool {
        self.get(&format!("/api/v1/entities/{}", id(well))).0 == 200
    }

    pub fn metric(&self, name: &str) -> u64 {
        let (_, body) = self.get("/metrics");
        let line = body.lines().find(|line| line.starts_with(name)).unwrap();
        line.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// One connection to a city.
pub struct Line {
    stream: BufReader<TcpStream>,
    tokens: Tokens,
}

impl Line {
    /// Asks, and reads the whole answer: its status and its body.
    pub fn ask(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> std::io::Result<(u16, String)> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            self.tokens.of(path),
            body.len()
        );
        self.stream.get_mut().write_all(head.as_bytes())?;
        self.stream.get_mut().write_all(body)?;
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|s| s.parse().ok());
        let (mut length, mut is_chunked) = (0, false);
        loop {
            let header = self.line()?.to_ascii_lowercase();
            match header.split_once(": ") {
                Some(("content-length", bytes)) => length = bytes.parse().unwrap(),
                Some(("transfer-encoding", how)) => is_chunked = how == "chunked",
                Some(_) => {}
                None => break,
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        while is_chunked {
            let bytes = usize::from_str_radix(&self.line()?, 16).unwrap();
            let from = answer.len();
            answer.resize(from + bytes, 0);
            self.stream.read_exact(&mut answer[from..])?;
            self.line()?;
            is_chunked = bytes > 0;
        }
        Ok((status.unwrap_or(0), text(&answer)))
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Asks for a page or a resource.
    pub fn get(&mut self, path: &str) -> (u16, String) {
        self.ask("GET", path, "application/json", b"").unwrap()
    }

    /// Asks history.
    pub fn sql(&mut self, query: &str) -> (u16, String) {
        let body = json!({ "query": query }).to_string();
        let path = "/api/v1/sql";
        self.ask("POST", path, "application/json", body.as_bytes())
            .unwrap()
    }

    /// One message about one well.
    pub fn report(&mut self, well: u32) -> (u16, String) {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let now = Timestamp::from_micros(now.as_micros() as i64);
        let body = json!([{"id": id(well), "type": "WaterObserved",
            "waterLevel": {"type": "Property", "value": 20.0, "unitCode": "MTR", "observedAt": now.to_string()}}]);
        self.ask(
            "POST",
            UPSERT,
            "application/json",
            body.to_string().as_bytes(),
        )
        .unwrap()
    }

    /// Four megabytes that nobody understands, and that are kept whole all the same.
    pub fn letter(&mut self) -> (u16, String) {
        let letter = vec![b'x'; 4 << 20];
        self.ask("POST", UPSERT, "application/json", &letter)
            .unwrap()
    }
}

/// The entity of a well.
pub fn id(well: u32) -> String {
    format!("urn:ngsi-ld:WaterObserved:well-{well}")
}
