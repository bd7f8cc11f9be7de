//! Settlement (清分结算): what was paid in a month for charges at each operator's stations and not given back, what the platform's operator,
//! who collected it, keeps of it by agreement, and what the stations' operator is to be given. A month is settled once, when it is over;
//! what moves afterwards is of the month in which it moves.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::portal_data::text as cell;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use billing::durable::{self, kept};
use charging::settle::{Parts, Settled, Statement, settle as reckon};
use charging::{Fen, SessionKey};
use jiff::ToSpan as _;
use jiff::civil::Date;
use model::problem::{both, quote};
use model::{Timestamp, Told};
use records::{Connection, Event, audit, charging as rows};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a month comes to between two operators.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingStatement)]
pub struct StatementBody {
    /// At whose stations.
    pub operator: String,
    /// Who collected it.
    pub home: String,
    /// How many charges.
    pub count: u64,
    /// Their energy, Wh.
    pub energy_wh: i64,
    /// What was paid in the month, fen.
    pub paid_fen: i64,
    /// What was given back in it, of charges of this month or of those before.
    pub refunded_fen: i64,
    /// What was paid for electricity and not given back, fen.
    pub energy_fen: i64,
    /// For service.
    pub service_fen: i64,
    /// For parking.
    pub parking_fen: i64,
    /// For occupancy.
    pub idle_fen: i64,
    /// All of it.
    pub total_fen: i64,
    /// What of it who collected keeps.
    pub share_fen: i64,
    /// What the stations' operator is to be given.
    pub due_fen: i64,
    /// When it was settled; null while it was not.
    pub settled_at: Option<String>,
}

/// What a month comes to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSettlement)]
pub struct SettlementBody {
    /// The month, `YYYY-MM`.
    pub month: String,
    /// Whether it is over, so that it can be settled.
    pub is_over: bool,
    /// By operator.
    pub statements: Vec<StatementBody>,
    /// What who collects keeps of electricity, of service, and of parking and occupancy at other operators' stations, in 1/10,000: as set
    /// now; what was settled keeps the shares of then.
    #[schema(value_type = Vec<u32>)]
    pub shares: [u32; 3],
    /// Whether the caller may settle.
    pub may_manage: bool,
}

/// A month in the city's zone.
pub(crate) struct Month {
    pub days: [Date; 2],
    pub begins: Timestamp,
    pub ends: Timestamp,
}

pub(crate) fn month_of(app: &App, text: &str) -> Answer<Month> {
    let wrong = || {
        ApiError::told(
            StatusCode::BAD_REQUEST,
            Told::new(
                "charging-month",
                both(
                    format!("“{}”不是月份", quote(text)),
                    format!("\"{}\" is no month", quote(text)),
                ),
                both("月份", "month"),
                both("请写如 2026-03 的月份", "write a month such as 2026-03"),
            ),
        )
    };
    let (year, month) = text.split_once('-').ok_or_else(wrong)?;
    let (year, month) = match (year.len(), month.len(), year.parse(), month.parse()) {
        (4, 2, Ok(year), Ok(month)) => (year, month),
        _ => return Err(wrong()),
    };
    let first = Date::new(year, month, 1).map_err(|_| wrong())?;
    let next = first.checked_add(1.month()).map_err(|_| wrong())?;
    let days = app.charging_days()?;
    let moment = |day: Date| days.moment(day, 0).ok_or_else(wrong);
    Ok(Month {
        days: [first, first.last_of_month()],
        begins: moment(first)?,
        ends: moment(next)?,
    })
}

/// What was paid and given back in a month, by operator.
type Gross = BTreeMap<String, [i64; 2]>;

/// The statements of a month as the ledger has it now.
async fn statements_of(
    app: &App,
    read: &mut Connection,
    month: &Month,
) -> Answer<(Vec<Statement>, Gross)> {
    let office = app.charging()?;
    let mut bills = Vec::new();
    let mut gross = Gross::new();
    for moved in rows::moved(read, month.begins, month.ends).await? {
        let key = SessionKey::named(&moved.bill);
        let key = key.ok_or_else(|| ApiError::internal("a bill without a session"))?;
        let Some(row) = rows::session(read, &key.station, &key.transaction).await? else {
            return Err(ApiError::internal("a bill whose session is not there"));
        };
        let session = kept(row)?;
        let Some(bill) = session.bill else { continue };
        let sums = gross.entry(session.operator.clone()).or_default();
        sums[0] = sums[0].saturating_add(moved.paid_fen);
        sums[1] = sums[1].saturating_add(moved.refunded_fen);
        let parts = Parts::of(&bill.bill).moved(Fen(moved.before_fen), Fen(moved.after_fen));
        bills.push(Settled {
            bill: moved.bill,
            day: month.days[0],
            operator: session.operator,
            home: office.operator.clone(),
            energy: session.energy,
            parts: parts.ok_or_else(|| ApiError::internal("more was paid than a bill comes to"))?,
        });
    }
    let shares = |_: &str, _: &str| Some(office.shares);
    let told = |told| ApiError::told(StatusCode::CONFLICT, told);
    let statements = reckon(&bills, month.days, shares).map_err(told)?;
    Ok((statements, gross))
}

/// Nothing is settled of a month that goes on.
pub(crate) fn must_be_over(month: &Month, now: Timestamp) -> Answer<()> {
    if now >= month.ends {
        return Ok(());
    }
    Err(ApiError::both(
        StatusCode::CONFLICT,
        "charging-month-goes-on",
        ["这个月还没有结束", "the month is not over yet"],
        ["结算月份", "month"],
        ["请到下个月再结算", "settle it next month"],
    ))
}

async fn shown(
    app: &App,
    read: &mut Connection,
    (text, month): (&str, &Month),
    may_manage: bool,
) -> Answer<SettlementBody> {
    let shares = app.charging()?.shares;
    let mut statements = Vec::new();
    let (reckoned, gross) = statements_of(app, read, month).await?;
    for statement in reckoned {
        let [paid_fen, refunded_fen] = gross.get(&statement.operator).copied().unwrap_or_default();
        let key = statement.entry(Timestamp::default()).map(|entry| entry.key);
        let entry = match key {
            Some(key) => durable::entered(read, &key).await?,
            None => None,
        };
        let parts = statement.parts;
        statements.push(StatementBody {
            count: statement.count,
            energy_wh: statement.energy.0,
            paid_fen,
            refunded_fen,
            energy_fen: parts.energy.0,
            service_fen: parts.service.0,
            parking_fen: parts.parking.0,
            idle_fen: parts.idle.0,
            total_fen: parts.total().0,
            share_fen: statement.share.0,
            due_fen: statement.due.0,
            settled_at: entry.map(|entry| entry.at.to_string()),
            operator: statement.operator,
            home: statement.home,
        });
    }
    Ok(SettlementBody {
        month: text.to_owned(),
        is_over: month.ends <= app.now(),
        statements,
        shares: [shares.energy, shares.service, shares.time],
        may_manage,
    })
}

/// What a month's payments come to by operator, and whether it is settled.
#[utoipa::path(get, path = "/api/v1/charging/settlements/{month}", tag = "charging", security(("session" = ["charging.read"])),
    params(("month" = String, Path)), responses((status = 200, body = SettlementBody), (status = 400, body = ProblemBody)))]
pub async fn statements(
    State(app): State<App>,
    Caller(caller): Caller,
    Path(text): Path<String>,
) -> Answer<Json<SettlementBody>> {
    let month = month_of(&app, &text)?;
    let may_manage = caller.may(identity::Permission::ChargingManage);
    let mut read = app.records.read().await?;
    Ok(Json(
        shown(&app, &mut read, (&text, &month), may_manage).await?,
    ))
}

/// The heads of the table.
const HEADS: &str = "月份 month,运营商 operator,收款方 collected_by,充电次数 count,电量_千瓦时 energy_kwh,实收_元 paid_yuan,\
                     退款_元 refunded_yuan,电费_元 energy_yuan,服务费_元 service_yuan,停车费_元 parking_yuan,占位费_元 idle_yuan,\
                     净额_元 total_yuan,平台分成_元 share_yuan,应付_元 due_yuan,结算时间 settled_at";

/// A month as a table, one row an operator; money is yuan.
#[utoipa::path(get, path = "/api/v1/charging/settlements/{month}/table.csv", tag = "charging", security(("session" = ["charging.read"])),
    params(("month" = String, Path)), responses((status = 200, content((String = "text/csv"))), (status = 400, body = ProblemBody)))]
pub async fn table(State(app): State<App>, Path(text): Path<String>) -> Answer<Response> {
    let month = month_of(&app, &text)?;
    let mut read = app.records.read().await?;
    let body = shown(&app, &mut read, (&text, &month), false).await?;
    let rest: String = body.statements.iter().map(|row| line(&text, row)).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"charging-settlement-{text}.csv\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, format!("\u{feff}{HEADS}\r\n{rest}")).into_response())
}

fn line(month: &str, row: &StatementBody) -> String {
    let yuan = |fen: i64| Fen(fen).to_string();
    let cells = [
        month.to_owned(),
        cell(&row.operator),
        cell(&row.home),
        row.count.to_string(),
        charging::Wh(row.energy_wh).to_string(),
        yuan(row.paid_fen),
        yuan(row.refunded_fen),
        yuan(row.energy_fen),
        yuan(row.service_fen),
        yuan(row.parking_fen),
        yuan(row.idle_fen),
        yuan(row.total_fen),
        yuan(row.share_fen),
        yuan(row.due_fen),
        row.settled_at.clone().unwrap_or_default(),
    ];
    format!("{}\r\n", cells.join(","))
}

/// Settles a month that is over: from income to what each operator is to be given. Asked again, nothing more is entered.
#[utoipa::path(post, path = "/api/v1/charging/settlements/{month}", tag = "charging", security(("session" = ["charging.manage"])),
    params(("month" = String, Path)), responses((status = 200, body = SettlementBody), (status = 400, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn settle(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(text): Path<String>,
) -> Answer<Json<SettlementBody>> {
    let month = month_of(&app, &text)?;
    let now = app.now();
    must_be_over(&month, now)?;
    let mut write = app.records.write().await?;
    let mut entered = Vec::new();
    for statement in statements_of(&app, &mut write, &month).await?.0 {
        let Some(entry) = statement.entry(now) else {
            continue;
        };
        if durable::entered(&mut write, &entry.key).await?.is_none() {
            let told = |told| ApiError::told(StatusCode::CONFLICT, told);
            durable::settle(&mut write, &entry).await.map_err(told)?;
            entered.push(json!({"operator": statement.operator, "home": statement.home, "due": statement.due.0,
                "share": statement.share.0}));
        }
    }
    if !entered.is_empty() {
        let (actor, target) = (peer.actor(&caller), format!("charging-settlement:{text}"));
        let detail = json!({"statements": entered});
        audit::insert(
            &mut write,
            now,
            &actor,
            Event::ChargingSettle,
            &target,
            &detail,
        )
        .await?;
    }
    let body = shown(&app, &mut write, (&text, &month), true).await?;
    write.commit().await?;
    Ok(Json(body))
}
