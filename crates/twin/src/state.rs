//! The fold: messages in journal order become entities, with indexes by id, type and place.

use crate::entity::{AttributeState, Entity};
use compact_str::CompactString;
use hashbrown::HashMap;
use model::{Accepted, AttributeUpdate, EntityId, Geometry, TypeName, Update, Value};
use rstar::RTree;
use rstar::primitives::GeomWithData;
use std::collections::BTreeMap;

/// The attribute that says where an entity is.
const LOCATION: &str = "location";

/// A place in the index, with the entity's slot.
pub type Placed = GeomWithData<[f64; 2], u32>;

/// All entities and the ways to find them.
#[derive(Debug, Default)]
pub struct State {
    position: u64,
    /// Entities by slot; a slot stays an entity's for good.
    slots: Vec<Entity>,
    by_id: HashMap<EntityId, u32>,
    ordered: BTreeMap<EntityId, u32>,
    by_type: HashMap<TypeName, BTreeMap<EntityId, u32>>,
    space: RTree<Placed>,
}

impl State {
    /// From entities that were stored.
    pub fn from_entities(position: u64, entities: Vec<Entity>) -> Self {
        let mut state = Self {
            position,
            ..Self::default()
        };
        let mut places = Vec::new();
        for entity in entities {
            let slot = state.slots.len() as u32;
            if let Some(place) = entity.location {
                places.push(Placed::new(place, slot));
            }
            state.index(&entity.id, &entity.entity_type, slot);
            state.slots.push(entity);
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
            let slot = self.slot_of(update, accepted);
            let entity = &mut self.slots[slot as usize];
            entity.modified_at = entity.modified_at.max(accepted.received_at);
            for attribute in &update.attributes {
                let moved = set(entity, attribute, position, accepted);
                if moved {
                    let before = entity.location;
                    entity.location = place_of(&attribute.value);
                    if before != entity.location {
                        if let Some(before) = before {
                            self.space.remove(&Placed::new(before, slot));
                        }
                        if let Some(now) = entity.location {
                            self.space.insert(Placed::new(now, slot));
                        }
                    }
                }
            }
        }
        self.position = position + 1;
    }

    fn slot_of(&mut self, update: &Update, accepted: &Accepted) -> u32 {
        if let Some(&slot) = self.by_id.get(&update.entity_id) {
            return slot;
        }
        let slot = self.slots.len() as u32;
        self.index(&update.entity_id, &update.entity_type, slot);
        self.slots.push(Entity {
            id: update.entity_id.clone(),
            entity_type: update.entity_type.clone(),
            attributes: BTreeMap::new(),
            created_at: accepted.received_at,
            modified_at: accepted.received_at,
            location: None,
        });
        slot
    }

    fn index(&mut self, id: &EntityId, entity_type: &TypeName, slot: u32) {
        self.by_id.insert(id.clone(), slot);
        self.ordered.insert(id.clone(), slot);
        self.by_type
            .entry(entity_type.clone())
            .or_default()
            .insert(id.clone(), slot);
    }

    pub fn get(&self, id: &EntityId) -> Option<&Entity> {
        self.by_id.get(id).map(|&slot| &self.slots[slot as usize])
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
    pub fn at(&self, slot: u32) -> &Entity {
        &self.slots[slot as usize]
    }

    /// Slots of the entities within west, south, east, north.
    pub fn within(&self, [west, south, east, north]: [f64; 4]) -> impl Iterator<Item = u32> {
        let envelope = rstar::AABB::from_corners([west, south], [east, north]);
        self.space
            .locate_in_envelope(envelope)
            .map(|placed| placed.data)
    }

    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.by_type
            .iter()
            .map(|(name, ids)| (name.to_string(), ids.len()))
            .collect()
    }

    /// Every entity, in slot order.
    pub fn entities(&self) -> &[Entity] {
        &self.slots
    }
}

/// Sets an attribute unless what is known is newer; `true` when the entity's place was set.
fn set(entity: &mut Entity, update: &AttributeUpdate, position: u64, accepted: &Accepted) -> bool {
    if entity
        .attributes
        .get(&update.name)
        .is_some_and(|known| known.observed_at > update.observed_at)
    {
        return false;
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
    entity.attributes.insert(update.name.clone(), state);
    update.name.as_str() == LOCATION
}

fn place_of(value: &Value) -> Option<[f64; 2]> {
    match value {
        Value::Geometry(Geometry::Point { lon, lat }) => Some([*lon, *lat]),
        Value::Geometry(shape) => {
            let [west, south, east, north] = shape.bbox();
            Some([f64::midpoint(west, east), f64::midpoint(south, north)])
        }
        _ => None,
    }
}
