//! What kinds of cases there are (部件和事件分类) and the unit grids (单元网格) in which they lie.

use crate::app::App;
use axum::Json;
use axum::extract::State;
use cases::catalogue::{Category, ClassKind};
use serde::Serialize;
use utoipa::ToSchema;

/// Whether a class is of things or of happenings.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CaseClassKind)]
pub enum KindBody {
    /// A managed part (部件).
    Part,
    /// An event (事件).
    Event,
}

/// A class of cases (小类).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseClass)]
pub struct ClassBody {
    /// Its code, such as `B0102`.
    pub code: String,
    /// Part or event.
    pub kind: KindBody,
    /// Code of its major class (大类), such as `B01`.
    pub major: String,
    /// Title of the major class in Chinese.
    pub major_zh: String,
    /// The same in English.
    pub major_en: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The organisation that answers for it.
    pub organisation: Option<String>,
    /// The workflow that its cases follow; null for the city's own.
    pub workflow: Option<String>,
    /// When a case is filed (立案条件), in Chinese.
    pub files_zh: String,
    /// The same in English.
    pub files_en: String,
    /// When it may be closed (结案条件), in Chinese.
    pub closes_zh: String,
    /// The same in English.
    pub closes_en: String,
    /// How long handling may take (处置时限), in minutes of the calendar.
    pub minutes: u32,
    /// The calendar in which its clocks run; null for the workflow's.
    pub calendar: Option<String>,
    /// Whether people report it through open doors.
    pub public: bool,
}

impl From<&Category> for ClassBody {
    fn from(category: &Category) -> Self {
        let class = category.class.clone();
        Self {
            code: category.code.clone(),
            kind: match category.kind {
                ClassKind::Part => KindBody::Part,
                ClassKind::Event => KindBody::Event,
            },
            major: category.major.clone(),
            major_zh: category.major_zh.clone(),
            major_en: category.major_en.clone(),
            title_zh: class.title_zh,
            title_en: class.title_en,
            organisation: class.organisation,
            workflow: category.workflow.clone(),
            files_zh: class.files_zh,
            files_en: class.files_en,
            closes_zh: class.closes_zh,
            closes_en: class.closes_en,
            minutes: class.minutes,
            calendar: class.calendar,
            public: class.public,
        }
    }
}

/// All classes.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseClasses)]
pub struct Classes {
    /// By code.
    pub items: Vec<ClassBody>,
}

/// The kinds of cases that there are (GB/T 30428.2), each with who answers for it, its limits and its conditions.
#[utoipa::path(get, path = "/api/v1/cases/categories", tag = "cases", security(("session" = ["case.read"])),
    responses((status = 200, body = Classes)))]
pub async fn categories(State(app): State<App>) -> Json<Classes> {
    let all = app.cases.options().catalogue.iter();
    Json(Classes {
        items: all.map(ClassBody::from).collect(),
    })
}

/// A unit grid.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = UnitGrid)]
pub struct GridBody {
    /// Its code, 15 digits.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// All unit grids.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = UnitGrids)]
pub struct Grids {
    /// In the order of the city's layer.
    pub items: Vec<GridBody>,
}

/// The unit grids of the city (GB/T 30428.1); their borders are the layer `grids`.
#[utoipa::path(get, path = "/api/v1/cases/grids", tag = "cases", security(("session" = ["case.read"])),
    responses((status = 200, body = Grids)))]
pub async fn grids(State(app): State<App>) -> Json<Grids> {
    let all = app.city.grids.iter();
    Json(Grids {
        items: all
            .map(|grid| GridBody {
                code: grid.code.clone(),
                name: grid.name.clone(),
            })
            .collect(),
    })
}
