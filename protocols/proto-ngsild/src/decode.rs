//! A message's tree ⇄ entities: whose, of what type, at what time; then each attribute on its own, so
//! that one bad attribute leaves the others standing.

use crate::attribute::{self, duplicate_problem};
use crate::config::Limits;
use crate::json::{self, Json, Members};
use model::problem::quote;
use model::{AttributeName, AttributeUpdate, EntityId, Problem, Timestamp, TypeName, Update};
use wire::{Context, Payload, PayloadDecoder};

/// The NGSI-LD payload decoder.
#[derive(Clone, Debug, Default)]
pub struct NgsiLd {
    /// Limits of one message.
    pub limits: Limits,
}

/// What became of one entity of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityOutcome {
    /// Its id as sent or known from the address, when there is one.
    pub id: Option<String>,
    /// What it says; `None` when nothing of it was understood.
    pub update: Option<Update>,
    /// What was not understood.
    pub problems: Vec<Problem>,
}

impl NgsiLd {
    /// Reads a batch, entity by entity, in the message's order.
    ///
    /// # Errors
    /// When the message as a whole is unreadable: no JSON, neither an object nor an array, beyond a limit.
    pub fn decode_batch(
        &self,
        bytes: &[u8],
        context: &Context,
    ) -> Result<Vec<EntityOutcome>, Problem> {
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
        let items = match json::parse(bytes, self.limits.depth_max)? {
            Json::Array(items) => items,
            entity @ Json::Object(_) => return Ok(vec![self.entity(&entity, None, context)]),
            other => return Err(not_an_entity(&other, "message")),
        };
        if items.is_empty() {
            return Err(Problem::new(
                "no-entities",
                "the array holds no entity",
                "message",
                "send at least one entity",
            ));
        }
        if items.len() > self.limits.entities_max {
            return Err(Problem::new(
                "too-many-entities",
                format!("the message holds {} entities", items.len()),
                "message",
                format!("send at most {} entities at once", self.limits.entities_max),
            ));
        }
        let read = |(n, item)| self.entity(item, Some(n), context);
        Ok(items.iter().enumerate().map(read).collect())
    }

    fn entity(&self, json: &Json<'_>, index: Option<usize>, context: &Context) -> EntityOutcome {
        let mut outcome = EntityOutcome {
            id: None,
            update: None,
            problems: Vec::new(),
        };
        let entity = Entity {
            index,
            limits: &self.limits,
        };
        match json {
            Json::Object(members) => {
                if let Err(problem) = entity.read(members, context, &mut outcome) {
                    outcome.problems.push(problem);
                }
            }
            other => outcome
                .problems
                .push(not_an_entity(other, &entity.place(""))),
        }
        outcome
    }
}

impl PayloadDecoder for NgsiLd {
    fn name(&self) -> &'static str {
        "ngsi-ld"
    }

    fn recognises(&self, bytes: &[u8], content_type: Option<&str>) -> bool {
        if let Some(said) = content_type {
            let essence = said.split(';').next().unwrap_or_default().trim();
            if essence.eq_ignore_ascii_case("application/ld+json") {
                return true;
            }
            if essence.to_ascii_lowercase().contains("senml") {
                return false;
            }
        }
        let text = bytes.trim_ascii_start();
        text.starts_with(b"{") || (text.starts_with(b"[") && !opens_as_senml(text))
    }

    fn decode(&self, bytes: &[u8], context: &Context) -> Payload {
        let outcomes = match self.decode_batch(bytes, context) {
            Ok(outcomes) => outcomes,
            Err(problem) => return Payload::refused(problem),
        };
        let mut payload = Payload::default();
        let mut left_out = 0;
        for outcome in outcomes {
            payload.updates.extend(outcome.update);
            for problem in outcome.problems {
                if payload.problems.len() < self.limits.problems_max {
                    payload.problems.push(problem);
                } else {
                    left_out += 1;
                }
            }
        }
        if left_out > 0 {
            payload.problems.push(Problem::new(
                "more-problems",
                format!("{left_out} more problems in this message"),
                "message",
                "mend those listed, then send it again",
            ));
        }
        payload
    }
}

/// Whether the first record's first member is a SenML label (RFC 8428): such an array is SenML's.
fn opens_as_senml(text: &[u8]) -> bool {
    const LABELS: [&str; 15] = [
        "bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut",
    ];
    let object = text[1..]
        .trim_ascii_start()
        .strip_prefix(b"{")
        .unwrap_or_default();
    let key = object
        .trim_ascii_start()
        .strip_prefix(b"\"")
        .unwrap_or_default();
    let end = key.iter().take(8).position(|b| *b == b'"').unwrap_or(0);
    LABELS.iter().any(|label| label.as_bytes() == &key[..end])
}

/// Shortens the full name of a term of the core or the default context to the term.
pub(crate) fn shorten(name: &str) -> &str {
    const DEFAULT: &str = "https://uri.etsi.org/ngsi-ld/default-context/";
    const CORE: &str = "https://uri.etsi.org/ngsi-ld/";
    name.strip_prefix(DEFAULT)
        .or_else(|| name.strip_prefix(CORE))
        .unwrap_or(name)
}

fn not_an_entity(found: &Json<'_>, place: &str) -> Problem {
    Problem::new(
        "not-an-entity",
        format!("found {} where an entity belongs", found.kind()),
        place,
        "send an object such as {\"id\":\"urn:ngsi-ld:WaterObserved:1\",\"type\":\"WaterObserved\",\"waterLevel\":28.5}",
    )
}

/// Members of an entity that are not attributes, and those that a server gives.
const RESERVED: [&str; 8] = [
    "id",
    "@id",
    "type",
    "@type",
    "@context",
    "createdAt",
    "modifiedAt",
    "deletedAt",
];
/// Members that give the time of all attributes that have none of their own.
const TIMES: [&str; 4] = ["observedAt", "timestamp", "dateObserved", "TimeInstant"];

struct Entity<'l> {
    index: Option<usize>,
    limits: &'l Limits,
}

impl Entity<'_> {
    fn place(&self, within: &str) -> String {
        match (self.index, within.is_empty()) {
            (None, true) => "entity".to_owned(),
            (None, false) => within.to_owned(),
            (Some(n), true) => format!("[{n}]"),
            (Some(n), false) => format!("[{n}].{within}"),
        }
    }

    fn placed(&self, mut problem: Problem, within: &str) -> Problem {
        let tail = if problem.place.starts_with('.') {
            problem.place.as_str()
        } else {
            ""
        };
        problem.place = self.place(&format!("{within}{tail}"));
        problem
    }

    fn read(
        &self,
        members: &Members<'_>,
        context: &Context,
        outcome: &mut EntityOutcome,
    ) -> Result<(), Problem> {
        let sent_id = json::member(members, "id").or_else(|| json::member(members, "@id"));
        outcome.id = match sent_id {
            Some(json) => json.as_text().map(str::to_owned),
            None => context.entity.as_ref().map(|(id, _)| id.to_string()),
        };
        if let Some(key) = json::duplicate(members) {
            return Err(self.placed(duplicate_problem(key), key));
        }
        if members.len() > self.limits.attributes_max + RESERVED.len() {
            return Err(Problem::new(
                "too-many-attributes",
                format!("the entity has {} members", members.len()),
                self.place(""),
                format!(
                    "send at most {} attributes at once",
                    self.limits.attributes_max
                ),
            ));
        }
        let entity_id = self.id(sent_id, context)?;
        let entity_type = self.type_name(members, &entity_id, context)?;
        let time = self.time(members)?;
        let mut attributes = Vec::with_capacity(members.len());
        for (key, json) in members {
            if RESERVED.contains(&key.as_ref()) || is_time(key, json) {
                continue;
            }
            match self.attribute(key, json, time, context) {
                Ok(attribute) => attributes.push(attribute),
                Err(problem) => outcome.problems.push(problem),
            }
        }
        if !attributes.is_empty() {
            outcome.update = Some(Update {
                entity_id,
                entity_type,
                attributes,
            });
        } else if outcome.problems.is_empty() {
            return Err(Problem::new(
                "no-attributes",
                "the entity has no attribute",
                self.place(""),
                "send at least one attribute, such as \"waterLevel\": 28.5",
            ));
        }
        Ok(())
    }

    fn id(&self, sent: Option<&Json<'_>>, context: &Context) -> Result<EntityId, Problem> {
        match (sent, &context.entity) {
            // A device mostly names itself, and its id was checked when it signed in.
            (Some(Json::Text(text)), Some((id, _))) if text == id.as_str() => Ok(id.clone()),
            (Some(Json::Text(text)), _) => {
                EntityId::new(text).map_err(|problem| self.placed(problem, "id"))
            }
            (Some(other), _) => Err(Problem::new(
                "id-type",
                format!("the id is {}", other.kind()),
                self.place("id"),
                "send the id as text: urn:ngsi-ld:<Type>:<name>",
            )),
            (None, Some((id, _))) => Ok(id.clone()),
            (None, None) => Err(Problem::new(
                "id-missing",
                "the entity has no id, and the address names none",
                self.place("id"),
                "add \"id\": \"urn:ngsi-ld:<Type>:<name>\", or send to the device's own topic",
            )),
        }
    }

    fn type_name(
        &self,
        members: &Members<'_>,
        id: &EntityId,
        context: &Context,
    ) -> Result<TypeName, Problem> {
        let sent = json::member(members, "type").or_else(|| json::member(members, "@type"));
        let sent = match sent {
            Some(Json::Array(types)) if types.len() == 1 => types.first(),
            other => other,
        };
        match (sent, &context.entity) {
            (Some(Json::Text(text)), _) => {
                TypeName::new(shorten(text)).map_err(|problem| self.placed(problem, "type"))
            }
            (Some(other), _) => Err(Problem::new(
                "type-type",
                format!("the entity's type is {}", other.kind()),
                self.place("type"),
                "send one type as text, such as \"WaterObserved\"",
            )),
            (None, Some((known, type_name))) if known == id => Ok(type_name.clone()),
            (None, _) => Err(Problem::new(
                "type-missing",
                format!("the entity {id} has no type"),
                self.place("type"),
                "add \"type\", such as \"WaterObserved\"",
            )),
        }
    }

    /// The time of attributes that have none of their own. A time that cannot be read refuses the
    /// entity: taking the receipt time instead would be a false time.
    fn time(&self, members: &Members<'_>) -> Result<Option<Timestamp>, Problem> {
        for name in TIMES {
            let Some((_, json)) = members
                .iter()
                .find(|(key, json)| key == name && is_time(key, json))
            else {
                continue;
            };
            let text = time_text(json);
            return attribute::time(text)
                .map(Some)
                .map_err(|problem| self.placed(problem, name));
        }
        Ok(None)
    }

    fn attribute(
        &self,
        key: &str,
        json: &Json<'_>,
        entity_time: Option<Timestamp>,
        context: &Context,
    ) -> Result<AttributeUpdate, Problem> {
        let name = AttributeName::new(shorten(key)).map_err(|p| self.placed(p, &quote(key)))?;
        let said = attribute::read(json, self.limits).map_err(|p| self.placed(p, &quote(key)))?;
        Ok(AttributeUpdate {
            name,
            value: said.value,
            unit: said.unit,
            observed_at: said
                .observed_at
                .or(entity_time)
                .unwrap_or(context.received_at),
            quality: said.quality,
        })
    }
}

/// Whether a member gives the entity's time: one of [`TIMES`], bare, or a property of a JSON-LD DateTime.
fn is_time(key: &str, json: &Json<'_>) -> bool {
    TIMES.contains(&key) && !matches!(time_text(json), Json::Object(_) | Json::Array(_))
}

/// The text inside `"…"`, `{"value": "…"}`, `{"value": {"@type": "DateTime", "@value": "…"}}`.
fn time_text<'j, 'a>(json: &'j Json<'a>) -> &'j Json<'a> {
    ["value", "@value"].iter().fold(json, |json, name| {
        json.as_members()
            .and_then(|members| json::member(members, name))
            .unwrap_or(json)
    })
}
