//! What operations do to an entity (clauses 5.5.8, 5.5.12 and 5.6): the entity, a fragment and the time in; the entity changed in
//! place, and which instances changed, out. Nothing is changed where something is refused.

use crate::NULL_URN;
use crate::context::{Context, Iri};
use crate::entity::{Attribute, Attributes, Entity, Held, Member, Several};
use crate::refusal::{ErrorType, Refusal, bad};
use model::Timestamp;
use model::problem::{both, quote};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What became of an operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Instances that were made, replaced or changed.
    pub updated: Vec<(Iri, Option<Iri>)>,
    /// Instances that were taken away.
    pub deleted: Vec<(Iri, Option<Iri>)>,
    /// Instances of which nothing came, with why.
    pub not_updated: Vec<(Iri, Refusal)>,
    /// Whether types, scopes or the end of the entity's life changed.
    pub head_changed: bool,
}

impl Outcome {
    /// Whether anything changed.
    pub fn is_change(&self) -> bool {
        self.head_changed || !self.updated.is_empty() || !self.deleted.is_empty()
    }

    /// The status and the body (clause 5.2.18): 204, or 207 with what came of which attribute, by full names.
    pub fn answer(&self) -> (u16, Option<Value>) {
        if self.not_updated.is_empty() {
            return (204, None);
        }
        let updated: Vec<&Iri> = self
            .updated
            .iter()
            .chain(&self.deleted)
            .map(|(name, _)| name)
            .collect();
        let not_updated: Vec<Value> = (self.not_updated.iter())
            .map(|(name, refusal)| json!({"attributeName": name, "reason": refusal.told.what.en, "problem": refusal.to_json()}))
            .collect();
        (
            207,
            Some(json!({"updated": updated, "notUpdated": not_updated})),
        )
    }

    fn updates(&mut self, name: &Iri, one: &Attribute) {
        self.updated.push((name.clone(), one.dataset.clone()));
    }
}

/// How a merge is done (clause 5.6.17).
#[derive(Clone, Copy, Debug, Default)]
pub struct Merging<'m> {
    /// The language that a plain text is of, where a map of languages is.
    pub language: Option<&'m str>,
    /// The time that merged attributes get that had one and bring none.
    pub observed: Option<Timestamp>,
}

fn no_instance(name: &str) -> Refusal {
    Refusal::new(
        ErrorType::ResourceNotFound,
        "no-such-attribute",
        both(
            "实体没有这个属性（或没有这个 datasetId 的实例）",
            "the entity has no such attribute, or no instance of this datasetId",
        ),
        quote(name).as_str(),
        both("请先追加它", "append it first"),
    )
}

fn exists(name: &str) -> Refusal {
    Refusal::new(
        ErrorType::AlreadyExists,
        "attribute-exists",
        both(
            "属性已存在，且要求不覆盖",
            "the attribute is there already, and nothing is to be overwritten",
        ),
        quote(name).as_str(),
        both(
            "请去掉 noOverwrite，或用更新操作",
            "leave noOverwrite out, or use an update",
        ),
    )
}

/// Makes an entity of what was sent: its times begin now.
pub fn create(entity: &mut Entity, now: Timestamp) {
    entity.times.created = Some(now);
    entity.times.modified = Some(now);
    for (_, instances) in &mut entity.attributes {
        instances.iter_mut().for_each(|one| born(one, now));
    }
}

fn born(one: &mut Attribute, now: Timestamp) {
    one.times.created = Some(now);
    one.times.modified = Some(now);
    for (_, instances) in &mut one.subs {
        instances.iter_mut().for_each(|one| born(one, now));
    }
}

/// Append Attributes (clause 5.6.3).
pub fn append(entity: &mut Entity, fragment: Entity, overwrite: bool, now: Timestamp) -> Outcome {
    let mut outcome = Outcome::default();
    add_types(entity, fragment.types, &mut outcome);
    if let Some(scopes) = fragment.scopes {
        add_scopes(entity, scopes, overwrite, &mut outcome);
    }
    expire(entity, fragment.times.expires, &mut outcome);
    for (name, instances) in fragment.attributes {
        for one in instances {
            if !overwrite && position(&entity.attributes, &name, &one).is_some() {
                outcome.not_updated.push((name.clone(), exists(&name)));
                continue;
            }
            outcome.updates(&name, &one);
            put(&mut entity.attributes, &name, one, now);
        }
    }
    touch(entity, &outcome, now);
    outcome
}

/// Update Attributes (clauses 5.6.2 and 5.5.8): whole instances are replaced, added, or taken away by null.
pub fn update(entity: &mut Entity, fragment: Entity, now: Timestamp) -> Outcome {
    let mut outcome = Outcome::default();
    add_types(entity, fragment.types, &mut outcome);
    if let Some(scopes) = fragment.scopes
        && entity.scopes.is_some()
    {
        outcome.head_changed = true;
        entity.scopes = (!scopes.is_empty()).then_some(scopes);
    }
    expire(entity, fragment.times.expires, &mut outcome);
    for (name, instances) in fragment.attributes {
        for one in instances {
            if one.is_null() {
                take_away(&mut entity.attributes, &name, &one, &mut outcome);
            } else {
                outcome.updates(&name, &one);
                put(&mut entity.attributes, &name, one, now);
            }
        }
    }
    touch(entity, &outcome, now);
    outcome
}

/// Merge Entity (clauses 5.6.17 and 5.5.12): what a fragment says goes into what is there, to any depth.
pub fn merge(
    entity: &mut Entity,
    fragment: Entity,
    merging: &Merging<'_>,
    context: &Context,
    now: Timestamp,
) -> Outcome {
    let mut outcome = Outcome::default();
    add_types(entity, fragment.types, &mut outcome);
    if let Some(scopes) = fragment.scopes {
        add_scopes(entity, scopes, true, &mut outcome);
    }
    expire(entity, fragment.times.expires, &mut outcome);
    merge_attributes(
        &mut entity.attributes,
        fragment.attributes,
        merging,
        context,
        now,
        &mut outcome,
    );
    touch(entity, &outcome, now);
    outcome
}

/// Partial Attribute update (clause 5.6.4): the members that the fragment has are put over those of the instance.
///
/// # Errors
/// `ResourceNotFound` when there is no such instance, `BadRequestData` when the fragment is of another kind.
pub fn partial_update(
    entity: &mut Entity,
    name: &Iri,
    fragment: Attribute,
    now: Timestamp,
) -> Result<Outcome, Refusal> {
    let mut outcome = Outcome::default();
    let at = position(&entity.attributes, name, &fragment).ok_or_else(|| no_instance(name))?;
    if fragment.is_null() {
        take_away(&mut entity.attributes, name, &fragment, &mut outcome);
        touch(entity, &outcome, now);
        return Ok(outcome);
    }
    let instance = at_position(&mut entity.attributes, at).ok_or_else(|| no_instance(name))?;
    if let (Some(new), Some(old)) = (&fragment.held, &instance.held)
        && new.kind() != old.kind()
    {
        return Err(bad(
            "attribute-type-change",
            &quote(name),
            (
                format!("属性是 {}，不能变为 {}", old.kind().0, new.kind().0),
                format!(
                    "the attribute is a {} and cannot become a {}",
                    old.kind().0,
                    new.kind().0
                ),
            ),
            (
                "请用替换操作，或先删除它",
                "replace the attribute, or delete it first",
            ),
        ));
    }
    if let Some(held) = fragment.held {
        instance.held = Some(held);
    }
    members(
        instance,
        fragment.observed,
        fragment.unit,
        fragment.value_type,
        fragment.object_types,
        fragment.times.expires,
        &fragment.cleared,
    );
    for (sub, instances) in fragment.subs {
        for one in instances {
            if one.is_null() {
                take_away(&mut instance.subs, &sub, &one, &mut Outcome::default());
            } else {
                put(&mut instance.subs, &sub, one, now);
            }
        }
    }
    instance.times.modified = Some(now);
    outcome
        .updated
        .push((name.clone(), instance.dataset.clone()));
    touch(entity, &outcome, now);
    Ok(outcome)
}

/// Replace Entity (clause 5.6.18): everything but the time it was made.
pub fn replace(entity: &mut Entity, mut new: Entity, now: Timestamp) -> Outcome {
    let mut outcome = Outcome {
        head_changed: true,
        ..Outcome::default()
    };
    let created = entity.times.created;
    create(&mut new, now);
    new.times.created = created.or(new.times.created);
    for (name, instances) in &mut new.attributes {
        for one in instances {
            if let Some(at) = position(&entity.attributes, name, one)
                && let Some(old) = at_position(&mut entity.attributes, at)
            {
                one.times.created = old.times.created.or(one.times.created);
            }
            outcome.updated.push((name.clone(), one.dataset.clone()));
        }
    }
    for (name, instances) in &entity.attributes {
        let gone = instances
            .iter()
            .filter(|one| position(&new.attributes, name, one).is_none());
        outcome
            .deleted
            .extend(gone.map(|one| (name.clone(), one.dataset.clone())));
    }
    *entity = new;
    outcome
}

/// Replace Attribute (clause 5.6.19): the whole instance but the time it was made.
///
/// # Errors
/// `ResourceNotFound` when there is no such instance.
pub fn replace_attribute(
    entity: &mut Entity,
    name: &Iri,
    new: Attribute,
    now: Timestamp,
) -> Result<Outcome, Refusal> {
    let mut outcome = Outcome::default();
    if position(&entity.attributes, name, &new).is_none() {
        return Err(no_instance(name));
    }
    outcome.updates(name, &new);
    put(&mut entity.attributes, name, new, now);
    touch(entity, &outcome, now);
    Ok(outcome)
}

/// Which instances a deletion is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// The one without a `datasetId`.
    Default,
    /// The one of this `datasetId`.
    Dataset(Iri),
}

/// Delete Attribute (clause 5.6.5).
///
/// # Errors
/// `ResourceNotFound` when there is no such instance.
pub fn delete_attribute(
    entity: &mut Entity,
    name: &Iri,
    which: &Which,
    now: Timestamp,
) -> Result<Outcome, Refusal> {
    let mut outcome = Outcome::default();
    if &**name == "https://uri.etsi.org/ngsi-ld/scope" {
        entity.scopes.take().ok_or_else(|| no_instance(name))?;
        outcome.head_changed = true;
        touch(entity, &outcome, now);
        return Ok(outcome);
    }
    for (known, instances) in &mut entity.attributes {
        if known != name {
            continue;
        }
        instances.retain(|one| {
            let is_meant = match which {
                Which::All => true,
                Which::Default => one.dataset.is_none(),
                Which::Dataset(id) => one.dataset.as_ref() == Some(id),
            };
            if is_meant {
                outcome.deleted.push((name.clone(), one.dataset.clone()));
            }
            !is_meant
        });
    }
    if outcome.deleted.is_empty() {
        return Err(no_instance(name));
    }
    entity
        .attributes
        .retain(|(_, instances)| !instances.is_empty());
    touch(entity, &outcome, now);
    Ok(outcome)
}

fn touch(entity: &mut Entity, outcome: &Outcome, now: Timestamp) {
    if outcome.is_change() {
        entity.times.modified = Some(now);
    }
}

fn add_types(entity: &mut Entity, types: Vec<Iri>, outcome: &mut Outcome) {
    for kind in types {
        if !entity.types.contains(&kind) {
            entity.types.push(kind);
            outcome.head_changed = true;
        }
    }
}

fn add_scopes(entity: &mut Entity, scopes: Vec<Box<str>>, overwrite: bool, outcome: &mut Outcome) {
    outcome.head_changed = true;
    match &mut entity.scopes {
        Some(known) if !overwrite => {
            for scope in scopes {
                if !known.contains(&scope) {
                    known.push(scope);
                }
            }
        }
        known => *known = (!scopes.is_empty()).then_some(scopes),
    }
}

fn expire(entity: &mut Entity, expires: Option<Timestamp>, outcome: &mut Outcome) {
    if let Some(expires) = expires {
        entity.times.expires = Some(expires);
        outcome.head_changed = true;
    }
}

/// Where the instance of the same `datasetId` is: which attribute, which instance.
fn position(attributes: &Attributes, name: &Iri, like: &Attribute) -> Option<(usize, usize)> {
    let at = attributes.iter().position(|(known, _)| known == name)?;
    let (_, instances) = attributes.get(at)?;
    let instance = instances
        .iter()
        .position(|one| one.dataset == like.dataset)?;
    Some((at, instance))
}

fn at_position(
    attributes: &mut Attributes,
    (at, instance): (usize, usize),
) -> Option<&mut Attribute> {
    let (_, instances) = attributes.get_mut(at)?;
    instances.get_mut(instance)
}

/// Puts an instance where the one of its `datasetId` is, which keeps the time it was made, or beside the others.
fn put(attributes: &mut Attributes, name: &Iri, mut one: Attribute, now: Timestamp) {
    born(&mut one, now);
    if let Some(at) = position(attributes, name, &one)
        && let Some(old) = at_position(attributes, at)
    {
        one.times.created = old.times.created.or(one.times.created);
        *old = one;
        return;
    }
    match attributes.iter_mut().find(|(known, _)| known == name) {
        Some((_, instances)) => instances.push(one),
        None => attributes.push((name.clone(), vec![one])),
    }
}

fn take_away(attributes: &mut Attributes, name: &Iri, like: &Attribute, outcome: &mut Outcome) {
    let Some((at, instance)) = position(attributes, name, like) else {
        outcome.not_updated.push((name.clone(), no_instance(name)));
        return;
    };
    if let Some((_, instances)) = attributes.get_mut(at) {
        instances.remove(instance);
        if instances.is_empty() {
            attributes.remove(at);
        }
    }
    outcome.deleted.push((name.clone(), like.dataset.clone()));
}

fn members(
    into: &mut Attribute,
    observed: Option<Timestamp>,
    unit: Option<Box<str>>,
    value_type: Option<Iri>,
    object_types: Vec<Iri>,
    expires: Option<Timestamp>,
    cleared: &[Member],
) {
    into.observed = observed.or(into.observed);
    into.unit = unit.or_else(|| into.unit.take());
    into.value_type = value_type.or_else(|| into.value_type.take());
    into.times.expires = expires.or(into.times.expires);
    if !object_types.is_empty() {
        into.object_types = object_types;
    }
    for member in cleared {
        match member {
            Member::Observed => into.observed = None,
            Member::Unit => into.unit = None,
            Member::ValueType => into.value_type = None,
            Member::ObjectType => into.object_types.clear(),
            Member::Expires => into.times.expires = None,
        }
    }
}

fn merge_attributes(
    into: &mut Attributes,
    from: Attributes,
    merging: &Merging<'_>,
    context: &Context,
    now: Timestamp,
    outcome: &mut Outcome,
) {
    for (name, instances) in from {
        for one in instances {
            if one.is_null() {
                take_away(into, &name, &one, outcome);
                continue;
            }
            let Some(at) = position(into, &name, &one) else {
                if let Some(one) = without_nulls(one) {
                    outcome.updates(&name, &one);
                    put(into, &name, one, now);
                } else {
                    outcome.not_updated.push((name.clone(), no_instance(&name)));
                }
                continue;
            };
            let Some(old) = at_position(into, at) else {
                continue;
            };
            outcome.updates(&name, &one);
            if merge_instance(old, one, merging, context, now) {
                continue;
            }
            // Its last language went away, and with it the attribute.
            let gone = Attribute {
                dataset: old.dataset.clone(),
                ..Attribute::default()
            };
            outcome.updated.pop();
            take_away(into, &name, &gone, outcome);
        }
    }
}

/// A new instance of a merge: nulls inside its value take nothing away, and are left out. `None` when it holds nothing.
fn without_nulls(mut one: Attribute) -> Option<Attribute> {
    let cleaned = match one.held? {
        Held::Property(value @ Value::Object(_)) => {
            let mut into = Value::Object(Map::new());
            merge_json(&mut into, value);
            Held::Property(into)
        }
        Held::Language(map) => {
            let map: Map<String, Value> = map
                .into_iter()
                .filter(|(_, text)| text != NULL_URN)
                .collect();
            if map.is_empty() {
                return None;
            }
            Held::Language(map)
        }
        held => held,
    };
    one.held = Some(cleaned);
    Some(one)
}

/// Merges an instance into one; whether anything is left of it.
fn merge_instance(
    into: &mut Attribute,
    from: Attribute,
    merging: &Merging<'_>,
    context: &Context,
    now: Timestamp,
) -> bool {
    let had_time = into.observed.is_some()
        && from.observed.is_none()
        && !from.cleared.contains(&Member::Observed);
    members(
        into,
        from.observed,
        from.unit,
        from.value_type,
        from.object_types,
        from.times.expires,
        &from.cleared,
    );
    if had_time {
        into.observed = merging.observed.or(into.observed);
    }
    if let Some(new) = from.held {
        let merged = merge_held(into.held.take(), new, merging, context);
        if matches!(&merged, Held::Language(map) if map.is_empty()) {
            return false;
        }
        into.held = Some(merged);
    }
    let mut inner = Outcome::default();
    merge_attributes(&mut into.subs, from.subs, merging, context, now, &mut inner);
    into.times.modified = Some(now);
    true
}

/// A value merged into another: objects to any depth, languages one by one; a plain value keeps the kind of what was there, for in
/// simplified form it does not tell its own.
fn merge_held(old: Option<Held>, new: Held, merging: &Merging<'_>, context: &Context) -> Held {
    let id = |value: &Value| -> Option<Iri> {
        value
            .as_str()
            .filter(|text| crate::words::is_uri(text))
            .map(Arc::from)
    };
    match (old, new) {
        (Some(Held::Property(mut old)), Held::Property(new)) => {
            merge_json(&mut old, new);
            Held::Property(old)
        }
        (Some(Held::Json(mut old)), Held::Json(new) | Held::Property(new)) => {
            merge_json(&mut old, new);
            Held::Json(old)
        }
        (Some(Held::Language(mut old)), Held::Language(new)) => {
            for (tag, text) in new {
                if text == NULL_URN {
                    old.remove(&tag);
                } else {
                    old.insert(tag, text);
                }
            }
            Held::Language(old)
        }
        (Some(Held::Language(mut old)), Held::Property(new)) if new.is_string() => {
            let tag = merging.language.unwrap_or("@none");
            old.insert(tag.to_owned(), new);
            Held::Language(old)
        }
        (Some(Held::Relationship(_)), Held::Property(new)) if id(&new).is_some() => id(&new)
            .map_or(Held::Property(new), |id| {
                Held::Relationship(Several::One(id))
            }),
        (Some(Held::Relationship(_)), Held::Property(Value::Array(new)))
            if new.iter().all(|one| id(one).is_some()) =>
        {
            Held::Relationship(Several::Many(new.iter().filter_map(id).collect()))
        }
        (Some(Held::ListRelationship(_)), Held::Property(Value::Array(new)))
            if new.iter().all(|one| id(one).is_some()) =>
        {
            Held::ListRelationship(new.iter().filter_map(id).collect())
        }
        (Some(Held::Vocab(_)), Held::Property(Value::String(new))) => {
            Held::Vocab(Several::One(context.expand(&new)))
        }
        (Some(Held::Vocab(_)), Held::Property(Value::Array(new)))
            if new.iter().all(Value::is_string) =>
        {
            let words = new
                .iter()
                .filter_map(Value::as_str)
                .map(|word| context.expand(word));
            Held::Vocab(Several::Many(words.collect()))
        }
        (Some(Held::List(_)), Held::Property(Value::Array(new))) => Held::List(new),
        (_, new) => new,
    }
}

/// RFC 7396 with NGSI-LD Null in the place of null.
fn merge_json(into: &mut Value, from: Value) {
    let Value::Object(members) = from else {
        *into = from;
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Some(known) = into.as_object_mut() else {
        return;
    };
    for (key, value) in members {
        if value == NULL_URN {
            known.remove(&key);
        } else {
            merge_json(known.entry(key).or_insert(Value::Null), value);
        }
    }
}
