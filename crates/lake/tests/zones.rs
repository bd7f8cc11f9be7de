//! Questions of a zone: the clock is read in it, columns keep their type, files are still told by their times, and views
//! of the lake's own stay what they are.

use crate::common::{Cases, catalogue, levels, options, rolling};
use lake::{Lake, Limits, Question};
use std::sync::Arc;

/// The answer as CSV without its head.
async fn ask(lake: &Lake, sql: &str, zone: Option<&str>) -> String {
    let question = Question {
        sql,
        parameters: Vec::new(),
        tables: Arc::new(Cases::default()),
        catalogue: &catalogue(),
        zone: zone.map(Into::into),
    };
    let mut answer = lake
        .query_stream(question, &Limits::default())
        .await
        .unwrap_or_else(|problem| panic!("{sql}: {problem}"));
    let mut lines = Vec::new();
    while let Some(batch) = answer.next().await {
        let batch = batch.unwrap_or_else(|problem| panic!("{sql}: {problem}"));
        let columns: Vec<Vec<serde_json::Value>> = batch
            .columns()
            .iter()
            .map(|column| lake::json_values(column).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns
                .iter()
                .map(|column| column[row].to_string().replace('"', ""))
                .collect();
            lines.push(cells.join(","));
        }
    }
    lines.join("\n")
}

#[tokio::test]
async fn clocks_are_read_in_the_zone() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    lake.apply_batch(&levels(0, 1_000));
    lake.seal().unwrap();
    let day = "SELECT date_trunc('day', min(observed_at)) FROM observations";
    let before = "SELECT count(*) FROM observations WHERE observed_at < '2026-11-23 16:00:10'";
    for (sql, zone, expected) in [
        (day, None, "2026-11-23T00:00:00Z"),
        (day, Some("UTC"), "2026-11-23T00:00:00Z"),
        (day, Some("Asia/Shanghai"), "2026-11-22T16:00:00Z"),
        (day, Some("+05:30"), "2026-11-22T18:30:00Z"),
        (day, Some("America/New_York"), "2026-11-23T05:00:00Z"),
        (before, None, "1000"),
        (before, Some("Asia/Shanghai"), "10"),
    ] {
        assert_eq!(ask(&lake, sql, zone).await, expected, "{sql} {zone:?}");
    }
}

#[tokio::test]
async fn files_are_told_by_their_times() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    lake.apply_batch(&levels(0, 1_000));
    lake.seal().unwrap();
    let zone = Some("Asia/Shanghai");
    for bound in [
        "observed_at >= '2026-11-24 00:00:00'",
        "observed_at >= DATE '2026-11-24'",
        "observed_at >= TIMESTAMP '2026-11-24 00:00:00'",
        "DATE '2026-11-24' <= observed_at",
        "observed_at BETWEEN DATE '2026-11-24' AND DATE '2026-11-25'",
    ] {
        let sql = format!("EXPLAIN SELECT count(*) FROM observations WHERE {bound}");
        let plan = ask(&lake, &sql, zone).await;
        // 2026-11-23T16:00:00Z; after all rows of the only file.
        assert!(plan.contains("1795449600000000, Some("), "{bound}\n{plan}");
        assert!(!plan.contains(".parquet"), "{bound}\n{plan}");
    }
}

#[tokio::test]
async fn rollups_and_wide_views_stay() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), rolling()).unwrap();
    lake.apply_batch(&levels(0, 1_000));
    lake.seal().unwrap();
    lake.apply_batch(&levels(1_000, 2_000));
    // The last digits of a mean depend on the order in which threads come to its parts.
    let rounded = "* REPLACE (round(mean, 6) AS mean)";
    for (table, columns) in [
        ("observations_1m", rounded),
        ("observations_1h", rounded),
        ("observations_1d", rounded),
        ("\"WaterObserved\"", "*"),
    ] {
        let sql = format!("SELECT {columns} FROM {table} ORDER BY 1, 2, 3, 4");
        let plain = ask(&lake, &sql, None).await;
        assert!(!plain.is_empty(), "{table}");
        assert_eq!(ask(&lake, &sql, Some("Asia/Shanghai")).await, plain);
    }
}
