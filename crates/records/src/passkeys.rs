//! Table `passkeys`: the public halves of people's passkeys (通行密钥, WebAuthn). None of it is a secret.

use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A passkey.
    pub struct Passkey {
        /// Counts up from 1.
        pub id: i64,
        /// Whose.
        pub user_id: i64,
        /// What the authenticator knows the person by, base64url.
        pub user_handle: String,
        /// What the authenticator knows the passkey by, base64url.
        pub credential_id: String,
        /// The public key as COSE, hex.
        pub public_key: String,
        /// The authenticator's counter when it last signed; 0 where it has none.
        pub sign_count: i64,
        /// Whether it may lie on several devices.
        pub is_synced: bool,
        /// What its person calls it.
        pub name: String,
        /// Since when.
        pub created_at: Timestamp,
        /// When it was last used.
        pub last_used_at: Option<Timestamp>,
    }
}

/// Adds a passkey; `None` when its credential id is known. The row's own id is not looked at.
pub async fn insert(connection: &mut Connection, row: &Passkey) -> Result<Option<Passkey>> {
    Ok(sqlx::query_as::<Any, Passkey>(
        "INSERT INTO passkeys (user_id, user_handle, credential_id, public_key, sign_count, is_synced, name, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (credential_id) DO NOTHING RETURNING *",
    )
    .bind(row.user_id)
    .bind(&row.user_handle)
    .bind(&row.credential_id)
    .bind(&row.public_key)
    .bind(row.sign_count)
    .bind(i64::from(row.is_synced))
    .bind(&row.name)
    .bind(row.created_at.micros())
    .fetch_optional(connection)
    .await?)
}

/// The passkey with that credential id.
pub async fn by_credential(
    connection: &mut Connection,
    credential_id: &str,
) -> Result<Option<Passkey>> {
    Ok(
        sqlx::query_as::<Any, Passkey>("SELECT * FROM passkeys WHERE credential_id = $1")
            .bind(credential_id)
            .fetch_optional(connection)
            .await?,
    )
}

/// A person's passkeys, the oldest first.
pub async fn of_user(connection: &mut Connection, user_id: i64) -> Result<Vec<Passkey>> {
    Ok(
        sqlx::query_as::<Any, Passkey>("SELECT * FROM passkeys WHERE user_id = $1 ORDER BY id")
            .bind(user_id)
            .fetch_all(connection)
            .await?,
    )
}

/// Notes that a passkey signed.
pub async fn used(
    connection: &mut Connection,
    id: i64,
    sign_count: i64,
    is_synced: bool,
    now: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE passkeys SET sign_count = $1, is_synced = $2, last_used_at = $3 WHERE id = $4",
    )
    .bind(sign_count)
    .bind(i64::from(is_synced))
    .bind(now.micros())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a passkey of a person away; gives what it was.
pub async fn delete(connection: &mut Connection, user_id: i64, id: i64) -> Result<Option<Passkey>> {
    Ok(sqlx::query_as::<Any, Passkey>(
        "DELETE FROM passkeys WHERE user_id = $1 AND id = $2 RETURNING *",
    )
    .bind(user_id)
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// Takes all passkeys of a person away; gives how many there were.
pub async fn delete_of_user(connection: &mut Connection, user_id: i64) -> Result<u64> {
    let done = sqlx::query::<Any>("DELETE FROM passkeys WHERE user_id = $1")
        .bind(user_id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
