//! A message as JSON, in the standard's own terms, for people and programs that look at frames (`jingling decode sl651`).

use crate::config::Config;
use crate::element::{Data, Element, Reading, read_hex};
use crate::frame::{self, Direction, Encoding};
use crate::message::{Body, Command, Entry, Gates, Message, Section, class_name, function};
use crate::table;
use serde_json::{Value, json};

/// Name of an end mark.
pub const fn end_name(end: u8) -> &'static str {
    match end {
        frame::ETX => "ETX",
        frame::ETB => "ETB",
        frame::ENQ => "ENQ",
        frame::EOT => "EOT",
        frame::ACK => "ACK",
        frame::NAK => "NAK",
        frame::ESC => "ESC",
        _ => "?",
    }
}

/// A message as JSON.
pub fn message(message: &Message, config: &Config) -> Value {
    let (name_zh, name_en) = function::name(message.function);
    let mut told = head(message.encoding, message.direction);
    let sent_at = message.sent.moment(config.utc_offset_hours);
    let more = json!({
        "centre": message.centre,
        "station": message.station.to_string(),
        "password": format!("{:04X}", message.password),
        "function": format!("{:02X}", message.function),
        "name_zh": name_zh,
        "name_en": name_en,
        "end": end_name(message.end),
        "packets": message.packets,
        "serial": message.serial,
        "sent": message.sent.to_string(),
        "sent_at": sent_at.map(|at| at.to_string()),
        "body": body(&message.body),
    });
    if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
        told.extend(more);
    }
    told
}

fn head(encoding: Encoding, direction: Direction) -> Value {
    json!({
        "encoding": match encoding {
            Encoding::Hex => "hex",
            Encoding::Ascii => "ascii",
        },
        "direction": match direction {
            Direction::Up => "up",
            Direction::Down => "down",
        },
    })
}

/// One packet of a message as JSON: what its head tells.
pub fn packet(frame: &crate::Frame) -> Value {
    let (name_zh, name_en) = function::name(frame.function);
    let mut told = head(frame.encoding, frame.direction);
    let more = json!({
        "centre": frame.centre,
        "station": frame.station.to_string(),
        "password": format!("{:04X}", frame.password),
        "function": format!("{:02X}", frame.function),
        "name_zh": name_zh,
        "name_en": name_en,
        "end": end_name(frame.end),
        "packets": frame.part.map(|part| part.total),
        "packet": frame.part.map(|part| part.index),
        "body_bytes": frame.body.len(),
    });
    if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
        told.extend(more);
    }
    told
}

fn body(body: &Body) -> Value {
    match body {
        Body::Empty => json!({}),
        Body::Report(sections) => {
            json!({"stations": sections.iter().map(section).collect::<Vec<_>>()})
        }
        Body::Manual(text) => json!({"manual": String::from_utf8_lossy(text)}),
        Body::Picture(picture) => json!({
            "station": picture.station.to_string(),
            "class": class(picture.class),
            "observed": picture.observed.to_string(),
            "picture_bytes": picture.jpeg.len(),
        }),
        Body::Parameters {
            station,
            parameters,
        } => json!({
            "station": station.to_string(),
            "parameters": parameters.iter().map(parameter).collect::<Vec<_>>(),
        }),
        Body::Version { station, text } => json!({
            "station": station.to_string(),
            "version": String::from_utf8_lossy(text),
        }),
        Body::Done { station } => json!({"station": station.to_string()}),
        Body::Password { station, password } => json!({
            "station": station.to_string(),
            "new_password": format!("{password:04X}"),
        }),
        Body::Switches { station, states } => json!({
            "station": station.to_string(),
            "switches": switches(states),
        }),
        Body::Gates {
            station,
            gates: found,
        } => json!({
            "station": station.to_string(),
            "gates": gates(found),
        }),
        Body::Quota { station, is_on } => json!({
            "station": station.to_string(),
            "quota_in_force": is_on,
        }),
        Body::Events { station, counts } => json!({
            "station": station.to_string(),
            "event_counts": counts,
        }),
        Body::Command(command) => json!({"command": self::command(command)}),
        Body::Unread(bytes) => json!({"unread": hex::encode_upper(bytes)}),
    }
}

fn class(class: u8) -> Value {
    let (zh, en) = class_name(class);
    json!({"code": format!("{class:02X}"), "name_zh": zh, "name_en": en})
}

fn section(section: &Section) -> Value {
    json!({
        "station": section.station.map(|station| station.to_string()),
        "class": section.class.map(class),
        "entries": section.entries.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn entry(entry: &Entry) -> Value {
    match entry {
        Entry::Observed(time) => json!({"observed": time.to_string()}),
        Entry::Element(found) => element(found),
        Entry::Series {
            step,
            columns,
            rows,
        } => {
            let rows: Vec<Vec<Value>> = rows
                .iter()
                .map(|row| row.iter().map(|element| reading(element.value())).collect())
                .collect();
            json!({
                "step": reading(step.value()),
                "columns": columns.iter().map(names).collect::<Vec<_>>(),
                "rows": rows,
            })
        }
        Entry::Rest(bytes) => json!({"unread": hex::encode_upper(bytes)}),
    }
}

fn names(element: &Element) -> Value {
    let known = element.identifier.known();
    let word = element.word.as_deref();
    json!({
        "element": element.identifier.code(),
        "word": word.or_else(|| crate::ascii::word(element.identifier.leader)),
        "name_zh": known.map(|known| known.name_zh),
    })
}

fn raw(element: &Element) -> String {
    match &element.data {
        Data::Hex(data) => hex::encode_upper(data),
        Data::Ascii(text) => text.clone(),
    }
}

fn element(element: &Element) -> Value {
    let mut told = names(element);
    if let Some(told) = told.as_object_mut() {
        told.insert("raw".into(), raw(element).into());
        told.insert("value".into(), reading(element.value()));
        if let Some(unit) = wire_unit(element) {
            told.insert("unit".into(), unit.into());
        }
        if let Reading::Status(word) = element.value() {
            told.insert("alarms".into(), json!(crate::element::alarms(word)));
        }
    }
    told
}

/// The unit of the number as it is on the wire.
fn wire_unit(element: &Element) -> Option<&'static str> {
    Some(match element.identifier.leader {
        crate::element::RAIN_HOUR => "mm",
        crate::element::STAGE_HOUR..=crate::element::STAGE_HOUR_LAST => "m",
        0x33 => return None,
        0x48 => "µS/cm",
        0x4B => "mV",
        _ => {
            let known = element.identifier.known()?;
            let unit = model::unit::find(known.unit)?;
            unit.symbols.first().copied().unwrap_or(unit.code)
        }
    })
}

fn reading(reading: Reading) -> Value {
    match reading {
        Reading::Number(number) => json!(number.to_f64()),
        Reading::Missing => Value::Null,
        Reading::Hour(values) => {
            let values = values.into_iter().map(|value| value.map(|v| v.to_f64()));
            json!(values.collect::<Vec<_>>())
        }
        Reading::Status(word) => json!(format!("{word:08X}")),
        Reading::Step(step) => {
            json!({"days": step.days, "hours": step.hours, "minutes": step.minutes})
        }
        Reading::Bytes(bytes) => json!(hex::encode_upper(bytes)),
        Reading::Unreadable(why) => json!({"unreadable": why}),
    }
}

/// A parameter's code and its value.
pub(crate) fn parameter_entry(parameter: &Element) -> (String, Value) {
    (parameter.identifier.code(), parameter_value(parameter))
}

fn parameter_value(parameter: &Element) -> Value {
    match &parameter.data {
        // The basic table holds codes, addresses and bits, not numbers.
        Data::Hex(data) if parameter.identifier.leader == 0x0F => {
            json!(String::from_utf8_lossy(data))
        }
        Data::Hex(data) if parameter.identifier.leader < 0x20 => json!(hex::encode_upper(data)),
        Data::Hex(data) => {
            // None of them is an element: the leaders only look alike.
            let mut identifier = parameter.identifier;
            identifier.leader = 0;
            reading(read_hex(identifier, data))
        }
        Data::Ascii(text) => json!(text),
    }
}

fn parameter(parameter: &Element) -> Value {
    let (name, unit) = match parameter.identifier.extended {
        Some(_) => ("用户自定义".to_owned(), ""),
        None => table::parameter(parameter.identifier.leader),
    };
    let mut told = json!({
        "parameter": parameter.identifier.code(),
        "name_zh": name,
        "raw": raw(parameter),
        "value": parameter_value(parameter),
    });
    if let Some(told) = told.as_object_mut()
        && !unit.is_empty()
    {
        told.insert("unit".into(), unit.into());
    }
    told
}

/// Which of the switches are on, the first first.
pub(crate) fn switches(states: &[u8]) -> Vec<bool> {
    states
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1))
        .collect()
}

/// Which gates are open, and how far.
pub(crate) fn gates(gates: &Gates) -> Value {
    let open = switches(&gates.states);
    let each = open.iter().zip(&gates.openings_cm);
    let each = each.map(|(is_open, cm)| json!({"open": is_open, "opening_cm": cm}));
    each.collect::<Vec<_>>().into()
}

fn command(command: &Command) -> Value {
    let codes = |identifiers: &[crate::element::Identifier]| -> Vec<String> {
        identifiers
            .iter()
            .map(|identifier| identifier.code())
            .collect()
    };
    match command {
        Command::Plain => json!({}),
        Command::Period {
            from,
            to,
            step,
            elements,
        } => json!({
            "from": from.to_string(),
            "to": to.to_string(),
            "step": reading(step.value()),
            "elements": codes(elements),
        }),
        Command::Ask(identifiers) => json!({"elements": codes(identifiers)}),
        Command::Set(parameters) => {
            json!({"parameters": parameters.iter().map(parameter).collect::<Vec<_>>()})
        }
        Command::ClearStore => json!({"clear_store": true}),
        Command::FactoryReset => json!({"factory_reset": true}),
        Command::Password { old, new } => {
            json!({"old_password": format!("{old:04X}"), "new_password": format!("{new:04X}")})
        }
        Command::IcCard(word) => json!({"status": format!("{word:08X}")}),
        Command::Switches(states) => json!({"switches": switches(states)}),
        Command::Gates(found) => json!({"gates": gates(found)}),
        Command::Quota(is_on) => json!({"quota_in_force": is_on}),
        Command::Other(bytes) => json!({"unread": hex::encode_upper(bytes)}),
    }
}
