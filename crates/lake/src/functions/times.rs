//! `interval_times(interval, number)`: an interval so many times, as PostgreSQL's `interval * number`, which the engine
//! reads and cannot work out. The PostgreSQL door writes it where a client multiplies an interval.

use super::WIDTH;
use arrow::array::{AsArray, IntervalMonthDayNanoArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, IntervalMonthDayNano, IntervalMonthDayNanoType};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

const NAME: &str = "interval_times";
const DAYS_A_MONTH: f64 = 30.0;
const DAY_NS: f64 = 86_400e9;

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct IntervalTimes {
    signature: Signature,
}

impl Default for IntervalTimes {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for IntervalTimes {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [_, number] if number.is_numeric() || number.is_null() => {
                Ok(vec![WIDTH, DataType::Float64])
            }
            _ => plan_err!("write {NAME}(interval, number)"),
        }
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(WIDTH)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [intervals, numbers] = arrays.as_slice() else {
            return plan_err!("write {NAME}(interval, number)");
        };
        let (intervals, numbers) = (cast(intervals, &WIDTH)?, cast(numbers, &DataType::Float64)?);
        let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
        let pairs = intervals.iter().zip(numbers.as_primitive::<Float64Type>());
        let many = pairs.map(|(interval, number)| match (interval, number) {
            (Some(interval), Some(number)) => times(interval, number).map(Some),
            _ => Ok(None),
        });
        let many = many.collect::<Result<IntervalMonthDayNanoArray>>()?;
        Ok(ColumnarValue::Array(Arc::new(many)))
    }
}

/// Parts of a month become days of which it has 30, and parts of a day time, as in PostgreSQL.
fn times(interval: IntervalMonthDayNano, number: f64) -> Result<IntervalMonthDayNano> {
    let months = f64::from(interval.months) * number;
    let days = f64::from(interval.days) * number + months.fract() * DAYS_A_MONTH;
    let nanoseconds = (interval.nanoseconds as f64 * number + days.fract() * DAY_NS).round();
    let fits = |value: f64, most: f64| value.abs() <= most;
    let largest = f64::from(i32::MAX);
    if !(fits(months, largest) && fits(days, largest) && fits(nanoseconds, 9.2e18)) {
        return exec_err!("an interval {number} times is out of range");
    }
    Ok(IntervalMonthDayNano::new(
        months.trunc() as i32,
        days.trunc() as i32,
        nanoseconds as i64,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_months_and_days_go_to_the_smaller_units() {
        let of = IntervalMonthDayNano::new;
        for (interval, number, expected) in [
            (of(0, 0, 300_000_000_000), 3.0, of(0, 0, 900_000_000_000)),
            (of(1, 0, 0), 1.5, of(1, 15, 0)),
            (of(0, 1, 0), -0.5, of(0, 0, -43_200_000_000_000)),
            (of(0, 0, 1), 0.0, of(0, 0, 0)),
        ] {
            assert_eq!(times(interval, number).unwrap(), expected, "{interval:?}");
        }
        for number in [f64::NAN, f64::INFINITY, 1e300] {
            assert!(times(of(1, 0, 0), number).is_err());
        }
    }
}
