//! Money, energy and prices as whole numbers, and the one rule by which they are rounded. No figure of money is ever a
//! floating-point number here.

use model::Told;
use model::problem::{both, quote};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

/// Most decimals of a price in yuan per kWh: 1/10,000 yuan, as T/CEC 102 exchanges prices.
pub const PRICE_DECIMALS_MAX: usize = 4;
/// Highest price, in 1/10,000 yuan per kWh: 100 yuan. What is above it is a slip of the pen.
pub const PRICE_MAX: i64 = 1_000_000;
/// What a price has to be multiplied by a watt-hour for to become fen: 1,000 Wh a kWh, 100 units a fen.
const WH_PRICE_PER_FEN: i128 = 100_000;

/// Money in fen (分), 1/100 yuan. Sums stop at the ends of their range rather than turn round.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fen(pub i64);

/// Energy, or a register of energy, in watt-hours.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Wh(pub i64);

/// A price of energy, in 1/10,000 yuan per kWh (1/100 fen per kWh).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Price(pub i64);

impl Fen {
    /// No money.
    pub const ZERO: Self = Self(0);
}

impl Add for Fen {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
impl Sub for Fen {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
impl Neg for Fen {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}
impl Sum for Fen {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}
impl fmt::Display for Fen {
    /// Yuan with two decimals: `-0.05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, fen) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

impl fmt::Display for Wh {
    /// Kilowatt-hours with three decimals: `12.345`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, wh) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:03}", wh / 1_000, wh % 1_000)
    }
}

impl fmt::Display for Price {
    /// Yuan with four decimals: `0.4300`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, price) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:04}", price / 10_000, price % 10_000)
    }
}

impl Price {
    /// What that much energy costs: exact product, rounded half up to the fen once.
    pub fn of(self, energy: Wh) -> Fen {
        let product = i128::from(energy.0) * i128::from(self.0);
        Fen(narrow(half_up(product, WH_PRICE_PER_FEN)))
    }

    /// Reads yuan per kWh as people write them: `"0.43"`, `"1.0121"`. A text, because a floating-point number is not what was
    /// decided.
    ///
    /// # Errors
    /// `charging-price`: not a number, negative, above [`PRICE_MAX`], or with more than [`PRICE_DECIMALS_MAX`] decimals.
    pub fn read(text: &str, place: &str) -> Result<Self, Told> {
        units(text.trim())
            .filter(|price| *price <= PRICE_MAX)
            .map(Self)
            .ok_or_else(|| {
                Told::new(
                    "charging-price",
                    both(
                        format!("“{}”不是电价", quote(text)),
                        format!("\"{}\" is no price", quote(text)),
                    ),
                    place,
                    both(
                        format!("请写每千瓦时的元数，0 到 100，最多 {PRICE_DECIMALS_MAX} 位小数，如 \"0.4300\""),
                        format!(
                            "write yuan per kWh, 0 to 100, with at most {PRICE_DECIMALS_MAX} decimals, such as \"0.4300\""
                        ),
                    ),
                )
            })
    }
}

/// A decimal text as 1/10,000.
fn units(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str, most: usize| {
        !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(whole, 9) || !digits(part, PRICE_DECIMALS_MAX) {
        return None;
    }
    let part: i64 = format!("{part:0<4}").parse().ok()?;
    Some(whole.parse::<i64>().ok()? * 10_000 + part)
}

/// `numerator / denominator` rounded to the nearest whole number, a half upwards. The denominator is above 0.
pub fn half_up(numerator: i128, denominator: i128) -> i128 {
    debug_assert!(denominator > 0);
    (2 * numerator + denominator).div_euclid(2 * denominator)
}

/// Back to 64 bits; what does not fit stops at the end of the range.
pub(crate) fn narrow(wide: i128) -> i64 {
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_to_the_ten_thousandth() {
        for (text, units) in [
            ("0.43", 4_300),
            ("1.0121", 10_121),
            ("0", 0),
            ("100", 1_000_000),
            (" 7.0 ", 70_000),
        ] {
            assert_eq!(Price::read(text, "p").unwrap(), Price(units), "{text}");
        }
        for text in [
            "",
            ".5",
            "0.",
            "0.12345",
            "-1",
            "1e3",
            "100.0001",
            "0,43",
            "９",
            "99999999999",
        ] {
            assert_eq!(
                Price::read(text, "p").unwrap_err().code,
                "charging-price",
                "{text}"
            );
        }
    }

    #[test]
    fn a_half_goes_up() {
        // 1,000 Wh at 0.0050 yuan are half a fen.
        assert_eq!(Price(50).of(Wh(1_000)), Fen(1));
        assert_eq!(Price(49).of(Wh(1_000)), Fen(0));
        assert_eq!(Price(4_300).of(Wh(12_345)), Fen(531), "530.835 fen");
        assert_eq!(half_up(-1, 2), 0);
        assert_eq!(half_up(-3, 2), -1);
    }

    #[test]
    fn figures_are_shown_whole() {
        assert_eq!(Fen(-5).to_string(), "-0.05");
        assert_eq!(Fen(123_456).to_string(), "1234.56");
        assert_eq!(Wh(12_345).to_string(), "12.345");
        assert_eq!(Price(4_300).to_string(), "0.4300");
    }
}
