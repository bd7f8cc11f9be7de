//! Moments in time: microseconds since 1970-01-01T00:00:00Z. Inside everything is UTC; zones are
//! for people (Asia/Shanghai on the pages).

use crate::problem::{Problem, quote};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A moment, in microseconds since the Unix epoch, UTC. As JSON: an ISO 8601 / RFC 3339 text with `Z`;
/// in the journal: the integer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// From milliseconds since the epoch (saturating).
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }
    /// From seconds since the epoch (saturating).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }
    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// Moved by a number of microseconds (saturating).
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
    /// Moved by a number of seconds (saturating).
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(1_000_000))
    }
    /// Microseconds from `earlier` to `self`; negative when `self` is the earlier one.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads RFC 3339 (`2026-11-23T08:00:00Z`, `…+08:00`), the form NGSI-LD's DateTime takes.
    ///
    /// # Errors
    /// `time-format` when the text is not of that form or lies outside the years −9999 to 9999.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        text.parse::<jiff::Timestamp>()
            .map(|t| Self(t.as_microsecond()))
            .map_err(|e| {
                Problem::new(
                    "time-format",
                    format!("\"{}\" is not a time: {e}", quote(text)),
                    "time",
                    "write RFC 3339 with a zone, such as 2026-11-23T08:00:00Z or 2026-11-23T16:00:00+08:00",
                )
            })
    }

    /// The calendar date in UTC, `YYYY-MM-DD`; used to lay files out by day.
    pub fn utc_date(self) -> String {
        let text = self.to_string();
        text.split('T').next().unwrap_or_default().to_owned()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(t) => write!(f, "{t}"),
            Err(_) => write!(f, "{}µs", self.0),
        }
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.collect_str(self)
        } else {
            s.serialize_i64(self.0)
        }
    }
}
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            let text = String::deserialize(d)?;
            Self::parse(&text).map_err(serde::de::Error::custom)
        } else {
            i64::deserialize(d).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_become_utc() {
        let a = Timestamp::parse("2026-11-23T16:00:00+08:00").unwrap();
        assert_eq!(a, Timestamp::parse("2026-11-23T08:00:00Z").unwrap());
        assert_eq!(a.to_string(), "2026-11-23T08:00:00Z");
        assert_eq!(a.utc_date(), "2026-11-23");
    }

    #[test]
    fn a_time_without_a_zone_is_refused() {
        assert_eq!(
            Timestamp::parse("2026-11-23 16:00").unwrap_err().code,
            "time-format"
        );
    }
}
