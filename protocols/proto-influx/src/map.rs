//! A line as an update. A declared [`LineMapping`] comes first; without one, a tag `entity_id` holding a
//! full URN (the measurement is the type), or a tag `id` (`urn:ngsi-ld:<measurement>:<id>`), or the
//! address's own entity. Each line stands alone: good lines go on, bad ones are told by number.

use crate::config::{Limits, LineMapping, Precision};
use crate::known::{Known, Series, SeriesKnown};
use crate::line::{self, Field, Head};
use model::problem::quote;
use model::{
    AttributeName, AttributeUpdate, EntityId, Problem, Quality, Timestamp, TypeName, Update, Value,
    unit,
};
use std::collections::BTreeMap;
use wire::{Context, Payload, PayloadDecoder};

/// Lines whose series are looked up together.
const TOGETHER: usize = 32;

/// The line-protocol decoder.
#[derive(Clone, Debug, Default)]
pub struct Influx {
    /// Limits of one message.
    pub limits: Limits,
    /// Precision of times where the door gives none.
    pub precision: Precision,
    mappings: Vec<LineMapping>,
    /// Where each measurement's mapping is.
    by_measurement: BTreeMap<String, usize>,
    known: Known,
}

/// What became of a message, with the first bad line for InfluxDB's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Updates and problems.
    pub payload: Payload,
    /// Number of the first line with a problem, from 1.
    pub first_bad_line: Option<usize>,
}

/// A line, and whose it is where that is known.
struct Told<'a> {
    /// From 1.
    number: usize,
    text: &'a str,
    head: Option<&'a str>,
    series: Option<Series>,
}

impl<'a> Told<'a> {
    fn of((number, text): (usize, &'a str)) -> Self {
        Self {
            number,
            text,
            head: line::plain_head(text),
            series: None,
        }
    }
}

impl Influx {
    /// A decoder with the declared mappings.
    ///
    /// # Errors
    /// The first mapping's fault; `mapping-duplicate` when a measurement is mapped twice.
    pub fn new(
        mappings: impl IntoIterator<Item = LineMapping>,
        limits: Limits,
    ) -> Result<Self, Problem> {
        let mut decoder = Self {
            limits,
            ..Self::default()
        };
        for mut mapping in mappings {
            mapping.check()?;
            // Once here, not for every value.
            for unit in mapping.units.values_mut() {
                if let Some(known) = unit::find(unit) {
                    *unit = known.code.to_owned();
                }
            }
            let measurement = mapping.measurement.clone();
            let at = decoder.mappings.len();
            if (decoder.by_measurement.insert(measurement.clone(), at)).is_some() {
                return Err(Problem::new(
                    "mapping-duplicate",
                    format!("the measurement {measurement} is mapped twice"),
                    format!("lines.{measurement}"),
                    "keep one of the two",
                ));
            }
            decoder.mappings.push(mapping);
        }
        Ok(decoder)
    }

    /// Reads a message whose times have the given precision.
    pub fn decode_lines(&self, bytes: &[u8], precision: Precision, context: &Context) -> Outcome {
        match self.read(bytes, precision, context) {
            Ok(outcome) => outcome,
            Err(problem) => Outcome {
                payload: Payload::refused(problem),
                first_bad_line: None,
            },
        }
    }

    fn read(
        &self,
        bytes: &[u8],
        precision: Precision,
        context: &Context,
    ) -> Result<Outcome, Problem> {
        if bytes.len() > self.limits.message_bytes_max {
            return Err(Problem::new(
                "message-too-long",
                format!("the message has {} bytes", bytes.len()),
                "message",
                format!(
                    "send at most {} bytes at once",
                    self.limits.message_bytes_max
                ),
            ));
        }
        let text = std::str::from_utf8(bytes).map_err(|e| {
            Problem::new(
                "line-utf8",
                "the message is not UTF-8 text",
                format!("byte {}", e.valid_up_to()),
                "send lines encoded as UTF-8",
            )
        })?;
        // About as many as lines of the usual length.
        const LINE_BYTES: usize = 64;
        let mut outcome = Outcome::default();
        outcome.payload.updates.reserve(bytes.len() / LINE_BYTES);
        let mut known = self.known.lend();
        let (mut count, mut left_out) = (0, 0);
        let mut lines = line::lines(text).map(Told::of);
        let mut some = Vec::with_capacity(TOGETHER);
        loop {
            some.clear();
            some.extend(lines.by_ref().take(TOGETHER));
            if some.is_empty() {
                break;
            }
            // Looked up together: each waits for places of memory of its own.
            for told in &mut some {
                told.series = told.head.and_then(|head| known.get(head));
            }
            for told in some.drain(..) {
                let number = told.number;
                count += 1;
                if count > self.limits.lines_max {
                    return Err(Problem::new(
                        "too-many-lines",
                        format!("the message has more than {} lines", self.limits.lines_max),
                        format!("line {number}"),
                        format!("send at most {} lines at once", self.limits.lines_max),
                    ));
                }
                let mut problems = Vec::new();
                match self.update(told, precision, context, &mut known, &mut problems) {
                    Ok(update) => outcome.payload.updates.extend(update),
                    Err(problem) => problems.push(problem),
                }
                for mut problem in problems {
                    outcome.first_bad_line.get_or_insert(number);
                    problem.place = format!("line {number} {}", problem.place)
                        .trim_end()
                        .to_owned();
                    if outcome.payload.problems.len() < self.limits.problems_max {
                        outcome.payload.problems.push(problem);
                    } else {
                        left_out += 1;
                    }
                }
            }
        }
        if count == 0 {
            return Err(Problem::new(
                "no-lines",
                "the message holds no line",
                "message",
                "send at least one line, such as WaterObserved,id=7 waterLevel=28.5",
            ));
        }
        if left_out > 0 {
            outcome.payload.problems.push(Problem::new(
                "more-problems",
                format!("{left_out} more problems in this message"),
                "message",
                "mend those listed, then send it again",
            ));
        }
        Ok(outcome)
    }

    /// The line's update; `None` when every field was bad.
    fn update(
        &self,
        told: Told<'_>,
        precision: Precision,
        context: &Context,
        known: &mut SeriesKnown<'_>,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<Update>, Problem> {
        let Told {
            text,
            head: plain,
            series,
            ..
        } = told;
        // A line that cannot be read is told before one that belongs nowhere.
        let (series, mapping, from) = match plain.zip(series) {
            Some((head, series)) => {
                let mapping = series.mapping;
                (Ok(series), mapping, head.len())
            }
            None => {
                let (head, from) = line::head(text, &self.limits)?;
                let mapping = self.by_measurement.get(head.measurement.as_ref());
                let mapping = mapping.copied();
                (
                    self.series(&head, mapping, plain, context, known),
                    mapping,
                    from,
                )
            }
        };
        let mapping = mapping.map(|at| &self.mappings[at]);
        let mut attributes: Vec<AttributeUpdate> = Vec::with_capacity(1);
        let mut bad = Vec::new();
        let time = line::fields(text, from, &self.limits, |name, field| {
            // The time stands behind the fields.
            match attribute(&name, &field, mapping, context.received_at) {
                Ok(attribute) if attributes.iter().any(|other| other.name == attribute.name) => {
                    let what = format!("the field \"{}\" comes twice", quote(&name));
                    bad.push(Problem::new(
                        "duplicate-key",
                        what,
                        "",
                        "send each field once in a line",
                    ));
                }
                Ok(attribute) => attributes.push(attribute),
                Err(problem) => bad.push(problem),
            }
        })?;
        let series = series?;
        if let Some(time) = time {
            let observed_at = moment(time, precision)?;
            for attribute in &mut attributes {
                attribute.observed_at = observed_at;
            }
        }
        problems.extend(bad);
        let update = Update {
            entity_id: series.entity_id,
            entity_type: series.entity_type,
            attributes,
        };
        Ok((!update.attributes.is_empty()).then_some(update))
    }

    /// Whose series a head names. It is remembered when the head alone says so.
    fn series(
        &self,
        head: &Head<'_>,
        mapping: Option<usize>,
        plain: Option<&str>,
        context: &Context,
        known: &mut SeriesKnown<'_>,
    ) -> Result<Series, Problem> {
        let told = whose(head, mapping.map(|at| &self.mappings[at]))?;
        let Some((entity_id, entity_type)) = told else {
            let of_context = |(entity_id, entity_type)| Series {
                entity_id,
                entity_type,
                mapping,
            };
            return (context.entity.clone().map(of_context)).ok_or_else(|| no_entity(head));
        };
        let series = Series {
            entity_id,
            entity_type,
            mapping,
        };
        if let Some(plain) = plain {
            known.remember(plain, &series);
        }
        Ok(series)
    }
}

impl PayloadDecoder for Influx {
    fn name(&self) -> &'static str {
        "influx"
    }

    fn recognises(&self, bytes: &[u8], _content_type: Option<&str>) -> bool {
        // JSON, XML and binary formats do not begin with a letter and go on with a space and `=`.
        const LOOKED_AT_BYTES: usize = 512;
        let text = bytes.trim_ascii_start();
        let head = &text[..text.len().min(LOOKED_AT_BYTES)];
        let space = head.iter().position(|b| *b == b' ');
        head.first()
            .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_' || *b >= 0x80)
            && space.is_some_and(|at| head[at..].contains(&b'='))
    }

    fn decode(&self, bytes: &[u8], context: &Context) -> Payload {
        self.decode_lines(bytes, self.precision, context).payload
    }
}

fn moment(time: i64, precision: Precision) -> Result<Timestamp, Problem> {
    let micros = match precision {
        Precision::Nanoseconds => Some(time.div_euclid(1_000)),
        Precision::Microseconds => Some(time),
        Precision::Milliseconds => time.checked_mul(1_000),
        Precision::Seconds => time.checked_mul(1_000_000),
    };
    micros.map(Timestamp::from_micros).ok_or_else(|| {
        Problem::new(
            "line-time",
            format!("{time} is beyond any time in this precision"),
            "time",
            "check the precision of the request: ns, us, ms or s",
        )
    })
}

/// Whom a head names; `None` when it leaves that to the address.
fn whose(
    head: &Head<'_>,
    mapping: Option<&LineMapping>,
) -> Result<Option<(EntityId, TypeName)>, Problem> {
    let tag = |name: &str| {
        let found = head.tags.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_ref())
    };
    if let Some(mapping) = mapping {
        let id = EntityId::new(mapping.entity_id(tag)?).map_err(|p| placed(p, "entity_id"))?;
        return Ok(Some((id, mapping.entity_type.clone())));
    }
    let measured_type = || TypeName::new(&head.measurement).map_err(|p| placed(p, "measurement"));
    if let Some(urn) = tag("entity_id") {
        let id = EntityId::new(urn).map_err(|p| placed(p, "tag entity_id"))?;
        return Ok(Some((id, measured_type()?)));
    }
    if let Some(name) = tag("id") {
        let entity_type = measured_type()?;
        let id = EntityId::new(format!("urn:ngsi-ld:{entity_type}:{name}"))
            .map_err(|p| placed(p, "tag id"))?;
        return Ok(Some((id, entity_type)));
    }
    Ok(None)
}

fn no_entity(head: &Head<'_>) -> Problem {
    let measurement = quote(&head.measurement);
    Problem::new(
        "no-entity",
        format!("nothing says which entity a line of \"{measurement}\" belongs to"),
        "",
        format!(
            "declare a mapping: [[lines]] measurement = \"{measurement}\", entity_type = \"…\", \
             entity_id = \"urn:ngsi-ld:…:{{tag}}\"; or send a tag entity_id or id"
        ),
    )
}

fn attribute(
    name: &str,
    field: &Field<'_>,
    mapping: Option<&LineMapping>,
    observed_at: Timestamp,
) -> Result<AttributeUpdate, Problem> {
    let place = || format!("field {}", quote(name));
    let renamed = mapping.and_then(|mapping| mapping.fields.get(name));
    let attribute_name = match renamed {
        Some(renamed) => renamed.clone(),
        None => AttributeName::new(name).map_err(|p| placed(p, &place()))?,
    };
    let unit = mapping.and_then(|mapping| mapping.units.get(name).cloned());
    let value = match field {
        Field::Float(number) => Value::number(*number).map_err(|p| placed(p, &place()))?,
        Field::Integer(number) => Value::Number(*number as f64),
        Field::Unsigned(number) => Value::Number(*number as f64),
        Field::Boolean(boolean) => Value::Boolean(*boolean),
        Field::Text(text) => Value::Text(text.to_string()),
    };
    let quality = match (&value, &unit) {
        // A line has no place for a unit.
        (Value::Number(_), None) => Quality::UnitAssumed,
        _ => Quality::Good,
    };
    Ok(AttributeUpdate {
        name: attribute_name,
        value,
        unit,
        observed_at,
        quality,
    })
}

fn placed(mut problem: Problem, place: &str) -> Problem {
    problem.place = place.to_owned();
    problem
}
