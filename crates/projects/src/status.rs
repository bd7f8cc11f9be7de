//! How a project stands on a day of the city's calendar, by stated rules.
//!
//! * A **milestone** that was reached was reached on time when its day is not after the planned one, else late. One that was not
//!   reached is overdue when the planned day is over, will be late when its forecast is after the planned day, comes soon
//!   within [`SOON_DAYS`], and is on course otherwise.
//! * A **task** that was done was done in time when its day is not after its due day, else late. One that was not done is overdue when its due
//!   day is over, due soon within [`SOON_DAYS`], open until then, and without a day when it has none.
//! * **Money** of a year: nothing was planned; more was paid than arranged; less was paid than the year asks for by now; or it
//!   goes as it should. What a year asks for by now is its plan by days in a straight line, of which
//!   [`PAID_PERCENT_MIN`] in a hundred must be paid while the year lasts, and all of it when the year is over.
//! * The **project**, the first that holds: it was ended; it is finished (built or in use); it is paused; it has no milestone, so that nothing
//!   can be judged; a milestone is overdue: it is late; something endangers it: it is at risk; it is on course. What endangers
//!   it: a forecast after the planned day, an open risk that is high, a procedure that was refused, or money that is not paid.

use crate::kept::{Kept, Milestone, Money, ProcedureState, RiskLevel, Source, Stage, Task};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Within how many days a milestone comes soon.
pub const SOON_DAYS: i64 = 30;
/// Of what a year's plan asks for by a day of that year, how much must be paid, in a hundred: works are paid in parts.
pub const PAID_PERCENT_MIN: i128 = 50;

/// How a milestone stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectMilestoneState)]
pub enum MilestoneState {
    /// Reached by the planned day.
    OnTime,
    /// Reached after it.
    DoneLate,
    /// Not reached, and the planned day is over.
    Overdue,
    /// Not reached, and expected after the planned day.
    WillBeLate,
    /// Not reached, and planned within [`SOON_DAYS`].
    Soon,
    /// Not reached, and planned later.
    OnCourse,
}

impl MilestoneState {
    /// The word of tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnTime => "on_time",
            Self::DoneLate => "done_late",
            Self::Overdue => "overdue",
            Self::WillBeLate => "will_be_late",
            Self::Soon => "soon",
            Self::OnCourse => "on_course",
        }
    }
}

/// Days from one day to another; negative when it lies before.
pub fn days(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

impl Milestone {
    /// How it stands on a day.
    pub fn state(&self, day: Date) -> MilestoneState {
        match (self.done, self.forecast) {
            (Some(done), _) if done <= self.planned => MilestoneState::OnTime,
            (Some(_), _) => MilestoneState::DoneLate,
            (None, _) if self.planned < day => MilestoneState::Overdue,
            (None, Some(forecast)) if forecast > self.planned => MilestoneState::WillBeLate,
            (None, _) if days(day, self.planned) <= SOON_DAYS => MilestoneState::Soon,
            (None, _) => MilestoneState::OnCourse,
        }
    }

    /// How many days it was, or by now is, or is expected to be after the planned day; 0 when it is not.
    pub fn days_late(&self, day: Date) -> i64 {
        let until = self
            .done
            .or(self.forecast.filter(|forecast| *forecast > day));
        days(self.planned, until.unwrap_or(day)).max(0)
    }
}

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectTaskState)]
pub enum TaskState {
    /// Not done, and its day is over.
    Overdue,
    /// Not done, and due within [`SOON_DAYS`].
    Soon,
    /// Not done, and due later.
    Open,
    /// Not done, and due on no day.
    NoDay,
    /// Done after its day.
    DoneLate,
    /// Done in time, or without a day.
    Done,
}

impl TaskState {
    /// Whether it is still to be done.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Overdue | Self::Soon | Self::Open | Self::NoDay)
    }
}

impl Task {
    /// How it stands on a day.
    pub fn state(&self, day: Date) -> TaskState {
        match (self.done, self.due) {
            (Some(done), Some(due)) if done > due => TaskState::DoneLate,
            (Some(_), _) => TaskState::Done,
            (None, None) => TaskState::NoDay,
            (None, Some(due)) if due < day => TaskState::Overdue,
            (None, Some(due)) if days(day, due) <= SOON_DAYS => TaskState::Soon,
            (None, Some(_)) => TaskState::Open,
        }
    }

    /// How many days it was done, or by now is, after its day; 0 when it is not.
    pub fn days_late(&self, day: Date) -> i64 {
        self.due
            .map_or(0, |due| days(due, self.done.unwrap_or(day)).max(0))
    }
}

/// How the money of a year stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectMoneyState)]
pub enum MoneyState {
    /// Nothing is planned for it.
    None,
    /// More was paid than arranged.
    Overpaid,
    /// Less was paid than the year asks for by now.
    Behind,
    /// As it should.
    OnCourse,
}

/// Sums of money, fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProjectMoneySums)]
pub struct Sums {
    /// Planned.
    pub planned_fen: i64,
    /// Arranged.
    pub arranged_fen: i64,
    /// Paid.
    pub paid_fen: i64,
}

impl Sums {
    /// The sums of rows.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Money>) -> Self {
        let mut sums = Self::default();
        for row in rows {
            sums.planned_fen += row.planned_fen;
            sums.arranged_fen += row.arranged_fen;
            sums.paid_fen += row.paid_fen;
        }
        sums
    }

    /// How the money of a year stands on a day.
    pub fn state(&self, year: i16, day: Date) -> MoneyState {
        if self.paid_fen > self.arranged_fen {
            return MoneyState::Overpaid;
        }
        if self.planned_fen == 0 {
            return MoneyState::None;
        }
        let paid = i128::from(self.paid_fen);
        let planned = i128::from(self.planned_fen);
        let is_behind = match day.year().cmp(&year) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => paid < planned,
            std::cmp::Ordering::Equal => {
                let in_year = i128::from(day.days_in_year());
                let gone = i128::from(day.day_of_year());
                paid * in_year * 100 < planned * gone * PAID_PERCENT_MIN
            }
        };
        match is_behind {
            true => MoneyState::Behind,
            false => MoneyState::OnCourse,
        }
    }
}

/// The money of a project by year, each with its sums.
pub fn by_year(rows: &[Money]) -> BTreeMap<i16, Sums> {
    let mut years: BTreeMap<i16, Vec<&Money>> = BTreeMap::new();
    for row in rows {
        years.entry(row.year).or_default().push(row);
    }
    let years = years.into_iter();
    years.map(|(year, rows)| (year, Sums::of(rows))).collect()
}

/// The money of a project by source, each with its sums.
pub fn by_source(rows: &[Money]) -> BTreeMap<Source, Sums> {
    let mut sources: BTreeMap<Source, Vec<&Money>> = BTreeMap::new();
    for row in rows {
        sources.entry(row.source).or_default().push(row);
    }
    let sources = sources.into_iter();
    sources
        .map(|(source, rows)| (source, Sums::of(rows)))
        .collect()
}

/// How a project stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectStatus)]
pub enum Status {
    /// A milestone is overdue.
    Late,
    /// Something endangers it.
    AtRisk,
    /// As planned.
    OnCourse,
    /// It has no milestone: nothing can be judged.
    NoMilestones,
    /// It is stopped for now.
    Paused,
    /// It is built, or in use.
    Finished,
    /// It was ended and stays to be looked up.
    Ended,
}

impl Status {
    /// The word of tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::AtRisk => "at_risk",
            Self::OnCourse => "on_course",
            Self::NoMilestones => "no_milestones",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Ended => "ended",
        }
    }
}

/// What is to be said of a project, with how often it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectFindingKind)]
pub enum FindingKind {
    /// Milestones are overdue.
    MilestoneOverdue,
    /// Milestones are expected late.
    MilestoneWillBeLate,
    /// Risks are high and open.
    RiskHigh,
    /// Procedures were refused.
    ProcedureRefused,
    /// In a year less was paid than it asks for.
    MoneyBehind,
    /// In a year more was paid than arranged.
    MoneyOverpaid,
    /// Something that it needs is missing.
    FactorMissing,
    /// Nobody answers for it.
    NoOrganisation,
    /// It has no milestone.
    NoMilestones,
    /// It has no money.
    NoMoney,
}

/// One thing to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProjectFinding)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// How often.
    pub count: usize,
}

impl Kept {
    /// Everything to be said of the project on a day, in the order of [`FindingKind`].
    pub fn findings(&self, day: Date) -> Vec<Finding> {
        use FindingKind as K;
        let milestones = |state| {
            let states = self.milestones.iter().map(|m| m.state(day));
            states.filter(|s| *s == state).count()
        };
        let years = by_year(&self.money);
        let money = |state| {
            let states = years.iter().map(|(year, sums)| sums.state(*year, day));
            states.filter(|s| *s == state).count()
        };
        let high = self
            .risks
            .iter()
            .filter(|risk| !risk.over && risk.level == RiskLevel::High);
        let refused = self
            .procedures
            .iter()
            .filter(|p| p.state == ProcedureState::Refused);
        let missing = self.factors.iter().filter(|f| !f.missing.trim().is_empty());
        [
            (K::MilestoneOverdue, milestones(MilestoneState::Overdue)),
            (
                K::MilestoneWillBeLate,
                milestones(MilestoneState::WillBeLate),
            ),
            (K::RiskHigh, high.count()),
            (K::ProcedureRefused, refused.count()),
            (K::MoneyBehind, money(MoneyState::Behind)),
            (K::MoneyOverpaid, money(MoneyState::Overpaid)),
            (K::FactorMissing, missing.count()),
            (
                K::NoOrganisation,
                usize::from(self.profile.organisation.is_none()),
            ),
            (K::NoMilestones, usize::from(self.milestones.is_empty())),
            (K::NoMoney, usize::from(self.money.is_empty())),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| Finding { kind, count })
        .collect()
    }

    /// How the project stands on a day.
    pub fn status(&self, is_ended: bool, day: Date) -> Status {
        use FindingKind as K;
        if is_ended {
            return Status::Ended;
        }
        match self.stage {
            Stage::Built | Stage::InUse => return Status::Finished,
            Stage::Paused => return Status::Paused,
            Stage::Reserve | Stage::Preparing | Stage::Building => {}
        }
        if self.milestones.is_empty() {
            return Status::NoMilestones;
        }
        let findings = self.findings(day);
        let has = |kinds: &[K]| findings.iter().any(|finding| kinds.contains(&finding.kind));
        if has(&[K::MilestoneOverdue]) {
            return Status::Late;
        }
        if has(&[
            K::MilestoneWillBeLate,
            K::RiskHigh,
            K::ProcedureRefused,
            K::MoneyBehind,
            K::MoneyOverpaid,
        ]) {
            return Status::AtRisk;
        }
        Status::OnCourse
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept::{Procedure, Risk};
    use jiff::civil::date;

    const PLANNED: Date = date(2026, 6, 30);

    fn milestone(forecast: Option<Date>, done: Option<Date>) -> Milestone {
        Milestone {
            name: "开工".into(),
            planned: PLANNED,
            forecast,
            done,
            evidence: String::new(),
            photo: None,
        }
    }

    #[test]
    fn a_milestone_is_judged_by_the_day() {
        use MilestoneState as S;
        for (forecast, done, day, state, late) in [
            (None, Some(PLANNED), date(2026, 12, 1), S::OnTime, 0),
            (
                None,
                Some(date(2026, 7, 4)),
                date(2026, 12, 1),
                S::DoneLate,
                4,
            ),
            (None, None, PLANNED, S::Soon, 0),
            (None, None, date(2026, 7, 1), S::Overdue, 1),
            (None, None, date(2026, 5, 31), S::Soon, 0),
            (None, None, date(2026, 5, 30), S::OnCourse, 0),
            (
                Some(date(2026, 7, 10)),
                None,
                date(2026, 3, 1),
                S::WillBeLate,
                10,
            ),
            (Some(PLANNED), None, date(2026, 3, 1), S::OnCourse, 0),
            // A forecast that is over says nothing any more.
            (
                Some(date(2026, 7, 10)),
                None,
                date(2026, 7, 20),
                S::Overdue,
                20,
            ),
            (
                Some(date(2026, 8, 9)),
                None,
                date(2026, 7, 20),
                S::Overdue,
                40,
            ),
        ] {
            let it = milestone(forecast, done);
            assert_eq!(
                (it.state(day), it.days_late(day)),
                (state, late),
                "{forecast:?} {done:?} {day}"
            );
        }
        assert_eq!(days(date(2024, 1, 1), date(2026, 1, 1)), 731);
    }

    #[test]
    fn a_task_is_judged_by_the_day() {
        use TaskState as S;
        for (due, done, day, state, late) in [
            (None, None, PLANNED, S::NoDay, 0),
            (None, Some(PLANNED), PLANNED, S::Done, 0),
            (Some(PLANNED), None, PLANNED, S::Soon, 0),
            (Some(PLANNED), None, date(2026, 7, 1), S::Overdue, 1),
            (Some(PLANNED), None, date(2026, 5, 31), S::Soon, 0),
            (Some(PLANNED), None, date(2026, 5, 30), S::Open, 0),
            (Some(PLANNED), Some(PLANNED), date(2026, 8, 1), S::Done, 0),
            (
                Some(PLANNED),
                Some(date(2026, 7, 2)),
                date(2026, 8, 1),
                S::DoneLate,
                2,
            ),
        ] {
            let task = Task {
                organisation: "jingxin".into(),
                task: "编制标准".into(),
                due,
                done,
                progress: String::new(),
            };
            assert_eq!(
                (task.state(day), task.days_late(day)),
                (state, late),
                "{due:?} {done:?} {day}"
            );
        }
    }

    #[test]
    fn money_is_judged_by_the_part_of_the_year_that_is_gone() {
        use MoneyState as S;
        let sums = |planned_fen, arranged_fen, paid_fen| Sums {
            planned_fen,
            arranged_fen,
            paid_fen,
        };
        // 2026 has 365 days; 30 June is the 181st: of 3650 fen 1810 by the line, 905 at the least.
        let day = date(2026, 6, 30);
        for (sums, year, state) in [
            (sums(0, 0, 0), 2026, S::None),
            (sums(0, 10, 10), 2026, S::None),
            (sums(3650, 0, 1), 2026, S::Overpaid),
            (sums(3650, 3650, 904), 2026, S::Behind),
            (sums(3650, 3650, 905), 2026, S::OnCourse),
            (sums(3650, 3650, 3649), 2025, S::Behind),
            (sums(3650, 3650, 3650), 2025, S::OnCourse),
            (sums(3650, 0, 0), 2027, S::OnCourse),
        ] {
            assert_eq!(sums.state(year, day), state, "{sums:?} {year}");
        }
    }

    fn money(source: Source, year: i16, planned_fen: i64) -> Money {
        Money {
            source,
            year,
            planned_fen,
            arranged_fen: 1,
            paid_fen: 0,
        }
    }

    #[test]
    fn sums_are_by_year_and_by_source() {
        let rows = [
            money(Source::City, 2025, 100),
            money(Source::Central, 2025, 20),
            money(Source::City, 2026, 3),
        ];
        let years: Vec<_> = by_year(&rows)
            .into_iter()
            .map(|(y, s)| (y, s.planned_fen))
            .collect();
        assert_eq!(years, [(2025, 120), (2026, 3)]);
        let sources: Vec<_> = by_source(&rows)
            .into_iter()
            .map(|(s, sum)| (s, sum.planned_fen))
            .collect();
        assert_eq!(sources, [(Source::Central, 20), (Source::City, 103)]);
        assert_eq!(Sums::of(&rows).arranged_fen, 3);
    }

    #[test]
    fn a_project_is_what_the_first_rule_says() {
        let day = date(2026, 7, 1);
        let mut kept = Kept::default();
        assert_eq!(kept.status(false, day), Status::NoMilestones);
        kept.milestones = vec![milestone(None, None)];
        assert_eq!(kept.status(false, day), Status::Late);
        assert_eq!(kept.status(false, PLANNED), Status::OnCourse);
        kept.risks = vec![Risk {
            risk: "汛期".into(),
            level: RiskLevel::High,
            measure: "抢工期".into(),
            over: false,
        }];
        assert_eq!(kept.status(false, PLANNED), Status::AtRisk);
        kept.risks[0].over = true;
        assert_eq!(kept.status(false, PLANNED), Status::OnCourse);
        kept.procedures = vec![Procedure {
            name: "用地预审".into(),
            state: ProcedureState::Refused,
            number: String::new(),
            decided: None,
        }];
        assert_eq!(kept.status(false, PLANNED), Status::AtRisk);
        kept.procedures.clear();
        kept.money = vec![money(Source::City, 2025, 5)];
        assert_eq!(kept.status(false, PLANNED), Status::AtRisk);
        kept.stage = Stage::Paused;
        assert_eq!(kept.status(false, day), Status::Paused);
        kept.stage = Stage::InUse;
        assert_eq!(kept.status(false, day), Status::Finished);
        assert_eq!(kept.status(true, day), Status::Ended);
    }

    #[test]
    fn what_is_missing_is_said() {
        let kept = Kept::default();
        let kinds: Vec<_> = kept.findings(PLANNED).into_iter().map(|f| f.kind).collect();
        use FindingKind as K;
        assert_eq!(kinds, [K::NoOrganisation, K::NoMilestones, K::NoMoney]);
    }
}
