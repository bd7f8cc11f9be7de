//! Tables `oidc_clients` and `oidc_consents`: the departments' systems that people sign in to with their account here,
//! and what each person let each of them have.

use crate::failure::Result;
use crate::field::{Secret, table_row};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A system that may ask for sign-ins.
    pub struct ClientRow {
        /// Counts up from 1.
        pub id: i64,
        /// The name it gives in the protocol; unique.
        pub client_id: String,
        /// What people call it.
        pub name: String,
        /// Whether it cannot keep a secret (a page, an app).
        pub is_public: bool,
        /// SHA-256 of its secret, hex.
        #[serde(skip)]
        pub secret_hash: Option<Secret>,
        /// Where people may be sent back to: a JSON list.
        pub redirect_uris: serde_json::Value,
        /// Where they may be sent after signing out: a JSON list.
        pub post_logout_redirect_uris: serde_json::Value,
        /// Where it is told that a session ended.
        pub backchannel_logout_uri: Option<String>,
        /// The grants it may use: a JSON list.
        pub grants: serde_json::Value,
        /// The scopes it may ask for: a JSON list.
        pub scopes: serde_json::Value,
        /// Whether people are asked before it gets anything.
        pub asks_consent: bool,
        /// Whether it is shut out for now.
        pub disabled: bool,
        /// When it was registered.
        pub created_at: Timestamp,
        /// By whom.
        pub created_by: String,
        /// When its secret was last set.
        pub secret_set_at: Option<Timestamp>,
    }
}

table_row! {
    /// What a person let a client have.
    pub struct ConsentRow {
        /// The person.
        pub user_id: i64,
        /// The client.
        pub client_id: String,
        /// Scopes, a space between.
        pub scopes: String,
        /// When.
        pub given_at: Timestamp,
    }
}

/// Adds a client; `None` when its `client_id` is taken.
pub async fn insert(connection: &mut Connection, row: &ClientRow) -> Result<Option<ClientRow>> {
    Ok(sqlx::query_as::<Any, ClientRow>(
        "INSERT INTO oidc_clients (client_id, name, is_public, secret_hash, redirect_uris, post_logout_redirect_uris, \
         backchannel_logout_uri, grants, scopes, asks_consent, disabled, created_at, created_by, secret_set_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (client_id) DO NOTHING RETURNING *",
    )
    .bind(&row.client_id)
    .bind(&row.name)
    .bind(i64::from(row.is_public))
    .bind(row.secret_hash.as_ref().map(Secret::expose))
    .bind(row.redirect_uris.to_string())
    .bind(row.post_logout_redirect_uris.to_string())
    .bind(&row.backchannel_logout_uri)
    .bind(row.grants.to_string())
    .bind(row.scopes.to_string())
    .bind(i64::from(row.asks_consent))
    .bind(i64::from(row.disabled))
    .bind(row.created_at.micros())
    .bind(&row.created_by)
    .bind(row.secret_set_at.map(Timestamp::micros))
    .fetch_optional(connection)
    .await?)
}

/// Writes what can be changed of a client; `None` when it is not there.
pub async fn update(connection: &mut Connection, row: &ClientRow) -> Result<Option<ClientRow>> {
    Ok(sqlx::query_as::<Any, ClientRow>(
        "UPDATE oidc_clients SET name = $1, secret_hash = $2, redirect_uris = $3, post_logout_redirect_uris = $4, \
         backchannel_logout_uri = $5, grants = $6, scopes = $7, asks_consent = $8, disabled = $9, secret_set_at = $10 \
         WHERE client_id = $11 RETURNING *",
    )
    .bind(&row.name)
    .bind(row.secret_hash.as_ref().map(Secret::expose))
    .bind(row.redirect_uris.to_string())
    .bind(row.post_logout_redirect_uris.to_string())
    .bind(&row.backchannel_logout_uri)
    .bind(row.grants.to_string())
    .bind(row.scopes.to_string())
    .bind(i64::from(row.asks_consent))
    .bind(i64::from(row.disabled))
    .bind(row.secret_set_at.map(Timestamp::micros))
    .bind(&row.client_id)
    .fetch_optional(connection)
    .await?)
}

/// One client by its `client_id`.
pub async fn get(connection: &mut Connection, client_id: &str) -> Result<Option<ClientRow>> {
    Ok(
        sqlx::query_as::<Any, ClientRow>("SELECT * FROM oidc_clients WHERE client_id = $1")
            .bind(client_id)
            .fetch_optional(connection)
            .await?,
    )
}

/// All clients, by id.
pub async fn list(connection: &mut Connection) -> Result<Vec<ClientRow>> {
    Ok(
        sqlx::query_as::<Any, ClientRow>("SELECT * FROM oidc_clients ORDER BY id")
            .fetch_all(connection)
            .await?,
    )
}

/// Takes a client away with everything that was given to it.
pub async fn delete(connection: &mut Connection, client_id: &str) -> Result<Option<ClientRow>> {
    Ok(sqlx::query_as::<Any, ClientRow>(
        "DELETE FROM oidc_clients WHERE client_id = $1 RETURNING *",
    )
    .bind(client_id)
    .fetch_optional(connection)
    .await?)
}

/// What a person let a client have.
pub async fn consent(
    connection: &mut Connection,
    user_id: i64,
    client_id: &str,
) -> Result<Option<ConsentRow>> {
    Ok(sqlx::query_as::<Any, ConsentRow>(
        "SELECT * FROM oidc_consents WHERE user_id = $1 AND client_id = $2",
    )
    .bind(user_id)
    .bind(client_id)
    .fetch_optional(connection)
    .await?)
}

/// Writes down what a person lets a client have, in the place of what was there.
pub async fn give_consent(connection: &mut Connection, row: &ConsentRow) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO oidc_consents (user_id, client_id, scopes, given_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (user_id, client_id) DO UPDATE SET scopes = excluded.scopes, given_at = excluded.given_at",
    )
    .bind(row.user_id)
    .bind(&row.client_id)
    .bind(&row.scopes)
    .bind(row.given_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// What a person let all clients have, by client.
pub async fn consents_of(connection: &mut Connection, user_id: i64) -> Result<Vec<ConsentRow>> {
    Ok(sqlx::query_as::<Any, ConsentRow>(
        "SELECT * FROM oidc_consents WHERE user_id = $1 ORDER BY client_id",
    )
    .bind(user_id)
    .fetch_all(connection)
    .await?)
}

/// Takes a person's consent back; `false` when there was none.
pub async fn withdraw_consent(
    connection: &mut Connection,
    user_id: i64,
    client_id: &str,
) -> Result<bool> {
    let done =
        sqlx::query::<Any>("DELETE FROM oidc_consents WHERE user_id = $1 AND client_id = $2")
            .bind(user_id)
            .bind(client_id)
            .execute(connection)
            .await?;
    Ok(done.rows_affected() > 0)
}
