//! What a text can be: a whole number, a number, yes or no, a date, a time. As departments write them, and
//! strictly: what only looks like a number (a code, an account) stays text.

use arrow::datatypes::{DataType, TimeUnit};
use model::problem::{both, quote};
use model::{Both, Problem};
use std::str::FromStr;

/// Digits up to which a whole number is a number; longer ones are numbers of cards and accounts.
const DIGITS_MAX: usize = 15;
const SECOND_US: i64 = 1_000_000;
const DAY_S: i64 = 86_400;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of at most 15 digits.
    Integer,
    /// A number.
    Number,
    /// Yes or no: `true`, `false`, `yes`, `no`, 是, 否, 有, 无.
    Boolean,
    /// A day.
    Date,
    /// A moment.
    Time,
    /// A text.
    Text,
}

/// The kinds by their words.
const WORDS: [(&str, Kind); 6] = [
    ("text", Kind::Text),
    ("integer", Kind::Integer),
    ("number", Kind::Number),
    ("boolean", Kind::Boolean),
    ("date", Kind::Date),
    ("time", Kind::Time),
];

impl FromStr for Kind {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let known = WORDS.iter().find(|(word, _)| *word == text);
        known.map(|(_, kind)| *kind).ok_or_else(|| {
            Problem::new(
                "import-type",
                format!("\"{}\" is no type of a column", quote(text)),
                "type",
                "use text, integer, number, boolean, date or time",
            )
        })
    }
}

/// In the order in which they are tried: the narrower first.
pub(crate) const KINDS: [Kind; 5] = [
    Kind::Boolean,
    Kind::Integer,
    Kind::Number,
    Kind::Date,
    Kind::Time,
];

impl Kind {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        WORDS
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("text", |(word, _)| word)
    }

    /// What it is called in a sentence.
    pub(crate) fn name(self) -> Both {
        match self {
            Self::Integer => both("整数", "a whole number"),
            Self::Number => both("数", "a number"),
            Self::Boolean => both("是或否", "yes or no"),
            Self::Date => both("日期", "a date"),
            Self::Time => both("时间", "a time"),
            Self::Text => both("文本", "a text"),
        }
    }

    /// How it is written.
    pub(crate) fn example(self) -> Both {
        match self {
            Self::Integer => "1234".into(),
            Self::Number => "12.5".into(),
            Self::Boolean => both("是 或 否", "是 or 否, true or false"),
            Self::Date => "2026-11-23".into(),
            Self::Time => "2026-11-23 16:00".into(),
            Self::Text => both("文本", "a text"),
        }
    }

    pub(crate) fn fits(self, text: &str) -> bool {
        match self {
            Self::Integer => integer(text).is_some(),
            Self::Number => number(text).is_some(),
            Self::Boolean => boolean(text).is_some(),
            Self::Date => date(text).is_some(),
            Self::Time => time(text, 0).is_some(),
            Self::Text => true,
        }
    }

    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Text => DataType::Utf8View,
        }
    }
}

/// Without the commas that part thousands, when they stand where they should.
fn without_commas(text: &str) -> Option<String> {
    if !text.contains(',') {
        return Some(text.to_owned());
    }
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut groups = whole.trim_start_matches(['-', '+']).split(',');
    let first = groups.next()?;
    let good = (1..=3).contains(&first.len()) && groups.all(|g| g.len() == 3);
    let fraction = fraction.map_or_else(String::new, |f| format!(".{f}"));
    good.then(|| whole.replace(',', "") + &fraction)
}

pub(crate) fn integer(text: &str) -> Option<i64> {
    let text = without_commas(text)?;
    let digits = text.trim_start_matches(['-', '+']);
    let plain = !digits.is_empty()
        && digits.len() <= DIGITS_MAX
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'));
    plain.then(|| text.parse().ok())?
}

pub(crate) fn number(text: &str) -> Option<f64> {
    let text = without_commas(text)?;
    let digits = text.trim_start_matches(['-', '+']);
    let whole = digits.split(['.', 'e', 'E']).next().unwrap_or_default();
    // 007 is a code, and a long row of digits is one too.
    let is_code = (whole.len() > 1 && whole.starts_with('0'))
        || (whole.len() > DIGITS_MAX && whole.len() == digits.len());
    let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    (starts && !is_code)
        .then(|| text.parse().ok())?
        .filter(|n: &f64| n.is_finite())
}

pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "是" | "有" => Some(true),
        "false" | "no" | "否" | "无" => Some(false),
        _ => None,
    }
}

/// Days from 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=9_999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    Some(
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468,
    )
}

/// A date as departments write it: 2026-11-23, 2026/11/3, 2026.11.23, 2026年11月23日.
pub(crate) fn date(text: &str) -> Option<i64> {
    // Most texts are none; this tells it without a copy.
    if !text.starts_with(|c: char| c.is_ascii_digit()) || text.len() > "2026年11月23日".len() {
        return None;
    }
    let plain = text
        .replace(['/', '.', '年', '月'], "-")
        .trim_end_matches('日')
        .to_owned();
    let parts: Vec<&str> = plain.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    let number = |part: &str, digits: std::ops::RangeInclusive<usize>| {
        let good = digits.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        good.then(|| part.parse::<i64>().ok())?
    };
    days(
        number(year, 4..=4)?,
        number(month, 1..=2)?,
        number(day, 1..=2)?,
    )
}

/// A time: a date, a blank or `T`, and hours and minutes, with seconds and a zone as may be. In
/// microseconds from 1970 UTC.
pub(crate) fn time(text: &str, utc_offset_seconds: i64) -> Option<i64> {
    let (day, clock) = text.split_once(['T', ' '])?;
    let days = date(day.trim())?;
    let clock = clock.trim();
    let (clock, offset) = match clock.find(['Z', '+', '-']) {
        None => (clock, utc_offset_seconds),
        Some(at) => {
            let (clock, zone) = clock.split_at(at);
            (clock.trim_end(), zone_seconds(zone)?)
        }
    };
    let mut parts = clock.split(':');
    let two = |part: Option<&str>, max: i64| -> Option<i64> {
        let part = part?;
        let good = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        good.then(|| part.parse().ok())?.filter(|n| *n <= max)
    };
    let (hour, minute) = (two(parts.next(), 23)?, two(parts.next(), 59)?);
    let mut us = (days * DAY_S + hour * 3_600 + minute * 60 - offset) * SECOND_US;
    if let Some(seconds) = parts.next() {
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        us += two(Some(whole), 59)? * SECOND_US;
        if !fraction.is_empty() {
            if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            us += format!("{fraction:0<6}")[..6].parse::<i64>().ok()?;
        }
    }
    parts.next().is_none().then_some(us)
}

/// The first moment of a day, as [`time`] gives it.
pub(crate) fn midnight(text: &str, utc_offset_seconds: i64) -> Option<i64> {
    Some((date(text)? * DAY_S - utc_offset_seconds) * SECOND_US)
}

fn zone_seconds(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, digits) = zone.split_at(1);
    let digits = digits.replace(':', "");
    let good =
        (digits.len() == 2 || digits.len() == 4) && digits.bytes().all(|b| b.is_ascii_digit());
    let number: i64 = good.then(|| format!("{digits:0<4}").parse().ok())??;
    let seconds = number / 100 * 3_600 + number % 100 * 60;
    (seconds <= 15 * 3_600).then_some(if sign == "-" { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_departments_write_is_understood() {
        assert_eq!(
            ["12", "-3", "1,234", "0"].map(integer),
            [Some(12), Some(-3), Some(1_234), Some(0)]
        );
        for code in ["007", "12,34", "429006199001011234", "1.0", "", "-", "１２"] {
            assert_eq!(integer(code), None, "{code}");
        }
        assert_eq!(
            ["1.5", "-1,234.5", "0.25", ".5", "1e3"].map(number),
            [
                Some(1.5),
                Some(-1_234.5),
                Some(0.25),
                Some(0.5),
                Some(1_000.0)
            ]
        );
        for code in ["0571", "NaN", "inf", "1.2.3", "429006199001011234", "12%"] {
            assert_eq!(number(code), None, "{code}");
        }
        for text in ["2026-11-23", "2026/11/23", "2026.11.23", "2026年11月23日"] {
            assert_eq!(date(text), Some(20_780), "{text}");
        }
        for text in [
            "2026-02-29",
            "2026-13-01",
            "26-11-23",
            "2026-11",
            "11/23/2026",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        let eight = 1_795_420_800 * SECOND_US;
        for text in [
            "2026-11-23 16:00",
            "2026/11/23 16:00:00",
            "2026-11-23T08:00:00Z",
            "2026-11-23 10:00:00+02:00",
            "2026年11月23日 16:00:00.0",
        ] {
            assert_eq!(time(text, 8 * 3_600), Some(eight), "{text}");
        }
        assert_eq!(time("2026-11-23 08:00:00.25", 0), Some(eight + 250_000));
        assert_eq!(
            midnight("2026-11-24", 8 * 3_600),
            time("2026-11-24 00:00", 8 * 3_600)
        );
        for text in [
            "2026-11-23 24:00",
            "2026-11-23 8",
            "2026-11-23 08:00:00+99",
            "08:00",
        ] {
            assert_eq!(time(text, 0), None, "{text}");
        }
    }

    #[test]
    fn kinds_have_words() {
        for (word, kind) in WORDS {
            assert_eq!((word.parse::<Kind>().unwrap(), kind.as_str()), (kind, word));
        }
        assert_eq!("float".parse::<Kind>().unwrap_err().code, "import-type");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "\\PC{0,24}") {
            for kind in KINDS {
                let _ = kind.fits(&text);
            }
        }

        #[test]
        fn numbers_as_dates_do_no_harm(text in "[0-9年月日:/ TZ.+-]{0,26}") {
            let _ = (date(&text), time(&text, 28_800));
        }
    }
}
