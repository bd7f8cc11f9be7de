//! Invoices of charging (充电发票) for who issues them: how each seller is taxed, what drivers asked for, its data for the tax
//! administration's platform (数电发票), and the numbers that it gave. A bill stands on one invoice only. After a refund the invoice of a
//! bill is taken back by a red one (红字), and what is left is asked for anew by itself.
//!
//! ```text
//! asked ──number──▶ issued ──number of the red one──▶ reversed (after a refund: a new one of what is left is asked)
//!   └─reason──▶ declined
//! ```

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::portal_data::text;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use billing::durable::kept;
use charging::invoice::{Buyer, Invoice, Invoiced, Seller, Taxed, invoice};
use charging::settle::Parts;
use charging::{Fen, LineKind, SessionKey};
use model::problem::{both, quote};
use model::{Timestamp, Told};
use records::charging as books;
use records::charging_invoices::{self as rows, ChargingInvoice, ChargingSeller};
use records::{Connection, Event, PageRequest, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Most invoices that one export has.
const EXPORT_MAX: usize = 10_000;
/// Rows that an export reads at once.
const EXPORT_ROWS: u32 = 500;
/// Longest reason, characters.
const NOTE_CHARS_MAX: usize = 1_000;
/// Digits of the number of an electronic invoice (数电发票号码).
const NUMBER_DIGITS: usize = 20;
/// Longest name of an operator, bytes.
const OPERATOR_BYTES_MAX: usize = 100;
/// Most sellers that are kept.
const SELLERS_MAX: usize = 1_000;

/// A kind of line by its word: `energy`, `service`, `parking`, `idle`.
const fn word(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Energy => "energy",
        LineKind::Service => "service",
        LineKind::Parking => "parking",
        LineKind::Idle => "idle",
    }
}

/// How a kind of line is taxed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ChargingTaxed)]
pub struct TaxedBody {
    /// `energy`, `service`, `parking` or `idle`.
    pub kind: String,
    /// The classification code of goods and services (商品和服务税收分类编码), 19 digits.
    pub code: String,
    /// The rate, percent.
    pub rate_percent: u8,
}

/// Who sells, and how it is taxed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ChargingSeller)]
pub struct SellerBody {
    /// The operator whose income it is, as bills name it.
    pub operator: String,
    /// The seller's name.
    pub name: String,
    /// Its taxpayer's number (纳税人识别号).
    pub tax_number: String,
    /// How each kind of line is taxed; a kind without is on no invoice.
    pub taxed: Vec<TaxedBody>,
}

impl SellerBody {
    fn of(operator: String, seller: Seller) -> Self {
        let taxed = seller.taxed.into_iter().map(|(kind, taxed)| TaxedBody {
            kind: word(kind).to_owned(),
            code: taxed.code,
            rate_percent: taxed.rate_percent,
        });
        Self {
            operator,
            name: seller.name,
            tax_number: seller.tax_number,
            taxed: taxed.collect(),
        }
    }
}

/// The sellers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSellers)]
pub struct SellersBody {
    /// By operator.
    pub items: Vec<SellerBody>,
    /// The operator of stations for which nobody said another.
    pub operator: String,
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
fn data(row: &ChargingInvoice) -> Answer<Invoice> {
    serde_json::from_str(&row.body).map_err(ApiError::internal)
}

/// An invoice as people see it.
pub(crate) async fn shown(read: &mut Connection, row: ChargingInvoice) -> Answer<InvoiceBody> {
    let made = data(&row)?;
    let left_fen = match row.state.as_str() {
        rows::ASKED | rows::ISSUED => Some(rows::left(read, row.id).await?),
        _ => None,
    };
    let items = made.items.into_iter().map(|item| ItemBody {
        kind: word(item.kind).to_owned(),
        code: item.code,
        rate_percent: item.rate_percent,
        net_fen: item.net.0,
        tax_fen: item.tax.0,
        gross_fen: item.gross.0,
    });
    Ok(InvoiceBody {
        id: row.id,
        state: row.state,
        operator: row.operator,
        title: made.buyer.title,
        tax_number: made.buyer.tax_number,
        seller: made.seller,
        seller_tax_number: made.seller_tax_number,
        bills: made.bills,
        items: items.collect(),
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

fn refuse(code: &str, what: [&str; 2], mend: [&str; 2]) -> ApiError {
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

/// How an operator is taxed.
async fn seller_of(read: &mut Connection, operator: &str) -> Answer<Seller> {
    let Some(row) = rows::seller(read, operator).await? else {
        return Err(ApiError::told(
            StatusCode::CONFLICT,
            Told::new(
                "charging-invoice-seller",
                both(
                    format!("运营商“{}”还没有填写开票信息", quote(operator)),
                    format!(
                        "nobody wrote yet how the operator {} is taxed",
                        quote(operator)
                    ),
                ),
                both("充电发票", "invoice of charging"),
                both(
                    "请运营人员在充电运营页“发票”里填写销售方名称、纳税人识别号、各项费用的税收分类编码和税率",
                    "let an operator write the seller's name, its taxpayer's number, and the tax code and rate of each fee, on the page of charging, Invoices",
                ),
            ),
        ));
    };
    serde_json::from_str(&row.body).map_err(ApiError::internal)
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

/// The sellers and how each is taxed.
#[utoipa::path(get, path = "/api/v1/charging/invoices/sellers", tag = "charging", security(("session" = ["charging.read"])),
    responses((status = 200, body = SellersBody)))]
pub async fn sellers(State(app): State<App>) -> Answer<Json<SellersBody>> {
    let operator = app.charging()?.operator.clone();
    let mut read = app.records.read().await?;
    let mut items = Vec::new();
    for row in rows::sellers(&mut read).await? {
        let seller = serde_json::from_str(&row.body).map_err(ApiError::internal)?;
        items.push(SellerBody::of(row.operator, seller));
    }
    Ok(Json(SellersBody { items, operator }))
}

/// Writes how a seller is taxed. Invoices that were asked for before keep what they have.
#[utoipa::path(put, path = "/api/v1/charging/invoices/sellers", tag = "charging", security(("session" = ["charging.manage"])),
    request_body = SellerBody, responses((status = 200, body = SellersBody), (status = 400, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn put_seller(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(body): Json<SellerBody>,
) -> Answer<Json<SellersBody>> {
    let bad = |told| ApiError::told(StatusCode::BAD_REQUEST, told);
    let operator = body.operator.trim().to_owned();
    let mut seller = Seller {
        name: body.name.trim().to_owned(),
        tax_number: body.tax_number.trim().to_owned(),
        taxed: Default::default(),
    };
    for taxed in body.taxed {
        let kind = LineKind::ALL
            .into_iter()
            .find(|kind| word(*kind) == taxed.kind);
        let Some(kind) = kind else {
            return Err(ApiError::both(
                StatusCode::BAD_REQUEST,
                "charging-invoice-kind",
                ["没有这种费用", "there is no such kind of fee"],
                ["费用种类", "kind"],
                [
                    "请用 energy、service、parking 或 idle",
                    "use energy, service, parking or idle",
                ],
            ));
        };
        let code = taxed.code.trim().to_owned();
        let rate_percent = taxed.rate_percent;
        seller.taxed.insert(kind, Taxed { code, rate_percent });
    }
    seller.check().map_err(bad)?;
    if operator.is_empty() || operator.len() > OPERATOR_BYTES_MAX {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "charging-invoice-operator",
            ["运营商为空或过长", "the operator is empty or too long"],
            ["运营商", "operator"],
            [
                "请照账单上的运营商名称填写，1 到 100 字节",
                "write the operator as bills name it, 1 to 100 bytes",
            ],
        ));
    }
    let now = app.now();
    let mut write = app.records.write().await?;
    let before = rows::sellers(&mut write).await?;
    let old = before.iter().find(|row| row.operator == operator);
    if old.is_none() && before.len() >= SELLERS_MAX {
        return Err(refuse(
            "charging-invoice-sellers-full",
            ["销售方已满 1000 个", "there are 1,000 sellers already"],
            ["请修改已有的销售方", "change one that is there"],
        ));
    }
    let old: Option<Seller> = match old {
        Some(row) => Some(serde_json::from_str(&row.body).map_err(ApiError::internal)?),
        None => None,
    };
    let row = ChargingSeller {
        operator: operator.clone(),
        body: serde_json::to_string(&seller).map_err(ApiError::internal)?,
        changed_at: now,
        changed_by: caller.name.clone(),
    };
    rows::put_seller(&mut write, &row).await?;
    let (actor, target) = (peer.actor(&caller), format!("charging-seller:{operator}"));
    let detail = json!({"old": old, "new": seller});
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ChargingSeller,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    sellers(State(app)).await
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
    let mut read = app.records.read().await?;
    let page = rows::list(&mut read, &wanted, &request).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(shown(&mut read, row).await?);
    }
    Ok(Json(InvoicesBody {
        items,
        is_sandbox: is_sandbox(&app),
        next: page.next,
    }))
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

/// How the data is written.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ExportQuery {
    /// `json` (default) or `csv`.
    pub format: Option<String>,
    /// `asked` (default: to be issued), or `red` (issued ones that are to be taken back, as red ones).
    pub what: Option<String>,
}

/// An invoice's data for the tax administration's platform.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingInvoiceData)]
pub struct DataBody {
    /// Its number here.
    pub id: i64,
    /// The number of the invoice that a red one takes back; null for others.
    pub reverses: Option<String>,
    /// The title.
    pub title: String,
    /// The buyer's number; null for a person.
    pub tax_number: Option<String>,
    /// The seller's name.
    pub seller: String,
    /// The seller's number.
    pub seller_tax_number: String,
    /// Its items; amounts of a red one are negative.
    pub items: Vec<ItemBody>,
    /// Without tax, fen.
    pub net_fen: i64,
    /// Tax, fen.
    pub tax_fen: i64,
    /// With tax, fen.
    pub gross_fen: i64,
    /// The bills.
    pub bills: Vec<String>,
}

/// The heads of the table.
const HEADS: &str = "序号 id,类型 kind,被红冲发票号码 reverses,购买方名称 title,购买方识别号 tax_number,销售方名称 seller,\
                     销售方识别号 seller_tax_number,项目名称 item,税收分类编码 code,税率_百分比 rate_percent,不含税金额_元 net_yuan,\
                     税额_元 tax_yuan,价税合计_元 gross_yuan,账单 bills";

fn lines(one: &DataBody) -> String {
    let kind = match one.reverses.is_some() {
        true => "红字 red",
        false => "蓝字 blue",
    };
    let mut all = String::new();
    for item in &one.items {
        let title = LineKind::ALL
            .into_iter()
            .find(|kind| word(*kind) == item.kind)
            .map_or("", |kind| kind.title()[0]);
        let cells = [
            one.id.to_string(),
            kind.to_owned(),
            one.reverses.clone().unwrap_or_default(),
            text(&one.title),
            one.tax_number.clone().unwrap_or_default(),
            text(&one.seller),
            one.seller_tax_number.clone(),
            title.to_owned(),
            item.code.clone(),
            item.rate_percent.to_string(),
            Fen(item.net_fen).to_string(),
            Fen(item.tax_fen).to_string(),
            Fen(item.gross_fen).to_string(),
            text(&one.bills.join(" ")),
        ];
        all.push_str(&cells.join(","));
        all.push_str("\r\n");
    }
    all
}

/// The data of invoices for the tax administration's platform: those to be issued, or the red ones of those to be taken back.
#[utoipa::path(get, path = "/api/v1/charging/invoices/export", tag = "charging", security(("session" = ["charging.manage"])), params(ExportQuery),
    responses((status = 200, content((Vec<DataBody> = "application/json"), (String = "text/csv"))), (status = 400, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn export(State(app): State<App>, Query(query): Query<ExportQuery>) -> Answer<Response> {
    let is_red = match query.what.as_deref() {
        None | Some("asked") => false,
        Some("red") => true,
        Some(_) => return Err(wrong_export()),
    };
    let is_csv = match query.format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(wrong_export()),
    };
    let wanted = rows::Wanted {
        account: None,
        state: Some(if is_red { rows::ISSUED } else { rows::ASKED }),
        is_changed: is_red,
    };
    let mut request = PageRequest {
        after: None,
        limit: Some(EXPORT_ROWS),
    };
    let mut read = app.records.read().await?;
    let mut all: Vec<DataBody> = Vec::new();
    loop {
        let page = rows::list(&mut read, &wanted, &request).await?;
        for row in page.items {
            all.push(exported(row, is_red, app.now())?);
        }
        if all.len() > EXPORT_MAX {
            return Err(refuse(
                "charging-invoice-export",
                [
                    "一次最多导出 10000 张",
                    "at most 10,000 invoices are exported at once",
                ],
                [
                    "请先登记已开具的发票号码，再导出其余的",
                    "record the numbers of those that are issued, then export the rest",
                ],
            ));
        }
        match page.next {
            None => break,
            next => request.after = next,
        }
    }
    let name = if is_red {
        "charging-invoices-red"
    } else {
        "charging-invoices"
    };
    let file = |ending: &str| {
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.{ending}\""),
        )
    };
    let private = (header::CACHE_CONTROL, "no-store".to_owned());
    if !is_csv {
        return Ok(([file("json"), private], Json(all)).into_response());
    }
    let rest: String = all.iter().map(lines).collect();
    let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned());
    Ok((
        [kind, file("csv"), private],
        format!("\u{feff}{HEADS}\r\n{rest}"),
    )
        .into_response())
}

fn exported(row: ChargingInvoice, is_red: bool, now: Timestamp) -> Answer<DataBody> {
    let mut made = data(&row)?;
    if is_red {
        made = made.reversed(now);
    }
    let items = made.items.into_iter().map(|item| ItemBody {
        kind: word(item.kind).to_owned(),
        code: item.code,
        rate_percent: item.rate_percent,
        net_fen: item.net.0,
        tax_fen: item.tax.0,
        gross_fen: item.gross.0,
    });
    Ok(DataBody {
        id: row.id,
        reverses: row.number.filter(|_| is_red),
        title: made.buyer.title,
        tax_number: made.buyer.tax_number,
        seller: made.seller,
        seller_tax_number: made.seller_tax_number,
        items: items.collect(),
        net_fen: made.net.0,
        tax_fen: made.tax.0,
        gross_fen: made.gross.0,
        bills: made.bills,
    })
}

fn wrong_export() -> ApiError {
    ApiError::both(
        StatusCode::BAD_REQUEST,
        "charging-invoice-format",
        [
            "导出内容或格式不对",
            "what is exported or its format is wrong",
        ],
        ["what、format", "what, format"],
        [
            "请用 what=asked 或 red，format=json 或 csv",
            "use what=asked or red, format=json or csv",
        ],
    )
}
