//! A department's table on a disk that stops at every step: the table before or the new one, whole, and the
//! new one when it was said to be in; while it is taken away, the whole table or none, and none when it was said
//! to be gone.

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use faults::FolderDisk;
use lake::Disk;
use lake::department::{NewTable, TableSource, check, list, put_on, remove_on};
use model::{Problem, Timestamp};
use std::path::Path;
use std::sync::Arc;

/// Brings in a table of so many rows.
fn bring(disk: &FolderDisk, lake: &Path, rows: i64) -> Result<(), Problem> {
    let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
    let column = Arc::new(Int64Array::from_iter_values(0..rows));
    let batch = RecordBatch::try_new(schema.clone(), vec![column]).expect("one column of numbers");
    let new = NewTable {
        name: "trees".into(),
        title_zh: None,
        title_en: None,
        description: "行道树".into(),
        department: None,
        units: [].into(),
        rows_left_out: 0,
        replaces: true,
        imported_at: Timestamp::from_seconds(1_790_000_000 + rows),
        imported_by: "parks".into(),
        source: TableSource {
            file: "trees.csv".into(),
            format: "csv".into(),
            encoding: None,
            sheet: None,
            bytes: 1,
            sha256: String::new(),
        },
    };
    put_on(disk, lake, new, &schema, [Ok(batch)]).map(|_| ())
}

/// Whether the import that dies at its step `die_at` from now lived.
fn dies(before: i64, die_at: u64, with_power: bool) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = FolderDisk::new(folder.path(), die_at);
    let lake = folder.path().join("lake");
    disk.create_dir_all(&lake).expect("a good disk");
    disk.sync_folder(folder.path()).expect("a good disk");
    for rows in 1..=before {
        bring(&disk, &lake, rows).expect("a good disk");
    }
    disk.stop_at(Some(disk.steps() + die_at));
    let is_in = bring(&disk, &lake, before + 1).is_ok() && !disk.has_stopped();
    disk.heal();
    if with_power {
        disk.lose_power();
    }
    let told = format!("{before} before, dies at {die_at}, power lost: {with_power}");
    let (entries, problems) = list(&lake);
    assert_eq!(problems, [], "{told}");
    assert_eq!(check(&lake), [], "{told}");
    let rows: Vec<u64> = entries.iter().map(|entry| entry.rows).collect();
    let (old, new) = (before as u64, before as u64 + 1);
    assert!(
        rows == [new] || !is_in && (rows == [old] || before == 0 && rows.is_empty()),
        "{told}: {rows:?}"
    );
    is_in
}

#[test]
fn a_table_is_in_or_not_and_never_half() {
    for before in 0..3 {
        for with_power in [false, true] {
            let steps = (1..).find(|die_at| dies(before, *die_at, with_power));
            assert!(steps.is_some_and(|steps| steps > 6), "{steps:?}");
        }
    }
}

/// Whether the removal that dies at its step `die_at` lived.
fn removal_dies(die_at: u64, with_power: bool) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = FolderDisk::new(folder.path(), die_at);
    let lake = folder.path().join("lake");
    disk.create_dir_all(&lake).expect("a good disk");
    disk.sync_folder(folder.path()).expect("a good disk");
    for rows in 1..=2 {
        bring(&disk, &lake, rows).expect("a good disk");
    }
    disk.stop_at(Some(disk.steps() + die_at));
    let was_said = remove_on(&disk, &lake, "trees").is_ok();
    let lived = was_said && !disk.has_stopped();
    disk.heal();
    if with_power {
        disk.lose_power();
    }
    let told = format!("dies at {die_at}, power lost: {with_power}");
    let (entries, problems) = list(&lake);
    assert_eq!(problems, [], "{told}");
    // A table that is there is whole: its files go after its entry.
    assert_eq!(check(&lake), [], "{told}");
    let rows: Vec<u64> = entries.iter().map(|entry| entry.rows).collect();
    assert!(
        rows.is_empty() || !was_said && rows == [2],
        "{told}: {rows:?}"
    );
    lived
}

#[test]
fn a_table_is_gone_or_there_and_never_half() {
    for with_power in [false, true] {
        let steps = (1..).find(|die_at| removal_dies(*die_at, with_power));
        assert!(steps.is_some_and(|steps| steps > 3), "{steps:?}");
    }
}
