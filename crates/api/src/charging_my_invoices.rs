//! Invoices of one's own charges (申请发票): a driver asks for one of charges that are paid, with a title, and sees what became of it.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::charging_invoices::{Asking, InvoiceBody, InvoicesBody, ask, page_of, shown};
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use billing::durable::kept;
use charging::invoice::{BILLS_MAX, Buyer};
use records::charging_invoices as rows;
use records::{Event, PageRequest, audit};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Longest name of a request, bytes.
const KEY_BYTES_MAX: usize = 100;
/// What names of requests begin with that the platform makes itself.
const OWN_KEYS: &str = "red-";

/// An invoice to be asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChargingInvoiceDraft)]
pub struct AskRequest {
    /// One's own charges, by their ids: paid, of one operator, on no invoice yet.
    pub charges: Vec<String>,
    /// The title (抬头).
    pub title: String,
    /// The buyer's taxpayer's number (纳税人识别号); none for a person.
    pub tax_number: Option<String>,
    /// The asker's own name of this request: sent twice, one invoice is asked for.
    pub key: String,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
pub struct MyInvoicesQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// The invoices that one asked for, newest first.
#[utoipa::path(get, path = "/api/v1/charging/mine/invoices", tag = "charging", security(("session" = ["charging.use"])),
    params(MyInvoicesQuery), responses((status = 200, body = InvoicesBody), (status = 400, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Query(query): Query<MyInvoicesQuery>,
) -> Answer<Json<InvoicesBody>> {
    let wanted = rows::Wanted {
        account: Some(&caller.username),
        ..rows::Wanted::default()
    };
    let request = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    Ok(Json(page_of(&app, &wanted, &request).await?))
}

/// Asks for an invoice of charges of one's own that are paid.
#[utoipa::path(post, path = "/api/v1/charging/mine/invoices", tag = "charging", security(("session" = ["charging.use"])),
    request_body = AskRequest, responses((status = 201, body = InvoiceBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(request): Json<AskRequest>,
) -> Answer<(StatusCode, Json<InvoiceBody>)> {
    let key = request.key.trim();
    if key.is_empty() || key.len() > KEY_BYTES_MAX || key.starts_with(OWN_KEYS) {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "charging-key",
            [
                "请求编号为空、过长或不可用",
                "the request's key is empty, too long or not to be used",
            ],
            ["key", "key"],
            [
                "请用 1 到 100 字节的随机文字，不以 red- 开头，重发时不变",
                "take a random text of 1 to 100 bytes that does not begin with red-, the same when it is sent again",
            ],
        ));
    }
    if request.charges.len() > BILLS_MAX {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "invoice-bills",
            [
                "一张发票最多 500 次充电",
                "an invoice has at most 500 charges",
            ],
            ["发票", "invoice"],
            ["请分几张申请", "ask for several invoices"],
        ));
    }
    let mut bills = Vec::with_capacity(request.charges.len());
    for id in &request.charges {
        let session = app.own_session(&caller, id).await?;
        let bill = match session {
            Some(session) => kept(session)?.key.to_string(),
            None => {
                return Err(ApiError::both(
                    StatusCode::CONFLICT,
                    "charging-invoice-unpaid",
                    [
                        "还没有付清的充电不能开票",
                        "a charge that is not paid whole is not invoiced",
                    ],
                    ["我的充电", "my charging"],
                    [
                        "请先付清，再申请发票",
                        "pay it first, then ask for the invoice",
                    ],
                ));
            }
        };
        bills.push(bill);
    }
    let now = app.now();
    let mut write = app.records.write().await?;
    if let Some(row) = rows::asked(&mut write, &caller.username, key).await? {
        return Ok((StatusCode::CREATED, Json(shown(&mut write, row).await?)));
    }
    let tax_number = request.tax_number.as_deref().map(str::trim);
    let asking = Asking {
        account: &caller.username,
        key,
        bills: &bills,
        buyer: Buyer {
            title: request.title.trim().to_owned(),
            tax_number: tax_number
                .filter(|number| !number.is_empty())
                .map(str::to_owned),
        },
        replaces: None,
        by: &caller.name,
    };
    let row = ask(&mut write, asking, now).await?;
    let (actor, target) = (peer.actor(&caller), format!("charging-invoice:{}", row.id));
    let detail = json!({"step": "ask", "fen": row.gross_fen, "bills": bills});
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ChargingInvoice,
        &target,
        &detail,
    )
    .await?;
    let body = shown(&mut write, row).await?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(body)))
}
