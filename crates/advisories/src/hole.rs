//! Which advisories are about the program as it is.

use crate::{Advisory, Dependency, Ecosystem, Severity};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// A known hole of something that the program is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hole {
    /// The advisory's number.
    pub id: String,
    /// The same hole's other numbers.
    pub aliases: Vec<String>,
    /// Where the package comes from.
    pub ecosystem: Ecosystem,
    /// The package.
    pub package: String,
    /// The version that the program has.
    pub version: String,
    /// How bad.
    pub severity: Severity,
    /// Whether the package only builds the pages and is not in them.
    pub builds_only: bool,
    /// What it is, in a sentence.
    pub summary: String,
    /// Versions in which it is mended; `None` when there is none.
    pub mended_in: Option<String>,
    /// Where more is said.
    pub url: Option<String>,
}

/// The holes, the worst first. One that two sources tell under numbers of each other is told once.
pub fn holes(dependencies: &[Dependency], advisories: &[Advisory]) -> Vec<Hole> {
    let mut by_name: HashMap<(Ecosystem, &str), Vec<&Dependency>> = HashMap::new();
    for dependency in dependencies {
        by_name
            .entry((dependency.ecosystem, &dependency.name))
            .or_default()
            .push(dependency);
    }
    let mut found = Vec::new();
    for advisory in advisories {
        let of_name = by_name.get(&(advisory.ecosystem, advisory.package.as_str()));
        for dependency in of_name.into_iter().flatten() {
            if advisory.affected.holds(&dependency.version) {
                found.push(Hole {
                    id: advisory.id.clone(),
                    aliases: advisory.aliases.clone(),
                    ecosystem: advisory.ecosystem,
                    package: advisory.package.clone(),
                    version: dependency.version.to_string(),
                    severity: advisory.severity,
                    builds_only: dependency.builds_only,
                    summary: advisory.summary.clone(),
                    mended_in: advisory.affected.mended_in(&dependency.version),
                    url: advisory.url.clone(),
                });
            }
        }
    }
    found.sort_by(|a, b| {
        (b.severity, &a.package, &a.version, &a.id)
            .cmp(&(a.severity, &b.package, &b.version, &b.id))
    });
    // Sorted by severity first, so that of two tellings the worse one stays.
    let mut told: BTreeSet<(String, String, String)> = BTreeSet::new();
    found.retain(|hole| {
        let key = |id: &String| (hole.package.clone(), hole.version.clone(), id.clone());
        let is_new = !std::iter::once(&hole.id)
            .chain(&hole.aliases)
            .any(|id| told.contains(&key(id)));
        told.extend(std::iter::once(&hole.id).chain(&hole.aliases).map(key));
        is_new
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Affected;

    fn dependency(name: &str, version: &str) -> Dependency {
        Dependency {
            ecosystem: Ecosystem::CratesIo,
            name: name.to_owned(),
            version: version.parse().unwrap(),
            builds_only: false,
        }
    }

    fn advisory(id: &str, package: &str, severity: Severity, aliases: &[&str]) -> Advisory {
        Advisory {
            id: id.to_owned(),
            aliases: aliases.iter().map(|&a| a.to_owned()).collect(),
            ecosystem: Ecosystem::CratesIo,
            package: package.to_owned(),
            summary: String::new(),
            severity,
            affected: Affected::AllBut {
                patched: vec![">= 2.0.0".parse().unwrap()],
                unaffected: vec![],
            },
            url: None,
            changed: "2026-01-01".to_owned(),
        }
    }

    #[test]
    fn only_versions_that_have_it_are_told_each_once_and_the_worst_first() {
        let program = [
            dependency("a", "1.0.0"),
            dependency("a", "2.0.0"),
            dependency("b", "1.5.0"),
        ];
        let known = [
            advisory("RUSTSEC-1", "b", Severity::Low, &[]),
            advisory("RUSTSEC-2", "a", Severity::Unknown, &["CVE-2"]),
            advisory("GHSA-2", "a", Severity::High, &["CVE-2", "RUSTSEC-2"]),
            advisory("RUSTSEC-3", "not-ours", Severity::Critical, &[]),
        ];
        let found = holes(&program, &known);
        let told: Vec<_> = found
            .iter()
            .map(|h| {
                (
                    h.id.as_str(),
                    h.package.as_str(),
                    h.version.as_str(),
                    h.severity,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("GHSA-2", "a", "1.0.0", Severity::High),
                ("RUSTSEC-1", "b", "1.5.0", Severity::Low)
            ]
        );
        let npm = Advisory {
            ecosystem: Ecosystem::Npm,
            ..advisory("X", "a", Severity::High, &[])
        };
        assert_eq!(holes(&program, &[npm]), vec![]);
    }
}
