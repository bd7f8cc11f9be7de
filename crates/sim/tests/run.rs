//! The player against small peers on loopback: a broker and an HTTP server that behave badly first. What was not
//! acknowledged is sent again; what is refused is told.

use rumqttc::mqttbytes::v4::{ConnAck, ConnectReturnCode, Packet, PubAck};
use serde_json::Value as Json;
use sim::{DeviceCredential, Doors, Event, Options, Pace, Plan, SimError, run};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// What the peers saw.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    published: Mutex<Vec<(String, Json)>>,
    requests: Mutex<Vec<(String, String)>>,
}

impl Seen {
    /// Keeps a request and answers its status.
    fn take(&self, head: String, body: String) -> &'static str {
        let mut requests = self.requests.lock().unwrap();
        let status = match requests.len() {
            0 => "503 Service Unavailable",
            _ if head.starts_with("GET") => "404 Not Found",
            _ => "204 No Content",
        };
        requests.push((head, body));
        status
    }
}

/// A broker that closes the first connection before it acknowledges anything.
async fn broker(listener: TcpListener, seen: Arc<Seen>) {
    while let Ok((stream, _)) = listener.accept().await {
        let first = seen.connections.fetch_add(1, Ordering::SeqCst) == 0;
        tokio::spawn(serve_mqtt(stream, first, seen.clone()));
    }
}

async fn serve_mqtt(mut stream: TcpStream, drop_at_publish: bool, seen: Arc<Seen>) {
    let mut buffer = Default::default();
    let mut answer = Default::default();
    loop {
        while let Ok(packet) = Packet::read(&mut buffer, 1 << 20) {
            match packet {
                Packet::Connect(c) => {
                    let good = c.login.is_some_and(|l| l.password == "secret");
                    let code = if good {
                        ConnectReturnCode::Success
                    } else {
                        ConnectReturnCode::BadUserNamePassword
                    };
                    ConnAck {
                        session_present: false,
                        code,
                    }
                    .write(&mut answer)
                    .unwrap();
                }
                Packet::Publish(_) if drop_at_publish => return,
                Packet::Publish(p) => {
                    let json = serde_json::from_slice(&p.payload).unwrap_or(Json::Null);
                    seen.published.lock().unwrap().push((p.topic.clone(), json));
                    PubAck::new(p.pkid).write(&mut answer).unwrap();
                }
                Packet::Disconnect => return,
                _ => {}
            }
        }
        if stream.write_all_buf(&mut answer).await.is_err()
            || !matches!(stream.read_buf(&mut buffer).await, Ok(n) if n > 0)
        {
            return;
        }
    }
}

/// An HTTP server that is busy once, then knows no entity and takes everything.
async fn http(listener: TcpListener, seen: Arc<Seen>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let seen = seen.clone();
        tokio::spawn(async move {
            let mut text = Vec::new();
            loop {
                while let Some((head, body, used)) = request(&text) {
                    text.drain(..used);
                    let status = seen.take(head, body);
                    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
                if !matches!(stream.read_buf(&mut text).await, Ok(n) if n > 0) {
                    return;
                }
            }
        });
    }
}

/// One whole request: first line with the authorisation, body, bytes used.
fn request(text: &[u8]) -> Option<(String, String, usize)> {
    let head_end = text.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&text[..head_end]).into_owned();
    let header = |name: &str| {
        head.lines().find_map(|l| {
            l.to_lowercase()
                .strip_prefix(&format!("{name}: "))
                .map(str::to_owned)
        })
    };
    let length: usize = header("content-length")
        .and_then(|l| l.parse().ok())
        .unwrap_or(0);
    let body = text.get(head_end..head_end + length)?;
    let first = format!(
        "{} {}",
        head.lines().next()?,
        header("authorization").unwrap_or_default()
    );
    Some((
        first,
        String::from_utf8_lossy(body).into_owned(),
        head_end + length,
    ))
}

async fn peers() -> (SocketAddr, SocketAddr, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let (m, h) = (
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
    );
    let addresses = (m.local_addr().unwrap(), h.local_addr().unwrap());
    tokio::spawn(broker(m, seen.clone()));
    tokio::spawn(http(h, seen.clone()));
    (addresses.0, addresses.1, seen)
}

fn credential(id: &str, password: &str) -> DeviceCredential {
    let client_id = id.rsplit(':').next().unwrap().to_owned();
    DeviceCredential {
        id: id.to_owned(),
        username: client_id.clone(),
        password: password.to_owned(),
        topic: format!("devices/{client_id}/up"),
        client_id,
    }
}

fn quick() -> Options {
    Options {
        pace: Pace {
            speed: 3_000.0,
            ..Pace::default()
        },
        duration: Some(Duration::from_millis(1_500)),
        backfill_hours: 1,
        wait_first: Duration::from_millis(10),
        connect_interval: Duration::ZERO,
        ..Options::default()
    }
}

const STATION: &str = "urn:ngsi-ld:WaterObserved:62206900";

#[tokio::test]
async fn assets_history_and_messages_arrive_although_the_peers_fail_first() {
    let plan = Arc::new(Plan::embedded("tianmen").unwrap());
    let (mqtt, http, seen) = peers().await;
    let doors = Doors {
        http,
        mqtt,
        ocpp: None,
        operator_token: None,
        token: "key".to_owned(),
        credentials: vec![credential(STATION, "secret")],
    };
    let events = Mutex::new(Vec::new());
    let report = run(
        plan.clone(),
        doors,
        quick(),
        CancellationToken::new(),
        |e| events.lock().unwrap().push(e),
    )
    .await
    .unwrap();

    assert_eq!(report.assets, plan.assets().len());
    assert!(report.device_messages > 12, "{report:?}");
    assert_eq!(
        report.device_messages, report.device_messages_acked,
        "{report:?}"
    );
    assert!(
        report.device_messages_sent_again >= 1 && report.connects >= 2,
        "{report:?}"
    );
    assert_eq!(
        (report.device_messages_lost, report.http_failures),
        (0, 0),
        "{report:?}"
    );

    let published = seen.published.lock().unwrap();
    assert_eq!(published.len() as u64, report.device_messages);
    assert!(
        published
            .iter()
            .all(|(topic, json)| topic == "devices/62206900/up" && json["id"] == STATION)
    );
    let times: Vec<&str> = published
        .iter()
        .map(|(_, j)| j["waterLevel"]["observedAt"].as_str().unwrap())
        .collect();
    assert!(
        times.windows(2).all(|w| w[0] < w[1]),
        "in order, none twice"
    );

    let requests = seen.requests.lock().unwrap();
    assert!(
        requests
            .iter()
            .all(|(head, _)| head.to_lowercase().contains("bearer key"))
    );
    let upserts: Vec<Vec<Json>> = requests
        .iter()
        .skip(1)
        .filter(|(h, _)| h.starts_with("POST /ngsi-ld/v1/entityOperations/upsert"))
        .map(|(_, b)| serde_json::from_str(b).unwrap())
        .collect();
    assert!(upserts.iter().all(|batch| (1..=500).contains(&batch.len())));
    assert!(upserts.iter().map(Vec::len).sum::<usize>() >= plan.assets().len());
    assert!(
        requests.iter().any(
            |(head, body)| head.starts_with("POST /api/v2/write") && body.lines().count() == 12
        ),
        "one hour of lines in one write"
    );

    let events = events.into_inner().unwrap();
    assert!(matches!(events.last(), Some(Event::Scene(_))));
    assert!(events.contains(&Event::Playing { devices: 1 }));
}

#[tokio::test]
async fn a_wrong_password_stops_one_device_and_is_counted() {
    let plan = Arc::new(Plan::embedded("tianmen").unwrap());
    let (mqtt, http, _) = peers().await;
    let other = "urn:ngsi-ld:WaterObserved:61804400";
    let credentials = vec![credential(STATION, "secret"), credential(other, "wrong")];
    let options = Options {
        first_start: Some(false),
        drain_timeout: Duration::from_millis(300),
        ..quick()
    };
    let report = run(
        plan,
        Doors {
            http,
            mqtt,
            ocpp: None,
            operator_token: None,
            token: String::new(),
            credentials,
        },
        options,
        CancellationToken::new(),
        |_| (),
    )
    .await
    .unwrap();
    assert!(report.connects_refused >= 1, "{report:?}");
    assert!(
        report.device_messages_acked * 2 >= report.device_messages - 2,
        "the other one is not affected: {report:?}"
    );
    assert_eq!(report.assets, 0);
}

#[tokio::test]
async fn without_credentials_it_says_what_to_do() {
    let plan = Arc::new(Plan::embedded("tianmen").unwrap());
    let (mqtt, http, _) = peers().await;
    let doors = Doors {
        http,
        mqtt,
        ocpp: None,
        operator_token: None,
        token: String::new(),
        credentials: Vec::new(),
    };
    let error = run(plan, doors, quick(), CancellationToken::new(), |_| ())
        .await
        .unwrap_err();
    assert!(matches!(error, SimError::NoCredentials(101)));
    assert!(error.to_string().contains("Plan::devices"));
}

#[tokio::test]
async fn cancelling_ends_it() {
    let plan = Arc::new(Plan::embedded("tianmen").unwrap());
    let (mqtt, http, _) = peers().await;
    let doors = Doors {
        http,
        mqtt,
        ocpp: None,
        operator_token: None,
        token: String::new(),
        credentials: vec![credential(STATION, "secret")],
    };
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let options = Options {
        duration: None,
        first_start: Some(false),
        ..quick()
    };
    let report = run(plan, doors, options, cancel, move |e| {
        if matches!(e, Event::Playing { .. }) {
            stop.cancel();
        }
    });
    tokio::time::timeout(Duration::from_secs(20), report)
        .await
        .expect("ends soon")
        .unwrap();
}
