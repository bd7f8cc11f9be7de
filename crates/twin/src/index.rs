//! The indexes by what attributes say: values of chosen attributes, and relationships by whom they point at.
//! Both give candidates: texts and ids are found by a hash, so whoever asks looks at the entity too.

use crate::value::{ValueRef, number_key};
use hashbrown::DefaultHashBuilder;
use model::EntityId;
use std::collections::BTreeSet;

/// What stands in an index for a value: a number as an integer of the same order, anything else by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Number(u64),
    Other(u64),
}

impl Key {
    pub fn of(value: ValueRef<'_>, hasher: &DefaultHashBuilder) -> Self {
        match value {
            ValueRef::Number(number) => Self::Number(number_key(number)),
            other => Self::Other(other.hash(hasher)),
        }
    }
}

/// Which values are wanted; bounds are included.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    Equal(ValueRef<'a>),
    AtMost(f64),
    AtLeast(f64),
}

/// Slots by the value of one attribute.
#[derive(Debug, Default)]
pub struct ValueIndex {
    numbers: BTreeSet<(u64, u32)>,
    others: BTreeSet<(u64, u32)>,
}

impl ValueIndex {
    /// Follows a slot's value from one to another.
    pub fn update(&mut self, slot: u32, before: Option<Key>, after: Option<Key>) {
        if before == after {
            return;
        }
        match before {
            Some(Key::Number(key)) => self.numbers.remove(&(key, slot)),
            Some(Key::Other(key)) => self.others.remove(&(key, slot)),
            None => false,
        };
        match after {
            Some(Key::Number(key)) => self.numbers.insert((key, slot)),
            Some(Key::Other(key)) => self.others.insert((key, slot)),
            None => false,
        };
    }

    /// From all slots at once.
    pub fn build(entries: impl Iterator<Item = (Key, u32)>) -> Self {
        let (mut numbers, mut others) = (Vec::new(), Vec::new());
        for (key, slot) in entries {
            match key {
                Key::Number(key) => numbers.push((key, slot)),
                Key::Other(key) => others.push((key, slot)),
            }
        }
        Self {
            numbers: numbers.into_iter().collect(),
            others: others.into_iter().collect(),
        }
    }

    /// Slots whose value may be the wanted one.
    pub fn find(
        &self,
        wanted: Wanted<'_>,
        hasher: &DefaultHashBuilder,
    ) -> impl Iterator<Item = u32> {
        let (set, low, high) = match wanted {
            Wanted::AtMost(most) => (&self.numbers, 0, number_key(most)),
            Wanted::AtLeast(least) => (&self.numbers, number_key(least), u64::MAX),
            Wanted::Equal(value) => match Key::of(value, hasher) {
                Key::Number(key) => (&self.numbers, key, key),
                Key::Other(key) => (&self.others, key, key),
            },
        };
        set.range((low, 0)..=(high, u32::MAX))
            .map(|(_, slot)| *slot)
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        tree_bytes::<(u64, u32)>(self.numbers.len() + self.others.len())
    }
}

/// Slots by the entity that one of their attributes points at: hash of its id, slot, number of the
/// attribute's name.
#[derive(Debug, Default)]
pub struct Pointers(BTreeSet<(u64, u32, u32)>);

impl Pointers {
    pub fn build(entries: impl Iterator<Item = (u64, u32, u32)>) -> Self {
        Self(entries.collect())
    }

    /// Follows a slot's relationship from one target to another.
    pub fn update(&mut self, slot: u32, name: u32, before: Option<u64>, after: Option<u64>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.0.remove(&(before, slot, name));
        }
        if let Some(after) = after {
            self.0.insert((after, slot, name));
        }
    }

    /// Slots that may point at the target, through attributes of this name's number, when one is given.
    pub fn find(
        &self,
        target: &EntityId,
        name: Option<u32>,
        hasher: &DefaultHashBuilder,
    ) -> impl Iterator<Item = u32> {
        let hash = ValueRef::Relationship(target).hash(hasher);
        (self.0.range((hash, 0, 0)..=(hash, u32::MAX, u32::MAX)))
            .filter(move |(_, _, through)| name.is_none_or(|name| name == *through))
            .map(|(_, slot, _)| *slot)
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        tree_bytes::<(u64, u32, u32)>(self.0.len())
    }
}

/// A tree's nodes hold up to eleven and are about three quarters full.
fn tree_bytes<T>(entries: usize) -> usize {
    entries * (size_of::<T>() * 4 / 3 + 3)
}
