//! Version 2: frames, each a payload in postcard behind its length, before both their CRC-32C (4 bytes each,
//! little-endian). The first frame is the head, with the count of entities;
//! the others are blocks of entities, each with its own words, so that blocks are read side by side.

use super::CheckpointError;
use crate::Options;
use crate::entity::{Entity, EntityState, Source};
use crate::state::{SnapshotHead, Stored};
use crate::value::ValueRef;
use crate::words::{Book, NO_DEVICE, OWN_DEVICE};
use hashbrown::HashMap;
use model::{AttributeName, DeviceId, EntityId, Quality, Timestamp, TypeName};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Read, Write};
use std::sync::{Arc, mpsc};

pub const VERSION: u8 = 2;

/// A block is closed when its entities take about so much memory.
const BLOCK_BYTES: usize = 1 << 18;
/// Most threads that read blocks.
const READERS_MAX: usize = 4;
const FRAME_HEAD_BYTES: usize = 8;

#[derive(Serialize, Deserialize)]
struct Head {
    position: u64,
    changes_since: u64,
    entities: u64,
}

/// Words by number, then entities that name them by it.
#[derive(Default, Serialize, Deserialize)]
struct Block<'a> {
    #[serde(borrow)]
    types: Vec<&'a str>,
    #[serde(borrow)]
    labels: Vec<(&'a str, Option<&'a str>)>,
    #[serde(borrow)]
    devices: Vec<&'a str>,
    #[serde(borrow)]
    entities: Vec<StoredEntity<'a>>,
}

#[derive(Serialize, Deserialize)]
struct StoredEntity<'a> {
    id: &'a str,
    entity_type: u32,
    created_at: i64,
    modified_at: i64,
    changed: u64,
    sources: Vec<StoredSource>,
    #[serde(borrow)]
    attributes: Vec<StoredAttribute<'a>>,
    deleted: Vec<(u32, i64)>,
}

#[derive(Serialize, Deserialize)]
struct StoredSource {
    position: u64,
    received_at: i64,
    observed_at: i64,
    /// 0: none; 1: that of the entity's own id; n + 2: the word n.
    device: u32,
}

#[derive(Serialize, Deserialize)]
struct StoredAttribute<'a> {
    label: u32,
    source: u32,
    quality: Quality,
    #[serde(borrow)]
    value: StoredValue<'a>,
}

#[derive(Serialize, Deserialize)]
enum StoredValue<'a> {
    Number(f64),
    Boolean(bool),
    Text(&'a str),
    Json(&'a str),
    Relationship(EntityId),
    Point([f64; 2]),
    Shape(&'a str, [f64; 4]),
}

/// Writes all after and with the version byte.
pub fn write(
    file: &mut impl Write,
    head: SnapshotHead,
    mut next: impl FnMut() -> Vec<Entity>,
) -> Result<(), CheckpointError> {
    file.write_all(&[VERSION])?;
    let mut payload = Vec::new();
    let head = Head {
        position: head.position,
        changes_since: head.changes_since,
        entities: head.entities as u64,
    };
    frame(file, &mut payload, &head)?;
    loop {
        let entities = next();
        if entities.is_empty() {
            return Ok(());
        }
        let mut rest = entities.as_slice();
        while !rest.is_empty() {
            let mut bytes = 0;
            let is_within = |entity: &&Entity| {
                let fits = bytes < BLOCK_BYTES;
                bytes += entity.bytes();
                fits
            };
            let count = rest.iter().take_while(is_within).count();
            let (now, later) = rest.split_at(count);
            frame(file, &mut payload, &block(now))?;
            rest = later;
        }
    }
}

fn frame(
    file: &mut impl Write,
    payload: &mut Vec<u8>,
    content: &impl Serialize,
) -> Result<(), CheckpointError> {
    let mut bytes = std::mem::take(payload);
    bytes.clear();
    bytes.resize(FRAME_HEAD_BYTES, 0);
    let mut bytes = postcard::to_extend(content, bytes).map_err(CheckpointError::damaged)?;
    let length = u32::try_from(bytes.len() - FRAME_HEAD_BYTES).map_err(CheckpointError::damaged)?;
    bytes[4..FRAME_HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
    let checksum = crc32c::crc32c(&bytes[4..]);
    bytes[..4].copy_from_slice(&checksum.to_le_bytes());
    file.write_all(&bytes)?;
    *payload = bytes;
    Ok(())
}

/// The numbers that words have within a block, in the order in which they are met.
struct Numbers<K>(HashMap<K, u32>);

impl<K: Eq + std::hash::Hash> Numbers<K> {
    fn of(&mut self, word: K, met: impl FnOnce()) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(word).or_insert_with(|| {
            met();
            next
        })
    }
}

fn block(entities: &[Entity]) -> Block<'_> {
    let mut block = Block::default();
    let mut types = Numbers(HashMap::new());
    let mut labels = Numbers(HashMap::new());
    let mut devices = Numbers(HashMap::new());
    for entity in entities {
        let words = entity.words();
        let mut label = |number: u32| {
            labels.of(number, || {
                let label = words.label(number);
                (block.labels).push((label.name.as_str(), label.unit.as_deref()));
            })
        };
        // Sources that nothing refers to any more are left out.
        let mut numbers = vec![0; entity.sources().len()];
        let mut sources = Vec::with_capacity(numbers.len());
        for (source, number) in entity.sources().iter().zip(&mut numbers) {
            if source.uses == 0 {
                continue;
            }
            *number = sources.len() as u32;
            let device = match source.device {
                NO_DEVICE => 0,
                OWN_DEVICE => 1,
                device => match words.device(device) {
                    None => 0,
                    Some(word) => 2 + devices.of(device, || block.devices.push(word.as_str())),
                },
            };
            sources.push(StoredSource {
                position: source.position,
                received_at: source.received_at.micros(),
                observed_at: source.observed_at.micros(),
                device,
            });
        }
        let attributes = entity
            .cells()
            .map(|(number, source, quality, value)| StoredAttribute {
                label: label(number),
                source: numbers[source],
                quality,
                value: StoredValue::of(value),
            });
        let attributes = attributes.collect();
        let deleted = (entity.deleted().iter()).map(|(number, at)| (label(*number), at.micros()));
        let deleted = deleted.collect();
        let name = entity.entity_type.as_str();
        block.entities.push(StoredEntity {
            id: entity.id.as_str(),
            entity_type: types.of(name, || block.types.push(name)),
            created_at: entity.created_at.micros(),
            modified_at: entity.modified_at.micros(),
            changed: entity.changed,
            sources,
            attributes,
            deleted,
        });
    }
    block
}

impl<'a> StoredValue<'a> {
    fn of(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Number(n) => Self::Number(n),
            ValueRef::Boolean(b) => Self::Boolean(b),
            ValueRef::Text(t) => Self::Text(t),
            ValueRef::Json(j) => Self::Json(j),
            ValueRef::Relationship(id) => Self::Relationship(id.clone()),
            ValueRef::Point(at) => Self::Point(at),
            ValueRef::Shape(geojson, bbox) => Self::Shape(geojson, bbox),
        }
    }

    fn as_value(&self) -> ValueRef<'_> {
        match self {
            Self::Number(n) => ValueRef::Number(*n),
            Self::Boolean(b) => ValueRef::Boolean(*b),
            Self::Text(t) => ValueRef::Text(t),
            Self::Json(j) => ValueRef::Json(j),
            Self::Relationship(id) => ValueRef::Relationship(id),
            Self::Point(at) => ValueRef::Point(*at),
            Self::Shape(geojson, bbox) => ValueRef::Shape(geojson, *bbox),
        }
    }
}

/// Reads what follows the version byte of a file that has `bytes_max` bytes.
pub fn read(
    file: &mut impl Read,
    bytes_max: u64,
    options: &Options,
) -> Result<Stored, CheckpointError> {
    let head = next_frame(file, bytes_max)?.ok_or_else(|| CheckpointError::damaged("cut off"))?;
    let head: Head = payload(&head)?;
    let book = Mutex::new(Book::new(&options.indexed_attributes));
    let readers = std::thread::available_parallelism().map_or(1, |n| n.get().min(READERS_MAX));
    let entities = std::thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel::<Vec<u8>>(readers * 2);
        let receive = Arc::new(Mutex::new(receive));
        let decoders: Vec<_> = (0..readers)
            .map(|_| {
                let (receive, book) = (receive.clone(), &book);
                scope.spawn(move || -> Result<Vec<Entity>, CheckpointError> {
                    let mut entities = Vec::new();
                    loop {
                        let Ok(bytes) = receive.lock().recv() else {
                            return Ok(entities);
                        };
                        restore(payload(&bytes)?, book, &mut entities)?;
                    }
                })
            })
            .collect();
        // Only the decoders hold it: when all have ended with an error, sending ends too.
        drop(receive);
        let sent = loop {
            match next_frame(file, bytes_max) {
                Ok(Some(bytes)) => {
                    if send.send(bytes).is_err() {
                        break Ok(());
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(send);
        let mut all: Vec<Entity> = Vec::new();
        for decoder in decoders {
            let decoded = decoder
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let mut decoded = decoded?;
            if all.is_empty() {
                all = decoded;
            } else {
                all.append(&mut decoded);
            }
        }
        sent.map(|()| all)
    })?;
    if entities.len() as u64 != head.entities {
        let found = entities.len();
        let what = format!("{found} of {} entities", head.entities);
        return Err(CheckpointError::damaged(what));
    }
    Ok(Stored {
        position: head.position,
        changes_since: head.changes_since,
        book: book.into_inner(),
        entities,
    })
}

/// Checksum, length and payload; `None` at the end of the file.
fn next_frame(file: &mut impl Read, bytes_max: u64) -> Result<Option<Vec<u8>>, CheckpointError> {
    let mut head = Vec::with_capacity(FRAME_HEAD_BYTES);
    let mut first = Read::by_ref(file).take(FRAME_HEAD_BYTES as u64);
    first.read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(None);
    }
    let Ok([.., a, b, c, d]) = <[u8; FRAME_HEAD_BYTES]>::try_from(head.as_slice()) else {
        return Err(CheckpointError::damaged("cut off"));
    };
    let length = u32::from_le_bytes([a, b, c, d]);
    if u64::from(length) > bytes_max {
        return Err(CheckpointError::damaged("a length"));
    }
    head.resize(FRAME_HEAD_BYTES + length as usize, 0);
    match file.read_exact(&mut head[FRAME_HEAD_BYTES..]) {
        Ok(()) => Ok(Some(head)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(CheckpointError::damaged("cut off"))
        }
        Err(error) => Err(error.into()),
    }
}

fn payload<'a, T: Deserialize<'a>>(frame: &'a [u8]) -> Result<T, CheckpointError> {
    let (checksum, rest) = frame.split_at(4);
    if *checksum != crc32c::crc32c(rest).to_le_bytes() {
        return Err(CheckpointError::damaged("checksum"));
    }
    postcard::from_bytes(&rest[4..]).map_err(CheckpointError::damaged)
}

fn restore(
    block: Block<'_>,
    book: &Mutex<Book>,
    entities: &mut Vec<Entity>,
) -> Result<(), CheckpointError> {
    let damaged = CheckpointError::damaged::<model::Problem>;
    let no_word = || CheckpointError::damaged("a number without its word");
    let (mut types, mut labels, mut devices) = (Vec::new(), Vec::new(), Vec::new());
    let words = {
        let mut book = book.lock();
        for name in block.types {
            types.push(book.entity_type(&TypeName::new(name).map_err(damaged)?));
        }
        for (name, unit) in block.labels {
            labels.push(book.label(&AttributeName::new(name).map_err(damaged)?, unit));
        }
        for device in block.devices {
            devices.push(book.device_word(&DeviceId::new(device).map_err(damaged)?));
        }
        book.words.clone()
    };
    let label_of = |number: u32| labels.get(number as usize).copied().ok_or_else(no_word);
    for stored in block.entities {
        let entity_type = types.get(stored.entity_type as usize).ok_or_else(no_word)?;
        let mut entity = EntityState::new(
            EntityId::new(stored.id).map_err(damaged)?,
            entity_type.clone(),
            words.clone(),
            Timestamp::from_micros(stored.created_at),
        );
        entity.modified_at = Timestamp::from_micros(stored.modified_at);
        entity.changed = stored.changed;
        let source = |stored: &StoredSource| -> Result<Source, CheckpointError> {
            let device = match stored.device {
                0 => NO_DEVICE,
                1 => OWN_DEVICE,
                word => *devices.get(word as usize - 2).ok_or_else(no_word)?,
            };
            Ok(Source {
                position: stored.position,
                received_at: Timestamp::from_micros(stored.received_at),
                observed_at: Timestamp::from_micros(stored.observed_at),
                device,
                uses: 0,
            })
        };
        let sources: Result<Vec<Source>, CheckpointError> =
            stored.sources.iter().map(source).collect();
        let label = |a: &StoredAttribute<'_>| label_of(a.label);
        let named: Result<Vec<u32>, _> = stored.attributes.iter().map(label).collect();
        let cells = named?.into_iter().zip(&stored.attributes);
        let cells =
            cells.map(|(label, a)| (label, a.source as usize, a.quality, a.value.as_value()));
        let gone = |(label, at): &(u32, i64)| {
            label_of(*label).map(|label| (label, Timestamp::from_micros(*at)))
        };
        let deleted: Result<Vec<_>, _> = stored.deleted.iter().map(gone).collect();
        (entity.fill(sources?, cells, deleted?))
            .ok_or_else(|| CheckpointError::damaged("an attribute without its source"))?;
        entities.push(Entity(Arc::new(entity)));
    }
    Ok(())
}
