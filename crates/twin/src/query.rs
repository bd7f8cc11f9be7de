//! Asking: which entities, in pages by id that stay stable while data changes. Each page shows one moment;
//! an entity that fits throughout is seen exactly once, because ids do not change and pages follow them.
//!
//! Where an index gives few enough candidates, those are looked at and put in order; else the entities of
//! the type are walked by id until the page is full.

use crate::entity::Entity;
use crate::index::Wanted;
use crate::order::Ordered;
use crate::state::State;
use crate::value::ValueRef;
use model::{AttributeName, EntityId, Timestamp, Value};

/// Entities that a walk looks at together.
const TOGETHER: usize = 32;

/// Which entities are wanted; every part that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of any of these types; empty is all.
    pub types: Vec<String>,
    /// Whose id or `name` holds this text, without regard to case.
    pub text: Option<String>,
    /// Whose place lies within west, south, east, north, in degrees.
    pub bbox: Option<[f64; 4]>,
    /// Whose attributes compare so. Quick when one of them is among [`crate::Options::indexed_attributes`].
    pub conditions: Vec<Condition>,
    /// Who points at an entity.
    pub relation: Option<Relation>,
    /// Last heard of at this time or later.
    pub modified_since: Option<Timestamp>,
    /// At most this many.
    pub limit: usize,
    /// Only ids after this one.
    pub after: Option<String>,
}

/// A relationship to an entity, which itself need not be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Whom it points at.
    pub target: EntityId,
    /// The attribute that points; any when not given.
    pub through: Option<String>,
}

/// A comparison of one attribute with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The attribute.
    pub attribute: String,
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub value: Value,
}

/// How to compare. Order is between numbers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Equal,
    /// Not equal, the attribute being there.
    NotEqual,
    /// Less.
    Less,
    /// Less or equal.
    AtMost,
    /// Greater.
    Greater,
    /// Greater or equal.
    AtLeast,
}

/// Some entities.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The entities, by id.
    pub items: Vec<Entity>,
    /// `after` of the next page; `None` at the end.
    pub next: Option<EntityId>,
}

/// Runs a filter.
pub fn run(state: &State, filter: &Filter) -> Page {
    let mut items = Vec::new();
    let next = visit(state, filter, |entity| items.push(entity.clone()));
    Page { items, next }
}

/// Shows each entity that the filter asks for; the answer is `after` of the next page.
pub fn visit(state: &State, filter: &Filter, mut see: impl FnMut(&Entity)) -> Option<EntityId> {
    if filter.limit == 0 {
        return None;
    }
    let wanted = Judge::new(filter)?;
    let after = filter.after.as_deref().unwrap_or_default();
    // One type is the common case and has its own order; several are picked from all.
    let ordered = match filter.types.as_slice() {
        [one] => state.of_type(one)?,
        _ => state.all(),
    };
    let Some(mut found) = candidates(state, filter, &wanted, ordered) else {
        return walk(state, filter, &wanted, ordered, after, see);
    };
    found.retain(|&slot| {
        let entity = state.at(slot);
        entity.id.as_str() > after && wanted.holds(entity)
    });
    let by_id = |a: &u32, b: &u32| state.at(*a).id.cmp(&state.at(*b).id);
    let is_more = found.len() > filter.limit;
    if is_more {
        found.select_nth_unstable_by(filter.limit, by_id);
        found.truncate(filter.limit);
    }
    found.sort_unstable_by(by_id);
    for &slot in &found {
        see(state.at(slot));
    }
    let last = found.last().filter(|_| is_more)?;
    Some(state.at(*last).id.clone())
}

fn walk(
    state: &State,
    filter: &Filter,
    wanted: &Judge<'_>,
    ordered: &Ordered,
    after: &str,
    mut see: impl FnMut(&Entity),
) -> Option<EntityId> {
    let mut seen = 0;
    let mut last: Option<&EntityId> = None;
    let mut slots = ordered.after(after, state.slots());
    let mut few: Vec<u32> = Vec::with_capacity(TOGETHER);
    loop {
        few.clear();
        few.extend(
            slots
                .by_ref()
                .take(TOGETHER.min((filter.limit - seen).saturating_add(1))),
        );
        if few.is_empty() {
            return None;
        }
        // Entities lie anywhere in memory: what several point at is fetched at the same time, not one after the other.
        few.iter().for_each(|&slot| state.at(slot).fetch());
        few.iter().for_each(|&slot| state.at(slot).fetch_behind());
        for &slot in &few {
            let entity = state.at(slot);
            if !wanted.holds(entity) {
                continue;
            }
            // The page is full only when one more is known to follow.
            if seen == filter.limit {
                return last.cloned();
            }
            see(entity);
            seen += 1;
            last = Some(&entity.id);
        }
    }
}

/// The fewest candidates that an index gives; `None` when walking by id is quicker.
fn candidates(
    state: &State,
    filter: &Filter,
    wanted: &Judge<'_>,
    ordered: &Ordered,
) -> Option<Vec<u32>> {
    // Walking sees about limit × entities / fitting ones before the page is full; looking at candidates in
    // no order costs about as much each, and all must be looked at. Which is less is known once the
    // candidates are counted, and counting stops where walking is no worse.
    let walked = filter.limit.saturating_mul(ordered.len());
    let most = walked.isqrt().saturating_mul(4).min(ordered.len() / 4) + 64;
    let mut fewest: Option<Vec<u32>> = None;
    let mut consider = |slots: &mut dyn Iterator<Item = u32>| {
        let most = fewest.as_ref().map_or(most, Vec::len);
        let mut found: Vec<u32> = slots.take(most + 1).collect();
        // An entity that points twice is found twice, one after the other.
        found.dedup();
        if found.len() <= most {
            fewest = Some(found);
        }
    };
    if let Some((target, through)) = &wanted.relation {
        consider(&mut state.pointing_at(target, through.as_ref()));
    }
    for (name, condition) in &wanted.conditions {
        if let Some(range) = condition.range()
            && let Some(mut slots) = state.by_value(name, range)
        {
            consider(&mut slots);
        }
    }
    if let Some(time) = filter.modified_since {
        consider(&mut state.modified_since(time));
    }
    if let Some(bbox) = filter.bbox {
        consider(&mut state.within(bbox));
    }
    fewest
}

/// A filter made ready to judge many entities.
struct Judge<'a> {
    types: &'a [String],
    text: Option<String>,
    bbox: Option<[f64; 4]>,
    conditions: Vec<(AttributeName, &'a Condition)>,
    relation: Option<(&'a EntityId, Option<AttributeName>)>,
    modified_since: Option<Timestamp>,
}

impl<'a> Judge<'a> {
    /// `None` when nothing can fit: a condition on what is no attribute's name.
    fn new(filter: &'a Filter) -> Option<Self> {
        let named = |c: &'a Condition| Some((AttributeName::new(&c.attribute).ok()?, c));
        let relation = match &filter.relation {
            None => None,
            Some(relation) => {
                let through = relation.through.as_deref().map(AttributeName::new);
                Some((&relation.target, through.transpose().ok()?))
            }
        };
        Some(Self {
            types: &filter.types,
            text: filter.text.as_deref().map(str::to_lowercase),
            bbox: filter.bbox.map(|[west, south, east, north]| {
                let (left, low) = (west.min(east), south.min(north));
                [left, low, west.max(east), south.max(north)]
            }),
            conditions: filter.conditions.iter().map(named).collect::<Option<_>>()?,
            relation,
            modified_since: filter.modified_since,
        })
    }

    fn holds(&self, entity: &Entity) -> bool {
        let of_type = |t: &String| t == entity.entity_type.as_str();
        (self.types.is_empty() || self.types.iter().any(of_type))
            && self
                .modified_since
                .is_none_or(|time| entity.modified_at >= time)
            && self.conditions.iter().all(|(name, condition)| {
                let attribute = entity.attribute(name.as_str());
                attribute.is_some_and(|attribute| condition.holds(attribute.value))
            })
            && self.holds_place(entity)
            && self.holds_relation(entity)
            && self.holds_text(entity)
    }

    fn holds_place(&self, entity: &Entity) -> bool {
        let Some([west, south, east, north]) = self.bbox else {
            return true;
        };
        entity.location().is_some_and(|[lon, lat]| {
            (west..=east).contains(&lon) && (south..=north).contains(&lat)
        })
    }

    fn holds_relation(&self, entity: &Entity) -> bool {
        let Some((target, through)) = &self.relation else {
            return true;
        };
        entity.attributes().any(|(name, attribute)| {
            attribute.value == ValueRef::Relationship(target)
                && through.as_ref().is_none_or(|through| through == name)
        })
    }

    fn holds_text(&self, entity: &Entity) -> bool {
        let Some(text) = self.text.as_deref() else {
            return true;
        };
        let name = || {
            entity
                .attribute("name")
                .and_then(|name| name.value.as_text())
        };
        entity.id.as_str().to_lowercase().contains(text)
            || name().is_some_and(|name| name.to_lowercase().contains(text))
    }
}

impl Condition {
    fn holds(&self, value: ValueRef<'_>) -> bool {
        match self.comparison {
            Comparison::Equal => Some(value) == ValueRef::of(&self.value),
            Comparison::NotEqual => Some(value) != ValueRef::of(&self.value),
            ordered => match (value.as_number(), self.value.as_number()) {
                (Some(a), Some(b)) => match ordered {
                    Comparison::Less => a < b,
                    Comparison::AtMost => a <= b,
                    Comparison::Greater => a > b,
                    _ => a >= b,
                },
                _ => false,
            },
        }
    }

    /// What an index of values is asked for; `None` where it cannot help.
    fn range(&self) -> Option<Wanted<'_>> {
        match self.comparison {
            Comparison::Equal => ValueRef::of(&self.value).map(Wanted::Equal),
            Comparison::NotEqual => None,
            Comparison::Less | Comparison::AtMost => self.value.as_number().map(Wanted::AtMost),
            Comparison::Greater | Comparison::AtLeast => {
                self.value.as_number().map(Wanted::AtLeast)
            }
        }
    }
}
