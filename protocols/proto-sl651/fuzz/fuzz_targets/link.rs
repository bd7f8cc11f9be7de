//! Any bytes on a link: no panic, and no more events than bytes. `cargo +nightly fuzz run link`; seeds are the frames of
//! `vectors/captures/examples.txt`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{EntityId, Timestamp, TypeName};
use proto_sl651::session::{Event, Now, Session};
use proto_sl651::{Config, Encoding, Station, encode, frame, map, told};
use std::sync::Arc;

fn whose(station: Station) -> Option<(EntityId, TypeName)> {
    let id = EntityId::new(format!("urn:ngsi-ld:WaterObserved:{station}")).ok()?;
    Some((id, TypeName::new("WaterObserved").ok()?))
}

fuzz_target!(|data: &[u8]| {
    let Some((&how, data)) = data.split_first() else {
        return;
    };
    // The second bit mends the check value, so that the fuzzer comes past it.
    let mut data = data.to_vec();
    if how & 2 != 0 && data.len() > 4 {
        let end = data.len() - 2;
        let check = frame::check_value(&data[..end]).to_be_bytes();
        data[end..].copy_from_slice(&check);
    }
    let config = Config::default();
    let mut now = Now {
        ms: 0,
        at: Timestamp::from_seconds(1_795_000_000),
    };
    let mut session = Session::new(Arc::new(config.clone()), how & 1 != 0);
    let mut events = 0;
    for piece in data.chunks(usize::from(how >> 2).max(1) * 8) {
        session.receive(piece, now);
        while let Some(event) = session.event(now) {
            events += 1;
            if let Event::Message(received) = event {
                if let Ok(message) = &received.message {
                    let _ = told::message(message, &config);
                    let _ = map::payload(message, &received.warnings, &whose, now.at, &config);
                    // What was read can be written.
                    let written = encode::frame(message);
                    let is_hex = message.encoding == Encoding::Hex;
                    assert!(!is_hex || written.is_ok(), "{written:?}");
                }
                session.accepted(received.answer, 0);
            }
        }
    }
    now.ms = 3_600_000;
    while session.timeout(now).is_some() {
        events += 1;
    }
    session.durable(1, now);
    assert!(events <= data.len() + 64);
});
