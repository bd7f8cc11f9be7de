//! Answers taken batch by batch, and as CSV and Arrow.

use crate::common::{Cases, catalogue, levels, options};
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use arrow::ipc::reader::StreamReader;
use futures::StreamExt;
use lake::{Answer, Format, Lake, Limits, Question, ScalarValue};
use model::Problem;
use std::sync::Arc;
use std::time::Duration;

async fn answer(
    lake: &Lake,
    sql: &str,
    parameters: Vec<ScalarValue>,
    limits: &Limits,
) -> Result<Answer, Problem> {
    let question = Question {
        sql,
        parameters,
        tables: Arc::new(Cases::default()),
        catalogue: &catalogue(),
        zone: None,
    };
    lake.query_stream(question, limits).await
}

fn lake(dir: &tempfile::TempDir) -> Lake {
    let lake = Lake::open(dir.path(), options()).unwrap();
    lake.apply_batch(&levels(0, 1_000));
    lake
}

/// All pieces together, or what ended them.
async fn bytes(answer: Answer, format: Format) -> Result<Vec<u8>, Problem> {
    let pieces: Vec<_> = answer.into_bytes(format).collect().await;
    pieces.into_iter().try_fold(Vec::new(), |mut all, piece| {
        all.extend(piece?);
        Ok(all)
    })
}

#[tokio::test]
async fn csv_has_a_header_and_arrow_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    let limits = Limits::default();
    let cases = "SELECT *, [1, 2] AS list FROM cases ORDER BY id";
    let csv = bytes(
        answer(&lake, cases, vec![], &limits).await.unwrap(),
        Format::Csv,
    )
    .await
    .unwrap();
    assert_eq!(
        String::from_utf8(csv).unwrap(),
        "id,entity_id,opened_at,cost,closed,location,list\n\
         1,urn:ngsi-ld:WaterObserved:station-3,2026-11-23T08:00:10Z,12.5,false,\"{\"\"type\"\":\"\"Point\"\"}\",\"[1,2]\"\n\
         2,,,,true,,\"[1,2]\"\n"
    );
    let none = "SELECT id, cost FROM cases WHERE id > 5";
    let csv = bytes(
        answer(&lake, none, vec![], &limits).await.unwrap(),
        Format::Csv,
    )
    .await
    .unwrap();
    assert_eq!(String::from_utf8(csv).unwrap(), "id,cost\n");

    let sql = "SELECT journal_position FROM observations ORDER BY 1";
    let stream = bytes(
        answer(&lake, sql, vec![], &limits).await.unwrap(),
        Format::Arrow,
    )
    .await
    .unwrap();
    let reader = StreamReader::try_new(stream.as_slice(), None).unwrap();
    let positions: Vec<i64> = reader
        .flat_map(|batch| {
            batch
                .unwrap()
                .column(0)
                .as_primitive::<Int64Type>()
                .values()
                .to_vec()
        })
        .collect();
    assert_eq!(positions, (0..1_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_answer_that_is_cut_off_ends_with_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    let limits = Limits {
        rows_max: 999,
        ..Limits::default()
    };
    for format in [Format::Csv, Format::Arrow] {
        let all = answer(&lake, "SELECT * FROM observations", vec![], &limits)
            .await
            .unwrap();
        assert_eq!(bytes(all, format).await.unwrap_err().code, "sql-rows");
    }
    let few = answer(
        &lake,
        "SELECT * FROM observations LIMIT 999",
        vec![],
        &limits,
    )
    .await
    .unwrap();
    bytes(few, Format::Csv).await.unwrap();
}

#[tokio::test]
async fn parameters_are_values_and_not_text() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    let sql = "SELECT count(*) FROM observations WHERE value_number > $1 AND door = $2";
    let question = |parameters| Question {
        sql,
        parameters,
        tables: Arc::new(lake::NoRecords),
        catalogue: Box::leak(Box::new(catalogue())),
        zone: None,
    };
    let limits = Limits::default();
    let described = lake.describe(question(vec![]), &limits).await.unwrap();
    let types: Vec<String> = described
        .parameters
        .iter()
        .map(|t| t.as_ref().unwrap().to_string())
        .collect();
    assert_eq!(types, ["Float64", "Utf8View"]);
    assert_eq!(described.schema.fields().len(), 1);
    let values = |door: &str| {
        vec![
            ScalarValue::Float64(Some(37.0)),
            ScalarValue::Utf8(Some(door.into())),
        ]
    };
    for (door, expected) in [("mqtt", "99"), ("mqtt' OR 1=1 --", "0")] {
        let answer = lake
            .query_stream(question(values(door)), &limits)
            .await
            .unwrap();
        let csv = String::from_utf8(bytes(answer, Format::Csv).await.unwrap()).unwrap();
        assert_eq!(csv.lines().nth(1), Some(expected));
    }
    // One value too few.
    let answer = lake
        .query_stream(question(vec![ScalarValue::Float64(Some(1.0))]), &limits)
        .await;
    assert!(answer.is_err());
}

#[tokio::test]
async fn slow_readers_leave_a_turn_and_end_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let lake = lake(&dir);
    let big = "SELECT a.* FROM observations a, observations b";
    let limits = Limits {
        rows_max: 1_000_000,
        time_max: Duration::from_secs(2),
        ..Limits::default()
    };
    // As many as may run, but one; none is read from.
    let mut slow = Vec::new();
    for _ in 0..options().queries_max - 1 {
        slow.push(answer(&lake, big, vec![], &limits).await.unwrap());
    }
    assert_eq!(
        crate::common::ask(&lake, "SELECT count(*) FROM cases").await,
        serde_json::json!([[2]])
    );
    // A reader that comes back after the time is over gets what was ready, and then the reason.
    let mut late = slow.pop().unwrap();
    let ended = async {
        // The turn is free again when the work has ended, which happens by itself.
        answer(&lake, "SELECT 1", vec![], &Limits::default())
            .await
            .unwrap()
    };
    tokio::time::timeout(Duration::from_secs(30), ended)
        .await
        .unwrap();
    let mut last = None;
    while let Some(next) = late.next().await {
        last = Some(next);
        if matches!(last, Some(Err(_))) {
            break;
        }
    }
    assert_eq!(last.unwrap().unwrap_err().code, "sql-time");
    // Dropping an answer gives its turn back at once.
    drop(slow);
    answer(&lake, "SELECT 1", vec![], &Limits::default())
        .await
        .unwrap();
}
