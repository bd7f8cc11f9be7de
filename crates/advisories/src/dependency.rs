//! What the program is made of, from its two lock files, as the build saw them.

use semver::Version;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where packages come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ecosystem {
    /// Rust's packages.
    #[serde(rename = "crates.io")]
    CratesIo,
    /// The pages' packages.
    #[serde(rename = "npm")]
    Npm,
}

impl Ecosystem {
    /// Its name, as OSV writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CratesIo => "crates.io",
            Self::Npm => "npm",
        }
    }

    /// The ecosystem of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::CratesIo, Self::Npm]
            .into_iter()
            .find(|e| e.as_str() == name)
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A package that the program, its tests or its build is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// Its name there.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Whether it only builds the pages and is not in them.
    pub builds_only: bool,
}

/// The list as the build wrote it.
const OWN: &str = include_str!(concat!(env!("OUT_DIR"), "/dependencies.txt"));

/// What this program is made of, sorted.
pub fn own() -> Vec<Dependency> {
    OWN.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<Dependency> {
    let mut words = line.split(' ');
    Some(Dependency {
        ecosystem: Ecosystem::from_name(words.next()?)?,
        name: words.next()?.to_owned(),
        version: Version::parse(words.next()?).ok()?,
        builds_only: words.next()? == "build",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn root(file: &str) -> String {
        std::fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../..")
                .join(file),
        )
        .unwrap()
    }

    /// The build reads the lock files line by line; here they are read as what they are.
    #[test]
    fn the_list_is_what_the_lock_files_hold() {
        let mut expected = BTreeSet::new();
        let lock: toml::Table = root("Cargo.lock").parse().unwrap();
        for package in lock["package"].as_array().unwrap() {
            if package.get("source").is_some() {
                expected.insert((
                    "crates.io".to_owned(),
                    package["name"].as_str().unwrap().to_owned(),
                    package["version"].as_str().unwrap().to_owned(),
                    false,
                ));
            }
        }
        let lock: serde_json::Value = serde_json::from_str(&root("web/package-lock.json")).unwrap();
        for (folder, package) in lock["packages"].as_object().unwrap() {
            let Some(name) = folder
                .rsplit("node_modules/")
                .next()
                .filter(|n| !n.is_empty())
            else {
                continue;
            };
            expected.insert((
                "npm".to_owned(),
                name.to_owned(),
                package["version"].as_str().unwrap().to_owned(),
                package["dev"] == true || package["devOptional"] == true,
            ));
        }
        let own: BTreeSet<_> = own()
            .into_iter()
            .map(|d| {
                (
                    d.ecosystem.to_string(),
                    d.name,
                    d.version.to_string(),
                    d.builds_only,
                )
            })
            .collect();
        assert!(own.len() > 500, "{}", own.len());
        assert_eq!(own, expected);
    }
}
