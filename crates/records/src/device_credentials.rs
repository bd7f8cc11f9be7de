//! Table `device_credentials`: what a device may sign in with beside its own password or key: the one before it, for a time,
//! and certificates (X.509).

use crate::failure::Result;
use crate::field::{Secret, table_row};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

/// The word for a password.
pub const PASSWORD: &str = "password";
/// The word for a key that a device proves to hold (pre-shared key, 预共享密钥).
pub const PSK: &str = "psk";
/// The word for a certificate.
pub const X509: &str = "x509";

table_row! {
    /// One credential.
    pub struct DeviceCredential {
        /// Counts up from 1.
        pub id: i64,
        /// Whose.
        pub client_id: String,
        /// [`PASSWORD`], [`PSK`] or [`X509`].
        pub kind: String,
        /// Salt of a password's hash, hex.
        #[serde(skip)]
        pub secret_salt: Secret,
        /// Hash of a password, hex.
        #[serde(skip)]
        pub secret_hash: Secret,
        /// A key under the city's key, hex.
        #[serde(skip)]
        pub secret_sealed: Secret,
        /// SHA-256 of a certificate's DER, hex.
        pub fingerprint: Option<String>,
        /// A certificate's subject.
        pub subject: Option<String>,
        /// When it was added, or stopped being the device's own.
        pub created_at: Timestamp,
        /// Who added it.
        pub created_by: String,
        /// When it ends.
        pub expires_at: Timestamp,
        /// When a key was last signed in with; not kept for the others.
        pub last_used_at: Option<Timestamp>,
    }
}

/// Adds a credential; `None` when its certificate is known. The row's own id is not looked at.
pub async fn insert(
    connection: &mut Connection,
    row: &DeviceCredential,
) -> Result<Option<DeviceCredential>> {
    Ok(sqlx::query_as::<Any, DeviceCredential>(
        "INSERT INTO device_credentials (client_id, kind, secret_salt, secret_hash, secret_sealed, fingerprint, subject, \
         created_at, created_by, expires_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT DO NOTHING RETURNING *",
    )
    .bind(&row.client_id)
    .bind(&row.kind)
    .bind(row.secret_salt.expose())
    .bind(row.secret_hash.expose())
    .bind(row.secret_sealed.expose())
    .bind(&row.fingerprint)
    .bind(&row.subject)
    .bind(row.created_at.micros())
    .bind(&row.created_by)
    .bind(row.expires_at.micros())
    .bind(row.last_used_at.map(Timestamp::micros))
    .fetch_optional(connection)
    .await?)
}

/// The credentials of a device, the oldest first, ended ones too.
pub async fn of_device(
    connection: &mut Connection,
    client_id: &str,
) -> Result<Vec<DeviceCredential>> {
    Ok(sqlx::query_as::<Any, DeviceCredential>(
        "SELECT * FROM device_credentials WHERE client_id = $1 ORDER BY id",
    )
    .bind(client_id)
    .fetch_all(connection)
    .await?)
}

/// The certificate with that fingerprint.
pub async fn by_fingerprint(
    connection: &mut Connection,
    fingerprint: &str,
) -> Result<Option<DeviceCredential>> {
    Ok(sqlx::query_as::<Any, DeviceCredential>(
        "SELECT * FROM device_credentials WHERE fingerprint = $1",
    )
    .bind(fingerprint)
    .fetch_optional(connection)
    .await?)
}

/// Of each device that has certificates the one that ends last, those first that end first, `limit` at most, ended ones too:
/// what is left of an older one tells nothing once there is another.
pub async fn certificates_ending(
    connection: &mut Connection,
    limit: u32,
) -> Result<Vec<DeviceCredential>> {
    Ok(sqlx::query_as::<Any, DeviceCredential>(
        "SELECT * FROM device_credentials AS one WHERE kind = 'x509' AND NOT EXISTS (SELECT 1 FROM device_credentials AS \
         other WHERE other.client_id = one.client_id AND other.kind = 'x509' AND (other.expires_at > one.expires_at \
         OR (other.expires_at = one.expires_at AND other.id > one.id))) ORDER BY expires_at, id LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// Takes a certificate of a device away; gives what it was.
pub async fn delete_certificate(
    connection: &mut Connection,
    client_id: &str,
    fingerprint: &str,
) -> Result<Option<DeviceCredential>> {
    Ok(sqlx::query_as::<Any, DeviceCredential>(
        "DELETE FROM device_credentials WHERE client_id = $1 AND fingerprint = $2 RETURNING *",
    )
    .bind(client_id)
    .bind(fingerprint)
    .fetch_optional(connection)
    .await?)
}

/// Takes the passwords and keys away that were the device's before.
pub async fn delete_secrets(connection: &mut Connection, client_id: &str) -> Result<u64> {
    let done = sqlx::query::<Any>(
        "DELETE FROM device_credentials WHERE client_id = $1 AND kind IN ('password', 'psk')",
    )
    .bind(client_id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Takes note that a device signed in with a key that was its own before; `false` when that is gone or its time is over.
pub async fn touch_key(connection: &mut Connection, id: i64, now: Timestamp) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE device_credentials SET last_used_at = $1 WHERE id = $2 AND kind = 'psk' AND expires_at > $1",
    )
    .bind(now.micros())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
