//! OCPP 1.6J (section 4 and the security extension).

use super::{Fields, out_of_range};
use crate::message::{Boot, Doubt, IdToken, Outlet, Phase, StartKey, Status, Transaction, What};
use crate::meter::{self, MeterValue, Register};
use crate::schema::{self, Violation};
use serde_json::Value;

/// Thousandths of a watt-hour in a watt-hour.
const MILLI: i64 = 1_000;

pub fn what(action: &str, fields: &mut Fields<'_>) -> Result<What, Violation> {
    Ok(match action {
        "BootNotification" => What::Boot(boot(fields)),
        "Heartbeat" => What::Heartbeat,
        "StatusNotification" => What::Status(status(fields)?),
        "Authorize" => What::Authorize(IdToken::tag(fields.word("idTag"))),
        "StartTransaction" => What::Transaction(Box::new(start(fields)?)),
        "StopTransaction" => What::Transaction(Box::new(stop(fields)?)),
        "MeterValues" => readings(fields)?,
        "DataTransfer" => What::Data {
            vendor: fields.word("vendorId"),
            message: fields.text("messageId"),
            data: fields.payload.get("data").cloned(),
        },
        "FirmwareStatusNotification" | "SignedFirmwareStatusNotification" => What::Firmware {
            status: fields.word("status"),
            request: fields.whole("requestId"),
        },
        "DiagnosticsStatusNotification" | "LogStatusNotification" => What::Log {
            status: fields.word("status"),
            request: fields.whole("requestId"),
        },
        "SecurityEventNotification" => What::Security {
            kind: fields.word("type"),
            at: fields.moment("timestamp"),
            info: fields.text("techInfo"),
        },
        "SignCertificate" => What::Sign {
            csr: fields.word("csr"),
            kind: None,
        },
        other => What::Other {
            action: other.to_owned(),
            payload: fields.payload.clone(),
        },
    })
}

fn boot(fields: &Fields<'_>) -> Boot {
    Boot {
        vendor: fields.word("chargePointVendor"),
        model: fields.word("chargePointModel"),
        // 1.6, 6.9: chargeBoxSerialNumber is deprecated, and still sent.
        serial_number: fields
            .text("chargePointSerialNumber")
            .or_else(|| fields.text("chargeBoxSerialNumber")),
        firmware_version: fields.text("firmwareVersion"),
        iccid: fields.text("iccid"),
        imsi: fields.text("imsi"),
        meter_serial_number: fields.text("meterSerialNumber"),
        reason: None,
    }
}

/// The outlet of a connector's number. A connector of 1.6 has no part, so that one start is known again whatever names it.
fn outlet(fields: &Fields<'_>) -> Result<Outlet, Violation> {
    let evse = fields
        .place(fields.payload, "connectorId")?
        .ok_or_else(|| out_of_range("connectorId"))?;
    Ok(Outlet {
        evse,
        connector: None,
    })
}

fn status(fields: &mut Fields<'_>) -> Result<Status, Violation> {
    Ok(Status {
        outlet: outlet(fields)?,
        status: fields.word("status"),
        error_code: fields.text("errorCode"),
        vendor_error_code: fields.text("vendorErrorCode"),
        info: fields.text("info"),
        at: fields.moment("timestamp"),
    })
}

/// A register in watt-hours (`meterStart`, `meterStop`).
fn register_wh(fields: &Fields<'_>, name: &str) -> Result<i64, Violation> {
    fields.whole(name).ok_or_else(|| out_of_range(name))
}

fn milli(wh: i64, name: &str) -> Result<i64, Violation> {
    wh.checked_mul(MILLI).ok_or_else(|| out_of_range(name))
}

fn start(fields: &mut Fields<'_>) -> Result<Transaction, Violation> {
    let outlet = outlet(fields)?;
    let at = fields.moment("timestamp");
    let meter_start_wh = register_wh(fields, "meterStart")?;
    let milli_wh = milli(meter_start_wh, "meterStart")?;
    let id_tag = fields.word("idTag");
    Ok(Transaction {
        phase: Phase::Started,
        id: None,
        start_key: Some(StartKey {
            connector: outlet.evse,
            id_tag: id_tag.clone(),
            at,
            meter_start_wh,
        }),
        at,
        outlet: Some(outlet),
        id_token: Some(IdToken::tag(id_tag)),
        sequence: None,
        is_offline: fields.is_old(at),
        trigger: None,
        charging_state: None,
        stopped_reason: None,
        reservation: fields.whole("reservationId"),
        remote_start: None,
        register: Some(Register { at, milli_wh }),
        energy_milli_wh: None,
        meter_values: Vec::new(),
    })
}

fn stop(fields: &mut Fields<'_>) -> Result<Transaction, Violation> {
    let at = fields.moment("timestamp");
    let milli_wh = milli(register_wh(fields, "meterStop")?, "meterStop")?;
    let meter_values = samples(fields, "transactionData");
    Ok(Transaction {
        phase: Phase::Ended,
        id: Some(id(fields)?),
        start_key: None,
        at,
        outlet: None,
        id_token: fields.text("idTag").map(IdToken::tag),
        sequence: None,
        is_offline: fields.is_old(at),
        trigger: None,
        charging_state: None,
        // 1.6, 6.49: the reason may be left out when it is Local.
        stopped_reason: Some(fields.text("reason").unwrap_or_else(|| "Local".to_owned())),
        reservation: None,
        remote_start: None,
        register: Some(Register { at, milli_wh }),
        energy_milli_wh: None,
        meter_values,
    })
}

fn readings(fields: &mut Fields<'_>) -> Result<What, Violation> {
    let outlet = outlet(fields)?;
    let values = samples(fields, "meterValue");
    if fields.whole("transactionId").is_none() {
        return Ok(What::Meter { outlet, values });
    }
    let register = meter::registers(&values).last().copied();
    let newest = values.iter().map(|value| value.at).max();
    let at = newest.unwrap_or(fields.received_at);
    Ok(What::Transaction(Box::new(Transaction {
        phase: Phase::Updated,
        id: Some(id(fields)?),
        start_key: None,
        at,
        outlet: Some(outlet),
        id_token: None,
        sequence: None,
        is_offline: fields.is_old(at),
        trigger: None,
        charging_state: None,
        stopped_reason: None,
        reservation: None,
        remote_start: None,
        register,
        energy_milli_wh: None,
        meter_values: values,
    })))
}

fn id(fields: &Fields<'_>) -> Result<String, Violation> {
    fields
        .whole("transactionId")
        .map(|id| id.to_string())
        .ok_or_else(|| out_of_range("transactionId"))
}

fn samples(fields: &mut Fields<'_>, name: &str) -> Vec<MeterValue> {
    let values = meter::values_16(fields.payload.get(name));
    if values
        .iter()
        .flat_map(|v| &v.samples)
        .any(meter::Sample::is_unreadable)
    {
        fields.doubts.push(Doubt::Unreadable);
    }
    values
}

/// The configuration keys of an answer (`GetConfiguration`).
pub fn keys(payload: &Value) -> Vec<crate::message::Variable> {
    use super::{flag, items, text};
    let known = items(payload, "configurationKey").iter().map(|key| {
        let is_readonly = flag(key, "readonly");
        crate::message::Variable {
            component: String::new(),
            name: text(key, "key").unwrap_or_default(),
            attribute: String::new(),
            value: text(key, "value"),
            status: if is_readonly { "ReadOnly" } else { "ReadWrite" }.to_owned(),
        }
    });
    let unknown = items(payload, "unknownKey")
        .iter()
        .map(|key| crate::message::Variable {
            component: String::new(),
            name: key.as_str().unwrap_or_default().to_owned(),
            attribute: String::new(),
            value: None,
            status: "UnknownVariable".to_owned(),
        });
    known.chain(unknown).collect()
}

/// The version of a local list, of an answer (`GetLocalListVersion`).
pub fn list_version(payload: &Value) -> Option<i64> {
    let version = payload
        .get("listVersion")
        .or_else(|| payload.get("versionNumber"));
    version.and_then(schema::whole)
}
