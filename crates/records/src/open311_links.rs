//! Table `open311_links`: cases that are also requests of another Open311 endpoint, sent there ([`TO`]) or taken from there
//! ([`FROM`]). Rows of cases to be sent are the outbox.

use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};

/// The case was made here and is sent there.
pub const TO: &str = "to";
/// The request was made there and taken here.
pub const FROM: &str = "from";

/// To be sent; nothing was sent yet, or what was sent was surely not taken.
pub const WAITING: &str = "waiting";
/// It was sent, and whether it was taken is not known: it is looked for there before it is sent again.
pub const UNSURE: &str = "unsure";
/// It was taken under a token; its id is not known yet.
pub const TOKEN: &str = "token";
/// It is open there and followed.
pub const OPEN: &str = "open";
/// It is closed there; it is followed on, more seldom, in case it is opened again.
pub const CLOSED: &str = "closed";
/// It has ended on both sides, or was followed for as long as is to be: it is not asked for any more.
pub const DONE: &str = "done";
/// It is not known whether it is there, and sending it again might make a second one: a person decides.
pub const HELD: &str = "held";
/// The other side refused it, or could not be reached as often as was to be tried: a person decides.
pub const REFUSED: &str = "refused";
/// It is not sent any more: a person said so, or the case had ended before.
pub const DROPPED: &str = "dropped";

/// The states in which a person decides what becomes of it.
pub const FOR_PEOPLE: [&str; 2] = [HELD, REFUSED];

table_row! {
    /// A case that is also a request of another endpoint.
    pub struct Link {
        /// Counts up from 1.
        pub id: i64,
        /// The case.
        pub case_id: i64,
        /// The endpoint's name in the settings.
        pub peer: String,
        /// [`TO`] or [`FROM`].
        pub way: String,
        /// Where it stands: one of the words of this module.
        pub state: String,
        /// The service there; of a request that was taken, the class here.
        pub service_code: String,
        /// What marks it there as ours; empty for what was taken from there.
        pub reference: String,
        /// When it was asked for, or taken.
        pub made_at: Timestamp,
        /// How often it was sent.
        pub attempts: i64,
        /// When it is taken up next.
        pub next_at: Timestamp,
        /// When it was last sent.
        pub posted_at: Option<Timestamp>,
        /// The token that it has there.
        pub token: Option<String>,
        /// The id that it has there.
        pub remote_id: Option<String>,
        /// `open` or `closed`, as it was last told.
        pub remote_status: Option<String>,
        /// What was last told of it.
        pub remote_notes: Option<String>,
        /// When the other side last answered how it stands.
        pub asked_at: Option<Timestamp>,
        /// What is wrong; none when it goes as it should.
        pub problem: Option<String>,
    }
}

/// Adds a link; whether it was new: a case has one of each way with an endpoint.
pub async fn insert(connection: &mut Connection, new: &Link) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "INSERT INTO open311_links (case_id, peer, way, state, service_code, reference, made_at, attempts, next_at, posted_at, \
         token, remote_id, remote_status, remote_notes, asked_at, problem) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (case_id, peer, way) DO NOTHING",
    )
    .bind(new.case_id)
    .bind(&new.peer)
    .bind(&new.way)
    .bind(&new.state)
    .bind(&new.service_code)
    .bind(&new.reference)
    .bind(new.made_at.micros())
    .bind(new.attempts)
    .bind(new.next_at.micros())
    .bind(new.posted_at.map(Timestamp::micros))
    .bind(&new.token)
    .bind(&new.remote_id)
    .bind(&new.remote_status)
    .bind(&new.remote_notes)
    .bind(new.asked_at.map(Timestamp::micros))
    .bind(&new.problem)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes how a link stands. `false`: it stood otherwise than `before` meanwhile, or was sent meanwhile, and is left as it is.
pub async fn put(connection: &mut Connection, before: &Link, after: &Link) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE open311_links SET state = $1, attempts = $2, next_at = $3, posted_at = $4, token = $5, remote_id = $6, \
         remote_status = $7, remote_notes = $8, asked_at = $9, problem = $10 WHERE id = $11 AND state = $12 AND attempts = $13",
    )
    .bind(&after.state)
    .bind(after.attempts)
    .bind(after.next_at.micros())
    .bind(after.posted_at.map(Timestamp::micros))
    .bind(&after.token)
    .bind(&after.remote_id)
    .bind(&after.remote_status)
    .bind(&after.remote_notes)
    .bind(after.asked_at.map(Timestamp::micros))
    .bind(&after.problem)
    .bind(before.id)
    .bind(&before.state)
    .bind(before.attempts)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One link.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<Link>> {
    Ok(
        sqlx::query_as::<Any, Link>("SELECT * FROM open311_links WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}

/// The links of a case, oldest first.
pub async fn of_case(connection: &mut Connection, case_id: i64) -> Result<Vec<Link>> {
    Ok(
        sqlx::query_as::<Any, Link>("SELECT * FROM open311_links WHERE case_id = $1 ORDER BY id")
            .bind(case_id)
            .fetch_all(connection)
            .await?,
    )
}

/// The case that was sent to an endpoint and has that id there: what is read there again is no news.
pub async fn sent_as(
    connection: &mut Connection,
    peers: &[String],
    remote_id: &str,
) -> Result<Option<Link>> {
    for peer in peers {
        let found = sqlx::query_as::<Any, Link>(
            "SELECT * FROM open311_links WHERE peer = $1 AND remote_id = $2 AND way = 'to' LIMIT 1",
        )
        .bind(peer.clone())
        .bind(remote_id.to_owned())
        .fetch_optional(&mut *connection)
        .await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The links of an endpoint and a way that stand in one of these states and are due, those longest due first.
pub async fn due(
    connection: &mut Connection,
    (peer, way): (&str, &str),
    states: &[&str],
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Link>> {
    let marks: Vec<String> = (4..4 + states.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT * FROM open311_links WHERE peer = $1 AND way = $2 AND next_at <= $3 AND state IN ({}) \
         ORDER BY next_at, id LIMIT {limit}",
        marks.join(", ")
    );
    let mut query = sqlx::query_as::<Any, Link>(AssertSqlSafe(sql))
        .bind(peer.to_owned())
        .bind(way.to_owned())
        .bind(now.micros());
    for state in states {
        query = query.bind((*state).to_owned());
    }
    Ok(query.fetch_all(connection).await?)
}

table_row! {
    /// How many links of an endpoint wait for a person.
    pub struct Waiting {
        /// The endpoint.
        pub peer: String,
        /// How many.
        pub count: i64,
        /// What is wrong with one of them.
        pub problem: Option<String>,
    }
}

/// Counts what waits for a person, by endpoint.
pub async fn for_people(connection: &mut Connection) -> Result<Vec<Waiting>> {
    Ok(sqlx::query_as::<Any, Waiting>(
        "SELECT peer, COUNT(*) AS count, MAX(problem) AS problem FROM open311_links WHERE state IN ('held', 'refused') \
         GROUP BY peer ORDER BY peer",
    )
    .fetch_all(connection)
    .await?)
}

/// The id of the last step in the history of any case; 0 when there is none.
pub async fn last_step(connection: &mut Connection) -> Result<i64> {
    Ok(
        sqlx::query_scalar::<Any, i64>("SELECT COALESCE(MAX(id), 0) FROM case_events")
            .fetch_one(connection)
            .await?,
    )
}
