//! Tables of bookings (预约) and queues (排队取号): what is declared, who holds what, tickets, and what was answered to which key. Rows
//! come many at once, in one transaction of the one writer: each statement writes as many as fit. Which state follows which is the
//! crate `bookings`.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use crate::values::{ROWS_AT_ONCE, places};
use crate::writer::OneWriter;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};

table_row! {
    /// A resource or a queue, as it was declared.
    pub struct Declared {
        /// `resource` or `queue`.
        pub kind: String,
        /// Its id.
        pub id: String,
        /// The declaration, as JSON.
        pub definition: String,
        /// When it was written.
        pub changed_at: Timestamp,
        /// Who wrote it.
        pub changed_by: String,
    }
}

table_row! {
    /// A booking.
    pub struct Booking {
        /// Counts up from 1.
        pub id: i64,
        /// What is booked.
        pub resource_id: String,
        /// The slot, of a resource that has slots.
        pub slot_id: Option<String>,
        /// The unit, of a resource of units; from 0.
        pub unit: Option<i64>,
        /// For whom: an id, never a name.
        pub person: String,
        /// The class whose quota it counts in; may be empty.
        pub class: String,
        /// How many places.
        pub places: i64,
        /// Its begin.
        pub from_at: Timestamp,
        /// Its end, excluded.
        pub to_at: Timestamp,
        /// `waiting`, `held`, `confirmed`, `in_use`, `done`, `cancelled`, `expired` or `no_show`.
        pub state: String,
        /// When a hold ends.
        pub until_at: Option<Timestamp>,
        /// When it was asked for.
        pub made_at: Timestamp,
        /// When its state changed last.
        pub changed_at: Timestamp,
    }
}

table_row! {
    /// A step of a booking.
    pub struct BookingStep {
        /// The booking.
        pub booking_id: i64,
        /// When.
        pub at: Timestamp,
        /// `hold`, `wait`, `offer`, `confirm`, `begin`, `end`, `cancel`, `expire` or `no-show`.
        pub step: String,
        /// The state behind it.
        pub state: String,
        /// Who did it.
        pub by_name: String,
    }
}

table_row! {
    /// A ticket of a queue.
    pub struct QueueTicket {
        /// Counts up from 1.
        pub id: i64,
        /// The queue.
        pub queue_id: String,
        /// The local day whose numbers it is of, `YYYY-MM-DD`.
        pub day: String,
        /// Its number on that day, from 1.
        pub serial: i64,
        /// For whom: an id, never a name.
        pub person: String,
        /// Its class; may be empty.
        pub class: String,
        /// `waiting`, `called`, `serving`, `done`, `missed`, `left` or `expired`.
        pub state: String,
        /// Lower is earlier.
        pub place: i64,
        /// Where it was called to.
        pub counter: Option<String>,
        /// How often it was called.
        pub calls: i64,
        /// When it was taken.
        pub taken_at: Timestamp,
        /// When it was called last.
        pub called_at: Option<Timestamp>,
        /// When its state changed last.
        pub changed_at: Timestamp,
    }
}

table_row! {
    /// What was answered to a key.
    pub struct BookingKey {
        /// Whose key it is.
        pub asker: String,
        /// The key.
        pub request_key: String,
        /// SHA-256 of what was asked, hexadecimal.
        pub digest: String,
        /// The answer, as JSON.
        pub answer: String,
        /// When.
        pub at: Timestamp,
    }
}

const WRITER: OneWriter = OneWriter {
    table: "booking_writer",
    code: "booking-second-writer",
    told: "another process writes bookings on these records",
};

/// Makes the caller the one writer, and gives its generation. Whoever was it before can write no more.
pub async fn take_over(connection: &mut Connection) -> Result<i64> {
    WRITER.take_over(connection).await
}

/// To be called in every writing transaction.
///
/// # Errors
/// `booking-second-writer` when another has taken over since.
pub async fn must_be_writer(connection: &mut Connection, generation: i64) -> Result<()> {
    WRITER.must_be(connection, generation).await
}

/// Writes declarations, over those of the same id.
pub async fn put_declared(connection: &mut Connection, rows: &[Declared]) -> Result<()> {
    for row in rows {
        sqlx::query::<Any>(
            "INSERT INTO booking_declared (kind, id, definition, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (kind, id) DO UPDATE SET definition = excluded.definition, changed_at = excluded.changed_at, \
             changed_by = excluded.changed_by",
        )
        .bind(row.kind.as_str())
        .bind(row.id.as_str())
        .bind(row.definition.as_str())
        .bind(row.changed_at.micros())
        .bind(row.changed_by.as_str())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Everything declared.
pub async fn declared(connection: &mut Connection) -> Result<Vec<Declared>> {
    Ok(sqlx::query_as::<Any, Declared>(
        "SELECT kind, id, definition, changed_at, changed_by FROM booking_declared ORDER BY kind, id",
    )
    .fetch_all(connection)
    .await?)
}

const BOOKING: &str = "id, resource_id, slot_id, unit, person, class, places, from_at, to_at, state, until_at, made_at, changed_at";

/// Writes bookings, over those of the same id; an id stands in `rows` once.
pub async fn put(connection: &mut Connection, rows: &[Booking]) -> Result<()> {
    for some in rows.chunks(ROWS_AT_ONCE) {
        let statement = format!(
            "INSERT INTO bookings ({BOOKING}) VALUES {} ON CONFLICT (id) DO UPDATE SET unit = excluded.unit, from_at = excluded.from_at, \
             to_at = excluded.to_at, state = excluded.state, until_at = excluded.until_at, changed_at = excluded.changed_at",
            places(some.len(), 13)
        );
        let mut query = sqlx::query::<Any>(AssertSqlSafe(statement));
        for row in some {
            query = query
                .bind(row.id)
                .bind(row.resource_id.as_str())
                .bind(row.slot_id.as_deref())
                .bind(row.unit)
                .bind(row.person.as_str())
                .bind(row.class.as_str())
                .bind(row.places)
                .bind(row.from_at.micros())
                .bind(row.to_at.micros())
                .bind(row.state.as_str())
                .bind(row.until_at.map(Timestamp::micros))
                .bind(row.made_at.micros())
                .bind(row.changed_at.micros());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes steps of bookings.
pub async fn put_steps(connection: &mut Connection, rows: &[BookingStep]) -> Result<()> {
    for some in rows.chunks(ROWS_AT_ONCE) {
        let statement = format!(
            "INSERT INTO booking_steps (booking_id, at, step, state, by_name) VALUES {}",
            places(some.len(), 5)
        );
        let mut query = sqlx::query::<Any>(AssertSqlSafe(statement));
        for row in some {
            query = query
                .bind(row.booking_id)
                .bind(row.at.micros())
                .bind(row.step.as_str())
                .bind(row.state.as_str())
                .bind(row.by_name.as_str());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The steps of a booking, oldest first.
pub async fn steps(connection: &mut Connection, id: i64) -> Result<Vec<BookingStep>> {
    Ok(sqlx::query_as::<Any, BookingStep>(
        "SELECT booking_id, at, step, state, by_name FROM booking_steps WHERE booking_id = $1 ORDER BY id",
    )
    .bind(id)
    .fetch_all(connection)
    .await?)
}

/// The bookings that take a place or may come to take one, oldest first: those not ended, those done whose time is not over
/// at `now`, and those of people who did not come since `no_shows_since`.
pub async fn live(
    connection: &mut Connection,
    now: Timestamp,
    no_shows_since: Timestamp,
) -> Result<Vec<Booking>> {
    Ok(sqlx::query_as::<Any, Booking>(AssertSqlSafe(format!(
        "SELECT {BOOKING} FROM bookings WHERE state IN ('waiting', 'held', 'confirmed', 'in_use') OR (state = 'done' AND to_at > $1) \
         OR (state = 'no_show' AND changed_at > $2) ORDER BY id"
    )))
    .bind(now.micros())
    .bind(no_shows_since.micros())
    .fetch_all(connection)
    .await?)
}

/// The greatest id of a booking and of a ticket; 0 where there is none.
pub async fn last_ids(connection: &mut Connection) -> Result<(i64, i64)> {
    Ok(sqlx::query_as::<Any, (i64, i64)>(
        "SELECT (SELECT COALESCE(MAX(id), 0) FROM bookings), (SELECT COALESCE(MAX(id), 0) FROM queue_tickets)",
    )
    .fetch_one(connection)
    .await?)
}

/// A booking.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<Booking>> {
    Ok(sqlx::query_as::<Any, Booking>(AssertSqlSafe(format!(
        "SELECT {BOOKING} FROM bookings WHERE id = $1"
    )))
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// Which bookings.
#[derive(Clone, Debug, Default)]
pub struct Filter<'a> {
    /// Of a resource.
    pub resource_id: Option<&'a str>,
    /// For a person.
    pub person: Option<&'a str>,
    /// In a state.
    pub state: Option<&'a str>,
}

/// Bookings, newest first.
pub async fn list(
    connection: &mut Connection,
    filter: &Filter<'_>,
    page: &PageRequest,
) -> Result<Page<Booking>> {
    let rows = sqlx::query_as::<Any, Booking>(AssertSqlSafe(format!(
        "SELECT {BOOKING} FROM bookings WHERE ($1 IS NULL OR resource_id = $1) AND ($2 IS NULL OR person = $2) \
         AND ($3 IS NULL OR state = $3) AND id < $4 ORDER BY id DESC LIMIT $5"
    )))
    .bind(filter.resource_id)
    .bind(filter.person)
    .bind(filter.state)
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |booking| booking.id.to_string()))
}

/// The confirmed bookings of resources whose ids begin so, that have begun and are not over.
pub async fn begun(
    connection: &mut Connection,
    prefix: &str,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Booking>> {
    Ok(sqlx::query_as::<Any, Booking>(AssertSqlSafe(format!(
        "SELECT {BOOKING} FROM bookings WHERE state = 'confirmed' AND from_at <= $1 AND to_at > $1 \
         AND substr(resource_id, 1, $2) = $3 ORDER BY id LIMIT $4"
    )))
    .bind(now.micros())
    .bind(i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX))
    .bind(prefix)
    .bind(most)
    .fetch_all(connection)
    .await?)
}

const TICKET: &str = "id, queue_id, day, serial, person, class, state, place, counter, calls, taken_at, called_at, changed_at";

/// Writes tickets, over those of the same id; an id stands in `rows` once.
pub async fn put_tickets(connection: &mut Connection, rows: &[QueueTicket]) -> Result<()> {
    for some in rows.chunks(ROWS_AT_ONCE) {
        let statement = format!(
            "INSERT INTO queue_tickets ({TICKET}) VALUES {} ON CONFLICT (id) DO UPDATE SET state = excluded.state, place = excluded.place, \
             counter = excluded.counter, calls = excluded.calls, called_at = excluded.called_at, changed_at = excluded.changed_at",
            places(some.len(), 13)
        );
        let mut query = sqlx::query::<Any>(AssertSqlSafe(statement));
        for row in some {
            query = query
                .bind(row.id)
                .bind(row.queue_id.as_str())
                .bind(row.day.as_str())
                .bind(row.serial)
                .bind(row.person.as_str())
                .bind(row.class.as_str())
                .bind(row.state.as_str())
                .bind(row.place)
                .bind(row.counter.as_deref())
                .bind(row.calls)
                .bind(row.taken_at.micros())
                .bind(row.called_at.map(Timestamp::micros))
                .bind(row.changed_at.micros());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The tickets that have not ended, oldest first.
pub async fn live_tickets(connection: &mut Connection) -> Result<Vec<QueueTicket>> {
    Ok(sqlx::query_as::<Any, QueueTicket>(AssertSqlSafe(format!(
        "SELECT {TICKET} FROM queue_tickets WHERE state IN ('waiting', 'called', 'serving') ORDER BY id"
    )))
    .fetch_all(connection)
    .await?)
}

/// The last number of every queue's last day.
pub async fn last_serials(connection: &mut Connection) -> Result<Vec<(String, String, i64)>> {
    Ok(sqlx::query_as::<Any, (String, String, i64)>(
        "SELECT t.queue_id, t.day, MAX(t.serial) FROM queue_tickets t \
         JOIN (SELECT queue_id, MAX(day) AS day FROM queue_tickets GROUP BY queue_id) newest \
         ON newest.queue_id = t.queue_id AND newest.day = t.day GROUP BY t.queue_id, t.day",
    )
    .fetch_all(connection)
    .await?)
}

/// A ticket.
pub async fn ticket(connection: &mut Connection, id: i64) -> Result<Option<QueueTicket>> {
    Ok(sqlx::query_as::<Any, QueueTicket>(AssertSqlSafe(format!(
        "SELECT {TICKET} FROM queue_tickets WHERE id = $1"
    )))
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// Writes what was answered to keys.
pub async fn put_keys(connection: &mut Connection, rows: &[BookingKey]) -> Result<()> {
    for some in rows.chunks(ROWS_AT_ONCE) {
        let statement = format!(
            "INSERT INTO booking_keys (asker, request_key, digest, answer, at) VALUES {}",
            places(some.len(), 5)
        );
        let mut query = sqlx::query::<Any>(AssertSqlSafe(statement));
        for row in some {
            query = query
                .bind(row.asker.as_str())
                .bind(row.request_key.as_str())
                .bind(row.digest.as_str())
                .bind(row.answer.as_str())
                .bind(row.at.micros());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// What was answered to these keys, given as asker and key.
pub async fn keys(
    connection: &mut Connection,
    wanted: &[(String, String)],
) -> Result<Vec<BookingKey>> {
    let mut found = Vec::new();
    for some in wanted.chunks(ROWS_AT_ONCE) {
        let statement = format!(
            "SELECT asker, request_key, digest, answer, at FROM booking_keys WHERE (asker, request_key) IN (VALUES {})",
            places(some.len(), 2)
        );
        let mut query = sqlx::query_as::<Any, BookingKey>(AssertSqlSafe(statement));
        for (asker, key) in some {
            query = query.bind(asker.as_str()).bind(key.as_str());
        }
        found.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(found)
}

/// Gives up what was answered to keys before a moment; gives how many.
pub async fn forget_keys(connection: &mut Connection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query::<Any>("DELETE FROM booking_keys WHERE at < $1")
        .bind(before.micros())
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
