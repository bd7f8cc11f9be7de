//! What a document of the plan office is made of: the plan's goals with their figures at a moment, each judged whether it has its proof;
//! claims beside what was measured; projects, their months and reminders.

use super::{Asked, PlanDocumentKind};
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::plan;
use crate::plan_claims::{ComparisonBody, comparisons};
use crate::portal_data::{Facts as Proofs, Published, Report, Withheld, WithheldBody, judge};
use crate::project_history::Since;
use crate::projects::{Names, facts, kept_of, months_of};
use crate::sight::Sight;
use duty::document::Language;
use duty::roster;
use identity::Principal;
use indicators::{Definition, Method, Origin, Status};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::Timestamp;
use model::problem::both;
use pack::CityPlan;
use projects::assess::{Unit, assess};
use projects::history::at_end_of;
use projects::kept::Kept;
use projects::months::{Month, ReportState};
use projects::reminders::{About, due};
use records::indicators::IndicatorReport;
use records::projects::{Project, ProjectReport, Reminder};
use records::{Connection, PAGE_ITEMS_MAX, PageRequest};
use std::collections::HashMap;
use std::sync::Arc;

/// A goal of the plan with its figure at the moment.
pub(super) struct Goal {
    pub d: Arc<Definition>,
    /// The figure, when it has its proof; else why not.
    pub figure: Result<Published, WithheldBody>,
    /// How it stands by that figure.
    pub status: Status,
    /// Where it should stand then.
    pub expected: Option<f64>,
}

impl Goal {
    pub(super) fn value(&self) -> Option<f64> {
        self.figure.as_ref().ok().map(|figure| figure.value)
    }
}

/// A claim that is not what was measured.
pub(super) struct Claim {
    pub d: Arc<Definition>,
    pub compared: ComparisonBody,
}

/// A project with what is said of it.
pub(super) struct ProjectAt {
    pub row: Project,
    pub kept: Kept,
    /// For which months something was stated, and when.
    pub months: Vec<(Month, Date)>,
    /// What a reminder is due of today.
    pub due: Vec<About>,
}

impl ProjectAt {
    pub(super) fn status(&self, day: Date) -> projects::status::Status {
        self.kept.status(self.row.ended_at.is_some(), day)
    }
}

/// How the report of a project for a month stands today, with the report.
pub(super) struct Stated<'a> {
    pub project: &'a ProjectAt,
    pub state: ReportState,
    pub report: Option<&'a ProjectReport>,
}

/// All of it.
pub(super) struct Gathered {
    pub language: Language,
    pub base: String,
    /// The moment at which it was read, in the city's time with its zone.
    pub at: String,
    /// Today in the city.
    pub today: Date,
    /// The last day of the period, or today while it runs.
    pub day: Date,
    /// Whether the period is over.
    pub is_over: bool,
    /// The plan's id and title.
    pub plan: Option<(String, String)>,
    pub goals: Vec<Goal>,
    pub claims: Vec<Claim>,
    /// Of a period that is over as they stood then, of any other as they stand.
    pub projects: Vec<ProjectAt>,
    /// Up to which day what units kept of projects counts for a period that is over, and of how many the trail does not tell it.
    pub projects_until: Option<(Date, usize)>,
    pub reports: Vec<ProjectReport>,
    /// Reminders that were open at the moment, with the words for where their case stands.
    pub reminders: Vec<(Reminder, String)>,
    /// Units of the period's year, counted by the rules of `projects::assess`.
    pub units: Vec<Unit>,
    pub names: Names,
    pub zone: TimeZone,
}

impl Gathered {
    /// How the reports of a month stand, of every project that owes one or made one.
    pub(super) fn stated(&self, month: Month) -> Vec<Stated<'_>> {
        let word = month.to_string();
        let all = self.projects.iter().filter_map(|project| {
            let facts = projects::months::Facts {
                id: &project.row.id,
                kept: &project.kept,
                created: self.day_of(project.row.created_at),
                ended: project.row.ended_at.map(|at| self.day_of(at)),
                reports: &project.months,
            };
            let state = facts.report(month, self.today)?;
            let mut reports = self.reports.iter();
            let report = reports.find(|r| r.project_id == project.row.id && r.month == word);
            Some(Stated {
                project,
                state,
                report,
            })
        });
        all.collect()
    }

    pub(super) fn project(&self, id: &str) -> Option<&ProjectAt> {
        self.projects.iter().find(|project| project.row.id == id)
    }

    pub(super) fn day_of(&self, at: Timestamp) -> Date {
        roster::day_of(at, &self.zone)
    }
}

/// The newest approved figure of every indicator that speaks of a day up to this one.
async fn reported(read: &mut Connection, day: Date) -> Answer<HashMap<String, IndicatorReport>> {
    let (mut newest, mut after) = (HashMap::<String, IndicatorReport>::new(), None);
    let day = day.to_string();
    loop {
        let request = PageRequest {
            after,
            limit: Some(PAGE_ITEMS_MAX),
        };
        let page = records::indicators::list_reports(read, None, &request).await?;
        for report in page.items.into_iter().filter(|report| report.as_of <= day) {
            // They come newest first: of two of one day the first one counts.
            let is_older = newest
                .get(&report.indicator_id)
                .is_some_and(|known| known.as_of >= report.as_of);
            if !is_older {
                newest.insert(report.indicator_id.clone(), report);
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(newest);
        }
    }
}

/// What an indicator was measured as: the value, when, and whether its query fails now.
type Measured = (Option<f64>, Option<String>, bool);

/// What the platform shows now, by indicator.
async fn shown_now(app: &App, plan: Option<&CityPlan>) -> Answer<HashMap<String, Measured>> {
    let Some(plan) = plan else {
        return Ok(HashMap::new());
    };
    let whole = plan::whole(app, Some(&plan.plan.id)).await?;
    let all = whole.indicators.into_iter();
    Ok(all
        .map(|one| (one.id, (one.value, one.measured_at, one.problem.is_some())))
        .collect())
}

async fn goals(
    app: &App,
    plan: Option<&CityPlan>,
    (end, day): (Option<Timestamp>, Date),
) -> Answer<Vec<Goal>> {
    let now = match end {
        Some(_) => HashMap::new(),
        None => shown_now(app, plan).await?,
    };
    // The platform's own indicators are no goals of the plan.
    let definitions = plan.into_iter().flat_map(|plan| plan.goals.iter().cloned());
    let definitions = definitions.filter(|d| d.origin != Origin::Platform);
    let mut read = app.records.read().await?;
    let reports = reported(&mut read, day).await?;
    let files = records::filing_files::of_reports(&mut read).await?;
    let mut all = Vec::new();
    for d in definitions {
        let report = reports.get(&d.id);
        let (value, measured_at, is_failed) = match (d.method, end) {
            // Of a reported one the approved figure of the period counts, whatever is shown now.
            (Method::Reported, _) => (report.map(|r| r.value), None, false),
            (Method::Computed, None) => now.get(&d.id).cloned().unwrap_or_default(),
            (Method::Computed, Some(end)) => {
                let found = records::indicators::value_before(&mut read, &d.id, end).await?;
                let at = found.as_ref().map(|found| found.at.to_string());
                (found.and_then(|found| found.value), at, false)
            }
        };
        let judged = judge(
            &Proofs {
                method: d.method,
                value,
                measured_at: measured_at.as_deref(),
                is_failed,
                sql: &d.sql,
                report: report.map(|r| Report {
                    value: r.value,
                    period: &r.period,
                    as_of: &r.as_of,
                    evidence: &r.evidence,
                    files: crate::portal::files_of(&files, r.filing_id),
                }),
            },
            &[],
        );
        let mut figure = judged.map_err(WithheldBody::from);
        if let (Err(why), Some(_)) = (&mut figure, end)
            && why.code == Withheld::NotMeasured
        {
            // Of a period that is over: what is measured today says nothing of it.
            let told = both(
                "本期末及以前平台没有测算记录",
                "the platform measured nothing by the end of the period",
            );
            (why.zh, why.en) = (told.zh, told.en);
        }
        let value = figure.as_ref().ok().map(|figure| figure.value);
        all.push(Goal {
            status: d.status(value, day),
            expected: d.expected(day),
            figure,
            d,
        });
    }
    Ok(all)
}

/// Claims of periods that lie in the document's, and are not what was measured.
async fn claims(
    app: &App,
    caller: &Principal,
    sight: &Sight,
    goals: &[Goal],
    (first, last): (Date, Date),
) -> Answer<Vec<Claim>> {
    let mut read = app.records.read().await?;
    let mut all = Vec::new();
    for goal in goals
        .iter()
        .filter(|goal| goal.d.method == Method::Computed)
    {
        let found = comparisons(app, caller, sight, &mut read, &goal.d).await?;
        for compared in found {
            let Ok(period) = indicators::reports::Period::parse(&compared.period) else {
                continue;
            };
            let is_of_it = period.first() <= last && period.last() >= first;
            if is_of_it && compared.difference.is_some_and(|d| d != 0.0) {
                let d = goal.d.clone();
                all.push(Claim { d, compared });
            }
        }
    }
    Ok(all)
}

/// Projects at the end of a period that is over: what their units had kept of them when the reports of its last month were due.
struct Past {
    /// The period's last day.
    last: Date,
    until: Date,
    since: Since,
}

impl Past {
    async fn read(app: &App, read: &mut Connection, last: Date) -> Answer<Self> {
        let until = Month::of(last).due();
        let from = app.plan.end_of(until);
        let from = from.map_or(i64::MAX, |from| from.as_microsecond());
        Ok(Self {
            last,
            until,
            since: Since::read(read, Timestamp::from_micros(from)).await?,
        })
    }

    /// A project of the plan was there from the plan's first day on, one that was added from then on.
    fn was_there(&self, app: &App, row: &Project) -> bool {
        row.plan_box.is_some() || app.plan.day(row.created_at) <= self.last
    }

    /// Puts a project back to how it stood; whether the trail tells that. Where it does not, what is kept now is judged on that day.
    fn put_back(&self, app: &App, row: &mut Project, kept: &mut Kept) -> bool {
        let then = self.since.before(row, kept);
        let is_told = then.is_some();
        *kept = at_end_of(then.unwrap_or_else(|| kept.clone()), self.last);
        if row.ended_at.is_some_and(|at| app.plan.day(at) > self.last) {
            (row.ended_at, row.ended_why) = (None, None);
        }
        is_told
    }
}

/// Reads what the document is made of.
pub(super) async fn read(
    app: &App,
    caller: &Principal,
    sight: &Sight,
    asked: &Asked,
    plan: Option<&CityPlan>,
) -> Answer<Gathered> {
    let zone = app.zone()?;
    let today = app.plan.day(asked.now);
    let last = asked.period.last();
    let is_over = last < today;
    let day = last.min(today);
    let end = app.plan.end_of(last).filter(|_| is_over);
    let end = end.map(|end| Timestamp::from_micros(end.as_microsecond()));
    let goals = match asked.kind {
        PlanDocumentKind::Meeting => Vec::new(),
        PlanDocumentKind::Circular | PlanDocumentKind::Assessment => {
            goals(app, plan, (end, day)).await?
        }
    };
    let claims = claims(app, caller, sight, &goals, (asked.period.first(), last)).await?;
    let rows = app.project_rows().await?;
    let mut read = app.records.read().await?;
    let names = Names::read(&mut read).await?;
    let reports = records::projects::reports(&mut read, None, None).await?;
    let reminders = records::projects::reminders(&mut read, None).await?;
    let past = match end {
        Some(_) if asked.kind != PlanDocumentKind::Meeting => {
            Some(Past::read(app, &mut read, last).await?)
        }
        _ => None,
    };
    drop(read);
    let (mut all, mut untold) = (Vec::with_capacity(rows.len()), 0);
    for mut row in rows {
        let mut kept = kept_of(&row)?;
        if let Some(past) = &past {
            if !past.was_there(app, &row) {
                continue;
            }
            untold += usize::from(!past.put_back(app, &mut row, &mut kept));
        }
        let months = months_of(app, &reports, &row.id);
        let due = due(&facts(app, &row, &kept, &months), today);
        all.push(ProjectAt {
            row,
            kept,
            months,
            due,
        });
    }
    let judged = all.iter().map(|p| facts(app, &p.row, &p.kept, &p.months));
    let units = assess(judged, last.year(), day);
    let was_open = |r: &Reminder| match end {
        Some(end) => r.at < end && r.closed_at.is_none_or(|closed| closed >= end),
        None => r.closed_at.is_none(),
    };
    let reminders = reminders.into_iter().filter(was_open);
    let reminders = reminders.map(|r| {
        let state = state_of(app, &r.state, asked.language);
        (r, state)
    });
    let offset = zone.to_offset(
        jiff::Timestamp::from_microsecond(asked.now.micros()).map_err(ApiError::internal)?,
    );
    Ok(Gathered {
        language: asked.language,
        base: asked.base.clone(),
        at: {
            let (at, name) = (roster::local(asked.now, &zone), &app.city.zone);
            asked.language.pick(
                format!("{at}（{name}，UTC{offset}）"),
                format!("{at} ({name}, UTC{offset})"),
            )
        },
        today,
        day,
        is_over,
        plan: plan.map(|plan| {
            let title = asked
                .language
                .pick(&plan.plan.title_zh, &plan.plan.title_en);
            (plan.plan.id.clone(), title.clone())
        }),
        goals,
        claims,
        reminders: reminders.collect(),
        projects: all,
        projects_until: past.map(|past| (past.until, untold)),
        reports,
        units,
        names,
        zone,
    })
}

/// The words for where the case of a reminder stands.
fn state_of(app: &App, state: &str, language: Language) -> String {
    let workflow = app.cases.workflow(crate::project_office::WORKFLOW).ok();
    let found = workflow.as_ref().and_then(|workflow| workflow.state(state));
    found.map_or_else(
        || state.to_owned(),
        |state| language.pick(&state.title_zh, &state.title_en).clone(),
    )
}
