//! The view of each type's current values: a row for each entity, over the lent table, of which only that type is asked for;
//! not there for whoever may not read the lent table.

use crate::common::catalogue;
use arrow::array::{ArrayRef, Float64Array, StringViewArray, TimestampMicrosecondArray};
use futures::future::BoxFuture;
use lake::{ColumnKind, Columns, Lake, Limits, Options, RecordTable, RecordTables, Wanted};
use model::Problem;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const ATTRIBUTE: usize = 2;

/// Entity, type, attribute, number, text, seconds.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    Option<f64>,
    Option<&'static str>,
    i64,
);

const ROWS: [Row; 4] = [
    ("urn:a", "WaterObserved", "waterLevel", Some(29.5), None, 20),
    ("urn:a", "WaterObserved", "name", None, Some("甲"), 10),
    ("urn:b", "WaterObserved", "waterLevel", Some(3.0), None, 5),
    ("urn:l", "Streetlight", "name", None, Some("灯"), 5),
];

struct Now {
    may_read: bool,
    asked: Mutex<Vec<Wanted>>,
}

impl RecordTables for Now {
    fn tables(&self) -> Vec<RecordTable> {
        let text = |name: &str| (name.to_owned(), ColumnKind::Text);
        vec![RecordTable {
            name: "entities_now".into(),
            description: "Current values.".into(),
            columns: vec![
                text("entity_id"),
                text("entity_type"),
                text("attribute"),
                ("value_number".into(), ColumnKind::Number),
                text("value_text"),
                text("value_json"),
                ("observed_at".into(), ColumnKind::Time),
            ],
        }]
    }

    fn rows(&self, _: &str) -> BoxFuture<'_, Result<Vec<Vec<Value>>, Problem>> {
        panic!("a paged table is not asked for as rows")
    }

    fn is_paged(&self, _: &str) -> bool {
        true
    }

    fn current(&self) -> Option<&'static str> {
        self.may_read.then_some("entities_now")
    }

    fn page(&self, _: &str, wanted: &Wanted, _: Option<&str>) -> Result<Columns, Problem> {
        self.asked.lock().unwrap().push(wanted.clone());
        let texts = |of: fn(&Row) -> Option<&'static str>| -> ArrayRef {
            Arc::new(StringViewArray::from_iter(ROWS.iter().map(of)))
        };
        let array = |column: &usize| -> ArrayRef {
            match *column {
                0 => texts(|r| Some(r.0)),
                1 => texts(|r| Some(r.1)),
                ATTRIBUTE => texts(|r| Some(r.2)),
                3 => Arc::new(Float64Array::from_iter(ROWS.iter().map(|r| r.3))),
                4 => texts(|r| r.4),
                5 => texts(|_| None),
                _ => Arc::new(
                    TimestampMicrosecondArray::from_iter_values(
                        ROWS.iter().map(|r| r.5 * 1_000_000),
                    )
                    .with_timezone("UTC"),
                ),
            }
        };
        Ok(Columns {
            rows: ROWS.len(),
            arrays: wanted.columns.iter().map(array).collect(),
            next: None,
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

fn lender(may_read: bool) -> Arc<Now> {
    Arc::new(Now {
        may_read,
        asked: Mutex::default(),
    })
}

#[tokio::test]
async fn a_row_for_each_entity_with_its_current_values() {
    let lender = lender(true);
    let sql = "SELECT entity_id, observed_at, \"waterLevel\" FROM \"WaterObserved_now\" ORDER BY 1";
    assert_eq!(
        ask(&lender, sql).await.unwrap(),
        json!([
            ["urn:a", "1970-01-01T00:00:20Z", 29.5],
            ["urn:b", "1970-01-01T00:00:05Z", 3.0]
        ])
    );
    let wanted = lender.asked.lock().unwrap()[0].clone();
    assert!(
        wanted
            .equal
            .contains(&(1, vec!["WaterObserved".to_owned()])),
        "{wanted:?}"
    );
    // Beside the table that it stands on, and joined with the view of history.
    let both = "SELECT (SELECT count(*) FROM entities_now) AS values_now, count(*) AS joined FROM \"WaterObserved_now\" n \
                LEFT JOIN \"WaterObserved\" h ON h.entity_id = n.entity_id";
    assert_eq!(ask(&lender, both).await.unwrap(), json!([[4, 2]]));
    let listed = "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE '%\\_now'";
    assert_eq!(ask(&lender, listed).await.unwrap(), json!([[3]]));
}

#[tokio::test]
async fn who_may_not_read_current_values_has_no_view_of_them() {
    let lender = lender(false);
    let told = ask(&lender, "SELECT * FROM \"WaterObserved_now\"")
        .await
        .unwrap_err();
    assert_eq!(told.code, "sql-table-unknown");
    assert_eq!(*lender.asked.lock().unwrap(), []);
}
