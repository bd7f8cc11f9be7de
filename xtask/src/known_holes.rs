//! Known holes (已知漏洞) of what the program is made of, as far as data about them can be had here: advisories for Rust's
//! packages in the folder that `JINGLING_ADVISORIES` names, and npm's own audit of what the pages hold. Where there is no
//! data, that is said, plainly and last, and the suite goes on: a machine without a network is no reason to fail, and no
//! reason to call the program sound.

#![allow(clippy::print_stdout)]

use crate::suite::Counts;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// Names the folder of advisories: RustSec's repository, or OSV files.
const ADVISORIES: &str = "JINGLING_ADVISORIES";

/// What one look found.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Data was there, and nothing in it is grave.
    Good,
    /// Grave holes, a line each.
    Bad(Vec<String>),
    /// There was no data, and why.
    Unknown(String),
}

/// Looks at both.
pub fn check(root: &Path, program: &Path) -> Counts {
    let mut counts = Counts::default();
    for (of, verdict) in [("crates.io", crates(program)), ("npm", npm(root))] {
        match verdict {
            Verdict::Good => {
                println!("{of}: no grave hole is known");
                counts.passed += 1;
            }
            Verdict::Bad(lines) => {
                lines.iter().for_each(|line| println!("{of}: {line}"));
                counts.failed += lines.len() as u64;
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

fn crates(program: &Path) -> Verdict {
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
            Ok(told) => of_crates(&told),
            Err(_) => Verdict::Bad(vec![String::from_utf8_lossy(&output.stderr).into_owned()]),
        },
    }
}

/// Reads what `jingling security holes --json` says.
fn of_crates(told: &Value) -> Verdict {
    let Some(holes) = told["holes"].as_array() else {
        return Verdict::Unknown("the program was given no data".to_owned());
    };
    let grave = holes.iter().filter(|hole| {
        hole["builds_only"] != true
            && hole["severity"]
                .as_str()
                .is_some_and(|s| ["high", "critical"].contains(&s))
    });
    let lines: Vec<String> = grave
        .map(|hole| {
            let word = |name: &str| hole[name].as_str().unwrap_or("nothing yet").to_owned();
            format!(
                "{} {} ({}): {}; mended in {}",
                word("package"),
                word("version"),
                word("id"),
                word("summary"),
                word("mended_in")
            )
        })
        .collect();
    println!(
        "crates.io: the newest advisory is of {}",
        told["newest"].as_str().unwrap_or("no date")
    );
    if lines.is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad(lines)
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
    let lines: Vec<String> = found
        .iter()
        .filter_map(|(package, hole)| {
            let severity = hole["severity"].as_str()?;
            ["high", "critical"]
                .contains(&severity)
                .then(|| format!("{package}: {severity}; npm audit in web/ says more"))
        })
        .collect();
    if lines.is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn grave_holes_are_bad_and_no_data_is_not_good() {
        let hole = |severity: &str, builds_only: bool| {
            json!({"package": "p", "version": "1.0.0", "id": "A", "summary": "s", "mended_in": null,
                "severity": severity, "builds_only": builds_only})
        };
        let told = json!({"newest": "2026-01-01", "holes": [hole("high", false), hole("critical", true), hole("low", false)]});
        let line = "p 1.0.0 (A): s; mended in nothing yet".to_owned();
        assert_eq!(of_crates(&told), Verdict::Bad(vec![line]));
        assert_eq!(
            of_crates(&json!({"holes": [hole("unknown", false)]})),
            Verdict::Good
        );
        assert!(matches!(
            of_crates(&json!({"holes": null})),
            Verdict::Unknown(_)
        ));
        assert_eq!(of_npm(&json!({"vulnerabilities": {}})), Verdict::Good);
        assert!(matches!(
            of_npm(&json!({"vulnerabilities": {"a": {"severity": "critical"}, "b": {"severity": "low"}}})),
            Verdict::Bad(lines) if lines.len() == 1
        ));
        let refused = json!({"message": "request failed", "error": {"summary": "", "detail": ""}});
        assert_eq!(
            of_npm(&refused),
            Verdict::Unknown("request failed".to_owned())
        );
    }
}
