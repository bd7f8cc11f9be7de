//! What key projects contribute to a figure (项目贡献): the figure as it is, and as it would be without the things that a project built.
//! The difference is counted, not estimated; where the figure follows from more than the current values of things, none is told.

use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::plan_towns::{ENTITIES_NOW, over, reads_things_alone, texts};
use crate::plans::{self, PlanQuery};
use crate::projects::kept_of;
use axum::Json;
use axum::extract::{Path, Query, State};
use indicators::Definition;
use indicators::answer::{Answer as Cells, Cell, UNIT};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Most projects of one indicator whose part is counted, each at the cost of the indicator's query.
const PROJECTS_MAX: usize = 50;

/// Whether parts can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartsTold {
    /// They are.
    Known,
    /// The figure follows from more than the current values of things, so no project's things can be taken out of it.
    NotOfThings,
}

/// A project's part of a figure.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ProjectPart {
    /// The project's id.
    pub project: String,
    /// How many things it has; 0: none was named yet.
    pub things: usize,
    /// The figure without them; null when nothing else is there, or none was counted.
    pub without: Option<f64>,
    /// The figure less that, in its unit; null when none was counted.
    pub part: Option<f64>,
}

/// What the key projects that serve an indicator contribute to its figure.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ProjectParts {
    /// The indicator.
    pub indicator: String,
    /// Whether parts can be told.
    pub told: PartsTold,
    /// The figure, counted together with the parts.
    pub value: Option<f64>,
    /// The projects that serve it and have not ended, by id.
    pub projects: Vec<ProjectPart>,
    /// How many of them were not counted because there are too many.
    pub passed_over: usize,
}

/// What each key project that serves an indicator contributes to its figure: the figure, less what it would be without the project's things.
#[utoipa::path(get, path = "/api/v1/plan/indicators/{id}/projects", tag = "plan", security(("session" = ["project.read"])),
    params(("id" = String, Path), PlanQuery),
    responses((status = 200, body = ProjectParts), (status = 404, body = crate::error::ProblemBody)))]
pub async fn parts(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<PlanQuery>,
) -> Answer<Json<ProjectParts>> {
    let all = app.plan.plans();
    let (d, _) = plans::goal(&app, &all, &id, query.plan.as_deref())?;
    let is_of_things = reads_things_alone(&d.sql).is_some();
    let mut found = ProjectParts {
        indicator: id.clone(),
        told: match is_of_things {
            true => PartsTold::Known,
            false => PartsTold::NotOfThings,
        },
        value: None,
        projects: Vec::new(),
        passed_over: 0,
    };
    let mut serving = Vec::new();
    for row in app.project_rows().await? {
        let kept = kept_of(&row)?;
        if row.ended_at.is_none() && app.project_goals(&row, &kept).contains(&id) {
            serving.push((row.id, kept.assets));
        }
    }
    found.passed_over = serving.len().saturating_sub(PROJECTS_MAX);
    serving.truncate(PROJECTS_MAX);
    if is_of_things {
        found.value = app.figure(&d, &d.sql).await?;
    }
    for (project, assets) in serving {
        let mut part = ProjectPart {
            project,
            things: assets.len(),
            without: None,
            part: None,
        };
        if is_of_things && !assets.is_empty() {
            let ids = texts(assets.iter().map(|asset| asset.entity_id.as_str()));
            let others = format!("SELECT * FROM {ENTITIES_NOW} WHERE entity_id NOT IN ({ids})");
            if let Some(sql) = over(&others, &d.sql) {
                part.without = app.figure(&d, &sql).await?;
                part.part = match (found.value, part.without) {
                    (Some(value), Some(without)) => Some(value - without),
                    // All that there is are this project's things.
                    (value, None) => value,
                    (None, Some(_)) => None,
                };
            }
        }
        found.projects.push(part);
    }
    Ok(Json(found))
}

impl App {
    /// The figure that a statement gives as the query of an indicator.
    async fn figure(&self, d: &Definition, sql: &str) -> Answer<Option<f64>> {
        let answered = crate::sql::answer(self, sql, self.tables.clone()).await?;
        let told = |row: &BTreeMap<String, Value>| {
            let unit = row.get(UNIT)?;
            Some(unit.as_str().unwrap_or_default().to_owned())
        };
        let unit = answered.rows.first().and_then(told);
        let columns: Vec<&str> = (answered.columns.iter())
            .map(|column| column.name.as_str())
            .filter(|name| *name != UNIT)
            .collect();
        let first = answered.rows.first().zip(columns.first());
        let first = first.and_then(|(row, name)| row.get(*name));
        let cells = Cells {
            columns: columns.len(),
            rows: answered.rows.len(),
            cell: match first {
                None | Some(Value::Null) => Cell::Nothing,
                Some(value) => match value.as_f64() {
                    Some(number) => Cell::Number(number),
                    None => Cell::Other(value.to_string()),
                },
            },
            unit,
        };
        d.value_of(&cells).map_err(ApiError::invalid)
    }
}
