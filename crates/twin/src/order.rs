//! Slot numbers in the order of their entities' ids, in blocks: four bytes an entity, and a page that begins
//! anywhere is found by halving. Entities are never taken out.

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
