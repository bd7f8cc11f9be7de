//! Tables `posts` (岗位) and `post_holders` (任职): what there is to do in an organisation, and who holds it from when until
//! when. What has ended stays.

use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A post (岗位) of an organisation.
    pub struct Post {
        /// Its id.
        pub id: String,
        /// The organisation.
        pub organisation_id: String,
        /// Title in Chinese; no other post of the organisation has it.
        pub title_zh: String,
        /// Title in English.
        pub title_en: String,
        /// What whoever holds it has to do (职责); may be empty.
        pub duty: String,
        /// The word of the role that it gives.
        pub role: String,
        /// Code of the division (区划代码) that it answers for.
        pub division: Option<String>,
        /// Whether it gives nothing any more.
        pub disabled: bool,
        /// When it was made.
        pub created_at: Timestamp,
    }
}

table_row! {
    /// Somebody who holds or held a post (任职).
    pub struct Holder {
        /// Counts up from 1.
        pub id: i64,
        /// The post.
        pub post_id: String,
        /// The person.
        pub user_id: i64,
        /// From when.
        pub from_at: Timestamp,
        /// Until when; `None` for as long as nobody ends it.
        pub until_at: Option<Timestamp>,
        /// Who gave it.
        pub given_by: String,
    }
}

impl Holder {
    /// Whether it is held at that time.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from_at <= now && self.until_at.is_none_or(|until| until > now)
    }

    /// Whether it is over by then.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until_at.is_some_and(|until| until <= now)
    }
}

/// Adds a post.
pub async fn insert(connection: &mut Connection, row: &Post) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO posts (id, organisation_id, title_zh, title_en, duty, role, division, disabled, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&row.id)
    .bind(&row.organisation_id)
    .bind(&row.title_zh)
    .bind(&row.title_en)
    .bind(&row.duty)
    .bind(&row.role)
    .bind(&row.division)
    .bind(i64::from(row.disabled))
    .bind(row.created_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Changes everything of a post but its id, its organisation and when it was made; `false` when there is none.
pub async fn update(connection: &mut Connection, row: &Post) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE posts SET title_zh = $1, title_en = $2, duty = $3, role = $4, division = $5, disabled = $6 \
         WHERE id = $7",
    )
    .bind(&row.title_zh)
    .bind(&row.title_en)
    .bind(&row.duty)
    .bind(&row.role)
    .bind(&row.division)
    .bind(i64::from(row.disabled))
    .bind(&row.id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One post.
pub async fn get(connection: &mut Connection, id: &str) -> Result<Option<Post>> {
    Ok(
        sqlx::query_as::<Any, Post>("SELECT * FROM posts WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// All posts, by organisation and title.
pub async fn list(connection: &mut Connection) -> Result<Vec<Post>> {
    Ok(
        sqlx::query_as::<Any, Post>("SELECT * FROM posts ORDER BY organisation_id, title_zh")
            .fetch_all(connection)
            .await?,
    )
}

/// Gives a post to a person; the row's `id` is ignored.
pub async fn give(connection: &mut Connection, row: &Holder) -> Result<Holder> {
    Ok(sqlx::query_as::<Any, Holder>(
        "INSERT INTO post_holders (post_id, user_id, from_at, until_at, given_by) \
         VALUES ($1, $2, $3, $4, $5) RETURNING *",
    )
    .bind(&row.post_id)
    .bind(row.user_id)
    .bind(row.from_at.micros())
    .bind(row.until_at.map(Timestamp::micros))
    .bind(&row.given_by)
    .fetch_one(connection)
    .await?)
}

/// Ends what somebody holds; what was to begin later never begins.
pub async fn end(connection: &mut Connection, id: i64, now: Timestamp) -> Result<()> {
    sqlx::query::<Any>("UPDATE post_holders SET until_at = $1 WHERE id = $2")
        .bind(now.micros())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// One row of who holds what.
pub async fn holder(connection: &mut Connection, id: i64) -> Result<Option<Holder>> {
    Ok(
        sqlx::query_as::<Any, Holder>("SELECT * FROM post_holders WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Who holds posts at that time or is to hold them later, of one person only when asked.
pub async fn holders(
    connection: &mut Connection,
    user_id: Option<i64>,
    now: Timestamp,
) -> Result<Vec<Holder>> {
    Ok(sqlx::query_as::<Any, Holder>(
        "SELECT * FROM post_holders WHERE (until_at IS NULL OR until_at > $1) \
         AND ($2 IS NULL OR user_id = $2) ORDER BY id",
    )
    .bind(now.micros())
    .bind(user_id)
    .fetch_all(connection)
    .await?)
}

/// The posts that a person holds at that time. One that is closed, or whose organisation is, gives nothing.
pub async fn held_by(
    connection: &mut Connection,
    user_id: i64,
    now: Timestamp,
) -> Result<Vec<Post>> {
    Ok(sqlx::query_as::<Any, Post>(
        "SELECT DISTINCT p.* FROM posts p JOIN post_holders h ON h.post_id = p.id \
         JOIN organisations o ON o.id = p.organisation_id \
         WHERE h.user_id = $1 AND h.from_at <= $2 AND (h.until_at IS NULL OR h.until_at > $2) \
         AND p.disabled = 0 AND o.disabled = 0 ORDER BY p.id",
    )
    .bind(user_id)
    .bind(now.micros())
    .fetch_all(connection)
    .await?)
}

/// The people who hold a post of an organisation at that time, by id.
pub async fn people_of(
    connection: &mut Connection,
    organisation_id: &str,
    now: Timestamp,
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT DISTINCT h.user_id FROM post_holders h JOIN posts p ON p.id = h.post_id \
         WHERE p.organisation_id = $1 AND p.disabled = 0 \
         AND h.from_at <= $2 AND (h.until_at IS NULL OR h.until_at > $2) ORDER BY h.user_id",
    )
    .bind(organisation_id)
    .bind(now.micros())
    .fetch_all(connection)
    .await?)
}
