//! The first half of a GROUP BY, by runs instead of by a hash table. Stored rows lie sorted by thing, attribute and
//! time, so that rows of one group nearly always follow each other: a group ends where a key differs from the row before,
//! which is far cheaper to see than to look every row up. Each run gives one row of partial state; the second half of the
//! GROUP BY, the engine's own, puts runs of one group together, so that the answer is right in any order.
//!
//! Where the runs turn out short, the rest of that partition goes to the engine's own first half.

use crate::numbered::is_name;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{partition, take};
use arrow::datatypes::{
    DataType, Float64Type, Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType,
    TimestampNanosecondType,
};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{
    AggregateExec, AggregateMode, PhysicalGroupBy, aggregate_expressions, evaluate_group_by,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::StreamExt;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;

/// Rows of a partition after which it is seen whether its runs are long enough.
const LOOK_ROWS: usize = 65_536;
/// Rows that a run must have at least, on average, to go on by runs.
const RUN_ROWS_MIN: usize = 2;

/// Puts [`Runs`] in the place of the first half of every GROUP BY that it can take.
#[derive(Debug)]
pub(crate) struct ByRuns;

impl PhysicalOptimizerRule for ByRuns {
    fn name(&self) -> &str {
        "by_runs"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let replaced = plan.transform_up(|node| {
            let fits = node.downcast_ref::<AggregateExec>().is_some_and(fits);
            Ok(if fits {
                Transformed::yes(Arc::new(Runs { partial: node }) as Arc<dyn ExecutionPlan>)
            } else {
                Transformed::no(node)
            })
        })?;
        Ok(replaced.data)
    }
}

/// A first half with plain groups whose state can be kept for many groups at once, over stored rows.
fn fits(aggregate: &AggregateExec) -> bool {
    let groups = aggregate.group_expr();
    *aggregate.mode() == AggregateMode::Partial
        && groups.is_single()
        && !groups.is_empty()
        && aggregate.limit_options().is_none()
        && aggregate.aggr_expr().iter().all(|function| {
            !function.is_distinct()
                && function.order_bys().is_empty()
                && function.groups_accumulator_supported()
        })
        && reads_files(aggregate.input())
}

fn reads_files(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.name() == "DataSourceExec" || plan.children().into_iter().any(reads_files)
}

/// The first half of a GROUP BY.
#[derive(Debug)]
pub(crate) struct Runs {
    /// The engine's own, an [`AggregateExec`]: says what is asked, and takes over where runs are short.
    partial: Arc<dyn ExecutionPlan>,
}

impl Runs {
    fn aggregate(&self) -> Result<&AggregateExec> {
        self.partial.downcast_ref().ok_or_else(|| {
            DataFusionError::Internal("a first half of a GROUP BY is expected".to_owned())
        })
    }

    /// Which of its groups' columns hold the texts of a column of one of these names.
    pub fn names(&self, names: &[&str]) -> Result<Vec<usize>> {
        let aggregate = self.aggregate()?;
        let schema = aggregate.input().schema();
        let groups = aggregate.group_expr().expr().iter().enumerate();
        let names = groups.filter(|(_, (expr, _))| is_name(expr, &schema, names));
        Ok(names.map(|(n, _)| n).collect())
    }
}

impl DisplayAs for Runs {
    fn fmt_as(&self, form: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Runs: ")?;
        self.aggregate().map_err(|_| fmt::Error)?.fmt_as(form, f)
    }
}

impl ExecutionPlan for Runs {
    fn name(&self) -> &str {
        "Runs"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.partial.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.partial.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.partial.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let partial = Arc::clone(&self.partial).replace_children(children, options)?;
        Ok(Arc::new(Self { partial }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        )
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let aggregate = self.aggregate()?;
        let work = Work {
            input: aggregate.input().execute(partition, Arc::clone(&context))?,
            folder: Folder::new(aggregate)?,
            partial: Arc::clone(&self.partial),
            context,
            rows: 0,
            runs: 0,
            rest: None,
        };
        let stream = futures::stream::try_unfold(work, Work::next);
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            stream,
        )))
    }
}

/// One partition under way.
struct Work {
    input: SendableRecordBatchStream,
    folder: Folder,
    partial: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    rows: usize,
    runs: usize,
    /// The engine's own first half over the rest of the input, once runs were found to be short.
    rest: Option<SendableRecordBatchStream>,
}

impl Work {
    async fn next(mut self) -> Result<Option<(RecordBatch, Self)>> {
        if self.rest.is_none() && self.rows >= LOOK_ROWS && self.rows < self.runs * RUN_ROWS_MIN {
            self.hand_over()?;
        }
        if let Some(rest) = &mut self.rest {
            let batch = rest.next().await.transpose()?;
            return Ok(batch.map(|batch| (batch, self)));
        }
        while let Some(batch) = self.input.next().await.transpose()? {
            if batch.num_rows() > 0 {
                let folded = self.folder.fold(&batch)?;
                self.rows += batch.num_rows();
                self.runs += folded.num_rows();
                return Ok(Some((folded, self)));
            }
        }
        Ok(None)
    }

    fn hand_over(&mut self) -> Result<()> {
        let schema = self.input.schema();
        let nothing = RecordBatchStreamAdapter::new(Arc::clone(&schema), futures::stream::empty());
        let input = std::mem::replace(&mut self.input, Box::pin(nothing));
        let once: Arc<dyn PartitionStream> = Arc::new(Once {
            schema: Arc::clone(&schema),
            stream: Mutex::new(Some(input)),
        });
        let once = StreamingTableExec::try_new(schema, vec![once], None, None, false, None)?;
        let partial = Arc::clone(&self.partial).replace_children(
            vec![Arc::new(once)],
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        )?;
        self.rest = Some(partial.execute(0, Arc::clone(&self.context))?);
        Ok(())
    }
}

/// A stream that was begun already, as a source.
struct Once {
    schema: SchemaRef,
    stream: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let begun = self.stream.lock().take();
        begun.unwrap_or_else(|| {
            let nothing = futures::stream::empty();
            Box::pin(RecordBatchStreamAdapter::new(
                Arc::clone(&self.schema),
                nothing,
            ))
        })
    }
}

/// Folds batches into rows of partial state.
struct Folder {
    groups: PhysicalGroupBy,
    arguments: Vec<Vec<Arc<dyn PhysicalExpr>>>,
    filters: Vec<Option<Arc<dyn PhysicalExpr>>>,
    states: Vec<Box<dyn GroupsAccumulator>>,
    schema: SchemaRef,
    /// For each row of the batch at hand, the number of its run.
    run_of: Vec<usize>,
}

impl Folder {
    fn new(aggregate: &AggregateExec) -> Result<Self> {
        let functions = aggregate.aggr_expr();
        let states = functions.iter().map(|f| f.create_groups_accumulator());
        Ok(Self {
            groups: aggregate.group_expr().clone(),
            arguments: aggregate_expressions(functions, aggregate.mode(), 0)?,
            filters: aggregate.filter_expr().to_vec(),
            states: states.collect::<Result<_>>()?,
            schema: aggregate.schema(),
            run_of: Vec::new(),
        })
    }

    /// One row for each run of rows with equal keys.
    fn fold(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let keys = evaluate_group_by(&self.groups, batch)?;
        let keys = keys.into_iter().next().unwrap_or_default();
        let mut begins = vec![false; rows];
        for key in &keys {
            mark(key, &mut begins)?;
        }
        self.run_of.clear();
        let mut first_rows: Vec<u32> = vec![0];
        for (row, begins) in (0..).zip(begins) {
            if begins && row > 0 {
                first_rows.push(row);
            }
            self.run_of.push(first_rows.len() - 1);
        }
        let runs = first_rows.len();
        let first_rows = UInt32Array::from(first_rows);
        let firsts = keys.iter().map(|key| take(key, &first_rows, None));
        let mut columns: Vec<ArrayRef> = firsts.collect::<std::result::Result<_, _>>()?;
        let evaluated = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(rows);
        for (n, state) in self.states.iter_mut().enumerate() {
            let values: Vec<ArrayRef> =
                (self.arguments[n].iter().map(evaluated)).collect::<Result<_>>()?;
            let filter = self.filters[n].as_ref().map(evaluated).transpose()?;
            let filter = filter.as_ref().map(|filter| filter.as_boolean());
            state.update_batch(&values, &self.run_of, filter, runs)?;
            columns.extend(state.state(EmitTo::All)?);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// Marks the rows whose key differs from the row before. It may mark more than those: a run is then given in two parts.
fn mark(key: &ArrayRef, begins: &mut [bool]) -> Result<()> {
    fn differing<T: PartialEq>(values: &[T], begins: &mut [bool]) {
        let pairs = values.iter().zip(values.get(1..).unwrap_or_default());
        for (begins, (before, now)) in begins.iter_mut().skip(1).zip(pairs) {
            *begins |= before != now;
        }
    }
    if let Some(nulls) = key.nulls() {
        let pairs = nulls.iter().zip(nulls.iter().skip(1));
        for (begins, (before, now)) in begins.iter_mut().skip(1).zip(pairs) {
            *begins |= before != now;
        }
    }
    match key.data_type() {
        // Equal views are equal texts; the same text may lie in two places.
        DataType::Utf8View => differing(key.as_string_view().views(), begins),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            differing(
                key.as_primitive::<TimestampMicrosecondType>().values(),
                begins,
            );
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            differing(
                key.as_primitive::<TimestampNanosecondType>().values(),
                begins,
            );
        }
        DataType::Int64 => differing(key.as_primitive::<Int64Type>().values(), begins),
        DataType::Float64 => {
            // By their bits: NaN is one group.
            let bits: Vec<u64> = (key.as_primitive::<Float64Type>().values().iter())
                .map(|value| value.to_bits())
                .collect();
            differing(&bits, begins);
        }
        _ => {
            for range in partition(std::slice::from_ref(key))?.ranges() {
                begins[range.start] = true;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, StringViewArray, TimestampMicrosecondArray};
    use arrow::datatypes::{Field, Schema};
    use datafusion::datasource::MemTable;
    use datafusion::execution::session_state::SessionStateBuilder;
    use datafusion::physical_plan::displayable;
    use datafusion::prelude::{SessionConfig, SessionContext};
    use proptest::prelude::*;

    const ASKED: [&str; 4] = [
        "SELECT thing, date_bin(INTERVAL '5 minutes', at) AS t, count(*), sum(value), avg(value), min(value), max(value) \
         FROM rows GROUP BY thing, t ORDER BY thing NULLS FIRST, t NULLS FIRST",
        "SELECT thing, count(value) FILTER (WHERE value > 2), sum(value) FROM rows GROUP BY thing ORDER BY thing NULLS FIRST",
        "SELECT value, count(*) FROM rows GROUP BY value ORDER BY value NULLS FIRST",
        "SELECT value > 2 AS high, max(thing), min(at) FROM rows GROUP BY high ORDER BY high NULLS FIRST",
    ];

    type Row = (Option<u8>, Option<i64>, Option<u8>);

    fn table(batches: &[Vec<Row>]) -> MemTable {
        let schema = Arc::new(Schema::new(vec![
            Field::new("thing", DataType::Utf8View, true),
            Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, None), true),
            Field::new("value", DataType::Float64, true),
        ]));
        let batch = |rows: &[Row]| {
            // Long enough that a view points elsewhere.
            let name = |n: u8| format!("urn:ngsi-ld:Thing:a-long-name-{n}");
            let things: StringViewArray = rows.iter().map(|(n, ..)| n.map(name)).collect();
            let times = rows.iter().map(|(_, at, _)| at.map(|s| s * 1_000_000));
            let times: TimestampMicrosecondArray = times.collect();
            let values: Float64Array = rows.iter().map(|(.., v)| v.map(f64::from)).collect();
            let columns: Vec<ArrayRef> = vec![Arc::new(things), Arc::new(times), Arc::new(values)];
            RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
        };
        let partition = |rows: &Vec<Row>| rows.chunks(4_096).map(batch).collect();
        let partitions = batches.iter().map(partition).collect();
        MemTable::try_new(schema, partitions).unwrap()
    }

    async fn asked(sql: &str, batches: &[Vec<Row>], by_runs: bool) -> (String, bool) {
        let mut state = SessionStateBuilder::new()
            .with_config(SessionConfig::new().with_target_partitions(2))
            .with_default_features();
        if by_runs {
            state = state.with_physical_optimizer_rule(Arc::new(ByRuns));
        }
        let context = SessionContext::new_with_state(state.build());
        context
            .register_table("rows", Arc::new(table(batches)))
            .unwrap();
        let frame = context.sql(sql).await.unwrap();
        let plan = frame.clone().create_physical_plan().await.unwrap();
        let plan = displayable(plan.as_ref()).indent(false).to_string();
        let answer = frame.to_string().await.unwrap();
        (answer, plan.contains("Runs: "))
    }

    fn same(batches: &[Vec<Row>]) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for sql in ASKED {
            let (by_runs, used) = runtime.block_on(asked(sql, batches, true));
            let (by_hashes, not_used) = runtime.block_on(asked(sql, batches, false));
            assert_eq!(by_runs, by_hashes, "{sql}");
            assert!(used && !not_used, "{sql}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn runs_and_hashes_agree(
            mut batches in prop::collection::vec(prop::collection::vec(
                (prop::option::of(0..4_u8), prop::option::of(0..1_200_i64), prop::option::of(0..5_u8)), 1..60), 2..5),
            sorted in any::<bool>(),
        ) {
            if sorted {
                batches.iter_mut().for_each(|rows| rows.sort());
            }
            same(&batches);
        }
    }

    #[test]
    fn short_runs_go_to_the_hash_table() {
        let scattered = |n: i64| {
            (
                Some((n * 7 % 3) as u8),
                Some(n * 311 % 1_200),
                Some((n % 5) as u8),
            )
        };
        let rows: Vec<Row> = (0..100_000).map(scattered).collect();
        same(&[rows.clone(), rows]);
    }
}
