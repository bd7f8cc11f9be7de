//! What a case is called: prefix, the city's own date, and a count within the day, e.g. `TM-20261123-0001`.

use jiff::tz::TimeZone;
use model::Timestamp;

/// The date in the city's zone, `YYYYMMDD`. A moment outside the calendar's years counts as its first day.
pub fn day(now: Timestamp, zone: &TimeZone) -> String {
    let moment = jiff::Timestamp::from_microsecond(now.micros()).unwrap_or_default();
    moment
        .to_zoned_datetime(zone.clone())
        .strftime("%Y%m%d")
        .to_string()
}

/// The number; the count has at least four digits.
pub fn number(prefix: &str, day: &str, count: i64) -> String {
    format!("{prefix}-{day}-{count:04}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_the_citys_not_greenwichs() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let late = Timestamp::parse("2026-11-22T15:59:59Z").unwrap();
        assert_eq!(day(late, &zone), "20261122");
        assert_eq!(day(late.plus_seconds(1), &zone), "20261123");
        assert_eq!(number("TM", "20261123", 1), "TM-20261123-0001");
        assert_eq!(number("TM", "20261123", 12_345), "TM-20261123-12345");
    }
}
