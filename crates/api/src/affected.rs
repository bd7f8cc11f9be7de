//! Whom an alert affects (受影响的地方): entities that name its entity, from a value of it on, as their type declares (`[affected]`);
//! the same as notices name it.

use crate::app::App;
use crate::entities::{EntityBody, name_of, text_of};
use crate::error::{Answer, ApiError, ProblemBody};
use crate::personal::Looking;
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Path, State};
use city::City;
use model::{EntityId, EntityKind, Value, unit};
use notice::affected::{self, Place};
use policy::Access;
use records::alerts::Alert;
use serde::Serialize;
use serde_json::Value as Stored;
use std::collections::BTreeMap;
use twin::{Entity, Filter, Relation};
use utoipa::ToSchema;

/// Most entities of one type that are told.
const AFFECTED_MAX: usize = 1_000;
/// Places to come that a notice carries.
const NEXT_KEPT: usize = 3;

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
    /// Which of these sums may count people twice, and are the most that there can be: places that are reached have a division in common,
    /// or of one of them the divisions are not known.
    pub at_most: Vec<String>,
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
    let catalogue = app.ingest.catalogue();
    let mut told = Vec::new();
    for found in find(&app, &alert) {
        let Found { kind, value, .. } = found;
        let Some(affected) = &kind.affected else {
            continue;
        };
        let mut items: Vec<AffectedEntity> = Vec::with_capacity(found.entities.len());
        for (from, entity) in found.entities {
            let Some(body) = sight.body(entity, &look) else {
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
        let amount =
            |item: &AffectedEntity, name: &String| item.entity.attributes.get(name)?.value.as_f64();
        let reached = || items.iter().filter(|item| item.is_reached);
        let sum = |name: &String| {
            let of = reached().filter_map(|item| amount(item, name));
            (name.clone(), of.sum())
        };
        // Which of its divisions are hidden from the caller, they are not told by the sum either.
        let codes_shown = |item: &AffectedEntity| {
            let entity = &item.entity;
            let is_hidden =
                |name: &String| sight.of_series(&entity.id, &kind.name, name) != Access::Shown;
            if affected.divisions.iter().any(is_hidden) {
                return Vec::new();
            }
            let names = affected.divisions.iter();
            codes(names.filter_map(|name| Some(&entity.attributes.get(name)?.value)))
        };
        let may_overlap = |name: &&String| {
            let counted = reached().filter(|item| amount(item, name).is_some());
            let codes: Vec<Vec<String>> = counted.map(codes_shown).collect();
            affected::may_overlap(codes.iter().map(Vec::as_slice))
        };
        let declared = affected
            .attribute
            .of(&alert.entity_type)
            .and_then(|name| catalogue.attribute(&alert.entity_type, name));
        told.push(AffectedOfType {
            entity_type: kind.name.clone(),
            title_zh: kind.title_zh.clone(),
            title_en: kind.title_en.clone(),
            value,
            unit: declared.and_then(|declared| declared.unit.clone()),
            sums: affected.sums.iter().map(sum).collect(),
            at_most: affected.sums.iter().filter(may_overlap).cloned().collect(),
            items,
        });
    }
    look.tell(&app.records, app.now(), "affected").await?;
    Ok(Json(told))
}

/// Those of one type that name an alert's entity, the first to be affected first.
struct Found {
    kind: EntityKind,
    /// The value that counts.
    value: Option<f64>,
    /// From which value on each is affected, and the entity, all of it.
    entities: Vec<(f64, Entity)>,
}

fn find(app: &App, alert: &Alert) -> Vec<Found> {
    let Ok(target) = EntityId::new(&alert.entity_id) else {
        return Vec::new();
    };
    let catalogue = app.ingest.catalogue();
    let mut found = Vec::new();
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
        let of = |entity: Entity| Some((number(&entity, &affected.from)?, entity));
        let mut entities: Vec<(f64, Entity)> = page.items.into_iter().filter_map(of).collect();
        entities.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.id.cmp(&b.1.id)));
        found.push(Found {
            value: affected
                .attribute
                .of(&alert.entity_type)
                .and_then(|attribute| level(app, alert, &target, attribute)),
            kind: kind.clone(),
            entities,
        });
    }
    found
}

/// The same as notices name it: all of it, whoever is told. What is not reached and does not come next is left out.
pub fn told(app: &App, alert: &Alert) -> Vec<affected::Affected> {
    let catalogue = app.ingest.catalogue();
    let mut told = Vec::new();
    for found in find(app, alert) {
        let Found {
            kind,
            value: Some(value),
            entities,
        } = found
        else {
            continue;
        };
        let Some(declared) = &kind.affected else {
            continue;
        };
        let Some(attribute) = declared.attribute.of(&alert.entity_type) else {
            continue;
        };
        let is_reached = |(from, _): &(f64, Entity)| value >= *from;
        let (reached, next): (Vec<_>, Vec<_>) = entities.into_iter().partition(is_reached);
        let place = |(from, entity): (f64, Entity)| place(&app.city, &kind, from, &entity);
        let unit = catalogue
            .attribute(&alert.entity_type, attribute)
            .and_then(|attribute| attribute.unit.as_deref())
            .and_then(unit::find)
            .and_then(|unit| unit.symbols.first());
        let sums = declared.sums.iter().map(|name| {
            let attribute = kind.attributes.get(name);
            let title = |of: fn(&model::AttributeKind) -> &String| {
                attribute.map_or_else(|| name.clone(), |attribute| of(attribute).clone())
            };
            affected::Sum {
                attribute: name.clone(),
                title_zh: title(|attribute| &attribute.title_zh),
                title_en: title(|attribute| &attribute.title_en),
            }
        });
        // Measured is what the entity itself says; above that it is the forecast's.
        let measured = EntityId::new(&alert.entity_id)
            .ok()
            .and_then(|id| app.twin.get(&id))
            .and_then(|entity| number(&entity, attribute));
        let highest = reached.last().map(|(from, _)| *from);
        let foretold = highest.is_some_and(|from| measured.is_none_or(|now| now < from));
        if reached.is_empty() && next.is_empty() {
            continue;
        }
        told.push(affected::Affected {
            entity_type: kind.name.clone(),
            title_zh: kind.title_zh.clone(),
            title_en: kind.title_en.clone(),
            value: Some(value),
            unit: unit.map(|symbol| (*symbol).to_owned()).unwrap_or_default(),
            foretold: foretold && is_forecast(app, alert),
            sums: sums.collect(),
            reached: reached.into_iter().map(place).collect(),
            next: next.into_iter().take(NEXT_KEPT).map(place).collect(),
        });
    }
    told
}

fn place(city: &City, kind: &EntityKind, from: f64, entity: &Entity) -> Place {
    let id = entity.id.to_string();
    let name = name_of(entity).unwrap_or_else(|| id.clone());
    let english = text_of(entity, "nameEn").unwrap_or_else(|| name.clone());
    let declared = kind.affected.as_ref();
    let text = |attribute: Option<&String>| {
        let text = text_of(entity, attribute?)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let named = declared.into_iter().flat_map(|of| &of.divisions);
    let named = named.filter_map(|name| entity.attribute(name));
    let named: Vec<_> = named
        .map(|value| value.value.to_value().to_json())
        .collect();
    let codes = codes(&named);
    Place {
        name_zh: name,
        name_en: english,
        from,
        divisions: codes.iter().map(|code| division(city, code)).collect(),
        codes,
        amounts: declared.map_or_else(Vec::new, |declared| {
            let sums = declared.sums.iter();
            sums.map(|name| number(entity, name)).collect()
        }),
        post: text(declared.and_then(|declared| declared.responsible_post.as_ref())),
        organisation: text(
            declared.and_then(|declared| declared.responsible_organisation.as_ref()),
        ),
        people: Vec::new(),
        id,
    }
}

/// The codes of divisions that values name, each once: a text, or a list of texts; what is neither names nothing.
fn codes<'a>(values: impl IntoIterator<Item = &'a Stored>) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    for value in values {
        let some = value
            .as_array()
            .map_or(std::slice::from_ref(value), Vec::as_slice);
        for code in some.iter().filter_map(Stored::as_str) {
            if !code.is_empty() && !codes.iter().any(|known| known == code) {
                codes.push(code.to_owned());
            }
        }
    }
    codes
}

/// What a division is called; a code that the city does not have stays one.
fn division(city: &City, code: &str) -> String {
    let village = city.villages.iter().find(|village| village.code == code);
    let town = city.towns.iter().find(|town| town.code == code);
    match (village, town) {
        (Some(village), _) => short_name(&village.name),
        (None, Some(town)) => town.name.clone(),
        (None, None) => code.to_owned(),
    }
}

/// A village as people call it: the statistics office names its committee.
fn short_name(name: &str) -> String {
    if let Some(community) = name.strip_suffix("居民委员会") {
        return match community.ends_with("社区") {
            true => community.to_owned(),
            false => format!("{community}社区"),
        };
    }
    match name.strip_suffix("村民委员会") {
        Some(village) if village.ends_with('村') => village.to_owned(),
        Some(village) => format!("{village}村"),
        None => name.to_owned(),
    }
}

/// Takes out of what a notice names what a caller may not see: places of which name or from when on are hidden, and their figures
/// and divisions.
pub fn retain_seen(app: &App, sight: &Sight, affected: &mut Vec<affected::Affected>) {
    let catalogue = app.ingest.catalogue();
    for of in affected.iter_mut() {
        let kind = catalogue.kinds.get(&of.entity_type);
        // A type that no pack declares any more says nothing of who may see it.
        let Some(declared) = kind.and_then(|kind| kind.affected.as_ref()) else {
            of.reached.clear();
            of.next.clear();
            continue;
        };
        let is_shown = |place: &Place, attribute: &str| {
            sight.of_series(&place.id, &of.entity_type, attribute) == Access::Shown
        };
        for places in [&mut of.reached, &mut of.next] {
            places.retain(|place| is_shown(place, &declared.from) && is_shown(place, "name"));
            for place in places.iter_mut() {
                let mut amounts = std::mem::take(&mut place.amounts);
                for (amount, sum) in amounts.iter_mut().zip(&of.sums) {
                    *amount = amount.filter(|_| is_shown(place, &sum.attribute));
                }
                place.amounts = amounts;
                if !declared.divisions.iter().all(|name| is_shown(place, name)) {
                    place.divisions.clear();
                    place.codes.clear();
                }
            }
        }
    }
    affected.retain(|of| !of.reached.is_empty() || !of.next.is_empty());
}

fn is_forecast(app: &App, alert: &Alert) -> bool {
    let packs = app.packs.now();
    let rule = packs.rules.iter().find(|rule| rule.id == alert.rule_id);
    rule.is_some_and(|rule| matches!(rule.kind, rules::Kind::Forecast))
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
