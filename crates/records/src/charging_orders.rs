//! Tables of drivers' orders (车主充电), of payments and refunds, and of the provider that plays one. A payment or refund that was changed by
//! another since it was read is not written over: its revision says so. What the machines in them mean is the crate `charging`.

use crate::failure::Result;
use crate::field::table_row;
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};

table_row! {
    /// What a driver asked for.
    pub struct ChargingOrder {
        /// Its id, random; also that of its payment.
        pub id: String,
        /// The account that asked.
        pub account: String,
        /// The asker's own name of the request.
        pub request_key: String,
        /// The station's identity.
        pub station: String,
        /// Its outlet, from 1.
        pub outlet: i64,
        /// The pseudonym of the card that was made for this order alone.
        pub card: String,
        /// `holding`, `starting`, `awaited`, `begun`, `over` or `refused`.
        pub state: String,
        /// Why it came to nothing, both languages as JSON.
        pub told: Option<String>,
        /// Until when a charge has to have begun.
        pub start_by: Timestamp,
        /// When it was asked for.
        pub asked_at: Timestamp,
        /// When it changed last.
        pub changed_at: Timestamp,
    }
}

table_row! {
    /// A payment (支付单).
    pub struct ChargingPayment {
        /// Its id, the provider's order.
        pub id: String,
        /// The pseudonym of who pays.
        pub card: String,
        /// The bill that it pays, when there is one.
        pub bill: Option<String>,
        /// `open` (something is to be done), `held` (waits for the bill), `done` or `refused`.
        pub state: String,
        /// The machine, JSON.
        pub body: String,
        /// Counts its changes.
        pub revision: i64,
        /// When it was made.
        pub made_at: Timestamp,
        /// When it changed last.
        pub changed_at: Timestamp,
    }
}

table_row! {
    /// Money that is given back (退款单).
    pub struct ChargingRefund {
        /// The bill.
        pub bill: String,
        /// Tells refunds of one bill apart.
        pub part: String,
        /// The payment of which it is given back.
        pub payment: String,
        /// How much, fen.
        pub fen: i64,
        /// Why.
        pub reason: String,
        /// Who asked for it.
        pub asked_by: String,
        /// `open`, `done` or `refused`.
        pub state: String,
        /// The machine, JSON.
        pub body: String,
        /// Counts its changes.
        pub revision: i64,
        /// When it was made.
        pub made_at: Timestamp,
        /// When it changed last.
        pub changed_at: Timestamp,
    }
}

const ORDER: &str =
    "id, account, request_key, station, outlet, card, state, told, start_by, asked_at, changed_at";
/// The states of an order in which something may still come of it.
const ORDER_OPEN: &str = "state IN ('holding', 'starting', 'awaited', 'begun')";

/// Writes a new order; `false` when its account used its key before.
pub async fn add(connection: &mut Connection, order: &ChargingOrder) -> Result<bool> {
    let done = sqlx::query::<Any>(AssertSqlSafe(format!(
        "INSERT INTO charging_orders ({ORDER}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (account, request_key) DO NOTHING"
    )))
    .bind(order.id.as_str())
    .bind(order.account.as_str())
    .bind(order.request_key.as_str())
    .bind(order.station.as_str())
    .bind(order.outlet)
    .bind(order.card.as_str())
    .bind(order.state.as_str())
    .bind(order.told.as_deref())
    .bind(order.start_by.micros())
    .bind(order.asked_at.micros())
    .bind(order.changed_at.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Moves an order on; `false` when it is not in that state any more.
pub async fn step(
    connection: &mut Connection,
    id: &str,
    from: &str,
    to: &str,
    told: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE charging_orders SET state = $3, told = $4, changed_at = $5 WHERE id = $1 AND state = $2",
    )
    .bind(id)
    .bind(from)
    .bind(to)
    .bind(told)
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// An order.
pub async fn get(connection: &mut Connection, id: &str) -> Result<Option<ChargingOrder>> {
    Ok(sqlx::query_as::<Any, ChargingOrder>(AssertSqlSafe(format!(
        "SELECT {ORDER} FROM charging_orders WHERE id = $1"
    )))
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// The order of a request.
pub async fn asked(
    connection: &mut Connection,
    account: &str,
    request_key: &str,
) -> Result<Option<ChargingOrder>> {
    Ok(sqlx::query_as::<Any, ChargingOrder>(AssertSqlSafe(format!(
        "SELECT {ORDER} FROM charging_orders WHERE account = $1 AND request_key = $2"
    )))
    .bind(account)
    .bind(request_key)
    .fetch_optional(connection)
    .await?)
}

/// The orders of which something may still come, oldest first.
pub async fn open(connection: &mut Connection, most: i64) -> Result<Vec<ChargingOrder>> {
    Ok(sqlx::query_as::<Any, ChargingOrder>(AssertSqlSafe(format!(
        "SELECT {ORDER} FROM charging_orders WHERE {ORDER_OPEN} ORDER BY asked_at LIMIT $1"
    )))
    .bind(most)
    .fetch_all(connection)
    .await?)
}

/// How many orders of an account have not ended.
pub async fn open_of(connection: &mut Connection, account: &str) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(AssertSqlSafe(format!(
        "SELECT COUNT(*) FROM charging_orders WHERE account = $1 AND {ORDER_OPEN}"
    )))
    .bind(account)
    .fetch_one(connection)
    .await?)
}

/// The outlets that orders have which have not ended: station and outlet.
pub async fn taken(connection: &mut Connection) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as::<Any, (String, i64)>(AssertSqlSafe(format!(
        "SELECT station, outlet FROM charging_orders WHERE {ORDER_OPEN}"
    )))
    .fetch_all(connection)
    .await?)
}

/// An account's orders that were asked for before a time, newest first.
pub async fn of(
    connection: &mut Connection,
    account: &str,
    before: Timestamp,
    most: i64,
) -> Result<Vec<ChargingOrder>> {
    Ok(
        sqlx::query_as::<Any, ChargingOrder>(AssertSqlSafe(format!(
            "SELECT {ORDER} FROM charging_orders WHERE account = $1 AND asked_at < $2 ORDER BY asked_at DESC, id LIMIT $3"
        )))
        .bind(account)
        .bind(before.micros())
        .bind(most)
        .fetch_all(connection)
        .await?,
    )
}

/// The numbers of the sessions of a holder's cards for which no order was made, that began before a time, newest first.
pub async fn other_sessions(
    connection: &mut Connection,
    holder: &str,
    before: Timestamp,
    most: i64,
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT s.id FROM charging_sessions s JOIN charging_cards c ON c.card = s.card WHERE c.holder = $1 \
         AND NOT EXISTS (SELECT 1 FROM charging_orders o WHERE o.card = s.card) \
         AND COALESCE(s.started_at, s.changed_at) < $2 ORDER BY COALESCE(s.started_at, s.changed_at) DESC, s.id DESC LIMIT $3",
    )
    .bind(holder)
    .bind(before.micros())
    .bind(most)
    .fetch_all(connection)
    .await?)
}

/// The newest session of a card, by its number.
pub async fn session_of_card(connection: &mut Connection, card: &str) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT id FROM charging_sessions WHERE card = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind(card)
    .fetch_optional(connection)
    .await?)
}

/// What a holder owes, fen: of bills for which no payment is under way.
pub async fn owed(connection: &mut Connection, holder: &str) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT CAST(COALESCE(SUM(b.billed_fen - b.paid_fen), 0) AS BIGINT) FROM charging_cards c \
         JOIN charging_sessions s ON s.card = c.card \
         JOIN ledger_bills b ON b.bill = REPLACE(REPLACE(s.station, '%', '%25'), '/', '%2F') || '/' || \
         REPLACE(REPLACE(s.transaction_id, '%', '%25'), '/', '%2F') \
         WHERE c.holder = $1 AND NOT EXISTS (SELECT 1 FROM charging_payments p WHERE p.card = s.card AND p.state IN ('open', 'held') \
         AND (p.bill IS NULL OR p.bill = b.bill))",
    )
    .bind(holder)
    .fetch_one(connection)
    .await?)
}

const PAYMENT: &str = "id, card, bill, state, body, revision, made_at, changed_at";

/// Writes a new payment; `false` when there is one with its id.
pub async fn add_payment(connection: &mut Connection, payment: &ChargingPayment) -> Result<bool> {
    let done = sqlx::query::<Any>(AssertSqlSafe(format!(
        "INSERT INTO charging_payments ({PAYMENT}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING"
    )))
    .bind(payment.id.as_str())
    .bind(payment.card.as_str())
    .bind(payment.bill.as_deref())
    .bind(payment.state.as_str())
    .bind(payment.body.as_str())
    .bind(payment.revision)
    .bind(payment.made_at.micros())
    .bind(payment.changed_at.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a payment over the one of the revision before; `false` when another did meanwhile.
pub async fn put_payment(connection: &mut Connection, payment: &ChargingPayment) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE charging_payments SET bill = $2, state = $3, body = $4, revision = $5, changed_at = $6 \
         WHERE id = $1 AND revision = $5 - 1",
    )
    .bind(payment.id.as_str())
    .bind(payment.bill.as_deref())
    .bind(payment.state.as_str())
    .bind(payment.body.as_str())
    .bind(payment.revision)
    .bind(payment.changed_at.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A payment.
pub async fn payment(connection: &mut Connection, id: &str) -> Result<Option<ChargingPayment>> {
    Ok(
        sqlx::query_as::<Any, ChargingPayment>(AssertSqlSafe(format!(
            "SELECT {PAYMENT} FROM charging_payments WHERE id = $1"
        )))
        .bind(id)
        .fetch_optional(connection)
        .await?,
    )
}

/// The payments of a card, oldest first.
pub async fn payments_of(connection: &mut Connection, card: &str) -> Result<Vec<ChargingPayment>> {
    Ok(
        sqlx::query_as::<Any, ChargingPayment>(AssertSqlSafe(format!(
            "SELECT {PAYMENT} FROM charging_payments WHERE card = $1 ORDER BY made_at, id"
        )))
        .bind(card)
        .fetch_all(connection)
        .await?,
    )
}

/// The payments of a bill, oldest first.
pub async fn payments_for(connection: &mut Connection, bill: &str) -> Result<Vec<ChargingPayment>> {
    Ok(
        sqlx::query_as::<Any, ChargingPayment>(AssertSqlSafe(format!(
            "SELECT {PAYMENT} FROM charging_payments WHERE bill = $1 ORDER BY made_at, id"
        )))
        .bind(bill)
        .fetch_all(connection)
        .await?,
    )
}

/// The payments of which something is to be done, those first that waited longest.
pub async fn open_payments(connection: &mut Connection, most: i64) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar::<Any, String>(
        "SELECT id FROM charging_payments WHERE state = 'open' ORDER BY changed_at LIMIT $1",
    )
    .bind(most)
    .fetch_all(connection)
    .await?)
}

/// The payments that wait for a bill which is there, with the number of its session.
pub async fn billed_payments(connection: &mut Connection, most: i64) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as::<Any, (String, i64)>(
        "SELECT p.id, s.id FROM charging_payments p JOIN charging_sessions s ON s.card = p.card \
         WHERE p.state = 'held' AND s.state = 'billed' AND (p.bill IS NULL OR p.bill = \
         REPLACE(REPLACE(s.station, '%', '%25'), '/', '%2F') || '/' || REPLACE(REPLACE(s.transaction_id, '%', '%25'), '/', '%2F')) \
         ORDER BY p.changed_at LIMIT $1",
    )
    .bind(most)
    .fetch_all(connection)
    .await?)
}

const REFUND: &str =
    "bill, part, payment, fen, reason, asked_by, state, body, revision, made_at, changed_at";

/// Writes a new refund; `false` when its bill has one with its part.
pub async fn add_refund(connection: &mut Connection, refund: &ChargingRefund) -> Result<bool> {
    let done = sqlx::query::<Any>(AssertSqlSafe(format!(
        "INSERT INTO charging_refunds ({REFUND}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (bill, part) DO NOTHING"
    )))
    .bind(refund.bill.as_str())
    .bind(refund.part.as_str())
    .bind(refund.payment.as_str())
    .bind(refund.fen)
    .bind(refund.reason.as_str())
    .bind(refund.asked_by.as_str())
    .bind(refund.state.as_str())
    .bind(refund.body.as_str())
    .bind(refund.revision)
    .bind(refund.made_at.micros())
    .bind(refund.changed_at.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a refund over the one of the revision before; `false` when another did meanwhile.
pub async fn put_refund(connection: &mut Connection, refund: &ChargingRefund) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE charging_refunds SET state = $3, body = $4, revision = $5, changed_at = $6 \
         WHERE bill = $1 AND part = $2 AND revision = $5 - 1",
    )
    .bind(refund.bill.as_str())
    .bind(refund.part.as_str())
    .bind(refund.state.as_str())
    .bind(refund.body.as_str())
    .bind(refund.revision)
    .bind(refund.changed_at.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The refunds of a bill, oldest first.
pub async fn refunds_of(connection: &mut Connection, bill: &str) -> Result<Vec<ChargingRefund>> {
    Ok(sqlx::query_as::<Any, ChargingRefund>(AssertSqlSafe(format!(
        "SELECT {REFUND} FROM charging_refunds WHERE bill = $1 ORDER BY made_at, part"
    )))
    .bind(bill)
    .fetch_all(connection)
    .await?)
}

/// A refund.
pub async fn refund(
    connection: &mut Connection,
    bill: &str,
    part: &str,
) -> Result<Option<ChargingRefund>> {
    Ok(sqlx::query_as::<Any, ChargingRefund>(AssertSqlSafe(format!(
        "SELECT {REFUND} FROM charging_refunds WHERE bill = $1 AND part = $2"
    )))
    .bind(bill)
    .bind(part)
    .fetch_optional(connection)
    .await?)
}

/// Bill and part of the refunds of which something is to be done, those first that waited longest.
pub async fn open_refunds(connection: &mut Connection, most: i64) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as::<Any, (String, String)>(
        "SELECT bill, part FROM charging_refunds WHERE state = 'open' ORDER BY changed_at LIMIT $1",
    )
    .bind(most)
    .fetch_all(connection)
    .await?)
}

/// Keeps that a case came of a session.
pub async fn add_case(
    connection: &mut Connection,
    session: i64,
    kind: &str,
    case_id: i64,
    at: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO charging_cases (session, kind, case_id, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(session)
    .bind(kind)
    .bind(case_id)
    .bind(at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// The cases of a session: kind and case, oldest first.
pub async fn cases_of(connection: &mut Connection, session: i64) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as::<Any, (String, i64)>(
        "SELECT kind, case_id FROM charging_cases WHERE session = $1 ORDER BY at, case_id",
    )
    .bind(session)
    .fetch_all(connection)
    .await?)
}

/// The sessions whose bill was corrected and of which no case came yet.
pub async fn corrected_without_case(connection: &mut Connection, most: i64) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT s.id FROM charging_sessions s WHERE s.correction IS NOT NULL AND s.state = 'billed' AND NOT EXISTS \
         (SELECT 1 FROM charging_cases c WHERE c.session = s.id AND c.kind = 'correction') ORDER BY s.id LIMIT $1",
    )
    .bind(most)
    .fetch_all(connection)
    .await?)
}

/// An order of the provider that plays one, JSON.
pub async fn sandbox_order(connection: &mut Connection, order: &str) -> Result<Option<String>> {
    Ok(
        sqlx::query_scalar::<Any, String>("SELECT body FROM sandbox_orders WHERE order_id = $1")
            .bind(order)
            .fetch_optional(connection)
            .await?,
    )
}

/// What the provider that plays one was asked under a key, and what it answered, both JSON.
pub async fn sandbox_answer(
    connection: &mut Connection,
    request_key: &str,
) -> Result<Option<(String, String)>> {
    Ok(sqlx::query_as::<Any, (String, String)>(
        "SELECT request, answer FROM sandbox_answers WHERE request_key = $1",
    )
    .bind(request_key)
    .fetch_optional(connection)
    .await?)
}

/// Keeps what the provider that plays one was asked and answered, and what became of the order.
pub async fn put_sandbox(
    connection: &mut Connection,
    (request_key, request, answer): (&str, &str, &str),
    order: Option<(&str, &str)>,
    at: Timestamp,
) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO sandbox_answers (request_key, request, answer, at) VALUES ($1, $2, $3, $4)",
    )
    .bind(request_key)
    .bind(request)
    .bind(answer)
    .bind(at.micros())
    .execute(&mut *connection)
    .await?;
    if let Some((id, body)) = order {
        sqlx::query::<Any>(
            "INSERT INTO sandbox_orders (order_id, body) VALUES ($1, $2) ON CONFLICT (order_id) DO UPDATE SET body = excluded.body",
        )
        .bind(id)
        .bind(body)
        .execute(connection)
        .await?;
    }
    Ok(())
}
