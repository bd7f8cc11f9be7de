//! Message → updates. The only file that knows what an element means to the city.
//!
//! | on the wire | attribute | how good |
//! | --- | --- | --- |
//! | an element of table C.1 | its name in [`crate::table`], at the time of observation before it | good |
//! | F4, twelve rains | `precipitation5min`, five minutes apart, the first at that time | good |
//! | F5 to FC, twelve relative stages | `relativeWaterLevel`, `relativeWaterLevel2` to `8` | good |
//! | 45, state | `statusWord` and `alarms` (Chinese, `、` between them, empty for none) | good |
//! | an element of others (76 to EF, FFxx, an unknown word) | `sl651.` and its code, without a unit | good |
//! | 35, 39: what a person typed in | `manualReport`, at the time of sending | reported |
//! | 36: a picture | `picture`: its media type and size; the bytes stay in the message | good |
//! | answers to commands | `softwareVersion`, `parameters`, `eventCounts`, `pumpStates`, `valveStates`, `gateStates`, `quotaInForce`, `commandDone` | good |
//! | anything in a test report (30H) | as above | uncertain: it is a test of the equipment (6.6.4.3) |
//! | anything, when the station's clock is off by more than `clock_doubt_seconds_max`, or observed after it was sent | as above | uncertain |
//! | a value that the station does not have (FF, AA, M) | nothing | |
//!
//! Rules leave uncertain values out, so that none raises a warning.

use crate::config::Config;
use crate::element::{self, Data, Decimal, Element, HOUR_VALUES, Reading};
use crate::error;
use crate::frame::Station;
use crate::message::{Body, Entry, Message, Section, function};
use crate::time::ObservedTime;
use model::{
    AttributeName, AttributeUpdate, EntityId, Problem, Quality, Timestamp, TypeName, Update, Value,
};
use serde_json::json;
use std::collections::BTreeMap;
use wire::Payload;

/// Whose readings a station's are; `None` when nobody registered it.
pub type Whose<'a> = dyn Fn(Station) -> Option<(EntityId, TypeName)> + 'a;

/// Warnings of the decoder that tell that something of the message was lost.
const LOSSES: [&str; 6] = [
    "sl651-body-more",
    "sl651-element",
    "sl651-element-cut",
    "sl651-elements",
    "sl651-picture",
    "sl651-time",
];
/// Seconds between two values of a block of an hour.
const HOUR_STEP_S: i64 = 300;

/// What a message says of the city. `warnings` are the decoder's; those of things lost become problems, so that the message
/// is kept as a dead letter beside its good updates.
pub fn payload(
    message: &Message,
    warnings: &[Problem],
    whose: &Whose<'_>,
    received_at: Timestamp,
    config: &Config,
) -> Payload {
    let sent_at = message.sent.moment(config.utc_offset_hours);
    let mut map = Map {
        whose,
        config,
        sent_at,
        is_doubtful: message.function == function::TEST
            || clock_is_off(sent_at, received_at, config),
        fallback: sent_at.unwrap_or(received_at),
        found: BTreeMap::new(),
        problems: warnings
            .iter()
            .filter(|warning| LOSSES.contains(&warning.code.as_str()))
            .cloned()
            .collect(),
    };
    map.body(message);
    Payload {
        updates: map.found.into_values().collect(),
        problems: map.problems,
    }
}

/// Whether the station's clock is so far off that its times are not believed.
pub fn clock_is_off(sent_at: Option<Timestamp>, received_at: Timestamp, config: &Config) -> bool {
    sent_at.is_none_or(|sent_at| {
        received_at.micros_since(sent_at).abs() / 1_000_000 > config.clock_doubt_seconds_max
    })
}

struct Map<'a> {
    whose: &'a Whose<'a>,
    config: &'a Config,
    sent_at: Option<Timestamp>,
    is_doubtful: bool,
    /// The time of what has none of its own.
    fallback: Timestamp,
    /// Updates by station and time: one for each time, so that no attribute stands twice in one.
    found: BTreeMap<(Station, Timestamp), Update>,
    problems: Vec<Problem>,
}

impl Map<'_> {
    fn body(&mut self, message: &Message) {
        let at = self.fallback;
        match &message.body {
            Body::Empty | Body::Command(_) => {}
            Body::Report(sections) => {
                for section in sections {
                    self.section(message.station, section);
                }
            }
            Body::Manual(text) => {
                let text = String::from_utf8_lossy(text);
                let value = Value::Text(text.trim_end().to_owned());
                self.add(
                    message.station,
                    at,
                    "manualReport",
                    value,
                    "",
                    Quality::Reported,
                );
            }
            Body::Picture(picture) => {
                let Some(at) = self.observed(picture.observed) else {
                    return;
                };
                let about = json!({"mediaType": "image/jpeg", "bytes": picture.jpeg.len()});
                let value = Value::Json(about.to_string());
                self.add(picture.station, at, "picture", value, "", Quality::Good);
            }
            Body::Parameters {
                station,
                parameters,
            } => {
                let told: serde_json::Map<String, serde_json::Value> = parameters
                    .iter()
                    .map(crate::told::parameter_entry)
                    .collect();
                self.json(*station, "parameters", &told.into());
            }
            Body::Version { station, text } => {
                let value = Value::Text(String::from_utf8_lossy(text).into_owned());
                self.add(*station, at, "softwareVersion", value, "", Quality::Good);
            }
            Body::Done { station } | Body::Password { station, .. } => {
                // A new password is not told.
                let (name, _) = function::name(message.function);
                let value = Value::Text(name.to_owned());
                self.add(*station, at, "commandDone", value, "", Quality::Good);
            }
            Body::Switches { station, states } => {
                let name = match message.function {
                    function::PUMPS => "pumpStates",
                    _ => "valveStates",
                };
                self.json(*station, name, &crate::told::switches(states).into());
            }
            Body::Gates { station, gates } => {
                self.json(*station, "gateStates", &crate::told::gates(gates));
            }
            Body::Quota { station, is_on } => {
                let value = Value::Boolean(*is_on);
                self.add(*station, at, "quotaInForce", value, "", Quality::Good);
            }
            Body::Events { station, counts } => {
                self.json(*station, "eventCounts", &json!(counts));
            }
            Body::Unread(bytes) => self.problems.push(error::body(
                "sl651-function",
                format!(
                    "function {:02X} is none that the standard fills ({} bytes)",
                    message.function,
                    bytes.len()
                ),
                "frame, function code",
            )),
        }
    }

    fn json(&mut self, station: Station, name: &str, value: &serde_json::Value) {
        let value = Value::Json(value.to_string());
        self.add(station, self.fallback, name, value, "", Quality::Good);
    }

    fn section(&mut self, of_head: Station, section: &Section) {
        let station = section.station.unwrap_or(of_head);
        // Elements without a time before them: when they were sent. With a time that is none: not at all.
        let mut at = Some(self.fallback);
        for entry in &section.entries {
            match entry {
                Entry::Observed(time) => at = self.observed(*time),
                Entry::Element(element) => {
                    if let Some(at) = at {
                        self.element(station, at, element);
                    }
                }
                Entry::Series { step, rows, .. } => {
                    if let Some(at) = at {
                        self.series(station, at, step, rows);
                    }
                }
                // The decoder told it.
                Entry::Rest(_) => {}
            }
        }
    }

    fn series(&mut self, station: Station, from: Timestamp, step: &Element, rows: &[Vec<Element>]) {
        let step_s = match step.value() {
            Reading::Step(step) => step.seconds(),
            // The decoder told it.
            _ => return,
        };
        let mut at = from;
        for row in rows {
            let is_hour = row.iter().any(|e| matches!(e.value(), Reading::Hour(_)));
            for element in row {
                self.element(station, at, element);
            }
            let hour_s = HOUR_STEP_S * HOUR_VALUES as i64;
            let row_s = match (is_hour, step_s) {
                (false, Some(step_s)) => step_s,
                (true, _) | (_, None) => hour_s,
            };
            at = at.plus_seconds(row_s);
        }
    }

    fn observed(&self, time: ObservedTime) -> Option<Timestamp> {
        // The decoder told of one that is no time.
        time.moment(self.config.utc_offset_hours)
    }

    fn element(&mut self, station: Station, at: Timestamp, element: &Element) {
        let leader = element.identifier.leader;
        let is_own = element.word.is_some() || element.identifier.extended.is_some();
        match element.value() {
            Reading::Number(number) => match element.identifier.known().filter(|_| !is_own) {
                Some(known) => {
                    let mut value = scaled(number, known.scale);
                    // Table E.1: 1 is north, 16 points.
                    if leader == 0x33 {
                        value -= known.scale;
                    }
                    self.number(station, at, known.attribute, value, known.unit);
                }
                None => self.number(station, at, &own_name(element), number.to_f64(), ""),
            },
            Reading::Hour(values) => {
                let (name, unit) = match leader {
                    element::RAIN_HOUR => ("precipitation5min".to_owned(), "MMT"),
                    element::STAGE_HOUR => ("relativeWaterLevel".to_owned(), "MTR"),
                    other => {
                        let nth = other.saturating_sub(element::STAGE_HOUR) + 1;
                        (format!("relativeWaterLevel{nth}"), "MTR")
                    }
                };
                let mut at = at;
                for value in values {
                    if let Some(value) = value {
                        self.number(station, at, &name, value.to_f64(), unit);
                    }
                    at = at.plus_seconds(HOUR_STEP_S);
                }
            }
            Reading::Status(word) => {
                self.number(station, at, "statusWord", f64::from(word), "");
                let alarms = Value::Text(element::alarms(word).join("、"));
                self.add(station, at, "alarms", alarms, "", Quality::Good);
            }
            Reading::Bytes(bytes) => {
                let text = match &element.data {
                    Data::Hex(_) => hex::encode_upper(bytes),
                    Data::Ascii(text) => text.clone(),
                };
                let name = own_name(element);
                self.add(station, at, &name, Value::Text(text), "", Quality::Good);
            }
            // The decoder told of what cannot be read.
            Reading::Missing | Reading::Step(_) | Reading::Unreadable(_) => {}
        }
    }

    fn number(&mut self, station: Station, at: Timestamp, name: &str, value: f64, unit: &str) {
        self.add(station, at, name, Value::Number(value), unit, Quality::Good);
    }

    fn add(
        &mut self,
        station: Station,
        at: Timestamp,
        name: &str,
        value: Value,
        unit: &str,
        quality: Quality,
    ) {
        let name = match AttributeName::new(name) {
            Ok(name) => name,
            Err(problem) => return self.problems.push(problem),
        };
        let slack = self.config.clock_doubt_seconds_max;
        let is_ahead = self
            .sent_at
            .is_some_and(|sent_at| at > sent_at.plus_seconds(slack));
        let quality = match self.is_doubtful || is_ahead {
            true => Quality::Uncertain,
            false => quality,
        };
        let update = match self.found.entry((station, at)) {
            std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                let Some((entity_id, entity_type)) = (self.whose)(station) else {
                    let problem = unknown(station);
                    if !self.problems.contains(&problem) {
                        self.problems.push(problem);
                    }
                    return;
                };
                place.insert(Update {
                    entity_id,
                    entity_type,
                    attributes: Vec::new(),
                })
            }
        };
        // The same element twice at one time: the later one holds.
        update.attributes.retain(|known| known.name != name);
        update.attributes.push(AttributeUpdate {
            name,
            value,
            unit: (!unit.is_empty()).then(|| unit.to_owned()),
            observed_at: at,
            quality,
        });
    }
}

/// The problem of a station that nobody registered.
pub fn unknown(station: Station) -> Problem {
    Problem::new(
        "sl651-unknown-station",
        format!("station {station} is not registered"),
        "station",
        format!(
            "register a device with the client id {station} for the thing that the station observes"
        ),
    )
}

fn own_name(element: &Element) -> String {
    match &element.word {
        Some(word) => format!("sl651.{word}"),
        None => format!("sl651.{}", element.identifier.code()),
    }
}

/// Times the scale, without the digits that binary fractions would add.
fn scaled(number: Decimal, scale: f64) -> f64 {
    if scale == 1.0 {
        return number.to_f64();
    }
    let value = number.to_f64() * scale;
    // Twelve digits are more than any element has.
    format!("{value:.12}").parse().unwrap_or(value)
}
