//! A vault keeps what it was given: points, what is new in them, encryption, damage, taking points away.

use model::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use testkit::folder::files;
use vault::{
    Copied, Copy, CopyError, DamagedFile, Expected, Held, Inspector, Key, Options, Point,
    Protection, Vault, verify,
};

const NOW: Timestamp = Timestamp::from_seconds(1_795_500_000);
/// The secret key that the fixture and the tests use; it protects nothing.
const SECRET: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn quiet(_: u64) {}

fn options() -> Options {
    Options {
        chunk_bytes: 1_000,
        ..Options::default()
    }
}

/// Copies the whole folder as one point.
fn copy(vault: &Vault, source: &Path, cache: Option<&Path>) -> (Point, Copied) {
    let mut copy = Copy::begin(vault, cache, NOW, &quiet).unwrap();
    for path in files(source).keys() {
        copy.add(path, &source.join(path)).unwrap();
    }
    copy.finish(json!({"position": 7}), NOW).unwrap()
}

fn extracted(vault: &Vault, point: &Point) -> BTreeMap<String, Vec<u8>> {
    let out = tempfile::tempdir().unwrap();
    for file in vault.files(point).unwrap() {
        vault.extract(point, &file, out.path(), &quiet).unwrap();
    }
    files(out.path())
}

fn source() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    let long: Vec<u8> = (0..3_500_u32).flat_map(|n| n.to_le_bytes()).collect();
    std::fs::write(dir.path().join("sub/long"), long).unwrap();
    std::fs::write(dir.path().join("short"), "竟陵").unwrap();
    std::fs::write(dir.path().join("empty"), "").unwrap();
    dir
}

fn keys() -> Key {
    Key::Identities(vec![SECRET.to_owned()])
}

fn for_key() -> Protection {
    Protection::Recipients(vec![PUBLIC.to_owned()])
}

#[test]
fn what_is_copied_comes_back_and_a_second_point_stores_only_what_is_new() {
    let (dir, source) = (tempfile::tempdir().unwrap(), source());
    let vault = Vault::open_or_make(&dir.path().join("v"), &Protection::AsItIs, options()).unwrap();
    let (first, copied) = copy(&vault, source.path(), None);
    assert_eq!((copied.files, copied.bytes), (3, 14_006));
    assert_eq!((copied.chunks_new, copied.bytes_new), (15, 14_006));
    let before = files(source.path());

    let mut grown = before["sub/long"].clone();
    grown.extend_from_slice(&[7; 300]);
    std::fs::write(source.path().join("sub/long"), grown).unwrap();
    std::fs::write(source.path().join("new"), "new").unwrap();
    let (second, copied) = copy(&vault, source.path(), None);
    assert_eq!(copied.chunks_new, 2, "the new file and the new end");
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(extracted(&vault, &first), before);
    assert_eq!(extracted(&vault, &second), files(source.path()));
    let verified = verify(&vault, &quiet).unwrap();
    assert_eq!((verified.points, verified.chunks), (2, 17));
    assert_eq!(verified.findings, []);
}

#[test]
fn an_encrypted_vault_needs_only_the_public_key_to_be_written() {
    let (dir, source) = (tempfile::tempdir().unwrap(), source());
    let (path, cache) = (dir.path().join("v"), dir.path().join("cache.json"));
    {
        let vault = Vault::open_or_make(&path, &for_key(), options()).unwrap();
        assert!(vault.is_encrypted() && !vault.is_unlocked());
        assert_eq!(copy(&vault, source.path(), Some(&cache)).1.chunks_new, 15);
        std::fs::write(source.path().join("new"), "new").unwrap();
        let (_, copied) = copy(&vault, source.path(), Some(&cache));
        assert_eq!(copied.chunks_new, 1, "the cache says what is there");
        assert_eq!(
            copy(&vault, source.path(), None).1.chunks_new,
            16,
            "without it everything is copied again"
        );
    }
    let locked = Vault::open(&path, &Key::None, options()).unwrap();
    let verified = verify(&locked, &quiet).unwrap();
    assert_eq!((verified.findings.len(), verified.decrypted), (0, false));
    let point = locked.point(2).unwrap();
    assert_eq!(locked.files(&point).unwrap_err().code, "backup-key");
    let stored = files(&path);
    for (name, bytes) in &stored {
        for secret in ["short", "竟陵"] {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{secret} can be read in {name}");
        }
    }
    let opened = Vault::open(&path, &keys(), options()).unwrap();
    assert_eq!(extracted(&opened, &point), files(source.path()));
    let verified = verify(&opened, &quiet).unwrap();
    assert_eq!((verified.findings.len(), verified.decrypted), (0, true));

    let other =
        "AGE-SECRET-KEY-1VD6ZTX92UEPTGD0GV3CDTKKENMD9VZ7CS9Z70UGCTN7DCMVKR69QNG44FL".to_owned();
    let wrong = Vault::open(&path, &Key::Identities(vec![other]), options()).unwrap();
    assert_eq!(wrong.files(&point).unwrap_err().code, "backup-key");
}

#[test]
fn a_passphrase_opens_and_a_wrong_one_is_told_before_anything_is_written() {
    let (dir, source) = (tempfile::tempdir().unwrap(), source());
    let path = dir.path().join("v");
    let words = |w: &str| Protection::Passphrase(w.to_owned());
    {
        let vault = Vault::open_or_make(&path, &words("right"), options()).unwrap();
        copy(&vault, source.path(), None);
    }
    let before = files(&path);
    for (asked, code) in [
        (words("wrong"), "backup-key"),
        (for_key(), "backup-protection"),
    ] {
        let refused = Vault::open_or_make(&path, &asked, options()).err().unwrap();
        assert_eq!(refused.code, code);
    }
    let refused = Vault::open(&path, &Key::Passphrase("wrong".into()), options());
    assert_eq!(refused.err().unwrap().code, "backup-key");
    assert_eq!(files(&path), before);
    let vault = Vault::open(&path, &Key::Passphrase("right".into()), options()).unwrap();
    let point = vault.point(1).unwrap();
    assert_eq!(extracted(&vault, &point), files(source.path()));
}

#[test]
fn every_flipped_byte_is_found_by_verify_and_by_whoever_needs_it() {
    for protection in [Protection::AsItIs, for_key()] {
        let (dir, source) = (tempfile::tempdir().unwrap(), source());
        let path = dir.path().join("v");
        {
            let vault = Vault::open_or_make(&path, &protection, options()).unwrap();
            copy(&vault, source.path(), None);
        }
        let read = || -> Result<usize, model::Problem> {
            let vault = Vault::open(&path, &keys(), options())?;
            let point = vault.point(1)?;
            let out = tempfile::tempdir().unwrap();
            for file in vault.files(&point)? {
                vault.extract(&point, &file, out.path(), &quiet)?;
            }
            Ok(verify(&vault, &quiet)?.findings.len())
        };
        assert_eq!(read(), Ok(0));
        for (name, bytes) in files(&path) {
            // Of large files some bytes, of small ones all.
            let step = (bytes.len() / 12).max(1);
            for at in (0..bytes.len()).step_by(step) {
                let mut bad = bytes.clone();
                bad[at] ^= 0x20;
                std::fs::write(path.join(&name), &bad).unwrap();
                assert!(read().is_err(), "{name}, byte {at}: not met when reading");
                let found = Vault::open(&path, &keys(), options())
                    .and_then(|v| verify(&v, &quiet))
                    .map_or(1, |v| v.findings.len());
                assert!(found > 0, "{name}, byte {at}: not found by verify");
            }
            std::fs::write(path.join(&name), &bytes[..bytes.len() / 2]).unwrap();
            assert!(bytes.is_empty() || read().is_err(), "{name} cut off");
            std::fs::write(path.join(&name), &bytes).unwrap();
        }
        assert_eq!(read(), Ok(0));
    }
}

#[test]
fn a_copy_that_was_not_finished_is_no_point_and_leaves_nothing() {
    let (dir, source) = (tempfile::tempdir().unwrap(), source());
    let path = dir.path().join("v");
    let vault = Vault::open_or_make(&path, &Protection::AsItIs, options()).unwrap();
    copy(&vault, source.path(), None);
    let before = files(&path);
    std::fs::write(source.path().join("new"), "new").unwrap();
    let mut half = Copy::begin(&vault, None, NOW, &quiet).unwrap();
    half.add("new", &source.path().join("new")).unwrap();
    assert_ne!(files(&path), before);
    let gone = half.add("gone", &source.path().join("gone"));
    assert!(matches!(gone, Err(CopyError::Gone)));
    drop(half);
    assert_eq!(files(&path), before);
    // As after a crash: what lies about is no point, and the next run takes it away.
    std::fs::create_dir_all(path.join("chunks/00")).unwrap();
    std::fs::write(path.join("chunks/00").join("0".repeat(64)), "half").unwrap();
    std::fs::write(path.join("points/00000002.tmp"), "half").unwrap();
    assert_eq!(vault.numbers().unwrap(), [1]);
    assert_eq!(verify(&vault, &quiet).unwrap().findings, []);
    assert_eq!(vault.keep(9).unwrap().chunks, 1);
    assert_eq!(files(&path), before);
}

#[test]
fn the_newest_points_are_kept_with_all_they_need() {
    let (dir, source) = (tempfile::tempdir().unwrap(), source());
    let vault = Vault::open_or_make(&dir.path().join("v"), &Protection::AsItIs, options()).unwrap();
    for n in 0..4 {
        std::fs::write(source.path().join("short"), format!("{n}")).unwrap();
        copy(&vault, source.path(), None);
    }
    let removed = vault.keep(2).unwrap();
    assert_eq!((removed.points, removed.chunks), (2, 2));
    assert_eq!(vault.numbers().unwrap(), [3, 4]);
    assert_eq!(verify(&vault, &quiet).unwrap().findings, []);
    let third = vault.point(3).unwrap();
    assert_eq!(extracted(&vault, &third)["short"], b"2");
    // What a damaged point needs is not known, so nothing goes.
    let point = dir.path().join("v/points/00000004.json");
    std::fs::write(&point, "damaged").unwrap();
    assert_eq!(vault.keep(1).unwrap_err().code, "backup-damaged");
    assert_eq!(vault.numbers().unwrap(), [3, 4]);
}

#[test]
fn a_prefix_of_a_growing_file_is_that_and_no_more() {
    let (dir, source) = (tempfile::tempdir().unwrap(), source());
    let vault = Vault::open_or_make(&dir.path().join("v"), &Protection::AsItIs, options()).unwrap();
    let long = source.path().join("sub/long");
    let prefix = |bytes| {
        let mut copy = Copy::begin(&vault, None, NOW, &quiet).unwrap();
        copy.add_prefix("log", &long, bytes)?;
        Ok::<_, CopyError>(copy.finish(json!({}), NOW).unwrap())
    };
    let (point, _) = prefix(2_500).unwrap();
    assert_eq!(
        extracted(&vault, &point)["log"],
        files(source.path())["sub/long"][..2_500]
    );
    assert_eq!(prefix(4_500).unwrap().1.chunks_new, 3);
    assert!(matches!(prefix(99_999), Err(CopyError::Changed)));
}

#[test]
fn a_folder_with_other_things_and_a_vault_in_use_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("thesis.doc"), "x").unwrap();
    let code = |path: PathBuf| {
        Vault::open_or_make(&path, &Protection::AsItIs, options())
            .err()
            .map(|p| p.code)
    };
    assert_eq!(code(dir.path().into()).as_deref(), Some("backup-target"));
    assert_eq!(
        code(dir.path().join("no/such")).as_deref(),
        Some("backup-io")
    );
    let path = dir.path().join("v");
    let none = Vault::open(&path, &Key::None, options()).err().unwrap();
    assert_eq!(none.code, "backup-target");
    let held = Vault::open_or_make(&path, &Protection::AsItIs, options()).unwrap();
    assert_eq!(code(path.clone()).as_deref(), Some("backup-busy"));
    let busy = Vault::open(&path, &Key::None, options()).err().unwrap();
    assert_eq!(busy.code, "backup-busy");
    drop(held);
    let one = Vault::open(&path, &Key::None, options()).unwrap();
    let two = Vault::open(&path, &Key::None, options()).unwrap();
    assert!(one.keep(1).is_err() && two.numbers().unwrap().is_empty());
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The file of several chunks.
const LONG: &str = "sub/long";

/// Copies the folder as one point, of which it is known what `LONG` must be; tells the damaged files too.
fn copy_knowing(
    vault: &Vault,
    source: &Path,
    cache: Option<&Path>,
    wanted: &str,
) -> (Point, Copied, Vec<DamagedFile>) {
    let mut copy = Copy::begin(vault, cache, NOW, &quiet).unwrap();
    for path in files(source).keys().filter(|path| *path != LONG) {
        copy.add(path, &source.join(path)).unwrap();
    }
    match copy.add_expecting(LONG, &source.join(LONG), Expected::Sha256(wanted)) {
        Err(CopyError::Gone) => copy.missing(LONG, wanted, "the file is missing"),
        other => other.unwrap(),
    }
    let damaged = copy.damaged();
    let (point, copied) = copy.finish(json!({"position": 7}), NOW).unwrap();
    (point, copied, damaged)
}

/// Rots one byte of a file.
fn rot(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn held(damaged: &[DamagedFile]) -> Vec<Held> {
    damaged.iter().map(|file| file.held).collect()
}

#[test]
fn a_damaged_file_does_not_take_the_place_of_its_good_copy() {
    for protection in [Protection::AsItIs, for_key()] {
        let (dir, source) = (tempfile::tempdir().unwrap(), source());
        let (path, cache) = (dir.path().join("v"), dir.path().join("cache.json"));
        let long = source.path().join(LONG);
        let good = files(source.path());
        let wanted = sha256(&good[LONG]);
        let vault = Vault::open_or_make(&path, &protection, options()).unwrap();
        let opened = || Vault::open(&path, &keys(), options()).unwrap();
        let cached = Some(cache.as_path());
        let take = |vault: &Vault| copy_knowing(vault, source.path(), cached, &wanted);
        assert_eq!(take(&vault).2, []);
        let chunks = files(&path.join("chunks"));
        // The first, the middle and the last chunk, then the whole file.
        for harm in [Some(3), Some(7_000), Some(13_999), None] {
            match harm {
                Some(at) => rot(&long, at),
                None => std::fs::remove_file(&long).unwrap(),
            }
            let (point, copied, damaged) = take(&vault);
            assert_eq!(held(&damaged), [Held::GoodCopyOf(1)], "{harm:?}");
            assert_eq!(damaged[0].path, LONG);
            assert_eq!((copied.chunks_new, copied.bytes_new), (0, 0));
            assert!(point.is_whole());
            assert!(
                files(&path.join("chunks")) == chunks,
                "what rotted is not kept"
            );
            if harm.is_some() {
                std::fs::write(&long, &good[LONG]).unwrap();
            }
        }
        // Mended, and the folder is as it was: nothing is told any more.
        std::fs::write(&long, &good[LONG]).unwrap();
        let (point, copied, damaged) = take(&vault);
        assert_eq!((damaged.len(), copied.chunks_new), (0, 0));
        assert_eq!(vault.numbers().unwrap(), [1, 2, 3, 4, 5, 6]);
        vault.keep(3).unwrap();
        drop(vault);
        let vault = opened();
        assert!(extracted(&vault, &point) == good);
        assert!(extracted(&vault, &vault.point(5).unwrap()) == good);
        let verified = verify(&vault, &quiet).unwrap();
        assert_eq!(
            (verified.findings.len(), verified.newest_is_whole),
            (0, true)
        );
        let points: Vec<u64> = verified.damaged.iter().map(|d| d.point).collect();
        assert_eq!(points, [4, 5], "what stood in for it is still told");
    }
}

#[test]
fn without_a_good_copy_a_damaged_file_is_kept_and_marked_and_the_last_whole_point_stays() {
    let (dir, source) = (tempfile::tempdir().unwrap(), source());
    let vault = Vault::open_or_make(&dir.path().join("v"), &Protection::AsItIs, options()).unwrap();
    let long = source.path().join(LONG);
    std::fs::rename(&long, dir.path().join("later")).unwrap();
    copy(&vault, source.path(), None);
    std::fs::rename(dir.path().join("later"), &long).unwrap();
    let wanted = sha256(&std::fs::read(&long).unwrap());
    rot(&long, 1_234);
    let rotten = std::fs::read(&long).unwrap();
    let take = || copy_knowing(&vault, source.path(), None, &wanted);
    let (point, _, damaged) = take();
    assert_eq!(held(&damaged), [Held::DamagedBytes]);
    assert!(damaged[0].what.contains(&wanted), "{}", damaged[0].what);
    assert_eq!((point.number, point.damaged), (2, 1));
    assert_eq!(extracted(&vault, &point)[LONG], rotten);
    std::fs::remove_file(&long).unwrap();
    let (point, _, damaged) = take();
    assert_eq!(held(&damaged), [Held::Nothing]);
    assert!(!extracted(&vault, &point).contains_key(LONG));

    let verified = verify(&vault, &quiet).unwrap();
    assert_eq!(verified.findings, [], "the vault is as it was written");
    assert!(!verified.newest_is_whole);
    let told: Vec<_> = verified
        .damaged
        .iter()
        .map(|d| (d.point, held(&d.files)))
        .collect();
    assert_eq!(
        told,
        [(2, vec![Held::DamagedBytes]), (3, vec![Held::Nothing])]
    );
    let removed = vault.keep(1).unwrap();
    assert_eq!((removed.points, removed.spared), (1, Some(1)));
    assert_eq!(vault.numbers().unwrap(), [1, 3]);
    assert_eq!(verify(&vault, &quiet).unwrap().findings, []);
    // Put back, it is copied as ever, and nothing needs to be spared.
    std::fs::write(&long, &rotten).unwrap();
    rot(&long, 1_234);
    assert_eq!(take().2, []);
    assert_eq!(vault.keep(1).unwrap().spared, None);
    assert_eq!(vault.numbers().unwrap(), [4]);
    let point = vault.point(4).unwrap();
    assert_eq!(sha256(&extracted(&vault, &point)[LONG]), wanted);
}

#[test]
fn whoever_has_no_key_knows_that_a_point_is_not_whole_but_not_which_file() {
    let (dir, source) = (tempfile::tempdir().unwrap(), source());
    let path = dir.path().join("v");
    let vault = Vault::open_or_make(&path, &for_key(), options()).unwrap();
    copy_knowing(&vault, source.path(), None, &sha256(b"something else"));
    drop(vault);
    let locked = Vault::open(&path, &Key::None, options()).unwrap();
    let verified = verify(&locked, &quiet).unwrap();
    assert_eq!(
        (verified.findings.len(), verified.newest_is_whole),
        (0, false)
    );
    let damage = &verified.damaged[0];
    assert_eq!((damage.point, damage.files_not_whole), (1, 1));
    assert_eq!(damage.files, []);
    let opened = Vault::open(&path, &keys(), options()).unwrap();
    let verified = verify(&opened, &quiet).unwrap();
    assert_eq!(held(&verified.damaged[0].files), [Held::DamagedBytes]);
}

#[test]
fn a_good_copy_is_looked_for_in_every_point_and_read_before_it_is_believed() {
    let (dir, source) = (tempfile::tempdir().unwrap(), source());
    let path = dir.path().join("v");
    let vault = Vault::open_or_make(&path, &Protection::AsItIs, options()).unwrap();
    let long = source.path().join(LONG);
    let good = std::fs::read(&long).unwrap();
    let wanted = sha256(&good);
    // Points of version 1 had no SHA-256 of a whole file; this one has none either.
    copy(&vault, source.path(), None);
    let entry = |number| {
        let files = vault.files(&vault.point(number).unwrap()).unwrap();
        files.into_iter().find(|file| file.path == LONG).unwrap()
    };
    assert_eq!(entry(1).sha256, None);
    let take = || copy_knowing(&vault, source.path(), None, &wanted);
    rot(&long, 9_999);
    assert_eq!(held(&take().2), [Held::GoodCopyOf(1)]);
    // Two points without the file.
    std::fs::remove_file(&long).unwrap();
    copy(&vault, source.path(), None);
    copy(&vault, source.path(), None);
    std::fs::write(&long, &good[..1_000]).unwrap();
    let (point, _, damaged) = take();
    assert_eq!(held(&damaged), [Held::GoodCopyOf(1)]);
    assert_eq!(extracted(&vault, &point)[LONG], good);
    // What nobody wrote since is read once more, as long as nothing says that it was good.
    std::fs::write(&long, &good).unwrap();
    copy(&vault, source.path(), None);
    assert_eq!(entry(6).sha256, None);
    assert_eq!(take().2, []);
    assert_eq!(entry(7).sha256.as_ref(), Some(&wanted));
    // A copy that rotted in the vault is no good one.
    let chunk = sha256(&good[..1_000]);
    rot(&path.join("chunks").join(&chunk[..2]).join(&chunk), 5);
    rot(&long, 9_999);
    assert_eq!(held(&take().2), [Held::DamagedBytes]);
}

/// Finds fault with a letter.
struct Letters(Option<String>);

impl Inspector for Letters {
    fn look(&mut self, bytes: &[u8]) {
        if bytes.contains(&b'x') {
            self.0 = Some("there is an x in it".to_owned());
        }
    }

    fn verdict(&mut self) -> Option<String> {
        self.0.take()
    }
}

#[test]
fn what_an_inspector_found_good_once_stands_in_for_what_it_finds_bad() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open_or_make(&dir.path().join("v"), &Protection::AsItIs, options()).unwrap();
    let file = dir.path().join("file");
    let take = || {
        let mut copy = Copy::begin(&vault, None, NOW, &quiet).unwrap();
        let mut letters = Letters(None);
        copy.add_expecting("file", &file, Expected::Inspected(&mut letters))
            .unwrap();
        let damaged = copy.damaged();
        let (point, _) = copy.finish(json!({}), NOW).unwrap();
        (held(&damaged), extracted(&vault, &point)["file"].clone())
    };
    let good = "a".repeat(2_500).into_bytes();
    std::fs::write(&file, &good).unwrap();
    assert_eq!(take(), (vec![], good.clone()));
    let mut bad = good.clone();
    bad[2_000] = b'x';
    std::fs::write(&file, &bad).unwrap();
    assert_eq!(take(), (vec![Held::GoodCopyOf(1)], good));
    // Of another length it is another file.
    bad.push(b'a');
    std::fs::write(&file, &bad).unwrap();
    assert_eq!(take(), (vec![Held::DamagedBytes], bad));
}

#[test]
fn every_version_stays_readable() {
    // Written by versions 1 and 2 of the formats; never change these fixtures, add others beside them.
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for name in [
        "vault-v1",
        "vault-encrypted-v1",
        "vault-v2",
        "vault-encrypted-v2",
    ] {
        let vault = Vault::open(&fixtures.join(name), &keys(), options()).unwrap();
        assert_eq!(vault.numbers().unwrap(), [1]);
        let point = vault.point(1).unwrap();
        assert_eq!(point.about, json!({"position": 7}));
        assert_eq!((point.started_at, point.finished_at), (NOW, NOW));
        let files = extracted(&vault, &point);
        assert_eq!(files["short"], "竟陵".as_bytes());
        assert_eq!(files.keys().collect::<Vec<_>>(), ["empty", "short"]);
        let verified = verify(&vault, &quiet).unwrap();
        assert_eq!(verified.findings, []);
        let told: Vec<String> = verified
            .damaged
            .iter()
            .flat_map(|d| d.files.iter().map(ToString::to_string))
            .collect();
        match name.ends_with("v1") {
            true => assert_eq!(told, [""; 0]),
            false => assert_eq!(
                told,
                ["gone: the file is missing; the backup does not have it"]
            ),
        }
        assert_eq!(verified.newest_is_whole, name.ends_with("v1"));
    }
}

#[test]
#[ignore = "writes the fixtures of a new version: cargo test -p vault -- --ignored"]
fn write_fixtures() {
    let (out, source) = (tempfile::tempdir().unwrap().keep(), source());
    std::fs::remove_dir_all(source.path().join("sub")).unwrap();
    for (name, protection) in [
        ("vault-v2", Protection::AsItIs),
        ("vault-encrypted-v2", for_key()),
    ] {
        let vault = Vault::open_or_make(&out.join(name), &protection, options()).unwrap();
        let mut copy = Copy::begin(&vault, None, NOW, &quiet).unwrap();
        let short = source.path().join("short");
        let sha256 = sha256("竟陵".as_bytes());
        copy.add("empty", &source.path().join("empty")).unwrap();
        copy.add_expecting("short", &short, Expected::Sha256(&sha256))
            .unwrap();
        copy.missing("gone", &sha256, "the file is missing");
        copy.finish(json!({"position": 7}), NOW).unwrap();
    }
    eprintln!("{}", out.display());
}
