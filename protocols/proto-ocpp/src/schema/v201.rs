//! The messages of OCPP 2.0.1 that this room speaks, field by field: what must be there, of which type, how long, which words.
//! Source: Open Charge Alliance, OCPP 2.0.1 edition 3, part 2, sections 1 to 3 of the appendix of messages.
//! Names, lengths and words are the standard's own; `customData` may stand anywhere and is read nowhere.

use super::Shape::{Anything, Decimal, Flag, Moment, Text, Whole, Within, Word};
use super::{Action, Field, action, list, many, may, must};

const NOTHING: &[Field] = &[];
const MODEM: &[Field] = &[may("iccid", Text(20)), may("imsi", Text(20))];
const CHARGING_STATION: &[Field] = &[
    may("serialNumber", Text(25)),
    must("model", Text(20)),
    may("modem", Within(MODEM)),
    must("vendorName", Text(50)),
    may("firmwareVersion", Text(50)),
];
const BOOT_REASON_WORDS: &str = "ApplicationReset FirmwareUpdate LocalReset PowerUp RemoteReset ScheduledReset Triggered \
    Unknown Watchdog";
const BOOT_NOTIFICATION: &[Field] = &[
    must("chargingStation", Within(CHARGING_STATION)),
    must("reason", Word(BOOT_REASON_WORDS)),
];
const REGISTRATION_STATUS_WORDS: &str = "Accepted Pending Rejected";
const STATUS_INFO: &[Field] = &[
    must("reasonCode", Text(20)),
    may("additionalInfo", Text(512)),
];
const BOOT_NOTIFICATION_ANSWER: &[Field] = &[
    must("currentTime", Moment),
    must("interval", Whole),
    must("status", Word(REGISTRATION_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
];
const HEARTBEAT_ANSWER: &[Field] = &[must("currentTime", Moment)];
const CONNECTOR_STATUS_WORDS: &str = "Available Occupied Reserved Unavailable Faulted";
const STATUS_NOTIFICATION: &[Field] = &[
    must("timestamp", Moment),
    must("connectorStatus", Word(CONNECTOR_STATUS_WORDS)),
    must("evseId", Whole),
    must("connectorId", Whole),
];
const ADDITIONAL_INFO: &[Field] = &[must("additionalIdToken", Text(36)), must("type", Text(50))];
const ID_TOKEN_WORDS: &str =
    "Central eMAID ISO14443 ISO15693 KeyCode Local MacAddress NoAuthorization";
const ID_TOKEN: &[Field] = &[
    may("additionalInfo", many(&Within(ADDITIONAL_INFO))),
    must("idToken", Text(36)),
    must("type", Word(ID_TOKEN_WORDS)),
];
const HASH_ALGORITHM_WORDS: &str = "SHA256 SHA384 SHA512";
const OCSP_REQUEST_DATA: &[Field] = &[
    must("hashAlgorithm", Word(HASH_ALGORITHM_WORDS)),
    must("issuerNameHash", Text(128)),
    must("issuerKeyHash", Text(128)),
    must("serialNumber", Text(40)),
    must("responderURL", Text(512)),
];
const AUTHORIZE: &[Field] = &[
    must("idToken", Within(ID_TOKEN)),
    may("certificate", Text(5500)),
    may(
        "iso15118CertificateHashData",
        list(&Within(OCSP_REQUEST_DATA), 1, 4),
    ),
];
const AUTHORIZATION_STATUS_WORDS: &str = "Accepted Blocked ConcurrentTx Expired Invalid NoCredit NotAllowedTypeEVSE NotAtThisLocation \
    NotAtThisTime Unknown";
const MESSAGE_FORMAT_WORDS: &str = "ASCII HTML URI UTF8";
const MESSAGE_CONTENT: &[Field] = &[
    must("format", Word(MESSAGE_FORMAT_WORDS)),
    may("language", Text(8)),
    must("content", Text(512)),
];
const ID_TOKEN_INFO: &[Field] = &[
    must("status", Word(AUTHORIZATION_STATUS_WORDS)),
    may("cacheExpiryDateTime", Moment),
    may("chargingPriority", Whole),
    may("language1", Text(8)),
    may("evseId", many(&Whole)),
    may("groupIdToken", Within(ID_TOKEN)),
    may("language2", Text(8)),
    may("personalMessage", Within(MESSAGE_CONTENT)),
];
const AUTHORIZE_CERTIFICATE_STATUS_WORDS: &str = "Accepted SignatureError CertificateExpired CertificateRevoked NoCertificateAvailable \
    CertChainError ContractCancelled";
const AUTHORIZE_ANSWER: &[Field] = &[
    must("idTokenInfo", Within(ID_TOKEN_INFO)),
    may(
        "certificateStatus",
        Word(AUTHORIZE_CERTIFICATE_STATUS_WORDS),
    ),
];
const TRANSACTION_EVENT_WORDS: &str = "Ended Started Updated";
const READING_CONTEXT_WORDS: &str = "Interruption.Begin Interruption.End Other Sample.Clock Sample.Periodic Transaction.Begin \
    Transaction.End Trigger";
const MEASURAND_WORDS: &str = "Current.Export Current.Import Current.Offered Energy.Active.Export.Register \
    Energy.Active.Import.Register Energy.Reactive.Export.Register \
    Energy.Reactive.Import.Register Energy.Active.Export.Interval Energy.Active.Import.Interval \
    Energy.Active.Net Energy.Reactive.Export.Interval Energy.Reactive.Import.Interval \
    Energy.Reactive.Net Energy.Apparent.Net Energy.Apparent.Import Energy.Apparent.Export \
    Frequency Power.Active.Export Power.Active.Import Power.Factor Power.Offered \
    Power.Reactive.Export Power.Reactive.Import SoC Voltage";
const PHASE_WORDS: &str = "L1 L2 L3 N L1-N L2-N L3-N L1-L2 L2-L3 L3-L1";
const LOCATION_WORDS: &str = "Body Cable EV Inlet Outlet";
const SIGNED_METER_VALUE: &[Field] = &[
    must("signedMeterData", Text(2500)),
    must("signingMethod", Text(50)),
    must("encodingMethod", Text(50)),
    must("publicKey", Text(2500)),
];
const UNIT_OF_MEASURE: &[Field] = &[may("unit", Text(20)), may("multiplier", Whole)];
const SAMPLED_VALUE: &[Field] = &[
    must("value", Decimal),
    may("context", Word(READING_CONTEXT_WORDS)),
    may("measurand", Word(MEASURAND_WORDS)),
    may("phase", Word(PHASE_WORDS)),
    may("location", Word(LOCATION_WORDS)),
    may("signedMeterValue", Within(SIGNED_METER_VALUE)),
    may("unitOfMeasure", Within(UNIT_OF_MEASURE)),
];
const METER_VALUE: &[Field] = &[
    must("sampledValue", many(&Within(SAMPLED_VALUE))),
    must("timestamp", Moment),
];
const TRIGGER_REASON_WORDS: &str = "Authorized CablePluggedIn ChargingRateChanged ChargingStateChanged Deauthorized \
    EnergyLimitReached EVCommunicationLost EVConnectTimeout MeterValueClock MeterValuePeriodic \
    TimeLimitReached Trigger UnlockCommand StopAuthorized EVDeparted EVDetected RemoteStop \
    RemoteStart AbnormalCondition SignedDataReceived ResetCommand";
const CHARGING_STATE_WORDS: &str = "Charging EVConnected SuspendedEV SuspendedEVSE Idle";
const REASON_WORDS: &str = "DeAuthorized EmergencyStop EnergyLimitReached EVDisconnected GroundFault ImmediateReset \
    Local LocalOutOfCredit MasterPass Other OvercurrentFault PowerLoss PowerQuality Reboot \
    Remote SOCLimitReached StoppedByEV TimeLimitReached Timeout";
const TRANSACTION: &[Field] = &[
    must("transactionId", Text(36)),
    may("chargingState", Word(CHARGING_STATE_WORDS)),
    may("timeSpentCharging", Whole),
    may("stoppedReason", Word(REASON_WORDS)),
    may("remoteStartId", Whole),
];
const EVSE: &[Field] = &[must("id", Whole), may("connectorId", Whole)];
const TRANSACTION_EVENT: &[Field] = &[
    must("eventType", Word(TRANSACTION_EVENT_WORDS)),
    may("meterValue", many(&Within(METER_VALUE))),
    must("timestamp", Moment),
    must("triggerReason", Word(TRIGGER_REASON_WORDS)),
    must("seqNo", Whole),
    may("offline", Flag),
    may("numberOfPhasesUsed", Whole),
    may("cableMaxCurrent", Whole),
    may("reservationId", Whole),
    must("transactionInfo", Within(TRANSACTION)),
    may("evse", Within(EVSE)),
    may("idToken", Within(ID_TOKEN)),
];
const TRANSACTION_EVENT_ANSWER: &[Field] = &[
    may("totalCost", Decimal),
    may("chargingPriority", Whole),
    may("idTokenInfo", Within(ID_TOKEN_INFO)),
    may("updatedPersonalMessage", Within(MESSAGE_CONTENT)),
];
const METER_VALUES: &[Field] = &[
    must("evseId", Whole),
    must("meterValue", many(&Within(METER_VALUE))),
];
const DATA_TRANSFER: &[Field] = &[
    may("messageId", Text(50)),
    may("data", Anything),
    must("vendorId", Text(255)),
];
const DATA_TRANSFER_STATUS_WORDS: &str = "Accepted Rejected UnknownMessageId UnknownVendorId";
const DATA_TRANSFER_ANSWER: &[Field] = &[
    must("status", Word(DATA_TRANSFER_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
    may("data", Anything),
];
const FIRMWARE_STATUS_WORDS: &str = "Downloaded DownloadFailed Downloading DownloadScheduled DownloadPaused Idle \
    InstallationFailed Installing Installed InstallRebooting InstallScheduled \
    InstallVerificationFailed InvalidSignature SignatureVerified";
const FIRMWARE_STATUS_NOTIFICATION: &[Field] = &[
    must("status", Word(FIRMWARE_STATUS_WORDS)),
    may("requestId", Whole),
];
const SECURITY_EVENT_NOTIFICATION: &[Field] = &[
    must("type", Text(50)),
    must("timestamp", Moment),
    may("techInfo", Text(255)),
];
const UPLOAD_LOG_STATUS_WORDS: &str = "BadMessage Idle NotSupportedOperation PermissionDenied Uploaded UploadFailure Uploading \
    AcceptedCanceled";
const LOG_STATUS_NOTIFICATION: &[Field] = &[
    must("status", Word(UPLOAD_LOG_STATUS_WORDS)),
    may("requestId", Whole),
];
const CERTIFICATE_SIGNING_USE_WORDS: &str = "ChargingStationCertificate V2GCertificate";
const SIGN_CERTIFICATE: &[Field] = &[
    must("csr", Text(5500)),
    may("certificateType", Word(CERTIFICATE_SIGNING_USE_WORDS)),
];
const GENERIC_STATUS_WORDS: &str = "Accepted Rejected";
const SIGN_CERTIFICATE_ANSWER: &[Field] = &[
    must("status", Word(GENERIC_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
];
const COMPONENT: &[Field] = &[
    may("evse", Within(EVSE)),
    must("name", Text(50)),
    may("instance", Text(50)),
];
const VARIABLE: &[Field] = &[must("name", Text(50)), may("instance", Text(50))];
const ATTRIBUTE_WORDS: &str = "Actual Target MinSet MaxSet";
const MUTABILITY_WORDS: &str = "ReadOnly WriteOnly ReadWrite";
const VARIABLE_ATTRIBUTE: &[Field] = &[
    may("type", Word(ATTRIBUTE_WORDS)),
    may("value", Text(2500)),
    may("mutability", Word(MUTABILITY_WORDS)),
    may("persistent", Flag),
    may("constant", Flag),
];
const DATA_WORDS: &str =
    "string decimal integer dateTime boolean OptionList SequenceList MemberList";
const VARIABLE_CHARACTERISTICS: &[Field] = &[
    may("unit", Text(16)),
    must("dataType", Word(DATA_WORDS)),
    may("minLimit", Decimal),
    may("maxLimit", Decimal),
    may("valuesList", Text(1000)),
    must("supportsMonitoring", Flag),
];
const REPORT_DATA: &[Field] = &[
    must("component", Within(COMPONENT)),
    must("variable", Within(VARIABLE)),
    must("variableAttribute", list(&Within(VARIABLE_ATTRIBUTE), 1, 4)),
    may("variableCharacteristics", Within(VARIABLE_CHARACTERISTICS)),
];
const NOTIFY_REPORT: &[Field] = &[
    must("requestId", Whole),
    must("generatedAt", Moment),
    may("reportData", many(&Within(REPORT_DATA))),
    may("tbc", Flag),
    must("seqNo", Whole),
];
const EVENT_TRIGGER_WORDS: &str = "Alerting Delta Periodic";
const EVENT_NOTIFICATION_WORDS: &str =
    "HardWiredNotification HardWiredMonitor PreconfiguredMonitor CustomMonitor";
const EVENT_DATA: &[Field] = &[
    must("eventId", Whole),
    must("timestamp", Moment),
    must("trigger", Word(EVENT_TRIGGER_WORDS)),
    may("cause", Whole),
    must("actualValue", Text(2500)),
    may("techCode", Text(50)),
    may("techInfo", Text(500)),
    may("cleared", Flag),
    may("transactionId", Text(36)),
    must("component", Within(COMPONENT)),
    may("variableMonitoringId", Whole),
    must("eventNotificationType", Word(EVENT_NOTIFICATION_WORDS)),
    must("variable", Within(VARIABLE)),
];
const NOTIFY_EVENT: &[Field] = &[
    must("generatedAt", Moment),
    may("tbc", Flag),
    must("seqNo", Whole),
    must("eventData", many(&Within(EVENT_DATA))),
];
const RESERVATION_UPDATE_STATUS_WORDS: &str = "Expired Removed";
const RESERVATION_STATUS_UPDATE: &[Field] = &[
    must("reservationId", Whole),
    must(
        "reservationUpdateStatus",
        Word(RESERVATION_UPDATE_STATUS_WORDS),
    ),
];
const CHARGING_LIMIT_SOURCE_WORDS: &str = "EMS Other SO CSO";
const CHARGING_PROFILE_PURPOSE_WORDS: &str =
    "ChargingStationExternalConstraints ChargingStationMaxProfile TxDefaultProfile TxProfile";
const CHARGING_PROFILE_KIND_WORDS: &str = "Absolute Recurring Relative";
const RECURRENCY_KIND_WORDS: &str = "Daily Weekly";
const CHARGING_RATE_UNIT_WORDS: &str = "W A";
const CHARGING_SCHEDULE_PERIOD: &[Field] = &[
    must("startPeriod", Whole),
    must("limit", Decimal),
    may("numberPhases", Whole),
    may("phaseToUse", Whole),
];
const RELATIVE_TIME_INTERVAL: &[Field] = &[must("start", Whole), may("duration", Whole)];
const COST_KIND_WORDS: &str =
    "CarbonDioxideEmission RelativePricePercentage RenewableGenerationPercentage";
const COST: &[Field] = &[
    must("costKind", Word(COST_KIND_WORDS)),
    must("amount", Whole),
    may("amountMultiplier", Whole),
];
const CONSUMPTION_COST: &[Field] = &[
    must("startValue", Decimal),
    must("cost", list(&Within(COST), 1, 3)),
];
const SALES_TARIFF_ENTRY: &[Field] = &[
    must("relativeTimeInterval", Within(RELATIVE_TIME_INTERVAL)),
    may("ePriceLevel", Whole),
    may("consumptionCost", list(&Within(CONSUMPTION_COST), 1, 3)),
];
const SALES_TARIFF: &[Field] = &[
    must("id", Whole),
    may("salesTariffDescription", Text(32)),
    may("numEPriceLevels", Whole),
    must(
        "salesTariffEntry",
        list(&Within(SALES_TARIFF_ENTRY), 1, 1024),
    ),
];
const CHARGING_SCHEDULE: &[Field] = &[
    must("id", Whole),
    may("startSchedule", Moment),
    may("duration", Whole),
    must("chargingRateUnit", Word(CHARGING_RATE_UNIT_WORDS)),
    must(
        "chargingSchedulePeriod",
        list(&Within(CHARGING_SCHEDULE_PERIOD), 1, 1024),
    ),
    may("minChargingRate", Decimal),
    may("salesTariff", Within(SALES_TARIFF)),
];
const CHARGING_PROFILE: &[Field] = &[
    must("id", Whole),
    must("stackLevel", Whole),
    must(
        "chargingProfilePurpose",
        Word(CHARGING_PROFILE_PURPOSE_WORDS),
    ),
    must("chargingProfileKind", Word(CHARGING_PROFILE_KIND_WORDS)),
    may("recurrencyKind", Word(RECURRENCY_KIND_WORDS)),
    may("validFrom", Moment),
    may("validTo", Moment),
    must("chargingSchedule", list(&Within(CHARGING_SCHEDULE), 1, 3)),
    may("transactionId", Text(36)),
];
const REPORT_CHARGING_PROFILES: &[Field] = &[
    must("requestId", Whole),
    must("chargingLimitSource", Word(CHARGING_LIMIT_SOURCE_WORDS)),
    must("chargingProfile", many(&Within(CHARGING_PROFILE))),
    may("tbc", Flag),
    must("evseId", Whole),
];
const CLEARED_CHARGING_LIMIT: &[Field] = &[
    must("chargingLimitSource", Word(CHARGING_LIMIT_SOURCE_WORDS)),
    may("evseId", Whole),
];
const CHARGING_LIMIT: &[Field] = &[
    must("chargingLimitSource", Word(CHARGING_LIMIT_SOURCE_WORDS)),
    may("isGridCritical", Flag),
];
const NOTIFY_CHARGING_LIMIT: &[Field] = &[
    may("chargingSchedule", many(&Within(CHARGING_SCHEDULE))),
    may("evseId", Whole),
    must("chargingLimit", Within(CHARGING_LIMIT)),
];
const REQUEST_START_TRANSACTION: &[Field] = &[
    may("evseId", Whole),
    may("groupIdToken", Within(ID_TOKEN)),
    must("idToken", Within(ID_TOKEN)),
    must("remoteStartId", Whole),
    may("chargingProfile", Within(CHARGING_PROFILE)),
];
const REQUEST_START_TRANSACTION_ANSWER: &[Field] = &[
    must("status", Word(GENERIC_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
    may("transactionId", Text(36)),
];
const REQUEST_STOP_TRANSACTION: &[Field] = &[must("transactionId", Text(36))];
const CONNECTOR_WORDS: &str = "cCCS1 cCCS2 cG105 cTesla cType1 cType2 s309-1P-16A s309-1P-32A s309-3P-16A s309-3P-32A \
    sBS1361 sCEE-7-7 sType2 sType3 Other1PhMax16A Other1PhOver16A Other3Ph Pan wInductive \
    wResonant Undetermined Unknown";
const RESERVE_NOW: &[Field] = &[
    must("id", Whole),
    must("expiryDateTime", Moment),
    may("connectorType", Word(CONNECTOR_WORDS)),
    must("idToken", Within(ID_TOKEN)),
    may("evseId", Whole),
    may("groupIdToken", Within(ID_TOKEN)),
];
const RESERVE_NOW_STATUS_WORDS: &str = "Accepted Faulted Occupied Rejected Unavailable";
const RESERVE_NOW_ANSWER: &[Field] = &[
    must("status", Word(RESERVE_NOW_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
];
const CANCEL_RESERVATION: &[Field] = &[must("reservationId", Whole)];
const SET_CHARGING_PROFILE: &[Field] = &[
    must("evseId", Whole),
    must("chargingProfile", Within(CHARGING_PROFILE)),
];
const CLEAR_CHARGING_PROFILE: &[Field] = &[
    may("evseId", Whole),
    may(
        "chargingProfilePurpose",
        Word(CHARGING_PROFILE_PURPOSE_WORDS),
    ),
    may("stackLevel", Whole),
];
const CLEAR_CHARGING_PROFILE_2: &[Field] = &[
    may("chargingProfileId", Whole),
    may("chargingProfileCriteria", Within(CLEAR_CHARGING_PROFILE)),
];
const CLEAR_CHARGING_PROFILE_STATUS_WORDS: &str = "Accepted Unknown";
const CLEAR_CHARGING_PROFILE_ANSWER: &[Field] = &[
    must("status", Word(CLEAR_CHARGING_PROFILE_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
];
const GET_COMPOSITE_SCHEDULE: &[Field] = &[
    must("duration", Whole),
    may("chargingRateUnit", Word(CHARGING_RATE_UNIT_WORDS)),
    must("evseId", Whole),
];
const COMPOSITE_SCHEDULE: &[Field] = &[
    must(
        "chargingSchedulePeriod",
        many(&Within(CHARGING_SCHEDULE_PERIOD)),
    ),
    must("evseId", Whole),
    must("duration", Whole),
    must("scheduleStart", Moment),
    must("chargingRateUnit", Word(CHARGING_RATE_UNIT_WORDS)),
];
const GET_COMPOSITE_SCHEDULE_ANSWER: &[Field] = &[
    must("status", Word(GENERIC_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
    may("schedule", Within(COMPOSITE_SCHEDULE)),
];
const FIRMWARE: &[Field] = &[
    must("location", Text(512)),
    must("retrieveDateTime", Moment),
    may("installDateTime", Moment),
    may("signingCertificate", Text(5500)),
    may("signature", Text(800)),
];
const UPDATE_FIRMWARE: &[Field] = &[
    may("retries", Whole),
    may("retryInterval", Whole),
    must("requestId", Whole),
    must("firmware", Within(FIRMWARE)),
];
const UPDATE_FIRMWARE_STATUS_WORDS: &str =
    "Accepted Rejected AcceptedCanceled InvalidCertificate RevokedCertificate";
const UPDATE_FIRMWARE_ANSWER: &[Field] = &[
    must("status", Word(UPDATE_FIRMWARE_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
];
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
    may("statusInfo", Within(STATUS_INFO)),
    may("filename", Text(255)),
];
const MESSAGE_TRIGGER_WORDS: &str = "BootNotification LogStatusNotification FirmwareStatusNotification Heartbeat MeterValues \
    SignChargingStationCertificate SignV2GCertificate StatusNotification TransactionEvent \
    SignCombinedCertificate PublishFirmwareStatusNotification";
const TRIGGER_MESSAGE: &[Field] = &[
    may("evse", Within(EVSE)),
    must("requestedMessage", Word(MESSAGE_TRIGGER_WORDS)),
];
const TRIGGER_MESSAGE_STATUS_WORDS: &str = "Accepted Rejected NotImplemented";
const TRIGGER_MESSAGE_ANSWER: &[Field] = &[
    must("status", Word(TRIGGER_MESSAGE_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
];
const OPERATIONAL_STATUS_WORDS: &str = "Inoperative Operative";
const CHANGE_AVAILABILITY: &[Field] = &[
    may("evse", Within(EVSE)),
    must("operationalStatus", Word(OPERATIONAL_STATUS_WORDS)),
];
const CHANGE_AVAILABILITY_STATUS_WORDS: &str = "Accepted Rejected Scheduled";
const CHANGE_AVAILABILITY_ANSWER: &[Field] = &[
    must("status", Word(CHANGE_AVAILABILITY_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
];
const UNLOCK_CONNECTOR: &[Field] = &[must("evseId", Whole), must("connectorId", Whole)];
const UNLOCK_STATUS_WORDS: &str =
    "Unlocked UnlockFailed OngoingAuthorizedTransaction UnknownConnector";
const UNLOCK_CONNECTOR_ANSWER: &[Field] = &[
    must("status", Word(UNLOCK_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
];
const RESET_WORDS: &str = "Immediate OnIdle";
const RESET: &[Field] = &[must("type", Word(RESET_WORDS)), may("evseId", Whole)];
const GET_VARIABLE_DATA: &[Field] = &[
    may("attributeType", Word(ATTRIBUTE_WORDS)),
    must("component", Within(COMPONENT)),
    must("variable", Within(VARIABLE)),
];
const GET_VARIABLES: &[Field] = &[must("getVariableData", many(&Within(GET_VARIABLE_DATA)))];
const GET_VARIABLE_STATUS_WORDS: &str =
    "Accepted Rejected UnknownComponent UnknownVariable NotSupportedAttributeType";
const GET_VARIABLE_RESULT: &[Field] = &[
    may("attributeStatusInfo", Within(STATUS_INFO)),
    must("attributeStatus", Word(GET_VARIABLE_STATUS_WORDS)),
    may("attributeType", Word(ATTRIBUTE_WORDS)),
    may("attributeValue", Text(2500)),
    must("component", Within(COMPONENT)),
    must("variable", Within(VARIABLE)),
];
const GET_VARIABLES_ANSWER: &[Field] = &[must(
    "getVariableResult",
    many(&Within(GET_VARIABLE_RESULT)),
)];
const SET_VARIABLE_DATA: &[Field] = &[
    may("attributeType", Word(ATTRIBUTE_WORDS)),
    must("attributeValue", Text(1000)),
    must("component", Within(COMPONENT)),
    must("variable", Within(VARIABLE)),
];
const SET_VARIABLES: &[Field] = &[must("setVariableData", many(&Within(SET_VARIABLE_DATA)))];
const SET_VARIABLE_STATUS_WORDS: &str =
    "Accepted Rejected UnknownComponent UnknownVariable NotSupportedAttributeType RebootRequired";
const SET_VARIABLE_RESULT: &[Field] = &[
    may("attributeType", Word(ATTRIBUTE_WORDS)),
    must("attributeStatus", Word(SET_VARIABLE_STATUS_WORDS)),
    may("attributeStatusInfo", Within(STATUS_INFO)),
    must("component", Within(COMPONENT)),
    must("variable", Within(VARIABLE)),
];
const SET_VARIABLES_ANSWER: &[Field] = &[must(
    "setVariableResult",
    many(&Within(SET_VARIABLE_RESULT)),
)];
const REPORT_BASE_WORDS: &str = "ConfigurationInventory FullInventory SummaryInventory";
const GET_BASE_REPORT: &[Field] = &[
    must("requestId", Whole),
    must("reportBase", Word(REPORT_BASE_WORDS)),
];
const GENERIC_DEVICE_MODEL_STATUS_WORDS: &str = "Accepted Rejected NotSupported EmptyResultSet";
const GET_BASE_REPORT_ANSWER: &[Field] = &[
    must("status", Word(GENERIC_DEVICE_MODEL_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
];
const GET_TRANSACTION_STATUS: &[Field] = &[may("transactionId", Text(36))];
const GET_TRANSACTION_STATUS_ANSWER: &[Field] =
    &[may("ongoingIndicator", Flag), must("messagesInQueue", Flag)];
const GET_LOCAL_LIST_VERSION_ANSWER: &[Field] = &[must("versionNumber", Whole)];
const AUTHORIZATION_DATA: &[Field] = &[
    must("idToken", Within(ID_TOKEN)),
    may("idTokenInfo", Within(ID_TOKEN_INFO)),
];
const UPDATE_WORDS: &str = "Differential Full";
const SEND_LOCAL_LIST: &[Field] = &[
    may("localAuthorizationList", many(&Within(AUTHORIZATION_DATA))),
    must("versionNumber", Whole),
    must("updateType", Word(UPDATE_WORDS)),
];
const SEND_LOCAL_LIST_STATUS_WORDS: &str = "Accepted Failed VersionMismatch";
const SEND_LOCAL_LIST_ANSWER: &[Field] = &[
    must("status", Word(SEND_LOCAL_LIST_STATUS_WORDS)),
    may("statusInfo", Within(STATUS_INFO)),
];
const CERTIFICATE_SIGNED: &[Field] = &[
    must("certificateChain", Text(10000)),
    may("certificateType", Word(CERTIFICATE_SIGNING_USE_WORDS)),
];

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
        "TransactionEvent",
        TRANSACTION_EVENT,
        TRANSACTION_EVENT_ANSWER,
    ),
    action("MeterValues", METER_VALUES, NOTHING),
    action("DataTransfer", DATA_TRANSFER, DATA_TRANSFER_ANSWER),
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
    action("NotifyReport", NOTIFY_REPORT, NOTHING),
    action("NotifyEvent", NOTIFY_EVENT, NOTHING),
    action(
        "ReservationStatusUpdate",
        RESERVATION_STATUS_UPDATE,
        NOTHING,
    ),
    action("ReportChargingProfiles", REPORT_CHARGING_PROFILES, NOTHING),
    action("ClearedChargingLimit", CLEARED_CHARGING_LIMIT, NOTHING),
    action("NotifyChargingLimit", NOTIFY_CHARGING_LIMIT, NOTHING),
];
/// What a station is asked.
pub const TO_STATION: &[Action] = &[
    action(
        "RequestStartTransaction",
        REQUEST_START_TRANSACTION,
        REQUEST_START_TRANSACTION_ANSWER,
    ),
    action(
        "RequestStopTransaction",
        REQUEST_STOP_TRANSACTION,
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
        SIGN_CERTIFICATE_ANSWER,
    ),
    action(
        "ClearChargingProfile",
        CLEAR_CHARGING_PROFILE_2,
        CLEAR_CHARGING_PROFILE_ANSWER,
    ),
    action(
        "GetCompositeSchedule",
        GET_COMPOSITE_SCHEDULE,
        GET_COMPOSITE_SCHEDULE_ANSWER,
    ),
    action("UpdateFirmware", UPDATE_FIRMWARE, UPDATE_FIRMWARE_ANSWER),
    action("GetLog", GET_LOG, GET_LOG_ANSWER),
    action("TriggerMessage", TRIGGER_MESSAGE, TRIGGER_MESSAGE_ANSWER),
    action(
        "ChangeAvailability",
        CHANGE_AVAILABILITY,
        CHANGE_AVAILABILITY_ANSWER,
    ),
    action("UnlockConnector", UNLOCK_CONNECTOR, UNLOCK_CONNECTOR_ANSWER),
    action("Reset", RESET, CHANGE_AVAILABILITY_ANSWER),
    action("GetVariables", GET_VARIABLES, GET_VARIABLES_ANSWER),
    action("SetVariables", SET_VARIABLES, SET_VARIABLES_ANSWER),
    action("GetBaseReport", GET_BASE_REPORT, GET_BASE_REPORT_ANSWER),
    action(
        "GetTransactionStatus",
        GET_TRANSACTION_STATUS,
        GET_TRANSACTION_STATUS_ANSWER,
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
