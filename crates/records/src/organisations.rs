//! Table `organisations` (单位): the city's departments, towns, operators and enterprises. Those of the city profile are
//! brought up to date from it; people add others.

use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use sqlx::Any;

table_row! {
    /// An organisation (单位).
    pub struct Organisation {
        /// Its id, e.g. `water`, or `town-429006001` for a town of the profile.
        pub id: String,
        /// Chinese name.
        pub name_zh: String,
        /// English name.
        pub name_en: String,
        /// The organisation above it (上级单位).
        pub parent: Option<String>,
        /// `department`, `town`, `operator` or `enterprise`.
        pub kind: String,
        /// Unified social credit code (统一社会信用代码).
        pub credit_code: Option<String>,
        /// Code of the division (区划代码) that it answers for.
        pub division: Option<String>,
        /// Whether it takes no more work.
        pub disabled: bool,
        /// Whether its names and its kind are the city profile's.
        pub of_profile: bool,
    }
}

impl Organisation {
    /// A department of the city profile, of which nothing more is known.
    pub fn department(id: &str, name_zh: &str, name_en: &str) -> Self {
        Self {
            id: id.to_owned(),
            name_zh: name_zh.to_owned(),
            name_en: name_en.to_owned(),
            parent: None,
            kind: "department".to_owned(),
            credit_code: None,
            division: None,
            disabled: false,
            of_profile: true,
        }
    }
}

/// Adds an organisation or brings it up to date.
pub async fn upsert(connection: &mut Connection, row: &Organisation) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO organisations (id, name_zh, name_en, parent, kind, credit_code, division, disabled, of_profile) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (id) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en, \
         parent = excluded.parent, kind = excluded.kind, credit_code = excluded.credit_code, \
         division = excluded.division, disabled = excluded.disabled, of_profile = excluded.of_profile",
    )
    .bind(&row.id)
    .bind(&row.name_zh)
    .bind(&row.name_en)
    .bind(&row.parent)
    .bind(&row.kind)
    .bind(&row.credit_code)
    .bind(&row.division)
    .bind(i64::from(row.disabled))
    .bind(i64::from(row.of_profile))
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

/// All organisations, by id: a city has hundreds of them at most.
pub async fn list(connection: &mut Connection) -> Result<Vec<Organisation>> {
    Ok(
        sqlx::query_as::<Any, Organisation>("SELECT * FROM organisations ORDER BY id")
            .fetch_all(connection)
            .await?,
    )
}
