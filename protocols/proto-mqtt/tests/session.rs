//! Rules of a session that a single conversation does not show.

mod talk;

use proto_mqtt::{Config, Message, Qos, Reason, Session, Step, Welcome};
use std::sync::Arc;
use talk::Host;

const CONNECT_5: &str = "101200044d5154540502003c0000057061686f31";
const CONNECT_4: &str = "101000044d51545404020000000474657374";

fn signed_in(connect: &str, config: Config) -> Host {
    let mut host = Host::new(config);
    host.feed(&hex::decode(connect).unwrap());
    host.tell();
    host
}

fn publish(packet_id: u16) -> Vec<u8> {
    let mut bytes = hex::decode("320700016100000078").unwrap();
    bytes[5..7].copy_from_slice(&packet_id.to_be_bytes());
    bytes
}

#[test]
fn acknowledgements_wait_for_the_disk_and_keep_their_order() {
    let mut host = signed_in(CONNECT_5, Config::default());
    for id in [9, 3, 7] {
        host.feed(&publish(id));
    }
    assert_eq!(host.session.durable(0), 0);
    assert!(host.session.output().is_empty());
    assert_eq!(host.session.durable(2), 2);
    assert_eq!(
        hex::encode(std::mem::take(host.session.output())),
        "4002000940020003"
    );
    assert_eq!(host.session.awaits(), Some(3));
    assert_eq!(host.session.durable(3), 1);
    assert_eq!(hex::encode(host.session.output()), "40020007");
}

#[test]
fn a_later_position_does_not_overtake() {
    let mut session = Session::new(Arc::default(), 0);
    let bytes = hex::decode(CONNECT_5).unwrap();
    let Ok(Step::Event {
        event: proto_mqtt::Event::Connect(connect),
        ..
    }) = session.step(&bytes, 0)
    else {
        panic!("a connect")
    };
    session.welcome(&connect, Welcome::default());
    // A message sent again carries the position of its first time, which may be the lower one.
    session.accepted(Qos::AtLeastOnce, 1, Some(8), Reason::SUCCESS, None);
    session.accepted(Qos::AtLeastOnce, 2, Some(3), Reason::SUCCESS, None);
    session.accepted(Qos::AtLeastOnce, 3, None, Reason::SUCCESS, None);
    assert_eq!(session.durable(5), 0);
    assert_eq!(session.durable(9), 3);
}

#[test]
fn receive_maximum_binds_version_5() {
    let config = Config {
        unacknowledged_max: 2,
        ..Config::default()
    };
    let mut host = signed_in(CONNECT_5, config.clone());
    for id in 1..=3 {
        host.feed(&publish(id));
    }
    let told = host.tell();
    assert!(told.contains("fault 0x93"), "{told}");
    assert!(told.ends_with("< e00193\n"), "{told}");

    // A 3.1.1 client cannot be told; the host stops reading instead.
    let mut host = signed_in(CONNECT_4, config);
    for id in 1..=2 {
        host.feed(&hex::decode(format!("3206000161{id:04x}78")).unwrap());
    }
    assert!(host.session.is_full());
}

#[test]
fn a_reason_text_reaches_who_wants_it() {
    for (connect, expected) in [
        (CONNECT_5, "400a000199061f0003626164"),
        (CONNECT_4, "40020001"),
        // Request Problem Information 0.
        (
            "101400044d5154540502003c0217000005 7061686f31",
            "4003000199",
        ),
    ] {
        let mut host = signed_in(&connect.replace(' ', ""), Config::default());
        host.session.accepted(
            Qos::AtLeastOnce,
            1,
            None,
            Reason::PAYLOAD_FORMAT_INVALID,
            Some("bad"),
        );
        host.session.durable(1);
        assert_eq!(hex::encode(host.session.output()), expected, "{connect}");
    }
}

#[test]
fn what_is_too_large_for_the_client_or_too_old_is_not_sent() {
    // Maximum Packet Size 20.
    let mut host = signed_in(
        "101700044d5154540502003c0527000000140005 7061686f31"
            .replace(' ', "")
            .as_str(),
        Config::default(),
    );
    host.deliver(Message::new("topic", vec![b'x'; 30]), Qos::AtLeastOnce);
    host.deliver(Message::new("topic", "x"), Qos::AtLeastOnce);
    let mut old = Message::new("topic", "x");
    old.expires_at = Some(model::Timestamp::from_seconds(1));
    host.deliver(old, Qos::AtLeastOnce);
    let told = host.tell();
    assert_eq!(told.matches("not delivered").count(), 2, "{told}");
    assert_eq!(host.memory.in_flight(), 1);
}

#[test]
fn limits_of_topics_and_filters_are_named() {
    let config = Config {
        topic_levels_max: 3,
        topic_bytes_max: 10,
        filters_per_packet_max: 1,
        ..Config::default()
    };
    let mut host = signed_in(CONNECT_5, config);
    for (topic, good) in [
        ("a/b/c", true),
        ("a/b/c/d", false),
        ("$SYS/x", false),
        ("0123456789x", false),
    ] {
        let checked = host.session.check_topic(topic);
        assert_eq!(checked.is_ok(), good, "{topic}");
        if let Err(fault) = checked {
            assert_eq!(fault.reason, Reason::TOPIC_NAME_INVALID);
        }
    }
    for (filter, code) in [
        ("a/b/c/#", Reason::TOPIC_FILTER_INVALID),
        ("$share/g/a", Reason::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED),
    ] {
        assert_eq!(host.session.check_filter(filter), Err(code));
    }
    host.feed(&hex::decode("820b0001000001610000016200").unwrap());
    let told = host.tell();
    assert!(
        told.contains("fault 0x97 mqtt-filters-per-packet"),
        "{told}"
    );
}
