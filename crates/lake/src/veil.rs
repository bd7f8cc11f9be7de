//! Values that are stored sealed, as whoever asks may see them. The lake knows neither keys nor persons: whoever lends
//! the tables also lends a [`Veil`], and its functions stand between what is stored and every statement. They have no
//! name that a statement could call: entity, type and attribute come from the row alone.
//!
//! `observations` becomes a view over what is stored, in which only statements that read `value_text` or `value_json`
//! pay anything; a wide view asks for its personal columns once for each of its rows.

use crate::schema::{OBSERVATION_COLUMNS, column};
use arrow::array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, ident,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What stands between stored values and whoever asks.
pub trait Veil: fmt::Debug + Send + Sync {
    /// Whether values of the attribute are to be asked about whatever they look like.
    fn covers(&self, entity_type: &str, attribute: &str) -> bool;
    /// Whether a stored text is a sealed value.
    fn is_sealed(&self, stored: &str) -> bool;
    /// What is shown in the place of a stored text.
    fn shown(&self, entity_id: &str, entity_type: &str, attribute: &str, stored: &str) -> String;
}

/// Name of the function that gives text, while a wide view is planned.
pub(crate) const SHOWN: &str = "jingling_shown";
/// The same that gives JSON.
pub(crate) const SHOWN_JSON: &str = "jingling_shown_json";

/// Both functions.
pub(crate) fn functions(veil: &Arc<dyn Veil>) -> [ScalarUDF; 2] {
    [(SHOWN, false), (SHOWN_JSON, true)].map(|(name, is_json)| {
        ScalarUDF::from(Shown {
            name,
            is_json,
            veil: Arc::clone(veil),
            signature: Signature::user_defined(Volatility::Volatile),
        })
    })
}

/// All observations, with what they say behind the veil.
pub(crate) fn observations(
    context: &SessionContext,
    stored: Arc<dyn TableProvider>,
    veil: &Arc<dyn Veil>,
) -> Result<Veiled> {
    let schema = stored.schema();
    let [text, _] = functions(veil);
    let row = [column::ENTITY_ID, column::ENTITY_TYPE, column::ATTRIBUTE];
    let name = |at: usize| OBSERVATION_COLUMNS[at].0;
    let columns = (0..column::COUNT).map(|at| match at {
        column::VALUE_TEXT | column::VALUE_JSON => {
            let mut given: Vec<Expr> = row.iter().map(|&at| ident(name(at))).collect();
            given.push(ident(name(at)));
            text.call(given).alias(name(at))
        }
        _ => ident(name(at)),
    });
    let frame = context
        .read_table(stored)?
        .select(columns.collect::<Vec<_>>())?;
    Ok(Veiled {
        plan: frame.into_unoptimized_plan(),
        schema,
    })
}

/// A table that is a plan over another, and looks like a table all the same: nobody needs to know.
#[derive(Debug)]
pub(crate) struct Veiled {
    plan: LogicalPlan,
    schema: SchemaRef,
}

#[async_trait]
impl TableProvider for Veiled {
    fn get_logical_plan(&'_ self) -> Option<Cow<'_, LogicalPlan>> {
        Some(Cow::Borrowed(&self.plan))
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // The planner puts the plan in its place. Reading past the veil is not possible this way either.
        Err(DataFusionError::Internal(
            "observations are read by their plan".to_owned(),
        ))
    }
}

/// `(entity id, entity type, attribute, stored value)` to what is shown.
#[derive(Debug)]
struct Shown {
    name: &'static str,
    is_json: bool,
    veil: Arc<dyn Veil>,
    signature: Signature,
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        self.is_json == other.is_json && Arc::ptr_eq(&self.veil, &other.veil)
    }
}

impl Eq for Shown {}

impl Hash for Shown {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Shown {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(vec![DataType::Utf8View; given.len()])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        // As the value's own, so that JSON stays JSON.
        match args.arg_fields.last() {
            Some(field) => Ok(Arc::clone(field)),
            None => Err(DataFusionError::Internal("a value is wanted".to_owned())),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let texts = |at: usize| -> Result<ArrayRef> { Ok(cast(&arrays[at], &DataType::Utf8View)?) };
        let (ids, types, names, values) = (texts(0)?, texts(1)?, texts(2)?, texts(3)?);
        let shown = self.shown(
            ids.as_string_view(),
            types.as_string_view(),
            names.as_string_view(),
            values.as_string_view(),
        );
        Ok(ColumnarValue::Array(
            shown.map_or(values, |shown| Arc::new(shown) as ArrayRef),
        ))
    }
}

impl Shown {
    /// `None` when every value is shown as it is stored.
    fn shown(
        &self,
        ids: &StringViewArray,
        types: &StringViewArray,
        names: &StringViewArray,
        values: &StringViewArray,
    ) -> Option<StringViewArray> {
        // Rows of one attribute mostly follow each other.
        let mut last: Option<(&str, &str, bool)> = None;
        let mut changed: Vec<(usize, String)> = Vec::new();
        for row in 0..values.len() {
            if values.is_null(row) {
                continue;
            }
            let (kind, name, value) = (types.value(row), names.value(row), values.value(row));
            let is_covered = match last {
                Some((k, n, is_covered)) if k == kind && n == name => is_covered,
                _ => self.veil.covers(kind, name),
            };
            last = Some((kind, name, is_covered));
            if is_covered || self.veil.is_sealed(value) {
                let shown = self.veil.shown(ids.value(row), kind, name, value);
                changed.push((row, self.formed(shown)));
            }
        }
        if changed.is_empty() {
            return None;
        }
        let mut changed = changed.into_iter().peekable();
        let mut all = StringViewBuilder::with_capacity(values.len());
        for row in 0..values.len() {
            match changed.next_if(|(at, _)| *at == row) {
                Some((_, shown)) => all.append_value(shown),
                None if values.is_null(row) => all.append_null(),
                None => all.append_value(values.value(row)),
            }
        }
        Some(all.finish())
    }

    /// Text in a column of JSON is JSON.
    fn formed(&self, shown: String) -> String {
        let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(&shown).is_ok();
        match self.is_json && !is_json() {
            true => serde_json::Value::String(shown).to_string(),
            false => shown,
        }
    }
}
