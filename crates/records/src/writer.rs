//! Tables that one process writes: whoever takes over is the one writer, and whoever was it before can write no more.

use crate::failure::{Failure, Result};
use crate::store::Connection;
use model::Problem;
use sqlx::{Any, AssertSqlSafe};

/// The row of a table that counts its writers.
pub(crate) struct OneWriter {
    /// The table of that row.
    pub table: &'static str,
    /// The code of a second writer.
    pub code: &'static str,
    /// What another process does then.
    pub told: &'static str,
}

impl OneWriter {
    /// Makes the caller the one writer, and gives its generation.
    pub async fn take_over(&self, connection: &mut Connection) -> Result<i64> {
        let statement = format!(
            "UPDATE {} SET generation = generation + 1 WHERE id = 1 RETURNING generation",
            self.table
        );
        Ok(sqlx::query_scalar::<Any, i64>(AssertSqlSafe(statement))
            .fetch_one(connection)
            .await?)
    }

    /// Fails where another has taken over since; to be called in every writing transaction.
    pub async fn must_be(&self, connection: &mut Connection, generation: i64) -> Result<()> {
        let statement = format!(
            "UPDATE {} SET batches = batches + 1 WHERE id = 1 AND generation = $1",
            self.table
        );
        let done = sqlx::query::<Any>(AssertSqlSafe(statement))
            .bind(generation)
            .execute(connection)
            .await?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        Err(Failure::Conflict(Problem::new(
            self.code,
            self.told,
            format!("records.sqlite, table {}", self.table),
            "let one server run on one folder",
        )))
    }
}
