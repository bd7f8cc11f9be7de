//! A past stretch of time, so that a page can play it back: how things stood when it began, then every change in order, and
//! the alerts that were raised or over in it.
//!
//! How things stood is the twin's value where that is from before the beginning (then nothing newer was observed until then),
//! else the last value that history has in [`Options::look_back`] before it; an entity that said nothing in that time and has
//! spoken since is shown from when it speaks. Changes come in pages by time of observation; what is corrected is played as
//! corrected. A page reads history from its own beginning to the end of the stretch: n changes in pages of m cost about
//! n²/2m rows read, so a page takes thousands of changes.

use crate::access::{Caller, Peer};
use crate::alerts::AlertBody;
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::personal::{Look, Looking};
use crate::sight::{Seeing, Sight};
use arrow::array::RecordBatch;
use axum::Json;
use axum::extract::{Query, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::Principal;
use lake::ScalarValue;
use model::{AttributeName, Problem, Timestamp, TypeName};
use policy::Access;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use twin::{Entity, Filter};
use utoipa::{IntoParams, ToSchema};

/// The attribute that says where an entity is.
const LOCATION: &str = "location";

/// Limits of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Longest stretch.
    pub span_max: Duration,
    /// How far before its beginning history is searched for last values.
    pub look_back: Duration,
    /// Most changes in one page.
    pub changes_max: usize,
    /// Most values read from history for the beginning.
    pub state_rows_max: usize,
    /// Most entities of the beginning.
    pub entities_max: usize,
    /// Most alerts.
    pub alerts_max: u32,
    /// Most attributes that may be named.
    pub attributes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            span_max: Duration::from_hours(6),
            look_back: Duration::from_hours(2),
            changes_max: 20_000,
            state_rows_max: 500_000,
            entities_max: 200_000,
            alerts_max: 20_000,
            attributes_max: 20,
        }
    }
}

/// Which stretch, of what.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ReplayQuery {
    /// From this time on (RFC 3339).
    pub from: String,
    /// Up to this time.
    pub until: String,
    /// Of these entity types, separated by commas; all when not said.
    pub types: Option<String>,
    /// These attributes beside the place, separated by commas; when not said, those that the map's layers write.
    pub attributes: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Most changes in this page.
    pub limit: Option<usize>,
}

/// How things stood when the stretch began, one array a column.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ReplayState {
    /// The types met, in the order that `type` counts them.
    pub types: Vec<String>,
    /// Ids.
    pub ids: Vec<String>,
    /// Index into `types`.
    pub r#type: Vec<usize>,
    /// Longitudes, degrees; null where the place was not known then.
    pub lon: Vec<Option<f64>>,
    /// Latitudes, degrees.
    pub lat: Vec<Option<f64>>,
    /// Names, as they are now.
    pub name: Vec<Option<String>>,
    /// The other attributes asked for, by name.
    pub values: Vec<BTreeMap<String, Value>>,
    /// Whether there were more entities, or more values in history, than are read.
    pub truncated: bool,
}

/// Changes in order of time, one array a column.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ReplayChanges {
    /// The types met, in the order that `type` counts them.
    pub types: Vec<String>,
    /// The attributes met, in the order that `attribute` counts them.
    pub attributes: Vec<String>,
    /// Milliseconds since the beginning of the stretch.
    pub at_ms: Vec<i64>,
    /// Ids of entities.
    pub ids: Vec<String>,
    /// Index into `types`.
    pub r#type: Vec<usize>,
    /// Index into `attributes`.
    pub attribute: Vec<usize>,
    /// The values; a place as [longitude, latitude], null where the value was taken away.
    pub value: Vec<Value>,
}

/// A page of a replay.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replay {
    /// The beginning, as asked.
    pub from: String,
    /// The end, as asked.
    pub until: String,
    /// Minutes before the beginning in which history was searched for last values.
    pub look_back_minutes: u64,
    /// How things stood at the beginning; in the first page only.
    pub state: Option<ReplayState>,
    /// Alerts that were active at any moment of the stretch, in the order in which they were raised; in the first page only,
    /// and empty for who may not read alerts.
    pub alerts: Vec<AlertBody>,
    /// Whether there were more alerts; the newest are given.
    pub alerts_truncated: bool,
    /// Changes.
    pub changes: ReplayChanges,
    /// The next page's cursor; null at the end of the stretch.
    pub next: Option<String>,
}

/// The last change of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// When it was observed, microseconds.
    at: i64,
    position: i64,
    entity: String,
    attribute: String,
}

impl Cursor {
    fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::json!(self).to_string())
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| {
                Problem::new(
                    "cursor",
                    "that is no cursor of a replay",
                    "after",
                    "take `next` from the page before, or leave `after` out",
                )
            })
    }
}

/// What is asked, checked.
#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    from: Timestamp,
    until: Timestamp,
    types: Vec<String>,
    /// The place among them.
    attributes: Vec<String>,
    after: Option<Cursor>,
    limit: usize,
}

impl Wanted {
    /// Checks a question; `shown` are the attributes that the map's layers write, `now` the platform's clock.
    fn of(
        query: &ReplayQuery,
        options: &Options,
        shown: impl Iterator<Item = String>,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let from = Timestamp::parse(&query.from)?;
        let until = Timestamp::parse(&query.until)?;
        let bad = |code: &str, what: String, place: &str, mend: &str| {
            Err(Problem::new(code, what, place, mend))
        };
        if until <= from {
            return bad(
                "replay-order",
                "the end is not after the beginning".into(),
                "until",
                "name an end after the beginning",
            );
        }
        if from >= now {
            return bad(
                "replay-future",
                "that time has not come yet".into(),
                "from",
                "name a time in the past",
            );
        }
        let span = until.micros_since(from);
        if u128::try_from(span).is_ok_and(|span| span > options.span_max.as_micros()) {
            let minutes = options.span_max.as_secs() / 60;
            return bad(
                "replay-span",
                format!("a replay is {minutes} minutes at most"),
                "until",
                "ask for a shorter stretch, or raise command_centre.replay_minutes_max",
            );
        }
        let types = split(query.types.as_deref());
        for name in &types {
            TypeName::new(name)?;
        }
        let mut attributes = match &query.attributes {
            Some(named) => split(Some(named)),
            None => shown.collect(),
        };
        if query.attributes.is_some() && attributes.len() > options.attributes_max {
            return bad(
                "replay-attributes",
                format!("{} attributes are too many", attributes.len()),
                "attributes",
                "name fewer, or raise command_centre.replay_attributes_max",
            );
        }
        attributes.push(LOCATION.to_owned());
        attributes.sort_unstable();
        attributes.dedup();
        for name in &attributes {
            AttributeName::new(name)?;
        }
        let after = query.after.as_deref().map(Cursor::parse).transpose()?;
        let limit = query.limit.unwrap_or(options.changes_max);
        Ok(Self {
            from,
            until,
            types,
            attributes,
            after,
            limit: limit.clamp(1, options.changes_max.max(1)),
        })
    }

    /// `attribute IN (…)` and, where types were named, `entity_type IN (…)`, with their parameters.
    fn conditions(&self, parameters: &mut Vec<ScalarValue>) -> String {
        let mut list = |column: &str, words: &[String]| {
            let marks: Vec<String> = words
                .iter()
                .map(|word| {
                    parameters.push(ScalarValue::from(word.as_str()));
                    format!("${}", parameters.len())
                })
                .collect();
            format!("{column} IN ({})", marks.join(", "))
        };
        let mut all = list("attribute", &self.attributes);
        if !self.types.is_empty() {
            all = format!("{all} AND {}", list("entity_type", &self.types));
        }
        all
    }

    /// The last values in the time before the beginning.
    fn last_values(&self, look_back: Duration) -> (String, Vec<ScalarValue>) {
        let back = i64::try_from(look_back.as_micros()).unwrap_or(i64::MAX);
        let mut parameters = vec![time(self.from.plus_micros(-back)), time(self.from)];
        let conditions = self.conditions(&mut parameters);
        let last = |column: &str| {
            format!("last_value({column} ORDER BY observed_at, journal_position) AS {column}")
        };
        let sql = format!(
            "SELECT entity_id, attribute, {}, {}, {}, {} FROM observations \
             WHERE observed_at >= $1 AND observed_at < $2 AND {conditions} GROUP BY entity_id, attribute",
            last("entity_type"),
            last("value_number"),
            last("value_text"),
            last("value_json"),
        );
        (sql, parameters)
    }

    /// The changes behind the cursor, in order, and one more than a page has.
    fn changes(&self) -> (String, Vec<ScalarValue>) {
        let since = self.after.as_ref().map_or(self.from, |cursor| {
            Timestamp::from_micros(cursor.at).max(self.from)
        });
        let mut parameters = vec![time(since), time(self.until)];
        let mut conditions = self.conditions(&mut parameters);
        if let Some(cursor) = &self.after {
            let mut mark = |value: ScalarValue| {
                parameters.push(value);
                format!("${}", parameters.len())
            };
            let position = mark(ScalarValue::Int64(Some(cursor.position)));
            let entity = mark(ScalarValue::from(cursor.entity.as_str()));
            let attribute = mark(ScalarValue::from(cursor.attribute.as_str()));
            conditions = format!(
                "{conditions} AND (observed_at > $1 OR journal_position > {position} OR (journal_position = {position} \
                 AND (entity_id > {entity} OR (entity_id = {entity} AND attribute > {attribute}))))"
            );
        }
        let sql = format!(
            "SELECT entity_id, attribute, entity_type, value_number, value_text, value_json, \
             CAST(observed_at AS BIGINT) AS at, journal_position FROM observations \
             WHERE observed_at >= $1 AND observed_at < $2 AND {conditions} \
             ORDER BY observed_at, journal_position, entity_id, attribute LIMIT {}",
            self.limit.saturating_add(1),
        );
        (sql, parameters)
    }
}

fn time(at: Timestamp) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("UTC".into()))
}

fn split(text: Option<&str>) -> Vec<String> {
    let words = text.unwrap_or_default().split(',').map(str::trim);
    words.filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// One observed value of history.
struct Row {
    entity: String,
    attribute: String,
    entity_type: String,
    value: Value,
    /// Microseconds; 0 where not asked.
    at: i64,
    position: i64,
}

/// Undoes the spreading of a value over three columns.
fn value_of(number: &Value, text: &Value, json: &Value) -> Value {
    match (number, text, json) {
        (_, _, Value::String(json)) => serde_json::from_str(json).unwrap_or(Value::Null),
        // A boolean stands in both columns.
        (Value::Number(_), Value::String(word), _) => Value::Bool(word == "true"),
        (number, Value::Null, _) => number.clone(),
        (_, text, _) => text.clone(),
    }
}

/// A GeoJSON point as longitude and latitude.
fn place_of(value: &Value) -> Option<[f64; 2]> {
    let coordinates = value.get("coordinates")?.as_array()?;
    let number = |n: usize| coordinates.get(n)?.as_f64().filter(|x| x.is_finite());
    Some([number(0)?, number(1)?])
}

fn rows_of(batch: &RecordBatch, rows: &mut Vec<Row>) -> Answer<()> {
    let mut columns = Vec::with_capacity(batch.num_columns());
    for column in batch.columns() {
        let values = lake::json_values(column).map_err(ApiError::internal)?;
        columns.push(values.into_iter());
    }
    let text = |cell: Value| match cell {
        Value::String(text) => text,
        _ => String::new(),
    };
    for _ in 0..batch.num_rows() {
        let mut cells = columns.iter_mut().map(|c| c.next().unwrap_or(Value::Null));
        let mut next = || cells.next().unwrap_or(Value::Null);
        let (entity, attribute, entity_type) = (text(next()), text(next()), text(next()));
        let (number, words, json) = (next(), next(), next());
        rows.push(Row {
            entity,
            attribute,
            entity_type,
            value: value_of(&number, &words, &json),
            at: next().as_i64().unwrap_or_default(),
            position: next().as_i64().unwrap_or_default(),
        });
    }
    Ok(())
}

/// Gives each word its number in order of first use.
#[derive(Default)]
struct Numbered {
    words: Vec<String>,
    index: HashMap<String, usize>,
}

impl Numbered {
    fn of(&mut self, word: &str) -> usize {
        if let Some(known) = self.index.get(word) {
            return *known;
        }
        let next = self.words.len();
        self.words.push(word.to_owned());
        self.index.insert(word.to_owned(), next);
        next
    }
}

/// An entity as it stood.
#[derive(Default)]
struct Stood {
    entity_type: String,
    name: Option<String>,
    place: Option<[f64; 2]>,
    values: BTreeMap<String, Value>,
}

impl Stood {
    fn say(&mut self, attribute: &str, value: Value) {
        if attribute == LOCATION {
            self.place = place_of(&value);
        } else {
            self.values.insert(attribute.to_owned(), value);
        }
    }
}

impl App {
    /// Runs a statement over history as the caller sees it.
    async fn seen_history(
        &self,
        who: (&Arc<Principal>, Peer, &Arc<Look>),
        (sql, parameters): (String, Vec<ScalarValue>),
        rows_max: usize,
    ) -> Answer<(Vec<Row>, bool)> {
        let (caller, peer, look) = who;
        let question = lake::Question {
            sql: &sql,
            parameters,
            tables: self.tables.looked_at(caller, peer.0, look),
            catalogue: &self.ingest.catalogue(),
            zone: None,
        };
        let limits = lake::Limits {
            rows_max,
            ..self.options.sql_limits.clone()
        };
        let answer = self.lake.query_stream(question, &limits).await;
        let mut answer = answer.map_err(ApiError::unanswered)?;
        let mut rows = Vec::new();
        while let Some(batch) = answer.next().await {
            rows_of(&batch.map_err(ApiError::unanswered)?, &mut rows)?;
        }
        Ok((rows, answer.truncated()))
    }

    fn stood(
        &self,
        wanted: &Wanted,
        sight: &Sight,
        look: &Look,
        rows: Vec<Row>,
        truncated: bool,
    ) -> ReplayState {
        let options = &self.options.replay;
        let mut all: BTreeMap<String, Stood> = BTreeMap::new();
        for row in rows {
            let stood = all.entry(row.entity).or_default();
            stood.say(&row.attribute, row.value);
            stood.entity_type = row.entity_type;
        }
        let mut truncated = truncated;
        let mut filter = Filter {
            types: wanted.types.clone(),
            limit: PAGE_ENTITIES,
            ..Filter::default()
        };
        loop {
            let page = self.twin.query(&filter);
            for entity in &page.items {
                let known = all.remove(entity.id.as_str());
                let Some(stood) = stands(wanted, sight, look, entity, known) else {
                    continue;
                };
                all.insert(entity.id.to_string(), stood);
            }
            match page.next {
                Some(next) => filter.after = Some(next.to_string()),
                None => break,
            }
            if all.len() > options.entities_max {
                truncated = true;
                break;
            }
        }
        let mut state = ReplayState::default();
        let mut types = Numbered::default();
        for (id, stood) in all.into_iter().take(options.entities_max) {
            state.r#type.push(types.of(&stood.entity_type));
            state.lon.push(stood.place.map(|p| p[0]));
            state.lat.push(stood.place.map(|p| p[1]));
            state.name.push(stood.name);
            state.values.push(stood.values);
            state.ids.push(id);
        }
        state.types = types.words;
        state.truncated = truncated;
        state
    }

    async fn alerts_between(
        &self,
        wanted: &Wanted,
        caller: &Principal,
        sight: &Sight,
    ) -> Answer<(Vec<AlertBody>, bool)> {
        if !caller.may(identity::Permission::AlertRead) {
            return Ok((Vec::new(), false));
        }
        let limit = self.options.replay.alerts_max;
        let mut connection = self.records.read().await?;
        let (from, until) = (wanted.from, wanted.until);
        let found = records::alerts::between(&mut connection, from, until, limit).await?;
        drop(connection);
        let truncated = found.len() >= limit as usize;
        let is_wanted = |kind: &String| wanted.types.is_empty() || wanted.types.contains(kind);
        let seen = found.into_iter().filter(|a| {
            is_wanted(&a.entity_type)
                && sight.sees_series(&a.entity_id, &a.entity_type, &a.attribute)
        });
        let bodies = seen.map(|a| sight.alert(self.alert_body(a)));
        Ok((bodies.collect(), truncated))
    }
}

/// Entities of the twin that are looked at together.
const PAGE_ENTITIES: usize = 2_000;

/// How an entity stood at the beginning: what the twin says where that is from before it, else what history knew (`known`).
/// `None`: nothing of it is known from then, or nothing of it may be seen.
fn stands(
    wanted: &Wanted,
    sight: &Sight,
    look: &Look,
    entity: &Entity,
    known: Option<Stood>,
) -> Option<Stood> {
    let columns = sight.columns(entity);
    let sees = |name: &str| sight.within(&columns, name) != Access::Hidden;
    let (id, kind) = (entity.id.as_str(), entity.entity_type.as_str());
    let is_known = known.is_some();
    let mut stood = known.unwrap_or_default();
    let mut is_seen = is_known;
    for name in &wanted.attributes {
        let Some(attribute) = entity.attribute(name).filter(|_| sees(name)) else {
            continue;
        };
        // Observed before the beginning and nothing since: so it stood then.
        if attribute.observed_at < wanted.from {
            let stored = attribute.value.to_value().to_json();
            let (value, _) = look.json(id, kind, name, stored);
            stood.say(name, value);
            is_seen = true;
        }
    }
    if !is_seen {
        return None;
    }
    stood.entity_type = kind.to_owned();
    stood.name = crate::entities::name_of(entity).filter(|_| sees("name"));
    Some(stood)
}

/// Rows as columns; `limit` of them, and the cursor of the rest.
fn paged(mut rows: Vec<Row>, wanted: &Wanted) -> (ReplayChanges, Option<String>) {
    let is_more = rows.len() > wanted.limit;
    rows.truncate(wanted.limit);
    let last = rows.last().filter(|_| is_more);
    let next = last.map(|row| {
        let cursor = Cursor {
            at: row.at,
            position: row.position,
            entity: row.entity.clone(),
            attribute: row.attribute.clone(),
        };
        cursor.text()
    });
    let mut changes = ReplayChanges::default();
    let (mut types, mut attributes) = (Numbered::default(), Numbered::default());
    for row in rows {
        let since = Timestamp::from_micros(row.at).micros_since(wanted.from);
        changes.at_ms.push(since / 1_000);
        changes.r#type.push(types.of(&row.entity_type));
        changes.attribute.push(attributes.of(&row.attribute));
        changes.value.push(match row.attribute == LOCATION {
            true => serde_json::json!(place_of(&row.value)),
            false => row.value,
        });
        changes.ids.push(row.entity);
    }
    changes.types = types.words;
    changes.attributes = attributes.words;
    (changes, next)
}

/// A past stretch of time: how things stood when it began, then the changes in order, page by page, and the alerts that were
/// active in it; as far as the caller may see them.
#[utoipa::path(get, path = "/api/v1/replay", tag = "entities", security(("session" = ["entity.read"])), params(ReplayQuery),
    responses((status = 200, body = Replay), (status = 400, body = crate::error::ProblemBody)))]
pub async fn replay(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    Query(query): Query<ReplayQuery>,
) -> Answer<Json<Replay>> {
    let options = &app.options.replay;
    let packs = app.packs.now();
    let layers = packs.views.iter().filter_map(|v| v.layer.as_ref());
    let shown = layers.filter_map(|layer| layer.attribute.clone());
    let wanted = Wanted::of(&query, options, shown, app.now()).map_err(ApiError::invalid)?;
    let who = (&caller, peer, &look);
    let (mut state, mut alerts, mut alerts_truncated) = (None, Vec::new(), false);
    if wanted.after.is_none() {
        let last = wanted.last_values(options.look_back);
        let (rows, truncated) = app.seen_history(who, last, options.state_rows_max).await?;
        state = Some(app.stood(&wanted, &sight, &look, rows, truncated));
        (alerts, alerts_truncated) = app.alerts_between(&wanted, &caller, &sight).await?;
    }
    let most = wanted.limit.saturating_add(1);
    let (rows, _) = app.seen_history(who, wanted.changes(), most).await?;
    let (changes, next) = paged(rows, &wanted);
    look.tell(&app.records, app.now(), "replay").await?;
    Ok(Json(Replay {
        from: wanted.from.to_string(),
        until: wanted.until.to_string(),
        look_back_minutes: options.look_back.as_secs() / 60,
        state,
        alerts,
        alerts_truncated,
        changes,
        next,
    }))
}

#[cfg(test)]
mod tests;
