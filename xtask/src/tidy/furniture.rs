//! Every room of a floor has the same furniture, and no other; every ledger answers with a reason.

use crate::{Finding, Tree};
use anyhow::Result;
use toml::{Table, Value};

/// A floor's furniture.
struct Floor {
    folder: &'static str,
    prefix: &'static str,
    /// Files that every room has.
    required: &'static [&'static str],
    /// Names that a room may have besides.
    allowed: &'static [&'static str],
}

const FLOORS: [Floor; 2] = [
    Floor {
        folder: "protocols",
        prefix: "proto-",
        required: &[
            "Cargo.toml",
            "README.md",
            "conformance.toml",
            "src/lib.rs",
            "tests/vectors.rs",
            "tests/laws.rs",
        ],
        allowed: &["src", "tests", "vectors", "examples", "fuzz"],
    },
    Floor {
        folder: "packs",
        prefix: "pack-",
        required: &[
            "pack.toml",
            "quality.toml",
            "README.md",
            "strings/zh.toml",
            "strings/en.toml",
        ],
        allowed: &[
            "Cargo.toml",
            "src",
            "tests",
            "entities",
            "rules",
            "workflows",
            "categories",
            "responses",
            "runs",
            "bulletins",
            "tables",
            "indicators",
            "views",
            "runbooks",
            "strings",
            "mappings",
            "scenarios",
            "plan.toml",
            "plan.txt",
            "contradictions.toml",
            "goals-by-paragraph.toml",
            "targets.toml",
            "projects.toml",
            "elements.toml",
            "returns",
        ],
    },
];

/// Checks the floors that exist.
///
/// # Errors
/// When a ledger cannot be read as text.
pub fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for floor in &FLOORS {
        for room in tree.names_in(floor.folder) {
            let folder = format!("{}/{room}", floor.folder);
            if !room.starts_with(floor.prefix) {
                findings.push(Finding::new(
                    &folder,
                    "a room is named otherwise than its floor",
                    format!("name it {}<name>", floor.prefix),
                ));
            }
            for file in floor.required {
                if !tree.has(&format!("{folder}/{file}")) {
                    findings.push(Finding::new(
                        &folder,
                        format!("{file} is missing"),
                        "write it",
                    ));
                }
            }
            for name in tree.names_in(&folder) {
                if !floor.required.contains(&name) && !floor.allowed.contains(&name) {
                    findings.push(Finding::new(
                        format!("{folder}/{name}"),
                        "foreign furniture",
                        format!(
                            "use {} and {}",
                            floor.required.join(", "),
                            floor.allowed.join(", ")
                        ),
                    ));
                }
            }
            let ledger = format!("{folder}/conformance.toml");
            if tree.has(&ledger) {
                findings.extend(conformance(&ledger, &tree.text(&ledger)?));
            }
            let has_vectors = tree
                .names_in(&format!("{folder}/vectors"))
                .iter()
                .any(|name| name.ends_with(".md"));
            if floor.folder == "protocols" && !has_vectors {
                findings.push(Finding::new(
                    &folder,
                    "no vectors/*.md",
                    "write one vector at least",
                ));
            }
        }
    }
    Ok(findings)
}

/// A protocol's ledger: `[standard]` with a name, `[clauses]` each `"done"`, `"todo"`, or a table of one
/// of `todo` and `exempt` with `because …`.
fn conformance(place: &str, text: &str) -> Vec<Finding> {
    let ledger: Table = match text.parse() {
        Ok(ledger) => ledger,
        Err(error) => {
            return vec![Finding::new(
                place,
                error.message().to_owned(),
                "mend the TOML",
            )];
        }
    };
    let mut findings = Vec::new();
    let named = ledger
        .get("standard")
        .and_then(|standard| standard.get("name"));
    if !named.is_some_and(Value::is_str) {
        findings.push(Finding::new(
            place,
            "no standard.name",
            "say which standard the ledger is of",
        ));
    }
    let clauses = ledger
        .get("clauses")
        .and_then(Value::as_table)
        .filter(|clauses| !clauses.is_empty());
    let Some(clauses) = clauses else {
        findings.push(Finding::new(
            place,
            "no clause",
            "list the standard's clauses under [clauses]",
        ));
        return findings;
    };
    for (clause, state) in clauses {
        let good = match state {
            Value::String(word) => word == "done" || word == "todo",
            Value::Table(table) => {
                table.len() == 1
                    && table.iter().all(|(word, why)| {
                        (word == "todo" || word == "exempt")
                            && why.as_str().is_some_and(|why| why.starts_with("because "))
                    })
            }
            _ => false,
        };
        if !good {
            findings.push(Finding::new(
                place,
                format!("the clause \"{clause}\" has no state"),
                "write \"done\", \"todo\" or { exempt = \"because …\" }",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn missing_and_foreign_furniture_is_told() {
        let files = [
            "packs/pack-a/pack.toml",
            "packs/pack-a/odd.txt",
            "packs/b/pack.toml",
        ];
        let files = files.map(str::to_owned).into();
        let findings = check(&Tree {
            root: PathBuf::new(),
            files,
        })
        .unwrap();
        let told: Vec<String> = findings
            .iter()
            .map(|f| format!("{}: {}", f.place, f.what))
            .collect();
        assert!(
            told.contains(&"packs/pack-a: quality.toml is missing".to_owned()),
            "{told:?}"
        );
        assert!(told.contains(&"packs/pack-a/odd.txt: foreign furniture".to_owned()));
        assert!(told.contains(&"packs/b: a room is named otherwise than its floor".to_owned()));
    }

    #[test]
    fn ledgers_answer_with_a_reason() {
        let good = "[standard]\nname = \"X\"\n[clauses]\n\"1\" = \"done\"\n\"2\" = { exempt = \"because optional\" }\n";
        assert_eq!(conformance("x", good), []);
        for bad in [
            "[standard]\nname = \"X\"\n",
            "[standard]\nname = \"X\"\n[clauses]\n\"1\" = \"maybe\"\n",
            "[standard]\nname = \"X\"\n[clauses]\n\"1\" = { exempt = \"optional\" }\n",
            "[clauses]\n\"1\" = \"done\"\n",
            "[clauses",
        ] {
            assert_eq!(conformance("x", bad).len(), 1, "{bad}");
        }
    }
}
