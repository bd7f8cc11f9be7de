//! Functions over time that analysts expect, beside those of the query engine:
//!
//! | function | what it gives |
//! | --- | --- |
//! | `time_bucket(width, time [, origin])` | the start of the bucket that a time falls into |
//! | `first(value, time)`, `last(value, time)` | the value at the least and the greatest time of a group |
//! | `delta(value, time)` | the last value less the first, for gauges |
//! | `increase(value, time)`, `rate(value, time)` | how far a counter rose, and how fast a second; a fall is a restart from 0 |
//! | `buckets(from, to, width)` | a table of the starts of all buckets, for filling gaps |
//! | `locf(value) OVER …` | the value, or the last one before it that is not null |
//! | `interpolate(value, time) OVER …` | the value, or the straight line between its neighbours |
//! | `interval_times(interval, number)` | an interval so many times |
//!
//! A width is an interval or text such as `'5 minutes'`. Buckets of whole months count from 2000-01-01, all
//! others from Monday 2000-01-03 at midnight UTC, as in DuckDB and TimescaleDB; for local days give an
//! origin, as in `TIMESTAMP '2000-01-03 00:00:00+08'`. That holds whatever zone a question names.

mod buckets;
mod counters;
mod ends;
mod fill;
mod time_bucket;
mod times;

use arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalUnit, TimeUnit};
use datafusion::catalog::TableFunction;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use std::collections::HashMap;
use std::sync::Arc;

/// 2000-01-03T00:00:00Z, a Monday, from which buckets count; in microseconds.
const ORIGIN_US: i64 = 946_857_600_000_000;
/// 2000-01-01T00:00:00Z, from which buckets of months count; in microseconds.
const MONTHS_ORIGIN_US: i64 = 946_684_800_000_000;

/// Adds the functions to a session.
pub(crate) fn add(builder: &mut SessionStateBuilder) {
    let scalars = builder.scalar_functions().get_or_insert_default();
    scalars.push(Arc::new(
        ScalarUDF::from(time_bucket::TimeBucket::default()),
    ));
    scalars.push(Arc::new(ScalarUDF::from(times::IntervalTimes::default())));
    let aggregates = builder.aggregate_functions().get_or_insert_default();
    aggregates.extend(
        [
            AggregateUDF::from(ends::End::first()),
            AggregateUDF::from(ends::End::last()),
        ]
        .into_iter()
        .chain(counters::all())
        .map(Arc::new),
    );
    let windows = builder.window_functions().get_or_insert_default();
    windows.push(Arc::new(WindowUDF::from(fill::Fill::locf())));
    windows.push(Arc::new(WindowUDF::from(fill::Fill::interpolate())));
    let name = "buckets";
    let buckets = TableFunction::new(name.to_owned(), Arc::new(buckets::BucketsFunction));
    let tables: &mut HashMap<String, Arc<TableFunction>> =
        builder.table_functions().get_or_insert_default();
    tables.insert(name.to_owned(), Arc::new(buckets));
}

/// The type of a width.
const WIDTH: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null
    )
}

/// What a width is read as.
fn width_type(function: &str, given: &DataType) -> Result<DataType> {
    match given {
        DataType::Interval(_) | DataType::Duration(_) => Ok(WIDTH),
        given if is_text(given) => Ok(WIDTH),
        other => plan_err!(
            "the width of {function} is an interval such as INTERVAL '5 minutes', not a {other}"
        ),
    }
}

/// What a time is read as: its own type, in microseconds where it is finer or coarser.
fn time_type(function: &str, given: &DataType) -> Result<DataType> {
    match given {
        DataType::Timestamp(_, zone) => {
            Ok(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
        }
        DataType::Date32 | DataType::Date64 => Ok(DataType::Timestamp(TimeUnit::Microsecond, None)),
        given if is_text(given) => Ok(crate::schema::time_type()),
        other => plan_err!("{function} needs a time, not a {other}"),
    }
}

/// What a number is read as.
fn number_type(function: &str, given: &DataType) -> Result<DataType> {
    match given {
        given if given.is_numeric() || given.is_null() => Ok(DataType::Float64),
        other => plan_err!("{function} needs a number, not a {other}"),
    }
}

/// A width that is longer than nothing: whole months, or microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Width {
    Months(i64),
    Microseconds(i64),
}

impl Width {
    fn read(function: &str, value: &ScalarValue) -> Result<Self> {
        let wrong = || {
            plan_err!(
                "the width of {function} is either whole months or days and parts of days, and longer than nothing"
            )
        };
        let ScalarValue::IntervalMonthDayNano(Some(width)) = value.cast_to(&WIDTH)? else {
            return wrong();
        };
        let IntervalMonthDayNano {
            months,
            days,
            nanoseconds,
        } = width;
        if nanoseconds % 1_000 != 0 {
            return wrong();
        }
        let us = i64::from(days)
            .checked_mul(86_400_000_000)
            .and_then(|us| us.checked_add(nanoseconds / 1_000));
        match (i64::from(months), us) {
            (0, Some(us)) if us > 0 => Ok(Self::Microseconds(us)),
            (months, Some(0)) if months > 0 => Ok(Self::Months(months)),
            _ => wrong(),
        }
    }

    /// Where buckets of this width count from, in microseconds.
    fn origin_us(self) -> i64 {
        match self {
            Self::Months(_) => MONTHS_ORIGIN_US,
            Self::Microseconds(_) => ORIGIN_US,
        }
    }
}
