//! A stored file that rotted is named to whoever asks for its rows: nothing is told from it, everything else is, and
//! when it is put back it is read again without a restart.

use crate::common::{START, ask, message, options, problem, value};
use lake::{HistoryQuery, Lake, Limits};
use model::{AttributeName, EntityId, Timestamp, Value};
use serde_json::json;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const DAY_S: i64 = 86_400;
const ALL: &str = "SELECT * FROM observations ORDER BY journal_position";
const NUMBERS: &str = "SELECT count(value_number), sum(value_number) FROM observations";
const SECOND_DAY: &str = "SELECT count(value_number), sum(value_number) FROM observations \
     WHERE observed_at >= TIMESTAMP '2026-11-24T00:00:00Z'";

/// Twenty rows of one day, and of the next; the two files.
fn two_days(dir: &Path) -> [PathBuf; 2] {
    let lake = Lake::open(dir, options()).unwrap();
    for n in 0..40 {
        let at = START.plus_seconds(n % 20 + DAY_S * (n / 20));
        let number = value("waterLevel", Value::Number(n as f64), at);
        let station = format!("station-{}", n % 10);
        lake.apply(
            n as u64,
            &message("WaterObserved", &station, at, vec![number]),
        );
    }
    lake.seal().unwrap();
    let days = ["day=2026-11-23", "day=2026-11-24"];
    days.map(|day| {
        let mut files = fs::read_dir(dir.join("observations").join(day)).unwrap();
        files.next().unwrap().unwrap().path()
    })
}

/// Writes a file that is so many seconds older or newer than any other here.
fn write(path: &Path, bytes: &[u8], seconds: i64) {
    fs::write(path, bytes).unwrap();
    let away = Duration::from_secs(seconds.unsigned_abs());
    let time = match seconds < 0 {
        true => SystemTime::now() - away,
        false => SystemTime::now() + away,
    };
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 4;
    bytes
}

#[tokio::test]
async fn a_rotten_file_is_named_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let [first, _] = two_days(dir.path());
    let good = fs::read(&first).unwrap();
    write(&first, &flipped(&good, good.len() / 3), 0);
    let lake = Lake::open(dir.path(), options()).unwrap();
    for sql in [ALL, NUMBERS] {
        let told = problem(&lake, sql).await;
        assert_eq!(told.code, "lake-file-checksum", "{told:?}");
        assert_eq!(told.place, first.display().to_string());
        assert!(told.mend.contains("from a backup"), "{told:?}");
    }
    // Files that are not needed are not looked at.
    assert_eq!(ask(&lake, SECOND_DAY).await, json!([[20, 590.0]]));
    let history = |from: Option<Timestamp>| {
        let wanted = HistoryQuery {
            entity_id: EntityId::new("urn:ngsi-ld:WaterObserved:station-3").unwrap(),
            attribute: AttributeName::new("waterLevel").unwrap(),
            from,
            to: None,
            limit: 100,
        };
        let lake = &lake;
        async move { lake.history(&wanted, &Limits::default()).await }
    };
    let told = history(None).await.unwrap_err();
    assert_eq!(told.code, "lake-file-checksum");
    let next_day = START.plus_seconds(DAY_S);
    assert_eq!(history(Some(next_day)).await.unwrap().points.len(), 2);
    // New rows come in and are seen.
    let at = START.plus_seconds(2 * DAY_S);
    let number = value("waterLevel", Value::Number(7.0), at);
    lake.apply(40, &message("WaterObserved", "new", at, vec![number]));
    assert_eq!(ask(&lake, SECOND_DAY).await, json!([[21, 597.0]]));
    // Put back from a backup: no restart.
    write(&first, &good, -60);
    assert_eq!(ask(&lake, NUMBERS).await, json!([[41, 787.0]]));
}

#[tokio::test]
async fn whichever_byte_rots_nothing_wrong_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let [first, _] = two_days(dir.path());
    let good = fs::read(&first).unwrap();
    for at in (0..good.len())
        .step_by(good.len() / 60)
        .chain([good.len() - 1])
    {
        fs::write(&first, flipped(&good, at)).unwrap();
        // As a process that was just started.
        let lake = Lake::open_read_only(dir.path(), options()).unwrap();
        let told = problem(&lake, ALL).await;
        assert_eq!(told.code, "lake-file-checksum", "byte {at}: {told:?}");
    }
}

#[tokio::test]
async fn a_file_that_was_read_is_looked_at_again_when_it_changed() {
    let dir = tempfile::tempdir().unwrap();
    let [first, _] = two_days(dir.path());
    let lake = Lake::open(dir.path(), options()).unwrap();
    let before = ask(&lake, ALL).await;
    let good = fs::read(&first).unwrap();
    write(&first, &flipped(&good, 200), 60);
    assert_eq!(problem(&lake, ALL).await.code, "lake-file-checksum");
    // Half a file, and none.
    write(&first, &good[..good.len() / 2], 120);
    assert_eq!(problem(&lake, ALL).await.code, "lake-file-checksum");
    fs::remove_file(&first).unwrap();
    let told = problem(&lake, ALL).await;
    assert_eq!(told.code, "lake-file-missing", "{told:?}");
    assert_eq!(told.place, first.display().to_string());
    assert_eq!(ask(&lake, SECOND_DAY).await, json!([[20, 590.0]]));
    write(&first, &good, 180);
    assert_eq!(ask(&lake, ALL).await, before);
}

#[tokio::test]
async fn what_upkeep_finds_is_told_to_whoever_asks() {
    let dir = tempfile::tempdir().unwrap();
    let [first, _] = two_days(dir.path());
    let lake = Lake::open(dir.path(), crate::common::rolling()).unwrap();
    ask(&lake, ALL).await;
    // It rots below the file system, which sees no change: its time is the same.
    let modified = first.metadata().unwrap().modified().unwrap();
    let good = fs::read(&first).unwrap();
    fs::write(&first, flipped(&good, 200)).unwrap();
    let file = File::options().write(true).open(&first).unwrap();
    file.set_modified(modified).unwrap();
    let now = START.plus_seconds(10 * DAY_S);
    let told = lake.upkeep(now).unwrap_err();
    assert_eq!(told.code, "lake-file-checksum");
    assert_eq!(problem(&lake, ALL).await.code, "lake-file-checksum");
}

#[tokio::test]
async fn many_who_ask_at_once_are_told_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let [_, second] = two_days(dir.path());
    let good = fs::read(&second).unwrap();
    fs::write(&second, flipped(&good, 10)).unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    let asks = (0..12).map(|_| problem(&lake, SECOND_DAY));
    for told in futures::future::join_all(asks).await {
        assert_eq!(told.code, "lake-file-checksum");
        assert_eq!(told.place, second.display().to_string());
    }
}
