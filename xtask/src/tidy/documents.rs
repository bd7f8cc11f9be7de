//! Paths in documents exist: the targets of links, and code spans that begin with a floor's name.

use crate::{Finding, Tree};
use anyhow::Result;

/// A code span that begins so is a path.
const FLOORS: [&str; 11] = [
    "crates/",
    "protocols/",
    "packs/",
    "cities/",
    "web/",
    "scenarios/",
    "bench/",
    "xtask/",
    "docs/",
    ".ci/",
    ".cargo/",
];
/// What a path with a placeholder or a pattern holds.
const NOT_A_PATH: [char; 11] = ['<', '>', '*', '{', '}', '…', ' ', '$', '[', '(', '|'];
/// Built when the program is built; in no fresh checkout.
const BUILT: [&str; 2] = ["web/dist", "web/node_modules"];

/// Checks every Markdown file but vectors, whose blocks are data.
///
/// # Errors
/// When a file cannot be read as text.
pub fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in tree.ending(&[".md"]) {
        if path.contains("/vectors/") || path.starts_with("docs/plans/") {
            continue;
        }
        let text = tree.text(path)?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (line, target) in paths(&text, folder) {
            if !tree.has(&target) && !BUILT.iter().any(|built| target.starts_with(built)) {
                findings.push(Finding::new(
                    format!("{path}:{line}"),
                    format!("the path {target} does not exist"),
                    "mend the path, or make the file",
                ));
            }
        }
    }
    Ok(findings)
}

/// The paths that a document names, each with its line, seen from the root.
fn paths(text: &str, folder: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_fence = false;
    for (n, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        }
        if in_fence {
            continue;
        }
        for link in line.split("](").skip(1) {
            let target = link.split([')', '#', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains(':') {
                found.extend(resolve(folder, target).map(|path| (n + 1, path)));
            }
        }
        for span in line.split('`').skip(1).step_by(2) {
            let span = span.trim_end_matches([':', ',', '.']);
            let path = span.split([':', '#']).next().unwrap_or_default();
            if FLOORS.iter().any(|floor| path.starts_with(floor)) && !path.contains(NOT_A_PATH) {
                found.push((n + 1, path.to_owned()));
            }
        }
    }
    found
}

/// A relative link seen from the root; `None` when it leads out of the checkout.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_spans_are_found() {
        let text = "See [the map](../ARCHITECTURE.md#layers), [web](https://example.org) and\n\
                    `crates/model/src/ids.rs:7`, `packs/*`, `not/a/floor`, `docs/<name>`.\n\
                    ```\n[in a fence](gone.md)\n```\n![](screenshots/a.png)\n";
        assert_eq!(
            paths(text, "docs"),
            [
                (1, "ARCHITECTURE.md".to_owned()),
                (2, "crates/model/src/ids.rs".to_owned()),
                (6, "docs/screenshots/a.png".to_owned()),
            ]
        );
    }
}
