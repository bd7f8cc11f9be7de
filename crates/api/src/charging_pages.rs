//! Charging over HTTP (充电运营): sessions with their bills, decisions on bills that are held, tariffs and cards. The stations on the line and
//! what they are told: [`crate::charging_stations`].

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::charging_figures::span;
use crate::charging_office::together;
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use billing::Kept;
use billing::durable::kept;
use charging::bill::{Basis, Decision, Review};
use charging::written::Written;
use charging::{Bill, Days, SessionKey, Standing, Tariff};
use model::problem::{both, quote};
use model::{Timestamp, Told};
use records::charging::{self as rows, ChargingCard, ChargingSession, ChargingTariff};
use records::{Event, PageRequest, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// Longest name of a card's holder, characters.
const HOLDER_CHARS_MAX: usize = 100;
/// Most tariffs that a city keeps.
const TARIFFS_MAX: usize = 1_000;

/// A session (充电订单).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSession)]
pub struct SessionBody {
    /// Its number.
    pub id: i64,
    /// The station's identity.
    pub station: String,
    /// The transaction's id at the station.
    pub transaction_id: String,
    /// The connector, from 1; 0 where the station did not say it.
    pub connector: i64,
    /// Whose station it is.
    pub operator: String,
    /// The pseudonym of the card; null where none was shown.
    pub card: Option<String>,
    /// `charging`, `waiting` (for leaving), `unpriced` (no tariff), `billed` or `doubtful` (a person has to look).
    pub state: String,
    /// When it began, by the station's clock.
    pub started_at: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// The last register less the first, Wh; negative where the meter went back.
    pub energy_wh: i64,
    /// What its bill comes to, fen, due or not; null while there is none.
    pub total_fen: Option<i64>,
    /// Whether more was told after its bill was due, so that it would be another now.
    pub corrected: bool,
    /// When it changed last.
    pub changed_at: String,
}

impl From<ChargingSession> for SessionBody {
    fn from(row: ChargingSession) -> Self {
        Self {
            id: row.id,
            station: row.station,
            transaction_id: row.transaction_id,
            connector: row.connector,
            operator: row.operator,
            card: row.card,
            state: row.state,
            started_at: row.started_at.map(|at| at.to_string()),
            ended_at: row.ended_at.map(|at| at.to_string()),
            energy_wh: row.energy_wh,
            total_fen: row.total_fen,
            corrected: row.correction.is_some(),
            changed_at: row.changed_at.to_string(),
        }
    }
}

/// A page of sessions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSessions)]
pub struct SessionsBody {
    /// Newest first.
    pub items: Vec<SessionBody>,
    /// The next page's cursor.
    pub next: Option<String>,
    /// Whether the caller may decide, and change tariffs and cards.
    pub may_manage: bool,
}

/// Which sessions.
#[derive(Debug, Deserialize, IntoParams)]
pub struct SessionsQuery {
    /// Of a station.
    pub station: Option<String>,
    /// In a state.
    pub state: Option<String>,
    /// Of an operator.
    pub operator: Option<String>,
    /// Of a card's pseudonym.
    pub card: Option<String>,
    /// Only those whose bill would be another now.
    #[serde(default)]
    pub corrected: bool,
    /// Only those that ended on these days, or began on them and go on: the first day, `YYYY-MM-DD`.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// Sessions of charging, newest first.
#[utoipa::path(get, path = "/api/v1/charging/sessions", tag = "charging", security(("session" = ["charging.read"])), params(SessionsQuery),
    responses((status = 200, body = SessionsBody), (status = 400, body = ProblemBody)))]
pub async fn sessions(
    State(app): State<App>,
    Caller(caller): Caller,
    Query(query): Query<SessionsQuery>,
) -> Answer<Json<SessionsBody>> {
    let within = match (query.from.as_deref(), query.to.as_deref()) {
        (None, None) => None,
        (from, to) => {
            let span = span(&app, from, to)?;
            Some((span.begins, span.ends))
        }
    };
    let filter = rows::Filter {
        within,
        station: query.station.as_deref(),
        state: query.state.as_deref(),
        operator: query.operator.as_deref(),
        card: query.card.as_deref(),
        is_corrected: query.corrected,
    };
    let request = PageRequest {
        after: query.after.clone(),
        limit: query.limit,
    };
    let mut read = app.records.read().await?;
    let page = rows::list(&mut read, &filter, &request).await?;
    Ok(Json(SessionsBody {
        next: page.next.clone(),
        items: page.items.into_iter().map(Into::into).collect(),
        may_manage: caller.may(identity::Permission::ChargingManage),
    }))
}

/// A line of a bill.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingBillLine)]
pub struct LineBody {
    /// `energy`, `service`, `parking` or `idle`.
    pub kind: String,
    /// From when.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Of energy: how much, Wh.
    pub energy_wh: Option<i64>,
    /// Of energy: the price, 1/10,000 yuan per kWh.
    pub price: Option<i64>,
    /// What it comes to, fen.
    pub amount_fen: i64,
    /// The line as people read it, Chinese.
    pub text_zh: String,
    /// English.
    pub text_en: String,
}

/// Why a bill is held.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingDoubt)]
pub struct DoubtBody {
    /// When, where it has a time.
    pub at: Option<String>,
    /// What a person who reviews it reads, Chinese.
    pub text_zh: String,
    /// English.
    pub text_en: String,
}

/// A bill.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingBill)]
pub struct BillBody {
    /// The tariff's id.
    pub tariff: String,
    /// `due`, `held`, `accepted` or `waived`.
    pub standing: String,
    /// Its lines.
    pub lines: Vec<LineBody>,
    /// The sum of the lines, fen.
    pub total_fen: i64,
    /// What is to be paid, fen; null while it is held.
    pub due_fen: Option<i64>,
    /// Why it is held, or was.
    pub doubts: Vec<DoubtBody>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<String>,
    /// Why.
    pub decided_note: Option<String>,
}

impl BillBody {
    pub(crate) fn new(bill: Bill, days: &Days) -> Self {
        let due_fen = bill.due().map(|due| due.0);
        let lines = bill.lines.iter().map(|line| {
            let text = line.explain(days);
            let (energy_wh, price) = match line.basis {
                Basis::Energy { energy, price, .. } => (Some(energy.0), Some(price.0)),
                Basis::Time { .. } => (None, None),
            };
            LineBody {
                kind: match line.kind {
                    charging::LineKind::Energy => "energy",
                    charging::LineKind::Service => "service",
                    charging::LineKind::Parking => "parking",
                    charging::LineKind::Idle => "idle",
                }
                .to_owned(),
                from: line.from.to_string(),
                until: line.until.to_string(),
                energy_wh,
                price,
                amount_fen: line.amount.0,
                text_zh: text.zh,
                text_en: text.en,
            }
        });
        let lines = lines.collect();
        let doubts = bill.doubts.iter().map(|doubt| {
            let told = doubt.told(days);
            DoubtBody {
                at: doubt.at.map(|at| at.to_string()),
                text_zh: told.zh,
                text_en: told.en,
            }
        });
        let doubts = doubts.collect();
        let (standing, review) = match bill.standing {
            Standing::Due => ("due", None),
            Standing::Held => ("held", None),
            Standing::Accepted(review) => ("accepted", Some(review)),
            Standing::Waived(review) => ("waived", Some(review)),
        };
        Self {
            tariff: bill.tariff,
            standing: standing.to_owned(),
            lines,
            total_fen: bill.total.0,
            due_fen,
            doubts,
            decided_by: review.as_ref().map(|review| review.by.clone()),
            decided_at: review.as_ref().map(|review| review.at.to_string()),
            decided_note: review.map(|review| review.note),
        }
    }
}

/// Something that a station told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingEvent)]
pub struct EventBody {
    /// `arrived`, `started`, `identified`, `reading`, `full`, `ended` or `left`.
    pub kind: String,
    /// When, by the station's clock.
    pub at: Option<String>,
    /// The meter's register, Wh.
    pub register_wh: Option<i64>,
    /// When it reached the city.
    pub received_at: String,
}

/// The money of a bill, fen.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ChargingMoney)]
pub struct MoneyBody {
    /// What it comes to.
    pub billed_fen: i64,
    /// What was paid.
    pub paid_fen: i64,
    /// What was given back.
    pub refunded_fen: i64,
}

/// A session with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSessionDetail)]
pub struct DetailBody {
    /// The session.
    pub session: SessionBody,
    /// Its bill.
    pub bill: Option<BillBody>,
    /// What the bill would be by what was told since.
    pub correction: Option<BillBody>,
    /// What the ledger has of it.
    pub money: MoneyBody,
    /// The number of the tariff of the bill.
    pub tariff_number: Option<i64>,
    /// The card's holder, where it is registered.
    pub holder: Option<String>,
    /// What the station told, as far as it is kept, in the order in which it came.
    pub events: Vec<EventBody>,
    /// Whether the caller may decide on its bill.
    pub may_manage: bool,
}

/// One session, with its bill line by line and what the station told.
#[utoipa::path(get, path = "/api/v1/charging/sessions/{id}", tag = "charging", security(("session" = ["charging.read"])), params(("id" = i64, Path)),
    responses((status = 200, body = DetailBody), (status = 404, body = ProblemBody)))]
pub async fn session(
    State(app): State<App>,
    Caller(caller): Caller,
    Path(id): Path<i64>,
) -> Answer<Json<DetailBody>> {
    let may_manage = caller.may(identity::Permission::ChargingManage);
    Ok(Json(detail(&app, id, may_manage).await?))
}

async fn detail(app: &App, id: i64, may_manage: bool) -> Answer<DetailBody> {
    let days = app.charging_days()?;
    let mut read = app.records.read().await?;
    let row = rows::session_numbered(&mut read, id)
        .await?
        .ok_or_else(|| no_session(id))?;
    let whole: Kept = kept(row.clone())?;
    let told = rows::events(&mut read, &row.station, &row.transaction_id).await?;
    let money = rows::money(&mut read, &whole.key.to_string()).await?;
    let card = match &row.card {
        Some(card) => rows::card(&mut read, card).await?,
        None => None,
    };
    drop(read);
    let (bill, correction) = match whole.bill {
        Some(kept) => (
            Some(BillBody::new(kept.bill, &days)),
            kept.correction.map(|bill| BillBody::new(bill, &days)),
        ),
        None => (None, None),
    };
    Ok(DetailBody {
        tariff_number: row.tariff_number,
        session: row.into(),
        bill,
        correction,
        money: money.map_or_else(MoneyBody::default, |money| MoneyBody {
            billed_fen: money.billed_fen,
            paid_fen: money.paid_fen,
            refunded_fen: money.refunded_fen,
        }),
        holder: card.map(|card| card.holder),
        events: told
            .into_iter()
            .map(|event| EventBody {
                kind: event.kind,
                at: event.at.map(|at| at.to_string()),
                register_wh: event.register_wh,
                received_at: event.received_at.to_string(),
            })
            .collect(),
        may_manage,
    })
}

/// What is decided on a bill that is held.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChargingDecision)]
pub struct DecisionRequest {
    /// `accept`: charge what is proposed; `waive`: charge nothing.
    #[schema(value_type = String)]
    pub decision: Decision,
    /// Why, 1 to 1,000 characters.
    pub note: String,
}

/// Decides on a bill that is held; accepted, it is entered at once.
#[utoipa::path(post, path = "/api/v1/charging/sessions/{id}/decision", tag = "charging", security(("session" = ["charging.manage"])),
    params(("id" = i64, Path)), request_body = DecisionRequest,
    responses((status = 200, body = DetailBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn decide(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<DecisionRequest>,
) -> Answer<Json<DetailBody>> {
    let office = app.charging()?;
    let mut read = app.records.read().await?;
    let row = rows::session_numbered(&mut read, id)
        .await?
        .ok_or_else(|| no_session(id))?;
    drop(read);
    let (actor, now) = (peer.actor(&caller), app.now());
    let key = SessionKey {
        station: row.station,
        transaction: row.transaction_id,
    };
    let review = Review {
        by: caller.name.clone(),
        at: now,
        note: request.note.trim().to_owned(),
    };
    let bill = office
        .desk
        .decide(key.clone(), request.decision, review.clone())
        .await
        .map_err(conflict)?;
    let detail_of = json!({
        "session": key.to_string(),
        "decision": request.decision,
        "fen": bill.due().map(|due| due.0),
        "note": review.note,
    });
    let mut write = app.records.write().await?;
    let event = Event::ChargingDecide;
    audit::insert(
        &mut write,
        now,
        &actor,
        event,
        &format!("charging:{id}"),
        &detail_of,
    )
    .await?;
    write.commit().await?;
    Ok(Json(detail(&app, id, true).await?))
}

fn no_session(id: i64) -> ApiError {
    ApiError::told(
        StatusCode::NOT_FOUND,
        Told::new(
            "not-found",
            both(
                format!("没有充电订单 {id}"),
                format!("there is no charging session {id}"),
            ),
            both("充电订单", "charging session"),
            both("请到订单列表里找", "look it up in the list of sessions"),
        ),
    )
}

fn conflict(told: Told) -> ApiError {
    let status = match told.code.as_str() {
        "billing-busy" | billing::durable::STORE => StatusCode::SERVICE_UNAVAILABLE,
        "charging-review" | "billing-no-card" => StatusCode::CONFLICT,
        "billing-unknown" => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    };
    ApiError::told(status, told)
}

/// A tariff in force.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingTariff)]
pub struct TariffBody {
    /// Its number, which bills name.
    pub number: i64,
    /// The station that it is for; all that have none of their own where it is null.
    pub station: Option<String>,
    /// From when it holds, for charges that begin then or later.
    pub from: String,
    /// The tariff.
    #[schema(value_type = Object)]
    pub tariff: serde_json::Value,
    /// When it was written.
    pub written_at: String,
    /// Who wrote it.
    pub written_by: String,
    /// Whether it is the one that holds now for all stations without one of their own.
    pub holds_now: bool,
}

/// The tariffs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingTariffs)]
pub struct TariffsBody {
    /// The newest first.
    pub items: Vec<TariffBody>,
    /// Whether the caller may put one in force.
    pub may_manage: bool,
}

/// The tariffs, the newest first.
#[utoipa::path(get, path = "/api/v1/charging/tariffs", tag = "charging", security(("session" = ["charging.read"])),
    responses((status = 200, body = TariffsBody)))]
pub async fn tariffs(State(app): State<App>, Caller(caller): Caller) -> Answer<Json<TariffsBody>> {
    let mut read = app.records.read().await?;
    let all = rows::tariffs(&mut read).await?;
    drop(read);
    let now = app.now();
    let holding = all
        .iter()
        .filter(|row| row.station.is_none() && row.from_at <= now)
        .max_by_key(|row| (row.from_at, row.number))
        .map(|row| row.number);
    let items = all.into_iter().rev().map(|row| {
        Ok(TariffBody {
            holds_now: holding == Some(row.number),
            number: row.number,
            station: row.station,
            from: row.from_at.to_string(),
            tariff: serde_json::from_str(&row.definition).map_err(ApiError::internal)?,
            written_at: row.written_at.to_string(),
            written_by: row.written_by,
        })
    });
    Ok(Json(TariffsBody {
        items: items.collect::<Answer<_>>()?,
        may_manage: caller.may(identity::Permission::ChargingManage),
    }))
}

/// A tariff to be put in force.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChargingTariffDraft)]
pub struct TariffRequest {
    /// The station that it is for; without one, all that have none of their own.
    #[serde(default)]
    pub station: Option<String>,
    /// From when it holds, with its zone.
    pub from: String,
    /// The tariff: id, titles, versions with prices (yuan per kWh, as texts) and hours.
    #[schema(value_type = Object)]
    pub tariff: serde_json::Value,
}

/// Puts a tariff in force. It is never changed afterwards: another one follows it.
#[utoipa::path(post, path = "/api/v1/charging/tariffs", tag = "charging", security(("session" = ["charging.manage"])), request_body = TariffRequest,
    responses((status = 201, body = TariffsBody), (status = 400, body = ProblemBody)))]
pub async fn add_tariff(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(request): Json<TariffRequest>,
) -> Answer<(StatusCode, Json<TariffsBody>)> {
    let office = app.charging()?;
    let bad = |told| ApiError::told(StatusCode::BAD_REQUEST, told);
    let written: Written = serde_json::from_value(request.tariff).map_err(|error| {
        bad(Told::new(
            "charging-tariff",
            both(
                format!("电价格式不对：{error}"),
                format!("this is no tariff: {error}"),
            ),
            both("电价", "tariff"),
            both(
                "请按电价样例填写各项",
                "write it as the example of a tariff shows",
            ),
        ))
    })?;
    Tariff::new(&written).map_err(|told| bad(together(&told)))?;
    let from_at = moment(&request.from)?;
    let station = request.station.filter(|station| !station.is_empty());
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    if rows::tariffs(&mut write).await?.len() >= TARIFFS_MAX {
        return Err(ApiError::both(
            StatusCode::CONFLICT,
            "charging-tariffs-full",
            ["电价已达上限", "there are all the tariffs there may be"],
            ["电价", "tariffs"],
            ["请联系系统管理员", "ask who runs the platform"],
        ));
    }
    let row = ChargingTariff {
        number: 0,
        station: station.clone(),
        from_at,
        definition: serde_json::to_string(&written).map_err(ApiError::internal)?,
        written_at: now,
        written_by: caller.name.clone(),
    };
    let number = rows::add_tariff(&mut write, &row).await?;
    let detail = json!({
        "id": written.id,
        "station": station,
        "from": from_at.to_string(),
        "tariff": written,
    });
    let target = format!("charging-tariff:{number}");
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ChargingTariff,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    let prices = app.charging_prices(&office.operator).await?;
    office.desk.prices(prices).await.map_err(conflict)?;
    Ok((
        StatusCode::CREATED,
        tariffs(State(app), Caller(caller)).await?,
    ))
}

/// A time with its zone, as people and machines write it.
pub(crate) fn moment(text: &str) -> Answer<Timestamp> {
    Timestamp::parse(text).map_err(|_| {
        ApiError::told(
            StatusCode::BAD_REQUEST,
            Told::new(
                "charging-time",
                both(
                    format!("“{}”不是时间", quote(text)),
                    format!("\"{}\" is no time", quote(text)),
                ),
                both("时间", "time"),
                both(
                    "请写带时区的时间，如 2026-01-01T00:00:00+08:00",
                    "write a time with its zone, such as 2026-01-01T00:00:00+08:00",
                ),
            ),
        )
    })
}

/// A card that may charge.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingCard)]
pub struct CardBody {
    /// Its pseudonym.
    pub card: String,
    /// Whose it is.
    pub holder: String,
    /// Whether it is blocked.
    pub blocked: bool,
    /// Until when it is good; null: until further notice.
    pub good_until: Option<String>,
    /// When it changed last.
    pub changed_at: String,
    /// Who changed it.
    pub changed_by: String,
}

/// A page of cards.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingCards)]
pub struct CardsBody {
    /// By pseudonym.
    pub items: Vec<CardBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// The cards that may charge, as pseudonyms.
#[utoipa::path(get, path = "/api/v1/charging/cards", tag = "charging", security(("session" = ["charging.manage"])),
    params(crate::paging::PageQuery), responses((status = 200, body = CardsBody)))]
pub async fn cards(
    State(app): State<App>,
    Query(query): Query<crate::paging::PageQuery>,
) -> Answer<Json<CardsBody>> {
    let mut read = app.records.read().await?;
    let page = rows::cards(&mut read, &PageRequest::from(&query)).await?;
    Ok(Json(CardsBody {
        next: page.next.clone(),
        items: page.items.into_iter().map(card_body).collect(),
    }))
}

fn card_body(card: ChargingCard) -> CardBody {
    CardBody {
        card: card.card,
        holder: card.holder,
        blocked: card.is_blocked,
        good_until: card.good_until.map(|at| at.to_string()),
        changed_at: card.changed_at.to_string(),
        changed_by: card.changed_by,
    }
}

/// A card to be registered, blocked or let go again.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChargingCardDraft)]
pub struct CardRequest {
    /// The card as readers read it; it is kept as a pseudonym alone.
    pub card: Option<String>,
    /// Or the pseudonym of one that is registered.
    pub pseudonym: Option<String>,
    /// Whose it is; a number of a contract rather than a name.
    pub holder: String,
    /// Whether it is blocked.
    #[serde(default)]
    pub blocked: bool,
    /// Until when it is good, with its zone.
    #[serde(default)]
    pub good_until: Option<String>,
}

/// Registers a card, or changes what is kept of it.
#[utoipa::path(put, path = "/api/v1/charging/cards", tag = "charging", security(("session" = ["charging.manage"])), request_body = CardRequest,
    responses((status = 200, body = CardBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn put_card(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(request): Json<CardRequest>,
) -> Answer<Json<CardBody>> {
    let office = app.charging()?;
    let holder = request.holder.trim().to_owned();
    let is_named = (1..=HOLDER_CHARS_MAX).contains(&holder.chars().count());
    let given = request.card.as_deref().map(str::trim);
    let given = given.filter(|card| {
        !card.is_empty() && card.len() <= charging::event::NAME_BYTES_MAX && card.is_ascii()
    });
    if !is_named || (given.is_none() == request.pseudonym.is_none()) {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "charging-card",
            [
                "卡号或持有人没有写明",
                "the card or its holder is not named",
            ],
            ["充电卡", "card"],
            [
                "请写卡号（1 到 128 个字母和数字）或已登记的代号之一，以及 1 到 100 个字的持有人",
                "name either the card (1 to 128 letters and digits) or a registered pseudonym, and a holder of 1 to 100 characters",
            ],
        ));
    }
    let good_until = request.good_until.as_deref().map(moment).transpose()?;
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    let pseudonym = match (given, request.pseudonym) {
        (Some(card), _) => office.settings.pseudonym(card),
        (None, Some(known)) if rows::card(&mut write, &known).await?.is_some() => known,
        (None, known) => {
            return Err(ApiError::not_found(
                "charging card",
                quote(&known.unwrap_or_default()),
            ));
        }
    };
    let card = ChargingCard {
        card: pseudonym,
        holder,
        is_blocked: request.blocked,
        good_until,
        changed_at: now,
        changed_by: caller.name.clone(),
    };
    rows::put_card(&mut write, &card).await?;
    let detail = json!({
        "holder": card.holder,
        "blocked": card.is_blocked,
        "good_until": card.good_until.map(|at| at.to_string()),
    });
    let target = format!("charging-card:{}", card.card);
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ChargingCard,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(Json(card_body(card)))
}
