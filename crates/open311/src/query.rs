//! Which requests a client asks for: section GET Service Requests. Ids win over everything else; without them a span of at most
//! 90 days and at most 1,000 requests are answered.

use crate::fault::Fault;
use crate::forms::Status;
use model::Timestamp;

/// Longest span of one answer, in days: the standard's.
pub const DAYS_MAX: i64 = 90;
/// Most requests of one answer: the standard's.
pub const REQUESTS_MAX: u32 = 1_000;
const DAY_S: i64 = 86_400;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// These, whatever else is said.
    pub ids: Vec<String>,
    /// Of these services; of any when empty.
    pub codes: Vec<String>,
    /// Made at or after.
    pub from: Timestamp,
    /// Made before.
    pub until: Timestamp,
    /// Standing so; however when empty or both.
    pub status: Option<Status>,
    /// Which page, from 1.
    pub page: u32,
    /// How many requests a page has, 1 to [`REQUESTS_MAX`].
    pub page_size: u32,
}

/// The words of a list with commas between.
fn words(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn moment(text: &str, name: &str) -> Result<Timestamp, Fault> {
    Timestamp::parse(text).map_err(|_| {
        Fault::invalid(format!(
            "{name} is no time with a zone, such as 2026-11-26T08:00:00+08:00"
        ))
    })
}

impl Query {
    /// Reads the parameters of an address at a moment. Parameters that are not known are passed over, as the standard lets
    /// clients add their own.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn of<'a>(
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let (mut from, mut until) = (None, None);
        let mut query = Self {
            page: 1,
            page_size: REQUESTS_MAX,
            ..Self::default()
        };
        for (name, value) in parameters {
            if value.trim().is_empty() {
                continue;
            }
            match name {
                "service_request_id" => query.ids = words(value),
                "service_code" => query.codes = words(value),
                "start_date" => from = Some(moment(value, name)?),
                "end_date" => until = Some(moment(value, name)?),
                "status" => query.status = status(value)?,
                "page" => query.page = count(value, name, u32::MAX)?,
                "page_size" => query.page_size = count(value, name, REQUESTS_MAX)?,
                _ => {}
            }
        }
        if query.ids.len() > REQUESTS_MAX as usize {
            return Err(Fault::invalid(format!(
                "more than {REQUESTS_MAX} ids were asked for"
            )));
        }
        let span = DAYS_MAX * DAY_S;
        (query.from, query.until) = match (from, until) {
            (None, None) => (now.plus_seconds(-span), now.plus_seconds(1)),
            (Some(from), None) => (from, from.plus_seconds(span)),
            (None, Some(until)) => (until.plus_seconds(-span), until),
            (Some(from), Some(until)) if until < from => {
                return Err(Fault::invalid("end_date lies before start_date"));
            }
            (Some(from), Some(until)) => (from, until.min(from.plus_seconds(span))),
        };
        Ok(query)
    }

    /// How many requests lie before the page.
    pub fn offset(&self) -> u64 {
        u64::from(self.page.saturating_sub(1)) * u64::from(self.page_size)
    }
}

fn status(text: &str) -> Result<Option<Status>, Fault> {
    let mut found: Option<Status> = None;
    for word in words(text) {
        let status = match word.as_str() {
            "open" => Status::Open,
            "closed" => Status::Closed,
            _ => {
                return Err(Fault::invalid(
                    "status is open, closed, or both with a comma between",
                ));
            }
        };
        if found.is_some_and(|other| other != status) {
            return Ok(None);
        }
        found = Some(status);
    }
    Ok(found)
}

fn count(text: &str, name: &str, most: u32) -> Result<u32, Fault> {
    let number = text.trim().parse::<u32>().ok();
    number
        .filter(|n| (1..=most).contains(n))
        .ok_or_else(|| Fault::invalid(format!("{name} is no number from 1 to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_392_000);

    #[test]
    fn ninety_days_to_now_unless_said_and_never_more() {
        let query = Query::of([], NOW).unwrap();
        assert_eq!(
            query.until.micros_since(query.from),
            (90 * 86_400 + 1) * 1_000_000
        );
        let long = [
            ("start_date", "2026-01-01T00:00:00Z"),
            ("end_date", "2026-12-01T00:00:00Z"),
        ];
        let query = Query::of(long, NOW).unwrap();
        assert_eq!(query.until, query.from.plus_seconds(90 * 86_400));
        assert_eq!((query.page, query.page_size, query.offset()), (1, 1_000, 0));
    }

    #[test]
    fn lists_pages_and_what_is_wrong() {
        let asked = [
            ("service_code", "B0101, S0102,"),
            ("status", "closed"),
            ("page", "3"),
            ("page_size", "20"),
            ("own", "x"),
        ];
        let query = Query::of(asked, NOW).unwrap();
        assert_eq!(query.codes, ["B0101", "S0102"]);
        assert_eq!((query.status, query.offset()), (Some(Status::Closed), 40));
        assert_eq!(
            Query::of([("status", "open,closed")], NOW).unwrap().status,
            None
        );
        for bad in [
            ("status", "done"),
            ("page", "0"),
            ("page_size", "1001"),
            ("start_date", "2026-01-01"),
            ("start_date", "yesterday"),
        ] {
            assert_eq!(Query::of([bad], NOW).unwrap_err().code, 400, "{bad:?}");
        }
    }
}
