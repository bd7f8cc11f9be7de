//! Dying at every step at which files change hands: after the next start each row is there once, for our
//! queries and for whoever reads the folders.

use crate::publish::crash;
use crate::{Lake, Limits, NoRecords, Options, Upkeep, check};
use model::{
    Accepted, AttributeName, AttributeUpdate, Catalogue, Corrected, Corrector, EntityId,
    HistoryKind, Quality, RollupKind, RollupSpan, Timestamp, TypeName, Update, Value,
};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const START: Timestamp = Timestamp::from_seconds(1_795_420_800);
const DAY_S: i64 = 86_400;

fn options() -> Options {
    let rollups = RollupSpan::ALL.map(|span| (span, RollupKind::default()));
    let history = HistoryKind {
        keep_days: Some(30),
        rollups: rollups.into(),
    };
    Options {
        row_group_rows: 16,
        page_rows: 8,
        replaced_keep: Duration::ZERO,
        history: [("Thing".to_owned(), history)].into(),
        query_threads: 1,
        ..Options::default()
    }
}

/// Message `n`; every fifth is a day late.
fn said(n: u64) -> Accepted {
    let at = START.plus_seconds(n as i64 - if n.is_multiple_of(5) { DAY_S } else { 0 });
    let entity_type = if n.is_multiple_of(3) {
        "Other"
    } else {
        "Thing"
    };
    Accepted {
        door: "mqtt".into(),
        device_id: None,
        address: String::new(),
        received_at: START.plus_seconds(n as i64),
        raw: Vec::new(),
        updates: vec![Update {
            entity_id: EntityId::new(format!("urn:ngsi-ld:{entity_type}:{}", n % 7)).unwrap(),
            entity_type: TypeName::new(entity_type).unwrap(),
            attributes: vec![AttributeUpdate {
                name: AttributeName::new("x").unwrap(),
                value: Value::Number(n as f64),
                unit: None,
                observed_at: at,
                quality: Quality::Good,
            }],
        }],
        retain: false,
    }
}

/// What message `n` corrects instead of saying something of its own, when it does, and whether it only withdraws.
/// Rows of the same seal, of one before, of another day, of one corrected already, and of a file's only row of a type.
const CORRECTIONS: [(u64, u64, bool); 7] = [
    (18, 16, false),
    (29, 5, false),
    (47, 23, true),
    (58, 29, false),
    (67, 41, false),
    (68, 58, true),
    (79, 73, false),
];

/// Message `n` of the journal.
fn take(lake: &Lake, n: u64) {
    match CORRECTIONS.iter().find(|(at, ..)| *at == n) {
        Some((_, supersedes, withdraws)) => {
            lake.apply_corrected(n, &corrected(n, *supersedes, *withdraws));
        }
        None => {
            lake.apply(n, &said(n));
        }
    }
}

fn corrected(n: u64, supersedes: u64, withdraws: bool) -> Corrected {
    // What was corrected keeps its key but for the position.
    let mut first = supersedes;
    while let Some((_, before, _)) = CORRECTIONS.iter().find(|(at, ..)| *at == first) {
        first = *before;
    }
    let mut said = said(first).updates.remove(0);
    let attribute = said.attributes.remove(0);
    Corrected {
        entity_id: said.entity_id,
        entity_type: said.entity_type,
        attribute: attribute.name,
        observed_at: attribute.observed_at,
        supersedes,
        old_value: attribute.value,
        old_unit: None,
        old_quality: Quality::Good,
        value: (!withdraws).then_some(Value::Number(1_000.0 + n as f64)),
        unit: None,
        reason: "a test".into(),
        by: Corrector {
            kind: "user".into(),
            id: "1".into(),
            name: "somebody".into(),
            peer: String::new(),
        },
        received_at: START.plus_seconds(n as i64),
        raw: Vec::new(),
    }
}

fn ask(lake: &Lake, sql: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answer = runtime
        .block_on(lake.query(
            sql,
            &Limits::default(),
            Arc::new(NoRecords),
            &Catalogue::default(),
        ))
        .unwrap();
    format!("{:?}", answer.rows)
}

/// What our own queries say.
fn told(lake: &Lake) -> [String; 3] {
    [
        "SELECT * FROM observations ORDER BY journal_position",
        "SELECT entity_id, bucket_start, count, min, max, round(mean, 6), last FROM observations_1m ORDER BY 1, 2",
        "SELECT entity_id, bucket_start, count, min, max, round(mean, 6), last FROM observations_1d ORDER BY 1, 2",
    ]
    .map(|sql| ask(lake, sql))
}

/// Rows in the folders of `observations`, as others count them.
fn rows_in_folders(dir: &Path) -> u64 {
    let mut rows = 0;
    for folder in fs::read_dir(dir.join("observations")).into_iter().flatten() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let file = File::open(file.unwrap().path()).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            rows += reader.metadata().file_metadata().num_rows() as u64;
        }
    }
    rows
}

/// Does `work` once for each step at which it may die, on a copy of `prepared`, and looks at what is left
/// after the next start. `replayed` is how many messages the journal holds.
fn dies_everywhere(prepared: &Path, replayed: u64, now: Timestamp, work: impl Fn(&Lake)) -> usize {
    let expected = {
        let dir = tempfile::tempdir().unwrap();
        copy(prepared, dir.path());
        let lake = open(dir.path(), replayed);
        told(&lake)
    };
    for step in 0.. {
        let dir = tempfile::tempdir().unwrap();
        copy(prepared, dir.path());
        let lake = open(dir.path(), replayed);
        let survived = crash::at(step, || work(&lake)).is_some();
        // The lake is forgotten as a dead process forgets it: what its destructors would clear stays.
        drop(lake);
        assert_eq!(check(dir.path()), [], "step {step}: no damage to tell of");
        let lake = open(dir.path(), replayed);
        assert_eq!(told(&lake), expected, "step {step}");
        assert_eq!(
            rows_in_folders(dir.path()),
            lake.stats().sealed_rows,
            "step {step}: the folders hold what the manifest says"
        );
        // And the work can be done after all.
        work(&lake);
        while lake.upkeep(now).unwrap().is_some() {}
        assert_eq!(told(&lake), expected, "step {step}, done again");
        assert_eq!(check(dir.path()), [], "step {step}, done again");
        assert_eq!(rows_in_folders(dir.path()), lake.stats().sealed_rows);
        if survived {
            return step;
        }
    }
    unreachable!("the work ends");
}

fn open(dir: &Path, replayed: u64) -> Lake {
    let lake = Lake::open(dir, options()).unwrap();
    for n in lake.sealed_position()..replayed {
        take(&lake, n);
    }
    lake
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

/// A lake with some small files in two days, not yet looked after.
fn prepared(dir: &Path) {
    let lake = Lake::open(dir, options()).unwrap();
    for n in 0..60 {
        take(&lake, n);
        if n % 20 == 19 {
            lake.seal().unwrap();
        }
    }
}

#[test]
fn a_seal_dies_at_every_step() {
    let dir = tempfile::tempdir().unwrap();
    prepared(dir.path());
    let steps = dies_everywhere(dir.path(), 90, START, |lake| {
        lake.seal().unwrap();
    });
    assert!(steps >= 3, "{steps} steps");
}

#[test]
fn upkeep_dies_at_every_step() {
    let dir = tempfile::tempdir().unwrap();
    prepared(dir.path());
    // Quiet, and not yet to be given up.
    let now = START.plus_seconds(5 * DAY_S);
    let mut kinds = Vec::new();
    // One kind of upkeep after the other, each from where the one before left the folder.
    loop {
        let steps = dies_everywhere(dir.path(), 60, now, |lake| {
            lake.upkeep(now).unwrap();
        });
        let lake = Lake::open(dir.path(), options()).unwrap();
        match lake.upkeep(now).unwrap() {
            Some(upkept) => kinds.push((upkept.work, steps)),
            None => break,
        }
    }
    assert!(
        kinds.iter().any(|(w, s)| *w == Upkeep::Strike && *s >= 4),
        "{kinds:?}"
    );
    assert!(
        kinds.iter().any(|(w, s)| *w == Upkeep::Roll && *s >= 3),
        "{kinds:?}"
    );
    assert!(
        kinds.iter().any(|(w, s)| *w == Upkeep::Compact && *s >= 6),
        "{kinds:?}"
    );
}

/// As above, with corrections of what is rolled up already: their step replaces files of several tables at once.
#[test]
fn making_corrections_final_dies_at_every_step() {
    let dir = tempfile::tempdir().unwrap();
    prepared(dir.path());
    let now = START.plus_seconds(5 * DAY_S);
    {
        let lake = open(dir.path(), 60);
        while lake.upkeep(now).unwrap().is_some() {}
        for n in 60..90 {
            take(&lake, n);
        }
        lake.seal().unwrap();
        assert!(lake.stats().struck_rows >= 2);
    }
    let steps = dies_everywhere(dir.path(), 90, now, |lake| {
        if lake.stats().struck_rows > 0 {
            assert_eq!(lake.upkeep(now).unwrap().unwrap().work, Upkeep::Strike);
        }
    });
    assert!(steps >= 12, "{steps} steps");
}

/// Giving up rows is the one work after which the table says less: before or after, nothing between.
#[test]
fn giving_up_dies_at_every_step() {
    let source = tempfile::tempdir().unwrap();
    prepared(source.path());
    {
        let lake = Lake::open(source.path(), options()).unwrap();
        while lake
            .upkeep(START.plus_seconds(5 * DAY_S))
            .unwrap()
            .is_some()
        {}
    }
    let then = START.plus_seconds(60 * DAY_S);
    let counts = "SELECT entity_type, count(*) FROM observations GROUP BY 1 ORDER BY 1";
    for step in 0.. {
        let dir = tempfile::tempdir().unwrap();
        copy(source.path(), dir.path());
        let lake = Lake::open(dir.path(), options()).unwrap();
        let before = ask(&lake, counts);
        let rolled = told(&lake)[1..].to_vec();
        let upkept = crash::at(step, || lake.upkeep(then).unwrap());
        drop(lake);
        assert_eq!(check(dir.path()), [], "step {step}");
        let lake = Lake::open(dir.path(), options()).unwrap();
        assert_eq!(
            told(&lake)[1..],
            rolled,
            "step {step}: rollups keep what was given up"
        );
        while lake.upkeep(then).unwrap().is_some() {}
        let after = ask(&lake, counts);
        assert_ne!(after, before);
        assert!(
            after.contains("Other") && !after.contains("Thing"),
            "{after}"
        );
        assert_eq!(check(dir.path()), [], "step {step}");
        assert_eq!(rows_in_folders(dir.path()), lake.stats().sealed_rows);
        if let Some(upkept) = upkept {
            assert_eq!(upkept.unwrap().work, Upkeep::Expire);
            assert!(step >= 4, "{step} steps");
            return;
        }
    }
}
