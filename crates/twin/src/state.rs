//! The fold: messages in journal order become entities, with indexes by id, type, value, place, time of
//! change and relation, each kept with every message.

use crate::changes::{ChangeLog, Changes};
use crate::entity::{Entity, EntityState, Source};
use crate::index::{Key, Pointers, ValueIndex, Wanted};
use crate::order::{Ordered, sorted_by_id};
use crate::value::ValueRef;
use crate::words::Book;
use crate::{Memory, Options};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use model::{
    Accepted, AttributeName, AttributeUpdate, Corrected, EntityId, Timestamp, TypeName, Update,
};
use rstar::RTree;
use rstar::primitives::GeomWithData;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// Tables that the ids are spread over, so that growing one is a short step.
const ID_TABLES: usize = 64;

/// Entities of a message whose memory is asked for together.
const TOGETHER: usize = 32;

/// A place in the index, with the entity's slot. Single precision (some metres at most) is enough to find
/// candidates: rounding keeps the order, so that nothing within a box falls out of the rounded box.
type Placed = GeomWithData<[f32; 2], u32>;

/// All entities and the ways to find them.
#[derive(Debug)]
pub struct State {
    position: u64,
    /// A slot stays an entity's for good.
    slots: Vec<Entity>,
    book: Book,
    hasher: DefaultHashBuilder,
    by_id: Vec<HashTable<u32>>,
    ordered: Ordered,
    by_type: HashMap<TypeName, Ordered>,
    space: RTree<Placed>,
    log: ChangeLog,
    pointers: Pointers,
    /// By the number of an attribute's name: the indexed names have the first numbers.
    values: Vec<ValueIndex>,
    snapshot: Option<Snapshot>,
}

/// What a state is made from, when a checkpoint is read.
pub struct Stored {
    pub position: u64,
    /// Changes below this position are not known.
    pub changes_since: u64,
    pub book: Book,
    /// In no order.
    pub entities: Vec<Entity>,
}

/// The state as it was at one position, while a checkpoint reads it and messages go on.
#[derive(Debug)]
struct Snapshot {
    /// The next slot to be read.
    next: usize,
    /// Slots from here on came later.
    end: usize,
    /// What unread slots held before they were changed.
    kept: HashMap<u32, Entity>,
}

/// A text that is to take another's place.
#[derive(Debug)]
pub struct Rewritten {
    slot: u32,
    name: AttributeName,
    before: String,
    after: String,
}

/// What a checkpoint says first.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotHead {
    pub position: u64,
    pub changes_since: u64,
    pub entities: usize,
}

fn placed([lon, lat]: [f64; 2], slot: u32) -> Placed {
    Placed::new([lon as f32, lat as f32], slot)
}

fn pointed(value: Option<ValueRef<'_>>, hasher: &DefaultHashBuilder) -> Option<u64> {
    let value = value?;
    matches!(value, ValueRef::Relationship(_)).then(|| value.hash(hasher))
}

impl State {
    /// With nothing in it.
    pub fn new(options: &Options) -> Self {
        let book = Book::new(&options.indexed_attributes);
        let values = (0..book.names()).map(|_| ValueIndex::default()).collect();
        Self {
            position: 0,
            slots: Vec::new(),
            book,
            hasher: DefaultHashBuilder::default(),
            by_id: id_tables(0),
            ordered: Ordered::default(),
            by_type: HashMap::new(),
            space: RTree::new(),
            log: ChangeLog::default(),
            pointers: Pointers::default(),
            values,
            snapshot: None,
        }
    }

    /// From what was stored; the indexes are made by two threads side by side.
    pub fn from_stored(stored: Stored, options: &Options) -> Self {
        // In the order of their ids, so that walking them walks through memory.
        let mut state = Self {
            position: stored.position,
            slots: sorted_by_id(stored.entities),
            book: stored.book,
            ..Self::new(options)
        };
        let Self {
            slots,
            book,
            hasher,
            ..
        } = &state;
        let numbered = || slots.iter().zip(0_u32..);
        let (found, told) = std::thread::scope(|scope| {
            let found = scope.spawn(|| {
                let mut by_id = id_tables(slots.len());
                let mut by_type: HashMap<&TypeName, Vec<u32>> = HashMap::new();
                for (entity, slot) in numbered() {
                    let hash = entity.id.hash_code();
                    let rehash = |&slot: &u32| hash_at(slots, slot);
                    by_id[table_of(hash)].insert_unique(hash, slot, rehash);
                    by_type.entry(&entity.entity_type).or_default().push(slot);
                }
                let all: Vec<u32> = numbered().map(|(_, slot)| slot).collect();
                let by_type: HashMap<TypeName, Ordered> = (by_type.into_iter())
                    .map(|(name, sorted)| (name.clone(), Ordered::from_sorted(&sorted)))
                    .collect();
                (by_id, Ordered::from_sorted(&all), by_type)
            });
            let places = numbered().filter_map(|(e, slot)| Some(placed(e.location()?, slot)));
            let space = RTree::bulk_load(places.collect());
            let log = ChangeLog::build(slots, stored.changes_since);
            let pointers = numbered().flat_map(|(entity, slot)| {
                entity.cells().filter_map(move |(label, _, _, value)| {
                    let target = pointed(Some(value), hasher)?;
                    Some((target, slot, book.words.label(label).name_number))
                })
            });
            let pointers = Pointers::build(pointers);
            let by_value = |number: u32| {
                ValueIndex::build(numbered().filter_map(|(entity, slot)| {
                    Some((Key::of(entity.value(number)?, hasher), slot))
                }))
            };
            let values: Vec<ValueIndex> = (0..state.values.len() as u32).map(by_value).collect();
            let found = found
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (found, (space, log, pointers, values))
        });
        (state.by_id, state.ordered, state.by_type) = found;
        (state.space, state.log, state.pointers, state.values) = told;
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
        for (n, update) in accepted.updates.iter().enumerate() {
            if n % TOGETHER == 0 && accepted.updates.len() > 1 {
                let end = accepted.updates.len().min(n + TOGETHER);
                self.fetch(&accepted.updates[n..end]);
            }
            let slot = self.slot_of(update, accepted);
            self.keep(slot);
            let entity = Arc::make_mut(&mut self.slots[slot as usize].0);
            let place = entity.location();
            entity.modified_at = entity.modified_at.max(accepted.received_at);
            entity.changed = position;
            for attribute in &update.attributes {
                self.set(slot, attribute, position, accepted);
            }
            let now = self.slots[slot as usize].location();
            if place != now {
                if let Some(place) = place {
                    self.space.remove(&placed(place, slot));
                }
                if let Some(now) = now {
                    self.space.insert(placed(now, slot));
                }
            }
            let modified_at = self.slots[slot as usize].modified_at;
            self.log.push(position, slot, modified_at);
        }
        self.position = position + 1;
    }

    /// Asks for the memory of several entities together, instead of waiting for one after the other.
    fn fetch(&self, updates: &[Update]) {
        let mut found = [None; TOGETHER];
        for (found, update) in found.iter_mut().zip(updates) {
            *found = self.get(&update.entity_id);
            if let Some(entity) = found {
                entity.fetch();
            }
        }
        found
            .iter()
            .flatten()
            .for_each(|entity| entity.fetch_behind());
    }

    /// Takes a correction: where the superseded observation is what is known now, the corrected one takes its
    /// place; a withdrawn one leaves nothing, until something observed then or later is said. Where something
    /// newer is known, nothing changes.
    pub fn apply_corrected(&mut self, position: u64, corrected: &Corrected) {
        if position < self.position {
            return;
        }
        let is_now = self.get(&corrected.entity_id).is_some_and(|entity| {
            let known = entity.attribute(corrected.attribute.as_str());
            known.is_some_and(|a| {
                (a.position, a.observed_at) == (corrected.supersedes, corrected.observed_at)
            })
        });
        if is_now {
            self.apply(position, &corrected.said());
        } else {
            self.advance(position + 1);
        }
    }

    fn set(&mut self, slot: u32, attribute: &AttributeUpdate, position: u64, accepted: &Accepted) {
        let label = self.book.label(&attribute.name, attribute.unit.as_deref());
        let name = self.book.words.label(label).name_number;
        let value = ValueRef::of(&attribute.value);
        // Shared when somebody looks at it; then this one is the twin's own from here on.
        let entity = Arc::make_mut(&mut self.slots[slot as usize].0);
        let source = Source {
            position,
            received_at: accepted.received_at,
            observed_at: attribute.observed_at,
            device: self.book.device(accepted.device_id.as_ref(), &entity.id),
            uses: 0,
        };
        let (words, hasher) = (&*self.book.words, &self.hasher);
        let index = self.values.get_mut(name as usize);
        let known = entity.value(name);
        let target = pointed(known, hasher);
        if index.is_none() && target.is_none() && pointed(value, hasher).is_none() {
            // The usual case: no index looks at it.
            entity.set(words, label, value, attribute.quality, source);
            return;
        }
        let key = known.map(|value| Key::of(value, hasher));
        entity.set(words, label, value, attribute.quality, source);
        let now = entity.value(name);
        (self.pointers).update(slot, name, target, pointed(now, hasher));
        if let Some(index) = index {
            index.update(slot, key, now.map(|value| Key::of(value, hasher)));
        }
    }

    /// The entity's slot; a new one when it was not heard of before.
    fn slot_of(&mut self, update: &Update, accepted: &Accepted) -> u32 {
        let hash = update.entity_id.hash_code();
        let slots = &self.slots;
        let is_it = |&slot: &u32| slots[slot as usize].id == update.entity_id;
        if let Some(&slot) = self.by_id[table_of(hash)].find(hash, is_it) {
            return slot;
        }
        let slot = self.slots.len() as u32;
        self.slots.push(Entity(Arc::new(EntityState::new(
            update.entity_id.clone(),
            self.book.entity_type(&update.entity_type),
            self.book.words.clone(),
            accepted.received_at,
        ))));
        let slots = &self.slots;
        let rehash = |&slot: &u32| hash_at(slots, slot);
        self.by_id[table_of(hash)].insert_unique(hash, slot, rehash);
        self.ordered.insert(slot, slots);
        match self.by_type.get_mut(&update.entity_type) {
            Some(of_type) => of_type.insert(slot, slots),
            None => {
                let of_type = self.by_type.entry(update.entity_type.clone());
                of_type.or_default().insert(slot, slots);
            }
        }
        slot
    }

    pub fn get(&self, id: &EntityId) -> Option<&Entity> {
        let hash = id.hash_code();
        let is_it = |&slot: &u32| self.at(slot).id == *id;
        let slot = self.by_id[table_of(hash)].find(hash, is_it)?;
        Some(self.at(*slot))
    }

    /// Every entity, by id.
    pub fn all(&self) -> &Ordered {
        &self.ordered
    }

    /// Entities of one type, by id.
    pub fn of_type(&self, entity_type: &str) -> Option<&Ordered> {
        self.by_type.get(&TypeName::new(entity_type).ok()?)
    }

    /// The entity in a slot.
    pub fn at(&self, slot: u32) -> &Entity {
        &self.slots[slot as usize]
    }

    pub fn slots(&self) -> &[Entity] {
        &self.slots
    }

    /// Slots of the entities that may lie within west, south, east, north.
    pub fn within(&self, corners: [f64; 4]) -> impl Iterator<Item = u32> {
        let [west, south, east, north] = corners.map(|degrees| degrees as f32);
        let envelope = rstar::AABB::from_corners([west, south], [east, north]);
        (self.space.locate_in_envelope(envelope)).map(|placed| placed.data)
    }

    /// Slots that may point at the target, through the attribute when one is given.
    pub fn pointing_at(
        &self,
        target: &EntityId,
        through: Option<&AttributeName>,
    ) -> impl Iterator<Item = u32> {
        // A name that nobody has ever used leads nowhere.
        let name = through.map(|name| self.book.name(name).unwrap_or(u32::MAX));
        self.pointers.find(target, name, &self.hasher)
    }

    /// Slots by the value of an attribute; `None` when it is not indexed.
    pub fn by_value(
        &self,
        name: &AttributeName,
        wanted: Wanted<'_>,
    ) -> Option<impl Iterator<Item = u32>> {
        let index = self.values.get(self.book.name(name)? as usize)?;
        Some(index.find(wanted, &self.hasher))
    }

    /// Slots of the entities that were last heard of at this time or later.
    pub fn modified_since(&self, time: Timestamp) -> impl Iterator<Item = u32> {
        self.log.modified_since(time, &self.slots)
    }

    pub fn types_within(&self, positions: Range<u64>, limit: usize) -> Option<BTreeSet<String>> {
        let slots = self.log.slots_within(positions, limit)?;
        let types: BTreeSet<&str> = (slots.iter())
            .map(|slot| self.at(*slot).entity_type.as_str())
            .collect();
        Some(types.into_iter().map(str::to_owned).collect())
    }

    pub fn changes_since(&self, position: u64, limit: usize) -> Changes {
        self.log.since(position, self.position, limit, &self.slots)
    }

    pub fn counts(&self) -> BTreeMap<String, usize> {
        let count = |(name, of_type): (&TypeName, &Ordered)| (name.to_string(), of_type.len());
        self.by_type.iter().map(count).collect()
    }

    /// Begins to remember the state as it is now, for [`State::snapshot_next`].
    pub fn snapshot_begin(&mut self) -> SnapshotHead {
        self.snapshot = Some(Snapshot {
            next: 0,
            end: self.slots.len(),
            kept: HashMap::new(),
        });
        SnapshotHead {
            position: self.position,
            changes_since: self.log.since,
            entities: self.slots.len(),
        }
    }

    /// The next entities as they were when the snapshot began; none at its end.
    pub fn snapshot_next(&mut self, entities_max: usize) -> Vec<Entity> {
        let Some(snapshot) = &mut self.snapshot else {
            return Vec::new();
        };
        let to = snapshot.end.min(snapshot.next + entities_max);
        let slots = (snapshot.next..to).zip(&self.slots[snapshot.next..to]);
        snapshot.next = to;
        slots
            .map(|(slot, entity)| {
                let kept = snapshot.kept.remove(&(slot as u32));
                kept.unwrap_or_else(|| entity.clone())
            })
            .collect()
    }

    /// Forgets the snapshot; gives what it kept, to be freed.
    pub fn snapshot_end(&mut self) -> HashMap<u32, Entity> {
        let snapshot = self.snapshot.take();
        snapshot.map(|snapshot| snapshot.kept).unwrap_or_default()
    }

    /// Texts of up to `count` slots that `rewrite` puts another in the place of, with slot, attribute, the one and the other.
    pub fn rewritten(
        &self,
        from: usize,
        count: usize,
        rewrite: &impl Fn(&str, &str, &str) -> Option<String>,
    ) -> Vec<Rewritten> {
        let slots = self.slots.iter().enumerate().skip(from).take(count);
        let mut found = Vec::new();
        for (slot, entity) in slots {
            for (name, attribute) in entity.attributes() {
                if let Some(before) = attribute.value.as_text()
                    && let Some(after) = rewrite(entity.id.as_str(), name.as_str(), before)
                {
                    found.push(Rewritten {
                        slot: slot as u32,
                        name: name.clone(),
                        before: before.to_owned(),
                        after,
                    });
                }
            }
        }
        found
    }

    /// Puts a text in the place of one that an entity still has. Nothing was said: no position and no time changes. Whether
    /// it had it.
    pub fn rewrite(&mut self, text: &Rewritten) -> bool {
        self.keep(text.slot);
        let entity = Arc::make_mut(&mut self.slots[text.slot as usize].0);
        let Some(number) = entity.rewrite(text.name.as_str(), &text.before, &text.after) else {
            return false;
        };
        let key = |text: &str| Some(Key::of(ValueRef::Text(text), &self.hasher));
        if let Some(index) = self.values.get_mut(number as usize) {
            index.update(text.slot, key(&text.before), key(&text.after));
        }
        true
    }

    /// Keeps what a slot holds, when a snapshot has yet to read it.
    fn keep(&mut self, slot: u32) {
        if let Some(snapshot) = &mut self.snapshot
            && (snapshot.next..snapshot.end).contains(&(slot as usize))
        {
            let entity = &self.slots[slot as usize];
            (snapshot.kept.entry(slot)).or_insert_with(|| entity.clone());
        }
    }

    /// About how much memory it takes; looks at every entity.
    pub fn memory(&self) -> Memory {
        let tables: usize = self.by_id.iter().map(|table| table.capacity() * 5).sum();
        let ordered =
            (self.by_type.values()).map(Ordered::bytes).sum::<usize>() + self.ordered.bytes();
        Memory {
            entities: self.slots.len(),
            entity_bytes: self.slots.iter().map(|entity| entity.bytes()).sum(),
            id_bytes: self.slots.capacity() * 8 + tables + ordered,
            // A node of the tree is a leaf or a parent with its own vector; nodes are about two thirds full.
            space_bytes: self.space.size() * 64,
            change_bytes: self.log.bytes(),
            relation_bytes: self.pointers.bytes(),
            value_bytes: self.values.iter().map(ValueIndex::bytes).sum(),
            word_bytes: self.book.bytes(),
        }
    }
}

fn id_tables(entities: usize) -> Vec<HashTable<u32>> {
    let each = entities.div_ceil(ID_TABLES) * 9 / 8;
    (0..ID_TABLES)
        .map(|_| HashTable::with_capacity(each))
        .collect()
}

/// The tables themselves look at the lowest and the highest bits.
fn table_of(hash: u64) -> usize {
    (hash >> 32) as usize % ID_TABLES
}

fn hash_at(slots: &[Entity], slot: u32) -> u64 {
    slots[slot as usize].id.hash_code()
}
