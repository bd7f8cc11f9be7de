//! Table `rule_failures`: the one inbox of rules that could not be judged.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A rule that could not be judged on an entity.
    pub struct RuleFailure {
        /// Counts up from 1.
        pub id: i64,
        /// The rule.
        pub rule_id: String,
        /// Its version when it failed last.
        pub rule_version: i64,
        /// The entity.
        pub entity_id: String,
        /// Its type.
        pub entity_type: String,
        /// Stable code.
        pub code: String,
        /// What happened last.
        pub what: String,
        /// When it happened first.
        pub first_at: Timestamp,
        /// When it happened last.
        pub last_at: Timestamp,
        /// Journal position of the message that it happened on last.
        pub last_position: i64,
        /// How often.
        pub count: i64,
        /// When somebody dismissed it; it comes back when it happens again.
        pub dismissed_at: Option<Timestamp>,
        /// Who.
        pub dismissed_by: Option<String>,
    }
}

/// Notes a failure; its `id` and what was dismissed is ignored. A replay of a message that was counted already changes nothing.
pub async fn note(connection: &mut Connection, new: &RuleFailure) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO rule_failures (rule_id, rule_version, entity_id, entity_type, code, what, first_at, last_at, \
         last_position, count) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (rule_id, entity_id, code) DO UPDATE SET rule_version = excluded.rule_version, \
         what = excluded.what, last_at = excluded.last_at, last_position = excluded.last_position, \
         count = rule_failures.count + excluded.count, dismissed_at = NULL, dismissed_by = NULL \
         WHERE excluded.last_position > rule_failures.last_position",
    )
    .bind(&new.rule_id)
    .bind(new.rule_version)
    .bind(&new.entity_id)
    .bind(&new.entity_type)
    .bind(&new.code)
    .bind(&new.what)
    .bind(new.first_at.micros())
    .bind(new.last_at.micros())
    .bind(new.last_position)
    .bind(new.count)
    .execute(connection)
    .await?;
    Ok(())
}

/// Failures, newest first; those that were dismissed only when asked for.
pub async fn list(
    connection: &mut Connection,
    with_dismissed: bool,
    page: &PageRequest,
) -> Result<Page<RuleFailure>> {
    let rows = sqlx::query_as::<Any, RuleFailure>(
        "SELECT * FROM rule_failures WHERE ($1 = 1 OR dismissed_at IS NULL) AND id < $2 ORDER BY id DESC LIMIT $3",
    )
    .bind(i64::from(with_dismissed))
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |row| row.id.to_string()))
}

/// One failure.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<RuleFailure>> {
    Ok(
        sqlx::query_as::<Any, RuleFailure>("SELECT * FROM rule_failures WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// How many entities each rule fails on, dismissed ones left out.
pub async fn open_by_rule(connection: &mut Connection) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as::<Any, (String, i64)>(
        "SELECT rule_id, COUNT(*) FROM rule_failures WHERE dismissed_at IS NULL GROUP BY rule_id ORDER BY rule_id",
    )
    .fetch_all(connection)
    .await?)
}

/// Dismisses a failure; `None` when there is none such or it is dismissed already.
pub async fn dismiss(
    connection: &mut Connection,
    id: i64,
    by: &str,
    now: Timestamp,
) -> Result<Option<RuleFailure>> {
    Ok(sqlx::query_as::<Any, RuleFailure>(
        "UPDATE rule_failures SET dismissed_at = $1, dismissed_by = $2 WHERE id = $3 AND dismissed_at IS NULL RETURNING *",
    )
    .bind(now.micros())
    .bind(by)
    .bind(id)
    .fetch_optional(connection)
    .await?)
}
