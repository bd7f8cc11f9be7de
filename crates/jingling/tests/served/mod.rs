//! What the tests of the real binary share: running it, a served city, devices of MQTT.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod device;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// Runs the binary to its end.
pub fn jingling(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jingling"))
        .args(words)
        .output()
        .unwrap()
}

/// Runs it and gives what it wrote; fails when it does.
pub fn done(words: &[&str]) -> String {
    let output = jingling(words);
    assert!(
        output.status.success(),
        "jingling {words:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// The same, read as JSON.
pub fn answer(words: &[&str]) -> serde_json::Value {
    serde_json::from_str(&done(words)).unwrap()
}

/// Runs it, expects exit status 1, and gives what it told.
pub fn refused(words: &[&str]) -> String {
    let output = jingling(words);
    let told = text(&output.stderr) + &text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "jingling {words:?}: {told}");
    told
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A new city in `dir/city`.
pub fn made(dir: &Path) -> String {
    let city = dir.join("city").display().to_string();
    done(&["init", &city, "--city", "tianmen"]);
    city
}

/// A city served by the real binary on free ports.
pub struct Server {
    child: Child,
    pub addresses: BTreeMap<String, SocketAddr>,
    city: String,
    log: Receiver<String>,
}

impl Server {
    /// Starts it and returns when it is ready.
    pub fn start(city: &str) -> Self {
        Self::start_with(city, &[])
    }

    /// The same with settings.
    pub fn start_with(city: &str, settings: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jingling"));
        command.args(["serve", city]);
        let own = [
            "http.listen=127.0.0.1:0",
            "mqtt.listen=127.0.0.1:0",
            "mqtt.tls_listen=",
            "log.level=info",
        ];
        for setting in own.iter().chain(settings) {
            command.args(["--set", setting]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut told = String::new();
        loop {
            let Some(line) = lines.next() else {
                panic!("the server ended before it was ready:\n{told}");
            };
            told += &(line.unwrap() + "\n");
            if told.contains("ready in") {
                break;
            }
        }
        // Read on, so that the server never waits for a full pipe.
        let (tell, log) = channel();
        let _ = tell.send(told);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let shown = std::fs::read(format!("{city}/run/addresses.json")).unwrap();
        Self {
            child,
            addresses: serde_json::from_slice(&shown).unwrap(),
            city: city.to_owned(),
            log,
        }
    }

    /// Waits until the server's log says it.
    pub fn wait_for(&self, what: &str) {
        let mut told = String::new();
        while !told.contains(what) {
            let line = self.log.recv();
            told += &(line.unwrap_or_else(|_| panic!("no {what:?} in\n{told}")) + "\n");
        }
    }

    /// The body of a page that needs no sign-in.
    pub fn get(&self, path: &str) -> String {
        use std::io::{Read, Write};
        let mut line = std::net::TcpStream::connect(self.addresses["http"]).unwrap();
        write!(
            line,
            "GET {path} HTTP/1.1\r\nHost: city\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        line.read_to_string(&mut answer).unwrap();
        answer
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let _ = std::fs::remove_file(format!("{}/run/addresses.json", self.city));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
