//! The literate vectors of `vectors/*.md`: those of payloads have a block `json`, those of the language a block `ld`.

use model::{EntityId, Timestamp, TypeName};
use proto_ngsild::compact::{self, Form, Members, View, languages};
use proto_ngsild::context::{Context, ContextLimits, Resolved, resolve};
use proto_ngsild::entity::{Attribute, Entity};
use proto_ngsild::expand::{Expansion, Task};
use proto_ngsild::patch::{self, Merging, Outcome, Which};
use proto_ngsild::refusal::Refusal;
use proto_ngsild::{Limits, NgsiLd, json};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use testkit::vectors::Vector;
use testkit::{render, vectors};
use wire::{Context as Arrival, PayloadDecoder};

#[test]
fn vectors() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    vectors::check(&dir, |vector| match vector.block("ld") {
        Some(text) => vec![(
            "shown",
            language(vector, text).unwrap_or_else(|refusal| refused(&refusal)),
        )],
        None => vec![("updates", payload(vector))],
    });
}

fn payload(vector: &Vector) -> String {
    let entity = vector.block("entity").map(|text| {
        let (id, name) = text
            .split_once(' ')
            .unwrap_or_else(|| vector.fail("entity: ID TYPE"));
        (EntityId::new(id).unwrap(), TypeName::new(name).unwrap())
    });
    let received_at = Timestamp::parse("2026-11-23T08:00:05Z").unwrap();
    let context = Arrival {
        received_at,
        entity,
    };
    let json = vector
        .block("json")
        .unwrap_or_else(|| vector.fail("no `json` block"));
    let decoder = NgsiLd::default();
    assert!(
        decoder.recognises(json.as_bytes(), None),
        "{}",
        vector.title
    );
    render::payload(&decoder.decode(json.as_bytes(), &context))
}

fn refused(refusal: &Refusal) -> String {
    format!(
        "{} {}\n{}",
        refusal.kind.name(),
        refusal.told.code,
        refusal.told
    )
}

fn context_of(vector: &Vector, name: &str) -> Result<Arc<Context>, Refusal> {
    let Some(text) = vector.block(name) else {
        return Ok(Context::core());
    };
    let json: Value = serde_json::from_str(text).unwrap();
    match resolve(&json, &|_| None, &ContextLimits::default())? {
        Resolved::Whole(context) => Ok(context),
        Resolved::Needs(urls) => vector.fail(&format!("{urls:?}")),
    }
}

fn expand<T>(
    context: &Context,
    task: Task,
    text: &str,
    read: impl Fn(&Expansion<'_>, &json::Json<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let limits = Limits::default();
    let tree = json::parse(text.as_bytes(), limits.depth_max).unwrap();
    read(
        &Expansion {
            context,
            limits: &limits,
            task,
        },
        &tree,
    )
}

/// The same with the keys in their order: in which order they come otherwise is a feature of the library that other crates may switch on.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let fields = keys.into_iter().filter_map(|key| {
                let value = map.get(key)?;
                Some((key.clone(), sorted(value)))
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// Expands `ld` with `context`, applies `patch` (an operation on the first line, then its fragment), and shows it as the first
/// words of `view` say, with the context `shown-with` or else the same.
fn language(vector: &Vector, text: &str) -> Result<String, Refusal> {
    let context = context_of(vector, "context")?;
    let made = Timestamp::parse("2026-11-23T08:00:05Z").unwrap();
    let mut entity = expand(&context, Task::Whole, text, |e, json| e.entity(json))?;
    patch::create(&mut entity, made);
    let mut told = String::new();
    if let Some(text) = vector.block("patch") {
        let outcome = apply(vector, &context, &mut entity, text)?;
        if let (status @ 207, Some(body)) = outcome.answer() {
            told = format!(
                "{status} {}\n",
                serde_json::to_string_pretty(&sorted(&body)).unwrap()
            );
        }
    }
    let shown_with = match vector.block("shown-with") {
        Some(_) => context_of(vector, "shown-with")?,
        None => context,
    };
    let mut view = View::default();
    let mut geometry = None;
    for word in vector.block("view").unwrap_or_default().split_whitespace() {
        match word.split_once('=').unwrap_or((word, "")) {
            ("concise", _) => view.form = Form::Concise,
            ("simplified", _) => view.form = Form::Simplified,
            ("sysAttrs", _) => view.sys_attrs = true,
            ("lang", tags) => view.languages = languages(tags),
            ("pick", list) => view.pick = Some(Members::parse(list, &shown_with)?),
            ("omit", list) => view.omit = Some(Members::parse(list, &shown_with)?),
            ("datasetId", id) => view.datasets = Some(vec![(id != "@none").then(|| id.into())]),
            ("geojson", property) => geometry = Some(shown_with.expand(property)),
            _ => vector.fail(word),
        }
    }
    let shown = match geometry {
        Some(property) => compact::feature(&entity, &shown_with, &view, &property),
        None => compact::entity(&entity, &shown_with, &view),
    };
    Ok(told + &serde_json::to_string_pretty(&sorted(&Value::Object(shown))).unwrap())
}

fn apply(
    vector: &Vector,
    context: &Context,
    entity: &mut Entity,
    text: &str,
) -> Result<Outcome, Refusal> {
    let now = Timestamp::parse("2026-11-24T09:00:00Z").unwrap();
    let (operation, body) = text.split_once('\n').unwrap_or((text, "{}"));
    let words: Vec<&str> = operation.split_whitespace().collect();
    let fragment = |task| expand(context, task, body, |e, json| e.entity(json));
    let one = |task, name: &str| -> Result<Attribute, Refusal> {
        let (_, mut instances) = expand(context, task, body, |e, json| e.attribute(name, json))?;
        Ok(instances.remove(0))
    };
    Ok(match words.as_slice() {
        ["append"] => patch::append(entity, fragment(Task::Append)?, true, now),
        ["append", "noOverwrite"] => patch::append(entity, fragment(Task::Append)?, false, now),
        ["update"] => patch::update(entity, fragment(Task::Update)?, now),
        ["merge"] => patch::merge(
            entity,
            fragment(Task::Merge)?,
            &Merging::default(),
            context,
            now,
        ),
        ["merge", language] => {
            let merging = Merging {
                language: Some(language),
                observed: Some(now),
            };
            patch::merge(entity, fragment(Task::Merge)?, &merging, context, now)
        }
        ["replace"] => patch::replace(entity, fragment(Task::Whole)?, now),
        ["partial", name] => {
            patch::partial_update(entity, &context.name(name)?, one(Task::Update, name)?, now)?
        }
        ["replace", name] => {
            patch::replace_attribute(entity, &context.name(name)?, one(Task::Append, name)?, now)?
        }
        ["delete", name] => {
            patch::delete_attribute(entity, &context.name(name)?, &Which::Default, now)?
        }
        ["delete", name, "all"] => {
            patch::delete_attribute(entity, &context.name(name)?, &Which::All, now)?
        }
        ["delete", name, id] => patch::delete_attribute(
            entity,
            &context.name(name)?,
            &Which::Dataset((*id).into()),
            now,
        )?,
        _ => vector.fail(operation),
    })
}
