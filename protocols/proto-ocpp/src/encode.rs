//! Commands and answers → each version's words, and what stations answer to commands.

use crate::command::{
    Authorization, AuthorizationStatus, ChargingProfile, Command, ListEntry, LogKind, ProfileKind,
    Purpose, RateUnit, Trigger,
};
use crate::config::Version;
use crate::decode;
use crate::error;
use crate::message::{Detail, IdToken, Outlet, Reply, Variable};
use model::{Timestamp, Told};
use serde_json::{Map, Value, json};

/// Words by which a station says that it does what it was told.
const ACCEPTING: [&str; 4] = ["Accepted", "Scheduled", "RebootRequired", "Unlocked"];

/// The action and the payload of a command.
///
/// # Errors
/// `ocpp-command` for what the version has no words for.
pub fn command(version: Version, command: &Command) -> Result<(&'static str, Value), Told> {
    let (action, payload) = match version {
        Version::V16 => v16(command)?,
        Version::V201 => v201(command)?,
    };
    let payload = match (command, payload) {
        // The maker's data may hold `null`; only what is not said is left out.
        (Command::Data { .. }, Value::Object(mut fields)) => {
            fields.retain(|_, value| !value.is_null());
            Value::Object(fields)
        }
        (_, payload) => without_nulls(payload),
    };
    Ok((action, payload))
}

fn cannot(en: &str, zh: &str) -> Told {
    error::command(en, zh, "command")
}

fn only_201(what: &str) -> Told {
    cannot(
        &format!("OCPP 1.6 has no words for {what}"),
        &format!("OCPP 1.6没有此命令或参数：{what}"),
    )
}

fn v16(command: &Command) -> Result<(&'static str, Value), Told> {
    let connector = |outlet: &Option<Outlet>| outlet.map(|outlet| outlet.evse);
    Ok(match command {
        Command::Start {
            outlet,
            id_token,
            profile,
            ..
        } => {
            let profile = profile.as_ref().map(profile_16).transpose()?;
            (
                "RemoteStartTransaction",
                json!({
                    "connectorId": connector(outlet), "idTag": id_token.token, "chargingProfile": profile,
                }),
            )
        }
        Command::Stop { transaction } => (
            "RemoteStopTransaction",
            json!({ "transactionId": number(transaction)? }),
        ),
        Command::Reserve {
            id,
            outlet,
            expires_at,
            id_token,
            group,
        } => (
            "ReserveNow",
            json!({
                "connectorId": connector(outlet).unwrap_or(0), "expiryDate": time(*expires_at),
                "idTag": id_token.token, "parentIdTag": group.as_ref().map(|group| &group.token), "reservationId": id,
            }),
        ),
        Command::CancelReservation { id } => ("CancelReservation", json!({ "reservationId": id })),
        Command::SetProfile { evse, profile } => (
            "SetChargingProfile",
            json!({
                "connectorId": evse, "csChargingProfiles": profile_16(profile)?,
            }),
        ),
        Command::ClearProfile {
            id,
            evse,
            purpose,
            stack_level,
        } => (
            "ClearChargingProfile",
            json!({
                "id": id, "connectorId": evse, "stackLevel": stack_level,
                "chargingProfilePurpose": purpose.map(|purpose| purpose_word(purpose, Version::V16)),
            }),
        ),
        Command::CompositeSchedule {
            evse,
            duration_seconds,
            unit,
        } => (
            "GetCompositeSchedule",
            json!({
                "connectorId": evse, "duration": duration_seconds, "chargingRateUnit": unit.map(unit_word),
            }),
        ),
        Command::UpdateFirmware {
            location,
            retrieve_at,
            retries,
            install_at: None,
            signed: None,
            ..
        } => (
            "UpdateFirmware",
            json!({
                "location": location, "retries": retries, "retrieveDate": time(*retrieve_at),
            }),
        ),
        Command::UpdateFirmware { .. } => {
            return Err(only_201("firmware that is signed or installed later"));
        }
        Command::GetLog {
            kind: LogKind::Diagnostics,
            location,
            from,
            to,
            ..
        } => (
            "GetDiagnostics",
            json!({
                "location": location, "startTime": from.map(time), "stopTime": to.map(time),
            }),
        ),
        Command::GetLog {
            request,
            kind: LogKind::Security,
            location,
            from,
            to,
        } => ("GetLog", log(*request, "SecurityLog", location, *from, *to)),
        Command::Trigger { message, outlet } => (
            "TriggerMessage",
            json!({
                "requestedMessage": trigger_word(*message, Version::V16)?, "connectorId": connector(outlet),
            }),
        ),
        Command::Availability {
            outlet,
            is_operative,
        } => (
            "ChangeAvailability",
            json!({
                "connectorId": connector(outlet).unwrap_or(0), "type": operative_word(*is_operative),
            }),
        ),
        Command::Unlock { outlet } => ("UnlockConnector", json!({ "connectorId": outlet.evse })),
        Command::Reset { evse: Some(_), .. } => return Err(only_201("the reset of one evse")),
        Command::Reset { is_immediate, .. } => (
            "Reset",
            json!({ "type": if *is_immediate { "Hard" } else { "Soft" } }),
        ),
        Command::GetVariables { variables } if variables.is_empty() => {
            ("GetConfiguration", json!({}))
        }
        Command::GetVariables { variables } => {
            let keys: Vec<_> = variables.iter().map(|variable| &variable.name).collect();
            ("GetConfiguration", json!({ "key": keys }))
        }
        Command::Report { .. } => ("GetConfiguration", json!({})),
        Command::SetVariables { variables } => {
            let [variable] = variables.as_slice() else {
                return Err(only_201("several keys at once"));
            };
            (
                "ChangeConfiguration",
                json!({ "key": variable.name, "value": variable.value }),
            )
        }
        Command::TransactionStatus { .. } => return Err(only_201("GetTransactionStatus")),
        Command::Data {
            vendor,
            message,
            data,
        } => (
            "DataTransfer",
            json!({ "vendorId": vendor, "messageId": message, "data": data }),
        ),
        Command::GetListVersion => ("GetLocalListVersion", json!({})),
        Command::SendList {
            version,
            is_full,
            entries,
        } => {
            let entry = |entry: &ListEntry| {
                json!({
                    "idTag": entry.id_token.token,
                    "idTagInfo": entry.authorization.as_ref().map(|it| authorization(Version::V16, it)),
                })
            };
            (
                "SendLocalList",
                json!({
                    "listVersion": version, "updateType": update_word(*is_full),
                    "localAuthorizationList": entries.iter().map(entry).collect::<Vec<_>>(),
                }),
            )
        }
        Command::ClearCache => ("ClearCache", json!({})),
        Command::CertificateSigned { chain, .. } => {
            ("CertificateSigned", json!({ "certificateChain": chain }))
        }
    })
}

fn v201(command: &Command) -> Result<(&'static str, Value), Told> {
    Ok(match command {
        Command::Start {
            outlet,
            id_token,
            remote_start,
            profile,
        } => (
            "RequestStartTransaction",
            json!({
                "evseId": outlet.map(|outlet| outlet.evse), "idToken": token_201(id_token),
                "remoteStartId": remote_start, "chargingProfile": profile.as_ref().map(profile_201),
            }),
        ),
        Command::Stop { transaction } => (
            "RequestStopTransaction",
            json!({ "transactionId": transaction }),
        ),
        Command::Reserve {
            id,
            outlet,
            expires_at,
            id_token,
            group,
        } => (
            "ReserveNow",
            json!({
                "id": id, "expiryDateTime": time(*expires_at), "idToken": token_201(id_token),
                "evseId": outlet.map(|outlet| outlet.evse).filter(|evse| *evse > 0),
                "groupIdToken": group.as_ref().map(token_201),
            }),
        ),
        Command::CancelReservation { id } => ("CancelReservation", json!({ "reservationId": id })),
        Command::SetProfile { evse, profile } => (
            "SetChargingProfile",
            json!({
                "evseId": evse, "chargingProfile": profile_201(profile),
            }),
        ),
        Command::ClearProfile {
            id,
            evse,
            purpose,
            stack_level,
        } => {
            let has_criteria = evse.is_some() || purpose.is_some() || stack_level.is_some();
            let criteria = has_criteria.then(|| json!({
                "evseId": evse, "stackLevel": stack_level,
                "chargingProfilePurpose": purpose.map(|purpose| purpose_word(purpose, Version::V201)),
            }));
            (
                "ClearChargingProfile",
                json!({ "chargingProfileId": id, "chargingProfileCriteria": criteria }),
            )
        }
        Command::CompositeSchedule {
            evse,
            duration_seconds,
            unit,
        } => (
            "GetCompositeSchedule",
            json!({
                "evseId": evse, "duration": duration_seconds, "chargingRateUnit": unit.map(unit_word),
            }),
        ),
        Command::UpdateFirmware {
            request,
            location,
            retrieve_at,
            install_at,
            retries,
            signed,
        } => (
            "UpdateFirmware",
            json!({
                "requestId": request, "retries": retries,
                "firmware": {
                    "location": location, "retrieveDateTime": time(*retrieve_at), "installDateTime": install_at.map(time),
                    "signingCertificate": signed.as_ref().map(|(certificate, _)| certificate),
                    "signature": signed.as_ref().map(|(_, signature)| signature),
                },
            }),
        ),
        Command::GetLog {
            request,
            kind,
            location,
            from,
            to,
        } => {
            let kind = match kind {
                LogKind::Diagnostics => "DiagnosticsLog",
                LogKind::Security => "SecurityLog",
            };
            ("GetLog", log(*request, kind, location, *from, *to))
        }
        Command::Trigger { message, outlet } => (
            "TriggerMessage",
            json!({
                "requestedMessage": trigger_word(*message, Version::V201)?, "evse": outlet.map(evse_201),
            }),
        ),
        Command::Availability {
            outlet,
            is_operative,
        } => (
            "ChangeAvailability",
            json!({
                "operationalStatus": operative_word(*is_operative),
                "evse": outlet.filter(|outlet| outlet.evse > 0).map(evse_201),
            }),
        ),
        Command::Unlock { outlet } => (
            "UnlockConnector",
            json!({
                "evseId": outlet.evse, "connectorId": outlet.connector.unwrap_or(1),
            }),
        ),
        Command::Reset { is_immediate, evse } => (
            "Reset",
            json!({
                "type": if *is_immediate { "Immediate" } else { "OnIdle" }, "evseId": evse,
            }),
        ),
        Command::GetVariables { variables } => {
            let data: Vec<_> = variables.iter().map(variable_201).collect();
            ("GetVariables", json!({ "getVariableData": data }))
        }
        Command::SetVariables { variables } => {
            let data = variables.iter().map(|variable| {
                let mut data = variable_201(variable);
                data["attributeValue"] = json!(variable.value);
                data
            });
            (
                "SetVariables",
                json!({ "setVariableData": data.collect::<Vec<_>>() }),
            )
        }
        Command::Report {
            request,
            only_configuration,
        } => {
            let base = match only_configuration {
                true => "ConfigurationInventory",
                false => "FullInventory",
            };
            (
                "GetBaseReport",
                json!({ "requestId": request, "reportBase": base }),
            )
        }
        Command::TransactionStatus { transaction } => (
            "GetTransactionStatus",
            json!({ "transactionId": transaction }),
        ),
        Command::Data {
            vendor,
            message,
            data,
        } => (
            "DataTransfer",
            json!({ "vendorId": vendor, "messageId": message, "data": data }),
        ),
        Command::GetListVersion => ("GetLocalListVersion", json!({})),
        Command::SendList {
            version,
            is_full,
            entries,
        } => {
            let entry = |entry: &ListEntry| {
                json!({
                    "idToken": token_201(&entry.id_token),
                    "idTokenInfo": entry.authorization.as_ref().map(|it| authorization(Version::V201, it)),
                })
            };
            let list = (!entries.is_empty()).then(|| entries.iter().map(entry).collect::<Vec<_>>());
            (
                "SendLocalList",
                json!({
                    "versionNumber": version, "updateType": update_word(*is_full), "localAuthorizationList": list,
                }),
            )
        }
        Command::ClearCache => ("ClearCache", json!({})),
        Command::CertificateSigned { chain, kind } => (
            "CertificateSigned",
            json!({
                "certificateChain": chain, "certificateType": kind,
            }),
        ),
    })
}

/// A moment as both versions write it.
pub fn time(at: Timestamp) -> String {
    at.to_string()
}

/// What is said of a token (`idTagInfo`, `idTokenInfo`).
pub fn authorization(version: Version, it: &Authorization) -> Value {
    let value = match version {
        Version::V16 => json!({
            "status": status_word(it.status, version), "expiryDate": it.expires_at.map(time),
            "parentIdTag": it.group.as_ref().map(|group| &group.token),
        }),
        Version::V201 => json!({
            "status": status_word(it.status, version), "cacheExpiryDateTime": it.expires_at.map(time),
            "groupIdToken": it.group.as_ref().map(token_201),
        }),
    };
    without_nulls(value)
}

const fn status_word(status: AuthorizationStatus, version: Version) -> &'static str {
    match (status, version) {
        (AuthorizationStatus::Accepted, _) => "Accepted",
        (AuthorizationStatus::Blocked, _) | (AuthorizationStatus::NoCredit, Version::V16) => {
            "Blocked"
        }
        (AuthorizationStatus::Expired, _) => "Expired",
        (AuthorizationStatus::ConcurrentTx, _) => "ConcurrentTx",
        (AuthorizationStatus::NoCredit, Version::V201) => "NoCredit",
        (AuthorizationStatus::NotAllowedHere | AuthorizationStatus::Unknown, Version::V16) => {
            "Invalid"
        }
        (AuthorizationStatus::NotAllowedHere, Version::V201) => "NotAtThisLocation",
        (AuthorizationStatus::Unknown, Version::V201) => "Unknown",
    }
}

/// What a station's answer to a command says.
pub fn reply(action: &str, payload: &Value) -> Reply {
    let text = |name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned);
    let status = text("status");
    let mut is_accepted = status
        .as_deref()
        .is_none_or(|status| ACCEPTING.contains(&status));
    let detail = match action {
        "GetConfiguration" => Detail::Variables(decode::keys(payload)),
        "GetVariables" => Detail::Variables(decode::of_answer(payload)),
        "SetVariables" => {
            let variables = decode::of_setting(payload);
            is_accepted = variables
                .iter()
                .all(|it| ACCEPTING.contains(&it.status.as_str()));
            Detail::Variables(variables)
        }
        "GetCompositeSchedule" => {
            let schedule = payload
                .get("schedule")
                .or_else(|| payload.get("chargingSchedule"));
            schedule.map_or(Detail::None, |schedule| Detail::Schedule(schedule.clone()))
        }
        "GetLocalListVersion" => {
            decode::list_version(payload).map_or(Detail::None, Detail::ListVersion)
        }
        "DataTransfer" => payload
            .get("data")
            .map_or(Detail::None, |data| Detail::Data(data.clone())),
        "GetDiagnostics" => text("fileName").map_or(Detail::None, Detail::File),
        "GetLog" => text("filename").map_or(Detail::None, Detail::File),
        "GetTransactionStatus" => Detail::Transaction {
            is_ongoing: payload.get("ongoingIndicator").and_then(Value::as_bool),
            are_messages_queued: payload
                .get("messagesInQueue")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        },
        _ => Detail::None,
    };
    Reply {
        is_accepted,
        status,
        detail,
    }
}

/// The messages that a command makes a station send although it is not accepted yet (1.6, 4.2; 2.0.1, B02.FR.02).
pub const fn triggered(command: &Command) -> Option<&'static str> {
    match command {
        Command::Trigger { message, .. } => Some(match message {
            Trigger::Boot => "BootNotification",
            Trigger::Log => "LogStatusNotification",
            Trigger::Firmware => "FirmwareStatusNotification",
            Trigger::Heartbeat => "Heartbeat",
            Trigger::MeterValues => "MeterValues",
            Trigger::Status => "StatusNotification",
            Trigger::Transaction => "TransactionEvent",
            Trigger::Certificate => "SignCertificate",
        }),
        Command::Report { .. } => Some("NotifyReport"),
        _ => None,
    }
}

fn trigger_word(message: Trigger, version: Version) -> Result<&'static str, Told> {
    Ok(match (message, version) {
        (Trigger::Boot, _) => "BootNotification",
        (Trigger::Log, Version::V16) => "DiagnosticsStatusNotification",
        (Trigger::Log, Version::V201) => "LogStatusNotification",
        (Trigger::Firmware, _) => "FirmwareStatusNotification",
        (Trigger::Heartbeat, _) => "Heartbeat",
        (Trigger::MeterValues, _) => "MeterValues",
        (Trigger::Status, _) => "StatusNotification",
        (Trigger::Transaction | Trigger::Certificate, Version::V16) => {
            return Err(only_201("this trigger"));
        }
        (Trigger::Transaction, Version::V201) => "TransactionEvent",
        (Trigger::Certificate, Version::V201) => "SignChargingStationCertificate",
    })
}

const fn operative_word(is_operative: bool) -> &'static str {
    if is_operative {
        "Operative"
    } else {
        "Inoperative"
    }
}

const fn update_word(is_full: bool) -> &'static str {
    if is_full { "Full" } else { "Differential" }
}

const fn unit_word(unit: RateUnit) -> &'static str {
    match unit {
        RateUnit::Watts => "W",
        RateUnit::Amperes => "A",
    }
}

const fn purpose_word(purpose: Purpose, version: Version) -> &'static str {
    match (purpose, version) {
        (Purpose::StationMax, Version::V16) => "ChargePointMaxProfile",
        (Purpose::StationMax, Version::V201) => "ChargingStationMaxProfile",
        (Purpose::TransactionDefault, _) => "TxDefaultProfile",
        (Purpose::Transaction, _) => "TxProfile",
    }
}

const fn kind_words(kind: ProfileKind) -> (&'static str, Option<&'static str>) {
    match kind {
        ProfileKind::Absolute => ("Absolute", None),
        ProfileKind::Daily => ("Recurring", Some("Daily")),
        ProfileKind::Weekly => ("Recurring", Some("Weekly")),
        ProfileKind::Relative => ("Relative", None),
    }
}

fn periods(profile: &ChargingProfile) -> Vec<Value> {
    /// Tenths in one.
    const TENTHS: f64 = 10.0;
    let period = |period: &crate::command::Period| {
        json!({
            "startPeriod": period.start_seconds, "limit": period.limit_tenths as f64 / TENTHS,
            "numberPhases": period.phases,
        })
    };
    profile.periods.iter().map(period).collect()
}

fn profile_16(profile: &ChargingProfile) -> Result<Value, Told> {
    let (kind, recurs) = kind_words(profile.kind);
    let transaction = profile.transaction.as_deref().map(number).transpose()?;
    Ok(json!({
        "chargingProfileId": profile.id, "transactionId": transaction, "stackLevel": profile.stack_level,
        "chargingProfilePurpose": purpose_word(profile.purpose, Version::V16),
        "chargingProfileKind": kind, "recurrencyKind": recurs,
        "validFrom": profile.valid_from.map(time), "validTo": profile.valid_to.map(time),
        "chargingSchedule": {
            "duration": profile.duration_seconds, "startSchedule": profile.starts_at.map(time),
            "chargingRateUnit": unit_word(profile.unit), "chargingSchedulePeriod": periods(profile),
        },
    }))
}

fn profile_201(profile: &ChargingProfile) -> Value {
    let (kind, recurs) = kind_words(profile.kind);
    json!({
        "id": profile.id, "transactionId": profile.transaction, "stackLevel": profile.stack_level,
        "chargingProfilePurpose": purpose_word(profile.purpose, Version::V201),
        "chargingProfileKind": kind, "recurrencyKind": recurs,
        "validFrom": profile.valid_from.map(time), "validTo": profile.valid_to.map(time),
        "chargingSchedule": [{
            "id": profile.id, "duration": profile.duration_seconds, "startSchedule": profile.starts_at.map(time),
            "chargingRateUnit": unit_word(profile.unit), "chargingSchedulePeriod": periods(profile),
        }],
    })
}

/// The number of a transaction of 1.6.
fn number(transaction: &str) -> Result<i64, Told> {
    transaction.parse().map_err(|_| {
        cannot(
            "a transaction of OCPP 1.6 is named by an integer",
            "OCPP 1.6的交易编号须为整数",
        )
    })
}

fn token_201(it: &IdToken) -> Value {
    // A token without a kind is one that the centre gave out (2.0.1, IdTokenEnumType).
    let kind = match it.kind.as_str() {
        "" => "Central",
        kind => kind,
    };
    json!({ "idToken": it.token, "type": kind })
}

fn evse_201(outlet: Outlet) -> Value {
    json!({ "id": outlet.evse, "connectorId": outlet.connector })
}

/// `Name/instance` → name and instance.
fn named(text: &str) -> Value {
    match text.split_once('/') {
        Some((name, instance)) => json!({ "name": name, "instance": instance }),
        None => json!({ "name": text }),
    }
}

fn variable_201(variable: &Variable) -> Value {
    let (component, evse) = match variable.component.split_once('@') {
        Some((component, evse)) => (component, Some(evse)),
        None => (variable.component.as_str(), None),
    };
    let mut component = named(component);
    if let Some(evse) = evse {
        let (evse, connector) = match evse.split_once('.') {
            Some((evse, connector)) => (evse, connector.parse::<i64>().ok()),
            None => (evse, None),
        };
        component["evse"] = json!({ "id": evse.parse::<i64>().ok(), "connectorId": connector });
    }
    let attribute = Some(&variable.attribute).filter(|attribute| !attribute.is_empty());
    json!({ "component": component, "variable": named(&variable.name), "attributeType": attribute })
}

fn log(
    request: i64,
    kind: &str,
    location: &str,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Value {
    json!({
        "requestId": request, "logType": kind,
        "log": {
            "remoteLocation": location, "oldestTimestamp": from.map(time), "latestTimestamp": to.map(time),
        },
    })
}

/// Takes out what is not said: the standard knows no `null`.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                kept.map(|(name, value)| (name, without_nulls(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
