//! Asking: which entities, in pages by id that stay stable while data changes.

use crate::entity::Entity;
use crate::state::State;
use model::{EntityId, Value};
use std::collections::BTreeSet;
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
    let mut page = Page::default();
    if filter.limit == 0 {
        return page;
    }
    let text = filter.text.as_deref().map(str::to_lowercase);
    let after = filter.after.as_deref().unwrap_or_default();
    let mut take = |id: &EntityId, slot: u32| -> bool {
        if id.as_str() <= after {
            return true;
        }
        let entity = state.at(slot);
        if !matches(entity, filter, text.as_deref()) {
            return true;
        }
        if page.items.len() == filter.limit {
            page.next = page.items.last().map(|e| e.id.clone());
            return false;
        }
        page.items.push(entity.clone());
        true
    };
    if let Some(bbox) = filter.bbox {
        let found: BTreeSet<(&EntityId, u32)> = state
            .within(bbox)
            .map(|slot| (&state.at(slot).id, slot))
            .collect();
        for (id, slot) in found {
            if !take(id, slot) {
                break;
            }
        }
        return page;
    }
    // One type is the common case and has its own ordered index; several are filtered from all.
    let index = match filter.types.as_slice() {
        [one] => match state.of_type(one) {
            Some(index) => index,
            None => return page,
        },
        _ => state.all(),
    };
    let start = EntityId::new(after).map_or(Bound::Unbounded, Bound::Excluded);
    for (id, &slot) in index.range((start, Bound::Unbounded)) {
        if !take(id, slot) {
            break;
        }
    }
    page
}

fn matches(entity: &Entity, filter: &Filter, text: Option<&str>) -> bool {
    let type_fits = filter.types.is_empty()
        || filter
            .types
            .iter()
            .any(|t| t == entity.entity_type.as_str());
    type_fits
        && text.is_none_or(|text| holds_text(entity, text))
        && filter.conditions.iter().all(|c| c.holds(entity))
}

fn holds_text(entity: &Entity, text: &str) -> bool {
    if entity.id.as_str().to_lowercase().contains(text) {
        return true;
    }
    entity.attributes.iter().any(|(name, state)| {
        name.as_str() == "name"
            && matches!(&state.value, Value::Text(value) if value.to_lowercase().contains(text))
    })
}

impl Condition {
    fn holds(&self, entity: &Entity) -> bool {
        let Some((_, state)) = entity
            .attributes
            .iter()
            .find(|(name, _)| name.as_str() == self.attribute)
        else {
            return false;
        };
        match self.comparison {
            Comparison::Equal => state.value == self.value,
            Comparison::NotEqual => state.value != self.value,
            ordered => match (state.value.as_number(), self.value.as_number()) {
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
