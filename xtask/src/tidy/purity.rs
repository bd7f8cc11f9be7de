//! Pure crates touch no socket, file, clock, process or runtime: whoever calls them gives them bytes,
//! time and randomness. Their tests may.

use crate::{Finding, Tree};
use anyhow::Result;

/// Folders of pure crates.
const PURE: [&str; 12] = [
    "crates/model",
    "crates/engine",
    "crates/wire",
    "crates/rules",
    "crates/commands",
    "crates/indicators",
    "crates/duty",
    "crates/projects",
    "crates/charging",
    "crates/open311",
    "packs/pack-energy",
    "packs/pack-water",
];
/// What a pure crate's source may not name.
const IMPURE: [&str; 10] = [
    "std::net",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "tokio",
];

/// Whether the crate in this folder is pure.
pub fn is_pure(folder: &str) -> bool {
    PURE.contains(&folder) || folder.starts_with("protocols/")
}

/// Looks for names of impure things in the sources of pure crates.
///
/// # Errors
/// When a file cannot be read as text.
pub fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in tree.ending(&[".rs"]) {
        let Some((folder, _)) = path.split_once("/src/") else {
            continue;
        };
        if is_pure(folder) {
            findings.extend(impure(path, &tree.text(path)?));
        }
    }
    Ok(findings)
}

/// Comments do not count, and neither does what follows `#[cfg(test)]` at the margin.
fn impure(path: &str, text: &str) -> Vec<Finding> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| *line != "#[cfg(test)]")
        .filter_map(|(n, line)| {
            let code = line.split("//").next().unwrap_or_default();
            let name = IMPURE.iter().find(|name| code.contains(**name))?;
            Some(Finding::new(
                format!("{path}:{}", n + 1),
                format!("a pure crate names {name}"),
                "take bytes, time and randomness as arguments",
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_judged_and_tests_are_not() {
        let good = "//! No std::fs here.\nfn a() {} // nor tokio\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert_eq!(impure("a.rs", good), []);
        let bad = impure("a.rs", "//! A.\nuse std::fs;\nlet t = Instant::now();\n");
        assert_eq!(bad.len(), 2);
        assert_eq!(bad[0].place, "a.rs:2");
    }

    #[test]
    fn protocols_are_pure() {
        assert!(
            is_pure("protocols/proto-mqtt") && is_pure("crates/model") && !is_pure("crates/api")
        );
    }
}
