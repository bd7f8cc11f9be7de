//! Tables of charging (充电): what stations told, sessions with their bills, the ledger, tariffs, cards. Rows come many at once, in one
//! transaction of the one writer. What a bill is, and which entry may stand, is the crate `charging`; who writes when is `billing`.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use crate::values::{ROWS_AT_ONCE, places};
use crate::writer::OneWriter;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};

table_row! {
    /// What a station told of a charge.
    pub struct ChargingEvent {
        /// The station's identity.
        pub station: String,
        /// The transaction's id.
        pub transaction_id: String,
        /// The connector; 0 where it was not told.
        pub connector: i64,
        /// `arrived`, `started`, `identified`, `reading`, `full`, `ended` or `left`.
        pub kind: String,
        /// When, by the station's clock.
        pub at: Option<Timestamp>,
        /// The meter's register, Wh.
        pub register_wh: Option<i64>,
        /// The pseudonym of who charges.
        pub card: Option<String>,
        /// When it reached us.
        pub received_at: Timestamp,
    }
}

table_row! {
    /// A session (充电订单) with its bill.
    pub struct ChargingSession {
        /// Counts up from 1, in the order in which sessions were first told of; 0 in what is written.
        pub id: i64,
        /// The station's identity.
        pub station: String,
        /// The transaction's id.
        pub transaction_id: String,
        /// The connector; 0 where it was not told.
        pub connector: i64,
        /// The pseudonym of who charges.
        pub card: Option<String>,
        /// Whose station it is.
        pub operator: String,
        /// `charging`, `waiting`, `unpriced`, `billed` or `doubtful`.
        pub state: String,
        /// When it began.
        pub started_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// The last register less the first, Wh.
        pub energy_wh: i64,
        /// When it is looked at again.
        pub look_at: Option<Timestamp>,
        /// The number of the tariff of its bill.
        pub tariff_number: Option<i64>,
        /// What its bill comes to, fen.
        pub total_fen: Option<i64>,
        /// Its bill, JSON.
        pub bill: Option<String>,
        /// What the bill would be by what was told since, JSON.
        pub correction: Option<String>,
        /// When it changed last.
        pub changed_at: Timestamp,
    }
}

table_row! {
    /// An entry of the ledger (分录), without its postings.
    pub struct LedgerEntry {
        /// Its key.
        pub entry_key: String,
        /// `billed`, `paid`, `refund`, `refund-undone` or `settled`.
        pub kind: String,
        /// Whose bill.
        pub bill: Option<String>,
        /// When.
        pub at: Timestamp,
    }
}

table_row! {
    /// One side of an entry.
    pub struct LedgerPosting {
        /// The entry.
        pub entry_key: String,
        /// Its place in the entry, from 0.
        pub n: i64,
        /// The account, `class:name`.
        pub account: String,
        /// How much, fen; positive is debit.
        pub fen: i64,
    }
}

table_row! {
    /// The money of a bill, fen.
    pub struct LedgerBill {
        /// The bill.
        pub bill: String,
        /// What it comes to.
        pub billed_fen: i64,
        /// What was paid.
        pub paid_fen: i64,
        /// What was given back.
        pub refunded_fen: i64,
    }
}

table_row! {
    /// A tariff as it was put in force.
    pub struct ChargingTariff {
        /// Its number.
        pub number: i64,
        /// The station it is for; all that have none of their own, where there is none.
        pub station: Option<String>,
        /// From when it holds.
        pub from_at: Timestamp,
        /// The tariff as written, JSON.
        pub definition: String,
        /// When it was written.
        pub written_at: Timestamp,
        /// Who wrote it.
        pub written_by: String,
    }
}

table_row! {
    /// A card that may charge.
    pub struct ChargingCard {
        /// Its pseudonym.
        pub card: String,
        /// Whose it is: an id or a name that its giver chose.
        pub holder: String,
        /// Whether it is blocked.
        pub is_blocked: bool,
        /// Until when it is good; until further notice where there is none.
        pub good_until: Option<Timestamp>,
        /// When it changed last.
        pub changed_at: Timestamp,
        /// Who changed it.
        pub changed_by: String,
    }
}

const WRITER: OneWriter = OneWriter {
    table: "charging_writer",
    code: "charging-second-writer",
    told: "another process writes bills on these records",
};

/// Makes the caller the one writer, and gives its generation. Whoever was it before can write no more.
pub async fn take_over(connection: &mut Connection) -> Result<i64> {
    WRITER.take_over(connection).await
}

/// To be called in every writing transaction.
///
/// # Errors
/// `charging-second-writer` when another has taken over since.
pub async fn must_be_writer(connection: &mut Connection, generation: i64) -> Result<()> {
    WRITER.must_be(connection, generation).await
}

/// Gives a start its number; `false` when the start has one, or another start has this number.
pub async fn put_start(
    connection: &mut Connection,
    station: &str,
    start_key: &str,
    number: i64,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "INSERT INTO charging_starts (station, start_key, number) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(station)
    .bind(start_key)
    .bind(number)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The number of a start.
pub async fn start_number(
    connection: &mut Connection,
    station: &str,
    start_key: &str,
) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT number FROM charging_starts WHERE station = $1 AND start_key = $2",
    )
    .bind(station)
    .bind(start_key)
    .fetch_optional(connection)
    .await?)
}

/// The highest number given; 0 where none was.
pub async fn last_number(connection: &mut Connection) -> Result<i64> {
    Ok(
        sqlx::query_scalar::<Any, i64>("SELECT COALESCE(MAX(number), 0) FROM charging_starts")
            .fetch_one(connection)
            .await?,
    )
}

const EVENT: &str = "station, transaction_id, connector, kind, at, register_wh, card, received_at";

/// Writes events; what was told before stays as it was first told.
pub async fn put_events(connection: &mut Connection, rows: &[ChargingEvent]) -> Result<()> {
    for some in rows.chunks(ROWS_AT_ONCE) {
        let statement = format!(
            "INSERT INTO charging_events ({EVENT}) VALUES {} ON CONFLICT DO NOTHING",
            places(some.len(), 8)
        );
        let mut query = sqlx::query::<Any>(AssertSqlSafe(statement));
        for row in some {
            query = query
                .bind(row.station.as_str())
                .bind(row.transaction_id.as_str())
                .bind(row.connector)
                .bind(row.kind.as_str())
                .bind(row.at.map(Timestamp::micros))
                .bind(row.register_wh)
                .bind(row.card.as_deref())
                .bind(row.received_at.micros());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// What was told of a session, in the order in which it was kept.
pub async fn events(
    connection: &mut Connection,
    station: &str,
    transaction_id: &str,
) -> Result<Vec<ChargingEvent>> {
    Ok(sqlx::query_as::<Any, ChargingEvent>(AssertSqlSafe(format!(
        "SELECT {EVENT} FROM charging_events WHERE station = $1 AND transaction_id = $2 ORDER BY id"
    )))
    .bind(station)
    .bind(transaction_id)
    .fetch_all(connection)
    .await?)
}

/// Gives up what was told of sessions that are billed, have no correction and did not change since a moment, `most` of them at once; their
/// bills stay. Gives how many sessions.
pub async fn forget_events(
    connection: &mut Connection,
    unchanged_since: Timestamp,
    most: i64,
) -> Result<usize> {
    let old = sqlx::query_as::<Any, (String, String)>(
        "SELECT station, transaction_id FROM charging_sessions WHERE state = 'billed' AND correction IS NULL AND is_told = 1 \
         AND changed_at < $1 ORDER BY changed_at LIMIT $2",
    )
    .bind(unchanged_since.micros())
    .bind(most)
    .fetch_all(&mut *connection)
    .await?;
    for (station, transaction_id) in &old {
        for statement in [
            "DELETE FROM charging_events WHERE station = $1 AND transaction_id = $2",
            "UPDATE charging_sessions SET is_told = 0 WHERE station = $1 AND transaction_id = $2",
        ] {
            sqlx::query::<Any>(statement)
                .bind(station.as_str())
                .bind(transaction_id.as_str())
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(old.len())
}

const SESSION: &str = "id, station, transaction_id, connector, card, operator, state, started_at, ended_at, energy_wh, look_at, \
                       tariff_number, total_fen, bill, correction, changed_at";

/// Writes sessions, over those of the same station and transaction; each stands in `rows` once.
pub async fn put_sessions(connection: &mut Connection, rows: &[ChargingSession]) -> Result<()> {
    for some in rows.chunks(ROWS_AT_ONCE) {
        let statement = format!(
            "INSERT INTO charging_sessions (station, transaction_id, connector, card, operator, state, started_at, ended_at, energy_wh, \
             look_at, tariff_number, total_fen, bill, correction, changed_at) VALUES {} ON CONFLICT (station, transaction_id) DO UPDATE \
             SET connector = excluded.connector, card = excluded.card, operator = excluded.operator, state = excluded.state, \
             started_at = excluded.started_at, ended_at = excluded.ended_at, energy_wh = excluded.energy_wh, look_at = excluded.look_at, \
             tariff_number = excluded.tariff_number, total_fen = excluded.total_fen, bill = excluded.bill, \
             correction = excluded.correction, changed_at = excluded.changed_at",
            places(some.len(), 15)
        );
        let mut query = sqlx::query::<Any>(AssertSqlSafe(statement));
        for row in some {
            query = query
                .bind(row.station.as_str())
                .bind(row.transaction_id.as_str())
                .bind(row.connector)
                .bind(row.card.as_deref())
                .bind(row.operator.as_str())
                .bind(row.state.as_str())
                .bind(row.started_at.map(Timestamp::micros))
                .bind(row.ended_at.map(Timestamp::micros))
                .bind(row.energy_wh)
                .bind(row.look_at.map(Timestamp::micros))
                .bind(row.tariff_number)
                .bind(row.total_fen)
                .bind(row.bill.as_deref())
                .bind(row.correction.as_deref())
                .bind(row.changed_at.micros());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// A session.
pub async fn session(
    connection: &mut Connection,
    station: &str,
    transaction_id: &str,
) -> Result<Option<ChargingSession>> {
    Ok(
        sqlx::query_as::<Any, ChargingSession>(AssertSqlSafe(format!(
            "SELECT {SESSION} FROM charging_sessions WHERE station = $1 AND transaction_id = $2"
        )))
        .bind(station)
        .bind(transaction_id)
        .fetch_optional(connection)
        .await?,
    )
}

/// A session by its number.
pub async fn session_numbered(
    connection: &mut Connection,
    id: i64,
) -> Result<Option<ChargingSession>> {
    Ok(
        sqlx::query_as::<Any, ChargingSession>(AssertSqlSafe(format!(
            "SELECT {SESSION} FROM charging_sessions WHERE id = $1"
        )))
        .bind(id)
        .fetch_optional(connection)
        .await?,
    )
}

/// The ended sessions of a station that began at `begun_since` or later and have time in common with `[from, until)`. How long before
/// `from` a session may have begun is the caller's to say, so that no station's whole past is read.
pub async fn beside(
    connection: &mut Connection,
    station: &str,
    begun_since: Timestamp,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<ChargingSession>> {
    Ok(
        sqlx::query_as::<Any, ChargingSession>(AssertSqlSafe(format!(
            "SELECT {SESSION} FROM charging_sessions WHERE station = $1 AND started_at >= $2 AND started_at < $3 AND ended_at > $4"
        )))
        .bind(station)
        .bind(begun_since.micros())
        .bind(until.micros())
        .bind(from.micros())
        .fetch_all(connection)
        .await?,
    )
}

/// Station and transaction of the sessions to be looked at by `now`, the longest due first.
pub async fn due(
    connection: &mut Connection,
    now: Timestamp,
    most: i64,
) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as::<Any, (String, String)>(
        "SELECT station, transaction_id FROM charging_sessions WHERE look_at <= $1 ORDER BY look_at, station, transaction_id LIMIT $2",
    )
    .bind(now.micros())
    .bind(most)
    .fetch_all(connection)
    .await?)
}

/// Which sessions.
#[derive(Clone, Debug, Default)]
pub struct Filter<'a> {
    /// Of a station.
    pub station: Option<&'a str>,
    /// In a state.
    pub state: Option<&'a str>,
    /// Of an operator.
    pub operator: Option<&'a str>,
    /// Of a card's pseudonym.
    pub card: Option<&'a str>,
    /// Only those whose bill was corrected since.
    pub is_corrected: bool,
    /// Only those that ended in this time, or began in it and go on.
    pub within: Option<(Timestamp, Timestamp)>,
}

/// Sessions, newest first.
pub async fn list(
    connection: &mut Connection,
    filter: &Filter<'_>,
    page: &PageRequest,
) -> Result<Page<ChargingSession>> {
    let rows = sqlx::query_as::<Any, ChargingSession>(AssertSqlSafe(format!(
        "SELECT {SESSION} FROM charging_sessions WHERE ($1 IS NULL OR station = $1) AND ($2 IS NULL OR state = $2) \
         AND ($3 IS NULL OR operator = $3) AND ($4 IS NULL OR card = $4) AND ($5 = 0 OR correction IS NOT NULL) \
         AND ($8 IS NULL OR (COALESCE(ended_at, started_at) >= $8 AND COALESCE(ended_at, started_at) < $9)) \
         AND id < $6 ORDER BY id DESC LIMIT $7"
    )))
    .bind(filter.station)
    .bind(filter.state)
    .bind(filter.operator)
    .bind(filter.card)
    .bind(i64::from(filter.is_corrected))
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .bind(filter.within.map(|(from, _)| from.micros()))
    .bind(filter.within.map(|(_, until)| until.micros()))
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |session| session.id.to_string()))
}

table_row! {
    /// What the sessions of an operator in a state come to.
    pub struct Sum {
        /// The operator.
        pub operator: String,
        /// The state.
        pub state: String,
        /// How many.
        pub sessions: i64,
        /// Their energy, Wh.
        pub energy_wh: i64,
        /// What their bills come to, fen, due or not.
        pub total_fen: i64,
    }
}

/// What the sessions come to that ended within `[from, until)`, by operator and state; those that go on count where they began within it.
pub async fn sums(
    connection: &mut Connection,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Sum>> {
    Ok(sqlx::query_as::<Any, Sum>(
        "SELECT operator, state, COUNT(*) AS sessions, CAST(SUM(energy_wh) AS BIGINT) AS energy_wh, \
         CAST(COALESCE(SUM(total_fen), 0) AS BIGINT) AS total_fen FROM (SELECT operator, state, energy_wh, total_fen FROM charging_sessions \
         WHERE ended_at >= $1 AND ended_at < $2 UNION ALL SELECT operator, state, energy_wh, total_fen FROM charging_sessions \
         WHERE ended_at IS NULL AND started_at >= $1 AND started_at < $2) told GROUP BY operator, state ORDER BY operator, state",
    )
    .bind(from.micros())
    .bind(until.micros())
    .fetch_all(connection)
    .await?)
}

table_row! {
    /// A session as far as it is supervised: without its bill.
    pub struct SupervisedSession {
        /// Its number.
        pub id: i64,
        /// The station's identity.
        pub station: String,
        /// The transaction's id.
        pub transaction_id: String,
        /// The connector; 0 where it was not told.
        pub connector: i64,
        /// Whether a card was shown.
        pub has_card: bool,
        /// Whose station it is.
        pub operator: String,
        /// `charging`, `waiting`, `unpriced`, `billed` or `doubtful`.
        pub state: String,
        /// When it began.
        pub started_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// The last register less the first, Wh.
        pub energy_wh: i64,
        /// Whether more was told after its bill.
        pub is_corrected: bool,
        /// Whether a person let its bill go.
        pub is_waived: bool,
    }
}

/// What stands in the JSON of a bill that was let go, and in no other: a note's own quotation marks are escaped.
pub const WAIVED: &str = "\"standing\":{\"waived\"";

const SUPERVISED: &str = "id, station, transaction_id, connector, CASE WHEN card IS NULL THEN 0 ELSE 1 END AS has_card, operator, state, \
                          started_at, ended_at, energy_wh, CASE WHEN correction IS NULL THEN 0 ELSE 1 END AS is_corrected, \
                          CASE WHEN bill LIKE $1 THEN 1 ELSE 0 END AS is_waived";

/// Where a page of [`ended`] begins: behind the session that ended at this moment and has this number.
#[derive(Clone, Copy, Debug)]
pub struct Behind {
    /// When the last one of the page before ended; the beginning of the span before the first page.
    pub ended_at: Timestamp,
    /// Its number; 0 before the first page.
    pub id: i64,
}

/// The next sessions that ended before `until`, in the order in which they did.
pub async fn ended(
    connection: &mut Connection,
    behind: Behind,
    until: Timestamp,
    most: i64,
) -> Result<Vec<SupervisedSession>> {
    Ok(
        sqlx::query_as::<Any, SupervisedSession>(AssertSqlSafe(format!(
            "SELECT {SUPERVISED} FROM charging_sessions WHERE ended_at >= $2 AND ended_at < $3 AND (ended_at > $2 OR id > $4) \
             ORDER BY ended_at, id LIMIT $5"
        )))
        .bind(format!("%{WAIVED}%"))
        .bind(behind.ended_at.micros())
        .bind(until.micros())
        .bind(behind.id)
        .bind(most)
        .fetch_all(connection)
        .await?,
    )
}

/// The sessions that began before `until`, at `begun_since` or later, and ended at it or later, or have not ended.
pub async fn going_on(
    connection: &mut Connection,
    begun_since: Timestamp,
    until: Timestamp,
    most: i64,
) -> Result<Vec<SupervisedSession>> {
    Ok(
        sqlx::query_as::<Any, SupervisedSession>(AssertSqlSafe(format!(
            "SELECT {SUPERVISED} FROM charging_sessions WHERE (ended_at IS NULL OR ended_at >= $3) AND started_at >= $2 \
             AND started_at < $3 ORDER BY id LIMIT $4"
        )))
        .bind(format!("%{WAIVED}%"))
        .bind(begun_since.micros())
        .bind(until.micros())
        .bind(most)
        .fetch_all(connection)
        .await?,
    )
}

/// An entry and its postings.
pub async fn entry(
    connection: &mut Connection,
    key: &str,
) -> Result<Option<(LedgerEntry, Vec<LedgerPosting>)>> {
    let found = sqlx::query_as::<Any, LedgerEntry>(
        "SELECT entry_key, kind, bill, at FROM ledger_entries WHERE entry_key = $1",
    )
    .bind(key)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(entry) = found else { return Ok(None) };
    let postings = sqlx::query_as::<Any, LedgerPosting>(
        "SELECT entry_key, n, account, fen FROM ledger_postings WHERE entry_key = $1 ORDER BY n",
    )
    .bind(key)
    .fetch_all(connection)
    .await?;
    Ok(Some((entry, postings)))
}

/// The money of a bill.
pub async fn money(connection: &mut Connection, bill: &str) -> Result<Option<LedgerBill>> {
    Ok(sqlx::query_as::<Any, LedgerBill>(
        "SELECT bill, billed_fen, paid_fen, refunded_fen FROM ledger_bills WHERE bill = $1",
    )
    .bind(bill)
    .fetch_optional(connection)
    .await?)
}

/// Writes an entry whose key is free, with its postings and its bill's money.
pub async fn put_entry(
    connection: &mut Connection,
    entry: &LedgerEntry,
    postings: &[LedgerPosting],
    money: Option<&LedgerBill>,
) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO ledger_entries (entry_key, kind, bill, at) VALUES ($1, $2, $3, $4)",
    )
    .bind(entry.entry_key.as_str())
    .bind(entry.kind.as_str())
    .bind(entry.bill.as_deref())
    .bind(entry.at.micros())
    .execute(&mut *connection)
    .await?;
    let statement = format!(
        "INSERT INTO ledger_postings (entry_key, n, account, fen) VALUES {}",
        places(postings.len(), 4)
    );
    let mut query = sqlx::query::<Any>(AssertSqlSafe(statement));
    for posting in postings {
        query = query
            .bind(posting.entry_key.as_str())
            .bind(posting.n)
            .bind(posting.account.as_str())
            .bind(posting.fen);
    }
    query.execute(&mut *connection).await?;
    let Some(money) = money else { return Ok(()) };
    sqlx::query::<Any>(
        "INSERT INTO ledger_bills (bill, billed_fen, paid_fen, refunded_fen) VALUES ($1, $2, $3, $4) ON CONFLICT (bill) DO UPDATE SET \
         billed_fen = excluded.billed_fen, paid_fen = excluded.paid_fen, refunded_fen = excluded.refunded_fen",
    )
    .bind(money.bill.as_str())
    .bind(money.billed_fen)
    .bind(money.paid_fen)
    .bind(money.refunded_fen)
    .execute(connection)
    .await?;
    Ok(())
}

table_row! {
    /// What of a bill was paid and not given back, fen.
    pub struct Moved {
        /// The bill.
        pub bill: String,
        /// When the period began.
        pub before_fen: i64,
        /// When it ended.
        pub after_fen: i64,
        /// What was paid within it.
        pub paid_fen: i64,
        /// What was given back within it.
        pub refunded_fen: i64,
    }
}

/// The bills of which money moved within `[from, until)`, with what was paid of each and not given back at both ends.
pub async fn moved(
    connection: &mut Connection,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Moved>> {
    Ok(sqlx::query_as::<Any, Moved>(
        "SELECT e.bill AS bill, CAST(SUM(CASE WHEN e.at < $1 THEN p.fen ELSE 0 END * CASE e.kind WHEN 'refund' THEN -1 ELSE 1 END) AS BIGINT) \
         AS before_fen, CAST(SUM(p.fen * CASE e.kind WHEN 'refund' THEN -1 ELSE 1 END) AS BIGINT) AS after_fen, \
         CAST(SUM(CASE WHEN e.at >= $1 AND e.kind = 'paid' THEN p.fen ELSE 0 END) AS BIGINT) AS paid_fen, \
         CAST(SUM(CASE WHEN e.at < $1 OR e.kind = 'paid' THEN 0 WHEN e.kind = 'refund' THEN p.fen ELSE -p.fen END) AS BIGINT) AS refunded_fen \
         FROM ledger_entries e JOIN ledger_postings p ON p.entry_key = e.entry_key AND p.fen > 0 \
         WHERE e.kind IN ('paid', 'refund', 'refund-undone') AND e.at < $2 AND e.bill IN (SELECT bill FROM ledger_entries \
         WHERE kind IN ('paid', 'refund', 'refund-undone') AND at >= $1 AND at < $2) GROUP BY e.bill ORDER BY e.bill",
    )
    .bind(from.micros())
    .bind(until.micros())
    .fetch_all(connection)
    .await?)
}

table_row! {
    /// What an account comes to, fen.
    pub struct Balance {
        /// The account, `class:name`.
        pub account: String,
        /// Its balance.
        pub fen: i64,
    }
}

/// The balances of all accounts of a class (`income`, `payable`, `bank`, `provider`, `driver`).
pub async fn balances(connection: &mut Connection, class: &str) -> Result<Vec<Balance>> {
    Ok(sqlx::query_as::<Any, Balance>(
        "SELECT account, CAST(SUM(fen) AS BIGINT) AS fen FROM ledger_postings WHERE account >= $1 AND account < $2 \
         GROUP BY account ORDER BY account",
    )
    .bind(format!("{class}:"))
    // The character behind the colon.
    .bind(format!("{class};"))
    .fetch_all(connection)
    .await?)
}

/// Puts a tariff in force, and gives its number.
pub async fn add_tariff(connection: &mut Connection, tariff: &ChargingTariff) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "INSERT INTO charging_tariffs (station, from_at, definition, written_at, written_by) VALUES ($1, $2, $3, $4, $5) \
         RETURNING number",
    )
    .bind(tariff.station.as_deref())
    .bind(tariff.from_at.micros())
    .bind(tariff.definition.as_str())
    .bind(tariff.written_at.micros())
    .bind(tariff.written_by.as_str())
    .fetch_one(connection)
    .await?)
}

/// All tariffs, oldest first.
pub async fn tariffs(connection: &mut Connection) -> Result<Vec<ChargingTariff>> {
    Ok(sqlx::query_as::<Any, ChargingTariff>(
        "SELECT number, station, from_at, definition, written_at, written_by FROM charging_tariffs ORDER BY number",
    )
    .fetch_all(connection)
    .await?)
}

const CARD: &str = "card, holder, is_blocked, good_until, changed_at, changed_by";

/// Writes a card, over the one of its pseudonym.
pub async fn put_card(connection: &mut Connection, card: &ChargingCard) -> Result<()> {
    sqlx::query::<Any>(AssertSqlSafe(format!(
        "INSERT INTO charging_cards ({CARD}) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (card) DO UPDATE SET holder = excluded.holder, \
         is_blocked = excluded.is_blocked, good_until = excluded.good_until, changed_at = excluded.changed_at, \
         changed_by = excluded.changed_by"
    )))
    .bind(card.card.as_str())
    .bind(card.holder.as_str())
    .bind(i64::from(card.is_blocked))
    .bind(card.good_until.map(Timestamp::micros))
    .bind(card.changed_at.micros())
    .bind(card.changed_by.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// A card.
pub async fn card(connection: &mut Connection, card: &str) -> Result<Option<ChargingCard>> {
    Ok(sqlx::query_as::<Any, ChargingCard>(AssertSqlSafe(format!(
        "SELECT {CARD} FROM charging_cards WHERE card = $1"
    )))
    .bind(card)
    .fetch_optional(connection)
    .await?)
}

/// The cards, by pseudonym.
pub async fn cards(connection: &mut Connection, page: &PageRequest) -> Result<Page<ChargingCard>> {
    let rows = sqlx::query_as::<Any, ChargingCard>(AssertSqlSafe(format!(
        "SELECT {CARD} FROM charging_cards WHERE card > $1 ORDER BY card LIMIT $2"
    )))
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |card| card.card.clone()))
}
