//! Tables `oidc_families`, `oidc_codes`, `oidc_refresh_tokens`, `oidc_device_codes`, `oidc_revoked` and `oidc_logouts`:
//! what was given to clients. Of codes and tokens only the hashes are stored.

use crate::failure::Result;
use crate::field::{Secret, table_row};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// One sign-in of a person at a client, and every token that came of it.
    pub struct Family {
        /// Its name: random.
        pub family: String,
        /// The client.
        pub client_id: String,
        /// The person.
        pub user_id: i64,
        /// Scopes, a space between.
        pub scopes: String,
        /// The person's session here.
        pub sid: String,
        /// What the client wants to see again in the ID token.
        pub nonce: Option<String>,
        /// When the person signed in here.
        pub auth_time: Timestamp,
        /// When the client was given it.
        pub created_at: Timestamp,
        /// When it ends however much it is used.
        pub expires_at: Timestamp,
        /// When it was ended.
        pub ended_at: Option<Timestamp>,
        /// Why: `code-replayed`, `refresh-reused`, `revoked`, `session-ended`, `grant-ended`, `handed-over`,
        /// `account-closed`, `role-changed`, `password-set`.
        pub ended_because: Option<String>,
    }
}

table_row! {
    /// An authorisation code.
    pub struct Code {
        /// SHA-256, hex.
        #[serde(skip)]
        pub code_hash: Secret,
        /// What it is for.
        pub family: String,
        /// Where it was sent.
        pub redirect_uri: String,
        /// The PKCE challenge (S256).
        pub challenge: String,
        /// When it ends.
        pub expires_at: Timestamp,
        /// When it was exchanged.
        pub used_at: Option<Timestamp>,
    }
}

table_row! {
    /// A refresh token.
    pub struct RefreshToken {
        /// SHA-256, hex.
        #[serde(skip)]
        pub token_hash: Secret,
        /// What it belongs to.
        pub family: String,
        /// When it was given.
        pub issued_at: Timestamp,
        /// When it ends unused.
        pub expires_at: Timestamp,
        /// When it was exchanged for the next.
        pub used_at: Option<Timestamp>,
    }
}

table_row! {
    /// A device that waits for a person to say yes elsewhere (RFC 8628).
    pub struct DeviceCode {
        /// SHA-256 of the device's code, hex.
        #[serde(skip)]
        pub device_hash: Secret,
        /// SHA-256 of the code that a person types, hex.
        #[serde(skip)]
        pub user_code_hash: Secret,
        /// The client.
        pub client_id: String,
        /// Scopes, a space between.
        pub scopes: String,
        /// `pending`, `approved`, `denied` or `used`.
        pub state: String,
        /// What the person gave.
        pub family: Option<String>,
        /// Seconds between two questions.
        pub interval_s: i64,
        /// When it asked last.
        pub polled_at: Option<Timestamp>,
        /// When it began.
        pub created_at: Timestamp,
        /// When it ends.
        pub expires_at: Timestamp,
    }
}

table_row! {
    /// A client that is still to be told that a session ended.
    pub struct Logout {
        /// Counts up from 1.
        pub id: i64,
        /// The client.
        pub client_id: String,
        /// Whose session.
        pub user_id: i64,
        /// Which session.
        pub sid: String,
        /// When it ended.
        pub created_at: Timestamp,
        /// How often telling was tried.
        pub attempts: i64,
        /// When to try next.
        pub next_at: Timestamp,
    }
}

/// Adds a family.
pub async fn insert_family(connection: &mut Connection, row: &Family) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO oidc_families (family, client_id, user_id, scopes, sid, nonce, auth_time, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&row.family)
    .bind(&row.client_id)
    .bind(row.user_id)
    .bind(&row.scopes)
    .bind(&row.sid)
    .bind(&row.nonce)
    .bind(row.auth_time.micros())
    .bind(row.created_at.micros())
    .bind(row.expires_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// One family, ended or not.
pub async fn family(connection: &mut Connection, family: &str) -> Result<Option<Family>> {
    Ok(
        sqlx::query_as::<Any, Family>("SELECT * FROM oidc_families WHERE family = $1")
            .bind(family)
            .fetch_optional(connection)
            .await?,
    )
}

/// Ends a family; `false` when it had ended.
pub async fn end_family(
    connection: &mut Connection,
    family: &str,
    because: &str,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE oidc_families SET ended_at = $1, ended_because = $2 WHERE family = $3 AND ended_at IS NULL",
    )
    .bind(now.micros())
    .bind(because)
    .bind(family)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The families of a person that have not ended, newest first.
pub async fn families_of_user(
    connection: &mut Connection,
    user_id: i64,
    now: Timestamp,
) -> Result<Vec<Family>> {
    Ok(sqlx::query_as::<Any, Family>(
        "SELECT * FROM oidc_families WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 \
         ORDER BY created_at DESC",
    )
    .bind(user_id)
    .bind(now.micros())
    .fetch_all(connection)
    .await?)
}

/// The families of a session, ended or not.
pub async fn families_of_session(connection: &mut Connection, sid: &str) -> Result<Vec<Family>> {
    Ok(sqlx::query_as::<Any, Family>(
        "SELECT * FROM oidc_families WHERE sid = $1 ORDER BY created_at",
    )
    .bind(sid)
    .fetch_all(connection)
    .await?)
}

/// Adds a code.
pub async fn insert_code(connection: &mut Connection, row: &Code) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO oidc_codes (code_hash, family, redirect_uri, challenge, expires_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(row.code_hash.expose())
    .bind(&row.family)
    .bind(&row.redirect_uri)
    .bind(&row.challenge)
    .bind(row.expires_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// The code with that hash, used or not.
pub async fn code(connection: &mut Connection, hash: &str) -> Result<Option<Code>> {
    Ok(
        sqlx::query_as::<Any, Code>("SELECT * FROM oidc_codes WHERE code_hash = $1")
            .bind(hash)
            .fetch_optional(connection)
            .await?,
    )
}

/// Notes that a code was exchanged.
pub async fn use_code(connection: &mut Connection, hash: &str, now: Timestamp) -> Result<()> {
    sqlx::query::<Any>("UPDATE oidc_codes SET used_at = $1 WHERE code_hash = $2")
        .bind(now.micros())
        .bind(hash)
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds a refresh token.
pub async fn insert_refresh(connection: &mut Connection, row: &RefreshToken) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO oidc_refresh_tokens (token_hash, family, issued_at, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(row.token_hash.expose())
    .bind(&row.family)
    .bind(row.issued_at.micros())
    .bind(row.expires_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// The refresh token with that hash, used or not.
pub async fn refresh(connection: &mut Connection, hash: &str) -> Result<Option<RefreshToken>> {
    Ok(sqlx::query_as::<Any, RefreshToken>(
        "SELECT * FROM oidc_refresh_tokens WHERE token_hash = $1",
    )
    .bind(hash)
    .fetch_optional(connection)
    .await?)
}

/// Notes that a refresh token was exchanged for the next.
pub async fn use_refresh(connection: &mut Connection, hash: &str, now: Timestamp) -> Result<()> {
    sqlx::query::<Any>("UPDATE oidc_refresh_tokens SET used_at = $1 WHERE token_hash = $2")
        .bind(now.micros())
        .bind(hash)
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds a device's code; `false` when its user code is in use.
pub async fn insert_device(connection: &mut Connection, row: &DeviceCode) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "INSERT INTO oidc_device_codes (device_hash, user_code_hash, client_id, scopes, state, interval_s, created_at, \
         expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (user_code_hash) DO NOTHING",
    )
    .bind(row.device_hash.expose())
    .bind(row.user_code_hash.expose())
    .bind(&row.client_id)
    .bind(&row.scopes)
    .bind(&row.state)
    .bind(row.interval_s)
    .bind(row.created_at.micros())
    .bind(row.expires_at.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// How many devices of a client wait.
pub async fn devices_waiting(
    connection: &mut Connection,
    client_id: &str,
    now: Timestamp,
) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM oidc_device_codes WHERE client_id = $1 AND state = 'pending' AND expires_at > $2",
    )
    .bind(client_id)
    .bind(now.micros())
    .fetch_one(connection)
    .await?)
}

/// A device by its own code.
pub async fn device(connection: &mut Connection, hash: &str) -> Result<Option<DeviceCode>> {
    Ok(
        sqlx::query_as::<Any, DeviceCode>("SELECT * FROM oidc_device_codes WHERE device_hash = $1")
            .bind(hash)
            .fetch_optional(connection)
            .await?,
    )
}

/// A device by the code that a person types.
pub async fn device_by_user_code(
    connection: &mut Connection,
    hash: &str,
) -> Result<Option<DeviceCode>> {
    Ok(sqlx::query_as::<Any, DeviceCode>(
        "SELECT * FROM oidc_device_codes WHERE user_code_hash = $1",
    )
    .bind(hash)
    .fetch_optional(connection)
    .await?)
}

/// Writes what changes of a device: its state, its family, its interval and when it asked.
pub async fn update_device(connection: &mut Connection, row: &DeviceCode) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE oidc_device_codes SET state = $1, family = $2, interval_s = $3, polled_at = $4 WHERE device_hash = $5",
    )
    .bind(&row.state)
    .bind(&row.family)
    .bind(row.interval_s)
    .bind(row.polled_at.map(Timestamp::micros))
    .bind(row.device_hash.expose())
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes an access token back.
pub async fn revoke(connection: &mut Connection, jti: &str, expires_at: Timestamp) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO oidc_revoked (jti, expires_at) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING",
    )
    .bind(jti)
    .bind(expires_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether an access token was taken back.
pub async fn is_revoked(connection: &mut Connection, jti: &str) -> Result<bool> {
    let found = sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM oidc_revoked WHERE jti = $1")
        .bind(jti)
        .fetch_one(connection)
        .await?;
    Ok(found > 0)
}

/// Notes that a client is to be told.
pub async fn insert_logout(
    connection: &mut Connection,
    client_id: &str,
    user_id: i64,
    sid: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO oidc_logouts (client_id, user_id, sid, created_at, next_at) VALUES ($1, $2, $3, $4, $4)",
    )
    .bind(client_id)
    .bind(user_id)
    .bind(sid)
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Who is to be told by now, oldest first, `limit` at most.
pub async fn logouts_due(
    connection: &mut Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Logout>> {
    Ok(sqlx::query_as::<Any, Logout>(
        "SELECT * FROM oidc_logouts WHERE next_at <= $1 ORDER BY id LIMIT $2",
    )
    .bind(now.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// A client was told, or is given up.
pub async fn delete_logout(connection: &mut Connection, id: i64) -> Result<()> {
    sqlx::query::<Any>("DELETE FROM oidc_logouts WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// A client could not be told; it is tried again at `next_at`.
pub async fn postpone_logout(
    connection: &mut Connection,
    id: i64,
    next_at: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE oidc_logouts SET attempts = attempts + 1, next_at = $1 WHERE id = $2",
    )
    .bind(next_at.micros())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes away what has been over since before `before`; gives how many rows.
pub async fn delete_over(connection: &mut Connection, before: Timestamp) -> Result<u64> {
    let mut gone = 0;
    for statement in [
        "DELETE FROM oidc_codes WHERE expires_at < $1",
        "DELETE FROM oidc_device_codes WHERE expires_at < $1",
        "DELETE FROM oidc_revoked WHERE expires_at < $1",
        "DELETE FROM oidc_families WHERE expires_at < $1 OR ended_at < $1",
    ] {
        let done = sqlx::query::<Any>(statement)
            .bind(before.micros())
            .execute(&mut *connection)
            .await?;
        gone += done.rows_affected();
    }
    Ok(gone)
}
