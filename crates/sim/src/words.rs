//! What a charge point says, in the words of OCPP 1.6 and 2.0.1: the bodies of its messages, and what it reads in orders. Written from the
//! standards and not from the platform's own codec, so that the two are compared whenever the demonstration runs.

use model::Timestamp;
use serde_json::{Value as Json, json};

/// The version that a charge point speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V16,
    V201,
}

/// How a charge point stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Available,
    Charging,
    Faulted,
    Unavailable,
}

/// Why a charge ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// At the charge point.
    Local,
    /// The centre ordered it.
    Remote,
    /// The charge point is faulty.
    Fault,
    /// It is switched off, or starts anew.
    Reboot,
}

/// What began a charge.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A card at the reader.
    Card(String),
    /// An order of the centre: its token as it came, and its number (2.0.1).
    Ordered(Json, Option<i64>),
}

/// A moment of a charge: when, and what the register says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub at: Timestamp,
    pub register_wh: i64,
    pub watts: i64,
}

/// An order's limit of power.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limit {
    pub watts: i64,
    /// It holds for the charge that runs, not for each new one.
    pub is_of_transaction: bool,
    /// How long it holds, seconds.
    pub seconds: Option<i64>,
}

/// Time as the standards write it, to the millisecond.
pub(crate) fn time(at: Timestamp) -> String {
    Timestamp::from_millis(at.micros().div_euclid(1_000)).to_string()
}

/// The volts that limits in amperes are reckoned with: a phase of the mains (GB/T 156).
const VOLTS: f64 = 220.0;

impl Version {
    pub(crate) const fn subprotocol(self) -> &'static str {
        match self {
            Self::V16 => "ocpp1.6",
            Self::V201 => "ocpp2.0.1",
        }
    }

    /// The vendor's name says that nothing of it is real.
    pub(crate) fn boot(self, model: &str) -> Json {
        match self {
            Self::V16 => {
                json!({"chargePointVendor": "simulated", "chargePointModel": model, "firmwareVersion": "demo"})
            }
            Self::V201 => {
                json!({"reason": "PowerUp", "chargingStation": {"vendorName": "simulated", "model": model, "firmwareVersion": "demo"}})
            }
        }
    }

    pub(crate) fn status(self, state: State, error: Option<&str>, at: Timestamp) -> Json {
        let word = match (state, self) {
            (State::Available, _) => "Available",
            (State::Charging, Self::V16) => "Charging",
            (State::Charging, Self::V201) => "Occupied",
            (State::Faulted, _) => "Faulted",
            (State::Unavailable, _) => "Unavailable",
        };
        match self {
            Self::V16 => {
                json!({"connectorId": 1, "errorCode": error.unwrap_or("NoError"), "status": word, "timestamp": time(at)})
            }
            Self::V201 => {
                json!({"evseId": 1, "connectorId": 1, "connectorStatus": word, "timestamp": time(at)})
            }
        }
    }

    pub(crate) fn authorize(self, card: &str) -> Json {
        match self {
            Self::V16 => json!({"idTag": card}),
            Self::V201 => json!({"idToken": token_of(card)}),
        }
    }

    /// The start of a charge. `transaction` is the charge point's own name of it, which 2.0.1 alone tells.
    pub(crate) fn start(
        self,
        transaction: &str,
        token: &Token,
        moment: Moment,
    ) -> (&'static str, Json) {
        match self {
            Self::V16 => {
                let tag = match token {
                    Token::Card(card) => json!(card),
                    Token::Ordered(tag, _) => tag.clone(),
                };
                let body = json!({"connectorId": 1, "idTag": tag, "meterStart": moment.register_wh, "timestamp": time(moment.at)});
                ("StartTransaction", body)
            }
            Self::V201 => {
                let (trigger, who, number) = match token {
                    Token::Card(card) => ("Authorized", token_of(card), None),
                    Token::Ordered(who, number) => ("RemoteStart", who.clone(), *number),
                };
                let mut info = json!({"transactionId": transaction, "chargingState": "Charging"});
                if let Some(number) = number {
                    info["remoteStartId"] = json!(number);
                }
                let mut body = event("Started", trigger, 0, info, moment, "Transaction.Begin");
                body["evse"] = json!({"id": 1, "connectorId": 1});
                body["idToken"] = who;
                ("TransactionEvent", body)
            }
        }
    }

    /// What the meter says in the middle of it; of 1.6 without the transaction's number, which the centre gives.
    pub(crate) fn reading(
        self,
        transaction: &str,
        sequence: i64,
        moment: Moment,
    ) -> (&'static str, Json) {
        match self {
            Self::V16 => {
                let samples = json!([
                    {"value": moment.register_wh.to_string(), "context": "Sample.Periodic", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
                    {"value": moment.watts.to_string(), "context": "Sample.Periodic", "measurand": "Power.Active.Import", "unit": "W"},
                ]);
                let values = json!([{"timestamp": time(moment.at), "sampledValue": samples}]);
                (
                    "MeterValues",
                    json!({"connectorId": 1, "meterValue": values}),
                )
            }
            Self::V201 => {
                let info = json!({"transactionId": transaction, "chargingState": "Charging"});
                let context = "Sample.Periodic";
                let body = event(
                    "Updated",
                    "MeterValuePeriodic",
                    sequence,
                    info,
                    moment,
                    context,
                );
                ("TransactionEvent", body)
            }
        }
    }

    /// What the meter says while nobody charges.
    pub(crate) fn idle(self, moment: Moment) -> Json {
        match self {
            Self::V16 => self.reading("", 0, moment).1,
            Self::V201 => json!({"evseId": 1, "meterValue": [metered(moment, "Sample.Clock")]}),
        }
    }

    /// The end of it.
    pub(crate) fn stop(
        self,
        transaction: &str,
        sequence: i64,
        token: &Token,
        reason: Reason,
        moment: Moment,
    ) -> (&'static str, Json) {
        match self {
            Self::V16 => {
                let word = match reason {
                    Reason::Local => "Local",
                    Reason::Remote => "Remote",
                    Reason::Fault => "Other",
                    Reason::Reboot => "Reboot",
                };
                let mut body = json!({"meterStop": moment.register_wh, "timestamp": time(moment.at), "reason": word});
                if let (Token::Card(card), Reason::Local) = (token, reason) {
                    body["idTag"] = json!(card);
                }
                ("StopTransaction", body)
            }
            Self::V201 => {
                let (trigger, word) = match reason {
                    Reason::Local => ("StopAuthorized", "Local"),
                    Reason::Remote => ("RemoteStop", "Remote"),
                    Reason::Fault => ("AbnormalCondition", "Other"),
                    Reason::Reboot => ("ResetCommand", "Reboot"),
                };
                let info = json!({"transactionId": transaction, "chargingState": "Idle", "stoppedReason": word});
                let mut body = event("Ended", trigger, sequence, info, moment, "Transaction.End");
                if let (Token::Card(card), Reason::Local) = (token, reason) {
                    body["idToken"] = token_of(card);
                }
                ("TransactionEvent", body)
            }
        }
    }

    /// The token of an order to start, and the order's number (2.0.1).
    pub(crate) fn ordered(self, body: &Json) -> Option<Token> {
        match self {
            Self::V16 => body
                .get("idTag")
                .cloned()
                .map(|tag| Token::Ordered(tag, None)),
            Self::V201 => body.get("idToken").cloned().map(|who| {
                let number = body.get("remoteStartId").and_then(Json::as_i64);
                Token::Ordered(who, number)
            }),
        }
    }

    /// The limit of a charging profile: the first of its schedule, which is all that this charge point looks at.
    pub(crate) fn limit(self, body: &Json) -> Option<Limit> {
        let profile = match self {
            Self::V16 => body.get("csChargingProfiles")?,
            Self::V201 => body.get("chargingProfile")?,
        };
        let schedule = match self {
            Self::V16 => profile.get("chargingSchedule")?,
            Self::V201 => profile.get("chargingSchedule")?.get(0)?,
        };
        let period = schedule.get("chargingSchedulePeriod")?.get(0)?;
        let said = period.get("limit")?.as_f64()?;
        let phases = period
            .get("numberPhases")
            .and_then(Json::as_i64)
            .unwrap_or(3);
        let watts = match schedule.get("chargingRateUnit")?.as_str()? {
            "W" => said,
            _ => said * VOLTS * phases as f64,
        };
        Some(Limit {
            watts: watts as i64,
            is_of_transaction: profile.get("chargingProfilePurpose")?.as_str()? == "TxProfile",
            seconds: schedule.get("duration").and_then(Json::as_i64),
        })
    }
}

/// A card of a reader (ISO/IEC 14443), as 2.0.1 writes it.
fn token_of(card: &str) -> Json {
    json!({"idToken": card, "type": "ISO14443"})
}

fn event(
    kind: &str,
    trigger: &str,
    sequence: i64,
    info: Json,
    moment: Moment,
    context: &str,
) -> Json {
    json!({
        "eventType": kind, "triggerReason": trigger, "seqNo": sequence, "timestamp": time(moment.at), "transactionInfo": info,
        "meterValue": [metered(moment, context)],
    })
}

/// A meter's values as 2.0.1 writes them.
fn metered(moment: Moment, context: &str) -> Json {
    let register = json!({
        "value": moment.register_wh, "context": context, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}
    });
    let power = json!({
        "value": moment.watts, "context": context, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}
    });
    json!({"timestamp": time(moment.at), "sampledValue": [register, power]})
}
