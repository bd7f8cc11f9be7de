//! The city itself: its names, its place, and the layers of the offline base map.

use crate::app::App;
use crate::description::{Bounds, Place};
use crate::error::{Answer, ApiError};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// The city.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = City)]
pub struct CityBody {
    /// Short id of the profile.
    pub id: String,
    /// Statistics code.
    pub code: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// Where the map opens: longitude, latitude, WGS 84 degrees.
    #[schema(value_type = Place)]
    pub centre: [f64; 2],
    /// West, south, east, north.
    #[schema(value_type = Bounds)]
    pub bbox: [f64; 4],
    /// The zone in which people read times.
    pub zone: String,
    /// What the map says of itself.
    pub notes_zh: Vec<String>,
    /// What the map says of itself.
    pub notes_en: Vec<String>,
    /// Whether demonstration data is played.
    pub demo: bool,
    /// What personal data may be looked at for.
    pub purposes: Vec<PurposeBody>,
}

/// What personal data is looked at for.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Purpose)]
pub struct PurposeBody {
    /// Short id, as requests state it.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
}

/// The city's names and place.
#[utoipa::path(get, path = "/api/v1/city", tag = "city", security(("session" = [])),
    responses((status = 200, body = CityBody)))]
pub async fn city(State(app): State<App>) -> Json<CityBody> {
    let c = &app.city;
    Json(CityBody {
        id: c.id.clone(),
        code: c.code.clone(),
        name_zh: c.name_zh.clone(),
        name_en: c.name_en.clone(),
        centre: c.centre,
        bbox: c.bbox,
        zone: c.zone.clone(),
        notes_zh: c.notes_zh.clone(),
        notes_en: c.notes_en.clone(),
        demo: app.options.demo,
        purposes: (c.purposes.iter())
            .map(|p| PurposeBody {
                id: p.id.clone(),
                title_zh: p.title_zh.clone(),
                title_en: p.title_en.clone(),
            })
            .collect(),
    })
}

/// A layer of the base map as GeoJSON: `outline`, `river`, `towns`, `villages`, or `grids` where the city has any.
#[utoipa::path(get, path = "/api/v1/city/layers/{name}", tag = "city", security(("session" = [])),
    params(("name" = String, Path, description = "outline, river, towns, villages or grids")),
    responses((status = 200, body = Object, content_type = "application/geo+json"), (status = 404, body = crate::error::ProblemBody)))]
pub async fn layer(State(app): State<App>, Path(name): Path<String>) -> Answer<Response> {
    let bytes = app
        .city
        .layer(&name)
        .ok_or_else(|| ApiError::not_found("layer", &name))?;
    let headers = [
        (header::CONTENT_TYPE, "application/geo+json"),
        (header::CACHE_CONTROL, "private, max-age=3600"),
    ];
    Ok((headers, bytes.to_vec()).into_response())
}

/// An organisation that can be given work.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Organisation)]
pub struct OrganisationBody {
    /// Short id.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
}

impl From<records::organisations::Organisation> for OrganisationBody {
    fn from(o: records::organisations::Organisation) -> Self {
        Self {
            id: o.id,
            name_zh: o.name_zh,
            name_en: o.name_en,
        }
    }
}

/// A list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Organisations {
    /// The organisations.
    pub items: Vec<OrganisationBody>,
}

/// The organisations that a case can be dispatched to.
#[utoipa::path(get, path = "/api/v1/organisations", tag = "city", security(("session" = ["case.read"])),
    responses((status = 200, body = Organisations)))]
pub async fn organisations(State(app): State<App>) -> Answer<Json<Organisations>> {
    let all = app.identity.organisations().await?;
    // Those of the profile stand first, in its order, then the others by id; one that is closed takes no work.
    let place = |id: &str| app.city.organisations.iter().position(|o| o.id == id);
    let mut open: Vec<_> = all.into_iter().filter(|o| !o.disabled).collect();
    open.sort_by_key(|o| place(&o.id).unwrap_or(usize::MAX));
    Ok(Json(Organisations {
        items: open.into_iter().map(OrganisationBody::from).collect(),
    }))
}
