//! A city whose journal is damaged, shortened, trimmed, or out of room: what is good goes on, what is not is
//! told, by every way a person or a supervisor looks. The real binary, spoken to over HTTP.

#![allow(clippy::print_stderr, reason = "says why nothing was tested")]

use model::Timestamp;
use serde_json::{Value as Json, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longest time that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);
const SEGMENT: &str = "journal/00000000000000000000.seg";

fn jingling(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jingling"))
        .args(words)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Looks until there is an answer.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
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
struct City {
    dir: PathBuf,
    token: String,
    _folder: Option<tempfile::TempDir>,
}

/// One that runs.
struct Running {
    process: Child,
    address: SocketAddr,
    token: String,
}

impl City {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut city = Self::make(&folder.path().join("city"));
        city._folder = Some(folder);
        city
    }

    fn make(dir: &Path) -> Self {
        let name = dir.display().to_string();
        let made = jingling(&["init", &name, "--city", "tianmen"]);
        assert!(made.status.success(), "{}", text(&made.stderr));
        let words = [
            "token", "create", &name, "--name", "t", "--role", "admin", "--json",
        ];
        let token: Json = serde_json::from_slice(&jingling(&words).stdout).unwrap();
        Self {
            dir: dir.to_owned(),
            token: token["token"].as_str().unwrap().to_owned(),
            _folder: None,
        }
    }

    fn serve(&self, settings: &[&str]) -> Running {
        let _ = std::fs::remove_file(self.dir.join("run/addresses.json"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_jingling"));
        command.arg("serve").arg(&self.dir);
        let ports = [
            "http.listen=127.0.0.1:0",
            "mqtt.listen=",
            "mqtt.tls_listen=",
        ];
        for setting in ports.iter().chain(settings) {
            command.args(["--set", setting]);
        }
        let process = command.stderr(Stdio::null()).spawn().unwrap();
        let mut running = Running {
            process,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            token: self.token.clone(),
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

    fn check(&self) -> (bool, Json) {
        let done = jingling(&["check", &self.dir.display().to_string(), "--json"]);
        (
            done.status.success(),
            serde_json::from_slice(&done.stdout).unwrap(),
        )
    }

    /// Where the journal's blocks begin in its first segment.
    fn blocks(&self) -> (Vec<u8>, Vec<usize>) {
        let bytes = std::fs::read(self.dir.join(SEGMENT)).unwrap();
        let starts = (64..bytes.len() - 4)
            .step_by(8)
            .filter(|at| bytes[*at..].starts_with(b"JLBK"))
            .collect();
        (bytes, starts)
    }

    /// Flips a bit of the last byte of a block's records, or of the file's last when it is the last block.
    fn damage(&self, block: usize) {
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
    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Ends it in order.
    fn stop(mut self) {
        let pid = self.process.id().to_string();
        let told = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(told.success());
        until("the city's end", || self.process.try_wait().unwrap());
    }

    fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, String) {
        self.try_ask(method, path, kind, body).unwrap()
    }

    fn try_ask(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            self.token,
            body.len()
        )?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = text(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        Ok((status.unwrap_or(0), body.to_owned()))
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.ask("GET", path, "application/json", b"")
    }

    fn json(&self, path: &str) -> Json {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// One message about one well; the status.
    fn report(&self, well: u32) -> u16 {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let now = Timestamp::from_micros(now.as_micros() as i64);
        let body = json!([{"id": id(well), "type": "WaterObserved",
            "waterLevel": {"type": "Property", "value": 20.0, "unitCode": "MTR", "observedAt": now.to_string()}}]);
        let path = "/ngsi-ld/v1/entityOperations/upsert";
        self.ask(
            "POST",
            path,
            "application/json",
            body.to_string().as_bytes(),
        )
        .0
    }

    fn knows(&self, well: u32) -> bool {
        self.get(&format!("/api/v1/entities/{}", id(well))).0 == 200
    }

    fn metric(&self, name: &str) -> u64 {
        let (_, body) = self.get("/metrics");
        let line = body.lines().find(|line| line.starts_with(name)).unwrap();
        line.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

fn id(well: u32) -> String {
    format!("urn:ngsi-ld:WaterObserved:well-{well}")
}

#[test]
fn damaged_records_are_told_everywhere_and_the_rest_goes_on() {
    let city = City::new();
    let mut running = city.serve(&[]);
    for well in 0..4 {
        assert_eq!(running.report(well), 201);
    }
    // Killed before any checkpoint: everything is replayed from the journal.
    running.kill();
    assert_eq!(city.blocks().1.len(), 4);
    assert!(city.check().0);
    city.damage(1);
    let (clean, told) = city.check();
    let told = told["findings"].to_string();
    assert!(!clean && told.contains("records 1 to 1"), "{told}");

    for start in 0..3 {
        let mut running = city.serve(&[]);
        let (status, ready) = running.get("/readyz");
        assert_eq!(status, 200);
        assert!(
            ready.contains("degraded: journal records 1 to 1 cannot be read"),
            "start {start}: {ready}"
        );
        assert_eq!(running.metric("jingling_journal_damaged_records "), 1);
        let notices = running.json("/api/v1/notices");
        assert_eq!(notices["items"].as_array().unwrap().len(), 1, "{notices}");
        assert_eq!(notices["items"][0]["code"], "journal-damaged");
        assert_eq!(notices["items"][0]["position_from"], 1);
        assert_eq!(
            (0..4).map(|well| running.knows(well)).collect::<Vec<_>>(),
            [true, false, true, true]
        );
        let (status, gone) = running.get("/api/v1/provenance/1");
        assert_eq!(status, 410, "{gone}");
        assert!(gone.contains("\"damaged\""), "{gone}");
        assert_eq!(running.get("/api/v1/provenance/2").0, 200);
        assert_eq!(running.report(10 + start), 201, "writing goes on");
        if start == 1 {
            // With a checkpoint behind the damage, the file alone still says it.
            running.stop();
        } else {
            running.kill();
        }
    }
    let (_, told) = city.check();
    assert!(told["findings"].to_string().contains("gaps.json"), "{told}");
    let query = jingling(&[
        "query",
        &city.dir.display().to_string(),
        "SELECT count(*) AS n FROM observations",
        "--json",
    ]);
    assert!(query.status.success(), "{}", text(&query.stderr));
}

#[test]
fn positions_that_the_projections_have_seen_are_not_given_again() {
    let city = City::new();
    let running = city.serve(&[]);
    for well in 0..3 {
        assert_eq!(running.report(well), 201);
    }
    until("the current state", || running.knows(2).then_some(()));
    running.stop();
    // A damaged last block cannot be told from a write that was cut off, but for the checkpoint.
    city.damage(2);
    let (clean, told) = city.check();
    assert!(
        !clean
            && told["findings"]
                .to_string()
                .contains("the journal ends at 2"),
        "{told}"
    );
    let running = city.serve(&[]);
    let ready = running.get("/readyz").1;
    assert!(
        ready.contains("degraded: journal records 2 to 2 were seen"),
        "{ready}"
    );
    assert!(running.knows(2), "the checkpoint has it");
    assert_eq!(running.report(7), 201);
    until("the new well", || running.knows(7).then_some(()));
    let entity = running.json(&format!("/api/v1/entities/{}", id(7)));
    assert_eq!(entity["attributes"]["waterLevel"]["position"], 3);
    let (status, _) = running.get("/api/v1/provenance/2");
    assert_eq!(status, 410);
    running.stop();
}

#[test]
fn a_trimmed_journal_is_sound_and_says_what_it_no_longer_keeps() {
    const MESSAGES: u64 = 5;
    let city = City::new();
    let settings = [
        "journal.segment_mib=17",
        "journal.keep_gib=0",
        "lake.seal_minutes=0",
    ];
    let running = city.serve(&settings);
    let path = "/ngsi-ld/v1/entityOperations/upsert";
    for _ in 0..MESSAGES {
        // Not understood, and so kept whole as a dead letter.
        let (status, body) = running.ask("POST", path, "application/json", &vec![b'x'; 9 << 20]);
        assert_eq!(status, 400, "{body}");
    }
    assert_eq!(running.report(1), 201);
    until("the seal", || {
        (running.metric("jingling_lake_sealed_position ") > MESSAGES).then_some(())
    });
    running.stop();
    let running = city.serve(&settings);
    let first = until("the trim", || {
        Some(running.metric("jingling_journal_first_position ")).filter(|first| *first > 0)
    });
    let (status, body) = running.get("/api/v1/provenance/0");
    assert_eq!(status, 410, "{body}");
    let problem: Json = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["code"], "trimmed");
    assert!(problem["mend"].as_str().unwrap().contains("keep_gib"));
    assert_eq!(
        running.get(&format!("/api/v1/provenance/{MESSAGES}")).0,
        200
    );
    assert_eq!(running.get("/api/v1/provenance/1000000").0, 404);
    assert!(running.knows(1));
    running.stop();
    let (clean, told) = city.check();
    assert!(clean, "{told}");
    // It was seen while segments went one after another.
    assert!(
        told["journal"]["first_position"]
            .as_u64()
            .is_some_and(|now| now >= first),
        "{told}"
    );

    // Without its checkpoint the current state cannot be whole any more: said, not hidden.
    std::fs::remove_file(city.dir.join("twin/checkpoint.bin")).unwrap();
    let running = city.serve(&settings);
    let ready = running.get("/readyz").1;
    assert!(
        ready.contains("degraded") && ready.contains("had been removed"),
        "{ready}"
    );
    running.stop();
}

#[test]
fn a_noted_chain_value_is_verified() {
    let city = City::new();
    let mut running = city.serve(&[]);
    assert_eq!(running.report(1), 201);
    running.kill();
    let dir = city.dir.display().to_string();
    let noted = city.check().1["journal"]["chain"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut running = city.serve(&[]);
    assert_eq!(running.report(2), 201);
    running.kill();
    let with = |chain: &str| jingling(&["check", &dir, "--chain", chain]);
    assert!(with(&noted).status.success());
    let other = noted.replace(|c: char| c.is_ascii_hexdigit() && c != '1', "0");
    let refused = with(&other);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("noted hash"),
        "{}",
        text(&refused.stderr)
    );
    assert_eq!(with("nonsense").status.code(), Some(2));
}

/// Set in the process that runs inside the small file system: where it is.
const INSIDE: &str = "JINGLING_SMALL_DISK";

#[test]
fn on_a_full_disk_writes_answer_full_reads_go_on_and_writing_resumes() {
    let name = "on_a_full_disk_writes_answer_full_reads_go_on_and_writing_resumes";
    let Some(dir) = std::env::var_os(INSIDE).map(PathBuf::from) else {
        again_on_small_disk(name);
        return;
    };
    let city = City::make(&dir.join("city"));
    let running = city.serve(&["journal.segment_mib=17"]);
    assert_eq!(running.report(1), 201);
    // Somebody else takes all the room that is left.
    let mut other = std::fs::File::create(dir.join("other")).unwrap();
    while other.write_all(&[1; 4096]).is_ok() {}
    let letter = vec![b'x'; 4 << 20];
    let path = "/ngsi-ld/v1/entityOperations/upsert";
    let full = until("a refusal", || {
        let (status, body) = running.ask("POST", path, "application/json", &letter);
        (status != 400).then_some((status, body))
    });
    // The one that was waiting is told that it is not on disk; those after it, that the disk is full.
    assert!([503, 507].contains(&full.0), "{full:?}");
    until("full", || (running.report(2) == 507).then_some(()));
    assert!(running.knows(1), "reading goes on");
    assert_eq!(running.get("/api/v1/provenance/0").0, 200);
    let (status, ready) = running.get("/readyz");
    assert_eq!(status, 200);
    assert!(ready.contains("disk is full"), "{ready}");
    assert_eq!(running.metric("jingling_journal_stalled "), 1);
    drop(other);
    std::fs::remove_file(dir.join("other")).unwrap();
    until("room", || (running.report(3) == 201).then_some(()));
    until("the new well", || running.knows(3).then_some(()));
    assert_eq!(running.metric("jingling_journal_stalled "), 0);
    running.stop();
    let (clean, told) = city.check();
    assert!(clean, "{told}");
}

/// Runs the test again in a mount namespace of its own, on a file system of 80 MiB in memory.
fn again_on_small_disk(name: &str) {
    let dir = tempfile::tempdir().unwrap();
    let unshare = ["--user", "--map-root-user", "--mount"];
    let allowed = Command::new("unshare")
        .args(unshare)
        .args(["mount", "-t", "tmpfs", "tmpfs"])
        .arg(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !allowed {
        eprintln!(
            "{name}: this system lets nobody mount a file system in a namespace; not tested here"
        );
        return;
    }
    let me = std::env::current_exe().unwrap();
    let shell = format!(
        "mount -t tmpfs -o size=80m tmpfs '{}' && exec '{}' --exact {name} --nocapture",
        dir.path().display(),
        me.display()
    );
    let run = Command::new("unshare")
        .args(unshare)
        .args(["sh", "-c", &shell])
        .env(INSIDE, dir.path())
        .output()
        .unwrap();
    let told = text(&run.stdout) + &text(&run.stderr);
    assert!(run.status.success() && told.contains("1 passed"), "{told}");
}
