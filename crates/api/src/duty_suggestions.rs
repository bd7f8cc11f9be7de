//! Response plans that what is happening suggests (建议启动的预案): which, why, for which alerts. Nothing is started here: a person
//! starts a plan, and a person ends it.

use crate::access::Caller;
use crate::affected;
use crate::app::App;
use crate::duty_plans::plan_of;
use crate::error::Answer;
use crate::sight::{Seeing, Sight};
use crate::words::Severity;
use axum::Json;
use axum::extract::State;
use duty::level::{Up, why};
use duty::response::ResponsePlan;
use identity::Permission;
use model::Timestamp;
use notice::Event;
use notice::event::{PLAN_SUGGESTED, rank};
use records::alerts::{self, Alert};
use records::duty_acts::{self, Activation, ActivationFilter};
use records::{Failure, PageRequest};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// Most alerts that are up that are looked at, the newest.
const ALERTS_MAX: u32 = 5_000;
/// Most alerts of one suggestion that are listed; all are counted.
const ALERTS_LISTED: usize = 100;
/// Most plans under way that are looked at.
const UNDER_WAY_MAX: u32 = 500;

/// An alert that a suggestion rests on.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestionAlert {
    /// Its number.
    pub id: i64,
    /// How grave it is.
    #[schema(value_type = Severity)]
    pub severity: String,
    /// What happened, in Chinese.
    pub title_zh: String,
    /// What happened, in English.
    pub title_en: String,
    /// When it was raised.
    pub raised_at: String,
}

/// A plan of the same ladder that is under way at a lower level.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestionUnderWay {
    /// The activation.
    pub activation_id: i64,
    /// The plan's title in Chinese.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
}

/// A response plan that is suggested.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanSuggestion {
    /// The plan.
    pub plan_id: String,
    /// Its title in Chinese.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
    /// The ladder of its level, where it is one.
    pub ladder: Option<String>,
    /// The level's rank: 1 is the gravest.
    pub rank: Option<u8>,
    /// What the level is called in Chinese.
    pub level_zh: Option<String>,
    /// What it is called in English.
    pub level_en: Option<String>,
    /// The condition that holds, in Chinese.
    pub why_zh: String,
    /// The same in English.
    pub why_en: String,
    /// Of how many entities the alerts are.
    pub entities: usize,
    /// How many places they reach.
    pub places: usize,
    /// How many alerts it rests on.
    pub count: usize,
    /// These alerts, the first first, at most 100.
    pub alerts: Vec<SuggestionAlert>,
    /// What is under way of its ladder at a lower level: whoever starts this one ends those.
    pub lower: Vec<SuggestionUnderWay>,
}

/// The response plans that are suggested now.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanSuggestions {
    /// Of each ladder the gravest level that is suggested, unless it or a graver one is under way; other plans by id.
    pub items: Vec<PlanSuggestion>,
}

struct Found<'a> {
    plan: &'a ResponsePlan,
    why: duty::level::Why<'a>,
    lower: Vec<&'a Activation>,
}

/// The plans that alerts suggest, beside those that are under way in earnest.
fn found<'a>(
    plans: &'a [ResponsePlan],
    up: &[Up],
    under_way: &'a [(Activation, ResponsePlan)],
) -> Vec<Found<'a>> {
    let mut of_ladders: BTreeMap<&str, (&ResponsePlan, duty::level::Why<'_>)> = BTreeMap::new();
    let mut found = Vec::new();
    for plan in plans {
        let Some(why) = why(&plan.suggested, up) else {
            continue;
        };
        match &plan.level {
            None => {
                if under_way.iter().all(|(row, _)| row.plan_id != plan.id) {
                    found.push(Found {
                        plan,
                        why,
                        lower: Vec::new(),
                    });
                }
            }
            Some(level) => {
                let known = of_ladders.get(level.ladder.as_str());
                let known = known.and_then(|(plan, _)| plan.level.as_ref());
                if known.is_none_or(|known| known.rank > level.rank) {
                    of_ladders.insert(&level.ladder, (plan, why));
                }
            }
        }
    }
    for (ladder, (plan, why)) in of_ladders {
        let rank = plan.level.as_ref().map_or(0, |level| level.rank);
        let same = under_way.iter().filter_map(|(row, plan)| {
            let level = plan.level.as_ref()?;
            (level.ladder == ladder).then_some((row, level.rank))
        });
        let (lower, others): (Vec<_>, Vec<_>) = same.partition(|(_, other)| *other > rank);
        if others.is_empty() {
            let lower = lower.into_iter().map(|(row, _)| row).collect();
            found.push(Found { plan, why, lower });
        }
    }
    found.sort_by(|a, b| a.plan.id.cmp(&b.plan.id));
    found
}

/// The alerts that are up and that count for some plan, as far as `sight` goes.
async fn alerts_up(
    app: &App,
    plans: &[ResponsePlan],
    sight: Option<&Sight>,
) -> Result<(Vec<Alert>, Vec<Up>), Failure> {
    let conditions = plans.iter().flat_map(|plan| &plan.suggested);
    let counting: BTreeSet<&String> = conditions.flat_map(|one| &one.alert_rules).collect();
    if counting.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut active = alerts::active(&mut *app.records.read().await?, ALERTS_MAX).await?;
    active.retain(|alert| {
        counting.contains(&alert.rule_id)
            && sight.is_none_or(|sight| {
                sight.sees_series(&alert.entity_id, &alert.entity_type, &alert.attribute)
            })
    });
    let up = active.iter().map(|alert| {
        let mut affected = affected::told(app, alert);
        if let Some(sight) = sight {
            affected::retain_seen(app, sight, &mut affected);
        }
        let places = affected.into_iter().flat_map(|of| of.reached);
        Up {
            id: alert.id,
            rule_id: alert.rule_id.clone(),
            severity: alert.severity.clone(),
            entity_id: alert.entity_id.clone(),
            places: places.map(|place| place.id).collect(),
        }
    });
    let up = up.collect();
    Ok((active, up))
}

/// What is under way in earnest, with the plan as it was when it began.
async fn under_way(app: &App) -> Result<Vec<(Activation, ResponsePlan)>, Failure> {
    let filter = ActivationFilter {
        is_open: Some(true),
        is_drill: Some(false),
        alert_id: None,
    };
    let page = PageRequest {
        after: None,
        limit: Some(UNDER_WAY_MAX),
    };
    let mut read = app.records.read().await?;
    let open = duty_acts::activations(&mut read, &filter, &page).await?;
    let with_plan = open.items.into_iter().map(|row| {
        let plan = plan_of(&row);
        (row, plan)
    });
    Ok(with_plan.collect())
}

/// The response plans that the alerts which are up suggest, each with why. None is started by that.
#[utoipa::path(get, path = "/api/v1/duty/suggestions", tag = "duty", security(("session" = ["duty.read"])),
    responses((status = 200, body = PlanSuggestions)))]
pub async fn suggestions(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
) -> Answer<Json<PlanSuggestions>> {
    // Whoever reads no alerts is not told of them this way.
    if !caller.may(Permission::AlertRead) {
        return Ok(Json(PlanSuggestions { items: Vec::new() }));
    }
    let packs = app.packs.now();
    let (active, up) = alerts_up(&app, &packs.responses, Some(&sight)).await?;
    let under_way = under_way(&app).await?;
    let found = found(&packs.responses, &up, &under_way);
    let items = found.into_iter().map(|Found { plan, why, lower }| {
        let level = plan.level.as_ref();
        let alerts = why.alerts.iter().take(ALERTS_LISTED);
        let alerts = alerts.filter_map(|id| active.iter().find(|alert| alert.id == *id));
        let lower = lower.into_iter().map(|row| {
            let plan = plan_of(row);
            SuggestionUnderWay {
                activation_id: row.id,
                title_zh: plan.title_zh,
                title_en: plan.title_en,
            }
        });
        PlanSuggestion {
            plan_id: plan.id.clone(),
            title_zh: plan.title_zh.clone(),
            title_en: plan.title_en.clone(),
            ladder: level.map(|level| level.ladder.clone()),
            rank: level.map(|level| level.rank),
            level_zh: level.map(|level| level.title_zh.clone()),
            level_en: level.map(|level| level.title_en.clone()),
            why_zh: why.condition.zh.clone(),
            why_en: why.condition.en.clone(),
            entities: why.entities,
            places: why.places,
            count: why.alerts.len(),
            alerts: alerts.map(alert_of).collect(),
            lower: lower.collect(),
        }
    });
    Ok(Json(PlanSuggestions {
        items: items.collect(),
    }))
}

fn alert_of(alert: &Alert) -> SuggestionAlert {
    SuggestionAlert {
        id: alert.id,
        severity: alert.severity.clone(),
        title_zh: alert.title_zh.clone(),
        title_en: alert.title_en.clone(),
        raised_at: alert.raised_at.to_string(),
    }
}

/// The same as events of notice rules, over all alerts. The key stays the same while the first of the alerts is up.
///
/// # Errors
/// The records' own.
pub async fn events(app: &App, now: Timestamp) -> Result<Vec<Event>, Failure> {
    let packs = app.packs.now();
    let (active, up) = alerts_up(app, &packs.responses, None).await?;
    if up.is_empty() {
        return Ok(Vec::new());
    }
    let under_way = under_way(app).await?;
    let found = found(&packs.responses, &up, &under_way);
    let events = found.into_iter().map(|Found { plan, why, .. }| {
        let of = active.iter().filter(|alert| why.alerts.contains(&alert.id));
        let severity = of.max_by_key(|alert| rank(&alert.severity));
        Event {
            key: format!(
                "plan-suggested:{}:{}",
                plan.id,
                why.alerts.first().copied().unwrap_or_default()
            ),
            kind: PLAN_SUGGESTED.to_owned(),
            severity: severity
                .map_or("major", |alert| alert.severity.as_str())
                .to_owned(),
            title_zh: format!("建议启动{}：{}", plan.title_zh, why.condition.zh),
            title_en: format!("Suggested: {}: {}", plan.title_en, why.condition.en),
            at: now,
            ..Event::default()
        }
    });
    Ok(events.collect())
}
