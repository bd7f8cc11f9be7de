//! What the asker may see of history: rows that are not for them are taken out before anything of the statement looks at
//! them. A condition of the statement is never evaluated on a hidden row, so that an error or a time cannot tell what it
//! holds; only plain comparisons reach the files below, which leave out whole files and pages.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;
use std::fmt;
use std::sync::Arc;

/// The columns by which a row is judged.
const KEYS: [&str; 3] = ["entity_id", "entity_type", "attribute"];

/// What an asker may see of history.
pub trait Sight: Send + Sync + fmt::Debug {
    /// Whether the asker may see this attribute of this entity.
    fn sees(&self, entity_id: &str, entity_type: &str, attribute: &str) -> bool;
}

/// A table of history without the rows that the asker may not see.
pub(crate) struct Seen {
    inner: Arc<dyn TableProvider>,
    sight: Arc<dyn Sight>,
}

impl Seen {
    pub fn new(inner: Arc<dyn TableProvider>, sight: Arc<dyn Sight>) -> Self {
        Self { inner, sight }
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seen({:?})", self.inner)
    }
}

/// Whether evaluating it on a row can tell nothing about the row: a comparison of a column with a constant, and such joined.
fn is_plain(filter: &Expr) -> bool {
    let column = |e: &Expr| matches!(e, Expr::Column(_));
    let constant = |e: &Expr| matches!(e, Expr::Literal(..));
    match filter {
        Expr::BinaryExpr(b) => match b.op {
            Operator::And | Operator::Or => is_plain(&b.left) && is_plain(&b.right),
            Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq => {
                (column(&b.left) && constant(&b.right)) || (constant(&b.left) && column(&b.right))
            }
            _ => false,
        },
        Expr::InList(list) => column(&list.expr) && list.list.iter().all(constant),
        Expr::Between(between) => {
            column(&between.expr) && constant(&between.low) && constant(&between.high)
        }
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => column(inner),
        Expr::Not(inner) => is_plain(inner),
        _ => false,
    }
}

#[async_trait]
impl TableProvider for Seen {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let pushed = |filter: &&Expr| match is_plain(filter) {
            true => TableProviderFilterPushDown::Inexact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(pushed).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.schema();
        let wanted: Vec<usize> = match projection {
            Some(columns) => columns.clone(),
            None => (0..schema.fields().len()).collect(),
        };
        let mut read = wanted.clone();
        let mut keys = [0; KEYS.len()];
        for (key, name) in keys.iter_mut().zip(KEYS) {
            let column = schema.index_of(name)?;
            *key = read.iter().position(|c| *c == column).unwrap_or_else(|| {
                read.push(column);
                read.len() - 1
            });
        }
        let plain: Vec<Expr> = filters.iter().filter(|f| is_plain(f)).cloned().collect();
        let input = self.inner.scan(state, Some(&read), &plain, None).await?;
        Ok(Arc::new(SeenRows::new(
            input,
            keys,
            wanted.len(),
            Arc::clone(&self.sight),
        )?))
    }
}

/// The rows of its input that may be seen, without the columns that only judging needed.
struct SeenRows {
    input: Arc<dyn ExecutionPlan>,
    keys: [usize; KEYS.len()],
    /// How many columns of the input go on.
    columns: usize,
    sight: Arc<dyn Sight>,
    properties: Arc<PlanProperties>,
}

impl SeenRows {
    fn new(
        input: Arc<dyn ExecutionPlan>,
        keys: [usize; KEYS.len()],
        columns: usize,
        sight: Arc<dyn Sight>,
    ) -> Result<Self> {
        let kept: Vec<usize> = (0..columns).collect();
        let schema = Arc::new(input.schema().project(&kept)?);
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            input,
            keys,
            columns,
            sight,
            properties: Arc::new(properties),
        })
    }
}

impl fmt::Debug for SeenRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeenRows")
    }
}

impl DisplayAs for SeenRows {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeenRows")
    }
}

impl ExecutionPlan for SeenRows {
    fn name(&self) -> &str {
        "SeenRows"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().unwrap_or_else(|| Arc::clone(&self.input));
        let sight = Arc::clone(&self.sight);
        Ok(Arc::new(Self::new(input, self.keys, self.columns, sight)?))
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
        let (keys, sight) = (self.keys, Arc::clone(&self.sight));
        let kept: Vec<usize> = (0..self.columns).collect();
        let rows = self.input.execute(partition, context)?.map(move |batch| {
            let batch = batch?;
            let seen = seen(&batch, keys, sight.as_ref())?;
            Ok(filter_record_batch(&batch.project(&kept)?, &seen)?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}

/// Which rows may be seen. Rows of one series mostly follow each other, and are judged once.
fn seen(batch: &RecordBatch, keys: [usize; KEYS.len()], sight: &dyn Sight) -> Result<BooleanArray> {
    let texts = |column: usize| cast(batch.column(column), &DataType::Utf8View);
    let [ids, types, attributes] = [texts(keys[0])?, texts(keys[1])?, texts(keys[2])?];
    let (ids, types) = (ids.as_string_view(), types.as_string_view());
    let attributes = attributes.as_string_view();
    let mut last: Option<(&str, &str, &str, bool)> = None;
    let rows = 0..batch.num_rows();
    Ok(rows
        .map(|row| {
            let series = (ids.value(row), types.value(row), attributes.value(row));
            if let Some((id, kind, attribute, seen)) = last
                && (id, kind, attribute) == series
            {
                return Some(seen);
            }
            let is_whole = ids.is_valid(row) && types.is_valid(row) && attributes.is_valid(row);
            let seen = is_whole && sight.sees(series.0, series.1, series.2);
            last = Some((series.0, series.1, series.2, seen));
            Some(seen)
        })
        .collect())
}
