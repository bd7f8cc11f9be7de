//! `first` and `last`: the value at the least and the greatest time of a group. Rows in which either is
//! null do not count. They become the engine's own `first_value` and `last_value`.

use super::time_type;
use arrow::datatypes::DataType;
use datafusion::common::{Result, not_impl_err, plan_err};
use datafusion::functions_aggregate::first_last::{first_value_udaf, last_value_udaf};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Expr, Signature, Volatility};

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct End {
    name: &'static str,
    signature: Signature,
}

impl End {
    pub fn first() -> Self {
        Self {
            name: "first",
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    pub fn last() -> Self {
        Self {
            name: "last",
            ..Self::first()
        }
    }
}

impl AggregateUDFImpl for End {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [value, time] = given else {
            return plan_err!("write {}(value, time)", self.name);
        };
        Ok(vec![value.clone(), time_type(self.name, time)?])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        not_impl_err!("{} is used in an aggregate, not over a window", self.name)
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        let end = if self.name == "first" {
            first_value_udaf()
        } else {
            last_value_udaf()
        };
        Some(Box::new(
            move |call: AggregateFunction, _: &SimplifyContext| {
                let AggregateFunctionParams {
                    mut args,
                    distinct,
                    filter,
                    ..
                } = call.params;
                let (Some(time), Some(value)) = (args.pop(), args.pop()) else {
                    return plan_err!("write first(value, time)");
                };
                let counts = value.clone().is_not_null().and(time.clone().is_not_null());
                let filter = match filter {
                    Some(filter) => filter.and(counts),
                    None => counts,
                };
                Ok(Expr::AggregateFunction(AggregateFunction::new_udf(
                    end.clone(),
                    vec![value],
                    distinct,
                    Some(Box::new(filter)),
                    vec![time.sort(true, false)],
                    None,
                )))
            },
        ))
    }
}
