//! Entities: their current state, their place on the map, their history.

use crate::app::App;
use crate::description::Place;
use crate::entity_types::EntityKindBody;
use crate::error::{Answer, ApiError};
use crate::linked;
use crate::personal::{Look, Looking, LookingQuery, Shown};
use crate::sight::{Seeing, Sight};
use crate::words::Quality;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use model::{EntityId, Problem, Timestamp, Value};
use policy::Access;
use proto_ngsild::encode::{self, AttributeView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use twin::{Entity, Filter};
use utoipa::{IntoParams, ToSchema};

/// Entities in one page when the caller does not say.
const PAGE_ENTITIES_DEFAULT: usize = 100;
/// Most entities in one page.
const PAGE_ENTITIES_MAX: usize = 1_000;
/// Most points of a history; a longer one is cut to its newest.
const HISTORY_POINTS_MAX: usize = 5_000;
/// Pages of the current state that are looked at to fill one page, where much may not be seen.
const PAGES_LOOKED_AT_MAX: usize = 32;
/// Most active alerts that colour the map.
const MAP_ALERTS_MAX: u32 = 5_000;

/// One attribute's current value.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Attribute)]
pub struct AttributeBody {
    /// The value.
    pub value: serde_json::Value,
    /// UN/CEFACT code of its unit.
    pub unit: Option<String>,
    /// When it was so.
    pub observed_at: String,
    /// How good it is.
    pub quality: Quality,
    /// The journal position of the message that said so.
    pub position: u64,
    /// Whether the value is personal and shown masked; with a purpose, whoever may sees it whole.
    pub masked: bool,
}

/// An entity.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Entity)]
pub struct EntityBody {
    /// Its id.
    pub id: String,
    /// Its type.
    pub r#type: String,
    /// Its name for people.
    pub name: Option<String>,
    /// Its attributes.
    pub attributes: BTreeMap<String, AttributeBody>,
    /// Longitude and latitude, WGS 84 degrees.
    #[schema(value_type = Option<Place>)]
    pub location: Option<[f64; 2]>,
    /// When anything of it last changed.
    pub modified_at: String,
}

/// An entity with its declared type.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EntityDetail {
    /// The entity.
    #[serde(flatten)]
    pub entity: EntityBody,
    /// The declared type, with titles and units; null when no pack declares it.
    pub kind: Option<EntityKindBody>,
}

impl EntityBody {
    /// As somebody who looks may see it.
    pub fn of(entity: &Entity, look: &Look, sees: impl Fn(&str) -> bool) -> Self {
        let (id, kind) = (entity.id.as_str(), entity.entity_type.as_str());
        let seen = entity.attributes().filter(|(name, _)| sees(name.as_str()));
        let attributes = seen.map(|(name, a)| {
            let stored = a.value.to_value().to_json();
            let (value, masked) = look.json(id, kind, name.as_str(), stored);
            let body = AttributeBody {
                value,
                masked,
                unit: a.unit.map(str::to_owned),
                observed_at: a.observed_at.to_string(),
                quality: a.quality.into(),
                position: a.position,
            };
            (name.to_string(), body)
        });
        Self {
            name: name_of(entity).filter(|_| sees("name")),
            attributes: attributes.collect(),
            location: entity.location().filter(|_| sees("location")),
            modified_at: entity.modified_at.to_string(),
            id: entity.id.to_string(),
            r#type: entity.entity_type.to_string(),
        }
    }
}

/// The entity's name for people: its `name` attribute.
pub fn name_of(entity: &Entity) -> Option<String> {
    text_of(entity, "name")
}

/// The text of an attribute.
pub fn text_of(entity: &Entity, attribute: &str) -> Option<String> {
    let text = entity.attribute(attribute)?.value.as_text();
    // Packs cannot mark what entities are called; what is sealed all the same is no name.
    let text = text.filter(|text| !::personal::is_sealed(text));
    text.map(str::to_owned)
}

/// A page of entities.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entities {
    /// The entities, by id.
    pub items: Vec<EntityBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which entities.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct EntitiesQuery {
    /// Of these types, separated by commas.
    pub r#type: Option<String>,
    /// Within west,south,east,north in degrees.
    pub bbox: Option<String>,
    /// Whose id or name holds this text.
    pub q: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many: 100 when not said, at most 1,000.
    pub limit: Option<usize>,
    /// Only these attributes of each, separated by commas; all when not said.
    pub attributes: Option<String>,
    /// What personal values are looked at for: they are shown whole to whoever may see them.
    pub purpose: Option<String>,
}

impl EntitiesQuery {
    /// Whether what the caller sees of an entity is what was asked for: a hidden name or place is no reason to find it.
    fn is_met_by(&self, body: &EntityBody) -> bool {
        let text = self.q.as_deref().map(str::to_lowercase);
        let text_is_met = text.filter(|q| !q.is_empty()).is_none_or(|text| {
            body.id.to_lowercase().contains(&text)
                || body
                    .name
                    .as_deref()
                    .is_some_and(|n| n.to_lowercase().contains(&text))
        });
        text_is_met && (self.bbox.is_none() || body.location.is_some())
    }

    fn filter(&self) -> Answer<Filter> {
        let mut filter = Filter {
            types: self.r#type.as_deref().map(split_commas).unwrap_or_default(),
            text: self.q.clone().filter(|q| !q.is_empty()),
            limit: self
                .limit
                .unwrap_or(PAGE_ENTITIES_DEFAULT)
                .clamp(1, PAGE_ENTITIES_MAX),
            after: self.after.clone(),
            ..Filter::default()
        };
        if let Some(text) = &self.bbox {
            let numbers: Vec<f64> = text
                .split(',')
                .filter_map(|n| n.trim().parse().ok())
                .collect();
            let bbox: [f64; 4] = numbers.try_into().map_err(|_| {
                ApiError::invalid(Problem::new(
                    "bbox",
                    "bbox is not four numbers",
                    "bbox",
                    "write west,south,east,north in degrees",
                ))
            })?;
            filter.bbox = Some(bbox);
        }
        Ok(filter)
    }
}

fn split_commas(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Entities with their current state.
#[utoipa::path(get, path = "/api/v1/entities", tag = "entities", security(("session" = ["entity.read"])), params(EntitiesQuery),
    responses((status = 200, body = Entities), (status = 400, body = crate::error::ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    Query(query): Query<EntitiesQuery>,
) -> Answer<Json<Entities>> {
    let mut filter = query.filter()?;
    let wanted = filter.limit;
    let only = query.attributes.as_deref().map(split_commas);
    let mut items = Vec::new();
    let mut next;
    let mut rounds = 0;
    // What may not be seen is passed over, so a page is filled from several; after some of them it is given as it is.
    loop {
        let page = app.twin.query(&filter);
        next = page.next.map(|n| n.to_string());
        let seen = page.items.into_iter();
        let seen = seen.filter_map(|e| sight.body(e, &look));
        items.extend(seen.filter(|body| query.is_met_by(body)));
        rounds += 1;
        if items.len() >= wanted || next.is_none() || rounds >= PAGES_LOOKED_AT_MAX {
            break;
        }
        filter.after.clone_from(&next);
        filter.limit = wanted - items.len();
    }
    look.tell(&app.records, app.now(), "entities").await?;
    if let Some(only) = only {
        for body in &mut items {
            body.attributes.retain(|name, _| only.contains(name));
        }
    }
    Ok(Json(Entities { items, next }))
}

pub(crate) fn entity_id(text: &str) -> Answer<EntityId> {
    EntityId::new(text).map_err(ApiError::invalid)
}

/// One entity with its declared type.
#[utoipa::path(get, path = "/api/v1/entities/{id}", tag = "entities", security(("session" = ["entity.read"])), params(("id" = String, Path), LookingQuery),
    responses((status = 200, body = EntityDetail), (status = 404, body = crate::error::ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    Path(id): Path<String>,
) -> Answer<Json<EntityDetail>> {
    let entity = app
        .twin
        .get(&entity_id(&id)?)
        .and_then(|entity| sight.body(entity, &look))
        .ok_or_else(|| ApiError::not_found("entity", &id))?;
    look.tell(&app.records, app.now(), "entity").await?;
    let packs = app.packs.now();
    let catalogue = app.ingest.catalogue();
    let kind = catalogue.kinds.get(&entity.r#type);
    let kind = kind.map(|kind| EntityKindBody::of(kind, &packs));
    Ok(Json(EntityDetail { entity, kind }))
}

/// Everything the map draws, one array a column.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct MapEntities {
    /// The types met, in the order that `type` counts them.
    pub types: Vec<String>,
    /// Ids.
    pub ids: Vec<String>,
    /// Index into `types`.
    pub r#type: Vec<usize>,
    /// Longitudes, degrees.
    pub lon: Vec<f64>,
    /// Latitudes, degrees.
    pub lat: Vec<f64>,
    /// Names.
    pub name: Vec<Option<String>>,
    /// 0 none, 1 info, 2 minor, 3 major, 4 critical: the worst active alert.
    pub severity: Vec<u8>,
    /// The journal position that this shows.
    pub at_position: u64,
}

/// Which entities the map wants.
#[derive(Debug, Deserialize, IntoParams)]
pub struct MapQuery {
    /// Of these types, separated by commas; all when not said.
    pub types: Option<String>,
}

/// Every entity that has a place, for the map.
#[utoipa::path(get, path = "/api/v1/map/entities", tag = "entities", security(("session" = ["entity.read"])), params(MapQuery),
    responses((status = 200, body = MapEntities)))]
pub async fn map(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Query(query): Query<MapQuery>,
) -> Answer<Response> {
    let mut connection = app.records.read().await?;
    let active = records::alerts::active(&mut connection, MAP_ALERTS_MAX).await?;
    drop(connection);
    let mut worst: HashMap<String, u8> = HashMap::new();
    for alert in active {
        if !sight.sees_series(&alert.entity_id, &alert.entity_type, &alert.attribute) {
            continue;
        }
        let level = severity_level(&alert.severity);
        let known = worst.entry(alert.entity_id).or_default();
        *known = level.max(*known);
    }
    let filter = Filter {
        types: query.types.as_deref().map(split_commas).unwrap_or_default(),
        limit: app.options.map_entities_max,
        ..Filter::default()
    };
    let mut body = MapEntities {
        at_position: app.twin.position(),
        ..MapEntities::default()
    };
    let mut type_index: HashMap<String, usize> = HashMap::new();
    for entity in app.twin.query(&filter).items {
        let Some([lon, lat]) = entity.location() else {
            continue;
        };
        let columns = sight.columns(&entity);
        let sees = |attribute| sight.within(&columns, attribute) != Access::Hidden;
        if !sees("location") {
            continue;
        }
        let next = type_index.len();
        let index = *type_index
            .entry(entity.entity_type.to_string())
            .or_insert_with(|| {
                body.types.push(entity.entity_type.to_string());
                next
            });
        body.r#type.push(index);
        body.lon.push(lon);
        body.lat.push(lat);
        body.name.push(name_of(&entity).filter(|_| sees("name")));
        body.severity
            .push(worst.get(entity.id.as_str()).copied().unwrap_or(0));
        body.ids.push(entity.id.to_string());
    }
    Ok(Json(body).into_response())
}

/// A severity as a number: 0 unknown, 1 info, 2 minor, 3 major, 4 critical.
pub fn severity_level(severity: &str) -> u8 {
    match severity {
        "info" => 1,
        "minor" => 2,
        "major" => 3,
        "critical" => 4,
        _ => 0,
    }
}

/// Which stretch of history.
#[derive(Debug, Deserialize, IntoParams)]
pub struct HistoryQuery {
    /// The attribute.
    pub attribute: String,
    /// From this time on (RFC 3339).
    pub from: Option<String>,
    /// Up to this time.
    pub to: Option<String>,
    /// Most points, newest kept: 5,000 at most.
    pub limit: Option<usize>,
    /// What personal values are looked at for: they are shown whole to whoever may see them.
    pub purpose: Option<String>,
}

/// One point of a history.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryPoint {
    /// When it was so.
    pub observed_at: String,
    /// The value.
    pub value: serde_json::Value,
    /// How good it is.
    #[schema(value_type = Quality)]
    pub quality: String,
    /// The journal position of the message that said so.
    pub position: u64,
    /// When that message came.
    pub received_at: String,
}

/// An attribute's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct History {
    /// The attribute.
    pub attribute: String,
    /// Its unit now.
    pub unit: Option<String>,
    /// The points, oldest first.
    pub points: Vec<HistoryPoint>,
    /// Whether older points were left out.
    pub truncated: bool,
}

/// An attribute's history, oldest first.
#[utoipa::path(get, path = "/api/v1/entities/{id}/history", tag = "entities", security(("session" = ["entity.read"])),
    params(("id" = String, Path), HistoryQuery),
    responses((status = 200, body = History), (status = 400, body = crate::error::ProblemBody)))]
pub async fn history(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    Path(id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Answer<Json<History>> {
    let id = entity_id(&id)?;
    let attribute = model::AttributeName::new(&query.attribute).map_err(ApiError::invalid)?;
    let time = |text: &Option<String>| {
        text.as_deref()
            .map(Timestamp::parse)
            .transpose()
            .map_err(ApiError::invalid)
    };
    let (from, to) = (time(&query.from)?, time(&query.to)?);
    let limit = query
        .limit
        .unwrap_or(HISTORY_POINTS_MAX)
        .clamp(1, HISTORY_POINTS_MAX);
    let wanted = lake::HistoryQuery {
        entity_id: id.clone(),
        attribute: attribute.clone(),
        from,
        to,
        limit,
    };
    let lake::History {
        mut points,
        truncated,
    } = app
        .lake
        .history(&wanted, &app.options.sql_limits)
        .await
        .map_err(ApiError::unanswered)?;
    // As the points stand: an entity may have had another type.
    points.retain(|p| sight.sees_series(id.as_str(), &p.entity_type, attribute.as_str()));
    points.reverse();
    let unit = app.twin.get(&id).and_then(|e| {
        let unit = e.attribute(attribute.as_str())?.unit;
        unit.map(str::to_owned)
    });
    let points = points.into_iter().map(|p| {
        let (value, _) = look.json(id.as_str(), &p.entity_type, attribute.as_str(), p.value);
        HistoryPoint {
            observed_at: p.observed_at.to_string(),
            value,
            quality: p.quality,
            position: p.position,
            received_at: p.received_at.to_string(),
        }
    });
    let points = points.collect();
    look.tell(&app.records, app.now(), "history").await?;
    Ok(Json(History {
        attribute: attribute.to_string(),
        unit,
        points,
        truncated,
    }))
}

/// How NGSI-LD entities are asked for.
#[derive(Debug, Deserialize, IntoParams)]
pub struct NgsiQuery {
    /// Of these types, separated by commas.
    pub r#type: Option<String>,
    /// `keyValues` for the simplified form.
    pub options: Option<String>,
    /// How many, at most 1,000.
    pub limit: Option<usize>,
    /// What personal values are looked at for: they are shown whole to whoever may see them.
    pub purpose: Option<String>,
}

/// The entity as the caller sees it; `None` when nothing of it may be seen.
fn ngsi(
    entity: &Entity,
    sight: &Sight,
    options: Option<&str>,
    look: &Look,
) -> Option<serde_json::Value> {
    let looked_at = |name: &str, value: Value| {
        let (id, kind) = (entity.id.as_str(), entity.entity_type.as_str());
        let (Value::Text(text) | Value::Json(text)) = &value else {
            return value;
        };
        match look.text(id, kind, name, text) {
            Shown::AsStored => value,
            Shown::Masked(masked) => Value::Text(masked),
            Shown::Plain(opened) if opened.is_json => Value::Json(opened.text),
            Shown::Plain(opened) => Value::Text(opened.text),
        }
    };
    let columns = sight.columns(entity);
    let seen: Vec<_> = (entity.attributes())
        .filter(|(name, _)| sight.within(&columns, name.as_str()) != Access::Hidden)
        .collect();
    let is_bare = entity.attributes().len() == 0;
    if seen.is_empty() && !(is_bare && sight.within(&columns, "") != Access::Hidden) {
        return None;
    }
    let values = seen.iter();
    let values: Vec<Value> = values
        .map(|(name, a)| looked_at(name.as_str(), a.value.to_value()))
        .collect();
    let attributes = (seen.iter().zip(&values)).map(|((name, a), value)| AttributeView {
        name: name.as_str(),
        value,
        unit: a.unit,
        observed_at: a.observed_at,
    });
    let (id, kind) = (entity.id.as_str(), entity.entity_type.as_str());
    Some(if matches!(options, Some("keyValues" | "simplified")) {
        encode::key_values(id, kind, attributes)
    } else {
        encode::normalized(id, kind, attributes)
    })
}

/// One entity as NGSI-LD (clause 5.7.1). The JSON-LD context is linked in a header, or in the body for who accepts
/// `application/ld+json` (clause 6.3.5).
#[utoipa::path(get, path = "/ngsi-ld/v1/entities/{id}", tag = "ngsi-ld", security(("session" = ["entity.read"])), params(("id" = String, Path), NgsiQuery),
    responses((status = 200, body = Object), (status = 404, body = crate::error::ProblemBody)))]
pub async fn ngsi_one(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(query): Query<NgsiQuery>,
) -> Answer<Response> {
    let entity = app
        .twin
        .get(&entity_id(&id)?)
        .and_then(|entity| ngsi(&entity, &sight, query.options.as_deref(), &look))
        .ok_or_else(|| ApiError::not_found("entity", &id))?;
    look.tell(&app.records, app.now(), "ngsi-ld").await?;
    Ok(linked::one(&headers, &app.packs.now(), entity))
}

/// Entities of a type as NGSI-LD (clause 5.7.2); the JSON-LD context as with one.
#[utoipa::path(get, path = "/ngsi-ld/v1/entities", tag = "ngsi-ld", security(("session" = ["entity.read"])), params(NgsiQuery),
    responses((status = 200, body = Vec<Object>)))]
pub async fn ngsi_list(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    headers: HeaderMap,
    Query(query): Query<NgsiQuery>,
) -> Answer<Response> {
    let filter = Filter {
        types: query
            .r#type
            .as_deref()
            .map(split_commas)
            .unwrap_or_default(),
        limit: query
            .limit
            .unwrap_or(PAGE_ENTITIES_DEFAULT)
            .clamp(1, PAGE_ENTITIES_MAX),
        ..Filter::default()
    };
    let items = app.twin.query(&filter).items;
    let bodies = items
        .iter()
        .filter_map(|e| ngsi(e, &sight, query.options.as_deref(), &look))
        .collect();
    look.tell(&app.records, app.now(), "ngsi-ld").await?;
    Ok(linked::several(&headers, &app.packs.now(), bodies))
}
