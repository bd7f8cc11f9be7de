//! Table `project_photos`: photos of the sites of key projects. The bytes lie in files named by their SHA-256, as those of attachments do.

use crate::actor::Actor;
use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A photo of a project's site.
    pub struct ProjectPhoto {
        /// Counts up from 1.
        pub id: i64,
        /// The project.
        pub project_id: String,
        /// The milestone that it was said to belong to; it follows when that is called otherwise.
        pub milestone: Option<String>,
        /// The day on which it was taken, `2026-03-01`.
        pub taken_on: String,
        /// What it shows.
        pub caption: String,
        /// What it is, found from its bytes.
        pub media_type: String,
        /// Its size in bytes.
        pub size_bytes: i64,
        /// SHA-256 of its bytes, hex.
        pub sha256: String,
        /// When it was taken by the camera's clock, as the file says itself.
        pub taken_at: Option<Timestamp>,
        /// Longitude where it was taken, degrees.
        pub lon: Option<f64>,
        /// Latitude where it was taken, degrees.
        pub lat: Option<f64>,
        /// When it was added.
        pub added_at: Timestamp,
        /// Who added it.
        pub added_by: String,
        /// Their user id.
        pub added_by_id: Option<i64>,
        /// When it was removed; it is not shown any more.
        pub removed_at: Option<Timestamp>,
        /// By whom.
        pub removed_by: Option<String>,
        /// Why.
        pub removed_why: Option<String>,
    }
}

/// Adds a photo; its `id` and what is said of its removal are ignored.
pub async fn insert(connection: &mut Connection, new: &ProjectPhoto) -> Result<ProjectPhoto> {
    Ok(sqlx::query_as::<Any, ProjectPhoto>(
        "INSERT INTO project_photos (project_id, milestone, taken_on, caption, media_type, size_bytes, sha256, taken_at, lon, lat, \
         added_at, added_by, added_by_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING *",
    )
    .bind(&new.project_id)
    .bind(new.milestone.as_deref())
    .bind(&new.taken_on)
    .bind(&new.caption)
    .bind(&new.media_type)
    .bind(new.size_bytes)
    .bind(&new.sha256)
    .bind(new.taken_at.map(Timestamp::micros))
    .bind(new.lon)
    .bind(new.lat)
    .bind(new.added_at.micros())
    .bind(&new.added_by)
    .bind(new.added_by_id)
    .fetch_one(connection)
    .await?)
}

/// A project's photos, those that were removed among them, the newest day first.
pub async fn of_project(connection: &mut Connection, project: &str) -> Result<Vec<ProjectPhoto>> {
    Ok(sqlx::query_as::<Any, ProjectPhoto>(
        "SELECT * FROM project_photos WHERE project_id = $1 ORDER BY taken_on DESC, id DESC",
    )
    .bind(project)
    .fetch_all(connection)
    .await?)
}

/// A photo of a project, whether removed or not.
pub async fn get(
    connection: &mut Connection,
    project: &str,
    id: i64,
) -> Result<Option<ProjectPhoto>> {
    Ok(sqlx::query_as::<Any, ProjectPhoto>(
        "SELECT * FROM project_photos WHERE project_id = $1 AND id = $2",
    )
    .bind(project)
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// The photo of a project with these bytes that is shown.
pub async fn same(
    connection: &mut Connection,
    project: &str,
    sha256: &str,
) -> Result<Option<ProjectPhoto>> {
    Ok(sqlx::query_as::<Any, ProjectPhoto>(
        "SELECT * FROM project_photos WHERE project_id = $1 AND sha256 = $2 AND removed_at IS NULL ORDER BY id LIMIT 1",
    )
    .bind(project)
    .bind(sha256)
    .fetch_optional(connection)
    .await?)
}

/// A milestone of a project is called otherwise: its photos are of the new name.
pub async fn rename_milestone(
    connection: &mut Connection,
    project: &str,
    [old, new]: [&str; 2],
) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE project_photos SET milestone = $1 WHERE project_id = $2 AND milestone = $3",
    )
    .bind(new)
    .bind(project)
    .bind(old)
    .execute(connection)
    .await?;
    Ok(())
}

/// How many photos of a project are shown.
pub async fn count(connection: &mut Connection, project: &str) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM project_photos WHERE project_id = $1 AND removed_at IS NULL",
    )
    .bind(project)
    .fetch_one(connection)
    .await?)
}

/// Of each project the newest photo that was taken up to that day.
pub async fn newest(connection: &mut Connection, up_to: &str) -> Result<Vec<ProjectPhoto>> {
    Ok(sqlx::query_as::<Any, ProjectPhoto>(
        "SELECT p.* FROM project_photos p WHERE p.id = (SELECT q.id FROM project_photos q WHERE q.project_id = p.project_id \
         AND q.removed_at IS NULL AND q.taken_on <= $1 ORDER BY q.taken_on DESC, q.id DESC LIMIT 1) ORDER BY p.project_id",
    )
    .bind(up_to)
    .fetch_all(connection)
    .await?)
}

/// Removes a photo from what is shown; whether it was shown until now.
pub async fn remove(
    connection: &mut Connection,
    id: i64,
    why: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE project_photos SET removed_at = $1, removed_by = $2, removed_why = $3 WHERE id = $4 AND removed_at IS NULL",
    )
    .bind(now.micros())
    .bind(&actor.name)
    .bind(why)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// All photos after an id, oldest first, at most `limit`: to check the files against the rows.
pub async fn after(connection: &mut Connection, id: i64, limit: u32) -> Result<Vec<ProjectPhoto>> {
    Ok(sqlx::query_as::<Any, ProjectPhoto>(
        "SELECT * FROM project_photos WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}
