//! The shapes of the database, in order. A shape once released is never edited: a change is a new file at
//! the end, and a database of every older shape is kept as a fixture that must open.

use crate::failure::{Failure, Result};
use crate::store::Connection;
use model::Problem;
use sqlx::{Any, AssertSqlSafe};

/// The migrations, in order; the version is the place in the list, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_workflows.sql"),
    include_str!("../migrations/0003_corrections.sql"),
    include_str!("../migrations/0004_audit_chain.sql"),
    include_str!("../migrations/0005_oidc.sql"),
    include_str!("../migrations/0006_who_may_do_what.sql"),
    include_str!("../migrations/0007_keys_and_outside_identities.sql"),
    include_str!("../migrations/0008_command_centre.sql"),
    include_str!("../migrations/0009_duty_grids_and_field.sql"),
    include_str!("../migrations/0010_open311_and_board.sql"),
    include_str!("../migrations/0011_runs.sql"),
    include_str!("../migrations/0012_commands.sql"),
    include_str!("../migrations/0013_plan_reports.sql"),
    include_str!("../migrations/0014_projects.sql"),
    include_str!("../migrations/0015_fill_once.sql"),
    include_str!("../migrations/0016_photos_and_packages.sql"),
    include_str!("../migrations/0017_disputes_and_numbers.sql"),
    include_str!("../migrations/0018_bookings.sql"),
    include_str!("../migrations/0019_charging.sql"),
    include_str!("../migrations/0020_charging_orders.sql"),
    include_str!("../migrations/0021_exchange.sql"),
    include_str!("../migrations/0022_invoices.sql"),
];

/// The shape that this build reads and writes.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// The shape that made the audit trail a chain.
const CHAINED: i64 = 4;

/// The shape that made the texts of cases searchable.
const SEARCHED: i64 = 8;

/// The shape that made reports go through approval.
const REPORTED: i64 = 13;

/// SQLite's type for a key that counts up and never gives a number twice.
const ID_COLUMN: &str = "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL";

/// Brings the database to [`VERSION`]; to be called inside a write transaction, so that of several
/// processes that open a new database at once only one makes it.
///
/// # Errors
/// `records-newer` when a newer build has already moved the database on.
pub async fn migrate(connection: &mut Connection) -> Result<()> {
    sqlx::query::<Any>(
        "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY NOT NULL)",
    )
    .execute(&mut *connection)
    .await?;
    let at: i64 =
        sqlx::query_scalar::<Any, i64>("SELECT COALESCE(MAX(version), 0) FROM schema_version")
            .fetch_one(&mut *connection)
            .await?;
    if at > VERSION {
        return Err(Failure::Invalid(Problem::new(
            "records-newer",
            format!("the records have shape {at}, this build knows shapes up to {VERSION}"),
            "records",
            "run the newer build that wrote them, or restore the backup made before the upgrade",
        )));
    }
    for (version, text) in (1..).zip(MIGRATIONS) {
        if version <= at {
            continue;
        }
        sqlx::raw_sql(AssertSqlSafe(text.replace("{{id}}", ID_COLUMN)))
            .execute(&mut *connection)
            .await?;
        if version == CHAINED {
            crate::audit_chain::begin(connection).await?;
        }
        if version == SEARCHED {
            crate::case_text::fill(connection).await?;
        }
        if version == REPORTED {
            crate::filings::fill(connection).await?;
        }
        sqlx::query::<Any>("INSERT INTO schema_version (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *connection)
            .await?;
        tracing::info!(version, "records brought to a new shape");
    }
    Ok(())
}

/// For a database that cannot be changed: whether it has this build's shape.
///
/// # Errors
/// `records-shape` when it has another.
pub async fn must_be_newest(connection: &mut Connection) -> Result<()> {
    let at: i64 =
        sqlx::query_scalar::<Any, i64>("SELECT COALESCE(MAX(version), 0) FROM schema_version")
            .fetch_one(&mut *connection)
            .await?;
    if at == VERSION {
        return Ok(());
    }
    Err(Failure::Unavailable(Problem::new(
        "records-shape",
        format!(
            "the records have shape {at} and cannot be brought to {VERSION}: the disk is read-only"
        ),
        "records.sqlite",
        "make the disk writable, or run the build that wrote them",
    )))
}
