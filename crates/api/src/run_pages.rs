//! Runs (计算任务) for people: what is declared, what was made, one run whole, a run asked for, a run reckoned again.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::dead_letters::ProblemDetail;
use crate::entities::name_of;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::run_adopt::declared as declared_adoption;
use crate::runner::gone;
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{EntityId, Problem};
use pack::Packs;
use records::runs::{Filter, Run};
use records::{Event, PageRequest, audit};
use runs::kept::Sheet;
use runs::{Definition, Kept};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};

/// Most runs that a request by a person makes; more are the clock's.
const ASKED_MAX: usize = 100;

/// How the last moment of a declaration went.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunLast {
    /// The moment.
    pub at: String,
    /// Runs that are done.
    pub done: i64,
    /// Runs that failed.
    pub failed: i64,
}

/// A run as a pack declares it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunDefinition {
    /// Its id.
    pub id: String,
    /// The pack that declares it.
    pub pack: String,
    /// Its version.
    pub version: u32,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The engine.
    pub engine: String,
    /// The engine's version.
    pub engine_version: u32,
    /// The engine's title in Chinese.
    pub engine_title_zh: String,
    /// The engine's title in English.
    pub engine_title_en: String,
    /// How it reckons.
    pub method: String,
    /// What is published of the method; empty where there is nothing.
    pub reference: String,
    /// How often it is due, in minutes.
    pub every_minutes: i64,
    /// How long after that it begins, in minutes.
    pub delay_minutes: i64,
    /// How far back the input reaches, in hours.
    pub window_hours: i64,
    /// The statement that finds the input.
    pub input_sql: String,
    /// The statement that finds the targets.
    pub target_sql: Option<String>,
    /// The entity type that the outcome becomes.
    pub forecast_type: Option<String>,
    /// UN/CEFACT code of the unit of the outcome's values, where it becomes a forecast.
    pub forecast_unit: Option<String>,
    /// The entity type whose attributes a person may have from the outcome.
    pub adopt_type: Option<String>,
    /// When the next run begins.
    pub next_at: String,
    /// How the last moment went; null when there was none.
    pub last: Option<RunLast>,
}

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunBody {
    /// Its number.
    pub id: i64,
    /// The declaration.
    pub definition_id: String,
    /// The declaration's version.
    pub definition_version: i64,
    /// The declaration's title in Chinese; its id when it is gone.
    pub title_zh: String,
    /// The declaration's title in English.
    pub title_en: String,
    /// The engine.
    pub engine: String,
    /// The engine's version.
    pub engine_version: i64,
    /// The entity for which it was made.
    pub target_id: Option<String>,
    /// The entity's name.
    pub target_name: Option<String>,
    /// The moment for which it was due.
    pub due_at: String,
    /// When it began.
    pub begun_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// `running`, `done`, `failed` or `interrupted`.
    pub outcome: String,
    /// What was wrong.
    pub problems: Vec<ProblemDetail>,
    /// Rows read.
    pub rows_in: i64,
    /// Rows written.
    pub rows_out: i64,
    /// Journal position of what it told the city.
    pub position: Option<i64>,
    /// SHA-256 of the outcome as CSV.
    pub output_digest: Option<String>,
    /// The entity that it told of.
    pub entity_id: Option<String>,
    /// Who asked for it; null for the clock.
    pub asked_by: Option<String>,
}

/// A page of runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Runs {
    /// The runs, newest first.
    pub items: Vec<RunBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// A table of texts.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunTable {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

impl From<Sheet> for RunTable {
    fn from(sheet: Sheet) -> Self {
        Self {
            columns: sheet.columns,
            rows: sheet.rows,
        }
    }
}

/// A run whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunDetail {
    /// The run.
    #[serde(flatten)]
    pub run: RunBody,
    /// The parameters that the engine was given.
    pub parameters: Map<String, Value>,
    /// What it said beside its table.
    pub report: Map<String, Value>,
    /// UN/CEFACT code of the unit of the outcome's values, where it became a forecast; null when the declaration has another version since.
    pub forecast_unit: Option<String>,
    /// Whether what it fitted can be adopted: `GET …/adoption` says what that changes.
    pub is_adoptable: bool,
    /// What it read; null for who may not see everything, or when nothing was kept.
    pub input: Option<RunTable>,
    /// What it wrote.
    pub output: Option<RunTable>,
    /// The version of the program.
    pub program_version: Option<String>,
    /// The statement that found the input.
    pub input_sql: Option<String>,
    /// Whether the input is left out because the caller may not see everything that the statement may have read.
    pub is_withheld: bool,
}

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
pub struct RunsQuery {
    /// Of a declaration.
    pub definition_id: Option<String>,
    /// For an entity.
    pub target_id: Option<String>,
    /// `running`, `done`, `failed` or `interrupted`.
    pub outcome: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// What is to be run now.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RunRequest {
    /// The declaration.
    pub definition_id: String,
    /// One of its targets; all of them when left out.
    #[serde(default)]
    pub target_id: Option<String>,
}

/// What was run.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunsMade {
    /// The runs, in the targets' order.
    pub runs: Vec<RunBody>,
}

/// What a run gave when it was reckoned again.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunRepeated {
    /// Whether table and report are the same, bit for bit.
    pub is_same: bool,
    /// The engine's version then.
    pub engine_version_then: i64,
    /// The engine's version now.
    pub engine_version_now: u32,
    /// SHA-256 of the outcome then; null when it failed.
    pub output_digest_then: Option<String>,
    /// SHA-256 of the outcome now; null when it fails.
    pub output_digest_now: Option<String>,
    /// What the engine finds wrong now.
    pub problems: Vec<ProblemDetail>,
}

/// What packs declare to be run.
#[utoipa::path(get, path = "/api/v1/runs/definitions", tag = "runs", security(("session" = ["run.read"])),
    responses((status = 200, body = Vec<RunDefinition>)))]
pub async fn definitions(State(app): State<App>) -> Answer<Json<Vec<RunDefinition>>> {
    let mut connection = app.records.read().await?;
    let last = records::runs::last(&mut connection).await?.into_iter();
    drop(connection);
    let mut last: HashMap<String, RunLast> = last
        .map(|last| {
            let told = RunLast {
                at: last.due_at.to_string(),
                done: last.done,
                failed: last.failed,
            };
            (last.definition_id, told)
        })
        .collect();
    let (packs, now) = (app.packs.now(), app.now());
    let told = packs.runs().map(|(pack, run)| {
        let engine = app.engine(&run.engine).map(|engine| engine.description);
        let text = |of: fn(&engine::Description) -> &'static str| {
            engine.as_ref().map(of).unwrap_or_default().to_owned()
        };
        RunDefinition {
            id: run.id.clone(),
            pack: pack.to_owned(),
            version: run.version,
            title_zh: run.title_zh.clone(),
            title_en: run.title_en.clone(),
            engine: run.engine.clone(),
            engine_version: engine.map_or(0, |e| e.version),
            engine_title_zh: text(|e| e.title_zh),
            engine_title_en: text(|e| e.title_en),
            method: text(|e| e.method),
            reference: text(|e| e.reference),
            every_minutes: run.every_minutes,
            delay_minutes: run.delay_minutes,
            window_hours: run.window_hours,
            input_sql: run.input.sql.clone(),
            target_sql: run.targets.as_ref().map(|targets| targets.sql.clone()),
            forecast_type: run.forecast.as_ref().map(|of| of.entity_type.clone()),
            forecast_unit: run.forecast.as_ref().map(|of| of.unit.clone()),
            adopt_type: run.adopt.as_ref().map(|of| of.entity_type.clone()),
            next_at: run.next(now).to_string(),
            last: last.remove(&run.id),
        }
    });
    Ok(Json(told.collect()))
}

/// Whether the caller may know of a run: of one for an entity, when its forecast attribute, or the entity at all, may be seen.
fn sees(app: &App, sight: &Sight, packs: &Packs, run: &Run) -> bool {
    let (Some(id), Some(kind)) = (&run.target_id, &run.target_type) else {
        return sight.sees_all();
    };
    let declared = packs.run(&run.definition_id);
    let of = declared.and_then(|(_, declared)| declared.forecast.as_ref());
    let catalogue = app.ingest.catalogue();
    let kinds = of.and_then(|of| catalogue.kinds.get(&of.entity_type));
    match kinds.and_then(|kind| kind.forecast.as_ref()) {
        Some(forecast) => sight.sees_series(id, kind, &forecast.attribute),
        None => sight.sees_series(id, kind, ""),
    }
}

fn body(app: &App, sight: &Sight, packs: &Packs, run: Run) -> RunBody {
    let declared = packs.run(&run.definition_id).map(|(_, declared)| declared);
    let title = |of: fn(&Definition) -> &String| {
        declared.map_or_else(|| run.definition_id.clone(), |d| of(d).clone())
    };
    let target = run
        .target_id
        .as_deref()
        .and_then(|id| EntityId::new(id).ok());
    let target = target.and_then(|id| app.twin.get(&id));
    let name = target.and_then(|entity| {
        let kind = entity.entity_type.as_str();
        name_of(&entity).filter(|_| sight.sees_series(entity.id.as_str(), kind, "name"))
    });
    let problems: Vec<Problem> = run
        .problems
        .and_then(|told| serde_json::from_value(told).ok())
        .unwrap_or_default();
    RunBody {
        title_zh: title(|d| &d.title_zh),
        title_en: title(|d| &d.title_en),
        id: run.id,
        definition_id: run.definition_id,
        definition_version: run.definition_version,
        engine: run.engine,
        engine_version: run.engine_version,
        target_id: run.target_id,
        target_name: name,
        due_at: run.due_at.to_string(),
        begun_at: run.begun_at.to_string(),
        ended_at: run.ended_at.map(|at| at.to_string()),
        outcome: run.outcome,
        problems: problems.into_iter().map(Into::into).collect(),
        rows_in: run.rows_in,
        rows_out: run.rows_out,
        position: run.position,
        output_digest: run.output_digest,
        entity_id: run.entity_id,
        asked_by: run.asked_by,
    }
}

/// Runs, newest first. A page may hold fewer than were asked for where some may not be seen.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", security(("session" = ["run.read"])), params(RunsQuery),
    responses((status = 200, body = Runs), (status = 400, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Query(query): Query<RunsQuery>,
) -> Answer<Json<Runs>> {
    let page = PageRequest {
        after: query.after,
        limit: query.limit,
    };
    let filter = Filter {
        definition_id: query.definition_id.as_deref(),
        target_id: query.target_id.as_deref(),
        outcome: query.outcome.as_deref(),
    };
    let mut connection = app.records.read().await?;
    let page = records::runs::list(&mut connection, &filter, &page).await?;
    drop(connection);
    let packs = app.packs.now();
    let seen = page
        .items
        .into_iter()
        .filter(|run| sees(&app, &sight, &packs, run));
    Ok(Json(Runs {
        items: seen.map(|run| body(&app, &sight, &packs, run)).collect(),
        next: page.next,
    }))
}

/// A run that the caller may see, with what is kept of it.
pub(crate) async fn found(app: &App, sight: &Sight, id: i64) -> Answer<(Run, Option<Kept>)> {
    let mut connection = app.records.read().await?;
    let run = records::runs::get(&mut connection, id).await?;
    let run = run.filter(|run| sees(app, sight, &app.packs.now(), run));
    let run = run.ok_or_else(|| ApiError::not_found("run", id))?;
    let kept = records::runs::kept(&mut connection, id).await?;
    drop(connection);
    let kept = kept.as_deref().map(Kept::from_text).transpose();
    let kept = kept.map_err(unreadable)?;
    Ok((run, kept))
}

fn unreadable(problem: Problem) -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, problem)
}

/// One run whole: what was read, with which parameters, what came of it.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "runs", security(("session" = ["run.read"])), params(("id" = i64, Path)),
    responses((status = 200, body = RunDetail), (status = 404, body = ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
) -> Answer<Json<RunDetail>> {
    let (run, kept) = found(&app, &sight, id).await?;
    let packs = app.packs.now();
    let declared = packs.run(&run.definition_id).map(|(_, declared)| declared);
    let forecast_unit = declared
        .filter(|declared| i64::from(declared.version) == run.definition_version)
        .and_then(|declared| Some(declared.forecast.as_ref()?.unit.clone()));
    let is_adoptable = kept.is_some() && declared_adoption(&packs, &run).is_some();
    let run = body(&app, &sight, &packs, run);
    let Some(kept) = kept else {
        return Ok(Json(RunDetail {
            run,
            parameters: Map::new(),
            report: Map::new(),
            forecast_unit,
            is_adoptable,
            input: None,
            output: None,
            program_version: None,
            input_sql: None,
            is_withheld: false,
        }));
    };
    let sees_all = sight.sees_all();
    Ok(Json(RunDetail {
        run,
        parameters: serde_json::from_str(&kept.parameters).unwrap_or_default(),
        report: kept.report().map_err(unreadable)?,
        forecast_unit,
        is_adoptable,
        input: sees_all.then(|| kept.input.into()),
        output: Some(kept.output.into()),
        program_version: Some(kept.program_version),
        input_sql: Some(kept.input_sql),
        is_withheld: !sees_all,
    }))
}

/// Files of a run.
async fn file(
    app: &App,
    sight: &Sight,
    id: i64,
    name: &str,
    media_type: &'static str,
    of: impl FnOnce(&Kept) -> Vec<u8>,
) -> Answer<Response> {
    let (_, kept) = found(app, sight, id).await?;
    let kept = kept.ok_or_else(|| ApiError::not_found("file of the run", name))?;
    let named = format!("attachment; filename=\"run-{id}-{name}\"");
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, named),
    ];
    Ok((headers, of(&kept)).into_response())
}

/// What a run read, as the CSV file that `jingling engine run` reads. 403 for who may not see everything.
#[utoipa::path(get, path = "/api/v1/runs/{id}/input.csv", tag = "runs", security(("session" = ["run.read"])), params(("id" = i64, Path)),
    responses((status = 200, content((String = "text/csv"))), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn input(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
) -> Answer<Response> {
    if !sight.sees_all() {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            Problem::new(
                "forbidden",
                "a run's input may hold what you may not see",
                "input.csv",
                "ask somebody who may see all entities",
            ),
        ));
    }
    file(&app, &sight, id, "input.csv", "text/csv", |kept| {
        kept.input.csv()
    })
    .await
}

/// What a run wrote, as a CSV file.
#[utoipa::path(get, path = "/api/v1/runs/{id}/output.csv", tag = "runs", security(("session" = ["run.read"])), params(("id" = i64, Path)),
    responses((status = 200, content((String = "text/csv"))), (status = 404, body = ProblemBody)))]
pub async fn output(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
) -> Answer<Response> {
    file(&app, &sight, id, "output.csv", "text/csv", |kept| {
        kept.output.csv()
    })
    .await
}

/// The parameters of a run, as the file that `jingling engine run` reads.
#[utoipa::path(get, path = "/api/v1/runs/{id}/parameters.json", tag = "runs", security(("session" = ["run.read"])), params(("id" = i64, Path)),
    responses((status = 200, content((String = "application/json"))), (status = 404, body = ProblemBody)))]
pub async fn parameters(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let text = |kept: &Kept| kept.parameters.clone().into_bytes();
    file(
        &app,
        &sight,
        id,
        "parameters.json",
        "application/json",
        text,
    )
    .await
}

/// Runs a declaration now, for one of its targets or for all.
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", security(("session" = ["run.start"])), request_body = RunRequest,
    responses((status = 201, body = RunsMade), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn start(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Seeing(sight): Seeing,
    Json(request): Json<RunRequest>,
) -> Answer<(StatusCode, Json<RunsMade>)> {
    let packs = app.packs.now();
    let declared = packs.run(&request.definition_id);
    let (_, definition) =
        declared.ok_or_else(|| ApiError::not_found("run", &request.definition_id))?;
    let target = request.target_id.as_deref().map(EntityId::new).transpose();
    let target = target.map_err(ApiError::invalid)?;
    let actor = peer.actor(&caller);
    let made = app
        .run(definition, app.now(), target.as_ref(), Some(&actor))
        .await?;
    let mut write = app.records.write().await?;
    let about = format!("run-definition:{}", definition.id);
    let detail = json!({"runs": made.len(), "first": made.first(), "target_id": request.target_id});
    audit::insert(
        &mut write,
        app.now(),
        &actor,
        Event::RunStart,
        &about,
        &detail,
    )
    .await?;
    write.commit().await?;
    let mut runs = Vec::with_capacity(made.len().min(ASKED_MAX));
    let mut connection = app.records.read().await?;
    for id in made.into_iter().take(ASKED_MAX) {
        let run = records::runs::get(&mut connection, id).await?;
        let run = run.filter(|run| sees(&app, &sight, &packs, run));
        runs.extend(run.map(|run| body(&app, &sight, &packs, run)));
    }
    Ok((StatusCode::CREATED, Json(RunsMade { runs })))
}

/// Reckons a run again from what is kept of it, with the engine as it is now, and compares. Nothing is told to the city.
#[utoipa::path(post, path = "/api/v1/runs/{id}/repeat", tag = "runs", security(("session" = ["run.read"])), params(("id" = i64, Path)),
    responses((status = 200, body = RunRepeated), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn repeat(
    State(app): State<App>,
    Seeing(sight): Seeing,
    Path(id): Path<i64>,
) -> Answer<Json<RunRepeated>> {
    let (run, kept) = found(&app, &sight, id).await?;
    let kept = kept.ok_or_else(|| ApiError::not_found("input of the run", id))?;
    let engine = app.engine(&run.engine).ok_or_else(|| gone(&run.engine))?;
    let engine_version_now = engine.description.version;
    let (engines, name) = (app.engines.clone(), run.engine.clone());
    let work = tokio::task::spawn_blocking(move || {
        let engine = engine::find(&engines, &name).map_err(|problem| vec![problem]);
        engine.map(|engine| kept.again(engine))
    });
    let again = work.await.map_err(|_| gone(&run.engine))?;
    let again = again.map_err(|_| gone(&run.engine))?;
    Ok(Json(RunRepeated {
        is_same: again.is_same,
        engine_version_then: run.engine_version,
        engine_version_now,
        output_digest_then: run.output_digest,
        output_digest_now: again.digest,
        problems: again.problems.into_iter().map(Into::into).collect(),
    }))
}
