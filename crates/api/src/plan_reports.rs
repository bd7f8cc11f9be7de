//! Figures that people report (填报): written down, handed in, agreed to level by level, corrected; each figure with both values of a
//! correction. What counts at last is a row of `indicator_reports`. Locks of periods and claims beside what was measured are
//! [`crate::plan_claims`], the files that prove figures [`crate::plan_report_files`], what is told of figures
//! [`crate::plan_report_bodies`]; the rules are `indicators::reports`.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::paging::PageQuery;
use crate::plan_claims;
use crate::plan_report_bodies::{
    ChangeRequest, DecisionRequest, DueBody, FilingBody, FilingDetail, FilingsBody, ReportRequest,
    ReportingBody, Shown, agreed_by, level_now, levels_of, person_of, standing,
};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use identity::{Permission, Principal};
use indicators::reports::{
    self as rules, Every, Level, Period, Person, Standing, State as Stand, Step,
};
use indicators::{Definition, Method};
use jiff::tz::TimeZone;
use model::problem::{both, quote};
use model::{Both, Problem, Timestamp, Told};
use records::filings::{self, Edit, Filing, Filter, Lock, NewFiling, NewStep};
use records::indicators::NewReport;
use records::{Actor, ActorKind, Connection, Event, PageRequest, audit, filing_files};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Least and greatest length of the client's own name of a request.
const REQUEST_CHARS: std::ops::RangeInclusive<usize> = 16..=64;
/// Most reports that wait, or are one's own, shown at once.
const SHOWN_MAX: u32 = records::PAGE_ITEMS_MAX;

/// How figures are reported.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who agrees, in order.
    pub levels: Vec<Level>,
    /// How often a figure is wanted of each reported indicator.
    pub every: Every,
    /// Most files that prove one figure.
    pub files_max: usize,
}

/// Most files that prove one figure, where nothing else is set.
const FILES_MAX: usize = 20;

impl Options {
    /// Of the words of the settings.
    ///
    /// # Errors
    /// A word that is no level or no period, with those that are.
    pub fn of_words(levels: &[String], every: &str) -> Result<Self, Told> {
        let found = Every::from_word(every);
        Ok(Self {
            levels: Level::list(levels)?,
            files_max: FILES_MAX,
            every: found.ok_or_else(|| {
                Told::new(
                    "report-every",
                    both(
                        format!("“{}”不是填报周期", quote(every)),
                        format!("\"{}\" is no time between reports", quote(every)),
                    ),
                    "indicators.report_every",
                    both("请写 year、quarter 或 month", "use year, quarter or month"),
                )
            })?,
        })
    }

    fn words(&self) -> serde_json::Value {
        self.levels.iter().map(|level| level.as_str()).collect()
    }
}

fn evidence_place() -> Both {
    both("依据", "evidence")
}

fn note_place() -> Both {
    both("说明", "note")
}

pub(crate) fn reason_place() -> Both {
    both("理由", "reason")
}

pub(crate) fn invalid(told: Told) -> ApiError {
    ApiError::told(StatusCode::BAD_REQUEST, told)
}

pub(crate) fn conflict(told: Told) -> ApiError {
    ApiError::told(StatusCode::CONFLICT, told)
}

fn forbidden(told: Told) -> ApiError {
    ApiError::told(StatusCode::FORBIDDEN, told)
}

/// Somebody who acts on reports: a machine reports nothing and agrees to nothing.
pub(crate) fn person(caller: &Principal) -> Answer<Person<'_>> {
    let told = || {
        Told::new(
            "report-person",
            both(
                "指标由人填报、审批和锁定",
                "figures are reported, approved and locked by people",
            ),
            both("调用者", "caller"),
            both("请登录后办理", "sign in as a person"),
        )
    };
    person_of(caller).ok_or_else(|| forbidden(told()))
}

fn request_name(said: Option<&str>) -> Answer<Option<&str>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match said {
        Some(text) if !REQUEST_CHARS.contains(&text.len()) || !text.chars().all(plain) => {
            Err(ApiError::invalid(Problem::new(
                "request-id",
                format!("\"{}\" does not name a request", quote(text)),
                "request_id",
                "send a UUID made for this one request",
            )))
        }
        other => Ok(other),
    }
}

/// Texts of a figure as they are kept.
struct Texts<'a> {
    evidence: &'a str,
    note: Option<&'a str>,
    reason: Option<&'a str>,
}

impl<'a> Texts<'a> {
    fn check(
        (evidence, note, reason): (&'a str, Option<&'a str>, Option<&'a str>),
        is_draft: bool,
        is_correction: bool,
        has_files: bool,
    ) -> Answer<Self> {
        let text = |text: &'a str, place: Both, is_needed| {
            rules::check_text(text, &place, is_needed).map_err(invalid)
        };
        let some = |text: &'a str| (!text.is_empty()).then_some(text);
        let note = text(note.unwrap_or_default(), note_place(), false)?;
        let reason = text(
            reason.unwrap_or_default(),
            reason_place(),
            is_correction && !is_draft,
        )?;
        Ok(Self {
            evidence: text(evidence, evidence_place(), !is_draft && !has_files)?,
            note: some(note),
            reason: some(reason).filter(|_| is_correction),
        })
    }
}

/// The lock that covers a period.
pub(crate) fn lock_over<'a>(locks: &'a [Lock], period: &str) -> Option<&'a Lock> {
    let period = Period::parse(period).ok()?;
    locks
        .iter()
        .find(|lock| Period::parse(&lock.period).is_ok_and(|locked| locked.covers(&period)))
}

impl App {
    /// A moment as people in the city read it.
    pub(crate) fn local_time(&self, at: Timestamp) -> String {
        let zone = TimeZone::get(&self.city.zone).unwrap_or(TimeZone::UTC);
        let at = jiff::Timestamp::from_microsecond(at.micros());
        let at = at.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// Why nothing but a correction is taken for a period.
    pub(crate) fn is_locked(&self, lock: &Lock, period: &str) -> ApiError {
        let at = self.local_time(lock.locked_at);
        let (by, locked) = (&lock.locked_by, &lock.period);
        conflict(Told::new(
            "report-locked",
            both(
                format!("{period} 已锁定：{by} 于 {at} 锁定了 {locked}"),
                format!("{period} is locked: {by} locked {locked} at {at}"),
            ),
            both("统计期", "period"),
            both(
                "已审定的数值请提交更正并写明理由；还没有数值的，请规划办解除锁定",
                "correct the approved figure, with a reason; where there is none, ask the plan office to lift the lock",
            ),
        ))
    }

    fn definition_of(&self, id: &str) -> Answer<Arc<Definition>> {
        let found = self.plan.definition(id);
        found.ok_or_else(|| ApiError::not_found("indicator", id))
    }
}

/// A figure that the caller may see: of drafts their own.
pub(crate) async fn seen(read: &mut Connection, caller: &Principal, id: i64) -> Answer<Filing> {
    let found = filings::get(read, id).await?;
    let is_seen = |filing: &Filing| {
        let is_own = caller.user_id().is_some() && caller.user_id() == filing.by_id;
        filing.state != Stand::Draft.as_str() || is_own
    };
    let found = found.filter(is_seen);
    found.ok_or_else(|| ApiError::not_found("report", id))
}

/// The figure as it is now.
async fn answer(app: &App, caller: &Principal, id: i64) -> Answer<FilingDetail> {
    let mut read = app.records.read().await?;
    let filing = seen(&mut read, caller, id).await?;
    let shown = Shown::load(app, caller, &mut read).await?;
    shown.detail(&mut read, filing).await
}

pub(crate) fn tell(app: &App, indicator_id: &str, filing: i64) {
    app.events.tell(
        "indicator",
        Permission::IndicatorRead,
        json!({"id": indicator_id, "filing": filing}),
    );
}

/// Asks that a figure may be handed in: for a period that has begun, not locked, that has no other figure, or as a correction of it.
async fn must_be_free(
    app: &App,
    write: &mut Connection,
    definition: &Definition,
    period: &Period,
    (corrects, own): (Option<i64>, Option<i64>),
    now: Timestamp,
) -> Answer<Option<Filing>> {
    let today = app.plan.day(now);
    period.must_have_begun(today).map_err(invalid)?;
    let locks = filings::locks_held(write).await?;
    let counting = filings::counting(write, &definition.id, period.as_str()).await?;
    if corrects.is_none()
        && let Some(lock) = lock_over(&locks, period.as_str())
    {
        return Err(app.is_locked(lock, period.as_str()));
    }
    match (&counting, corrects) {
        (None, None) => {}
        (Some(counting), None) => return Err(exists(counting)),
        (Some(counting), Some(corrects)) if counting.id == corrects => {}
        (_, Some(corrects)) => return Err(corrected(corrects)),
    }
    let other = filings::under_way(write, &definition.id, period.as_str()).await?;
    match other.filter(|other| Some(other.id) != own) {
        None => Ok(counting),
        Some(other) => Err(conflict(Told::new(
            "report-open",
            both(
                format!(
                    "{} 的 {} 已有一条填报没有办完（第 {} 号，{}）",
                    definition.name_zh, other.period, other.id, other.by_name
                ),
                format!(
                    "report {} of {} for {} by {} has not ended",
                    other.id, definition.name_en, other.period, other.by_name
                ),
            ),
            both("统计期", "period"),
            both(
                "请等它办完，或请填报人撤回",
                "wait until it ends, or have it withdrawn",
            ),
        ))),
    }
}

fn exists(counting: &Filing) -> ApiError {
    let value = model::problem::number(counting.value);
    conflict(Told::new(
        "report-exists",
        both(
            format!(
                "{} 已有审定的数值 {value}（第 {} 号）",
                counting.period, counting.id
            ),
            format!(
                "{} has the approved figure {value} (report {})",
                counting.period, counting.id
            ),
        ),
        both("统计期", "period"),
        both(
            "要改请提交更正（corrects 写该编号，并写明理由）",
            "correct it: send its number as corrects, with a reason",
        ),
    ))
}

fn corrected(id: i64) -> ApiError {
    conflict(Told::new(
        "report-corrected",
        both(
            format!("第 {id} 号不是这个统计期现在审定的数值"),
            format!("report {id} is not the figure that counts for this period"),
        ),
        both("更正", "corrects"),
        both(
            "请刷新后更正现在的数值",
            "read again, and correct the figure that counts now",
        ),
    ))
}

/// Reports a figure with its evidence, or corrects one that was approved. It counts when every level has agreed.
#[utoipa::path(post, path = "/api/v1/plan/indicators/{id}/reports", tag = "plan", security(("session" = ["indicator.report"])), params(("id" = String, Path)),
    request_body = ReportRequest,
    responses((status = 201, body = FilingDetail), (status = 200, body = FilingDetail, description = "it was done before"), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn report(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<String>,
    Json(request): Json<ReportRequest>,
) -> Answer<Response> {
    let definition = app.definition_of(&id)?;
    let person = person(&caller)?;
    rules::may_report(definition.responsible.as_deref(), &person).map_err(forbidden)?;
    let name = request_name(request.request_id.as_deref())?;
    let period = Period::parse(&request.period).map_err(invalid)?;
    rules::check_value(request.value, &definition.unit_zh).map_err(invalid)?;
    let texts = (
        request.evidence.as_str(),
        request.note.as_deref(),
        request.reason.as_deref(),
    );
    // Files are added to what is there: a figure that they alone prove begins as a draft.
    let texts = Texts::check(texts, request.draft, request.corrects.is_some(), false)?;
    let (now, actor) = (app.now(), peer.actor(&caller));
    let mut write = app.records.write().await?;
    if let Some(name) = name
        && let Some(done) = filings::of_request(&mut write, name).await?
    {
        if done.indicator_id != id || done.by_id != Some(person.id) {
            return Err(ApiError::new(
                StatusCode::CONFLICT,
                Problem::new(
                    "request-id-used",
                    "another request had that id",
                    "request_id",
                    "make a new UUID for each request",
                ),
            ));
        }
        drop(write);
        return Ok(Json(answer(&app, &caller, done.id).await?).into_response());
    }
    let whole = (request.corrects, None);
    let counting = match request.draft {
        true => filings::counting(&mut write, &id, period.as_str()).await?,
        false => must_be_free(&app, &mut write, &definition, &period, whole, now).await?,
    };
    if let Some(corrects) = request.corrects
        && counting.as_ref().is_none_or(|c| c.id != corrects)
    {
        return Err(corrected(corrects));
    }
    let state = match request.draft {
        true => Stand::Draft,
        false => Stand::Submitted,
    };
    let unit = definition.responsible.as_deref();
    let unit = unit.or(caller.organisation_id.as_deref());
    let new = NewFiling {
        indicator_id: &id,
        period: period.as_str(),
        value: request.value,
        evidence: texts.evidence,
        note: texts.note,
        organisation_id: unit,
        state: state.as_str(),
        levels: &app.options.reports.words(),
        corrects: request.corrects,
        old_value: request.corrects.and(counting.as_ref()).map(|c| c.value),
        reason: texts.reason,
        request_id: name,
        step: match request.draft {
            true => "save",
            false => Step::Submit.as_str(),
        },
    };
    let filing = filings::insert(&mut write, &new, &actor, now).await?;
    let filing = filings::get(&mut write, filing).await?;
    let filing = filing.ok_or_else(|| ApiError::not_found("report", &id))?;
    match request.draft {
        true => saved(&mut write, &filing, None, &actor, now).await?,
        false => handed_in(&mut write, &filing, &actor, now).await?,
    }
    write.commit().await?;
    tell(&app, &id, filing.id);
    let body = answer(&app, &caller, filing.id).await?;
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

async fn saved(
    write: &mut Connection,
    filing: &Filing,
    old_value: Option<f64>,
    actor: &Actor,
    now: Timestamp,
) -> Answer<()> {
    let about = format!("indicator:{}", filing.indicator_id);
    let mut detail = json!({"filing": filing.id, "period": filing.period, "value": filing.value});
    if let Some(old) = old_value {
        detail["old_value"] = json!(old);
    }
    let event = Event::IndicatorReportSave;
    Ok(audit::insert(write, now, actor, event, &about, &detail).await?)
}

/// SHA-256 of each file that proves a figure.
async fn files_of(connection: &mut Connection, filing: i64) -> Answer<Vec<String>> {
    let rows = filing_files::of_filing(connection, filing).await?;
    let shown = rows.into_iter().filter(|row| row.removed_at.is_none());
    Ok(shown.map(|row| row.sha256).collect())
}

async fn handed_in(
    write: &mut Connection,
    filing: &Filing,
    actor: &Actor,
    now: Timestamp,
) -> Answer<()> {
    let about = format!("indicator:{}", filing.indicator_id);
    let mut detail = json!({"filing": filing.id, "period": filing.period, "value": filing.value, "evidence": filing.evidence});
    if let Some(corrects) = filing.corrects {
        detail["corrects"] = json!(corrects);
        detail["old_value"] = json!(filing.old_value);
        detail["reason"] = json!(filing.reason);
        let locks = filings::locks_held(write).await?;
        detail["locked"] = json!(lock_over(&locks, &filing.period).is_some());
    }
    let files = files_of(write, filing.id).await?;
    if !files.is_empty() {
        detail["files"] = json!(files);
    }
    let event = Event::IndicatorReport;
    Ok(audit::insert(write, now, actor, event, &about, &detail).await?)
}

/// One figure on its way, with its steps.
#[utoipa::path(get, path = "/api/v1/plan/reports/{id}", tag = "plan", security(("session" = ["indicator.read"])), params(("id" = i64, Path)),
    responses((status = 200, body = FilingDetail), (status = 404, body = ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    Path(id): Path<i64>,
) -> Answer<Json<FilingDetail>> {
    answer(&app, &caller, id).await.map(Json)
}

/// Asks that a figure is the person's own.
pub(crate) fn must_be_own(filing: &Filing, person: &Person<'_>) -> Answer<()> {
    if filing.by_id == Some(person.id) {
        return Ok(());
    }
    Err(forbidden(Told::new(
        "report-author",
        both(
            format!("这条填报是 {} 的", filing.by_name),
            format!("the report is {}'s", filing.by_name),
        ),
        both("填报人", "author"),
        both("请填报人自己办理", "ask its author"),
    )))
}

/// Changes a draft, or a report that was returned; its author alone may.
#[utoipa::path(put, path = "/api/v1/plan/reports/{id}", tag = "plan", security(("session" = ["indicator.report"])), params(("id" = i64, Path)),
    request_body = ChangeRequest,
    responses((status = 200, body = FilingDetail), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn change(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<ChangeRequest>,
) -> Answer<Json<FilingDetail>> {
    let mut write = app.records.write().await?;
    let filing = seen(&mut write, &caller, id).await?;
    must_be_own(&filing, &person(&caller)?)?;
    let definition = app.definition_of(&filing.indicator_id)?;
    standing(&filing)?
        .after(Step::Submit, 1)
        .map_err(conflict)?;
    rules::check_value(request.value, &definition.unit_zh).map_err(invalid)?;
    let texts = (
        request.evidence.as_str(),
        request.note.as_deref(),
        request.reason.as_deref(),
    );
    let texts = Texts::check(texts, true, filing.corrects.is_some(), false)?;
    let edit = Edit {
        value: request.value,
        evidence: texts.evidence,
        note: texts.note,
        reason: texts.reason,
    };
    let (now, actor) = (app.now(), peer.actor(&caller));
    if !filings::edit(&mut write, id, &filing.state, &edit, &actor, now).await? {
        return Err(conflict(rules::not_there("changed")));
    }
    let old_value = filing.value;
    let filing = Filing {
        value: request.value,
        ..filing
    };
    saved(&mut write, &filing, Some(old_value), &actor, now).await?;
    write.commit().await?;
    answer(&app, &caller, id).await.map(Json)
}

/// Hands in a draft, or a report that was returned and mended.
#[utoipa::path(post, path = "/api/v1/plan/reports/{id}/submit", tag = "plan", security(("session" = ["indicator.report"])), params(("id" = i64, Path)),
    responses((status = 200, body = FilingDetail), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn submit(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<Json<FilingDetail>> {
    let mut write = app.records.write().await?;
    let filing = seen(&mut write, &caller, id).await?;
    let person = person(&caller)?;
    must_be_own(&filing, &person)?;
    let definition = app.definition_of(&filing.indicator_id)?;
    rules::may_report(definition.responsible.as_deref(), &person).map_err(forbidden)?;
    let levels = app.options.reports.words();
    let from = standing(&filing)?;
    let to = from
        .after(Step::Submit, app.options.reports.levels.len())
        .map_err(conflict)?;
    let texts = (
        filing.evidence.as_str(),
        filing.note.as_deref(),
        filing.reason.as_deref(),
    );
    let has_files = !files_of(&mut write, id).await?.is_empty();
    Texts::check(texts, false, filing.corrects.is_some(), has_files)?;
    rules::check_value(filing.value, &definition.unit_zh).map_err(invalid)?;
    let (now, actor) = (app.now(), peer.actor(&caller));
    let period = Period::parse(&filing.period).map_err(invalid)?;
    let whole = (filing.corrects, Some(id));
    must_be_free(&app, &mut write, &definition, &period, whole, now).await?;
    let step = NewStep {
        levels: Some(&levels),
        ..taken(from, Step::Submit, to, "")
    };
    if !filings::step(&mut write, id, &step, &actor, now).await? {
        return Err(conflict(rules::not_there("changed")));
    }
    handed_in(&mut write, &filing, &actor, now).await?;
    write.commit().await?;
    tell(&app, &filing.indicator_id, id);
    answer(&app, &caller, id).await.map(Json)
}

fn taken(from: Standing, step: Step, to: Standing, note: &str) -> NewStep<'_> {
    let count = |agreed: usize| i64::try_from(agreed).unwrap_or(i64::MAX);
    NewStep {
        from: from.state.as_str(),
        from_agreed: count(from.agreed),
        step: step.as_str(),
        to: to.state.as_str(),
        to_agreed: count(to.agreed),
        levels: None,
        level: None,
        note,
    }
}

/// The level that decides on a figure, when the caller may.
async fn deciding(
    write: &mut Connection,
    caller: &Principal,
    filing: &Filing,
    step: Step,
) -> Answer<Level> {
    let person = person(caller)?;
    let Some(level) = level_now(filing) else {
        // What the state says of the step, which it does not have.
        standing(filing)?.after(step, 1).map_err(conflict)?;
        return Err(conflict(rules::not_there(&filing.state)));
    };
    let steps = filings::steps(write, filing.id).await?;
    let unit = filing.organisation_id.as_deref();
    rules::may_decide(level, unit, filing.by_id, &agreed_by(&steps), &person).map_err(forbidden)?;
    Ok(level)
}

/// Agrees to a figure at the level for which it waits: never its author. The last level makes it count.
#[utoipa::path(post, path = "/api/v1/plan/reports/{id}/approve", tag = "plan", security(("session" = ["indicator.approve"])), params(("id" = i64, Path)),
    request_body = DecisionRequest,
    responses((status = 200, body = FilingDetail), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn approve(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<DecisionRequest>,
) -> Answer<Json<FilingDetail>> {
    let note = rules::check_text(&request.note, &note_place(), false).map_err(invalid)?;
    let mut write = app.records.write().await?;
    let filing = seen(&mut write, &caller, id).await?;
    let level = deciding(&mut write, &caller, &filing, Step::Approve).await?;
    let definition = app.definition_of(&filing.indicator_id)?;
    let (now, actor) = (app.now(), peer.actor(&caller));
    let period = Period::parse(&filing.period).map_err(invalid)?;
    // What was locked or corrected since it was handed in holds here too.
    let whole = (filing.corrects, Some(id));
    must_be_free(&app, &mut write, &definition, &period, whole, now).await?;
    let from = standing(&filing)?;
    let to = from
        .after(Step::Approve, levels_of(&filing).len())
        .map_err(conflict)?;
    let step = NewStep {
        level: Some(level.as_str()),
        ..taken(from, Step::Approve, to, note)
    };
    if !filings::step(&mut write, id, &step, &actor, now).await? {
        return Err(conflict(rules::not_there("changed")));
    }
    let counts = to.state == Stand::Approved;
    if counts {
        let handed_in = filing.submitted_at.unwrap_or(now);
        let new = NewReport {
            indicator_id: filing.indicator_id.clone(),
            value: filing.value,
            period: filing.period.clone(),
            evidence: filing.evidence.clone(),
            note: filing.note.clone(),
            as_of: period.as_of(app.plan.day(handed_in)).to_string(),
            filing_id: Some(id),
        };
        let author = Actor {
            kind: filing.by_id.map_or(ActorKind::System, ActorKind::User),
            name: filing.by_name.clone(),
            peer: String::new(),
        };
        records::indicators::insert_report(&mut write, &new, &author, handed_in).await?;
    }
    let about = format!("indicator:{}", filing.indicator_id);
    let detail = json!({"filing": id, "period": filing.period, "value": filing.value, "level": level.as_str(),
        "counts": counts, "note": note});
    let event = Event::IndicatorReportApprove;
    audit::insert(&mut write, now, &actor, event, &about, &detail).await?;
    write.commit().await?;
    if counts {
        app.measure(&definition).await;
    }
    tell(&app, &filing.indicator_id, id);
    answer(&app, &caller, id).await.map(Json)
}

/// Returns or withdraws a figure (the step, the level that decides, the note), writes that down with its audit row, and tells the pages.
async fn taken_off_its_way(
    app: &App,
    mut write: records::Write,
    filing: &Filing,
    (step, level, note): (Step, Option<Level>, &str),
    actor: &Actor,
    (event, detail): (Event, serde_json::Value),
) -> Answer<()> {
    let from = standing(filing)?;
    let to = from
        .after(step, levels_of(filing).len())
        .map_err(conflict)?;
    let new = NewStep {
        level: level.map(Level::as_str),
        ..taken(from, step, to, note)
    };
    let now = app.now();
    if !filings::step(&mut write, filing.id, &new, actor, now).await? {
        return Err(conflict(rules::not_there("changed")));
    }
    let about = format!("indicator:{}", filing.indicator_id);
    audit::insert(&mut write, now, actor, event, &about, &detail).await?;
    write.commit().await?;
    tell(app, &filing.indicator_id, filing.id);
    Ok(())
}

/// Returns a figure to its author, with a reason.
#[utoipa::path(post, path = "/api/v1/plan/reports/{id}/return", tag = "plan", security(("session" = ["indicator.approve"])), params(("id" = i64, Path)),
    request_body = DecisionRequest,
    responses((status = 200, body = FilingDetail), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn give_back(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<DecisionRequest>,
) -> Answer<Json<FilingDetail>> {
    let note = rules::check_text(&request.note, &reason_place(), true).map_err(invalid)?;
    let mut write = app.records.write().await?;
    let filing = seen(&mut write, &caller, id).await?;
    let level = deciding(&mut write, &caller, &filing, Step::Return).await?;
    let detail = json!({"filing": id, "level": level.as_str(), "note": note});
    let event = Event::IndicatorReportReturn;
    let way = (Step::Return, Some(level), note);
    let actor = peer.actor(&caller);
    taken_off_its_way(&app, write, &filing, way, &actor, (event, detail)).await?;
    answer(&app, &caller, id).await.map(Json)
}

/// Takes a figure back that does not count yet: its author, or the plan office.
#[utoipa::path(post, path = "/api/v1/plan/reports/{id}/withdraw", tag = "plan", security(("session" = ["indicator.report"])), params(("id" = i64, Path)),
    request_body = DecisionRequest,
    responses((status = 200, body = FilingDetail), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn withdraw(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<DecisionRequest>,
) -> Answer<Json<FilingDetail>> {
    let note = rules::check_text(&request.note, &note_place(), false).map_err(invalid)?;
    let mut write = app.records.write().await?;
    let filing = seen(&mut write, &caller, id).await?;
    let person = person(&caller)?;
    if !person.is_plan_office {
        must_be_own(&filing, &person)?;
    }
    let detail = json!({"filing": id, "note": note});
    let event = Event::IndicatorReportWithdraw;
    let way = (Step::Withdraw, None, note);
    let actor = peer.actor(&caller);
    taken_off_its_way(&app, write, &filing, way, &actor, (event, detail)).await?;
    answer(&app, &caller, id).await.map(Json)
}

/// What was reported of an indicator, newest first, and claims beside what was measured.
#[utoipa::path(get, path = "/api/v1/plan/indicators/{id}/reports", tag = "plan", security(("session" = ["indicator.read"])), params(("id" = String, Path), PageQuery),
    responses((status = 200, body = FilingsBody), (status = 404, body = ProblemBody)))]
pub async fn of_indicator(
    State(app): State<App>,
    Caller(caller): Caller,
    crate::sight::Seeing(sight): crate::sight::Seeing,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Answer<Json<FilingsBody>> {
    let definition = app.definition_of(&id)?;
    let mut read = app.records.read().await?;
    let shown = Shown::load(&app, &caller, &mut read).await?;
    let filter = Filter {
        indicator_id: Some(&id),
        ..Filter::default()
    };
    let page = PageRequest::from(&page);
    let found = filings::list(&mut read, &filter, caller.user_id(), &page).await?;
    let comparisons = match definition.method {
        Method::Computed => {
            plan_claims::comparisons(&app, &caller, &sight, &mut read, &definition).await?
        }
        Method::Reported => Vec::new(),
    };
    Ok(Json(FilingsBody {
        responsible: shown.unit(definition.responsible.as_deref()),
        may_report: shown.may_report(&definition),
        levels: words(&app.options.reports.levels),
        items: shown.filings(&mut read, found.items).await?,
        next: found.next,
        comparisons,
    }))
}

fn words(levels: &[Level]) -> Vec<String> {
    levels.iter().map(|l| l.as_str().to_owned()).collect()
}

/// What is to be reported, what waits for approval, and which periods are locked.
#[utoipa::path(get, path = "/api/v1/plan/reporting", tag = "plan", security(("session" = ["indicator.read"])),
    responses((status = 200, body = ReportingBody)))]
pub async fn reporting(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Answer<Json<ReportingBody>> {
    let mut read = app.records.read().await?;
    let shown = Shown::load(&app, &caller, &mut read).await?;
    let today = app.plan.day(app.now());
    let period = app.options.reports.every.last_over(today);
    let period = period.map(|period| period.as_str().to_owned());
    let due = match &period {
        Some(period) => due(&shown, &mut read, period).await?,
        None => Vec::new(),
    };
    let page = PageRequest {
        after: None,
        limit: Some(SHOWN_MAX),
    };
    let reader = caller.user_id();
    let submitted = Filter {
        state: Some(Stand::Submitted.as_str()),
        ..Filter::default()
    };
    let found = filings::list(&mut read, &submitted, reader, &page).await?;
    let found = shown.filings(&mut read, found.items).await?;
    let (waiting, under_way) = found.into_iter().partition(|f: &FilingBody| f.may_decide);
    let mut mine = Vec::new();
    if reader.is_some() {
        for state in [Stand::Returned, Stand::Draft] {
            let own = Filter {
                state: Some(state.as_str()),
                by_id: reader,
                ..Filter::default()
            };
            let found = filings::list(&mut read, &own, reader, &page).await?;
            mine.extend(shown.filings(&mut read, found.items).await?);
        }
    }
    let locks = filings::locks(&mut read, plan_claims::LOCKS_SHOWN_MAX).await?;
    Ok(Json(ReportingBody {
        levels: words(&app.options.reports.levels),
        period,
        due,
        waiting,
        under_way,
        mine,
        locks: locks.iter().map(Into::into).collect(),
        file_bytes_max: app.cases.options().attachment_bytes_max,
        files_max: app.options.reports.files_max,
        may_lock: caller.user_id().is_some() && caller.may(Permission::IndicatorLock),
    }))
}

async fn due(shown: &Shown<'_>, read: &mut Connection, period: &str) -> Answer<Vec<DueBody>> {
    let reported = filings::indicators_of(read, period).await?;
    let reported: BTreeSet<String> = reported.into_iter().map(|(id, _)| id).collect();
    let latest = records::indicators::latest_reports(read).await?;
    let latest: BTreeMap<String, _> = latest
        .into_iter()
        .map(|r| (r.indicator_id.clone(), r))
        .collect();
    let all = shown.app.plan.definitions();
    let wanted = all
        .iter()
        .filter(|d| d.method == Method::Reported && !reported.contains(&d.id));
    let body = |d: &Arc<Definition>| {
        let last = latest.get(&d.id);
        DueBody {
            indicator_id: d.id.clone(),
            name_zh: d.name_zh.clone(),
            name_en: d.name_en.clone(),
            unit_zh: d.unit_zh.clone(),
            unit_en: d.unit_en.clone(),
            organisation: shown.unit(d.responsible.as_deref()),
            latest: last.map(|r| r.value),
            latest_period: last.map(|r| r.period.clone()),
            may_report: shown.may_report(d),
        }
    };
    Ok(wanted.map(body).collect())
}
