//! Words that many entities share, kept once: attribute names with their unit, device ids, type names.
//! Entities hold small numbers instead. The words themselves are only ever added to, so whoever holds an
//! entity reads them without a lock; a restart forgets those that nobody uses any more.

use compact_str::CompactString;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use model::{AttributeName, DeviceId, EntityId, TypeName};
use std::hash::BuildHasher;
use std::sync::Arc;

/// The attribute that says where an entity is.
const LOCATION: &str = "location";

/// An attribute's name together with a unit that its values came in.
#[derive(Debug)]
pub struct Label {
    pub name: AttributeName,
    /// The same for every label of this name.
    pub name_number: u32,
    /// UN/CEFACT code.
    pub unit: Option<CompactString>,
    /// Whether the attribute says where an entity is.
    pub is_location: bool,
}

/// The words by number.
#[derive(Debug, Default)]
pub struct Words {
    labels: boxcar::Vec<Label>,
    devices: boxcar::Vec<DeviceId>,
}

impl Words {
    pub fn label(&self, number: u32) -> &Label {
        &self.labels[number as usize]
    }

    pub fn device(&self, number: u32) -> Option<&DeviceId> {
        self.devices.get(number as usize)
    }
}

/// The words and the way from a text to its number: for the writer alone.
#[derive(Debug, Default)]
pub struct Book {
    pub words: Arc<Words>,
    hasher: DefaultHashBuilder,
    labels: HashTable<u32>,
    names: HashMap<AttributeName, u32>,
    devices: HashTable<u32>,
    types: HashMap<TypeName, Arc<TypeName>>,
}

/// The device of a source, as a number: none, the entity's own id, or one of the words.
pub const NO_DEVICE: u32 = u32::MAX;
/// The device has the id of the entity it speaks for, which is the usual case and needs no word.
pub const OWN_DEVICE: u32 = u32::MAX - 1;

impl Book {
    /// With these names as the first, numbered from 0, each once.
    pub fn new(names: &[AttributeName]) -> Self {
        let mut book = Self::default();
        for name in names {
            book.label(name, None);
        }
        book
    }

    /// How many different names there are.
    pub fn names(&self) -> usize {
        self.names.len()
    }

    pub fn label(&mut self, name: &AttributeName, unit: Option<&str>) -> u32 {
        let words = &*self.words;
        let hash_of = |label: &Label| {
            self.hasher
                .hash_one((label.name.as_str(), label.unit.as_deref()))
        };
        let hash = self.hasher.hash_one((name.as_str(), unit));
        let is_same = |&number: &u32| {
            let known = words.label(number);
            known.name == *name && known.unit.as_deref() == unit
        };
        if let Some(&number) = self.labels.find(hash, is_same) {
            return number;
        }
        let names = self.names.len() as u32;
        let name_number = *self.names.entry(name.clone()).or_insert(names);
        let number = words.labels.push(Label {
            name: name.clone(),
            name_number,
            unit: unit.map(CompactString::new),
            is_location: name.as_str() == LOCATION,
        }) as u32;
        self.labels
            .insert_unique(hash, number, |&n| hash_of(words.label(n)));
        number
    }

    /// The number of a name that some label has.
    pub fn name(&self, name: &AttributeName) -> Option<u32> {
        self.names.get(name).copied()
    }

    pub fn device(&mut self, device: Option<&DeviceId>, own: &EntityId) -> u32 {
        let Some(device) = device else {
            return NO_DEVICE;
        };
        if device.as_str() == own.as_str() {
            return OWN_DEVICE;
        }
        self.device_word(device)
    }

    /// The number of a device's id as a word.
    pub fn device_word(&mut self, device: &DeviceId) -> u32 {
        let words = &*self.words;
        let hash = self.hasher.hash_one(device.as_str());
        let is_same = |&number: &u32| words.device(number) == Some(device);
        if let Some(&number) = self.devices.find(hash, is_same) {
            return number;
        }
        let number = words.devices.push(device.clone()) as u32;
        self.devices.insert_unique(hash, number, |&n| {
            self.hasher
                .hash_one(words.device(n).map(DeviceId::as_str).unwrap_or_default())
        });
        number
    }

    pub fn entity_type(&mut self, name: &TypeName) -> Arc<TypeName> {
        if let Some(known) = self.types.get(name) {
            return known.clone();
        }
        let kept = Arc::new(name.clone());
        self.types.insert(name.clone(), kept.clone());
        kept
    }

    /// About how much memory the words take, in bytes.
    pub fn bytes(&self) -> usize {
        let text = |text: &str| if text.len() > 24 { text.len() + 16 } else { 0 };
        let labels: usize = (self.words.labels.iter())
            .map(|(_, l)| size_of::<Label>() + 8 + text(l.name.as_str()))
            .sum();
        let devices: usize = (self.words.devices.iter())
            .map(|(_, d)| size_of::<DeviceId>() + 8 + text(d.as_str()))
            .sum();
        labels + devices + 5 * (self.labels.capacity() + self.devices.capacity())
    }
}
