//! Tables `indicator_reports` and `indicator_values`: what people reported about the plan's indicators, and
//! what the platform computed, each with its time.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A figure that a person reported.
    pub struct IndicatorReport {
        /// Counts up from 1.
        pub id: i64,
        /// The indicator.
        pub indicator_id: String,
        /// The figure, in the indicator's unit.
        pub value: f64,
        /// The period it speaks of, e.g. `2024`.
        pub period: String,
        /// Where it comes from: a document, its number, a page.
        pub evidence: String,
        /// Anything else.
        pub note: Option<String>,
        /// Who reported it.
        pub reported_by: String,
        /// The user's id.
        pub reported_by_id: Option<i64>,
        /// When it was handed in.
        pub at: Timestamp,
        /// The day until which it speaks, `YYYY-MM-DD`: the last one of its period, or the one on which it was reported.
        pub as_of: String,
        /// The way that it went; see [`crate::filings`].
        pub filing_id: Option<i64>,
    }
}

table_row! {
    /// A figure that the platform computed.
    pub struct IndicatorValue {
        /// The indicator.
        pub indicator_id: String,
        /// When it was computed.
        pub at: Timestamp,
        /// The figure; `None` when there was nothing to compute it from.
        pub value: Option<f64>,
    }
}

/// A figure to report.
#[derive(Clone, Debug, PartialEq)]
pub struct NewReport {
    /// See [`IndicatorReport::indicator_id`].
    pub indicator_id: String,
    /// See [`IndicatorReport::value`].
    pub value: f64,
    /// See [`IndicatorReport::period`].
    pub period: String,
    /// See [`IndicatorReport::evidence`].
    pub evidence: String,
    /// See [`IndicatorReport::note`].
    pub note: Option<String>,
    /// See [`IndicatorReport::as_of`].
    pub as_of: String,
    /// See [`IndicatorReport::filing_id`].
    pub filing_id: Option<i64>,
}

/// Adds a figure that counts. They are never changed: a later one of the same period takes its place.
pub async fn insert_report(
    connection: &mut Connection,
    new: &NewReport,
    actor: &Actor,
    now: Timestamp,
) -> Result<IndicatorReport> {
    Ok(sqlx::query_as::<Any, IndicatorReport>(
        "INSERT INTO indicator_reports (indicator_id, value, period, evidence, note, reported_by, reported_by_id, at, as_of, filing_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *",
    )
    .bind(&new.indicator_id)
    .bind(new.value)
    .bind(&new.period)
    .bind(&new.evidence)
    .bind(&new.note)
    .bind(&actor.name)
    .bind(actor.user_id())
    .bind(now.micros())
    .bind(&new.as_of)
    .bind(new.filing_id)
    .fetch_one(connection)
    .await?)
}

/// Reports, newest first, of one indicator only when asked.
pub async fn list_reports(
    connection: &mut Connection,
    indicator_id: Option<&str>,
    page: &PageRequest,
) -> Result<Page<IndicatorReport>> {
    let rows = sqlx::query_as::<Any, IndicatorReport>(
        "SELECT * FROM indicator_reports WHERE ($1 IS NULL OR indicator_id = $1) AND id < $2 \
         ORDER BY id DESC LIMIT $3",
    )
    .bind(indicator_id)
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |r| r.id.to_string()))
}

/// The figure of every indicator that has one: of the newest period, and of that the newest.
pub async fn latest_reports(connection: &mut Connection) -> Result<Vec<IndicatorReport>> {
    Ok(sqlx::query_as::<Any, IndicatorReport>(
        "SELECT * FROM indicator_reports r WHERE id = (SELECT id FROM indicator_reports s \
         WHERE s.indicator_id = r.indicator_id ORDER BY as_of DESC, id DESC LIMIT 1) ORDER BY indicator_id",
    )
    .fetch_all(connection)
    .await?)
}

/// Keeps a computed figure; one of the same indicator and time takes the earlier one's place.
pub async fn put_value(connection: &mut Connection, row: &IndicatorValue) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO indicator_values (indicator_id, at, value) VALUES ($1, $2, $3) \
         ON CONFLICT (indicator_id, at) DO UPDATE SET value = excluded.value",
    )
    .bind(&row.indicator_id)
    .bind(row.at.micros())
    .bind(row.value)
    .execute(connection)
    .await?;
    Ok(())
}

/// The computed figures of one indicator from a time on, oldest first, at most `limit`.
pub async fn values(
    connection: &mut Connection,
    indicator_id: &str,
    from: Timestamp,
    limit: u32,
) -> Result<Vec<IndicatorValue>> {
    Ok(sqlx::query_as::<Any, IndicatorValue>(
        "SELECT * FROM (SELECT * FROM indicator_values WHERE indicator_id = $1 AND at >= $2 \
         ORDER BY at DESC LIMIT $3) AS newest ORDER BY at",
    )
    .bind(indicator_id)
    .bind(from.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// What an indicator was measured as before a moment: its last computed figure, which stands until the next one.
pub async fn value_before(
    connection: &mut Connection,
    indicator_id: &str,
    before: Timestamp,
) -> Result<Option<IndicatorValue>> {
    Ok(sqlx::query_as::<Any, IndicatorValue>(
        "SELECT * FROM indicator_values WHERE indicator_id = $1 AND at < $2 ORDER BY at DESC LIMIT 1",
    )
    .bind(indicator_id)
    .bind(before.micros())
    .fetch_optional(connection)
    .await?)
}

/// The newest computed figure of every indicator that has one.
pub async fn latest_values(connection: &mut Connection) -> Result<Vec<IndicatorValue>> {
    Ok(sqlx::query_as::<Any, IndicatorValue>(
        "SELECT * FROM indicator_values v WHERE at = \
         (SELECT MAX(at) FROM indicator_values w WHERE w.indicator_id = v.indicator_id) \
         ORDER BY indicator_id",
    )
    .fetch_all(connection)
    .await?)
}
