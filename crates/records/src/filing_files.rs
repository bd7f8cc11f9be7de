//! Table `indicator_filing_files`: files that prove reported figures. The bytes lie in files named by their SHA-256, as those of
//! attachments do; a file that was taken away again keeps its row.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;
use std::collections::BTreeMap;

table_row! {
    /// A file that proves a reported figure.
    pub struct FilingFile {
        /// Counts up from 1.
        pub id: i64,
        /// The figure; see [`crate::filings::Filing`].
        pub filing_id: i64,
        /// The file's name as sent.
        pub name: String,
        /// What it is, found from its bytes.
        pub media_type: String,
        /// Its size in bytes.
        pub size_bytes: i64,
        /// SHA-256 of its bytes, hex.
        pub sha256: String,
        /// When it was added.
        pub added_at: Timestamp,
        /// Who added it.
        pub added_by: String,
        /// Their user id.
        pub added_by_id: Option<i64>,
        /// When it was taken away again; it is not shown any more.
        pub removed_at: Option<Timestamp>,
        /// By whom.
        pub removed_by: Option<String>,
    }
}

/// Adds a file; its `id` and what is said of its removal are ignored.
pub async fn insert(connection: &mut Connection, new: &FilingFile) -> Result<FilingFile> {
    Ok(sqlx::query_as::<Any, FilingFile>(
        "INSERT INTO indicator_filing_files (filing_id, name, media_type, size_bytes, sha256, added_at, added_by, added_by_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *",
    )
    .bind(new.filing_id)
    .bind(&new.name)
    .bind(&new.media_type)
    .bind(new.size_bytes)
    .bind(&new.sha256)
    .bind(new.added_at.micros())
    .bind(&new.added_by)
    .bind(new.added_by_id)
    .fetch_one(connection)
    .await?)
}

/// A figure's files, those that were taken away among them, oldest first.
pub async fn of_filing(connection: &mut Connection, filing: i64) -> Result<Vec<FilingFile>> {
    Ok(sqlx::query_as::<Any, FilingFile>(
        "SELECT * FROM indicator_filing_files WHERE filing_id = $1 ORDER BY id",
    )
    .bind(filing)
    .fetch_all(connection)
    .await?)
}

/// The files of every figure that counts or counted, by figure and then oldest first.
pub async fn of_reports(connection: &mut Connection) -> Result<BTreeMap<i64, Vec<FilingFile>>> {
    let rows = sqlx::query_as::<Any, FilingFile>(
        "SELECT * FROM indicator_filing_files WHERE removed_at IS NULL AND filing_id IN \
         (SELECT filing_id FROM indicator_reports WHERE filing_id IS NOT NULL) ORDER BY filing_id, id",
    )
    .fetch_all(connection)
    .await?;
    let mut all: BTreeMap<i64, Vec<FilingFile>> = BTreeMap::new();
    for row in rows {
        all.entry(row.filing_id).or_default().push(row);
    }
    Ok(all)
}

/// Takes a file away from a figure; whether it was there until now.
pub async fn remove(
    connection: &mut Connection,
    id: i64,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE indicator_filing_files SET removed_at = $1, removed_by = $2 WHERE id = $3 AND removed_at IS NULL",
    )
    .bind(now.micros())
    .bind(&actor.name)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// All files after an id, oldest first, at most `limit`: to check the files against the rows.
pub async fn after(connection: &mut Connection, id: i64, limit: u32) -> Result<Vec<FilingFile>> {
    Ok(sqlx::query_as::<Any, FilingFile>(
        "SELECT * FROM indicator_filing_files WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}
