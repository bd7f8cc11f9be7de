//! Laws: no panic and bounded work on any bytes, what is written is read back, a damaged frame is never taken for another
//! one, and how the bytes are cut does not matter.

use model::{EntityId, Timestamp, TypeName};
use proptest::prelude::*;
use proto_sl651::element::{Decimal, Element, Identifier, put_bcd};
use proto_sl651::frame::{self, ENQ, ETX};
use proto_sl651::message::{Entry, Gates, Section, function};
use proto_sl651::session::{Event, Now, Session};
use proto_sl651::time::Bcd;
use proto_sl651::{
    Body, Command, Config, Direction, Encoding, Frame, Message, Part, Station, decode, encode, map,
    told,
};
use std::path::Path;
use std::sync::Arc;
use wire::Decoded;

const NOW: Now = Now {
    ms: 1_000,
    at: Timestamp::from_seconds(1_500_346_820),
};

fn whose(station: Station) -> Option<(EntityId, TypeName)> {
    let id = EntityId::new(format!("urn:ngsi-ld:WaterObserved:{station}")).ok()?;
    Some((id, TypeName::new("WaterObserved").ok()?))
}

/// The frames of `vectors/captures/`.
fn examples() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/captures/examples.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let frames = text.lines().filter(|line| !line.starts_with('#'));
    frames.map(|line| hex::decode(line).unwrap()).collect()
}

/// Everything that a link says of the bytes, handed over in pieces of the given length.
fn heard(bytes: &[u8], piece: usize, in_datagrams: bool) -> Vec<String> {
    let config = Config::default();
    let mut session = Session::new(Arc::new(config.clone()), in_datagrams);
    let mut heard = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        session.receive(piece, NOW);
        let mut events = 0;
        while let Some(event) = session.event(NOW) {
            events += 1;
            assert!(events <= bytes.len() + 1, "more events than bytes");
            if let Event::Message(received) = event {
                let told = received.message.as_ref().map(|message| {
                    let told = told::message(message, &config);
                    let payload =
                        map::payload(message, &received.warnings, &whose, NOW.at, &config);
                    for update in &payload.updates {
                        assert!(!update.attributes.is_empty());
                    }
                    format!("{told} {payload:?}")
                });
                session.accepted(received.answer, 0);
                heard.push(format!("{told:?} {:?}", received.warnings));
            }
        }
        assert!(session.buffered() <= frame::FRAME_BYTES_MAX + piece.len());
    }
    session.durable(1, NOW);
    heard.extend(std::iter::from_fn(|| session.output()).map(hex::encode));
    let late = Now {
        ms: NOW.ms + 3_600_000,
        ..NOW
    };
    for _ in 0..bytes.len() + 10 {
        if session.timeout(late).is_none() {
            break;
        }
    }
    heard
}

fn bcd<const N: usize>() -> impl Strategy<Value = Bcd<N>> {
    prop::array::uniform::<_, N>(any::<u8>()).prop_map(Bcd)
}

fn station() -> impl Strategy<Value = Station> {
    any::<[u8; 5]>().prop_map(Station)
}

/// An element that is no mark of something else.
fn hex_element() -> impl Strategy<Value = Element> {
    let leader = prop_oneof![0x01_u8..=0x03, 0x05_u8..=0xEF];
    let plain = (leader, any::<u8>(), prop::collection::vec(any::<u8>(), 31));
    let own = (
        any::<u8>(),
        any::<u8>(),
        prop::collection::vec(any::<u8>(), 31),
    );
    prop_oneof![
        plain.prop_map(|(leader, definition, data)| (leader, None, definition, data)),
        own.prop_map(|(code, definition, data)| (0xFF, Some(code), definition, data)),
    ]
    .prop_map(|(leader, extended, definition, data)| {
        let identifier = Identifier {
            leader,
            extended,
            definition,
        };
        Element::hex(identifier, &data[..identifier.data_bytes()])
    })
}

fn section() -> impl Strategy<Value = Section> {
    let entry = prop_oneof![
        bcd::<5>().prop_map(Entry::Observed),
        hex_element().prop_map(Entry::Element),
    ];
    (station(), any::<u8>(), prop::collection::vec(entry, 0..6)).prop_map(
        |(station, class, entries)| Section {
            station: Some(station),
            class: Some(class),
            entries,
        },
    )
}

fn body() -> impl Strategy<Value = (u8, Direction, Body)> {
    let up = |code: u8, body| (code, Direction::Up, body);
    let down = |code: u8, command| (code, Direction::Down, Body::Command(command));
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let parameters = || {
        let not_relay = |e: &Element| e.identifier.leader != 0x0E;
        prop::collection::vec(hex_element().prop_filter("D.3", not_relay), 0..5)
    };
    let identifiers =
        || prop::collection::vec(hex_element().prop_map(|element| element.identifier), 0..5);
    let gates = || {
        prop::collection::vec((any::<bool>(), 0_u16..10_000), 0..20).prop_map(|each| {
            let mut states = vec![0; each.len().div_ceil(8)];
            for (n, (is_open, _)) in each.iter().enumerate() {
                states[n / 8] |= u8::from(*is_open) << (n % 8);
            }
            Gates {
                count: each.len() as u8,
                states,
                openings_cm: each.iter().map(|(_, cm)| *cm).collect(),
            }
        })
    };
    prop_oneof![
        Just(up(function::KEEP_ALIVE, Body::Empty)),
        (
            prop::sample::select(vec![0x30_u8, 0x32, 0x33, 0x34, 0x37, 0x3A, 0x44]),
            prop::collection::vec(section(), 1..4)
        )
            .prop_map(move |(code, sections)| up(code, Body::Report(sections))),
        bytes().prop_map(move |text| up(function::MANUAL, Body::Manual(text))),
        (station(), parameters()).prop_map(move |(station, parameters)| up(
            function::SET_RUNNING,
            Body::Parameters {
                station,
                parameters
            }
        )),
        (station(), bytes())
            .prop_map(move |(station, text)| up(0x45, Body::Version { station, text })),
        (station(), bytes())
            .prop_map(move |(station, states)| up(0x4C, Body::Switches { station, states })),
        (station(), gates())
            .prop_map(move |(station, gates)| up(0x4E, Body::Gates { station, gates })),
        (station(), any::<bool>())
            .prop_map(move |(station, is_on)| up(0x4F, Body::Quota { station, is_on })),
        (station(), any::<u16>())
            .prop_map(move |(station, password)| up(0x49, Body::Password { station, password })),
        Just(down(function::ASK_NOW, Command::Plain)),
        (bcd::<4>(), bcd::<4>(), any::<[u8; 3]>(), identifiers()).prop_map(
            move |(from, to, step, elements)| {
                let step = Element::hex(Identifier::new(0x04, 3, 0), &step);
                down(
                    0x38,
                    Command::Period {
                        from,
                        to,
                        step,
                        elements,
                    },
                )
            }
        ),
        identifiers().prop_map(move |elements| down(0x3A, Command::Ask(elements))),
        parameters().prop_map(move |parameters| down(0x42, Command::Set(parameters))),
        Just(down(0x47, Command::ClearStore)),
        Just(down(0x48, Command::FactoryReset)),
        (any::<u16>(), any::<u16>())
            .prop_map(move |(old, new)| down(0x49, Command::Password { old, new })),
        any::<u32>().prop_map(move |word| down(0x4B, Command::IcCard(word))),
        bytes().prop_map(move |states| down(0x4C, Command::Switches(states))),
        gates().prop_map(move |gates| down(0x4E, Command::Gates(gates))),
        any::<bool>().prop_map(move |is_on| down(0x4F, Command::Quota(is_on))),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let head = (
        any::<u8>(),
        station(),
        any::<u16>(),
        any::<u16>(),
        bcd::<6>(),
    );
    (body(), head).prop_map(
        |((function, direction, body), (centre, station, password, serial, sent))| Message {
            encoding: Encoding::Hex,
            direction,
            centre,
            station,
            password,
            function,
            end: match direction {
                Direction::Up => ETX,
                Direction::Down => ENQ,
            },
            packets: None,
            serial,
            sent,
            body,
        },
    )
}

proptest! {
    #[test]
    fn no_panic_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400), piece in 1_usize..50) {
        heard(&bytes, piece, false);
        heard(&bytes, bytes.len(), true);
    }

    #[test]
    fn no_panic_on_examples_harmed(which in 0_usize..36, at in any::<prop::sample::Index>(), with in any::<u8>(), mend in any::<bool>()) {
        let mut bytes = examples()[which].clone();
        let at = at.index(bytes.len());
        bytes[at] = with;
        if mend {
            // A good check value over bad contents: what only a broken station sends.
            let end = bytes.len() - 2;
            let check = frame::check_value(&bytes[..end]);
            bytes[end..].copy_from_slice(&check.to_be_bytes());
        }
        heard(&bytes, bytes.len(), false);
    }

    #[test]
    fn what_is_written_is_read_back(message in message()) {
        let bytes = encode::message(&message).unwrap();
        let Decoded::Message { message: frame, used, .. } = frame::decode(&bytes) else {
            panic!("{}", hex::encode_upper(&bytes));
        };
        prop_assert_eq!(used, bytes.len());
        let (read, _) = decode::message(&frame, None, &Config::default()).unwrap();
        prop_assert_eq!(encode::message(&read).unwrap(), bytes);
        prop_assert_eq!(read, message);
    }

    #[test]
    fn frames_of_both_encodings_are_read_back(
        is_ascii in any::<bool>(), is_down in any::<bool>(), centre in any::<u8>(), station in station(), password in any::<u16>(),
        function in any::<u8>(), part in prop::option::of((1_u16..4096, any::<prop::sample::Index>())), body in prop::collection::vec(any::<u8>(), 0..300)
    ) {
        let given = Frame {
            encoding: if is_ascii { Encoding::Ascii } else { Encoding::Hex },
            direction: if is_down { Direction::Down } else { Direction::Up },
            centre,
            station,
            password,
            function,
            part: part.map(|(total, index)| Part { total, index: index.index(usize::from(total)) as u16 + 1 }),
            body,
            end: if is_down { ENQ } else { ETX },
        };
        let bytes = frame::encode(&given).unwrap();
        for cut in 0..bytes.len() {
            let is_incomplete = matches!(frame::decode(&bytes[..cut]), Decoded::Incomplete { .. });
            prop_assert!(is_incomplete, "{} bytes of {}", cut, bytes.len());
        }
        let Decoded::Message { message, used, .. } = frame::decode(&bytes) else {
            panic!("{}", hex::encode_upper(&bytes));
        };
        prop_assert_eq!(used, bytes.len());
        prop_assert_eq!(message, given);
    }

    #[test]
    fn numbers_are_read_back(unscaled in -999_999_999_i64..=999_999_999, decimals in 0_u8..8) {
        let bytes = put_bcd(unscaled, 6).unwrap();
        let element = Element::hex(Identifier::new(0x39, 6, decimals), &bytes);
        let decimal = Decimal { unscaled, decimals };
        prop_assert_eq!(element.value(), proto_sl651::element::Reading::Number(decimal));
        prop_assert_eq!(proto_sl651::element::decimal(&decimal.to_string()), Some(decimal));
    }
}

/// Each byte of each example turned into each of a few others: never another message with a good check value.
#[test]
fn a_harmed_frame_is_never_taken_for_another() {
    for bytes in examples() {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut harmed = bytes.clone();
                harmed[at] ^= flip;
                if let Decoded::Message { .. } = frame::decode(&harmed) {
                    // Only the published frame with a wrong check value could be mended by this.
                    assert_eq!(bytes[10], 0x35, "{}", hex::encode_upper(&harmed));
                }
            }
        }
    }
}

#[test]
fn how_the_bytes_are_cut_does_not_matter() {
    let mut stream = Vec::new();
    for (n, frame) in examples().iter().enumerate() {
        stream.extend(frame);
        if n % 3 == 0 {
            // Noise between frames, with a start mark in it.
            stream.extend([0x00, 0x7E, 0x55, 0x01]);
        }
    }
    let whole = heard(&stream, stream.len(), false);
    // 23 messages, of which one is the picture of 13 packets, and a confirmation for all but the keep-alive; the damaged one
    // is none of them.
    assert_eq!(whole.len(), 23 + 22, "{whole:#?}");
    for piece in [1, 2, 3, 7, 100, 1000] {
        assert_eq!(heard(&stream, piece, false), whole, "{piece}");
    }
}

/// The mark of a start may be the centre's address, too: 126 is 7E.
#[test]
fn a_frame_to_centre_126_is_read_behind_noise() {
    let mut frame = match frame::decode(&examples()[2]) {
        Decoded::Message { message, .. } => message,
        other => panic!("{other:?}"),
    };
    frame.centre = 126;
    let bytes = frame::encode(&frame).unwrap();
    assert_eq!(bytes[..3], [0x7E; 3]);
    for noise in [&b"x"[..], b"x~", b"~x~~", b"\x01~"] {
        let stream = [noise, &bytes].concat();
        let whole = heard(&stream, stream.len(), false);
        assert_eq!(whole.len(), 2, "a message and its confirmation: {whole:?}");
        for piece in [1, 2, 3, 4] {
            assert_eq!(heard(&stream, piece, false), whole, "{noise:?}, {piece}");
        }
    }
}

/// Bodies in ASCII that were once written back as something else.
#[test]
fn ascii_is_written_back_as_it_was_read() {
    let frame = |function, body: String| Frame {
        encoding: Encoding::Ascii,
        direction: Direction::Up,
        centre: 5,
        station: Station([0, 0x11, 0x22, 0x33, 0x44]),
        password: 1_000,
        function,
        part: None,
        body: format!("0034170718110016ST 0011223344 {body}").into_bytes(),
        end: ETX,
    };
    let config = Config::default();
    // A word of others that begins as a time step's does.
    let given = frame(0x31, "H TT 1707181100 DRX 5 DRH01 Z 10.4 ".to_owned());
    let (message, _) = decode::message(&given, None, &config).unwrap();
    assert_eq!(encode::frame(&message).unwrap(), given);
    // Longer than the length before it can tell.
    for (function, text) in [(0x45, "v".repeat(256)), (0x4C, "00".repeat(256))] {
        let given = frame(function, format!("FF {text} "));
        let (message, _) = decode::message(&given, None, &config).unwrap();
        let problem = encode::message(&message).unwrap_err();
        assert_eq!(problem.code, "sl651-cannot-say");
    }
}
