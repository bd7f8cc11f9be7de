//! An answer under way: the engine computes it on its own threads a few batches ahead of whoever takes
//! them, within the query's limits, and stops when nobody wants it any more.

use crate::engine::{Engine, Turn};
use crate::errors::{Known, sql_problem, time_problem};
use crate::query::{Batches, Limits};
use crate::result;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use model::Problem;
use std::sync::{Arc, OnceLock};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Batches computed ahead of whoever takes them; their memory counts towards the query's limit.
const BATCHES_AHEAD: usize = 4;

/// How the work ended: whether rows were cut off, or why it failed.
type End = Arc<OnceLock<Result<bool, Problem>>>;

/// An answer that arrives batch by batch. Dropping it stops the query.
pub struct Answer {
    schema: SchemaRef,
    batches: mpsc::Receiver<RecordBatch>,
    end: End,
    held: Arc<MemoryReservation>,
    /// Memory of the batch handed out last, in bytes.
    handed_bytes: usize,
    deadline: Instant,
    limits: Limits,
    _work: JoinSet<()>,
}

impl Answer {
    /// Starts the work and waits until its columns are known.
    pub(crate) async fn start(
        engine: &Engine,
        turn: Turn,
        pool: Arc<dyn MemoryPool>,
        limits: &Limits,
        deadline: Instant,
        known: Known,
        frame: impl Future<Output = Result<DataFrame, DataFusionError>> + Send + 'static,
    ) -> Result<Self, Problem> {
        let held = Arc::new(MemoryConsumer::new("answer").register(&pool));
        let end = End::default();
        let (schema_send, schema) = oneshot::channel();
        let (batches_send, batches) = mpsc::channel(BATCHES_AHEAD);
        let work = {
            let (held, end, limits) = (Arc::clone(&held), Arc::clone(&end), limits.clone());
            let mut schema_send = Some(schema_send);
            async move {
                let _turn = turn;
                let rows_max = limits.rows_max;
                let made = produce(frame, &mut schema_send, &batches_send, &held, rows_max);
                let ended = match timeout_at(deadline, made).await {
                    Ok(made) => made.map_err(|e| sql_problem(&e, &known, &limits)),
                    Err(_) => Err(time_problem(&limits)),
                };
                // Told before the channels close, so that whoever sees them closed finds it.
                let _ = end.set(ended);
                drop((schema_send, batches_send));
            }
        };
        let work = engine.spawn(work).ok_or_else(crashed)?;
        let Ok(schema) = schema.await else {
            return Err(end
                .get()
                .and_then(|ended| ended.clone().err())
                .unwrap_or_else(crashed));
        };
        Ok(Self {
            schema,
            batches,
            end,
            held,
            handed_bytes: 0,
            deadline,
            limits: limits.clone(),
            _work: work,
        })
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The limits that it keeps.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The next rows; `None` when there are no more.
    ///
    /// # Errors
    /// Whatever ended the query early, `sql-time` and `sql-memory` among them.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Problem>> {
        self.held.shrink(std::mem::take(&mut self.handed_bytes));
        let next = self.take().await;
        if let Some(Ok(batch)) = &next {
            self.handed_bytes = result::bytes(batch);
        }
        next
    }

    async fn take(&mut self) -> Option<Result<RecordBatch, Problem>> {
        match timeout_at(self.deadline, self.batches.recv()).await {
            Err(_) => Some(Err(time_problem(&self.limits))),
            Ok(Some(batch)) => Some(Ok(batch)),
            Ok(None) => match self.end.get() {
                Some(Ok(_)) => None,
                Some(Err(problem)) => Some(Err(problem.clone())),
                None => Some(Err(crashed())),
            },
        }
    }

    /// Whether there were more rows than [`Limits::rows_max`]; known when [`Self::next`] has given `None`.
    pub fn truncated(&self) -> bool {
        matches!(self.end.get(), Some(Ok(true)))
    }

    /// All of it at once, its whole memory counted.
    pub(crate) async fn collect(mut self) -> Result<Batches, Problem> {
        let mut batches = Vec::new();
        while let Some(batch) = self.take().await {
            batches.push(batch?);
        }
        Ok(Batches {
            truncated: self.truncated(),
            schema: self.schema,
            batches,
        })
    }
}

/// Makes batches of at most `rows_max` rows in all, counting their memory; gives whether there were more.
async fn produce(
    frame: impl Future<Output = Result<DataFrame, DataFusionError>>,
    schema: &mut Option<oneshot::Sender<SchemaRef>>,
    batches: &mpsc::Sender<RecordBatch>,
    held: &MemoryReservation,
    rows_max: usize,
) -> Result<bool, DataFusionError> {
    let mut stream = frame.await?.execute_stream().await?;
    if let Some(schema) = schema.take() {
        let _ = schema.send(stream.schema());
    }
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let mut batch = batch?;
        let truncated = rows + batch.num_rows() > rows_max;
        if truncated {
            batch = batch.slice(0, rows_max - rows);
        }
        rows += batch.num_rows();
        if batch.num_rows() > 0 {
            held.try_grow(result::bytes(&batch))?;
            if batches.send(batch).await.is_err() {
                break;
            }
        }
        if truncated {
            return Ok(true);
        }
    }
    Ok(false)
}

fn crashed() -> Problem {
    Problem::new(
        "sql-crashed",
        "the query ran into a fault of the engine",
        "statement",
        "write it another way, and report this statement",
    )
}
