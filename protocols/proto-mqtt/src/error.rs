//! Reason codes (MQTT 5, 2.4) and faults: why a connection must end.

use model::Problem;

/// A reason code of MQTT 5. MQTT 3.1.1 has its own few; [`Reason::connack_v311`] maps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason(pub u8);

#[allow(missing_docs)]
impl Reason {
    pub const SUCCESS: Self = Self(0x00);
    pub const DISCONNECT_WITH_WILL: Self = Self(0x04);
    pub const NO_SUBSCRIPTION_EXISTED: Self = Self(0x11);
    pub const MALFORMED: Self = Self(0x81);
    pub const PROTOCOL_ERROR: Self = Self(0x82);
    pub const IMPLEMENTATION_SPECIFIC: Self = Self(0x83);
    pub const UNSUPPORTED_VERSION: Self = Self(0x84);
    pub const CLIENT_ID_INVALID: Self = Self(0x85);
    pub const BAD_CREDENTIALS: Self = Self(0x86);
    pub const NOT_AUTHORISED: Self = Self(0x87);
    pub const SERVER_UNAVAILABLE: Self = Self(0x88);
    pub const SERVER_BUSY: Self = Self(0x89);
    pub const SERVER_SHUTTING_DOWN: Self = Self(0x8B);
    pub const BAD_AUTHENTICATION_METHOD: Self = Self(0x8C);
    pub const KEEP_ALIVE_TIMEOUT: Self = Self(0x8D);
    pub const SESSION_TAKEN_OVER: Self = Self(0x8E);
    pub const TOPIC_FILTER_INVALID: Self = Self(0x8F);
    pub const TOPIC_NAME_INVALID: Self = Self(0x90);
    pub const PACKET_ID_NOT_FOUND: Self = Self(0x92);
    pub const RECEIVE_MAXIMUM_EXCEEDED: Self = Self(0x93);
    pub const TOPIC_ALIAS_INVALID: Self = Self(0x94);
    pub const PACKET_TOO_LARGE: Self = Self(0x95);
    pub const QUOTA_EXCEEDED: Self = Self(0x97);
    pub const PAYLOAD_FORMAT_INVALID: Self = Self(0x99);
    pub const SHARED_SUBSCRIPTIONS_NOT_SUPPORTED: Self = Self(0x9E);
    pub const CONNECTION_RATE_EXCEEDED: Self = Self(0x9F);
}

impl Reason {
    /// Whether the code tells of a failure (0x80 and above).
    pub const fn is_failure(self) -> bool {
        self.0 >= 0x80
    }

    /// The CONNACK return code of MQTT 3.1.1 (table 3.1) nearest to this reason.
    pub const fn connack_v311(self) -> u8 {
        match self {
            Self::SUCCESS => 0,
            Self::UNSUPPORTED_VERSION => 1,
            Self::CLIENT_ID_INVALID => 2,
            Self::BAD_CREDENTIALS => 4,
            Self::NOT_AUTHORISED | Self::TOPIC_NAME_INVALID => 5,
            _ => 3,
        }
    }
}

/// Why a connection must end.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What a DISCONNECT or CONNACK of MQTT 5 says.
    pub reason: Reason,
    /// What is wrong, for the log.
    pub problem: Problem,
}

impl Fault {
    /// A packet that breaks the format (0x81).
    pub fn malformed(what: impl Into<String>, place: impl Into<String>) -> Self {
        Self::of(
            Reason::MALFORMED,
            "mqtt-malformed",
            what,
            place,
            "check the client's MQTT library; the packet breaks the standard's format",
        )
    }

    /// A packet that is well formed and not allowed here (0x82).
    pub fn protocol(what: impl Into<String>, place: impl Into<String>) -> Self {
        Self::of(
            Reason::PROTOCOL_ERROR,
            "mqtt-protocol",
            what,
            place,
            "check the client's MQTT library; the packet is not allowed at this point",
        )
    }

    /// Any other fault.
    pub fn of(
        reason: Reason,
        code: &str,
        what: impl Into<String>,
        place: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            problem: Problem::new(code, what, place, mend),
        }
    }
}
