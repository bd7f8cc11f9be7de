//! Table `dead_letters`: messages that no door could take, with the reason. The whole message stays in the
//! journal at `position`; here is what a person needs to find and understand it.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::{Connection, position_to_column};
use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Any;

table_row! {
    /// The row as the table holds it.
    pub struct DeadLetterRow {
        /// Journal position of the whole message.
        pub position: i64,
        /// The door it came through: `mqtt`, `http`, …
        pub door: String,
        /// The device, when it is known.
        pub device_id: Option<String>,
        /// Topic or path.
        pub address: String,
        /// When it came.
        pub received_at: Timestamp,
        /// Bytes of the whole message.
        pub size_bytes: i64,
        /// Its beginning as text.
        pub preview: String,
        /// The problem's code.
        pub problem_code: String,
        /// What is wrong.
        pub problem_what: String,
        /// Where.
        pub problem_place: String,
        /// What mends it.
        pub problem_mend: String,
    }
}

/// A message that no door could take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Journal position of the whole message.
    pub position: u64,
    /// The door it came through.
    pub door: String,
    /// The device, when it is known.
    pub device_id: Option<String>,
    /// Topic or path.
    pub address: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Bytes of the whole message.
    pub size_bytes: u64,
    /// Its beginning as text.
    pub preview: String,
    /// Why it was not taken.
    pub problem: Problem,
}

impl From<DeadLetterRow> for DeadLetter {
    fn from(row: DeadLetterRow) -> Self {
        Self {
            position: row.position.cast_unsigned(),
            door: row.door,
            device_id: row.device_id,
            address: row.address,
            received_at: row.received_at,
            size_bytes: row.size_bytes.cast_unsigned(),
            preview: row.preview,
            problem: Problem {
                code: row.problem_code,
                what: row.problem_what,
                place: row.problem_place,
                mend: row.problem_mend,
            },
        }
    }
}

/// Adds a dead letter; `false` when the position has one already (a replay).
pub async fn insert(connection: &mut Connection, letter: &DeadLetter) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "INSERT INTO dead_letters (position, door, device_id, address, received_at, size_bytes, preview, \
         problem_code, problem_what, problem_place, problem_mend) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (position) DO NOTHING",
    )
    .bind(position_to_column(letter.position)?)
    .bind(&letter.door)
    .bind(&letter.device_id)
    .bind(&letter.address)
    .bind(letter.received_at.micros())
    .bind(position_to_column(letter.size_bytes)?)
    .bind(&letter.preview)
    .bind(&letter.problem.code)
    .bind(&letter.problem.what)
    .bind(&letter.problem.place)
    .bind(&letter.problem.mend)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One dead letter.
pub async fn get(connection: &mut Connection, position: u64) -> Result<Option<DeadLetter>> {
    // A number that no column holds has no letter; it is no fault of the store either.
    let Ok(position) = position_to_column(position) else {
        return Ok(None);
    };
    let row =
        sqlx::query_as::<Any, DeadLetterRow>("SELECT * FROM dead_letters WHERE position = $1")
            .bind(position)
            .fetch_optional(connection)
            .await?;
    Ok(row.map(Into::into))
}

/// Dead letters, newest first, of one device only when asked.
pub async fn list(
    connection: &mut Connection,
    device_id: Option<&str>,
    page: &PageRequest,
) -> Result<Page<DeadLetter>> {
    let rows = sqlx::query_as::<Any, DeadLetterRow>(
        "SELECT * FROM dead_letters WHERE ($1 IS NULL OR device_id = $1) AND position < $2 \
         ORDER BY position DESC LIMIT $3",
    )
    .bind(device_id)
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |d| d.position.to_string()).map(Into::into))
}
