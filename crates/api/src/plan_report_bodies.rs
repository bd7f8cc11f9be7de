//! What is told of figures that people report ([`crate::plan_reports`]): the bodies, and what of them a caller sees and may do.

use crate::app::App;
use crate::error::Answer;
use crate::plan_claims::{ComparisonBody, LockBody};
use crate::plan_report_files::{self, FileBody, RemovedFileBody};
use crate::plan_reports::{conflict, lock_over};
use identity::{Permission, Principal};
use indicators::reports::{self as rules, Level, Person, Standing, State as Stand, Step};
use indicators::{Definition, Method};
use records::Connection;
use records::filings::{self, Filing, FilingStep, Lock};
use records::organisations::{self, Organisation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An organisation by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IndicatorUnit)]
pub struct UnitBody {
    /// Its id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
}

/// A figure on its way.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IndicatorFiling)]
pub struct FilingBody {
    /// Its number.
    pub id: i64,
    /// The indicator.
    pub indicator_id: String,
    /// The indicator's name in Chinese; its id when no pack brings it any more.
    pub name_zh: String,
    /// The indicator's name in English.
    pub name_en: String,
    /// The indicator's unit in Chinese.
    pub unit_zh: String,
    /// The indicator's unit in English.
    pub unit_en: String,
    /// Whether the platform computes the indicator: the figure is a claim beside what is measured.
    pub is_claim: bool,
    /// The period: a year (2025), a quarter (2025-Q3) or a month (2025-10).
    pub period: String,
    /// The figure, in the indicator's unit.
    pub value: f64,
    /// What proves it.
    pub evidence: String,
    /// The files that prove it, oldest first.
    pub files: Vec<FileBody>,
    /// More.
    pub note: Option<String>,
    /// The unit that reports it.
    pub organisation: Option<UnitBody>,
    /// `draft`, `submitted`, `returned`, `approved` or `withdrawn`.
    pub state: String,
    /// The levels that it goes through, in order: `unit`, `plan-office`.
    pub levels: Vec<String>,
    /// How many of them have agreed.
    pub agreed: i64,
    /// The level for which it waits; null when it waits for none.
    pub level: Option<String>,
    /// Who reports it.
    pub by: String,
    /// When it was begun.
    pub created_at: String,
    /// When it changed last.
    pub changed_at: String,
    /// When it was handed in last.
    pub submitted_at: Option<String>,
    /// The number of the report that it corrects.
    pub corrects: Option<i64>,
    /// The figure that it corrects.
    pub old_value: Option<f64>,
    /// Why it is corrected.
    pub reason: Option<String>,
    /// Whether it is the figure that counts for its period.
    pub counts: bool,
    /// The period's lock, when it is locked.
    pub lock: Option<LockBody>,
    /// Whether the caller may change it now, and hand it in.
    pub may_edit: bool,
    /// Whether the caller may approve or return it now.
    pub may_decide: bool,
    /// Whether the caller may withdraw it now.
    pub may_withdraw: bool,
    /// Whether the caller may correct it now.
    pub may_correct: bool,
}

/// A step of a figure's way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IndicatorFilingStep)]
pub struct FilingStepBody {
    /// When.
    pub at: String,
    /// `save`, `submit`, `approve`, `return` or `withdraw`.
    pub step: String,
    /// The state behind it.
    pub state: String,
    /// The level that agreed or returned it.
    pub level: Option<String>,
    /// The figure at that moment.
    pub value: f64,
    /// Who did it.
    pub by: String,
    /// In their words.
    pub note: String,
}

/// A figure on its way, with its steps, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IndicatorFilingDetail)]
pub struct FilingDetail {
    /// The figure.
    #[serde(flatten)]
    pub filing: FilingBody,
    /// Its steps.
    pub steps: Vec<FilingStepBody>,
    /// Files that its author took away again before it was handed in.
    pub removed_files: Vec<RemovedFileBody>,
}

/// What was reported of an indicator.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IndicatorFilings)]
pub struct FilingsBody {
    /// Who answers for the indicator; null where the plan's definitions name nobody.
    pub responsible: Option<UnitBody>,
    /// Whether the caller may report a figure.
    pub may_report: bool,
    /// The levels that a figure goes through.
    pub levels: Vec<String>,
    /// The figures, newest first; of drafts the caller's own only.
    pub items: Vec<FilingBody>,
    /// The next page's cursor.
    pub next: Option<String>,
    /// Claims beside what was measured, newest period first; empty for an indicator that is not computed.
    pub comparisons: Vec<ComparisonBody>,
}

/// A figure that is wanted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IndicatorDue)]
pub struct DueBody {
    /// The indicator.
    pub indicator_id: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Its unit in Chinese.
    pub unit_zh: String,
    /// Its unit in English.
    pub unit_en: String,
    /// Who answers for it.
    pub organisation: Option<UnitBody>,
    /// The last figure that counts.
    pub latest: Option<f64>,
    /// Its period.
    pub latest_period: Option<String>,
    /// Whether the caller may report it.
    pub may_report: bool,
}

/// What is to be reported, what waits for the caller, and what is locked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IndicatorReporting)]
pub struct ReportingBody {
    /// The levels that a figure goes through.
    pub levels: Vec<String>,
    /// The newest period that is over, for which figures are wanted.
    pub period: Option<String>,
    /// Reported indicators of which nobody handed in a figure of it.
    pub due: Vec<DueBody>,
    /// Figures that wait for the caller's approval.
    pub waiting: Vec<FilingBody>,
    /// Figures that wait for somebody else's.
    pub under_way: Vec<FilingBody>,
    /// The caller's own that are not at their end.
    pub mine: Vec<FilingBody>,
    /// The newest locks.
    pub locks: Vec<LockBody>,
    /// Largest file that proves a figure, bytes.
    pub file_bytes_max: usize,
    /// Most files that prove one figure.
    pub files_max: usize,
    /// Whether the caller may lock periods and lift locks.
    pub may_lock: bool,
}

/// A figure to report.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = IndicatorReportDraft)]
pub struct ReportRequest {
    /// The figure, in the indicator's unit.
    pub value: f64,
    /// The period: a year (2025), a quarter (2025-Q3) or a month (2025-10).
    pub period: String,
    /// What proves it: a document's number, an address, a photo. A draft may leave it empty, and what files prove may do without it.
    #[serde(default)]
    pub evidence: String,
    /// More.
    pub note: Option<String>,
    /// Whether it stays a draft, which nobody else sees.
    #[serde(default)]
    pub draft: bool,
    /// The number of the approved report that it corrects.
    pub corrects: Option<i64>,
    /// Why it is corrected.
    pub reason: Option<String>,
    /// A UUID made for this one request: sent twice, it is done once.
    pub request_id: Option<String>,
}

/// What an author changes of a draft, or of a report that was returned.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = IndicatorReportChange)]
pub struct ChangeRequest {
    /// The figure, in the indicator's unit.
    pub value: f64,
    /// What proves it.
    #[serde(default)]
    pub evidence: String,
    /// More.
    pub note: Option<String>,
    /// Why it is corrected.
    pub reason: Option<String>,
}

/// What is said with a step.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = IndicatorReportDecision)]
pub struct DecisionRequest {
    /// In one's own words; whoever returns a report must say why.
    #[serde(default)]
    pub note: String,
}

/// Somebody who acts on reports; `None` for a machine.
pub(crate) fn person_of(caller: &Principal) -> Option<Person<'_>> {
    Some(Person {
        id: caller.user_id()?,
        organisations: caller.organisations(),
        is_plan_office: caller.may(Permission::IndicatorLock),
    })
}

/// The levels of a figure that was handed in.
pub(crate) fn levels_of(filing: &Filing) -> Vec<Level> {
    let words: Vec<String> = serde_json::from_value(filing.levels.clone()).unwrap_or_default();
    words.iter().filter_map(|w| Level::from_word(w)).collect()
}

/// Where a figure stands.
pub(crate) fn standing(filing: &Filing) -> Answer<Standing> {
    let state = Stand::from_word(&filing.state);
    Ok(Standing {
        state: state.ok_or_else(|| conflict(rules::not_there(&filing.state)))?,
        agreed: usize::try_from(filing.agreed).unwrap_or_default(),
    })
}

/// The level for which a figure waits.
pub(crate) fn level_now(filing: &Filing) -> Option<Level> {
    if filing.state != Stand::Submitted.as_str() {
        return None;
    }
    let agreed = usize::try_from(filing.agreed).ok()?;
    levels_of(filing).get(agreed).copied()
}

/// Who has agreed since it was handed in last.
pub(crate) fn agreed_by(steps: &[FilingStep]) -> Vec<i64> {
    let since = steps
        .iter()
        .rposition(|s| s.step == Step::Submit.as_str())
        .unwrap_or_default();
    let after = steps[since.min(steps.len())..].iter();
    let agreed = after.filter(|s| s.step == Step::Approve.as_str());
    agreed.filter_map(|s| s.by_id).collect()
}

/// What is needed to show figures to a caller.
pub(crate) struct Shown<'a> {
    pub(crate) app: &'a App,
    caller: &'a Principal,
    organisations: BTreeMap<String, Organisation>,
    locks: Vec<Lock>,
}

impl<'a> Shown<'a> {
    /// Reads what is the same for all of them.
    pub(crate) async fn load(
        app: &'a App,
        caller: &'a Principal,
        read: &mut Connection,
    ) -> Answer<Self> {
        let all = organisations::list(read).await?;
        Ok(Self {
            app,
            caller,
            organisations: all.into_iter().map(|o| (o.id.clone(), o)).collect(),
            locks: filings::locks_held(read).await?,
        })
    }

    /// An organisation by name; by its id when it is not known.
    pub(crate) fn unit(&self, id: Option<&str>) -> Option<UnitBody> {
        let id = id?;
        let found = self.organisations.get(id);
        Some(UnitBody {
            id: id.to_owned(),
            name_zh: found.map_or(id, |o| &o.name_zh).to_owned(),
            name_en: found.map_or(id, |o| &o.name_en).to_owned(),
        })
    }

    /// Whether the caller may report a figure of an indicator.
    pub(crate) fn may_report(&self, definition: &Definition) -> bool {
        self.caller.may(Permission::IndicatorReport)
            && person_of(self.caller).is_some_and(|person| {
                rules::may_report(definition.responsible.as_deref(), &person).is_ok()
            })
    }

    /// A figure as the caller sees it, with its steps and the files that it has lost.
    pub(crate) async fn filing(
        &self,
        read: &mut Connection,
        filing: Filing,
    ) -> Answer<(FilingBody, Vec<FilingStep>, Vec<RemovedFileBody>)> {
        let steps = filings::steps(read, filing.id).await?;
        let (files, removed) = plan_report_files::of_filing(read, filing.id).await?;
        let counts = filing.state == Stand::Approved.as_str() && {
            let counting = filings::counting(read, &filing.indicator_id, &filing.period).await?;
            counting.is_some_and(|counting| counting.id == filing.id)
        };
        let definition = self.app.plan.definition(&filing.indicator_id);
        let named = |of: fn(&Definition) -> &String| {
            let found = definition.as_deref().map(|d| of(d).clone());
            found.unwrap_or_else(|| filing.indicator_id.clone())
        };
        let unit = |of: fn(&Definition) -> &String| {
            let found = definition.as_deref().map(|d| of(d).clone());
            found.unwrap_or_default()
        };
        let person = person_of(self.caller);
        let level = level_now(&filing);
        let lock = lock_over(&self.locks, &filing.period);
        let is_own = person.as_ref().is_some_and(|p| filing.by_id == Some(p.id));
        let is_open = standing(&filing)?.after(Step::Withdraw, 1).is_ok();
        let may_decide = |level| {
            person.as_ref().is_some_and(|person| {
                let unit = filing.organisation_id.as_deref();
                let agreed = agreed_by(&steps);
                rules::may_decide(level, unit, filing.by_id, &agreed, person).is_ok()
            })
        };
        let body = FilingBody {
            name_zh: named(|d| &d.name_zh),
            name_en: named(|d| &d.name_en),
            unit_zh: unit(|d| &d.unit_zh),
            unit_en: unit(|d| &d.unit_en),
            is_claim: definition
                .as_ref()
                .is_some_and(|d| d.method == Method::Computed),
            organisation: self.unit(filing.organisation_id.as_deref()),
            levels: levels_of(&filing)
                .iter()
                .map(|level| level.as_str().to_owned())
                .collect(),
            level: level.map(|level| level.as_str().to_owned()),
            counts,
            lock: lock.map(Into::into),
            may_edit: is_own
                && standing(&filing)?.after(Step::Submit, 1).is_ok()
                && self.caller.may(Permission::IndicatorReport),
            may_decide: self.caller.may(Permission::IndicatorApprove)
                && (lock.is_none() || filing.corrects.is_some())
                && level.is_some_and(may_decide),
            may_withdraw: is_open
                && self.caller.may(Permission::IndicatorReport)
                && (is_own || person.as_ref().is_some_and(|p| p.is_plan_office)),
            may_correct: counts
                && definition
                    .as_ref()
                    .is_some_and(|definition| self.may_report(definition)),
            id: filing.id,
            indicator_id: filing.indicator_id,
            period: filing.period,
            value: filing.value,
            evidence: filing.evidence,
            files,
            note: filing.note,
            state: filing.state,
            agreed: filing.agreed,
            by: filing.by_name,
            created_at: filing.created_at.to_string(),
            changed_at: filing.changed_at.to_string(),
            submitted_at: filing.submitted_at.map(|at| at.to_string()),
            corrects: filing.corrects,
            old_value: filing.old_value,
            reason: filing.reason,
        };
        Ok((body, steps, removed))
    }

    pub(crate) async fn detail(
        &self,
        read: &mut Connection,
        filing: Filing,
    ) -> Answer<FilingDetail> {
        let (filing, steps, removed_files) = self.filing(read, filing).await?;
        let step = |step: FilingStep| FilingStepBody {
            at: step.at.to_string(),
            step: step.step,
            state: step.state,
            level: step.level,
            value: step.value,
            by: step.by_name,
            note: step.note,
        };
        Ok(FilingDetail {
            filing,
            steps: steps.into_iter().map(step).collect(),
            removed_files,
        })
    }

    pub(crate) async fn filings(
        &self,
        read: &mut Connection,
        found: Vec<Filing>,
    ) -> Answer<Vec<FilingBody>> {
        let mut all = Vec::new();
        for filing in found {
            all.push(self.filing(read, filing).await?.0);
        }
        Ok(all)
    }
}
