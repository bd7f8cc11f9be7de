//! Times on the wire: local time of the station in BCD, with two digits of the year (6.6.2.5, 6.6.2.8).

use jiff::civil::DateTime;
use jiff::tz::Offset;
use model::Timestamp;
use std::fmt;

/// A time as it came, `yyMMddHHmmss` (发报时间, 6 bytes) or shorter by its end (观测时间 `yyMMddHHmm`, 5 bytes; `yyMMddHH`, 4).
/// Kept as bytes, so that one that is no time can be told and is written back unchanged.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bcd<const N: usize>(pub [u8; N]);

/// When a message was sent (发报时间), `yyMMddHHmmss`.
pub type SentTime = Bcd<6>;
/// When something was observed (观测时间), `yyMMddHHmm`.
pub type ObservedTime = Bcd<5>;
/// The hour at an end of a period (起始时间, 结束时间), `yyMMddHH`.
pub type HourTime = Bcd<4>;

impl<const N: usize> Bcd<N> {
    /// The moment, for stations whose local time is `utc_offset_hours` ahead of UTC; `None` when it is no time. Years are those
    /// of this century.
    pub fn moment(self, utc_offset_hours: i8) -> Option<Timestamp> {
        let mut fields = [0_i8, 1, 1, 0, 0, 0];
        for (field, byte) in fields.iter_mut().zip(self.0) {
            let (tens, ones) = (byte >> 4, byte & 0x0F);
            if tens > 9 || ones > 9 {
                return None;
            }
            *field = i8::try_from(tens * 10 + ones).ok()?;
        }
        let [year, month, day, hour, minute, second] = fields;
        let local =
            DateTime::new(2000 + i16::from(year), month, day, hour, minute, second, 0).ok()?;
        let moment = Offset::from_hours(utc_offset_hours)
            .ok()?
            .to_timestamp(local)
            .ok()?;
        Some(Timestamp::from_micros(moment.as_microsecond()))
    }

    /// A moment as the wire writes it; a year outside 2000 to 2099 loses its century, as everywhere in this standard.
    pub fn of(moment: Timestamp, utc_offset_hours: i8) -> Self {
        let offset = Offset::from_hours(utc_offset_hours).unwrap_or(Offset::UTC);
        let local = jiff::Timestamp::from_microsecond(moment.micros())
            .map(|moment| offset.to_datetime(moment))
            .unwrap_or_default();
        let year = i8::try_from(local.year().rem_euclid(100)).unwrap_or_default();
        let fields = [
            year,
            local.month(),
            local.day(),
            local.hour(),
            local.minute(),
            local.second(),
        ];
        let mut bytes = [0; N];
        for (byte, field) in bytes.iter_mut().zip(fields) {
            let field = field.unsigned_abs();
            *byte = ((field / 10) << 4) | (field % 10);
        }
        Self(bytes)
    }

    /// Reads digits, two for each byte; `None` when there are not exactly as many.
    pub fn of_digits(digits: &[u8]) -> Option<Self> {
        let mut bytes = [0; N];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl<const N: usize> fmt::Display for Bcd<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode_upper(self.0))
    }
}

impl<const N: usize> fmt::Debug for Bcd<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beijing_time_both_ways() {
        let sent = SentTime::of_digits(b"170718110016").unwrap();
        let moment = sent.moment(8).unwrap();
        assert_eq!(moment.to_string(), "2017-07-18T03:00:16Z");
        assert_eq!(SentTime::of(moment, 8), sent);
        assert_eq!(ObservedTime::of(moment, 8).to_string(), "1707181100");
    }

    #[test]
    fn what_is_no_time_is_told() {
        for bad in [
            b"171318110016",
            b"170732110016",
            b"17071824001A",
            b"FFFFFFFFFFFF",
        ] {
            assert_eq!(SentTime::of_digits(bad).unwrap().moment(8), None);
        }
        assert_eq!(HourTime::of_digits(b"170718"), None);
    }
}
