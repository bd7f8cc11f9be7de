//! Table `policy_versions`: the documents of policies that those who administer the city gave, whole, once for each change.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// All documents as they held from a change on.
    pub struct PolicyVersion {
        /// Counts up from 1.
        pub id: i64,
        /// When it began to hold.
        pub at: Timestamp,
        /// Who changed it, by name.
        pub changed_by: String,
        /// Why.
        pub reason: String,
        /// The documents: a JSON object of names and texts.
        pub documents: String,
    }
}

/// Adds a version; it holds from then on.
pub async fn insert(
    connection: &mut Connection,
    at: Timestamp,
    changed_by: &str,
    reason: &str,
    documents: &str,
) -> Result<PolicyVersion> {
    Ok(sqlx::query_as::<Any, PolicyVersion>(
        "INSERT INTO policy_versions (at, changed_by, reason, documents) VALUES ($1, $2, $3, $4) RETURNING *",
    )
    .bind(at.micros())
    .bind(changed_by)
    .bind(reason)
    .bind(documents)
    .fetch_one(connection)
    .await?)
}

/// The version that holds; `None` before the first change.
pub async fn newest(connection: &mut Connection) -> Result<Option<PolicyVersion>> {
    Ok(sqlx::query_as::<Any, PolicyVersion>(
        "SELECT * FROM policy_versions ORDER BY id DESC LIMIT 1",
    )
    .fetch_optional(connection)
    .await?)
}

/// Versions, newest first.
pub async fn list(connection: &mut Connection, page: &PageRequest) -> Result<Page<PolicyVersion>> {
    let rows = sqlx::query_as::<Any, PolicyVersion>(
        "SELECT * FROM policy_versions WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |v| v.id.to_string()))
}
