//! What an MQTT client was told is retained, or cleared, is so after `kill -9`: the real binary, killed and
//! started again over one folder, and an independent client.

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{PubAckReason, PublishProperties};
use rumqttc::v5::{AsyncClient, Event, EventLoop, Incoming, MqttOptions};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longest time that the test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// Ends what a subscriber is asked to collect.
const MARKER: &str = "marker";

fn json(words: &[&str]) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_jingling"))
        .args(words)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words:?}: {told}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// The running binary; killed, never ended politely.
struct City {
    process: Child,
    mqtt_port: u16,
}

impl City {
    fn start(dir: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jingling"));
        command.args(["serve", dir]).stderr(Stdio::piped());
        for key in ["http.listen", "mqtt.listen", "mqtt.tls_listen"] {
            command.args(["--set", &format!("{key}=127.0.0.1:0")]);
        }
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut told = String::new();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| {
            told.push_str(&line);
            line.contains("ready in")
        });
        assert!(ready, "{told}");
        // The pipe must not fill up.
        std::thread::spawn(move || lines.count());
        let addresses = std::fs::read(format!("{dir}/run/addresses.json")).unwrap();
        let addresses: serde_json::Value = serde_json::from_slice(&addresses).unwrap();
        let address: std::net::SocketAddr = addresses["mqtt"].as_str().unwrap().parse().unwrap();
        Self {
            process,
            mqtt_port: address.port(),
        }
    }

    fn client(&self, client_id: &str, username: &str, password: &str) -> Conversation {
        let mut settings = MqttOptions::new(client_id, "127.0.0.1", self.mqtt_port);
        settings.set_credentials(username, password);
        let (client, events) = AsyncClient::new(settings, 10);
        Conversation { client, events }
    }
}

impl Drop for City {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Conversation {
    client: AsyncClient,
    events: EventLoop,
}

impl Conversation {
    async fn incoming(&mut self) -> Incoming {
        let next = async {
            loop {
                if let Event::Incoming(packet) = self.events.poll().await.unwrap() {
                    return packet;
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.unwrap()
    }

    /// Publishes a retained message of QoS 1 and waits for its PUBACK.
    async fn retain(
        &mut self,
        topic: &str,
        payload: &str,
        expiry_seconds: Option<u32>,
    ) -> PubAckReason {
        let properties = PublishProperties {
            message_expiry_interval: expiry_seconds,
            ..PublishProperties::default()
        };
        self.client
            .publish_with_properties(
                topic,
                QoS::AtLeastOnce,
                true,
                payload.to_owned(),
                properties,
            )
            .await
            .unwrap();
        loop {
            if let Incoming::PubAck(ack) = self.incoming().await {
                return ack.reason;
            }
        }
    }

    /// What a new subscription to everything brings: last part of the topic, payload, seconds left.
    async fn retained(&mut self, reading: &str) -> Vec<(String, String, Option<u32>)> {
        self.client.subscribe("#", QoS::AtLeastOnce).await.unwrap();
        // Comes after what is retained.
        self.client
            .publish(MARKER, QoS::AtLeastOnce, false, reading.to_owned())
            .await
            .unwrap();
        let mut found = Vec::new();
        loop {
            if let Incoming::Publish(publish) = self.incoming().await {
                let topic = String::from_utf8(publish.topic.to_vec()).unwrap();
                if topic == MARKER {
                    return found;
                }
                assert!(publish.retain, "{topic}");
                let last = topic.rsplit('/').next().unwrap().to_owned();
                let payload = String::from_utf8(publish.payload.to_vec()).unwrap();
                let left = publish.properties.and_then(|p| p.message_expiry_interval);
                found.push((last, payload, left));
            }
        }
    }
}

fn reading(metres: f64) -> String {
    serde_json::json!({
        "id": "urn:ngsi-ld:WaterObserved:1",
        "type": "WaterObserved",
        "waterLevel": {"type": "Property", "value": metres, "unitCode": "MTR"},
    })
    .to_string()
}

#[tokio::test]
async fn what_was_acknowledged_is_retained_or_cleared_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("city").display().to_string();
    json(&["init", &dir, "--json"]);
    let id = "urn:ngsi-ld:WaterObserved:1";
    let device = json(&[
        "device",
        "add",
        &dir,
        "--id",
        id,
        "--type",
        "WaterObserved",
        "--json",
    ]);
    let said = |key: &str| device[key].as_str().unwrap().to_owned();
    let (client_id, username, password) = (said("client_id"), said("username"), said("password"));
    let words = [
        "token",
        "create",
        &dir,
        "--name",
        "r",
        "--role",
        "collector",
        "--json",
    ];
    let token = json(&words)["token"].as_str().unwrap().to_owned();
    let topic = |last: &str| format!("devices/{client_id}/{last}");

    let city = City::start(&dir);
    let mut sender = city.client(&client_id, &username, &password);
    // Not acknowledged itself; the next ones are, and come after it.
    sender
        .client
        .publish(topic("qos-0"), QoS::AtMostOnce, true, reading(20.0))
        .await
        .unwrap();
    for (last, payload, expiry, reason) in [
        ("up", reading(20.1), None, PubAckReason::Success),
        ("hour", reading(20.2), Some(3_600), PubAckReason::Success),
        ("cleared", reading(20.3), None, PubAckReason::Success),
        ("cleared", String::new(), None, PubAckReason::Success),
        (
            "bad",
            "no such format".to_owned(),
            None,
            PubAckReason::PayloadFormatInvalid,
        ),
    ] {
        assert_eq!(
            sender.retain(&topic(last), &payload, expiry).await,
            reason,
            "{last}"
        );
    }
    drop(city);

    let city = City::start(&dir);
    let found = city
        .client("reader-1", "token", &token)
        .retained(&reading(21.0))
        .await;
    let payload = |last: &str| found.iter().find(|f| f.0 == last).map(|f| f.1.clone());
    assert_eq!(payload("qos-0"), Some(reading(20.0)));
    assert_eq!(payload("up"), Some(reading(20.1)));
    assert_eq!(payload("hour"), Some(reading(20.2)));
    assert_eq!(found.len(), 3, "{found:?}");
    for (last, _, left) in &found {
        assert_eq!(
            left.is_some_and(|s| s <= 3_600),
            last == "hour",
            "{found:?}"
        );
    }
    let mut sender = city.client(&client_id, &username, &password);
    for last in ["up", "qos-0"] {
        assert_eq!(
            sender.retain(&topic(last), "", None).await,
            PubAckReason::Success
        );
    }
    drop(city);

    let city = City::start(&dir);
    let found = city
        .client("reader-2", "token", &token)
        .retained(&reading(22.0))
        .await;
    let left: Vec<&str> = found.iter().map(|f| f.0.as_str()).collect();
    assert_eq!(left, ["hour"]);
    drop(city);
    let check = json(&["check", &dir, "--json"]);
    assert_eq!(check["clean"], true, "{check}");
}
