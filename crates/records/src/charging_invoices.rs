//! Tables of invoices of charging (充电发票): sellers with their tax settings, invoices that were asked for, and which bill stands on which.
//! That a bill stands on one invoice only is held here; what an invoice is made of is `charging::invoice`.

use crate::failure::Result;
use crate::field::table_row;
use crate::page::{Page, PageRequest};
use crate::store::Connection;
use model::Timestamp;
use sqlx::{Any, AssertSqlSafe};

/// [`ChargingInvoice::state`]: asked for, to be issued.
pub const ASKED: &str = "asked";
/// [`ChargingInvoice::state`]: issued by the tax administration's platform, under its number.
pub const ISSUED: &str = "issued";
/// [`ChargingInvoice::state`]: not issued; its bills are free again.
pub const DECLINED: &str = "declined";
/// [`ChargingInvoice::state`]: taken back by a red one; its bills are free again.
pub const REVERSED: &str = "reversed";

table_row! {
    /// Who sells (销售方), and how it is taxed.
    pub struct ChargingSeller {
        /// The operator whose income it is.
        pub operator: String,
        /// `charging::invoice::Seller`, JSON.
        pub body: String,
        /// When it was written last.
        pub changed_at: Timestamp,
        /// By whom.
        pub changed_by: String,
    }
}

table_row! {
    /// An invoice (发票).
    pub struct ChargingInvoice {
        /// Counts up; 0 in what is written.
        pub id: i64,
        /// The account that asked.
        pub account: String,
        /// The asker's own name of the request.
        pub request_key: String,
        /// Whose income it is.
        pub operator: String,
        /// [`ASKED`], [`ISSUED`], [`DECLINED`] or [`REVERSED`].
        pub state: String,
        /// `charging::invoice::Invoice`, JSON.
        pub body: String,
        /// What it comes to with tax, fen.
        pub gross_fen: i64,
        /// The number that the tax administration's platform gave it.
        pub number: Option<String>,
        /// The number of the red one (红字) that took it back.
        pub red_number: Option<String>,
        /// Why it was declined or taken back.
        pub note: Option<String>,
        /// The invoice of which this one is what is left.
        pub replaces: Option<i64>,
        /// When it was asked for.
        pub asked_at: Timestamp,
        /// When it changed last.
        pub changed_at: Timestamp,
        /// By whom.
        pub changed_by: String,
    }
}

/// Writes how a seller is taxed, over what was there.
pub async fn put_seller(connection: &mut Connection, row: &ChargingSeller) -> Result<()> {
    sqlx::query::<Any>(
        "INSERT INTO charging_sellers (operator, body, changed_at, changed_by) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (operator) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at, changed_by = excluded.changed_by",
    )
    .bind(row.operator.as_str())
    .bind(row.body.as_str())
    .bind(row.changed_at.micros())
    .bind(row.changed_by.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// How an operator is taxed.
pub async fn seller(connection: &mut Connection, operator: &str) -> Result<Option<ChargingSeller>> {
    Ok(sqlx::query_as::<Any, ChargingSeller>(
        "SELECT operator, body, changed_at, changed_by FROM charging_sellers WHERE operator = $1",
    )
    .bind(operator)
    .fetch_optional(connection)
    .await?)
}

/// All sellers, by operator.
pub async fn sellers(connection: &mut Connection) -> Result<Vec<ChargingSeller>> {
    Ok(sqlx::query_as::<Any, ChargingSeller>(
        "SELECT operator, body, changed_at, changed_by FROM charging_sellers ORDER BY operator",
    )
    .fetch_all(connection)
    .await?)
}

const INVOICE: &str = "id, account, request_key, operator, state, body, gross_fen, number, red_number, note, replaces, asked_at, \
                       changed_at, changed_by";

/// Writes an invoice that is asked for; its id.
pub async fn add(connection: &mut Connection, row: &ChargingInvoice) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "INSERT INTO charging_invoices (account, request_key, operator, state, body, gross_fen, number, red_number, note, replaces, \
         asked_at, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id",
    )
    .bind(row.account.as_str())
    .bind(row.request_key.as_str())
    .bind(row.operator.as_str())
    .bind(row.state.as_str())
    .bind(row.body.as_str())
    .bind(row.gross_fen)
    .bind(row.number.as_deref())
    .bind(row.red_number.as_deref())
    .bind(row.note.as_deref())
    .bind(row.replaces)
    .bind(row.asked_at.micros())
    .bind(row.changed_at.micros())
    .bind(row.changed_by.as_str())
    .fetch_one(connection)
    .await?)
}

/// Puts a bill on an invoice; `false` when it stands on one already.
pub async fn put_bill(connection: &mut Connection, bill: &str, invoice: i64) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "INSERT INTO charging_invoice_bills (bill, invoice) VALUES ($1, $2) ON CONFLICT (bill) DO NOTHING",
    )
    .bind(bill)
    .bind(invoice)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Moves an invoice on from a state; `false` when it is not in that state any more.
pub async fn step(connection: &mut Connection, from: &str, row: &ChargingInvoice) -> Result<bool> {
    let done = sqlx::query::<Any>(
        "UPDATE charging_invoices SET state = $3, number = $4, red_number = $5, note = $6, changed_at = $7, changed_by = $8 \
         WHERE id = $1 AND state = $2",
    )
    .bind(row.id)
    .bind(from)
    .bind(row.state.as_str())
    .bind(row.number.as_deref())
    .bind(row.red_number.as_deref())
    .bind(row.note.as_deref())
    .bind(row.changed_at.micros())
    .bind(row.changed_by.as_str())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets an invoice's bills go, so that they can stand on another.
pub async fn free_bills(connection: &mut Connection, invoice: i64) -> Result<()> {
    sqlx::query::<Any>("DELETE FROM charging_invoice_bills WHERE invoice = $1")
        .bind(invoice)
        .execute(connection)
        .await?;
    Ok(())
}

/// An invoice.
pub async fn get(connection: &mut Connection, id: i64) -> Result<Option<ChargingInvoice>> {
    Ok(
        sqlx::query_as::<Any, ChargingInvoice>(AssertSqlSafe(format!(
            "SELECT {INVOICE} FROM charging_invoices WHERE id = $1"
        )))
        .bind(id)
        .fetch_optional(connection)
        .await?,
    )
}

/// The invoice of a request.
pub async fn asked(
    connection: &mut Connection,
    account: &str,
    request_key: &str,
) -> Result<Option<ChargingInvoice>> {
    Ok(
        sqlx::query_as::<Any, ChargingInvoice>(AssertSqlSafe(format!(
            "SELECT {INVOICE} FROM charging_invoices WHERE account = $1 AND request_key = $2"
        )))
        .bind(account)
        .bind(request_key)
        .fetch_optional(connection)
        .await?,
    )
}

/// The id of the invoice that has a number, as its own or as its red one's.
pub async fn numbered(connection: &mut Connection, number: &str) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT id FROM charging_invoices WHERE number = $1 OR red_number = $1",
    )
    .bind(number)
    .fetch_optional(connection)
    .await?)
}

/// The invoice that a bill stands on.
pub async fn of_bill(connection: &mut Connection, bill: &str) -> Result<Option<i64>> {
    Ok(
        sqlx::query_scalar::<Any, i64>(
            "SELECT invoice FROM charging_invoice_bills WHERE bill = $1",
        )
        .bind(bill)
        .fetch_optional(connection)
        .await?,
    )
}

/// What was paid of an invoice's bills and not given back, as the ledger has it now, fen.
pub async fn left(connection: &mut Connection, invoice: i64) -> Result<i64> {
    Ok(sqlx::query_scalar::<Any, i64>(
        "SELECT CAST(COALESCE(SUM(b.paid_fen - b.refunded_fen), 0) AS BIGINT) FROM charging_invoice_bills i \
         JOIN ledger_bills b ON b.bill = i.bill WHERE i.invoice = $1",
    )
    .bind(invoice)
    .fetch_one(connection)
    .await?)
}

/// Which invoices.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// Of an account.
    pub account: Option<&'a str>,
    /// In a state.
    pub state: Option<&'a str>,
    /// Only those that stand for more or less than is left of their bills now.
    pub is_changed: bool,
}

/// Invoices, newest first.
pub async fn list(
    connection: &mut Connection,
    wanted: &Wanted<'_>,
    page: &PageRequest,
) -> Result<Page<ChargingInvoice>> {
    let rows = sqlx::query_as::<Any, ChargingInvoice>(AssertSqlSafe(format!(
        "SELECT {INVOICE} FROM charging_invoices v WHERE ($1 IS NULL OR account = $1) AND ($2 IS NULL OR state = $2) AND ($3 = 0 OR \
         (state IN ('asked', 'issued') AND gross_fen <> (SELECT COALESCE(SUM(b.paid_fen - b.refunded_fen), 0) \
         FROM charging_invoice_bills i JOIN ledger_bills b ON b.bill = i.bill WHERE i.invoice = v.id))) AND id < $4 \
         ORDER BY id DESC LIMIT $5"
    )))
    .bind(wanted.account)
    .bind(wanted.state)
    .bind(i64::from(wanted.is_changed))
    .bind(page.after_number()?.unwrap_or(i64::MAX))
    .bind(page.fetch())
    .fetch_all(connection)
    .await?;
    Ok(Page::cut(rows, page, |row| row.id.to_string()))
}
