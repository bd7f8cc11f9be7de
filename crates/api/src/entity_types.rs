//! Entity types as the packs declare them: their attributes, and how their pack wants them shown.

use crate::app::App;
use crate::words::{MissingUnit, Personal, ValueKind};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// One declared attribute.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AttributeKind)]
pub struct AttributeKindBody {
    /// What it holds.
    pub value: ValueKind,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// UN/CEFACT code of the unit it is stored in.
    pub unit: Option<String>,
    /// What is done when a message gives no unit.
    pub unit_missing: MissingUnit,
    /// Least credible value, in `unit`.
    pub min: Option<f64>,
    /// Greatest credible value, in `unit`.
    pub max: Option<f64>,
    /// Whether it says something of a person, and then is shown masked; null when it does not.
    pub personal: Option<Personal>,
}

/// An entity type (实体类型).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EntityKind)]
pub struct EntityKindBody {
    /// The type's name, e.g. `WaterObserved`.
    pub name: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Where the definition comes from.
    pub source: Option<String>,
    /// The declared attributes, by name.
    pub attributes: BTreeMap<String, AttributeKindBody>,
    /// Whether attributes that are not declared are accepted too.
    pub open: bool,
    /// The attribute that identifies the person whom the personal attributes are about.
    pub data_subject: Option<String>,
}

impl From<&model::EntityKind> for EntityKindBody {
    fn from(kind: &model::EntityKind) -> Self {
        let attributes = kind.attributes.iter().map(|(name, a)| {
            let body = AttributeKindBody {
                value: a.value.into(),
                title_zh: a.title_zh.clone(),
                title_en: a.title_en.clone(),
                unit: a.unit.clone(),
                unit_missing: a.unit_missing.into(),
                min: a.min,
                max: a.max,
                personal: a.personal.map(Into::into),
            };
            (name.clone(), body)
        });
        Self {
            name: kind.name.clone(),
            title_zh: kind.title_zh.clone(),
            title_en: kind.title_en.clone(),
            source: kind.source.clone(),
            attributes: attributes.collect(),
            open: kind.open,
            data_subject: kind.data_subject.clone(),
        }
    }
}

/// On the map.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ViewLayer)]
pub struct LayerBody {
    /// The icon's name.
    pub icon: String,
    /// `#rrggbb`.
    pub colour: String,
    /// The attribute written beside the marker.
    pub attribute: Option<String>,
    /// Zoom from which single markers are drawn, 0 to 22.
    pub zoom_min: u8,
    /// Whether the layer is on when the map opens.
    pub shown: bool,
}

/// As a table.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ViewTable)]
pub struct TableBody {
    /// Attributes, in order.
    pub columns: Vec<String>,
}

/// Over time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ViewChart)]
pub struct ChartBody {
    /// Attributes drawn as lines; all in one unit.
    pub attributes: Vec<String>,
    /// Attributes whose current value is drawn as a limit.
    pub limits: Vec<String>,
}

/// How a pack wants a type shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = View)]
pub struct ViewBody {
    /// Unique in the city.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The entity type shown.
    pub entity_type: String,
    /// Place among all views; lower comes first.
    pub order: u32,
    /// On the map.
    pub layer: Option<LayerBody>,
    /// As a table.
    pub table: Option<TableBody>,
    /// As a chart on the entity's page.
    pub chart: Option<ChartBody>,
}

impl From<&pack::View> for ViewBody {
    fn from(view: &pack::View) -> Self {
        Self {
            id: view.id.clone(),
            title_zh: view.title_zh.clone(),
            title_en: view.title_en.clone(),
            entity_type: view.entity_type.clone(),
            order: view.order,
            layer: view.layer.as_ref().map(|l| LayerBody {
                icon: l.icon.clone(),
                colour: l.colour.clone(),
                attribute: l.attribute.clone(),
                zoom_min: l.zoom_min,
                shown: l.shown,
            }),
            table: view.table.as_ref().map(|t| TableBody {
                columns: t.columns.clone(),
            }),
            chart: view.chart.as_ref().map(|c| ChartBody {
                attributes: c.attributes.clone(),
                limits: c.limits.clone(),
            }),
        }
    }
}

/// An entity type with what the city has of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EntityType {
    /// The declared type.
    #[serde(flatten)]
    pub kind: EntityKindBody,
    /// How many entities of it there are.
    pub count: usize,
    /// How its pack wants it shown.
    pub view: Option<ViewBody>,
}

/// All types.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntityTypes {
    /// By name.
    pub items: Vec<EntityType>,
}

/// Entity types declared by the packs.
#[utoipa::path(get, path = "/api/v1/types", tag = "entities", security(("session" = ["entity.read"])),
    responses((status = 200, body = EntityTypes)))]
pub async fn types(State(app): State<Arc<App>>) -> Json<EntityTypes> {
    let counts = app.twin.counts();
    let catalogue = app.ingest.catalogue();
    let packs = app.packs.now();
    let items = catalogue.kinds.values().map(|kind| EntityType {
        kind: kind.into(),
        count: counts.get(kind.name.as_str()).copied().unwrap_or(0),
        view: packs
            .views
            .iter()
            .find(|v| v.entity_type == kind.name)
            .map(Into::into),
    });
    Json(EntityTypes {
        items: items.collect(),
    })
}
