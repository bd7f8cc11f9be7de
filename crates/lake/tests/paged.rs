//! A table lent page by page: every row once, only the columns asked for, conditions on texts handed on,
//! and the lender's own problem told.

use crate::common::catalogue;
use arrow::array::{ArrayRef, Float64Array, StringViewArray};
use futures::future::BoxFuture;
use lake::{ColumnKind, Columns, Lake, Limits, Options, RecordTable, RecordTables, Wanted};
use model::Problem;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const ROWS: usize = 25;
const ROWS_A_PAGE: usize = 10;

/// Lends `now`: 25 rows, ten a page; remembers what was wanted of each page.
#[derive(Default)]
struct Now {
    wanted: Mutex<Vec<Wanted>>,
    breaks_after: Option<&'static str>,
}

impl RecordTables for Now {
    fn tables(&self) -> Vec<RecordTable> {
        vec![RecordTable {
            name: "now".into(),
            description: "Current values.".into(),
            columns: vec![
                ("entity_id".into(), ColumnKind::Text),
                ("entity_type".into(), ColumnKind::Text),
                ("value".into(), ColumnKind::Number),
            ],
        }]
    }

    fn rows(&self, _: &str) -> BoxFuture<'_, Result<Vec<Vec<Value>>, Problem>> {
        panic!("a paged table is not asked for as rows")
    }

    fn is_paged(&self, name: &str) -> bool {
        name == "now"
    }

    fn page(&self, _: &str, wanted: &Wanted, after: Option<&str>) -> Result<Columns, Problem> {
        self.wanted.lock().unwrap().push(wanted.clone());
        if after.is_some() && after == self.breaks_after {
            return Err(Problem::new(
                "broken",
                "the lender broke",
                "page",
                "mend it",
            ));
        }
        let from = after.map_or(0, |after| after.parse().unwrap());
        let to = ROWS.min(from + ROWS_A_PAGE);
        let array = |column: &usize| -> ArrayRef {
            let texts = |text: fn(usize) -> String| -> ArrayRef {
                Arc::new(StringViewArray::from_iter_values((from..to).map(text)))
            };
            match column {
                0 => texts(|n| format!("urn:{n:02}")),
                1 => texts(|n| if n % 5 == 0 { "A" } else { "B" }.to_owned()),
                _ => Arc::new(Float64Array::from_iter_values((from..to).map(|n| n as f64))),
            }
        };
        Ok(Columns {
            rows: to - from,
            arrays: wanted.columns.iter().map(array).collect(),
            next: (to < ROWS).then(|| to.to_string()),
        })
    }
}

async fn ask(lender: &Arc<Now>, sql: &str) -> Result<Value, Problem> {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path(), Options::default())?;
    let lender: Arc<dyn RecordTables> = lender.clone();
    let answer = lake
        .query(sql, &Limits::default(), lender, &catalogue())
        .await?;
    Ok(json!(answer.rows))
}

#[tokio::test]
async fn every_row_is_seen_once_and_only_what_is_asked_for_is_made() {
    let lender = Arc::new(Now::default());
    let sql = "SELECT count(*), sum(value), count(DISTINCT value) FROM now";
    assert_eq!(ask(&lender, sql).await.unwrap(), json!([[25, 300.0, 25]]));
    let only = |columns: &[usize]| Wanted {
        columns: columns.to_vec(),
        equal: Vec::new(),
    };
    assert_eq!(*lender.wanted.lock().unwrap(), vec![only(&[2]); 3]);
    lender.wanted.lock().unwrap().clear();
    let counted = ask(&lender, "SELECT count(*) FROM now").await.unwrap();
    assert_eq!(counted, json!([[25]]));
    assert_eq!(*lender.wanted.lock().unwrap(), vec![only(&[]); 3]);
}

#[tokio::test]
async fn conditions_on_texts_reach_the_lender_and_are_judged_again() {
    let lender = Arc::new(Now::default());
    let sql = "SELECT value FROM now WHERE entity_type = 'A' AND value > 5 \
               AND entity_id IN ('urn:10', 'urn:11', 'urn:20') ORDER BY value";
    assert_eq!(ask(&lender, sql).await.unwrap(), json!([[10.0], [20.0]]));
    let wanted = lender.wanted.lock().unwrap()[0].clone();
    let texts = |texts: &[&str]| texts.iter().map(|&t| t.to_owned()).collect::<Vec<_>>();
    assert!(wanted.equal.contains(&(1, texts(&["A"]))), "{wanted:?}");
    let ids = (0, texts(&["urn:10", "urn:11", "urn:20"]));
    assert!(wanted.equal.contains(&ids), "{wanted:?}");
    // What is not asked with = or IN is not handed on.
    lender.wanted.lock().unwrap().clear();
    let sql = "SELECT count(*) FROM now WHERE entity_type <> 'A' OR entity_id = 'urn:00'";
    assert_eq!(ask(&lender, sql).await.unwrap(), json!([[21]]));
    assert_eq!(lender.wanted.lock().unwrap()[0].equal, []);
}

#[tokio::test]
async fn what_the_lender_tells_is_the_answer() {
    let lender = Arc::new(Now {
        breaks_after: Some("10"),
        ..Now::default()
    });
    let told = ask(&lender, "SELECT * FROM now").await.unwrap_err();
    assert_eq!(told.code, "broken");
    // A query that needs no more than the first page does not ask for the second.
    let first = ask(&lender, "SELECT entity_id FROM now LIMIT 1").await;
    assert_eq!(first.unwrap(), json!([["urn:00"]]));
}
