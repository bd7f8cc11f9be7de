//! Licences of everything that is built in, against the allow-list of `deny.toml` (the one that
//! cargo-deny reads too). Reads `cargo metadata`; needs no network once the crates are there.

use crate::Finding;
use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;
use std::path::Path;
use toml::Table;

/// Checks the licence of every dependency.
///
/// # Errors
/// When `deny.toml` or the workspace cannot be read, or `Cargo.lock` is behind the manifests.
pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let text = std::fs::read_to_string(root.join("deny.toml")).context("deny.toml")?;
    let allowed = allowed(&text)?;
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .other_options(["--locked".to_owned()])
        .exec()?;
    let findings = metadata.packages.iter().filter_map(|package| {
        let expression = package.license.as_deref().unwrap_or_default();
        let what = match is_allowed(expression, &allowed) {
            Some(true) => return None,
            Some(false) => format!("its licence is {expression}"),
            None => format!("its licence \"{expression}\" is no SPDX expression"),
        };
        Some(Finding::new(
            format!("{} {}", package.name, package.version),
            what,
            "use another crate, or allow the licence in deny.toml with a reason in the commit",
        ))
    });
    Ok(findings.collect())
}

fn allowed(deny: &str) -> Result<Vec<String>> {
    let deny: Table = deny.parse().context("deny.toml")?;
    let list = deny
        .get("licenses")
        .and_then(|section| section.get("allow")?.as_array());
    let list = list.context("deny.toml has no licenses.allow")?;
    Ok(list
        .iter()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect())
}

/// Whether an SPDX expression can be fulfilled with the allowed licences; `None` when it is none.
/// `/` is the old spelling of `OR`; `WITH` and its exception are part of the licence's name.
fn is_allowed(expression: &str, allowed: &[String]) -> Option<bool> {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader {
        words: &words,
        allowed,
    };
    let good = reader.any()?;
    reader.words.is_empty().then_some(good)
}

struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl<'a> Reader<'a> {
    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn any(&mut self) -> Option<bool> {
        let mut good = self.all()?;
        while self.take("OR") {
            good |= self.all()?;
        }
        Some(good)
    }

    fn all(&mut self) -> Option<bool> {
        let mut good = self.one()?;
        while self.take("AND") {
            good &= self.one()?;
        }
        Some(good)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let good = self.any()?;
            return self.take(")").then_some(good);
        }
        let mut name = self
            .next()
            .filter(|word| !["AND", "OR", "WITH", ")"].contains(word))?
            .to_owned();
        if self.take("WITH") {
            name = format!("{name} WITH {}", self.next()?);
        }
        // With a `+`, a later version may be chosen as well, so the named one is enough.
        let named = name.strip_suffix('+').unwrap_or(&name);
        Some(self.allowed.iter().any(|allowed| allowed == named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_weighed() {
        let allowed = [
            "MIT",
            "Apache-2.0",
            "Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ]
        .map(str::to_owned);
        for (expression, expected) in [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("MIT OR GPL-3.0-only", Some(true)),
            ("MIT/Apache-2.0", Some(true)),
            ("MIT AND GPL-3.0-only", Some(false)),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", Some(true)),
            ("(MIT OR Apache-2.0) AND OpenSSL", Some(false)),
            ("Apache-2.0 WITH LLVM-exception", Some(true)),
            ("Apache-2.0+", Some(true)),
            ("GPL-2.0+", Some(false)),
            ("GPL-2.0 WITH Classpath-exception-2.0", Some(false)),
            ("", None),
            ("(MIT", None),
            ("MIT GPL", None),
        ] {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        }
    }
}
