//! The literate vectors of `vectors/*.md`, and the given frames of `vectors/captures/` against their given meaning.

use model::{EntityId, Timestamp, TypeName};
use proto_sl651::element::Data;
use proto_sl651::frame::{self, SYN};
use proto_sl651::message::Entry;
use proto_sl651::{Body, Config, Frame, Message, Station, decode, encode, map, session, told};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use testkit::{render, vectors};
use wire::Decoded;

fn whose(station: Station) -> Option<(EntityId, TypeName)> {
    let id = EntityId::new(format!("urn:ngsi-ld:WaterObserved:{station}")).unwrap();
    Some((id, TypeName::new("WaterObserved").unwrap()))
}

/// What a link makes of the bytes, as text: for each event the message or the problem.
fn play(bytes: &[u8], received_at: Timestamp) -> (String, String) {
    let config = Config::default();
    let mut session = session::Session::new(Arc::new(config.clone()), true);
    let now = session::Now {
        ms: 0,
        at: received_at,
    };
    session.receive(bytes, now);
    let (mut messages, mut updates) = (String::new(), String::new());
    while let Some(event) = session.event(now) {
        match event {
            session::Event::Message(received) => {
                for warning in &received.warnings {
                    messages.push_str(&format!("warning {}: {}\n", warning.code, warning.what));
                }
                match &received.message {
                    Ok(message) => {
                        let told = told::message(message, &config);
                        messages.push_str(&format!("{}\n", told["body"]));
                        let payload =
                            map::payload(message, &received.warnings, &whose, received_at, &config);
                        updates.push_str(&render::payload(&payload));
                    }
                    Err(problem) => messages
                        .push_str(&format!("unreadable {}: {}\n", problem.code, problem.what)),
                }
            }
            session::Event::Broken { problem, .. } => {
                messages.push_str(&format!("broken {}: {}\n", problem.code, problem.what));
            }
            session::Event::CommandFailed { problem, .. } => {
                messages.push_str(&format!("failed {}\n", problem.code));
            }
        }
    }
    while let Some(frame) = session.output() {
        messages.push_str(&format!("< {}\n", hex::encode_upper(frame)));
    }
    (messages, updates)
}

#[test]
fn vectors() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    vectors::check(&dir, |vector| {
        let received_at = vector.block("received").unwrap_or("2017-07-18T03:00:20Z");
        let received_at = Timestamp::parse(received_at).unwrap();
        let bytes = match vector.block("ascii") {
            // STX and the like in angle brackets, the check value appended by the test.
            Some(text) => ascii_frame(text),
            None => vector.hex(),
        };
        let (message, updates) = play(&bytes, received_at);
        vec![("message", message), ("updates", updates)]
    });
}

/// An ASCII frame from its text: `<01>` is the byte 01; the check value is put behind it.
fn ascii_frame(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, more)) = rest.split_once('<') {
        out.extend(before.as_bytes());
        let (code, after) = more.split_once('>').unwrap();
        out.push(u8::from_str_radix(code, 16).unwrap());
        rest = after;
    }
    out.extend(rest.as_bytes());
    let check = frame::check_value(&out);
    out.extend(format!("{check:04X}").into_bytes());
    out
}

fn captures(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors/captures")
        .join(file);
    std::fs::read_to_string(path).unwrap()
}

fn one_frame(bytes: &[u8]) -> Frame {
    match frame::decode(bytes) {
        Decoded::Message { message, used, .. } => {
            assert_eq!(used, bytes.len());
            message
        }
        other => panic!("{other:?} of {}", hex::encode_upper(bytes)),
    }
}

fn raw_of(element: &proto_sl651::element::Element) -> String {
    match &element.data {
        Data::Hex(data) => hex::encode(data),
        Data::Ascii(text) => text.clone(),
    }
}

/// Compares a given element with ours.
fn same_element(given: &Value, ours: &Entry, place: &str) {
    let told = |key: &str| given[key].as_str().unwrap_or_default().to_owned();
    match ours {
        Entry::Observed(time) => {
            assert_eq!(told("el"), "F0", "{place}");
            assert_eq!(told("obs_time"), time.to_string(), "{place}");
        }
        Entry::Element(element) => {
            assert_eq!(told("el"), element.identifier.code(), "{place}");
            let value = told::message(&message_of(element), &Config::default());
            let value = &value["body"]["stations"][0]["entries"][0]["value"];
            if let Some(values) = given.get("values") {
                assert_eq!(values, value, "{place}");
                return;
            }
            assert_eq!(told("raw"), raw_of(element), "{place}");
            // The given value of 45 is its bits read as a number.
            if told("el") != "45" {
                assert_eq!(&given["value"], value, "{place}");
            }
        }
        other => panic!("{place}: {other:?}"),
    }
}

fn message_of(element: &proto_sl651::element::Element) -> Message {
    let frame =
        one_frame(&hex::decode("7E7E01001234567812342F0008020003591011155111036BCA").unwrap());
    let (message, _) = decode::message(&frame, None, &Config::default()).unwrap();
    Message {
        body: Body::Report(vec![proto_sl651::message::Section {
            entries: vec![Entry::Element(element.clone())],
            ..Default::default()
        }]),
        ..message
    }
}

#[test]
fn every_given_frame_has_its_given_meaning() {
    let text = captures("sl651.jsonl");
    let mut seen = 0;
    for line in text.lines() {
        let given: Value = serde_json::from_str(line).unwrap();
        let bytes = hex::decode(given["hex"].as_str().unwrap()).unwrap();
        let meaning = &given["meaning"];
        let place = given["hex"].as_str().unwrap();
        let told = |key: &str| meaning[key].as_str().unwrap_or_default().to_owned();
        seen += 1;
        if given["negative"] == true {
            let Decoded::Invalid { error, skip } = frame::decode(&bytes) else {
                panic!("{place} was taken");
            };
            assert_eq!(error.code, "sl651-check-value");
            assert!(error.what.contains(&told("crc")) && error.what.contains(&told("calc")));
            assert_eq!(skip, bytes.len());
            continue;
        }
        let frame = one_frame(&bytes);
        let direction = match frame.direction {
            proto_sl651::Direction::Up => "up",
            proto_sl651::Direction::Down => "down",
        };
        assert_eq!(told("dir"), direction, "{place}");
        assert_eq!(told("func"), format!("{:02X}", frame.function), "{place}");
        assert_eq!(told("pw"), format!("{:04x}", frame.password), "{place}");
        assert_eq!(meaning["center"], u64::from(frame.centre), "{place}");
        assert_eq!(told("station"), frame.station.to_string(), "{place}");
        assert_eq!(told("end"), format!("{:02X}", frame.end), "{place}");
        let part_bytes = frame.part.map_or(0, |_| 3);
        assert_eq!(
            meaning["L"],
            frame.body.len() as u64 + part_bytes,
            "{place}"
        );
        assert_eq!(
            told("stx") == format!("{SYN:02x}"),
            frame.part.is_some(),
            "{place}"
        );
        assert_eq!(frame::encode(&frame).unwrap(), bytes, "{place}");
        if let Some(part) = frame.part {
            // Behind the first packet there is neither serial number nor time: what is given there is the picture.
            assert_eq!(meaning["total"], u64::from(part.total), "{place}");
            assert_eq!(meaning["idx"], u64::from(part.index), "{place}");
            continue;
        }
        let (message, _) = decode::message(&frame, None, &Config::default()).unwrap();
        assert_eq!(meaning["serial"], u64::from(message.serial), "{place}");
        assert_eq!(told("time"), message.sent.to_string(), "{place}");
        assert_eq!(encode::message(&message).unwrap(), bytes, "{place}");
        let Some(elements) = meaning["elements"].as_array() else {
            continue;
        };
        let mut elements = elements.iter();
        match &message.body {
            Body::Empty => {}
            Body::Manual(text) => {
                let given = elements.next().unwrap();
                assert_eq!(
                    given["text"],
                    String::from_utf8_lossy(text).as_ref(),
                    "{place}"
                );
            }
            Body::Done { station } => {
                assert_eq!(elements.next().unwrap()["station"], station.to_string());
            }
            Body::Report(sections) => {
                for section in sections {
                    let given = elements.next().unwrap();
                    assert_eq!(given["station"], section.station.unwrap().to_string());
                    if let Some(class) = section.class {
                        assert_eq!(given["station_class"], format!("{class:02X}"), "{place}");
                    }
                    for entry in &section.entries {
                        same_element(elements.next().unwrap(), entry, place);
                    }
                }
            }
            other => panic!("{place}: {other:?}"),
        }
        assert_eq!(elements.next(), None, "{place}");
    }
    assert_eq!(seen, 20);
}

/// Each example reads without a warning that tells of a loss, and is written back byte for byte.
#[test]
fn the_examples_are_read_and_written_back() {
    let config = Config::default();
    let mut picture: Vec<Frame> = Vec::new();
    for line in captures("examples.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
    {
        let bytes = hex::decode(line).unwrap();
        if line.starts_with("7E7E01001234567812343500") {
            assert!(matches!(frame::decode(&bytes), Decoded::Invalid { .. }));
            continue;
        }
        let frame = one_frame(&bytes);
        assert_eq!(frame::encode(&frame).unwrap(), bytes, "{line}");
        if frame.part.is_some() {
            picture.push(frame);
            continue;
        }
        let (message, warnings) = decode::message(&frame, None, &config).unwrap();
        assert_eq!(warnings, [], "{line}");
        assert!(!matches!(message.body, Body::Unread(_)), "{line}");
        assert_eq!(encode::message(&message).unwrap(), bytes, "{line}");
    }
    assert_eq!(picture.len(), 13);
    let mut whole = picture[0].clone();
    whole.part = None;
    whole.end = picture[12].end;
    whole.body = picture
        .iter()
        .flat_map(|frame| frame.body.clone())
        .collect();
    let (message, warnings) = decode::message(&whole, Some(13), &config).unwrap();
    assert_eq!(warnings, []);
    let Body::Picture(found) = &message.body else {
        panic!("{message:?}");
    };
    assert!(found.jpeg.starts_with(&[0xFF, 0xD8, 0xFF, 0xE0]));
    assert!(found.jpeg.windows(2).any(|pair| pair == [0xFF, 0xD9]));
    // Every packet is as long as the first one may be; the example's first has 281 bytes and the others 256.
    assert_eq!(encode::frame(&message).unwrap().body, whole.body);
}
