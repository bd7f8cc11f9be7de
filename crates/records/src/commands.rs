//! Tables `commands` and `command_steps`: what things were told to do, by whom, who agreed, and what came of it. Which step leads
//! where is the crate `commands`; here a step is written only where the row is still where it was.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A command.
    pub struct Command {
        /// Counts up from 1.
        pub id: i64,
        /// The thing that is told.
        pub entity_id: String,
        /// Its type.
        pub entity_type: String,
        /// The command's name, as the type declares it.
        pub command: String,
        /// What is asked.
        pub value: serde_json::Value,
        /// UN/CEFACT code of its unit.
        pub unit: Option<String>,
        /// Why, in the asker's words.
        pub reason: String,
        /// Who else must agree: `second-person` or `none`.
        pub approval: String,
        /// `asked`, `approved`, `sent`, `done`, `failed`, `refused`, `expired` or `withdrawn`.
        pub state: String,
        /// Who asked.
        pub asked_by: String,
        /// Their user id.
        pub asked_by_id: Option<i64>,
        /// When it was asked.
        pub asked_at: Timestamp,
        /// Until when it can be approved.
        pub expires_at: Timestamp,
        /// When its state changed last.
        pub changed_at: Timestamp,
        /// Who approved or refused it.
        pub decided_by: Option<String>,
        /// Their user id.
        pub decided_by_id: Option<i64>,
        /// Why it failed, as a JSON list.
        pub why: Option<serde_json::Value>,
        /// What the device answered.
        pub answer: Option<serde_json::Value>,
    }
}

table_row! {
    /// A step of a command.
    pub struct CommandStep {
        /// Counts up from 1.
        pub id: i64,
        /// The command.
        pub command_id: i64,
        /// When.
        pub at: Timestamp,
        /// `ask`, `approve`, `refuse`, `withdraw`, `expire`, `send`, `answer` or `fail`.
        pub step: String,
        /// The state behind it.
        pub state: String,
        /// Who did it.
        pub by_name: String,
        /// Their user id; `None` for the platform itself.
        pub by_id: Option<i64>,
        /// In their words.
        pub note: String,
        /// What interlocks said, what the device answered, or why not.
        pub detail: Option<serde_json::Value>,
    }
}

/// A command that is asked for.
#[derive(Clone, Debug)]
pub struct NewCommand<'a> {
    /// See [`Command::entity_id`].
    pub entity_id: &'a str,
    /// See [`Command::entity_type`].
    pub entity_type: &'a str,
    /// See [`Command::command`].
    pub command: &'a str,
    /// See [`Command::value`].
    pub value: &'a serde_json::Value,
    /// See [`Command::unit`].
    pub unit: Option<&'a str>,
    /// See [`Command::reason`].
    pub reason: &'a str,
    /// See [`Command::approval`].
    pub approval: &'a str,
    /// The state that it begins in.
    pub state: &'a str,
    /// See [`Command::expires_at`].
    pub expires_at: Timestamp,
}

/// A step that is taken.
#[derive(Clone, Debug)]
pub struct NewStep<'a> {
    /// The state in which the command must be.
    pub from: &'a str,
    /// See [`CommandStep::step`].
    pub step: &'a str,
    /// See [`CommandStep::state`].
    pub to: &'a str,
    /// See [`CommandStep::note`].
    pub note: &'a str,
    /// Whether the actor is who approves or refuses.
    pub decides: bool,
    /// See [`Command::why`].
    pub why: Option<&'a serde_json::Value>,
    /// See [`Command::answer`].
    pub answer: Option<&'a serde_json::Value>,
    /// See [`CommandStep::detail`].
    pub detail: Option<&'a serde_json::Value>,
}

const COLUMNS: &str = "id, entity_id, entity_type, command, value, unit, reason, approval, state, asked_by, asked_by_id, asked_at, \
    expires_at, changed_at, decided_by, decided_by_id, why, answer";

/// Writes down a command that is asked for, with its first step; its number. `None` while another one to the same thing is under way.
pub async fn ask(
    connection: &mut Connection,
    new: &NewCommand<'_>,
    actor: &Actor,
    detail: Option<&serde_json::Value>,
    now: Timestamp,
) -> Result<Option<i64>> {
    let open = sqlx::query_scalar::<Any, i64>(
        "SELECT id FROM commands WHERE entity_id = $1 AND state IN ('asked', 'approved', 'sent')",
    )
    .bind(new.entity_id)
    .fetch_optional(&mut *connection)
    .await?;
    if open.is_some() {
        return Ok(None);
    }
    let id = sqlx::query_scalar::<Any, i64>(
        "INSERT INTO commands (entity_id, entity_type, command, value, unit, reason, approval, state, asked_by, asked_by_id, asked_at, \
         expires_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $11) RETURNING id",
    )
    .bind(new.entity_id)
    .bind(new.entity_type)
    .bind(new.command)
    .bind(new.value.to_string())
    .bind(new.unit)
    .bind(new.reason)
    .bind(new.approval)
    .bind(new.state)
    .bind(actor.name.as_str())
    .bind(actor.user_id())
    .bind(now.micros())
    .bind(new.expires_at.micros())
    .fetch_one(&mut *connection)
    .await?;
    write_step(
        connection, id, "ask", new.state, new.reason, actor, detail, now,
    )
    .await?;
    Ok(Some(id))
}

/// Takes a step; `false` when the command is no longer where the step begins.
pub async fn step(
    connection: &mut Connection,
    id: i64,
    step: &NewStep<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let (name, user) = match step.decides {
        true => (Some(actor.name.as_str()), actor.user_id()),
        false => (None, None),
    };
    let done = sqlx::query::<Any>(
        "UPDATE commands SET state = $1, changed_at = $2, decided_by = COALESCE($3, decided_by), \
         decided_by_id = COALESCE($4, decided_by_id), why = COALESCE($5, why), answer = COALESCE($6, answer) WHERE id = $7 AND state = $8",
    )
    .bind(step.to)
    .bind(now.micros())
    .bind(name)
    .bind(user)
    .bind(step.why.map(ToString::to_string))
    .bind(step.answer.map(ToString::to_string))
    .bind(id)
    .bind(step.from)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    write_step(
        connection,
        id,
        step.step,
        step.to,
        step.note,
        actor,
        step.detail,
        now,
    )
    .await?;
    Ok(true)
}

#[allow(clippy::too_many_arguments, reason = "the columns of one row")]
async fn write_step(
    connection: &mut Connection,
    id: i64,
    step: &str,
    state: &str,
    note: &str,
    actor: &Actor,
    detail: Option<&serde_json::Value>,
    now: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO command_steps (command_id, at, step, state, by_name, by_id, note, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id)
    .bind(now.micros())
    .bind(step)
    .bind(state)
    .bind(actor.name.as_str())
    .bind(actor.user_id())
    .bind(note)
    .bind(detail.map(ToString::to_string))
    .execute(connection)
    .await?;
    Ok(())
}

/// Which commands.
#[derive(Clone, Debug, Default)]
pub struct Filter<'a> {
    /// To a thing.
    pub entity_id: Option<&'a str>,
    /// In a state.
    pub state: Option<&'a str>,
}

/// Commands, newest first.
pub async fn list(
    connection: &mut Connection,
    filter: &Filter<'_>,
    page: &PageRequest,
) -> Result<Page<Command>> {
    let rows = sqlx::query_as::<Any, Command>(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM commands WHERE ($1 IS NULL OR entity_id = $1) AND ($2 IS NULL OR state = $2) AND id < $3 \
         ORDER BY id DESC LIMIT $4"
    )))
    .bind(filter.entity_id)
    .bind(filter.state)
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |command| command.id.to_string()))
}

/// A command.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<Command>> {
    Ok(sqlx::query_as::<Any, Command>(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM commands WHERE id = $1"
    )))
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// The steps of a command, oldest first.
pub async fn steps(connection: &mut Connection, id: i64) -> Result<Vec<CommandStep>> {
    Ok(sqlx::query_as::<Any, CommandStep>(
        "SELECT id, command_id, at, step, state, by_name, by_id, note, detail FROM command_steps WHERE command_id = $1 ORDER BY id",
    )
    .bind(id)
    .fetch_all(connection)
    .await?)
}

/// The commands whose time to be approved has run out.
pub async fn overdue(connection: &mut Connection, now: Timestamp) -> Result<Vec<Command>> {
    Ok(sqlx::query_as::<Any, Command>(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM commands WHERE state = 'asked' AND expires_at <= $1 ORDER BY id"
    )))
    .bind(now.micros())
    .fetch_all(connection)
    .await?)
}

/// The commands that were agreed to and have not ended.
pub async fn on_the_way(connection: &mut Connection) -> Result<Vec<Command>> {
    Ok(sqlx::query_as::<Any, Command>(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM commands WHERE state IN ('approved', 'sent') ORDER BY id"
    )))
    .fetch_all(connection)
    .await?)
}
