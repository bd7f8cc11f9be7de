//! What reading one message costs: `cargo run --release -p proto-ngsild --example parse_cost`.

#![allow(clippy::print_stdout)]

use model::Timestamp;
use proto_ngsild::NgsiLd;
use std::hint::black_box;
use std::time::Instant;
use wire::{Context, PayloadDecoder};

const NORMALIZED: &str = r#"{"id":"urn:ngsi-ld:WaterObserved:62206900","type":"WaterObserved","waterLevel":{"type":"Property","value":28.5,"unitCode":"MTR","observedAt":"2026-11-23T08:00:00Z"},"online":{"type":"Property","value":true}}"#;
const KEY_VALUES: &str = r#"{"id":"urn:ngsi-ld:AirQualityObserved:tianmen-01","type":"AirQualityObserved","observedAt":"2026-11-23T08:00:00Z","pm25":35.2,"pm10":61.0,"so2":8.1,"no2":31.4,"co":0.7,"o3":55.0,"temperature":12.4}"#;

fn main() {
    const ROUNDS: u32 = 300_000;
    let decoder = NgsiLd::default();
    let context = Context {
        received_at: Timestamp::from_seconds(1_763_884_800),
        entity: None,
    };
    for (name, text) in [("normalized", NORMALIZED), ("key-values", KEY_VALUES)] {
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            let payload = decoder.decode(black_box(text.as_bytes()), &context);
            assert!(payload.problems.is_empty(), "{:?}", payload.problems);
            black_box(payload);
        }
        let each = begin.elapsed() / ROUNDS;
        println!(
            "{name}: {} bytes, {} ns a message",
            text.len(),
            each.as_nanos()
        );
    }
}
