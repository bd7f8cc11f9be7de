//! Functions over time. What DuckDB has too gives what DuckDB 2.0 gives for the same rows (its statements
//! stand beside the answers); the rest is checked by hand-computed answers.

use crate::common::{ask, options, problem};
use lake::{Lake, Limits};
use serde_json::json;
use std::sync::Arc;

fn lake(dir: &tempfile::TempDir) -> Lake {
    Lake::open(dir.path(), options()).unwrap()
}

/// Series `a` with a gap and a restart, `b` with one point, `c` with none.
const S: &str = "(VALUES ('a', TIMESTAMP '2026-11-23 08:00:00', 10.0), ('a', TIMESTAMP '2026-11-23 08:01:00', 14.0), \
     ('a', TIMESTAMP '2026-11-23 08:02:00', NULL), ('a', TIMESTAMP '2026-11-23 08:03:00', 3.0), \
     ('a', TIMESTAMP '2026-11-23 08:04:30', 9.0), ('b', TIMESTAMP '2026-11-23 08:00:30', 7.0), ('b', NULL, 100.0), \
     ('c', TIMESTAMP '2026-11-23 08:00:00', NULL)) AS s(e, t, v)";

#[tokio::test]
async fn time_bucket_counts_from_where_duckdb_does() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    // DuckDB: SELECT time_bucket(INTERVAL w, t) for these three times.
    let times = [
        "2026-11-23 08:03:21.5",
        "1999-12-31 23:59:59",
        "2024-02-29 12:00:00",
    ];
    for (width, expected) in [
        (
            "5 minutes",
            [
                "2026-11-23T08:00:00",
                "1999-12-31T23:55:00",
                "2024-02-29T12:00:00",
            ],
        ),
        (
            "7 minutes",
            [
                "2026-11-23T08:03:00",
                "1999-12-31T23:56:00",
                "2024-02-29T12:00:00",
            ],
        ),
        (
            "1 hour",
            [
                "2026-11-23T08:00:00",
                "1999-12-31T23:00:00",
                "2024-02-29T12:00:00",
            ],
        ),
        (
            "1 day",
            [
                "2026-11-23T00:00:00",
                "1999-12-31T00:00:00",
                "2024-02-29T00:00:00",
            ],
        ),
        (
            "1 week",
            [
                "2026-11-23T00:00:00",
                "1999-12-27T00:00:00",
                "2024-02-26T00:00:00",
            ],
        ),
        (
            "10 days",
            [
                "2026-11-22T00:00:00",
                "1999-12-24T00:00:00",
                "2024-02-26T00:00:00",
            ],
        ),
        (
            "1 month",
            [
                "2026-11-01T00:00:00",
                "1999-12-01T00:00:00",
                "2024-02-01T00:00:00",
            ],
        ),
        (
            "3 months",
            [
                "2026-10-01T00:00:00",
                "1999-10-01T00:00:00",
                "2024-01-01T00:00:00",
            ],
        ),
        (
            "1 year",
            [
                "2026-01-01T00:00:00",
                "1999-01-01T00:00:00",
                "2024-01-01T00:00:00",
            ],
        ),
    ] {
        for (time, expected) in times.iter().zip(expected) {
            for width in [format!("INTERVAL '{width}'"), format!("'{width}'")] {
                let sql = format!("SELECT time_bucket({width}, TIMESTAMP '{time}')");
                assert_eq!(ask(&lake, &sql).await, json!([[expected]]), "{sql}");
            }
        }
    }
}

#[tokio::test]
async fn time_bucket_groups_observations_and_takes_an_origin() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    lake.apply_batch(&crate::common::levels(0, 100));
    assert_eq!(
        ask(&lake, "SELECT time_bucket('30 seconds', observed_at) AS bucket, count(*) FROM observations GROUP BY 1 ORDER BY 1").await,
        json!([
            ["2026-11-23T08:00:00Z", 30],
            ["2026-11-23T08:00:30Z", 30],
            ["2026-11-23T08:01:00Z", 30],
            ["2026-11-23T08:01:30Z", 10]
        ])
    );
    // A day in Tianmen begins at 16:00 UTC.
    assert_eq!(
        ask(&lake, "SELECT DISTINCT time_bucket('1 day', observed_at, TIMESTAMP '2000-01-03 00:00:00+08') FROM observations").await,
        json!([["2026-11-22T16:00:00Z"]])
    );
    for (call, code) in [
        ("time_bucket('0 seconds', observed_at)", "sql-plan"),
        ("time_bucket('-5 minutes', observed_at)", "sql-plan"),
        ("time_bucket('1 month 1 day', observed_at)", "sql-plan"),
        ("time_bucket(observed_at)", "sql-plan"),
        ("time_bucket('1 day', value_number)", "sql-plan"),
    ] {
        let told = problem(&lake, &format!("SELECT {call} FROM observations")).await;
        assert_eq!(told.code, code, "{call}: {told}");
    }
}

#[tokio::test]
async fn first_and_last_are_by_time() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    // DuckDB: SELECT e, arg_min(v, t), arg_max(v, t) FROM s GROUP BY e ORDER BY e
    assert_eq!(
        ask(
            &lake,
            &format!("SELECT e, first(v, t), last(v, t) FROM {S} GROUP BY e ORDER BY e")
        )
        .await,
        json!([["a", 10.0, 9.0], ["b", 7.0, 7.0], ["c", null, null]])
    );
    lake.apply_batch(&crate::common::levels(0, 100));
    assert_eq!(
        ask(&lake, "SELECT last(value_number, observed_at), last(value_number, observed_at) FILTER (WHERE journal_position < 50) FROM observations").await,
        json!([[28.99, 28.49]])
    );
    assert_eq!(
        ask(&lake, "SELECT count(*), sum(l) FROM (SELECT entity_id, last(value_number, observed_at) AS l FROM observations GROUP BY 1)").await,
        json!([[10, 289.45]])
    );
}

#[tokio::test]
async fn counters_rise_and_restart() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    // DuckDB: with lag() over each series; delta is the last less the first, a fall counts as a rise from 0.
    assert_eq!(
        ask(
            &lake,
            &format!(
                "SELECT e, delta(v, t), increase(v, t), rate(v, t) FROM {S} GROUP BY e ORDER BY e"
            )
        )
        .await,
        json!([
            ["a", -1.0, 13.0, 0.04814814814814815],
            ["b", null, null, null],
            ["c", null, null, null]
        ])
    );
    // Many groups and partitions: the parts of a group are put together in the order of time.
    lake.apply_batch(&crate::common::levels(0, 1_000));
    assert_eq!(
        ask(&lake, "SELECT count(*), min(i), max(i), max(r) FROM (SELECT entity_id, round(increase(value_number, observed_at), 6) AS i, round(rate(value_number, observed_at), 6) AS r FROM observations GROUP BY 1)").await,
        json!([[10, 9.9, 9.9, 0.01]])
    );
    assert_eq!(
        problem(&lake, "SELECT rate(door, observed_at) FROM observations")
            .await
            .code,
        "sql-plan"
    );
    // What is kept counts towards the memory of the query.
    let limits = Limits {
        memory_bytes_max: 1 << 20,
        ..Limits::default()
    };
    let greedy = "SELECT rate(a.value_number + b.value_number, a.observed_at) FROM observations a, observations b";
    let told = lake
        .query(
            greedy,
            &limits,
            Arc::new(lake::NoRecords),
            &crate::common::catalogue(),
        )
        .await
        .unwrap_err();
    assert_eq!(told.code, "sql-memory");
}

#[tokio::test]
async fn gaps_are_filled_over_buckets() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    // DuckDB: SELECT b, last_value(v IGNORE NULLS) OVER (ORDER BY b), fill(v) OVER (ORDER BY b) over the same buckets;
    // its fill() goes on beyond the first and the last point, interpolate() does not.
    let sql = format!(
        "SELECT bucket, locf(v) OVER (ORDER BY bucket), interpolate(v, bucket) OVER (ORDER BY bucket) \
         FROM buckets('2026-11-23 07:59:00', '2026-11-23 08:06:00', '1 minute') \
         LEFT JOIN (SELECT time_bucket('1 minute', t) AS b, avg(v) AS v FROM {S} WHERE e = 'a' GROUP BY 1) ON b = bucket ORDER BY bucket"
    );
    assert_eq!(
        ask(&lake, &sql).await,
        json!([
            ["2026-11-23T07:59:00Z", null, null],
            ["2026-11-23T08:00:00Z", 10.0, 10.0],
            ["2026-11-23T08:01:00Z", 14.0, 14.0],
            ["2026-11-23T08:02:00Z", 14.0, 8.5],
            ["2026-11-23T08:03:00Z", 3.0, 3.0],
            ["2026-11-23T08:04:00Z", 9.0, 9.0],
            ["2026-11-23T08:05:00Z", 9.0, null]
        ])
    );
    // Each series has its own gaps.
    assert_eq!(
        ask(&lake, "SELECT e, t, locf(v) OVER (PARTITION BY e ORDER BY t) FROM (VALUES ('a', 1, 1), ('a', 2, NULL), ('b', 1, NULL), ('b', 2, 5)) AS s(e, t, v) ORDER BY 1, 2").await,
        json!([["a", 1, 1], ["a", 2, 1], ["b", 1, null], ["b", 2, 5]])
    );
}

#[tokio::test]
async fn buckets_are_bounded_and_begin_where_time_bucket_does() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    assert_eq!(
        ask(
            &lake,
            "SELECT * FROM buckets('2025-12-15', '2026-03-01', INTERVAL '1 month')"
        )
        .await,
        json!([
            ["2025-12-01T00:00:00Z"],
            ["2026-01-01T00:00:00Z"],
            ["2026-02-01T00:00:00Z"]
        ])
    );
    assert_eq!(
        ask(&lake, "SELECT count(*), count(DISTINCT bucket), bool_and(bucket = time_bucket('7 minutes', bucket)) FROM buckets('1990-01-01', '2030-01-01', '7 minutes')").await,
        json!([[3005486, 3005486, true]])
    );
    assert_eq!(
        ask(
            &lake,
            "SELECT * FROM buckets('2026-01-02', '2026-01-01', '1 day')"
        )
        .await,
        json!([])
    );
    assert_eq!(
        ask(
            &lake,
            "SELECT count(*) FROM buckets('2026-01-01', '2026-01-02', '1 day')"
        )
        .await,
        json!([[1]])
    );
    let told = problem(
        &lake,
        "SELECT count(*) FROM buckets('1970-01-01', '2026-01-01', '1 second')",
    )
    .await;
    assert!(told.what.contains("at most 10000000"), "{told}");
    for sql in [
        "SELECT * FROM buckets('2026-01-01', '2026-01-02')",
        "SELECT * FROM buckets('2026-01-01', NULL, '1 day')",
        "SELECT b.* FROM observations, buckets(observed_at, '2026-01-02', '1 day') b",
    ] {
        problem(&lake, sql).await;
    }
}
