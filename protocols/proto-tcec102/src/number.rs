//! Decimal numbers without rounding: money in ten-thousandths of a yuan, energy in ten-thousandths of a kilowatt-hour.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// Digits behind the point.
const PLACES: usize = 4;
const ONE: i64 = 10_000;
/// The largest number, in units of 0.0001: partners that read into doubles still have every digit.
const GREATEST: i64 = 99_999_999_999_999;

/// A number with four digits behind the point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fixed(i64);

impl Fixed {
    /// From ten-thousandths; `None` beyond ±9,999,999,999.9999.
    pub const fn from_ten_thousandths(n: i64) -> Option<Self> {
        if n < -GREATEST || n > GREATEST {
            return None;
        }
        Some(Self(n))
    }

    /// Money from fen.
    pub const fn from_fen(fen: i64) -> Option<Self> {
        match fen.checked_mul(ONE / 100) {
            Some(n) => Self::from_ten_thousandths(n),
            None => None,
        }
    }

    /// Energy in kilowatt-hours from watt-hours.
    pub const fn from_watt_hours(watt_hours: i64) -> Option<Self> {
        match watt_hours.checked_mul(ONE / 1_000) {
            Some(n) => Self::from_ten_thousandths(n),
            None => None,
        }
    }

    /// In ten-thousandths.
    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }

    /// Money in fen; `None` when there is a part of a fen.
    pub const fn fen(self) -> Option<i64> {
        if self.0 % (ONE / 100) == 0 {
            Some(self.0 / (ONE / 100))
        } else {
            None
        }
    }

    /// Energy in watt-hours; `None` when there is a part of one.
    pub const fn watt_hours(self) -> Option<i64> {
        if self.0 % (ONE / 1_000) == 0 {
            Some(self.0 / (ONE / 1_000))
        } else {
            None
        }
    }

    /// Reads plain decimal digits, at most four of them behind the point but for zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let part = part.trim_end_matches('0');
        let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || part.len() > PLACES || !is_digits(whole) || !is_digits(part) {
            return None;
        }
        let whole: i64 = whole.parse().ok()?;
        let part: i64 = format!("{part:0<PLACES$}").parse().ok()?;
        let n = whole.checked_mul(ONE)?.checked_add(part)?;
        Self::from_ten_thousandths(sign * n)
    }
}

impl fmt::Display for Fixed {
    /// Plain digits without zeros at the end: `12.34`, `-0.5`, `7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = ONE.unsigned_abs();
        let (sign, n) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let part = format!("{:0PLACES$}", n % one);
        match part.trim_end_matches('0') {
            "" => write!(f, "{sign}{}", n / one),
            part => write!(f, "{sign}{}.{part}", n / one),
        }
    }
}

impl Serialize for Fixed {
    /// A JSON number, written digit by digit.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string())
            .map_err(serde::ser::Error::custom)?
            .serialize(s)
    }
}

impl<'de> Deserialize<'de> for Fixed {
    /// A number, or a text that is one, as some partners send it. The digits are read as they stand: a double would take `1e3` for 1000 and
    /// would cut digits behind the sixteenth.
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(d)?;
        let read = match raw.get() {
            quoted if quoted.starts_with('"') => serde_json::from_str::<String>(quoted)
                .ok()
                .and_then(|text| Self::parse(&text)),
            number => Self::parse(number),
        };
        read.ok_or_else(|| {
            serde::de::Error::custom("a number has at most 4 digits behind the point")
        })
    }
}
