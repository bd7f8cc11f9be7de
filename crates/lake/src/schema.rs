//! The columns of `observations`, and the kinds of column that people see.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, LazyLock};

/// Name of the table that holds every observation.
pub const OBSERVATIONS: &str = "observations";

/// Zone of every stored time.
pub(crate) const ZONE: &str = "UTC";

/// Field metadata that marks text holding JSON.
const KIND_KEY: &str = "kind";
const KIND_JSON: &str = "json";

/// Positions of the columns of `observations`.
pub(crate) mod column {
    pub const ENTITY_ID: usize = 0;
    pub const ENTITY_TYPE: usize = 1;
    pub const ATTRIBUTE: usize = 2;
    pub const OBSERVED_AT: usize = 3;
    pub const RECEIVED_AT: usize = 4;
    pub const VALUE_NUMBER: usize = 5;
    pub const VALUE_TEXT: usize = 6;
    pub const VALUE_JSON: usize = 7;
    pub const UNIT: usize = 8;
    pub const QUALITY: usize = 9;
    pub const DEVICE_ID: usize = 10;
    pub const DOOR: usize = 11;
    pub const JOURNAL_POSITION: usize = 12;
    /// How many there are.
    pub const COUNT: usize = 13;
}

/// What a column holds, in the words of the people who read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Text.
    Text,
    /// A 64-bit floating point number.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A moment; given as RFC 3339 text in UTC.
    Time,
    /// What a clock shows, of no zone; given as text without one, such as `2026-07-01T08:00:00`.
    Clock,
    /// JSON. A stored JSON value is given as its text, an SQL list or struct as JSON itself.
    Json,
}

impl ColumnKind {
    /// The word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Time => "time",
            Self::Clock => "clock",
            Self::Json => "json",
        }
    }

    /// A column of this kind.
    pub(crate) fn field(self, name: &str, nullable: bool) -> Field {
        let data_type = match self {
            Self::Text | Self::Json => DataType::Utf8View,
            Self::Number => DataType::Float64,
            Self::Integer => DataType::Int64,
            Self::Boolean => DataType::Boolean,
            Self::Time => time_type(),
            Self::Clock => DataType::Timestamp(TimeUnit::Microsecond, None),
        };
        let field = Field::new(name, data_type, nullable);
        match self {
            Self::Json => field.with_metadata([(KIND_KEY.into(), KIND_JSON.into())].into()),
            _ => field,
        }
    }

    /// The kind of a result's column.
    pub fn of(field: &Field) -> Self {
        if field.metadata().get(KIND_KEY).map(String::as_str) == Some(KIND_JSON) {
            return Self::Json;
        }
        match field.data_type() {
            DataType::Boolean => Self::Boolean,
            DataType::Timestamp(_, None) => Self::Clock,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Self::Time,
            t if t.is_integer() => Self::Integer,
            t if t.is_numeric() => Self::Number,
            t if t.is_nested() => Self::Json,
            _ => Self::Text,
        }
    }
}

/// The type of every stored time: microseconds, UTC.
pub(crate) fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(ZONE.into()))
}

/// Name, kind and nullability of the columns of `observations`, in their order.
pub(crate) const OBSERVATION_COLUMNS: [(&str, ColumnKind, bool); column::COUNT] = [
    ("entity_id", ColumnKind::Text, false),
    ("entity_type", ColumnKind::Text, false),
    ("attribute", ColumnKind::Text, false),
    ("observed_at", ColumnKind::Time, false),
    ("received_at", ColumnKind::Time, false),
    ("value_number", ColumnKind::Number, true),
    ("value_text", ColumnKind::Text, true),
    ("value_json", ColumnKind::Json, true),
    ("unit", ColumnKind::Text, true),
    ("quality", ColumnKind::Text, false),
    ("device_id", ColumnKind::Text, true),
    ("door", ColumnKind::Text, false),
    ("journal_position", ColumnKind::Integer, false),
];

/// The Arrow schema of `observations`.
pub(crate) fn observations() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(&OBSERVATION_COLUMNS));
    Arc::clone(&SCHEMA)
}

/// Positions of the columns of the rollups.
pub(crate) mod rollup_column {
    pub const ENTITY_ID: usize = 0;
    pub const ENTITY_TYPE: usize = 1;
    pub const ATTRIBUTE: usize = 2;
    pub const BUCKET_START: usize = 3;
    pub const COUNT_OF: usize = 4;
    pub const MIN: usize = 5;
    pub const MAX: usize = 6;
    pub const MEAN: usize = 7;
    pub const LAST: usize = 8;
    pub const LAST_OBSERVED_AT: usize = 9;
    pub const LAST_POSITION: usize = 10;
    pub const UNIT: usize = 11;
    /// How many there are.
    pub const COUNT: usize = 12;
}

/// Name, kind and nullability of the columns of `observations_1m`, `_1h` and `_1d`, in their order.
pub(crate) const ROLLUP_COLUMNS: [(&str, ColumnKind, bool); rollup_column::COUNT] = [
    ("entity_id", ColumnKind::Text, false),
    ("entity_type", ColumnKind::Text, false),
    ("attribute", ColumnKind::Text, false),
    ("bucket_start", ColumnKind::Time, false),
    ("count", ColumnKind::Integer, false),
    ("min", ColumnKind::Number, false),
    ("max", ColumnKind::Number, false),
    ("mean", ColumnKind::Number, false),
    ("last", ColumnKind::Number, false),
    ("last_observed_at", ColumnKind::Time, false),
    ("last_position", ColumnKind::Integer, false),
    ("unit", ColumnKind::Text, true),
];

/// The Arrow schema of the rollups.
pub(crate) fn rollup() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(&ROLLUP_COLUMNS));
    Arc::clone(&SCHEMA)
}

fn schema_of(columns: &[(&str, ColumnKind, bool)]) -> SchemaRef {
    Arc::new(Schema::new(
        columns
            .iter()
            .map(|(name, kind, nullable)| kind.field(name, *nullable))
            .collect::<Vec<_>>(),
    ))
}
