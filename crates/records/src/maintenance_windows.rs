//! Table `maintenance_windows` (检修窗口): when work is being done, and on what.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A maintenance window.
    pub struct MaintenanceWindow {
        /// Counts up from 1.
        pub id: i64,
        /// Only this rule.
        pub rule_id: Option<String>,
        /// Only this entity.
        pub entity_id: Option<String>,
        /// Only entities of this type.
        pub entity_type: Option<String>,
        /// From when.
        pub from_at: Timestamp,
        /// Until when.
        pub until_at: Timestamp,
        /// Why.
        pub reason: String,
        /// Who made it.
        pub made_by: String,
        /// When.
        pub made_at: Timestamp,
        /// Who ended it early.
        pub ended_by: Option<String>,
        /// When.
        pub ended_at: Option<Timestamp>,
    }
}

/// Adds a window; its `id` and how it ended is ignored.
pub async fn insert(
    connection: &mut Connection,
    new: &MaintenanceWindow,
) -> Result<MaintenanceWindow> {
    Ok(sqlx::query_as::<Any, MaintenanceWindow>(
        "INSERT INTO maintenance_windows (rule_id, entity_id, entity_type, from_at, until_at, reason, made_by, made_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *",
    )
    .bind(&new.rule_id)
    .bind(&new.entity_id)
    .bind(&new.entity_type)
    .bind(new.from_at.micros())
    .bind(new.until_at.micros())
    .bind(&new.reason)
    .bind(&new.made_by)
    .bind(new.made_at.micros())
    .fetch_one(connection)
    .await?)
}

/// One window.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<MaintenanceWindow>> {
    Ok(
        sqlx::query_as::<Any, MaintenanceWindow>("SELECT * FROM maintenance_windows WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Ends a window early; `None` when there is none such or it is over.
pub async fn end(
    connection: &mut Connection,
    id: i64,
    by: &str,
    now: Timestamp,
) -> Result<Option<MaintenanceWindow>> {
    Ok(sqlx::query_as::<Any, MaintenanceWindow>(
        "UPDATE maintenance_windows SET ended_at = $1, ended_by = $2 \
         WHERE id = $3 AND ended_at IS NULL AND until_at > $1 RETURNING *",
    )
    .bind(now.micros())
    .bind(by)
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// Windows, newest first.
pub async fn list(
    connection: &mut Connection,
    page: &PageRequest,
) -> Result<Page<MaintenanceWindow>> {
    let rows = sqlx::query_as::<Any, MaintenanceWindow>(
        "SELECT * FROM maintenance_windows WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |row| row.id.to_string()))
}

/// How many windows are not over.
pub async fn count_open(connection: &mut Connection, now: Timestamp) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM maintenance_windows WHERE ended_at IS NULL AND until_at > $1",
    )
    .bind(now.micros())
    .fetch_one(connection)
    .await?)
}

/// The windows that are not over, those to come among them. `limit` bounds them.
pub async fn open(
    connection: &mut Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<MaintenanceWindow>> {
    Ok(sqlx::query_as::<Any, MaintenanceWindow>(
        "SELECT * FROM maintenance_windows WHERE ended_at IS NULL AND until_at > $1 ORDER BY id LIMIT $2",
    )
    .bind(now.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}
