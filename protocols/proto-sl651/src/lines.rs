//! Frames one by one, as people have them in a file: each read into one JSON object, packets remembered until their message is
//! whole.

use crate::config::Config;
use crate::decode;
use crate::frame::{self, Frame, Station};
use crate::map::{self, Whose};
use crate::told;
use model::{EntityId, Problem, Timestamp, TypeName};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wire::Decoded;

/// Reads frames; see [`Lines::frame`].
#[derive(Debug, Default)]
pub struct Lines {
    config: Config,
    /// Packets of messages that are not whole yet, by station, function and how many there are.
    packets: BTreeMap<(Station, u8, u16), BTreeMap<u16, Frame>>,
}

impl Lines {
    /// Reads one frame into `{"outcome", …}`: `message` with `message` (the standard's own terms), `warnings`, `updates` and
    /// `problems`; `incomplete` with `at_least` bytes missing; `foreign`; `invalid` with `error` and `skip`. A packet says
    /// which one it is, and the one that makes its message whole has the whole message under `whole`. `at`: when it was
    /// received, by which the station's clock is judged; without it the clock is believed.
    pub fn frame(&mut self, bytes: &[u8], at: Option<Timestamp>) -> Value {
        match frame::decode(bytes) {
            Decoded::Foreign => json!({"outcome": "foreign"}),
            Decoded::Incomplete { at_least } => {
                json!({"outcome": "incomplete", "at_least": at_least})
            }
            Decoded::Invalid { error, skip } => {
                json!({"outcome": "invalid", "error": error, "skip": skip})
            }
            Decoded::Message {
                message: frame,
                used,
                warnings,
            } => {
                let mut told = match frame.part {
                    None => self.whole(&frame, None, warnings, at),
                    Some(_) => self.packet(frame, warnings, at),
                };
                if let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty())
                    && let Some(told) = told.as_object_mut()
                {
                    told.insert("rest".into(), hex::encode_upper(rest).into());
                }
                told
            }
        }
    }

    fn packet(&mut self, frame: Frame, warnings: Vec<Problem>, at: Option<Timestamp>) -> Value {
        let Some(part) = frame.part else {
            return Value::Null;
        };
        let mut told = json!({
            "outcome": "message",
            "message": told::packet(&frame),
            "warnings": warnings,
            "updates": [],
            "problems": [],
        });
        if part.total > self.config.packets_max {
            return told;
        }
        // One message a key, and few keys: what somebody puts into one file.
        if self.packets.len() >= self.config.assemblies_max {
            self.packets.pop_first();
        }
        let key = (frame.station, frame.function, part.total);
        let packets = self.packets.entry(key).or_default();
        packets.insert(part.index, frame);
        if packets.len() < usize::from(part.total) {
            return told;
        }
        let packets = self.packets.remove(&key).unwrap_or_default();
        let body: Vec<u8> = packets
            .values()
            .flat_map(|frame| frame.body.clone())
            .collect();
        if let Some((_, last)) = packets.into_iter().next_back() {
            let whole = Frame {
                part: None,
                body,
                ..last
            };
            let whole = self.whole(&whole, Some(part.total), Vec::new(), at);
            if let Some(told) = told.as_object_mut() {
                told.insert("whole".into(), whole);
            }
        }
        told
    }

    fn whole(
        &self,
        frame: &Frame,
        packets: Option<u16>,
        mut warnings: Vec<Problem>,
        at: Option<Timestamp>,
    ) -> Value {
        let (message, more) = match decode::message(frame, packets, &self.config) {
            Ok(read) => read,
            Err(error) => {
                return json!({"outcome": "invalid", "error": error, "message": told::packet(frame)});
            }
        };
        let at = at.or_else(|| message.sent.moment(self.config.utc_offset_hours));
        let whose: &Whose<'_> = &by_code;
        let at = at.unwrap_or_default();
        let payload = map::payload(&message, &more, whose, at, &self.config);
        warnings.extend(more);
        json!({
            "outcome": "message",
            "message": told::message(&message, &self.config),
            "warnings": warnings,
            "updates": payload.updates,
            "problems": payload.problems,
        })
    }
}

/// Where no station is registered: the entity that a station would usually be.
fn by_code(station: Station) -> Option<(EntityId, TypeName)> {
    let id = EntityId::new(format!("urn:ngsi-ld:WaterObserved:{}", station.code())).ok()?;
    Some((id, TypeName::new("WaterObserved").ok()?))
}
