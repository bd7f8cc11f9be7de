//! Table `alerts`: what a rule found, from when to when.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};
use std::collections::BTreeSet;

table_row! {
    /// An alert (告警).
    pub struct Alert {
        /// Counts up from 1.
        pub id: i64,
        /// The rule.
        pub rule_id: String,
        /// The rule's version when it fired.
        pub rule_version: i64,
        /// The entity it is about.
        pub entity_id: String,
        /// The entity's type.
        pub entity_type: String,
        /// The entity's name at the time.
        pub entity_name: Option<String>,
        /// The attribute that the rule watches.
        pub attribute: String,
        /// The attribute's value when it fired.
        pub value: Option<f64>,
        /// UN/CEFACT code of the value's unit.
        pub unit: Option<String>,
        /// The threshold, in the same unit.
        pub threshold: Option<f64>,
        /// `info`, `minor`, `major` or `critical`.
        pub severity: String,
        /// Title in Chinese.
        pub title_zh: String,
        /// Title in English.
        pub title_en: String,
        /// Longitude of the entity at the time, degrees.
        pub lon: Option<f64>,
        /// Latitude of the entity at the time, degrees.
        pub lat: Option<f64>,
        /// When the value was observed.
        pub observed_at: Timestamp,
        /// When the alert was raised.
        pub raised_at: Timestamp,
        /// Journal position of the message that raised it.
        pub raised_position: i64,
        /// When it ended; `None` while it is active.
        pub cleared_at: Option<Timestamp>,
        /// Journal position of the message that ended it.
        pub cleared_position: Option<i64>,
        /// When somebody took note of it.
        pub acknowledged_at: Option<Timestamp>,
        /// Who took note of it.
        pub acknowledged_by: Option<String>,
        /// The case opened for it.
        pub case_id: Option<i64>,
        /// The values that decided: an array of `{name, value, unit, observed_at, entity_id}`.
        pub decided: serde_json::Value,
    }
}

/// Adds an alert; its `id` and everything after `raised_position` is ignored. `None` when the rule has
/// already raised this one, or has one still active for the entity: so a replay adds nothing.
pub async fn insert(connection: &mut Connection, new: &Alert) -> Result<Option<Alert>> {
    Ok(sqlx::query_as::<Any, Alert>(
        "INSERT INTO alerts (rule_id, rule_version, entity_id, entity_type, entity_name, attribute, value, \
         unit, threshold, severity, title_zh, title_en, lon, lat, observed_at, raised_at, raised_position, decided) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
         ON CONFLICT DO NOTHING RETURNING *",
    )
    .bind(&new.rule_id)
    .bind(new.rule_version)
    .bind(&new.entity_id)
    .bind(&new.entity_type)
    .bind(&new.entity_name)
    .bind(&new.attribute)
    .bind(new.value)
    .bind(&new.unit)
    .bind(new.threshold)
    .bind(&new.severity)
    .bind(&new.title_zh)
    .bind(&new.title_en)
    .bind(new.lon)
    .bind(new.lat)
    .bind(new.observed_at.micros())
    .bind(new.raised_at.micros())
    .bind(new.raised_position)
    .bind(new.decided.to_string())
    .fetch_optional(connection)
    .await?)
}

/// One alert.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<Alert>> {
    Ok(
        sqlx::query_as::<Any, Alert>("SELECT * FROM alerts WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Ends the active alert of a rule for an entity, when it was raised at or before `position`; gives the
/// alert when there was one to end.
pub async fn clear(
    connection: &mut Connection,
    rule_id: &str,
    entity_id: &str,
    position: i64,
    now: Timestamp,
) -> Result<Option<Alert>> {
    Ok(sqlx::query_as::<Any, Alert>(
        "UPDATE alerts SET cleared_at = $1, cleared_position = $2 WHERE rule_id = $3 AND entity_id = $4 \
         AND cleared_at IS NULL AND raised_position <= $2 RETURNING *",
    )
    .bind(now.micros())
    .bind(position)
    .bind(rule_id)
    .bind(entity_id)
    .fetch_optional(connection)
    .await?)
}

/// Notes who took note of an alert, the first time; later calls change nothing. `None` when there is no
/// such alert or somebody already has.
pub async fn acknowledge(
    connection: &mut Connection,
    id: i64,
    by: &str,
    now: Timestamp,
) -> Result<Option<Alert>> {
    Ok(sqlx::query_as::<Any, Alert>(
        "UPDATE alerts SET acknowledged_at = $1, acknowledged_by = $2 \
         WHERE id = $3 AND acknowledged_at IS NULL RETURNING *",
    )
    .bind(now.micros())
    .bind(by)
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// Links an alert to its case, when it has none; `false` when it has one.
pub async fn link_case(connection: &mut Connection, id: i64, case_id: i64) -> Result<bool> {
    let done =
        sqlx::query::<Any>("UPDATE alerts SET case_id = $1 WHERE id = $2 AND case_id IS NULL")
            .bind(case_id)
            .bind(id)
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes the link to a case away (the case was cancelled), so that another can be opened.
pub async fn unlink_case(connection: &mut Connection, case_id: i64) -> Result<()> {
    sqlx::query::<Any>("UPDATE alerts SET case_id = NULL WHERE case_id = $1")
        .bind(case_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Which alerts are wanted.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// Only the active ones (`true`) or only those that ended (`false`).
    pub active: Option<bool>,
    /// Only of this severity.
    pub severity: Option<String>,
    /// Only of this entity.
    pub entity_id: Option<String>,
}

/// Alerts, newest first.
pub async fn list(
    connection: &mut Connection,
    filter: &AlertFilter,
    page: &PageRequest,
) -> Result<Page<Alert>> {
    let rows = sqlx::query_as::<Any, Alert>(
        "SELECT * FROM alerts WHERE ($1 IS NULL OR ($1 = 1 AND cleared_at IS NULL) \
         OR ($1 = 0 AND cleared_at IS NOT NULL)) AND ($2 IS NULL OR severity = $2) \
         AND ($3 IS NULL OR entity_id = $3) AND id < $4 ORDER BY id DESC LIMIT $5",
    )
    .bind(filter.active.map(i64::from))
    .bind(&filter.severity)
    .bind(&filter.entity_id)
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |a| a.id.to_string()))
}

/// How many alerts of each rule are active.
pub async fn active_by_rule(connection: &mut Connection) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as::<Any, (String, i64)>(
        "SELECT rule_id, COUNT(*) FROM alerts WHERE cleared_at IS NULL GROUP BY rule_id ORDER BY rule_id",
    )
    .fetch_all(connection)
    .await?)
}

/// Every active alert: what the map colours and the rules start from. `limit` bounds it.
pub async fn active(connection: &mut Connection, limit: u32) -> Result<Vec<Alert>> {
    Ok(sqlx::query_as::<Any, Alert>(
        "SELECT * FROM alerts WHERE cleared_at IS NULL ORDER BY id DESC LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// The active alerts of these rules on these entities, at most one for each pair; nothing is asked where one of both is empty.
pub async fn active_of(
    connection: &mut Connection,
    rules: &BTreeSet<&str>,
    entities: &BTreeSet<&str>,
) -> Result<Vec<Alert>> {
    if rules.is_empty() || entities.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = |from: usize, count: usize| -> String {
        let all: Vec<String> = (from..from + count).map(|n| format!("${n}")).collect();
        all.join(", ")
    };
    // By the index of active alerts, which begins with the rule.
    let sql = format!(
        "SELECT * FROM alerts WHERE cleared_at IS NULL AND rule_id IN ({}) AND entity_id IN ({}) ORDER BY id",
        numbers(1, rules.len()),
        numbers(1 + rules.len(), entities.len())
    );
    let mut query = sqlx::query_as::<Any, Alert>(AssertSqlSafe(sql));
    for value in rules.iter().chain(entities) {
        query = query.bind(*value);
    }
    Ok(query.fetch_all(connection).await?)
}

/// Alerts that were active at any moment of `from..until`, in the order in which they were raised, the newest `limit`.
pub async fn between(
    connection: &mut Connection,
    from: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Alert>> {
    let mut rows = sqlx::query_as::<Any, Alert>(
        "SELECT * FROM alerts WHERE raised_at < $1 AND (cleared_at IS NULL OR cleared_at >= $2) \
         ORDER BY id DESC LIMIT $3",
    )
    .bind(until.micros())
    .bind(from.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.reverse();
    Ok(rows)
}
