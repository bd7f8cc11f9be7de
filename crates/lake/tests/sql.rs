//! SQL as people write it, its limits, and what it refuses.

use crate::common::{
    CENSUS, Cases, START, ask, catalogue, level, levels, message, options, problem, try_ask, value,
};
use lake::{ColumnKind, HistoryQuery, Lake, Limits};
use model::{AttributeName, EntityId, Value};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Sixty levels, forty of them sealed.
fn lake_of_levels(dir: &tempfile::TempDir) -> Lake {
    let lake = Lake::open(dir.path(), options()).unwrap();
    lake.apply_batch(&levels(0, 20));
    lake.seal().unwrap();
    lake.apply_batch(&levels(20, 40));
    lake.seal().unwrap();
    lake.apply_batch(&levels(40, 60));
    lake
}

#[tokio::test]
async fn names_in_any_case() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake_of_levels(&dir);
    for sql in [
        "SELECT max(waterLevel) FROM WaterObserved",
        "select MAX(WATERLEVEL) from waterobserved",
        "SELECT max(w.waterlevel) FROM waterObserved w -- waterlevel",
        "SELECT max(\"waterLevel\") FROM \"WaterObserved\";",
    ] {
        assert_eq!(ask(&lake, sql).await, json!([[28.59]]), "{sql}");
    }
    assert_eq!(
        ask(&lake, "SELECT 'waterlevel'").await,
        json!([["waterlevel"]])
    );
    let answer = try_ask(&lake, "SELECT waterlevel FROM waterobserved LIMIT 1")
        .await
        .unwrap();
    assert_eq!(answer.columns[0].name, "waterLevel");
    assert_eq!(answer.columns[0].kind, ColumnKind::Number);
}

#[tokio::test]
async fn a_wide_view_has_a_row_for_each_entity_and_moment() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    let place = model::Geometry::Point {
        lon: 113.1,
        lat: 30.6,
    };
    let device = EntityId::new("urn:ngsi-ld:Device:7").unwrap();
    let later = START.plus_seconds(60);
    let first = vec![
        value("waterLevel", Value::Number(29.31), START),
        value("flooded", Value::Boolean(true), START),
        value("name", Value::Text("汉北河".into()), START),
        value("location", Value::Geometry(place), START),
        value("undeclared", Value::Number(1.0), START),
    ];
    lake.apply(0, &message("WaterObserved", "a", START, first));
    let second = vec![
        value("waterLevel", Value::Number(29.40), later),
        value("flooded", Value::Boolean(false), later),
        value("refDevice", Value::Relationship(device), later),
        value("extra", Value::Json("[1]".into()), later),
    ];
    lake.apply(1, &message("WaterObserved", "a", later, second));
    lake.seal().unwrap();
    // A correction for a moment told before: what came last counts, though it is less.
    let correction = vec![value("waterLevel", Value::Number(29.30), START)];
    lake.apply(2, &message("WaterObserved", "a", later, correction));
    let light = vec![value("powerState", Value::Text("on".into()), START)];
    lake.apply(3, &message("Streetlight", "b", START, light));

    let sql = "SELECT * FROM WaterObserved ORDER BY observed_at";
    let answer = try_ask(&lake, sql).await.unwrap();
    let columns: Vec<(&str, ColumnKind)> = answer
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.kind))
        .collect();
    use ColumnKind::{Boolean, Json, Number, Text, Time};
    assert_eq!(
        columns,
        [
            ("entity_id", Text),
            ("observed_at", Time),
            ("extra", Json),
            ("flooded", Boolean),
            ("location", Json),
            ("name", Text),
            ("refDevice", Text),
            ("waterLevel", Number),
        ]
    );
    let a = "urn:ngsi-ld:WaterObserved:a";
    let point = "{\"type\":\"Point\",\"coordinates\":[113.1,30.6]}";
    assert_eq!(
        json!(answer.rows),
        json!([
            [
                a,
                "2026-11-23T08:00:00Z",
                null,
                true,
                point,
                "汉北河",
                null,
                29.30
            ],
            [
                a,
                "2026-11-23T08:01:00Z",
                "[1]",
                false,
                null,
                null,
                "urn:ngsi-ld:Device:7",
                29.40
            ],
        ])
    );
    assert_eq!(
        ask(
            &lake,
            "SELECT entity_id, powerstate FROM streetlight WHERE powerState = 'on'"
        )
        .await,
        json!([["urn:ngsi-ld:Streetlight:b", "on"]])
    );
}

#[tokio::test]
async fn predicates_and_projections_reach_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake_of_levels(&dir);
    let plan_of = async |sql: &str| {
        let rows = ask(&lake, sql).await;
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row[1].as_str().unwrap().to_owned())
            .collect::<String>()
    };
    let where_clause = "WHERE entity_id = 'urn:ngsi-ld:WaterObserved:station-3' AND attribute = 'waterLevel' \
         AND observed_at >= '2026-11-23T08:00:30Z'";
    let plan = plan_of(&format!(
        "EXPLAIN SELECT value_number FROM observations {where_clause}"
    ))
    .await;
    assert!(plan.contains("pruning_predicate="), "{plan}");
    assert!(plan.contains("entity_id_min"), "{plan}");
    assert!(
        !plan.contains("value_json"),
        "only the columns asked for: {plan}"
    );
    assert_eq!(
        ask(
            &lake,
            &format!("SELECT journal_position FROM observations {where_clause} ORDER BY 1")
        )
        .await,
        json!([[33], [43], [53]])
    );
    assert!(plan.contains("file_type=parquet"), "{plan}");
    // No file can hold such rows, by its times or its entities: none is even in the plan.
    for nowhere in [
        "observed_at > '2026-11-23T08:00:45Z'",
        "observed_at < '2026-11-22'",
        "entity_id = 'urn:ngsi-ld:ZZZ'",
        "entity_type = 'Aaa'",
        "journal_position > 40",
    ] {
        let explain = format!("EXPLAIN SELECT * FROM observations WHERE {nowhere}");
        let plan = plan_of(&explain).await;
        assert!(!plan.contains("file_type=parquet"), "{nowhere}: {plan}");
    }
    // A view's predicate on its keys goes the same way; what holds of every row of a file, as its type here, is not asked of it.
    let view = "EXPLAIN SELECT waterLevel FROM WaterObserved WHERE entity_id = 'urn:ngsi-ld:WaterObserved:station-3'";
    let plan = plan_of(view).await;
    assert!(
        plan.contains("entity_id_min") && !plan.contains("entity_type_min"),
        "{plan}"
    );
}

#[tokio::test]
async fn tables_lent_are_asked_for_only_when_named() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake_of_levels(&dir);
    let cases = Arc::new(Cases::default());
    let ask = async |sql: &str| {
        let answer = lake
            .query(sql, &Limits::default(), cases.clone(), &catalogue())
            .await;
        json!(answer.unwrap().rows)
    };
    ask("SELECT count(*) FROM observations").await;
    let names = ask(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
    )
    .await;
    assert_eq!(
        names,
        json!([
            ["Streetlight"],
            ["WaterObserved"],
            ["cases"],
            ["observations"],
            ["observations_1d"],
            ["observations_1h"],
            ["observations_1m"]
        ])
    );
    assert_eq!(cases.asked.load(Ordering::Relaxed), 0);
    let joined = ask(
        "SELECT c.id, c.opened_at, c.cost, c.closed, c.location, count(*) FROM cases c \
         JOIN WaterObserved w ON w.entity_id = c.entity_id GROUP BY ALL",
    )
    .await;
    assert_eq!(
        joined,
        json!([[
            1,
            "2026-11-23T08:00:10Z",
            12.5,
            false,
            "{\"type\":\"Point\"}",
            6
        ]])
    );
    assert_eq!(cases.asked.load(Ordering::Relaxed), 1);

    let all = lake.tables(&catalogue(), cases.as_ref());
    let names: Vec<&str> = all.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "observations",
            "observations_1m",
            "observations_1h",
            "observations_1d",
            "Streetlight",
            "WaterObserved",
            "cases"
        ]
    );
    assert_eq!(
        all[0].columns[12],
        ("journal_position".to_owned(), ColumnKind::Integer)
    );
}

#[tokio::test]
async fn statements_that_do_not_read_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake_of_levels(&dir);
    let file = dir.path().join("x.csv");
    std::fs::write(&file, "a\n1\n").unwrap();
    let path = file.display();
    for sql in [
        "CREATE TABLE t AS SELECT 1".to_owned(),
        "CREATE VIEW v AS SELECT 1".into(),
        "CREATE TABLE t (a INT)".into(),
        format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{path}'"),
        "CREATE SCHEMA s".into(),
        "CREATE FUNCTION f(DOUBLE) RETURNS DOUBLE RETURN $1".into(),
        "DROP TABLE observations".into(),
        "ALTER TABLE observations ADD COLUMN x INT".into(),
        "INSERT INTO observations (unit) VALUES ('x')".into(),
        "UPDATE observations SET unit = 'x'".into(),
        "DELETE FROM observations".into(),
        "TRUNCATE TABLE observations".into(),
        format!("COPY observations TO '{path}'"),
        format!("COPY (SELECT 1) TO '{path}'"),
        "SET datafusion.execution.target_partitions = 64".into(),
        "RESET datafusion.execution.target_partitions".into(),
        "BEGIN".into(),
        "COMMIT".into(),
        "PREPARE p AS SELECT 1".into(),
        "EXECUTE p".into(),
        "DEALLOCATE p".into(),
        "EXPLAIN INSERT INTO observations (unit) VALUES ('x')".into(),
        "EXPLAIN ANALYZE DELETE FROM observations".into(),
        "GRANT SELECT ON observations TO x".into(),
        "MERGE INTO observations USING cases ON true WHEN MATCHED THEN DELETE".into(),
    ] {
        let problem = problem(&lake, &sql).await;
        assert_eq!(problem.code, "sql-not-reading", "{sql}: {problem}");
    }
    // Not as such, but not possible either.
    for (sql, code) in [
        (format!("SELECT * FROM '{path}'"), "sql-table-unknown"),
        (format!("SELECT * FROM \"{path}\""), "sql-table-unknown"),
        (
            "SELECT * INTO t FROM observations".into(),
            "sql-not-reading",
        ),
        ("SELECT 1; SELECT 2".into(), "sql-several-statements"),
        (
            "SELECT 1; DROP TABLE observations".into(),
            "sql-several-statements",
        ),
        ("".into(), "sql-empty"),
        (" -- nothing".into(), "sql-empty"),
        (
            "WITH x AS (DELETE FROM observations RETURNING *) SELECT * FROM x".into(),
            "sql-not-supported",
        ),
    ] {
        let problem = problem(&lake, &sql).await;
        assert_eq!(problem.code, code, "{sql}: {problem}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a\n1\n");
    assert_eq!(ask(&lake, CENSUS).await, json!([[60, 60, 0, 59]]));
}

#[tokio::test]
async fn statements_that_read_in_other_ways_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake_of_levels(&dir);
    for sql in [
        "SHOW TABLES",
        "SHOW COLUMNS FROM observations",
        "SHOW COLUMNS FROM WaterObserved",
        "DESCRIBE cases",
        "SHOW FUNCTIONS LIKE 'date_%'",
        "EXPLAIN SELECT * FROM observations",
        "VALUES (1), (2)",
        "WITH top AS (SELECT max(waterLevel) m FROM WaterObserved) SELECT m FROM top",
        "SELECT round(avg(value_number), 2), date_trunc('minute', observed_at) FROM observations GROUP BY 2",
        "SELECT * FROM generate_series(1, 3)",
        "(SELECT 1) UNION ALL (SELECT 2)",
    ] {
        let rows = ask(&lake, sql).await;
        assert!(!rows.as_array().unwrap().is_empty(), "{sql}");
    }
}

#[tokio::test]
async fn errors_say_what_where_and_what_mends_them() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake_of_levels(&dir);
    let told = async |sql: &str| {
        let p = problem(&lake, sql).await;
        format!("{} | {} | {} | {}", p.code, p.what, p.place, p.mend)
    };
    let mut all = String::new();
    for sql in [
        "SELECT waterLevl FROM WaterObserved",
        "SELECT *\nFROM WaterObserved w\nWHERE w.zzz > 1",
        "SELECT * FROM WaterObservd",
        "SELECT * FROM nowhere",
        "SELEC 1",
        "SELECT (1 FROM observations",
        "SELECT 'open FROM observations",
        "SELECT unknown_function(1)",
        "SELECT entity_id FROM observations o JOIN cases c ON o.entity_id = c.entity_id",
        "SELECT entity_id, count(*) FROM observations",
        "SELECT CAST(entity_id AS DOUBLE) FROM observations",
        "SELECT observed_at + 'x' FROM observations",
        "SELECT repeat('x', 1000000000)",
    ] {
        all += &told(sql).await;
        all.push('\n');
    }
    expect_test::expect![[r#"
        sql-column-unknown | there is no column "waterlevl" | line 1, column 8 | did you mean waterLevel?
        sql-column-unknown | there is no column "zzz" | line 3, column 7 | use one of: entity_id, observed_at, extra, flooded, location, name, refDevice, waterLevel
        sql-table-unknown | there is no table "waterobservd" | line 1, column 15 | did you mean WaterObserved? SHOW TABLES lists all
        sql-table-unknown | there is no table "nowhere" | line 1, column 15 | use one of: observations, observations_1m, observations_1h, observations_1d, Streetlight, WaterObserved, cases
        sql-syntax | Expected: an SQL statement, found: SELEC | line 1, column 1 | mend the statement there
        sql-syntax | Expected: ), found: FROM | line 1, column 11 | mend the statement there
        sql-syntax | Unterminated string literal | line 1, column 8 | mend the statement there
        sql-function-unknown | the function unknown_function is unknown | line 1, column 8 | SHOW FUNCTIONS lists what there is
        sql-column-ambiguous | more than one table has a column "entity_id" | line 1, column 8 | write the table before it, as in t.entity_id
        sql-group-by | observations.entity_id is neither grouped by nor in an aggregate | line 1, column 8 | add it to GROUP BY, or put it into an aggregate such as max(observations.entity_id)
        sql-failed | Cannot cast string 'urn:ngsi-ld:WaterObserved:station-0' to value of Float64 type | statement | mend the statement, or ask for less
        sql-plan | Cannot coerce arithmetic expression Timestamp(µs, "UTC") + Utf8 to valid types | line 1, column 8 | mend the statement
        sql-function-unknown | the function repeat is not offered: one call can ask for any amount of memory | line 1, column 8 | do without it
    "#]].assert_eq(&all);
}

#[tokio::test]
async fn a_query_ends_at_its_limits() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake_of_levels(&dir);
    let with = async |sql: &str, limits: Limits| {
        lake.query(sql, &limits, Arc::new(Cases::default()), &catalogue())
            .await
    };
    let rows = |rows_max| Limits {
        rows_max,
        ..Limits::default()
    };
    let answer = with("SELECT * FROM observations", rows(59)).await.unwrap();
    assert_eq!((answer.rows.len(), answer.truncated), (59, true));
    let answer = with("SELECT * FROM observations", rows(60)).await.unwrap();
    assert_eq!((answer.rows.len(), answer.truncated), (60, false));

    // 60^6 rows to count.
    let cross = "SELECT sum(a.value_number * f.value_number) FROM observations a, observations b, observations c, \
         observations d, observations e, observations f";
    let time = Limits {
        time_max: Duration::from_millis(200),
        ..Limits::default()
    };
    let e = with(cross, time).await.unwrap_err();
    assert_eq!(
        (e.code.as_str(), e.what.as_str()),
        ("sql-time", "the query was stopped after 0.2 s")
    );

    // 60^4 rows to sort.
    let sort = "SELECT a.entity_id || b.entity_id || c.attribute x, d.observed_at FROM observations a, observations b, \
         observations c, observations d ORDER BY x, d.observed_at";
    let memory = || Limits {
        memory_bytes_max: 8 << 20,
        ..Limits::default()
    };
    let e = with(sort, memory()).await.unwrap_err();
    assert_eq!(
        (e.code.as_str(), e.what.as_str()),
        ("sql-memory", "the query needs more than 8 MB of memory")
    );
    // 60^3 rows to answer, each with some text.
    let answer = "SELECT a.entity_id || b.entity_id || c.entity_id FROM observations a, observations b, observations c";
    let large = Limits {
        rows_max: usize::MAX,
        ..memory()
    };
    assert_eq!(with(answer, large).await.unwrap_err().code, "sql-memory");

    let long = format!("SELECT 1 -- {}", "x".repeat(70_000));
    assert_eq!(
        with(&long, Limits::default()).await.unwrap_err().code,
        "sql-length"
    );
    let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert_eq!(
        with(&deep, Limits::default()).await.unwrap_err().code,
        "sql-syntax"
    );
    // The lake is as good as before.
    assert_eq!(ask(&lake, CENSUS).await, json!([[60, 60, 0, 59]]));
}

#[tokio::test]
async fn values_have_their_json_form() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake_of_levels(&dir);
    let sql = "SELECT 1.0/0.0, CAST('NaN' AS DOUBLE), NULL, 1 = 1, 7, CAST(8 AS SMALLINT UNSIGNED), \
         TIMESTAMP '2026-11-23T08:00:00.5', DATE '2026-11-23', CAST(1.25 AS DECIMAL(5, 2)), [1, 2], \
         {'a': 1, 'b': ['x']}, 'text', INTERVAL '1 day'";
    assert_eq!(
        ask(&lake, sql).await,
        json!([[
            null, null, null, true, 7, 8, "2026-11-23T08:00:00.5", "2026-11-23", 1.25, [1, 2],
            {"a": 1, "b": ["x"]}, "text", "1 days"
        ]])
    );
}

#[tokio::test]
async fn history_gives_the_newest_points_first() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake_of_levels(&dir);
    let mut correction = level(53);
    correction.updates[0].attributes[0].value = Value::Number(30.0);
    correction.received_at = START.plus_seconds(70);
    lake.apply(70, &correction);
    let wanted = HistoryQuery {
        entity_id: EntityId::new("urn:ngsi-ld:WaterObserved:station-3").unwrap(),
        attribute: AttributeName::new("waterLevel").unwrap(),
        from: Some(START.plus_seconds(13)),
        to: Some(START.plus_seconds(54)),
        limit: 100,
    };
    let history = lake.history(&wanted, &Limits::default()).await.unwrap();
    let positions: Vec<u64> = history.points.iter().map(|p| p.position).collect();
    assert_eq!(
        (positions, history.truncated),
        (vec![70, 53, 43, 33, 23, 13], false)
    );
    let newest = &history.points[0];
    assert_eq!(newest.value, json!(30.0));
    assert_eq!(
        (newest.unit.as_deref(), newest.quality.as_str()),
        (Some("MTR"), "good")
    );
    assert_eq!(newest.observed_at, START.plus_seconds(53));
    assert_eq!(newest.received_at, START.plus_seconds(70));

    let two = HistoryQuery {
        limit: 2,
        from: None,
        to: None,
        ..wanted
    };
    let history = lake.history(&two, &Limits::default()).await.unwrap();
    assert_eq!((history.points.len(), history.truncated), (2, true));
}

#[tokio::test]
async fn history_gives_values_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), options()).unwrap();
    let values = [
        Value::Number(1.5),
        Value::Boolean(false),
        Value::Text("true".into()),
        Value::Json("{\"a\":1}".into()),
        Value::Deleted,
        Value::Geometry(model::Geometry::Point {
            lon: 113.1,
            lat: 30.6,
        }),
    ];
    for (n, v) in values.iter().enumerate() {
        let at = START.plus_seconds(n as i64);
        lake.apply(
            n as u64,
            &message("Thing", "a", at, vec![value("x", v.clone(), at)]),
        );
    }
    let wanted = HistoryQuery {
        entity_id: EntityId::new("urn:ngsi-ld:Thing:a").unwrap(),
        attribute: AttributeName::new("x").unwrap(),
        from: None,
        to: None,
        limit: 10,
    };
    let history = lake.history(&wanted, &Limits::default()).await.unwrap();
    let mut got: Vec<serde_json::Value> = history.points.into_iter().map(|p| p.value).collect();
    got.reverse();
    let expected: Vec<serde_json::Value> = values.iter().map(Value::to_json).collect();
    assert_eq!(got, expected);
}
