//! A driver's own charging over HTTP (我要充电): order a charge, follow it, end it, pay what is owed, complain. Everything here is one's own: an
//! order or session of somebody else is not there.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::charging_drivers::{Asked, driving, holder, money};
use crate::charging_office::{Order as StationOrder, Stations};
use crate::charging_pages::BillBody;
use crate::charging_places::{Point, WordsBody};
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use billing::durable::{self, kept};
use billing::{Cashier, Kept};
use cases::NewCase;
use charging::Fen;
use charging::collect::State as Paying;
use identity::{Permission, Principal};
use model::problem::both;
use model::{Timestamp, Told};
use records::charging::{self as books, ChargingSession};
use records::charging_invoices as invoices;
use records::charging_orders::{self as rows, ChargingOrder};
use records::{Connection, Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Longest name of a request, bytes.
const KEY_BYTES_MAX: usize = 100;
/// Longest complaint, characters.
const COMPLAINT_CHARS_MAX: usize = 1_000;
/// What ids of sessions begin with that no order was made for: cards held to a reader.
const SESSION: char = 's';
/// Rows of a page when not said, and at most.
const PAGE: [u32; 2] = [20, 100];

/// A charge of one's own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingMine)]
pub struct MineBody {
    /// Its id.
    pub id: String,
    /// The station's identity.
    pub station: String,
    /// The outlet, from 1; null where the station did not say it.
    pub outlet: Option<i64>,
    /// The place's name.
    pub place: Option<String>,
    /// The place's English name.
    pub place_en: Option<String>,
    /// The point's name.
    pub point: Option<String>,
    /// The point's English name.
    pub point_en: Option<String>,
    /// `holding` (money is being set aside), `starting`, `charging`, `ended` (its bill is being made), `review` (a person looks at its bill),
    /// `paying` (a payment is under way: the provider has not answered, and nobody is asked to pay again), `owed`, `paid`, `free` (nothing to
    /// pay) or `refused` (no charge began).
    pub state: String,
    /// Why no charge began.
    pub told: Option<WordsBody>,
    /// When it was asked for; when it began, of a card held to a reader.
    pub asked_at: String,
    /// When the charge began.
    pub started_at: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Energy so far, Wh.
    pub energy_wh: Option<i64>,
    /// Power now, W.
    pub power_w: Option<i64>,
    /// What it would come to if it ended now, fen; while it goes on.
    pub estimate_fen: Option<i64>,
    /// What is to be paid, fen; null while there is no bill.
    pub due_fen: Option<i64>,
    /// What was paid, fen.
    pub paid_fen: i64,
    /// What was given back, fen.
    pub refunded_fen: i64,
    /// What is still owed, fen; 0 while a payment is under way.
    pub owed_fen: i64,
    /// Whether it can be ended now.
    pub may_stop: bool,
    /// Whether what is owed can be paid now.
    pub may_pay: bool,
    /// Whose income it is, once it has a bill: charges of one operator stand on one invoice.
    pub operator: Option<String>,
    /// Whether an invoice can be asked for: paid, not given back whole, and on no invoice.
    pub may_invoice: bool,
    /// The invoice that it stands on.
    pub invoice: Option<i64>,
}

/// A page of one's own charges.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingMineList)]
pub struct MineListBody {
    /// Newest first.
    pub items: Vec<MineBody>,
    /// What is owed over all, fen.
    pub owed_fen: i64,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// What is known of one charge.
struct Known {
    order: Option<ChargingOrder>,
    session: Option<ChargingSession>,
}

impl App {
    async fn mine(&self, read: &mut Connection, known: &Known) -> Answer<MineBody> {
        let (order, session) = (known.order.as_ref(), known.session.as_ref());
        let station = match (order, session) {
            (Some(order), _) => order.station.clone(),
            (None, Some(session)) => session.station.clone(),
            (None, None) => return Err(ApiError::internal("neither order nor session")),
        };
        let outlet = match (order, session) {
            (_, Some(session)) if session.connector > 0 => Some(session.connector),
            (Some(order), _) => Some(order.outlet),
            _ => None,
        };
        let point = outlet
            .and_then(|outlet| u32::try_from(outlet).ok())
            .and_then(|outlet| self.charging_point(&station, outlet));
        let whole = session.map(|row| kept(row.clone())).transpose()?;
        let bill = whole.as_ref().and_then(|kept| kept.bill.as_ref());
        let due = bill.and_then(|kept| kept.bill.due()).map(|fen| fen.0);
        let ledger = match &whole {
            Some(kept) => books::money(read, &kept.key.to_string()).await?,
            None => None,
        };
        let (billed, paid, refunded) = ledger.map_or((0, 0, 0), |money| {
            (money.billed_fen, money.paid_fen, money.refunded_fen)
        });
        let invoice = match &whole {
            Some(kept) if paid > 0 => invoices::of_bill(read, &kept.key.to_string()).await?,
            _ => None,
        };
        let is_paying = match &whole {
            Some(kept) => under_way(read, &kept.key.to_string(), order)
                .await?
                .is_some(),
            None => false,
        };
        // What the bill comes to stands in the ledger once the payment of an order has begun to take it.
        let rest = billed.max(due.unwrap_or(0)) - paid;
        let owed = if is_paying { 0 } else { billed - paid };
        let state = match (order.map(|order| order.state.as_str()), session) {
            (_, Some(session)) => match session.state.as_str() {
                "charging" => "charging",
                "doubtful" => "review",
                "billed" if owed > 0 => "owed",
                "billed" if is_paying && rest > 0 => "paying",
                "billed" if paid > 0 => "paid",
                "billed" => "free",
                _ => "ended",
            },
            (Some("holding"), None) => "holding",
            (Some("refused"), None) => "refused",
            _ => "starting",
        };
        let is_live = state == "charging";
        let estimate = match session {
            Some(session) if is_live => self.estimate(read, session).await?,
            _ => None,
        };
        let told = order
            .and_then(|order| order.told.as_deref())
            .and_then(|told| serde_json::from_str::<serde_json::Value>(told).ok())
            .map(|told| WordsBody {
                zh: told["zh"].as_str().unwrap_or_default().to_owned(),
                en: told["en"].as_str().unwrap_or_default().to_owned(),
            });
        let asked_at = match (order, session) {
            (Some(order), _) => order.asked_at,
            (None, Some(session)) => session.started_at.unwrap_or(session.changed_at),
            (None, None) => Timestamp::default(),
        };
        let names = point.as_ref().map(|point| self.charging_place_names(point));
        let [place, place_en] = names.unwrap_or_default();
        let has_till = self.charging()?.driving.is_some();
        Ok(MineBody {
            id: match (order, session) {
                (Some(order), _) => order.id.clone(),
                (None, session) => format!("{SESSION}{}", session.map_or(0, |row| row.id)),
            },
            station,
            outlet,
            place,
            place_en,
            power_w: (point.as_ref())
                .filter(|_| is_live)
                .and_then(Point::power_w),
            point_en: point.as_ref().and_then(Point::name_en),
            point: point.map(|point| point.name()),
            told: told.filter(|_| state == "refused"),
            asked_at: asked_at.to_string(),
            started_at: session
                .and_then(|row| row.started_at)
                .map(|at| at.to_string()),
            ended_at: session
                .and_then(|row| row.ended_at)
                .map(|at| at.to_string()),
            energy_wh: session.map(|row| row.energy_wh),
            estimate_fen: estimate.map(|fen| fen.0),
            due_fen: due,
            paid_fen: paid,
            refunded_fen: refunded,
            owed_fen: owed,
            may_stop: is_live || (state == "starting" && session.is_none()),
            may_pay: owed > 0 && has_till,
            operator: whole
                .as_ref()
                .filter(|kept| kept.bill.is_some())
                .map(|kept| kept.operator.clone()),
            may_invoice: state == "paid" && paid > refunded && invoice.is_none(),
            invoice,
            state: state.to_owned(),
        })
    }

    /// What a charge that goes on would come to if it ended with what was told last.
    async fn estimate(
        &self,
        read: &mut Connection,
        session: &ChargingSession,
    ) -> Answer<Option<Fen>> {
        let office = self.charging()?;
        let told = books::events(read, &session.station, &session.transaction_id).await?;
        let prices = self.charging_prices(&office.operator).await?;
        let limits = &office.settings.limits;
        let mut sessions = charging::Sessions::default();
        for row in told {
            // What cannot be taken was refused when it was told.
            let _ = sessions.add(&durable::event(row)?, limits);
        }
        let Some(mut one) = sessions.all(limits).pop() else {
            return Ok(None);
        };
        let Some(last) = one.readings.last().map(|reading| reading.at) else {
            return Ok(None);
        };
        one.is_ended = true;
        one.ended = Some(last);
        one.left = Some(last);
        one.doubts.clear();
        let begun = one.started.unwrap_or(last);
        let tariff = prices.tariff(&session.station, begun);
        let bill = tariff.and_then(|dated| charging::bill(&one, &dated.tariff, &prices.days));
        Ok(bill.map(|bill| bill.total))
    }

    /// One of the caller's own charges.
    async fn own(&self, caller: &Principal, id: &str) -> Answer<Known> {
        let gone = || {
            ApiError::told(
                StatusCode::NOT_FOUND,
                Told::new(
                    "not-found",
                    both("没有这次充电", "there is no such charge of yours"),
                    both("我的充电", "my charging"),
                    both("请到“我的充电”里找", "look it up among your charges"),
                ),
            )
        };
        let mut read = self.records.read().await?;
        if let Some(number) = id.strip_prefix(SESSION) {
            let number: i64 = number.parse().map_err(|_| gone())?;
            let session = books::session_numbered(&mut read, number).await?;
            let session = session.ok_or_else(gone)?;
            let card = match &session.card {
                Some(card) => books::card(&mut read, card).await?,
                None => None,
            };
            let is_own = card.is_some_and(|card| card.holder == holder(&caller.username));
            return if is_own {
                Ok(Known {
                    order: None,
                    session: Some(session),
                })
            } else {
                Err(gone())
            };
        }
        let order = rows::get(&mut read, id).await?;
        let order = order.filter(|order| order.account == caller.username);
        let order = order.ok_or_else(gone)?;
        let session = self.session_of(&mut read, &order.card).await?;
        Ok(Known {
            order: Some(order),
            session,
        })
    }

    /// The session of one of the caller's own charges; none where no charge began.
    ///
    /// # Errors
    /// 404 where there is no such charge of theirs.
    pub(crate) async fn own_session(
        &self,
        caller: &Principal,
        id: &str,
    ) -> Answer<Option<ChargingSession>> {
        Ok(self.own(caller, id).await?.session)
    }

    async fn shown_mine(&self, caller: &Principal, id: &str) -> Answer<MineBody> {
        let known = self.own(caller, id).await?;
        let mut read = self.records.read().await?;
        self.mine(&mut read, &known).await
    }
}

/// The payment of a bill, or of its order, that has not come to its end.
async fn under_way(
    read: &mut Connection,
    bill: &str,
    order: Option<&ChargingOrder>,
) -> Answer<Option<String>> {
    let mut all = rows::payments_for(read, bill).await?;
    if let Some(order) = order {
        all.extend(rows::payment(read, &order.id).await?);
    }
    let open = all
        .into_iter()
        .find(|payment| matches!(payment.state.as_str(), "open" | "held"));
    Ok(open.map(|payment| payment.id))
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
pub struct MineQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many: 20 when not said, at most 100.
    pub limit: Option<u32>,
}

/// One's own charges, newest first: those that were ordered here, and those of cards that are registered to one's account.
#[utoipa::path(get, path = "/api/v1/charging/mine", tag = "charging", security(("session" = ["charging.use"])), params(MineQuery),
    responses((status = 200, body = MineListBody), (status = 400, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Query(query): Query<MineQuery>,
) -> Answer<Json<MineListBody>> {
    let before = match &query.after {
        Some(text) => crate::charging_pages::moment(text)?,
        None => app.now().plus_seconds(86_400),
    };
    let limit = query.limit.unwrap_or(PAGE[0]).clamp(1, PAGE[1]);
    let most = i64::from(limit);
    let own = holder(&caller.username);
    let mut read = app.records.read().await?;
    let mut known: Vec<(Timestamp, Known)> = Vec::new();
    for order in rows::of(&mut read, &caller.username, before, most + 1).await? {
        let session = app.session_of(&mut read, &order.card).await?;
        let at = order.asked_at;
        let order = Some(order);
        known.push((at, Known { order, session }));
    }
    for id in rows::other_sessions(&mut read, &own, before, most + 1).await? {
        let Some(session) = books::session_numbered(&mut read, id).await? else {
            continue;
        };
        let at = session.started_at.unwrap_or(session.changed_at);
        let session = Some(session);
        known.push((
            at,
            Known {
                order: None,
                session,
            },
        ));
    }
    known.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = known.len() > size;
    known.truncate(size);
    let next = known
        .last()
        .filter(|_| is_more)
        .map(|(at, _)| at.to_string());
    let mut items = Vec::with_capacity(known.len());
    for (_, known) in &known {
        items.push(app.mine(&mut read, known).await?);
    }
    let owed_fen = rows::owed(&mut read, &own).await?;
    Ok(Json(MineListBody {
        items,
        owed_fen,
        next,
    }))
}

/// A charge to be ordered.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChargingStart)]
pub struct StartRequest {
    /// The station's identity.
    pub station: String,
    /// The outlet, from 1.
    pub outlet: u32,
    /// The asker's own name of this request: sent twice, one charge is ordered.
    pub key: String,
}

/// Orders a charge: sets money aside, then tells the station to start. What is answered says how far it came.
#[utoipa::path(post, path = "/api/v1/charging/mine", tag = "charging", security(("session" = ["charging.use"])), request_body = StartRequest,
    responses((status = 201, body = MineBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn start(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(request): Json<StartRequest>,
) -> Answer<(StatusCode, Json<MineBody>)> {
    let key = request.key.trim();
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "charging-key",
            [
                "请求编号为空或过长",
                "the request's key is empty or too long",
            ],
            ["key", "key"],
            [
                "请用 1 到 100 字节的随机文字，重发时不变",
                "take a random text of 1 to 100 bytes, the same when it is sent again",
            ],
        ));
    }
    let asked = Asked {
        account: caller.username.clone(),
        key: key.to_owned(),
        station: request.station,
        outlet: request.outlet,
    };
    let order = app.begin_charge(&asked, &peer.actor(&caller)).await?;
    let body = app.shown_mine(&caller, &order.id).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// What a station told of one's charge.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingMineReading)]
pub struct ReadingBody {
    /// When.
    pub at: String,
    /// The meter's register, Wh.
    pub register_wh: i64,
}

/// One of one's own charges.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingMineDetail)]
pub struct MineDetailBody {
    /// The charge.
    pub order: MineBody,
    /// Its bill, line by line.
    pub bill: Option<BillBody>,
    /// The meter's register over time, as far as it is kept.
    pub readings: Vec<ReadingBody>,
    /// Numbers of the cases that came of it: complaints, corrections.
    pub cases: Vec<i64>,
}

/// One of one's own charges, with its bill line by line.
#[utoipa::path(get, path = "/api/v1/charging/mine/{id}", tag = "charging", security(("session" = ["charging.use"])),
    params(("id" = String, Path)), responses((status = 200, body = MineDetailBody), (status = 404, body = ProblemBody)))]
pub async fn detail(
    State(app): State<App>,
    Caller(caller): Caller,
    Path(id): Path<String>,
) -> Answer<Json<MineDetailBody>> {
    let mut known = app.own(&caller, &id).await?;
    if let Some(order) = &known.order
        && !matches!(order.state.as_str(), "over" | "refused")
        && app.charging()?.driving.is_some()
    {
        app.advance_charge(&order.id).await?;
        known = app.own(&caller, &id).await?;
    }
    let days = app.charging_days()?;
    let mut read = app.records.read().await?;
    let order = app.mine(&mut read, &known).await?;
    let (mut readings, mut cases, mut bill) = (Vec::new(), Vec::new(), None);
    if let Some(session) = known.session {
        for told in books::events(&mut read, &session.station, &session.transaction_id).await? {
            if let (Some(at), Some(register_wh)) = (told.at, told.register_wh) {
                readings.push((at, register_wh));
            }
        }
        readings.sort_unstable();
        readings.dedup();
        cases = rows::cases_of(&mut read, session.id).await?;
        bill = kept(session)?.bill;
    }
    Ok(Json(MineDetailBody {
        order,
        bill: bill.map(|kept| BillBody::new(kept.bill, &days)),
        readings: readings
            .into_iter()
            .map(|(at, register_wh)| ReadingBody {
                at: at.to_string(),
                register_wh,
            })
            .collect(),
        cases: cases.into_iter().map(|(_, case)| case).collect(),
    }))
}

/// Ends one of one's own charges; one that has not begun is given up.
#[utoipa::path(post, path = "/api/v1/charging/mine/{id}/stop", tag = "charging", security(("session" = ["charging.use"])),
    params(("id" = String, Path)), responses((status = 200, body = MineBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 504, body = ProblemBody)))]
pub async fn stop(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<String>,
) -> Answer<Json<MineBody>> {
    let known = app.own(&caller, &id).await?;
    if let (Some(order), None) = (&known.order, &known.session)
        && matches!(order.state.as_str(), "holding" | "starting" | "awaited")
    {
        let detail = json!({"order": "cancel", "outlet": order.outlet, "transaction": null, "driver_order": id});
        let target = format!("charging-station:{}", order.station);
        let actor = peer.actor(&caller);
        let mut write = app.records.write().await?;
        audit::insert(
            &mut write,
            app.now(),
            &actor,
            Event::ChargingOrder,
            &target,
            &detail,
        )
        .await?;
        write.commit().await?;
        app.cancel_charge(order).await?;
        return Ok(Json(app.shown_mine(&caller, &id).await?));
    }
    let session = known.session.filter(|session| session.state == "charging");
    let office = app.charging()?;
    let way: Option<Arc<dyn Stations>> = office.stations.clone();
    let (Some(session), Some(way)) = (session, way) else {
        return Err(ApiError::both(
            StatusCode::CONFLICT,
            "charging-not-charging",
            ["没有正在进行的充电", "nothing is being charged"],
            ["我的充电", "my charging"],
            [
                "如果车还在充电，请在桩上结束，或拔枪",
                "if the vehicle still charges, end it at the station, or unplug it",
            ],
        ));
    };
    let now = app.now();
    let detail = json!({"order": "stop", "outlet": null, "transaction": session.transaction_id, "driver_order": id});
    let target = format!("charging-station:{}", session.station);
    let actor = peer.actor(&caller);
    let mut write = app.records.write().await?;
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ChargingOrder,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    let order = StationOrder::Stop {
        transaction: session.transaction_id.clone(),
    };
    let said = way.order(&session.station, order).await;
    let said = said.map_err(|undone| {
        let status = match undone.may_have_happened {
            true => StatusCode::GATEWAY_TIMEOUT,
            false => StatusCode::CONFLICT,
        };
        ApiError::told(status, undone.told)
    })?;
    if !said.is_accepted {
        return Err(ApiError::both(
            StatusCode::CONFLICT,
            "charging-stop-refused",
            ["充电桩没有接受停止", "the station did not accept to stop"],
            ["充电桩", "station"],
            [
                "请在桩上结束，或拔枪",
                "end it at the station, or unplug the vehicle",
            ],
        ));
    }
    Ok(Json(app.shown_mine(&caller, &id).await?))
}

/// Pays what is owed of one of one's own charges.
#[utoipa::path(post, path = "/api/v1/charging/mine/{id}/payment", tag = "charging", security(("session" = ["charging.use"])),
    params(("id" = String, Path)), responses((status = 200, body = MineBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn pay(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<String>,
) -> Answer<Json<MineBody>> {
    let driving = driving(app.charging()?)?;
    let known = app.own(&caller, &id).await?;
    let nothing = || {
        ApiError::both(
            StatusCode::CONFLICT,
            "charging-nothing-owed",
            ["没有要付的费用", "nothing is owed of it"],
            ["我的充电", "my charging"],
            ["不用付款", "there is nothing to do"],
        )
    };
    let session = known.session.ok_or_else(nothing)?;
    let number = session.id;
    let whole = kept(session)?;
    let (bill, card) = (whole.key.to_string(), whole.card.clone());
    let card = card.ok_or_else(nothing)?;
    let now = app.now();
    // One payment of a bill at a time: whether there is another is looked at where nobody else writes.
    let mut write = app.records.write().await?;
    let cashier = &driving.cashier;
    if let Some(payment) = under_way(&mut write, &bill, known.order.as_ref()).await? {
        drop(write);
        carry(cashier, &payment, &whole, now).await?;
        return Ok(Json(app.shown_mine(&caller, &id).await?));
    }
    let ledger = books::money(&mut write, &bill).await?;
    let owed = ledger.map_or(0, |money| money.billed_fen - money.paid_fen);
    if owed <= 0 {
        return Err(nothing());
    }
    let tries = rows::payments_for(&mut write, &bill).await?.len();
    let payment = format!("bill-{number}-{}", tries + 1);
    (cashier.begin_for(&mut write, &payment, &card, (&bill, Fen(owed)), now)).await?;
    let detail = json!({"payment": payment, "fen": owed});
    let (actor, target) = (peer.actor(&caller), format!("charging:{number}"));
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ChargingPay,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    carry(cashier, &payment, &whole, now).await?;
    Ok(Json(app.shown_mine(&caller, &id).await?))
}

/// Takes a payment of a bill as far as it goes now; where the provider is silent, the cashier's rounds go on with it.
///
/// # Errors
/// 409 where the provider refuses; the cashier's own.
async fn carry(cashier: &Cashier, payment: &str, whole: &Kept, now: Timestamp) -> Answer<()> {
    let machine = cashier.advance(payment, now).await.map_err(money)?;
    match machine.state() {
        Paying::Held => {
            cashier.bill(payment, whole, now).await.map_err(money)?;
            Ok(())
        }
        Paying::Refused(_) => Err(ApiError::both(
            StatusCode::CONFLICT,
            "charging-payment-refused",
            ["支付机构没有同意付款", "the payment provider refused"],
            ["支付", "payment"],
            [
                "请核对余额后再试",
                "see that there is enough money, then try again",
            ],
        )),
        _ => Ok(()),
    }
}

/// A complaint.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChargingComplaint)]
pub struct ComplaintRequest {
    /// What is wrong, 1 to 1,000 characters.
    pub text: String,
}

/// What came of a complaint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingComplaintCase)]
pub struct ComplaintBody {
    /// The case's number.
    pub case: String,
}

/// Complains about one of one's own charges: a case, which the operator answers. The same text again is the same case.
#[utoipa::path(post, path = "/api/v1/charging/mine/{id}/complaint", tag = "charging", security(("session" = ["charging.use"])),
    params(("id" = String, Path)), request_body = ComplaintRequest,
    responses((status = 201, body = ComplaintBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn complain(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<String>,
    Json(request): Json<ComplaintRequest>,
) -> Answer<(StatusCode, Json<ComplaintBody>)> {
    let text = request.text.trim();
    let length = text.chars().count();
    if length == 0 || length > COMPLAINT_CHARS_MAX {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "charging-complaint",
            ["投诉内容为空或过长", "the complaint is empty or too long"],
            ["投诉", "complaint"],
            ["请写 1 到 1000 个字", "write 1 to 1,000 characters"],
        ));
    }
    let known = app.own(&caller, &id).await?;
    let mut read = app.records.read().await?;
    let body = app.mine(&mut read, &known).await?;
    drop(read);
    let asked_at = app
        .charging_days()?
        .said(crate::charging_pages::moment(&body.asked_at)?);
    let number = known.session.as_ref().map(|session| session.id);
    let page = number.map_or(String::new(), |n| format!("订单页：/charging/sessions/{n}"));
    let place = [body.place.as_deref(), body.point.as_deref()];
    let place: Vec<&str> = place.into_iter().flatten().collect();
    let digest = hex::encode(gm::sm3(format!("{id}\n{text}").as_bytes()));
    let new = NewCase {
        title: format!("充电投诉：{} {}", body.station, place.join(" ")),
        description: format!("{text}\n\n充电：{id}，{asked_at}。{page}"),
        source: Some("citizen".to_owned()),
        request_id: Some(format!(
            "charging-complaint-{}",
            digest.get(..32).unwrap_or(&digest)
        )),
        ..NewCase::default()
    };
    // Whoever charges may complain, whatever else they may do here.
    let mut acting = peer.acting(&caller);
    acting.permissions.push(Permission::CaseOpen.as_str());
    let now = app.now();
    let case = app.cases.open(&new, &acting, now).await?.case;
    if let Some(number) = number {
        let mut write = app.records.write().await?;
        rows::add_case(&mut write, number, "complaint", case.id, now).await?;
        write.commit().await?;
    }
    crate::case_pages::announce(&app, &case);
    let case = case.case.number;
    Ok((StatusCode::CREATED, Json(ComplaintBody { case })))
}
