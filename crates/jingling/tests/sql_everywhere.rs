//! One SQL, all ways in: HTTP as JSON, CSV and Arrow, the PostgreSQL door, and the command line, over a city
//! that runs.

use jingling::args::Init;
use jingling::commands;
use jingling::folder::Folder;
use jingling::running::Running;
use jingling::settings::Settings;
use std::net::SocketAddr;
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct City {
    _dir: tempfile::TempDir,
    folder: Folder,
    running: Running,
    password: String,
    token: String,
}

async fn city(more: &[&str]) -> City {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("city");
    let init = Init {
        dir: path.clone(),
        city: "tianmen".into(),
        demo: false,
        json: false,
    };
    commands::init(&init).await.unwrap();
    let quiet = [
        "http.listen=127.0.0.1:0",
        "mqtt.listen=",
        "mqtt.tls_listen=",
    ];
    let set: Vec<String> = quiet.iter().chain(more).map(|s| (*s).to_owned()).collect();
    let settings = Settings::load(&path, &set).unwrap();
    let folder = Folder::new(&path);
    let running = Running::start(folder.clone(), &settings).await.unwrap();
    let cli = records::Actor::command_line();
    let now = jingling::running::wall_clock();
    let token = running
        .app
        .identity
        .create_token("bi", identity::Role::Duty, None, &cli, now);
    let token = token.await.unwrap().text;
    let analyst = identity::NewPerson {
        username: "analyst".into(),
        name: "analyst".into(),
        role: identity::Role::Analyst,
        organisation_id: None,
        password: None,
    };
    let made = running.app.identity.create_user(&analyst, &cli, now).await;
    let password = made.unwrap().password;
    City {
        _dir: dir,
        folder,
        running,
        password,
        token,
    }
}

/// An answer over HTTP.
struct Said {
    status: u16,
    head: String,
    body: Vec<u8>,
    /// Whether the body came to its end.
    is_whole: bool,
}

impl Said {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl City {
    fn address(&self, name: &str) -> SocketAddr {
        self.running.addresses[name]
    }

    async fn post(&self, path: &str, accept: &str, body: &str) -> Said {
        let mut stream = TcpStream::connect(self.address("http")).await.unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: city\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Accept: {accept}\r\nAuthorization: Bearer {}\r\n\r\n{body}",
            body.len(),
            self.token
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
        let end = all.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(all[..end].to_vec())
            .unwrap()
            .to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut rest = &all[end + 4..];
        let (mut body, mut is_whole) = (Vec::new(), false);
        if !head.contains("transfer-encoding: chunked") {
            (body, is_whole) = (rest.to_vec(), true);
        } else {
            while let Some(line) = rest.windows(2).position(|w| w == b"\r\n") {
                let digits = std::str::from_utf8(&rest[..line]).unwrap();
                let length = usize::from_str_radix(digits, 16).unwrap();
                if length == 0 {
                    is_whole = true;
                    break;
                }
                let Some(chunk) = rest.get(line + 2..line + 2 + length) else {
                    break;
                };
                body.extend(chunk);
                rest = rest.get(line + 4 + length..).unwrap_or_default();
            }
        }
        Said {
            status,
            head,
            body,
            is_whole,
        }
    }

    async fn sql(&self, accept: &str, query: &str) -> Said {
        let body = serde_json::json!({ "query": query }).to_string();
        self.post("/api/v1/sql", accept, &body).await
    }
}

const ARROW: &str = "application/vnd.apache.arrow.stream";

#[tokio::test(flavor = "multi_thread")]
async fn http_answers_in_the_format_asked_for() {
    let city = city(&["sql.rows_max=3", "sql.stream_rows_max=20000"]).await;
    let ten =
        "SELECT bucket, 1.5 AS x FROM buckets('2026-01-01', '2026-01-11', '1 day') ORDER BY 1";
    let json = city.sql("*/*", ten).await;
    let answer: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
    assert_eq!(
        (answer["row_count"].as_u64(), answer["truncated"].as_bool()),
        (Some(3), Some(true))
    );
    let csv = city.sql("text/csv", ten).await;
    assert!(csv.head.contains("content-type: text/csv"), "{}", csv.head);
    let lines: Vec<String> = csv.text().lines().map(str::to_owned).collect();
    assert_eq!(
        (lines.len(), lines[0].as_str(), lines[10].as_str()),
        (11, "bucket,x", "2026-01-10T00:00:00Z,1.5")
    );
    assert!(csv.is_whole);
    let arrow = city
        .sql(&format!("application/xml, {ARROW};q=0.9, */*"), ten)
        .await;
    assert!(arrow.head.contains(ARROW), "{}", arrow.head);
    // The stream's first message, and its end.
    assert!(
        arrow.body.starts_with(&[0xff; 4])
            && arrow.body.ends_with(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])
    );
    let named = serde_json::json!({"query": ten, "format": "csv"}).to_string();
    assert_eq!(
        city.post("/api/v1/sql", "application/json", &named)
            .await
            .body,
        csv.body
    );

    // What is wrong before the first row has a status; what is wrong later breaks off.
    for (body, code) in [
        (
            serde_json::json!({"query": "SELECT x FROM observations", "format": "csv"}),
            "sql-column-unknown",
        ),
        (
            serde_json::json!({"query": "DELETE FROM observations", "format": "arrow"}),
            "sql-not-reading",
        ),
        (
            serde_json::json!({"query": "SELECT 1", "format": "xml"}),
            "sql-format",
        ),
    ] {
        let said = city.post("/api/v1/sql", "*/*", &body.to_string()).await;
        let problem: serde_json::Value = serde_json::from_slice(&said.body).unwrap();
        assert_eq!((said.status, problem["code"].as_str()), (400, Some(code)));
    }
    let many = "SELECT * FROM buckets('2026-01-01', '2026-01-02', '1 second')";
    let broken = city.sql("text/csv", many).await;
    assert_eq!((broken.status, broken.is_whole), (200, false));
    city.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_postgresql_door_opens_where_it_is_set() {
    let closed = city(&[]).await;
    assert!(!closed.running.addresses.contains_key("postgres"));
    closed.running.stop().await.unwrap();

    let city = city(&[
        "postgres.listen=127.0.0.1:0",
        "postgres.tls_listen=127.0.0.1:0",
    ])
    .await;
    let told: serde_json::Value =
        serde_json::from_slice(&std::fs::read(city.folder.addresses()).unwrap()).unwrap();
    assert_eq!(told["postgres"], city.address("postgres").to_string());
    assert_eq!(
        told["postgres_tls"],
        city.address("postgres_tls").to_string()
    );
    if Command::new("psql").arg("--version").output().is_err() {
        eprintln!("psql is not installed (Debian: postgresql-client): passed over");
    } else {
        for (name, mode) in [("postgres", "disable"), ("postgres_tls", "require")] {
            let port = city.address(name).port();
            let place =
                format!("host=127.0.0.1 port={port} user=analyst dbname=city sslmode={mode}");
            let password = city.password.clone();
            let run = move || {
                Command::new("psql")
                    .args([
                        &place,
                        "-X",
                        "-A",
                        "-t",
                        "-c",
                        "SELECT count(*) FROM entities_now; SELECT count(*) > 5 FROM pg_class",
                    ])
                    .env("PGPASSWORD", password)
                    .output()
            };
            let said = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
            let (out, err) = (
                String::from_utf8_lossy(&said.stdout),
                String::from_utf8_lossy(&said.stderr),
            );
            assert_eq!(out, "0\nt\n", "{err}");
        }
    }
    // A planner may query, and does not see what the role may not.
    let cli = records::Actor::command_line();
    let now = jingling::running::wall_clock();
    let planner = identity::Role::Planner;
    let identity = &city.running.app.identity;
    let token = identity
        .create_token("planner", planner, None, &cli, now)
        .await
        .unwrap()
        .text;
    let port = city.address("postgres").port();
    let run = move || {
        let place = format!("host=127.0.0.1 port={port} user=token dbname=city sslmode=disable");
        let ask = |sql: &str| {
            let said = Command::new("psql")
                .args([&place, "-X", "-A", "-t", "-c", sql])
                .env("PGPASSWORD", &token)
                .output()?;
            let text = [said.stdout, said.stderr].concat();
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&text).into_owned())
        };
        Ok::<_, std::io::Error>((
            ask("SELECT count(*) FROM cases")?,
            ask("SELECT count(*) FROM dead_letters")?,
            ask("SELECT relname FROM pg_class WHERE relname IN ('cases', 'dead_letters')")?,
        ))
    };
    if let Ok((cases, dead_letters, listed)) = tokio::task::spawn_blocking(run).await.unwrap() {
        assert_eq!((cases.as_str(), listed.as_str()), ("0\n", "cases\n"));
        assert!(dead_letters.contains("dead_letters"), "{dead_letters}");
    }
    city.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_writes_each_format() {
    let city = city(&[]).await;
    let path = city.folder.path().display().to_string();
    city.running.stop().await.unwrap();
    let run = |format: &str| {
        let sql = "SELECT bucket FROM buckets('2026-01-01', '2026-01-03', '1 day') ORDER BY 1";
        let said = Command::new(env!("CARGO_BIN_EXE_jingling"))
            .args(["query", &path, sql, "--format", format])
            .output();
        let said = said.unwrap();
        assert!(
            said.status.success(),
            "{}",
            String::from_utf8_lossy(&said.stderr)
        );
        said.stdout
    };
    assert_eq!(
        run("csv"),
        b"bucket\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\n"
    );
    assert!(run("arrow").starts_with(&[0xff; 4]));
    assert!(
        String::from_utf8(run("table"))
            .unwrap()
            .contains("2026-01-02T00:00:00Z")
    );
    let rows: serde_json::Value = serde_json::from_slice(&run("json")).unwrap();
    assert_eq!(rows[1]["bucket"], "2026-01-02T00:00:00Z");
}
