//! Tables lent by other rooms (cases, devices, indicators, current values): their rows are asked for
//! only when a statement names the table.

use crate::department::{self, TableEntry};
use crate::lake::Lake;
use crate::rollups;
use crate::schema::{ColumnKind, OBSERVATION_COLUMNS, OBSERVATIONS};
use crate::sight::Sight;
use crate::veil::Veil;
use crate::{views, wide};
use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, RecordBatchOptions,
    StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{Schema, SchemaRef};
use futures::future::BoxFuture;
use model::{Catalogue, Problem, RollupSpan, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// A table as people see it in the list of tables.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordTable {
    /// Its name in SQL.
    pub name: String,
    /// What it holds, in a sentence.
    pub description: String,
    /// Its columns, in order.
    pub columns: Vec<(String, ColumnKind)>,
}

/// Whoever lends tables.
pub trait RecordTables: Send + Sync {
    /// The tables lent.
    fn tables(&self) -> Vec<RecordTable>;
    /// All rows of one of them: each as long as the table has columns. `Time` takes RFC 3339 text,
    /// `Json` any JSON; `null` is good everywhere.
    fn rows(&self, name: &str) -> BoxFuture<'_, Result<Vec<Vec<Value>>, Problem>>;
    /// What stands between stored values and whoever asks; `None` when values are shown as they are stored.
    fn veil(&self) -> Option<Arc<dyn Veil>> {
        None
    }
    /// Whether this table is lent page by page, as columns ([`Self::page`]), instead of as rows: for tables
    /// that are too large to be copied whole for each statement.
    fn is_paged(&self, _name: &str) -> bool {
        false
    }
    /// The lent table of current values, over which each entity type has a view `TYPE_now`; `None` when none is lent, or
    /// whoever asks may not read it. Such a table has a row for each entity and attribute, and the columns `entity_id`,
    /// `entity_type`, `attribute`, `value_number`, `value_text`, `value_json` and `observed_at`.
    fn current(&self) -> Option<&'static str> {
        None
    }
    /// What whoever asks may see of history; `None`: all of it.
    fn sight(&self) -> Option<Arc<dyn Sight>> {
        None
    }
    /// Whether whoever asks may read this department table, which this department handed in.
    fn may_read_department(&self, _name: &str, _department: Option<&str>) -> bool {
        true
    }
    /// The rows that follow `after` (`None` at the start). Asked until a page names no next one.
    ///
    /// # Errors
    /// What the lender tells.
    fn page(&self, name: &str, _wanted: &Wanted, _after: Option<&str>) -> Result<Columns, Problem> {
        Err(shape_problem(
            "the table is not lent page by page".into(),
            format!("table {name}"),
        ))
    }
}

/// What a statement needs of a paged table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The columns to give, by their place in the table, in this order.
    pub columns: Vec<usize>,
    /// Text columns of which only rows with one of these values are needed. The lender may give more rows:
    /// they are filtered again.
    pub equal: Vec<(usize, Vec<String>)>,
}

/// Some rows as columns.
#[derive(Clone, Debug)]
pub struct Columns {
    /// How many rows.
    pub rows: usize,
    /// The columns of [`Wanted::columns`], each `rows` long, of the types of [`ColumnKind`]: text and JSON as
    /// `Utf8View`, numbers as `Float64`, whole numbers as `Int64`, times as microseconds in UTC.
    pub arrays: Vec<ArrayRef>,
    /// What to ask with for the rows that follow; `None` at the end.
    pub next: Option<String>,
}

/// Lends nothing.
pub struct NoRecords;

impl RecordTables for NoRecords {
    fn tables(&self) -> Vec<RecordTable> {
        Vec::new()
    }
    fn rows(&self, _name: &str) -> BoxFuture<'_, Result<Vec<Vec<Value>>, Problem>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// The table too, unless one before it has its name.
fn add(all: &mut Vec<RecordTable>, table: RecordTable) {
    if all.iter().all(|t| t.name != table.name) {
        all.push(table);
    }
}

impl Lake {
    /// Every table that SQL can name: `observations` and its rollups, the wide views of each entity type, the
    /// tables lent, the tables that packs declare, and the department tables. Where two have one name, the earlier one has it.
    /// A declared table is there for whoever may read all that it reads.
    pub fn tables(&self, catalogue: &Catalogue, records: &dyn RecordTables) -> Vec<RecordTable> {
        let observations = RecordTable {
            name: OBSERVATIONS.to_owned(),
            description: "Every value of every attribute ever received, a row each.".to_owned(),
            columns: OBSERVATION_COLUMNS
                .iter()
                .map(|(name, kind, _)| ((*name).to_owned(), *kind))
                .collect(),
        };
        let mut all = vec![observations];
        all.extend(RollupSpan::ALL.map(rollups::table));
        let mut entries = self.department_tables();
        entries.retain(|e| records.may_read_department(&e.name, e.department.as_deref()));
        let is_declared = |name: &str| {
            let mut declared = catalogue.views.iter();
            declared.any(|view| view.name.eq_ignore_ascii_case(name))
        };
        entries.retain(|entry| !is_declared(&entry.name));
        let now = catalogue
            .kinds
            .values()
            .filter(|_| records.current().is_some())
            .map(wide::table_now);
        for table in catalogue
            .kinds
            .values()
            .map(wide::table)
            .chain(now)
            .chain(records.tables())
        {
            add(&mut all, table);
        }
        for view in &catalogue.views {
            let is_there = |read: &String| all.iter().any(|t| t.name == *read);
            if view.reads.iter().all(is_there) {
                add(&mut all, views::table(view));
            }
        }
        for entry in &entries {
            add(&mut all, entry.table());
        }
        all
    }

    /// The department tables; one whose entry does not read is told in the log and left out.
    pub fn department_tables(&self) -> Vec<TableEntry> {
        let (entries, problems) = department::list(self.dir());
        for problem in problems {
            tracing::warn!(%problem, "a department table is left out");
        }
        entries
    }
}

/// The Arrow schema of a lent table.
pub(crate) fn schema(table: &RecordTable) -> SchemaRef {
    Arc::new(Schema::new(
        table
            .columns
            .iter()
            .map(|(name, kind)| kind.field(name, true))
            .collect::<Vec<_>>(),
    ))
}

/// The rows of a lent table as one batch.
///
/// # Errors
/// `record-table-shape` when a row has the wrong length or a value is not of its column's kind.
pub(crate) fn batch(table: &RecordTable, rows: &[Vec<Value>]) -> Result<RecordBatch, Problem> {
    let place = |row: usize| format!("table {}, row {}", table.name, row + 1);
    for (n, row) in rows.iter().enumerate() {
        if row.len() != table.columns.len() {
            return Err(shape_problem(
                format!("{} values for {} columns", row.len(), table.columns.len()),
                place(n),
            ));
        }
    }
    let columns = table
        .columns
        .iter()
        .enumerate()
        .map(|(c, (name, kind))| {
            column(*kind, rows, c).map_err(|(row, what)| {
                shape_problem(what, format!("{}, column {name}", place(row)))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(schema(table), columns, &options)
        .map_err(|e| shape_problem(e.to_string(), format!("table {}", table.name)))
}

fn column(kind: ColumnKind, rows: &[Vec<Value>], c: usize) -> Result<ArrayRef, (usize, String)> {
    macro_rules! build {
        ($builder:expr, $read:expr) => {{
            let mut builder = $builder;
            for (n, row) in rows.iter().enumerate() {
                match &row[c] {
                    Value::Null => builder.append_null(),
                    value => match $read(value) {
                        Some(value) => builder.append_value(value),
                        None => {
                            let shown = model::problem::quote(&value.to_string());
                            return Err((n, format!("{shown} is no {}", kind.as_str())));
                        }
                    },
                }
            }
            Ok(Arc::new(builder.finish()) as ArrayRef)
        }};
    }
    match kind {
        ColumnKind::Text => build!(StringViewBuilder::new(), |v: &Value| v
            .as_str()
            .map(str::to_owned)),
        ColumnKind::Json => build!(StringViewBuilder::new(), |v: &Value| Some(v.to_string())),
        ColumnKind::Number => build!(Float64Builder::new(), Value::as_f64),
        ColumnKind::Integer => build!(Int64Builder::new(), Value::as_i64),
        ColumnKind::Boolean => build!(BooleanBuilder::new(), Value::as_bool),
        ColumnKind::Time => build!(
            TimestampMicrosecondBuilder::new().with_timezone(crate::schema::ZONE),
            |v: &Value| v
                .as_str()
                .and_then(|t| Timestamp::parse(t).ok())
                .map(Timestamp::micros)
        ),
        ColumnKind::Clock => build!(TimestampMicrosecondBuilder::new(), |v: &Value| v
            .as_str()
            .and_then(|t| Timestamp::parse(&format!("{t}Z")).ok())
            .map(Timestamp::micros)),
    }
}

fn shape_problem(what: String, place: String) -> Problem {
    Problem::new(
        "record-table-shape",
        what,
        place,
        "report this: the table's rows do not fit its declared columns",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table() -> RecordTable {
        RecordTable {
            name: "cases".into(),
            description: String::new(),
            columns: vec![
                ("id".into(), ColumnKind::Integer),
                ("opened_at".into(), ColumnKind::Time),
            ],
        }
    }

    #[test]
    fn rows_become_a_batch() {
        let rows = [
            vec![json!(1), json!("2026-11-23T08:00:00Z")],
            vec![json!(null), json!(null)],
        ];
        let batch = batch(&table(), &rows).unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (2, 2));
        assert_eq!(batch.column(0).null_count(), 1);
    }

    #[test]
    fn rows_that_do_not_fit_are_told() {
        let e = batch(&table(), &[vec![json!(1)]]).unwrap_err();
        assert_eq!(
            (e.code.as_str(), e.place.as_str()),
            ("record-table-shape", "table cases, row 1")
        );
        let e = batch(&table(), &[vec![json!(1), json!("today")]]).unwrap_err();
        assert_eq!(e.place, "table cases, row 1, column opened_at");
        assert!(e.what.contains("\"today\" is no time"), "{}", e.what);
    }
}
