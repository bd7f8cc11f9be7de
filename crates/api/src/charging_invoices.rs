//! Invoices of charging (充电发票) for who issues them: what drivers asked for, and the numbers that the tax administration's platform
//! (数电发票) gave. A bill stands on one invoice only. After a refund the invoice of a bill is taken back by a red one (红字), and what is left
//! is asked for anew by itself. Who sells is `charging_sellers`, the data that is handed over `charging_invoice_export`.
//!
//! ```text
//! asked ──number──▶ issued ──number of the red one──▶ reversed (after a refund: a new one of what is left is asked)
//!   └─reason──▶ declined
//! ```

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::charging_sellers::seller_of;
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use billing::durable::kept;
use charging::invoice::{Buyer, Invoice, Invoiced, Item, invoice};
use charging::settle::Parts;
use charging::{Fen, LineKind, SessionKey};
use model::problem::quote;
use model::{Timestamp, Told};
use records::charging as books;
use records::charging_invoices::{self as rows, ChargingInvoice};
use records::{Connection, Event, PageRequest, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Longest reason, characters.
const NOTE_CHARS_MAX: usize = 1_000;
/// Digits of the number of an electronic invoice (数电发票号码).
const NUMBER_DIGITS: usize = 20;
/// A kind of line by its word: `energy`, `service`, `parking`, `idle`.
pub(crate) const fn word(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Energy => "energy",
        LineKind::Service => "service",
        LineKind::Parking => "parking",
        LineKind::Idle => "idle",
    }
}

/// An item of an invoice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingInvoiceItem)]
pub struct ItemBody {
    /// `energy`, `service`, `parking` or `idle`.
    pub kind: String,
    /// The classification code, 19 digits.
    pub code: String,
    /// The rate, percent.
    pub rate_percent: u8,
    /// Without tax, fen.
    pub net_fen: i64,
    /// Tax, fen.
    pub tax_fen: i64,
    /// With tax, fen.
    pub gross_fen: i64,
}

impl ItemBody {
    pub(crate) fn of(item: Item) -> Self {
        Self {
            kind: word(item.kind).to_owned(),
            code: item.code,
            rate_percent: item.rate_percent,
            net_fen: item.net.0,
            tax_fen: item.tax.0,
            gross_fen: item.gross.0,
        }
    }
}

/// An invoice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingInvoice)]
pub struct InvoiceBody {
    /// Its number here.
    pub id: i64,
    /// `asked`, `issued`, `declined` or `reversed`.
    pub state: String,
    /// Whose income it is.
    pub operator: String,
    /// The title (抬头).
    pub title: String,
    /// The buyer's taxpayer's number; null for a person.
    pub tax_number: Option<String>,
    /// The seller's name.
    pub seller: String,
    /// The seller's number.
    pub seller_tax_number: String,
    /// The bills, `station/transaction`.
    pub bills: Vec<String>,
    /// Its items.
    pub items: Vec<ItemBody>,
    /// Without tax, fen.
    pub net_fen: i64,
    /// Tax, fen.
    pub tax_fen: i64,
    /// With tax, fen.
    pub gross_fen: i64,
    /// What is left of its bills now, fen; null once it was declined or taken back.
    pub left_fen: Option<i64>,
    /// Whether that is another sum than its own: one that is issued is to be taken back by a red one.
    pub is_changed: bool,
    /// The number that the tax administration's platform gave it.
    pub number: Option<String>,
    /// The number of the red one that took it back.
    pub red_number: Option<String>,
    /// Why it was declined or taken back.
    pub note: Option<String>,
    /// The invoice of which this one is what is left.
    pub replaces: Option<i64>,
    /// When it was asked for.
    pub asked_at: String,
    /// When it changed last.
    pub changed_at: String,
}

/// An invoice's data as its row has it.
pub(crate) fn data(row: &ChargingInvoice) -> Answer<Invoice> {
    serde_json::from_str(&row.body).map_err(ApiError::internal)
}

/// An invoice as people see it.
pub(crate) async fn shown(read: &mut Connection, row: ChargingInvoice) -> Answer<InvoiceBody> {
    let made = data(&row)?;
    let left_fen = match row.state.as_str() {
        rows::ASKED | rows::ISSUED => Some(rows::left(read, row.id).await?),
        _ => None,
    };
    Ok(InvoiceBody {
        id: row.id,
        state: row.state,
        operator: row.operator,
        title: made.buyer.title,
        tax_number: made.buyer.tax_number,
        seller: made.seller,
        seller_tax_number: made.seller_tax_number,
        bills: made.bills,
        items: made.items.into_iter().map(ItemBody::of).collect(),
        net_fen: made.net.0,
        tax_fen: made.tax.0,
        gross_fen: made.gross.0,
        left_fen,
        is_changed: left_fen.is_some_and(|left| left != made.gross.0),
        number: row.number,
        red_number: row.red_number,
        note: row.note,
        replaces: row.replaces,
        asked_at: row.asked_at.to_string(),
        changed_at: row.changed_at.to_string(),
    })
}

pub(crate) fn refuse(code: &str, what: [&str; 2], mend: [&str; 2]) -> ApiError {
    let place = ["充电发票", "invoice of charging"];
    ApiError::both(StatusCode::CONFLICT, code, what, place, mend)
}

/// What the reckoning of an invoice says, as an answer: 400 for what was written, 409 for what stands in the records.
fn told(told: Told) -> ApiError {
    let status = match told.code.as_str() {
        "invoice-bills" | "invoice-buyer" | "invoice-seller" => StatusCode::BAD_REQUEST,
        _ => StatusCode::CONFLICT,
    };
    ApiError::told(status, told)
}

/// What is left of a bill to be invoiced, and whose income it is. Who did not pay it whole has nothing to be invoiced yet.
async fn left_of(read: &mut Connection, bill: &str) -> Answer<(Invoiced, String)> {
    let gone = || ApiError::not_found("bill", quote(bill));
    let key = SessionKey::named(bill).ok_or_else(gone)?;
    let row = books::session(read, &key.station, &key.transaction).await?;
    let whole = kept(row.ok_or_else(gone)?)?;
    let unpaid = || {
        refuse(
            "charging-invoice-unpaid",
            [
                "还没有付清的充电不能开票",
                "a charge that is not paid whole is not invoiced",
            ],
            [
                "请先付清，再申请发票",
                "pay it first, then ask for the invoice",
            ],
        )
    };
    let money = books::money(read, bill).await?.ok_or_else(unpaid)?;
    if money.billed_fen > money.paid_fen {
        return Err(unpaid());
    }
    let bill_of = whole.bill.ok_or_else(unpaid)?.bill;
    let all = Parts::of(&bill_of);
    let parts = all.less(all.total() - Fen(money.paid_fen - money.refunded_fen));
    let parts = parts.ok_or_else(|| ApiError::internal("more was paid than a bill comes to"))?;
    let bill = bill.to_owned();
    Ok((Invoiced { bill, parts }, whole.operator))
}

/// Who asks for an invoice, for which bills.
pub(crate) struct Asking<'a> {
    /// The account.
    pub account: &'a str,
    /// The asker's own name of the request.
    pub key: &'a str,
    /// The bills.
    pub bills: &'a [String],
    /// Who buys.
    pub buyer: Buyer,
    /// The invoice of which this one is what is left.
    pub replaces: Option<i64>,
    /// Who did it.
    pub by: &'a str,
}

/// Makes an invoice of bills and writes it, where none of them stands on another.
pub(crate) async fn ask(
    write: &mut Connection,
    asking: Asking<'_>,
    now: Timestamp,
) -> Answer<ChargingInvoice> {
    let mut all = Vec::with_capacity(asking.bills.len());
    let mut operator: Option<String> = None;
    for bill in asking.bills {
        let (left, whose) = left_of(write, bill).await?;
        if operator.as_ref().is_some_and(|before| *before != whose) {
            return Err(refuse(
                "charging-invoice-operators",
                [
                    "这些充电属于不同的运营商",
                    "these charges are of different operators",
                ],
                [
                    "请按运营商分别申请",
                    "ask for an invoice of each operator's charges apart",
                ],
            ));
        }
        operator = Some(whose);
        all.push(left);
    }
    let operator = operator.unwrap_or_default();
    if all.is_empty() {
        return Err(told(charging::invoice::no_bills()));
    }
    let seller = seller_of(write, &operator).await?;
    let made = invoice(&all, &asking.buyer, &seller, now).map_err(told)?;
    let mut row = ChargingInvoice {
        id: 0,
        account: asking.account.to_owned(),
        request_key: asking.key.to_owned(),
        operator,
        state: rows::ASKED.to_owned(),
        body: serde_json::to_string(&made).map_err(ApiError::internal)?,
        gross_fen: made.gross.0,
        number: None,
        red_number: None,
        note: None,
        replaces: asking.replaces,
        asked_at: now,
        changed_at: now,
        changed_by: asking.by.to_owned(),
    };
    row.id = rows::add(write, &row).await?;
    for bill in &made.bills {
        if !rows::put_bill(write, bill, row.id).await? {
            return Err(refuse(
                "charging-invoice-twice",
                [
                    "其中有充电已经开过票",
                    "one of these charges stands on an invoice already",
                ],
                ["请去掉已开票的充电", "leave out what is invoiced already"],
            ));
        }
    }
    Ok(row)
}

/// Which invoices.
#[derive(Debug, Deserialize, IntoParams)]
pub struct InvoicesQuery {
    /// In a state: `asked`, `issued`, `declined` or `reversed`.
    pub state: Option<String>,
    /// Only those of whose bills another sum is left now.
    #[serde(default)]
    pub changed: bool,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// A page of invoices.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingInvoices)]
pub struct InvoicesBody {
    /// Newest first.
    pub items: Vec<InvoiceBody>,
    /// Whether the money is played (sandbox): then these are no invoices of money that moved.
    pub is_sandbox: bool,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Whether nobody's money moves.
pub(crate) fn is_sandbox(app: &App) -> bool {
    let office = app.charging.get();
    let driving = office.and_then(|office| office.driving.as_ref());
    driving.is_some_and(|driving| driving.cashier.is_play())
}

fn check_state(state: Option<&str>) -> Answer<()> {
    let all = [rows::ASKED, rows::ISSUED, rows::DECLINED, rows::REVERSED];
    if state.is_none_or(|state| all.contains(&state)) {
        return Ok(());
    }
    Err(ApiError::both(
        StatusCode::BAD_REQUEST,
        "charging-invoice-state",
        ["发票没有这种状态", "invoices have no such state"],
        ["状态", "state"],
        [
            "请用 asked、issued、declined 或 reversed",
            "use asked, issued, declined or reversed",
        ],
    ))
}

/// Invoices of charging, newest first. They name buyers: only who issues them reads them.
#[utoipa::path(get, path = "/api/v1/charging/invoices", tag = "charging", security(("session" = ["charging.manage"])), params(InvoicesQuery),
    responses((status = 200, body = InvoicesBody), (status = 400, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Query(query): Query<InvoicesQuery>,
) -> Answer<Json<InvoicesBody>> {
    check_state(query.state.as_deref())?;
    let wanted = rows::Wanted {
        account: None,
        state: query.state.as_deref(),
        is_changed: query.changed,
    };
    let request = PageRequest {
        after: query.after.clone(),
        limit: query.limit,
    };
    Ok(Json(page_of(&app, &wanted, &request).await?))
}

/// A page of invoices.
pub(crate) async fn page_of(
    app: &App,
    wanted: &rows::Wanted<'_>,
    request: &PageRequest,
) -> Answer<InvoicesBody> {
    let mut read = app.records.read().await?;
    let page = rows::list(&mut read, wanted, request).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(shown(&mut read, row).await?);
    }
    Ok(InvoicesBody {
        items,
        is_sandbox: is_sandbox(app),
        next: page.next,
    })
}

/// What becomes of an invoice.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChargingInvoiceStep)]
pub struct StepRequest {
    /// `issue` (it was issued under `number`), `decline` (it is not issued, `note` says why), or `reverse` (it was taken back by the red
    /// one of `number`, `note` says why).
    pub step: String,
    /// The number that the tax administration's platform gave, 20 digits.
    pub number: Option<String>,
    /// Why.
    pub note: Option<String>,
}

/// A step as it is asked for.
enum Step {
    Issue(String),
    Decline(String),
    Reverse(String, String),
}

impl Step {
    fn of(request: &StepRequest) -> Answer<Self> {
        let number = request.number.as_deref().map(str::trim).unwrap_or_default();
        let note = request.note.as_deref().map(str::trim).unwrap_or_default();
        let is_number =
            number.len() == NUMBER_DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
        let is_note = (1..=NOTE_CHARS_MAX).contains(&note.chars().count());
        Ok(match (request.step.as_str(), is_number, is_note) {
            ("issue", true, _) => Self::Issue(number.to_owned()),
            ("decline", _, true) => Self::Decline(note.to_owned()),
            ("reverse", true, true) => Self::Reverse(number.to_owned(), note.to_owned()),
            _ => {
                return Err(ApiError::both(
                    StatusCode::BAD_REQUEST,
                    "charging-invoice-step",
                    [
                        "发票号码、理由或动作不对",
                        "the number, the reason or the step is wrong",
                    ],
                    ["充电发票", "invoice of charging"],
                    [
                        "登记开具要写 20 位发票号码；不开要写 1 到 1000 字的理由；红冲两样都要写",
                        "to issue takes a number of 20 digits, to decline a reason of 1 to 1,000 characters, to reverse both",
                    ],
                ));
            }
        })
    }
}

/// Records what became of an invoice: its number, why it is not issued, or the red one that took it back. The same again changes nothing.
#[utoipa::path(post, path = "/api/v1/charging/invoices/{id}/steps", tag = "charging", security(("session" = ["charging.manage"])),
    params(("id" = i64, Path)), request_body = StepRequest, responses((status = 200, body = InvoiceBody), (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn step(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<StepRequest>,
) -> Answer<Json<InvoiceBody>> {
    let step = Step::of(&request)?;
    let now = app.now();
    let mut write = app.records.write().await?;
    let before = rows::get(&mut write, id).await?;
    let before = before.ok_or_else(|| ApiError::not_found("invoice", id))?;
    let mut row = before.clone();
    let (from, word) = match &step {
        Step::Issue(number) => {
            row.number = Some(number.clone());
            rows::ISSUED.clone_into(&mut row.state);
            (rows::ASKED, "issue")
        }
        Step::Decline(note) => {
            row.note = Some(note.clone());
            rows::DECLINED.clone_into(&mut row.state);
            (rows::ASKED, "decline")
        }
        Step::Reverse(number, note) => {
            row.red_number = Some(number.clone());
            row.note = Some(note.clone());
            rows::REVERSED.clone_into(&mut row.state);
            (rows::ISSUED, "reverse")
        }
    };
    if row == before {
        return Ok(Json(shown(&mut write, before).await?));
    }
    if before.state != from {
        return Err(refuse(
            "charging-invoice-stands",
            [
                "这张发票现在不能这样做",
                "the invoice does not stand so that this can be done",
            ],
            [
                "请刷新后再看它的状态",
                "load it anew and look how it stands",
            ],
        ));
    }
    if let Step::Issue(number) | Step::Reverse(number, _) = &step
        && rows::numbered(&mut write, number).await?.is_some()
    {
        return Err(refuse(
            "charging-invoice-number",
            ["这个发票号码已经登记过", "this number is recorded already"],
            ["请核对发票号码", "look at the number again"],
        ));
    }
    row.changed_at = now;
    row.changed_by.clone_from(&caller.name);
    let left = rows::left(&mut write, id).await?;
    if !rows::step(&mut write, from, &row).await? {
        return Err(ApiError::internal(
            "an invoice changed while nobody else writes",
        ));
    }
    let mut next = None;
    if from != rows::ASKED || word == "decline" {
        rows::free_bills(&mut write, id).await?;
    }
    // After a refund the buyer has what is left on a new one; one that was wrong is asked for anew by its buyer.
    if word == "reverse" && left > 0 && left != before.gross_fen {
        let made = data(&before)?;
        let asking = Asking {
            account: &before.account,
            key: &format!("red-{id}"),
            bills: &still_paid(&mut write, &made.bills).await?,
            buyer: made.buyer,
            replaces: Some(id),
            by: &caller.name,
        };
        next = Some(ask(&mut write, asking, now).await?.id);
    }
    let (actor, target) = (peer.actor(&caller), format!("charging-invoice:{id}"));
    let detail = json!({"step": word, "fen": row.gross_fen, "number": row.red_number.as_ref().or(row.number.as_ref()), "note": row.note,
        "replaced_by": next});
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
    Ok(Json(body))
}

/// Those of bills of which something is left.
async fn still_paid(read: &mut Connection, bills: &[String]) -> Answer<Vec<String>> {
    let mut left = Vec::new();
    for bill in bills {
        let money = books::money(read, bill).await?;
        if money.is_some_and(|money| money.paid_fen > money.refunded_fen) {
            left.push(bill.clone());
        }
    }
    Ok(left)
}
