//! Carries what the program is made of: the names and versions of both lock files, a line each, and no more of them.

use std::path::Path;
use std::{env, fs};

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    let mut lines = Vec::new();
    for (file, read) in [
        ("Cargo.lock", cargo as fn(&str, &mut Vec<String>)),
        ("web/package-lock.json", npm),
    ] {
        let path = root.join(file);
        println!("cargo:rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        read(&text, &mut lines);
    }
    println!("cargo:rerun-if-changed=build.rs");
    lines.sort();
    lines.dedup();
    let out = Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("dependencies.txt");
    fs::write(&out, lines.join("\n")).unwrap_or_else(|e| panic!("{}: {e}", out.display()));
}

fn quoted<'a>(line: &'a str, begin: &str) -> Option<&'a str> {
    line.trim_start()
        .strip_prefix(begin)?
        .trim_end_matches(['"', ',', ' ', '{', ':'])
        .into()
}

/// What cargo writes of a package: its name, its version, and where it is from when it is not ours.
fn cargo(text: &str, lines: &mut Vec<String>) {
    for package in text.split("[[package]]").skip(1) {
        let field = |begin: &str| package.lines().find_map(|line| quoted(line, begin));
        if let (Some(name), Some(version), Some(_)) = (
            field("name = \""),
            field("version = \""),
            field("source = \"registry+"),
        ) {
            lines.push(format!("crates.io {name} {version} run"));
        }
    }
}

/// What npm writes of a package: the folder that it lies in, its version, and whether it only builds the pages.
fn npm(text: &str, lines: &mut Vec<String>) {
    for package in text.split("\n    \"node_modules/").skip(1) {
        let Some((folder, rest)) = package.split_once('"') else {
            continue;
        };
        let name = folder.rsplit("node_modules/").next().unwrap_or(folder);
        let own = rest.split("\n    }").next().unwrap_or_default();
        let version = own.lines().find_map(|line| quoted(line, "\"version\": \""));
        let builds = own.lines().any(|line| {
            ["\"dev\": true", "\"devOptional\": true"].contains(&line.trim().trim_end_matches(','))
        });
        if let Some(version) = version {
            let when = if builds { "build" } else { "run" };
            lines.push(format!("npm {name} {version} {when}"));
        }
    }
}
