//! Tables `investment_packages` and `investment_editions`: what the plan office publishes for investors, and every edition of it as it was
//! published. What is right is the crate `projects`.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A package of projects or a list of scenarios.
    pub struct Package {
        /// Counts up from 1.
        pub id: i64,
        /// What is written of it now, as JSON.
        pub content: serde_json::Value,
        /// Counts its changes up from 1.
        pub version: i64,
        /// Since when it is kept.
        pub created_at: Timestamp,
        /// When it was changed last.
        pub changed_at: Timestamp,
        /// By whom.
        pub changed_by: String,
        /// How often it was published; 0: not yet.
        pub edition: i64,
        /// What was written of it when it was published last, as JSON.
        pub published: Option<serde_json::Value>,
        /// When it was published last.
        pub published_at: Option<Timestamp>,
        /// By whom.
        pub published_by: Option<String>,
        /// When it was withdrawn; `None` while the newest edition is out.
        pub withdrawn_at: Option<Timestamp>,
        /// By whom.
        pub withdrawn_by: Option<String>,
        /// Why.
        pub withdrawn_why: Option<String>,
    }
}

/// Every package, the newest first.
pub async fn all(connection: &mut Connection) -> Result<Vec<Package>> {
    Ok(
        sqlx::query_as::<Any, Package>("SELECT * FROM investment_packages ORDER BY id DESC")
            .fetch_all(connection)
            .await?,
    )
}

/// The package of that number.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<Package>> {
    Ok(
        sqlx::query_as::<Any, Package>("SELECT * FROM investment_packages WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Keeps a new package.
pub async fn insert(
    connection: &mut Connection,
    content: &serde_json::Value,
    actor: &Actor,
    now: Timestamp,
) -> Result<Package> {
    Ok(sqlx::query_as::<Any, Package>(
        "INSERT INTO investment_packages (content, version, created_at, changed_at, changed_by, edition) VALUES ($1, 1, $2, $2, $3, 0) RETURNING *",
    )
    .bind(content.to_string())
    .bind(now.micros())
    .bind(&actor.name)
    .fetch_one(connection)
    .await?)
}

/// Writes a package anew; whether it still had the version that was changed.
pub async fn change(
    connection: &mut Connection,
    id: i64,
    version: i64,
    content: &serde_json::Value,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE investment_packages SET content = $1, version = version + 1, changed_at = $2, changed_by = $3 WHERE id = $4 AND version = $5",
    )
    .bind(content.to_string())
    .bind(now.micros())
    .bind(&actor.name)
    .bind(id)
    .bind(version)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Publishes what is written as the next edition, which is kept as it is; whether it still had that version.
pub async fn publish(
    connection: &mut Connection,
    package: &Package,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let content = package.content.to_string();
    let done = sqlx::query::<Any>(
        "UPDATE investment_packages SET published = $1, published_at = $2, published_by = $3, edition = edition + 1, \
         withdrawn_at = NULL, withdrawn_by = NULL, withdrawn_why = NULL WHERE id = $4 AND version = $5",
    )
    .bind(&content)
    .bind(now.micros())
    .bind(&actor.name)
    .bind(package.id)
    .bind(package.version)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query::<Any>(
        "INSERT INTO investment_editions (package_id, edition, content, at, by_name) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(package.id)
    .bind(package.edition + 1)
    .bind(&content)
    .bind(now.micros())
    .bind(&actor.name)
    .execute(connection)
    .await?;
    Ok(true)
}

/// Withdraws a package; whether it was out.
pub async fn withdraw(
    connection: &mut Connection,
    id: i64,
    why: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE investment_packages SET withdrawn_at = $1, withdrawn_by = $2, withdrawn_why = $3 \
         WHERE id = $4 AND edition > 0 AND withdrawn_at IS NULL",
    )
    .bind(now.micros())
    .bind(&actor.name)
    .bind(why)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many editions of a package are kept.
pub async fn editions(connection: &mut Connection, id: i64) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM investment_editions WHERE package_id = $1",
    )
    .bind(id)
    .fetch_one(connection)
    .await?)
}
