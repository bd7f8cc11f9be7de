//! Every Rust file opens with what it is for, no source file is too long, every crate inherits the
//! workspace's lints, and no two types of the API are described under one name: the later would silently take the earlier one's place.

use crate::{Finding, Tree};
use anyhow::Result;
use std::collections::BTreeMap;
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
    let mut schemas = BTreeMap::new();
    for path in tree.ending(&[".rs"]) {
        if path.starts_with("crates/") && path.contains("/src/") {
            for name in schemas_of(&tree.text(path)?) {
                if let Some(other) = schemas.insert(name.clone(), path) {
                    findings.push(Finding::new(
                        path,
                        format!("the API's description has a {name} of {other} already"),
                        "give it a name of its own, or #[schema(as = …)]",
                    ));
                }
            }
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

/// The names under which a file's types stand in the API's description.
fn schemas_of(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let (mut names, mut is_schema, mut named) = (Vec::new(), false, None);
    for line in code.lines().map(str::trim_start) {
        is_schema |= line.contains("ToSchema") && !line.starts_with("use ");
        if let Some((_, rest)) = line.split_once("schema(as = ") {
            named = rest.split([',', ')']).next().map(str::to_owned);
        }
        let item = ["struct ", "enum "].iter().find_map(|word| {
            let (before, rest) = line.split_once(word)?;
            let is_item = before.is_empty() || before.starts_with("pub");
            is_item
                .then(|| rest.split(['<', ' ', '(', ';']).next())
                .flatten()
        });
        if let Some(item) = item {
            let name = named.take().unwrap_or_else(|| item.to_owned());
            names.extend(is_schema.then_some(name));
            is_schema = false;
        }
    }
    names
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
    fn types_of_the_api_are_told_by_the_names_under_which_they_are_described() {
        let text = "use utoipa::{IntoParams, ToSchema};\n#[derive(Debug, ToSchema)]\n#[schema(as = Command)]\npub struct CommandBody {\n}\n\
            #[derive(Debug)]\nstruct Own;\n#[derive(\n    Serialize,\n    ToSchema,\n)]\npub enum Kind {\n    One,\n}\n";
        assert_eq!(schemas_of(text), ["Command", "Kind"]);
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
