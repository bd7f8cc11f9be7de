//! Comparing a time's orders with a partner (对账, `check_charge_orders`): asked by the partner, or by the city of the day before. Differences
//! are kept with the comparison, and the day's first ones open one case.

use super::door::{Wrong, unavailable, wrong};
use super::{Partner, Refused, Shared};
use api::app::App;
use api::charging_exchange::{DifferenceBody, DifferenceCase};
use charging::reconcile::{self, Comparison, Row, Theirs, Tolerance, Totals};
use charging::{Fen, Wh};
use jiff::civil::Date;
use model::problem::both;
use model::{Timestamp, Told};
use proto_tcec102::message::{
    ChargeOrder, CheckChargeOrders, CheckChargeOrdersReply, DisputeOrder,
};
use proto_tcec102::order::{self, DISPUTE_MISSING, SettledOrder};
use proto_tcec102::{Fixed, Ret};
use records::exchange::{self as rows, ExchangeComparison, ExchangeOrder};
use std::collections::{BTreeMap, BTreeSet};

/// Most differences that a comparison's row keeps, and that its case tells.
const KEPT_MAX: usize = 200;
const TOLD_MAX: usize = 20;
const DAY_S: i64 = 86_400;
/// Beijing time is eight hours ahead, the year round; days of the exchange are its days.
const BEIJING_S: i64 = 8 * 3_600;
/// Ten-thousandths of a yuan in a fen, and of a kWh in a Wh.
const PER_FEN: i64 = 100;
const PER_WH: i64 = 10;

/// The day in Beijing of a moment.
fn day_of(at: Timestamp) -> Option<Date> {
    let at = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
    let offset = jiff::tz::Offset::from_seconds(i32::try_from(BEIJING_S).ok()?).ok()?;
    Some(offset.to_datetime(at).date())
}

/// The whole day in Beijing before that of a moment, and the hour of that moment there.
pub(super) fn day_before(now: Timestamp) -> ((Timestamp, Timestamp), i64) {
    let local = now.micros().div_euclid(1_000_000) + BEIJING_S;
    let today = local.div_euclid(DAY_S) * DAY_S - BEIJING_S;
    let from = Timestamp::from_seconds(today - DAY_S);
    let until = Timestamp::from_seconds(today - 1);
    ((from, until), local.rem_euclid(DAY_S) / 3_600)
}

/// An order of rows as the protocol has it, without its stretches, which no comparison looks at.
fn settled(row: &ExchangeOrder) -> Option<SettledOrder> {
    Some(SettledOrder {
        order: row.order_no.clone(),
        connector_id: row.connector_id.clone(),
        started_at: row.started_at?,
        ended_at: row.ended_at?,
        energy_wh: row.energy_wh?,
        electricity_fen: row.electricity_fen?,
        service_fen: row.service_fen?,
        stop_reason: 0,
        periods: Vec::new(),
    })
}

/// What is settled with a partner and ended within a time.
async fn ours_within(
    shared: &Shared,
    partner: &Partner,
    within: (Timestamp, Timestamp),
) -> Result<Vec<SettledOrder>, Refused> {
    let most = shared.own.orders_max;
    let fetch = i64::try_from(most)
        .unwrap_or(i64::MAX - 1)
        .saturating_add(1);
    let mut read = shared.records.read().await.map_err(unavailable)?;
    let found = rows::settled_within(&mut read, &partner.id, within, fetch).await;
    let found = found.map_err(unavailable)?;
    if found.len() > most {
        return Err((
            Ret::Business,
            format!("该时段订单超过 {most} 笔,请缩短时段"),
        ));
    }
    Ok(found.iter().filter_map(settled).collect())
}

fn row(order: &SettledOrder) -> Row {
    Row {
        order: order.order.clone(),
        energy: Wh(order.energy_wh),
        money: Fen(order.total_fen()),
    }
}

/// The nearest whole watt-hours and fen: a comparison shows what differs, and bills nothing.
fn nearest(number: Fixed, per: i64) -> i64 {
    (number.ten_thousandths() + per / 2).div_euclid(per)
}

fn their_row(order: &str, energy: Fixed, money: Fixed) -> Row {
    Row {
        order: order.to_owned(),
        energy: Wh(nearest(energy, PER_WH)),
        money: Fen(nearest(money, PER_FEN)),
    }
}

/// Answers `check_charge_orders`.
pub(super) async fn answer(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    asked: &CheckChargeOrders,
    now: Timestamp,
) -> Result<CheckChargeOrdersReply, Wrong> {
    let own = &shared.own;
    let within = (asked.start_time.0, asked.end_time.0);
    if within.1.micros_since(within.0) > own.compare_days_max.saturating_mul(DAY_S * 1_000_000) {
        return Err(wrong(too_long(own.compare_days_max)));
    }
    let mut read = shared.records.read().await.map_err(unavailable)?;
    let known = rows::comparison(&mut read, &partner.id, within).await;
    let is_new = known.map_err(unavailable)?.is_none();
    let since = now.plus_seconds(-DAY_S);
    let today = rows::compared_since(&mut read, &partner.id, since).await;
    if is_new && today.map_err(unavailable)? >= own.comparisons_per_day_max {
        let most = own.comparisons_per_day_max;
        return Err((Ret::Busy, format!("24 小时内对账超过 {most} 个时段")).into());
    }
    drop(read);
    let mut ours = ours_within(shared, partner, within).await?;
    // Orders that they name and that ended at another time are not missing.
    let here: BTreeSet<String> = ours.iter().map(|order| order.order.clone()).collect();
    let mut read = shared.records.read().await.map_err(unavailable)?;
    for order in &asked.charge_orders {
        if here.contains(&order.start_charge_seq) {
            continue;
        }
        let found = rows::order(&mut read, &partner.id, &order.start_charge_seq).await;
        let found = found.map_err(unavailable)?;
        ours.extend(
            found
                .filter(|row| row.state == rows::SETTLED)
                .as_ref()
                .and_then(settled),
        );
    }
    drop(read);
    let reply = order::compare(asked, &ours).map_err(wrong)?;
    let listed = asked.charge_orders.iter();
    let listed = listed.map(|one: &ChargeOrder| {
        their_row(&one.start_charge_seq, one.total_power, one.total_money)
    });
    let theirs = Theirs {
        totals: Totals {
            count: u64::from(asked.order_count),
            energy: Wh(nearest(asked.total_order_power, PER_WH)),
            money: Fen(nearest(asked.total_order_money, PER_FEN)),
        },
        rows: Some(listed.collect()),
    };
    keep(
        shared,
        app,
        partner,
        within,
        (&ours, &theirs),
        "partner",
        now,
    )
    .await?;
    Ok(reply)
}

/// What the city asks a partner to compare of a time; none where the comparison was made already.
pub(super) async fn question(
    shared: &Shared,
    partner: &Partner,
    within: (Timestamp, Timestamp),
) -> Result<Option<(CheckChargeOrders, Vec<SettledOrder>)>, Refused> {
    let mut read = shared.records.read().await.map_err(unavailable)?;
    let known = rows::comparison(&mut read, &partner.id, within).await;
    drop(read);
    if known.map_err(unavailable)?.is_some() {
        return Ok(None);
    }
    let ours = ours_within(shared, partner, within).await?;
    let number = format!(
        "{}{}",
        shared.own.operator_id,
        within.0.micros() / 1_000_000
    );
    let asked = order::comparison(&number, within, &ours).map_err(unavailable)?;
    Ok(Some((asked, ours)))
}

/// Keeps what a partner answered to [`question`]: what they dispute says how their list differs from ours.
pub(super) async fn answered(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    within: (Timestamp, Timestamp),
    (ours, reply): (&[SettledOrder], &CheckChargeOrdersReply),
    now: Timestamp,
) -> Result<(), Refused> {
    let rows = theirs_of(ours, &reply.dispute_orders);
    let theirs = Theirs {
        totals: Totals::of(&rows),
        rows: Some(rows),
    };
    keep(shared, app, partner, within, (ours, &theirs), "city", now).await
}

/// The other side's list: ours, but for what it disputes.
fn theirs_of(ours: &[SettledOrder], disputed: &[DisputeOrder]) -> Vec<Row> {
    let mut all: BTreeMap<String, Row> = ours
        .iter()
        .map(|order| (order.order.clone(), row(order)))
        .collect();
    for one in disputed {
        let number = &one.start_charge_seq;
        // One that we have and that is missing is missing there; one that we have not is missing here.
        if one.dispute_reason == DISPUTE_MISSING && all.contains_key(number) {
            all.remove(number);
        } else {
            let theirs = their_row(number, one.total_power, one.total_money);
            all.insert(number.clone(), theirs);
        }
    }
    all.into_values().collect()
}

async fn keep(
    shared: &Shared,
    app: &App,
    partner: &Partner,
    within: (Timestamp, Timestamp),
    (ours, theirs): (&[SettledOrder], &Theirs),
    asked_by: &str,
    now: Timestamp,
) -> Result<(), Refused> {
    let day = day_of(within.0).ok_or_else(|| unavailable("a day out of range"))?;
    let ours: Vec<Row> = ours.iter().map(row).collect();
    let compared = reconcile::compare(&partner.id, day, &ours, theirs, Tolerance::default());
    let mut differences: Vec<DifferenceBody> = Vec::new();
    for difference in compared.differences.iter().take(KEPT_MAX) {
        let told = difference.told();
        differences.push(DifferenceBody {
            order: difference.order.clone(),
            text_zh: told.zh,
            text_en: told.en,
        });
    }
    // Before the row: whatever fails in between, the same comparison finds the same case.
    let (cases, untold) = cases_of(shared, partner, &compared).await?;
    let case_id = match untold {
        // Nothing differs, or all of it is of orders whose dispute is a case already.
        0 => cases.values().next().copied(),
        _ => {
            let has_none = |one: &&DifferenceBody| {
                one.order
                    .as_ref()
                    .is_none_or(|order| !cases.contains_key(order))
            };
            let told: Vec<&DifferenceBody> = differences.iter().filter(has_none).collect();
            let case = app.open_difference_case(case_of(partner, compared.day, &told, untold));
            Some(case.await.map_err(|error| unavailable(error.in_words()))?)
        }
    };
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let row = ExchangeComparison {
        partner: partner.id.clone(),
        from_at: within.0,
        until_at: within.1,
        our_count: count(compared.ours.count),
        our_wh: compared.ours.energy.0,
        our_fen: compared.ours.money.0,
        their_count: count(compared.theirs.count),
        their_wh: compared.theirs.energy.0,
        their_fen: compared.theirs.money.0,
        differences: serde_json::to_string(&differences).map_err(unavailable)?,
        difference_count: i64::try_from(compared.differences.len()).unwrap_or(i64::MAX),
        case_id,
        asked_by: asked_by.to_owned(),
        compared_at: now,
    };
    let mut write = shared.records.write().await.map_err(unavailable)?;
    rows::put_comparison(&mut write, &row)
        .await
        .map_err(unavailable)?;
    write.commit().await.map_err(unavailable)
}

/// The cases that disputed orders among the differences have already, by order, and how many differences are of no such order.
async fn cases_of(
    shared: &Shared,
    partner: &Partner,
    compared: &Comparison,
) -> Result<(BTreeMap<String, i64>, usize), Refused> {
    let mut cases = BTreeMap::new();
    let mut untold = 0;
    let mut read = shared.records.read().await.map_err(unavailable)?;
    for difference in &compared.differences {
        let found = match &difference.order {
            Some(number) => rows::order(&mut read, &partner.id, number)
                .await
                .map_err(unavailable)?,
            None => None,
        };
        match found.and_then(|order| Some((order.order_no, order.case_id?))) {
            Some((number, case)) => {
                cases.insert(number, case);
            }
            None => untold += 1,
        }
    }
    Ok((cases, untold))
}

fn case_of(partner: &Partner, day: Date, told: &[&DifferenceBody], all: usize) -> DifferenceCase {
    let id = &partner.id;
    let lines = told.iter().take(TOLD_MAX);
    let lines: Vec<&str> = lines.map(|one| one.text_zh.as_str()).collect();
    let more = match all.saturating_sub(lines.len()) {
        0 => String::new(),
        more => format!("\n另有 {more} 处，见充电运营页“互联互通”"),
    };
    DifferenceCase {
        title: format!("与{}的充电订单对账有差异（{day}）", partner.name),
        description: format!(
            "{}（{id}）{day} 起的充电订单对账有 {all} 处差异：\n{}{more}\n请与对方核对，更正有误的一方。",
            partner.name,
            lines.join("\n")
        ),
        request_id: format!("exchange-{id}-{day}"),
    }
}

fn too_long(days: i64) -> Told {
    Told::new(
        "exchange-too-long",
        both(
            format!("对账时段超过 {days} 天"),
            format!("the time compared is longer than {days} days"),
        ),
        both("EndTime", "EndTime"),
        both("缩短对账时段", "compare a shorter time"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto_tcec102::order::{DISPUTE_ENERGY, DISPUTE_MONEY};

    fn order(number: &str, wh: i64, fen: i64) -> SettledOrder {
        SettledOrder {
            order: number.to_owned(),
            connector_id: "C".to_owned(),
            started_at: Timestamp::from_seconds(0),
            ended_at: Timestamp::from_seconds(60),
            energy_wh: wh,
            electricity_fen: fen,
            service_fen: 0,
            stop_reason: 0,
            periods: Vec::new(),
        }
    }

    fn dispute(number: &str, wh: i64, fen: i64, dispute_reason: i64) -> DisputeOrder {
        DisputeOrder {
            start_charge_seq: number.to_owned(),
            total_power: Fixed::from_watt_hours(wh).unwrap(),
            total_money: Fixed::from_fen(fen).unwrap(),
            dispute_reason,
        }
    }

    #[test]
    fn what_is_disputed_says_how_their_list_differs() {
        let ours = [
            order("A", 1_000, 150),
            order("B", 2_000, 300),
            order("C", 3_000, 450),
            order("D", 5, 1),
        ];
        let disputed = [
            dispute("A", 1_000, 160, DISPUTE_MONEY),
            dispute("B", 0, 0, DISPUTE_MISSING),
            dispute("C", 3_500, 450, DISPUTE_ENERGY),
            dispute("E", 700, 99, DISPUTE_MISSING),
        ];
        let theirs = theirs_of(&ours, &disputed);
        let ours: Vec<Row> = ours.iter().map(row).collect();
        let theirs = Theirs {
            totals: Totals::of(&theirs),
            rows: Some(theirs),
        };
        let day = jiff::civil::date(2026, 11, 28);
        let compared = reconcile::compare("p", day, &ours, &theirs, Tolerance::default());
        let kinds: Vec<(reconcile::DifferenceKind, &str)> = compared
            .differences
            .iter()
            .map(|one| (one.kind, one.order.as_deref().unwrap()))
            .collect();
        use reconcile::DifferenceKind as K;
        assert_eq!(
            kinds,
            [
                (K::MissingHere, "E"),
                (K::MissingThere, "B"),
                (K::Energy, "C"),
                (K::Money, "A")
            ]
        );
    }

    #[test]
    fn a_day_is_beijings() {
        // 2026-11-29 01:30 in Beijing is the 28th, 17:30, in Greenwich.
        let now = Timestamp::parse("2026-11-28T17:30:00Z").unwrap();
        let ((from, until), hour) = day_before(now);
        assert_eq!(from, Timestamp::parse("2026-11-27T16:00:00Z").unwrap());
        assert_eq!(until, Timestamp::parse("2026-11-28T15:59:59Z").unwrap());
        assert_eq!(hour, 1);
        assert_eq!(day_of(from), Some(jiff::civil::date(2026, 11, 28)));
    }
}
