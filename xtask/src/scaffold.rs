//! New rooms with all their furniture: `cargo xtask new protocol NAME`. What is made compiles, passes its own tests and is
//! tidy; from there it grows. A new pack is made by `jingling pack new`, which a city has too.

use anyhow::{Context, Result, bail, ensure};
use std::path::Path;

/// The furniture of a protocol: path in its folder, text with `NAME` and `TYPE` to fill in.
const PROTOCOL: [(&str, &str); 8] = [
    (
        "Cargo.toml",
        include_str!("scaffold/protocol/Cargo.toml.txt"),
    ),
    ("README.md", include_str!("scaffold/protocol/README.md.txt")),
    (
        "conformance.toml",
        include_str!("scaffold/protocol/conformance.toml.txt"),
    ),
    ("src/lib.rs", include_str!("scaffold/protocol/lib.rs.txt")),
    (
        "src/config.rs",
        include_str!("scaffold/protocol/config.rs.txt"),
    ),
    (
        "vectors/first.md",
        include_str!("scaffold/protocol/first.md.txt"),
    ),
    (
        "tests/vectors.rs",
        include_str!("scaffold/protocol/vectors.rs.txt"),
    ),
    (
        "tests/laws.rs",
        include_str!("scaffold/protocol/laws.rs.txt"),
    ),
];

/// Makes `protocols/proto-NAME`, its workspace entry and its paragraph in ARCHITECTURE.md; answers the
/// paths made or changed.
///
/// # Errors
/// When the name is not kebab case, the room exists, or a file cannot be written.
pub fn protocol(root: &Path, name: &str) -> Result<Vec<String>> {
    let mut made = furnish(root, "protocols/proto-", name, &PROTOCOL)?;
    after_last(
        &root.join("Cargo.toml"),
        |line| line.starts_with("proto-"),
        &format!("proto-{name} = {{ path = \"protocols/proto-{name}\" }}\n"),
    )?;
    let paragraph = format!(
        "### `proto-{name}`\nThe {name} protocol: bytes ⇄ updates. Must never know a socket, a clock, or another protocol.\n\n"
    );
    before_next_heading(&root.join("ARCHITECTURE.md"), "### `proto-", &paragraph)?;
    made.extend(["Cargo.toml".to_owned(), "ARCHITECTURE.md".to_owned()]);
    Ok(made)
}

fn furnish(
    root: &Path,
    prefix: &str,
    name: &str,
    furniture: &[(&str, &str)],
) -> Result<Vec<String>> {
    let is_kebab = name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    ensure!(
        is_kebab,
        "\"{name}\" is not kebab case; use small letters, digits and -, without the prefix"
    );
    let folder = format!("{prefix}{name}");
    if root.join(&folder).exists() {
        bail!("{folder} exists already");
    }
    let mut made = Vec::new();
    for (file, text) in furniture {
        let path = format!("{folder}/{file}");
        let full = root.join(&path);
        if let Some(parent) = full.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let text = text
            .replace("SNAKE", &name.replace('-', "_"))
            .replace("CAMEL", &camel(name))
            .replace("NAME", name);
        std::fs::write(&full, text).with_context(|| path.clone())?;
        made.push(path);
    }
    Ok(made)
}

fn camel(name: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars
            .next()
            .map(|c| c.to_ascii_uppercase().to_string() + chars.as_str())
            .unwrap_or_default()
    };
    name.split('-').map(capital).collect()
}

/// Puts `text` behind the last line that fits.
fn after_last(path: &Path, fits: impl Fn(&str) -> bool, text: &str) -> Result<()> {
    let old = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut lines: Vec<&str> = old.split_inclusive('\n').collect();
    let last = lines.iter().rposition(|line| fits(line));
    let last = last.with_context(|| format!("{}: no place for {text}", path.display()))?;
    lines.insert(last + 1, text);
    Ok(std::fs::write(path, lines.concat())?)
}

/// Puts `text` behind the last section whose heading begins so.
fn before_next_heading(path: &Path, heading: &str, text: &str) -> Result<()> {
    let old = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut lines: Vec<&str> = old.split_inclusive('\n').collect();
    let last = lines.iter().rposition(|line| line.starts_with(heading));
    let last = last.with_context(|| format!("{}: no heading {heading}", path.display()))?;
    let next = lines[last + 1..]
        .iter()
        .position(|line| line.starts_with('#'));
    lines.insert(next.map_or(lines.len(), |next| last + 1 + next), text);
    Ok(std::fs::write(path, lines.concat())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tree;
    use crate::tidy::{furniture, map, source};

    fn house() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| std::fs::write(dir.path().join(file), text).unwrap();
        write(
            "Cargo.toml",
            "[workspace.dependencies]\nproto-mqtt = { path = \"protocols/proto-mqtt\" }\nserde = \"1\"\n",
        );
        write(
            "ARCHITECTURE.md",
            "### `proto-mqtt`\nMQTT.\n\n## Invariants\n",
        );
        dir
    }

    #[test]
    fn what_is_made_is_tidy() {
        let dir = house();
        protocol(dir.path(), "hj-212").unwrap();
        let tree = Tree::read(dir.path()).unwrap();
        assert_eq!(furniture::check(&tree).unwrap(), []);
        assert_eq!(
            map::check(&tree, &["proto-mqtt", "proto-hj-212"]).unwrap(),
            []
        );
        let of_rooms = |path: &str| path.starts_with("protocols/");
        let findings = source::check(&tree).unwrap();
        assert!(
            !findings.iter().any(|finding| of_rooms(&finding.place)),
            "{findings:?}"
        );
        let manifest = std::fs::read_to_string(dir.path().join("Cargo.toml")).unwrap();
        assert!(manifest.contains(
            "proto-mqtt\" }\nproto-hj-212 = { path = \"protocols/proto-hj-212\" }\nserde"
        ));
        let map = std::fs::read_to_string(dir.path().join("ARCHITECTURE.md")).unwrap();
        assert!(map.find("`proto-hj-212`").unwrap() < map.find("## Invariants").unwrap());
    }

    #[test]
    fn names_are_checked() {
        let dir = house();
        for name in ["", "Water", "proto_water", "-x", "x-", "../x"] {
            assert!(protocol(dir.path(), name).is_err(), "{name}");
        }
        protocol(dir.path(), "water").unwrap();
        assert!(protocol(dir.path(), "water").is_err());
    }
}
