//! The roster (值班表): when the shift of a day runs, who is on duty at a moment, and who is next.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use model::problem::quote;
use model::{Problem, Timestamp};

/// Minutes of a day.
pub const DAY_MINUTES: i64 = 24 * 60;

/// Reads `hh:mm` as a minute of the day.
///
/// # Errors
/// `duty-time`; 24:00 is none.
pub fn minute(text: &str) -> Result<i64, Problem> {
    let time = Time::strptime("%H:%M", text.trim()).map_err(|_| {
        Problem::new(
            "duty-time",
            format!("\"{}\" is no time of the day", quote(text)),
            "time",
            "write it as 08:00",
        )
    })?;
    Ok(i64::from(time.hour()) * 60 + i64::from(time.minute()))
}

/// A minute of the day as `hh:mm`.
pub fn shown(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Reads a day, `2026-11-27`.
///
/// # Errors
/// `duty-day`.
pub fn day(text: &str) -> Result<Date, Problem> {
    text.trim().parse().map_err(|_| {
        Problem::new(
            "duty-day",
            format!("\"{}\" is no day", quote(text)),
            "day",
            "write it as 2026-11-27",
        )
    })
}

/// Reads a day as people write it: `2026-12-01`, `2026/12/1`, `2026.12.1`, `2026年12月1日`; `None` where it is none.
pub fn written_day(text: &str) -> Option<Date> {
    let mut parts = text
        .trim()
        .trim_end_matches('日')
        .split(['-', '/', '.', '年', '月']);
    let year = parts.next()?.trim().parse().ok()?;
    let month = parts.next()?.trim().parse().ok()?;
    let day = parts.next()?.trim().parse().ok()?;
    // 26/12/1 is a day of the first century to the calendar, and to nobody else.
    let is_whole = parts.next().is_none() && year >= 1_000;
    Date::new(year, month, day).ok().filter(|_| is_whole)
}

/// From when until when a shift runs that begins on a day: over midnight where `until_minute` is not later than
/// `from_minute`, a whole day where both are the same. By the clock of the zone, so that a shift is an hour longer or
/// shorter where that clock jumps.
///
/// # Errors
/// `duty-day` when the calendar ends there.
pub fn span(
    day: Date,
    from_minute: i64,
    until_minute: i64,
    zone: &TimeZone,
) -> Result<(Timestamp, Timestamp), Problem> {
    let end = if until_minute <= from_minute {
        day.tomorrow().ok()
    } else {
        Some(day)
    };
    let from = moment(day, from_minute, zone);
    let until = end.and_then(|end| moment(end, until_minute, zone));
    from.zip(until).ok_or_else(|| {
        Problem::new(
            "duty-day",
            format!("there is no shift on {day}"),
            "day",
            "name a day of this century",
        )
    })
}

fn moment(day: Date, minute: i64, zone: &TimeZone) -> Option<Timestamp> {
    let hour = i8::try_from(minute / 60).ok()?;
    let minute = i8::try_from(minute % 60).ok()?;
    let local = day.to_datetime(Time::new(hour, minute, 0, 0).ok()?);
    let moment = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    Some(Timestamp::from_micros(moment.as_microsecond()))
}

/// A time as people of the zone read it, `2026-11-27 08:00`.
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_microsecond(at.micros()) {
        Ok(moment) => zone
            .to_datetime(moment)
            .strftime("%Y-%m-%d %H:%M")
            .to_string(),
        Err(_) => at.to_string(),
    }
}

/// The day of the zone in which a moment lies.
pub fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    jiff::Timestamp::from_microsecond(at.micros())
        .map(|moment| zone.to_datetime(moment).date())
        .unwrap_or_default()
}

/// From when until when a turn of duty runs; the last moment is no part of it.
pub type Span = (Timestamp, Timestamp);

/// Whether two turns share a moment; one that begins when the other ends does not.
pub fn overlap(a: Span, b: Span) -> bool {
    a.0 < b.1 && b.0 < a.1
}

/// A turn as clashes are looked for: which shift of which day, and from when until when it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot<'a> {
    /// The shift.
    pub shift_id: i64,
    /// The day on which it begins.
    pub day: &'a str,
    /// From when until when.
    pub span: Span,
}

/// Whether nobody can have both turns: they share a moment and are not of one shift. Two posts of one shift are one person's when
/// the night is quiet.
pub fn clash(a: &Slot<'_>, b: &Slot<'_>) -> bool {
    overlap(a.span, b.span) && (a.shift_id, a.day) != (b.shift_id, b.day)
}

/// Who is on duty at a moment, and who is next: those whose turn begins first after it. A turn has its first moment and not
/// its last, so that at the change of shift one is on duty and not two.
pub fn now_and_next<T>(
    turns: &[T],
    span: impl Fn(&T) -> Span,
    now: Timestamp,
) -> (Vec<&T>, Vec<&T>) {
    let is_on = |turn: &&T| {
        let (from, until) = span(turn);
        from <= now && now < until
    };
    let begins = |turn: &T| span(turn).0;
    let first = turns.iter().map(begins).filter(|from| *from > now).min();
    let is_next = |turn: &&T| Some(begins(turn)) == first;
    (
        turns.iter().filter(is_on).collect(),
        turns.iter().filter(is_next).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row(&'static str, i64, i64);

    fn span_of(row: &Row) -> Span {
        (
            Timestamp::from_seconds(row.1),
            Timestamp::from_seconds(row.2),
        )
    }

    fn shanghai() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_time_of_the_day_is_read_and_24_o_clock_is_none() {
        assert_eq!(minute("08:30").unwrap(), 510);
        assert_eq!(minute(" 00:00 ").unwrap(), 0);
        assert_eq!(shown(510), "08:30");
        for bad in ["24:00", "8", "", "08:60", "八点"] {
            assert_eq!(minute(bad).unwrap_err().code, "duty-time", "{bad}");
        }
        assert_eq!(day("2026-11-27").unwrap().to_string(), "2026-11-27");
        assert_eq!(day("2026-02-30").unwrap_err().code, "duty-day");
    }

    #[test]
    fn a_day_is_read_as_people_write_it() {
        for text in [
            "2026-12-01",
            "2026/12/1",
            "2026.12.01",
            "2026年12月1日",
            " 2026 年 12 月 1 日",
        ] {
            let day = written_day(text).map(|day| day.to_string());
            assert_eq!(day.as_deref(), Some("2026-12-01"), "{text}");
        }
        for bad in [
            "12月1日",
            "26/12/1",
            "2026-02-30",
            "2026-12-01-1",
            "",
            "明天",
        ] {
            assert_eq!(written_day(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_day_shift_ends_on_its_day_and_a_night_shift_on_the_next() {
        let day = day("2026-11-27").unwrap();
        let (from, until) = span(day, 8 * 60, 20 * 60, &shanghai()).unwrap();
        assert_eq!(from, at("2026-11-27T00:00:00Z"));
        assert_eq!(until, at("2026-11-27T12:00:00Z"));
        let (from, until) = span(day, 20 * 60, 8 * 60, &shanghai()).unwrap();
        assert_eq!(from, at("2026-11-27T12:00:00Z"));
        assert_eq!(until, at("2026-11-28T00:00:00Z"));
        let (from, until) = span(day, 8 * 60, 8 * 60, &shanghai()).unwrap();
        assert_eq!(until.micros_since(from), 24 * 3_600 * 1_000_000);
    }

    #[test]
    fn where_the_clock_jumps_the_shift_is_as_long_as_it_really_is() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let day = day("2026-03-28").unwrap();
        let (from, until) = span(day, 20 * 60, 8 * 60, &zone).unwrap();
        assert_eq!(until.micros_since(from) / 3_600_000_000, 11);
    }

    #[test]
    fn at_the_change_one_is_on_duty_and_not_two_and_all_who_begin_next_are_next() {
        let rows = [
            Row("a", 0, 100),
            Row("b", 100, 200),
            Row("c", 100, 200),
            Row("d", 200, 300),
        ];
        let names = |now: i64| {
            let (on, next) = now_and_next(&rows, span_of, Timestamp::from_seconds(now));
            let words = |rows: Vec<&Row>| rows.iter().map(|r| r.0).collect::<String>();
            (words(on), words(next))
        };
        assert_eq!(names(50), ("a".to_owned(), "bc".to_owned()));
        assert_eq!(names(100), ("bc".to_owned(), "d".to_owned()));
        assert_eq!(names(-1), (String::new(), "a".to_owned()));
        assert_eq!(names(300), (String::new(), String::new()));
        assert!(overlap(span_of(&rows[1]), span_of(&rows[2])));
        assert!(!overlap(span_of(&rows[0]), span_of(&rows[1])));
    }
}
