//! Whom an alert affects (受影响的地方): entities that name its entity, from a value of it on, as their type declares (`[affected]`).

use crate::app::App;
use crate::entities::EntityBody;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::personal::Looking;
use crate::sight::Seeing;
use axum::Json;
use axum::extract::{Path, State};
use model::{EntityId, Value};
use records::alerts::Alert;
use serde::Serialize;
use std::collections::BTreeMap;
use twin::{Filter, Relation};
use utoipa::ToSchema;

/// Most entities of one type that are told.
const AFFECTED_MAX: usize = 1_000;

/// An entity that is affected.
#[derive(Debug, Serialize, ToSchema)]
pub struct AffectedEntity {
    /// From which value on.
    pub from: f64,
    /// Whether it is affected at that value already; else it is the next, with `from` above the value.
    pub is_reached: bool,
    /// The entity, as the caller may see it.
    pub entity: EntityBody,
}

/// Those of one type.
#[derive(Debug, Serialize, ToSchema)]
pub struct AffectedOfType {
    /// The type.
    pub entity_type: String,
    /// Its title in Chinese.
    pub title_zh: String,
    /// Its title in English.
    pub title_en: String,
    /// The value that counts: the alert's, or the entity's own of now where that is higher.
    pub value: Option<f64>,
    /// UN/CEFACT code of the value's unit.
    pub unit: Option<String>,
    /// The attributes that are added up, over those who are reached.
    pub sums: BTreeMap<String, f64>,
    /// The entities, the first to be affected first.
    pub items: Vec<AffectedEntity>,
}

/// Whom an alert affects. Empty where no type declares that it is affected by the alert's entity.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/affected", tag = "alerts", security(("session" = ["alert.read"])),
    params(("id" = i64, Path)), responses((status = 200, body = Vec<AffectedOfType>), (status = 404, body = ProblemBody)))]
pub async fn affected(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    Path(id): Path<i64>,
) -> Answer<Json<Vec<AffectedOfType>>> {
    let alert = app.cases.alert(id).await?;
    if !sight.sees_series(&alert.entity_id, &alert.entity_type, &alert.attribute) {
        return Err(ApiError::not_found("alert", id));
    }
    let target = EntityId::new(&alert.entity_id).map_err(ApiError::invalid)?;
    let catalogue = app.ingest.catalogue();
    let mut told = Vec::new();
    for kind in catalogue.kinds.values() {
        let Some(affected) = &kind.affected else {
            continue;
        };
        let page = app.twin.query(&Filter {
            types: vec![kind.name.clone()],
            relation: Some(Relation {
                target: target.clone(),
                through: Some(affected.relation.clone()),
            }),
            limit: AFFECTED_MAX,
            ..Filter::default()
        });
        if page.items.is_empty() {
            continue;
        }
        let value = level(&app, &alert, &target, &affected.attribute);
        let mut items: Vec<AffectedEntity> = Vec::with_capacity(page.items.len());
        for entity in page.items {
            let from = number(&entity, &affected.from);
            let (Some(from), Some(body)) = (from, sight.body(entity, &look)) else {
                continue;
            };
            // Whoever may not see from when on it is in danger is not told by the order either.
            if body.attributes.contains_key(&affected.from) {
                items.push(AffectedEntity {
                    from,
                    is_reached: value.is_some_and(|value| value >= from),
                    entity: body,
                });
            }
        }
        items.sort_by(|a, b| {
            a.from
                .total_cmp(&b.from)
                .then_with(|| a.entity.id.cmp(&b.entity.id))
        });
        let reached = || items.iter().filter(|item| item.is_reached);
        let sum = |name: &String| {
            let of = reached().filter_map(|item| item.entity.attributes.get(name)?.value.as_f64());
            (name.clone(), of.sum())
        };
        let declared = catalogue.attribute(&alert.entity_type, &affected.attribute);
        told.push(AffectedOfType {
            entity_type: kind.name.clone(),
            title_zh: kind.title_zh.clone(),
            title_en: kind.title_en.clone(),
            value,
            unit: declared.and_then(|declared| declared.unit.clone()),
            sums: affected.sums.iter().map(sum).collect(),
            items,
        });
    }
    look.tell(&app.records, app.now(), "affected").await?;
    Ok(Json(told))
}

/// The value that counts: what the alert was raised for, where it was raised for a value of that attribute (a rate of change is
/// none), or the attribute's value now, while the alert is up and the value higher.
fn level(app: &App, alert: &Alert, target: &EntityId, attribute: &str) -> Option<f64> {
    let packs = app.packs.now();
    let rule = packs.rules.iter().find(|rule| rule.id == alert.rule_id);
    let is_value = rule.is_some_and(|rule| {
        matches!(rule.kind, rules::Kind::Threshold | rules::Kind::Forecast)
            && rule.attribute.as_deref() == Some(attribute)
    });
    let raised = alert.value.filter(|_| is_value);
    if alert.cleared_at.is_some() {
        return raised;
    }
    let now = app.twin.get(target);
    let now = now.and_then(|entity| number(&entity, attribute));
    match (raised, now) {
        (Some(raised), Some(now)) => Some(raised.max(now)),
        (raised, now) => raised.or(now),
    }
}

fn number(entity: &twin::Entity, attribute: &str) -> Option<f64> {
    match entity.attribute(attribute)?.value.to_value() {
        Value::Number(number) => Some(number),
        _ => None,
    }
}
