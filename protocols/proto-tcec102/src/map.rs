//! What a partner says → updates. The only file that knows what a body means to the city's entities.
//!
//! | body | entity | attributes |
//! | --- | --- | --- |
//! | `StationInfo` | `EVChargingStation` | `name`, `location` (GCJ-02 → WGS 84), `operator`, `capacity` (its connectors), `status` |
//! | `EquipmentInfo` with each `ConnectorInfo` | `ChargePoint` | `name`, `refStation`, `location` (the station's), `connectorType`, `ratedPower` KWT, `manufacturerName`, `modelName` |
//! | `ConnectorStatusInfo` | `ChargePoint` | `status`, in OCPP's words |
//! | `EquipChargeStatus` | `ChargePoint` | `status`, `current` AMP, `voltage` VLT, `stateOfCharge` P1 |
//! | `EquipChargeStatus` | `ChargingSession` | `transactionId`, `refChargePoint`, `sessionState`, `startedAt`, `energy` KWH |
//! | [`SettledOrder`] | `ChargingSession` | the same, `endedAt`, `stopReason` |
//!
//! A charge point of the city is a connector here: that is what has a state of its own. Money is no attribute: it goes to the bill by the order.
//! Values of three phases stay in the message. What has no time of its own is as of when it was received.

use crate::gcj;
use crate::message::{
    ChargeState, ConnectorInfo, ConnectorStatus, ConnectorStatusInfo, EquipChargeStatus,
    EquipmentInfo, StationInfo,
};
use crate::order::SettledOrder;
use model::value::Geometry;
use model::{
    AttributeName, AttributeUpdate, EntityId, Problem, Quality, Timestamp, TypeName, Update, Value,
};
use wire::Payload;

/// The type of a charge point (充电桩).
pub const CHARGE_POINT: &str = "ChargePoint";
/// The type of a session (充电订单).
pub const SESSION: &str = "ChargingSession";
/// The type of a place with charge points (充电站).
pub const STATION: &str = "EVChargingStation";
/// Watt-hours in a kilowatt-hour.
const WH_PER_KWH: f64 = 1_000.0;

/// The entity that a type and a partner's id stand for; `None` for one that the city names after the partner ([`named`]).
pub type Whose<'a> = dyn Fn(&str, &str) -> Option<EntityId> + 'a;

/// Who says it.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The partner's operator id.
    pub operator_id: &'a str,
    /// What the city calls it.
    pub operator_name: &'a str,
    /// Which entities its ids are.
    pub whose: &'a Whose<'a>,
    /// When it was received.
    pub received_at: Timestamp,
}

/// The entity of a partner's thing that the city has not registered: its type, the operator and its id there.
///
/// # Errors
/// When the id holds characters that no entity id may.
pub fn named(kind: &str, operator_id: &str, id: &str) -> Result<EntityId, Problem> {
    EntityId::new(format!("urn:ngsi-ld:{kind}:{operator_id}:{id}"))
}

/// OCPP's word for a connector's state.
pub const fn status_word(status: ConnectorStatus) -> &'static str {
    match status {
        ConnectorStatus::Offline => "Unavailable",
        ConnectorStatus::Idle => "Available",
        ConnectorStatus::Occupied => "Occupied",
        ConnectorStatus::Charging => "Charging",
        ConnectorStatus::Reserved => "Reserved",
        ConnectorStatus::Fault => "Faulted",
    }
}

/// The word for where a session is.
pub const fn session_word(state: ChargeState) -> Option<&'static str> {
    match state {
        ChargeState::Starting => Some("Starting"),
        ChargeState::Charging => Some("Charging"),
        ChargeState::Stopping => Some("Stopping"),
        ChargeState::Ended => Some("Ended"),
        ChargeState::Unknown => None,
    }
}

/// The word for why a session stopped: those of OCPP where it has one; a number that was agreed on stays a number.
pub fn stop_word(reason: i64) -> String {
    match reason {
        0 => "Local".to_owned(),
        1 => "Remote".to_owned(),
        2 => "StoppedByEV".to_owned(),
        3 => "Fault".to_owned(),
        4 => "EVDisconnected".to_owned(),
        other => format!("Other {other}"),
    }
}

/// The word for a connector (GB/T 20234); an AC socket and an AC plug have one word, and others none.
const fn connector_word(kind: i64) -> Option<&'static str> {
    match kind {
        2 | 3 => Some("GBT_AC"),
        4 => Some("GBT_DC"),
        _ => None,
    }
}

/// The word for a station's state (`StationStatus`); none when it is not known.
const fn station_word(status: i64) -> Option<&'static str> {
    match status {
        50 => Some("working"),
        1 | 5 | 6 => Some("outOfService"),
        _ => None,
    }
}

/// An attribute's name, value and unit.
type Said = (&'static str, Value, Option<&'static str>);

fn text(name: &'static str, text: Option<&str>) -> Option<Said> {
    let text = text.map(str::trim).filter(|text| !text.is_empty())?;
    Some((name, Value::Text(text.to_owned()), None))
}

/// What stations, their equipment and its connectors are.
pub fn stations(stations: &[StationInfo], source: &Source<'_>) -> Payload {
    let mut map = Map::new(source);
    for station in stations {
        map.station(station);
    }
    map.out
}

/// How connectors are.
pub fn statuses<'a>(
    all: impl IntoIterator<Item = &'a ConnectorStatusInfo>,
    source: &Source<'_>,
) -> Payload {
    let mut map = Map::new(source);
    for one in all {
        let said = text("status", Some(status_word(one.status)));
        let said = said.into_iter().collect();
        map.add(CHARGE_POINT, &one.connector_id, source.received_at, said);
    }
    map.out
}

/// How a charging goes.
pub fn charging(status: &EquipChargeStatus, source: &Source<'_>) -> Payload {
    let mut map = Map::new(source);
    let at = status.end_time.0;
    let number = |name, value: f64, unit| Some((name, Value::Number(value), Some(unit)));
    // With a second phase there is no one current and no one voltage.
    let has_phases = status.current_b.is_some() || status.voltage_b.is_some();
    let (current, voltage) = match has_phases {
        true => (None, None),
        false => (
            number("current", status.current_a, "AMP"),
            number("voltage", status.voltage_a, "VLT"),
        ),
    };
    let point = [
        text("status", Some(status_word(status.connector_status))),
        current,
        voltage,
        // 0 stands for one that is not known.
        number("stateOfCharge", status.soc, "P1").filter(|_| status.soc > 0.0),
    ];
    map.add(
        CHARGE_POINT,
        &status.connector_id,
        at,
        point.into_iter().flatten().collect(),
    );
    // Ten-thousandths of a kWh: below 2^53, so that the double nearest to it is written as it was.
    let kwh = status.total_power.ten_thousandths() as f64 / 10_000.0;
    let session = [
        text("transactionId", Some(&status.start_charge_seq)),
        map.refers("refChargePoint", CHARGE_POINT, &status.connector_id),
        text("sessionState", session_word(status.start_charge_seq_stat)),
        text("startedAt", Some(&status.start_time.0.to_string())),
        number("energy", kwh, "KWH"),
    ];
    map.add(
        SESSION,
        &status.start_charge_seq,
        at,
        session.into_iter().flatten().collect(),
    );
    map.out
}

/// A session that was settled.
pub fn settled(order: &SettledOrder, source: &Source<'_>) -> Payload {
    let mut map = Map::new(source);
    let kwh = Value::Number(order.energy_wh as f64 / WH_PER_KWH);
    let said = [
        text("transactionId", Some(&order.order)),
        map.refers("refChargePoint", CHARGE_POINT, &order.connector_id),
        text("sessionState", session_word(ChargeState::Ended)),
        text("startedAt", Some(&order.started_at.to_string())),
        text("endedAt", Some(&order.ended_at.to_string())),
        Some(("energy", kwh, Some("KWH"))),
        text("stopReason", Some(&stop_word(order.stop_reason))),
    ];
    let said = said.into_iter().flatten().collect();
    map.add(SESSION, &order.order, order.ended_at, said);
    map.out
}

struct Map<'a> {
    source: &'a Source<'a>,
    out: Payload,
}

impl<'a> Map<'a> {
    fn new(source: &'a Source<'a>) -> Self {
        Self {
            source,
            out: Payload::default(),
        }
    }

    fn entity(&self, kind: &str, id: &str) -> Result<EntityId, Problem> {
        match (self.source.whose)(kind, id) {
            Some(entity) => Ok(entity),
            None => named(kind, self.source.operator_id, id),
        }
    }

    /// A relationship; nothing when the id is none, which is told where the thing itself is.
    fn refers(&self, name: &'static str, kind: &str, id: &str) -> Option<Said> {
        let entity = self.entity(kind, id).ok()?;
        Some((name, Value::Relationship(entity), None))
    }

    fn station(&mut self, station: &StationInfo) {
        let location = self.location(station);
        let connectors = station
            .equipment_infos
            .iter()
            .map(|it| it.connector_infos.len())
            .sum::<usize>();
        let capacity = ("capacity", Value::Number(connectors as f64), Some("C62"));
        let said = [
            text("name", Some(&station.station_name)),
            location.clone(),
            text("operator", Some(self.source.operator_name)),
            Some(capacity).filter(|_| connectors > 0),
            text("status", station_word(station.station_status)),
        ];
        let at = self.source.received_at;
        let said = said.into_iter().flatten().collect();
        self.add(STATION, &station.station_id, at, said);
        for equipment in &station.equipment_infos {
            for connector in &equipment.connector_infos {
                self.connector(&station.station_id, location.clone(), equipment, connector);
            }
        }
    }

    /// The station's place, when it is one.
    fn location(&mut self, station: &StationInfo) -> Option<Said> {
        let (lon, lat) = (station.station_lng, station.station_lat);
        if !(-180.0..=180.0).contains(&lon) || !(-90.0..=90.0).contains(&lat) {
            let id = model::problem::quote(&station.station_id);
            self.out.problems.push(Problem::new(
                "tcec102-place",
                format!("坐标超出范围 / {lon}, {lat} is no longitude and latitude"),
                format!("StationInfos, {id}, StationLng and StationLat"),
                "填写 GCJ-02 经纬度(度) / write longitude and latitude in degrees, GCJ-02",
            ));
            return None;
        }
        let (lon, lat) = gcj::to_wgs84(lon, lat);
        Some((
            "location",
            Value::Geometry(Geometry::Point { lon, lat }),
            None,
        ))
    }

    fn connector(
        &mut self,
        station: &str,
        location: Option<Said>,
        equipment: &EquipmentInfo,
        connector: &ConnectorInfo,
    ) {
        let name = connector.connector_name.as_deref();
        let power = Value::Number(connector.power);
        let said = [
            text("name", name.or(equipment.equipment_name.as_deref())),
            self.refers("refStation", STATION, station),
            location,
            text("connectorType", connector_word(connector.connector_type)),
            Some(("ratedPower", power, Some("KWT"))),
            text("manufacturerName", equipment.manufacturer_name.as_deref()),
            text("modelName", equipment.equipment_model.as_deref()),
        ];
        let at = self.source.received_at;
        let said = said.into_iter().flatten().collect();
        self.add(CHARGE_POINT, &connector.connector_id, at, said);
    }

    fn add(&mut self, kind: &str, id: &str, at: Timestamp, said: Vec<Said>) {
        match self.update(kind, id, at, said) {
            Ok(update) => self.out.updates.push(update),
            Err(problem) => self.out.problems.push(problem),
        }
    }

    fn update(
        &self,
        kind: &str,
        id: &str,
        at: Timestamp,
        said: Vec<Said>,
    ) -> Result<Update, Problem> {
        // What a clock ahead of ours dates is as of now: the future is nothing that was observed.
        let observed_at = at.min(self.source.received_at);
        let attributes = said.into_iter().map(|(name, value, unit)| {
            Ok(AttributeUpdate {
                name: AttributeName::new(name)?,
                value,
                unit: unit.map(str::to_owned),
                observed_at,
                quality: Quality::Good,
            })
        });
        Ok(Update {
            entity_id: self.entity(kind, id)?,
            entity_type: TypeName::new(kind)?,
            attributes: attributes.collect::<Result<_, Problem>>()?,
        })
    }
}
