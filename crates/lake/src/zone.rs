//! The zone of whoever asks: in which zone clocks are read and days begin, when a question names one.
//!
//! Every time of the lake is a moment of the type `timestamp with time zone`, and its zone is UTC. A question of a zone of
//! its own ([`crate::Question::zone`]) keeps that type for all moments, so that columns, unions and comparisons stay as they
//! are, and puts the zone where a clock's reading becomes a moment or a moment becomes a clock's reading:
//!
//! | written | read as |
//! | --- | --- |
//! | a text, a date or a `timestamp` made a moment, also unsaid in a comparison | a reading of the zone's clock |
//! | a moment made a date, a time of day, a `timestamp` or a text | what the zone's clock shows |
//! | `date_trunc`, `extract`, `date_part`, `to_char`, a moment and an interval | by the zone's days and hours |
//! | `current_date`, `current_time`, `to_timestamp(text)`, `buckets(text, …)` | by the zone's clock |
//!
//! `date_bin` and `time_bucket` count from their origin, whatever the zone. A reading that the zone's clock shows twice or
//! never, in the night when summer time ends or begins, is an error. `buckets` takes constants that the engine works out
//! before these rules: what is cast in its arguments is read in UTC, a bare text in the zone. A reading that is said to be of
//! UTC (`AT TIME ZONE`) says `Etc/UTC`: the name `UTC` stands for no word of the question.

use crate::schema::ZONE;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::functions::datetime::{now, to_local_time};
use datafusion::logical_expr::expr::{Between, BinaryExpr, Cast, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::optimizer::{Analyzer, AnalyzerRule};
use datafusion::prelude::SessionConfig;
use std::sync::Arc;

/// Zones of moments that nobody named: that of all columns, and the one that the engine gives to what a function takes.
const IMPLIED: [&str; 3] = [ZONE, "+00", "+00:00"];
/// UTC where it is named. Whoever means it in a question that is of another zone says this name.
const SAID: &str = "Etc/UTC";

/// The zone that a session's table functions read clocks in.
struct SessionZone(Arc<str>);

/// Tells a session's configuration the zone.
pub(crate) fn configure(config: &mut SessionConfig, zone: &str) {
    // What the engine calls a moment is of the zone of all columns; the rules below put the other one in its place.
    config.options_mut().execution.time_zone = Some(ZONE.to_owned());
    config.set_extension(Arc::new(SessionZone(zone.into())));
}

/// Adds the rules for a zone.
pub(crate) fn add(builder: SessionStateBuilder, zone: &str) -> SessionStateBuilder {
    if zone == ZONE {
        return builder;
    }
    let zone: Arc<str> = zone.into();
    let mut rules = Analyzer::new().rules;
    rules.insert(0, Arc::new(Days(Arc::clone(&zone))));
    rules.push(Arc::new(Clocks(zone)));
    builder.with_analyzer_rules(rules)
}

/// A constant as a moment, in microseconds: a clock's reading is one of the session's zone.
pub(crate) fn moment(value: &ScalarValue, config: &SessionConfig) -> Result<ScalarValue> {
    let zone = config.get_extension::<SessionZone>();
    match zone {
        Some(zone) if is_reading(&value.data_type()) => value
            .cast_to(&micros(&zone.0))?
            .cast_to(&crate::schema::time_type()),
        _ => value.cast_to(&crate::schema::time_type()),
    }
}

fn micros(zone: &Arc<str>) -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone)))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn is_date(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64)
}

/// Whether a value of the type is what a clock shows, and not yet a moment.
fn is_reading(data_type: &DataType) -> bool {
    is_text(data_type) || is_date(data_type) || matches!(data_type, DataType::Timestamp(_, None))
}

/// Whether a moment made this type becomes what a clock shows.
fn shows_a_clock(data_type: &DataType) -> bool {
    is_reading(data_type) || matches!(data_type, DataType::Time32(_) | DataType::Time64(_))
}

fn as_type(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast(Cast::new(Box::new(expr), data_type))
}

/// Rewrites every expression of a plan, from its leaves.
fn everywhere(
    plan: LogicalPlan,
    rewrite: &impl Fn(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|plan| {
        let mut schema = merge_schema(&plan.inputs());
        if let LogicalPlan::TableScan(scan) = &plan {
            let source = scan.source.schema();
            schema.merge(&DFSchema::try_from_qualified_schema(
                scan.table_name.clone(),
                &source,
            )?);
        }
        // Whoever reads a column by the name of its expression shall find it still.
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            expr.transform_up(|expr| rewrite(expr, &schema))
                .map(|done| done.update_data(|expr| name.restore(expr)))
        })?
        .map_data(LogicalPlan::recompute_schema)
    })?;
    Ok(rewritten.data)
}

/// Before the engine makes types meet: a moment beside a date is compared with the moment at which that day begins. The
/// engine would make the column a clock's reading instead, and could not tell files by it.
#[derive(Debug)]
struct Days(Arc<str>);

impl Days {
    fn rewrite(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        let is_moment =
            |expr: &Expr| matches!(expr.get_type(schema), Ok(DataType::Timestamp(_, Some(_))));
        let begin = |expr: Box<Expr>| match expr.get_type(schema) {
            Ok(data_type) if is_date(&data_type) => {
                let begins = as_type(*expr, micros(&self.0));
                Box::new(as_type(begins, crate::schema::time_type()))
            }
            _ => expr,
        };
        Ok(match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if op.supports_propagation() => {
                let (left, right) = match (is_moment(&left), is_moment(&right)) {
                    (true, false) => (left, begin(right)),
                    (false, true) => (begin(left), right),
                    _ => (left, right),
                };
                Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
            }
            Expr::Between(between) if is_moment(&between.expr) => {
                Transformed::yes(Expr::Between(Between {
                    low: begin(between.low),
                    high: begin(between.high),
                    ..between
                }))
            }
            other => Transformed::no(other),
        })
    }
}

impl AnalyzerRule for Days {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        everywhere(plan, &|expr, schema| self.rewrite(expr, schema))
    }

    fn name(&self) -> &str {
        "days_of_the_zone"
    }
}

/// After types have met, when every change between moments and clocks' readings stands written as a cast.
#[derive(Debug)]
struct Clocks(Arc<str>);

/// Functions that go by a clock, with which of their arguments is the moment.
const BY_CLOCK: [(&str, usize); 3] = [("date_trunc", 1), ("date_part", 1), ("to_char", 0)];

/// Functions that make a moment of a number or of a text.
const MAKE_MOMENTS: [&str; 6] = [
    "to_timestamp",
    "to_timestamp_seconds",
    "to_timestamp_millis",
    "to_timestamp_micros",
    "to_timestamp_nanos",
    "to_unixtime",
];

impl Clocks {
    /// The unit of a moment of another zone than this one.
    fn unit(&self, data_type: &DataType) -> Option<TimeUnit> {
        match data_type {
            DataType::Timestamp(unit, Some(zone)) if *zone != self.0 => Some(*unit),
            _ => None,
        }
    }

    /// A moment of that unit as one of the zone.
    fn within(&self, expr: Expr, unit: TimeUnit) -> Expr {
        as_type(expr, DataType::Timestamp(unit, Some(Arc::clone(&self.0))))
    }

    /// A reading of the zone's clock as a moment of that type.
    fn read(&self, expr: Expr, unit: TimeUnit, moment: DataType) -> Expr {
        as_type(self.within(expr, unit), moment)
    }

    fn rewrite(
        &self,
        expr: Expr,
        schema: &DFSchema,
        config: &ConfigOptions,
    ) -> Result<Transformed<Expr>> {
        match expr {
            Expr::Cast(cast) => {
                let from = cast.expr.get_type(schema)?;
                Ok(match self.cast(*cast.expr, &from, cast.field.data_type()) {
                    Ok(better) => Transformed::yes(better),
                    Err(same) => Transformed::no(Expr::Cast(Cast {
                        expr: Box::new(same),
                        ..cast
                    })),
                })
            }
            Expr::TryCast(mut cast) => {
                // Where a reading has no moment this stays null: only the cast within is put in the zone.
                let from = cast.expr.get_type(schema)?;
                match (cast.field.data_type(), self.unit(&from)) {
                    (to, Some(unit)) if shows_a_clock(to) => {
                        cast.expr = Box::new(self.clock(*cast.expr, unit, to));
                        Ok(Transformed::yes(Expr::TryCast(cast)))
                    }
                    (DataType::Timestamp(unit, Some(zone)), _)
                        if IMPLIED.contains(&&**zone) && is_reading(&from) =>
                    {
                        let (unit, to) = (*unit, cast.field.data_type().clone());
                        let zoned = DataType::Timestamp(unit, Some(Arc::clone(&self.0)));
                        cast.field = Arc::new(cast.field.as_ref().clone().with_data_type(zoned));
                        Ok(Transformed::yes(as_type(Expr::TryCast(cast), to)))
                    }
                    _ => Ok(Transformed::no(Expr::TryCast(cast))),
                }
            }
            Expr::BinaryExpr(binary) => self.binary(binary, schema),
            Expr::ScalarFunction(function) => self.function(function, schema, config),
            other => Ok(Transformed::no(other)),
        }
    }

    /// A moment on its way to what a clock shows.
    fn clock(&self, expr: Expr, unit: TimeUnit, to: &DataType) -> Expr {
        let zoned = self.within(expr, unit);
        match to {
            // The engine's own cast would drop the zone and show UTC's clock.
            DataType::Timestamp(..) => to_local_time().call(vec![zoned]),
            _ => zoned,
        }
    }

    /// A cast in the zone, or what was cast where the zone says nothing about it.
    fn cast(&self, expr: Expr, from: &DataType, to: &DataType) -> std::result::Result<Expr, Expr> {
        match (from, to) {
            (from, DataType::Timestamp(unit, Some(zone)))
                if IMPLIED.contains(&&**zone) && is_reading(from) =>
            {
                Ok(self.read(expr, *unit, to.clone()))
            }
            // A text may name its own offset, which the engine would take for UTC's clock.
            (from, DataType::Timestamp(unit, None)) if is_text(from) => {
                Ok(to_local_time().call(vec![self.within(expr, *unit)]))
            }
            (from, to) if shows_a_clock(to) => match self.unit(from) {
                Some(unit) => Ok(as_type(self.clock(expr, unit, to), to.clone())),
                None => Err(expr),
            },
            _ => Err(expr),
        }
    }

    /// A moment and an interval: a day or a month later is so by the zone's clock.
    fn binary(&self, mut binary: BinaryExpr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        if !matches!(binary.op, Operator::Plus | Operator::Minus) {
            return Ok(Transformed::no(Expr::BinaryExpr(binary)));
        }
        let left = binary.left.get_type(schema)?;
        let right = binary.right.get_type(schema)?;
        let is_interval = |data_type: &DataType| matches!(data_type, DataType::Interval(_));
        let (unit, side) = match (self.unit(&left), self.unit(&right)) {
            (Some(unit), None) if is_interval(&right) => (unit, &mut binary.left),
            (None, Some(unit)) if is_interval(&left) => (unit, &mut binary.right),
            _ => return Ok(Transformed::no(Expr::BinaryExpr(binary))),
        };
        let moment = std::mem::take(side.as_mut());
        **side = self.within(moment, unit);
        let later = Expr::BinaryExpr(binary);
        let unit = match later.get_type(schema)? {
            DataType::Timestamp(unit, _) => unit,
            _ => unit,
        };
        Ok(Transformed::yes(as_type(
            later,
            DataType::Timestamp(unit, Some(ZONE.into())),
        )))
    }

    fn function(
        &self,
        mut function: ScalarFunction,
        schema: &DFSchema,
        config: &ConfigOptions,
    ) -> Result<Transformed<Expr>> {
        let name = function.func.name().to_owned();
        let type_of = |expr: &Expr| expr.get_type(schema);
        if let Some((_, n)) = BY_CLOCK.iter().find(|(by, _)| *by == name)
            && let Some(argument) = function.args.get_mut(*n)
            && let Some(unit) = self.unit(&type_of(argument)?)
        {
            let before = type_of(argument)?;
            let moment = std::mem::take(argument);
            *argument = self.within(moment, unit);
            let call = Expr::ScalarFunction(function);
            return Ok(Transformed::yes(match name.as_str() {
                "date_trunc" => as_type(call, before),
                _ => call,
            }));
        }
        let now = || now(config).call(Vec::new());
        let nanos = TimeUnit::Nanosecond;
        Ok(match name.as_str() {
            "current_date" => {
                Transformed::yes(as_type(self.within(now(), nanos), DataType::Date32))
            }
            "current_time" => {
                Transformed::yes(as_type(self.within(now(), nanos), DataType::Time64(nanos)))
            }
            // Of a moment in the zone that nobody named.
            "to_local_time" => {
                let Some(first) = function.args.first_mut() else {
                    return Ok(Transformed::no(Expr::ScalarFunction(function)));
                };
                match type_of(first)? {
                    DataType::Timestamp(unit, Some(zone)) if IMPLIED.contains(&&*zone) => {
                        let moment = std::mem::take(first);
                        *first = self.within(moment, unit);
                        Transformed::yes(Expr::ScalarFunction(function))
                    }
                    _ => Transformed::no(Expr::ScalarFunction(function)),
                }
            }
            // It shows UTC's clock by itself.
            "from_unixtime" if function.args.len() == 1 => {
                let call = Expr::ScalarFunction(function);
                let moment = as_type(
                    call,
                    DataType::Timestamp(TimeUnit::Second, Some(SAID.into())),
                );
                Transformed::yes(to_local_time().call(vec![self.within(moment, TimeUnit::Second)]))
            }
            name if MAKE_MOMENTS.contains(&name) => {
                let has_format = function.args.len() > 1;
                let Some(first) = function.args.first_mut() else {
                    return Ok(Transformed::no(Expr::ScalarFunction(function)));
                };
                if !is_reading(&type_of(first)?) {
                    return Ok(Transformed::no(Expr::ScalarFunction(function)));
                }
                if has_format {
                    // The format may or may not ask for an offset, and the engine reads what has none as UTC.
                    return plan_err!(
                        "{name} with a format reads clocks of UTC only; SET TIME ZONE 'UTC', or cast the text with ::timestamptz"
                    );
                }
                let reading = std::mem::take(first);
                *first = self.read(reading, TimeUnit::Microsecond, crate::schema::time_type());
                Transformed::yes(Expr::ScalarFunction(function))
            }
            _ => Transformed::no(Expr::ScalarFunction(function)),
        })
    }
}

impl AnalyzerRule for Clocks {
    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        everywhere(plan, &|expr, schema| self.rewrite(expr, schema, config))
    }

    fn name(&self) -> &str {
        "clocks_of_the_zone"
    }
}
