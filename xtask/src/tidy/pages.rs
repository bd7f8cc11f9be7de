//! Every room of `web/src/features` has the furniture of a page: what is shown, what can be done, what is
//! read, where one looks for it. Only `queries` and `actions` speak with the server, and words stand in
//! `i18n`, by key.

use crate::{Finding, Tree};
use anyhow::Result;

const FLOOR: &str = "web/src/features";

/// Every room has one of each line: what it shows, what can be done there, what it reads.
const REQUIRED: [&[&str]; 3] = [
    &["page.tsx"],
    &["actions.tsx", "actions.ts"],
    &["queries.ts"],
];

/// What a room lacks and why, by the first name of the line above.
const EXEMPT: [(&str, &str, &str); 6] = [
    (
        "portal",
        "actions.tsx",
        "because nobody is signed in there who could have a permission",
    ),
    (
        "provenance",
        "page.tsx",
        "because pages open it as a drawer",
    ),
    ("provenance", "actions.tsx", "because it only shows"),
    (
        "session",
        "actions.tsx",
        "because nobody is signed in there who could have a permission",
    ),
    (
        "session",
        "queries.ts",
        "because every page asks who is signed in: lib/session.ts",
    ),
    (
        "field",
        "queries.ts",
        "because it reads cases, by the queries of that room",
    ),
];

/// Functions of `lib/api.ts` that speak with the server.
const SPEAKERS: [&str; 4] = ["get", "change", "upload", "sendFile"];

/// Checks every room that exists.
///
/// # Errors
/// When a file cannot be read as text.
pub fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = furniture(tree);
    for file in tree.ending(&[".ts", ".tsx"]) {
        if file.starts_with(FLOOR) {
            findings.extend(manners(file, &tree.text(file)?));
        }
    }
    Ok(findings)
}

fn furniture(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for room in tree.names_in(FLOOR) {
        let folder = format!("{FLOOR}/{room}");
        if tree.files.contains(&folder) {
            findings.push(Finding::new(
                &folder,
                "a file in the corridor",
                "put it into a room, or into web/src/lib or web/src/ui when rooms share it",
            ));
            continue;
        }
        let names = tree.names_in(&folder);
        for line in REQUIRED {
            let is_exempt = EXEMPT
                .iter()
                .any(|(r, name, _)| *r == room && *name == line[0]);
            if !is_exempt && !line.iter().any(|name| names.contains(name)) {
                findings.push(Finding::new(
                    &folder,
                    format!("{} is missing", line[0]),
                    "write it, or say in xtask/src/tidy/pages.rs because of what the room has none",
                ));
            }
        }
        for name in &names {
            let place = format!("{folder}/{name}");
            let tested = name
                .strip_suffix(".test.ts")
                .or_else(|| name.strip_suffix(".test.tsx"));
            if !tree.files.contains(&place) {
                findings.push(Finding::new(place, "a folder in a room", "keep rooms flat"));
            } else if let Some(stem) = tested {
                let has_subject = ["ts", "tsx"]
                    .iter()
                    .any(|kind| names.contains(format!("{stem}.{kind}").as_str()));
                if !has_subject {
                    findings.push(Finding::new(
                        place,
                        "a test of no file of the room",
                        "name it after what it tests",
                    ));
                }
            } else if !is_furniture(name, room) {
                findings.push(Finding::new(
                    place,
                    "foreign furniture",
                    format!("use kebab-case .ts and .tsx files and {room}.css"),
                ));
            }
        }
    }
    findings
}

fn is_furniture(name: &str, room: &str) -> bool {
    let kebab = |stem: &str| {
        !stem.is_empty()
            && stem
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    match name.rsplit_once('.') {
        Some((stem, "ts" | "tsx")) => kebab(stem),
        Some((stem, "css")) => stem == room,
        _ => false,
    }
}

/// How one file behaves: opens with what it is for, speaks with the server only where one looks for that,
/// and names words by key.
fn manners(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !text.starts_with("/**") {
        findings.push(Finding::new(
            format!("{file}:1"),
            "does not open with what it is for",
            "begin with /** … */",
        ));
    }
    let name = file.rsplit('/').next().unwrap_or(file);
    if name.contains(".test.") {
        return findings;
    }
    let may_speak = name.starts_with("queries.") || name.starts_with("actions.");
    let mut in_comment = false;
    for (n, line) in text.lines().enumerate() {
        let place = || format!("{file}:{}", n + 1);
        let speaks = calls_fetch(line)
            || (line.contains("lib/api.ts") && imports(line).any(|word| SPEAKERS.contains(&word)));
        if speaks && !may_speak {
            findings.push(Finding::new(
                place(),
                "speaks with the server",
                "move it to the room's queries.ts or actions.tsx",
            ));
        }
        let code = without_comments(line, &mut in_comment);
        if name.ends_with(".tsx") && code.chars().any(is_han) {
            findings.push(Finding::new(
                place(),
                "words in the page itself",
                "give them a key in web/src/i18n/words, in Chinese and English",
            ));
        }
    }
    findings
}

/// Whether `fetch` itself is called, not `refetch` or the like.
fn calls_fetch(line: &str) -> bool {
    line.match_indices("fetch(")
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The names in the braces of an import.
fn imports(line: &str) -> impl Iterator<Item = &str> {
    let inside = line
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map_or("", |(names, _)| names);
    inside
        .split(',')
        .filter_map(|name| name.split_whitespace().next())
}

/// A line without its comments; `in_comment` says whether one goes on from the line before.
fn without_comments(line: &str, in_comment: &mut bool) -> String {
    let mut code = String::new();
    let mut rest = line;
    loop {
        if *in_comment {
            match rest.split_once("*/") {
                None => return code,
                Some((_, after)) => rest = after,
            }
            *in_comment = false;
        }
        let block = rest.find("/*");
        let end = rest.find("//").unwrap_or(rest.len());
        match block {
            Some(at) if at < end => {
                code.push_str(&rest[..at]);
                rest = &rest[at + 2..];
                *in_comment = true;
            }
            _ => {
                code.push_str(&rest[..end]);
                return code;
            }
        }
    }
}

const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn told(findings: &[Finding]) -> Vec<String> {
        findings
            .iter()
            .map(|f| format!("{}: {}", f.place, f.what))
            .collect()
    }

    fn tree(files: &[&str]) -> Tree {
        Tree {
            root: PathBuf::new(),
            files: files.iter().map(|f| format!("{FLOOR}/{f}")).collect(),
        }
    }

    #[test]
    fn a_whole_room_is_fine() {
        let room = [
            "gates/page.tsx",
            "gates/actions.tsx",
            "gates/queries.ts",
            "gates/flow-chart.tsx",
            "gates/flow-chart.test.tsx",
            "gates/gates.css",
            "provenance/drawer.tsx",
            "provenance/queries.ts",
        ];
        assert_eq!(furniture(&tree(&room)), []);
    }

    #[test]
    fn missing_and_foreign_furniture_is_told() {
        let findings = furniture(&tree(&[
            "helpers.ts",
            "gates/page.tsx",
            "gates/queries.ts",
            "gates/Chart.tsx",
            "gates/other.css",
            "gates/old.test.ts",
            "gates/parts/row.tsx",
        ]));
        assert_eq!(
            told(&findings),
            [
                "web/src/features/gates: actions.tsx is missing",
                "web/src/features/gates/Chart.tsx: foreign furniture",
                "web/src/features/gates/old.test.ts: a test of no file of the room",
                "web/src/features/gates/other.css: foreign furniture",
                "web/src/features/gates/parts: a folder in a room",
                "web/src/features/helpers.ts: a file in the corridor",
            ]
        );
    }

    #[test]
    fn only_queries_and_actions_speak_with_the_server() {
        let text = "/** A page. */\nimport { ApiError, get } from \"../../lib/api.ts\";\nconst a = await fetch(\"/x\");\n";
        assert_eq!(
            told(&manners("web/src/features/gates/page.tsx", text)),
            [
                "web/src/features/gates/page.tsx:2: speaks with the server",
                "web/src/features/gates/page.tsx:3: speaks with the server",
            ]
        );
        assert_eq!(manners("web/src/features/gates/queries.ts", text), []);
        let error_only = "/** A page. */\nimport { ApiError, query } from \"../../lib/api.ts\";\nvoid alerts.refetch();\n";
        assert_eq!(manners("web/src/features/gates/page.tsx", error_only), []);
    }

    #[test]
    fn words_stand_in_i18n_and_files_open_with_their_purpose() {
        let text = "import x;\n/* 闸 */ const a = 1; // 门\n/*\n 水\n*/ const b = \"泵站\";\n";
        assert_eq!(
            told(&manners("web/src/features/gates/page.tsx", text)),
            [
                "web/src/features/gates/page.tsx:1: does not open with what it is for",
                "web/src/features/gates/page.tsx:5: words in the page itself",
            ]
        );
        assert_eq!(
            told(&manners("web/src/features/gates/names.ts", text)).len(),
            1
        );
        assert_eq!(
            told(&manners("web/src/features/gates/page.test.tsx", text)).len(),
            1
        );
    }
}
