//! `time_bucket`: the engine's `date_bin` with the origins that analysts are used to.

use super::{Width, time_type, width_type};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::datetime::date_bin;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

const NAME: &str = "time_bucket";

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TimeBucket {
    signature: Signature,
}

impl Default for TimeBucket {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

/// An origin of the type that `date_bin` wants beside a time of this type.
fn origin_type(time: &DataType) -> DataType {
    match time {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()),
        _ => DataType::Timestamp(TimeUnit::Nanosecond, None),
    }
}

fn origin(width: &ScalarValue, time: &DataType) -> Result<ScalarValue> {
    let origin_us = Width::read(NAME, width)?.origin_us();
    ScalarValue::TimestampNanosecond(Some(origin_us * 1_000), Some("UTC".into()))
        .cast_to(&origin_type(time))
}

impl ScalarUDFImpl for TimeBucket {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [width, time, rest @ ..] = given else {
            return plan_err!("write {NAME}(width, time) or {NAME}(width, time, origin)");
        };
        let time = time_type(NAME, time)?;
        let mut types = vec![width_type(NAME, width)?, time.clone()];
        match rest {
            [] => {}
            [origin] => {
                time_type(NAME, origin)?;
                types.push(origin_type(&time));
            }
            _ => return plan_err!("write {NAME}(width, time) or {NAME}(width, time, origin)"),
        }
        Ok(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[1].clone())
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let ColumnarValue::Scalar(width) = &args.args[0] else {
            return plan_err!("the width of {NAME} is one for all rows");
        };
        let origin = origin(width, &args.args[1].data_type())?;
        if args.args.len() == 2 {
            args.args.push(ColumnarValue::Scalar(origin));
        }
        date_bin().invoke_with_args(args)
    }
}
