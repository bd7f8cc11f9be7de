//! Entity types as the packs declare them: their attributes, and how their pack wants them shown.

use crate::app::App;
use crate::words::{IsolineMethod, MissingUnit, Personal, ValueKind};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::collections::BTreeMap;
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
    /// What people call its values, where the pack has words for them; empty where it has none.
    pub words: Vec<ChoiceBody>,
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
    /// How often every entity of the type says something at least, in seconds; null for things that do not speak by themselves.
    pub heard_within_seconds: Option<u32>,
    /// The attribute that identifies the person whom the personal attributes are about.
    pub data_subject: Option<String>,
    /// The commands that its entities can be given, by name. What an entity can be told now is asked of it: `/api/v1/entities/{id}/commands`.
    pub commands: Vec<String>,
}

impl EntityKindBody {
    /// A type with the packs' words for its values.
    pub fn of(kind: &model::EntityKind, packs: &pack::Packs) -> Self {
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
                words: choices(packs.words(&kind.name, name)),
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
            heard_within_seconds: kind.heard_within_seconds,
            data_subject: kind.data_subject.clone(),
            commands: kind.commands.keys().cloned().collect(),
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
    /// Lines of equal value over the type's entities, which `shown` speaks of too.
    pub isolines: Option<IsolinesBody>,
}

/// Lines of equal value of an attribute over the entities of a type; the pages reckon and draw them.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ViewIsolines)]
pub struct IsolinesBody {
    /// The attribute, a number; its declared unit is that of the levels.
    pub attribute: String,
    /// How the value between stations is reckoned.
    pub method: IsolineMethod,
    /// The power of the distance.
    pub power: f64,
    /// The levels, ascending.
    pub levels: Vec<IsolineLevelBody>,
    /// Values that are older do not count, minutes.
    pub minutes_max: u32,
    /// Nothing is drawn farther than this from every station that counts, km.
    pub radius_km_max: f64,
    /// With fewer stations nothing is drawn.
    pub stations_min: u32,
    /// Where the levels come from.
    pub source: Option<String>,
}

/// One level: a line at its value, and a band from there to the next.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ViewIsolineLevel)]
pub struct IsolineLevelBody {
    /// From which value on, in the attribute's unit.
    pub value: f64,
    /// What a value from here to the next level is called, in Chinese; empty where it has no name.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
    /// `#rrggbb` of the band.
    pub colour: String,
}

impl IsolinesBody {
    fn of(declared: &pack::Isolines) -> Self {
        let levels = declared.levels.iter().zip(declared.colours());
        Self {
            attribute: declared.attribute.clone(),
            method: declared.method.into(),
            power: declared.power,
            levels: levels
                .map(|(level, colour)| IsolineLevelBody {
                    value: level.value,
                    title_zh: level.title_zh.clone(),
                    title_en: level.title_en.clone(),
                    colour,
                })
                .collect(),
            minutes_max: declared.minutes_max,
            radius_km_max: declared.radius_km_max,
            stations_min: declared.stations_min,
            source: declared.source.clone(),
        }
    }
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
    /// As a form in which a person enters what no device says.
    pub form: Option<FormBody>,
    /// As a board.
    pub board: Option<BoardBody>,
}

/// One value of an attribute as text (of a yes or no `true` and `false`), with what people call it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ViewChoice)]
pub struct ChoiceBody {
    /// The value as it is stored.
    pub value: String,
    /// What it is called in Chinese.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
}

/// One field of a form; label, unit and credible range are the declared attribute's.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ViewField)]
pub struct FieldBody {
    /// The attribute that is filled in.
    pub attribute: String,
    /// Whether the form cannot be sent without it.
    pub required: bool,
    /// The values to choose from; any when there are none.
    pub choices: Vec<ChoiceBody>,
    /// Of which types another entity may be; of any when none is named.
    pub from: Vec<String>,
    /// Whether it is a list of texts.
    pub list: bool,
}

/// A form for one entity; what is filled in is sent to `/ngsi-ld/v1/entityOperations/upsert`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ViewForm)]
pub struct FormBody {
    /// Whether an entity may be entered that is not there yet.
    pub new: bool,
    /// The fields, in order.
    pub fields: Vec<FieldBody>,
}

/// Entities in columns.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ViewBoard)]
pub struct BoardBody {
    /// The attribute that says in which column an entity stands.
    pub attribute: String,
    /// The columns, in order.
    pub columns: Vec<ChoiceBody>,
    /// Attributes shown on an entity's card.
    pub card: Vec<String>,
    /// Whether a person may put an entity into another column.
    pub moves: bool,
}

fn choices(declared: Vec<pack::Choice>) -> Vec<ChoiceBody> {
    let all = declared.into_iter().map(|c| ChoiceBody {
        value: c.value,
        title_zh: c.title_zh,
        title_en: c.title_en,
    });
    all.collect()
}

impl ViewBody {
    /// A view of a type, with the packs' words where it has no titles of its own.
    fn of(view: &pack::View, kind: &str, packs: &pack::Packs) -> Self {
        let titled =
            |of: &[pack::Choice], attribute: &str| choices(packs.titled(of, kind, attribute));
        Self {
            id: view.id.clone(),
            title_zh: view.title_zh.clone(),
            title_en: view.title_en.clone(),
            entity_type: kind.to_owned(),
            order: view.order,
            layer: view.layer.as_ref().map(|l| LayerBody {
                icon: l.icon.clone(),
                colour: l.colour.clone(),
                attribute: l.attribute.clone(),
                zoom_min: l.zoom_min,
                shown: l.shown,
                isolines: l.isolines.as_ref().map(IsolinesBody::of),
            }),
            table: view.table.as_ref().map(|t| TableBody {
                columns: t.columns.clone(),
            }),
            chart: view.chart.as_ref().map(|c| ChartBody {
                attributes: c.attributes.clone(),
                limits: c.limits.clone(),
            }),
            form: view.form.as_ref().map(|form| FormBody {
                new: form.new,
                fields: form
                    .fields
                    .iter()
                    .map(|field| FieldBody {
                        attribute: field.attribute.clone(),
                        required: field.required,
                        choices: titled(&field.choices, &field.attribute),
                        from: field.from.clone(),
                        list: field.list,
                    })
                    .collect(),
            }),
            board: view.board.as_ref().map(|board| BoardBody {
                attribute: board.attribute.clone(),
                columns: titled(&board.columns, &board.attribute),
                card: board.card.clone(),
                moves: board.moves,
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
    /// How its pack wants it shown: the first of its views with a layer, a table or a chart.
    pub view: Option<ViewBody>,
    /// All its views, in order.
    pub views: Vec<ViewBody>,
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
pub async fn types(State(app): State<App>) -> Json<EntityTypes> {
    let counts = app.twin.counts();
    let catalogue = app.ingest.catalogue();
    let packs = app.packs.now();
    let items = catalogue.kinds.values().map(|kind| {
        let own = packs.views.iter();
        let own = own.filter(|view| view.entity_type.as_deref() == Some(kind.name.as_str()));
        let views: Vec<ViewBody> = own
            .map(|view| ViewBody::of(view, &kind.name, &packs))
            .collect();
        EntityType {
            kind: EntityKindBody::of(kind, &packs),
            count: counts.get(kind.name.as_str()).copied().unwrap_or(0),
            view: views
                .iter()
                .find(|v| v.layer.is_some() || v.table.is_some() || v.chart.is_some())
                .cloned(),
            views,
        }
    });
    Json(EntityTypes {
        items: items.collect(),
    })
}
