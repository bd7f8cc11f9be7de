//! The project's automation: `cargo xtask tidy` (the house's own rules, also a test),
//! `cargo xtask licences`, `cargo xtask new protocol|pack NAME`, `cargo xtask test` (all of it in one go),
//! `cargo xtask sim` (the stores on simulated disks), `cargo xtask fuzz NAME` (a protocol's codec under a fuzzer).
//!
//! Reading order: [`finding`], [`tree`] (the files looked at), [`tidy`] (one module per rule),
//! [`licences`], [`scaffold`], [`suite`], [`fuzz`].

pub mod finding;
pub mod fuzz;
pub mod known_holes;
pub mod licences;
pub mod scaffold;
pub mod suite;
pub mod tidy;
pub mod tree;

pub use finding::Finding;
pub use tree::Tree;

use std::path::PathBuf;

/// The workspace's root folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
