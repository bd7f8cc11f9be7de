//! Two wide views for each entity type, with a column for each declared attribute. `TYPE` has a row for each entity and moment
//! and is plain SQL over `observations`; `TYPE_now` has a row for each entity and is plain SQL over the lent table of current
//! values, whose lender has taken out and masked what the asker may not see. Only what a statement asks of them is computed.

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
    RecordTable {
        name: kind.name.clone(),
        description: format!(
            "{} / {}: a row for each entity and moment, a column for each attribute.",
            kind.title_zh, kind.title_en
        ),
        columns: columns(kind),
    }
}

/// What the name of a view of current values ends with.
const NOW: &str = "_now";

/// The view of a type's current values as it stands in the list of tables.
pub(crate) fn table_now(kind: &EntityKind) -> RecordTable {
    RecordTable {
        name: format!("{}{NOW}", kind.name),
        description: format!(
            "{} / {}: a row for each entity with its current values, a column for each attribute; observed_at is the latest of them.",
            kind.title_zh, kind.title_en
        ),
        columns: columns(kind),
    }
}

/// The type of whose current values this is the view.
pub(crate) fn type_of_now(name: &str) -> Option<&str> {
    name.strip_suffix(NOW)
}

fn columns(kind: &EntityKind) -> Vec<(String, ColumnKind)> {
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
    keys.into_iter().chain(values).collect()
}

/// The SQL of the view of current values over the lent table of that name. It has one row for each attribute, so that the
/// greatest value is the only one; a personal value that is shown masked is text, whatever the attribute holds.
pub(crate) fn sql_now(kind: &EntityKind, current: &str) -> String {
    let mut sql = format!("SELECT {ENTITY_ID}, max({OBSERVED_AT}) AS {OBSERVED_AT}");
    for (name, attribute) in attributes(kind) {
        let (column, finish) = match attribute.value {
            ValueKind::Number => ("value_number", ""),
            ValueKind::Boolean => ("value_number", " = 1.0"),
            ValueKind::Text | ValueKind::Relationship => ("value_text", ""),
            ValueKind::Geometry | ValueKind::Json => ("coalesce(value_json, value_text)", ""),
        };
        sql += &format!(
            ",\n  max({column}) FILTER (WHERE attribute = {}){finish} AS {}",
            literal(name),
            quoted(name)
        );
    }
    sql += &format!(
        "\nFROM {} WHERE entity_type = {}\nGROUP BY {ENTITY_ID}",
        quoted(current),
        literal(&kind.name)
    );
    sql
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
