//! Corrections: the superseded row is seen by nobody, its successor is, in memory, in files and after upkeep, by
//! single observations, wide views and rollups alike; and others who read the folder see so after upkeep.

use crate::common::{START, ask, level, levels, message, rolling, upkeep_all, value};
use lake::{HistoryQuery, Lake, Limits, Options, Upkeep, check};
use model::{
    AttributeName, Corrected, Corrector, EntityId, HistoryKind, Quality, RollupKind, RollupSpan,
    Timestamp, TypeName, Value,
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

const DAY_S: i64 = 86_400;
const ROWS: &str = "SELECT journal_position, value_number, quality, door FROM observations \
     WHERE entity_id LIKE '%station-3' ORDER BY observed_at, journal_position";
const MINUTES: &str = "SELECT entity_id, bucket_start, count, min, max, round(mean, 6), last, last_position \
     FROM observations_1m ORDER BY 1, 2";

/// A correction of what `supersedes` said, which was first said by message `n`.
fn correction(n: u64, supersedes: u64, value: Option<f64>) -> Corrected {
    Corrected {
        entity_id: EntityId::new(format!("urn:ngsi-ld:WaterObserved:station-{}", n % 10)).unwrap(),
        entity_type: TypeName::new("WaterObserved").unwrap(),
        attribute: AttributeName::new("waterLevel").unwrap(),
        observed_at: START.plus_seconds(n as i64),
        supersedes,
        old_value: Value::Number(28.0 + n as f64 / 100.0),
        old_unit: Some("MTR".into()),
        old_quality: Quality::Good,
        value: value.map(Value::Number),
        unit: Some("MTR".into()),
        reason: "a test".into(),
        by: Corrector {
            kind: "user".into(),
            id: "1".into(),
            name: "somebody".into(),
            peer: String::new(),
        },
        received_at: START.plus_seconds(10_000),
        raw: Vec::new(),
    }
}

/// Positions of the rows in the folders of `observations`, as others see them.
fn positions_in_files(dir: &Path) -> Vec<i64> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    let mut positions = Vec::new();
    for folder in fs::read_dir(dir.join("observations")).into_iter().flatten() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let file = File::open(file.unwrap().path()).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            let rows = reader.get_row_iter(None).unwrap();
            positions.extend(rows.map(|row| row.unwrap().get_long(12).unwrap()));
        }
    }
    positions.sort_unstable();
    positions
}

async fn told(lake: &Lake) -> [Json; 4] {
    [
        ask(lake, ROWS).await,
        ask(
            lake,
            "SELECT \"waterLevel\" FROM \"WaterObserved\" WHERE entity_id LIKE '%station-3' ORDER BY observed_at",
        )
        .await,
        ask(lake, MINUTES).await,
        ask(
            lake,
            "SELECT count(*), min(value_number), max(value_number) FROM observations",
        )
        .await,
    ]
}

#[tokio::test]
async fn a_row_gives_way_wherever_it_is() {
    // In memory; in a file; in a file whose rollups are made; each is the same to who asks.
    let mut answers = Vec::new();
    for stage in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open(dir.path(), rolling()).unwrap();
        lake.apply_batch(&levels(0, 40));
        if stage > 0 {
            lake.seal().unwrap();
        }
        if stage > 1 {
            upkeep_all(&lake, START);
        }
        assert_eq!(lake.apply_corrected(40, &correction(13, 13, Some(5.5))), 1);
        assert_eq!(lake.apply_corrected(41, &correction(23, 23, None)), 0);
        assert_eq!(
            lake.apply_corrected(41, &correction(3, 3, None)),
            0,
            "taken"
        );
        let now = told(&lake).await;
        assert_eq!(
            now[0],
            json!([
                [3, 28.03, "good", "mqtt"],
                [40, 5.5, "corrected", "correction"],
                [33, 28.33, "good", "mqtt"]
            ])
        );
        assert_eq!(now[1], json!([[28.03], [5.5], [28.33]]));
        assert_eq!(now[3], json!([[39, 5.5, 28.39]]));
        answers.push(now.clone());

        // Then it is sealed, and upkeep makes it final.
        lake.seal().unwrap();
        assert_eq!(told(&lake).await, now, "stage {stage}, sealed");
        assert_eq!(lake.stats().struck_rows, if stage > 0 { 2 } else { 0 });
        assert_eq!(check(dir.path()), []);
        let done = upkeep_all(&lake, START);
        assert_eq!(done.contains(&Upkeep::Strike), stage > 0, "{done:?}");
        assert_eq!(told(&lake).await, now, "stage {stage}, looked after");
        assert_eq!(lake.stats().struck_rows, 0);
        let left: Vec<i64> = (0..41).filter(|n| *n != 13 && *n != 23).collect();
        assert_eq!(positions_in_files(dir.path()), left);
        assert_eq!(check(dir.path()), []);
        drop(lake);
        let lake = Lake::open(dir.path(), rolling()).unwrap();
        assert_eq!(
            lake.sealed_position(),
            42,
            "also what only withdraws is sealed"
        );
        assert_eq!(told(&lake).await, now, "stage {stage}, opened again");
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test]
async fn a_corrected_value_is_corrected_again() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), rolling()).unwrap();
    lake.apply_batch(&levels(0, 40));
    lake.seal().unwrap();
    lake.apply_corrected(40, &correction(13, 13, Some(5.5)));
    lake.apply_corrected(41, &correction(13, 40, Some(6.5)));
    lake.seal().unwrap();
    lake.apply_corrected(42, &correction(13, 41, Some(7.5)));
    let expected = json!([
        [3, 28.03, "good", "mqtt"],
        [42, 7.5, "corrected", "correction"],
        [23, 28.23, "good", "mqtt"],
        [33, 28.33, "good", "mqtt"]
    ]);
    assert_eq!(ask(&lake, ROWS).await, expected);
    lake.seal().unwrap();
    upkeep_all(&lake, START);
    assert_eq!(ask(&lake, ROWS).await, expected);
    let wanted = HistoryQuery {
        entity_id: EntityId::new("urn:ngsi-ld:WaterObserved:station-3").unwrap(),
        attribute: AttributeName::new("waterLevel").unwrap(),
        from: Some(START.plus_seconds(13)),
        to: Some(START.plus_seconds(13).plus_micros(1)),
        limit: 10,
    };
    let points = lake.history(&wanted, &Limits::default()).await.unwrap();
    assert_eq!(points.points.len(), 1);
    assert_eq!(points.points[0].quality, "corrected");
    assert_eq!(points.points[0].entity_type, "WaterObserved");
    // Only one correction supersedes an observation.
    assert_eq!(lake.apply_corrected(43, &correction(13, 42, None)), 0);
    assert_eq!(lake.apply_corrected(44, &correction(13, 42, Some(1.0))), 0);
    assert_eq!(check(dir.path()), []);
}

#[tokio::test]
async fn the_columns_asked_for_do_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), rolling()).unwrap();
    lake.apply_batch(&levels(0, 40));
    lake.apply_corrected(40, &correction(13, 13, Some(5.5)));
    let count = "SELECT count(*) FROM observations";
    assert_eq!(ask(&lake, count).await, json!([[40]]), "in memory");
    drop(lake);
    let lake = Lake::open(dir.path(), rolling()).unwrap();
    lake.apply_batch(&levels(0, 40));
    lake.seal().unwrap();
    lake.apply_corrected(40, &correction(13, 13, Some(5.5)));
    for (sql, expected) in [
        (count, json!([[40]])),
        (
            "SELECT max(journal_position), min(value_number) FROM observations",
            json!([[40, 5.5]]),
        ),
        (
            "SELECT value_number FROM observations WHERE journal_position = 13",
            json!([]),
        ),
        (
            "SELECT quality FROM observations WHERE value_number BETWEEN 28.125 AND 28.135",
            json!([]),
        ),
        (
            "SELECT unit FROM observations WHERE entity_id = 'urn:ngsi-ld:WaterObserved:station-3' \
             AND observed_at = TIMESTAMP '2026-11-23T08:00:13Z'",
            json!([["MTR"]]),
        ),
        (
            "SELECT count(*) FROM (SELECT door FROM observations LIMIT 39)",
            json!([[39]]),
        ),
        (
            "SELECT last(value_number, observed_at) FROM observations \
             WHERE entity_id LIKE '%station-3' AND observed_at < TIMESTAMP '2026-11-23T08:00:14Z'",
            json!([[5.5]]),
        ),
    ] {
        assert_eq!(ask(&lake, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn a_day_of_the_citys_clock_is_counted_anew_from_both_its_halves() {
    let rollups = RollupSpan::ALL.map(|span| (span, RollupKind::default()));
    let options = Options {
        history: [(
            "WaterObserved".to_owned(),
            HistoryKind {
                keep_days: Some(30),
                rollups: rollups.into(),
            },
        )]
        .into(),
        day_offset_seconds: 28_800,
        ..crate::common::options()
    };
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options).unwrap();
    // One day in the city: 17:00 on the 22nd to 15:00 on the 23rd, UTC.
    let times = [
        "2026-11-22T17:00:00Z",
        "2026-11-23T08:00:03Z",
        "2026-11-23T15:00:00Z",
    ];
    for (n, at) in (0..).zip(times) {
        let at = Timestamp::parse(at).unwrap();
        let number = Value::Number(n as f64);
        let said = message(
            "WaterObserved",
            "station-3",
            at,
            vec![value("waterLevel", number, at)],
        );
        lake.apply(n, &said);
    }
    lake.seal().unwrap();
    upkeep_all(&lake, START);
    let days = "SELECT bucket_start, count, min, max, last FROM observations_1d";
    let day = "2026-11-22T16:00:00Z";
    assert_eq!(ask(&lake, days).await, json!([[day, 3, 0.0, 2.0, 2.0]]));
    let mut wrong = correction(3, 1, Some(9.0));
    wrong.old_value = Value::Number(1.0);
    lake.apply_corrected(3, &wrong);
    let expected = json!([[day, 3, 0.0, 9.0, 2.0]]);
    assert_eq!(ask(&lake, days).await, expected);
    // The half from the 22nd is not given up while the day has to be counted from it.
    let over = START.plus_seconds(30 * DAY_S);
    let done = upkeep_all(&lake, over);
    assert!(!done.contains(&Upkeep::Expire), "{done:?}");
    lake.seal().unwrap();
    assert_eq!(lake.upkeep(over).unwrap().unwrap().work, Upkeep::Strike);
    assert_eq!(ask(&lake, days).await, expected);
    let done = upkeep_all(&lake, over);
    assert!(done.contains(&Upkeep::Expire), "{done:?}");
    assert_eq!(ask(&lake, days).await, expected);
    assert_eq!(check(dir.path()), []);

    let at = START.plus_seconds(3);
    assert!(lake.is_correctable("WaterObserved", at, START.plus_seconds(28 * DAY_S)));
    assert!(!lake.is_correctable("WaterObserved", at, START.plus_seconds(29 * DAY_S)));
    assert!(lake.is_correctable("Streetlight", at, START.plus_seconds(900 * DAY_S)));
}

#[tokio::test]
async fn corrections_wait_for_upkeep_up_to_a_limit() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        struck_rows_max: 2,
        ..rolling()
    };
    let lake = Lake::open(dir.path(), options).unwrap();
    lake.apply_batch(&levels(0, 40));
    lake.seal().unwrap();
    lake.apply_corrected(40, &correction(13, 13, Some(5.5)));
    assert!(lake.takes_corrections());
    lake.apply_corrected(41, &correction(14, 14, None));
    assert!(!lake.takes_corrections());
    // The seal says that upkeep has something to take out, and a seal of what is corrected in memory does not.
    assert_eq!(lake.seal().unwrap().unwrap().struck, 2);
    upkeep_all(&lake, START);
    assert!(lake.takes_corrections());
    lake.apply_batch(&levels(42, 44));
    lake.apply_corrected(44, &correction(42, 42, Some(5.5)));
    assert_eq!(lake.seal().unwrap().unwrap().struck, 0);
}

/// One observation in the naive model.
#[derive(Clone, Debug)]
struct Row {
    n: u64,
    value: f64,
    quality: &'static str,
}

#[derive(Clone, Debug)]
enum Step {
    /// Take so many messages more.
    Apply(u64),
    /// Correct one of those there are, or withdraw it.
    Correct(prop::sample::Index, Option<f64>),
    Seal,
    Upkeep,
    /// Stop, start, and replay from the sealed position.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop::option::weighted(0.8, (0..1_000_i32).prop_map(|n| f64::from(n) / 8.0));
    prop_oneof![
        3 => (1..30_u64).prop_map(Step::Apply),
        5 => (any::<prop::sample::Index>(), value).prop_map(|(at, value)| Step::Correct(at, value)),
        2 => Just(Step::Seal),
        3 => Just(Step::Upkeep),
        1 => Just(Step::Restart),
    ]
}

/// What lies in the journal.
#[derive(Clone, Debug)]
enum Said {
    Level(u64),
    Correction(Box<Corrected>),
}

fn follow(lake: &Lake, journal: &[Said]) {
    let from = lake.stats().position_next;
    for (position, said) in (0_u64..).zip(journal).skip(from as usize) {
        match said {
            Said::Level(n) => lake.apply(position, &level(*n)),
            Said::Correction(corrected) => lake.apply_corrected(position, corrected),
        };
    }
}

/// The rows, and count, least, greatest and mean of each series and minute.
fn naive(model: &BTreeMap<u64, Row>) -> Json {
    let rows: Vec<Json> = (model.iter())
        .map(|(position, row)| json!([position, row.value, row.quality]))
        .collect();
    let mut minutes: BTreeMap<(u64, i64), Vec<f64>> = BTreeMap::new();
    for row in model.values() {
        let start = START.micros() / 60_000_000 * 60_000_000;
        let minute = start + row.n as i64 / 60 * 60_000_000;
        minutes
            .entry((row.n % 10, minute))
            .or_default()
            .push(row.value);
    }
    let minutes: Vec<Json> = (minutes.into_iter())
        .map(|((station, minute), values)| {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let id = format!("urn:ngsi-ld:WaterObserved:station-{station}");
            let start = Timestamp::from_micros(minute).to_string();
            json!([
                id,
                start,
                values.len(),
                least,
                greatest,
                (mean * 1e9).round() / 1e9
            ])
        })
        .collect();
    json!([rows, minutes])
}

fn table(lake: &Lake) -> Json {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ask = |sql| runtime.block_on(ask(lake, sql));
    json!([
        ask(
            "SELECT journal_position, value_number, quality FROM observations ORDER BY journal_position"
        ),
        ask(
            "SELECT entity_id, bucket_start, count, min, max, round(mean, 9) FROM observations_1m ORDER BY 1, 2"
        ),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn corrections_in_any_order_are_what_the_naive_model_says(steps in prop::collection::vec(step(), 0..40)) {
        let dir = tempfile::tempdir().unwrap();
        let mut lake = Lake::open(dir.path(), rolling()).unwrap();
        let mut journal: Vec<Said> = Vec::new();
        let mut model: BTreeMap<u64, Row> = BTreeMap::new();
        let mut next = 0;
        for step in steps {
            match step {
                Step::Apply(count) => for _ in 0..count {
                    let value = 28.0 + next as f64 / 100.0;
                    model.insert(journal.len() as u64, Row { n: next, value, quality: "good" });
                    journal.push(Said::Level(next));
                    next += 1;
                },
                Step::Correct(at, value) => {
                    if model.is_empty() {
                        continue;
                    }
                    let (&supersedes, row) = model.iter().nth(at.index(model.len())).unwrap();
                    let n = row.n;
                    model.remove(&supersedes);
                    if let Some(value) = value {
                        model.insert(journal.len() as u64, Row { n, value, quality: "corrected" });
                    }
                    journal.push(Said::Correction(Box::new(correction(n, supersedes, value))));
                }
                Step::Seal => {
                    lake.seal().unwrap();
                }
                Step::Upkeep => {
                    lake.upkeep(START.plus_seconds(7 * DAY_S)).unwrap();
                }
                Step::Restart => {
                    drop(lake);
                    lake = Lake::open(dir.path(), rolling()).unwrap();
                }
            }
            follow(&lake, &journal);
        }
        prop_assert_eq!(table(&lake), naive(&model));
        prop_assert_eq!(check(dir.path()), []);
        lake.seal().unwrap();
        upkeep_all(&lake, START.plus_seconds(7 * DAY_S));
        prop_assert_eq!(table(&lake), naive(&model));
        prop_assert_eq!(check(dir.path()), []);
        let left: Vec<i64> = model.keys().map(|p| *p as i64).collect();
        prop_assert_eq!(positions_in_files(dir.path()), left);
    }
}
