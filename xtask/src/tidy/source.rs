//! Every Rust file opens with what it is for, no source file is too long, and every crate inherits the
//! workspace's lints.

use crate::{Finding, Tree};
use anyhow::Result;
use toml::Table;

/// Longest source file, in lines.
const LINES_MAX: usize = 1_000;
/// Written by a program; their length is not ours.
const GENERATED: [&str; 1] = ["web/src/lib/api-schema.ts"];

/// Checks sources and manifests.
///
/// # Errors
/// When a file cannot be read as text.
pub fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in tree.ending(&[".rs", ".ts", ".tsx"]) {
        if !GENERATED.contains(&path) {
            findings.extend(source(path, &tree.text(path)?));
        }
    }
    for path in tree.ending(&["/Cargo.toml"]) {
        findings.extend(manifest(path, &tree.text(path)?));
    }
    Ok(findings)
}

fn source(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if path.ends_with(".rs") && !text.starts_with("//!") {
        findings.push(Finding::new(
            path,
            "the file does not say what it is for",
            "begin it with a //! line",
        ));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        findings.push(Finding::new(
            path,
            format!("the file has {lines} lines"),
            format!("split it; {LINES_MAX} at most"),
        ));
    }
    findings
}

fn manifest(path: &str, text: &str) -> Vec<Finding> {
    let Ok(manifest) = text.parse::<Table>() else {
        return vec![Finding::new(path, "not TOML", "mend it")];
    };
    let inherits = |section: &str, key: &str| {
        let value = manifest.get(section).and_then(|section| match key {
            "" => section.get("workspace"),
            key => section.get(key)?.get("workspace"),
        });
        value.and_then(toml::Value::as_bool) == Some(true)
    };
    [
        ("lints", ""),
        ("package", "license"),
        ("package", "rust-version"),
        ("package", "edition"),
    ]
    .into_iter()
    .filter(|(section, key)| !inherits(section, key))
    .map(|(section, key)| {
        let name = if key.is_empty() {
            section.to_owned()
        } else {
            format!("{section}.{key}")
        };
        Finding::new(
            path,
            format!("{name} is not the workspace's"),
            "write workspace = true",
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_length() {
        assert_eq!(source("a.rs", "//! A.\n"), []);
        assert_eq!(source("a.ts", "const a = 1;\n"), []);
        assert_eq!(source("a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(source("a.tsx", &"\n".repeat(1_001)).len(), 1);
    }

    #[test]
    fn manifests_inherit() {
        let package = "[package]\nlicense.workspace = true\nrust-version.workspace = true\nedition.workspace = true\n";
        assert_eq!(
            manifest("a", &format!("{package}[lints]\nworkspace = true\n")),
            []
        );
        assert_eq!(
            manifest("a", package)[0].what,
            "lints is not the workspace's"
        );
        assert_eq!(manifest("a", "[package]\nlicense = \"MIT\"\n").len(), 4);
    }
}
