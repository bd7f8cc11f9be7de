//! Quiet hours (免打扰): when people are left in peace, and when that is over. Pure.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::calendar::Calendars;
use model::problem::quote;
use model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};

/// Minutes of a day.
pub const DAY_MINUTES: i64 = 24 * 60;
/// How often the ends of two quiet times are gone through after each other.
const ROUNDS_MAX: usize = 16;

/// When people are left in peace: `{ "from": "22:00", "until": "07:00" }`, or outside a working calendar:
/// `{ "calendar": "working-hours" }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quiet {
    /// From this time of the city's day, `hh:mm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until this time; earlier than `from`: of the next day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// All the time that this calendar does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
}

/// Quiet hours of every day, minutes of the city's day; over midnight where `until` is not later than `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The first minute.
    pub from_minute: i64,
    /// The minute behind the last.
    pub until_minute: i64,
}

/// Reads `hh:mm` as a minute of the day; 24:00 is none.
///
/// # Errors
/// `quiet-hours`.
pub fn minute(text: &str) -> Result<i64, Problem> {
    let read = || {
        let (hours, minutes) = text.trim().split_once(':')?;
        let two = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
        if !two(hours) || !two(minutes) {
            return None;
        }
        let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    };
    read().ok_or_else(|| {
        Problem::new(
            "quiet-hours",
            format!("\"{}\" is no time of the day", quote(text)),
            "quiet",
            "write it as 22:00",
        )
    })
}

/// A minute of the day as `hh:mm`.
pub fn shown(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl Hours {
    /// Reads both times.
    ///
    /// # Errors
    /// `quiet-hours`, also when both are the same.
    pub fn read(from: &str, until: &str) -> Result<Self, Problem> {
        let (from_minute, until_minute) = (minute(from)?, minute(until)?);
        if from_minute == until_minute {
            return Err(Problem::new(
                "quiet-hours",
                "they begin when they end",
                "quiet",
                "leave them out to be told at any hour",
            ));
        }
        Ok(Self {
            from_minute,
            until_minute,
        })
    }

    fn holds(self, minute: i64) -> bool {
        if self.from_minute < self.until_minute {
            (self.from_minute..self.until_minute).contains(&minute)
        } else {
            minute >= self.from_minute || minute < self.until_minute
        }
    }

    /// The first moment from `at` on that is not quiet.
    pub fn over(self, at: Timestamp, zone: &TimeZone) -> Timestamp {
        let Ok(moment) = jiff::Timestamp::from_microsecond(at.micros()) else {
            return at;
        };
        let local = zone.to_datetime(moment);
        let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
        if !self.holds(minute) {
            return at;
        }
        let day = if minute < self.until_minute {
            Some(local.date())
        } else {
            local.date().tomorrow().ok()
        };
        day.and_then(|day| moment_of(day, self.until_minute, zone))
            .filter(|end| *end > at)
            .unwrap_or(at)
    }
}

fn moment_of(day: Date, minute: i64, zone: &TimeZone) -> Option<Timestamp> {
    let hour = i8::try_from(minute / 60).ok()?;
    let minute = i8::try_from(minute % 60).ok()?;
    let local = day.at(hour, minute, 0, 0);
    let moment = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    Some(Timestamp::from_micros(moment.as_microsecond()))
}

impl Quiet {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// `quiet-hours`, `calendar-unknown`.
    pub fn check(&self, calendars: &Calendars) -> Result<(), Problem> {
        match (&self.from, &self.until, &self.calendar) {
            (Some(from), Some(until), None) => Hours::read(from, until).map(|_| ()),
            (None, None, Some(name)) => calendars.get(name).map(|_| ()),
            _ => Err(Problem::new(
                "quiet-hours",
                "they are neither hours nor a calendar",
                "quiet",
                "give from and until, or calendar alone",
            )),
        }
    }

    /// The first moment from `at` on that is not quiet. What makes no sense is never quiet: rather somebody is told.
    pub fn over(&self, at: Timestamp, calendars: &Calendars, zone: &TimeZone) -> Timestamp {
        if let (Some(from), Some(until)) = (&self.from, &self.until) {
            return Hours::read(from, until).map_or(at, |hours| hours.over(at, zone));
        }
        let calendar = self
            .calendar
            .as_ref()
            .and_then(|name| calendars.get(name).ok());
        match calendar {
            Some(calendar) if !calendar.is_working(at) => calendar.next_change(at).unwrap_or(at),
            _ => at,
        }
    }
}

/// The first moment from `at` on that neither the rule nor the person is quiet in. Where the two leave no gap, the last end
/// that was found: somebody is told rather than nobody.
pub fn over(
    rule: Option<&Quiet>,
    person: Option<Hours>,
    at: Timestamp,
    calendars: &Calendars,
    zone: &TimeZone,
) -> Timestamp {
    let mut moment = at;
    for _ in 0..ROUNDS_MAX {
        let mut next = rule.map_or(moment, |quiet| quiet.over(moment, calendars, zone));
        next = person.map_or(next, |hours| hours.over(next, zone));
        if next == moment {
            break;
        }
        moment = next;
    }
    moment
}
