//! Time zones as PostgreSQL's clients name them: `Asia/Shanghai`, `utc`, `PRC`, `8`, `<+08>-08`, `GMT-8`.

use arrow::array::timezone::Tz;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use std::str::FromStr;
use std::sync::Arc;

/// Longest name of a zone, in bytes.
const NAME_BYTES_MAX: usize = 100;
const HOUR_SECONDS: i32 = 3_600;
/// Offsets are shorter than a day, as in the query engine.
const OFFSET_SECONDS_MAX: i32 = 24 * HOUR_SECONDS - 1;
/// What the query engine calls the zone in which times are stored.
const UTC: &str = "UTC";

/// A zone: how it is shown, what the query engine calls it, and its offsets.
#[derive(Clone, Debug)]
pub struct Zone {
    shown: String,
    engine: Arc<str>,
    offsets: TimeZone,
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            shown: UTC.to_owned(),
            engine: UTC.into(),
            offsets: TimeZone::UTC,
        }
    }
}

impl Zone {
    /// Reads a zone as `SET TIME ZONE` does: hours east of Greenwich, `interval '+08:00'`, a name of the IANA database in any
    /// case, or a POSIX zone of one offset, whose sign is the other way round. `None` when it is none of them.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > NAME_BYTES_MAX {
            return None;
        }
        if let Some(interval) = strip(text, "interval ") {
            return Self::east(offset(interval.trim())?);
        }
        if let Some(seconds) = hours(text) {
            return Self::east(seconds);
        }
        Self::named(text).or_else(|| Self::posix(text))
    }

    fn named(text: &str) -> Option<Self> {
        let offsets = TimeZone::get(text).ok().filter(|zone| !zone.is_unknown())?;
        let shown = offsets.iana_name()?.to_owned();
        let is_utc = ["UTC", "GMT", "Etc/UTC", "Etc/GMT"]
            .contains(&offsets.primary_iana_name().unwrap_or(&shown));
        let engine = if is_utc { UTC } else { &shown };
        // Both must know it, or days would begin in another zone than times are shown in.
        Tz::from_str(engine).ok()?;
        Some(Self {
            engine: engine.into(),
            shown,
            offsets,
        })
    }

    /// `<+08>-08`, `GMT-8`, `+08:00`: a name, and hours west of Greenwich.
    fn posix(text: &str) -> Option<Self> {
        let rest = match text.strip_prefix('<') {
            Some(quoted) => quoted.split_once('>')?.1,
            None => text.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
        };
        Some(Self {
            shown: text.to_ascii_uppercase(),
            ..Self::east(-offset(rest)?)?
        })
    }

    /// The zone so many seconds east of Greenwich.
    fn east(seconds: i32) -> Option<Self> {
        // The query engine's offsets have no seconds.
        if seconds.abs() > OFFSET_SECONDS_MAX || seconds % 60 != 0 {
            return None;
        }
        let (hours, minutes) = (
            seconds.abs() / HOUR_SECONDS,
            seconds.abs() % HOUR_SECONDS / 60,
        );
        let digits = match minutes {
            0 => format!("{hours:02}"),
            _ => format!("{hours:02}:{minutes:02}"),
        };
        let (east, west) = if seconds < 0 { ('-', '+') } else { ('+', '-') };
        let engine = match seconds {
            0 => UTC.to_owned(),
            _ => format!("{east}{hours:02}:{minutes:02}"),
        };
        Some(Self {
            shown: format!("<{east}{digits}>{west}{digits}"),
            engine: engine.into(),
            offsets: TimeZone::fixed(Offset::from_seconds(seconds).ok()?),
        })
    }

    /// The zone as `SHOW timezone` shows it; read again it is the same zone.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The zone as the query engine takes it.
    pub fn engine(&self) -> &Arc<str> {
        &self.engine
    }

    /// Whether its clock is UTC's.
    pub fn is_utc(&self) -> bool {
        &*self.engine == UTC
    }

    /// How many seconds its clock is ahead of UTC's at a moment, in microseconds from 1970.
    pub fn offset_seconds(&self, us: i64) -> i32 {
        // What is beyond the years that zones are known for has the offset of their end.
        let end = if us < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        let moment = Timestamp::from_microsecond(us).unwrap_or(end);
        self.offsets.to_offset(moment).seconds()
    }
}

fn strip<'a>(text: &'a str, head: &str) -> Option<&'a str> {
    let start = text.get(..head.len())?;
    start
        .eq_ignore_ascii_case(head)
        .then(|| &text[head.len()..])
}

/// Hours east of Greenwich as a number, `8` or `-3.5`, in seconds.
fn hours(text: &str) -> Option<i32> {
    let text = text.trim();
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let hours: f64 = text.parse().ok().filter(|_| is_number)?;
    let seconds = (hours * f64::from(HOUR_SECONDS)).trunc();
    // Beyond every offset; the bound keeps the number whole.
    (seconds.abs() < 1e6).then_some(seconds as i32)
}

/// `8`, `-08:00`, `+5:30:00`, in seconds.
fn offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut seconds = 0;
    let mut parts = digits.split(':');
    for unit in [HOUR_SECONDS, 60, 1] {
        let Some(part) = parts.next() else { break };
        let is_short = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let number: i32 = part.parse().ok().filter(|_| is_short)?;
        if unit < HOUR_SECONDS && number > 59 {
            return None;
        }
        seconds += number * unit;
    }
    parts.next().is_none().then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T08:00:00Z, and a day in the summer before.
    const WINTER_US: i64 = 1_795_420_800_000_000;
    const SUMMER_US: i64 = WINTER_US - 150 * 86_400_000_000;

    #[test]
    fn zones_are_read_as_postgresql_reads_them() {
        for (text, shown, engine, hours) in [
            ("Asia/Shanghai", "Asia/Shanghai", "Asia/Shanghai", 8.0),
            ("asia/shanghai", "Asia/Shanghai", "Asia/Shanghai", 8.0),
            ("PRC", "PRC", "PRC", 8.0),
            ("utc", "UTC", "UTC", 0.0),
            ("Zulu", "Zulu", "UTC", 0.0),
            ("GMT", "GMT", "UTC", 0.0),
            ("Etc/UTC", "Etc/UTC", "UTC", 0.0),
            ("Etc/GMT-8", "Etc/GMT-8", "Etc/GMT-8", 8.0),
            (
                "America/New_York",
                "America/New_York",
                "America/New_York",
                -5.0,
            ),
            ("8", "<+08>-08", "+08:00", 8.0),
            ("+08", "<+08>-08", "+08:00", 8.0),
            ("-3.5", "<-03:30>+03:30", "-03:30", -3.5),
            ("0", "<+00>-00", "UTC", 0.0),
            ("interval +08:00", "<+08>-08", "+08:00", 8.0),
            // A sign that looks the other way, as in PostgreSQL: POSIX counts to the west.
            ("<+08>-08", "<+08>-08", "+08:00", 8.0),
            ("GMT-8", "GMT-8", "+08:00", 8.0),
            ("+08:00", "+08:00", "-08:00", -8.0),
        ] {
            let zone = Zone::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((zone.shown(), &**zone.engine()), (shown, engine), "{text}");
            let seconds = (hours * 3_600.0) as i32;
            assert_eq!(zone.offset_seconds(WINTER_US), seconds, "{text}");
            let again = Zone::read(zone.shown()).unwrap();
            assert_eq!(again.engine(), zone.engine(), "{text}");
        }
        for text in [
            "",
            "Mars/Base",
            "Z",
            "+99",
            "+08:00:30",
            "GMT",
            "localtime",
            "Etc/Unknown",
            "8h",
            "inf",
            "EST5EDT,M3.2.0,M11.1.0",
            "posix/Asia/Shanghai",
            "../etc/passwd",
            "水",
        ] {
            let zone = Zone::read(text);
            assert_eq!(zone.is_some(), text == "GMT", "{text}: {zone:?}");
        }
        assert!(Zone::read(&"A".repeat(200)).is_none());
    }

    #[test]
    fn offsets_follow_the_year_and_its_history() {
        let zone = Zone::read("America/New_York").unwrap();
        assert_eq!(zone.offset_seconds(SUMMER_US), -4 * 3_600);
        let zone = Zone::read("Asia/Shanghai").unwrap();
        // Local mean time before 1901, and summer time in 1988.
        assert_eq!(zone.offset_seconds(-3_000_000_000_000_000), 29_143);
        assert_eq!(zone.offset_seconds(583_934_400_000_000), 9 * 3_600);
        assert_eq!(zone.offset_seconds(i64::MAX), 8 * 3_600);
        assert_eq!(zone.offset_seconds(i64::MIN), 29_143);
    }

    #[test]
    fn the_query_engine_knows_every_zone_that_is_taken() {
        let mut known = 0;
        for name in jiff::tz::db().available() {
            if let Some(zone) = Zone::read(name.as_str()) {
                assert!(zone.is_utc() || Tz::from_str(zone.engine()).is_ok());
                known += 1;
            }
        }
        assert!(known > 500, "{known}");
    }
}
