//! Backups of a city with damaged files, and drills without room, with the real binary: damage is told, takes no good copy's
//! place, and does not keep the rest from being copied and coming back; a drill does not fill a disk.

use crate::harmed::{City, jingling, text, until};
use jingling::backup::drill::drill;
use jingling::backup::drills::{Drills, Found};
use jingling::backup::room::{NO_ROOM, Room};
use jingling::folder::Folder;
use jingling::settings::BackupSettings;
use model::{Problem, Timestamp};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use testkit::folder::files;
use vault::Key;

/// A city with a file of history, a department's table, and a journal of more than one segment; it does not run.
struct Filled {
    city: City,
    place: tempfile::TempDir,
    history: String,
    table: String,
    segment: String,
}

fn filled() -> Filled {
    let city = City::new();
    let place = tempfile::tempdir().unwrap();
    let running = city.serve(&["journal.segment_mib=17", "lake.seal_minutes=0"]);
    for well in 0..5 {
        assert_eq!(running.report(well), 201);
    }
    for _ in 0..5 {
        running.connect().unwrap().letter();
    }
    assert_eq!(running.report(9), 201);
    until("the seal", || {
        (running.metric("jingling_lake_sealed_position ") > 10).then_some(())
    });
    running.stop();
    let file = place.path().join("towns.csv");
    std::fs::write(&file, "镇,人口\n竟陵,180000\n皂市,92000\n").unwrap();
    let words = ["import", &name(&city.dir), &name(&file), "--table", "towns"];
    let imported = jingling(&words);
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    let one = |folder: &str, end: &str| {
        let paths = files(&city.dir);
        let mut found = paths
            .into_keys()
            .filter(|path| path.starts_with(folder) && path.ends_with(end));
        found.next().unwrap()
    };
    Filled {
        history: one("lake/observations/", ".parquet"),
        table: one("lake/tables/", ".parquet"),
        segment: one("journal/", ".seg"),
        city,
        place,
    }
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

impl Filled {
    fn at(&self, path: &str) -> PathBuf {
        self.city.dir.join(path)
    }

    fn beside(&self, path: &str) -> String {
        name(&self.place.path().join(path))
    }

    fn rot(&self, path: &str) {
        let mut bytes = std::fs::read(self.at(path)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(self.at(path), bytes).unwrap();
    }

    /// Takes a backup; gives whether its exit status was 0, and its answer.
    fn backup(&self, vault: &str, more: &[&str]) -> (bool, Json) {
        let dir = name(&self.city.dir);
        ran(&[&["backup", &dir, "--to", vault, "--json"][..], more].concat())
    }
}

/// Runs a command that answers in JSON, also when it fails.
fn ran(words: &[&str]) -> (bool, Json) {
    let output = jingling(words);
    let told = text(&output.stderr);
    assert!(output.status.code() <= Some(1), "{words:?}: {told}");
    let answer = serde_json::from_slice(&output.stdout);
    let answer = answer.unwrap_or_else(|_| panic!("{words:?}: {told}"));
    (output.status.success(), answer)
}

/// The damaged files of an answer, with what the backup has of each.
fn held(answer: &Json) -> BTreeMap<String, Json> {
    let files = answer["damaged"].as_array().unwrap();
    let each = files.iter().map(|file| {
        let path = file["path"].as_str().unwrap().to_owned();
        (path, file["held"].clone())
    });
    each.collect()
}

#[test]
fn a_byte_that_rots_is_told_and_the_good_copy_of_an_earlier_backup_comes_back() {
    let filled = filled();
    let (vault, new) = (filled.beside("vault"), filled.beside("new"));
    let (sound, first) = filled.backup(&vault, &[]);
    assert!(sound && first["whole"] == true && held(&first).is_empty());
    let good = files(&filled.city.dir);
    let rotten = [&filled.history, &filled.table, &filled.segment];
    for path in rotten {
        filled.rot(path);
    }
    let (sound, second) = filled.backup(&vault, &["--keep", "1"]);
    assert!(!sound, "it is told by the exit status");
    assert_eq!(
        (&second["point"], &second["whole"]),
        (&json!(2), &json!(true))
    );
    let wanted = rotten.map(|path| (path.clone(), json!({"good_copy_of": 1})));
    assert_eq!(held(&second), BTreeMap::from(wanted));
    for file in second["damaged"].as_array().unwrap() {
        assert!(file["mend"].as_str().unwrap().contains(&vault), "{file}");
        assert!(!file["what"].as_str().unwrap().is_empty());
    }
    // For people too.
    let told = jingling(&["backup", &name(&filled.city.dir), "--to", &vault]);
    assert_eq!(told.status.code(), Some(1));
    let told = text(&told.stderr);
    for path in rotten {
        assert!(told.contains(path.as_str()), "{told}");
    }
    assert!(told.contains("3 files of the city are damaged"), "{told}");

    // The first point is gone; what it had of those files is not.
    let listed = ran(&["backup", "list", &vault, "--json"]).1;
    let points: Vec<&Json> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["point"])
        .collect();
    assert_eq!(points, [2, 3]);
    let (sound, verified) = ran(&["backup", "verify", &vault, "--json"]);
    assert!(sound, "{verified}");
    assert_eq!(verified["damaged"][0]["files"].as_array().unwrap().len(), 3);
    let (sound, drilled) = ran(&["backup", "drill", &vault, "--reserve-mib", "0", "--json"]);
    assert!(sound, "{drilled}");
    assert_eq!(drilled["differences"], json!([]));
    let (_, restored) = ran(&["restore", &vault, "--to", &new, "--json"]);
    assert_eq!(held(&restored).len(), 3);
    let came = files(Path::new(&new));
    for path in rotten {
        assert!(
            came[path] == good[path],
            "{path} came back as it was written"
        );
    }
    assert!(jingling(&["check", &new]).status.success());

    // The city says it until a backup finds all whole.
    let running = filled.city.serve(&[]);
    let ready = running.get("/readyz").1;
    assert!(
        ready.contains(&format!(
            "degraded: a backup found a damaged file: {}",
            filled.history
        )),
        "{ready}"
    );
    assert!(running.metric("jingling_notices ") >= 3);
    let notices = running.json("/api/v1/notices").to_string();
    assert!(notices.contains("backup-damaged-file"), "{notices}");
    running.stop();
    for path in rotten {
        std::fs::write(filled.at(path), &good[path]).unwrap();
    }
    let (sound, mended) = filled.backup(&vault, &[]);
    assert!(sound && held(&mended).is_empty(), "{mended}");
    let running = filled.city.serve(&[]);
    assert!(!running.get("/readyz").1.contains("damaged file"));
}

#[test]
fn without_a_good_copy_the_rest_is_copied_and_comes_back_and_the_damage_is_told_at_every_turn() {
    let filled = filled();
    let (vault, new) = (filled.beside("vault"), filled.beside("new"));
    filled.rot(&filled.history);
    let table = std::fs::read(filled.at(&filled.table)).unwrap();
    std::fs::remove_file(filled.at(&filled.table)).unwrap();
    let (sound, made) = filled.backup(&vault, &[]);
    assert!(!sound && made["whole"] == false);
    let wanted = BTreeMap::from([
        (filled.history.clone(), json!("damaged_bytes")),
        (filled.table.clone(), json!("nothing")),
    ]);
    assert_eq!(held(&made), wanted);
    let listed = ran(&["backup", "list", &vault, "--json"]).1;
    assert_eq!(listed[0]["files_not_whole"], 2);
    let (sound, verified) = ran(&["backup", "verify", &vault, "--json"]);
    assert!(!sound && verified["findings"] == json!([]), "{verified}");
    let (sound, drilled) = ran(&["backup", "drill", &vault, "--reserve-mib", "0", "--json"]);
    assert!(
        !sound && drilled["differences"].as_array().unwrap().len() == 2,
        "{drilled}"
    );

    let (sound, restored) = ran(&["restore", &vault, "--to", &new, "--json"]);
    assert!(sound && held(&restored) == wanted, "{restored}");
    let came = files(Path::new(&new));
    let there = files(&filled.city.dir);
    assert!(came[&filled.history] == there[&filled.history]);
    assert!(!came.contains_key(&filled.table));
    for (path, bytes) in &there {
        if path.starts_with("lake/") && !path.ends_with("lock") {
            assert!(came.get(path) == Some(bytes), "{path}");
        }
    }
    let people = jingling(&["restore", &vault, "--to", &filled.beside("again")]);
    let told = text(&people.stderr);
    assert!(
        told.contains("nothing found but the damaged files"),
        "{told}"
    );
    assert!(
        told.contains(&filled.history) && told.contains(&filled.table),
        "{told}"
    );

    // A segment of the journal that is damaged in every backup does not keep the city from coming back either.
    filled.rot(&filled.segment);
    let (other, third) = (filled.beside("other"), filled.beside("third"));
    let (_, made) = filled.backup(&other, &[]);
    assert_eq!(held(&made)[&filled.segment], "damaged_bytes");
    let (sound, restored) = ran(&["restore", &other, "--to", &third, "--json"]);
    assert!(sound && held(&restored).len() == 3, "{restored}");
    // Put back, all is told as whole again.
    std::fs::write(filled.at(&filled.table), table).unwrap();
    filled.rot(&filled.history);
    let (sound, made) = filled.backup(&vault, &["--keep", "1"]);
    assert_eq!(held(&made).keys().collect::<Vec<_>>(), [&filled.segment]);
    assert!(!sound);
}

#[test]
fn a_city_that_backs_itself_up_tells_damaged_files() {
    let filled = filled();
    let vault = filled.beside("vault");
    assert!(filled.backup(&vault, &[]).0);
    filled.rot(&filled.history);
    std::fs::remove_file(filled.at("backup/last.json")).unwrap();
    let running = filled.city.serve(&[&format!("backup.to={vault}")]);
    until("the notice", || {
        let ready = running.get("/readyz").1;
        ready
            .contains("a backup found a damaged file")
            .then_some(())
    });
    let notice = &running.json("/api/v1/notices")["items"][0];
    assert_eq!(notice["code"], "backup-damaged-file");
    assert_eq!(notice["place"], name(&filled.at(&filled.history)));
    assert!(
        notice["what"]
            .as_str()
            .unwrap()
            .contains("good copy of point 1")
    );
    assert!(
        notice["mend"]
            .as_str()
            .unwrap()
            .contains("jingling restore")
    );
    running.stop();
}

#[tokio::test]
async fn a_drill_that_there_is_no_room_for_is_refused_before_it_writes_a_byte() {
    let filled = filled();
    let vault = filled.beside("vault");
    assert!(filled.backup(&vault, &[]).0);
    let within = PathBuf::from(filled.beside("within"));
    std::fs::create_dir(&within).unwrap();
    let empty = || std::fs::read_dir(&within).unwrap().count() == 0;
    let bytes = files(&filled.city.dir)
        .values()
        .map(Vec::len)
        .sum::<usize>();
    let drilled = async |room: Room| {
        let progress = Arc::new(|_| {});
        let options = jingling::backup::Options::default();
        drill(
            vault.clone().into(),
            Key::None,
            (&within, room),
            options,
            progress,
        )
        .await
    };
    // The journal alone has 20 MB.
    let error = drilled(Room {
        reserve_bytes: 0,
        free: |_| Ok(20_000_000),
    })
    .await
    .unwrap_err();
    let problem = error.downcast_ref::<Problem>().unwrap();
    assert_eq!(
        (problem.code.as_str(), &problem.place),
        (NO_ROOM, &name(&within))
    );
    assert!(
        problem.what.contains("19.07 MiB are free"),
        "{}",
        problem.what
    );
    assert!(empty());
    // What there is would do, but for what must stay free.
    let reserve_bytes = 1 << 30;
    let free = |_: &Path| Ok(1 << 30);
    assert!(
        drilled(Room {
            reserve_bytes,
            free
        })
        .await
        .is_err()
            && empty()
    );
    let reserve_bytes = (1 << 30) - 2 * bytes as u64;
    let good = drilled(Room {
        reserve_bytes,
        free,
    })
    .await
    .unwrap();
    assert!(good.differences.is_empty() && empty());

    // On the command line and on a schedule the disk itself is asked; nobody has so much room.
    let words = ["backup", "drill", &vault, "--within", &name(&within)];
    let refused = ran(&[&words[..], &["--reserve-mib", "999999999999", "--json"]].concat());
    assert_eq!(
        (refused.0, &refused.1["refused"]["code"]),
        (false, &json!(NO_ROOM))
    );
    let mut drills = Drills {
        program: env!("CARGO_BIN_EXE_jingling").into(),
        folder: Folder::new(&filled.city.dir),
        settings: BackupSettings {
            to: vault.clone(),
            drill_every_days: 7,
            drill_within: name(&within),
            drill_reserve_mib: 999_999_999_999,
            ..BackupSettings::default()
        },
    };
    let day = |n: i64| Timestamp::from_seconds(1_795_420_800).plus_seconds(n * 86_400);
    let found = drills.turn(day(0)).await.unwrap().unwrap();
    assert!(!found.is_good && empty(), "{found:?}");
    assert_eq!(found.refused.as_ref().unwrap().code, NO_ROOM);
    assert!(
        found
            .sentence()
            .contains("no restore drill of the backup was made")
    );
    assert_eq!(Found::read(&drills.folder), Some(found));
    let running = filled.city.serve(&[]);
    let ready = running.get("/readyz").1;
    assert!(
        ready.contains("degraded: no restore drill of the backup was made"),
        "{ready}"
    );
    running.stop();
    drills.settings.drill_reserve_mib = 0;
    let found = drills.turn(day(1)).await.unwrap().unwrap();
    assert!(
        found.is_good && found.refused.is_none() && empty(),
        "{found:?}"
    );

    // A drill that fails half-way leaves nothing, and neither does one that was killed, from the next start on.
    let chunks = files(Path::new(&vault));
    let last = chunks
        .keys()
        .rfind(|path| path.starts_with("chunks/"))
        .unwrap();
    std::fs::write(Path::new(&vault).join(last), "rotten").unwrap();
    let found = drills.turn(day(9)).await.unwrap().unwrap();
    assert!(
        !found.is_good && found.refused.is_none() && empty(),
        "{found:?}"
    );
    let id = std::fs::read_to_string(filled.at("backup/id")).unwrap();
    let left = within.join(format!(
        "jingling-drills-{}/jingling-drill-x/city",
        id.trim()
    ));
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("half"), "a city").unwrap();
    std::fs::create_dir(within.join("somebody-elses")).unwrap();
    drills.clear();
    let stays: Vec<_> = std::fs::read_dir(&within)
        .unwrap()
        .flatten()
        .map(|e| e.file_name())
        .collect();
    assert_eq!(stays, ["somebody-elses"]);
}
