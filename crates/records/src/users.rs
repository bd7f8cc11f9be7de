//! Table `users`: the people who sign in.

use crate::failure::Result;
use crate::field::{Secret, table_row};
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A person who may sign in.
    pub struct User {
        /// Counts up from 1.
        pub id: i64,
        /// What is typed at sign-in: lower case.
        pub username: String,
        /// The person's name as others see it.
        pub name: String,
        /// The role's word.
        pub role: String,
        /// The department the person works in.
        pub organisation_id: Option<String>,
        /// The password's hash with its salt and work factor (PHC string).
        #[serde(skip)]
        pub password_hash: Secret,
        /// Whether sign-in is closed to this person.
        pub disabled: bool,
        /// When the user was made.
        pub created_at: Timestamp,
        /// When the password was last set.
        pub password_set_at: Timestamp,
        /// Telephone number (电话), for whoever is on duty. Personal: it is not shown with the rest.
        #[serde(skip)]
        pub phone: Option<String>,
    }
}

/// What is given for a new user.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// See [`User::username`].
    pub username: String,
    /// See [`User::name`].
    pub name: String,
    /// See [`User::role`].
    pub role: String,
    /// See [`User::organisation_id`].
    pub organisation_id: Option<String>,
    /// See [`User::password_hash`].
    pub password_hash: Secret,
}

/// Adds a user; `None` when the username is taken.
pub async fn insert(
    connection: &mut Connection,
    new: &NewUser,
    now: Timestamp,
) -> Result<Option<User>> {
    Ok(sqlx::query_as::<Any, User>(
        "INSERT INTO users (username, name, role, organisation_id, password_hash, created_at, password_set_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (username) DO NOTHING RETURNING *",
    )
    .bind(&new.username)
    .bind(&new.name)
    .bind(&new.role)
    .bind(&new.organisation_id)
    .bind(new.password_hash.expose())
    .bind(now.micros())
    .fetch_optional(connection)
    .await?)
}

/// How many users there are.
pub async fn count(connection: &mut Connection) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM users")
        .fetch_one(connection)
        .await?)
}

/// One user by id.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<User>> {
    Ok(
        sqlx::query_as::<Any, User>("SELECT * FROM users WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// One user by username (lower case).
pub async fn by_username(connection: &mut Connection, username: &str) -> Result<Option<User>> {
    Ok(
        sqlx::query_as::<Any, User>("SELECT * FROM users WHERE username = $1")
            .bind(username)
            .fetch_optional(connection)
            .await?,
    )
}

/// Users by id, those of one role or organisation only when asked.
pub async fn list(
    connection: &mut Connection,
    role: Option<&str>,
    organisation_id: Option<&str>,
    page: &PageRequest,
) -> Result<Page<User>> {
    let rows = sqlx::query_as::<Any, User>(
        "SELECT * FROM users WHERE ($1 IS NULL OR role = $1) \
         AND ($2 IS NULL OR organisation_id = $2) AND id > $3 ORDER BY id LIMIT $4",
    )
    .bind(role)
    .bind(organisation_id)
    .bind(page.after_number()?.unwrap_or(0))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |u| u.id.to_string()))
}

/// Which people are looked for; what is `None` does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleFilter {
    /// Part of the name or of what is typed at sign-in.
    pub text: Option<String>,
    /// Who works in this organisation or holds a post of it.
    pub organisation_id: Option<String>,
    /// Only those whose sign-in is closed (`true`) or open (`false`).
    pub disabled: Option<bool>,
    /// Only those who have this role, as the main one or by a post.
    pub role: Option<String>,
}

/// The people that are looked for, by id. Who holds a post at `now` belongs to its organisation too.
pub async fn search(
    connection: &mut Connection,
    filter: &PeopleFilter,
    now: Timestamp,
    page: &PageRequest,
) -> Result<Page<User>> {
    let text = filter.text.as_deref().map(str::to_lowercase);
    let rows = sqlx::query_as::<Any, User>(
        "SELECT * FROM users u WHERE ($1 IS NULL OR lower(u.name || ' ' || u.username) LIKE $1 ESCAPE '!') \
         AND ($2 IS NULL OR u.organisation_id = $2 OR EXISTS (SELECT 1 FROM post_holders h \
              JOIN posts p ON p.id = h.post_id WHERE h.user_id = u.id AND p.organisation_id = $2 \
              AND p.disabled = 0 AND h.from_at <= $3 AND (h.until_at IS NULL OR h.until_at > $3))) \
         AND ($4 IS NULL OR u.disabled = $4) \
         AND ($5 IS NULL OR u.role = $5 OR EXISTS (SELECT 1 FROM post_holders h \
              JOIN posts p ON p.id = h.post_id WHERE h.user_id = u.id AND p.role = $5 \
              AND p.disabled = 0 AND h.from_at <= $3 AND (h.until_at IS NULL OR h.until_at > $3))) \
         AND u.id > $6 ORDER BY u.id LIMIT $7",
    )
    .bind(text.map(|text| format!("%{}%", crate::audit::escaped(&text))))
    .bind(&filter.organisation_id)
    .bind(now.micros())
    .bind(filter.disabled.map(i64::from))
    .bind(&filter.role)
    .bind(page.after_number()?.unwrap_or(0))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |u| u.id.to_string()))
}

/// How many people whose sign-in is open have each organisation as their main one.
pub async fn count_by_organisation(connection: &mut Connection) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query_as::<Any, (String, i64)>(
        "SELECT organisation_id, COUNT(*) FROM users \
         WHERE organisation_id IS NOT NULL AND disabled = 0 GROUP BY organisation_id",
    );
    Ok(rows.fetch_all(connection).await?)
}

/// The names of everybody who holds or held a post, by id.
pub async fn names_of_holders(connection: &mut Connection) -> Result<Vec<(i64, String)>> {
    let rows = sqlx::query_as::<Any, (i64, String)>(
        "SELECT id, name FROM users WHERE id IN (SELECT user_id FROM post_holders)",
    );
    Ok(rows.fetch_all(connection).await?)
}

/// Sets a new password hash; `false` when there is no such user.
pub async fn set_password(
    connection: &mut Connection,
    id: i64,
    hash: &Secret,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE users SET password_hash = $1, password_set_at = $2 WHERE id = $3",
    )
    .bind(hash.expose())
    .bind(now.micros())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Changes name, role, organisation, telephone number and whether sign-in is closed; `None` when there is no such user.
pub async fn update(connection: &mut Connection, user: &User) -> Result<Option<User>> {
    Ok(sqlx::query_as::<Any, User>(
        "UPDATE users SET name = $1, role = $2, organisation_id = $3, disabled = $4, phone = $5 WHERE id = $6 RETURNING *",
    )
    .bind(&user.name)
    .bind(&user.role)
    .bind(&user.organisation_id)
    .bind(i64::from(user.disabled))
    .bind(&user.phone)
    .bind(user.id)
    .fetch_optional(connection)
    .await?)
}
