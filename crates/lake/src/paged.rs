//! A lent table that is read page by page while a query runs, so that a million current values are never
//! copied at once. Columns that are not asked for are not made, and what a statement asks of a text column
//! with `=` or `IN` reaches the lender. Each page is of its own moment: a row that changes meanwhile is seen
//! once, as before or as after.

use crate::records::{self, RecordTable, RecordTables, Wanted};
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::ScalarValue;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use std::fmt;
use std::sync::Arc;

/// A lent table, read page by page.
pub(crate) struct Paged {
    lender: Arc<dyn RecordTables>,
    name: String,
    schema: SchemaRef,
}

impl Paged {
    pub fn new(lender: Arc<dyn RecordTables>, table: &RecordTable) -> Self {
        Self {
            lender,
            name: table.name.clone(),
            schema: records::schema(table),
        }
    }

    /// The column and the texts of `column = 'text'`, of such joined by OR, and of `column IN ('text', …)`.
    fn texts(&self, filter: &Expr) -> Option<(usize, Vec<String>)> {
        let text = |expr: &Expr| match expr {
            Expr::Literal(value, _) => text_of(value),
            _ => None,
        };
        let column = |expr: &Expr| match expr {
            Expr::Column(column) => self.schema.index_of(&column.name).ok(),
            _ => None,
        };
        match filter {
            Expr::BinaryExpr(compared) if compared.op == Operator::Eq => {
                let (left, right) = (&compared.left, &compared.right);
                let found = column(left).zip(text(right));
                let (column, text) = found.or_else(|| column(right).zip(text(left)))?;
                Some((column, vec![text]))
            }
            // The planner writes a short list so.
            Expr::BinaryExpr(either) if either.op == Operator::Or => {
                let (column, mut texts) = self.texts(&either.left)?;
                let (other, more) = self.texts(&either.right)?;
                texts.extend(more);
                (column == other).then_some((column, texts))
            }
            Expr::InList(list) if !list.negated => {
                let texts = list.list.iter().map(text).collect::<Option<_>>()?;
                Some((column(&list.expr)?, texts))
            }
            _ => None,
        }
    }
}

fn text_of(value: &ScalarValue) -> Option<String> {
    value.try_as_str().flatten().map(str::to_owned)
}

impl fmt::Debug for Paged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Paged").field(&self.name).finish()
    }
}

#[async_trait]
impl TableProvider for Paged {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let pushed = |filter: &&Expr| match self.texts(filter) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(pushed).collect())
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = match projection {
            Some(columns) => columns.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let schema = Arc::new(self.schema.project(&columns)?);
        let pages = Pages {
            lender: Arc::clone(&self.lender),
            name: self.name.clone(),
            wanted: Wanted {
                columns,
                equal: filters.iter().filter_map(|f| self.texts(f)).collect(),
            },
            schema: Arc::clone(&schema),
        };
        let pages: Vec<Arc<dyn PartitionStream>> = vec![Arc::new(pages)];
        let plan = StreamingTableExec::try_new(schema, pages, None, None, false, limit)?;
        Ok(Arc::new(plan))
    }
}

/// The pages that one scan reads.
struct Pages {
    lender: Arc<dyn RecordTables>,
    name: String,
    wanted: Wanted,
    schema: SchemaRef,
}

impl Pages {
    /// The page after `after`, with what to ask for the one that follows.
    fn page(&self, after: Option<&str>) -> Result<(RecordBatch, Option<String>)> {
        let page = self
            .lender
            .page(&self.name, &self.wanted, after)
            .map_err(|problem| DataFusionError::External(Box::new(problem)))?;
        let options = RecordBatchOptions::new().with_row_count(Some(page.rows));
        let schema = Arc::clone(&self.schema);
        let batch = RecordBatch::try_new_with_options(schema, page.arrays, &options)?;
        Ok((batch, page.next))
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("name", &self.name)
            .field("wanted", &self.wanted)
            .finish()
    }
}

impl PartitionStream for Pages {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let pages = Self {
            lender: Arc::clone(&self.lender),
            name: self.name.clone(),
            wanted: self.wanted.clone(),
            schema: Arc::clone(&self.schema),
        };
        // `Some(after)`: there is a page to ask for; the first is asked for with nothing.
        let stream = futures::stream::try_unfold(Some(None::<String>), move |state| {
            let answer = match state {
                None => Ok(None),
                Some(after) => pages
                    .page(after.as_deref())
                    .map(|(batch, next)| Some((batch, next.map(Some)))),
            };
            std::future::ready(answer)
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            stream,
        ))
    }
}
