//! `locf` and `interpolate`: what stands in the gaps of a series, over a window in the order of time.

use super::{number_type, time_type};
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDFImpl,
};
use datafusion::physical_plan::PhysicalExpr;
use std::sync::Arc;

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Fill {
    name: &'static str,
    signature: Signature,
}

impl Fill {
    pub fn locf() -> Self {
        Self {
            name: "locf",
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    pub fn interpolate() -> Self {
        Self {
            name: "interpolate",
            ..Self::locf()
        }
    }

    fn is_locf(&self) -> bool {
        self.name == "locf"
    }
}

impl WindowUDFImpl for Fill {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [value] if self.is_locf() => Ok(vec![value.clone()]),
            [value, time] if !self.is_locf() => Ok(vec![
                number_type(self.name, value)?,
                time_type(self.name, time)?,
            ]),
            _ if self.is_locf() => plan_err!("write locf(value) OVER (ORDER BY time)"),
            _ => plan_err!("write interpolate(value, time) OVER (ORDER BY time)"),
        }
    }

    fn partition_evaluator(
        &self,
        _args: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(match self.is_locf() {
            true => Box::new(Locf),
            false => Box::new(Interpolate),
        })
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let data_type = args
            .get_input_field(0)
            .map_or(DataType::Null, |field| field.data_type().clone());
        Ok(Arc::new(Field::new(args.name(), data_type, true)))
    }

    fn limit_effect(&self, _args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        // A value further down may decide what stands here.
        LimitEffect::Unknown
    }
}

#[derive(Debug)]
struct Locf;

impl PartitionEvaluator for Locf {
    fn evaluate_all(&mut self, values: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
        let values = &values[0];
        let mut last = None;
        let from = (0..values.len() as u32).map(|row| {
            if values.is_valid(row as usize) {
                last = Some(row);
            }
            last
        });
        let from: UInt32Array = from.collect();
        Ok(take(values, &from, None)?)
    }
}

#[derive(Debug)]
struct Interpolate;

impl PartitionEvaluator for Interpolate {
    fn evaluate_all(&mut self, values: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
        let times = cast(&values[1], &DataType::Int64)?;
        let times = times.as_primitive::<Int64Type>();
        let values = values[0].as_primitive::<Float64Type>();
        let point = |row: usize| {
            (values.is_valid(row) && times.is_valid(row))
                .then(|| (times.value(row) as f64, values.value(row)))
        };
        let mut filled: Vec<Option<f64>> = values.iter().collect();
        let mut before: Option<(usize, (f64, f64))> = None;
        for row in 0..values.len() {
            let Some(after) = point(row) else { continue };
            if let Some((start, before)) = before {
                let gaps = filled.iter_mut().enumerate().take(row).skip(start + 1);
                for (gap, value) in gaps {
                    if value.is_none() && times.is_valid(gap) && after.0 != before.0 {
                        let share = (times.value(gap) as f64 - before.0) / (after.0 - before.0);
                        *value = Some(before.1 + share * (after.1 - before.1));
                    }
                }
            }
            before = Some((row, after));
        }
        Ok(Arc::new(Float64Array::from(filled)))
    }
}
