//! Table `devices`: what may connect, and how it has fared.

use crate::failure::Result;
use crate::field::{Secret, table_row};
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A device with its credential and its counters.
    pub struct Device {
        /// The URI of the thing the device speaks for.
        pub id: String,
        /// Its name at the MQTT door and in its topics; unique.
        pub client_id: String,
        /// Entity type.
        pub r#type: String,
        /// What people call it.
        pub name: Option<String>,
        /// Username at the doors; unique.
        pub username: String,
        /// Salt of the password's hash, hex.
        #[serde(skip)]
        pub secret_salt: Secret,
        /// Hash of the password, hex; empty when it has a key.
        #[serde(skip)]
        pub secret_hash: Secret,
        /// Its key under the city's key, hex; empty when it has a password.
        #[serde(skip)]
        pub secret_sealed: Secret,
        /// When its password or key was made; `None` when that was with the device itself.
        pub secret_set_at: Option<Timestamp>,
        /// When it last signed in with its key; not kept for passwords.
        pub secret_used_at: Option<Timestamp>,
        /// When it was added.
        pub created_at: Timestamp,
        /// Who added it.
        pub created_by: String,
        /// Whether it is connected now.
        pub online: bool,
        /// When it last connected.
        pub connected_at: Option<Timestamp>,
        /// When it last sent anything.
        pub last_seen_at: Option<Timestamp>,
        /// Messages accepted from it.
        pub messages: i64,
        /// Messages of it that went to the dead letters.
        pub rejected: i64,
    }
}

/// What happened to one device since its counters were last written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceChange {
    /// The device.
    pub client_id: String,
    /// Messages accepted since.
    pub messages_added: u64,
    /// Messages rejected since.
    pub rejected_added: u64,
    /// When it last sent anything; `None` leaves what is stored.
    pub last_seen_at: Option<Timestamp>,
    /// Whether it is connected; `None` leaves what is stored.
    pub online: Option<bool>,
    /// When it connected; `None` leaves what is stored.
    pub connected_at: Option<Timestamp>,
}

/// Adds a device; `None` when its id, client id or username is taken. Counters start at nothing.
pub async fn insert(connection: &mut Connection, row: &Device) -> Result<Option<Device>> {
    Ok(sqlx::query_as::<Any, Device>(
        "INSERT INTO devices (id, client_id, type, name, username, secret_salt, secret_hash, secret_sealed, created_at, \
         created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING *",
    )
    .bind(&row.id)
    .bind(&row.client_id)
    .bind(&row.r#type)
    .bind(&row.name)
    .bind(&row.username)
    .bind(row.secret_salt.expose())
    .bind(row.secret_hash.expose())
    .bind(row.secret_sealed.expose())
    .bind(row.created_at.micros())
    .bind(&row.created_by)
    .fetch_optional(connection)
    .await?)
}

/// The device with that client id.
pub async fn by_client_id(connection: &mut Connection, client_id: &str) -> Result<Option<Device>> {
    Ok(
        sqlx::query_as::<Any, Device>("SELECT * FROM devices WHERE client_id = $1")
            .bind(client_id)
            .fetch_optional(connection)
            .await?,
    )
}

/// The device with that username.
pub async fn by_username(connection: &mut Connection, username: &str) -> Result<Option<Device>> {
    Ok(
        sqlx::query_as::<Any, Device>("SELECT * FROM devices WHERE username = $1")
            .bind(username)
            .fetch_optional(connection)
            .await?,
    )
}

/// The device that speaks for that thing.
pub async fn by_id(connection: &mut Connection, id: &str) -> Result<Option<Device>> {
    Ok(
        sqlx::query_as::<Any, Device>("SELECT * FROM devices WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// The ids of all things that a device speaks for.
pub async fn ids(connection: &mut Connection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar::<Any, String>("SELECT id FROM devices")
        .fetch_all(connection)
        .await?)
}

/// Takes a device away; gives what it was.
pub async fn delete(connection: &mut Connection, client_id: &str) -> Result<Option<Device>> {
    Ok(
        sqlx::query_as::<Any, Device>("DELETE FROM devices WHERE client_id = $1 RETURNING *")
            .bind(client_id)
            .fetch_optional(connection)
            .await?,
    )
}

/// What is kept of a device's password or key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptSecret {
    /// Salt of a password's hash, hex.
    pub salt: Secret,
    /// Hash of a password, hex.
    pub hash: Secret,
    /// A key under the city's key, hex.
    pub sealed: Secret,
}

/// Puts another password or key in the place of the device's own.
pub async fn set_secret(
    connection: &mut Connection,
    client_id: &str,
    secret: &KeptSecret,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE devices SET secret_salt = $1, secret_hash = $2, secret_sealed = $3, secret_set_at = $4, \
         secret_used_at = NULL WHERE client_id = $5",
    )
    .bind(secret.salt.expose())
    .bind(secret.hash.expose())
    .bind(secret.sealed.expose())
    .bind(now.micros())
    .bind(client_id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The proofs of its keys that a device has used: the time up to which all count as used, and the last ones.
pub async fn used_proofs(connection: &mut Connection, client_id: &str) -> Result<(i64, String)> {
    use sqlx::Row;
    let row = sqlx::query::<Any>("SELECT proofs_floor, proofs FROM devices WHERE client_id = $1")
        .bind(client_id)
        .fetch_optional(connection)
        .await?;
    match row {
        Some(row) => Ok((row.try_get(0)?, row.try_get(1)?)),
        None => Ok((0, String::new())),
    }
}

/// Writes which proofs a device has used.
pub async fn set_used_proofs(
    connection: &mut Connection,
    client_id: &str,
    (floor, proofs): (i64, &str),
) -> Result<()> {
    sqlx::query::<Any>("UPDATE devices SET proofs_floor = $1, proofs = $2 WHERE client_id = $3")
        .bind(floor)
        .bind(proofs)
        .bind(client_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes note that a device signed in with its own key.
pub async fn touch_secret(
    connection: &mut Connection,
    client_id: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>("UPDATE devices SET secret_used_at = $1 WHERE client_id = $2")
        .bind(now.micros())
        .bind(client_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Which devices are wanted.
#[derive(Clone, Debug, Default)]
pub struct DeviceFilter {
    /// Only those connected, or only those not.
    pub online: Option<bool>,
    /// Only of this entity type.
    pub r#type: Option<String>,
    /// Only where id, client id or name holds this text (without regard to ASCII case).
    pub q: Option<String>,
}

/// Devices by client id.
pub async fn list(
    connection: &mut Connection,
    filter: &DeviceFilter,
    page: &PageRequest,
) -> Result<Page<Device>> {
    let rows = sqlx::query_as::<Any, Device>(
        "SELECT * FROM devices WHERE ($1 IS NULL OR online = $1) AND ($2 IS NULL OR type = $2) \
         AND ($3 IS NULL OR LOWER(id) LIKE $3 ESCAPE '!' OR client_id LIKE $3 ESCAPE '!' \
         OR LOWER(COALESCE(name, '')) LIKE $3 ESCAPE '!') \
         AND client_id > $4 ORDER BY client_id LIMIT $5",
    )
    .bind(filter.online.map(i64::from))
    .bind(&filter.r#type)
    .bind(filter.q.as_deref().map(contains_pattern))
    .bind(page.after.as_deref().unwrap_or(""))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |d| d.client_id.clone()))
}

/// How many devices there are, and how many of them are connected.
pub async fn counts(connection: &mut Connection) -> Result<(i64, i64)> {
    use sqlx::Row;
    let row =
        sqlx::query::<Any>("SELECT COUNT(*), COUNT(CASE WHEN online <> 0 THEN 1 END) FROM devices")
            .fetch_one(connection)
            .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// How many devices of a type there are, and how many of them are connected.
pub async fn counts_of(connection: &mut Connection, kind: &str) -> Result<(i64, i64)> {
    Ok(sqlx::query_as::<Any, (i64, i64)>(
        "SELECT COUNT(*), COUNT(CASE WHEN online <> 0 THEN 1 END) FROM devices WHERE type = $1",
    )
    .bind(kind)
    .fetch_one(connection)
    .await?)
}

/// Of devices of a type: the thing each speaks for, whether it is connected, and when it last sent anything.
pub async fn seen_of(
    connection: &mut Connection,
    kind: &str,
) -> Result<Vec<(String, bool, Option<Timestamp>)>> {
    let rows = sqlx::query_as::<Any, (String, i64, Option<i64>)>(
        "SELECT id, CASE WHEN online <> 0 THEN 1 ELSE 0 END, last_seen_at FROM devices WHERE type = $1 ORDER BY id",
    )
    .bind(kind)
    .fetch_all(connection)
    .await?;
    let row = |(id, online, seen): (String, i64, Option<i64>)| {
        (id, online != 0, seen.map(Timestamp::from_micros))
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Writes what happened to devices since the last time. Devices taken away meanwhile are passed over.
pub async fn apply_changes(connection: &mut Connection, changes: &[DeviceChange]) -> Result<()> {
    for change in changes {
        sqlx::query::<Any>(
            "UPDATE devices SET messages = messages + $1, rejected = rejected + $2, \
             last_seen_at = COALESCE($3, last_seen_at), online = COALESCE($4, online), \
             connected_at = COALESCE($5, connected_at) WHERE client_id = $6",
        )
        .bind(i64::try_from(change.messages_added).unwrap_or(i64::MAX))
        .bind(i64::try_from(change.rejected_added).unwrap_or(i64::MAX))
        .bind(change.last_seen_at.map(Timestamp::micros))
        .bind(change.online.map(i64::from))
        .bind(change.connected_at.map(Timestamp::micros))
        .bind(&change.client_id)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Marks every device as not connected: at the server's start nothing is.
pub async fn all_offline(connection: &mut Connection) -> Result<u64> {
    let done = sqlx::query::<Any>("UPDATE devices SET online = 0 WHERE online <> 0")
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// A LIKE pattern for "holds this text"; `!` escapes what LIKE would read as a wildcard.
fn contains_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
