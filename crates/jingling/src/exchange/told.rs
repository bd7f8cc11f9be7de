//! What operators tell of their stations and charges: states into the journal, orders into the records. An order that was settled is kept
//! as it was first told; another content under its number is disputed.

use super::disputes::open_case;
use super::door::{Wrong, busy, unavailable, wrong};
use super::{DOOR, Partner, Refused, Shared, settings::PartnerRole};
use admission::{Incoming, Scope};
use api::app::App;
use model::problem::{Problem, both};
use model::{EntityId, Timestamp, Told};
use proto_tcec102::Ret;
use proto_tcec102::map::{self, Source};
use proto_tcec102::message::{
    ChargeState, EquipChargeStatus, NotificationChargeOrderInfo, NotificationChargeOrderInfoReply,
    NotificationStartChargeResult, NotificationStationStatus, NotificationStationStatusReply,
    NotificationStopChargeResult, QueryStationStatusReply, StationInfo, Success, Taken,
};
use proto_tcec102::order::{Doubt, SettledOrder};
use records::exchange::{self as rows, ExchangeOrder};
use serde::Serialize;
use twin::Filter;
use wire::Payload;

/// `Status` of the answer to a state: it was dropped.
const DROPPED: i64 = 1;
/// `FailReason` of [`Taken`]: disputed.
const DISPUTED: i64 = 1;
/// Another content was told under the same number.
const OTHER_CONTENT: &str = "content";
/// The order is of a charge at a station of ours.
const OTHER_SIDE: &str = "side";

/// What a doubt is called in rows.
const fn doubt_word(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::PeriodEnergy => "period-energy",
        Doubt::PeriodElectricity => "period-electricity",
        Doubt::PeriodService => "period-service",
        Doubt::PeriodTime => "period-time",
    }
}

/// Hands updates to the journal and waits until they are on disk; how many were believed.
async fn submit(
    shared: &Shared,
    address: &str,
    raw: &[u8],
    payload: Payload,
    now: Timestamp,
) -> Result<usize, Refused> {
    if payload.updates.is_empty() && payload.problems.is_empty() {
        return Ok(0);
    }
    let incoming = Incoming {
        door: DOOR,
        device_id: None,
        // Ids of partners are named after the partner, so that none is another's.
        scope: &Scope::Any,
        address,
        raw,
        received_at: now,
        retain: false,
    };
    let receipt = shared
        .ingest
        .submit(incoming, payload)
        .map_err(unavailable)?;
    let durable = shared.ingest.journal().wait_durable(receipt.position).await;
    durable.map_err(unavailable)?;
    Ok(receipt.accepted)
}

fn source<'a>(partner: &'a Partner, whose: &'a map::Whose<'a>, now: Timestamp) -> Source<'a> {
    Source {
        operator_id: &partner.id,
        operator_name: &partner.name,
        whose,
        received_at: now,
    }
}

/// Every id of a partner is named after it.
fn nobodys(_: &str, _: &str) -> Option<EntityId> {
    None
}

/// Without sessions: those are rows, and no entities, which would grow without end.
fn of_the_twin(mut payload: Payload) -> Payload {
    payload
        .updates
        .retain(|update| update.entity_type.as_str() != map::SESSION);
    payload
}

/// How many things of a type the twin has of a partner.
fn count(app: &App, kind: &str, partner: &str) -> usize {
    let begin = format!("urn:ngsi-ld:{kind}:{partner}:");
    let of_type = Filter {
        types: vec![kind.to_owned()],
        limit: usize::MAX,
        ..Filter::default()
    };
    let mut found = 0;
    app.twin.visit(&of_type, |entity| {
        found += usize::from(entity.id.as_str().starts_with(&begin));
    });
    found
}

/// Drops updates of things that the twin has not, where the partner has as many as it may.
fn within_limits(shared: &Shared, app: &App, partner: &Partner, payload: &mut Payload) {
    for kind in [map::CHARGE_POINT, map::STATION] {
        let is_new = |update: &model::Update| {
            update.entity_type.as_str() == kind && app.twin.get(&update.entity_id).is_none()
        };
        if !payload.updates.iter().any(is_new) {
            continue;
        }
        let most = shared.own.points_max;
        let mut room = most.saturating_sub(count(app, kind, &partner.id));
        let mut dropped = 0;
        payload.updates.retain(|update| {
            if !is_new(update) {
                return true;
            }
            let fits = room > 0;
            room = room.saturating_sub(1);
            dropped += usize::from(!fits);
            fits
        });
        if dropped > 0 {
            payload.problems.push(Problem::new(
                "exchange-too-many",
                format!("{dropped} more of {kind} than the {most} that a partner may name"),
                kind,
                "raise tcec102.points_max, or let the partner mend its ids",
            ));
        }
    }
}

async fn into_twin(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    (interface, body): (&str, &impl Serialize),
    payload: Payload,
    now: Timestamp,
) -> Result<usize, Refused> {
    let mut payload = of_the_twin(payload);
    within_limits(shared, app, partner, &mut payload);
    // The body as it lay in the envelope: whoever looks where a value comes from can read it.
    let raw = serde_json::to_vec(body).map_err(unavailable)?;
    let address = format!("{}/{interface}", partner.id);
    submit(shared, &address, &raw, payload, now).await
}

/// `notification_stationStatus`.
pub(super) async fn status(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    body: &NotificationStationStatus,
    now: Timestamp,
) -> Result<NotificationStationStatusReply, Wrong> {
    let payload = map::statuses(
        [&body.connector_status_info],
        &source(partner, &nobodys, now),
    );
    let said = ("notification_stationStatus", body);
    let believed = into_twin(shared, app, partner, said, payload, now).await?;
    let status = if believed > 0 { 0 } else { DROPPED };
    Ok(NotificationStationStatusReply { status })
}

/// A station with its equipment, as the partner answered; how many updates were believed.
pub(super) async fn station(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    station: &StationInfo,
    now: Timestamp,
) -> Result<usize, Refused> {
    let payload = map::stations(
        std::slice::from_ref(station),
        &source(partner, &nobodys, now),
    );
    let said = ("query_stations_info", station);
    into_twin(shared, app, partner, said, payload, now).await
}

/// How stations are, as the partner answered.
pub(super) async fn statuses(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    reply: &QueryStationStatusReply,
    now: Timestamp,
) -> Result<usize, Refused> {
    let all = reply.station_status_infos.iter();
    let all = all.flat_map(|station| &station.connector_status_infos);
    let payload = map::statuses(all, &source(partner, &nobodys, now));
    into_twin(
        shared,
        app,
        partner,
        ("query_station_status", reply),
        payload,
        now,
    )
    .await
}

/// An order of a partner's station as it is before anything is known of it.
fn new_order(partner: &Partner, number: &str, connector: &str, now: Timestamp) -> ExchangeOrder {
    ExchangeOrder {
        id: 0,
        partner: partner.id.clone(),
        order_no: number.to_owned(),
        side: rows::THEIRS.to_owned(),
        connector_id: connector.to_owned(),
        card: None,
        station: None,
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
    }
}

/// How far a state is, so that a message that comes late moves nothing back.
fn rank(state: &str) -> u8 {
    match state {
        rows::STARTING => 0,
        rows::CHARGING => 1,
        rows::ENDED | rows::FAILED => 2,
        _ => 3,
    }
}

/// Moves an order of a partner's station, where that is further than it was.
async fn moved(
    shared: &Shared,
    partner: &Partner,
    (number, connector): (&str, &str),
    state: &str,
    started: Option<Timestamp>,
    now: Timestamp,
) -> Result<Taken, Refused> {
    let taken = |is_ours: bool| Taken {
        start_charge_seq: number.to_owned(),
        succ_stat: if is_ours {
            Success::Failed
        } else {
            Success::Done
        },
        fail_reason: if is_ours { DISPUTED } else { 0 },
    };
    let mut write = shared.records.write().await.map_err(unavailable)?;
    let found = rows::order(&mut write, &partner.id, number).await;
    match found.map_err(unavailable)? {
        Some(order) if order.side == rows::OURS => return Ok(taken(true)),
        Some(order) if rank(state) <= rank(&order.state) => return Ok(taken(false)),
        Some(mut order) => {
            order.state = state.to_owned();
            order.started_at = order.started_at.or(started);
            order.changed_at = now;
            rows::set_order(&mut write, &order)
                .await
                .map_err(unavailable)?;
        }
        None => {
            let mut order = new_order(partner, number, connector, now);
            order.state = state.to_owned();
            order.started_at = started;
            rows::add_order(&mut write, &order)
                .await
                .map_err(unavailable)?;
        }
    }
    write.commit().await.map_err(unavailable)?;
    Ok(taken(false))
}

/// The word in rows for where a charge is.
const fn state_word(state: ChargeState) -> &'static str {
    match state {
        ChargeState::Starting | ChargeState::Unknown => rows::STARTING,
        ChargeState::Charging | ChargeState::Stopping => rows::CHARGING,
        ChargeState::Ended => rows::ENDED,
    }
}

/// `notification_start_charge_result`.
pub(super) async fn started(
    shared: &Shared,
    partner: &Partner,
    body: &NotificationStartChargeResult,
    now: Timestamp,
) -> Result<Taken, Wrong> {
    // Ended at its beginning: it never began.
    let state = match body.start_charge_seq_stat {
        ChargeState::Ended => rows::FAILED,
        other => state_word(other),
    };
    let of = (body.start_charge_seq.as_str(), body.connector_id.as_str());
    Ok(moved(shared, partner, of, state, Some(body.start_time.0), now).await?)
}

/// `notification_equip_charge_status`.
pub(super) async fn charging(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    body: &EquipChargeStatus,
    now: Timestamp,
) -> Result<Taken, Wrong> {
    let payload = map::charging(body, &source(partner, &nobodys, now));
    let said = ("notification_equip_charge_status", body);
    into_twin(shared, app, partner, said, payload, now).await?;
    let state = state_word(body.start_charge_seq_stat);
    let of = (body.start_charge_seq.as_str(), body.connector_id.as_str());
    Ok(moved(shared, partner, of, state, Some(body.start_time.0), now).await?)
}

/// `notification_stop_charge_result`.
pub(super) async fn stopped(
    shared: &Shared,
    partner: &Partner,
    body: &NotificationStopChargeResult,
    now: Timestamp,
) -> Result<Taken, Wrong> {
    let state = match body.succ_stat {
        Success::Done => rows::ENDED,
        Success::Failed => state_word(body.start_charge_seq_stat),
    };
    let of = (body.start_charge_seq.as_str(), body.connector_id.as_str());
    Ok(moved(shared, partner, of, state, None, now).await?)
}

/// `notification_charge_order_info`: kept once for each number; one that is disputed is a case before it is answered.
pub(super) async fn settled(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    body: &NotificationChargeOrderInfo,
    now: Timestamp,
) -> Result<NotificationChargeOrderInfoReply, Wrong> {
    if partner.role != PartnerRole::Operator {
        return Err(busy().into());
    }
    let told = SettledOrder::of(body).map_err(wrong)?;
    if told.ended_at > now.plus_seconds(shared.own.clock_off_seconds_max) {
        return Err(wrong(in_the_future()));
    }
    let content = told.info().map_err(wrong)?;
    let content = serde_json::to_string(&content).map_err(unavailable)?;
    let mut write = shared.records.write().await.map_err(unavailable)?;
    let found = rows::order(&mut write, &partner.id, &told.order).await;
    let found = found.map_err(unavailable)?;
    let answer = |confirm_result: i64| NotificationChargeOrderInfoReply {
        start_charge_seq: told.order.clone(),
        connector_id: told.connector_id.clone(),
        confirm_result,
    };
    let is_known = found.is_some();
    let mut order =
        found.unwrap_or_else(|| new_order(partner, &told.order, &told.connector_id, now));
    let first = told.confirmation().confirm_result;
    if order.state == rows::SETTLED || order.side == rows::OURS {
        if order.side == rows::THEIRS && order.body.as_deref() == Some(&content) {
            drop(write);
            open_case(shared, app, &order).await?;
            return Ok(answer(first));
        }
        // The first word stands; the other is kept beside it, and a person clears it up.
        let why = match order.side == rows::OURS {
            true => OTHER_SIDE,
            false => OTHER_CONTENT,
        };
        let doubts = order.doubts.as_deref().unwrap_or("[]");
        let mut doubts: Vec<String> = serde_json::from_str(doubts).map_err(unavailable)?;
        if !doubts.iter().any(|doubt| doubt == why) {
            doubts.push(why.to_owned());
        }
        order.doubts = Some(serde_json::to_string(&doubts).map_err(unavailable)?);
        order.confirm_result = Some(1);
        order.other_body = Some(content);
        order.changed_at = now;
        rows::set_order(&mut write, &order)
            .await
            .map_err(unavailable)?;
        write.commit().await.map_err(unavailable)?;
        open_case(shared, app, &order).await?;
        return Ok(answer(1));
    }
    let doubts: Vec<&str> = told.doubts().into_iter().map(doubt_word).collect();
    order.connector_id = told.connector_id.clone();
    order.state = rows::SETTLED.to_owned();
    order.started_at = Some(told.started_at);
    order.ended_at = Some(told.ended_at);
    order.energy_wh = Some(told.energy_wh);
    order.electricity_fen = Some(told.electricity_fen);
    order.service_fen = Some(told.service_fen);
    order.confirm_result = Some(first);
    order.doubts = match doubts.is_empty() {
        true => None,
        false => Some(serde_json::to_string(&doubts).map_err(unavailable)?),
    };
    order.body = Some(content);
    order.changed_at = now;
    match is_known {
        true => rows::set_order(&mut write, &order)
            .await
            .map_err(unavailable)?,
        false => {
            rows::add_order(&mut write, &order)
                .await
                .map_err(unavailable)?;
        }
    }
    write.commit().await.map_err(unavailable)?;
    open_case(shared, app, &order).await?;
    Ok(answer(first))
}

fn in_the_future() -> Told {
    Told::new(
        "exchange-future",
        both("结束时间晚于本方时钟", "it ends behind our clock"),
        both("EndTime", "EndTime"),
        both("校准时钟(北京时间)", "set the clock (Beijing time)"),
    )
}

/// What a partner is told that names an order which is not there.
pub(super) fn no_such_order() -> Refused {
    (Ret::Business, "没有该充电订单".to_owned())
}
