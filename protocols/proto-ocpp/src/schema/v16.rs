//! The messages of OCPP 1.6J that this room speaks, field by field: what must be there, of which type, how long, which words.
//! Source: Open Charge Alliance, OCPP 1.6 edition 2, sections 5 to 7, and Improved security for OCPP 1.6-J, edition 3 (July 2022).
//! Names, lengths and words are the standard's own.

use super::Shape::{Decimal, Flag, Moment, Text, Whole, Within, Word};
use super::{Action, Field, action, list, many, may, must};

const NOTHING: &[Field] = &[];
const BOOT_NOTIFICATION: &[Field] = &[
    must("chargePointVendor", Text(20)),
    must("chargePointModel", Text(20)),
    may("chargePointSerialNumber", Text(25)),
    may("chargeBoxSerialNumber", Text(25)),
    may("firmwareVersion", Text(50)),
    may("iccid", Text(20)),
    may("imsi", Text(20)),
    may("meterType", Text(25)),
    may("meterSerialNumber", Text(25)),
];
const BOOT_NOTIFICATION_ANSWER_STATUS_WORDS: &str = "Accepted Pending Rejected";
const BOOT_NOTIFICATION_ANSWER: &[Field] = &[
    must("status", Word(BOOT_NOTIFICATION_ANSWER_STATUS_WORDS)),
    must("currentTime", Moment),
    must("interval", Whole),
];
const HEARTBEAT_ANSWER: &[Field] = &[must("currentTime", Moment)];
const STATUS_NOTIFICATION_ERROR_CODE_WORDS: &str = "ConnectorLockFailure EVCommunicationError GroundFailure HighTemperature InternalError \
    LocalListConflict NoError OtherError OverCurrentFailure PowerMeterFailure \
    PowerSwitchFailure ReaderFailure ResetFailure UnderVoltage OverVoltage WeakSignal";
const STATUS_NOTIFICATION_STATUS_WORDS: &str = "Available Preparing Charging SuspendedEVSE SuspendedEV Finishing Reserved Unavailable \
    Faulted";
const STATUS_NOTIFICATION: &[Field] = &[
    must("connectorId", Whole),
    must("errorCode", Word(STATUS_NOTIFICATION_ERROR_CODE_WORDS)),
    may("info", Text(50)),
    must("status", Word(STATUS_NOTIFICATION_STATUS_WORDS)),
    may("timestamp", Moment),
    may("vendorId", Text(255)),
    may("vendorErrorCode", Text(50)),
];
const AUTHORIZE: &[Field] = &[must("idTag", Text(20))];
const AUTHORIZE_ANSWER_STATUS_WORDS: &str = "Accepted Blocked Expired Invalid ConcurrentTx";
const AUTHORIZE_ANSWER_ID_TAG_INFO: &[Field] = &[
    may("expiryDate", Moment),
    may("parentIdTag", Text(20)),
    must("status", Word(AUTHORIZE_ANSWER_STATUS_WORDS)),
];
const AUTHORIZE_ANSWER: &[Field] = &[must("idTagInfo", Within(AUTHORIZE_ANSWER_ID_TAG_INFO))];
const START_TRANSACTION: &[Field] = &[
    must("connectorId", Whole),
    must("idTag", Text(20)),
    must("meterStart", Whole),
    may("reservationId", Whole),
    must("timestamp", Moment),
];
const START_TRANSACTION_ANSWER: &[Field] = &[
    must("idTagInfo", Within(AUTHORIZE_ANSWER_ID_TAG_INFO)),
    must("transactionId", Whole),
];
const STOP_TRANSACTION_REASON_WORDS: &str = "EmergencyStop EVDisconnected HardReset Local Other PowerLoss Reboot Remote SoftReset \
    UnlockCommand DeAuthorized";
const STOP_TRANSACTION_CONTEXT_WORDS: &str = "Interruption.Begin Interruption.End Sample.Clock Sample.Periodic Transaction.Begin \
    Transaction.End Trigger Other";
const STOP_TRANSACTION_FORMAT_WORDS: &str = "Raw SignedData";
const STOP_TRANSACTION_MEASURAND_WORDS: &str = "Energy.Active.Export.Register Energy.Active.Import.Register Energy.Reactive.Export.Register \
    Energy.Reactive.Import.Register Energy.Active.Export.Interval Energy.Active.Import.Interval \
    Energy.Reactive.Export.Interval Energy.Reactive.Import.Interval Power.Active.Export \
    Power.Active.Import Power.Offered Power.Reactive.Export Power.Reactive.Import Power.Factor \
    Current.Import Current.Export Current.Offered Voltage Frequency Temperature SoC RPM";
const STOP_TRANSACTION_PHASE_WORDS: &str = "L1 L2 L3 N L1-N L2-N L3-N L1-L2 L2-L3 L3-L1";
const STOP_TRANSACTION_LOCATION_WORDS: &str = "Cable EV Inlet Outlet Body";
const STOP_TRANSACTION_UNIT_WORDS: &str =
    "Wh kWh varh kvarh W kW VA kVA var kvar A V K Celcius Celsius Fahrenheit Percent";
const STOP_TRANSACTION_SAMPLED_VALUE: &[Field] = &[
    must("value", Text(0)),
    may("context", Word(STOP_TRANSACTION_CONTEXT_WORDS)),
    may("format", Word(STOP_TRANSACTION_FORMAT_WORDS)),
    may("measurand", Word(STOP_TRANSACTION_MEASURAND_WORDS)),
    may("phase", Word(STOP_TRANSACTION_PHASE_WORDS)),
    may("location", Word(STOP_TRANSACTION_LOCATION_WORDS)),
    may("unit", Word(STOP_TRANSACTION_UNIT_WORDS)),
];
const STOP_TRANSACTION_TRANSACTION_DATA: &[Field] = &[
    must("timestamp", Moment),
    must(
        "sampledValue",
        list(&Within(STOP_TRANSACTION_SAMPLED_VALUE), 0, 0),
    ),
];
const STOP_TRANSACTION: &[Field] = &[
    may("idTag", Text(20)),
    must("meterStop", Whole),
    must("timestamp", Moment),
    must("transactionId", Whole),
    may("reason", Word(STOP_TRANSACTION_REASON_WORDS)),
    may(
        "transactionData",
        list(&Within(STOP_TRANSACTION_TRANSACTION_DATA), 0, 0),
    ),
];
const STOP_TRANSACTION_ANSWER: &[Field] = &[may("idTagInfo", Within(AUTHORIZE_ANSWER_ID_TAG_INFO))];
const METER_VALUES_UNIT_WORDS: &str =
    "Wh kWh varh kvarh W kW VA kVA var kvar A V K Celcius Celsius Fahrenheit Percent Hertz";
const METER_VALUES_SAMPLED_VALUE: &[Field] = &[
    must("value", Text(0)),
    may("context", Word(STOP_TRANSACTION_CONTEXT_WORDS)),
    may("format", Word(STOP_TRANSACTION_FORMAT_WORDS)),
    may("measurand", Word(STOP_TRANSACTION_MEASURAND_WORDS)),
    may("phase", Word(STOP_TRANSACTION_PHASE_WORDS)),
    may("location", Word(STOP_TRANSACTION_LOCATION_WORDS)),
    may("unit", Word(METER_VALUES_UNIT_WORDS)),
];
const METER_VALUES_METER_VALUE: &[Field] = &[
    must("timestamp", Moment),
    must("sampledValue", many(&Within(METER_VALUES_SAMPLED_VALUE))),
];
const METER_VALUES: &[Field] = &[
    must("connectorId", Whole),
    may("transactionId", Whole),
    must("meterValue", many(&Within(METER_VALUES_METER_VALUE))),
];
const DATA_TRANSFER: &[Field] = &[
    must("vendorId", Text(255)),
    may("messageId", Text(50)),
    may("data", Text(0)),
];
const DATA_TRANSFER_ANSWER_STATUS_WORDS: &str =
    "Accepted Rejected UnknownMessageId UnknownVendorId";
const DATA_TRANSFER_ANSWER: &[Field] = &[
    must("status", Word(DATA_TRANSFER_ANSWER_STATUS_WORDS)),
    may("data", Text(0)),
];
const DIAGNOSTICS_STATUS_NOTIFICATION_STATUS_WORDS: &str = "Idle Uploaded UploadFailed Uploading";
const DIAGNOSTICS_STATUS_NOTIFICATION: &[Field] = &[must(
    "status",
    Word(DIAGNOSTICS_STATUS_NOTIFICATION_STATUS_WORDS),
)];
const FIRMWARE_STATUS_NOTIFICATION_STATUS_WORDS: &str =
    "Downloaded DownloadFailed Downloading Idle InstallationFailed Installing Installed";
const FIRMWARE_STATUS_NOTIFICATION: &[Field] = &[must(
    "status",
    Word(FIRMWARE_STATUS_NOTIFICATION_STATUS_WORDS),
)];
const SECURITY_EVENT_NOTIFICATION: &[Field] = &[
    must("type", Text(50)),
    must("timestamp", Moment),
    may("techInfo", Text(255)),
];
const UPLOAD_LOG_STATUS_WORDS: &str =
    "BadMessage Idle NotSupportedOperation PermissionDenied Uploaded UploadFailure Uploading";
const LOG_STATUS_NOTIFICATION: &[Field] = &[
    must("status", Word(UPLOAD_LOG_STATUS_WORDS)),
    may("requestId", Whole),
];
const SIGN_CERTIFICATE: &[Field] = &[must("csr", Text(5500))];
const GENERIC_STATUS_WORDS: &str = "Accepted Rejected";
const SIGN_CERTIFICATE_ANSWER: &[Field] = &[must("status", Word(GENERIC_STATUS_WORDS))];
const FIRMWARE_STATUS_WORDS: &str = "Downloaded DownloadFailed Downloading DownloadScheduled DownloadPaused Idle \
    InstallationFailed Installing Installed InstallRebooting InstallScheduled \
    InstallVerificationFailed InvalidSignature SignatureVerified";
const SIGNED_FIRMWARE_STATUS_NOTIFICATION: &[Field] = &[
    must("status", Word(FIRMWARE_STATUS_WORDS)),
    may("requestId", Whole),
];
const REMOTE_START_TRANSACTION_CHARGING_PROFILE_PURPOSE_WORDS: &str =
    "ChargePointMaxProfile TxDefaultProfile TxProfile";
const REMOTE_START_TRANSACTION_CHARGING_PROFILE_KIND_WORDS: &str = "Absolute Recurring Relative";
const REMOTE_START_TRANSACTION_RECURRENCY_KIND_WORDS: &str = "Daily Weekly";
const REMOTE_START_TRANSACTION_CHARGING_RATE_UNIT_WORDS: &str = "A W";
const REMOTE_START_TRANSACTION_CHARGING_SCHEDULE_PERIOD: &[Field] = &[
    must("startPeriod", Whole),
    must("limit", Decimal),
    may("numberPhases", Whole),
];
const REMOTE_START_TRANSACTION_CHARGING_SCHEDULE: &[Field] = &[
    may("duration", Whole),
    may("startSchedule", Moment),
    must(
        "chargingRateUnit",
        Word(REMOTE_START_TRANSACTION_CHARGING_RATE_UNIT_WORDS),
    ),
    must(
        "chargingSchedulePeriod",
        list(
            &Within(REMOTE_START_TRANSACTION_CHARGING_SCHEDULE_PERIOD),
            0,
            0,
        ),
    ),
    may("minChargingRate", Decimal),
];
const REMOTE_START_TRANSACTION_CHARGING_PROFILE: &[Field] = &[
    must("chargingProfileId", Whole),
    may("transactionId", Whole),
    must("stackLevel", Whole),
    must(
        "chargingProfilePurpose",
        Word(REMOTE_START_TRANSACTION_CHARGING_PROFILE_PURPOSE_WORDS),
    ),
    must(
        "chargingProfileKind",
        Word(REMOTE_START_TRANSACTION_CHARGING_PROFILE_KIND_WORDS),
    ),
    may(
        "recurrencyKind",
        Word(REMOTE_START_TRANSACTION_RECURRENCY_KIND_WORDS),
    ),
    may("validFrom", Moment),
    may("validTo", Moment),
    must(
        "chargingSchedule",
        Within(REMOTE_START_TRANSACTION_CHARGING_SCHEDULE),
    ),
];
const REMOTE_START_TRANSACTION: &[Field] = &[
    may("connectorId", Whole),
    must("idTag", Text(20)),
    may(
        "chargingProfile",
        Within(REMOTE_START_TRANSACTION_CHARGING_PROFILE),
    ),
];
const REMOTE_STOP_TRANSACTION: &[Field] = &[must("transactionId", Whole)];
const RESERVE_NOW: &[Field] = &[
    must("connectorId", Whole),
    must("expiryDate", Moment),
    must("idTag", Text(20)),
    may("parentIdTag", Text(20)),
    must("reservationId", Whole),
];
const RESERVE_NOW_ANSWER_STATUS_WORDS: &str = "Accepted Faulted Occupied Rejected Unavailable";
const RESERVE_NOW_ANSWER: &[Field] = &[must("status", Word(RESERVE_NOW_ANSWER_STATUS_WORDS))];
const CANCEL_RESERVATION: &[Field] = &[must("reservationId", Whole)];
const SET_CHARGING_PROFILE: &[Field] = &[
    must("connectorId", Whole),
    must(
        "csChargingProfiles",
        Within(REMOTE_START_TRANSACTION_CHARGING_PROFILE),
    ),
];
const SET_CHARGING_PROFILE_ANSWER_STATUS_WORDS: &str = "Accepted Rejected NotSupported";
const SET_CHARGING_PROFILE_ANSWER: &[Field] = &[must(
    "status",
    Word(SET_CHARGING_PROFILE_ANSWER_STATUS_WORDS),
)];
const CLEAR_CHARGING_PROFILE: &[Field] = &[
    may("id", Whole),
    may("connectorId", Whole),
    may(
        "chargingProfilePurpose",
        Word(REMOTE_START_TRANSACTION_CHARGING_PROFILE_PURPOSE_WORDS),
    ),
    may("stackLevel", Whole),
];
const CLEAR_CHARGING_PROFILE_ANSWER_STATUS_WORDS: &str = "Accepted Unknown";
const CLEAR_CHARGING_PROFILE_ANSWER: &[Field] = &[must(
    "status",
    Word(CLEAR_CHARGING_PROFILE_ANSWER_STATUS_WORDS),
)];
const GET_COMPOSITE_SCHEDULE: &[Field] = &[
    must("connectorId", Whole),
    must("duration", Whole),
    may(
        "chargingRateUnit",
        Word(REMOTE_START_TRANSACTION_CHARGING_RATE_UNIT_WORDS),
    ),
];
const GET_COMPOSITE_SCHEDULE_ANSWER: &[Field] = &[
    must("status", Word(GENERIC_STATUS_WORDS)),
    may("connectorId", Whole),
    may("scheduleStart", Moment),
    may(
        "chargingSchedule",
        Within(REMOTE_START_TRANSACTION_CHARGING_SCHEDULE),
    ),
];
const UPDATE_FIRMWARE: &[Field] = &[
    must("location", Text(0)),
    may("retries", Whole),
    must("retrieveDate", Moment),
    may("retryInterval", Whole),
];
const GET_DIAGNOSTICS: &[Field] = &[
    must("location", Text(0)),
    may("retries", Whole),
    may("retryInterval", Whole),
    may("startTime", Moment),
    may("stopTime", Moment),
];
const GET_DIAGNOSTICS_ANSWER: &[Field] = &[may("fileName", Text(255))];
const LOG_PARAMETERS: &[Field] = &[
    must("remoteLocation", Text(512)),
    may("oldestTimestamp", Moment),
    may("latestTimestamp", Moment),
];
const LOG_WORDS: &str = "DiagnosticsLog SecurityLog";
const GET_LOG: &[Field] = &[
    must("log", Within(LOG_PARAMETERS)),
    must("logType", Word(LOG_WORDS)),
    must("requestId", Whole),
    may("retries", Whole),
    may("retryInterval", Whole),
];
const LOG_STATUS_WORDS: &str = "Accepted Rejected AcceptedCanceled";
const GET_LOG_ANSWER: &[Field] = &[
    must("status", Word(LOG_STATUS_WORDS)),
    may("filename", Text(255)),
];
const TRIGGER_MESSAGE_REQUESTED_MESSAGE_WORDS: &str = "BootNotification DiagnosticsStatusNotification FirmwareStatusNotification Heartbeat \
    MeterValues StatusNotification";
const TRIGGER_MESSAGE: &[Field] = &[
    must(
        "requestedMessage",
        Word(TRIGGER_MESSAGE_REQUESTED_MESSAGE_WORDS),
    ),
    may("connectorId", Whole),
];
const TRIGGER_MESSAGE_ANSWER_STATUS_WORDS: &str = "Accepted Rejected NotImplemented";
const TRIGGER_MESSAGE_ANSWER: &[Field] =
    &[must("status", Word(TRIGGER_MESSAGE_ANSWER_STATUS_WORDS))];
const CHANGE_AVAILABILITY_TYPE_WORDS: &str = "Inoperative Operative";
const CHANGE_AVAILABILITY: &[Field] = &[
    must("connectorId", Whole),
    must("type", Word(CHANGE_AVAILABILITY_TYPE_WORDS)),
];
const CHANGE_AVAILABILITY_ANSWER_STATUS_WORDS: &str = "Accepted Rejected Scheduled";
const CHANGE_AVAILABILITY_ANSWER: &[Field] = &[must(
    "status",
    Word(CHANGE_AVAILABILITY_ANSWER_STATUS_WORDS),
)];
const UNLOCK_CONNECTOR: &[Field] = &[must("connectorId", Whole)];
const UNLOCK_CONNECTOR_ANSWER_STATUS_WORDS: &str = "Unlocked UnlockFailed NotSupported";
const UNLOCK_CONNECTOR_ANSWER: &[Field] =
    &[must("status", Word(UNLOCK_CONNECTOR_ANSWER_STATUS_WORDS))];
const RESET_TYPE_WORDS: &str = "Hard Soft";
const RESET: &[Field] = &[must("type", Word(RESET_TYPE_WORDS))];
const GET_CONFIGURATION: &[Field] = &[may("key", list(&Text(50), 0, 0))];
const GET_CONFIGURATION_ANSWER_CONFIGURATION_KEY: &[Field] = &[
    must("key", Text(50)),
    must("readonly", Flag),
    may("value", Text(500)),
];
const GET_CONFIGURATION_ANSWER: &[Field] = &[
    may(
        "configurationKey",
        list(&Within(GET_CONFIGURATION_ANSWER_CONFIGURATION_KEY), 0, 0),
    ),
    may("unknownKey", list(&Text(50), 0, 0)),
];
const CHANGE_CONFIGURATION: &[Field] = &[must("key", Text(50)), must("value", Text(500))];
const CHANGE_CONFIGURATION_ANSWER_STATUS_WORDS: &str =
    "Accepted Rejected RebootRequired NotSupported";
const CHANGE_CONFIGURATION_ANSWER: &[Field] = &[must(
    "status",
    Word(CHANGE_CONFIGURATION_ANSWER_STATUS_WORDS),
)];
const GET_LOCAL_LIST_VERSION_ANSWER: &[Field] = &[must("listVersion", Whole)];
const SEND_LOCAL_LIST_LOCAL_AUTHORIZATION_LIST: &[Field] = &[
    must("idTag", Text(20)),
    may("idTagInfo", Within(AUTHORIZE_ANSWER_ID_TAG_INFO)),
];
const SEND_LOCAL_LIST_UPDATE_TYPE_WORDS: &str = "Differential Full";
const SEND_LOCAL_LIST: &[Field] = &[
    must("listVersion", Whole),
    may(
        "localAuthorizationList",
        list(&Within(SEND_LOCAL_LIST_LOCAL_AUTHORIZATION_LIST), 0, 0),
    ),
    must("updateType", Word(SEND_LOCAL_LIST_UPDATE_TYPE_WORDS)),
];
const SEND_LOCAL_LIST_ANSWER_STATUS_WORDS: &str = "Accepted Failed NotSupported VersionMismatch";
const SEND_LOCAL_LIST_ANSWER: &[Field] =
    &[must("status", Word(SEND_LOCAL_LIST_ANSWER_STATUS_WORDS))];
const CERTIFICATE_SIGNED: &[Field] = &[must("certificateChain", Text(10000))];

/// What a station asks.
pub const FROM_STATION: &[Action] = &[
    action(
        "BootNotification",
        BOOT_NOTIFICATION,
        BOOT_NOTIFICATION_ANSWER,
    ),
    action("Heartbeat", NOTHING, HEARTBEAT_ANSWER),
    action("StatusNotification", STATUS_NOTIFICATION, NOTHING),
    action("Authorize", AUTHORIZE, AUTHORIZE_ANSWER),
    action(
        "StartTransaction",
        START_TRANSACTION,
        START_TRANSACTION_ANSWER,
    ),
    action("StopTransaction", STOP_TRANSACTION, STOP_TRANSACTION_ANSWER),
    action("MeterValues", METER_VALUES, NOTHING),
    action("DataTransfer", DATA_TRANSFER, DATA_TRANSFER_ANSWER),
    action(
        "DiagnosticsStatusNotification",
        DIAGNOSTICS_STATUS_NOTIFICATION,
        NOTHING,
    ),
    action(
        "FirmwareStatusNotification",
        FIRMWARE_STATUS_NOTIFICATION,
        NOTHING,
    ),
    action(
        "SecurityEventNotification",
        SECURITY_EVENT_NOTIFICATION,
        NOTHING,
    ),
    action("LogStatusNotification", LOG_STATUS_NOTIFICATION, NOTHING),
    action("SignCertificate", SIGN_CERTIFICATE, SIGN_CERTIFICATE_ANSWER),
    action(
        "SignedFirmwareStatusNotification",
        SIGNED_FIRMWARE_STATUS_NOTIFICATION,
        NOTHING,
    ),
];
/// What a station is asked.
pub const TO_STATION: &[Action] = &[
    action(
        "RemoteStartTransaction",
        REMOTE_START_TRANSACTION,
        SIGN_CERTIFICATE_ANSWER,
    ),
    action(
        "RemoteStopTransaction",
        REMOTE_STOP_TRANSACTION,
        SIGN_CERTIFICATE_ANSWER,
    ),
    action("ReserveNow", RESERVE_NOW, RESERVE_NOW_ANSWER),
    action(
        "CancelReservation",
        CANCEL_RESERVATION,
        SIGN_CERTIFICATE_ANSWER,
    ),
    action(
        "SetChargingProfile",
        SET_CHARGING_PROFILE,
        SET_CHARGING_PROFILE_ANSWER,
    ),
    action(
        "ClearChargingProfile",
        CLEAR_CHARGING_PROFILE,
        CLEAR_CHARGING_PROFILE_ANSWER,
    ),
    action(
        "GetCompositeSchedule",
        GET_COMPOSITE_SCHEDULE,
        GET_COMPOSITE_SCHEDULE_ANSWER,
    ),
    action("UpdateFirmware", UPDATE_FIRMWARE, NOTHING),
    action("GetDiagnostics", GET_DIAGNOSTICS, GET_DIAGNOSTICS_ANSWER),
    action("GetLog", GET_LOG, GET_LOG_ANSWER),
    action("TriggerMessage", TRIGGER_MESSAGE, TRIGGER_MESSAGE_ANSWER),
    action(
        "ChangeAvailability",
        CHANGE_AVAILABILITY,
        CHANGE_AVAILABILITY_ANSWER,
    ),
    action("UnlockConnector", UNLOCK_CONNECTOR, UNLOCK_CONNECTOR_ANSWER),
    action("Reset", RESET, SIGN_CERTIFICATE_ANSWER),
    action(
        "GetConfiguration",
        GET_CONFIGURATION,
        GET_CONFIGURATION_ANSWER,
    ),
    action(
        "ChangeConfiguration",
        CHANGE_CONFIGURATION,
        CHANGE_CONFIGURATION_ANSWER,
    ),
    action("DataTransfer", DATA_TRANSFER, DATA_TRANSFER_ANSWER),
    action(
        "GetLocalListVersion",
        NOTHING,
        GET_LOCAL_LIST_VERSION_ANSWER,
    ),
    action("SendLocalList", SEND_LOCAL_LIST, SEND_LOCAL_LIST_ANSWER),
    action("ClearCache", NOTHING, SIGN_CERTIFICATE_ANSWER),
    action(
        "CertificateSigned",
        CERTIFICATE_SIGNED,
        SIGN_CERTIFICATE_ANSWER,
    ),
];
