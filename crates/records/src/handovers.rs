//! Table `handovers` (工作交接): who gave their work to whom when leaving, and what it was.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// One hand-over.
    pub struct Handover {
        /// Counts up from 1.
        pub id: i64,
        /// When.
        pub at: Timestamp,
        /// Who left.
        pub from_id: i64,
        /// Who goes on with the work; `None` when there was none to go on with.
        pub to_id: Option<i64>,
        /// Who did it.
        pub by_name: String,
        /// The organisation that the person moved to; `None` when sign-in was closed.
        pub moved_to: Option<String>,
        /// What was said about it; may be empty.
        pub note: String,
        /// What moved.
        pub report: serde_json::Value,
    }
}

/// Adds a hand-over; its `id` is ignored.
pub async fn insert(connection: &mut Connection, row: &Handover) -> Result<Handover> {
    Ok(sqlx::query_as::<Any, Handover>(
        "INSERT INTO handovers (at, from_id, to_id, by_name, moved_to, note, report) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *",
    )
    .bind(row.at.micros())
    .bind(row.from_id)
    .bind(row.to_id)
    .bind(&row.by_name)
    .bind(&row.moved_to)
    .bind(&row.note)
    .bind(row.report.to_string())
    .fetch_one(connection)
    .await?)
}

/// Hand-overs, newest first.
pub async fn list(connection: &mut Connection, page: &PageRequest) -> Result<Page<Handover>> {
    let rows = sqlx::query_as::<Any, Handover>(
        "SELECT * FROM handovers WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |h| h.id.to_string()))
}
