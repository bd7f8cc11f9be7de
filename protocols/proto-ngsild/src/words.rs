//! The small words of the standard: names (clause 4.6.2), URIs, and times (clause 4.6.3).

use crate::refusal::{Refusal, bad};
use model::Timestamp;
use model::problem::quote;

/// Whether this is a name: a letter, then letters, numbers, `_`; and `-` and `.`, which the standard does not have and devices do.
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(char::is_alphabetic)
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Whether this has the form of a URI or an IRI: a scheme, a colon, something after it, no white space and none of `<>"{}|\^` and
/// the backtick.
pub fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c);
    is_scheme(scheme) && !rest.is_empty() && !rest.contains(is_odd)
}

/// Whether this can be the scheme of a URI.
pub(crate) fn is_scheme(text: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(is_part)
}

/// A URI, checked.
pub(crate) fn uri(text: &str, place: &str) -> Result<(), Refusal> {
    if is_uri(text) {
        return Ok(());
    }
    let shown = quote(text);
    Err(bad(
        "uri-format",
        place,
        (
            format!("“{shown}”不是 URI"),
            format!("\"{shown}\" is not a URI"),
        ),
        (
            "请写完整的 URI，例如 urn:ngsi-ld:Device:1",
            "write a whole URI, such as urn:ngsi-ld:Device:1",
        ),
    ))
}

/// A DateTime of clause 4.6.3: a comma may stand before the fraction.
pub fn date_time(text: &str) -> Option<Timestamp> {
    if !text.contains('T') {
        return None;
    }
    match text.contains(',') {
        true => Timestamp::parse(&text.replacen(',', ".", 1)).ok(),
        false => Timestamp::parse(text).ok(),
    }
}

/// A DateTime, checked.
pub(crate) fn time(text: &str, place: &str) -> Result<Timestamp, Refusal> {
    date_time(text).ok_or_else(|| {
        let shown = quote(text);
        bad(
            "time-format",
            place,
            (
                format!("“{shown}”不是时间"),
                format!("\"{shown}\" is not a time"),
            ),
            (
                "请写 ISO 8601 时间，例如 2026-11-23T08:00:00Z",
                "write an ISO 8601 time, such as 2026-11-23T08:00:00Z",
            ),
        )
    })
}

/// A Date, `YYYY-MM-DD`, as the moment at which it begins in UTC.
pub(crate) fn date(text: &str) -> Option<Timestamp> {
    let is_date = text.len() == 10
        && text.bytes().enumerate().all(|(n, b)| match n {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
    is_date
        .then(|| Timestamp::parse(&format!("{text}T00:00:00Z")).ok())
        .flatten()
}

/// A Time, `hh:mm:ssZ` with up to six digits of a fraction, as microseconds since midnight.
pub(crate) fn time_of_day(text: &str) -> Option<i64> {
    let is_time = text.ends_with('Z') && text.as_bytes().get(2) == Some(&b':');
    let at = is_time.then(|| date_time(&format!("1970-01-01T{text}")))??;
    Some(at.micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_uris_times() {
        for good in ["speed", "水位", "a_1", "pm2.5", "air-quality"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "1a", "_a", "a b", "a(", "a:b"] {
            assert!(!is_name(bad), "{bad}");
        }
        for good in ["urn:a:b", "http://x/y#z", "urn:ngsi-ld:水:1"] {
            assert!(is_uri(good), "{good}");
        }
        for bad in ["a", ":a", "urn:", "1a:b", "urn:a b", "urn:a<b>"] {
            assert!(!is_uri(bad), "{bad}");
        }
        assert_eq!(
            date_time("2026-11-23T08:00:00,5Z"),
            date_time("2026-11-23T08:00:00.5Z")
        );
        assert!(date_time("2026-11-23").is_none());
        assert!(date("2026-11-23").is_some() && date("2026-13-23").is_none());
        assert_eq!(time_of_day("00:00:01.5Z"), Some(1_500_000));
        assert_eq!(time_of_day("25:00:00Z"), None);
    }
}
