//! Tables `cases`, `case_events` and `case_numbers`: the work that people do, and every step of it.

use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

pub use crate::case_lists::{
    CaseFilter, Column, Mine, Of, Order, Place, Seen, children, column, columns_with_text,
    due_for_escalation, due_for_resumption, list, near, newest_open, of_period, open_states,
};

/// The source of a case of a drill (演练): it reaches nobody outside the pages and counts in no figure.
pub const DRILL: &str = "drill";

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
        /// What kind it is: a code of the city's catalogue (部件和事件分类代码, GB/T 30428.2).
        pub category: Option<String>,
        /// The code of the town in which it lies.
        pub town: Option<String>,
        /// The code of the unit grid in which it lies (单元网格, GB/T 30428.1).
        pub grid: Option<String>,
        /// Who found it: `staff`, `citizen` or `sensor`; [`DRILL`]: nobody, it is a drill.
        pub source: String,
        /// A reference to the reporter that says nothing by itself, such as the number of a hotline's call.
        pub reporter: Option<String>,
        /// How many reported it: its own and those of its duplicates.
        pub reporters: i64,
        /// The case that this is a part of (子案件).
        pub parent_id: Option<i64>,
        /// The case that this one repeats.
        pub duplicate_of: Option<i64>,
        /// When the whole case should be closed.
        pub case_due_at: Option<Timestamp>,
        /// The extension that was asked for and is not decided, in minutes of working time.
        pub extension_minutes: Option<i64>,
        /// How many extensions were granted.
        pub extensions: i64,
        /// Until when the supervision that is open must be answered.
        pub supervised_until: Option<Timestamp>,
        /// Since when its clocks stand.
        pub suspended_at: Option<Timestamp>,
        /// Until when they stand.
        pub suspended_until: Option<Timestamp>,
        /// The level of escalation reached in the present state; 0: none.
        pub escalation: i64,
        /// When the next level is reached.
        pub escalates_at: Option<Timestamp>,
        /// How often it was reopened.
        pub reopened: i64,
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
        /// When the state after should be done.
        pub due_at: Option<Timestamp>,
        /// When the whole case should be closed, after this step; `None` while its clocks stand.
        pub case_due_at: Option<Timestamp>,
        /// What the step holds beside words: minutes, a deadline, a level, the number of another case.
        pub detail: Option<serde_json::Value>,
        /// The client's own name of the request, by which it is done once.
        pub request_id: Option<String>,
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

/// Adds a case; its `id` is ignored. Its words can be searched for from then on.
pub async fn insert(connection: &mut Connection, new: &Case) -> Result<Case> {
    let case = sqlx::query_as::<Any, Case>(
        "INSERT INTO cases (number, title, description, workflow, state, severity, alert_id, entity_id, lon, lat, \
         organisation_id, assignee_id, created_at, created_by, created_by_id, updated_at, due_at, \
         closed_at, version, workflow_version, category, town, source, reporter, reporters, parent_id, \
         duplicate_of, case_due_at, extension_minutes, extensions, supervised_until, suspended_at, \
         suspended_until, escalation, escalates_at, reopened, grid) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
         $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37) RETURNING *",
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
    .bind(&new.category)
    .bind(&new.town)
    .bind(&new.source)
    .bind(&new.reporter)
    .bind(new.reporters)
    .bind(new.parent_id)
    .bind(new.duplicate_of)
    .bind(new.case_due_at.map(Timestamp::micros))
    .bind(new.extension_minutes)
    .bind(new.extensions)
    .bind(new.supervised_until.map(Timestamp::micros))
    .bind(new.suspended_at.map(Timestamp::micros))
    .bind(new.suspended_until.map(Timestamp::micros))
    .bind(new.escalation)
    .bind(new.escalates_at.map(Timestamp::micros))
    .bind(new.reopened)
    .bind(&new.grid)
    .fetch_one(&mut *connection)
    .await?;
    crate::case_text::insert(connection, &case).await?;
    Ok(case)
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

/// The case of that number.
pub async fn by_number(connection: &mut Connection, number: &str) -> Result<Option<Case>> {
    Ok(
        sqlx::query_as::<Any, Case>("SELECT * FROM cases WHERE number = $1")
            .bind(number)
            .fetch_optional(connection)
            .await?,
    )
}

/// Writes a case's state, people, times; counts its version up. `None` when the stored version is no
/// longer `case.version`: somebody else was faster.
pub async fn update(connection: &mut Connection, case: &Case) -> Result<Option<Case>> {
    Ok(sqlx::query_as::<Any, Case>(
        "UPDATE cases SET state = $1, organisation_id = $2, assignee_id = $3, updated_at = $4, due_at = $5, \
         closed_at = $6, reporters = $7, duplicate_of = $8, case_due_at = $9, extension_minutes = $10, \
         extensions = $11, supervised_until = $12, suspended_at = $13, suspended_until = $14, \
         escalation = $15, escalates_at = $16, reopened = $17, \
         version = version + 1 WHERE id = $18 AND version = $19 RETURNING *",
    )
    .bind(&case.state)
    .bind(&case.organisation_id)
    .bind(case.assignee_id)
    .bind(case.updated_at.micros())
    .bind(case.due_at.map(Timestamp::micros))
    .bind(case.closed_at.map(Timestamp::micros))
    .bind(case.reporters)
    .bind(case.duplicate_of)
    .bind(case.case_due_at.map(Timestamp::micros))
    .bind(case.extension_minutes)
    .bind(case.extensions)
    .bind(case.supervised_until.map(Timestamp::micros))
    .bind(case.suspended_at.map(Timestamp::micros))
    .bind(case.suspended_until.map(Timestamp::micros))
    .bind(case.escalation)
    .bind(case.escalates_at.map(Timestamp::micros))
    .bind(case.reopened)
    .bind(case.id)
    .bind(case.version)
    .fetch_optional(connection)
    .await?)
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

/// Counts the open cases, those of drills left out; one past its due time at `now` is overdue.
pub async fn count_open(connection: &mut Connection, now: Timestamp) -> Result<Vec<OpenCases>> {
    Ok(sqlx::query_as::<Any, OpenCases>(
        "SELECT c.state AS state, c.organisation_id AS organisation_id, a.rule_id AS rule_id, COUNT(*) AS count, \
         SUM(CASE WHEN c.due_at < $1 THEN 1 ELSE 0 END) AS overdue \
         FROM cases c LEFT JOIN alerts a ON a.id = c.alert_id \
         WHERE c.closed_at IS NULL AND c.source <> 'drill' GROUP BY c.state, c.organisation_id, a.rule_id ORDER BY c.state, c.organisation_id, a.rule_id",
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
         organisation_id, assignee_id, late, due_at, case_due_at, detail, request_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING *",
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
    .bind(new.due_at.map(Timestamp::micros))
    .bind(new.case_due_at.map(Timestamp::micros))
    .bind(new.detail.as_ref().map(ToString::to_string))
    .bind(&new.request_id)
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

/// The step that a client's request made.
pub async fn event_of_request(
    connection: &mut Connection,
    request_id: &str,
) -> Result<Option<CaseEvent>> {
    Ok(
        sqlx::query_as::<Any, CaseEvent>("SELECT * FROM case_events WHERE request_id = $1")
            .bind(request_id)
            .fetch_optional(connection)
            .await?,
    )
}

/// The history of several cases whose ids lie between `first` and `last`, both inclusive, oldest first.
pub async fn events_between(
    connection: &mut Connection,
    first: i64,
    last: i64,
) -> Result<Vec<CaseEvent>> {
    Ok(sqlx::query_as::<Any, CaseEvent>(
        "SELECT * FROM case_events WHERE case_id >= $1 AND case_id <= $2 ORDER BY case_id, id",
    )
    .bind(first)
    .bind(last)
    .fetch_all(connection)
    .await?)
}
