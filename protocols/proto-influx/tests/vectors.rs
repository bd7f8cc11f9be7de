//! The literate vectors of `vectors/*.md`.

use model::{EntityId, Timestamp, TypeName};
use proto_influx::{Influx, Limits, LineMapping, Precision};
use serde::Deserialize;
use std::path::Path;
use testkit::{render, vectors};
use wire::Context;

#[derive(Deserialize)]
struct Mappings {
    lines: Vec<LineMapping>,
}

#[test]
fn vectors() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    vectors::check(&dir, |vector| {
        let entity = vector.block("entity").map(|text| {
            let (id, name) = text
                .split_once(' ')
                .unwrap_or_else(|| vector.fail("entity: ID TYPE"));
            (EntityId::new(id).unwrap(), TypeName::new(name).unwrap())
        });
        let received_at = Timestamp::parse("2026-11-23T08:00:05Z").unwrap();
        let context = Context {
            received_at,
            entity,
        };
        let mappings = vector.block("toml").map_or_else(Vec::new, |text| {
            toml::from_str::<Mappings>(text)
                .unwrap_or_else(|e| vector.fail(&e.to_string()))
                .lines
        });
        let decoder = Influx::new(mappings, Limits::default()).unwrap();
        let precision = Precision::parse(vector.block("precision").unwrap_or_default()).unwrap();
        let lines = vector
            .block("lines")
            .unwrap_or_else(|| vector.fail("no `lines` block"));
        let outcome = decoder.decode_lines(lines.as_bytes(), precision, &context);
        vec![("updates", render::payload(&outcome.payload))]
    });
}
