//! A file whose columns are those of a declared table becomes readings and registers of the city's entities: what the HTTP door
//! and the command line do alike. A file is looked at whole ([`look`]), against what the city knows already ([`Plan::against`]), and
//! what is new goes in as messages through admission, each durable before the next ([`send`]).
//!
//! What a file says again changes nothing: only values that history (of a register: the current state) does not have in this way are sent, and
//! those that a person corrected stay as corrected. So a file that came in half, because the disk was full or the power
//! failed, is simply brought in again.

use crate::sight::Sight;
use admission::{Incoming, Ingest, Refusal, Scope};
use imports::LineProblem;
use imports::declared::{Read, Said};
use lake::{Lake, Question, RecordTables, ScalarValue};
use model::problem::{both, quote};
use model::{
    AttributeName, AttributeUpdate, Catalogue, EntityId, IntakeValue, Problem, Quality,
    TableIntake, TableView, Timestamp, Told, TypeName, Update, Value,
};
use records::{Actor, Records};
use serde_json::Value as Json;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use twin::{Filter, Twin};
use wire::Payload;

/// The door that messages of files come in by.
pub const DOOR: &str = "file";
/// Rows of one message.
const MESSAGE_ROWS: usize = 500;
/// Rows that are held against history together.
const WINDOW_ROWS: usize = 2_000;
/// Most values of history that one window may have.
const WINDOW_VALUES_MAX: usize = 2_000_000;
/// How far two numbers may be apart, as a share, and be the same: a value that was converted there and back.
const SAME_WITHIN: f64 = 1e-12;
/// How often a message that finds the disk busy is tried again, and how long that waits.
const BUSY_TRIES: usize = 300;
const BUSY_WAIT: Duration = Duration::from_millis(200);

/// What the city is asked while a file is looked at.
#[derive(Clone, Copy)]
pub struct City<'a> {
    /// The current state.
    pub twin: &'a Twin,
    /// Whom the entities are to be seen by; nobody in particular: all.
    pub sight: Option<&'a Sight>,
    /// Judges an update as admission does, without writing anything.
    pub believe: &'a dyn Fn(Update) -> (Option<Update>, Vec<Problem>),
    /// Now: what a register says is of this moment.
    pub now: Timestamp,
}

/// What came of the values of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows with something that the city did not know.
    pub rows_new: usize,
    /// Rows of which everything was known.
    pub rows_same: usize,
    /// Values that are new.
    pub values: usize,
    /// Values that are left as a person corrected them.
    pub values_corrected: usize,
    /// New values outside the credible range: kept and marked.
    pub values_out_of_range: usize,
    /// Entities of which something is new.
    pub entities: usize,
    /// The first and the last moment of what is new.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// A row that is believed, with its line.
struct Row {
    line: u64,
    update: Update,
}

/// A file that was looked at.
pub struct Plan {
    /// The file as it was found, with everything that is wrong with it.
    pub table: imports::Table,
    /// What came of its values, once it was held against what is known.
    pub counts: Counts,
    rows: Vec<Row>,
    /// Whether each row has a time of its own.
    has_times: bool,
}

/// The entities that a key names.
struct Named {
    /// The type's place in the declaration's list.
    kind: usize,
    ids: Vec<EntityId>,
}

/// Finds the entities of a file and makes an update of each good row; what is wrong is added to the file's problems.
pub fn look(
    read: Read,
    intake: &TableIntake,
    catalogue: &Catalogue,
    city: City<'_>,
    problems_max: usize,
) -> Plan {
    let Read {
        mut table,
        mut rows,
    } = read;
    let named = named(&rows, intake, city);
    rows.sort_by_key(|said| (said.at, said.line));
    let mut bad: Vec<LineProblem> = Vec::new();
    let mut bad_lines = 0;
    let mut good: Vec<Row> = Vec::new();
    // What was said of the moment before: a second row of the same must say the same.
    let mut moment = None;
    let mut said_of: HashMap<(EntityId, AttributeName), (u64, Value)> = HashMap::new();
    let mut without: BTreeSet<(&str, &str)> = BTreeSet::new();
    for said in rows {
        if said.at != moment {
            said_of.clear();
            moment = said.at;
        }
        let made = update(&said, intake, catalogue, &named, city.now, &mut without);
        let made = made.and_then(|update| {
            let Some(update) = update else {
                return Ok(None);
            };
            for attribute in &update.attributes {
                let key = (update.entity_id.clone(), attribute.name.clone());
                match said_of.get(&key) {
                    Some((line, value)) if *value != attribute.value => {
                        return Err(contradicts(&said, *line, intake, attribute));
                    }
                    _ => {}
                }
            }
            let (believed, problems) = (city.believe)(update);
            match problems.into_iter().next() {
                Some(problem) => Err(disbelieved(&said, intake, problem)),
                None => Ok(believed),
            }
        });
        match made {
            Ok(Some(update)) => {
                for attribute in &update.attributes {
                    let key = (update.entity_id.clone(), attribute.name.clone());
                    // As the file has it: the next one is looked at before it is converted.
                    let value = raw_value(&said, intake, &attribute.name);
                    said_of.extend(value.map(|value| (key, (said.line, value))));
                }
                good.push(Row {
                    line: said.line,
                    update,
                });
            }
            Ok(None) => {}
            Err(problem) => {
                bad_lines += 1;
                bad.push(problem);
            }
        }
    }
    for (kind, attribute) in without {
        table.notes.push(Told::new(
            "import-attribute-left",
            both(
                format!("{kind} 没有要素 {attribute}，这一项没有收"),
                format!("{kind} has no {attribute}, which was not taken in for it"),
            ),
            both("文件", "the file"),
            both(
                "不需要处理，除非这一项要进平台",
                "nothing needs to be done, unless the platform should have it",
            ),
        ));
    }
    table.rows_bad += bad_lines;
    table.problems_count += bad.len();
    table.problems.extend(bad);
    table.problems.sort_by_key(|found| found.line);
    table.problems.truncate(problems_max);
    Plan {
        table,
        counts: Counts::default(),
        rows: good,
        has_times: intake.time.is_some(),
    }
}

/// The entities that the rows name, by key.
fn named(rows: &[Said], intake: &TableIntake, city: City<'_>) -> HashMap<String, Named> {
    let wanted: BTreeSet<&str> = rows.iter().map(|said| said.key.as_str()).collect();
    let mut named: HashMap<String, Named> = HashMap::new();
    for (kind, name) in intake.types.iter().enumerate() {
        let filter = Filter {
            types: vec![name.clone()],
            limit: usize::MAX,
            ..Filter::default()
        };
        city.twin.visit(&filter, |entity| {
            let key = entity.attribute(&intake.key_attribute);
            let Some(key) = key.and_then(|key| key.value.as_text()) else {
                return;
            };
            let key = key.trim();
            if !wanted.contains(key) || city.sight.is_some_and(|sight| !sight.sees(entity)) {
                return;
            }
            let known = named.entry(key.to_owned()).or_insert_with(|| Named {
                kind,
                ids: Vec::new(),
            });
            // A type that stands earlier in the list has it.
            if known.kind == kind {
                known.ids.push(entity.id.clone());
            }
        });
    }
    named
}

/// What a row says as an update; nothing when its entity has none of the attributes.
fn update<'a>(
    said: &Said,
    intake: &'a TableIntake,
    catalogue: &Catalogue,
    named: &HashMap<String, Named>,
    now: Timestamp,
    without: &mut BTreeSet<(&'a str, &'a str)>,
) -> Result<Option<Update>, LineProblem> {
    let key = quote(&said.key);
    let found = named.get(&said.key);
    let (name, attribute) = (&intake.key, &intake.key_attribute);
    let Some(Named { kind, ids }) = found else {
        let types = intake.types.join(", ");
        return Err(problem(
            said,
            (name, Some(&key)),
            "import-entity",
            both(
                format!("没有编码（{attribute}）是“{key}”的 {types}"),
                format!("no {types} has the code \"{key}\" ({attribute})"),
            ),
            both(
                "请先登记这个对象和它的编码，或删去这一行",
                "register it with its code first, or take the line away",
            ),
        ));
    };
    let (Some(kind), [id]) = (intake.types.get(*kind), ids.as_slice()) else {
        let all: Vec<&str> = ids.iter().map(EntityId::as_str).collect();
        let shown = quote(&all.join(", "));
        return Err(problem(
            said,
            (name, Some(&key)),
            "import-entity-twice",
            both(
                format!("有 {} 个对象的编码都是“{key}”：{shown}", ids.len()),
                format!("{} entities have the code \"{key}\": {shown}", ids.len()),
            ),
            both(
                "请先把登记改到只有一个对象用这个编码",
                "let one entity alone have the code",
            ),
        ));
    };
    let declared = catalogue.kinds.get(kind);
    let mut attributes = Vec::with_capacity(said.values.len());
    for (n, value) in &said.values {
        let Some(IntakeValue {
            attribute, unit, ..
        }) = intake.values.get(*n)
        else {
            continue;
        };
        if !declared.is_some_and(|kind| kind.attributes.contains_key(attribute)) {
            without.insert((kind, attribute));
            continue;
        }
        // The pack loader has checked the names.
        let Ok(name) = AttributeName::new(attribute) else {
            continue;
        };
        attributes.push(AttributeUpdate {
            name,
            value: value.clone(),
            unit: unit.clone(),
            observed_at: said.at.unwrap_or(now),
            quality: Quality::Good,
        });
    }
    let kind = TypeName::new(kind).ok();
    Ok(kind
        .filter(|_| !attributes.is_empty())
        .map(|entity_type| Update {
            entity_id: id.clone(),
            entity_type,
            attributes,
        }))
}

/// What the file has for an attribute, before admission converted it.
fn raw_value(said: &Said, intake: &TableIntake, attribute: &AttributeName) -> Option<Value> {
    let is_it = |(n, _): &&(usize, Value)| {
        let value = intake.values.get(*n);
        value.is_some_and(|value| value.attribute == attribute.as_str())
    };
    said.values
        .iter()
        .find(is_it)
        .map(|(_, value)| value.clone())
}

fn contradicts(
    said: &Said,
    line: u64,
    intake: &TableIntake,
    attribute: &AttributeUpdate,
) -> LineProblem {
    let column = column_of(intake, &attribute.name);
    problem(
        said,
        (&column, None),
        "import-twice",
        both(
            format!("第 {line} 行说的是同一对象、同一时刻，值却不同"),
            format!("line {line} speaks of the same entity and moment, and says another value"),
        ),
        both("请只留一行", "leave one of the two"),
    )
}

/// Says in both languages what admission says of a value.
fn disbelieved(said: &Said, intake: &TableIntake, told: Problem) -> LineProblem {
    let time = intake.time.as_ref().map_or("", |time| time.column.as_str());
    match told.code.as_str() {
        "time-out-of-range" => problem(
            said,
            (time, None),
            &told.code,
            both("时间在将来，或早于平台收的最早时间", told.what),
            both(
                "请改正时间；确实要收更早的数据，请工程师调大 admission.observed_past_days_max",
                "put the time right; for older data let the engineer raise admission.observed_past_days_max",
            ),
        ),
        _ => problem(
            said,
            (&intake.key, None),
            &told.code.clone(),
            both(told.what.clone(), told.what),
            both(told.mend.clone(), told.mend),
        ),
    }
}

/// The columns that become an attribute.
fn column_of(intake: &TableIntake, attribute: &AttributeName) -> String {
    let is_it = |value: &&IntakeValue| value.attribute == attribute.as_str();
    let value = intake.values.iter().find(is_it);
    value.map_or_else(String::new, |value| value.columns.join(", "))
}

fn problem(
    said: &Said,
    (column, value): (&str, Option<&str>),
    code: &str,
    what: model::Both,
    mend: model::Both,
) -> LineProblem {
    let line = said.line;
    let place = both(
        format!("第 {line} 行，{column} 列"),
        format!("line {line}, column {column}"),
    );
    LineProblem {
        line,
        column: Some(column.to_owned()).filter(|column| !column.is_empty()),
        value: value.map(str::to_owned),
        problem: Told::new(code, what, place, mend),
    }
}

/// Whether two values are the same, whatever was converted.
fn is_same(known: &Value, said: &Value) -> bool {
    match (known, said) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a - b).abs() <= SAME_WITHIN * a.abs().max(b.abs())
        }
        _ => known == said,
    }
}

/// What is known of a value.
struct Known {
    value: Value,
    is_corrected: bool,
}

impl Plan {
    /// Whether anything is wrong with the file.
    pub const fn is_good(&self) -> bool {
        self.table.problems_count == 0
    }

    /// Leaves what the city knows already out of the plan, and counts. `tables` are those of nobody in particular.
    ///
    /// # Errors
    /// The lake's own, `sql-*`.
    pub async fn against(
        &mut self,
        twin: &Twin,
        lake: &Lake,
        tables: &Arc<dyn RecordTables>,
        catalogue: &Catalogue,
    ) -> Result<(), Problem> {
        let mut counts = Counts::default();
        let mut entities: BTreeSet<EntityId> = BTreeSet::new();
        let mut kept = Vec::new();
        let mut rows = std::mem::take(&mut self.rows).into_iter();
        loop {
            let window: Vec<Row> = rows.by_ref().take(WINDOW_ROWS).collect();
            if window.is_empty() {
                break;
            }
            let known = match self.has_times {
                true => of_history(&window, lake, tables, catalogue).await?,
                false => HashMap::new(),
            };
            for mut row in window {
                let id = row.update.entity_id.clone();
                let state = (!self.has_times).then(|| twin.get(&id)).flatten();
                row.update.attributes.retain(|attribute| {
                    let of_state = || {
                        let now = state.as_ref()?.attribute(attribute.name.as_str())?;
                        Some(Known {
                            value: now.value.to_value(),
                            is_corrected: false,
                        })
                    };
                    let key = (
                        id.to_string(),
                        attribute.name.to_string(),
                        attribute.observed_at,
                    );
                    let stated = of_state();
                    let Some(known) = known.get(&key).or(stated.as_ref()) else {
                        return true;
                    };
                    let same = is_same(&known.value, &attribute.value);
                    counts.values_corrected += usize::from(!same && known.is_corrected);
                    !same && !known.is_corrected
                });
                if row.update.attributes.is_empty() {
                    counts.rows_same += 1;
                    continue;
                }
                counts.rows_new += 1;
                for attribute in &row.update.attributes {
                    let at = attribute.observed_at;
                    counts.values += 1;
                    counts.values_out_of_range +=
                        usize::from(attribute.quality == Quality::OutOfRange);
                    let (first, last) = counts.span.unwrap_or((at, at));
                    counts.span = Some((first.min(at), last.max(at)));
                }
                entities.insert(id);
                kept.push(row);
            }
        }
        counts.entities = entities.len();
        self.counts = counts;
        self.rows = kept;
        Ok(())
    }
}

/// What history has of the moments of some rows, the last that was said of each.
async fn of_history(
    window: &[Row],
    lake: &Lake,
    tables: &Arc<dyn RecordTables>,
    catalogue: &Catalogue,
) -> Result<HashMap<(String, String, Timestamp), Known>, Problem> {
    let all = || window.iter().flat_map(|row| &row.update.attributes);
    let first = all().map(|attribute| attribute.observed_at).min();
    let last = all().map(|attribute| attribute.observed_at).max();
    let Some((first, last)) = first.zip(last) else {
        return Ok(HashMap::new());
    };
    let list = |texts: BTreeSet<&str>| {
        let quoted = texts
            .into_iter()
            .map(|text| format!("'{}'", text.replace('\'', "''")));
        quoted.collect::<Vec<_>>().join(", ")
    };
    let ids = list(window.iter().map(|r| r.update.entity_id.as_str()).collect());
    let types = list(
        window
            .iter()
            .map(|r| r.update.entity_type.as_str())
            .collect(),
    );
    let names = list(all().map(|attribute| attribute.name.as_str()).collect());
    let sql = format!(
        "SELECT entity_id, attribute, observed_at, last_value(value_number ORDER BY journal_position) AS n, \
         last_value(value_text ORDER BY journal_position) AS t, last_value(quality ORDER BY journal_position) AS q \
         FROM observations WHERE observed_at >= $1 AND observed_at <= $2 AND entity_type IN ({types}) \
         AND attribute IN ({names}) AND entity_id IN ({ids}) GROUP BY entity_id, attribute, observed_at"
    );
    let time =
        |at: Timestamp| ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("UTC".into()));
    let question = Question {
        sql: &sql,
        parameters: vec![time(first), time(last)],
        tables: Arc::clone(tables),
        catalogue,
        zone: None,
    };
    let limits = lake::Limits {
        rows_max: WINDOW_VALUES_MAX,
        statement_bytes_max: sql.len().max(lake::Limits::default().statement_bytes_max),
        ..lake::Limits::default()
    };
    let (_, rows) = crate::runner::rows(lake, question, &limits).await?;
    let known = rows.into_iter().filter_map(|row| {
        let row: [Json; 6] = row.try_into().ok()?;
        let [
            Json::String(id),
            Json::String(name),
            Json::String(at),
            number,
            text,
            quality,
        ] = row
        else {
            return None;
        };
        let value = match (number.as_f64(), text) {
            (Some(number), _) => Value::Number(number),
            (None, Json::String(text)) => Value::Text(text),
            _ => return None,
        };
        let is_corrected = quality == Quality::Corrected.as_str();
        let key = (id, name, Timestamp::parse(&at).ok()?);
        Some((
            key,
            Known {
                value,
                is_corrected,
            },
        ))
    });
    Ok(known.collect())
}

/// A file that is sent: whose columns it has, its name and its hash.
#[derive(Clone, Debug)]
pub struct Source {
    /// The table.
    pub table: String,
    /// The file's own name.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
}

/// Writes into the audit trail that a file's values come in, before they do: what is not in the trail does not take effect.
///
/// # Errors
/// The records' own.
pub async fn note(
    records: &Records,
    actor: &Actor,
    now: Timestamp,
    source: &Source,
    plan: &Plan,
) -> records::Result<()> {
    let counts = plan.counts;
    let detail = serde_json::json!({
        "file": source.file,
        "sha256": source.sha256,
        "rows": counts.rows_new,
        "rows_same": counts.rows_same,
        "rows_left_out": plan.table.rows_bad,
        "values": counts.values,
        "entities": counts.entities,
        "from": counts.span.map(|(first, _)| first.to_string()),
        "to": counts.span.map(|(_, last)| last.to_string()),
    });
    let target = format!("table:{}", source.table);
    let mut write = records.write().await?;
    let event = records::Event::DataImport;
    records::audit::insert(&mut write, now, actor, event, &target, &detail).await?;
    write.commit().await
}

/// Why not all of a file came in.
#[derive(Debug)]
pub struct Halted {
    /// Rows that are in.
    pub done: usize,
    /// Rows that were to come in.
    pub all: usize,
    /// Why.
    pub why: Refusal,
}

impl std::fmt::Display for Halted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { done, all, why } = self;
        write!(
            f,
            "{done} of {all} rows came in, and are kept; the rest not: {why}. Bring the file in again: what is in changes nothing"
        )
    }
}

impl std::error::Error for Halted {}

/// Sends what is new as messages, each durable before the next; gives the last position, and what was refused after all because the
/// declarations changed meanwhile. `progress` is told how many rows are in.
///
/// # Errors
/// [`Halted`] when the disk takes no more; what was sent before is kept.
pub async fn send(
    ingest: &Ingest,
    plan: &mut Plan,
    source: &Source,
    now: Timestamp,
    mut progress: impl FnMut(usize, usize),
) -> Result<(Option<u64>, Vec<Problem>), Halted> {
    let rows = std::mem::take(&mut plan.rows);
    let all = rows.len();
    let (mut position, mut refused, mut done) = (None, Vec::new(), 0);
    let address = format!("{} {}", source.table, source.file);
    for part in rows.chunks(MESSAGE_ROWS) {
        let raw = text_of(part);
        let updates: Vec<Update> = part.iter().map(|row| row.update.clone()).collect();
        let halted = |why| Halted { done, all, why };
        let mut tries = 0;
        let receipt = loop {
            let incoming = Incoming {
                door: DOOR,
                device_id: None,
                scope: &Scope::Any,
                address: &address,
                raw: raw.as_bytes(),
                received_at: now,
                retain: false,
            };
            let payload = Payload {
                updates: updates.clone(),
                problems: Vec::new(),
            };
            match ingest.submit(incoming, payload) {
                Ok(receipt) => break receipt,
                Err(Refusal::Busy) if tries < BUSY_TRIES => {
                    tries += 1;
                    tokio::time::sleep(BUSY_WAIT).await;
                }
                Err(why) => return Err(halted(why)),
            }
        };
        let durable = ingest.journal().wait_durable(receipt.position).await;
        durable.map_err(|e| halted(Refusal::Unavailable(e.to_string())))?;
        position = Some(receipt.position);
        refused.extend(receipt.problems);
        done += part.len();
        progress(done, all);
    }
    Ok((position, refused))
}

/// The message as it is kept: the rows as CSV with their lines in the file.
fn text_of(rows: &[Row]) -> String {
    let mut text = "line,entity,time,attribute,value,unit\n".to_owned();
    for Row { line, update } in rows {
        for attribute in &update.attributes {
            let value = match &attribute.value {
                Value::Number(number) => number.to_string(),
                other => format!("\"{}\"", other.to_json().to_string().replace('"', "\"\"")),
            };
            let _ = writeln!(
                text,
                "{line},{},{},{},{value},{}",
                update.entity_id,
                attribute.observed_at,
                attribute.name,
                attribute.unit.as_deref().unwrap_or_default(),
            );
        }
    }
    text
}

/// The declared table of a name that files come in for, whatever its capitals.
pub fn table_of<'a>(
    catalogue: &'a Catalogue,
    name: &str,
) -> Option<(&'a TableView, &'a TableIntake)> {
    let view = (catalogue.views.iter()).find(|view| view.name.eq_ignore_ascii_case(name))?;
    Some((view, view.intake.as_ref()?))
}
