//! What a station says, in one shape for both versions. Terms are those of OCPP 2.0.1; where 1.6 calls it otherwise, it is said.

use crate::meter::{self, MeterValue, Register};
use model::{Timestamp, Told};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a vehicle is plugged in. Evse 0 is the station as a whole. 1.6 knows connectors alone: each is an evse of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Outlet {
    /// The evse (2.0.1), the connector (1.6).
    pub evse: u32,
    /// The connector of the evse (2.0.1).
    pub connector: Option<u32>,
}

/// Who wants to charge: a card, an account, a vehicle. Personal data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IdToken {
    /// The token; compared without regard to case (`CiString20Type`, `identifierString`).
    pub token: String,
    /// Its kind in 2.0.1's words (`ISO14443`, `eMAID`, `Central`, …); empty in 1.6.
    pub kind: String,
}

impl IdToken {
    /// A token of 1.6 (`idTag`).
    pub fn tag(token: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            kind: String::new(),
        }
    }
}

/// What a station is, from its boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// Its maker.
    pub vendor: String,
    /// Its model.
    pub model: String,
    /// Its serial number; of 1.6, the charge point's or the box's.
    pub serial_number: Option<String>,
    /// Its firmware.
    pub firmware_version: Option<String>,
    /// Its SIM card, ICCID.
    pub iccid: Option<String>,
    /// Its SIM card, IMSI.
    pub imsi: Option<String>,
    /// Its meter's serial number (1.6).
    pub meter_serial_number: Option<String>,
    /// Why it booted (2.0.1).
    pub reason: Option<String>,
}

/// The state of an outlet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Which; evse 0 is the station.
    pub outlet: Outlet,
    /// The standard's word: of 1.6 `ChargePointStatus`, of 2.0.1 `ConnectorStatusEnumType`, whose `Occupied` 1.6 has not.
    pub status: String,
    /// The error in 1.6's words, `NoError` for none; `None` in 2.0.1, which tells errors by `NotifyEvent`.
    pub error_code: Option<String>,
    /// The maker's own code.
    pub vendor_error_code: Option<String>,
    /// More about it, for people.
    pub info: Option<String>,
    /// Since when; the time of receipt where the station does not say (1.6).
    pub at: Timestamp,
}

/// Which part of a transaction is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It began (`StartTransaction`; `TransactionEvent` Started).
    Started,
    /// It goes on (`MeterValues` with a transaction; Updated).
    Updated,
    /// It is over (`StopTransaction`; Ended).
    Ended,
}

/// What tells one start of 1.6 from another, so that a start that is sent again is given the same transaction id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StartKey {
    /// The connector.
    pub connector: u32,
    /// The tag as it was written.
    pub id_tag: String,
    /// When it began, microseconds of the epoch.
    pub at: Timestamp,
    /// What the meter showed, watt-hours.
    pub meter_start_wh: i64,
}

impl StartKey {
    /// The key as one text, for a column that must be unique together with the station's identity.
    pub fn text(&self) -> String {
        let Self {
            connector,
            id_tag,
            at,
            meter_start_wh,
        } = self;
        // The tag, which alone may hold any character, stands last.
        format!("{connector}/{}/{meter_start_wh}/{id_tag}", at.micros())
    }
}

/// One part of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Transaction {
    /// Which part.
    pub phase: Phase,
    /// Its id: of 2.0.1 the station's own, of 1.6 the number that the centre gave, as text. `None` at the start in 1.6, unless this
    /// start was numbered before: then it is that number again.
    pub id: Option<String>,
    /// What makes a start of 1.6 the same as another.
    pub start_key: Option<StartKey>,
    /// When it happened, by the station's clock.
    pub at: Timestamp,
    /// Where. `StopTransaction` and many Updated and Ended do not say it: then as remembered from the start, or `None`.
    pub outlet: Option<Outlet>,
    /// Who; at a stop: who stopped it.
    pub id_token: Option<IdToken>,
    /// The number of this part within the transaction (2.0.1 `seqNo`).
    pub sequence: Option<i64>,
    /// Whether it happened while the station was cut off. 2.0.1 says it; of 1.6 it is concluded from its age.
    pub is_offline: bool,
    /// What caused the message (2.0.1 `triggerReason`).
    pub trigger: Option<String>,
    /// How the charging stands (2.0.1 `chargingState`).
    pub charging_state: Option<String>,
    /// Why it stopped (`Local`, `EVDisconnected`, …).
    pub stopped_reason: Option<String>,
    /// The reservation that it uses up.
    pub reservation: Option<i64>,
    /// The remote start that it follows (2.0.1).
    pub remote_start: Option<i64>,
    /// The meter's register of this part: the newest of [`Self::meter_values`], or `meterStart` and `meterStop` of 1.6.
    pub register: Option<Register>,
    /// The energy since the start by the registers, thousandths of a watt-hour, as far as the start is remembered; negative where the
    /// meter ran backwards. A bill is reckoned by the host's store, which remembers all starts.
    pub energy_milli_wh: Option<i64>,
    /// All that was sampled.
    pub meter_values: Vec<MeterValue>,
}

impl Transaction {
    /// Whether its id names one transaction. A station of 1.6 that never heard a number says −1 or 0 for any; parts of 2.0.1 are counted
    /// ([`Self::sequence`]), and their ids are the station's own.
    pub fn is_named(&self) -> bool {
        self.sequence.is_some()
            || self
                .id
                .as_ref()
                .is_none_or(|id| id.parse::<i64>().map_or(true, |number| number > 0))
    }

    /// Every register of this part in the order of time, the one of `meterStart` or `meterStop` among them.
    pub fn registers(&self) -> Vec<Register> {
        let mut all = meter::registers(&self.meter_values);
        if let Some(register) = self.register.filter(|register| !all.contains(register)) {
            all.push(register);
        }
        all.sort_by_key(|register| register.at);
        all
    }
}

/// A variable of the device model (2.0.1), or a configuration key (1.6: `component` is empty).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The component, with its instance and evse as `Name/instance@evse` where it has them.
    pub component: String,
    /// The variable, with its instance as `Name/instance`.
    pub name: String,
    /// Which of its attributes (`Actual`, `Target`, …); empty for `Actual`.
    pub attribute: String,
    /// Its value; `None` when it has none, is only written, or is not known.
    pub value: Option<String>,
    /// What the station says about it: `Accepted`, `UnknownVariable`, … of an answer; `ReadOnly`, `ReadWrite`, … of a report.
    pub status: String,
}

/// Something that a station's monitor found (2.0.1 `NotifyEvent`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Its id.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// `Alerting`, `Delta`, `Periodic`.
    pub trigger: String,
    /// The variable, and the value that it has.
    pub variable: Variable,
    /// Whether it is over.
    pub is_cleared: bool,
    /// The maker's code.
    pub tech_code: Option<String>,
    /// More for people.
    pub tech_info: Option<String>,
}

/// What happened, for the host to act upon.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The station started. Answer: [`crate::Answer::Boot`].
    Boot(Boot),
    /// It lives; answered already.
    Heartbeat,
    /// An outlet's state.
    Status(Status),
    /// Someone wants to charge. Answer: [`crate::Answer::Transaction`] with the authorisation.
    Authorize(IdToken),
    /// Part of a transaction. Answer: [`crate::Answer::Transaction`]; for a start of 1.6 with its id.
    Transaction(Box<Transaction>),
    /// Readings outside of any transaction.
    Meter {
        /// Of which outlet.
        outlet: Outlet,
        /// The readings.
        values: Vec<MeterValue>,
    },
    /// The maker's own message. Answer: [`crate::Answer::Data`].
    Data {
        /// Whose.
        vendor: String,
        /// Which.
        message: Option<String>,
        /// What.
        data: Option<Value>,
    },
    /// How an update of the firmware goes.
    Firmware {
        /// The standard's word.
        status: String,
        /// Of which request.
        request: Option<i64>,
    },
    /// How the upload of a log or of diagnostics goes.
    Log {
        /// The standard's word.
        status: String,
        /// Of which request.
        request: Option<i64>,
    },
    /// Something about security.
    Security {
        /// The standard's word, such as `TamperDetectionActivated`.
        kind: String,
        /// When.
        at: Timestamp,
        /// More for people.
        info: Option<String>,
    },
    /// A part of a report of variables (2.0.1).
    Report {
        /// Of which request.
        request: i64,
        /// Which part, from 0.
        sequence: i64,
        /// Whether more follow.
        more_follow: bool,
        /// The variables.
        variables: Vec<Variable>,
    },
    /// What monitors found (2.0.1).
    Occurrences {
        /// Which part, from 0.
        sequence: i64,
        /// Whether more follow.
        more_follow: bool,
        /// What they found.
        found: Vec<Occurrence>,
    },
    /// The station wants a certificate. Answer: [`crate::Answer::Signing`], later [`crate::Command::CertificateSigned`].
    Sign {
        /// The request, PEM (PKCS #10).
        csr: String,
        /// `ChargingStationCertificate` or `V2GCertificate`; 1.6 knows only the former.
        kind: Option<String>,
    },
    /// A reservation came to an end (2.0.1).
    Reservation {
        /// Which.
        id: i64,
        /// `Expired` or `Removed`.
        status: String,
    },
    /// Another message of the standard that was well formed (charging limits, profiles reported).
    Other {
        /// Its action.
        action: String,
        /// What it said.
        payload: Value,
    },
    /// A command was answered.
    Answered {
        /// What [`crate::Session::command`] gave.
        command: u64,
        /// What the station says.
        reply: Reply,
        /// Whether it came after the command had been given up.
        is_late: bool,
    },
    /// A command came to nothing: refused by an error, not answered in time, or the link was lost. What is not known to have failed may
    /// have been done all the same.
    Failed {
        /// What [`crate::Session::command`] gave.
        command: u64,
        /// Why.
        told: Told,
        /// Whether it may have been carried out.
        may_have_happened: bool,
    },
    /// A message that was not understood, to be kept as a dead letter; refused already.
    Broken {
        /// Bytes it had; [`Event::raw`] holds their front.
        size_bytes: usize,
        /// What is wrong.
        told: Told,
    },
}

/// What a station answers to a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Whether it does what it was told (`Accepted`, `Scheduled`, `Unlocked`, `RebootRequired`, …).
    pub is_accepted: bool,
    /// The standard's word, where there is one.
    pub status: Option<String>,
    /// What more it says.
    pub detail: Detail,
}

/// What more an answer says.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// Nothing.
    None,
    /// Variables or configuration keys, read or written.
    Variables(Vec<Variable>),
    /// The charging schedule, as the standard writes it.
    Schedule(Value),
    /// The version of the local list; −1 and 0 of 1.6 mean none.
    ListVersion(i64),
    /// The maker's own answer.
    Data(Value),
    /// The file that will be uploaded.
    File(String),
    /// How a transaction stands (2.0.1).
    Transaction {
        /// Whether it still runs; `None` when the station does not know it.
        is_ongoing: Option<bool>,
        /// Whether messages of it still wait in the station.
        are_messages_queued: bool,
    },
}

/// A mark on what was said: it is handed on all the same.
#[derive(Clone, Debug, PartialEq)]
pub enum Doubt {
    /// The station's clock is ahead, by seconds.
    ClockAhead(i64),
    /// The time is older than is believed, by seconds before now.
    ClockBehind(i64),
    /// A time had no zone; UTC was assumed.
    NoZone,
    /// The register shows less than before, both in thousandths of a watt-hour.
    MeterBackwards {
        /// What it showed.
        from_milli_wh: i64,
        /// What it shows.
        to_milli_wh: i64,
    },
    /// The register rose faster than [`crate::Config::power_w_max`] allows.
    MeterJump {
        /// By how much, thousandths of a watt-hour.
        by_milli_wh: i64,
        /// In which time, seconds.
        seconds: i64,
    },
    /// A reading is no number.
    Unreadable,
    /// The transaction is not known here: its start did not come, or came before this memory began.
    WithoutStart,
    /// This was said before, word for word as far as it counts.
    Repeated,
    /// The same transaction id began twice, or goes on after its end.
    Twice,
    /// Another transaction is still open at this outlet: its stop did not come.
    OutletBusy(String),
    /// Parts are missing before this one: this number was expected.
    SequenceGap {
        /// The number that was expected.
        expected: i64,
    },
    /// The part is older than one that came before.
    SequenceBack {
        /// The highest number that came.
        highest: i64,
    },
    /// It ends before it began.
    EndsBeforeStart,
    /// A breach of the standard that was let pass.
    Tolerated(Told),
    /// A message id was used again for another message.
    MessageIdReused,
}

impl Doubt {
    /// A stable short code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ClockAhead(_) => "clock-ahead",
            Self::ClockBehind(_) => "clock-behind",
            Self::NoZone => "no-zone",
            Self::MeterBackwards { .. } => "meter-backwards",
            Self::MeterJump { .. } => "meter-jump",
            Self::Unreadable => "unreadable-reading",
            Self::WithoutStart => "without-start",
            Self::Repeated => "repeated",
            Self::Twice => "transaction-twice",
            Self::OutletBusy(_) => "outlet-busy",
            Self::SequenceGap { .. } => "sequence-gap",
            Self::SequenceBack { .. } => "sequence-back",
            Self::EndsBeforeStart => "ends-before-start",
            Self::Tolerated(_) => "tolerated",
            Self::MessageIdReused => "message-id-reused",
        }
    }

    /// Whether the energy or the times of the message are to be looked at by a person before money is asked for.
    pub const fn concerns_money(&self) -> bool {
        matches!(
            self,
            Self::ClockAhead(_)
                | Self::ClockBehind(_)
                | Self::MeterBackwards { .. }
                | Self::MeterJump { .. }
                | Self::Unreadable
                | Self::WithoutStart
                | Self::Twice
                | Self::EndsBeforeStart
        )
    }
}

/// Names one event that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub(crate) u64);

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// For [`crate::Session::acknowledge`] when it is durable; `None` for what needs no answer.
    pub token: Option<Token>,
    /// When it was received.
    pub received_at: Timestamp,
    /// What.
    pub what: What,
    /// What is odd about it.
    pub doubts: Vec<Doubt>,
    /// The message as it came; empty for what no message said; of a broken one, its front.
    pub raw: Vec<u8>,
}
