//! A copy of the records at one moment, while others read and write them.

use crate::failure::{Failure, Result};
use crate::store::Records;
use model::Problem;
use sqlx::{Any, AssertSqlSafe};
use std::collections::BTreeMap;
use std::path::Path;

impl Records {
    /// Writes everything, as one transaction sees it, to a new file; writers go on meanwhile.
    ///
    /// # Errors
    /// When there is a file already or the disk is full; otherwise the store's own error.
    pub async fn snapshot(&self, to: &Path) -> Result<()> {
        let text = to.to_str().ok_or_else(|| {
            Failure::Invalid(Problem::new(
                "records-path",
                "the path is not UTF-8",
                to.display().to_string(),
                "name a folder whose path is UTF-8",
            ))
        })?;
        let mut connection = self.read().await?;
        sqlx::query::<Any>("VACUUM INTO $1")
            .bind(text)
            .execute(&mut *connection)
            .await?;
        Ok(())
    }

    /// The number of rows of every table, but for the one that counts this program's own migrations.
    ///
    /// # Errors
    /// The store's own error.
    pub async fn row_counts(&self) -> Result<BTreeMap<String, u64>> {
        let mut connection = self.read().await?;
        // The words of cases are an index over their texts, kept in tables of its own; it holds no rows that could be counted.
        let names: Vec<String> = sqlx::query_scalar::<Any, String>(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'case_text%' \
             AND name <> 'schema_version' ORDER BY name",
        )
        .fetch_all(&mut *connection)
        .await?;
        let mut counts = BTreeMap::new();
        for name in names {
            // The name comes from the schema that this program made.
            let query = format!("SELECT count(*) FROM \"{name}\"");
            let rows: i64 = sqlx::query_scalar::<Any, i64>(AssertSqlSafe(query))
                .fetch_one(&mut *connection)
                .await?;
            counts.insert(name, u64::try_from(rows).map_err(Failure::internal)?);
        }
        Ok(counts)
    }
}
