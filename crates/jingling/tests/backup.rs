//! Backups of a running city with the real binary: nothing acknowledged before one is missing from it, damage is found,
//! and a city can be made from it as it was at any position or time.

use crate::served::device::{Device, ENTITY, level, register};
use crate::served::{Server, answer, done, jingling, made, refused, text};
use jingling::backup::drills::{Drills, Found};
use jingling::folder::Folder;
use jingling::settings::BackupSettings;
use model::Timestamp;
use records::{Records, audit};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::folder::files;

/// The pair of keys of the age format's examples; it protects nothing.
const SECRET: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn path(dir: &Path, name: &str) -> String {
    dir.join(name).display().to_string()
}

fn backup(city: &str, vault: &str, more: &[&str]) -> Value {
    answer(&[&["backup", city, "--to", vault, "--json"], more].concat())
}

/// One figure that SQL answers.
fn figure(city: &str, sql: &str) -> Value {
    answer(&["query", city, sql, "--json"])[0]["n"].clone()
}

fn levels(city: &str) -> Vec<f64> {
    let sql = format!(
        "SELECT DISTINCT value_number AS n FROM observations WHERE entity_id = '{ENTITY}' AND attribute = 'waterLevel' ORDER BY 1"
    );
    let rows = answer(&["query", city, &sql, "--json"]);
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row["n"].as_f64().unwrap())
        .collect()
}

#[test]
fn what_was_acknowledged_before_a_backup_is_there_after_kill_and_restore() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let credential = register(&city);
    let (vault, new) = (path(dir.path(), "vault"), path(dir.path(), "new"));
    // Small segments and early seals, so that the journal rolls and history is sealed while it is copied.
    let server = Server::start_with(&city, &["journal.segment_mib=17", "lake.seal_rows=50"]);
    let device = Device::start(&server, &credential, 0, u64::MAX);
    device.wait(300);
    let before = device.acknowledged();
    let first = backup(&city, &vault, &[]);
    let between = device.acknowledged();
    let second = backup(&city, &vault, &[]);
    assert!(between > before, "messages flowed while it was copied");
    server.kill();
    drop(device);
    assert!(second["chunks_new"].as_u64() < second["files"].as_u64());
    assert!(second["about"]["position"].as_u64() > first["about"]["position"].as_u64());

    let restored = answer(&["restore", &vault, "--to", &new, "--json"]);
    assert_eq!(restored["position"], second["about"]["position"]);
    let sql = format!(
        "SELECT count(DISTINCT value_number) AS n FROM observations \
         WHERE entity_id = '{ENTITY}' AND attribute = 'waterLevel' AND value_number < {}",
        level(between)
    );
    assert_eq!(
        figure(&new, &sql),
        between,
        "acknowledged before the second backup began"
    );
    done(&["check", &new]);
    let drill = answer(&["backup", "drill", &vault, "--json"]);
    assert_eq!(drill["differences"], serde_json::json!([]));
    assert_eq!(drill["journal_records"], second["about"]["position"]);
    assert!(drill["entities"].as_u64().unwrap() >= 1);
    // The restored city serves, and says who made it.
    let server = Server::start(&new);
    assert!(
        server
            .get("/readyz")
            .contains("ready\nno backup was ever taken")
    );
    drop(server);
    let records = format!("{new}/records.sqlite");
    let audit = std::fs::read(records).unwrap();
    assert!(audit.windows(14).any(|w| w == b"backup.restore"));
}

#[test]
fn a_second_backup_copies_only_what_is_new_and_old_points_go() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let vault = path(dir.path(), "vault");
    let first = backup(&city, &vault, &[]);
    assert!(first["files"].as_u64().unwrap() >= 4, "{first}");
    let second = backup(&city, &vault, &[]);
    // The first one is in the audit trail, so the records are new; nothing else is.
    assert_eq!(second["chunks_new"], 1, "{second}");
    std::fs::create_dir_all(format!("{city}/attachments/ab")).unwrap();
    std::fs::write(format!("{city}/attachments/ab/photo"), [7; 5_000]).unwrap();
    let third = backup(&city, &vault, &["--keep", "2"]);
    assert_eq!(third["chunks_new"], 2, "{third}");
    assert_eq!(third["removed"]["points"], 1);
    let listed = answer(&["backup", "list", &vault, "--json"]);
    let numbers: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["point"].clone())
        .collect();
    assert_eq!(numbers, [2, 3]);
    done(&["backup", "verify", &vault]);
    // What cannot be shared is left out and said.
    assert_eq!(third["about"]["left_out"], serde_json::json!(["secrets"]));
    let new = path(dir.path(), "new");
    done(&["restore", &vault, "--to", &new]);
    assert!(!Path::new(&new).join("secrets").exists());
    let (mut old, mut new) = (files(Path::new(&city)), files(Path::new(&new)));
    for passing in [
        "run/",
        "backup/",
        "secrets/",
        "records.sqlite",
        "journal/lock",
        "journal/spare.tmp",
        "lake/lock",
    ] {
        old.retain(|path, _| !path.starts_with(passing));
        new.retain(|path, _| !path.starts_with(passing));
    }
    // Of the journal's open segment the restored city has what is used.
    let segment = "journal/00000000000000000000.seg";
    if let (Some(whole), Some(used)) = (old.remove(segment), new.remove(segment)) {
        assert_eq!(whole[..used.len()], used);
    }
    assert!(old == new, "{:?} and {:?}", old.keys(), new.keys());
}

#[test]
fn every_damaged_file_is_found_and_nothing_is_half_restored() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let vault = dir.path().join("vault");
    let (to, new) = (vault.display().to_string(), path(dir.path(), "new"));
    backup(&city, &to, &[]);
    let mut met = 0;
    for (name, bytes) in files(&vault) {
        if bytes.is_empty() {
            continue;
        }
        let mut bad = bytes.clone();
        bad[bytes.len() / 2] ^= 1;
        std::fs::write(vault.join(&name), &bad).unwrap();
        let told = refused(&["backup", "verify", &to]);
        let stem = name.rsplit('/').next().unwrap();
        assert!(told.contains(stem), "{name}: {told}");
        let told = refused(&["restore", &to, "--to", &new]);
        assert!(told.contains(stem), "{name}: {told}");
        if name.starts_with("chunks") {
            assert!(told.contains(" at byte "), "{told}");
        }
        assert!(!Path::new(&new).exists() && !Path::new(&format!("{new}.restoring")).exists());
        std::fs::write(vault.join(&name), &bytes).unwrap();
        met += 1;
    }
    assert!(met >= 6, "only {met} files");
    std::fs::create_dir(&new).unwrap();
    std::fs::write(format!("{new}/thesis.doc"), "x").unwrap();
    assert!(refused(&["restore", &to, "--to", &new]).contains("thesis.doc"));
    std::fs::remove_file(format!("{new}/thesis.doc")).unwrap();
    done(&["restore", &to, "--to", &new]);
}

#[test]
fn a_passphrase_or_a_key_protects_secrets_too() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let write = |name: &str, text: &str| {
        let path = path(dir.path(), name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let right = write("right", "correct horse battery\n");
    let wrong = write("wrong", "incorrect horse battery\n");
    let short = write("short", "horse\n");
    let public = write("public", &format!("# the city's engineers\n{PUBLIC}\n"));
    let secret = write("secret", SECRET);
    let vault = path(dir.path(), "words");
    let new = path(dir.path(), "new");
    let told = refused(&["backup", &city, "--to", &vault, "--passphrase-file", &short]);
    assert!(told.contains("at least 12"), "{told}");
    let made = backup(&city, &vault, &["--passphrase-file", &right]);
    assert_eq!(made["about"]["left_out"], serde_json::json!([]));
    let before = files(Path::new(&vault));
    let wrong = ["--passphrase-file", &wrong];
    for words in [
        &["backup", &city, "--to", &vault][..],
        &["backup", "verify", &vault],
        &["backup", "drill", &vault],
        &["restore", &vault, "--to", &new],
    ] {
        let told = refused(&[words, &wrong].concat());
        assert!(
            told.contains("the passphrase does not open"),
            "{words:?}: {told}"
        );
    }
    assert!(refused(&["restore", &vault, "--to", &new]).contains("--passphrase-file"));
    assert!(!Path::new(&new).exists());
    assert_eq!(files(Path::new(&vault)), before);
    done(&["restore", &vault, "--to", &new, "--passphrase-file", &right]);
    let first = "secrets/first-sign-in.json";
    let read = |root: &str| std::fs::read(Path::new(root).join(first)).unwrap();
    assert_eq!(read(&new), read(&city));

    // For a public key: the city needs no secret, and later backups none of its words.
    let vault = path(dir.path(), "keys");
    backup(&city, &vault, &["--encrypt-to", &public]);
    let second = backup(&city, &vault, &[]);
    assert_eq!(second["chunks_new"], 1, "{second}");
    done(&["backup", "verify", &vault]);
    done(&["backup", "verify", &vault, "--identity", &secret]);
    done(&["backup", "drill", &vault, "--identity", &secret]);
    let told = refused(&["backup", &city, "--to", &vault, "--passphrase-file", &right]);
    assert!(told.contains("encrypted in another way"), "{told}");
    let plain = files(Path::new(&city)).remove(first).unwrap();
    for bytes in files(Path::new(&vault)).values() {
        assert!(!bytes.windows(40).any(|w| w == &plain[..40]));
    }
}

#[test]
fn a_city_comes_back_as_it_was_at_any_position_or_time() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let vault = path(dir.path(), "vault");
    let credential = register(&city);
    let server = Server::start(&city);
    // Nothing is in the first point; each of the next two has 40 messages more, and a user more.
    let mut positions = Vec::new();
    for n in 0..3_u64 {
        if n > 0 {
            Device::start(&server, &credential, (n - 1) * 40, n * 40).wait(n * 40);
            let user = format!("user{n}");
            done(&[
                "user",
                "add",
                &city,
                "--username",
                &user,
                "--name",
                &user,
                "--role",
                "duty",
            ]);
        }
        let made = backup(&city, &vault, &[]);
        positions.push(made["about"]["position"].as_u64().unwrap());
    }
    let count = |city: &str, condition: &str| {
        figure(
            city,
            &format!("SELECT count(*) AS n FROM observations WHERE {condition}"),
        )
    };
    let restored = |n: usize, more: &[&str]| {
        let to = path(dir.path(), &format!("restored-{n}"));
        let words = [&["restore", &vault, "--to", &to, "--json"], more].concat();
        (to.clone(), answer(&words))
    };
    // Within the second stretch: the first user is there, the second not yet.
    let position = positions[1] + 17;
    let (to, answered) = restored(1, &["--position", &position.to_string()]);
    assert_eq!(
        (&answered["position"], &answered["replayed"]),
        (&position.into(), &17.into())
    );
    assert_eq!(answered["point"], 2);
    let below = format!("journal_position < {position}");
    assert_eq!(count(&to, "true"), count(&city, &below));
    assert!(text(&std::fs::read(format!("{to}/records.sqlite")).unwrap()).contains("user1"));
    assert!(!text(&std::fs::read(format!("{to}/records.sqlite")).unwrap()).contains("user2"));
    // It serves, takes messages at positions that were given once to others, and is sound.
    let again = Server::start(&to);
    Device::start(&again, &credential, 900, 910).wait(910);
    drop(again);
    done(&["check", &to]);
    assert!(levels(&to).contains(&level(909)));

    let told = refused(&["backup", &to, "--to", &vault]);
    assert!(told.contains("before it was restored"), "{told}");

    // By time: the moment at which a message within the first stretch was received.
    let sql = format!(
        "SELECT received_at AS n FROM observations WHERE attribute = 'waterLevel' AND value_number = {}",
        level(20)
    );
    let time = figure(&city, &sql).as_str().unwrap().to_owned();
    let (to, answered) = restored(2, &["--at", &time]);
    assert_eq!(answered["point"], 1);
    assert_eq!(levels(&to).len(), 21);
    // Exactly at a point, and the newest.
    let (to, answered) = restored(3, &["--position", &positions[1].to_string()]);
    assert_eq!(answered["replayed"], 0);
    assert_eq!(levels(&to).len(), 40);
    let (to, _) = restored(4, &[]);
    assert_eq!(levels(&to).len(), 80);
    // What cannot be: told with what can.
    let none = path(dir.path(), "none");
    let beyond = (positions[2] + 1).to_string();
    for (more, word) in [
        (["--position", beyond.as_str()], "and not further"),
        (["--at", "2020-01-01T00:00:00Z"], "cannot be restored"),
        (["--at", "yesterday"], "RFC 3339"),
    ] {
        let told = refused(&[&["restore", &vault, "--to", &none][..], &more].concat());
        assert!(told.contains(word), "{told}");
    }
    assert!(!Path::new(&none).exists());
    drop(server);
}

/// A small disk of its own, when the system lets us have one.
struct Disk(PathBuf);

impl Disk {
    fn new(at: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let words = ["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"];
        let mounted = Command::new("mount").args(words).arg(&at).status();
        mounted.is_ok_and(|s| s.success()).then_some(Self(at))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_costs_the_new_point_alone() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let Some(disk) = Disk::new(dir.path().join("disk"), "2m") else {
        eprintln!("not tested here: mounting a small disk is not allowed");
        return;
    };
    let vault = disk.0.join("vault").display().to_string();
    let first = backup(&city, &vault, &[]);
    let before = files(Path::new(&vault));
    std::fs::create_dir_all(format!("{city}/attachments/ab")).unwrap();
    // Bytes that differ from each other, so that no two chunks are the same.
    let large: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(format!("{city}/attachments/ab/large"), large).unwrap();
    let told = refused(&["backup", &city, "--to", &vault]);
    assert!(told.contains("make room"), "{told}");
    assert!(files(Path::new(&vault)) == before, "the half copy is gone");
    done(&["backup", "verify", &vault]);
    let new = path(dir.path(), "new");
    let restored = answer(&["restore", &vault, "--to", &new, "--json"]);
    assert_eq!(restored["point"], first["point"]);
    // A restore that does not fit leaves nothing either.
    let large = path(dir.path(), "large");
    done(&["backup", &city, "--to", &large]);
    let to = disk.0.join("new").display().to_string();
    let told = refused(&["restore", &large, "--to", &to]);
    assert!(told.contains("make room"), "{told}");
    assert_eq!(std::fs::read_dir(&disk.0).unwrap().count(), 1);
}

#[test]
fn a_city_takes_its_own_backups_and_tells_how_old_the_last_is() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let vault = path(dir.path(), "vault");
    let setting = format!("backup.to={vault}");
    // The first one is made by hand: a folder that is not there may be a disk that is not there.
    let server = Server::start_with(&city, &[&setting]);
    server.wait_for("The first one is made by hand");
    assert!(
        !server
            .get("/metrics")
            .contains("jingling_backup_age_seconds")
    );
    server.kill();
    backup(&city, &vault, &[]);
    std::fs::remove_file(format!("{city}/backup/last.json")).unwrap();
    let server = Server::start_with(&city, &[&setting]);
    server.wait_for("backup taken");
    assert_eq!(
        answer(&["backup", "list", &vault, "--json"])
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert!(
        server
            .get("/metrics")
            .contains("\njingling_backup_age_seconds ")
    );
    assert!(
        server
            .get("/readyz")
            .contains("the last good backup was taken ")
    );
}

#[tokio::test]
async fn a_city_drills_its_backup_when_it_is_time_and_says_what_it_found() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let vault = path(dir.path(), "vault");
    let within = path(dir.path(), "within");
    let drills = Drills {
        program: env!("CARGO_BIN_EXE_jingling").into(),
        folder: Folder::new(Path::new(&city)),
        settings: BackupSettings {
            to: vault.clone(),
            drill_every_days: 7,
            drill_within: within.clone(),
            ..BackupSettings::default()
        },
    };
    let start = Timestamp::from_seconds(1_795_420_800);
    let day = |n: i64| start.plus_seconds(n * 86_400);
    assert_eq!(drills.turn(start).await.unwrap(), None, "no backup yet");
    backup(&city, &vault, &[]);
    let found = drills.turn(start).await.unwrap().unwrap();
    assert!(found.is_good, "{found:?}");
    assert_eq!((found.at, found.point), (start, Some(1)));
    assert!(found.what.contains("journal records"), "{}", found.what);
    assert_eq!(std::fs::read_dir(&within).unwrap().count(), 0);
    assert_eq!(Found::read(&drills.folder), Some(found));
    assert_eq!(drills.turn(day(6)).await.unwrap(), None);
    assert!(drills.turn(day(7)).await.unwrap().unwrap().is_good);
    // A chunk that rots is found, told, and looked for again the next day.
    backup(&city, &vault, &[]);
    let chunks = files(Path::new(&vault));
    let rots = chunks.keys().filter(|path| !path.ends_with(".json"));
    for chunk in rots {
        let file = Path::new(&vault).join(chunk);
        let mut bytes = std::fs::read(&file).unwrap();
        if let Some(byte) = bytes.last_mut() {
            *byte ^= 1;
        }
        std::fs::write(&file, bytes).unwrap();
    }
    let found = drills.turn(day(14)).await.unwrap().unwrap();
    assert!(!found.is_good && !found.what.is_empty(), "{found:?}");
    assert!(
        drills.turn(day(15)).await.unwrap().is_some(),
        "the next day"
    );
    assert_eq!(drills.turn(day(15)).await.unwrap(), None);
    // A city that starts says so, although it makes none itself.
    let server = Server::start(&city);
    let ready = server.get("/readyz");
    assert!(
        ready.contains("the last restore drill was not good"),
        "{ready}"
    );
    assert!(ready.contains("degraded: the backup did not pass its restore drill"));
    let metrics = server.get("/metrics");
    assert!(
        metrics.contains("\njingling_backup_drill_good 0\n"),
        "{metrics}"
    );
    drop(server);
    // A good backup, and a drill that is due by the clock: the city makes it and writes it down.
    std::fs::remove_file(format!("{city}/backup/drill.json")).unwrap();
    let whole = path(dir.path(), "whole");
    backup(&city, &whole, &[]);
    let server = Server::start_with(
        &city,
        &[
            &format!("backup.to={whole}"),
            "backup.drill_every_days=7",
            &format!("backup.drill_within={within}"),
        ],
    );
    server.wait_for("restore drill: ");
    assert!(
        server
            .get("/metrics")
            .contains("\njingling_backup_drill_good 1\n")
    );
    assert!(
        server
            .get("/readyz")
            .contains("the last restore drill was good")
    );
    drop(server);
    let records = Records::open(&drills.folder.records()).await.unwrap();
    let mut connection = records.read().await.unwrap();
    let acts = audit::since(&mut connection, 0, records::Event::BackupDrill, 9).await;
    let acts = acts.unwrap();
    assert_eq!(acts.len(), 1);
    assert_eq!(acts[0].detail["good"], true);
}

#[test]
fn wrong_words_say_what_mends_them() {
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let inside = format!("{city}/backup-here");
    assert!(refused(&["backup", &city, "--to", &inside]).contains("lie in each other"));
    assert!(!Path::new(&inside).exists());
    let nothing = path(dir.path(), "nothing");
    assert!(refused(&["backup", &nothing, "--to", &city]).contains("jingling init"));
    assert!(refused(&["backup", "verify", &nothing]).contains("vault.json"));
    let other = path(dir.path(), "other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(format!("{other}/thesis.doc"), "x").unwrap();
    assert!(refused(&["backup", &city, "--to", &other]).contains("thesis.doc"));
    assert_eq!(jingling(&["backup", &city]).status.code(), Some(2));
    assert_eq!(
        jingling(&["backup", &city, "--to", &nothing, "--keep", "0"])
            .status
            .code(),
        Some(2)
    );
}
