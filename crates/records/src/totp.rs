//! Tables `totp` and `recovery_codes`: time-based codes of people (动态口令) and what helps when the telephone is lost. A
//! secret is stored sealed, a recovery code as its hash.

use crate::failure::Result;
use crate::field::{Secret, table_row};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A person's time-based codes.
    pub struct Totp {
        /// Whose.
        pub user_id: i64,
        /// The secret under the city's key, hex.
        #[serde(skip)]
        pub sealed: Secret,
        /// Since when.
        pub created_at: Timestamp,
        /// The last time step whose code was taken.
        pub last_step: i64,
    }
}

/// Puts codes to use, in the place of those before.
pub async fn put(connection: &mut Connection, row: &Totp) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO totp (user_id, sealed, created_at, last_step) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at, \
         last_step = excluded.last_step",
    )
    .bind(row.user_id)
    .bind(row.sealed.expose())
    .bind(row.created_at.micros())
    .bind(row.last_step)
    .execute(connection)
    .await?;
    Ok(())
}

/// A person's codes.
pub async fn get(connection: &mut Connection, user_id: i64) -> Result<Option<Totp>> {
    Ok(
        sqlx::query_as::<Any, Totp>("SELECT * FROM totp WHERE user_id = $1")
            .bind(user_id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Takes a code's time step; `false` when it or a later one was taken already.
pub async fn take_step(connection: &mut Connection, user_id: i64, step: i64) -> Result<bool> {
    let done =
        sqlx::query::<Any>("UPDATE totp SET last_step = $1 WHERE user_id = $2 AND last_step < $1")
            .bind(step)
            .bind(user_id)
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a person's codes away; `false` when there were none.
pub async fn delete(connection: &mut Connection, user_id: i64) -> Result<bool> {
    let done = sqlx::query::<Any>("DELETE FROM totp WHERE user_id = $1")
        .bind(user_id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Puts recovery codes in the place of those before; none takes them away.
pub async fn put_recovery_codes(
    connection: &mut Connection,
    user_id: i64,
    hashes: &[Secret],
) -> Result<()> {
    sqlx::query::<Any>("DELETE FROM recovery_codes WHERE user_id = $1")
        .bind(user_id)
        .execute(&mut *connection)
        .await?;
    for hash in hashes {
        sqlx::query::<Any>("INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2)")
            .bind(user_id)
            .bind(hash.expose())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Takes a recovery code; `false` when there is none such, or it was taken already.
pub async fn take_recovery_code(
    connection: &mut Connection,
    user_id: i64,
    hash: &Secret,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE recovery_codes SET used_at = $1 WHERE user_id = $2 AND code_hash = $3 AND used_at IS NULL",
    )
    .bind(now.micros())
    .bind(user_id)
    .bind(hash.expose())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many recovery codes a person has left.
pub async fn recovery_codes_left(connection: &mut Connection, user_id: i64) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL",
    )
    .bind(user_id)
    .fetch_one(connection)
    .await?)
}
