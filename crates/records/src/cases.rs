//! Tables `cases`, `case_events` and `case_numbers`: the work that people do, and every step of it.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A case (案件).
    pub struct Case {
        /// Counts up from 1.
        pub id: i64,
        /// The number people say, e.g. `TM-20261123-0001`.
        pub number: String,
        /// One line.
        pub title: String,
        /// More; may be empty.
        pub description: String,
        /// The workflow it follows.
        pub workflow: String,
        /// The version of that workflow's definition that it follows, from 1; 0 for a case from before
        /// definitions were kept, which follows the present one.
        pub workflow_version: i64,
        /// Where it stands.
        pub state: String,
        /// `info`, `minor`, `major` or `critical`.
        pub severity: String,
        /// The alert it came from.
        pub alert_id: Option<i64>,
        /// The entity it is about.
        pub entity_id: Option<String>,
        /// Longitude, degrees.
        pub lon: Option<f64>,
        /// Latitude, degrees.
        pub lat: Option<f64>,
        /// The department it was dispatched to.
        pub organisation_id: Option<String>,
        /// The person who handles it.
        pub assignee_id: Option<i64>,
        /// When it was opened.
        pub created_at: Timestamp,
        /// Who opened it.
        pub created_by: String,
        /// The user's id.
        pub created_by_id: Option<i64>,
        /// When it last changed.
        pub updated_at: Timestamp,
        /// When the present step should be done.
        pub due_at: Option<Timestamp>,
        /// When it ended.
        pub closed_at: Option<Timestamp>,
        /// Counts its changes: a change is made only on the version that was read.
        pub version: i64,
    }
}

table_row! {
    /// One step of a case's history.
    pub struct CaseEvent {
        /// Counts up from 1.
        pub id: i64,
        /// The case.
        pub case_id: i64,
        /// When.
        pub at: Timestamp,
        /// Who, by name.
        pub actor: String,
        /// The user's id.
        pub actor_id: Option<i64>,
        /// What was done.
        pub action: String,
        /// The state before; `None` when it was opened.
        pub from_state: Option<String>,
        /// The state after.
        pub to_state: String,
        /// What the person wrote.
        pub note: Option<String>,
        /// The department it was dispatched to with this step.
        pub organisation_id: Option<String>,
        /// The person it was given to with this step.
        pub assignee_id: Option<i64>,
        /// Whether the state that this step left was past its due time.
        pub late: bool,
    }
}

/// Gives the next case number of a day, from 1.
pub async fn next_number(connection: &mut Connection, day: &str) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "INSERT INTO case_numbers (day, last) VALUES ($1, 1) \
         ON CONFLICT (day) DO UPDATE SET last = case_numbers.last + 1 RETURNING last",
    )
    .bind(day)
    .fetch_one(connection)
    .await?)
}

/// Adds a case; its `id` is ignored.
pub async fn insert(connection: &mut Connection, new: &Case) -> Result<Case> {
    Ok(sqlx::query_as::<Any, Case>(
        "INSERT INTO cases (number, title, description, workflow, state, severity, alert_id, entity_id, \
         lon, lat, organisation_id, assignee_id, created_at, created_by, created_by_id, updated_at, due_at, \
         closed_at, version, workflow_version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
         $13, $14, $15, $16, $17, $18, $19, $20) RETURNING *",
    )
    .bind(&new.number)
    .bind(&new.title)
    .bind(&new.description)
    .bind(&new.workflow)
    .bind(&new.state)
    .bind(&new.severity)
    .bind(new.alert_id)
    .bind(&new.entity_id)
    .bind(new.lon)
    .bind(new.lat)
    .bind(&new.organisation_id)
    .bind(new.assignee_id)
    .bind(new.created_at.micros())
    .bind(&new.created_by)
    .bind(new.created_by_id)
    .bind(new.updated_at.micros())
    .bind(new.due_at.map(Timestamp::micros))
    .bind(new.closed_at.map(Timestamp::micros))
    .bind(new.version)
    .bind(new.workflow_version)
    .fetch_one(connection)
    .await?)
}

/// Keeps a workflow's definition for the cases that follow it, unless it is kept already; answers its
/// version, which counts the different definitions of a name from 1.
pub async fn keep_workflow(
    connection: &mut Connection,
    name: &str,
    definition: &str,
) -> Result<i64> {
    let kept: Option<i64> = sqlx::query_scalar::<Any, i64>(
        "SELECT version FROM workflows WHERE name = $1 AND definition = $2",
    )
    .bind(name)
    .bind(definition)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(version) = kept {
        return Ok(version);
    }
    Ok(sqlx::query_scalar::<Any, i64>(
        "INSERT INTO workflows (name, version, definition) \
         SELECT $1, COALESCE(MAX(version), 0) + 1, $2 FROM workflows WHERE name = $1 RETURNING version",
    )
    .bind(name)
    .bind(definition)
    .fetch_one(connection)
    .await?)
}

/// A workflow's definition as it was kept.
pub async fn kept_workflow(
    connection: &mut Connection,
    name: &str,
    version: i64,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar::<Any, String>(
        "SELECT definition FROM workflows WHERE name = $1 AND version = $2",
    )
    .bind(name)
    .bind(version)
    .fetch_optional(connection)
    .await?)
}

/// One case.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<Case>> {
    Ok(
        sqlx::query_as::<Any, Case>("SELECT * FROM cases WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Writes a case's state, people, times; counts its version up. `None` when the stored version is no
/// longer `case.version`: somebody else was faster.
pub async fn update(connection: &mut Connection, case: &Case) -> Result<Option<Case>> {
    Ok(sqlx::query_as::<Any, Case>(
        "UPDATE cases SET state = $1, organisation_id = $2, assignee_id = $3, updated_at = $4, due_at = $5, \
         closed_at = $6, version = version + 1 WHERE id = $7 AND version = $8 RETURNING *",
    )
    .bind(&case.state)
    .bind(&case.organisation_id)
    .bind(case.assignee_id)
    .bind(case.updated_at.micros())
    .bind(case.due_at.map(Timestamp::micros))
    .bind(case.closed_at.map(Timestamp::micros))
    .bind(case.id)
    .bind(case.version)
    .fetch_optional(connection)
    .await?)
}

/// Which cases are wanted.
#[derive(Clone, Debug, Default)]
pub struct CaseFilter {
    /// Only in this state.
    pub state: Option<String>,
    /// Only those not ended (`true`) or only those ended (`false`).
    pub open: Option<bool>,
    /// Only of this department.
    pub organisation_id: Option<String>,
    /// Only the work of this person: given to them, opened by them, or lying with their department
    /// without a person.
    pub mine: Option<Mine>,
}

/// Whose work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mine {
    /// The person.
    pub user_id: i64,
    /// Their department.
    pub organisation_id: Option<String>,
}

/// Cases, newest first.
pub async fn list(
    connection: &mut Connection,
    filter: &CaseFilter,
    page: &PageRequest,
) -> Result<Page<Case>> {
    let mine = filter.mine.as_ref();
    let rows = sqlx::query_as::<Any, Case>(
        "SELECT * FROM cases WHERE ($1 IS NULL OR state = $1) \
         AND ($2 IS NULL OR ($2 = 1 AND closed_at IS NULL) OR ($2 = 0 AND closed_at IS NOT NULL)) \
         AND ($3 IS NULL OR organisation_id = $3) \
         AND ($4 IS NULL OR assignee_id = $4 OR created_by_id = $4 \
              OR (assignee_id IS NULL AND organisation_id = $5)) \
         AND id < $6 ORDER BY id DESC LIMIT $7",
    )
    .bind(&filter.state)
    .bind(filter.open.map(i64::from))
    .bind(&filter.organisation_id)
    .bind(mine.map(|m| m.user_id))
    .bind(mine.and_then(|m| m.organisation_id.as_deref()))
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |c| c.id.to_string()))
}

table_row! {
    /// How many open cases have the same state, department and rule.
    pub struct OpenCases {
        /// The state.
        pub state: String,
        /// The department.
        pub organisation_id: Option<String>,
        /// The rule of the alert that they came from; `None` for those that came from none.
        pub rule_id: Option<String>,
        /// How many.
        pub count: i64,
        /// How many of them are past their due time.
        pub overdue: i64,
    }
}

/// Counts the open cases; one past its due time at `now` is overdue.
pub async fn count_open(connection: &mut Connection, now: Timestamp) -> Result<Vec<OpenCases>> {
    Ok(sqlx::query_as::<Any, OpenCases>(
        "SELECT c.state AS state, c.organisation_id AS organisation_id, a.rule_id AS rule_id, COUNT(*) AS count, \
         SUM(CASE WHEN c.due_at < $1 THEN 1 ELSE 0 END) AS overdue \
         FROM cases c LEFT JOIN alerts a ON a.id = c.alert_id WHERE c.closed_at IS NULL \
         GROUP BY c.state, c.organisation_id, a.rule_id ORDER BY c.state, c.organisation_id, a.rule_id",
    )
    .bind(now.micros())
    .fetch_all(connection)
    .await?)
}

table_row! {
    /// From which rule an open case came.
    pub struct CaseRule {
        /// The case.
        pub case_id: i64,
        /// The rule of its alert.
        pub rule_id: String,
    }
}

/// The rules of the alerts that open cases came from, the newest `limit`.
pub async fn rules_of_open(connection: &mut Connection, limit: u32) -> Result<Vec<CaseRule>> {
    Ok(sqlx::query_as::<Any, CaseRule>(
        "SELECT c.id AS case_id, a.rule_id AS rule_id FROM cases c JOIN alerts a ON a.id = c.alert_id \
         WHERE c.closed_at IS NULL ORDER BY c.id DESC LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// The open cases that a person handles, oldest first.
pub async fn open_of(connection: &mut Connection, user_id: i64) -> Result<Vec<Case>> {
    Ok(sqlx::query_as::<Any, Case>(
        "SELECT * FROM cases WHERE assignee_id = $1 AND closed_at IS NULL ORDER BY id",
    )
    .bind(user_id)
    .fetch_all(connection)
    .await?)
}

/// Adds a step to a case's history; its `id` is ignored.
pub async fn insert_event(connection: &mut Connection, new: &CaseEvent) -> Result<CaseEvent> {
    Ok(sqlx::query_as::<Any, CaseEvent>(
        "INSERT INTO case_events (case_id, at, actor, actor_id, action, from_state, to_state, note, \
         organisation_id, assignee_id, late) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *",
    )
    .bind(new.case_id)
    .bind(new.at.micros())
    .bind(&new.actor)
    .bind(new.actor_id)
    .bind(&new.action)
    .bind(&new.from_state)
    .bind(&new.to_state)
    .bind(&new.note)
    .bind(&new.organisation_id)
    .bind(new.assignee_id)
    .bind(i64::from(new.late))
    .fetch_one(connection)
    .await?)
}

/// A case's history, oldest first, at most `limit` steps.
pub async fn events(
    connection: &mut Connection,
    case_id: i64,
    limit: u32,
) -> Result<Vec<CaseEvent>> {
    Ok(sqlx::query_as::<Any, CaseEvent>(
        "SELECT * FROM case_events WHERE case_id = $1 ORDER BY id LIMIT $2",
    )
    .bind(case_id)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}
