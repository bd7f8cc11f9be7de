//! The literate vectors of `vectors/`: what a station says, what the centre answers, what the city learns.

mod host;

use host::{Host, doubts};
use proto_ocpp::Version;
use std::fmt::Write;
use std::path::Path;

/// Replays a conversation: `> ` from the station; the answers (`< `), marks (`? `) and what the city learns (`= `) are expected.
fn play(script: &str) -> String {
    let mut lines = script.lines();
    let version = match lines.next() {
        Some("version 1.6") => Version::V16,
        Some("version 2.0.1") => Version::V201,
        other => panic!("the first line is no version: {other:?}"),
    };
    let mut host = Host::new(version);
    let mut out = format!("version {}\n", version.number());
    for line in lines {
        let Some(said) = line.strip_prefix("> ") else {
            continue;
        };
        let _ = writeln!(out, "> {said}");
        let known = host.sent.len();
        for event in host.say(said) {
            for doubt in doubts(&event) {
                let _ = writeln!(out, "? {doubt}");
            }
            if let proto_ocpp::What::Broken { told, .. } = &event.what {
                let _ = writeln!(out, "! {}: {}", told.code, told.what.en);
            }
            let learnt = testkit::render::payload(&host.learns(&event));
            for line in learnt.lines() {
                let _ = writeln!(out, "= {line}");
            }
        }
        for text in &host.sent[known..] {
            let _ = writeln!(out, "< {text}");
        }
    }
    out
}

#[test]
fn every_conversation_goes_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    testkit::vectors::check(&dir, |vector| {
        let script = vector
            .block("talk")
            .unwrap_or_else(|| vector.fail("no `talk` block"));
        vec![("talk", play(script))]
    });
}
