//! The house's rules. Each module is one rule over the [`Tree`]; `tests/tidy.rs` runs them all.

pub mod documents;
pub mod furniture;
pub mod layers;
pub mod map;
pub mod outgoing;
pub mod pages;
pub mod programs;
pub mod purity;
pub mod source;
pub mod words;

use crate::{Finding, Tree};
use anyhow::Result;
use cargo_metadata::MetadataCommand;

/// Checks every rule.
///
/// # Errors
/// When a file or the workspace cannot be read.
pub fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let metadata = MetadataCommand::new()
        .manifest_path(tree.root.join("Cargo.toml"))
        .no_deps()
        .exec()?;
    let rooms = layers::rooms(&metadata);
    let names: Vec<&str> = rooms.iter().map(|room| room.name.as_str()).collect();
    let mut findings = layers::check(&rooms);
    findings.extend(furniture::check(tree)?);
    findings.extend(pages::check(tree)?);
    findings.extend(map::check(tree, &names)?);
    findings.extend(documents::check(tree)?);
    findings.extend(source::check(tree)?);
    findings.extend(purity::check(tree)?);
    findings.extend(outgoing::check(tree)?);
    findings.extend(programs::check(tree)?);
    findings.extend(words::check(tree)?);
    Ok(findings)
}
