//! Assessment (督导考核) of the units of one year, by rules. No figure without the rows behind it: what is counted is given.
//!
//! * A unit answers for the projects whose responsible organisation it is; those of nobody come under no unit.
//! * **Milestones** planned within the year: kept when reached by the planned day; late when reached after it; overdue when not reached
//!   and the planned day is over; the rest is not judged yet. What was planned after the end of an ended project is not counted.
//! * **Money** of the year: planned, arranged and paid.
//! * **Monthly reports** of the year's months up to the day: in time, late, missing; a report that is not due yet is not counted.

use crate::kept::Source;
use crate::months::{Facts, Month, ReportState};
use crate::status::{MilestoneState, Sums};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A milestone that is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AssessedMilestone)]
pub struct MilestoneRow {
    /// The project.
    pub project: String,
    /// The milestone.
    pub name: String,
    /// The planned day.
    #[schema(value_type = String)]
    pub planned: Date,
    /// The day on which it was reached.
    #[schema(value_type = Option<String>)]
    pub done: Option<Date>,
    /// How it stands.
    pub state: MilestoneState,
}

/// Money that is summed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AssessedMoney)]
pub struct MoneyRow {
    /// The project.
    pub project: String,
    /// Where it comes from.
    pub source: Source,
    /// Its sums.
    pub sums: Sums,
}

/// A report that is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AssessedReport)]
pub struct ReportRow {
    /// The project.
    pub project: String,
    /// The month.
    pub month: String,
    /// How it stands.
    pub state: ReportState,
}

/// A unit and what is counted of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = UnitAssessment)]
pub struct Unit {
    /// The organisation, by id; none for projects that nobody answers for.
    pub organisation: Option<String>,
    /// How many projects.
    pub projects: usize,
    /// Milestones that were kept.
    pub kept: usize,
    /// Milestones reached late.
    pub late: usize,
    /// Milestones overdue.
    pub overdue: usize,
    /// Money of the year.
    pub money: Sums,
    /// Reports in time.
    pub reports_in_time: usize,
    /// Reports made late.
    pub reports_late: usize,
    /// Reports missing.
    pub reports_missing: usize,
    /// The milestones behind the figures, also those not judged yet.
    pub milestone_rows: Vec<MilestoneRow>,
    /// The money behind the figures.
    pub money_rows: Vec<MoneyRow>,
    /// The reports behind the figures.
    pub report_rows: Vec<ReportRow>,
}

/// The units of a year on a day, by their ids; projects of nobody come last.
pub fn assess<'a>(
    projects: impl IntoIterator<Item = Facts<'a>>,
    year: i16,
    day: Date,
) -> Vec<Unit> {
    let mut units: BTreeMap<(bool, Option<String>), Unit> = BTreeMap::new();
    for facts in projects {
        let organisation = facts.kept.profile.organisation.clone();
        let unit = units
            .entry((organisation.is_none(), organisation.clone()))
            .or_insert_with(|| Unit {
                organisation,
                ..Unit::default()
            });
        unit.add(&facts, year, day);
    }
    units.into_values().collect()
}

impl Unit {
    fn add(&mut self, facts: &Facts<'_>, year: i16, day: Date) {
        self.projects += 1;
        let ended = |planned| facts.ended.is_some_and(|ended| planned > ended);
        for milestone in &facts.kept.milestones {
            let planned = milestone.planned;
            if planned.year() != year || (milestone.done.is_none() && ended(planned)) {
                continue;
            }
            let state = milestone.state(day);
            match state {
                MilestoneState::OnTime => self.kept += 1,
                MilestoneState::DoneLate => self.late += 1,
                MilestoneState::Overdue => self.overdue += 1,
                MilestoneState::WillBeLate | MilestoneState::Soon | MilestoneState::OnCourse => {}
            }
            self.milestone_rows.push(MilestoneRow {
                project: facts.id.to_owned(),
                name: milestone.name.clone(),
                planned,
                done: milestone.done,
                state,
            });
        }
        for row in facts.kept.money.iter().filter(|row| row.year == year) {
            let sums = Sums::of([row]);
            self.money.planned_fen += sums.planned_fen;
            self.money.arranged_fen += sums.arranged_fen;
            self.money.paid_fen += sums.paid_fen;
            self.money_rows.push(MoneyRow {
                project: facts.id.to_owned(),
                source: row.source,
                sums,
            });
        }
        for month in Month::of_year(year) {
            let Some(state) = facts.report(month, day) else {
                continue;
            };
            match state {
                ReportState::InTime => self.reports_in_time += 1,
                ReportState::Late => self.reports_late += 1,
                ReportState::Missing => self.reports_missing += 1,
                ReportState::Open => continue,
            }
            self.report_rows.push(ReportRow {
                project: facts.id.to_owned(),
                month: month.to_string(),
                state,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept::{Kept, Milestone, Money, Profile};
    use jiff::civil::date;

    fn milestone(name: &str, planned: Date, done: Option<Date>) -> Milestone {
        Milestone {
            name: name.into(),
            planned,
            forecast: None,
            done,
            evidence: String::new(),
            photo: None,
        }
    }

    fn money(year: i16, planned_fen: i64, paid_fen: i64) -> Money {
        Money {
            source: Source::City,
            year,
            planned_fen,
            arranged_fen: planned_fen,
            paid_fen,
        }
    }

    /// Two projects of one unit and one of nobody, reckoned by hand.
    #[test]
    fn units_are_counted_with_their_rows() {
        let of = |organisation: Option<&str>| Profile {
            organisation: organisation.map(str::to_owned),
            ..Profile::default()
        };
        let gas = Kept {
            profile: of(Some("zhujian")),
            milestones: vec![
                milestone("立项", date(2026, 2, 1), Some(date(2026, 2, 1))),
                milestone("开工", date(2026, 3, 1), Some(date(2026, 3, 2))),
                milestone("主体", date(2026, 5, 1), None),
                milestone("竣工", date(2026, 11, 1), None),
                milestone("上年", date(2025, 11, 1), None),
            ],
            money: vec![money(2026, 100, 40), money(2025, 7, 7)],
            ..Kept::default()
        };
        let parking = Kept {
            profile: of(Some("zhujian")),
            milestones: vec![milestone("终止后", date(2026, 6, 2), None)],
            money: vec![money(2026, 10, 10)],
            ..Kept::default()
        };
        let nobody = Kept {
            milestones: vec![milestone("开工", date(2026, 1, 1), None)],
            ..Kept::default()
        };
        let month = |n| Month::new(2026, n).unwrap();
        // January in time, February a day late, March missing, April not due on 5 May.
        let reports = [(month(1), date(2026, 1, 31)), (month(2), date(2026, 3, 6))];
        let start = date(2026, 1, 15);
        let day = date(2026, 5, 5);
        let facts = |id, kept, ended, reports| Facts {
            id,
            kept,
            created: start,
            ended,
            reports,
        };
        let units = assess(
            [
                facts("nobody", &nobody, None, &[]),
                facts("gas", &gas, None, &reports[..]),
                facts("parking", &parking, Some(date(2026, 1, 20)), &[]),
            ],
            2026,
            day,
        );
        assert_eq!(units.len(), 2);
        let unit = &units[0];
        assert_eq!(unit.organisation.as_deref(), Some("zhujian"));
        assert_eq!(
            (unit.projects, unit.kept, unit.late, unit.overdue),
            (2, 1, 1, 1)
        );
        assert_eq!(unit.milestone_rows.len(), 4, "the last is not judged yet");
        assert_eq!((unit.money.planned_fen, unit.money.paid_fen), (110, 50));
        assert_eq!(unit.money_rows.len(), 2);
        assert_eq!(
            (
                unit.reports_in_time,
                unit.reports_late,
                unit.reports_missing
            ),
            (1, 1, 1)
        );
        let months: Vec<_> = unit
            .report_rows
            .iter()
            .map(|row| row.month.as_str())
            .collect();
        assert_eq!(months, ["2026-01", "2026-02", "2026-03"]);
        let none = &units[1];
        assert_eq!((none.organisation.clone(), none.overdue), (None, 1));
        assert_eq!(none.report_rows, Vec::new(), "nobody owes a report");
        // A day later April is missing.
        let later = assess(
            [facts("gas", &gas, None, &reports[..])],
            2026,
            date(2026, 5, 6),
        );
        assert_eq!(later[0].reports_missing, 2);
    }

    #[test]
    fn a_year_of_which_nothing_is_known_has_no_figures() {
        let kept = Kept::default();
        let facts = Facts {
            id: "p",
            kept: &kept,
            created: date(2026, 1, 1),
            ended: None,
            reports: &[],
        };
        let units = assess([facts], 2030, date(2026, 5, 5));
        assert_eq!(
            units,
            [Unit {
                projects: 1,
                ..Unit::default()
            }]
        );
        assert_eq!(assess([], 2026, date(2026, 5, 5)), Vec::new());
    }
}
