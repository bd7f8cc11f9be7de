//! Upkeep in the background: whatever it does to files, the tables say the same.

use crate::common::{
    CENSUS, START, ask, level, levels, message, options, rolling, upkeep_all, value,
};
use lake::{GivenUp, Lake, Options, Upkeep, check};
use model::{HistoryKind, Quality, RollupKind, RollupSpan, Timestamp, Value};
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ALL: &str = "SELECT * FROM observations ORDER BY journal_position, attribute";
const DAY_S: i64 = 86_400;

fn parquet_files(dir: &Path, table: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(folders) = fs::read_dir(dir.join(table)) else {
        return found;
    };
    for folder in folders {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            found.push(file.unwrap().path());
        }
    }
    found.sort();
    found
}

/// Seals every `step` messages.
fn seal_in_steps(lake: &Lake, to: u64, step: usize) {
    for from in (0..to).step_by(step) {
        lake.apply_batch(&levels(from, to.min(from + step as u64)));
        lake.seal().unwrap();
    }
}

#[tokio::test]
async fn many_small_files_become_one_and_the_table_stays() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    seal_in_steps(&lake, 160, 20);
    let before = ask(&lake, ALL).await;
    let upkept = lake.upkeep(START).unwrap().unwrap();
    assert_eq!(
        (upkept.work, upkept.files, upkept.files_written, upkept.rows),
        (Upkeep::Compact, 8, 1, 160)
    );
    assert_eq!(ask(&lake, ALL).await, before);
    assert_eq!(lake.stats().files, 1);
    assert_eq!(lake.upkeep(START).unwrap(), None, "replaced files are kept");
    assert_eq!(parquet_files(dir.path(), "observations").len(), 1);
    assert_eq!(lake.stats().replaced_files, 8);
    let later = START.plus_seconds(600);
    assert_eq!(lake.upkeep(later).unwrap().unwrap().work, Upkeep::Forget);
    assert_eq!(
        fs::read_dir(dir.path().join("replaced")).unwrap().count(),
        0
    );
    assert_eq!(check(dir.path()), []);
    drop(lake);
    let lake = Lake::open(dir.path(), options()).unwrap();
    assert_eq!(ask(&lake, ALL).await, before);
}

#[tokio::test]
async fn a_quiet_folder_is_brought_together_but_not_for_a_few_rows() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    seal_in_steps(&lake, 100, 50);
    assert_eq!(lake.upkeep(START).unwrap(), None, "two files wait for more");
    let later = START.plus_seconds(DAY_S);
    assert_eq!(lake.upkeep(later).unwrap().unwrap().work, Upkeep::Compact);
    lake.apply(100, &level(100));
    lake.seal().unwrap();
    assert_eq!(lake.upkeep(later).unwrap(), None, "one row stays by itself");
    assert_eq!(lake.stats().files, 2);
    assert_eq!(ask(&lake, CENSUS).await, json!([[101, 101, 0, 100]]));
}

#[tokio::test]
async fn large_results_are_cut_into_files_that_do_not_overlap() {
    let dir = tempfile::tempdir().unwrap();
    let small = Options {
        file_rows_max: 60,
        ..options()
    };
    let lake = Lake::open(dir.path(), small).unwrap();
    seal_in_steps(&lake, 160, 20);
    let before = ask(&lake, ALL).await;
    let upkept = lake.upkeep(START).unwrap().unwrap();
    assert_eq!(upkept.files_written, 3, "60, 60 and 40 rows");
    assert_eq!(ask(&lake, ALL).await, before);
    assert_eq!(check(dir.path()), []);
}

#[tokio::test]
async fn what_others_laid_in_a_folder_stays() {
    for with_folder in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open(dir.path(), options()).unwrap();
        seal_in_steps(&lake, 160, 20);
        let day = dir.path().join("observations/day=2026-11-23");
        fs::write(day.join("notes.txt"), "mine").unwrap();
        if with_folder {
            // Such a folder cannot change places with another; files are replaced one by one.
            fs::create_dir(day.join("notes")).unwrap();
            fs::write(day.join("notes/a.txt"), "mine too").unwrap();
        }
        assert_eq!(lake.upkeep(START).unwrap().unwrap().work, Upkeep::Compact);
        assert_eq!(fs::read(day.join("notes.txt")).unwrap(), b"mine");
        assert_eq!(day.join("notes/a.txt").exists(), with_folder);
        let files = fs::read_dir(&day).unwrap();
        let is_parquet = |f: &fs::DirEntry| f.path().extension().is_some_and(|e| e == "parquet");
        assert_eq!(files.map(Result::unwrap).filter(is_parquet).count(), 1);
        assert_eq!(ask(&lake, CENSUS).await, json!([[160, 160, 0, 159]]));
        assert_eq!(check(dir.path()), []);
    }
}

/// Readers of other processes know the manifest of before; what it lists is still found.
#[tokio::test]
async fn a_reader_keeps_the_files_it_knows() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    seal_in_steps(&lake, 160, 20);
    let reader = Lake::open_read_only(dir.path(), options()).unwrap();
    assert_eq!(lake.upkeep(START).unwrap().unwrap().work, Upkeep::Compact);
    assert_eq!(ask(&reader, CENSUS).await, json!([[160, 160, 0, 159]]));
    assert_eq!(reader.upkeep(START).unwrap_err().code, "lake-read-only");
}

/// Rows and positions of a folder as any other engine sees them: by its file names. Tried again when a
/// file went away between listing and opening, which a foreign engine tells as an error.
fn seen_by_others(folder: &Path) -> Option<Vec<i64>> {
    'again: for _ in 0..1_000 {
        let mut positions = Vec::new();
        let Ok(files) = fs::read_dir(folder) else {
            return None;
        };
        let files: Vec<PathBuf> = files.map(|f| f.unwrap().path()).collect();
        for file in files {
            let Ok(file) = fs::File::open(file) else {
                continue 'again;
            };
            let reader = SerializedFileReader::new(file).unwrap();
            for row in reader.get_row_iter(None).unwrap() {
                positions.push(row.unwrap().get_column_iter().last().map_or(
                    -1,
                    |(_, v)| match v {
                        parquet::record::Field::Long(position) => *position,
                        other => panic!("{other:?}"),
                    },
                ));
            }
        }
        positions.sort_unstable();
        return Some(positions);
    }
    panic!("the folder never stood still");
}

/// Whatever the threads' order: our own queries see a prefix, each row once, and so does who reads the folder.
#[tokio::test]
async fn every_row_is_seen_once_while_files_are_replaced() {
    const MESSAGES: u64 = 1_500;
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(
        dir.path(),
        Options {
            replaced_keep: Duration::ZERO,
            ..rolling()
        },
    )
    .unwrap();
    let lake = &lake;
    let folder = dir.path().join("observations/day=2026-11-23");
    let done = std::sync::atomic::AtomicBool::new(false);
    let done = &done;
    let is_done = || done.load(std::sync::atomic::Ordering::Acquire);
    std::thread::scope(|threads| {
        let writing = threads.spawn(move || {
            for from in (0..MESSAGES).step_by(30) {
                lake.apply_batch(&levels(from, from + 30));
                lake.seal().unwrap();
            }
        });
        let upkeep = threads.spawn(move || {
            let mut steps = 0;
            while !is_done() {
                steps += usize::from(lake.upkeep(START).unwrap().is_some());
            }
            steps
        });
        let others = threads.spawn(move || {
            let mut seen = 0;
            while !is_done() {
                if let Some(positions) = seen_by_others(&folder) {
                    let whole: Vec<i64> = (0..positions.len() as i64).collect();
                    assert_eq!(positions, whole, "each row once, a prefix of the journal");
                    assert!(positions.len() >= seen, "rows never go away");
                    seen = positions.len();
                }
            }
        });
        let runtime = tokio::runtime::Handle::current();
        let asking = threads.spawn(move || {
            runtime.block_on(async {
                while !is_done() {
                    let rows = ask(lake, CENSUS).await;
                    let count = rows[0][0].as_u64().unwrap();
                    if count > 0 {
                        assert_eq!(rows, json!([[count, count, 0, count - 1]]));
                    }
                    let rolled = ask(lake, "SELECT sum(count) FROM observations_1m").await;
                    assert!(rolled[0][0].as_u64().unwrap_or(0) >= count, "{rolled}");
                }
            });
        });
        let written = writing.join();
        done.store(true, std::sync::atomic::Ordering::Release);
        written.unwrap();
        assert!(upkeep.join().unwrap() > 3);
        others.join().unwrap();
        asking.join().unwrap();
    });
    upkeep_all(lake, START);
    assert_eq!(
        ask(lake, CENSUS).await,
        json!([[MESSAGES, MESSAGES, 0, MESSAGES - 1]])
    );
    assert_eq!(check(dir.path()), []);
}

/// A lake as version 1 of the layout wrote it; never change the fixture, add another beside it.
#[tokio::test]
async fn a_lake_of_layout_1_is_read_and_moves_to_days_of_observation() {
    let dir = tempfile::tempdir().unwrap();
    copy(
        &PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/lake-v1"),
        dir.path(),
    );
    let read_only = Lake::open_read_only(dir.path(), rolling()).unwrap();
    let before = ask(&read_only, ALL).await;
    assert_eq!(before.as_array().unwrap().len(), 54);
    drop(read_only);
    let lake = Lake::open(dir.path(), rolling()).unwrap();
    assert_eq!(lake.sealed_position(), 27);
    let by_minute = "SELECT * FROM observations_1m ORDER BY entity_id, bucket_start";
    let rolled = ask(&lake, by_minute).await;
    lake.apply(27, &level(27));
    lake.seal().unwrap();
    assert_eq!(upkeep_all(&lake, START)[..2], [Upkeep::Place; 2]);
    let days: Vec<String> = fs::read_dir(dir.path().join("observations"))
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    assert_eq!(days, ["day=2026-11-21", "day=2026-11-22", "day=2026-11-23"]);
    let after = ask(&lake, ALL).await;
    assert_eq!(
        after.as_array().unwrap()[..54],
        before.as_array().unwrap()[..]
    );
    assert_eq!(check(dir.path()), []);
    let fewer = format!("SELECT * FROM ({by_minute}) WHERE last_position < 27");
    assert_eq!(
        ask(&lake, &fewer).await.as_array().unwrap().len(),
        rolled.as_array().unwrap().len()
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What the rollup should say, asked of the observations themselves.
fn by_hand(span: &str) -> String {
    format!(
        "SELECT entity_id, entity_type, attribute, date_bin(INTERVAL '{span}', observed_at) AS bucket_start, \
         count(*), min(value_number), max(value_number), round(avg(value_number), 6), \
         first_value(value_number ORDER BY observed_at DESC, journal_position DESC) \
         FROM observations WHERE value_number IS NOT NULL AND quality NOT IN ('uncertain', 'out_of_range') \
         AND entity_type = 'WaterObserved' GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 4"
    )
}

fn rolled(table: &str) -> String {
    format!(
        "SELECT entity_id, entity_type, attribute, bucket_start, count, min, max, round(mean, 6), last \
         FROM {table} ORDER BY 1, 3, 4"
    )
}

async fn rollups_agree(lake: &Lake) {
    for (table, span) in [
        ("observations_1m", "1 minute"),
        ("observations_1h", "1 hour"),
        ("observations_1d", "1 day"),
    ] {
        let expected = ask(lake, &by_hand(span)).await;
        assert!(!expected.as_array().unwrap().is_empty());
        assert_eq!(ask(lake, &rolled(table)).await, expected, "{table}");
    }
}

#[tokio::test]
async fn rollups_are_right_at_every_moment_and_late_rows_mend_them() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), rolling()).unwrap();
    lake.apply_batch(&levels(0, 200));
    rollups_agree(&lake).await;
    lake.seal().unwrap();
    rollups_agree(&lake).await;
    let done = upkeep_all(&lake, START);
    assert_eq!(done, [Upkeep::Roll]);
    assert_eq!(parquet_files(dir.path(), "observations_1d").len(), 1);
    rollups_agree(&lake).await;

    // Late: into minutes, hours and days long rolled up. One is told again, two are doubtful, one is no number.
    let mut position = 200;
    let mut tell = |at: Timestamp, told: Value, quality: Quality| {
        let mut told = value("waterLevel", told, at);
        told.quality = quality;
        let received_at = START.plus_seconds(DAY_S);
        lake.apply(
            position,
            &message("WaterObserved", "station-3", received_at, vec![told]),
        );
        position += 1;
    };
    tell(START.plus_seconds(13), Value::Number(99.0), Quality::Good);
    tell(
        START.plus_seconds(193),
        Value::Number(-7.0),
        Quality::Simulated,
    );
    tell(
        START.plus_seconds(20),
        Value::Number(1e9),
        Quality::OutOfRange,
    );
    tell(
        START.plus_seconds(21),
        Value::Number(-1e9),
        Quality::Uncertain,
    );
    tell(
        START.plus_seconds(22),
        Value::Text("broken".into()),
        Quality::Good,
    );
    tell(
        START.plus_seconds(-3 * DAY_S),
        Value::Boolean(true),
        Quality::Good,
    );
    rollups_agree(&lake).await;
    lake.seal().unwrap();
    rollups_agree(&lake).await;
    upkeep_all(&lake, START);
    rollups_agree(&lake).await;
    // Parts of one bucket become one row.
    let later = START.plus_seconds(2 * DAY_S);
    assert!(upkeep_all(&lake, later).contains(&Upkeep::Compact));
    rollups_agree(&lake).await;
    assert_eq!(check(dir.path()), []);
    let other = ask(
        &lake,
        "SELECT count(*) FROM observations_1m WHERE entity_type <> 'WaterObserved'",
    );
    assert_eq!(other.await, json!([[0]]));
}

#[tokio::test]
async fn a_rollup_declared_later_gets_what_was_there_before() {
    let dir = tempfile::tempdir().unwrap();
    {
        let lake = Lake::open(dir.path(), options()).unwrap();
        seal_in_steps(&lake, 100, 50);
        assert_eq!(ask(&lake, &rolled("observations_1h")).await, json!([]));
    }
    let lake = Lake::open(dir.path(), rolling()).unwrap();
    rollups_agree(&lake).await;
    assert_eq!(upkeep_all(&lake, START), [Upkeep::Roll]);
    rollups_agree(&lake).await;
}

#[tokio::test]
async fn days_begin_at_the_citys_midnight() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(
        dir.path(),
        Options {
            day_offset_seconds: 28_800,
            ..rolling()
        },
    )
    .unwrap();
    let midnight = Timestamp::parse("2026-01-01T00:00:00+08:00").unwrap();
    for n in 0..4_i64 {
        let at = midnight.plus_seconds(n - 2);
        let told = value("waterLevel", Value::Number(n as f64), at);
        lake.apply(n as u64, &message("WaterObserved", "a", at, vec![told]));
    }
    let days = "SELECT bucket_start, count, mean FROM observations_1d ORDER BY 1";
    let expected = json!([
        ["2025-12-30T16:00:00Z", 2, 0.5],
        ["2025-12-31T16:00:00Z", 2, 2.5]
    ]);
    assert_eq!(ask(&lake, days).await, expected);
    lake.seal().unwrap();
    upkeep_all(&lake, START);
    assert_eq!(ask(&lake, days).await, expected);
    assert_eq!(
        parquet_files(dir.path(), "observations_1d").len(),
        1,
        "one year"
    );
}

#[tokio::test]
async fn what_was_kept_long_enough_is_given_up_type_by_type() {
    let dir = tempfile::tempdir().unwrap();
    let keep = |days| RollupKind {
        keep_days: Some(days),
    };
    let history = HistoryKind {
        keep_days: Some(10),
        rollups: [
            (RollupSpan::Minute, keep(20)),
            (RollupSpan::Hour, RollupKind::default()),
        ]
        .into(),
    };
    let lake = Lake::open(
        dir.path(),
        Options {
            history: [("WaterObserved".to_owned(), history)].into(),
            ..options()
        },
    )
    .unwrap();
    lake.apply_batch(&levels(0, 50));
    let lamp = value("powerState", Value::Text("on".into()), START);
    lake.apply(50, &message("Streetlight", "l", START, vec![lamp]));
    lake.seal().unwrap();
    let counts = "SELECT (SELECT count(*) FROM observations) a, (SELECT count(*) FROM observations_1m) b, \
                  (SELECT sum(count) FROM observations_1h) c";
    assert_eq!(ask(&lake, counts).await, json!([[51, 10, 50]]));
    assert_eq!(upkeep_all(&lake, START), [Upkeep::Roll]);
    // The day of observation ends 16 hours after START; the tenth day after it ends then too.
    let day_end = START.plus_seconds(16 * 3_600);
    let nearly = day_end.plus_micros(10 * DAY_S * 1_000_000 - 1);
    assert_eq!(upkeep_all(&lake, nearly), []);
    let then = day_end.plus_seconds(10 * DAY_S);
    let told = lake.upkeep(then).unwrap().unwrap();
    let given_up = GivenUp {
        table: "observations",
        folder: "day=2026-11-23".into(),
        types: vec!["WaterObserved".into()],
        rows: 50,
    };
    assert_eq!((told.work, told.given_up), (Upkeep::Expire, Some(given_up)));
    assert_eq!(upkeep_all(&lake, then), []);
    assert_eq!(ask(&lake, counts).await, json!([[1, 10, 50]]));
    assert_eq!(check(dir.path()), [], "rows given up are accounted for");
    let then = day_end.plus_seconds(20 * DAY_S);
    assert_eq!(
        upkeep_all(&lake, then)[..2],
        [Upkeep::Forget, Upkeep::Expire]
    );
    assert_eq!(ask(&lake, counts).await, json!([[1, 0, 50]]));
    assert!(!dir.path().join("observations_1m/day=2026-11-23").exists());
    // What comes late for a day that is over is counted in before it goes.
    lake.apply(51, &level(3));
    lake.seal().unwrap();
    upkeep_all(&lake, then);
    assert_eq!(ask(&lake, counts).await, json!([[1, 0, 51]]));
    assert_eq!(check(dir.path()), []);
}

#[tokio::test]
async fn a_damaged_file_is_told_and_does_not_hold_up_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    seal_in_steps(&lake, 160, 20);
    let next_day = |n: u64| {
        let at = START.plus_seconds(DAY_S + n as i64);
        let told = value("waterLevel", Value::Number(n as f64), at);
        message("WaterObserved", "a", at, vec![told])
    };
    for n in 160..176 {
        lake.apply(n, &next_day(n));
        if n % 2 == 1 {
            lake.seal().unwrap();
        }
    }
    let file = &parquet_files(dir.path(), "observations")[2];
    let mut bytes = fs::read(file).unwrap();
    bytes[100] ^= 0xff;
    fs::write(file, bytes).unwrap();
    let problem = lake.upkeep(START).unwrap_err();
    assert_eq!(problem.code, "lake-file-checksum");
    let upkept = lake.upkeep(START).unwrap().unwrap();
    assert_eq!((upkept.work, upkept.rows), (Upkeep::Compact, 16));
    assert_eq!(lake.upkeep(START).unwrap(), None);
    assert_eq!(
        parquet_files(dir.path(), "observations").len(),
        9,
        "nothing was lost"
    );
}

#[tokio::test]
async fn upkeep_that_cannot_write_changes_nothing_and_is_done_later() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    seal_in_steps(&lake, 160, 20);
    let before = ask(&lake, ALL).await;
    let names = parquet_files(dir.path(), "observations");
    // The manifest cannot be written: a folder lies where its temporary file goes.
    fs::create_dir(dir.path().join("manifest.json.tmp")).unwrap();
    assert_eq!(lake.upkeep(START).unwrap_err().code, "lake-io");
    assert_eq!(parquet_files(dir.path(), "observations"), names);
    assert_eq!(ask(&lake, ALL).await, before);
    assert_eq!(check(dir.path()), []);
    fs::remove_dir(dir.path().join("manifest.json.tmp")).unwrap();
    assert_eq!(lake.upkeep(START).unwrap().unwrap().work, Upkeep::Compact);
    assert_eq!(ask(&lake, ALL).await, before);
    for n in 160..170 {
        lake.apply(n, &level(n));
        lake.seal().unwrap();
    }
    lake.stop_upkeep();
    assert_eq!(lake.upkeep(START).unwrap_err().code, "lake-stopping");
    assert_eq!(check(dir.path()), []);
}
