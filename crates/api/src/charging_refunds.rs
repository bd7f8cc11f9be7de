//! Money of a charge given back (退款): asked for by an operator with a reason, entered in the ledger first, then asked of the provider.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::charging_drivers::{driving, money};
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use billing::durable::kept;
use charging::Fen;
use model::Told;
use model::problem::both;
use records::charging as books;
use records::charging_orders::{self as rows, ChargingPayment, ChargingRefund};
use records::{Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// Longest reason, characters.
const REASON_CHARS_MAX: usize = 1_000;
/// Longest name of a request, bytes.
const KEY_BYTES_MAX: usize = 100;

/// A payment of a bill.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingPayment)]
pub struct PaymentBody {
    /// Its id at the provider.
    pub id: String,
    /// `open`, `held` (waits for the bill), `done` or `refused`.
    pub state: String,
    /// When it was made.
    pub made_at: String,
    /// When it changed last.
    pub changed_at: String,
}

impl From<ChargingPayment> for PaymentBody {
    fn from(row: ChargingPayment) -> Self {
        Self {
            id: row.id,
            state: row.state,
            made_at: row.made_at.to_string(),
            changed_at: row.changed_at.to_string(),
        }
    }
}

/// Money of a bill that is given back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingRefund)]
pub struct RefundBody {
    /// Tells it from others of the bill.
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
    /// When it was asked for.
    pub made_at: String,
}

impl From<ChargingRefund> for RefundBody {
    fn from(row: ChargingRefund) -> Self {
        Self {
            part: row.part,
            payment: row.payment,
            fen: row.fen,
            reason: row.reason,
            asked_by: row.asked_by,
            state: row.state,
            made_at: row.made_at.to_string(),
        }
    }
}

/// The payments and refunds of a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingPayments)]
pub struct PaymentsBody {
    /// Payments, oldest first.
    pub payments: Vec<PaymentBody>,
    /// Refunds, oldest first.
    pub refunds: Vec<RefundBody>,
    /// What can still be given back, fen.
    pub refundable_fen: i64,
    /// Cases that came of it.
    pub cases: Vec<i64>,
}

/// The payments and refunds of a session.
#[utoipa::path(get, path = "/api/v1/charging/sessions/{id}/payments", tag = "charging", security(("session" = ["charging.read"])),
    params(("id" = i64, Path)), responses((status = 200, body = PaymentsBody), (status = 404, body = ProblemBody)))]
pub async fn payments(State(app): State<App>, Path(id): Path<i64>) -> Answer<Json<PaymentsBody>> {
    let mut read = app.records.read().await?;
    let row = books::session_numbered(&mut read, id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("charging session", id))?;
    let bill = kept(row)?.key.to_string();
    let ledger = books::money(&mut read, &bill).await?;
    let paid = rows::payments_for(&mut read, &bill).await?;
    let refunds = rows::refunds_of(&mut read, &bill).await?;
    let cases = rows::cases_of(&mut read, id).await?;
    Ok(Json(PaymentsBody {
        payments: paid.into_iter().map(Into::into).collect(),
        refunds: refunds.into_iter().map(Into::into).collect(),
        refundable_fen: ledger.map_or(0, |money| money.paid_fen - money.refunded_fen),
        cases: cases.into_iter().map(|(_, case)| case).collect(),
    }))
}

/// Money to be given back.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChargingRefundDraft)]
pub struct RefundRequest {
    /// How much, fen.
    pub fen: i64,
    /// Why.
    pub reason: String,
    /// The asker's own name of this request: sent twice, it is given back once.
    pub key: String,
}

/// Gives some of what was paid back. What the provider has not answered yet is gone on with.
#[utoipa::path(post, path = "/api/v1/charging/sessions/{id}/refunds", tag = "charging", security(("session" = ["charging.manage"])),
    params(("id" = i64, Path)), request_body = RefundRequest, responses((status = 201, body = PaymentsBody), (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn refund(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<RefundRequest>,
) -> Answer<(StatusCode, Json<PaymentsBody>)> {
    let cashier = &driving(app.charging()?)?.cashier;
    let (reason, key) = (request.reason.trim(), request.key.trim());
    let is_reason = (1..=REASON_CHARS_MAX).contains(&reason.chars().count());
    if !is_reason || key.is_empty() || key.len() > KEY_BYTES_MAX || request.fen <= 0 {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "charging-refund",
            [
                "退款金额、理由或请求编号不对",
                "the amount, the reason or the key of the refund is wrong",
            ],
            ["退款", "refund"],
            [
                "请写大于 0 的金额（分）、1 到 1000 字的理由和 1 到 100 字节的请求编号",
                "write an amount above 0 (fen), a reason of 1 to 1,000 characters and a key of 1 to 100 bytes",
            ],
        ));
    }
    let now = app.now();
    let mut write = app.records.write().await?;
    let row = books::session_numbered(&mut write, id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("charging session", id))?;
    let bill = kept(row)?.key.to_string();
    if rows::refund(&mut write, &bill, key).await?.is_none() {
        let payment = payment_with(&mut write, &bill, request.fen).await?;
        drop(write);
        let payment = cashier.look(&payment).await.map_err(money)?;
        write = app.records.write().await?;
        let by = (caller.name.as_str(), reason);
        let of = (bill.as_str(), key);
        (cashier.begin_refund(&mut write, &payment, of, Fen(request.fen), by, now)).await?;
        let detail = json!({"payment": payment.order(), "fen": request.fen, "note": reason});
        let (actor, target) = (peer.actor(&caller), format!("charging:{id}"));
        audit::insert(
            &mut write,
            now,
            &actor,
            Event::ChargingRefund,
            &target,
            &detail,
        )
        .await?;
        write.commit().await?;
    } else {
        drop(write);
    }
    cashier
        .advance_refund(&bill, key, now)
        .await
        .map_err(money)?;
    Ok((StatusCode::CREATED, payments(State(app), Path(id)).await?))
}

/// A payment of a bill of which so much can still be given back.
async fn payment_with(read: &mut records::Connection, bill: &str, fen: i64) -> Answer<String> {
    let refunds = rows::refunds_of(read, bill).await?;
    let mut most = 0;
    for payment in rows::payments_for(read, bill).await? {
        let Some((_, postings)) =
            books::entry(read, &format!("paid:{bill}:{}", payment.id)).await?
        else {
            continue;
        };
        let paid: i64 = postings.iter().map(|posting| posting.fen.max(0)).sum();
        let back: i64 = (refunds.iter())
            .filter(|refund| refund.payment == payment.id && refund.state != "refused")
            .map(|refund| refund.fen)
            .sum();
        if paid - back >= fen {
            return Ok(payment.id);
        }
        most = most.max(paid - back);
    }
    Err(ApiError::told(
        StatusCode::CONFLICT,
        Told::new(
            "charging-refund-too-much",
            both(
                format!("一笔支付最多还能退 {}.{:02} 元", most / 100, most % 100),
                format!(
                    "of one payment {}.{:02} yuan can be given back at most",
                    most / 100,
                    most % 100
                ),
            ),
            both("退款", "refund"),
            both(
                "请减少金额；付过几次的，请分几次退",
                "give back less; what was paid in parts is given back in parts",
            ),
        ),
    ))
}
