//! The door against peers that do not keep to the protocol, and its limits.

use crate::support::{Door, PASSWORD, PATIENCE, open, queries};
use pgdoor::Limits;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A client that sends whatever it is told to.
struct Raw {
    stream: TcpStream,
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend((body.len() as i32 + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn text(parts: &[&str]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|p| [p.as_bytes(), b"\0"].concat())
        .collect()
}

impl Raw {
    async fn connect(door: &Door) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", door.port()))
            .await
            .unwrap();
        Self { stream }
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next message: its type and body; `None` at the end.
    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let read = async {
            let kind = self.stream.read_u8().await.ok()?;
            let length = self.stream.read_i32().await.ok()?;
            let mut body = vec![0; length as usize - 4];
            self.stream.read_exact(&mut body).await.ok()?;
            Some((kind, body))
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the door hangs")
    }

    /// Messages up to the one of this type.
    async fn until(&mut self, kind: u8) -> Vec<(u8, Vec<u8>)> {
        let mut all = Vec::new();
        while let Some(next) = self.next().await {
            let last = next.0 == kind;
            all.push(next);
            if last {
                break;
            }
        }
        assert_eq!(all.last().map(|m| m.0), Some(kind), "{all:?}");
        all
    }

    /// Whether the door closes without another word.
    async fn is_closed(&mut self) -> bool {
        self.next().await.is_none()
    }

    async fn signed_in(door: &Door) -> Self {
        let mut raw = Self::connect(door).await;
        raw.startup("wang").await;
        raw.until(b'R').await;
        raw.send(&message(b'p', &text(&[PASSWORD]))).await;
        raw.until(b'Z').await;
        raw
    }

    async fn startup(&mut self, user: &str) {
        self.startup_in(user, "UTC").await;
    }

    async fn startup_in(&mut self, user: &str, zone: &str) {
        let mut body = 196_608_i32.to_be_bytes().to_vec();
        let asked = [
            "user",
            user,
            "client_encoding",
            "UTF8",
            "TimeZone",
            zone,
            "",
        ];
        body.extend(text(&asked));
        let mut bytes = (body.len() as i32 + 4).to_be_bytes().to_vec();
        bytes.extend(body);
        self.send(&bytes).await;
    }

    async fn asks(&mut self, sql: &str) -> Vec<u8> {
        self.send(&message(b'Q', &text(&[sql]))).await;
        self.until(b'Z').await.into_iter().map(|m| m.0).collect()
    }
}

fn field(body: &[u8], kind: u8) -> String {
    let mut fields = body.split(|b| *b == 0);
    let found = fields
        .find(|f| f.first() == Some(&kind))
        .unwrap_or_default();
    String::from_utf8_lossy(found.get(1..).unwrap_or_default()).into_owned()
}

#[tokio::test]
async fn what_is_no_protocol_ends_with_a_word_and_harms_nobody() {
    let door = open(Limits::default(), queries()).await;
    let mut good = Raw::signed_in(&door).await;
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\0\0\0\x04",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\0\0\0\x08\0\x02\0\0",
    ] {
        let mut bad = Raw::connect(&door).await;
        bad.send(bytes).await;
        let (kind, body) = bad.next().await.unwrap();
        assert_eq!((kind, field(&body, b'C').as_str()), (b'E', "08P01"));
        assert!(bad.is_closed().await);
    }
    let huge = [&b"Q"[..], &i32::MAX.to_be_bytes()].concat();
    for bytes in [
        &huge[..],
        b"~\0\0\0\x04",
        &message(b'B', b"\0\0\xff\xff"),
        &message(b'Q', b"\xff\0"),
    ] {
        let mut bad = Raw::signed_in(&door).await;
        bad.send(bytes).await;
        let (kind, body) = bad.next().await.unwrap();
        let severity = field(&body, b'S');
        assert_eq!((kind, severity.as_str()), (b'E', "FATAL"), "{bytes:?}");
        assert!(bad.is_closed().await);
    }
    // One that goes away in the midst of an answer, and one that never says anything.
    let mut gone = Raw::signed_in(&door).await;
    gone.send(&message(
        b'Q',
        &text(&["SELECT * FROM observations a, observations b"]),
    ))
    .await;
    drop(gone);
    let silent = Raw::connect(&door).await;
    assert_eq!(good.asks("SELECT 1").await, b"TDCZ");
    drop(silent);
    let mut stranger = Raw::connect(&door).await;
    stranger.startup("wang").await;
    stranger.until(b'R').await;
    stranger.send(&message(b'p', &text(&["a guess"]))).await;
    stranger.until(b'E').await;
    let figures: BTreeMap<_, _> = door.handle.figures().into_iter().collect();
    assert_eq!(figures["sign_ins_refused_total"], 1);
    assert_eq!(figures["connections_total"], 12);
    assert_eq!(figures["connections_refused_total"], 0);
    assert_eq!(
        figures["statements_failed_total"], 0,
        "none of it was a statement"
    );
    assert!((1..=2).contains(&figures["statements_total"]));
}

#[tokio::test]
async fn the_extended_protocol_keeps_its_promises() {
    let door = open(Limits::default(), queries()).await;
    let mut raw = Raw::signed_in(&door).await;
    let parse = |name: &str, sql: &str| message(b'P', &[text(&[name, sql]), vec![0, 0]].concat());
    let bind =
        |portal: &str, name: &str| message(b'B', &[text(&[portal, name]), vec![0; 6]].concat());
    let execute = |portal: &str, rows: i32| {
        message(
            b'E',
            &[text(&[portal]), rows.to_be_bytes().to_vec()].concat(),
        )
    };
    let sync = message(b'S', b"");
    // Rows in parts: three, three, and the last one.
    let mut bytes = parse(
        "",
        "SELECT journal_position FROM observations ORDER BY 1 LIMIT 7",
    );
    bytes.extend(bind("", ""));
    for _ in 0..3 {
        bytes.extend(execute("", 3));
    }
    bytes.extend(&sync);
    raw.send(&bytes).await;
    let kinds: Vec<u8> = raw.until(b'Z').await.into_iter().map(|m| m.0).collect();
    assert_eq!(String::from_utf8(kinds).unwrap(), "12DDDsDDDsDCZ");
    // After an error all is passed over until Sync.
    raw.send(
        &[
            parse("", "SELECT x"),
            bind("", ""),
            execute("", 0),
            sync.clone(),
            parse("", "SELECT 1"),
            bind("", ""),
            execute("", 0),
            sync.clone(),
        ]
        .concat(),
    )
    .await;
    let kinds: Vec<u8> = raw.until(b'Z').await.into_iter().map(|m| m.0).collect();
    assert_eq!(String::from_utf8(kinds).unwrap(), "EZ");
    let kinds: Vec<u8> = raw.until(b'Z').await.into_iter().map(|m| m.0).collect();
    assert_eq!(String::from_utf8(kinds).unwrap(), "12DCZ");
    // Unknown names, and too few parameters.
    for (bytes, code) in [
        (bind("", "nothing"), "26000"),
        (execute("nothing", 0), "34000"),
        ([parse("", "SELECT $1"), bind("", "")].concat(), "08P01"),
        (parse("", "SELECT 1; SELECT 2"), "42601"),
    ] {
        raw.send(&[bytes, sync.clone()].concat()).await;
        let answers = raw.until(b'Z').await;
        let error = answers.iter().find(|m| m.0 == b'E').unwrap();
        assert_eq!(field(&error.1, b'C'), code);
    }
    // An empty statement, and one in a transaction that goes on.
    raw.send(&[parse("", " -- nothing"), bind("", ""), execute("", 0), sync].concat())
        .await;
    let kinds: Vec<u8> = raw.until(b'Z').await.into_iter().map(|m| m.0).collect();
    assert_eq!(String::from_utf8(kinds).unwrap(), "12IZ");
}

#[tokio::test]
async fn every_store_has_its_limit() {
    let limits = Limits {
        connections_per_peer_max: 2,
        statements_max: 3,
        portals_max: 2,
        message_bytes_max: 10_000,
        ..Limits::default()
    };
    let door = open(limits, queries()).await;
    let mut raw = Raw::signed_in(&door).await;
    let other = Raw::signed_in(&door).await;
    let mut third = Raw::connect(&door).await;
    let (kind, body) = third.next().await.unwrap();
    assert_eq!((kind, field(&body, b'C').as_str()), (b'E', "53300"));
    drop(other);
    let mut codes = Vec::new();
    for n in 0..4 {
        let parse = [text(&[&format!("s{n}"), "SELECT 1"]), vec![0, 0]].concat();
        raw.send(&[message(b'P', &parse), message(b'S', b"")].concat())
            .await;
        let answers = raw.until(b'Z').await;
        codes.extend(
            answers
                .iter()
                .filter(|m| m.0 == b'E')
                .map(|m| field(&m.1, b'C')),
        );
    }
    assert_eq!(codes, ["54000"]);
    assert_eq!(raw.asks("BEGIN; DECLARE a CURSOR FOR SELECT 1; DECLARE b CURSOR FOR SELECT 1; DECLARE c CURSOR FOR SELECT 1").await, b"CCCEZ");
    assert_eq!(raw.asks("ROLLBACK").await, b"CZ");
    let long = format!("SELECT '{}'", "x".repeat(20_000));
    raw.send(&message(b'Q', &text(&[&long]))).await;
    let (kind, body) = raw.next().await.unwrap();
    assert_eq!((kind, field(&body, b'C').as_str()), (b'E', "08P01"));
}

#[tokio::test]
async fn slow_sign_ins_idle_guests_and_a_closing_door_end_connections() {
    let limits = Limits {
        sign_in_time_max: Duration::from_millis(200),
        ..Limits::default()
    };
    let door = open(limits, queries()).await;
    let mut slow = Raw::connect(&door).await;
    slow.send(b"\0\0").await;
    assert!(slow.is_closed().await);

    let limits = Limits {
        idle_time_max: Duration::from_millis(300),
        ..Limits::default()
    };
    let door = open(limits, queries()).await;
    let mut idle = Raw::signed_in(&door).await;
    let (kind, body) = idle.next().await.unwrap();
    assert_eq!((kind, field(&body, b'C').as_str()), (b'E', "57P05"));

    let door = open(Limits::default(), queries()).await;
    let mut guest = Raw::signed_in(&door).await;
    door.handle.shutdown().await;
    let (kind, body) = guest.next().await.unwrap();
    assert_eq!((kind, field(&body, b'C').as_str()), (b'E', "57P01"));
    assert!(guest.is_closed().await);
    assert_eq!(door.handle.connections(), 0);
}

#[tokio::test]
async fn a_change_of_role_holds_at_the_next_statement() {
    let door = open(Limits::default(), queries()).await;
    let mut raw = Raw::signed_in(&door).await;
    assert_eq!(raw.asks("SELECT 1").await, b"TDCZ");
    let user = door.identity.user_by_username("wang").await.unwrap();
    let change = identity::PersonChange {
        role: Some(identity::Role::Field),
        ..identity::PersonChange::default()
    };
    let now = model::Timestamp::from_seconds(1_800_000_000);
    let actor = records::Actor::command_line();
    door.identity
        .change_user(user.id, &change, &actor, now)
        .await
        .unwrap();
    raw.send(&message(b'Q', &text(&["SELECT 1"]))).await;
    let (kind, body) = raw.next().await.unwrap();
    // The change ended the person's sessions, and with them this one.
    assert_eq!((kind, field(&body, b'C').as_str()), (b'E', "28000"));
    assert!(raw.is_closed().await);
}

#[tokio::test]
async fn the_zone_is_told_when_it_changes() {
    let door = open(Limits::default(), queries()).await;
    let mut raw = Raw::signed_in(&door).await;
    let told = async |raw: &mut Raw, sql: &str| {
        raw.send(&message(b'Q', &text(&[sql]))).await;
        let answers = raw.until(b'Z').await;
        let told = answers.iter().filter(|m| m.0 == b'S');
        let told: Vec<String> = told
            .map(|m| String::from_utf8_lossy(&m.1).replace('\0', " "))
            .collect();
        told.concat()
    };
    for (sql, expected) in [
        ("SET TIME ZONE 'asia/shanghai'", "TimeZone Asia/Shanghai "),
        ("SET timezone = 'Asia/Shanghai'", ""),
        ("BEGIN; SET LOCAL timezone = 8", "TimeZone <+08>-08 "),
        ("COMMIT", "TimeZone Asia/Shanghai "),
        ("BEGIN; SET timezone = 'UTC'", "TimeZone UTC "),
        ("ROLLBACK", "TimeZone Asia/Shanghai "),
        // One that fails takes back what was sent with it.
        ("SET timezone = 'PRC'; SELECT x", ""),
        ("SET LOCAL timezone = 'PRC'", ""),
        ("SET timezone = 'Mars/Base'", ""),
        ("RESET timezone", "TimeZone UTC "),
        ("SET application_name = 'a'", "application_name a "),
        ("DISCARD ALL", "application_name  "),
    ] {
        assert_eq!(told(&mut raw, sql).await, expected, "{sql}");
    }
    // What cannot be read is told at sign-in already.
    let mut wrong = Raw::connect(&door).await;
    wrong.startup_in("wang", "Mars/Base").await;
    let (kind, body) = wrong.next().await.unwrap();
    assert_eq!((kind, field(&body, b'C').as_str()), (b'E', "22023"));
    assert_eq!(
        field(&body, b'M'),
        "invalid value for parameter \"TimeZone\": \"Mars/Base\""
    );
    assert!(wrong.is_closed().await);
}

#[tokio::test]
async fn a_statement_follows_the_zone_it_runs_in() {
    let door = open(Limits::default(), queries()).await;
    let mut raw = Raw::signed_in(&door).await;
    // Prepared in UTC, run in Shanghai; the parameter is a reading of the clock.
    let sql = "SELECT min(observed_at), min(observed_at) AT TIME ZONE 'UTC', TIMESTAMP '2026-11-23 08:00:00' AT TIME ZONE 'UTC' FROM observations WHERE observed_at >= $1";
    let parse = [text(&["s", sql]), vec![0, 0]].concat();
    raw.send(&[message(b'P', &parse), message(b'S', b"")].concat())
        .await;
    raw.until(b'Z').await;
    raw.asks("SET TIME ZONE 'Asia/Shanghai'").await;
    let value = b"2026-11-23 16:00:10";
    let mut bind = text(&["", "s"]);
    bind.extend([0, 0, 0, 1]);
    bind.extend((value.len() as i32).to_be_bytes());
    bind.extend(value);
    bind.extend([0, 0]);
    let execute = [text(&[""]), vec![0; 4]].concat();
    raw.send(
        &[
            message(b'B', &bind),
            message(b'E', &execute),
            message(b'S', b""),
        ]
        .concat(),
    )
    .await;
    let answers = raw.until(b'Z').await;
    let row = answers.iter().find(|m| m.0 == b'D').expect("a row");
    let row = String::from_utf8_lossy(&row.1).into_owned();
    for part in [
        "2026-11-23 16:00:10+08",
        "2026-11-23 08:00:10",
        "2026-11-23 16:00:00+08",
    ] {
        assert!(row.contains(part), "{part} in {row}");
    }
}
