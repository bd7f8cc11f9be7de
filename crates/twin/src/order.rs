//! Slot numbers in the order of their entities' ids, in blocks: four bytes an entity, and a page that begins
//! anywhere is found by halving. Entities are never taken out. And a sort by id for many entities at once.

use crate::entity::Entity;

/// Most slots in a block; a full one is split.
const BLOCK_SLOTS: usize = 512;
/// Slots of a block when it is filled at once, with room for those that come later.
const BLOCK_SLOTS_FILLED: usize = 384;

/// An order of slots.
#[derive(Debug, Default)]
pub struct Ordered {
    /// None is empty.
    blocks: Vec<Vec<u32>>,
    len: usize,
}

fn id(slots: &[Entity], slot: u32) -> &str {
    slots[slot as usize].id.as_str()
}

impl Ordered {
    /// From slots that are in order already.
    pub fn from_sorted(sorted: &[u32]) -> Self {
        Self {
            blocks: (sorted.chunks(BLOCK_SLOTS_FILLED))
                .map(<[u32]>::to_vec)
                .collect(),
            len: sorted.len(),
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Puts a slot where its id belongs; the id must not be in it yet.
    pub fn insert(&mut self, slot: u32, slots: &[Entity]) {
        self.len += 1;
        let wanted = id(slots, slot);
        let after = (self.blocks).partition_point(|block| id(slots, block[0]) <= wanted);
        let number = after.saturating_sub(1);
        let Some(block) = self.blocks.get_mut(number) else {
            self.blocks.push(vec![slot]);
            return;
        };
        let at = block.partition_point(|&known| id(slots, known) < wanted);
        if block.len() < BLOCK_SLOTS {
            block.insert(at, slot);
        } else if at == block.len() {
            // Ids that come in order fill whole blocks.
            self.blocks.insert(number + 1, vec![slot]);
        } else {
            let mut upper = block.split_off(BLOCK_SLOTS / 2);
            match at.checked_sub(block.len()) {
                Some(at) => upper.insert(at, slot),
                None => block.insert(at, slot),
            }
            self.blocks.insert(number + 1, upper);
        }
    }

    /// Slots whose ids come after this text.
    pub fn after<'a>(&'a self, text: &str, slots: &'a [Entity]) -> impl Iterator<Item = u32> {
        let after = (self.blocks).partition_point(|block| id(slots, block[0]) <= text);
        let (first, rest) = self.blocks.split_at(after);
        let first = first.last().map(Vec::as_slice).unwrap_or_default();
        let at = first.partition_point(|&known| id(slots, known) <= text);
        (first[at..].iter()).chain(rest.iter().flatten()).copied()
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let block = |block: &Vec<u32>| block.capacity() * 4 + size_of::<Vec<u32>>();
        self.blocks.iter().map(block).sum()
    }
}

/// Bytes of an id that are compared at once.
const CHUNK_BYTES: usize = 8;

/// Entities in the order of their ids. Ids begin alike and lie anywhere in memory, so that comparing them one with
/// another is slow: they are copied together once, and sorted by eight bytes at a time, those that are equal so far by
/// the next eight.
pub fn sorted_by_id(entities: Vec<Entity>) -> Vec<Entity> {
    let mut texts = Vec::new();
    let mut ends = Vec::with_capacity(entities.len());
    for entity in &entities {
        texts.extend_from_slice(entity.id.as_str().as_bytes());
        ends.push(texts.len());
    }
    let text = |n: u32| {
        let n = n as usize;
        let begin = n.checked_sub(1).map_or(0, |before| ends[before]);
        &texts[begin..ends[n]]
    };
    let mut order: Vec<(u64, u32)> = (0..entities.len() as u32).map(|n| (0, n)).collect();
    sort_from(&mut order, 0, &text);
    let mut entities: Vec<Option<Entity>> = entities.into_iter().map(Some).collect();
    let taken = (order.into_iter()).filter_map(|(_, n)| entities[n as usize].take());
    taken.collect()
}

/// Sorts numbers by what follows the first bytes of their texts, which are the same for all of them.
fn sort_from<'a>(order: &mut [(u64, u32)], first: usize, text: &impl Fn(u32) -> &'a [u8]) {
    for (key, n) in order.iter_mut() {
        let mut chunk = [0; CHUNK_BYTES];
        let rest = text(*n).get(first..).unwrap_or_default();
        let length = rest.len().min(CHUNK_BYTES);
        chunk[..length].copy_from_slice(&rest[..length]);
        *key = u64::from_be_bytes(chunk);
    }
    order.sort_unstable();
    for same in order.chunk_by_mut(|a, b| a.0 == b.0) {
        // An id holds no zero bytes: one in the chunk says that the texts have ended.
        if same.len() > 1 && same[0].0 as u8 != 0 {
            sort_from(same, first + CHUNK_BYTES, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_are_sorted_as_texts(texts in prop::collection::vec("(urn:ngsi-ld:)?[a-b竟陵]{0,18}", 0..40)) {
            let mut order: Vec<(u64, u32)> = (0..texts.len() as u32).map(|n| (0, n)).collect();
            sort_from(&mut order, 0, &|n| texts[n as usize].as_bytes());
            let sorted: Vec<&str> = order.iter().map(|(_, n)| texts[*n as usize].as_str()).collect();
            let mut wanted: Vec<&str> = texts.iter().map(String::as_str).collect();
            wanted.sort_unstable();
            prop_assert_eq!(sorted, wanted);
        }
    }
}
