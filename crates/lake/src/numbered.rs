//! The second half of a GROUP BY over numbers instead of names. A city has some thousand names of things and attributes and
//! millions of groups of them by time: looked up whole, a name of fifty letters would be hashed, compared and copied for
//! each group. Between the two halves a number stands for each; rows of one name follow each other, so that it is
//! looked up once for all of them. When the groups are done, the names are put back.

use crate::runs::Runs;
use crate::schema::{OBSERVATION_COLUMNS, column};
use arrow::array::{Array, AsArray, RecordBatch, StringViewArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, UInt32Type};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, InputOrderMode,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;
use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::Mutex;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

/// Columns whose names are few beside the rows.
const NAMES: [usize; 3] = [column::ENTITY_ID, column::ENTITY_TYPE, column::ATTRIBUTE];

/// Puts numbers in the place of names between the halves of every GROUP BY whose first goes by runs.
#[derive(Debug)]
pub(crate) struct ByNumbers;

impl PhysicalOptimizerRule for ByNumbers {
    fn name(&self) -> &str {
        "by_numbers"
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
            Ok(match replaced(&node)? {
                Some(named) => Transformed::yes(named),
                None => Transformed::no(node),
            })
        })?;
        Ok(replaced.data)
    }
}

/// The second half of a GROUP BY by numbers; `None` where there is nothing to gain, or it is not understood.
fn replaced(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(last) = node.downcast_ref::<AggregateExec>() else {
        return Ok(None);
    };
    let Some(spread) = last.input().downcast_ref::<RepartitionExec>() else {
        return Ok(None);
    };
    let Some(runs) = spread.input().downcast_ref::<Runs>() else {
        return Ok(None);
    };
    let fits = *last.mode() == AggregateMode::FinalPartitioned
        && last.limit_options().is_none()
        && *last.input_order_mode() == InputOrderMode::Linear
        && !spread.preserve_order()
        && matches!(spread.partitioning(), Partitioning::Hash(..));
    let keys = runs.names(&NAMES.map(|column| OBSERVATION_COLUMNS[column].0))?;
    if !fits || keys.is_empty() {
        return Ok(None);
    }
    let names = Arc::new(Names::default());
    let numbered = Swapped::numbered(spread.input(), &keys, &names);
    let spread = RepartitionExec::try_new(Arc::new(numbered), spread.partitioning().clone())?;
    let numbers = AggregateExec::try_new(
        *last.mode(),
        last.group_expr().clone(),
        last.aggr_expr().to_vec(),
        last.filter_expr().to_vec(),
        Arc::new(spread),
        last.input_schema(),
    )?;
    Ok(Some(Arc::new(Swapped {
        input: Arc::new(numbers),
        keys,
        to: To::Names,
        names,
        properties: Arc::clone(node.properties()),
    })))
}

/// Whether a group expression is a column of one of some names, with a text.
pub(crate) fn is_name(expr: &Arc<dyn PhysicalExpr>, schema: &Schema, names: &[&str]) -> bool {
    expr.downcast_ref::<Column>().is_some_and(|column| {
        let is_text = |field: &Field| *field.data_type() == DataType::Utf8View;
        names.contains(&column.name())
            && schema
                .fields()
                .get(column.index())
                .is_some_and(|f| is_text(f))
    })
}

/// The names of one query, each with its number.
#[derive(Default)]
struct Names(Mutex<Held>);

#[derive(Default)]
struct Held {
    hasher: DefaultHashBuilder,
    numbers: HashTable<u32>,
    texts: Vec<Box<str>>,
    /// All texts, made when they are asked for.
    array: Option<StringViewArray>,
    reservation: Option<MemoryReservation>,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl Names {
    /// Counts the names' memory as the query's.
    fn begin(&self, context: &TaskContext) {
        let mut held = self.0.lock();
        if held.reservation.is_none() {
            let consumer = MemoryConsumer::new("names");
            held.reservation = Some(consumer.register(context.memory_pool()));
        }
    }

    fn numbers(&self, texts: &StringViewArray) -> Result<UInt32Array> {
        let mut held = self.0.lock();
        let mut before: Option<(u128, u32)> = None;
        let mut numbers = Vec::with_capacity(texts.len());
        for (row, view) in texts.views().iter().enumerate() {
            let number = match before {
                // Equal views are equal texts.
                Some((same, number)) if same == *view => number,
                _ if texts.is_null(row) => 0,
                _ => held.number(texts.value(row))?,
            };
            before = (!texts.is_null(row)).then_some((*view, number));
            numbers.push(number);
        }
        Ok(UInt32Array::new(numbers.into(), texts.nulls().cloned()))
    }

    /// The text of each number.
    fn texts(&self) -> StringViewArray {
        let mut held = self.0.lock();
        let held = &mut *held;
        match &held.array {
            Some(array) if array.len() == held.texts.len() => array.clone(),
            _ => {
                let array = StringViewArray::from_iter_values(held.texts.iter());
                held.array.insert(array).clone()
            }
        }
    }
}

impl Held {
    fn number(&mut self, text: &str) -> Result<u32> {
        let hash = self.hasher.hash_one(text);
        let is_same = |number: &u32| *self.texts[*number as usize] == *text;
        if let Some(number) = self.numbers.find(hash, is_same) {
            return Ok(*number);
        }
        let full = || DataFusionError::ResourcesExhausted("too many names".to_owned());
        let number = u32::try_from(self.texts.len()).map_err(|_| full())?;
        if let Some(reservation) = &mut self.reservation {
            // The text twice, its place and its number.
            reservation.try_grow(2 * text.len() + 64)?;
        }
        self.texts.push(text.into());
        let (hasher, texts) = (&self.hasher, &self.texts);
        let hash_of = |number: &u32| hasher.hash_one(&*texts[*number as usize]);
        self.numbers.insert_unique(hash, number, hash_of);
        Ok(number)
    }
}

/// Which way columns are changed.
#[derive(Clone, Copy, Debug)]
enum To {
    Numbers,
    Names,
}

/// Numbers in the place of names, or names in the place of numbers.
#[derive(Debug)]
struct Swapped {
    input: Arc<dyn ExecutionPlan>,
    /// Which columns are changed.
    keys: Vec<usize>,
    to: To,
    names: Arc<Names>,
    properties: Arc<PlanProperties>,
}

impl Swapped {
    /// Numbers in the place of names.
    fn numbered(input: &Arc<dyn ExecutionPlan>, keys: &[usize], names: &Arc<Names>) -> Self {
        let schema = input.schema();
        let field = |(n, field): (usize, &Arc<Field>)| match keys.contains(&n) {
            true => Arc::new(field.as_ref().clone().with_data_type(DataType::UInt32)),
            false => Arc::clone(field),
        };
        let fields: Vec<_> = schema.fields().iter().enumerate().map(field).collect();
        let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
        let before = input.properties();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::new(schema)),
            Partitioning::UnknownPartitioning(before.partitioning.partition_count()),
            before.emission_type,
            before.boundedness,
        );
        Self {
            input: Arc::clone(input),
            keys: keys.to_vec(),
            to: To::Numbers,
            names: Arc::clone(names),
            properties: Arc::new(properties),
        }
    }
}

impl DisplayAs for Swapped {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Swapped: to={:?}, columns={:?}", self.to, self.keys)
    }
}

impl ExecutionPlan for Swapped {
    fn name(&self) -> &str {
        "Swapped"
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
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next();
        let input =
            input.ok_or_else(|| DataFusionError::Internal("a child is expected".to_owned()))?;
        Ok(Arc::new(Self {
            input,
            keys: self.keys.clone(),
            to: self.to,
            names: Arc::clone(&self.names),
            properties: Arc::clone(&self.properties),
        }))
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
        self.names.begin(&context);
        let (keys, to, names) = (self.keys.clone(), self.to, Arc::clone(&self.names));
        let schema = self.schema();
        let swapped = self.input.execute(partition, context)?.map(move |batch| {
            let batch = batch?;
            let mut columns = batch.columns().to_vec();
            for key in &keys {
                let column = &columns[*key];
                columns[*key] = match to {
                    To::Numbers => Arc::new(names.numbers(column.as_string_view())?),
                    To::Names => take(&names.texts(), column.as_primitive::<UInt32Type>(), None)?,
                };
            }
            Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
        });
        let schema = self.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, swapped)))
    }
}
