//! What a city keeps of the advisories that were brought in: those about packages that the program is made of, when, and
//! how new they are. A program with other packages asks for them again.

use crate::{Advisory, Dependency, Ecosystem, Read};
use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Version of the text.
pub const VERSION: u32 = 1;

/// The advisories of a city.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brought {
    /// [`VERSION`].
    pub version: u32,
    /// When they were brought in, microseconds since 1970.
    pub brought_at: i64,
    /// The newest advisory's own date, as its source writes it; the data is as old as this.
    pub newest: String,
    /// How many advisories there were, of all packages.
    pub read: usize,
    /// How many files could not be read.
    pub unread: usize,
    /// How many of them were about each ecosystem: without any, nothing is known of it.
    pub of_crates: usize,
    /// The same for the pages' packages.
    pub of_npm: usize,
    /// The packages that were looked for, `ecosystem name`.
    pub packages: BTreeSet<String>,
    /// The advisories about them.
    pub advisories: Vec<Advisory>,
}

fn named(ecosystem: Ecosystem, name: &str) -> String {
    format!("{ecosystem} {name}")
}

impl Brought {
    /// Keeps what of `read` is about `dependencies`.
    pub fn new(read: Read, dependencies: &[Dependency], now: Timestamp) -> Self {
        let packages: BTreeSet<String> = dependencies
            .iter()
            .map(|d| named(d.ecosystem, &d.name))
            .collect();
        let count = |ecosystem| {
            read.advisories
                .iter()
                .filter(|a| a.ecosystem == ecosystem)
                .count()
        };
        let newest = read.advisories.iter().map(|a| a.changed.as_str()).max();
        Self {
            version: VERSION,
            brought_at: now.micros(),
            newest: newest.unwrap_or_default().to_owned(),
            read: read.advisories.len(),
            unread: read.unread,
            of_crates: count(Ecosystem::CratesIo),
            of_npm: count(Ecosystem::Npm),
            advisories: read
                .advisories
                .into_iter()
                .filter(|a| packages.contains(&named(a.ecosystem, &a.package)))
                .collect(),
            packages,
        }
    }

    /// The text that is kept.
    ///
    /// # Errors
    /// None that is known: all of it is plain data.
    pub fn text(&self) -> Result<String, Problem> {
        serde_json::to_string_pretty(self).map_err(|e| unreadable(e.to_string()))
    }

    /// Reads it back.
    ///
    /// # Errors
    /// `advisories-kept` with what is wrong.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let kept: Self = serde_json::from_str(text).map_err(|e| unreadable(e.to_string()))?;
        if kept.version == VERSION {
            Ok(kept)
        } else {
            Err(unreadable(format!("it is of version {}", kept.version)))
        }
    }

    /// Packages of the program that were not looked for when the data was brought: nothing is known of them.
    pub fn not_looked_for(&self, dependencies: &[Dependency]) -> BTreeSet<String> {
        let names = dependencies.iter().map(|d| named(d.ecosystem, &d.name));
        names.filter(|n| !self.packages.contains(n)).collect()
    }
}

fn unreadable(what: String) -> Problem {
    Problem::new(
        "advisories-kept",
        what,
        "security/advisories.json",
        "bring the advisories in again: jingling security holes CITY --advisories DIR",
    )
}
