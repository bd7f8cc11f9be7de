//! Table `audit`: who changed what, when and from where. Written in the transaction of the change itself,
//! so that neither is there without the other. Rows are only ever added.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// One act.
    pub struct AuditEntry {
        /// Counts up from 1.
        pub id: i64,
        /// When.
        pub at: Timestamp,
        /// `user`, `token`, `cli` or `system`.
        pub actor_kind: String,
        /// The user's or the token's id.
        pub actor_id: Option<i64>,
        /// The name at the time.
        pub actor: String,
        /// What was done: `user.create`, `device.remove`, `case.dispatch`, …
        pub action: String,
        /// To what: `user:3`, `device:gauge-7-k3f9`, `case:12`, …
        pub target: String,
        /// What else is worth knowing; never a secret.
        pub detail: serde_json::Value,
        /// The caller's network address; empty for the command line and the platform itself.
        pub peer: String,
    }
}

/// Writes one act.
pub async fn insert(
    connection: &mut Connection,
    now: Timestamp,
    actor: &Actor,
    action: &str,
    target: &str,
    detail: &serde_json::Value,
) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO audit (at, actor_kind, actor_id, actor, action, target, detail, peer) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(now.micros())
    .bind(actor.kind.as_str())
    .bind(actor.kind.id())
    .bind(&actor.name)
    .bind(action)
    .bind(target)
    .bind(detail.to_string())
    .bind(&actor.peer)
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest act's number; 0 when there is none.
pub async fn last_id(connection: &mut Connection) -> Result<i64> {
    let newest = sqlx::query_scalar::<Any, Option<i64>>("SELECT MAX(id) FROM audit")
        .fetch_one(connection)
        .await?;
    Ok(newest.unwrap_or_default())
}

/// The acts of one kind behind `after`, oldest first, `limit` at most.
pub async fn since(
    connection: &mut Connection,
    after: i64,
    action: &str,
    limit: u32,
) -> Result<Vec<AuditEntry>> {
    let acts = sqlx::query_as::<Any, AuditEntry>(
        "SELECT * FROM audit WHERE id > $1 AND action = $2 ORDER BY id LIMIT $3",
    )
    .bind(after)
    .bind(action)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok(acts)
}

/// The acts, newest first.
pub async fn list(connection: &mut Connection, page: &PageRequest) -> Result<Page<AuditEntry>> {
    let rows = sqlx::query_as::<Any, AuditEntry>(
        "SELECT * FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |a| a.id.to_string()))
}
