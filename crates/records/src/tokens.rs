//! Table `service_tokens`: machines that call the HTTP doors. Only the hash of a token is stored.

use crate::failure::Result;
use crate::field::{Secret, table_row};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A machine's token.
    pub struct ServiceToken {
        /// Counts up from 1.
        pub id: i64,
        /// What the machine is called; unique.
        pub name: String,
        /// The role's word.
        pub role: String,
        /// SHA-256 of the token, hex.
        #[serde(skip)]
        pub token_hash: Secret,
        /// When it was made.
        pub created_at: Timestamp,
        /// Who made it.
        pub created_by: String,
        /// When it ends; never when `None`.
        pub expires_at: Option<Timestamp>,
        /// When it was last used (kept to about a minute).
        pub last_used_at: Option<Timestamp>,
    }
}

/// Adds a token; `None` when the name is taken.
pub async fn insert(
    connection: &mut Connection,
    row: &ServiceToken,
) -> Result<Option<ServiceToken>> {
    Ok(sqlx::query_as::<Any, ServiceToken>(
        "INSERT INTO service_tokens (name, role, token_hash, created_at, created_by, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING RETURNING *",
    )
    .bind(&row.name)
    .bind(&row.role)
    .bind(row.token_hash.expose())
    .bind(row.created_at.micros())
    .bind(&row.created_by)
    .bind(row.expires_at.map(Timestamp::micros))
    .fetch_optional(connection)
    .await?)
}

/// The token with that hash, expired or not.
pub async fn by_hash(connection: &mut Connection, hash: &str) -> Result<Option<ServiceToken>> {
    Ok(
        sqlx::query_as::<Any, ServiceToken>("SELECT * FROM service_tokens WHERE token_hash = $1")
            .bind(hash)
            .fetch_optional(connection)
            .await?,
    )
}

/// All tokens, by id.
pub async fn list(connection: &mut Connection) -> Result<Vec<ServiceToken>> {
    Ok(
        sqlx::query_as::<Any, ServiceToken>("SELECT * FROM service_tokens ORDER BY id")
            .fetch_all(connection)
            .await?,
    )
}

/// Notes that the token was used.
pub async fn touch(connection: &mut Connection, id: i64, now: Timestamp) -> Result<()> {
    sqlx::query::<Any>("UPDATE service_tokens SET last_used_at = $1 WHERE id = $2")
        .bind(now.micros())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a token away by its name; gives what it was.
pub async fn delete(connection: &mut Connection, name: &str) -> Result<Option<ServiceToken>> {
    Ok(sqlx::query_as::<Any, ServiceToken>(
        "DELETE FROM service_tokens WHERE name = $1 RETURNING *",
    )
    .bind(name)
    .fetch_optional(connection)
    .await?)
}
