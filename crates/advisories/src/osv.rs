//! Advisories in OSV's format (Open Source Vulnerability format 1.7), which RustSec, GitHub and npm's own audit data are
//! published in.

use crate::advisory::Stretch;
use crate::{Advisory, Affected, Ecosystem, Severity};
use semver::Version;
use serde::Deserialize;

#[derive(Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    modified: String,
    #[serde(default)]
    published: String,
    withdrawn: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    severity: Vec<Score>,
    #[serde(default)]
    affected: Vec<Package>,
    #[serde(default)]
    references: Vec<Reference>,
    #[serde(default)]
    database_specific: Option<Extra>,
}

#[derive(Deserialize)]
struct Score {
    score: String,
}

#[derive(Default, Deserialize)]
struct Extra {
    severity: Option<serde_json::Value>,
    informational: Option<serde_json::Value>,
    cvss: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Reference {
    url: String,
}

#[derive(Deserialize)]
struct Package {
    package: Option<Named>,
    #[serde(default)]
    severity: Vec<Score>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    database_specific: Option<Extra>,
}

#[derive(Deserialize)]
struct Named {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Range {
    r#type: String,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

/// Reads one entry or an array of them; entries of other ecosystems and withdrawn ones give none.
///
/// # Errors
/// Where it is no such thing, as serde says it.
pub fn parse(text: &[u8]) -> Result<Vec<Advisory>, String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Both {
        Many(Vec<Entry>),
        One(Box<Entry>),
    }
    let entries = match serde_json::from_slice(text).map_err(|e| e.to_string())? {
        Both::Many(entries) => entries,
        Both::One(entry) => vec![*entry],
    };
    Ok(entries.into_iter().flat_map(advisories).collect())
}

fn advisories(entry: Entry) -> Vec<Advisory> {
    if entry.withdrawn.is_some() {
        return Vec::new();
    }
    let of_all = severity(&entry.severity, entry.database_specific.as_ref());
    let summary = match entry.summary.trim() {
        "" => entry.details.lines().next().unwrap_or_default().trim(),
        summary => summary,
    };
    let found = entry.affected.iter().filter_map(|package| {
        let named = package.package.as_ref()?;
        let own = severity(&package.severity, package.database_specific.as_ref());
        Some(Advisory {
            id: entry.id.clone(),
            aliases: entry.aliases.clone(),
            // `Debian:12` and its like have a part behind a colon; ours have none.
            ecosystem: Ecosystem::from_name(&named.ecosystem)?,
            package: named.name.clone(),
            summary: summary.to_owned(),
            severity: if own == Severity::Unknown {
                of_all
            } else {
                own
            },
            affected: affected(package),
            url: entry.references.first().map(|r| r.url.clone()),
            changed: match entry.modified.as_str() {
                "" => entry.published.clone(),
                modified => modified.to_owned(),
            },
        })
    });
    found.collect()
}

fn severity(scores: &[Score], extra: Option<&Extra>) -> Severity {
    let text = |value: &Option<serde_json::Value>| {
        value
            .as_ref()
            .and_then(|v| v.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    if let Some(extra) = extra
        && !text(&extra.informational).is_empty()
    {
        return Severity::Informational;
    }
    let scored = scores.iter().map(|s| Severity::from_cvss(&s.score));
    let said = extra.map(|extra| {
        Severity::from_cvss(&text(&extra.cvss)).max(Severity::from_word(&text(&extra.severity)))
    });
    scored.chain(said).max().unwrap_or(Severity::Unknown)
}

fn affected(package: &Package) -> Affected {
    let version = |text: &String| Version::parse(text.trim_start_matches('v')).ok();
    let mut stretches = Vec::new();
    // A range of commits says nothing about versions.
    for range in package.ranges.iter().filter(|r| r.r#type != "GIT") {
        let mut open: Option<Stretch> = None;
        for event in &range.events {
            if let Some(from) = &event.introduced {
                stretches.extend(open.take());
                open = Some(Stretch {
                    // "0" is before everything.
                    from: version(from),
                    until: None,
                    last: None,
                });
            } else if let Some(mut stretch) = open.take() {
                stretch.until = event.fixed.as_ref().and_then(version);
                stretch.last = event.last_affected.as_ref().and_then(version);
                stretches.push(stretch);
            }
        }
        stretches.extend(open);
    }
    let named = package.versions.iter().filter_map(version);
    Affected::Stretches {
        stretches,
        named: named.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"{"schema_version":"1.7.0","id":"GHSA-xxxx-yyyy-zzzz","modified":"2026-01-02T03:04:05Z","published":"2026-01-01T00:00:00Z",
        "aliases":["CVE-2026-1"],"summary":"It leaks","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}],
        "references":[{"type":"WEB","url":"https://example.org/a"}],
        "affected":[
          {"package":{"ecosystem":"npm","name":"left"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.3"},{"introduced":"2.0.0"},{"last_affected":"2.0.4"}]}]},
          {"package":{"ecosystem":"PyPI","name":"left"},"versions":["1.0"]},
          {"package":{"ecosystem":"crates.io","name":"right"},"ranges":[{"type":"GIT","repo":"x","events":[{"introduced":"0"}]},{"type":"SEMVER","events":[{"introduced":"1.0.0-0"}]}],
           "database_specific":{"informational":"unmaintained"}}]}"#;

    #[test]
    fn an_entry_is_an_advisory_for_each_package_of_ours() {
        let found = parse(ENTRY.as_bytes()).unwrap();
        let [left, right] = &found[..] else {
            panic!("{found:#?}")
        };
        assert_eq!(
            (left.package.as_str(), left.ecosystem),
            ("left", Ecosystem::Npm)
        );
        assert_eq!(left.severity, Severity::High);
        assert_eq!(left.summary, "It leaks");
        for (version, has_it) in [
            ("0.1.0", true),
            ("1.2.3", false),
            ("2.0.4", true),
            ("2.0.5", false),
        ] {
            assert_eq!(
                left.affected.holds(&version.parse().unwrap()),
                has_it,
                "{version}"
            );
        }
        assert_eq!(right.severity, Severity::Informational);
        assert!(right.affected.holds(&"9.0.0".parse().unwrap()));
        assert!(!right.affected.holds(&"0.9.0".parse().unwrap()));
        let many = format!("[{ENTRY},{ENTRY}]");
        assert_eq!(parse(many.as_bytes()).unwrap().len(), 4);
    }

    #[test]
    fn what_was_withdrawn_is_none_and_what_is_no_entry_is_told() {
        let withdrawn = ENTRY.replacen(
            "\"aliases\"",
            "\"withdrawn\":\"2026-02-01T00:00:00Z\",\"aliases\"",
            1,
        );
        assert_eq!(parse(withdrawn.as_bytes()).unwrap(), vec![]);
        for bad in ["", "{}", "[1]", "{\"id\":3}"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_a_score_the_word_counts() {
        let text = r#"{"id":"A","affected":[{"package":{"ecosystem":"npm","name":"n"}}],"database_specific":{"severity":"MODERATE"},"details":"First.\nSecond."}"#;
        let found = parse(text.as_bytes()).unwrap();
        assert_eq!(found[0].severity, Severity::Medium);
        assert_eq!(found[0].summary, "First.");
    }
}
