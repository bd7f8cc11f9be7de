//! The HTTP door of files whose columns are those of a declared table: which tables there are for the caller, and bringing a file in. Who
//! may is who may enter by hand what the table's pack is of: `data.enter`, and one of the pack's owner or of the command centre.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::duty::belongs;
use crate::error::{Answer, ApiError};
use crate::import_progress::{ImportStep, Job};
use crate::intake::{self, City, Halted, Plan, Source};
use crate::sight::{Seeing, Sight};
use crate::table_imports::{
    ImportProblem, ImportQuery, ImportReport, lines_refused, options, receive, refused, skips,
};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use identity::Principal;
use lake::{RecordTables, department};
use model::problem::{both, quote};
use model::{Catalogue, TableIntake, TableView, Timestamp, Told};
use records::Actor;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// A table that files come in for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Intake {
    /// Its name.
    pub table: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The standard or whatever else lays it out.
    pub source: String,
    /// The columns that a file must have.
    pub needs: Vec<String>,
    /// The columns that are taken in, of which it must have one.
    pub takes: Vec<String>,
    /// Whether a row has a time of its own; a register is of the moment when it comes in.
    pub has_times: bool,
}

/// Tables that files come in for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Intakes {
    /// The tables.
    pub items: Vec<Intake>,
}

/// What came of the values of a file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IntakeCounts {
    /// Rows with something that the city did not know.
    pub rows_new: u64,
    /// Rows of which everything was known: they change nothing.
    pub rows_same: u64,
    /// New values.
    pub values: u64,
    /// Values that are left as a person corrected them.
    pub values_corrected: u64,
    /// New values outside the credible range: kept and marked.
    pub values_out_of_range: u64,
    /// Entities of which something is new.
    pub entities: u64,
    /// The first moment of what is new.
    pub from: Option<String>,
    /// The last.
    pub to: Option<String>,
}

impl From<intake::Counts> for IntakeCounts {
    fn from(counts: intake::Counts) -> Self {
        Self {
            rows_new: counts.rows_new as u64,
            rows_same: counts.rows_same as u64,
            values: counts.values as u64,
            values_corrected: counts.values_corrected as u64,
            values_out_of_range: counts.values_out_of_range as u64,
            entities: counts.entities as u64,
            from: counts.span.map(|(first, _)| first.to_string()),
            to: counts.span.map(|(_, last)| last.to_string()),
        }
    }
}

/// What a file holds, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntakeReport {
    /// The file as any other that is imported; its table is the declared one.
    #[serde(flatten)]
    pub file: ImportReport,
    /// What came of its values.
    pub taken: IntakeCounts,
}

impl IntakeReport {
    /// The report of a plan.
    pub fn new(table: &str, plan: &Plan, written: bool) -> Self {
        Self {
            file: ImportReport::of_table(table, &plan.table, written),
            taken: plan.counts.into(),
        }
    }
}

/// The tables that files come in for, of packs whose owner the caller belongs to.
#[utoipa::path(get, path = "/api/v1/intakes", tag = "data", security(("session" = ["data.enter"])),
    responses((status = 200, body = Intakes)))]
pub async fn list(State(app): State<App>, Caller(caller): Caller) -> Json<Intakes> {
    let packs = app.packs.now();
    let packs = packs.packs.iter().filter(|pack| is_theirs(&caller, pack));
    let items = packs.flat_map(|pack| &pack.tables).filter_map(|view| {
        let intake = view.intake.as_ref()?;
        let time = intake.time.iter().map(|time| time.column.clone());
        let mut takes: Vec<String> = Vec::new();
        for name in intake.values.iter().flat_map(|value| &value.columns) {
            if !takes.contains(name) {
                takes.push(name.clone());
            }
        }
        Some(Intake {
            table: view.name.clone(),
            title_zh: view.title_zh.clone(),
            title_en: view.title_en.clone(),
            source: view.source.clone(),
            needs: std::iter::once(intake.key.clone()).chain(time).collect(),
            takes,
            has_times: intake.time.is_some(),
        })
    });
    Json(Intakes {
        items: items.collect(),
    })
}

/// Whether the caller may bring in files for a pack's tables.
fn is_theirs(caller: &Principal, pack: &pack::Pack) -> bool {
    let owner = pack.manifest.owner.as_deref();
    owner.is_none_or(|owner| belongs(caller, owner))
}

/// How a file that is sent is to be read.
#[derive(Debug, Deserialize, IntoParams)]
pub struct IntakeQuery {
    /// The file's name; its ending is its format: .csv, .tsv, .txt, .xlsx or .parquet.
    pub file: String,
    /// Read and report, write nothing.
    pub dry_run: Option<bool>,
    /// `stop` (default): a bad line refuses the file; `skip`: bad lines are left out.
    pub on_error: Option<String>,
    /// The sheet; the first without it.
    pub sheet: Option<String>,
    /// The line that names the columns, from 1; the first that is not empty without it.
    pub header_line: Option<u64>,
    /// Merged cells: `refuse` (default), `fill` or `first`.
    pub merged: Option<String>,
    /// A name of the sender's own choice under which `/api/v1/imports/{job}` tells how far it is.
    pub job: Option<String>,
}

impl From<IntakeQuery> for ImportQuery {
    fn from(query: IntakeQuery) -> Self {
        Self {
            file: query.file,
            dry_run: query.dry_run,
            on_error: query.on_error,
            sheet: query.sheet,
            header_line: query.header_line,
            merged: query.merged,
            job: query.job,
            ..Self::default()
        }
    }
}

/// Takes a file in that is sent as the body: its columns are those of the declared table, its rows become readings, or what a register
/// says, of the entities that its codes name. `dry_run=true` only tells what would come in and what is wrong with it, line by
/// line. A file with bad lines is refused whole unless `on_error=skip`; what the city knows already changes nothing.
#[utoipa::path(post, path = "/api/v1/intakes/{table}", tag = "data", security(("session" = ["data.enter"])),
    params(("table" = String, Path), IntakeQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "A dry run, or nothing was new.", body = IntakeReport), (status = 201, description = "Taken in.", body = IntakeReport),
        (status = 400, body = crate::error::ProblemBody), (status = 403, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody),
        (status = 413, body = crate::error::ProblemBody), (status = 422, body = crate::error::ProblemBody),
        (status = 503, body = crate::error::ProblemBody), (status = 507, body = crate::error::ProblemBody)))]
pub async fn take_in(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Seeing(sight): Seeing,
    Path(table): Path<String>,
    Query(query): Query<IntakeQuery>,
    body: Body,
) -> Answer<Response> {
    let catalogue = app.ingest.catalogue();
    let (view, _) = intake::table_of(&catalogue, &table)
        .ok_or_else(|| ApiError::told(StatusCode::NOT_FOUND, unknown(&table, &catalogue)))?;
    let table = view.name.clone();
    let packs = app.packs.now();
    let owner = (packs.packs.iter()).find(|pack| pack.tables.iter().any(|t| t.name == table));
    if let Some(pack) = owner.filter(|pack| !is_theirs(&caller, pack)) {
        let owner = pack.manifest.owner.as_deref().unwrap_or_default();
        return Err(not_theirs(&table, owner));
    }
    let query = ImportQuery::from(query);
    let (options, skips) = (options(&app, &query)?, skips(&query)?);
    let dry_run = query.dry_run.unwrap_or(false);
    let job = app.imports.begin(&caller, query.job.as_deref())?;
    // Who goes away while a file is only looked at wants no answer; the next file need not wait for it.
    let _waits = job.waits();
    let folder = tempfile::tempdir_in(&app.options.passing_dir).map_err(ApiError::internal)?;
    let path = folder.path().join("file");
    receive(body, &path, app.options.upload_bytes_max, &job).await?;
    let work = Work {
        table,
        file: query.file,
        options,
        skips,
        dry_run,
        sight,
        actor: peer.actor(&caller),
        now: app.now(),
        job,
    };
    // A file that has arrived comes in whole, whoever goes away meanwhile.
    let done = tokio::spawn(async move {
        let done = work.done(&app, &path).await;
        drop(folder);
        done
    });
    done.await.map_err(ApiError::internal)?
}

/// A file that has arrived.
struct Work {
    table: String,
    file: String,
    options: imports::Options,
    skips: bool,
    dry_run: bool,
    sight: Arc<Sight>,
    actor: Actor,
    now: Timestamp,
    job: Job,
}

impl Work {
    async fn done(self, app: &App, path: &std::path::Path) -> Answer<Response> {
        // One at a time: a file is held in memory while it is read, and the next sees what this one said.
        self.job.tell(ImportStep::Waiting, 0, 0);
        let _turn = Arc::clone(&app.importing).lock_owned().await;
        let work = Arc::new(self);
        let (own, its, file) = (app.clone(), Arc::clone(&work), path.to_owned());
        let looked = tokio::task::spawn_blocking(move || its.look(&own, &file));
        let (mut plan, sha256) = looked.await.map_err(ApiError::internal)?.map_err(refused)?;
        let Self {
            table, job, now, ..
        } = &*work;
        let catalogue = app.ingest.catalogue();
        if plan.is_good() || work.skips || work.dry_run {
            let tables: Arc<dyn RecordTables> = app.tables.clone();
            let held = plan.against(&app.twin, &app.lake, &tables, &catalogue);
            held.await.map_err(ApiError::unanswered)?;
        }
        let report = |plan: &Plan, written| Json(IntakeReport::new(table, plan, written));
        if work.dry_run {
            return Ok(report(&plan, false).into_response());
        }
        if !plan.is_good() && !work.skips {
            return Err(lines_refused(&plan.table));
        }
        if plan.counts.rows_new == 0 {
            return Ok(report(&plan, false).into_response());
        }
        let source = Source {
            table: table.clone(),
            file: work.file.clone(),
            sha256,
        };
        intake::note(&app.records, &work.actor, *now, &source, &plan).await?;
        let tell = |done: usize, all: usize| job.tell(ImportStep::Writing, done as u64, all as u64);
        let sent = intake::send(&app.ingest, &mut plan, &source, *now, tell).await;
        let (position, late) = sent.map_err(|halted| not_all(&halted))?;
        if let Some(position) = position {
            app.shown(position).await;
        }
        let mut body = IntakeReport::new(table, &plan, true);
        let late = late.into_iter().map(Told::from);
        (body.file.notes).extend(late.map(|told| ImportProblem::from(&told)));
        Ok((StatusCode::CREATED, Json(body)).into_response())
    }

    /// Reads the file and finds whom it speaks of; gives its hash beside.
    fn look(&self, app: &App, path: &std::path::Path) -> Result<(Plan, String), Told> {
        let catalogue = app.ingest.catalogue();
        let of = intake::table_of(&catalogue, &self.table);
        let (view, intake): (&TableView, &TableIntake) =
            of.ok_or_else(|| unknown(&self.table, &catalogue))?;
        let mut progress = |done, total| {
            self.job.tell(ImportStep::Reading, done, total);
            match self.dry_run && self.job.is_left() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let (options, name) = (&self.options, self.file.as_str());
        let read = imports::declared::read(path, name, (view, intake), options, &mut progress)?;
        let believe = |update| app.ingest.believe(update, self.now);
        let city = City {
            twin: &app.twin,
            sight: Some(&self.sight),
            believe: &believe,
            now: self.now,
        };
        let problems_max = options.limits.problems_max;
        let plan = intake::look(read, intake, &catalogue, city, problems_max);
        Ok((plan, department::sha256(path)?))
    }
}

/// Says that files do not come in for a table, and for which they do.
pub fn unknown(table: &str, catalogue: &Catalogue) -> Told {
    let table = quote(table);
    let views = catalogue.views.iter().filter(|view| view.intake.is_some());
    let known: Vec<&str> = views.map(|view| view.name.as_str()).collect();
    Told::new(
        "intake-unknown",
        both(
            format!("表“{table}”不收文件"),
            format!("no files come in for a table \"{table}\""),
        ),
        both("表名", "table"),
        both(
            format!("可以收的表：{}", known.join("、")),
            format!("they do for {}", known.join(", ")),
        ),
    )
}

fn not_theirs(table: &str, owner: &str) -> ApiError {
    let owner = quote(owner);
    ApiError::told(
        StatusCode::FORBIDDEN,
        Told::new(
            "forbidden",
            both(
                format!("{table} 由部门 {owner} 负责"),
                format!("{table} belongs to {owner}"),
            ),
            both("部门", "organisation"),
            both(
                "请找该部门或指挥中心",
                "ask that department, or the command centre",
            ),
        ),
    )
}

/// Says how much of a file is in when the disk takes no more.
fn not_all(halted: &Halted) -> ApiError {
    let Halted { done, all, why } = halted;
    let status = ApiError::busy(why).status();
    ApiError::told(
        status,
        Told::new(
            "intake-halted",
            both(
                format!("{all} 行中收了 {done} 行，其余没有收：{why}"),
                format!("{done} of {all} rows came in, and are kept; the rest not: {why}"),
            ),
            both("日志", "journal"),
            both(
                "请稍后把同一个文件再导入一次：已经收的不会重复",
                "bring the same file in again later: what is in changes nothing",
            ),
        ),
    )
}
