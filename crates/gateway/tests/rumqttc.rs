//! An independent client library, rumqttc, versions 3.1.1 and 5.

use crate::support::{PATIENCE, open, options};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use std::time::Duration;

#[tokio::test]
async fn version_3_1_1_publishes_and_hears() {
    let door = open(options()).await;
    let mut settings = MqttOptions::new("dev-1", "127.0.0.1", door.address().port());
    settings.set_credentials("dev-1", "secret");
    settings.set_keep_alive(Duration::from_secs(5));
    let (client, mut events) = AsyncClient::new(settings, 10);
    client
        .subscribe("devices/dev-1/#", QoS::AtLeastOnce)
        .await
        .unwrap();
    for (n, qos) in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]
        .into_iter()
        .enumerate()
    {
        let payload = format!("{n}");
        client
            .publish("devices/dev-1/up", qos, false, payload)
            .await
            .unwrap();
    }
    let (mut heard, mut acknowledged, mut completed) = (Vec::new(), 0, 0);
    let conversation = async {
        while heard.len() < 3 || acknowledged < 1 || completed < 1 {
            match events.poll().await.unwrap() {
                Event::Incoming(Packet::Publish(p)) => {
                    heard.push(String::from_utf8(p.payload.to_vec()).unwrap())
                }
                Event::Incoming(Packet::PubAck(_)) => acknowledged += 1,
                Event::Incoming(Packet::PubComp(_)) => completed += 1,
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, conversation).await.unwrap();
    assert_eq!(heard, ["0", "1", "2"]);
    assert_eq!(door.sink.payloads(), ["0", "1", "2"]);
}

#[tokio::test]
async fn version_5_publishes_hears_and_is_told_reasons() {
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
    use rumqttc::v5::{AsyncClient, Event, MqttOptions};
    let door = open(options()).await;
    let mut settings = MqttOptions::new("dev-1", "127.0.0.1", door.address().port());
    settings.set_credentials("dev-1", "secret");
    let (client, mut events) = AsyncClient::new(settings, 10);
    client
        .subscribe("devices/dev-1/down", QoS::AtLeastOnce)
        .await
        .unwrap();
    for (topic, payload) in [
        ("devices/dev-1/up", "good"),
        ("devices/dev-1/up", "bad"),
        ("devices/dev-2/up", "stolen"),
        ("devices/dev-1/down", "echo"),
    ] {
        client
            .publish(topic, QoS::AtLeastOnce, false, payload)
            .await
            .unwrap();
    }
    let (mut heard, mut reasons) = (Vec::new(), Vec::new());
    let conversation = async {
        while heard.is_empty() || reasons.len() < 4 {
            match events.poll().await.unwrap() {
                Event::Incoming(Packet::Publish(p)) => heard.push(p.payload),
                Event::Incoming(Packet::PubAck(ack)) => reasons.push(ack.reason),
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, conversation).await.unwrap();
    assert_eq!(heard, ["echo"]);
    assert_eq!(
        reasons,
        [
            PubAckReason::Success,
            PubAckReason::PayloadFormatInvalid,
            PubAckReason::NotAuthorized,
            PubAckReason::Success
        ]
    );
}
