//! The city's plans side by side (the next five years too): which there are, which holds today, and what each wants of an indicator.

use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::words;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use indicators::Definition;
use model::Told;
use model::problem::{both, quote};
use pack::{CityPlan, Phase};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Of which plan.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct PlanQuery {
    /// The id of a plan; the one that holds today when left out: else the newest that is over, else the first to come.
    pub plan: Option<String>,
}

/// Where a plan stands today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanPhase {
    /// Its first year has not begun.
    ToCome,
    /// It holds.
    Running,
    /// Its last year is over.
    Over,
}

impl From<Phase> for PlanPhase {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::ToCome => Self::ToCome,
            Phase::Running => Self::Running,
            Phase::Over => Self::Over,
        }
    }
}

/// A plan in the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlanItem {
    /// Short id.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// First and last year: the year of the baselines and that of the targets.
    pub period: [i16; 2],
    /// Where it stands today.
    pub phase: PlanPhase,
    /// Whether it is the one that is shown where none is asked for.
    pub chosen: bool,
    /// The pack that brings it.
    pub pack: String,
    /// How many indicators it has.
    pub indicators: usize,
}

/// The city's plans.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Plans {
    /// The day in the city by which they are judged.
    pub day: String,
    /// In the order in which they end.
    pub items: Vec<PlanItem>,
}

/// What another plan wants of an indicator.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlanOfIndicator {
    /// The plan's id.
    pub plan: String,
    /// Its title in Chinese.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
    /// Its first and last year.
    pub period: [i16; 2],
    /// The indicator's value in the baseline year; null where that plan gives none.
    pub baseline: Option<f64>,
    /// The baseline year.
    pub baseline_year: i16,
    /// Lower end of the target.
    pub target_low: f64,
    /// Upper end of the target.
    pub target_high: f64,
    /// The target year.
    pub target_year: i16,
    /// How the indicator stands now by that plan.
    pub status: words::IndicatorStatus,
}

/// The city's plans, and which of them holds today.
#[utoipa::path(get, path = "/api/v1/plans", tag = "plan", security(("session" = ["indicator.read"])),
    responses((status = 200, body = Plans)))]
pub async fn list(State(app): State<App>) -> Json<Plans> {
    let (plans, day) = (app.plan.plans(), app.plan.day(app.now()));
    let chosen = pack::plans::on(&plans, day).map(|plan| plan.plan.id.as_str());
    let item = |plan: &CityPlan| PlanItem {
        id: plan.plan.id.clone(),
        title_zh: plan.plan.title_zh.clone(),
        title_en: plan.plan.title_en.clone(),
        period: plan.plan.period,
        phase: plan.plan.phase(day).into(),
        chosen: chosen == Some(plan.plan.id.as_str()),
        pack: plan.pack.clone(),
        indicators: plan.goals.len(),
    };
    Json(Plans {
        day: day.to_string(),
        items: plans.iter().map(item).collect(),
    })
}

/// The plan of that id, or the one that holds today; `None` where there is no plan and none is asked for.
///
/// # Errors
/// `plan-unknown` with the plans that there are.
pub(crate) fn chosen<'a>(
    app: &App,
    plans: &'a [CityPlan],
    asked: Option<&str>,
) -> Answer<Option<&'a CityPlan>> {
    let Some(id) = asked else {
        return Ok(pack::plans::on(plans, app.plan.day(app.now())));
    };
    let found = plans.iter().find(|plan| plan.plan.id == id);
    found.map(Some).ok_or_else(|| unknown(plans, id))
}

fn unknown(plans: &[CityPlan], id: &str) -> ApiError {
    let ids: Vec<&str> = plans.iter().map(|plan| plan.plan.id.as_str()).collect();
    let ids = ids.join(", ");
    ApiError::told(
        StatusCode::NOT_FOUND,
        Told::new(
            "plan-unknown",
            both(
                format!("没有规划“{}”", quote(id)),
                format!("there is no plan \"{}\"", quote(id)),
            ),
            both("规划（plan）", "plan"),
            both(
                format!("现有：{ids}；不写就是今天适用的规划"),
                format!("there are: {ids}; leave it out for the one that holds today"),
            ),
        ),
    )
}

/// An indicator as a plan wants it, with that plan: the one asked for; else the one that holds today, else the newest that has it, else of
/// none as its own file says.
///
/// # Errors
/// `plan-unknown`; 404 when there is no such indicator, or the plan that is asked for does not have it.
pub(crate) fn goal<'a>(
    app: &App,
    plans: &'a [CityPlan],
    id: &str,
    asked: Option<&str>,
) -> Answer<(Arc<Definition>, Option<&'a CityPlan>)> {
    let missing = || ApiError::not_found("indicator", quote(id));
    let holding = chosen(app, plans, asked)?.filter(|plan| plan.goal(id).is_some());
    if asked.is_some() && holding.is_none() {
        return Err(missing());
    }
    let newest = || plans.iter().rev().find(|plan| plan.goal(id).is_some());
    let plan = holding.or_else(newest);
    let goal = plan.and_then(|plan| plan.goal(id)).cloned();
    let goal = goal.or_else(|| app.plan.definition(id));
    Ok((goal.ok_or_else(missing)?, plan))
}

/// What the plans beside `plan` want of an indicator.
pub(crate) fn others(
    app: &App,
    plans: &[CityPlan],
    id: &str,
    plan: Option<&CityPlan>,
) -> Vec<PlanOfIndicator> {
    let shown = plan.map(|plan| plan.plan.id.as_str());
    let others = plans.iter().filter(|p| Some(p.plan.id.as_str()) != shown);
    let of = |p: &CityPlan| {
        let d = p.goal(id)?;
        Some(PlanOfIndicator {
            plan: p.plan.id.clone(),
            title_zh: p.plan.title_zh.clone(),
            title_en: p.plan.title_en.clone(),
            period: p.plan.period,
            baseline: d.baseline,
            baseline_year: d.baseline_year,
            target_low: d.target.low,
            target_high: d.target.high,
            target_year: d.target_year,
            status: app.status_of(d).into(),
        })
    };
    others.filter_map(of).collect()
}
