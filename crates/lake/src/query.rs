//! SQL over the lake, within limits.

use crate::engine::Engine;
use crate::errors::{Known, sql_problem, time_problem};
use crate::lake::Lake;
use crate::layout::Table;
use crate::paged::Paged;
use crate::records::{self, RecordTable, RecordTables};
use crate::result;
use crate::rollups;
use crate::schema::{ColumnKind, OBSERVATIONS};
use crate::stored::Stored;
use crate::{statement, wide};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::TableReference;
use datafusion::datasource::{MemTable, ViewTable};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use datafusion::prelude::{DataFrame, SQLOptions, SessionContext};
use futures::StreamExt;
use model::{Catalogue, Problem, RollupSpan};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What one query may take.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Most rows answered; the rest is cut off and `truncated` says so.
    pub rows_max: usize,
    /// Longest time from the call to the answer; past it the query ends with `sql-time`.
    pub time_max: Duration,
    /// Most memory for the query's work and its answer, in bytes; past it the query ends with `sql-memory`.
    pub memory_bytes_max: usize,
    /// Longest statement, in bytes.
    pub statement_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows_max: 10_000,
            time_max: Duration::from_secs(30),
            memory_bytes_max: 256 << 20,
            statement_bytes_max: 64 << 10,
        }
    }
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// An answer as JSON: times as RFC 3339 text in UTC, NaN and the infinities as `null`.
#[derive(Clone, Debug)]
pub struct QueryResult {
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<serde_json::Value>>,
    /// Whether there were more rows than [`Limits::rows_max`].
    pub truncated: bool,
    /// From the call to the answer.
    pub elapsed: Duration,
}

/// An answer as Arrow.
#[derive(Clone, Debug)]
pub struct Batches {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// Whether there were more rows than [`Limits::rows_max`].
    pub truncated: bool,
}

impl Lake {
    /// Answers one reading statement over `observations`, the wide views of the catalogue and the tables
    /// lent. It sees the rows of one moment, each once.
    ///
    /// # Errors
    /// `sql-not-reading`, `sql-syntax`, `sql-table-unknown`, `sql-column-unknown`, `sql-memory`, `sql-time`
    /// and other `sql-*`, with line and column where known; `record-table-shape` and whatever the lender
    /// of a table tells.
    pub async fn query(
        &self,
        sql: &str,
        limits: &Limits,
        tables: Arc<dyn RecordTables>,
        catalogue: &Catalogue,
    ) -> Result<QueryResult, Problem> {
        let started = Instant::now();
        let answer = self.query_batches(sql, limits, tables, catalogue).await?;
        Ok(QueryResult {
            columns: result::columns(&answer.schema),
            rows: result::rows(&answer.batches)?,
            truncated: answer.truncated,
            elapsed: started.elapsed(),
        })
    }

    /// As [`Self::query`], answered as Arrow.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn query_batches(
        &self,
        sql: &str,
        limits: &Limits,
        tables: Arc<dyn RecordTables>,
        catalogue: &Catalogue,
    ) -> Result<Batches, Problem> {
        self.within(limits, async {
            let known = Known {
                tables: records::tables(catalogue, tables.as_ref()),
            };
            let statement = statement::parse(sql, &known, limits.statement_bytes_max)?;
            let (context, pool) = self.engine.session(limits.memory_bytes_max);
            let wanted = context
                .state()
                .resolve_table_references(&statement)
                .map_err(|e| sql_problem(&e, &known, limits))?;
            self.register(&context, &wanted, &known, &tables, catalogue, limits)
                .await?;
            let rows_max = limits.rows_max;
            let run = async move {
                let plan = context.state().statement_to_plan(statement).await?;
                SQLOptions::new()
                    .with_allow_ddl(false)
                    .with_allow_dml(false)
                    .with_allow_statements(false)
                    .verify_plan(&plan)?;
                collect(context.execute_logical_plan(plan).await?, rows_max, pool).await
            };
            run_on(&self.engine, run)
                .await?
                .map_err(|e| sql_problem(&e, &known, limits))
        })
        .await
    }

    /// Runs a frame built over [`Self::frame`] within limits.
    pub(crate) async fn run_frame(
        &self,
        limits: &Limits,
        build: impl FnOnce(DataFrame) -> Result<DataFrame, DataFusionError> + Send + 'static,
    ) -> Result<Batches, Problem> {
        self.within(limits, async {
            let (context, pool) = self.engine.session(limits.memory_bytes_max);
            let observations = Stored::observations(self.contents()?);
            let rows_max = limits.rows_max;
            let run = async move {
                let frame = build(context.read_table(Arc::new(observations))?)?;
                collect(frame, rows_max, pool).await
            };
            let known = Known { tables: Vec::new() };
            run_on(&self.engine, run)
                .await?
                .map_err(|e| sql_problem(&e, &known, limits))
        })
        .await
    }

    /// Waits for a turn, then for the answer, no longer than the limit.
    async fn within<T>(
        &self,
        limits: &Limits,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        tokio::time::timeout(limits.time_max, async {
            let _turn = self.engine.permits.acquire().await;
            work.await
        })
        .await
        .unwrap_or_else(|_| Err(time_problem(limits)))
    }

    /// Makes the tables that the statement names known to the session; all of them, without the rows of
    /// those lent, when it asks for the list of tables.
    async fn register(
        &self,
        context: &SessionContext,
        wanted: &[TableReference],
        known: &Known,
        tables: &Arc<dyn RecordTables>,
        catalogue: &Catalogue,
        limits: &Limits,
    ) -> Result<(), Problem> {
        let told = |e: DataFusionError| sql_problem(&e, known, limits);
        let list_all = wanted
            .iter()
            .any(|t| t.schema().is_some_and(|s| s == "information_schema"));
        let is_named = |name: &str| wanted.iter().any(|t| t.table() == name);
        let contents = self.contents()?;
        let observations = Arc::new(Stored::observations(contents.clone()));
        context
            .register_table(OBSERVATIONS, observations)
            .map_err(told)?;
        for span in RollupSpan::ALL {
            let name = Table::of(span).name();
            if is_named(name) || list_all {
                let view = rollups::view(context, &contents, span, self.options()).map_err(told)?;
                context.register_table(name, view).map_err(told)?;
            }
        }
        for table in known.tables.iter().filter(|t| !Table::is_name(&t.name)) {
            let named = is_named(&table.name);
            if !named && !list_all {
                continue;
            }
            let name = TableReference::bare(table.name.clone());
            if let Some(kind) = catalogue.kinds.values().find(|k| k.name == table.name) {
                let sql = wide::sql(kind);
                let plan = context
                    .state()
                    .create_logical_plan(&sql)
                    .await
                    .map_err(told)?;
                let view = ViewTable::new(plan, Some(sql));
                context.register_table(name, Arc::new(view)).map_err(told)?;
            } else if tables.is_paged(&table.name) {
                let paged = Paged::new(Arc::clone(tables), table);
                context
                    .register_table(name, Arc::new(paged))
                    .map_err(told)?;
            } else {
                let rows = if named {
                    tables.rows(&table.name).await?
                } else {
                    Vec::new()
                };
                let lent = lent(table, &rows).map_err(|e| match e {
                    Lent::Problem(problem) => problem,
                    Lent::Engine(e) => told(e),
                })?;
                context.register_table(name, Arc::new(lent)).map_err(told)?;
            }
        }
        Ok(())
    }
}

enum Lent {
    Problem(Problem),
    Engine(DataFusionError),
}

fn lent(table: &RecordTable, rows: &[Vec<serde_json::Value>]) -> Result<MemTable, Lent> {
    let batch = records::batch(table, rows).map_err(Lent::Problem)?;
    MemTable::try_new(records::schema(table), vec![vec![batch]]).map_err(Lent::Engine)
}

async fn run_on<T: Send + 'static>(
    engine: &Engine,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Problem> {
    engine.run(work).await.ok_or_else(|| {
        Problem::new(
            "sql-crashed",
            "the query ran into a fault of the engine",
            "statement",
            "write it another way, and report this statement",
        )
    })
}

/// Takes at most `rows_max` rows, counting their memory.
async fn collect(
    frame: DataFrame,
    rows_max: usize,
    pool: Arc<dyn MemoryPool>,
) -> Result<Batches, DataFusionError> {
    let answer = MemoryConsumer::new("answer").register(&pool);
    let mut stream = frame.execute_stream().await?;
    let schema = stream.schema();
    let mut batches = Vec::new();
    let mut rows = 0;
    let mut truncated = false;
    while let Some(batch) = stream.next().await {
        let mut batch = batch?;
        if rows + batch.num_rows() > rows_max {
            truncated = true;
            batch = batch.slice(0, rows_max - rows);
        }
        rows += batch.num_rows();
        if batch.num_rows() > 0 {
            answer.try_grow(result::bytes(&batch))?;
            batches.push(batch);
        }
        if truncated {
            break;
        }
    }
    Ok(Batches {
        schema,
        batches,
        truncated,
    })
}
