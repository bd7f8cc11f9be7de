//! What is known of a package: which versions have a hole, how bad it is, and what mends it.

use crate::Ecosystem;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr as _;

/// How bad a hole is, from the worst that a score says down to what is no hole at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Told, but no hole: a package without a keeper, or one that can be used wrongly.
    Informational,
    /// Nobody scored it.
    Unknown,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 and above.
    Critical,
}

impl Severity {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// From a CVSS vector of any version; [`Severity::Unknown`] when it is none.
    pub fn from_cvss(vector: &str) -> Self {
        match cvss::Cvss::from_str(vector).map(|scored| scored.severity()) {
            Ok(cvss::Severity::None) => Self::Informational,
            Ok(cvss::Severity::Low) => Self::Low,
            Ok(cvss::Severity::Medium) => Self::Medium,
            Ok(cvss::Severity::High) => Self::High,
            Ok(cvss::Severity::Critical) => Self::Critical,
            Err(_) => Self::Unknown,
        }
    }

    /// From a word such as GitHub's `MODERATE`.
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "low" => Self::Low,
            "moderate" | "medium" => Self::Medium,
            "high" => Self::High,
            "critical" => Self::Critical,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A stretch of versions: from one, up to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The first version with the hole; `None` for the very first.
    pub from: Option<Version>,
    /// The first version without it.
    pub until: Option<Version>,
    /// The last version with it, where that is what is known.
    pub last: Option<Version>,
}

impl Stretch {
    fn holds(&self, version: &Version) -> bool {
        self.from.as_ref().is_none_or(|from| version >= from)
            && self.until.as_ref().is_none_or(|until| version < until)
            && self.last.as_ref().is_none_or(|last| version <= last)
    }
}

/// Which versions have the hole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Affected {
    /// Those of any stretch, and those named (OSV).
    Stretches {
        /// The stretches.
        stretches: Vec<Stretch>,
        /// Versions by name.
        named: Vec<Version>,
    },
    /// All but those of any of these (RustSec).
    AllBut {
        /// Versions in which it is mended.
        patched: Vec<VersionReq>,
        /// Versions that never had it.
        unaffected: Vec<VersionReq>,
    },
}

impl Affected {
    /// Whether a version has the hole.
    pub fn holds(&self, version: &Version) -> bool {
        match self {
            Self::Stretches { stretches, named } => {
                named.contains(version) || stretches.iter().any(|s| s.holds(version))
            }
            Self::AllBut {
                patched,
                unaffected,
            } => !patched
                .iter()
                .chain(unaffected)
                .any(|wanted| wanted.matches(version)),
        }
    }

    /// What is to be taken instead, in words; `None` when nothing mends it yet.
    pub fn mended_in(&self, version: &Version) -> Option<String> {
        match self {
            Self::Stretches { stretches, .. } => stretches
                .iter()
                .filter(|s| s.holds(version))
                .find_map(|s| s.until.as_ref())
                .map(Version::to_string),
            Self::AllBut { patched, .. } => {
                let words: Vec<String> = patched.iter().map(VersionReq::to_string).collect();
                (!words.is_empty()).then(|| words.join(" | "))
            }
        }
    }
}

/// One advisory about one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its number, such as `RUSTSEC-2024-0336` or `GHSA-6g7w-8wpp-frhj`.
    pub id: String,
    /// The same hole's other numbers.
    pub aliases: Vec<String>,
    /// Where the package comes from.
    pub ecosystem: Ecosystem,
    /// The package.
    pub package: String,
    /// What it is, in a sentence.
    pub summary: String,
    /// How bad.
    pub severity: Severity,
    /// Which versions.
    pub affected: Affected,
    /// Where more is said.
    pub url: Option<String>,
    /// When it was published or last changed, as its source writes it (begins with the day).
    pub changed: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn a_score_is_a_word() {
        for (vector, word) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "high"),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "critical"),
            ("CVSS:3.0/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N", "low"),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                "critical",
            ),
            ("no vector", "unknown"),
        ] {
            assert_eq!(Severity::from_cvss(vector).as_str(), word, "{vector}");
        }
        assert_eq!(Severity::from_word("MODERATE"), Severity::Medium);
        assert!(Severity::Critical > Severity::High && Severity::High > Severity::Unknown);
    }

    #[test]
    fn rustsec_says_which_versions_do_not_have_it() {
        let affected = Affected::AllBut {
            patched: [">= 0.23.5", ">= 0.22.4, < 0.23.0"]
                .iter()
                .map(|r| r.parse().unwrap())
                .collect(),
            unaffected: vec!["< 0.20.0".parse().unwrap()],
        };
        for (version, has_it) in [
            ("0.23.4", true),
            ("0.23.5", false),
            ("0.22.3", true),
            ("0.22.4", false),
            ("0.19.1", false),
            ("0.20.0", true),
            // A pre-release is not in a range that does not name it: rather told once too often.
            ("0.24.0-beta.1", true),
        ] {
            assert_eq!(affected.holds(&v(version)), has_it, "{version}");
        }
        assert_eq!(
            affected.mended_in(&v("0.23.4")).unwrap(),
            ">=0.23.5 | >=0.22.4, <0.23.0"
        );
    }

    #[test]
    fn osv_says_from_where_to_where() {
        let stretch = |from: &str, until: Option<&str>, last: Option<&str>| Stretch {
            from: Some(v(from)),
            until: until.map(v),
            last: last.map(v),
        };
        let affected = Affected::Stretches {
            stretches: vec![
                stretch("1.0.0", Some("1.2.3"), None),
                stretch("2.0.0", None, Some("2.1.0")),
            ],
            named: vec![v("3.0.0")],
        };
        for (version, has_it) in [
            ("0.9.9", false),
            ("1.0.0", true),
            ("1.2.2", true),
            ("1.2.3-rc.1", true),
            ("1.2.3", false),
            ("2.1.0", true),
            ("2.1.1", false),
            ("3.0.0", true),
        ] {
            assert_eq!(affected.holds(&v(version)), has_it, "{version}");
        }
        assert_eq!(affected.mended_in(&v("1.1.0")).unwrap(), "1.2.3");
        assert_eq!(affected.mended_in(&v("2.0.5")), None);
    }
}
