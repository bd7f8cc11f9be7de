//! Response plans (预案) of the packs, and what is done when one is started: steps ticked off with time and person, kept for ever. One
//! that is started as a drill (演练) reaches nobody outside the pages, and its case counts in no figure.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::duty::{must_belong, organisation, text};
use crate::error::{Answer, ApiError, ProblemBody};
use crate::sight::Seeing;
use crate::words::Severity;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use cases::NewCase;
use duty::response::ResponsePlan;
use identity::Principal;
use model::problem::{both, quote};
use model::{Problem, Timestamp, Told};
use records::alerts::Alert;
use records::cases::DRILL;
use records::duty_acts::{self, Activation, ActivationFilter, StepDone};
use records::{Event, PageRequest, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Longest note and summary, characters.
const NOTE_CHARS_MAX: usize = 2_000;
/// Most plans under way that are looked at when one is started.
const UNDER_WAY_MAX: u32 = 500;
/// How grave a plan is that answers no alert.
const SEVERITY: &str = "major";

/// A response plan (预案).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResponsePlan)]
pub struct PlanBody {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The rules whose alerts it answers.
    pub alert_rules: Vec<String>,
    /// The categories of resources that it asks for.
    pub resources: Vec<String>,
    /// What the level of response that it is is called in Chinese; null when it is none.
    pub level_zh: Option<String>,
    /// The same in English.
    pub level_en: Option<String>,
    /// What suggests it.
    pub suggested: Vec<PlanConditionBody>,
    /// What is done, in order.
    pub steps: Vec<PlanStepBody>,
}

/// What suggests a plan, in words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResponseCondition)]
pub struct PlanConditionBody {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// One step of a plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResponseStep)]
pub struct PlanStepBody {
    /// Its id.
    pub id: String,
    /// What is done, in Chinese.
    pub title_zh: String,
    /// What is done, in English.
    pub title_en: String,
    /// Who does it, in Chinese.
    pub who_zh: String,
    /// Who does it, in English.
    pub who_en: String,
    /// Within how many minutes of the start.
    pub within_minutes: i64,
}

/// The response plans.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResponsePlans)]
pub struct PlansBody {
    /// By id.
    pub items: Vec<PlanBody>,
}

impl From<&ResponsePlan> for PlanBody {
    fn from(plan: &ResponsePlan) -> Self {
        let steps = plan.steps.iter().map(|step| PlanStepBody {
            id: step.id.clone(),
            title_zh: step.title_zh.clone(),
            title_en: step.title_en.clone(),
            who_zh: step.who_zh.clone(),
            who_en: step.who_en.clone(),
            within_minutes: step.within_minutes,
        });
        Self {
            id: plan.id.clone(),
            version: plan.version,
            title_zh: plan.title_zh.clone(),
            title_en: plan.title_en.clone(),
            alert_rules: plan.alert_rules.clone(),
            resources: plan.resources.clone(),
            level_zh: plan.level.as_ref().map(|level| level.title_zh.clone()),
            level_en: plan.level.as_ref().map(|level| level.title_en.clone()),
            suggested: plan
                .suggested
                .iter()
                .map(|condition| PlanConditionBody {
                    zh: condition.zh.clone(),
                    en: condition.en.clone(),
                })
                .collect(),
            steps: steps.collect(),
        }
    }
}

/// The response plans of the packs.
#[utoipa::path(get, path = "/api/v1/duty/plans", tag = "duty", security(("session" = ["duty.read"])),
    responses((status = 200, body = PlansBody)))]
pub async fn plans(State(app): State<App>) -> Answer<Json<PlansBody>> {
    let packs = app.packs.now();
    let mut items: Vec<PlanBody> = packs.responses.iter().map(PlanBody::from).collect();
    items.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Json(PlansBody { items }))
}

/// A step of a plan that was started.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivationStep)]
pub struct StepBody {
    /// Its id.
    pub id: String,
    /// What is done, in Chinese.
    pub title_zh: String,
    /// What is done, in English.
    pub title_en: String,
    /// Who does it, in Chinese.
    pub who_zh: String,
    /// Who does it, in English.
    pub who_en: String,
    /// By when.
    pub due_at: String,
    /// When it was ticked off; null while it is open.
    pub done_at: Option<String>,
    /// Who ticked it off.
    pub done_by: Option<String>,
    /// Whether it was passed over, rather than done.
    pub skipped: bool,
    /// What was written.
    pub note: Option<String>,
    /// Whether it was, or by now is, late.
    pub late: bool,
}

/// A response plan that was started (预案启动).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Activation)]
pub struct ActivationBody {
    /// Its number.
    pub id: i64,
    /// The plan.
    pub plan_id: String,
    /// Its version then.
    pub plan_version: i64,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Who carries it out.
    pub organisation: String,
    /// The alert that it answers.
    pub alert_id: Option<i64>,
    /// The case of it.
    pub case_id: Option<i64>,
    /// How grave it is.
    #[schema(value_type = Severity)]
    pub severity: String,
    /// Whether it is a drill (演练).
    pub drill: bool,
    /// When it was started.
    pub started_at: String,
    /// By whom.
    pub started_by: String,
    /// When it ended; null while it is under way.
    pub ended_at: Option<String>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// What came of it.
    pub summary: Option<String>,
    /// The categories of resources that it asks for.
    pub resources: Vec<String>,
    /// Its steps, in order.
    pub steps: Vec<StepBody>,
}

/// The plan of an activation as it was when it began.
pub(crate) fn plan_of(activation: &Activation) -> ResponsePlan {
    serde_json::from_value(activation.plan.clone()).unwrap_or_default()
}

fn activation_body(row: Activation, done: Vec<StepDone>, now: Timestamp) -> ActivationBody {
    let plan = plan_of(&row);
    let mut done: BTreeMap<String, StepDone> = done
        .into_iter()
        .map(|step| (step.step_id.clone(), step))
        .collect();
    let until = row.ended_at.unwrap_or(now);
    let steps = plan.steps.into_iter().map(|step| {
        let due = step.due_at(row.started_at);
        let ticked = done.remove(&step.id);
        StepBody {
            due_at: due.to_string(),
            done_at: ticked.as_ref().map(|t| t.at.to_string()),
            skipped: ticked.as_ref().is_some_and(|t| t.skipped),
            late: ticked.as_ref().map_or(until, |t| t.at) > due,
            note: ticked
                .as_ref()
                .map(|t| t.note.clone())
                .filter(|note| !note.is_empty()),
            done_by: ticked.map(|t| t.done_by),
            id: step.id,
            title_zh: step.title_zh,
            title_en: step.title_en,
            who_zh: step.who_zh,
            who_en: step.who_en,
        }
    });
    ActivationBody {
        steps: steps.collect(),
        id: row.id,
        plan_id: row.plan_id,
        plan_version: row.plan_version,
        title_zh: plan.title_zh,
        title_en: plan.title_en,
        organisation: row.organisation_id,
        alert_id: row.alert_id,
        case_id: row.case_id,
        severity: row.severity,
        drill: row.drill,
        started_at: row.started_at.to_string(),
        started_by: row.started_by,
        ended_at: row.ended_at.map(|at| at.to_string()),
        ended_by: row.ended_by,
        summary: row.summary,
        resources: plan.resources,
    }
}

/// A page of activations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Activations)]
pub struct ActivationsBody {
    /// Newest first.
    pub items: Vec<ActivationBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which activations.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ActivationsQuery {
    /// Only those under way (true) or over (false).
    pub open: Option<bool>,
    /// Only drills (true) or none (false).
    pub drill: Option<bool>,
    /// Only those that answer this alert.
    pub alert_id: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// Response plans that were started, newest first.
#[utoipa::path(get, path = "/api/v1/duty/activations", tag = "duty", security(("session" = ["duty.read"])), params(ActivationsQuery),
    responses((status = 200, body = ActivationsBody), (status = 400, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Query(query): Query<ActivationsQuery>,
) -> Answer<Json<ActivationsBody>> {
    let filter = ActivationFilter {
        is_open: query.open,
        is_drill: query.drill,
        alert_id: query.alert_id,
    };
    let page = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let now = app.now();
    let mut read = app.records.read().await?;
    let found = duty_acts::activations(&mut read, &filter, &page).await?;
    let mut items = Vec::new();
    for row in found.items {
        let done = duty_acts::steps(&mut read, row.id).await?;
        items.push(activation_body(row, done, now));
    }
    let next = found.next;
    Ok(Json(ActivationsBody { items, next }))
}

/// One response plan that was started, with its steps.
#[utoipa::path(get, path = "/api/v1/duty/activations/{id}", tag = "duty", security(("session" = ["duty.read"])),
    params(("id" = i64, Path)), responses((status = 200, body = ActivationBody), (status = 404, body = ProblemBody)))]
pub async fn one(State(app): State<App>, Path(id): Path<i64>) -> Answer<Json<ActivationBody>> {
    let mut read = app.records.read().await?;
    let row = duty_acts::activation(&mut read, id)
        .await?
        .ok_or_else(|| ApiError::not_found("activation", id))?;
    let done = duty_acts::steps(&mut read, id).await?;
    Ok(Json(activation_body(row, done, app.now())))
}

/// A response plan to start.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ActivationDraft)]
pub struct StartDraft {
    /// The plan's id.
    pub plan: String,
    /// Who carries it out.
    pub organisation: String,
    /// The alert that it answers.
    #[serde(default)]
    pub alert_id: Option<i64>,
    /// Whether it is a drill (演练): then nobody is told outside the pages.
    #[serde(default)]
    pub drill: bool,
    /// Whether a case is opened for it; the alert's own case is taken where it has one.
    #[serde(default)]
    pub open_case: bool,
}

fn under_way(plan: &ResponsePlan) -> ApiError {
    if plan.level.is_some() {
        let told = Told::new(
            "duty-plan-under-way",
            both(
                "这一级响应已经启动",
                format!("{} is under way", quote(&plan.id)),
            ),
            both("预案", "plan"),
            both(
                "请在已启动的预案里继续",
                "go on with the one that was started",
            ),
        );
        return ApiError::told(StatusCode::CONFLICT, told);
    }
    let told = Told::new(
        "duty-plan-under-way",
        both(
            "这条告警的这个预案已经启动",
            format!("{} is under way for this alert", quote(&plan.id)),
        ),
        both("预案", "plan"),
        both(
            "请在已启动的预案里继续",
            "go on with the one that was started",
        ),
    );
    ApiError::told(StatusCode::CONFLICT, told)
}

/// The case of an activation: the alert's own, or one that is opened for it.
async fn case_for(
    app: &App,
    (plan, draft): (&ResponsePlan, &StartDraft),
    alert: Option<&Alert>,
    (caller, peer): (&Principal, Peer),
) -> Answer<Option<i64>> {
    if !draft.drill
        && let Some(case) = alert.and_then(|alert| alert.case_id)
    {
        return Ok(Some(case));
    }
    if !draft.open_case {
        return Ok(None);
    }
    let place = alert.and_then(|alert| alert.lon.zip(alert.lat));
    let place = place.map(|(lon, lat)| [lon, lat]);
    let packs = app.packs.now();
    let workflow = alert.and_then(|alert| packs.case_workflow(&alert.rule_id));
    let new = NewCase {
        title: match draft.drill {
            true => format!("【演练】{}", plan.title_zh),
            false => plan.title_zh.clone(),
        },
        // The alert is real: a drill takes no case away from it.
        alert_id: draft.alert_id.filter(|_| !draft.drill),
        entity_id: alert.map(|alert| alert.entity_id.clone()),
        severity: Some(alert.map_or(SEVERITY.to_owned(), |alert| alert.severity.clone())),
        location: place,
        workflow: workflow.map(str::to_owned),
        town: place.and_then(|at| app.city.town_of(at)).map(str::to_owned),
        source: draft.drill.then(|| DRILL.to_owned()),
        ..NewCase::default()
    };
    let opened = app
        .cases
        .open(&new, &peer.acting(caller), app.now())
        .await?;
    let case = &opened.case;
    let notice = json!({"id": case.id, "state": case.state, "number": case.number, "alert_id": case.alert_id,
        "organisation_id": crate::case_pages::organisation_of(case)});
    app.events
        .tell("case", identity::Permission::CaseRead, notice);
    Ok(Some(case.id))
}

/// Starts a response plan, for an alert or by itself, in earnest or as a drill.
#[utoipa::path(post, path = "/api/v1/duty/activations", tag = "duty", security(("session" = ["duty.act"])), request_body = StartDraft,
    responses((status = 201, body = ActivationBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn start(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Json(draft): Json<StartDraft>,
) -> Answer<(StatusCode, Json<ActivationBody>)> {
    must_belong(&caller, &draft.organisation)?;
    let packs = app.packs.now();
    let plan = packs
        .responses
        .iter()
        .find(|plan| plan.id == draft.plan)
        .ok_or_else(|| {
            ApiError::invalid(Problem::new(
                "duty-plan-unknown",
                format!("no pack has a response plan {}", quote(&draft.plan)),
                "plan",
                "take one of the list of plans",
            ))
        })?;
    let now = app.now();
    let alert = match draft.alert_id {
        None => None,
        Some(id) => {
            let alert = app.cases.alert(id).await?;
            if !sight.sees_series(&alert.entity_id, &alert.entity_type, &alert.attribute) {
                return Err(ApiError::not_found("alert", id));
            }
            Some(alert)
        }
    };
    {
        let mut read = app.records.read().await?;
        organisation(&mut read, &draft.organisation).await?;
        if is_under_way(&mut read, plan, &draft).await? {
            return Err(under_way(plan));
        }
    }
    let asked = (&*caller, peer);
    let case_id = case_for(&app, (plan, &draft), alert.as_ref(), asked).await?;
    let actor = peer.actor(&caller);
    let new = Activation {
        id: 0,
        plan_id: plan.id.clone(),
        plan_version: i64::from(plan.version),
        plan: json!(plan),
        organisation_id: draft.organisation.clone(),
        alert_id: draft.alert_id,
        case_id,
        severity: alert
            .as_ref()
            .map_or(SEVERITY.to_owned(), |a| a.severity.clone()),
        drill: draft.drill,
        started_at: now,
        started_by: actor.name.clone(),
        started_by_id: caller.user_id(),
        ended_at: None,
        ended_by: None,
        summary: None,
    };
    let mut write = app.records.write().await?;
    // Asked again where nobody else can start it meanwhile.
    if is_under_way(&mut write, plan, &draft).await? {
        return Err(under_way(plan));
    }
    let row = duty_acts::add_activation(&mut write, &new).await?;
    let detail = json!({"plan": row.plan_id, "version": row.plan_version, "drill": row.drill, "alert_id": row.alert_id,
        "case_id": row.case_id});
    let target = format!("duty-activation:{}", row.id);
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::DutyPlanStart,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    app.tell_duty();
    if let Some(alert) = draft.alert_id {
        app.tell_alert(app.cases.alert(alert).await?);
    }
    let body = activation_body(row, Vec::new(), now);
    Ok((StatusCode::CREATED, Json(body)))
}

/// Whether the plan is under way in earnest for the same alert; a level of a response is one for the whole city.
async fn is_under_way(
    connection: &mut records::Connection,
    plan: &ResponsePlan,
    draft: &StartDraft,
) -> Answer<bool> {
    let is_level = plan.level.is_some();
    if draft.drill || (draft.alert_id.is_none() && !is_level) {
        return Ok(false);
    }
    let filter = ActivationFilter {
        is_open: Some(true),
        is_drill: Some(false),
        alert_id: draft.alert_id.filter(|_| !is_level),
    };
    let page = PageRequest {
        after: None,
        limit: Some(UNDER_WAY_MAX),
    };
    let open = duty_acts::activations(connection, &filter, &page).await?;
    Ok(open.items.iter().any(|row| row.plan_id == draft.plan))
}

/// What is written of a step.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = ActivationStepDone)]
pub struct TickBody {
    /// Whether it is passed over, rather than done; then the note says why.
    #[serde(default)]
    pub skipped: bool,
    /// At most 2,000 characters.
    #[serde(default)]
    pub note: String,
}

/// Ticks a step of a plan that is under way off, once.
#[utoipa::path(post, path = "/api/v1/duty/activations/{id}/steps/{step}", tag = "duty", security(("session" = ["duty.act"])),
    params(("id" = i64, Path), ("step" = String, Path)), request_body = TickBody,
    responses((status = 200, body = ActivationBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn tick(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path((id, step)): Path<(i64, String)>,
    Json(body): Json<TickBody>,
) -> Answer<Json<ActivationBody>> {
    let least = usize::from(body.skipped);
    let note = text(&body.note, "note", least, NOTE_CHARS_MAX)?;
    let now = app.now();
    let actor = peer.actor(&caller);
    let mut write = app.records.write().await?;
    let row = open_activation(&mut write, &caller, id).await?;
    let plan = plan_of(&row);
    let declared = plan
        .step(&step)
        .ok_or_else(|| ApiError::not_found("step", &step))?;
    let late = now > declared.due_at(row.started_at);
    let done = StepDone {
        activation_id: id,
        step_id: step.clone(),
        skipped: body.skipped,
        note,
        at: now,
        done_by: actor.name.clone(),
        done_by_id: caller.user_id(),
    };
    if !duty_acts::add_step(&mut write, &done).await? {
        let told = Told::new(
            "duty-step-done",
            both("这一步已经完成", "the step is done already"),
            both("步骤", "step"),
            both("请看下一步", "go on with the next"),
        );
        return Err(ApiError::told(StatusCode::CONFLICT, told));
    }
    let detail = json!({"step": step, "skipped": body.skipped, "late": late});
    let target = format!("duty-activation:{id}");
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::DutyPlanStep,
        &target,
        &detail,
    )
    .await?;
    let done = duty_acts::steps(&mut write, id).await?;
    write.commit().await?;
    app.tell_duty();
    Ok(Json(activation_body(row, done, now)))
}

/// An activation that is under way and that the caller may carry on.
async fn open_activation(
    connection: &mut records::Connection,
    caller: &Principal,
    id: i64,
) -> Answer<Activation> {
    let row = duty_acts::activation(connection, id)
        .await?
        .ok_or_else(|| ApiError::not_found("activation", id))?;
    must_belong(caller, &row.organisation_id)?;
    if row.ended_at.is_none() {
        return Ok(row);
    }
    Err(over())
}

fn over() -> ApiError {
    let told = Told::new(
        "duty-plan-over",
        both("这个预案已经结束", "the response plan is over"),
        both("预案", "activation"),
        both("需要时重新启动", "start it again where it is needed"),
    );
    ApiError::told(StatusCode::CONFLICT, told)
}

/// What came of a plan.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ActivationEnd)]
pub struct EndBody {
    /// What came of it, 1 to 2,000 characters.
    pub summary: String,
}

/// Ends a plan that is under way, whatever of it is done; what is not stays open in its history.
#[utoipa::path(post, path = "/api/v1/duty/activations/{id}/end", tag = "duty", security(("session" = ["duty.act"])),
    params(("id" = i64, Path)), request_body = EndBody,
    responses((status = 200, body = ActivationBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
    (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn end(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(body): Json<EndBody>,
) -> Answer<Json<ActivationBody>> {
    let summary = text(&body.summary, "summary", 1, NOTE_CHARS_MAX)?;
    let now = app.now();
    let actor = peer.actor(&caller);
    let mut write = app.records.write().await?;
    open_activation(&mut write, &caller, id).await?;
    let row = duty_acts::end_activation(&mut write, id, &actor.name, &summary, now)
        .await?
        .ok_or_else(over)?;
    let done = duty_acts::steps(&mut write, id).await?;
    let steps_open = plan_of(&row).steps.len().saturating_sub(done.len());
    let target = format!("duty-activation:{id}");
    let detail = json!({"steps_open": steps_open});
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::DutyPlanEnd,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    app.tell_duty();
    Ok(Json(activation_body(row, done, now)))
}
