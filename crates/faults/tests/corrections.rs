//! Corrections of history on a simulated disk: the process dies at every step of it, with and without power. Of an
//! observation and its correction a query sees exactly one, whatever is in memory, in files and in rollups (I22).

use faults::FolderDisk;
use lake::{Lake, Limits, NoRecords, Options, check};
use model::{
    Accepted, AttributeName, AttributeUpdate, Catalogue, Corrected, Corrector, EntityId,
    HistoryKind, Problem, Quality, RollupKind, RollupSpan, Timestamp, TypeName, Update, Value,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const START: Timestamp = Timestamp::from_seconds(1_795_420_800);
const DAY_S: i64 = 86_400;
/// The journal ends here.
const END: u64 = 90;
/// The process dies at each of so many steps, with and without power in turn: an odd number.
const STRIDE: u64 = 15;
/// Behind these positions all is sealed and looked after.
const SEALS: [u64; 2] = [60, END];

fn options(disk: &FolderDisk) -> Options {
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
        disk: disk.shared(),
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

/// What queries say, of observations and of rollups.
fn told(lake: &Lake) -> [String; 3] {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    [
        "SELECT * FROM observations ORDER BY journal_position",
        "SELECT entity_id, bucket_start, count, min, max, round(mean, 6), last FROM observations_1m ORDER BY 1, 2",
        "SELECT entity_id, bucket_start, count, min, max, round(mean, 6), last FROM observations_1d ORDER BY 1, 2",
    ]
    .map(|sql| {
        let (limits, catalogue) = (Limits::default(), Catalogue::default());
        let answer = lake.query(sql, &limits, Arc::new(NoRecords), &catalogue);
        format!("{:?}", runtime.block_on(answer).unwrap().rows)
    })
}

/// Lives until the journal's end: takes what history does not have yet, seals and looks after it.
fn live(dir: &Path, disk: &FolderDisk) -> Result<Lake, Problem> {
    let now = START.plus_seconds(5 * DAY_S);
    let lake = Lake::open(dir, options(disk))?;
    for n in lake.sealed_position()..=END {
        if SEALS.contains(&n) {
            lake.seal()?;
            while lake.upkeep(now)?.is_some() {}
        }
        if n < END {
            take(&lake, n);
        }
    }
    Ok(lake)
}

fn folder(seed: u64) -> (tempfile::TempDir, std::path::PathBuf, FolderDisk) {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    let folder = folder.unwrap();
    let (dir, disk) = (
        folder.path().join("lake"),
        FolderDisk::new(folder.path(), seed),
    );
    (folder, dir, disk)
}

#[test]
fn corrections_survive_a_death_at_every_fifteenth_step() {
    deaths(STRIDE);
}

#[test]
#[ignore = "takes minutes of every processor: make sim"]
fn corrections_survive_a_death_at_every_step() {
    deaths(1);
}

fn deaths(stride: u64) {
    for can_exchange in [true, false] {
        let (_folder, dir, disk) = folder(1);
        disk.set_can_exchange(can_exchange);
        let lake = live(&dir, &disk).unwrap();
        let expected = told(&lake);
        assert!(
            expected[0].contains("1018") && !expected[0].contains("1047"),
            "a correction and a withdrawal: {}",
            expected[0]
        );
        assert_eq!(lake.stats().struck_rows, 0, "all are final");
        drop(lake);
        let steps = disk.steps();
        assert!(steps > 100, "{steps}");
        let next = AtomicU64::new(1);
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    loop {
                        let die_at = next.fetch_add(stride, Ordering::Relaxed);
                        if die_at > steps {
                            return;
                        }
                        dies(can_exchange, die_at, die_at.is_multiple_of(2), &expected);
                    }
                });
            }
        });
    }
}

fn dies(can_exchange: bool, die_at: u64, loses_power: bool, expected: &[String; 3]) {
    let place = format!("exchange {can_exchange}, step {die_at}, power lost {loses_power}");
    let (_folder, dir, disk) = folder(die_at);
    disk.set_can_exchange(can_exchange);
    disk.stop_at(Some(die_at));
    drop(live(&dir, &disk));
    assert!(disk.has_stopped(), "{place}");
    disk.stop_at(None);
    if loses_power {
        disk.lose_power();
    }
    if dir.join("manifest.json").exists() {
        assert_eq!(check(&dir), [], "{place}");
    }
    // What the journal brings again into memory, and what is in files: together each once.
    let lake = Lake::open(&dir, options(&disk)).expect(&place);
    for n in lake.sealed_position()..END {
        take(&lake, n);
    }
    assert_eq!(told(&lake)[0], expected[0], "{place}");
    drop(lake);
    let lake = live(&dir, &disk).expect(&place);
    assert_eq!(&told(&lake), expected, "{place}");
    assert_eq!(check(&dir), [], "{place}");
}
