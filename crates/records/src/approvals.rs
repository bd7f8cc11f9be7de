//! Table `approvals`: dangerous acts that one person asked for and another decides on (双人审批). Who may ask and decide
//! is `identity`'s; here is what makes each of them be decided once, whoever tries at the same moment.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, Row as _};

table_row! {
    /// An act that was asked for.
    pub struct Approval {
        /// Counts up from 1.
        pub id: i64,
        /// The act's word.
        pub act: String,
        /// To what: `device:…`, `table:…`, `user:3`, …
        pub target: String,
        /// What exactly is to be done, canonical JSON.
        pub body: String,
        /// SM3 over act, target and body, hex: what the second person agrees to.
        pub digest: String,
        /// Why it was asked for; may be empty.
        pub reason: String,
        /// Who asked: the user's id.
        pub asked_by: i64,
        /// The asker's name at the time.
        pub asked_by_name: String,
        /// When.
        pub asked_at: Timestamp,
        /// Until when it can be decided on.
        pub expires_at: Timestamp,
        /// The word of a [`Status`].
        pub status: String,
        /// Who decided; `None` for nobody yet, and for whom withdrew it.
        pub decided_by: Option<i64>,
        /// The decider's name at the time.
        pub decided_by_name: Option<String>,
        /// When it was decided on.
        pub decided_at: Option<Timestamp>,
        /// What the decider said.
        pub note: Option<String>,
        /// When it came to its end.
        pub ended_at: Option<Timestamp>,
        /// What became of it.
        pub outcome: Option<String>,
    }
}

/// Where an approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waits for a second person.
    Pending,
    /// Approved, and being done.
    Approved,
    /// Done.
    Done,
    /// Approved, but it could not be done.
    Failed,
    /// The second person said no.
    Refused,
    /// Its asker took it back.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Approved,
        Self::Done,
        Self::Failed,
        Self::Refused,
        Self::Withdrawn,
        Self::Expired,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

/// What is given for a new one.
#[derive(Clone, Debug)]
pub struct NewApproval {
    /// See [`Approval::act`].
    pub act: &'static str,
    /// See [`Approval::target`].
    pub target: String,
    /// See [`Approval::body`].
    pub body: String,
    /// See [`Approval::digest`].
    pub digest: String,
    /// See [`Approval::reason`].
    pub reason: String,
    /// See [`Approval::asked_by`].
    pub asked_by: i64,
    /// See [`Approval::asked_by_name`].
    pub asked_by_name: String,
    /// See [`Approval::expires_at`].
    pub expires_at: Timestamp,
}

/// Adds one that waits.
pub async fn insert(
    connection: &mut Connection,
    new: &NewApproval,
    now: Timestamp,
) -> Result<Approval> {
    Ok(sqlx::query_as::<Any, Approval>(
        "INSERT INTO approvals (act, target, body, digest, reason, asked_by, asked_by_name, asked_at, expires_at, status) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending') RETURNING *",
    )
    .bind(new.act)
    .bind(&new.target)
    .bind(&new.body)
    .bind(&new.digest)
    .bind(&new.reason)
    .bind(new.asked_by)
    .bind(&new.asked_by_name)
    .bind(now.micros())
    .bind(new.expires_at.micros())
    .fetch_one(connection)
    .await?)
}

/// One by its number.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<Approval>> {
    Ok(
        sqlx::query_as::<Any, Approval>("SELECT * FROM approvals WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// The one that the same person asked for already and that still waits.
pub async fn pending_same(
    connection: &mut Connection,
    asked_by: i64,
    digest: &str,
    now: Timestamp,
) -> Result<Option<Approval>> {
    Ok(sqlx::query_as::<Any, Approval>(
        "SELECT * FROM approvals WHERE asked_by = $1 AND digest = $2 AND status = 'pending' AND expires_at > $3 LIMIT 1",
    )
    .bind(asked_by)
    .bind(digest)
    .bind(now.micros())
    .fetch_optional(connection)
    .await?)
}

/// How many of a person's wait.
pub async fn pending_of(connection: &mut Connection, asked_by: i64, now: Timestamp) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM approvals WHERE asked_by = $1 AND status = 'pending' AND expires_at > $2",
    )
    .bind(asked_by)
    .bind(now.micros())
    .fetch_one(connection)
    .await?)
}

/// Which approvals; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Asked for by this person.
    pub asked_by: Option<i64>,
    /// Not asked for by this person.
    pub not_asked_by: Option<i64>,
    /// Of these acts.
    pub acts: Option<Vec<&'static str>>,
    /// That stand so; one that nobody decided on in time is expired, whether that was written down yet or not.
    pub status: Option<Status>,
}

/// The acts as one text in which LIKE finds each; none of their letters is a sign of LIKE.
fn joined(acts: &Option<Vec<&'static str>>) -> Option<String> {
    acts.as_ref().map(|acts| format!(",{},", acts.join(",")))
}

const NARROWED: &str = "($1 IS NULL OR asked_by = $1) AND ($2 IS NULL OR asked_by <> $2) \
     AND ($3 IS NULL OR $3 LIKE '%,' || act || ',%') \
     AND ($4 IS NULL OR (CASE WHEN status = 'pending' AND expires_at <= $5 THEN 'expired' ELSE status END) = $4)";

/// Approvals, newest first.
///
/// # Errors
/// The store's own; [`crate::Failure::Invalid`] for a cursor that is none.
pub async fn list(
    connection: &mut Connection,
    filter: &Filter,
    page: &PageRequest,
    now: Timestamp,
) -> Result<Page<Approval>> {
    let query =
        format!("SELECT * FROM approvals WHERE {NARROWED} AND id < $6 ORDER BY id DESC LIMIT $7");
    let rows = sqlx::query_as::<Any, Approval>(sqlx::AssertSqlSafe(query))
        .bind(filter.asked_by)
        .bind(filter.not_asked_by)
        .bind(joined(&filter.acts))
        .bind(filter.status.map(Status::as_str))
        .bind(now.micros())
        .bind(page.after_number()?.unwrap_or(i64::MAX))
        .bind(page.fetch())
        .fetch_all(connection)
        .await?;
    Ok(Page::cut(rows, page, |a| a.id.to_string()))
}

/// How many there are.
pub async fn count(connection: &mut Connection, filter: &Filter, now: Timestamp) -> Result<i64> {
    let query = format!("SELECT COUNT(*) FROM approvals WHERE {NARROWED}");
    Ok(sqlx::query_scalar::<Any, i64>(sqlx::AssertSqlSafe(query))
        .bind(filter.asked_by)
        .bind(filter.not_asked_by)
        .bind(joined(&filter.acts))
        .bind(filter.status.map(Status::as_str))
        .bind(now.micros())
        .fetch_one(connection)
        .await?)
}

/// Who decides, and what they say.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The user's id.
    pub by: i64,
    /// The name.
    pub name: &'a str,
    /// What they say; may be empty.
    pub note: &'a str,
}

/// Moves one that waits, and is not too late, on; `None` when it does not wait any more. Of several that try at once,
/// one finds it waiting.
pub async fn decide(
    connection: &mut Connection,
    id: i64,
    to: Status,
    decision: Option<&Decision<'_>>,
    now: Timestamp,
) -> Result<Option<Approval>> {
    // Done or failed comes later; the others end it.
    let ended_at = (to != Status::Approved).then_some(now.micros());
    Ok(sqlx::query_as::<Any, Approval>(
        "UPDATE approvals SET status = $1, decided_by = $2, decided_by_name = $3, decided_at = $4, note = $5, ended_at = $6 \
         WHERE id = $7 AND status = 'pending' AND expires_at > $4 RETURNING *",
    )
    .bind(to.as_str())
    .bind(decision.map(|d| d.by))
    .bind(decision.map(|d| d.name))
    .bind(now.micros())
    .bind(decision.map(|d| d.note))
    .bind(ended_at)
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// Ends one that was approved; `None` when it is not being done.
pub async fn end(
    connection: &mut Connection,
    id: i64,
    to: Status,
    outcome: &str,
    for_asker: Option<&str>,
    now: Timestamp,
) -> Result<Option<Approval>> {
    Ok(sqlx::query_as::<Any, Approval>(
        "UPDATE approvals SET status = $1, outcome = $2, for_asker = $3, ended_at = $4 \
         WHERE id = $5 AND status = 'approved' RETURNING *",
    )
    .bind(to.as_str())
    .bind(outcome)
    .bind(for_asker)
    .bind(now.micros())
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// Writes down that nobody decided in time; answers those that it was written of.
pub async fn expire(connection: &mut Connection, now: Timestamp) -> Result<Vec<Approval>> {
    Ok(sqlx::query_as::<Any, Approval>(
        "UPDATE approvals SET status = 'expired', ended_at = $1 WHERE status = 'pending' AND expires_at <= $1 RETURNING *",
    )
    .bind(now.micros())
    .fetch_all(connection)
    .await?)
}

/// Those that were being done when the platform ended.
pub async fn interrupted(connection: &mut Connection) -> Result<Vec<Approval>> {
    Ok(sqlx::query_as::<Any, Approval>(
        "SELECT * FROM approvals WHERE status = 'approved' ORDER BY id",
    )
    .fetch_all(connection)
    .await?)
}

/// What only the asker may have of the outcome, given once: it is not kept after this.
pub async fn take_for_asker(
    connection: &mut Connection,
    id: i64,
    asker: i64,
) -> Result<Option<String>> {
    let row = sqlx::query::<Any>(
        "SELECT for_asker FROM approvals WHERE id = $1 AND asked_by = $2 AND for_asker IS NOT NULL",
    )
    .bind(id)
    .bind(asker)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let kept: String = row.try_get(0)?;
    sqlx::query::<Any>("UPDATE approvals SET for_asker = NULL WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(Some(kept))
}

/// Whether the asker can still fetch a part of the outcome.
pub async fn has_for_asker(connection: &mut Connection, id: i64) -> Result<bool> {
    let found = sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM approvals WHERE id = $1 AND for_asker IS NOT NULL",
    )
    .bind(id)
    .fetch_one(connection)
    .await?;
    Ok(found == 1)
}
