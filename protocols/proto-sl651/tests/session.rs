//! Conversations of one link: confirmation after durability, packets, commands, clocks, several stations.

use model::Timestamp;
use proto_sl651::element::Identifier;
use proto_sl651::frame::{self, ACK, ENQ, EOT, ESC, ETB, ETX, NAK};
use proto_sl651::message::{Picture, function};
use proto_sl651::session::{Event, Now, Received, Session};
use proto_sl651::time::{ObservedTime, SentTime};
use proto_sl651::{Body, Command, Config, Direction, Encoding, Frame, Message, Station, encode};
use std::sync::Arc;
use wire::Decoded;

const STATION: Station = Station([0x00, 0x62, 0x20, 0x69, 0x00]);

fn at(ms: u64) -> Now {
    let began = Timestamp::from_seconds(1_795_000_000);
    Now {
        ms,
        at: began.plus_micros(ms as i64 * 1_000),
    }
}

fn up(station: Station, code: u8, serial: u16, body: Body) -> Message {
    Message {
        encoding: Encoding::Hex,
        direction: Direction::Up,
        centre: 1,
        station,
        password: 0x03E8,
        function: code,
        end: ETX,
        packets: None,
        serial,
        sent: SentTime::of(at(0).at, 8),
        body,
    }
}

fn timed(station: Station, serial: u16) -> Vec<u8> {
    let report = up(station, function::TIMED, serial, Body::Report(Vec::new()));
    encode::message(&report).unwrap()
}

fn session(config: Config) -> Session {
    Session::new(Arc::new(config), false)
}

/// The next message.
fn message(session: &mut Session, now: Now) -> Box<Received> {
    match session.event(now) {
        Some(Event::Message(received)) => received,
        other => panic!("{other:?}"),
    }
}

/// The next frame that the centre sends.
fn sent(session: &mut Session) -> Option<Frame> {
    let bytes = session.output()?;
    match frame::decode(&bytes) {
        Decoded::Message { message, .. } => Some(message),
        other => panic!("{other:?}"),
    }
}

fn serial(frame: &Frame) -> u16 {
    u16::from_be_bytes([frame.body[0], frame.body[1]])
}

#[test]
fn a_confirmation_waits_for_the_disk_and_keeps_the_order() {
    let mut session = session(Config::default());
    for n in 1..=2 {
        session.receive(&timed(STATION, n), at(0));
    }
    for position in [7, 8] {
        let received = message(&mut session, at(0));
        assert!(received.message.is_ok());
        session.accepted(received.answer, position);
    }
    assert_eq!(session.awaits(), Some(8));
    assert_eq!(session.durable(7, at(1)), 0);
    assert_eq!(sent(&mut session), None);
    assert_eq!(session.durable(9, at(2_000)), 2);
    for n in 1..=2 {
        let frame = sent(&mut session).unwrap();
        assert_eq!(
            (serial(&frame), frame.function, frame.end),
            (n, function::TIMED, ESC)
        );
        assert_eq!((frame.direction, frame.password), (Direction::Down, 0x03E8));
        // The centre's own time.
        assert_eq!(frame.body[2..], SentTime::of(at(2_000).at, 8).0);
    }
    assert_eq!(sent(&mut session), None);
}

#[test]
fn ends_say_whether_more_follows_and_whether_to_stay() {
    let ends = |config: Config, end: u8| {
        let mut session = session(config);
        let mut report = up(STATION, function::TIMED, 1, Body::Report(Vec::new()));
        report.end = end;
        session.receive(&encode::message(&report).unwrap(), at(0));
        let received = message(&mut session, at(0));
        session.accepted(received.answer, 0);
        session.durable(1, at(0));
        sent(&mut session).map(|frame| frame.end)
    };
    let leaves = Config {
        keeps_on_line: false,
        ..Config::default()
    };
    let one_way = Config {
        answers: false,
        ..Config::default()
    };
    assert_eq!(ends(Config::default(), ETX), Some(ESC));
    assert_eq!(ends(Config::default(), ETB), Some(ACK));
    assert_eq!(ends(leaves, ETX), Some(EOT));
    assert_eq!(ends(one_way, ETX), None);
}

#[test]
fn a_keep_alive_is_never_confirmed() {
    let mut session = session(Config::default());
    let alive = up(STATION, function::KEEP_ALIVE, 1, Body::Empty);
    session.receive(&encode::message(&alive).unwrap(), at(0));
    let received = message(&mut session, at(0));
    session.accepted(received.answer, 0);
    assert_eq!((session.awaits(), session.durable(9, at(0))), (None, 0));
}

fn picture_packets(serial: u16) -> Vec<Frame> {
    let body = Body::Picture(Picture {
        station: STATION,
        class: b'H',
        observed: ObservedTime::of(at(0).at, 8),
        jpeg: [0xFF, 0xD8]
            .into_iter()
            .chain((0..600_u16).map(|n| n as u8))
            .collect(),
    });
    let whole = encode::frame(&up(STATION, function::PICTURE, serial, body)).unwrap();
    encode::packets(&whole, 100).unwrap()
}

#[test]
fn packets_in_any_order_make_one_message_with_one_confirmation() {
    let packets = picture_packets(9);
    assert_eq!(packets.len(), 7);
    let mut session = session(Config::default());
    // The third comes twice and the fourth before it; the last is lost at first.
    for n in [0, 1, 3, 2, 2, 4, 5] {
        session.receive(&frame::encode(&packets[n]).unwrap(), at(0));
        assert!(session.event(at(0)).is_none());
    }
    assert_eq!(session.deadline(), Some(20_000));
    assert!(session.timeout(at(20_000)).is_none());
    let asked = sent(&mut session).unwrap();
    let part = asked.part.unwrap();
    assert_eq!((asked.end, part.total, part.index), (NAK, 7, 7));
    session.receive(&frame::encode(&packets[6]).unwrap(), at(21_000));
    let received = message(&mut session, at(21_000));
    let whole: Vec<u8> = packets
        .iter()
        .flat_map(|p| frame::encode(p).unwrap())
        .collect();
    assert_eq!(received.raw, whole);
    let Ok(Body::Picture(picture)) = received.message.map(|m| m.body) else {
        panic!("no picture");
    };
    assert_eq!(picture.jpeg.len(), 602);
    session.accepted(received.answer, 3);
    session.durable(4, at(21_000));
    let answer = sent(&mut session).unwrap();
    let part = answer.part.unwrap();
    assert_eq!(
        (answer.end, part.total, part.index, serial(&answer)),
        (ESC, 7, 7, 9)
    );
    assert_eq!(sent(&mut session), None);
    assert_eq!(session.deadline(), None);
}

#[test]
fn a_packet_is_asked_for_twice_and_then_given_up() {
    let packets = picture_packets(9);
    let mut session = session(Config::default());
    session.receive(&frame::encode(&packets[6]).unwrap(), at(0));
    assert!(session.event(at(0)).is_none());
    assert_eq!(sent(&mut session).unwrap().part.unwrap().index, 1);
    assert!(session.timeout(at(20_000)).is_none());
    assert_eq!(sent(&mut session).unwrap().part.unwrap().index, 1);
    let Some(Event::Broken {
        problem, station, ..
    }) = session.timeout(at(40_000))
    else {
        panic!("not given up");
    };
    assert_eq!(
        (problem.code.as_str(), station),
        ("sl651-packets-missing", Some(STATION))
    );
    assert_eq!(sent(&mut session), None);
}

#[test]
fn what_is_too_large_is_refused_by_name_once_the_sender_is_done() {
    let config = Config {
        message_bytes_max: 250,
        ..Config::default()
    };
    let packets = picture_packets(9);
    // The first packet comes, or is lost: the first that came is the evidence.
    for lost in [0, 1] {
        let mut session = session(config.clone());
        for packet in &packets[lost..] {
            session.receive(&frame::encode(packet).unwrap(), at(0));
        }
        let received = message(&mut session, at(0));
        assert_eq!(
            received.message.unwrap_err().code,
            "sl651-message-too-large"
        );
        assert_eq!(received.raw, frame::encode(&packets[lost]).unwrap());
        session.accepted(received.answer, 0);
        session.durable(1, at(0));
        // The serial number is in the first packet.
        let known = [9, 0][lost];
        assert_eq!(serial(&sent(&mut session).unwrap()), known);
    }
}

#[test]
fn of_a_message_of_too_many_packets_the_first_that_came_is_kept() {
    let packets = picture_packets(9);
    let config = Config {
        packets_max: 2,
        ..Config::default()
    };
    let first = frame::encode(&packets[0]).unwrap();
    // The sender is done, or is not heard of again.
    for is_done in [true, false] {
        let mut session = session(config.clone());
        session.receive(&first, at(0));
        assert!(session.event(at(0)).is_none());
        if is_done {
            let last = packets.last().unwrap();
            session.receive(&frame::encode(last).unwrap(), at(0));
            let received = message(&mut session, at(0));
            assert_eq!(received.message.unwrap_err().code, "sl651-packets");
            assert_eq!(received.raw, first);
            continue;
        }
        let Some(Event::Broken { bytes, problem, .. }) = session.timeout(at(20_000)) else {
            panic!("not given up");
        };
        assert_eq!(
            (problem.code.as_str(), bytes),
            ("sl651-packets", first.clone())
        );
    }
}

#[test]
fn a_new_picture_takes_the_place_of_one_that_never_ended() {
    let (old, new) = (picture_packets(1), picture_packets(2));
    let mut session = session(Config::default());
    session.receive(&frame::encode(&old[0]).unwrap(), at(0));
    assert!(session.event(at(0)).is_none());
    session.receive(&frame::encode(&new[0]).unwrap(), at(5));
    assert!(matches!(session.event(at(5)), Some(Event::Broken { .. })));
    for packet in &new[1..] {
        session.receive(&frame::encode(packet).unwrap(), at(6));
    }
    assert_eq!(message(&mut session, at(6)).message.unwrap().serial, 2);
}

#[test]
fn a_query_is_sent_again_and_its_answer_is_told_apart() {
    let mut session = session(Config::default());
    let now = at(0);
    assert!(
        session
            .command(STATION, function::ASK_NOW, Command::Plain, now)
            .is_err()
    );
    session.receive(&timed(STATION, 1), now);
    let received = message(&mut session, now);
    session.accepted(received.answer, 0);
    let wanted = Command::Ask(vec![Identifier::new(0x39, 4, 3)]);
    let number = session
        .command(STATION, function::ASK_ELEMENTS, wanted, now)
        .unwrap();
    // The report is confirmed first.
    assert_eq!(sent(&mut session), None);
    session.durable(1, now);
    assert_eq!(sent(&mut session).unwrap().end, ESC);
    let asked = sent(&mut session).unwrap();
    assert_eq!((asked.function, asked.end, serial(&asked)), (0x3A, ENQ, 0));
    assert_eq!(asked.body[8..], [0x39, 0x23]);
    for again in [10_000, 20_000] {
        assert!(session.timeout(at(again)).is_none());
        assert_eq!(sent(&mut session).unwrap().function, 0x3A);
    }
    // A report that comes meanwhile is no answer.
    session.receive(&timed(STATION, 2), at(21_000));
    assert_eq!(message(&mut session, at(21_000)).command, None);
    let answer = up(STATION, function::ASK_ELEMENTS, 3, Body::Report(Vec::new()));
    session.receive(&encode::message(&answer).unwrap(), at(22_000));
    let received = message(&mut session, at(22_000));
    assert_eq!(received.command, Some(number));
    session.accepted(received.answer, 1);
    session.durable(2, at(22_000));
    assert_eq!(serial(&sent(&mut session).unwrap()), 3);
    assert_eq!(session.deadline(), None);
}

#[test]
fn a_query_without_an_answer_fails_by_name() {
    let mut session = session(Config::default());
    session.receive(&timed(STATION, 1), at(0));
    message(&mut session, at(0));
    let number = session
        .command(STATION, function::ASK_CLOCK, Command::Plain, at(0))
        .unwrap();
    for ms in [10_000, 20_000] {
        assert!(session.timeout(at(ms)).is_none());
    }
    let Some(Event::CommandFailed {
        command, problem, ..
    }) = session.timeout(at(30_000))
    else {
        panic!("it did not fail");
    };
    assert_eq!(
        (command, problem.code.as_str()),
        (number, "sl651-no-answer")
    );
    assert_eq!(std::iter::from_fn(|| sent(&mut session)).count(), 3);
}

#[test]
fn what_moves_gates_is_sent_once_and_then_fails() {
    let mut session = session(Config::default());
    session.receive(&timed(STATION, 1), at(0));
    message(&mut session, at(0));
    let gates = proto_sl651::message::Gates {
        count: 1,
        states: vec![1],
        openings_cm: vec![50],
    };
    let number = session
        .command(STATION, function::GATES, Command::Gates(gates), at(0))
        .unwrap();
    assert!(session.timeout(at(9_999)).is_none());
    let Some(Event::CommandFailed { command, .. }) = session.timeout(at(10_000)) else {
        panic!("it did not fail");
    };
    assert_eq!(command, number);
    assert_eq!(std::iter::from_fn(|| sent(&mut session)).count(), 1);
}

#[test]
fn a_clock_is_set_once_in_its_interval() {
    let config = Config {
        sets_clocks: true,
        ..Config::default()
    };
    let mut session = session(config);
    let report = |ms| {
        up(
            STATION,
            function::TIMED,
            (ms / 1_000) as u16 + 1,
            Body::Report(Vec::new()),
        )
    };
    let mut orders = Vec::new();
    // The station's clock stands still at the beginning.
    for ms in [0, 400_000, 401_000, 4_000_001] {
        session.receive(&encode::message(&report(ms)).unwrap(), at(ms));
        let received = message(&mut session, at(ms));
        session.accepted(received.answer, ms);
        session.durable(u64::MAX, at(ms));
        while let Some(frame) = sent(&mut session) {
            if frame.end == ENQ {
                assert_eq!(frame.function, function::SET_CLOCK);
                let answer = up(
                    STATION,
                    function::SET_CLOCK,
                    5,
                    Body::Done { station: STATION },
                );
                session.receive(&encode::message(&answer).unwrap(), at(ms));
                assert!(message(&mut session, at(ms)).command.is_some());
                orders.push(ms);
            }
        }
    }
    assert_eq!(orders, [400_000, 4_000_001]);
}

#[test]
fn stations_of_one_link_are_told_apart_and_bounded() {
    let config = Config {
        stations_max: 2,
        ..Config::default()
    };
    let mut session = session(config);
    let station = |n| Station([0, 0x62, 0x20, 0x69, n]);
    for n in 0..2 {
        session.receive(&timed(station(n), 7), at(0));
        let received = message(&mut session, at(0));
        assert_eq!(received.frame.station, station(n));
        session.accepted(received.answer, u64::from(n));
    }
    session.receive(&timed(station(2), 7), at(0));
    assert!(
        matches!(session.event(at(0)), Some(Event::Broken { problem, .. }) if problem.code == "sl651-stations")
    );
    session.durable(2, at(0));
    let answered: Vec<Station> = std::iter::from_fn(|| sent(&mut session))
        .map(|f| f.station)
        .collect();
    assert_eq!(answered, [station(0), station(1)]);
}

#[test]
fn a_half_frame_is_given_up_after_its_time_and_the_next_one_is_read() {
    let mut session = session(Config::default());
    let whole = timed(STATION, 1);
    session.receive(&whole[..15], at(0));
    assert!(session.event(at(0)).is_none());
    assert_eq!(session.deadline(), Some(10_000));
    let Some(Event::Broken {
        problem,
        size_bytes,
        ..
    }) = session.timeout(at(10_000))
    else {
        panic!("not given up");
    };
    assert_eq!(
        (problem.code.as_str(), size_bytes),
        ("sl651-half-frame", 15)
    );
    session.receive(&whole, at(10_001));
    assert!(message(&mut session, at(10_001)).message.is_ok());
}

#[test]
fn the_end_of_a_datagram_is_the_end_of_a_frame() {
    let mut session = Session::new(Arc::new(Config::default()), true);
    let whole = timed(STATION, 1);
    session.receive(&whole[..15], at(0));
    assert!(
        matches!(session.event(at(0)), Some(Event::Broken { problem, .. }) if problem.code == "sl651-half-frame")
    );
    session.receive(&[whole.clone(), whole].concat(), at(0));
    assert!(message(&mut session, at(0)).message.is_ok());
    assert!(message(&mut session, at(0)).message.is_ok());
    assert!(session.event(at(0)).is_none());
}

#[test]
fn a_frame_that_goes_down_is_no_message_of_a_station() {
    let mut session = session(Config::default());
    let ack = hex::decode("7E7E00112233440503E83280080200341707181100161BE5D4").unwrap();
    session.receive(&ack, at(0));
    assert!(
        matches!(session.event(at(0)), Some(Event::Broken { problem, .. }) if problem.code == "sl651-downlink")
    );
}

#[test]
fn of_a_frame_that_is_refused_no_more_is_kept_than_may_be() {
    let config = Config {
        broken_kept_bytes: 16,
        ..Config::default()
    };
    let mut session = session(config);
    let ack = hex::decode("7E7E00112233440503E83280080200341707181100161BE5D4").unwrap();
    session.receive(&ack, at(0));
    let Some(Event::Broken {
        bytes, size_bytes, ..
    }) = session.event(at(0))
    else {
        panic!("taken");
    };
    assert_eq!((&bytes[..], size_bytes), (&ack[..16], ack.len()));
}
