//! What is kept of an entity, small: an attribute is a cell of 16 bytes; when and through whom it was said
//! is a source that all attributes of one message share; names, units and devices are numbers of words.

use crate::value::{Held, Kept, Kind, SHORT_TEXT_BYTES_MAX, ValueRef};
use crate::words::{Label, NO_DEVICE, OWN_DEVICE, Words};
use compact_str::CompactString;
use model::{AttributeName, EntityId, Quality, Timestamp, TypeName};
use std::fmt;
use std::hint::black_box;
use std::ops::Deref;
use std::sync::Arc;

/// An entity as it was when it was asked for. A copy is a pointer; the twin makes itself a new one when it
/// changes an entity that somebody still looks at.
#[derive(Clone, PartialEq)]
pub struct Entity(pub(crate) Arc<EntityState>);

impl Deref for Entity {
    type Target = EntityState;
    fn deref(&self) -> &EntityState {
        &self.0
    }
}

impl fmt::Debug for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An entity's state.
#[derive(Clone)]
pub struct EntityState {
    /// Its id.
    pub id: EntityId,
    /// Its type, as first said.
    pub entity_type: Arc<TypeName>,
    /// When it was first heard of.
    pub created_at: Timestamp,
    /// When it was last heard of.
    pub modified_at: Timestamp,
    /// Journal position of the last message about it.
    pub changed: u64,
    words: Arc<Words>,
    /// In the order of their names.
    cells: Box<[Cell]>,
    sources: Box<[Source]>,
    held: Box<[Held]>,
    /// Attributes taken away (by one of their labels), and as of when: an older value that comes late must
    /// not bring them back.
    deleted: Box<[(u32, Timestamp)]>,
}

/// One attribute as it is now, borrowed from its entity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attribute<'a> {
    /// The value.
    pub value: ValueRef<'a>,
    /// UN/CEFACT code of its unit.
    pub unit: Option<&'a str>,
    /// When it was so.
    pub observed_at: Timestamp,
    /// When the platform heard of it.
    pub received_at: Timestamp,
    /// How good it is.
    pub quality: Quality,
    /// Journal position of the message that said so.
    pub position: u64,
    /// The device that said so.
    pub device_id: Option<&'a str>,
}

/// A value with its label: 8 bytes of value, then the label's number, then source, quality and kind.
#[derive(Clone, Copy)]
struct Cell {
    value: [u8; 8],
    label: u32,
    /// Source in the upper 26 bits (there are never more sources than attributes, and each attribute has a
    /// name of its own in memory), quality in three, kind in three.
    tail: u32,
}

/// Which message said it, when, and through whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    pub position: u64,
    pub received_at: Timestamp,
    pub observed_at: Timestamp,
    /// Number of a word, [`NO_DEVICE`] or [`OWN_DEVICE`].
    pub device: u32,
    /// How many cells refer to it; with none it is free for the next.
    pub uses: u32,
}

impl Cell {
    fn new(value: [u8; 8], kind: Kind, label: u32, source: u32, quality: Quality) -> Self {
        let tail = source << 6 | (quality as u32) << 3 | kind as u32;
        Self { value, label, tail }
    }

    fn kind(self) -> Kind {
        match self.tail & 7 {
            0 => Kind::Number,
            1 => Kind::Boolean,
            2 => Kind::ShortText,
            _ => Kind::Held,
        }
    }

    fn quality(self) -> Quality {
        Quality::ALL[(self.tail >> 3 & 7) as usize]
    }

    fn source(self) -> usize {
        (self.tail >> 6) as usize
    }

    fn held(self) -> Option<usize> {
        (self.kind() == Kind::Held).then(|| u64::from_le_bytes(self.value) as usize)
    }
}

fn push<T>(to: &mut Box<[T]>, item: T) {
    let mut grown = std::mem::take(to).into_vec();
    grown.reserve_exact(1);
    grown.push(item);
    *to = grown.into_boxed_slice();
}

fn insert<T>(to: &mut Box<[T]>, at: usize, item: T) {
    let mut grown = std::mem::take(to).into_vec();
    grown.reserve_exact(1);
    grown.insert(at, item);
    *to = grown.into_boxed_slice();
}

fn remove<T>(from: &mut Box<[T]>, at: usize) {
    let mut shrunk = std::mem::take(from).into_vec();
    shrunk.remove(at);
    *from = shrunk.into_boxed_slice();
}

impl EntityState {
    /// An entity without attributes.
    pub(crate) fn new(
        id: EntityId,
        entity_type: Arc<TypeName>,
        words: Arc<Words>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            entity_type,
            created_at,
            modified_at: created_at,
            changed: 0,
            words,
            cells: Box::default(),
            sources: Box::default(),
            held: Box::default(),
            deleted: Box::default(),
        }
    }

    /// Brings the entity itself nearer, for whoever looks at it soon.
    pub(crate) fn fetch(&self) {
        black_box((self.modified_at, self.cells.len(), self.sources.len()));
    }

    /// Brings what the entity points at nearer, once it is near itself.
    pub(crate) fn fetch_behind(&self) {
        let id = self.id.as_str().as_bytes().last().copied();
        let cells = (self.cells.first(), self.cells.last());
        let label = |cell: Option<&Cell>| cell.map(|cell| cell.label);
        let source = self.sources.first().map(|source| source.position);
        black_box((id, label(cells.0), label(cells.1), source));
    }

    /// Its attributes, by name.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = (&AttributeName, Attribute<'_>)> {
        (self.cells.iter()).map(|cell| (&self.words.label(cell.label).name, self.shown(cell)))
    }

    /// One attribute.
    pub fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        let is_it = |cell: &&Cell| self.words.label(cell.label).name.as_str() == name;
        self.cells.iter().find(is_it).map(|cell| self.shown(cell))
    }

    /// Longitude and latitude, WGS 84 degrees, of its `location` (the middle of the box of a shape).
    pub fn location(&self) -> Option<[f64; 2]> {
        let is_it = |cell: &&Cell| self.words.label(cell.label).is_location;
        self.value_of(self.cells.iter().find(is_it)?).place()
    }

    fn shown<'a>(&'a self, cell: &'a Cell) -> Attribute<'a> {
        let source = self.sources[cell.source()];
        let device_id = match source.device {
            NO_DEVICE => None,
            OWN_DEVICE => Some(self.id.as_str()),
            number => self.words.device(number).map(|device| device.as_str()),
        };
        Attribute {
            value: self.value_of(cell),
            unit: self.words.label(cell.label).unit.as_deref(),
            observed_at: source.observed_at,
            received_at: source.received_at,
            quality: cell.quality(),
            position: source.position,
            device_id,
        }
    }

    fn value_of<'a>(&'a self, cell: &'a Cell) -> ValueRef<'a> {
        match cell.kind() {
            Kind::Number => ValueRef::Number(f64::from_le_bytes(cell.value)),
            Kind::Boolean => ValueRef::Boolean(cell.value[0] != 0),
            Kind::ShortText => {
                let length = usize::from(cell.value[SHORT_TEXT_BYTES_MAX]);
                // It was a text when it was put there.
                ValueRef::Text(std::str::from_utf8(&cell.value[..length]).unwrap_or_default())
            }
            Kind::Held => self.held[u64::from_le_bytes(cell.value) as usize].as_ref(),
        }
    }

    fn position_of(&self, name_number: u32) -> Option<usize> {
        let is_it = |cell: &Cell| self.words.label(cell.label).name_number == name_number;
        self.cells.iter().position(is_it)
    }

    /// The value of the attribute whose name has this number.
    pub(crate) fn value(&self, name_number: u32) -> Option<ValueRef<'_>> {
        let at = self.position_of(name_number)?;
        Some(self.value_of(&self.cells[at]))
    }

    /// Sets an attribute, or takes it away when there is no value, unless what is known of it is newer.
    pub(crate) fn set(
        &mut self,
        words: &Words,
        label: u32,
        value: Option<ValueRef<'_>>,
        quality: Quality,
        source: Source,
    ) {
        let named = words.label(label);
        let at = self.position_of(named.name_number);
        if let Some(at) = at {
            let known = self.sources[self.cells[at].source()].observed_at;
            if known > source.observed_at {
                return;
            }
        }
        let gone = (self.deleted.iter())
            .position(|(gone, _)| words.label(*gone).name_number == named.name_number);
        let Some(value) = value else {
            if let Some(at) = at {
                self.take_away(at);
            }
            match gone {
                Some(gone) => {
                    let known = &mut self.deleted[gone].1;
                    *known = source.observed_at.max(*known);
                }
                None => push(&mut self.deleted, (label, source.observed_at)),
            }
            return;
        };
        if let Some(gone) = gone {
            if self.deleted[gone].1 > source.observed_at {
                return;
            }
            remove(&mut self.deleted, gone);
        }
        match at {
            Some(at) => self.replace(at, label, value, quality, source),
            None => self.add(named, label, value, quality, source),
        }
    }

    /// Puts another text in the place of one that an attribute still has; when and by whom it was said stays. Gives the
    /// number of the attribute's name, when it had it.
    pub(crate) fn rewrite(&mut self, name: &str, before: &str, after: &str) -> Option<u32> {
        let at =
            (self.cells.iter()).position(|c| self.words.label(c.label).name.as_str() == name)?;
        let cell = self.cells[at];
        // What is short is in the cell itself; nothing that is rewritten is so short.
        let held = cell.held()?;
        if self.held[held].as_ref().as_text() != Some(before) {
            return None;
        }
        self.held[held] = Held::Text(CompactString::new(after));
        Some(self.words.label(cell.label).name_number)
    }

    fn replace(
        &mut self,
        at: usize,
        label: u32,
        value: ValueRef<'_>,
        quality: Quality,
        source: Source,
    ) {
        let old = self.cells[at];
        self.sources[old.source()].uses -= 1;
        let source = self.source(source);
        let (bytes, kind) = match (Kept::of(value), old.held()) {
            (Kept::Small(bytes, kind), None) => (bytes, kind),
            (Kept::Small(bytes, kind), Some(held)) => {
                self.let_go(held);
                (bytes, kind)
            }
            (Kept::Large(new), Some(held)) => {
                self.held[held] = new;
                (old.value, Kind::Held)
            }
            (Kept::Large(new), None) => self.hold(new),
        };
        self.cells[at] = Cell::new(bytes, kind, label, source, quality);
    }

    fn add(
        &mut self,
        named: &Label,
        label: u32,
        value: ValueRef<'_>,
        quality: Quality,
        source: Source,
    ) {
        let (bytes, kind) = match Kept::of(value) {
            Kept::Small(bytes, kind) => (bytes, kind),
            Kept::Large(held) => self.hold(held),
        };
        let source = self.source(source);
        let at =
            (self.cells).partition_point(|cell| self.words.label(cell.label).name < named.name);
        insert(
            &mut self.cells,
            at,
            Cell::new(bytes, kind, label, source, quality),
        );
    }

    fn take_away(&mut self, at: usize) {
        let old = self.cells[at];
        self.sources[old.source()].uses -= 1;
        remove(&mut self.cells, at);
        if let Some(held) = old.held() {
            self.let_go(held);
        }
    }

    /// The number of a source, counted as used once more.
    fn source(&mut self, wanted: Source) -> u32 {
        let same = |known: &Source| known.uses > 0 && (Source { uses: 0, ..*known }) == wanted;
        if let Some(at) = self.sources.iter().position(same) {
            self.sources[at].uses += 1;
            return at as u32;
        }
        let used = Source { uses: 1, ..wanted };
        if let Some(free) = self.sources.iter().position(|known| known.uses == 0) {
            self.sources[free] = used;
            return free as u32;
        }
        push(&mut self.sources, used);
        self.sources.len() as u32 - 1
    }

    fn hold(&mut self, value: Held) -> ([u8; 8], Kind) {
        let number = self.held.len() as u64;
        push(&mut self.held, value);
        (number.to_le_bytes(), Kind::Held)
    }

    /// The last one takes the freed number.
    fn let_go(&mut self, held: usize) {
        let mut left = std::mem::take(&mut self.held).into_vec();
        left.swap_remove(held);
        let moved = left.len();
        self.held = left.into_boxed_slice();
        if moved != held {
            for cell in &mut self.cells {
                if cell.held() == Some(moved) {
                    cell.value = (held as u64).to_le_bytes();
                }
            }
        }
    }

    /// What was taken away, and as of when; by a label of the name.
    pub(crate) fn deleted(&self) -> &[(u32, Timestamp)] {
        &self.deleted
    }

    /// Puts attributes and what was taken away as a checkpoint has them; `None` when a cell names no source.
    pub(crate) fn fill<'a>(
        &mut self,
        mut sources: Vec<Source>,
        cells: impl ExactSizeIterator<Item = (u32, usize, Quality, ValueRef<'a>)>,
        deleted: Vec<(u32, Timestamp)>,
    ) -> Option<()> {
        let mut held = Vec::new();
        let mut filled = Vec::with_capacity(cells.len());
        for (label, source, quality, value) in cells {
            sources.get_mut(source)?.uses += 1;
            let (bytes, kind) = match Kept::of(value) {
                Kept::Small(bytes, kind) => (bytes, kind),
                Kept::Large(new) => {
                    held.push(new);
                    ((held.len() as u64 - 1).to_le_bytes(), Kind::Held)
                }
            };
            filled.push(Cell::new(bytes, kind, label, source as u32, quality));
        }
        self.cells = filled.into_boxed_slice();
        self.sources = sources.into_boxed_slice();
        self.held = held.into_boxed_slice();
        self.deleted = deleted.into_boxed_slice();
        Some(())
    }

    /// Each cell's label, source and quality beside its value; for the writer of a checkpoint.
    pub(crate) fn cells(
        &self,
    ) -> impl ExactSizeIterator<Item = (u32, usize, Quality, ValueRef<'_>)> {
        (self.cells.iter()).map(|c| (c.label, c.source(), c.quality(), self.value_of(c)))
    }

    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub(crate) fn words(&self) -> &Words {
        &self.words
    }

    /// About how much memory it takes, in bytes, with the allocator's share.
    pub(crate) fn bytes(&self) -> usize {
        let heap = |bytes: usize| if bytes == 0 { 0 } else { bytes + 16 };
        let id = self.id.as_str().len();
        heap(size_of::<Self>() + 16)
            + if id > 24 { heap(id) } else { 0 }
            + heap(size_of_val(&*self.cells))
            + heap(size_of_val(&*self.sources))
            + heap(size_of_val(&*self.held))
            + heap(size_of_val(&*self.deleted))
            + self.held.iter().map(Held::bytes_behind).sum::<usize>()
    }
}

/// Equal when they show the same, whatever the numbers of their words.
impl PartialEq for EntityState {
    fn eq(&self, other: &Self) -> bool {
        let gone = |entity: &Self| {
            let named =
                |(label, at): &(u32, Timestamp)| (entity.words.label(*label).name.clone(), *at);
            let mut gone: Vec<_> = entity.deleted.iter().map(named).collect();
            gone.sort_unstable();
            gone
        };
        self.id == other.id
            && self.entity_type == other.entity_type
            && (self.created_at, self.modified_at, self.changed)
                == (other.created_at, other.modified_at, other.changed)
            && self.attributes().eq(other.attributes())
            && gone(self) == gone(other)
    }
}

impl fmt::Debug for EntityState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entity")
            .field("id", &self.id)
            .field("type", &self.entity_type)
            .field("modified_at", &self.modified_at)
            .field("changed", &self.changed)
            .field("attributes", &self.attributes().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
