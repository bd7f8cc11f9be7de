//! Kinds of days for tariffs: working day, weekend, holiday, from the city's own working calendar ([`WorkingCalendar`]), which cases
//! and notices use too, so that a holiday is written down once.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::Timestamp;
use model::calendar::WorkingCalendar;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What kind of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayKind {
    /// Worked: by the week, or out of turn (调休上班).
    Workday,
    /// Not worked by the week (周末).
    Weekend,
    /// Within a holiday of the calendar (放假), whatever day of the week: all days off that the notice names, not only the
    /// statutory ones (法定节假日).
    Holiday,
}

impl DayKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Workday, Self::Weekend, Self::Holiday];
}

/// The kinds of a city's days, and its zone.
#[derive(Clone, Debug)]
pub struct Days {
    zone: TimeZone,
    /// Monday first.
    week: [bool; 7],
    holidays: BTreeSet<Date>,
    worked: BTreeSet<Date>,
    known_until: Option<Date>,
}

impl Days {
    /// The days of a working calendar, in its zone. In [`model::calendar::ALWAYS`] every day is a working day.
    pub fn new(calendar: &WorkingCalendar) -> Self {
        let declared = calendar.declared();
        let names = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ];
        let is_always = calendar.name() == model::calendar::ALWAYS;
        Self {
            zone: calendar.zone().clone(),
            week: names.map(|day| {
                is_always
                    || declared
                        .week
                        .get(day)
                        .is_some_and(|hours| !hours.is_empty())
            }),
            // A checked calendar's holidays are short, so the walk over each is too.
            holidays: declared
                .holidays
                .iter()
                .flat_map(|holiday| {
                    holiday
                        .first
                        .series(jiff::Span::new().days(1))
                        .take_while(|day| *day <= holiday.last)
                })
                .collect(),
            worked: declared
                .worked
                .iter()
                .flat_map(|worked| worked.days.iter().copied())
                .collect(),
            known_until: declared.known_until,
        }
    }

    /// The zone in which a day begins.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What kind of day that is.
    pub fn kind(&self, day: Date) -> DayKind {
        let weekday = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
        if self.worked.contains(&day) {
            DayKind::Workday
        } else if self.holidays.contains(&day) {
            DayKind::Holiday
        } else if self.week[weekday] {
            DayKind::Workday
        } else {
            DayKind::Weekend
        }
    }

    /// Whether the calendar knows the holidays of that day's time; where it does not say until when, it does.
    pub fn is_known(&self, day: Date) -> bool {
        self.known_until.is_none_or(|until| day <= until)
    }

    /// The day of a moment; `None` outside the years −9999 to 9999.
    pub fn day_of(&self, at: Timestamp) -> Option<Date> {
        let at = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
        Some(self.zone.to_datetime(at).date())
    }

    /// A moment as people read it, by the calendar's clock to the second and with how far that is ahead of UTC:
    /// `2026-11-29 09:18:18 UTC+8`. RFC 3339 outside the years −9999 to 9999.
    pub fn said(&self, at: Timestamp) -> String {
        let Ok(moment) = jiff::Timestamp::from_microsecond(at.micros()) else {
            return at.to_string();
        };
        let local = self.zone.to_datetime(moment);
        let ahead = self.zone.to_offset(moment).seconds();
        let sign = if ahead < 0 { '-' } else { '+' };
        let (hours, minutes) = (ahead.abs() / 3_600, ahead.abs() / 60 % 60);
        let zone = match (hours, minutes) {
            (0, 0) => String::from("UTC"),
            (_, 0) => format!("UTC{sign}{hours}"),
            _ => format!("UTC{sign}{hours}:{minutes:02}"),
        };
        format!("{} {zone}", local.strftime("%Y-%m-%d %H:%M:%S"))
    }

    /// The moment of a day's minute, 0 to 1,440, the last being the next midnight.
    pub fn moment(&self, day: Date, minute: u16) -> Option<Timestamp> {
        let (day, minute) = if minute >= crate::written::DAY_MINUTES {
            (day.tomorrow().ok()?, 0)
        } else {
            (day, minute)
        };
        let (hour, minute) = (
            i8::try_from(minute / 60).ok()?,
            i8::try_from(minute % 60).ok()?,
        );
        let at = self.zone.to_timestamp(day.at(hour, minute, 0, 0)).ok()?;
        Some(Timestamp::from_micros(at.as_microsecond()))
    }
}
