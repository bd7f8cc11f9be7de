//! The literate vectors of `vectors/`: conversations with real packets, replayed.

mod talk;

use proto_mqtt::Config;
use std::path::Path;

#[test]
fn every_conversation_goes_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    testkit::vectors::check(&dir, |vector| {
        let script = vector
            .block("talk")
            .unwrap_or_else(|| vector.fail("no `talk` block"));
        let mut config = Config::default();
        if let Some(limit) = vector.block("packet_bytes_max") {
            config.packet_bytes_max = limit.parse().expect("bytes");
            config.oversize_kept_bytes = 24;
        }
        vec![("talk", talk::play(script, config))]
    });
}
