//! What the city has → the answers that a partner is given: its stations page by page, how their connectors are, how a charging goes. Orders are
//! in [`crate::order`].

use crate::gcj;
use crate::message::{
    ChargeState, ConnectorInfo, ConnectorStatus, ConnectorStatusInfo, EquipChargeStatus,
    EquipmentInfo, NotificationStationStatus, QueryStationStatus, QueryStationStatusReply,
    QueryStationsInfo, QueryStationsInfoReply, StationInfo, StationStatusInfo,
};
use crate::order::{of_fen, of_watt_hours};
use crate::time::Moment;
use model::{Timestamp, Told};

/// Watts in a kilowatt.
const W_PER_KW: f64 = 1_000.0;

/// A station of ours (`EVChargingStation`).
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// Its id towards partners (`StationID`).
    pub id: String,
    /// Its operator's id, 9 characters.
    pub operator_id: String,
    /// Its owner's id, 9 characters.
    pub owner_id: String,
    /// Its name.
    pub name: String,
    /// Code of its division (GB/T 2260), six digits.
    pub area_code: String,
    /// Its address.
    pub address: String,
    /// Telephone of the service.
    pub service_tel: String,
    /// Longitude and latitude, WGS 84, in degrees.
    pub place: (f64, f64),
    /// `StationType`: 1 public, … 255 other.
    pub station_type: i64,
    /// `Construction`: 1 residential, … 255 other.
    pub construction: i64,
    /// Parking places.
    pub parking: i64,
    /// Its state in the words of `EVChargingStation`.
    pub status: String,
    /// When anything of it but its state last changed.
    pub changed_at: Timestamp,
    /// Its points.
    pub points: Vec<Point>,
}

/// A point of ours (`ChargePoint`): one pile with one connector.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its id towards partners, `EquipmentID` and `ConnectorID` both.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its maker.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Whether its connector is of direct current.
    pub is_dc: bool,
    /// Rated power, in watts.
    pub rated_w: u32,
    /// Lower and upper rated voltage, V.
    pub voltage: (i64, i64),
    /// Rated current, A.
    pub current: i64,
    /// Its state in OCPP's words, 1.6 or 2.0.1.
    pub status: String,
}

/// A charging of ours under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// `StartChargeSeq`.
    pub order: String,
    /// Where it is.
    pub state: ChargeState,
    /// The point.
    pub point_id: String,
    /// The point's state in OCPP's words.
    pub status: String,
    /// Current, A.
    pub current: f64,
    /// Voltage, V.
    pub voltage: f64,
    /// State of charge, percent; none where it is not known.
    pub soc: Option<f64>,
    /// When it began.
    pub started_at: Timestamp,
    /// When this was read.
    pub read_at: Timestamp,
    /// Energy so far, in watt-hours.
    pub energy_wh: i64,
    /// For electricity and for the service so far, in fen; none where it is not known yet.
    pub fen: Option<(i64, i64)>,
}

/// A connector's state from OCPP's words. A word that is not known is told as offline: nobody shall drive to it.
pub fn connector_status(word: &str) -> ConnectorStatus {
    match word {
        "Available" => ConnectorStatus::Idle,
        "Preparing" | "Finishing" | "SuspendedEV" | "SuspendedEVSE" | "Occupied" => {
            ConnectorStatus::Occupied
        }
        "Charging" => ConnectorStatus::Charging,
        "Reserved" => ConnectorStatus::Reserved,
        "Faulted" => ConnectorStatus::Fault,
        _ => ConnectorStatus::Offline,
    }
}

/// `StationStatus` from the words of `EVChargingStation`: 50 in use, 6 in maintenance, 0 not known.
fn station_status(word: &str) -> i64 {
    match word {
        "working" | "almostEmpty" | "empty" | "almostFull" | "full" | "withIncidence" => 50,
        "outOfService" => 6,
        _ => 0,
    }
}

impl Point {
    /// How it is.
    pub fn status(&self) -> ConnectorStatusInfo {
        ConnectorStatusInfo {
            connector_id: self.id.clone(),
            status: connector_status(&self.status),
            park_status: None,
            lock_status: None,
        }
    }

    /// Tells a partner how it is.
    pub fn notification(&self) -> NotificationStationStatus {
        NotificationStationStatus {
            connector_status_info: self.status(),
        }
    }

    fn info(&self) -> EquipmentInfo {
        let power = f64::from(self.rated_w) / W_PER_KW;
        let (lower, upper) = self.voltage;
        EquipmentInfo {
            equipment_id: self.id.clone(),
            manufacturer_id: None,
            manufacturer_name: self.manufacturer.clone(),
            equipment_model: self.model.clone(),
            equipment_type: if self.is_dc { 1 } else { 2 },
            power,
            equipment_name: Some(self.name.clone()),
            connector_infos: vec![ConnectorInfo {
                connector_id: self.id.clone(),
                connector_name: Some(self.name.clone()),
                connector_type: if self.is_dc { 4 } else { 3 },
                voltage_upper_limits: upper,
                voltage_lower_limits: lower,
                current: self.current,
                power,
                park_no: None,
                national_standard: 2,
            }],
        }
    }
}

impl Station {
    /// What it is.
    pub fn info(&self) -> StationInfo {
        let (lon, lat) = gcj::from_wgs84(self.place.0, self.place.1);
        StationInfo {
            station_id: self.id.clone(),
            operator_id: self.operator_id.clone(),
            equipment_owner_id: self.owner_id.clone(),
            station_name: self.name.clone(),
            country_code: "CN".to_owned(),
            area_code: self.area_code.clone(),
            address: self.address.clone(),
            station_tel: None,
            service_tel: self.service_tel.clone(),
            station_type: self.station_type,
            station_status: station_status(&self.status),
            park_nums: self.parking,
            station_lng: lon,
            station_lat: lat,
            construction: self.construction,
            busine_hours: None,
            electricity_fee: None,
            service_fee: None,
            park_fee: None,
            payment: None,
            support_order: None,
            remark: None,
            equipment_infos: self.points.iter().map(Point::info).collect(),
        }
    }
}

/// A page of our stations, in the order of their ids, those alone that changed since `LastQueryTime`. A page behind the last one is empty.
pub fn page(stations: &[Station], ask: &QueryStationsInfo) -> QueryStationsInfoReply {
    let mut found: Vec<&Station> = stations
        .iter()
        .filter(|station| {
            ask.last_query_time
                .is_none_or(|since| station.changed_at >= since.0)
        })
        .collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    // The door refuses both 0; this stays whole for whoever asks past it.
    let size = usize::try_from(ask.page_size).unwrap_or(usize::MAX).max(1);
    let before = usize::try_from(ask.page_no.saturating_sub(1)).unwrap_or(usize::MAX);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    QueryStationsInfoReply {
        page_no: ask.page_no,
        page_count: count(found.len().div_ceil(size)),
        item_size: count(found.len()),
        station_infos: found
            .into_iter()
            .skip(before.saturating_mul(size))
            .take(size)
            .map(Station::info)
            .collect(),
    }
}

/// How the stations asked about are, each once; one that is not ours is left out.
pub fn statuses(stations: &[Station], ask: &QueryStationStatus) -> QueryStationStatusReply {
    let found: Vec<StationStatusInfo> = stations
        .iter()
        .filter(|station| ask.station_ids.contains(&station.id))
        .map(|station| StationStatusInfo {
            station_id: station.id.clone(),
            connector_status_infos: station.points.iter().map(Point::status).collect(),
        })
        .collect();
    QueryStationStatusReply {
        total: u32::try_from(found.len()).unwrap_or(u32::MAX),
        station_status_infos: found,
    }
}

/// How a charging goes.
///
/// # Errors
/// `tcec102-inexact` beyond ten thousand million yuan or kilowatt-hours.
pub fn progress(running: &Running) -> Result<EquipChargeStatus, Told> {
    let money = |fen: Option<i64>, place| fen.map(|fen| of_fen(fen, place)).transpose();
    let total = running
        .fen
        .map(|(electricity, service)| electricity.saturating_add(service));
    Ok(EquipChargeStatus {
        start_charge_seq: running.order.clone(),
        start_charge_seq_stat: running.state,
        connector_id: running.point_id.clone(),
        connector_status: connector_status(&running.status),
        current_a: running.current,
        current_b: None,
        current_c: None,
        voltage_a: running.voltage,
        voltage_b: None,
        voltage_c: None,
        soc: running.soc.unwrap_or(0.0),
        start_time: Moment(running.started_at),
        end_time: Moment(running.read_at),
        total_power: of_watt_hours(running.energy_wh, "TotalPower")?,
        elec_money: money(running.fen.map(|fen| fen.0), "ElecMoney")?,
        sevice_money: money(running.fen.map(|fen| fen.1), "SeviceMoney")?,
        total_money: money(total, "TotalMoney")?,
        sum_period: None,
        charge_details: None,
    })
}
