//! Elements (要素, annex C): an identifier of two bytes, leader and definition (6.6.3.2), and data whose length and decimals
//! the definition tells; or, in ASCII, a word and a text. What is kept is what came, so that it is written back unchanged;
//! [`Element::value`] reads it.

use crate::table::{self, Known};
use std::fmt;

/// Leader of an observation time (TT).
pub const OBSERVED: u8 = 0xF0;
/// Leader of a station's address (ST).
pub const STATION: u8 = 0xF1;
/// Leader of what a person typed in (RGZS).
pub const MANUAL: u8 = 0xF2;
/// Leader of a picture (PIC).
pub const PICTURE: u8 = 0xF3;
/// Leader of twelve rain figures of five minutes each (DRP).
pub const RAIN_HOUR: u8 = 0xF4;
/// Leader of twelve relative stages, five minutes apart (DRZ1); up to FCH for stages 2 to 8.
pub const STAGE_HOUR: u8 = 0xF5;
/// Leader of stage 8's twelve.
pub const STAGE_HOUR_LAST: u8 = 0xFC;
/// Leader of velocities in bulk (DATA); its data go to the end of the body.
pub const VELOCITIES: u8 = 0xFD;
/// Leader of the time step (DRxnn).
pub const STEP: u8 = 0x04;
/// Leader of state and alarms (ZT).
pub const STATUS: u8 = 0x45;
/// Leader of an element that somebody else defines; its code stands in the next byte.
pub const EXTENDED: u8 = 0xFF;
/// Values in a block of an hour.
pub const HOUR_VALUES: usize = 12;
/// Digits of a number that fit exactly.
const DIGITS_MAX: usize = 18;

/// An identifier (标识符): what the data are and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identifier {
    /// Leader (引导符).
    pub leader: u8,
    /// The code after leader FF.
    pub extended: Option<u8>,
    /// Definition (数据定义): five bits length, three bits decimals.
    pub definition: u8,
}

impl Identifier {
    /// An identifier of table C.1 for data of `bytes` bytes with `decimals` digits behind the point.
    pub const fn new(leader: u8, bytes: u8, decimals: u8) -> Self {
        Self {
            leader,
            extended: None,
            definition: bytes << 3 | decimals & 7,
        }
    }

    /// Length of the data, in bytes, the sign included: 0 to 31.
    pub const fn data_bytes(self) -> usize {
        (self.definition >> 3) as usize
    }

    /// Digits behind the point, 0 to 7.
    pub const fn decimals(self) -> u8 {
        self.definition & 7
    }

    /// What table C.1 says of it, when it is one number.
    pub fn known(self) -> Option<&'static Known> {
        match self.extended {
            Some(_) => None,
            None => table::by_code(self.leader),
        }
    }

    /// Writes it.
    pub fn put(self, out: &mut Vec<u8>) {
        out.push(self.leader);
        out.extend(self.extended);
        out.push(self.definition);
    }

    /// The code as people write it: `39`, or `FF07` for one that somebody else defines.
    pub fn code(self) -> String {
        match self.extended {
            Some(extended) => format!("FF{extended:02X}"),
            None => format!("{:02X}", self.leader),
        }
    }
}

/// Data of an element, as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// HEX/BCD.
    Hex(Vec<u8>),
    /// ASCII: the text between two spaces.
    Ascii(String),
}

/// One element with its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// What it is.
    pub identifier: Identifier,
    /// ASCII only: the word that stood there, when it is none of table C.1 or holds more than a name (DRxnn).
    pub word: Option<String>,
    /// What it says.
    pub data: Data,
}

/// A number with its digits behind the point, exactly as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// The number without its point.
    pub unscaled: i64,
    /// Digits behind the point.
    pub decimals: u8,
}

impl Decimal {
    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        // Both are exact, so that the quotient is the nearest double to the decimal number.
        self.unscaled as f64 / 10_f64.powi(i32::from(self.decimals))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = usize::from(self.decimals);
        let digits = self.unscaled.unsigned_abs().to_string();
        let padded = format!("{digits:0>width$}", width = decimals + 1);
        let (whole, fraction) = padded.split_at(padded.len() - decimals);
        let sign = if self.unscaled < 0 { "-" } else { "" };
        match fraction {
            "" => write!(f, "{sign}{whole}"),
            fraction => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}

/// A time step (时间步长码, tables C.2 and C.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Days.
    pub days: u8,
    /// Hours.
    pub hours: u8,
    /// Minutes.
    pub minutes: u8,
}

impl Step {
    /// Its length; `None` for the special step of all zeros, which goes with blocks of an hour.
    pub fn seconds(self) -> Option<i64> {
        let hours = i64::from(self.days) * 24 + i64::from(self.hours);
        let seconds = (hours * 60 + i64::from(self.minutes)) * 60;
        (seconds > 0).then_some(seconds)
    }
}

/// What an element's data say.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// A number.
    Number(Decimal),
    /// The station has no value (all FF or AA; M in ASCII).
    Missing,
    /// Twelve values, five minutes apart; `None` where the station has none.
    Hour(Vec<Option<Decimal>>),
    /// State and alarms (table 58).
    Status(u32),
    /// A time step.
    Step(Step),
    /// Bytes whose meaning the standard leaves to others.
    Bytes(Vec<u8>),
    /// Not of the form that it should have; says why.
    Unreadable(&'static str),
}

impl Element {
    /// An element of HEX/BCD.
    pub fn hex(identifier: Identifier, data: &[u8]) -> Self {
        Self {
            identifier,
            word: None,
            data: Data::Hex(data.to_vec()),
        }
    }

    /// A number in HEX/BCD; `None` when it has more digits than fit.
    pub fn number(leader: u8, bytes: u8, value: Decimal) -> Option<Self> {
        let data = put_bcd(value.unscaled, usize::from(bytes))?;
        let identifier = Identifier::new(leader, bytes, value.decimals);
        Some(Self::hex(identifier, &data))
    }

    /// What it says.
    pub fn value(&self) -> Reading {
        match &self.data {
            Data::Hex(data) => read_hex(self.identifier, data),
            Data::Ascii(text) => read_ascii(self, text),
        }
    }
}

/// Reads data of HEX/BCD as their identifier tells.
pub fn read_hex(identifier: Identifier, data: &[u8]) -> Reading {
    if identifier.extended.is_some() {
        return match bcd(data) {
            Some(unscaled) => Reading::Number(Decimal {
                unscaled,
                decimals: identifier.decimals(),
            }),
            None => Reading::Bytes(data.to_vec()),
        };
    }
    match identifier.leader {
        RAIN_HOUR => hour(data, 1),
        STAGE_HOUR..=STAGE_HOUR_LAST => hour(data, 2),
        STATUS => match <[u8; 4]>::try_from(data) {
            Ok(bytes) => Reading::Status(u32::from_be_bytes(bytes)),
            Err(_) => Reading::Unreadable("state and alarms are four bytes"),
        },
        STEP => match data
            .iter()
            .map(|byte| bcd_byte(*byte))
            .collect::<Option<Vec<_>>>()
        {
            Some(fields) if fields.len() == 3 => Reading::Step(Step {
                days: fields.first().copied().unwrap_or_default(),
                hours: fields.get(1).copied().unwrap_or_default(),
                minutes: fields.get(2).copied().unwrap_or_default(),
            }),
            _ => Reading::Unreadable("a time step is three bytes BCD"),
        },
        VELOCITIES => Reading::Bytes(data.to_vec()),
        _ if is_missing(data) => Reading::Missing,
        _ => match bcd(data) {
            Some(unscaled) => Reading::Number(Decimal {
                unscaled,
                decimals: identifier.decimals(),
            }),
            None => Reading::Unreadable("the data are no BCD digits"),
        },
    }
}

fn hour(data: &[u8], width: usize) -> Reading {
    if data.len() != HOUR_VALUES * width {
        return Reading::Unreadable("a block of an hour has twelve values");
    }
    let value = |bytes: &[u8]| {
        let unscaled = bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | i64::from(*byte));
        let is_missing = bytes.iter().all(|byte| *byte == 0xFF);
        // 0.1 mm in one byte, 0.01 m in two.
        let decimals = u8::try_from(width).unwrap_or(1);
        (!is_missing).then_some(Decimal { unscaled, decimals })
    };
    Reading::Hour(data.chunks_exact(width).map(value).collect())
}

fn read_ascii(element: &Element, text: &str) -> Reading {
    if text.eq_ignore_ascii_case("M") {
        return Reading::Missing;
    }
    let from_digits = || match hex::decode(text) {
        Ok(data) => read_hex(element.identifier, &data),
        Err(_) => Reading::Unreadable("the data are no hexadecimal digits"),
    };
    match element.identifier.leader {
        RAIN_HOUR..=STAGE_HOUR_LAST | STATUS | STEP => from_digits(),
        VELOCITIES => Reading::Bytes(text.as_bytes().to_vec()),
        _ => match decimal(text) {
            Some(number) => Reading::Number(number),
            None if element.word.is_some() => Reading::Bytes(text.as_bytes().to_vec()),
            None => Reading::Unreadable("the data are no decimal number"),
        },
    }
}

/// A decimal number as a text: sign, digits, point.
pub fn decimal(text: &str) -> Option<Decimal> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all: String = [whole, fraction].concat();
    if all.is_empty() || all.len() > DIGITS_MAX || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let unscaled: i64 = all.parse().ok()?;
    Some(Decimal {
        unscaled: if is_negative { -unscaled } else { unscaled },
        decimals: u8::try_from(fraction.len()).ok()?,
    })
}

fn is_missing(data: &[u8]) -> bool {
    !data.is_empty()
        && [0xFF, 0xAA]
            .iter()
            .any(|mark| data.iter().all(|byte| byte == mark))
}

fn bcd_byte(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 0x0F);
    (tens < 10 && ones < 10).then_some(tens * 10 + ones)
}

/// Reads BCD digits; FF in front says that it is negative (6.6.3.3 a); an odd count of
/// digits has a 0 behind it.
fn bcd(data: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match data {
        [0xFF, rest @ ..] if !rest.is_empty() => (true, rest),
        _ => (false, data),
    };
    if digits.is_empty() {
        return None;
    }
    let mut sum = 0_i64;
    for byte in digits {
        sum = sum
            .checked_mul(100)?
            .checked_add(i64::from(bcd_byte(*byte)?))?;
    }
    if sum > 10_i64.pow(DIGITS_MAX as u32) {
        return None;
    }
    Some(if is_negative { -sum } else { sum })
}

/// Writes a number as BCD in exactly `bytes` bytes; `None` when it does not fit.
pub fn put_bcd(unscaled: i64, bytes: usize) -> Option<Vec<u8>> {
    let is_negative = unscaled < 0;
    let width = bytes.checked_sub(usize::from(is_negative))?;
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = width * 2);
    if digits.len() != width * 2 || width == 0 {
        return None;
    }
    let mut out = Vec::with_capacity(bytes);
    if is_negative {
        out.push(0xFF);
    }
    out.extend(hex::decode(digits).ok()?);
    Some(out)
}

/// The alarms of table 58 that a word of state tells, in Chinese.
pub fn alarms(status: u32) -> Vec<&'static str> {
    // Only what is wrong when it is 1. Bits 7, 9 and 10 tell a state: box, IC card, pump.
    const ALARMS: [(u32, &str); 9] = [
        (0, "交流电停电"),
        (1, "蓄电池电压低"),
        (2, "水位超限"),
        (3, "流量超限"),
        (4, "水质超限"),
        (5, "流量仪表故障"),
        (6, "水位仪表故障"),
        (8, "存储器异常"),
        (11, "剩余水量超限"),
    ];
    ALARMS
        .iter()
        .filter(|(bit, _)| status >> bit & 1 == 1)
        .map(|(_, alarm)| *alarm)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(hex: &str) -> Reading {
        let bytes = hex::decode(hex).unwrap();
        let identifier = Identifier::new(0x39, u8::try_from(bytes.len()).unwrap(), 3);
        read_hex(identifier, &bytes)
    }

    #[test]
    fn digits_signs_and_gaps() {
        let of = |unscaled| {
            Reading::Number(Decimal {
                unscaled,
                decimals: 3,
            })
        };
        assert_eq!(number("00010490"), of(10_490));
        assert_eq!(number("FF0490"), of(-490));
        assert_eq!(number("FF"), Reading::Missing);
        assert_eq!(number("AAAAAAAA"), Reading::Missing);
        assert_eq!(number("FFFFFFFF"), Reading::Missing);
        assert!(matches!(number("00A1"), Reading::Unreadable(_)));
        assert!(matches!(number(&"99".repeat(31)), Reading::Unreadable(_)));
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for (unscaled, bytes) in [(10_490, 4), (-490, 3), (0, 1), (-5, 2), (99, 1)] {
            let decimal = Decimal {
                unscaled,
                decimals: 2,
            };
            let element = Element::number(0x39, bytes, decimal).unwrap();
            assert_eq!(element.value(), Reading::Number(decimal));
        }
        assert_eq!(put_bcd(100, 1), None);
        assert_eq!(put_bcd(-1, 1), None);
    }

    #[test]
    fn decimals_are_shown_exactly() {
        let shown = |text: &str| decimal(text).unwrap().to_string();
        for text in ["10.49", "-0.05", "0.0", "7", "-120"] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(decimal("1.2.3"), None);
        assert_eq!(decimal("-"), None);
        assert!((decimal("10.49").unwrap().to_f64() - 10.49).abs() < f64::EPSILON);
    }
}
