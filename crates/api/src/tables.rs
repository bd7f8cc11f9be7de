//! The tables that the platform lends to SQL beside history: people's records, the current values, and
//! the plan's indicators.

use crate::personal::{Look, Shown, without_sealed};
use crate::plan::Plan;
use crate::sight::Sight;
use arrow::array::{
    ArrayRef, Float64Builder, Int64Builder, StringViewBuilder, TimestampMicrosecondBuilder,
};
use city::City;
use futures::future::BoxFuture;
use identity::{Identity, Permission, Principal};
use lake::{ColumnKind, Columns, RecordTable, RecordTables, Veil, Wanted};
use model::{EntityId, Problem, Timestamp};
use policy::Access;
use records::tables::{ColumnType, TABLES, table_rows};
use records::{Event, Records};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use twin::{Attribute, Entity, Filter, Twin, ValueRef};

/// Most rows of one record table that a query reads; the newest are taken.
const RECORD_ROWS_MAX: u32 = 1_000_000;

/// Current values, a row for each attribute of each entity.
const ENTITIES_NOW: &str = "entities_now";
/// Cases, and their steps.
const CASES: &str = "cases";
const CASE_EVENTS: &str = "case_events";
/// The audit trail.
const AUDIT: &str = "audit";
/// The plan's indicators as last measured.
const INDICATORS: &str = "indicators";

/// All tables that the platform lends.
pub struct CityTables {
    /// People's records.
    pub records: Records,
    /// The current state.
    pub twin: Arc<Twin>,
    /// The plan.
    pub plan: Arc<Plan>,
    /// Who may see what.
    pub identity: Identity,
    /// The city.
    pub city: Arc<City>,
    /// The clock.
    pub clock: fn() -> Timestamp,
    /// Who asks, and so sees only the tables and rows that they may read; `None` is the platform itself, which reads all
    /// but the audit trail.
    pub reader: Option<Reader>,
    /// How personal values are shown.
    pub look: Arc<Look>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The caller.
    pub caller: Arc<Principal>,
    /// What the caller may see.
    pub sight: Arc<Sight>,
    /// Whence the caller asks, as the audit trail writes it.
    pub peer: String,
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

// Places of the text columns.
const ENTITY_ID: usize = 0;
const ENTITY_TYPE: usize = 1;
const ATTRIBUTE: usize = 2;
const VALUE_TEXT: usize = 4;
const VALUE_JSON: usize = 5;
const UNIT: usize = 6;
const QUALITY: usize = 7;
const DEVICE_ID: usize = 9;

/// Entities that a query reads from the current state at once; updates wait that long.
const ENTITIES_A_PAGE: usize = 2_048;

/// The names of all tables lent, also of those that not everybody may read.
pub fn names() -> Vec<&'static str> {
    let records = TABLES.iter().map(|t| t.name);
    [ENTITIES_NOW, INDICATORS]
        .into_iter()
        .chain(records)
        .collect()
}

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
        all.retain(|table| self.may_read(&table.name));
        all.extend(
            TABLES
                .iter()
                .filter(|table| self.may_read(table.name))
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

    fn sight(&self) -> Option<Arc<dyn lake::Sight>> {
        let sight = Arc::clone(&self.reader.as_ref()?.sight);
        Some(sight)
    }

    fn may_read_department(&self, name: &str, department: Option<&str>) -> bool {
        let reader = self.reader.as_ref();
        reader.is_none_or(|reader| reader.sight.view().table(name, department))
    }

    fn is_paged(&self, name: &str) -> bool {
        name == ENTITIES_NOW
    }

    fn current(&self) -> Option<&'static str> {
        Some(ENTITIES_NOW).filter(|name| self.may_read(name))
    }

    fn veil(&self) -> Option<Arc<dyn Veil>> {
        Some(Arc::clone(&self.look) as _)
    }

    fn page(&self, _name: &str, wanted: &Wanted, after: Option<&str>) -> Result<Columns, Problem> {
        Ok(self.entities_now(wanted, after))
    }

    fn rows(&self, name: &str) -> BoxFuture<'_, Result<Vec<Vec<Value>>, Problem>> {
        let name = name.to_owned();
        Box::pin(async move {
            match name.as_str() {
                INDICATORS => Ok(self.plan.table_rows()),
                name if !self.may_read(name) => Ok(Vec::new()),
                name => self.told_rows(name).await.map_err(|failure| {
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

/// The columns of cases in which people write as they like.
const FREE_TEXTS: [&str; 3] = ["title", "description", "note"];

impl CityTables {
    /// [`Self::record_rows`], with numbers of persons masked where people write freely: also for a purpose, because a statement
    /// reads such a table whole, and nobody could say whose number it was about.
    async fn free_of_numbers(&self, name: &str) -> records::Result<Vec<Vec<Value>>> {
        let mut rows = self.record_rows(name).await?;
        if let (CASES | CASE_EVENTS, Some(table)) = (name, records::tables::table(name)) {
            let columns = table.columns.iter().enumerate();
            let free = columns.filter(|(_, (name, _))| FREE_TEXTS.contains(name));
            let free: Vec<usize> = free.map(|(column, _)| column).collect();
            for row in &mut rows {
                for &column in &free {
                    if let Some(Value::String(text)) = row.get_mut(column) {
                        *text = ::personal::text::masked(text).into_owned();
                    }
                }
            }
        }
        Ok(rows)
    }

    /// The rows of a table of records. That a statement reads the audit trail is told in it first, as looking at its page
    /// is: the rows are asked for once for each statement that names the table, and not where one is only described.
    async fn told_rows(&self, name: &str) -> records::Result<Vec<Vec<Value>>> {
        if let Some(reader) = self.reader.as_ref().filter(|_| name == AUDIT) {
            let (actor, detail) = (reader.caller.actor(&reader.peer), json!({"by": "sql"}));
            let now = (self.clock)();
            crate::audit::write_look(&self.records, &actor, Event::AuditSearch, &detail, now)
                .await?;
        }
        self.free_of_numbers(name).await
    }

    /// The rows of a table of records that the reader may see.
    async fn record_rows(&self, name: &str) -> records::Result<Vec<Vec<Value>>> {
        let (columns, mut rows) = table_rows(&self.records, name, RECORD_ROWS_MAX).await?;
        rows.iter_mut().for_each(|row| without_sealed(row));
        let Some(reader) = &self.reader else {
            return Ok(rows);
        };
        let place = |column: &str| columns.iter().position(|name| *name == column);
        if name == CASES {
            let organisation = place("organisation_id");
            rows.retain(|row| {
                reader
                    .sight
                    .sees_case(organisation.and_then(|c| row[c].as_str()))
            });
        } else if name == CASE_EVENTS {
            // A step is seen with its case, whoever had the case then.
            let cases = Box::pin(self.record_rows(CASES)).await?;
            let seen: BTreeSet<i64> = cases.iter().filter_map(|row| row[0].as_i64()).collect();
            let case = place("case_id");
            rows.retain(|row| {
                case.and_then(|c| row[c].as_i64())
                    .is_some_and(|id| seen.contains(&id))
            });
        } else {
            reader.sight.retain_rows(&columns, &mut rows);
        }
        Ok(rows)
    }

    /// The same tables as this reader, who asks from `peer`, sees them, personal values masked.
    pub fn seen_by(&self, reader: &Arc<Principal>, peer: IpAddr) -> Arc<Self> {
        self.looked_at(reader, peer, &self.look)
    }

    /// All tables, as another look shows what is personal in them.
    pub fn shown_by(&self, look: &Arc<Look>) -> Arc<Self> {
        self.with(look, self.reader.clone())
    }

    /// The same, with a look that may have a purpose.
    pub fn looked_at(&self, reader: &Arc<Principal>, peer: IpAddr, look: &Arc<Look>) -> Arc<Self> {
        let sight = Sight::new(
            &self.identity,
            &self.city,
            &self.twin,
            reader,
            look.purpose(),
            (self.clock)(),
        );
        let reader = Reader {
            sight: Arc::new(sight),
            caller: Arc::clone(reader),
            peer: peer.to_string(),
        };
        self.with(look, Some(reader))
    }

    fn with(&self, look: &Arc<Look>, reader: Option<Reader>) -> Arc<Self> {
        Arc::new(Self {
            look: Arc::clone(look),
            records: self.records.clone(),
            twin: self.twin.clone(),
            plan: self.plan.clone(),
            identity: self.identity.clone(),
            city: self.city.clone(),
            clock: self.clock,
            reader,
        })
    }

    /// `sql.query` alone opens history; a table of records needs the permission that its page needs.
    fn may_read(&self, table: &str) -> bool {
        let permission = match table {
            ENTITIES_NOW => Permission::EntityRead,
            INDICATORS => Permission::IndicatorRead,
            _ => match records::tables::table(table).map(|t| t.permission.parse()) {
                Some(Ok(permission)) => permission,
                // Not lent here.
                None => return true,
                Some(Err(_)) => return false,
            },
        };
        match &self.reader {
            Some(reader) => reader.caller.may(permission),
            None => permission != Permission::AuditRead,
        }
    }

    /// What is shown in the place of a personal value; `None` when it is shown as it is, or not asked for.
    fn shown(
        &self,
        wants: &[bool; 2],
        entity: &Entity,
        name: &str,
        state: &Attribute<'_>,
    ) -> Option<String> {
        let (ValueRef::Text(stored) | ValueRef::Json(stored)) = state.value else {
            return None;
        };
        if !wants.contains(&true) {
            return None;
        }
        let (id, kind) = (entity.id.as_str(), entity.entity_type.as_str());
        match self.look.text(id, kind, name, stored) {
            Shown::AsStored => None,
            Shown::Masked(text) => Some(text),
            Shown::Plain(opened) => Some(opened.text),
        }
    }

    /// Some current values as columns, an attribute a row, by entity id.
    fn entities_now(&self, wanted: &Wanted, after: Option<&str>) -> Columns {
        let only = |column: usize| {
            let equal = wanted.equal.iter().find(|(c, _)| *c == column);
            equal.map(|(_, texts)| texts.as_slice())
        };
        let attributes = only(ATTRIBUTE);
        let mut columns: Vec<Growing> = wanted.columns.iter().map(|c| Growing::new(*c)).collect();
        let wants = [VALUE_TEXT, VALUE_JSON].map(|column| wanted.columns.contains(&column));
        let mut rows = 0;
        let mut add = |entity: &Entity| {
            let sight = self.reader.as_ref().map(|reader| &reader.sight);
            let columns_seen = sight.map(|sight| (sight, sight.columns(entity)));
            let sees = |name: &str| {
                columns_seen
                    .as_ref()
                    .is_none_or(|(sight, columns)| sight.within(columns, name) != Access::Hidden)
            };
            for (name, state) in entity.attributes() {
                if !sees(name.as_str()) {
                    continue;
                }
                if attributes.is_none_or(|names| names.iter().any(|n| n == name.as_str())) {
                    rows += 1;
                    let shown = self.shown(&wants, entity, name.as_str(), &state);
                    for column in &mut columns {
                        Growing::push(column, entity, name.as_str(), &state, shown.as_deref());
                    }
                }
            }
        };
        let next = match only(ENTITY_ID) {
            // Named entities are few; they are one page.
            Some(ids) => {
                let ids: BTreeSet<EntityId> =
                    ids.iter().filter_map(|id| EntityId::new(id).ok()).collect();
                ids.iter()
                    .filter_map(|id| self.twin.get(id))
                    .for_each(|entity| add(&entity));
                None
            }
            None => {
                let page = Filter {
                    types: only(ENTITY_TYPE).unwrap_or_default().to_vec(),
                    limit: ENTITIES_A_PAGE,
                    after: after.map(str::to_owned),
                    ..Filter::default()
                };
                self.twin.visit(&page, add)
            }
        };
        Columns {
            rows,
            arrays: columns.into_iter().map(Growing::finish).collect(),
            next: next.map(|id| id.to_string()),
        }
    }
}

/// A column of `entities_now` that grows.
enum Growing {
    /// Text, and which column it is.
    Text(usize, StringViewBuilder),
    /// Numbers.
    Number(Float64Builder),
    /// Positions.
    Position(Int64Builder),
    /// Times.
    Time(TimestampMicrosecondBuilder),
}

impl Growing {
    fn new(column: usize) -> Self {
        match ENTITIES_NOW_COLUMNS[column].1 {
            ColumnKind::Number => Self::Number(Float64Builder::new()),
            ColumnKind::Integer => Self::Position(Int64Builder::new()),
            ColumnKind::Time => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            // Ids, types, names and units come again and again; each is kept once.
            _ => Self::Text(column, StringViewBuilder::new().with_deduplicate_strings()),
        }
    }

    fn push(&mut self, entity: &Entity, name: &str, state: &Attribute<'_>, shown: Option<&str>) {
        match self {
            Self::Number(numbers) => numbers.append_option(number_of(state.value)),
            Self::Position(positions) => positions.append_value(state.position.cast_signed()),
            Self::Time(times) => times.append_value(state.observed_at.micros()),
            Self::Text(column, texts) => match *column {
                ENTITY_ID => texts.append_value(entity.id.as_str()),
                ENTITY_TYPE => texts.append_value(entity.entity_type.as_str()),
                ATTRIBUTE => texts.append_value(name),
                VALUE_TEXT if shown.is_some() => texts.append_option(shown),
                VALUE_TEXT => texts.append_option(text_of(state.value)),
                VALUE_JSON if shown.is_some() => texts.append_null(),
                VALUE_JSON => texts.append_option(json_of(state.value)),
                UNIT => texts.append_option(state.unit),
                QUALITY => texts.append_value(state.quality.as_str()),
                DEVICE_ID => texts.append_option(state.device_id),
                _ => unreachable!("the other columns are no text"),
            },
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(_, mut texts) => Arc::new(texts.finish()),
            Self::Number(mut numbers) => Arc::new(numbers.finish()),
            Self::Position(mut positions) => Arc::new(positions.finish()),
            Self::Time(mut times) => Arc::new(times.finish()),
        }
    }
}

// A value in the three columns that `observations` has too.

fn number_of(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::Number(n) => Some(n),
        ValueRef::Boolean(b) => Some(f64::from(u8::from(b))),
        _ => None,
    }
}

fn text_of(value: ValueRef<'_>) -> Option<&str> {
    match value {
        ValueRef::Boolean(b) => Some(if b { "true" } else { "false" }),
        ValueRef::Text(text) => Some(text),
        ValueRef::Relationship(id) => Some(id.as_str()),
        _ => None,
    }
}

fn json_of(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Json(json) => Some(json.into()),
        // Already the text of a GeoJSON geometry.
        ValueRef::Shape(geojson, _) => Some(geojson.into()),
        ValueRef::Point(_) => Some(value.to_value().to_json().to_string().into()),
        _ => None,
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
