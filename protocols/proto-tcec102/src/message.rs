//! The bodies of T/CEC 102.2-2016 (公共信息) and 102.3-2016 (业务信息), in the standard's own names, its misspelling `Sevice` among them: that is
//! what is on the wire. Optional members are left out when there is nothing to say; members that are not known are left alone.
//! Money in yuan, energy in kWh, currents in A, voltages in V, power in kW, longitude and latitude in degrees (GCJ-02), as the standard says.

use crate::config::Limits;
use crate::number::Fixed;
use crate::time::{Moment, or_empty};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Declares an enumeration whose values are numbers on the wire; one that the standard does not name is refused.
macro_rules! coded {
    ($(#[$meta:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub enum $name { $($(#[$what])* $variant,)* }
        impl TryFrom<i64> for $name {
            type Error = String;
            fn try_from(code: i64) -> Result<Self, String> {
                match code {
                    $($code => Ok(Self::$variant),)*
                    _ => Err(format!("{code} is no {}", stringify!($name))),
                }
            }
        }
        impl From<$name> for i64 {
            fn from(value: $name) -> i64 {
                match value { $($name::$variant => $code,)* }
            }
        }
    };
}

coded! {
    /// `Status` of a connector (充电设备接口状态).
    ConnectorStatus {
        /// Offline (离网).
        Offline = 0,
        /// Idle (空闲).
        Idle = 1,
        /// Occupied, not charging (占用未充电).
        Occupied = 2,
        /// Charging (占用充电中).
        Charging = 3,
        /// Reserved (占用预约锁定).
        Reserved = 4,
        /// Faulty (故障).
        Fault = 255,
    }
}
coded! {
    /// `ParkStatus` (车位状态) and, with locked for occupied, `LockStatus` (地锁状态).
    PlaceStatus {
        /// Not known.
        Unknown = 0,
        /// Free; unlocked.
        Free = 10,
        /// Occupied; locked.
        Occupied = 50,
    }
}
coded! {
    /// `StartChargeSeqStat` (充电订单状态).
    ChargeState {
        /// Starting (启动中).
        Starting = 1,
        /// Charging (充电中).
        Charging = 2,
        /// Stopping (停止中).
        Stopping = 3,
        /// Ended (已结束).
        Ended = 4,
        /// Not known (未知).
        Unknown = 5,
    }
}
coded! {
    /// `SuccStat` (操作结果).
    Success {
        /// Done.
        Done = 0,
        /// Failed: `FailReason` says why.
        Failed = 1,
    }
}

/// Declares a body: its members with their names on the wire.
macro_rules! body {
    ($(#[$meta:meta])* $name:ident { $($(#[$what:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $name { $($(#[$what])* pub $field: $type,)* }
    };
}

body! {
    /// Asks for a token (102.4, query_token).
    QueryToken {
        /// Who asks.
        #[serde(rename = "OperatorID")]
        operator_id: String,
        /// The secret.
        operator_secret: String,
    }
}
body! {
    /// A token.
    QueryTokenReply {
        /// Who asked.
        #[serde(rename = "OperatorID")]
        operator_id: String,
        /// How it went.
        succ_stat: Success,
        /// The token; empty when there is none.
        access_token: String,
        /// How long it is good, in seconds.
        token_available_time: i64,
        /// 0 none, 1 no such operator, 2 wrong secret.
        fail_reason: i64,
    }
}
body! {
    /// Asks for stations (102.2, query_stations_info), page by page.
    QueryStationsInfo {
        /// Only what changed since; none or empty for all.
        #[serde(default, with = "or_empty")]
        last_query_time: Option<Moment>,
        /// From 1.
        #[serde(default = "first_page")]
        page_no: u32,
        /// Stations a page.
        #[serde(default = "usual_page")]
        page_size: u32,
    }
}
body! {
    /// A page of stations.
    QueryStationsInfoReply {
        /// Which page.
        page_no: u32,
        /// How many pages.
        page_count: u32,
        /// How many stations in all.
        item_size: u32,
        /// The stations of this page.
        station_infos: Vec<StationInfo>,
    }
}
body! {
    /// A station (充电站信息).
    StationInfo {
        /// Its id.
        #[serde(rename = "StationID")]
        station_id: String,
        /// Whose.
        #[serde(rename = "OperatorID")]
        operator_id: String,
        /// Owner of the equipment.
        #[serde(rename = "EquipmentOwnerID")]
        equipment_owner_id: String,
        /// Its name.
        station_name: String,
        /// `CN`.
        country_code: String,
        /// GB/T 2260 code of its division, six digits.
        area_code: String,
        /// Its address.
        address: String,
        /// Telephone of the station.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        station_tel: Option<String>,
        /// Telephone of the service.
        #[serde(default)]
        service_tel: String,
        /// 1 public, 50 private, 100 buses, 101 sanitation, 102 logistics, 103 taxis, 255 other.
        station_type: i64,
        /// 0 unknown, 1 being built, 5 closed, 6 in maintenance, 50 in use.
        station_status: i64,
        /// Parking places.
        park_nums: i64,
        /// Longitude.
        station_lng: f64,
        /// Latitude.
        station_lat: f64,
        /// 1 residential, 2 public institution, … 255 other.
        construction: i64,
        /// When it is open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        busine_hours: Option<String>,
        /// Price of energy, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        electricity_fee: Option<String>,
        /// Price of the service, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_fee: Option<String>,
        /// Price of parking, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        park_fee: Option<String>,
        /// How it is paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment: Option<String>,
        /// Whether it can be reserved: 1 yes, 0 no.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        support_order: Option<i64>,
        /// Anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remark: Option<String>,
        /// Its equipment.
        equipment_infos: Vec<EquipmentInfo>,
    }
}
body! {
    /// A pile (充电设备信息).
    EquipmentInfo {
        /// Its id, at most 23 characters.
        #[serde(rename = "EquipmentID")]
        equipment_id: String,
        /// Who made it.
        #[serde(rename = "ManufacturerID", default, skip_serializing_if = "Option::is_none")]
        manufacturer_id: Option<String>,
        /// Its maker's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        manufacturer_name: Option<String>,
        /// Its model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        equipment_model: Option<String>,
        /// 1 direct current, 2 alternating, 3 both, 4 wireless, 5 other.
        equipment_type: i64,
        /// Rated power, kW.
        power: f64,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        equipment_name: Option<String>,
        /// Its connectors.
        connector_infos: Vec<ConnectorInfo>,
    }
}
body! {
    /// A connector (充电设备接口信息).
    ConnectorInfo {
        /// Its id, at most 26 characters.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connector_name: Option<String>,
        /// 1 household socket, 2 AC socket, 3 AC plug, 4 DC gun, 5 wireless, 6 other.
        connector_type: i64,
        /// Upper rated voltage, V.
        voltage_upper_limits: i64,
        /// Lower rated voltage, V.
        voltage_lower_limits: i64,
        /// Rated current, A.
        current: i64,
        /// Rated power, kW.
        power: f64,
        /// Number of its parking place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        park_no: Option<String>,
        /// 1 for the standard of 2011, 2 for that of 2015.
        national_standard: i64,
    }
}
body! {
    /// How a connector is (充电设备接口状态).
    ConnectorStatusInfo {
        /// Which.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
        /// How.
        status: ConnectorStatus,
        /// Its parking place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        park_status: Option<PlaceStatus>,
        /// Its lock.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lock_status: Option<PlaceStatus>,
    }
}
body! {
    /// Says how a connector is (102.2, notification_stationStatus).
    NotificationStationStatus {
        /// How it is.
        connector_status_info: ConnectorStatusInfo,
    }
}
body! {
    /// Whether it was taken.
    NotificationStationStatusReply {
        /// 0 taken, 1 dropped.
        status: i64,
    }
}
body! {
    /// Asks how stations are (102.2, query_station_status).
    QueryStationStatus {
        /// Which, at most 50.
        #[serde(rename = "StationIDs")]
        station_ids: Vec<String>,
    }
}
body! {
    /// How stations are.
    QueryStationStatusReply {
        /// How many stations.
        total: u32,
        /// Each.
        station_status_infos: Vec<StationStatusInfo>,
    }
}
body! {
    /// How a station is.
    StationStatusInfo {
        /// Which.
        #[serde(rename = "StationID")]
        station_id: String,
        /// Its connectors.
        connector_status_infos: Vec<ConnectorStatusInfo>,
    }
}
body! {
    /// Asks whether a connector can be charged at (102.3, query_equip_auth).
    QueryEquipAuth {
        /// Number of the question, 27 characters.
        equip_auth_seq: String,
        /// Which connector.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
    }
}
body! {
    /// Whether it can.
    QueryEquipAuthReply {
        /// Of the question.
        equip_auth_seq: String,
        /// Which connector.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
        /// Whether it can.
        succ_stat: Success,
        /// 0 none, 1 no car is plugged in, 2 the pile does not answer; others by agreement.
        fail_reason: i64,
    }
}
body! {
    /// Asks to begin (102.3, query_start_charge).
    QueryStartCharge {
        /// The order's number: operator id and 18 digits.
        start_charge_seq: String,
        /// Which connector.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
        /// What the code on the pile said.
        #[serde(rename = "QRCode")]
        qr_code: String,
    }
}
body! {
    /// Whether it begins.
    QueryStartChargeReply {
        /// The order's number.
        start_charge_seq: String,
        /// Where it is.
        start_charge_seq_stat: ChargeState,
        /// Which connector.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
        /// How it went.
        succ_stat: Success,
        /// 0 none, 1 no such pile, 2 the pile is offline; others by agreement.
        fail_reason: i64,
    }
}
body! {
    /// Says that it began, or did not (102.3, notification_start_charge_result).
    NotificationStartChargeResult {
        /// The order's number.
        start_charge_seq: String,
        /// Where it is.
        start_charge_seq_stat: ChargeState,
        /// Which connector.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
        /// When it began.
        start_time: Moment,
        /// A code with which the driver can stop at the pile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ident_code: Option<String>,
    }
}
body! {
    /// Whether a notification was taken; the same of several.
    Taken {
        /// The order's number.
        start_charge_seq: String,
        /// How it went.
        succ_stat: Success,
        /// 0 none, 1 disputed; others by agreement.
        #[serde(default)]
        fail_reason: i64,
    }
}
body! {
    /// Asks how a charging goes (102.3, query_equip_charge_status).
    QueryEquipChargeStatus {
        /// The order's number.
        start_charge_seq: String,
    }
}
body! {
    /// How a charging goes: the answer to query_equip_charge_status, and notification_equip_charge_status.
    EquipChargeStatus {
        /// The order's number.
        start_charge_seq: String,
        /// Where it is.
        start_charge_seq_stat: ChargeState,
        /// Which connector.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
        /// How the connector is.
        connector_status: ConnectorStatus,
        /// Current of phase A; the current, of direct current.
        current_a: f64,
        /// Of phase B.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        current_b: Option<f64>,
        /// Of phase C.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        current_c: Option<f64>,
        /// Voltage of phase A; the voltage, of direct current.
        voltage_a: f64,
        /// Of phase B.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voltage_b: Option<f64>,
        /// Of phase C.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voltage_c: Option<f64>,
        /// State of charge, percent; 0 of alternating current, where it is not known.
        soc: f64,
        /// When it began.
        start_time: Moment,
        /// When this was read.
        end_time: Moment,
        /// Energy so far.
        total_power: Fixed,
        /// For energy.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        elec_money: Option<Fixed>,
        /// For the service.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sevice_money: Option<Fixed>,
        /// Altogether.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total_money: Option<Fixed>,
        /// How many stretches of price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sum_period: Option<u32>,
        /// The stretches.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        charge_details: Option<Vec<ChargeDetail>>,
    }
}
body! {
    /// A stretch of one price (充电明细).
    ChargeDetail {
        /// Its begin.
        detail_start_time: Moment,
        /// Its end.
        detail_end_time: Moment,
        /// Price of energy, yuan a kWh.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        elec_price: Option<Fixed>,
        /// Price of the service, yuan a kWh.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sevice_price: Option<Fixed>,
        /// Energy of the stretch.
        detail_power: Fixed,
        /// For energy.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail_elec_money: Option<Fixed>,
        /// For the service.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail_sevice_money: Option<Fixed>,
    }
}
body! {
    /// Asks to stop (102.3, query_stop_charge).
    QueryStopCharge {
        /// The order's number.
        start_charge_seq: String,
        /// Which connector.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
    }
}
body! {
    /// Whether it stops.
    QueryStopChargeReply {
        /// The order's number.
        start_charge_seq: String,
        /// Where it is.
        start_charge_seq_stat: ChargeState,
        /// How it went.
        succ_stat: Success,
        /// 0 none, 1 no such pile, 2 the pile is offline, 3 it has stopped already; others by agreement.
        fail_reason: i64,
    }
}
body! {
    /// Says that it stopped, or did not (102.3, notification_stop_charge_result).
    NotificationStopChargeResult {
        /// The order's number.
        start_charge_seq: String,
        /// Where it is.
        start_charge_seq_stat: ChargeState,
        /// Which connector.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
        /// How it went.
        succ_stat: Success,
        /// 0 none; others by agreement.
        fail_reason: i64,
    }
}
body! {
    /// Says what a charging came to (102.3, notification_charge_order_info).
    NotificationChargeOrderInfo {
        /// The order's number.
        start_charge_seq: String,
        /// Which connector.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
        /// Its begin.
        start_time: Moment,
        /// Its end.
        end_time: Moment,
        /// Its energy.
        total_power: Fixed,
        /// For energy.
        total_elec_money: Fixed,
        /// For the service.
        total_sevice_money: Fixed,
        /// Altogether.
        total_money: Fixed,
        /// 0 by the user, 1 by the operator, 2 BMS, 3 fault, 4 unplugged; others by agreement.
        stop_reason: i64,
        /// How many stretches of price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sum_period: Option<u32>,
        /// The stretches.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        charge_details: Option<Vec<ChargeDetail>>,
    }
}
body! {
    /// Whether the order is agreed to.
    NotificationChargeOrderInfoReply {
        /// The order's number.
        start_charge_seq: String,
        /// Which connector.
        #[serde(rename = "ConnectorID")]
        connector_id: String,
        /// 0 agreed, 1 disputed; others by agreement.
        confirm_result: i64,
    }
}
body! {
    /// Compares the orders of a time (102.3, check_charge_orders).
    CheckChargeOrders {
        /// Number of the comparison.
        check_order_seq: String,
        /// Begin of the time.
        start_time: Moment,
        /// Its end.
        end_time: Moment,
        /// How many orders.
        order_count: u32,
        /// Their energy.
        total_order_power: Fixed,
        /// Their money.
        total_order_money: Fixed,
        /// Each.
        charge_orders: Vec<ChargeOrder>,
    }
}
body! {
    /// An order in a comparison.
    ChargeOrder {
        /// Its number.
        start_charge_seq: String,
        /// Its energy.
        total_power: Fixed,
        /// Its money.
        total_money: Fixed,
    }
}
body! {
    /// What is disputed.
    CheckChargeOrdersReply {
        /// Of the comparison.
        check_order_seq: String,
        /// Begin of the time.
        start_time: Moment,
        /// Its end.
        end_time: Moment,
        /// How many are disputed.
        total_dispute_order: u32,
        /// Their money.
        total_dispute_money: Fixed,
        /// Each.
        dispute_orders: Vec<DisputeOrder>,
    }
}
body! {
    /// A disputed order.
    DisputeOrder {
        /// Its number.
        start_charge_seq: String,
        /// Its energy, as the answering side has it.
        total_power: Fixed,
        /// Its money, as the answering side has it.
        total_money: Fixed,
        /// 1 no such order, 2 another money, 3 another energy; others by agreement.
        dispute_reason: i64,
    }
}

const fn first_page() -> u32 {
    1
}
const fn usual_page() -> u32 {
    10
}

/// Longest id of a connector (102.2).
const CONNECTOR_ID_CHARS_MAX: usize = 26;
/// Length of an order's number: operator id and 18 characters (102.3).
const ORDER_CHARS: usize = 27;

/// What is wrong with a body although it reads: the member and the rule. The standard's own bounds, and ours.
pub(crate) trait Checked {
    fn check(&self, limits: &Limits) -> Result<(), (&'static str, String)>;
}

fn within(
    holds: bool,
    place: &'static str,
    rule: impl Into<String>,
) -> Result<(), (&'static str, String)> {
    if holds {
        Ok(())
    } else {
        Err((place, rule.into()))
    }
}

fn order(number: &str) -> Result<(), (&'static str, String)> {
    let is_good = number.len() == ORDER_CHARS && number.bytes().all(|b| b.is_ascii_alphanumeric());
    within(is_good, "StartChargeSeq", "9 + 18")
}

fn connector(id: &str) -> Result<(), (&'static str, String)> {
    let is_good = !id.is_empty() && id.chars().count() <= CONNECTOR_ID_CHARS_MAX;
    within(
        is_good,
        "ConnectorID",
        format!("1–{CONNECTOR_ID_CHARS_MAX}"),
    )
}

fn details(all: Option<&Vec<ChargeDetail>>, limits: &Limits) -> Result<(), (&'static str, String)> {
    let most = limits.details_max;
    within(
        all.is_none_or(|all| all.len() <= most),
        "ChargeDetails",
        format!("≤ {most}"),
    )
}

impl Checked for QueryToken {
    fn check(&self, _: &Limits) -> Result<(), (&'static str, String)> {
        Ok(())
    }
}
impl Checked for QueryStationsInfo {
    fn check(&self, limits: &Limits) -> Result<(), (&'static str, String)> {
        let most = limits.page_size_max;
        within(self.page_no >= 1, "PageNo", "≥ 1")?;
        within(
            (1..=most).contains(&self.page_size),
            "PageSize",
            format!("1–{most}"),
        )
    }
}
impl Checked for NotificationStationStatus {
    fn check(&self, _: &Limits) -> Result<(), (&'static str, String)> {
        connector(&self.connector_status_info.connector_id)
    }
}
impl Checked for QueryStationStatus {
    fn check(&self, limits: &Limits) -> Result<(), (&'static str, String)> {
        let most = limits.station_ids_max;
        within(
            (1..=most).contains(&self.station_ids.len()),
            "StationIDs",
            format!("1–{most}"),
        )
    }
}
impl Checked for QueryEquipAuth {
    fn check(&self, _: &Limits) -> Result<(), (&'static str, String)> {
        connector(&self.connector_id)
    }
}
impl Checked for QueryStartCharge {
    fn check(&self, _: &Limits) -> Result<(), (&'static str, String)> {
        order(&self.start_charge_seq)?;
        connector(&self.connector_id)
    }
}
impl Checked for NotificationStartChargeResult {
    fn check(&self, _: &Limits) -> Result<(), (&'static str, String)> {
        order(&self.start_charge_seq)?;
        connector(&self.connector_id)
    }
}
impl Checked for QueryEquipChargeStatus {
    fn check(&self, _: &Limits) -> Result<(), (&'static str, String)> {
        order(&self.start_charge_seq)
    }
}
impl Checked for EquipChargeStatus {
    fn check(&self, limits: &Limits) -> Result<(), (&'static str, String)> {
        order(&self.start_charge_seq)?;
        connector(&self.connector_id)?;
        within((0.0..=100.0).contains(&self.soc), "Soc", "0–100")?;
        within(self.total_power >= Fixed::default(), "TotalPower", "≥ 0")?;
        within(self.start_time <= self.end_time, "EndTime", "≥ StartTime")?;
        details(self.charge_details.as_ref(), limits)
    }
}
impl Checked for QueryStopCharge {
    fn check(&self, _: &Limits) -> Result<(), (&'static str, String)> {
        order(&self.start_charge_seq)?;
        connector(&self.connector_id)
    }
}
impl Checked for NotificationStopChargeResult {
    fn check(&self, _: &Limits) -> Result<(), (&'static str, String)> {
        order(&self.start_charge_seq)?;
        connector(&self.connector_id)
    }
}
impl Checked for NotificationChargeOrderInfo {
    fn check(&self, limits: &Limits) -> Result<(), (&'static str, String)> {
        order(&self.start_charge_seq)?;
        connector(&self.connector_id)?;
        within(self.total_power >= Fixed::default(), "TotalPower", "≥ 0")?;
        within(self.start_time <= self.end_time, "EndTime", "≥ StartTime")?;
        let sum =
            self.total_elec_money.ten_thousandths() + self.total_sevice_money.ten_thousandths();
        within(
            sum == self.total_money.ten_thousandths(),
            "TotalMoney",
            "= TotalElecMoney + TotalSeviceMoney",
        )?;
        let none = Fixed::default();
        within(self.total_elec_money >= none, "TotalElecMoney", "≥ 0")?;
        within(self.total_sevice_money >= none, "TotalSeviceMoney", "≥ 0")?;
        let told = self.charge_details.as_ref().map(Vec::len);
        within(
            self.sum_period.is_none()
                || told.is_none()
                || self.sum_period.and_then(|n| usize::try_from(n).ok()) == told,
            "SumPeriod",
            "= |ChargeDetails|",
        )?;
        details(self.charge_details.as_ref(), limits)
    }
}
impl Checked for CheckChargeOrders {
    fn check(&self, limits: &Limits) -> Result<(), (&'static str, String)> {
        let most = limits.orders_max;
        within(
            self.charge_orders.len() <= most,
            "ChargeOrders",
            format!("≤ {most}"),
        )?;
        let orders: BTreeSet<&str> = self
            .charge_orders
            .iter()
            .map(|one| one.start_charge_seq.as_str())
            .collect();
        within(
            orders.len() == self.charge_orders.len(),
            "StartChargeSeq",
            "每单一次 (each order once)",
        )?;
        let sum = |of: fn(&ChargeOrder) -> Fixed| -> i128 {
            self.charge_orders
                .iter()
                .map(|one| i128::from(of(one).ten_thousandths()))
                .sum()
        };
        within(
            sum(|one| one.total_power) == i128::from(self.total_order_power.ten_thousandths()),
            "TotalOrderPower",
            "= Σ TotalPower",
        )?;
        within(
            sum(|one| one.total_money) == i128::from(self.total_order_money.ten_thousandths()),
            "TotalOrderMoney",
            "= Σ TotalMoney",
        )?;
        let count = usize::try_from(self.order_count);
        within(
            count == Ok(self.charge_orders.len()),
            "OrderCount",
            "= |ChargeOrders|",
        )?;
        within(self.start_time <= self.end_time, "EndTime", "≥ StartTime")
    }
}
