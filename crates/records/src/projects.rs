//! Tables `projects`, `project_milestones`, `project_money`, `project_reports` and `project_reminders`: key projects (重点项目), what is
//! stated of them month by month, and reminders about them. What is right and how a project stands is the crate `projects`.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};

table_row! {
    /// A key project.
    pub struct Project {
        /// Its id; of one of the plan, the plan's.
        pub id: String,
        /// The number of the plan's box; `None` for one that was added.
        pub plan_box: Option<i64>,
        /// Name in Chinese.
        pub name_zh: String,
        /// Name in English.
        pub name_en: String,
        /// The system of the plan that it builds; empty when none is named.
        pub system: String,
        /// Why it was added; empty for one of the plan.
        pub reason: String,
        /// All that people keep of it, as JSON.
        pub kept: serde_json::Value,
        /// Counts its changes up from 0.
        pub version: i64,
        /// Since when it is kept.
        pub created_at: Timestamp,
        /// When it was changed last.
        pub changed_at: Timestamp,
        /// By whom.
        pub changed_by: String,
        /// When it was ended.
        pub ended_at: Option<Timestamp>,
        /// Why.
        pub ended_why: Option<String>,
    }
}

table_row! {
    /// What was stated of a project for a month.
    pub struct ProjectReport {
        /// Counts up from 1.
        pub id: i64,
        /// The project.
        pub project_id: String,
        /// The month, `2026-03`.
        pub month: String,
        /// The organisation that answered for the project then.
        pub organisation_id: String,
        /// Progress.
        pub progress: String,
        /// Problems; empty for none.
        pub problems: String,
        /// When.
        pub at: Timestamp,
        /// Who stated it.
        pub by_name: String,
        /// Their user id.
        pub by_id: Option<i64>,
    }
}

table_row! {
    /// A reminder, with the case that it is.
    pub struct Reminder {
        /// Counts up from 1.
        pub id: i64,
        /// The project.
        pub project_id: String,
        /// What it is about: `milestone:…`, `task:…`, `report:2026-03` or `other`.
        pub about: String,
        /// Who was reminded.
        pub organisation_id: String,
        /// The case.
        pub case_id: i64,
        /// When.
        pub at: Timestamp,
        /// Who sent it.
        pub by_name: String,
        /// The case's number.
        pub number: String,
        /// Where the case stands.
        pub state: String,
        /// By when the case is due in that state.
        pub due_at: Option<Timestamp>,
        /// When the case ended.
        pub closed_at: Option<Timestamp>,
    }
}

/// A project to write down for the first time.
#[derive(Clone, Debug)]
pub struct NewProject<'a> {
    /// See [`Project::id`].
    pub id: &'a str,
    /// See [`Project::plan_box`].
    pub plan_box: Option<i64>,
    /// See [`Project::name_zh`].
    pub name_zh: &'a str,
    /// See [`Project::name_en`].
    pub name_en: &'a str,
    /// See [`Project::system`].
    pub system: &'a str,
    /// See [`Project::reason`].
    pub reason: &'a str,
    /// See [`Project::kept`].
    pub kept: &'a serde_json::Value,
    /// The word of its stage.
    pub stage: &'a str,
}

/// A milestone as its table has it.
#[derive(Clone, Debug, Default)]
pub struct MilestoneRow {
    /// What is reached.
    pub name: String,
    /// The planned day.
    pub planned: String,
    /// The day as things look now.
    pub forecast: Option<String>,
    /// The day on which it was reached.
    pub done: Option<String>,
    /// What shows it.
    pub evidence: String,
}

/// Money as its table has it.
#[derive(Clone, Debug, Default)]
pub struct MoneyRow {
    /// Where it comes from.
    pub source: &'static str,
    /// The year.
    pub year: i64,
    /// Planned, arranged and paid, fen.
    pub fen: [i64; 3],
}

/// What a change of a project writes.
#[derive(Clone, Debug)]
pub struct Changed<'a> {
    /// All that is kept now, as JSON.
    pub kept: &'a serde_json::Value,
    /// The responsible organisation.
    pub organisation_id: Option<&'a str>,
    /// The word of its stage.
    pub stage: &'a str,
    /// The planned days.
    pub planned: [Option<String>; 2],
    /// The whole cost, fen.
    pub total_fen: Option<i64>,
    /// All milestones.
    pub milestones: Vec<MilestoneRow>,
    /// All money.
    pub money: Vec<MoneyRow>,
}

const COLUMNS: &str = "id, plan_box, name_zh, name_en, system, reason, kept, version, created_at, changed_at, changed_by, ended_at, ended_why";

/// Every project: those of the plan by box first, each group by its id.
pub async fn all(connection: &mut Connection) -> Result<Vec<Project>> {
    let sql = format!("SELECT {COLUMNS} FROM projects ORDER BY COALESCE(plan_box, 1000), id");
    Ok(sqlx::query_as::<Any, Project>(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await?)
}

/// The project of that id.
pub async fn get(connection: &mut Connection, id: &str) -> Result<Option<Project>> {
    let sql = format!("SELECT {COLUMNS} FROM projects WHERE id = $1");
    Ok(sqlx::query_as::<Any, Project>(AssertSqlSafe(sql))
        .bind(id)
        .fetch_optional(connection)
        .await?)
}

/// Writes a project down; whether it was not there yet.
pub async fn insert(
    connection: &mut Connection,
    new: &NewProject<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "INSERT INTO projects (id, plan_box, name_zh, name_en, system, reason, stage, kept, version, created_at, changed_at, changed_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $9, $10) ON CONFLICT (id) DO NOTHING",
    )
    .bind(new.id)
    .bind(new.plan_box)
    .bind(new.name_zh)
    .bind(new.name_en)
    .bind(new.system)
    .bind(new.reason)
    .bind(new.stage)
    .bind(new.kept.to_string())
    .bind(now.micros())
    .bind(&actor.name)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Brings the names of a project of the plan up to date.
pub async fn rename(connection: &mut Connection, new: &NewProject<'_>) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE projects SET plan_box = $1, name_zh = $2, name_en = $3, system = $4 WHERE id = $5",
    )
    .bind(new.plan_box)
    .bind(new.name_zh)
    .bind(new.name_en)
    .bind(new.system)
    .bind(new.id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes a change, with the tables beside it; whether the project still had the version that was changed.
pub async fn change(
    connection: &mut Connection,
    id: &str,
    version: i64,
    changed: &Changed<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE projects SET kept = $1, organisation_id = $2, stage = $3, planned_start = $4, planned_end = $5, total_fen = $6, \
         version = version + 1, changed_at = $7, changed_by = $8 WHERE id = $9 AND version = $10",
    )
    .bind(changed.kept.to_string())
    .bind(changed.organisation_id)
    .bind(changed.stage)
    .bind(changed.planned[0].as_deref())
    .bind(changed.planned[1].as_deref())
    .bind(changed.total_fen)
    .bind(now.micros())
    .bind(&actor.name)
    .bind(id)
    .bind(version)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    for table in ["project_milestones", "project_money"] {
        let sql = format!("DELETE FROM {table} WHERE project_id = $1");
        sqlx::query::<Any>(AssertSqlSafe(sql))
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    for row in &changed.milestones {
        sqlx::query::<Any>(
            "INSERT INTO project_milestones (project_id, name, planned, forecast, done, evidence) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(&row.name)
        .bind(&row.planned)
        .bind(row.forecast.as_deref())
        .bind(row.done.as_deref())
        .bind(&row.evidence)
        .execute(&mut *connection)
        .await?;
    }
    for row in &changed.money {
        sqlx::query::<Any>(
            "INSERT INTO project_money (project_id, source, year, planned_fen, arranged_fen, paid_fen) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(row.source)
        .bind(row.year)
        .bind(row.fen[0])
        .bind(row.fen[1])
        .bind(row.fen[2])
        .execute(&mut *connection)
        .await?;
    }
    Ok(true)
}

/// Ends a project; whether it had not ended before.
pub async fn end(
    connection: &mut Connection,
    id: &str,
    why: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE projects SET ended_at = $1, ended_why = $2, changed_at = $1, changed_by = $3, version = version + 1 \
         WHERE id = $4 AND ended_at IS NULL",
    )
    .bind(now.micros())
    .bind(why)
    .bind(&actor.name)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps what is stated for a month; `false` when something was stated for it before.
pub async fn report(
    connection: &mut Connection,
    new: &ProjectReport,
    actor: &Actor,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "INSERT INTO project_reports (project_id, month, organisation_id, progress, problems, at, by_name, by_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (project_id, month) DO NOTHING",
    )
    .bind(&new.project_id)
    .bind(&new.month)
    .bind(&new.organisation_id)
    .bind(&new.progress)
    .bind(&new.problems)
    .bind(new.at.micros())
    .bind(&actor.name)
    .bind(actor.user_id())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What was stated, newest month first: of one project, or of all; for one month, or for all.
pub async fn reports(
    connection: &mut Connection,
    project_id: Option<&str>,
    month: Option<&str>,
) -> Result<Vec<ProjectReport>> {
    Ok(sqlx::query_as::<Any, ProjectReport>(
        "SELECT * FROM project_reports WHERE ($1 IS NULL OR project_id = $1) AND ($2 IS NULL OR month = $2) \
         ORDER BY month DESC, project_id",
    )
    .bind(project_id)
    .bind(month)
    .fetch_all(connection)
    .await?)
}

/// Notes that a reminder was sent as a case.
pub async fn remind(
    connection: &mut Connection,
    (project_id, about, organisation_id): (&str, &str, &str),
    case_id: i64,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO project_reminders (project_id, about, organisation_id, case_id, at, by_name) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(project_id)
    .bind(about)
    .bind(organisation_id)
    .bind(case_id)
    .bind(now.micros())
    .bind(&actor.name)
    .execute(connection)
    .await?;
    Ok(())
}

/// What reminders of a project are about has another word by now.
pub async fn reminders_about(
    connection: &mut Connection,
    project_id: &str,
    [old, new]: [&str; 2],
) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE project_reminders SET about = $1 WHERE project_id = $2 AND about = $3",
    )
    .bind(new)
    .bind(project_id)
    .bind(old)
    .execute(connection)
    .await?;
    Ok(())
}

/// Reminders with where their cases stand, newest first: of one project, or of all.
pub async fn reminders(
    connection: &mut Connection,
    project_id: Option<&str>,
) -> Result<Vec<Reminder>> {
    Ok(sqlx::query_as::<Any, Reminder>(
        "SELECT r.id, r.project_id, r.about, r.organisation_id, r.case_id, r.at, r.by_name, c.number, c.state, c.due_at, c.closed_at \
         FROM project_reminders r JOIN cases c ON c.id = r.case_id WHERE ($1 IS NULL OR r.project_id = $1) ORDER BY r.id DESC",
    )
    .bind(project_id)
    .fetch_all(connection)
    .await?)
}
