//! `buckets(from, to, width)`: the starts of all buckets between two times, made as they are read, so that
//! a series without gaps is a join away.

use super::{MONTHS_ORIGIN_US, ORIGIN_US, Width};
use crate::schema::time_type;
use crate::zone;
use arrow::array::{RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::SessionConfig;
use std::sync::Arc;

const NAME: &str = "buckets";
/// Most buckets of one call.
const BUCKETS_MAX: i64 = 10_000_000;
/// Buckets made at a time.
const CHUNK: usize = 8_192;
const DAY_US: i64 = 86_400_000_000;

/// See the module.
#[derive(Debug)]
pub(super) struct BucketsFunction;

impl TableFunctionImpl for BucketsFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let [from, to, width] = args.exprs() else {
            return plan_err!("write {NAME}(from, to, width)");
        };
        let width = Width::read(NAME, &constant(width)?)?;
        let config = args.session().config();
        let (from, to) = (time(from, config)?, time(to, config)?);
        let (first, end) = (number(width, from), number(width, to.saturating_sub(1)));
        if to > from && end - first >= BUCKETS_MAX {
            return plan_err!(
                "{NAME} would give {} rows; it gives at most {BUCKETS_MAX}",
                end - first + 1
            );
        }
        let schema = Arc::new(Schema::new(vec![Field::new("bucket", time_type(), false)]));
        let series = Series {
            schema: Arc::clone(&schema),
            width,
            first,
            end: if to > from { end + 1 } else { first },
        };
        Ok(Arc::new(StreamingTable::try_new(
            schema,
            vec![Arc::new(series)],
        )?))
    }
}

fn constant(expr: &Expr) -> Result<ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Ok(value.clone()),
        other => plan_err!("{NAME} takes constants, not {other}"),
    }
}

/// A time in microseconds.
fn time(expr: &Expr, config: &SessionConfig) -> Result<i64> {
    match zone::moment(&constant(expr)?, config)? {
        ScalarValue::TimestampMicrosecond(Some(us), _) => Ok(us),
        _ => plan_err!("{NAME} goes from one time to another, and null is none"),
    }
}

/// The number of the bucket that a time falls into, counted from the origin.
fn number(width: Width, us: i64) -> i64 {
    match width {
        Width::Microseconds(width) => us.saturating_sub(ORIGIN_US).div_euclid(width),
        Width::Months(months) => month_of(us.div_euclid(DAY_US)).div_euclid(months),
    }
}

/// When a bucket starts, in microseconds; `None` beyond what a time can be.
fn start(width: Width, number: i64) -> Option<i64> {
    match width {
        Width::Microseconds(width) => number.checked_mul(width)?.checked_add(ORIGIN_US),
        Width::Months(months) => {
            let days = days_before(number.checked_mul(months)?);
            days.checked_mul(DAY_US)?.checked_add(MONTHS_ORIGIN_US)
        }
    }
}

/// Days from 2000-01-01 to the first of a month counted from January 2000.
fn days_before(month: i64) -> i64 {
    // Counted from March 2000, so that the leap day ends a year.
    let shifted = month - 2;
    let (year, month) = (shifted.div_euclid(12), shifted.rem_euclid(12));
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    60 + 365 * year + leaps + (153 * month + 2) / 5
}

/// The month, counted from January 2000, of a day counted from 1970-01-01.
fn month_of(day: i64) -> i64 {
    let day = day - MONTHS_ORIGIN_US / DAY_US;
    // A month has 30.436875 days on average; the guess is off by one at most.
    let guess = (i128::from(day) * 10_000_000 / 304_368_750) as i64;
    (guess - 1..=guess + 1)
        .rev()
        .find(|month| days_before(*month) <= day)
        .unwrap_or(guess - 2)
}

#[derive(Debug)]
struct Series {
    schema: SchemaRef,
    width: Width,
    first: i64,
    /// One past the last.
    end: i64,
}

impl PartitionStream for Series {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (schema, width, end) = (Arc::clone(&self.schema), self.width, self.end);
        let chunks = (self.first..end).step_by(CHUNK).map(move |from| {
            let numbers = from..end.min(from + CHUNK as i64);
            let starts = numbers.filter_map(|number| start(width, number));
            let starts = TimestampMicrosecondArray::from_iter_values(starts);
            let starts = starts.with_timezone(crate::schema::ZONE);
            Ok(RecordBatch::try_new(
                Arc::clone(&schema),
                vec![Arc::new(starts)],
            )?)
        });
        let stream = futures::stream::iter(chunks);
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            stream,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_days_agree() {
        assert_eq!(
            [-12, -1, 0, 1, 2, 12, 13].map(days_before),
            [-365, -31, 0, 31, 60, 366, 397]
        );
        for month in -30_000..30_000 {
            let first = days_before(month) + MONTHS_ORIGIN_US / DAY_US;
            assert_eq!(month_of(first), month);
            assert_eq!(month_of(first - 1), month - 1);
            assert!((28..=31).contains(&(days_before(month + 1) - days_before(month))));
        }
    }
}
