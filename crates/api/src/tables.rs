//! The tables that the platform lends to SQL beside history: people's records, the current values, and
//! the plan's indicators.

use crate::plan::Plan;
use futures::future::BoxFuture;
use lake::{ColumnKind, RecordTable, RecordTables};
use model::Problem;
use records::Records;
use records::tables::{ColumnType, TABLES, table_rows};
use serde_json::{Value, json};
use std::sync::Arc;
use twin::{Filter, Twin};

/// Most rows of one record table that a query reads; the newest are taken.
const RECORD_ROWS_MAX: u32 = 1_000_000;

/// Current values, a row for each attribute of each entity.
const ENTITIES_NOW: &str = "entities_now";
/// The plan's indicators as last measured.
const INDICATORS: &str = "indicators";

/// The permission whose tables are not lent.
const AUDIT_READ: &str = identity::Permission::AuditRead.as_str();

/// All tables that the platform lends.
pub struct CityTables {
    /// People's records.
    pub records: Records,
    /// The current state.
    pub twin: Arc<Twin>,
    /// The plan.
    pub plan: Arc<Plan>,
}

const ENTITIES_NOW_COLUMNS: [(&str, ColumnKind); 11] = [
    ("entity_id", ColumnKind::Text),
    ("entity_type", ColumnKind::Text),
    ("attribute", ColumnKind::Text),
    ("value_number", ColumnKind::Number),
    ("value_text", ColumnKind::Text),
    ("value_json", ColumnKind::Text),
    ("unit", ColumnKind::Text),
    ("quality", ColumnKind::Text),
    ("observed_at", ColumnKind::Time),
    ("device_id", ColumnKind::Text),
    ("journal_position", ColumnKind::Integer),
];

fn named(columns: &[(&str, ColumnKind)]) -> Vec<(String, ColumnKind)> {
    columns
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), *kind))
        .collect()
}

impl RecordTables for CityTables {
    fn tables(&self) -> Vec<RecordTable> {
        let mut all = vec![
            RecordTable {
                name: ENTITIES_NOW.to_owned(),
                description: "The current value of every attribute of every entity.".to_owned(),
                columns: named(&ENTITIES_NOW_COLUMNS),
            },
            RecordTable {
                name: INDICATORS.to_owned(),
                description: "The plan's indicators: baseline, target, and the value as last measured or reported.".to_owned(),
                columns: named(&crate::plan::TABLE_COLUMNS),
            },
        ];
        // Whoever may query may read every table lent here, so what needs a permission of its own stays out.
        all.extend(
            TABLES
                .iter()
                .filter(|t| t.permission != AUDIT_READ)
                .map(|t| RecordTable {
                    name: t.name.to_owned(),
                    description: t.description.to_owned(),
                    columns: t
                        .columns
                        .iter()
                        .map(|(name, kind)| ((*name).to_owned(), column_kind(*kind)))
                        .collect(),
                }),
        );
        all
    }

    fn rows(&self, name: &str) -> BoxFuture<'_, Result<Vec<Vec<Value>>, Problem>> {
        let name = name.to_owned();
        Box::pin(async move {
            match name.as_str() {
                ENTITIES_NOW => Ok(self.entities_now()),
                INDICATORS => Ok(self.plan.table_rows()),
                name if records::tables::table(name)
                    .is_some_and(|t| t.permission == AUDIT_READ) =>
                {
                    Ok(Vec::new())
                }
                _ => table_rows(&self.records, &name, RECORD_ROWS_MAX)
                    .await
                    .map(|(_, rows)| rows)
                    .map_err(|failure| {
                        failure.problem().cloned().unwrap_or_else(|| {
                            Problem::new(
                                "records",
                                failure.to_string(),
                                name,
                                "try again; if it stays, run `jingling check`",
                            )
                        })
                    }),
            }
        })
    }
}

impl CityTables {
    fn entities_now(&self) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        let everything = Filter {
            limit: usize::MAX,
            ..Filter::default()
        };
        for entity in self.twin.query(&everything).items {
            for (attribute, state) in &entity.attributes {
                let (number, text, json_text) = columns_of(&state.value);
                rows.push(vec![
                    json!(entity.id.as_str()),
                    json!(entity.entity_type.as_str()),
                    json!(attribute.as_str()),
                    number,
                    text,
                    json_text,
                    json!(state.unit.as_deref()),
                    json!(state.quality.as_str()),
                    json!(state.observed_at.to_string()),
                    json!(state.device_id.as_ref().map(|d| d.as_str())),
                    json!(state.position),
                ]);
            }
        }
        rows
    }
}

/// A value in the three columns that `observations` has too.
fn columns_of(value: &model::Value) -> (Value, Value, Value) {
    use model::Value as V;
    match value {
        V::Number(n) => (json!(n), Value::Null, Value::Null),
        V::Boolean(b) => (
            json!(if *b { 1.0 } else { 0.0 }),
            json!(b.to_string()),
            Value::Null,
        ),
        V::Text(t) => (Value::Null, json!(t), Value::Null),
        V::Relationship(id) => (Value::Null, json!(id.as_str()), Value::Null),
        V::Geometry(g) => (Value::Null, Value::Null, json!(g.to_geojson().to_string())),
        V::Json(j) => (Value::Null, Value::Null, json!(j)),
        V::Deleted => (Value::Null, Value::Null, Value::Null),
    }
}

const fn column_kind(kind: ColumnType) -> ColumnKind {
    match kind {
        ColumnType::Integer => ColumnKind::Integer,
        ColumnType::Double => ColumnKind::Number,
        ColumnType::Text => ColumnKind::Text,
        ColumnType::Boolean => ColumnKind::Boolean,
        ColumnType::Timestamp => ColumnKind::Time,
    }
}
