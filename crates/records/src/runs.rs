//! Table `runs`: what engines of packs were run on, for which moment, how it ended, and what is kept of it.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

/// Being reckoned, or being told to the city.
pub const RUNNING: &str = "running";
/// Reckoned and, where it says something of the city, told to it.
pub const DONE: &str = "done";
/// There was no outcome: its problems say why.
pub const FAILED: &str = "failed";
/// The program ended meanwhile.
pub const INTERRUPTED: &str = "interrupted";

table_row! {
    /// A run.
    pub struct Run {
        /// Counts up from 1.
        pub id: i64,
        /// The declaration's id.
        pub definition_id: String,
        /// Its version.
        pub definition_version: i64,
        /// The engine.
        pub engine: String,
        /// Its version.
        pub engine_version: i64,
        /// The entity for which it was made.
        pub target_id: Option<String>,
        /// Its type.
        pub target_type: Option<String>,
        /// The moment for which it was due.
        pub due_at: Timestamp,
        /// When it began.
        pub begun_at: Timestamp,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// [`RUNNING`], [`DONE`], [`FAILED`] or [`INTERRUPTED`].
        pub outcome: String,
        /// What was wrong, as a JSON list of problems.
        pub problems: Option<serde_json::Value>,
        /// Rows read.
        pub rows_in: i64,
        /// Rows written.
        pub rows_out: i64,
        /// Journal position of what it told the city.
        pub position: Option<i64>,
        /// The entity that it told of.
        pub entity_id: Option<String>,
        /// SHA-256 of the outcome's CSV, hexadecimal.
        pub output_digest: Option<String>,
        /// Who asked for it; `None` for the clock.
        pub asked_by: Option<String>,
        /// Their user id.
        pub asked_by_id: Option<i64>,
    }
}

/// A run that begins.
#[derive(Clone, Debug)]
pub struct NewRun<'a> {
    /// See [`Run::definition_id`].
    pub definition_id: &'a str,
    /// See [`Run::definition_version`].
    pub definition_version: i64,
    /// See [`Run::engine`].
    pub engine: &'a str,
    /// See [`Run::engine_version`].
    pub engine_version: i64,
    /// The target's id and type.
    pub target: Option<(&'a str, &'a str)>,
    /// See [`Run::due_at`].
    pub due_at: Timestamp,
    /// Who asked for it.
    pub asked_by: Option<&'a Actor>,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Ended<'a> {
    /// See [`Run::outcome`].
    pub outcome: &'a str,
    /// See [`Run::problems`].
    pub problems: Option<serde_json::Value>,
    /// See [`Run::rows_in`].
    pub rows_in: i64,
    /// See [`Run::rows_out`].
    pub rows_out: i64,
    /// See [`Run::position`].
    pub position: Option<i64>,
    /// See [`Run::entity_id`].
    pub entity_id: Option<&'a str>,
    /// See [`Run::output_digest`].
    pub output_digest: Option<&'a str>,
    /// What is kept of it.
    pub kept: Option<&'a str>,
}

const COLUMNS: &str = "id, definition_id, definition_version, engine, engine_version, target_id, target_type, due_at, begun_at, \
    ended_at, outcome, problems, rows_in, rows_out, position, entity_id, output_digest, asked_by, asked_by_id";

/// Notes that a run begins, and gives its number.
pub async fn begin(connection: &mut Connection, new: &NewRun<'_>, now: Timestamp) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "INSERT INTO runs (definition_id, definition_version, engine, engine_version, target_id, target_type, due_at, begun_at, \
         outcome, rows_in, rows_out, asked_by, asked_by_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, $11) RETURNING id",
    )
    .bind(new.definition_id)
    .bind(new.definition_version)
    .bind(new.engine)
    .bind(new.engine_version)
    .bind(new.target.map(|(id, _)| id))
    .bind(new.target.map(|(_, kind)| kind))
    .bind(new.due_at.micros())
    .bind(now.micros())
    .bind(RUNNING)
    .bind(new.asked_by.map(|actor| actor.name.as_str()))
    .bind(new.asked_by.and_then(Actor::user_id))
    .fetch_one(connection)
    .await?)
}

/// Notes how a run ended.
pub async fn end(
    connection: &mut Connection,
    id: i64,
    ended: &Ended<'_>,
    now: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE runs SET ended_at = $1, outcome = $2, problems = $3, rows_in = $4, rows_out = $5, position = $6, entity_id = $7, \
         output_digest = $8, kept = $9 WHERE id = $10",
    )
    .bind(now.micros())
    .bind(ended.outcome)
    .bind(ended.problems.as_ref().map(ToString::to_string))
    .bind(ended.rows_in)
    .bind(ended.rows_out)
    .bind(ended.position)
    .bind(ended.entity_id)
    .bind(ended.output_digest)
    .bind(ended.kept)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks those that were running when the program ended; gives how many.
pub async fn interrupt(connection: &mut Connection, now: Timestamp) -> Result<u64> {
    let done =
        sqlx::query::<Any>("UPDATE runs SET outcome = $1, ended_at = $2 WHERE outcome = 'running'")
            .bind(INTERRUPTED)
            .bind(now.micros())
            .execute(connection)
            .await?;
    Ok(done.rows_affected())
}

/// The last moment for which the clock ran each declaration to an end, by its id.
pub async fn last_due(connection: &mut Connection) -> Result<Vec<(String, Timestamp)>> {
    let rows = sqlx::query_as::<Any, (String, i64)>(
        "SELECT definition_id, MAX(due_at) FROM runs WHERE asked_by IS NULL AND outcome <> 'interrupted' GROUP BY definition_id",
    )
    .fetch_all(connection)
    .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(id, at)| (id, Timestamp::from_micros(at)))
        .collect())
}

/// Which runs.
#[derive(Clone, Debug, Default)]
pub struct Filter<'a> {
    /// Of a declaration.
    pub definition_id: Option<&'a str>,
    /// For an entity.
    pub target_id: Option<&'a str>,
    /// That ended so.
    pub outcome: Option<&'a str>,
}

/// Runs, newest first.
pub async fn list(
    connection: &mut Connection,
    filter: &Filter<'_>,
    page: &PageRequest,
) -> Result<Page<Run>> {
    let rows = sqlx::query_as::<Any, Run>(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM runs WHERE ($1 IS NULL OR definition_id = $1) AND ($2 IS NULL OR target_id = $2) \
         AND ($3 IS NULL OR outcome = $3) AND id < $4 ORDER BY id DESC LIMIT $5"
    )))
    .bind(filter.definition_id)
    .bind(filter.target_id)
    .bind(filter.outcome)
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |run| run.id.to_string()))
}

/// A run.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<Run>> {
    Ok(sqlx::query_as::<Any, Run>(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM runs WHERE id = $1"
    )))
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// What is kept of a run.
pub async fn kept(connection: &mut Connection, id: i64) -> Result<Option<String>> {
    let kept = sqlx::query_scalar::<Any, Option<String>>("SELECT kept FROM runs WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(kept.flatten())
}

/// How a declaration's last moment went: for which it was, how many runs of it were done, how many not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// The declaration's id.
    pub definition_id: String,
    /// The moment.
    pub due_at: Timestamp,
    /// Runs that are done.
    pub done: i64,
    /// Runs that failed or were interrupted.
    pub failed: i64,
}

/// How the last moment of each declaration went.
pub async fn last(connection: &mut Connection) -> Result<Vec<Last>> {
    let rows = sqlx::query_as::<Any, (String, i64, i64, i64)>(
        "SELECT r.definition_id, r.due_at, SUM(CASE WHEN r.outcome = 'done' THEN 1 ELSE 0 END), \
         SUM(CASE WHEN r.outcome IN ('failed', 'interrupted') THEN 1 ELSE 0 END) FROM runs r \
         JOIN (SELECT definition_id, MAX(due_at) AS due_at FROM runs GROUP BY definition_id) newest \
         ON newest.definition_id = r.definition_id AND newest.due_at = r.due_at GROUP BY r.definition_id, r.due_at",
    )
    .fetch_all(connection)
    .await?;
    let rows = rows.into_iter();
    let last = rows.map(|(definition_id, due_at, done, failed)| Last {
        definition_id,
        due_at: Timestamp::from_micros(due_at),
        done,
        failed,
    });
    Ok(last.collect())
}

/// Gives up what began before a moment; gives how many.
pub async fn prune(connection: &mut Connection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query::<Any>("DELETE FROM runs WHERE begun_at < $1 AND outcome <> 'running'")
        .bind(before.micros())
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
