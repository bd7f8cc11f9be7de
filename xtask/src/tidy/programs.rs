//! Where a crate's tests are one program (`tests/all.rs`), every file of tests beside it is named there: one that is not would
//! never run, and nothing else would say so.

use crate::{Finding, Tree};
use anyhow::Result;

const ROOT: &str = "all.rs";

/// Looks for files of tests that their crate's program does not name.
///
/// # Errors
/// When a program cannot be read.
pub fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in tree.ending(&["/tests/all.rs"]) {
        let folder = path.trim_end_matches(ROOT).trim_end_matches('/');
        let files = tree.names_in(folder).into_iter();
        findings.extend(unnamed(folder, &tree.text(path)?, files));
    }
    Ok(findings)
}

fn unnamed<'f>(folder: &str, program: &str, files: impl Iterator<Item = &'f str>) -> Vec<Finding> {
    files
        .filter(|file| *file != ROOT)
        .filter_map(|file| Some((file, file.strip_suffix(".rs")?)))
        .filter(|(_, name)| !program.lines().any(|l| l == format!("mod {name};")))
        .map(|(file, name)| {
            Finding::new(
                format!("{folder}/{file}"),
                "these tests never run",
                format!("add \"mod {name};\" to {folder}/{ROOT}"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_tests_that_no_program_names_is_found() {
        let files = ["all.rs", "fuzz.rs", "fuzz.py", "other.rs", "support"];
        let found = unnamed(
            "crates/x/tests",
            "mod fuzz;\nmod support;\n",
            files.into_iter(),
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "crates/x/tests/other.rs");
    }
}
