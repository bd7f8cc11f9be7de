//! The literate vectors of `vectors/*.md`.

use model::{EntityId, Timestamp, TypeName};
use proto_ngsild::NgsiLd;
use std::path::Path;
use testkit::{render, vectors};
use wire::{Context, PayloadDecoder};

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
        let json = vector
            .block("json")
            .unwrap_or_else(|| vector.fail("no `json` block"));
        let decoder = NgsiLd::default();
        assert!(
            decoder.recognises(json.as_bytes(), None),
            "{}",
            vector.title
        );
        let payload = decoder.decode(json.as_bytes(), &context);
        vec![("updates", render::payload(&payload))]
    });
}
