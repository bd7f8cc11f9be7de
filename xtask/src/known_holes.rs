//! Known holes (已知漏洞) of what the program is made of, as far as data about them can be had here: advisories for Rust's
//! and npm's packages in the folder that `JINGLING_ADVISORIES` names, and npm's own audit of what the pages hold. A hole that is
//! grave, or that has a fix, fails the suite, unless `known-holes.toml` says why it may stay and until when. Where there is no
//! data, that is said, plainly and last, and the suite goes on: a machine without a network is no reason to fail, and no
//! reason to call the program sound.

#![allow(clippy::print_stdout)]

use crate::suite::Counts;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// Names the folder of advisories: RustSec's repository, or OSV files.
const ADVISORIES: &str = "JINGLING_ADVISORIES";

/// Where holes are listed that may stay for a while.
const ACCEPTED: &str = "known-holes.toml";

/// What one look found.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Data was there, of this date when its source says one.
    Holes {
        /// Holes that are grave or have a fix.
        found: Vec<Found>,
        /// The newest advisory's date.
        of: String,
    },
    /// The look itself went wrong.
    Bad(String),
    /// There was no data, and why.
    Unknown(String),
}

/// A hole that must not stay.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    /// The advisory; of npm's audit the package.
    id: String,
    /// The package.
    package: String,
    /// What is said of it.
    line: String,
}

/// A hole that may stay for a while.
#[derive(Debug, PartialEq, Eq)]
struct Accepted {
    id: String,
    package: String,
    because: String,
    /// The last day, `2026-12-31`.
    until: String,
}

/// Looks at both.
pub fn check(root: &Path, program: &Path) -> Counts {
    let mut counts = Counts::default();
    let accepted = match accepted(&std::fs::read_to_string(root.join(ACCEPTED)).unwrap_or_default())
    {
        Ok(accepted) => accepted,
        Err(why) => {
            println!("{ACCEPTED}: {why}");
            counts.failed += 1;
            Vec::new()
        }
    };
    let today = today();
    for (of, verdict) in [("crates.io and npm", own(program)), ("npm", npm(root))] {
        match verdict {
            Verdict::Holes { found, of: date } => {
                println!("{of}: the newest advisory is of {date}");
                let lines = not_accepted(&found, &accepted, &today);
                if lines.is_empty() {
                    println!(
                        "{of}: no hole is known that is grave or has a fix, but for {} that may stay ({ACCEPTED})",
                        found.len()
                    );
                    counts.passed += 1;
                }
                lines.iter().for_each(|line| println!("{of}: {line}"));
                counts.failed += lines.len() as u64;
            }
            Verdict::Bad(line) => {
                println!("{of}: {line}");
                counts.failed += 1;
            }
            Verdict::Unknown(why) => println!("{of}: NOT LOOKED AT, nothing is known: {why}"),
        }
    }
    // A step that counts nothing would look as if it had not run.
    if counts == Counts::default() {
        counts.passed = 1;
    }
    counts
}

/// Today, `2026-12-31`, UTC.
fn today() -> String {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
    date_of(since.map_or(0, |s| s.as_secs() / 86_400))
}

/// The date of a day since 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn date_of(days: u64) -> String {
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|p| p.len()).eq([4, 2, 2])
        && parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_digit()))
}

/// Reads the list of holes that may stay: each with its advisory, its package, why, and until when.
fn accepted(text: &str) -> Result<Vec<Accepted>, String> {
    let table: toml::Table = text.parse().map_err(|e| format!("{e}"))?;
    if let Some(key) = table.keys().find(|key| *key != "accepted") {
        return Err(format!(
            "\"{key}\" is no key; holes are listed as [[accepted]]"
        ));
    }
    let Some(list) = table.get("accepted") else {
        return Ok(Vec::new());
    };
    let list = list.as_array().ok_or("holes are listed as [[accepted]]")?;
    let mut all = Vec::new();
    for (n, entry) in list.iter().enumerate() {
        let word = |name: &str| {
            let text = entry.get(name).and_then(toml::Value::as_str);
            text.map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .ok_or_else(|| format!("the {}. entry has no text \"{name}\"", n + 1))
        };
        let until = word("until")?;
        if !is_date(&until) {
            return Err(format!(
                "\"{until}\" is no date; write it as \"2026-12-31\""
            ));
        }
        all.push(Accepted {
            id: word("id")?,
            package: word("package")?,
            because: word("because")?,
            until,
        });
    }
    Ok(all)
}

/// What may not stay, a line each. What may is told too.
fn not_accepted(found: &[Found], accepted: &[Accepted], today: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for hole in found {
        let listed = accepted
            .iter()
            .find(|one| one.id == hole.id && one.package == hole.package);
        match listed {
            Some(one) if one.until.as_str() >= today => println!(
                "{}: may stay until {}: {}",
                hole.line, one.until, one.because
            ),
            Some(one) => lines.push(format!("{}; it could stay until {}", hole.line, one.until)),
            None => lines.push(hole.line.clone()),
        }
    }
    lines
}

fn own(program: &Path) -> Verdict {
    let Some(folder) = std::env::var_os(ADVISORIES) else {
        return Verdict::Unknown(format!(
            "{ADVISORIES} names no folder of advisories (a clone of github.com/RustSec/advisory-db)"
        ));
    };
    let output = Command::new(program)
        .args(["security", "holes", "--json", "--advisories"])
        .arg(folder)
        .stdin(Stdio::null())
        .output();
    match output {
        Err(error) => Verdict::Unknown(format!("{}: {error}", program.display())),
        Ok(output) => match serde_json::from_slice(&output.stdout) {
            Ok(told) => of_program(&told),
            Err(_) => Verdict::Bad(String::from_utf8_lossy(&output.stderr).into_owned()),
        },
    }
}

/// Reads what `jingling security holes --json` says.
fn of_program(told: &Value) -> Verdict {
    let Some(holes) = told["holes"].as_array() else {
        return Verdict::Unknown("the program was given no data".to_owned());
    };
    let bad = holes.iter().filter(|hole| {
        let severity = hole["severity"].as_str().unwrap_or_default();
        let is_grave = hole["builds_only"] != true && ["high", "critical"].contains(&severity);
        let has_fix = severity != "informational" && hole["mended_in"].is_string();
        is_grave || has_fix
    });
    let found = bad
        .map(|hole| {
            let word = |name: &str| hole[name].as_str().unwrap_or("nothing yet").to_owned();
            Found {
                id: word("id"),
                package: word("package"),
                line: format!(
                    "{} {} ({}): {}; mended in {}",
                    word("package"),
                    word("version"),
                    word("id"),
                    word("summary"),
                    word("mended_in")
                ),
            }
        })
        .collect();
    Verdict::Holes {
        found,
        of: told["newest"].as_str().unwrap_or("no date").to_owned(),
    }
}

fn npm(root: &Path) -> Verdict {
    let output = Command::new("npm")
        .args([
            "audit",
            "--omit=dev",
            "--json",
            "--fetch-retries=0",
            "--fetch-timeout=20000",
        ])
        .current_dir(root.join("web"))
        .stdin(Stdio::null())
        .output();
    match output {
        Err(error) => Verdict::Unknown(format!("npm: {error}")),
        Ok(output) => match serde_json::from_slice(&output.stdout) {
            Ok(told) => of_npm(&told),
            Err(_) => Verdict::Unknown("npm said nothing that can be read".to_owned()),
        },
    }
}

/// Reads what `npm audit --json` says.
fn of_npm(told: &Value) -> Verdict {
    let Some(found) = told["vulnerabilities"].as_object() else {
        let why = ["/message", "/error/summary"]
            .iter()
            .find_map(|at| told.pointer(at)?.as_str());
        return Verdict::Unknown(why.unwrap_or("the registry has no audit").to_owned());
    };
    let bad = found.iter().filter_map(|(package, hole)| {
        let severity = hole["severity"].as_str()?;
        let is_grave = ["high", "critical"].contains(&severity);
        let fix = &hole["fixAvailable"];
        let has_fix = fix == &Value::Bool(true) || fix.is_object();
        (is_grave || has_fix).then(|| Found {
            id: package.clone(),
            package: package.clone(),
            line: format!("{package}: {severity}; npm audit in web/ says more"),
        })
    });
    Verdict::Holes {
        found: bad.collect(),
        of: "today: the registry says no date".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ids(verdict: Verdict) -> Vec<String> {
        match verdict {
            Verdict::Holes { found, .. } => found.into_iter().map(|hole| hole.id).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn holes_that_are_grave_or_have_a_fix_are_bad_and_no_data_is_not_good() {
        let hole = |id: &str, severity: &str, builds_only: bool, mended_in: Option<&str>| {
            json!({"package": "p", "version": "1.0.0", "id": id, "summary": "s", "mended_in": mended_in,
                "severity": severity, "builds_only": builds_only})
        };
        let told = json!({"newest": "2026-01-01", "holes": [
            hole("grave", "high", false, None),
            hole("builds", "critical", true, None),
            hole("low", "low", false, None),
            hole("mended", "low", false, Some("1.0.1")),
            hole("builds-mended", "unknown", true, Some("1.0.1")),
            hole("unmaintained", "informational", false, Some("2.0.0")),
        ]});
        let verdict = of_program(&told);
        assert!(matches!(&verdict, Verdict::Holes { found, of }
            if of == "2026-01-01" && found[0].line == "p 1.0.0 (grave): s; mended in nothing yet"));
        assert_eq!(ids(verdict), ["grave", "mended", "builds-mended"]);
        assert!(matches!(
            of_program(&json!({"holes": null})),
            Verdict::Unknown(_)
        ));
        let none: [&str; 0] = [];
        assert_eq!(ids(of_npm(&json!({"vulnerabilities": {}}))), none);
        let told = json!({"vulnerabilities": {
            "a": {"severity": "critical", "fixAvailable": false},
            "b": {"severity": "low", "fixAvailable": false},
            "c": {"severity": "low", "fixAvailable": true},
            "d": {"severity": "low", "fixAvailable": {"name": "d", "version": "2.0.0"}},
        }});
        assert_eq!(ids(of_npm(&told)), ["a", "c", "d"]);
        let refused = json!({"message": "request failed", "error": {"summary": "", "detail": ""}});
        assert_eq!(
            of_npm(&refused),
            Verdict::Unknown("request failed".to_owned())
        );
    }

    #[test]
    fn a_hole_may_stay_with_a_reason_until_its_day() {
        let list = accepted(
            "[[accepted]]\nid = \"A\"\npackage = \"p\"\nbecause = \"not reached\"\nuntil = \"2026-12-31\"\n",
        )
        .unwrap();
        let found = |id: &str, package: &str| Found {
            id: id.to_owned(),
            package: package.to_owned(),
            line: format!("{package} {id}"),
        };
        let all = [found("A", "p"), found("A", "q"), found("B", "p")];
        assert_eq!(not_accepted(&all, &list, "2026-12-31"), ["q A", "p B"]);
        assert_eq!(
            not_accepted(&all[..1], &list, "2027-01-01"),
            ["p A; it could stay until 2026-12-31"]
        );
        assert_eq!(accepted(""), Ok(Vec::new()));
        for (bad, told) in [
            ("[[accepted]]\nid = \"A\"", "until"),
            (
                "[[accepted]]\nid = \"A\"\npackage = \"p\"\nuntil = \"2026-12-31\"\nbecause = \" \"",
                "because",
            ),
            (
                "[[accepted]]\nid = \"A\"\npackage = \"p\"\nbecause = \"x\"\nuntil = \"soon\"",
                "soon",
            ),
            ("[[ignored]]\nid = \"A\"", "ignored"),
            ("accepted = 1", "[[accepted]]"),
            ("[[", ""),
        ] {
            let why = accepted(bad).unwrap_err();
            assert!(why.contains(told), "{bad}: {why}");
        }
    }

    #[test]
    fn days_have_their_dates() {
        for (days, date) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_454, "2026-01-01"),
            (20_818, "2026-12-31"),
        ] {
            assert_eq!(date_of(days), date);
            assert!(is_date(date));
        }
        assert!(!is_date("2026-1-1") && !is_date("2026-12-3x"));
    }
}
