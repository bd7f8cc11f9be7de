//! The nearest resources (应急资源) to an alert, a case or a place: entities of the type [`RESOURCE`], looked for in the space index
//! of the current state, so that place, state and who may see them are those of any entity.

use crate::app::App;
use crate::entities::EntityBody;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::personal::Look;
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Query, State};
use duty::nearest::nearest;
use model::{Problem, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use twin::{Comparison, Condition, Entity, Filter};
use utoipa::{IntoParams, ToSchema};

/// The entity type of resources; `pack-emergency` declares it.
pub const RESOURCE: &str = "EmergencyResource";
/// The attribute that says what kind of resource it is.
const CATEGORY: &str = "category";
/// The attribute that says whether it can be sent.
const STATUS: &str = "status";
/// The state of one that can be sent.
const AVAILABLE: &str = "available";
/// How many are given when not said, and at most.
const LIMIT_DEFAULT: usize = 10;
const LIMIT_MAX: usize = 100;
/// Most resources that are looked at in one stretch.
const LOOKED_AT_MAX: usize = 20_000;

/// Near what, and which.
#[derive(Debug, Deserialize, IntoParams)]
pub struct NearestQuery {
    /// Near where this alert was raised.
    pub alert_id: Option<i64>,
    /// Near this case.
    pub case_id: Option<i64>,
    /// Near this longitude, degrees; with `lat`.
    pub lon: Option<f64>,
    /// Near this latitude, degrees.
    pub lat: Option<f64>,
    /// Only of these categories, separated by commas; all when not said.
    pub category: Option<String>,
    /// Whether those that cannot be sent are given too.
    #[serde(default)]
    pub busy: bool,
    /// How many: 10 when not said, at most 100.
    pub limit: Option<usize>,
}

/// A resource and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NearResource)]
pub struct NearBody {
    /// The resource, personal values masked.
    pub entity: EntityBody,
    /// How far it is as the crow flies, metres.
    pub distance_m: f64,
}

/// The nearest resources.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NearResources)]
pub struct NearestBody {
    /// Near this longitude and latitude, degrees (WGS 84).
    #[schema(value_type = crate::description::Place)]
    pub place: [f64; 2],
    /// Nearest first.
    pub items: Vec<NearBody>,
}

fn no_place() -> ApiError {
    ApiError::invalid(Problem::new(
        "duty-no-place",
        "it says no place to look near to",
        "lon, lat",
        "give alert_id or case_id of one that has a place, or lon and lat",
    ))
}

async fn place(app: &App, sight: &Sight, query: &NearestQuery) -> Answer<[f64; 2]> {
    if let Some(id) = query.alert_id {
        let alert = app.cases.alert(id).await?;
        if !sight.sees_series(&alert.entity_id, &alert.entity_type, &alert.attribute) {
            return Err(ApiError::not_found("alert", id));
        }
        return sight
            .alert(app.alert_body(alert))
            .location
            .ok_or_else(no_place);
    }
    if let Some(id) = query.case_id {
        let mut read = app.records.read().await?;
        let case = records::cases::get(&mut read, id).await?;
        let case = case
            .filter(|case| sight.sees_case(case.organisation_id.as_deref()))
            .ok_or_else(|| ApiError::not_found("case", id))?;
        let (lon, lat) = case.lon.zip(case.lat).ok_or_else(no_place)?;
        return Ok([lon, lat]);
    }
    match (query.lon, query.lat) {
        (Some(lon), Some(lat)) if lon.abs() <= 180.0 && lat.abs() <= 90.0 => Ok([lon, lat]),
        _ => Err(no_place()),
    }
}

/// The nearest resources that can be sent, or all of them. What the caller may not see is not there.
#[utoipa::path(get, path = "/api/v1/duty/resources/nearest", tag = "duty", security(("session" = ["duty.read"])), params(NearestQuery),
    responses((status = 200, body = NearestBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn nearest_to(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Query(query): Query<NearestQuery>,
) -> Answer<Json<NearestBody>> {
    let place = place(&app, &sight, &query).await?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let categories: BTreeSet<&str> = query
        .category
        .as_deref()
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    let said = |entity: &Entity, attribute: &str| {
        let value = entity.attribute(attribute)?.value.as_text()?.to_owned();
        Some(value)
    };
    let is_wanted = |entity: &Entity| {
        let columns = sight.columns(entity);
        let sees = |name| sight.within(&columns, name) != policy::Access::Hidden;
        sees("location")
            && (categories.is_empty()
                || (sees(CATEGORY)
                    && said(entity, CATEGORY).is_some_and(|c| categories.contains(c.as_str()))))
            && (query.busy || sees(STATUS))
    };
    let conditions = match query.busy {
        true => Vec::new(),
        false => vec![Condition {
            attribute: STATUS.to_owned(),
            comparison: Comparison::Equal,
            value: Value::Text(AVAILABLE.to_owned()),
        }],
    };
    let found = nearest(place, limit, |corners| {
        let filter = Filter {
            types: vec![RESOURCE.to_owned()],
            bbox: Some(corners),
            conditions: conditions.clone(),
            limit: LOOKED_AT_MAX,
            ..Filter::default()
        };
        let mut inside = Vec::new();
        app.twin.visit(&filter, |entity| {
            if let Some(at) = entity.location().filter(|_| is_wanted(entity)) {
                inside.push((entity.clone(), at));
            }
        });
        inside
    });
    let look = Look::masked(&app.personal);
    let bodies = found.into_iter().filter_map(|(entity, metres)| {
        let entity = sight.body(entity, &look)?;
        let distance_m = metres.round();
        Some(NearBody { entity, distance_m })
    });
    let items = bodies.collect();
    Ok(Json(NearestBody { place, items }))
}
