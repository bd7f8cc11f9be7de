//! Tables `form_returns` and `form_values`: reporting forms (报表) as they were filled in (一表同享), and the values of those that are handed
//! in. What a form asks and what a value may be is `pack::forms`; here a step is written only where the row is still where it was.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};

table_row! {
    /// A form as it was begun or handed in.
    pub struct FormReturn {
        /// Counts up from 1.
        pub id: i64,
        /// The form.
        pub form: String,
        /// The period, e.g. `2026`, `2026-Q3`, `2026-09`.
        pub period: String,
        /// The town or village.
        pub division_code: String,
        /// `draft`, `submitted`, `returned`, or `replaced` by a correction.
        pub state: String,
        /// What people wrote, by data element.
        pub asked: serde_json::Value,
        /// What the platform filled in, a list with where each came from and when; empty until it is handed in.
        pub filled: serde_json::Value,
        /// Counts its changes up from 0.
        pub version: i64,
        /// The one that it corrects.
        pub corrects: Option<i64>,
        /// Why it is corrected; empty for none.
        pub reason: String,
        /// Who wrote it last.
        pub by_name: String,
        /// Their user id.
        pub by_id: Option<i64>,
        /// When it was begun.
        pub created_at: Timestamp,
        /// When it changed last.
        pub changed_at: Timestamp,
        /// When it was handed in.
        pub submitted_at: Option<Timestamp>,
        /// Who returned it.
        pub returned_by: Option<String>,
        /// Why.
        pub returned_why: Option<String>,
    }
}

table_row! {
    /// How a form of a period stands in a division.
    pub struct Standing {
        /// The form.
        pub form: String,
        /// The period.
        pub period: String,
        /// The town or village.
        pub division_code: String,
        /// Its state.
        pub state: String,
        /// When it was handed in.
        pub submitted_at: Option<Timestamp>,
        /// Who wrote it last.
        pub by_name: String,
        /// Why it was returned.
        pub returned_why: Option<String>,
    }
}

table_row! {
    /// A value of a form that is handed in.
    pub struct FormValue {
        /// The form.
        pub form: String,
        /// The period.
        pub period: String,
        /// The town or village.
        pub division_code: String,
        /// The data element.
        pub element: String,
        /// Its number; yes and no as 1 and 0.
        pub value: Option<f64>,
        /// Its text.
        pub value_text: Option<String>,
        /// Where it comes from: `person`, `indicator:…`, `query`, `table:…` or `form:…`.
        pub origin: String,
        /// When it was handed in.
        pub reported_at: Timestamp,
        /// The case of the dispute under which it was handed in.
        pub disputed: Option<i64>,
    }
}

/// Which form, of which period, of which town or village.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// See [`FormReturn::form`].
    pub form: &'a str,
    /// See [`FormReturn::period`].
    pub period: &'a str,
    /// See [`FormReturn::division_code`].
    pub division_code: &'a str,
}

/// What is written of a form.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// See [`FormReturn::state`].
    pub state: &'a str,
    /// See [`FormReturn::asked`].
    pub asked: &'a serde_json::Value,
    /// See [`FormReturn::filled`].
    pub filled: &'a serde_json::Value,
    /// See [`FormReturn::corrects`].
    pub corrects: Option<i64>,
    /// See [`FormReturn::reason`].
    pub reason: &'a str,
}

/// A value to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct NewValue {
    /// See [`FormValue::element`].
    pub element: String,
    /// See [`FormValue::value`].
    pub value: Option<f64>,
    /// See [`FormValue::value_text`].
    pub value_text: Option<String>,
    /// See [`FormValue::origin`].
    pub origin: String,
    /// See [`FormValue::disputed`].
    pub disputed: Option<i64>,
}

const COLUMNS: &str = "id, form, period, division_code, state, asked, filled, version, corrects, reason, by_name, by_id, created_at, \
    changed_at, submitted_at, returned_by, returned_why";

/// The one that stands: not replaced by a correction.
pub async fn current(connection: &mut Connection, key: &Key<'_>) -> Result<Option<FormReturn>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM form_returns WHERE form = $1 AND period = $2 AND division_code = $3 AND state <> 'replaced'"
    );
    Ok(sqlx::query_as::<Any, FormReturn>(AssertSqlSafe(sql))
        .bind(key.form)
        .bind(key.period)
        .bind(key.division_code)
        .fetch_optional(connection)
        .await?)
}

/// The newest one before a period that a division handed in.
pub async fn before(connection: &mut Connection, key: &Key<'_>) -> Result<Option<FormReturn>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM form_returns WHERE form = $1 AND period < $2 AND division_code = $3 AND state = 'submitted' \
         ORDER BY period DESC LIMIT 1"
    );
    Ok(sqlx::query_as::<Any, FormReturn>(AssertSqlSafe(sql))
        .bind(key.form)
        .bind(key.period)
        .bind(key.division_code)
        .fetch_optional(connection)
        .await?)
}

/// All of a form, period and division, newest first.
pub async fn history(connection: &mut Connection, key: &Key<'_>) -> Result<Vec<FormReturn>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM form_returns WHERE form = $1 AND period = $2 AND division_code = $3 ORDER BY id DESC LIMIT 50"
    );
    Ok(sqlx::query_as::<Any, FormReturn>(AssertSqlSafe(sql))
        .bind(key.form)
        .bind(key.period)
        .bind(key.division_code)
        .fetch_all(connection)
        .await?)
}

/// How a form of a period stands in every division that began it; of drafts only that they are there.
pub async fn standings(
    connection: &mut Connection,
    form: &str,
    period: &str,
) -> Result<Vec<Standing>> {
    Ok(sqlx::query_as::<Any, Standing>(
        "SELECT form, period, division_code, state, submitted_at, by_name, returned_why FROM form_returns \
         WHERE form = $1 AND period = $2 AND state <> 'replaced' ORDER BY division_code",
    )
    .bind(form)
    .bind(period)
    .fetch_all(connection)
    .await?)
}

/// Begins one; its number.
pub async fn insert(
    connection: &mut Connection,
    key: &Key<'_>,
    written: &Written<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<i64> {
    let submitted_at = (written.state == "submitted").then(|| now.micros());
    Ok(sqlx::query_scalar::<Any, i64>(
        "INSERT INTO form_returns (form, period, division_code, state, asked, filled, version, corrects, reason, by_name, by_id, \
         created_at, changed_at, submitted_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $11, $12) RETURNING id",
    )
    .bind(key.form)
    .bind(key.period)
    .bind(key.division_code)
    .bind(written.state)
    .bind(written.asked.to_string())
    .bind(written.filled.to_string())
    .bind(written.corrects)
    .bind(written.reason)
    .bind(actor.name.as_str())
    .bind(actor.user_id())
    .bind(now.micros())
    .bind(submitted_at)
    .fetch_one(connection)
    .await?)
}

/// Writes one anew; whether it still had the version that was changed, and was a draft or returned.
pub async fn write(
    connection: &mut Connection,
    id: i64,
    version: i64,
    written: &Written<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let submitted_at = (written.state == "submitted").then(|| now.micros());
    let done = sqlx::query::<Any>(
        "UPDATE form_returns SET state = $1, asked = $2, filled = $3, version = version + 1, by_name = $4, by_id = $5, changed_at = $6, \
         submitted_at = COALESCE($7, submitted_at) WHERE id = $8 AND version = $9 AND state IN ('draft', 'returned')",
    )
    .bind(written.state)
    .bind(written.asked.to_string())
    .bind(written.filled.to_string())
    .bind(actor.name.as_str())
    .bind(actor.user_id())
    .bind(now.micros())
    .bind(submitted_at)
    .bind(id)
    .bind(version)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes one that was handed in out of what counts, for a correction; whether it still stood so.
pub async fn replace(connection: &mut Connection, id: i64, now: Timestamp) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE form_returns SET state = 'replaced', version = version + 1, changed_at = $1 WHERE id = $2 AND state = 'submitted'",
    )
    .bind(now.micros())
    .bind(id)
    .execute(&mut *connection)
    .await?;
    take_values(connection, id).await?;
    Ok(done.rows_affected() == 1)
}

/// Gives one back to who handed it in; whether it was handed in. Its values no longer count.
pub async fn give_back(
    connection: &mut Connection,
    id: i64,
    why: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE form_returns SET state = 'returned', version = version + 1, changed_at = $1, returned_by = $2, returned_why = $3 \
         WHERE id = $4 AND state = 'submitted'",
    )
    .bind(now.micros())
    .bind(actor.name.as_str())
    .bind(why)
    .bind(id)
    .execute(&mut *connection)
    .await?;
    take_values(connection, id).await?;
    Ok(done.rows_affected() == 1)
}

async fn take_values(connection: &mut Connection, id: i64) -> Result<()> {
    sqlx::query::<Any>("DELETE FROM form_values WHERE return_id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps the values of one that was handed in.
pub async fn put_values(
    connection: &mut Connection,
    id: i64,
    key: &Key<'_>,
    values: &[NewValue],
    now: Timestamp,
) -> Result<()> {
    take_values(connection, id).await?;
    for value in values {
        sqlx::query::<Any>(
            "INSERT INTO form_values (return_id, form, period, division_code, element, value, value_text, origin, reported_at, disputed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(id)
        .bind(key.form)
        .bind(key.period)
        .bind(key.division_code)
        .bind(&value.element)
        .bind(value.value)
        .bind(value.value_text.as_deref())
        .bind(&value.origin)
        .bind(now.micros())
        .bind(value.disputed)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// What each division was asked in a form, of one element or of all, of the newest period that it handed in. Periods of one form are of
/// one length, so that their order is that of their texts.
pub async fn latest_values(
    connection: &mut Connection,
    form: &str,
    element: Option<&str>,
) -> Result<Vec<FormValue>> {
    Ok(sqlx::query_as::<Any, FormValue>(
        "SELECT form, period, division_code, element, value, value_text, origin, reported_at, disputed FROM form_values v \
         WHERE form = $1 AND ($2 IS NULL OR element = $2) AND period = (SELECT MAX(period) FROM form_values w \
         WHERE w.form = v.form AND w.element = v.element AND w.division_code = v.division_code) ORDER BY division_code, element",
    )
    .bind(form)
    .bind(element)
    .fetch_all(connection)
    .await?)
}
