//! What is forecast of an entity (预报): the newest issue of each forecast, and earlier ones to see how good they were.

use crate::app::App;
use crate::entities::entity_id;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::sight::Seeing;
use axum::Json;
use axum::extract::{Path, Query, State};
use model::{AttributeName, Forecast, Timestamp, Value, unit};
use serde::{Deserialize, Serialize};
use twin::{Filter, Relation};
use utoipa::{IntoParams, ToSchema};

/// Most issues of one forecast.
const ISSUED_MAX: usize = 24;
/// Most forecasts of one entity, as there may be several methods.
const FORECASTS_MAX: usize = 10;

/// Which forecasts.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ForecastsQuery {
    /// The attribute that is forecast.
    pub attribute: String,
    /// How many issues of each forecast: 1 when not said, at most 24.
    pub issued: Option<usize>,
}

/// What is expected at one moment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ForecastPoint)]
pub struct ForecastPointBody {
    /// The moment.
    pub at: String,
    /// The value.
    pub value: f64,
    /// The interval's lower end.
    pub lower: Option<f64>,
    /// The interval's upper end.
    pub upper: Option<f64>,
}

/// One issue of a forecast.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntityForecast {
    /// The entity that holds the forecast.
    pub forecast_id: String,
    /// Its type.
    pub forecast_type: String,
    /// The attribute that is forecast.
    pub attribute: String,
    /// UN/CEFACT code of the unit.
    pub unit: Option<String>,
    /// How the unit is written.
    pub unit_symbol: Option<String>,
    /// When it was issued.
    pub issued_at: String,
    /// How it was made.
    pub method: String,
    /// The method's version.
    pub version: String,
    /// The run's name: `run-17` is the run of that number.
    pub run: Option<String>,
    /// The share of outcomes that the interval is to hold.
    pub certainty: Option<f64>,
    /// Whether values lie outside the attribute's credible range; rules leave it out.
    pub is_out_of_range: bool,
    /// How good what it was made from is.
    pub quality: String,
    /// The journal position of the message that said so.
    pub position: u64,
    /// The points, in order of time.
    pub points: Vec<ForecastPointBody>,
}

/// Forecasts of an attribute of an entity, the newest issue first. Empty where nothing forecasts it.
#[utoipa::path(get, path = "/api/v1/entities/{id}/forecasts", tag = "entities", security(("session" = ["entity.read"])),
    params(("id" = String, Path), ForecastsQuery), responses((status = 200, body = Vec<EntityForecast>), (status = 400, body = ProblemBody)))]
pub async fn forecasts(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Path(id): Path<String>,
    Query(query): Query<ForecastsQuery>,
) -> Answer<Json<Vec<EntityForecast>>> {
    let id = entity_id(&id)?;
    let issued = query.issued.unwrap_or(1).clamp(1, ISSUED_MAX);
    let Some(entity) = app.twin.get(&id) else {
        return Ok(Json(Vec::new()));
    };
    let kind = entity.entity_type.as_str();
    // Whoever may not see the attribute may not see what is expected of it.
    if !sight.sees_series(id.as_str(), kind, &query.attribute) {
        return Ok(Json(Vec::new()));
    }
    let catalogue = app.ingest.catalogue();
    let declared = catalogue.kinds.values().filter_map(|of| {
        let forecast = of.forecast.as_ref()?;
        (forecast.entity_type == kind && forecast.attribute == query.attribute)
            .then_some((of.name.clone(), forecast.clone()))
    });
    let mut found = Vec::new();
    for (name, forecast) in declared.collect::<Vec<_>>() {
        let page = app.twin.query(&Filter {
            types: vec![name.clone()],
            relation: Some(Relation {
                target: id.clone(),
                through: Some(forecast.relation.clone()),
            }),
            limit: FORECASTS_MAX,
            ..Filter::default()
        });
        let series = AttributeName::new(&forecast.series).map_err(ApiError::invalid)?;
        for holder in page.items {
            if !sight.sees_series(holder.id.as_str(), &name, series.as_str()) {
                continue;
            }
            let wanted = lake::HistoryQuery {
                entity_id: holder.id.clone(),
                attribute: series.clone(),
                from: None,
                to: None,
                limit: issued,
            };
            let history = app.lake.history(&wanted, &app.options.sql_limits).await;
            let history = history.map_err(ApiError::unanswered)?;
            found.extend(history.points.into_iter().filter_map(|point| {
                let issue = Forecast::from_value(&Value::Json(point.value.to_string())).ok()?;
                let told = body(issue, point.observed_at, &point.quality, point.position);
                Some(EntityForecast {
                    forecast_id: holder.id.to_string(),
                    forecast_type: name.clone(),
                    attribute: query.attribute.clone(),
                    ..told
                })
            }));
        }
    }
    found.sort_by(|a, b| {
        b.issued_at
            .cmp(&a.issued_at)
            .then(b.position.cmp(&a.position))
    });
    Ok(Json(found))
}

fn body(issue: Forecast, issued_at: Timestamp, quality: &str, position: u64) -> EntityForecast {
    let symbol = issue.unit.as_deref().and_then(unit::find);
    let points = issue.points.into_iter().map(|point| ForecastPointBody {
        at: point.at.to_string(),
        value: point.value,
        lower: point.lower,
        upper: point.upper,
    });
    EntityForecast {
        forecast_id: String::new(),
        forecast_type: String::new(),
        attribute: String::new(),
        unit_symbol: symbol.and_then(|unit| Some((*unit.symbols.first()?).to_owned())),
        unit: issue.unit,
        issued_at: issued_at.to_string(),
        method: issue.method,
        version: issue.version,
        run: issue.run,
        certainty: issue.certainty,
        is_out_of_range: quality == model::Quality::OutOfRange.as_str(),
        quality: quality.to_owned(),
        position,
        points: points.collect(),
    }
}
