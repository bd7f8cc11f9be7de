//! Department tables: brought in, read by SQL at once, replaced as a whole, and checked.

use crate::common::{Cases, ask, catalogue, options};
use arrow::array::{Float64Array, RecordBatch, StringArray};
use lake::department::{NewTable, TableSource, check, check_name, list, put, remove};
use lake::{ColumnKind, Lake};
use model::{Problem, Timestamp};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

fn new(name: &str, seconds: i64) -> NewTable {
    NewTable {
        name: name.into(),
        title_zh: Some("乡镇名录".into()),
        title_en: None,
        description: "乡镇".into(),
        department: Some("minzheng".into()),
        units: [("数".to_owned(), "万人".to_owned())].into(),
        rows_left_out: 3,
        replaces: true,
        imported_at: Timestamp::from_seconds(seconds),
        imported_by: "wang".into(),
        source: TableSource {
            file: "乡镇.csv".into(),
            format: "csv".into(),
            encoding: Some("GB18030".into()),
            sheet: None,
            bytes: 10,
            sha256: "00".into(),
        },
    }
}

fn batch(names: &[&str]) -> RecordBatch {
    let numbers = Float64Array::from_iter_values((0..names.len()).map(|n| n as f64));
    RecordBatch::try_from_iter([
        ("镇", Arc::new(StringArray::from_iter_values(names)) as _),
        ("数", Arc::new(numbers) as _),
    ])
    .unwrap()
}

fn bring(dir: &Path, name: &str, seconds: i64, rows: &[&str]) -> Result<u64, Problem> {
    let batch = batch(rows);
    put(dir, new(name, seconds), &batch.schema(), [Ok(batch)]).map(|entry| entry.rows)
}

#[tokio::test]
async fn sql_reads_a_table_as_soon_as_it_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    assert_eq!(bring(dir.path(), "towns", 1, &["竟陵", "皂市"]).unwrap(), 2);
    assert_eq!(
        ask(&lake, "SELECT 镇, 数 FROM towns WHERE 数 > 0").await,
        json!([["皂市", 1.0]])
    );
    assert_eq!(
        ask(
            &lake,
            "SELECT count(*) FROM towns JOIN cases ON cases.id = towns.数"
        )
        .await,
        json!([[1]])
    );
    let tables = lake.tables(&catalogue(), &Cases::default());
    let towns = tables.iter().find(|t| t.name == "towns").unwrap();
    assert_eq!(
        (towns.description.as_str(), towns.columns.as_slice()),
        (
            "乡镇",
            [
                ("镇".to_owned(), ColumnKind::Text),
                ("数".to_owned(), ColumnKind::Number)
            ]
            .as_slice()
        )
    );
    // A newer one takes its place; one that fails leaves it.
    bring(dir.path(), "towns", 2, &["岳口"]).unwrap();
    bring(dir.path(), "towns", 3, &["岳口", "张港", "渔薪"]).unwrap();
    let broken = Problem::new("x", "x", "x", "x");
    let failed = put(
        dir.path(),
        new("towns", 4),
        &batch(&[]).schema(),
        [Ok(batch(&["半"])), Err(broken)],
    );
    assert_eq!(failed.unwrap_err().code, "x");
    assert_eq!(ask(&lake, "SELECT count(*) FROM towns").await, json!([[3]]));
    // Not without being told so.
    let kept = NewTable {
        replaces: false,
        ..new("towns", 5)
    };
    let refused = put(dir.path(), kept, &batch(&[]).schema(), [Ok(batch(&["x"]))]);
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, "table-exists");
    assert!(refused.what.contains("乡镇.csv"), "{refused}");
    let entries = lake.department_tables();
    assert_eq!(
        (
            entries[0].title_zh.as_deref(),
            entries[0].department.as_deref(),
            entries[0].columns[1].unit.as_deref(),
            entries[0].rows_left_out
        ),
        (Some("乡镇名录"), Some("minzheng"), Some("万人"), 3)
    );
    // The newest file, the one before it, and the entry.
    let files = std::fs::read_dir(dir.path().join("tables/towns")).unwrap();
    assert_eq!(files.count(), 3);
    assert_eq!(check(dir.path()), []);
    // One of the platform's own names is the platform's.
    bring(dir.path(), "cases", 5, &["x"]).unwrap();
    assert_eq!(ask(&lake, "SELECT count(*) FROM cases").await, json!([[2]]));
}

#[tokio::test]
async fn damage_is_found_and_hurts_no_other_table() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    for name in ["a", "b", "c"] {
        bring(dir.path(), name, 1, &["竟陵"]).unwrap();
    }
    let file = dir.path().join("tables/a/1000000.parquet");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    std::fs::write(dir.path().join("tables/b/table.json"), "{").unwrap();
    let codes: Vec<String> = check(dir.path()).into_iter().map(|p| p.code).collect();
    assert_eq!(codes, ["table-entry-damaged", "table-file-damaged"]);
    assert_eq!(lake::check(dir.path()).len(), 2);
    assert_eq!(ask(&lake, "SELECT count(*) FROM c").await, json!([[1]]));
    let told = crate::common::problem(&lake, "SELECT * FROM a").await;
    assert_eq!(told.code, "lake-file-checksum");
    assert_eq!(told.place, file.display().to_string());
    assert!(told.mend.contains("import the table again"), "{told}");
    assert_eq!(
        crate::common::problem(&lake, "SELECT * FROM b").await.code,
        "sql-table-unknown"
    );
}

#[tokio::test]
async fn a_table_that_is_taken_away_is_gone_with_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    for name in ["towns", "roads"] {
        bring(dir.path(), name, 1, &["竟陵"]).unwrap();
        bring(dir.path(), name, 2, &["竟陵", "皂市"]).unwrap();
    }
    let entry = remove(dir.path(), "towns").unwrap().unwrap();
    assert_eq!((entry.name.as_str(), entry.rows), ("towns", 2));
    let gone = crate::common::problem(&lake, "SELECT * FROM towns").await;
    assert_eq!(gone.code, "sql-table-unknown");
    assert!(!dir.path().join("tables/towns").exists());
    assert_eq!(ask(&lake, "SELECT count(*) FROM roads").await, json!([[2]]));
    assert_eq!(
        (check(dir.path()), lake::check(dir.path())),
        (vec![], vec![])
    );
    for (name, code) in [
        ("towns", "table-unknown"),
        ("cases", "table-unknown"),
        ("../tables/roads", "table-name"),
        ("", "table-name"),
    ] {
        let told = remove(dir.path(), name).unwrap_err();
        assert_eq!(told.code, code, "{name}: {told}");
        assert!(told.is_translated(), "{told}");
    }
    // A damaged entry is mended by taking the table away; one of a newer program is that program's.
    let place = dir.path().join("tables/roads/table.json");
    std::fs::write(&place, "{\"version\": 99}").unwrap();
    let newer = remove(dir.path(), "roads").unwrap_err();
    assert_eq!(newer.code, "table-entry-version");
    std::fs::write(&place, "{").unwrap();
    assert_eq!(remove(dir.path(), "roads").unwrap(), None);
    assert!(!dir.path().join("tables/roads").exists());
    // The name is free again.
    bring(dir.path(), "towns", 3, &["岳口"]).unwrap();
    assert_eq!(ask(&lake, "SELECT count(*) FROM towns").await, json!([[1]]));
}

#[test]
fn what_a_cut_off_removal_left_goes_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    bring(dir.path(), "roads", 1, &["竟陵"]).unwrap();
    bring(dir.path(), "towns", 1, &["竟陵"]).unwrap();
    std::fs::remove_file(dir.path().join("tables/towns/table.json")).unwrap();
    Lake::open(dir.path(), options()).unwrap();
    assert!(!dir.path().join("tables/towns").exists());
    let (entries, problems) = list(dir.path());
    assert_eq!((entries.len(), problems), (1, vec![]));
}

#[test]
fn names_are_plain_and_free() {
    for good in ["towns", "乡镇", "dept_2026"] {
        check_name(good).unwrap();
    }
    for bad in [
        "",
        "Towns",
        "2026",
        "a b",
        "a/b",
        "..",
        "pg_class",
        "information_schema_x",
        "observations",
        &"x".repeat(64),
    ] {
        assert_eq!(check_name(bad).unwrap_err().code, "table-name", "{bad}");
    }
}

#[test]
fn every_version_of_an_entry_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("tables/towns");
    std::fs::create_dir_all(&place).unwrap();
    let path = place.join("table.json");
    for (text, title, unit) in [
        (include_str!("../fixtures/table-v1.json"), None, None),
        (
            include_str!("../fixtures/table-v2.json"),
            Some("乡镇名录"),
            Some("万人"),
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let (entries, problems) = list(dir.path());
        assert_eq!(problems, []);
        let entry = &entries[0];
        assert_eq!(
            (entry.name.as_str(), entry.rows, entry.columns.len()),
            ("towns", 2, 2)
        );
        assert_eq!(entry.source.encoding.as_deref(), Some("GB18030"));
        assert_eq!(
            (entry.title_zh.as_deref(), entry.columns[1].unit.as_deref()),
            (title, unit)
        );
    }
    std::fs::write(&path, "{\"version\": 3}").unwrap();
    assert_eq!(list(dir.path()).1[0].code, "table-entry-version");
}
