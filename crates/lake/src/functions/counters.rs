//! `delta`, `increase` and `rate`: how far and how fast a value went over the time of a group. The points
//! of a group are kept until it ends, 16 bytes each, which count towards the query's memory. Fewer than two
//! points give null.

use super::{number_type, time_type};
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};
use std::mem::size_of;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    Delta,
    Increase,
    Rate,
}

/// The functions.
pub(super) fn all() -> impl Iterator<Item = AggregateUDF> {
    [What::Delta, What::Increase, What::Rate]
        .into_iter()
        .map(|what| {
            AggregateUDF::from(Change {
                what,
                signature: Signature::user_defined(Volatility::Immutable),
            })
        })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Change {
    what: What,
    signature: Signature,
}

impl AggregateUDFImpl for Change {
    fn name(&self) -> &str {
        match self.what {
            What::Delta => "delta",
            What::Increase => "increase",
            What::Rate => "rate",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [value, time] = given else {
            return plan_err!("write {}(value, time)", self.name());
        };
        Ok(vec![
            number_type(self.name(), value)?,
            time_type(self.name(), time)?,
        ])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Points {
            what: self.what,
            points: Vec::new(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = |part: &str, of: DataType| -> FieldRef {
            let item = Field::new_list_field(of, true);
            Arc::new(Field::new_list(
                format!("{}[{part}]", args.name),
                item,
                true,
            ))
        };
        Ok(vec![
            list("times", DataType::Int64),
            list("values", DataType::Float64),
        ])
    }
}

/// The points of a group: microseconds and value.
#[derive(Debug)]
struct Points {
    what: What,
    points: Vec<(i64, f64)>,
}

impl Points {
    fn take(&mut self, times: &Int64Array, values: &Float64Array) {
        let pairs = times.iter().zip(values);
        let pairs = pairs.filter_map(|(time, value)| Some((time?, value?)));
        self.points.extend(pairs);
    }

    fn change(&mut self) -> Option<f64> {
        self.points.sort_by_key(|point| point.0);
        let (first, last) = (self.points.first()?, self.points.last()?);
        if self.points.len() < 2 {
            return None;
        }
        let rise = || -> f64 {
            let steps = self.points.windows(2).map(|pair| (pair[0].1, pair[1].1));
            steps
                .map(|(before, after)| {
                    if after < before {
                        after
                    } else {
                        after - before
                    }
                })
                .sum()
        };
        match self.what {
            What::Delta => Some(last.1 - first.1),
            What::Increase => Some(rise()),
            What::Rate => {
                let seconds = (last.0 - first.0) as f64 / 1e6;
                (seconds > 0.0).then(|| rise() / seconds)
            }
        }
    }
}

impl Accumulator for Points {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let times = cast(&values[1], &DataType::Int64)?;
        self.take(
            times.as_primitive::<Int64Type>(),
            values[0].as_primitive::<Float64Type>(),
        );
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (times, values) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for row in 0..times.len() {
            if times.is_valid(row) {
                self.take(
                    times.value(row).as_primitive::<Int64Type>(),
                    values.value(row).as_primitive::<Float64Type>(),
                );
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let times = Int64Array::from_iter_values(self.points.iter().map(|p| p.0));
        let values = Float64Array::from_iter_values(self.points.iter().map(|p| p.1));
        let list = |array: ArrayRef| SingleRowListArrayBuilder::new(array).build_list_scalar();
        Ok(vec![list(Arc::new(times)), list(Arc::new(values))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.change()))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.points.capacity() * size_of::<(i64, f64)>()
    }
}
