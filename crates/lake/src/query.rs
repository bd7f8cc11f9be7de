//! SQL over the lake, within limits.

use crate::answer::Answer;
use crate::errors::{Known, sql_problem, time_problem};
use crate::lake::Lake;
use crate::layout::Table;
use crate::paged::Paged;
use crate::records::{self, RecordTable, RecordTables};
use crate::result;
use crate::rollups;
use crate::schema::{ColumnKind, OBSERVATIONS};
use crate::sight::Seen;
use crate::stored::Stored;
use crate::{statement, veil, views, wide};
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{ScalarValue, TableReference};
use datafusion::datasource::{MemTable, TableProvider, ViewTable};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SQLOptions, SessionContext};
use datafusion::sql::parser::Statement;
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

/// A statement with what it is asked over.
#[derive(Clone)]
pub struct Question<'a> {
    /// One reading statement.
    pub sql: &'a str,
    /// Values for `$1`, `$2`, …, in order.
    pub parameters: Vec<ScalarValue>,
    /// The tables lent by other rooms.
    pub tables: Arc<dyn RecordTables>,
    /// The entity types, each a wide view.
    pub catalogue: &'a Catalogue,
    /// The zone in which clocks are read and days begin, by its IANA name or as an offset such as `+08:00`. `None` reads
    /// them in UTC, with the engine's own types for `now()` and what is cast to a time.
    pub zone: Option<Arc<str>>,
}

/// What a statement would answer.
#[derive(Clone, Debug)]
pub struct Described {
    /// The columns.
    pub schema: SchemaRef,
    /// The type of each parameter, `None` where the statement does not show it.
    pub parameters: Vec<Option<DataType>>,
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
        let question = Question {
            sql,
            parameters: Vec::new(),
            tables,
            catalogue,
            zone: None,
        };
        self.answer(question, limits, false).await?.collect().await
    }

    /// As [`Self::query`], answered batch by batch: whoever asks takes each when it is ready for it.
    /// Time runs until the last batch is taken; answers of this kind never take the last turn among the
    /// [`crate::Options::queries_max`], so that a slow reader cannot hold up everybody else.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn query_stream(
        &self,
        question: Question<'_>,
        limits: &Limits,
    ) -> Result<Answer, Problem> {
        self.answer(question, limits, true).await
    }

    /// Plans a statement without running it. Parameters given by the question say their type; the
    /// value itself does not matter.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn describe(
        &self,
        question: Question<'_>,
        limits: &Limits,
    ) -> Result<Described, Problem> {
        let work = async {
            let known = Known {
                tables: self.tables(question.catalogue, question.tables.as_ref()),
            };
            let told = |e: DataFusionError| sql_problem(&e, &known, limits);
            let (context, statement) = self.prepare(&question, &known, limits, false).await?;
            let plan = plan(&context, statement).await.map_err(told)?;
            let types = plan.get_parameter_types().map_err(told)?;
            let count = types.keys().filter_map(|id| number(id)).max().unwrap_or(0);
            let mut parameters = vec![None; count.max(question.parameters.len())];
            for (id, data_type) in types {
                if let Some(n) = number(&id) {
                    parameters[n - 1] = data_type;
                }
            }
            for (parameter, given) in parameters.iter_mut().zip(&question.parameters) {
                if !given.data_type().is_null() {
                    *parameter = Some(given.data_type());
                }
            }
            // A bare parameter has no type of its own until it has a value.
            let typed = parameters.iter().map(|data_type| {
                ScalarValue::try_from(data_type.as_ref().unwrap_or(&DataType::Utf8))
            });
            let typed: Vec<ScalarValue> = typed.collect::<Result<_, _>>().map_err(told)?;
            let plan = if typed.is_empty() {
                plan
            } else {
                plan.with_param_values(typed).map_err(told)?
            };
            Ok(Described {
                schema: Arc::clone(plan.schema().inner()),
                parameters,
            })
        };
        tokio::time::timeout(limits.time_max, work)
            .await
            .unwrap_or_else(|_| Err(time_problem(limits)))
    }

    async fn answer(
        &self,
        question: Question<'_>,
        limits: &Limits,
        leaves_a_turn: bool,
    ) -> Result<Answer, Problem> {
        let deadline = tokio::time::Instant::now() + limits.time_max;
        tokio::time::timeout_at(deadline, async {
            let turn = self.engine.turn(leaves_a_turn).await;
            let known = Known {
                tables: self.tables(question.catalogue, question.tables.as_ref()),
            };
            let (context, statement) = self.prepare(&question, &known, limits, true).await?;
            let parameters = question.parameters;
            let pool = Arc::clone(&context.runtime_env().memory_pool);
            let frame = async move {
                let mut plan = plan(&context, statement).await?;
                if !parameters.is_empty() {
                    plan = plan.with_param_values(parameters)?;
                }
                context.execute_logical_plan(plan).await
            };
            Answer::start(&self.engine, turn, pool, limits, deadline, known, frame).await
        })
        .await
        .unwrap_or_else(|_| Err(time_problem(limits)))
    }

    /// Runs a frame built over all observations within limits.
    pub(crate) async fn run_frame(
        &self,
        limits: &Limits,
        build: impl FnOnce(DataFrame) -> Result<DataFrame, DataFusionError> + Send + 'static,
    ) -> Result<Batches, Problem> {
        let deadline = tokio::time::Instant::now() + limits.time_max;
        let open = async {
            let turn = self.engine.turn(false).await;
            let context = self.engine.session(limits.memory_bytes_max, None);
            let pool = Arc::clone(&context.runtime_env().memory_pool);
            let observations = Stored::observations(self.contents()?);
            let frame = async move { build(context.read_table(Arc::new(observations))?) };
            let known = Known { tables: Vec::new() };
            Answer::start(&self.engine, turn, pool, limits, deadline, known, frame).await
        };
        tokio::time::timeout_at(deadline, open)
            .await
            .unwrap_or_else(|_| Err(time_problem(limits)))?
            .collect()
            .await
    }

    /// Reads the statement and makes a session that knows the tables it names.
    async fn prepare(
        &self,
        question: &Question<'_>,
        known: &Known,
        limits: &Limits,
        with_rows: bool,
    ) -> Result<(SessionContext, Statement), Problem> {
        let statement = statement::parse(question.sql, known, limits.statement_bytes_max)?;
        let context = self
            .engine
            .session(limits.memory_bytes_max, question.zone.as_deref());
        let wanted = context
            .state()
            .resolve_table_references(&statement)
            .map_err(|e| sql_problem(&e, known, limits))?;
        let wanted = views::with_reads(wanted, &question.catalogue.views);
        self.register(&context, &wanted, known, question, limits, with_rows)
            .await?;
        Ok((context, statement))
    }

    /// Makes the tables that the statement names known to the session; all of them, without the rows of
    /// those lent, when it asks for the list of tables.
    async fn register(
        &self,
        context: &SessionContext,
        wanted: &[TableReference],
        known: &Known,
        question: &Question<'_>,
        limits: &Limits,
        with_rows: bool,
    ) -> Result<(), Problem> {
        let told = |e: DataFusionError| sql_problem(&e, known, limits);
        let list_all = wanted
            .iter()
            .any(|t| t.schema().is_some_and(|s| s == "information_schema"));
        let is_named = |name: &str| wanted.iter().any(|t| t.table() == name);
        let lent: Vec<String> = question
            .tables
            .tables()
            .into_iter()
            .map(|t| t.name)
            .collect();
        let mut entries = self.department_tables();
        entries.retain(|entry| !lent.contains(&entry.name));
        let contents = self.contents()?;
        let sight = question.tables.sight();
        let seen = |table: Arc<dyn TableProvider>| match &sight {
            Some(sight) => Arc::new(Seen::new(table, Arc::clone(sight))),
            None => table,
        };
        let observations = seen(Arc::new(Stored::observations(contents.clone())));
        let veil = question.tables.veil();
        for function in veil.iter().flat_map(veil::functions) {
            context.register_udf(function);
        }
        context
            .register_table(OBSERVATIONS, Arc::clone(&observations))
            .map_err(told)?;
        for span in RollupSpan::ALL {
            let name = Table::of(span).name();
            if is_named(name) || list_all {
                let view =
                    rollups::view(context, &contents, span, &self.histories()).map_err(told)?;
                context.register_table(name, seen(view)).map_err(told)?;
            }
        }
        // The views of current values are planned over the lent table, whether the statement names that or not.
        let current = question.tables.current();
        let sql_of = |table: &str| {
            let kinds = &question.catalogue.kinds;
            match kinds.get(table) {
                Some(kind) => Some(wide::sql(kind, veil.is_some())),
                None => {
                    let kind = kinds.get(wide::type_of_now(table)?)?;
                    Some(wide::sql_now(kind, current?))
                }
            }
        };
        // Tables that packs declare are planned last, over what the statement itself can name.
        let declared = |name: &str| {
            let is_other = || lent.iter().any(|t| t == name) || sql_of(name).is_some();
            question.catalogue.view(name).filter(|_| !is_other())
        };
        let is_asked = |name: &str| is_named(name) || list_all;
        let of_now = |table: &&RecordTable| {
            wide::type_of_now(&table.name)
                .is_some_and(|kind| question.catalogue.kinds.contains_key(kind))
        };
        let needs_current = known
            .tables
            .iter()
            .filter(of_now)
            .any(|t| is_asked(&t.name));
        if let Some(current) = current.filter(|_| needs_current)
            && let Some(table) = known.tables.iter().find(|t| t.name == current)
        {
            let paged = Paged::new(Arc::clone(&question.tables), table);
            context
                .register_table(TableReference::bare(current), Arc::new(paged))
                .map_err(told)?;
        }
        for table in known.tables.iter().filter(|t| !Table::is_name(&t.name)) {
            let named = is_named(&table.name);
            let is_there = needs_current && current == Some(table.name.as_str());
            if !is_asked(&table.name) || is_there || declared(&table.name).is_some() {
                continue;
            }
            let name = TableReference::bare(table.name.clone());
            if let Some(sql) = sql_of(&table.name) {
                let plan = context
                    .state()
                    .create_logical_plan(&sql)
                    .await
                    .map_err(told)?;
                let view = ViewTable::new(plan, Some(sql));
                context.register_table(name, Arc::new(view)).map_err(told)?;
            } else if question.tables.is_paged(&table.name) {
                let paged = Paged::new(Arc::clone(&question.tables), table);
                context
                    .register_table(name, Arc::new(paged))
                    .map_err(told)?;
            } else if let Some(entry) = entries.iter().find(|e| e.name == table.name) {
                if named && with_rows {
                    self.engine.verified.verify(&entry.expected()).await?;
                }
                let provider = entry.provider(self.dir()).map_err(told)?;
                context.register_table(name, provider).map_err(told)?;
            } else {
                let rows = if named && with_rows {
                    question.tables.rows(&table.name).await?
                } else {
                    Vec::new()
                };
                let lent = as_table(table, &rows).map_err(|e| match e {
                    Lent::Problem(problem) => problem,
                    Lent::Engine(e) => told(e),
                })?;
                context.register_table(name, Arc::new(lent)).map_err(told)?;
            }
        }
        // The wide views are planned, over what is stored; what a statement can name is behind the veil.
        if let Some(veil) = &veil {
            let veiled = veil::observations(context, observations, veil).map_err(told)?;
            context.deregister_table(OBSERVATIONS).map_err(told)?;
            context
                .register_table(OBSERVATIONS, Arc::new(veiled))
                .map_err(told)?;
            context.deregister_udf(veil::SHOWN);
            context.deregister_udf(veil::SHOWN_JSON);
        }
        for view in &question.catalogue.views {
            let is_listed = known.tables.iter().any(|t| t.name == view.name);
            if is_listed && is_asked(&view.name) && declared(&view.name).is_some() {
                views::register(context, view, known, limits).await?;
            }
        }
        Ok(())
    }
}

/// Plans a statement that only reads.
pub(crate) async fn plan(
    context: &SessionContext,
    statement: Statement,
) -> Result<LogicalPlan, DataFusionError> {
    let plan = context.state().statement_to_plan(statement).await?;
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan)?;
    Ok(plan)
}

/// Most parameters of a statement.
const PARAMETERS_MAX: usize = 1_000;

/// The number of a parameter, from 1.
fn number(id: &str) -> Option<usize> {
    let n = id.strip_prefix('$')?.parse().ok()?;
    (1..=PARAMETERS_MAX).contains(&n).then_some(n)
}

enum Lent {
    Problem(Problem),
    Engine(DataFusionError),
}

fn as_table(table: &RecordTable, rows: &[Vec<serde_json::Value>]) -> Result<MemTable, Lent> {
    let batch = records::batch(table, rows).map_err(Lent::Problem)?;
    MemTable::try_new(records::schema(table), vec![vec![batch]]).map_err(Lent::Engine)
}
