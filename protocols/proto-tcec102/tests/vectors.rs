//! The literate vectors of `vectors/*.md`: envelopes under the key of the standard's sample, what their signature is worth, what they hold.

use proto_tcec102::{Call, Envelope, Keys, Limits, seal};
use std::path::Path;
use testkit::vectors;

#[test]
fn vectors() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let secret = "1234567890abcdef";
    let keys = Keys::new(secret, secret, secret, secret).unwrap();
    vectors::check(&dir, |vector| {
        let api = vector
            .block("api")
            .unwrap_or_else(|| vector.fail("no `api`"));
        let json = vector
            .block("json")
            .unwrap_or_else(|| vector.fail("no `json`"));
        let said = match Envelope::parse(json.as_bytes(), &Limits::default()) {
            Err(fault) => format!("{} {}", fault.ret.code(), fault.told.what.en),
            Ok(envelope) if !envelope.is_signed(&keys) => {
                "4001 the signature does not fit".to_owned()
            }
            Ok(envelope) => match seal::open(&keys, &envelope.data) {
                None => "4004 the data cannot be opened".to_owned(),
                Some(text) => {
                    let read = match Call::read(api, &text, &Limits::default()) {
                        Ok(call) => format!("{call:#?}"),
                        Err(fault) => format!("{} {}", fault.ret.code(), fault.told.what.en),
                    };
                    format!("{text}\n{read}")
                }
            },
        };
        vec![("meaning", said)]
    });
}
