//! The monthly dispatch (月调度): for each month the responsible organisation of a project states its progress and its problems once,
//! from the month's first day on and up to the [`REPORT_DUE_DAY`]th of the next month; later it is late.
//!
//! Who owes: every project that somebody answers for, that was there by the month's last day and was not ended by then. How far a
//! project is makes no difference: the plan office ends it when there is nothing more to report.

use crate::check::YEARS;
use crate::kept::Kept;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// The day of the next month up to which a report is in time.
pub const REPORT_DUE_DAY: i8 = 5;

/// A month of the calendar, `2026-03`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month of a day.
    pub fn of(day: Date) -> Self {
        Self {
            year: day.year(),
            month: day.month(),
        }
    }

    /// A month of a year, 1 to 12; `None` for another, and for years of which nothing is kept.
    pub fn new(year: i16, month: i8) -> Option<Self> {
        let day = Date::new(year, month, 1).ok()?;
        (YEARS[0]..=YEARS[1]).contains(&year).then(|| Self::of(day))
    }

    /// Reads `2026-03`; `None` when it is no month.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let digits =
            |text: &str, count| text.len() == count && text.bytes().all(|c| c.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?)
    }

    /// Its first day.
    pub fn first(self) -> Date {
        Date::new(self.year, self.month, 1).unwrap_or(Date::MIN)
    }

    /// Its last day.
    pub fn last(self) -> Date {
        self.first().last_of_month()
    }

    /// The last day on which a report for it is in time.
    pub fn due(self) -> Date {
        let next = self.last().tomorrow().unwrap_or(Date::MAX);
        Date::new(next.year(), next.month(), REPORT_DUE_DAY).unwrap_or(Date::MAX)
    }

    /// The months of a year, in order.
    pub fn of_year(year: i16) -> Vec<Self> {
        (1..=12)
            .filter_map(|month| Self::new(year, month))
            .collect()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// A project as the dispatch and the assessment see it.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Its id.
    pub id: &'a str,
    /// What is kept of it.
    pub kept: &'a Kept,
    /// The day since which it is kept.
    pub created: Date,
    /// The day on which it was ended.
    pub ended: Option<Date>,
    /// The reports that there are: for which month, and on which day each was made.
    pub reports: &'a [(Month, Date)],
}

/// How the report of a project for a month stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectReportState)]
pub enum ReportState {
    /// Made in time.
    InTime,
    /// Made late.
    Late,
    /// Not made, and late by now.
    Missing,
    /// Not made, and there is time.
    Open,
}

impl Facts<'_> {
    /// Whether a report is owed for a month.
    pub fn owes(&self, month: Month) -> bool {
        let last = month.last();
        self.kept.profile.organisation.is_some()
            && self.created <= last
            && self.ended.is_none_or(|ended| ended > last)
    }

    /// How the report for a month stands on a day; `None` when none is owed and none was made, or the month is still to come.
    pub fn report(&self, month: Month, day: Date) -> Option<ReportState> {
        let made = self.reports.iter().find(|(of, _)| *of == month);
        match made {
            Some((_, at)) if *at <= month.due() => Some(ReportState::InTime),
            Some(_) => Some(ReportState::Late),
            None if !self.owes(month) || day < month.first() => None,
            None if day <= month.due() => Some(ReportState::Open),
            None => Some(ReportState::Missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    fn facts<'a>(
        (kept, reports): (&'a Kept, &'a [(Month, Date)]),
        created: Date,
        ended: Option<Date>,
    ) -> Facts<'a> {
        Facts {
            id: "p",
            kept,
            created,
            ended,
            reports,
        }
    }

    #[test]
    fn months_are_read_and_have_their_days() {
        let it = month("2026-12");
        assert_eq!(it.to_string(), "2026-12");
        assert_eq!(
            (it.first(), it.last(), it.due()),
            (date(2026, 12, 1), date(2026, 12, 31), date(2027, 1, 5))
        );
        assert_eq!(month("2024-02").last(), date(2024, 2, 29));
        for bad in [
            "2026-13",
            "2026-00",
            "2026-3",
            "26-03",
            "2026",
            "+026-03",
            "1999-01",
            "2101-01",
            "2026-03-01",
        ] {
            assert_eq!(Month::parse(bad), None, "{bad}");
        }
        assert_eq!(Month::of_year(2026).len(), 12);
    }

    #[test]
    fn a_report_is_owed_while_somebody_answers_for_the_project() {
        let mut kept = Kept::default();
        let reports = [
            (month("2026-04"), date(2026, 5, 5)),
            (month("2026-05"), date(2026, 6, 6)),
        ];
        let (created, day) = (date(2026, 3, 31), date(2026, 8, 5));
        let nobody = facts((&kept, &reports), created, None);
        assert_eq!(nobody.report(month("2026-03"), day), None);
        kept.profile.organisation = Some("shuili".into());
        let it = facts((&kept, &reports), created, None);
        let states: Vec<_> = (2..=9)
            .map(|n| it.report(Month::new(2026, n).unwrap(), day))
            .collect();
        use ReportState as S;
        assert_eq!(
            states,
            [
                None,
                Some(S::Missing),
                Some(S::InTime),
                Some(S::Late),
                Some(S::Missing),
                // Due on this very day.
                Some(S::Open),
                Some(S::Open),
                None,
            ]
        );
        let ended = facts((&kept, &reports), created, Some(date(2026, 6, 30)));
        assert!(ended.owes(month("2026-05")));
        assert!(!ended.owes(month("2026-06")));
    }
}
