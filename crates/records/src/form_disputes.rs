//! Table `form_disputes`: values that a form was filled in with and a town holds wrong (异议), each with the case that was made of it.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};

/// Most disputes that are listed.
pub const LISTED_MAX: i64 = 500;

table_row! {
    /// A disputed value, with where its case stands.
    pub struct FormDispute {
        /// The case.
        pub case_id: i64,
        /// The data element.
        pub element: String,
        /// The town or village.
        pub division_code: String,
        /// The form in which it was disputed.
        pub form: String,
        /// The period of that form.
        pub period: String,
        /// What the form showed; null for nothing.
        pub shown: serde_json::Value,
        /// What the town holds right.
        pub stated: serde_json::Value,
        /// Why.
        pub why: String,
        /// Who answers for the source.
        pub organisation_id: String,
        /// Who disputed it.
        pub by_name: String,
        /// Their user id.
        pub by_id: Option<i64>,
        /// When.
        pub at: Timestamp,
        /// The case's number.
        pub number: String,
        /// Where the case stands.
        pub state: String,
        /// By when the case is due in that state.
        pub due_at: Option<Timestamp>,
        /// When the case ended.
        pub closed_at: Option<Timestamp>,
        /// What who answers for the source wrote at the end of their work.
        pub answer: Option<String>,
    }
}

/// A disputed value to keep.
#[derive(Clone, Debug)]
pub struct NewDispute<'a> {
    /// See [`FormDispute::case_id`].
    pub case_id: i64,
    /// See [`FormDispute::element`].
    pub element: &'a str,
    /// See [`FormDispute::division_code`].
    pub division_code: &'a str,
    /// See [`FormDispute::form`].
    pub form: &'a str,
    /// See [`FormDispute::period`].
    pub period: &'a str,
    /// See [`FormDispute::shown`].
    pub shown: &'a serde_json::Value,
    /// See [`FormDispute::stated`].
    pub stated: &'a serde_json::Value,
    /// See [`FormDispute::why`].
    pub why: &'a str,
    /// See [`FormDispute::organisation_id`].
    pub organisation_id: &'a str,
}

/// Of the case's history the words of the newest `finish`.
const SELECT: &str = "SELECT d.case_id, d.element, d.division_code, d.form, d.period, d.shown, d.stated, d.why, d.organisation_id, \
    d.by_name, d.by_id, d.at, c.number, c.state, c.due_at, c.closed_at, \
    (SELECT e.note FROM case_events e WHERE e.case_id = d.case_id AND e.action = 'finish' ORDER BY e.id DESC LIMIT 1) AS answer \
    FROM form_disputes d JOIN cases c ON c.id = d.case_id";

/// Keeps a disputed value.
pub async fn insert(
    connection: &mut Connection,
    new: &NewDispute<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO form_disputes (case_id, element, division_code, form, period, shown, stated, why, organisation_id, by_name, by_id, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(new.case_id)
    .bind(new.element)
    .bind(new.division_code)
    .bind(new.form)
    .bind(new.period)
    .bind(new.shown.to_string())
    .bind(new.stated.to_string())
    .bind(new.why)
    .bind(new.organisation_id)
    .bind(actor.name.as_str())
    .bind(actor.user_id())
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Those of a division, newest first.
pub async fn of_division(
    connection: &mut Connection,
    division_code: &str,
) -> Result<Vec<FormDispute>> {
    let sql =
        format!("{SELECT} WHERE d.division_code = $1 ORDER BY d.case_id DESC LIMIT {LISTED_MAX}");
    Ok(sqlx::query_as::<Any, FormDispute>(AssertSqlSafe(sql))
        .bind(division_code)
        .fetch_all(connection)
        .await?)
}

/// The one of a case.
pub async fn of_case(connection: &mut Connection, case_id: i64) -> Result<Option<FormDispute>> {
    let sql = format!("{SELECT} WHERE d.case_id = $1");
    Ok(sqlx::query_as::<Any, FormDispute>(AssertSqlSafe(sql))
        .bind(case_id)
        .fetch_optional(connection)
        .await?)
}

/// Those whose cases have not ended, and then the others, newest first.
pub async fn list(connection: &mut Connection) -> Result<Vec<FormDispute>> {
    let sql = format!(
        "{SELECT} ORDER BY CASE WHEN c.closed_at IS NULL THEN 0 ELSE 1 END, d.case_id DESC LIMIT {LISTED_MAX}"
    );
    Ok(sqlx::query_as::<Any, FormDispute>(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await?)
}
