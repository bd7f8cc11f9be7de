//! Tables `indicator_filings`, `indicator_filing_steps`, `indicator_locks` and `indicator_cases`: figures of the plan on their way to
//! counting, who agreed, which periods are locked, and the cases made of claims that are not what was measured. Which step leads
//! where, and who may take it, is `indicators::reports`; here a step is written only where the row is still where it was.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, Row as _};

table_row! {
    /// A figure on its way.
    pub struct Filing {
        /// Counts up from 1.
        pub id: i64,
        /// The indicator.
        pub indicator_id: String,
        /// The period, e.g. `2025`, `2025-Q3`, `2025-10`; of before shape 13 as it was written.
        pub period: String,
        /// The figure, in the indicator's unit.
        pub value: f64,
        /// What proves it.
        pub evidence: String,
        /// Anything else.
        pub note: Option<String>,
        /// The unit that reports it.
        pub organisation_id: Option<String>,
        /// `draft`, `submitted`, `returned`, `approved` or `withdrawn`.
        pub state: String,
        /// The levels of approval that it goes through, as they were declared when it was handed in; a JSON list of words.
        pub levels: serde_json::Value,
        /// How many of them have agreed.
        pub agreed: i64,
        /// Its author.
        pub by_name: String,
        /// Their user id.
        pub by_id: Option<i64>,
        /// When it was begun.
        pub created_at: Timestamp,
        /// When it changed last.
        pub changed_at: Timestamp,
        /// When it was handed in last.
        pub submitted_at: Option<Timestamp>,
        /// The approved one that this one corrects.
        pub corrects: Option<i64>,
        /// The figure that is corrected.
        pub old_value: Option<f64>,
        /// Why it is corrected.
        pub reason: Option<String>,
        /// The client's own name of the request.
        pub request_id: Option<String>,
    }
}

table_row! {
    /// A step of a figure's way.
    pub struct FilingStep {
        /// Counts up from 1.
        pub id: i64,
        /// The figure on its way.
        pub filing_id: i64,
        /// When.
        pub at: Timestamp,
        /// `save`, `submit`, `approve`, `return` or `withdraw`.
        pub step: String,
        /// The state behind it.
        pub state: String,
        /// The level that agreed or returned it.
        pub level: Option<String>,
        /// The figure at that moment.
        pub value: f64,
        /// Who did it.
        pub by_name: String,
        /// Their user id.
        pub by_id: Option<i64>,
        /// In their words.
        pub note: String,
    }
}

table_row! {
    /// A period that is or was locked.
    pub struct Lock {
        /// Counts up from 1.
        pub id: i64,
        /// The period.
        pub period: String,
        /// Why.
        pub reason: String,
        /// Who locked it.
        pub locked_by: String,
        /// Their user id.
        pub locked_by_id: Option<i64>,
        /// When.
        pub locked_at: Timestamp,
        /// Who lifted it; `None` while it holds.
        pub lifted_by: Option<String>,
        /// Their user id.
        pub lifted_by_id: Option<i64>,
        /// When.
        pub lifted_at: Option<Timestamp>,
        /// Why.
        pub lift_reason: Option<String>,
    }
}

table_row! {
    /// A case made of a claim that is not what was measured.
    pub struct ClaimCase {
        /// The case.
        pub case_id: i64,
        /// The indicator.
        pub indicator_id: String,
        /// The period.
        pub period: String,
        /// What was claimed when it was opened.
        pub claimed: f64,
        /// What was measured.
        pub measured: f64,
        /// When it was opened.
        pub at: Timestamp,
    }
}

/// A figure that begins its way.
#[derive(Clone, Debug)]
pub struct NewFiling<'a> {
    /// See [`Filing::indicator_id`].
    pub indicator_id: &'a str,
    /// See [`Filing::period`].
    pub period: &'a str,
    /// See [`Filing::value`].
    pub value: f64,
    /// See [`Filing::evidence`].
    pub evidence: &'a str,
    /// See [`Filing::note`].
    pub note: Option<&'a str>,
    /// See [`Filing::organisation_id`].
    pub organisation_id: Option<&'a str>,
    /// See [`Filing::state`].
    pub state: &'a str,
    /// See [`Filing::levels`].
    pub levels: &'a serde_json::Value,
    /// See [`Filing::corrects`].
    pub corrects: Option<i64>,
    /// See [`Filing::old_value`].
    pub old_value: Option<f64>,
    /// See [`Filing::reason`].
    pub reason: Option<&'a str>,
    /// See [`Filing::request_id`].
    pub request_id: Option<&'a str>,
    /// The first step's word.
    pub step: &'a str,
}

/// A step to take.
#[derive(Clone, Debug)]
pub struct NewStep<'a> {
    /// The state in which it must be.
    pub from: &'a str,
    /// How many levels must have agreed.
    pub from_agreed: i64,
    /// See [`FilingStep::step`].
    pub step: &'a str,
    /// The state behind it.
    pub to: &'a str,
    /// How many levels have agreed behind it.
    pub to_agreed: i64,
    /// The levels that it goes through from now on, when it is handed in.
    pub levels: Option<&'a serde_json::Value>,
    /// See [`FilingStep::level`].
    pub level: Option<&'a str>,
    /// See [`FilingStep::note`].
    pub note: &'a str,
}

/// What an author may change of a draft, or of one that was returned.
#[derive(Clone, Debug)]
pub struct Edit<'a> {
    /// See [`Filing::value`].
    pub value: f64,
    /// See [`Filing::evidence`].
    pub evidence: &'a str,
    /// See [`Filing::note`].
    pub note: Option<&'a str>,
    /// See [`Filing::reason`].
    pub reason: Option<&'a str>,
}

const COLUMNS: &str = "id, indicator_id, period, value, evidence, note, organisation_id, state, levels, agreed, by_name, by_id, \
    created_at, changed_at, submitted_at, corrects, old_value, reason, request_id";

/// Writes down a figure with its first step; its number.
pub async fn insert(
    connection: &mut Connection,
    new: &NewFiling<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<i64> {
    let submitted_at = (new.state == "submitted").then(|| now.micros());
    let id = sqlx::query_scalar::<Any, i64>(
        "INSERT INTO indicator_filings (indicator_id, period, value, evidence, note, organisation_id, state, levels, agreed, by_name, \
         by_id, created_at, changed_at, submitted_at, corrects, old_value, reason, request_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $11, $12, $13, $14, $15, $16) RETURNING id",
    )
    .bind(new.indicator_id)
    .bind(new.period)
    .bind(new.value)
    .bind(new.evidence)
    .bind(new.note)
    .bind(new.organisation_id)
    .bind(new.state)
    .bind(new.levels.to_string())
    .bind(actor.name.as_str())
    .bind(actor.user_id())
    .bind(now.micros())
    .bind(submitted_at)
    .bind(new.corrects)
    .bind(new.old_value)
    .bind(new.reason)
    .bind(new.request_id)
    .fetch_one(&mut *connection)
    .await?;
    let step = Written {
        step: new.step,
        state: new.state,
        level: None,
        note: new.reason.unwrap_or_default(),
    };
    write_step(connection, id, &step, actor, now).await?;
    Ok(id)
}

struct Written<'a> {
    step: &'a str,
    state: &'a str,
    level: Option<&'a str>,
    note: &'a str,
}

async fn write_step(
    connection: &mut Connection,
    id: i64,
    written: &Written<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO indicator_filing_steps (filing_id, at, step, state, level, value, by_name, by_id, note) \
         SELECT id, $2, $3, $4, $5, value, $6, $7, $8 FROM indicator_filings WHERE id = $1",
    )
    .bind(id)
    .bind(now.micros())
    .bind(written.step)
    .bind(written.state)
    .bind(written.level)
    .bind(actor.name.as_str())
    .bind(actor.user_id())
    .bind(written.note)
    .execute(connection)
    .await?;
    Ok(())
}

/// Changes what its author wrote; `false` when it is no longer in that state.
pub async fn edit(
    connection: &mut Connection,
    id: i64,
    from: &str,
    edit: &Edit<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE indicator_filings SET value = $1, evidence = $2, note = $3, reason = $4, changed_at = $5 WHERE id = $6 AND state = $7",
    )
    .bind(edit.value)
    .bind(edit.evidence)
    .bind(edit.note)
    .bind(edit.reason)
    .bind(now.micros())
    .bind(id)
    .bind(from)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let step = Written {
        step: "save",
        state: from,
        level: None,
        note: "",
    };
    write_step(connection, id, &step, actor, now).await?;
    Ok(true)
}

/// Takes a step; `false` when it is no longer where the step begins.
pub async fn step(
    connection: &mut Connection,
    id: i64,
    step: &NewStep<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let submitted_at = (step.step == "submit").then(|| now.micros());
    let done = sqlx::query::<Any>(
        "UPDATE indicator_filings SET state = $1, agreed = $2, changed_at = $3, submitted_at = COALESCE($4, submitted_at), \
         levels = COALESCE($5, levels) WHERE id = $6 AND state = $7 AND agreed = $8",
    )
    .bind(step.to)
    .bind(step.to_agreed)
    .bind(now.micros())
    .bind(submitted_at)
    .bind(step.levels.map(ToString::to_string))
    .bind(id)
    .bind(step.from)
    .bind(step.from_agreed)
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let written = Written {
        step: step.step,
        state: step.to,
        level: step.level,
        note: step.note,
    };
    write_step(connection, id, &written, actor, now).await?;
    Ok(true)
}

/// One of a number.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<Filing>> {
    Ok(sqlx::query_as::<Any, Filing>(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM indicator_filings WHERE id = $1"
    )))
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// The one that this very request made.
pub async fn of_request(connection: &mut Connection, request: &str) -> Result<Option<Filing>> {
    Ok(sqlx::query_as::<Any, Filing>(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM indicator_filings WHERE request_id = $1"
    )))
    .bind(request)
    .fetch_optional(connection)
    .await?)
}

/// The one of an indicator and period that was handed in and has not ended.
pub async fn under_way(
    connection: &mut Connection,
    indicator_id: &str,
    period: &str,
) -> Result<Option<Filing>> {
    Ok(sqlx::query_as::<Any, Filing>(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM indicator_filings WHERE indicator_id = $1 AND period = $2 AND state IN ('submitted', 'returned')"
    )))
    .bind(indicator_id)
    .bind(period)
    .fetch_optional(connection)
    .await?)
}

/// The approved one that counts for an indicator and period: the newest.
pub async fn counting(
    connection: &mut Connection,
    indicator_id: &str,
    period: &str,
) -> Result<Option<Filing>> {
    Ok(sqlx::query_as::<Any, Filing>(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM indicator_filings WHERE indicator_id = $1 AND period = $2 AND state = 'approved' \
         ORDER BY changed_at DESC, id DESC LIMIT 1"
    )))
    .bind(indicator_id)
    .bind(period)
    .fetch_optional(connection)
    .await?)
}

/// Which ones.
#[derive(Clone, Debug, Default)]
pub struct Filter<'a> {
    /// Of an indicator.
    pub indicator_id: Option<&'a str>,
    /// Of a period.
    pub period: Option<&'a str>,
    /// In a state.
    pub state: Option<&'a str>,
    /// Of an author.
    pub by_id: Option<i64>,
}

/// Those, newest first; somebody's drafts are given to nobody but `reader`.
pub async fn list(
    connection: &mut Connection,
    filter: &Filter<'_>,
    reader: Option<i64>,
    page: &PageRequest,
) -> Result<Page<Filing>> {
    let rows = sqlx::query_as::<Any, Filing>(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM indicator_filings WHERE ($1 IS NULL OR indicator_id = $1) AND ($2 IS NULL OR state = $2) \
         AND ($3 IS NULL OR by_id = $3) AND (state <> 'draft' OR by_id = $4) AND ($5 IS NULL OR period = $5) AND id < $6 \
         ORDER BY id DESC LIMIT $7"
    )))
    .bind(filter.indicator_id)
    .bind(filter.state)
    .bind(filter.by_id)
    .bind(reader)
    .bind(filter.period)
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |filing| filing.id.to_string()))
}

/// The indicators for which a period has a figure that counts, or one that was handed in.
pub async fn indicators_of(
    connection: &mut Connection,
    period: &str,
) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query::<Any>(
        "SELECT indicator_id, state FROM indicator_filings WHERE period = $1 AND state IN ('submitted', 'returned', 'approved')",
    )
    .bind(period)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

/// The steps of one, oldest first.
pub async fn steps(connection: &mut Connection, id: i64) -> Result<Vec<FilingStep>> {
    Ok(sqlx::query_as::<Any, FilingStep>(
        "SELECT id, filing_id, at, step, state, level, value, by_name, by_id, note FROM indicator_filing_steps \
         WHERE filing_id = $1 ORDER BY id",
    )
    .bind(id)
    .fetch_all(connection)
    .await?)
}

/// Locks a period; its number. `None` when it is locked already.
pub async fn lock(
    connection: &mut Connection,
    period: &str,
    reason: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<i64>> {
    let held = sqlx::query_scalar::<Any, i64>(
        "SELECT id FROM indicator_locks WHERE period = $1 AND lifted_at IS NULL",
    )
    .bind(period)
    .fetch_optional(&mut *connection)
    .await?;
    if held.is_some() {
        return Ok(None);
    }
    let id = sqlx::query_scalar::<Any, i64>(
        "INSERT INTO indicator_locks (period, reason, locked_by, locked_by_id, locked_at) VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(period)
    .bind(reason)
    .bind(actor.name.as_str())
    .bind(actor.user_id())
    .bind(now.micros())
    .fetch_one(connection)
    .await?;
    Ok(Some(id))
}

/// Lifts a lock; `false` when it does not hold.
pub async fn lift(
    connection: &mut Connection,
    id: i64,
    reason: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE indicator_locks SET lifted_by = $1, lifted_by_id = $2, lifted_at = $3, lift_reason = $4 WHERE id = $5 AND lifted_at IS NULL",
    )
    .bind(actor.name.as_str())
    .bind(actor.user_id())
    .bind(now.micros())
    .bind(reason)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The newest locks, those that were lifted among them; at most `limit`.
pub async fn locks(connection: &mut Connection, limit: u32) -> Result<Vec<Lock>> {
    Ok(
        sqlx::query_as::<Any, Lock>("SELECT * FROM indicator_locks ORDER BY id DESC LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?,
    )
}

/// The locks that hold.
pub async fn locks_held(connection: &mut Connection) -> Result<Vec<Lock>> {
    Ok(sqlx::query_as::<Any, Lock>(
        "SELECT * FROM indicator_locks WHERE lifted_at IS NULL ORDER BY id",
    )
    .fetch_all(connection)
    .await?)
}

/// Links a case to the claim that it was made of.
pub async fn link_case(connection: &mut Connection, link: &ClaimCase) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO indicator_cases (case_id, indicator_id, period, claimed, measured, at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (case_id) DO NOTHING",
    )
    .bind(link.case_id)
    .bind(&link.indicator_id)
    .bind(&link.period)
    .bind(link.claimed)
    .bind(link.measured)
    .bind(link.at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// The cases made of claims, newest first, at most `limit`: of an indicator, or the one of a case.
pub async fn claim_cases(
    connection: &mut Connection,
    indicator_id: Option<&str>,
    case_id: Option<i64>,
    limit: u32,
) -> Result<Vec<ClaimCase>> {
    Ok(sqlx::query_as::<Any, ClaimCase>(
        "SELECT * FROM indicator_cases WHERE ($1 IS NULL OR indicator_id = $1) AND ($2 IS NULL OR case_id = $2) \
         ORDER BY case_id DESC LIMIT $3",
    )
    .bind(indicator_id)
    .bind(case_id)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// A period as people wrote it before shape 13 (`2024`, `2024-10`, `2025Q3`, `2025-Q3`), as it is written since, and its last day.
fn understood(period: &str) -> Option<(String, String)> {
    let digits = |text: &str, count: usize| {
        let plain = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten()
    };
    let period = period.trim();
    let year = digits(period.get(..4)?, 4)?;
    let rest = &period[4..];
    let (month, written) = match rest.strip_prefix('-').unwrap_or(rest) {
        "" => (12, format!("{year:04}")),
        rest => match rest.strip_prefix(['Q', 'q']) {
            Some(quarter) => {
                let quarter = digits(quarter, 1).filter(|q| (1..=4).contains(q))?;
                (quarter * 3, format!("{year:04}-Q{quarter}"))
            }
            None => {
                let month = digits(rest, 2).filter(|m| (1..=12).contains(m))?;
                (month, format!("{year:04}-{month:02}"))
            }
        },
    };
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    Some((written, format!("{year:04}-{month:02}-{days:02}")))
}

/// When the shape is made: what was reported before is approved, and speaks until the end of its period or the day on which it was
/// reported, whichever was first.
pub(crate) async fn fill(connection: &mut Connection) -> Result<()> {
    let rows =
        sqlx::query::<Any>("SELECT id, period, at FROM indicator_reports WHERE filing_id IS NULL")
            .fetch_all(&mut *connection)
            .await?;
    for row in rows {
        let (id, period, at): (i64, String, i64) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let day = Timestamp::from_micros(at).utc_date();
        let (period, as_of) = match understood(&period) {
            Some((written, last)) => (written, last.min(day)),
            None => (period, day),
        };
        let filing = sqlx::query_scalar::<Any, i64>(
            "INSERT INTO indicator_filings (indicator_id, period, value, evidence, note, state, levels, agreed, by_name, by_id, \
             created_at, changed_at, submitted_at) SELECT indicator_id, $2, value, evidence, note, 'approved', '[]', 0, \
             reported_by, reported_by_id, at, at, at FROM indicator_reports WHERE id = $1 RETURNING id",
        )
        .bind(id)
        .bind(period)
        .fetch_one(&mut *connection)
        .await?;
        sqlx::query::<Any>("UPDATE indicator_reports SET as_of = $1, filing_id = $2 WHERE id = $3")
            .bind(as_of)
            .bind(filing)
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::understood;

    #[test]
    fn periods_of_before_end_where_they_end() {
        for (period, written, day) in [
            ("2024", "2024", "2024-12-31"),
            ("2024-02", "2024-02", "2024-02-29"),
            ("2025-02", "2025-02", "2025-02-28"),
            ("2025Q3", "2025-Q3", "2025-09-30"),
            (" 2025-q4 ", "2025-Q4", "2025-12-31"),
        ] {
            let expected = Some((written.to_owned(), day.to_owned()));
            assert_eq!(understood(period), expected, "{period}");
        }
        for odd in ["", "上半年", "2025-13", "2025Q5", "2025-Q", "20251"] {
            assert_eq!(understood(odd), None, "{odd}");
        }
    }
}
