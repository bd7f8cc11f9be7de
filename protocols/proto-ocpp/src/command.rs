//! What a station is told to do, in one shape for both versions. [`crate::encode`] says it in each version's words.

use crate::message::{IdToken, Outlet, Variable};
use model::Timestamp;
use serde_json::Value;

/// In what a charging profile's limits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateUnit {
    /// Watts.
    Watts,
    /// Amperes, of each phase.
    Amperes,
}

/// For what a charging profile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For the station as a whole (evse 0).
    StationMax,
    /// For every new transaction.
    TransactionDefault,
    /// For one transaction.
    Transaction,
}

/// How a charging profile's times are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileKind {
    /// From a moment on.
    Absolute,
    /// Every day anew.
    Daily,
    /// Every week anew.
    Weekly,
    /// From the start of the transaction on.
    Relative,
}

/// A limit from a second of the schedule on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Seconds from the schedule's start.
    pub start_seconds: i64,
    /// The limit in tenths of the schedule's unit, the finest that 1.6 can say.
    pub limit_tenths: i64,
    /// How many phases; `None`: 3.
    pub phases: Option<i64>,
}

/// A charging profile with one schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargingProfile {
    /// Its id.
    pub id: i64,
    /// Of several for one purpose the highest holds; from 0.
    pub stack_level: i64,
    /// What for.
    pub purpose: Purpose,
    /// How its times are meant.
    pub kind: ProfileKind,
    /// From when on it holds.
    pub valid_from: Option<Timestamp>,
    /// Until when.
    pub valid_to: Option<Timestamp>,
    /// For which transaction.
    pub transaction: Option<String>,
    /// When its schedule begins.
    pub starts_at: Option<Timestamp>,
    /// How long it is, seconds.
    pub duration_seconds: Option<i64>,
    /// In what its limits are.
    pub unit: RateUnit,
    /// The limits, the first at second 0.
    pub periods: Vec<Period>,
}

/// What a station shall send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Its boot.
    Boot,
    /// How its log's upload goes (1.6: of diagnostics).
    Log,
    /// How its firmware's update goes.
    Firmware,
    /// A heartbeat.
    Heartbeat,
    /// Readings.
    MeterValues,
    /// The state of outlets.
    Status,
    /// An Updated of its transactions (2.0.1).
    Transaction,
    /// A request for its certificate (2.0.1).
    Certificate,
}

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// Diagnostics (1.6: `GetDiagnostics`).
    Diagnostics,
    /// The security log (1.6: `GetLog` of the security extension).
    Security,
}

/// How an authorisation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationStatus {
    /// May charge.
    Accepted,
    /// Is blocked.
    Blocked,
    /// Is too old.
    Expired,
    /// Charges elsewhere already.
    ConcurrentTx,
    /// Has no money left; 1.6 says `Blocked`.
    NoCredit,
    /// May not charge here or now; 1.6 says `Invalid`.
    NotAllowedHere,
    /// Is not known; 1.6 says `Invalid`.
    Unknown,
}

/// What is said of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// How it stands.
    pub status: AuthorizationStatus,
    /// Until when a station may remember it.
    pub expires_at: Option<Timestamp>,
    /// The group whose members may stop each other's transactions.
    pub group: Option<IdToken>,
}

impl Authorization {
    /// A plain answer.
    pub const fn new(status: AuthorizationStatus) -> Self {
        Self {
            status,
            expires_at: None,
            group: None,
        }
    }
}

/// A token of the local list; without what is said of it, it is taken out (a differential update).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// The token.
    pub id_token: IdToken,
    /// What is said of it.
    pub authorization: Option<Authorization>,
}

/// What a station is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Begin a transaction (`RemoteStartTransaction`, `RequestStartTransaction`).
    Start {
        /// Where; `None`: wherever the station likes.
        outlet: Option<Outlet>,
        /// For whom.
        id_token: IdToken,
        /// Comes back in the transaction's start (2.0.1); 1.6 has no place for it.
        remote_start: i64,
        /// A profile of purpose [`Purpose::Transaction`].
        profile: Option<ChargingProfile>,
    },
    /// End a transaction.
    Stop {
        /// Its id, as of [`crate::message::Transaction::id`].
        transaction: String,
    },
    /// Keep an outlet free.
    Reserve {
        /// The reservation's number.
        id: i64,
        /// Which; `None` (1.6: connector 0): any.
        outlet: Option<Outlet>,
        /// Until when.
        expires_at: Timestamp,
        /// For whom.
        id_token: IdToken,
        /// Or for whom of this group.
        group: Option<IdToken>,
    },
    /// Give a reservation up.
    CancelReservation {
        /// Its number.
        id: i64,
    },
    /// Limit the power.
    SetProfile {
        /// Where; evse 0 for the station.
        evse: u32,
        /// How.
        profile: ChargingProfile,
    },
    /// Take limits away; all of them where nothing is said.
    ClearProfile {
        /// The one of this id.
        id: Option<i64>,
        /// Those of this evse.
        evse: Option<u32>,
        /// Those of this purpose.
        purpose: Option<Purpose>,
        /// Those of this level.
        stack_level: Option<i64>,
    },
    /// Say which limits hold together.
    CompositeSchedule {
        /// Where.
        evse: u32,
        /// For how long, seconds.
        duration_seconds: i64,
        /// In which unit; `None`: as the station likes.
        unit: Option<RateUnit>,
    },
    /// Fetch and install firmware.
    UpdateFirmware {
        /// The request's number, which comes back in its status (2.0.1).
        request: i64,
        /// Where it lies.
        location: String,
        /// When to fetch it.
        retrieve_at: Timestamp,
        /// When to install it (2.0.1).
        install_at: Option<Timestamp>,
        /// How often to try.
        retries: Option<i64>,
        /// The signing certificate and the signature (2.0.1).
        signed: Option<(String, String)>,
    },
    /// Upload a log.
    GetLog {
        /// The request's number, which comes back in its status.
        request: i64,
        /// Which.
        kind: LogKind,
        /// Where to.
        location: String,
        /// From when on.
        from: Option<Timestamp>,
        /// Until when.
        to: Option<Timestamp>,
    },
    /// Send a message now.
    Trigger {
        /// Which.
        message: Trigger,
        /// Of which outlet; `None`: of all.
        outlet: Option<Outlet>,
    },
    /// Take into or out of service.
    Availability {
        /// What; `None`: the station.
        outlet: Option<Outlet>,
        /// Into service.
        is_operative: bool,
    },
    /// Free a cable that is stuck.
    Unlock {
        /// Which.
        outlet: Outlet,
    },
    /// Start anew.
    Reset {
        /// At once, breaking off what runs (`Hard`, `Immediate`), or when it can (`Soft`, `OnIdle`).
        is_immediate: bool,
        /// One evse alone (2.0.1).
        evse: Option<u32>,
    },
    /// Read variables; of 1.6 configuration keys, all of them when none is named.
    GetVariables {
        /// Which; their values are not looked at.
        variables: Vec<Variable>,
    },
    /// Write variables; of 1.6 one key.
    SetVariables {
        /// Which, and what to.
        variables: Vec<Variable>,
    },
    /// Report all variables (1.6: read all keys).
    Report {
        /// The request's number, which comes back in the report.
        request: i64,
        /// Only those that can be written (`ConfigurationInventory`), not all (`FullInventory`).
        only_configuration: bool,
    },
    /// Say how a transaction stands (2.0.1).
    TransactionStatus {
        /// Its id; `None`: whether any message still waits.
        transaction: Option<String>,
    },
    /// The maker's own message.
    Data {
        /// Whose.
        vendor: String,
        /// Which.
        message: Option<String>,
        /// What; of 1.6 text alone.
        data: Option<Value>,
    },
    /// Say the version of the local list.
    GetListVersion,
    /// Send the local list.
    SendList {
        /// Its new version.
        version: i64,
        /// Whether it is the whole list.
        is_full: bool,
        /// Its entries.
        entries: Vec<ListEntry>,
    },
    /// Forget tokens remembered.
    ClearCache,
    /// Take the certificate that was asked for.
    CertificateSigned {
        /// The chain, PEM.
        chain: String,
        /// `ChargingStationCertificate` or `V2GCertificate` (2.0.1).
        kind: Option<String>,
    },
}
