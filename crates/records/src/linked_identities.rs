//! Table `linked_identities`: who people are at outside OpenID Connect providers. None of it is a secret.

use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

/// Its person linked it.
pub const BY_PERSON: &str = "person";
/// A claim of the provider linked it.
pub const BY_CLAIM: &str = "claim";

table_row! {
    /// An identity at an outside provider, and whose account it opens.
    pub struct LinkedIdentity {
        /// Counts up from 1.
        pub id: i64,
        /// Whose account.
        pub user_id: i64,
        /// The provider's id in the settings when it was linked.
        pub provider: String,
        /// The provider's issuer.
        pub issuer: String,
        /// What the provider knows the person by.
        pub subject: String,
        /// What people know the person by there; empty when the provider did not say.
        pub shown: String,
        /// How it was linked: [`BY_PERSON`] or [`BY_CLAIM`].
        pub linked_by: String,
        /// Since when.
        pub linked_at: Timestamp,
        /// When it last opened the account.
        pub last_used_at: Option<Timestamp>,
    }
}

/// Adds a link; `None` when the identity is linked already, or the person has another of that issuer. The row's own id is not
/// looked at.
pub async fn insert(
    connection: &mut Connection,
    row: &LinkedIdentity,
) -> Result<Option<LinkedIdentity>> {
    Ok(sqlx::query_as::<Any, LinkedIdentity>(
        "INSERT INTO linked_identities (user_id, provider, issuer, subject, shown, linked_by, linked_at, last_used_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING *",
    )
    .bind(row.user_id)
    .bind(&row.provider)
    .bind(&row.issuer)
    .bind(&row.subject)
    .bind(&row.shown)
    .bind(&row.linked_by)
    .bind(row.linked_at.micros())
    .bind(row.last_used_at.map(Timestamp::micros))
    .fetch_optional(connection)
    .await?)
}

/// The link of an identity.
pub async fn by_subject(
    connection: &mut Connection,
    issuer: &str,
    subject: &str,
) -> Result<Option<LinkedIdentity>> {
    Ok(sqlx::query_as::<Any, LinkedIdentity>(
        "SELECT * FROM linked_identities WHERE issuer = $1 AND subject = $2",
    )
    .bind(issuer)
    .bind(subject)
    .fetch_optional(connection)
    .await?)
}

/// A person's links, the oldest first.
pub async fn of_user(connection: &mut Connection, user_id: i64) -> Result<Vec<LinkedIdentity>> {
    Ok(sqlx::query_as::<Any, LinkedIdentity>(
        "SELECT * FROM linked_identities WHERE user_id = $1 ORDER BY id",
    )
    .bind(user_id)
    .fetch_all(connection)
    .await?)
}

/// Notes that an identity opened the account, and what people know the person by there now.
pub async fn used(connection: &mut Connection, id: i64, shown: &str, now: Timestamp) -> Result<()> {
    sqlx::query::<Any>("UPDATE linked_identities SET last_used_at = $1, shown = $2 WHERE id = $3")
        .bind(now.micros())
        .bind(shown)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a link of a person away; gives what it was.
pub async fn delete(
    connection: &mut Connection,
    user_id: i64,
    id: i64,
) -> Result<Option<LinkedIdentity>> {
    Ok(sqlx::query_as::<Any, LinkedIdentity>(
        "DELETE FROM linked_identities WHERE user_id = $1 AND id = $2 RETURNING *",
    )
    .bind(user_id)
    .bind(id)
    .fetch_optional(connection)
    .await?)
}
