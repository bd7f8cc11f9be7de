//! What may not be seen is not there: in no table of history, in no answer, no error and no count.

use crate::common::{catalogue, message, rolling, upkeep_all, value};
use futures::future::BoxFuture;
use lake::{Lake, Limits, RecordTable, RecordTables, Sight};
use model::{Problem, Timestamp, Value};
use serde_json::json;
use std::sync::Arc;

const START: Timestamp = crate::common::START;

/// Sees levels of even stations, and nothing else.
#[derive(Debug)]
struct EvenLevels;

impl Sight for EvenLevels {
    fn sees(&self, entity_id: &str, entity_type: &str, attribute: &str) -> bool {
        let number = entity_id
            .rsplit('-')
            .next()
            .and_then(|n| n.parse::<u64>().ok());
        entity_type == "WaterObserved"
            && attribute == "waterLevel"
            && number.is_some_and(|n| n.is_multiple_of(2))
    }
}

struct Asker;

impl RecordTables for Asker {
    fn tables(&self) -> Vec<RecordTable> {
        Vec::new()
    }
    fn rows(&self, _: &str) -> BoxFuture<'_, Result<Vec<Vec<serde_json::Value>>, Problem>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    fn sight(&self) -> Option<Arc<dyn Sight>> {
        Some(Arc::new(EvenLevels))
    }
}

/// Forty levels of ten stations in files, twenty in memory, each with a secret beside it.
fn lake_of_secrets(dir: &tempfile::TempDir) -> Lake {
    let lake = Lake::open(dir.path(), rolling()).unwrap();
    for n in 0..60_u64 {
        let at = START.plus_seconds(n as i64);
        let said = vec![
            value("waterLevel", Value::Number(28.0 + n as f64 / 100.0), at),
            value("flooded", Value::Boolean(n == 33), at),
            value("name", Value::Text(format!("secret {n}")), at),
        ];
        let station = format!("station-{}", n % 10);
        lake.apply(n, &message("WaterObserved", &station, at, said));
        if n == 39 {
            lake.seal().unwrap();
        }
    }
    upkeep_all(&lake, START.plus_seconds(86_400));
    lake
}

async fn ask(lake: &Lake, sql: &str) -> serde_json::Value {
    match lake
        .query(sql, &Limits::default(), Arc::new(Asker), &catalogue())
        .await
    {
        Ok(answer) => json!(answer.rows),
        Err(problem) => panic!("{sql}: {problem}"),
    }
}

#[tokio::test]
async fn every_table_of_history_holds_only_what_may_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake_of_secrets(&dir);
    for (sql, answer) in [
        ("SELECT count(*) FROM observations", json!([[30]])),
        (
            "SELECT count(DISTINCT entity_id), count(DISTINCT attribute), min(attribute) FROM observations",
            json!([[5, 1, "waterLevel"]]),
        ),
        (
            "SELECT count(*) FROM observations WHERE attribute = 'name'",
            json!([[0]]),
        ),
        (
            "SELECT count(*) FROM observations WHERE value_text LIKE 'secret%'",
            json!([[0]]),
        ),
        (
            "SELECT count(*) FROM observations WHERE entity_id LIKE '%station-3'",
            json!([[0]]),
        ),
        // A column that only judging needs is not among those answered.
        (
            "SELECT max(value_number) FROM observations",
            json!([[28.58]]),
        ),
        (
            "SELECT count(*), count(waterLevel), count(name), count(flooded) FROM WaterObserved",
            json!([[30, 30, 0, 0]]),
        ),
        (
            "SELECT count(DISTINCT entity_id), sum(count) FROM observations_1h",
            json!([[5, 30]]),
        ),
        (
            "SELECT count(*) FROM observations a JOIN observations b ON a.journal_position = b.journal_position",
            json!([[30]]),
        ),
    ] {
        assert_eq!(ask(&lake, sql).await, answer, "{sql}");
    }
}

#[tokio::test]
async fn no_condition_is_evaluated_on_a_row_that_may_not_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake_of_secrets(&dir);
    // Each fails as soon as it meets a row with a secret.
    for sql in [
        "SELECT count(*) FROM observations WHERE CAST(value_text AS BIGINT) > 0",
        "SELECT count(*) FROM observations WHERE 1 / CAST(CASE WHEN value_text = 'secret 31' THEN 0 ELSE 1 END AS BIGINT) = 1",
        "SELECT count(*) FROM observations WHERE attribute <> 'waterLevel' AND CAST(value_text AS BIGINT) > 0",
        "SELECT count(*) FROM WaterObserved WHERE CAST(name AS BIGINT) > 0",
    ] {
        let answer = lake
            .query(sql, &Limits::default(), Arc::new(Asker), &catalogue())
            .await;
        assert!(answer.is_ok(), "{sql}: {:?}", answer.err());
    }
    // With everything in sight they do fail.
    let all = Arc::new(lake::NoRecords);
    let sql = "SELECT count(*) FROM observations WHERE CAST(value_text AS BIGINT) > 0";
    let failed = lake.query(sql, &Limits::default(), all, &catalogue()).await;
    assert!(failed.is_err());
    let plan = ask(
        &lake,
        "EXPLAIN SELECT * FROM observations WHERE CAST(value_text AS BIGINT) > 0",
    )
    .await;
    assert!(plan.to_string().contains("SeenRows"), "{plan}");
}
