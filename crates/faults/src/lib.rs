//! What can go wrong below us and around us, on purpose and repeatably: a simulated [`disk`] for journal and
//! twin, one with folders ([`folder`]) for the lake, a [`network`] with devices at its other end, and a simulated
//! [`city`] of all of it, whose every step follows from a seed. `cargo xtask sim --seeds N` runs it. Used by tests
//! and automation only.

mod blocks;
pub mod city;
pub mod disk;
pub mod folder;
pub mod history;
mod messages;
pub mod network;
pub mod plan;

pub use disk::SimDisk;
pub use folder::FolderDisk;

use journal::Options;

/// Numbers from a seed (splitmix64).
#[derive(Clone, Debug, Default)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub const fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of 0 up to, not including, `end`; 0 when `end` is.
    pub const fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.any() % end }
    }

    /// True once in `of` times.
    pub const fn once_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

/// Limits small enough that a short test goes through many segments.
pub fn small_options() -> Options {
    Options {
        segment_bytes: 4096,
        buffer_bytes_max: 64 * 1024,
        record_bytes_max: 2000,
        block_bytes_max: 1000,
        gather_appends_min: 16,
        gather_us: 1_000,
        retry_ms: 1,
        read_batch_bytes_max: 4096,
    }
}
