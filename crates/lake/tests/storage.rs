//! Rows in memory and in files: each once, whatever is going on, and after every way to stop.

use crate::common::{CENSUS, START, ask, level, levels, message, options, value};
use lake::{Lake, check};
use model::{Timestamp, Value};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(days) = fs::read_dir(dir.join("observations")) else {
        return found;
    };
    for day in days {
        for file in fs::read_dir(day.unwrap().path()).unwrap() {
            found.push(file.unwrap().path());
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn rows_are_seen_in_memory_in_files_and_in_both() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    assert_eq!(ask(&lake, CENSUS).await, json!([[0, 0, null, null]]));
    assert_eq!(lake.apply_batch(&levels(0, 40)), 40);
    assert_eq!(ask(&lake, CENSUS).await, json!([[40, 40, 0, 39]]));
    let sealed = lake.seal().unwrap().unwrap();
    assert_eq!(
        (sealed.sealed_position, sealed.rows, sealed.files),
        (40, 40, 1)
    );
    assert_eq!(lake.sealed_position(), 40);
    assert_eq!(ask(&lake, CENSUS).await, json!([[40, 40, 0, 39]]));
    lake.apply_batch(&levels(40, 55));
    assert_eq!(ask(&lake, CENSUS).await, json!([[55, 55, 0, 54]]));
    assert_eq!(lake.stats().tail_rows, 15);
    assert_eq!(check(dir.path()), []);
}

#[tokio::test]
async fn all_columns_come_back_the_same_from_memory_and_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    let at = START.plus_micros(123_456);
    let place = model::Geometry::Point {
        lon: 113.1,
        lat: 30.6,
    };
    let device = model::EntityId::new("urn:ngsi-ld:Device:7").unwrap();
    let mut said = message(
        "WaterObserved",
        "a",
        START,
        vec![
            value("waterLevel", Value::Number(29.31), at),
            value("flooded", Value::Boolean(true), at),
            value(
                "name",
                Value::Text("汉北河·天门, a name longer than twelve bytes".into()),
                at,
            ),
            value("location", Value::Geometry(place), at),
            value("refDevice", Value::Relationship(device), at),
            value("extra", Value::Json(r#"{"a":[1,2]}"#.into()), at),
            value("gone", Value::Deleted, at),
        ],
    );
    said.updates[0].attributes[0].quality = model::Quality::OutOfRange;
    lake.apply(5, &said);
    let mut unsigned = level(0);
    unsigned.device_id = None;
    lake.apply(6, &unsigned);
    let all = "SELECT * FROM observations ORDER BY journal_position, attribute";
    let in_memory = ask(&lake, all).await;
    expect_test::expect![[r#"
        [
          [
            "urn:ngsi-ld:WaterObserved:a",
            "WaterObserved",
            "waterLevel",
            "2026-11-23T08:00:00.123456Z",
            "2026-11-23T08:00:00Z",
            29.31,
            null,
            null,
            "MTR",
            "out_of_range",
            "urn:ngsi-ld:Device:a",
            "mqtt",
            5
          ],
          [
            "urn:ngsi-ld:WaterObserved:station-0",
            "WaterObserved",
            "waterLevel",
            "2026-11-23T08:00:00Z",
            "2026-11-23T08:00:00Z",
            28.0,
            null,
            null,
            "MTR",
            "good",
            null,
            "mqtt",
            6
          ]
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&json!([in_memory[6], in_memory[7]])).unwrap());
    let values = "SELECT attribute, value_number, value_text, value_json FROM observations \
                  WHERE journal_position = 5 ORDER BY attribute";
    assert_eq!(
        ask(&lake, values).await,
        json!([
            ["extra", null, null, "{\"a\":[1,2]}"],
            ["flooded", 1.0, "true", null],
            ["gone", null, null, null],
            [
                "location",
                null,
                null,
                "{\"type\":\"Point\",\"coordinates\":[113.1,30.6]}"
            ],
            [
                "name",
                null,
                "汉北河·天门, a name longer than twelve bytes",
                null
            ],
            ["refDevice", null, "urn:ngsi-ld:Device:7", null],
            ["waterLevel", 29.31, null, null],
        ])
    );
    lake.seal().unwrap();
    assert_eq!(lake.stats().tail_rows, 0);
    assert_eq!(ask(&lake, all).await, in_memory);
}

#[tokio::test]
async fn positions_taken_before_are_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    lake.apply_batch(&levels(0, 20));
    lake.seal().unwrap();
    lake.apply_batch(&levels(20, 30));
    assert_eq!(lake.apply_batch(&levels(0, 30)), 0);
    assert_eq!(lake.apply(19, &level(19)), 0);
    assert_eq!(lake.apply(29, &level(29)), 0);
    // Positions in between were held by messages that were not understood.
    assert_eq!(lake.apply(35, &level(35)), 1);
    assert_eq!(ask(&lake, CENSUS).await, json!([[31, 31, 0, 35]]));
}

#[tokio::test]
async fn a_seal_that_fails_keeps_its_rows_in_sight_and_the_next_writes_them() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    lake.apply_batch(&levels(0, 20));
    // A file where the folder should be.
    fs::write(dir.path().join("observations"), b"in the way").unwrap();
    let problem = lake.seal().unwrap_err();
    assert_eq!(problem.code, "lake-io");
    // Now the rows are out of the tail and not in files, as in the midst of a seal.
    assert_eq!(ask(&lake, CENSUS).await, json!([[20, 20, 0, 19]]));
    lake.apply_batch(&levels(0, 33));
    assert_eq!(ask(&lake, CENSUS).await, json!([[33, 33, 0, 32]]));
    assert!(lake.should_seal(START), "what waits is to be tried again");
    assert!(lake.seal().is_err());
    assert_eq!(lake.sealed_position(), 0);

    fs::remove_file(dir.path().join("observations")).unwrap();
    assert_eq!(lake.seal().unwrap().unwrap().sealed_position, 20);
    assert_eq!(ask(&lake, CENSUS).await, json!([[33, 33, 0, 32]]));
    assert_eq!(lake.seal().unwrap().unwrap().sealed_position, 33);
    assert_eq!(lake.seal().unwrap(), None);
    assert_eq!(ask(&lake, CENSUS).await, json!([[33, 33, 0, 32]]));
    assert_eq!(check(dir.path()), []);
}

/// Whatever the threads' order, an answer holds a prefix of the journal, each row once.
#[tokio::test]
async fn every_row_is_seen_once_while_others_append_and_seal() {
    const MESSAGES: u64 = 3_000;
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    let lake = &lake;
    let mut seen = 0;
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::scope(|threads| {
        threads.spawn(move || {
            for from in (0..MESSAGES).step_by(50) {
                lake.apply_batch(&levels(from, from + 50));
                lake.seal().unwrap();
            }
            done.send(()).unwrap();
        });
        let runtime = tokio::runtime::Handle::current();
        let asking = threads.spawn(move || {
            runtime.block_on(async {
                let mut seen = 0;
                loop {
                    let last = finished.try_recv().is_ok();
                    let rows = ask(lake, CENSUS).await;
                    let count = rows[0][0].as_u64().unwrap();
                    if count > 0 {
                        assert_eq!(rows, json!([[count, count, 0, count - 1]]));
                    }
                    assert!(count >= seen, "rows never go away");
                    seen = count;
                    if last {
                        return seen;
                    }
                }
            })
        });
        seen = asking.join().unwrap();
    });
    assert_eq!(seen, MESSAGES);
    assert_eq!(lake.sealed_position(), MESSAGES);
    assert_eq!(check(dir.path()), []);
}

#[tokio::test]
async fn whatever_a_crash_leaves_the_next_start_has_every_row_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    {
        let lake = Lake::open(path, options()).unwrap();
        lake.apply_batch(&levels(0, 20));
        lake.seal().unwrap();
    }
    let manifest = fs::read(path.join("manifest.json")).unwrap();
    let sealed = files(path);
    {
        let lake = Lake::open(path, options()).unwrap();
        assert_eq!(lake.sealed_position(), 20);
        lake.apply_batch(&levels(20, 50));
        lake.seal().unwrap();
    }
    // Crash between the file and the manifest: the file is there, the manifest is the old one.
    assert_eq!(files(path).len(), 2);
    fs::write(path.join("manifest.json"), &manifest).unwrap();
    // Crash in the midst of a file and of a manifest.
    let day = sealed[0].parent().unwrap();
    fs::write(day.join("00000000000000000009-000.parquet"), b"PAR1").unwrap();
    fs::create_dir_all(path.join("work")).unwrap();
    fs::write(path.join("work/7.parquet"), b"PAR1").unwrap();
    fs::write(path.join("manifest.json.tmp"), b"{\"version\":").unwrap();
    assert_eq!(check(path), [], "what a crash leaves is no fault");

    let lake = Lake::open(path, options()).unwrap();
    assert_eq!(files(path), sealed, "what the seal left is gone");
    assert_eq!(lake.sealed_position(), 20);
    assert_eq!(ask(&lake, CENSUS).await, json!([[20, 20, 0, 19]]));
    // Replay from the start of the journal, with other boundaries than the first time.
    lake.apply_batch(&levels(0, 64));
    lake.seal().unwrap();
    assert_eq!(ask(&lake, CENSUS).await, json!([[64, 64, 0, 63]]));
    drop(lake);
    let lake = Lake::open(path, options()).unwrap();
    assert_eq!(ask(&lake, CENSUS).await, json!([[64, 64, 0, 63]]));
    assert_eq!(check(path), []);
}

#[test]
fn a_missing_manifest_is_not_taken_for_an_empty_lake() {
    let dir = tempfile::tempdir().unwrap();
    {
        let lake = Lake::open(dir.path(), options()).unwrap();
        lake.apply_batch(&levels(0, 20));
        lake.seal().unwrap();
    }
    fs::remove_file(dir.path().join("manifest.json")).unwrap();
    let problem = Lake::open(dir.path(), options()).err().unwrap();
    assert_eq!(problem.code, "lake-manifest-missing");
    assert_eq!(files(dir.path()).len(), 1, "nothing was removed");
    assert_eq!(check(dir.path())[0].code, "lake-manifest-missing");
}

#[tokio::test]
async fn one_process_writes_and_others_may_read() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    assert_eq!(
        Lake::open(dir.path(), options()).err().unwrap().code,
        "lake-in-use"
    );
    lake.apply_batch(&levels(0, 20));
    lake.seal().unwrap();
    lake.apply_batch(&levels(20, 25));
    let reader = Lake::open_read_only(dir.path(), options()).unwrap();
    assert_eq!(ask(&reader, CENSUS).await, json!([[20, 20, 0, 19]]));
    // The reader replays the rest of the journal for itself.
    reader.apply_batch(&levels(20, 25));
    assert_eq!(ask(&reader, CENSUS).await, json!([[25, 25, 0, 24]]));
    assert_eq!(reader.seal().unwrap_err().code, "lake-read-only");
    let nowhere = Lake::open_read_only(dir.path().join("nowhere"), options());
    assert_eq!(nowhere.err().unwrap().code, "lake-manifest-missing");
}

#[test]
fn a_seal_is_due_by_rows_bytes_and_age() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    assert!(!lake.should_seal(START), "an empty tail needs none");
    lake.apply_batch(&levels(0, 10));
    assert!(!lake.should_seal(START));
    assert!(!lake.should_seal(START.plus_seconds(599)));
    assert!(lake.should_seal(START.plus_seconds(600)));
    lake.seal().unwrap();
    assert!(!lake.should_seal(START.plus_seconds(601)));
    // Old messages that are replayed do not count as held for long.
    lake.apply(10, &level(10));
    assert!(!lake.should_seal(START.plus_seconds(10_000)));
    lake.apply_batch(&levels(11, 110));
    assert!(lake.should_seal(START.plus_seconds(10_001)), "100 rows");

    let dir = tempfile::tempdir().unwrap();
    let small = lake::Options {
        seal_bytes: 4_000,
        ..options()
    };
    let lake = Lake::open(dir.path(), small).unwrap();
    let text = Value::Text("x".repeat(5_000));
    lake.apply(
        0,
        &message("Note", "a", START, vec![value("text", text, START)]),
    );
    assert!(lake.should_seal(START));
}

#[tokio::test]
async fn files_lie_by_the_day_of_observation() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    let midnight = Timestamp::parse("2026-11-24T00:00:00Z").unwrap();
    for n in 0..20 {
        // Received late: the folder follows the time of observation.
        let observed_at = midnight.plus_seconds(n - 10);
        let level = value("waterLevel", Value::Number(n as f64), observed_at);
        let received_at = START.plus_seconds(10 * 86_400);
        lake.apply(
            n as u64,
            &message("WaterObserved", "a", received_at, vec![level]),
        );
    }
    assert_eq!(lake.seal().unwrap().unwrap().files, 2);
    let relative: Vec<String> = files(dir.path())
        .iter()
        .map(|f| f.strip_prefix(dir.path()).unwrap().display().to_string())
        .collect();
    assert_eq!(
        relative,
        [
            "observations/day=2026-11-23/00000000000000000001-000.parquet",
            "observations/day=2026-11-24/00000000000000000001-001.parquet",
        ]
    );
    assert_eq!(ask(&lake, CENSUS).await, json!([[20, 20, 0, 19]]));
    assert_eq!(check(dir.path()), []);
}

#[tokio::test]
async fn check_finds_every_kind_of_damage() {
    let whole = tempfile::tempdir().unwrap();
    {
        let lake = Lake::open(whole.path(), options()).unwrap();
        for to in [20, 40, 60] {
            lake.apply_batch(&levels(to - 20, to));
            lake.seal().unwrap();
        }
    }
    assert_eq!(check(whole.path()), []);
    let manifest_path = whole.path().join("manifest.json");
    let manifest = fs::read_to_string(&manifest_path).unwrap();
    let second = files(whole.path())[1].clone();
    let bytes = fs::read(&second).unwrap();
    let found = || -> Vec<String> { check(whole.path()).into_iter().map(|f| f.code).collect() };

    let mut flipped = bytes.clone();
    flipped[100] ^= 1;
    fs::write(&second, flipped).unwrap();
    assert_eq!(found(), ["lake-file-checksum"]);
    assert!(
        check(whole.path())[0]
            .place
            .ends_with(&second.file_name().unwrap().display().to_string())
    );
    fs::write(&second, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(found(), ["lake-file-size"]);
    fs::remove_file(&second).unwrap();
    assert_eq!(found(), ["lake-file-missing"]);
    fs::write(&second, &bytes).unwrap();
    assert_eq!(found(), [""; 0]);

    let edited = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut json: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        edit(&mut json);
        fs::write(&manifest_path, json.to_string()).unwrap();
        found()
    };
    assert_eq!(
        edited(&|m| m["files"][1]["rows"] = json!(21)),
        ["lake-file-rows", "lake-rows-missing"]
    );
    assert_eq!(
        edited(&|m| m["files"][1]["position_last"] = json!(38)),
        ["lake-file-positions"]
    );
    assert_eq!(
        edited(&|m| {
            m["files"].as_array_mut().unwrap().remove(1);
        }),
        ["lake-rows-missing", "lake-file-unlisted"]
    );
    assert_eq!(
        edited(&|m| m["sealed_position"] = json!(59)),
        ["lake-positions-outside"]
    );
    assert_eq!(
        edited(&|m| {
            let twice = m["files"][0].clone();
            m["files"].as_array_mut().unwrap().push(twice);
        }),
        ["lake-rows-missing", "lake-file-twice"]
    );
    assert_eq!(
        edited(&|m| m["version"] = json!(7)),
        ["lake-manifest-version"]
    );
}
