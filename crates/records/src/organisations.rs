//! Table `organisations`: the city's departments, taken from its profile.

use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use sqlx::Any;

table_row! {
    /// A department (单位).
    pub struct Organisation {
        /// Its id in the city profile, e.g. `water`.
        pub id: String,
        /// Chinese name.
        pub name_zh: String,
        /// English name.
        pub name_en: String,
        /// The organisation above it.
        pub parent: Option<String>,
    }
}

/// Adds an organisation or brings its names up to date.
pub async fn upsert(connection: &mut Connection, row: &Organisation) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO organisations (id, name_zh, name_en, parent) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en, \
         parent = excluded.parent",
    )
    .bind(&row.id)
    .bind(&row.name_zh)
    .bind(&row.name_en)
    .bind(&row.parent)
    .execute(connection)
    .await?;
    Ok(())
}

/// One organisation.
pub async fn get(connection: &mut Connection, id: &str) -> Result<Option<Organisation>> {
    Ok(
        sqlx::query_as::<Any, Organisation>("SELECT * FROM organisations WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// All organisations, by id: a city has tens of them.
pub async fn list(connection: &mut Connection) -> Result<Vec<Organisation>> {
    Ok(
        sqlx::query_as::<Any, Organisation>("SELECT * FROM organisations ORDER BY id")
            .fetch_all(connection)
            .await?,
    )
}
