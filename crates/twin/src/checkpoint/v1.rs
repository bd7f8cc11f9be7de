//! Version 1: the CRC-32C of the rest, then the position and all entities in one piece of postcard.
//! Read, never written any more.

use super::CheckpointError;
use crate::Options;
use crate::entity::{Entity, EntityState, Source};
use crate::state::Stored;
use crate::value::ValueRef;
use crate::words::Book;
use compact_str::CompactString;
use model::{AttributeName, DeviceId, EntityId, Quality, Timestamp, TypeName, Value};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

pub const VERSION: u8 = 1;

#[derive(Deserialize)]
struct StoredSlot {
    entity: StoredEntity,
    deleted: Vec<(AttributeName, Timestamp)>,
}

#[derive(Deserialize)]
struct StoredEntity {
    id: EntityId,
    entity_type: TypeName,
    attributes: BTreeMap<AttributeName, StoredAttribute>,
    created_at: Timestamp,
    modified_at: Timestamp,
    /// Follows from the attributes.
    _location: Option<[f64; 2]>,
}

#[derive(Deserialize)]
struct StoredAttribute {
    value: Value,
    unit: Option<CompactString>,
    observed_at: Timestamp,
    received_at: Timestamp,
    quality: Quality,
    position: u64,
    device_id: Option<DeviceId>,
}

/// Reads what follows the version byte.
pub fn read(file: &mut impl Read, options: &Options) -> Result<Stored, CheckpointError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let Some((checksum, body)) = bytes.split_at_checked(4) else {
        return Err(CheckpointError::damaged("cut off"));
    };
    if *checksum != crc32c::crc32c(body).to_le_bytes() {
        return Err(CheckpointError::damaged("checksum"));
    }
    let (position, slots): (u64, Vec<StoredSlot>) =
        postcard::from_bytes(body).map_err(CheckpointError::damaged)?;
    let mut book = Book::new(&options.indexed_attributes);
    let entities = slots.into_iter().map(|slot| entity(slot, &mut book));
    Ok(Stored {
        position,
        entities: entities.collect(),
        // When an attribute was taken away was not stored, so what changed before is not known.
        changes_since: position,
        book,
    })
}

fn entity(
    StoredSlot {
        entity: stored,
        deleted,
    }: StoredSlot,
    book: &mut Book,
) -> Entity {
    let (words, entity_type) = (book.words.clone(), book.entity_type(&stored.entity_type));
    let mut entity = EntityState::new(stored.id, entity_type, words.clone(), stored.created_at);
    entity.modified_at = stored.modified_at;
    for (name, attribute) in &stored.attributes {
        entity.changed = entity.changed.max(attribute.position);
        let source = Source {
            position: attribute.position,
            received_at: attribute.received_at,
            observed_at: attribute.observed_at,
            device: book.device(attribute.device_id.as_ref(), &entity.id),
            uses: 0,
        };
        let label = book.label(name, attribute.unit.as_deref());
        let value = ValueRef::of(&attribute.value);
        entity.set(&words, label, value, attribute.quality, source);
    }
    for (name, at) in deleted {
        let source = Source {
            position: 0,
            received_at: at,
            observed_at: at,
            device: crate::words::NO_DEVICE,
            uses: 0,
        };
        let label = book.label(&name, None);
        entity.set(&words, label, None, Quality::Good, source);
    }
    Entity(Arc::new(entity))
}
