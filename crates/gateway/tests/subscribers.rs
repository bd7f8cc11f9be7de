//! Messages out: subscriptions within rights, sessions, retained messages, wills, slow readers.

use crate::support::{Connect, Raw, open, open_on, options, packet, read_publish, text};
use proto_mqtt::Qos;
use std::sync::atomic::Ordering::SeqCst;
use tokio::net::TcpStream;

const UP: &str = "devices/dev-1/up";
const DOWN: &str = "devices/dev-1/down";

/// Session Expiry Interval of one hour.
const HOUR: [u8; 5] = [0x11, 0, 0, 0x0e, 0x10];

fn remembered(version: u8) -> Connect {
    Connect {
        clean: false,
        properties: if version == 5 { HOUR.to_vec() } else { vec![] },
        ..Connect::default()
    }
}

async fn heard(raw: &mut Raw<TcpStream>) -> (u8, String, u16, String) {
    let bytes = raw.receive().await;
    read_publish(raw.version, &bytes)
}

#[tokio::test]
async fn a_client_hears_what_it_may() {
    for version in [4, 5] {
        let door = open(options()).await;
        let mut device = door.client(version, "dev-1", "dev-1").await;
        let denied = if version == 5 { 0x87 } else { 0x80 };
        assert_eq!(device.subscribe("#", 1).await, denied);
        assert_eq!(device.subscribe("devices/+/down", 1).await, denied);
        assert_eq!(
            device.subscribe("devices/dev-1/#", 2).await,
            1,
            "QoS 2 is granted as 1"
        );
        // The platform's own words, and those of another client, with the lower QoS.
        assert_eq!(
            door.handle.publish(DOWN, "a", Qos::ExactlyOnce, false),
            Ok(1)
        );
        assert_eq!(
            door.handle
                .publish("devices/dev-2/down", "b", Qos::AtLeastOnce, false),
            Ok(0)
        );
        let (first, topic, id, payload) = heard(&mut device).await;
        assert_eq!((first, topic.as_str(), payload.as_str()), (0x32, DOWN, "a"));
        device.send(&[0x40, 2, 0, id as u8]).await;
        let mut city = door.client(4, "city", "city").await;
        city.publish(DOWN, 0, b"c").await;
        let (first, _, _, payload) = heard(&mut device).await;
        assert_eq!((first, payload.as_str()), (0x30, "c"));
        // And after unsubscribing, nothing.
        let mut body = vec![0, 3];
        body.extend(if version == 5 { vec![0] } else { vec![] });
        body.extend(text("devices/dev-1/#"));
        device.send(&packet(0xa2, &body)).await;
        assert_eq!(device.receive().await[0], 0xb0);
        assert_eq!(
            door.handle.publish(DOWN, "d", Qos::AtLeastOnce, false),
            Ok(0)
        );
        device.ping().await;
    }
}

#[tokio::test]
async fn properties_and_subscription_identifiers_reach_the_subscriber() {
    let door = open(options()).await;
    let mut listener = door.client(5, "l", "city").await;
    // Two overlapping subscriptions with identifiers 1 and 300: one message, both identifiers.
    for (filter, id) in [
        ("devices/#", vec![2, 0x0b, 1]),
        (UP, vec![3, 0x0b, 0xac, 2]),
    ] {
        let mut body = vec![0, 1];
        body.extend(id);
        body.extend(text(filter));
        body.push(1);
        listener.send(&packet(0x82, &body)).await;
        assert_eq!(listener.receive().await[0], 0x90);
    }
    let mut device = door.client(5, "dev-1", "dev-1").await;
    // Content type, a user property, correlation data; expiry 100 s.
    let mut handed_on = vec![0x03];
    handed_on.extend(text("application/json"));
    handed_on.push(0x26);
    handed_on.extend([text("k"), text("v")].concat());
    handed_on.push(0x09);
    handed_on.extend(text("id"));
    let mut properties = vec![0x02, 0, 0, 0, 100];
    properties.extend(&handed_on);
    let mut body = text(UP);
    body.extend([0, 1]);
    body.extend(packet(0, &properties).split_off(1));
    body.extend(b"{}");
    device.send(&packet(0x32, &body)).await;
    assert_eq!(device.receive().await, [0x40, 2, 0, 1]);
    assert_eq!(
        door.sink.stored()[0].content_type.as_deref(),
        Some("application/json")
    );

    let mut expected = handed_on;
    expected.extend([0x02, 0, 0, 0, 100]);
    expected.extend([0x0b, 1, 0x0b, 0xac, 2]);
    let mut body = text(UP);
    body.extend([0, 1]);
    body.extend(packet(0, &expected).split_off(1));
    body.extend(b"{}");
    assert_eq!(listener.receive().await, packet(0x32, &body));
    listener.ping().await;
}

#[tokio::test]
async fn no_local_and_shared_subscriptions() {
    let door = open(options()).await;
    let mut city = door.client(5, "city", "city").await;
    assert_eq!(city.subscribe("t", 0x05).await, 1);
    city.publish("t", 1, b"own").await;
    assert_eq!(city.receive().await, [0x40, 2, 0, 1]);
    city.ping().await;
    assert_eq!(city.subscribe("$share/g/t", 1).await, 0x9e);
}

#[tokio::test]
async fn a_session_goes_on_with_its_messages() {
    for version in [4, 5] {
        let door = open(options()).await;
        let mut first = door.dial().await;
        first.version = version;
        let answer = first
            .connect("dev-1", "dev-1", "secret", remembered(version))
            .await;
        assert_eq!(answer[2], 0);
        first.subscribe("devices/dev-1/down", 1).await;
        door.handle
            .publish(DOWN, "unacknowledged", Qos::AtLeastOnce, false)
            .unwrap();
        assert_eq!(heard(&mut first).await.0, 0x32);
        drop(first);
        door.until(|d| d.metric(|m| &m.clients) == 0).await;
        door.handle
            .publish(DOWN, "while away", Qos::AtLeastOnce, false)
            .unwrap();
        door.handle
            .publish(DOWN, "QoS 0 does not wait", Qos::AtMostOnce, false)
            .unwrap();

        let mut again = door.dial().await;
        again.version = version;
        let answer = again
            .connect("dev-1", "dev-1", "secret", remembered(version))
            .await;
        assert_eq!(answer[2], 1, "session present");
        let (flags, _, _, payload) = heard(&mut again).await;
        assert_eq!(
            (flags, payload.as_str()),
            (0x3a, "unacknowledged"),
            "with DUP"
        );
        let (flags, _, _, payload) = heard(&mut again).await;
        assert_eq!((flags, payload.as_str()), (0x32, "while away"));
        again.ping().await;
        drop(again);
        // A clean start forgets.
        door.client(version, "dev-1", "dev-1").await.ping().await;
        assert_eq!(door.metric(|m| &m.subscriptions), 0);
    }
}

#[tokio::test]
async fn a_session_expires() {
    let door = open(options()).await;
    let mut raw = door.dial().await;
    let short = Connect {
        properties: vec![0x11, 0, 0, 0, 1],
        ..Connect::default()
    };
    raw.connect("dev-1", "dev-1", "secret", short).await;
    raw.subscribe(DOWN, 1).await;
    drop(raw);
    door.until(|d| d.metric(|m| &m.clients) == 0).await;
    assert_eq!(door.metric(|m| &m.sessions), 1);
    door.until(|d| d.metric(|m| &m.sessions) == 0).await;
    assert_eq!(door.metric(|m| &m.subscriptions), 0);
}

#[tokio::test]
async fn a_newer_connection_takes_the_session_over() {
    let door = open(options()).await;
    let mut first = door.dial().await;
    first
        .connect("dev-1", "dev-1", "secret", remembered(5))
        .await;
    first.subscribe(DOWN, 1).await;
    let mut second = door.dial().await;
    let answer = second
        .connect("dev-1", "dev-1", "secret", remembered(5))
        .await;
    assert_eq!(answer[2], 1);
    let good_bye = first.receive().await;
    assert_eq!((good_bye[0], good_bye[2]), (0xe0, 0x8e), "{good_bye:02x?}");
    door.handle
        .publish(DOWN, "x", Qos::AtLeastOnce, false)
        .unwrap();
    assert_eq!(heard(&mut second).await.3, "x");
    // The same client identifier under another name is another session.
    let mut stranger = door.dial().await;
    stranger
        .connect("dev-1", "dev-2", "secret", remembered(5))
        .await;
    stranger.ping().await;
    second.send(&[0x40, 2, 0, 1]).await;
    second.ping().await;
    assert_eq!(door.metric(|m| &m.taken_over_total), 1);
    let presence = door.sink.presence.lock().unwrap().clone();
    assert!(
        presence.iter().all(|(_, online)| *online),
        "nobody went offline: {presence:?}"
    );
}

#[tokio::test]
async fn the_platform_can_end_a_connection() {
    let door = open(options()).await;
    let mut device = door.client(5, "dev-1", "dev-1").await;
    assert_eq!(door.handle.disconnect("dev-1"), 1);
    let answer = device.receive().await;
    assert_eq!((answer[0], answer[2]), (0xe0, 0x98), "{answer:02x?}");
}

#[tokio::test]
async fn retained_messages_are_kept_cleared_and_outlive_the_door() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options();
    options.retained_file = Some(dir.path().join("retained.bin"));
    let door = open(options.clone()).await;
    let mut device = door.client(5, "dev-1", "dev-1").await;
    for (topic, payload) in [(UP, "old"), (UP, "new"), ("devices/dev-1/cleared", "x")] {
        let bytes = device.publish_bytes(topic, 1, 1, payload.as_bytes());
        device.send(&bytes).await;
        assert_eq!(device.receive().await, [0x40, 2, 0, 1]);
    }
    let clear = device.publish_bytes("devices/dev-1/cleared", 2, 1, b"");
    device.send(&clear).await;
    assert_eq!(device.receive().await, [0x40, 2, 0, 2]);
    assert!(
        door.sink
            .stored()
            .iter()
            .all(|s| s.retain && !s.payload.is_empty())
    );
    assert_eq!(device.subscribe("devices/dev-1/#", 1).await, 1);
    assert_eq!(heard(&mut device).await, (0x33, UP.into(), 1, "new".into()));
    device.send(&[0x40, 2, 0, 1]).await;
    device.ping().await;
    // Retain handling 2: none.
    assert_eq!(device.subscribe("devices/dev-1/#", 0x21).await, 1);
    device.ping().await;
    door.handle.shutdown().await;

    let other = open(options.clone()).await;
    assert_eq!(other.metric(|m| &m.retained), 0, "not of that journal");
    let door = open_on(options, door.sink).await;
    assert_eq!(door.metric(|m| &m.retained), 1);
    let mut again = door.client(4, "dev-1", "dev-1").await;
    assert_eq!(again.subscribe("devices/dev-1/#", 0).await, 0);
    assert_eq!(heard(&mut again).await, (0x31, UP.into(), 0, "new".into()));
}

#[tokio::test]
async fn what_the_sink_withholds_is_accepted_and_neither_handed_on_nor_kept() {
    let door = open(options()).await;
    let mut device = door.client(5, "dev-1", "dev-1").await;
    assert_eq!(device.subscribe("devices/dev-1/#", 1).await, 1);
    // With the retain flag, QoS 1.
    let bytes = device.publish_bytes("devices/dev-1/withheld", 1, 3, b"personal");
    device.send(&bytes).await;
    assert_eq!(device.receive().await, [0x40, 2, 0, 1], "accepted");
    device.ping().await;
    assert_eq!(door.sink.payloads(), ["personal"]);
    assert_eq!(door.metric(|m| &m.messages_withheld_total), 1);
    assert_eq!(door.metric(|m| &m.messages_out_total), 0);
    assert_eq!(door.metric(|m| &m.retained), 0);
}

#[tokio::test]
async fn who_may_not_see_what_a_message_says_does_not_get_it() {
    for version in [4, 5] {
        let door = open(options()).await;
        let mut whole = door.client(version, "whole", "city").await;
        assert_eq!(whole.subscribe("devices/#", 0).await, 0);
        let mut device = door.client(version, "dev-1", "dev-1").await;
        let mut id = 0;
        let mut say = async |flags: u8, payload: &str| {
            id += 1;
            let bytes = device.publish_bytes(UP, id, flags, payload.as_bytes());
            device.send(&bytes).await;
            device.receive().await;
        };
        say(0, "shown").await;
        assert_eq!(heard(&mut whole).await.3, "shown");
        let asked = || door.sink.asked.load(SeqCst);
        assert_eq!(asked(), 0, "nobody needs to know what it says");

        // Two who do not see everything, one of them twice: what it says is found out once.
        let mut one = door.client(version, "one", "some").await;
        let mut two = door.client(version, "two", "some").await;
        for filter in ["devices/#", "devices/+/up"] {
            assert_eq!(one.subscribe(filter, 0).await, 0);
        }
        assert_eq!(two.subscribe("#", 0).await, 0);
        for payload in ["shown", "hidden", "of this nothing is known", "shownToo"] {
            say(0, payload).await;
            assert_eq!(heard(&mut whole).await.3, payload);
        }
        for some in [&mut one, &mut two] {
            assert_eq!(heard(some).await.3, "shown");
            assert_eq!(heard(some).await.3, "shownToo");
            some.ping().await;
        }
        assert_eq!(asked(), 4);
        assert_eq!(door.metric(|m| &m.messages_not_seen_total), 4);

        // What is retained is as what is said now, and what was retained before is looked into when it is asked for.
        say(1, "hidden").await;
        assert_eq!(heard(&mut whole).await.3, "hidden");
        two.ping().await;
        let mut late = door.client(version, "late", "some").await;
        assert_eq!(late.subscribe("#", 0).await, 0);
        late.ping().await;
        say(1, "shown").await;
        assert_eq!(heard(&mut late).await.3, "shown");
        let mut later = door.client(version, "later", "some").await;
        assert_eq!(later.subscribe("#", 0).await, 0);
        assert_eq!(heard(&mut later).await.3, "shown");
    }
}

#[tokio::test]
async fn what_is_retained_or_cleared_is_acknowledged_when_it_is_durable() {
    let door = open(options()).await;
    let mut device = door.client(5, "dev-1", "dev-1").await;
    door.sink.disk_is_slow.store(true, SeqCst);
    for (id, payload) in [(1, &b"on"[..]), (2, b"")] {
        let bytes = device.publish_bytes(UP, id, 1, payload);
        device.send(&bytes).await;
        device.ping().await;
        door.sink.sync();
        assert_eq!(device.receive().await, [0x40, 2, 0, id as u8]);
    }
    assert_eq!(door.sink.payloads(), ["on"], "a clear is no message");
}

#[tokio::test]
async fn retained_messages_outlive_a_door_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options();
    options.retained_file = Some(dir.path().join("retained.bin"));
    // Only the journal has what happens.
    options.limits.retained_save_interval_ms = 3_600_000;
    let door = open(options.clone()).await;
    let mut device = door.client(5, "dev-1", "dev-1").await;
    let topics = [
        "devices/dev-1/a",
        "devices/dev-1/b",
        "devices/dev-1/c",
        "devices/dev-1/d",
    ];
    for (topic, id, flags, payload) in [
        (topics[0], 1, 1, &b"lasting"[..]),
        (topics[1], 2, 1, b"cleared"),
        (topics[1], 3, 1, b""),
        (topics[2], 4, 1, b"good"),
        // Not understood: what was there stays.
        (topics[2], 5, 1, b"bad"),
        (topics[3], 0, 1, b"QoS 0"),
    ] {
        let bytes = device.publish_bytes(topic, id, flags, payload);
        device.send(&bytes).await;
        if id > 0 {
            assert_eq!(device.receive().await[3], id as u8);
        }
    }
    device.ping().await;
    assert_eq!(
        door.handle.publish(
            "devices/dev-1/e",
            "the platform's own",
            Qos::AtLeastOnce,
            true
        ),
        Ok(0)
    );
    // A second door over the same journal finds what a start after kill -9 finds; a third has the file that
    // the second left.
    for _ in 0..2 {
        let again = open_on(options.clone(), door.sink.clone()).await;
        let mut client = again.client(5, "l", "city").await;
        assert_eq!(client.subscribe("devices/#", 1).await, 1);
        let mut kept = Vec::new();
        for _ in 0..4 {
            let (_, topic, _, payload) = heard(&mut client).await;
            kept.push((topic, payload));
        }
        let expected = [(0, "lasting"), (2, "good"), (3, "QoS 0")].map(|(n, p)| (topics[n], p));
        let expected = expected
            .into_iter()
            .chain([("devices/dev-1/e", "the platform's own")]);
        let expected: Vec<_> = expected
            .map(|(t, p)| (t.to_owned(), p.to_owned()))
            .collect();
        assert_eq!(kept, expected);
        client.ping().await;
        again.handle.shutdown().await;
    }
}

#[tokio::test]
async fn the_file_is_never_ahead_of_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options();
    let file = dir.path().join("retained.bin");
    options.retained_file = Some(file.clone());
    options.limits.retained_save_interval_ms = 1;
    let door = open(options).await;
    let mut device = door.client(5, "dev-1", "dev-1").await;
    door.sink.disk_is_slow.store(true, SeqCst);
    let bytes = device.publish_bytes(UP, 1, 1, b"x");
    device.send(&bytes).await;
    // Many times the time between two savings.
    for _ in 0..500 {
        device.ping().await;
    }
    assert!(!file.exists(), "nothing is durable yet");
    door.sink.sync();
    door.until(|_| file.exists()).await;
}

#[tokio::test]
async fn a_broken_retained_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("retained.bin");
    std::fs::write(&file, "no such thing").unwrap();
    let mut options = options();
    options.retained_file = Some(file);
    let sink = std::sync::Arc::new(crate::support::MemorySink::default());
    let error =
        gateway::MqttDoor::start(options, sink, std::sync::Arc::new(crate::support::Accounts))
            .await
            .unwrap_err();
    assert!(error.to_string().contains("retained.bin"), "{error}");
}

fn will(version: u8, delay_seconds: Option<u8>) -> Connect {
    let mut will = Vec::new();
    if version == 5 {
        match delay_seconds {
            Some(seconds) => will.extend([5, 0x18, 0, 0, 0, seconds]),
            None => will.push(0),
        }
    }
    will.extend(text("devices/dev-1/gone"));
    will.extend(text("lost"));
    Connect {
        will: Some(will),
        will_flags: 0x08 | 0x20,
        ..remembered(version)
    }
}

#[tokio::test]
async fn a_will_is_published_when_the_connection_breaks_and_only_then() {
    for version in [4, 5] {
        let door = open(options()).await;
        let mut listener = door.client(5, "l", "city").await;
        listener.subscribe("devices/+/gone", 1).await;
        let dial = || async {
            let mut raw = door.dial().await;
            raw.version = version;
            raw.connect("dev-1", "dev-1", "secret", will(version, None))
                .await;
            raw
        };
        let mut polite = dial().await;
        polite.send(&[0xe0, 0]).await;
        polite.ends().await;
        door.until(|d| d.metric(|m| &m.clients) == 1).await;
        assert_eq!(door.metric(|m| &m.wills_total), 0);
        drop(dial().await);
        assert_eq!(heard(&mut listener).await.3, "lost");
        assert_eq!(door.sink.payloads(), ["lost"], "the journal has it too");
        assert_eq!(door.metric(|m| &m.retained), 1);
        if version == 5 {
            let mut demanding = dial().await;
            demanding.send(&[0xe0, 1, 4]).await;
            assert_eq!(heard(&mut listener).await.3, "lost");
        }
    }
}

#[tokio::test]
async fn a_will_with_a_delay_waits_for_the_client_to_come_back() {
    let door = open(options()).await;
    let mut listener = door.client(5, "l", "city").await;
    listener.subscribe("devices/+/gone", 1).await;
    let mut raw = door.dial().await;
    raw.connect("dev-1", "dev-1", "secret", will(5, Some(1)))
        .await;
    drop(raw);
    door.until(|d| d.metric(|m| &m.clients) == 1).await;
    // Back in time: no will. Away again: the will of the second connection, once.
    let mut raw = door.dial().await;
    raw.connect("dev-1", "dev-1", "secret", will(5, Some(1)))
        .await;
    drop(raw);
    assert_eq!(heard(&mut listener).await.3, "lost");
    assert_eq!(door.metric(|m| &m.wills_total), 1);
}

#[tokio::test]
async fn a_will_waits_for_a_busy_sink() {
    let door = open(options()).await;
    let mut raw = door.dial().await;
    raw.connect("dev-1", "dev-1", "secret", will(5, None)).await;
    door.sink.is_busy.store(true, SeqCst);
    drop(raw);
    door.until(|d| d.metric(|m| &m.clients) == 0).await;
    door.sink.is_busy.store(false, SeqCst);
    door.until(|d| d.sink.payloads() == ["lost"]).await;
}

#[tokio::test]
async fn a_slow_subscriber_of_qos_1_is_disconnected_and_nobody_else_suffers() {
    let mut options = options();
    options.session.in_flight_max = 2;
    options.limits.outbound_queue_max = 5;
    let door = open(options).await;
    let mut slow = door.client(5, "slow", "city").await;
    slow.subscribe("t", 1).await;
    let mut quick = door.client(5, "quick", "city").await;
    quick.subscribe("t", 0).await;
    for n in 0..20 {
        door.handle
            .publish("t", format!("{n}"), Qos::AtLeastOnce, false)
            .unwrap();
        assert_eq!(heard(&mut quick).await.3, n.to_string());
    }
    for payload in ["0", "1"] {
        assert_eq!(heard(&mut slow).await.3, payload);
    }
    let answer = slow.receive().await;
    assert_eq!((answer[0], answer[2]), (0xe0, 0x97), "{answer:02x?}");
    assert_eq!(door.metric(|m| &m.slow_disconnects_total), 1);
}

#[tokio::test]
async fn a_slow_subscriber_of_qos_0_loses_messages_and_they_are_counted() {
    let mut options = options();
    options.limits.outbound_queue_max = 5;
    options.limits.output_bytes_max = 64 * 1024;
    let door = open(options).await;
    let mut slow = door.client(5, "slow", "city").await;
    slow.subscribe("t", 0).await;
    let payload = bytes::Bytes::from(vec![b'x'; 100_000]);
    door.until(|d| {
        d.handle
            .publish("t", payload.clone(), Qos::AtMostOnce, false)
            .unwrap();
        d.metric(|m| &m.dropped_total) > 20
    })
    .await;
    let held = door.metric(|m| &m.messages_out_total);
    for _ in 0..held {
        assert_eq!(heard(&mut slow).await.3.len(), 100_000);
    }
    slow.send(&[0xc0, 0]).await;
    while slow.receive().await != [0xd0, 0] {}
}

#[tokio::test]
async fn subscriptions_are_limited() {
    let mut options = options();
    options.limits.subscriptions_per_client_max = 2;
    let door = open(options).await;
    let mut city = door.client(5, "city", "city").await;
    let mut codes = Vec::new();
    for filter in ["a", "b", "c", "a"] {
        codes.push(city.subscribe(filter, 0).await);
    }
    assert_eq!(codes, [0, 0, 0x97, 0]);
}
