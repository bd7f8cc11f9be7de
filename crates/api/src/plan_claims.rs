//! Periods that the plan office locks, and claims beside what the platform measured: how far they are apart, and a case made of it.
//! How figures are reported is [`crate::plan_reports`].

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::plan_reports::{conflict, invalid, person, reason_place};
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cases::NewCase;
use identity::{Permission, Principal};
use indicators::reports::{self as rules, Comparison, Period};
use indicators::{Definition, Method};
use jiff::tz::TimeZone;
use model::problem::{both, number};
use model::{Timestamp, Told};
use records::filings::{self, ClaimCase, Filter, Lock};
use records::{Connection, Event, PageRequest, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};

/// Most locks shown.
pub(crate) const LOCKS_SHOWN_MAX: u32 = 100;
/// Most cases made of claims that are looked at.
const CASES_MAX: u32 = 500;
/// How many characters of its digest name the request by which a case is opened.
const REQUEST_CHARS: usize = 32;

/// A period that is or was locked.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IndicatorLock)]
pub struct LockBody {
    /// Its number.
    pub id: i64,
    /// The period; a year covers its quarters and months, a quarter its months.
    pub period: String,
    /// Why it was locked.
    pub reason: String,
    /// Who locked it.
    pub locked_by: String,
    /// When.
    pub locked_at: String,
    /// Who lifted the lock; null while it holds.
    pub lifted_by: Option<String>,
    /// When.
    pub lifted_at: Option<String>,
    /// Why.
    pub lift_reason: Option<String>,
}

impl From<&Lock> for LockBody {
    fn from(lock: &Lock) -> Self {
        Self {
            id: lock.id,
            period: lock.period.clone(),
            reason: lock.reason.clone(),
            locked_by: lock.locked_by.clone(),
            locked_at: lock.locked_at.to_string(),
            lifted_by: lock.lifted_by.clone(),
            lifted_at: lock.lifted_at.map(|at| at.to_string()),
            lift_reason: lock.lift_reason.clone(),
        }
    }
}

/// A claim beside what was measured.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IndicatorComparison)]
pub struct ComparisonBody {
    /// The period.
    pub period: String,
    /// The approved report that claims it.
    pub report_id: i64,
    /// What was claimed, in the indicator's unit.
    pub claimed: f64,
    /// What was measured at the period's end, or last while it runs; null when nothing was measured by then.
    pub measured: Option<f64>,
    /// When that was measured.
    pub measured_at: Option<String>,
    /// Claimed minus measured, in the indicator's unit.
    pub difference: Option<f64>,
    /// The same as a share of what was measured, percent; null where zero was measured.
    pub difference_percent: Option<f64>,
    /// The newest case made of it that the caller may see.
    pub case: Option<ClaimCaseBody>,
    /// Whether the caller may make a case of it now.
    pub may_open_case: bool,
}

/// The case of a claim.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IndicatorCase)]
pub struct ClaimCaseBody {
    /// The case.
    pub case_id: i64,
    /// Its number for people.
    pub number: String,
    /// Its state.
    pub state: String,
    /// Whether it has not ended.
    pub is_open: bool,
    /// The indicator.
    pub indicator_id: String,
    /// The indicator's name in Chinese.
    pub name_zh: String,
    /// The indicator's name in English.
    pub name_en: String,
    /// The period.
    pub period: String,
    /// What was claimed when it was opened.
    pub claimed: f64,
    /// What was measured then.
    pub measured: f64,
}

/// Cases made of claims.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IndicatorCases)]
pub struct ClaimCasesBody {
    /// The cases, newest first, at most 500.
    pub items: Vec<ClaimCaseBody>,
}

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ClaimCasesQuery {
    /// Of an indicator.
    pub indicator_id: Option<String>,
    /// The one of a case.
    pub case_id: Option<i64>,
}

/// A period to lock.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = IndicatorLockDraft)]
pub struct LockRequest {
    /// A year (2025), a quarter (2025-Q3) or a month (2025-10) that is over.
    pub period: String,
    /// Why.
    pub reason: String,
}

/// Why a lock is lifted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = IndicatorLockLift)]
pub struct LiftRequest {
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Locks a period: nothing is reported or approved for it any more but corrections.
#[utoipa::path(post, path = "/api/v1/plan/locks", tag = "plan", security(("session" = ["indicator.lock"])), request_body = LockRequest,
    responses((status = 201, body = LockBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn lock(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(request): Json<LockRequest>,
) -> Answer<Response> {
    person(&caller)?;
    let (now, actor) = (app.now(), peer.actor(&caller));
    let period = Period::parse(&request.period).map_err(invalid)?;
    period.must_be_over(app.plan.day(now)).map_err(invalid)?;
    let reason = rules::check_text(&request.reason, &reason_place(), true).map_err(invalid)?;
    let mut write = app.records.write().await?;
    let id = filings::lock(&mut write, period.as_str(), reason, &actor, now).await?;
    if id.is_none() {
        let held = filings::locks_held(&mut write).await?;
        let held = held.iter().find(|lock| lock.period == period.as_str());
        return Err(held.map_or_else(
            || ApiError::not_found("lock", period.as_str()),
            |lock| app.is_locked(lock, period.as_str()),
        ));
    }
    let about = format!("period:{}", period.as_str());
    let detail = json!({"reason": reason});
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::IndicatorLock,
        &about,
        &detail,
    )
    .await?;
    let held = filings::locks_held(&mut write).await?;
    write.commit().await?;
    let made = held.iter().find(|lock| Some(lock.id) == id);
    let made = made.ok_or_else(|| ApiError::not_found("lock", period.as_str()))?;
    Ok((StatusCode::CREATED, Json(LockBody::from(made))).into_response())
}

/// Lifts the lock of a period, with a reason.
#[utoipa::path(post, path = "/api/v1/plan/locks/{id}/lift", tag = "plan", security(("session" = ["indicator.lock"])), params(("id" = i64, Path)),
    request_body = LiftRequest,
    responses((status = 200, body = LockBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn lift(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<LiftRequest>,
) -> Answer<Json<LockBody>> {
    let mut write = app.records.write().await?;
    let held = filings::locks_held(&mut write).await?;
    let held = held.into_iter().find(|lock| lock.id == id);
    let mut lock = held.ok_or_else(|| ApiError::not_found("lock", id))?;
    person(&caller)?;
    let reason = rules::check_text(&request.reason, &reason_place(), true).map_err(invalid)?;
    let (now, actor) = (app.now(), peer.actor(&caller));
    if !filings::lift(&mut write, id, reason, &actor, now).await? {
        return Err(ApiError::not_found("lock", id));
    }
    let about = format!("period:{}", lock.period);
    let detail = json!({"reason": reason});
    let event = Event::IndicatorUnlock;
    audit::insert(&mut write, now, &actor, event, &about, &detail).await?;
    write.commit().await?;
    lock.lifted_by = Some(actor.name);
    lock.lifted_at = Some(now);
    lock.lift_reason = Some(reason.to_owned());
    Ok(Json((&lock).into()))
}

impl App {
    /// The moment at which a period is over in the city.
    fn end_of(&self, period: &Period) -> Option<Timestamp> {
        let zone = TimeZone::get(&self.city.zone).unwrap_or(TimeZone::UTC);
        let next = period.last().tomorrow().ok()?;
        let end = zone.to_timestamp(next.at(0, 0, 0, 0)).ok()?;
        Some(Timestamp::from_micros(end.as_microsecond()))
    }

    /// What was measured at a period's end, or last while it runs.
    async fn measured_of(
        &self,
        read: &mut Connection,
        indicator_id: &str,
        period: &str,
    ) -> Answer<Option<(f64, Timestamp)>> {
        let Ok(period) = Period::parse(period) else {
            return Ok(None);
        };
        let Some(end) = self.end_of(&period) else {
            return Ok(None);
        };
        let found = records::indicators::value_before(read, indicator_id, end).await?;
        Ok(found.and_then(|found| Some((found.value?, found.at))))
    }

    /// A case made of a claim, if the caller may see it.
    async fn claim_case(
        &self,
        read: &mut Connection,
        sight: &Sight,
        link: ClaimCase,
    ) -> Answer<Option<ClaimCaseBody>> {
        let case = records::cases::get(read, link.case_id).await?;
        let case = case.filter(|case| sight.sees_case(case.organisation_id.as_deref()));
        let definition = self.plan.definition(&link.indicator_id);
        let named = |of: fn(&Definition) -> &String| {
            let found = definition.as_deref().map(|d| of(d).clone());
            found.unwrap_or_else(|| link.indicator_id.clone())
        };
        Ok(case.map(|case| ClaimCaseBody {
            case_id: case.id,
            number: case.number,
            state: case.state,
            is_open: case.closed_at.is_none(),
            name_zh: named(|d| &d.name_zh),
            name_en: named(|d| &d.name_en),
            indicator_id: link.indicator_id.clone(),
            period: link.period.clone(),
            claimed: link.claimed,
            measured: link.measured,
        }))
    }
}

/// Whether a case of a claim has not ended, whoever may see it.
async fn open_case(
    read: &mut Connection,
    links: &[ClaimCase],
) -> Answer<Option<records::cases::Case>> {
    for link in links {
        let case = records::cases::get(read, link.case_id).await?;
        if let Some(case) = case.filter(|case| case.closed_at.is_none()) {
            return Ok(Some(case));
        }
    }
    Ok(None)
}

/// The claims of a computed indicator that count, each beside what was measured; newest period first.
pub(crate) async fn comparisons(
    app: &App,
    caller: &Principal,
    sight: &Sight,
    read: &mut Connection,
    definition: &Definition,
) -> Answer<Vec<ComparisonBody>> {
    let filter = Filter {
        indicator_id: Some(&definition.id),
        state: Some(rules::State::Approved.as_str()),
        ..Filter::default()
    };
    let page = PageRequest {
        after: None,
        limit: Some(records::PAGE_ITEMS_MAX),
    };
    let approved = filings::list(read, &filter, None, &page).await?;
    let links = filings::claim_cases(read, Some(&definition.id), None, CASES_MAX).await?;
    let (mut told, mut all) = (BTreeSet::new(), Vec::new());
    for claim in approved.items {
        // The newest of a period counts.
        if !told.insert(claim.period.clone()) {
            continue;
        }
        let measured = app.measured_of(read, &definition.id, &claim.period).await?;
        let compared = measured.map(|(value, _)| Comparison::of(claim.value, value));
        let of_period = links.iter().filter(|link| link.period == claim.period);
        let of_period: Vec<ClaimCase> = of_period.cloned().collect();
        let has_open = open_case(read, &of_period).await?.is_some();
        let mut case = None;
        for link in of_period {
            case = app.claim_case(read, sight, link).await?;
            if case.is_some() {
                break;
            }
        }
        all.push(ComparisonBody {
            period: claim.period,
            report_id: claim.id,
            claimed: claim.value,
            measured: measured.map(|(value, _)| value),
            measured_at: measured.map(|(_, at)| at.to_string()),
            difference: compared.map(|c| c.difference),
            difference_percent: compared.and_then(|c| c.percent),
            case,
            may_open_case: !has_open
                && compared.is_some_and(|c| c.difference != 0.0)
                && caller.may(Permission::CaseOpen),
        });
    }
    let begin = |period: &str| Period::parse(period).map(|p| (p.last(), p.first())).ok();
    all.sort_by_key(|c| std::cmp::Reverse(begin(&c.period)));
    Ok(all)
}

fn no_claim(code: &str, zh: String, en: String) -> ApiError {
    conflict(Told::new(
        code,
        both(zh, en),
        both("统计期", "period"),
        both(
            "请先有审定的填报值和实测值，且两者不同",
            "there must be an approved claim and a measured value, and they must differ",
        ),
    ))
}

/// Makes a case of a claim that is not what was measured; one open case for an indicator and period.
#[utoipa::path(post, path = "/api/v1/plan/indicators/{id}/claims/{period}/case", tag = "plan", security(("session" = ["case.open"])),
    params(("id" = String, Path), ("period" = String, Path)),
    responses((status = 201, body = ClaimCaseBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn make_case(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path((id, period)): Path<(String, String)>,
) -> Answer<Response> {
    let definition = app.plan.definition(&id);
    let definition = definition.ok_or_else(|| ApiError::not_found("indicator", &id))?;
    let period = Period::parse(&period).map_err(invalid)?;
    let period = period.as_str();
    // Between looking for an open case and linking the new one nobody else opens one.
    let _one_at_a_time = app.opening_claim_cases.lock().await;
    let mut read = app.records.read().await?;
    let claim = match definition.method {
        Method::Computed => filings::counting(&mut read, &id, period).await?,
        Method::Reported => None,
    };
    let measured = app.measured_of(&mut read, &id, period).await?;
    let (Some(claim), Some((measured, _))) = (claim, measured) else {
        return Err(no_claim(
            "claim-none",
            format!("{} 的 {period} 没有可比的两个数", definition.name_zh),
            format!("{} has no two figures of {period}", definition.name_en),
        ));
    };
    let compared = Comparison::of(claim.value, measured);
    if compared.difference == 0.0 {
        return Err(no_claim(
            "claim-same",
            format!("{} 的 {period} 填报值与实测值相同", definition.name_zh),
            format!(
                "what was claimed of {} for {period} is what was measured",
                definition.name_en
            ),
        ));
    }
    let links = filings::claim_cases(&mut read, Some(&id), None, CASES_MAX).await?;
    let links: Vec<ClaimCase> = links.into_iter().filter(|l| l.period == period).collect();
    if let Some(open) = open_case(&mut read, &links).await? {
        return Err(conflict(Told::new(
            "claim-case-open",
            both(
                format!("已有案件 {} 没有结案", open.number),
                format!("the case {} has not ended", open.number),
            ),
            both("案件", "case"),
            both("请接着办那个案件", "go on with that case"),
        )));
    }
    drop(read);
    let acting = peer.acting(&caller);
    // Should the program end before the case is linked, the same person's next try finds it by this name.
    let name = format!("{id} {period} {} {:?}", links.len(), caller.id);
    let mut name = hex::encode(Sha256::digest(name.as_bytes()));
    name.truncate(REQUEST_CHARS);
    let now = app.now();
    let case = app
        .cases
        .open(
            &described(&definition, period, compared, name),
            &acting,
            now,
        )
        .await?;
    let link = ClaimCase {
        case_id: case.case.id,
        indicator_id: id.clone(),
        period: period.to_owned(),
        claimed: claim.value,
        measured,
        at: now,
    };
    let mut write = app.records.write().await?;
    filings::link_case(&mut write, &link).await?;
    let about = format!("indicator:{id}");
    let detail = json!({"period": period, "case": case.case.number, "claimed": claim.value, "measured": measured});
    let event = Event::IndicatorCase;
    audit::insert(&mut write, now, &acting.actor, event, &about, &detail).await?;
    write.commit().await?;
    crate::case_pages::announce(&app, &case.case);
    let mut read = app.records.read().await?;
    let body = app.claim_case(&mut read, &sight, link).await?;
    let body = body.ok_or_else(|| ApiError::not_found("case", case.case.id))?;
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// The case of a claim, in the words of those who handle it.
fn described(
    definition: &Definition,
    period: &str,
    compared: Comparison,
    request_id: String,
) -> NewCase {
    let unit = &definition.unit_zh;
    let (claimed, measured) = (number(compared.claimed), number(compared.measured));
    let apart = match compared.percent {
        Some(percent) => format!("{:.2} {unit}（{percent:+.1}%）", compared.difference),
        None => format!("{:.2} {unit}", compared.difference),
    };
    NewCase {
        title: format!("{} {period} 填报值与实测值不符", definition.name_zh),
        description: format!(
            "规划指标“{}”{period}：填报 {claimed} {unit}，平台实测 {measured} {unit}，相差 {apart}。请核实数据来源，更正填报或修正取数。指标页：/plan/{}",
            definition.name_zh, definition.id
        ),
        request_id: Some(request_id),
        ..NewCase::default()
    }
}

/// Cases made of claims: of an indicator, or the claim of a case. Those that the caller may see.
#[utoipa::path(get, path = "/api/v1/plan/cases", tag = "plan", security(("session" = ["indicator.read"])), params(ClaimCasesQuery),
    responses((status = 200, body = ClaimCasesBody)))]
pub async fn claim_cases(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Query(query): Query<ClaimCasesQuery>,
) -> Answer<Json<ClaimCasesBody>> {
    let mut read = app.records.read().await?;
    let indicator = query.indicator_id.as_deref();
    let links = filings::claim_cases(&mut read, indicator, query.case_id, CASES_MAX).await?;
    let mut items = Vec::new();
    for link in links {
        items.extend(app.claim_case(&mut read, &sight, link).await?);
    }
    Ok(Json(ClaimCasesBody { items }))
}
