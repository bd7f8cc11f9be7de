//! The second half of a GROUP BY over numbers instead of names and times. A city has some thousand names of things and
//! attributes and millions of groups of them by time: looked up whole, a name of fifty letters would be hashed, compared
//! and copied for each group. Between the two halves one number stands for all keys of a group: its upper half for the
//! names, its lower half for the time. Rows of one name follow each other, so that it is looked up once for all of them.
//! When the groups are done, names and times are put back.

use crate::runs::Runs;
use crate::schema::{OBSERVATION_COLUMNS, column};
use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray, UInt32Array, UInt64Array,
};
use arrow::compute::{cast, take};
use arrow::datatypes::{
    DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
    TimestampNanosecondType, UInt64Type,
};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, InputOrderMode,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use parking_lot::Mutex;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

/// Columns whose names are few beside the rows.
const NAMES: [usize; 7] = [
    column::ENTITY_ID,
    column::ENTITY_TYPE,
    column::ATTRIBUTE,
    column::UNIT,
    column::QUALITY,
    column::DEVICE_ID,
    column::DOOR,
];
/// The column of numbers.
const KEY: &str = "key";

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
    let names = runs.names(&NAMES.map(|column| OBSERVATION_COLUMNS[column].0))?;
    let Some(shape) = Shape::of(&node.schema(), names, last.group_expr().expr().len()) else {
        return Ok(None);
    };
    if !fits {
        return Ok(None);
    }
    let shape = Arc::new(shape);
    let numbers = Arc::new(Numbers::new(shape.names.len()));
    let numbered = Swapped::numbered(spread.input(), &shape, &numbers);
    let key: Arc<dyn PhysicalExpr> = Arc::new(Column::new(KEY, 0));
    let parts = spread.partitioning().partition_count();
    let by_key = Partitioning::Hash(vec![Arc::clone(&key)], parts);
    let spread = RepartitionExec::try_new(Arc::new(numbered), by_key)?;
    let second = AggregateExec::try_new(
        *last.mode(),
        PhysicalGroupBy::new_single(vec![(key, KEY.to_owned())]),
        last.aggr_expr().to_vec(),
        last.filter_expr().to_vec(),
        Arc::new(spread),
        last.input_schema(),
    )?;
    Ok(Some(Arc::new(Swapped {
        input: Arc::new(second),
        to: To::Names,
        shape,
        numbers,
        properties: Arc::clone(node.properties()),
    })))
}

/// Which columns one number stands for.
#[derive(Debug)]
struct Shape {
    names: Vec<usize>,
    time: Option<usize>,
    /// How many columns that is.
    width: usize,
}

impl Shape {
    /// `None` where the first `width` columns, the keys, are others than names and one time or whole number.
    fn of(schema: &Schema, names: Vec<usize>, width: usize) -> Option<Self> {
        let mut others = (0..width).filter(|key| !names.contains(key));
        let time = others.next();
        let is_long = |key: usize| {
            matches!(
                schema.field(key).data_type(),
                DataType::Int64
                    | DataType::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, _)
            )
        };
        let fits = !names.is_empty() && others.next().is_none() && time.is_none_or(is_long);
        fits.then_some(Self { names, time, width })
    }
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

/// What the numbers of one query stand for.
struct Numbers(Mutex<Held>);

/// Stands for a name that is missing.
const MISSING: u32 = u32::MAX;

struct Held {
    hasher: DefaultHashBuilder,
    by_text: HashTable<u32>,
    texts: Vec<Box<str>>,
    by_names: HashMap<Box<[u32]>, u32>,
    /// For each column of names, the text of each number that stands for a row of names.
    names: Vec<Vec<u32>>,
    by_time: HashMap<Option<i64>, u32>,
    times: Vec<Option<i64>>,
    /// All texts, made when they are asked for.
    array: Option<StringViewArray>,
    reservation: Option<MemoryReservation>,
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numbers")
    }
}

impl Numbers {
    fn new(columns: usize) -> Self {
        Self(Mutex::new(Held {
            hasher: DefaultHashBuilder::default(),
            by_text: HashTable::new(),
            texts: Vec::new(),
            by_names: HashMap::new(),
            names: vec![Vec::new(); columns],
            by_time: HashMap::new(),
            times: Vec::new(),
            array: None,
            reservation: None,
        }))
    }

    /// Counts their memory as the query's.
    fn begin(&self, context: &TaskContext) {
        let mut held = self.0.lock();
        if held.reservation.is_none() {
            let consumer = MemoryConsumer::new("names");
            held.reservation = Some(consumer.register(context.memory_pool()));
        }
    }

    /// A number for the keys of each row.
    fn numbered(&self, batch: &RecordBatch, shape: &Shape) -> Result<UInt64Array> {
        let names: Vec<&StringViewArray> = (shape.names.iter())
            .map(|key| batch.column(*key).as_string_view())
            .collect();
        let times = shape.time.map(|key| batch.column(key));
        let longs = times.map(longs).transpose()?;
        let held = &mut *self.0.lock();
        let mut name = 0;
        let mut time: Option<(Option<i64>, u32)> = None;
        let mut numbers = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            // Equal views are equal texts.
            let is_same = |texts: &&StringViewArray| {
                texts.views()[row] == texts.views()[row - 1]
                    && texts.is_null(row) == texts.is_null(row - 1)
            };
            if row == 0 || !names.iter().all(is_same) {
                let texts = names.iter();
                let texts = texts.map(|texts| texts.is_valid(row).then(|| texts.value(row)));
                name = held.names(texts)?;
            }
            let mut number = u64::from(name) << 32;
            if let (Some(longs), Some(times)) = (longs, times) {
                let now = times.is_valid(row).then(|| longs[row]);
                let found = match time {
                    Some((before, found)) if before == now => found,
                    _ => held.time(now)?,
                };
                time = Some((now, found));
                number |= u64::from(found);
            }
            numbers.push(number);
        }
        Ok(numbers.into())
    }

    /// The keys that numbers stand for, in their order.
    fn keys(&self, numbers: &UInt64Array, shape: &Shape, schema: &Schema) -> Result<Vec<ArrayRef>> {
        let held = &mut *self.0.lock();
        let texts = held.array();
        let key = |column: usize| -> Result<ArrayRef> {
            let Some(at) = shape.names.iter().position(|name| *name == column) else {
                let found = numbers.values().iter();
                let found = found.map(|number| held.times[lower(*number)]);
                let found = found.collect::<Int64Array>();
                return Ok(cast(&found, schema.field(column).data_type())?);
            };
            let texts_of = &held.names[at];
            let found = numbers.values().iter().map(|number| {
                let text = texts_of[(number >> 32) as usize];
                (text != MISSING).then_some(text)
            });
            Ok(take(&texts, &found.collect::<UInt32Array>(), None)?)
        };
        (0..shape.width).map(key).collect()
    }
}

/// The values of a column of times or whole numbers, as they are kept.
fn longs(column: &ArrayRef) -> Result<&[i64]> {
    let values = match column.data_type() {
        DataType::Int64 => column.as_primitive::<Int64Type>().values(),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            column.as_primitive::<TimestampMicrosecondType>().values()
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            column.as_primitive::<TimestampNanosecondType>().values()
        }
        other => {
            let what = format!("a time or whole number is expected, not {other}");
            return Err(DataFusionError::Internal(what));
        }
    };
    Ok(values)
}

/// The half of a number that stands for a time.
fn lower(number: u64) -> usize {
    (number & u64::from(u32::MAX)) as usize
}

/// The next number after so many.
fn next(count: usize) -> Result<u32> {
    let number = u32::try_from(count).ok().filter(|n| *n != MISSING);
    number.ok_or_else(|| DataFusionError::ResourcesExhausted("too many groups".to_owned()))
}

impl Held {
    fn grow(&mut self, bytes: usize) -> Result<()> {
        match &mut self.reservation {
            Some(reservation) => reservation.try_grow(bytes),
            None => Ok(()),
        }
    }

    fn text(&mut self, text: &str) -> Result<u32> {
        let hash = self.hasher.hash_one(text);
        let is_same = |number: &u32| *self.texts[*number as usize] == *text;
        if let Some(number) = self.by_text.find(hash, is_same) {
            return Ok(*number);
        }
        let number = next(self.texts.len())?;
        // The text twice, its place and its number.
        self.grow(2 * text.len() + 64)?;
        self.texts.push(text.into());
        let (hasher, texts) = (&self.hasher, &self.texts);
        let hash_of = |number: &u32| hasher.hash_one(&*texts[*number as usize]);
        self.by_text.insert_unique(hash, number, hash_of);
        Ok(number)
    }

    /// The number of a row of names.
    fn names<'a>(&mut self, texts: impl Iterator<Item = Option<&'a str>>) -> Result<u32> {
        let texts = texts.map(|text| text.map_or(Ok(MISSING), |text| self.text(text)));
        let texts = texts.collect::<Result<Box<[u32]>>>()?;
        if let Some(number) = self.by_names.get(&texts) {
            return Ok(*number);
        }
        let number = next(self.by_names.len())?;
        self.grow(64 + 16 * texts.len())?;
        for (column, text) in self.names.iter_mut().zip(&texts) {
            column.push(*text);
        }
        self.by_names.insert(texts, number);
        Ok(number)
    }

    fn time(&mut self, time: Option<i64>) -> Result<u32> {
        if let Some(number) = self.by_time.get(&time) {
            return Ok(*number);
        }
        let number = next(self.times.len())?;
        self.grow(80)?;
        self.times.push(time);
        self.by_time.insert(time, number);
        Ok(number)
    }

    /// All texts.
    fn array(&mut self) -> StringViewArray {
        match &self.array {
            Some(array) if array.len() == self.texts.len() => array.clone(),
            _ => {
                let array = StringViewArray::from_iter_values(self.texts.iter());
                self.array.insert(array).clone()
            }
        }
    }
}

/// Which way columns are changed.
#[derive(Clone, Copy, Debug)]
enum To {
    Numbers,
    Names,
}

/// Numbers in the place of keys, or keys in the place of numbers.
#[derive(Debug)]
struct Swapped {
    input: Arc<dyn ExecutionPlan>,
    to: To,
    shape: Arc<Shape>,
    numbers: Arc<Numbers>,
    properties: Arc<PlanProperties>,
}

impl Swapped {
    /// Numbers in the place of keys.
    fn numbered(
        input: &Arc<dyn ExecutionPlan>,
        shape: &Arc<Shape>,
        numbers: &Arc<Numbers>,
    ) -> Self {
        let schema = input.schema();
        let key = Arc::new(Field::new(KEY, DataType::UInt64, false));
        let states = schema.fields().iter().skip(shape.width).cloned();
        let fields: Vec<_> = std::iter::once(key).chain(states).collect();
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
            to: To::Numbers,
            shape: Arc::clone(shape),
            numbers: Arc::clone(numbers),
            properties: Arc::new(properties),
        }
    }
}

impl DisplayAs for Swapped {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = &self.shape;
        write!(
            f,
            "Swapped: to={:?}, names={:?}, time={:?}",
            self.to, shape.names, shape.time
        )
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
            to: self.to,
            shape: Arc::clone(&self.shape),
            numbers: Arc::clone(&self.numbers),
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
        self.numbers.begin(&context);
        let (to, schema) = (self.to, self.schema());
        let (shape, numbers) = (Arc::clone(&self.shape), Arc::clone(&self.numbers));
        let swap = move |batch: RecordBatch| to.swap(&batch, &shape, &numbers, &schema);
        let input = self.input.execute(partition, context)?;
        let swapped = input.map(move |batch| swap(batch?));
        let schema = self.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, swapped)))
    }
}

impl To {
    fn swap(
        self,
        batch: &RecordBatch,
        shape: &Shape,
        numbers: &Numbers,
        schema: &SchemaRef,
    ) -> Result<RecordBatch> {
        let (mut columns, rest): (Vec<ArrayRef>, usize) = match self {
            Self::Numbers => {
                let key = numbers.numbered(batch, shape)?;
                (vec![Arc::new(key)], shape.width)
            }
            Self::Names => {
                let key = batch.column(0).as_primitive::<UInt64Type>();
                (numbers.keys(key, shape, schema)?, 1)
            }
        };
        columns.extend(batch.columns().iter().skip(rest).cloned());
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}
