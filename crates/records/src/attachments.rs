//! Table `attachments`: what was added to a case. The bytes lie in files named by their SHA-256.

use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A file added to a case.
    pub struct Attachment {
        /// Counts up from 1.
        pub id: i64,
        /// The case.
        pub case_id: i64,
        /// The step of the case's history that names it; `None` until one does.
        pub event_id: Option<i64>,
        /// The file's name as sent.
        pub name: String,
        /// What it is, found from its bytes.
        pub media_type: String,
        /// Its size in bytes.
        pub size_bytes: i64,
        /// SHA-256 of its bytes, hex.
        pub sha256: String,
        /// When it was added.
        pub uploaded_at: Timestamp,
        /// Who added it.
        pub uploaded_by: String,
        /// When the photo was taken by its own clock, as it says.
        pub taken_at: Option<Timestamp>,
        /// Longitude where it was taken, degrees.
        pub lon: Option<f64>,
        /// Latitude where it was taken, degrees.
        pub lat: Option<f64>,
        /// How far `taken_at` is from the reception, in seconds, positive when it is later; `None` when it is within
        /// the limit or not known.
        pub clock_off_s: Option<i64>,
        /// What it is to the case: `photo`, `voice`, `signature` or `document`.
        pub kind: String,
        /// How sure the sender is of the place, in metres (radius of 95 %, as the Geolocation API gives it).
        pub accuracy_m: Option<f64>,
        /// How long a voice note is, in milliseconds, as the sender says.
        pub duration_ms: Option<i64>,
        /// Who signed: a name, which is personal.
        pub signer: Option<String>,
        /// As what they signed, a word of the catalogue of capacities.
        pub signer_capacity: Option<String>,
        /// Whether the signature was `drawn` or `typed`.
        pub signed_how: Option<String>,
    }
}

/// Adds an attachment; its `id` is ignored.
pub async fn insert(connection: &mut Connection, new: &Attachment) -> Result<Attachment> {
    Ok(sqlx::query_as::<Any, Attachment>(
        "INSERT INTO attachments (case_id, event_id, name, media_type, size_bytes, sha256, uploaded_at, uploaded_by, \
         taken_at, lon, lat, clock_off_s, kind, accuracy_m, duration_ms, signer, signer_capacity, signed_how) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) RETURNING *",
    )
    .bind(new.case_id)
    .bind(new.event_id)
    .bind(&new.name)
    .bind(&new.media_type)
    .bind(new.size_bytes)
    .bind(&new.sha256)
    .bind(new.uploaded_at.micros())
    .bind(&new.uploaded_by)
    .bind(new.taken_at.map(Timestamp::micros))
    .bind(new.lon)
    .bind(new.lat)
    .bind(new.clock_off_s)
    .bind(&new.kind)
    .bind(new.accuracy_m)
    .bind(new.duration_ms)
    .bind(&new.signer)
    .bind(&new.signer_capacity)
    .bind(&new.signed_how)
    .fetch_one(connection)
    .await?)
}

/// One attachment.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<Attachment>> {
    Ok(
        sqlx::query_as::<Any, Attachment>("SELECT * FROM attachments WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// The attachment of a case of that kind with these bytes that no step names yet, by the same person: what a phone that lost the
/// answer sends again.
pub async fn same(
    connection: &mut Connection,
    case_id: i64,
    sha256: &str,
    uploaded_by: &str,
    kind: &str,
) -> Result<Option<Attachment>> {
    Ok(sqlx::query_as::<Any, Attachment>(
        "SELECT * FROM attachments WHERE case_id = $1 AND sha256 = $2 AND uploaded_by = $3 \
         AND kind = $4 AND event_id IS NULL ORDER BY id LIMIT 1",
    )
    .bind(case_id)
    .bind(sha256)
    .bind(uploaded_by)
    .bind(kind)
    .fetch_optional(connection)
    .await?)
}

/// A case's attachments, oldest first.
pub async fn of_case(connection: &mut Connection, case_id: i64) -> Result<Vec<Attachment>> {
    Ok(sqlx::query_as::<Any, Attachment>(
        "SELECT * FROM attachments WHERE case_id = $1 ORDER BY id",
    )
    .bind(case_id)
    .fetch_all(connection)
    .await?)
}

/// How many attachments a case has.
pub async fn count_of_case(connection: &mut Connection, case_id: i64) -> Result<i64> {
    Ok(
        sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM attachments WHERE case_id = $1")
            .bind(case_id)
            .fetch_one(connection)
            .await?,
    )
}

/// Names an attachment in a step of its case's history; `false` when it is not of that case or is
/// already named by another step.
pub async fn link_event(
    connection: &mut Connection,
    id: i64,
    case_id: i64,
    event_id: i64,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE attachments SET event_id = $1 WHERE id = $2 AND case_id = $3 AND event_id IS NULL",
    )
    .bind(event_id)
    .bind(id)
    .bind(case_id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// All attachments after an id, oldest first, at most `limit`: to check the files against the rows.
pub async fn after(connection: &mut Connection, id: i64, limit: u32) -> Result<Vec<Attachment>> {
    Ok(sqlx::query_as::<Any, Attachment>(
        "SELECT * FROM attachments WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}
