//! ARCHITECTURE.md has one paragraph per crate, headed by its name, and none without a crate.

use crate::{Finding, Tree};
use anyhow::Result;

const MAP: &str = "ARCHITECTURE.md";

/// Compares the map's headings with the crates' names.
///
/// # Errors
/// When the map cannot be read.
pub fn check(tree: &Tree, crates: &[&str]) -> Result<Vec<Finding>> {
    if !tree.has(MAP) {
        return Ok(vec![Finding::new(MAP, "the map is missing", "write it")]);
    }
    Ok(compare(&tree.text(MAP)?, crates))
}

fn compare(map: &str, crates: &[&str]) -> Vec<Finding> {
    let paragraphs: Vec<(usize, &str)> = map
        .lines()
        .enumerate()
        .filter_map(|(n, line)| Some((n + 1, line.strip_prefix("### `")?.split('`').next()?)))
        .collect();
    let without_paragraph = crates
        .iter()
        .filter(|name| !paragraphs.iter().any(|(_, heading)| heading == *name))
        .map(|name| {
            let mend = format!("add \"### `{name}`\" and what it must never know");
            Finding::new(MAP, format!("the crate {name} has no paragraph"), mend)
        });
    let without_crate = paragraphs
        .iter()
        .filter(|(_, heading)| !crates.contains(heading))
        .map(|(line, heading)| {
            let what = format!("the paragraph `{heading}` has no crate");
            Finding::new(format!("{MAP}:{line}"), what, "remove it, or mend its name")
        });
    without_paragraph.chain(without_crate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_are_compared() {
        let findings = compare(
            "### `model`\nNouns.\n### `gone`\nOld.\n",
            &["model", "wire"],
        );
        let whats: Vec<&str> = findings.iter().map(|f| f.what.as_str()).collect();
        assert_eq!(
            whats,
            [
                "the crate wire has no paragraph",
                "the paragraph `gone` has no crate"
            ]
        );
        assert_eq!(findings[1].place, "ARCHITECTURE.md:3");
    }
}
