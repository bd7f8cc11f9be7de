//! Meter readings with exact numbers: a register in milliwatt-hours as an integer, so that a bill is that of the meter to the
//! watt-hour. Sources: OCPP 1.6, 7.28 to 7.43 (MeterValue, SampledValue, …); OCPP 2.0.1, part 2, 2.29 and 2.43.

use crate::time;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The measurand of what is meant where none is said: the register of energy taken from the grid.
pub const REGISTER: &str = "Energy.Active.Import.Register";
/// Digits of a number; more are not believed.
const DIGITS_MAX: usize = 18;
/// Places by which an exponent or a multiplier may move the point.
const SHIFT_MAX: i32 = 18;

/// A decimal number, exactly as it was written: `digits` × 10^`exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decimal {
    /// The digits, as an integer with sign.
    pub digits: i64,
    /// The power of ten.
    pub exponent: i32,
}

impl Decimal {
    /// Reads `1200`, `-0.5`, `1.2e3`; white space around it is let pass. `None` when it is no number, has more than 18 digits
    /// or an exponent beyond ±18.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text.get(at + 1..)?.parse().ok()?),
            None => (text, 0_i32),
        };
        let (is_negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all: String = [before, behind].concat();
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = all.trim_start_matches('0');
        if significant.len() > DIGITS_MAX || exponent.abs() > SHIFT_MAX || behind.len() > DIGITS_MAX
        {
            return None;
        }
        let digits: i64 = match significant {
            "" => 0,
            digits => digits.parse().ok()?,
        };
        Some(Self {
            digits: if is_negative { -digits } else { digits },
            exponent: exponent - i32::try_from(behind.len()).ok()?,
        })
    }

    /// The number times 10^`power` as an integer, rounded to the nearest, halves away from zero. `None` when it is too large.
    pub fn times_ten_to(self, power: i32) -> Option<i64> {
        let shift = self.exponent.checked_add(power)?;
        let digits = i128::from(self.digits);
        if digits == 0 {
            return Some(0);
        }
        let size = shift.unsigned_abs();
        if shift >= 0 {
            let scaled = digits.checked_mul(10_i128.checked_pow(size)?)?;
            return i64::try_from(scaled).ok();
        }
        let Some(divisor) = 10_i128.checked_pow(size) else {
            return Some(0);
        };
        let half = divisor / 2 * digits.signum();
        i64::try_from((digits + half) / divisor).ok()
    }

    /// The nearest number of the machine.
    pub fn to_f64(self) -> f64 {
        format!("{}e{}", self.digits, self.exponent)
            .parse()
            .unwrap_or(f64::NAN)
    }
}

/// A reading that the meter has signed; kept as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The signed data: hex in 1.6, base64 in 2.0.1.
    pub data: String,
    /// How it is signed, where said.
    pub method: String,
    /// How it is encoded, where said.
    pub encoding: String,
    /// The meter's public key, where said.
    pub public_key: String,
}

/// One value sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What is measured, in the standard's words.
    pub measurand: String,
    /// Of which phase; `None`: of all.
    pub phase: Option<String>,
    /// Where; the standard's default is `Outlet`.
    pub location: Option<String>,
    /// Why it was sampled (`Sample.Periodic`, `Transaction.Begin`, …).
    pub context: Option<String>,
    /// The unit as it was written; `None` when the station left it out.
    pub unit: Option<String>,
    /// The number, with 2.0.1's multiplier in it; `None` when it is signed data or cannot be read.
    pub value: Option<Decimal>,
    /// The signed form, where there is one.
    pub signed: Option<Signed>,
}

/// What was sampled at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeterValue {
    /// When.
    pub at: Timestamp,
    /// What.
    pub samples: Vec<Sample>,
}

/// A register and when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// When.
    pub at: Timestamp,
    /// What it showed, in thousandths of a watt-hour.
    pub milli_wh: i64,
}

impl Sample {
    /// The register of energy taken by the vehicle, in thousandths of a watt-hour; `None` when this is another measurand, one phase
    /// alone, another place than the outlet, or another unit than Wh and kWh.
    pub fn register_milli_wh(&self) -> Option<i64> {
        let is_outlet = self
            .location
            .as_deref()
            .is_none_or(|place| place == "Outlet");
        if self.measurand != REGISTER || self.phase.is_some() || !is_outlet {
            return None;
        }
        let to_milli_wh = match self.unit.as_deref() {
            None | Some("Wh") => 3,
            Some("kWh") => 6,
            Some(_) => return None,
        };
        self.value?.times_ten_to(to_milli_wh)
    }

    /// Whether it holds something and that could not be read.
    pub const fn is_unreadable(&self) -> bool {
        self.value.is_none() && self.signed.is_none()
    }
}

/// The registers of some readings, in the order of time.
pub fn registers(values: &[MeterValue]) -> Vec<Register> {
    let mut found: Vec<Register> = values
        .iter()
        .flat_map(|value| {
            let of_sample = |sample: &Sample| {
                sample.register_milli_wh().map(|milli_wh| Register {
                    at: value.at,
                    milli_wh,
                })
            };
            value.samples.iter().filter_map(of_sample)
        })
        .collect();
    found.sort_by_key(|register| register.at);
    found
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn values(list: Option<&Value>, sample: impl Fn(&Value) -> Sample) -> Vec<MeterValue> {
    let list = list
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    list.iter()
        .filter_map(|value| {
            let at = value.get("timestamp").and_then(Value::as_str)?;
            let (at, _) = time::parse(at, "timestamp").ok()?;
            let samples = value.get("sampledValue").and_then(Value::as_array)?;
            Some(MeterValue {
                at,
                samples: samples.iter().map(&sample).collect(),
            })
        })
        .collect()
}

/// Readings of OCPP 1.6, from a payload that was checked.
pub fn values_16(list: Option<&Value>) -> Vec<MeterValue> {
    values(list, |sample| {
        let is_signed = text(sample, "format").is_some_and(|format| format == "SignedData");
        let value = text(sample, "value").unwrap_or_default();
        Sample {
            measurand: text(sample, "measurand").unwrap_or_else(|| REGISTER.to_owned()),
            phase: text(sample, "phase"),
            location: text(sample, "location"),
            context: text(sample, "context"),
            unit: text(sample, "unit"),
            value: match is_signed {
                true => None,
                false => Decimal::parse(&value),
            },
            signed: is_signed.then(|| Signed {
                data: value,
                method: String::new(),
                encoding: "hex".to_owned(),
                public_key: String::new(),
            }),
        }
    })
}

/// Readings of OCPP 2.0.1, from a payload that was checked. JSON's numbers come as binary fractions here; up to 15 digits they are written
/// again as they came.
pub fn values_201(list: Option<&Value>) -> Vec<MeterValue> {
    values(list, |sample| {
        let unit = sample.get("unitOfMeasure");
        let multiplier = unit
            .and_then(|unit| unit.get("multiplier"))
            .and_then(Value::as_i64)
            .unwrap_or(0);
        let value = sample
            .get("value")
            .and_then(|value| Decimal::parse(&value.to_string()))
            .and_then(|value| {
                let multiplier = i32::try_from(multiplier).ok()?;
                (multiplier.abs() <= SHIFT_MAX).then(|| Decimal {
                    exponent: value.exponent + multiplier,
                    ..value
                })
            });
        let signed = sample.get("signedMeterValue").map(|signed| Signed {
            data: text(signed, "signedMeterData").unwrap_or_default(),
            method: text(signed, "signingMethod").unwrap_or_default(),
            encoding: text(signed, "encodingMethod").unwrap_or_default(),
            public_key: text(signed, "publicKey").unwrap_or_default(),
        });
        Sample {
            measurand: text(sample, "measurand").unwrap_or_else(|| REGISTER.to_owned()),
            phase: text(sample, "phase"),
            location: text(sample, "location"),
            context: text(sample, "context"),
            unit: unit.and_then(|unit| text(unit, "unit")),
            value,
            signed,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_exact() {
        for (text, power, number) in [
            ("1200", 3, Some(1_200_000)),
            ("1.2", 6, Some(1_200_000)),
            ("0.1", 3, Some(100)),
            ("-0.0005", 3, Some(-1)),
            ("0.0004", 3, Some(0)),
            ("1.2e3", 0, Some(1_200)),
            (" 7 ", 0, Some(7)),
            (".5", 1, Some(5)),
            ("000000000000000000000012", 0, Some(12)),
            ("9e18", 18, None),
            ("999999999999999999", 3, None),
        ] {
            let decimal = Decimal::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(decimal.times_ten_to(power), number, "{text}");
        }
        for bad in [
            "",
            "-",
            ".",
            "NaN",
            "1,2",
            "0x10",
            "1e99",
            "1e",
            "1234567890123456789",
            "七",
        ] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_multiplier_and_a_unit_move_the_point() {
        let list = json!([{"timestamp": "2026-11-22T05:00:00Z", "sampledValue": [
            {"value": 1.234_567, "unitOfMeasure": {"unit": "kWh", "multiplier": 0}},
            {"value": 12, "unitOfMeasure": {"unit": "Wh", "multiplier": 2}},
            {"value": 12, "unitOfMeasure": {"unit": "kWh", "multiplier": -3}},
            {"value": 5},
            {"value": 5, "phase": "L1"},
            {"value": 5, "location": "Inlet"},
            {"value": 5, "unitOfMeasure": {"unit": "varh"}},
            {"value": 5, "unitOfMeasure": {"multiplier": 99}},
        ]}]);
        let values = values_201(Some(&list));
        let found: Vec<_> = values[0]
            .samples
            .iter()
            .map(Sample::register_milli_wh)
            .collect();
        assert_eq!(
            found,
            [
                Some(1_234_567),
                Some(1_200_000),
                Some(12_000),
                Some(5_000),
                None,
                None,
                None,
                None
            ]
        );
    }

    #[test]
    fn signed_data_is_kept_as_it_came() {
        let list = json!([{"timestamp": "2026-11-22T05:00:00Z", "sampledValue": [
            {"value": "0A0B", "format": "SignedData"}, {"value": "?"}]}]);
        let samples = &values_16(Some(&list))[0].samples;
        assert_eq!(
            samples[0].signed.as_ref().map(|s| s.data.as_str()),
            Some("0A0B")
        );
        assert!(!samples[0].is_unreadable() && samples[1].is_unreadable());
    }
}
