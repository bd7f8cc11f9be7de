//! Table `sessions`: who is signed in. Only the hash of a session's secret is stored.

use crate::failure::Result;
use crate::field::{Secret, table_row};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// One sign-in.
    pub struct Session {
        /// SHA-256 of the secret, hex.
        #[serde(skip)]
        pub token_hash: Secret,
        /// The user.
        pub user_id: i64,
        /// When the person signed in.
        pub created_at: Timestamp,
        /// When it was last used (kept to about a minute).
        pub last_seen_at: Timestamp,
        /// When it ends however often it is used.
        pub expires_at: Timestamp,
        /// The address it was made from.
        pub peer: String,
        /// Its name, which is nobody's secret.
        pub sid: String,
        /// How it began: `password`, `totp`, `recovery`, `passkey`, `province`.
        pub began_by: String,
    }
}

/// Adds a session.
pub async fn insert(connection: &mut Connection, row: &Session) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO sessions (token_hash, user_id, created_at, last_seen_at, expires_at, peer, sid, began_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(row.token_hash.expose())
    .bind(row.user_id)
    .bind(row.created_at.micros())
    .bind(row.last_seen_at.micros())
    .bind(row.expires_at.micros())
    .bind(&row.peer)
    .bind(&row.sid)
    .bind(&row.began_by)
    .execute(connection)
    .await?;
    Ok(())
}

/// The session with that hash, expired or not.
pub async fn get(connection: &mut Connection, token_hash: &str) -> Result<Option<Session>> {
    Ok(
        sqlx::query_as::<Any, Session>("SELECT * FROM sessions WHERE token_hash = $1")
            .bind(token_hash)
            .fetch_optional(connection)
            .await?,
    )
}

/// The sessions of a user, the newest first, expired or not.
pub async fn of_user(connection: &mut Connection, user_id: i64) -> Result<Vec<Session>> {
    Ok(sqlx::query_as::<Any, Session>(
        "SELECT * FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, sid",
    )
    .bind(user_id)
    .fetch_all(connection)
    .await?)
}

/// Notes that the session was used.
pub async fn touch(connection: &mut Connection, token_hash: &str, now: Timestamp) -> Result<()> {
    sqlx::query::<Any>("UPDATE sessions SET last_seen_at = $1 WHERE token_hash = $2")
        .bind(now.micros())
        .bind(token_hash)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends one session; `false` when there was none.
pub async fn delete(connection: &mut Connection, token_hash: &str) -> Result<bool> {
    let done = sqlx::query::<Any>("DELETE FROM sessions WHERE token_hash = $1")
        .bind(token_hash)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends the session of a user that has this name; `false` when there was none.
pub async fn delete_named(connection: &mut Connection, user_id: i64, sid: &str) -> Result<bool> {
    let done = sqlx::query::<Any>("DELETE FROM sessions WHERE user_id = $1 AND sid = $2")
        .bind(user_id)
        .bind(sid)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// How many sessions a user has.
pub async fn count_of_user(connection: &mut Connection, user_id: i64) -> Result<u64> {
    let count = sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM sessions WHERE user_id = $1")
        .bind(user_id)
        .fetch_one(connection)
        .await?;
    Ok(count.unsigned_abs())
}

/// Ends every session of a user.
pub async fn delete_of_user(connection: &mut Connection, user_id: i64) -> Result<u64> {
    let done = sqlx::query::<Any>("DELETE FROM sessions WHERE user_id = $1")
        .bind(user_id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Takes away sessions that ended, by age or by lying idle since before `idle_since`.
pub async fn delete_expired(
    connection: &mut Connection,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<u64> {
    let done =
        sqlx::query::<Any>("DELETE FROM sessions WHERE expires_at <= $1 OR last_seen_at <= $2")
            .bind(now.micros())
            .bind(idle_since.micros())
            .execute(connection)
            .await?;
    Ok(done.rows_affected())
}
