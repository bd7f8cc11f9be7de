//! Tables `duty_hand_overs` (交接班), `duty_activations` and `duty_steps` (预案启动), and `duty_contacts` (通讯录): what is done on duty.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A hand-over (交接班) of one shift.
    pub struct HandOver {
        /// Counts up from 1.
        pub id: i64,
        /// The organisation.
        pub organisation_id: String,
        /// The shift.
        pub pattern_id: i64,
        /// The day on which it began.
        pub day: String,
        /// From when it ran.
        pub from_at: Timestamp,
        /// Until when.
        pub until_at: Timestamp,
        /// What the outgoing officer writes.
        pub notes: String,
        /// What was open when it was written.
        pub attached: serde_json::Value,
        /// Who handed over.
        pub outgoing_id: i64,
        /// Their name.
        pub outgoing: String,
        /// When.
        pub written_at: Timestamp,
        /// Who took over.
        pub incoming_id: Option<i64>,
        /// Their name.
        pub incoming: Option<String>,
        /// When they signed.
        pub signed_at: Option<Timestamp>,
        /// What they remarked.
        pub remark: Option<String>,
    }
}

table_row! {
    /// A shift that ended and that nobody handed over.
    pub struct NotHandedOver {
        /// The organisation.
        pub organisation_id: String,
        /// The shift.
        pub pattern_id: i64,
        /// The day on which it began.
        pub day: String,
        /// From when it ran.
        pub from_at: Timestamp,
        /// Until when.
        pub until_at: Timestamp,
    }
}

table_row! {
    /// A response plan that was started (预案启动).
    pub struct Activation {
        /// Counts up from 1.
        pub id: i64,
        /// The plan.
        pub plan_id: String,
        /// Its version then.
        pub plan_version: i64,
        /// Its whole text then.
        pub plan: serde_json::Value,
        /// Who carries it out.
        pub organisation_id: String,
        /// The alert that it answers.
        pub alert_id: Option<i64>,
        /// The case that was opened for it.
        pub case_id: Option<i64>,
        /// `info`, `minor`, `major` or `critical`.
        pub severity: String,
        /// Whether it is a drill (演练).
        pub drill: bool,
        /// When it was started.
        pub started_at: Timestamp,
        /// By whom.
        pub started_by: String,
        /// The user's id.
        pub started_by_id: Option<i64>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// Who ended it.
        pub ended_by: Option<String>,
        /// What came of it.
        pub summary: Option<String>,
    }
}

table_row! {
    /// A step of an activation that was ticked off.
    pub struct StepDone {
        /// The activation.
        pub activation_id: i64,
        /// The step's id in the plan.
        pub step_id: String,
        /// Whether it was passed over, rather than done.
        pub skipped: bool,
        /// What was written; may be empty.
        pub note: String,
        /// When.
        pub at: Timestamp,
        /// Who.
        pub done_by: String,
        /// The user's id.
        pub done_by_id: Option<i64>,
    }
}

table_row! {
    /// Somebody outside the city's organisations (外部联系人).
    pub struct Contact {
        /// Counts up from 1.
        pub id: i64,
        /// Whose list it stands on.
        pub organisation_id: String,
        /// What it is sealed under.
        pub key: String,
        /// The person's or the office's name.
        pub name: String,
        /// Where they work.
        pub unit: String,
        /// What they do there.
        pub title: String,
        /// The telephone number, sealed.
        pub sealed: String,
        /// The same as lists may show it.
        pub shown: String,
        /// When it was written down.
        pub made_at: Timestamp,
        /// By whom.
        pub made_by: String,
    }
}

/// Adds a hand-over; the row's `id` and what is signed are ignored. `None` when the shift has one.
pub async fn add_hand_over(
    connection: &mut Connection,
    row: &HandOver,
) -> Result<Option<HandOver>> {
    Ok(sqlx::query_as::<Any, HandOver>(
        "INSERT INTO duty_hand_overs (organisation_id, pattern_id, day, from_at, until_at, notes, attached, outgoing_id, \
         outgoing, written_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING *",
    )
    .bind(&row.organisation_id)
    .bind(row.pattern_id)
    .bind(&row.day)
    .bind(row.from_at.micros())
    .bind(row.until_at.micros())
    .bind(&row.notes)
    .bind(row.attached.to_string())
    .bind(row.outgoing_id)
    .bind(&row.outgoing)
    .bind(row.written_at.micros())
    .fetch_optional(connection)
    .await?)
}

/// One hand-over.
pub async fn hand_over(connection: &mut Connection, id: i64) -> Result<Option<HandOver>> {
    Ok(
        sqlx::query_as::<Any, HandOver>("SELECT * FROM duty_hand_overs WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Signs a hand-over that nobody signed; `None` when somebody did.
pub async fn sign_hand_over(
    connection: &mut Connection,
    id: i64,
    (user_id, name): (i64, &str),
    remark: &str,
    now: Timestamp,
) -> Result<Option<HandOver>> {
    Ok(sqlx::query_as::<Any, HandOver>(
        "UPDATE duty_hand_overs SET incoming_id = $1, incoming = $2, remark = $3, signed_at = $4 \
         WHERE id = $5 AND signed_at IS NULL RETURNING *",
    )
    .bind(user_id)
    .bind(name)
    .bind(remark)
    .bind(now.micros())
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// Hand-overs, newest first; of one organisation, and only those that nobody signed, when asked.
pub async fn hand_overs(
    connection: &mut Connection,
    organisation_id: Option<&str>,
    is_unsigned: bool,
    page: &PageRequest,
) -> Result<Page<HandOver>> {
    let rows = sqlx::query_as::<Any, HandOver>(
        "SELECT * FROM duty_hand_overs WHERE ($1 IS NULL OR organisation_id = $1) AND ($2 = 0 OR signed_at IS NULL) \
         AND id < $3 ORDER BY id DESC LIMIT $4",
    )
    .bind(organisation_id)
    .bind(i64::from(is_unsigned))
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |row| row.id.to_string()))
}

/// The hand-overs of the shifts that ended in a period, oldest first.
pub async fn hand_overs_between(
    connection: &mut Connection,
    organisation_id: &str,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<HandOver>> {
    Ok(sqlx::query_as::<Any, HandOver>(
        "SELECT * FROM duty_hand_overs WHERE organisation_id = $1 AND until_at > $2 AND until_at <= $3 ORDER BY until_at, id",
    )
    .bind(organisation_id)
    .bind(from.micros())
    .bind(until.micros())
    .fetch_all(connection)
    .await?)
}

/// The shifts that ended in `(since, now]`, had somebody on duty, and were not handed over; newest first.
pub async fn not_handed_over(
    connection: &mut Connection,
    organisation_id: Option<&str>,
    since: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<NotHandedOver>> {
    Ok(sqlx::query_as::<Any, NotHandedOver>(
        "SELECT DISTINCT t.organisation_id, t.pattern_id, t.day, t.from_at, t.until_at FROM duty_turns t \
         WHERE ($1 IS NULL OR t.organisation_id = $1) AND t.until_at > $2 AND t.until_at <= $3 AND NOT EXISTS \
         (SELECT 1 FROM duty_hand_overs h WHERE h.pattern_id = t.pattern_id AND h.day = t.day) \
         ORDER BY t.until_at DESC LIMIT $4",
    )
    .bind(organisation_id)
    .bind(since.micros())
    .bind(now.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// Adds an activation; the row's `id` and its end are ignored.
pub async fn add_activation(connection: &mut Connection, row: &Activation) -> Result<Activation> {
    Ok(sqlx::query_as::<Any, Activation>(
        "INSERT INTO duty_activations (plan_id, plan_version, plan, organisation_id, alert_id, case_id, severity, drill, \
         started_at, started_by, started_by_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *",
    )
    .bind(&row.plan_id)
    .bind(row.plan_version)
    .bind(row.plan.to_string())
    .bind(&row.organisation_id)
    .bind(row.alert_id)
    .bind(row.case_id)
    .bind(&row.severity)
    .bind(i64::from(row.drill))
    .bind(row.started_at.micros())
    .bind(&row.started_by)
    .bind(row.started_by_id)
    .fetch_one(connection)
    .await?)
}

/// One activation.
pub async fn activation(connection: &mut Connection, id: i64) -> Result<Option<Activation>> {
    Ok(
        sqlx::query_as::<Any, Activation>("SELECT * FROM duty_activations WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Which activations.
#[derive(Clone, Debug, Default)]
pub struct ActivationFilter {
    /// Only those under way (true) or over (false).
    pub is_open: Option<bool>,
    /// Only drills (true) or none (false).
    pub is_drill: Option<bool>,
    /// Only those that answer this alert.
    pub alert_id: Option<i64>,
}

/// Activations, newest first.
pub async fn activations(
    connection: &mut Connection,
    filter: &ActivationFilter,
    page: &PageRequest,
) -> Result<Page<Activation>> {
    let rows = sqlx::query_as::<Any, Activation>(
        "SELECT * FROM duty_activations WHERE ($1 IS NULL OR $1 = (ended_at IS NULL)) AND ($2 IS NULL OR drill = $2) \
         AND ($3 IS NULL OR alert_id = $3) AND id < $4 ORDER BY id DESC LIMIT $5",
    )
    .bind(filter.is_open.map(i64::from))
    .bind(filter.is_drill.map(i64::from))
    .bind(filter.alert_id)
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |row| row.id.to_string()))
}

/// The activations behind `after`, oldest first.
pub async fn activations_after(
    connection: &mut Connection,
    after: i64,
    limit: u32,
) -> Result<Vec<Activation>> {
    Ok(sqlx::query_as::<Any, Activation>(
        "SELECT * FROM duty_activations WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// The activations that were started or ended in a period, of one organisation, oldest first.
pub async fn activations_between(
    connection: &mut Connection,
    organisation_id: &str,
    from: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Activation>> {
    Ok(sqlx::query_as::<Any, Activation>(
        "SELECT * FROM duty_activations WHERE organisation_id = $1 AND ((started_at >= $2 AND started_at < $3) \
         OR (ended_at >= $2 AND ended_at < $3)) ORDER BY id LIMIT $4",
    )
    .bind(organisation_id)
    .bind(from.micros())
    .bind(until.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// Ends an activation that is under way; `None` when it is over.
pub async fn end_activation(
    connection: &mut Connection,
    id: i64,
    by: &str,
    summary: &str,
    now: Timestamp,
) -> Result<Option<Activation>> {
    Ok(sqlx::query_as::<Any, Activation>(
        "UPDATE duty_activations SET ended_at = $1, ended_by = $2, summary = $3 WHERE id = $4 AND ended_at IS NULL \
         RETURNING *",
    )
    .bind(now.micros())
    .bind(by)
    .bind(summary)
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// Ticks a step off; `false` when it is already.
pub async fn add_step(connection: &mut Connection, row: &StepDone) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "INSERT INTO duty_steps (activation_id, step_id, skipped, note, at, done_by, done_by_id) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT DO NOTHING",
    )
    .bind(row.activation_id)
    .bind(&row.step_id)
    .bind(i64::from(row.skipped))
    .bind(&row.note)
    .bind(row.at.micros())
    .bind(&row.done_by)
    .bind(row.done_by_id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The steps of an activation that are ticked off, by when.
pub async fn steps(connection: &mut Connection, activation_id: i64) -> Result<Vec<StepDone>> {
    Ok(sqlx::query_as::<Any, StepDone>(
        "SELECT * FROM duty_steps WHERE activation_id = $1 ORDER BY at, step_id",
    )
    .bind(activation_id)
    .fetch_all(connection)
    .await?)
}

/// The contacts of an organisation's list, or of all lists, by where they work.
pub async fn contacts(
    connection: &mut Connection,
    organisation_id: Option<&str>,
    limit: u32,
) -> Result<Vec<Contact>> {
    Ok(sqlx::query_as::<Any, Contact>(
        "SELECT * FROM duty_contacts WHERE ($1 IS NULL OR organisation_id = $1) ORDER BY unit, name, id LIMIT $2",
    )
    .bind(organisation_id)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// How many contacts there are.
pub async fn count_contacts(connection: &mut Connection) -> Result<i64> {
    Ok(
        sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM duty_contacts")
            .fetch_one(connection)
            .await?,
    )
}

/// One contact.
pub async fn contact(connection: &mut Connection, id: i64) -> Result<Option<Contact>> {
    Ok(
        sqlx::query_as::<Any, Contact>("SELECT * FROM duty_contacts WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Adds a contact; the row's `id` is ignored.
pub async fn add_contact(connection: &mut Connection, row: &Contact) -> Result<Contact> {
    Ok(sqlx::query_as::<Any, Contact>(
        "INSERT INTO duty_contacts (organisation_id, key, name, unit, title, sealed, shown, made_at, made_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *",
    )
    .bind(&row.organisation_id)
    .bind(&row.key)
    .bind(&row.name)
    .bind(&row.unit)
    .bind(&row.title)
    .bind(&row.sealed)
    .bind(&row.shown)
    .bind(row.made_at.micros())
    .bind(&row.made_by)
    .fetch_one(connection)
    .await?)
}

/// Puts a number that was sealed anew in the place of the old one.
pub async fn reseal_contact(
    connection: &mut Connection,
    id: i64,
    before: &str,
    sealed: &str,
) -> Result<()> {
    sqlx::query::<Any>("UPDATE duty_contacts SET sealed = $1 WHERE id = $2 AND sealed = $3")
        .bind(sealed)
        .bind(id)
        .bind(before)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a contact away.
pub async fn remove_contact(connection: &mut Connection, id: i64) -> Result<bool> {
    let done = sqlx::query::<Any>("DELETE FROM duty_contacts WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
