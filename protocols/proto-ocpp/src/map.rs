//! Events → updates. The only file that knows what a message means to the city.
//!
//! | event | entity | attributes |
//! | --- | --- | --- |
//! | `Boot` | ChargePoint of the station (evse 0) | `manufacturerName`, `modelName`, `serialNumber`, `firmwareVersion`, `ocppVersion` |
//! | `Status` | ChargePoint of the evse | `status`, `errorCode`, `vendorErrorCode` |
//! | `Meter`, readings of a transaction | ChargePoint of the evse | `energyRegister` KWH, `power` KWT, `current` AMP, `voltage` VLT, `stateOfCharge` P1, `temperature` CEL |
//! | `Transaction` | ChargingSession | `refChargePoint`, `transactionId`, `sessionState`, `startedAt`, `endedAt`, `meterStart`, `meterStop`, `energy` KWH, `stopReason` |
//! | `Firmware` | ChargePoint of the station | `firmwareStatus` |
//!
//! A reading of one phase alone is not the outlet's and stays in the message. Who charged is personal and goes to the bill alone, by the
//! event.
//!
//! A transaction's part that came before gives nothing again. A stop of 1.6 without a transaction's number (−1, 0) gives a problem, because it
//! is not known which session it ends.
//!
//! Values of a message whose doubts concern money are `Uncertain`, so that no rule and no indicator counts them.

use crate::config::Version;
use crate::error;
use crate::message::{Doubt, Event, Outlet, Phase, Status, Transaction, What};
use crate::meter::{MeterValue, REGISTER, Sample};
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
/// Thousandths of a watt-hour in a kilowatt-hour.
const MILLI_WH_PER_KWH: f64 = 1e6;

/// Which charge point an evse of a station is; evse 0 is the station itself. `None` when nobody registered it.
pub type Whose<'a> = dyn Fn(u32) -> Option<EntityId> + 'a;

/// Whose link it is.
#[derive(Clone, Copy)]
pub struct Link<'a> {
    /// The station's identity.
    pub station: &'a str,
    /// The version spoken.
    pub version: Version,
    /// Its charge points.
    pub whose: &'a Whose<'a>,
}

/// The entity of a session: of a station and a transaction's id. Identities of 48 and ids of 36 characters always fit.
///
/// # Errors
/// When the transaction's id holds characters that no entity id may; [`Payload::problems`] tells it.
pub fn session_id(station: &str, transaction: &str) -> Result<EntityId, Problem> {
    EntityId::new(format!("urn:ngsi-ld:{SESSION}:{station}:{transaction}"))
}

/// What an event says of the city. `transaction` is the transaction's id where the event does not have it: at a start of 1.6 the number
/// that the host gave it.
pub fn payload(event: &Event, transaction: Option<&str>, link: Link<'_>) -> Payload {
    let is_doubtful = event.doubts.iter().any(Doubt::concerns_money);
    let mut map = Map {
        link,
        quality: match is_doubtful {
            true => Quality::Uncertain,
            false => Quality::Good,
        },
        received_at: event.received_at,
        out: Payload::default(),
    };
    match &event.what {
        What::Boot(boot) => {
            let at = event.received_at;
            let text =
                |name, text: Option<&str>| text.map(|it| (name, Value::Text(it.to_owned()), None));
            let said = [
                text("manufacturerName", Some(&boot.vendor)),
                text("modelName", Some(&boot.model)),
                text("serialNumber", boot.serial_number.as_deref()),
                text("firmwareVersion", boot.firmware_version.as_deref()),
                text("ocppVersion", Some(link.version.number())),
            ];
            map.charge_point(0, at, said.into_iter().flatten().collect());
        }
        What::Status(status) => map.status(status),
        What::Meter { outlet, values } => map.readings(outlet.evse, values),
        // It was said, and is durable: this would only make it look new.
        What::Transaction(_) if event.doubts.contains(&Doubt::Repeated) => {}
        What::Transaction(part) => map.transaction(part, transaction),
        What::Firmware { status, .. } => {
            let said = vec![("firmwareStatus", Value::Text(status.clone()), None)];
            map.charge_point(0, event.received_at, said);
        }
        _ => {}
    }
    map.out
}

/// How a place with charge points stands, in the words of Smart Data Models' EVChargingStation (`working`, `almostFull`, `full`,
/// `outOfService`, `withIncidence`), and how many vehicles it can take now, from the states of all its outlets in OCPP's words.
pub fn place<'a>(statuses: impl IntoIterator<Item = &'a str>) -> (&'static str, usize) {
    /// Free outlets of a hundred from which down a place is almost full.
    const ALMOST_FULL_PERCENT: usize = 20;
    let (mut all, mut free, mut out, mut faulted) = (0_usize, 0_usize, 0_usize, 0_usize);
    for status in statuses {
        all += 1;
        match status {
            "Available" => free += 1,
            "Unavailable" => out += 1,
            "Faulted" => faulted += 1,
            _ => {}
        }
    }
    let word = if all == out + faulted {
        "outOfService"
    } else if free == 0 {
        "full"
    } else if faulted > 0 {
        "withIncidence"
    } else if free * 100 <= all * ALMOST_FULL_PERCENT {
        "almostFull"
    } else {
        "working"
    };
    (word, free)
}

/// An attribute's name, value and unit.
type Said = (&'static str, Value, Option<&'static str>);

struct Map<'a> {
    link: Link<'a>,
    quality: Quality,
    received_at: Timestamp,
    out: Payload,
}

impl Map<'_> {
    fn status(&mut self, status: &Status) {
        let mut said = vec![("status", Value::Text(status.status.clone()), None)];
        let codes = [
            ("errorCode", &status.error_code),
            ("vendorErrorCode", &status.vendor_error_code),
        ];
        for (name, code) in codes {
            if let Some(code) = code {
                said.push((name, Value::Text(code.clone()), None));
            }
        }
        self.charge_point(status.outlet.evse, status.at, said);
    }

    fn readings(&mut self, evse: u32, values: &[MeterValue]) {
        for value in values {
            let said = value.samples.iter().filter_map(reading).collect();
            self.charge_point(evse, value.at, said);
        }
    }

    fn transaction(&mut self, part: &Transaction, transaction: Option<&str>) {
        if let Some(Outlet { evse, .. }) = part.outlet {
            self.readings(evse, &part.meter_values);
            self.stands(evse, part);
        }
        let Some(id) = part.id.as_deref().or(transaction) else {
            return;
        };
        if !part.is_named() && transaction.is_none() {
            // Every such stop would otherwise be one and the same session.
            return self.out.problems.push(error::unnamed_transaction(id));
        }
        let text = |it: String| Value::Text(it);
        let kwh = |milli_wh: i64| Value::Number(milli_wh as f64 / MILLI_WH_PER_KWH);
        let registers = part.registers();
        let mut said: Vec<Said> = vec![("transactionId", text(id.to_owned()), None)];
        let charge_point = part
            .outlet
            .and_then(|outlet| (self.link.whose)(outlet.evse));
        if let Some(charge_point) = charge_point {
            said.push(("refChargePoint", Value::Relationship(charge_point), None));
        }
        let state = match part.phase {
            Phase::Ended => "Ended",
            _ => part.charging_state.as_deref().unwrap_or("Charging"),
        };
        said.push(("sessionState", text(state.to_owned()), None));
        if let Some(energy) = part.energy_milli_wh.filter(|energy| *energy >= 0) {
            said.push(("energy", kwh(energy), Some("KWH")));
        }
        match part.phase {
            Phase::Started => {
                said.push(("startedAt", text(part.at.to_string()), None));
                if let Some(register) = registers.first() {
                    said.push(("meterStart", kwh(register.milli_wh), Some("KWH")));
                }
            }
            Phase::Updated => {}
            Phase::Ended => {
                said.push(("endedAt", text(part.at.to_string()), None));
                if let Some(register) = registers.last() {
                    said.push(("meterStop", kwh(register.milli_wh), Some("KWH")));
                }
                if let Some(reason) = &part.stopped_reason {
                    said.push(("stopReason", text(reason.clone()), None));
                }
            }
        }
        match session_id(self.link.station, id) {
            Ok(entity) => self.add(entity, SESSION, part.at, said),
            Err(problem) => self.out.problems.push(problem),
        }
    }

    /// How an outlet stands by its transaction. Stations of 2.0.1 call it `Occupied` whenever a cable is in, and tell more here alone
    /// (`ChargingStateEnumType`); it is told in the words of 1.6, which say the same.
    fn stands(&mut self, evse: u32, part: &Transaction) {
        if self.link.version != Version::V201 {
            return;
        }
        let word = match (part.phase, part.charging_state.as_deref()) {
            // The cable is out: that the outlet is free may have been said already.
            (Phase::Ended, _) if part.stopped_reason.as_deref() == Some("EVDisconnected") => return,
            (Phase::Ended, _) => "Finishing",
            (_, None) => return,
            (_, Some("EVConnected" | "Idle")) => "Preparing",
            (_, Some(state)) => state,
        };
        self.charge_point(
            evse,
            part.at,
            vec![("status", Value::Text(word.to_owned()), None)],
        );
    }

    fn charge_point(&mut self, evse: u32, at: Timestamp, said: Vec<Said>) {
        if said.is_empty() {
            return;
        }
        match (self.link.whose)(evse) {
            Some(entity) => self.add(entity, CHARGE_POINT, at, said),
            None => {
                let outlet = match evse {
                    0 => String::new(),
                    evse => format!(", evse {evse},"),
                };
                let problem = error::unregistered(self.link.station, &outlet);
                if !self.out.problems.contains(&problem) {
                    self.out.problems.push(problem);
                }
            }
        }
    }

    fn add(&mut self, entity_id: EntityId, type_name: &str, at: Timestamp, said: Vec<Said>) {
        let entity_type = match TypeName::new(type_name) {
            Ok(entity_type) => entity_type,
            Err(problem) => return self.out.problems.push(problem),
        };
        // What a clock ahead of ours dates is kept as received: the future is nothing that was observed.
        let observed_at = match self.quality {
            Quality::Good => at,
            _ => at.min(self.received_at),
        };
        let mut attributes: Vec<AttributeUpdate> = Vec::with_capacity(said.len());
        for (name, value, unit) in said {
            let name = match AttributeName::new(name) {
                Ok(name) => name,
                Err(problem) => {
                    self.out.problems.push(problem);
                    continue;
                }
            };
            // The same measurand twice at one moment: the later one holds.
            attributes.retain(|known| known.name != name);
            attributes.push(AttributeUpdate {
                name,
                value,
                unit: unit.map(str::to_owned),
                observed_at,
                quality: self.quality,
            });
        }
        self.out.updates.push(Update {
            entity_id,
            entity_type,
            attributes,
        });
    }
}

/// What a sample says of an outlet; nothing when it is of one phase, of another place, or of no measurand that the city keeps.
fn reading(sample: &Sample) -> Option<Said> {
    let is_outlet = sample
        .location
        .as_deref()
        .is_none_or(|place| place == "Outlet");
    if sample.measurand == REGISTER {
        let milli_wh = sample.register_milli_wh()?;
        let kwh = milli_wh as f64 / MILLI_WH_PER_KWH;
        return Some(("energyRegister", Value::Number(kwh), Some("KWH")));
    }
    if sample.phase.is_some() {
        return None;
    }
    let value = sample.value?;
    let unit = sample.unit.as_deref();
    let number = |power: i32| {
        let moved = crate::meter::Decimal {
            exponent: value.exponent.saturating_add(power),
            ..value
        };
        Value::number(moved.to_f64()).ok()
    };
    // The standard's default units stand where a station writes none (1.6, 7.45; 2.0.1, part 2, appendix 3).
    Some(match (sample.measurand.as_str(), unit) {
        ("Power.Active.Import", None | Some("W")) if is_outlet => {
            ("power", number(-3)?, Some("KWT"))
        }
        ("Power.Active.Import", Some("kW")) if is_outlet => ("power", number(0)?, Some("KWT")),
        ("Current.Import", None | Some("A")) if is_outlet => ("current", number(0)?, Some("AMP")),
        ("Voltage", None | Some("V")) if is_outlet => ("voltage", number(0)?, Some("VLT")),
        ("SoC", None | Some("Percent")) => ("stateOfCharge", number(0)?, Some("P1")),
        // Celcius is what 1.6 first wrote, and later took too.
        ("Temperature", None | Some("Celsius" | "Celcius")) => {
            ("temperature", number(0)?, Some("CEL"))
        }
        _ => return None,
    })
}
