//! Settlement (清分结算): what was paid in a month for charges at each operator's stations and not given back, what the platform's operator,
//! who collected it, keeps of it by agreement, and what the stations' operator is to be given. A month is settled once, when it is over;
//! what moves afterwards is of the month in which it moves.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
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
    /// Whether the caller may settle.
    pub may_manage: bool,
}

/// A month in the city's zone.
struct Month {
    days: [Date; 2],
    begins: Timestamp,
    ends: Timestamp,
}

fn month_of(app: &App, text: &str) -> Answer<Month> {
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

/// The statements of a month as the ledger has it now.
async fn statements_of(app: &App, read: &mut Connection, month: &Month) -> Answer<Vec<Statement>> {
    let office = app.charging()?;
    let mut bills = Vec::new();
    for moved in rows::moved(read, month.begins, month.ends).await? {
        let key = SessionKey::named(&moved.bill);
        let key = key.ok_or_else(|| ApiError::internal("a bill without a session"))?;
        let Some(row) = rows::session(read, &key.station, &key.transaction).await? else {
            return Err(ApiError::internal("a bill whose session is not there"));
        };
        let session = kept(row)?;
        let Some(bill) = session.bill else { continue };
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
    reckon(&bills, month.days, shares).map_err(told)
}

async fn shown(
    app: &App,
    read: &mut Connection,
    (text, month): (&str, &Month),
    may_manage: bool,
) -> Answer<SettlementBody> {
    let mut statements = Vec::new();
    for statement in statements_of(app, read, month).await? {
        let key = statement.entry(Timestamp::default()).map(|entry| entry.key);
        let entry = match key {
            Some(key) => durable::entered(read, &key).await?,
            None => None,
        };
        let parts = statement.parts;
        statements.push(StatementBody {
            count: statement.count,
            energy_wh: statement.energy.0,
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
    if now < month.ends {
        return Err(ApiError::both(
            StatusCode::CONFLICT,
            "charging-month-goes-on",
            ["这个月还没有结束", "the month is not over yet"],
            ["结算月份", "month"],
            ["请到下个月再结算", "settle it next month"],
        ));
    }
    let mut write = app.records.write().await?;
    let mut entered = Vec::new();
    for statement in statements_of(&app, &mut write, &month).await? {
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
