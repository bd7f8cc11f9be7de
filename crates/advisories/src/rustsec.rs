//! Advisories as RustSec's own repository holds them: Markdown that begins with a block of TOML.

use crate::{Advisory, Affected, Ecosystem, Severity};
use semver::VersionReq;
use serde::Deserialize;

#[derive(Deserialize)]
struct Front {
    advisory: Head,
    #[serde(default)]
    versions: Versions,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    package: String,
    date: String,
    url: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    cvss: Option<String>,
    informational: Option<String>,
    withdrawn: Option<String>,
    /// `rust` for those about the tools; packages have none.
    collection: Option<String>,
}

#[derive(Default, Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<VersionReq>,
    #[serde(default)]
    unaffected: Vec<VersionReq>,
}

/// Whether a text looks like one; a README beside them does not.
pub fn is_one(text: &str) -> bool {
    text.trim_start().starts_with("```toml")
}

/// Reads one file; `None` when it was withdrawn or is about no package.
///
/// # Errors
/// What of its front is wrong.
pub fn parse(text: &str) -> Result<Option<Advisory>, String> {
    let rest = text
        .trim_start()
        .strip_prefix("```toml")
        .ok_or("it does not begin with a block of TOML")?;
    let (front, body) = rest
        .split_once("\n```")
        .ok_or("its block of TOML has no end")?;
    let front: Front = toml::from_str(front).map_err(|e| e.to_string())?;
    let head = front.advisory;
    if head.withdrawn.is_some() || head.collection.as_deref() == Some("rust") {
        return Ok(None);
    }
    let title = body.lines().find_map(|line| line.strip_prefix("# "));
    let severity = match (&head.informational, &head.cvss) {
        (Some(_), _) => Severity::Informational,
        (None, Some(vector)) => Severity::from_cvss(vector),
        (None, None) => Severity::Unknown,
    };
    Ok(Some(Advisory {
        url: Some(
            head.url
                .unwrap_or_else(|| format!("https://rustsec.org/advisories/{}", head.id)),
        ),
        id: head.id,
        aliases: head.aliases,
        ecosystem: Ecosystem::CratesIo,
        package: head.package,
        summary: title.unwrap_or_default().trim().to_owned(),
        severity,
        affected: Affected::AllBut {
            patched: front.versions.patched,
            unaffected: front.versions.unaffected,
        },
        changed: head.date,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2024-0336\"\npackage = \"rustls\"\ndate = \"2024-04-19\"\n\
        aliases = [\"CVE-2024-32650\"]\ncvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H\"\n\n[versions]\n\
        patched = [\">= 0.23.5\", \">= 0.22.4, < 0.23.0\"]\n```\n\n# An infinite loop\n\nMore.\n";

    #[test]
    fn a_file_is_read_with_its_title() {
        assert!(is_one(FILE) && !is_one("# README\n"));
        let found = parse(FILE).unwrap().unwrap();
        assert_eq!(found.summary, "An infinite loop");
        assert_eq!(found.severity, Severity::High);
        assert!(found.affected.holds(&"0.23.4".parse().unwrap()));
        assert!(!found.affected.holds(&"0.23.5".parse().unwrap()));
    }

    #[test]
    fn withdrawn_and_broken_ones() {
        let withdrawn = FILE.replace("date =", "withdrawn = \"2025-01-01\"\ndate =");
        assert_eq!(parse(&withdrawn).unwrap(), None);
        for bad in [
            "```toml\n[advisory]\n",
            "```toml\n[advisory]\nid = 3\n```\n",
            "# no front",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
