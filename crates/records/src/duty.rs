//! Tables `duty_patterns`, `duty_turns` and `duty_swaps` (值班表): the shifts of an organisation, who has which on which day, and
//! who took whose. What happens in a shift is [`crate::duty_acts`].

use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use crate::users::User;
use model::Timestamp;
use sqlx::Any;

table_row! {
    /// A shift pattern (班次) of an organisation.
    pub struct Pattern {
        /// Counts up from 1.
        pub id: i64,
        /// Whose it is.
        pub organisation_id: String,
        /// Title in Chinese.
        pub title_zh: String,
        /// Title in English.
        pub title_en: String,
        /// From this minute of the city's day.
        pub from_minute: i64,
        /// Until this one; of the next day where it is not later.
        pub until_minute: i64,
        /// Whether no turn of it is made any more.
        pub disabled: bool,
    }
}

table_row! {
    /// A turn of duty (值班): a person, a post, a shift of a day.
    pub struct Turn {
        /// Counts up from 1.
        pub id: i64,
        /// The organisation.
        pub organisation_id: String,
        /// The shift.
        pub pattern_id: i64,
        /// The day on which it begins, `2026-11-27`.
        pub day: String,
        /// The post of duty (值班岗), such as 带班领导.
        pub post: String,
        /// Who has it now.
        pub user_id: i64,
        /// From when.
        pub from_at: Timestamp,
        /// Until when; that moment belongs to the next.
        pub until_at: Timestamp,
        /// When it was made.
        pub made_at: Timestamp,
        /// Who made it.
        pub made_by: String,
    }
}

table_row! {
    /// A swap (换班).
    pub struct Swap {
        /// Counts up from 1.
        pub id: i64,
        /// The turn.
        pub turn_id: i64,
        /// Who had it.
        pub from_user_id: i64,
        /// Who has it from then on.
        pub to_user_id: i64,
        /// Why.
        pub reason: String,
        /// When.
        pub at: Timestamp,
        /// Who wrote it down.
        pub made_by: String,
    }
}

/// The shifts of an organisation, or of all, closed ones among them.
pub async fn patterns(
    connection: &mut Connection,
    organisation_id: Option<&str>,
) -> Result<Vec<Pattern>> {
    Ok(sqlx::query_as::<Any, Pattern>(
        "SELECT * FROM duty_patterns WHERE ($1 IS NULL OR organisation_id = $1) \
         ORDER BY organisation_id, from_minute, id",
    )
    .bind(organisation_id)
    .fetch_all(connection)
    .await?)
}

/// One shift.
pub async fn pattern(connection: &mut Connection, id: i64) -> Result<Option<Pattern>> {
    Ok(
        sqlx::query_as::<Any, Pattern>("SELECT * FROM duty_patterns WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Adds a shift; the row's `id` is ignored.
pub async fn add_pattern(connection: &mut Connection, row: &Pattern) -> Result<Pattern> {
    Ok(sqlx::query_as::<Any, Pattern>(
        "INSERT INTO duty_patterns (organisation_id, title_zh, title_en, from_minute, until_minute, disabled) \
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING *",
    )
    .bind(&row.organisation_id)
    .bind(&row.title_zh)
    .bind(&row.title_en)
    .bind(row.from_minute)
    .bind(row.until_minute)
    .bind(i64::from(row.disabled))
    .fetch_one(connection)
    .await?)
}

/// Changes titles, times and whether it is closed. Turns that are made keep their times.
pub async fn change_pattern(connection: &mut Connection, row: &Pattern) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE duty_patterns SET title_zh = $1, title_en = $2, from_minute = $3, until_minute = $4, disabled = $5 \
         WHERE id = $6",
    )
    .bind(&row.title_zh)
    .bind(&row.title_en)
    .bind(row.from_minute)
    .bind(row.until_minute)
    .bind(i64::from(row.disabled))
    .bind(row.id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds a turn; the row's `id` is ignored. `None` when that person has it already.
pub async fn add_turn(connection: &mut Connection, row: &Turn) -> Result<Option<Turn>> {
    Ok(sqlx::query_as::<Any, Turn>(
        "INSERT INTO duty_turns (organisation_id, pattern_id, day, post, user_id, from_at, until_at, made_at, made_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING *",
    )
    .bind(&row.organisation_id)
    .bind(row.pattern_id)
    .bind(&row.day)
    .bind(&row.post)
    .bind(row.user_id)
    .bind(row.from_at.micros())
    .bind(row.until_at.micros())
    .bind(row.made_at.micros())
    .bind(&row.made_by)
    .fetch_optional(connection)
    .await?)
}

/// One turn.
pub async fn turn(connection: &mut Connection, id: i64) -> Result<Option<Turn>> {
    Ok(
        sqlx::query_as::<Any, Turn>("SELECT * FROM duty_turns WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// Takes a turn away, with its swaps.
pub async fn remove_turn(connection: &mut Connection, id: i64) -> Result<bool> {
    let done = sqlx::query::<Any>("DELETE FROM duty_turns WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The turns that share a moment with a period, of one organisation or of all, by when they begin; at most `limit`.
pub async fn turns(
    connection: &mut Connection,
    organisation_id: Option<&str>,
    from: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Turn>> {
    Ok(sqlx::query_as::<Any, Turn>(
        "SELECT * FROM duty_turns WHERE ($1 IS NULL OR organisation_id = $1) AND until_at > $2 AND from_at < $3 \
         ORDER BY from_at, organisation_id, post, id LIMIT $4",
    )
    .bind(organisation_id)
    .bind(from.micros())
    .bind(until.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// The turns of a person that share a moment with a period, whatever the organisation.
pub async fn turns_of(
    connection: &mut Connection,
    user_id: i64,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Turn>> {
    Ok(sqlx::query_as::<Any, Turn>(
        "SELECT * FROM duty_turns WHERE user_id = $1 AND until_at > $2 AND from_at < $3 ORDER BY from_at, id",
    )
    .bind(user_id)
    .bind(from.micros())
    .bind(until.micros())
    .fetch_all(connection)
    .await?)
}

/// The first turns that begin after a moment: all that begin together.
pub async fn next_turns(
    connection: &mut Connection,
    organisation_id: &str,
    after: Timestamp,
) -> Result<Vec<Turn>> {
    Ok(sqlx::query_as::<Any, Turn>(
        "SELECT * FROM duty_turns WHERE organisation_id = $1 AND from_at = (SELECT MIN(from_at) FROM duty_turns \
         WHERE organisation_id = $1 AND from_at > $2) ORDER BY post, id",
    )
    .bind(organisation_id)
    .bind(after.micros())
    .fetch_all(connection)
    .await?)
}

/// The person `u` can do the duty of the organisation `o`: sign-in is open, and they work there or nowhere in particular, hold a
/// post there, or have a role that does every organisation's duty, by itself or by a post. `$1` is the time, `$2` those roles, each with `,` on both sides.
macro_rules! able {
    ($o:literal) => {
        concat!(
            "u.disabled = 0 AND (u.organisation_id IS NULL OR u.organisation_id = ",
            $o,
            " OR $2 LIKE '%,' || u.role || ',%' OR EXISTS (SELECT 1 FROM post_holders h JOIN posts p ON p.id = h.post_id \
             WHERE h.user_id = u.id AND p.disabled = 0 AND h.from_at <= $1 AND (h.until_at IS NULL OR h.until_at > $1) \
             AND (p.organisation_id = ",
            $o,
            " OR $2 LIKE '%,' || p.role || ',%')))"
        )
    };
}

fn listed(roles: &[String]) -> String {
    format!(",{},", roles.join(","))
}

/// The turns that are not over and whose person cannot do them any more, because sign-in is closed to them or they left the
/// organisation (空缺班次), of one organisation or of all, by when they begin; at most `limit`. `roles` are the words of the
/// roles that do every organisation's duty.
pub async fn open_turns(
    connection: &mut Connection,
    organisation_id: Option<&str>,
    roles: &[String],
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Turn>> {
    Ok(sqlx::query_as::<Any, Turn>(concat!(
        "SELECT t.* FROM duty_turns t WHERE t.until_at > $1 AND ($3 IS NULL OR t.organisation_id = $3) \
         AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = t.user_id AND ",
        able!("t.organisation_id"),
        ") ORDER BY t.from_at, t.organisation_id, t.id LIMIT $4"
    ))
    .bind(now.micros())
    .bind(listed(roles))
    .bind(organisation_id)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// The people who can do the duty of an organisation, by id; at most `limit`. `roles` as in [`open_turns`].
pub async fn able_people(
    connection: &mut Connection,
    organisation_id: &str,
    roles: &[String],
    now: Timestamp,
    limit: u32,
) -> Result<Vec<User>> {
    Ok(sqlx::query_as::<Any, User>(concat!(
        "SELECT u.* FROM users u WHERE ",
        able!("$3"),
        " ORDER BY u.id LIMIT $4"
    ))
    .bind(now.micros())
    .bind(listed(roles))
    .bind(organisation_id)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?)
}

/// The people on duty in an organisation by its roster, by id; `None` when the roster names nobody at that moment, so
/// that who is to be asked has to be found otherwise.
pub async fn people_on_duty(
    connection: &mut Connection,
    organisation_id: &str,
    now: Timestamp,
) -> Result<Option<Vec<i64>>> {
    let found = sqlx::query_scalar::<Any, i64>(
        "SELECT DISTINCT user_id FROM duty_turns WHERE organisation_id = $1 AND from_at <= $2 AND until_at > $2 \
         ORDER BY user_id",
    )
    .bind(organisation_id)
    .bind(now.micros())
    .fetch_all(&mut *connection)
    .await?;
    Ok((!found.is_empty()).then_some(found))
}

/// Gives a turn to somebody else and keeps who had it.
pub async fn swap(connection: &mut Connection, row: &Swap) -> Result<()> {
    sqlx::query::<Any>("UPDATE duty_turns SET user_id = $1 WHERE id = $2")
        .bind(row.to_user_id)
        .bind(row.turn_id)
        .execute(&mut *connection)
        .await?;
    sqlx::query::<Any>(
        "INSERT INTO duty_swaps (turn_id, from_user_id, to_user_id, reason, at, made_by) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(row.turn_id)
    .bind(row.from_user_id)
    .bind(row.to_user_id)
    .bind(&row.reason)
    .bind(row.at.micros())
    .bind(&row.made_by)
    .execute(connection)
    .await?;
    Ok(())
}

/// The swaps of the turns that share a moment with a period, oldest first.
pub async fn swaps(
    connection: &mut Connection,
    organisation_id: Option<&str>,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Swap>> {
    Ok(sqlx::query_as::<Any, Swap>(
        "SELECT s.* FROM duty_swaps s JOIN duty_turns t ON t.id = s.turn_id \
         WHERE ($1 IS NULL OR t.organisation_id = $1) AND t.until_at > $2 AND t.from_at < $3 ORDER BY s.id",
    )
    .bind(organisation_id)
    .bind(from.micros())
    .bind(until.micros())
    .fetch_all(connection)
    .await?)
}
