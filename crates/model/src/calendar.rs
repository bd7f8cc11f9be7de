//! Working calendars (工作日历): which hours are worked, so that clocks can run in working time. Pure: whoever
//! needs "now" gives it.
//!
//! ```toml
//! title_zh = "工作时间"
//! title_en = "Working hours"
//! known_until = "2026-12-31"
//! [week]
//! monday = ["08:30-12:00", "14:00-17:30"]
//! [[holidays]]
//! title_zh = "国庆节"
//! title_en = "National Day"
//! first = "2026-10-01"
//! last = "2026-10-07"
//! [[worked]]
//! days = ["2026-10-10"]
//! ```

use crate::problem::{Problem, quote};
use crate::time::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The calendar that every city has: all hours of all days.
pub const ALWAYS: &str = "always";

/// How far the working time of a clock is looked for, in days.
pub const DAYS_AHEAD_MAX: u32 = 3_660;

/// Most days that one holiday may last.
pub const HOLIDAY_DAYS_MAX: i32 = 366;

/// A working calendar as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Until which day, inclusive, its holidays are known; whoever shows it says when that is near.
    #[serde(default)]
    pub known_until: Option<Date>,
    /// The hours of a week, by English name of the day in lower case; a day that is left out is not worked.
    #[serde(default)]
    pub week: BTreeMap<String, Vec<String>>,
    /// Days that are not worked, whatever the week says (放假).
    #[serde(default)]
    pub holidays: Vec<Holiday>,
    /// Days that are worked, whatever the week says (调休上班).
    #[serde(default)]
    pub worked: Vec<Worked>,
}

/// Days that are not worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The first day.
    pub first: Date,
    /// The last day, inclusive.
    pub last: Date,
}

/// Days that are worked out of turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worked {
    /// The days.
    pub days: Vec<Date>,
    /// Their hours; those of Monday when left out.
    #[serde(default)]
    pub hours: Option<Vec<String>>,
}

/// From when to when in one day; `until` of 24:00 is the next midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hours {
    from_minute: u16,
    until_minute: u16,
}

const DAY_MINUTES: u16 = 24 * 60;

/// A working calendar (工作日历) in the city's zone.
#[derive(Clone, Debug)]
pub struct WorkingCalendar {
    name: String,
    declared: Declared,
    zone: TimeZone,
    /// Monday first.
    week: [Vec<Hours>; 7],
    off: BTreeSet<Date>,
    worked: BTreeMap<Date, Vec<Hours>>,
}

impl WorkingCalendar {
    /// All hours of all days, under the name [`ALWAYS`].
    pub fn always(zone: TimeZone) -> Self {
        let day = vec![Hours {
            from_minute: 0,
            until_minute: DAY_MINUTES,
        }];
        Self {
            name: ALWAYS.to_owned(),
            declared: Declared {
                title_zh: "全天候".to_owned(),
                title_en: "Always".to_owned(),
                ..Declared::default()
            },
            zone,
            week: std::array::from_fn(|_| day.clone()),
            off: BTreeSet::new(),
            worked: BTreeMap::new(),
        }
    }

    /// Checks what was written; `place` is named in problems.
    ///
    /// # Errors
    /// `calendar-day`, `calendar-hours`, `calendar-holiday`, and `calendar-empty` for a calendar in which nobody ever works: every
    /// mistake at once.
    pub fn new(
        name: impl Into<String>,
        declared: Declared,
        zone: TimeZone,
        place: &str,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut week: [Vec<Hours>; 7] = std::array::from_fn(|_| Vec::new());
        for (day, hours) in &declared.week {
            let Some(weekday) = weekday(day) else {
                problems.push(Problem::new(
                    "calendar-day",
                    format!("\"{}\" is not a day of the week", quote(day)),
                    format!("{place}: week"),
                    "use monday to sunday",
                ));
                continue;
            };
            match read_hours(hours) {
                Ok(read) => {
                    week[usize::from(weekday.to_monday_zero_offset().unsigned_abs())] = read
                }
                Err(what) => problems.push(bad_hours(what, format!("{place}: week.{day}"))),
            }
        }
        let mut off = BTreeSet::new();
        for (n, holiday) in declared.holidays.iter().enumerate() {
            let days = (holiday.last - holiday.first).get_days();
            if !(0..HOLIDAY_DAYS_MAX).contains(&days) {
                problems.push(Problem::new(
                    "calendar-holiday",
                    format!("from {} to {} is no holiday", holiday.first, holiday.last),
                    format!("{place}: holidays.{n}"),
                    format!("write the first day first, and at most {HOLIDAY_DAYS_MAX} days"),
                ));
                continue;
            }
            off.extend(
                holiday
                    .first
                    .series(jiff::Span::new().days(1))
                    .take_while(|day| *day <= holiday.last),
            );
        }
        let mut worked = BTreeMap::new();
        for (n, entry) in declared.worked.iter().enumerate() {
            let hours = match &entry.hours {
                None => week[0].clone(),
                Some(hours) => match read_hours(hours) {
                    Ok(read) => read,
                    Err(what) => {
                        problems.push(bad_hours(what, format!("{place}: worked.{n}.hours")));
                        continue;
                    }
                },
            };
            for day in &entry.days {
                if off.contains(day) {
                    problems.push(Problem::new(
                        "calendar-holiday",
                        format!("{day} is a holiday and worked at once"),
                        format!("{place}: worked.{n}.days"),
                        "keep one of the two",
                    ));
                }
                worked.insert(*day, hours.clone());
            }
        }
        if problems.is_empty() && week.iter().all(Vec::is_empty) {
            problems.push(Problem::new(
                "calendar-empty",
                "no day of the week is worked: no clock would ever end",
                format!("{place}: week"),
                "give at least one day hours, such as monday = [\"08:30-12:00\"]",
            ));
        }
        if problems.is_empty() {
            Ok(Self {
                name: name.into(),
                declared,
                zone,
                week,
                off,
                worked,
            })
        } else {
            Err(problems)
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was written.
    pub fn declared(&self) -> &Declared {
        &self.declared
    }

    /// The zone of its days.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether that moment is working time.
    pub fn is_working(&self, at: Timestamp) -> bool {
        let Some(day) = self.date_of(at) else {
            return false;
        };
        self.spans(day)
            .any(|(from, until)| from <= at && at < until)
    }

    /// The moment at which `seconds` of working time have passed since `from`. With 0 seconds it is `from` itself.
    ///
    /// # Errors
    /// `calendar-too-far` when they are not over within [`DAYS_AHEAD_MAX`] days.
    pub fn add(&self, from: Timestamp, seconds: u64) -> Result<Timestamp, Problem> {
        if seconds == 0 {
            return Ok(from);
        }
        let mut left = i64::try_from(seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000);
        let mut day = self.date_of(from);
        for _ in 0..DAYS_AHEAD_MAX {
            let Some(date) = day else { break };
            for (start, end) in self.spans(date) {
                let start = start.max(from);
                let there = end.micros_since(start);
                if there <= 0 {
                    continue;
                }
                if left <= there {
                    return Ok(start.plus_micros(left));
                }
                left -= there;
            }
            day = date.tomorrow().ok();
        }
        Err(Problem::new(
            "calendar-too-far",
            format!(
                "{seconds} s of working time are not over within {DAYS_AHEAD_MAX} days of {from} in the calendar \"{}\"",
                self.name
            ),
            "calendar",
            "use a shorter time, or add working days to the calendar",
        ))
    }

    /// The working time from `from` to `until`, in whole seconds; 0 when `until` is not later.
    pub fn between(&self, from: Timestamp, until: Timestamp) -> u64 {
        let mut micros = 0_i64;
        let mut day = self.date_of(from);
        while let Some(date) = day {
            if self
                .moment(date, 0)
                .is_none_or(|midnight| until <= midnight)
            {
                break;
            }
            for (start, end) in self.spans(date) {
                micros += end.min(until).micros_since(start.max(from)).max(0);
            }
            day = date.tomorrow().ok();
        }
        (micros / 1_000_000).unsigned_abs()
    }

    /// The next moment after `at` at which work begins or ends; `None` when there is none within [`DAYS_AHEAD_MAX`] days.
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let now = self.is_working(at);
        let mut day = self.date_of(at);
        for _ in 0..DAYS_AHEAD_MAX {
            let date = day?;
            for edge in self.spans(date).flat_map(|(from, until)| [from, until]) {
                if edge > at && self.is_working(edge) != now {
                    return Some(edge);
                }
            }
            day = date.tomorrow().ok();
        }
        None
    }

    fn date_of(&self, at: Timestamp) -> Option<Date> {
        let at = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
        Some(self.zone.to_datetime(at).date())
    }

    fn hours_of(&self, day: Date) -> &[Hours] {
        if let Some(hours) = self.worked.get(&day) {
            hours
        } else if self.off.contains(&day) {
            &[]
        } else {
            &self.week[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())]
        }
    }

    /// The spans of a day's work, in order.
    fn spans(&self, day: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        self.hours_of(day).iter().filter_map(move |hours| {
            Some((
                self.moment(day, hours.from_minute)?,
                self.moment(day, hours.until_minute)?,
            ))
        })
    }

    fn moment(&self, day: Date, minute: u16) -> Option<Timestamp> {
        let (day, minute) = if minute == DAY_MINUTES {
            (day.tomorrow().ok()?, 0)
        } else {
            (day, minute)
        };
        let time = Time::new(
            i8::try_from(minute / 60).ok()?,
            i8::try_from(minute % 60).ok()?,
            0,
            0,
        )
        .ok()?;
        let moment = self.zone.to_timestamp(day.to_datetime(time)).ok()?;
        Some(Timestamp::from_micros(moment.as_microsecond()))
    }
}

/// The calendars of a city, by name; [`ALWAYS`] is always there.
#[derive(Clone, Debug)]
pub struct Calendars {
    all: BTreeMap<String, WorkingCalendar>,
}

impl Calendars {
    /// Those given, and [`ALWAYS`].
    pub fn new(zone: TimeZone, calendars: impl IntoIterator<Item = WorkingCalendar>) -> Self {
        let always = WorkingCalendar::always(zone);
        Self {
            all: std::iter::once(always)
                .chain(calendars)
                .map(|calendar| (calendar.name.clone(), calendar))
                .collect(),
        }
    }

    /// The calendar of that name.
    ///
    /// # Errors
    /// `calendar-unknown`, which names those there are.
    pub fn get(&self, name: &str) -> Result<&WorkingCalendar, Problem> {
        self.all.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.all.keys().map(String::as_str).collect();
            Problem::new(
                "calendar-unknown",
                format!("there is no calendar \"{}\"", quote(name)),
                "calendar",
                format!(
                    "use one of {}, or add calendars/NAME.toml to the city's profile",
                    names.join(", ")
                ),
            )
        })
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &WorkingCalendar> {
        self.all.values()
    }
}

impl Default for Calendars {
    /// Only [`ALWAYS`], in UTC.
    fn default() -> Self {
        Self::new(TimeZone::UTC, [])
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

fn read_hours(written: &[String]) -> Result<Vec<Hours>, String> {
    let mut all = Vec::new();
    for text in written {
        let read = text.split_once('-').and_then(|(from, until)| {
            Some(Hours {
                from_minute: minute(from)?,
                until_minute: minute(until)?,
            })
        });
        match read {
            Some(hours) if hours.from_minute < hours.until_minute => all.push(hours),
            _ => return Err(format!("\"{}\" are no hours of a day", quote(text))),
        }
    }
    all.sort();
    if all
        .windows(2)
        .any(|pair| pair[0].until_minute > pair[1].from_minute)
    {
        return Err("hours overlap".to_owned());
    }
    Ok(all)
}

/// `HH:MM`, up to 24:00, as minutes since midnight.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY_MINUTES).then_some(all)
}

fn bad_hours(what: String, place: String) -> Problem {
    Problem::new(
        "calendar-hours",
        what,
        place,
        "write hours such as \"08:30-12:00\", earlier first, at most until \"24:00\"",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: [&str; 2] = ["08:30-12:00", "14:00-17:30"];

    fn declared() -> Declared {
        let week = ["monday", "tuesday", "wednesday", "thursday", "friday"]
            .map(|day| (day.to_owned(), DAY.map(str::to_owned).to_vec()));
        let day = |text: &str| text.parse::<Date>().unwrap();
        Declared {
            week: week.into(),
            holidays: vec![Holiday {
                title_zh: "国庆节".to_owned(),
                title_en: "National Day".to_owned(),
                first: day("2026-10-01"),
                last: day("2026-10-07"),
            }],
            worked: vec![Worked {
                days: vec![day("2026-10-10")],
                hours: None,
            }],
            ..Declared::default()
        }
    }

    fn calendar() -> WorkingCalendar {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        WorkingCalendar::new("working-hours", declared(), zone, "calendar").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{text}:00+08:00")).unwrap()
    }

    #[test]
    fn a_clock_stands_still_at_noon_at_night_and_on_holidays() {
        let calendar = calendar();
        let four_hours = |from: &str| calendar.add(at(from), 4 * 3_600).unwrap();
        assert_eq!(four_hours("2026-09-28T08:30"), at("2026-09-28T14:30"));
        assert_eq!(four_hours("2026-09-28T17:00"), at("2026-09-29T12:00"));
        assert_eq!(four_hours("2026-09-28T23:00"), at("2026-09-29T14:30"));
        // The last afternoon before the holidays, half an hour; then Thursday 8, three and a half.
        assert_eq!(four_hours("2026-09-30T17:00"), at("2026-10-08T12:00"));
        // Friday evening: the Saturday after it is worked.
        assert_eq!(four_hours("2026-10-09T17:30"), at("2026-10-10T14:30"));
        assert!(!calendar.is_working(at("2026-10-03T09:00")));
        assert!(calendar.is_working(at("2026-10-10T09:00")));
        assert!(!calendar.is_working(at("2026-10-11T09:00")));
        assert_eq!(
            calendar.between(at("2026-09-30T17:00"), at("2026-10-08T09:00")),
            3_600
        );
        assert_eq!(
            calendar.next_change(at("2026-09-30T17:30")),
            Some(at("2026-10-08T08:30"))
        );
        assert_eq!(
            calendar.next_change(at("2026-10-08T08:30")),
            Some(at("2026-10-08T12:00"))
        );
    }

    #[test]
    fn always_runs_through() {
        let always = WorkingCalendar::always(TimeZone::UTC);
        let now = at("2026-10-01T23:59");
        assert_eq!(always.add(now, 86_400).unwrap(), now.plus_seconds(86_400));
        assert_eq!(always.between(now, now.plus_seconds(3_600_000)), 3_600_000);
        assert_eq!(always.next_change(now), None);
    }

    #[test]
    fn what_makes_no_sense_is_told_all_at_once() {
        let mut bad = declared();
        bad.week.insert("funday".to_owned(), Vec::new());
        bad.week
            .insert("monday".to_owned(), vec!["12:00-08:00".to_owned()]);
        bad.holidays[0].last = "2026-09-01".parse().unwrap();
        let codes: Vec<String> = WorkingCalendar::new("c", bad, TimeZone::UTC, "c.toml")
            .unwrap_err()
            .into_iter()
            .map(|problem| problem.code)
            .collect();
        assert_eq!(
            codes,
            ["calendar-day", "calendar-hours", "calendar-holiday"]
        );
        let empty = WorkingCalendar::new("c", Declared::default(), TimeZone::UTC, "c.toml");
        assert_eq!(empty.unwrap_err()[0].code, "calendar-empty");
        assert_eq!(
            Calendars::default().get("x").unwrap_err().code,
            "calendar-unknown"
        );
    }

    #[test]
    fn time_beyond_the_horizon_is_refused() {
        assert_eq!(
            calendar()
                .add(at("2026-10-01T00:00"), u64::MAX)
                .unwrap_err()
                .code,
            "calendar-too-far"
        );
    }

    proptest! {
        /// The working time until the end of a clock is the clock's length.
        #[test]
        fn adding_and_measuring_agree(minute in 0_i64..1_000_000, seconds in 1_u64..2_000_000) {
            let calendar = calendar();
            let from = at("2026-01-01T00:00").plus_seconds(minute * 60);
            let end = calendar.add(from, seconds).unwrap();
            prop_assert_eq!(calendar.between(from, end), seconds);
            prop_assert!(end > from);
        }
    }
}
