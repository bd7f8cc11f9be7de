//! OCPP 2.0.1 (part 2, section 1 of the appendix of messages).

use super::{Fields, flag, items, out_of_range, text};
use crate::message::{
    Boot, Doubt, IdToken, Occurrence, Outlet, Phase, Status, Transaction, Variable, What,
};
use crate::meter::{self, MeterValue};
use crate::schema::{self, Violation};
use crate::time;
use serde_json::Value;

pub fn what(action: &str, fields: &mut Fields<'_>) -> Result<What, Violation> {
    Ok(match action {
        "BootNotification" => What::Boot(boot(fields)),
        "Heartbeat" => What::Heartbeat,
        "StatusNotification" => What::Status(Status {
            outlet: Outlet {
                evse: fields
                    .place(fields.payload, "evseId")?
                    .ok_or_else(|| out_of_range("evseId"))?,
                connector: fields.place(fields.payload, "connectorId")?,
            },
            status: fields.word("connectorStatus"),
            error_code: None,
            vendor_error_code: None,
            info: None,
            at: fields.moment("timestamp"),
        }),
        "Authorize" => What::Authorize(
            token(fields.payload.get("idToken")).unwrap_or_else(|| IdToken::tag("")),
        ),
        "TransactionEvent" => What::Transaction(Box::new(event(fields)?)),
        "MeterValues" => What::Meter {
            outlet: Outlet {
                evse: fields
                    .place(fields.payload, "evseId")?
                    .ok_or_else(|| out_of_range("evseId"))?,
                connector: None,
            },
            values: samples(fields),
        },
        "DataTransfer" => What::Data {
            vendor: fields.word("vendorId"),
            message: fields.text("messageId"),
            data: fields.payload.get("data").cloned(),
        },
        "FirmwareStatusNotification" => What::Firmware {
            status: fields.word("status"),
            request: fields.whole("requestId"),
        },
        "LogStatusNotification" => What::Log {
            status: fields.word("status"),
            request: fields.whole("requestId"),
        },
        "SecurityEventNotification" => What::Security {
            kind: fields.word("type"),
            at: fields.moment("timestamp"),
            info: fields.text("techInfo"),
        },
        "NotifyReport" => What::Report {
            request: number(fields, "requestId")?,
            sequence: number(fields, "seqNo")?,
            more_follow: fields.flag("tbc"),
            variables: reported(fields.payload),
        },
        "NotifyEvent" => What::Occurrences {
            sequence: number(fields, "seqNo")?,
            more_follow: fields.flag("tbc"),
            found: occurrences(fields),
        },
        "SignCertificate" => What::Sign {
            csr: fields.word("csr"),
            kind: fields.text("certificateType"),
        },
        "ReservationStatusUpdate" => What::Reservation {
            id: number(fields, "reservationId")?,
            status: fields.word("reservationUpdateStatus"),
        },
        other => What::Other {
            action: other.to_owned(),
            payload: fields.payload.clone(),
        },
    })
}

fn number(fields: &Fields<'_>, name: &str) -> Result<i64, Violation> {
    fields.whole(name).ok_or_else(|| out_of_range(name))
}

fn boot(fields: &Fields<'_>) -> Boot {
    let none = Value::Null;
    let station = fields.payload.get("chargingStation").unwrap_or(&none);
    let modem = station.get("modem").unwrap_or(&none);
    Boot {
        vendor: text(station, "vendorName").unwrap_or_default(),
        model: text(station, "model").unwrap_or_default(),
        serial_number: text(station, "serialNumber"),
        firmware_version: text(station, "firmwareVersion"),
        iccid: text(modem, "iccid"),
        imsi: text(modem, "imsi"),
        meter_serial_number: None,
        reason: fields.text("reason"),
    }
}

fn token(value: Option<&Value>) -> Option<IdToken> {
    let value = value?;
    Some(IdToken {
        token: text(value, "idToken")?,
        kind: text(value, "type").unwrap_or_default(),
    })
}

fn samples(fields: &mut Fields<'_>) -> Vec<MeterValue> {
    let values = meter::values_201(fields.payload.get("meterValue"));
    if values
        .iter()
        .flat_map(|v| &v.samples)
        .any(meter::Sample::is_unreadable)
    {
        fields.doubts.push(Doubt::Unreadable);
    }
    values
}

fn event(fields: &mut Fields<'_>) -> Result<Transaction, Violation> {
    // A word that decides: whatever was let pass, this one must be known.
    let phase = match fields.word("eventType").as_str() {
        "Started" => Phase::Started,
        "Updated" => Phase::Updated,
        "Ended" => Phase::Ended,
        _ => return Err(out_of_range("eventType")),
    };
    let none = Value::Null;
    let info = fields.payload.get("transactionInfo").unwrap_or(&none);
    let outlet = match fields.payload.get("evse").filter(|evse| !evse.is_null()) {
        Some(evse) => Some(Outlet {
            evse: fields
                .place(evse, "id")?
                .ok_or_else(|| out_of_range("evse.id"))?,
            connector: fields.place(evse, "connectorId")?,
        }),
        None => None,
    };
    let at = fields.moment("timestamp");
    let meter_values = samples(fields);
    let stopped_reason = match phase {
        // 2.0.1, part 2, TransactionType: the reason may be left out when it is Local.
        Phase::Ended => Some(text(info, "stoppedReason").unwrap_or_else(|| "Local".to_owned())),
        _ => text(info, "stoppedReason"),
    };
    Ok(Transaction {
        phase,
        id: Some(
            text(info, "transactionId")
                .filter(|id| !id.is_empty())
                .ok_or_else(|| out_of_range("transactionInfo.transactionId"))?,
        ),
        start_key: None,
        at,
        outlet,
        id_token: token(fields.payload.get("idToken")),
        sequence: fields.whole("seqNo"),
        is_offline: fields.flag("offline"),
        trigger: fields.text("triggerReason"),
        charging_state: text(info, "chargingState"),
        stopped_reason,
        reservation: fields.whole("reservationId"),
        remote_start: info.get("remoteStartId").and_then(schema::whole),
        register: meter::registers(&meter_values).last().copied(),
        energy_milli_wh: None,
        meter_values,
    })
}

/// `Name/instance`.
fn named(value: &Value) -> String {
    let name = text(value, "name").unwrap_or_default();
    match text(value, "instance") {
        Some(instance) => format!("{name}/{instance}"),
        None => name,
    }
}

/// `Name/instance@evse`, or `Name/instance@evse.connector`.
fn component(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return String::new();
    };
    let name = named(value);
    let Some(evse) = value.get("evse") else {
        return name;
    };
    let number = |name: &str| evse.get(name).and_then(schema::whole);
    match (number("id"), number("connectorId")) {
        (Some(evse), Some(connector)) => format!("{name}@{evse}.{connector}"),
        (Some(evse), None) => format!("{name}@{evse}"),
        (None, _) => name,
    }
}

fn variable(
    value: &Value,
    attribute: Option<String>,
    content: Option<String>,
    status: String,
) -> Variable {
    Variable {
        component: component(value.get("component")),
        name: value.get("variable").map(named).unwrap_or_default(),
        attribute: attribute.unwrap_or_default(),
        value: content,
        status,
    }
}

fn reported(payload: &Value) -> Vec<Variable> {
    let of_data = |data: &Value| -> Vec<Variable> {
        let of_attribute = |attribute: &Value| {
            variable(
                data,
                text(attribute, "type"),
                text(attribute, "value"),
                text(attribute, "mutability").unwrap_or_else(|| "ReadWrite".to_owned()),
            )
        };
        items(data, "variableAttribute")
            .iter()
            .map(of_attribute)
            .collect()
    };
    items(payload, "reportData")
        .iter()
        .flat_map(of_data)
        .collect()
}

fn occurrences(fields: &Fields<'_>) -> Vec<Occurrence> {
    let of_data = |data: &Value| Occurrence {
        id: data
            .get("eventId")
            .and_then(schema::whole)
            .unwrap_or_default(),
        at: data
            .get("timestamp")
            .and_then(Value::as_str)
            .and_then(|text| time::parse(text, "timestamp").ok())
            .map_or(fields.received_at, |(at, _)| at),
        trigger: text(data, "trigger").unwrap_or_default(),
        variable: variable(data, None, text(data, "actualValue"), String::new()),
        is_cleared: flag(data, "cleared"),
        tech_code: text(data, "techCode"),
        tech_info: text(data, "techInfo"),
    };
    items(fields.payload, "eventData")
        .iter()
        .map(of_data)
        .collect()
}

/// The variables of an answer to `GetVariables`.
pub fn of_answer(payload: &Value) -> Vec<Variable> {
    let of_result = |result: &Value| {
        variable(
            result,
            text(result, "attributeType"),
            text(result, "attributeValue"),
            text(result, "attributeStatus").unwrap_or_default(),
        )
    };
    items(payload, "getVariableResult")
        .iter()
        .map(of_result)
        .collect()
}

/// The variables of an answer to `SetVariables`.
pub fn of_setting(payload: &Value) -> Vec<Variable> {
    let of_result = |result: &Value| {
        variable(
            result,
            text(result, "attributeType"),
            None,
            text(result, "attributeStatus").unwrap_or_default(),
        )
    };
    items(payload, "setVariableResult")
        .iter()
        .map(of_result)
        .collect()
}
