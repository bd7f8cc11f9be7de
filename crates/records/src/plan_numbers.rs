//! Tables `plan_document_numbers` and `plan_document_files`: the register of the plan office's numbers (发文登记). A number is given once in
//! a year; what was void keeps its row. The bytes of the files lie in files named by their SHA-256, as those of attachments do.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};

table_row! {
    /// A number of the register.
    pub struct PlanNumber {
        /// Counts up from 1.
        pub id: i64,
        /// Of which year.
        pub year: i64,
        /// Counts up in the year.
        pub number: i64,
        /// As it stands on the document, `天门新基建办〔2026〕12号`.
        pub name: String,
        /// Which document; empty for a number that was never used and is void.
        pub kind: String,
        /// Of which period.
        pub period: String,
        /// Of which plan.
        pub plan: Option<String>,
        /// Its language, as a tag.
        pub language: String,
        /// Its title.
        pub title: String,
        /// When it was given.
        pub given_at: Timestamp,
        /// To whom.
        pub given_by: String,
        /// Their user id.
        pub given_by_id: Option<i64>,
        /// When it was made void.
        pub voided_at: Option<Timestamp>,
        /// By whom.
        pub voided_by: Option<String>,
        /// Why.
        pub voided_why: Option<String>,
    }
}

table_row! {
    /// A file of a numbered document.
    pub struct PlanFile {
        /// Counts up from 1.
        pub id: i64,
        /// The row of its number.
        pub number_id: i64,
        /// `pdf`, `docx` or `xlsx`.
        pub format: String,
        /// Its media type.
        pub media_type: String,
        /// Its size in bytes.
        pub size_bytes: i64,
        /// SHA-256 of its bytes, hex.
        pub sha256: String,
    }
}

/// A number to give.
#[derive(Clone, Debug)]
pub struct NewNumber<'a> {
    /// See [`PlanNumber::year`].
    pub year: i64,
    /// See [`PlanNumber::number`].
    pub number: i64,
    /// See [`PlanNumber::name`].
    pub name: &'a str,
    /// See [`PlanNumber::kind`].
    pub kind: &'a str,
    /// See [`PlanNumber::period`].
    pub period: &'a str,
    /// See [`PlanNumber::plan`].
    pub plan: Option<&'a str>,
    /// See [`PlanNumber::language`].
    pub language: &'a str,
    /// See [`PlanNumber::title`].
    pub title: &'a str,
}

/// A file to keep.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// See [`PlanFile::format`].
    pub format: &'static str,
    /// See [`PlanFile::media_type`].
    pub media_type: &'static str,
    /// See [`PlanFile::size_bytes`].
    pub size_bytes: i64,
    /// See [`PlanFile::sha256`].
    pub sha256: String,
}

/// The largest number of a year; 0 while there is none.
pub async fn last(connection: &mut Connection, year: i64) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COALESCE(MAX(number), 0) FROM plan_document_numbers WHERE year = $1",
    )
    .bind(year)
    .fetch_one(connection)
    .await?)
}

/// The numbers of a year, the largest first.
pub async fn of_year(connection: &mut Connection, year: i64) -> Result<Vec<PlanNumber>> {
    Ok(sqlx::query_as::<Any, PlanNumber>(
        "SELECT * FROM plan_document_numbers WHERE year = $1 ORDER BY number DESC",
    )
    .bind(year)
    .fetch_all(connection)
    .await?)
}

/// The years in which numbers were given, the last first.
pub async fn years(connection: &mut Connection) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT DISTINCT year FROM plan_document_numbers ORDER BY year DESC",
    )
    .fetch_all(connection)
    .await?)
}

/// One number.
pub async fn get(
    connection: &mut Connection,
    year: i64,
    number: i64,
) -> Result<Option<PlanNumber>> {
    Ok(sqlx::query_as::<Any, PlanNumber>(
        "SELECT * FROM plan_document_numbers WHERE year = $1 AND number = $2",
    )
    .bind(year)
    .bind(number)
    .fetch_optional(connection)
    .await?)
}

/// Gives a number; its row.
pub async fn give(
    connection: &mut Connection,
    new: &NewNumber<'_>,
    files: &[NewFile],
    actor: &Actor,
    now: Timestamp,
) -> Result<PlanNumber> {
    let row = sqlx::query_as::<Any, PlanNumber>(
        "INSERT INTO plan_document_numbers (year, number, name, kind, period, plan, language, title, given_at, given_by, given_by_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *",
    )
    .bind(new.year)
    .bind(new.number)
    .bind(new.name)
    .bind(new.kind)
    .bind(new.period)
    .bind(new.plan)
    .bind(new.language)
    .bind(new.title)
    .bind(now.micros())
    .bind(actor.name.as_str())
    .bind(actor.user_id())
    .fetch_one(&mut *connection)
    .await?;
    for file in files {
        sqlx::query::<Any>(
            "INSERT INTO plan_document_files (number_id, format, media_type, size_bytes, sha256) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(row.id)
        .bind(file.format)
        .bind(file.media_type)
        .bind(file.size_bytes)
        .bind(&file.sha256)
        .execute(&mut *connection)
        .await?;
    }
    Ok(row)
}

/// Makes a number void; whether it was not.
pub async fn void(
    connection: &mut Connection,
    id: i64,
    why: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE plan_document_numbers SET voided_at = $1, voided_by = $2, voided_why = $3 WHERE id = $4 AND voided_at IS NULL",
    )
    .bind(now.micros())
    .bind(actor.name.as_str())
    .bind(why)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The files of the numbers of a year.
pub async fn files_of_year(connection: &mut Connection, year: i64) -> Result<Vec<PlanFile>> {
    Ok(sqlx::query_as::<Any, PlanFile>(
        "SELECT f.* FROM plan_document_files f JOIN plan_document_numbers n ON n.id = f.number_id WHERE n.year = $1 ORDER BY f.id",
    )
    .bind(year)
    .fetch_all(connection)
    .await?)
}

/// Files in the order in which they were kept, from after an id.
pub async fn files_after(
    connection: &mut Connection,
    after: i64,
    limit: u32,
) -> Result<Vec<PlanFile>> {
    let sql = format!("SELECT * FROM plan_document_files WHERE id > $1 ORDER BY id LIMIT {limit}");
    Ok(sqlx::query_as::<Any, PlanFile>(AssertSqlSafe(sql))
        .bind(after)
        .fetch_all(connection)
        .await?)
}
