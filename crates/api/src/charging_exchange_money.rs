//! Money between the city and other charging platforms (互联互通结算): what a month's orders with a partner come to, agreed and disputed
//! apart. Where a partner's customers charged at the city's stations, the partner collected the money: what both sides agree on is entered
//! as paid by it (`provider:partner:ID`), so that it is a claim on the partner and no debt of the order's card any more. Where it operates
//! the stations itself, the city supervises, and nobody owes it anything.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::charging_settlement::{Month, month_of, must_be_over};
use crate::error::{Answer, ApiError, ProblemBody};
use crate::portal_data::text as cell;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use billing::durable;
use charging::{Entry, Fen, SessionKey, Wh};
use model::problem::{both, quote};
use model::{Timestamp, Told};
use records::exchange::{self as rows, ExchangeOrder};
use records::{Connection, Event, audit};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// Most orders of a partner and a month.
const ORDERS_MAX: usize = 100_000;
/// What tells what a partner paid of a bill from other payments of it.
const PART: &str = "exchange";

/// Orders of one standing.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
#[schema(as = ExchangeSum)]
pub struct SumBody {
    /// How many.
    pub count: u64,
    /// Their energy, Wh.
    pub energy_wh: i64,
    /// For electricity, fen.
    pub electricity_fen: i64,
    /// For the service, and what else their bills have, fen.
    pub service_fen: i64,
}

impl SumBody {
    fn add(&mut self, order: &ExchangeOrder) {
        self.count += 1;
        let add = |sum: &mut i64, one: Option<i64>| *sum = sum.saturating_add(one.unwrap_or(0));
        add(&mut self.energy_wh, order.energy_wh);
        add(&mut self.electricity_fen, order.electricity_fen);
        add(&mut self.service_fen, order.service_fen);
    }
}

/// What a month comes to with a partner.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExchangeStatement)]
pub struct StatementBody {
    /// The partner's operator id.
    pub partner: String,
    /// Its name; its id where it is no partner any more.
    pub name: String,
    /// `ours`: at the city's stations; `theirs`: at the partner's.
    pub side: String,
    /// What both sides agree on.
    pub agreed: SumBody,
    /// What either side disputes.
    pub disputed: SumBody,
    /// What the partner has not said anything of yet.
    pub open: SumBody,
    /// What is entered as paid by the partner, fen; of `ours` alone.
    pub entered_fen: i64,
    /// What is agreed on and not entered, fen; of `ours` alone.
    pub due_fen: i64,
}

/// A month's money with other platforms.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExchangeStatements)]
pub struct StatementsBody {
    /// The month, `YYYY-MM`, of the orders' ends.
    pub month: String,
    /// Whether it is over, so that it can be settled.
    pub is_over: bool,
    /// By partner and side.
    pub statements: Vec<StatementBody>,
    /// Whether the caller may settle.
    pub may_manage: bool,
}

/// A partner's orders of a month, and which of them are entered.
struct Known {
    orders: Vec<ExchangeOrder>,
    entered: BTreeSet<String>,
}

async fn known(read: &mut Connection, partner: &str, month: &Month) -> Answer<Known> {
    let last = Timestamp::from_micros(month.ends.micros() - 1);
    let most = i64::try_from(ORDERS_MAX).unwrap_or(i64::MAX);
    let orders = rows::settled_within(read, partner, (month.begins, last), most + 1).await?;
    if orders.len() > ORDERS_MAX {
        return Err(ApiError::told(
            StatusCode::CONFLICT,
            Told::new(
                "exchange-orders-max",
                both(
                    format!("这个月的订单超过 {ORDERS_MAX} 笔"),
                    format!("there are more than {ORDERS_MAX} orders in the month"),
                ),
                both("互联互通结算", "money between platforms"),
                both(
                    "请用 SQL 表 charging_sessions 核对",
                    "compare by the SQL table charging_sessions",
                ),
            ),
        ));
    }
    let span = (month.begins, month.ends);
    let entered = rows::entered_within(read, partner, span, PART).await?;
    Ok(Known {
        orders,
        entered: entered.into_iter().collect(),
    })
}

/// `agreed`, `disputed` or `open`.
const fn standing(order: &ExchangeOrder) -> &'static str {
    match order.confirm_result {
        Some(0) => "agreed",
        Some(_) => "disputed",
        None => "open",
    }
}

const fn total(order: &ExchangeOrder) -> i64 {
    let electricity = match order.electricity_fen {
        Some(fen) => fen,
        None => 0,
    };
    match order.service_fen {
        Some(fen) => electricity.saturating_add(fen),
        None => electricity,
    }
}

/// Whether it is set up as one.
fn is_partner(app: &App, id: &str) -> bool {
    let partners = app.exchange.get().map(|exchange| exchange.partners());
    let mut all = partners.unwrap_or_default().into_iter();
    all.any(|one| one.operator_id == id)
}

fn statements_of(app: &App, partner: &str, known: &Known) -> Vec<StatementBody> {
    let partners = app.exchange.get().map(|exchange| exchange.partners());
    let name = partners
        .unwrap_or_default()
        .into_iter()
        .find(|one| one.operator_id == partner)
        .map_or_else(|| partner.to_owned(), |one| one.name);
    let mut all: BTreeMap<&str, StatementBody> = BTreeMap::new();
    for order in &known.orders {
        let row = all.entry(&order.side).or_insert_with(|| StatementBody {
            partner: partner.to_owned(),
            name: name.clone(),
            side: order.side.clone(),
            agreed: SumBody::default(),
            disputed: SumBody::default(),
            open: SumBody::default(),
            entered_fen: 0,
            due_fen: 0,
        });
        match standing(order) {
            "agreed" => row.agreed.add(order),
            "disputed" => row.disputed.add(order),
            _ => row.open.add(order),
        }
        if known.entered.contains(&order.order_no) {
            row.entered_fen = row.entered_fen.saturating_add(total(order));
        } else if is_due(order) {
            row.due_fen = row.due_fen.saturating_add(total(order));
        }
    }
    all.into_values().collect()
}

/// Whether a partner owes what an order comes to.
fn is_due(order: &ExchangeOrder) -> bool {
    order.side == rows::OURS && order.confirm_result == Some(0) && total(order) > 0
}

async fn shown(
    app: &App,
    read: &mut Connection,
    (text, month): (&str, &Month),
    may_manage: bool,
) -> Answer<StatementsBody> {
    let mut statements = Vec::new();
    for partner in rows::partners_within(read, (month.begins, month.ends)).await? {
        let known = known(read, &partner, month).await?;
        statements.extend(statements_of(app, &partner, &known));
    }
    Ok(StatementsBody {
        month: text.to_owned(),
        is_over: month.ends <= app.now(),
        statements,
        may_manage,
    })
}

/// What a month's orders with each partner come to, agreed and disputed apart.
#[utoipa::path(get, path = "/api/v1/charging/exchange/statements/{month}", tag = "charging", security(("session" = ["charging.read"])),
    params(("month" = String, Path)), responses((status = 200, body = StatementsBody), (status = 400, body = ProblemBody)))]
pub async fn statements(
    State(app): State<App>,
    Caller(caller): Caller,
    Path(text): Path<String>,
) -> Answer<Json<StatementsBody>> {
    let month = month_of(&app, &text)?;
    let may_manage = caller.may(identity::Permission::ChargingManage);
    let mut read = app.records.read().await?;
    let body = shown(&app, &mut read, (&text, &month), may_manage).await?;
    Ok(Json(body))
}

/// Enters what a partner agreed to of a month that is over, and what was not entered before, as paid by it. Asked again, nothing more is
/// entered than what was agreed to meanwhile.
#[utoipa::path(post, path = "/api/v1/charging/exchange/statements/{month}/{partner}", tag = "charging", security(("session" = ["charging.manage"])),
    params(("month" = String, Path), ("partner" = String, Path)), responses((status = 200, body = StatementsBody), (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn settle(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path((text, partner)): Path<(String, String)>,
) -> Answer<Json<StatementsBody>> {
    let month = month_of(&app, &text)?;
    let now = app.now();
    must_be_over(&month, now)?;
    let mut write = app.records.write().await?;
    let known = known(&mut write, &partner, &month).await?;
    if known.orders.is_empty() && !is_partner(&app, &partner) {
        return Err(ApiError::not_found("partner", quote(&partner)));
    }
    let (mut count, mut fen) = (0_u64, 0_i64);
    for order in &known.orders {
        if !is_due(order) || known.entered.contains(&order.order_no) {
            continue;
        }
        let (Some(station), Some(transaction), Some(card)) =
            (&order.station, &order.transaction_id, &order.card)
        else {
            return Err(ApiError::internal("an order of ours without its session"));
        };
        let key = SessionKey {
            station: station.clone(),
            transaction: transaction.clone(),
        };
        let provider = format!("partner:{partner}");
        let amount = Fen(total(order));
        let entry = Entry::paid(&key.to_string(), PART, card, &provider, amount, now);
        let told = |told| ApiError::told(StatusCode::CONFLICT, told);
        durable::settle(&mut write, &entry).await.map_err(told)?;
        count += 1;
        fen = fen.saturating_add(amount.0);
    }
    if count > 0 {
        let (actor, target) = (peer.actor(&caller), format!("exchange-settlement:{text}"));
        let detail = json!({"partner": partner, "orders": count, "fen": fen});
        audit::insert(
            &mut write,
            now,
            &actor,
            Event::ExchangeSettle,
            &target,
            &detail,
        )
        .await?;
    }
    let body = shown(&app, &mut write, (&text, &month), true).await?;
    write.commit().await?;
    Ok(Json(body))
}

/// The heads of the table.
const HEADS: &str = "单位 partner,订单号 order_no,站方 side,枪 connector,开始 started_at,结束 ended_at,电量_千瓦时 energy_kwh,\
                     电费_元 electricity_yuan,服务费_元 service_yuan,合计_元 total_yuan,核对 standing,已入账 entered";

/// A month's orders with all partners, one a row, as they are counted in the statements; money is yuan.
#[utoipa::path(get, path = "/api/v1/charging/exchange/statements/{month}/orders.csv", tag = "charging", security(("session" = ["charging.read"])),
    params(("month" = String, Path)), responses((status = 200, content((String = "text/csv"))), (status = 400, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn table(State(app): State<App>, Path(text): Path<String>) -> Answer<Response> {
    let month = month_of(&app, &text)?;
    let mut read = app.records.read().await?;
    let mut body = format!("\u{feff}{HEADS}\r\n");
    for partner in rows::partners_within(&mut read, (month.begins, month.ends)).await? {
        let known = known(&mut read, &partner, &month).await?;
        for order in &known.orders {
            body.push_str(&line(order, known.entered.contains(&order.order_no)));
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"charging-exchange-{text}.csv\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, body).into_response())
}

fn line(order: &ExchangeOrder, is_entered: bool) -> String {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let yuan = |fen: Option<i64>| fen.map(|fen| Fen(fen).to_string()).unwrap_or_default();
    let cells = [
        cell(&order.partner),
        cell(&order.order_no),
        order.side.clone(),
        cell(&order.connector_id),
        time(order.started_at),
        time(order.ended_at),
        order
            .energy_wh
            .map(|wh| Wh(wh).to_string())
            .unwrap_or_default(),
        yuan(order.electricity_fen),
        yuan(order.service_fen),
        Fen(total(order)).to_string(),
        standing(order).to_owned(),
        (if is_entered { "yes" } else { "no" }).to_owned(),
    ];
    format!("{}\r\n", cells.join(","))
}
