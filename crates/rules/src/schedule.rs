//! When a rule is at work.

use crate::rule::During;
use model::calendar::{ALWAYS, Declared};
use model::{Calendars, Problem, Timestamp, WorkingCalendar};

/// The calendars whose working time must all be there.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    all: Vec<WorkingCalendar>,
}

impl Schedule {
    /// # Errors
    /// `calendar-unknown`, `calendar-hours`; `rule-during` when nothing is said.
    pub(crate) fn new(during: &During, calendars: &Calendars) -> Result<Self, Problem> {
        let (calendar, hours) = match during {
            During::Calendar(name) => (Some(name), None),
            During::Hours(both) => (both.calendar.as_ref(), both.hours.as_ref()),
        };
        let mut all = Vec::new();
        if let Some(name) = calendar {
            all.push(calendars.get(name)?.clone());
        }
        if let Some(hours) = hours {
            let days = [
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "saturday",
                "sunday",
            ];
            let declared = Declared {
                week: days.map(|day| (day.to_owned(), hours.clone())).into(),
                ..Declared::default()
            };
            let zone = calendars.get(ALWAYS)?.zone().clone();
            let calendar =
                WorkingCalendar::new("hours", declared, zone, "during").map_err(|problems| {
                    let first = problems.into_iter().next();
                    first.unwrap_or_else(|| Problem::new("calendar-hours", "", "during", ""))
                })?;
            all.push(calendar);
        }
        if all.is_empty() {
            return Err(Problem::new(
                "rule-during",
                "during says neither a calendar nor hours",
                "during",
                "write during = \"working-hours\", or during = { hours = [\"22:00-24:00\", \"00:00-06:00\"] }",
            ));
        }
        Ok(Self { all })
    }

    pub(crate) fn is_open(&self, at: Timestamp) -> bool {
        self.all.iter().all(|calendar| calendar.is_working(at))
    }

    /// The next moment at which one of them opens or closes.
    pub(crate) fn next_edge(&self, at: Timestamp) -> Option<Timestamp> {
        self.all
            .iter()
            .filter_map(|calendar| calendar.next_change(at))
            .min()
    }
}
