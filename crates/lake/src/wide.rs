//! One wide view for each entity type: a row for each entity and moment, a column for each declared
//! attribute. It is plain SQL over `observations`; only what a statement asks of it is computed.

use crate::records::RecordTable;
use crate::schema::{ColumnKind, OBSERVATIONS};
use crate::veil::{SHOWN, SHOWN_JSON};
use model::{AttributeKind, EntityKind, ValueKind};

const ENTITY_ID: &str = "entity_id";
const OBSERVED_AT: &str = "observed_at";

/// The attributes that have a column: all but those that would hide one of the two key columns.
fn attributes(kind: &EntityKind) -> impl Iterator<Item = (&String, &AttributeKind)> {
    kind.attributes
        .iter()
        .filter(|(name, _)| *name != ENTITY_ID && *name != OBSERVED_AT)
}

/// The view as it stands in the list of tables.
pub(crate) fn table(kind: &EntityKind) -> RecordTable {
    let keys = [
        (ENTITY_ID.to_owned(), ColumnKind::Text),
        (OBSERVED_AT.to_owned(), ColumnKind::Time),
    ];
    let values = attributes(kind).map(|(name, attribute)| {
        let kind = match attribute.value {
            ValueKind::Number => ColumnKind::Number,
            ValueKind::Boolean => ColumnKind::Boolean,
            ValueKind::Text | ValueKind::Relationship => ColumnKind::Text,
            ValueKind::Geometry | ValueKind::Json => ColumnKind::Json,
        };
        (name.clone(), kind)
    });
    RecordTable {
        name: kind.name.clone(),
        description: format!(
            "{} / {}: a row for each entity and moment, a column for each attribute.",
            kind.title_zh, kind.title_en
        ),
        columns: keys.into_iter().chain(values).collect(),
    }
}

/// The view's SQL. Where one attribute was told twice for one moment, what came last counts. What is personal is stored
/// as text whatever it is, and shown by the functions of the veil, where there is one.
pub(crate) fn sql(kind: &EntityKind, has_veil: bool) -> String {
    let mut sql = format!("SELECT {ENTITY_ID}, {OBSERVED_AT}");
    for (name, attribute) in attributes(kind) {
        if has_veil && attribute.personal.is_some() {
            let shown = match attribute.value {
                ValueKind::Json | ValueKind::Geometry => SHOWN_JSON,
                _ => SHOWN,
            };
            sql += &format!(
                ",\n  {shown}({ENTITY_ID}, {}, {attribute}, last_value(coalesce(value_text, value_json) \
                 ORDER BY journal_position) FILTER (WHERE attribute = {attribute})) AS {}",
                literal(&kind.name),
                quoted(name),
                attribute = literal(name),
            );
            continue;
        }
        let (column, finish) = match attribute.value {
            ValueKind::Number => ("value_number", ""),
            ValueKind::Boolean => ("value_number", " = 1.0"),
            ValueKind::Text | ValueKind::Relationship => ("value_text", ""),
            ValueKind::Geometry | ValueKind::Json => ("value_json", ""),
        };
        sql += &format!(
            ",\n  last_value({column} ORDER BY journal_position) FILTER (WHERE attribute = {}){finish} AS {}",
            literal(name),
            quoted(name)
        );
    }
    sql += &format!(
        "\nFROM {OBSERVATIONS} WHERE entity_type = {}\nGROUP BY {ENTITY_ID}, {OBSERVED_AT}",
        literal(&kind.name)
    );
    sql
}

/// A name in double quotes.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
