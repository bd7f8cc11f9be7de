//! Settled orders (订单): from the wire into whole watt-hours and fen and back, and the comparison of a time's orders. Nothing is rounded on the
//! way: a number with a part of a fen or of a watt-hour is refused.

use crate::error::refuse;
use crate::message::{
    ChargeDetail, ChargeOrder, CheckChargeOrders, CheckChargeOrdersReply, DisputeOrder,
    NotificationChargeOrderInfo, NotificationChargeOrderInfoReply,
};
use crate::number::Fixed;
use crate::time::Moment;
use model::problem::both;
use model::{Timestamp, Told};
use std::collections::{BTreeMap, BTreeSet};

/// `DisputeReason`: one side does not have the order. The energy and money beside it are the answering side's: 0 where it is the one without.
pub const DISPUTE_MISSING: i64 = 1;
/// `DisputeReason`: another money.
pub const DISPUTE_MONEY: i64 = 2;
/// `DisputeReason`: another energy.
pub const DISPUTE_ENERGY: i64 = 3;

/// A charging that ended, and what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledOrder {
    /// `StartChargeSeq`, 27 characters.
    pub order: String,
    /// The partner's id of the connector.
    pub connector_id: String,
    /// Its begin.
    pub started_at: Timestamp,
    /// Its end.
    pub ended_at: Timestamp,
    /// Its energy, in watt-hours, 0 or more.
    pub energy_wh: i64,
    /// For electricity, in fen, 0 or more.
    pub electricity_fen: i64,
    /// For the service, in fen, 0 or more.
    pub service_fen: i64,
    /// `StopReason`: 0 by the user, 1 by the operator, 2 BMS, 3 fault, 4 unplugged; others by agreement.
    pub stop_reason: i64,
    /// Its stretches of one price; empty when they were not told.
    pub periods: Vec<SettledPeriod>,
}

/// A stretch of one price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledPeriod {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Its energy, in watt-hours.
    pub energy_wh: i64,
    /// Price of electricity, in 1/10,000 yuan a kWh.
    pub electricity_price: Option<i64>,
    /// Price of the service, in 1/10,000 yuan a kWh.
    pub service_price: Option<i64>,
    /// For electricity, in fen.
    pub electricity_fen: Option<i64>,
    /// For the service, in fen.
    pub service_fen: Option<i64>,
}

/// What does not fit within an order. An order with a doubt is disputed, never paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The energies of the stretches are not the order's.
    PeriodEnergy,
    /// The monies for electricity of the stretches are not the order's.
    PeriodElectricity,
    /// The monies for the service of the stretches are not the order's.
    PeriodService,
    /// A stretch ends before it begins, begins before the one in front of it ends, or is not within the order.
    PeriodTime,
}

fn inexact(place: &str, zh: &str, en: &str) -> Told {
    refuse(
        "tcec102-inexact",
        both(
            format!("数值不是整{zh},或超出范围"),
            format!("the number has a part of a {en}, or is too large"),
        ),
        place,
        both(
            "金额最多 2 位小数(元),电量最多 3 位小数(千瓦时)",
            "money has at most 2 digits behind the point (yuan), energy at most 3 (kWh)",
        ),
    )
}

fn fen(number: Fixed, place: &str) -> Result<i64, Told> {
    number.fen().ok_or_else(|| inexact(place, "分", "fen"))
}

fn watt_hours(number: Fixed, place: &str) -> Result<i64, Told> {
    number
        .watt_hours()
        .ok_or_else(|| inexact(place, "瓦时", "watt-hour"))
}

pub(crate) fn of_fen(fen: i64, place: &str) -> Result<Fixed, Told> {
    Fixed::from_fen(fen).ok_or_else(|| inexact(place, "分", "fen"))
}

pub(crate) fn of_watt_hours(wh: i64, place: &str) -> Result<Fixed, Told> {
    Fixed::from_watt_hours(wh).ok_or_else(|| inexact(place, "瓦时", "watt-hour"))
}

impl SettledPeriod {
    fn of(detail: &ChargeDetail) -> Result<Self, Told> {
        Ok(Self {
            from: detail.detail_start_time.0,
            to: detail.detail_end_time.0,
            energy_wh: watt_hours(detail.detail_power, "DetailPower")?,
            electricity_price: detail.elec_price.map(Fixed::ten_thousandths),
            service_price: detail.sevice_price.map(Fixed::ten_thousandths),
            electricity_fen: detail
                .detail_elec_money
                .map(|money| fen(money, "DetailElecMoney"))
                .transpose()?,
            service_fen: detail
                .detail_sevice_money
                .map(|money| fen(money, "DetailSeviceMoney"))
                .transpose()?,
        })
    }

    fn detail(&self) -> Result<ChargeDetail, Told> {
        let price = |price: Option<i64>, place| match price {
            None => Ok(None),
            Some(price) => Fixed::from_ten_thousandths(price)
                .map(Some)
                .ok_or_else(|| inexact(place, "分", "fen")),
        };
        let money = |fen: Option<i64>, place| fen.map(|fen| of_fen(fen, place)).transpose();
        Ok(ChargeDetail {
            detail_start_time: Moment(self.from),
            detail_end_time: Moment(self.to),
            elec_price: price(self.electricity_price, "ElecPrice")?,
            sevice_price: price(self.service_price, "SevicePrice")?,
            detail_power: of_watt_hours(self.energy_wh, "DetailPower")?,
            detail_elec_money: money(self.electricity_fen, "DetailElecMoney")?,
            detail_sevice_money: money(self.service_fen, "DetailSeviceMoney")?,
        })
    }
}

impl SettledOrder {
    /// Reads an order.
    ///
    /// # Errors
    /// `tcec102-inexact` when a money has a part of a fen, or an energy a part of a watt-hour.
    pub fn of(info: &NotificationChargeOrderInfo) -> Result<Self, Told> {
        let details = info.charge_details.as_deref().unwrap_or_default();
        Ok(Self {
            order: info.start_charge_seq.clone(),
            connector_id: info.connector_id.clone(),
            started_at: info.start_time.0,
            ended_at: info.end_time.0,
            energy_wh: watt_hours(info.total_power, "TotalPower")?,
            electricity_fen: fen(info.total_elec_money, "TotalElecMoney")?,
            service_fen: fen(info.total_sevice_money, "TotalSeviceMoney")?,
            stop_reason: info.stop_reason,
            periods: details
                .iter()
                .map(SettledPeriod::of)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Altogether, in fen.
    pub const fn total_fen(&self) -> i64 {
        self.electricity_fen.saturating_add(self.service_fen)
    }

    /// The order as it is told.
    ///
    /// # Errors
    /// `tcec102-inexact` beyond ten thousand million yuan or kilowatt-hours.
    pub fn info(&self) -> Result<NotificationChargeOrderInfo, Told> {
        let details: Vec<ChargeDetail> = self
            .periods
            .iter()
            .map(SettledPeriod::detail)
            .collect::<Result<_, _>>()?;
        Ok(NotificationChargeOrderInfo {
            start_charge_seq: self.order.clone(),
            connector_id: self.connector_id.clone(),
            start_time: Moment(self.started_at),
            end_time: Moment(self.ended_at),
            total_power: of_watt_hours(self.energy_wh, "TotalPower")?,
            total_elec_money: of_fen(self.electricity_fen, "TotalElecMoney")?,
            total_sevice_money: of_fen(self.service_fen, "TotalSeviceMoney")?,
            total_money: of_fen(self.total_fen(), "TotalMoney")?,
            stop_reason: self.stop_reason,
            sum_period: u32::try_from(details.len()).ok().filter(|n| *n > 0),
            charge_details: (!details.is_empty()).then_some(details),
        })
    }

    /// What does not fit within the order; nothing is looked for where no stretch was told.
    pub fn doubts(&self) -> Vec<Doubt> {
        if self.periods.is_empty() {
            return Vec::new();
        }
        let sum = |of: fn(&SettledPeriod) -> Option<i64>| -> Option<i128> {
            self.periods
                .iter()
                .map(|period| of(period).map(i128::from))
                .sum()
        };
        let differs = |sum: Option<i128>, whole: i64| sum.is_some_and(|it| it != i128::from(whole));
        let is_apart = self.periods.windows(2).all(|two| match two {
            [one, next] => one.to <= next.from,
            _ => true,
        });
        let is_within = self
            .periods
            .iter()
            .all(|it| self.started_at <= it.from && it.from <= it.to && it.to <= self.ended_at);
        [
            (
                differs(sum(|it| Some(it.energy_wh)), self.energy_wh),
                Doubt::PeriodEnergy,
            ),
            (
                differs(sum(|it| it.electricity_fen), self.electricity_fen),
                Doubt::PeriodElectricity,
            ),
            (
                differs(sum(|it| it.service_fen), self.service_fen),
                Doubt::PeriodService,
            ),
            (!(is_apart && is_within), Doubt::PeriodTime),
        ]
        .into_iter()
        .filter_map(|(is_so, doubt)| is_so.then_some(doubt))
        .collect()
    }

    /// The answer to whoever told the order: agreed to, or disputed when it has a doubt.
    pub fn confirmation(&self) -> NotificationChargeOrderInfoReply {
        NotificationChargeOrderInfoReply {
            start_charge_seq: self.order.clone(),
            connector_id: self.connector_id.clone(),
            confirm_result: i64::from(!self.doubts().is_empty()),
        }
    }

    fn in_comparison(&self) -> Result<ChargeOrder, Told> {
        Ok(ChargeOrder {
            start_charge_seq: self.order.clone(),
            total_power: of_watt_hours(self.energy_wh, "TotalPower")?,
            total_money: of_fen(self.total_fen(), "TotalMoney")?,
        })
    }
}

/// The orders that ended from `from` to `to`, the last moment too, as they are sent to be compared.
///
/// # Errors
/// `tcec102-inexact` when a sum is beyond ten thousand million yuan or kilowatt-hours.
pub fn comparison(
    number: &str,
    (from, to): (Timestamp, Timestamp),
    orders: &[SettledOrder],
) -> Result<CheckChargeOrders, Told> {
    let told: Vec<&SettledOrder> = orders
        .iter()
        .filter(|order| (from..=to).contains(&order.ended_at))
        .collect();
    let sum = |of: fn(&SettledOrder) -> i64| {
        told.iter()
            .fold(0_i64, |sum, order| sum.saturating_add(of(order)))
    };
    Ok(CheckChargeOrders {
        check_order_seq: number.to_owned(),
        start_time: Moment(from),
        end_time: Moment(to),
        order_count: u32::try_from(told.len()).map_err(|_| inexact("OrderCount", "数", "count"))?,
        total_order_power: of_watt_hours(sum(|order| order.energy_wh), "TotalOrderPower")?,
        total_order_money: of_fen(sum(SettledOrder::total_fen), "TotalOrderMoney")?,
        charge_orders: told
            .iter()
            .map(|order| order.in_comparison())
            .collect::<Result<_, _>>()?,
    })
}

/// Compares what a partner sent with our orders. `ours` must hold every order that they may name; ours that ended within the time and that they
/// do not name are disputed too. Where money and energy both differ, the money is named.
///
/// # Errors
/// `tcec102-inexact` when a number of ours does not fit.
pub fn compare(
    theirs: &CheckChargeOrders,
    ours: &[SettledOrder],
) -> Result<CheckChargeOrdersReply, Told> {
    let known: BTreeMap<&str, &SettledOrder> = ours
        .iter()
        .map(|order| (order.order.as_str(), order))
        .collect();
    let named: BTreeSet<&str> = theirs
        .charge_orders
        .iter()
        .map(|order| order.start_charge_seq.as_str())
        .collect();
    let mut disputed: Vec<(ChargeOrder, i64)> = Vec::new();
    for order in &theirs.charge_orders {
        let Some(own) = known.get(order.start_charge_seq.as_str()) else {
            let missing = ChargeOrder {
                start_charge_seq: order.start_charge_seq.clone(),
                total_power: Fixed::default(),
                total_money: Fixed::default(),
            };
            disputed.push((missing, DISPUTE_MISSING));
            continue;
        };
        let own = own.in_comparison()?;
        if own.total_money != order.total_money {
            disputed.push((own, DISPUTE_MONEY));
        } else if own.total_power != order.total_power {
            disputed.push((own, DISPUTE_ENERGY));
        }
    }
    let time = theirs.start_time.0..=theirs.end_time.0;
    for (order, own) in &known {
        if time.contains(&own.ended_at) && !named.contains(order) {
            disputed.push((own.in_comparison()?, DISPUTE_MISSING));
        }
    }
    let money = disputed.iter().fold(0_i64, |sum, (order, _)| {
        sum.saturating_add(order.total_money.ten_thousandths())
    });
    let place = "TotalDisputeMoney";
    Ok(CheckChargeOrdersReply {
        check_order_seq: theirs.check_order_seq.clone(),
        start_time: theirs.start_time,
        end_time: theirs.end_time,
        total_dispute_order: u32::try_from(disputed.len())
            .map_err(|_| inexact("TotalDisputeOrder", "数", "count"))?,
        total_dispute_money: Fixed::from_ten_thousandths(money)
            .ok_or_else(|| inexact(place, "分", "fen"))?,
        dispute_orders: disputed
            .into_iter()
            .map(|(order, dispute_reason)| DisputeOrder {
                start_charge_seq: order.start_charge_seq,
                total_power: order.total_power,
                total_money: order.total_money,
                dispute_reason,
            })
            .collect(),
    })
}
