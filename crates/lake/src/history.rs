//! One attribute of one entity over time.

use crate::lake::Lake;
use crate::query::Limits;
use crate::result;
use crate::schema::{ZONE, column, observations};
use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::common::ScalarValue;
use datafusion::prelude::{Expr, ident, lit};
use model::{AttributeName, EntityId, Problem, Timestamp};
use serde_json::Value;

/// What to look for.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryQuery {
    /// The entity.
    pub entity_id: EntityId,
    /// The attribute.
    pub attribute: AttributeName,
    /// Not observed before this moment.
    pub from: Option<Timestamp>,
    /// Observed before this moment.
    pub to: Option<Timestamp>,
    /// Most points answered: the newest.
    pub limit: usize,
}

/// One value at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The entity's type.
    pub entity_type: String,
    /// When it was so.
    pub observed_at: Timestamp,
    /// When the platform learnt of it.
    pub received_at: Timestamp,
    /// The value as plain JSON; `null` where the attribute was taken away.
    pub value: Value,
    /// UN/CEFACT code of its unit.
    pub unit: Option<String>,
    /// The word for its quality, see `model::Quality`.
    pub quality: String,
    /// The message it came in.
    pub position: u64,
}

/// Points, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The points.
    pub points: Vec<Point>,
    /// Whether older points in the span were left out because of the limit.
    pub truncated: bool,
}

impl Lake {
    /// An attribute's newest points in a span of time, newest first; of those with one time, the last
    /// received first.
    ///
    /// # Errors
    /// `sql-time` and `sql-memory`.
    pub async fn history(
        &self,
        wanted: &HistoryQuery,
        limits: &Limits,
    ) -> Result<History, Problem> {
        let limits = Limits {
            rows_max: wanted.limit.min(limits.rows_max),
            ..limits.clone()
        };
        let conditions = conditions(wanted);
        let rows_max = limits.rows_max;
        let answer = self
            .run_frame(&limits, move |frame| {
                let frame = conditions
                    .into_iter()
                    .try_fold(frame, |frame, condition| frame.filter(condition))?;
                frame
                    .sort(vec![
                        name(column::OBSERVED_AT).sort(false, false),
                        name(column::JOURNAL_POSITION).sort(false, false),
                    ])?
                    // One more than asked for shows whether there are more.
                    .limit(0, Some(rows_max.saturating_add(1)))
            })
            .await?;
        let mut points = Vec::new();
        for batch in &answer.batches {
            points.extend(points_of(batch)?);
        }
        Ok(History {
            points,
            truncated: answer.truncated,
        })
    }
}

fn name(column: usize) -> Expr {
    ident(observations().field(column).name())
}

fn conditions(wanted: &HistoryQuery) -> Vec<Expr> {
    let time = |t: Timestamp| {
        lit(ScalarValue::TimestampMicrosecond(
            Some(t.micros()),
            Some(ZONE.into()),
        ))
    };
    let mut conditions = vec![
        name(column::ENTITY_ID).eq(lit(wanted.entity_id.as_str())),
        name(column::ATTRIBUTE).eq(lit(wanted.attribute.as_str())),
    ];
    conditions.extend(
        wanted
            .from
            .map(|t| name(column::OBSERVED_AT).gt_eq(time(t))),
    );
    conditions.extend(wanted.to.map(|t| name(column::OBSERVED_AT).lt(time(t))));
    conditions
}

fn points_of(batch: &RecordBatch) -> Result<Vec<Point>, Problem> {
    let told = |e: &dyn std::fmt::Display| {
        Problem::new("history-columns", e.to_string(), "history", "report this")
    };
    let json = |c: usize| result::values(batch.column(c)).map_err(|e| told(&e));
    let numbers = json(column::VALUE_NUMBER)?;
    let texts = json(column::VALUE_TEXT)?;
    let jsons = json(column::VALUE_JSON)?;
    let units = json(column::UNIT)?;
    let qualities = json(column::QUALITY)?;
    let types = json(column::ENTITY_TYPE)?;
    let time = |array: &ArrayRef, row: usize| {
        Timestamp::from_micros(array.as_primitive::<TimestampMicrosecondType>().value(row))
    };
    Ok((0..batch.num_rows())
        .map(|row| Point {
            observed_at: time(batch.column(column::OBSERVED_AT), row),
            received_at: time(batch.column(column::RECEIVED_AT), row),
            entity_type: types[row].as_str().unwrap_or_default().to_owned(),
            value: value(&numbers[row], &texts[row], &jsons[row]),
            unit: units[row].as_str().map(str::to_owned),
            quality: qualities[row].as_str().unwrap_or_default().to_owned(),
            position: batch
                .column(column::JOURNAL_POSITION)
                .as_primitive::<Int64Type>()
                .value(row) as u64,
        })
        .collect())
}

/// Undoes the spreading of a value over three columns.
fn value(number: &Value, text: &Value, json: &Value) -> Value {
    match (number, text, json) {
        (_, _, Value::String(json)) => serde_json::from_str(json).unwrap_or(Value::Null),
        // A boolean stands in both columns.
        (Value::Number(_), Value::String(word), _) => Value::Bool(word == "true"),
        (number, Value::Null, _) => number.clone(),
        (_, text, _) => text.clone(),
    }
}
