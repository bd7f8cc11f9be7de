//! The clocks of a case, in working time. Pure: the moment is a parameter.

use crate::step::Step;
use crate::workflow::Workflow;
use model::calendar::{ALWAYS, Calendars, WorkingCalendar};
use model::{Problem, Timestamp};
use records::cases::Case;

/// How much time a case has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The calendar of the present state.
    pub calendar: String,
    /// Whether that clock runs now: in working time, and not suspended.
    pub running: bool,
    /// Working time until the present step is due, in seconds; negative when it is overdue.
    pub seconds: Option<i64>,
    /// Working time until the whole case is due, in seconds; negative when it is overdue.
    pub case_seconds: Option<i64>,
}

/// What [`Left`] depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftOf<'a> {
    pub state: &'a str,
    pub due_at: Option<Timestamp>,
    pub case_due_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub suspended_at: Option<Timestamp>,
}

/// A workflow's clocks in the city's calendars.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks<'a> {
    pub calendars: &'a Calendars,
    pub workflow: &'a Workflow,
}

impl<'a> Clocks<'a> {
    /// A calendar that the city no longer has counts all hours: its open cases go on.
    fn named(&self, name: &str) -> Result<&'a WorkingCalendar, Problem> {
        self.calendars
            .get(name)
            .or_else(|_| self.calendars.get(ALWAYS))
    }

    fn of_state(&self, state: &str) -> Result<&'a WorkingCalendar, Problem> {
        let own = self
            .workflow
            .state(state)
            .and_then(|s| s.calendar.as_deref());
        self.named(own.unwrap_or(&self.workflow.calendar))
    }

    fn of_case(&self) -> Result<&'a WorkingCalendar, Problem> {
        self.named(&self.workflow.calendar)
    }

    /// When a state that is entered at `from` is due.
    pub fn state_due(&self, state: &str, from: Timestamp) -> Result<Option<Timestamp>, Problem> {
        let minutes = self.workflow.state(state).and_then(|s| s.minutes);
        minutes
            .map(|minutes| self.of_state(state)?.add(from, u64::from(minutes) * 60))
            .transpose()
    }

    /// When a whole case that begins at `from` is due.
    pub fn case_due(&self, from: Timestamp) -> Result<Option<Timestamp>, Problem> {
        let minutes = self.workflow.case_minutes;
        minutes
            .map(|minutes| self.of_case()?.add(from, u64::from(minutes) * 60))
            .transpose()
    }

    /// Gives the present step and the whole case more working time.
    pub fn extend(&self, case: &mut Case, minutes: u64) -> Result<(), Problem> {
        let seconds = minutes.saturating_mul(60);
        if let Some(due) = case.due_at {
            case.due_at = Some(self.of_state(&case.state)?.add(due, seconds)?);
        }
        if let Some(due) = case.case_due_at {
            case.case_due_at = Some(self.of_case()?.add(due, seconds)?);
        }
        Ok(())
    }

    /// Lets the clocks run again: what was left when they were stopped is left now. What was overdue then stays so.
    pub fn resume(&self, case: &mut Case, now: Timestamp) -> Result<(), Problem> {
        let Some(stopped) = case.suspended_at.take() else {
            return Ok(());
        };
        case.suspended_until = None;
        let later = |calendar: &WorkingCalendar, due: Timestamp| {
            if due <= stopped {
                return Ok(due);
            }
            calendar.add(now, calendar.between(stopped, due))
        };
        if let Some(due) = case.due_at {
            case.due_at = Some(later(self.of_state(&case.state)?, due)?);
        }
        if let Some(due) = case.case_due_at {
            case.case_due_at = Some(later(self.of_case()?, due)?);
        }
        Ok(())
    }

    /// When the next level of escalation of a case is reached; `None` when there is none, it has ended or its clocks stand.
    pub fn escalates_at(&self, case: &Case) -> Result<Option<Timestamp>, Problem> {
        let level = usize::try_from(case.escalation).unwrap_or(usize::MAX);
        let (Some(due), Some(next), None, None) = (
            case.due_at,
            self.workflow.escalations.get(level),
            case.closed_at,
            case.suspended_at,
        ) else {
            return Ok(None);
        };
        let calendar = self.of_state(&case.state)?;
        calendar
            .add(due, u64::from(next.after_minutes) * 60)
            .map(Some)
    }

    /// What is left at a moment.
    pub fn left(&self, case: &LeftOf<'_>, now: Timestamp) -> Result<Left, Problem> {
        let calendar = self.of_state(case.state)?;
        let open = case.closed_at.is_none();
        let now = case.suspended_at.unwrap_or(now);
        let until = |calendar: &WorkingCalendar, due: Timestamp| {
            let seconds =
                |from, until| i64::try_from(calendar.between(from, until)).unwrap_or(i64::MAX);
            if due >= now {
                seconds(now, due)
            } else {
                -seconds(due, now)
            }
        };
        let whole = self.of_case()?;
        Ok(Left {
            calendar: calendar.name().to_owned(),
            running: open
                && case.suspended_at.is_none()
                && case.due_at.is_some()
                && calendar.is_working(now),
            seconds: case.due_at.filter(|_| open).map(|due| until(calendar, due)),
            case_seconds: case
                .case_due_at
                .filter(|_| open)
                .map(|due| until(whole, due)),
        })
    }

    /// Working time between two moments in the calendar of the state in which cases are handled, in seconds.
    pub fn handling(&self, from: Timestamp, until: Timestamp) -> u64 {
        let mut states = self.workflow.states.iter();
        let state = states.find(|s| self.workflow.step_of(s) == Step::Handle);
        self.of_state(state.map_or("", |s| s.name.as_str()))
            .map_or(0, |calendar| calendar.between(from, until))
    }
}
