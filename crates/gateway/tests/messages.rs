//! Messages in: acknowledged means durable, busy means wait, a bad message stays alone.

use crate::support::{open, options};
use gateway::mqtt::Limits;
use std::sync::atomic::Ordering::SeqCst;

const TOPIC: &str = "devices/dev-1/up";

#[tokio::test]
async fn an_acknowledgement_waits_for_the_disk() {
    for version in [4, 5] {
        let door = open(options()).await;
        door.sink.disk_is_slow.store(true, SeqCst);
        let mut device = door.client(version, "dev-1", "dev-1").await;
        for id in [3, 1, 2] {
            device.publish(TOPIC, id, b"{}").await;
        }
        // The ping behind them is answered; they are not.
        device.ping().await;
        assert_eq!(door.metric(|m| &m.in_flight), 3);
        door.sink.sync();
        for id in [3, 1, 2] {
            assert_eq!(device.receive().await, [0x40, 2, 0, id]);
        }
        door.until(|d| d.metric(|m| &m.in_flight) == 0).await;
    }
}

#[tokio::test]
async fn a_busy_sink_makes_the_client_wait_and_nothing_is_lost() {
    let door = open(options()).await;
    door.sink.is_busy.store(true, SeqCst);
    let mut device = door.client(5, "dev-1", "dev-1").await;
    let mut all = Vec::new();
    for id in 1..=200u16 {
        all.extend(device.publish_bytes(TOPIC, id, 0, format!("{id}").as_bytes()));
    }
    device.send(&all).await;
    door.until(|d| d.metric(|m| &m.busy_total) > 2).await;
    assert!(door.sink.stored().is_empty());
    // Others who send nothing are served meanwhile.
    door.client(4, "other", "city").await.ping().await;
    door.sink.is_busy.store(false, SeqCst);
    for id in 1..=200u16 {
        let [high, low] = id.to_be_bytes();
        assert_eq!(device.receive().await, [0x40, 2, high, low]);
    }
    let expected: Vec<String> = (1..=200).map(|id| id.to_string()).collect();
    assert_eq!(door.sink.payloads(), expected);
}

#[tokio::test]
async fn a_client_that_never_reads_its_acknowledgements_does_not_stop_itself() {
    let mut options = options();
    options.limits.output_bytes_max = 1 << 20;
    let door = open(options).await;
    let mut device = door.client(4, "dev-1", "dev-1").await;
    let one = device.publish_bytes(TOPIC, 7, 0, b"{}");
    for _ in 0..20 {
        device.send(&one.repeat(1000)).await;
    }
    door.until(|d| d.sink.stored().len() == 20_000).await;
}

#[tokio::test]
async fn a_message_not_understood_is_a_dead_letter_and_the_next_goes_on() {
    for version in [4, 5] {
        let door = open(options()).await;
        let mut listener = door.client(5, "listener", "city").await;
        assert_eq!(listener.subscribe("devices/#", 1).await, 1);
        let mut device = door.client(version, "dev-1", "dev-1").await;
        device.publish(TOPIC, 1, b"bad").await;
        device.publish(TOPIC, 2, b"good").await;
        let answer = device.receive().await;
        if version == 5 {
            assert_eq!((answer[0], answer[4]), (0x40, 0x99), "{answer:02x?}");
            let text = String::from_utf8_lossy(&answer);
            assert!(
                text.contains("bad payload (at byte 0); send another"),
                "{text}"
            );
        } else {
            assert_eq!(answer, [0x40, 2, 0, 1]);
        }
        assert_eq!(device.receive().await, [0x40, 2, 0, 2]);
        let stored = door.sink.stored();
        assert_eq!(stored[0].problem.as_ref().unwrap().code, "test-bad");
        assert_eq!(stored[1].problem, None);
        // Subscribers hear only what was understood.
        let (_, topic, _, payload) = crate::support::read_publish(5, &listener.receive().await);
        assert_eq!((topic.as_str(), payload.as_str()), (TOPIC, "good"));
    }
}

#[tokio::test]
async fn a_topic_of_somebody_else_is_refused_and_kept_as_evidence() {
    for (version, expected) in [(4, None), (5, Some(0x87))] {
        let door = open(options()).await;
        let mut device = door.client(version, "dev-1", "dev-1").await;
        device.publish("devices/dev-2/up", 1, b"{}").await;
        let answer = device.receive().await;
        assert_eq!((answer[0], answer.get(4).copied()), (0x40, expected));
        device.publish(TOPIC, 2, b"{}").await;
        assert_eq!(device.receive().await, [0x40, 2, 0, 2]);
        let letter = &door.sink.stored()[0];
        let problem = letter.problem.as_ref().unwrap();
        assert_eq!(problem.code, "mqtt-not-authorised");
        assert!(problem.mend.contains("devices/dev-1/#"), "{problem}");
        assert_eq!(door.metric(|m| &m.messages_not_authorised_total), 1);
    }
}

#[tokio::test]
async fn a_topic_beyond_the_limits_is_kept_as_evidence() {
    let door = open(options()).await;
    let mut city = door.client(5, "city", "city").await;
    for (id, topic) in [(1, "x/".repeat(40)), (2, "$SYS/x".to_owned())] {
        city.publish(&topic, id, b"{}").await;
        let answer = city.receive().await;
        let header = proto_mqtt::frame::header(&answer).unwrap().unwrap();
        assert_eq!((answer[0], answer[header.header_bytes + 2]), (0x40, 0x90));
    }
    let codes: Vec<String> = door
        .sink
        .stored()
        .into_iter()
        .filter_map(|s| s.problem)
        .map(|p| p.code)
        .collect();
    assert_eq!(codes, ["mqtt-topic-name", "mqtt-topic-name"]);
}

#[tokio::test]
async fn a_message_of_ten_megabytes_is_told_and_its_first_bytes_are_kept() {
    let payload = vec![b'x'; 10_000_000];
    for version in [4, 5] {
        let mut options = options();
        options.session.packet_bytes_max_setting = "city.packet_max";
        let door = open(options).await;
        let mut device = door.client(version, "dev-1", "dev-1").await;
        let bytes = device.publish_bytes(TOPIC, 1, 0, &payload);
        let sending = async {
            // Version 5 is cut off on the way.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut device.stream, &bytes).await;
        };
        let other = async {
            let mut other = door.client(4, "dev-2", "dev-2").await;
            other.publish("devices/dev-2/up", 1, b"{}").await;
            assert_eq!(other.receive().await, [0x40, 2, 0, 1]);
        };
        tokio::join!(sending, other);
        if version == 5 {
            let answer = device.receive().await;
            let header = proto_mqtt::frame::header(&answer).unwrap().unwrap();
            assert_eq!((answer[0], answer[header.header_bytes]), (0xe0, 0x95));
            assert!(String::from_utf8_lossy(&answer).contains("raise city.packet_max"));
            device.ends().await;
        } else {
            // Skipped and acknowledged, so that the client does not send it for ever.
            assert_eq!(device.receive().await, [0x40, 2, 0, 1]);
            device.publish(TOPIC, 2, b"{}").await;
            assert_eq!(device.receive().await, [0x40, 2, 0, 2]);
        }
        let stored = door.sink.stored();
        let letter = stored.iter().find(|s| s.client_id == "dev-1").unwrap();
        let problem = letter.problem.as_ref().unwrap();
        assert_eq!(problem.code, "mqtt-packet-too-large");
        assert!(problem.what.contains("1048576"), "{problem}");
        assert!(problem.mend.contains("city.packet_max"), "{problem}");
        // Of MQTT 5 the properties, here their length alone, count as payload.
        assert_eq!(letter.size_bytes, 10_000_000 + u64::from(version == 5));
        assert_eq!(letter.topic, TOPIC);
        assert!(letter.payload.len() > 4000 && letter.payload.ends_with(b"xxx"));
    }
}

#[tokio::test]
async fn qos_2_is_taken_once() {
    let door = open(options()).await;
    door.sink.disk_is_slow.store(true, SeqCst);
    let mut device = door.client(4, "dev-1", "dev-1").await;
    let first = device.publish_bytes(TOPIC, 5, 0x04, b"once");
    let mut again = first.clone();
    again[0] |= 0x08;
    device.send(&first).await;
    device.send(&again).await;
    device.ping().await;
    door.sink.sync();
    assert_eq!(device.receive().await, [0x50, 2, 0, 5]);
    assert_eq!(device.receive().await, [0x50, 2, 0, 5]);
    device.send(&[0x62, 2, 0, 5]).await;
    assert_eq!(device.receive().await, [0x70, 2, 0, 5]);
    assert_eq!(door.sink.payloads(), ["once"]);
    // The identifier is free again.
    device.send(&first).await;
    door.until(|d| d.sink.stored().len() == 2).await;
}

#[tokio::test]
async fn receive_maximum_stops_a_client_of_version_3_without_a_fault() {
    let mut options = options();
    options.session.unacknowledged_max = 10;
    let door = open(options).await;
    door.sink.disk_is_slow.store(true, SeqCst);
    let mut device = door.client(4, "dev-1", "dev-1").await;
    for id in 1..=25 {
        device.publish(TOPIC, id, b"{}").await;
    }
    door.until(|d| d.sink.stored().len() == 10).await;
    assert_eq!(door.metric(|m| &m.in_flight), 10);
    for id in 1..=25 {
        door.until(|d| d.sink.stored().len() >= usize::from(id))
            .await;
        door.sink.sync();
        assert_eq!(device.receive().await, [0x40, 2, 0, id]);
    }
}

#[tokio::test]
async fn bytes_that_are_no_mqtt_end_only_their_own_connection() {
    let door = open(options()).await;
    let mut device = door.client(5, "dev-1", "dev-1").await;
    let mut stranger = door.dial().await;
    stranger.send(b"GET / HTTP/1.1\r\n\r\n").await;
    stranger.ends().await;
    // A known client that breaks the format is told why.
    let mut broken = door.client(5, "dev-2", "dev-2").await;
    broken.send(&[0x36, 2, 0, 0]).await;
    let answer = broken.receive().await;
    assert_eq!((answer[0], answer[2]), (0xe0, 0x81), "{answer:02x?}");
    broken.ends().await;
    device.ping().await;
    assert_eq!(door.metric(|m| &m.faults_total), 2);
}

#[tokio::test]
async fn shutdown_acknowledges_what_is_durable_and_says_good_bye() {
    let door = open(options()).await;
    door.sink.disk_is_slow.store(true, SeqCst);
    let mut device = door.client(5, "dev-1", "dev-1").await;
    let mut old = door.client(4, "dev-2", "dev-2").await;
    device.publish(TOPIC, 1, b"{}").await;
    door.until(|d| d.sink.stored().len() == 1).await;
    let handle = door.handle.clone();
    let stopping = tokio::spawn(async move { handle.shutdown().await });
    old.ends().await; // It had nothing open; the other still waits.
    door.sink.sync();
    assert_eq!(device.receive().await, [0x40, 2, 0, 1]);
    let answer = device.receive().await;
    assert_eq!((answer[0], answer[2]), (0xe0, 0x8b), "{answer:02x?}");
    drop((device, old));
    stopping.await.unwrap();
    assert!(
        tokio::net::TcpStream::connect(door.address())
            .await
            .is_err()
    );
    assert_eq!(door.metric(|m| &m.connections), 0);
    let presence = door.sink.presence.lock().unwrap().clone();
    assert_eq!(presence.iter().filter(|(_, online)| !online).count(), 2);
}

#[tokio::test]
async fn connections_are_limited_for_each_peer() {
    let mut options = options();
    options.limits = Limits {
        connections_per_peer_max: 2,
        ..options.limits
    };
    let door = open(options).await;
    let first = door.client(5, "dev-1", "dev-1").await;
    let _second = door.client(5, "dev-2", "dev-2").await;
    door.dial().await.ends().await;
    assert_eq!(door.metric(|m| &m.connections_refused_total), 1);
    drop(first);
    door.until(|d| d.metric(|m| &m.connections) == 1).await;
    door.client(5, "dev-3", "dev-3").await;
}
