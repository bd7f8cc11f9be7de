//! Cards in messages that are kept. Who charges is known to the books alone, as a pseudonym; the message itself is kept with its cards
//! blotted out, so that whoever may read messages does not learn whose car stood where.

use serde_json::Value;

/// What stands in the place of a card.
const BLOTTED: &str = "***";
/// Fields of OCPP 1.6 and 2.0.1 that hold a card, an account or a contract as text.
const CARDS: [&str; 5] = [
    "idTag",
    "parentIdTag",
    "idToken",
    "additionalIdToken",
    "emaid",
];

/// The message with its cards blotted out; `None` where it is no JSON, so that nobody knows where cards stand in it.
pub fn masked(raw: &[u8]) -> Option<Vec<u8>> {
    let mut message: Value = serde_json::from_slice(raw).ok()?;
    blot(&mut message);
    serde_json::to_vec(&message).ok()
}

/// Whether a text that is no message may hold a card all the same.
pub fn may_hold_card(raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw).to_lowercase();
    ["idtag", "idtoken", "emaid"]
        .iter()
        .any(|name| text.contains(name))
}

fn blot(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(blot),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if CARDS.contains(&name.as_str()) => {
                        BLOTTED.clone_into(text);
                    }
                    Value::Number(_) if CARDS.contains(&name.as_str()) => {
                        *field = Value::String(BLOTTED.to_owned());
                    }
                    _ => blot(field),
                }
            }
        }
        _ => {}
    }
}
