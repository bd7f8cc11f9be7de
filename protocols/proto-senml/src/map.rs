//! A resolved record as an attribute of an entity. The only file that knows what a name means here.
//!
//! | name after the base name | entity | attribute |
//! | --- | --- | --- |
//! | `<id of the address's entity>` `/` or `:` `x` | the address's | `x` |
//! | `urn:ngsi-ld:<Type>:<name>` `/` or `:` `x` | that URN | `x` |
//! | `urn:dev:<kind>:<serial>` `/` or `:` `x` (RFC 9039) | the address's | `x` |
//! | any base name ending in `/` or `:`, then `x` | the address's | `x` |
//! | `x` | the address's | `x` |
//! | a device alone, no `x` | as above | what the unit says: `lon`, `lat`, `%RH`, `%EL`, `Cel`, `pH` |

use crate::config::Limits;
use crate::message::LABELS;
use crate::resolve::{Reading, Resolved, resolve};
use model::{
    AttributeName, AttributeUpdate, EntityId, Problem, Quality, Timestamp, TypeName, Update, Value,
    unit,
};
use wire::{Context, Payload, PayloadDecoder};

/// The SenML payload decoder.
#[derive(Clone, Debug, Default)]
pub struct SenMl {
    /// Limits of one pack.
    pub limits: Limits,
}

impl PayloadDecoder for SenMl {
    fn name(&self) -> &'static str {
        "senml"
    }

    fn recognises(&self, bytes: &[u8], content_type: Option<&str>) -> bool {
        if content_type.is_some_and(|said| said.to_ascii_lowercase().contains("senml+json")) {
            return true;
        }
        first_key(bytes).is_some_and(|key| LABELS.iter().any(|label| label.as_bytes() == key))
    }

    fn decode(&self, bytes: &[u8], context: &Context) -> Payload {
        let (records, mut problems) = resolve(bytes, context.received_at, &self.limits);
        let mut updates: Vec<Update> = Vec::new();
        for record in &records {
            if let Err(problem) = self.add(record, context, &mut updates) {
                problems.push(problem);
            }
        }
        if problems.len() > self.limits.problems_max {
            let left_out = problems.len() - self.limits.problems_max;
            problems.truncate(self.limits.problems_max);
            problems.push(Problem::new(
                "more-problems",
                format!("{left_out} more problems in this message"),
                "message",
                "mend those listed, then send it again",
            ));
        }
        Payload { updates, problems }
    }
}

/// The first member's name of the first object of an array.
fn first_key(bytes: &[u8]) -> Option<&[u8]> {
    const LABEL_BYTES_MAX: usize = 4;
    let object = bytes
        .trim_ascii_start()
        .strip_prefix(b"[")?
        .trim_ascii_start();
    let key = object
        .strip_prefix(b"{")?
        .trim_ascii_start()
        .strip_prefix(b"\"")?;
    let end = key
        .iter()
        .take(LABEL_BYTES_MAX + 1)
        .position(|b| *b == b'"')?;
    Some(&key[..end])
}

impl SenMl {
    fn add(
        &self,
        record: &Resolved,
        context: &Context,
        updates: &mut Vec<Update>,
    ) -> Result<(), Problem> {
        let (entity, name) = whose(record, context)?;
        let mut attributes = Vec::with_capacity(1);
        if let Some(reading) = &record.value {
            let value = self.value(record.index, reading)?;
            let unit = unit_code(record)?;
            attributes.push(attribute(
                name.clone(),
                value,
                unit,
                record.time,
                Quality::Good,
            ));
        }
        if let Some(sum) = record.sum {
            // The integral over time has another unit than the value, one that SenML does not name.
            let name = AttributeName::new(format!("{name}.sum"))
                .map_err(|problem| placed(problem, record.index, "n"))?;
            attributes.push(attribute(
                name,
                Value::Number(sum),
                None,
                record.time,
                Quality::UnitAssumed,
            ));
        }
        match updates
            .last_mut()
            .filter(|update| update.entity_id == entity.0)
        {
            Some(update) => update.attributes.extend(attributes),
            None => updates.push(Update {
                entity_id: entity.0,
                entity_type: entity.1,
                attributes,
            }),
        }
        Ok(())
    }

    fn value(&self, index: usize, reading: &Reading) -> Result<Value, Problem> {
        let text = match reading {
            Reading::Number(number) => return Value::number(*number),
            Reading::Boolean(boolean) => return Ok(Value::Boolean(*boolean)),
            Reading::Data(data) if !data.bytes().all(is_base64url) => {
                return Err(Problem::new(
                    "senml-data",
                    "the data value is not base64",
                    format!("[{index}].vd"),
                    "encode with the URL-safe base64 alphabet, without padding (RFC 8428 clause 5)",
                ));
            }
            Reading::Text(text) | Reading::Data(text) => text,
        };
        if text.len() > self.limits.text_bytes_max {
            return Err(Problem::new(
                "value-too-long",
                format!("the value has {} bytes", text.len()),
                format!("[{index}]"),
                format!(
                    "send at most {} bytes in one record",
                    self.limits.text_bytes_max
                ),
            ));
        }
        Ok(Value::Text(text.clone()))
    }
}

const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn attribute(
    name: AttributeName,
    value: Value,
    unit: Option<String>,
    observed_at: Timestamp,
    quality: Quality,
) -> AttributeUpdate {
    AttributeUpdate {
        name,
        value,
        unit,
        observed_at,
        quality,
    }
}

fn unit_code(record: &Resolved) -> Result<Option<String>, Problem> {
    let Some(symbol) = &record.unit else {
        return Ok(None);
    };
    match unit::find(symbol) {
        Some(unit) => Ok(Some(unit.code.to_owned())),
        None => Err(Problem::new(
            "unknown-unit",
            format!(
                "the unit \"{}\" is not known",
                model::problem::quote(symbol)
            ),
            format!("[{}].u", record.index),
            "use a unit of the SenML registry that the platform lists, or leave the unit out",
        )),
    }
}

/// Units that say what is measured, for devices that send no attribute name.
const UNIT_NAMES: [(&str, &str); 6] = [
    ("lon", "longitude"),
    ("lat", "latitude"),
    ("%RH", "relativeHumidity"),
    ("%EL", "batteryLevel"),
    ("Cel", "temperature"),
    ("pH", "pH"),
];

type Entity = (EntityId, TypeName);

fn whose(record: &Resolved, context: &Context) -> Result<(Entity, AttributeName), Problem> {
    let name = record.name.as_str();
    let known = context.entity.as_ref();
    if let Some(rest) = known.and_then(|(id, _)| after(name, id.as_str())) {
        return Ok((of_address(record, context)?, attribute_name(record, rest)?));
    }
    if let Some(tail) = name.strip_prefix("urn:ngsi-ld:") {
        return of_urn(record, tail, context);
    }
    let base = &name[..record.base_bytes];
    let rest = if name.starts_with("urn:dev:") {
        let serial_end = name
            .match_indices([':', '/'])
            .nth(3)
            .map_or(name.len(), |(at, _)| at);
        after(name, &name[..serial_end]).unwrap_or_default()
    } else if base.ends_with(['/', ':']) {
        &name[record.base_bytes..]
    } else {
        name
    };
    Ok((of_address(record, context)?, attribute_name(record, rest)?))
}

/// What follows `prefix` and a separator; empty when the name is the prefix alone.
fn after<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = name.strip_prefix(prefix)?;
    if rest.is_empty() {
        Some("")
    } else {
        rest.strip_prefix([':', '/'])
    }
}

fn of_address(record: &Resolved, context: &Context) -> Result<Entity, Problem> {
    context.entity.clone().ok_or_else(|| {
        Problem::new(
            "no-entity",
            format!("nothing says which entity \"{}\" belongs to", record.name),
            format!("[{}].n", record.index),
            "send to the device's own topic, or begin the base name with urn:ngsi-ld:<Type>:<name>/",
        )
    })
}

fn of_urn(
    record: &Resolved,
    tail: &str,
    context: &Context,
) -> Result<(Entity, AttributeName), Problem> {
    let shape = || {
        Problem::new(
            "senml-name",
            format!("\"{}\" does not end in an attribute", record.name),
            format!("[{}].n", record.index),
            "name it urn:ngsi-ld:<Type>:<name>/<attribute>",
        )
    };
    let (type_name, rest) = tail.split_once(':').ok_or_else(shape)?;
    let cut = rest
        .find('/')
        .or_else(|| rest.rfind(':'))
        .unwrap_or(rest.len());
    let attribute = rest[cut..].strip_prefix([':', '/']).unwrap_or_default();
    let id_bytes = record.name.len() - (rest.len() - cut);
    let entity_id = EntityId::new(&record.name[..id_bytes])
        .map_err(|problem| placed(problem, record.index, "n"))?;
    let entity_type = match &context.entity {
        Some((known, entity_type)) if *known == entity_id => entity_type.clone(),
        _ => TypeName::new(type_name).map_err(|problem| placed(problem, record.index, "n"))?,
    };
    Ok(((entity_id, entity_type), attribute_name(record, attribute)?))
}

fn attribute_name(record: &Resolved, name: &str) -> Result<AttributeName, Problem> {
    let by_unit = || {
        let unit = record.unit.as_deref()?;
        UNIT_NAMES
            .iter()
            .find(|(symbol, _)| *symbol == unit)
            .map(|(_, name)| *name)
    };
    let name = if name.is_empty() {
        by_unit().unwrap_or_default()
    } else {
        name
    };
    if name.is_empty() {
        return Err(Problem::new(
            "senml-name",
            format!(
                "\"{}\" names a device, but not what it measures",
                record.name
            ),
            format!("[{}].n", record.index),
            "end the base name with / or : and give each record a name, such as \"n\": \"waterLevel\"",
        ));
    }
    AttributeName::new(name).map_err(|problem| placed(problem, record.index, "n"))
}

fn placed(mut problem: Problem, index: usize, label: &str) -> Problem {
    problem.place = format!("[{index}].{label}");
    problem
}
