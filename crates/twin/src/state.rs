//! The fold: messages in journal order become entities, with indexes by id, type and place.

use crate::changes::{Changes, Recent};
use crate::entity::{AttributeState, Attributes, Entity};
use compact_str::CompactString;
use hashbrown::HashMap;
use model::{
    Accepted, AttributeName, AttributeUpdate, EntityId, Geometry, Timestamp, TypeName, Update,
    Value,
};
use rstar::RTree;
use rstar::primitives::GeomWithData;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The attribute that says where an entity is.
const LOCATION: &str = "location";

/// A place in the index, with the entity's slot.
pub type Placed = GeomWithData<[f64; 2], u32>;

/// An entity and what has to be remembered beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// The entity as it is shown.
    pub entity: Entity,
    /// Attributes taken away, and as of when: an older value that comes late must not bring them back.
    pub deleted: Vec<(AttributeName, Timestamp)>,
}

/// All entities and the ways to find them.
#[derive(Debug)]
pub struct State {
    position: u64,
    /// A slot stays an entity's for good.
    slots: Vec<Slot>,
    by_id: HashMap<EntityId, u32>,
    ordered: BTreeMap<EntityId, u32>,
    by_type: HashMap<TypeName, BTreeMap<EntityId, u32>>,
    space: RTree<Placed>,
    recent: Recent,
}

impl Default for State {
    fn default() -> Self {
        Self::new(crate::Options::default().changes_max)
    }
}

impl State {
    /// With nothing in it.
    pub fn new(changes_max: usize) -> Self {
        Self {
            position: 0,
            slots: Vec::new(),
            by_id: HashMap::new(),
            ordered: BTreeMap::new(),
            by_type: HashMap::new(),
            space: RTree::new(),
            recent: Recent::new(changes_max, 0),
        }
    }

    /// From slots that were stored.
    pub fn from_stored(position: u64, stored: Vec<Slot>, changes_max: usize) -> Self {
        let mut state = Self::new(changes_max);
        state.position = position;
        state.recent = Recent::new(changes_max, position);
        let mut places = Vec::new();
        for slot in stored {
            let number = state.slots.len() as u32;
            if let Some(place) = slot.entity.location {
                places.push(Placed::new(place, number));
            }
            state.index(&slot.entity.id, &slot.entity.entity_type, number);
            state.slots.push(slot);
        }
        state.space = RTree::bulk_load(places);
        state
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn advance(&mut self, position: u64) {
        self.position = self.position.max(position);
    }

    pub fn apply(&mut self, position: u64, accepted: &Accepted) {
        if position < self.position {
            return;
        }
        for update in &accepted.updates {
            let number = self.slot_of(update, accepted);
            let slot = &mut self.slots[number as usize];
            let before = slot.entity.location;
            slot.entity.modified_at = slot.entity.modified_at.max(accepted.received_at);
            for attribute in &update.attributes {
                set(slot, attribute, position, accepted);
            }
            let now = slot.entity.location;
            if before != now {
                if let Some(before) = before {
                    self.space.remove(&Placed::new(before, number));
                }
                if let Some(now) = now {
                    self.space.insert(Placed::new(now, number));
                }
            }
            self.recent.push(position, number);
        }
        self.position = position + 1;
    }

    fn slot_of(&mut self, update: &Update, accepted: &Accepted) -> u32 {
        if let Some(&number) = self.by_id.get(&update.entity_id) {
            return number;
        }
        let number = self.slots.len() as u32;
        self.index(&update.entity_id, &update.entity_type, number);
        self.slots.push(Slot {
            entity: Entity {
                id: update.entity_id.clone(),
                entity_type: update.entity_type.clone(),
                attributes: Attributes::default(),
                created_at: accepted.received_at,
                modified_at: accepted.received_at,
                location: None,
            },
            deleted: Vec::new(),
        });
        number
    }

    fn index(&mut self, id: &EntityId, entity_type: &TypeName, number: u32) {
        self.by_id.insert(id.clone(), number);
        self.ordered.insert(id.clone(), number);
        self.by_type
            .entry(entity_type.clone())
            .or_default()
            .insert(id.clone(), number);
    }

    pub fn get(&self, id: &EntityId) -> Option<&Entity> {
        self.by_id.get(id).map(|&number| self.at(number))
    }

    /// Every entity, by id.
    pub fn all(&self) -> &BTreeMap<EntityId, u32> {
        &self.ordered
    }

    /// Entities of one type, by id.
    pub fn of_type(&self, entity_type: &str) -> Option<&BTreeMap<EntityId, u32>> {
        let name = TypeName::new(entity_type).ok()?;
        self.by_type.get(&name)
    }

    /// The entity in a slot.
    pub fn at(&self, number: u32) -> &Entity {
        &self.slots[number as usize].entity
    }

    /// Slots of the entities within west, south, east, north.
    pub fn within(&self, [west, south, east, north]: [f64; 4]) -> impl Iterator<Item = u32> {
        let envelope = rstar::AABB::from_corners([west, south], [east, north]);
        self.space
            .locate_in_envelope(envelope)
            .map(|placed| placed.data)
    }

    pub fn changes_since(&self, position: u64, limit: usize) -> Changes {
        let (slots, position, missed) = self.recent.since(position, self.position, limit);
        Changes {
            ids: slots
                .into_iter()
                .map(|number| self.at(number).id.clone())
                .collect(),
            position,
            missed,
        }
    }

    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.by_type
            .iter()
            .map(|(name, ids)| (name.to_string(), ids.len()))
            .collect()
    }

    /// Every slot, in order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }
}

/// Sets an attribute unless what is known of it is newer.
fn set(slot: &mut Slot, update: &AttributeUpdate, position: u64, accepted: &Accepted) {
    let is_location = update.name.as_str() == LOCATION;
    if update.value == Value::Deleted {
        let known = slot.entity.attributes.get(&update.name);
        if known.is_some_and(|known| known.observed_at > update.observed_at) {
            return;
        }
        slot.entity.attributes.make_mut().remove(&update.name);
        match slot
            .deleted
            .iter_mut()
            .find(|(name, _)| *name == update.name)
        {
            Some((_, at)) => *at = update.observed_at.max(*at),
            None => slot.deleted.push((update.name.clone(), update.observed_at)),
        }
        if is_location {
            slot.entity.location = None;
        }
        return;
    }
    let attributes = slot.entity.attributes.make_mut();
    match attributes.get_mut(&update.name) {
        Some(known) if known.observed_at > update.observed_at => return,
        // The usual case; written in place, so that nothing is allocated for a number.
        Some(known) => {
            known.value.clone_from(&update.value);
            if known.unit.as_deref() != update.unit.as_deref() {
                known.unit = update.unit.as_deref().map(CompactString::new);
            }
            known.observed_at = update.observed_at;
            known.received_at = accepted.received_at;
            known.quality = update.quality;
            known.position = position;
            if known.device_id != accepted.device_id {
                known.device_id.clone_from(&accepted.device_id);
            }
        }
        None => {
            let gone = slot.deleted.iter().position(|(n, _)| *n == update.name);
            if let Some(gone) = gone {
                if slot.deleted[gone].1 > update.observed_at {
                    return;
                }
                slot.deleted.swap_remove(gone);
            }
            let state = AttributeState {
                value: update.value.clone(),
                unit: update.unit.as_deref().map(CompactString::new),
                observed_at: update.observed_at,
                received_at: accepted.received_at,
                quality: update.quality,
                position,
                device_id: accepted.device_id.clone(),
            };
            attributes.insert(update.name.clone(), state);
        }
    }
    if is_location {
        slot.entity.location = place_of(&update.value);
    }
}

fn place_of(value: &Value) -> Option<[f64; 2]> {
    let place = match value {
        Value::Geometry(Geometry::Point { lon, lat }) => [*lon, *lat],
        Value::Geometry(shape) => {
            let [west, south, east, north] = shape.bbox();
            [f64::midpoint(west, east), f64::midpoint(south, north)]
        }
        _ => return None,
    };
    // The index of places orders by number; a place that is none has no order.
    place
        .iter()
        .all(|degrees| degrees.is_finite())
        .then_some(place)
}
