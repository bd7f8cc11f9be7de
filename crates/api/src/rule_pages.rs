//! Rules in force, the inbox of those that fail, and maintenance windows.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::sight::Seeing;
use crate::words::Severity;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use model::{EntityId, Problem, Timestamp};
use pack::Packs;
use records::maintenance_windows::MaintenanceWindow;
use records::rule_failures::RuleFailure;
use records::{Event, PageRequest, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};

/// Longest reason of a maintenance window, in characters.
const REASON_CHARS_MAX: usize = 500;
/// Longest maintenance window, in days.
const WINDOW_DAYS_MAX: i64 = 366;
/// Most windows that are not over.
const WINDOWS_MAX: i64 = 10_000;

/// A rule in force.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rule)]
pub struct RuleBody {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// The pack that declares it.
    pub pack: String,
    /// `threshold`, `rate`, `silence`, `out_of_range`, `geofence`, `count`, `expression`, `forecast` or `deviation`.
    pub kind: String,
    /// The alert's title in Chinese, with its places for values.
    pub title_zh: String,
    /// The alert's title in English.
    pub title_en: String,
    /// The entity type watched.
    pub entity_type: String,
    /// The attribute watched.
    pub attribute: Option<String>,
    /// How grave its alerts are.
    #[schema(value_type = Severity)]
    pub severity: String,
    /// The calendar in whose working time it is at work; null: always, or by hours alone.
    pub calendar: Option<String>,
    /// The hours in which it is at work.
    pub hours: Vec<String>,
    /// The rules whose alerts hold its own back.
    pub suppressed_by: Vec<String>,
    /// Alerts that are active.
    pub open_alerts: i64,
    /// Entities on which it fails.
    pub failing: i64,
    /// The rule whole, as JSON.
    pub declared: serde_json::Value,
    /// The rule whole, as TOML.
    pub text: String,
}

/// The rules in force.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RulesInForce)]
pub struct RulesBody {
    /// The rules, by pack and id.
    pub items: Vec<RuleBody>,
}

/// Every rule in force.
#[utoipa::path(get, path = "/api/v1/rules", tag = "rules", security(("session" = ["alert.read"])),
    responses((status = 200, body = RulesBody)))]
pub async fn list(State(app): State<App>) -> Answer<Json<RulesBody>> {
    let mut connection = app.records.read().await?;
    let open: HashMap<String, i64> = records::alerts::active_by_rule(&mut connection)
        .await?
        .into_iter()
        .collect();
    let failing: HashMap<String, i64> = records::rule_failures::open_by_rule(&mut connection)
        .await?
        .into_iter()
        .collect();
    drop(connection);
    let packs = app.packs.now();
    let mut items: Vec<RuleBody> = packs
        .rules
        .iter()
        .map(|rule| rule_body(rule, &open, &failing))
        .collect();
    items.sort_by(|a, b| (&a.pack, &a.id).cmp(&(&b.pack, &b.id)));
    Ok(Json(RulesBody { items }))
}

fn rule_body(
    rule: &rules::Rule,
    open: &HashMap<String, i64>,
    failing: &HashMap<String, i64>,
) -> RuleBody {
    let (calendar, hours) = match &rule.during {
        None => (None, Vec::new()),
        Some(rules::During::Calendar(name)) => (Some(name.clone()), Vec::new()),
        Some(rules::During::Hours(both)) => (
            both.calendar.clone(),
            both.hours.clone().unwrap_or_default(),
        ),
    };
    RuleBody {
        id: rule.id.clone(),
        version: rule.version,
        pack: rule.file.split('/').next().unwrap_or_default().to_owned(),
        kind: rule.kind.as_str().to_owned(),
        title_zh: rule.title_zh.clone(),
        title_en: rule.title_en.clone(),
        entity_type: rule.entity_type.clone(),
        attribute: rule.attribute.clone(),
        severity: rule.severity.as_str().to_owned(),
        calendar,
        hours,
        suppressed_by: rule
            .suppressed_by
            .iter()
            .map(|by| by.rule().to_owned())
            .collect(),
        open_alerts: open.get(&rule.id).copied().unwrap_or(0),
        failing: failing.get(&rule.id).copied().unwrap_or(0),
        declared: json!(rule),
        text: toml::to_string(rule).unwrap_or_default(),
    }
}

/// A rule that could not be judged on an entity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleFailure)]
pub struct RuleFailureBody {
    /// Its number.
    pub id: i64,
    /// The rule.
    pub rule_id: String,
    /// Its version when it failed last.
    pub rule_version: i64,
    /// The entity.
    pub entity_id: String,
    /// Its type.
    pub entity_type: String,
    /// Short stable code.
    pub code: String,
    /// What happened last.
    pub what: String,
    /// When it happened first.
    pub first_at: String,
    /// When it happened last.
    pub last_at: String,
    /// Journal position of the message that it happened on last.
    pub position: i64,
    /// How often.
    pub count: i64,
    /// When somebody dismissed it.
    pub dismissed_at: Option<String>,
    /// Who.
    pub dismissed_by: Option<String>,
}

impl From<RuleFailure> for RuleFailureBody {
    fn from(row: RuleFailure) -> Self {
        Self {
            id: row.id,
            rule_id: row.rule_id,
            rule_version: row.rule_version,
            entity_id: row.entity_id,
            entity_type: row.entity_type,
            code: row.code,
            what: row.what,
            first_at: row.first_at.to_string(),
            last_at: row.last_at.to_string(),
            position: row.last_position,
            count: row.count,
            dismissed_at: row.dismissed_at.map(|at| at.to_string()),
            dismissed_by: row.dismissed_by,
        }
    }
}

/// A page of failures.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleFailures {
    /// The failures, newest first.
    pub items: Vec<RuleFailureBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which failures.
#[derive(Debug, Deserialize, IntoParams)]
pub struct RuleFailuresQuery {
    /// Those that were dismissed too.
    #[serde(default)]
    pub dismissed: bool,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// The inbox of rules that fail.
#[utoipa::path(get, path = "/api/v1/rules/failures", tag = "rules", security(("session" = ["alert.read"])), params(RuleFailuresQuery),
    responses((status = 200, body = RuleFailures), (status = 400, body = ProblemBody)))]
pub async fn failures(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Query(query): Query<RuleFailuresQuery>,
) -> Answer<Json<RuleFailures>> {
    let page = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let mut connection = app.records.read().await?;
    let page = records::rule_failures::list(&mut connection, query.dismissed, &page).await?;
    let next = page.next.clone();
    let packs = app.packs.now();
    let items = page
        .items
        .into_iter()
        .filter(|row| {
            sight.sees_series(
                &row.entity_id,
                &row.entity_type,
                watched(&packs, &row.rule_id),
            )
        })
        .map(RuleFailureBody::from);
    Ok(Json(RuleFailures {
        items: items.collect(),
        next,
    }))
}

/// The attribute that a rule watches; empty when it has none.
fn watched<'a>(packs: &'a Packs, rule_id: &str) -> &'a str {
    let rule = packs.rules.iter().find(|rule| rule.id == rule_id);
    rule.and_then(|rule| rule.attribute.as_deref())
        .unwrap_or_default()
}

/// Dismisses a failure; it comes back when it happens again.
#[utoipa::path(post, path = "/api/v1/rules/failures/{id}/dismiss", tag = "rules", security(("session" = ["rule.manage"])),
    params(("id" = i64, Path)), responses((status = 200, body = RuleFailureBody), (status = 404, body = ProblemBody)))]
pub async fn dismiss(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<Json<RuleFailureBody>> {
    let actor = peer.actor(&caller);
    let mut write = app.records.write().await?;
    let missing = || ApiError::not_found("failure", id);
    let row = records::rule_failures::get(&mut write, id)
        .await?
        .ok_or_else(missing)?;
    let packs = app.packs.now();
    if !sight.sees_series(
        &row.entity_id,
        &row.entity_type,
        watched(&packs, &row.rule_id),
    ) {
        return Err(missing());
    }
    let Some(row) = records::rule_failures::dismiss(&mut write, id, &actor.name, app.now()).await?
    else {
        // Somebody else was faster.
        return Ok(Json(row.into()));
    };
    let target = format!("rule:{}", row.rule_id);
    let detail = json!({"entity_id": row.entity_id, "code": row.code, "count": row.count});
    audit::insert(
        &mut write,
        app.now(),
        &actor,
        Event::RuleFailureDismiss,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(Json(row.into()))
}

/// A maintenance window (检修窗口).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MaintenanceWindow)]
pub struct MaintenanceBody {
    /// Its number.
    pub id: i64,
    /// Only this rule.
    pub rule_id: Option<String>,
    /// Only this entity.
    pub entity_id: Option<String>,
    /// Only entities of this type.
    pub entity_type: Option<String>,
    /// From when.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: String,
    /// Who ended it early.
    pub ended_by: Option<String>,
    /// When.
    pub ended_at: Option<String>,
    /// Whether alerts are held back by it now.
    pub is_on: bool,
}

fn maintenance_body(row: MaintenanceWindow, now: Timestamp) -> MaintenanceBody {
    MaintenanceBody {
        is_on: row.ended_at.is_none() && row.from_at <= now && now < row.until_at,
        id: row.id,
        rule_id: row.rule_id,
        entity_id: row.entity_id,
        entity_type: row.entity_type,
        from: row.from_at.to_string(),
        until: row.until_at.to_string(),
        reason: row.reason,
        made_by: row.made_by,
        made_at: row.made_at.to_string(),
        ended_by: row.ended_by,
        ended_at: row.ended_at.map(|at| at.to_string()),
    }
}

/// A page of maintenance windows.
#[derive(Debug, Serialize, ToSchema)]
pub struct MaintenanceWindows {
    /// The windows, newest first.
    pub items: Vec<MaintenanceBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
pub struct MaintenanceQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// Maintenance windows, those that are over too.
#[utoipa::path(get, path = "/api/v1/rules/maintenance", tag = "rules", security(("session" = ["alert.read"])), params(MaintenanceQuery),
    responses((status = 200, body = MaintenanceWindows), (status = 400, body = ProblemBody)))]
pub async fn maintenance(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Query(query): Query<MaintenanceQuery>,
) -> Answer<Json<MaintenanceWindows>> {
    let page = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let now = app.now();
    let mut connection = app.records.read().await?;
    let page = records::maintenance_windows::list(&mut connection, &page).await?;
    let next = page.next.clone();
    let is_seen = |row: &MaintenanceWindow| {
        let Some(id) = &row.entity_id else {
            return true;
        };
        let entity = EntityId::new(id).ok().and_then(|id| app.twin.get(&id));
        entity.is_none_or(|entity| sight.sees(&entity))
    };
    let items = page.items.into_iter().filter(is_seen);
    Ok(Json(MaintenanceWindows {
        items: items.map(|row| maintenance_body(row, now)).collect(),
        next,
    }))
}

/// A maintenance window that is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = MaintenanceDraft)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceRequest {
    /// Only this rule.
    #[serde(default)]
    pub rule_id: Option<String>,
    /// Only this entity.
    #[serde(default)]
    pub entity_id: Option<String>,
    /// Only entities of this type.
    #[serde(default)]
    pub entity_type: Option<String>,
    /// From when (RFC 3339); now when not said.
    #[serde(default)]
    pub from: Option<String>,
    /// Until when (RFC 3339).
    pub until: String,
    /// Why, at most 500 characters.
    pub reason: String,
}

fn checked(
    app: &App,
    sight: &crate::sight::Sight,
    request: &MaintenanceRequest,
) -> Result<(), Problem> {
    if request.rule_id.is_none() && request.entity_id.is_none() && request.entity_type.is_none() {
        return Err(Problem::new(
            "maintenance-all",
            "the window names neither a rule nor an entity nor a type: every alert of the city would be held back",
            "entity_id",
            "name at least one of them",
        ));
    }
    if let Some(id) = &request.rule_id
        && app.packs.now().rules.iter().all(|rule| rule.id != *id)
    {
        return Err(Problem::new(
            "rule-unknown",
            format!("there is no rule {}", model::problem::quote(id)),
            "rule_id",
            "name a rule that is in force",
        ));
    }
    if let Some(kind) = &request.entity_type
        && !app.ingest.catalogue().kinds.contains_key(kind)
    {
        return Err(Problem::new(
            "rule-unknown-type",
            format!(
                "no pack declares the entity type {}",
                model::problem::quote(kind)
            ),
            "entity_type",
            "name a declared type",
        ));
    }
    if let Some(id) = &request.entity_id {
        let id = EntityId::new(id)?;
        let known = app.twin.get(&id).filter(|entity| sight.sees(entity));
        if known.is_none() {
            return Err(Problem::new(
                "entity-unknown",
                format!("there is no entity {id}"),
                "entity_id",
                "name an entity that the city knows",
            ));
        }
    }
    let chars = request.reason.trim().chars().count();
    if !(1..=REASON_CHARS_MAX).contains(&chars) {
        return Err(Problem::new(
            "maintenance-reason",
            format!("the reason has {chars} characters"),
            "reason",
            format!("write why, in 1 to {REASON_CHARS_MAX} characters"),
        ));
    }
    Ok(())
}

/// Makes a maintenance window: alerts that it covers are not raised in it; those whose condition still holds at its end are raised then.
#[utoipa::path(post, path = "/api/v1/rules/maintenance", tag = "rules", security(("session" = ["rule.manage"])), request_body = MaintenanceRequest,
    responses((status = 201, body = MaintenanceBody), (status = 400, body = ProblemBody)))]
pub async fn add_maintenance(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Json(request): Json<MaintenanceRequest>,
) -> Answer<(StatusCode, Json<MaintenanceBody>)> {
    checked(&app, &sight, &request).map_err(ApiError::invalid)?;
    let now = app.now();
    let from = match &request.from {
        Some(text) => Timestamp::parse(text).map_err(ApiError::invalid)?,
        None => now,
    };
    let until = Timestamp::parse(&request.until).map_err(ApiError::invalid)?;
    let days = until.micros_since(from) / 86_400_000_000;
    if until <= from || until <= now || days > WINDOW_DAYS_MAX {
        return Err(ApiError::invalid(Problem::new(
            "maintenance-period",
            format!("from {from} until {until} is no window"),
            "until",
            format!("let it end after it begins, after now, and within {WINDOW_DAYS_MAX} days"),
        )));
    }
    let actor = peer.actor(&caller);
    let new = MaintenanceWindow {
        id: 0,
        rule_id: request.rule_id,
        entity_id: request.entity_id,
        entity_type: request.entity_type,
        from_at: from,
        until_at: until,
        reason: request.reason.trim().to_owned(),
        made_by: actor.name.clone(),
        made_at: now,
        ended_by: None,
        ended_at: None,
    };
    let mut write = app.records.write().await?;
    if records::maintenance_windows::count_open(&mut write, now).await? >= WINDOWS_MAX {
        return Err(ApiError::invalid(Problem::new(
            "maintenance-many",
            format!("{WINDOWS_MAX} windows are not over"),
            "maintenance",
            "end some of them",
        )));
    }
    let row = records::maintenance_windows::insert(&mut write, &new).await?;
    let detail = json!({
        "rule_id": row.rule_id,
        "entity_id": row.entity_id,
        "entity_type": row.entity_type,
        "from": from.to_string(),
        "until": until.to_string(),
        "reason": row.reason,
    });
    let target = format!("maintenance:{}", row.id);
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::MaintenanceAdd,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(maintenance_body(row, now))))
}

/// Ends a maintenance window now.
#[utoipa::path(post, path = "/api/v1/rules/maintenance/{id}/end", tag = "rules", security(("session" = ["rule.manage"])),
    params(("id" = i64, Path)), responses((status = 200, body = MaintenanceBody), (status = 404, body = ProblemBody)))]
pub async fn end_maintenance(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<Json<MaintenanceBody>> {
    let now = app.now();
    let actor = peer.actor(&caller);
    let mut write = app.records.write().await?;
    let missing = || ApiError::not_found("maintenance window", id);
    let before = records::maintenance_windows::get(&mut write, id)
        .await?
        .ok_or_else(missing)?;
    let Some(row) = records::maintenance_windows::end(&mut write, id, &actor.name, now).await?
    else {
        return Ok(Json(maintenance_body(before, now)));
    };
    let target = format!("maintenance:{id}");
    let detail = json!({"until": row.until_at.to_string()});
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::MaintenanceEnd,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(Json(maintenance_body(row, now)))
}
