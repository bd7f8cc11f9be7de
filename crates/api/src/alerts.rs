//! Alerts: what rules found, until it is over.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::description::Place;
use crate::error::{Answer, ApiError};
use crate::sight::Seeing;
use crate::words::Severity;
use axum::Json;
use axum::extract::{Path, Query, State};
use notice::Doubting;
use records::{PageRequest, alerts::Alert, alerts::AlertFilter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// An alert (告警).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Alert)]
pub struct AlertBody {
    /// Its number.
    pub id: i64,
    /// The rule that raised it.
    pub rule_id: String,
    /// That rule's version.
    pub rule_version: i64,
    /// The entity.
    pub entity_id: String,
    /// The entity's name.
    pub entity_name: Option<String>,
    /// The entity's name in English, when it has one.
    pub entity_name_en: Option<String>,
    /// The entity's type.
    pub entity_type: String,
    /// The attribute judged.
    pub attribute: String,
    /// Its value then.
    pub value: Option<f64>,
    /// The value's unit, a common code.
    pub unit: Option<String>,
    /// What it was compared with.
    pub threshold: Option<f64>,
    /// How grave it is.
    #[schema(value_type = Severity)]
    pub severity: String,
    /// What happened, in Chinese.
    pub title_zh: String,
    /// What happened, in English.
    pub title_en: String,
    /// The doubt that arose about it after it was raised and that is there now. Looked for in the list of alerts, and when note is taken
    /// of one; null elsewhere.
    pub doubt: Option<AlertDoubt>,
    /// When it was raised.
    pub raised_at: String,
    /// When it was over.
    pub cleared_at: Option<String>,
    /// When somebody took note.
    pub acknowledged_at: Option<String>,
    /// Who took note.
    pub acknowledged_by: Option<String>,
    /// The case opened for it.
    pub case_id: Option<i64>,
    /// The values that decided.
    pub decided: Vec<crate::back_tests::DecidedValue>,
    /// The journal position of the message that raised it.
    pub position: i64,
    /// What the person on duty does, in Chinese (Markdown).
    pub runbook_zh: Option<String>,
    /// What the person on duty does, in English (Markdown).
    pub runbook_en: Option<String>,
    /// Longitude and latitude, WGS 84 degrees.
    #[schema(value_type = Option<Place>)]
    pub location: Option<[f64; 2]>,
}

/// A doubt about an alert.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AlertDoubt {
    /// What is doubted, in Chinese.
    pub zh: String,
    /// What is doubted, in English.
    pub en: String,
    /// Since when.
    pub since: String,
}

impl From<notice::Doubt> for AlertDoubt {
    fn from(doubt: notice::Doubt) -> Self {
        Self {
            zh: doubt.zh,
            en: doubt.en,
            since: doubt.since.to_string(),
        }
    }
}

/// A page of alerts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alerts {
    /// The alerts, newest first.
    pub items: Vec<AlertBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
pub struct AlertsQuery {
    /// `active` or `cleared`; both when not said.
    pub state: Option<String>,
    /// info, minor, major or critical.
    pub severity: Option<String>,
    /// Of this entity.
    pub entity_id: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

impl App {
    /// An alert as the API gives it, with its entity's name and place and its rule's runbook.
    pub fn alert_body(&self, alert: Alert) -> AlertBody {
        let entity = model::EntityId::new(&alert.entity_id)
            .ok()
            .and_then(|id| self.twin.get(&id));
        let name = alert
            .entity_name
            .or_else(|| entity.as_ref().and_then(crate::entities::name_of));
        let name_en = entity
            .as_ref()
            .and_then(|e| crate::entities::text_of(e, "nameEn"));
        let location = alert
            .lon
            .zip(alert.lat)
            .map(|(lon, lat)| [lon, lat])
            .or_else(|| entity.and_then(|e| e.location()));
        let (runbook_zh, runbook_en) = self.runbook(&alert.rule_id);
        AlertBody {
            id: alert.id,
            rule_id: alert.rule_id,
            rule_version: alert.rule_version,
            entity_id: alert.entity_id,
            entity_name: name,
            entity_name_en: name_en,
            entity_type: alert.entity_type,
            attribute: alert.attribute,
            value: alert.value,
            unit: alert.unit,
            threshold: alert.threshold,
            severity: alert.severity,
            title_zh: alert.title_zh,
            title_en: alert.title_en,
            doubt: None,
            raised_at: alert.raised_at.to_string(),
            cleared_at: alert.cleared_at.map(|t| t.to_string()),
            acknowledged_at: alert.acknowledged_at.map(|t| t.to_string()),
            acknowledged_by: alert.acknowledged_by,
            case_id: alert.case_id,
            decided: serde_json::from_value(alert.decided).unwrap_or_default(),
            position: alert.raised_position,
            runbook_zh,
            runbook_en,
            location,
        }
    }

    /// What a rule says of doubt about its alerts.
    pub fn doubting(&self, alert_rule: &str) -> Option<Doubting> {
        let packs = self.packs.now();
        let rule = packs.rules.iter().find(|rule| rule.id == alert_rule)?;
        let doubted = rule.doubted.as_ref()?;
        Some(Doubting {
            by: doubted.by.clone(),
            zh: doubted.zh.clone(),
            en: doubted.en.clone(),
        })
    }

    /// The doubts that there are about alerts now, by the alert's id.
    async fn doubts(
        &self,
        connection: &mut records::Connection,
        alerts: &[Alert],
    ) -> Result<BTreeMap<i64, AlertDoubt>, records::Failure> {
        let doubted = alerts
            .iter()
            .filter_map(|alert| Some((alert, self.doubting(&alert.rule_id)?)));
        let doubted: Vec<_> = doubted.collect();
        let found = notice::doubt::find(connection, &doubted).await?;
        let bodies = found.into_iter().map(|(id, doubt)| (id, doubt.into()));
        Ok(bodies.collect())
    }

    /// Tells the pages of an alert that changed.
    pub fn tell_alert(&self, alert: Alert) -> AlertBody {
        let body = self.alert_body(alert);
        self.events.tell(
            "alert",
            identity::Permission::AlertRead,
            serde_json::json!(body),
        );
        body
    }
}

/// Alerts, newest first.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", security(("session" = ["alert.read"])), params(AlertsQuery),
    responses((status = 200, body = Alerts), (status = 400, body = crate::error::ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Query(query): Query<AlertsQuery>,
) -> Answer<Json<Alerts>> {
    let active = match query.state.as_deref() {
        None | Some("") => None,
        Some("active") => Some(true),
        Some("cleared") => Some(false),
        Some(other) => {
            let problem = model::Problem::new(
                "alert-state",
                format!(
                    "\"{}\" is no state of an alert",
                    model::problem::quote(other)
                ),
                "state",
                "use active or cleared",
            );
            return Err(ApiError::invalid(problem));
        }
    };
    let filter = AlertFilter {
        active,
        severity: query.severity,
        entity_id: query.entity_id,
    };
    let page = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let mut connection = app.records.read().await?;
    let page = records::alerts::list(&mut connection, &filter, &page).await?;
    let next = page.next.clone();
    let mut alerts = page.items;
    alerts.retain(|a| sight.sees_series(&a.entity_id, &a.entity_type, &a.attribute));
    let mut doubts = app.doubts(&mut connection, &alerts).await?;
    drop(connection);
    let bodies = alerts.into_iter().map(|alert| AlertBody {
        doubt: doubts.remove(&alert.id),
        ..sight.alert(app.alert_body(alert))
    });
    Ok(Json(Alerts {
        items: bodies.collect(),
        next,
    }))
}

/// Notes that the caller has seen the alert.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/acknowledge", tag = "alerts", security(("session" = ["alert.acknowledge"])),
    params(("id" = i64, Path)), responses((status = 200, body = AlertBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn acknowledge(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<i64>,
) -> Answer<Json<AlertBody>> {
    let known = app.cases.alert(id).await?;
    if !sight.sees_series(&known.entity_id, &known.entity_type, &known.attribute) {
        return Err(ApiError::not_found("alert", id));
    }
    let alert = app
        .cases
        .acknowledge(id, &peer.actor(&caller), app.now())
        .await?;
    let mut connection = app.records.read().await?;
    let one = std::slice::from_ref(&alert);
    let doubt = app.doubts(&mut connection, one).await?.remove(&id);
    drop(connection);
    Ok(Json(AlertBody {
        doubt,
        ..sight.alert(app.tell_alert(alert))
    }))
}
