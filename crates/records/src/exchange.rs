//! Tables of the exchange with other charging platforms (充电互联互通, T/CEC 102-2016): orders to and from partners, what waits to be told
//! to them, times that were compared, and what is remembered of each partner. What the words mean on the wire is `proto-tcec102`'s.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};

/// [`ExchangeOrder::side`]: a partner operates the station, and told us of the charge.
pub const THEIRS: &str = "theirs";
/// [`ExchangeOrder::side`]: a partner asked for a charge at a station of ours.
pub const OURS: &str = "ours";

/// [`ExchangeOrder::state`]: asked for, not begun.
pub const STARTING: &str = "starting";
/// [`ExchangeOrder::state`]: it goes on.
pub const CHARGING: &str = "charging";
/// [`ExchangeOrder::state`]: it ended, and what it comes to is not known yet.
pub const ENDED: &str = "ended";
/// [`ExchangeOrder::state`]: what it comes to is known.
pub const SETTLED: &str = "settled";
/// [`ExchangeOrder::state`]: it never began.
pub const FAILED: &str = "failed";

/// [`ExchangeNotice::state`]: to be told.
pub const WAITING: &str = "waiting";
/// [`ExchangeNotice::state`]: the partner has it.
pub const DONE: &str = "done";
/// [`ExchangeNotice::state`]: the partner did not take it for too long.
pub const GIVEN_UP: &str = "given-up";

table_row! {
    /// An order (充电订单) between the city and a partner.
    pub struct ExchangeOrder {
        /// Counts up; 0 in what is written.
        pub id: i64,
        /// The partner's operator id.
        pub partner: String,
        /// `StartChargeSeq`, 27 characters.
        pub order_no: String,
        /// [`THEIRS`] or [`OURS`].
        pub side: String,
        /// The connector, by its id on the wire.
        pub connector_id: String,
        /// Of ours: the pseudonym of the card made for it, by which its session is found.
        pub card: Option<String>,
        /// Of ours: the station's identity.
        pub station: Option<String>,
        /// Of ours: the transaction's id at the station.
        pub transaction_id: Option<String>,
        /// [`STARTING`], [`CHARGING`], [`ENDED`], [`SETTLED`] or [`FAILED`].
        pub state: String,
        /// When the charge began.
        pub started_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// Its energy, Wh.
        pub energy_wh: Option<i64>,
        /// For electricity, fen.
        pub electricity_fen: Option<i64>,
        /// For the service, and what else the bill has, fen.
        pub service_fen: Option<i64>,
        /// `ConfirmResult`: 0 agreed to, else disputed; none while nobody said so.
        pub confirm_result: Option<i64>,
        /// Why it is disputed, JSON.
        pub doubts: Option<String>,
        /// What was told, JSON: the first word of it.
        pub body: Option<String>,
        /// Another content that was told under the same number later, JSON.
        pub other_body: Option<String>,
        /// Of ours: when the partner asked to stop.
        pub stop_asked_at: Option<Timestamp>,
        /// When it was first told of, or asked for.
        pub told_at: Timestamp,
        /// When it changed last.
        pub changed_at: Timestamp,
        /// The case that was opened of its dispute; written by [`set_order_case`] alone.
        pub case_id: Option<i64>,
    }
}

table_row! {
    /// Something that a partner is told until it takes it.
    pub struct ExchangeNotice {
        /// Counts up; 0 in what is written.
        pub id: i64,
        /// The partner.
        pub partner: String,
        /// Of which order.
        pub order_no: String,
        /// The interface.
        pub kind: String,
        /// The body, JSON.
        pub body: String,
        /// [`WAITING`], [`DONE`] or [`GIVEN_UP`].
        pub state: String,
        /// How often it was tried.
        pub attempts: i64,
        /// When it is tried next.
        pub due_at: Timestamp,
        /// Why the last try came to nothing.
        pub problem: Option<String>,
        /// When it was made.
        pub made_at: Timestamp,
    }
}

table_row! {
    /// A time compared with a partner (对账).
    pub struct ExchangeComparison {
        /// The partner.
        pub partner: String,
        /// Its begin.
        pub from_at: Timestamp,
        /// Its end, the last moment.
        pub until_at: Timestamp,
        /// How many orders we have.
        pub our_count: i64,
        /// Their energy, Wh.
        pub our_wh: i64,
        /// Their money, fen.
        pub our_fen: i64,
        /// How many the partner has.
        pub their_count: i64,
        /// Their energy, Wh.
        pub their_wh: i64,
        /// Their money, fen.
        pub their_fen: i64,
        /// What differs, JSON; the first of them where there are very many.
        pub differences: String,
        /// How many differ.
        pub difference_count: i64,
        /// The case that was opened of it.
        pub case_id: Option<i64>,
        /// Who asked for the comparison: `partner` or `city`.
        pub asked_by: String,
        /// When.
        pub compared_at: Timestamp,
    }
}

table_row! {
    /// What is remembered of a partner.
    #[derive(Default)]
    pub struct ExchangePartner {
        /// The partner.
        pub partner: String,
        /// When it was heard of last: a message with its signature and token.
        pub heard_at: Option<Timestamp>,
        /// When its stations were asked for last, and told.
        pub stations_at: Option<Timestamp>,
        /// When it was asked how they are last, and told.
        pub statuses_at: Option<Timestamp>,
        /// Why the last question to it came to nothing.
        pub problem: Option<String>,
        /// When that was.
        pub problem_at: Option<Timestamp>,
    }
}

const ORDER: &str = "id, partner, order_no, side, connector_id, card, station, transaction_id, state, started_at, ended_at, energy_wh, \
                     electricity_fen, service_fen, confirm_result, doubts, body, other_body, stop_asked_at, told_at, changed_at, case_id";

/// Writes an order under a number that is free; `false` when the partner has one of that number, which stays as it is.
pub async fn add_order(connection: &mut Connection, order: &ExchangeOrder) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "INSERT INTO exchange_orders (partner, order_no, side, connector_id, card, station, transaction_id, state, started_at, ended_at, \
         energy_wh, electricity_fen, service_fen, confirm_result, doubts, body, other_body, stop_asked_at, told_at, changed_at) VALUES ($1, $2, $3, $4, \
         $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT DO NOTHING",
    )
    .bind(order.partner.as_str())
    .bind(order.order_no.as_str())
    .bind(order.side.as_str())
    .bind(order.connector_id.as_str())
    .bind(order.card.as_deref())
    .bind(order.station.as_deref())
    .bind(order.transaction_id.as_deref())
    .bind(order.state.as_str())
    .bind(order.started_at.map(Timestamp::micros))
    .bind(order.ended_at.map(Timestamp::micros))
    .bind(order.energy_wh)
    .bind(order.electricity_fen)
    .bind(order.service_fen)
    .bind(order.confirm_result)
    .bind(order.doubts.as_deref())
    .bind(order.body.as_deref())
    .bind(order.other_body.as_deref())
    .bind(order.stop_asked_at.map(Timestamp::micros))
    .bind(order.told_at.micros())
    .bind(order.changed_at.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes an order over the one of its partner and number. What names it, and when it was first told of, stays.
pub async fn set_order(connection: &mut Connection, order: &ExchangeOrder) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE exchange_orders SET connector_id = $3, station = $4, transaction_id = $5, state = $6, started_at = $7, ended_at = $8, \
         energy_wh = $9, electricity_fen = $10, service_fen = $11, confirm_result = $12, doubts = $13, body = $14, other_body = $15, \
         stop_asked_at = $16, changed_at = $17 WHERE partner = $1 AND order_no = $2",
    )
    .bind(order.partner.as_str())
    .bind(order.order_no.as_str())
    .bind(order.connector_id.as_str())
    .bind(order.station.as_deref())
    .bind(order.transaction_id.as_deref())
    .bind(order.state.as_str())
    .bind(order.started_at.map(Timestamp::micros))
    .bind(order.ended_at.map(Timestamp::micros))
    .bind(order.energy_wh)
    .bind(order.electricity_fen)
    .bind(order.service_fen)
    .bind(order.confirm_result)
    .bind(order.doubts.as_deref())
    .bind(order.body.as_deref())
    .bind(order.other_body.as_deref())
    .bind(order.stop_asked_at.map(Timestamp::micros))
    .bind(order.changed_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps which case was opened of an order's dispute, where there is none yet.
pub async fn set_order_case(
    connection: &mut Connection,
    (partner, order_no): (&str, &str),
    case_id: i64,
) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE exchange_orders SET case_id = $3 WHERE partner = $1 AND order_no = $2 AND case_id IS NULL",
    )
    .bind(partner)
    .bind(order_no)
    .bind(case_id)
    .execute(connection)
    .await?;
    Ok(())
}

/// An order of a partner.
pub async fn order(
    connection: &mut Connection,
    partner: &str,
    order_no: &str,
) -> Result<Option<ExchangeOrder>> {
    Ok(sqlx::query_as::<Any, ExchangeOrder>(AssertSqlSafe(format!(
        "SELECT {ORDER} FROM exchange_orders WHERE partner = $1 AND order_no = $2"
    )))
    .bind(partner)
    .bind(order_no)
    .fetch_optional(connection)
    .await?)
}

/// Orders of ours that are neither settled nor failed, by id, behind one.
pub async fn open_orders(
    connection: &mut Connection,
    after: i64,
    most: i64,
) -> Result<Vec<ExchangeOrder>> {
    Ok(sqlx::query_as::<Any, ExchangeOrder>(AssertSqlSafe(format!(
        "SELECT {ORDER} FROM exchange_orders WHERE side = 'ours' AND state IN ('starting', 'charging', 'ended') AND id > $1 \
         ORDER BY id LIMIT $2"
    )))
    .bind(after)
    .bind(most)
    .fetch_all(connection)
    .await?)
}

/// How many orders of a partner at stations of ours have not ended.
pub async fn open_of(connection: &mut Connection, partner: &str) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM exchange_orders WHERE side = 'ours' AND partner = $1 AND state IN ('starting', 'charging')",
    )
    .bind(partner)
    .fetch_one(connection)
    .await?)
}

/// A partner's settled orders that ended from `from` to `until`, the last moment too, at most so many.
pub async fn settled_within(
    connection: &mut Connection,
    partner: &str,
    (from, until): (Timestamp, Timestamp),
    most: i64,
) -> Result<Vec<ExchangeOrder>> {
    Ok(sqlx::query_as::<Any, ExchangeOrder>(AssertSqlSafe(format!(
        "SELECT {ORDER} FROM exchange_orders WHERE partner = $1 AND state = 'settled' AND ended_at >= $2 AND ended_at <= $3 \
         ORDER BY order_no LIMIT $4"
    )))
    .bind(partner)
    .bind(from.micros())
    .bind(until.micros())
    .bind(most)
    .fetch_all(connection)
    .await?)
}

/// The partners that have settled orders which ended from `from` until before `until`.
pub async fn partners_within(
    connection: &mut Connection,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar::<Any, String>(
        "SELECT DISTINCT partner FROM exchange_orders WHERE state = 'settled' AND ended_at >= $1 AND ended_at < $2 ORDER BY partner",
    )
    .bind(from.micros())
    .bind(until.micros())
    .fetch_all(connection)
    .await?)
}

/// The numbers of a partner's orders at stations of ours that ended within `[from, until)` and whose bill was entered as paid by the
/// partner, under the part `part`.
pub async fn entered_within(
    connection: &mut Connection,
    partner: &str,
    (from, until): (Timestamp, Timestamp),
    part: &str,
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar::<Any, String>(
        "SELECT o.order_no FROM exchange_orders o JOIN ledger_entries e ON e.entry_key = 'paid:' || \
         REPLACE(REPLACE(o.station, '%', '%25'), '/', '%2F') || '/' || REPLACE(REPLACE(o.transaction_id, '%', '%25'), '/', '%2F') || ':' || $4 \
         WHERE o.partner = $1 AND o.side = 'ours' AND o.state = 'settled' AND o.ended_at >= $2 AND o.ended_at < $3",
    )
    .bind(partner)
    .bind(from.micros())
    .bind(until.micros())
    .bind(part)
    .fetch_all(connection)
    .await?)
}

/// Which orders.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// Of a partner.
    pub partner: Option<&'a str>,
    /// Only those that are disputed.
    pub is_disputed: bool,
}

/// Orders, newest first.
pub async fn orders(
    connection: &mut Connection,
    wanted: &Wanted<'_>,
    page: &PageRequest,
) -> Result<Page<ExchangeOrder>> {
    let rows = sqlx::query_as::<Any, ExchangeOrder>(AssertSqlSafe(format!(
        "SELECT {ORDER} FROM exchange_orders WHERE ($1 IS NULL OR partner = $1) AND ($2 = 0 OR confirm_result <> 0) AND id < $3 \
         ORDER BY id DESC LIMIT $4"
    )))
    .bind(wanted.partner)
    .bind(i64::from(wanted.is_disputed))
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |order| order.id.to_string()))
}

table_row! {
    /// What there is of a partner.
    pub struct PartnerCount {
        /// The partner.
        pub partner: String,
        /// Orders.
        pub orders: i64,
        /// Those that are disputed.
        pub disputed: i64,
    }
}

/// How many orders there are of each partner.
pub async fn counts(connection: &mut Connection) -> Result<Vec<PartnerCount>> {
    Ok(sqlx::query_as::<Any, PartnerCount>(
        "SELECT partner, COUNT(*) AS orders, CAST(COALESCE(SUM(CASE WHEN confirm_result <> 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS disputed \
         FROM exchange_orders GROUP BY partner ORDER BY partner",
    )
    .fetch_all(connection)
    .await?)
}

const NOTICE: &str = "id, partner, order_no, kind, body, state, attempts, due_at, problem, made_at";

/// Writes what a partner is to be told; of one kind an order has one, and the first stays.
pub async fn add_notice(connection: &mut Connection, notice: &ExchangeNotice) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO exchange_notices (partner, order_no, kind, body, state, attempts, due_at, problem, made_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind(notice.partner.as_str())
    .bind(notice.order_no.as_str())
    .bind(notice.kind.as_str())
    .bind(notice.body.as_str())
    .bind(notice.state.as_str())
    .bind(notice.attempts)
    .bind(notice.due_at.micros())
    .bind(notice.problem.as_deref())
    .bind(notice.made_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes how far a notice has come.
pub async fn set_notice(connection: &mut Connection, notice: &ExchangeNotice) -> Result<()> {
    sqlx::query::<Any>(
        "UPDATE exchange_notices SET state = $2, attempts = $3, due_at = $4, problem = $5 WHERE id = $1",
    )
    .bind(notice.id)
    .bind(notice.state.as_str())
    .bind(notice.attempts)
    .bind(notice.due_at.micros())
    .bind(notice.problem.as_deref())
    .execute(connection)
    .await?;
    Ok(())
}

/// What is to be told to a partner by `now`, in the order in which it was made.
pub async fn due(
    connection: &mut Connection,
    partner: &str,
    now: Timestamp,
    most: i64,
) -> Result<Vec<ExchangeNotice>> {
    Ok(sqlx::query_as::<Any, ExchangeNotice>(AssertSqlSafe(format!(
        "SELECT {NOTICE} FROM exchange_notices WHERE partner = $1 AND state = 'waiting' AND due_at <= $2 ORDER BY id LIMIT $3"
    )))
    .bind(partner)
    .bind(now.micros())
    .bind(most)
    .fetch_all(connection)
    .await?)
}

table_row! {
    /// Notices of a partner in a state.
    pub struct NoticeCount {
        /// The partner.
        pub partner: String,
        /// [`WAITING`] or [`GIVEN_UP`].
        pub state: String,
        /// How many.
        pub notices: i64,
    }
}

/// How many notices wait or were given up, by partner.
pub async fn notice_counts(connection: &mut Connection) -> Result<Vec<NoticeCount>> {
    Ok(sqlx::query_as::<Any, NoticeCount>(
        "SELECT partner, state, COUNT(*) AS notices FROM exchange_notices WHERE state <> 'done' GROUP BY partner, state \
         ORDER BY partner, state",
    )
    .fetch_all(connection)
    .await?)
}

/// Gives up notices that were taken before a moment, at most so many; how many.
pub async fn forget_notices(
    connection: &mut Connection,
    before: Timestamp,
    most: i64,
) -> Result<u64> {
    let done = sqlx::query::<Any>(
        "DELETE FROM exchange_notices WHERE id IN (SELECT id FROM exchange_notices WHERE state = 'done' AND made_at < $1 \
         ORDER BY id LIMIT $2)",
    )
    .bind(before.micros())
    .bind(most)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

const COMPARISON: &str = "partner, from_at, until_at, our_count, our_wh, our_fen, their_count, their_wh, their_fen, differences, \
                          difference_count, case_id, asked_by, compared_at";

/// Writes a comparison, over the one of the same partner and time; a case that was opened of it stays.
pub async fn put_comparison(connection: &mut Connection, row: &ExchangeComparison) -> Result<()> {
    sqlx::query::<Any>(AssertSqlSafe(format!(
        "INSERT INTO exchange_comparisons ({COMPARISON}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (partner, from_at, until_at) DO UPDATE SET our_count = excluded.our_count, our_wh = excluded.our_wh, \
         our_fen = excluded.our_fen, their_count = excluded.their_count, their_wh = excluded.their_wh, their_fen = excluded.their_fen, \
         differences = excluded.differences, difference_count = excluded.difference_count, \
         case_id = COALESCE(excluded.case_id, exchange_comparisons.case_id), asked_by = excluded.asked_by, compared_at = excluded.compared_at"
    )))
    .bind(row.partner.as_str())
    .bind(row.from_at.micros())
    .bind(row.until_at.micros())
    .bind(row.our_count)
    .bind(row.our_wh)
    .bind(row.our_fen)
    .bind(row.their_count)
    .bind(row.their_wh)
    .bind(row.their_fen)
    .bind(row.differences.as_str())
    .bind(row.difference_count)
    .bind(row.case_id)
    .bind(row.asked_by.as_str())
    .bind(row.compared_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// The comparison of a partner and a time.
pub async fn comparison(
    connection: &mut Connection,
    partner: &str,
    (from, until): (Timestamp, Timestamp),
) -> Result<Option<ExchangeComparison>> {
    Ok(
        sqlx::query_as::<Any, ExchangeComparison>(AssertSqlSafe(format!(
            "SELECT {COMPARISON} FROM exchange_comparisons WHERE partner = $1 AND from_at = $2 AND until_at = $3"
        )))
        .bind(partner)
        .bind(from.micros())
        .bind(until.micros())
        .fetch_optional(connection)
        .await?,
    )
}

/// The newest comparisons; those of times with differences alone where `only_different`.
pub async fn comparisons(
    connection: &mut Connection,
    only_different: bool,
    most: i64,
) -> Result<Vec<ExchangeComparison>> {
    Ok(
        sqlx::query_as::<Any, ExchangeComparison>(AssertSqlSafe(format!(
            "SELECT {COMPARISON} FROM exchange_comparisons WHERE ($1 = 0 OR difference_count > 0) \
             ORDER BY until_at DESC, partner LIMIT $2"
        )))
        .bind(i64::from(only_different))
        .bind(most)
        .fetch_all(connection)
        .await?,
    )
}

/// How many comparisons of a partner end at a moment or later: what bounds the rows that it can make.
pub async fn compared_since(
    connection: &mut Connection,
    partner: &str,
    since: Timestamp,
) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM exchange_comparisons WHERE partner = $1 AND compared_at >= $2",
    )
    .bind(partner)
    .bind(since.micros())
    .fetch_one(connection)
    .await?)
}

const PARTNER: &str = "partner, heard_at, stations_at, statuses_at, problem, problem_at";

/// What is remembered of all partners.
pub async fn partners(connection: &mut Connection) -> Result<Vec<ExchangePartner>> {
    Ok(
        sqlx::query_as::<Any, ExchangePartner>(AssertSqlSafe(format!(
            "SELECT {PARTNER} FROM exchange_partners ORDER BY partner"
        )))
        .fetch_all(connection)
        .await?,
    )
}

/// Writes what is remembered of a partner.
pub async fn put_partner(connection: &mut Connection, row: &ExchangePartner) -> Result<()> {
    sqlx::query::<Any>(AssertSqlSafe(format!(
        "INSERT INTO exchange_partners ({PARTNER}) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (partner) DO UPDATE SET \
         heard_at = excluded.heard_at, stations_at = excluded.stations_at, statuses_at = excluded.statuses_at, \
         problem = excluded.problem, problem_at = excluded.problem_at"
    )))
    .bind(row.partner.as_str())
    .bind(row.heard_at.map(Timestamp::micros))
    .bind(row.stations_at.map(Timestamp::micros))
    .bind(row.statuses_at.map(Timestamp::micros))
    .bind(row.problem.as_deref())
    .bind(row.problem_at.map(Timestamp::micros))
    .execute(connection)
    .await?;
    Ok(())
}
