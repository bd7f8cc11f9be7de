//! Asking: which entities, in pages by id that stay stable while data changes.

use crate::entity::Entity;
use crate::state::State;
use model::{AttributeName, EntityId, Value};
use std::collections::BTreeMap;
use std::ops::Bound;

/// Which entities are wanted; every part that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of any of these types; empty is all.
    pub types: Vec<String>,
    /// Whose id or `name` holds this text, without regard to case.
    pub text: Option<String>,
    /// Whose place lies within west, south, east, north, in degrees.
    pub bbox: Option<[f64; 4]>,
    /// Whose attributes compare so.
    pub conditions: Vec<Condition>,
    /// At most this many.
    pub limit: usize,
    /// Only ids after this one.
    pub after: Option<String>,
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
///
/// Conditions go through the entities of the type; an index of values would have to be kept at every
/// update, which costs more than it gives at a city's size (see `examples/apply_rate.rs`).
pub fn visit(state: &State, filter: &Filter, mut see: impl FnMut(&Entity)) -> Option<EntityId> {
    if filter.limit == 0 {
        return None;
    }
    let wanted = Wanted::new(filter)?;
    let after = filter.after.as_deref().unwrap_or_default();
    let found: BTreeMap<&EntityId, u32>;
    let candidates: Box<dyn Iterator<Item = (&EntityId, u32)>> = if let Some(bbox) = filter.bbox {
        found = state
            .within(bbox)
            .map(|slot| (&state.at(slot).id, slot))
            .collect();
        Box::new(found.iter().map(|(id, slot)| (*id, *slot)))
    } else {
        // One type is the common case and has its own ordered index; several are filtered from all.
        let index = match filter.types.as_slice() {
            [one] => state.of_type(one)?,
            _ => state.all(),
        };
        let start = EntityId::new(after).map_or(Bound::Unbounded, Bound::Excluded);
        let range = index.range((start, Bound::Unbounded));
        Box::new(range.map(|(id, slot)| (id, *slot)))
    };
    let mut seen = 0;
    let mut last: Option<&EntityId> = None;
    for (id, slot) in candidates.filter(|(id, _)| EntityId::as_str(id) > after) {
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
        last = Some(id);
    }
    None
}

/// A filter made ready to be asked many times.
struct Wanted<'a> {
    types: &'a [String],
    text: Option<String>,
    conditions: Vec<(AttributeName, &'a Condition)>,
    name: AttributeName,
}

impl<'a> Wanted<'a> {
    /// `None` when nothing can fit: a condition on what is no attribute's name.
    fn new(filter: &'a Filter) -> Option<Self> {
        let named = |c: &'a Condition| Some((AttributeName::new(&c.attribute).ok()?, c));
        Some(Self {
            types: &filter.types,
            text: filter.text.as_deref().map(str::to_lowercase),
            conditions: filter.conditions.iter().map(named).collect::<Option<_>>()?,
            name: AttributeName::new("name").ok()?,
        })
    }

    fn holds(&self, entity: &Entity) -> bool {
        let of_type = |t: &String| t == entity.entity_type.as_str();
        (self.types.is_empty() || self.types.iter().any(of_type))
            && self.conditions.iter().all(|(name, condition)| {
                let state = entity.attributes.get(name);
                state.is_some_and(|state| condition.holds(&state.value))
            })
            && self.holds_text(entity)
    }

    fn holds_text(&self, entity: &Entity) -> bool {
        let Some(text) = self.text.as_deref() else {
            return true;
        };
        let name = entity.attributes.get(&self.name).map(|state| &state.value);
        entity.id.as_str().to_lowercase().contains(text)
            || matches!(name, Some(Value::Text(name)) if name.to_lowercase().contains(text))
    }
}

impl Condition {
    fn holds(&self, value: &Value) -> bool {
        match self.comparison {
            Comparison::Equal => *value == self.value,
            Comparison::NotEqual => *value != self.value,
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
}
