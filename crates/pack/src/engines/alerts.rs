//! The alert rules over a department's own readings: the production engine, fed by the rows of a file.

use super::Rows;
use crate::packs::Packs;
use engine::{Column, Description, wrong};
use model::problem::quote;
use model::{
    AttributeName, AttributeUpdate, Calendars, EntityId, Problem, Quality, Timestamp, TypeName,
    Update, Value, ValueKind,
};
use rules::RuleEvent;

pub(super) const DESCRIPTION: Description = Description {
    name: "rule-alerts",
    pack: "every pack with rules",
    title_zh: "按告警规则判断读数",
    title_en: "What the alert rules say of readings",
    method: "The rules of the packs that follow no working calendar, in the engine that judges the city's own data: \
                 crates/rules/src/engine.rs. A row counts as received when it was observed; rows come in the order of their times",
    reference: "",
    version: 1,
    input: &[
        Column {
            name: "type",
            what: "the entity type, such as WaterObserved",
        },
        Column {
            name: "entity",
            what: "the entity's id, such as urn:ngsi-ld:WaterObserved:1",
        },
        Column {
            name: "attribute",
            what: "the attribute, declared by a pack",
        },
        Column {
            name: "time",
            what: "when it was observed, RFC 3339, not before the row above",
        },
        Column {
            name: "value",
            what: "the value, in the declared unit; true or false for a yes or no",
        },
    ],
    output: &[
        Column {
            name: "raised",
            what: "the rules that raised an alert by this row or before it since the row above, each with its entity",
        },
        Column {
            name: "cleared",
            what: "the rules whose alerts ended, each with its entity",
        },
    ],
    parameters: &[],
};

pub(super) fn begin(packs: &Packs) -> Result<Rows<'_>, Vec<Problem>> {
    let calendars = Calendars::default();
    let all = packs.rules.iter();
    let all = all.filter(|rule| rule.during.is_none()).cloned();
    let mut all: Vec<_> = all.collect();
    let known: Vec<String> = all.iter().map(|rule| rule.id.clone()).collect();
    for rule in &mut all {
        rule.suppressed_by
            .retain(|by| known.iter().any(|id| id == by.rule()));
    }
    let mut engine = rules::Engine::new(all, &packs.catalogue, &calendars)?;
    let limits = admission::Limits::default();
    let (mut position, mut now) = (0, Timestamp::default());
    Ok(Box::new(move |cells: &[&str]| {
        let (update, at) = update(packs, cells)?;
        if at < now {
            return Err(wrong(
                format!("{at} lies before the row above"),
                "order the rows by time",
            ));
        }
        let (update, bad) = admission::admit(update, &packs.catalogue, &limits, at);
        if let Some(problem) = bad.into_iter().next() {
            return Err(problem);
        }
        now = at;
        position += 1;
        let mut events = engine.tick(at);
        if let Some(update) = update {
            events.extend(engine.observe(position, &update, at));
        }
        let of = |is: fn(&RuleEvent) -> bool| {
            let told = events.iter().filter(|event| is(event));
            let told = told.map(|event| format!("{} {}", event.rule_id(), event.entity_id()));
            told.collect::<Vec<_>>().join("; ")
        };
        Ok(vec![
            of(|event| matches!(event, RuleEvent::Raised(_))),
            of(|event| matches!(event, RuleEvent::Cleared(_))),
        ])
    }))
}

fn update(packs: &Packs, cells: &[&str]) -> Result<(Update, Timestamp), Problem> {
    let &[kind, entity, attribute, time, value] = cells else {
        return Err(wrong("the row is too short", "give it every column"));
    };
    let declared = packs.catalogue.attribute(kind, attribute);
    let declared = declared.ok_or_else(|| {
        wrong(
            format!("no pack declares {} of {}", quote(attribute), quote(kind)),
            "take a type and an attribute of a pack",
        )
    })?;
    let at = Timestamp::parse(time).map_err(|_| {
        wrong(
            format!("{} is no time", quote(time)),
            "write it as 2026-07-01T08:00:00+08:00",
        )
    })?;
    let value = match (declared.value, value) {
        (ValueKind::Text, text) => Value::Text(text.to_owned()),
        (ValueKind::Boolean, "true") => Value::Boolean(true),
        (ValueKind::Boolean, "false") => Value::Boolean(false),
        (ValueKind::Relationship, id) => Value::Relationship(EntityId::new(id)?),
        (ValueKind::Number, text) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
            Value::Number(text.parse().unwrap_or_default())
        }
        (_, text) => {
            return Err(wrong(
                format!("{} is no value of {attribute}", quote(text)),
                "write a number, true or false, a text or an id, as the attribute is declared",
            ));
        }
    };
    let update = Update {
        entity_id: EntityId::new(entity)?,
        entity_type: TypeName::new(kind)?,
        attributes: vec![AttributeUpdate {
            name: AttributeName::new(attribute)?,
            value,
            unit: None,
            observed_at: at,
            // A row has no place for a unit: the declared one is meant.
            quality: Quality::UnitAssumed,
        }],
    };
    Ok((update, at))
}
