//! Charges that partners ask for at stations of ours. A card made for the one order is what its session is found by; only its pseudonym is
//! kept. What becomes of the order is looked at again and again, and each step is a notice that the partner is told until it takes it.
//!
//! | state | looked at | then |
//! | --- | --- | --- |
//! | starting | a session with the card | charging; `notification_start_charge_result` |
//! | starting | none within `start_wait_minutes` | failed; the same with state 4 |
//! | charging | the session ended | ended; `notification_stop_charge_result` |
//! | ended | its bill is due, or was decided on | settled; `notification_charge_order_info` |

use super::disputes::open_case;
use super::door::{Wrong, unavailable};
use super::stations::{outlet_of, point};
use super::told::no_such_order;
use super::{Partner, Refused, Shared};
use api::app::App;
use api::charging_office::{Office, Order, Stations};
use billing::durable::kept;
use charging::bill::Basis;
use charging::{Bill, LineKind};
use model::Timestamp;
use proto_tcec102::city::{self, Point, Running};
use proto_tcec102::message::{
    ChargeState, ConnectorStatus, EquipChargeStatus, NotificationStartChargeResult,
    NotificationStopChargeResult, QueryEquipAuth, QueryEquipAuthReply, QueryEquipChargeStatus,
    QueryStartCharge, QueryStartChargeReply, QueryStopCharge, QueryStopChargeReply, Success,
};
use proto_tcec102::order::{SettledOrder, SettledPeriod};
use proto_tcec102::time::Moment;
use proto_tcec102::{Call, Ret};
use rand::Rng as _;
use records::charging::{self as sessions, ChargingCard, ChargingSession};
use records::exchange::{self as rows, ExchangeNotice, ExchangeOrder};
use records::{Actor, Connection, Event, PageRequest, audit};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::Entity;

/// Bytes of a card made for one order: 20 hexadecimal digits, as many as an `idTag` of OCPP 1.6 has room for.
const CARD_BYTES: usize = 10;
/// Orders that are looked at together.
const LOOK_ROWS: i64 = 500;
/// `FailReason`: there is no such pile.
const NO_SUCH_PILE: i64 = 1;
/// `FailReason`: the pile is not on the line.
const OFFLINE: i64 = 2;
/// `FailReason` by agreement: the pile is taken, does not do it, or the partner has too many charges.
const NOT_DONE: i64 = 3;
/// `FailReason` of `query_equip_auth`: no car is plugged in; the pile does not answer.
const NO_CAR: i64 = 1;
const NO_ANSWER: i64 = 2;
/// `FailReason` of `query_stop_charge`: it has stopped already.
const STOPPED: i64 = 3;
/// `StopReason`: by the user, and by the platform that asked for the charge.
const BY_USER: i64 = 0;
const BY_PARTNER: i64 = 1;

fn state_of(order: &ExchangeOrder) -> ChargeState {
    match order.state.as_str() {
        rows::STARTING => ChargeState::Starting,
        rows::CHARGING if order.stop_asked_at.is_some() => ChargeState::Stopping,
        rows::CHARGING => ChargeState::Charging,
        _ => ChargeState::Ended,
    }
}

/// `query_equip_auth`.
pub(super) fn authorised(shared: &Shared, app: &App, ask: &QueryEquipAuth) -> QueryEquipAuthReply {
    let found = point(shared, app, &ask.connector_id);
    let status = found.map(|(point, _)| city::connector_status(&point.status));
    let (succ_stat, fail_reason) = match status {
        Some(ConnectorStatus::Occupied) => (Success::Done, 0),
        Some(ConnectorStatus::Idle) => (Success::Failed, NO_CAR),
        None | Some(ConnectorStatus::Offline) => (Success::Failed, NO_ANSWER),
        Some(_) => (Success::Failed, NOT_DONE),
    };
    QueryEquipAuthReply {
        equip_auth_seq: ask.equip_auth_seq.clone(),
        connector_id: ask.connector_id.clone(),
        succ_stat,
        fail_reason,
    }
}

/// The way to the stations, where their door is open.
type Way = Option<Arc<dyn Stations>>;

/// The office, and the way to the stations.
fn office(app: &App) -> Result<(&Office, Way), Refused> {
    let office = app
        .charging()
        .map_err(|error| unavailable(error.in_words()))?;
    Ok((office, office.stations.clone()))
}

fn started(
    ask: &QueryStartCharge,
    state: ChargeState,
    failed: Option<i64>,
) -> QueryStartChargeReply {
    QueryStartChargeReply {
        start_charge_seq: ask.start_charge_seq.clone(),
        start_charge_seq_stat: state,
        connector_id: ask.connector_id.clone(),
        succ_stat: if failed.is_some() {
            Success::Failed
        } else {
            Success::Done
        },
        fail_reason: failed.unwrap_or(0),
    }
}

fn may_begin(point: &Point) -> Option<i64> {
    match city::connector_status(&point.status) {
        ConnectorStatus::Idle | ConnectorStatus::Occupied => None,
        ConnectorStatus::Offline => Some(OFFLINE),
        _ => Some(NOT_DONE),
    }
}

/// `query_start_charge`: the same number asked again is the same order.
pub(super) async fn start(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    ask: &QueryStartCharge,
    now: Timestamp,
) -> Result<QueryStartChargeReply, Wrong> {
    let (office, way) = office(app)?;
    let mut write = shared.records.write().await.map_err(unavailable)?;
    let known = rows::order(&mut write, &partner.id, &ask.start_charge_seq).await;
    if let Some(order) = known.map_err(unavailable)? {
        // Another connector under the same number is another wish, which is refused.
        let is_same = order.connector_id == ask.connector_id && order.state != rows::FAILED;
        let failed = (!is_same).then_some(NOT_DONE);
        return Ok(started(ask, state_of(&order), failed));
    }
    let Some((point, _)) = point(shared, app, &ask.connector_id) else {
        return Ok(started(ask, ChargeState::Ended, Some(NO_SUCH_PILE)));
    };
    let Some(way) = way else {
        return Ok(started(ask, ChargeState::Ended, Some(OFFLINE)));
    };
    if let Some(reason) = may_begin(&point) {
        return Ok(started(ask, ChargeState::Ended, Some(reason)));
    }
    let open = rows::open_of(&mut write, &partner.id).await;
    if open.map_err(unavailable)? >= shared.own.open_orders_max {
        return Ok(started(ask, ChargeState::Ended, Some(NOT_DONE)));
    }
    let mut bytes = [0; CARD_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    let card = hex::encode_upper(bytes);
    let (identity, outlet) = outlet_of(&ask.connector_id);
    let order = ExchangeOrder {
        id: 0,
        partner: partner.id.clone(),
        order_no: ask.start_charge_seq.clone(),
        side: rows::OURS.to_owned(),
        connector_id: ask.connector_id.clone(),
        card: Some(office.settings.pseudonym(&card)),
        station: Some(identity.to_owned()),
        transaction_id: None,
        state: rows::STARTING.to_owned(),
        started_at: None,
        ended_at: None,
        energy_wh: None,
        electricity_fen: None,
        service_fen: None,
        confirm_result: None,
        doubts: None,
        body: None,
        other_body: None,
        stop_asked_at: None,
        told_at: now,
        changed_at: now,
        case_id: None,
    };
    // Order, card and trail are there before the station hears anything: a crash in between leaves an order that ends by its time.
    prepare(&mut write, shared, &order, now)
        .await
        .map_err(unavailable)?;
    tell_trail(&mut write, &order, "start", Some(outlet), now)
        .await
        .map_err(unavailable)?;
    write.commit().await.map_err(unavailable)?;
    let wish = Order::Start {
        outlet: Some(outlet),
        card,
    };
    let is_refused = match way.order(identity, wish).await {
        Ok(said) => (!said.is_accepted).then_some(NOT_DONE),
        // It may have been carried out: the look finds a session, or ends the order by its time.
        Err(undone) if undone.may_have_happened => None,
        Err(_) => Some(OFFLINE),
    };
    let Some(reason) = is_refused else {
        return Ok(started(ask, ChargeState::Starting, None));
    };
    let mut write = shared.records.write().await.map_err(unavailable)?;
    let failed = ExchangeOrder {
        state: rows::FAILED.to_owned(),
        ..order
    };
    rows::set_order(&mut write, &failed)
        .await
        .map_err(unavailable)?;
    write.commit().await.map_err(unavailable)?;
    Ok(started(ask, ChargeState::Ended, Some(reason)))
}

async fn prepare(
    write: &mut Connection,
    shared: &Shared,
    order: &ExchangeOrder,
    now: Timestamp,
) -> records::Result<()> {
    rows::add_order(write, order).await?;
    let card = ChargingCard {
        card: order.card.clone().unwrap_or_default(),
        holder: format!("partner:{}", order.partner),
        is_blocked: false,
        good_until: Some(now.plus_seconds(shared.own.start_wait_minutes.saturating_mul(60))),
        changed_at: now,
        changed_by: format!("partner:{}", order.partner),
    };
    sessions::put_card(write, &card).await
}

/// What a station is told for a partner is in the audit trail before it goes out.
async fn tell_trail(
    write: &mut Connection,
    order: &ExchangeOrder,
    what: &str,
    outlet: Option<u32>,
    now: Timestamp,
) -> records::Result<()> {
    let actor = Actor::system(&format!("partner:{}", order.partner));
    let target = format!(
        "charging-station:{}",
        order.station.as_deref().unwrap_or_default()
    );
    let detail = json!({"order": what, "outlet": outlet, "transaction": order.transaction_id});
    audit::insert(write, now, &actor, Event::ChargingOrder, &target, &detail).await?;
    Ok(())
}

/// An order of a partner at a station of ours.
async fn known(
    read: &mut Connection,
    partner: &Partner,
    number: &str,
) -> Result<ExchangeOrder, Refused> {
    let found = rows::order(read, &partner.id, number).await;
    let found = found.map_err(unavailable)?;
    found
        .filter(|order| order.side == rows::OURS)
        .ok_or_else(no_such_order)
}

/// `query_stop_charge`.
pub(super) async fn stop(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    ask: &QueryStopCharge,
    now: Timestamp,
) -> Result<QueryStopChargeReply, Wrong> {
    let answer = |state: ChargeState, failed: Option<i64>| QueryStopChargeReply {
        start_charge_seq: ask.start_charge_seq.clone(),
        start_charge_seq_stat: state,
        succ_stat: if failed.is_some() {
            Success::Failed
        } else {
            Success::Done
        },
        fail_reason: failed.unwrap_or(0),
    };
    let (_, way) = office(app)?;
    let mut write = shared.records.write().await.map_err(unavailable)?;
    let mut order = known(&mut write, partner, &ask.start_charge_seq).await?;
    if order.connector_id != ask.connector_id {
        return Ok(answer(state_of(&order), Some(NO_SUCH_PILE)));
    }
    if !matches!(order.state.as_str(), rows::STARTING | rows::CHARGING) {
        return Ok(answer(ChargeState::Ended, Some(STOPPED)));
    }
    // The look may not have seen yet that it began.
    if order.transaction_id.is_none() {
        let session = session_of(&mut write, &order).await.map_err(unavailable)?;
        order.transaction_id = session.map(|session| session.transaction_id);
    }
    let (Some(way), Some(transaction)) = (way, order.transaction_id.clone()) else {
        return Ok(answer(state_of(&order), Some(OFFLINE)));
    };
    order.stop_asked_at = Some(now);
    order.changed_at = now;
    rows::set_order(&mut write, &order)
        .await
        .map_err(unavailable)?;
    tell_trail(&mut write, &order, "stop", None, now)
        .await
        .map_err(unavailable)?;
    write.commit().await.map_err(unavailable)?;
    let (identity, _) = outlet_of(&order.connector_id);
    Ok(
        match way.order(identity, Order::Stop { transaction }).await {
            Ok(said) if said.is_accepted => answer(ChargeState::Stopping, None),
            Ok(_) => answer(ChargeState::Charging, Some(NOT_DONE)),
            Err(undone) if undone.may_have_happened => answer(ChargeState::Stopping, None),
            Err(_) => answer(ChargeState::Charging, Some(OFFLINE)),
        },
    )
}

/// The session that a card was shown for.
async fn session_of(
    read: &mut Connection,
    order: &ExchangeOrder,
) -> records::Result<Option<ChargingSession>> {
    let Some(card) = order.card.as_deref() else {
        return Ok(None);
    };
    let filter = sessions::Filter {
        card: Some(card),
        ..sessions::Filter::default()
    };
    let one = PageRequest {
        after: None,
        limit: Some(1),
    };
    let page = sessions::list(read, &filter, &one).await?;
    Ok(page.items.into_iter().next())
}

fn number(entity: &Entity, name: &str) -> Option<f64> {
    entity.attribute(name)?.value.as_number()
}

/// How an order goes, by the books and by what the point says of itself.
pub(super) async fn going(
    shared: &Shared,
    app: &App,
    read: &mut Connection,
    order: &ExchangeOrder,
) -> Result<EquipChargeStatus, Refused> {
    let session = session_of(read, order).await.map_err(unavailable)?;
    let found = point(shared, app, &order.connector_id);
    let of = |name: &str| found.as_ref().and_then(|(_, entity)| number(entity, name));
    let is_going = matches!(order.state.as_str(), rows::STARTING | rows::CHARGING);
    let session = session.as_ref();
    let now = shared.now();
    let running = Running {
        order: order.order_no.clone(),
        state: state_of(order),
        point_id: order.connector_id.clone(),
        status: found
            .as_ref()
            .map_or_else(String::new, |(point, _)| point.status.clone()),
        current: of("current").filter(|_| is_going).unwrap_or(0.0),
        voltage: of("voltage").filter(|_| is_going).unwrap_or(0.0),
        soc: of("stateOfCharge").filter(|_| is_going),
        started_at: session
            .and_then(|session| session.started_at)
            .unwrap_or(order.told_at),
        read_at: session.map_or(now, |session| session.ended_at.unwrap_or(now)),
        energy_wh: session.map_or(0, |session| session.energy_wh.max(0)),
        fen: order.electricity_fen.zip(order.service_fen),
    };
    city::progress(&running).map_err(unavailable)
}

/// `query_equip_charge_status`.
pub(super) async fn progress(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    ask: &QueryEquipChargeStatus,
) -> Result<EquipChargeStatus, Wrong> {
    let mut read = shared.records.read().await.map_err(unavailable)?;
    let order = known(&mut read, partner, &ask.start_charge_seq).await?;
    Ok(going(shared, app, &mut read, &order).await?)
}

/// What a bill is towards a partner; none while it is held. Fees by time have no word in the standard: they stand with the service, and
/// the stretches, which could not be added up then, are not told.
fn settled(order: &ExchangeOrder, bill: &Bill) -> Option<SettledOrder> {
    let due = bill.due()?;
    let (electricity, has_fees) = match due.0 == 0 {
        true => (0, true),
        false => (
            bill.sum(LineKind::Energy).0,
            bill.lines
                .iter()
                .any(|line| matches!(line.basis, Basis::Time { .. })),
        ),
    };
    Some(SettledOrder {
        order: order.order_no.clone(),
        connector_id: order.connector_id.clone(),
        started_at: bill.started?,
        ended_at: bill.ended?,
        energy_wh: bill.energy.0.max(0),
        electricity_fen: electricity,
        service_fen: due.0 - electricity,
        stop_reason: match order.stop_asked_at {
            Some(_) => BY_PARTNER,
            None => BY_USER,
        },
        periods: if has_fees { Vec::new() } else { periods(bill) },
    })
}

/// The stretches of a bill without fees by time: electricity and service of the same time are one.
fn periods(bill: &Bill) -> Vec<SettledPeriod> {
    let mut all: BTreeMap<(Timestamp, Timestamp), SettledPeriod> = BTreeMap::new();
    for line in &bill.lines {
        let Basis::Energy { energy, price, .. } = &line.basis else {
            continue;
        };
        let period = all
            .entry((line.from, line.until))
            .or_insert_with(|| SettledPeriod {
                from: line.from,
                to: line.until,
                energy_wh: energy.0,
                electricity_price: None,
                service_price: None,
                electricity_fen: Some(0),
                service_fen: Some(0),
            });
        match line.kind {
            LineKind::Energy => {
                period.electricity_price = Some(price.0);
                period.electricity_fen = Some(line.amount.0);
            }
            _ => {
                period.service_price = Some(price.0);
                period.service_fen = Some(line.amount.0);
            }
        }
    }
    all.into_values().collect()
}

/// What a partner is told of an order.
fn notice(order: &ExchangeOrder, call: &Call, now: Timestamp) -> ExchangeNotice {
    ExchangeNotice {
        id: 0,
        partner: order.partner.clone(),
        order_no: order.order_no.clone(),
        kind: call.api().to_owned(),
        body: call.to_json(),
        state: rows::WAITING.to_owned(),
        attempts: 0,
        due_at: now,
        problem: None,
        made_at: now,
    }
}

fn start_result(order: &ExchangeOrder, state: ChargeState) -> Call {
    Call::NotificationStartChargeResult(NotificationStartChargeResult {
        start_charge_seq: order.order_no.clone(),
        start_charge_seq_stat: state,
        connector_id: order.connector_id.clone(),
        start_time: Moment(order.started_at.unwrap_or(order.told_at)),
        ident_code: None,
    })
}

fn stop_result(order: &ExchangeOrder) -> Call {
    Call::NotificationStopChargeResult(NotificationStopChargeResult {
        start_charge_seq: order.order_no.clone(),
        start_charge_seq_stat: ChargeState::Ended,
        connector_id: order.connector_id.clone(),
        succ_stat: Success::Done,
        fail_reason: 0,
    })
}

/// Looks at all orders of ours that are open, and makes the notices that are due.
pub(super) async fn look(shared: &Shared) -> records::Result<()> {
    let now = shared.now();
    let mut after = 0;
    loop {
        let mut read = shared.records.read().await?;
        let some = rows::open_orders(&mut read, after, LOOK_ROWS).await?;
        drop(read);
        let Some(last) = some.last() else {
            return Ok(());
        };
        after = last.id;
        for order in some {
            if let Err(failure) = step(shared, &order, now).await {
                tracing::warn!(partner = %order.partner, order = %order.order_no, %failure, "an order of the exchange could not be looked at");
            }
        }
    }
}

/// Moves an order as far as it goes; its notices are written with it.
async fn step(shared: &Shared, before: &ExchangeOrder, now: Timestamp) -> records::Result<()> {
    let mut read = shared.records.read().await?;
    let session = session_of(&mut read, before).await?;
    drop(read);
    let mut order = before.clone();
    let mut calls: Vec<Call> = Vec::new();
    match &session {
        None => {
            let wait = shared.own.start_wait_minutes.saturating_mul(60);
            if order.state == rows::STARTING && order.told_at.plus_seconds(wait) < now {
                order.state = rows::FAILED.to_owned();
                calls.push(start_result(&order, ChargeState::Ended));
            }
        }
        Some(session) => {
            order.station = Some(session.station.clone());
            order.transaction_id = Some(session.transaction_id.clone());
            order.started_at = session.started_at.or(order.started_at);
            if order.state == rows::STARTING {
                order.state = rows::CHARGING.to_owned();
                calls.push(start_result(&order, ChargeState::Charging));
            }
            if order.state == rows::CHARGING && session.ended_at.is_some() {
                order.state = rows::ENDED.to_owned();
                order.ended_at = session.ended_at;
                order.energy_wh = Some(session.energy_wh.max(0));
                calls.push(stop_result(&order));
            }
            if order.state == rows::ENDED {
                let bill = kept(session.clone())?.bill;
                if let Some(told) = bill.as_ref().and_then(|kept| settled(&order, &kept.bill)) {
                    calls.extend(settle(&mut order, &told));
                }
            }
        }
    }
    if order == *before {
        return Ok(());
    }
    order.changed_at = now;
    let mut write = shared.records.write().await?;
    rows::set_order(&mut write, &order).await?;
    for call in &calls {
        rows::add_notice(&mut write, &notice(&order, call, now)).await?;
    }
    write.commit().await
}

/// Writes what an order comes to into it; the notice of it, where its numbers can be told.
fn settle(order: &mut ExchangeOrder, told: &SettledOrder) -> Option<Call> {
    order.state = rows::SETTLED.to_owned();
    order.ended_at = Some(told.ended_at);
    order.energy_wh = Some(told.energy_wh);
    order.electricity_fen = Some(told.electricity_fen);
    order.service_fen = Some(told.service_fen);
    match told.info() {
        Ok(info) => {
            let call = Call::NotificationChargeOrderInfo(info);
            order.body = Some(call.to_json());
            Some(call)
        }
        Err(told) => {
            tracing::error!(order = %order.order_no, %told, "an order of the exchange cannot be told");
            None
        }
    }
}

/// Keeps what a partner said to an order's bill; what it disputes is a case.
pub(super) async fn confirmed(
    shared: &Shared,
    notice: &ExchangeNotice,
    confirm_result: i64,
    now: Timestamp,
) -> records::Result<()> {
    let mut write = shared.records.write().await?;
    let found = rows::order(&mut write, &notice.partner, &notice.order_no).await?;
    let Some(mut order) = found else {
        return Ok(());
    };
    order.confirm_result = Some(confirm_result);
    if confirm_result != 0 {
        order.doubts = Some(r#"["partner"]"#.to_owned());
    }
    order.changed_at = now;
    rows::set_order(&mut write, &order).await?;
    write.commit().await?;
    let Some(app) = shared.app.upgrade() else {
        return Ok(());
    };
    let opened = open_case(shared, &app, &order).await;
    opened.map_err(|(_, why)| records::Failure::internal(why))
}

/// A partner's refusal, as people read it.
pub(super) fn refused_text(ret: Ret, msg: &str) -> String {
    format!("Ret {}: {}", ret.code(), model::problem::quote(msg))
}
