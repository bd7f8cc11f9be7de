//! What stations tell of a charge, in one shape whatever the door (OCPP 1.6 and 2.0.1, T/CEC 102): an event with its time and, where
//! it has one, the energy register. Times and registers are the station's own words; `received` is ours.

use crate::money::Wh;
use model::problem::{both, quote};
use model::{Timestamp, Told};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest name of a station, transaction or card, bytes. OCPP 2.0.1 has 48, 36 and 36.
pub const NAME_BYTES_MAX: usize = 128;
/// Highest register, Wh: 1 TWh. A meter with eight digits of kWh turns over at a tenth of it.
pub const REGISTER_MAX: Wh = Wh(1_000_000_000_000);

/// The earliest and the latest time that an event may have: 1900 and 2200. Wrong clocks within them are doubts of the session.
pub const TIMES: [Timestamp; 2] = [
    Timestamp::from_seconds(-2_208_988_800),
    Timestamp::from_seconds(7_258_118_400),
];

/// Which charge: transaction ids are given by stations (OCPP 2.0.1) or by us (1.6), and are good within one station.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// The station's identity.
    pub station: String,
    /// The transaction's.
    pub transaction: String,
}

impl SessionKey {
    /// The key of a text as [`fmt::Display`] writes it: the id of a bill.
    pub fn named(text: &str) -> Option<Self> {
        let plain = |text: &str| text.replace("%2F", "/").replace("%25", "%");
        let (station, transaction) = text.split_once('/')?;
        Some(Self {
            station: plain(station),
            transaction: plain(transaction),
        })
    }
}

impl fmt::Display for SessionKey {
    /// `station/transaction`, with `/` and `%` of either written as `%2F` and `%25`, so that no two keys look the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |text: &str| text.replace('%', "%25").replace('/', "%2F");
        write!(
            f,
            "{}/{}",
            escaped(&self.station),
            escaped(&self.transaction)
        )
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// The bay was taken, or the cable put in: parking time begins.
    Arrived,
    /// The charge began; the register is the first one.
    Started,
    /// Who charges was told after the start: the cable came first, the card then (OCPP 2.0.1).
    Identified,
    /// A register in between.
    Reading,
    /// The vehicle takes no more (OCPP `SuspendedEV`, `Finishing`): the time of the occupancy fee (占位费) begins, if nothing is
    /// charged any more after it.
    Full,
    /// The charge ended; the register is the last one.
    Ended,
    /// The bay was left, or the cable taken out.
    Left,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Arrived,
        Self::Started,
        Self::Identified,
        Self::Reading,
        Self::Full,
        Self::Ended,
        Self::Left,
    ];

    /// Its word in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Started => "started",
            Self::Identified => "identified",
            Self::Reading => "reading",
            Self::Full => "full",
            Self::Ended => "ended",
            Self::Left => "left",
        }
    }

    /// The kind of a word in rows.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One thing told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Which charge.
    pub key: SessionKey,
    /// The connector, from 1; 0 where the event does not say it, as a stop of OCPP 1.6 whose start is not remembered.
    pub connector: u32,
    /// What happened.
    pub kind: EventKind,
    /// When, by the station's clock; some tell energy without time.
    pub at: Option<Timestamp>,
    /// The energy register of the meter (not of the charge), Wh.
    pub register: Option<Wh>,
    /// Who charges, where the event says so.
    pub card: Option<String>,
    /// When it reached us.
    pub received: Timestamp,
}

impl Event {
    /// What no session takes in: an event that names nothing, or whose register is none.
    ///
    /// # Errors
    /// `charging-name`: station, transaction or card is empty, longer than [`NAME_BYTES_MAX`] or has control characters.
    /// `charging-time`: the time is outside [`TIMES`].
    /// `charging-register`: the register is negative or above [`REGISTER_MAX`], or a reading has none.
    pub fn check(&self) -> Result<(), Told> {
        name(&self.key.station, "充电站", "station")?;
        name(&self.key.transaction, "交易编号", "transaction")?;
        if let Some(card) = &self.card {
            name(card, "卡号", "card")?;
        }
        let place = both(
            format!("订单 {}", self.key),
            format!("session {}", self.key),
        );
        let [earliest, latest] = TIMES;
        if let Some(at) = self.at.filter(|at| *at < earliest || *at > latest) {
            return Err(Told::new(
                "charging-time",
                both(
                    format!("时间 {at} 不可能"),
                    format!("the time {at} is none"),
                ),
                place,
                both("请校准充电桩时钟", "set the station's clock"),
            ));
        }
        match self.register {
            None if self.kind == EventKind::Reading => Err(Told::new(
                "charging-register",
                both("电表读数没有电量", "a reading has no register"),
                place,
                both(
                    "请让充电桩发送 Energy.Active.Import.Register",
                    "let the station send Energy.Active.Import.Register",
                ),
            )),
            Some(register) if register < Wh(0) || register > REGISTER_MAX => Err(Told::new(
                "charging-register",
                both(
                    format!("电表示数 {} Wh 超出范围", register.0),
                    format!("the register is {} Wh", register.0),
                ),
                place,
                both(
                    format!(
                        "电表示数应在 0 到 {} Wh 之间，请检查单位和电表",
                        REGISTER_MAX.0
                    ),
                    format!(
                        "a register is 0 to {} Wh: look at its unit and at the meter",
                        REGISTER_MAX.0
                    ),
                ),
            )),
            _ => Ok(()),
        }
    }
}

fn name(text: &str, zh: &str, en: &str) -> Result<(), Told> {
    if !text.is_empty() && text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Told::new(
        "charging-name",
        both(
            format!("“{}”不能作名称", quote(text)),
            format!("\"{}\" names nothing", quote(text)),
        ),
        both(zh, en),
        both(
            format!("请写 1 到 {NAME_BYTES_MAX} 字节，不含控制字符"),
            format!("write 1 to {NAME_BYTES_MAX} bytes without control characters"),
        ),
    ))
}
