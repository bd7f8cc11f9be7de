//! Every version of every stored format that was ever written opens: the one list of formats with the folders of
//! their fixtures (those of backups are opened by `crates/vault/tests/vault.rs`). A fixture is named
//! `<name>-v<version>…`, or is a folder `v<version>…`; a new version of a format needs its fixture beside the old ones,
//! which are never changed.

use jingling::formats;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A format: its name in the city's `format` file, where its fixtures are, how their names begin where others lie
/// beside them, and what opens one.
struct Format {
    name: &'static str,
    fixtures: &'static str,
    begin: &'static [&'static str],
    open: fn(&Path),
}

const FORMATS: &[Format] = &[
    Format {
        name: "journal",
        fixtures: "crates/journal/fixtures",
        begin: &[""],
        open: open_journal,
    },
    Format {
        name: "message",
        fixtures: "crates/model/fixtures",
        begin: &[""],
        open: open_message,
    },
    Format {
        name: "twin",
        fixtures: "crates/twin/fixtures",
        begin: &[""],
        open: open_twin,
    },
    Format {
        name: "lake",
        fixtures: "crates/lake/fixtures",
        begin: &["manifest-", "lake-"],
        open: open_lake,
    },
    Format {
        name: "department-table",
        fixtures: "crates/lake/fixtures",
        begin: &["table-"],
        open: open_department_table,
    },
    Format {
        name: "records",
        fixtures: "crates/records/fixtures",
        begin: &[""],
        open: open_records,
    },
    Format {
        name: "gaps",
        fixtures: "crates/jingling/fixtures",
        begin: &["gaps-"],
        open: open_gaps,
    },
    Format {
        name: "rules",
        fixtures: "crates/jingling/fixtures",
        begin: &["rules-"],
        open: open_rules,
    },
    Format {
        name: "retained",
        fixtures: "crates/gateway/fixtures",
        begin: &[""],
        open: open_retained,
    },
    Format {
        name: "oidc-keys",
        fixtures: "crates/oidc/fixtures",
        begin: &[""],
        open: open_oidc_keys,
    },
    Format {
        name: "identity-key",
        fixtures: "crates/identity/fixtures",
        begin: &[""],
        open: open_identity_key,
    },
    Format {
        name: "advisories",
        fixtures: "crates/advisories/fixtures",
        begin: &[""],
        open: open_advisories,
    },
    Format {
        name: "personal-keys",
        fixtures: "crates/personal/fixtures",
        begin: &["personal-keys-"],
        open: open_personal_keys,
    },
];

fn copied(fixture: &Path, name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(fixture, dir.path().join(name)).unwrap();
    dir
}

fn open_journal(fixture: &Path) {
    assert_eq!(journal::check(fixture, &[]).unwrap().findings, []);
    let mut reader = journal::open_read_only(fixture).unwrap();
    let read = reader.next_batch(usize::MAX).unwrap();
    assert!(!read.is_empty());
    // And it can be written on, in a copy.
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixture).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    let (journal, recovery) =
        journal::Journal::open(dir.path(), journal::Options::default()).unwrap();
    assert_eq!(recovery.next_position, reader.position());
    assert_eq!(journal.append(b"more").unwrap(), recovery.next_position);
    journal.close();
}

fn open_message(fixture: &Path) {
    model::Record::decode(&std::fs::read(fixture).unwrap()).unwrap();
}

fn open_twin(fixture: &Path) {
    let twin = twin::Twin::restore(fixture).unwrap();
    assert!(twin.position() > 0 && !twin.counts().is_empty());
}

fn open_lake(fixture: &Path) {
    // A whole lake is opened where it lies, for reading only.
    let copy = fixture.is_file().then(|| copied(fixture, "manifest.json"));
    let folder = copy.as_ref().map_or(fixture, |dir| dir.path());
    let lake = lake::Lake::open_read_only(folder, lake::Options::default()).unwrap();
    assert!(lake.sealed_position() > 0 && lake.stats().sealed_rows > 0);
}

fn open_department_table(fixture: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("tables/towns");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::copy(fixture, place.join("table.json")).unwrap();
    let (entries, problems) = lake::department::list(dir.path());
    assert_eq!((entries.len(), problems), (1, Vec::new()));
}

fn open_records(fixture: &Path) {
    let dir = copied(fixture, "records.sqlite");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let records = records::Records::open(&dir.path().join("records.sqlite"))
            .await
            .unwrap();
        assert_eq!(records.check().await.unwrap(), []);
        records.close().await;
    });
}

fn open_personal_keys(fixture: &Path) {
    personal::Keys::parse(&std::fs::read_to_string(fixture).unwrap()).unwrap();
}

fn open_gaps(fixture: &Path) {
    assert!(!jingling::gaps::read(fixture).unwrap().is_empty());
}

fn open_rules(fixture: &Path) {
    let position = jingling::records_projection::check_rules(fixture).unwrap();
    assert!(position.is_some_and(|position| position > 0));
}

fn open_oidc_keys(fixture: &Path) {
    let keys = oidc::Keys::parse(&std::fs::read_to_string(fixture).unwrap()).unwrap();
    assert_eq!(keys.kids().len(), 2);
}

fn open_identity_key(fixture: &Path) {
    let key = identity::CityKey::parse(&std::fs::read_to_string(fixture).unwrap()).unwrap();
    // Sealed by another implementation (OpenSSL's SM4-GCM): nonce, what is sealed, tag.
    let sealed = "000102030405060708090a0b64132ba584879e275db0b299e8685363bfc1109d0e82531e5da601b87cf82cd4f717d143";
    assert_eq!(key.open("totp:1", sealed).unwrap(), b"12345678901234567890");
}

fn open_advisories(fixture: &Path) {
    let kept = advisories::Brought::parse(&std::fs::read_to_string(fixture).unwrap()).unwrap();
    let program = ["rustls 0.23.4", "rustls 0.23.5", "left 1.0.0"].map(|package| {
        let (name, version) = package.split_once(' ').unwrap();
        advisories::Dependency {
            ecosystem: match name {
                "left" => advisories::Ecosystem::Npm,
                _ => advisories::Ecosystem::CratesIo,
            },
            name: name.to_owned(),
            version: version.parse().unwrap(),
            builds_only: false,
        }
    });
    let holes = advisories::holes(&program, &kept.advisories);
    let told: Vec<_> = holes
        .iter()
        .map(|h| (h.id.as_str(), h.version.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("RUSTSEC-2024-0336", "0.23.4"),
            ("GHSA-xxxx-yyyy-zzzz", "1.0.0")
        ]
    );
}

fn open_retained(fixture: &Path) {
    let position = gateway::mqtt::check_retained(fixture).unwrap();
    assert!(position.is_some());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The version in a fixture's name.
fn version(path: &Path) -> u32 {
    let name = path.file_name().unwrap().to_str().unwrap();
    let behind = match name.split_once("-v") {
        Some((_, behind)) => behind,
        None => name.strip_prefix('v').unwrap_or_default(),
    };
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    digits
        .parse()
        .unwrap_or_else(|_| panic!("{}: no version in the name", path.display()))
}

#[test]
fn every_version_of_every_format_has_a_fixture_and_opens() {
    let current = formats::current();
    let listed: BTreeSet<&str> = FORMATS.iter().map(|f| f.name).collect();
    let known: BTreeSet<&str> = current.keys().map(String::as_str).collect();
    assert_eq!(listed, known, "a format without a place in this list");
    for format in FORMATS {
        let mut found = BTreeSet::new();
        for entry in std::fs::read_dir(root().join(format.fixtures)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if !format.begin.iter().any(|begin| name.starts_with(begin)) {
                continue;
            }
            found.insert(version(&path));
            // Shown when the test fails: the fixture that did not open.
            eprintln!("{} {}", format.name, path.display());
            (format.open)(&path);
        }
        let wanted: BTreeSet<u32> = (1..=current[format.name]).collect();
        assert_eq!(
            found, wanted,
            "{}: fixtures for each version, and none of a version to come",
            format.name
        );
    }
}
